"""The page docs/configuration.md: every key of the config with its type, default and meaning.

python -m weakreid.config.reference > docs/configuration.md
"""

import inspect
import json
import sys
from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from weakreid.config.base import Strict
from weakreid.config.load import Config

HEAD = """# Configuration

<!-- written by `make docs` from the models in src/weakreid/config; do not edit -->

Every key of `config.yaml`, of the files in `workflow/papers/` and of your own `--configfile`.
`NAME` stands for a name that you choose (a-z, 0-9 and _). A value may be null only where its type
says so. `workflow/schemas/config.schema.json` is the same for editors.
"""

LONGEST_DEFAULT = 60
PATTERNS = {"^[a-z0-9][a-z0-9_]*$": "name", "^(official|dev|[0-9])$": "split"}


def page() -> str:
    """Return the page in Markdown."""
    uses: dict[type[Strict], list[str]] = {}
    _collect(Config, uses)
    schemas = Config.model_json_schema()["$defs"]
    parts = [HEAD, "## Top level\n", _table(Config, Config.model_json_schema())]
    for model, places in uses.items():
        # its first paragraph
        words = inspect.getdoc(model).split("\n\n")[0]  # type: ignore[union-attr]
        parts += [f"## {model.__name__}\n", f"{' '.join(words.split())}\n"]
        parts += [f"Stands in: {', '.join(dict.fromkeys(places))}.\n"]
        parts += [_table(model, schemas[model.__name__])]
    return "\n".join([*parts, *_renamed([Config, *uses])])


def _collect(model: type[Strict], uses: dict[type[Strict], list[str]]) -> None:
    """Add every block below a model, in the order of its keys, and where it stands."""
    owner = "" if model is Config else f" of [{model.__name__}](#{model.__name__.lower()})"
    for key, info in model.model_fields.items():
        for block in blocks_in(info.annotation):
            known = block in uses
            uses.setdefault(block, []).append(f"`{key}`{owner}")
            if not known:
                _collect(block, uses)


def blocks_in(annotation: Any) -> Iterator[type[Strict]]:
    """Yield the models that a value of a type may hold."""
    if inspect.isclass(annotation) and issubclass(annotation, Strict):
        yield annotation
    for part in get_args(annotation):
        yield from blocks_in(part)


def described(model: type[Strict]) -> Iterator[tuple[str, FieldInfo]]:
    """Yield a block's keys but the one that tells it from its siblings, whose value is fixed."""
    for key, info in model.model_fields.items():
        if key != tag_of(model)[0]:
            yield key, info


def tag_of(model: type[Strict]) -> tuple[str, str]:
    """Return the key whose one value chooses this block, and that value; "" where none does."""
    for key, info in model.model_fields.items():
        if get_origin(info.annotation) is Literal and len(get_args(info.annotation)) == 1:
            return key, get_args(info.annotation)[0]
    return "", ""


def _table(model: type[Strict], schema: Mapping[str, Any]) -> str:
    lines = ["| key | type | default | |", "|---|---|---|---|"]
    tag, value = tag_of(model)
    if tag:
        default = "required" if model.model_fields[tag].is_required() else f"`{value}`"
        lines.append(f"| `{tag}` | `{value}` | {default} | chooses this block |")
    for key, info in described(model):
        words = type_words(schema["properties"][key]).replace("|", "\\|")
        lines.append(f"| `{key}` | {words} | {_default(info)} | {info.description} |")
    return "\n".join([*lines, ""])


def type_words(schema: Mapping[str, Any]) -> str:
    """Return what a JSON Schema allows, in words."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "const" in schema:
        return f"`{schema['const']}`"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    options = schema.get("anyOf", schema.get("oneOf"))
    if options:
        return " or ".join(dict.fromkeys(map(type_words, options)))
    kind = schema.get("type")
    if kind in ("integer", "number"):
        bounds = " and ".join(_bounds(schema))
        return f"{'whole number' if kind == 'integer' else 'number'} {bounds}".strip()
    if kind == "string":
        return PATTERNS.get(schema.get("pattern", ""), "text")
    if kind == "boolean":
        return "true or false"
    if kind == "array" and "prefixItems" in schema:
        return f"[{', '.join(map(type_words, schema['prefixItems']))}]"
    if kind == "array":
        return f"list of: {type_words(schema['items'])}"
    if kind == "object":
        inner = next(iter(schema.get("patternProperties", {}).values()), None)
        inner = schema.get("additionalProperties") if inner is None else inner
        return f"NAME: {type_words(inner)}" if isinstance(inner, Mapping) else "block of keys"
    return "null" if kind == "null" else "anything"


def _bounds(schema: Mapping[str, Any]) -> Iterator[str]:
    signs = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    for key, sign in signs.items():
        if key in schema:
            yield f"{sign} {schema[key]:g}"


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True)
    if isinstance(value, Strict):
        value = value.model_dump(mode="json", exclude_defaults=True)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return "see there" if len(text) > LONGEST_DEFAULT else f"`{text}`"


def _renamed(models: list[type[Strict]]) -> Iterator[str]:
    """Yield the section of keys that earlier versions had."""
    yield "## Renamed keys\n\nKeys and kinds of earlier versions are refused with their new name.\n"
    lines = ["| block | before | now |", "|---|---|---|"]
    for model in models:
        tag = ": ".join(tag_of(model))
        kinds = dict.fromkeys(model.formerly, tag)
        for before, now in {**model.renamed, **kinds}.items():
            lines.append(f"| {model.__name__} | `{before}` | `{now}` |")
    yield "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.stdout.write(page())
