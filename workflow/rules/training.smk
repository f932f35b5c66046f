"""One training: a network learns from bags, from tracklets, or from clips."""


rule frozen_maps:
    input:
        unpack(needs("frozen_maps")),
    output:
        **makes("frozen_maps"),
    log:
        log_of("frozen_maps"),
    benchmark:
        benchmark_of("frozen_maps")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 480),
        gpu=1,
        device="auto",
    params:
        **given("frozen_maps"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --device {resources.device} --threads {threads} 2> {log}"


use rule frozen_maps as frozen_maps_of_source with:
    input:
        unpack(needs("frozen_maps_of_source")),
    output:
        **makes("frozen_maps_of_source"),
    log:
        log_of("frozen_maps_of_source"),
    benchmark:
        benchmark_of("frozen_maps_of_source")
    params:
        **given("frozen_maps_of_source"),


rule train_bags:
    input:
        unpack(needs("train_bags")),
    output:
        **makes("train_bags"),
    log:
        log_of("train_bags"),
    benchmark:
        benchmark_of("train_bags")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 1440, goes_on=True),
        gpu=1,
        device="auto",
    params:
        **given("train_bags"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --code {params.code} --device {resources.device} --devices {resources.gpu} --threads {threads} 2> {log}"


use rule train_bags as train_tracklets with:
    input:
        unpack(needs("train_tracklets")),
    output:
        **makes("train_tracklets"),
    log:
        log_of("train_tracklets"),
    benchmark:
        benchmark_of("train_tracklets")
    params:
        **given("train_tracklets"),


use rule train_bags as train_clips with:
    input:
        unpack(needs("train_clips")),
    output:
        **makes("train_clips"),
    log:
        log_of("train_clips"),
    benchmark:
        benchmark_of("train_clips")
    params:
        **given("train_clips"),


use rule train_bags as clip_epochs with:
    input:
        unpack(needs("clip_epochs")),
    output:
        **makes("clip_epochs"),
    log:
        log_of("clip_epochs"),
    benchmark:
        benchmark_of("clip_epochs")
    params:
        **given("clip_epochs"),
