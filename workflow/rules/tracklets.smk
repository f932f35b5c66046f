"""Noisy tracklets: measured, simulated, and cut into cleaner ones."""


rule noise_rates:
    input:
        truth=tracker_files("truth"),
        output=tracker_files("output"),
    output:
        rates="results/trackers/{tracker}/rates.json",
        distribution="results/trackers/{tracker}/distribution.parquet",
        markdown=shown(
            "results/trackers/{tracker}/rates.md",
            "noise of the tracklets, as Markdown",
            "rates",
        ),
        page=shown(
            "results/trackers/{tracker}/rates.html", "noise of the tracklets", "rates"
        ),
        figure=shown(
            "results/trackers/{tracker}/rates.svg",
            "noise of the tracklets: plot",
            "rates",
        ),
    log:
        "results/trackers/{tracker}/logs/noise_rates.log",
    benchmark:
        "results/trackers/{tracker}/benchmarks/noise_rates.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=60,
    params:
        block=tracker_values,
        code=code("stages.noise_rates"),
    shell:
        "python -m weakreid.stages.noise_rates --params {params.block:q} --rates {output.rates}"
        " --distribution {output.distribution} --markdown {output.markdown}"
        " --figure {output.figure} 2> {log}"


rule noise:
    input:
        tracklets=rules.split.output.tracklets,
        frames=rules.dataset.output.frames,
        observed=observed_of,
    output:
        tracks="results/datasets/{dataset}/{split}/noise/{noise}.parquet",
        summary="results/datasets/{dataset}/{split}/noise/{noise}.json",
    log:
        "results/datasets/{dataset}/logs/noise-{split}-{noise}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/noise-{split}-{noise}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=noise_values,
        observed=lambda w, input: each("observed", input.observed),
        code=code("stages.noise"),
    shell:
        "python -m weakreid.stages.noise --tracklets {input.tracklets} --frames {input.frames}"
        " {params.observed} --params {params.block:q} --out {output.tracks}"
        " --summary {output.summary} 2> {log}"


rule frame_features:
    input:
        tracklets=rules.split.output.tracklets,
        frames=rules.dataset.output.frames,
        images=rules.dataset.output.images,
    output:
        features="results/datasets/{dataset}/{split}/frame_features/{extractor}.parquet",
    log:
        "results/datasets/{dataset}/logs/frame_features-{split}-{extractor}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/frame_features-{split}-{extractor}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=480,
        gpu=1,
        device="auto",
    params:
        block=lambda w: values(CONFIG.extractors[w.extractor]),
        code=code("stages.frame_features"),
    shell:
        "python -m weakreid.stages.frame_features --tracklets {input.tracklets}"
        " --frames {input.frames} --images {input.images} --params {params.block:q}"
        " --device {resources.device} --threads {threads} --out {output.features} 2> {log}"


rule isolation:
    input:
        tracks=rules.noise.output.tracks,
        features=features_to_isolate,
    output:
        tracks="results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}.parquet",
        report="results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}.json",
    log:
        "results/datasets/{dataset}/logs/isolation-{split}-{noise}-{isolation}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/isolation-{split}-{noise}-{isolation}.tsv"
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=120,
    params:
        block=isolation_values,
        code=code("stages.isolation"),
    shell:
        "python -m weakreid.stages.isolation --tracks {input.tracks} --features {input.features}"
        " --params {params.block:q} --threads {threads} --out {output.tracks}"
        " --report {output.report} 2> {log}"


rule isolation_figures:
    input:
        tracks=rules.isolation.input.tracks,
        isolated=rules.isolation.output.tracks,
        features=rules.isolation.input.features,
    output:
        switches=shown(
            "results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}_switches.svg",
            "isolation: similarity of frames",
            "isolation",
        ),
        clusters=shown(
            "results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}_clusters.svg",
            "isolation: parts of tracklets",
            "isolation",
        ),
    log:
        "results/datasets/{dataset}/logs/isolation_figures-{split}-{noise}-{isolation}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/isolation_figures-{split}-{noise}-{isolation}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=16000,
        runtime=30,
    params:
        block=lambda w: values(
            {
                "title": f"{w.dataset}: tracklets with a switch of identity "
                f"(noise {w.noise}, isolation {w.isolation})",
                "seed": CONFIG.seed,
                "tracklets": 2,
            }
        ),
        code=code("stages.isolation_figures"),
    shell:
        "python -m weakreid.stages.isolation_figures --tracks {input.tracks}"
        " --isolated {input.isolated} --features {input.features} --params {params.block:q}"
        " --figure3 {output.switches} --figure4 {output.clusters} 2> {log}"


rule isolation_preview:
    input:
        tracks=rules.isolation.input.tracks,
        isolated=rules.isolation.output.tracks,
        frames=frames_of_tracks,
        images=rules.dataset.output.images,
        rates=rates_of_dataset,
    output:
        markdown=shown(
            "results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}_preview.md",
            "isolation: preview, as Markdown",
            "isolation_preview",
        ),
        page=shown(
            "results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}_preview.html",
            "isolation: preview",
            "isolation_preview",
        ),
        picture=shown(
            "results/datasets/{dataset}/{split}/isolated/{noise}-{isolation}_preview.png",
            "isolation: preview, tracklets that are cut most",
            "isolation_preview",
        ),
    log:
        "results/datasets/{dataset}/logs/isolation_preview-{split}-{noise}-{isolation}.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/isolation_preview-{split}-{noise}-{isolation}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=preview_values,
        frames=lambda w, input: each("frames", input.frames),
        rates=lambda w, input: each("rates", input.rates),
        code=code("stages.isolation_preview"),
    shell:
        "python -m weakreid.stages.isolation_preview --tracks {input.tracks}"
        " --isolated {input.isolated} --images {input.images}"
        " {params.frames} {params.rates} --params {params.block:q} --markdown {output.markdown}"
        " --picture {output.picture} 2> {log}"
