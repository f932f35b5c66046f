"""What a search of a method's values reads: the split dev of training identities, and no other."""

from types import SimpleNamespace


def trials_of(wildcards):
    """Return what the trainings of a search are, as the wildcards of an experiment's run say it."""
    block = CONFIG.tuning[wildcards.tuning]
    name = CONFIG.same.get(block.experiment, block.experiment)
    return SimpleNamespace(experiment=name, run=f"dev-{block.seed}")


def of_trials(function):
    """Return an input function of an experiment's run, for the trainings of a search."""
    return lambda wildcards: function(trials_of(wildcards))


def trial_bags(wildcards):
    trials = trials_of(wildcards)
    bags = experiment_of(trials).bags
    return [] if bags is None else f"{split_folder(trials)}/bags/{bags}.parquet"


def trial_tracks(wildcards):
    trials = trials_of(wildcards)
    return [] if experiment_of(trials).noise is None else tracks_of(trials)


def trial_coarse(wildcards):
    """Return the coarse test set of the split dev, where it is measured on."""
    coarse = CONFIG.tuning[wildcards.tuning].metric.startswith("coarse")
    return coarse_of(trials_of(wildcards)) if coarse else []


def tune_values(wildcards):
    """Return what a worker of a search is given; what is searched is no value of the method."""
    block = CONFIG.tuning[wildcards.tuning]
    method = weakreid_config.searched_method(CONFIG, wildcards.tuning)
    measuring = {"metric", "memory_mb"} if "coarse" in block.metric else {"metric"}
    evaluation = {n: v for n, v in method["evaluation"].items() if n in measuring}
    return values(
        block.model_dump(
            mode="json", include={"trials", "metric", "every", "prune", "seed"}
        ),
        method={**method, "evaluation": evaluation},
        ranges=weakreid_config.ranges_of(CONFIG, wildcards.tuning),
        search_seed=derive(CONFIG.seed, "tuning", wildcards.tuning),
    )


def tune_code(wildcards):
    """Return the digest of a search's code, with what it has of every method that it may try."""
    methods = weakreid_config.searched_methods(CONFIG, wildcards.tuning)
    named = {module for method in methods for module in training_modules(method)}
    clips = getattr(methods[0], "clips", None) is not None
    describing = "stages.clip_features" if clips else "stages.features"
    return code("stages.tune", describing, *sorted(named))


def workers_of(wildcards):
    """Return what each worker of a search finds."""
    jobs = CONFIG.tuning[wildcards.tuning].jobs
    folder = f"results/tuning/{wildcards.tuning}/workers"
    return [f"{folder}/{worker}.json" for worker in range(1, jobs + 1)]


def tuned_values(wildcards):
    """Return what is said of a search, and where its best values stand in the config."""
    name = wildcards.tuning
    block = CONFIG.tuning[name]
    place = weakreid_config.place_of_values(CONFIG, f"tuning.{name}", block)
    notes, target = [], block.experiment
    if place[0] == "studies":
        study, dataset, row = place[1], place[3], place[5]
        target = f"{study}_{dataset}_{row}"
        if CONFIG.studies[study].levels:
            notes.append(f"The row {row} changes at every level of noise.")
    about = {
        "name": name,
        "experiment": block.experiment,
        "dataset": experiment_of(trials_of(wildcards)).dataset,
        "metric": block.metric,
        "place": place,
        "target": target,
        "notes": notes,
    }
    return values(about, ranges=weakreid_config.ranges_of(CONFIG, name))
