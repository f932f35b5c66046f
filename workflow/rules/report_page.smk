"""What `snakemake TARGET --report page.html` puts into its page, and under which heading."""

# by the folder below results/: the category, and whose it is
CATEGORIES = {
    "tables": ("Tables", lambda wildcards: PLAN.config.tables[wildcards.table].title),
    "datasets": ("Datasets", "{dataset}"),
    "sources": ("Attribute sources", "{source}"),
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
    if "table" in wildcards.keys():
        block = PLAN.config.tables[wildcards.table]
        one = wildcards.place.lstrip("/")
        datasets = [one] if one else getattr(block, "datasets", [])
        others = {"dataset": ", ".join(datasets)} if datasets else {}
    else:
        subjects = ("experiment", "dataset", "source", "tracker", "tuning")
        subject = next(name for name in subjects if name in wildcards.keys())
        others = {name: value for name, value in wildcards.items() if name != subject}
    return {**found, **others}
