"""Where each value of an experiment's method comes from."""

from tests import configs

from weakreid.plan.provenance import DEFAULT, values_of
from weakreid.plan.read import plan_of

PLAN = plan_of(configs.own())


def where(name: str) -> dict[str, str]:
    return {key: place for key, _, place in values_of(PLAN, PLAN.experiments[name])}


def test_every_value_is_told_with_where_it_stands() -> None:
    experiment = PLAN.experiments["demo"]
    told = {key: value for key, value, _ in values_of(PLAN, experiment)}
    plain = experiment.method.model_dump(mode="json")
    for key, value in told.items():
        found = plain
        for part in key.split("."):
            found = found[part]
        assert found == value
    places = where("demo")
    assert places["loss.k"] == places["schedule.epochs"] == "experiments.demo.overrides"
    assert places["model.backbone"] == places["schedule.warm_up"] == "methods.small"
    assert places["evaluation.keep"] == places["precision"] == DEFAULT


def test_a_study_s_layers_win_one_after_the_other() -> None:
    at = "studies.wl.datasets.walkers"
    own, row = where("wl_walkers"), where("wl_walkers_hslr_cpal")
    assert own["loss.k"] == row["loss.k"] == own["schedule.warm_up"] == f"{at}.overrides"
    assert row["loss.name"] == "studies.wl.rows.hslr_cpal.overrides"
    assert own["optimiser.backbone_factor"] == DEFAULT
    assert row["optimiser.backbone_factor"] == f"{at}.rows.hslr_cpal"
    # of another loss: a value that nobody gave
    assert row["loss.alpha"] == DEFAULT


def test_a_block_that_was_null_is_told_whole() -> None:
    places = where("cosam_walkers")
    assert {place for key, place in places.items() if key.startswith("model.cosam.")}
