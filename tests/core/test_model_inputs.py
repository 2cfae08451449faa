"""What is recorded of a model call: references in order, texts sealed once, nothing personal in the shared parts."""

from __future__ import annotations

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import Digester
from halo_core.enforcement.model_inputs import (
    NO_RECORD,
    Message,
    ModelInput,
    ModelRecorder,
    SchemaTexts,
    dump_json,
    select_parameters,
)
from halo_core.references import References

SECRET = "sk-proj-abcdefghijklmnopqrstuvwxyz0123456789ABCD"
CARD = "4111 1111 1111 1111"


@pytest.fixture
def recorder() -> ModelRecorder:
    digester = Digester(b"k" * 32)
    return ModelRecorder(References(digester), Redactor(digester))


def told(*texts: str) -> ModelInput:
    return ModelInput([Message("user", text) for text in texts])


def sealed_texts(record) -> list[str | None]:
    return [text for _, _, text in orjson.loads(record.sealed or b"[]")]


def test_a_message_is_sealed_again_until_its_decision_is_durable(recorder):
    first = recorder.describe(told("a", "b"), "s", "")
    assert sealed_texts(first) == ["a", "b"]
    assert sealed_texts(recorder.describe(told("a", "b"), "s", "")) == ["a", "b"]
    recorder.note_sealed(first.new_messages)
    later = recorder.describe(told("a", "b", "c", "c"), "s", "")
    assert sealed_texts(later) == ["c"]
    assert later.model.messages[:2] == first.model.messages
    assert later.model.messages[2] == later.model.messages[3]
    assert sealed_texts(recorder.describe(told("a"), "another session", "")) == ["a"]


def test_the_text_that_the_decision_seals_as_its_trigger_is_not_sealed_twice(recorder):
    record = recorder.describe(told("a", "pay"), "s", "pay")
    assert sealed_texts(record) == ["a", None]


def test_what_does_not_fit_is_sealed_with_the_next_decision(recorder):
    texts = [f"{n}" + "x" * 16_000 for n in range(40)]
    first = recorder.describe(told(*texts), "s", "")
    recorder.note_sealed(first.new_messages)
    second = recorder.describe(told(*texts), "s", "")
    recorder.note_sealed(second.new_messages)
    third = recorder.describe(told(*texts), "s", "")
    assert [*sealed_texts(first), *sealed_texts(second), *sealed_texts(third)] == texts
    assert len(first.sealed) < 300_000


def test_a_role_and_a_text_are_not_another_role_and_text(recorder):
    one = recorder.describe(ModelInput([Message("user", "a")]), "s", "").model
    other = recorder.describe(ModelInput([Message("system", "a")]), "s", "").model
    assert one.messages != other.messages


def test_shared_parts_hold_neither_secrets_nor_personal_data(recorder):
    schema = dump_json({"name": "pay", "description": f"never use {SECRET} or {CARD}"})
    given_input = ModelInput(
        [Message("system", f"key {SECRET}, card {CARD}")],
        f"key {SECRET}, card {CARD}",
        [schema],
        parameters={"stop": [CARD]},
    )
    record = recorder.describe(given_input, "s", "")
    shared = b"".join(data for _, data in record.parts) + orjson.dumps(record.model.to_plain())
    assert SECRET.encode() not in shared
    assert CARD.encode() not in shared
    assert SECRET.encode() not in record.sealed
    assert CARD.encode() in record.sealed  # under the user's key, and gone with it


class Odd:
    def __str__(self) -> str:
        raise RuntimeError("no")

    __repr__ = __str__


@pytest.mark.parametrize(
    "odd",
    [
        ModelInput([Message("user", Odd())]),  # type: ignore[arg-type]
        ModelInput(system=Odd()),  # type: ignore[arg-type]
        None,
    ],
)
def test_what_has_no_canonical_form_is_not_recorded_and_raises_nothing(recorder, odd):
    assert recorder.describe(odd, "s", "") is NO_RECORD


@pytest.mark.parametrize(
    "schema",
    [
        "{",
        '{"name": "t", "default": ' + "[" * 200 + "]" * 200 + "}",
        '{"name": "t", "description": "' + "x" * 2_000_000 + '"}',
        '{"name": "t", "enum": [' + ",".join(["1"] * 200_000) + "]}",
    ],
)
def test_a_hostile_schema_hides_neither_messages_nor_the_other_tools(recorder, schema):
    """A tool server chooses its schemas; what they hold must not keep a model call out of the record."""
    record = recorder.describe(ModelInput([Message("user", "pay")], "be good", [schema, '{"name": "honest"}']), "s", "")
    assert len(record.model.messages) == 1
    assert sealed_texts(record) == ["pay"]
    assert sum(len(data) for _, data in record.parts) < 100_000
    tools = orjson.loads(record.parts[-1][1])["tools"]
    assert tools[1] == {"name": "honest"}
    assert set(tools[0]) == {"omitted", "reference"}
    other = recorder.describe(ModelInput(tools=[f"{schema} ", '{"name": "honest"}']), "s", "")
    assert other.model.tools != record.model.tools


def test_many_tools_have_a_bounded_part(recorder):
    schemas = [dump_json({"name": f"t{n}", "description": "x" * 30_000}) for n in range(500)]
    record = recorder.describe(ModelInput(tools=schemas), "s", "")
    tools = orjson.loads(record.parts[-1][1])["tools"]
    assert len(tools) == 500
    assert "omitted" in tools[-1]
    assert len(record.parts[-1][1]) < 700_000


@pytest.mark.parametrize("odd", [{"stop": [float("nan")]}, {"seed": 2**63}])
def test_odd_parameters_hide_no_messages(recorder, odd):
    record = recorder.describe(ModelInput([Message("user", "pay")], parameters={**odd, "top_k": 3}), "s", "")
    assert sealed_texts(record) == ["pay"]
    assert record.model.parameters["top_k"] == 3
    assert next(iter(odd)) in record.model.parameters


def test_parameters_are_settings_alone():
    chosen = select_parameters(
        {
            "temperature": 0.5,
            "max_tokens": 7,
            "messages": [1],
            "tools": [1],
            "extra_headers": {"authorization": "x"},
            "metadata": {"customer": "ana"},
            "response_format": dict,
            "unheard_of": 1,
            "seed": None,
        }
    )
    assert chosen == {"max_tokens": 7, "response_format": "dict", "temperature": 0.5}


def test_schemas_are_kept_by_tool_and_read_again_where_the_tool_changed():
    read = []

    class Tool:
        name, description = "pay", "Pay."

    schemas = SchemaTexts(lambda tool: read.append(1) or {"name": tool.name, "description": tool.description})
    tool = Tool()
    assert schemas.describe(tool) == schemas.describe(tool)
    assert len(read) == 1
    tool.description = "Pay twice."
    assert "twice" in schemas.describe(tool)
    assert schemas.describe({"name": "x"}) == '{"name":"x"}'


@given(st.text(), st.text())
def test_any_text_has_a_reference_and_can_be_sealed(role, text):
    digester = Digester(b"k" * 32)
    record = ModelRecorder(References(digester), Redactor(digester)).describe(
        ModelInput([Message(role, text)]), "s", ""
    )
    assert len(record.model.messages) == 1
