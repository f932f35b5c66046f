"""The page of `snakemake --report`: what is in it, said how, and that it needs no network."""

import json
import re
from typing import Any


def variable(page: str, name: str) -> Any:
    """Return a variable that the page's script sets to JSON."""
    return json.loads(re.search(rf"^    var {name} = (.*);$", page, re.MULTILINE)[1])


def test_a_page_of_the_tiny_experiment(tiny) -> None:
    done = tiny.tiny(*tiny.targets, "--report", "page.html")
    assert done.returncode == 0, done.stdout
    path = tiny.folder / "page.html"
    page = path.read_text(encoding="utf-8")
    path.unlink()
    results = variable(page, "results")
    seen = {name for name in tiny.targets if not name.endswith(".parquet")}
    assert seen <= set(results)
    # a table and the metrics as pages too, which the report can show
    pages = {name.replace(".md", ".html").replace(".json", ".html") for name in seen}
    assert pages <= set(results)
    assert all(about["caption"].strip() for about in results.values())
    shown = [about["mime_type"] for about in results.values()]
    assert {"text/html", "image/png", "image/svg+xml"} <= set(shown)

    # in a list, what stands in its labels tells one from another
    categories = variable(page, "categories")
    assert set(categories) == {
        "Datasets",
        "Experiments",
        "Attribute sources",
        "Tables",
        "Trackers",
        "Tuning",
    }
    assert set(categories["Datasets"]) == {"film", "walkers_tiny"}
    assert "Tiny k" in categories["Tables"]
    assert results["results/tables/mini_k/plot.svg"]["labels"] == {
        "what": "plot",
        "dataset": "walkers_tiny",
    }
    assert "wl_tiny" in results["results/wl_tiny/metrics.html"]["caption"]
    for of_category in categories.values():
        for names in of_category.values():
            labels = [tuple(results[name]["labels"].values()) for name in names]
            assert len(labels) == len(set(labels)), names
    assert "weak labels" in variable(page, "workflow_desc")
    assert not re.search(r"<(script|link|img|iframe)[^>]+(src|href)=\"http", page)
