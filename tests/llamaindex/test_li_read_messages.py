"""What is read of a message is that of the message as it is now, though equal ones are read once."""

from __future__ import annotations

import pytest
from llama_index.core.base.llms.types import ChatMessage, ImageBlock, TextBlock, ThinkingBlock, ToolCallBlock

from halo_llamaindex import _messages
from halo_llamaindex._messages import _read, read_message

pytestmark = pytest.mark.share(1)  # a case costs next to nothing


def ask(**kwargs):
    blocks = [TextBlock(text="so"), ToolCallBlock(tool_call_id="c-1", tool_name="pay", tool_kwargs=kwargs)]
    return ChatMessage(role="assistant", blocks=blocks)


MESSAGES = [
    ChatMessage(role="user", content="pay ana"),
    ask(to="ana"),
    ask(to=1),
    ask(to=True),
    ask(to=1.0),
    ask(to=object),
    ChatMessage(role="tool", content="paid", additional_kwargs={"tool_call_id": "c-1"}),
    ChatMessage(role="assistant", additional_kwargs={"tool_calls": [{"name": "pay", "arguments": "{}"}]}),
    ChatMessage(role="user", blocks=[TextBlock(text="see"), ImageBlock(url="https://a.example/i.png")]),
    ChatMessage(role="assistant", blocks=[ThinkingBlock(content="hm"), TextBlock(text="so")]),
]


@pytest.mark.parametrize("message", MESSAGES)
def test_it_is_read_as_if_nothing_were_remembered(message):
    for _ in range(2):
        assert read_message(message) == _read(message)


def test_a_message_that_is_changed_in_place_is_read_anew():
    message = ask(to="ana")
    assert read_message(message).whole_text == 'so\npay {"to":"ana"}'
    message.blocks[1].tool_kwargs["to"] = "bo"
    assert read_message(message).whole_text == 'so\npay {"to":"bo"}'


def test_equal_messages_are_read_once(monkeypatch):
    reads = []
    monkeypatch.setattr(_messages, "_read", lambda message: reads.append(message) or _read(message))
    _messages._KNOWN.clear()
    for _ in range(3):
        read_message(ask(to="ana"))
    assert len(reads) == 1


def test_a_message_that_changes_while_it_is_read_is_not_kept_as_what_it_was(monkeypatch):
    def read_late(message):
        message.blocks[0].text = "pay bob"
        return _read(message)

    text = "pay ana, who is changed meanwhile"
    with monkeypatch.context() as patches:
        patches.setattr(_messages, "_read", read_late)
        read_message(ChatMessage(role="user", content=text))
    assert read_message(ChatMessage(role="user", content=text)).text == text
