"""What runs again after a change: what the change can reach, and nothing else.

A job's signature is all that it depends on (`weakreid.plan.graph.signatures`). That Snakemake
reruns the jobs whose signatures changed, and no others, shows tests/workflow/test_reruns.py.
"""

import functools
import json
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, get_args, get_origin

import pytest
from tests import configs
from tests.plan.jobs import one_of_each
from tests.plan.keys import Key, keys_of, others

from weakreid.config import load
from weakreid.config.load import Config
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.graph import Step, signatures, steps_to
from weakreid.plan.plan import Plan
from weakreid.plan.read import plan_of

LEARNING = frozenset({"train_bags", "train_tracklets", "train_clips", "clip_epochs", "tune"})
TABLES = frozenset({"table", "plot", "picture"})
DRAWN = frozenset({"mask_shares", "mask_epochs", "masks", "erased_attention"})
"""Of what clips are drawn by chance: they have the seed."""

BEGINS: dict[str, frozenset[str]] = {
    "seed": DRAWN
    | {
        *("split", "bags", "named_bags", "coarse_bags", "noise", "matches", "tune"),
        *("isolation_figures", "isolation_preview"),
    },
    "validation_fraction": frozenset({"split"}),
    "datasets": frozenset({"fetch", "generate", "crops", "dataset"}),
    "bags": frozenset({"bags", "named_bags"}),
    "coarse": frozenset({"coarse_bags"}),
    "audit": frozenset({"audit"}),
    "trackers": frozenset({"noise_rates"}),
    "noise": frozenset({"noise"}),
    "extractors": frozenset({"frame_features"}),
    "isolation": frozenset({"isolation", "isolation_figures"}),
    "attribute_sources": frozenset(
        {"fetch_source", "generate_source", "annotation", "source_images"}
    ),
    "transfers": frozenset({"transfer"}),
    "transfers.*.threshold": frozenset({"attribute_labels", "audit", "matches"}),
    "shown_attributes": frozenset({"audit", "matches"}),
    "methods": LEARNING,
    "methods.*.evaluation": frozenset({"evaluate", "search"}),
    "methods.*.clips.test": DRAWN | {"clip_features"},
    "methods.*.clips.normalise": frozenset({"clip_features"}),
    "methods.*.neck.retrieves": frozenset({"clip_features"}),
    "tuning": frozenset({"tune", "tuned"}),
    "tables": TABLES,
}
"""By the place of a key: the rules whose jobs may use it themselves. Others rerun for their inputs."""

WILDCARDS = {
    "datasets": "dataset",
    "bags": "bags",
    "trackers": "tracker",
    "noise": "noise",
    "extractors": "extractor",
    "isolation": "isolation",
    "attribute_sources": "source",
    "transfers": "transfer",
    "tuning": "tuning",
    "tables": "table",
}
"""Of the blocks in a section of the config, the wildcard that has their names."""

NOWHERE: Mapping[str, str] = {}
"""Keys that change no result, and why."""


# --- a config and all that can be asked of it -----------------------------------------------------


class Base(NamedTuple):
    """A config before a change.

    Attributes:
        raw: all its values, said aloud.
        plan: of it.
        targets: what is asked for.
        before: the signatures of all that is behind these.
    """

    raw: dict[str, Any]
    plan: Plan
    targets: list[str]
    before: dict[str, str]


def said_aloud(given: dict[str, Any]) -> dict[str, Any]:
    """Return a config with every default in it."""
    whole = load.read(given).model_dump(mode="json")
    # an extractor learns nothing, and may not say how
    return {**whole, "extractors": given["extractors"]}


@functools.cache
def base(name: str) -> Base:
    """Return the tiny experiments' config, or one with a block of every kind and no study."""
    given = configs.tiny()
    if name == "every":
        given = configs.every()
        for section in ("studies", "tables", "tuning", "shown_attributes"):
            del given[section]
    raw = said_aloud(given)
    plan = plan_of(raw)
    targets = [path for step in one_of_each(plan).values() for path in step.outputs]
    for name, experiment in plan.experiments.items():
        # no two datasets have all of a study
        if name not in plan.refused and (experiment.row is None or "tiny" in experiment.dataset):
            targets.append(paths.metrics(name))
    for name, table in plan.config.tables.items():
        targets += [paths.of_table(name, "", file) for file in table.outputs()]
    for name in plan.config.transfers:
        targets.append(paths.of_transfer(name, "walkers_tiny", "official-1", "labels.parquet"))
    targets.append("results/datasets/film/official/bags/named.parquet")
    return Base(raw, plan, targets, signatures(plan, targets))


WORDS = [
    *("film/pictures", "boxes.txt", "truth.txt", "pictures", "hall", "file:other.zip", "1" * 64),
    *("none", "hub", "dev", "Female", "hs-Hat"),
    *("MARS", "WL-DukeV", "PRID 2011", "iLIDS-VID", "2", "3", "VI"),
]
"""Text that keys may have which are no names: files, choices, attributes, what papers call things."""


def words_for(of: Base, key: Key) -> list[str]:
    """Return text that a key may have: names first of what is called as it is."""
    named = {name: block for name, block in of.raw.items() if isinstance(block, dict)}
    if key.place[0] == "studies":
        named |= {name: block for name, block in of.raw["studies"][key.place[1]].items()}
    wanted = sorted(named, key=lambda section: key.name.rstrip("s") not in section)
    found = [
        name for section in wanted if isinstance(named[section], dict) for name in named[section]
    ]
    return list(dict.fromkeys([*found, *WORDS]))


def with_value(of: Base, key: Key, value: Any) -> dict[str, Any]:
    """Return a config with one value replaced."""
    raw = json.loads(json.dumps(of.raw))
    block: Any = raw
    for part in key.place[:-1]:
        block = block[part]
    block[key.place[-1]] = value
    return raw


def value_at(of: Base, key: Key) -> Any:
    value: Any = of.raw
    for part in key.place:
        value = value[part] if isinstance(value, list) else value.get(part)
    return value


# --- every key ------------------------------------------------------------------------------------


def groups(name: str) -> dict[str, dict[tuple[Any, ...], list[Key]]]:
    """Return, by section of the config, the places of each key that the models declare there."""
    found: dict[str, dict[tuple[Any, ...], list[Key]]] = {}
    raw = load.read(base(name).raw)
    for key in keys_of(raw):
        section, *below = key.place
        top = getattr(raw, str(section))
        kind = type(top[below[0]]) if isinstance(top, dict) and below else None
        of_section = found.setdefault(str(section), {})
        of_section.setdefault((kind, key.model, key.name), []).append(key)
    return found


class Change(NamedTuple):
    """A change of one key that reaches something.

    Attributes:
        key: that was changed.
        plan: after it.
        begins: the jobs that it changes themselves; all behind them changes with them.
    """

    key: Key
    plan: Plan
    begins: list[Step]


def change_of(of: Base, key: Key) -> Change | None:
    """Return a change of a key that reaches something, None where the key has no such value."""
    for value in others(key.annotation, value_at(of, key), words_for(of, key)):
        try:
            plan = plan_of(with_value(of, key, value))
            steps = steps_to(plan, of.targets)
            after = signatures(plan, of.targets)
        except ReidError:
            continue
        new = [step for step in steps if after[step.outputs[0]] != of.before.get(step.outputs[0])]
        made = {path for step in new for path in step.outputs}
        if new or after.keys() != of.before.keys():
            return Change(key, plan, [step for step in new if not made & set(step.job.paths())])
    return None


def chooses_its_block(key: Key) -> bool:
    """Return whether a key says what other keys there are, such as the name of a loss."""
    annotation = key.annotation
    return get_origin(annotation) is Literal and len(get_args(annotation)) == 1


SECTIONS = [(name, section) for name in ("tiny", "every") for section in Config.model_fields]


@pytest.mark.parametrize(("name", "section"), SECTIONS)
def test_a_key_changes_what_uses_it_and_what_comes_after(name: str, section: str) -> None:
    of, idle = base(name), []
    for keys in groups(name).get(section, {}).values():
        changes = filter(None, (change_of(of, key) for key in keys))
        change = next(changes, None)
        if change is None and not chooses_its_block(keys[0]):
            idle.append(".".join(map(str, keys[0].place)))
        elif change is not None:
            print(change.key.place, [(s.rule.name) for s in change.begins])
    print("IDLE", idle)
    assert False
