"""Which rules run again after a change: those that the change can reach, and no others.

The tiny experiment and study are there; each test changes one thing and asks for them again in a
dry run. The second table below has a row per module and the first a row per key of the config, so
that neither can grow without saying what a change of it costs.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel
from tests.workflow.dryrun import dry_run

from weakreid import codedigest, config

pytestmark = pytest.mark.slow

NOTHING: frozenset[str] = frozenset()
STUDYING = frozenset({"study_table", "sweep_plot"})
COLLECTING = STUDYING | {"collect", "table"}
MATCHING = frozenset({"matches", "matches_table"})
EVALUATING = COLLECTING | MATCHING | {"evaluate"}
DESCRIBING = EVALUATING | {"features"}
SCORING = frozenset({"audit_score", "audit_table"})
AUDITING = SCORING | {"audit"}
TRAINING = DESCRIBING | AUDITING | {"train", "learning_curve"}
COUNTING = frozenset({"counts_table", "cost_table"})
BAGS = TRAINING | COUNTING | {"bags"}
COARSE_BAGS = EVALUATING | {"coarse_bags", "counts_table"}
ALL_BAGS = BAGS | COARSE_BAGS
SPLITTING = ALL_BAGS | {"split"}
READING = SPLITTING | {"dataset"}
GENERATING = READING | {"generate", "contact_sheet"}

OF_STUDIES = STUDYING | COUNTING | AUDITING | {"matches_table"}
"""What an experiment's own keys do not reach."""
OF_EXPERIMENTS = frozenset({"table", "learning_curve", "contact_sheet"})
"""What a study's own keys do not reach: the curve and the sheet asked for are others'."""
ONE_ROW = TRAINING - OF_EXPERIMENTS - AUDITING - MATCHING

KEYS: dict[str, tuple[Any, frozenset[str]]] = {
    "seed": (2, ALL_BAGS),
    "validation_fraction": (0.5, NOTHING),
    "datasets.walkers_tiny.size": ("demo", GENERATING),
    "datasets.walkers_tiny.seed": (2, GENERATING),
    "datasets.walkers_tiny.style": ("studio", GENERATING),
    "datasets.walkers_tiny.train_persons": (9, GENERATING),
    "datasets.walkers_tiny.test_persons": (9, GENERATING),
    "datasets.walkers_tiny.distractors": (1, GENERATING),
    "datasets.walkers_tiny.junk_tracklets": (1, GENERATING),
    "datasets.walkers_tiny.cameras": (4, GENERATING),
    "datasets.walkers_tiny.cameras_per_person": ([2, 4], GENERATING),
    "datasets.walkers_tiny.tracklets_per_camera": ([1, 4], GENERATING),
    "datasets.walkers_tiny.frames": ([5, 6], GENERATING),
    "datasets.walkers_tiny.height": (50, GENERATING),
    "datasets.walkers_tiny.width": (50, GENERATING),
    "datasets.walkers_tiny.look_alikes": (0.3, GENERATING),
    "datasets.walkers_tiny.on_bad_frame": ("leave_out", READING),
    "bags.wl.tracklets_per_bag": ([2, 4], BAGS),
    "bags.wl.tracklet_parts": (2, BAGS),
    "bags.wl.max_frames": (10, BAGS),
    "bags.wl.missing": ({"tracklets": [1, 2]}, BAGS),
    "bags.wl.noisy_parts": (2, BAGS),
    # those that are audited say their own
    "bags.wl.planted": ({"removed": 0.2}, BAGS - AUDITING),
    "coarse.tracklets_per_bag": ([2, 4], COARSE_BAGS),
    "coarse.max_frames": (10, COARSE_BAGS),
    "audit.frames": (8, AUDITING),
    "audit.top": (3, AUDITING),
    "methods.tiny.model.backbone": ("resnet34", TRAINING),
    "methods.tiny.model.weights": ("hub", TRAINING),
    "methods.tiny.model.last_stride": (1, TRAINING),
    "methods.tiny.model.embedding": ("fc", TRAINING),
    "methods.tiny.model.dimension": (64, TRAINING),
    "methods.tiny.model.frozen": (["stem"], TRAINING),
    "methods.tiny.model.batch_norm": ("eval", TRAINING),
    "methods.tiny.image.height": (64, TRAINING),
    "methods.tiny.image.width": (32, TRAINING),
    "methods.tiny.instances": ("tracklets", TRAINING),
    "methods.tiny.augment.flip": (0.0, TRAINING),
    "methods.tiny.augment.pad": (2, TRAINING),
    "methods.tiny.augment.erase": (0.5, TRAINING),
    "methods.tiny.loss.name": ("hslr", TRAINING),
    "methods.tiny.loss.k": (3, TRAINING),
    "methods.tiny.cpal.weight": (0.0, TRAINING),
    "methods.tiny.cpal.margin": (0.1, TRAINING),
    "methods.tiny.batch.bags": (3, TRAINING),
    "methods.tiny.batch.frames": (7, TRAINING),
    "methods.tiny.batch.pairs": (2, TRAINING),
    "methods.tiny.batch.cache_mb": (100, TRAINING),
    "methods.tiny.optimiser.name": ("sgd", TRAINING),
    "methods.tiny.optimiser.lr": (0.01, TRAINING),
    "methods.tiny.optimiser.momentum": (0.5, TRAINING),
    "methods.tiny.optimiser.weight_decay": (0.0, TRAINING),
    "methods.tiny.optimiser.backbone_factor": (0.5, TRAINING),
    "methods.tiny.optimiser.head_factor": (0.5, TRAINING),
    "methods.tiny.optimiser.clip": (1.0, TRAINING),
    # the study says its own
    "methods.tiny.schedule.epochs": (3, TRAINING - OF_STUDIES),
    "methods.tiny.schedule.steps_per_epoch": (3, TRAINING),
    "methods.tiny.schedule.name": ("step", TRAINING),
    "methods.tiny.schedule.milestones": ([1], TRAINING),
    "methods.tiny.schedule.factor": (0.5, TRAINING),
    "methods.tiny.schedule.warm_up": (0.5, TRAINING),
    "methods.tiny.precision": ("32", TRAINING),
    "methods.tiny.evaluation.metric": ("euclidean", EVALUATING),
    "methods.tiny.evaluation.rerank": (True, EVALUATING),
    "methods.tiny.evaluation.keep": (10, EVALUATING),
    "methods.tiny.evaluation.memory_mb": (512, EVALUATING),
    # the contact sheet asked for is the other dataset's
    "experiments.wl_tiny.dataset": ("walkers", GENERATING - {"contact_sheet"} - OF_STUDIES),
    "experiments.wl_tiny.bags": ("wl_parts4", BAGS - OF_STUDIES),
    "experiments.wl_tiny.method": ("small", TRAINING - OF_STUDIES),
    # the examples asked for are of the run that is there
    "experiments.wl_tiny.splits": (["official", "dev"], SPLITTING - {"matches"} - OF_STUDIES),
    "experiments.wl_tiny.seeds": ([1, 2], TRAINING - {"matches"} - OF_STUDIES),
    "experiments.wl_tiny.overrides": ({"schedule": {"epochs": 1}}, TRAINING - OF_STUDIES),
    "studies.mini.beside": ("WL-DukeV", STUDYING | {"counts_table"}),
    "studies.mini.bags": ("wl_parts4", BAGS - OF_EXPERIMENTS),
    "studies.mini.method": ("small", TRAINING - OF_EXPERIMENTS),
    "studies.mini.splits": (["dev"], SPLITTING - OF_EXPERIMENTS),
    # the examples asked for are of the first run
    "studies.mini.seeds": ([1, 2], TRAINING - OF_EXPERIMENTS - MATCHING),
    "studies.mini.changes": (
        {"spoilt": {"planted": {"removed": 0.2}}},
        AUDITING | {"bags", "train"},
    ),
    "studies.mini.datasets.walkers_tiny.published": ("WL-MARS", STUDYING | {"counts_table"}),
    "studies.mini.datasets.walkers_tiny.bags": ("wl_parts4", BAGS - OF_EXPERIMENTS),
    "studies.mini.datasets.walkers_tiny.method": ("small", TRAINING - OF_EXPERIMENTS),
    "studies.mini.datasets.walkers_tiny.splits": (["dev"], SPLITTING - OF_EXPERIMENTS),
    "studies.mini.datasets.walkers_tiny.seeds": (
        [1, 2],
        TRAINING - OF_EXPERIMENTS - MATCHING,
    ),
    "studies.mini.datasets.walkers_tiny.overrides": (
        {"schedule": {"epochs": 2}},
        TRAINING - OF_EXPERIMENTS,
    ),
    "studies.mini.datasets.walkers_tiny.changes": (
        {"spoilt": {"planted": {"removed": 0.2}}},
        BAGS - OF_EXPERIMENTS,
    ),
    "studies.mini.datasets.walkers_tiny.rows": ({"k_1": {"loss": {"k": 2}}}, ONE_ROW),
    "studies.mini.rows.k_1.bags": ("spoilt", ONE_ROW),
    "studies.mini.rows.k_1.overrides": ({"loss": {"k": 2}}, ONE_ROW),
    "tables.tiny.title": ("Another", frozenset({"table"})),
    "tables.tiny.rows": ({"another label": "wl_tiny"}, frozenset({"table"})),
    "tables.mini_k.title": ("Another", STUDYING),
    "tables.mini_k.study": ("wl", ONE_ROW),
    "tables.mini_k.datasets": (
        ["walkers"],
        GENERATING - OF_EXPERIMENTS - AUDITING - MATCHING - COUNTING,
    ),
    "tables.mini_k.table": ("V", STUDYING),
    "tables.mini_k.protocols": (["coarse"], STUDYING),
    "tables.mini_k.ranks": ([1], STUDYING),
    "tables.mini_k.axis": ("kk", STUDYING),
    "tables.mini_k.rows": ({"k = 2": "k_1"}, STUDYING),
    "tables.mini_counts.title": ("Another", frozenset({"counts_table"})),
    "tables.mini_counts.study": ("wl", NOTHING),
    # the tables asked for name their dataset
    "tables.mini_counts.datasets": (["dukev"], NOTHING),
    "tables.mini_counts.table": ("II", frozenset({"counts_table"})),
    "tables.mini_cost.title": ("Another", frozenset({"cost_table"})),
    "tables.mini_cost.study": ("wl", NOTHING),
    "tables.mini_cost.datasets": (["dukev"], NOTHING),
    "tables.mini_audit.title": ("Another", frozenset({"audit_table"})),
    "tables.mini_audit.study": ("wl", AUDITING | {"bags", "train"}),
    "tables.mini_audit.datasets": (["dukev"], NOTHING),
    "tables.mini_audit.row": ("planted_too", AUDITING | {"train"}),
    "tables.mini_matches.title": ("Another", NOTHING),
    "tables.mini_matches.study": ("wl", MATCHING | {"train", "features", "evaluate"}),
    "tables.mini_matches.datasets": (["dukev"], NOTHING),
}
"""Key: a value that it does not have, and the rules that then run again."""

TABLES = ("tiny", "mini_k", "mini_counts", "mini_cost", "mini_audit", "mini_matches")

ALSO: dict[str, tuple[str, Any]] = {
    "methods.tiny.batch.cache_mb": ("methods.tiny.model.frozen", ["stem"]),
    # the other datasets' bags of that name stay as they are
    "studies.mini.datasets.walkers_tiny.changes": (
        "studies.mini.datasets.walkers_tiny.bags",
        "wl_parts4",
    ),
}
"""Key: what it needs beside it."""

MODULES: dict[frozenset[str], str] = {
    # what computes nothing here, and the losses and readers that another experiment would use
    NOTHING: """
        codedigest config config_faults console
        datasets.dukev datasets.fetch datasets.ilids datasets.prid datasets.unpack
        losses.frame_ce losses.hslr losses.sslr losses.wsddn
        stages.fetch
    """,
    GENERATING: """
        errors files seeding
        datasets.walkers.attributes datasets.walkers.body datasets.walkers.cloth
        datasets.walkers.layout datasets.walkers.people datasets.walkers.render
        datasets.walkers.scene
        stages.generate
    """,
    READING: "images tables datasets.layout datasets.mars datasets.pack stages.dataset",
    SPLITTING: "datasets.splits stages.split",
    ALL_BAGS: "supervision.bags",
    BAGS: "supervision.planted stages.bags",
    COARSE_BAGS: "stages.coarse_bags",
    TRAINING: """
        prefetching
        losses.cpal losses.mil losses.pooling
        models._torchvision models.backbones models.build models.reid models.weights
        supervision.visible
        training.augment training.bag_task training.checkpoint training.devices training.frozen
        training.loop training.optimiser training.sampling training.schedule
        stages.train
    """,
    DESCRIBING | AUDITING: "retrieval.describe",
    DESCRIBING: "stages.features",
    EVALUATING: """
        retrieval.distances retrieval.measure retrieval.protocols retrieval.reranking
        stages.evaluate
    """,
    EVALUATING | SCORING: "retrieval.chance retrieval.ranking",
    COLLECTING: "stages.collect",
    frozenset({"table"}): "stages.table",
    frozenset({"table"}) | STUDYING | COUNTING | AUDITING: "report.tables",
    STUDYING | COUNTING: "report.published report.study",
    frozenset({"study_table"}): "stages.study_table",
    frozenset({"sweep_plot"}): "report.sweeps stages.sweep_plot",
    COUNTING: "report.counts supervision.counting",
    frozenset({"counts_table"}): "stages.counts_table",
    frozenset({"cost_table"}): "stages.cost_table",
    AUDITING: "report.audit supervision.audit stages.audit",
    SCORING: "retrieval.findings stages.audit_score",
    frozenset({"audit_table"}): "stages.audit_table",
    frozenset({"learning_curve"}): "stages.learning_curve",
    MATCHING: "report.matches stages.matches",
    MATCHING | AUDITING | {"learning_curve", "sweep_plot"}: "report.figures",
    frozenset({"contact_sheet"}): "datasets.walkers.sheet stages.contact_sheet",
}
"""The rules that run again when a module's code changes."""

EXPECTED = {name: rules for rules, names in MODULES.items() for name in names.split()}


@pytest.fixture
def reruns(tiny, monkeypatch):
    """Ask for everything of the tiny experiment again; return the rules that would run."""
    monkeypatch.chdir(tiny.folder)
    monkeypatch.setattr(codedigest, "SOURCE", tiny.folder / "src")
    return lambda change=None: frozenset(dry_run(tiny.targets, change))


@functools.cache
def raw_config() -> dict[str, Any]:
    """Return config.yaml and tiny.yaml as Snakemake merges them."""
    root = Path(__file__).resolve().parents[2]
    raw = yaml.safe_load((root / "config.yaml").read_text(encoding="utf-8"))
    tiny = yaml.safe_load(Path(__file__).with_name("tiny.yaml").read_text(encoding="utf-8"))
    return merged(raw, tiny)


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def change_of(key: str) -> dict[str, Any]:
    """Return what sets a key of the first table to the value there."""
    # said aloud, though it is the default: a loss is known by its name
    change = nested("methods.tiny.loss", {"name": "mil"})
    if key in ALSO:
        change = merged(change, nested(*ALSO[key]))
    return merged(change, nested(key, KEYS[key][0]))


def leaves(block: BaseModel, prefix: str) -> dict[str, Any]:
    """Return every key below a block with its value."""
    found: dict[str, Any] = {}
    for name in type(block).model_fields:
        value = getattr(block, name)
        if isinstance(value, BaseModel):
            found |= leaves(value, f"{prefix}{name}.")
        else:
            found[prefix + name] = value
    return found


def keys_of_tiny(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Return every key that has to do with the tiny experiment, with its value."""
    whole = config.load(raw)
    found = leaves(whole.coarse, "coarse.") | leaves(whole.audit, "audit.")
    for name in type(whole).model_fields:
        value = getattr(whole, name)
        if not isinstance(value, BaseModel | dict):
            found[name] = value
    blocks = ("datasets.walkers_tiny", "bags.wl", "methods.tiny", "experiments.wl_tiny")
    blocks += ("studies.mini", *(f"tables.{name}" for name in TABLES))
    for place in blocks:
        kind, _, name = place.partition(".")
        found |= leaves(getattr(whole, kind)[name], f"{place}.")
    for block in ("datasets.walkers_tiny", "rows.k_1"):
        kind, _, name = block.partition(".")
        found |= leaves(found[f"studies.mini.{kind}"][name], f"studies.mini.{block}.")
    # their blocks stand for them
    del found["studies.mini.datasets"], found["studies.mini.rows"]
    # a dataset of another source is another dataset, a table of another kind another table
    del found["datasets.walkers_tiny.source"]
    for name in TABLES:
        del found[f"tables.{name}.kind"]
        # one paper has published figures yet: another is refused
        found.pop(f"tables.{name}.paper", None)
    return found


def test_asked_for_again_nothing_runs(reruns) -> None:
    assert reruns() == NOTHING


# --- the config -----------------------------------------------------------------------------------


def test_every_key_has_a_row() -> None:
    assert set(KEYS) == set(keys_of_tiny(raw_config()))


@pytest.mark.parametrize("key", KEYS)
def test_a_key(key: str, reruns) -> None:
    before = keys_of_tiny(raw_config())
    after = keys_of_tiny(merged(raw_config(), change_of(key)))
    # a block that was null has keys of its own now
    assert after.get(key, "a block") != before[key], "the table's value is the one that the key has"
    assert reruns(change_of(key)) == KEYS[key][1]


def test_a_seed_more_runs_only_that_run(tiny, reruns) -> None:
    change = nested("experiments.wl_tiny.seeds", [1, 2])
    jobs = dry_run(tiny.targets, change)
    for rule in ("train", "features", "evaluate"):
        assert [job["wildcards"]["run"] for job in jobs[rule]] == ["official-2"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("datasets.mars.root", "elsewhere"),
        ("datasets.walkers.frames", [5, 6]),
        ("bags.wl_parts4.tracklet_parts", 5),
        ("bags.more", {"max_frames": 3}),
        ("methods.wl.optimiser.lr", 0.5),
        ("methods.more", {"loss": {"name": "wsddn"}}),
        ("experiments.demo.seeds", [1, 2, 3]),
        ("experiments.more", {"dataset": "walkers", "bags": "wl", "method": "tiny"}),
        ("tables.demo.title", "Another"),
        ("tables.wl_table3.title", "Another"),
        (
            "tables.more",
            {"kind": "experiments", "title": "More", "rows": {"one": "wl_mars"}},
        ),
        ("studies.wl.seeds", [7]),
        ("studies.wl.rows.more", {"overrides": {"loss": {"k": 3}}}),
        ("studies.mini.rows.more", {"overrides": {"loss": {"k": 3}}}),
        ("studies.mini.changes.more", {"max_frames": 3}),
        ("studies.mini.datasets.walkers", {"overrides": {"loss": {"k": 3}}}),
        ("studies.more", {"beside": "WL-MARS", "bags": "wl", "method": "tiny"}),
    ],
)
def test_what_others_use(key: str, value: Any, reruns) -> None:
    assert reruns(nested(key, value)) == NOTHING


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("seed", "1"),
        ("methods.tiny.optimiser.lr", "1e-3"),
        ("methods.tiny.optimiser.clip", "null"),
        ("methods.tiny.evaluation.rerank", "false"),
        ("methods.tiny.loss", {"name": "mil", "k": 5}),
        ("bags.wl.tracklets_per_bag", ["3", "5"]),
        ("experiments.wl_tiny.seeds", ["1"]),
        ("experiments.wl_tiny.overrides", {"cpal": {"margin": 0.5}}),
    ],
)
def test_the_same_value_in_other_words(key: str, value: Any, reruns) -> None:
    assert reruns(nested(key, value)) == NOTHING


def test_the_order_of_keys(reruns) -> None:
    def backwards(block: Any) -> Any:
        if not isinstance(block, dict):
            return block
        return {key: backwards(value) for key, value in reversed(block.items())}

    raw = dict(raw_config())
    # rows of a table stand in the order given
    del raw["tables"]
    assert reruns(backwards(raw)) == NOTHING


def test_another_name_for_the_same_method(reruns) -> None:
    block = raw_config()["methods"]["tiny"]
    change = merged(nested("methods.same", block), nested("experiments.wl_tiny.method", "same"))
    assert reruns(change) == {"collect", "table"}


# --- the code -------------------------------------------------------------------------------------


def modules(source: Path) -> dict[str, Path]:
    """Return the modules of the package by their names below it."""
    package = source / "weakreid"
    return {
        ".".join(path.relative_to(package).with_suffix("").parts): path
        for path in sorted(package.rglob("*.py"))
        if path.name != "__init__.py"
    }


@contextlib.contextmanager
def changed(paths: Iterable[Path], change: Callable[[str], str]) -> Iterator[None]:
    """Change the text of files for a while."""
    texts = {path: path.read_bytes() for path in paths}
    try:
        for path, text in texts.items():
            path.write_text(change(text.decode()), encoding="utf-8")
        yield
    finally:
        for path, text in texts.items():
            path.write_bytes(text)


def with_code(text: str) -> str:
    return f"{text}\nADDED = 1\n"


def test_every_module_has_one_row(tiny) -> None:
    named = [name for names in MODULES.values() for name in names.split()]
    assert sorted(named) == sorted(modules(tiny.folder / "src"))


@pytest.mark.parametrize("name", EXPECTED)
def test_a_module(name: str, tiny, reruns) -> None:
    with changed([modules(tiny.folder / "src")[name]], with_code):
        assert reruns() == EXPECTED[name]


def test_comments_docstrings_and_layout(tiny, reruns) -> None:
    def reworded(text: str) -> str:
        assert text.startswith('"""')
        return '"""Another docstring. ' + text[3:] + "\n\n\n# a comment\n"

    with changed(modules(tiny.folder / "src").values(), reworded):
        assert reruns() == NOTHING


def test_a_loss_that_another_method_uses(tiny, reruns) -> None:
    path = modules(tiny.folder / "src")["losses.sslr"]
    with changed([path], with_code):
        assert reruns(nested("methods.more", {"loss": {"name": "sslr"}})) == NOTHING
        assert reruns(nested("methods.tiny.loss", {"name": "sslr"})) == TRAINING


def test_comments_in_the_rules(tiny, reruns) -> None:
    files = [tiny.folder / "Snakefile", *(tiny.folder / "workflow" / "rules").glob("*.smk")]
    with changed(files, lambda text: f"{text}\n\n# a comment\n"):
        assert reruns() == NOTHING


# --- files ----------------------------------------------------------------------------------------

PUBLISHED = "workflow/resources/published.csv"


def test_another_published_figure(tiny, reruns) -> None:
    with changed([tiny.folder / PUBLISHED], lambda text: f"{text}WL,IX,MIL,WL-MARS,fine R-1,1.0\n"):
        assert reruns() == STUDYING | {"counts_table"}


def test_newer_files_of_the_same_bytes(tiny, reruns) -> None:
    folder = tiny.folder
    given = [folder / "Snakefile", folder / "config.yaml", folder / "tiny.yaml"]
    given += [*(folder / "workflow" / "rules").glob("*.smk"), *modules(folder / "src").values()]
    given.append(folder / PUBLISHED)
    for path in given:
        os.utime(path)
    assert reruns() == NOTHING


@pytest.mark.parametrize(
    "name",
    [
        "results/datasets/walkers_tiny/generated.json",
        "results/datasets/walkers_tiny/tracklets.parquet",
        "results/datasets/walkers_tiny/frames.parquet",
        "results/datasets/walkers_tiny/partitions.parquet",
        "results/datasets/walkers_tiny/images.arrow",
        "results/datasets/walkers_tiny/official/tracklets.parquet",
        "results/datasets/walkers_tiny/official/bags/wl.parquet",
        "results/datasets/walkers_tiny/official/coarse.parquet",
        "results/wl_tiny/runs/official-1/history.parquet",
        "results/wl_tiny/runs/official-1/features.parquet",
        "results/wl_tiny/runs/official-1/rankings.parquet",
        "results/wl_tiny/runs/official-1/metrics.json",
        "results/wl_tiny/metrics.json",
        "results/datasets/walkers_tiny/official/bags/wl_spoilt.parquet",
        "results/mini_walkers_tiny/metrics.json",
        "results/mini_walkers_tiny_planted/runs/official-1/audit.parquet",
        "results/mini_walkers_tiny_planted/runs/official-1/audit.json",
    ],
)
def test_a_newer_result_of_the_same_bytes(name: str, tiny, reruns) -> None:
    path = tiny.folder / name
    before = path.stat()
    os.utime(path)
    try:
        assert reruns() == NOTHING
    finally:
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_a_result_that_was_deleted(tiny, reruns) -> None:
    path = tiny.folder / "results/wl_tiny/runs/official-1/features.parquet"
    aside = path.with_name("aside")
    path.rename(aside)
    try:
        # what stands on it is there, so it is not needed
        assert reruns() == NOTHING
        assert reruns(nested("methods.tiny.evaluation.keep", 10)) == DESCRIBING
    finally:
        aside.rename(path)
