"""What is read of a message is that of the message as it is now, though equal ones are read once."""

from __future__ import annotations

import math

import pytest
from langchain_core.messages import AIMessage

from halo_langchain._history import _read_dumped_calls, _write_calls, read_message


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


def test_equal_calls_are_read_once():
    _read_dumped_calls.cache_clear()
    for _ in range(3):
        read_message(ask({"to": "ana"}))
    assert _read_dumped_calls.cache_info().misses == 1
