"""Every rule, and what it asks of a machine. What a rule reads, makes and is told is declared in
src/weakreid/plan; docs/artifacts.md lists it."""

# --- downloads: they go on from where they were, and their stage tries again by itself ------------

for name in ["fetch", "fetch_source"]:

    rule:
        name:
            name
        input:
            unpack(needs(name)),
        output:
            **makes(name),
        log:
            log_of(name),
        benchmark:
            benchmark_of(name)
        retries: 0
        conda:
            ENVIRONMENT
        resources:
            **asks(2000, 720, goes_on=True),
        params:
            **given(name),
        shell:
            "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


# --- one core: memory in MB, minutes --------------------------------------------------------------

for name, (mb, minutes) in {
    # data
    "crops": (4000, 480),
    "split": (2000, 20),
    "contact_sheet": (2000, 10),
    # what a method may see
    "bags": (4000, 20),
    "named_bags": (4000, 20),
    "coarse_bags": (4000, 20),
    "noise_rates": (4000, 60),
    "noise": (4000, 20),
    "tracklet_labels": (4000, 20),
    "isolated_labels": (4000, 20),
    "isolation_figures": (16000, 30),
    "isolation_preview": (4000, 20),
    # attributes
    "annotation": (4000, 20),
    "ratios_plot": (2000, 10),
    "attribute_labels": (4000, 10),
    "label_quality": (4000, 10),
    "true_annotation": (4000, 20),
    "true_attributes": (4000, 10),
    # evaluation
    "calibrate": (8000, 60),
    "collect": (1000, 10),
    "attribute_metrics": (2000, 10),
    "identities": (4000, 20),
    "search": (8000, 60),
    "search_on": (8000, 60),
    # figures of one experiment
    "learning_curve": (2000, 10),
    "cluster_curve": (2000, 10),
    "calibration_curve": (2000, 10),
    "matches": (2000, 10),
    "temporal_weights": (4000, 10),
    "visibility": (4000, 10),
    "mask_curve": (2000, 10),
    "audit_score": (2000, 10),
    # the best of a search
    "tuned": (2000, 10),
    # results tables
    "table": (4000, 10),
    "plot": (2000, 10),
    "picture": (4000, 10),
}.items():

    rule:
        name:
            name
        input:
            unpack(needs(name)),
        output:
            **makes(name),
        log:
            log_of(name),
        benchmark:
            benchmark_of(name)
        conda:
            ENVIRONMENT
        resources:
            **asks(mb, minutes),
        params:
            **given(name),
        shell:
            "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


# --- several cores: cores, memory in MB, minutes --------------------------------------------------

for name, (cores, mb, minutes) in {
    # data
    "generate": (16, 4000, 240),
    "generate_source": (16, 4000, 240),
    "dataset": (8, 8000, 240),
    "source_images": (8, 8000, 120),
    # what a method may see
    "isolation": (8, 16000, 120),
    # evaluation
    "evaluate": (8, 16000, 120),
    # figures of one experiment
    "masks": (1, 4000, 20),
    "mask_shares": (8, 8000, 120),
    "mask_epochs": (8, 8000, 240),
    "erased_attention": (8, 8000, 60),
}.items():

    rule:
        name:
            name
        input:
            unpack(needs(name)),
        output:
            **makes(name),
        log:
            log_of(name),
        benchmark:
            benchmark_of(name)
        conda:
            ENVIRONMENT
        threads: cores
        resources:
            **asks(mb, minutes),
        params:
            **given(name),
        shell:
            "python -m weakreid.stages {params.stage} {params.call:q}"
            " --threads {threads} 2> {log}"


# --- a trained network sees images, on a GPU or on several cores: minutes -------------------------

for name, minutes in {
    "frame_features": 480,
    "attribute_votes": 480,
    "frozen_maps": 480,
    "frozen_maps_of_source": 480,
    "features": 480,
    "clip_features": 480,
    "features_on": 480,
    "clip_features_on": 480,
    "audit": 240,
}.items():

    rule:
        name:
            name
        input:
            unpack(needs(name)),
        output:
            **makes(name),
        log:
            log_of(name),
        benchmark:
            benchmark_of(name)
        conda:
            ENVIRONMENT
        threads: 8
        resources:
            **asks(16000, minutes),
            gpu=1,
            device="auto",
        params:
            **given(name),
        shell:
            "python -m weakreid.stages {params.stage} {params.call:q}"
            " --device {resources.device} --threads {threads} 2> {log}"


# --- a network learns, and goes on from its checkpoint: minutes -----------------------------------

for name, minutes in {
    "transfer": 720,
    "train_bags": 1440,
    "train_tracklets": 1440,
    "train_clips": 1440,
    "train_merging": 1440,
    "train_one_shot": 1440,
    "train_intra_camera": 1440,
    "clip_epochs": 1440,
}.items():

    rule:
        name:
            name
        input:
            unpack(needs(name)),
        output:
            **makes(name),
        log:
            log_of(name),
        benchmark:
            benchmark_of(name)
        conda:
            ENVIRONMENT
        threads: 8
        resources:
            **asks(16000, minutes, goes_on=True),
            gpu=1,
            device="auto",
        params:
            **given(name),
        shell:
            "python -m weakreid.stages {params.stage} {params.call:q}"
            " --code {params.code} --device {resources.device} --devices {resources.gpu}"
            " --threads {threads} 2> {log}"


# the trainings of a search: one device each, several jobs side by side
rule tune:
    input:
        unpack(needs("tune")),
    output:
        **makes("tune"),
    log:
        log_of("tune"),
    benchmark:
        benchmark_of("tune")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 1440, goes_on=True),
        gpu=1,
        device="auto",
    params:
        **given("tune"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --code {params.code} --device {resources.device} --threads {threads} 2> {log}"
