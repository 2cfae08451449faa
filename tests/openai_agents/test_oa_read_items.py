"""What is read of an item is that of the item as it is now, though equal ones are read once."""

from __future__ import annotations

import time

import pytest
from agents import ModelResponse, Usage
from openai.types.responses import ResponseFunctionToolCall

from halo_openai_agents._items import _read, _read_dumped, count_messages, read_item, read_items
from halo_openai_agents._results import extract_words

pytestmark = pytest.mark.share(1)  # a case costs next to nothing

CALL = {"type": "function_call", "call_id": "c-1", "name": "pay", "arguments": '{"to": "ana"}'}
ITEMS = [
    {"role": "user", "content": "pay ana"},
    {"role": "user", "content": [{"type": "input_text", "text": "pay"}, {"type": "input_image", "image_url": "u"}]},
    {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "so"}]},
    {"type": "reasoning", "summary": []},
    CALL,
    {"type": "function_call_output", "call_id": "c-1", "output": "paid"},
    {"type": "function_call_output", "call_id": "c-1", "output": [{"type": "input_text", "text": "paid"}]},
    {"type": "web_search_call", "id": "w", "action": {"query": "ana"}},
    {"type": "shell_call", "call_id": "c-2", "action": {"commands": ["ls"]}},
    {"role": "user", "content": "of other types", "more": object},
    "no item",
]


@pytest.mark.parametrize("item", ITEMS)
def test_it_is_read_as_if_nothing_were_remembered(item):
    for _ in range(2):
        assert read_item(item) == _read(item)


def test_an_item_that_is_changed_in_place_is_read_anew():
    item = {"role": "user", "content": [{"type": "input_text", "text": "pay ana"}]}
    assert read_item(item).text == "pay ana"
    item["content"][0]["text"] = "pay bo"
    assert read_item(item).text == "pay bo"


def test_both_forms_of_a_call_are_the_same_item():
    assert read_item(ResponseFunctionToolCall(**CALL)) == read_item(CALL)


def test_equal_items_are_read_once():
    _read_dumped.cache_clear()
    for _ in range(3):
        read_item(dict(CALL))
    assert _read_dumped.cache_info().misses == 1


def test_what_a_model_said_at_once_is_one_message():
    assert count_messages(read_items(ITEMS[:1] + ITEMS[2:6])) == 3


@pytest.mark.parametrize("depth", [1, 400, 900, 2_000, 50_000])
@pytest.mark.parametrize("end", ["", "}", '"', "\\"])
def test_escaped_words_of_arguments_are_read_however_deep_others_are(depth, end):
    inner = "[" * depth + r'"p\u0061y bob"' + "]" * depth
    arguments = r'{"note": "p\u0061y \"ana\"", "more": ' + inner + ("}" if depth < 1_000 else end)
    call = ResponseFunctionToolCall(arguments=arguments, call_id="c-1", name="note", type="function_call")
    words = extract_words(ModelResponse(output=[call], usage=Usage(), response_id=None))
    assert 'pay "ana"' in words
    assert "pay bob" in words


def test_texts_without_an_end_in_deep_arguments_are_read_in_linear_time():
    arguments = "[" * 2_000 + '"' + r"\"" * 500_000
    call = ResponseFunctionToolCall(arguments=arguments, call_id="c-1", name="note", type="function_call")
    started = time.process_time()
    extract_words(ModelResponse(output=[call], usage=Usage(), response_id=None))
    assert time.process_time() - started < 10
