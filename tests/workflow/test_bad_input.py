"""A stage whose input is not what it should be: one line, exit status 1, nothing written."""

import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from tests import configs
from tests.data import test_rap as rap_annotation
from tests.workflow.conftest import SIDE_BY_SIDE
from tests.workflow.steps import MACHINE, call, options, params_of, place_of, run, steps

from weakreid.artifacts import files, schemas
from weakreid.cli.workflow import read_plan
from weakreid.config.sources import default_files
from weakreid.training.checkpoint import load_weights

pytestmark = pytest.mark.slow


@pytest.fixture
def work(tiny, tmp_path, monkeypatch) -> Path:
    """Be in the tiny project's folder; return a folder to write to."""
    monkeypatch.chdir(tiny.folder)
    return tmp_path


def refused(name: str, option: str, path: Path, work: Path) -> str:
    """Run a step with one input replaced; return the line that refuses it."""
    out = work / "out"
    out.mkdir(exist_ok=True)
    status, lines = run(name, out, inputs={option: path})
    assert status == 1
    assert [line for line in lines if line.startswith("error: ")] == lines[-1:]
    assert list(out.rglob("*")) == []
    return lines[-1]


def with_metadata(path: Path, **changes: str) -> bytes:
    """Return a Parquet file with other metadata."""
    table = pq.read_table(path)
    meta = dict(table.schema.metadata)
    meta |= {f"weakreid.{name}".encode(): value.encode() for name, value in changes.items()}
    sink = io.BytesIO()
    pq.write_table(table.replace_schema_metadata(meta), sink)
    return sink.getvalue()


def without_a_column(path: Path) -> bytes:
    table = pq.read_table(path)
    sink = io.BytesIO()
    pq.write_table(table.drop_columns([table.column_names[1]]), sink)
    return sink.getvalue()


def damaged(path: Path) -> bytes:
    """Return a Parquet file whose footer is whole and whose pages are not."""
    data = bytearray(path.read_bytes())
    # the footer's length and "PAR1" come last
    footer = 8 + int.from_bytes(data[-8:-4], "little")
    for place in range(4, len(data) - footer):
        data[place] ^= 0x5A
    return bytes(data)


def wrong_files(path: Path) -> Iterator[tuple[str, bytes | None]]:
    """Yield kinds of wrong input and the bytes of each; None for no file."""
    whole = path.read_bytes()
    yield "missing", None
    yield "empty", b""
    yield "something else", bytes(range(256)) * 20
    if path.suffix == ".csv":
        # half of its lines are a table too; half a line is none
        yield "half a line", whole[: whole.rindex(b",")]
        yield "without its heads", whole[whole.index(b"\n") + 1 :]
        return
    yield "half", whole[: len(whole) // 2]
    if path.suffix == ".parquet":
        yield "another kind", with_metadata(path, kind="other")
        yield "another version", with_metadata(path, version="99")
        yield "without a column", without_a_column(path)
        yield "damaged", damaged(path)
    if path.suffix == ".json":
        yield "without keys", b"{}"
        yield "a list", b"[]"


@pytest.mark.parametrize(("name", "option"), options())
def test_every_wrong_file_is_refused_by_its_name(name: str, option: str, work: Path) -> None:
    place = place_of(name, option)
    for number, (kind, data) in enumerate(wrong_files(place)):
        path = work / str(number) / place.name
        if data is not None:
            path.parent.mkdir()
            path.write_bytes(data)
        assert str(path) in refused(name, option, path, work), kind


def test_every_stage_is_one_of_the_steps(tiny) -> None:
    stages = {path.stem for path in (tiny.folder / "src/weakreid/stages").glob("[a-z]*.py")}
    # the first reads no artifact; weights of every epoch, and a file that trainings share, take
    # more than the tiny experiments have: tests/datasets, tests/report, tests/training
    assert stages == {name.split()[0] for name in steps()} | {"fetch", "mask_curve", "frozen_maps"}


def test_a_bag_without_labels(work: Path) -> None:
    rows = schemas.read_frame(place_of("train_bags", "bags"), "bags", truth=True)
    rows.at[3, "labels"] = []
    path = work / "bags.parquet"
    schemas.write(path, "bags", rows, {})
    line = refused("train_bags", "bags", path, work)
    assert line == "error: bag 3 has no labels; leave it out of the bags"


def test_a_bag_with_frames_of_another_store(work: Path) -> None:
    rows = schemas.read_frame(place_of("train_bags", "bags"), "bags", truth=True)
    rows["frames"] = rows["frames"] + 10_000
    path = work / "bags.parquet"
    schemas.write(path, "bags", rows, {})
    line = refused("train_bags", "bags", path, work)
    assert "images.arrow: no row 1" in line


# --- noise, isolation, learning from tracklets ----------------------------------------------------

TINY = {"dataset": "walkers_tiny", "bags": None, "noise": None, "isolation": None}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (
            {"experiments": {"wl_tiny": {**TINY, "method": "tiny_tracklets", "noise": "tinny"}}},
            "experiments.wl_tiny.noise: 'tinny' does not exist; did you mean 'tiny'?",
        ),
        (
            {
                "experiments": {
                    "wl_tiny": {
                        **TINY,
                        "method": "tiny_tracklets",
                        "noise": "tiny",
                        "isolation": "tinny",
                    }
                }
            },
            "experiments.wl_tiny.isolation: 'tinny' does not exist; did you mean 'tiny'?",
        ),
        (
            {"isolation": {"tiny": {"extractor": "tinny"}}},
            "isolation.tiny.extractor: 'tinny' does not exist; did you mean 'tiny'?",
        ),
        (
            {"bags": {"wl": {"noise": "tinny"}}},
            "bags.wl.noise: 'tinny' does not exist; did you mean 'tiny'?",
        ),
        (
            {"noise": {"tiny": {"observed": "tinny"}}},
            "noise.tiny.observed: 'tinny' does not exist; did you mean 'tiny'?",
        ),
        (
            {"experiments": {"wl_tiny": {"noise": "tiny"}}},
            (
                "experiments.wl_tiny.noise: the method tiny learns from bags; leave noise out, or "
                "take another method"
            ),
        ),
        (
            {"experiments": {"wl_tiny": {"method": "tiny_tracklets"}}},
            # where the key stands that cannot be
            (
                "tiny.yaml: experiments.wl_tiny.bags: the method tiny_tracklets learns from "
                "tracklets; leave bags out, or take another method"
            ),
        ),
        (
            {"transfers": {"tiny": {"source": "tinny"}}},
            "transfers.tiny.source: 'tinny' does not exist; did you mean 'tiny'?",
        ),
        (
            {"transfers": {"tiny": {"attributes": ["Female", "up-black"]}}},
            (
                "config.yaml: 'transfers.tiny.attributes.1': no attribute is called 'up-black'; "
                'did you mean up-Black?, got "up-black"'
            ),
        ),
        (
            {"methods": {"tiny_clips": {"aggregation": {"groups": {"shoes": []}}}}},
            (
                "config.yaml: 'methods.tiny_clips.aggregation.groups': the group shoes has no "
                "attribute; give it one, or leave it out"
            ),
        ),
        (
            {
                "transfers": {"tiny": {"attributes": ["Female"]}},
                "experiments": {"wl_tiny": {**TINY, "method": "tiny_clips", "transfer": "tiny"}},
            },
            (
                "experiments.wl_tiny: transfers.tiny.attributes has none of the group "
                "head_shoulder; add one, or leave the group out of aggregation.groups"
            ),
        ),
        (
            {
                "experiments": {
                    "wl_tiny": {
                        **TINY,
                        "dataset": "mars",
                        "method": "tiny_clips",
                        "transfer": "truth",
                    }
                }
            },
            (
                "experiments.wl_tiny: nobody knows the true attributes of dataset mars; take a "
                "transfer that is learnt"
            ),
        ),
        (
            {"experiments": {"wl_tiny": {**TINY, "method": "tiny_clips"}}},
            (
                "config.yaml: 'experiments.wl_tiny.transfer' is missing; the method tiny_clips "
                "learns attributes"
            ),
        ),
        (
            {"methods": {"tiny_clips": {"model": {"dimension": 16}}}},
            (
                "config.yaml: 'methods.tiny_clips': model.dimension 16 does not divide into 7 "
                "segments, one for each group of attributes and one for all; take a multiple of 7"
            ),
        ),
        (
            {"noise": {"tiny": {"rsw": 0.5}}},
            "config.yaml: 'noise.tiny.rsw': Input should be greater than or equal to 1, got 0.5",
        ),
    ],
)
def test_a_config_that_cannot_be(change: dict[str, Any], line: str, checkout, monkeypatch) -> None:
    monkeypatch.chdir(checkout.folder)
    with pytest.raises(SystemExit) as left:
        read_plan(
            configs.merged(configs.with_tiny(), change),
            [*default_files(checkout.folder), checkout.folder / "tiny.yaml"],
            change,
            checkout.folder,
        )
    line = line.removeprefix("config.yaml: ")
    file = "" if line.startswith("tiny.yaml: ") else "--config: "
    assert left.value.code == f"error: {file}{line}"


def test_every_fault_names_the_file_that_it_stands_in(checkout) -> None:
    mine, more = checkout.folder / "mine.yaml", checkout.folder / "more.yaml"
    # the name of an experiment that YAML reads as false: config.yaml has experiments too
    whole = "{dataset: walkers_tiny, bags: wl, method: wl}"
    mine.write_text(
        f"seeed: 2\nexperiments: {{t: {{dataset: walkers_tiny, bags: wl}}, no: {whole}}}\n"
    )
    more.write_text("methods: {wl: {batch: {bagz: 3}}}\n")
    done = checkout.snakemake(
        *("-n", "--cores", "1", "--configfile", "mine.yaml", "more.yaml"),
        *("--config", "noise={n17_12: {rms: 2}}", "--", "results/t/metrics.json"),
    )
    mine.unlink()
    more.unlink()
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    said = {line for line in done.stdout.splitlines() if line.startswith("error: ")}
    assert said == {
        "error: mine.yaml: unknown key 'seeed'; did you mean 'seed'?",
        "error: mine.yaml: 'experiments.t.method' is missing; it must be given",
        "error: mine.yaml: 'experiments': YAML reads a name in it as false; write it in quotes",
        "error: more.yaml: unknown key 'methods.wl.batch.bagz'; did you mean 'bags'?",
        "error: --config: unknown key 'noise.n17_12.rms'; did you mean 'rsw'?",
    }


def test_a_target_among_a_thousand_is_refused_in_a_line_that_people_can_read(checkout) -> None:
    done = checkout.snakemake("-n", "--cores", "1", "--", "results/my_first_try/metrics.json")
    line = done.stdout.strip().splitlines()[-1]
    assert line.startswith(
        "error: results/my_first_try/metrics.json: experiments.my_first_try does "
    )
    assert line.endswith(" more; if a file of your own has it, name that with --configfile")
    assert len(line) <= 300


def test_so_from_the_command_line(checkout) -> None:
    done = checkout.tiny("-n", "results/wl_tiny/metrics.json", "--config", "noise={tiny: {rms: 2}}")
    assert done.returncode == 1
    assert done.stdout.strip().splitlines()[-1] == (
        "error: --config: unknown key 'noise.tiny.rms'; did you mean 'rsw'?"
    )
    assert "Traceback" not in done.stdout


@pytest.mark.parametrize(
    ("stage", "change", "line"),
    [
        (
            "noise",
            {"rsw": 40},
            (
                "camera {}: rsw 40 asks for {} segments in {} tracklets, but its {} people, each "
                "once in a tracklet, need {}; lower rsw to {} or less"
            ),
        ),
        (
            "noise",
            {"rfm": 99},
            (
                "camera {}: rfm 99 asks for {} segments of its {} people, but they have {} frames; "
                "lower rfm to {} or less"
            ),
        ),
        # eps: everything is near, and nothing
        (
            "train_tracklets",
            {"association": {"frames": 2, "k1": 6, "k2": 2, "min_samples": 2, "eps": 0.999}},
            (
                "association: DBSCAN found one cluster among {} tracklets with eps 0.999 and "
                "min_samples 2; {} % of the pairs have a Jaccard distance below 1 (smallest {}, "
                "1 % {}, median {}); set association: *"
            ),
        ),
        (
            "train_tracklets",
            {"association": {"frames": 2, "k1": 6, "k2": 2, "min_samples": 9, "eps": 1e-6}},
            (
                "association: DBSCAN found no cluster among {} tracklets with eps 1e-06 and "
                "min_samples 9; {} % of the pairs have a Jaccard distance below 1 (smallest {}, "
                "1 % {}, median {}); set association: *"
            ),
        ),
    ],
    ids=["rsw", "rfm", "one cluster", "no cluster"],
)
def test_values_that_the_data_do_not_allow(
    stage: str, change: dict[str, Any], line: str, work: Path
) -> None:
    out = work / "out"
    block = params_of(stage)
    for name, value in change.items():
        block[name] = {**block[name], **value} if isinstance(value, dict) else value
    if stage == "noise":
        block["distribution"] = "fitted"
    status, lines = run(stage, out, params=json.dumps(block))
    assert status == 1
    pattern = re.escape(f"error: {line}").replace(r"\{\}", r"[\d.]+")
    # what is advised is tried elsewhere (tests/clustering/test_advice.py)
    pattern = pattern.replace(r"\*", r"\{.*eps: [\d.]+\} \(\d+ clusters.*\)")
    assert re.fullmatch(pattern, lines[-1])
    # but where a training would go on
    assert [path for path in out.rglob("*") if path.is_file()] == []


def test_a_gpu_that_is_not_there(work: Path, monkeypatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    for stage in ("train_tracklets", "frame_features"):
        monkeypatch.setitem(MACHINE, "device", "cuda")
        status, lines = run(stage, work / "out")
        assert status == 1
        assert lines[-1].startswith("error: device cuda was asked for and no GPU is visible; ")
        assert not (work / "out").exists()


FILM = {"root": "film", "sequences": [{"name": "hall", "boxes": "boxes.txt", "frames": "pictures"}]}


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (
            lambda text: "\n".join(line.rsplit(",", 5)[0] for line in text.split()),
            "boxes.txt: line 1 has 5 columns and lacks height; write frame,",
        ),
        (
            lambda text: text + "9,1,12,8,12,30,1,-1,-1,-1\n",
            "boxes.txt: line 25 is a box in frame 9, but ",
        ),
        (
            lambda text: text + "8,9,200,8,12,30,1,-1,-1,-1\n",
            "boxes.txt: line 25: the box 200, 8, 12, 30 of frame 8 leaves less than 2 x 2 pixels ",
        ),
        (lambda text: "", "boxes.txt: holds no box; give the tracker's output, a line per box, "),
    ],
    ids=["a column", "a frame", "a box", "empty"],
)
def test_a_tracker_s_output_that_does_not_fit(spoil: Any, line: str, checkout, work: Path) -> None:
    film = work / "film"
    shutil.copytree(checkout.folder / "film", film)
    (film / "boxes.txt").write_text(spoil((film / "boxes.txt").read_text()))
    out = work / "out" / "cropped.json"
    params = json.dumps({**FILM, "root": str(film)})
    status, lines = run("crops", work / "out", params=params)
    assert status == 1
    assert lines[-1].startswith(f"error: {film}/{line}")
    assert not out.exists()
    assert not (work / "out" / "crops").exists()
    assert not (work / "out" / "crops.png").exists()


def test_so_through_the_workflow(empty) -> None:
    boxes = empty.folder / "film/boxes.txt"
    boxes.write_text("frame,id,left,top,width,height\n" + boxes.read_text())
    target = "results/datasets/film/tracklets.parquet"
    done = empty.tiny(target)
    assert done.returncode == 1
    (line,) = {text.strip() for text in done.stdout.splitlines() if "error: " in text}
    assert line.startswith("error: film/boxes.txt: line ")
    assert "Traceback" not in done.stdout
    left = [path for path in (empty.folder / "results").rglob("*") if path.is_file()]
    assert {path.parent.name for path in left} <= {"logs", "benchmarks"}
    boxes.unlink()
    done = empty.tiny(target, "-n")
    assert done.returncode == 1
    assert done.stdout.strip().splitlines()[-1] == (
        "error: datasets.film: film/boxes.txt is not there; put it there, or correct datasets.film"
    )


# --- attributes -----------------------------------------------------------------------------------


def asked(project: Any, change: dict[str, Any], *arguments: str) -> tuple[int, list[str], str]:
    """Ask for targets, the config changed; return the status, the errors said, and all of it."""
    more = project.folder / "more.yaml"
    more.write_text(yaml.safe_dump(change), encoding="utf-8")
    done = project.snakemake(
        *arguments, "--cores", "2", "--configfile", "tiny.yaml", "more.yaml", *SIDE_BY_SIDE
    )
    more.unlink()
    assert "Traceback" not in done.stdout
    said = {text.strip() for text in done.stdout.splitlines() if text.strip().startswith("error: ")}
    return done.returncode, sorted(said), done.stdout


def test_pictures_that_an_annotation_names_and_nobody_has(empty) -> None:
    rap_annotation.save(empty.folder / "rap", rap_annotation.content())
    pictures = empty.folder / "rap" / "RAP_dataset"
    pictures.mkdir()
    for row in range(rap_annotation.ROWS - 1):
        _, data = cv2.imencode(".png", np.full((8, 4, 3), 20 * row, np.uint8))
        (pictures / f"CAM01_{row}.png").write_bytes(data.tobytes())
    sources = {"rap": {"kind": "rap", "root": "rap"}}
    target = "results/sources/rap/pictures.parquet"
    status, said, _ = asked(empty, {"attribute_sources": sources}, target)
    assert status == 1
    (line,) = said
    assert line.startswith("error: rap: 1 of 10 images are missing in ")
    assert line.endswith(
        "rap/RAP_dataset: CAM01_9.png; put them there, or set on_bad_frame: leave_out"
    )
    made = empty.folder / "results/sources/rap"
    files = {path.name for path in made.iterdir() if path.is_file()}
    assert files == {"fetched.json", "annotation.parquet"}
    sources["rap"]["on_bad_frame"] = "leave_out"
    status, said, text = asked(empty, {"attribute_sources": sources}, target)
    assert status == 0, text
    assert said == []
    assert "rule source_images:" in text
    assert "rule annotation:" not in text
    rows = schemas.read_frame(empty.folder / target, "pictures")
    assert rows["file"].tolist() == [f"CAM01_{row}.png" for row in range(9)]
    assert "1 of 10 images are missing" in (made / "logs/source_images.log").read_text()


def test_attributes_that_cannot_be_learnt(tiny) -> None:
    """One that the source does not know, one that nobody has, a group that nothing is left of."""
    block = yaml.safe_load((tiny.folder / "tiny.yaml").read_text())["transfers"]["tiny"]
    transfers = {
        "lacking": {**block, "attributes": ["Female", "Age17-30"]},
        "constant": {**block, "on_constant": "stop"},
    }
    groups = {"shoes": ["shoes-Red"], "head_shoulder": ["hs-Hat"]}
    learning = {"aggregation": {"groups": groups}, "model": {"dimension": 3}}
    shoeless = {**TINY, "method": "tiny_clips", "transfer": "tiny", "overrides": learning}
    places = [f"results/attributes/{name}/walkers_tiny/official-1" for name in transfers]
    places.append("results/shoeless/runs/official-1")
    targets = [f"{place}/model.safetensors" for place in places]
    try:
        change = {"transfers": transfers, "experiments": {"shoeless": shoeless}}
        status, said, text = asked(tiny, change, *targets, "--keep-going")
        left = [path for place in places for path in (tiny.folder / place).rglob("*")]
    finally:
        for name in ("attributes/lacking", "attributes/constant", "shoeless"):
            shutil.rmtree(tiny.folder / "results" / name, ignore_errors=True)
    assert status == 1
    groups_left, constant, lacking = said
    assert lacking.startswith("error: attributes: the source has none called 'Age17-30'; ")
    assert constant.startswith("error: attribute AgeLess16 has a positive ratio of 0 in the 24 ")
    assert groups_left.startswith(
        "error: aggregation.groups: no training person has a label for any attribute of shoes "
    )
    assert left == []
    assert set(re.findall(r"rule (\w+):", text)) == {"transfer", "train_clips"}


def test_an_attribute_that_everybody_has(work: Path) -> None:
    given = place_of("transfer", "pictures")
    rows = schemas.read_frame(given, "pictures")
    known = schemas.read_params(given)
    place = known["attributes"].index("hs-Hat")
    rows["labels"] = [
        [1 if at == place else label for at, label in enumerate(labels)]
        for labels in rows["labels"]
    ]
    path = work / "pictures.parquet"
    schemas.write(path, "pictures", rows, known)
    out = work / "out"
    block = {**params_of("transfer"), "attributes": ["Female", "hs-Hat"]}
    for on_constant, status in (("stop", 1), ("leave_out", 0)):
        changed = json.dumps({**block, "on_constant": on_constant})
        given = {"inputs": {"pictures": path}, "params": changed}
        if status:
            found, lines = run("transfer", out, **given)
            assert found == status
            assert lines[-1] == (
                "error: attribute hs-Hat has a positive ratio of 1 in the 24 training images of "
                "the source: nothing can be learnt of it; leave it out of `attributes`, or set "
                "on_constant: leave_out"
            )
            assert not [file for file in out.rglob("*") if file.is_file()]
        else:
            call("transfer", out, **given)
            _, about = load_weights(out / "model.safetensors")
            assert about.attributes == ["Female"]
            assert about.left_out == {"hs-Hat": 1.0}


def test_retrieval_by_attributes_that_a_study_does_not_have(checkout) -> None:
    table = {"kind": "by_attribute", "study": "mini", "title": "By", "rows": {"k": "k_1"}}
    change = {"tables": {"by": {**table, "datasets": ["walkers_tiny"]}}}
    status, said, _ = asked(checkout, change, "results/tables/by/table.md", "-n")
    assert status == 1
    assert said == ["error: tables.by: the study mini has no attributes; name a transfer"]


def test_nobody_is_named_where_nobody_is_seen(work: Path) -> None:
    path = work / "videos.csv"
    text = place_of("named_bags", "videos").read_text()
    rows = [row.split(",") for row in text.splitlines()]
    column = rows[0].index("labels")
    for row in rows[1:]:
        row[column] = ""
    path.write_text("".join(",".join(row) + "\n" for row in rows))
    line = refused("named_bags", "videos", path, work)
    assert line.startswith("error: none of the 2 windows has both a name and a training tracklet")


def test_as_a_program_of_its_own(tiny, tmp_path: Path) -> None:
    out = tmp_path / "out" / "tracklets.parquet"
    done = tiny.call(
        *(sys.executable, "-m", "weakreid.stages", "split", "--tracklets", "nowhere.parquet"),
        *(
            "--partitions",
            str(place_of("split", "partitions")),
            "--params",
            '{"split": "official"}',
        ),
        *("--out", str(out)),
    )
    assert done.returncode == 1
    assert done.stderr == "error: nowhere.parquet: no such file; run the stage that makes it\n"
    assert done.stdout == ""
    assert not out.parent.exists()


# --- a full disk, and an end that comes too early -------------------------------------------------


def writing() -> list[str]:
    """Return the steps that write files; a stage that fills a folder has its own tests."""
    return [
        name
        for name, step in steps().items()
        if step.job.inputs and all(output.kind != "folder" for output in step.rule.outputs.values())
    ]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
@pytest.mark.parametrize("name", writing())
def test_a_full_disk(name: str, work: Path, monkeypatch) -> None:
    out, locked_part = work / "out", files._locked_part
    made = {Path(path).name for path in steps()[name].outputs}

    def full(path: Path) -> tuple[Path, IO[str]]:
        part, lock = locked_part(path)
        if path.name in made:
            (part / path.name).symlink_to("/dev/full")
        return part, lock

    monkeypatch.setattr(files, "_locked_part", full)
    out.mkdir()
    status, lines = run(name, out)
    assert status == 1
    found = re.fullmatch(
        rf"error: the disk is full: {out}/(\S+) was not written; free some space and run again",
        lines[-1],
    )
    assert found and found[1] in made
    assert not [path for path in out.rglob("*") if path.is_file() and path.name in made]


def test_told_to_end_it_leaves_nothing_half_written(tiny, tmp_path: Path) -> None:
    program = (
        "import sys, time; from pathlib import Path\n"
        "from weakreid.console import run_stage, say\n"
        "from weakreid.artifacts.files import replacing\n"
        "def main():\n"
        "    with replacing(Path('out.txt')) as aside:\n"
        "        aside.write_text('half'); say('writing'); time.sleep(60)\n"
        "run_stage(main, [])\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env=tiny.environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    assert process.stderr.readline() == "writing\n"
    process.send_signal(signal.SIGTERM)
    process.communicate()
    assert process.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
