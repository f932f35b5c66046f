"""The table of experiments, letter by letter."""

from typing import Any

from weakreid.report.markdown import comparison


def protocol(first: float, deviation: float | None = None) -> dict[str, Any]:
    """Return figures that rise by ten, with or without a deviation."""
    figures: dict[str, Any] = {
        "mAP": first / 2,
        "cmc": {"1": first, "5": first + 10, "10": first + 20, "20": first + 30},
        "chance": {"mAP": 1.25, "cmc": {"1": 1.0, "5": 5.0, "10": 10.0, "20": 20.0}},
        "queries": 15,
        "gallery": 40,
        "skipped": 0,
    }
    if deviation is not None:
        spread = dict.fromkeys(figures["cmc"], deviation)
        figures["standard_deviation"] = {"mAP": deviation / 2, "cmc": spread}
    return figures


def metrics(dataset: str, first: float, *deviations: float) -> dict[str, Any]:
    runs = {"official-1": {}} | ({"official-2": {}} if deviations else {})
    return {
        "dataset": dataset,
        "runs": runs,
        "fine": protocol(first, *deviations),
        "coarse": protocol(first + 1, *deviations),
    }


def test_one_row() -> None:
    assert comparison("Title", {"ours": metrics("walkers", 50.04)}) == (
        "# Title\n"
        "\n"
        "|        | runs | fine R-1 | fine R-5 | fine R-10 | fine mAP "
        "| coarse R-1 | coarse R-5 | coarse R-10 | coarse mAP |\n"
        "|--------|-----:|---------:|---------:|----------:|---------:"
        "|-----------:|-----------:|------------:|-----------:|\n"
        "| chance |      |      1.0 |      5.0 |      10.0 |      1.2 "
        "|        1.0 |        5.0 |        10.0 |        1.2 |\n"
        "| ours   |    1 |     50.0 |     60.0 |      70.0 |     25.0 "
        "|       51.0 |       61.0 |        71.0 |       25.5 |\n"
        "\n"
        "Per cent; with several runs, mean ± standard deviation. walkers; "
        "fine: 15 queries, 40 in the gallery; coarse: 15 queries, 40 in the gallery.\n"
    )


def test_several_runs() -> None:
    text = comparison("Title", {"ours": metrics("walkers", 50.0, 2.0)})
    row = text.splitlines()[5]
    assert row == (
        "| ours   |    2 | 50.0 ± 2.0 | 60.0 ± 2.0 | 70.0 ± 2.0 | 25.0 ± 1.0 "
        "| 51.0 ± 2.0 | 61.0 ± 2.0 |  71.0 ± 2.0 | 25.5 ± 1.0 |"
    )


def test_several_datasets_have_a_row_of_chance_each() -> None:
    rows = {
        "ours": metrics("walkers", 50.0),
        "theirs": metrics("walkers", 40.0),
        "others": metrics("mars", 30.0, 1.0),
    }
    lines = comparison("Title", rows).splitlines()
    assert [line.split("|")[1].strip() for line in lines[4:9]] == [
        "chance (walkers)",
        "ours (walkers)",
        "theirs (walkers)",
        "chance (mars)",
        "others (mars)",
    ]
    assert lines[-1] == "Per cent; with several runs, mean ± standard deviation."
    assert len({len(line) for line in lines[2:9]}) == 1
