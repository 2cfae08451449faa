"""Reads what a user orders with a chat model of LangChain."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from langchain_core.messages import HumanMessage, SystemMessage

from halo_core.facade.order_reading import OrderReader
from halo_langchain._models import is_model
from halo_langchain._translate import get_message_text

if TYPE_CHECKING:
    from halo_langchain import Halo


class ModelOrderReader(OrderReader):
    """Asks a chat model, guarded."""

    def __init__(self, halo: Halo, model: Any) -> None:
        super().__init__(halo)
        self.require_model(model, "chat model or LLM", is_model=is_model(model))
        self._model = halo.guard(model)

    def ask(self, instructions: str, message: str) -> str:
        """Ask the model."""
        return _read_text(self._model.invoke([SystemMessage(instructions), HumanMessage(message)]))

    async def aask(self, instructions: str, message: str) -> str:
        """Ask the model, without blocking the event loop."""
        return _read_text(await self._model.ainvoke([SystemMessage(instructions), HumanMessage(message)]))


def _read_text(answer: Any) -> str:
    """The text of an answer; a completion is one itself."""
    return answer if isinstance(answer, str) else get_message_text(answer)
