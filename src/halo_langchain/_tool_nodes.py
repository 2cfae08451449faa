"""Tool calls of agents, as the middleware and guarded tool nodes see them.

A guarded tool decides its own calls, and an unguarded one is guarded as undeclared. A call that reaches no tool is
recorded, and a denial becomes the framework's own error message. No call is decided twice.

A guarded tool node is a copy whose tools are guarded as by `halo.guard(tool)`. Halo's wrapper is the innermost one,
where the node executes a single call, so wrappers of the application run outside it and see errors as before.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.messages import AIMessage, ToolMessage
from langgraph.prebuilt import ToolNode
from langgraph.prebuilt.tool_node import ToolInvocationError
from pydantic import ValidationError

from halo_core.enforcement.delegation import HANDOFF_SURFACE
from halo_core.enforcement.flow import run_step
from halo_core.enforcement.guarded_calls import UnreachableCall
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    get_guard,
    make_named_subclass,
    make_unregistered_resource,
    require_guard,
)
from halo_core.enforcement.session_context import ContextVarScope, Session, TriggeringMessage, session_values
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Resource
from halo_langchain._pause import consume_resume
from halo_langchain._runs import RunClaim, claim_scope, current_claim, fallback_session_scope, find_thread_session
from halo_langchain._tools import copy_with_guard, guard_tool
from halo_langchain._translate import build_refusal, get_handoff_agent

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

    from halo_langchain import Halo

SESSION_FIELD: Final = "halo_session"
"""Field of the agent's state that holds the session which the middleware opened for a run without a thread."""


_PROBLEM_ERRORS: Final[dict[str, Exception]] = {
    "unknown_tool": LookupError("no such tool"),
    "rejected_before": PermissionError("it was answered before"),
}
"""What observe mode records of a call that is no call."""


class ToolCalls:
    """Tool calls as seen by LangChain's `wrap_tool_call`, decided by one Halo."""

    def __init__(self, halo: Halo) -> None:
        self._halo = halo

    def make_steps(self, request: Any, handler: Callable[[Any], Any]) -> Steps[Any]:
        """Let a guarded tool decide, guard an unguarded one, and answer for an unknown one."""
        if self._is_handled_by_middleware(request):
            return (yield handler, request)
        yield from self._halo.server_tools.make_admit_steps(_list_offered_tools(request))
        with run_session_scope(request.state), _triggering_message_scope(request):
            problem = _find_problem(request)
            if problem:
                try:
                    yield run_step(self._make_unreachable_call(request, problem, _PROBLEM_ERRORS[problem]))
                except Denied as denied:
                    return build_refusal(request.tool_call, denied, _describe_tools(request))
            request, claim = self._prepare_request(request)
            try:
                with claim_scope(claim):
                    result = yield handler, request
            except Denied as denied:
                return build_refusal(request.tool_call, denied)
            except (ToolInvocationError, ValidationError) as exc:
                if not claim.decided:
                    yield from self._record_invalid_arguments(request, exc)
                raise
            if claim.denied is not None:  # whoever handles the tool's errors made something else of it
                return build_refusal(request.tool_call, claim.denied)
            if not claim.decided and _is_failed(result) and not problem:
                yield from self._record_invalid_arguments(request, ValueError(result.text))
            return result

    def _make_claim(self, request: Any) -> RunClaim:
        name = request.tool_call["name"] if request.tool is None else request.tool.name
        return RunClaim(self._halo, "tool", name, request.tool_call.get("id") or "")

    def _is_handled_by_middleware(self, request: Any) -> bool:
        """Whether the middleware around this node handles this call and the tool it reaches."""
        guard = get_guard(request.tool)
        if request.tool is not None and (guard is None or guard.halo is not self._halo):
            return False  # put in its place since, by another middleware
        own_claim = self._make_claim(request)
        claim = current_claim(self._halo, "tool", own_claim.name)
        return claim is not None and not claim.decided and claim.call_id == own_claim.call_id

    def _prepare_request(self, request: Any) -> tuple[Any, RunClaim]:
        """The request with a guarded tool, and the claim under which it runs."""
        guard = get_guard(request.tool)
        if request.tool is not None and (guard is None or guard.halo is not self._halo):
            request = request.override(tool=self._halo.first_seen.guard_tool(request.tool))
        return request, self._make_claim(request)

    def _make_unreachable_call(self, request: Any, problem: str, error: Exception) -> UnreachableCall:
        name, args = request.tool_call["name"], request.tool_call.get("args") or {}
        guard = get_guard(request.tool)
        resource = guard.resource if guard is not None else make_unregistered_resource(name, ActionKind.TOOL_CALL)
        call = self._halo.build_call(resource, args, call_id=request.tool_call.get("id") or "", problem=problem)
        return UnreachableCall(self._halo, call, error)

    def _record_invalid_arguments(self, request: Any, error: Exception) -> Steps[None]:
        """Record a call with invalid arguments; the framework's own message goes to the model."""
        with suppress(Denied):
            yield run_step(self._make_unreachable_call(request, "invalid_arguments", error))


def run_session_scope(state: Any) -> ContextVarScope:
    """The session in use: the host's, else the thread's, else the run's own."""

    def find_session() -> Session | None:
        run_session_id = state.get(SESSION_FIELD) if isinstance(state, Mapping) else None
        return find_thread_session() or (Session(run_session_id, "run") if run_session_id else None)

    return fallback_session_scope(find_session)


def _triggering_message_scope(request: Any) -> ContextVarScope:
    """The model message that asked for a tool call."""
    call_id = request.tool_call.get("id")
    messages = [message for message in _get_messages(request) if isinstance(message, AIMessage)]
    asking = (message for message in reversed(messages) if any(call["id"] == call_id for call in message.tool_calls))
    message = next(asking, messages[-1] if messages else None)
    turn, text = (message.id or "", str(message.text)) if message is not None else ("", "")
    return ContextVarScope(*session_values(None, TriggeringMessage(turn, kind="message", text=text)))


def _find_problem(request: Any) -> str:
    """Why a call is refused regardless of policy: an unknown tool, or already refused in the conversation.

    A person's rejection in another middleware is an error message for the call; a third one can send the run back to
    the tools with it all the same (LangChain issue 40491).
    """
    if request.tool is None:
        return "unknown_tool"
    guard, call_id = get_guard(request.tool), request.tool_call.get("id")
    if not call_id or (guard is not None and guard.resource.idempotent):
        return ""
    was_rejected = any(_is_failed(message) and message.tool_call_id == call_id for message in _get_messages(request))
    return "rejected_before" if was_rejected else ""


def _get_messages(request: Any) -> list[Any]:
    messages = request.state.get("messages", []) if isinstance(request.state, Mapping) else []
    return messages if isinstance(messages, list) else []


def _is_failed(result: Any) -> bool:
    return isinstance(result, ToolMessage) and result.status == "error"


def _list_offered_tools(request: Any) -> list[Any]:
    return [*(getattr(request.runtime, "tools", None) or ()), *([request.tool] if request.tool is not None else [])]


def _describe_tools(request: Any) -> str:
    if request.tool is not None:
        return ""
    names = [tool.name for tool in _list_offered_tools(request)]
    return f"the tools are: {', '.join(names)}" if names else ""


# LangGraph's own names; a test holds them to the installed version.
_TOOLS_FIELD: Final = "_tools_by_name"
_EXECUTE_METHODS: Final = ("_execute_tool_sync", "_execute_tool_async")


def guard_tool_node(
    halo: Halo, node: ToolNode, path: str, first_paths: dict[str, str], *, is_started: bool = False
) -> ToolNode:
    """A guarded copy of a tool node, with its tools registered.

    Args:
        halo: who decides.
        node: the tool node.
        path: its place, in words.
        first_paths: where each tool was met first, by name; filled.
        is_started: whether its graph starts to run: a tool that cannot be registered is then refused when called.

    Raises:
        ConfigError: a tool cannot be registered, or this version of LangGraph has another kind of tool node.
    """
    guard = get_guard(node)
    if guard is not None and guard.halo is halo:
        return node
    has_methods = all(hasattr(node, name) for name in _EXECUTE_METHODS)
    if not has_methods or not isinstance(node.__dict__.get(_TOOLS_FIELD), dict):
        message = "this tool node cannot be guarded: its class is unknown to Halo"
        remedy = "guard its tools: `ToolNode(halo.guard(tools))`"
        raise ConfigError("tool_node_unknown", message, field="x", remedy=remedy)
    halo.server_tools.admit_met(node.__dict__[_TOOLS_FIELD].values())
    guarded = copy.copy(node)
    guarded.__class__ = _make_guarded_class(type(node))
    guarded.__dict__[_TOOLS_FIELD] = {
        name: _guard_node_tool(halo, tool, path, first_paths, is_started=is_started)
        for name, tool in node.__dict__[_TOOLS_FIELD].items()
    }
    for name in ("func", "afunc"):  # bound to the original, they would run it
        method = getattr(node, name, None)
        if isinstance(method, types.MethodType) and method.__self__ is node:
            setattr(guarded, name, types.MethodType(method.__func__, guarded))
    attach_guard(
        guarded, GuardMetadata(halo, node, node.name or "tools", Resource(kind=ActionKind.TOOL_CALL), HANDOFF_SURFACE)
    )
    return guarded


def _guard_node_tool(
    halo: Halo, tool: BaseTool, path: str, first_paths: dict[str, str], *, is_started: bool
) -> BaseTool:
    guard = get_guard(tool)
    if guard is not None:
        return tool if guard.halo is halo else copy_with_guard(halo, tool)
    if is_started and not get_handoff_agent(tool) and halo.first_seen.belongs_to_another(tool.name, tool):
        return copy_with_guard(halo, tool)
    is_new = get_handoff_agent(tool) or halo.first_seen.was_only_seen(tool.name, tool)
    registered = None if is_new else halo.find_registered(tool.name)
    # What was declared of this name holds here too: finding it again declares nothing.
    known_resource = registered if registered is not None and registered.kind is not ActionKind.HANDOFF else None
    is_another = known_resource is not None and halo.first_seen.belongs_to_another(tool.name, tool)
    try:
        guarded = guard_tool(halo, tool, known_resource, is_sighting=is_started)
    except ConfigError as error:
        if is_started:
            return halo.first_seen.guard_tool(tool)
        earlier_path = f", and of `{first_paths[tool.name]}` before" if tool.name in first_paths else ""
        message = f"{error.message}; it is a tool of `{path}`{earlier_path}"
        raise ConfigError(error.code, message, field=error.field, remedy=error.remedy) from error
    if is_another and tool.name not in first_paths:
        halo.notify_once(f"the tool `{tool.name}` of `{path}` uses the resource that is registered under that name")
    first_paths.setdefault(tool.name, path)
    return guarded


@functools.lru_cache(maxsize=64)
def _make_guarded_class(kind: type[Any]) -> type[ToolNode]:
    members: dict[str, Any] = {}
    for name, is_async in (("invoke", False), ("ainvoke", True)):
        members[name] = _wrap_entry_point(kind, name, is_async=is_async)
    for name, is_async in zip(_EXECUTE_METHODS, (False, True), strict=True):
        members[name] = _wrap_execute_method(kind, name, is_async=is_async)
    return cast("type[ToolNode]", make_named_subclass(kind, members))


def _wrap_entry_point(kind: type[Any], name: str, *, is_async: bool) -> Callable[..., Any]:
    original = getattr(kind, name)

    def steps(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Steps[Any]:  # noqa: A002  the framework's name
        consume_resume(require_guard(self).halo, config)  # before a wrapper of the app's asks anything
        return (yield (functools.partial(original, self, input, config, **kwargs),))

    return make_method(original, steps, is_async=is_async)


def _wrap_execute_method(kind: type[Any], name: str, *, is_async: bool) -> Callable[..., Any]:
    original = getattr(kind, name)

    def steps(self: Any, request: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
        def handler(next_request: Any) -> Any:
            return original(self, next_request, *args, **kwargs)

        return ToolCalls(require_guard(self).halo).make_steps(request, handler)

    return make_method(original, steps, is_async=is_async)
