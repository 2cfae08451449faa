"""What is read of a message is that of the message as it is now, though equal ones are read once."""

from __future__ import annotations

import math

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage
from langchain_core.outputs import Generation, LLMResult

from halo_core.enforcement.session_context import IN_BODY, ContextVarScope
from halo_core.model import HistoryRole
from halo_langchain import _history
from halo_langchain._history import _read, _write_calls, find_run_input, list_history, read_answer, read_message
from halo_langchain._results import extract_model_output, extract_result_text

pytestmark = pytest.mark.share(1)  # a case costs next to nothing


def ask(args):
    return AIMessage("x", tool_calls=[{"name": "pay", "args": args, "id": "c-1", "type": "tool_call"}])


def test_arguments_that_are_changed_in_place_are_read_anew():
    message = ask({"to": "ana", "items": [1]})
    before = read_message(message)
    message.tool_calls[0]["args"]["items"].append(2)
    after = read_message(message)
    assert before.call_lines == '\npay {"items":[1],"to":"ana"}'
    assert after.call_lines == '\npay {"items":[1,2],"to":"ana"}'
    assert (after.calls, after.call_lines) == _write_calls(message.tool_calls)


@pytest.mark.parametrize("one", [None, True, 1, 1.0, "1", math.nan, math.inf, [1], (1,), {"a": 1}])
@pytest.mark.parametrize("other", [None, False, 1, 1.0, "nan", "NaN", math.nan, [1.0], {"a": True}, {1}, object])
def test_equal_values_of_other_types_are_not_taken_for_each_other(one, other):
    for value in (one, other):
        message = ask({"x": value})
        read = read_message(message)
        assert (read.calls, read.call_lines) == _write_calls(message.tool_calls)


BLOCKS = [{"type": "text", "text": "Pay Ana."}]


@pytest.mark.parametrize(
    ("make", "name", "value"),
    [
        (lambda: HumanMessage("Pay Ana."), "content", "Pay Bob."),
        (lambda: HumanMessage("Pay Ana."), "content", [{"type": "text", "text": "Pay Bob."}]),
        (lambda: HumanMessage(BLOCKS), "content", [{"type": "text", "text": "Pay Bob."}]),
        (lambda: HumanMessage("Pay Ana."), "name", "summary"),
        (lambda: HumanMessage("Pay Ana."), "additional_kwargs", {"lc_source": "summarization"}),
        (lambda: HumanMessage("Pay Ana."), "id", "m-2"),
        (lambda: AIMessage("Done."), "type", "assistant"),
        (lambda: AIMessage("Done."), "tool_calls", [{"name": "pay", "args": {}, "id": "c-1"}]),
        (lambda: ToolMessage("paid", tool_call_id="c-1"), "tool_call_id", "c-2"),
    ],
)
def test_whatever_is_read_of_a_message_is_read_anew_once_it_is_changed(make, name, value):
    message = make()
    before = read_message(message)
    assert read_message(make()) is before
    message.__dict__[name] = value
    assert read_message(message) == _read(message) != before


def test_blocks_that_are_changed_in_place_are_read_anew():
    message = HumanMessage([dict(BLOCKS[0])])
    read_message(message)
    message.content[0]["text"] = "Pay Bob."
    assert read_message(message).text == "Pay Bob."


class Shouted(str):
    __slots__ = ()


@pytest.mark.parametrize("message", [HumanMessage([{"type": "text", "text": Shouted("x")}]), AIMessage("x", other=1)])
def test_a_message_of_other_types_is_not_remembered(message):
    assert read_message(message) is not read_message(message)


class ChangingContent(dict):
    """Changes a message while it is read, as another thread may."""

    def __init__(self, message):
        self.message = message

    def __contains__(self, _name):
        self.message.content = "Pay Bob."
        return False


def test_a_message_that_changes_while_it_is_read_is_not_kept_as_what_it_was():
    changing = HumanMessage("Pay Ana, who is changed meanwhile.")
    changing.additional_kwargs = ChangingContent(changing)
    read_message(changing)
    assert read_message(HumanMessage("Pay Ana, who is changed meanwhile.")).text == "Pay Ana, who is changed meanwhile."


@pytest.mark.parametrize("name", ["id", "tool_call_id"])
def test_a_message_with_a_long_id_is_not_remembered(name):
    message = ToolMessage("paid", **{"tool_call_id": "c-1", name: "c" * 1_000})
    assert read_message(message) is not read_message(message)


class AnswerOfAPerson(AIMessage, HumanMessage):
    type: str = "ai"


def test_what_a_message_asks_for_is_recorded_whatever_else_it_is():
    message = AnswerOfAPerson("Yes.", tool_calls=[{"name": "pay", "args": {}, "id": "c-1"}])
    assert read_message(message).recorded.text == "Yes.\npay {}"


class Answering(AIMessage):
    """Has an artifact that is no field."""

    def __getattr__(self, name):
        if name == "artifact":
            return "a secret"
        raise AttributeError(name)


class Intercepting(AIMessage):
    """The same in another way."""

    def __getattribute__(self, name):
        return "a secret" if name == "artifact" else super().__getattribute__(name)


@pytest.mark.parametrize("kind", [Answering, Intercepting])
def test_what_a_message_answers_for_itself_is_part_of_its_text(kind):
    assert "a secret" in extract_result_text(kind("x"))
    assert "a secret" in extract_model_output(kind("x"))


BESIDE = [
    AIMessage("x", additional_kwargs={"citations": ["https://a.test"]}),
    AIMessage("x", response_metadata={"citations": ["https://a.test"]}),
    AIMessage([{"type": "text", "text": "x", "citations": ["https://a.test"]}]),
    AIMessage([{"type": "web_search_tool_result", "content": "https://a.test"}]),
]


@pytest.mark.parametrize("answer", BESIDE)
def test_what_a_provider_found_is_read_wherever_it_stands_beside_the_text(answer):
    items = read_answer(answer)
    assert [item.role for item in items][-1] is HistoryRole.PROVIDER_RESULT
    assert "https://a.test" in items[-1].text


def test_a_text_alone_has_nothing_that_a_provider_found():
    assert [item.role for item in read_answer(AIMessage("x"))] == [HistoryRole.REPLY]


def test_messages_of_a_call_that_nothing_is_around_were_there_before():
    shown = [read_message(HumanMessage("Pay Ana.")), read_message(AIMessage("Done."))]
    run_input = find_run_input(shown)
    assert run_input.user_texts == ("Pay Ana.",)
    assert list_history(shown, run_input) == tuple(item.given_item for item in shown)
    with ContextVarScope((IN_BODY, True)):
        assert list_history(shown, find_run_input(shown)) == tuple(item.item for item in shown)


def test_generations_in_a_tuple_are_read_each():
    answer = LLMResult.model_construct(generations=[(Generation(text="one"), Generation(text="two"))])
    assert extract_model_output(answer) == "one\ntwo"


def test_equal_messages_are_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(_history, "_read", lambda message: read.append(message) or _read(message))
    for _ in range(3):
        read_message(ask({"to": "an equal one"}))
    assert len(read) == 1
