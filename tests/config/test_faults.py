"""Whose fault it is: each fault names its file, all at once, in lines that people can read."""

import copy
from pathlib import Path

import pytest

from weakreid.config.faults import blamed, listed, repeated_keys, suggest
from weakreid.config.sources import default_files, read_merged
from weakreid.errors import ReidError
from weakreid.plan.read import plan_of

FILES = default_files(Path(__file__).parents[2])
OWN = read_merged(FILES)


def merged(base, over):
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(base.get(key), dict)
        base[key] = merged(base[key], value) if both else value
    return base


def said(*parts):
    """What is said of a config that parts gave, the last one winning."""
    raw = copy.deepcopy(OWN)
    for _, part in parts:
        merged(raw, copy.deepcopy(part))
    with pytest.raises(ReidError) as refused:
        plan_of(raw)
    return blamed(refused.value, [("config.yaml", OWN), *parts])


def test_each_of_several_faults_names_its_file():
    mine = {
        "seeed": 1,
        "experiments": {"t": {"dataset": "walkers", "bags": "wl"}},
        "datasets": {"hall": {"kind": "mot", "root": "x", "sequences": [{"nam": "a"}]}},
    }
    more = {"methods": {"wl": {"batch": {"bagz": 3}}}}
    lines = said(("my.yaml", mine), ("more.yaml", more), ("--config", {"coarse": 7}))
    assert lines == [
        ("my.yaml: unknown key 'datasets.hall.sequences.0.nam'; did you mean 'name'?"),
        "more.yaml: unknown key 'methods.wl.batch.bagz'; did you mean 'bags'?",
        "my.yaml: unknown key 'seeed'; did you mean 'seed'?",
        "my.yaml: 'datasets.hall.sequences.0.name' is missing; it must be given",
        "my.yaml: 'datasets.hall.sequences.0.boxes' is missing; it must be given",
        "--config: 'coarse': Input should be a block of keys, got 7",
        "my.yaml: 'experiments.t.method' is missing; it must be given",
    ]


def test_names_that_do_not_exist_are_told_together():
    mine = {
        "experiments": {
            "one": {"dataset": "marss", "bags": "wl", "method": "wll"},
            "two": {"dataset": "mars", "bags": "wl", "method": "wl_", "seeds": [1]},
        },
        "noise": {"seen": {"observed": "nobody", "rfm": 2, "rsw": 1.5}},
    }
    lines = said(("my.yaml", mine))
    assert [line.split(":")[:2] for line in lines] == [
        ["my.yaml", " noise.seen.observed"],
        ["my.yaml", " experiments.one.dataset"],
        ["my.yaml", " experiments.one.method"],
        ["my.yaml", " experiments.two.method"],
    ]


def test_overrides_and_what_cannot_be_are_told_together():
    one = {"dataset": "walkers", "bags": "wl", "method": "wl"}
    mine = {
        "experiments": {
            "one": {**one, "overrides": {"loss": {"kk": 3}}},
            "two": {**one, "overrides": {"batch": {"pairs": 99}}},
        }
    }
    first, second = said(("my.yaml", mine))
    assert first == "my.yaml: experiments.one.overrides: unknown key 'loss.kk'; did you mean 'k'?"
    assert second.startswith("my.yaml: experiments.two: batch.pairs = 99 pairs need ")


def test_the_last_file_that_says_it_is_the_one():
    parts = [("a.yaml", {"seed": "x"}), ("b.yaml", {"seed": "y"}), ("c.yaml", {"coarse": {}})]
    (line,) = said(*parts)
    assert line.startswith("b.yaml: 'seed': ")


def test_a_fault_of_the_project_s_own_file_reads_as_before():
    broken = copy.deepcopy(OWN)
    broken["seed"] = "x"
    with pytest.raises(ReidError) as refused:
        plan_of(broken)
    (line,) = blamed(refused.value, [("config.yaml", broken), ("my.yaml", {})])
    assert line == str(refused.value)
    assert line.startswith("config.yaml: 'seed': ")


def test_no_line_is_too_long_to_read():
    key = "x" * 500
    for line in said(("my.yaml", {key: 1, "experiments": {"t": {"dataset": key}}})):
        assert len(f"error: {line}") <= 300
        assert line.startswith("my.yaml: ")


def test_of_a_thousand_names_a_few_are_said():
    names = [f"experiment_{number}" for number in range(1000)]
    assert len(suggest("zzz", names)) < 200
    assert suggest("zzz", names).endswith(" and 995 more")
    assert listed(["a", "b"]) == "a, b"
    assert suggest("zzz", ["b", "a"]) == "; allowed: a, b"


def test_a_key_that_is_given_twice_is_no_matter_of_chance():
    text = "a: &x\n  b: 1\n  b: 2\nc: [{<<: *x, d: 1}, {e: 1}]\nf: *x\na: 3\n"
    assert repeated_keys("my.yaml", text) == [
        (
            "my.yaml: line 3: the key 'b' is on line 2 already, which would not count; keep one of "
            "them"
        ),
        (
            "my.yaml: line 6: the key 'a' is on line 1 already, which would not count; keep one of "
            "them"
        ),
    ]
    assert repeated_keys("my.yaml", "") == []
    for path in FILES:
        assert repeated_keys(path.name, path.read_text("utf-8")) == []
