"""Tables and figures."""


rule table:
    input:
        metrics=table_inputs,
    output:
        markdown=shown("results/tables/{table}/table.md", "table, as Markdown", "table"),
        page=shown("results/tables/{table}/table.html", "table", "table"),
    log:
        "results/tables/{table}/logs/table.log",
    benchmark:
        "results/tables/{table}/benchmarks/table.tsv"
    wildcard_constraints:
        table=tables_of("experiments"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=table_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        code=code("stages.table"),
    shell:
        "python -m weakreid.stages.table {params.metrics} --params {params.block:q}"
        " --out {output.markdown} 2> {log}"


rule study_table:
    input:
        metrics=study_table_inputs,
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
        table=tables_of("study"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=study_table_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        code=code("stages.study_table"),
    shell:
        "python -m weakreid.stages.study_table {params.metrics} --params {params.block:q}"
        " --published {input.published} --out {output.markdown} 2> {log}"


rule sweep_plot:
    input:
        metrics=study_table_inputs,
        published=PUBLISHED,
    output:
        figure=shown("results/tables/{table}{place}/plot.svg", "plot", "sweep"),
    log:
        "results/tables/{table}{place}/logs/plot.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/plot.tsv"
    wildcard_constraints:
        table=tables_with_axis("study"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=study_table_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        code=code("stages.sweep_plot"),
    shell:
        "python -m weakreid.stages.sweep_plot {params.metrics} --params {params.block:q}"
        " --published {input.published} --out {output.figure} 2> {log}"


rule counts_table:
    input:
        tracklets=split_tables("tracklets.parquet"),
        bags=split_tables("bags/{bags}.parquet"),
        coarse=split_tables("coarse.parquet"),
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
        table=tables_of("counts"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        block=counts_values,
        tracklets=lambda w, input: each("tracklets", input.tracklets),
        bags=lambda w, input: each("bags", input.bags),
        coarse=lambda w, input: each("coarse", input.coarse),
        code=code("stages.counts_table"),
    shell:
        "python -m weakreid.stages.counts_table {params.tracklets} {params.bags} {params.coarse}"
        " --params {params.block:q} --published {input.published} --out {output.markdown} 2> {log}"


rule cost_table:
    input:
        tracklets=split_tables("tracklets.parquet"),
        bags=split_tables("bags/{bags}.parquet"),
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
        table=tables_of("cost"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=10,
    params:
        block=cost_values,
        tracklets=lambda w, input: each("tracklets", input.tracklets),
        bags=lambda w, input: each("bags", input.bags),
        code=code("stages.cost_table"),
    shell:
        "python -m weakreid.stages.cost_table {params.tracklets} {params.bags}"
        " --params {params.block:q} --out {output.markdown} 2> {log}"


rule matches_table:
    input:
        fine=matches_of_table("fine"),
        coarse=matches_of_table("coarse"),
    output:
        fine=shown(
            "results/tables/{table}{place}/fine.png",
            "matching examples: tracklets",
            "matches_fine",
        ),
        coarse=shown(
            "results/tables/{table}{place}/coarse.png",
            "matching examples: videos",
            "matches_coarse",
        ),
    log:
        "results/tables/{table}{place}/logs/matches.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/matches.tsv"
    wildcard_constraints:
        table=tables_of("matches"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "(cp {input.fine} {output.fine} && cp {input.coarse} {output.coarse}) 2> {log}"


rule grid_table:
    input:
        metrics=grid_metrics,
        reports=grid_reports,
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
        table=tables_of("grid"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=grid_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        reports=lambda w, input: each("isolation", input.reports),
        code=code("stages.grid_table"),
    shell:
        "python -m weakreid.stages.grid_table {params.metrics} {params.reports}"
        " --params {params.block:q} --published {input.published} --out {output.markdown} 2> {log}"


rule grid_plot:
    input:
        metrics=grid_metrics,
        reports=grid_reports,
        published=PUBLISHED,
    output:
        figure=shown("results/tables/{table}{place}/plot.svg", "plot", "grid"),
    log:
        "results/tables/{table}{place}/logs/plot.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/plot.tsv"
    wildcard_constraints:
        table=tables_of("grid"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=grid_values,
        metrics=lambda w, input: each("metrics", input.metrics),
        reports=lambda w, input: each("isolation", input.reports),
        code=code("stages.grid_plot"),
    shell:
        "python -m weakreid.stages.grid_plot {params.metrics} {params.reports}"
        " --params {params.block:q} --published {input.published} --out {output.figure} 2> {log}"


rule noise_counts_table:
    input:
        summaries=noise_table_inputs,
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
        table=tables_of("noise"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=noise_table_values,
        summaries=lambda w, input: each("summary", input.summaries),
        code=code("stages.noise_counts_table"),
    shell:
        "python -m weakreid.stages.noise_counts_table {params.summaries} --params {params.block:q}"
        " --published {input.published} --out {output.markdown} 2> {log}"


rule isolation_table:
    input:
        figure=isolation_figure_of_table,
    output:
        figure=shown("results/tables/{table}{place}/plot.svg", "isolation", "isolation"),
    log:
        "results/tables/{table}{place}/logs/plot.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/plot.tsv"
    wildcard_constraints:
        table=tables_of("isolation"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "cp {input.figure} {output.figure} 2> {log}"


rule cluster_curve:
    input:
        history=of_runs("history.parquet"),
    output:
        figure=shown(
            "results/{experiment}/clusters.svg", "clusters over the epochs", "clusters"
        ),
    log:
        "results/{experiment}/logs/cluster_curve.log",
    benchmark:
        "results/{experiment}/benchmarks/cluster_curve.tsv"
    wildcard_constraints:
        experiment=experiments_learning("tracklets"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values(
            {"experiment": w.experiment, "runs": runs_of(w.experiment)}
        ),
        history=lambda w, input: each("history", input.history),
        code=code("stages.cluster_curve"),
    shell:
        "python -m weakreid.stages.cluster_curve {params.history} --params {params.block:q}"
        " --out {output.figure} 2> {log}"


rule learning_curve:
    input:
        history=of_runs("history.parquet"),
    output:
        figure=shown(
            "results/{experiment}/learning_curve.svg",
            "learning curve",
            "learning_curve",
        ),
    log:
        "results/{experiment}/logs/learning_curve.log",
    benchmark:
        "results/{experiment}/benchmarks/learning_curve.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=learning_curve_values,
        history=lambda w, input: each("history", input.history),
        code=code("stages.learning_curve"),
    shell:
        "python -m weakreid.stages.learning_curve {params.history} --params {params.block:q}"
        " --out {output.figure} 2> {log}"


rule matches:
    input:
        rankings=rules.evaluate.output.rankings,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        coarse=lambda w: f"{split_folder(w)}/coarse.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        votes=look_of,
    output:
        fine=shown(
            "results/{experiment}/runs/{run}/matches_fine.png",
            "matching examples: tracklets",
            "matches_fine",
        ),
        coarse=shown(
            "results/{experiment}/runs/{run}/matches_coarse.png",
            "matching examples: videos",
            "matches_coarse",
        ),
    log:
        "results/{experiment}/logs/matches-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/matches-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values(
            {
                "experiment": w.experiment,
                "seed": CONFIG.seed,
                "queries": 6,
                "items": 4,
            },
            **threshold_of_look(w),
        ),
        votes=lambda w, input: each("votes", input.votes),
        code=code("stages.matches"),
    shell:
        "python -m weakreid.stages.matches --rankings {input.rankings}"
        " --tracklets {input.tracklets} --frames {input.frames} --coarse {input.coarse}"
        " --images {input.images} {params.votes} --params {params.block:q} --fine-out {output.fine}"
        " --coarse-out {output.coarse} 2> {log}"


rule contact_sheet:
    input:
        source=rules.generate.output.source,
        root=rules.generate.output.root,
    output:
        figure=shown(
            "results/datasets/{dataset}/contact_sheet.png",
            "contact sheet",
            "contact_sheet",
        ),
    log:
        "results/datasets/{dataset}/logs/contact_sheet.log",
    benchmark:
        "results/datasets/{dataset}/benchmarks/contact_sheet.tsv"
    wildcard_constraints:
        dataset="|".join(filter(is_generated, CONFIG.datasets)) or "none",
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values({"dataset": w.dataset, "persons": 6}),
        code=code("stages.contact_sheet"),
    shell:
        "python -m weakreid.stages.contact_sheet --source {input.source}"
        " --params {params.block:q} --out {output.figure} 2> {log}"
