"""What is wrong with a call of Snakemake, said before Snakemake stumbles over it.

An option that takes several words takes the targets that follow it too, a profile that does not
exist is passed over in silence, and caches are made in a home folder that may not be there.

Nothing of the package weakreid is imported: another version of it may come first on the path.
"""

import argparse
import contextlib
import difflib
import itertools
import json
import os
from collections.abc import Iterable, MutableMapping, Sequence
from pathlib import Path

import yaml


class CallError(Exception):
    """A call of Snakemake that cannot be; the message is one line."""


WHY = "put -- before the targets, or the targets first: this option takes every word that follows"

PAIRS = {
    "--config": "KEY=VALUE",
    "-C": "KEY=VALUE",
    "--set-threads": "RULE=THREADS",
    "--set-resources": "RULE:RESOURCE=VALUE",
    "--resources": "NAME=VALUE",
    "--res": "NAME=VALUE",
    "--default-resources": "NAME=VALUE",
    "--default-res": "NAME=VALUE",
}
"""Options that take several words of a kind, and the kind."""


def prepare(words: Sequence[str]) -> None:
    """Check a call of Snakemake, the program's name first, and give it a folder for its caches.

    Raises:
        SystemExit: what was asked cannot be; its text is one line.
    """
    if not _is_snakemake(words):
        return
    ensure_caches(os.environ)
    try:
        check(words[1:])
    except CallError as error:
        raise SystemExit(f"error: {error}") from None


def _is_snakemake(words: Sequence[str]) -> bool:
    """Return whether this is the program: its parts can be used without it."""
    path = Path(words[0]) if words else Path()
    return path.name == "snakemake" or path.parts[-2:] == ("snakemake", "__main__.py")


def ensure_caches(environment: MutableMapping[str, str]) -> None:
    """Let caches lie beside the results where the home folder takes none."""
    home = Path(environment.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    if _takes_files(home):
        return
    here = Path.cwd() / ".snakemake" / "cache"
    environment["XDG_CACHE_HOME"] = str(here)
    environment.setdefault("MPLCONFIGDIR", str(here / "matplotlib"))


def _takes_files(folder: Path) -> bool:
    """Return whether a folder can be written to, or made."""
    try:
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
    except OSError:
        return False
    return folder.is_dir() and os.access(folder, os.W_OK | os.X_OK)


# --- the words of the call ------------------------------------------------------------------------


def check(words: Sequence[str]) -> None:
    """Refuse words that Snakemake would take for what they are not.

    Raises:
        CallError: there are some.
    """
    if "--mode" in words:
        # a job of a call that was checked
        return
    options = _read(words)
    folder = Path(options.directory).absolute()
    if not _takes_files(folder):
        raise CallError(
            f"{folder}: no file can be written here, and results and Snakemake's own state go "
            "here; run in a folder of your own: --directory FOLDER"
        )
    for name in options.configfile:
        check_configfile(Path(name))
    if Path("config.yaml").is_file():
        check_yaml(Path("config.yaml"))
    for option, entries in options.pairs:
        for entry in entries:
            if "=" not in entry:
                raise CallError(f"{option}: {entry} is no {PAIRS[option]}; {WHY}")
    if options.workflow_profile not in (None, "none"):
        _check_profile(options.workflow_profile, options.snakefile)


class _Pairs(argparse.Action):
    """Keeps the words of an option with its name."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: object,
        option_string: str | None = None,
    ) -> None:
        namespace.pairs.append((option_string, values))


def _read(words: Sequence[str]) -> argparse.Namespace:
    """Return those of Snakemake's options that go wrong; it reads all of them itself, later."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--configfile", "--configfiles", nargs="+", default=[])
    parser.add_argument("--workflow-profile")
    parser.add_argument("--snakefile", "-s")
    parser.add_argument("--directory", "-d", default=".")
    parser.add_argument(*PAIRS, nargs="*", action=_Pairs, dest="pairs", default=[])
    try:
        return parser.parse_known_args(words)[0]
    except argparse.ArgumentError:
        # a word is lacking: Snakemake says so, and which
        return parser.parse_known_args([])[0]


def check_configfile(path: Path) -> None:
    """Refuse what is no file of keys.

    Raises:
        CallError: it is a target, a folder, not there or no YAML.
    """
    # what a search found is both
    found = path.parts[:2] == ("results", "tuning") and path.name == "best.yaml"
    if path.parts[:1] == ("results",) and not (found and path.is_file()):
        raise CallError(f"--configfile: {path} is a target, no file of keys; {WHY}")
    if not path.exists():
        raise CallError(f"--configfile: {path} is not there; correct it; if it is a target, {WHY}")
    if path.is_dir():
        raise CallError(f"--configfile: {path} is a folder; give a file of keys")
    check_yaml(path)


def check_yaml(path: Path) -> None:
    """Say where a file is no YAML, nor JSON, and no block of keys: Snakemake does not.

    Raises:
        CallError: it is none.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CallError(f"{path}: {error}; save it in UTF-8, where you may read it") from error
    with contextlib.suppress(ValueError):
        if isinstance(json.loads(text), dict):
            return
    try:
        node = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = "" if mark is None else f", line {mark.line + 1}, column {mark.column + 1}"
        raise CallError(f"{path}{place}: {error.problem}; correct it (YAML)") from error
    except yaml.YAMLError as error:
        raise CallError(f"{path}: {' '.join(str(error).split())}; correct it (YAML)") from error
    if not isinstance(node, yaml.MappingNode):
        raise CallError(f"{path}: holds no keys; begin it with a key, such as experiments:")
    if (line := _circle(node, (), set())) is not None:
        raise CallError(
            f"{path}, line {line}: a block with an anchor (&) holds itself (*); write it out"
        )


def _circle(node: yaml.Node, above: tuple[int, ...], done: set[int]) -> int | None:
    """Return the line of a block that holds itself, None where there is none."""
    if id(node) in above:
        return int(node.start_mark.line) + 1
    if id(node) in done or isinstance(node, yaml.ScalarNode):
        return None
    done.add(id(node))
    pairs = isinstance(node, yaml.MappingNode)
    parts = itertools.chain.from_iterable(node.value) if pairs else node.value
    found = (_circle(part, (*above, id(node)), done) for part in parts)
    return next((line for line in found if line is not None), None)


def _check_profile(name: str, snakefile: str | None) -> None:
    """Refuse a profile that is in none of the places where Snakemake looks for it."""
    beside = Path(snakefile).parent if snakefile else Path()
    places = [Path("profiles"), beside / "profiles"]
    if any((place / name).exists() for place in (Path(), *places)):
        return
    there = sorted(
        {found.parent.name for place in places for found in place.glob("*/config*.yaml")}
    )
    raise CallError(f"--workflow-profile: there is no profile {name}{_meant(name, there)}")


def _meant(name: str, there: Iterable[str]) -> str:
    names = list(there)
    close = difflib.get_close_matches(name, names, n=1)
    if close:
        return f"; did you mean '{close[0]}'?"
    return f"; there are {', '.join(names)}" if names else "; give the path of its folder"
