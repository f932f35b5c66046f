"""How well a ranked list of suspicions finds the labels that are wrong.

What is wrong is known where it was planted: a bag's labels are not the people of its frames.
Figures are in per cent.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from weakreid.errors import ReidError
from weakreid.retrieval import chance
from weakreid.supervision.audit import FALSE_TAG, KINDS, MISSING_TAG

SHARES = (5, 10, 20)
"""Per cent of a list that are looked at."""

Pair: TypeAlias = tuple[int, int]


def wrong_labels(bags: pd.DataFrame) -> dict[str, set[Pair]]:
    """Return the wrong labels by kind, as pairs (bag_id, person_id).

    Args:
        bags: table "bags" with its truth.
    """
    found: dict[str, set[Pair]] = {kind: set() for kind in KINDS}
    columns = (bags["bag_id"], bags["labels"], bags["truth_frame_persons"])
    for bag, labels, truth in zip(*columns, strict=True):
        tagged, present = {int(person) for person in labels}, {int(person) for person in truth}
        found[FALSE_TAG] |= {(int(bag), person) for person in tagged - present}
        found[MISSING_TAG] |= {(int(bag), person) for person in present - tagged}
    return found


def score(findings: pd.DataFrame, bags: pd.DataFrame) -> dict[str, Any]:
    """Measure the audit against the bag loss and chance.

    Bags are ranked by their first finding, by their first finding of a kind where only that kind of
    error counts, and by their loss. Labels are ranked by the audit, among all tags ("false tag") or
    all pairs of a bag and a person who is not tagged in it ("missing tag"); pairs that the audit
    does not list are never found.

    Args:
        findings: table "audit".
        bags: table "bags" with its truth: the bags that were audited.

    Raises:
        ReidError: no label is wrong, or findings and bags do not belong together.
    """
    ids = bags["bag_id"].tolist()
    if set(findings["bag_id"]) != set(ids):
        raise ReidError(
            "the audit and the bags do not hold the same bags; run the audit on these bags again"
        )
    findings = findings.sort_values("rank")
    wrong = wrong_labels(bags)
    everywhere = {bag for pairs in wrong.values() for bag, _ in pairs}
    if not everywhere:
        raise ReidError(
            "no label of these bags is wrong: nothing to score; plant errors (bags.NAME.planted)"
        )
    losses = findings.drop_duplicates("bag_id").sort_values(["bag_loss", "bag_id"], ascending=False)
    tags = sum(len(labels) for labels in bags["labels"])
    people = len(set(np.concatenate(list(bags["labels"])).tolist()))
    pairs_of = {FALSE_TAG: tags, MISSING_TAG: len(ids) * people - tags}

    def of_bags(listed: pd.DataFrame, bad: set[int]) -> dict[str, Any]:
        orders = {"bag loss": losses["bag_id"], "label audit": listed["bag_id"].drop_duplicates()}
        hits = {name: order.isin(bad).tolist() for name, order in orders.items()}
        return _lists(hits, len(bad), len(ids))

    kinds = {}
    for kind, pairs in wrong.items():
        if pairs:
            listed = findings[findings["kind"] == kind]
            named = zip(listed["bag_id"], listed["person_id"], strict=True)
            hits = [pair in pairs for pair in named]
            kinds[kind] = {
                "bags": of_bags(listed, {bag for bag, _ in pairs}),
                "labels": _lists({"label audit": hits}, len(pairs), pairs_of[kind]),
            }
    return {"bags": of_bags(findings, everywhere), "kinds": kinds}


def _lists(hits: Mapping[str, Sequence[bool]], wrong: int, items: int) -> dict[str, Any]:
    lists = {"chance": by_chance(wrong, items)}
    lists |= {name: of_order(order, wrong, items) for name, order in hits.items()}
    return {"items": items, "wrong": wrong, "lists": lists}


def of_order(hits: Sequence[bool], wrong: int, items: int) -> dict[str, Any]:
    """Return precision and recall at the head of a list, and its average precision.

    Args:
        hits: whether each listed item is wrong, in the list's order.
        wrong: how many items are wrong, listed or not.
        items: how many items there are, listed or not.
    """
    hit = np.asarray(hits, bool)
    found = np.cumsum(hit)
    precision = (found / np.arange(1, len(hit) + 1))[hit].sum() / wrong

    def at(count: int) -> dict[str, Any]:
        right = int(hit[:count].sum())
        return _cut(count, right / count, right / wrong)

    return _figures(at, wrong, items, precision)


def by_chance(wrong: int, items: int) -> dict[str, Any]:
    """Return what a random order of the items gives on average."""
    precision = chance.expected([wrong], [items]).mean_average_precision / 100
    return _figures(lambda n: _cut(n, wrong / items, n / items), wrong, items, precision)


def _figures(
    at: Callable[[int], dict[str, Any]], wrong: int, items: int, precision: float
) -> dict[str, Any]:
    return {
        "all wrong": at(wrong),
        "shares": {str(share): at(max(1, int(share * items / 100 + 0.5))) for share in SHARES},
        "average_precision": 100 * float(precision),
    }


def _cut(count: int, precision: float, recall: float) -> dict[str, Any]:
    return {"count": count, "precision": 100 * precision, "recall": 100 * recall}
