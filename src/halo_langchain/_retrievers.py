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

from halo_core.enforcement import Call, Ticket
from halo_core.enforcement.arguments import same_value, to_json_value
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    choose_resource_id,
    get_guard,
    make_named_subclass,
    require_guard,
)
from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_langchain._pause import abegin_or_pause, begin_or_pause, finish_failed
from halo_langchain._results import Labels, make_documents_surface
from halo_langchain._runs import (
    ReentrantCall,
    RunClaim,
    claim_scope,
    current_claim,
    current_reentrant_call,
    ensure_run_id,
    entry_scope,
    get_or_create_claim,
    make_reentrant_call,
    reentrant_body_scope,
)
from halo_langchain._translate import overrides_entry_point, refuse_overridden_entry_points, retriever_schema

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["guard_retriever"]

_GUARDED_ENTRY_POINTS: Final = ("invoke", "ainvoke", "_get_relevant_documents", "_aget_relevant_documents")
_UNGUARDED_ENTRY_POINTS: Final = ("batch", "abatch", "stream", "astream")


def guard_retriever(
    halo: Halo, retriever: BaseRetriever, resource: Resource | None, labels: Labels | None = None
) -> BaseRetriever:
    """Register a retriever and return its guarded copy; `labels` adds to what its documents are found to hold.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind; or its class has an entry point
            of its own that cannot be decided.
    """
    guard = get_guard(retriever)
    if guard is not None and guard.halo is halo:
        if resource is None and labels is None:
            return retriever
        retriever, resource = guard.original, resource or guard.resource
    refuse_overridden_entry_points(
        retriever,
        _GUARDED_ENTRY_POINTS,
        _UNGUARDED_ENTRY_POINTS,
        "guard its inner retrievers, or the objects that this method calls",
    )
    name = choose_resource_id(resource, retriever.get_name())
    schema = retriever_schema(retriever, _prepare_retrieval(retriever, "", {}).decided_arguments)
    registered = halo.register(ActionKind.RETRIEVAL, name, resource=resource, schema=schema)
    guarded = retriever.model_copy()
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(retriever)))
    earlier_surface = guard.surface if guard is not None and guard.halo is halo and labels is None else None
    surface = earlier_surface or make_documents_surface(labels)
    attach_guard(guarded, GuardMetadata(halo, retriever, retriever.get_name(), registered, surface))
    return guarded


@dataclass(frozen=True, slots=True)
class _PreparedRetrieval:
    """One retrieval: what is decided, and what is passed on (nobody else holds it)."""

    decided_arguments: dict[str, Any]
    query: Any
    extra_arguments: dict[str, Any]
    manager_argument: dict[str, Any]
    problem: str = ""


def _prepare_retrieval(retriever: BaseRetriever, query: Any, kwargs: Mapping[str, Any]) -> _PreparedRetrieval:
    """Query, how many documents where the retriever says it, and what else the caller passed."""
    manager_argument = {"run_manager": kwargs["run_manager"]} if "run_manager" in kwargs else {}
    extra_arguments = {name: value for name, value in kwargs.items() if name != "run_manager"}
    settings = getattr(retriever, "search_kwargs", None)
    k = settings.get("k") if isinstance(settings, Mapping) else getattr(retriever, "k", None)
    limit_argument = {"k": k} if isinstance(k, int) and not isinstance(k, bool) else {}
    try:
        query, extra_arguments = copy.deepcopy((query, extra_arguments))
        return _PreparedRetrieval(
            {
                "query": to_json_value(query),
                **limit_argument,
                **{n: to_json_value(v) for n, v in extra_arguments.items()},
            },
            query,
            extra_arguments,
            manager_argument,
        )
    except RecursionError:
        return _PreparedRetrieval({}, query, extra_arguments, manager_argument, "arguments_too_large")
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return _PreparedRetrieval({}, query, extra_arguments, manager_argument, "invalid_arguments")


def _build_call(guard: GuardMetadata, prepared: _PreparedRetrieval) -> Call:
    claim = current_claim(guard.halo, "retriever", "")
    if claim is not None:
        claim.decided = True
    call: Call = guard.halo.build_call(guard.resource, prepared.decided_arguments)
    return replace(call, problem=prepared.problem) if prepared.problem else call


def _apply_obligations(
    retriever: BaseRetriever, ticket: Ticket, prepared: _PreparedRetrieval
) -> tuple[BaseRetriever, Any, dict[str, Any]]:
    """The retriever, query and keyword arguments that carry out what was decided."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, prepared.query, prepared.extra_arguments
    changed = {
        name: value
        for name, value in ticket.args.items()
        if not same_value(value, prepared.decided_arguments.get(name))
    }
    query = changed.pop("query", prepared.query)
    extra = {name: changed.pop(name, value) for name, value in prepared.extra_arguments.items()}
    if "k" in ticket.args and "k" not in extra:
        # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
        k = changed.pop("k", ticket.args["k"])
        settings = getattr(retriever, "search_kwargs", None)
        update = {"search_kwargs": {**settings, "k": k}} if isinstance(settings, Mapping) else {"k": k}
        retriever = retriever.model_copy(update=update)
    if changed:
        raise Denied("needs_guard", f"cannot restrict {', '.join(sorted(changed))} of a retrieval")
    return retriever, query, extra


@dataclass(frozen=True, slots=True)
class _OverriddenEntry:
    """An entry point that a class has made anew, as it was called: nobody knows whether it comes to the hook.

    Args:
        method: what the class has made.
        config: its configuration.
        framework_arguments: keyword arguments of the framework's.
        claim: of the run that it may start.
    """

    method: Callable[..., Any]
    config: Any
    framework_arguments: Mapping[str, Any]
    claim: RunClaim

    def bind_method(self, ticket: Ticket) -> Callable[..., Any]:
        """The method, under a configuration in which nobody is told what has yet to be restricted."""
        config = {**ensure_config(self.config), "callbacks": []} if ticket.holds_output else self.config
        return lambda retriever, query, **extra: self.method(
            retriever, query, config, **self.framework_arguments, **extra
        )

    def select_hook_arguments(self, guarded: Any, args: Mapping[str, Any]) -> dict[str, Any]:
        """What of these arguments the framework hands on to the hook."""
        return {name: v for name, v in args.items() if guarded._expects_other_args or name in {"query", "k"}}  # noqa: SLF001


def _make_reentrant_call(
    guard: GuardMetadata, guarded: Any, prepared: _PreparedRetrieval, ticket: Ticket, entry: _OverriddenEntry | None
) -> ReentrantCall:
    is_decided = ticket.verdict is not None and ticket.verdict.mode is not Mode.OBSERVE
    args = ticket.args if is_decided else prepared.decided_arguments
    return make_reentrant_call(guard, entry.select_hook_arguments(guarded, args) if entry is not None else args, ticket)


def _run_retrieval(
    guarded: BaseRetriever,
    get: Callable[..., Any],
    guard: GuardMetadata,
    prepared: _PreparedRetrieval,
    entry: Any = None,
) -> Any:
    """Decide a retrieval, run it, record it."""
    ticket = begin_or_pause(guard.halo, _build_call(guard, prepared))
    reentrant_call = _make_reentrant_call(guard, guarded, prepared, ticket, entry)
    reentrant_call.is_open = entry is not None
    try:
        retriever, query, passed = _apply_obligations(guarded, ticket, prepared)
        with reentrant_body_scope(reentrant_call), claim_scope(entry.claim if entry is not None else None):
            documents = (entry.quiet(ticket) if entry is not None else get)(
                retriever, query, **prepared.manager_argument, **passed
            )
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(reentrant_call.get_unrestricted(documents), guard.surface)
    raise failed


async def _arun_retrieval(
    guarded: BaseRetriever,
    aget: Callable[..., Awaitable[Any]],
    guard: GuardMetadata,
    prepared: _PreparedRetrieval,
    entry: Any = None,
) -> Any:
    """As `_found`, for a coroutine function."""
    ticket = await abegin_or_pause(guard.halo, _build_call(guard, prepared))
    reentrant_call = _make_reentrant_call(guard, guarded, prepared, ticket, entry)
    try:
        retriever, query, passed = _apply_obligations(guarded, ticket, prepared)
        with reentrant_body_scope(reentrant_call), claim_scope(entry.claim if entry is not None else None):
            method = entry.quiet(ticket) if entry is not None else aget
            documents = await method(retriever, query, **prepared.manager_argument, **passed)
    except BaseException as exc:
        failed = finish_failed(ticket, reentrant_call.get_unrestricted(exc))
        if failed is exc:
            raise
    else:
        return ticket.succeed(reentrant_call.get_unrestricted(documents), guard.surface)
    raise failed


def _make_overridden_entry(
    method: Callable[..., Any], claim: RunClaim, config: Any, kwargs: dict[str, Any]
) -> _OverriddenEntry:
    """Take from the arguments of an own entry point what is the framework's."""
    framework_arguments: dict[str, Any] = {name: kwargs.pop(name) for name in ("run_id", "verbose") if name in kwargs}
    return _OverriddenEntry(method, config, framework_arguments, claim)


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    get, aget = kind._get_relevant_documents, kind._aget_relevant_documents  # noqa: SLF001  the hooks of a retriever
    overridden = {name: overrides_entry_point(kind, name) for name in ("invoke", "ainvoke")}

    def invoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        guard = require_guard(self)
        claim = get_or_create_claim(
            guard.halo, "retriever", run_id=None if overridden["invoke"] else ensure_run_id(kwargs)
        )
        with entry_scope(claim, config):
            if not overridden["invoke"]:
                return kind.invoke(self, input, config, **kwargs)
            entry = _make_overridden_entry(kind.invoke, claim, config, kwargs)
            prepared = _prepare_retrieval(self, input, kwargs)
            outer_call = current_reentrant_call(guard, prepared.decided_arguments)
            if outer_call is None:
                return _run_retrieval(self, get, guard, prepared, entry)
            with (
                reentrant_body_scope(_make_reentrant_call(guard, self, prepared, outer_call.ticket, entry)),
                claim_scope(claim),
            ):
                return outer_call.run(lambda: kind.invoke(self, input, config, **entry.framework_arguments, **kwargs))

    async def ainvoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        guard = require_guard(self)
        claim = get_or_create_claim(
            guard.halo, "retriever", run_id=None if overridden["ainvoke"] else ensure_run_id(kwargs)
        )
        with entry_scope(claim, config):
            if not overridden["ainvoke"]:
                return await kind.ainvoke(self, input, config, **kwargs)
            entry = _make_overridden_entry(kind.ainvoke, claim, config, kwargs)
            return await _arun_retrieval(self, aget, guard, _prepare_retrieval(self, input, kwargs), entry)

    @functools.wraps(get)
    def _get(self: Any, query: str, **kwargs: Any) -> Any:
        guard, prepared = require_guard(self), _prepare_retrieval(self, query, kwargs)
        if (reentrant_call := current_reentrant_call(guard, prepared.decided_arguments)) is not None:
            return reentrant_call.run(lambda: get(self, query, **kwargs))
        return _run_retrieval(self, get, guard, prepared)

    @functools.wraps(aget)
    async def _aget(self: Any, query: str, **kwargs: Any) -> Any:
        guard, prepared = require_guard(self), _prepare_retrieval(self, query, kwargs)
        if (reentrant_call := current_reentrant_call(guard, prepared.decided_arguments)) is None:
            return await _arun_retrieval(self, aget, guard, prepared)
        with reentrant_body_scope(_make_reentrant_call(guard, self, prepared, reentrant_call.ticket, None)):
            return await reentrant_call.arun(lambda: aget(self, query, **kwargs))

    members = {
        "invoke": functools.wraps(kind.invoke)(invoke),
        "ainvoke": functools.wraps(kind.ainvoke)(ainvoke),
        "_get_relevant_documents": _get,
        "_aget_relevant_documents": _aget,
    }
    guarded_class: type[BaseRetriever] = make_named_subclass(kind, members)
    return guarded_class
