"""Results tables, and their plots and pictures."""


rule table:
    input:
        unpack(needs("table")),
    output:
        **makes("table"),
    log:
        log_of("table"),
    benchmark:
        benchmark_of("table")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("table"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule plot:
    input:
        unpack(needs("plot")),
    output:
        **makes("plot"),
    log:
        log_of("plot"),
    benchmark:
        benchmark_of("plot")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("plot"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule picture:
    input:
        unpack(needs("picture")),
    output:
        **makes("picture"),
    log:
        log_of("picture"),
    benchmark:
        benchmark_of("picture")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("picture"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
