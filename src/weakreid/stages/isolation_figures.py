"""Stage: TMC's Figs. 3 and 4, tracklets with id switches before and after isolation."""

import json
from pathlib import Path
from typing import Annotated

import typer

from weakreid.artifacts import schemas
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
    block = json.loads(params)
    rows = candidates(schemas.read_frame(tracks, "tracks", truth=True), block["seed"])
    found = examples(
        rows,
        read_features(features, rows["image"].to_numpy()),
        schemas.read_frame(isolated, "tracks"),
        count=block["tracklets"],
        seed=block["seed"],
    )
    figures.save(similarity_figure(found, block["title"]), figure3)
    figures.save(clusters_figure(found, block["title"]), figure4)


if __name__ == "__main__":
    run_stage(main)
