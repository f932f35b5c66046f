"""A search of a method's values on training identities, by one job or several."""


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


rule tuned:
    input:
        unpack(needs("tuned")),
    output:
        **makes("tuned"),
    log:
        log_of("tuned"),
    benchmark:
        benchmark_of("tuned")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("tuned"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
