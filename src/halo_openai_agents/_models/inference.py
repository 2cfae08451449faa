"""Room: model calls, as requests. Takes: what a model is shown. Gives: a call; what of the answer is decided at once.

Never: decides by itself, changes an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agents import Handoff, ModelResponse, ModelSettings

from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_core.pep import Call
from halo_core.pep.names import unknown
from halo_core.session import asking
from halo_openai_agents._items import asked_by, calls_of, items_of, messages, seen_of, turn_of
from halo_openai_agents._running import in_body, stepping
from halo_openai_agents._runs import Run
from halo_openai_agents._translate import hosted_names, native_names, tool_names

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate
    from halo_openai_agents import Halo

__all__ = ["Asked", "made_up"]

_RESTRICTABLE: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it; a call that has to wait ends its run."""
_STRUCTURED: Final = "json_tool_call"  # the SDK's, of providers that answer in a shape by calling a tool
_MISSING: Final = LookupError("no such tool")


@dataclass(frozen=True, slots=True)
class Asked:
    """One call of a model.

    Args:
        system: the agent's instructions.
        items: what it is shown, as nobody else holds the list.
        tools: what it may call, and run with.
        handoffs: whom it may hand off to.
        settings: as the SDK made them.
        shaped: whether its answer has a shape.
    """

    system: str | None
    items: list[Any]
    tools: list[Any]
    handoffs: list[Handoff[Any, Any]]
    settings: ModelSettings | None
    shaped: bool

    @classmethod
    def of(cls, values: dict[str, Any]) -> Asked:
        """From the arguments of `get_response` or `stream_response`."""
        return cls(
            values.get("system_instructions"),
            items_of(values.get("input")),
            list(values.get("tools") or ()),
            list(values.get("handoffs") or ()),
            values.get("model_settings"),
            values.get("output_schema") is not None,
        )

    def call(self, gate: Gate, run: Run | None) -> Call:
        """The call to decide; a tool that nothing here could decide is a problem of the call that carries it."""
        halo: Halo = gate.halo
        nested = in_body()
        args = {"messages": messages(self.items) + bool(self.system), "tools": tool_names(self.tools, self.handoffs)}
        known = run.known() if run is not None else None
        with asking(asked_by(self.items, nested=nested)):
            return halo.call(
                gate.resource,
                args,
                problem=self._problem(),
                abilities=_RESTRICTABLE,
                seen=seen_of(self.system, self.items, known=known, nested=nested),
            )

    def _problem(self) -> str:
        if hosted_names(self.tools, self.settings):
            return "hosted_tool"
        return "needs_guard" if native_names(self.tools, self.settings) else ""

    def names(self) -> frozenset[str]:
        """Names of the calls that reach something."""
        own = (getattr(tool, "qualified_name", "") for tool in self.tools)
        return frozenset((*tool_names(self.tools, self.handoffs), *own, *((_STRUCTURED,) if self.shaped else ())))


async def made_up(gate: Gate, asked: Asked, response: ModelResponse, run: Run | None) -> None:
    """Note who asks from here on, and record the calls that reach no tool; the model is told by the run."""
    if run is not None:
        run.turn, run.text = turn_of(response, asked.items)
        run.hand_offs = {item.name: item.call_id for item in reversed(calls_of(response))}
    known = asked.names()
    halo: Halo = gate.halo
    for item in calls_of(response):
        names = {item.name, f"{item.namespace}.{item.name}" if getattr(item, "namespace", None) else item.name}
        if names & known:
            continue
        with stepping(halo):
            call = halo.call(
                unknown(item.name, ActionKind.TOOL_CALL),
                _args(item.arguments),
                call_id=item.call_id,
                problem="unknown_tool",
            )
        try:
            ticket = await halo.enforcer.abegin(call)
        except Denied as denied:
            if run is not None:
                run.refused[item.call_id] = str(denied)
        else:
            ticket.fail(_MISSING)


def _args(text: str | None) -> dict[str, Any]:
    try:
        found = json.loads(text or "")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
