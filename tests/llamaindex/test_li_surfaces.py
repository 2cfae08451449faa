"""What of results and answers may be used: read, dropped, masked, held back, in the framework's own shapes."""

from __future__ import annotations

from typing import Any

import pytest
from li_world import CARD
from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    CompletionResponse,
    TextBlock,
    ThinkingBlock,
    ToolCallBlock,
)
from llama_index.core.base.response.schema import Response
from llama_index.core.schema import IndexNode, NodeWithScore, TextNode
from llama_index.core.tools import ToolOutput

from halo_llamaindex._results import (
    MODEL_SURFACE,
    TOOL_RESULT_SURFACE,
    extract_text,
    is_readable,
    make_documents_surface,
    redact_value,
)

pytestmark = pytest.mark.share(1)  # a case costs next to nothing

PARTS = "4111 1111"


def mask(text: str) -> str:
    return text.replace(CARD, "[card]")


def masked(value: Any, **more: Any) -> Any:
    return redact_value(value, mask, **more)


def answer(*blocks: Any, **more: Any) -> ChatResponse:
    return ChatResponse(message=ChatMessage(role="assistant", blocks=list(blocks), **more))


RESULTS = [
    f"card {CARD}",
    [f"card {CARD}", 7],
    {"card": CARD},
    TextBlock(text=CARD),
    NodeWithScore(node=TextNode(text=CARD, metadata={"a": CARD}), score=0.1),
    ToolOutput(content=CARD, tool_name="t", raw_input={}, raw_output=CARD),
    Response(response=CARD, source_nodes=[NodeWithScore(node=TextNode(text=CARD))]),
    answer(TextBlock(text=CARD), ThinkingBlock(content=CARD)),
    CompletionResponse(text=CARD, delta=CARD, raw={"text": CARD}),
]


@pytest.mark.parametrize("value", RESULTS, ids=lambda value: type(value).__name__)
def test_every_shape_is_read_and_masked(value):
    assert CARD in extract_text(value)
    assert is_readable(value)
    made = masked(value)
    assert type(made) is type(value)
    assert CARD not in extract_text(made)
    assert CARD not in repr(made)
    assert CARD in extract_text(value)  # what was given is not changed


@pytest.mark.parametrize("value", RESULTS, ids=lambda value: type(value).__name__)
def test_what_holds_nothing_to_mask_is_the_same_object(value):
    assert redact_value(value, lambda text: text) is value


def test_words_in_two_blocks_are_masked_where_only_together_they_say_it():
    made = masked(answer(TextBlock(text="4111 1111"), TextBlock(text="1111 1111"))).message
    assert made.content == "4111 1111\n1111 1111"  # the mask here knows it only on one line
    joined = redact_value(
        answer(TextBlock(text="4111 1111"), TextBlock(text="1111 1111")), lambda text: text.replace("1111\n1111", "[x]")
    )
    assert joined.message.content == "4111 [x] 1111\n"


def test_a_call_of_a_tool_stays_and_a_call_that_is_an_answer_is_masked():
    said = answer(
        TextBlock(text=CARD),
        ToolCallBlock(tool_name="pay", tool_kwargs={"to": CARD}),
        ToolCallBlock(tool_name="Answer", tool_kwargs={"text": CARD}),
        additional_kwargs={
            "id": "m1",
            "tool_calls": [
                {"id": "a", "function": {"name": "pay", "arguments": f'{{"to": "{CARD}"}}'}},
                {"id": "b", "function": {"name": "Answer", "arguments": f'{{"text": "{CARD}"}}'}},
            ],
        },
    )
    made = masked(said, is_tool=lambda name: name == "pay").message
    assert [block.tool_kwargs for block in made.blocks[1:]] == [{"to": CARD}, {"text": "[card]"}]
    pay, other = made.additional_kwargs["tool_calls"]
    assert CARD in pay["function"]["arguments"]
    assert CARD not in other["function"]["arguments"]
    assert made.additional_kwargs["id"] == "m1"


def test_metadata_whose_name_is_masked_says_no_more_than_the_mask_shows():
    answered = CompletionResponse(text="a", additional_kwargs={f"of {CARD}": CARD, "password": "hunter2", "n": 1})
    assert masked(answered).additional_kwargs == {"of [card]": "[card]", "password": "[secret]", "n": 1}


def test_what_nobody_can_look_into_is_not_passed_on():
    class Opaque:
        pass

    assert not is_readable(Opaque())
    with pytest.raises(TypeError):
        masked([Opaque()])
    with pytest.raises(TypeError):
        masked(NodeWithScore(node=IndexNode(text="a", index_id="i", obj=Opaque())))
    assert masked(CompletionResponse(text=CARD, raw=Opaque())).raw is None


def test_a_notice_stands_in_the_shape_of_what_is_held_back():
    notice = "held"
    for value in (answer(TextBlock(text=CARD), ToolCallBlock(tool_name="pay")), RESULTS[-1]):
        assert extract_text(MODEL_SURFACE.withhold(value, notice)) == notice
    for value in RESULTS[:-2]:
        made = TOOL_RESULT_SURFACE.withhold(value, notice)
        assert notice in extract_text(made)
        assert CARD not in extract_text(made)
    with pytest.raises(TypeError):
        MODEL_SURFACE.withhold("a text", notice)
    (node,) = make_documents_surface().withhold([], notice)
    assert node.get_content() == notice


def test_a_tools_documents_are_dropped_one_by_one():
    nodes = [NodeWithScore(node=TextNode(text=text)) for text in ("good", "bad")]

    def keep(text: str, _labels: tuple[str, ...], _id: str) -> bool:
        return "bad" not in text

    left, dropped = TOOL_RESULT_SURFACE.filter(nodes, keep)
    assert ([item.get_content() for item in left], dropped) == (["good"], 1)
    output = ToolOutput(content="good bad", tool_name="t", raw_input={}, raw_output=nodes)
    none, count = TOOL_RESULT_SURFACE.filter(output, keep)
    assert (count, "withheld" in str(none)) == (1, True)
