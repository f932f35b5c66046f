"""The frame of every training, step by step; a way of learning puts its own between the steps."""

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, TypeVar

import numpy as np
import torch
from lightning_fabric import Fabric
from torch import nn

from weakreid.artifacts.files import remove_leftovers, write_json
from weakreid.artifacts.image_store import ImageStore
from weakreid.config.network import Model
from weakreid.config.params import AnyTraining, LearnTransfer, frozen_maps_params
from weakreid.console import say
from weakreid.models.backbones import share_batch_norms
from weakreid.models.build import build_model, without_weights
from weakreid.models.reid import ReidModel
from weakreid.training import checkpoint as checkpoints
from weakreid.training.devices import device_name
from weakreid.training.frozen import FrozenMaps, about_maps, frozen_maps, one_map, read_maps
from weakreid.training.history import timing_of, write_history
from weakreid.training.images import TrainingImages
from weakreid.training.loop import History, Watch, fit
from weakreid.training.optimiser import build_optimiser
from weakreid.training.options import TrainingOptions
from weakreid.training.processes import fabric_for, launch, leave
from weakreid.training.schedule import rate_factor
from weakreid.training.start import start_from
from weakreid.training.task import Task

Network = TypeVar("Network", bound=nn.Module)


@dataclass(frozen=True)
class Kept:
    """What is kept of a training.

    Attributes:
        parts: modules by what their tensors are called.
        heads: names among them of what tells `persons` apart.
        persons: their ids.
        also: what else the file says.
    """

    parts: Mapping[str, nn.Module]
    heads: Sequence[str] = ()
    persons: Sequence[int] = ()
    also: Mapping[str, Any] = field(default_factory=dict)


class Seen(NamedTuple):
    """Frames that a training learns from.

    Attributes:
        store: holds their images.
        rows: of the store; None: none.
        maps: the file of what frozen stages make of them, if there is one.
    """

    store: ImageStore
    rows: np.ndarray | None
    maps: Path | None = None


class Run:
    """A training under way: `network`, `set_up`, `images`, `learn` and `finish`, in this order.

    With several processes each has its own.

    Attributes:
        params: what the training is given.
        fabric: devices and precision, launched.
        threads: of this process.
        first: whether this is the process that speaks and writes.
        optimiser: from `set_up` on.
    """

    optimiser: torch.optim.Optimizer

    def __init__(
        self, params: AnyTraining | LearnTransfer, options: TrainingOptions, *outputs: Path
    ) -> None:
        """Start the processes, and remove what killed ones left of the results and `outputs`.

        Raises:
            ReidError: see `fabric_for`.
        """
        self.params, self.options = params, options
        fabric = fabric_for(options.device, options.devices, params.precision, options.threads)
        self.threads = launch(fabric, options.threads)
        self.fabric, self.first = fabric, fabric.is_global_zero
        if self.first:
            results = (options.model, options.history, options.timing, *outputs)
            remove_leftovers(options.checkpoint, *results)

    @property
    def learns(self) -> bool:
        """Whether there is an epoch."""
        return self.params.schedule.epochs > 0

    def say(self, text: str) -> None:
        """Say one line, once."""
        if self.first:
            say(text)

    def network(self) -> Any:
        """Return the network that a method describes: of frames, or of clips.

        It is a `ReidModel`, or where the method has `clips` a `weakreid.models.clips.ClipFeatures`,
        whose features are of clips.

        Raises:
            ReidError: see `build_model` and `start_from`.
        """
        params, init = self.params, self.options.init
        if isinstance(params, LearnTransfer) or params.clips is None:
            network = build_model(self.model_block(), params.seed)
            if init is not None:
                start_from(init, network)
            return prepared(network, self.fabric)
        # where it is needed only: an edit of it retrains no network of frames
        module = importlib.import_module("weakreid.models.clips")
        clips = module.build_clip_network(
            params, self.model_block(), params.seed, module.ClipFeatures
        )
        if init is not None:
            start_from(init, clips.network, aggregation=clips.aggregation)
        return prepared(clips, self.fabric)

    def model_block(self) -> Model:
        """Return the `model` block; with `init` no other weights are looked for."""
        model = self.params.model
        return model if self.options.init is None else without_weights(model)

    def set_up(self, network: nn.Module, *heads: nn.Module, of: ReidModel | None = None) -> Any:
        """Return a network as the devices train it, and make its optimiser.

        Args:
            network: what goes through the devices at a step.
            heads: what learns beside it.
            of: the network of frames within it, where that is not it itself.

        Raises:
            ReidError: nothing is left to learn.
        """
        found: Any = network if of is None else of
        optimiser = build_optimiser(self.params.optimiser, found, *heads)
        # Fabric ties one module to the optimiser; heads are modules of their own
        model, self.optimiser = self.fabric.setup(network, optimiser)
        return model

    def images(self, network: ReidModel, *of: Seen) -> list[TrainingImages]:
        """Return the images of frames as the method shows them, or their maps.

        Raises:
            ReidError: see `frozen_maps`.
        """
        params, maps = self.params, dict[ImageStore, FrozenMaps]()
        if params.batch.cache_mb > 0:
            maps = {seen.store: held for seen in of if (held := self._held(network, seen))}
            missing = [
                (seen.store, seen.rows)
                for seen in of
                if seen.rows is not None and seen.store not in maps
            ]
            if missing:
                made = frozen_maps(
                    network,
                    missing,
                    params.image,
                    computer=self.fabric,
                    threads=self.threads,
                    memory_mb=params.batch.cache_mb,
                )
                maps |= zip((store for store, _ in missing), made, strict=True)
        fill = network.backbone.mean
        return [
            TrainingImages(store, params.image, fill, params.augment, self.threads, maps.get(store))
            for store, *_ in of
        ]

    def _held(self, network: ReidModel, seen: Seen) -> FrozenMaps | None:
        """Return the maps of frames that a file has, None where it has none that are theirs."""
        wanted = frozen_maps_params(self.params)
        if seen.maps is None or seen.rows is None or wanted is None:
            return None
        maps, about = read_maps(seen.maps)
        fits = (
            # with `init` the frozen stages are another training's
            self.options.init is None
            and about == about_maps(wanted, self.fabric)
            and maps.maps.dtype == one_map(network, self.params.image, self.fabric).dtype
            and bool(np.isin(seen.rows, maps.rows).all())
        )
        if not fits:
            self.say(f"{seen.maps}: of other frames, stages or devices; maps are made here")
        return maps if fits else None

    def learn(
        self,
        task: Task[Any],
        parts: Mapping[str, nn.Module],
        inputs: Sequence[Any],
        kept: Kept,
        *,
        epochs: int | None = None,
        factor: Callable[[int], float] | None = None,
    ) -> History:
        """Train, from the checkpoint of this very training if there is one.

        Args:
            task: makes batches and their loss.
            parts: what learns, by the name that it has in a checkpoint.
            inputs: files, stores and plain values that are learnt from.
            kept: what is written where somebody looks at the training.
            epochs: of the whole training; None: those of the schedule.
            factor: step to what the learning rates are multiplied by; None: by the schedule.

        Raises:
            DivergedError: the loss is not finite.
        """
        params, options = self.params, self.options
        given = [options.init] if options.init is not None else []
        return fit(
            task,
            fabric=self.fabric,
            parts=parts,
            optimiser=self.optimiser,
            factor=factor
            or (lambda step: rate_factor(step, params.schedule, task.steps_per_epoch)),
            epochs=params.schedule.epochs if epochs is None else epochs,
            seed=params.seed,
            clip=params.optimiser.clip,
            checkpoint_path=options.checkpoint,
            mark=checkpoints.fingerprint(self._plain(), options.code, *inputs, *given),
            watch=self._watch(kept),
        )

    def finish(
        self,
        history: History,
        kept: Kept,
        timing: Mapping[str, Any] | None = None,
        write: Callable[[dict[str, Any]], None] | None = None,
    ) -> None:
        """Leave the processes and write the results: the weights last, then the checkpoint goes.

        Args:
            history: of the training.
            kept: of its parts.
            timing: more of what it took.
            write: writes what else there is, with the params as plain values.
        """
        leave(self.fabric)
        if not self.first:
            return
        options, plain = self.options, self._plain()
        seconds = monotonic() - options.started
        write_history(options.history, history, plain)
        write_json(options.timing, {**timing_of(history, seconds, self.fabric), **(timing or {})})
        if write is not None:
            write(plain)
        self._save(kept)
        options.checkpoint.unlink(missing_ok=True)
        say(
            f"trained in {monotonic() - options.started:.0f} s on {device_name(self.fabric.device)}"
        )

    def _watch(self, kept: Kept) -> Watch | None:
        watch = self.options.watch
        if watch is None:
            return None

        def look(epochs: int) -> None:
            self._save(kept)
            watch.look(epochs)

        return Watch(watch.every, look)

    def _save(self, kept: Kept) -> None:
        tensors = {
            f"{part}.{name}": tensor
            for part, module in kept.parts.items()
            for name, tensor in module.state_dict().items()
        }
        checkpoints.save_weights(self.options.model, tensors, {**self._about(kept), **kept.also})

    def _about(self, kept: Kept) -> dict[str, Any]:
        """Return what a file of weights says of them (`weakreid.config.trained.Trained`)."""
        plain = self._plain()
        said = {name: plain[name] for name in ("model", "image", "precision")}
        said |= {"heads": list(kept.heads), "persons": list(kept.persons)}
        said["device"] = self.fabric.device.type
        if plain.get("clips") is not None:
            said |= {name: plain.get(name) for name in ("clips", "aggregation", "neck")}
        return said

    def _plain(self) -> dict[str, Any]:
        return self.params.model_dump(mode="json")


def prepared(network: Network, fabric: Fabric) -> Network:
    """Return a network as `fabric` can train it: batch norms that share, images channels-last."""
    if fabric.world_size > 1 and fabric.device.type == "cuda":
        network = share_batch_norms(network)
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return network
