"""From a dataset's place, or from nothing, to tables and the image store."""


rule fetch:
    input:
        data_in_place,
    output:
        # it names a folder of this machine
        source=local("results/datasets/{dataset}/fetched.json"),
    log:
        "results/datasets/{dataset}/logs/fetch.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/fetch.tsv"
    retries: 0
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=720,
    params:
        block=fetch_values,
        code=fetch_code,
    shell:
        "python -m weakreid.stages.fetch --dataset {wildcards.dataset} --params {params.block:q}"
        " --lock data.lock.json --out {output.source} 2> {log}"


rule generate:
    output:
        source="results/datasets/{dataset}/generated.json",
        root=directory("results/datasets/{dataset}/generated"),
    log:
        "results/datasets/{dataset}/logs/generate.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/generate.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 64
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        block=walkers_values,
        code=code("stages.generate"),
    shell:
        "python -m weakreid.stages.generate --params {params.block:q} --workers {threads}"
        " --root {output.root} --out {output.source} 2> {log}"


rule crops:
    input:
        data_in_place,
    output:
        source="results/datasets/{dataset}/cropped.json",
        root=directory("results/datasets/{dataset}/crops"),
        picture=shown("results/datasets/{dataset}/crops.png", "crops", "crops"),
    log:
        "results/datasets/{dataset}/logs/crops.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/crops.tsv"
    wildcard_constraints:
        dataset=datasets_from("mot"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=480,
    params:
        block=crops_values,
        code=code("stages.crops"),
    shell:
        "python -m weakreid.stages.crops --dataset {wildcards.dataset} --params {params.block:q}"
        " --root {output.root} --picture {output.picture} --out {output.source} 2> {log}"


rule dataset:
    input:
        source=source_of,
        root=files_of,
    output:
        tracklets="results/datasets/{dataset}/tracklets.parquet",
        frames="results/datasets/{dataset}/frames.parquet",
        partitions="results/datasets/{dataset}/partitions.parquet",
        images="results/datasets/{dataset}/images.arrow",
    log:
        "results/datasets/{dataset}/logs/dataset.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/dataset.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        block=reader_values,
        code=reader_code,
    shell:
        "python -m weakreid.stages.dataset --dataset {wildcards.dataset} --source {input.source}"
        " --params {params.block:q} --threads {threads} --out {output.tracklets} 2> {log}"


rule split:
    input:
        tracklets=rules.dataset.output.tracklets,
        partitions=rules.dataset.output.partitions,
    output:
        tracklets="results/datasets/{dataset}/{split}/tracklets.parquet",
    log:
        "results/datasets/{dataset}/logs/split-{split}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/split-{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=20,
    params:
        block=split_values,
        code=code("stages.split"),
    shell:
        "python -m weakreid.stages.split --tracklets {input.tracklets}"
        " --partitions {input.partitions} --params {params.block:q}"
        " --out {output.tracklets} 2> {log}"
