"""Stage: what a search found: a piece of config, a table and a picture of all trials."""

import json
from pathlib import Path
from typing import Annotated, Any

from weakreid.artifacts import schemas
from weakreid.artifacts.files import read_json, replacing
from weakreid.config.params import Tuned
from weakreid.errors import ReidError
from weakreid.report import figures, pages
from weakreid.report.tuning import fragment, search_figure, trial_table
from weakreid.tuning.trials import best_of, gathered


def main(
    found: Annotated[list[Path], "what each worker found"],
    params: Tuned,
    best: Path,
    trials: Path,
    markdown: Path,
    picture: Path,
) -> None:
    """Write the best values as config, and show all trials."""
    every = gathered(_trials(path) for path in found)
    if not every:
        raise ReidError(f"{found[0]}: holds no trial; delete it, and the search goes on")
    chosen, metric = best_of(every), params.metric
    said = (
        f"trial {chosen.number} of {len(every)}: {metric} {chosen.figure:.2f} on the split dev of "
        f"{params.dataset}, training identities alone"
    )
    folder = f"results/tuning/{params.name}"
    lines = [
        f"Found by the search {params.name} ({folder}/trials.md):",
        f"{said}.",
        *params.notes,
        "To use it:",
        f"  snakemake --configfile {folder}/best.yaml -- results/{params.target}/metrics.json",
    ]
    rows = [
        (trial.number, trial.worker, trial.outcome, epoch, figure, json.dumps(trial.values))
        for trial in every
        for epoch, figure in trial.curve or [(0, trial.figure)]
    ]
    columns = dict(zip(schemas.SCHEMAS["trials"].names, zip(*rows, strict=True), strict=True))
    schemas.write(trials, "trials", columns, params.model_dump(mode="json"))
    title = f"{params.name}: values of {params.experiment}"
    note = f"Best: {said}. Given up: below the median of the trials before, at the same epoch."
    pages.write(markdown, trial_table(title, metric, every, [note, *params.notes]))
    figures.save(search_figure(title, metric, every, params.ranges), picture)
    with replacing(best) as aside:
        aside.write_text(fragment(chosen, params.place, lines), encoding="utf-8")


def _trials(path: Path) -> list[dict[str, Any]]:
    trials = read_json(path)
    if not isinstance(trials, list):
        raise ReidError(f"{path}: holds no list of trials; delete it, and the search goes on")
    return trials
