"""What rules about where networks of clips look, masks and attention, find in the config."""


def model_with_cosam(wildcards):
    """Return the weights of a run, or refuse, before anything runs, one without COSAM."""
    method, name = method_of(wildcards), wildcards.experiment
    if method.clips is None or method.model.cosam is None:
        raise ReidError(
            f"results/{name}/runs/{wildcards.run}/masks.png: {name} has no COSAM, so no masks; ask "
            "for an experiment whose method has model.cosam, such as cosam_walkers"
        )
    return f"results/{name}/runs/{wildcards.run}/model.safetensors"


def model_that_attends(wildcards):
    """Return the weights of a run, or refuse one that attends to no frames or erases none."""
    method, name = method_of(wildcards), wildcards.experiment
    if method.aggregation.name != "attention" or method.augment.erase == 0:
        raise ReidError(
            f"results/{name}/runs/{wildcards.run}/erased_attention.json: {name} attends to no "
            "frames, or its training erases none; ask for one with aggregation: {name: attention} "
            "and augment.erase, such as attn_cl_walkers"
        )
    return f"results/{name}/runs/{wildcards.run}/model.safetensors"


def code_of_clips(stage):
    """Return a function: the digest of a stage that runs a network of clips."""
    return lambda wildcards: code(stage, *parts_of_network(method_of(wildcards)))


def masks_values(wildcards):
    about = {"title": f"{wildcards.experiment}, run {wildcards.run}: where COSAM looks"}
    test = method_of(wildcards).clips.test
    return values(about, seed=CONFIG.seed, clips=4, test=test)


def mask_shares_values(wildcards):
    about = {"seed": CONFIG.seed, "training_seed": seed_of(wildcards), "clips": 300}
    return values(about, test=method_of(wildcards).clips.test)


def erased_attention_values(wildcards):
    method = method_of(wildcards)
    about = {"seed": CONFIG.seed, "clips": 300, "examples": 3}
    return values(about, test=method.clips.test, erase=method.augment.erase)


def rows_of_clips(wildcards):
    """Return (row, experiment) of a table of what networks of clips look at."""
    rows = CONFIG.tables[wildcards.table].rows
    dataset = datasets_of(wildcards)[0]
    return [(label, base_of(wildcards, dataset, row)[0]) for label, row in rows.items()]


def files_of_rows(rows, name):
    """Return a file of every run of the rows' experiments, each once."""
    found = [
        f"results/{experiment}/runs/{run}/{name}"
        for _, experiment in rows
        for run in runs_of(experiment)
    ]
    return list(dict.fromkeys(found))


def places_of_rows(rows, key, paths, name):
    """Return each row with the places of its runs' files among paths."""
    return [
        {
            "label": label,
            key: [
                paths.index(f"results/{experiment}/runs/{run}/{name}")
                for run in runs_of(experiment)
            ],
        }
        for label, experiment in rows
    ]


def titled(wildcards):
    """Return the title, with the dataset, and the notes of a table."""
    table = CONFIG.tables[wildcards.table]
    title = f"{table.title} ({datasets_of(wildcards)[0]})"
    return {"title": title, "notes": table.notes}


def mask_table_inputs(wildcards):
    """Return the shares of each run, or refuse data of which nobody knows where people are."""
    dataset = datasets_of(wildcards)[0]
    if not is_generated(dataset):
        raise ReidError(
            f"tables.{wildcards.table}: nobody knows where people are in the pictures of dataset "
            f"{dataset}; ask for results/tables/{wildcards.table}/walkers/table.md"
        )
    return files_of_rows(rows_of_clips(wildcards), "mask_shares.json")


def mask_table_values(wildcards):
    rows, paths = rows_of_clips(wildcards), mask_table_inputs(wildcards)
    placed = places_of_rows(rows, "shares", paths, "mask_shares.json")
    return values(titled(wildcards), rows=placed)


def mask_curve_of_table(wildcards):
    """Return the curve of the first run of the first row with COSAM."""
    mask_table_inputs(wildcards)
    for _, name in rows_of_clips(wildcards):
        if weakreid_config.method_of(CONFIG, name).model.cosam is not None:
            return f"results/{name}/runs/{runs_of(name)[0]}/mask_curve.svg"
    raise ReidError(
        f"tables.{wildcards.table}.rows: none has COSAM, whose masks the plot is of; add a row "
        "with model.cosam"
    )


def attention_files(name, first=False):
    """Return an input function: a file of each run, or first run, of the rows of a table.

    Where nobody knows what is visible there is no visibility.json.
    """

    def paths(wildcards):
        if name == "visibility.json" and not is_generated(datasets_of(wildcards)[0]):
            return []
        rows = rows_of_clips(wildcards)
        if first:
            return [f"results/{e}/runs/{runs_of(e)[0]}/{name}" for _, e in rows]
        return files_of_rows(rows, name)

    return paths


def attention_table_values(wildcards):
    name = "erased_attention.json"
    paths = attention_files(name)(wildcards)
    rows = places_of_rows(rows_of_clips(wildcards), "runs", paths, name)
    return values(titled(wildcards), rows=rows)


def attention_figure_values(wildcards):
    labels = [label for label, _ in rows_of_clips(wildcards)]
    return values({"title": titled(wildcards)["title"], "rows": labels})
