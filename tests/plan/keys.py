"""Every key of a config, found in its models, and other values that it may have."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel


class Key(NamedTuple):
    """A key of a config.

    Attributes:
        place: where it stands, in nested mappings and lists.
        model: the block that declares it.
        name: in that block.
    """

    place: tuple[str | int, ...]
    model: type[BaseModel]
    name: str

    @property
    def annotation(self) -> Any:
        """The type of its value."""
        return self.model.model_fields[self.name].annotation


def keys_of(block: BaseModel, place: tuple[str | int, ...] = ()) -> Iterator[Key]:
    """Yield every key of a block and of the blocks in it."""
    for name in type(block).model_fields:
        value, at = getattr(block, name), (*place, name)
        if isinstance(value, BaseModel):
            yield from keys_of(value, at)
            continue
        named = value if isinstance(value, Mapping) else {}
        if isinstance(value, list):
            named = dict(enumerate(value))
        inner = {key: found for key, found in named.items() if isinstance(found, BaseModel)}
        if not inner:
            yield Key(at, type(block), name)
        for key, found in inner.items():
            yield from keys_of(found, (*at, key))


def models_of(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a model and all models of blocks in it."""
    found: set[type[BaseModel]] = set()
    todo: list[Any] = [model]
    while todo:
        annotation = todo.pop()
        if not isinstance(annotation, type) or not issubclass(annotation, BaseModel):
            todo += get_args(annotation)
        elif annotation not in found:
            found.add(annotation)
            todo += [field.annotation for field in annotation.model_fields.values()]
    return found


def holds_blocks(annotation: Any) -> bool:
    """Return whether a value of a type is blocks, which have keys of their own."""
    if isinstance(annotation, type):
        return issubclass(annotation, BaseModel)
    return any(holds_blocks(inner) for inner in get_args(annotation))


def others(annotation: Any, value: Any, words: Sequence[str]) -> Iterator[Any]:
    """Yield values that a key may have instead, plain as YAML gives them; some may not fit.

    Args:
        annotation: of the key.
        value: that it has, plain too.
        words: to try where it is text.
    """
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        yield from others(inner[0], value, words)
    elif origin in (Union, types.UnionType):
        for arm in inner:
            yield from others(arm, value, words)
    elif origin is Literal:
        yield from (choice for choice in inner if choice != value)
    elif annotation is type(None) and value is not None:
        yield None
    elif annotation is bool:
        yield not value
    elif annotation is int:
        here = value if isinstance(value, int) else 1
        yield from (here + 1, here * 2, here - 1, here + 100)
    elif annotation is float:
        here = value if isinstance(value, float) else 0.5
        yield from (here * 0.75, here / 2 + 0.05, here + 0.05, here * 2 + 1)
    elif annotation is str:
        yield from (word for word in words if word != value)
        yield "another" if value is None else f"{value}2"
    elif origin is tuple:
        low, high = value or (2, 3)
        yield from ([low, high + 1], [low * 2 + 50, high * 2 + 50])
    elif origin is list:
        whole = list(value or [])
        yield from (whole[:-1], whole[::-1])
        for word in others(inner[0], None, words):
            yield from ([word], [*whole, word])
    elif origin is dict:
        yield from _other_mappings(inner[1], value or {}, words)
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        # its tag, if it has one, and all else as by default
        yield {
            name: get_args(field.annotation)[0]
            for name, field in annotation.model_fields.items()
            if get_origin(field.annotation) is Literal and field.is_required()
        }


FREE: tuple[dict[str, Any], ...] = (
    {"precision": "32"},
    {"max_frames": 3},
    {"min_samples": 3},
    {"sigma": 2.0},
)
"""Values of a method, of bags, of isolation, of a transfer: for mappings that may hold any."""


def _other_mappings(
    annotation: Any, value: Mapping[str, Any], words: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield mappings of free keys, whose values are of a type."""
    if annotation is Any:
        yield from ({**value, **free} for free in FREE)
    elif get_origin(annotation) is dict:
        yield from (
            {**value, word: {**value.get(word, {}), **free}} for word in words for free in FREE
        )
    elif value:
        *_, last = value
        yield {name: kept for name, kept in value.items() if name != last}
        yield {name if name != last else f"{name}2": kept for name, kept in value.items()}
        yield from ({**value, last: word} for word in words)
    else:
        few = words[:8]
        yield from ({one: other} for one in few for other in few if one != other)
