"""Stage: what a search found: a piece of config, a table and a picture of all trials."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from weakreid.artifacts import schemas
from weakreid.artifacts.files import read_json, replacing
from weakreid.config.params import Tuned
from weakreid.console import run_stage
from weakreid.errors import ReidError
from weakreid.report import figures, pages
from weakreid.report.tuning import fragment, search_figure, trial_table
from weakreid.tuning.trials import best_of, gathered


def main(
    found: Annotated[list[Path], typer.Option(help="what each worker found")],
    params: Annotated[str, typer.Option()],
    best: Annotated[Path, typer.Option()],
    trials: Annotated[Path, typer.Option()],
    markdown: Annotated[Path, typer.Option()],
    picture: Annotated[Path, typer.Option()],
) -> None:
    """Write the best values as config, and show all trials."""
    how = Tuned.parse(params)
    every = gathered(_trials(path) for path in found)
    if not every:
        raise ReidError(f"{found[0]}: holds no trial; delete it, and the search goes on")
    chosen, metric = best_of(every), how.metric
    said = (
        f"trial {chosen.number} of {len(every)}: {metric} {chosen.figure:.2f} on the split dev of "
        f"{how.dataset}, training identities alone"
    )
    folder = f"results/tuning/{how.name}"
    lines = [
        f"Found by the search {how.name} ({folder}/trials.md):",
        f"{said}.",
        *how.notes,
        "To use it:",
        f"  snakemake --configfile {folder}/best.yaml -- results/{how.target}/metrics.json",
    ]
    rows = [
        (trial.number, trial.worker, trial.outcome, epoch, figure, json.dumps(trial.values))
        for trial in every
        for epoch, figure in trial.curve or [(0, trial.figure)]
    ]
    columns = dict(zip(schemas.SCHEMAS["trials"].names, zip(*rows, strict=True), strict=True))
    schemas.write(trials, "trials", columns, how.model_dump(mode="json"))
    title = f"{how.name}: values of {how.experiment}"
    note = f"Best: {said}. Given up: below the median of the trials before, at the same epoch."
    pages.write(markdown, trial_table(title, metric, every, [note, *how.notes]))
    figures.save(search_figure(title, metric, every, how.ranges), picture)
    with replacing(best) as aside:
        aside.write_text(fragment(chosen, how.place, lines), encoding="utf-8")


def _trials(path: Path) -> list[dict[str, Any]]:
    trials = read_json(path)
    if not isinstance(trials, list):
        raise ReidError(f"{path}: holds no list of trials; delete it, and the search goes on")
    return trials


if __name__ == "__main__":
    run_stage(main)
