"""What `snakemake TARGET --report page.html` puts into its page, and under which heading."""

from collections.abc import Callable, Mapping

from weakreid.plan.plan import Plan

CATEGORIES = {
    "datasets": ("Datasets", "{dataset}"),
    "sources": ("Attribute sources", "{source}"),
    "trackers": ("Trackers", "{tracker}"),
    "tuning": ("Tuning", "{tuning}"),
}
"""By the folder below results/: the heading, and whose it is."""

SUBJECTS = ("experiment", "dataset", "source", "tracker", "tuning")


def place(plan: Plan, path: str) -> tuple[str, str | Callable[[Mapping[str, str]], str]]:
    """Return the heading of an output, and what names the list in it.

    Args:
        plan: of the config.
        path: the output's pattern.
    """
    folder = path.split("/")[1]
    if folder == "tables":
        return "Tables", lambda wildcards: plan.config.tables[wildcards["table"]].title
    return CATEGORIES.get(folder, ("Experiments", "{experiment}"))


def labels(plan: Plan, what: str, wildcards: Mapping[str, str]) -> dict[str, str]:
    """Return what tells an output from others of the same experiment, table or dataset."""
    values = dict(wildcards.items())
    if "table" in values:
        one = values["place"].lstrip("/")
        datasets = [one] if one else getattr(plan.config.tables[values["table"]], "datasets", [])
        what = values.get("picture", what)
        return {"what": what, **({"dataset": ", ".join(datasets)} if datasets else {})}
    subject = next(name for name in SUBJECTS if name in values)
    return {"what": what, **{n: value for n, value in values.items() if n != subject}}
