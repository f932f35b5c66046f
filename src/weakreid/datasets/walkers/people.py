"""Who walks: the whole appearance of a generated person, and look-alikes on purpose.

Colours come from a small palette weighted as street clothes are (dark, grey and blue first), so
that many people share them; what tells people apart is cut, pattern, accessories and build.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from weakreid.seeding import numpy_generator

Colour = tuple[int, int, int]

# RGB; several shades carry the same name, as they would under a person's labelling
PALETTE: dict[str, tuple[Colour, ...]] = {
    "Black": ((28, 28, 30), (38, 37, 42), (30, 32, 40)),
    "White": ((222, 221, 216), (206, 206, 204)),
    "Gray": ((112, 114, 118), (84, 86, 90), (146, 147, 148)),
    "Red": ((150, 36, 40), (118, 26, 34)),
    "Green": ((52, 82, 58), (86, 98, 62)),
    "Blue": ((40, 50, 82), (58, 74, 106), (98, 114, 140), (30, 38, 58)),
    "Yellow": ((176, 152, 80), (168, 150, 114), (160, 144, 112)),
    "Brown": ((92, 68, 50), (124, 98, 72)),
    "Purple": ((82, 58, 100),),
    "Pink": ((202, 142, 152),),
    "Orange": ((196, 108, 48),),
}
UPPER_COLOURS = {
    "Black": 0.26, "Gray": 0.19, "Blue": 0.18, "White": 0.13, "Red": 0.06, "Green": 0.06,
    "Brown": 0.05, "Yellow": 0.02, "Purple": 0.02, "Pink": 0.03, "Orange": 0.02,
}  # fmt: skip
LOWER_COLOURS = {
    "Black": 0.36, "Blue": 0.32, "Gray": 0.18, "White": 0.05, "Yellow": 0.05, "Green": 0.03,
    "Red": 0.01,
}  # fmt: skip
SHOE_COLOURS = {
    "Black": 0.46, "White": 0.22, "Gray": 0.13, "Brown": 0.12, "Blue": 0.04, "Red": 0.015,
    "Green": 0.01, "Yellow": 0.005,
}  # fmt: skip
BAG_COLOURS = {
    "Black": 0.38, "Blue": 0.14, "Gray": 0.14, "Brown": 0.12, "Red": 0.09, "Green": 0.06,
    "Yellow": 0.04, "Pink": 0.03,
}  # fmt: skip
SKINS: tuple[Colour, ...] = ((206, 168, 146), (190, 148, 122), (160, 118, 94), (122, 84, 62))
HAIRS: dict[str, Colour] = {
    "black": (24, 22, 22),
    "dark": (52, 38, 30),
    "brown": (88, 62, 44),
    "blond": (170, 138, 88),
    "gray": (146, 144, 142),
}

SHOES = ("Leather", "Sport", "Boots", "Cloth", "Casual")
BAGS = (
    "none", "Backpack", "SingleShoulderBag", "HandBag", "Box", "PlasticBag", "PaperBag",
    "HandTrunk", "Other",
)  # fmt: skip
HATS = ("none", "cap", "beanie", "brim")
PRINTS = ("none", "square", "disc", "bars", "cross", "number")


@dataclass(frozen=True)
class Person:
    """A person's appearance and gait; colours are RGB with the name that a labeller would give."""

    female: bool
    child: bool
    stature: float  # metres
    girth: float  # 1 is usual, 0.85 thin, 1.3 stout
    shoulders: float  # relative breadth
    skin: Colour
    hair_style: str
    hair: Colour
    hair_name: str
    hat: str
    hat_colour: Colour
    glasses: str  # none, clear, dark
    muffler: bool
    muffler_colour: Colour
    upper: str
    upper_name: str
    upper_colour: Colour
    second_name: str
    second_colour: Colour
    pattern: str
    pattern_scale: float
    print_front: str
    print_back: str
    short_sleeve: bool
    contrast_sleeves: bool
    armband: bool
    hem: float  # where the upper garment ends: 1 is the hip joint
    open_front: bool
    hood: bool
    inner_colour: Colour
    lower: str
    lower_name: str
    lower_colour: Colour
    side_stripe: bool
    lower_check: bool
    cuffs: bool
    shoes: str
    shoe_name: str
    shoe_colour: Colour
    bag: str
    bag_name: str
    bag_colour: Colour
    bag_side: int  # +1 the person's left, -1 the right
    bag_size: float
    cross_body: bool
    cadence: float  # steps per second
    stride: float  # radians of thigh swing
    arm_swing: float
    lean: float
    toe_out: float
    bob: float
    pocket: bool  # one hand in the pocket
    look: int  # seed of the cloth's wrinkles and blotches


def _pick(rng: np.random.Generator, weights: dict[str, float]) -> str:
    names = list(weights)
    chance = np.array([weights[name] for name in names])
    return names[int(rng.choice(len(names), p=chance / chance.sum()))]


def _shade(rng: np.random.Generator, name: str, spread: float = 6.0) -> Colour:
    shades = PALETTE[name]
    base = np.array(shades[int(rng.integers(len(shades)))], float)
    base = base * rng.uniform(0.94, 1.06) + rng.normal(0, spread / 3, 3)
    red, green, blue = (int(value) for value in np.clip(np.round(base), 12, 240))
    return red, green, blue


def _headwear(rng: np.random.Generator) -> str:
    return _pick(rng, {"none": 0.74, "cap": 0.12, "beanie": 0.08, "brim": 0.06})


def _hair_style(rng: np.random.Generator, female: bool) -> str:
    if female:
        return _pick(rng, {"long": 0.46, "ponytail": 0.28, "bun": 0.12, "short": 0.14})
    return _pick(rng, {"crop": 0.4, "short": 0.47, "bald": 0.09, "long": 0.02, "ponytail": 0.02})


def _bag(rng: np.random.Generator, female: bool) -> str:
    return _pick(
        rng,
        {
            "none": 0.32,
            "Backpack": 0.24,
            "SingleShoulderBag": 0.16,
            "HandBag": 0.09 if female else 0.03,
            "Box": 0.03,
            "PlasticBag": 0.06,
            "PaperBag": 0.04,
            "HandTrunk": 0.04,
            "Other": 0.03,
        },
    )


def _pattern(rng: np.random.Generator, upper: str) -> str:
    if upper in ("SuitUp", "Cotton"):
        return _pick(rng, {"plain": 0.75, "block": 0.15, "band": 0.05, "pinstripe": 0.05})
    if upper == "Jacket":
        return _pick(rng, {"plain": 0.6, "block": 0.17, "band": 0.15, "camouflage": 0.08})
    return _pick(
        rng,
        {
            "plain": 0.44, "hoops": 0.17, "pinstripe": 0.06, "check": 0.12, "dots": 0.06,
            "block": 0.07, "band": 0.06, "camouflage": 0.02,
        },
    )  # fmt: skip


def _girth(rng: np.random.Generator) -> float:
    return float(np.clip(rng.normal(1.02, 0.13), 0.82, 1.4))


def draw_person(rng: np.random.Generator) -> Person:
    """Draw a person at random.

    Args:
        rng: the person's own generator.
    """
    female = bool(rng.random() < 0.47)
    child = bool(rng.random() < 0.06)
    stature = float(rng.normal(1.65 if female else 1.77, 0.07))
    if child:
        stature = float(rng.uniform(1.15, 1.45))
    hair_name = _pick(
        rng, {"black": 0.42, "dark": 0.28, "brown": 0.16, "blond": 0.08, "gray": 0.06}
    )
    upper = _pick(
        rng,
        {
            "Shirt": 0.17, "Sweater": 0.17, "Vest": 0.05, "TShirt": 0.21, "Cotton": 0.08,
            "Jacket": 0.21, "SuitUp": 0.05, "Tight": 0.06,
        },
    )  # fmt: skip
    lower = _pick(
        rng,
        {
            "trousers": 0.3, "wide": 0.08, "jeans": 0.26, "tight": 0.2 if female else 0.05,
            "shorts": 0.1, "skirt": 0.1 if female else 0.0,
            "short_skirt": 0.14 if female else 0.0, "dress": 0.11 if female else 0.0,
        },
    )  # fmt: skip
    if lower == "dress" and upper in ("SuitUp", "Cotton", "Jacket", "Vest"):
        upper = "Tight"
    upper_name = _pick(rng, UPPER_COLOURS)
    second_name = _pick(rng, {k: v for k, v in UPPER_COLOURS.items() if k != upper_name})
    lower_name = "Blue" if lower == "jeans" else _pick(rng, LOWER_COLOURS)
    if lower == "jeans" and rng.random() < 0.25:
        lower_name = "Black"
    shoe_name = _pick(rng, SHOE_COLOURS)
    bag_name = _pick(rng, BAG_COLOURS)
    bag = _bag(rng, female)
    pattern = _pattern(rng, upper)
    coat = upper in ("Cotton", "Jacket", "SuitUp")
    return Person(
        female=female,
        child=child,
        stature=stature,
        girth=_girth(rng),
        shoulders=float(rng.normal(0.94 if female else 1.06, 0.05)),
        skin=SKINS[int(rng.choice(4, p=(0.4, 0.34, 0.16, 0.1)))],
        hair_style=_hair_style(rng, female),
        hair=HAIRS[hair_name],
        hair_name=hair_name,
        hat=_headwear(rng),
        hat_colour=_shade(rng, _pick(rng, BAG_COLOURS)),
        glasses=_pick(rng, {"none": 0.72, "clear": 0.17, "dark": 0.11}),
        muffler=bool(rng.random() < 0.1),
        muffler_colour=_shade(rng, _pick(rng, BAG_COLOURS | {"Orange": 0.1, "White": 0.1})),
        upper=upper,
        upper_name=upper_name,
        upper_colour=_shade(rng, upper_name),
        second_name=second_name,
        second_colour=_shade(rng, second_name),
        pattern=pattern,
        pattern_scale=float(rng.choice([0.7, 1.0, 1.5])),
        print_front=_print(rng, 0.38 if upper in ("TShirt", "Sweater") else 0.0),
        print_back=_print(rng, 0.22 if upper in ("TShirt", "Sweater", "Jacket") else 0.0),
        short_sleeve=bool(
            upper == "TShirt" or (upper in ("Shirt", "Tight", "Vest") and rng.random() < 0.4)
        ),
        contrast_sleeves=bool(upper != "SuitUp" and rng.random() < 0.12),
        armband=bool(rng.random() < 0.1),
        hem=float(
            rng.choice([1.04, 1.14, 1.5], p=(0.45, 0.35, 0.2) if coat else (0.5, 0.46, 0.04))
        ),
        open_front=bool(coat and rng.random() < 0.42),
        hood=bool(upper in ("Sweater", "Jacket", "Cotton") and rng.random() < 0.32),
        inner_colour=_shade(
            rng, _pick(rng, {"White": 0.45, "Gray": 0.2, "Black": 0.2, "Red": 0.1})
        ),
        lower=lower,
        lower_name=lower_name,
        lower_colour=_shade(rng, lower_name),
        side_stripe=bool(lower in ("trousers", "shorts", "tight") and rng.random() < 0.14),
        lower_check=bool(lower in ("skirt", "short_skirt", "shorts") and rng.random() < 0.3),
        cuffs=bool(lower in ("trousers", "jeans", "wide") and rng.random() < 0.2),
        shoes=_pick(
            rng, {"Leather": 0.2, "Sport": 0.3, "Boots": 0.14, "Cloth": 0.1, "Casual": 0.26}
        ),
        shoe_name=shoe_name,
        shoe_colour=_shade(rng, shoe_name),
        bag=bag,
        bag_name=bag_name,
        bag_colour=_shade(rng, bag_name),
        bag_side=1 if rng.random() < 0.5 else -1,
        bag_size=float(rng.uniform(0.8, 1.25)),
        cross_body=bool(rng.random() < 0.6),
        cadence=float(rng.normal(1.9, 0.16) + (0.2 if child else 0.0)),
        stride=float(np.clip(rng.normal(0.44, 0.08), 0.26, 0.65)),
        arm_swing=float(np.clip(rng.normal(0.42, 0.16), 0.08, 0.85)),
        lean=float(rng.normal(0.04, 0.04)),
        toe_out=float(rng.normal(0.12, 0.09)),
        bob=float(rng.uniform(0.004, 0.014)),
        pocket=bool(rng.random() < 0.14),
        look=int(rng.integers(2**31)),
    )


def _print(rng: np.random.Generator, chance: float) -> str:
    if rng.random() >= chance:
        return "none"
    return PRINTS[1 + int(rng.integers(len(PRINTS) - 1))]


# the details one of which, at least, tells two look-alikes apart
DETAILS = ("bag", "headwear", "hair", "pattern", "build", "shoes", "print", "cut", "face")


# the other's own in two look-alikes, whatever their details
GAIT = ("cadence", "stride", "arm_swing", "lean", "toe_out", "bob", "look")


def _other(rng: np.random.Generator, choices: Sequence[str], own: str) -> str:
    others = [choice for choice in choices if choice != own]
    return others[int(rng.integers(len(others)))]


def _taken(person: Person, fresh: Person, names: Sequence[str], **more: Any) -> Person:
    """Return `person` with what is named from `fresh`, and `more`."""
    return replace(person, **{name: getattr(fresh, name) for name in names}, **more)


def _change(rng: np.random.Generator, person: Person, detail: str) -> Person:
    """Return `person` with one detail changed for certain."""
    fresh = draw_person(rng)
    if detail == "bag":
        others = [bag for bag in BAGS[:4] if bag != person.bag] + ["PlasticBag"]
        bag = others[int(rng.integers(len(others)))]
        names = ("bag_name", "bag_colour", "bag_size")
        return _taken(person, fresh, names, bag=bag, bag_side=-person.bag_side)
    if detail == "headwear":
        return _taken(person, fresh, ["hat_colour"], hat=_other(rng, HATS, person.hat))
    if detail == "hair":
        styles = (
            ("long", "ponytail", "bun", "short") if person.female else ("crop", "short", "bald")
        )
        style = _other(rng, styles, person.hair_style)
        return _taken(person, fresh, ("hair", "hair_name"), hair_style=style)
    if detail == "pattern":
        pattern = _other(rng, ("plain", "hoops", "check", "block", "band"), person.pattern)
        return _taken(person, fresh, ["pattern_scale"], pattern=pattern)
    if detail == "build":
        girth = float(person.girth + (0.24 if person.girth < 1.03 else -0.2))
        stature = float(person.stature + rng.choice([-0.1, 0.1]))
        return _taken(person, fresh, ["shoulders"], girth=girth, stature=stature)
    if detail == "shoes":
        shoes = _other(rng, SHOES, person.shoes)
        return _taken(person, fresh, ("shoe_name", "shoe_colour"), shoes=shoes)
    if detail == "print":
        front = _other(rng, PRINTS, person.print_front)
        return replace(person, print_front=front, print_back=front)
    if detail == "cut":
        return replace(
            person,
            hem=1.14 if person.hem < 1.1 else 1.04,
            cuffs=not person.cuffs,
            hood=not person.hood,
            contrast_sleeves=not person.contrast_sleeves,
        )
    glasses = "dark" if person.glasses == "none" else "none"
    return _taken(person, fresh, ["muffler_colour"], muffler=not person.muffler, glasses=glasses)


def look_alike(rng: np.random.Generator, person: Person) -> Person:
    """Return someone who wears the same garments in the same colours but differs in 2-4 details.

    Gait and the cloth's wrinkles are always the other's own.
    """
    other = _taken(person, draw_person(rng), GAIT)
    # one of the large details is always among them: the small ones drown in a camera's blur
    large = DETAILS[int(rng.integers(4))]
    rest = [detail for detail in DETAILS if detail != large]
    count = int(rng.integers(1, 4))
    for detail in (large, *rng.choice(rest, size=count, replace=False)):
        other = _change(rng, other, str(detail))
    return other


def marks(person: Person) -> tuple[str, str, str, str]:
    """Return the details that show even in a blurred picture; two look-alikes never share all."""
    return person.bag, person.hat, person.hair_style, person.pattern


def cast(
    seed: int, split: str, count: int, look_alikes: float
) -> tuple[list[Person], Sequence[int]]:
    """Draw the people of one split.

    Args:
        seed: the data set's seed.
        split: "train" or "test"; each has its own people.
        count: how many.
        look_alikes: share of the people who belong to a group of 2 to 4 look-alikes.

    Returns:
        the people, and for each the number of its group of look-alikes (0: none).
    """
    rng = numpy_generator(seed, "walkers", "groups", split)
    people = [
        draw_person(numpy_generator(seed, "walkers", "person", split, i)) for i in range(count)
    ]
    groups = [0] * count
    wanted = round(look_alikes * count)
    order = [int(i) for i in rng.permutation(count)]
    group = 0
    while wanted >= 2 and len(order) >= 2:
        size = min(int(rng.integers(2, 5)), wanted, len(order))
        if wanted - size == 1:  # nobody is a look-alike of nobody
            size = size + 1 if size < 4 and size < len(order) else size - 1
        size = max(2, size)
        group += 1
        members, order = order[:size], order[size:]
        wanted -= size
        first = members[0]
        groups[first] = group
        taken = {marks(people[first])}
        for member in members[1:]:
            own = numpy_generator(seed, "walkers", "alike", split, member)
            people[member] = look_alike(own, people[first])
            while marks(people[member]) in taken:
                people[member] = look_alike(own, people[first])
            taken.add(marks(people[member]))
            groups[member] = group
    return people, groups
