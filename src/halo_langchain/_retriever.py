"""Room: guarded retrievers. Takes: a retriever. Gives: a copy whose retrievals are decided, clamped and filtered.

Never: decides itself, changes the original, reads a document's metadata: trust is the registration's.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ensure_config

from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_core.pep import Call, Ticket
from halo_core.pep.gate import Gate, gate_of, put_gate, required, resource_name, subclass
from halo_core.pep.plain import plain, unchanged
from halo_langchain._context import Mark, chosen, current_mark, entered, mark_of, marked
from halo_langchain._descent import Descent, arrived, descending, descent_of
from halo_langchain._own import own, refuse_own
from halo_langchain._pause import abegin, begin, broke_off
from halo_langchain._surfaces import Labels, documents_surface
from halo_langchain._translate import retriever_schema

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["guard_retriever"]

_DECIDED: Final = ("invoke", "ainvoke", "_get_relevant_documents", "_aget_relevant_documents")
_UNDECIDED: Final = ("batch", "abatch", "stream", "astream")


def guard_retriever(
    halo: Halo, retriever: BaseRetriever, resource: Resource | None, labels: Labels | None = None
) -> BaseRetriever:
    """Register a retriever and return its guarded copy; `labels` adds to what its documents are found to hold.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind; or its class has an entry point
            of its own that cannot be decided.
    """
    gate = gate_of(retriever)
    if gate is not None and gate.halo is halo:
        if resource is None and labels is None:
            return retriever
        retriever, resource = gate.original, resource or gate.resource
    refuse_own(retriever, _DECIDED, _UNDECIDED, "guard the retrievers that it holds, or what that method calls")
    name = resource_name(resource, retriever.get_name())
    schema = retriever_schema(retriever, _asked(retriever, "", {}).decided)
    registered = halo.register(ActionKind.RETRIEVAL, name, resource=resource, schema=schema)
    guarded = retriever.model_copy()
    object.__setattr__(guarded, "__class__", _guarded_class(type(retriever)))
    kept = gate.surface if gate is not None and gate.halo is halo and labels is None else None
    surface = kept or documents_surface(labels)
    put_gate(guarded, Gate(halo, retriever, retriever.get_name(), registered, surface))
    return guarded


@dataclass(frozen=True, slots=True)
class _Asked:
    """One retrieval: what is decided, and what is passed on (nobody else holds it)."""

    decided: dict[str, Any]
    query: Any
    more: dict[str, Any]
    manager: dict[str, Any]
    problem: str = ""


def _asked(retriever: BaseRetriever, query: Any, kwargs: Mapping[str, Any]) -> _Asked:
    """Query, how many documents where the retriever says it, and what else the caller passed."""
    manager = {"run_manager": kwargs["run_manager"]} if "run_manager" in kwargs else {}
    more = {name: value for name, value in kwargs.items() if name != "run_manager"}
    settings = getattr(retriever, "search_kwargs", None)
    k = settings.get("k") if isinstance(settings, Mapping) else getattr(retriever, "k", None)
    known = {"k": k} if isinstance(k, int) and not isinstance(k, bool) else {}
    try:
        query, more = copy.deepcopy((query, more))
        return _Asked({"query": plain(query), **known, **{n: plain(v) for n, v in more.items()}}, query, more, manager)
    except RecursionError:
        return _Asked({}, query, more, manager, "arguments_too_large")
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return _Asked({}, query, more, manager, "invalid_arguments")


def _call(gate: Gate, asked: _Asked) -> Call:
    mark = current_mark(gate.halo, "retriever", "")
    if mark is not None:
        mark.decided = True
    call: Call = gate.halo.call(gate.resource, asked.decided)
    return replace(call, problem=asked.problem) if asked.problem else call


def _narrowed(retriever: BaseRetriever, ticket: Ticket, asked: _Asked) -> tuple[BaseRetriever, Any, dict[str, Any]]:
    """The retriever, query and keyword arguments that carry out what was decided."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, asked.query, asked.more
    changed = {name: value for name, value in ticket.args.items() if not unchanged(value, asked.decided.get(name))}
    query = changed.pop("query", asked.query)
    passed = {name: changed.pop(name, value) for name, value in asked.more.items()}
    if "k" in ticket.args and "k" not in passed:
        # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
        k = changed.pop("k", ticket.args["k"])
        settings = getattr(retriever, "search_kwargs", None)
        update = {"search_kwargs": {**settings, "k": k}} if isinstance(settings, Mapping) else {"k": k}
        retriever = retriever.model_copy(update=update)
    if changed:
        raise Denied("needs_guard", f"cannot narrow {', '.join(sorted(changed))} of a retrieval")
    return retriever, query, passed


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry point that a class has made anew, as it was called: nobody knows whether it comes to the hook.

    Args:
        method: what the class has made.
        config: its configuration.
        more: keyword arguments of the framework's.
        mark: of the run that it may start.
    """

    method: Callable[..., Any]
    config: Any
    more: Mapping[str, Any]
    mark: Mark

    def quiet(self, ticket: Ticket) -> Callable[..., Any]:
        """The method, under a configuration in which nobody is told what has yet to be restricted."""
        config = {**ensure_config(self.config), "callbacks": []} if ticket.holds_output else self.config
        return lambda retriever, query, **more: self.method(retriever, query, config, **self.more, **more)

    def reaches(self, guarded: Any, args: Mapping[str, Any]) -> dict[str, Any]:
        """What of these arguments the framework hands on to the hook."""
        return {name: v for name, v in args.items() if guarded._expects_other_args or name in {"query", "k"}}  # noqa: SLF001


def _descent(gate: Gate, guarded: Any, asked: _Asked, ticket: Ticket, entry: _Entry | None) -> Descent:
    decided = ticket.verdict is not None and ticket.verdict.mode is not Mode.OBSERVE
    args = ticket.args if decided else asked.decided
    return descent_of(gate, entry.reaches(guarded, args) if entry is not None else args, ticket)


def _found(guarded: BaseRetriever, get: Callable[..., Any], gate: Gate, asked: _Asked, entry: Any = None) -> Any:
    """Decide a retrieval, run it, record it."""
    ticket = begin(gate.halo, _call(gate, asked))
    descent = _descent(gate, guarded, asked, ticket, entry)
    descent.open = entry is not None
    try:
        retriever, query, passed = _narrowed(guarded, ticket, asked)
        with descending(descent), marked(entry.mark if entry is not None else None):
            found = (entry.quiet(ticket) if entry is not None else get)(retriever, query, **asked.manager, **passed)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(found), gate.surface)
    raise failed


async def _afound(
    guarded: BaseRetriever, aget: Callable[..., Awaitable[Any]], gate: Gate, asked: _Asked, entry: Any = None
) -> Any:
    """As `_found`, for a coroutine function."""
    ticket = await abegin(gate.halo, _call(gate, asked))
    descent = _descent(gate, guarded, asked, ticket, entry)
    try:
        retriever, query, passed = _narrowed(guarded, ticket, asked)
        with descending(descent), marked(entry.mark if entry is not None else None):
            way = entry.quiet(ticket) if entry is not None else aget
            found = await way(retriever, query, **asked.manager, **passed)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(found), gate.surface)
    raise failed


def _entered(method: Callable[..., Any], mark: Mark, config: Any, kwargs: dict[str, Any]) -> _Entry:
    """Take from the arguments of an own entry point what is the framework's."""
    more: dict[str, Any] = {name: kwargs.pop(name) for name in ("run_id", "verbose") if name in kwargs}
    return _Entry(method, config, more, mark)


@functools.lru_cache(maxsize=256)
def _guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    get, aget = kind._get_relevant_documents, kind._aget_relevant_documents  # noqa: SLF001  the hooks of a retriever
    mine = {name: own(kind, name) for name in ("invoke", "ainvoke")}

    def invoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        gate = required(self)
        mark = mark_of(gate.halo, "retriever", run_id=None if mine["invoke"] else chosen(kwargs))
        with entered(mark, config):
            if not mine["invoke"]:
                return kind.invoke(self, input, config, **kwargs)
            entry = _entered(kind.invoke, mark, config, kwargs)
            asked = _asked(self, input, kwargs)
            above = arrived(gate, asked.decided)
            if above is None:
                return _found(self, get, gate, asked, entry)
            with descending(_descent(gate, self, asked, above.ticket, entry)), marked(mark):
                return above.run(lambda: kind.invoke(self, input, config, **entry.more, **kwargs))

    async def ainvoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate = required(self)
        mark = mark_of(gate.halo, "retriever", run_id=None if mine["ainvoke"] else chosen(kwargs))
        with entered(mark, config):
            if not mine["ainvoke"]:
                return await kind.ainvoke(self, input, config, **kwargs)
            entry = _entered(kind.ainvoke, mark, config, kwargs)
            return await _afound(self, aget, gate, _asked(self, input, kwargs), entry)

    @functools.wraps(get)
    def _get(self: Any, query: str, **kwargs: Any) -> Any:
        gate, asked = required(self), _asked(self, query, kwargs)
        if (descent := arrived(gate, asked.decided)) is not None:
            return descent.run(lambda: get(self, query, **kwargs))
        return _found(self, get, gate, asked)

    @functools.wraps(aget)
    async def _aget(self: Any, query: str, **kwargs: Any) -> Any:
        gate, asked = required(self), _asked(self, query, kwargs)
        if (descent := arrived(gate, asked.decided)) is None:
            return await _afound(self, aget, gate, asked)
        with descending(_descent(gate, self, asked, descent.ticket, None)):
            return await descent.arun(lambda: aget(self, query, **kwargs))

    members = {
        "invoke": functools.wraps(kind.invoke)(invoke),
        "ainvoke": functools.wraps(kind.ainvoke)(ainvoke),
        "_get_relevant_documents": _get,
        "_aget_relevant_documents": _aget,
    }
    made: type[BaseRetriever] = subclass(kind, members)
    return made
