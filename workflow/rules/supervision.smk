"""What a method may see."""


rule bags:
    input:
        tracklets=rules.split.output.tracklets,
        frames=rules.dataset.output.frames,
    output:
        bags="results/datasets/{dataset}/{split}/bags/{bags}.parquet",
    log:
        "results/datasets/{dataset}/logs/bags-{split}-{bags}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/bags-{split}-{bags}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=lambda w: values(CONFIG.bags[w.bags], seed=CONFIG.seed),
        code=code("stages.bags"),
    shell:
        "python -m weakreid.stages.bags --tracklets {input.tracklets} --frames {input.frames}"
        " --params {params.block:q} --out {output.bags} 2> {log}"


rule coarse_bags:
    input:
        tracklets=rules.split.output.tracklets,
        frames=rules.dataset.output.frames,
    output:
        bags="results/datasets/{dataset}/{split}/coarse.parquet",
    log:
        "results/datasets/{dataset}/logs/coarse-{split}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/coarse-{split}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=lambda w: values(CONFIG.coarse, seed=CONFIG.seed),
        code=code("stages.coarse_bags"),
    shell:
        "python -m weakreid.stages.coarse_bags --tracklets {input.tracklets}"
        " --frames {input.frames} --params {params.block:q} --out {output.bags} 2> {log}"
