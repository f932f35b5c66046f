"""What the blocks of the config have in common: types of values, and the strict model."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    model_validator,
)

T = TypeVar("T")


def as_number(value: Any) -> Any:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")
    return value


def as_text(value: Any) -> Any:
    """Take a number for its digits: YAML reads an unquoted 32 as one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def as_written(value: Any) -> Any:
    """Refuse a number where a name stands: YAML reads an unquoted 02 as 2, and nobody knows."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        raise ValueError(f"Input is the number {value}; write it in quotes, as it should stand")
    return value


def as_whole(value: Any) -> Any:
    """Take digits for their number: --config gives nothing but text inside a block."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def as_none(value: Any) -> Any:
    """Take the word null for none: --config gives it as text."""
    return None if value == "null" else value


def at_home(value: str) -> str:
    """Put the home folder in the place of a leading ~; refuse what would be taken for a name.

    Nobody means a folder that is called ~ or $SCRATCH.
    """
    variable = re.search(r"\$(\w+|\{\w+\})", value)
    if variable:
        raise ValueError(f"{variable[0]} is not expanded, only ~ is; write the path in full")
    if not value.startswith("~"):
        return value
    try:
        return str(Path(value).expanduser())
    except RuntimeError:
        name = value.partition("/")[0]
        raise ValueError(f"No home folder is known for {name}; write the path in full") from None


def file_at_home(url: str) -> str:
    """Do the same with the path of a `file:` address."""
    scheme, colon, path = url.partition(":")
    return scheme + colon + at_home(path) if scheme == "file" else url


def rising(value: tuple[int, int]) -> tuple[int, int]:
    """Refuse a range whose ends are swapped."""
    if value[0] > value[1]:
        raise ValueError("Input should be [smallest, largest]")
    return value


def distinct(values: list[T]) -> list[T]:
    """Refuse a list that holds something twice."""
    if len(set(values)) < len(values):
        raise ValueError("Input should hold nothing twice")
    return values


Positive = Annotated[int, Field(ge=1), BeforeValidator(as_number)]


Count = Annotated[int, Field(ge=0), BeforeValidator(as_number)]


Fraction = Annotated[float, Field(ge=0.0, le=1.0), BeforeValidator(as_number)]


OpenFraction = Annotated[float, Field(gt=0.0, lt=1.0), BeforeValidator(as_number)]


Overlap = Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(as_number)]


Rate = Annotated[float, Field(ge=0.0), BeforeValidator(as_number)]


Range = Annotated[tuple[Positive, Positive], AfterValidator(rising)]


Text = Annotated[str, BeforeValidator(as_text)]


Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$"), BeforeValidator(as_text)]


Split = Annotated[str, Field(pattern=r"^(official|dev|[0-9])$"), BeforeValidator(as_text)]


FilePath = Annotated[str, AfterValidator(at_home)]


Rank = Annotated[Literal[1, 5, 10, 20], BeforeValidator(as_whole)]


class Strict(BaseModel):
    """A block of the config: unknown keys are refused, values do not change."""

    # defer_build: a stage builds the few models that it parses; all together take it 0.1 s
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, defer_build=True)

    renamed: ClassVar[Mapping[str, str]] = {}
    """Keys of earlier versions: the name that each has now."""

    formerly: ClassVar[tuple[str, ...]] = ()
    """Kinds of earlier versions that this block has taken the place of."""

    @model_validator(mode="before")
    @classmethod
    def _nulls(cls, raw: Any) -> Any:
        """Take the word null for none where none is allowed: --config gives it as text."""
        # the fields are looked at where the word is there: blocks are read by the thousand
        if not isinstance(raw, Mapping) or "null" not in raw.values():
            return raw
        optional = {
            name
            for name, info in cls.model_fields.items()
            if type(None) in get_args(info.annotation)
        }
        return {k: None if v == "null" and k in optional else v for k, v in raw.items()}


def saying(key: str, default: str) -> Callable[[Any], Any]:
    """Return what gives every block of a mapping without `key` a default there."""

    def with_key(blocks: Any) -> Any:
        if not isinstance(blocks, Mapping):
            return blocks
        return {
            name: {key: default, **block} if isinstance(block, Mapping) else block
            for name, block in blocks.items()
        }

    return with_key
