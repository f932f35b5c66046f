"""Attributes that people ticked for MARS's persons."""

import numpy as np
import pandas as pd
import pytest

from weakreid.attributes import NAMES, UNSURE
from weakreid.datasets import mars_attributes
from weakreid.errors import ReidError
from weakreid.supervision.attribute_labels import majority_labels

ANNOTATION = "mars_attributes.csv"

HEAD = "person-id,camera,tracklet," + ",".join(mars_attributes.VALUES)
ADA = "1,2,58,8,0,1,1,1,0,0,0,0,1,1,1"
BOB = "7,1,3,5,8,2,0,0,1,0,1,1,0,0,0"


def read(tmp_path, *lines):
    path = tmp_path / ANNOTATION
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return mars_attributes.read(tmp_path, annotation=ANNOTATION)


def ticked(found, row) -> set[str]:
    return {name for name, label in zip(found.attributes, found.labels[row], strict=True) if label}


def test_every_attribute_has_rap_s_name():
    assert set(mars_attributes.TOLD) <= set(NAMES)


def test_numbers_say_what_they_were_settled_to(tmp_path):
    found = read(tmp_path, ADA, BOB)
    assert found.file == ["1/2/58", "7/1/3"]
    assert found.person_id.tolist() == [1, 7]
    assert ticked(found, 0) == {
        *("Female", "Age17-30", "hs-LongHair", "ub-ShortSleeve", "up-Mixture", "low-White"),
        "attach-HandBag",
    }
    assert ticked(found, 1) == {
        *("Age31-45", "hs-Hat", "up-White", "low-Blue", "lb-LongTrousers", "attach-Backpack"),
    }


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "no tracklet"),
        ([ADA.replace(",8,0,", ",9,0,", 1)], "row 2: Tops.c is '9'"),
        ([ADA, BOB.replace("7,", "x,", 1)], "row 3: person-id is 'x'"),
        ([ADA, ADA + ",1"], "no table"),
        # pandas took the first column for an index: every value was its neighbour's
        (["7," + ADA, "7," + BOB], "no table .*more fields than its header"),
        ([ADA, BOB, ADA], "row 4: person/camera/tracklet 1/2/58 is there twice"),
        ([ADA[:-1]], "row 2: gender is ''"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, lines, said):
    with pytest.raises(ReidError, match="mars_attributes.csv.*" + said):
        read(tmp_path, *lines)


def test_a_column_that_is_there_twice(tmp_path):
    path = tmp_path / ANNOTATION
    path.write_text(f"{HEAD},hat\n{ADA},1\n", encoding="utf-8")
    with pytest.raises(ReidError, match=r"no table .*column hat is there twice"):
        mars_attributes.read(tmp_path, annotation=ANNOTATION)


def test_a_table_without_a_column(tmp_path):
    (tmp_path / "a.csv").write_text("person-id,camera\n1,2\n", encoding="utf-8")
    with pytest.raises(ReidError, match="no column tracklet"):
        mars_attributes.read(tmp_path, annotation="a.csv")


def test_a_person_has_what_most_tracklets_say():
    rows = [
        (3, [1, 0, UNSURE]),
        (2, [0, 1, 1]),
        (3, [1, 1, UNSURE]),
        (3, [0, 0, 1]),
        (0, [1, 1, 1]),
    ]
    rows += [(2, [0, 0, UNSURE])]
    frame = pd.DataFrame(rows, columns=["person_id", "labels"])
    found = pd.DataFrame(majority_labels(frame, ["a", "b", "c"]))
    slow = []
    for person in (2, 3):
        for place in range(3):
            said = [labels[place] for who, labels in rows if who == person]
            yes, no = said.count(1), said.count(0)
            slow.append(UNSURE if yes == no else int(yes > no))
    assert found["label"].tolist() == slow
    assert found["person_id"].tolist() == [2, 2, 2, 3, 3, 3]
    np.testing.assert_allclose(found["probability"], [0, 0.5, 1, 2 / 3, 1 / 3, 1], rtol=1e-6)


@pytest.mark.shared
def test_the_real_table(shared_data):
    found = mars_attributes.read(shared_data / "mars_attributes", annotation=ANNOTATION)
    assert len(found) == 14_230
    assert len(np.unique(found.person_id)) == 1_109
    share = dict(zip(found.attributes, found.labels.mean(axis=0), strict=True))
    assert 0.3 < share["Female"] < 0.5
