"""One call of a guarded model, as an action of the one flow.

The decision is about how many messages the model is shown and which tools it may ask for. Calls in its answer that
reach no tool are decided, and so recorded, at once: the SDK answers them with an error.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable
from typing import Any, Final

from agents import Model, ModelResponse, ModelTracing
from openai.types.responses import ResponseFunctionToolCall

from halo_core.enforcement import Call, Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guarded_calls import UnreachableCall
from halo_core.enforcement.guards import GuardMetadata, make_unregistered_resource
from halo_core.enforcement.session_context import triggering_message_scope
from halo_core.errors import Denied
from halo_core.model import ActionKind
from halo_openai_agents._runs import AgentRun, current_run, in_body, step_scope
from halo_openai_agents._texts import (
    count_messages,
    find_asking_message,
    find_known_origins,
    get_function_calls,
    identify_turn,
    to_input_items,
)
from halo_openai_agents._translate import hosted_names, native_names, tool_names

_SIGNATURE: Final = inspect.signature(Model.get_response)
_ABILITIES: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it; a call that has to wait ends its run."""
_STRUCTURED_ANSWER_TOOL: Final = "json_tool_call"  # the SDK's, of providers that answer in a shape by calling a tool
_NO_SUCH_TOOL: Final = LookupError("no such tool")


class ModelAction(GovernedAction[Any]):
    """A call of a model, streamed or not.

    Args:
        guard: of the model.
        function: the original's method.
        model: whose method it is.
        args: as it was called.
        kwargs: as it was called.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        function: Callable[..., Any],
        model: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        super().__init__(guard.halo.enforcer, None, guard.surface)
        self.guard = guard
        self.function = function
        self.values = values = dict(_SIGNATURE.bind(model, *args, **kwargs).arguments)
        model_input = values.get("input")
        # Nobody else holds the list that is decided and sent.
        values["input"] = list(model_input) if isinstance(model_input, list) else model_input
        self.items = to_input_items(values["input"])
        self.tools = list(values.get("tools") or ())
        self.handoffs = list(values.get("handoffs") or ())
        self.run: AgentRun | None = None

    def build_call(self) -> Call:
        """The call to decide; a call that offers tools which cannot be guarded has a problem."""
        halo, items, system = self.guard.halo, self.items, self.values.get("system_instructions")
        nested = in_body()
        args = {
            "messages": count_messages(items) + bool(system),
            "tools": tool_names(self.tools, self.handoffs),
        }
        self.run = run = current_run(halo)
        known_call_ids = run.get_known_call_ids() if run is not None else None
        with step_scope(halo), triggering_message_scope(find_asking_message(items, nested=nested)):
            call: Call = halo.build_call(
                self.guard.resource,
                args,
                problem=self._find_problem(),
                abilities=_ABILITIES,
                shown_texts=find_known_origins(system, items, known_call_ids=known_call_ids, nested=nested),
            )
        return call

    def _find_problem(self) -> str:
        settings = self.values.get("model_settings")
        if hosted_names(self.tools, settings):
            return "hosted_tool"
        return "needs_guard" if native_names(self.tools, settings) else ""

    def execute(self, ticket: Ticket) -> Any:
        """Call the model; an answer that may be restricted is kept out of the SDK's traces."""
        values, tracing = self.values, self.values.get("tracing")
        if ticket.holds_output and isinstance(tracing, ModelTracing) and tracing.include_data():
            values = {**values, "tracing": ModelTracing.ENABLED_WITHOUT_DATA}
        return self.function(**values)

    async def finish_answer(self, ticket: Ticket, answer: ModelResponse) -> ModelResponse:
        """Record an answer, note it as what asks for the calls in it, and record those that reach no tool."""
        used: ModelResponse = GovernedAction.finish(self, ticket, answer)
        calls = get_function_calls(used)
        if self.run is not None:
            self.run.turn_id, self.run.turn_text = identify_turn(used, self.items)
            self.run.handoff_call_ids = {item.name: item.call_id for item in reversed(calls)}
        callable_names = self._get_callable_names()
        for item in calls:
            names = {item.name, f"{item.namespace}.{item.name}" if getattr(item, "namespace", None) else item.name}
            if not names & callable_names:
                await self._record_unknown_call(item)
        return used

    def _get_callable_names(self) -> frozenset[str]:
        """Names of what the model may call."""
        qualified_names = (getattr(tool, "qualified_name", "") for tool in self.tools)
        is_structured = self.values.get("output_schema") is not None
        structured_answer = (_STRUCTURED_ANSWER_TOOL,) if is_structured else ()
        return frozenset((*tool_names(self.tools, self.handoffs), *qualified_names, *structured_answer))

    async def _record_unknown_call(self, item: ResponseFunctionToolCall) -> None:
        halo = self.guard.halo
        with step_scope(halo):
            call = halo.build_call(
                make_unregistered_resource(item.name, ActionKind.TOOL_CALL),
                _parse_arguments(item.arguments),
                call_id=item.call_id,
                problem="unknown_tool",
            )
        refusal = await arun(_UnknownCall(halo, call, _NO_SUCH_TOOL))
        if self.run is not None and refusal is not None:
            self.run.refusals[item.call_id] = refusal


class ModelCall(ModelAction):
    """A call of `get_response`."""

    async def finish(self, ticket: Ticket, result: Any) -> ModelResponse:
        return await self.finish_answer(ticket, result)


class _UnknownCall(UnreachableCall):
    """A call of an unknown tool; the run tells the model why it was refused."""

    def return_denied(self, denied: Denied) -> str:
        return str(denied)


def _parse_arguments(text: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
