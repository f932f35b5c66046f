"""The positive ratios of attributes: by hand, as a plot and as a table."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from weakreid.attributes import GROUPS, NAMES, TITLES
from weakreid.config.params import Titled
from weakreid.datasets.annotated import Annotation, write_annotation
from weakreid.report import figures
from weakreid.report.ratios import figure_order, groups_table, ratio_figure
from weakreid.stages import ratios_plot as plot_stage
from weakreid.supervision.ratios import label_counts, positive_ratios

FEW = ("Female", "hs-Hat", "up-Red", "attach-Box")
LABELS = np.array(
    [[1, 0, -1, 0], [1, 0, -1, 1], [-1, 0, -1, 0], [0, 0, -1, 1], [1, 0, -1, 0]], np.int8
)


@given(
    hnp.arrays(
        np.int8,
        st.tuples(st.integers(0, 9), st.integers(0, 5)),
        elements=st.sampled_from([-1, 0, 1]),
    )
)
def test_ratios_counted_one_by_one(labels: np.ndarray) -> None:
    positive, known = label_counts(labels)
    ratios = positive_ratios(labels)
    assert ratios.dtype == np.float64
    assert len(ratios) == labels.shape[1]
    for column in range(labels.shape[1]):
        told = [label for label in labels[:, column].tolist() if label != -1]
        assert (positive[column], known[column]) == (sum(told), len(told))
        if told:
            assert ratios[column] == sum(told) / len(told)
        else:
            assert np.isnan(ratios[column])


def test_unsure_labels_are_in_neither_count() -> None:
    np.testing.assert_array_equal(positive_ratios(LABELS), [0.75, 0.0, np.nan, 0.4])


def test_the_order_of_the_papers_figure() -> None:
    order = figure_order(NAMES)
    assert sorted(order) == sorted(NAMES)
    assert order[:5] == ["Female", "AgeLess16", "Age17-30", "Age31-45", "hs-BaldHead"]
    # kinds of shoes and bags before all colours
    assert order[29:31] == ["shoes-Casual", "attach-Backpack"]
    assert order[37:40] == ["attach-Other", "up-Black", "up-White"]
    assert order[-8:] == [name for name in NAMES if name.startswith("shoes-")][-8:]
    assert figure_order(FEW[::-1]) == ["Female", "hs-Hat", "attach-Box", "up-Red"]


@pytest.mark.shared
def test_the_order_is_the_papers(shared_data: Path) -> None:
    papers = [path.read_text(encoding="utf-8") for path in shared_data.parent.glob("papers/*.txt")]
    assert any("".join(figure_order(NAMES)) in text for text in papers)


def test_the_figure() -> None:
    figure = ratio_figure("Small", FEW, LABELS)
    (axis,) = figure.axes
    assert [label.get_text() for label in axis.get_xticklabels()] == figure_order(FEW)
    bars = {round(bar.get_x() + bar.get_width() / 2): bar for bar in axis.patches}
    assert [bars[place].get_height() for place in range(4)] == [0.75, 0.0, 0.4, 0.0]
    # an attribute of which nothing is known
    assert [(text.get_text(), text.xy[0]) for text in axis.texts] == [("?", 3)]
    named = [text.get_text() for text in axis.get_legend().get_texts()]
    assert named == ["Gender & Age", "Head-Shoulder", "Up-Body", "Attach"]
    assert len({bar.get_facecolor() for bar in axis.patches}) == 4
    assert axis.get_title() == "Small"
    assert axis.get_ylim() == (0, 1)


def test_a_group_has_one_colour() -> None:
    labels = np.ones((1, len(NAMES)), np.int8)
    axis = ratio_figure("All", NAMES, labels).axes[0]
    order = figure_order(NAMES)
    colours: dict[str, set[object]] = {}
    for bar in axis.patches:
        name = order[round(bar.get_x() + bar.get_width() / 2)]
        group = next(group for group, names in GROUPS.items() if name in names)
        colours.setdefault(group, set()).add(bar.get_facecolor())
    assert [len(found) for found in colours.values()] == [1] * 6
    assert len(set().union(*colours.values())) == 6


@pytest.mark.parametrize("name", ["plot.svg", "plot.png"])
def test_the_same_bytes_twice(name: str, tmp_path: Path) -> None:
    for folder in ("one", "two"):
        figures.save(ratio_figure("Small", FEW, LABELS), tmp_path / folder / name)
    data = (tmp_path / "one" / name).read_bytes()
    assert data == (tmp_path / "two" / name).read_bytes()


def test_the_table() -> None:
    text = groups_table("Groups", FEW, LABELS)
    lines = [[cell.strip() for cell in line.split("|")[1:-1]] for line in text.splitlines()[4:10]]
    assert lines == [
        ["Gender & Age", "Female", "1", "Female 0.7500", "Female 0.7500", "1"],
        ["Head-Shoulder", "hs-Hat", "1", "hs-Hat 0.0000", "hs-Hat 0.0000", "0"],
        ["Up-Body", "up-Red", "1", "", "", "5"],
        ["Low-Body", "none", "0", "", "", "0"],
        ["Shoes", "none", "0", "", "", "0"],
        ["Attach", "attach-Box", "1", "attach-Box 0.4000", "attach-Box 0.4000", "0"],
    ]
    assert "Its text counts 68 attributes, its Figure 4 names 66: the figure's are taken." in text
    assert "5 pictures, train and test." in text
    assert "unsure labels, 6 (Female, up-Red), are in neither." in text
    assert "This source does not tell AgeLess16, Age17-30," in text
    assert "Nobody has hs-Hat." in text


def test_the_rarest_and_the_most_common() -> None:
    labels = np.zeros((20, len(NAMES)), np.int8)
    for column in range(len(NAMES)):
        labels[: 1 + column % 7, column] = 1
    text = groups_table("All", NAMES, labels)
    for group, names in GROUPS.items():
        line = next(line for line in text.splitlines() if line.startswith(f"| {TITLES[group]}"))
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        assert cells[1] == ", ".join(names)
        assert cells[2] == str(len(names))
        shares = {name: (1 + NAMES.index(name) % 7) / 20 for name in names}
        rarest, commonest = (cell.rsplit(" ", 1) for cell in cells[3:5])
        assert shares[rarest[0]] == min(shares.values()) == float(rarest[1])
        assert shares[commonest[0]] == max(shares.values()) == float(commonest[1])
    assert "does not tell" not in text
    assert "Nobody has" not in text


def test_the_stage(tmp_path: Path) -> None:
    files = [f"{row}.png" for row in range(5)]
    split = ["train", "train", "train", "test", "test"]
    annotation = Annotation(FEW, files, split, np.zeros(5, np.int32), LABELS)
    write_annotation(tmp_path / "annotation.parquet", annotation, {})
    params = Titled(title="A title")
    plot_stage.main(tmp_path / "annotation.parquet", params, tmp_path / "plot.svg")
    assert "A title" in (tmp_path / "plot.svg").read_text(encoding="utf-8")
