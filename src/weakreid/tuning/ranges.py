"""Ranges of a method's values, as plain values, and how a trial of Optuna draws from them."""

import copy
import json
from collections.abc import Mapping, Sequence
from typing import Any

from optuna.trial import BaseTrial


def drawn(trial: BaseTrial, ranges: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the values of a trial, by their keys with dots.

    Args:
        trial: suggests them.
        ranges: each has a `key` and either `choices`, any values, or `low` and `high` with `step`
            (None: anything in between), `log` and whether numbers are `whole`.
    """
    found: dict[str, Any] = {}
    for of in ranges:
        key = of["key"]
        if "choices" in of:
            # Optuna keeps nothing but plain values
            texts = [json.dumps(choice, sort_keys=True) for choice in of["choices"]]
            found[key] = json.loads(str(trial.suggest_categorical(key, texts)))
        elif of["whole"]:
            step = 1 if of["step"] is None else of["step"]
            found[key] = trial.suggest_int(key, of["low"], of["high"], step=step, log=of["log"])
        else:
            found[key] = trial.suggest_float(
                key, of["low"], of["high"], step=of["step"], log=of["log"]
            )
    return found


def with_values(method: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a method, as plain values, with the values of keys with dots replaced."""
    found: dict[str, Any] = copy.deepcopy(dict(method))
    # a block that is chosen whole comes before the keys in it
    for key in sorted(values):
        *above, last = key.split(".")
        block = found
        for part in above:
            block = block[part]
        block[last] = values[key]
    return found
