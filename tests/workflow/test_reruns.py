"""Snakemake reruns the jobs whose signatures in the plan changed, and no others."""

import re
from typing import Any

import pytest
import yaml
from tests import configs
from tests.workflow.steps import where_the_film_is

from weakreid.plan.graph import signatures, steps_to
from weakreid.plan.read import plan_of

pytestmark = pytest.mark.slow

CHANGES: list[dict[str, Any]] = [
    {},
    {"methods": {"tiny": {"evaluation": {"keep": 7}}}},
    {"transfers": {"tiny": {"threshold": 0.4}}},
    {"coarse": {"max_frames": 9}},
    {"tables": {"tiny": {"title": "Another"}}},
]


@pytest.mark.parametrize(
    "change", CHANGES, ids=["nothing", *(next(iter(change)) for change in CHANGES[1:])]
)
def test_a_change_reruns_what_its_signatures_say(change: dict[str, Any], tiny) -> None:
    path = tiny.folder / "change.yaml"
    path.write_text(yaml.safe_dump(change), encoding="utf-8")
    done = tiny.snakemake(
        *("-n", "--cores", "2", "--configfile", "tiny.yaml", "change.yaml", "--"), *tiny.targets
    )
    path.unlink()
    assert done.returncode == 0, done.stdout[-3000:]
    found = set(re.findall(r"^    output: (\S+?)(?:, |$)", done.stdout, re.MULTILINE))
    with where_the_film_is():
        before = plan_of(configs.with_tiny())
        after = plan_of(configs.merged(configs.with_tiny(), change))
        old, new = signatures(before, tiny.targets), signatures(after, tiny.targets)
        steps = steps_to(after, tiny.targets)
    expected = {
        step.outputs[0] for step in steps if old.get(step.outputs[0]) != new[step.outputs[0]]
    }
    assert found == expected
