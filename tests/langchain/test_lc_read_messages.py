"""What is read of a message is that of the message as it is now, though equal ones are read once."""

from __future__ import annotations

import math

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from halo_langchain import _history
from halo_langchain._history import _read, _write_calls, read_message


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


def test_equal_messages_are_read_once(monkeypatch):
    read = []
    monkeypatch.setattr(_history, "_read", lambda message: read.append(message) or _read(message))
    for _ in range(3):
        read_message(ask({"to": "an equal one"}))
    assert len(read) == 1
