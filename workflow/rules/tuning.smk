"""A search of a method's values on training identities, by one job or several."""


rule tune:
    input:
        tracklets=of_trials(lambda w: f"{split_folder(w)}/tracklets.parquet"),
        frames=of_trials(lambda w: f"{dataset_folder(w)}/frames.parquet"),
        images=of_trials(lambda w: f"{dataset_folder(w)}/images.arrow"),
        bags=trial_bags,
        tracks=trial_tracks,
        attributes=of_trials(labels_of),
        coarse=trial_coarse,
        init=of_trials(init_of),
    output:
        found="results/tuning/{tuning}/workers/{worker}.json",
    log:
        "results/tuning/{tuning}/logs/tune-{worker}.log",
    benchmark:
        "results/tuning/{tuning}/benchmarks/tune-{worker}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=1440,
        gpu=1,
        device="auto",
    params:
        block=tune_values,
        bags=lambda w, input: each("bags", input.bags),
        tracks=lambda w, input: each("tracks", input.tracks),
        attributes=lambda w, input: each("attributes", input.attributes),
        coarse=lambda w, input: each("coarse", input.coarse),
        init=lambda w, input: each("init", input.init),
        code=tune_code,
        # no outputs: Snakemake would remove them before a killed search can go on from them
        folder=lambda w, output: output.found.removesuffix(".json"),
        journal=lambda w, output: output.found.replace(
            f"workers/{w.worker}.json", "journal.log"
        ),
    shell:
        "python -m weakreid.stages.tune --tracklets {input.tracklets} --frames {input.frames}"
        " --images {input.images} {params.bags} {params.tracks} {params.attributes}"
        " {params.coarse} {params.init} --params {params.block:q} --code {params.code}"
        " --worker {wildcards.worker} --journal {params.journal} --folder {params.folder}"
        " --device {resources.device} --threads {threads} --out {output.found} 2> {log}"


rule tuned:
    input:
        found=workers_of,
    output:
        best=shown(
            "results/tuning/{tuning}/best.yaml", "best values, as config", "tuning"
        ),
        trials="results/tuning/{tuning}/trials.parquet",
        markdown=shown(
            "results/tuning/{tuning}/trials.md", "trials, as Markdown", "tuning"
        ),
        page=shown("results/tuning/{tuning}/trials.html", "trials", "tuning"),
        picture=shown("results/tuning/{tuning}/search.svg", "search", "tuning"),
    log:
        "results/tuning/{tuning}/logs/tuned.log",
    benchmark:
        "results/tuning/{tuning}/benchmarks/tuned.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=tuned_values,
        found=lambda w, input: each("found", input.found),
        code=code("stages.tuned"),
    shell:
        "python -m weakreid.stages.tuned {params.found} --params {params.block:q}"
        " --best {output.best} --trials {output.trials} --markdown {output.markdown}"
        " --picture {output.picture} 2> {log}"
