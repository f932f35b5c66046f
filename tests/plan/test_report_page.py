"""What is shown on the report's page, and what tells one thing on it from another."""

from pathlib import PurePath

from tests import configs
from tests.plan.jobs import one_of_each

from weakreid.plan.graph import steps_to
from weakreid.plan.read import RULES, plan_of
from weakreid.plan.report_page import labels, place

PLAN = plan_of(configs.every())
LOOKED_AT = {".md", ".html", ".png", ".svg"}


def test_what_people_look_at_is_marked_for_the_page() -> None:
    # whatever is added later: a picture or a table that is not in the report lies idle
    shown = [output for rule in RULES.values() for output in rule.outputs.values() if output.shown]
    assert len(shown) > 30
    for rule in RULES.values():
        for output in rule.outputs.values():
            assert output.shown or PurePath(output.path).suffix not in LOOKED_AT, output.path


def test_every_caption_is_used() -> None:
    used = {output.caption for rule in RULES.values() for output in rule.outputs.values()} - {""}
    there = {path.stem for path in (configs.ROOT / "workflow/report").glob("*.rst")}
    assert used == there - {"workflow"}


def test_headings() -> None:
    found = {
        place(PLAN, output.path)[0]
        for rule in RULES.values()
        for output in rule.outputs.values()
        if output.shown
    }
    assert found == {
        *("Attribute sources", "Datasets", "Experiments", "Tables", "Trackers", "Tuning")
    }
    _, title = place(PLAN, "results/tables/{table}{place}/table.md")
    assert callable(title) and title({"table": "mini_k"}) == "Tiny k"


def test_labels_tell_things_of_one_list_apart() -> None:
    targets = [path for step in one_of_each(PLAN).values() for path in step.outputs]
    targets += [f"results/{name}/metrics.json" for name in ("wl_tiny", "bags_as_clips")]
    lists: dict[tuple[str, str], list[tuple[str, ...]]] = {}
    for step in steps_to(PLAN, targets):
        for output in step.rule.outputs.values():
            if output.shown:
                heading, of = place(PLAN, output.path)
                name = of(step.wildcards) if callable(of) else of.format(**step.wildcards)
                told = labels(PLAN, output.shown, step.wildcards)
                lists.setdefault((heading, name), []).append(tuple(told.values()))
    for name, told in lists.items():
        assert len(set(told)) == len(told), name
    of_plot = labels(PLAN, "plot", {"table": "mini_k", "place": ""})
    assert of_plot == {"what": "plot", "dataset": "walkers_tiny"}
    assert labels(PLAN, "plot", {"table": "mini_k", "place": "/mars"})["dataset"] == "mars"
