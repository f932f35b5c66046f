"""What is made of what."""

import functools
import hashlib
import re

import pytest
from tests import configs
from tests.plan.jobs import every_job, one_of_each

from weakreid.plan import paths
from weakreid.plan.graph import signatures, steps_to
from weakreid.plan.plan import Plan
from weakreid.plan.read import RULES, plan_of
from weakreid.plan.targets import maker_of

PLAN = plan_of(configs.own())
TARGET = "results/demo/metrics.json"


def test_each_job_comes_once_and_after_all_that_it_needs() -> None:
    found = steps_to(PLAN, [TARGET, "results/tables/demo/table.md", TARGET])
    made: set[str] = set()
    for step in found:
        # generated data comes from nothing
        assert set(step.job.paths()) <= made
        assert not made & set(step.outputs)
        made |= set(step.outputs)
    assert [step.rule.name for step in found].count("train_bags") == 2
    assert found[0].rule.name == "generate"
    assert found[-1].outputs[0] == "results/tables/demo/table.md"


def test_a_path_of_no_rule_has_no_job() -> None:
    assert steps_to(PLAN, ["README.md", "results/nobody/metrics.json"]) == []


def test_a_long_chain_of_weights() -> None:
    raw = configs.tiny()
    one = raw["experiments"]["wl_tiny"]
    for number in range(1010):
        init = {"init": f"chain_{number - 1}"} if number else {}
        raw["experiments"][f"chain_{number}"] = {**one, **init}
    found = steps_to(plan_of(raw), [paths.model("chain_1009", "official-1")])
    trained = [step.wildcards["experiment"] for step in found if step.rule.name == "train_bags"]
    assert trained == [f"chain_{number}" for number in range(1010)]


def test_signatures_are_of_every_output_and_the_same_again() -> None:
    found = signatures(PLAN, [TARGET])
    assert set(found) == {path for step in steps_to(PLAN, [TARGET]) for path in step.outputs}
    assert found == signatures(plan_of(configs.own()), [TARGET])
    whole = len(hashlib.sha256().hexdigest())
    assert all(re.fullmatch(f"[0-9a-f]{{{whole}}}", signature) for signature in found.values())


@pytest.mark.parametrize("name", RULES)
def test_what_a_job_needs_another_one_makes(name: str) -> None:
    plan = of_every_kind()
    for step in every_job(plan, RULES[name]):
        for path in step.job.paths():
            assert not path.startswith("results/") or maker_of(plan, path) is not None, step.outputs


def test_every_file_of_a_job_leads_to_it() -> None:
    plan = of_every_kind()
    for step in one_of_each(plan).values():
        for path in step.outputs:
            assert steps_to(plan, [path])[-1] == step


@functools.cache
def of_every_kind() -> Plan:
    return plan_of(configs.every())
