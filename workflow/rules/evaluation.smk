"""From a trained network to figures: features, rankings, metrics, searches."""


rule features:
    input:
        unpack(needs("features")),
    output:
        **makes("features"),
    log:
        log_of("features"),
    benchmark:
        benchmark_of("features")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 480),
        gpu=1,
        device="auto",
    params:
        **given("features"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --device {resources.device} --threads {threads} 2> {log}"


use rule features as clip_features with:
    input:
        unpack(needs("clip_features")),
    output:
        **makes("clip_features"),
    log:
        log_of("clip_features"),
    benchmark:
        benchmark_of("clip_features")
    params:
        **given("clip_features"),


rule evaluate:
    input:
        unpack(needs("evaluate")),
    output:
        **makes("evaluate"),
    log:
        log_of("evaluate"),
    benchmark:
        benchmark_of("evaluate")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 120),
    params:
        **given("evaluate"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


rule collect:
    input:
        unpack(needs("collect")),
    output:
        **makes("collect"),
    log:
        log_of("collect"),
    benchmark:
        benchmark_of("collect")
    conda:
        ENVIRONMENT
    resources:
        **asks(1000, 10),
    params:
        **given("collect"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule attribute_metrics:
    input:
        unpack(needs("attribute_metrics")),
    output:
        **makes("attribute_metrics"),
    log:
        log_of("attribute_metrics"),
    benchmark:
        benchmark_of("attribute_metrics")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("attribute_metrics"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule identities:
    input:
        unpack(needs("identities")),
    output:
        **makes("identities"),
    log:
        log_of("identities"),
    benchmark:
        benchmark_of("identities")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    params:
        **given("identities"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule search:
    input:
        unpack(needs("search")),
    output:
        **makes("search"),
    log:
        log_of("search"),
    benchmark:
        benchmark_of("search")
    conda:
        ENVIRONMENT
    resources:
        **asks(8000, 60),
    params:
        **given("search"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
