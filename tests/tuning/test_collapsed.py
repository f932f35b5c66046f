"""A trial whose features say nothing is as bad as one that diverged."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from weakreid.config.methods import BagMethod
from weakreid.config.training import Evaluation
from weakreid.retrieval.feature_table import write_features
from weakreid.stages import features, tune
from weakreid.training.loop import DivergedError


@pytest.mark.parametrize("nothing", [0.0, np.nan])
def test_it_counts_as_diverged(nothing: float, tmp_path: Path, monkeypatch) -> None:
    def extracted(**options: Any) -> None:
        rows = pd.DataFrame({"image": [0, 1], "tracklet_id": [0, 1]})
        found = np.array([[1.0, 2.0], [nothing, nothing]], np.float32)
        write_features(options["out"], rows, iter([found]), dimension=2, params={})

    monkeypatch.setattr(features, "main", extracted)
    path = tmp_path / "a"
    data = tune.Data(path, path, path, *[None] * 8)
    method = BagMethod(evaluation=Evaluation(metric="cosine"))
    with pytest.raises(DivergedError, match="not finite, or zero"):
        tune.measured(method, "fine mAP", path, data, tune.Machine("cpu", 1), tmp_path)
