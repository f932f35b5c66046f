"""Clusters of tracklets as labels: how they are found, and how good they were (TMC)."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from weakreid.clustering import advice, association, jaccard
from weakreid.clustering.centring import centred
from weakreid.config.methods import Association
from weakreid.datasets.majority import main_persons
from weakreid.errors import ReidError
from weakreid.training.loop import History


def fitted(how: Association, count: int) -> tuple[Association, str]:
    """Return the settings that so many tracklets can carry (`advice.fit`), and what to warn of.

    That is "" where they stay as they are.
    """
    fit = advice.fit(count, how.k1, how.k2, how.min_samples)
    if fit == (how.k1, how.k2, how.min_samples):
        return how, ""
    text = (
        f"association: {count} tracklets are too few for k1 {how.k1}, k2 {how.k2} and "
        f"min_samples {how.min_samples}; taken are {fit.k1}, {fit.k2} and {fit.min_samples}, "
        "and what is joined says little"
    )
    return how.model_copy(update=fit._asdict()), text


def associate(
    features: np.ndarray,
    how: Association,
    eps: float | None,
    *,
    threads: int,
    check: bool,
    cameras: NDArray[np.integer[Any]] | None = None,
    persons: NDArray[np.integer[Any]] | None = None,
    apart: NDArray[np.int64] | None = None,
) -> tuple[np.ndarray, float | None]:
    """Return each tracklet's cluster, -1 where it has none, and the eps that found them.

    Where no eps is given and none follows from the data, nothing is clustered and eps stays None.

    Args:
        features: float32 [N, d], of length 1 each.
        how: the other settings (TMC, sections 3.2 and 4.3).
        eps: of DBSCAN; None for the data's own.
        threads: whatever their number, the result is the same.
        check: refuse to go without eps, and fewer than two clusters, from which nothing can be
            learnt.
        cameras: [N], where `how` centres features.
        persons: [N], where `how` is told the truth: 0 or less is nobody known.
        apart: [P, 2], pairs i < j that are two people: never in one cluster.

    Returns:
        int32 [N] and eps; None where the truth decides.

    Raises:
        ReidError: see `check`.
    """
    if how.truth == "clusters":
        return _of_persons(persons, check), None
    if how.centred:
        features = centred(features, _given(cameras))
    if how.truth == "eps":
        distances = association.without(
            jaccard.jaccard_distances(features, how.k1, how.k2, threads), apart
        )
        best = association.true_eps(distances, _given(persons), how.min_samples)
        labels = association.associate(distances, best, how.min_samples, apart)
        if check and labels.max(initial=-1) < 1:
            why = association.failure(labels, distances, best, how.min_samples)
            raise ReidError(f"{why}; set association.truth: null, or give more tracklets")
        return labels.astype(np.int32), None
    share = how.share_of(len(features))
    kept = association.pairs_needed(len(features), eps, share, 0 if apart is None else len(apart))
    distances = association.without(
        jaccard.jaccard_distances(features, how.k1, how.k2, threads, kept), apart
    )
    if eps is None:
        try:
            eps = association.data_eps(distances, share)
        except association.NoEpsError as error:
            if check:
                raise ReidError(
                    f"{error}; {_advice(features, distances, how, threads, apart)}"
                ) from error
            return np.full(len(features), -1, np.int32), None
    labels = association.associate(distances, eps, how.min_samples, apart)
    if check and labels.max(initial=-1) < 1:
        every = jaccard.jaccard_distances(features, how.k1, how.k2, threads)
        why = association.failure(labels, every, eps, how.min_samples)
        raise ReidError(f"{why}; {_advice(features, every, how, threads, apart)}")
    return labels.astype(np.int32), eps


def _of_persons(persons: NDArray[np.integer[Any]] | None, check: bool) -> NDArray[np.int32]:
    """Return people as clusters; one with a single tracklet is a cluster too."""
    known = _given(persons) > 0
    labels = np.full(len(known), -1, np.int32)
    labels[known] = pd.factorize(_given(persons)[known])[0]
    if check and labels.max(initial=-1) < 1:
        raise ReidError(
            "association.truth: the tracklets show fewer than two known people; set truth: null"
        )
    return labels


def _given(values: NDArray[np.integer[Any]] | None) -> NDArray[np.integer[Any]]:
    assert values is not None, "association's block asks for what was not passed"
    return values


def _advice(
    features: np.ndarray,
    distances: Any,
    how: Association,
    threads: int,
    apart: NDArray[np.int64] | None,
) -> str:
    return advice.advise(
        features,
        distances,
        k1=how.k1,
        k2=how.k2,
        min_samples=how.min_samples,
        threads=threads,
        apart=apart,
    )


def quality_rows(
    labels: Sequence[np.ndarray], truth: pd.DataFrame, steps_per_epoch: int
) -> History:
    """Return how well each epoch's clusters fit the persons, for measuring alone.

    A tracklet is the known person in most of its frames; one that shows nobody known (0 or less) is
    left out.

    Args:
        labels: per epoch, the clusters [N] of all tracklets.
        truth: a row per frame: tracklet_id and truth_person_id.
        steps_per_epoch: of the training.

    Returns:
        Rows (epoch, step, term, value) of the terms "nmi", "ari" and "purity"; none where no
        person is known.
    """
    persons = main_persons(truth["tracklet_id"].to_numpy(), truth["truth_person_id"].to_numpy())
    known = persons > 0
    if not known.any():
        return []
    rows: History = []
    for epoch, of_epoch in enumerate(labels):
        quality = association.cluster_quality(of_epoch[known], persons[known])
        step = epoch * steps_per_epoch
        rows += [(epoch, step, name, float(quality[name])) for name in ("nmi", "ari", "purity")]
    return rows
