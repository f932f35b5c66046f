"""Pseudo-labels over the epochs: what is drawn, and the same bytes twice."""

from pathlib import Path

import pandas as pd
import pytest

from weakreid.artifacts import schemas
from weakreid.config.params import Curve
from weakreid.errors import ReidError
from weakreid.report import figures
from weakreid.report.clusters import cluster_figure
from weakreid.stages import cluster_curve

TERMS = ("clusters", "unclustered", "nmi", "ari", "purity", "eps", "id")


def history(epochs: int, terms: tuple[str, ...] = TERMS, first: int = 0) -> pd.DataFrame:
    rows = [
        (epoch, 10 * epoch, term, 0.1 * epoch + 0.01 * number)
        for epoch in range(first, epochs)
        for number, term in enumerate(terms)
    ]
    return pd.DataFrame(rows, columns=["epoch", "step", "term", "value"])


def titles(figure: figures.Figure) -> list[str]:
    return [panel.get_title() for panel in figure.axes if panel.axison]


def test_a_panel_per_term_and_a_line_per_run() -> None:
    # whatever the order of a history's rows
    runs = {"official-1": history(4), "official-2": history(3).iloc[::-1]}
    figure = cluster_figure(runs, "tmc_walkers")
    assert titles(figure) == [
        "clusters",
        "un-clustered tracklets",
        "NMI of clustered tracklets",
        "ARI of clustered tracklets",
        "purity of clustered tracklets",
    ]
    assert figure.get_suptitle() == "tmc_walkers: pseudo-labels over the epochs"
    labels = [panel.get_ylabel() for panel in figure.axes if panel.axison]
    assert labels[:2] == ["number", "per cent of tracklets"]
    assert all(labels)
    nmi = next(panel for panel in figure.axes if panel.get_title().startswith("NMI"))
    assert [line.get_xdata().tolist() for line in nmi.lines] == [[0, 1, 2, 3], [0, 1, 2]]
    assert nmi.lines[0].get_ydata().tolist() == pytest.approx([0.02, 0.12, 0.22, 0.32])
    assert nmi.lines[0].get_color() != nmi.lines[1].get_color()
    # the legend fills the place that no panel takes
    legend = next(panel.get_legend() for panel in figure.axes if not panel.axison)
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["run official-1 (eps 0.350)", "run official-2 (eps 0.250)"]


def test_what_is_selected_or_joined_has_its_panels() -> None:
    figure = cluster_figure({"a": history(3, ("selected", "right"))}, "title")
    assert titles(figure) == ["selected tracklets", "right ones of them"]
    assert [panel.get_ylabel() for panel in figure.axes] == ["number", "per cent"]
    assert figure.axes[1].get_ylim() == (-2, 102)
    joined = cluster_figure({"a": history(3, ("joins", "right"))}, "title")
    assert titles(joined) == ["joined classes", "right ones of them"]


def test_without_the_truth_its_panels_are_left_out() -> None:
    figure = cluster_figure({"a": history(3, ("clusters", "unclustered"))}, "title")
    assert titles(figure) == ["clusters", "un-clustered tracklets"]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["run a"]


def test_a_term_that_one_run_has() -> None:
    runs = {"a": history(3, ("clusters",)), "b": history(3, ("clusters", "ari"))}
    figure = cluster_figure(runs, "title")
    assert titles(figure) == ["clusters", "ARI of clustered tracklets"]
    assert [len(panel.lines) for panel in figure.axes if panel.axison] == [2, 1]


def test_a_value_that_is_unknown_is_not_drawn() -> None:
    rows = history(4, ("nmi",))
    rows.loc[1, "value"] = float("nan")
    figure = cluster_figure({"a": rows}, "title")
    assert figure.axes[0].lines[0].get_xdata().tolist() == [0, 2, 3]


def test_clusters_worse_than_chance_are_in_the_panel() -> None:
    rows = history(3, ("ari",))
    rows["value"] = [-0.3, 0.0, 0.4]
    panel = cluster_figure({"a": rows}, "title").axes[0]
    low, high = panel.get_ylim()
    assert low < -0.3
    assert high > 1.0


@pytest.mark.parametrize("epochs", [1, 30])
def test_whole_epochs_alone_have_a_tick(epochs: int) -> None:
    panel = cluster_figure({"a": history(epochs)}, "title").axes[0]
    low, high = panel.get_xlim()
    ticks = [tick for tick in panel.get_xticks() if low <= tick <= high]
    assert ticks
    assert all(tick == round(tick) for tick in ticks)


@pytest.mark.parametrize("runs", [{}, {"a": history(0)}, {"a": history(3, ("id", "lr"))}])
def test_a_training_that_clusters_nothing_is_refused(runs: dict[str, pd.DataFrame]) -> None:
    with pytest.raises(ReidError, match="wl_walkers: no run's history has any of clusters, unc"):
        cluster_figure(runs, "wl_walkers")


def test_two_values_of_an_epoch_are_refused() -> None:
    rows = pd.concat([history(3), history(3, first=2)])
    with pytest.raises(ReidError, match="run a: epoch 2 has two values of clusters"):
        cluster_figure({"a": rows}, "title")


@pytest.mark.parametrize("name", ["clusters.svg", "clusters.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        figures.save(cluster_figure({"a": history(4)}, "title"), tmp_path / folder / name)
    assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_stage(tmp_path: Path) -> None:
    paths = [tmp_path / f"{number}.parquet" for number in range(2)]
    for number, path in enumerate(paths):
        schemas.write(path, "history", history(4, ("clusters", "nmi"), number), {})
    block = {"experiment": "tmc_walkers", "runs": ["official-1", "official-2"]}
    made = [tmp_path / name for name in ("one.svg", "two.svg")]
    for out in made:
        cluster_curve.main(history=paths, params=Curve.model_validate(block), out=out)
    assert made[0].read_bytes() == made[1].read_bytes()
    text = made[0].read_text(encoding="utf-8")
    assert all(words in text for words in ("tmc_walkers", "official-2", "NMI"))
    assert "ARI" not in text
    schemas.write(paths[0], "history", history(4, ("loss",)), {})
    with pytest.raises(ReidError, match="no run's history has any of clusters"):
        alone = Curve.model_validate({**block, "runs": ["a"]})
        cluster_curve.main(history=paths[:1], params=alone, out=tmp_path / "no.svg")
    assert not (tmp_path / "no.svg").exists()
