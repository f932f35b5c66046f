"""Attention on erased and on hidden frames (ATTN-CL)."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from weakreid.artifacts.files import read_json
from weakreid.config.methods import ClipMethod
from weakreid.config.network import Image
from weakreid.config.tables import AttentionTable
from weakreid.errors import ReidError
from weakreid.plan import paths
from weakreid.plan.experiments import Experiment
from weakreid.plan.plan import Plan
from weakreid.plan.rules import Job
from weakreid.report.of_tables import check_rows, files_of_rows, without_clips
from weakreid.report.protocol import Files, RowsOfFiles

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.figure import Figure

KEYS = ("clips", "erased_frames", "erased", "before", "kept", "fall", "follows", "examples")


Params = RowsOfFiles


def check(plan: Plan, where: str, table: AttentionTable) -> None:
    """Refuse rows that attend to no frames."""
    check_rows(plan, where, table, _fault)


def _fault(experiment: Experiment) -> str:
    method = experiment.method
    if not isinstance(method, ClipMethod):
        return without_clips(experiment)
    if method.aggregation.name == "attention" and method.augment.erase > 0:
        return ""
    return (
        "attends to no frames, or its training erases none; take a row with aggregation: {name: "
        "attention} and augment.erase"
    )


def job(plan: Plan, name: str, table: AttentionTable, datasets: Sequence[str], output: str) -> Job:
    """Return what was found of each run, and what is visible where somebody knows it."""
    dataset, pictured = datasets[0], output != "table.md"
    rows, erased = files_of_rows(plan, table, dataset, "erased_attention.json", first=pictured)
    visible: list[str] = []
    if plan.generated(dataset):
        _, visible = files_of_rows(plan, table, dataset, "visibility.json", first=pictured)
    return Job(
        inputs={
            "erased": erased,
            "visible": visible,
            "images": [paths.images(dataset)] if pictured else [],
        },
        params=Params(title=f"{table.title}: {dataset}", rows=rows, notes=table.notes),
    )


def render(output: str, params: Params, files: Files) -> "str | Figure":
    """Return the table or the picture."""
    # numpy and matplotlib take a second to import
    from weakreid.report.erased import attention_table

    keys = KEYS if output == "table.md" else (*KEYS, "drawing")
    found = [read_json(path, keys) for path in files["erased"]]
    shares = [read_json(path, ["groups"]) for path in files.get("visible", [])]
    if output != "table.md":
        return _picture(params, files, found, shares)
    visible = params.of(shares) if shares else {}
    rows = {label: (runs, visible.get(label, [])) for label, runs in params.of(found).items()}
    return attention_table(params.title, rows, params.notes)


def _picture(
    params: Params,
    files: Files,
    found: Sequence[Mapping[str, Any]],
    shares: Sequence[Mapping[str, Any]],
) -> "Figure":
    """Return clips as they were erased, and what each experiment makes of them."""
    import numpy as np

    from weakreid.artifacts.decoding import decoded
    from weakreid.artifacts.image_store import ImageStore
    from weakreid.report.erased import picture
    from weakreid.retrieval.erased import erase_some
    from weakreid.seeding import numpy_generator

    def drawn(run: Mapping[str, Any]) -> list[Any]:
        return [[one["number"], one["images"], one["erased"]] for one in run["examples"]]

    for path, run in zip(files["erased"], found, strict=True):
        if drawn(run) != drawn(found[0]):
            raise ReidError(
                f"{path}: other clips are erased than in {files['erased'][0]}; compare experiments "
                "of the same dataset, clips, image and augment.erase"
            )
    rows = {
        row.label: (found[row.files[0]], shares[row.files[0]] if shares else None)
        for row in params.rows
    }
    with ImageStore(files["images"][0]) as store:

        def frames(example: Mapping[str, Any], drawing: Mapping[str, Any]) -> "np.ndarray":
            image = Image.model_validate(drawing["image"])
            clip = decoded(store, np.array(example["images"]), image, 1)
            generator = numpy_generator(drawing["seed"], "erased_attention", example["number"])
            erasing = drawing["erase"], drawing["erase_aspect"]
            return erase_some(clip, generator, *erasing, drawing["fill"])[0]

        return picture(params.title, rows, frames)
