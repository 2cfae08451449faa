"""Reads what a user orders with an LLM of LlamaIndex."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage, MessageRole

from halo_core.facade.order_reading import OrderReader

if TYPE_CHECKING:
    from halo_llamaindex import Halo


class ModelOrderReader(OrderReader):
    """Asks an LLM, guarded."""

    def __init__(self, halo: Halo, model: Any) -> None:
        super().__init__(halo)
        self.require_model(model, "LLM", is_model=isinstance(model, BaseLLM))
        self._model = halo.guard(model)

    def ask(self, instructions: str, message: str) -> str:
        """Ask the LLM."""
        return str(self._model.chat(_make_messages(instructions, message)).message.content or "")

    async def aask(self, instructions: str, message: str) -> str:
        """Ask the LLM, without blocking the event loop."""
        answer = await self._model.achat(_make_messages(instructions, message))
        return str(answer.message.content or "")


def _make_messages(instructions: str, message: str) -> list[ChatMessage]:
    return [ChatMessage(instructions, role=MessageRole.SYSTEM), ChatMessage(message, role=MessageRole.USER)]
