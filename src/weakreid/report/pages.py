"""Pages of Markdown, and the same as HTML that a browser shows without a network."""

import html
from pathlib import Path

from markdown_it import MarkdownIt

from weakreid.artifacts.files import replacing

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font: 15px/1.5 system-ui, sans-serif; color: #1a202c; background: #fff; margin: 1.5em; }}
h1 {{ font-size: 1.3em; }}
h2 {{ font-size: 1.1em; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
th, td {{ padding: 0.25em 0.7em; border-bottom: 1px solid #e2e8f0; white-space: nowrap; }}
tr:hover td {{ background: #f7fafc; }}
p, li {{ max-width: 60em; }}
</style>
</head>
<body>
{body}</body>
</html>
"""


def write(path: Path, text: str) -> None:
    """Write Markdown to a file, and beside it, ending in .html, the page that it makes.

    Args:
        path: of the Markdown, ending in .md.
        text: Markdown whose first line is the title, "# ...".
    """
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")
    write_html(path.with_suffix(".html"), text)


def write_html(path: Path, text: str) -> None:
    """Write the page that a Markdown text makes; HTML in the text is shown, not obeyed."""
    body = MarkdownIt("commonmark", {"html": False}).enable("table").render(text)
    title = html.escape(text.partition("\n")[0].removeprefix("# "))
    with replacing(path) as aside:
        aside.write_text(_PAGE.format(title=title, body=body), encoding="utf-8")
