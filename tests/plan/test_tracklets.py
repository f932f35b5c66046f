"""The config of noise, isolation and learning from tracklets: what it takes and refuses."""

import copy
from typing import Any

import pytest

from weakreid.config import losses, methods
from weakreid.errors import ReidError
from weakreid.plan.read import RULES, plan_of

SEQUENCE = {"name": "hall", "boxes": "boxes.txt", "video": "hall.avi"}
SMALL: dict[str, Any] = {
    "datasets": {
        "a": {"kind": "walkers", "size": "tiny"},
        "b": {"kind": "walkers", "size": "tiny", "seed": 2},
        "film": {"kind": "mot", "root": "film", "sequences": [SEQUENCE]},
    },
    "bags": {"three": {"tracklets_per_bag": [2, 3]}, "videos": {"videos": True}},
    "trackers": {"masa": {"root": "film", "sequences": ["hall", "door"], "static": ["hall"]}},
    "noise": {"clean": {}, "loud": {"rfm": 2, "rsw": 1.5}},
    "extractors": {
        "plain": {"model": {"backbone": "resnet18", "weights": "none", "embedding": "none"}}
    },
    "isolation": {"cut": {"extractor": "plain", "eps": 0.4}},
    "methods": {
        "quick": {"batch": {"frames": 8}},
        "slow": {"schedule": {"epochs": 50}},
        "apart": {"learns": "tracklets"},
        "later": {"learns": "tracklets", "schedule": {"epochs": 50}},
    },
    "experiments": {
        "mine": {"dataset": "a", "noise": "loud", "isolation": "cut", "method": "apart"},
        "bagged": {"dataset": "a", "bags": "three", "method": "quick"},
    },
    "studies": {
        "s": {
            "reference": "MARS",
            "method": "apart",
            "bags": "three",
            "isolation": "cut",
            "levels": {
                "still": {"noise": "clean", "label": "no noise"},
                "loud": {"noise": "loud", "label": "2 and 1.5"},
            },
            "isolations": {"near": {"eps": 0.2}, "same": {"eps": 0.4}},
            "changes": {"label": {"tracklets_per_bag": [1, 1], "majority": True}},
            "rows": {
                "minus": {"isolation": "none"},
                "near": {"isolation": "near"},
                "again": {"isolation": "same"},
                "bagged": {"method": "quick"},
                "labelled": {
                    "method": "quick",
                    "bags": "label",
                    "overrides": {"loss": {"name": "frame_ce"}, "cpal": {"weight": 0}},
                },
            },
        }
    },
    "tables": {
        "grid": {
            "kind": "results",
            "study": "s",
            "title": "T",
            "datasets": ["a"],
            "levels": ["still", "loud"],
            "rows": {"TMC-": "minus"},
        },
        "noise": {
            "kind": "noise",
            "study": "s",
            "title": "T",
            "datasets": ["a"],
            "paper": "TMC",
            "paper_table": "1",
        },
        "picture": {
            "kind": "isolation",
            "study": "s",
            "title": "T",
            "datasets": ["a"],
            "level": "loud",
            "shows": "switches",
        },
    },
}


def changed(key: str, value: Any) -> dict[str, Any]:
    """Return the small config with one key set, its blocks made where they are not there."""
    raw = copy.deepcopy(SMALL)
    block = raw
    *parents, last = key.split(".")
    for part in parents:
        block = block.setdefault(part, {})
    block[last] = value
    return raw


def refusal(raw: Any) -> str:
    """Return the line that refuses a config."""
    with pytest.raises(ReidError) as caught:
        plan_of(raw)
    line = str(caught.value)
    assert len(line.splitlines()) == 1
    return line


# --- what is refused ------------------------------------------------------------------------------

NOT_ALL = "config.yaml: '{}': majority needs noise and tracklets_per_bag: [1, 1]"
ONE_FILE = "config.yaml: 'trackers.masa': %s names one file for all sequences; put {sequence} in it"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("noise.loud", {"rfm": 2}, "config.yaml: '{}': give rfm and rsw, or neither"),
        ("noise.loud", {"rsw": 2}, "config.yaml: '{}': give rfm and rsw, or neither"),
        ("noise.loud", {"observed": "masa"}, "config.yaml: '{}': observed needs rfm and rsw"),
        (
            "noise.loud.rfm",
            0.5,
            "config.yaml: '{}': Input should be greater than or equal to 1, got 0.5",
        ),
        ("noise.loud.rsw", True, "config.yaml: '{}': Input should be a number, got true"),
        ("noise.loud.rmf", 2, "config.yaml: unknown key '{}'; did you mean 'rfm'?"),
        (
            "isolation.cut",
            {"extractor": "plain", "outliers": "own", "reach": 2},
            "config.yaml: '{}': reach goes with outliers: join, not with own; leave it out",
        ),
        (
            "isolation.cut",
            {"extractor": "plain", "outliers": "drop", "min_frames": 6},
            "config.yaml: '{}': min_frames goes with outliers: join, not with drop; leave it out",
        ),
        ("isolation.cut", {}, "config.yaml: '{}.extractor' is missing; it must be given"),
        ("isolation.cut.eps", 0, "config.yaml: '{}': Input should be greater than 0, got 0"),
        (
            "isolation.cut.eps",
            2.5,
            "config.yaml: '{}': Input should be less than or equal to 2, got 2.5",
        ),
        (
            "isolation.cut.reach",
            0.5,
            "config.yaml: '{}': Input should be greater than or equal to 1, got 0.5",
        ),
        (
            "isolation.cut.outliers",
            "joni",
            "config.yaml: '{}': Input should be 'join', 'own' or 'drop', got \"joni\"",
        ),
        (
            "isolation.none",
            {"extractor": "plain"},
            "isolation.none: that name says that there is none; rename it",
        ),
        *(
            (
                "extractors.plain",
                {"model": model},
                "config.yaml: '{}': an extractor has no embedding; set model.embedding: none",
            )
            for model in ({}, {"embedding": "bnneck"})
        ),
        (
            "extractors.plain.model.frozen",
            ["stem"],
            "config.yaml: 'extractors.plain': an extractor does not learn; leave out model.frozen",
        ),
        ("trackers.masa.iou", 0, "config.yaml: '{}': Input should be greater than 0, got 0"),
        (
            "trackers.masa.sequences",
            ["hall", "hall"],
            'config.yaml: \'{}\': Input should hold nothing twice, got ["hall", "hall"]',
        ),
        (
            "trackers.masa.static",
            ["gate"],
            "config.yaml: 'trackers.masa': static: 'gate' is not one of sequences",
        ),
        ("trackers.masa.truth", "gt.txt", ONE_FILE % "truth"),
        ("trackers.masa.output", "out.txt", ONE_FILE % "output"),
        ("trackers.masa.sequences", [], "config.yaml: '{}': Input should not be empty, got []"),
        (
            "trackers.masa.missed",
            "yes",
            "config.yaml: '{}': Input should be 'count' or 'leave_out', got \"yes\"",
        ),
        (
            "bags.three",
            {"noise": "loud", "missing": {}},
            "config.yaml: '{}': noise does not go with missing; leave one out",
        ),
        *(
            (
                "bags.videos",
                {"videos": True, **more},
                f"config.yaml: '{{}}': videos are bags as they are; leave out {', '.join(more)}",
            )
            for more in ({"noise": "loud"}, {"missing": {}, "planted": {}}, {"tracklet_parts": 2})
        ),
        ("bags.three", {"majority": True, "tracklets_per_bag": [1, 1]}, NOT_ALL),
        ("bags.three", {"majority": True, "noise": "loud"}, NOT_ALL),
    ],
)
def test_wrong_noise_or_isolation(key: str, value: Any, line: str) -> None:
    assert refusal(changed(key, value)) == line.replace("{}", key)


BETWEEN = "config.yaml: '{}': Input should be {}, got {}"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "learns",
            "tracks",
            "config.yaml: '{}': 'tracks' does not exist; did you mean 'tracklets'?",
        ),
        ("loss", {"name": "mil"}, "config.yaml: unknown key '{}'; did you mean 'losses'?"),
        ("asociation", {}, "config.yaml: unknown key '{}'; did you mean 'association'?"),
        (
            "batch.bags",
            2,
            "config.yaml: unknown key '{}'; allowed: cache_mb, clusters, frames, tracklets",
        ),
        ("batch.clusters", 1, BETWEEN.format("{}", "greater than or equal to 2", 1)),
        ("batch.tracklets", 1, BETWEEN.format("{}", "greater than or equal to 2", 1)),
        # at 1 everything is one cluster
        ("association.eps", 1, BETWEEN.format("{}", "less than 1", 1)),
        ("association.eps", 0, BETWEEN.format("{}", "greater than 0", 0)),
        ("association.share", 0, BETWEEN.format("{}", "greater than 0", 0)),
        ("association.share", 2, BETWEEN.format("{}", "less than or equal to 1", 2)),
        ("association.k1", 0, BETWEEN.format("{}", "greater than or equal to 1", 0)),
        ("losses.soft_identity", 2, BETWEEN.format("{}", "less than or equal to 1", 2)),
        ("losses.triplet", "hard", BETWEEN.format("{}", "'hinge' or 'softmax'", '"hard"')),
        ("mean_net.keep", "both", BETWEEN.format("{}", "'mean' or 'net'", '"both"')),
        ("mean_net.momentum", 1.5, BETWEEN.format("{}", "less than or equal to 1", 1.5)),
        (
            "batch.cache_mb",
            10,
            (
                "experiments.mine: batch.cache_mb needs a frozen first stage; add stem to "
                "model.frozen, or set cache_mb: 0"
            ),
        ),
    ],
)
def test_a_wrong_method(key: str, value: Any, line: str) -> None:
    key = f"methods.apart.{key}"
    assert refusal(changed(key, value)) == line.format(key)


def test_a_method_that_learns_from_bags_has_no_association() -> None:
    assert refusal(changed("methods.quick.association", {})) == (
        "config.yaml: unknown key 'methods.quick.association'; allowed: aggregation, augment, "
        "batch, clips, cpal, evaluation, image, instances, learns, loss, model, optimiser, "
        "precision, schedule"
    )


@pytest.mark.parametrize(
    ("sequence", "line"),
    [
        ({"video": None}, ".0': give either video or frames"),
        ({"frames": "pictures"}, ".0': give either video or frames"),
        (
            {"first_frame": 5, "last_frame": 4},
            ".0': last_frame comes before first_frame; swap them",
        ),
        (
            {"name": "../hall"},
            ".0.name': String should match pattern '^[A-Za-z0-9][A-Za-z0-9_.-]*$', got \"../hall\"",
        ),
        (
            {"role": "test"},
            ".0.role': Input should be 'train', 'query' or 'gallery', got \"test\"",
        ),
    ],
)
def test_a_wrong_sequence(sequence: dict[str, Any], line: str) -> None:
    raw = changed("datasets.film.sequences", [{**SEQUENCE, **sequence}])
    assert refusal(raw) == f"config.yaml: 'datasets.film.sequences{line}"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("sequences", [], "'{}': Input should not be empty, got []"),
        (
            "sequences",
            [SEQUENCE, SEQUENCE],
            "'datasets.film': two sequences have one name; rename one",
        ),
        ("on_bad_box", "drop", "'{}': Input should be 'stop' or 'clip', got \"drop\""),
        ("truth_ids", "each", "'{}': Input should be 'per_file' or 'global', got \"each\""),
        ("rot", "x", "unknown key '{}'; did you mean 'root'?"),
    ],
)
def test_a_wrong_tracker_s_dataset(key: str, value: Any, line: str) -> None:
    key = f"datasets.film.{key}"
    assert refusal(changed(key, value)) == f"config.yaml: {line.format(key)}"


@pytest.mark.parametrize(
    ("key", "value", "meant"),
    [
        ("noise.loud.observed", "mssa", "masa"),
        ("isolation.cut.extractor", "plian", "plain"),
        ("bags.three.noise", "ludo", "loud"),
        ("experiments.mine.noise", "lod", "loud"),
        ("experiments.mine.isolation", "ctu", "cut"),
        ("experiments.bagged.bags", "thre", "three"),
        ("studies.s.levels.loud.noise", "lod", "loud"),
        ("studies.s.isolation", "ctu", "cut"),
        ("studies.s.datasets.a.isolation", "ctu", "cut"),
        ("studies.s.rows.near.isolation", "naer", "near"),
        ("studies.s.rows.bagged.method", "quik", "quick"),
        ("studies.s.rows.labelled.bags", "lable", "label"),
        ("tables.grid.rows.TMC-", "mimus", "minus"),
        ("tables.picture.level", "lod", "loud"),
    ],
)
def test_a_name_that_does_not_exist(key: str, value: str, meant: str) -> None:
    line = f"{key}: '{value}' does not exist; did you mean '{meant}'?"
    assert refusal(changed(key, value)) == line


@pytest.mark.parametrize(
    ("key", "value", "wrong", "meant"),
    [
        ("studies.s.datasets.a.isolations", {"naer": {}}, "naer", "near"),
        ("studies.s.datasets.a.methods", {"quik": "slow"}, "quik", "quick"),
        ("studies.s.datasets.a.methods", {"quick": "slwo"}, "slwo", "slow"),
        ("tables.grid.levels", ["lod"], "lod", "loud"),
    ],
)
def test_one_of_several_names_that_does_not_exist(
    key: str, value: Any, wrong: str, meant: str
) -> None:
    line = f"{key}: '{wrong}' does not exist; did you mean '{meant}'?"
    assert refusal(changed(key, value)) == line


def test_a_study_s_values_are_checked() -> None:
    at = "studies.s.isolations.near"
    assert refusal(changed(at, {"esp": 1})) == f"{at}: unknown key 'esp'; did you mean 'eps'?"
    assert refusal(changed(at, {"eps": 0})) == (
        f"{at}: 'eps': Input should be greater than 0, got 0"
    )
    assert refusal(changed("studies.s.levels.loud", {"noise": "loud"})) == (
        "config.yaml: 'studies.s.levels.loud.label' is missing; it must be given"
    )
    assert refusal(changed("studies.s.levels.a-b", {"noise": "loud", "label": "x"})) == (
        "config.yaml: 'studies.s.levels': the name \"a-b\" may hold a-z, 0-9 and _ only"
    )


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("paper", "P", "config.yaml: 'tables.grid': give paper and paper_table, or neither"),
        ("paper_table", "1", "config.yaml: 'tables.grid': give paper and paper_table, or neither"),
        (
            "levels",
            ["loud", "loud"],
            'config.yaml: \'{}\': Input should hold nothing twice, got ["loud", "loud"]',
        ),
        (
            "metrics",
            ["R-2"],
            (
                "config.yaml: '{}.0': Input should be 'R-1', 'R-5', 'R-10', 'R-20', 'mAP', "
                "'impurity' or 'clusters', got \"R-2\""
            ),
        ),
        ("rows", {}, "config.yaml: '{}': Input should not be empty, got {{}}"),
    ],
)
def test_a_wrong_table_of_noise_levels(key: str, value: Any, line: str) -> None:
    key = f"tables.grid.{key}"
    assert refusal(changed(key, value)) == line.format(key)


@pytest.mark.parametrize(
    ("kind", "more"),
    [("audit", {"row": "minus"}), ("cost", {}), ("counts", {"paper": "TMC", "paper_table": "1"})],
)
def test_a_table_of_bags_that_there_are_not(kind: str, more: dict[str, Any]) -> None:
    block = {"kind": kind, "study": "s", "title": "T", "datasets": ["a"], **more}
    name = "s_a_minus" if kind == "audit" else "s_a"
    assert refusal(changed("tables.more", block)) == (
        f"tables.more.study: {name} does not learn from bags, which a table of kind {kind} shows; "
        "take a study or row that does"
    )


def test_a_table_of_noise_that_there_is_not() -> None:
    raw = changed("studies.t", {"reference": "MARS", "method": "quick", "bags": "three"})
    raw["tables"]["noise"]["study"] = "t"
    assert refusal(raw) == "tables.noise.study: t has no levels of noise; take another study"


def test_a_row_with_a_value_that_its_table_s_axis_has_no_place_for() -> None:
    raw = changed("tables.grid.axis", "eps")
    # a row without a value is a line across the axis
    raw["tables"]["grid"]["rows"] = {"TMC-": "minus", "eps = 0.2": "near"}
    plan_of(raw)
    raw["tables"]["grid"]["rows"]["eps = low"] = "near"
    assert refusal(raw) == (
        "config.yaml: 'tables.grid': row 'eps = low' has no place on the axis eps; call it "
        "'eps = NUMBER', or leave axis out"
    )


# --- experiments ----------------------------------------------------------------------------------

TRACKLETS = "the method apart learns from tracklets"
BAGS = "the method quick learns from bags"


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("mine.bags", "three", f"{{}}: {TRACKLETS}; leave bags out, or take another method"),
        ("mine.noise", None, f"config.yaml: '{{}}' is missing; {TRACKLETS}"),
        ("bagged.noise", "loud", f"{{}}: {BAGS}; leave noise out, or take another method"),
        ("bagged.isolation", "cut", f"{{}}: {BAGS}; leave isolation out, or take another method"),
        ("bagged.bags", None, f"config.yaml: '{{}}' is missing; {BAGS}"),
        (
            "mine.overrides",
            {"association": {"esp": 0.5}},
            "{}: unknown key 'association.esp'; did you mean 'eps'?",
        ),
        (
            "mine.overrides",
            {"learns": "bags"},
            "{}: 'learns': Input should be 'tracklets', got \"bags\"",
        ),
    ],
)
def test_what_does_not_fit_the_method(key: str, value: Any, line: str) -> None:
    key = f"experiments.{key}"
    assert refusal(changed(key, value)) == line.format(key)


def test_noise_on_a_tracker_s_output() -> None:
    raw = changed("experiments.mine.dataset", "film")
    assert refusal(raw) == (
        "experiments.mine: noise.loud simulates a tracker's noise, but dataset film is a tracker's "
        "output already; take a noise without rfm"
    )
    raw["experiments"]["mine"]["noise"] = "clean"
    assert plan_of(raw).experiments["mine"].noise == "clean"


def test_a_label_for_every_noisy_tracklet_is_the_majority_s() -> None:
    raw = changed("bags.three", {"tracklets_per_bag": [1, 1], "noise": "loud"})
    raw["experiments"]["bagged"]["overrides"] = {
        "loss": {"name": "frame_ce"},
        "cpal": {"weight": 0},
    }
    assert refusal(raw) == (
        "experiments.bagged: the loss frame_ce needs one label for every tracklet, but those of "
        "bags.three show several people; set majority: true there"
    )
    raw["bags"]["three"]["majority"] = True
    plan_of(raw)


def test_bags_of_named_videos_need_names() -> None:
    raw = changed("experiments.bagged.bags", "videos")
    for dataset in ("a", "film"):
        raw["experiments"]["bagged"]["dataset"] = dataset
        assert refusal(raw) == (
            f"experiments.bagged: bags.videos takes a video's names, but dataset {dataset} has "
            "none; set its names, or leave out videos"
        )
    raw["datasets"]["film"]["names"] = "names.csv"
    assert plan_of(raw).experiments["bagged"].bags == "videos"


def test_a_method_that_does_not_say_learns_from_bags() -> None:
    found = plan_of(SMALL).config.methods
    assert isinstance(found["quick"], methods.BagMethod)
    assert isinstance(found["apart"], methods.TrackletMethod)
    assert [found[name].learns for name in ("quick", "apart")] == ["bags", "tracklets"]


def test_overrides_of_a_method_that_learns_from_tracklets() -> None:
    raw = changed("experiments.mine.overrides", {"association": {"eps": "0.5"}})
    found = plan_of(raw)
    method = found.experiments["mine"].method
    assert isinstance(method, methods.TrackletMethod)
    assert method.association == methods.Association(eps=0.5)
    assert (
        method.model_copy(update={"association": methods.Association()})
        == (found.config.methods["apart"])
    )


# --- studies --------------------------------------------------------------------------------------


def test_levels_give_names_and_the_first_none() -> None:
    found = plan_of(SMALL)
    rows = ("", "minus", "near", "bagged", "labelled")
    expected = [
        f"s_{dataset}{row and f'_{row}'}{level}"
        for dataset in ("a", "b", "film")
        for row in rows
        for level in ("", "_loud")
    ]
    assert list(found.experiments) == ["mine", "bagged", *expected]
    # what a tracker gave has noise of its own
    assert found.refused == {
        name: (
            f"experiments.{name}: noise.loud simulates a tracker's noise, but dataset film is a "
            "tracker's output already; take a noise without rfm"
        )
        for name in expected
        if name.startswith("s_film") and name.endswith("loud")
    }
    for row in rows:
        for level in ("still", "loud"):
            name = found.row("s", "b", row, level)
            assert name == f"s_b{row and f'_{row}'}{'_loud' if level == 'loud' else ''}"
            assert found.experiments[name].dataset == "b"
        # whoever names no level means the first
        assert found.row("s", "b", row) == f"s_b{row and f'_{row}'}"


@pytest.mark.parametrize(("suffix", "noise"), [("", "clean"), ("_loud", "loud")])
def test_what_a_row_learns_from_at_a_level(suffix: str, noise: str) -> None:
    found = plan_of(SMALL)

    def seen(row: str) -> tuple[str | None, str | None, str | None]:
        experiment = found.experiments[f"s_a{row}{suffix}"]
        return experiment.bags, experiment.noise, experiment.isolation

    assert seen("") == (None, noise, "cut")
    assert seen("_minus") == (None, noise, None)
    assert seen("_near") == (None, noise, "cut_near")
    assert seen("_bagged") == (f"three{suffix}", None, None)
    assert seen("_labelled") == (f"three_label{suffix}", None, None)


def test_rows_that_change_nothing_are_the_experiment_that_they_equal_at_every_level() -> None:
    found = plan_of(SMALL)
    assert found.same == {
        f"s_{dataset}_again{level}": f"s_{dataset}{level}"
        for dataset in ("a", "b", "film")
        for level in ("", "_loud")
    }
    assert found.row("s", "a", "again", "loud") == "s_a_loud"


def test_isolations_are_made_by_name() -> None:
    found = plan_of(SMALL)
    cut = found.config.isolation["cut"]
    # near is made for all datasets once; same is what is there
    assert set(found.config.isolation) == {"cut", "cut_near"}
    assert found.config.isolation["cut_near"] == cut.model_copy(update={"eps": 0.2})


def test_bags_are_made_of_a_level_s_tracklets() -> None:
    found = plan_of(SMALL)
    assert set(found.config.bags) == {
        *("three", "videos", "three_loud", "three_label", "three_label_loud"),
    }
    three = found.config.bags["three"]
    assert found.config.bags["three_loud"] == three.model_copy(update={"noise": "loud"})
    # where nobody shares a tracklet, nobody has to be in the majority
    label = three.model_copy(update={"tracklets_per_bag": (1, 1)})
    assert found.config.bags["three_label"] == label
    noisy = label.model_copy(update={"noise": "loud", "majority": True})
    assert found.config.bags["three_label_loud"] == noisy


def test_a_level_without_noise_need_not_be_the_first() -> None:
    raw = changed("studies.s.levels", {})
    for name in ("loud", "still"):
        raw["studies"]["s"]["levels"][name] = SMALL["studies"]["s"]["levels"][name]
    found = plan_of(raw)
    assert found.experiments["s_a"].noise == "loud"
    assert found.experiments["s_a_still"].noise == "clean"
    assert found.experiments["s_a_bagged"].bags == "three_loud"
    assert found.experiments["s_a_bagged_still"].bags == "three"


def test_what_a_place_does_otherwise() -> None:
    raw = changed("isolation.coarse", {"extractor": "plain", "eps": 0.6})
    raw["studies"]["s"]["datasets"] = {
        "b": {
            "isolation": "coarse",
            "method": "later",
            "methods": {"quick": "slow"},
            "overrides": {"association": {"k1": 5}},
            "isolations": {"near": {"eps": 0.5}},
            "rows": {"minus": {"association": {"k2": 3}}, "bagged": {"loss": {"k": 3}}},
        }
    }
    found = plan_of(raw)
    assert found.experiments["s_a"].isolation == "cut"
    assert found.experiments["s_b"].isolation == "coarse"
    assert found.experiments["s_b_near_loud"].isolation == "coarse_near"
    assert found.config.isolation["coarse_near"].eps == 0.5
    assert found.experiments["s_b"].method_name == "later"
    assert found.experiments["s_b_bagged"].method_name == "slow"
    assert found.experiments["s_a_bagged"].method_name == "quick"

    def told(name: str) -> tuple[int, int, int]:
        method = found.experiments[name].method
        assert isinstance(method, methods.TrackletMethod)
        return method.schedule.epochs, method.association.k1, method.association.k2

    assert told("s_a") == (20, 30, 6)
    assert told("s_b") == (50, 5, 6)
    assert told("s_b_minus_loud") == (50, 5, 3)
    # overrides are of the study's method, not of one that a row names
    bagged = found.experiments["s_b_bagged_loud"].method
    assert isinstance(bagged, methods.BagMethod)
    assert bagged.loss == losses.Mil(name="mil", k=3)
    assert bagged.schedule.epochs == 50


def test_tables_name_rows_at_levels() -> None:
    rows = {"TMC": "again", "TMC-": "minus"}
    found = plan_of(changed("tables.grid.rows", rows))
    assert found.config.tables["grid"].rows == rows  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        (
            "levels",
            {},
            f"config.yaml: '{{}}' is missing; {TRACKLETS}; give some, or studies.s.noise",
        ),
        (
            "bags",
            None,
            "config.yaml: '{}' is missing; the method of a row of it learns from bags",
        ),
        ("isolation", None, "config.yaml: '{}' is missing; a row changes it"),
        (
            "rows.loud",
            {},
            (
                "studies.s: row loud on dataset a is to be the experiment s_a_loud, which is there "
                "already (in experiments, or of another row and dataset); rename the row or the "
                "dataset"
            ),
        ),
    ],
)
def test_a_study_that_is_refused(key: str, value: Any, line: str) -> None:
    raw = changed(f"studies.s.{key}", value)
    raw["tables"] = {}
    assert refusal(raw) == line.format(f"studies.s.{key}")


@pytest.mark.parametrize("where", ["another dataset's", "the config's"])
def test_an_isolation_of_a_name_that_is_taken(where: str) -> None:
    if where == "another dataset's":
        raw = changed("studies.s.datasets", {"a": {"isolations": {"near": {"eps": 0.3}}}})
    else:
        raw = changed("isolation.cut_near", {"extractor": "plain"})
    assert refusal(raw) == (
        "studies.s.isolations.near: isolation.cut_near is there already and differs; rename one"
    )


@pytest.mark.parametrize(
    ("key", "given", "value"),
    [
        # as --config gives them: text, whatever was meant
        ("noise.loud.rfm", "2.5", 2.5),
        ("isolation.cut.eps", "0.5", 0.5),
        ("isolation.cut.reach", "null", None),
        ("methods.apart.association.eps", "null", None),
        ("methods.apart.mean_net.momentum", "0.9", 0.9),
        ("studies.s.rows.minus.isolation", "null", None),
        ("bags.three.noise", "null", None),
        ("trackers.masa.min_run", "3", 3),
    ],
)
def test_the_value_that_was_meant(key: str, given: Any, value: Any) -> None:
    found: Any = plan_of(changed(key, given)).config
    for part in key.split("."):
        found = found[part] if isinstance(found, dict) else getattr(found, part)
    assert found == value
    assert type(found) is type(value)


def test_trainings_meet_the_simulations_of_a_noise_level_in_turn() -> None:
    raw = copy.deepcopy(SMALL)
    raw["noise"]["loud"]["simulations"] = 3
    raw["studies"]["s"]["seeds"] = [1, 2, 3, 4]
    plan = plan_of(raw)
    folder = "results/datasets/a/official"
    found = [plan.run("s_a_loud", f"official-{seed}").tracks for seed in (1, 2, 3, 4)]
    assert found == [
        f"{folder}/isolated/loud{number}-cut.parquet" for number in ("", "-2", "-3", "")
    ]
    assert [plan.run("s_a", f"official-{seed}").noise for seed in (1, 2)] == ["clean", "clean"]
    assert plan.run("s_a_bagged_loud", "official-2").bags == f"{folder}/bags/three_loud-2.parquet"
    assert plan.config.bags["three_loud-2"].noise == "loud-2"

    def seed_of(noise: str) -> int:
        return RULES["noise"].needs(plan, dataset="a", split="official", noise=noise).params.seed

    assert seed_of("loud") == plan.config.seed
    assert len({seed_of(name) for name in ("loud", "loud-2", "loud-3")}) == 3


def test_what_is_not_simulated_has_no_simulations() -> None:
    raw = copy.deepcopy(SMALL)
    raw["noise"]["clean"]["simulations"] = 3
    with pytest.raises(ReidError, match="simulations: without rfm and rsw nothing is simulated"):
        plan_of(raw)


@pytest.mark.parametrize("learns", ["one_shot", "intra_camera"])
def test_labels_of_tracklets_need_people_who_are_known(learns: str) -> None:
    raw = copy.deepcopy(SMALL)
    raw["methods"]["apart"] = {"learns": learns}
    raw["methods"]["later"] = {"learns": "tracklets"}
    raw["experiments"]["mine"] = {"dataset": "film", "noise": "clean", "method": "apart"}
    del raw["studies"]
    with pytest.raises(ReidError, match="sequences of dataset film have no truth"):
        plan_of(raw)


@pytest.mark.parametrize("part", ["association", "isolation"])
def test_the_truth_of_a_part_needs_people_who_are_known(part: str) -> None:
    raw = copy.deepcopy(SMALL)
    raw["methods"]["told"] = {"learns": "tracklets"}
    mine = {"dataset": "film", "noise": "clean", "isolation": None, "method": "told"}
    if part == "association":
        mine["overrides"] = {"association": {"truth": "clusters"}}
    else:
        raw.setdefault("isolation", {})["told"] = {"extractor": "any", "truth": True}
        raw.setdefault("extractors", {})["any"] = {"model": {"embedding": "none"}}
        mine["isolation"] = "told"
    raw["experiments"]["mine"] = mine
    del raw["studies"]
    key = "association.truth" if part == "association" else "isolation.told.truth"
    said = f"mine: {key} needs to know .* have no truth; add it, or leave {key} out"
    with pytest.raises(ReidError, match=said):
        plan_of(raw)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"contrast": {}, "losses": {"margin": 0.3}}, "contrast takes the place of losses"),
        ({"association": {"truth": "eps", "eps": 0.5}}, "truth: eps leaves nothing to eps"),
        *(
            (
                {"association": {"truth": part, key: True}},
                f"truth: {part} leaves nothing to {key}; set {key}: false",
            )
            for part, key in (
                *(("clusters", key) for key in ("renewed", "centred", "apart")),
                ("eps", "renewed"),
            )
        ),
        ({"association": {"renewed": True, "eps": 0.5}}, "renewed: true leaves nothing to eps 0.5"),
        (
            {"association": {"share": 0.1, "pairs_per_tracklet": 2}},
            "share and pairs_per_tracklet both say",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_a_line(changes: Any, said: str) -> None:
    raw = copy.deepcopy(SMALL)
    raw["methods"]["mine"] = {"learns": "tracklets", **changes}
    with pytest.raises(ReidError, match=said):
        plan_of(raw)
