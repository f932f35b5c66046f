"""Which video-level labels look wrong: judged by a trained network, against what it learned.

The network was trained on these very labels, so its own loss on a bag says little: it has learned
the wrong ones too. Here a tag is judged by the other bags that carry it. For a person and a bag, a
prototype is made of the person's frames in all other bags with the tag, and the bag's frames are
compared with it: no wrong label takes part in its own judgement (only through the network, and
through how the other bags' frames were shared out).

A prototype is a weighted mean of high features, one per bag (WL Eq. 5). At first the attention is
the network's (Eq. 4). Then, for some rounds, a bag's frames are shared out among its tagged people
by their similarity to the prototypes that the other bags make, a high feature is the mean of the
frames that are most clearly the person's, and a bag weighs as much as these frames are the person's
rather than another tagged one's. A bag whose tag is false has no such frames and hardly counts.

In the end every person competes for every frame. The support of a tag is the mean, over the frames
that fit the person best, of the lead in cosine similarity over everybody else: a tag whose best
frames are somebody else's is a false one. The support of a person who is not tagged is the mean
lead over the tagged people: frames that a stranger explains and no tagged person does are a missing
tag. A score compares a finding with the most suspicious finding of its kind in the median bag,
which takes most bags for right.

Everything here is NumPy on plain arrays. B bags, C people, d features; bag i has n_i frames.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax, softmax

from weakreid.errors import ReidError

Floats: TypeAlias = npt.NDArray[np.floating[Any]]
Ints: TypeAlias = npt.NDArray[np.integer[Any]]
Flags: TypeAlias = npt.NDArray[np.bool_]

FALSE_TAG, MISSING_TAG = "false tag", "missing tag"
KINDS = (FALSE_TAG, MISSING_TAG)

ROUNDS = 6
SHARPNESS = 20.0
"""Of the softmax over a bag's tagged people of a frame's cosine similarities."""
STEEPNESS = 10.0
"""Of a score in the lead: 0.1 of cosine similarity more than usual makes 0.73 of 0.5."""
CANDIDATES = 10
"""At most so many people are listed as missing from one bag."""
EVIDENCE = 4
"""Frames shown with a finding."""


@dataclass(frozen=True)
class Finding:
    """A label of a bag, or one that it lacks, and how wrong that looks.

    Attributes:
        bag: index of the bag.
        person: index of the person.
        kind: `FALSE_TAG` (the person is tagged) or `MISSING_TAG` (is not).
        score: 0 to 1, the larger the more suspicious; 0.5 is the worst of its kind in a usual bag.
        judged: whether other bags with the person's tag could tell. A person who is tagged in this
            bag alone is left to the classifier, and the score is 1 minus its probability.
        evidence: the frames of the bag that fit the person best, best first.
    """

    bag: int
    person: int
    kind: str
    score: float
    judged: bool
    evidence: tuple[int, ...]


def bag_losses(logits: Sequence[Floats], labels: Sequence[Ints], k: int) -> Floats:
    """Return the multiple-instance loss of every bag (WL Eqs. 2 and 3), [B].

    Args:
        logits: per bag, [n_i, C].
        labels: per bag, the tagged people.
        k: frames of a bag that vote for a person.

    Raises:
        ReidError: k is less than 1, or a bag has no frame or label.
    """
    if k < 1:
        raise ReidError(f"k is {k}; the mean of the k largest logits needs k of at least 1")
    _check_bags(logits, labels)
    return np.array(
        [
            -_log_probabilities(of_bag, k)[tagged].mean()
            for of_bag, tagged in zip(logits, labels, strict=True)
        ]
    )


def audit(
    features: Sequence[Floats], logits: Sequence[Floats], labels: Sequence[Ints]
) -> list[Finding]:
    """Return what looks wrong, the most suspicious first; those that could not be judged last.

    Every tag is listed as a possible false one, and per bag the `CANDIDATES` people who are most
    likely missing. A bag is as suspicious as its first finding. The result depends neither on the
    order of the bags nor on that of the people, but for ties.

    Args:
        features: per bag, [n_i, d], before any normalisation.
        logits: per bag, [n_i, C]: the classifier on these features.
        labels: per bag, the tagged people, as indices from 0 to C - 1.

    Raises:
        ReidError: a bag has no frame or label, the arrays do not fit each other, or there is but
            one bag.
    """
    _check_bags(logits, labels)
    if len(logits) < 2:
        raise ReidError(
            "one bag only: its labels could be judged by other bags alone; audit two bags or more"
        )
    for bag, (of_bag, scores) in enumerate(zip(features, logits, strict=True)):
        if len(of_bag) != len(scores):
            raise ReidError(
                f"bag {bag} has {len(of_bag)} features and {len(scores)} logits; describe it again"
            )
    people = logits[0].shape[1]
    labels = [np.unique(tagged) for tagged in labels]
    frames = [_unit(of_bag) for of_bag in features]
    votes = frames_per_tag(frames, labels)
    tags = np.bincount(np.concatenate(labels), minlength=people)

    highs = [
        _unit(softmax(scores[:, tagged], axis=0).T @ of_bag)
        for of_bag, scores, tagged in zip(frames, logits, labels, strict=True)
    ]
    weights = [np.ones(len(tagged)) for tagged in labels]
    for _ in range(ROUNDS):
        total = _total(highs, weights, labels, people)
        for bag, tagged in enumerate(labels):
            # who is tagged nowhere else keeps the network's attention, and competes with nobody
            elsewhere = tags[tagged] > 1
            if elsewhere.any():
                own = weights[bag][:, None] * highs[bag]
                without = _unit((total[tagged] - own)[elsewhere])
                high, weight = _shared_out(frames[bag], frames[bag] @ without.T, votes)
                highs[bag][elsewhere], weights[bag][elsewhere] = high, weight
    total = _total(highs, weights, labels, people)
    everywhere = _unit(total)

    found: list[tuple[float, Finding]] = []
    for bag, tagged in enumerate(labels):
        elsewhere = tags[tagged] > 1
        similar = frames[bag] @ everywhere.T
        own = weights[bag][:, None] * highs[bag]
        without = _unit((total[tagged] - own)[elsewhere])
        similar[:, tagged[elsewhere]] = frames[bag] @ without.T
        found += _tagged(bag, similar, tagged, elsewhere, logits[bag], votes)
        found += _missing(bag, similar, tagged, tags, votes)
    return _ranked(found)


def frames_per_tag(bags: Sequence[Floats], labels: Sequence[Ints]) -> int:
    """Return how many frames vote for a person: half of those that a tag has on average.

    Half, because people are not seen equally long.
    """
    count = sum(len(of_bag) for of_bag in bags) / sum(len(tagged) for tagged in labels)
    return max(1, round(count / 2))


def _shared_out(frames: Floats, similar: Floats, votes: int) -> tuple[Floats, Floats]:
    """Share a bag's frames out among its tagged people.

    Args:
        frames: [n, d] of length 1.
        similar: [n, c], to the prototypes of the c people.
        votes: frames of each that count.

    Returns:
        A high feature of each [c, d], and how much the bag weighs for each [c]: the mean share of
        the frames that are most clearly theirs. Alone, a person gets the most similar frames.
    """
    share = softmax(SHARPNESS * similar, axis=1)
    order = _largest(share if similar.shape[1] > 1 else similar, votes)
    columns = np.arange(similar.shape[1])
    return _unit(frames[order].mean(axis=0)), share[order, columns].mean(axis=0)


def _tagged(
    bag: int, similar: Floats, tagged: Ints, elsewhere: Flags, logits: Floats, k: int
) -> list[tuple[float, Finding]]:
    """Return every tag of a bag with its suspicion: minus the person's lead over everybody else."""
    found = []
    # a prototype of this very bag, where it is the only one, would win every frame it is made of
    rivals = similar.copy()
    rivals[:, tagged[~elsewhere]] = -np.inf
    probabilities = np.exp(_log_probabilities(logits, k))
    for person, judged in zip(tagged.tolist(), elsewhere.tolist(), strict=True):
        if judged:
            lead = similar[:, person] - np.delete(rivals, person, axis=1).max(axis=1, initial=-1.0)
            value = -lead[_largest(lead[:, None], k)[:, 0]].mean()
        else:
            lead, value = similar[:, person], 1 - probabilities[person]
        shown = tuple(_largest(lead[:, None], EVIDENCE)[:, 0].tolist())
        found.append((float(value), Finding(bag, person, FALSE_TAG, 0.0, judged, shown)))
    return found


def _missing(
    bag: int, similar: Floats, tagged: Ints, tags: Ints, k: int
) -> list[tuple[float, Finding]]:
    """Return the likeliest missing people of a bag: their lead over the tagged ones.

    One after the other, each also over those before, so that several people who resemble the same
    stranger do not all stand at the top.
    """
    others = np.setdiff1d(np.flatnonzero(tags), tagged)
    best = similar[:, tagged].max(axis=1)
    found = []
    for _ in range(min(CANDIDATES, len(others))):
        lead = similar[:, others] - best[:, None]
        values = np.take_along_axis(lead, _largest(lead, k), axis=0).mean(axis=0)
        place = int(values.argmax())
        shown = tuple(_largest(lead[:, [place]], EVIDENCE)[:, 0].tolist())
        finding = Finding(bag, int(others[place]), MISSING_TAG, 0.0, True, shown)
        found.append((float(values[place]), finding))
        best = np.maximum(best, similar[:, others[place]])
        others = np.delete(others, place)
    return found


def _ranked(found: list[tuple[float, Finding]]) -> list[Finding]:
    """Turn suspicions into scores and sort."""
    scored = []
    for kind in KINDS:
        worst: dict[int, float] = {}
        for value, finding in found:
            if finding.kind == kind and finding.judged:
                worst[finding.bag] = max(value, worst.get(finding.bag, -np.inf))
        usual = float(np.median(list(worst.values()))) if worst else 0.0
        for value, finding in found:
            if finding.kind == kind:
                score = 1 / (1 + np.exp(-STEEPNESS * (value - usual))) if finding.judged else value
                scored.append(replace(finding, score=float(score)))
    return sorted(scored, key=lambda f: (not f.judged, -f.score, f.bag, f.kind, f.person))


def _total(
    highs: Sequence[Floats], weights: Sequence[Floats], labels: Sequence[Ints], people: int
) -> Floats:
    """Return the sum of each person's weighted high features over the bags, [C, d]."""
    total = np.zeros((people, highs[0].shape[1]))
    for high, weight, tagged in zip(highs, weights, labels, strict=True):
        total[tagged] += weight[:, None] * high
    return total


def _log_probabilities(logits: Floats, k: int) -> Floats:
    """Return the log of a bag's distribution over people (WL Eq. 2 and its softmax), [C]."""
    pooled = np.take_along_axis(logits, _largest(logits, k), axis=0).mean(axis=0)
    return log_softmax(pooled.astype(np.float64))


def _largest(values: Floats, count: int) -> Ints:
    """Return the rows of the largest values of each column, largest first, [min(n, count), c]."""
    return np.argsort(-values, axis=0, kind="stable")[:count]


def _unit(vectors: Floats) -> Floats:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


def _check_bags(logits: Sequence[Floats], labels: Sequence[Ints]) -> None:
    if not logits:
        raise ReidError("no bag: there is nothing to audit")
    for bag, (scores, tagged) in enumerate(zip(logits, labels, strict=True)):
        if len(scores) == 0 or len(tagged) == 0:
            what = "frame" if len(scores) == 0 else "label"
            raise ReidError(f"bag {bag} has no {what}; leave it out of the bags")
        if tagged.min() < 0 or tagged.max() >= scores.shape[1]:
            raise ReidError(
                f"bag {bag} has a label outside the classifier's {scores.shape[1]} people; "
                f"audit a model with the bags that it was trained on"
            )
