"""The generated pages: equal to the models and schemas, and complete."""

from pathlib import Path

import pytest

from weakreid.artifacts import schemas
from weakreid.config import reference as configuration
from weakreid.config.base import Strict
from weakreid.config.load import Config
from weakreid.plan import reference as artifacts
from weakreid.plan.read import RULES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.parametrize(
    ("file", "page"),
    [
        ("docs/configuration.md", configuration.page),
        ("docs/artifacts.md", artifacts.page),
    ],
)
def test_the_files_are_what_make_docs_writes(file: str, page) -> None:
    assert (ROOT / file).read_text(encoding="utf-8") == page(), "run make docs"


def test_every_key_of_the_config_is_described() -> None:
    def blocks(model: type[Strict]) -> set[type[Strict]]:
        below = {
            b for i in model.model_fields.values() for b in configuration.blocks_in(i.annotation)
        }
        return {model}.union(*map(blocks, below))

    for model in blocks(Config):
        assert model.__doc__, model
        for key, info in configuration.described(model):
            assert info.description, f"{model.__name__}.{key} has no description"


@pytest.mark.parametrize("kind", schemas.KINDS)
def test_every_column_is_described(kind: str) -> None:
    about, columns = artifacts.described(schemas.KINDS[kind])
    assert about
    assert list(columns) == schemas.SCHEMAS[kind].names
    assert all(columns.values())


def test_every_kind_of_table_is_written_by_a_rule() -> None:
    outputs = [(rule.name, out.path) for rule in RULES.values() for out in rule.outputs.values()]
    assert {artifacts.kind_of(*output) for output in outputs} - {None} == set(schemas.KINDS)
