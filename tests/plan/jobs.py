"""Jobs of a plan for tests to look at: what the tiny experiments ask for, and one of every rule."""

import itertools
from collections.abc import Iterable, Iterator

from weakreid.errors import ReidError
from weakreid.plan.graph import Step
from weakreid.plan.plan import Plan
from weakreid.plan.read import RULES
from weakreid.plan.rules import Rule
from weakreid.plan.targets import maker_of, values_of

SHAPED = {"split": ["official", "dev"], "run": ["official-1"], "worker": ["1"]}
"""Values of wildcards that are no names of the config."""


def one_of_each(plan: Plan) -> dict[str, Step]:
    """Return a job of every rule, the first one that is not refused."""
    return {name: step for name, rule in RULES.items() for step in [_first(plan, rule)] if step}


def _first(plan: Plan, rule: Rule) -> Step | None:
    path = next(iter(rule.outputs.values())).path
    for wildcards in _combinations(plan, rule):
        made = maker_of(plan, path.format(**wildcards))
        if made is None or made[0] is not rule:
            continue
        try:
            return Step(rule, wildcards, rule.needs(plan, **wildcards))
        except ReidError:
            continue
    return None


def _combinations(plan: Plan, rule: Rule) -> Iterator[dict[str, str]]:
    """Yield values of a rule's wildcards, those that cannot be among them."""
    path = next(iter(rule.outputs.values())).path
    allowed: dict[str, Iterable[str]] = {**values_of(plan), **SHAPED}
    allowed |= {name: list(values(plan)) for name, values in rule.only.items()}
    names = [name for name in allowed if f"{{{name}}}" in path]
    for values in itertools.product(*(allowed[name] for name in names)):
        yield dict(zip(names, values, strict=True))
