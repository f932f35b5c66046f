"""One training: a network learns from bags, from tracklets, or from clips."""


rule train_bags:
    input:
        unpack(needs("train_bags")),
    output:
        **makes("train_bags"),
    log:
        log_of("train_bags"),
    benchmark:
        benchmark_of("train_bags")
    wildcard_constraints:
        **only("train_bags"),
    params:
        **given("train_bags"),
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 1440, goes_on=True),
        gpu=1,
        device="auto",
    shell:
        "{python} -m weakreid.stages.train_bags {params.call:q}"
        " --code {params.code} --device {resources.device} --devices {resources.gpu} --threads {threads} 2> {log}"


rule train_tracklets:
    input:
        unpack(needs("train_tracklets")),
    output:
        **makes("train_tracklets"),
    log:
        log_of("train_tracklets"),
    benchmark:
        benchmark_of("train_tracklets")
    wildcard_constraints:
        **only("train_tracklets"),
    params:
        **given("train_tracklets"),
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 1440, goes_on=True),
        gpu=1,
        device="auto",
    shell:
        "{python} -m weakreid.stages.train_tracklets {params.call:q}"
        " --code {params.code} --device {resources.device} --devices {resources.gpu} --threads {threads} 2> {log}"


rule train_clips:
    input:
        unpack(needs("train_clips")),
    output:
        **makes("train_clips"),
    log:
        log_of("train_clips"),
    benchmark:
        benchmark_of("train_clips")
    wildcard_constraints:
        **only("train_clips"),
    params:
        **given("train_clips"),
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 1440, goes_on=True),
        gpu=1,
        device="auto",
    shell:
        "{python} -m weakreid.stages.train_clips {params.call:q}"
        " --code {params.code} --device {resources.device} --devices {resources.gpu} --threads {threads} 2> {log}"


use rule train_clips as clip_epochs with:
    input:
        unpack(needs("clip_epochs")),
    output:
        **makes("clip_epochs"),
    log:
        log_of("clip_epochs"),
    benchmark:
        benchmark_of("clip_epochs")
    wildcard_constraints:
        **only("clip_epochs"),
    params:
        **given("clip_epochs"),
