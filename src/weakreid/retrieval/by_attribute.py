"""Retrieval of people who have an attribute (COSAM, Table 7), for any method's rankings."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.errors import ReidError
from weakreid.retrieval.ranking import RANKS


def by_attribute(
    rankings: pd.DataFrame,
    labels: pd.DataFrame,
    attributes: Sequence[str] | None,
    min_queries: int,
) -> dict[str, Any]:
    """Return the figures of the queries whose person has an attribute, and of the rest.

    The gallery is whole for either: only queries are grouped. A query without a match is left out
    of all figures and counted.

    Args:
        rankings: table "rankings"; those of the fine protocol are used.
        labels: table "attribute_labels", of every query's person at least.
        attributes: which; None for all that the labels have, in their order.
        min_queries: with fewer queries there are no figures (None), but their number.

    Returns:
        "queries" and "skipped" (numbers), "all" (figures of all queries), "attributes": by name
        "with" and "without" (figures), and "unsure": queries of people whose label was left open.
        Figures are {"queries", "cmc": {rank: per cent} or None, "mAP": per cent or None}.

    Raises:
        ReidError: a person or an attribute has no labels.
    """
    fine = rankings[rankings["protocol"] == "fine"]
    used = fine[fine["first_match"] > 0]
    table = labels_of(labels, used["person_id"], attributes)
    first = used["first_match"].to_numpy(np.int64)
    precision = used["average_precision"].to_numpy(np.float64)

    def figures(chosen: NDArray[np.bool_]) -> dict[str, Any]:
        count = int(chosen.sum())
        if count < max(1, min_queries):
            return {"queries": count, "cmc": None, "mAP": None}
        return {
            "queries": count,
            "cmc": {str(rank): 100 * float((first[chosen] <= rank).mean()) for rank in RANKS},
            "mAP": 100 * float(precision[chosen].mean()),
        }

    of_query = table.loc[used["person_id"]]
    found = {}
    for name in table.columns:
        label = of_query[name].to_numpy()
        found[str(name)] = {
            "with": figures(label == 1),
            "without": figures(label == 0),
            "unsure": int((label < 0).sum()),
        }
    return {
        "queries": len(used),
        "skipped": len(fine) - len(used),
        "all": figures(np.ones(len(used), np.bool_)),
        "attributes": found,
    }


def label_table(labels: pd.DataFrame, where: str = "the labels") -> pd.DataFrame:
    """Return labels as int8, a row per person (ascending) and a column per attribute, in order.

    Args:
        labels: table "attribute_labels".
        where: the labels are, for errors.

    Raises:
        ReidError: there is none, or not exactly one of each person and attribute.
    """
    if labels.empty:
        raise ReidError(f"{where}: empty; make the labels again")
    persons, rows = np.unique(labels["person_id"].to_numpy(), return_inverse=True)
    names = list(dict.fromkeys(labels["attribute"]))
    columns = pd.Index(names).get_indexer(pd.Index(labels["attribute"]))
    counts = np.zeros((len(persons), len(names)), np.int64)
    np.add.at(counts, (rows, columns), 1)
    wrong = np.argwhere(counts != 1)
    if len(wrong):
        row, column = wrong[0]
        raise ReidError(
            f"{where}: person {persons[row]} has {counts[row, column]} labels of {names[column]}, "
            "not one; make the labels again"
        )
    table = np.empty(counts.shape, np.int8)
    table[rows, columns] = labels["label"].to_numpy()
    return pd.DataFrame(table, index=persons, columns=names)


def labels_of(
    labels: pd.DataFrame, persons: pd.Series, attributes: Sequence[str] | None
) -> pd.DataFrame:
    """Return the rows of `label_table` of some persons, and some of its columns.

    Args:
        labels: table "attribute_labels".
        persons: who is needed.
        attributes: which, or None for all.

    Raises:
        ReidError: a person or an attribute has no labels; see also `label_table`.
    """
    table = label_table(labels)
    needed = np.unique(persons.to_numpy())
    lacking = np.setdiff1d(needed, table.index.to_numpy())
    if len(lacking):
        shown = ", ".join(str(person) for person in lacking[:5])
        shown += f" and {len(lacking) - 5} more" if len(lacking) > 5 else ""
        raise ReidError(
            f"no labels of {len(lacking)} of {len(needed)} people who are looked for ({shown}); "
            "give labels of this dataset and split"
        )
    for name in attributes or ():
        if name not in table.columns:
            raise ReidError(
                f"no labels of attribute '{name}'; there are {', '.join(map(str, table))}"
            )
    return table if attributes is None else table[list(attributes)]
