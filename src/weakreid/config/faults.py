"""What is wrong with a config: a line a fault, with the file, the key and what is allowed there."""

import contextlib
import difflib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import yaml
from pydantic import ValidationError

from weakreid.config.base import Strict
from weakreid.errors import ReidError

OWN_FILE = "config.yaml"
LONGEST_LINE = 300
LONGEST_LIST = 200
FIRST = 5


@dataclass(frozen=True)
class Fault:
    """A fault of the config, and the keys that lead to it."""

    text: str
    path: tuple[str, ...]


class ConfigError(ReidError):
    """All faults of a config that were found together; as text, the first and how many more."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
        super().__init__(faults[0].text + more)


def faults_of(error: ReidError) -> tuple[Fault, ...]:
    """Return what an error tells; the keys of a mere line are those that it begins with."""
    if isinstance(error, ConfigError):
        return error.faults
    text = str(error)
    found = re.match(r"'?(\w+(?:\.[^.:' ]+)*)'?", text.removeprefix(f"{OWN_FILE}: "))
    return (Fault(text, tuple(found[1].split(".")) if found else ()),)


class Together:
    """Finds more than the first fault: `further` goes on after one, `stop` raises them."""

    def __init__(self) -> None:
        self._faults: list[Fault] = []

    @contextlib.contextmanager
    def further(self) -> Iterator[None]:
        """Keep the fault that the block raises, and go on after it."""
        try:
            yield
        except ReidError as error:
            self._faults += faults_of(error)

    def stop(self) -> None:
        """Go on only if there was no fault.

        Raises:
            ConfigError: there were some.
        """
        if self._faults:
            raise ConfigError(list(dict.fromkeys(self._faults)))


# --- whose fault it is ----------------------------------------------------------------------------


def blamed(error: ReidError, sources: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    """Return a line for every fault, which names the file that it stands in.

    Args:
        error: What reading the config raised.
        sources: Names of files, or of what else gives keys, and what each gives; later ones win.
    """
    return [_blame(fault, sources) for fault in faults_of(error)]


def _blame(fault: Fault, sources: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    name, deepest = OWN_FILE, 0
    for source, given in sources:
        depth = _depth(given, fault.path)
        # of those that say it, the last has the last word
        if depth and depth >= deepest:
            name, deepest = source, depth
    if name == OWN_FILE:
        return shortened(fault.text)
    return shortened(f"{name}: {fault.text.removeprefix(f'{OWN_FILE}: ')}")


def _depth(given: Any, path: Sequence[str]) -> int:
    """Return how many keys of a path a mapping has."""
    for depth, key in enumerate(path):
        # YAML reads the keys no, null and 1 as no text
        if isinstance(given, Mapping) and key in (words := {str(k): k for k in given}):
            given = given[words[key]]
        elif isinstance(given, list) and key.isdigit() and int(key) < len(given):
            given = given[int(key)]
        else:
            return depth
    return len(path)


def repeated_keys(name: str, text: str) -> list[str]:
    """Return a line for every key that a file gives twice in a block: YAML keeps the last alone.

    Args:
        name: The file, as the lines say it.
        text: YAML that can be read.
    """
    lines: list[str] = []
    todo = [yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))]
    done: set[int] = set()
    while todo:
        node = todo.pop()
        # an alias is the block that its anchor names
        if node is None or id(node) in done:
            continue
        done.add(id(node))
        if isinstance(node, yaml.SequenceNode):
            todo += node.value
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, yaml.Node] = {}
            for key, value in node.value:
                before = first.setdefault(str(key.value), key)
                if before is not key:
                    line, other = (of.start_mark.line + 1 for of in (key, before))
                    lines.append(
                        f"{name}: line {line}: the key '{key.value}' is on line {other} already, "
                        "which would not count; keep one of them"
                    )
                todo.append(value)
    return sorted(map(shortened, lines))


def shortened(text: str, most: int = LONGEST_LINE - len("error: ")) -> str:
    """Return a text as a line that people can read: of a longer one, both its ends."""
    line = " ".join(text.split())
    if len(line) <= most:
        return line
    end = most // 2
    return f"{line[: most - end - 5]} ... {line[-end:]}"


# --- names ----------------------------------------------------------------------------------------


def known(where: str, name: str, allowed: Mapping[str, Any]) -> None:
    """Refuse a name that is not among those allowed, and say which one was meant.

    Raises:
        ReidError: it is not.
    """
    if name not in allowed:
        raise ReidError(_one_line(f"{where}: '{name}' does not exist{suggest(name, allowed)}"))


def listed(names: Sequence[str]) -> str:
    """Return names one after the other, or the first and how many more where that is too long."""
    text = ", ".join(names)
    if len(text) <= LONGEST_LIST:
        return text
    return f"{', '.join(names[:FIRST])} and {len(names) - FIRST} more"


def suggest(name: str, allowed: Iterable[str]) -> str:
    """Return the end of an error's line: the name that was meant, or those that there are."""
    names = sorted(allowed)
    close = difflib.get_close_matches(name.lower(), names, n=1, cutoff=0.6)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; allowed: {listed(names)}" if names else ""


def suggest_or_file(name: str, allowed: Iterable[str], own_file: bool) -> str:
    """Return the same; where no name is like it and no --configfile was given, that one may be."""
    meant = suggest(name, allowed)
    if "did you mean" in meant or own_file:
        return meant
    return f"{meant}; if a file of your own has it, name that with --configfile"


def _one_line(text: str) -> str:
    return " ".join(text.splitlines())


def validated(model: type[Strict], raw: Any, where: str) -> Any:
    """Return a block of the config as its model.

    Raises:
        ConfigError: it does not fit.
    """
    try:
        return model.model_validate(raw)
    except ValidationError as error:
        found = error.errors(include_url=False)
        # a misspelt key is the cause where the right one is missing
        found.sort(key=lambda fault: fault["type"] not in ("extra_forbidden", "invalid_key"))
        place = [] if where == OWN_FILE else where.split(".")
        faults = []
        for fault in found:
            _, path, _ = _find(model, [str(part) for part in fault["loc"]])
            line = _one_line(f"{where}: {_explain(model, fault)}")
            faults.append(Fault(line, (*place, *path)))
        raise ConfigError(faults) from None


def _explain(model: type[Strict], fault: Any) -> str:
    """Return one line for one of pydantic's errors."""
    location = [str(part) for part in fault["loc"]]
    kind, context = fault["type"], fault.get("ctx", {})
    owner, path, annotation = _find(model, location)
    key = ".".join(path)
    if kind == "extra_forbidden":
        hint = "; put a space after the colon" if ":" in location[-1] else ""
        if owner and (now := owner.renamed.get(location[-1])):
            return f"unknown key '{key}'; it is called {now} now"
        names = list(owner.model_fields) if owner else []
        return f"unknown key '{key}'{hint or suggest(location[-1], names)}"
    if location and location[-1] == "[key]":
        block, name = ".".join(path[:-2]), fault["input"]
        if name is None or isinstance(name, bool):
            return f"'{block}': YAML reads a name in it as {_shown(name)}; write it in quotes"
        return f"'{block}': the name {_shown(name)} may hold a-z, 0-9 and _ only"
    if kind == "missing" and not location[-1].isdigit():
        return f"'{key}' is missing; it must be given"
    if kind.startswith("union_tag"):
        chosen = context["discriminator"].strip("'")
        tags = [tag for tag in map(_tag, _models_in(annotation)) if tag]
        if kind == "union_tag_not_found":
            renamed = {
                old
                for block in _models_in(annotation)
                for old, now in block.renamed.items()
                if now == chosen
            }
            if old := renamed & set(fault["input"]):
                return f"unknown key '{key}.{old.pop()}'; it is called {chosen} now"
            return f"'{key}.{chosen}' is missing{suggest('', tags)}"
        tag = context["tag"]
        for model_now in _models_in(annotation):
            if tag in model_now.formerly:
                return f"'{key}.{chosen}': {tag} is called {_tag(model_now)} now"
        return f"'{key}.{chosen}': '{tag}' does not exist{suggest(tag, tags)}"
    message = fault["msg"].removeprefix("Value error, ")
    if kind in ("dict_type", "model_type", "model_attributes_type"):
        message = "Input should be a block of keys"
    elif kind == "too_short" and not fault["input"]:
        message = "Input should not be empty"
    elif kind == "missing" or kind == "tuple_type" or "Tuple" in message:
        key = key.removesuffix(f".{location[-1]}") if kind == "missing" else key
        message = "Input should be two numbers, [smallest, largest]"
    if kind == "value_error" and isinstance(fault["input"], Mapping):
        return f"'{key}': {message}" if key else message
    return f"'{key}': {message}, got {_shown(fault['input'])}" if key else message


def _shown(value: Any) -> str:
    """Return a value as YAML would take it, cut where it is long."""
    text = json.dumps(value, default=str, skipkeys=True)
    return text if len(text) <= 80 else f"{text[:76]} ..."


def _find(model: type[Strict], location: list[str]) -> tuple[type[Strict] | None, list[str], Any]:
    """Return the block that holds the last key, the keys without unions' tags, the value's type."""
    current: Any = model
    path: list[str] = []
    owner: type[Strict] | None = model
    for part in location:
        options = _models_in(current)
        tagged = [m for m in options if _tag(m) == part]
        if tagged and len(options) > 1:
            current = tagged[0]
            continue
        path.append(part)
        if len(options) == 1 and part in options[0].model_fields:
            owner = options[0]
            current = options[0].model_fields[part].annotation
        elif len(options) == 1 and not _is_mapping(current):
            owner = options[0]
            current = None
        elif _is_mapping(current):
            current = get_args(_bare(current))[1]
        elif get_origin(_bare(current)) is list:
            current = get_args(_bare(current))[0]
        else:
            current = None
    return owner, path, current


def _bare(annotation: Any) -> Any:
    while get_origin(annotation) is Annotated:
        annotation = get_args(annotation)[0]
    return annotation


def _is_mapping(annotation: Any) -> bool:
    return get_origin(_bare(annotation)) is dict


def _models_in(annotation: Any) -> list[type[Strict]]:
    annotation = _bare(annotation)
    if isinstance(annotation, type) and issubclass(annotation, Strict):
        return [annotation]
    origin = get_origin(annotation)
    if origin is Union or origin is type(int | str):
        return [m for option in get_args(annotation) for m in _models_in(option)]
    return []


def _tag(model: type[Strict]) -> str | None:
    for field in ("kind", "name", "learns", "labels"):
        info = model.model_fields.get(field)
        if info is not None and get_origin(info.annotation) is Literal:
            return str(get_args(info.annotation)[0])
    return None
