"""The page docs/artifacts.md: every file that a rule makes, and every column of the tables.

python -m weakreid.plan.reference > docs/artifacts.md
"""

import inspect
import re
import sys
from collections.abc import Iterator
from pathlib import PurePath

import pyarrow as pa

from weakreid.artifacts import image_store, schemas
from weakreid.plan import paths
from weakreid.plan.read import RULES
from weakreid.plan.rules import Rule

HEAD = """# Artifacts

<!-- written by `make docs` from src/weakreid/artifacts/schemas.py and src/weakreid/plan; do not
     edit -->

Everything that passes between two rules is a file below `results/`. It is written aside and then
renamed, so a file that is there is whole. The same inputs, config and code give the same bytes on
the same machine, but for `timing.json`.
"""

TABLES = """## Tables

Parquet, compressed with zstd. The metadata of each file holds `weakreid.kind` (the kind below),
`weakreid.version` and `weakreid.params` (the parameters that made it, as JSON); a file of another
kind or version is refused. `weakreid.artifacts.schemas` reads and writes them:
`schemas.read_frame(path, kind)` gives a pandas frame without the columns whose names start with
`truth_`. They hold what a method without labels must not see, and are read by name alone.
"""

OTHERS = """## Image store

`images.arrow` is an Arrow file, memory-mapped, with a row per picture. Pictures stay encoded as
they came, JPEG or PNG.

| column | type | |
|---|---|---|
{store}

## Weights

`model.safetensors` holds tensors named `model.*` (the network) and `heads.*` (classifiers). Its
metadata has one key, `weakreid`, with JSON:

| key | |
|---|---|
| `model`, `image`, `precision` | blocks of the method, [as in the config](configuration.md) |
| `heads`, `persons` | names of the heads that tell identities apart, and the identities in order |
| `device` | kind of device: cpu or cuda |
| `clips`, `aggregation`, `neck` | blocks of a method that sees clips |
| `attributes`, `ratios` | of a transfer: attributes in order, and their positive ratios |
| `left_out` | of a transfer: attributes that were not learnt |

## JSON

`results/EXPERIMENT/metrics.json`; neither time, host nor path is in it:

| key | |
|---|---|
| `experiment`, `dataset`, `method` | names |
| `bags`, `noise`, `isolation`, `transfer`, `init` | names, where the experiment has them |
| `device` | kinds of device that trained |
| `fine`, `coarse`, `reranked` | results by protocol, mean over runs; `reranked` if asked for |
| ... `mAP`, `cmc` | mean average precision, and CMC by rank (1, 5, 10, 20), from 0 to 1 |
| ... `standard_deviation` | the same over several runs (n - 1) |
| ... `chance` | the same for a random order |
| ... `queries`, `gallery`, `skipped` | numbers of queries, gallery items, queries without match |
| `runs` | each run's own results, by SPLIT-SEED |
| `config` | the resolved config of the experiment |
| `versions` | versions of weakreid and of the packages that results depend on |

`runs/SPLIT-SEED/metrics.json` holds the protocols of one run. `timing.json` says what a training
took: `seconds`, `images_per_s`, `peak_memory_mb`, `device`, `devices`, on a GPU
`peak_gpu_memory_mb`, with TMC `association_s` and with BUC `merging_s`.

`runs/SPLIT-SEED/calibration.json` says what a distance d means: the log-odds of the same person,
intercept + distance * d + logarithm * ln d (`odds`), within `bounds` of the probability;
`thresholds` by false-match rate, null where there are too few pairs of different people to say;
the share of pairs that are of one person (`prior`), how many were compared (`pairs`), and of which
`cameras` (`different`, or `any` where two cameras share nobody); what it was learnt `from`; or
`why` nothing could be learnt.
"""

_OTHER_NAMES = {
    "isolated_labels": "tracklet_labels",
    "coarse": "bags",
    "distribution": "id_counts",
    "frame_features": "features",
    "isolation": "tracks",
    "labels": "attribute_labels",
    "named_bags": "bags",
    "noise": "tracks",
    "training_features": "features",
    "true_attributes": "attribute_labels",
    "votes": "attribute_votes",
    "weights": "frame_weights",
}
"""Kinds of tables whose file and rule are called otherwise."""


def page() -> str:
    """Return the page in Markdown."""
    files = ["## Files\n", "| rule | what it makes | files below `results/` |", "|---|---|---|"]
    files += [_row(rule) for rule in RULES.values()]
    store = "\n".join(
        f"| `{field.name}` | {field.type} | {words} |"
        for field, words in zip(
            image_store.SCHEMA,
            ("the encoded picture", "height in pixels", "width in pixels"),
            strict=True,
        )
    )
    tables = [part for kind in schemas.KINDS for part in _table(kind)]
    return "\n".join([HEAD, *files, "", TABLES, *tables, OTHERS.format(store=store)])


def _row(rule: Rule) -> str:
    files = []
    for output in rule.outputs.values():
        path = output.path.removeprefix(f"{paths.RESULTS}/")
        path = re.sub(r"{(\w+)}", lambda found: found[1].upper(), path)
        kind = kind_of(rule.name, path)
        files.append(f"`{path}`" + (f" ([{kind}](#{kind}))" if kind else ""))
    words = inspect.getdoc(rule.needs).partition("\n\n")[0].rstrip(".")  # type: ignore[union-attr]
    return f"| {rule.name} | {words} | {', '.join(files)} |"


def kind_of(rule: str, path: str) -> str | None:
    """Return the kind of table that a rule writes to a path; None: it is no table."""
    if not path.endswith(".parquet"):
        return None
    names = (PurePath(path).stem, rule)
    named = [_OTHER_NAMES.get(name, name) for name in names]
    return next(name for name in named if name in schemas.KINDS)


def _table(kind: str) -> Iterator[str]:
    about, columns = described(schemas.KINDS[kind])
    yield f"### {kind}\n\n{about}\n\n| column | type | |\n|---|---|---|"
    for name, held in zip(schemas.SCHEMAS[kind].names, schemas.SCHEMAS[kind].types, strict=True):
        yield f"| `{name}` | {_type(held)} | {columns[name]} |"
    yield ""


def _type(held: pa.DataType) -> str:
    return f"list of {held.value_type}" if pa.types.is_list(held) else str(held)


def described(declared: type[schemas.Kind]) -> tuple[str, dict[str, str]]:
    """Return what a kind's docstring says of it, and the comment behind each of its columns."""
    columns = re.findall(r"^    (\w+) = .*  # (.*)$", inspect.getsource(declared), re.MULTILINE)
    return inspect.getdoc(declared) or "", dict(columns)


if __name__ == "__main__":
    sys.stdout.write(page())
