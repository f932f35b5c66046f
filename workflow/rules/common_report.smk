"""What `snakemake TARGET --report page.html` puts into its page, and under which heading."""

# by the folder below results/: the category, and whose it is
CATEGORIES = {
    "tables": ("Tables", lambda w: CONFIG.tables[w.table].title),
    "datasets": ("Datasets", "{dataset}"),
    "sources": ("Sources of attributes", "{source}"),
    "trackers": ("Trackers", "{tracker}"),
    "tuning": ("Tuning", "{tuning}"),
}
OF_EXPERIMENT = ("Experiments", "{experiment}")


def shown(path, what, caption):
    """Mark an output for the report's page.

    `what` names it in the list of its experiment, table, dataset, source or tracker, beside the
    rest of its wildcards; `caption` is the name of a text in workflow/report/.
    """
    category, subcategory = CATEGORIES.get(path.split("/")[1], OF_EXPERIMENT)
    return report(
        path,
        caption=f"../report/{caption}.rst",
        category=category,
        subcategory=subcategory,
        labels=lambda wildcards: labels_in_report(what, wildcards),
    )


def labels_in_report(what, wildcards):
    """Return what tells an output from others of the same experiment, table or dataset."""
    found = {"what": what}
    of_table = "table" in wildcards.keys()
    for name, value in wildcards.items():
        if name == "place":
            found["dataset"] = ", ".join(datasets_of(wildcards))
        elif name != "table" and (of_table or name != subject_of(wildcards)):
            found[name] = value
    return found


def subject_of(wildcards):
    """Return the wildcard that a result's list is of."""
    subjects = ("experiment", "dataset", "source", "tracker", "tuning")
    return next(name for name in subjects if name in wildcards.keys())


def learning_curve_values(wildcards):
    """Return what a learning curve says beside the losses: the loss of bags by its name."""
    method = method_of(wildcards)
    about = {"experiment": wildcards.experiment, "runs": runs_of(wildcards.experiment)}
    return values(about, base=method.loss.name if method.learns == "bags" else None)
