"""Executors: objects that run the programs of text-to-program engines. Each program is decided as a tool call.

Such a query engine or retriever asks its model for SQL, Cypher or Python and passes that to an executor: `run_sql` of a
SQL database, `structured_query` of a property graph, `query` of a graph store, or the parser of a data frame engine.
The program is the argument of the tool call, so one that only reads runs unasked, and any other is asked about
(`Resource.programs`).

`guard_executor` makes the copy that a guarded engine holds. Executors that are reached in another way are decided in
`_inner_calls`, by the same `ProgramCall`.
"""

from __future__ import annotations

import copy
import functools
import inspect
from collections.abc import Callable, Mapping
from contextlib import suppress
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.graph_stores.types import GraphStore, PropertyGraphStore
from llama_index.core.utilities.sql_wrapper import SQLDatabase

from halo_core.enforcement import find_sql_language
from halo_core.enforcement.arguments import copy_arguments, read_signature
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.guarded_calls import GuardedAction, is_enforced, make_governed_methods, with_problem
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    clean_name,
    refuse_overridden_attributes,
    require_guard,
)
from halo_core.enforcement.obligations import KeepDocument
from halo_core.enforcement.result_texts import DROPPED_NOTICE
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.object_graph import get_attributes
from halo_llamaindex._pause import LlamaIndexAction
from halo_llamaindex._results import TOOL_RESULT_SURFACE, extract_text
from halo_llamaindex._runs import (
    body_values,
    current_inner_scope,
    inner_values,
    make_nested_call_id,
    make_spanless_subclass,
)
from halo_llamaindex._translate import OVERRIDE_REMEDY

if TYPE_CHECKING:
    from halo_llamaindex import Halo

STATEMENT: Final = "statement"
PARAMETERS: Final = "parameters"
_SCHEMA: Final[dict[str, Any]] = {
    "properties": {STATEMENT: {"type": "string"}, PARAMETERS: {"type": "object"}},
    "type": "object",
}


@dataclass(frozen=True, slots=True)
class _ExecutorForm:
    """How to recognise executors of one form.

    Args:
        methods: that run a program; the first names what the executor is registered as.
        markers: members that an object of this form has besides; empty if the methods alone say it.
        language: language of the programs.
        program: names of the parameter that holds the program.
        parameters: names of the parameter that holds its values.
        class_words: one of these is part of the class's name; empty if any class can have this form.
    """

    methods: tuple[str, ...]
    language: str
    program: tuple[str, ...]
    parameters: tuple[str, ...] = ()
    markers: frozenset[str] = frozenset()
    class_words: tuple[str, ...] = ()

    def fits(self, kind: type[Any]) -> bool:
        """Whether objects of a class have this form; runs none of its code."""
        members = {name for base in kind.__mro__ for name in base.__dict__}
        has_name = not self.class_words or any(word in kind.__name__ for word in self.class_words)
        return has_name and self.markers <= members and bool(members.intersection(self.methods))


_FORMS: Final = (
    _ExecutorForm(("run_sql",), "sql", ("command",)),
    _ExecutorForm(("structured_query", "astructured_query"), "cypher", ("query",), ("param_map",)),
    _ExecutorForm(("query",), "cypher", ("query",), ("param_map",), frozenset(("get_rel_map", "upsert_triplet"))),
    # Of llama-index-experimental: the parser of a model's answer runs it.
    _ExecutorForm(("parse",), "python", ("output",), class_words=("InstructionParser",)),
)
EXECUTOR_TYPES: Final[tuple[type[Any], ...]] = (PropertyGraphStore, SQLDatabase)
HOOKED_TYPES: Final[tuple[type[Any], ...]] = (GraphStore, PropertyGraphStore, SQLDatabase)
"""The framework's own classes of executors."""


@functools.lru_cache(maxsize=512)
def find_executor_form(kind: Any) -> _ExecutorForm | None:
    """The form of an executor class; None for any other class."""
    if issubclass(kind, type):
        return None
    return next((form for form in _FORMS if form.fits(kind)), None)


def is_executor(x: Any) -> bool:
    """Whether an object runs programs; runs none of its code."""
    kind: Any = type(x)
    return find_executor_form(kind) is not None


def runs_programs(x: Any) -> bool:
    """Whether an executor can run programs: not every graph store can. Runs none of its code."""
    if not isinstance(x, PropertyGraphStore):
        return is_executor(x)
    attributes = get_attributes(x)
    return bool(attributes.get("supports_structured_queries", type(x).supports_structured_queries))


def list_executor_methods(kind: Any) -> tuple[str, ...]:
    """Methods of a class that run a program."""
    form = find_executor_form(kind)
    return tuple(name for name in form.methods if hasattr(kind, name)) if form is not None else ()


def _find_language(executor: Any, form: _ExecutorForm) -> str:
    """The language of the programs: the database's dialect, if it states one."""
    if form.language != "sql":
        return form.language
    dialect: Any = ""
    with suppress(Exception):  # a database that cannot say it is judged as any SQL
        dialect = executor.dialect
    return find_sql_language(dialect if isinstance(dialect, str) else "")


def register_executor(halo: Halo, executor: Any, owner: Resource | None, name: str = "") -> Resource:
    """Register an engine's executor of programs.

    Args:
        halo: who decides.
        executor: what runs them.
        owner: what the engine is: its labels, system and trust are those of what comes back.
        name: name of the engine; empty takes the executor's class.

    Raises:
        ConfigError: the name can name no resource, or belongs to one of another kind.
    """
    kind: Any = type(executor)
    form = find_executor_form(kind)
    if form is None:
        problem = f"`{type(executor).__name__}` runs no programs"
        raise ConfigError("not_guardable", problem, field="x", remedy="guard the engine or tool that it is part of")
    owner_name = name or (owner.id if owner is not None else "") or type(executor).__name__
    resource_id = clean_name(f"{owner_name}.{form.methods[0]}")
    programs = ((STATEMENT, _find_language(executor, form)),)
    declared = halo.find_declared(resource_id, ActionKind.TOOL_CALL)
    if declared is None:
        declared = Resource(
            impact=Impact.EXECUTE,
            reversal=Reversal.IRREVERSIBLE,
            labels=owner.labels if owner is not None else (),
            system=owner.system if owner is not None else "",
            source_trust=owner.source_trust if owner is not None else None,
            classified="guessed",
        )
    # INVARIANT: whatever it is declared as, its statement is read as the program that it is.
    resource = replace(declared, id=resource_id, programs=programs)
    return halo.register(ActionKind.TOOL_CALL, resource_id, resource=resource, schema=_SCHEMA)


def make_executor_guard(halo: Halo, executor: Any, owner: Resource | None, name: str = "") -> GuardMetadata:
    """The guard of an executor; see `register_executor`."""
    resource = register_executor(halo, executor, owner, name)
    return GuardMetadata(halo, executor, resource.id, resource, _find_surface(executor))


def guard_executor(halo: Halo, executor: Any, owner: Resource | None, name: str = "") -> Any:
    """A copy of an executor that shares its connection and whose programs are decided.

    Raises:
        ConfigError: it cannot be copied, or it has an entry point as an attribute.
    """
    guard = make_executor_guard(halo, executor, owner, name)
    kind: Any = type(executor)
    refuse_overridden_attributes(executor, list_executor_methods(kind), OVERRIDE_REMEDY)
    try:
        guarded = copy.copy(executor)
        object.__setattr__(guarded, "__class__", _make_guarded_class(kind))
        attach_guard(guarded, guard)
    except Exception as exc:
        raise ConfigError(
            "executor_not_guarded",
            f"`{kind.__name__}` runs programs that a model writes, and no guarded copy of it can be made",
            field="x",
            remedy=f"give the engine an executor of a plain class whose `{list_executor_methods(kind)[0]}` runs them",
        ) from exc
    return guarded


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[Any]) -> type[Any]:
    members = {
        name: skip_decided_programs(kind, getattr(kind, name), method)
        for name, method in make_governed_methods(kind, list_executor_methods(kind), ProgramCall).items()
    }
    # The copy shares the connection of the original, which is the one to close it.
    return make_spanless_subclass(kind, {**members, **({"__del__": _leave_open} if hasattr(kind, "__del__") else {})})


def _leave_open(_self: Any) -> None:
    """Do nothing when the copy is closed."""


def skip_decided_programs(kind: Any, method: Callable[..., Any], governed: Callable[..., Any]) -> Callable[..., Any]:
    """A governed method of an executor; runs a program directly if it was decided as the tool's argument."""

    def select(executor: Any, /, *args: Any, **kwargs: Any) -> Any:
        scope = current_inner_scope()
        is_decided = scope is not None and _read_program(kind, method, args, kwargs)[1].get(STATEMENT) in scope.programs
        return (method if is_decided else governed)(executor, *args, **kwargs)

    if not inspect.iscoroutinefunction(governed):
        return functools.wraps(method)(select)

    @functools.wraps(method)
    async def select_async(executor: Any, /, *args: Any, **kwargs: Any) -> Any:
        return await select(executor, *args, **kwargs)

    return select_async


class ProgramCall(LlamaIndexAction, GuardedAction):
    """One program run by an executor; a synchronous method called by the asynchronous one is part of it."""

    def __init__(self, method: Callable[..., Any], _name: str, executor: Any, *args: Any, **kwargs: Any) -> None:
        self.method, self.executor = method, executor
        self.args, self.kwargs = args, kwargs
        guard = self.find_guard(executor)
        self.places, passed = _read_program(type(executor), method, args, kwargs)
        arguments, self.objects, self.problem = copy_arguments(passed)
        if not isinstance(passed.get(STATEMENT), str):
            self.problem = self.problem or "invalid_arguments"
        super().__init__(guard, arguments, allows_reentry=True)

    def find_guard(self, executor: Any) -> GuardMetadata:
        """The guard of the executor."""
        return require_guard(executor)

    def build_call(self) -> Call:
        """The program, as a call of a tool."""
        call_id = make_nested_call_id(self.guard.resource.id, self.arguments)
        return with_problem(self.halo.build_call(self.guard.resource, self.arguments, call_id=call_id), self.problem)

    def prepare(self, ticket: Ticket) -> Mapping[str, Any]:
        """Replace the caller's program by the decided one."""
        if not is_enforced(ticket):
            return self.arguments
        # INVARIANT: SAME - the program that runs is the one that was decided.
        executed = {name: ticket.args.get(name, value) for name, value in self.objects.items()}
        self.args = ()
        self.kwargs = {self.places[name]: value for name, value in executed.items()}
        return ticket.args

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        return *body_values(), *inner_values(self.halo)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  its arguments are in place
        return self.method(self.executor, *self.args, **self.kwargs)

    def return_denied(self, denied: Denied) -> Any:
        """The earlier result of the same program, if a step runs again.

        Raises:
            Denied: it did not run.
        """
        return denied.earlier if denied.earlier is not None else super().return_denied(denied)


def _read_program(
    kind: Any, method: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[dict[str, str], dict[str, Any]]:
    """The program of a call with its values, and the method's parameters for them."""
    form = find_executor_form(kind)
    try:
        bound = read_signature(method).bind(None, *args, **kwargs)
    except TypeError:
        return {}, dict(kwargs)
    names = [name for name, item in read_signature(method).parameters.items() if item.kind in _NAMED_KINDS][1:]
    program = next((name for name in (form.program if form is not None else ()) if name in names), "")
    program = program or next(iter(names), "")
    passed = {name: value for name, value in bound.arguments.items() if name in names}
    places = {STATEMENT: program}
    values = {STATEMENT: passed.pop(program, None)}
    for name, value in passed.items():
        is_values = form is not None and name in form.parameters
        if is_values and not value:
            continue
        key = PARAMETERS if is_values else name
        places[key], values[key] = name, value
    return places, values


_NAMED_KINDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


# results


def _find_surface(executor: Any) -> Surface[Any]:
    return _ROWS_SURFACE if hasattr(type(executor), "run_sql") else TOOL_RESULT_SURFACE


def _withhold_rows(_rows: Any, notice: str) -> tuple[str, dict[str, Any]]:
    return notice, {"result": [(notice,)], "col_keys": ["notice"]}


def _filter_rows(rows: Any, keep: KeepDocument) -> tuple[Any, int]:
    """All rows or none: they are one text."""
    return (rows, 0) if keep(extract_text(rows), (), "") else (_withhold_rows(rows, DROPPED_NOTICE), 1)


_ROWS_SURFACE: Final[Surface[Any]] = replace(TOOL_RESULT_SURFACE, filter=_filter_rows, withhold=_withhold_rows)
"""What `run_sql` returns: the rows as a text, and beside it as values."""
