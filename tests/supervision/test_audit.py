"""The label audit on features that are made so that the wrong labels are known."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
import torch

from weakreid.config.losses import Mil
from weakreid.errors import ReidError
from weakreid.losses.bags import mil
from weakreid.supervision import audit as audits
from weakreid.supervision.audit import FALSE_TAG, MISSING_TAG, Finding, audit, bag_losses

PEOPLE, FRAMES, DIMENSION = 8, 5, 24
FALSE, MISSING = (3, 0), (7, 1)


@dataclass
class World:
    """Features, logits and labels of bags, and who is in each frame."""

    features: list[np.ndarray]
    logits: list[np.ndarray]
    labels: list[np.ndarray]
    people: list[np.ndarray]

    def audit(self) -> list[Finding]:
        return audit(self.features, self.logits, self.labels)


def world(noise: float = 0.1, bags: int = 16) -> World:
    """Bags of three people; bag 3 has a tag too many, bag 7 one too few.

    The classifier has learned the labels by heart: it finds every tagged person in some frame of
    the bag, also where the tag is false, and knows nothing of the missing one.
    """
    generator = np.random.default_rng(4)
    faces = generator.normal(size=(PEOPLE, DIMENSION))
    faces /= np.linalg.norm(faces, axis=1, keepdims=True)
    made = World([], [], [], [])
    for bag in range(bags):
        inside = [bag % PEOPLE, (bag + 2) % PEOPLE, (bag + 3 + bag // PEOPLE) % PEOPLE]
        people = np.repeat(inside, FRAMES)
        features = faces[people] + noise * generator.normal(size=(len(people), DIMENSION))
        logits = 4 * features @ faces.T
        tagged = set(inside)
        if bag == FALSE[0]:
            assert FALSE[1] not in tagged
            tagged.add(FALSE[1])
            logits[:4, FALSE[1]] = logits.max()
        if bag == MISSING[0]:
            tagged.remove(MISSING[1])
            logits[:, MISSING[1]] -= 4
        made.features.append(features.astype(np.float32))
        made.logits.append(logits.astype(np.float32))
        made.labels.append(np.array(sorted(tagged)))
        made.people.append(people)
    return made


def test_the_wrong_labels_stand_first() -> None:
    made = world()
    first, second, *others = made.audit()
    found = {(one.kind, one.bag, one.person) for one in (first, second)}
    assert found == {(FALSE_TAG, *FALSE), (MISSING_TAG, *MISSING)}
    assert second.score > 0.7
    assert others[0].score < second.score - 0.2
    missing = first if first.kind == MISSING_TAG else second
    assert len(missing.evidence) == audits.EVIDENCE
    assert all(made.people[MISSING[0]][frame] == MISSING[1] for frame in missing.evidence)


def test_the_loss_that_learned_the_labels_likes_the_bag_that_lacks_one_best() -> None:
    made = world()
    assert bag_losses(made.logits, made.labels, 3).argmin() == MISSING[0]


def test_every_tag_is_listed_and_the_likeliest_missing_people() -> None:
    made = world()
    found = made.audit()
    tags = {(one.bag, one.person) for one in found if one.kind == FALSE_TAG}
    assert tags == {(bag, p) for bag, labels in enumerate(made.labels) for p in labels.tolist()}
    missing = {(one.bag, one.person) for one in found if one.kind == MISSING_TAG}
    assert len(missing) + len(tags) == len(found) == len(made.labels) * PEOPLE
    assert not missing & tags
    for one in found:
        assert one.judged
        assert 0 <= one.score <= 1
        assert all(0 <= frame < len(made.people[one.bag]) for frame in one.evidence)
        assert all(type(value) is int for value in (one.bag, one.person, *one.evidence))


def test_candidates_are_limited(monkeypatch) -> None:
    monkeypatch.setattr(audits, "CANDIDATES", 2)
    found = [one.bag for one in world().audit() if one.kind == MISSING_TAG]
    assert sorted(found) == sorted([*range(16)] * 2)


def test_the_order_of_bags_and_people_does_not_matter() -> None:
    made = world()
    wanted = made.audit()
    generator = np.random.default_rng(1)
    bags, people = generator.permutation(len(made.labels)), generator.permutation(PEOPLE)
    number = np.argsort(people)
    moved = audit(
        [made.features[bag] for bag in bags],
        [made.logits[bag][:, people] for bag in bags],
        [number[made.labels[bag]] for bag in bags],
    )
    back = [replace(one, bag=int(bags[one.bag]), person=int(people[one.person])) for one in moved]
    for one, other in zip(back, wanted, strict=True):
        assert replace(one, score=0) == replace(other, score=0)
        assert one.score == pytest.approx(other.score, abs=1e-9)


def test_the_scale_of_a_feature_does_not_matter() -> None:
    made = world()
    scaled = audit([3 * of_bag for of_bag in made.features], made.logits, made.labels)
    for one, other in zip(scaled, made.audit(), strict=True):
        assert (one.bag, one.person, one.kind) == (other.bag, other.person, other.kind)
        assert one.score == pytest.approx(other.score, abs=1e-5)


def test_a_person_of_one_bag_is_not_judged_and_stands_last() -> None:
    made = world()
    # everybody's tag of person 5 but the first goes
    bags = [bag for bag, labels in enumerate(made.labels) if 5 in labels]
    for bag in bags[1:]:
        made.labels[bag] = made.labels[bag][made.labels[bag] != 5]
    *judged, last = made.audit()
    assert (last.bag, last.person, last.kind, last.judged) == (bags[0], 5, FALSE_TAG, False)
    assert all(one.judged for one in judged)
    loss = bag_losses(
        [made.logits[bags[0]]], [np.array([5])], audits.frames_per_tag(made.features, made.labels)
    )[0]
    assert last.score == pytest.approx(1 - np.exp(-loss), rel=1e-5)
    # and the bags that lost the tag are found by that one bag
    top = {(one.bag, one.person) for one in judged[: len(bags) + 1]}
    assert {(bag, 5) for bag in bags[1:]} <= top


def test_frames_per_tag() -> None:
    bags = [np.zeros((12, 2)), np.zeros((20, 2))]
    assert audits.frames_per_tag(bags, [np.array([1, 2]), np.array([1, 3])]) == 4
    assert audits.frames_per_tag(bags, [np.arange(20), np.arange(20)]) == 1


@pytest.mark.parametrize("k", [1, 3, 40])
def test_bag_losses_are_those_of_the_training(k: int) -> None:
    made = world()
    found = bag_losses(made.logits, made.labels, k)
    for loss, logits, labels in zip(found, made.logits, made.labels, strict=True):
        target = torch.zeros(1, PEOPLE)
        target[0, labels] = 1
        mask = torch.ones(1, len(logits), dtype=torch.bool)
        wanted = mil.loss(
            {"identity": torch.from_numpy(logits)[None]}, mask, target, Mil(name="mil", k=k)
        )
        assert loss == pytest.approx(float(wanted), rel=1e-5)


def test_bad_input() -> None:
    made = world()
    features, logits, labels = made.features, made.logits, made.labels
    none = np.array([], int)
    with pytest.raises(ReidError, match="no bag: there is nothing to audit"):
        audit([], [], [])
    with pytest.raises(ReidError, match="one bag only"):
        audit(features[:1], logits[:1], labels[:1])
    with pytest.raises(ReidError, match="bag 1 has no label"):
        audit(features[:2], logits[:2], [labels[0], none])
    with pytest.raises(ReidError, match="bag 0 has no frame"):
        audit(features[:2], [logits[0][:0], logits[1]], labels[:2])
    with pytest.raises(ReidError, match="bag 1 has a label outside the classifier's 8 people"):
        audit(features[:2], logits[:2], [labels[0], np.array([8])])
    with pytest.raises(ReidError, match="bag 0 has 14 features and 15 logits"):
        audit([features[0][1:], features[1]], logits[:2], labels[:2])
    with pytest.raises(ReidError, match="k is 0"):
        bag_losses(logits, labels, 0)
