"""What RAP's labellers would tick for a generated person.

The names are RAP's own. Of the 66 attributes that the ATTR paper's figure names, `LEFT_OUT` are
missing here: a figure shows whether somebody is a child, but not whether an adult is 25 or 40.
"""

from weakreid.attributes import NAMES
from weakreid.datasets.walkers.people import Person

LEFT_OUT = ("Age17-30", "Age31-45")

# in the order of RAP's table, where colours stand last
ATTRIBUTES: tuple[str, ...] = tuple(
    sorted(
        (name for name in NAMES if name not in LEFT_OUT),
        key=lambda name: f"up-{name.partition('-')[2]}" in NAMES,
    )
)

# patterns of which the second colour is a good part of the garment
_MIXED = ("hoops", "check", "block", "camouflage")


def attributes(person: Person) -> dict[str, int]:
    """Return 0 or 1 for every name in `ATTRIBUTES`, in their order."""
    lower = person.lower
    dress = lower == "dress"
    mixed = person.pattern in _MIXED
    low_name = person.upper_name if dress else person.lower_name
    true = {
        f"ub-{person.upper}",
        f"shoes-{person.shoes}",
        f"attach-{person.bag}",
        f"up-{person.upper_name}",
        f"low-{low_name}",
        f"shoes-{person.shoe_name}",
    }
    facts = {
        "Female": person.female,
        "AgeLess16": person.child,
        "hs-BaldHead": person.hair_style == "bald" and person.hat == "none",
        "hs-LongHair": person.hair_style in ("long", "ponytail"),
        "hs-BlackHair": person.hair_name == "black" and person.hair_style != "bald",
        "hs-Hat": person.hat != "none",
        "hs-Glasses": person.glasses != "none",
        "hs-Muffler": person.muffler,
        "ub-ShortSleeve": person.short_sleeve,
        "lb-LongTrousers": lower in ("trousers", "wide"),
        "lb-Skirt": lower == "skirt",
        "lb-ShortSkirt": lower == "short_skirt",
        "lb-Dress": dress,
        "lb-Jeans": lower == "jeans",
        "lb-TightTrousers": lower == "tight",
        "up-Mixture": mixed,
        "low-Mixture": person.lower_check or (dress and mixed),
    }
    true |= {name for name, holds in facts.items() if holds}
    return {name: int(name in true) for name in ATTRIBUTES}
