"""What somebody asks for: the file's rule, or what is wrong with a target that no rule makes."""

import functools
import re
from collections.abc import Mapping

from weakreid.config.faults import suggest, suggest_or_file
from weakreid.config.methods import TrueAttributes
from weakreid.plan import paths
from weakreid.plan.plan import Plan
from weakreid.plan.read import RULES
from weakreid.plan.rules import Rule, pattern
from weakreid.plan.training_rules import SUPERVISIONS

FOLDERS = {
    "datasets": "datasets",
    "tables": "tables",
    "trackers": "trackers",
    "sources": "attribute_sources",
    "attributes": "transfers",
    "tuning": "tuning",
}
"""Folders below results/: the part of the config whose names are in it."""

_OF_PLACE = "(?:/[^/]+)?"


@functools.cache
def _patterns() -> list[tuple[Rule, re.Pattern[str]]]:
    found = []
    for rule in RULES.values():
        for output in rule.outputs.values():
            parts = re.split(r"\{(\w+)\}", output.path)
            text, seen = "", set()
            for number, part in enumerate(parts):
                if number % 2 == 0:
                    text += re.escape(part)
                elif part in seen:
                    text += f"(?P={part})"
                else:
                    seen.add(part)
                    text += f"(?P<{part}>{_OF_PLACE if part == 'place' else '[^/]+'})"
            found.append((rule, re.compile(text)))
    return found


def maker_of(plan: Plan, path: str) -> tuple[Rule, Mapping[str, str]] | None:
    """Return the rule that makes a path and the values of its wildcards, None if no rule does."""
    for rule, made in _patterns():
        fits = made.fullmatch(path)
        if fits and _allowed(plan, rule, fits.groupdict()):
            return rule, fits.groupdict()
    return None


def _allowed(plan: Plan, rule: Rule, wildcards: Mapping[str, str]) -> bool:
    own = _own_values(plan, rule.name)
    return all(
        re.fullmatch(SHAPES[name], value)
        if name in SHAPES
        else value in (own[name] if name in own else _values(plan)[name])
        for name, value in wildcards.items()
    )


@functools.lru_cache(maxsize=4)
def _values(plan: Plan) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(values) for name, values in values_of(plan).items()}


@functools.lru_cache(maxsize=1000)
def _own_values(plan: Plan, rule: str) -> Mapping[str, frozenset[str]]:
    return {name: frozenset(values(plan)) for name, values in RULES[rule].only.items()}


def constrained(plan: Plan, rule: Rule, path: str) -> str:
    """Return an output's pattern with the values in it that the rule's wildcards may have.

    They do not stand in the patterns of logs and benchmarks, each of which Snakemake compiles: a
    thousand experiments take a while.
    """
    for name, values in {**values_of(plan), **{n: of(plan) for n, of in rule.only.items()}}.items():
        if f"{{{name}}}" in path:
            path = path.replace(f"{{{name}}}", f"{{{name},{_pattern_of(tuple(values))}}}", 1)
    return path


@functools.lru_cache(maxsize=1000)
def _pattern_of(values: tuple[str, ...]) -> str:
    return pattern(values)


SHAPES = {
    "worker": "[1-9][0-9]*",
    "split": "official|dev|[0-9]",
    "run": "(official|dev|[0-9])-[0-9]+",
    "front": "[0-9a-f]{12}",
}
"""Wildcards that are no names of the config, and the patterns of their values."""


def values_of(plan: Plan) -> dict[str, list[str]]:
    """Return the values that each wildcard may have where a rule does not say otherwise."""
    config = plan.config
    return {
        "dataset": list(config.datasets),
        "bags": list(config.bags),
        "tracker": list(config.trackers),
        "noise": list(config.noise),
        "supervision": list(SUPERVISIONS),
        "extractor": list(config.extractors),
        "isolation": list(config.isolation),
        "source": list(config.attribute_sources),
        # those that are learnt; the truth is no transfer's
        "transfer": [n for n, t in config.transfers.items() if not isinstance(t, TrueAttributes)],
        "experiment": list(plan.experiments),
        "table": list(config.tables),
        "tuning": list(config.tuning),
        # of a table: nothing, or one dataset
        "place": ["", *(f"/{name}" for name in config.datasets)],
    }


def no_such_target(plan: Plan, target: str, own_file: bool) -> str:
    """Return what is wrong with a target that no rule makes, in one line.

    Args:
        plan: of the config.
        target: a path.
        own_file: whether --configfile was given.
    """
    config = plan.config
    place = re.match(rf"results/(?:({'|'.join(FOLDERS)})/)?([^/]+)/", target)
    if place is None:
        wanted = "results/EXPERIMENT/metrics.json or results/tables/TABLE/table.md"
        return f"{target}: nothing makes this; ask for {wanted}"
    kind, name = FOLDERS[place[1]] if place[1] else "experiments", place[2]
    names: Mapping[str, object] = getattr(plan if kind == "experiments" else config, kind)
    if kind == "transfers" and isinstance(names.get(name), TrueAttributes):
        made = paths.true_attributes("DATASET")
        return f"{target}: the truth is not learnt; ask for {made}, where it is known"
    if kind == "experiments" and name in plan.same:
        same = plan.same[name]
        return f"{target}: that is the experiment {same}; ask for {paths.metrics(same)}"
    of_dataset = re.match(r"results/tables/[^/]+/([^/]+)/", target)
    if name in names and of_dataset and of_dataset[1] not in config.datasets:
        close = suggest(of_dataset[1], config.datasets)
        return f"{target}: datasets.{of_dataset[1]} does not exist{close}"
    if name in names:
        return (
            f"{target}: nothing makes this file of {kind}.{name}; docs/artifacts.md lists the files"
        )
    return f"{target}: {kind}.{name} does not exist{suggest_or_file(name, names, own_file)}"
