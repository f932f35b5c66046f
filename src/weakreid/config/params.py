"""What each stage is given: one model per stage, made of the blocks of the config.

The plan fills them in and a stage parses its `--params` into the very same model. They hold what a
stage's result depends on and nothing else, so that a change of anything else reruns no stage.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    ValidationError,
    field_validator,
    model_serializer,
)

from weakreid.config.base import Count, Fraction, OpenFraction, Positive, Strict
from weakreid.config.datasets import (
    Archive,
    NoiseMeasuring,
    Reading,
    Tracked,
    Walkers,
)
from weakreid.config.methods import (
    AnyMethod,
    BagMethod,
    ClipMethod,
    Extractor,
    IntraCameraMethod,
    MergingMethod,
    OneShotMethod,
    TrackletMethod,
    Transfer,
)
from weakreid.config.network import Aspect, Image, Model
from weakreid.config.supervision import Audit, Bags, Coarse, Isolation, NoiseRate
from weakreid.config.training import Evaluation
from weakreid.config.tuning import Prune
from weakreid.errors import ReidError

P = TypeVar("P", bound="Params")
NonEmpty = Annotated[str, Field(min_length=1)]


class Params(Strict):
    """What a stage is given.

    `later` are keys (with dots) of a block that the stage does not use: they stay out of its JSON,
    and have their defaults when it is read back.
    """

    later: ClassVar[tuple[str, ...]] = ()
    remedy: ClassVar[str] = "they are made by the workflow, run that instead"

    @model_serializer(mode="wrap")
    def _without_later(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        found: dict[str, Any] = handler(self)
        for key in self.later:
            *blocks, last = key.split(".")
            inner: Any = found
            for name in blocks:
                inner = inner.get(name) or {}
            inner.pop(last, None)
        return found

    def as_json(self) -> str:
        """Return the params as a stage takes them."""
        return json.dumps(self.model_dump(mode="json"), sort_keys=True)

    @classmethod
    def parse(cls: type[P], text: str) -> P:
        """Return the params that a stage was given.

        Raises:
            ReidError: they are not those of this stage.
        """
        try:
            return cls.model_validate_json(text)
        except ValidationError as error:
            fault = error.errors(include_url=False)[0]
            key = ".".join(str(part) for part in fault["loc"])
            at = f"--params: {key}: " if key else "--params: "
            raise ReidError(f"{at}{fault['msg']}; {cls.remedy}") from None


# --- data -----------------------------------------------------------------------------------------


class Fetch(Params):
    """Where data comes from and what of it must be there; null: what its reader needs."""

    kind: str
    root: str
    archives: dict[str, Archive]
    required: list[str] | None = None
    optional: list[str] | None = None


class Generate(Params, Walkers):
    """Which people to generate."""

    later = ("kind", "on_bad_frame")
    kind: Literal["walkers"] = "walkers"


class Crops(Params, Tracked):
    """A tracker's output and its videos."""

    later = ("kind", "on_bad_frame")
    kind: Literal["mot"] = "mot"


class ReadDataset(Params, Reading):
    """Which reader reads a dataset, and how."""

    kind: str


class Development(Strict):
    """How the split dev parts the training identities."""

    seed: Count
    validation_fraction: OpenFraction


class Split(Params):
    """Which partition of the identities; only dev is drawn."""

    split: str
    dev: Development | None = None


# --- supervision ----------------------------------------------------------------------------------


class MakeBags(Params, Bags):
    """Training bags."""

    seed: Count
    # with the number of the simulation
    noise: str | None = None


class NameBags(Params):
    """Bags of videos with names."""

    seed: Count
    max_frames: Positive | None


class MakeCoarse(Params, Coarse):
    """The coarse test set."""

    seed: Count


class SimulateNoise(Params):
    """Training tracklets as a tracker would give them; null rates: as they are."""

    rfm: NoiseRate | None
    rsw: NoiseRate | None
    distribution: Literal["fitted", "observed"]
    seed: Count


class MeasuredSequence(Strict):
    """A sequence of a tracker, and whether its camera stands still."""

    name: NonEmpty
    static: bool = False
    truth: NonEmpty
    output: NonEmpty


class PublishedRates(Strict):
    """Noise that somebody else has measured."""

    name: str
    rfm: float
    rsw: float


class MeasureNoise(Params, NoiseMeasuring):
    """How a tracker's noise is measured; people write it by hand too (docs/noise.md)."""

    remedy = "docs/noise.md says what is needed"
    title: str = "Noise of a tracker's tracklets"
    sequences: list[MeasuredSequence] = Field(min_length=1)
    reference: list[PublishedRates] = Field(default_factory=list)

    @field_validator("sequences")
    @classmethod
    def _names_differ(cls, sequences: list[MeasuredSequence]) -> list[MeasuredSequence]:
        names = [sequence.name for sequence in sequences]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"'{twice[0]}' is there twice, name each sequence once")
        return sequences


class Isolate(Params, Isolation):
    """Intra-tracklet isolation; whose features are clustered is an input."""

    later = ("extractor",)
    extractor: str = ""


class ShowIsolation(Params):
    """A picture or a preview of isolation at work."""

    title: str
    seed: Count
    tracklets: Positive


# --- attributes -----------------------------------------------------------------------------------


class ReadAnnotation(Params):
    """How an annotation of attributes is read; a generated one has no file, only RAP partitions."""

    kind: Literal["walkers", "rap", "mars_attributes"]
    annotation: str = ""
    partition: int = 0


class PackImages(Params):
    """Which images of an attribute source are packed."""

    name: str
    on_bad_frame: Literal["stop", "leave_out"]
    pictures: str


class LearnTransfer(Params, Transfer):
    """What learning a transfer depends on: not the place of its source, nor the threshold."""

    later = ("labels", "source", "threshold")
    source: str = ""
    seed: Count


class LabelTracklets(Params):
    """Which labels of tracklets a method may see."""

    supervision: Literal["one_shot", "intra_camera"]


class LabelAttributes(Params):
    """From votes to labels (ATTR, Eq. 10)."""

    threshold: Fraction


class MeasureByAttribute(Params):
    """Retrieval by the attributes of the query's person."""

    attributes: list[str] | None = None
    min_queries: Positive = 1


# --- training -------------------------------------------------------------------------------------

AFTER_TRAINING = ("evaluation", "clips.test", "clips.normalise", "neck.retrieves")
"""What a method says of later stages: a change of it retrains nothing."""


class TrainBags(Params, BagMethod):
    """A training from bags."""

    later = AFTER_TRAINING
    seed: Count


class TrainTracklets(Params, TrackletMethod):
    """A training from tracklets without labels."""

    later = AFTER_TRAINING
    seed: Count


class TrainClips(Params, ClipMethod):
    """A training from clips of labelled tracklets."""

    later = AFTER_TRAINING
    seed: Count


class TrainMerging(Params, MergingMethod):
    """A training from tracklets that are merged bottom-up."""

    later = AFTER_TRAINING
    seed: Count


class TrainOneShot(Params, OneShotMethod):
    """A training from a labelled tracklet per identity and unlabelled ones."""

    later = AFTER_TRAINING
    seed: Count


class TrainIntraCamera(Params, IntraCameraMethod):
    """A training from labels that hold within a camera."""

    later = AFTER_TRAINING
    seed: Count


AnyTraining = (
    TrainBags | TrainTracklets | TrainClips | TrainMerging | TrainOneShot | TrainIntraCamera
)
TRAININGS: Mapping[str, type[AnyTraining]] = {
    "bags": TrainBags,
    "tracklets": TrainTracklets,
    "clips": TrainClips,
    "merging": TrainMerging,
    "one_shot": TrainOneShot,
    "intra_camera": TrainIntraCamera,
}
"""By what a method learns from."""


def training_params(method: AnyMethod, seed: int) -> AnyTraining:
    """Return what the training of a method is given."""
    return TRAININGS[method.learns](**dict(method), seed=seed)


class MakeFrozenMaps(Params):
    """The leading frozen stages of a network, and the images that go through them."""

    later = ("model.embedding", "model.dimension", "model.batch_norm", "image.resized")
    model: Model
    image: Image
    precision: Literal["auto", "32", "bf16"]
    seed: Count
    memory_mb: Positive


def frozen_maps_params(training: AnyTraining | LearnTransfer) -> MakeFrozenMaps | None:
    """Return what makes the maps that a training keeps; None where it keeps none.

    Trainings with the same ones share a file, whatever else they learn and however.
    """
    model, front, image = training.model, training.model.front, training.image
    learns = training.schedule.epochs > 0 or isinstance(training, TrainTracklets)
    if not (learns and training.batch.cache_mb and front and image.resized is None):
        return None
    return MakeFrozenMaps(
        model=Model(
            backbone=model.backbone,
            weights=model.weights,
            last_stride=model.last_stride if "layer4" in front else 2,
            embedding="none",
            frozen=list(front),
        ),
        image=Image(height=image.height, width=image.width),
        precision=training.precision,
        # nothing is drawn where weights are read
        seed=training.seed if model.weights == "none" else 0,
        memory_mb=training.batch.cache_mb,
    )


class FrameFeatures(Params, Extractor):
    """A network that learns nothing, and the images that it sees."""

    later = ("model.dimension", "model.frozen", "model.batch_norm")


class ClipFeatures(Params):
    """How features are extracted from clips, as far as a training does not decide it."""

    test: Literal["chunks", "all"]
    normalise: bool
    after_neck: bool


def clip_features_params(method: AnyMethod) -> ClipFeatures:
    """Return how features are extracted with a network that a method, which sees clips, trains."""
    assert method.clips is not None, "asked for methods that see clips alone"
    neck = method.neck if isinstance(method, ClipMethod) else None
    return ClipFeatures(
        test=method.clips.test,
        normalise=method.clips.normalise,
        after_neck=neck is not None and neck.retrieves == "after",
    )


class Calibrate(Params):
    """How it is learnt what a distance means."""

    metric: Literal["euclidean", "cosine"]
    false_match_rates: list[OpenFraction]


class Evaluate(Params, Evaluation):
    """How a run is measured."""

    unit: Literal["frames", "clips"] = "frames"


class Collect(Params):
    """What metrics.json says of an experiment beside its figures."""

    experiment: str
    runs: list[str]
    config: dict[str, Any]
    dataset: str
    method: str
    bags: str | None = None
    noise: str | None = None
    isolation: str | None = None
    transfer: str | None = None
    init: str | None = None


class Tune(Params):
    """What a worker of a search is given; the values that are searched are null in `method`."""

    trials: Positive
    metric: str
    every: Positive
    prune: Prune | None
    seed: Count
    method: dict[str, Any]
    ranges: list[dict[str, Any]]
    search_seed: int


class Tuned(Params):
    """What is told of a search, and where its best values stand in the config."""

    name: str
    experiment: str
    dataset: str
    metric: str
    place: list[str]
    target: str
    notes: list[str]
    ranges: list[dict[str, Any]]


# --- what people look at --------------------------------------------------------------------------


class AuditLabels(Params, Audit):
    """The label audit of a run; `threshold` is of the attributes that are shown, if any."""

    experiment: str
    threshold: Fraction | None = None


class ScoreAudit(Params):
    """How well the audit finds planted errors."""

    experiment: str
    run: str


class Matches(Params):
    """Matching examples; `threshold` is of the attributes that are shown, if any."""

    experiment: str
    seed: Count
    queries: Positive = 6
    items: Positive = 4
    threshold: Fraction | None = None


class Curve(Params):
    """A curve over a training's epochs; `base` names the loss of bags."""

    experiment: str
    runs: list[str]
    base: str | None = None


class ContactSheet(Params):
    """People of a generated dataset."""

    dataset: str
    persons: Positive = 6


class Titled(Params):
    """A figure that has a title and no other choice."""

    title: str


class ShowVisibility(Params):
    """Whether frames count more that show more; `seed` is of the bootstrap."""

    title: str
    seed: Count = 0


class TemporalWeights(Params):
    """What frames count in their clips."""

    title: str
    sequences: Positive = 3


class Masks(Params):
    """COSAM's masks over frames."""

    title: str
    seed: Count
    clips: Positive = 4
    test: Literal["chunks", "all"]


class MaskShares(Params):
    """How much of COSAM's masks lies on the person."""

    seed: Count
    training_seed: Count
    clips: Positive = 300
    test: Literal["chunks", "all"]


class ErasedAttention(Params):
    """Attention on erased frames."""

    seed: Count
    clips: Positive = 300
    examples: Positive = 3
    test: Literal["chunks", "all"]
    erase: Fraction
    erase_aspect: Aspect


class Identities(Params):
    """Who is who, from clusters."""

    experiment: str
    tracked: bool
    metric: Literal["euclidean", "cosine"]
    rows: Positive = 10
    images: Positive = 10


class SearchPicture(Strict):
    """The picture of a search."""

    queries: Positive = 12
    items: Positive = 4


class Search(Params):
    """Queries and the nearest tracklets."""

    title: str
    tracked: bool
    metric: Literal["euclidean", "cosine"]
    items: Positive = 10
    picture: SearchPicture = SearchPicture()
