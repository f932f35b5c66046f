"""Tables as Markdown, and the figures in them."""

from collections.abc import Sequence


def cell(value: float, spread: float | None) -> str:
    """Return a figure in per cent, with its standard deviation where there is one."""
    return f"{value:.1f}" + (f" ± {spread:.1f}" if spread is not None else "")


def markdown(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return an aligned Markdown table, numbers to the right."""
    widths = [max(len(line[i]) for line in (heads, *rows)) for i in range(len(heads))]

    def line(cells: Sequence[str]) -> str:
        first = cells[0].ljust(widths[0])
        rest = [cell.rjust(width) for cell, width in zip(cells[1:], widths[1:], strict=True)]
        return "| " + " | ".join([first, *rest]) + " |\n"

    rule = "|" + "|".join(
        "-" * (width + 1) + ("-" if i == 0 else ":") for i, width in enumerate(widths)
    )
    return line(heads) + rule + "|\n" + "".join(line(row) for row in rows)
