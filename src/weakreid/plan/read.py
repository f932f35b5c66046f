"""From the mapping that YAML gives to the plan; and all rules."""

import importlib
import pkgutil
from collections.abc import Mapping
from typing import Any

import weakreid.plan
from weakreid.config import load
from weakreid.config.faults import Together
from weakreid.config.methods import Transfer
from weakreid.errors import ReidError
from weakreid.plan import paths, refusals, table_rules, tuning_rules
from weakreid.plan.experiments import experiments_of
from weakreid.plan.plan import Plan
from weakreid.plan.rules import DECLARED, Rule

# every module of this package that declares rules
for _module in pkgutil.iter_modules(weakreid.plan.__path__):
    if _module.name.endswith("_rules"):
        importlib.import_module(f"weakreid.plan.{_module.name}")

RULES: Mapping[str, Rule] = DECLARED
"""All rules by name."""


def plan_of(raw: Mapping[str, Any]) -> Plan:
    """Return the plan of a config that YAML gave.

    Raises:
        ConfigError: a key, a value or a name is wrong; an experiment that the config itself names
            (not a study's) is refused.
    """
    config = load.read(raw)
    together = Together()
    made = experiments_of(config, together)
    config = config.model_copy(
        update={name: getattr(made, name) for name in ("bags", "isolation", "transfers", "noise")}
    )
    refused: dict[str, str] = {}
    for name, experiment in made.experiments.items():
        with together.further():
            if name in paths.TAKEN:
                raise ReidError(f"experiments.{name}: results/{name} holds other things; rename it")
            try:
                refusals.check(config, made, experiment)
            except ReidError as error:
                if experiment.row is None:
                    raise
                refused[name] = str(error)
    for name, block in config.transfers.items():
        if isinstance(block, Transfer):
            with together.further():
                refusals.check_cache(block, f"transfers.{name}")
    for dataset, transfer in config.shown_attributes.items():
        with together.further():
            refusals.check_shown(config, dataset, transfer)
    together.stop()
    plan = Plan(config, made, refused)
    for name, table in config.tables.items():
        with together.further():
            table_rules.kind_of(table).check(plan, f"tables.{name}", table)
    for name in config.tuning:
        with together.further():
            tuning_rules.check(plan, name)
    together.stop()
    return plan
