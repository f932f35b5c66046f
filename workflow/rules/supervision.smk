"""What a method may see."""


rule bags:
    input:
        tracklets=rules.split.output.tracklets,
        frames=rules.dataset.output.frames,
        tracks=noisy_tracks_of,
    output:
        bags="results/datasets/{dataset}/{split}/bags/{bags}.parquet",
    log:
        "results/datasets/{dataset}/logs/bags-{split}-{bags}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/bags-{split}-{bags}.tsv"
    wildcard_constraints:
        bags=bags_with_videos(False),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=lambda w: values(CONFIG.bags[w.bags], seed=CONFIG.seed),
        tracks=lambda w, input: each("tracks", input.tracks),
        code=code("stages.bags"),
    shell:
        "python -m weakreid.stages.bags --tracklets {input.tracklets} --frames {input.frames}"
        " {params.tracks} --params {params.block:q} --out {output.bags} 2> {log}"


rule named_bags:
    input:
        tracklets=rules.split.output.tracklets,
        frames=rules.dataset.output.frames,
        root=rules.crops.output.root,
    output:
        bags="results/datasets/{dataset}/{split}/bags/{bags}.parquet",
    log:
        "results/datasets/{dataset}/logs/bags-{split}-{bags}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/bags-{split}-{bags}.tsv"
    wildcard_constraints:
        bags=bags_with_videos(True),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=lambda w: values(
            {"seed": CONFIG.seed, "max_frames": CONFIG.bags[w.bags].max_frames}
        ),
        code=code("stages.named_bags"),
    shell:
        "python -m weakreid.stages.named_bags --tracklets {input.tracklets}"
        " --frames {input.frames} --videos {input.root}/videos.csv --params {params.block:q}"
        " --out {output.bags} 2> {log}"


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
