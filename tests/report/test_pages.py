"""Pages of Markdown, as HTML that stands alone."""

from pathlib import Path

from weakreid.report import pages
from weakreid.report.markdown import markdown


def test_a_table_becomes_a_page_that_needs_nothing_else(tmp_path: Path) -> None:
    text = "# A & B\n\n" + markdown(["", "mAP"], [["WL <b>", "**4.5**"]]) + "\n- per cent\n"
    path = tmp_path / "table.md"
    pages.write(path, text)
    assert path.read_text(encoding="utf-8") == text
    page = path.with_suffix(".html").read_text(encoding="utf-8")
    assert "<title>A &amp; B</title>" in page
    assert "<h1>A &amp; B</h1>" in page
    # numbers to the right; what looks like HTML is text
    assert '<td style="text-align:right"><strong>4.5</strong></td>' in page
    assert "WL &lt;b&gt;" in page
    assert "<li>per cent</li>" in page
    assert "http" not in page
    assert "<script" not in page


def test_the_same_bytes_twice(tmp_path: Path) -> None:
    for name in ("one.html", "two.html"):
        pages.write_html(tmp_path / name, "# Title\n\ntext\n")
    assert (tmp_path / "one.html").read_bytes() == (tmp_path / "two.html").read_bytes()
