"""Attributes: learnt on a source, recognised on a dataset, voted for its persons (ATTR)."""


rule fetch_source:
    input:
        source_in_place,
    output:
        source=local("results/sources/{source}/fetched.json"),
    log:
        "results/sources/{source}/logs/fetch.log",
    benchmark:
        "results/sources/{source}/benchmarks/fetch.tsv"
    wildcard_constraints:
        source=sources_from("rap", "mars_attributes"),
    retries: 0
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=720,
    params:
        block=fetch_source_values,
        code=lambda w: code(
            "stages.fetch", f"datasets.{CONFIG.sources[w.source].source}"
        ),
    shell:
        "python -m weakreid.stages.fetch --dataset {wildcards.source} --params {params.block:q}"
        " --lock data.lock.json --out {output.source} 2> {log}"


rule generate_source:
    output:
        source="results/sources/{source}/generated.json",
        root=directory("results/sources/{source}/generated"),
    log:
        "results/sources/{source}/logs/generate.log",
    benchmark:
        "results/sources/{source}/benchmarks/generate.tsv"
    wildcard_constraints:
        source=sources_from("walkers"),
    conda:
        "../../envs/cpu.yaml"
    threads: 64
    resources:
        mem_mb=4000,
        runtime=240,
    params:
        block=lambda w: values(
            CONFIG.sources[w.source].model_dump(
                mode="json", exclude={"source", "on_bad_frame"}
            )
        ),
        code=code("stages.generate"),
    shell:
        "python -m weakreid.stages.generate --params {params.block:q} --workers {threads}"
        " --root {output.root} --out {output.source} 2> {log}"


rule annotation:
    input:
        source=place_of_source,
        root=files_of_source,
    output:
        annotation="results/sources/{source}/annotation.parquet",
    log:
        "results/sources/{source}/logs/annotation.log",
    benchmark:
        "results/sources/{source}/benchmarks/annotation.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=annotation_values,
        code=lambda w: code("stages.annotation", annotation_reader(w)),
    shell:
        "python -m weakreid.stages.annotation --source-file {input.source}"
        " --params {params.block:q} --out {output.annotation} 2> {log}"


rule pictures:
    input:
        pictures_in_place,
        annotation=rules.annotation.output.annotation,
        # an annotation may stay the same where its pictures do not
        source=place_of_source,
        root=files_of_source,
    output:
        images="results/sources/{source}/images.arrow",
        pictures="results/sources/{source}/pictures.parquet",
    log:
        "results/sources/{source}/logs/pictures.log",
    benchmark:
        "results/sources/{source}/benchmarks/pictures.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        block=pictures_values,
        code=code("stages.pictures"),
    shell:
        "python -m weakreid.stages.pictures --source-file {input.source}"
        " --annotation {input.annotation}"
        " --params {params.block:q} --threads {threads} --images {output.images}"
        " --out {output.pictures} 2> {log}"


rule transfer:
    input:
        pictures=lambda w: f"{source_folder(w)}/pictures.parquet",
        source_images=lambda w: f"{source_folder(w)}/images.arrow",
        tracklets=lambda w: f"{split_of_dataset(w)}/tracklets.parquet",
        frames=rules.dataset.output.frames,
        images=rules.dataset.output.images,
    output:
        model="results/attributes/{transfer}/{dataset}/{run}/model.safetensors",
        history="results/attributes/{transfer}/{dataset}/{run}/history.parquet",
        timing="results/attributes/{transfer}/{dataset}/{run}/timing.json",
    log:
        "results/attributes/{transfer}/{dataset}/logs/transfer-{run}.log",
    benchmark:
        "results/attributes/{transfer}/{dataset}/benchmarks/transfer-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=720,
        gpu=1,
        device="auto",
    params:
        block=transfer_values,
        code=code("stages.transfer"),
        # as for train
        checkpoint=lambda w, output: output.model.replace(
            "model.safetensors", "checkpoint.pt"
        ),
    shell:
        "python -m weakreid.stages.transfer --pictures {input.pictures}"
        " --source-images {input.source_images} --tracklets {input.tracklets}"
        " --frames {input.frames} --images {input.images} --params {params.block:q}"
        " --code {params.code} --checkpoint {params.checkpoint} --device {resources.device}"
        " --devices {resources.gpu} --threads {threads} --model {output.model}"
        " --history {output.history} --timing {output.timing} 2> {log}"


rule attribute_votes:
    input:
        model=rules.transfer.output.model,
        tracklets=lambda w: f"{split_of_dataset(w)}/tracklets.parquet",
        frames=rules.dataset.output.frames,
        images=rules.dataset.output.images,
    output:
        votes="results/attributes/{transfer}/{dataset}/{run}/votes.parquet",
    log:
        "results/attributes/{transfer}/{dataset}/logs/votes-{run}.log",
    benchmark:
        "results/attributes/{transfer}/{dataset}/benchmarks/votes-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=480,
        gpu=1,
        device="auto",
    params:
        code=code("stages.attribute_votes"),
    shell:
        "python -m weakreid.stages.attribute_votes --model {input.model}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --device {resources.device} --threads {threads} --out {output.votes} 2> {log}"


rule attribute_labels:
    input:
        votes=rules.attribute_votes.output.votes,
    output:
        labels="results/attributes/{transfer}/{dataset}/{run}/labels.parquet",
    log:
        "results/attributes/{transfer}/{dataset}/logs/labels-{run}.log",
    benchmark:
        "results/attributes/{transfer}/{dataset}/benchmarks/labels-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        block=lambda w: values({"threshold": CONFIG.transfers[w.transfer].threshold}),
        code=code("stages.attribute_labels"),
    shell:
        "python -m weakreid.stages.attribute_labels --votes {input.votes}"
        " --params {params.block:q} --out {output.labels} 2> {log}"


rule true_annotation:
    input:
        source=rules.generate.output.source,
        root=rules.generate.output.root,
    output:
        annotation="results/datasets/{dataset}/annotation.parquet",
    log:
        "results/datasets/{dataset}/logs/annotation.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/annotation.tsv"
    wildcard_constraints:
        dataset=datasets_from("walkers"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=values({"source": "walkers"}),
        code=code("stages.annotation", "datasets.annotated"),
    shell:
        "python -m weakreid.stages.annotation --source-file {input.source}"
        " --params {params.block:q} --out {output.annotation} 2> {log}"


rule true_attributes:
    input:
        annotation=true_annotation,
    output:
        labels="results/datasets/{dataset}/attributes.parquet",
    log:
        "results/datasets/{dataset}/logs/true_attributes.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/true_attributes.tsv"
    wildcard_constraints:
        dataset="|".join(filter(has_true_attributes, CONFIG.datasets)) or "none",
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        code=code("stages.true_attributes"),
    shell:
        "python -m weakreid.stages.true_attributes --annotation {input.annotation}"
        " --out {output.labels} 2> {log}"


rule label_quality:
    input:
        labels=rules.attribute_labels.output.labels,
        truth=rules.true_attributes.output.labels,
        tracklets=lambda w: f"{split_of_dataset(w)}/tracklets.parquet",
        pictures=lambda w: f"{source_folder(w)}/pictures.parquet",
    output:
        quality="results/attributes/{transfer}/{dataset}/{run}/quality.json",
    log:
        "results/attributes/{transfer}/{dataset}/logs/quality-{run}.log",
    benchmark:
        "results/attributes/{transfer}/{dataset}/benchmarks/quality-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        code=code("stages.label_quality"),
    shell:
        "python -m weakreid.stages.label_quality --labels {input.labels} --truth {input.truth}"
        " --tracklets {input.tracklets} --pictures {input.pictures} --out {output.quality} 2> {log}"
