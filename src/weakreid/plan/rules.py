"""Rules of the workflow as data: what each makes, and what each of its jobs needs.

A rule declares the patterns of its outputs. Its function turns the values of their wildcards into a
`Job`: inputs, params and code. The rule files of Snakemake look both up here; so does everybody who
asks what an experiment is made of (`weakreid.plan.graph`).
"""

import functools
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from weakreid.artifacts.arguments import shortened
from weakreid.config.params import Params
from weakreid.plan import codedigest

if TYPE_CHECKING:
    from weakreid.plan.plan import Plan

Paths = str | Sequence[str]

SILENT = codedigest.ASIDE | {"weakreid.console", "weakreid.datasets.changes"}
"""Modules that no rule's digest covers: what a stage says while it works, and what it notes of the
files that it read, is no part of its result."""


@dataclass(frozen=True)
class Output:
    """A file or folder that a rule makes.

    Attributes:
        path: a pattern with Snakemake's wildcards.
        option: of the stage that takes its path; "": the stage knows it from another one.
        shown: what the report's page calls it; "": it is not on that page.
        caption: the name of a text in workflow/report/; "": as the option.
        kind: "file", "folder", "local" (names a folder of this machine) or "temporary".
    """

    path: str
    option: str = "out"
    shown: str = ""
    caption: str = ""
    kind: str = "file"


@dataclass(frozen=True)
class Reading:
    """Data of people that a job reads without Snakemake's knowing: a later change is told.

    Attributes:
        key: of the config that names the folder.
        root: the folder.
        made: the artifact that was made of it.
        rule: which wrote down what it read.
        inputs: whether the files are the rule's inputs, so that newer ones rerun it anyway.
    """

    key: str
    root: str
    made: str
    rule: str
    inputs: bool = False


@dataclass(frozen=True)
class Job:
    """What one job of a rule needs.

    Attributes:
        inputs: paths by the option of the stage that takes them; none: the option is left out.
        params: the values that the stage uses; None: it takes none.
        modules: what the stage imports by name (losses, a reader), below `weakreid`.
        also: inputs that the stage finds by itself.
        within: the file that is meant where an input is a folder, by the input's option.
        told: more options of the stage, such as a folder for checkpoints; they are no inputs.
        here: inputs that lie on this machine alone, where jobs share no files with it.
        reading: data of people that is read.
    """

    inputs: Mapping[str, Paths] = field(default_factory=dict)
    params: Params | None = None
    modules: Sequence[str] = ()
    also: Sequence[str] = ()
    within: Mapping[str, str] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    here: frozenset[str] = frozenset()
    reading: Reading | None = None

    def paths(self) -> list[str]:
        """Return every input, each once."""
        found = [path for paths in self.inputs.values() for path in listed(paths)]
        return list(dict.fromkeys([*found, *self.also]))


def listed(paths: Paths) -> list[str]:
    """Return paths as a list."""
    return [paths] if isinstance(paths, str) else list(paths)


_HOME = re.compile(
    r"results/(attributes/\{transfer\}/\{dataset\}|tables/\{table\}\{place\}|(\w+/)?\{\w+\})"
)
"""The folder of what an output is of: a dataset, an experiment, a table, a transfer ..."""

Only = Callable[["Plan"], Iterable[str]]


@dataclass(frozen=True)
class Rule:
    """A rule of the workflow.

    Attributes:
        name: of the rule.
        stage: the module below `weakreid.stages` that its command runs; "": it is told by the job.
        outputs: by the name that the rule file has for them.
        needs: the plan and the values of the wildcards to a job.
        only: wildcard: the values that it may have, where not all that there are.
    """

    name: str
    stage: str
    outputs: Mapping[str, Output]
    needs: Callable[..., Job]
    only: Mapping[str, Only]

    @property
    def log(self) -> str:
        """Where its jobs' logs lie; what the folder does not tell is in the file's name."""
        return self._beside("logs", "log")

    @property
    def benchmark(self) -> str:
        """Where it is written how long its jobs took, and what memory."""
        return self._beside("benchmarks", "tsv")

    def _beside(self, folder: str, suffix: str) -> str:
        path = next(iter(self.outputs.values())).path
        home = _HOME.match(path)
        assert home is not None
        others = dict.fromkeys(re.findall(r"\{\w+\}", path[home.end() :]))
        return f"{home[0]}/{folder}/{'-'.join([self.name, *others])}.{suffix}"

    def code(self, job: Job) -> str:
        """Return the digest of the code that a job runs."""
        return code_of(f"stages.{self.stage}", *job.modules)

    def told(self, job: Job) -> list[str]:
        """Return the arguments of a job's stage that are no inputs and no outputs."""
        params = [] if job.params is None else [f"--params={job.params.as_json()}"]
        return [*params, *(f"--{option}={value}" for option, value in job.told.items())]

    def call(self, job: Job, inputs: Mapping[str, Paths], outputs: Mapping[str, str]) -> list[str]:
        """Return the arguments of a job's stage; long ones as one that names their file.

        Args:
            job: of this rule.
            inputs: as `job.inputs`, where they lie: a storage may have them elsewhere.
            outputs: likewise, by their names in the rule.
        """
        arguments = []
        for option, paths in inputs.items():
            file = f"/{job.within[option]}" if option in job.within else ""
            arguments += [f"--{option.replace('_', '-')}={path}{file}" for path in listed(paths)]
        arguments += self.told(job)
        arguments += [
            f"--{output.option}={outputs[name]}"
            for name, output in self.outputs.items()
            if output.option
        ]
        return shortened(arguments)


@functools.cache
def code_of(*modules: str) -> str:
    """Return the digest of modules below `weakreid` and all that they import."""
    return codedigest.digest(*(f"weakreid.{module}" for module in modules), exclude=SILENT)


DECLARED: dict[str, Rule] = {}
"""Rules by name, as far as the modules that declare them are imported (`weakreid.plan.read`)."""


def rule(
    stage: str, only: Mapping[str, Only] | None = None, **outputs: Output
) -> Callable[[Callable[..., Job]], Callable[..., Job]]:
    """Declare the rule that a function's jobs are of; it has the function's name."""

    def declare(needs: Callable[..., Job]) -> Callable[..., Job]:
        DECLARED[needs.__name__] = Rule(needs.__name__, stage, outputs, needs, only or {})
        return needs

    return declare


def pattern(names: Iterable[str]) -> str:
    """Return a pattern of names, in which what several of them begin or end with is said once.

    There are more than a thousand experiments: one after the other they are a pattern of tens of
    kilobytes, which every rule's outputs would be compiled to.
    """
    found = list(names)
    return _pattern(found) if found else "none"


def _pattern(names: Iterable[str]) -> str:
    ends: dict[str, list[str]] = {}
    words: dict[str, list[str]] = {}
    for name in names:
        word, rest = re.match("(_?[^_]*)(.*)", name).groups()  # type: ignore[union-attr]
        ends.setdefault(word, []).append(rest)
    for word, rests in ends.items():
        end = f"(?:{_pattern(rests)})" if any(rests) else ""
        words.setdefault(end, []).append(word)
    return "|".join(f"(?:{'|'.join(found)}){rest}" for rest, found in words.items())
