"""From the config to experiments: those that it names, and those that its studies make.

A study has an experiment per dataset, row and noise level. Their names are put together here and
nowhere else. A row that changes nothing on a dataset is no experiment of its own there: its name is
an alias.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from weakreid.config import experiments as blocks
from weakreid.config.experiments import Change, Level, Place
from weakreid.config.faults import Together, known, validated
from weakreid.config.load import Config
from weakreid.config.methods import (
    CHOSEN_KEYS,
    AnyMethod,
    AnyTransfer,
    BagMethod,
    ClipMethod,
    Transfer,
    TrueAttributes,
)
from weakreid.config.supervision import Bags, Isolation, Noise
from weakreid.errors import ReidError

NO_ISOLATION = "none"
FIRST = 1
"""The simulation of a noise level that has the level's own name."""

Layer = tuple[str, Mapping[str, Any]]
"""Where the config says values of a method, and the values."""


@dataclass(frozen=True)
class Row:
    """Where an experiment stands in a study; the study's own method is row ""."""

    study: str
    dataset: str
    row: str
    level: str | None


@dataclass(frozen=True)
class Experiment:
    """One thing to train and measure, with everything that it is made of.

    Attributes:
        name: its folder below results/.
        dataset, bags, noise, isolation, transfer: names of blocks of the config; None: it has none.
        method_name: of the block under `methods` that it begins with.
        method: resolved.
        layers: what was laid over that block, the last one winning.
        init: the experiment whose weights it starts from, if any.
        splits, seeds: of its runs.
        simulations: of its noise level; its runs meet one after the other.
        row: where it stands in a study, None for one that the config names.
    """

    name: str
    dataset: str
    method_name: str
    method: AnyMethod
    bags: str | None = None
    noise: str | None = None
    isolation: str | None = None
    transfer: str | None = None
    init: str | None = None
    splits: tuple[str, ...] = ("official",)
    seeds: tuple[int, ...] = (1,)
    simulations: int = 1
    layers: tuple[Layer, ...] = ()
    row: Row | None = None

    @property
    def runs(self) -> list[str]:
        """The names of its runs, SPLIT-SEED."""
        return [f"{split}-{seed}" for split in self.splits for seed in self.seeds]

    @property
    def contents(self) -> tuple[Any, ...]:
        """What makes it an experiment of its own; equal ones are one."""
        plain = (self.method.model_dump_json(), self.dataset, self.method_name, self.init)
        seen = (self.bags, self.noise, self.isolation, self.transfer)
        return (*plain, *seen, self.splits, self.seeds)


@dataclass
class Made:
    """Experiments, their aliases, and the blocks of the config that they needed besides.

    Attributes:
        experiments: by name.
        same: alias: the name of the experiment that it is.
        rows: of every name that a study makes, aliases too.
        bags, isolation, transfers: of the config, with those that rows of studies made.
        noise: of the config, and every further simulation of a level; bags have them too.
        simulation: of all noise levels, which one it is of its level.
    """

    experiments: dict[str, Experiment] = field(default_factory=dict)
    same: dict[str, str] = field(default_factory=dict)
    rows: dict[str, Row] = field(default_factory=dict)
    bags: dict[str, Bags] = field(default_factory=dict)
    isolation: dict[str, Isolation] = field(default_factory=dict)
    transfers: dict[str, AnyTransfer] = field(default_factory=dict)
    noise: dict[str, Noise] = field(default_factory=dict)
    simulation: dict[str, int] = field(default_factory=dict)


def experiments_of(config: Config, together: Together) -> Made:
    """Return the experiments of a config, but for those with faults, which `together` collects.

    Raises:
        ConfigError: a study has faults.
    """
    made = Made(
        bags=dict(config.bags),
        isolation=dict(config.isolation),
        transfers=dict(config.transfers),
        noise=dict(config.noise),
        simulation=dict.fromkeys(config.noise, FIRST),
    )
    for name, block in config.experiments.items():
        with together.further():
            made.experiments[name] = _named(config, name, block)
    of_studies = Together()
    for name in config.studies:
        with of_studies.further():
            _StudyOnDatasets(config, name, made).add_all()
    of_studies.stop()
    _add_simulations(config, made)
    return made


def name_of_simulation(name: str, number: int) -> str:
    """Return the name of a simulation of a noise level, or of the bags of it."""
    return name if number == FIRST else f"{name}-{number}"


def _add_simulations(config: Config, made: Made) -> None:
    """Add every simulation of a noise level but the first, and the bags of it."""
    for name, level in config.noise.items():
        bags = {key: block for key, block in made.bags.items() if block.noise == name}
        for number in range(FIRST + 1, level.simulations + 1):
            own = name_of_simulation(name, number)
            made.noise[own], made.simulation[own] = level, number
            for key, block in bags.items():
                other = block.model_copy(update={"noise": own})
                made.bags[name_of_simulation(key, number)] = other


def _simulations(config: Config, bags: Mapping[str, Bags], seen: Mapping[str, str | None]) -> int:
    """Return how many simulations there are of the noise that an experiment sees."""
    noise = seen.get("noise")
    if seen.get("bags") is not None:
        noise = bags[str(seen["bags"])].noise
    return 1 if noise is None else config.noise[noise].simulations


def name_of_row(config: Config, study: str, dataset: str, row: str, level: str | None) -> str:
    """Return the name of a study's row on a dataset; at the first noise level it has no ending."""
    first = next(iter(config.studies[study].levels), None)
    ends = [row, level if level and level != first else ""]
    return f"{study}_{dataset}" + "".join(f"_{end}" for end in ends if end)


def _named(config: Config, name: str, block: blocks.Experiment) -> Experiment:
    where = f"experiments.{name}.overrides"
    layers = [(where, block.overrides)] if block.overrides else []
    method = config.methods[block.method]
    seen = {key: getattr(block, key) for key in ("bags", "noise", "isolation", "transfer")}
    return Experiment(
        name=name,
        dataset=block.dataset,
        method_name=block.method,
        method=overridden(method, block.overrides, where),
        **seen,
        simulations=_simulations(config, config.bags, seen),
        init=block.init,
        splits=tuple(block.splits),
        seeds=tuple(block.seeds),
        layers=tuple(layers),
    )


# --- values over values ---------------------------------------------------------------------------


def overridden(method: AnyMethod, overrides: Mapping[str, Any], where: str) -> AnyMethod:
    """Return a method with some values replaced.

    Raises:
        ConfigError: a value does not fit.
    """
    if not overrides:
        return method
    values = merged(method.model_dump(mode="json"), overrides)
    result: AnyMethod = validated(type(method), values, where)
    return result


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested blocks with other values laid over them."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        # groups are given whole: one that is not named is left out
        if key != "groups" and isinstance(value, Mapping) and isinstance(old, Mapping):
            if key in CHOSEN_KEYS and value.get("name", old.get("name")) != old.get("name"):
                # another loss, say: of the old one's values stay those that it has too, such as k
                shared = CHOSEN_KEYS[key].get(str(value["name"]), set()) - {"name"}
                old = {name: kept for name, kept in old.items() if name in shared}
            result[key] = merged(old, value)
        else:
            result[key] = value
    return result


# --- studies --------------------------------------------------------------------------------------


class _StudyOnDatasets:
    """A study on its way to experiments."""

    def __init__(self, config: Config, name: str, made: Made) -> None:
        self.config, self.name, self.made = config, name, made
        self.study = config.studies[name]
        self.where = f"studies.{name}"

    def add_all(self) -> None:
        """Add the study's experiments on every dataset."""
        self._check_names()
        for dataset in self.config.datasets:
            self._add(dataset)

    def _check_names(self) -> None:
        study, config, where = self.study, self.config, self.where
        for dataset in study.datasets:
            known(f"{where}.datasets", dataset, config.datasets)
        for name, level in study.levels.items():
            known(f"{where}.levels.{name}.noise", level.noise, config.noise)
        none = {NO_ISOLATION: None}
        for row, change in study.rows.items():
            at = f"{where}.rows.{row}"
            for key, allowed in (
                ("bags", study.changes),
                ("isolation", {**study.isolations, **none}),
                ("transfer", study.transfers),
                ("method", config.methods),
            ):
                if (name := getattr(change, key)) is not None:
                    known(f"{at}.{key}", name, allowed)

    def _check_place(self, place: Place, at: str) -> None:
        study = self.study
        of_rows = {change.method for change in study.rows.values() if change.method}
        for key, allowed in (
            ("rows", study.rows),
            ("methods", dict.fromkeys(of_rows)),
            ("changes", study.changes),
            ("isolations", study.isolations),
            ("transfers", study.transfers),
        ):
            for name in getattr(place, key):
                known(f"{at}.{key}", name, allowed)

    def _place_of(self, dataset: str) -> tuple[Place, str]:
        """Return what the study does on a dataset, and where the config says so."""
        if dataset in self.study.datasets:
            return self.study.datasets[dataset], f"{self.where}.datasets.{dataset}"
        return Place(), self.where

    def _add(self, dataset: str) -> None:
        place, at = self._place_of(dataset)
        self._check_place(place, at)
        found: dict[tuple[Any, ...], str] = {}
        for row, change in {"": Change(), **self.study.rows}.items():
            # the levels of a row have its method
            name, method, layers = self._method_of(row, change, place, at)
            levels: list[tuple[str | None, Level | None]] = [*self.study.levels.items()]
            for level_name, level in levels or [(None, None)]:
                full = name_of_row(self.config, self.name, dataset, row, level_name)
                seen = self._seen_by(method, name, change, level, place, at)
                experiment = Experiment(
                    name=full,
                    dataset=dataset,
                    method_name=name,
                    method=method,
                    **seen,
                    simulations=_simulations(self.config, self.made.bags, seen),
                    init=change.init,
                    splits=tuple(place.splits or self.study.splits),
                    seeds=tuple(place.seeds or self.study.seeds),
                    layers=layers,
                    row=Row(self.name, dataset, row, level_name),
                )
                self._keep(experiment, found)

    def _keep(self, experiment: Experiment, found: dict[tuple[Any, ...], str]) -> None:
        made, name, row = self.made, experiment.name, experiment.row
        assert row is not None
        if name in made.experiments or name in made.same:
            what = (
                f"row {row.row} on dataset {row.dataset}" if row.row else f"dataset {row.dataset}"
            )
            raise ReidError(
                f"{self.where}: {what} is to be the experiment {name}, which is there already (in "
                "experiments, or of another row and dataset); rename the row or the dataset"
            )
        made.rows[name] = row
        first = found.setdefault(experiment.contents, name)
        if first == name:
            made.experiments[name] = experiment
        else:
            made.same[name] = first

    def _method_of(
        self, row: str, change: Change, place: Place, at: str
    ) -> tuple[str, AnyMethod, tuple[Layer, ...]]:
        """Return the name of a row's method, the method as it is there, and what was laid over."""
        if change.method is None:
            name = place.method or self.study.method
            known(f"{at}.method", name, self.config.methods)
        else:
            name = place.methods.get(change.method, change.method)
            known(f"{at}.methods", name, self.config.methods)
        layers: list[Layer] = []
        # what a place says of the study's method is no word on another that a row names
        if change.method is None:
            layers.append((f"{at}.overrides", place.overrides))
        layers.append((f"{self.where}.rows.{row}.overrides", change.overrides))
        layers.append((f"{at}.rows.{row}", place.rows.get(row, {})))
        method = self.config.methods[name]
        for where, values in layers:
            method = overridden(method, values, where)
        return name, method, tuple(layer for layer in layers if layer[1])

    def _seen_by(
        self,
        method: AnyMethod,
        name: str,
        change: Change,
        level: Level | None,
        place: Place,
        at: str,
    ) -> dict[str, str | None]:
        """Return the names of what a method may see."""
        if isinstance(method, BagMethod):
            return {"bags": self._bags_of(change, level, place, at)}
        if isinstance(method, ClipMethod):
            learns = method.attributes is not None
            return {"transfer": self._transfer_of(change, place, at) if learns else None}
        noise = self.study.noise if level is None else level.noise
        if noise is None:
            raise ReidError(
                f"config.yaml: '{self.where}.levels' is missing; the method {name} learns from "
                f"tracklets; give some, or {self.where}.noise"
            )
        known(f"{self.where}.noise", noise, self.config.noise)
        return {"noise": noise, "isolation": self._isolation_of(change, place, at)}

    def _bags_of(self, change: Change, level: Level | None, place: Place, at: str) -> str:
        """Return the name of a row's bags, made where they are not there."""
        base = place.bags or self.study.bags
        if base is None:
            raise ReidError(
                f"config.yaml: '{self.where}.bags' is missing; the method of a row of it learns "
                "from bags"
            )
        known(f"{at}.bags", base, self.config.bags)
        name = base
        values: dict[str, Any] = {}
        if change.bags is not None:
            values |= {**self.study.changes, **place.changes}[change.bags]
            name = f"{name}_{change.bags}"
        if level is not None and self.config.noise[level.noise].rfm is not None:
            values["noise"] = level.noise
            name = f"{name}_{level.noise}"
        elif level is not None:
            # tracklets as they are: nobody has to be in the majority
            values.pop("majority", None)
        if not values:
            return base
        unchanged = self.config.bags[base].model_dump(mode="json")
        block = validated(Bags, {**unchanged, **values}, f"{at}.changes.{change.bags}")
        if self.made.bags.setdefault(name, block) != block:
            own = at if change.bags in place.changes else self.where
            raise ReidError(
                f"{own}.changes.{change.bags}: bags.{name} is there already and differs; rename "
                "the change, or give this dataset bags of another name"
            )
        return name

    def _isolation_of(self, change: Change, place: Place, at: str) -> str | None:
        """Return the name of a row's isolation, made where it is not there."""
        base = place.isolation or self.study.isolation
        if change.isolation == NO_ISOLATION:
            return None
        if base is None:
            if change.isolation is not None:
                raise ReidError(f"config.yaml: '{at}.isolation' is missing; a row changes it")
            return None
        known(f"{at}.isolation", base, self.config.isolation)
        if change.isolation is None:
            return base
        where = f"{at}.isolations.{change.isolation}"
        values = {**self.study.isolations, **place.isolations}[change.isolation]
        plain = {**self.config.isolation[base].model_dump(mode="json"), **values}
        block = validated(Isolation, plain, where)
        return _added(self.made.isolation, "isolation", base, change.isolation, block, where)

    def _transfer_of(self, change: Change, place: Place, at: str) -> str:
        """Return the name of a row's transfer, made where it is not there."""
        base = place.transfer or self.study.transfer
        if base is None:
            raise ReidError(
                f"config.yaml: '{self.where}.transfer' is missing; the method of a row of it "
                "learns attributes"
            )
        known(f"{at}.transfer", base, self.config.transfers)
        if change.transfer is None:
            return base
        values = {**self.study.transfers, **place.transfers}[change.transfer]
        own = at if change.transfer in place.transfers else self.where
        where = f"{own}.transfers.{change.transfer}"
        if values.get("labels") == "truth":
            block: AnyTransfer = validated(TrueAttributes, values, where)
        else:
            plain = merged(self.config.transfers[base].model_dump(mode="json"), values)
            block = validated(Transfer, plain, where)
        return _added(self.made.transfers, "transfers", base, change.transfer, block, where)


def _added(there: dict[str, Any], kind: str, base: str, row: str, block: Any, where: str) -> str:
    """Return the name of a block: of an equal one that is there, or of this one, which is added."""
    same = next((name for name, other in there.items() if other == block), None)
    if same is not None:
        return same
    name = f"{base}_{row}"
    if name in there:
        raise ReidError(f"{where}: {kind}.{name} is there already and differs; rename one")
    there[name] = block
    return name
