"""What `test_extending` runs in a copy of the project to which docs/extending.md was applied."""

import json
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from weakreid.config import reference
from weakreid.config.sources import default_files, read_merged
from weakreid.plan.read import RULES, plan_of
from weakreid.plan.rules import code_of
from weakreid.plan.training_rules import modules_of

HERE = Path()
ADDED = ("walkers_noisy_or", "walkers_maximum", "wl_corridor")
ADDED += ("mine_walkers", "small_wsddn", "wl_mars_margin")
BEFORE = ("demo", "wl_mars_wsddn", "tmc_walkers", "attr_walkers", "cosam_walkers")
CHANGES = {
    "loss": {"loss": {"name": "noisy_or", "alpha": 0.5}},
    "aggregation": {
        "instances": "tracklets",
        "clips": {"frames": 3, "sampling": "chunks", "test": "chunks", "normalise": True},
        "aggregation": {"name": "maximum"},
        "loss__k": 1,
    },
}


def look() -> None:
    """Print what the plan says."""
    plan = plan_of(read_merged([*default_files(HERE), HERE / "my.yaml"]))
    methods = {name: plan.named(name).method for name in (*ADDED, *BEFORE)}
    digests = {
        name: code_of(f"stages.train_{methods[name].learns}", *modules_of(methods[name]))
        for name in BEFORE
    }
    said = {
        "learns_with": {name: modules_of(methods[name]) for name in ADDED},
        "digests": digests,
        "reader": RULES["dataset"].needs(plan, dataset="corridor").modules,
        "kind": RULES["table"].needs(plan, table="wl_speed").modules,
        "page": reference.page(),
    }
    print(json.dumps(said))


def train(what: str) -> None:
    """Print the values of the new part's term over a tiny training."""
    # torch takes seconds to import
    from tests.training import helpers

    with tempfile.TemporaryDirectory() as name:
        data, out = Path(name) / "data", Path(name) / "out"
        for folder in (data, out):
            folder.mkdir()
        values = helpers.method(**CHANGES[what])
        helpers.run_here(helpers.make_data(data), out, values)
        rows = pq.read_table(out / "history.parquet").to_pylist()
    print(json.dumps([row["value"] for row in rows if row["term"] == "base"]))


if __name__ == "__main__":
    train(*sys.argv[1:]) if sys.argv[1:] else look()
