"""From a dataset's place, or from nothing, to tables and the image store."""


rule fetch:
    input:
        unpack(needs("fetch")),
    output:
        **makes("fetch"),
    log:
        log_of("fetch"),
    benchmark:
        benchmark_of("fetch")
    retries: 0
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 720, goes_on=True),
    params:
        **given("fetch"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule generate:
    input:
        unpack(needs("generate")),
    output:
        **makes("generate"),
    log:
        log_of("generate"),
    benchmark:
        benchmark_of("generate")
    conda:
        ENVIRONMENT
    threads: 16
    resources:
        **asks(4000, 240),
    params:
        **given("generate"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --workers {threads} 2> {log}"


rule crops:
    input:
        unpack(needs("crops")),
    output:
        **makes("crops"),
    log:
        log_of("crops"),
    benchmark:
        benchmark_of("crops")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 480),
    params:
        **given("crops"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule dataset:
    input:
        unpack(needs("dataset")),
    output:
        **makes("dataset"),
    log:
        log_of("dataset"),
    benchmark:
        benchmark_of("dataset")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(8000, 240),
    params:
        **given("dataset"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


rule split:
    input:
        unpack(needs("split")),
    output:
        **makes("split"),
    log:
        log_of("split"),
    benchmark:
        benchmark_of("split")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 20),
    params:
        **given("split"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule contact_sheet:
    input:
        unpack(needs("contact_sheet")),
    output:
        **makes("contact_sheet"),
    log:
        log_of("contact_sheet"),
    benchmark:
        benchmark_of("contact_sheet")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("contact_sheet"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
