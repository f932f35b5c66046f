"""What workflow/rules says of each rule, read as text."""

import ast
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests import configs


@dataclass(frozen=True)
class Written:
    """A rule as it is written.

    Attributes:
        options: that its command gives to the stage besides the call.
        threads: it may use.
        minutes: that it asks for.
        goes_on: from where it was, when it is submitted again.
        gpu: it asks for one.
        looked_up: names in the plan of its inputs, outputs, params, log and benchmark.
    """

    options: list[str]
    threads: int
    minutes: int
    goes_on: bool
    gpu: bool
    looked_up: list[str]


@functools.cache
def written() -> dict[str, Written]:
    """Return every rule of the rule files."""
    folder = configs.ROOT / "workflow" / "rules"
    return dict(
        found for path in sorted(folder.glob("*.smk")) for found in _rules(path.read_text("utf-8"))
    )


def _rules(text: str) -> Iterator[tuple[str, Written]]:
    # a rule, or a loop over names and what each of them asks for
    for part in re.split(r"^(?=for \w|rule )", text, flags=re.MULTILINE)[1:]:
        head, body = re.split(r"^ *rule(?: \w+)?:$", part, maxsplit=1, flags=re.MULTILINE)
        if loop := re.match(r"for (.+?) in (.+?)(?:\.items\(\))?:\s*$", head, re.DOTALL):
            variables = re.findall(r"\w+", loop[1])
            values = ast.literal_eval(loop[2])
            rows = values.items() if isinstance(values, dict) else [(name, ()) for name in values]
            for name, of in rows:
                given = of if isinstance(of, tuple) else (of,)
                yield name, _rule(body, dict(zip(variables, (name, *given), strict=True)))
        else:
            name = re.match(r"rule (\w+):", part)
            assert name is not None
            yield name[1], _rule(body, {f'"{name[1]}"': name[1]})


def _rule(body: str, known: dict[str, Any]) -> Written:
    def value(word: str) -> Any:
        return known[word] if word in known else int(word)

    asks = re.search(r"asks\((\w+), (\w+)(, goes_on=True)?\)", body)
    assert asks is not None, body
    threads = re.search(r"threads: (\w+)", body)
    looked_up = re.findall(r"\b(?:needs|makes|given|log_of|benchmark_of)\((.+?)\)", body)
    return Written(
        options=[name.replace("-", "_") for name in re.findall(r"--([\w-]+) \{", body)],
        threads=value(threads[1]) if threads else 1,
        minutes=value(asks[2]),
        goes_on=asks[3] is not None,
        gpu="gpu=1" in body,
        looked_up=[known[word] for word in looked_up],
    )
