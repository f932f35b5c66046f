"""Where each value of an experiment's method comes from."""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from weakreid.plan.experiments import Experiment
from weakreid.plan.plan import Plan

DEFAULT = "default"


def values_of(plan: Plan, experiment: Experiment) -> Iterator[tuple[str, Any, str]]:
    """Yield (key with dots, value, where the config says so) of an experiment's method."""
    name = experiment.method_name
    given = _keys_given(plan.config.methods[name])
    for key, value in _leaves(experiment.method.model_dump(mode="json")):
        where = f"methods.{name}" if _said(given, key) else DEFAULT
        for layer, values in experiment.layers:
            if _said(values, key):
                where = layer
        yield key, value, where


def _keys_given(block: BaseModel) -> dict[str, Any]:
    """Return the keys that the config gave a block, as nested mappings."""
    return {
        name: _keys_given(value) if isinstance(value := getattr(block, name), BaseModel) else value
        for name in block.model_fields_set
    }


def _leaves(values: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping) and value:
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _said(values: Any, key: str) -> bool:
    """Return whether nested mappings have a key, or a whole value in the place of its block."""
    for part in key.split("."):
        if not isinstance(values, Mapping):
            return True
        if part not in values:
            return False
        values = values[part]
    return True
