"""Jobs of a plan for tests to look at: what the tiny experiments ask for, and one of every rule."""

import itertools
from collections.abc import Iterable, Iterator

from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.frozen_rules import fronts
from weakreid.plan.graph import Step
from weakreid.plan.plan import Plan
from weakreid.plan.read import RULES
from weakreid.plan.rules import Rule
from weakreid.plan.targets import maker_of, values_of

SHAPED = {"split": ["official", "dev"], "run": ["official-1"], "worker": ["1"]}
"""Values of wildcards that are no names of the config."""


def one_of_each(plan: Plan) -> dict[str, Step]:
    """Return a job of every rule, the first one that is not refused."""
    found = {name: next(every_job(plan, rule), None) for name, rule in RULES.items()}
    return {name: step for name, step in found.items() if step is not None}


def every_job(plan: Plan, rule: Rule) -> Iterator[Step]:
    """Yield every job that a rule may have, but for those that are refused."""
    path = next(iter(rule.outputs.values())).path
    for wildcards in _combinations(plan, rule):
        made = maker_of(plan, path.format(**wildcards))
        if made is None or made[0] is not rule:
            continue
        try:
            yield Step(rule, wildcards, rule.needs(plan, **wildcards))
        except ReidError:
            continue


def _combinations(plan: Plan, rule: Rule) -> Iterator[dict[str, str]]:
    """Yield values of a rule's wildcards, those that cannot be among them."""
    path = next(iter(rule.outputs.values())).path
    allowed: dict[str, Iterable[str]] = {**values_of(plan), **SHAPED, "front": fronts(plan)}
    allowed |= {name: list(values(plan)) for name, values in rule.only.items()}
    names = [name for name in allowed if f"{{{name}}}" in path]
    for values in itertools.product(*(allowed[name] for name in names)):
        yield dict(zip(names, values, strict=True))


def asked_for(plan: Plan) -> list[str]:
    """Return targets of all kinds: of every rule one, every table, and all that can be trained."""
    found = [path for step in one_of_each(plan).values() for path in step.outputs]
    for name, experiment in plan.experiments.items():
        # no two datasets have all of a study
        if name not in plan.refused and (experiment.row is None or "tiny" in experiment.dataset):
            found.append(paths.metrics(name))
    for name, table in plan.config.tables.items():
        found += [paths.of_table(name, "", file) for file in table.outputs()]
    for name in plan.config.transfers:
        found.append(paths.of_transfer(name, "walkers_tiny", "official-1", "labels.parquet"))
    found += [paths.of_dataset(name, "tracklets.parquet") for name in plan.config.datasets]
    found += [paths.of_tuning(name, "best.yaml") for name in plan.config.tuning]
    return [*found, "results/datasets/film/official/bags/named.parquet"]
