"""What the rules of tables and figures look up in the config."""


def tables_of(kind):
    """Return a pattern of the tables of one kind."""
    return "|".join(n for n, t in CONFIG.tables.items() if t.kind == kind) or "none"


def tables_with_axis(kind):
    """Return a pattern of the tables of one kind whose rows lie on an axis."""
    plotted = [
        n for n, t in CONFIG.tables.items() if t.kind == kind and t.axis is not None
    ]
    return "|".join(plotted) or "none"


def table_inputs(wildcards):
    rows = CONFIG.tables[wildcards.table].rows
    names = [CONFIG.same.get(name, name) for name in rows.values()]
    return expand("results/{experiment}/metrics.json", experiment=names)


def table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    rows = [{"label": label, "experiment": name} for label, name in table.rows.items()]
    return values({"title": table.title, "rows": rows})


def datasets_of(wildcards):
    """Return the datasets that a study's table shows."""
    one = wildcards.place.lstrip("/")
    return [one] if one else CONFIG.tables[wildcards.table].datasets


def base_of(wildcards, dataset, row=""):
    """Return the name and the block of an experiment of a table's study."""
    study = CONFIG.tables[wildcards.table].study
    name = weakreid_config.experiment_of_row(CONFIG, study, dataset, row)
    return name, CONFIG.experiments[name]


def published_beside(wildcards):
    """Return the datasets of a study's table, each with the published one it stands beside."""
    study = CONFIG.studies[CONFIG.tables[wildcards.table].study]
    found = []
    for name in datasets_of(wildcards):
        own = study.datasets[name].published if name in study.datasets else None
        beside = own or study.beside
        found.append({"name": name, "published": beside, "own": own is not None})
    return found


def cells_of(wildcards):
    """Return (row, dataset, experiment or None) of a study's table, in order."""
    rows = CONFIG.tables[wildcards.table].rows
    return [
        (label, dataset, base_of(wildcards, dataset, row)[0] if row else None)
        for label, row in rows.items()
        for dataset in datasets_of(wildcards)
    ]


def study_table_inputs(wildcards):
    """Return metrics.json of every experiment of a study's table that can be."""
    names = [name for _, _, name in cells_of(wildcards)]
    possible = [name for name in names if name and name not in CONFIG.refused]
    return expand(
        "results/{experiment}/metrics.json", experiment=dict.fromkeys(possible)
    )


def study_table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    paths = study_table_inputs(wildcards)
    cells = {label: {} for label in table.rows}
    for label, dataset, name in cells_of(wildcards):
        if name is None:
            cell = {}
        elif name in CONFIG.refused:
            cell = {"why": CONFIG.refused[name].removeprefix(f"experiments.{name}: ")}
        else:
            cell = {"metrics": paths.index(f"results/{name}/metrics.json")}
        cells[label][dataset] = cell
    return values(
        table.model_dump(mode="json", exclude={"kind", "study", "datasets", "rows"}),
        datasets=published_beside(wildcards),
        rows=[{"label": label, "cells": found} for label, found in cells.items()],
    )


def grid_cells(wildcards):
    """Return (row, dataset, level, experiment) of a table of noise levels, in order."""
    table = CONFIG.tables[wildcards.table]
    return [
        (
            label,
            dataset,
            level,
            weakreid_config.experiment_of_row(CONFIG, table.study, dataset, row, level),
        )
        for label, row in table.rows.items()
        for dataset in datasets_of(wildcards)
        for level in table.levels
    ]


def possible(names):
    """Return those experiments that can be, each once."""
    return [name for name in dict.fromkeys(names) if name not in CONFIG.refused]


def grid_metrics(wildcards):
    table = CONFIG.tables[wildcards.table]
    if not {"R-1", "mAP"} & set(table.metrics):
        return []
    names = possible(name for *_, name in grid_cells(wildcards))
    return expand("results/{experiment}/metrics.json", experiment=names)


def grid_reports(wildcards):
    """Return the isolations' reports of a table that shows what they make."""
    table = CONFIG.tables[wildcards.table]
    if not {"noise", "clusters"} & set(table.metrics):
        return []
    found = []
    for name in possible(name for *_, name in grid_cells(wildcards)):
        experiment = CONFIG.experiments[name]
        if experiment.isolation is not None:
            found.append(report_path(experiment))
    return list(dict.fromkeys(found))


def report_path(experiment):
    tracks = tracks_path(experiment, experiment.splits[0])
    return tracks.replace(".parquet", ".json")


def grid_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    study = CONFIG.studies[table.study]
    metrics, reports = grid_metrics(wildcards), grid_reports(wildcards)
    cells = {
        label: {dataset: [] for dataset in datasets_of(wildcards)}
        for label in table.rows
    }
    isolation = []
    for label, dataset, level, name in grid_cells(wildcards):
        cell = {}
        if name in CONFIG.refused:
            cell = {"why": CONFIG.refused[name].removeprefix(f"experiments.{name}: ")}
        elif metrics:
            cell = {"metrics": metrics.index(f"results/{name}/metrics.json")}
        cells[label][dataset].append(cell)
        experiment = CONFIG.experiments[name]
        if reports and experiment.isolation is not None and "why" not in cell:
            number = reports.index(report_path(experiment))
            column = table.levels.index(level)
            isolation.append(
                {"dataset": dataset, "row": label, "column": column, "report": number}
            )
    columns = [
        {"label": study.levels[n].label, "published": study.levels[n].published}
        for n in table.levels
    ]
    named = table.model_dump(
        mode="json", include={"title", "paper", "table", "axis", "metrics", "notes"}
    )
    return values(
        named,
        columns=columns,
        datasets=[
            {"name": about["name"], "own": about["own"]}
            for about in published_beside(wildcards)
        ],
        rows=[{"label": label, "cells": found} for label, found in cells.items()],
        isolation=isolation,
    )


def noise_levels(wildcards):
    """Return (dataset, level) of a table of what simulations give."""
    table = CONFIG.tables[wildcards.table]
    levels = CONFIG.studies[table.study].levels
    return [
        (dataset, level)
        for dataset in datasets_of(wildcards)
        for level in levels.values()
    ]


def noise_table_inputs(wildcards):
    found = []
    for dataset, level in noise_levels(wildcards):
        split = base_of(wildcards, dataset)[1].splits[0]
        found.append(f"results/datasets/{dataset}/{split}/noise/{level.noise}.json")
    return found


def noise_table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    study = CONFIG.studies[table.study]
    several = len(datasets_of(wildcards)) > 1
    rows = []
    for summary, (dataset, level) in enumerate(noise_levels(wildcards)):
        block = CONFIG.noise[level.noise]
        place = study.datasets.get(dataset)
        own = place is not None and place.published is not None
        asked = None if block.rfm is None else {"rfm": block.rfm, "rsw": block.rsw}
        rows.append(
            {
                "label": f"{dataset}: {level.label}" if several else level.label,
                "dataset": dataset,
                "published": level.published if own else None,
                "asked": asked,
                "summary": summary,
            }
        )
    named = table.model_dump(mode="json", include={"title", "paper", "table"})
    return values(named, rows=rows)


def isolation_figure_of_table(wildcards):
    """Return the picture of isolation that a table's target is a copy of."""
    table = CONFIG.tables[wildcards.table]
    name = weakreid_config.experiment_of_row(
        CONFIG, table.study, datasets_of(wildcards)[0], "", table.level
    )
    experiment = CONFIG.experiments[name]
    path = tracks_path(experiment, experiment.splits[0]).removesuffix(".parquet")
    if experiment.isolation is None:
        raise ReidError(
            f"tables.{wildcards.table}: the study {table.study} isolates nothing on "
            f"{experiment.dataset}; give it an isolation"
        )
    return f"{path}_{table.shows}.svg"


def split_tables(name):
    """Return an input function: a file of each dataset of a study's table, on its first split."""

    def paths(wildcards):
        found = []
        for dataset in datasets_of(wildcards):
            _, experiment = base_of(wildcards, dataset)
            split, bags = experiment.splits[0], experiment.bags
            folder = f"results/datasets/{dataset}/{split}"
            found.append(f"{folder}/{name.format(bags=bags)}")
        return found

    return paths


def counts_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    named = table.model_dump(mode="json", include={"title", "paper", "table"})
    return values(named, datasets=published_beside(wildcards))


def cost_values(wildcards):
    named = []
    for dataset in datasets_of(wildcards):
        bags = CONFIG.bags[base_of(wildcards, dataset)[1].bags]
        named.append({"name": dataset, "tracklet_parts": bags.tracklet_parts})
    return values({"title": CONFIG.tables[wildcards.table].title, "datasets": named})


def audits_of(wildcards):
    """Return the audited experiment of each dataset of an audit's table."""
    row = CONFIG.tables[wildcards.table].row
    return {
        dataset: base_of(wildcards, dataset, row)[0]
        for dataset in datasets_of(wildcards)
    }


def audit_table_inputs(wildcards):
    return [
        f"results/{experiment}/runs/{run}/audit.json"
        for experiment in audits_of(wildcards).values()
        for run in runs_of(experiment)
    ]


def audit_table_values(wildcards):
    named = [
        {"name": dataset, "runs": runs_of(experiment)}
        for dataset, experiment in audits_of(wildcards).items()
    ]
    return values({"title": CONFIG.tables[wildcards.table].title, "datasets": named})


def matches_of_table(protocol):
    """Return an input function: the matching examples of the first run of a study's own method."""

    def path(wildcards):
        experiment, _ = base_of(wildcards, datasets_of(wildcards)[0])
        run = runs_of(experiment)[0]
        return f"results/{experiment}/runs/{run}/matches_{protocol}.png"

    return path


def examples_of(experiment):
    """Return the figures of an experiment."""
    run = runs_of(experiment)[0]
    return [
        f"results/{experiment}/learning_curve.svg",
        f"results/{experiment}/runs/{run}/matches_fine.png",
        f"results/{experiment}/runs/{run}/matches_coarse.png",
    ]


# --- attributes ---


def transfers_of_rows(wildcards):
    """Return (row, transfer, runs) of a table whose rows differ in their transfers."""
    table, dataset = CONFIG.tables[wildcards.table], datasets_of(wildcards)[0]
    found = []
    for label, row in table.rows.items():
        name, experiment = base_of(wildcards, dataset, row)
        if experiment.transfer is None:
            raise ReidError(
                f"tables.{wildcards.table}.rows.{label}: {name} learns no attributes; take another "
                "row of the study"
            )
        found.append((label, experiment.transfer, runs_of(name)))
    return found


def examples_labels(wildcards):
    dataset = datasets_of(wildcards)[0]
    return [
        labels_path(transfer, dataset, runs[0])
        for _, transfer, runs in transfers_of_rows(wildcards)
    ]


def examples_truth(wildcards):
    dataset = datasets_of(wildcards)[0]
    made = f"results/datasets/{dataset}/attributes.parquet"
    return [made] if has_true_attributes(dataset) else []


def examples_file(pattern):
    """Return an input function: a file of the dataset that a table of examples shows."""

    def path(wildcards):
        dataset = datasets_of(wildcards)[0]
        split = base_of(wildcards, dataset)[1].splits[0]
        return f"results/datasets/{dataset}/{pattern.format(split=split)}"

    return path


def examples_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    title = f"{table.title}: {datasets_of(wildcards)[0]}"
    about = {"title": title, "rows": list(table.rows)}
    return values({**about, "persons": 6, "frames": 8})


def weights_of_table(wildcards):
    """Return the picture of weights of the first run of a study's own method."""
    experiment, _ = base_of(wildcards, datasets_of(wildcards)[0])
    run = runs_of(experiment)[0]
    return f"results/{experiment}/runs/{run}/temporal_weights.png"


def label_table_inputs(wildcards):
    """Return how right the labels of each row's runs are, or refuse data whose truth is unknown."""
    found = []
    for dataset in datasets_of(wildcards):
        if not has_true_attributes(dataset):
            raise ReidError(
                f"tables.{wildcards.table}: nobody knows the true attributes of dataset {dataset}; "
                f"ask for results/tables/{wildcards.table}/walkers/table.md"
            )
        for _, transfer, runs in transfers_of_rows(wildcards):
            if CONFIG.transfers[transfer].labels != "truth":
                folder = f"results/attributes/{transfer}/{dataset}"
                found += [f"{folder}/{run}/quality.json" for run in runs]
    return list(dict.fromkeys(found))


def label_table_values(wildcards):
    table, dataset = CONFIG.tables[wildcards.table], datasets_of(wildcards)[0]
    paths = label_table_inputs(wildcards)
    rows = [
        {
            "label": label,
            "quality": [
                paths.index(
                    f"results/attributes/{transfer}/{dataset}/{run}/quality.json"
                )
                for run in runs
            ],
        }
        for label, transfer, runs in transfers_of_rows(wildcards)
        if CONFIG.transfers[transfer].labels != "truth"
    ]
    title = f"{table.title}: {dataset}"
    return values({"title": title, "rows": rows, "notes": table.notes})


def attribute_rows(wildcards):
    """Return (row, experiment) of a table of retrieval by attribute, and whose labels they are."""
    table, dataset = CONFIG.tables[wildcards.table], datasets_of(wildcards)[0]
    transfer = table.transfer or base_of(wildcards, dataset)[1].transfer
    if transfer is None:
        raise ReidError(
            f"tables.{wildcards.table}: the study {table.study} has no attributes; name a transfer"
        )
    rows = [
        (label, base_of(wildcards, dataset, row)[0])
        for label, row in table.rows.items()
    ]
    return rows, transfer


def attribute_table_inputs(wildcards):
    rows, transfer = attribute_rows(wildcards)
    return [
        f"results/{name}/runs/{run}/by_attribute/{transfer}.json"
        for name in dict.fromkeys(name for _, name in rows)
        for run in runs_of(name)
    ]


def attribute_table_values(wildcards):
    table = CONFIG.tables[wildcards.table]
    rows, transfer = attribute_rows(wildcards)
    paths = attribute_table_inputs(wildcards)
    named = [
        {
            "label": label,
            "metrics": [
                paths.index(f"results/{name}/runs/{run}/by_attribute/{transfer}.json")
                for run in runs_of(name)
            ],
        }
        for label, name in rows
    ]
    return values(
        {
            "title": f"{table.title}: {datasets_of(wildcards)[0]}",
            "rows": named,
            "attributes": table.attributes,
            "transfer": transfer,
            "ranks": table.ranks,
            "paper": table.paper,
            "table": table.table,
        }
    )
