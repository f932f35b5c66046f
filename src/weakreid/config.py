"""The models of config.yaml: what it may say, and every default, once.

`load` turns the plain mapping that YAML gives into a `Config`, or raises a `ReidError` of one line
that names the key and what is allowed there. The stages never import this module: each gets the
resolved values that it uses, as JSON.
"""

import json
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self, TypeVar, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PrivateAttr,
    model_validator,
)

from weakreid.config_faults import known, validated
from weakreid.errors import ReidError

T = TypeVar("T")


def _number(value: Any) -> Any:
    """Refuse true and false, which Python takes for 1 and 0."""
    if isinstance(value, bool):
        raise ValueError("Input should be a number")
    return value


def _as_text(value: Any) -> Any:
    """Take a number for its digits: YAML reads an unquoted 32 as one."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _as_whole(value: Any) -> Any:
    """Take digits for their number: --config gives nothing but text inside a block."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


def _none(value: Any) -> Any:
    """Take the word null for none: --config gives it as text."""
    return None if value == "null" else value


def _rising(value: tuple[int, int]) -> tuple[int, int]:
    if value[0] > value[1]:
        raise ValueError("Input should be [smallest, largest]")
    return value


def _distinct(values: list[T]) -> list[T]:
    if len(set(values)) < len(values):
        raise ValueError("Input should hold nothing twice")
    return values


Positive = Annotated[int, Field(ge=1), BeforeValidator(_number)]
Count = Annotated[int, Field(ge=0), BeforeValidator(_number)]
Fraction = Annotated[float, Field(ge=0.0, le=1.0), BeforeValidator(_number)]
Rate = Annotated[float, Field(ge=0.0), BeforeValidator(_number)]
Range = Annotated[tuple[Positive, Positive], AfterValidator(_rising)]
Text = Annotated[str, BeforeValidator(_as_text)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_]*$"), BeforeValidator(_as_text)]
Split = Annotated[str, Field(pattern=r"^(official|dev|[0-9])$"), BeforeValidator(_as_text)]


Rank = Annotated[Literal[1, 5, 10, 20], BeforeValidator(_as_whole)]


class Strict(BaseModel):
    """A block of the config: unknown keys are refused, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nulls(cls, raw: Any) -> Any:
        """Take the word null for none where none is allowed: --config gives it as text."""
        if not isinstance(raw, Mapping):
            return raw
        optional = {
            name
            for name, info in cls.model_fields.items()
            if type(None) in get_args(info.annotation)
        }
        return {k: None if v == "null" and k in optional else v for k, v in raw.items()}


# --- datasets -------------------------------------------------------------------------------------


class Archive(Strict):
    """A file to fetch and unpack into the dataset's root."""

    url: str = Field(description="file:, http: or https: address")
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = Field(
        None, description="refused when the file differs; recorded on first use when not given"
    )


class Distributed(Strict):
    """What every dataset that people distribute has in common."""

    root: str = Field(description="the folder that holds the data in its official layout")
    archives: dict[str, Archive] = Field(
        default_factory=dict, description="fetched and unpacked into `root`; none: it is there"
    )
    on_bad_frame: Literal["stop", "leave_out"] = Field(
        "stop", description="what to do about missing and unreadable frames"
    )
    official: bool = Field(
        False, description="refuse data whose counts are not those that its authors publish"
    )


class Mars(Distributed):
    """MARS: bbox_train/, bbox_test/ and info/."""

    source: Literal["mars"]


class DukeV(Distributed):
    """DukeMTMC-VideoReID: train/, query/ and gallery/."""

    source: Literal["dukev"]


class HalfSplits(Distributed):
    """A dataset of two cameras, whose persons are split in halves, ten times."""

    split_seed: Count | None = Field(
        None, description="draw the ten splits with this seed; null: read the published file"
    )


class Ilids(HalfSplits):
    """iLIDS-VID: i-LIDS-VID/sequences/cam1 and cam2, 'train-test people splits'."""

    source: Literal["ilids"]


class Prid(HalfSplits):
    """PRID-2011: prid_2011/multi_shot/cam_a and cam_b, splits_prid2011.json."""

    source: Literal["prid"]


class Walkers(Strict):
    """Generated pedestrians in MARS's layout; a size, and single values of it replaced."""

    source: Literal["walkers"]
    size: Literal["tiny", "demo", "mars"] = "demo"
    seed: Count = 1
    style: Literal["street", "studio"] = "street"
    train_persons: Positive | None = None
    test_persons: Positive | None = None
    distractors: Count | None = None
    junk_tracklets: Count | None = None
    cameras: Positive | None = None
    cameras_per_person: Range | None = None
    tracklets_per_camera: Range | None = None
    frames: Range | None = None
    height: Positive | None = None
    width: Positive | None = None
    look_alikes: Fraction | None = None
    on_bad_frame: Literal["stop", "leave_out"] = "stop"


Dataset = Annotated[Mars | DukeV | Ilids | Prid | Walkers, Field(discriminator="source")]

# --- supervision ----------------------------------------------------------------------------------


class Missing(Strict):
    """Missing annotation: short tracklets of other people join a bag, its labels unchanged."""

    tracklets: Range = (3, 6)
    frames: Range = (5, 30)


class Planted(Strict):
    """Wrong labels, planted to measure the label audit."""

    removed: Fraction = Field(0.15, description="share of the bags that lose a label")
    added: Fraction = Field(0.15, description="share of the bags that get somebody else's")


class Bags(Strict):
    """Training bags: tracklets of one camera, shuffled, cut into groups (WL, section IV-A)."""

    tracklets_per_bag: Range = Field((3, 5), description="smallest and largest, both included")
    tracklet_parts: Positive = Field(1, description="cut every tracklet into so many parts first")
    max_frames: Positive | None = Field(30, description="frames kept of a tracklet; null: all")
    missing: Missing | None = None
    noisy_parts: Positive | None = Field(
        None, description="shuffle a bag's frames into so many tracklets (WL, Table VII)"
    )
    planted: Planted | None = None


class Coarse(Strict):
    """The coarse test set: a probe per person, the other tracklets in bags."""

    tracklets_per_bag: Range = (3, 5)
    max_frames: Positive = Field(200, description="frames kept of a gallery tracklet")


class Audit(Strict):
    """The label audit: which bags' labels look wrong."""

    frames: Positive = Field(64, description="frames of a bag that are looked at, at most")
    top: Positive = Field(20, description="findings in audit.md; the picture shows the first")


# --- methods --------------------------------------------------------------------------------------


class Model(Strict):
    """Network: backbone, average pooling, embedding."""

    backbone: Literal["resnet18", "resnet34", "resnet50", "se_resnet50", "efficientnet_lite0"] = (
        "resnet50"
    )
    weights: str = Field(
        "hub", description="'hub', 'package' (efficientnet_lite0), a file's path, or 'none'"
    )
    last_stride: Annotated[Literal[1, 2], BeforeValidator(_as_whole)] = 2
    embedding: Literal["fc", "bnneck", "none"] = "fc"
    dimension: Positive = Field(2048, description="of the fc embedding")
    frozen: list[Literal["stem", "layer1", "layer2", "layer3", "layer4"]] = Field(
        default_factory=list, description="stages of the backbone that do not learn"
    )
    batch_norm: Literal["train", "eval"] = Field(
        "train", description="of the backbone's learning stages"
    )

    @model_validator(mode="after")
    def _weights_fit(self) -> Self:
        if self.weights == "package" and self.backbone != "efficientnet_lite0":
            raise ValueError(
                f"no package ships weights of {self.backbone}; "
                "set weights to 'hub', a file's path or 'none'"
            )
        return self


class Image(Strict):
    """Size of the network's input in pixels."""

    height: Positive = 256
    width: Positive = 128


class Augment(Strict):
    """Random changes of training frames."""

    flip: Fraction = 0.5
    pad: Count = Field(0, description="pixels added on every side before a random crop")
    erase: Fraction = Field(0.0, description="probability of erasing a random rectangle")


class Mil(Strict):
    """Mean of the k largest logits, softmax, cross-entropy (WL, Eq. 2 and 3)."""

    name: Literal["mil"]
    k: Positive = 5


class Wsddn(Strict):
    """Weakly supervised deep detection network: two streams."""

    name: Literal["wsddn"]


class Hslr(Strict):
    """Hard selection logistic regression."""

    name: Literal["hslr"]
    k: Positive = 5
    alpha: Rate = 1.0
    m: Annotated[float, Field(gt=0.0, le=1.0), BeforeValidator(_number)] = Field(
        0.1, description="share of the identities that are selected; the paper gives none"
    )


class Sslr(Strict):
    """Soft selection logistic regression."""

    name: Literal["sslr"]
    k: Positive = 5
    alpha: Rate = 1.0
    gamma: Rate = 1.0


class FrameCe(Strict):
    """Softmax cross-entropy on every frame: the fully supervised baseline."""

    name: Literal["frame_ce"]
    smoothing: Fraction = 0.0


Loss = Annotated[Mil | Wsddn | Hslr | Sslr | FrameCe, Field(discriminator="name")]

_LOSS_KEYS: dict[str, set[str]] = {
    get_args(loss.model_fields["name"].annotation)[0]: set(loss.model_fields)
    for loss in (Mil, Wsddn, Hslr, Sslr, FrameCe)
}


class Cpal(Strict):
    """Co-person attention loss (WL, Eq. 4 to 8)."""

    weight: Fraction = Field(
        0.5, description="1 - λ of Eq. 8: share of CPAL in the whole loss; 0 turns it off"
    )
    margin: Rate = 0.5


class Batch(Strict):
    """What one training step sees."""

    bags: Positive = 10
    frames: Positive = Field(100, description="frames sampled from a bag")
    pairs: Count = Field(3, description="pairs of bags that share a person, at least")
    cache_mb: Count = Field(
        0, description="memory for the outputs of leading frozen stages, computed once; 0: none"
    )


class Optimiser(Strict):
    """Optimiser and the factors of the learning rate by part."""

    name: Literal["sgd", "adam", "adamw"] = "sgd"
    lr: Rate = 0.01
    momentum: Fraction = 0.9
    weight_decay: Rate = 5e-4
    backbone_factor: Rate = 1.0
    head_factor: Rate = 1.0
    clip: Rate | None = Field(None, description="largest norm of the gradient")


class Schedule(Strict):
    """Epochs, and the learning rate over them."""

    epochs: Count = 20
    steps_per_epoch: Positive | None = Field(None, description="null: every bag about once")
    name: Literal["step", "cosine"] = "step"
    milestones: list[Positive] = Field(
        default_factory=lambda: [10], description="epochs after which the rate falls (step)"
    )
    factor: Fraction = 0.1
    warm_up: Fraction = Field(0.0, description="share of all steps with a rising rate")


class Evaluation(Strict):
    """From descriptors to figures."""

    metric: Literal["euclidean", "cosine"] = "euclidean"
    rerank: bool = False
    keep: Positive = Field(50, description="gallery items kept per query in rankings.parquet")
    memory_mb: Positive = Field(1024, description="bound on the coarse distances' working memory")


class Method(Strict):
    """A recipe: network, losses, optimiser, schedule."""

    model: Model = Model()
    image: Image = Image()
    instances: Literal["frames", "tracklets"] = Field(
        "frames", description="what a bag holds for the loss; a tracklet is its frames' mean"
    )
    augment: Augment = Augment()
    loss: Loss = Field(default_factory=lambda: Mil(name="mil"))
    cpal: Cpal = Cpal()
    batch: Batch = Batch()
    optimiser: Optimiser = Optimiser()
    schedule: Schedule = Schedule()
    precision: Annotated[Literal["auto", "32", "bf16"], BeforeValidator(_as_text)] = Field(
        "auto", description="auto: bf16 autocast on a GPU, 32 bits on a CPU"
    )
    evaluation: Evaluation = Evaluation()


class Experiment(Strict):
    """A dataset, a supervision, a method; its target is results/NAME/metrics.json."""

    dataset: Name
    bags: Name
    method: Name
    splits: Annotated[list[Split], Field(min_length=1), AfterValidator(_distinct)] = Field(
        default_factory=lambda: ["official"],
        description="official, dev (training identities only), or the number of a split",
    )
    seeds: Annotated[list[Count], Field(min_length=1), AfterValidator(_distinct)] = Field(
        default_factory=lambda: [1]
    )
    overrides: dict[Text, Any] = Field(
        default_factory=dict, description="values that replace those of the method"
    )


# --- studies --------------------------------------------------------------------------------------


class Change(Strict):
    """What a row of a paper's tables changes."""

    bags: Name | None = Field(None, description="one of the study's `changes`")
    overrides: dict[Text, Any] = Field(default_factory=dict, description="values of the method")


class Place(Strict):
    """What a study does otherwise on one dataset; null: as everywhere."""

    published: Text | None = Field(
        None, description="the paper's name of this dataset in workflow/resources/published.csv"
    )
    bags: Name | None = None
    method: Name | None = None
    splits: Annotated[list[Split], Field(min_length=1), AfterValidator(_distinct)] | None = None
    seeds: Annotated[list[Count], Field(min_length=1), AfterValidator(_distinct)] | None = None
    overrides: dict[Text, Any] = Field(default_factory=dict)
    changes: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="in the place of the study's changes of the same name"
    )
    rows: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="row: overrides of the method, after the row's own"
    )


class Study(Strict):
    """A paper's experiments, on every dataset of the config.

    Each dataset has the experiment STUDY_DATASET, the paper's own method, and for every row
    STUDY_DATASET_ROW. A row that changes nothing on a dataset is no experiment of its own there.
    """

    beside: Text = Field(
        description="the paper's dataset whose figures stand beside those of a dataset without any"
    )
    bags: Name
    method: Name
    splits: Annotated[list[Split], Field(min_length=1), AfterValidator(_distinct)] = Field(
        default_factory=lambda: ["official"]
    )
    seeds: Annotated[list[Count], Field(min_length=1), AfterValidator(_distinct)] = Field(
        default_factory=lambda: [1]
    )
    datasets: dict[Name, Place] = Field(default_factory=dict)
    changes: dict[Name, dict[Text, Any]] = Field(
        default_factory=dict, description="values that replace those of a dataset's bags, by name"
    )
    rows: dict[Name, Change] = Field(default_factory=dict)


# --- tables ---------------------------------------------------------------------------------------


class Table(Strict):
    """Experiments side by side; its target is results/tables/NAME/table.md."""

    kind: Literal["experiments"]
    title: Text
    rows: dict[Text, Name] = Field(min_length=1, description="row label: experiment")


class OfStudy(Strict):
    """A table of a study: results/tables/NAME/table.md, results/tables/NAME/DATASET/table.md."""

    study: Name
    title: Text
    datasets: Annotated[list[Name], Field(min_length=1), AfterValidator(_distinct)] = Field(
        description="those that the table without a dataset in its path shows"
    )


class StudyTable(OfStudy):
    """Rows of a study beside the paper's figures; with an axis, a plot of them too."""

    kind: Literal["study"]
    paper: Text
    table: Text = Field(description="its name in workflow/resources/published.csv")
    protocols: Annotated[
        list[Literal["fine", "coarse"]], Field(min_length=1), AfterValidator(_distinct)
    ]
    ranks: Annotated[list[Rank], Field(min_length=1), AfterValidator(_distinct)] = [1, 5, 10]
    axis: Text | None = Field(None, description="what the rows vary: 'k' for rows 'k = 5'")
    rows: dict[Text, Annotated[Name | None, BeforeValidator(_none)]] = Field(
        min_length=1, description="row label: the study's row; null: the paper's figures alone"
    )

    @model_validator(mode="after")
    def _places_on_axis(self) -> Self:
        if self.axis is not None:
            for label in self.rows:
                if not re.search(r"= *-?[0-9.]+$", label):
                    raise ValueError(
                        f"row '{label}' has no place on the axis {self.axis}; call it "
                        f"'{self.axis} = NUMBER', or leave axis out"
                    )
        return self


class CountsTable(OfStudy):
    """How many identities, tracklets and bags there are, beside the paper's counts."""

    kind: Literal["counts"]
    paper: Text
    table: Text


class CostTable(OfStudy):
    """What labels cost: boxes, tracklets, videos (WL, section III-A)."""

    kind: Literal["cost"]


class AuditTable(OfStudy):
    """Precision and recall of the label audit on planted errors."""

    kind: Literal["audit"]
    row: Name = Field(description="the study's row whose bags hold planted errors")


class MatchesTable(OfStudy):
    """Matching examples of the study's own method on one dataset (WL, Fig. 5)."""

    kind: Literal["matches"]
    datasets: Annotated[list[Name], Field(min_length=1, max_length=1)]


AnyTable = Annotated[
    Table | StudyTable | CountsTable | CostTable | AuditTable | MatchesTable,
    Field(discriminator="kind"),
]


class Config(Strict):
    """The whole of config.yaml."""

    seed: Count = Field(1, description="of everything that is made before training")
    validation_fraction: Fraction = Field(
        0.34, description="share of the training persons that the dev split holds out"
    )
    datasets: dict[Name, Dataset]
    bags: dict[Name, Bags]
    coarse: Coarse = Coarse()
    audit: Audit = Audit()
    methods: dict[Name, Method]
    experiments: dict[Name, Experiment] = Field(default_factory=dict)
    studies: dict[Name, Study] = Field(default_factory=dict)
    tables: dict[Name, AnyTable] = Field(default_factory=dict)

    _refused: dict[str, str] = PrivateAttr(default_factory=dict)
    _same: dict[str, str] = PrivateAttr(default_factory=dict)

    @property
    def refused(self) -> Mapping[str, str]:
        """Experiments of studies that cannot be, and why."""
        return self._refused

    @property
    def same(self) -> Mapping[str, str]:
        """Names of studies' rows that are no experiment of their own, and the one they are."""
        return self._same


# --- reading --------------------------------------------------------------------------------------

TAKEN = ("datasets", "tables")
"""Folders of results/ that belong to no experiment."""


def load(raw: Mapping[str, Any]) -> Config:
    """Return the config that a YAML mapping describes, the experiments of its studies among them.

    Raises:
        ReidError: a key is unknown or of a wrong type, or a name does not exist; one line.
    """
    config = validated(Config, raw, "config.yaml")
    for name, experiment in config.experiments.items():
        where = f"experiments.{name}"
        known(f"{where}.dataset", experiment.dataset, config.datasets)
        known(f"{where}.bags", experiment.bags, config.bags)
        known(f"{where}.method", experiment.method, config.methods)
    given = set(config.experiments)
    for name in config.studies:
        config = _with_study(config, name)
    for name in config.experiments:
        if name in TAKEN:
            raise ReidError(f"experiments.{name}: results/{name} holds other things; rename it")
        try:
            _check(config, name)
        except ReidError as error:
            if name in given:
                raise
            config._refused[name] = str(error)
    for name, table in config.tables.items():
        _check_table(config, f"tables.{name}", table)
    return config


def _with_study(config: Config, name: str) -> Config:
    """Return the config with a study's bags and experiments."""
    study, where = config.studies[name], f"studies.{name}"
    for dataset in study.datasets:
        known(f"{where}.datasets", dataset, config.datasets)
    for name_of_row, row_of_study in study.rows.items():
        if row_of_study.bags is not None:
            known(f"{where}.rows.{name_of_row}.bags", row_of_study.bags, study.changes)
    bags, experiments = dict(config.bags), dict(config.experiments)
    same = dict(config.same)
    for dataset in config.datasets:
        place = study.datasets.get(dataset, Place())
        at = f"{where}.datasets.{dataset}" if dataset in study.datasets else where
        for row in place.rows:
            known(f"{at}.rows", row, study.rows)
        for change in place.changes:
            known(f"{at}.changes", change, study.changes)
        changes = {**study.changes, **place.changes}
        method_name, bags_name = place.method or study.method, place.bags or study.bags
        known(f"{at}.method", method_name, config.methods)
        known(f"{at}.bags", bags_name, config.bags)
        method = _overridden(config.methods[method_name], place.overrides, f"{at}.overrides")
        made: dict[str, str] = {}
        for row, of_study in {"": Change(), **study.rows}.items():
            own = f"{where}.rows.{row}.overrides"
            chosen = _overridden(method, of_study.overrides, own)
            chosen = _overridden(chosen, place.rows.get(row, {}), f"{at}.rows.{row}")
            of_row = bags_name
            if of_study.bags is not None:
                of_row = f"{bags_name}_{of_study.bags}"
                values = changes[of_study.bags]
                changed = {**config.bags[bags_name].model_dump(mode="json"), **values}
                block = validated(Bags, changed, f"{at}.changes.{of_study.bags}")
                if bags.setdefault(of_row, block) != block:
                    own_change = at if of_study.bags in place.changes else where
                    raise ReidError(
                        f"{own_change}.changes.{of_study.bags}: bags.{of_row} is there already and "
                        "differs; rename the change, or give this dataset bags of another name"
                    )
            experiment = Experiment(
                dataset=dataset,
                bags=of_row,
                method=method_name,
                splits=place.splits or study.splits,
                seeds=place.seeds or study.seeds,
                overrides=chosen.model_dump(mode="json"),
            )
            full = f"{name}_{dataset}_{row}" if row else f"{name}_{dataset}"
            if full in experiments or full in same:
                what = f"row {row} on dataset {dataset}" if row else f"dataset {dataset}"
                raise ReidError(
                    f"{where}: {what} is to be the experiment {full}, which is there already (in "
                    "experiments, or of another row and dataset); rename the row or the dataset"
                )
            key = experiment.model_dump_json()
            if key in made:
                same[full] = made[key]
            else:
                made[key] = full
                experiments[full] = experiment
    # a copy has no private values of its own
    changed_config = config.model_copy(update={"bags": bags, "experiments": experiments})
    changed_config._refused, changed_config._same = {}, same
    return changed_config


def _check_table(config: Config, where: str, table: Any) -> None:
    """Refuse a table that names what is not there."""
    if isinstance(table, Table):
        for row, experiment in table.rows.items():
            known(
                f"{where}.rows.{row}", config.same.get(experiment, experiment), config.experiments
            )
        return
    known(f"{where}.study", table.study, config.studies)
    for dataset in table.datasets:
        known(f"{where}.datasets", dataset, config.datasets)
    rows = config.studies[table.study].rows
    if isinstance(table, StudyTable):
        for label, of_study in table.rows.items():
            if of_study is not None:
                known(f"{where}.rows.{label}", of_study, rows)
    if isinstance(table, AuditTable):
        known(f"{where}.row", table.row, rows)
        for dataset in table.datasets:
            name = experiment_of_row(config, table.study, dataset, table.row)
            bags = config.bags[config.experiments[name].bags]
            planted = bags.planted is not None and bags.planted.removed + bags.planted.added > 0
            if not planted and bags.missing is None:
                raise ReidError(
                    f"{where}.row: no label is wrong in the bags of {name}, so nothing can be "
                    "scored; take a row whose bags have planted or missing"
                )


def experiment_of_row(config: Config, study: str, dataset: str, row: str) -> str:
    """Return the name of the experiment that is a study's row on a dataset."""
    full = f"{study}_{dataset}_{row}" if row else f"{study}_{dataset}"
    return config.same.get(full, full)


def method_of(config: Config, experiment: str) -> Method:
    """Return an experiment's method with its overrides applied.

    Raises:
        ReidError: an override does not fit the method.
    """
    chosen = config.experiments[experiment]
    where = f"experiments.{experiment}.overrides"
    return _overridden(config.methods[chosen.method], chosen.overrides, where)


def _overridden(method: Method, overrides: Mapping[str, Any], where: str) -> Method:
    """Return a method with some values replaced."""
    if not overrides:
        return method
    merged: Method = validated(Method, _merge(method.model_dump(mode="json"), overrides), where)
    return merged


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in over.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            if key == "loss" and value.get("name", old.get("name")) != old.get("name"):
                # another loss: of the old one's values stay those that it has too, such as k
                shared = _LOSS_KEYS.get(str(value["name"]), set()) - {"name"}
                old = {name: kept for name, kept in old.items() if name in shared}
            merged[key] = _merge(old, value)
        else:
            merged[key] = value
    return merged


def _check(config: Config, name: str) -> None:
    """Refuse combinations that cannot be, as far as the config alone tells."""
    experiment = config.experiments[name]
    method = method_of(config, name)
    bags = config.bags[experiment.bags]
    where = f"experiments.{name}"
    if method.loss.name == "frame_ce" and bags.tracklets_per_bag != (1, 1):
        raise ReidError(
            f"{where}: the loss frame_ce needs a label for every tracklet, but bags."
            f"{experiment.bags} holds several; take bags with tracklets_per_bag: [1, 1]"
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
    dataset = config.datasets[experiment.dataset]
    if isinstance(dataset, Walkers) and dataset.frames is not None:
        shortest = dataset.frames[0]
        if bags.tracklet_parts > shortest:
            raise ReidError(
                f"{where}: bags.{experiment.bags} cuts a tracklet in {bags.tracklet_parts} parts, "
                f"dataset {experiment.dataset} has tracklets of {shortest} frames; lower "
                "tracklet_parts or raise datasets."
                f"{experiment.dataset}.frames"
            )
    if not isinstance(dataset, Ilids | Prid):
        numbered = [split for split in experiment.splits if split not in ("official", "dev")]
        if numbered:
            raise ReidError(
                f"{where}.splits: dataset {experiment.dataset} has no split {numbered[0]}; "
                "take official or dev"
            )


def _largest_bag(bags: Bags, method: Method) -> tuple[int, str]:
    """Return how many instances a bag can show at most, and what bounds it."""
    tracklets = bags.tracklets_per_bag[1] + (bags.missing.tracklets[1] if bags.missing else 0)
    if method.instances == "tracklets":
        return bags.noisy_parts or tracklets, "tracklets that a bag can have"
    most, of_what = method.batch.frames, "frames sampled from a bag (batch.frames)"
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
