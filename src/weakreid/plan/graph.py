"""What is made of what: the jobs behind a target, and which of them a change reaches."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job, Rule
from weakreid.plan.targets import maker_of


@dataclass(frozen=True)
class Step:
    """A job of a rule.

    Attributes:
        rule: of the job.
        wildcards: their values.
        job: what it needs.
    """

    rule: Rule
    wildcards: Mapping[str, str]
    job: Job

    @property
    def outputs(self) -> list[str]:
        """The paths that it makes."""
        return [output.path.format(**self.wildcards) for output in self.rule.outputs.values()]


def steps_to(plan: Plan, targets: Iterable[str]) -> list[Step]:
    """Return the jobs behind some paths, each after all that it needs.

    Paths that no rule makes are data of people, or a target of nobody: they have no job.

    Raises:
        ReidError: a job is refused.
    """
    return list(_Walk(plan).to(targets).values())


class _Walk:
    """Walks from targets to what they need, each job once."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.made_by: dict[str, str] = {}

    def to(self, targets: Iterable[str]) -> dict[str, Step]:
        found: dict[str, Step] = {}
        for target in targets:
            for step in self._before(target, found):
                found[step.outputs[0]] = step
        return found

    def _before(self, target: str, found: Mapping[str, Step]) -> Iterator[Step]:
        # no recursion: chains of `init` may be long
        todo, opened = [target], dict[str, Step]()
        while todo:
            path = todo[-1]
            made = None if path in self.made_by else maker_of(self.plan, path)
            if made is None or (first := _first_output(*made)) in found:
                self.made_by[path] = ""
                todo.pop()
                continue
            step = opened.get(first)
            if step is None:
                rule, wildcards = made
                step = opened[first] = Step(rule, wildcards, rule.needs(self.plan, **wildcards))
                needed = [path for path in step.job.paths() if path not in self.made_by]
                todo += reversed(needed)
                continue
            self.made_by |= dict.fromkeys(step.outputs, first)
            todo.pop()
            yield step


def _first_output(rule: Rule, wildcards: Mapping[str, str]) -> str:
    return next(iter(rule.outputs.values())).path.format(**wildcards)


def signatures(plan: Plan, targets: Iterable[str]) -> dict[str, str]:
    """Return what each job behind some paths depends on, in short, by its first output.

    It covers what the job's stage is told, its code, and all that comes before it: where it is
    another after a change, the job's result may be another.

    Raises:
        ReidError: a job is refused.
    """
    found: dict[str, str] = {}
    for step in steps_to(plan, targets):
        told = hashlib.sha256(step.rule.name.encode())
        told.update(step.rule.code(step.job).encode())
        told.update(str(step.rule.told(step.job)).encode())
        for option, paths in sorted(step.job.inputs.items()):
            told.update(f"{option} {paths}".encode())
        for path in step.job.paths():
            told.update(f"{path} {found.get(path, '')}".encode())
        found |= dict.fromkeys(step.outputs, told.hexdigest())
    return found
