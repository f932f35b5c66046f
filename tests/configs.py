"""Configs that several rooms of tests begin with, as YAML gives them, and changes of them."""

import copy
import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from weakreid.config.sources import default_files, read_merged

ROOT = Path(__file__).resolve().parents[1]
FETCHED = {
    "root": "data",
    "archives": {"data.zip": {"url": "file:data.zip", "sha256": "0" * 64}},
}
"""Where data lies that is not looked for until it is fetched."""
TINY = ROOT / "tests" / "workflow" / "tiny.yaml"


@functools.cache
def _read(*paths: Path) -> dict[str, Any]:
    return read_merged(paths)


def own() -> dict[str, Any]:
    """Return the project's config: the papers' files and config.yaml."""
    return copy.deepcopy(_read(*default_files(ROOT)))


def with_tiny() -> dict[str, Any]:
    """Return that with the tiny experiments, which the tests of the workflow run."""
    return copy.deepcopy(_read(*default_files(ROOT), TINY))


def tiny() -> dict[str, Any]:
    """Return the tiny experiments, with what they need of the project's config and no more.

    Its plan takes a tenth of the time, and no data has to be there.
    """
    mine, whole = copy.deepcopy(_read(TINY)), own()
    for kind, name in (("datasets", "walkers_tiny"), ("bags", "wl"), ("noise", "clean")):
        mine[kind][name] = whole[kind][name]
    mine["datasets"]["mars"] = {"kind": "mars", **copy.deepcopy(FETCHED)}
    return mine


def nested(key: str, value: Any) -> dict[str, Any]:
    """Return the blocks within which a key with dots stands."""
    for part in reversed(key.split(".")):
        value = {part: value}
    return value


def merged(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return a config with another one laid over it, as Snakemake does with files."""
    result = dict(base)
    for key, value in over.items():
        both = isinstance(value, Mapping) and isinstance(result.get(key), Mapping)
        result[key] = merged(result[key], value) if both else value
    return result


def changed(raw: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    """Return a config with one key (with dots) set."""
    *parents, last = key.split(".")
    result = copy.deepcopy(dict(raw))
    block = result
    for part in parents:
        block = block.setdefault(part, {})
    block[last] = value
    return result


def every() -> dict[str, Any]:
    """Return the tiny experiments and more, so that each block of a config has something in it."""
    small = {"backbone": "test_resnet", "weights": "none", "frozen": ["stem"]}
    clips = {"frames": 2, "sampling": "consecutive"}
    cosam = {"after": ["layer4"], "reduced": 4}
    erasing = {"aggregation": {"name": "attention"}, "augment": {"erase": 0.5}}
    drawn = {"kind": "walkers", "size": "tiny"}
    film = {"name": "hall", "boxes": "boxes.txt", "video": "hall.avi", "truth": "truth.txt"}
    more: dict[str, Any] = {
        "datasets": {
            "mars": {"kind": "mars", **FETCHED, "attributes": "ticked"},
            "dukev": {"kind": "dukev", **FETCHED},
            "ilids": {"kind": "ilids", **FETCHED, "split_seed": 1},
            "prid": {"kind": "prid", **FETCHED, "split_seed": 1},
            "seen": {"kind": "mot", "root": "film", "sequences": [film]},
        },
        "bags": {
            "spoilt": {"missing": {}, "planted": {}},
            "single": {"tracklets_per_bag": [1, 1]},
            "most": {"tracklets_per_bag": [1, 1], "noise": "tiny", "majority": True},
            "plain": {},
        },
        "attribute_sources": {
            "rap": {"kind": "rap", **FETCHED},
            "ticked": {"kind": "mars_attributes", **FETCHED},
            "drawn": drawn,
        },
        "transfers": {
            "truth": {"labels": "truth"},
            "rap": {"source": "rap", "model": {**small, "embedding": "none"}},
        },
        "noise": {"seen": {"rfm": 1.5, "rsw": 1.2, "observed": "tiny"}},
        "extractors": {"other": {"model": {"weights": "none", "embedding": "none"}}},
        "isolation": {"other": {"extractor": "other"}},
        "methods": {
            "hslr": {"model": small, "loss": {"name": "hslr"}, "batch": {"cache_mb": 100}},
            "sslr": {"model": small, "loss": {"name": "sslr"}},
            "cv_miml": {"model": small, "loss": {"name": "cv_miml"}},
            "wsddn": {"model": small, "loss": {"name": "wsddn"}, "instances": "tracklets"},
            "frame_ce": {"model": small, "loss": {"name": "frame_ce"}, "cpal": {"weight": 0}},
            "bags_as_clips": {
                "model": {**small, "cosam": cosam},
                "instances": "tracklets",
                "clips": clips,
                "aggregation": {"name": "rnn"},
                "loss": {"name": "mil", "k": 1},
            },
            "tracklets_as_clips": {
                "learns": "tracklets",
                "model": small,
                "clips": clips,
                "batch": {"frames": 2},
            },
            "merging": {"learns": "merging", "model": small},
            "one_shot": {"learns": "one_shot", "model": small, "batch": {"cache_mb": 100}},
            "all_losses": {
                "learns": "clips",
                "model": {**small, "embedding": "none", "cosam": cosam},
                "neck": {},
                "losses": {"triplet": {}, "center": {}, "osm": {}, "attention": {}},
                **erasing,
            },
            "attending": {"learns": "clips", "model": small, **erasing},
            "clips": {"learns": "clips", "model": small},
            "intra_camera": {"learns": "intra_camera", "model": small},
        },
        "experiments": {
            "on_prid": {"dataset": "prid", "bags": "spoilt", "method": "hslr", "splits": ["0"]},
            "on_ilids": {"dataset": "ilids", "bags": "wl", "method": "sslr", "splits": ["1"]},
            "on_dukev": {"dataset": "dukev", "bags": "most", "method": "hslr"},
            "on_mars": {"dataset": "mars", "method": "tiny_clips", "transfer": "truth"},
        },
        "tuning": {"tiny": {"ranges": {"augment.flip": {"low": 0.0, "high": 0.5}}}},
    }
    one = {"dataset": "walkers_tiny"}
    more["experiments"] |= {
        "wsddn": {**one, "bags": "plain", "method": "wsddn"},
        "cv_miml": {**one, "bags": "plain", "method": "cv_miml"},
        "frame_ce": {**one, "bags": "single", "method": "frame_ce"},
        "bags_as_clips": {**one, "bags": "wl", "method": "bags_as_clips"},
        "merging": {**one, "noise": "clean", "method": "merging"},
        "tracklets_as_clips": {**one, "noise": "seen", "method": "tracklets_as_clips"},
        "one_shot": {**one, "noise": "seen", "method": "one_shot"},
        "intra_camera": {**one, "noise": "seen", "isolation": "other", "method": "intra_camera"},
        **{name: {**one, "method": name} for name in ("all_losses", "attending", "clips")},
    }
    return copy.deepcopy(merged(tiny(), more))
