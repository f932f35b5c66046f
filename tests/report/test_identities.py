"""Who is who: how identities are numbered, what the table says and what the sheet shows."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.training.helpers import make_images

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import Identities
from weakreid.errors import ReidError
from weakreid.report import figures, identities
from weakreid.report.identities import identity_table, sheet_rows, summary
from weakreid.retrieval.feature_table import write_features
from weakreid.stages import identities as stage

# tracklet: label, camera, source, images
TRACKLETS = {
    0: (1, 1, 0, range(4)),
    1: (0, 1, 1, range(4, 6)),
    2: (-1, 2, 1, range(6, 16)),
    3: (0, 2, 2, range(16, 17)),
    4: (1, 3, 3, range(17, 20)),
    5: (-1, 1, 4, range(20, 21)),
}
FILES = pd.Series([f"hall/{image // 5:06d}/{1000 + image:06d}.jpg" for image in range(21)])
CLUSTERS = pd.DataFrame(
    {"tracklet_id": list(TRACKLETS), "label": [label for label, *_ in TRACKLETS.values()]}
)
TRACKS = pd.DataFrame(
    [
        (tracklet, position, image, camera, source, 0)
        for tracklet, (_, camera, source, images) in TRACKLETS.items()
        for position, image in enumerate(images)
    ],
    columns=["tracklet_id", "position", "image", "camera_id", "source_id", "truth_person_id"],
)


def test_the_table() -> None:
    shuffled = TRACKS.sample(frac=1, random_state=1)
    table = identity_table(CLUSTERS[::-1], shuffled, FILES, tracked=True)
    assert tuple(table.columns) == identities.COLUMNS + identities.TRACK_COLUMNS
    # most frames first: 7 of label 1, 3 of label 0; then those alone, 10 and 1
    assert table["identity"].tolist() == [1, 1, 2, 2, 3, 4]
    assert table["tracklet_id"].tolist() == [0, 4, 1, 3, 2, 5]
    assert table["source_id"].tolist() == [0, 3, 1, 2, 1, 4]
    assert table["camera_id"].tolist() == [1, 3, 1, 2, 2, 1]
    assert table["frame_count"].tolist() == [4, 3, 2, 1, 10, 1]
    first = table.iloc[0]
    assert first["first_file"] == "hall/000000/001000.jpg"
    assert first["last_file"] == "hall/000000/001003.jpg"
    assert (first["sequence"], first["track_id"]) == ("hall", "0")
    # simulated of several tracks
    of_two = table[table["tracklet_id"] == 1].iloc[0]
    assert (of_two["sequence"], of_two["track_id"]) == ("hall hall", "0 1")
    assert summary(table) == "4 of 6 tracklets in 2 identities, 2 alone"


def test_other_files_say_nothing_of_tracks() -> None:
    table = identity_table(CLUSTERS, TRACKS, FILES, tracked=False)
    assert tuple(table.columns) == identities.COLUMNS


@given(st.lists(st.tuples(st.integers(-1, 4), st.integers(1, 3)), min_size=1, max_size=20))
def test_one_identity_is_one_cluster(drawn: list[tuple[int, int]]) -> None:
    labels = [label for label, _ in drawn]
    owners = np.repeat(np.arange(len(drawn)), [frames for _, frames in drawn])
    tracks = pd.DataFrame({"tracklet_id": owners, "image": np.arange(len(owners))})
    tracks = tracks.assign(position=tracks["image"], camera_id=1, source_id=0)
    clusters = pd.DataFrame({"tracklet_id": np.arange(len(drawn)), "label": labels})
    files = pd.Series("file", index=range(len(owners)))
    table = identity_table(clusters, tracks, files, tracked=False)
    identity = table.set_index("tracklet_id")["identity"]
    assert sorted(set(identity)) == list(range(1, identity.max() + 1))
    for one, label in enumerate(labels):
        for other in range(one):
            same = label >= 0 and label == labels[other]
            assert (identity[one] == identity[other]) == same
    # clusters come first, and the largest of them
    clustered = [identity[i] for i, label in enumerate(labels) if label >= 0]
    alone = [identity[i] for i, label in enumerate(labels) if label < 0]
    assert max(clustered, default=0) < min(alone, default=10**9)
    frames = table.groupby("identity")["frame_count"].sum()
    for part in (set(clustered), set(alone)):
        own = [frames[number] for number in sorted(part)]
        assert own == sorted(own, reverse=True)


def test_tables_that_do_not_fit() -> None:
    with pytest.raises(ReidError, match=r"6 tracklets in the tracks, 5 in the clusters"):
        identity_table(CLUSTERS[:5], TRACKS, FILES, tracked=True)
    with pytest.raises(ReidError, match="images that the frames have not"):
        identity_table(CLUSTERS, TRACKS, FILES[:9], tracked=True)
    with pytest.raises(ReidError, match=r"0001C1T0001F001\.jpg: not SEQUENCE/TRACK/FRAME"):
        identity_table(
            CLUSTERS, TRACKS, FILES.replace(FILES[3], "0001C1T0001F001.jpg"), tracked=True
        )


def test_the_sheet_shows_every_camera_before_a_second_tracklet_of_one() -> None:
    # of camera 1 three long ones, of cameras 2 and 3 a short one each
    lengths, cameras = [9, 8, 7, 2, 1], [1, 1, 1, 3, 2]
    owners = np.repeat(np.arange(5), lengths)
    tracks = pd.DataFrame({"tracklet_id": owners, "image": np.arange(len(owners))})
    tracks = tracks.assign(position=tracks["image"], camera_id=np.repeat(cameras, lengths))
    tracks = tracks.assign(source_id=0)
    clusters = pd.DataFrame({"tracklet_id": range(5), "label": 0})
    table = identity_table(clusters, tracks, pd.Series("", index=range(27)), tracked=False)
    for images, chosen in ((1, [0]), (2, [0, 4]), (3, [0, 4, 3]), (4, [0, 1, 4, 3])):
        (row,) = sheet_rows(table, tracks, rows=3, images=images)
        assert [shown.caption.split()[-1] for shown in row.shown] == [str(i) for i in chosen]
        assert all(len(shown.images) == 1 for shown in row.shown)
    # room for two of each, which the shortest has not
    (row,) = sheet_rows(table, tracks, rows=3, images=11)
    assert [len(shown.images) for shown in row.shown] == [2, 2, 2, 1, 2]
    assert row.shown[0].images == (2, 6)
    assert row.label == "identity 1\n5 tracklets\n3 cameras\n27 frames"


def test_captions() -> None:
    row: dict[str, Any] = {"tracklet_id": 7, "camera_id": 2}
    assert identities.caption_of(row, 13) == "camera 2\ntracklet 7"
    row |= {"sequence": "door", "track_id": "31"}
    assert identities.caption_of(row, 13) == "camera 2\ndoor 31"
    row["sequence"] = "entrance_monday_morning"
    assert identities.caption_of(row, 13) == "camera 2\nentrance_… 31"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make_images(tmp_path / "images.arrow", 21)
    schemas.write(tmp_path / "clusters.parquet", "clusters", CLUSTERS, {})
    schemas.write(tmp_path / "tracks.parquet", "tracks", TRACKS, {})
    features = np.eye(6, dtype=np.float32)[TRACKS["tracklet_id"]]
    # the two of the first identity are an eighth of a turn apart
    features[TRACKS["tracklet_id"] == 4] = np.eye(6, dtype=np.float32)[[0, 4]].sum(0)
    held = TRACKS[["image", "tracklet_id"]]
    write_features(tmp_path / "features.parquet", held, [features], dimension=6, params={})
    odds = {"intercept": 2.0, "distance": -3.0, "logarithm": 0.0}
    meaning = {"metric": "cosine", "odds": odds, "bounds": [0.01, 0.99]}
    meaning |= {"thresholds": {}, "prior": 0.1, "pairs": {}, "cameras": "any"}
    write_json(tmp_path / "calibration.json", meaning)
    frames = TRACKS[["tracklet_id", "position", "image", "truth_person_id"]]
    schemas.write(tmp_path / "frames.parquet", "frames", frames.assign(file=FILES), {})
    return tmp_path


def run(folder: Path, out: str, **changes: Any) -> tuple[bytes, bytes]:
    block = {"experiment": "hall", "tracked": True, "metric": "cosine", "rows": 3, "images": 4}
    block |= changes
    made = folder / f"{out}.csv", folder / f"{out}.png"
    stage.main(
        folder / "clusters.parquet",
        folder / "tracks.parquet",
        folder / "frames.parquet",
        folder / "images.arrow",
        Identities.model_validate(block),
        *made,
        folder / "features.parquet",
        folder / "calibration.json",
    )
    return made[0].read_bytes(), made[1].read_bytes()


def test_the_stage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table, sheet = run(folder, "one")
    lines = table.decode().splitlines()
    assert lines[0].split(",") == [
        *identities.COLUMNS,
        "sequence",
        "track_id",
        "distance",
        "probability",
    ]
    assert lines[1:2] == [
        "1,0,0,1,hall/000000/001000.jpg,hall/000000/001003.jpg,4,hall,0,0.2929,0.7542",
    ]
    # alone
    assert lines[-1].endswith(",,")
    assert sheet.startswith(b"\x89PNG")
    assert capsys.readouterr().err == "4 of 6 tracklets in 2 identities, 2 alone\n"
    assert run(folder, "again") == (table, sheet)


def test_the_truth_changes_nothing(folder: Path) -> None:
    before = run(folder, "before")
    for name in ("tracks", "frames"):
        path = folder / f"{name}.parquet"
        rows = schemas.read_frame(path, name, truth=True)
        schemas.write(path, name, rows.assign(truth_person_id=rows["image"] + 1), {})
    assert run(folder, "after") == before


def test_the_sheet_says_what_it_shows_and_is_no_scroll() -> None:
    shown = identities.Shown("camera 1\ntracklet 7", (0,))
    rows = [identities.Row(f"identity {n}", (shown,) * 10) for n in range(1, 11)]

    def picture(image: int) -> np.ndarray:
        return np.zeros((16, 8, 3), np.uint8)

    figure = identities.contact_sheet(rows, picture, "hall: who is who; 100 tracklets")
    written = [text.get_text() for text in figure.texts]
    assert any("hall: who is who" in text for text in written)
    assert any("takes for one person" in text for text in written)
    width, height = figures.DPI * figure.get_size_inches()
    assert height <= figures.TALLEST
    assert width <= figures.WIDEST
    # one identity, one picture
    assert identities.contact_sheet([identities.Row("1", (shown,))], picture, "t").axes
