"""Attributes: learnt on a source, recognised on a dataset, voted for its people (ATTR)."""


use rule fetch as fetch_source with:
    input:
        unpack(needs("fetch_source")),
    output:
        **makes("fetch_source"),
    log:
        log_of("fetch_source"),
    benchmark:
        benchmark_of("fetch_source")
    params:
        **given("fetch_source"),


use rule generate as generate_source with:
    input:
        unpack(needs("generate_source")),
    output:
        **makes("generate_source"),
    log:
        log_of("generate_source"),
    benchmark:
        benchmark_of("generate_source")
    params:
        **given("generate_source"),


rule annotation:
    input:
        unpack(needs("annotation")),
    output:
        **makes("annotation"),
    log:
        log_of("annotation"),
    benchmark:
        benchmark_of("annotation")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    params:
        **given("annotation"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule source_images:
    input:
        unpack(needs("source_images")),
    output:
        **makes("source_images"),
    log:
        log_of("source_images"),
    benchmark:
        benchmark_of("source_images")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(8000, 120),
    params:
        **given("source_images"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


rule ratios_plot:
    input:
        unpack(needs("ratios_plot")),
    output:
        **makes("ratios_plot"),
    log:
        log_of("ratios_plot"),
    benchmark:
        benchmark_of("ratios_plot")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("ratios_plot"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule transfer:
    input:
        unpack(needs("transfer")),
    output:
        **makes("transfer"),
    log:
        log_of("transfer"),
    benchmark:
        benchmark_of("transfer")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 720, goes_on=True),
        gpu=1,
        device="auto",
    params:
        **given("transfer"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --code {params.code} --device {resources.device} --devices {resources.gpu} --threads {threads} 2> {log}"


rule attribute_votes:
    input:
        unpack(needs("attribute_votes")),
    output:
        **makes("attribute_votes"),
    log:
        log_of("attribute_votes"),
    benchmark:
        benchmark_of("attribute_votes")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 480),
        gpu=1,
        device="auto",
    params:
        **given("attribute_votes"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --device {resources.device} --threads {threads} 2> {log}"


rule attribute_labels:
    input:
        unpack(needs("attribute_labels")),
    output:
        **makes("attribute_labels"),
    log:
        log_of("attribute_labels"),
    benchmark:
        benchmark_of("attribute_labels")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("attribute_labels"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule label_quality:
    input:
        unpack(needs("label_quality")),
    output:
        **makes("label_quality"),
    log:
        log_of("label_quality"),
    benchmark:
        benchmark_of("label_quality")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("label_quality"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


use rule annotation as true_annotation with:
    input:
        unpack(needs("true_annotation")),
    output:
        **makes("true_annotation"),
    log:
        log_of("true_annotation"),
    benchmark:
        benchmark_of("true_annotation")
    params:
        **given("true_annotation"),


rule true_attributes:
    input:
        unpack(needs("true_attributes")),
    output:
        **makes("true_attributes"),
    log:
        log_of("true_attributes"),
    benchmark:
        benchmark_of("true_attributes")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("true_attributes"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
