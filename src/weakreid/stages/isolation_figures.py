"""Stage: TMC's Figs. 3 and 4, tracklets with id switches before and after isolation."""

from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
from weakreid.config.params import ShowIsolation
from weakreid.console import run_stage
from weakreid.report import figures
from weakreid.report.isolation import candidates, clusters_figure, examples, similarity_figure
from weakreid.retrieval.feature_table import read_features


def main(
    tracks: Annotated[Path, typer.Option(help="before isolation")],
    isolated: Annotated[Path, typer.Option(help="after it")],
    features: Annotated[Path, typer.Option()],
    params: Annotated[str, typer.Option(help="title, seed, tracklets")],
    figure3: Annotated[Path, typer.Option()],
    figure4: Annotated[Path, typer.Option()],
) -> None:
    """Draw some tracklets: their frames' features, similarities and clusters."""
    how = ShowIsolation.parse(params)
    rows = candidates(schemas.read_frame(tracks, "tracks", truth=True), how.seed)
    found = examples(
        rows,
        read_features(features, rows["image"].to_numpy()),
        schemas.read_frame(isolated, "tracks"),
        count=how.tracklets,
        seed=how.seed,
    )
    figures.save(similarity_figure(found, how.title), figure3)
    figures.save(clusters_figure(found, how.title), figure4)


if __name__ == "__main__":
    run_stage(main)
