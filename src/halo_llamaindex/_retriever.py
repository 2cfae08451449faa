"""Room: guarded retrievers. Takes: a retriever. Gives: a copy whose retrievals are decided, clamped and filtered.

Decided at the public methods and at the hooks under them: what a retriever enters by itself (an `IndexNode` that holds
another retriever) comes out of the public one, and whoever calls the hook comes past that. Never: decides itself,
changes the original, reads a document's metadata: trust is the registration's.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import QueryBundle

from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_core.pep import Call, Ticket
from halo_core.pep.descent import Descent, arrived, descending
from halo_core.pep.gate import Gate, gate_of, put_gate, required, resource_name
from halo_core.pep.plain import unchanged
from halo_llamaindex._context import body, kind_with
from halo_llamaindex._pause import PASSES, abegin, begin, broke_off
from halo_llamaindex._surfaces import Labels, documents_surface

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["guard_retriever"]

_K: Final = ("_similarity_top_k", "similarity_top_k", "_k", "k")


def guard_retriever(
    halo: Halo,
    retriever: BaseRetriever,
    resource: Resource | None,
    labels: Labels | None = None,
    *,
    name: str = "",
    held: Callable[[Any], Any] = copy.copy,
) -> BaseRetriever:
    """Register a retriever and return its guarded copy.

    Args:
        halo: who decides.
        retriever: what to guard.
        resource: what it is.
        labels: adds to what its documents are found to hold.
        name: what to call it where the resource says nothing: a retriever of LlamaIndex has no name but its class's.
        held: makes the copy, with whatever the retriever holds guarded in it.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    gate = gate_of(retriever)
    if gate is not None and gate.halo is halo:
        if resource is None and labels is None:
            return retriever
        retriever, resource = gate.original, resource or gate.resource
    shown = resource_name(resource, name or type(retriever).__name__)
    schema = {"properties": {key: {"type": _TYPES.get(key, "string")} for key in _asked(retriever, "").decided}}
    schema["properties"] |= {key: {"type": kind} for key, kind in _TYPES.items() if key != "k"}
    registered = halo.register(ActionKind.RETRIEVAL, shown, resource=resource, schema=schema)
    guarded: BaseRetriever = held(retriever)
    object.__setattr__(guarded, "__class__", _guarded_class(type(retriever)))
    kept = gate.surface if gate is not None and gate.halo is halo and labels is None else None
    put_gate(guarded, Gate(halo, retriever, shown, registered, kept or documents_surface(labels)))
    return guarded


_TYPES: Final = {"k": "integer", "image_path": "string", "custom_embedding_strs": "array"}


@dataclass(frozen=True, slots=True)
class _Asked:
    """One retrieval: what is decided, and what is passed on (nobody else holds it)."""

    decided: dict[str, Any]
    query: Any
    problem: str = ""


def _asked(retriever: BaseRetriever, query: Any) -> _Asked:
    """The query, how many documents where the retriever says it, and what else a bundle asks by."""
    k = _k_of(retriever)[1]
    known = {"k": k} if isinstance(k, int) and not isinstance(k, bool) else {}
    if isinstance(query, str):
        return _Asked({"query": query, **known}, query)
    if not isinstance(query, QueryBundle):
        return _Asked({}, query, "invalid_arguments")
    try:
        own = copy.deepcopy(query)
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return _Asked({}, query, "invalid_arguments")
    more = {name: getattr(own, name) for name in ("image_path", "custom_embedding_strs") if getattr(own, name)}
    return _Asked({"query": own.query_str, **known, **more}, own)


def _k_of(retriever: Any) -> tuple[str, Any]:
    return next(((name, value) for name in _K if (value := retriever.__dict__.get(name)) is not None), ("", None))


def _call(gate: Gate, asked: _Asked) -> Call:
    call: Call = gate.halo.call(gate.resource, asked.decided)
    return replace(call, problem=asked.problem) if asked.problem else call


def _narrowed(retriever: Any, ticket: Ticket, asked: _Asked) -> tuple[Any, Any]:
    """The retriever and the query that carry out what was decided."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, asked.query
    changed = {name: value for name, value in ticket.args.items() if not unchanged(value, asked.decided.get(name))}
    query = asked.query
    if "query" in changed:
        words = changed.pop("query")
        # What it is embedded as is made of its words; whatever stood for them before is not decided.
        query = words if isinstance(query, str) else replace(query, query_str=words, embedding=None)
    if "k" in ticket.args:
        # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
        name = _k_of(retriever)[0]
        retriever = copy.copy(retriever)
        retriever.__dict__[name] = changed.pop("k", ticket.args["k"])
    if changed:
        raise Denied("needs_guard", f"cannot narrow {', '.join(sorted(changed))} of a retrieval")
    return retriever, query


def _descent(gate: Gate, asked: _Asked, ticket: Ticket) -> Descent:
    decided = ticket.verdict is not None and ticket.verdict.mode is not Mode.OBSERVE
    return Descent(gate, ticket.args if decided else asked.decided, ticket, passes=PASSES)


def _found(guarded: Any, function: Callable[..., Any], query: Any) -> Any:
    """Decide a retrieval, run it, record it; one that comes down from a decided one only runs."""
    gate, asked = required(guarded), _asked(guarded, query)
    if (above := arrived(gate, asked.decided)) is not None:
        with descending(_descent(gate, asked, above.ticket)):
            return above.run(lambda: function(guarded, query))
    ticket = begin(gate.halo, _call(gate, asked))
    descent = _descent(gate, asked, ticket)
    try:
        retriever, query = _narrowed(guarded, ticket, asked)
        with descending(descent), body():
            found = function(retriever, query)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(found), gate.surface)
    raise failed


async def _afound(guarded: Any, function: Callable[..., Any], query: Any) -> Any:
    """As `_found`, for a coroutine function."""
    gate, asked = required(guarded), _asked(guarded, query)
    if (above := arrived(gate, asked.decided)) is not None:
        with descending(_descent(gate, asked, above.ticket)):
            return await above.arun(lambda: function(guarded, query))
    ticket = await abegin(gate.halo, _call(gate, asked))
    descent = _descent(gate, asked, ticket)
    try:
        retriever, query = _narrowed(guarded, ticket, asked)
        with descending(descent), body():
            found = await function(retriever, query)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(descent.whole(found), gate.surface)
    raise failed


@functools.lru_cache(maxsize=256)
def _guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    def way(name: str, parameter: str) -> Callable[..., Any]:
        function = getattr(kind, name)

        if name.lstrip("_").startswith("a"):

            @functools.wraps(function)
            async def aretrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
                return await _afound(self, function, args[0] if args else kwargs[parameter])

            return aretrieve

        @functools.wraps(function)
        def retrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
            return _found(self, function, args[0] if args else kwargs[parameter])

        return retrieve

    def entering(name: str) -> Callable[..., Any]:
        function = getattr(kind, name)

        @functools.wraps(function)
        def from_object(self: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
            # Documents of whatever it enters come out of the public method; a query engine asks a model too.
            return function(self, required(self).halo.entered_by(self, obj), *args, **kwargs)

        return from_object

    public = {name: way(name, "str_or_query_bundle") for name in ("retrieve", "aretrieve")}
    public |= {name: entering(name) for name in ("_retrieve_from_object", "_aretrieve_from_object")}
    return kind_with(kind, public | {name: way(name, "query_bundle") for name in ("_retrieve", "_aretrieve")})
