"""A scripted LLM, so that an agent runs offline.

For tests of one's own policies: a real workflow, real tools and Halo, only the model's words are given.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from llama_index.core.base.llms.types import (
    ChatMessage,
    ChatResponse,
    ChatResponseAsyncGen,
    ChatResponseGen,
    CompletionResponse,
    CompletionResponseAsyncGen,
    CompletionResponseGen,
    LLMMetadata,
    MessageRole,
    TextBlock,
    ToolCallBlock,
)
from llama_index.core.llms.callbacks import llm_chat_callback, llm_completion_callback
from llama_index.core.llms.function_calling import FunctionCallingLLM
from llama_index.core.llms.llm import ToolSelection
from llama_index.core.tools import BaseTool
from pydantic import Field, field_validator

T = TypeVar("T")
_OPTIONS: Final = frozenset(("allow_parallel_tool_calls", "tool_required", "verbose"))


class ScriptedLLM(FunctionCallingLLM):
    """Says the messages of `script` in order (a text is a message), whatever it is asked; then `done`.

    The place in the script is the number of its own messages in the chat, so a resumed or parallel run of another
    conversation starts where that one stands. A completion has no chat: it is the first message. It streams word by
    word.
    """

    script: Sequence[Any] = Field(default_factory=list)
    model: str = "scripted"
    calls_functions: bool = True

    @field_validator("script", mode="before")
    @classmethod
    def _parse_script(cls, script: Sequence[ChatMessage | str]) -> list[ChatMessage]:
        return [_make_message(item) if isinstance(item, str) else item for item in script]

    @classmethod
    def class_name(cls) -> str:
        """Name of the class, as the framework asks for it."""
        return "halo_scripted_llm"

    @property
    def metadata(self) -> LLMMetadata:
        """Name and abilities of the model."""
        return LLMMetadata(is_chat_model=True, is_function_calling_model=self.calls_functions, model_name=self.model)

    # what it says

    def next_message(self, messages: Sequence[ChatMessage]) -> ChatMessage:
        """The next message of the script, with an id."""
        said_count = sum(self.is_own(message) for message in messages)
        message = self.script[said_count] if said_count < len(self.script) else _make_message("done")
        # A copy: frameworks write into messages.
        return message.model_copy(
            update={"additional_kwargs": {"id": f"scripted-{said_count}", **message.additional_kwargs}}, deep=True
        )

    def is_own(self, message: ChatMessage) -> bool:
        """Whether a message of the chat was said by this model."""
        return message.role == MessageRole.ASSISTANT and "tool_call_id" not in message.additional_kwargs

    def _chunks(self, message: ChatMessage) -> list[ChatResponse]:
        """A message word by word, each chunk with all text so far; the last one has the calls."""
        words = re.findall(r"\S+\s*", message.content or "") or [""]
        rest = [block for block in message.blocks if not isinstance(block, TextBlock)]
        texts = list(itertools.accumulate(words))
        blocks = [[TextBlock(text=text)] for text in texts[:-1]] + [[TextBlock(text=texts[-1]), *rest]]
        return [
            ChatResponse(message=message.model_copy(update={"blocks": part}), delta=word)
            for part, word in zip(blocks, words, strict=True)
        ]

    def _completion_chunks(self) -> Iterator[CompletionResponse]:
        for item in self._chunks(self.next_message([])):
            yield CompletionResponse(text=item.message.content or "", delta=item.delta)

    # the methods of an LLM

    @llm_chat_callback()
    def chat(self, messages: Sequence[ChatMessage], **_kwargs: Any) -> ChatResponse:
        """Say the next message."""
        return ChatResponse(message=self.next_message(messages))

    @llm_chat_callback()
    async def achat(self, messages: Sequence[ChatMessage], **_kwargs: Any) -> ChatResponse:
        """Say the next message."""
        return ChatResponse(message=self.next_message(messages))

    @llm_chat_callback()
    def stream_chat(self, messages: Sequence[ChatMessage], **_kwargs: Any) -> ChatResponseGen:
        """Say the next message word by word."""
        yield from self._chunks(self.next_message(messages))

    @llm_chat_callback()
    async def astream_chat(self, messages: Sequence[ChatMessage], **_kwargs: Any) -> ChatResponseAsyncGen:
        """Say the next message word by word."""
        return _iterate_async(self._chunks(self.next_message(messages)))

    @llm_completion_callback()
    def complete(self, *_prompt: Any, **_kwargs: Any) -> CompletionResponse:
        """Say the first message."""
        return CompletionResponse(text=self.next_message([]).content or "")

    @llm_completion_callback()
    async def acomplete(self, *_prompt: Any, **_kwargs: Any) -> CompletionResponse:
        """Say the first message."""
        return CompletionResponse(text=self.next_message([]).content or "")

    @llm_completion_callback()
    def stream_complete(self, *_prompt: Any, **_kwargs: Any) -> CompletionResponseGen:
        """Say the first message word by word."""
        yield from self._completion_chunks()

    @llm_completion_callback()
    async def astream_complete(self, *_prompt: Any, **_kwargs: Any) -> CompletionResponseAsyncGen:
        """Say the first message word by word."""
        return _iterate_async(self._completion_chunks())

    def _prepare_chat_with_tools(
        self,
        tools: Sequence[BaseTool],
        user_msg: str | ChatMessage | None = None,
        chat_history: list[ChatMessage] | None = None,
        *_options: bool,
        tool_required: bool = False,  # noqa: ARG002  the framework looks for it by name
        **kwargs: Any,
    ) -> dict[str, Any]:
        """Binds nothing: the script names its tools."""
        user_messages = [user_msg] if isinstance(user_msg, ChatMessage) else [ChatMessage(user_msg)] if user_msg else []
        other_options = {name: value for name, value in kwargs.items() if name not in _OPTIONS}
        return {
            "messages": [*(chat_history or ()), *user_messages],
            "tools": [tool.metadata.to_openai_tool(skip_length_check=True) for tool in tools],
            **other_options,
        }

    def get_tool_calls_from_response(
        self,
        response: ChatResponse,
        error_on_no_tool_call: bool = True,  # noqa: FBT001, FBT002  the base class's signature
        **_kwargs: Any,
    ) -> list[ToolSelection]:
        """The calls of a message.

        Raises:
            ValueError: it calls nothing, and that is an error.
        """
        calls = [block for block in response.message.blocks if isinstance(block, ToolCallBlock)]
        if not calls and error_on_no_tool_call:
            raise ValueError("the script calls no tool here")
        return [
            ToolSelection(
                tool_id=block.tool_call_id or block.tool_name,
                tool_name=block.tool_name,
                tool_kwargs=block.tool_kwargs if isinstance(block.tool_kwargs, dict) else {},
            )
            for block in calls
        ]


async def _iterate_async(items: Iterable[T]) -> AsyncGenerator[T, None]:
    for item in items:
        yield item


def _make_message(words: str) -> ChatMessage:
    return ChatMessage(role=MessageRole.ASSISTANT, content=words)


def call(words: str, *calls: tuple[str, dict[str, Any]], id: str) -> ChatMessage:  # noqa: A002  the message's word for it
    """Make a message that says `words` and calls tools, each given as (name, arguments)."""
    blocks = [
        ToolCallBlock(tool_call_id=f"{id}-call-{i}", tool_name=name, tool_kwargs=dict(args))
        for i, (name, args) in enumerate(calls)
    ]
    return ChatMessage(
        role=MessageRole.ASSISTANT, blocks=[TextBlock(text=words), *blocks], additional_kwargs={"id": id}
    )
