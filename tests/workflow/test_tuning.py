"""A search in the workflow: what it finds, what it never looks at, and after a kill."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests import configs
from tests.workflow.steps import call, command_of, jobs_of, params_of

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.sources import read_merged
from weakreid.plan.graph import signatures
from weakreid.plan.read import plan_of
from weakreid.tuning.search import Running

pytestmark = pytest.mark.slow

DATASET = "results/datasets/walkers_tiny"
DEV = f"{DATASET}/dev"


@pytest.fixture
def here(tiny, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tiny.folder)
    return tiny.folder


def test_what_is_found_is_a_piece_of_config(tiny, here) -> None:
    trials = schemas.read_frame(here / "results/tuning/tiny/trials.parquet", "trials")
    assert set(trials["trial"]) == {1, 2}
    last = trials[trials["epoch"] == 2]
    best = last.loc[last["figure"].idxmax()]
    text = (here / tiny.tuned).read_text(encoding="utf-8")
    said = f"# trial {best['trial']} of 2: fine mAP {best['figure']:.2f} on the split dev of"
    assert said in text
    found = read_merged([Path(tiny.tuned)])
    before = plan_of(configs.with_tiny()).experiments
    after = plan_of(configs.merged(configs.with_tiny(), found)).experiments
    assert set(before) == set(after)
    changed = {n: of.method for n, of in after.items() if of.method != before[n].method}
    assert list(changed) == ["searched"]
    values = json.loads(best["values"])
    assert changed["searched"].optimiser.lr == values["optimiser.lr"]
    assert changed["searched"].losses.triplet.metric == values["losses.triplet.metric"]
    page = (here / "results/tuning/tiny/trials.md").read_text(encoding="utf-8")
    assert page.startswith("# tiny: values of searched\n") and page.count("| whole |") == 0
    assert (here / "results/tuning/tiny/search.svg").read_bytes().startswith(b"<?xml")


def test_what_was_found_asks_for_no_other_search(tiny, here) -> None:
    before = plan_of(configs.with_tiny())
    after = plan_of(configs.merged(configs.with_tiny(), read_merged([Path(tiny.tuned)])))
    assert signatures(after, [tiny.tuned]) == signatures(before, [tiny.tuned])


def test_its_trials_are_trainings_on_dev_as_any_others(tiny, here) -> None:
    """An experiment on dev with these values has the same jobs and inputs."""
    change = configs.merged(
        read_merged([Path(tiny.tuned)]), {"experiments": {"searched": {"splits": ["dev"]}}}
    )
    jobs = jobs_of(["results/searched/metrics.json"], change)
    (job,) = jobs["train_clips"]
    (search,) = jobs_of(["results/tuning/tiny/workers/2.json"])["tune"]
    kept = [path for path in job.job.paths() if "/frozen/" not in path]
    assert sorted(kept) == sorted(search.job.paths())
    assert {path for of in jobs.values() for each in of for path in each.job.paths()} >= {
        f"{DEV}/coarse.parquet"
    }


# --- the test set ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("experiment", "metric", "needs"),
    [
        ("searched", "fine mAP", []),
        ("wl_tiny", "coarse mAP", [f"{DEV}/bags/wl.parquet", f"{DEV}/coarse.parquet"]),
        (
            "mini_tmc_walkers_tiny_intra_50_noisy",
            "reranked R-1",
            [f"{DEV}/isolated/tiny-tiny_near.parquet"],
        ),
        ("mini_attr_walkers_tiny", "coarse R-1", [f"{DEV}/coarse.parquet"]),
    ],
)
def test_a_search_asks_for_nothing_of_a_test_set(
    experiment: str, metric: str, needs: list[str], here
) -> None:
    lr = {"optimiser.lr": {"low": 1e-4, "high": 1e-2}}
    block = {"experiment": experiment, "ranges": lr, "trials": 2, "metric": metric, "jobs": 2}
    jobs = jobs_of(["results/tuning/more/best.yaml"], {"tuning": {"more": block}})
    assert len(jobs["tune"]) == 2
    for job in jobs["tune"]:
        given = [f"{DEV}/tracklets.parquet", f"{DATASET}/frames.parquet", f"{DATASET}/images.arrow"]
        found = job.job.paths()
        assert {*given, *needs} <= set(found)
        assert not [path for path in found if "official" in path or "/runs/" in path]
        assert "official" not in " ".join(command_of(job))
    assert not [job for of in jobs.values() for job in of if "official" in str(job.outputs)]


def test_pictures_of_a_test_set_are_not_looked_at(here, tmp_path: Path, monkeypatch) -> None:
    seen: set[int] = set()
    batch = ImageStore.batch

    def noted(store: ImageStore, rows: Any, *sizes: int, **more: Any) -> Any:
        seen.update(int(row) for row in rows)
        return batch(store, rows, *sizes, **more)

    monkeypatch.setattr(ImageStore, "batch", noted)
    call("tune", tmp_path)
    frames = schemas.read_frame(Path(f"{DATASET}/frames.parquet"), "frames")
    official = schemas.read_frame(Path(f"{DATASET}/official/tracklets.parquet"), "tracklets")
    dev = schemas.read_frame(Path(f"{DEV}/tracklets.parquet"), "tracklets")

    def images_of(rows: Any) -> set[int]:
        return set(frames.loc[frames["tracklet_id"].isin(rows["tracklet_id"]), "image"])

    tested = images_of(official[official["role"] != "train"])
    assert tested and not seen & tested
    assert seen <= images_of(official[official["role"] == "train"])
    for role in ("train", "query", "gallery"):
        assert seen & images_of(dev[dev["role"] == role])


# --- a kill, and other ways of learning -----------------------------------------------------------


def search(folder: Path, inputs: dict[str, Path] | None = None, **more: Any) -> None:
    params = json.dumps({**params_of("tune"), **more})
    call("tune", folder, inputs=inputs or {}, params=params)


class Killed(BaseException):
    """As a kill: nothing of the program catches it."""


def test_killed_in_the_middle_it_finds_the_same(here, tmp_path: Path, monkeypatch) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    search(whole, trials=2)
    report, count = Running.report, 0

    def dying(trial: Running, epochs: int, figure: float) -> None:
        nonlocal count
        report(trial, epochs, figure)
        count += 1
        # the second trial's last epoch is measured, and not yet in its checkpoint
        if count == 4:
            raise Killed

    monkeypatch.setattr(Running, "report", dying)
    with pytest.raises(Killed):
        search(killed, trials=2)
    assert not (killed / "1.json").exists()
    assert (killed / "1" / "checkpoint.pt").exists()
    search(killed, trials=2)
    # trained for the one epoch that was not in the checkpoint
    assert count == 5
    before, after = (
        json.loads((folder / "1.json").read_text(encoding="utf-8")) for folder in (whole, killed)
    )
    assert [trial.pop("number") for trial in before] == [0, 1]
    assert [trial.pop("number") for trial in after] == [0, 2]
    assert before == after
    assert not (killed / "1").exists()


def test_it_learns_from_bags_and_from_tracklets(here, tmp_path: Path) -> None:
    methods = plan_of(configs.with_tiny()).config.methods
    tracklets = {"tracklets": Path(f"{DEV}/tracklets.parquet")}
    call("bags", tmp_path / "bags", inputs={**tracklets, "tracks": []})
    call("coarse_bags", tmp_path / "coarse", inputs=tracklets)
    plain = {"rfm": None, "rsw": None, "distribution": "fitted", "seed": 1}
    call("noise", tmp_path / "noise", inputs=tracklets, params=json.dumps(plain))
    (made,), (coarse,), (tracks,) = (
        (tmp_path / name).glob("*.parquet") for name in ("bags", "coarse", "noise")
    )
    lr = {"key": "optimiser.lr", "low": 1e-4, "high": 1e-3, "log": True, "step": None}
    for name, more in (
        ("tiny", {"bags": made, "coarse": coarse}),
        ("tiny_tracklets", {"tracks": tracks}),
    ):
        method = methods[name].model_dump(mode="json")
        metric = "coarse mAP" if name == "tiny" else "fine R-1"
        ranges = [{**lr, "whole": False}]
        search(tmp_path / name, more, method=method, metric=metric, ranges=ranges, trials=1)
        (trial,) = json.loads((tmp_path / name / "1.json").read_text(encoding="utf-8"))
        assert trial["outcome"] == "whole"
        assert [epochs for epochs, _ in trial["curve"]] == [1, 2]
        assert 0 < trial["figure"] <= 100


def test_a_training_that_diverges_ends_no_search(here, tmp_path: Path) -> None:
    steep = {"key": "optimiser.lr", "low": 1e18, "high": 1e30, "log": True, "step": None}
    method = plan_of(configs.with_tiny()).experiments["searched"].method.model_dump(mode="json")
    search(tmp_path, ranges=[{**steep, "whole": False}], trials=1, method=method)
    (trial,) = json.loads((tmp_path / "1.json").read_text(encoding="utf-8"))
    assert (trial["outcome"], trial["figure"]) == ("diverged", 0)


def test_what_cannot_be_searched_is_said_before_anything_runs(checkout) -> None:
    keys = "tuning={tiny: {ranges: {optimiser.lr: {low: 0.7, high: 0.5}}}}"
    done = checkout.snakemake(
        *("-n", "--cores", "1", "--configfile", "tiny.yaml", "--config", keys, "--"),
        checkout.tuned,
    )
    assert done.returncode == 1
    (line,) = [text for text in done.stdout.splitlines() if text.startswith("error: ")]
    assert line == (
        "error: --config: 'tuning.tiny.ranges.optimiser.lr': the range is empty: low is 0.7 and "
        "high is 0.5; low must be below high"
    )


def test_of_a_search_that_is_not_there_the_nearest_is_named(checkout) -> None:
    done = checkout.snakemake(
        *("-n", "--cores", "1", "--configfile", "tiny.yaml", "--"), "results/tuning/tin/best.yaml"
    )
    assert "results/tuning/tin/best.yaml: tuning.tin does not exist; did you mean 'tiny'?" in (
        done.stdout
    )
