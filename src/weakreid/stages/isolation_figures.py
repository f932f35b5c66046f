"""Stage: TMC's Figs. 3 and 4, tracklets with id switches before and after isolation."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.config.params import ShowIsolation
from weakreid.report import figures
from weakreid.report.isolation import candidates, clusters_figure, examples, similarity_figure
from weakreid.retrieval.feature_table import read_features


def main(
    tracks: Annotated[Path, "before isolation"],
    isolated: Annotated[Path, "after it"],
    features: Path,
    params: ShowIsolation,
    figure3: Path,
    figure4: Path,
) -> None:
    """Draw some tracklets: their frames' features, similarities and clusters."""
    rows = candidates(schemas.read_frame(tracks, "tracks", truth=True), params.seed)
    found = examples(
        rows,
        read_features(features, rows["image"].to_numpy()),
        schemas.read_frame(isolated, "tracks"),
        count=params.tracklets,
        seed=params.seed,
    )
    figures.save(similarity_figure(found, params.title), figure3)
    figures.save(clusters_figure(found, params.title), figure4)
