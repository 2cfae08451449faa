"""Room: guarded retrievers. Takes: a retriever. Gives: a copy whose retrievals are decided, clamped and filtered.

Decided at the public methods and at the hooks under them: what a retriever enters by itself (an `IndexNode` that holds
another retriever) comes out of the public one, and whoever calls the hook comes past that. Never: decides itself,
changes the original, reads a document's metadata: trust is the registration's.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.base_retriever import BaseRetriever

from halo_core.model import ActionKind, Mode, Resource
from halo_core.pep import Call, Surface, Ticket
from halo_core.pep.descent import Descent, arrived, descending
from halo_core.pep.gate import Gate, gate_of, put_gate, required, resource_name
from halo_llamaindex._context import body, kind_with
from halo_llamaindex._own import refuse_own
from halo_llamaindex._pause import PASSES, abegin, begin, broke_off
from halo_llamaindex._reading import TYPES, Asked, at_most, narrowed
from halo_llamaindex._surfaces import Labels, documents_surface, table_surface

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["READING", "TABLES", "guard_retriever"]

READING: Final = ("retrieve", "aretrieve", "_retrieve", "_aretrieve")
TABLES: Final = ("retrieve_with_metadata", "aretrieve_with_metadata")
"""Ways into a retriever; the second ones are a table's, which gives its rows beside its documents."""


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
    schema = {"properties": {key: {"type": TYPES.get(key, "string")} for key in Asked.of(retriever, "").decided}}
    schema["properties"] |= {key: {"type": kind} for key, kind in TYPES.items() if key != "k"}
    registered = halo.register(ActionKind.RETRIEVAL, shown, resource=resource, schema=schema)
    refuse_own(retriever, (*READING, *TABLES))
    guarded: BaseRetriever = held(retriever)
    object.__setattr__(guarded, "__class__", _guarded_class(type(retriever)))
    kept = gate.surface if gate is not None and gate.halo is halo and labels is None else None
    put_gate(guarded, Gate(halo, retriever, shown, registered, kept or documents_surface(labels)))
    return guarded


def _call(gate: Gate, asked: Asked) -> Call:
    call: Call = gate.halo.call(gate.resource, asked.decided)
    return replace(call, problem=asked.problem) if asked.problem else call


def _descent(gate: Gate, asked: Asked, ticket: Ticket) -> Descent:
    decided = ticket.verdict is not None and ticket.verdict.mode is not Mode.OBSERVE
    return Descent(gate, ticket.args if decided else asked.decided, ticket, passes=PASSES)


def _found(guarded: Any, function: Callable[..., Any], query: Any, *, table: bool) -> Any:
    """Decide a retrieval, run it, record it; one that comes down from a decided one only runs."""
    surface: Surface[Any] = table_surface(required(guarded).surface) if table else required(guarded).surface
    gate, asked = required(guarded), Asked.of(guarded, query)
    if (above := arrived(gate, asked.decided)) is not None:
        with descending(_descent(gate, asked, above.ticket)):
            return above.run(lambda: function(guarded, query), surface)
    ticket = begin(gate.halo, _call(gate, asked))
    descent = _descent(gate, asked, ticket)
    try:
        retriever, query = narrowed(guarded, ticket, asked)
        with descending(descent), body():
            found = function(retriever, query)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(at_most(descent.whole(found), ticket), surface)
    raise failed


async def _afound(guarded: Any, function: Callable[..., Any], query: Any, *, table: bool) -> Any:
    """As `_found`, for a coroutine function."""
    surface: Surface[Any] = table_surface(required(guarded).surface) if table else required(guarded).surface
    gate, asked = required(guarded), Asked.of(guarded, query)
    if (above := arrived(gate, asked.decided)) is not None:
        with descending(_descent(gate, asked, above.ticket)):
            return await above.arun(lambda: function(guarded, query), surface)
    ticket = await abegin(gate.halo, _call(gate, asked))
    descent = _descent(gate, asked, ticket)
    try:
        retriever, query = narrowed(guarded, ticket, asked)
        with descending(descent), body():
            found = await function(retriever, query)
    except BaseException as exc:
        failed = broke_off(ticket, descent.whole(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(at_most(descent.whole(found), ticket), surface)
    raise failed


@functools.lru_cache(maxsize=256)
def _guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    def way(name: str, parameter: str) -> Callable[..., Any]:
        function, table = getattr(kind, name), name in TABLES

        if name.lstrip("_").startswith("a"):

            @functools.wraps(function)
            async def aretrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
                return await _afound(self, function, args[0] if args else kwargs[parameter], table=table)

            return aretrieve

        @functools.wraps(function)
        def retrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
            return _found(self, function, args[0] if args else kwargs[parameter], table=table)

        return retrieve

    def entering(name: str) -> Callable[..., Any]:
        function = getattr(kind, name)

        @functools.wraps(function)
        def from_object(self: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
            # Documents of whatever it enters come out of the public method; a query engine asks a model too.
            return function(self, required(self).halo.entered_by(self, obj), *args, **kwargs)

        return from_object

    public = {name: way(name, "str_or_query_bundle") for name in (*READING[:2], *TABLES) if hasattr(kind, name)}
    public |= {name: entering(name) for name in ("_retrieve_from_object", "_aretrieve_from_object")}
    return kind_with(kind, public | {name: way(name, "query_bundle") for name in READING[2:]})
