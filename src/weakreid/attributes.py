"""The attributes of people that methods learn: RAP's names, in the six groups of ATTR (Table 1).

ATTR's text counts 68 of RAP's 92 labels, its Figure 4 names 66: the figure's are taken.
"""

_UPPER_COLOURS = (
    "Black", "White", "Gray", "Red", "Green", "Blue", "Yellow", "Brown", "Purple", "Pink",
    "Orange",
)  # fmt: skip
_LOWER_COLOURS = ("Black", "White", "Gray", "Red", "Green", "Blue", "Yellow")
_SHOE_COLOURS = (*_LOWER_COLOURS, "Brown")

GROUPS: dict[str, tuple[str, ...]] = {
    "gender_age": ("Female", "AgeLess16", "Age17-30", "Age31-45"),
    "head_shoulder": (
        "hs-BaldHead", "hs-LongHair", "hs-BlackHair", "hs-Hat", "hs-Glasses", "hs-Muffler",
    ),
    "up_body": (
        "ub-Shirt", "ub-Sweater", "ub-Vest", "ub-TShirt", "ub-Cotton", "ub-Jacket", "ub-SuitUp",
        "ub-Tight", "ub-ShortSleeve",
        *(f"up-{colour}" for colour in _UPPER_COLOURS), "up-Mixture",
    ),
    "low_body": (
        "lb-LongTrousers", "lb-Skirt", "lb-ShortSkirt", "lb-Dress", "lb-Jeans",
        "lb-TightTrousers",
        *(f"low-{colour}" for colour in _LOWER_COLOURS), "low-Mixture",
    ),
    "shoes": (
        "shoes-Leather", "shoes-Sport", "shoes-Boots", "shoes-Cloth", "shoes-Casual",
        *(f"shoes-{colour}" for colour in _SHOE_COLOURS),
    ),
    "attach": (
        "attach-Backpack", "attach-SingleShoulderBag", "attach-HandBag", "attach-Box",
        "attach-PlasticBag", "attach-PaperBag", "attach-HandTrunk", "attach-Other",
    ),
}  # fmt: skip

TITLES = {
    "gender_age": "Gender & Age",
    "head_shoulder": "Head-Shoulder",
    "up_body": "Up-Body",
    "low_body": "Low-Body",
    "shoes": "Shoes",
    "attach": "Attach",
}

PARTS = {"head_shoulder": "head", "up_body": "up", "low_body": "low", "shoes": "shoes"}
"""The part of the body that a group is about, as generated data calls it; the others: all of it."""

NAMES: tuple[str, ...] = tuple(name for group in GROUPS.values() for name in group)

UNSURE = -1
"""The label of an attribute that its annotator left open."""
