"""Decides calls of unguarded LlamaIndex objects that are made inside a guarded object.

Examples are a tool's body that runs an agent, an engine that falls back on `Settings.llm`, and a workflow step that
asks a retriever. LlamaIndex does not let its event handlers stop a call. So `install_hooks` wraps the entry points of
LlamaIndex' classes, once for the process. Outside a guarded object a wrapped entry point only reads one context
variable. Inside one (`InnerScope`) the call is an action of the one flow, by the same classes as a call of a guarded
copy. An object that is seen here is registered under its own name, as undeclared. It never gets the name of a guarded
object (`InnerGuards.choose_name`).

Not seen: code in a fresh context; a function that nobody read from its tool; the client of an SDK.
"""

from __future__ import annotations

import functools
import inspect
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.indices.struct_store.sql_retriever import SQLRetriever
from llama_index.core.llms.structured_llm import StructuredLLM
from llama_index.core.tools import BaseTool, FunctionTool
from llama_index.core.tools.types import BaseToolAsyncAdapter
from llama_index_instrumentation import DispatcherSpanMixin

from halo_core.enforcement.class_hooks import iterate_subclasses, watch_new_classes
from halo_core.enforcement.flow import GovernedAction
from halo_core.enforcement.guarded_calls import make_governed_method
from halo_core.enforcement.guards import (
    GuardMetadata,
    UnregisteredGuard,
    clean_name,
    get_guard,
    is_generated_class,
    make_unregistered_resource,
)
from halo_core.enforcement.mcp_listings import ListedToolGuard, describe_for_guess
from halo_core.enforcement.stand_ins import find_stand_in, make_stand_in
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Impact, Resource
from halo_llamaindex._agents import MissingTool, guard_workflow, is_handoff_tool
from halo_llamaindex._executors import (
    HOOKED_TYPES,
    ProgramCall,
    list_executor_methods,
    make_executor_guard,
    skip_decided_programs,
)
from halo_llamaindex._mcp import admit_met_tool, find_listed_tool
from halo_llamaindex._models import SENDING_METHODS, ModelCall, make_seen_model_guard
from halo_llamaindex._observer import is_structured_answer_tool
from halo_llamaindex._results import TOOL_RESULT_SURFACE, make_documents_surface
from halo_llamaindex._retrievers import RETRIEVAL_SCHEMA, RETRIEVE_METHODS, TABLE_METHODS, Retrieval
from halo_llamaindex._runs import InnerScope, current_inner_scope, is_part
from halo_llamaindex._tools import TOOL_ENTRY_POINTS, ToolEntryCall, govern_function
from halo_llamaindex._translate import Binder, tool_schema, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_MAX_GUARDS: Final = 4_096


class InnerGuards:
    """The guards of objects that one Halo saw inside guarded objects, the newest 4,096.

    Args:
        halo: who decides.
    """

    def __init__(self, halo: Halo) -> None:
        self._halo = halo
        # By identity; with the object, so that no other takes its identity.
        self._guards: OrderedDict[int, tuple[Any, Any]] = OrderedDict()
        self._makers: dict[str, Any] = {}

    def find(self, x: Any, make: Callable[[Any], Any]) -> Any:
        """The guard made when an object was first seen; makes one if there is none."""
        entry = self._guards.get(id(x))
        if entry is not None and entry[0] is x:
            return entry[1]
        guard = make(x)
        self._guards[id(x)] = (x, guard)
        if len(self._guards) > _MAX_GUARDS:
            self._guards.popitem(last=False)
        return guard

    def forget(self, x: Any) -> None:
        """Forget an object that is declared now: the declaration counts."""
        self._guards.pop(id(x), None)

    def choose_name(self, name: str, maker: Any) -> str:
        """A name to register an object under: its own, or with the acting agent's before it.

        INVARIANT: a registration is of what was guarded under that name, and of nothing else that is called so.

        Args:
            name: its name in the framework.
            maker: what tells objects of one name apart: the code of a function, or the class.

        Returns:
            The name; empty if others have both.
        """
        for candidate in (clean_name(name), clean_name(f"{self._halo.find_acting_agent()}.{name}")):
            was_met = candidate in self._makers and not self._halo.originals.has_name(candidate)
            is_free = was_met or self._halo.find_registered(candidate) is None
            if is_free and self._makers.setdefault(candidate, maker) is maker:
                return candidate
        return ""

    def find_tool_guard(self, tool: Any) -> GuardMetadata | None:
        """How a tool of an agent seen here is decided; None where another has its name."""
        guard: GuardMetadata = self.find(unwrap_tool(tool), functools.partial(_make_tool_parts, self._halo))[0]
        return None if isinstance(guard, UnregisteredGuard) else guard


def _make_tool_parts(halo: Halo, tool: Any) -> tuple[GuardMetadata, Binder]:
    return make_tool_guard(halo, tool), Binder.for_tool(tool, None)


def make_tool_guard(halo: Halo, tool: Any) -> GuardMetadata:
    """The guard of an unguarded tool that runs inside something guarded: as undeclared."""
    name = tool.metadata.get_name()
    function = getattr(tool, "_real_fn", None)
    schema = tool_schema(tool, getattr(tool, "partial_params", None) or ())
    originals, listed = halo.originals, find_listed_tool(tool)
    make_guard: Callable[..., GuardMetadata] = GuardMetadata
    description = tool.metadata.description
    if listed is not None:
        server, listed_name = listed[0], listed[1].name
        admit_met_tool(halo, tool, server)
        make_guard = functools.partial(ListedToolGuard, server=server, listed_name=listed_name)
        if halo.mcp_listings.is_refused(server, listed_name):
            unregistered = make_unregistered_resource(f"{server}/{name}", ActionKind.TOOL_CALL)
            return make_guard(halo, tool, name, unregistered, TOOL_RESULT_SURFACE)
        description = describe_for_guess(listed[1])
    if originals.has_name(clean_name(name)) and not originals.belongs_to_another(clean_name(name), tool):
        guarded_resource = halo.find_registered(clean_name(name))
        if guarded_resource is not None:  # the original of a guarded copy
            return make_guard(halo, tool, name, guarded_resource, TOOL_RESULT_SURFACE)
    maker = getattr(inspect.unwrap(function) if callable(function) else None, "__code__", type(tool))
    chosen_name = halo.inner_guards.choose_name(name, maker)
    try:
        resource = halo.register_tool(chosen_name, None, description, schema) if chosen_name else None
    except ConfigError:  # the same name with other arguments
        resource = None
    if resource is not None:
        return make_guard(halo, tool, name, resource, TOOL_RESULT_SURFACE)
    unregistered = make_unregistered_resource(name, ActionKind.TOOL_CALL)
    return UnregisteredGuard(halo, tool, name, unregistered, TOOL_RESULT_SURFACE)


def _make_retriever_guard(halo: Halo, owner: Resource | None, retriever: Any) -> GuardMetadata:
    """The guard of a retriever: as a read of an undeclared source, or as part of the engine around it."""
    name = type(retriever).__name__
    chosen_name = halo.inner_guards.choose_name(f"{owner.id}/{name}" if owner is not None else name, type(retriever))
    if not chosen_name:
        unregistered = make_unregistered_resource(name, ActionKind.RETRIEVAL)
        return UnregisteredGuard(halo, retriever, name, unregistered, make_documents_surface())
    declared = halo.find_declared(chosen_name, ActionKind.RETRIEVAL)
    if declared is None and owner is not None:
        declared = replace(owner, id=chosen_name, kind=ActionKind.RETRIEVAL, impact=Impact.READ)
    resource = halo.register(ActionKind.RETRIEVAL, chosen_name, resource=declared, schema=RETRIEVAL_SCHEMA)
    return GuardMetadata(halo, retriever, name, resource, make_documents_surface())


def _require_scope() -> InnerScope:
    scope = current_inner_scope()
    if scope is None:
        raise LookupError("no guarded object runs here")
    return scope


class _InnerModelCall(ModelCall):
    """A call of an unguarded model."""

    def find_guard(self, model: Any) -> GuardMetadata:
        halo = _require_scope().halo
        guard: GuardMetadata = halo.inner_guards.find(model, functools.partial(make_seen_model_guard, halo))
        return guard


class _InnerRetrieval(Retrieval):
    """A retrieval of an unguarded retriever."""

    def find_guard(self, retriever: Any) -> GuardMetadata:
        scope = _require_scope()
        owner = scope.resource if scope.resource is not None and scope.resource.id else None
        make = functools.partial(_make_retriever_guard, scope.halo, owner)
        guard: GuardMetadata = scope.halo.inner_guards.find(retriever, make)
        return guard


class _InnerToolCall(ToolEntryCall):
    """A call of an unguarded tool."""

    def find_guard(self, tool: Any) -> tuple[GuardMetadata, Binder]:
        halo = _require_scope().halo
        self.owner = tool  # a method of its base class that it calls is the same call
        parts: tuple[GuardMetadata, Binder] = halo.inner_guards.find(tool, functools.partial(_make_tool_parts, halo))
        return parts


class _InnerProgramCall(ProgramCall):
    """A program run by an unguarded executor."""

    def find_guard(self, executor: Any) -> GuardMetadata:
        scope = _require_scope()
        guards: InnerGuards = scope.halo.inner_guards
        guard: GuardMetadata = guards.find(executor, lambda met: make_executor_guard(scope.halo, met, scope.resource))
        return guard


# the wrapped entry points

_HOOKS: Final = "__halo_hooks__"
_RETRIEVER_METHODS: Final = (*RETRIEVE_METHODS, *TABLE_METHODS)


def _list_hooks(kind: type[Any]) -> tuple[tuple[str, ...], type[GovernedAction[Any]] | None]:
    """Entry points of a class, with the action for a call of each."""
    if issubclass(kind, BaseLLM):
        return SENDING_METHODS, _InnerModelCall
    if issubclass(kind, BaseRetriever):
        return _RETRIEVER_METHODS, _InnerRetrieval
    if issubclass(kind, BaseTool):
        return TOOL_ENTRY_POINTS, _InnerToolCall
    return list_executor_methods(kind), _InnerProgramCall


def _find_deciding_scope(x: Any) -> InnerScope | None:
    """The guarded object around a call to decide; None if it is decided already or not at all."""
    scope = current_inner_scope()
    if scope is None or scope.owner is x or get_guard(x) is not None:
        return None
    if isinstance(x, SQLRetriever) and is_part(x):  # its query is a program, which is decided as one
        return None
    if isinstance(x, StructuredLLM | BaseToolAsyncAdapter) or is_structured_answer_tool(x):
        return None  # what it holds is decided, or it does nothing
    if isinstance(x, MissingTool) or (isinstance(x, BaseTool) and is_handoff_tool(x)):
        return None  # decided as the call that it stands for, or as a hand-off
    return scope


def _hook_method(kind: type[Any], name: str, action_class: Any) -> None:
    method = kind.__dict__[name]

    @functools.wraps(method)  # an executor's action reads its parameters
    def call_original(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        return method.__get__(x, type(x))(*args, **kwargs)

    is_async = name.lstrip("_").startswith("a")
    make_action = functools.partial(action_class, call_original, name)
    governed = make_governed_method(call_original, make_action, is_async=is_async)
    if action_class is _InnerProgramCall:
        governed = skip_decided_programs(kind, call_original, governed)

    def hooked(x: Any, /, *args: Any, **kwargs: Any) -> Any:
        scope = _find_deciding_scope(x)
        return call_original(x, *args, **kwargs) if scope is None else governed(x, *args, **kwargs)

    setattr(kind, name, make_stand_in(method, hooked, is_async=is_async))


_FUNCTION_PROPERTIES: Final = {"fn": "_fn", "async_fn": "_async_fn", "real_fn": "_real_fn"}


def _hook_function(name: str, field: str) -> None:
    """Have what is read as a function of a tool decided where it is called inside of something guarded.

    This package reads the function itself.
    """
    read_original = vars(FunctionTool)[name].fget

    def read_function(tool: Any) -> Any:
        function = read_original(tool)
        if current_inner_scope() is None:
            return function
        reader = str(sys._getframe(1).f_globals.get("__name__", ""))  # noqa: SLF001  nothing else shows who reads
        if reader.partition(".")[0] == "halo_llamaindex" or _find_deciding_scope(tool) is None:
            return function

        def call_function(*args: Any, **kwargs: Any) -> Any:
            scope = _find_deciding_scope(tool)
            if scope is None:
                return function(*args, **kwargs)
            guard, _ = scope.halo.inner_guards.find(tool, functools.partial(_make_tool_parts, scope.halo))
            return govern_function(guard, tool, field)(*args, **kwargs)

        is_async = inspect.iscoroutinefunction(function)
        return find_stand_in(tool, name, function, lambda: make_stand_in(function, call_function, is_async=is_async))

    setattr(FunctionTool, name, property(read_function, doc=vars(FunctionTool)[name].__doc__))


def _hook_class(kind: type[Any]) -> None:
    """Wrap a class's own entry points; a second time does nothing."""
    if _HOOKS in kind.__dict__ or is_generated_class(kind):
        return
    names, action_class = _list_hooks(kind)
    for name in names:
        method = kind.__dict__.get(name)
        if callable(method) and not getattr(method, "__isabstractmethod__", False):
            _hook_method(kind, name, action_class)
    type.__setattr__(kind, _HOOKS, True)


def _hook_agent_runs(kind: type[Any]) -> None:
    method = kind.__dict__.get("run")
    if method is None or is_generated_class(kind) or hasattr(method, _HOOKS):
        return

    def run(self: Any, /, *args: Any, **kwargs: Any) -> Any:
        scope = current_inner_scope()
        if scope is None or get_guard(self) is not None:
            return method(self, *args, **kwargs)
        halo = scope.halo
        guarded = halo.inner_guards.find(self, lambda met: _guard_inner_agent(halo, met))
        return guarded.run(*args, **kwargs)

    watched = make_stand_in(method, run)
    setattr(watched, _HOOKS, True)
    kind.run = watched


def _guard_inner_agent(halo: Halo, workflow: Any) -> Any:
    """A guarded copy of an agent running inside something guarded, as an agent with its own tools."""
    name = clean_name(getattr(workflow, "name", "") or type(workflow).__name__)
    registered = halo.find_registered(name)
    is_agent = registered is None or registered.kind is ActionKind.HANDOFF
    is_team = isinstance(workflow, AgentWorkflow) and len(workflow.agents) > 1
    return guard_workflow(halo, workflow, agent=name if is_agent and not is_team else "", adopts_tools=True)


_FRAMEWORK_TYPES: Final = (BaseLLM, BaseRetriever, BaseTool)


def install_hooks() -> None:
    """Wrap the entry points of the framework's classes, present and future; each once."""
    _hook_framework()
    for base in HOOKED_TYPES:  # these say nothing when a class is derived from them
        for kind in iterate_subclasses(base):
            _hook_class(kind)


@functools.cache
def _hook_framework() -> None:
    for base in _FRAMEWORK_TYPES:
        for kind in iterate_subclasses(base):
            _hook_class(kind)
    for agent_class in (*iterate_subclasses(BaseWorkflowAgent), *iterate_subclasses(AgentWorkflow)):
        _hook_agent_runs(agent_class)
    for name, field in _FUNCTION_PROPERTIES.items():
        _hook_function(name, field)
    watch_new_classes(DispatcherSpanMixin, _hook_new_class)


def _hook_new_class(kind: type[Any]) -> None:
    if issubclass(kind, _FRAMEWORK_TYPES):
        _hook_class(kind)
