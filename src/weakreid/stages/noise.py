"""Stage: the training tracklets as a tracker would give them, or as they are (TMC, section 4.1)."""

from pathlib import Path
from typing import Annotated

from weakreid.artifacts import schemas
from weakreid.artifacts.files import write_json
from weakreid.config.params import SimulateNoise
from weakreid.console import say
from weakreid.errors import ReidError
from weakreid.supervision import noise


def main(
    tracklets: Annotated[Path, "of a split"],
    frames: Path,
    params: SimulateNoise,
    out: Annotated[Path, "the frames of the tracklets, Parquet"],
    summary: Annotated[Path, "what they are like, JSON"],
    observed: Annotated[Path | None, "the distribution that the stage noise_rates wrote"] = None,
) -> None:
    """Write the training tracklets with the noise asked for."""
    rows = schemas.read_frame(tracklets, "tracklets")
    columns = ["tracklet_id", "position", "image", "truth_person_id"]
    of_frames = schemas.read_frame(frames, "frames", columns, truth=True)
    if params.rfm is None or params.rsw is None:
        made = noise.clean(rows, of_frames)
    else:
        made = noise.simulate(
            rows,
            of_frames,
            rfm=params.rfm,
            rsw=params.rsw,
            seed=params.seed,
            observed=_distribution(params.distribution, observed),
        )
    figures = noise.summary(made)
    schemas.write(out, "tracks", made, params.model_dump(mode="json"))
    write_json(summary, {**figures, "asked": {"rfm": params.rfm, "rsw": params.rsw}})
    rates = (
        "nobody in them is known"
        if figures["rfm"] is None
        else f"rFM {figures['rfm']:.3f}, rSW {figures['rsw']:.3f}"
    )
    say(
        f"{figures['tracklets']} training tracklets of {figures['persons']} people "
        f"({figures['pairs']} with camera), {figures['mean_frames']:.1f} frames each; {rates}"
    )


def _distribution(name: str, observed: Path | None) -> dict[int, int] | None:
    if name == "fitted":
        return None
    if observed is None:
        raise ReidError(
            f"distribution '{name}' needs --observed, the table that the stage noise_rates wrote"
        )
    return noise.observed_counts(schemas.read_frame(observed, "id_counts"))
