"""What networks of clips look at: COSAM's masks, and attention on erased frames (COSAM, ATTN-CL)."""


rule masks:
    input:
        model=model_with_cosam,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        picture=shown(
            "results/{experiment}/runs/{run}/masks.png", "masks over frames", "masks"
        ),
    log:
        "results/{experiment}/logs/masks-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/masks-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=4000,
        runtime=20,
    params:
        block=masks_values,
        code=code_of_clips("stages.masks"),
    shell:
        "python -m weakreid.stages.masks --model {input.model} --tracklets {input.tracklets}"
        " --frames {input.frames} --images {input.images} --params {params.block:q}"
        " --threads {threads} --out {output.picture} 2> {log}"


rule mask_shares:
    input:
        model=rules.train_clips.output.model,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        root=lambda w: f"{dataset_folder(w)}/generated",
        init=init_of,
    output:
        measured="results/{experiment}/runs/{run}/mask_shares.json",
    log:
        "results/{experiment}/logs/mask_shares-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/mask_shares-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_on_generated("clips"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=120,
    params:
        block=mask_shares_values,
        init=lambda w, input: each("init", input.init),
        code=code_of_clips("stages.mask_shares"),
    shell:
        "python -m weakreid.stages.mask_shares --model {input.model}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --root {input.root} {params.init} --params {params.block:q} --threads {threads}"
        " --out {output.measured} 2> {log}"


# the same training once more: weights of epochs are large, and are kept only for who asks
rule clip_epochs:
    input:
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        attributes=labels_of,
        init=init_of,
    output:
        epochs=directory("results/{experiment}/runs/{run}/epochs"),
        model=temp("results/{experiment}/runs/{run}/again/model.safetensors"),
        history=temp("results/{experiment}/runs/{run}/again/history.parquet"),
        timing=temp("results/{experiment}/runs/{run}/again/timing.json"),
    log:
        "results/{experiment}/logs/epochs-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/epochs-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_on_generated("clips"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=16000,
        runtime=1440,
        gpu=1,
        device="auto",
    params:
        block=training_values,
        attributes=lambda w, input: each("attributes", input.attributes),
        init=lambda w, input: each("init", input.init),
        code=training_code,
        checkpoint=lambda w, output: output.model.replace(
            "model.safetensors", "checkpoint.pt"
        ),
    shell:
        "python -m weakreid.stages.train_clips --tracklets {input.tracklets}"
        " --frames {input.frames} --images {input.images} {params.attributes} {params.init}"
        " --params {params.block:q} --code {params.code} --checkpoint {params.checkpoint}"
        " --device {resources.device} --devices {resources.gpu} --threads {threads}"
        " --model {output.model} --history {output.history} --timing {output.timing}"
        " --epochs {output.epochs} 2> {log}"


rule mask_epochs:
    input:
        model=rules.clip_epochs.output.epochs,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
        root=lambda w: f"{dataset_folder(w)}/generated",
        init=init_of,
    output:
        measured="results/{experiment}/runs/{run}/mask_epochs.json",
    log:
        "results/{experiment}/logs/mask_epochs-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/mask_epochs-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_on_generated("clips"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=240,
    params:
        block=mask_shares_values,
        init=lambda w, input: each("init", input.init),
        code=code_of_clips("stages.mask_shares"),
    shell:
        "python -m weakreid.stages.mask_shares --model {input.model}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --root {input.root} {params.init} --params {params.block:q} --threads {threads}"
        " --out {output.measured} 2> {log}"


rule mask_curve:
    input:
        shares=rules.mask_epochs.output.measured,
    output:
        figure=shown(
            "results/{experiment}/runs/{run}/mask_curve.svg",
            "masks over the epochs",
            "mask_curve",
        ),
    log:
        "results/{experiment}/logs/mask_curve-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/mask_curve-{run}.tsv"
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=lambda w: values(
            {"title": f"{w.experiment}, run {w.run}: do the masks lie on the person?"}
        ),
        code=code("stages.mask_curve"),
    shell:
        "python -m weakreid.stages.mask_curve --shares {input.shares} --params {params.block:q}"
        " --out {output.figure} 2> {log}"


rule mask_table:
    input:
        shares=mask_table_inputs,
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
        table=tables_of("masks"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=mask_table_values,
        shares=lambda w, input: each("shares", input.shares),
        code=code("stages.mask_table"),
    shell:
        "python -m weakreid.stages.mask_table {params.shares} --params {params.block:q}"
        " --out {output.markdown} 2> {log}"


rule mask_curve_table:
    input:
        figure=mask_curve_of_table,
    output:
        figure=shown("results/tables/{table}{place}/plot.svg", "plot", "mask_curve"),
    log:
        "results/tables/{table}{place}/logs/plot.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/plot.tsv"
    wildcard_constraints:
        table=tables_of("masks"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    shell:
        "cp {input.figure} {output.figure} 2> {log}"


rule erased_attention:
    input:
        model=model_that_attends,
        tracklets=lambda w: f"{split_folder(w)}/tracklets.parquet",
        frames=lambda w: f"{dataset_folder(w)}/frames.parquet",
        images=lambda w: f"{dataset_folder(w)}/images.arrow",
    output:
        measured="results/{experiment}/runs/{run}/erased_attention.json",
    log:
        "results/{experiment}/logs/erased_attention-{run}.log",
    benchmark:
        "results/{experiment}/benchmarks/erased_attention-{run}.tsv"
    wildcard_constraints:
        experiment=experiments_learning("clips"),
    conda:
        "../../envs/cpu.yaml"
    threads: 8
    resources:
        mem_mb=8000,
        runtime=60,
    params:
        block=erased_attention_values,
        code=code_of_clips("stages.erased_attention"),
    shell:
        "python -m weakreid.stages.erased_attention --model {input.model}"
        " --tracklets {input.tracklets} --frames {input.frames} --images {input.images}"
        " --params {params.block:q} --threads {threads} --out {output.measured} 2> {log}"


rule attention_table:
    input:
        erased=attention_files("erased_attention.json"),
        visible=attention_files("visibility.json"),
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
        table=tables_of("attention"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=1000,
        runtime=10,
    params:
        block=attention_table_values,
        erased=lambda w, input: each("erased", input.erased),
        visible=lambda w, input: each("visible", input.visible),
        code=code("stages.attention_table"),
    shell:
        "python -m weakreid.stages.attention_table {params.erased} {params.visible}"
        " --params {params.block:q} --out {output.markdown} 2> {log}"


rule attention_figure:
    input:
        erased=attention_files("erased_attention.json", first=True),
        visible=attention_files("visibility.json", first=True),
        images=examples_file("images.arrow"),
    output:
        picture=shown(
            "results/tables/{table}{place}/attention.png",
            "attention on erased frames",
            "attention",
        ),
    log:
        "results/tables/{table}{place}/logs/attention.log",
    benchmark:
        "results/tables/{table}{place}/benchmarks/attention.tsv"
    wildcard_constraints:
        table=tables_of("attention"),
    conda:
        "../../envs/cpu.yaml"
    resources:
        mem_mb=2000,
        runtime=10,
    params:
        block=attention_figure_values,
        erased=lambda w, input: each("erased", input.erased),
        visible=lambda w, input: each("visible", input.visible),
        code=code("stages.attention_figure"),
    shell:
        "python -m weakreid.stages.attention_figure {params.erased} {params.visible}"
        " --images {input.images} --params {params.block:q} --out {output.picture} 2> {log}"
