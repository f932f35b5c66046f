"""Why a weak loss learns or does not: how many training frames it gives to the right person.

For every experiment named, per run: the share of the training frames whose best logit among the
bag's tagged people is the person who is really there (chance: 1 / people tagged), and among all
people. Uses the truth that a training never sees.

    python benchmarks/assignment.py results/wl_walkers results/wl_walkers_wsddn
"""

import json
import sys
from pathlib import Path

import numpy as np

from weakreid.artifacts import schemas
from weakreid.artifacts.image_store import ImageStore
from weakreid.retrieval.extract import extract_features
from weakreid.retrieval.inputs import load_frame_network


def main(folders: list[str]) -> None:
    if not folders:
        print("no experiment named: give folders such as results/wl_walkers")
        return
    print(f"{'experiment':34} {'run':12} in-bag right, chance, right among all (per cent)")
    for folder in map(Path, folders):
        metrics = json.loads((folder / "metrics.json").read_text())
        for run in metrics["runs"]:
            figures = assignment(folder, run, metrics["dataset"], metrics["bags"])
            print(f"{folder.name:34} {run:12} " + " ".join(f"{100 * f:5.1f}" for f in figures))


def assignment(folder: Path, run: str, dataset: str, bags: str) -> tuple[float, float, float]:
    """Return the shares of frames: right in the bag, that by chance, right among all people."""
    path = folder / "runs" / run / "model.safetensors"
    model, computer, about, tensors = load_frame_network(path, "cpu", 1)
    model.normalise_features = False
    home = folder.parent / "datasets" / dataset
    split = run.rpartition("-")[0]
    rows = schemas.read_frame(home / split / "bags" / f"{bags}.parquet", "bags", truth=True)
    frames, truth = (np.concatenate(list(rows[n])) for n in ("frames", "truth_frame_persons"))
    bag = np.repeat(np.arange(len(rows)), rows["frames"].str.len())
    once, places = np.unique(frames, return_inverse=True)
    with ImageStore(home / "images.arrow") as store:
        batches = [once[at : at + 256] for at in range(0, len(once), 256)]
        seen = extract_features(model, store, batches, about.image, computer=computer, threads=1)
        features = np.concatenate(list(seen))
    head = "heads.projections.identity"
    logits = features @ tensors[f"{head}.weight"].numpy().T
    logits = (logits + tensors[f"{head}.bias"].numpy())[places]
    persons = np.array(about.persons)
    tagged = np.zeros((len(rows), len(persons)), bool)
    for number, labels in enumerate(rows["labels"]):
        tagged[number, np.searchsorted(persons, labels)] = True
    present = tagged[bag]
    # frames of people whom the annotator missed belong to nobody who is tagged
    named = present[np.arange(len(bag)), np.searchsorted(persons, truth).clip(max=len(persons) - 1)]
    best = persons[np.where(present, logits, -np.inf).argmax(1)]
    among_all = persons[logits.argmax(1)]
    chance = (1 / present.sum(1))[named].mean()
    return (best == truth)[named].mean(), chance, (among_all == truth)[named].mean()


if __name__ == "__main__":
    main(sys.argv[1:])
