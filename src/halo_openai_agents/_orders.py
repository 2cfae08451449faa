"""Reads what a user orders with a model of the Agents SDK."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from agents import Model, ModelSettings, ModelTracing
from agents.models.multi_provider import MultiProvider
from openai.types.responses import ResponseOutputMessage, ResponseOutputText

from halo_core.facade.order_reading import OrderReader

if TYPE_CHECKING:
    from halo_openai_agents import Halo


class ModelOrderReader(OrderReader):
    """Asks a model, guarded."""

    def __init__(self, halo: Halo, model: Model | str) -> None:
        super().__init__(halo)
        self.require_model(model, "model, or the name of one", is_model=isinstance(model, Model | str))
        self._model: Any = halo.guard(MultiProvider().get_model(model) if isinstance(model, str) else model)

    def ask(self, instructions: str, message: str) -> str:
        """Ask the model, in a thread with an event loop of its own: models of the SDK are asynchronous."""
        context = contextvars.copy_context()
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(context.run, asyncio.run, self.aask(instructions, message)).result()

    async def aask(self, instructions: str, message: str) -> str:
        """Ask the model, without blocking the event loop."""
        answer = await self._model.get_response(
            system_instructions=instructions,
            input=message,
            model_settings=ModelSettings(),
            tools=[],
            output_schema=None,
            handoffs=[],
            tracing=ModelTracing.DISABLED,
            previous_response_id=None,
            conversation_id=None,
            prompt=None,
        )
        messages = [item for item in answer.output if isinstance(item, ResponseOutputMessage)]
        return "".join(part.text for item in messages for part in item.content if isinstance(part, ResponseOutputText))
