"""What is made of what."""

import hashlib
import re

from tests import configs
from tests.plan.jobs import one_of_each

from weakreid.plan import paths
from weakreid.plan.graph import signatures, steps_to
from weakreid.plan.read import RULES, plan_of

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
    raw = configs.own()
    one = raw["experiments"]["demo"]
    for number in range(1100):
        init = {"init": f"chain_{number - 1}"} if number else {}
        raw["experiments"][f"chain_{number}"] = {**one, **init}
    found = steps_to(plan_of(raw), [paths.model("chain_1099", "official-1")])
    trained = [step.wildcards["experiment"] for step in found if step.rule.name == "train_bags"]
    assert trained == [f"chain_{number}" for number in range(1100)]


def test_signatures_are_of_every_output_and_the_same_again() -> None:
    found = signatures(PLAN, [TARGET])
    assert set(found) == {path for step in steps_to(PLAN, [TARGET]) for path in step.outputs}
    assert found == signatures(plan_of(configs.own()), [TARGET])
    whole = len(hashlib.sha256().hexdigest())
    assert all(re.fullmatch(f"[0-9a-f]{{{whole}}}", signature) for signature in found.values())


def test_every_job_that_is_given_is_there_too() -> None:
    plan = plan_of(configs.every())
    for step in one_of_each(plan).values():
        for path in steps_to(plan, step.outputs)[-1].outputs:
            assert path in step.outputs
    assert RULES
