"""What runs again after a change: what the change can reach, and nothing else.

A job's signature is all that it depends on (`weakreid.plan.graph.signatures`). That Snakemake
reruns the jobs whose signatures changed, and no others, shows tests/workflow/test_reruns.py.
"""

import functools
from typing import Any

import pytest
from tests import configs
from tests.workflow.steps import TINY, where_the_film_is

from weakreid.config.load import Config
from weakreid.plan.graph import Step, signatures, steps_to
from weakreid.plan.read import plan_of

BAGS, TRACKLETS = {"train_bags"}, {"train_tracklets"}
DRAWN = {"mask_shares", "masks", "erased_attention"}
"""Of what clips are drawn by chance: they have the seed."""

CHANGES: list[tuple[str, Any, set[str]]] = [
    (
        "seed",
        2,
        DRAWN
        | {"split", "bags", "named_bags", "coarse_bags", "noise", "matches", "tune"}
        | {"isolation_figures"},
    ),
    ("validation_fraction", 0.4, {"split"}),
    ("datasets.walkers_tiny.seed", 5, {"generate"}),
    ("datasets.film.min_frames", 2, {"crops"}),
    ("bags.wl.max_frames", 7, {"bags"}),
    ("coarse.max_frames", 9, {"coarse_bags"}),
    ("audit.top", 3, {"audit"}),
    ("trackers.tiny.iou", 0.6, {"noise_rates"}),
    ("noise.tiny.rsw", 1.3, {"noise"}),
    ("isolation.tiny.eps", 0.61, {"isolation"}),
    ("transfers.tiny.mmd", 0.7, {"transfer"}),
    ("transfers.tiny.threshold", 0.4, {"attribute_labels", "audit", "matches"}),
    ("methods.tiny.loss", {"name": "mil", "k": 1}, BAGS),
    ("methods.tiny.optimiser.lr", 0.0123, BAGS),
    ("methods.tiny.evaluation.keep", 7, {"evaluate"}),
    ("methods.tiny_tracklets.mean_net.momentum", 0.5, TRACKLETS),
    ("methods.tiny_clips.clips.normalise", False, {"clip_features"}),
    ("methods.tiny_clips.optimiser.lr", 0.0123, {"train_clips"}),
    ("experiments.wl_tiny.seeds", [3], {"train_bags"}),
    ("tuning.tiny.trials", 3, {"tune"}),
    ("tables.tiny.title", "Another", {"table"}),
]
"""A key, another value, and the rules whose jobs may use the key themselves.

Others rerun for their inputs alone.
"""


@functools.cache
def before() -> dict[str, str]:
    with where_the_film_is():
        return signatures(plan_of(configs.tiny()), TINY.targets)


def begun(change: dict[str, Any]) -> list[Step]:
    """Return the jobs that a change reaches itself; all behind them change with them."""
    with where_the_film_is():
        plan = plan_of(configs.merged(configs.tiny(), change))
        steps, after = steps_to(plan, TINY.targets), signatures(plan, TINY.targets)
    new = [step for step in steps if after[step.outputs[0]] != before().get(step.outputs[0])]
    made = {path for step in new for path in step.outputs}
    return [step for step in new if not made & set(step.job.paths())]


@pytest.mark.parametrize(("key", "value", "rules"), CHANGES, ids=[key for key, *_ in CHANGES])
def test_a_key_changes_what_uses_it_and_what_comes_after(
    key: str, value: Any, rules: set[str]
) -> None:
    found = {step.rule.name for step in begun(configs.nested(key, value))}
    assert found
    assert found <= rules


def test_every_section_of_the_config_has_a_change() -> None:
    sections = {key.partition(".")[0] for key, *_ in CHANGES}
    # studies and shown attributes choose among blocks; extractors and sources are inputs of others;
    # whether files are shared changes no result
    others = {"studies", "shown_attributes", "extractors", "attribute_sources", "share_frozen"}
    assert sections | others == set(Config.model_fields)


def test_nothing_changes_without_a_change() -> None:
    assert begun({}) == []


def test_another_dataset_changes_nothing_of_this_one() -> None:
    assert begun({"datasets": {"more": {"kind": "walkers", "size": "tiny"}}}) == []
