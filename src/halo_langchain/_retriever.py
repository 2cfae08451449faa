"""Room: guarded retrievers. Takes: a retriever. Gives: a copy whose retrievals are decided, clamped and filtered.

Never: decides itself, changes the original, reads a document's metadata: trust is the registration's.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_core.passport import is_resource_id
from halo_core.pep import Ticket
from halo_langchain._arguments import plain, unchanged
from halo_langchain._context import current_mark, entered, marked
from halo_langchain._tools import Gate, gate_of, subclass
from halo_langchain._translate import DOCUMENTS, retriever_schema

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from halo_langchain import Halo

__all__ = ["guard_retriever"]

# A decided asynchronous retrieval on its way down to the synchronous method; used up by the first to arrive.
_INSIDE: Final[ContextVar[list[tuple[Gate, str]] | None]] = ContextVar("halo_langchain_inside", default=None)


def guard_retriever(halo: Halo, retriever: BaseRetriever, resource: Resource | None) -> BaseRetriever:
    """Register a retriever and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    gate = gate_of(retriever)
    if gate is not None and gate.halo is halo:
        if resource is None:
            return retriever
        retriever = gate.original
    name = (resource.id if resource is not None else "") or retriever.get_name()
    if not is_resource_id(name):
        raise ConfigError("bad_resource_id", f"`{name[:64]}` cannot name a resource", field="resource")
    registered = halo.register(
        ActionKind.RETRIEVAL, name, resource=resource, schema=retriever_schema(retriever, _arguments(retriever, "", {}))
    )
    copy = retriever.model_copy()
    object.__setattr__(copy, "__class__", _guarded_class(type(retriever)))
    copy.__dict__["_halo_gate"] = Gate(halo, retriever, retriever.get_name(), registered, DOCUMENTS)
    return copy


def _arguments(retriever: BaseRetriever, query: str, more: Mapping[str, Any]) -> dict[str, Any]:
    """Query, how many documents where the retriever says it, and what else the caller passed."""
    settings = getattr(retriever, "search_kwargs", None)
    k = settings.get("k") if isinstance(settings, Mapping) else getattr(retriever, "k", None)
    known = {"k": k} if isinstance(k, int) and not isinstance(k, bool) else {}
    return {"query": query, **known, **{name: plain(value) for name, value in more.items()}}


def _narrowed(
    retriever: BaseRetriever, ticket: Ticket, arguments: Mapping[str, Any], more: Mapping[str, Any]
) -> tuple[BaseRetriever, dict[str, Any]]:
    """The retriever and keyword arguments that carry out what was decided."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, dict(more)
    changed = {name: value for name, value in ticket.args.items() if not unchanged(value, arguments.get(name))}
    passed = {name: changed.pop(name, value) for name, value in more.items()}
    if "k" in changed:
        settings = getattr(retriever, "search_kwargs", None)
        if isinstance(settings, Mapping):
            update: dict[str, Any] = {"search_kwargs": {**settings, "k": changed.pop("k")}}
        else:
            update = {"k": changed.pop("k")}
        retriever = retriever.model_copy(update=update)
    if changed:
        raise Denied("needs_guard", f"cannot narrow {', '.join(sorted(changed))} of a retrieval")
    return retriever, passed


@contextmanager
def _inside(gate: Gate, query: str) -> Iterator[None]:
    token = _INSIDE.set([(gate, query)])
    try:
        with marked(None):
            yield
    finally:
        _INSIDE.reset(token)


def _arrived(gate: Gate, query: str) -> bool:
    # INVARIANT: one asynchronous decision lets one synchronous retrieval pass.
    inside = _INSIDE.get()
    if not inside or inside[0] != (gate, query):
        return False
    inside.clear()
    return True


def _begun(gate: Gate) -> None:
    mark = current_mark(gate.halo, "retriever", "")
    if mark is not None:
        mark.decided = True


@functools.lru_cache(maxsize=256)
def _guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    get, aget = kind._get_relevant_documents, kind._aget_relevant_documents  # noqa: SLF001  the hooks of a retriever

    def invoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        gate = _required(self)
        with entered(gate.halo, "retriever", "", config):
            return kind.invoke(self, input, config, **kwargs)

    async def ainvoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate = _required(self)
        with entered(gate.halo, "retriever", "", config):
            return await kind.ainvoke(self, input, config, **kwargs)

    @functools.wraps(get)
    def _get(self: Any, query: str, **kwargs: Any) -> Any:
        gate, more, manager = _required(self), dict(kwargs), _manager(kwargs)
        more.pop("run_manager", None)
        if _arrived(gate, query):
            return get(self, query, **kwargs)
        arguments = _arguments(self, query, more)
        _begun(gate)
        ticket = gate.halo.enforcer.begin(gate.halo.call(gate.resource, arguments))
        try:
            with marked(None):
                retriever, passed = _narrowed(self, ticket, arguments, more)
                found = get(retriever, query, **manager, **passed)
        except BaseException as exc:
            ticket.fail(exc)
            raise
        return ticket.succeed(found, gate.surface)

    @functools.wraps(aget)
    async def _aget(self: Any, query: str, **kwargs: Any) -> Any:
        gate, more, manager = _required(self), dict(kwargs), _manager(kwargs)
        more.pop("run_manager", None)
        arguments = _arguments(self, query, more)
        _begun(gate)
        ticket = await gate.halo.enforcer.abegin(gate.halo.call(gate.resource, arguments))
        try:
            with _inside(gate, query):
                retriever, passed = _narrowed(self, ticket, arguments, more)
                found = await aget(retriever, query, **manager, **passed)
        except BaseException as exc:
            ticket.fail(exc)
            raise
        return ticket.succeed(found, gate.surface)

    members = {
        "invoke": functools.wraps(kind.invoke)(invoke),
        "ainvoke": functools.wraps(kind.ainvoke)(ainvoke),
        "_get_relevant_documents": _get,
        "_aget_relevant_documents": _aget,
    }
    made: type[BaseRetriever] = subclass(kind, members)
    return made


def _manager(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    return {"run_manager": kwargs["run_manager"]} if "run_manager" in kwargs else {}


def _required(retriever: Any) -> Gate:
    gate = gate_of(retriever)
    if gate is None:
        raise Denied("needs_guard", "this copy of a guarded retriever has lost its guard", remedy="guard it again")
    return gate
