"""A trained model for programs of one's own: pictures in, descriptors out, as in the workflow.

What a picture goes through here is what a frame of a dataset goes through on its way into
`features.parquet`, by the same functions; only the files are left out.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from weakreid.artifacts.decoding import middle_of
from weakreid.artifacts.files import read_json
from weakreid.artifacts.image_store import Pixels, resize_picture
from weakreid.cores import default_threads
from weakreid.errors import ReidError
from weakreid.models.build import on_device, restore_model
from weakreid.models.clips import ClipModel, restore_clip_model
from weakreid.models.reid import ReidModel
from weakreid.retrieval.calibration import read_calibration
from weakreid.retrieval.distances import pairwise
from weakreid.retrieval.extract import features_of
from weakreid.retrieval.extract_clips import clip_features_of
from weakreid.retrieval.protocols import tracklet_descriptors
from weakreid.training.checkpoint import load_weights, part_of
from weakreid.training.clip_sampling import clips_of_tracklet
from weakreid.training.devices import device_for

MODEL = "model.safetensors"
BATCH = 256
"""Pictures that are resized, and described, at a time."""

Pictures = Sequence[Pixels] | Pixels


class Model:
    """A trained model; `weakreid.load` makes one.

    Attributes:
        path: of its weights.
        dimension: D, the length of a descriptor.
        sees_clips: whether a descriptor is of a clip: several frames of a tracklet.
    """

    def __init__(
        self, path: Path | str, device: str = "auto", metrics: Path | str | None = None
    ) -> None:
        """Read a model; see `weakreid.load`."""
        self.path = _weights_of(Path(path))
        tensors, about = load_weights(self.path)
        if about.ratios is not None:
            raise ReidError(
                f"{self.path}: learnt attributes, not who is who; give an experiment's {MODEL}"
            )
        self._about = about
        self._metrics = None if metrics is None else Path(metrics)
        self.sees_clips = about.clips is not None
        with _settings_put_back():
            self._computer = device_for(device, about.precision, default_threads())
        network: ReidModel | ClipModel
        if self.sees_clips:
            heads = part_of(tensors, "heads")
            after_neck = about.neck is None or self._method()["neck"]["retrieves"] == "after"
            network = restore_clip_model(
                about, part_of(tensors, "model"), heads, after_neck=after_neck
            )
            self.dimension = network.clips.aggregation.dimension
        else:
            network = restore_model(about.model, part_of(tensors, "model"))
            self.dimension = network.dimension
        self._network = on_device(network, self._computer.device)
        self._network.eval()

    def embed(self, images: Pictures, batch: int = BATCH) -> NDArray[np.float32]:
        """Return a descriptor of every picture.

        A crop of a dataset's frame gets the row that it has in `features.parquet`. A model that
        sees clips describes a picture as a tracklet of this one frame.

        Args:
            images: pictures [H, W, 3] of any sizes, or one array [N, H, W, 3]; uint8, RGB, 0 to
                255 as read from a file: the model resizes and normalises them itself. That red
                comes first nobody can check: OpenCV reads BGR.
            batch: pictures that are described at a time; less needs less memory.

        Returns:
            float32 [N, D], of length 1 each: the product of two is their cosine similarity.

        Raises:
            ReidError: the pictures are not such, or there is none.
        """
        pictures = _checked(images)
        if batch < 1:
            raise ReidError(f"batch is {batch}; it must be at least 1")
        if self.sees_clips:
            places = np.zeros((len(pictures), self._frames), np.int64)
            places += np.arange(len(pictures))[:, None]
            return self._of_clips(pictures, places, batch, normalise=True)
        return self._of_frames(pictures, batch)

    def embed_tracklet(
        self, frames: Pictures, batch: int = BATCH, metric: str | None = None
    ) -> NDArray[np.float32]:
        """Return one descriptor of a tracklet, as the experiment compares tracklets.

        That is the mean over its frames, or over its clips where the model sees clips; it is
        scaled to length 1 where the experiment's metric is cosine.

        Args:
            frames: of one tracklet, in the order of time; see `embed`.
            batch: see `embed`.
            metric: "cosine" or "euclidean", by which tracklets are to be compared; None: as the
                experiment's metrics.json says. Where nothing can be measured there is none.

        Returns:
            float32 [D].

        Raises:
            ReidError: see `embed`, or no metrics.json says how the experiment compares.
        """
        pictures = _checked(frames)
        if batch < 1:
            raise ReidError(f"batch is {batch}; it must be at least 1")
        if metric not in (None, "cosine", "euclidean"):
            raise ReidError(f"metric is '{metric}'; it must be cosine or euclidean")
        method: dict[str, Any] = {}
        if metric is None or self.sees_clips:
            method = self._method()
        if self.sees_clips:
            places = clips_of_tracklet(len(pictures), self._frames, method["clips"]["test"])
            normalise = method["clips"]["normalise"]
            found = self._of_clips(pictures, places, batch, normalise=normalise)
        else:
            found = self._of_frames(pictures, batch)
        mean = tracklet_descriptors(
            found,
            np.zeros(len(found), np.int64),
            normalise_means=(metric or method["evaluation"]["metric"]) == "cosine",
        )
        return mean.features[0].astype(np.float32, copy=False)

    def probability(self, one: ArrayLike, other: ArrayLike) -> NDArray[np.float64]:
        """Return how likely it is that tracklets show the same person.

        As the training's own labels, or pseudo-labels, have it: among pairs of which as many are of
        one person as there (`prior` in calibration.json).

        Of tracklets of about as many frames as the training's: single pictures of one person lie
        farther apart than means over tracklets, and come out as strangers.

        Args:
            one: [N, D], of `embed_tracklet`.
            other: [M, D], likewise.

        Returns:
            [N, M], 0 to 1.

        Raises:
            ReidError: there is no calibration.json beside the model, or none could be made.
        """
        path = self.path.with_name("calibration.json")
        if not path.exists():
            raise ReidError(
                f"{path}: not there; copy it from beside the training's weights, or where they are "
                f"still there: snakemake --cores 2 {path}"
            )
        meaning = read_calibration(path)
        if meaning is None:
            raise ReidError(f"{path}: {read_json(path, ['why'])['why']}: distances mean nothing")
        left, right = self._descriptors("one", one), self._descriptors("other", other)
        return meaning.probability(pairwise(left, right, meaning.metric))

    def _descriptors(self, name: str, given: ArrayLike) -> NDArray[Any]:
        try:
            found = np.asarray(given)
        except ValueError:  # rows of different lengths
            found = np.empty(0, object)
        if found.ndim != 2 or found.shape[1] != self.dimension or found.dtype == object:
            raise ReidError(
                f"{name}: not [N, {self.dimension}] numbers; give rows that embed_tracklet returned"
            )
        return found

    @property
    def _frames(self) -> int:
        """T, the frames of a clip."""
        assert self._about.clips is not None
        return self._about.clips.frames

    def _of_frames(self, pictures: Sequence[Pixels], batch: int) -> NDArray[np.float32]:
        assert isinstance(self._network, ReidModel)
        found = []
        with self._computing():
            for at in range(0, len(pictures), batch):
                pixels = self._prepared(pictures[at : at + batch])
                found.append(features_of(self._network, pixels, self._computer))
        return np.concatenate(found)

    def _of_clips(
        self,
        pictures: Sequence[Pixels],
        places: NDArray[np.int64],
        batch: int,
        *,
        normalise: bool,
    ) -> NDArray[np.float32]:
        """Describe clips, given by the places [C, T] of their frames."""
        assert isinstance(self._network, ClipModel)
        self._network.normalise = normalise
        step = max(1, batch // self._frames)
        found = []
        with self._computing():
            for at in range(0, len(places), step):
                clips = places[at : at + step]
                pixels = self._prepared([pictures[int(place)] for place in clips.reshape(-1)])
                found.append(clip_features_of(self._network, pixels, self._computer).features)
        return np.concatenate(found)

    def _prepared(self, pictures: Sequence[Pixels]) -> Pixels:
        """Return pictures as the network sees them, uint8 [n, height, width, 3]."""
        image = self._about.image
        size = image.resized or (image.height, image.width)
        whole = np.stack([resize_picture(np.ascontiguousarray(p), *size) for p in pictures])
        return whole if image.resized is None else middle_of(whole, image.height, image.width)

    @contextlib.contextmanager
    def _computing(self) -> Iterator[None]:
        with _settings_put_back(), torch.inference_mode(), self._computer.autocast():
            if self._computer.device.type == "cuda":
                torch.set_float32_matmul_precision("high")  # as in the workflow
            yield

    def _method(self) -> dict[str, Any]:
        """Return the method of the model's experiment, which metrics.json holds."""
        # results/NAME/runs/SPLIT-SEED/model.safetensors
        path = self._metrics or self.path.resolve().parents[2] / "metrics.json"
        if not path.exists():
            raise ReidError(
                f"{path}: not there, and {self.path} alone does not say how tracklets are compared;"
                " say it: embed_tracklet(..., metric='cosine'); compute the experiment's"
                " metrics.json; or give its place: load(..., metrics=)"
            )
        method = read_json(path, ["config"])["config"].get("method", {})
        if "evaluation" not in method or self.sees_clips != (method.get("clips") is not None):
            raise ReidError(f"{path}: not of the experiment of {self.path}; give that one's")
        return method


def _weights_of(path: Path) -> Path:
    """Return the file of weights that a path stands for."""
    if not path.is_dir():
        return path
    if (path / MODEL).exists():
        return path / MODEL
    found = sorted(path.glob(f"runs/*/{MODEL}"))
    if not found:
        raise ReidError(f"{path}: holds no trained model; give a training's {MODEL}")
    if len(found) > 1:
        names = ", ".join(model.parent.name for model in found)
        raise ReidError(f"{path}: holds {len(found)} trainings ({names}); give runs/ONE/{MODEL}")
    return found[0]


@contextlib.contextmanager
def _settings_put_back() -> Iterator[None]:
    """Leave PyTorch's settings, which are the whole program's, as they were."""
    threads, precision = torch.get_num_threads(), torch.get_float32_matmul_precision()
    deterministic = torch.are_deterministic_algorithms_enabled()
    warn_only = torch.is_deterministic_algorithms_warn_only_enabled()
    fill = torch.utils.deterministic.fill_uninitialized_memory  # type: ignore[attr-defined]
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_float32_matmul_precision(precision)
        torch.use_deterministic_algorithms(deterministic, warn_only=warn_only)
        torch.utils.deterministic.fill_uninitialized_memory = fill  # type: ignore[attr-defined]


_WANTED = "give uint8 RGB pictures [H, W, 3], 0 to 255 as read from a file"


def _checked(images: Pictures) -> Sequence[Pixels]:
    """Return pictures as a sequence, or say what is wrong with which of them."""
    if isinstance(images, np.ndarray) and images.ndim == 3:
        raise ReidError(
            f"one array of shape {list(images.shape)} was given; give a list of pictures [H, W, 3]"
            " (one picture: [picture]), or an array [N, H, W, 3]"
        )
    if not isinstance(images, np.ndarray | Sequence) or isinstance(images, str | bytes):
        raise ReidError(f"a {type(images).__name__} was given; {_WANTED}, in a list")
    if len(images) == 0:
        raise ReidError(f"no picture was given; {_WANTED}, at least one")
    brightest = 0
    for place, picture in enumerate(images):
        wrong = _wrong_with(picture)
        if wrong is not None:
            raise ReidError(f"picture {place}: {wrong}")
        brightest = max(brightest, int(picture.max()))
    if brightest <= 1:
        raise ReidError(
            f"no picture has a value above {brightest}: they are black, or were scaled to 0 to 1"
            f" and then made uint8; {_WANTED}"
        )
    return list(images)


def _wrong_with(picture: Any) -> str | None:
    """Return what keeps something from being a picture, and how it becomes one."""
    if not isinstance(picture, np.ndarray):
        return f"is a {type(picture).__name__}, not a NumPy array; {_WANTED}"
    if picture.dtype != np.uint8:
        scaled = picture.dtype.kind == "f"
        why = "; do not scale or normalise them, the model does" if scaled else ""
        return f"is of type {picture.dtype}; {_WANTED}{why}"
    shape = picture.shape
    if picture.ndim == 2 or (picture.ndim == 3 and shape[2] == 1):
        return f"is grey (shape {list(shape)}); {_WANTED}: repeat the grey value three times"
    if picture.ndim == 3 and shape[2] == 4:
        return f"has an alpha channel (shape {list(shape)}); leave it out: picture[..., :3]"
    if picture.ndim == 3 and shape[0] == 3 and shape[2] != 3:
        return f"has its channels first (shape {list(shape)}); picture.transpose(1, 2, 0)"
    if picture.ndim != 3 or shape[2] != 3:
        return f"has shape {list(shape)}; {_WANTED}"
    if picture.size == 0:
        return f"has no pixel (shape {list(shape)}); leave it out"
    return None
