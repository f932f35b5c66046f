"""Stage: an experiment's figures, mean and standard deviation over its runs."""

import importlib.metadata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from weakreid.artifacts.files import read_json, write_json
from weakreid.config.params import Collect
from weakreid.report import pages, results

PACKAGES = ("weakreid", "torch", "torchvision", "timm", "numpy", "pandas", "pyarrow", "simplejpeg")

PROTOCOLS = ("fine", "coarse", "reranked")

ABOUT = ("experiment", "dataset", "bags", "noise", "isolation", "transfer", "method", "init")


def main(
    metrics: list[Path], timing: list[Path], params: Collect, out: Path, timing_out: Path
) -> None:
    """Write metrics.json, beside it metrics.html for people, and timing.json of an experiment."""
    runs = [read_json(path, ["fine", "coarse", "calibration"]) for path in metrics]
    times = [read_json(path, ["device"]) for path in timing]
    result = {
        **{name: value for name in ABOUT if (value := getattr(params, name)) is not None},
        "device": sorted({time["device"] for time in times}),
        **{name: summary([run[name] for run in runs]) for name in PROTOCOLS if name in runs[0]},
        "calibration": calibration_of([run["calibration"] for run in runs]),
        "runs": dict(zip(params.runs, runs, strict=True)),
        "config": params.config,
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES},
    }
    write_json(timing_out, dict(zip(params.runs, times, strict=True)))
    write_json(out, result)
    pages.write_html(out.with_suffix(".html"), results.table_of(params.experiment, result))


def calibration_of(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return thresholds by false-match rate asked, and what was found at them: means over runs.

    A run that says nothing of a rate is left out; where none does, its figures are null.
    """
    known = [run["found"]["thresholds"] for run in runs if "found" in run]
    whys = [run["why"] for run in runs if "why" in run]
    found: dict[str, Any] = {"why": whys[0]} if whys else {}
    for rate in known[0] if known else ():
        found[rate] = {
            name: _mean(values) if values else None
            for name in known[0][rate]
            for values in [[of[rate][name] for of in known if of[rate][name] is not None]]
        }
    return found


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the mean of every figure of a protocol, and its deviation where there are runs."""
    found = _figures(_mean, runs)
    if len(runs) > 1:
        found["standard_deviation"] = _figures(_deviation, runs)
    found["chance"] = _figures(_mean, [run["chance"] for run in runs])
    for name in ("queries", "gallery", "skipped"):
        numbers = sorted({run[name] for run in runs})
        found[name] = numbers[0] if len(numbers) == 1 else numbers
    return found


def _figures(of: Callable[[list[float]], float], runs: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "mAP": of([run["mAP"] for run in runs]),
        "cmc": {rank: of([run["cmc"][rank] for run in runs]) for rank in runs[0]["cmc"]},
    }


def _mean(values: list[float]) -> float:
    return float(np.mean(values))


def _deviation(values: list[float]) -> float:
    """Return the standard deviation of a sample (n - 1)."""
    return float(np.std(values, ddof=1))
