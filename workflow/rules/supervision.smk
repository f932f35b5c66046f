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
    wildcard_constraints:
        **only("bags"),
    params:
        **given("bags"),
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    shell:
        "{python} -m weakreid.stages.bags {params.call:q} 2> {log}"


rule named_bags:
    input:
        unpack(needs("named_bags")),
    output:
        **makes("named_bags"),
    log:
        log_of("named_bags"),
    benchmark:
        benchmark_of("named_bags")
    wildcard_constraints:
        **only("named_bags"),
    params:
        **given("named_bags"),
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    shell:
        "{python} -m weakreid.stages.named_bags {params.call:q} 2> {log}"


rule coarse_bags:
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
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    shell:
        "{python} -m weakreid.stages.coarse_bags {params.call:q} 2> {log}"


rule noise_rates:
    input:
        unpack(needs("noise_rates")),
    output:
        **makes("noise_rates"),
    log:
        log_of("noise_rates"),
    benchmark:
        benchmark_of("noise_rates")
    params:
        **given("noise_rates"),
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 60),
    shell:
        "{python} -m weakreid.stages.noise_rates {params.call:q} 2> {log}"


rule noise:
    input:
        unpack(needs("noise")),
    output:
        **makes("noise"),
    log:
        log_of("noise"),
    benchmark:
        benchmark_of("noise")
    params:
        **given("noise"),
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    shell:
        "{python} -m weakreid.stages.noise {params.call:q} 2> {log}"


rule frame_features:
    input:
        unpack(needs("frame_features")),
    output:
        **makes("frame_features"),
    log:
        log_of("frame_features"),
    benchmark:
        benchmark_of("frame_features")
    params:
        **given("frame_features"),
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 480),
        gpu=1,
        device="auto",
    shell:
        "{python} -m weakreid.stages.frame_features {params.call:q}"
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
    params:
        **given("isolation"),
    conda:
        ENVIRONMENT
    threads: 8
    resources:
        **asks(16000, 120),
    shell:
        "{python} -m weakreid.stages.isolation {params.call:q} --threads {threads} 2> {log}"


rule isolation_figures:
    input:
        unpack(needs("isolation_figures")),
    output:
        **makes("isolation_figures"),
    log:
        log_of("isolation_figures"),
    benchmark:
        benchmark_of("isolation_figures")
    params:
        **given("isolation_figures"),
    conda:
        ENVIRONMENT
    resources:
        **asks(16000, 30),
    shell:
        "{python} -m weakreid.stages.isolation_figures {params.call:q} 2> {log}"


rule isolation_preview:
    input:
        unpack(needs("isolation_preview")),
    output:
        **makes("isolation_preview"),
    log:
        log_of("isolation_preview"),
    benchmark:
        benchmark_of("isolation_preview")
    params:
        **given("isolation_preview"),
    conda:
        ENVIRONMENT
    resources:
        **asks(4000, 20),
    shell:
        "{python} -m weakreid.stages.isolation_preview {params.call:q} 2> {log}"
