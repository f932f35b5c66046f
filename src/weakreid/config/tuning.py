"""The blocks of config.yaml that say what is searched: ranges of values, and a budget."""

import contextlib
import copy
import math
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from weakreid.config.base import Count, Name, Positive, Strict, Text, as_number
from weakreid.config.faults import suggest
from weakreid.config.methods import CHOSEN_KEYS
from weakreid.errors import ReidError


def as_finite_number(value: Any) -> Any:
    """Refuse what is no finite number; a whole one stays whole, as text too."""
    value = as_number(value)
    for number in (int, float):
        if isinstance(value, str):
            with contextlib.suppress(ValueError):
                value = number(value)
    if not isinstance(value, int | float) or value in (math.inf, -math.inf) or value != value:
        raise ValueError("Input should be a finite number")
    return value


Number = Annotated[int | float, BeforeValidator(as_finite_number)]


class Range(Strict):
    """Values to try: from `low` to `high`, or `choices`."""

    low: Number | None = Field(None, description="lowest value")
    high: Number | None = Field(None, description="highest value")
    log: bool = Field(False, description="search on a logarithmic scale")
    step: Number | None = Field(
        None, description="distance of the values to try, from `low`; null: any value"
    )
    choices: list[Any] | None = Field(
        None, description="values to try, instead of `low` and `high`"
    )

    @model_validator(mode="after")
    def _holds_something(self) -> Self:
        if self.choices is not None:
            if self.low is not None or self.high is not None or self.step is not None or self.log:
                raise ValueError("give either choices, or low and high")
            if not any(choice != self.choices[0] for choice in self.choices[1:]):
                raise ValueError("the range is empty: choices should hold two different values")
            return self
        if self.low is None or self.high is None:
            raise ValueError("give low and high, or choices")
        if self.low >= self.high:
            raise ValueError(
                f"the range is empty: low is {self.low} and high is {self.high}; low must be below"
                " high"
            )
        if self.log and self.low <= 0:
            raise ValueError(f"log needs a low above 0, not {self.low}; raise it, or leave out log")
        if self.step is not None and self.log:
            raise ValueError("log and step do not go together; leave one out")
        if self.step is not None and not 0 < self.step <= self.high - self.low:
            raise ValueError(
                f"step is {self.step}; it must be above 0 and at most {self.high - self.low}"
            )
        return self

    def ends(self) -> list[Any]:
        """Return the values between which all others lie, or every choice."""
        return [self.low, self.high] if self.choices is None else self.choices


class Prune(Strict):
    """A trial stops early when it is below the median of earlier trials at the same epoch."""

    trials: Count = Field(5, description="trials that always run to the end")
    epochs: Count = Field(0, description="epochs that every trial runs")


class Tuning(Strict):
    """A search for values on training identities; target `results/tuning/NAME/best.yaml`."""

    experiment: Name = Field(description="experiment whose values are searched, on the `dev` split")
    ranges: dict[Text, Range] = Field(
        min_length=1, description="values to try, by key of the method, such as `optimiser.lr`"
    )
    trials: Positive = Field(description="trainings in total, pruned ones included")
    jobs: Positive = Field(1, description="jobs that search in parallel")
    metric: Literal[
        "fine mAP", "fine R-1", "coarse mAP", "coarse R-1", "reranked mAP", "reranked R-1"
    ] = Field("fine mAP", description="figure to maximise")
    every: Positive = Field(5, description="epochs between two measurements of a trial")
    prune: Prune | None = Field(Prune(), description="when to stop bad trials early; null: never")
    seed: Count = Field(1, description="seed of every trial's training")


# --- keys of a method -----------------------------------------------------------------------------


def nested(key: str, value: Any) -> dict[str, Any]:
    """Return the blocks within which a key with dots stands."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def value_at(block: Mapping[str, Any], key: str) -> Any:
    """Return the value of a key with dots."""
    value: Any = block
    for part in key.split("."):
        value = value[part]
    return value


def check_key(method: Mapping[str, Any], key: str, where: str) -> None:
    """Refuse a key that a method does not have, or that cannot be searched.

    Args:
        method: resolved, as plain values.
        key: with dots.
        where: of the range.

    Raises:
        ReidError: there is no such key, or it chooses what other keys there are.
    """
    at: Any = method
    done: list[str] = []
    for part in key.split("."):
        if at is None:
            block = ".".join(done)
            raise ReidError(
                f"{where}: {block} is null in this experiment, so nothing uses {key}; set {block} "
                "in its overrides, or leave this range out"
            )
        if not isinstance(at, Mapping) or part not in at:
            names = [".".join([*done, name]) for name in at] if isinstance(at, Mapping) else []
            hint = suggest(".".join([*done, part]), names)
            raise ReidError(f"{where}: the method has no key '{key}'{hint}")
        at = at[part]
        done.append(part)
    if key == "learns" or key in {f"{block}.name" for block in CHOSEN_KEYS}:
        raise ReidError(
            f"{where}: another {key} has other keys; search each by itself, as an entry of tuning "
            "of its own"
        )


Changed = Callable[[Mapping[str, Any]], Mapping[str, Any]]
"""Returns a method with some values replaced, as plain values, or raises a ReidError."""


def resolved(key: str, of: Range, changed: Changed) -> dict[str, Any]:
    """Return a range as a search takes it: choices as the method has them, and what is whole."""
    if of.choices is not None:
        found = [value_at(changed(nested(key, choice)), key) for choice in of.choices]
        return {"key": key, "choices": found}
    assert of.low is not None
    whole = all(isinstance(end, int) for end in (of.low, of.high, of.step or 1))
    if whole:
        # a number that may be broken is searched between whole ends too
        try:
            changed(nested(key, of.low + 0.5))
        except ReidError:
            pass
        else:
            whole = of.step is not None
    plain = of.model_dump(mode="json", exclude={"choices"})
    return {"key": key, **plain, "whole": whole}


def ends_of(ranges: Mapping[str, Range]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every end of every range, as the block it stands in, and the range's key."""
    for key, of in ranges.items():
        for end in of.ends():
            yield key, nested(key, end)


def others_of(ranges: Mapping[str, Range]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what else to try: all that is lowest, and all that is highest, with the key "".

    And a number between both ends of a range: those may be whole, where nothing else is allowed.
    """
    for key, of in ranges.items():
        if isinstance(of.low, float) or isinstance(of.high, float):
            low, high = of.ends()
            yield key, nested(key, low + (high - low) / 3)
    for end in (0, -1):
        values: dict[str, Any] = {}
        for key, of in ranges.items():
            put(values, key, copy.deepcopy(of.ends()[end]))
        yield "", values


def put(block: dict[str, Any], key: str, value: Any) -> None:
    """Set a key with dots, and the blocks that it stands in where they are not there."""
    *above, last = key.split(".")
    for part in above:
        block = block.setdefault(part, {})
    block[last] = value
