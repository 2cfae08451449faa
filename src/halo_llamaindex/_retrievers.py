"""Guarded retrievers: copies whose retrievals are decided, limited and filtered.

A retrieval is decided at the public methods, since these also return what a retriever enters by itself (an `IndexNode`
that holds another retriever), and at the hooks below, which some callers use directly. The trust of a document comes
from the registration of its retriever. The document's own metadata is not believed.
"""

from __future__ import annotations

import copy
import functools
import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import QueryBundle

from halo_core.enforcement.arguments import same_value
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.guarded_calls import GuardedAction, is_enforced, make_governed_methods, with_problem
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    choose_resource_id,
    get_guard,
    refuse_overridden_attributes,
    require_guard,
)
from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_core.quick_dataclass import dataclass
from halo_llamaindex._pause import LlamaIndexAction
from halo_llamaindex._results import Labels, make_documents_surface, make_table_surface
from halo_llamaindex._runs import InnerScope, body_values, engine_values, make_spanless_subclass, raise_inner_error
from halo_llamaindex._translate import OVERRIDE_REMEDY

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_ARGUMENT_TYPES: Final = {
    "k": "integer",
    "image_path": "string",
    "custom_embedding_strs": "array",
    "embedding": "string",
}
"""Types of a retrieval's arguments besides its query."""
RETRIEVAL_SCHEMA: Final = {
    "properties": {"query": {"type": "string"}, **{key: {"type": kind} for key, kind in _ARGUMENT_TYPES.items()}}
}
"""Arguments of any retrieval."""
_LIMIT_FIELD: Final = re.compile(r"(.*_)?top_k|_?k")


@dataclass(frozen=True, slots=True)
class _PreparedRetrieval:
    """One retrieval: what is decided, and what is passed on (a private copy)."""

    decided: dict[str, Any]
    query: Any
    problem: str = ""

    @classmethod
    def from_query(cls, retriever: BaseRetriever, query: Any) -> _PreparedRetrieval:
        """Read the query, the retriever's limit, and the query bundle's other fields."""
        k = max((value for _, _, value in _iter_limits(retriever)), default=None)
        limit_argument = {} if k is None else {"k": k}
        if isinstance(query, str):
            return cls({"query": query, **limit_argument}, query)
        if not isinstance(query, QueryBundle):
            return cls({}, query, "invalid_arguments")
        try:
            query_copy = _copy_bundle(query)
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


def _copy_bundle(query: QueryBundle) -> QueryBundle:
    """A copy that nobody else holds; of texts alone, a shallow one is."""
    has_texts_alone = type(query) is QueryBundle and {*map(type, vars(query).values())} <= _TEXT_TYPES
    return copy.copy(query) if has_texts_alone else copy.deepcopy(query)


_TEXT_TYPES: Final = frozenset((str, type(None)))


def _iter_limits(retriever: Any) -> Iterator[tuple[str, str, int]]:
    """Limits on the number of documents, of the retriever or its inner ones: (place, name, number)."""
    own_limits = [("", *item) for item in _iter_own_limits(retriever)]
    yield from own_limits or (
        (place, *item)
        for place, value in retriever.__dict__.items()
        if isinstance(value, BaseRetriever)
        for item in _iter_own_limits(value)
    )


def _iter_own_limits(retriever: Any) -> Iterator[tuple[str, int]]:
    for name, value in retriever.__dict__.items():
        if isinstance(value, int) and not isinstance(value, bool) and _LIMIT_FIELD.fullmatch(name):
            yield name, value


def _apply_obligations(retriever: Any, ticket: Ticket, prepared: _PreparedRetrieval) -> tuple[Any, Any]:
    """The retriever and the query, changed as decided.

    Raises:
        Denied: what was decided asks for less in a way that nobody can carry out.
    """
    if not is_enforced(ticket):
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


def _limit_documents(documents: Any, ticket: Ticket) -> Any:
    """Limit the documents to a policy's `clamp(k, ...)`, since not every retriever has such a setting."""
    if ticket.context is None or ticket.context.mode is Mode.OBSERVE:
        return documents
    limits = [item.value for item in ticket.context.decision.obligations if (item.kind, item.name) == ("clamp", "k")]
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
"""Entry points of a retriever; a retriever over tables has these too, which return rows beside documents."""


def guard_retriever(
    halo: Halo,
    retriever: BaseRetriever,
    resource: Resource | None,
    labels: Labels | None = None,
    *,
    name: str = "",
    is_part: bool = False,
    copy_original: Callable[[Any], Any] = copy.copy,
) -> BaseRetriever:
    """Register a retriever and return its guarded copy.

    Args:
        halo: who decides.
        retriever: what to guard.
        resource: what it is.
        labels: adds to what its documents are found to hold.
        name: what to call it where the resource says nothing: a retriever of LlamaIndex has no name but its class's.
        is_part: whether an engine or tool holds it, whose other retrievers may have the same name.
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
    names = {*_PreparedRetrieval.from_query(retriever, "").decided, *(key for key in _ARGUMENT_TYPES if key != "k")}
    registered_before = halo.find_registered(resource_id)
    is_shared = is_part and registered_before is not None and registered_before.kind is ActionKind.RETRIEVAL
    if is_shared:  # the retrievers of one engine are one source, though not each takes the same arguments
        names |= set(halo.get_argument_names(resource_id) or ())
    schema = {"properties": {key: {"type": _ARGUMENT_TYPES.get(key, "string")} for key in sorted(names)}}
    registered = halo.register(ActionKind.RETRIEVAL, resource_id, resource=resource, schema=schema, replaces=is_shared)
    refuse_overridden_attributes(retriever, (*RETRIEVE_METHODS, *TABLE_METHODS), OVERRIDE_REMEDY)
    guarded: BaseRetriever = copy_original(retriever)
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(retriever)))
    surface = guard.surface if guard is not None and guard.halo is halo and labels is None else None
    attach_guard(
        guarded, GuardMetadata(halo, retriever, resource_id, registered, surface or make_documents_surface(labels))
    )
    return guarded


class Retrieval(LlamaIndexAction, GuardedAction):
    """One retrieval of a guarded retriever; the hook called by its public method runs under the same decision."""

    inner_scope: InnerScope | None = None

    def __init__(self, method: Callable[..., Any], name: str, retriever: Any, *args: Any, **kwargs: Any) -> None:
        self.method, self.retriever = method, retriever
        self.query = args[0] if args else kwargs["query_bundle" if name.startswith("_") else "str_or_query_bundle"]
        self.prepared = _PreparedRetrieval.from_query(retriever, self.query)
        guard = self.find_guard(retriever)
        surface: Surface[Any] = make_table_surface(guard.surface) if name in TABLE_METHODS else guard.surface
        super().__init__(guard, self.prepared.decided, surface, allows_reentry=True)

    def find_guard(self, retriever: Any) -> GuardMetadata:
        """The guard of the retriever."""
        return require_guard(retriever)

    def build_call(self) -> Call:
        return with_problem(self.halo.build_call(self.guard.resource, self.arguments), self.prepared.problem)

    def prepare(self, ticket: Ticket) -> Mapping[str, Any]:
        """Limit the retriever, and change the query, as decided."""
        self.retriever, self.query = _apply_obligations(self.retriever, ticket, self.prepared)
        return ticket.args if is_enforced(ticket) else self.arguments

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        ((variable, scope),) = engine_values(self.halo, self.guard.resource)
        self.inner_scope = scope = replace(scope, owner=self.retriever)
        return *body_values(), (variable, scope)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  its arguments are in place
        return self.method(self.retriever, self.query)

    def finish(self, ticket: Ticket, result: Any) -> Any:
        """Like `GuardedAction`, of no more documents than were allowed.

        Raises:
            BaseException: something that the retriever needed was denied, or waits.
        """
        raise_inner_error(self.inner_scope)
        if self.outer_call is None and self.reentrant_call is not None:
            result = _limit_documents(self.reentrant_call.get_unrestricted(result), ticket)
        return super().finish(ticket, result)


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    members = make_governed_methods(kind, (*RETRIEVE_METHODS, *TABLE_METHODS), Retrieval)

    def wrap_object_entry(name: str) -> Callable[..., Any]:
        function = getattr(kind, name)

        @functools.wraps(function)
        def from_object(self: Any, obj: Any, *args: Any, **kwargs: Any) -> Any:
            # Documents of whatever it enters come out of the public method; a query engine asks a model too.
            return function(self, require_guard(self).halo.guard_entered_object(self, obj), *args, **kwargs)

        return from_object

    members |= {name: wrap_object_entry(name) for name in ("_retrieve_from_object", "_aretrieve_from_object")}
    return make_spanless_subclass(kind, members)
