"""How a person stands and moves: an articulated figure, projected part by part.

The figure is a 3-D skeleton in the units of its own stature. Each part (a limb, the trunk, a bag)
is a flat outline around the line between two points of the skeleton; projecting those two points
gives the affine map that places the outline and its texture in the picture. Widths depend on the
heading, since a body is broader than deep.

Axes of the body: x to the person's right, y up, z forward. Heading 0 walks towards the camera,
90 degrees towards the picture's right.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from weakreid.datasets.walkers.people import Person

FloatArray = NDArray[np.float64]

VERTICES = 20


@dataclass(frozen=True)
class Part:
    """A part's name, the wrap that covers it, its group, and how far forward it is painted.

    Groups: 1 head, 2 up, 3 low, 4 shoes, 5 attached.
    """

    name: str
    wrap: str
    group: int  # 1 head, 2 up, 3 low, 4 shoes, 5 attached
    bias: float
    fixed: bool = False  # the texture does not turn with the heading


def parts_of(person: Person) -> list[Part]:
    """List a person's parts; their order is that of `outlines` and `project`."""
    parts = []
    # a skirt or a coat hangs over the leg that steps forward
    leg = -0.2 if person.hem > 1.3 or person.lower in ("skirt", "short_skirt", "dress") else -0.06
    for side in ("left", "right"):
        parts += [
            Part(f"thigh_{side}", f"thigh_{side}", 3, leg),
            Part(f"shin_{side}", f"shin_{side}", 3, leg - 0.005),
            Part(f"shoe_{side}", "shoe", 4, leg + 0.005, fixed=True),
        ]
        if person.shoes == "Boots":
            parts.append(Part(f"shaft_{side}", "shaft", 4, leg + 0.002))
        parts += [
            Part(f"upper_arm_{side}", "upper_arm", 2, 0.03),
            Part(f"forearm_{side}", "forearm", 2, 0.035),
            Part(f"hand_{side}", "hand", 2, 0.034),
        ]
    parts += [
        Part("pelvis", "pelvis", 3, -0.03),
        Part("torso", "torso", 2, 0.0),
        Part("neck", "neck", 1, -0.005),
        Part("head", "head", 1, 0.03),
    ]
    if person.lower in ("skirt", "short_skirt", "dress"):
        parts.append(Part("skirt", "skirt", 3, -0.02))
    if person.hair_style in ("long", "ponytail", "bun"):
        parts.append(Part("hair", "hair", 1, 0.03))
    if person.hat in ("cap", "brim"):
        parts.append(Part("brim", "brim", 1, 0.032))
    if person.hood:
        parts.append(Part("hood", "hood", 2, 0.005))
    if person.bag != "none":
        parts.append(Part("bag", "bag", 5, 0.045 if person.bag == "SingleShoulderBag" else 0.02))
    if person.bag in ("SingleShoulderBag", "HandTrunk"):
        parts.append(Part("strap", "strap", 5, 0.015, fixed=True))
    return parts


def _outline(along: list[float], half: list[float]) -> FloatArray:
    """Return a symmetric outline (VERTICES, 2) of (s along, t across) through the given widths."""
    steps = np.linspace(0, 1, VERTICES // 2)
    knots = np.linspace(0, 1, len(along))
    s = np.interp(steps, knots, along)
    t = np.interp(steps, knots, half)
    return np.stack([np.r_[s, s[::-1]], np.r_[t, -t[::-1]]], axis=1)


def _capsule(first: float, last: float, cap: float = 0.12) -> FloatArray:
    """Return a tapered limb with rounded ends; widths in statures."""
    along = [-cap, -0.7 * cap, 0.0, 0.25, 0.5, 0.75, 1.0, 1 + 0.7 * cap, 1 + cap]
    middle = [first + (last - first) * k for k in (0, 0.25, 0.5, 0.75, 1)]
    return _outline(along, [0.3 * first, 0.75 * first, *middle, 0.75 * last, 0.3 * last])


def _ellipse(half: float) -> FloatArray:
    angle = np.linspace(0.12, np.pi - 0.12, VERTICES // 2)
    s, t = 0.5 - 0.5 * np.cos(angle), half * np.sin(angle)
    return np.stack([np.r_[s, s[::-1]], np.r_[t, -t[::-1]]], axis=1)


def _box(half: float) -> FloatArray:
    return _outline([0, 0.05, 0.95, 1], [0.88 * half, half, half, 0.92 * half])


def outlines(person: Person, parts: list[Part], heading: float) -> FloatArray:
    """Return the outline of every part as seen at a heading.

    Args:
        person: whose.
        parts: from `parts_of`.
        heading: radians.

    Returns:
        array (parts, VERTICES, 2) of (s, t): s runs from 0 at a part's first point to 1 at its
        second, t across in statures, positive to the picture's right for a part that hangs down.
    """
    sin, cos = np.sin(heading), np.cos(heading)

    def seen(front: float, depth: float) -> float:
        return float(np.hypot(front * cos, depth * sin))

    girth = person.girth
    small = 1.0 if not person.child else 1.08
    loose = {"Cotton": 1.18, "Jacket": 1.08, "Sweater": 1.05, "SuitUp": 1.06, "Tight": 0.93}.get(
        person.upper, 1.0
    )
    body = girth * loose
    shoulder = seen(0.112 * person.shoulders * (0.7 + 0.3 * girth), 0.062 * body)
    chest = seen(0.093 * person.shoulders * body, 0.068 * body)
    waist = seen((0.072 if person.female else 0.082) * body, 0.062 * body * girth)
    hip = seen((0.092 if person.female else 0.084) * body, 0.07 * body)
    hem_extra = 1.0 + (0.18 if person.hem > 1.3 else 0.02)
    leg = {"wide": 1.25, "tight": 0.84, "jeans": 1.0, "trousers": 1.06, "shorts": 1.2}.get(
        person.lower, 0.82
    )
    shin = {"wide": 1.55, "tight": 0.82, "jeans": 1.02, "trousers": 1.15, "shorts": 0.84}.get(
        person.lower, 0.8
    )
    fat = (0.6 + 0.4 * girth) * small
    arm = fat * {"Cotton": 1.3, "Jacket": 1.15, "Sweater": 1.1, "SuitUp": 1.1}.get(
        person.upper, 1.0
    )
    bare = person.short_sleeve
    size = person.bag_size
    shapes: dict[str, FloatArray] = {
        "thigh": _capsule(0.052 * leg * fat, 0.038 * leg * fat, 0.1),
        "shin": _capsule(0.036 * (shin + leg) / 2 * fat, 0.027 * shin * fat, 0.06),
        "shaft": _capsule(0.035 * fat, 0.032 * fat, 0.05),
        "upper_arm": _capsule(0.033 * arm, 0.029 * arm),
        "forearm": _capsule(0.028 * (fat if bare else arm), 0.022 * (fat if bare else arm)),
        "hand": _ellipse(0.019),
        "pelvis": _outline([0, 0.3, 1.0], [0.95 * hip, hip, 0.97 * hip]),
        "torso": _outline(
            [0.0, 0.035 / person.hem, 0.09 / person.hem, 0.16 / person.hem, 0.35 / person.hem,
             0.68 / person.hem, 0.95 / person.hem, 1.0],
            [0.45 * shoulder, 0.72 * shoulder, 0.97 * shoulder, shoulder,
             chest, waist, hip, hip * hem_extra],
        ),
        "neck": _outline([0, 1], [seen(0.032, 0.034) * (1.5 if person.muffler else 1.0)] * 2),
        "head": _outline(
            [0.0, 0.03, 0.12, 0.3, 0.5, 0.7, 0.86, 0.96, 1.0],
            [w * seen(0.05, 0.061) * (1.06 if person.hat == "beanie" else 1.0)
             for w in (0.3, 0.62, 0.88, 1.0, 1.0, 0.92, 0.74, 0.5, 0.25)],
        ),
        "skirt": _outline(
            [0, 0.2, 0.6, 1.0],
            [0.9 * hip, 1.04 * hip, seen(0.115, 0.1) * fat,
             seen(0.15, 0.15) if person.lower == "skirt" else seen(0.135, 0.12)],
        ),
        "brim": _ellipse(0.084 if person.hat == "brim" else 0.012 + 0.036 * abs(cos)),
        "hood": _ellipse(seen(0.075, 0.035)),
    }  # fmt: skip
    if person.hair_style == "long":
        shapes["hair"] = _outline(
            [0, 0.08, 0.35, 0.8, 1.0],
            [w * seen(0.062, 0.05) for w in (0.45, 0.85, 1.0, 0.95, 0.7)],
        )
    elif person.hair_style == "ponytail":
        shapes["hair"] = _capsule(0.026, 0.016, 0.1)
    elif person.hair_style == "bun":
        shapes["hair"] = _ellipse(0.032)
    shapes["bag"] = {
        "Backpack": _outline(
            [0, 0.06, 0.25, 0.9, 1.0],
            [w * seen(0.088, 0.05) * size for w in (0.55, 0.85, 1.0, 1.04, 0.9)],
        ),
        "SingleShoulderBag": _box(seen(0.04, 0.09) * size),
        "HandBag": _outline(
            [0, 0.3, 0.34, 1.0], [w * seen(0.03, 0.08) for w in (0.2, 0.5, 0.9, 1)]
        ),
        "PlasticBag": _outline(
            [0, 0.3, 0.6, 0.9, 1.0], [w * seen(0.045, 0.075) * size for w in (0.2, 0.6, 1, 1, 0.6)]
        ),
        "PaperBag": _outline([0, 0.2, 0.22, 1], [w * seen(0.035, 0.07) for w in (0.15, 0.5, 1, 1)]),
        "Box": _box(seen(0.14, 0.09) * size),
        "HandTrunk": _box(seen(0.095, 0.06) * size),
        "Other": _capsule(0.014, 0.006, 0.02),
    }.get(person.bag, _box(0.05))
    shapes["strap"] = _outline([0, 1], [0.011, 0.011])
    toe = 0.105 * sin * (0.95 if person.female else 1.05)
    thick = seen(0.027, 0.025)
    left, right = -thick + min(toe, 0.0), thick + max(toe, 0.0)
    # clockwise from the ankle's right: a flat sole, the toe low and long
    shoe_s = [0.0, 0.25, 0.5, 0.62, 0.8, 1.0, 1.0, 0.8, 0.62, 0.5, 0.25, 0.0]
    top = thick * 0.9
    mid_r, mid_l = top + 0.45 * max(toe, 0.0), -top + 0.45 * min(toe, 0.0)
    shoe_t = [top, top * 1.02, mid_r, right * 0.93, right, right, left, left, left * 0.93, mid_l,
              -top * 1.02, -top]  # fmt: skip
    knots = np.linspace(0, 1, len(shoe_s))
    steps = np.linspace(0, 1, VERTICES)
    shapes["shoe"] = np.stack(
        [np.interp(steps, knots, shoe_s), np.interp(steps, knots, shoe_t)], axis=1
    )
    stems = [part.name.removesuffix("_left").removesuffix("_right") for part in parts]
    return np.stack([shapes[stem] for stem in stems])


def project(
    person: Person,
    parts: list[Part],
    phase: FloatArray,
    heading: FloatArray,
    pitch: float,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Pose the figure and project it.

    Args:
        person: whose figure.
        parts: from `parts_of`.
        phase: (frames,) radians of the gait cycle.
        heading: (frames,) radians.
        pitch: radians that the camera looks down.

    Returns:
        first and second point of every part, (frames, parts, 2) in statures, x to the right and
        y DOWN from the ground under the hips; and (frames, parts) nearness, larger is nearer.
    """
    frames = len(phase)
    zero = np.zeros(frames)
    head = 0.145 if not person.child else 0.175
    leg_scale = 1.0 if not person.child else 0.93
    thigh_length, shin_length, ankle = 0.235 * leg_scale, 0.235 * leg_scale, 0.05
    points: dict[str, tuple[FloatArray, FloatArray]] = {}

    def at(x: FloatArray | float, y: FloatArray | float, z: FloatArray | float) -> FloatArray:
        return np.stack([zero + x, zero + y, zero + z], axis=1)

    # legs: the hips' height follows from the leg that reaches lowest
    legs = {}
    reach = np.full(frames, -np.inf)
    for side, sign, shift in (("left", -1.0, 0.0), ("right", 1.0, np.pi)):
        swing = person.stride * np.sin(phase + shift) + 0.04
        knee = 0.07 + 1.05 * np.maximum(0.0, np.cos(phase + shift + 0.45)) ** 2
        lower = swing - knee
        foot = np.clip(lower * 0.9 + 0.25, -0.9, 0.35)
        drop = thigh_length * np.cos(swing) + shin_length * np.cos(lower) + ankle
        reach = np.maximum(reach, drop)
        legs[side] = (sign, swing, lower, foot)
    hips = reach + person.bob * (1 + np.cos(2 * phase)) / 2
    sway = 0.008 * np.sin(phase)
    for side, (sign, swing, lower, foot) in legs.items():
        hip_x = sign * 0.048 * (0.7 + 0.3 * person.girth) + sway
        hip = at(hip_x, hips, 0.0)
        knee_at = hip + at(0, -thigh_length * np.cos(swing), thigh_length * np.sin(swing))
        ankle_at = knee_at + at(
            sign * 0.02 * person.toe_out, -shin_length * np.cos(lower), shin_length * np.sin(lower)
        )
        points[f"thigh_{side}"] = (hip, knee_at)
        points[f"shin_{side}"] = (knee_at, ankle_at)
        points[f"shaft_{side}"] = (knee_at * 0.62 + ankle_at * 0.38, ankle_at)
        sole = ankle_at + at(0, -ankle * np.cos(foot), ankle * np.sin(foot))
        points[f"shoe_{side}"] = (ankle_at + (ankle_at - sole) * 0.25, sole)

    # trunk
    lean = person.lean + (0.05 if person.bag in ("Backpack", "Box") else 0.0)
    length = 0.315 if not person.child else 0.30
    up = at(0, np.cos(lean), np.sin(lean))
    centre = at(sway, hips, 0.0)
    neck = centre + up * length
    points["torso"] = (neck, neck - up * (length * person.hem))
    points["pelvis"] = (centre + up * 0.07, centre - up * 0.045)
    skirt_length = {"skirt": 0.36, "short_skirt": 0.2, "dress": 0.25}.get(person.lower, 0.2)
    swing_z = 0.02 * np.sin(2 * phase)
    points["skirt"] = (centre + up * 0.07, centre + at(0, -skirt_length, swing_z))
    chin = neck + up * 0.022 + at(0, 0, 0.012)
    top = chin + at(0, head, 0.008)
    points["neck"] = (chin + at(0, 0.03, -0.01), neck - up * 0.012)
    crown = top + at(0, 0.008 if person.hat in ("beanie", "brim") else 0.0, 0)
    points["head"] = (crown, chin)
    hair = {
        "long": (top + at(0, 0.002, -0.018), neck + at(0, -0.07 - 0.02 * (person.look % 4), -0.06)),
        "ponytail": (top + at(0, -0.03, -0.062), neck + at(0, 0.0, -0.1 + 0.5 * swing_z)),
        "bun": (top + at(0, 0.015, -0.045), top + at(0, -0.045, -0.06)),
    }.get(person.hair_style, (top, chin))
    points["hair"] = hair
    if person.hat == "cap":
        points["brim"] = (top + at(0, -0.045, 0.045), top + at(0, -0.058, 0.125))
    else:
        points["brim"] = (top + at(0, -0.026, 0), top + at(0, -0.058, 0.012))
    points["hood"] = (neck + at(0, 0.025, -0.05), neck + at(0, -0.075, -0.085))

    # arms
    upper_length, fore_length = 0.165, 0.145
    carrying = person.bag in ("HandBag", "PlasticBag", "PaperBag", "HandTrunk", "Other")
    hands = {}
    for side, sign, shift in (("left", -1.0, np.pi), ("right", 1.0, 0.0)):
        bag_arm = carrying and (person.bag_side > 0) == (side == "left")
        pocket_arm = person.pocket and not bag_arm and (person.bag_side > 0) != (side == "left")
        swing = person.arm_swing * np.sin(phase + shift) + 0.02
        bend = 0.28 + 0.35 * np.maximum(0.0, np.sin(phase + shift))
        out = 0.035 + 0.04 * max(person.girth - 1.0, 0.0)
        if person.bag == "Box":
            swing, bend = 0.05 * np.sin(phase) + 0.15, zero + 1.25
        elif bag_arm:
            swing, bend = 0.2 * swing - (0.3 if person.bag == "HandTrunk" else 0.0), zero + 0.06
        elif pocket_arm:
            swing, bend, out = 0.15 * swing - 0.35, zero + 0.85, 0.06
        breadth = sign * (0.1 * person.shoulders * (0.7 + 0.3 * person.girth))
        shoulder = neck - up * 0.042 + at(breadth, 0, 0)
        elbow = shoulder + at(
            sign * out, -upper_length * np.cos(swing), upper_length * np.sin(swing)
        )
        fore = swing + bend
        inward = -0.02 if not (person.bag == "Box" or pocket_arm) else -0.05
        wrist = elbow + at(sign * inward, -fore_length * np.cos(fore), fore_length * np.sin(fore))
        tip = wrist + (wrist - elbow) * (0.06 / fore_length)
        points[f"upper_arm_{side}"] = (shoulder, elbow)
        points[f"forearm_{side}"] = (elbow, wrist)
        points[f"hand_{side}"] = (wrist - (wrist - elbow) * 0.08, tip)
        hands[side] = tip

    # bags
    side = "left" if person.bag_side > 0 else "right"
    sign, other = (-1.0, "right") if side == "left" else (1.0, "left")
    hand, size = hands[side], person.bag_size
    if person.bag == "Backpack":
        middle = neck - up * (0.15 + 0.02 * size) + at(0, 0, -0.105)
        half = up * (0.115 * size)
        points["bag"] = (middle + half, middle - half)
    elif person.bag == "SingleShoulderBag":
        middle = centre + at(sign * 0.115 * person.girth, 0.01, -0.02 + 0.4 * swing_z)
        points["bag"] = (middle + at(0, 0.065 * size, 0), middle + at(0, -0.075 * size, 0))
        start = points[f"upper_arm_{other if person.cross_body else side}"][0]
        points["strap"] = (start + at(-0.3 * sign * 0.1, 0.025, 0), points["bag"][0])
    elif person.bag in ("HandBag", "PlasticBag", "PaperBag"):
        hang = {"HandBag": 0.15, "PlasticBag": 0.19 * size, "PaperBag": 0.22}[person.bag]
        points["bag"] = (hand + at(0, 0.012, 0), hand + at(0, -hang, 0.3 * swing_z))
    elif person.bag == "Box":
        middle = centre + at(0, 0.14, 0.21)
        points["bag"] = (middle + at(0, 0.085 * size, 0), middle + at(0, -0.085 * size, 0))
    elif person.bag == "HandTrunk":
        foot_at = at(sign * 0.16, 0.02, -0.3)
        points["bag"] = (foot_at + at(0, 0.25 * size, 0.09), foot_at)
        points["strap"] = (hand, points["bag"][0])
    elif person.bag == "Other":
        points["bag"] = (hand + at(0, 0.03, 0.01), hand + at(0, -0.3, 0.06))

    ends = np.stack(
        [np.stack(points[part.name], axis=1) for part in parts], axis=1
    )  # frames, parts, 2, 3
    x, y, z = ends[..., 0], ends[..., 1], ends[..., 2]
    sin, cos = np.sin(heading)[:, None, None], np.cos(heading)[:, None, None]
    across, near = -x * cos + z * sin, x * sin + z * cos
    down = -y * np.cos(pitch) + near * np.sin(pitch)
    screen = np.stack([across, down], axis=-1)
    nearness = near.mean(axis=2) + np.array([part.bias for part in parts])
    return screen[:, :, 0], screen[:, :, 1], nearness
