"""What isolation sees and does, as in TMC's Figs. 3 and 4: frames of tracklets with id switches."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.manifold import TSNE

from weakreid.clustering.isolation import distances
from weakreid.errors import ReidError
from weakreid.report.figures import WRONG, named, style
from weakreid.seeding import derive, numpy_generator

CANDIDATES = 200
"""Tracklets to choose the examples from, at most."""
SHOWN = 300
"""Frames of a tracklet in its embedding, at most: evenly spread over it."""
FEWEST = 4
"""Frames that a tracklet must have: fewer make no embedding."""

_LINE, _SWITCH, _LEFT_OUT = "#4a5568", WRONG, "#8a94a6"
_LEGEND = 8

Floats = NDArray[np.floating[Any]]
Whole = NDArray[np.int64]


@dataclass(frozen=True)
class Example:
    """A tracklet with an id switch.

    Attributes:
        tracklet: its id before isolation.
        persons: [n], who is in its frames, in their order; 0 or less: nobody.
        similarity: [n - 1], cosine similarity of a frame and the next.
        shown: frames in the embedding, at most `SHOWN`, in order.
        places: [shown, 2], t-SNE of their features.
        parts: [n], the tracklet that isolation put a frame into; -1: left out.
    """

    tracklet: int
    persons: Whole
    similarity: Floats
    shown: Whole
    places: Floats
    parts: Whole

    @property
    def switches(self) -> NDArray[np.bool_]:
        """[n - 1]: whether the next frame shows somebody else."""
        return self.persons[1:] != self.persons[:-1]


def candidates(tracks: pd.DataFrame, seed: int) -> pd.DataFrame:
    """Return the frames of tracklets that examples may be chosen from.

    They show several people, for three frames each where there are such tracklets.

    Args:
        tracks: table "tracks" with the truth.
        seed: draws `CANDIDATES` of them where there are more.

    Raises:
        ReidError: no tracklet of `FEWEST` frames shows two people.
    """
    known = tracks[tracks["truth_person_id"] > 0]
    frames = known.groupby(["tracklet_id", "truth_person_id"]).size().groupby("tracklet_id")
    about = pd.DataFrame({"persons": frames.size(), "fewest": frames.min(), "all": frames.sum()})
    mixed = about[(about["persons"] > 1) & (about["all"] >= FEWEST)]
    if mixed.empty:
        raise ReidError(
            f"no tracklet of {FEWEST} frames or more is known to show two people: there is no id "
            "switch to draw; take a noise level with rSW above 1, or ask for "
            "isolated/NOISE-ISOLATION_preview.png"
        )
    clear = mixed[mixed["fewest"] >= 3]
    names = (mixed if clear.empty else clear).index.to_numpy()
    generator = numpy_generator(seed, "isolation figures")
    chosen = generator.permutation(names)[:CANDIDATES]
    return tracks[tracks["tracklet_id"].isin(chosen)].reset_index(drop=True)


def examples(
    rows: pd.DataFrame, features: Floats, isolated: pd.DataFrame, *, count: int, seed: int
) -> list[Example]:
    """Choose tracklets from where the similarity of neighbours tells best to where it misleads.

    It tells a switch where it is lower there than anywhere else. The first example has the largest
    margin of the two, the last the smallest (Fig. 3: one of each).

    Args:
        rows: from `candidates`.
        features: [rows, d], their features, of any length but 0.
        isolated: table "tracks", what isolation made of the tracklets.
        count: so many, fewer where there are no more.
        seed: of the embeddings.
    """
    part = isolated.set_index("image")["tracklet_id"]
    spans = [found for _, found in rows.groupby("tracklet_id").indices.items()]
    margins = [_margin(rows["truth_person_id"].to_numpy()[span], features[span]) for span in spans]
    # stable, so that equals come by tracklet_id
    order = np.argsort(-np.array(margins), kind="stable")
    picked = dict.fromkeys(order[np.linspace(0, len(spans) - 1, count).round().astype(int)])
    found = []
    for span in (spans[number] for number in picked):
        own = rows.iloc[span]
        shown = np.linspace(0, len(span) - 1, min(len(span), SHOWN)).round().astype(int)
        found.append(
            Example(
                tracklet=int(own["tracklet_id"].iloc[0]),
                persons=own["truth_person_id"].to_numpy(np.int64),
                similarity=_similarity(features[span]),
                shown=shown,
                places=embedding(features[span[shown]], seed),
                parts=part.reindex(own["image"]).fillna(-1).to_numpy(np.int64),
            )
        )
    return found


def embedding(features: Floats, seed: int) -> NDArray[np.float32]:
    """Return t-SNE of features [n, d] scaled to length 1, [n, 2]; n must be 2 or more.

    From rounded distances and a random start, by the exact method: the others sum in an order that
    depends on the number of threads.
    """
    perplexity = min(30.0, max(1.0, (len(features) - 1) / 3))
    tsne = TSNE(
        perplexity=perplexity,
        metric="precomputed",
        init="random",
        method="exact",
        random_state=derive(seed, "t-SNE") % 2**32,
    )
    return tsne.fit_transform(distances(features).round(6))


def similarity_figure(found: Sequence[Example], title: str) -> Figure:
    """Draw Fig. 3: frames coloured by person, beside the similarity of neighbouring frames."""
    figure, panels = _panels(len(found), title)
    for one, (left, right) in zip(found, panels, strict=True):
        _scatter(left, one, one.persons, "person")
        _title(left, one, "by person")
        steps = np.arange(1, len(one.persons))
        right.plot(steps, one.similarity, color=_LINE, linewidth=1.0, marker=".", markersize=3)
        switch = one.switches
        right.plot(
            steps[switch], one.similarity[switch], color=_SWITCH, linestyle="none", marker="o",
            markersize=5, label="switch of identity",
        )  # fmt: skip
        x, y = "frame of the tracklet, with the next one", "cosine similarity"
        named(right, "similarity of neighbouring frames", x, y)
        right.legend(fontsize=7, frameon=False)
    return figure


def clusters_figure(found: Sequence[Example], title: str) -> Figure:
    """Draw Fig. 4: the same frames coloured by person, and by what isolation put them into."""
    figure, panels = _panels(len(found), title)
    for one, (left, right) in zip(found, panels, strict=True):
        _scatter(left, one, one.persons, "person")
        _title(left, one, "by person")
        _scatter(right, one, one.parts, "part")
        names = np.unique(one.parts[one.parts >= 0])
        right.set_title(f"by isolation: {len(names)} in all", fontsize=9)
    return figure


def _panels(lines: int, title: str) -> tuple[Figure, NDArray[Any]]:
    figure = Figure(figsize=(7.2, 2.9 * lines + 0.3), layout="constrained")
    figure.suptitle(title, fontsize=10)
    return figure, figure.subplots(lines, 2, squeeze=False)


def _title(panel: Axes, one: Example, what: str) -> None:
    cut = "" if len(one.shown) == len(one.persons) else f", {len(one.shown)} shown"
    text = f"tracklet {one.tracklet} ({len(one.persons)} frames{cut}), {what}"
    panel.set_title(text, fontsize=9)


def _scatter(panel: Axes, one: Example, groups: Whole, what: str) -> None:
    """Draw an embedding in a colour per group; what is in none (nobody, left out) as crosses."""
    groups = groups[one.shown]
    bottom = 1 if what == "person" else 0
    for number, name in enumerate(np.unique(groups[groups >= bottom]).tolist()):
        own = style(number)
        # parts are numbered within the tracklet: their ids mean nothing to a reader
        label = f"person {name}" if what == "person" else f"part {number + 1}"
        panel.plot(
            *one.places[groups == name].T, color=own["color"], marker=own["marker"],
            linestyle="none", markersize=4, label=label if number < _LEGEND else None,
        )  # fmt: skip
    none = groups < bottom
    if none.any():
        label = "nobody" if what == "person" else "left out"
        panel.plot(
            *one.places[none].T, color=_LEFT_OUT, linestyle="none", marker="x", markersize=4,
            label=label,
        )  # fmt: skip
    panel.set_xticks([])
    panel.set_yticks([])
    panel.set_xlabel("t-SNE of the frames' features (no unit)", fontsize=7)
    panel.legend(fontsize=7, frameon=False)


def _similarity(features: Floats) -> Floats:
    wide = features.astype(np.float64)
    wide /= np.linalg.norm(wide, axis=1, keepdims=True)
    return np.einsum("ij,ij->i", wide[1:], wide[:-1])


def _margin(persons: Whole, features: Floats) -> float:
    """Lowest similarity within a person less the highest across a switch."""
    similarity = _similarity(features)
    switch = persons[1:] != persons[:-1]
    # at most one of the two is empty: a tracklet here has two people
    within = similarity[~switch].min() if (~switch).any() else 1.0
    return float(within - similarity[switch].max())
