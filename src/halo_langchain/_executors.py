"""Executors: objects that run statements and programs written by a model, for an engine, a chain or a toolkit.

`halo.guard(SQLDatabase(...))` returns a copy of the same class. Each statement that it runs is decided as a tool call
with the statement as its argument. Graph stores (`query`), `PythonREPL` and `SparkSQL` are guarded in the same way.

Inside something guarded, and in a chain under a `halo.callback()`, unguarded executors of known classes are decided
too, and a chain that holds a graph store runs with a guarded copy of it. A statement that was already decided, as an
argument of the tool around it, is not decided again.
"""

from __future__ import annotations

import copy
import functools
import inspect
import sys
import threading
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from halo_core.enforcement.arguments import same_value, to_json_value
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import run_step
from halo_core.enforcement.guarded_calls import GuardedAction, is_enforced
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    choose_resource_id,
    clean_name,
    get_guard,
    make_named_subclass,
    require_guard,
)
from halo_core.enforcement.stand_ins import make_stand_in
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Resource
from halo_langchain._known_tools import find_database_language, make_program_resource
from halo_langchain._pause import LangChainAction
from halo_langchain._results import TOOL_RESULT_SURFACE
from halo_langchain._runs import body_values, is_decided_program

if TYPE_CHECKING:
    from halo_langchain import Halo


@dataclass(frozen=True, slots=True)
class ExecutorKind:
    """A kind of objects that run programs, such as SQL databases.

    Args:
        method: that runs a program; with an asynchronous twin `a...` where there is one.
        argument: its parameter that is the program.
        others: parameters that are decided beside it.
        language: language of the program, in the words of `Resource.programs`, given the executor.
    """

    method: str
    argument: str
    others: tuple[str, ...]
    language: Callable[[Any], str]


def _find_graph_language(graph: Any) -> str:
    name = type(graph).__name__.lower()
    others = {"rdf": "sparql", "ontotext": "sparql", "gremlin": "gremlin", "arango": "aql", "nebula": "ngql"}
    if name.startswith("age"):
        return "cypher/age"  # it puts the query into a statement of SQL
    return next((language for word, language in others.items() if word in name), "cypher")


_SQL: Final = ExecutorKind("_execute", "command", ("parameters",), find_database_language)
_PYTHON: Final = ExecutorKind("run", "command", (), lambda _executor: "python")
_SPARK: Final = ExecutorKind("run", "command", (), lambda _executor: "sql/spark")
_GRAPH: Final = ExecutorKind("query", "query", ("params",), _find_graph_language)
_BY_CLASS: Final[Mapping[tuple[str, str], ExecutorKind]] = {
    ("langchain_community.utilities.sql_database", "SQLDatabase"): _SQL,
    ("langchain_community.utilities.spark_sql", "SparkSQL"): _SPARK,
    ("langchain_experimental.utilities.python", "PythonREPL"): _PYTHON,
}
_GRAPH_METHODS: Final = ("get_schema", "refresh_schema", "get_structured_schema")


def find_executor_kind(obj: Any) -> ExecutorKind | None:
    """The kind of an executor; None for anything else."""
    for kind in type(obj).__mro__:
        known = _BY_CLASS.get((kind.__module__, kind.__name__))
        if known is not None:
            return known
    # Graph stores of many packages have this in common.
    is_graph = callable(getattr(type(obj), "query", None)) and any(hasattr(type(obj), name) for name in _GRAPH_METHODS)
    return _GRAPH if is_graph else None


class _ProgramCall(LangChainAction, GuardedAction):
    """One program that an executor runs."""

    def __init__(
        self, guard: GuardMetadata, kind: ExecutorKind, function: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        self.function = function
        self.args, self.kwargs = args, kwargs
        passed = inspect.signature(function).bind(*args, **kwargs).arguments
        program = passed.get(kind.argument)
        arguments: dict[str, Any] = {kind.argument: program if isinstance(program, str) else str(program)}
        arguments |= {name: to_json_value(passed[name]) for name in kind.others if passed.get(name)}
        super().__init__(guard, copy.deepcopy(arguments))

    def build_call(self) -> Any:
        """The call to decide."""
        return self.halo.build_call(self.guard.resource, self.arguments)

    def prepare(self, ticket: Ticket) -> Mapping[str, Any]:
        """Like `GuardedAction`; programs are not narrowed."""
        if is_enforced(ticket) and not same_value(dict(ticket.args), dict(self.arguments)):
            raise Denied("needs_guard", "cannot change a program")
        return self.arguments

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Like `GuardedAction`; marks the body of a decided action."""
        return body_values(self.guard)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  it runs as it is
        """Run the program."""
        return self.function(*self.args, **self.kwargs)


def guard_executor(halo: Halo, executor: Any, resource: Resource | None) -> Any:
    """Register an executor and return its guarded copy.

    Raises:
        ConfigError: its class has no subclasses, its name can name no resource, or belongs to one of another kind.
    """
    guard, kind = get_guard(executor), find_executor_kind(executor)
    if kind is None:
        problem = f"`{type(executor).__name__}` is no known executor"
        raise ConfigError("not_guardable", problem, field="x", remedy="guard a tool that runs it")
    if guard is not None and guard.halo is halo:
        if resource is None:
            return executor
        executor = guard.original
    registered = _register(halo, executor, kind, resource)
    try:
        guarded = copy.copy(executor)
        executor_class: Any = type(executor)
        object.__setattr__(guarded, "__class__", _make_guarded_class(executor_class, kind))
        attach_guard(guarded, GuardMetadata(halo, executor, registered.id, registered, TOOL_RESULT_SURFACE))
    except (TypeError, AttributeError) as error:
        message = f"`{type(executor).__name__}` cannot be guarded: {error}"
        remedy = "run its statements in a function, and guard that"
        raise ConfigError("not_guardable", message, field="x", remedy=remedy) from error
    return guarded


def _register(halo: Halo, executor: Any, kind: ExecutorKind, resource: Resource | None) -> Resource:
    known = make_program_resource(kind.argument, kind.language(executor))
    name = choose_resource_id(resource, clean_name(type(executor).__name__))
    resource = resource or halo.find_declared(name, ActionKind.TOOL_CALL)
    if resource is None:
        resource = known
    elif not resource.list_programs():
        # INVARIANT: FAILCLOSED - however it was declared, what it runs is a program.
        resource = replace(resource, programs=known.programs)
    properties = {kind.argument: {"type": "string"}, **{name: {} for name in kind.others}}
    return halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema={"properties": properties})


@functools.lru_cache(maxsize=64)
def _make_guarded_class(executor_class: Any, kind: ExecutorKind) -> type[Any]:
    names = [name for name in (kind.method, f"a{kind.method}") if callable(getattr(executor_class, name, None))]
    return make_named_subclass(executor_class, {name: _wrap_method(executor_class, name, kind) for name in names})


def _wrap_method(executor_class: type[Any], name: str, kind: ExecutorKind) -> Callable[..., Any]:
    original = getattr(executor_class, name)

    def steps(self: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
        function = functools.partial(original, self)
        if is_decided_program(args[0] if args else kwargs.get(kind.argument)):
            return (yield (functools.partial(function, *args, **kwargs),))
        return (yield run_step(_ProgramCall(require_guard(self), kind, function, args, kwargs)))

    return make_method(original, steps, is_async=inspect.iscoroutinefunction(original))


# executors that nobody guarded

_LOCK: Final = threading.Lock()
_watched: Final[set[tuple[str, str]]] = set()
_CHAIN_CLASS: Final = ("langchain_classic.chains.base", "Chain")


def watch_executors(find_halo: Callable[..., Any]) -> None:
    """Decide unguarded executors of known, imported classes if `find_halo` returns a Halo."""
    for (module, name), kind in _BY_CLASS.items():
        executor_class = getattr(sys.modules.get(module), name, None)
        if executor_class is not None and _is_new((module, name)):
            _watch_method(executor_class, kind, find_halo)
    chain_class = getattr(sys.modules.get(_CHAIN_CLASS[0]), _CHAIN_CLASS[1], None)
    if chain_class is not None and _is_new(_CHAIN_CLASS):
        for method in ("invoke", "ainvoke"):
            _watch_chain(chain_class, method, find_halo)


def is_watched_class(kind: type[Any]) -> bool:
    """Whether programs of a class are decided inside guarded runs, whoever created the object."""
    return any((base.__module__, base.__name__) in _BY_CLASS for base in kind.__mro__)


def _is_new(key: tuple[str, str]) -> bool:
    with _LOCK:
        if key in _watched:
            return False
        _watched.add(key)
        return True


def _watch_method(executor_class: type[Any], kind: ExecutorKind, find_halo: Callable[..., Any]) -> None:
    original = getattr(executor_class, kind.method)

    def run_program(self: Any, *args: Any, **kwargs: Any) -> Any:
        halo = None if get_guard(self) is not None else find_halo()
        if halo is None:
            return original(self, *args, **kwargs)
        return getattr(guard_started_executor(halo, self), kind.method)(*args, **kwargs)

    setattr(executor_class, kind.method, make_stand_in(original, run_program))


def guard_started_executor(halo: Halo, executor: Any) -> Any:
    """The guarded copy of an executor running inside something guarded.

    Raises:
        Denied: it cannot be guarded (`needs_guard`).
    """
    try:
        return guard_executor(halo, executor, None)
    except ConfigError as error:
        raise Denied("needs_guard", error.message, remedy=error.remedy) from error


def _watch_chain(chain_class: type[Any], name: str, find_halo: Callable[..., Any]) -> None:
    """Make a chain run with guarded copies of its graph stores."""
    original = getattr(chain_class, name)

    def run_chain(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        halo = find_halo(config)
        return original(self if halo is None else guard_chain_executors(halo, self), input, config, **kwargs)

    setattr(chain_class, name, make_stand_in(original, run_chain))


def guard_chain_executors(halo: Halo, chain: Any) -> Any:
    """A copy of a chain with its unguarded executors guarded; the chain itself if it has none."""
    if not isinstance(chain, BaseModel):
        return chain
    held = {
        name: value
        for name, value in chain.__dict__.items()
        if find_executor_kind(value) is not None and get_guard(value) is None
    }
    if not held:
        return chain
    return chain.model_copy(update={name: guard_started_executor(halo, value) for name, value in held.items()})
