"""Guarded retrievers: copies whose retrievals are decided, limited and filtered.

The trust of a document comes from the registration of its retriever. The document's own metadata is not believed.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import ensure_config

from halo_core.enforcement.arguments import same_value, to_json_value
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import run_step
from halo_core.enforcement.guarded_calls import GuardedAction, is_enforced, make_governed_method, with_problem
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    choose_resource_id,
    get_guard,
    make_named_subclass,
    overrides_entry_point,
    require_guard,
)
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import Denied
from halo_core.model import ActionKind, Resource
from halo_core.quick_dataclass import dataclass
from halo_langchain._pause import LangChainAction
from halo_langchain._results import Labels, make_documents_surface
from halo_langchain._runs import RunClaim, body_values, current_claim, ensure_run_id, entry_scope, get_or_create_claim
from halo_langchain._translate import FRAMEWORK, read_any_attribute, refuse_overridden_entry_points, retriever_schema

if TYPE_CHECKING:
    from halo_langchain import Halo

_GUARDED_ENTRY_POINTS: Final = ("invoke", "ainvoke", "_get_relevant_documents", "_aget_relevant_documents")
_UNGUARDED_ENTRY_POINTS: Final = ("batch", "abatch", "stream", "astream")
_FRAMEWORK_ARGUMENTS: Final = ("run_id", "verbose")


def guard_retriever(
    halo: Halo, retriever: BaseRetriever, resource: Resource | None, labels: Labels | None = None
) -> BaseRetriever:
    """Register a retriever and return its guarded copy; `labels` adds to the labels found in its documents.

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
        "guard the retrievers that it holds, or what that method calls",
    )
    name = choose_resource_id(resource, retriever.get_name())
    schema = retriever_schema(retriever, _prepare_retrieval(retriever, "", {}).decided_arguments)
    registered = halo.register(ActionKind.RETRIEVAL, name, resource=resource, schema=schema)
    halo.first_seen.note_guarded_retriever(registered.id, retriever)
    earlier_surface = guard.surface if guard is not None and guard.halo is halo and labels is None else None
    return copy_retriever_with_guard(halo, retriever, registered, earlier_surface or make_documents_surface(labels))


def copy_retriever_with_guard(
    halo: Halo, retriever: BaseRetriever, resource: Resource, surface: Surface[Any] | None = None
) -> BaseRetriever:
    """A guarded copy, decided as this resource; registers nothing."""
    guarded = retriever.model_copy()
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(retriever)))
    documents_surface = surface or make_documents_surface()
    attach_guard(guarded, GuardMetadata(halo, retriever, retriever.get_name(), resource, documents_surface))
    return guarded


@dataclass(frozen=True, slots=True)
class _PreparedRetrieval:
    """One retrieval: what is decided, and what is passed on (a private copy)."""

    decided_arguments: dict[str, Any]
    query: Any
    extra_arguments: dict[str, Any]
    manager_argument: dict[str, Any]
    problem: str = ""


def _prepare_retrieval(retriever: BaseRetriever, query: Any, kwargs: Mapping[str, Any]) -> _PreparedRetrieval:
    """The query, the number of documents if the retriever states it, and the caller's other arguments."""
    manager_argument = {"run_manager": kwargs["run_manager"]} if "run_manager" in kwargs else {}
    extra_arguments = {name: value for name, value in kwargs.items() if name != "run_manager"}
    settings = read_any_attribute(retriever, "search_kwargs")
    k = settings.get("k") if isinstance(settings, Mapping) else read_any_attribute(retriever, "k")
    limit_argument = {"k": k} if isinstance(k, int) and not isinstance(k, bool) else {}
    arguments: dict[str, Any] = {}
    problem = ""
    try:
        query, extra_arguments = copy.deepcopy((query, extra_arguments))
        arguments = {"query": to_json_value(query), **limit_argument}
        arguments |= {name: to_json_value(value) for name, value in extra_arguments.items()}
    except RecursionError:
        arguments, problem = {}, "arguments_too_large"
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        arguments, problem = {}, "invalid_arguments"
    return _PreparedRetrieval(arguments, query, extra_arguments, manager_argument, problem)


class _RetrievalCall(LangChainAction, GuardedAction):
    """One retrieval: by the method behind all entry points, or by an overridden entry point.

    Args:
        retriever: the guarded retriever.
        method: the method as its class defines it.
        query: query of the call.
        kwargs: keyword arguments of the call.
        allows_reentry: see `GuardedAction`.
    """

    def __init__(
        self,
        retriever: BaseRetriever,
        method: Callable[..., Any],
        query: Any,
        kwargs: Mapping[str, Any],
        *,
        allows_reentry: bool = False,
    ) -> None:
        self.retriever = retriever
        self.method = method
        self.prepared = _prepare_retrieval(retriever, query, kwargs)
        self.query, self.extra_arguments = self.prepared.query, self.prepared.extra_arguments
        super().__init__(require_guard(retriever), self.prepared.decided_arguments, allows_reentry=allows_reentry)
        if self.outer_call is None:
            call = self.halo.build_call(self.guard.resource, self.arguments)
            self.call = with_problem(call, self.prepared.problem)

    def build_call(self) -> Call:
        """The call to decide; nothing else decides this run."""
        claim = current_claim(self.halo, "retriever", "")
        if claim is not None:
            claim.decided = True
        return super().build_call()

    def prepare(self, ticket: Ticket) -> Mapping[str, Any]:
        """The retriever, query and keyword arguments to run with."""
        if not is_enforced(ticket):
            return self.arguments
        changed = {
            name: value for name, value in ticket.args.items() if not same_value(value, self.arguments.get(name))
        }
        self.query = changed.pop("query", self.query)
        self.extra_arguments = {name: changed.pop(name, value) for name, value in self.extra_arguments.items()}
        if "k" in ticket.args and "k" not in self.extra_arguments:
            # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
            k = changed.pop("k", ticket.args["k"])
            settings = read_any_attribute(self.retriever, "search_kwargs")
            update = {"search_kwargs": {**settings, "k": k}} if isinstance(settings, Mapping) else {"k": k}
            self.retriever = self.retriever.model_copy(update=update)
        if changed:
            raise Denied("needs_guard", f"cannot restrict {', '.join(sorted(changed))} of a retrieval")
        return ticket.args

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Like `GuardedAction`; marks the body of a decided action."""
        return body_values(self.guard)

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  its arguments are in place
        """Retrieve."""
        return self.method(self.retriever, self.query, **self.prepared.manager_argument, **self.extra_arguments)


class _OverriddenEntryCall(_RetrievalCall):
    """A retrieval by an overridden entry point, which may or may not reach the method behind it.

    Args:
        claim: claim of the run that it may start.
        retriever: the guarded retriever.
        method: the entry point, as its class has it.
        query: query of the call.
        config: its configuration.
        kwargs: as it was called; what of them is the framework's is not decided.
    """

    def __init__(
        self, claim: RunClaim, retriever: Any, method: Callable[..., Any], query: Any, config: Any, /, **kwargs: Any
    ) -> None:
        self.config = config
        self.claim = claim
        self.framework_arguments = {name: kwargs[name] for name in _FRAMEWORK_ARGUMENTS if name in kwargs}
        own_arguments = {name: value for name, value in kwargs.items() if name not in _FRAMEWORK_ARGUMENTS}
        super().__init__(retriever, method, query, own_arguments, allows_reentry=True)

    def select_inner_arguments(self, executed: Mapping[str, Any]) -> Mapping[str, Any]:
        """The arguments that the framework passes on to the method behind the entry point."""
        takes_all = self.retriever._expects_other_args  # noqa: SLF001  as the framework does it
        return {name: value for name, value in executed.items() if takes_all or name in {"query", "k"}}

    def context_values(self) -> tuple[tuple[ContextVar[Any], Any], ...]:
        """Like `_RetrievalCall`; the entry point may still start the run."""
        return body_values(self.guard, self.claim)

    def execute(self, ticket: Ticket) -> Any:
        """Retrieve without callbacks, which would see documents before they are restricted."""
        config = {**ensure_config(self.config), "callbacks": []} if ticket.holds_output else self.config
        self.claim.source = self.retriever  # which may be a copy with narrower settings
        return self.method(self.retriever, self.query, config, **self.framework_arguments, **self.extra_arguments)


@functools.lru_cache(maxsize=256)
def _make_guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    members: dict[str, Any] = {}
    for prefix, is_async in (("", False), ("a", True)):
        entry_name, inner_name = f"{prefix}invoke", f"_{prefix}get_relevant_documents"
        members[entry_name] = _wrap_entry_point(kind, entry_name, is_async=is_async)
        members[inner_name] = _wrap_method(kind, inner_name, is_async=is_async)
    guarded_class: type[BaseRetriever] = make_named_subclass(kind, members)
    return guarded_class


def _wrap_entry_point(kind: type[Any], name: str, *, is_async: bool) -> Callable[..., Any]:
    original, is_overridden = getattr(kind, name), overrides_entry_point(kind, name, FRAMEWORK)

    def steps(self: Any, input: str, config: Any = None, **kwargs: Any) -> Steps[Any]:  # noqa: A002  the framework's name
        run_id = None if is_overridden else ensure_run_id(kwargs)
        claim = get_or_create_claim(require_guard(self).halo, "retriever", run_id=run_id)
        with entry_scope(claim, config, starts_at_once=not is_overridden):
            if not is_overridden:
                return (yield (functools.partial(original, self, input, config, **kwargs),))
            return (yield run_step(_OverriddenEntryCall(claim, self, original, input, config, **kwargs)))

    return make_method(original, steps, is_async=is_async)


def _wrap_method(kind: type[Any], name: str, *, is_async: bool) -> Callable[..., Any]:
    """Wrapper of the method behind all entry points; the asynchronous one may call the synchronous one."""
    original = getattr(kind, name)

    def make_call(self: Any, query: str, **kwargs: Any) -> _RetrievalCall:
        return _RetrievalCall(self, original, query, kwargs, allows_reentry=is_async)

    return make_governed_method(original, make_call, is_async=is_async)
