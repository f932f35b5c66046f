"""Stage: a contact sheet of a generated dataset."""

from pathlib import Path

from weakreid.config.params import ContactSheet
from weakreid.datasets import location
from weakreid.report import figures
from weakreid.report.walkers_sheet import contact_sheet


def main(source: Path, params: ContactSheet, out: Path) -> None:
    """Draw some of a generated dataset's people, a row each, as every camera sees them."""
    root = location.find(source)
    figures.save(contact_sheet(root, params.dataset, persons=params.persons), out)
