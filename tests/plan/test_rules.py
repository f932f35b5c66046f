"""What every rule declares, and what it gives to its stage."""

import functools
import importlib
import inspect
import re
from collections import Counter
from collections.abc import Callable
from pathlib import PurePath

import pytest
import typer
from tests import configs
from tests.plan.jobs import one_of_each
from tests.rule_files import written

from weakreid.plan.graph import Step
from weakreid.plan.plan import Plan
from weakreid.plan.read import RULES, plan_of
from weakreid.plan.rules import Job, pattern
from weakreid.plan.targets import maker_of


@functools.cache
def plan() -> Plan:
    return plan_of(configs.every())


@functools.cache
def steps() -> dict[str, Step]:
    return one_of_each(plan())


def stage_of(step: Step) -> Callable[..., object]:
    """Return the `main` of a job's stage."""
    main: Callable[..., object] = importlib.import_module(f"weakreid.stages.{step.rule.stage}").main
    return main


def options_of(words: list[str]) -> list[str]:
    """Return the names of options among arguments, as a stage's parameters are called."""
    return [word[2:].partition("=")[0].replace("-", "_") for word in words]


# --- the rule files -------------------------------------------------------------------------------


def test_the_rule_files_have_every_rule_and_look_up_no_other() -> None:
    assert set(written()) == set(RULES)
    for name, rule in written().items():
        assert rule.looked_up == [name] * 5


# --- what a rule declares -------------------------------------------------------------------------


def test_a_job_of_every_rule_is_looked_at() -> None:
    assert set(steps()) == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_a_rule_s_files_are_its_own(name: str) -> None:
    rule = RULES[name]
    first = PurePath(next(iter(rule.outputs.values())).path)
    wildcards = Counter(re.findall(r"\{\w+\}", str(first)))
    for path in (rule.log, rule.benchmark):
        # of each job another, below the folder of what it is made of
        assert Counter(re.findall(r"\{\w+\}", path)) == wildcards
        home = PurePath(path).parent.parent
        assert first.is_relative_to(str(home).replace("{place}", "")) or "{place}" in str(home)
    for output in rule.outputs.values():
        assert Counter(re.findall(r"\{\w+\}", output.path)) == wildcards


def test_no_two_rules_write_the_same_file() -> None:
    paths = [path for rule in RULES.values() for path in (rule.log, rule.benchmark)]
    assert len(set(paths)) == len(paths)
    for step in steps().values():
        for path in step.outputs:
            made = maker_of(plan(), path)
            assert made is not None and made[0] is step.rule, path
            others = {n: r for n, r in RULES.items() if r is not step.rule}
            assert _maker_among(others, path) is None, path


def _maker_among(rules: dict[str, object], path: str) -> str | None:
    with pytest.MonkeyPatch.context() as patch:
        from weakreid.plan import targets

        kept = [(rule, made) for rule, made in targets._patterns() if rule.name in rules]
        patch.setattr(targets, "_patterns", lambda: kept)
        made = maker_of(plan(), path)
    return None if made is None else made[0].name


@pytest.mark.parametrize("name", RULES)
def test_what_is_shown_has_its_caption(name: str) -> None:
    for output in RULES[name].outputs.values():
        caption = configs.ROOT / "workflow" / "report" / f"{output.caption}.rst"
        assert bool(output.shown) == bool(output.caption)
        assert not output.shown or caption.is_file()


# --- what a job gives -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", RULES)
def test_a_stage_takes_what_it_is_given_and_is_given_what_it_needs(name: str) -> None:
    step = steps()[name]
    outputs = dict(zip(step.rule.outputs, step.outputs, strict=True))
    words = step.rule.call(step.job, step.job.inputs, outputs)
    given = {*options_of(words), *written()[name].options}
    takes = inspect.signature(stage_of(step)).parameters
    needed = {
        option
        for option, parameter in takes.items()
        if parameter.default is parameter.empty and parameter.annotation is not typer.Context
    }
    assert needed <= given
    if not any(parameter.annotation is typer.Context for parameter in takes.values()):
        assert given <= set(takes)
        # what is given several times is taken as a list
        for option, count in Counter(options_of(words)).items():
            assert count == 1 or "list" in str(takes[option].annotation), option


@pytest.mark.parametrize("name", RULES)
def test_params_are_read_back_as_they_were(name: str) -> None:
    params = steps()[name].job.params
    if params is not None:
        again = type(params).parse(params.as_json())
        assert again.as_json() == params.as_json()
        # but for keys that no result of the stage depends on
        assert params.later or again == params


@pytest.mark.parametrize("name", RULES)
def test_the_code_of_a_job_is_there(name: str) -> None:
    step = steps()[name]
    assert re.fullmatch("[0-9a-f]{16}", step.rule.code(step.job))


def test_a_pattern_of_names_is_of_these_and_no_others() -> None:
    names = [*plan().experiments, *plan().config.bags, "a", "a_b", "ab", "_a"]
    found = re.compile(pattern(names))
    assert all(found.fullmatch(name) for name in names)
    for name in names:
        for other in (name[:-1], f"{name}_", f"{name}x", f"x{name}"):
            assert bool(found.fullmatch(other)) == (other in names)
    assert not re.fullmatch(pattern([]), "")


def test_a_file_in_a_folder_is_looked_for_where_the_folder_lies() -> None:
    job = Job(inputs={"videos": "results/crops"}, within={"videos": "videos.csv"})
    found = RULES["named_bags"].call(job, {"videos": "storage/crops"}, {"bags": "storage/bags"})
    assert found == ["--videos=storage/crops/videos.csv", "--out=storage/bags"]
