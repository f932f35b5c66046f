"""Tables and figures of attributes and of the clips that they weigh (ATTR)."""


rule ratios_plot:
    input:
        annotation=rules.annotation.output.annotation,
    output:
        figure=shown(
            "results/sources/{source}/ratios.svg",
            "how often each attribute is there",
            "ratios",
        ),
    log:
        "results/sources/{source}/logs/ratios.log",
    benchmark:
        "results/sources/{source}/benchmarks/ratios.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values({"title": f"{w.source}: how often attributes are there"}),
        code=code("stages.ratios_plot"),
    shell:
        "python -m weakreid.stages.ratios_plot --annotation {input.annotation}"
        " --params {params.block:q} --out {output.figure} 2> {log}"


rule ratios_table:
    input:
        figure=lambda w: f"results/sources/{CONFIG.tables[w.table].source}/ratios.svg",
    output:
        figure=shown("results/tables/{table}/plot.svg", "plot", "ratios"),
    log:
        "results/tables/{table}/logs/plot.log",
    benchmark:
        "results/tables/{table}/benchmarks/plot.tsv"
    wildcard_constraints:
        table=tables_of("ratios"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "cp {input.figure} {output.figure} 2> {log}"


rule groups_table:
    input:
        annotation=lambda w: (
            f"results/sources/{CONFIG.tables[w.table].source}/annotation.parquet"
        ),
    output:
        markdown=shown("results/tables/{table}/table.md", "table, as Markdown", "table"),
        page=shown("results/tables/{table}/table.html", "table", "table"),
    log:
        "results/tables/{table}/logs/table.log",
    benchmark:
        "results/tables/{table}/benchmarks/table.tsv"
    wildcard_constraints:
        table=tables_of("groups"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values(
            {"title": CONFIG.tables[w.table].title, "paper": "ATTR", "table": "1"}
        ),
        code=code("stages.groups_table"),
    shell:
        "python -m weakreid.stages.groups_table --annotation {input.annotation}"
        " --params {params.block:q} --out {output.markdown} 2> {log}"


rule attribute_examples:
    input:
        labels=examples_labels,
        truth=examples_truth,
        tracklets=examples_file("{split}/tracklets.parquet"),
        frames=examples_file("frames.parquet"),
        images=examples_file("images.arrow"),
    output:
        picture=shown(
            "results/tables/{table}{place}/sheet.png",
            "what transfers say of some people",
            "attribute_examples",
        ),
    log:
        "results/tables/{table}{place}/logs/sheet.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/sheet.tsv"
    wildcard_constraints:
        table=tables_of("examples"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        block=examples_values,
        labels=lambda w, input: each("labels", input.labels),
        truth=lambda w, input: each("truth", input.truth),
        code=code("stages.attribute_examples"),
    shell:
        "python -m weakreid.stages.attribute_examples {params.labels} {params.truth}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --params {params.block:q} --out {output.picture} 2> {log}"


rule temporal_weights:
    input:
        weights=rules.clip_features.output.weights,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        picture=shown(
            "results/{experiment}/runs/{run}/temporal_weights.png",
            "temporal weights",
            "temporal_weights",
        ),
    log:
        "results/{experiment}/logs/temporal_weights-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/temporal_weights-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        block=lambda w: values(
            {"title": f"{w.experiment}: temporal weights of frames", "sequences": 3}
        ),
        code=code("stages.temporal_weights"),
    shell:
        "python -m weakreid.stages.temporal_weights --weights {input.weights}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --params {params.block:q} --out {output.picture} 2> {log}"


rule weights_table:
    input:
        picture=weights_of_table,
    output:
        picture=shown(
            "results/tables/{table}{place}/weights.png",
            "temporal weights",
            "temporal_weights",
        ),
    log:
        "results/tables/{table}{place}/logs/weights.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/weights.tsv"
    wildcard_constraints:
        table=tables_of("weights"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "cp {input.picture} {output.picture} 2> {log}"


rule visibility:
    input:
        weights=rules.clip_features.output.weights,
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        root=lambda w: f"{dataset_folder(w)}/generated",
    output:
        figure=shown(
            "results/{experiment}/runs/{run}/visibility.svg",
            "weights and what is visible",
            "visibility",
        ),
        measured="results/{experiment}/runs/{run}/visibility.json",
    log:
        "results/{experiment}/logs/visibility-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/visibility-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_on_generated("clips"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        block=lambda w: values(
            {"title": f"{w.experiment}: do frames count more that show more?"}
        ),
        truth=lambda w, input: f"{input.root}/truth/frames.parquet",
        code=code("stages.visibility"),
    shell:
        "python -m weakreid.stages.visibility --weights {input.weights} --frames {input.frames}"
        " --truth {params.truth} --params {params.block:q} --plot {output.figure}"
        " --out {output.measured} 2> {log}"


rule label_table:
    input:
        quality=label_table_inputs,
    output:
        markdown=shown(
            "results/tables/{table}{place}/table.md", "table, as Markdown", "table"
        ),
        page=shown("results/tables/{table}{place}/table.html", "table", "table"),
    log:
        "results/tables/{table}{place}/logs/table.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/table.tsv"
    wildcard_constraints:
        table=tables_of("labels"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=label_table_values,
        quality=lambda w, input: each("quality", input.quality),
        code=code("stages.label_table"),
    shell:
        "python -m weakreid.stages.label_table {params.quality} --params {params.block:q}"
        " --out {output.markdown} 2> {log}"


rule attribute_metrics:
    input:
        rankings=rules.evaluate.output.rankings,
        labels=lambda w: labels_path(w.transfer, experiment_of(w).dataset, w.run),
    output:
        measured="results/{experiment}/runs/{run}/by_attribute/{transfer}.json",
    log:
        "results/{experiment}/logs/by_attribute-{run}-{transfer}.log",
    benchmark:
        "results/{experiment}/benchmarks/by_attribute-{run}-{transfer}.tsv"
    wildcard_constraints:
        transfer="|".join(CONFIG.transfers) or "none",
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=values({"attributes": None, "min_queries": 1}),
        code=code("stages.attribute_metrics"),
    shell:
        "python -m weakreid.stages.attribute_metrics --rankings {input.rankings}"
        " --labels {input.labels} --params {params.block:q} --out {output.measured} 2> {log}"


rule attribute_table:
    input:
        metrics=attribute_table_inputs,
        published=PUBLISHED,
    output:
        markdown=shown(
            "results/tables/{table}{place}/table.md", "table, as Markdown", "table"
        ),
        page=shown("results/tables/{table}{place}/table.html", "table", "table"),
    log:
        "results/tables/{table}{place}/logs/table.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/table.tsv"
    wildcard_constraints:
        table=tables_of("by_attribute"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=attribute_table_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        code=code("stages.attribute_table"),
    shell:
        "python -m weakreid.stages.attribute_table {params.metrics} --params {params.block:q}"
        " --published {input.published} --out {output.markdown} 2> {log}"
