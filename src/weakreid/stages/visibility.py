"""Stage: whether temporal weights go where a part is really visible, on generated data."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import ShowVisibility
from weakreid.console import say
from weakreid.report import figures
from weakreid.report.visibility import plot as draw
from weakreid.report.visibility import relations
from weakreid.supervision.visible import read_shares


def main(
    weights: Path,
    frames: Path,
    truth: Annotated[Path, "truth/frames.parquet of the generated dataset"],
    params: ShowVisibility,
    plot: Path,
    out: Path,
) -> None:
    """Hold the weights against the visible shares."""
    rows = schemas.read_frame(frames, "frames", ["image", "file"])
    shares = read_shares(truth, rows)
    found = relations(schemas.read_frame(weights, "frame_weights"), shares, params.seed)
    figures.save(draw(found, params.title), plot)
    write_json(out, {"title": params.title, **found})
    for group, own in found["groups"].items():
        within = own["within"]
        said = "no clip varies" if within is None else f"ρ within clips {within['value']:.3f}"
        say(f"{group}: {said}, {own['clips']} clips, {own['clips_without_variation']} left out")
