"""As much of conda as Snakemake calls, for tests: python conda_standin.py PREFIX ARGUMENTS.

An environment is a venv with links to the packages of the file, each of which must be installed
here, in the file's version. No other package can be imported in it. Real ones take minutes.
"""

import json
import sys
import venv
from importlib.metadata import distribution
from pathlib import Path

import yaml

# notes that a Python of the environment ran; a sitecustomize would stand behind a system's own
NOTE = "import pathlib, sys; pathlib.Path(sys.prefix, 'ran').touch()\n"


def create(file: Path, folder: Path) -> None:
    """Make the environment of a file."""
    venv.create(folder)
    packages = next(folder.glob("lib/python*/site-packages"))
    (packages / "ran.pth").write_text(NOTE, encoding="utf-8")
    for entry in yaml.safe_load(file.read_text(encoding="utf-8"))["dependencies"]:
        for line in entry["pip"] if isinstance(entry, dict) else ():
            link(*line.split("=="), packages)


def link(name: str, version: str, packages: Path) -> None:
    """Link what a package installed here consists of.

    Raises:
        ValueError: another version is installed.
    """
    found = distribution(name)
    if found.version.partition("+")[0] != version:
        raise ValueError(f"{name} {found.version} is installed, not {version}")
    for top in {file.parts[0] for file in found.files or ()} - {"..", "__pycache__"}:
        if not (packages / top).exists():
            (packages / top).symlink_to(found.locate_file(top))


def main(prefix: str, *arguments: str) -> None:
    """Answer a call."""
    match arguments:
        case ["--version"]:
            print("conda 26.9.4")
        case ["info", "--json"]:
            print(json.dumps({"conda_prefix": prefix, "platform": "linux-64"}))
        case ["config", *_]:
            print(json.dumps({"get": {"channel_priority": "strict"}}))
        case ["env", "create", *_, "--file", file, "--prefix", folder]:
            create(Path(file), Path(folder))
        case ["clean", *_]:
            pass
        case _:
            sys.exit(f"conda: unknown arguments {arguments}")


if __name__ == "__main__":
    main(*sys.argv[1:])
