"""Room: a decided stream on its way to whoever reads it. Takes: events. Gives: those that may be passed on now.

Events pass as they come; where an obligation may change the answer, none before all of it was read. Never: decides.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from agents import ModelResponse
from agents.usage import Usage
from openai.types.responses import Response

from halo_openai_agents._models.events import events, response_of
from halo_openai_agents._models.inference import Asked, made_up

if TYPE_CHECKING:
    from halo_core.pep import Ticket
    from halo_core.pep.gate import Gate
    from halo_openai_agents._runs import Run

__all__ = ["Flow"]

_ENDED: Final = ("response.incomplete", "response.failed", "error", "response.error")


class Flow:
    """One decided stream on its way to whoever reads it."""

    def __init__(self, gate: Gate, asked: Asked, run: Run | None, ticket: Ticket) -> None:
        self.ticket = ticket
        self._gate = gate
        self._asked = asked
        self._run = run
        self._items: list[Any] = []
        self._done = False

    async def met(self, event: Any) -> list[Any]:
        """What of an event may be passed on now."""
        kind = str(getattr(event, "type", ""))
        if kind == "response.output_item.done":
            self._items.append(event.item)
        if kind == "response.completed":
            return await self._completed(event)
        if not self.ticket.holds_output:
            return [event]
        return [self._emptied(event)] if kind in _ENDED else []

    def ended(self) -> None:
        """The source is done; where it gave no answer, nobody was given one, and the SDK says so."""
        if not self._done:
            self.ticket.succeed(_answer(None, self._items), self._gate.surface)

    async def _completed(self, event: Any) -> list[Any]:
        self._done = True
        answer = _answer(event.response, self._items)
        used = self.ticket.succeed(answer, self._gate.surface)
        await made_up(self._gate, self._asked, used, self._run)
        if not self.ticket.holds_output:
            return [event]
        return list(events(response_of(used, like=event.response)))

    @staticmethod
    def _emptied(event: Any) -> Any:
        """How a stream broke off, without what it had said."""
        response = getattr(event, "response", None)
        if isinstance(response, Response):
            return event.model_copy(update={"response": response.model_copy(update={"output": []})})
        return event


def _answer(response: Response | None, items: list[Any]) -> ModelResponse:
    output = list(response.output) if response is not None and response.output else list(items)
    return ModelResponse(output=output, usage=Usage(), response_id=response.id if response is not None else None)
