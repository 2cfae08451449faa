"""Room: model calls, as requests. Takes: what a model is shown. Gives: a call; what of the answer is decided at once.

Never: decides by itself, changes an answer.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from agents import Handoff, ModelResponse, ModelSettings

from halo_core.enforcement import Call
from halo_core.enforcement.guards import make_unregistered_resource
from halo_core.enforcement.session_context import triggering_message_scope
from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_openai_agents._runs import AgentRun, in_body, step_scope
from halo_openai_agents._texts import (
    count_messages,
    find_asking_message,
    find_known_origins,
    get_function_calls,
    identify_turn,
    to_input_items,
)
from halo_openai_agents._translate import hosted_names, native_names, tool_names

if TYPE_CHECKING:
    from halo_core.enforcement.guards import GuardMetadata
    from halo_openai_agents import Halo

__all__ = ["PreparedCall", "record_unknown_calls"]

_ABILITIES: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it; a call that has to wait ends its run."""
_STRUCTURED_ANSWER_TOOL: Final = "json_tool_call"  # the SDK's, of providers that answer in a shape by calling a tool
_NO_SUCH_TOOL: Final = LookupError("no such tool")


@dataclass(frozen=True, slots=True)
class PreparedCall:
    """One call of a model.

    Args:
        system: the agent's instructions.
        items: what it is shown, as nobody else holds the list.
        tools: what it may call, and run with.
        handoffs: whom it may hand off to.
        settings: as the SDK made them.
        is_structured: whether its answer has a shape.
    """

    system: str | None
    items: list[Any]
    tools: list[Any]
    handoffs: list[Handoff[Any, Any]]
    settings: ModelSettings | None
    is_structured: bool

    @classmethod
    def from_arguments(cls, values: dict[str, Any]) -> PreparedCall:
        """From the arguments of `get_response` or `stream_response`."""
        return cls(
            values.get("system_instructions"),
            to_input_items(values.get("input")),
            list(values.get("tools") or ()),
            list(values.get("handoffs") or ()),
            values.get("model_settings"),
            values.get("output_schema") is not None,
        )

    def build_call(self, guard: GuardMetadata, run: AgentRun | None) -> Call:
        """The call to decide; a tool that nothing here could decide is a problem of the call that carries it."""
        halo: Halo = guard.halo
        nested = in_body()
        args = {
            "messages": count_messages(self.items) + bool(self.system),
            "tools": tool_names(self.tools, self.handoffs),
        }
        known_call_ids = run.get_known_call_ids() if run is not None else None
        with triggering_message_scope(find_asking_message(self.items, nested=nested)):
            return halo.build_call(
                guard.resource,
                args,
                problem=self._find_problem(),
                abilities=_ABILITIES,
                shown_texts=find_known_origins(self.system, self.items, known_call_ids=known_call_ids, nested=nested),
            )

    def _find_problem(self) -> str:
        if hosted_names(self.tools, self.settings):
            return "hosted_tool"
        return "needs_guard" if native_names(self.tools, self.settings) else ""

    def get_callable_names(self) -> frozenset[str]:
        """Names of the calls that reach something."""
        qualified_names = (getattr(tool, "qualified_name", "") for tool in self.tools)
        return frozenset(
            (
                *tool_names(self.tools, self.handoffs),
                *qualified_names,
                *((_STRUCTURED_ANSWER_TOOL,) if self.is_structured else ()),
            )
        )


async def record_unknown_calls(
    guard: GuardMetadata, prepared: PreparedCall, response: ModelResponse, run: AgentRun | None
) -> None:
    """Note who asks from here on, and record the calls that reach no tool; the model is told by the run."""
    if run is not None:
        run.turn_id, run.turn_text = identify_turn(response, prepared.items)
        run.handoff_call_ids = {item.name: item.call_id for item in reversed(get_function_calls(response))}
    callable_names = prepared.get_callable_names()
    halo: Halo = guard.halo
    for item in get_function_calls(response):
        names = {item.name, f"{item.namespace}.{item.name}" if getattr(item, "namespace", None) else item.name}
        if names & callable_names:
            continue
        with step_scope(halo):
            call = halo.build_call(
                make_unregistered_resource(item.name, ActionKind.TOOL_CALL),
                _parse_arguments(item.arguments),
                call_id=item.call_id,
                problem="unknown_tool",
            )
        try:
            ticket = await halo.enforcer.abegin(call)
        except Denied as denied:
            if run is not None:
                run.refusals[item.call_id] = str(denied)
        else:
            ticket.fail(_NO_SUCH_TOOL)


def _parse_arguments(text: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
