"""Stage: the positive ratio of every attribute of a source, as a plot (ATTR, Fig. 4)."""

from pathlib import Path

from weakreid.config.params import Titled
from weakreid.datasets.annotated import read_annotation
from weakreid.report import figures
from weakreid.report.ratios import ratio_figure


def main(annotation: Path, params: Titled, out: Path) -> None:
    """Draw a bar per attribute."""
    found = read_annotation(annotation)
    figures.save(ratio_figure(params.title, found.attributes, found.labels), out)
