"""What each stage may read: no training sees who a frame shows, whatever its files hold.

But the supervised one, which is told who its own training persons are.
"""

import functools
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from tests import configs
from tests.workflow.steps import call, command_of, jobs_of, place_of, steps

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.datasets.walkers.layout import FRAME_SCHEMA
from weakreid.plan.experiments import Experiment
from weakreid.plan.graph import Step
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of
from weakreid.plan.rules import listed
from weakreid.seeding import numpy_generator
from weakreid.supervision.views import ATTRIBUTE_LABELS, COLUMNS, TRACKS

pytestmark = pytest.mark.slow

MAY_READ_THE_TRUTH = {
    # compares an audit that is done with the errors that were planted
    "audit_score",
    # spoils tracklets of one person, as a tracker would
    "noise",
    # labels noisy tracklets of persons, which is what an annotator does
    "bags",
    # keep it beside what they make, for others to measure
    "named_bags",
    # measures what it has done: tests/clustering
    "isolation",
    # draws where a tracklet goes on with another person
    "isolation_figures",
    # measures what isolation did
    "isolation_preview",
    # labels a tracklet per identity, or those of each camera, which is what an annotator does
    "tracklet_labels",
    # measure what they believed once the weights stand: below, and tests/training
    "train_tracklets",
    "train_merging",
    "train_one_shot",
    "train_intra_camera",
}
"""Stages that may read a column truth_...; nothing that is learned or found depends on one."""

MAY_READ_PERSONS = {
    # makes the splits of a dataset
    "split",
    # make labels of persons, which is what an annotator does
    "bags",
    "coarse_bags",
    "named_bags",
    "noise",
    # show the pictures' files to people
    "identities",
    "search",
    # measures, and draws who was found
    "evaluate",
    "matches",
    # is supervised: whom each training tracklet shows
    "train_clips",
    # trains so, and measures each training
    "tune",
    # says whose votes a tracklet's are: labels are a person's
    "attribute_votes",
    # measures, for training persons and others apart
    "label_quality",
    # draw people and say who they are
    "table examples sheet.png",
    "temporal_weights",
    # finds a frame in the generator's notes by its name
    "visibility",
    # finds it likewise; draws clips of people, and of different ones, as do the next
    "mask_shares",
    "masks",
    "erased_attention",
    # count
    "table counts table.md",
    "table cost table.md",
}
"""Stages that may read whose tracklet it is.

None of them gives anything to a training but bags, and persons' attributes to the one that knows
its persons.
"""

Read = tuple[str, frozenset[str]]


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Read]]:
    """Record every reading of a Parquet file: its kind and the columns."""
    found: list[Read] = []
    read, read_batches = pq.read_table, pq.ParquetFile.iter_batches

    def note(schema: Any, columns: list[str] | None) -> None:
        kind = (schema.metadata or {}).get(b"weakreid.kind", b"").decode()
        found.append((kind, frozenset(schema.names if columns is None else columns)))

    def recorded(source: Any, columns: list[str] | None = None, **more: Any) -> Any:
        note(pq.read_schema(source), columns)
        return read(source, columns=columns, **more)

    def recorded_batches(file: Any, columns: list[str] | None = None, **more: Any) -> Any:
        note(file.schema_arrow, columns)
        return read_batches(file, columns=columns, **more)

    monkeypatch.setattr(pq, "read_table", recorded)
    monkeypatch.setattr(pq.ParquetFile, "iter_batches", recorded_batches)
    yield found


@pytest.mark.parametrize("stage", [name for name, step in steps().items() if step.job.inputs])
def test_what_a_stage_reads(stage: str, tiny, tmp_path: Path, monkeypatch, reads) -> None:
    monkeypatch.chdir(tiny.folder)
    call(stage, tmp_path)
    parquet = [
        path
        for option in steps()[stage].job.inputs
        if listed(steps()[stage].job.inputs[option])
        and (path := place_of(stage, option)).suffix == ".parquet"
    ]
    assert len(reads) >= len(parquet)
    columns = {(kind, name) for kind, names in reads for name in names}
    truth = {name for _, name in columns if name.startswith("truth_")}
    assert not truth or stage in MAY_READ_THE_TRUTH
    assert ("tracklets", "person_id") not in columns or stage in MAY_READ_PERSONS
    # whose votes they are is asked where they are counted together
    assert ("attribute_votes", "person_id") not in columns or stage == "attribute_labels"
    # names of MARS's files begin with the person's number
    assert ("frames", "file") not in columns or stage in MAY_READ_PERSONS
    if stage == "train_bags":
        assert reads == [("bags", frozenset(COLUMNS["frames"]))]
    measuring = ("tracks", frozenset({"tracklet_id", "truth_person_id"}))
    labels = ("tracklet_labels", frozenset({"tracklet_id", "label"}))
    if stage in ("train_tracklets", "train_merging"):
        assert reads == [("tracks", frozenset(TRACKS)), measuring]
    if stage == "train_one_shot":
        assert reads == [("tracks", frozenset(TRACKS)), labels, measuring]
    if stage == "train_intra_camera":
        assert reads == [("tracks", frozenset({*TRACKS, "camera_id"})), labels, measuring]
    if stage == "transfer":
        # of the dataset, which frames are for training and nothing else
        assert reads == [
            ("pictures", frozenset({"image", "split", "labels"})),
            ("tracklets", frozenset({"tracklet_id", "role"})),
            ("frames", frozenset({"tracklet_id", "image"})),
        ]
    if stage == "train_clips":
        assert reads == [
            ("tracklets", frozenset({"tracklet_id", "person_id", "role"})),
            ("frames", frozenset({"tracklet_id", "position", "image"})),
            ("attribute_labels", frozenset(ATTRIBUTE_LABELS)),
            # it learns what generated frames show, and finds them by their names
            ("frames", frozenset({"image", "file"})),
            ("", frozenset(FRAME_SCHEMA.names)),
        ]


@pytest.mark.parametrize("stage", ["transfer", "train_clips"])
def test_pictures_of_a_test_set_are_not_looked_at(
    stage: str, tiny, tmp_path: Path, monkeypatch
) -> None:
    monkeypatch.chdir(tiny.folder)
    seen: dict[Path, set[int]] = {}
    batch = ImageStore.batch

    def noted(store: ImageStore, rows: Any, *sizes: int, **more: Any) -> Any:
        seen.setdefault(Path(store.path), set()).update(int(row) for row in rows)
        return batch(store, rows, *sizes, **more)

    monkeypatch.setattr(ImageStore, "batch", noted)
    call(stage, tmp_path)
    tracklets = schemas.read_frame(place_of(stage, "tracklets"), "tracklets")
    frames = schemas.read_frame(place_of(stage, "frames"), "frames")
    train = tracklets.loc[tracklets["role"] == "train", "tracklet_id"]
    allowed = {
        place_of(stage, "images"): set(frames.loc[frames["tracklet_id"].isin(train), "image"])
    }
    if stage == "transfer":
        pictures = schemas.read_frame(place_of(stage, "pictures"), "pictures")
        of_train = pictures.loc[pictures["split"] == "train", "image"]
        allowed[place_of(stage, "source_images")] = set(of_train)
        assert len(of_train) < len(pictures)
    assert set(seen) == set(allowed)
    for store, rows in seen.items():
        assert rows <= allowed[store]


def test_an_audit_finds_the_same_whatever_is_hidden(tiny, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tiny.folder)
    rows = schemas.read_frame(place_of("audit", "bags"), "bags", truth=True)
    generator = numpy_generator(1, "hidden")
    hidden = {
        "truth_frame_persons": [generator.permutation(ids) + 1 for ids in rows["frames"]],
        # shown to the annotator, and to nothing that judges
        "frame_tracklets": [generator.permutation(ids) for ids in rows["frame_tracklets"]],
        "camera_id": rows["camera_id"] + 1,
    }
    path = tmp_path / "bags.parquet"
    found = []
    for changed in ([], ["truth_frame_persons"], list(hidden)):
        schemas.write(path, "bags", rows.assign(**{name: hidden[name] for name in changed}), {})
        out = tmp_path / f"{len(changed)}"
        call("audit", out, inputs={"bags": path})
        found.append({file.name: file.read_bytes() for file in out.iterdir()})
    before, without_truth, without_any = found
    assert set(before) == {"audit.parquet", "audit.md", "audit.html", "audit.png"}
    assert without_truth == before
    assert without_any["audit.parquet"] == before["audit.parquet"]


def test_nothing_reads_parquet_but_by_the_tables_module() -> None:
    """What the test above records is all that there is."""
    source = configs.ROOT / "src" / "weakreid"
    reading = re.compile(r"read_table|ParquetFile|ParquetDataset|read_parquet|read_foreign")
    found = {
        str(path.relative_to(source))
        for path in source.rglob("*.py")
        if reading.search(path.read_text(encoding="utf-8"))
    }
    # the others read the generator's own notes: for the contact sheet, for the attributes that
    # people were made with, for what is visible of them, for where they are
    of_notes = {"report/walkers_sheet.py", "datasets/annotated.py", "supervision/visible.py"}
    of_notes |= {"datasets/walkers/masks.py"}
    assert found == {"artifacts/schemas.py", *of_notes}


def test_the_truth_is_asked_for_where_it_may_be_read() -> None:
    source = configs.ROOT / "src" / "weakreid"
    asking = {
        ".".join(path.relative_to(source).with_suffix("").parts)
        for path in source.rglob("*.py")
        if path.name != "schemas.py" and "truth=True" in path.read_text(encoding="utf-8")
    }
    assert asking == {f"stages.{stage}" for stage in MAY_READ_THE_TRUTH}


# --- what the workflow gives to a stage -----------------------------------------------------------


@functools.cache
def papers() -> Plan:
    return plan_of(configs.own())


def experiments_of() -> dict[str, Experiment]:
    """Return the papers' experiments on walkers_tiny that start from their own method's weights."""
    return {
        name: experiment
        for name, experiment in papers().experiments.items()
        if experiment.dataset == "walkers_tiny"
        and experiment.init is None
        and name not in papers().refused
    }


@pytest.fixture(scope="module")
def jobs() -> dict[str, list[Step]]:
    """What is behind these experiments' figures, and behind an audit's."""
    targets = [f"results/{name}/metrics.json" for name in experiments_of()]
    return jobs_of([*targets, "results/tables/wl_audit/walkers_tiny/table.md"])


FOLDER = "results/datasets/walkers_tiny"
FROZEN = re.compile(r"results/\S+/frozen/\w+\.safetensors")
"""What frozen stages make of training frames, or of a source: no label is in it."""


def given(step: Step) -> list[str]:
    """Return what a job is given, but for the outputs of frozen stages."""
    return [path for path in step.job.paths() if not FROZEN.fullmatch(path)]


def files_named(step: Step) -> set[str]:
    """Return the files that a job's command line names and that it does not write."""
    text = " ".join(command_of(step))
    found = re.findall(r"[\w./-]+\.(?:parquet|arrow|json|mat|txt|csv)\b", text)
    return set(found) - set(step.outputs)


def simulation_of(experiment: Experiment, job: Step) -> str:
    """Return the end of the names of what a run sees of its noise level: "" for the first."""
    before = int(job.wildcards["run"].rpartition("-")[2]) - 1
    number = before % experiment.simulations + 1
    return "" if number == 1 else f"-{number}"


def test_a_training_is_given_its_bags_and_the_pictures_and_nothing_else(jobs) -> None:
    experiments = experiments_of()
    trained = set()
    for job in jobs["train_bags"]:
        name = job.wildcards["experiment"]
        trained.add(name)
        of_run = simulation_of(experiments[name], job)
        bags = f"{FOLDER}/official/bags/{experiments[name].bags}{of_run}.parquet"
        assert given(job) == [bags, f"{FOLDER}/images.arrow"]
        # nor by another way than the inputs
        assert files_named(job) == {bags, f"{FOLDER}/images.arrow"}
    assert trained == {name for name, found in experiments.items() if found.bags is not None}


def test_so_is_one_without_labels_with_its_tracklets(jobs) -> None:
    experiments = experiments_of()
    trained = set()
    ways = ("train_tracklets", "train_merging", "train_one_shot", "train_intra_camera")
    for job in itertools.chain(*map(jobs.__getitem__, ways)):
        name = job.wildcards["experiment"]
        trained.add(name)
        isolation = experiments[name].isolation
        noise = f"{experiments[name].noise}{simulation_of(experiments[name], job)}"
        tracks = f"{FOLDER}/official/noise/{noise}.parquet"
        if isolation is not None:
            tracks = f"{FOLDER}/official/isolated/{noise}-{isolation}.parquet"
        supervision = experiments[name].method.learns
        labels = f"{FOLDER}/official/labels/{supervision}-{noise}.parquet"
        seen = [labels] if supervision in ("one_shot", "intra_camera") else []
        assert given(job) == [tracks, *seen, f"{FOLDER}/images.arrow"]
        assert files_named(job) == {tracks, *seen, f"{FOLDER}/images.arrow"}
    assert trained == {name for name, found in experiments.items() if found.noise is not None}
    assert {experiments[name].isolation for name in trained} > {None, "lite0"}


def test_one_of_clips_is_given_its_split_and_what_its_persons_have(jobs) -> None:
    found, experiments = papers().config, experiments_of()
    names = ("official/tracklets.parquet", "frames.parquet", "images.arrow")
    trained, transfers = set(), set()
    for job in jobs["train_clips"]:
        name, run = job.wildcards["experiment"], job.wildcards["run"]
        trained.add(name)
        expected = [f"{FOLDER}/{file}" for file in names]
        transfer = experiments[name].transfer
        if transfer is not None and found.transfers[transfer].labels == "truth":
            expected.append(f"{FOLDER}/attributes.parquet")
        elif transfer is not None:
            expected.append(f"results/attributes/{transfer}/walkers_tiny/{run}/labels.parquet")
        transfers.add(transfer)
        method = experiments[name].method
        generated = f"{FOLDER}/generated"
        shown = [generated] if method.visibility == "learnt" else []
        assert sorted(given(job)) == sorted([*expected, *shown])
        of_shown = [f"{folder}/truth/frames.parquet" for folder in shown]
        assert files_named(job) == {*expected, *of_shown}
    learning = {
        name for name, experiment in experiments.items() if experiment.method.learns == "clips"
    }
    assert trained == learning
    assert transfers > {None, "truth"}


def test_a_transfer_is_given_its_source_and_no_label_of_the_dataset(jobs) -> None:
    found = papers().config.transfers
    names = ("official/tracklets.parquet", "frames.parquet", "images.arrow")
    assert jobs["transfer"]
    for job in jobs["transfer"]:
        name = job.wildcards["transfer"]
        # the tiny one says what the audited look like
        source = found[name].source if name in found else "tiny"
        expected = [
            f"results/sources/{source}/{file}" for file in ("pictures.parquet", "images.arrow")
        ]
        expected += [f"{FOLDER}/{file}" for file in names]
        assert sorted(given(job)) == sorted(expected)
        assert files_named(job) == set(expected)


def test_isolation_is_given_tracklets_and_features_of_frames(jobs) -> None:
    for job in jobs["isolation"]:
        noise, isolation = job.wildcards["noise"], job.wildcards["isolation"]
        assert isolation.startswith("lite0")
        tracks = f"{FOLDER}/official/noise/{noise}.parquet"
        features = f"{FOLDER}/official/frame_features/lite0.parquet"
        assert given(job) == [tracks, features]
        assert files_named(job) == {tracks, features}
    (job,) = jobs["frame_features"]
    tables_of = ("official/tracklets.parquet", "frames.parquet", "images.arrow")
    assert given(job) == [f"{FOLDER}/{name}" for name in tables_of]


def test_an_audit_is_given_what_its_training_had_the_model_and_votes(jobs) -> None:
    trained = {
        (job.wildcards["experiment"], job.wildcards["run"]): job for job in jobs["train_bags"]
    }
    assert jobs["audit"]
    for job in jobs["audit"]:
        training = trained[job.wildcards["experiment"], job.wildcards["run"]]
        votes = f"results/attributes/tiny/walkers_tiny/{job.wildcards['run']}/votes.parquet"
        seen = [votes, f"{FOLDER}/frames.parquet"]
        assert given(job) == [training.outputs[0], *given(training), *seen]
