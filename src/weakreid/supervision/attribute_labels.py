"""Attributes of people: what their frames vote, what is so, and how right that is.

P persons, L attributes. Labels are 1, 0, and -1 where unsure.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.attributes import GROUPS, UNSURE
from weakreid.errors import ReidError
from weakreid.supervision.attribute_pictures import label_matrix
from weakreid.supervision.ratios import Labels

Ratios = NDArray[np.float64]

RARE = 0.1
"""Attributes with a smaller positive ratio in the source are called rare."""


# --- a person's attributes ------------------------------------------------------------------------


def voted_labels(
    votes: pd.DataFrame, attributes: Sequence[str], threshold: float
) -> dict[str, Any]:
    """Return each person's attributes by the votes of all their frames (ATTR Eqs. 9 and 10).

    Args:
        votes: of the table "attribute_votes": a tracklet's means count as often as it has frames.
        attributes: the L names.
        threshold: th; a person has an attribute from this mean probability on.

    Returns:
        The columns of the table "attribute_labels".
    """
    votes = votes[votes["person_id"] > 0]
    if votes.empty:
        raise ReidError("votes: no tracklet is known to be anybody's; nobody can get labels")
    votes = votes.sort_values(["person_id", "tracklet_id"], kind="stable")
    persons, first = np.unique(votes["person_id"].to_numpy(), return_index=True)
    frames = votes["frame_count"].to_numpy(np.float64)
    sums = np.stack(votes["probabilities"].to_list()).astype(np.float64) * frames[:, None]
    counts = np.add.reduceat(frames, first)
    probabilities = (np.add.reduceat(sums, first) / counts[:, None]).astype(np.float32)
    return _label_rows(
        persons, attributes, probabilities, probabilities.astype(np.float64) >= threshold
    )


def true_labels(annotation: pd.DataFrame, attributes: Sequence[str]) -> dict[str, Any]:
    """Return each person's attributes as their images were annotated.

    Args:
        annotation: of the table "annotation"; images of nobody (person_id below 1) are left out.
        attributes: the L names.

    Returns:
        The columns of the table "attribute_labels"; probability is 1, 0, or 0.5 where unsure.

    Raises:
        ReidError: the images of a person disagree.
    """
    rows = annotation[annotation["person_id"] > 0]
    rows = rows.sort_values(["person_id", "file"], kind="stable").reset_index(drop=True)
    labels = label_matrix(rows["labels"], attributes)
    persons, first, of_row = np.unique(
        rows["person_id"].to_numpy(), return_index=True, return_inverse=True
    )
    apart = np.argwhere(labels != labels[first][of_row])
    if len(apart):
        row, place = apart[0]
        one = rows.iloc[row]
        other = rows.iloc[first[of_row[row]]]
        raise ReidError(
            f"person {one['person_id']}: {attributes[place]} is {labels[row, place]} in "
            f"{one['file']} and {labels[first[of_row[row]], place]} in {other['file']}; "
            "a person's images must agree: generate the dataset again"
        )
    of_person = labels[first]
    probabilities = np.where(of_person == UNSURE, 0.5, of_person).astype(np.float32)
    return _label_rows(persons, attributes, probabilities, of_person)


def majority_labels(annotation: pd.DataFrame, attributes: Sequence[str]) -> dict[str, Any]:
    """Return each person's attributes as most rows about them say; as many for as against: unsure.

    Args:
        annotation: of the table "annotation", people's word, which may differ from row to row
            (a bag is put down); rows of nobody (person_id below 1) are left out.
        attributes: the L names.

    Returns:
        The columns of the table "attribute_labels"; probability is the share of the rows that are
        sure and say yes, 0.5 where none is sure.
    """
    rows = annotation[annotation["person_id"] > 0].sort_values("person_id", kind="stable")
    labels = label_matrix(rows["labels"].reset_index(drop=True), attributes)
    persons, first = np.unique(rows["person_id"].to_numpy(), return_index=True)
    if not len(persons):
        raise ReidError("the annotation is of nobody; make it again")
    yes = np.add.reduceat(labels == 1, first, dtype=np.int64)
    sure = np.add.reduceat(labels != UNSURE, first, dtype=np.int64)
    shares = np.divide(yes, sure, out=np.full(yes.shape, 0.5), where=sure > 0).astype(np.float32)
    of_person = np.where(2 * yes == sure, UNSURE, 2 * yes > sure)
    return _label_rows(persons, attributes, shares, of_person)


def _label_rows(
    persons: NDArray[Any], attributes: Sequence[str], probabilities: NDArray[Any], labels: Any
) -> dict[str, Any]:
    return {
        "person_id": np.repeat(persons, len(attributes)),
        "attribute": list(attributes) * len(persons),
        "probability": probabilities.reshape(-1),
        "label": np.asarray(labels, np.int8).reshape(-1),
    }


# --- how right they are ---------------------------------------------------------------------------


def person_labels(rows: pd.DataFrame, attributes: Sequence[str]) -> tuple[NDArray[Any], Labels]:
    """Return the persons [P] of a table "attribute_labels", and their labels [P, L].

    Raises:
        ReidError: the table is not one row per person and attribute, in their order.
    """
    names = rows["attribute"].to_numpy()
    persons = rows["person_id"].to_numpy()[:: len(attributes)]
    whole = np.array_equal(names, np.tile(np.asarray(attributes, object), len(persons)))
    if not whole or not np.array_equal(
        rows["person_id"].to_numpy(), np.repeat(persons, len(attributes))
    ):
        raise ReidError(
            "attribute_labels: not a row for each person and attribute, in their order; "
            "make the table again"
        )
    return persons, rows["label"].to_numpy(np.int8).reshape(len(persons), len(attributes))


def quality(
    labels: tuple[pd.DataFrame, Sequence[str]],
    truth: tuple[pd.DataFrame, Sequence[str]],
    training: set[int],
    ratios: Mapping[str, float],
) -> dict[str, Any]:
    """Return how right people's labels are, in per cent, for training persons and for the others.

    Only attributes that both tables have are compared. "majority" is the answer that looks at no
    image: every attribute as most of the source's images have it.

    Args:
        labels: a table "attribute_labels" and its attributes.
        truth: likewise, of what is so.
        training: the persons of the split's training tracklets.
        ratios: the source's positive ratios, of `labels`' attributes at least; NaN: unknown.

    Raises:
        ReidError: a person has no truth, or no attribute is in both.
    """
    shared = [name for name in labels[1] if name in truth[1]]
    if not shared:
        raise ReidError("no attribute is in both the labels and the truth; compare others")
    persons, found = person_labels(*labels)
    known, true = person_labels(*truth)
    absent = persons[~np.isin(persons, known)]
    if len(absent):
        raise ReidError(
            f"person {absent[0]} has labels but no truth ({len(absent)} of {len(persons)} persons "
            "have none); give the truth of the same dataset"
        )
    found = found[:, [list(labels[1]).index(name) for name in shared]]
    true = true[np.searchsorted(known, persons)]
    true = true[:, [list(truth[1]).index(name) for name in shared]]
    of_source = np.array([ratios.get(name, np.nan) for name in shared], np.float64)
    majority = np.broadcast_to((of_source >= 0.5).astype(np.int8), true.shape)
    in_training = np.isin(persons, sorted(training))
    return {
        "attributes": shared,
        "only_in_labels": [name for name in labels[1] if name not in truth[1]],
        "only_in_truth": [name for name in truth[1] if name not in labels[1]],
        "rare_below": _percent(RARE),
        **{
            role: {
                "persons": int(chosen.sum()),
                **_figures(found[chosen], true[chosen], shared, of_source),
                "per_attribute": _per_attribute(found[chosen], true[chosen], shared, of_source),
                "majority": _figures(majority[chosen], true[chosen], shared, of_source),
            }
            for role, chosen in (("train", in_training), ("test", ~in_training))
        },
    }


def _figures(found: Labels, true: Labels, names: Sequence[str], ratios: Ratios) -> dict[str, Any]:
    known = true != UNSURE
    right = (found == true) & known
    rare = ratios < RARE
    return {
        "accuracy": _share(right.sum(), known.sum()),
        "whole_persons": _share((right | ~known).all(1).sum(), len(true)),
        **_together(found, true),
        "rare": {"attributes": int(rare.sum()), **_together(found[:, rare], true[:, rare])},
        "common": {"attributes": int((~rare).sum()), **_together(found[:, ~rare], true[:, ~rare])},
        "groups": {
            group: {"attributes": int(own.sum()), **_together(found[:, own], true[:, own])}
            for group, members in GROUPS.items()
            if (own := np.isin(names, members)).any()
        },
    }


def _counts(found: Labels, true: Labels) -> NDArray[np.int64]:
    """Return per attribute how many are rightly 1, wrongly 1, wrongly 0, rightly 0: [4, L]."""
    pairs = ((1, 1), (1, 0), (0, 1), (0, 0))
    return np.array([((found == said) & (true == is_so)).sum(0) for said, is_so in pairs])


def _together(found: Labels, true: Labels) -> dict[str, float | None]:
    """Return what attributes come to together: micro, but the mean of their mean accuracies."""
    counts = _counts(found, true)
    hit, false, missed, _ = (int(count) for count in counts.sum(1))
    means = [mean for column in counts.T if (mean := _mean_accuracy(column)) is not None]
    return {
        "mean_accuracy": _percent(float(np.mean(means))) if means else None,
        "precision": _share(hit, hit + false),
        "recall": _share(hit, hit + missed),
        "f1": _share(2 * hit, 2 * hit + false + missed),
    }


def _mean_accuracy(counts: NDArray[np.int64]) -> float | None:
    hit, false, missed, rest = (int(count) for count in counts)
    if hit + missed == 0 or false + rest == 0:
        return None
    return (hit / (hit + missed) + rest / (false + rest)) / 2


def _per_attribute(
    found: Labels, true: Labels, names: Sequence[str], ratios: Ratios
) -> dict[str, dict[str, float | None]]:
    counts = _counts(found, true)
    return {
        name: {
            **_together(found[:, [place]], true[:, [place]]),
            "accuracy": _share(counts[0, place] + counts[3, place], counts[:, place].sum()),
            "found_ratio": _share(counts[:2, place].sum(), counts[:, place].sum()),
            "truth_ratio": _share(counts[[0, 2], place].sum(), counts[:, place].sum()),
            "source_ratio": None if np.isnan(ratios[place]) else _percent(ratios[place]),
        }
        for place, name in enumerate(names)
    }


def _share(part: Any, whole: Any) -> float | None:
    """Return a share in per cent, None of nothing."""
    return _percent(int(part) / int(whole)) if whole else None


def _percent(value: float) -> float:
    return round(100 * float(value), 2)
