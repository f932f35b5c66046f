"""The plan of a config: its experiments, and what every job of every rule needs.

Nothing here knows Snakemake. `read` gives a `Plan`; the modules of this package that declare rules
are imported here, so that all of them are known.
"""

import importlib
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import weakreid.plan
from weakreid.config import load
from weakreid.config.faults import Together, known
from weakreid.config.load import Config
from weakreid.config.methods import Transfer
from weakreid.errors import ReidError
from weakreid.plan import paths, refusals
from weakreid.plan.experiments import Experiment, Made, experiments_of, name_of_row


@dataclass(frozen=True)
class Run:
    """A run of an experiment: one training, and what is measured of it.

    Attributes:
        experiment: whose run it is.
        name: SPLIT-SEED.
    """

    experiment: Experiment
    name: str

    @property
    def split(self) -> str:
        """The partition of the identities."""
        return self.name.rpartition("-")[0]

    @property
    def seed(self) -> int:
        """Of its training."""
        return int(self.name.rpartition("-")[2])

    @property
    def dataset(self) -> str:
        """The name of the dataset."""
        return self.experiment.dataset

    @property
    def tracklets(self) -> str:
        """The tracklets of its split."""
        return paths.tracklets(self.dataset, self.split)

    @property
    def frames(self) -> str:
        """The frames of its dataset."""
        return paths.frames(self.dataset)

    @property
    def images(self) -> str:
        """The images of its dataset."""
        return paths.images(self.dataset)

    @property
    def tracks(self) -> str:
        """The tracklets that a method without labels learns from."""
        of = self.experiment
        return paths.tracks(self.dataset, self.split, str(of.noise), of.isolation)

    def path(self, name: str) -> str:
        """Return a file of the run."""
        return paths.of_run(self.experiment.name, self.name, name)


@dataclass(frozen=True)
class Plan:
    """What a config asks for.

    Attributes:
        config: with the bags, isolation and transfers that rows of studies made.
        made: experiments, their aliases and rows.
        refused: experiments of studies that nobody can train or measure, and why.
    """

    config: Config
    made: Made
    refused: Mapping[str, str]

    @property
    def experiments(self) -> Mapping[str, Experiment]:
        """All experiments by name, refused ones too."""
        return self.made.experiments

    @property
    def same(self) -> Mapping[str, str]:
        """Aliases, and the experiment that each is."""
        return self.made.same

    def named(self, name: str) -> Experiment:
        """Return an experiment by its name or alias.

        Raises:
            ReidError: it is refused.
        """
        name = self.same.get(name, name)
        if name in self.refused:
            raise ReidError(self.refused[name])
        return self.experiments[name]

    def run(self, experiment: str, run: str) -> Run:
        """Return a run.

        Raises:
            ReidError: its experiment is refused.
        """
        return Run(self.named(experiment), run)

    def first_run(self, experiment: str) -> Run:
        """Return an experiment's first run."""
        found = self.named(experiment)
        return Run(found, found.runs[0])

    def row(self, study: str, dataset: str, row: str, level: str | None = None) -> str:
        """Return the name of the experiment that is a study's row on a dataset."""
        name = name_of_row(self.config, study, dataset, row, level)
        return self.same.get(name, name)

    def possible(self, names: Iterable[str]) -> list[str]:
        """Return those experiments that are not refused, each once."""
        return [name for name in dict.fromkeys(names) if name not in self.refused]

    def generated(self, dataset: str) -> bool:
        """Return whether a dataset's people are generated."""
        return self.config.datasets[dataset].kind == "walkers"

    def tracked(self, dataset: str) -> bool:
        """Return whether a dataset's images are crops of a tracker's boxes."""
        return self.config.datasets[dataset].kind == "mot"

    def knows_attributes(self, dataset: str) -> bool:
        """Return whether the true attributes of a dataset's people are known."""
        named = getattr(self.config.datasets[dataset], "attributes", None)
        return self.generated(dataset) or named is not None


def read(raw: Mapping[str, Any]) -> Plan:
    """Return the plan of a config that YAML gave.

    Raises:
        ConfigError: a key, a value or a name is wrong; an experiment that the config itself names
            (not a study's) is refused.
    """
    config = load.read(raw)
    made = experiments_of(config)
    config = config.model_copy(
        update={"bags": made.bags, "isolation": made.isolation, "transfers": made.transfers}
    )
    refused: dict[str, str] = {}
    together = Together()
    for name, experiment in made.experiments.items():
        with together.further():
            if name in paths.TAKEN:
                raise ReidError(f"experiments.{name}: results/{name} holds other things; rename it")
            try:
                refusals.check(config, made, experiment)
            except ReidError as error:
                if experiment.row is None:
                    raise
                refused[name] = str(error)
    for name, transfer in config.transfers.items():
        if isinstance(transfer, Transfer):
            with together.further():
                refusals.check_cache(transfer, f"transfers.{name}")
    plan = Plan(config, made, refused)
    for name, table in config.tables.items():
        with together.further():
            kind_of(table).check(plan, f"tables.{name}", table)
    for name in config.tuning:
        with together.further():
            tuning.check(plan, name)
    together.stop()
    return plan


def kind_of(table: Any) -> Any:
    """Return the module of a table's kind (`weakreid.report.kinds`)."""
    return importlib.import_module(f"weakreid.report.kinds.{table.kind}")


def check_row(plan: Plan, where: str, study: str, row: str) -> None:
    """Refuse a row that a study does not have.

    Raises:
        ReidError: there is none of that name.
    """
    known(where, row, plan.config.studies[study].rows)


# every module here that declares rules
for _module in pkgutil.iter_modules(weakreid.plan.__path__):
    if _module.name.endswith("_rules"):
        importlib.import_module(f"weakreid.plan.{_module.name}")

from weakreid.plan import tuning_rules as tuning  # noqa: E402  (it needs Plan)
