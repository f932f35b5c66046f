"""Every key of a config, found in its models, and another value that it may have."""

import types
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

Place = tuple[str | int, ...]
"""Where a key stands in a config, as nested mappings and lists."""


def keys_of(block: BaseModel, place: Place = ()) -> Iterator[tuple[Place, type[BaseModel], str]]:
    """Yield the place of every key in a block, the model that declares it, and its name there."""
    for name in type(block).model_fields:
        yield from _below(getattr(block, name), (*place, name), type(block), name)


def _below(value: Any, at: Place, model: type[BaseModel], name: str) -> Iterator[Any]:
    named = (
        value.items()
        if isinstance(value, Mapping)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    blocks = [(key, inner) for key, inner in named if isinstance(inner, BaseModel)]
    for key, inner in blocks:
        yield from keys_of(inner, (*at, key))
    if isinstance(value, BaseModel):
        yield from keys_of(value, at)
    if not blocks and not isinstance(value, BaseModel):
        yield at, model, name


def models_of(model: type[BaseModel]) -> set[type[BaseModel]]:
    """Return a model and all models of blocks in it."""
    found: set[type[BaseModel]] = set()
    todo: list[Any] = [model]
    while todo:
        annotation = todo.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in found:
                found.add(annotation)
                todo += [field.annotation for field in annotation.model_fields.values()]
        else:
            todo += get_args(annotation)
    return found


def others(annotation: Any, value: Any, words: Sequence[str]) -> Iterator[Any]:
    """Yield values that a key may have instead, plain as YAML gives them; some may not fit.

    Args:
        annotation: of the key's field.
        value: that it has.
        words: to try where it is text: names of blocks, files, labels.
    """
    origin = get_origin(annotation)
    if origin is Annotated:
        yield from others(get_args(annotation)[0], value, words)
    elif origin in (Union, types.UnionType):
        for arm in get_args(annotation):
            yield from others(arm, value, words)
    elif origin is Literal:
        yield from (choice for choice in get_args(annotation) if choice != value)
    elif annotation is bool:
        yield not value
    elif annotation is int:
        here = value if isinstance(value, int) else 1
        yield from (here + 1, here * 2, here - 1, 7)
    elif annotation is float:
        here = value if isinstance(value, float) else 0.5
        yield from (here / 2 + 0.05, here + 0.05, here * 2 + 1)
    elif annotation is str:
        yield from (word for word in words if word != value)
        if isinstance(value, str):
            yield f"{value}2"
    elif origin is tuple:
        low, high = value or (2, 3)
        yield from ([low, high + 1], [low * 2 + 50, high * 2 + 50])
    elif origin is list:
        (inner,) = get_args(annotation)
        if value and len(value) > 1:
            yield value[:-1]
        for word in others(inner, None, words):
            yield from ([word], [*(value or []), word])
    elif annotation is type(None):
        if value is not None:
            yield None
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        tag = {
            name: get_args(field.annotation)[0]
            for name, field in annotation.model_fields.items()
            if get_origin(field.annotation) is Literal and field.is_required()
        }
        yield tag
