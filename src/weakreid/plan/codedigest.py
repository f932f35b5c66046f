"""Digests of source code, so that a rule reruns when the code it runs has changed.

Snakemake sees the text of a rule's command and not the modules which that command imports.
Each rule therefore carries, among its params, the digest of its stage's module and of every
module of this project that the stage imports, directly or through others.

A comment, the layout, a docstring or the file's encoding changes no digest. Anything that
the parser keeps does, an annotation included. What a module imports by name at run time (a
reader, a loss) cannot be seen: the caller names it.

Parsing takes a second for a dry run. What was found of a text is kept beside Python's bytecode, by
the text itself: it is never of another one, and whoever deletes it loses that second.
"""

import ast
import functools
import hashlib
import importlib.util
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from weakreid.errors import ReidError

SOURCE = Path(__file__).resolve().parents[2]
"""The folder that holds the package; only modules below it are looked at."""

ASIDE = frozenset({"weakreid", "weakreid.config.", "weakreid.plan."})
"""Modules that no digest covers, and packages, which end in a dot (see `digest`)."""


class _Module(NamedTuple):
    """What a module's file says, as far as a digest needs it."""

    digest: bytes
    imports: frozenset[str]


def digest(*modules: str, exclude: frozenset[str] = ASIDE) -> str:
    """Return 16 hexadecimal digits that stand for the code of `modules` and all they import.

    Args:
        modules: Dotted names, such as `weakreid.stages.train`. A plug-in that is chosen at
            run time is named here beside the stage that loads it.
        exclude: Modules and packages left out, with what only they import. `config` and `plan`
            are, because whatever they do shows in the inputs and the resolved values that a rule
            carries: a new default must rerun the rules whose values it changes, and no others. So
            is `weakreid` itself, the door for other programs, which no stage goes through.

    Raises:
        ReidError: a module does not exist, or is no valid Python.
    """
    total = hashlib.sha256()
    for name, module in sorted(_covered(modules, exclude).items()):
        total.update(name.encode() + b"\0" + module.digest)
    _KEPT.write()
    return total.hexdigest()[:16]


def modules(*names: str, exclude: frozenset[str] = ASIDE) -> list[str]:
    """Return the modules that `digest(*names)` covers, sorted.

    Raises:
        ReidError: a module does not exist, or is no valid Python.
    """
    return sorted(_covered(names, exclude))


def _covered(names: tuple[str, ...], exclude: frozenset[str]) -> dict[str, _Module]:
    """Return every module that is run when `names` are imported, by name."""
    covered: dict[str, _Module] = {}
    packages = tuple(name for name in exclude if name.endswith("."))
    todo: list[str] = []
    for name in names:
        if _find(name) is None:
            raise ReidError(f"{name}: no such module under {SOURCE}; correct the rule's code param")
        todo.append(name)
    while todo:
        for name in _with_parents(todo.pop()):
            left_out = name in exclude or name.startswith(packages)
            path = None if name in covered or left_out else _find(name)
            if path is not None:
                covered[name] = _read(path, name)
                todo.extend(covered[name].imports)
    return covered


def _with_parents(name: str) -> Iterator[str]:
    """Yield a module's packages and the module: Python runs them all."""
    parts = name.split(".")
    for count in range(1, len(parts) + 1):
        yield ".".join(parts[:count])


def _find(name: str) -> Path | None:
    """Return the file of a module of this project; None for anything else."""
    for path in _places(SOURCE, name):
        if path.is_file():
            return path
    return None


# a workflow asks for the same few hundred again and again, and paths are slow to put together
@functools.cache
def _places(source: Path, name: str) -> tuple[Path, Path]:
    """Return the two files that a module can be, the one that Python takes first."""
    base = source.joinpath(*name.split("."))
    return base / "__init__.py", base.with_name(f"{base.name}.py")


class _Kept:
    """What was found of texts, by their digests, in a file that may be absent or broken."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._new = False

    @functools.cached_property
    def _found(self) -> dict[str, tuple[str, list[str]]]:
        try:
            found: dict[str, tuple[str, list[str]]] = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    @functools.cached_property
    def _of_here(self) -> bytes:
        # another way to find it is another finding
        return hashlib.sha256(Path(__file__).read_bytes()).digest()

    def of(self, path: Path, name: str, text: bytes) -> _Module:
        """Return what a module's text says; `name` decides what its relative imports mean."""
        key = hashlib.sha256(b"\0".join([self._of_here, path.name.encode(), name.encode(), text]))
        found = self._found.get(key.hexdigest())
        if found is None:
            module = _parse(path, name, text)
            self._found[key.hexdigest()] = (module.digest.hex(), sorted(module.imports))
            self._new = True
            return module
        return _Module(bytes.fromhex(found[0]), frozenset(found[1]))

    def write(self) -> None:
        """Keep what is new, where Python keeps bytecode; nowhere if that cannot be written."""
        if not self._new or sys.dont_write_bytecode:
            return
        # old texts go once they are many
        found = dict(list(self._found.items())[-_MOST_KEPT:])
        part = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            part.write_text(json.dumps(found), encoding="utf-8")
            part.replace(self._path)
        except OSError:
            part.unlink(missing_ok=True)
        self._new = False


_MOST_KEPT = 5000
_KEPT = _Kept(Path(importlib.util.cache_from_source(__file__)).with_suffix(".json"))


def _read(path: Path, name: str) -> _Module:
    """Parse a module, unless this very text of it has been parsed before."""
    return _KEPT.of(path, name, path.read_bytes())


def _parse(path: Path, name: str, text: bytes) -> _Module:
    try:
        tree = ast.parse(text, filename=str(path))
    except SyntaxError as error:
        raise ReidError(
            f"{path}: line {error.lineno}: not valid Python ({error.msg}); correct it"
        ) from error
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    top = name.partition(".")[0]
    imports = frozenset(i for i in _imports(tree, package) if i.partition(".")[0] == top)
    _drop_docstrings(tree)
    return _Module(hashlib.sha256(repr(_plain(tree)).encode()).digest(), imports)


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    """Yield the dotted names that a module may import, wherever in it the statements stand.

    `from package import name` may mean a module or a value; both readings are yielded, and
    the one that is no file drops out later.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                # one dot is the module's own package, each further dot one package up
                parts = package.split(".")
                parents = parts[: len(parts) - node.level + 1]
                base = ".".join([*parents, base] if base else parents)
            yield base
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _plain(value: object) -> object:
    """Return a syntax tree as nested tuples of what is set in it.

    `ast.dump` would do, but for one thing: it names empty fields, and each Python has new
    ones. Left out, a change of Python reruns nothing.
    """
    if isinstance(value, ast.AST):
        fields = (
            (field, _plain(content))
            for field, content in ast.iter_fields(value)
            if content is not None and content != []
        )
        return (type(value).__name__, *fields)
    if isinstance(value, list):
        return tuple(_plain(item) for item in value)
    return value


def _drop_docstrings(tree: ast.Module) -> None:
    """Empty the docstrings of a module, its classes and its functions, in place."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            if (
                isinstance(first, ast.Expr)
                and isinstance(first.value, ast.Constant)
                and isinstance(first.value.value, str)
            ):
                del node.body[0]
