"""Rules of a search of a method's values: on the split dev of training identities, and no other."""

import dataclasses
from collections.abc import Mapping
from typing import Any

from weakreid.config import params
from weakreid.config.datasets import Tracked
from weakreid.config.experiments import Change
from weakreid.config.faults import Together, known
from weakreid.config.methods import AnyMethod
from weakreid.config.tuning import check_key, ends_of, others_of, put, resolved
from weakreid.errors import ReidError
from weakreid.plan import paths, refusals
from weakreid.plan.evaluation_rules import coarse_set
from weakreid.plan.experiments import Experiment, overridden
from weakreid.plan.plan import Plan, Run
from weakreid.plan.rules import Job, Output, rule
from weakreid.plan.training_rules import (
    TRUTH_OF_FRAMES,
    modules_of,
    seen_by,
    truth_of_frames,
    weights_to_start_from,
)
from weakreid.seeding import derive


def searched(plan: Plan, tuning: str) -> Experiment:
    """Return the experiment whose values a search looks for.

    Raises:
        ReidError: it is refused.
    """
    return plan.named(plan.config.tuning[tuning].experiment)


def check(plan: Plan, name: str) -> None:
    """Refuse a search of what is not there, or of values that the experiment cannot have.

    Raises:
        ReidError: all that is wrong with the ranges, together.
    """
    where, block = f"tuning.{name}", plan.config.tuning[name]
    known(f"{where}.experiment", block.experiment, {**plan.experiments, **plan.same})
    try:
        experiment = searched(plan, name)
    except ReidError as error:
        raise ReidError(f"{where}.experiment: {error}") from None
    dataset = plan.config.datasets[experiment.dataset]
    if isinstance(dataset, Tracked) and not all(
        sequence.truth for sequence in dataset.sequences if sequence.role == "train"
    ):
        raise ReidError(
            f"{where}.experiment: nothing can be measured on the training people of dataset "
            f"{experiment.dataset}, as sequences have no truth; add it, or take another experiment"
        )
    if experiment.method.schedule.epochs == 0:
        raise ReidError(
            f"{where}.experiment: {experiment.name} learns nothing (schedule.epochs is 0); take "
            "another one"
        )
    place_of_values(plan, name)
    together = Together()
    plain = experiment.method.model_dump(mode="json")
    for key in block.ranges:
        with together.further():
            check_key(plain, key, f"{where}.ranges.{key}")
    together.stop()
    for tried in (ends_of, others_of):
        for key, values in tried(block.ranges):
            with together.further():
                changed = overridden(experiment.method, values, f"{where}.ranges")
                try:
                    if changed.schedule.epochs == 0:
                        raise ReidError("schedule.epochs would be 0, and nothing learnt; raise it")
                    trial = dataclasses.replace(experiment, method=changed)
                    refusals.check(plan.config, plan.made, trial)
                except ReidError as error:
                    at = f"{where}.ranges.{key}" if key else f"{where}.ranges, an end of each"
                    raise ReidError(f"{at}: {error}") from None
        together.stop()


def place_of_values(plan: Plan, name: str) -> list[str]:
    """Return the keys of the block in which searched values change their experiment alone.

    Raises:
        ReidError: the experiment is the own method of a study, and no row of that is the same.
    """
    asked = plan.config.tuning[name].experiment
    if asked not in plan.made.rows:
        return ["experiments", asked, "overrides"]
    at = plan.made.rows[asked]
    row = at.row
    if not row:
        rows = plan.config.studies[at.study].rows
        row = next((name for name, change in rows.items() if change == Change()), "")
    if not row:
        raise ReidError(
            f"tuning.{name}.experiment: {asked} is the own method of the study {at.study}, and "
            "every row of it begins there; add a row that changes nothing ('ours: {}') to "
            f"studies.{at.study}.rows, or take another row"
        )
    return ["studies", at.study, "datasets", at.dataset, "rows", row]


def ranges_of(plan: Plan, name: str) -> list[dict[str, Any]]:
    """Return the ranges of a search as its stage takes them (`weakreid.tuning.ranges`)."""
    method = searched(plan, name).method

    def changed(values: Mapping[str, Any]) -> Mapping[str, Any]:
        return overridden(method, values, f"tuning.{name}.ranges").model_dump(mode="json")

    return [resolved(key, of, changed) for key, of in plan.config.tuning[name].ranges.items()]


def methods_tried(plan: Plan, name: str) -> list[AnyMethod]:
    """Return a search's method, and what it is at every end of its ranges."""
    method, where = searched(plan, name).method, f"tuning.{name}.ranges"
    ends = [values for _, values in ends_of(plan.config.tuning[name].ranges)]
    return [method, *(overridden(method, values, where) for values in ends)]


def method_without_searched(plan: Plan, name: str) -> dict[str, Any]:
    """Return the method of a search's experiment, its searched values null.

    So what these values were before is no part of the search, and its result does not ask for
    another one.
    """
    block = plan.config.tuning[name]
    plain = searched(plan, name).method.model_dump(mode="json")
    for key in block.ranges:
        put(plain, key, None)
    measuring = {"metric", "memory_mb"} if "coarse" in block.metric else {"metric"}
    plain["evaluation"] = {n: v for n, v in plain["evaluation"].items() if n in measuring}
    return plain


@rule("tune", found=Output(paths.of_tuning("{tuning}", "workers/{worker}.json")))
def tune(plan: Plan, tuning: str, worker: str) -> Job:
    """One worker's part in a search."""
    block = plan.config.tuning[tuning]
    run = Run(searched(plan, tuning), f"dev-{block.seed}")
    coarse = [coarse_set(plan, run)] if block.metric.startswith("coarse") else []
    methods = methods_tried(plan, tuning)
    learning = {f"stages.train_{method.learns}" for method in methods}
    extracting = "features" if methods[0].clips is None else "clip_features"
    # no outputs: Snakemake would remove them before a killed search can go on from them
    folder = paths.of_tuning(tuning, f"workers/{worker}")
    return Job(
        inputs={
            "tracklets": run.tracklets,
            "frames": run.frames,
            "images": run.images,
            **seen_by(plan, run),
            "truth": truth_of_frames(run, methods),
            "coarse": coarse,
            "init": weights_to_start_from(plan, run),
        },
        params=params.Tune(
            **{
                name: getattr(block, name)
                for name in ("trials", "metric", "every", "prune", "seed")
            },
            method=method_without_searched(plan, tuning),
            ranges=ranges_of(plan, tuning),
            search_seed=derive(plan.config.seed, "tuning", tuning),
        ),
        within=TRUTH_OF_FRAMES,
        modules=[
            f"stages.{extracting}",
            *sorted(learning | {module for method in methods for module in modules_of(method)}),
        ],
        told={
            "worker": worker,
            "journal": paths.of_tuning(tuning, "journal.log"),
            "folder": folder,
        },
    )


@rule(
    "tuned",
    best=Output(
        paths.of_tuning("{tuning}", "best.yaml"), "best", "best values, as config", "tuning"
    ),
    trials=Output(paths.of_tuning("{tuning}", "trials.parquet"), "trials"),
    markdown=Output(
        paths.of_tuning("{tuning}", "trials.md"), "markdown", "trials, as Markdown", "tuning"
    ),
    page=Output(paths.of_tuning("{tuning}", "trials.html"), "", "trials", "tuning"),
    picture=Output(paths.of_tuning("{tuning}", "search.svg"), "picture", "search", "tuning"),
)
def tuned(plan: Plan, tuning: str) -> Job:
    """The best values of a search, and its trials."""
    block = plan.config.tuning[tuning]
    place = place_of_values(plan, tuning)
    notes, target = [], block.experiment
    if place[0] == "studies":
        study, dataset, row = place[1], place[3], place[5]
        target = f"{study}_{dataset}_{row}"
        if plan.config.studies[study].levels:
            notes.append(f"The row {row} changes at every noise level.")
    return Job(
        inputs={
            "found": [
                paths.of_tuning(tuning, f"workers/{worker}.json")
                for worker in range(1, block.jobs + 1)
            ]
        },
        params=params.Tuned(
            name=tuning,
            experiment=block.experiment,
            dataset=searched(plan, tuning).dataset,
            metric=block.metric,
            place=place,
            target=target,
            notes=notes,
            ranges=ranges_of(plan, tuning),
        ),
    )
