"""What each stage reads of the tiny experiment and study, and its other options."""

import json
from pathlib import Path
from typing import Any

from weakreid.config import whole
from weakreid.config.sources import default_files, read_merged

DATASET = "results/datasets/walkers_tiny"
SPLIT = f"{DATASET}/official"
RUN = "results/wl_tiny/runs/official-1"
AUDITED = "results/mini_walkers_tiny_planted/runs/official-1"
OF_TRACKLETS = "results/mini_tmc_walkers_tiny_intra_50_noisy"
UNLABELLED = f"{OF_TRACKLETS}/runs/official-1"
FILM = "results/datasets/film"
SOURCE = "results/sources/tiny"
TRANSFERRED = "results/attributes/tiny/walkers_tiny/official-1"
OF_CLIPS = "results/mini_attr_walkers_tiny/runs/official-1"
WITH_COSAM = "results/mini_attr_walkers_tiny_agree/runs/official-1"
PUBLISHED = "workflow/resources/published.csv"

INPUTS: dict[str, dict[str, str]] = {
    "dataset": {"source": f"{DATASET}/generated.json"},
    "contact_sheet": {"source": f"{DATASET}/generated.json"},
    "split": {
        "tracklets": f"{DATASET}/tracklets.parquet",
        "partitions": f"{DATASET}/partitions.parquet",
    },
    "noise": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "observed": "results/trackers/tiny/distribution.parquet",
    },
    "frame_features": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "isolation": {
        "tracks": f"{SPLIT}/noise/tiny.parquet",
        "features": f"{SPLIT}/frame_features/tiny.parquet",
    },
    "isolation_figures": {
        "tracks": f"{SPLIT}/noise/tiny.parquet",
        "isolated": f"{SPLIT}/isolated/tiny-tiny.parquet",
        "features": f"{SPLIT}/frame_features/tiny.parquet",
    },
    "isolation_preview": {
        "tracks": f"{SPLIT}/noise/tiny.parquet",
        "isolated": f"{SPLIT}/isolated/tiny-tiny.parquet",
        "images": f"{DATASET}/images.arrow",
        "rates": "results/trackers/tiny/rates.json",
    },
    "bags": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "tracks": f"{SPLIT}/noise/tiny.parquet",
    },
    "named_bags": {
        "tracklets": f"{FILM}/official/tracklets.parquet",
        "frames": f"{FILM}/frames.parquet",
        "videos": f"{FILM}/crops/videos.csv",
    },
    "coarse_bags": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
    },
    "train": {"bags": f"{SPLIT}/bags/wl.parquet", "images": f"{DATASET}/images.arrow"},
    "train_tracklets": {
        "tracks": f"{SPLIT}/isolated/tiny-tiny_near.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "identities": {
        "clusters": f"{UNLABELLED}/clusters.parquet",
        "tracks": f"{SPLIT}/isolated/tiny-tiny_near.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "search": {
        "features": f"{UNLABELLED}/features.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "annotation": {"source_file": f"{SOURCE}/generated.json"},
    "pictures": {
        "source_file": f"{SOURCE}/generated.json",
        "annotation": f"{SOURCE}/annotation.parquet",
    },
    "ratios_plot": {"annotation": f"{SOURCE}/annotation.parquet"},
    "groups_table": {"annotation": f"{SOURCE}/annotation.parquet"},
    "transfer": {
        "pictures": f"{SOURCE}/pictures.parquet",
        "source_images": f"{SOURCE}/images.arrow",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "attribute_votes": {
        "model": f"{TRANSFERRED}/model.safetensors",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "attribute_labels": {"votes": f"{TRANSFERRED}/votes.parquet"},
    "true_attributes": {"annotation": f"{DATASET}/annotation.parquet"},
    "label_quality": {
        "labels": f"{TRANSFERRED}/labels.parquet",
        "truth": f"{DATASET}/attributes.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "pictures": f"{SOURCE}/pictures.parquet",
    },
    "train_clips": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
        "attributes": f"{TRANSFERRED}/labels.parquet",
    },
    "clip_features": {
        "model": f"{OF_CLIPS}/model.safetensors",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "tune": {
        "tracklets": f"{DATASET}/dev/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "tuned": {"found": "results/tuning/tiny/workers/1.json"},
    "attribute_examples": {
        "labels": f"{TRANSFERRED}/labels.parquet",
        "truth": f"{DATASET}/attributes.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "temporal_weights": {
        "weights": f"{OF_CLIPS}/weights.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "visibility": {
        "weights": f"{OF_CLIPS}/weights.parquet",
        "frames": f"{DATASET}/frames.parquet",
    },
    **{
        stage: {
            "model": f"{WITH_COSAM}/model.safetensors",
            "tracklets": f"{SPLIT}/tracklets.parquet",
            "frames": f"{DATASET}/frames.parquet",
            "images": f"{DATASET}/images.arrow",
        }
        for stage in ("masks", "mask_shares", "erased_attention")
    },
    **{
        stage: {"shares": f"{WITH_COSAM}/mask_shares.json"}
        for stage in ("mask_table", "mask_curve")
    },
    "attention_table": {
        "erased": f"{WITH_COSAM}/erased_attention.json",
        "visible": f"{WITH_COSAM}/visibility.json",
    },
    "attention_figure": {
        "erased": f"{WITH_COSAM}/erased_attention.json",
        "visible": f"{WITH_COSAM}/visibility.json",
        "images": f"{DATASET}/images.arrow",
    },
    "label_table": {"quality": f"{TRANSFERRED}/quality.json"},
    "attribute_metrics": {
        "rankings": f"{OF_CLIPS}/rankings.parquet",
        "labels": f"{TRANSFERRED}/labels.parquet",
    },
    "attribute_table": {
        "metrics": f"{OF_CLIPS}/by_attribute/tiny.json",
        "published": PUBLISHED,
    },
    "features": {
        "model": f"{RUN}/model.safetensors",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "images": f"{DATASET}/images.arrow",
    },
    "evaluate": {
        "features": f"{RUN}/features.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "coarse": f"{SPLIT}/coarse.parquet",
    },
    "collect": {"metrics": f"{RUN}/metrics.json", "timing": f"{RUN}/timing.json"},
    "table": {"metrics": "results/wl_tiny/metrics.json"},
    "study_table": {"metrics": "results/mini_walkers_tiny/metrics.json", "published": PUBLISHED},
    "sweep_plot": {"metrics": "results/mini_walkers_tiny/metrics.json", "published": PUBLISHED},
    **{
        stage: {
            "metrics": f"{OF_TRACKLETS}/metrics.json",
            "isolation": f"{SPLIT}/isolated/tiny-tiny_near.json",
            "published": PUBLISHED,
        }
        for stage in ("grid_table", "grid_plot")
    },
    "noise_counts_table": {"summary": f"{SPLIT}/noise/tiny.json", "published": PUBLISHED},
    "counts_table": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "bags": f"{SPLIT}/bags/wl.parquet",
        "coarse": f"{SPLIT}/coarse.parquet",
        "published": PUBLISHED,
    },
    "cost_table": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "bags": f"{SPLIT}/bags/wl.parquet",
    },
    "audit": {
        "model": f"{AUDITED}/model.safetensors",
        "bags": f"{SPLIT}/bags/wl_spoilt.parquet",
        "images": f"{DATASET}/images.arrow",
        "votes": f"{TRANSFERRED}/votes.parquet",
        "frames": f"{DATASET}/frames.parquet",
    },
    "audit_score": {
        "audit": f"{AUDITED}/audit.parquet",
        "bags": f"{SPLIT}/bags/wl_spoilt.parquet",
    },
    "audit_table": {"scores": f"{AUDITED}/audit.json"},
    "learning_curve": {"history": f"{RUN}/history.parquet"},
    "cluster_curve": {"history": f"{UNLABELLED}/history.parquet"},
    "matches": {
        "rankings": f"{RUN}/rankings.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "coarse": f"{SPLIT}/coarse.parquet",
        "images": f"{DATASET}/images.arrow",
        "votes": f"{TRANSFERRED}/votes.parquet",
    },
}
"""What each stage reads, by the option's name."""

SEVERAL = {
    *(("collect", name) for name in ("metrics", "timing")),
    *((stage, "metrics") for stage in ("table", "study_table", "sweep_plot")),
    *(("counts_table", name) for name in ("tracklets", "bags", "coarse")),
    *(("cost_table", name) for name in ("tracklets", "bags")),
    ("audit_table", "scores"),
    *((stage, name) for stage in ("grid_table", "grid_plot") for name in ("metrics", "isolation")),
    ("noise_counts_table", "summary"),
    ("attribute_examples", "labels"),
    ("tuned", "found"),
    ("label_table", "quality"),
    ("mask_table", "shares"),
    *((f"attention_{of}", name) for of in ("table", "figure") for name in ("erased", "visible")),
    ("attribute_table", "metrics"),
    *((stage, "history") for stage in ("learning_curve", "cluster_curve")),
}
"""Options that take a file each time that they are given."""


def inputs_of(stage: str) -> dict[str, Any]:
    """Return the options of a stage that are files to read."""
    return {
        name: [Path(place)] if (stage, name) in SEVERAL else Path(place)
        for name, place in INPUTS[stage].items()
    }


def rest_of(stage: str, out: Path) -> dict[str, Any]:
    """Return a stage's other options."""
    raw = read_merged([*default_files(Path()), Path("tiny.yaml")])
    kinds = ("datasets", "bags", "trackers", "noise", "extractors", "isolation")
    kinds += ("attribute_sources", "transfers", "methods")
    found = whole.load({kind: raw[kind] for kind in kinds})
    beside = {"name": "walkers_tiny", "published": "WL-MARS", "own": False}
    study = {
        "title": "Title",
        "paper": "WL",
        "table": "IV",
        "protocols": ["fine"],
        "ranks": [1, 5],
        "axis": "k",
        "datasets": [beside],
        "rows": [{"label": "k = 5", "cells": {"walkers_tiny": {"metrics": 0}}}],
    }
    place = {"dataset": "walkers_tiny", "row": "eps = 0.5", "column": 0, "report": 0}
    grid = {
        "title": "Title",
        "paper": "TMC",
        "table": "4",
        "axis": "eps",
        "metrics": ["noise", "clusters", "mAP", "R-1"],
        "columns": [{"label": "noisy", "published": "MARS 1.7 1.2"}],
        "datasets": [{"name": "walkers_tiny", "own": False}],
        "rows": [{"label": "eps = 0.5", "cells": {"walkers_tiny": [{"metrics": 0}]}}],
        "isolation": [place],
    }
    level = {
        "label": "noisy",
        "dataset": "walkers_tiny",
        "published": "MARS 1.7 1.2",
        "asked": {"rfm": 1.5, "rsw": 1.2},
        "summary": 0,
    }
    rate = {"low": 1e-4, "high": 1e-2, "log": True, "step": None, "whole": False}
    metric = {"choices": ["euclidean", "cosine"]}
    ranges = [
        {"key": "optimiser.lr", **rate},
        {"key": "losses.triplet.metric", **metric},
    ]
    search = {"metric": "fine mAP", "ranges": ranges}
    blocks: dict[str, Any] = {
        "dataset": {"source": "mars", "options": {"on_bad_frame": "stop"}},
        "contact_sheet": {"dataset": "walkers_tiny", "persons": 2},
        "split": {"split": "official"},
        "noise": {"rfm": 1.5, "rsw": 1.2, "distribution": "observed", "seed": 1},
        "frame_features": found.extractors["tiny"].model_dump(mode="json"),
        "isolation": found.isolation["tiny"].model_dump(mode="json", exclude={"extractor"}),
        "isolation_figures": {"title": "Title", "seed": 1, "tracklets": 2},
        "isolation_preview": {"title": "Title", "seed": 1, "tracklets": 2},
        "bags": {**found.bags["wl"].model_dump(mode="json"), "seed": 1},
        "named_bags": {"seed": 1, "max_frames": 3},
        "coarse_bags": {**found.coarse.model_dump(mode="json"), "seed": 1},
        "train": {
            **found.methods["tiny"].model_dump(mode="json", exclude={"evaluation"}),
            "seed": 1,
        },
        "train_tracklets": {
            **found.methods["tiny_tracklets"].model_dump(mode="json", exclude={"evaluation"}),
            "seed": 1,
        },
        "annotation": {"source": "walkers"},
        "pictures": {"name": "tiny", "pictures": ".", "on_bad_frame": "stop"},
        "ratios_plot": {"title": "Title"},
        "groups_table": {"title": "Title", "paper": "ATTR", "table": "1"},
        "transfer": {
            **found.transfers["tiny"].model_dump(
                mode="json", exclude={"labels", "source", "threshold"}
            ),
            "seed": 1,
        },
        "attribute_labels": {"threshold": 0.5},
        "train_clips": {
            **found.methods["tiny_clips"].model_dump(
                mode="json",
                exclude={"evaluation": True, "clips": {"test", "normalise"}, "neck": {"retrieves"}},
            ),
            "seed": 1,
        },
        "clip_features": {"test": "chunks", "normalise": True, "after_neck": False},
        "tune": {
            **search,
            "method": found.methods["tiny_searched"].model_dump(mode="json"),
            "trials": 1,
            "every": 1,
            "prune": None,
            "seed": 1,
            "search_seed": 1,
        },
        "tuned": {
            **search,
            "name": "tiny",
            "experiment": "searched",
            "dataset": "walkers_tiny",
            "place": ["experiments", "searched", "overrides"],
            "target": "t",
            "notes": [],
        },
        "attribute_examples": {"title": "Title", "rows": ["WBCE"], "persons": 2, "frames": 2},
        "temporal_weights": {"title": "Title", "sequences": 2},
        "visibility": {"title": "Title"},
        "masks": {"title": "Title", "seed": 1, "clips": 2, "test": "all"},
        "mask_shares": {"seed": 1, "training_seed": 1, "clips": 2, "test": "all"},
        "mask_table": {"title": "Title", "rows": [{"label": "COSAM", "shares": [0]}], "notes": []},
        "mask_curve": {"title": "Title"},
        "erased_attention": {"seed": 1, "clips": 9, "test": "all", "erase": 0.5, "examples": 2},
        "attention_table": {"title": "Title", "rows": [{"label": "with", "runs": [0]}]},
        "attention_figure": {"title": "Title", "rows": ["with"]},
        "label_table": {"title": "Title", "rows": [{"label": "WBCE", "quality": [0]}], "notes": []},
        "attribute_metrics": {"attributes": None, "min_queries": 1},
        "attribute_table": {
            "title": "Title",
            "rows": [{"label": "ATTR", "metrics": [0]}],
            "attributes": None,
            "transfer": "tiny",
            "ranks": [1],
            "paper": "COSAM",
            "table": "7",
        },
        "identities": {"experiment": "e", "tracked": False, "rows": 2, "pictures": 2},
        "search": {
            "title": "Title",
            "metric": "cosine",
            "items": 2,
            "tracked": False,
            "picture": {"queries": 1, "items": 1},
        },
        "evaluate": found.methods["tiny"].evaluation.model_dump(mode="json"),
        "collect": {
            "experiment": "e",
            "dataset": "d",
            "bags": "b",
            "method": "m",
            "runs": ["official-1"],
            "config": {},
        },
        "table": {"title": "Title", "rows": [{"label": "row", "experiment": "e"}]},
        "study_table": study,
        "sweep_plot": study,
        "grid_table": grid,
        "grid_plot": grid,
        "noise_counts_table": {"title": "Title", "paper": "TMC", "table": "1", "rows": [level]},
        "counts_table": {"title": "Title", "paper": "WL", "table": "I", "datasets": [beside]},
        "cost_table": {"title": "T", "datasets": [{"name": "walkers_tiny", "tracklet_parts": 1}]},
        "audit": {**found.audit.model_dump(mode="json"), "experiment": "e", "threshold": 0.5},
        "audit_score": {"experiment": "e", "run": "official-1"},
        "audit_table": {
            "title": "Title",
            "datasets": [{"name": "walkers_tiny", "runs": ["official-1"]}],
        },
        "learning_curve": {"experiment": "e", "runs": ["official-1"]},
        "cluster_curve": {"experiment": "e", "runs": ["official-1"]},
        "matches": {"experiment": "e", "seed": 1, "queries": 1, "items": 1, "threshold": 0.5},
    }
    training = {
        "code": "code",
        "checkpoint": out / "checkpoint.pt",
        "device": "cpu",
        "devices": 1,
        "threads": 1,
        "model": out / "model.safetensors",
        "history": out / "history.parquet",
        "timing": out / "timing.json",
    }
    outputs: dict[str, dict[str, Any]] = {
        "dataset": {"dataset": "d", "threads": 1, "out": out / "tracklets.parquet"},
        "noise": {"out": out / "tracks.parquet", "summary": out / "summary.json"},
        "frame_features": {"device": "cpu", "threads": 1, "out": out / "features.parquet"},
        "isolation": {
            "threads": 1,
            "out": out / "isolated.parquet",
            "report": out / "isolation.json",
        },
        "isolation_figures": {"figure3": out / "three.svg", "figure4": out / "four.svg"},
        "isolation_preview": {"markdown": out / "preview.md", "picture": out / "preview.png"},
        "train": training,
        "train_tracklets": {**training, "clusters": out / "clusters.parquet"},
        "pictures": {
            "threads": 1,
            "images": out / "images.arrow",
            "out": out / "pictures.parquet",
        },
        "ratios_plot": {"out": out / "plot.svg"},
        "transfer": training,
        "attribute_votes": {"device": "cpu", "threads": 1, "out": out / "votes.parquet"},
        "label_quality": {"out": out / "quality.json"},
        "train_clips": training,
        "clip_features": {
            "device": "cpu",
            "threads": 1,
            "out": out / "features.parquet",
            "weights": out / "weights.parquet",
        },
        "tune": {
            "code": "code",
            "worker": 1,
            "device": "cpu",
            "threads": 1,
            "journal": out / "journal.log",
            "folder": out / "1",
            "out": out / "1.json",
        },
        "tuned": {
            "best": out / "best.yaml",
            "trials": out / "trials.parquet",
            "markdown": out / "trials.md",
            "picture": out / "search.svg",
        },
        "attribute_examples": {"out": out / "sheet.png"},
        "temporal_weights": {"out": out / "weights.png"},
        "visibility": {
            # no table of this project: tests/report
            "truth": Path(f"{DATASET}/generated/truth/frames.parquet"),
            "plot": out / "visibility.svg",
            "out": out / "visibility.json",
        },
        "masks": {"threads": 1, "out": out / "masks.png"},
        "mask_shares": {
            # the generator's notes, no table of this project
            "root": Path(f"{DATASET}/generated"),
            "threads": 1,
            "out": out / "mask_shares.json",
        },
        "mask_table": {"out": out / "table.md"},
        "mask_curve": {"out": out / "curve.svg"},
        "erased_attention": {"threads": 1, "out": out / "erased_attention.json"},
        "attention_table": {"out": out / "table.md"},
        "attention_figure": {"out": out / "attention.png"},
        "attribute_metrics": {"out": out / "by_attribute.json"},
        **{
            name: {"out": out / "table.md"}
            for name in ("groups_table", "label_table", "attribute_table")
        },
        "identities": {"out": out / "identities.csv", "sheet": out / "identities.png"},
        "search": {"out": out / "search.csv", "picture": out / "search.png"},
        "features": {"device": "cpu", "threads": 1, "out": out / "features.parquet"},
        "evaluate": {
            "threads": 1,
            "metrics": out / "metrics.json",
            "rankings": out / "rankings.parquet",
        },
        "collect": {"out": out / "metrics.json", "timing_out": out / "timing.json"},
        **{name: {"out": out / "table.md"} for name in ("table", "study_table", "audit_table")},
        **{name: {"out": out / "table.md"} for name in ("counts_table", "cost_table")},
        **{name: {"out": out / "table.md"} for name in ("grid_table", "noise_counts_table")},
        **{name: {"out": out / "plot.svg"} for name in ("sweep_plot", "grid_plot")},
        "audit": {
            "device": "cpu",
            "threads": 1,
            "out": out / "audit.parquet",
            "markdown": out / "audit.md",
            "picture": out / "audit.png",
        },
        "audit_score": {"out": out / "audit.json"},
        "learning_curve": {"out": out / "learning_curve.svg"},
        "cluster_curve": {"out": out / "clusters.svg"},
        "contact_sheet": {"out": out / "contact_sheet.png"},
        "matches": {"fine_out": out / "fine.png", "coarse_out": out / "coarse.png"},
    }
    params = {"params": json.dumps(blocks[stage])} if stage in blocks else {}
    return {**params, **outputs.get(stage, {"out": out / "table.parquet"})}
