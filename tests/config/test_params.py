"""What stages are given: blocks of the config whole, but for what later stages use."""

import pytest
from pydantic import BaseModel

from weakreid.config import params
from weakreid.config.params import Params
from weakreid.errors import ReidError

STAGES = [
    stage
    for stage in vars(params).values()
    if isinstance(stage, type) and issubclass(stage, Params) and stage is not Params
]
LATER = [stage for stage in STAGES if stage.later]


def has(model: type[BaseModel], key: str) -> bool:
    """Return whether a model has a key with dots, in any of the blocks that may stand there."""
    name, _, rest = key.partition(".")
    field = model.model_fields.get(name)
    if field is None or not rest:
        return field is not None
    blocks = [field.annotation, *getattr(field.annotation, "__args__", ())]
    return any(has(of, rest) for of in blocks if isinstance(of, type) and issubclass(of, BaseModel))


@pytest.mark.parametrize("stage", LATER)
def test_what_a_stage_leaves_to_later_ones_is_there_to_leave(stage: type[Params]) -> None:
    ways = params.TRAININGS.values() if stage in params.TRAININGS.values() else [stage]
    for key in stage.later:
        assert any(has(way, key) for way in ways), key


def test_what_a_method_says_of_later_stages_is_given_to_these() -> None:
    given = {*params.Evaluate.model_fields, *params.ClipFeatures.model_fields}
    used = {"evaluation": params.Evaluate, "neck.retrieves": params.ClipFeatures}
    for key in params.AFTER_TRAINING:
        if key not in used:
            assert key.rpartition(".")[2] in given, key
    evaluation = params.TrainBags.model_fields["evaluation"].annotation
    assert evaluation is not None and issubclass(params.Evaluate, evaluation)


def test_every_way_of_learning_leaves_the_same_to_later_stages() -> None:
    assert {stage.later for stage in params.TRAININGS.values()} == {params.AFTER_TRAINING}


def test_what_is_left_out_has_its_default_when_it_is_read_back() -> None:
    given = params.Isolate(extractor="lite0", eps=0.3)
    text = given.model_dump_json()
    assert "extractor" not in text
    again = params.Isolate.parse(text)
    assert (again.extractor, again.eps) == ("", 0.3)


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ('{"threshold": 2}', "--params: threshold: Input should be less than or equal to 1"),
        ('{"threshold": 0.5, "more": 1}', "--params: more: Extra inputs are not permitted"),
        ("{}", "--params: threshold: Field required"),
        ("[", "--params: Invalid JSON"),
    ],
)
def test_params_of_another_stage_are_refused(text: str, line: str) -> None:
    with pytest.raises(ReidError) as refused:
        params.LabelAttributes.parse(text)
    said = str(refused.value)
    assert said.startswith(line)
    assert said.endswith("; they are made by the workflow, run that instead")
    assert "\n" not in said
