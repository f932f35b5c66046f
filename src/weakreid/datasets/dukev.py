"""DukeMTMC-VideoReID in its official layout: {train,query,gallery}/PERSON/TRACKLET/*.jpg.

Images are named `0001_C6_F0099_X30823.jpg` (person, camera, frame in the tracklet, frame in the
video); an older release leaves the underscores out.
"""

import re
from pathlib import Path

from weakreid.config.datasets import Reading as HowToRead
from weakreid.datasets import layout
from weakreid.datasets.layout import Reading, Tracklet
from weakreid.errors import ReidError

NAME = "DukeMTMC-VideoReID"
FOLDER = "DukeMTMC-VideoReID"
REQUIRED: tuple[str, ...] = (f"{FOLDER}/train", f"{FOLDER}/query", f"{FOLDER}/gallery")
OPTIONAL: tuple[str, ...] = ()
HOW_TO_GET = (
    "its authors withdrew it in 2019, because the people in it were filmed without being asked, so"
    " no download is offered here; who holds a copy puts the folder DukeMTMC-VideoReID there"
)
OFFICIAL = {"train_persons": 702, "test_persons": 702, "train_tracklets": 2196, "cameras": 8}

_PERSON = re.compile("([0-9]+)")
_IMAGE = re.compile("([0-9]{4})_?C([0-9])_?F([0-9]+)_?X([0-9]+)[.]jpg", re.IGNORECASE)


def read(root: Path, how: HowToRead) -> Reading:
    """Read DukeMTMC-VideoReID from the folder that holds `DukeMTMC-VideoReID/`.

    Gallery persons without a query are the dataset's distractors and get person 0.

    Args:
        root: the folder.
        how: what to do about tracklets without an image and counts that are not the official
            ones.

    Raises:
        ReidError: a folder is missing, or an image's name does not fit its folder.
    """
    root = Path(root)
    layout.require(root, REQUIRED, NAME, HOW_TO_GET)
    found: list[Tracklet] = []
    queried: set[int] = set()
    walk = layout.Walk(root, NAME)
    for role in ("train", "query", "gallery"):
        for person, folder in walk.persons(f"{FOLDER}/{role}", _PERSON, "0001").items():
            if role == "query":
                queried.add(person)
            known = 0 if role == "gallery" and person not in queried else person
            for tracklet in walk.folders(f"{FOLDER}/{role}/{folder}"):
                place = f"{FOLDER}/{role}/{folder}/{tracklet}"
                found.append(_tracklet(walk, root, place, person, known, role))
    walk.say_strays()
    reading = layout.assemble(found, NAME, how.on_bad_frame)
    trained = set(reading.tracklets.loc[reading.tracklets["role"] == "train", "person_id"])
    both = sorted(trained & queried)
    if both:
        some = layout.name_some([f"{person:04d}" for person in both])
        raise ReidError(
            f"{NAME}: {len(both)} persons are in train and in query: {some}; unpack it anew"
        )
    return layout.checked(reading, NAME, OFFICIAL if how.official else None)


def _tracklet(
    walk: layout.Walk, root: Path, place: str, person: int, known: int, role: str
) -> Tracklet:
    named: dict[tuple[int, int], str] = {}
    cameras = set()
    for name in walk.images(place, (".jpg",)):
        match = _IMAGE.fullmatch(name)
        if match is None or int(match[1]) != person:
            raise ReidError(
                f"{NAME}: {root / place / name}: not an image of person {person:04d} by its name;"
                " unpack the dataset anew"
            )
        cameras.add(int(match[2]))
        frame = (int(match[3]), int(match[4]))
        if frame in named:
            raise ReidError(
                f"{NAME}: {root / place}: {named[frame]} and {name} are one frame; remove one"
            )
        named[frame] = name
    if len(cameras) > 1:
        raise ReidError(
            f"{NAME}: {root / place}: images of cameras {sorted(cameras)} in one tracklet; unpack"
            " the dataset anew"
        )
    camera = cameras.pop() if cameras else 1
    return Tracklet(known, camera, role, [f"{place}/{named[frame]}" for frame in sorted(named)])
