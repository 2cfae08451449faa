"""A scripted chat model for tests of one's own policies: a real graph, real tools and Halo, offline.

Example:
    model = ScriptedModel(script=[call("Looking.", ("lookup", {"q": "x"}), id="m1"), "done"])
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import Runnable
from langchain_core.tools import BaseTool
from pydantic import field_validator


class ScriptedModel(BaseChatModel):
    """Says the messages of `script` in order (a text is a message), whatever it is asked; then `done`.

    The place in the script is the number of its own messages in the conversation, so a resumed or parallel run of
    another conversation starts where that one stands.
    """

    script: Sequence[AIMessage | str]
    model_name: str = "scripted"

    @field_validator("script", mode="before")
    @classmethod
    def _messages(cls, script: Sequence[AIMessage | str]) -> list[Any]:
        return [AIMessage(item) if isinstance(item, str) else item for item in script]

    @property
    def _llm_type(self) -> str:
        return "halo-scripted"

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,  # noqa: ARG002  the base class's signature
        run_manager: CallbackManagerForLLMRun | None = None,  # noqa: ARG002  the base class's signature
        **_kwargs: Any,
    ) -> ChatResult:
        turn = sum(isinstance(message, AIMessage) for message in messages)
        scripted = self.script[turn] if turn < len(self.script) else "done"
        message = AIMessage(scripted) if isinstance(scripted, str) else scripted
        # A copy with an id of its own: frameworks write into messages.
        copied = message.model_copy(update={"id": message.id or f"scripted-{turn}"})
        return ChatResult(generations=[ChatGeneration(message=copied)])

    def bind_tools(
        self,
        tools: Sequence[dict[str, Any] | type | Callable[..., Any] | BaseTool],  # noqa: ARG002  the script knows
        *,
        tool_choice: str | None = None,  # noqa: ARG002  the base class's signature
        **_kwargs: Any,
    ) -> Runnable[Any, AIMessage]:
        """Binds nothing: the script names its tools."""
        return self


def call(words: str, *calls: tuple[str, dict[str, Any]], id: str) -> AIMessage:  # noqa: A002  the field's name
    """A message that says `words` and calls tools, each given as (name, arguments)."""
    return AIMessage(
        content=words,
        id=id,
        tool_calls=[
            {"name": name, "args": args, "id": f"{id}-call-{i}", "type": "tool_call"}
            for i, (name, args) in enumerate(calls)
        ],
    )
