"""Tables of what a dataset's weak labels hold and what they cost, as Markdown."""

from collections.abc import Mapping, Sequence

from weakreid.report.markdown import page
from weakreid.report.published import Dataset, Published
from weakreid.supervision.counting import Labour

WAYS = {
    "boxes": "strong: every person image, f·p·n·b",
    "tracklets": "a label per tracklet",
    "names": "weak: b' = p·b, a name costs as a box",
    "tags": "weak: b' = b, a list costs as a box",
}


def counts_table(
    title: str,
    datasets: Mapping[Dataset, Mapping[str, int]],
    published: Published,
    *,
    paper: str = "WL",
    table: str = "I",
) -> str:
    """Return the counts of datasets beside the paper's.

    Args:
        title: of the table.
        datasets: our counts (`supervision.counting.counts`) by dataset.
        published: the papers' figures.
        paper: whose.
        table: of the paper.

    Raises:
        ReidError: the published figures have no such table.
    """
    labels = published.rows(paper, table)
    heads = [
        head for dataset in datasets for head in (f"{dataset.published}, paper", f"{dataset.name}")
    ]
    names = list(dict.fromkeys(name for own in datasets.values() for name in own))
    lines = []
    for name in names:
        line = [name]
        for dataset, own in datasets.items():
            values = (
                published.value(paper, table, label, dataset.published, name) for label in labels
            )
            theirs = next((value for value in values if value is not None), None)
            line += ["" if theirs is None else f"{theirs:.0f}", str(own[name])]
        lines.append(line)
    notes = [
        (
            f"Paper: {paper}, Table {table}. Numbers of bags come from random draws, all others "
            "are counts of the data."
        ),
        (
            "Fine gallery: every test tracklet, as the paper counts MARS's; queries, junk (person "
            "-1) and distractors (person 0) are among them. Coarse gallery: people only, as "
            "WL-MARS's 634; WL-DukeV's 1,110 are with its 408 distractors."
        ),
    ]
    notes += _not_targets(list(datasets))
    return page(title, ["", *heads], lines, notes)


def _not_targets(datasets: Sequence[Dataset]) -> list[str]:
    return [
        f"The paper's numbers are those of {dataset.published}: other data, and no target for "
        f"{dataset.name}."
        for dataset in datasets
        if not dataset.own
    ]


def cost_table(title: str, datasets: Mapping[str, Labour]) -> str:
    """Return what labels cost, counted from datasets (WL, section III-A).

    Args:
        title: of the table.
        datasets: what there is to label, by name.
    """
    found = list(datasets.values())

    def line(name: str, values: Sequence[float], places: int) -> list[str]:
        return [name, *(f"{value:,.{places}f}" for value in values)]

    lines = [
        line("videos (bags), n", [own.bags for own in found], 0),
        line("person images per video, f·p", [own.images_per_bag for own in found], 1),
        line("people per video, p", [own.people_per_bag for own in found], 2),
        line("images per person and video, f", [own.images_per_person for own in found], 1),
        line("tracklets per video", [own.tracklets_per_bag for own in found], 2),
    ]
    for way, name in WAYS.items():
        lines.append(line(f"cost, {name}", [own.costs()[way] for own in found], 0))
    for way, name in list(WAYS.items())[1:]:
        lines.append(line(f"times cheaper, {name}", [own.efficiencies()[way] for own in found], 1))
    notes = [
        (
            "Costs in boxes: b = 1 is what naming the person in one image costs. Times cheaper: "
            "f·p·b/b', which the paper writes as a percentage (times 100)."
        ),
        (
            "All frames of the training tracklets count. A bag stands for a video, p for the "
            "people in it: crops do not tell how many people an image showed together."
        ),
        "A tracklet is what a tracker joined, without the wrong joins that somebody had to undo.",
    ]
    return page(title, ["", *datasets], lines, notes)
