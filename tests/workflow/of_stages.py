"""What each stage reads of the tiny experiment and study, and its other options."""

import json
from pathlib import Path
from typing import Any

import yaml

from weakreid import config

DATASET = "results/datasets/walkers_tiny"
SPLIT = f"{DATASET}/official"
RUN = "results/wl_tiny/runs/official-1"
AUDITED = "results/mini_walkers_tiny_planted/runs/official-1"
PUBLISHED = "workflow/resources/published.csv"

INPUTS: dict[str, dict[str, str]] = {
    "dataset": {"source": f"{DATASET}/generated.json"},
    "contact_sheet": {"source": f"{DATASET}/generated.json"},
    "split": {
        "tracklets": f"{DATASET}/tracklets.parquet",
        "partitions": f"{DATASET}/partitions.parquet",
    },
    "bags": {"tracklets": f"{SPLIT}/tracklets.parquet", "frames": f"{DATASET}/frames.parquet"},
    "coarse_bags": {
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
    },
    "train": {"bags": f"{SPLIT}/bags/wl.parquet", "images": f"{DATASET}/images.arrow"},
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
    },
    "audit_score": {
        "audit": f"{AUDITED}/audit.parquet",
        "bags": f"{SPLIT}/bags/wl_spoilt.parquet",
    },
    "audit_table": {"scores": f"{AUDITED}/audit.json"},
    "learning_curve": {"history": f"{RUN}/history.parquet"},
    "matches": {
        "rankings": f"{RUN}/rankings.parquet",
        "tracklets": f"{SPLIT}/tracklets.parquet",
        "frames": f"{DATASET}/frames.parquet",
        "coarse": f"{SPLIT}/coarse.parquet",
        "images": f"{DATASET}/images.arrow",
    },
}
"""What each stage reads, by the option's name."""

SEVERAL = {
    *(("collect", name) for name in ("metrics", "timing")),
    *((stage, "metrics") for stage in ("table", "study_table", "sweep_plot")),
    *(("counts_table", name) for name in ("tracklets", "bags", "coarse")),
    *(("cost_table", name) for name in ("tracklets", "bags")),
    ("audit_table", "scores"),
    ("learning_curve", "history"),
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
    raw = yaml.safe_load(Path("config.yaml").read_text(encoding="utf-8"))
    method = yaml.safe_load(Path("tiny.yaml").read_text(encoding="utf-8"))["methods"]["tiny"]
    raw["methods"] = {"tiny": method}
    raw["experiments"] = raw["studies"] = raw["tables"] = {}
    found = config.load(raw)
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
    blocks: dict[str, Any] = {
        "dataset": {"source": "mars", "options": {"on_bad_frame": "stop"}},
        "contact_sheet": {"persons": 2},
        "split": {"split": "official"},
        "bags": {**found.bags["wl"].model_dump(mode="json"), "seed": 1},
        "coarse_bags": {**found.coarse.model_dump(mode="json"), "seed": 1},
        "train": {
            **found.methods["tiny"].model_dump(mode="json", exclude={"evaluation"}),
            "seed": 1,
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
        "counts_table": {"title": "Title", "paper": "WL", "table": "I", "datasets": [beside]},
        "cost_table": {"title": "T", "datasets": [{"name": "walkers_tiny", "tracklet_parts": 1}]},
        "audit": {**found.audit.model_dump(mode="json"), "experiment": "e"},
        "audit_score": {"experiment": "e", "run": "official-1"},
        "audit_table": {
            "title": "Title",
            "datasets": [{"name": "walkers_tiny", "runs": ["official-1"]}],
        },
        "learning_curve": {"experiment": "e", "runs": ["official-1"]},
        "matches": {"experiment": "e", "seed": 1, "queries": 1, "items": 1},
    }
    outputs: dict[str, dict[str, Any]] = {
        "dataset": {"dataset": "d", "threads": 1, "out": out / "tracklets.parquet"},
        "train": {
            "code": "code",
            "checkpoint": out / "checkpoint.pt",
            "device": "cpu",
            "devices": 1,
            "threads": 1,
            "model": out / "model.safetensors",
            "history": out / "history.parquet",
            "timing": out / "timing.json",
        },
        "features": {"device": "cpu", "threads": 1, "out": out / "features.parquet"},
        "evaluate": {
            "threads": 1,
            "metrics": out / "metrics.json",
            "rankings": out / "rankings.parquet",
        },
        "collect": {"out": out / "metrics.json", "timing_out": out / "timing.json"},
        **{name: {"out": out / "table.md"} for name in ("table", "study_table", "audit_table")},
        **{name: {"out": out / "table.md"} for name in ("counts_table", "cost_table")},
        "sweep_plot": {"out": out / "plot.svg"},
        "audit": {
            "device": "cpu",
            "threads": 1,
            "out": out / "audit.parquet",
            "markdown": out / "audit.md",
            "picture": out / "audit.png",
        },
        "audit_score": {"out": out / "audit.json"},
        "learning_curve": {"out": out / "learning_curve.svg"},
        "contact_sheet": {"out": out / "contact_sheet.png"},
        "matches": {"fine_out": out / "fine.png", "coarse_out": out / "coarse.png"},
    }
    params = {"params": json.dumps(blocks[stage])} if stage in blocks else {}
    return {**params, **outputs.get(stage, {"out": out / "table.parquet"})}
