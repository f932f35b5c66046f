"""Which labels look wrong, and how well that is found where errors were planted."""


rule audit:
    input:
        model=rules.train.output.model,
        bags=rules.train.input.bags,
        images=rules.train.input.images,
        votes=look_of,
        frames=frames_to_look_at,
    output:
        table="results/{experiment}/runs/{run}/audit.parquet",
        markdown=shown(
            "results/{experiment}/runs/{run}/audit.md",
            "labels to check first, as Markdown",
            "audit",
        ),
        page=shown(
            "results/{experiment}/runs/{run}/audit.html",
            "labels to check first",
            "audit",
        ),
        picture=shown(
            "results/{experiment}/runs/{run}/audit.png",
            "labels to check first: pictures",
            "audit",
        ),
    log:
        "results/{experiment}/logs/audit-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/audit-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_seeing(False, "bags"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=240,
        gpu=1,
        device="auto",
    params:
        block=lambda w: values(
            CONFIG.audit, experiment=w.experiment, **threshold_of_look(w)
        ),
        votes=lambda w, input: each("votes", input.votes),
        frames=lambda w, input: each("frames", input.frames),
        code=code("stages.audit"),
    shell:
        "python -m weakreid.stages.audit --model {input.model} --bags {input.bags}"
        " --images {input.images} {params.votes} {params.frames} --params {params.block:q} --device {resources.device}"
        " --threads {threads} --out {output.table} --markdown {output.markdown}"
        " --picture {output.picture} 2> {log}"


rule audit_score:
    input:
        audit=rules.audit.output.table,
        bags=rules.train.input.bags,
    output:
        score="results/{experiment}/runs/{run}/audit.json",
    log:
        "results/{experiment}/logs/audit_score-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/audit_score-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values({"experiment": w.experiment, "run": w.run}),
        code=code("stages.audit_score"),
    shell:
        "python -m weakreid.stages.audit_score --audit {input.audit} --bags {input.bags}"
        " --params {params.block:q} --out {output.score} 2> {log}"


rule audit_table:
    input:
        scores=audit_table_inputs,
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
        table=tables_of("audit"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=audit_table_values,
        scores=lambda w, input: each("scores", input.scores),
        code=code("stages.audit_table"),
    shell:
        "python -m weakreid.stages.audit_table {params.scores} --params {params.block:q}"
        " --out {output.markdown} 2> {log}"
