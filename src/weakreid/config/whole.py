"""The models of config.yaml: what it may say, and every default, once.

`load` turns the plain mapping that YAML gives into a `Config`, or raises a `ReidError` of one line
that names the key and what is allowed there. The stages never import this module: each gets the
resolved values that it uses, as JSON.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field, PrivateAttr

from weakreid.config.base import Count, Fraction, Name, Strict
from weakreid.config.datasets import (
    AttributeSource,
    Dataset,
    Ilids,
    Mars,
    MarsAttributesSource,
    Prid,
    Tracked,
    Tracker,
    Walkers,
)
from weakreid.config.experiments import Change, Experiment, Level, Place, Study
from weakreid.config.faults import Together, known, validated
from weakreid.config.losses import Hslr, Mil, Sslr
from weakreid.config.methods import (
    CHOSEN_KEYS,
    AnyMethod,
    AnyTransfer,
    BagMethod,
    ClipMethod,
    Extractor,
    TrackletMethod,
    Transfer,
    TrueAttributes,
    with_labels,
    with_learns,
)
from weakreid.config.supervision import Audit, Bags, Coarse, Isolation, Noise
from weakreid.config.tables import (
    AnyTable,
    AttentionTable,
    AttributeTable,
    AuditTable,
    CostTable,
    CountsTable,
    ExamplesTable,
    GridTable,
    IsolationTable,
    LabelsTable,
    MasksTable,
    NoiseTable,
    OfSource,
    StudyTable,
    Table,
)
from weakreid.config.tuning import Tuning, check_key, ends_of, others_of, put, resolved
from weakreid.errors import ReidError


class Config(Strict):
    """The whole of config.yaml."""

    renamed: ClassVar[Mapping[str, str]] = {
        "sources": "attribute_sources",
        "looks": "shown_attributes",
    }

    seed: Count = Field(1, description="of everything that is made before training")
    validation_fraction: Fraction = Field(
        0.34, description="share of the training persons that the dev split holds out"
    )
    datasets: dict[Name, Dataset]
    bags: dict[Name, Bags] = Field(default_factory=dict)
    coarse: Coarse = Coarse()
    audit: Audit = Audit()
    trackers: dict[Name, Tracker] = Field(default_factory=dict)
    noise: dict[Name, Noise] = Field(default_factory=dict)
    extractors: dict[Name, Extractor] = Field(default_factory=dict)
    isolation: dict[Name, Isolation] = Field(default_factory=dict)
    attribute_sources: dict[Name, AttributeSource] = Field(default_factory=dict)
    transfers: Annotated[dict[Name, AnyTransfer], BeforeValidator(with_labels)] = Field(
        default_factory=dict
    )
    shown_attributes: dict[Name, Name] = Field(
        default_factory=dict,
        description="dataset: the transfer whose attributes stand on its label audit and examples",
    )
    methods: Annotated[dict[Name, AnyMethod], BeforeValidator(with_learns)]
    experiments: dict[Name, Experiment] = Field(default_factory=dict)
    studies: dict[Name, Study] = Field(default_factory=dict)
    tuning: dict[Name, Tuning] = Field(default_factory=dict)
    tables: dict[Name, AnyTable] = Field(default_factory=dict)

    _refused: dict[str, str] = PrivateAttr(default_factory=dict)
    _same: dict[str, str] = PrivateAttr(default_factory=dict)
    _methods: dict[str, AnyMethod] = PrivateAttr(default_factory=dict)
    _rows: dict[str, tuple[str, str, str]] = PrivateAttr(default_factory=dict)

    @property
    def refused(self) -> Mapping[str, str]:
        """Experiments of studies that cannot be, and why."""
        return self._refused

    @property
    def same(self) -> Mapping[str, str]:
        """Names of studies' rows that are no experiment of their own, and the one they are."""
        return self._same


# --- reading --------------------------------------------------------------------------------------

TAKEN = ("datasets", "tables", "trackers", "sources", "attributes", "tuning")
"""Folders of results/ that belong to no experiment."""


def load(raw: Mapping[str, Any]) -> Config:
    """Return the config that a YAML mapping describes, the experiments of its studies among them.

    Raises:
        ReidError: keys are unknown or of a wrong type, or names do not exist.
    """
    config = validated(Config, raw, "config.yaml")
    _check_names(config)
    given = set(config.experiments)
    together = Together()
    for name in config.studies:
        with together.further():
            config = _with_study(config, name)
    together.stop()
    for name in config.experiments:
        with together.further():
            if name in TAKEN:
                raise ReidError(f"experiments.{name}: results/{name} holds other things; rename it")
            try:
                _check(config, name)
            except ReidError as error:
                if name in given:
                    raise
                config._refused[name] = str(error)
    for dataset, name in config.shown_attributes.items():
        with together.further():
            _check_look(config, dataset, name)
    for name, table in config.tables.items():
        with together.further():
            _check_table(config, f"tables.{name}", table)
    for name, tuning in config.tuning.items():
        with together.further():
            _check_tuning(config, f"tuning.{name}", tuning)
    together.stop()
    return config


def _check_names(config: Config) -> None:
    """Refuse blocks that name what is not there, all of them together."""
    together = Together()
    for name, noise in config.noise.items():
        with together.further():
            if noise.observed is not None:
                known(f"noise.{name}.observed", noise.observed, config.trackers)
    for name, isolation in config.isolation.items():
        with together.further():
            known(f"isolation.{name}.extractor", isolation.extractor, config.extractors)
            if name == NO_ISOLATION:
                raise ReidError("isolation.none: that name says that there is none; rename it")
    for name, dataset in config.datasets.items():
        with together.further():
            if isinstance(dataset, Mars) and dataset.attributes is not None:
                where, source = f"datasets.{name}.attributes", dataset.attributes
                known(where, source, config.attribute_sources)
                if not isinstance(config.attribute_sources[source], MarsAttributesSource):
                    raise ReidError(
                        f"{where}: '{source}' does not know MARS's persons; name a source of kind "
                        "mars_attributes"
                    )
    for name, transfer in config.transfers.items():
        with together.further():
            if isinstance(transfer, Transfer):
                known(f"transfers.{name}.source", transfer.source, config.attribute_sources)
                if isinstance(config.attribute_sources[transfer.source], MarsAttributesSource):
                    raise ReidError(
                        f"transfers.{name}.source: '{transfer.source}' has no pictures to learn "
                        "from; take a source that has, such as rap or studio"
                    )
                _check_cache(transfer, f"transfers.{name}")
    for name, bags in config.bags.items():
        with together.further():
            if bags.noise is not None:
                known(f"bags.{name}.noise", bags.noise, config.noise)
    for name, experiment in config.experiments.items():
        where = f"experiments.{name}"
        with together.further():
            known(f"{where}.dataset", experiment.dataset, config.datasets)
        with together.further():
            known(f"{where}.method", experiment.method, config.methods)
            _check_supervision(config, experiment, where)
    together.stop()


def _check_look(config: Config, dataset: str, name: str) -> None:
    """Refuse a look at what is not there, or at what nobody learnt."""
    known("shown_attributes", dataset, config.datasets)
    known(f"shown_attributes.{dataset}", name, config.transfers)
    if isinstance(config.transfers[name], TrueAttributes):
        raise ReidError(
            f"shown_attributes.{dataset}: {name} is the truth; take a transfer that is learnt"
        )


def _check_supervision(config: Config, experiment: Experiment, where: str) -> None:
    """Refuse an experiment whose method gets nothing, or what it cannot take."""
    method = config.methods[experiment.method]
    what = method.learns
    takes = {
        "bags": ["bags"],
        "tracklets": ["noise", "isolation"],
        "clips": ["transfer"],
    }[what]
    for name in ("bags", "noise", "isolation", "transfer"):
        if name not in takes and getattr(experiment, name) is not None:
            raise ReidError(
                f"{where}.{name}: the method {experiment.method} learns from {what}; "
                f"leave {name} out, or take another method"
            )
    for name in takes:
        chosen = getattr(experiment, name)
        if chosen is not None:
            allowed = config.transfers if name == "transfer" else getattr(config, name)
            known(f"{where}.{name}", chosen, allowed)
        elif name in ("bags", "noise"):
            raise ReidError(
                f"config.yaml: '{where}.{name}' is missing; the method {experiment.method} "
                f"learns from {what}"
            )


NO_ISOLATION = "none"


class _Expansion:
    """A study on its way to experiments: blocks of the config that grow as its rows need them."""

    def __init__(self, config: Config, name: str) -> None:
        self.config, self.name, self.study = config, name, config.studies[name]
        self.where = f"studies.{name}"
        self.bags, self.isolation = dict(config.bags), dict(config.isolation)
        self.transfers = dict(config.transfers)
        self.experiments, self.same = dict(config.experiments), dict(config.same)
        self.methods, self.names = dict(config._methods), dict(config._rows)

    def place_of(self, dataset: str) -> tuple[Place, str]:
        """Return what a study does on a dataset, and where the config says so."""
        if dataset in self.study.datasets:
            return self.study.datasets[dataset], f"{self.where}.datasets.{dataset}"
        return Place(), self.where

    def method_of(self, row: Change, place: Place, at: str) -> str:
        """Return the name of a row's method on a dataset."""
        if row.method is None:
            name = place.method or self.study.method
            known(f"{at}.method", name, self.config.methods)
            return name
        name = place.methods.get(row.method, row.method)
        known(f"{at}.methods", name, self.config.methods)
        return name

    def bags_of(self, row: Change, level: Level | None, place: Place, at: str) -> str:
        """Return the name of a row's bags, made where they are not there."""
        base = place.bags or self.study.bags
        if base is None:
            raise ReidError(
                f"config.yaml: '{self.where}.bags' is missing; the method of a row of it "
                "learns from bags"
            )
        known(f"{at}.bags", base, self.config.bags)
        name = base
        values: dict[str, Any] = {}
        if row.bags is not None:
            changes = {**self.study.changes, **place.changes}
            values |= changes[row.bags]
            name = f"{name}_{row.bags}"
        if level is not None and self.config.noise[level.noise].rfm is not None:
            values["noise"] = level.noise
            name = f"{name}_{level.noise}"
        elif level is not None:
            # tracklets as they are: nobody has to be in the majority
            values.pop("majority", None)
        if not values:
            return base
        unchanged = self.config.bags[base].model_dump(mode="json")
        block = validated(Bags, {**unchanged, **values}, f"{at}.changes.{row.bags}")
        if self.bags.setdefault(name, block) != block:
            own = at if row.bags in place.changes else self.where
            raise ReidError(
                f"{own}.changes.{row.bags}: bags.{name} is there already and differs; rename the "
                "change, or give this dataset bags of another name"
            )
        return name

    def isolation_of(self, row: Change, place: Place, at: str) -> str | None:
        """Return the name of a row's isolation, made where it is not there."""
        base = place.isolation or self.study.isolation
        if row.isolation == NO_ISOLATION:
            return None
        if base is None:
            if row.isolation is not None:
                raise ReidError(f"config.yaml: '{at}.isolation' is missing; a row changes it")
            return None
        known(f"{at}.isolation", base, self.config.isolation)
        if row.isolation is None:
            return base
        values = {**self.study.isolations, **place.isolations}[row.isolation]
        made = {**self.config.isolation[base].model_dump(mode="json"), **values}
        block = validated(Isolation, made, f"{at}.isolations.{row.isolation}")
        same = next((name for name, other in self.isolation.items() if other == block), None)
        if same is not None:
            return same
        name = f"{base}_{row.isolation}"
        if name in self.isolation:
            raise ReidError(
                f"{at}.isolations.{row.isolation}: isolation.{name} is there already and differs; "
                "rename one"
            )
        self.isolation[name] = block
        return name

    def transfer_of(self, row: Change, place: Place, at: str) -> str:
        """Return the name of a row's transfer, made where it is not there."""
        base = place.transfer or self.study.transfer
        if base is None:
            raise ReidError(
                f"config.yaml: '{self.where}.transfer' is missing; the method of a row of it "
                "learns attributes"
            )
        known(f"{at}.transfer", base, self.config.transfers)
        if row.transfer is None:
            return base
        values = {**self.study.transfers, **place.transfers}[row.transfer]
        own = at if row.transfer in place.transfers else self.where
        where = f"{own}.transfers.{row.transfer}"
        if values.get("labels") == "truth":
            block: AnyTransfer = validated(TrueAttributes, values, where)
        else:
            made = _merge(self.config.transfers[base].model_dump(mode="json"), values)
            block = validated(Transfer, made, where)
        same = next((name for name, other in self.transfers.items() if other == block), None)
        if same is not None:
            return same
        name = f"{base}_{row.transfer}"
        if name in self.transfers:
            raise ReidError(f"{where}: transfers.{name} is there already and differs; rename one")
        self.transfers[name] = block
        return name

    def rows(self, at: str) -> Iterator[tuple[str, Change, Level | None, str]]:
        """Yield (row, change, level, end of the experiment's name)."""
        levels: Mapping[str, Level | None] = self.study.levels or {"": None}
        for row, change in {"": Change(), **self.study.rows}.items():
            for number, (name, level) in enumerate(levels.items()):
                ends = [row, name if number else ""]
                yield row, change, level, "".join(f"_{end}" for end in ends if end)

    def changed(self, name: str, row: str, change: Change, place: Place, at: str) -> AnyMethod:
        """Return a method as a row has it on a dataset."""
        method = self.config.methods[name]
        # what a place says of the study's method is no word on another that a row names
        if change.method is None:
            method = _overridden(method, place.overrides, f"{at}.overrides")
        own = f"{self.where}.rows.{row}.overrides"
        method = _overridden(method, change.overrides, own)
        return _overridden(method, place.rows.get(row, {}), f"{at}.rows.{row}")

    def add(self, dataset: str) -> None:
        """Add the study's experiments on a dataset."""
        place, at = self.place_of(dataset)
        for row in place.rows:
            known(f"{at}.rows", row, self.study.rows)
        for name in place.methods:
            known(
                f"{at}.methods", name, {c.method: c for c in self.study.rows.values() if c.method}
            )
        for name in place.changes:
            known(f"{at}.changes", name, self.study.changes)
        for name in place.isolations:
            known(f"{at}.isolations", name, self.study.isolations)
        for name in place.transfers:
            known(f"{at}.transfers", name, self.study.transfers)
        made: dict[str, str] = {}
        methods: dict[str, tuple[str, AnyMethod]] = {}
        for row, change, level, end in self.rows(at):
            # the levels of a row have its method
            if row not in methods:
                name = self.method_of(change, place, at)
                methods[row] = name, self.changed(name, row, change, place, at)
            name, method = methods[row]
            seen: dict[str, str | None] = {}
            if isinstance(method, TrackletMethod):
                if level is None:
                    raise ReidError(
                        f"config.yaml: '{self.where}.levels' is missing; the method {name} "
                        "learns from tracklets"
                    )
                seen = {"noise": level.noise, "isolation": self.isolation_of(change, place, at)}
            elif isinstance(method, ClipMethod):
                learns = method.attributes is not None
                seen = {"transfer": self.transfer_of(change, place, at) if learns else None}
            else:
                seen = {"bags": self.bags_of(change, level, place, at)}
            experiment = Experiment(
                dataset=dataset,
                **seen,
                method=name,
                init=change.init,
                splits=place.splits or self.study.splits,
                seeds=place.seeds or self.study.seeds,
                overrides=method.model_dump(mode="json"),
            )
            full = f"{self.name}_{dataset}{end}"
            if full in self.experiments or full in self.same:
                what = f"row {row} on dataset {dataset}" if row else f"dataset {dataset}"
                raise ReidError(
                    f"{self.where}: {what} is to be the experiment {full}, which is there already "
                    "(in experiments, or of another row and dataset); rename the row or the dataset"
                )
            self.names[full] = self.name, dataset, row
            key = experiment.model_dump_json()
            if key in made:
                self.same[full] = made[key]
            else:
                made[key] = full
                self.experiments[full] = experiment
                self.methods[full] = method


def _with_study(config: Config, name: str) -> Config:
    """Return the config with a study's bags, isolations and experiments."""
    study, where = config.studies[name], f"studies.{name}"
    for dataset in study.datasets:
        known(f"{where}.datasets", dataset, config.datasets)
    for level_name, level in study.levels.items():
        known(f"{where}.levels.{level_name}.noise", level.noise, config.noise)
    none = {NO_ISOLATION: None}
    for row, change in study.rows.items():
        if change.bags is not None:
            known(f"{where}.rows.{row}.bags", change.bags, study.changes)
        if change.isolation is not None:
            known(f"{where}.rows.{row}.isolation", change.isolation, {**study.isolations, **none})
        if change.transfer is not None:
            known(f"{where}.rows.{row}.transfer", change.transfer, study.transfers)
        if change.method is not None:
            known(f"{where}.rows.{row}.method", change.method, config.methods)
    expansion = _Expansion(config, name)
    for dataset in config.datasets:
        expansion.add(dataset)
    # a copy has no private values of its own
    changed = config.model_copy(
        update={
            "bags": expansion.bags,
            "isolation": expansion.isolation,
            "transfers": expansion.transfers,
            "experiments": expansion.experiments,
        }
    )
    changed._refused, changed._same, changed._methods = {}, expansion.same, expansion.methods
    changed._rows = expansion.names
    return changed


def _check_table(config: Config, where: str, table: Any) -> None:
    """Refuse a table that names what is not there."""
    if isinstance(table, Table):
        for row, experiment in table.rows.items():
            known(
                f"{where}.rows.{row}", config.same.get(experiment, experiment), config.experiments
            )
        return
    if isinstance(table, OfSource):
        known(f"{where}.source", table.source, config.attribute_sources)
        return
    known(f"{where}.study", table.study, config.studies)
    for dataset in table.datasets:
        known(f"{where}.datasets", dataset, config.datasets)
    rows = config.studies[table.study].rows
    if isinstance(table, GridTable):
        for level in table.levels:
            known(f"{where}.levels", level, config.studies[table.study].levels)
    if isinstance(table, IsolationTable):
        known(f"{where}.level", table.level, config.studies[table.study].levels)
    if isinstance(table, NoiseTable) and not config.studies[table.study].levels:
        raise ReidError(f"{where}.study: {table.study} has no levels of noise; take another study")
    if isinstance(table, CountsTable | CostTable | AuditTable):
        row = table.row if isinstance(table, AuditTable) else ""
        known(f"{where}.row", row, {**rows, "": None})
        for dataset in table.datasets:
            name = experiment_of_row(config, table.study, dataset, row)
            if config.experiments[name].bags is None:
                raise ReidError(
                    f"{where}.study: {name} learns from tracklets, a table of kind {table.kind} "
                    "shows bags; take a study or row that learns from bags"
                )
    if isinstance(table, AttributeTable) and table.transfer is not None:
        known(f"{where}.transfer", table.transfer, config.transfers)
    if isinstance(table, ExamplesTable | LabelsTable | AttributeTable):
        for label, row_name in table.rows.items():
            known(f"{where}.rows.{label}", row_name, rows)
            name = experiment_of_row(config, table.study, table.datasets[0], row_name)
            learns = config.experiments[name].transfer is not None
            if not isinstance(table, AttributeTable) and not learns:
                raise ReidError(
                    f"{where}.rows.{label}: {name} learns no attributes; take another row"
                )
    if isinstance(table, MasksTable | AttentionTable):
        _check_looks_of_clips(config, where, table)
    if isinstance(table, StudyTable | GridTable):
        for label, of_study in table.rows.items():
            if of_study is not None:
                known(f"{where}.rows.{label}", of_study, rows)
    if isinstance(table, AuditTable):
        for dataset in table.datasets:
            name = experiment_of_row(config, table.study, dataset, table.row)
            bags = config.bags[str(config.experiments[name].bags)]
            planted = bags.planted is not None and bags.planted.removed + bags.planted.added > 0
            if not planted and bags.missing is None:
                raise ReidError(
                    f"{where}.row: no label is wrong in the bags of {name}, so nothing can be "
                    "scored; take a row whose bags have planted or missing"
                )


def _check_tuning(config: Config, where: str, tuning: Tuning) -> None:
    """Refuse a search of what is not there, or of values that the experiment cannot have."""
    known(f"{where}.experiment", tuning.experiment, {**config.experiments, **config.same})
    name = config.same.get(tuning.experiment, tuning.experiment)
    if name in config.refused:
        raise ReidError(f"{where}.experiment: {config.refused[name]}")
    experiment, method = config.experiments[name], method_of(config, name)
    dataset = config.datasets[experiment.dataset]
    if isinstance(dataset, Tracked) and not all(
        sequence.truth for sequence in dataset.sequences if sequence.role == "train"
    ):
        raise ReidError(
            f"{where}.experiment: nothing can be measured on the training people of dataset "
            f"{experiment.dataset}, as sequences have no truth; add it, or take another experiment"
        )
    if method.schedule.epochs == 0:
        raise ReidError(
            f"{where}.experiment: {name} learns nothing (schedule.epochs is 0); take another one"
        )
    place_of_values(config, where, tuning)
    together = Together()
    plain = method.model_dump(mode="json")
    for key in tuning.ranges:
        with together.further():
            check_key(plain, key, f"{where}.ranges.{key}")
    together.stop()
    for tried in (ends_of, others_of):
        for key, values in tried(tuning.ranges):
            with together.further():
                changed = _overridden(method, values, f"{where}.ranges")
                trial = config.model_copy()
                trial._methods = {**config._methods, name: changed}
                try:
                    if changed.schedule.epochs == 0:
                        raise ReidError("schedule.epochs would be 0, and nothing learnt; raise it")
                    _check(trial, name)
                except ReidError as error:
                    at = f"{where}.ranges.{key}" if key else f"{where}.ranges, an end of each"
                    raise ReidError(f"{at}: {error}") from None
        together.stop()


def place_of_values(config: Config, where: str, tuning: Tuning) -> list[str]:
    """Return the keys of the block in which searched values change their experiment alone.

    Args:
        config: whole.
        where: of the search, for the message.
        tuning: the search.

    Raises:
        ReidError: the experiment is the own method of a study, and no row of that is the same.
    """
    asked = tuning.experiment
    if asked not in config._rows:
        return ["experiments", asked, "overrides"]
    study, dataset, row = config._rows[asked]
    if not row:
        rows = config.studies[study].rows
        row = next((name for name, change in rows.items() if change == Change()), "")
    if not row:
        raise ReidError(
            f"{where}.experiment: {asked} is the own method of the study {study}, and every row of "
            f"it begins there; add a row that changes nothing ('ours: {{}}') to studies.{study}."
            "rows, or take another row"
        )
    return ["studies", study, "datasets", dataset, "rows", row]


def ranges_of(config: Config, name: str) -> list[dict[str, Any]]:
    """Return the ranges of a search as its stage takes them (`weakreid.tuning.ranges`)."""
    tuning = config.tuning[name]
    method = method_of(config, config.same.get(tuning.experiment, tuning.experiment))

    def changed(values: Mapping[str, Any]) -> Mapping[str, Any]:
        return _overridden(method, values, f"tuning.{name}.ranges").model_dump(mode="json")

    return [resolved(key, of, changed) for key, of in tuning.ranges.items()]


def searched_methods(config: Config, name: str) -> list[AnyMethod]:
    """Return a search's method, and what it is at every end of its ranges."""
    tuning = config.tuning[name]
    method = method_of(config, config.same.get(tuning.experiment, tuning.experiment))
    where = f"tuning.{name}.ranges"
    ends = [values for _, values in ends_of(tuning.ranges)]
    return [method, *(_overridden(method, values, where) for values in ends)]


def searched_method(config: Config, name: str) -> dict[str, Any]:
    """Return the method of a search's experiment, its searched values null.

    So what these values were before is no part of the search, and its result does not ask for
    another one.
    """
    tuning = config.tuning[name]
    method = method_of(config, config.same.get(tuning.experiment, tuning.experiment))
    plain = method.model_dump(mode="json")
    for key in tuning.ranges:
        put(plain, key, None)
    return plain


def _check_looks_of_clips(config: Config, where: str, table: MasksTable | AttentionTable) -> None:
    """Refuse rows that have no masks, or no attention, to look at."""
    for label, row in table.rows.items():
        at = f"{where}.rows.{label}"
        known(at, row, config.studies[table.study].rows)
        name = experiment_of_row(config, table.study, table.datasets[0], row)
        method = config._methods[name]
        if not isinstance(method, ClipMethod):
            raise ReidError(f"{at}: {name} learns from no clips; take another row")
        attends = method.aggregation.name == "attention" and method.augment.erase > 0
        if isinstance(table, AttentionTable) and not attends:
            raise ReidError(
                f"{at}: {name} attends to no frames, or its training erases none; take a row with "
                "aggregation: {name: attention} and augment.erase"
            )


def experiment_of_row(
    config: Config, study: str, dataset: str, row: str, level: str | None = None
) -> str:
    """Return the name of the experiment that is a study's row on a dataset, at a level of noise."""
    first = next(iter(config.studies[study].levels), None)
    ends = [row, level if level and level != first else ""]
    full = f"{study}_{dataset}" + "".join(f"_{end}" for end in ends if end)
    return config.same.get(full, full)


def method_of(config: Config, experiment: str) -> AnyMethod:
    """Return an experiment's method with its overrides applied.

    Raises:
        ReidError: an override does not fit the method.
    """
    if experiment in config._methods:
        return config._methods[experiment]
    chosen = config.experiments[experiment]
    where = f"experiments.{experiment}.overrides"
    return _overridden(config.methods[chosen.method], chosen.overrides, where)


def _overridden(method: AnyMethod, overrides: Mapping[str, Any], where: str) -> AnyMethod:
    """Return a method with some values replaced."""
    if not overrides:
        return method
    values = _merge(method.model_dump(mode="json"), overrides)
    merged: AnyMethod = validated(type(method), values, where)
    return merged


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        # groups are given whole: one that is not named is left out
        if key != "groups" and isinstance(value, Mapping) and isinstance(old, Mapping):
            if key in CHOSEN_KEYS and value.get("name", old.get("name")) != old.get("name"):
                # another loss, say: of the old one's values stay those that it has too, such as k
                shared = CHOSEN_KEYS[key].get(str(value["name"]), set()) - {"name"}
                old = {name: kept for name, kept in old.items() if name in shared}
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _check(config: Config, name: str) -> None:
    """Refuse combinations that cannot be, as far as the config alone tells."""
    experiment = config.experiments[name]
    method = method_of(config, name)
    where = f"experiments.{name}"
    noise = experiment.noise
    if isinstance(method, BagMethod):
        _check_bags(config, experiment, method, where)
        noise = config.bags[str(experiment.bags)].noise
    elif isinstance(method, ClipMethod):
        _check_clips(config, experiment, method, where)
    simulated = noise is not None and config.noise[noise].rfm is not None
    if simulated and isinstance(config.datasets[experiment.dataset], Tracked):
        raise ReidError(
            f"{where}: noise.{noise} simulates a tracker's noise, but dataset "
            f"{experiment.dataset} is a tracker's output already; take a noise without rfm"
        )
    _check_cache(method, where)
    _check_init(config, name)
    dataset = config.datasets[experiment.dataset]
    if not isinstance(dataset, Ilids | Prid):
        numbered = [split for split in experiment.splits if split not in ("official", "dev")]
        if numbered:
            raise ReidError(
                f"{where}.splits: dataset {experiment.dataset} has no split {numbered[0]}; "
                "take official or dev"
            )


def _check_init(config: Config, name: str) -> None:
    """Refuse an experiment that starts from one that is not there, or in the end from itself."""
    seen, at = [name], name
    while (init := config.experiments[at].init) is not None:
        known(f"experiments.{at}.init", init, {**config.experiments, **config.same})
        at = config.same.get(init, init)
        if at in seen:
            circle = " -> ".join([*seen[seen.index(at) :], at])
            raise ReidError(
                f"experiments.{name}.init: {circle} is a circle; leave init out of one of them"
            )
        seen.append(at)


def _check_clips(config: Config, experiment: Experiment, method: ClipMethod, where: str) -> None:
    """Refuse labels that a method cannot learn from, or that nobody has."""
    dataset = config.datasets[experiment.dataset]
    if isinstance(dataset, Tracked) and not all(
        sequence.truth for sequence in dataset.sequences if sequence.role == "train"
    ):
        raise ReidError(
            f"{where}: the method {experiment.method} needs to know whom a tracklet shows, but "
            f"sequences of dataset {experiment.dataset} have no truth; add it, or take a method "
            "that learns from bags or tracklets"
        )
    if method.attributes is None:
        if experiment.transfer is not None:
            raise ReidError(
                f"{where}.transfer: the method {experiment.method} learns no attributes; leave "
                "transfer out, or set aggregation: {name: groups} in its overrides"
            )
        return
    if experiment.transfer is None:
        raise ReidError(
            f"config.yaml: '{where}.transfer' is missing; the method {experiment.method} learns "
            "attributes"
        )
    transfer = config.transfers[experiment.transfer]
    if isinstance(transfer, TrueAttributes):
        told = isinstance(dataset, Mars) and dataset.attributes is not None
        if not isinstance(dataset, Walkers) and not told:
            raise ReidError(
                f"{where}: nobody knows the true attributes of dataset {experiment.dataset}; take "
                "a transfer that is learnt"
            )
    elif transfer.attributes is not None:
        for group, names in method.attributes.groups.items():
            if not set(names) & set(transfer.attributes):
                raise ReidError(
                    f"{where}: transfers.{experiment.transfer}.attributes has none of the group "
                    f"{group}; add one, or leave the group out of aggregation.groups"
                )


def _check_cache(method: AnyMethod | Transfer, where: str) -> None:
    if method.batch.cache_mb > 0 and method.image.resized is not None:
        raise ReidError(
            f"{where}: batch.cache_mb keeps what frozen stages make of whole frames; set "
            "image.resized: null, or cache_mb: 0"
        )
    if method.batch.cache_mb > 0 and (method.augment.pad > 0 or method.augment.erase > 0):
        raise ReidError(
            f"{where}: batch.cache_mb keeps what frozen stages make of unchanged frames and their "
            "mirror images; set augment.pad: 0 and augment.erase: 0, or cache_mb: 0"
        )
    if method.batch.cache_mb > 0 and "stem" not in method.model.frozen:
        raise ReidError(
            f"{where}: batch.cache_mb needs a frozen first stage; add stem to model.frozen, or "
            "set cache_mb: 0"
        )


def _check_bags(config: Config, experiment: Experiment, method: BagMethod, where: str) -> None:
    """Refuse bags that a method cannot learn from."""
    bags = config.bags[str(experiment.bags)]
    dataset = config.datasets[experiment.dataset]
    if bags.videos and not (isinstance(dataset, Tracked) and dataset.names):
        raise ReidError(
            f"{where}: bags.{experiment.bags} takes a video's names, but dataset "
            f"{experiment.dataset} has none; set its names, or leave out videos"
        )
    if method.loss.name == "frame_ce" and bags.tracklets_per_bag != (1, 1):
        raise ReidError(
            f"{where}: the loss frame_ce needs a label for every tracklet, but bags."
            f"{experiment.bags} holds several; take bags with tracklets_per_bag: [1, 1]"
        )
    if method.loss.name == "frame_ce" and bags.noise is not None and not bags.majority:
        raise ReidError(
            f"{where}: the loss frame_ce needs one label for every tracklet, but those of bags."
            f"{experiment.bags} show several people; set majority: true there"
        )
    if method.loss.name == "frame_ce" and (bags.missing or bags.planted):
        raise ReidError(
            f"{where}: the loss frame_ce takes a bag's label for every frame of it, but in bags."
            f"{experiment.bags} labels are wrong; leave out missing and planted"
        )
    if method.loss.name == "frame_ce" and method.cpal.weight > 0:
        raise ReidError(
            f"{where}: CPAL needs several persons in a bag, frame_ce allows one; "
            "set cpal.weight: 0 in its overrides"
        )
    if isinstance(method.loss, Mil | Hslr | Sslr):
        most, of_what = _largest_bag(bags, method)
        if method.loss.k > most:
            raise ReidError(
                f"{where}: loss.k = {method.loss.k} is larger than the {most} {of_what}; lower k "
                "or let a bag hold more"
            )
    if method.instances == "tracklets" and _largest_bag(bags, method)[0] == 1:
        raise ReidError(
            f"{where}: instances: tracklets needs several tracklets in a bag, bags."
            f"{experiment.bags} holds one; raise tracklets_per_bag or noisy_parts, or set "
            "instances: frames"
        )
    if method.cpal.weight > 0 and method.batch.pairs == 0:
        raise ReidError(f"{where}: CPAL needs batch.pairs of at least 1; raise it or turn CPAL off")
    if 2 * method.batch.pairs > method.batch.bags:
        raise ReidError(
            f"{where}: batch.pairs = {method.batch.pairs} pairs need {2 * method.batch.pairs} "
            f"bags, a batch has {method.batch.bags}; raise batch.bags or lower batch.pairs"
        )
    if isinstance(dataset, Walkers) and dataset.frames is not None:
        shortest = dataset.frames[0]
        if bags.tracklet_parts > shortest:
            raise ReidError(
                f"{where}: bags.{experiment.bags} cuts a tracklet in {bags.tracklet_parts} parts, "
                f"dataset {experiment.dataset} has tracklets of {shortest} frames; lower "
                "tracklet_parts or raise datasets."
                f"{experiment.dataset}.frames"
            )


def _sampled(method: BagMethod) -> tuple[int, str]:
    """Return how many frames a training sees of a bag at most, in words too."""
    return method.batch.frames, "frames sampled from a bag (batch.frames)"


def _largest_bag(bags: Bags, method: BagMethod) -> tuple[int, str]:
    """Return how many instances a bag can show at most, and what bounds it."""
    if bags.videos:
        # as many as the video shows
        return (sys.maxsize, "") if method.instances == "tracklets" else _sampled(method)
    tracklets = bags.tracklets_per_bag[1] + (bags.missing.tracklets[1] if bags.missing else 0)
    if method.instances == "tracklets":
        return bags.noisy_parts or tracklets, "tracklets that a bag can have"
    most, of_what = _sampled(method)
    if bags.max_frames is not None:
        kept = bags.tracklets_per_bag[1] * bags.max_frames
        if bags.missing:
            kept += bags.missing.tracklets[1] * bags.missing.frames[1]
        if kept < most:
            return kept, "frames that a bag can have (tracklets_per_bag, max_frames)"
    return most, of_what


def json_schema() -> str:
    """Return the JSON Schema of config.yaml, as it stands in workflow/schemas."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(json_schema())
