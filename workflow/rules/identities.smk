"""What nobody needs labels for: who is who, and where somebody was seen again."""


rule identities:
    input:
        clusters=rules.train_tracklets.output.clusters,
        tracks=tracks_of,
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        table=shown(
            "results/{experiment}/runs/{run}/identities.csv",
            "who is who, as CSV",
            "identities",
        ),
        sheet=shown(
            "results/{experiment}/runs/{run}/identities.png",
            "who is who",
            "identities",
        ),
    log:
        "results/{experiment}/logs/identities-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/identities-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_learning("tracklets"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=identities_values,
        code=code("stages.identities"),
    shell:
        "python -m weakreid.stages.identities --clusters {input.clusters} --tracks {input.tracks}"
        " --frames {input.frames} --images {input.images} --params {params.block:q}"
        " --out {output.table} --sheet {output.sheet} 2> {log}"


rule search:
    input:
        features=rules.features.output.features,
        tracklets=searched,
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        table=shown(
            "results/{experiment}/runs/{run}/search.csv", "search, as CSV", "search"
        ),
        picture=shown("results/{experiment}/runs/{run}/search.png", "search", "search"),
    log:
        "results/{experiment}/logs/search-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/search-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        block=search_values,
        code=code("stages.search"),
    shell:
        "python -m weakreid.stages.search --features {input.features}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --params {params.block:q} --out {output.table} --picture {output.picture} 2> {log}"
