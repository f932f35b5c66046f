"""One training: a network learns from bags, from tracklets, or from clips."""


rule train:
    input:
        bags=lambda w: (f"{split_folder(w)}/bags/{experiment_of(w).bags}.parquet"),
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        init=init_of,
    output:
        model="results/{experiment}/runs/{run}/model.safetensors",
        history="results/{experiment}/runs/{run}/history.parquet",
        timing="results/{experiment}/runs/{run}/timing.json",
    log:
        "results/{experiment}/logs/train-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/train-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_learning("bags"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=1440,
        gpu=1,
        device="auto",
    params:
        block=training_values,
        init=lambda w, input: each("init", input.init),
        code=training_code,
        # not an output: Snakemake would remove it before a killed training can go on from it
        checkpoint=lambda w, output: output.model.replace(
            "model.safetensors", "checkpoint.pt"
        ),
    shell:
        "python -m weakreid.stages.train --bags {input.bags} --images {input.images}"
        " {params.init}"
        " --params {params.block:q} --code {params.code} --checkpoint {params.checkpoint}"
        " --device {resources.device} --devices {resources.gpu} --threads {threads}"
        " --model {output.model} --history {output.history} --timing {output.timing} 2> {log}"


rule train_tracklets:
    input:
        tracks=tracks_of,
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        init=init_of,
    output:
        model="results/{experiment}/runs/{run}/model.safetensors",
        history="results/{experiment}/runs/{run}/history.parquet",
        timing="results/{experiment}/runs/{run}/timing.json",
        clusters="results/{experiment}/runs/{run}/clusters.parquet",
    log:
        "results/{experiment}/logs/train-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/train-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_learning("tracklets"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=1440,
        gpu=1,
        device="auto",
    params:
        block=training_values,
        init=lambda w, input: each("init", input.init),
        code=training_code,
        # as for train
        checkpoint=lambda w, output: output.model.replace(
            "model.safetensors", "checkpoint.pt"
        ),
    shell:
        "python -m weakreid.stages.train_tracklets --tracks {input.tracks} --images {input.images}"
        " {params.init}"
        " --params {params.block:q} --code {params.code} --checkpoint {params.checkpoint}"
        " --device {resources.device} --devices {resources.gpu} --threads {threads}"
        " --model {output.model} --history {output.history} --timing {output.timing}"
        " --clusters {output.clusters} 2> {log}"


rule train_clips:
    input:
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        attributes=labels_of,
        init=init_of,
    output:
        model="results/{experiment}/runs/{run}/model.safetensors",
        history="results/{experiment}/runs/{run}/history.parquet",
        timing="results/{experiment}/runs/{run}/timing.json",
    log:
        "results/{experiment}/logs/train-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/train-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_learning("clips"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=1440,
        gpu=1,
        device="auto",
    params:
        block=training_values,
        attributes=lambda w, input: each("attributes", input.attributes),
        init=lambda w, input: each("init", input.init),
        code=training_code,
        # as for train
        checkpoint=lambda w, output: output.model.replace(
            "model.safetensors", "checkpoint.pt"
        ),
    shell:
        "python -m weakreid.stages.train_clips --tracklets {input.tracklets}"
        " --frames {input.frames} --images {input.images} {params.attributes} {params.init}"
        " --params {params.block:q} --code {params.code} --checkpoint {params.checkpoint}"
        " --device {resources.device} --devices {resources.gpu} --threads {threads}"
        " --model {output.model} --history {output.history} --timing {output.timing} 2> {log}"
