"""The label audit for people: what to check first, a picture of it, and how well it finds errors.

A picture shows people: of real ones it belongs under results/ and nowhere else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from weakreid.errors import ReidError
from weakreid.report.attribute_words import appearance
from weakreid.report.figures import WRONG, Canvas, Mark, camera_name, mark_box
from weakreid.report.markdown import markdown
from weakreid.report.runs import mean
from weakreid.supervision.audit import FALSE_TAG, KINDS, MISSING_TAG

EXAMPLES = 8
FRAMES_OF_BAG, FRAMES_OF_PERSON = 12, 4
_FRAME = 0.42, 0.84  # inches, width and height
_GAP = 0.25  # between a bag and the person elsewhere
_QUESTION, _BELOW = 0.16, 0.14  # above the pictures of a finding, and below them

_CHECK = {
    FALSE_TAG: "person {person} is tagged: no frame fits",
    MISSING_TAG: "person {person} is not tagged: frames fit",
}
_WHY = {
    FALSE_TAG: "tagged, but no frame fits (boxed: the nearest)",
    MISSING_TAG: "not tagged, but the boxed frames fit",
}


@dataclass(frozen=True)
class Example:
    """A finding as the picture shows it.

    Attributes:
        question: what to check.
        frames: of the bag, rows of the image store, in the bag's order.
        boxed: those of them that fit the person best.
        beside: what the other frames are.
        others: frames of the person from a bag that has the tag.
    """

    question: str
    frames: Sequence[int]
    boxed: frozenset[int]
    beside: str
    others: Sequence[int]


def evidence_attributes(
    findings: pd.DataFrame,
    tracklet_of: Mapping[int, int],
    votes: Mapping[int, Sequence[float]],
    names: Sequence[str],
    threshold: float,
) -> list[str]:
    """Return what the evidence of each finding looks like, in words, the most certain first.

    The probabilities of the evidence's tracklets are averaged, each as often as it has frames
    there; no person is looked at. Nothing is said of frames whose tracklets have no votes.

    Args:
        findings: table "audit".
        tracklet_of: the dataset's tracklet of an image; a bag's own tracklets may be others.
        votes: by tracklet, the probabilities of its attributes.
        names: of the attributes.
        threshold: from which an attribute counts as there.

    Raises:
        ReidError: no frame of any finding has votes.
    """
    found = []
    for evidence in findings["evidence"]:
        tracklets = [tracklet_of.get(int(image)) for image in evidence]
        voted = [votes[one] for one in tracklets if one is not None and one in votes]
        means = np.mean(voted, axis=0, dtype=np.float64) if voted else None
        found.append("" if means is None else ", ".join(appearance(means, names, threshold)))
    if len(found) and not any(found):
        raise ReidError(
            "no frame of the findings has votes on its attributes; give votes and frames of the "
            "dataset that the bags are of"
        )
    return found


def listing(
    experiment: str,
    findings: pd.DataFrame,
    bags: pd.DataFrame,
    top: int,
    words: Sequence[str] | None = None,
) -> str:
    """Return the first findings as Markdown.

    Args:
        experiment: its name, for the title.
        findings: table "audit".
        bags: table "bags", the bags that were audited.
        top: so many findings at most.
        words: of `evidence_attributes`, for a column of that; None for none.
    """
    of_bag = bags.set_index("bag_id")
    lines = []
    for place, row in enumerate(findings.head(top).to_dict("records")):
        bag = of_bag.loc[row["bag_id"]]
        tracklet = dict(zip(bag["frames"].tolist(), bag["frame_tracklets"].tolist(), strict=True))
        evidence = [int(image) for image in row["evidence"]]
        cells = [
            row["rank"],
            row["bag_id"],
            bag["camera_id"],
            _CHECK[row["kind"]].format(person=row["person_id"]),
            f"{row['score']:.3f}" + ("" if row["judged"] else " (not judged)"),
            ", ".join(dict.fromkeys(str(tracklet[image]) for image in evidence)),
            ", ".join(str(image) for image in evidence),
        ]
        cells += [] if words is None else [words[place]]
        lines.append([str(value) for value in cells])
    heads = ["rank", "bag", "camera", "what looks wrong", "score", "tracklets", "images"]
    heads += [] if words is None else ["looks like"]
    judged = findings["judged"]
    note = (
        f"{len(bags)} bags; {_tags(findings)} tags and, per bag, the likeliest missing people were "
        f"looked at. Score: 0.5 is the most suspicious of its kind in the median bag. Tracklets "
        f"and images (rows of the image store): the frames that fit the person best."
    )
    if not judged.all():
        note += (
            f" {int((~judged).sum())} tags are of people who are tagged in one bag only: no other "
            f"bag can judge them, they stand last (not judged)."
        )
    if words is not None:
        note += " Looks like: what a network recognised in those tracklets, the most certain first."
    return f"# {experiment}: labels to check first\n\n{markdown(heads, lines)}\n{note}\n"


def _tags(findings: pd.DataFrame) -> int:
    return int((findings["kind"] == FALSE_TAG).sum())


def examples(findings: pd.DataFrame, bags: pd.DataFrame) -> list[Example]:
    """Return the first judged findings, each beside the person in another bag with the tag.

    That bag is the one whose tag is least suspicious.

    Args:
        findings: table "audit".
        bags: table "bags", the bags that were audited.
    """
    frames_of = bags.set_index("bag_id")["frames"]
    cameras = bags.set_index("bag_id")["camera_id"].to_dict()
    tags = findings[findings["kind"] == FALSE_TAG]
    tags = tags.sort_values(["judged", "score", "bag_id"], ascending=[False, True, True])
    found = []
    for row in findings[findings["judged"]].head(EXAMPLES).to_dict("records"):
        bag, person = row["bag_id"], row["person_id"]
        # judged: there is another bag with the tag
        other = tags[(tags["person_id"] == person) & (tags["bag_id"] != bag)].iloc[0]
        boxed = frozenset(int(image) for image in row["evidence"])
        where = f"bag {bag} ({camera_name(cameras[bag])})"
        elsewhere = f"bag {other['bag_id']} ({camera_name(cameras[other['bag_id']])})"
        question = f"is person {person} in {where}? {_WHY[row['kind']]}"
        found.append(
            Example(
                f"{row['rank']}. {question}, score {row['score']:.2f}",
                _around(frames_of[bag], boxed),
                boxed,
                f"person {person} in {elsewhere}",
                [int(image) for image in other["evidence"]][:FRAMES_OF_PERSON],
            )
        )
    return found


def _around(frames: np.ndarray, kept: frozenset[int]) -> list[int]:
    """Return frames spread evenly over a bag, those to keep among them, in the bag's order."""
    rest = [int(frame) for frame in frames if int(frame) not in kept]
    room = min(len(rest), FRAMES_OF_BAG - len(kept))
    spread = {rest[place] for place in np.linspace(0, len(rest) - 1, room).round().astype(int)}
    return [int(frame) for frame in frames if int(frame) in kept or int(frame) in spread]


def picture(rows: Sequence[Example], frame: Callable[[int], np.ndarray], experiment: str) -> Figure:
    """Draw a row per finding: the bag with the frames to look at boxed, and the person elsewhere.

    Args:
        rows: of `examples`.
        frame: gives a frame as uint8 [H, W, 3], all of one size.
        experiment: its name, for the title.
    """
    bag, person = _FRAME[0] * FRAMES_OF_BAG, _FRAME[0] * FRAMES_OF_PERSON
    step = _QUESTION + _FRAME[1] + _BELOW
    notes = [
        Mark("left: frames of the bag in doubt, boxed: those that fit the person best"),
        Mark("right: the person in another bag with the tag"),
        Mark("score, after the question: 1 is the most suspicious, 0.5 what a usual bag reaches"),
    ]
    title = f"{experiment}: labels to check first"
    canvas = Canvas(title, notes, width=bag + _GAP + person, body=step * len(rows))
    top = canvas.top
    for row in rows:
        canvas.text(0, top, row.question, 7)
        canvas.text(bag + _GAP, top, row.beside, 7)
        pictures = [frame(image) for image in row.frames]
        strip = canvas.strip(0, top + _QUESTION, _FRAME, pictures)
        for place, image in enumerate(row.frames):
            if image in row.boxed:
                mark_box(strip, place, pictures[0].shape[:2], WRONG)
        others = [frame(image) for image in row.others]
        canvas.strip(bag + _GAP, top + _QUESTION, _FRAME, others)
        top += step
    return canvas.figure


def comparison(title: str, datasets: Mapping[str, Sequence[Mapping[str, Any]]]) -> str:
    """Return Markdown tables of how well lists find wrong labels, mean and deviation over runs.

    Args:
        title: of the whole.
        datasets: name: the audit.json of each run.
    """
    bags = [line for name, runs in datasets.items() for line in _lines(name, runs, len(datasets))]
    heads = ["", "runs", "wrong bags", "P = R at all wrong"]
    shares = list(next(iter(datasets.values()))[0]["bags"]["lists"]["chance"]["shares"])
    heads += [f"{letter} at {share} %" for share in shares for letter in "PR"]
    kinds = []
    for kind in KINDS:
        having = {
            name: [run["kinds"][kind] for run in runs if kind in run["kinds"]]
            for name, runs in datasets.items()
        }
        for name, runs in having.items():
            if runs:
                kinds += _kind_lines(kind, name, runs, len(datasets))
    kind_heads = ["", "runs", "bags: P = R", "bags: AP", "labels: P = R", "labels: AP"]
    note = (
        "Per cent; with several runs, mean ± standard deviation. P: precision, R: recall, AP: "
        "average precision of the whole list. P = R at all wrong: among as many bags (labels) as "
        "are wrong. Chance: the expected value of a random order."
    )
    by_kind = f"## By kind of error\n\n{markdown(kind_heads, kinds)}\n" if kinds else ""
    return f"# {title}\n\n{markdown([*heads, 'AP'], bags)}\n{by_kind}{note}\n"


def _lines(name: str, runs: Sequence[Mapping[str, Any]], datasets: int) -> list[list[str]]:
    lines = []
    for label in runs[0]["bags"]["lists"]:
        lists = [run["bags"]["lists"][label] for run in runs]
        cells = [mean([one["all wrong"]["precision"] for one in lists])]
        for share in lists[0]["shares"]:
            for figure in ("precision", "recall"):
                cells.append(mean([one["shares"][share][figure] for one in lists]))
        cells.append(mean([one["average_precision"] for one in lists]))
        wrong = "/".join(dict.fromkeys(str(run["bags"]["wrong"]) for run in runs))
        items = "/".join(dict.fromkeys(str(run["bags"]["items"]) for run in runs))
        head = label + (f" ({name})" if datasets > 1 else "")
        lines.append([head, str(len(runs)), f"{wrong} of {items}", *cells])
    return lines


def _kind_lines(
    kind: str, name: str, runs: Sequence[Mapping[str, Any]], datasets: int
) -> list[list[str]]:
    lines = []
    for label in runs[0]["bags"]["lists"]:
        cells = []
        for what in ("bags", "labels"):
            lists = [run[what]["lists"].get(label) for run in runs]
            cells.append(mean([found and found["all wrong"]["precision"] for found in lists]))
            cells.append(mean([found and found["average_precision"] for found in lists]))
        head = f"{kind}, {label}" + (f" ({name})" if datasets > 1 else "")
        lines.append([head, str(len(runs)), *cells])
    return lines
