"""Where every artifact lies below the folder that the workflow runs in.

Each function takes names, or a rule's wildcards (`"{dataset}"`), and gives a path or a pattern.
"""

RESULTS = "results"
TAKEN = ("datasets", "tables", "trackers", "sources", "attributes", "tuning")
"""Folders of results/ that belong to no experiment."""


def of_dataset(dataset: str, name: str) -> str:
    """Return a file of a dataset."""
    return f"{RESULTS}/datasets/{dataset}/{name}"


def of_split(dataset: str, split: str, name: str) -> str:
    """Return a file of a partition of a dataset's identities."""
    return of_dataset(dataset, f"{split}/{name}")


def frames(dataset: str) -> str:
    """Return the table of a dataset's frames."""
    return of_dataset(dataset, "frames.parquet")


def images(dataset: str) -> str:
    """Return a dataset's image store."""
    return of_dataset(dataset, "images.arrow")


def generated(dataset: str) -> str:
    """Return the folder of a generated dataset."""
    return of_dataset(dataset, "generated")


def true_attributes(dataset: str) -> str:
    """Return the true attributes of a dataset's people."""
    return of_dataset(dataset, "attributes.parquet")


def tracklets(dataset: str, split: str) -> str:
    """Return the table of a split's tracklets."""
    return of_split(dataset, split, "tracklets.parquet")


def bags(dataset: str, split: str, bags: str) -> str:
    """Return training bags."""
    return of_split(dataset, split, f"bags/{bags}.parquet")


def coarse(dataset: str, split: str) -> str:
    """Return the coarse test set."""
    return of_split(dataset, split, "coarse.parquet")


def noisy(dataset: str, split: str, noise: str, suffix: str = "parquet") -> str:
    """Return training tracklets at a noise level, or their summary (`json`)."""
    return of_split(dataset, split, f"noise/{noise}.{suffix}")


def isolated(dataset: str, split: str, noise: str, isolation: str, ending: str = ".parquet") -> str:
    """Return tracklets after isolation, or by another ending what is told of them."""
    return of_split(dataset, split, f"isolated/{noise}-{isolation}{ending}")


def tracks(dataset: str, split: str, noise: str, isolation: str | None) -> str:
    """Return the tracklets that a method without labels learns from, isolated or not."""
    if isolation is None:
        return noisy(dataset, split, noise)
    return isolated(dataset, split, noise, isolation)


def tracklet_labels(
    dataset: str, split: str, supervision: str, noise: str, isolation: str | None
) -> str:
    """Return the labels of training tracklets, isolated or not, that a method may see."""
    of = noise if isolation is None else f"{noise}-{isolation}"
    return of_split(dataset, split, f"labels/{supervision}-{of}.parquet")


def frame_features(dataset: str, split: str, extractor: str) -> str:
    """Return the features of training frames that isolation clusters."""
    return of_split(dataset, split, f"frame_features/{extractor}.parquet")


def frozen_maps(dataset: str, split: str, front: str) -> str:
    """Return what frozen stages make of a split's training frames; `front` is their digest."""
    return of_split(dataset, split, f"frozen/{front}.safetensors")


def frozen_maps_of_source(source: str, front: str) -> str:
    """Return what frozen stages make of an attribute source's images."""
    return of_source(source, f"frozen/{front}.safetensors")


def of_tracker(tracker: str, name: str) -> str:
    """Return a file of a tracker whose noise is measured."""
    return f"{RESULTS}/trackers/{tracker}/{name}"


def of_source(source: str, name: str) -> str:
    """Return a file of an attribute source."""
    return f"{RESULTS}/sources/{source}/{name}"


def of_transfer(transfer: str, dataset: str, run: str, name: str) -> str:
    """Return a file of a transfer that was learnt for a run on a dataset."""
    return f"{RESULTS}/attributes/{transfer}/{dataset}/{run}/{name}"


def of_experiment(experiment: str, name: str) -> str:
    """Return a file of an experiment."""
    return f"{RESULTS}/{experiment}/{name}"


def metrics(experiment: str) -> str:
    """Return the figures of an experiment."""
    return of_experiment(experiment, "metrics.json")


def of_run(experiment: str, run: str, name: str) -> str:
    """Return a file of a run of an experiment; a run is called SPLIT-SEED."""
    return of_experiment(experiment, f"runs/{run}/{name}")


def model(experiment: str, run: str) -> str:
    """Return the weights of a run."""
    return of_run(experiment, run, "model.safetensors")


def of_table(table: str, place: str, name: str) -> str:
    """Return a file of a results table; `place` is "" or "/DATASET"."""
    return f"{RESULTS}/tables/{table}{place}/{name}"


def of_tuning(tuning: str, name: str) -> str:
    """Return a file of a search."""
    return f"{RESULTS}/tuning/{tuning}/{name}"
