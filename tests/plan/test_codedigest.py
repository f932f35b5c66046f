"""What changes a code digest, and what does not."""

import ast
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from weakreid.errors import ReidError
from weakreid.plan import codedigest

REPOSITORY = Path(__file__).resolve().parents[2]

FILES = {
    "toy/__init__.py": "",
    "toy/stages/__init__.py": "",
    "toy/stages/train.py": '''
        """Train."""
        import json
        from toy import numbers
        from toy.losses import mil as loss

        def main():
            """Run."""
            from ..late import help  # imported when called
            # a comment
            return loss.value(numbers.ONE), help, json
    ''',
    "toy/stages/plain.py": "import os\nfrom toy.config import LIMIT\n",
    "toy/numbers.py": "ONE = 1\n",
    "toy/late.py": "import numpy\n\ndef help(): ...\n",
    "toy/config.py": "from toy import schema\nLIMIT = 3\n",
    "toy/schema.py": "NAME = 'schema'\n",
    "toy/losses/__init__.py": "",
    "toy/losses/mil.py": """
        from . import pooling
        from .pooling import top

        def value(x):
            return top(x)
    """,
    "toy/losses/pooling.py": "def top(x): return x\n",
    "toy/losses/cpal.py": "from .pooling import top\n",
}

TRAIN = [
    "toy",
    "toy.late",
    "toy.losses",
    "toy.losses.mil",
    "toy.losses.pooling",
    "toy.numbers",
    "toy.stages",
    "toy.stages.train",
]


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A package `toy` that stands where weakreid would."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text).lstrip("\n"))
    monkeypatch.setattr(codedigest, "SOURCE", tmp_path)
    return tmp_path


def digest(*names):
    return codedigest.digest(*names, exclude=frozenset({"toy.config"}))


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_follows_absolute_relative_and_late_imports(toy):
    assert codedigest.modules("toy.stages.train") == TRAIN


def test_leaves_out_the_excluded_module_and_what_only_it_imports(toy):
    without = codedigest.modules("toy.stages.plain", exclude=frozenset({"toy.config"}))
    assert without == ["toy", "toy.stages", "toy.stages.plain"]
    assert "toy.schema" in codedigest.modules("toy.stages.plain")


def test_a_plug_in_is_covered_when_the_caller_names_it(toy):
    assert codedigest.modules("toy.stages.train", "toy.losses.cpal") == sorted(
        [*TRAIN, "toy.losses.cpal"]
    )
    assert digest("toy.stages.train") != digest("toy.stages.train", "toy.losses.cpal")


def test_is_sixteen_hexadecimal_digits_whatever_the_order_of_names(toy):
    first = digest("toy.stages.train", "toy.losses.cpal")
    assert first == digest("toy.losses.cpal", "toy.stages.train")
    assert len(first) == 16
    assert int(first, 16) >= 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("stages/train.py", "# a comment", "# another one, rather longer"),
        ("stages/train.py", '"""Train."""', '"""Train a network."""'),
        ("stages/train.py", '"""Run."""', '"""Run it."""'),
        ("stages/train.py", "import json\n", "import json\n\n\n"),
        ("stages/train.py", "loss.value(numbers.ONE)", "loss.value(\n        numbers.ONE,\n    )"),
        ("numbers.py", "ONE = 1", '"""Numbers."""\n\nONE = 1'),
        ("losses/pooling.py", "return x", "return (x)"),
        ("losses/cpal.py", "top", "top as best"),  # no import of train's leads here
        ("config.py", "LIMIT = 3", "LIMIT = 4"),
    ],
)
def test_comments_layout_docstrings_and_strangers_change_nothing(toy, file, old, new):
    before = digest("toy.stages.train", "toy.stages.plain")
    edit(toy / "toy" / file, old, new)
    assert digest("toy.stages.train", "toy.stages.plain") == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("stages/train.py", "numbers.ONE", "numbers.ONE + 1"),
        ("numbers.py", "ONE = 1", "ONE = 1.0"),
        ("numbers.py", "ONE = 1", "ONE = '1'"),
        ("late.py", "help()", "help(more=None)"),
        ("losses/mil.py", "top(x)", "top(top(x))"),
        ("losses/pooling.py", "return x", "return -x"),
        ("losses/__init__.py", "", "LOADED = True\n"),  # a package's own code runs too
    ],
)
def test_code_of_any_imported_module_changes_the_digest(toy, file, old, new):
    before = digest("toy.stages.train")
    path = toy / "toy" / file
    path.write_text(path.read_text().replace(old, new) if old else new)
    assert digest("toy.stages.train") != before


def test_an_edit_is_seen_by_the_same_process_and_its_undoing_too(toy):
    path = toy / "toy" / "numbers.py"
    before = digest("toy.stages.train")
    edit(path, "ONE = 1", "ONE = 23")
    assert digest("toy.stages.train") != before
    edit(path, "ONE = 23", "ONE = 1")
    assert digest("toy.stages.train") == before


def test_moving_code_between_modules_changes_the_digest(toy):
    before = digest("toy.stages.train")
    edit(toy / "toy" / "numbers.py", "ONE = 1", "")
    edit(toy / "toy" / "late.py", "import numpy", "import numpy\nONE = 1")
    assert digest("toy.stages.train") != before


def test_imports_in_a_circle_end(toy):
    path = toy / "toy" / "losses" / "pooling.py"
    path.write_text("from toy.losses import mil\n" + path.read_text())
    assert codedigest.modules("toy.stages.train") == TRAIN


def test_an_unknown_module_is_refused_in_one_line(toy):
    with pytest.raises(ReidError, match=r"^toy\.losses\.nonsense: no such module under .*$"):
        digest("toy.stages.train", "toy.losses.nonsense")


def test_a_syntax_error_names_file_and_line(toy):
    path = toy / "toy" / "losses" / "pooling.py"
    path.write_text("x = 1\ndef top(:\n")
    with pytest.raises(ReidError) as caught:
        digest("toy.stages.train")
    assert f"{path}: line 2: not valid Python" in str(caught.value)
    assert "\n" not in str(caught.value)


def stages():
    return sorted(
        f"weakreid.stages.{path.stem}"
        for path in (REPOSITORY / "src/weakreid/stages").glob("[a-z]*.py")
    )


@pytest.mark.parametrize("stage", stages())
def test_every_stage_is_covered_with_what_it_imports(stage):
    covered = set(codedigest.modules(stage))
    assert {stage, "weakreid.errors"} <= covered
    # the door for other programs is no stage's: editing it reruns nothing
    assert not covered & {"weakreid", "weakreid.door"}
    tree = ast.parse((REPOSITORY / "src" / f"{stage.replace('.', '/')}.py").read_text())
    named = {
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("weakreid.")
    }
    # what they do shows in the values that a job is given
    told = {
        name for name in covered | named if name.startswith(("weakreid.config.", "weakreid.plan."))
    }
    assert not covered & told
    assert named - told <= covered


def test_covers_what_python_really_loads():
    """Checked against Python itself, in a fresh process."""
    program = (
        "import sys, importlib\n"
        "importlib.import_module('weakreid.retrieval.protocols')\n"
        "print(*sorted(m for m in sys.modules if m.split('.')[0] == 'weakreid'))"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    ).stdout.split()
    loaded = {name for name in loaded if not name.startswith("weakreid.config.")}
    assert loaded - {"weakreid"} <= set(codedigest.modules("weakreid.retrieval.protocols"))


def test_needs_no_heavy_package():
    program = (
        "import sys, weakreid.plan.codedigest as c; c.digest('weakreid.plan.codedigest');"
        "print([m for m in ('torch', 'numpy', 'pandas', 'pydantic') if m in sys.modules])"
    )
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


@pytest.mark.parametrize("held", [None, "", "[]", '{"half'])
def test_what_was_kept_of_texts_may_be_absent_or_broken(
    held: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "weakreid.losses.bags.mil"
    expected, path = codedigest.digest(name), tmp_path / "kept" / "digests.json"
    if held is not None:
        path.parent.mkdir()
        path.write_text(held)
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    for _ in range(2):  # found anew, then read
        monkeypatch.setattr(codedigest, "_KEPT", codedigest._Kept(path))
        assert codedigest.digest(name) == expected
        assert [file.name for file in path.parent.iterdir()] == ["digests.json"]
    monkeypatch.setattr(codedigest, "_parse", None)
    monkeypatch.setattr(codedigest, "_KEPT", codedigest._Kept(path))
    assert codedigest.digest(name) == expected
