"""How right transferred attributes are, transfers side by side, as Markdown."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from weakreid.attributes import GROUPS, TITLES
from weakreid.errors import ReidError
from weakreid.report.markdown import markdown
from weakreid.report.runs import different, mean

Run = Mapping[str, Any]
MAJORITY = "majority of the source"

_BLOCKS = {
    "train": "Training persons (whose labels are used)",
    "test": "Test persons",
}


def label_table(title: str, rows: Mapping[str, Sequence[Run]], notes: Sequence[str] = ()) -> str:
    """Return Markdown tables of how right labels are: all attributes together, then each.

    Training persons and test persons are a block each.

    Args:
        title: of the whole.
        rows: by label, what `supervision.attribute_labels.quality` found in each run.
        notes: what else is to be said, a paragraph each.

    Raises:
        ReidError: there is no row, or a row without a run.
    """
    if not rows:
        raise ReidError("no row: there is nothing to show; name transfers")
    for label, runs in rows.items():
        if not runs:
            raise ReidError(f"the row '{label}' has no run; give it one, or leave the row out")
    parts = [f"# {title}\n"]
    for role, head in _BLOCKS.items():
        found = {label: [run[role] for run in runs] for label, runs in rows.items()}
        number = different(run["persons"] for runs in found.values() for run in runs)
        if number == "0":
            continue
        parts += [f"## {head}: {number}\n", _together(found), _each(found)]
    parts += [_note(rows), *notes]
    return "\n".join(parts) + "\n"


def _together(rows: Mapping[str, Sequence[Run]]) -> str:
    groups = _in_order(rows, lambda run: run["groups"], list(GROUPS))
    heads = ["", "runs", "accuracy", "mean accuracy"]
    heads += [f"F1 {TITLES.get(group, group)}" for group in groups]
    heads += ["F1 all", "recall of rare", "precision of rare"]

    def line(label: str, count: str, runs: Sequence[Run]) -> list[str]:
        cells = [mean([run["accuracy"] for run in runs]), mean([r["mean_accuracy"] for r in runs])]
        cells += [
            mean([run["groups"].get(group, {}).get("f1") for run in runs]) for group in groups
        ]
        cells.append(mean([run["f1"] for run in runs]))
        cells += [mean([run["rare"][name] for run in runs]) for name in ("recall", "precision")]
        return [label, count, *cells]

    lines = []
    answers = {label: _different([run["majority"] for run in runs]) for label, runs in rows.items()}
    together = _different([one for own in answers.values() for one in own])
    if len(together) == 1:
        lines.append(line(MAJORITY, "", together))
    for label, runs in rows.items():
        if len(together) > 1:
            lines.append(line(f"{MAJORITY} ({label})", "", answers[label]))
        lines.append(line(label, str(len(runs)), runs))
    return markdown(heads, lines)


def _each(rows: Mapping[str, Sequence[Run]]) -> str:
    names = _in_order(rows, lambda run: run["per_attribute"], [])
    runs = [run["per_attribute"] for found in rows.values() for run in found]
    lines = []
    for name in names:
        having = [run[name] for run in runs if name in run]
        line = [name]
        for ratio in ("source_ratio", "truth_ratio"):
            line.append(_only([one[ratio] for one in having]))
        for found in rows.values():
            line.append(
                mean([run["per_attribute"].get(name, {}).get("mean_accuracy") for run in found])
            )
        lines.append(line)
    heads = ["mean accuracy", "have it: source", "here", *rows]
    return markdown(heads, lines)


def _in_order(
    rows: Mapping[str, Sequence[Run]], held: Callable[[Run], Mapping[str, Any]], first: list[str]
) -> list[str]:
    """Return the names that some run holds, in an order given as far as it goes."""
    names = dict.fromkeys(name for runs in rows.values() for run in runs for name in held(run))
    return [name for name in first if name in names] + [n for n in names if n not in first]


def _different(values: Sequence[Run]) -> list[Run]:
    unique: list[Run] = []
    for value in values:
        if value not in unique:
            unique.append(value)
    return unique


def _only(values: Sequence[float | None]) -> str:
    """Return a figure that is the same in all runs, else the mean."""
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.1f}" if known else ""


def _note(rows: Mapping[str, Sequence[Run]]) -> str:
    runs = [run for found in rows.values() for run in found]
    counts = different(len(run["attributes"]) for run in runs)
    below = different(run["rare_below"] for run in runs)
    rare = different(run["train"]["rare"]["attributes"] for run in runs)
    text = (
        f"Per cent; with several runs, mean ± standard deviation. {counts} attributes are compared "
        "with those that people really have. Accuracy: of all labels, which most are 0. Mean "
        "accuracy: of an attribute, the mean of how many of those who have it and of those who "
        "have not are labelled so (50: no better than one answer for all), and the mean of that "
        "over attributes that some have and some have not. F1, recall and precision: over all "
        f"labels of the attributes together. Rare: the {rare} attributes that less than {below} % "
        "of the source's training pictures have. Majority: every attribute as most pictures of "
        "the source have it. Empty: undefined (nobody has it, everybody has it, or it was found "
        "nowhere)."
    )
    lacking = sorted({name for run in runs for name in run["only_in_truth"]})
    if lacking:
        text += f" Not transferred: {', '.join(lacking)}."
    return text
