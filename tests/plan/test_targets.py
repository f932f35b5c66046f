"""What somebody asks for: the rule that makes it, or one line that says what to ask for instead."""

import pytest
from tests import configs

from weakreid.errors import ReidError
from weakreid.plan.graph import steps_to
from weakreid.plan.read import plan_of
from weakreid.plan.targets import maker_of, no_such_target

PLAN = plan_of(configs.own())


@pytest.mark.parametrize(
    ("path", "rule", "wildcards"),
    [
        ("results/demo/metrics.json", "collect", {"experiment": "demo"}),
        ("results/datasets/mars/tracklets.parquet", "dataset", {"dataset": "mars"}),
        (
            "results/datasets/mars/dev/tracklets.parquet",
            "split",
            {"dataset": "mars", "split": "dev"},
        ),
        ("results/tables/demo/table.md", "table", {"table": "demo", "place": ""}),
        (
            "results/tables/wl_table4/mars/plot.svg",
            "plot",
            {"table": "wl_table4", "place": "/mars"},
        ),
        (
            "results/attributes/rap/mars/official-2/votes.parquet",
            "attribute_votes",
            {"transfer": "rap", "dataset": "mars", "run": "official-2"},
        ),
        # of several rules that make a file of this name, the one of the method
        (
            "results/wl_mars/runs/official-1/model.safetensors",
            "train_bags",
            {"experiment": "wl_mars", "run": "official-1"},
        ),
        (
            "results/tmc_mars/runs/official-1/model.safetensors",
            "train_tracklets",
            {"experiment": "tmc_mars", "run": "official-1"},
        ),
        (
            "results/attr_mars/runs/official-1/model.safetensors",
            "train_clips",
            {"experiment": "attr_mars", "run": "official-1"},
        ),
    ],
)
def test_the_rule_of_a_file(path: str, rule: str, wildcards: dict[str, str]) -> None:
    made = maker_of(PLAN, path)
    assert made is not None
    assert (made[0].name, dict(made[1])) == (rule, wildcards)


@pytest.mark.parametrize(
    "path",
    [
        "data/mars/bbox_train",
        "results/nobody/metrics.json",
        "results/demo/runs/official/metrics.json",
        "results/demo/runs/test-1/metrics.json",
        "results/demo/runs/official-1/identities.png",
        "results/datasets/walkers/fetched.json",
        "results/datasets/mars/generated.json",
        "results/tuning/attn_cl_mars/workers/0.json",
        "results/wl_walkers_lambda_50/metrics.json",
    ],
)
def test_a_file_of_no_rule(path: str) -> None:
    assert maker_of(PLAN, path) is None


@pytest.mark.parametrize(
    ("target", "line"),
    [
        (
            "results/wl_marz/metrics.json",
            "experiments.wl_marz does not exist; did you mean 'wl_mars'?",
        ),
        ("results/tables/dmeo/table.md", "tables.dmeo does not exist; did you mean 'demo'?"),
        (
            "metrics.json",
            (
                "nothing makes this; ask for results/EXPERIMENT/metrics.json or "
                "results/tables/TABLE/table.md"
            ),
        ),
        (
            "results/wl_walkers_mars_lambda_100/metrics.json",
            (
                "that is the experiment wl_walkers_mars_mil; ask for "
                "results/wl_walkers_mars_mil/metrics.json"
            ),
        ),
        (
            "results/tmc_walkers_tiny_intra_70_n17_12/metrics.json",
            (
                "that is the experiment tmc_walkers_tiny_n17_12; ask for "
                "results/tmc_walkers_tiny_n17_12/metrics.json"
            ),
        ),
        (
            "results/tmc_walkers_tiny_n17_13/metrics.json",
            (
                "experiments.tmc_walkers_tiny_n17_13 does not exist; did you mean "
                "'tmc_walkers_tiny_n17_12'?"
            ),
        ),
        (
            "results/trackers/mot17_depsort/rates.md",
            "trackers.mot17_depsort does not exist; did you mean 'mot17_deepsort'?",
        ),
        (
            "results/tables/wl_table3/plot.svg",
            "nothing makes this file of tables.wl_table3; docs/artifacts.md lists the files",
        ),
        (
            "results/tables/wl_table3/marss/table.md",
            "datasets.marss does not exist; did you mean 'mars'?",
        ),
        (
            "results/attributes/truth/walkers/official-1/votes.parquet",
            (
                "the truth is not learnt; ask for results/datasets/DATASET/attributes.parquet, "
                "where it is known"
            ),
        ),
    ],
)
def test_what_is_said_of_it(target: str, line: str) -> None:
    assert maker_of(PLAN, target) is None
    assert no_such_target(PLAN, target, own_file=True) == f"{target}: {line}"


def test_a_file_of_one_s_own_may_be_what_lacks() -> None:
    target = "results/my_first_try/metrics.json"
    more = "; if a file of your own has it, name that with --configfile"
    assert no_such_target(PLAN, target, own_file=False).endswith(more)
    assert not no_such_target(PLAN, target, own_file=True).endswith(more)


MARS = "dataset mars: data/mars/bbox_train is not there; get "
RAP = "source rap: data/rap/RAP_annotation/RAP_annotation.mat is not there; ask for RAP "
OF_MARS = ["bbox_train.zip", "http://", "data/mars", "datasets.mars.root", "wl_walkers"]
OF_RAP = ["RAP_dataset", "data/rap", "attribute_sources.rap.root", "studio is generated"]


@pytest.mark.parametrize(
    ("target", "line", "parts"),
    [
        *(
            (f"results/{name}", MARS, OF_MARS)
            for name in (
                "wl_mars/metrics.json",
                "tables/wl_table3/table.md",
                "tables/wl_table4/plot.svg",
                "tables/wl_figure5/coarse.png",
                "tables/wl_cost/mars/table.md",
                "tables/tmc_table1/table.md",
                "tables/tmc_table3/plot.svg",
                "tables/tmc_figure3/plot.svg",
            )
        ),
        ("results/tables/attr_figure4/plot.svg", RAP, OF_RAP),
        # a transfer needs the images too
        (
            "results/attributes/rap/walkers_tiny/official-1/labels.parquet",
            "source rap: data/rap/RAP_",
            OF_RAP,
        ),
        *(
            (
                f"results/wl_walkers_tiny_k_20/{name}",
                (
                    "experiments.wl_walkers_tiny_k_20: loss.k = 20 is larger than the 16 frames "
                    "sampled from a bag (batch.frames); lower k or let a bag hold more"
                ),
                [],
            )
            for name in ("metrics.json", "runs/official-1/audit.md")
        ),
        (
            "results/trackers/mot17_deepsort/rates.md",
            (
                "trackers.mot17_deepsort: data/mot17/gt/MOT17-02-FRCNN/gt/gt.txt is not there; "
                "put it there, or correct trackers.mot17_deepsort"
            ),
            [],
        ),
        (
            "results/tables/attr_labels/mars/table.md",
            (
                "tables.attr_labels: nobody knows the true attributes of dataset mars; ask for "
                "results/tables/attr_labels/walkers/table.md"
            ),
            [],
        ),
        (
            "results/tables/attr_by_attribute/mars/table.md",
            "nobody knows the true attributes of dataset mars; take a transfer that is learnt",
            [],
        ),
        (
            "results/wl_walkers/runs/official-1/masks.png",
            (
                "results/wl_walkers/runs/official-1/masks.png: wl_walkers has no COSAM, so no "
                "masks; ask for an experiment whose method has model.cosam, such as cosam_walkers"
            ),
            [],
        ),
        (
            "results/cosam_walkers/runs/official-1/erased_attention.json",
            (
                "results/cosam_walkers/runs/official-1/erased_attention.json: cosam_walkers "
                "attends to no frames, or its training erases none; ask for one with "
                "aggregation: {name: attention} and augment.erase, such as attn_cl_walkers"
            ),
            [],
        ),
    ],
)
def test_a_target_that_is_refused_before_anything_runs(
    target: str, line: str, parts: list[str], tmp_path, monkeypatch
) -> None:
    # a folder without data
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ReidError) as refused:
        steps_to(PLAN, [target])
    said = str(refused.value)
    assert said.startswith(line)
    assert "\n" not in said
    assert all(part in said for part in parts)
