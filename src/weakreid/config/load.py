"""The whole config: its model, reading it, and its JSON Schema.

`read` turns the plain mapping that YAML gives into a `Config`, or raises a `ReidError` of one line
per fault, which names the key and what is allowed there. What experiments come of it, and which of
them are refused, says `weakreid.plan`.
"""

import json
import sys
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

from pydantic import BeforeValidator, Field

from weakreid.config.base import Count, Name, OpenFraction, Strict
from weakreid.config.datasets import AttributeSource, Dataset, Mars, MarsAttributesSource, Tracker
from weakreid.config.experiments import Experiment, Study
from weakreid.config.faults import Together, known, validated
from weakreid.config.methods import (
    AnyMethod,
    AnyTransfer,
    Extractor,
    Transfer,
    with_labels,
    with_learns,
)
from weakreid.config.supervision import Audit, Bags, Coarse, Isolation, Noise
from weakreid.config.tables import AnyTable
from weakreid.config.tuning import Tuning
from weakreid.errors import ReidError


class Config(Strict):
    """The whole of config.yaml."""

    renamed: ClassVar[Mapping[str, str]] = {
        "sources": "attribute_sources",
        "looks": "shown_attributes",
    }

    seed: Count = Field(
        1, description="seed for data preparation; trainings have `seeds` of their own"
    )
    validation_fraction: OpenFraction = Field(
        0.34, description="share of the training identities that the `dev` split holds out"
    )
    share_frozen: bool = Field(
        True,
        description="trainings with the same frozen stages share a file of what these make of the "
        "images (`frozen/`), as large as batch.cache_mb at most; false: each makes its own",
    )
    datasets: dict[Name, Dataset] = Field(description="data of people, by name")
    bags: dict[Name, Bags] = Field(
        default_factory=dict, description="ways to make training bags, by name"
    )
    coarse: Coarse = Field(Coarse(), description="the coarse test set")
    audit: Audit = Field(Audit(), description="the label audit")
    trackers: dict[Name, Tracker] = Field(
        default_factory=dict,
        description="trackers whose noise is measured against ground truth, by name",
    )
    noise: dict[Name, Noise] = Field(
        default_factory=dict,
        description="noise levels: how training tracklets are broken and mixed, by name",
    )
    extractors: dict[Name, Extractor] = Field(
        default_factory=dict,
        description="networks that extract the features that isolation clusters, by name",
    )
    isolation: dict[Name, Isolation] = Field(
        default_factory=dict, description="settings of intra-tracklet isolation, by name"
    )
    attribute_sources: dict[Name, AttributeSource] = Field(
        default_factory=dict, description="annotated pictures of other people, by name"
    )
    transfers: Annotated[dict[Name, AnyTransfer], BeforeValidator(with_labels)] = Field(
        default_factory=dict,
        description="how attributes are learnt on a source and predicted on a dataset, by name",
    )
    shown_attributes: dict[Name, Name] = Field(
        default_factory=dict,
        description="dataset: transfer whose attributes its audit and examples show",
    )
    methods: Annotated[dict[Name, AnyMethod], BeforeValidator(with_learns)] = Field(
        description="network, losses, batches, optimiser and schedule, by name"
    )
    experiments: dict[Name, Experiment] = Field(
        default_factory=dict, description="your own experiments, by name"
    )
    studies: dict[Name, Study] = Field(
        default_factory=dict, description="a paper's experiments on every dataset, by name"
    )
    tuning: dict[Name, Tuning] = Field(
        default_factory=dict, description="searches for the values of a method, by name"
    )
    tables: dict[Name, AnyTable] = Field(
        default_factory=dict, description="results tables and figures, by name"
    )


def read(raw: Mapping[str, Any]) -> Config:
    """Return the config that a YAML mapping describes.

    Raises:
        ConfigError: keys are unknown or of a wrong type, or names do not exist.
    """
    config: Config = validated(Config, raw, "config.yaml")
    _check_names(config)
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
            if name == "none":
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


def _check_supervision(config: Config, experiment: Experiment, where: str) -> None:
    """Refuse an experiment whose method gets nothing, or what it cannot take."""
    method = config.methods[experiment.method]
    what = method.learns if method.learns in ("bags", "clips") else "tracklets"
    takes = {"bags": ["bags"], "tracklets": ["noise", "isolation"], "clips": ["transfer"]}[what]
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


def json_schema() -> str:
    """Return the JSON Schema of config.yaml, as it stands in workflow/schemas."""
    return json.dumps(Config.model_json_schema(), indent=2) + "\n"


if __name__ == "__main__":
    sys.stdout.write(json_schema())
