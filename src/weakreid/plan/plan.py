"""The plan of a config: its experiments, and what rules look up in it.

Nothing here knows Snakemake. `weakreid.plan.read` makes one.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from weakreid.config.load import Config
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.experiments import (
    FIRST,
    Experiment,
    Made,
    name_of_row,
    name_of_simulation,
)


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
    def bags(self) -> str:
        """The bags that its method learns from."""
        return paths.bags(self.dataset, self.split, self._simulation_of(self.experiment.bags))

    @property
    def noise(self) -> str:
        """The name of the noise level, in the simulation that is this run's."""
        return self._simulation_of(self.experiment.noise)

    @property
    def tracks(self) -> str:
        """The tracklets that a method without labels learns from."""
        return paths.tracks(self.dataset, self.split, self.noise, self.experiment.isolation)

    def _simulation_of(self, name: str | None) -> str:
        number = FIRST + (self.seed - FIRST) % self.experiment.simulations
        return name_of_simulation(str(name), number)

    def path(self, name: str) -> str:
        """Return a file of the run."""
        return paths.of_run(self.experiment.name, self.name, name)


# two plans are the same one or not: what is looked up in a large one is kept by it
@dataclass(frozen=True, eq=False)
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
