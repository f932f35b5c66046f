"""What people look at of one experiment: curves, examples, weights, masks, the audit."""


rule learning_curve:
    input:
        unpack(needs("learning_curve")),
    output:
        **makes("learning_curve"),
    log:
        log_of("learning_curve"),
    benchmark:
        benchmark_of("learning_curve")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("learning_curve"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule cluster_curve:
    input:
        unpack(needs("cluster_curve")),
    output:
        **makes("cluster_curve"),
    log:
        log_of("cluster_curve"),
    benchmark:
        benchmark_of("cluster_curve")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("cluster_curve"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule matches:
    input:
        unpack(needs("matches")),
    output:
        **makes("matches"),
    log:
        log_of("matches"),
    benchmark:
        benchmark_of("matches")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("matches"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule temporal_weights:
    input:
        unpack(needs("temporal_weights")),
    output:
        **makes("temporal_weights"),
    log:
        log_of("temporal_weights"),
    benchmark:
        benchmark_of("temporal_weights")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("temporal_weights"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule visibility:
    input:
        unpack(needs("visibility")),
    output:
        **makes("visibility"),
    log:
        log_of("visibility"),
    benchmark:
        benchmark_of("visibility")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 10),
    params:
        **given("visibility"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule masks:
    input:
        unpack(needs("masks")),
    output:
        **makes("masks"),
    log:
        log_of("masks"),
    benchmark:
        benchmark_of("masks")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    params:
        **given("masks"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


rule mask_shares:
    input:
        unpack(needs("mask_shares")),
    output:
        **makes("mask_shares"),
    log:
        log_of("mask_shares"),
    benchmark:
        benchmark_of("mask_shares")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(8000, 120),
    params:
        **given("mask_shares"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


use rule mask_shares as mask_epochs with:
    input:
        unpack(needs("mask_epochs")),
    output:
        **makes("mask_epochs"),
    log:
        log_of("mask_epochs"),
    benchmark:
        benchmark_of("mask_epochs")
    resources:
        **asks(8000, 240),
    params:
        **given("mask_epochs"),


rule mask_curve:
    input:
        unpack(needs("mask_curve")),
    output:
        **makes("mask_curve"),
    log:
        log_of("mask_curve"),
    benchmark:
        benchmark_of("mask_curve")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("mask_curve"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule erased_attention:
    input:
        unpack(needs("erased_attention")),
    output:
        **makes("erased_attention"),
    log:
        log_of("erased_attention"),
    benchmark:
        benchmark_of("erased_attention")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(8000, 60),
    params:
        **given("erased_attention"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


rule audit:
    input:
        unpack(needs("audit")),
    output:
        **makes("audit"),
    log:
        log_of("audit"),
    benchmark:
        benchmark_of("audit")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 240),
        gpu=1,
        device="auto",
    params:
        **given("audit"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --device {resources.device} --threads {threads} 2> {log}"


rule audit_score:
    input:
        unpack(needs("audit_score")),
    output:
        **makes("audit_score"),
    log:
        log_of("audit_score"),
    benchmark:
        benchmark_of("audit_score")
    conda:
        ENVIRONMENT
    resources:
        **asks(2000, 10),
    params:
        **given("audit_score"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
