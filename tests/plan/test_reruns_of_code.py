"""What runs again after an edit of a module: jobs whose stage imports it, and no others."""

import functools
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from tests import configs
from tests.plan.jobs import asked_for

from weakreid.config.methods import BagMethod, ClipMethod
from weakreid.plan import codedigest
from weakreid.plan.graph import Step, steps_to
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of
from weakreid.plan.rules import SILENT, code_of
from weakreid.plan.training_rules import modules_of

SOURCE = configs.ROOT / "src"

CLIPS = frozenset({"train_clips", "clip_epochs", "tune"})
"""The search of the tests is of a method that learns from clips."""
BAGS, TRACKLETS = frozenset({"train_bags"}), frozenset({"train_tracklets"})
MERGING, ONE_SHOT = frozenset({"train_merging"}), frozenset({"train_one_shot"})
CAMERAS = frozenset({"train_intra_camera"})
OF_TRACKLETS = TRACKLETS | MERGING | ONE_SHOT | CAMERAS
LEARNING = CLIPS | BAGS | OF_TRACKLETS | {"transfer"}

ONLY: Mapping[str, frozenset[str]] = {
    # whatever they do shows in the values and the inputs of a job, or is no part of a result
    "config.": frozenset(),
    "plan.": frozenset(),
    "cli.": frozenset(),
    "console": frozenset(),
    "door": frozenset(),
    "artifacts.arguments": frozenset(),
    "datasets.changes": frozenset(),
    # what is learnt in one way is no matter of another
    "losses.bags.": BAGS,
    "losses.clips.": CLIPS,
    "losses.tracklets.": OF_TRACKLETS,
    "losses.tracklets.tmc": TRACKLETS,
    "losses.tracklets.repelled": MERGING,
    "losses.tracklets.camera": CAMERAS,
    "training.bag_task": BAGS,
    "training.sampling": BAGS,
    "training.clip_task": CLIPS,
    "training.tracklet_task": TRACKLETS,
    "training.merging_task": MERGING,
    "training.one_shot_task": ONE_SHOT,
    "training.intra_camera_task": CAMERAS,
    "training.tracklet_features": OF_TRACKLETS,
    "training.pseudo_labels": TRACKLETS | MERGING,
    "training.mean_net": TRACKLETS,
    "training.transfer_task": frozenset({"transfer"}),
    "training.frame": LEARNING,
    "training.loop": LEARNING,
    "training.task": LEARNING,
    "tuning.": frozenset({"tune", "tuned"}),
    "supervision.bags": frozenset({"bags", "coarse_bags"}),
    "supervision.noise": frozenset({"noise"}),
}
"""Modules, or rooms of modules: the rules that an edit may reach."""

NEVER: Mapping[str, frozenset[str]] = {
    "datasets.": LEARNING | {"features", "clip_features", "evaluate"},
    "report.": LEARNING | {"features", "clip_features", "evaluate"},
    "retrieval.": LEARNING - {"tune"},
    "clustering.": LEARNING - OF_TRACKLETS - {"tune"},
    "clustering.merging": LEARNING - MERGING - {"tune"},
}
"""Rooms: the rules that no edit reaches."""

MEASURES = "datasets.majority"
"""Who most of a tracklet's frames show: isolation and training measure themselves by it."""


@functools.cache
def steps() -> list[Step]:
    plan = plan_of(configs.every())
    return steps_to(plan, asked_for(plan))


@functools.cache
def covered() -> Mapping[str, frozenset[str]]:
    """Return, by module of the package, the rules with a job whose digest covers it."""
    known = functools.cache(functools.partial(codedigest.modules, exclude=SILENT))
    found: dict[str, set[str]] = {name: set() for name in modules()}
    for step in steps():
        for module in known(
            *(f"weakreid.{m}" for m in (f"stages.{step.rule.stage}", *step.job.modules))
        ):
            found.setdefault(module.removeprefix("weakreid."), set()).add(step.rule.name)
    return {name: frozenset(rules) for name, rules in found.items()}


@functools.cache
def modules() -> list[str]:
    """Return the package's modules, their names below it."""
    package = SOURCE / "weakreid"
    paths = [path.relative_to(package) for path in package.rglob("*.py")]
    return sorted(".".join(path.with_suffix("").parts) for path in paths if path.stem != "__init__")


def in_room(room: str) -> list[str]:
    """Return a module, or all modules of a room, whose name ends in a dot."""
    return [
        name for name in modules() if name == room or (room[-1] == "." and name.startswith(room))
    ]


@pytest.mark.parametrize("room", ONLY)
def test_an_edit_reaches_its_own_rules_alone(room: str) -> None:
    assert in_room(room)
    for name in in_room(room):
        assert covered()[name] <= ONLY[room], name


@pytest.mark.parametrize("room", NEVER)
def test_an_edit_does_not_reach_what_comes_before(room: str) -> None:
    for name in in_room(room):
        if name != MEASURES:
            assert not covered()[name] & NEVER[room], name


def test_a_stage_is_its_own_rules_and_a_search_s() -> None:
    for step in steps():
        assert step.rule.name in covered()[f"stages.{step.rule.stage}"]
    for name in in_room("stages."):
        own = {step.rule.name for step in steps() if f"stages.{step.rule.stage}" == name}
        assert covered()[name] <= own | {"tune"}


def test_every_module_that_computes_is_in_some_digest() -> None:
    """A module that is imported by name alone has to be named (`Job.modules`)."""
    silent = [room for room, rules in ONLY.items() if not rules]
    idle = {name for room in silent for name in in_room(room)}
    # look at a machine, and for a stage
    idle |= {"machine", "stages.__main__"}
    assert {name for name, rules in covered().items() if not rules} == idle


def test_a_training_s_digest_covers_its_own_losses_and_network_and_no_others() -> None:
    plan = plan_of(configs.every())
    for experiment in plan.experiments.values():
        found = set(modules_of(experiment.method))
        of = {name for name in found if name.startswith("losses.")}
        method = experiment.method
        if isinstance(method, BagMethod):
            weighted = {"losses.bags.cpal"} if method.cpal.weight else set()
            assert of == {f"losses.bags.{method.loss.name}", *weighted}
        if isinstance(method, ClipMethod):
            assert of == {f"losses.clips.{name}" for name, term in method.losses if term}
        if method.clips is not None:
            assert f"models.aggregations.{method.aggregation.name}" in found
            assert ("models.cosam" in found) == (method.model.cosam is not None)


# --- edits ----------------------------------------------------------------------------------------


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of the package, whose digests are asked for."""
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(SOURCE / "weakreid", tmp_path / "weakreid", ignore=ignored)
    monkeypatch.setattr(codedigest, "SOURCE", tmp_path)
    yield tmp_path / "weakreid"
    code_of.cache_clear()


def digests(plan: Plan | None = None) -> dict[str, str]:
    """Return the digest of every job, by its first output."""
    code_of.cache_clear()
    found = steps() if plan is None else steps_to(plan, asked_for(plan))
    return {step.outputs[0]: step.rule.code(step.job) for step in found}


def test_comments_docstrings_and_layout_change_nothing(copied: Path) -> None:
    before = digests()
    for path in copied.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        if text.startswith('"""'):
            path.write_text('"""Another docstring. ' + text[3:] + "\n\n\n# a comment\n", "utf-8")
    assert digests() == before


@pytest.mark.parametrize(
    "name", ["losses.bags.hslr", "models.cosam", "datasets.prid", "report.kinds.noise", "seeding"]
)
def test_code_changes_the_jobs_that_it_is_covered_by(name: str, copied: Path) -> None:
    before = digests()
    path = copied.joinpath(*name.split(".")).with_suffix(".py")
    path.write_text(f"{path.read_text(encoding='utf-8')}\nADDED = 1\n", encoding="utf-8")
    after = digests()
    changed = {
        step.rule.name for step in steps() if after[step.outputs[0]] != before[step.outputs[0]]
    }
    assert changed == covered()[name] != set()
