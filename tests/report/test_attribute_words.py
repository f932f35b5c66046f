"""What somebody looks like, in words, and where these words are shown."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.report.test_audit import BAGS, FINDINGS
from tests.training.helpers import BAGS as BAGS_MADE
from tests.training.helpers import (
    FRAMES_PER_BAG,
    make_data,
    make_images,
    method,
    run_here,
    settings_put_back,
)

from weakreid.artifacts import schemas
from weakreid.attributes import NAMES
from weakreid.config.params import AuditLabels, Matches
from weakreid.errors import ReidError
from weakreid.report import attribute_words, audit
from weakreid.report.attribute_words import appearance, certainty, differences, word
from weakreid.report.matches import Item, with_attributes
from weakreid.stages import audit as audit_stage
from weakreid.stages import matches as matches_stage

SOME = ("Female", "hs-Hat", "up-Red", "attach-Box")


def test_words() -> None:
    assert [word(name) for name in SOME] == ["Female", "Hat", "up-Red", "attach-Box"]
    assert [word(name, False) for name in SOME] == ["Male", None, None, None]


@pytest.mark.parametrize("threshold", [0.0, 0.3, 0.5, 1.0])
def test_certainty(threshold: float) -> None:
    known = certainty([0.0, threshold, 1.0], threshold)
    assert known[1] == 0
    assert known[0] == (0 if threshold == 0 else 1)
    assert known[2] == (0 if threshold == 1 else 1)


def test_the_most_certain_first() -> None:
    assert appearance([0.1, 0.6, 0.95, 0.2], SOME, 0.5) == ["up-Red", "Male", "Hat"]
    # by how far it is from the threshold, not by its size
    assert appearance([0.3, 0.35, 0.2, 0.0], SOME, 0.3) == ["Hat", "Female"]
    assert appearance([0.5] * 4, ("hs-Hat", "up-Red", "up-Blue", "low-Red"), 0.9) == []


def test_no_more_words_than_people_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attribute_words, "MOST", 2)
    query, other = [0.9, 0.1, 0.6, 0.7], [0.2, 0.9, 0.4, 0.8]
    assert appearance([0.1, 0.6, 0.95, 0.2], SOME, 0.5) == ["up-Red", "Male"]
    assert differences(other, query, SOME, 0.5) == ["−Hat", "+Female"]


def test_differences() -> None:
    query, other = [0.9, 0.1, 0.6, 0.7], [0.2, 0.9, 0.4, 0.8]
    assert differences(query, other, SOME, 0.5) == ["+Hat", "+Male", "−up-Red"]


@given(st.lists(st.floats(0, 1, width=32), min_size=66, max_size=66), st.floats(0, 1))
def test_nobody_differs_from_oneself(values: list[float], threshold: float) -> None:
    assert differences(values, values, NAMES, threshold) == []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(attribute_words, "MOST", 99)
        found = appearance(values, NAMES, threshold)
    assert len(found) == len(set(found))
    assert ("Female" in found) != ("Male" in found)


VOTES = {2: [0.9, 0.1, 0.6, 0.7], 4: [0.2, 0.9, 0.4, 0.8], 5: [0.8, 0.2, 0.6, 0.7]}
RANKING = {"query": 2, "person_id": 7, "gallery": [4, 5, 6, 4]}


def test_captions_of_matches() -> None:
    line = [Item(title, [0]) for title in ("query", "4", "5", "6")]
    ((query, *others),) = with_attributes([line], [RANKING], VOTES, SOME, 0.5)
    assert query.caption == "Female, attach-Box, up-Red"
    # a distractor has no votes
    captions = [item.caption for item in others]
    assert captions == ["+Hat, +Male, −up-Red", "looks the same", ""]
    with pytest.raises(ReidError, match="the votes have no tracklet 2, a query"):
        with_attributes([line], [RANKING], {}, SOME, 0.5)


def test_the_audits_list_says_what_the_evidence_attributes_like() -> None:
    tracklet_of = {100 + row: 1 + row // 10 for row in range(210)}
    votes = {1: [0.9, 0, 0, 0], 2: [0.9, 0, 1, 0], 11: [0, 0, 0, 1]}
    seen = audit.evidence_attributes(FINDINGS, tracklet_of, votes, SOME, 0.5)
    # the third's evidence are two frames of one tracklet, that of the fifth has no votes
    assert seen[1:5] == ["Female", "Female", "", ""]
    assert seen[0] == "Male, attach-Box"
    text = audit.listing("study", FINDINGS, BAGS, 20, seen)
    heads, _, first, *_ = (line for line in text.splitlines() if line.startswith("|"))
    assert heads.endswith("looks like |")
    assert first.endswith("Male, attach-Box |")
    assert "Looks like: what a network recognised" in text
    with pytest.raises(ReidError, match="no frame of the findings has votes"):
        audit.evidence_attributes(FINDINGS, {}, votes, SOME, 0.5)


def test_frames_count_each() -> None:
    findings = pd.DataFrame({"evidence": [[0, 1, 2]]})
    # two of three frames are red
    votes = {7: [0.0, 0.0, 0.9, 0.0], 8: [0.0, 0.0, 0.0, 0.0]}
    of_image = {0: 7, 1: 8, 2: 7}
    assert audit.evidence_attributes(findings, of_image, votes, SOME, 0.5) == ["Male, up-Red"]


def test_the_audit_stage_with_votes(tmp_path: Path) -> None:
    data = make_data(tmp_path)
    model = run_here(data, tmp_path / "out", method(schedule__epochs=1)) / "model.safetensors"
    # the dataset's tracklets, other than the bags': a frame each
    count = BAGS_MADE * FRAMES_PER_BAG
    frames = {
        "tracklet_id": range(100, 100 + count),
        "position": [0] * count,
        "file": [f"{image}.jpg" for image in range(count)],
        "image": range(count),
        "truth_person_id": [0] * count,
    }
    votes = {
        "tracklet_id": range(100, 100 + count),
        "person_id": [1] * count,
        "frame_count": [1] * count,
        "probabilities": [[0.8, 0.0, 0.9, 0.0]] * count,
    }
    schemas.write(tmp_path / "frames.parquet", "frames", frames, {})
    schemas.write(tmp_path / "votes.parquet", "attribute_votes", votes, {"attributes": SOME})

    def audited(name: str, **more: Path) -> tuple[str, bytes]:
        out = tmp_path / name
        block = {"experiment": "toy", "frames": 64, "top": 3, "threshold": 0.5}
        with settings_put_back():
            audit_stage.main(
                model=model,
                bags=data / "bags.parquet",
                images=data / "images.arrow",
                params=AuditLabels.model_validate(block),
                device="cpu",
                threads=1,
                out=out / "audit.parquet",
                markdown=out / "audit.md",
                picture=out / "audit.png",
                **more,
            )
        return (out / "audit.md").read_text(), (out / "audit.parquet").read_bytes()

    votes_at, frames_at = tmp_path / "votes.parquet", tmp_path / "frames.parquet"
    plain, findings = audited("plain")
    seen, same = audited("seen", votes=votes_at, frames=frames_at)
    assert same == findings
    assert "looks like" not in plain
    assert seen.count("up-Red, Female |") == 3
    with pytest.raises(ReidError, match="--votes needs --frames"):
        audited("without", votes=votes_at)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_images(tmp_path / "images.arrow", 12)
    tracklets = {
        "tracklet_id": range(6),
        "person_id": [1, 1, 2, 2, 0, 3],
        "camera_id": [1, 2, 1, 2, 2, 2],
        "role": ["query", "gallery"] * 2 + ["gallery"] * 2,
        "first_frame": range(0, 12, 2),
        "frame_count": [2] * 6,
    }
    frames = {
        "tracklet_id": np.repeat(range(6), 2),
        "position": [0, 1] * 6,
        "file": [f"{image}.jpg" for image in range(12)],
        "image": range(12),
        "truth_person_id": [0] * 12,
    }
    bags = {
        "bag_id": [0, 1],
        "role": ["probe", "gallery"],
        "camera_id": [1, 2],
        "tracklet_ids": [[0], [1, 3]],
        "frames": [[0, 1], [2, 3, 6, 7]],
        "frame_tracklets": [[0, 0], [1, 1, 3, 3]],
        "labels": [[1], [1, 2]],
        "truth_frame_persons": [[1, 1], [1, 1, 2, 2]],
    }
    rankings = {
        "protocol": ["fine", "coarse"],
        "query": [0, 0],
        "person_id": [1, 1],
        "average_precision": [1.0, 1.0],
        "first_match": [1, 1],
        "gallery": [[1, 4, 5], [1]],
        "distances": [[0.1, 0.2, 0.3], [0.1]],
        "matches": [[True, False, False], [True]],
        "frames": [[], [2]],
    }
    for name, kind, data in (
        ("tracklets", "tracklets", tracklets),
        ("frames", "frames", frames),
        ("coarse", "bags", bags),
        ("rankings", "rankings", rankings),
    ):
        params = {"metric": "cosine"} if name == "rankings" else {}
        schemas.write(tmp_path / f"{name}.parquet", kind, data, params)
    return tmp_path


def write_votes(folder: Path, persons: list[int]) -> Path:
    votes = {
        "tracklet_id": [0, 1, 2, 3, 5],
        "person_id": persons,
        "frame_count": [2] * 5,
        "probabilities": [[0.9, 0.1, 0.6, 0.7], *[[0.2, 0.9, 0.4, 0.8]] * 4],
    }
    schemas.write(folder / "votes.parquet", "attribute_votes", votes, {"attributes": SOME})
    return folder / "votes.parquet"


def drawn(folder: Path, **more: Any) -> tuple[bytes, bytes]:
    block = {"experiment": "x", "seed": 1, "queries": 2, "items": 3, "threshold": 0.5}
    paths = {
        name: folder / f"{name}.parquet" for name in ("rankings", "tracklets", "frames", "coarse")
    }
    made = folder / "fine.svg", folder / "coarse.svg"
    matches_stage.main(
        **paths,
        images=folder / "images.arrow",
        params=Matches.model_validate(block),
        fine_out=made[0],
        coarse_out=made[1],
        **more,
    )
    return made[0].read_bytes(), made[1].read_bytes()


def test_the_matches_stage_with_votes(folder: Path) -> None:
    plain, bags = drawn(folder)
    assert b"+Hat" not in plain
    votes = write_votes(folder, [1, 1, 2, 2, 3])
    fine, same = drawn(folder, votes=votes)
    assert b"+Hat, +Male, " in fine
    assert b"Female, attach-Box, up-Red" in fine
    assert same == bags
    # whose tracklets they are is not looked at
    again = write_votes(folder, [9] * 5)
    assert drawn(folder, votes=again) == (fine, bags)
