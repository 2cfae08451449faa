"""Room: one retrieval, as it is decided and as it is carried out. Takes: a retriever, a query. Gives: args, narrower.

Never: decides, changes what it is given.

Room: guarded retrievers. Takes: a retriever. Gives: a copy whose retrievals are decided, clamped and filtered.

Decided at the public methods and at the hooks under them: what a retriever enters by itself (an `IndexNode` that holds
another retriever) comes out of the public one, and whoever calls the hook comes past that. Never: decides itself,
changes the original, reads a document's metadata: trust is the registration's.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import QueryBundle

from halo_core.enforcement import Call, Surface, Ticket
from halo_core.enforcement.arguments import same_value
from halo_core.enforcement.guards import (
    GuardMetadata,
    ReentrantCall,
    attach_guard,
    choose_resource_id,
    current_reentrant_call,
    get_guard,
    reentrant_call_scope,
    require_guard,
)
from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_llamaindex._pause import STEERING_ERRORS, abegin_or_pause, begin_or_pause, finish_failed
from halo_llamaindex._results import Labels, make_documents_surface, make_table_surface
from halo_llamaindex._runs import body_scope, make_spanless_subclass
from halo_llamaindex._translate import refuse_overridden_entry_points

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = [
    "ARGUMENT_TYPES",
    "RETRIEVE_METHODS",
    "TABLE_METHODS",
    "PreparedRetrieval",
    "apply_obligations",
    "guard_retriever",
    "limit_documents",
]


ARGUMENT_TYPES: Final = {
    "k": "integer",
    "image_path": "string",
    "custom_embedding_strs": "array",
    "embedding": "string",
}
"""What else than its words a retrieval may be asked by."""
_LIMIT_FIELD: Final = re.compile(r"(.*_)?top_k|_?k")


@dataclass(frozen=True, slots=True)
class PreparedRetrieval:
    """One retrieval: what is decided, and what is passed on (nobody else holds it)."""

    decided: dict[str, Any]
    query: Any
    problem: str = ""

    @classmethod
    def from_query(cls, retriever: BaseRetriever, query: Any) -> PreparedRetrieval:
        """The query, how many documents where the retriever says it, and what else a bundle asks by."""
        k = max((value for _, _, value in _iter_limits(retriever)), default=None)
        limit_argument = {} if k is None else {"k": k}
        if isinstance(query, str):
            return cls({"query": query, **limit_argument}, query)
        if not isinstance(query, QueryBundle):
            return cls({}, query, "invalid_arguments")
        try:
            query_copy = copy.deepcopy(query)
            bundle_arguments: dict[str, Any] = {
                name: value for name in ("image_path", "custom_embedding_strs") if (value := getattr(query_copy, name))
            }
            if query_copy.embedding is not None:
                # Whatever the words say, this is what is searched by.
                bundle_arguments["embedding"] = hashlib.sha256(
                    repr([float(x) for x in query_copy.embedding]).encode()
                ).hexdigest()
        except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
            return cls({}, query, "invalid_arguments")
        return cls({"query": query_copy.query_str, **limit_argument, **bundle_arguments}, query_copy)


def _iter_limits(retriever: Any) -> Iterator[tuple[str, str, int]]:
    """How many documents, wherever it is set: here, else in the retrievers that this one asks (place, name, number)."""
    own_limits = [("", *item) for item in _iter_own_limits(retriever)]
    yield from own_limits or (
        (place, *item)
        for place, value in retriever.__dict__.items()
        if isinstance(value, BaseRetriever)
        for item in _iter_own_limits(value)
    )


def _iter_own_limits(retriever: Any) -> Iterator[tuple[str, int]]:
    for name, value in retriever.__dict__.items():
        if _LIMIT_FIELD.fullmatch(name) and isinstance(value, int) and not isinstance(value, bool):
            yield name, value


def apply_obligations(retriever: Any, ticket: Ticket, prepared: PreparedRetrieval) -> tuple[Any, Any]:
    """The retriever and the query that carry out what was decided.

    Raises:
        Denied: what was decided asks for less in a way that nobody can carry out.
    """
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, prepared.query
    changed = {name: value for name, value in ticket.args.items() if not same_value(value, prepared.decided.get(name))}
    query = prepared.query
    if "query" in changed:
        query_text = changed.pop("query")
        # What it is embedded as is made of its words; whatever stood for them before is not decided.
        query = query_text if isinstance(query, str) else replace(query, query_str=query_text, embedding=None)
    if "k" in ticket.args:
        # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
        limit = changed.pop("k", ticket.args["k"])
        retriever = _copy_with_limit(retriever, limit)
    if changed:
        raise Denied("needs_guard", f"cannot restrict {', '.join(sorted(changed))} of a retrieval")
    return retriever, query


def _copy_with_limit(retriever: Any, limit: int) -> Any:
    copied = copy.copy(retriever)
    for place, name, value in list(_iter_limits(retriever)):
        part = copied
        if place:
            if copied.__dict__[place] is retriever.__dict__[place]:
                copied.__dict__[place] = copy.copy(copied.__dict__[place])
            part = copied.__dict__[place]
        part.__dict__[name] = min(value, limit)
    return copied


def limit_documents(documents: Any, ticket: Ticket) -> Any:
    """What was found, no more of it than a policy's `clamp(k, ...)` says: not every retriever has such a setting."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return documents
    limits = [item.value for item in ticket.verdict.decision.obligations if (item.kind, item.name) == ("clamp", "k")]
    if not limits:
        return documents
    limit = max(int(min(limits)), 0)
    if isinstance(documents, list):
        return documents if len(documents) <= limit else documents[:limit]
    if isinstance(documents, tuple) and documents and isinstance(documents[0], list) and len(documents[0]) > limit:
        return (
            documents[0][:limit],
            {key: item for key, item in documents[1].items() if key == "sql_query"},
            *documents[2:],
        )
    return documents


RETRIEVE_METHODS: Final = ("retrieve", "aretrieve", "_retrieve", "_aretrieve")
TABLE_METHODS: Final = ("retrieve_with_metadata", "aretrieve_with_metadata")
"""Ways into a retriever; the second ones are a table's, which gives its rows beside its documents."""


def guard_retriever(
    halo: Halo,
    retriever: BaseRetriever,
    resource: Resource | None,
    labels: Labels | None = None,
    *,
    name: str = "",
    copy_original: Callable[[Any], Any] = copy.copy,
) -> BaseRetriever:
    """Register a retriever and return its guarded copy.

    Args:
        halo: who decides.
        retriever: what to guard.
        resource: what it is.
        labels: adds to what its documents are found to hold.
        name: what to call it where the resource says nothing: a retriever of LlamaIndex has no name but its class's.
        copy_original: makes the copy, with whatever the retriever holds guarded in it.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    guard = get_guard(retriever)
    if guard is not None and guard.halo is halo:
        if resource is None and labels is None:
            return retriever
        retriever, resource = guard.original, resource or guard.resource
    resource_id = choose_resource_id(resource, name or type(retriever).__name__)
    schema = {
        "properties": {
            key: {"type": ARGUMENT_TYPES.get(key, "string")}
            for key in PreparedRetrieval.from_query(retriever, "").decided
        }
    }
    schema["properties"] |= {key: {"type": kind} for key, kind in ARGUMENT_TYPES.items() if key != "k"}
    registered = halo.register(ActionKind.RETRIEVAL, resource_id, resource=resource, schema=schema)
    refuse_overridden_entry_points(retriever, (*RETRIEVE_METHODS, *TABLE_METHODS))
    guarded: BaseRetriever = copy_original(retriever)
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(retriever)))
    surface = guard.surface if guard is not None and guard.halo is halo and labels is None else None
    attach_guard(
        guarded, GuardMetadata(halo, retriever, resource_id, registered, surface or make_documents_surface(labels))
    )
    return guarded


def _build_call(guard: GuardMetadata, prepared: PreparedRetrieval) -> Call:
    call: Call = guard.halo.build_call(guard.resource, prepared.decided)
    return replace(call, problem=prepared.problem) if prepared.problem else call


def _make_reentrant_call(guard: GuardMetadata, prepared: PreparedRetrieval, ticket: Ticket) -> ReentrantCall:
    is_enforced = ticket.verdict is not None and ticket.verdict.mode is not Mode.OBSERVE
    return ReentrantCall(
        guard, ticket.args if is_enforced else prepared.decided, ticket, passthrough_errors=STEERING_ERRORS
    )


def _run_retrieval(guarded: Any, function: Callable[..., Any], query: Any, *, table: bool) -> Any:
    """Decide a retrieval, run it, record it; one that comes down from a decided one only runs."""
    surface: Surface[Any] = (
        make_table_surface(require_guard(guarded).surface) if table else require_guard(guarded).surface
    )
    guard, prepared = require_guard(guarded), PreparedRetrieval.from_query(guarded, query)
    if (outer_call := current_reentrant_call(guard, prepared.decided)) is not None:
        with reentrant_call_scope(_make_reentrant_call(guard, prepared, outer_call.ticket)):
            return outer_call.run(lambda: function(guarded, query), surface)
    ticket = begin_or_pause(guard.halo, _build_call(guard, prepared))
    reentrant_call = _make_reentrant_call(guard, prepared, ticket)
    try:
        retriever, query = apply_obligations(guarded, ticket, prepared)
        with reentrant_call_scope(reentrant_call), body_scope():
            documents = function(retriever, query)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(limit_documents(reentrant_call.get_unrestricted(documents), ticket), surface)
    raise failed


async def _arun_retrieval(guarded: Any, function: Callable[..., Any], query: Any, *, table: bool) -> Any:
    """As `_found`, for a coroutine function."""
    surface: Surface[Any] = (
        make_table_surface(require_guard(guarded).surface) if table else require_guard(guarded).surface
    )
    guard, prepared = require_guard(guarded), PreparedRetrieval.from_query(guarded, query)
    if (outer_call := current_reentrant_call(guard, prepared.decided)) is not None:
        with reentrant_call_scope(_make_reentrant_call(guard, prepared, outer_call.ticket)):
            return await outer_call.arun(lambda: function(guarded, query), surface)
    ticket = await abegin_or_pause(guard.halo, _build_call(guard, prepared))
    reentrant_call = _make_reentrant_call(guard, prepared, ticket)
    try:
        retriever, query = apply_obligations(guarded, ticket, prepared)
        with reentrant_call_scope(reentrant_call), body_scope():
            documents = await function(retriever, query)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(limit_documents(reentrant_call.get_unrestricted(documents), ticket), surface)
    raise failed


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    def wrap_method(name: str, parameter: str) -> Callable[..., Any]:
        function, table = getattr(kind, name), name in TABLE_METHODS

        if name.lstrip("_").startswith("a"):

            @functools.wraps(function)
            async def aretrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
                return await _arun_retrieval(self, function, args[0] if args else kwargs[parameter], table=table)

            return aretrieve

        @functools.wraps(function)
        def retrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
            return _run_retrieval(self, function, args[0] if args else kwargs[parameter], table=table)

        return retrieve

    def wrap_object_entry(name: str) -> Callable[..., Any]:
        function = getattr(kind, name)

        @functools.wraps(function)
        def from_object(self: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
            # Documents of whatever it enters come out of the public method; a query engine asks a model too.
            return function(self, require_guard(self).halo.guard_entered_object(self, obj), *args, **kwargs)

        return from_object

    public = {
        name: wrap_method(name, "str_or_query_bundle")
        for name in (*RETRIEVE_METHODS[:2], *TABLE_METHODS)
        if hasattr(kind, name)
    }
    public |= {name: wrap_object_entry(name) for name in ("_retrieve_from_object", "_aretrieve_from_object")}
    return make_spanless_subclass(
        kind, public | {name: wrap_method(name, "query_bundle") for name in RETRIEVE_METHODS[2:]}
    )
