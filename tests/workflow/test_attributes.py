"""Attributes through the workflow: learnt on a source, voted for persons, learnt from, shown."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tests.workflow.steps import call, jobs_of

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.attributes import GROUPS, NAMES, TITLES
from weakreid.training.checkpoint import load_weights

pytestmark = pytest.mark.slow

DATASET = "results/datasets/walkers_tiny"
SPLIT = f"{DATASET}/official"
SOURCE = "results/sources/tiny"
TRANSFERRED = "results/attributes/tiny/walkers_tiny/official-1"
RUN = "results/wl_tiny/runs/official-1"
OF_CLIPS = "results/mini_attr_walkers_tiny/runs/official-1"
EXPERIMENT = "results/mini_attr_walkers_tiny"
WITHOUT = f"{EXPERIMENT}_a/runs/official-1"


@pytest.fixture
def work(tiny, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Be in the tiny project's folder."""
    monkeypatch.chdir(tiny.folder)
    return tiny.folder


def read_json(path: str) -> Any:
    return json.loads(Path(path).read_text(encoding="utf-8"))


def read(path: str, kind: str) -> pd.DataFrame:
    return schemas.read_frame(Path(path), kind)


def lines_of(path: str) -> dict[str, list[str]]:
    """Return the cells of a Markdown file's tables, by the first of each line."""
    text = Path(path).read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in text.splitlines()
        if line.startswith("|")
    ]
    return {label: rest for label, *rest in cells}


def matrix(path: str) -> pd.DataFrame:
    """Return a table of labels with a row per person and a column per attribute."""
    rows = read(path, "attribute_labels")
    return rows.set_index(["person_id", "attribute"])["label"].unstack()  # noqa: PD010


def made_with(root: str) -> pd.DataFrame:
    """Return what generated people were made with, by person."""
    return pd.read_parquet(f"{root}/generated/truth/persons.parquet").set_index("person_id")


# --- the source -----------------------------------------------------------------------------------


def test_a_source_s_pictures_carry_what_their_people_were_made_with(work: Path) -> None:
    rows = read(f"{SOURCE}/pictures.parquet", "pictures")
    names = schemas.read_params(Path(f"{SOURCE}/pictures.parquet"))["attributes"]
    assert names == [name for name in NAMES if name not in ("Age17-30", "Age31-45")]
    truth = made_with(SOURCE)[names]
    assert rows["split"].value_counts().to_dict() == {"train": 24, "test": 8}
    with ImageStore(Path(f"{SOURCE}/images.arrow")) as store:
        assert len(store) == 32
        for row in rows.to_dict("records"):
            assert row["labels"].tolist() == truth.loc[row["person_id"]].tolist()
            assert (
                store.encoded(row["image"]) == Path(f"{SOURCE}/generated", row["file"]).read_bytes()
            )


def test_what_is_learnt_is_what_training_pictures_differ_in(work: Path) -> None:
    rows = read(f"{SOURCE}/pictures.parquet", "pictures")
    names = schemas.read_params(Path(f"{SOURCE}/pictures.parquet"))["attributes"]
    shares = np.stack(rows.loc[rows["split"] == "train", "labels"].tolist()).mean(axis=0)
    _, about = load_weights(Path(f"{TRANSFERRED}/model.safetensors"))
    differing = {name: share for name, share in zip(names, shares, strict=True) if 0 < share < 1}
    assert dict(zip(about.attributes, about.ratios, strict=True)) == pytest.approx(differing)
    assert set(about.left_out) == set(names) - set(differing)
    # a group that nothing is left of would refuse a training
    assert all(set(group) & set(differing) for group in GROUPS.values())


def test_the_groups_and_their_extremes(work: Path) -> None:
    lines = lines_of("results/tables/mini_groups/table.md")
    assert set(TITLES.values()) <= set(lines)
    assert "Female 0." in lines["Gender & Age"][-2] + lines["Gender & Age"][-3]


# --- from votes to labels -------------------------------------------------------------------------


def test_a_person_s_labels_are_the_votes_of_all_their_frames(work: Path) -> None:
    tracklets = read(f"{SPLIT}/tracklets.parquet", "tracklets")
    frames = read(f"{DATASET}/frames.parquet", "frames")
    votes = read(f"{TRANSFERRED}/votes.parquet", "attribute_votes")
    shown = tracklets[tracklets["role"] != "junk"]
    assert votes["tracklet_id"].tolist() == sorted(shown["tracklet_id"])
    counts = frames["tracklet_id"].value_counts()
    assert votes["frame_count"].tolist() == counts[votes["tracklet_id"]].tolist()
    labels = read(f"{TRANSFERRED}/labels.parquet", "attribute_labels")
    names = schemas.read_params(Path(f"{TRANSFERRED}/votes.parquet"))["attributes"]
    # distractors are nobody
    assert set(labels["person_id"]) == set(shown.loc[shown["person_id"] > 0, "person_id"])
    for person, rows in labels.groupby("person_id"):
        own = votes[votes["person_id"] == person]
        of_tracklets = np.stack(own["probabilities"].tolist())
        mean = np.average(of_tracklets, axis=0, weights=own["frame_count"])
        assert rows["attribute"].tolist() == names
        np.testing.assert_allclose(rows["probability"], mean, rtol=1e-5)
        assert rows["label"].tolist() == (rows["probability"] >= 0.5).astype(int).tolist()
    assert 0 < labels["label"].mean() < 1


def test_the_truth_is_what_people_were_made_with(work: Path) -> None:
    found, truth = matrix(f"{DATASET}/attributes.parquet"), made_with(DATASET)
    tracklets = read(f"{SPLIT}/tracklets.parquet", "tracklets")
    assert set(found.index) == set(tracklets.loc[tracklets["person_id"] > 0, "person_id"])
    assert (
        found.equals(truth.loc[found.index, found.columns].astype(np.int8))
        or (found.to_numpy() == truth.loc[found.index, found.columns].to_numpy()).all()
    )


@pytest.mark.parametrize("transfer", ["tiny", "tiny_bce"])
def test_how_right_labels_are(transfer: str, work: Path) -> None:
    folder = f"results/attributes/{transfer}/walkers_tiny/official-1"
    found, truth = matrix(f"{folder}/labels.parquet"), matrix(f"{DATASET}/attributes.parquet")
    tracklets = read(f"{SPLIT}/tracklets.parquet", "tracklets")
    quality = read_json(f"{folder}/quality.json")
    shared = quality["attributes"]
    assert set(shared) == set(found.columns)
    training = set(tracklets.loc[tracklets["role"] == "train", "person_id"])
    for role, persons in (
        ("train", sorted(training)),
        ("test", sorted(set(found.index) - training)),
    ):
        right = found.loc[persons, shared].to_numpy() == truth.loc[persons, shared].to_numpy()
        assert quality[role]["persons"] == len(persons)
        assert quality[role]["accuracy"] == pytest.approx(100 * right.mean(), abs=0.006)
        assert set(quality[role]["groups"]) == set(GROUPS)
    lines = lines_of("results/tables/mini_labels/walkers_tiny/table.md")
    assert {"BCE", "WBCE+MMD", "majority of the source"} <= set(lines)


def test_the_transfers_of_a_study_differ(work: Path) -> None:
    blocks = {
        name: read(f"results/attributes/{name}/walkers_tiny/official-1/history.parquet", "history")
        for name in ("tiny", "tiny_bce")
    }
    assert "mmd" in set(blocks["tiny"]["term"])
    assert "mmd" not in set(blocks["tiny_bce"]["term"])
    # no training learns from the latter's labels
    assert not Path(f"{EXPERIMENT}_bce").exists()
    # and f is the study's own method, which is trained once
    assert not Path(f"{EXPERIMENT}_f").exists()


# --- from labels to metrics -----------------------------------------------------------------------


def test_metrics_of_learning_from_clips(work: Path) -> None:
    metrics = read_json(f"{EXPERIMENT}/metrics.json")
    named = {name: metrics.get(name) for name in ("dataset", "bags", "noise", "transfer", "method")}
    assert named == {
        "dataset": "walkers_tiny",
        "bags": None,
        "noise": None,
        "transfer": "tiny",
        "method": "tiny_clips",
    }
    found = metrics["config"]
    assert found["method"]["learns"] == "clips"
    assert found["method"]["aggregation"]["sigma"] == 0.5
    assert found["transfer"]["loss"] == "wbce"
    assert found["source"]["train_persons"] == 12
    assert "bags" not in found
    for protocol in ("fine", "coarse"):
        assert 0 < metrics[protocol]["mAP"] < 100
    without = read_json(f"{EXPERIMENT}_a/metrics.json")
    assert "transfer" not in without
    assert not {"transfer", "source"} & set(without["config"])
    truly = read_json(f"{EXPERIMENT}_truth/metrics.json")["config"]
    assert truly["transfer"] == {"labels": "truth"}
    assert "source" not in truly


def test_a_clip_is_the_unit_of_both_protocols(work: Path) -> None:
    tracklets = read(f"{SPLIT}/tracklets.parquet", "tracklets")
    searched = tracklets[tracklets["role"].isin(["query", "gallery"])]
    shown = read(f"{OF_CLIPS}/features.parquet", "features")
    # a clip of two frames of each tracklet, under the image of its middle
    assert shown["tracklet_id"].tolist() == sorted(searched["tracklet_id"])
    weights = read(f"{OF_CLIPS}/weights.parquet", "frame_weights")
    middles = weights[weights["group"] == "shoes"].groupby("tracklet_id")["image"].nth(1)
    assert shown["image"].tolist() == middles.tolist()
    rankings = read(f"{OF_CLIPS}/rankings.parquet", "rankings")
    assert schemas.read_params(Path(f"{OF_CLIPS}/rankings.parquet"))["unit"] == "clips"
    metrics = read_json(f"{EXPERIMENT}/metrics.json")
    by_protocol = rankings["protocol"].value_counts()
    for protocol in ("fine", "coarse"):
        assert metrics[protocol]["queries"] == by_protocol[protocol]
    # the bag found is shown by one of its clips
    coarse = rankings[rankings["protocol"] == "coarse"]
    bags = read(f"{SPLIT}/coarse.parquet", "bags").set_index("bag_id")["tracklet_ids"]
    tracklet_of = shown.set_index("image")["tracklet_id"]
    for row in coarse.to_dict("records"):
        for bag, frame in zip(row["gallery"], row["frames"], strict=True):
            assert tracklet_of[frame] in bags[bag]
    # of those that learn from frames nothing is said: their files stay as they were
    of_frames = schemas.read_params(Path("results/wl_tiny/runs/official-1/rankings.parquet"))
    assert (of_frames)["unit"] == "frames"


def test_weights_of_a_clip_sum_to_one_in_each_group(work: Path) -> None:
    frames = read(f"{DATASET}/frames.parquet", "frames")
    place = frames.set_index("image")[["tracklet_id", "position"]]
    for run, groups in ((OF_CLIPS, sorted(GROUPS)), (WITHOUT, ["all"])):
        path = Path(f"{run}/weights.parquet")
        rows = read(str(path), "frame_weights")
        assert schemas.read_params(path)["groups"] == groups
        of_clip = rows.groupby(["tracklet_id", "clip", "group"])["weight"]
        assert (of_clip.size() == 2).all()
        np.testing.assert_allclose(of_clip.sum(), 1, atol=1e-6)
        kept = place.loc[rows["image"]]
        assert kept["tracklet_id"].tolist() == rows["tracklet_id"].tolist()
        assert kept["position"].tolist() == rows["position"].tolist()
        equal = np.allclose(rows["weight"], 0.5, atol=1e-6)
        assert equal == (run == WITHOUT)


def test_weights_beside_what_is_visible(work: Path) -> None:
    found = read_json(f"{OF_CLIPS}/visibility.json")
    assert set(found["groups"]) == {"head_shoulder", "up_body", "low_body", "shoes"}
    assert set(found["left_out"]) == {"gender_age", "attach"}
    for of in found["groups"].values():
        assert of["frames"] == 2 * of["clips"]


# --- tables and figures ---------------------------------------------------------------------------


def test_a_study_s_table_has_the_paper_s_figures_and_ours(work: Path) -> None:
    lines = lines_of("results/tables/mini_attr/table.md")
    for label, experiment, paper in (
        ("A", f"{EXPERIMENT}_a", {"R-1": "79.0", "mAP": "66.1"}),
        ("F", EXPERIMENT, {"R-1": "82.6", "mAP": "71.2"}),
        ("true attributes", f"{EXPERIMENT}_truth", {"R-1": "", "mAP": ""}),
        ("COSAM and ATTN-CL", f"{EXPERIMENT}_agree", {"R-1": "", "mAP": ""}),
    ):
        cells = dict(zip(lines[""], lines[label], strict=True))
        fine = read_json(f"{experiment}/metrics.json")["fine"]
        ours = {"R-1": fine["cmc"]["1"], "mAP": fine["mAP"]}
        for name in ("R-1", "mAP"):
            assert cells[f"{name} paper"] == paper[name]
            assert cells[f"{name} ours"] == f"{ours[name]:.1f}"


def test_all_losses_of_clips_are_recorded_and_ranks_again(work: Path) -> None:
    rows = schemas.read_frame(
        Path(f"{EXPERIMENT}_agree/runs/official-1/history.parquet"), "history"
    )
    losses = {"identity", "triplet", "center", "osm", "attention"}
    assert losses <= set(rows["term"])
    found = read_json(f"{EXPERIMENT}_agree/metrics.json")
    assert found["reranked"]["queries"] == found["fine"]["queries"]
    assert "reranked" not in read_json(f"{EXPERIMENT}/metrics.json")


def test_retrieval_by_attribute_counts_those_who_have_it(work: Path) -> None:
    labels = matrix(f"{TRANSFERRED}/labels.parquet")
    for run in (OF_CLIPS, WITHOUT):
        found = read_json(f"{run}/by_attribute/tiny.json")
        rankings = read(f"{run}/rankings.parquet", "rankings")
        fine = rankings[(rankings["protocol"] == "fine") & (rankings["first_match"] > 0)]
        assert found["queries"] == len(fine)
        assert set(found["attributes"]) == set(labels.columns)
        for name, figures in found["attributes"].items():
            have = labels.loc[fine["person_id"], name].to_numpy() == 1
            assert figures["with"]["queries"] == have.sum()
            assert figures["without"]["queries"] == (~have).sum()
            if have.any():
                mean = 100 * fine["average_precision"][have].mean()
                assert figures["with"]["mAP"] == pytest.approx(mean)
    text = Path("results/tables/mini_by_attribute/table.md").read_text(encoding="utf-8")
    assert "the transfer 'tiny', which errs" in text


def test_every_picture_is_one(tiny) -> None:
    for figure in tiny.attribute_figures:
        start = (tiny.folder / figure).read_bytes()[:8]
        assert start.startswith(b"<?xml" if figure.endswith(".svg") else b"\x89PNG")
    shown, drawn = (
        (tiny.folder / path).read_bytes()
        for path in (
            "results/tables/mini_weights/weights.png",
            f"{OF_CLIPS}/temporal_weights.png",
        )
    )
    assert shown == drawn


@pytest.mark.parametrize("stage", ["learning_curve", "matches"])
def test_the_figures_of_any_experiment_are_had_of_one_with_clips(
    stage: str, work: Path, tmp_path: Path
) -> None:
    asked = {
        "learning_curve": f"{EXPERIMENT}/learning_curve.svg",
        "matches": f"{OF_CLIPS}/matches_fine.png",
    }
    (step,) = jobs_of([asked[stage]])[stage]
    call(stage, tmp_path, inputs=step.job.inputs)
    assert all(path.stat().st_size > 1000 for path in tmp_path.iterdir())


# --- the real annotation --------------------------------------------------------------------------


@pytest.mark.shared
def test_table_1_and_figure_4_of_the_real_annotation(empty, shared_data: Path) -> None:
    real = shared_data / "rap" / "RAP_annotation.mat"
    if not real.exists():
        pytest.skip(f"no annotation of RAP at {real}")
    place = empty.folder / "elsewhere" / "RAP_annotation"
    place.mkdir(parents=True)
    (place / real.name).symlink_to(real)
    targets = ["results/tables/attr_table1/table.md", "results/tables/attr_figure4/plot.svg"]
    done = empty.snakemake(
        *targets, "--cores", "2", "--config", "attribute_sources={rap: {root: elsewhere}}"
    )
    assert done.returncode == 0, done.stdout[-4000:]
    lines = lines_of(str(empty.folder / targets[0]))
    assert set(TITLES.values()) <= set(lines)
    cells = dict(zip(lines["group"], lines["Head-Shoulder"], strict=True))
    assert cells["how many"] == "6"
    assert cells["rarest"] == "hs-BaldHead 0.0038"
    assert cells["most common"] == "hs-BlackHair 0.9448"
    assert (empty.folder / targets[1]).read_bytes().startswith(b"<?xml")
    # no picture of it was there, and none was needed
    assert not (empty.folder / "results/sources/rap/images.arrow").exists()
