"""What a method may see: bags, noisy tracklets, isolation."""


rule bags:
    input:
        unpack(needs("bags")),
    output:
        **makes("bags"),
    log:
        log_of("bags"),
    benchmark:
        benchmark_of("bags")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    params:
        **given("bags"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


use rule bags as named_bags with:
    input:
        unpack(needs("named_bags")),
    output:
        **makes("named_bags"),
    log:
        log_of("named_bags"),
    benchmark:
        benchmark_of("named_bags")
    params:
        **given("named_bags"),


use rule bags as coarse_bags with:
    input:
        unpack(needs("coarse_bags")),
    output:
        **makes("coarse_bags"),
    log:
        log_of("coarse_bags"),
    benchmark:
        benchmark_of("coarse_bags")
    params:
        **given("coarse_bags"),


rule noise_rates:
    input:
        unpack(needs("noise_rates")),
    output:
        **makes("noise_rates"),
    log:
        log_of("noise_rates"),
    benchmark:
        benchmark_of("noise_rates")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 60),
    params:
        **given("noise_rates"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule noise:
    input:
        unpack(needs("noise")),
    output:
        **makes("noise"),
    log:
        log_of("noise"),
    benchmark:
        benchmark_of("noise")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    params:
        **given("noise"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule frame_features:
    input:
        unpack(needs("frame_features")),
    output:
        **makes("frame_features"),
    log:
        log_of("frame_features"),
    benchmark:
        benchmark_of("frame_features")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 480),
        gpu=1,
        device="auto",
    params:
        **given("frame_features"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --device {resources.device} --threads {threads} 2> {log}"


rule isolation:
    input:
        unpack(needs("isolation")),
    output:
        **makes("isolation"),
    log:
        log_of("isolation"),
    benchmark:
        benchmark_of("isolation")
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 120),
    params:
        **given("isolation"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q}"
        " --threads {threads} 2> {log}"


rule isolation_figures:
    input:
        unpack(needs("isolation_figures")),
    output:
        **makes("isolation_figures"),
    log:
        log_of("isolation_figures"),
    benchmark:
        benchmark_of("isolation_figures")
    conda:
        ENVIRONMENT
    resources:
        **asks(16000, 30),
    params:
        **given("isolation_figures"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"


rule isolation_preview:
    input:
        unpack(needs("isolation_preview")),
    output:
        **makes("isolation_preview"),
    log:
        log_of("isolation_preview"),
    benchmark:
        benchmark_of("isolation_preview")
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    params:
        **given("isolation_preview"),
    shell:
        "python -m weakreid.stages {params.stage} {params.call:q} 2> {log}"
