"""Simulated noise: what was asked for comes back, nothing is lost, the impossible is refused."""

import json
import math
import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from weakreid.artifacts import schemas
from weakreid.config.params import SimulateNoise
from weakreid.datasets import mars
from weakreid.errors import ReidError
from weakreid.stages import noise as stage
from weakreid.supervision import noise

Rows = list[tuple[int, int, int]]


def dataset(rows: Rows, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Tables of training tracklets (person, camera, frames), and a gallery tracklet behind them."""
    every = [*((p, c, "train", n) for p, c, n in rows), (99, 1, "gallery", 3)]
    counts = np.array([row[3] for row in every])
    tracklets = pd.DataFrame(
        {
            "tracklet_id": np.arange(len(every)) + 10,
            "person_id": [row[0] for row in every],
            "camera_id": [row[1] for row in every],
            "role": [row[2] for row in every],
            "first_frame": np.cumsum(counts) - counts,
            "frame_count": counts,
        }
    )
    owner = np.repeat(np.arange(len(every)), counts)
    frames = pd.DataFrame(
        {
            "tracklet_id": tracklets["tracklet_id"].to_numpy()[owner],
            "position": np.arange(counts.sum()) - (np.cumsum(counts) - counts)[owner],
            "image": np.random.default_rng(seed).permutation(counts.sum()) + 1000,
            "truth_person_id": tracklets["person_id"].to_numpy()[owner],
        }
    )
    return tracklets, frames


def crowd(people: int = 60, cameras: int = 3, frames: int = 20) -> Rows:
    """Two tracklets for every person and camera, of 20 frames and more."""
    return [
        (p + 1, c + 1, frames + (p + c) % 7)
        for p in range(people)
        for c in range(cameras)
        for _ in range(2)
    ]


def in_time_order(tracklets: pd.DataFrame, frames: pd.DataFrame) -> dict[tuple[int, int], list]:
    """The images of every (camera, person), as the simulation is to find them."""
    train = tracklets[tracklets["role"] == "train"][["tracklet_id", "camera_id"]]
    rows = frames.merge(train).sort_values(["tracklet_id", "position"])
    return {
        (int(camera), int(person)): own["image"].tolist()
        for (camera, person), own in rows.groupby(["camera_id", "truth_person_id"])
    }


data_rows = st.lists(
    st.tuples(st.integers(1, 8), st.integers(1, 3), st.integers(1, 12)), min_size=1, max_size=30
)
rates = st.floats(1, 3).map(lambda x: round(x, 2))
distributions = st.none() | st.dictionaries(
    st.integers(1, 6), st.integers(1, 90), min_size=1, max_size=4
)


@settings(max_examples=100, deadline=None)
@given(
    rows=data_rows,
    rfm=rates,
    rsw=rates,
    observed=distributions,
    seed=st.integers(0, 99),
    random=st.randoms(use_true_random=False),
)
def test_what_was_asked_comes_back_and_no_frame_is_lost(rows, rfm, rsw, observed, seed, random):
    tracklets, frames = dataset(rows)
    options: dict[str, Any] = {"rfm": rfm, "rsw": rsw, "seed": seed, "observed": observed}
    try:
        made = noise.simulate(tracklets, frames, **options)
    except ReidError as error:
        assert "\n" not in str(error)
        assert re.search(r"asks for|no distribution over", str(error))
        return
    schemas.conform(made, "tracks")
    paths = in_time_order(tracklets, frames)

    # the nearest that whole numbers allow
    segments = int(rfm * len(paths) + 0.5)
    count = math.ceil(segments / rsw - 1e-9)
    assert noise.measured(made) == (segments / len(paths), segments / count)

    # no frame lost or doubled, one camera per tracklet, a person's run in one piece and in order
    images = [image for path in paths.values() for image in path]
    assert sorted(made["image"]) == sorted(images)
    assert made["tracklet_id"].unique().tolist() == list(range(count))
    assert (made["source_id"] == made["tracklet_id"]).all()
    pieces = []
    for _, own in made.groupby("tracklet_id"):
        assert own["position"].tolist() == list(range(len(own)))
        assert len(set(own["camera_id"])) == 1
        runs = (own["truth_person_id"] != own["truth_person_id"].shift()).cumsum()
        assert runs.iloc[-1] == own["truth_person_id"].nunique()
        for _, run in own.groupby(runs):
            first = run.iloc[0]
            path = paths[first["camera_id"], first["truth_person_id"]]
            start = path.index(first["image"])
            assert path[start : start + len(run)] == run["image"].tolist()
            pieces.append(run)
    assert len(pieces) == segments

    # the order of rows does not matter
    shuffled = [t.sample(frac=1, random_state=random.randrange(9)) for t in (tracklets, frames)]
    pd.testing.assert_frame_equal(made, noise.simulate(*shuffled, **options))


@pytest.mark.parametrize(("rfm", "rsw"), [(1.7, 1.2), (2.5, 1.2), (2.5, 1.5), (1, 1), (1, 3)])
def test_rates_are_met_within_one_per_cent(rfm, rsw):
    made = noise.simulate(*dataset(crowd()), rfm=rfm, rsw=rsw, seed=0)
    assert noise.measured(made) == pytest.approx((rfm, rsw), rel=0.01)
    # in every camera
    for _, own in made.groupby("camera_id"):
        assert noise.measured(own) == pytest.approx((rfm, rsw), rel=0.03)


def test_another_seed_gives_other_tracklets():
    one, two = (noise.simulate(*dataset(crowd()), rfm=2, rsw=1.5, seed=seed) for seed in (0, 1))
    assert not one["image"].equals(two["image"])


def test_a_tracklet_joins_whoever_it_happens_to():
    """The deal is shuffled: no one is joined with the same person again and again."""
    made = noise.simulate(*dataset(crowd(40, 1, 60)), rfm=8, rsw=2, seed=0)
    joined = made.groupby("tracklet_id")["truth_person_id"].agg(lambda own: tuple(set(own)))
    pairs = joined[joined.map(len) == 2].value_counts()
    assert len(pairs) > 30
    assert pairs.max() <= 4


def test_an_observed_distribution_comes_back():
    observed = {1: 70, 2: 20, 3: 10}
    made = noise.simulate(*dataset(crowd(200, 1)), rfm=2, rsw=1.4, seed=0, observed=observed)
    found = noise.summary(made)["persons_per_tracklet"]
    total = sum(found.values())
    shares = [found.get(str(n), 0) / total for n in (1, 2, 3)]
    assert shares == pytest.approx([0.7, 0.2, 0.1], abs=0.02)


def test_another_mean_tilts_an_observed_distribution_and_leaves_its_gaps():
    observed = {1: 70, 4: 30}
    made = noise.simulate(*dataset(crowd(200, 1)), rfm=2, rsw=1.3, seed=0, observed=observed)
    found = noise.summary(made)["persons_per_tracklet"]
    # a last tracklet or two take what is left over
    assert sum(found.get(str(n), 0) for n in (2, 3)) <= 3
    assert noise.measured(made)[1] == pytest.approx(1.3, rel=0.01)


def test_more_people_than_a_camera_has_are_all_of_them():
    rows = [(p, c, 20) for c in (1, 2) for p in range(1, 4 if c == 1 else 30)]
    made = noise.simulate(*dataset(rows), rfm=3, rsw=1.5, seed=0, observed={1: 9, 8: 1})
    widths = made[made["camera_id"] == 1].groupby("tracklet_id")["truth_person_id"].nunique()
    assert widths.max() == 3


weights = st.lists(st.floats(0.01, 1) | st.just(0.0), min_size=1, max_size=9).filter(any)


@settings(max_examples=150, deadline=None)
@given(base=weights, share=st.floats(0, 1))
def test_tilting_gives_the_mean_and_keeps_what_does_not_occur(base, share):
    numbers = np.arange(1, len(base) + 1)
    places = numbers[np.array(base) > 0]
    mean = places[0] + share * (places[-1] - places[0])
    made = noise.tilted(base, mean)
    assert made.sum() == pytest.approx(1)
    assert made @ numbers == pytest.approx(mean, abs=1e-6)
    assert (made[np.array(base) == 0] == 0).all()
    own = np.array(base) / np.sum(base)
    assert noise.tilted(base, own @ numbers) == pytest.approx(own, abs=1e-6)


ONE_CAMERA = [(1, 1, 9), (2, 1, 9), (3, 1, 9)]


@pytest.mark.parametrize(
    ("rows", "options", "message"),
    [
        (ONE_CAMERA, {"rfm": 9.5}, r"camera 1: rfm 9.5 asks for 28 .* 27 frames; lower rfm to 9 "),
        (ONE_CAMERA, {"rsw": 4}, r"rsw 4 asks for 6 segments in 1.5 .* need 2; lower rsw to 3 "),
        (
            [(1, 1, 9), (2, 2, 9)],
            {"rfm": 4, "rsw": 2},
            r"camera 1: rsw 2 asks for 4 segments in 2 .* 1 people.* need 4; lower rsw to 1 ",
        ),
        (
            [(1, 1, 1), (2, 1, 1), (3, 1, 9)],
            {"rfm": 3, "rsw": 3},
            r"camera 1: rsw 3 asks for 9 segments in 3 .* 3 people.* need 7; lower rsw to 1.28 ",
        ),
        (
            [(i, i, 9) for i in range(1, 9)],
            {"rfm": 1, "rsw": 2},
            r"rsw 2 asks for 8 segments in 4 .* cameras \(8\).* need 8; lower rsw to 1 ",
        ),
        (ONE_CAMERA, {"observed": {1: 5}}, "no distribution over 1 to 1 people .* mean 1.2"),
        (ONE_CAMERA, {"observed": {2: 5, 3: 1}}, "no distribution over 2 to 3 people"),
        (ONE_CAMERA, {"observed": {}}, r"observed distribution has the numbers \[\]"),
        (ONE_CAMERA, {"observed": {0: 3, 1: 1}}, r"observed distribution has the numbers \[0, 1\]"),
        ([], {}, "no tracklet of role 'train'"),
        ([(0, 1, 9), (1, 1, 9)], {}, r"tracklet 10 shows person 0 \(1 such .* rfm to null"),
    ],
)
def test_what_cannot_be_simulated_is_refused(rows, options, message):
    with pytest.raises(ReidError, match=message) as caught:
        noise.simulate(*dataset(rows), **{"rfm": 2, "rsw": 1.2, "seed": 0, **options})
    assert "\n" not in str(caught.value)


@settings(max_examples=60, deadline=None)
@given(lengths=st.lists(st.integers(1, 9), min_size=1, max_size=8), rfm=st.floats(1, 9), rsw=rates)
def test_what_a_refusal_proposes_works(lengths, rfm, rsw):
    tables_of = dataset([(p + 1, 1, n) for p, n in enumerate(lengths)])
    for _ in range(3):
        try:
            noise.simulate(*tables_of, rfm=rfm, rsw=rsw, seed=0)
            break
        except ReidError as error:
            found = re.search(r"lower (rfm|rsw) to ([\d.]+) or less", str(error))
            assert found is not None
            if found[1] == "rfm":
                assert float(found[2]) < rfm
                rfm = float(found[2])
            else:
                assert float(found[2]) < rsw
                rsw = float(found[2])
    else:
        pytest.fail("refused after what was proposed was done")


def test_tables_that_do_not_fit_are_refused():
    tracklets, frames = dataset(ONE_CAMERA)
    options = {"rfm": 2, "rsw": 1.2, "seed": 0}
    with pytest.raises(ReidError, match=r"tracklet 10: table 'frames' has 8 frames of it, .* 9"):
        noise.simulate(tracklets, frames.iloc[1:], **options)
    with pytest.raises(ReidError, match="tracklet 10 stands there twice"):
        noise.clean(pd.concat([tracklets, tracklets]), frames)
    frames.loc[3, "truth_person_id"] = 2
    with pytest.raises(ReidError, match=r"tracklet 10 shows persons 1 and 2 \(1 such"):
        noise.simulate(tracklets, frames, **options)


def test_clean_takes_the_tracklets_as_they_are():
    tracklets, frames = dataset([(1, 1, 3), (1, 1, 2), (2, 3, 4)])
    # a tracker's: one shows two people, one nobody
    frames.loc[:2, "truth_person_id"] = [1, 2, 0]
    frames.loc[3:4, "truth_person_id"] = 0
    made = noise.clean(tracklets.sample(frac=1, random_state=0), frames.sample(frac=1))
    schemas.conform(made, "tracks")
    assert made["image"].tolist() == frames["image"][:9].tolist()
    assert made["tracklet_id"].tolist() == [0, 0, 0, 1, 1, 2, 2, 2, 2]
    assert made["source_id"].equals(made["tracklet_id"])
    assert made["position"].tolist() == [0, 1, 2, 0, 1, 0, 1, 2, 3]
    assert made["truth_person_id"].tolist() == [1, 2, 0, 0, 0, 2, 2, 2, 2]
    # person 2 is one person in camera 1 and one in camera 3
    assert noise.measured(made) == (1.0, 1.5)
    found = noise.summary(made)
    assert (found["tracklets"], found["nobody"], found["persons"], found["pairs"]) == (3, 1, 2, 3)
    assert found["persons_per_tracklet"] == {"1": 1, "2": 1}


def test_tracklets_of_nobody_have_no_rates():
    tracklets, frames = dataset(ONE_CAMERA)
    made = noise.clean(tracklets, frames.assign(truth_person_id=0))
    assert noise.summary(made)["rfm"] is None
    with pytest.raises(ReidError, match="show nobody who is known"):
        noise.measured(made)


@pytest.fixture
def of_stage(tmp_path: Path):
    """Run the stage; return its table and its summary."""
    tracklets, frames = dataset(crowd(20, 2))
    schemas.write(tmp_path / "tracklets.parquet", "tracklets", tracklets, {})
    schemas.write(tmp_path / "frames.parquet", "frames", frames.assign(file="x.jpg"), {})
    seen = {"sequence": "", "measure": "persons_per_tracklet", "number": [1, 2], "count": [3, 1]}
    schemas.write(tmp_path / "observed.parquet", "id_counts", pd.DataFrame(seen), {})

    def run(observed: bool = False, **changes: Any) -> tuple[pd.DataFrame, dict[str, Any]]:
        block = {"rfm": 1.7, "rsw": 1.2, "distribution": "fitted", "seed": 1, **changes}
        stage.main(
            tracklets=tmp_path / "tracklets.parquet",
            frames=tmp_path / "frames.parquet",
            params=SimulateNoise.parse(json.dumps(block)),
            out=tmp_path / "tracks.parquet",
            summary=tmp_path / "summary.json",
            observed=tmp_path / "observed.parquet" if observed else None,
        )
        assert schemas.read_params(tmp_path / "tracks.parquet") == block
        summary = json.loads((tmp_path / "summary.json").read_text())
        return schemas.read_frame(tmp_path / "tracks.parquet", "tracks", truth=True), summary

    return run


def test_the_stage_writes_tracks_and_their_summary(of_stage):
    made, summary = of_stage()
    assert summary["asked"] == {"rfm": 1.7, "rsw": 1.2}
    assert (summary["rfm"], summary["rsw"]) == noise.measured(made)
    assert summary["tracklets"] == 57
    assert summary["pairs"] == 40
    _, summary = of_stage(True, distribution="observed")
    assert set(summary["persons_per_tracklet"]) == {"1", "2"}
    made, summary = of_stage(rfm=None, rsw=None)
    assert summary["tracklets"] == 80
    assert summary["rfm"] == 2.0


def test_the_stage_refuses_what_does_not_belong_together(of_stage):
    with pytest.raises(ReidError, match="distribution 'observed' needs --observed"):
        of_stage(distribution="observed")


@pytest.mark.shared
def test_whole_mars_gives_the_tracklets_of_table_1(shared_data: Path, tmp_path: Path):
    with zipfile.ZipFile(shared_data / "mars_info" / "info.zip") as archive:
        archive.extractall(tmp_path)
    tracklets, _ = mars.read_info(tmp_path / "info")
    tracklets = tracklets[tracklets["role"] == "train"]
    counts = tracklets["frame_count"].to_numpy()
    rows = np.arange(counts.sum())
    frames = pd.DataFrame(
        {
            "tracklet_id": np.repeat(tracklets["tracklet_id"].to_numpy(), counts),
            "position": rows - np.repeat(tracklets["first_frame"].to_numpy(), counts),
            "image": rows,
            "truth_person_id": np.repeat(tracklets["person_id"].to_numpy(), counts),
        }
    )
    for rfm, rsw, theirs in ((1.7, 1.2, 2835), (2.5, 1.2, 4023), (2.5, 1.5, 3272)):
        made = noise.simulate(tracklets, frames, rfm=rfm, rsw=rsw, seed=1)
        assert made["tracklet_id"].nunique() == pytest.approx(theirs, rel=0.03)
        assert noise.measured(made) == pytest.approx((rfm, rsw), rel=0.01)
        assert np.array_equal(np.sort(made["image"]), rows)
        assert noise.summary(made)["pairs"] == 1955
