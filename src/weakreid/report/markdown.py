"""Tables as Markdown, and the figures in them."""

from collections.abc import Sequence


def cell(value: float, spread: float | None, places: int = 1) -> str:
    """Return a figure with its standard deviation, where there is one."""
    return f"{value:.{places}f}" + (f" ± {spread:.{places}f}" if spread is not None else "")


def page(
    title: str, heads: Sequence[str], rows: Sequence[Sequence[str]], notes: Sequence[str]
) -> str:
    """Return a page: the title, a table, and a list of notes."""
    return f"# {title}\n\n{markdown(heads, rows)}\n" + "".join(f"- {note}\n" for note in notes)


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
