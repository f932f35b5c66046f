"""Temporal weights against what is really visible, on generated truth."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import scipy.stats

from weakreid.artifacts import schemas
from weakreid.attributes import PARTS
from weakreid.config.params import ShowVisibility
from weakreid.datasets.walkers.layout import FRAME_SCHEMA
from weakreid.errors import ReidError
from weakreid.report import visibility
from weakreid.seeding import numpy_generator
from weakreid.stages import visibility as stage
from weakreid.supervision.visible import shares_of

TRACKLETS, LENGTH = 12, 8
FRAMES = TRACKLETS * LENGTH


def truth() -> pd.DataFrame:
    """Frames of which every part is visible to a random share; the last tracklet is junk."""
    generator = numpy_generator(1, "truth")
    tracklet = np.repeat(np.arange(TRACKLETS), LENGTH)
    rows = pd.DataFrame(dict.fromkeys(FRAME_SCHEMA.names, 0), index=range(FRAMES))
    parts = {part: generator.uniform(size=FRAMES) for part in ("head", "up", "low", "shoes")}
    rows = rows.assign(split="test", **parts, tracklet=tracklet, frame=range(FRAMES))
    rows["person_id"] = np.where(tracklet == TRACKLETS - 1, -1, tracklet)
    return rows.assign(file=[f"{place:04d}C1T0001F001.jpg" for place in range(FRAMES)])


def frames() -> pd.DataFrame:
    """The same frames in another order in the store."""
    return pd.DataFrame(
        {
            "image": np.arange(FRAMES)[::-1],
            "file": [f"bbox_test/0001/{name}" for name in truth()["file"]],
        }
    )


def weights(groups: tuple[str, ...], power: float = 1.0, noise: float = 0.0) -> pd.DataFrame:
    """Weights that follow what is visible of the groups' parts, to a power."""
    shares = truth()
    generator = numpy_generator(2, "weights")
    found = []
    for group in groups:
        part = PARTS.get(group)
        seen = shares[["head", "up", "low", "shoes"]].mean(axis=1) if part is None else shares[part]
        raw = (seen.to_numpy() + noise * generator.uniform(size=FRAMES)) ** power
        raw = raw.reshape(TRACKLETS, LENGTH)
        found.append(
            pd.DataFrame(
                {
                    "tracklet_id": np.repeat(np.arange(TRACKLETS), LENGTH),
                    "clip": 0,
                    "position": np.tile(np.arange(LENGTH), TRACKLETS),
                    "image": np.arange(FRAMES)[::-1],
                    "group": group,
                    "weight": (raw / raw.sum(axis=1, keepdims=True)).ravel().astype(np.float32),
                }
            )
        )
    return pd.concat(found, ignore_index=True)


GROUPS = ("gender_age", "head_shoulder", "up_body", "low_body", "shoes")


def test_weights_that_follow_what_is_visible() -> None:
    shares = shares_of(frames(), truth())
    found = visibility.relations(weights(GROUPS), shares, seed=0)
    assert list(found["groups"]) == list(GROUPS[1:])
    assert found["left_out"] == ["gender_age"]
    for group, own in found["groups"].items():
        assert own["part"] == PARTS[group]
        # junk is left out
        assert (own["tracklets"], own["clips"], own["frames"]) == (11, 11, 88)
        assert own["clips_of_equal_weights"] == own["clips_without_variation"] == 0
        assert own["within"] == {"value": 1.0, "low": 1.0, "high": 1.0}
        assert own["seen"]["value"] > 1 > own["hidden"]["value"]
        assert own["difference"]["low"] > 0
        assert sum(one["frames"] for one in own["bins"]) == 88


def test_against_scipy() -> None:
    rows = visibility.joined(weights(("shoes",), 0.5, noise=1.0), shares_of(frames(), truth()))
    own = visibility.relation(rows, seed=0)
    each = [
        scipy.stats.spearmanr(clip["weight"], clip["visible"]).statistic
        for _, clip in rows.groupby("tracklet_id")
    ]
    assert own["within"]["value"] == pytest.approx(np.mean(each))
    pooled = scipy.stats.spearmanr(rows["weight"], rows["visible"]).statistic
    assert own["pooled"]["value"] == pytest.approx(pooled)
    hidden = rows["visible"] < 0.5
    assert own["hidden_frames"] == hidden.sum()
    assert own["hidden"]["value"] == pytest.approx(rows["weight"][hidden].mean())
    assert own["seen"]["value"] == pytest.approx(rows["weight"][~hidden].mean())
    for name in ("within", "pooled", "hidden", "seen", "difference"):
        assert own[name]["low"] < own[name]["value"] < own[name]["high"]
    for one in own["bins"]:
        inside = rows["visible"].between(one["visible_from"], one["visible_to"], inclusive="left")
        assert one["frames"] == inside.sum()
        assert one["weight"]["value"] == pytest.approx(rows["weight"][inside].mean())


def test_one_weight_per_frame_is_held_against_all_parts() -> None:
    shares = shares_of(frames(), truth())
    found = visibility.relations(weights(("all",)), shares, seed=0)["groups"]["all"]
    assert found["part"] == "mean of head, up, low, shoes"
    assert found["within"]["value"] == 1.0


def test_equal_weights_have_no_correlation() -> None:
    # equal but for float32's rounding
    equal = weights(("shoes",))
    jitter = np.where(np.arange(FRAMES) % 2, 1.0, 1 + 1e-7)
    equal["weight"] = (jitter / LENGTH).astype(np.float32)
    own = visibility.relations(equal, shares_of(frames(), truth()), 0)["groups"]["shoes"]
    assert own["clips_of_equal_weights"] == own["clips_without_variation"] == own["clips"] == 11
    assert own["within"] is None
    assert own["pooled"] is None
    assert own["seen"]["value"] == pytest.approx(1.0)


def test_nothing_hidden() -> None:
    whole = truth().assign(shoes=1.0)
    own = visibility.relations(weights(("shoes",)), shares_of(frames(), whole), 0)
    found = own["groups"]["shoes"]
    assert (found["hidden"], found["difference"], found["hidden_frames"]) == (None, None, 0)
    assert found["clips_without_variation"] == 11
    assert [one["frames"] for one in found["bins"]] == [0] * 7 + [88]


def test_bad_input() -> None:
    shares = shares_of(frames(), truth())
    with pytest.raises(ReidError, match=r"F001\.jpg is not in the truth \(96 such frames\)"):
        shares_of(frames(), truth().assign(file="x" + truth()["file"]))
    with pytest.raises(ReidError, match="the weights are of gender_age, the parts of head_shou"):
        visibility.joined(weights(("gender_age",)), shares)
    with pytest.raises(ReidError, match="the weights have image 7, which the frames have not"):
        visibility.joined(weights(("shoes",)), shares.drop(index=7))
    with pytest.raises(ReidError, match="only junk"):
        visibility.joined(weights(("shoes",)), shares.assign(person_id=-1))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = weights((*GROUPS, "all"), 0.5, noise=0.3)
    schemas.write(tmp_path / "weights.parquet", "frame_weights", made, {})
    rows = frames().assign(tracklet_id=0, position=0, truth_person_id=0)
    schemas.write(tmp_path / "frames.parquet", "frames", rows, {})
    pq.write_table(
        pa.Table.from_pandas(truth(), schema=FRAME_SCHEMA, preserve_index=False),
        tmp_path / "truth.parquet",
    )
    return tmp_path


def run(folder: Path, out: str, **changes: Any) -> tuple[bytes, bytes]:
    paths = {name: folder / f"{name}.parquet" for name in ("weights", "frames", "truth")}
    made = folder / f"{out}.svg", folder / f"{out}.json"
    params = ShowVisibility(title="Weights and what is seen")
    stage.main(**{**paths, **changes}, params=params, plot=made[0], out=made[1])
    return made[0].read_bytes(), made[1].read_bytes()


def test_the_stage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drawn, written = run(folder, "one")
    found = json.loads(written)
    assert list(found["groups"]) == [*GROUPS[1:], "all"]
    assert b"Head-Shoulder" in drawn
    assert "shoes: ρ within clips 0." in capsys.readouterr().err
    assert run(folder, "again") == (drawn, written)


def test_the_stage_refuses(folder: Path) -> None:
    with pytest.raises(ReidError, match=r"none\.parquet: no such file; only generated datasets"):
        run(folder, "x", truth=folder / "none.parquet")
    with pytest.raises(ReidError, match=r"frames\.parquet: not a generated dataset's truth"):
        run(folder, "x", truth=folder / "frames.parquet")
    (folder / "cut.parquet").write_bytes(b"PAR1")
    with pytest.raises(ReidError, match="not a whole Parquet file"):
        run(folder, "x", truth=folder / "cut.parquet")


def test_one_tracklet_gives_no_bounds() -> None:
    rows = visibility.joined(weights(("shoes",)), shares_of(frames(), truth()))
    own = visibility.relation(rows[rows["tracklet_id"] == 3], seed=0)
    assert own["within"] == {"value": 1.0, "low": None, "high": None}
    alone = [one for one in own["bins"] if one["frames"]]
    assert {one["tracklets"] for one in alone} == {1}
    assert visibility.plot({"groups": {"shoes": {"part": "shoes", **own}}}, "T").axes
