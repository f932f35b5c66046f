"""Both protocols from tables, against loops written from their definitions."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from weakreid.errors import ReidError
from weakreid.retrieval.calibration import calibrate, side_of
from weakreid.retrieval.measure import Frames, measure_coarse, measure_fine
from weakreid.stages.evaluate import _checked

HOW: dict[str, Any] = {"memory_bytes": 1 << 20, "unit": "frames", "threads": 1, "keep": 50}


def make(seed: int, block: int) -> tuple[Frames, pd.DataFrame, pd.DataFrame, np.ndarray]:
    """A split of small tracklets, its coarse bags, and its features.

    Image rows are not frame positions, a bag's tracklets lie apart in the features' order, and
    some frames of a tracklet are in no bag.
    """
    rng = np.random.default_rng(seed)
    persons = rng.integers(0, 5, 24)
    tracklets = pd.DataFrame(
        {
            "tracklet_id": np.arange(24) * 3 + 1,
            "person_id": persons,
            "camera_id": rng.integers(1, 4, 24),
            "role": ["query" if i % 3 == 0 else "gallery" for i in range(24)],
        }
    )
    counts = rng.integers(1, 6, 24)
    ids = np.repeat(tracklets["tracklet_id"].to_numpy(), counts)
    images = 1000 + 7 * np.arange(len(ids))
    features = rng.normal(size=(len(ids), 6)).astype(np.float32)
    inside = tracklets[tracklets["person_id"] > 0].sample(frac=1.0, random_state=seed)
    probes = inside.groupby("person_id").head(1)
    rest = inside.drop(probes.index)
    rows = []
    for row in probes.itertuples():
        own = [row.tracklet_id]
        rows.append(("probe", [row.person_id], images[ids == row.tracklet_id], own))
    for at in range(0, len(rest), 3):
        group = rest.iloc[at : at + 3]
        kept = [rng.permutation(images[ids == t])[:3] for t in group["tracklet_id"]]
        own = group["tracklet_id"].tolist()
        rows.append(("gallery", sorted(set(group["person_id"])), np.concatenate(kept), own))
    bags = pd.DataFrame(rows, columns=["role", "labels", "frames", "tracklet_ids"])
    bags["bag_id"] = np.arange(len(bags))

    def blocks():
        return (features[at : at + block] for at in range(0, len(features), block))

    return Frames(images, ids, blocks), tracklets, bags, features


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_coarse_is_the_minimum_over_a_bags_frames(metric: str, block: int) -> None:
    for seed in range(5):
        frames, _, bags, features = make(seed, block)
        place = {image: row for row, image in enumerate(frames.images)}
        result, probes, gallery = measure_coarse(frames, bags, metric=metric, **HOW)

        def distance(a: np.ndarray, b: np.ndarray) -> float:
            if metric == "cosine":
                return 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            return float(np.linalg.norm(a - b))

        for probe, top, distances, nearest in zip(
            probes.itertuples(),
            result.top_gallery,
            result.top_distances,
            result.top_frames,
            strict=True,
        ):
            mean = np.mean([features[place[i]] for i in probe.frames], axis=0)
            wanted = {}
            for bag in gallery.itertuples():
                each = {i: distance(mean, features[place[i]]) for i in bag.frames}
                best = min(each, key=each.get)
                wanted[bag.Index] = (each[best], best)
            order = sorted(wanted, key=lambda bag: wanted[bag][0])
            assert list(top) == order
            np.testing.assert_allclose(distances, [wanted[b][0] for b in order], atol=2e-3)
            assert list(nearest) == [wanted[b][1] for b in order]


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize("block", [1, 7, 1000])
def test_coarse_of_clips_is_the_minimum_over_those_of_a_bags_tracklets(
    metric: str, block: int
) -> None:
    for seed in range(3):
        frames, _, bags, features = make(seed, block)
        # two clips may stand under one image, and the images of a bag say nothing
        clips = frames._replace(images=frames.images // 20 * 20)
        bags["frames"] = [np.array([-1])] * len(bags)
        result, probes, gallery = measure_coarse(
            clips, bags, metric=metric, **{**HOW, "unit": "clips"}
        )

        def distance(a: np.ndarray, b: np.ndarray) -> float:
            if metric == "cosine":
                return 1 - a @ b / np.linalg.norm(a) / np.linalg.norm(b)
            return float(np.linalg.norm(a - b))

        for probe, top, distances, nearest in zip(
            probes.itertuples(),
            result.top_gallery,
            result.top_distances,
            result.top_frames,
            strict=True,
        ):
            mean = features[np.isin(clips.tracklet_ids, probe.tracklet_ids)].mean(axis=0)
            wanted = {}
            for bag in gallery.itertuples():
                inside = np.flatnonzero(np.isin(clips.tracklet_ids, bag.tracklet_ids))
                each = {row: distance(mean, features[row]) for row in inside}
                best = min(each, key=each.get)
                wanted[bag.Index] = (each[best], clips.images[best])
            order = sorted(wanted, key=lambda bag: wanted[bag][0])
            assert list(top) == order
            np.testing.assert_allclose(distances, [wanted[b][0] for b in order], atol=2e-3)
            assert list(nearest) == [wanted[b][1] for b in order]


def test_a_tracklet_of_a_bag_without_clips_is_named() -> None:
    frames, _, bags, _ = make(0, 10)
    bags["tracklet_ids"] = [*bags["tracklet_ids"][:-1], [998]]
    with pytest.raises(ReidError, match="tracklet 998 has no features"):
        measure_coarse(frames, bags, metric="cosine", **{**HOW, "unit": "clips"})


@pytest.mark.parametrize("block", [1, 7, 1000])
def test_fine_ranks_the_mean_features(block: int) -> None:
    frames, tracklets, _, features = make(3, block)
    result, queries, gallery = measure_fine(
        frames, tracklets, metric="euclidean", threads=1, keep=50
    )
    means = {t: features[frames.tracklet_ids == t].mean(axis=0) for t in tracklets["tracklet_id"]}
    for query, top in zip(queries.itertuples(), result.top_gallery, strict=True):
        if query.person_id == 0:  # a distractor has no match: skipped
            continue
        valid = gallery[
            (gallery["person_id"] != query.person_id) | (gallery["camera_id"] != query.camera_id)
        ]
        order = sorted(
            valid.index,
            key=lambda i: np.linalg.norm(
                means[gallery["tracklet_id"][i]] - means[query.tracklet_id]
            ),
        )
        assert list(top) == order


def test_by_the_official_rules_queries_are_in_the_gallery() -> None:
    frames, tracklets, _, _ = make(3, 7)
    how: dict[str, Any] = {"metric": "euclidean", "threads": 1, "keep": 1000}
    later, _, without = measure_fine(frames, tracklets, **how)
    found, queries, gallery = measure_fine(frames, tracklets, **how, rules="official")
    assert len(gallery) == len(without) + len(queries)
    assert found.queries == len(queries) > later.queries
    for query, top in zip(queries.itertuples(), found.top_gallery, strict=True):
        inside = query.tracklet_id in set(gallery["tracklet_id"].iloc[top])
        # a distractor is nobody, and nothing of his is left out
        assert inside == (query.person_id == 0)


def test_a_frame_without_features_is_named() -> None:
    frames, tracklets, bags, _ = make(0, 10)
    bags["frames"] = [*bags["frames"][:-1], np.array([5])]
    with pytest.raises(ReidError, match="image 5 has no features"):
        measure_coarse(frames, bags, metric="cosine", **HOW)
    tracklets["tracklet_id"] = tracklets["tracklet_id"].replace({4: 999})
    with pytest.raises(ReidError, match="tracklet 999 has no features"):
        measure_fine(frames, tracklets, metric="cosine", threads=1)


def test_a_split_without_queries_is_refused() -> None:
    frames, tracklets, bags, _ = make(0, 10)
    with pytest.raises(ReidError, match="no query tracklets"):
        measure_fine(frames, tracklets.assign(role="gallery"), metric="cosine", threads=1)
    with pytest.raises(ReidError, match="no probes"):
        measure_coarse(frames, bags[bags["role"] == "gallery"], metric="cosine", **HOW)


def test_a_calibration_is_held_against_people_who_are_known() -> None:
    frames, tracklets, _, _ = make(3, 7)
    rng = np.random.default_rng(1)
    ids = np.repeat(np.arange(1, 9), 4)
    learnt_from = side_of(rng.normal(size=(32, 6)), ids, rng.integers(0, 3, 32))
    meaning = calibrate(learnt_from, "cosine", [0.1])
    held = _checked(meaning, frames, tracklets)
    assert 0 < held["found"]["prior"] < 1
    # as by the official rules, where queries find each other
    tracklets.loc[tracklets["role"] == "gallery", "person_id"] = 0
    assert set(_checked(meaning, frames, tracklets)) == {"why"}
