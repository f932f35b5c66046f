"""What a dataset's weak labels hold (WL, Table I), and what they cost (WL, section III-A)."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from weakreid.errors import ReidError


def counts(tracklets: pd.DataFrame, bags: pd.DataFrame, coarse: pd.DataFrame) -> dict[str, int]:
    """Count a split as WL's Table I does; counts have their names among the published figures.

    The paper's fine gallery is every row of MARS's test table: 12,180 tracklets, of which 1,980 are
    the queries, 870 are junk (person -1) and 3,248 are distractors (person 0); its 636 ids are 634
    people and those two. So are all test tracklets counted here, whatever their role; the
    evaluation's own gallery leaves queries and junk out. The coarse gallery holds people only, 634
    of MARS; the paper's 1,110 of WL-DukeV are its 702 and the 408 distractors, which are left out
    here. What else it counted there (2,636 fine, 483 bags of what is left of them without the 702
    probes) says that its 2,636 tracklets hold the queries, too.

    Args:
        tracklets: table "tracklets" of the split.
        bags: table "bags", training bags.
        coarse: table "bags", probes and gallery.
    """
    train = bags[bags["role"] == "train"]
    probes = coarse[coarse["role"] == "probe"]
    gallery = coarse[coarse["role"] == "gallery"]
    queries = tracklets[tracklets["role"] == "query"]
    test = tracklets[tracklets["role"] != "train"]
    people, draws = _named(train), len(train)
    return {
        "coarse train IDs": people,
        "coarse train bags": draws,
        "coarse probe IDs": _named(probes),
        "coarse probe bags": len(probes),
        "coarse gallery IDs": _named(gallery),
        "coarse gallery bags": len(gallery),
        "fine train IDs": people,
        "fine train bags": draws,
        "fine probe IDs": queries["person_id"].nunique(),
        "fine probe tracklets": len(queries),
        "fine gallery IDs": test["person_id"].nunique(),
        "fine gallery tracklets": len(test),
    }


def _named(bags: pd.DataFrame) -> int:
    """Return how many people the labels of some bags name."""
    return len({int(person) for labels in bags["labels"] for person in labels})


@dataclass(frozen=True)
class Labour:
    """What there is to label in a dataset's training videos; a bag stands for a video.

    Costs are in boxes: naming the person in one image costs b = 1. The paper multiplies the means
    f (frames per video) and p (people per image); here the product f·p is counted, as the person
    images of a bag. Crops do not say how many people an image showed together: p is the mean number
    of people in a bag, and f what is left of the product.

    Attributes:
        bags: n, videos.
        images: f·p·n, person images in them, none left out.
        tracklets: of a video; a part of a cut tracklet is one.
        names: p·n, entries of the videos' lists of people.
    """

    bags: int
    images: int
    tracklets: int
    names: int

    @property
    def images_per_bag(self) -> float:
        """f·p: what strong labels cost for a video, and their price over that of one tag."""
        return self.images / self.bags

    @property
    def people_per_bag(self) -> float:
        """p."""
        return self.names / self.bags

    @property
    def images_per_person(self) -> float:
        """f: images of a person in a video."""
        return self.images / self.names

    @property
    def tracklets_per_bag(self) -> float:
        """Tracklets of a video."""
        return self.tracklets / self.bags

    def costs(self) -> dict[str, int]:
        """Return the cost in boxes of each way to label, from the dearest down.

        "boxes": every person image, f·p·n·b. "tracklets": every tracklet of a tracker once.
        "names": a list per video, each name of which costs as much as a box, b' = p·b.
        "tags": a list per video that costs as much as one box, b' = b.
        """
        return {
            "boxes": self.images,
            "tracklets": self.tracklets,
            "names": self.names,
            "tags": self.bags,
        }

    def efficiencies(self) -> dict[str, float]:
        """Return how often each way's cost goes into that of boxes: f·p·b/b'."""
        return {way: self.images / cost for way, cost in self.costs().items()}


def labour(tracklets: pd.DataFrame, bags: pd.DataFrame, tracklet_parts: int) -> Labour:
    """Count what there is to label in a dataset's training bags.

    All frames of a bag's tracklets count, not only those that `max_frames` left in it.

    Args:
        tracklets: table "tracklets" of the split that the bags were made of.
        bags: table "bags" of role "train", without missing annotation, noisy tracking or planted
            labels: what these add is nobody's to label.
        tracklet_parts: with which the bags were made; part i of tracklet t has the id
            t * tracklet_parts + i.

    Raises:
        ReidError: no training bag, or one whose tracklets or labels are not the dataset's own.
    """
    train = tracklets[tracklets["role"] == "train"].set_index("tracklet_id")
    chosen = bags[bags["role"] == "train"]
    if chosen.empty:
        raise ReidError("no bag of role 'train': there is nothing to label")
    lengths = chosen["tracklet_ids"].map(len).to_numpy()
    ids = np.concatenate([np.asarray(own, np.int64) for own in chosen["tracklet_ids"]])
    owners = np.repeat(chosen["bag_id"].to_numpy(), lengths)
    whole, part = ids // tracklet_parts, ids % tracklet_parts
    _check_known(ids, owners, np.isin(whole, train.index.to_numpy()), tracklet_parts)
    _check_labels(chosen, owners, train["person_id"].loc[whole].to_numpy())
    frames = train["frame_count"].loc[whole].to_numpy(np.int64)
    # as numpy.array_split shares them out: the first parts get what does not divide
    images = frames // tracklet_parts + (part < frames % tracklet_parts)
    return Labour(
        bags=len(chosen),
        images=int(images.sum()),
        tracklets=len(ids),
        names=sum(len(labels) for labels in chosen["labels"]),
    )


_REMEDY = (
    "count the cost on bags without missing annotation, noisy tracking or planted labels, and with "
    "the tracklet_parts that they were made with"
)


def _check_known(ids: np.ndarray, owners: np.ndarray, known: np.ndarray, parts: int) -> None:
    """Refuse tracklets that are none of the training set's, or that stand in two places."""
    if not known.all():
        first = int(np.flatnonzero(~known)[0])
        raise ReidError(
            f"bag {owners[first]}: tracklet {ids[first]} is none of the training tracklets "
            f"(tracklet_parts {parts}); {_REMEDY}"
        )
    again = pd.Series(ids).duplicated().to_numpy()
    if again.any():
        first = int(np.flatnonzero(again)[0])
        raise ReidError(
            f"bag {owners[first]}: tracklet {ids[first]} is in the bags twice; make the bags again"
        )


def _check_labels(bags: pd.DataFrame, owners: np.ndarray, persons: np.ndarray) -> None:
    """Refuse labels that are not the people of a bag's tracklets."""
    there = pd.Series(persons).groupby(owners).agg(set)
    for bag_id, labels in zip(bags["bag_id"], bags["labels"], strict=True):
        if there[bag_id] != {int(person) for person in labels}:
            raise ReidError(
                f"bag {bag_id}: its labels are not the people of its tracklets; {_REMEDY}"
            )
