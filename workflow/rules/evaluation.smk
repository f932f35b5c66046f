"""From a trained network to figures: descriptors, rankings, metrics."""


rule features:
    input:
        model=rules.train.output.model,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        features="results/{experiment}/runs/{run}/features.parquet",
    log:
        "results/{experiment}/logs/features-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/features-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_seeing(False, "bags", "tracklets"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=480,
        gpu=1,
        device="auto",
    params:
        code=code("stages.features"),
    shell:
        "python -m weakreid.stages.features --model {input.model} --tracklets {input.tracklets}"
        " --frames {input.frames} --images {input.images} --device {resources.device}"
        " --threads {threads} --out {output.features} 2> {log}"


rule clip_features:
    input:
        model=rules.train_clips.output.model,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        features="results/{experiment}/runs/{run}/features.parquet",
        weights="results/{experiment}/runs/{run}/weights.parquet",
    log:
        "results/{experiment}/logs/features-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/features-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_seeing(True, "bags", "tracklets", "clips"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=480,
        gpu=1,
        device="auto",
    params:
        block=clip_features_values,
        code=clip_features_code,
    shell:
        "python -m weakreid.stages.clip_features --model {input.model}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --params {params.block:q} --device {resources.device} --threads {threads} --out {output.features}"
        " --weights {output.weights} 2> {log}"


rule evaluate:
    input:
        features=rules.features.output.features,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        coarse=coarse_of,
    output:
        metrics="results/{experiment}/runs/{run}/metrics.json",
        rankings="results/{experiment}/runs/{run}/rankings.parquet",
    log:
        "results/{experiment}/logs/evaluate-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/evaluate-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=120,
    params:
        block=evaluation_values,
        code=code("stages.evaluate"),
    shell:
        "python -m weakreid.stages.evaluate --features {input.features}"
        " --tracklets {input.tracklets} --coarse {input.coarse} --params {params.block:q}"
        " --threads {threads} --metrics {output.metrics} --rankings {output.rankings} 2> {log}"


rule collect:
    input:
        metrics=of_runs("metrics.json"),
        timing=of_runs("timing.json"),
        # else a model that learned from bags would pass for one that learns from tracklets now
        clusters=clusters_of_runs,
    output:
        metrics=shown(
            "results/{experiment}/metrics.json", "metrics, as JSON", "metrics"
        ),
        page=shown("results/{experiment}/metrics.html", "metrics", "metrics"),
        timing="results/{experiment}/timing.json",
    log:
        "results/{experiment}/logs/collect.log",
    benchmark:
        "results/{experiment}/benchmarks/collect.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=collect_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        timing=lambda w, input: each("timing", input.timing),
        code=code("stages.collect"),
    shell:
        "python -m weakreid.stages.collect {params.metrics} {params.timing}"
        " --params {params.block:q} --out {output.metrics} --timing-out {output.timing} 2> {log}"
