"""Decision models: models that classify (`langchain_core.decisions`), which LangChain runs as chains.

No callback is invoked when such a model is asked, so the entry points of the class are wrapped. Inside something
guarded, and in a chain under a `halo.callback()`, a call of an unguarded decision model is decided as a model call
under the model's own name, with its input as the prompt. `halo.guard(classifier)` returns a copy whose calls are always
decided.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, cast

from langchain_core.messages import BaseMessage, HumanMessage
from pydantic import BaseModel

from halo_core.enforcement.class_hooks import watch_classes, wrap_methods
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import run_step
from halo_core.enforcement.guards import (
    GuardMetadata,
    attach_guard,
    choose_model_name,
    get_guard,
    make_named_subclass,
    refuse_other_halo,
    require_guard,
)
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.enforcement.stand_ins import make_stand_in
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import ConfigError, Denied
from halo_langchain._history import read_message
from halo_langchain._model_calls import build_inference_call
from halo_langchain._model_fields import ModelFacts
from halo_langchain._pause import LangChainAction
from halo_langchain._runs import body_values

try:
    from langchain_core.decisions import BaseDecisionModel
except ImportError:  # an older LangChain
    BaseDecisionModel = None  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from halo_core.model import Resource
    from halo_langchain import Halo

DECISION_MODELS: Final[tuple[type[Any], ...]] = () if BaseDecisionModel is None else (BaseDecisionModel,)
"""The class of such models; none in an older LangChain."""
_ENTRY_POINTS: Final = ("invoke", "ainvoke")
_MAX_DEPTH: Final = 16
UNGUARDED_OBSERVERS: Final[list[Callable[[str], None]]] = []
"""Told the name of a decision model that nothing decides; may refuse it by raising."""


def _write_answers(response: Any) -> str:
    return response.model_dump_json() if isinstance(response, BaseModel) else str(response)


_SURFACE: Final[Surface[Any]] = Surface(_write_answers)


class _DecisionModelCall(LangChainAction):
    """One request to a decision model; a private copy is sent."""

    def __init__(self, guard: GuardMetadata, function: Callable[..., Any], request: Any) -> None:
        self.halo = guard.halo
        self.guard = guard
        self.function = function
        self.request = copy.deepcopy(request)
        model = guard.original
        call = build_inference_call(
            guard.halo,
            guard.name,
            [read_message(message) for message in _list_messages(self.request)],
            None,
            resource=guard.resource,
            facts=ModelFacts(str(getattr(model, "_provider", "")), str(model.model), {}),
        )
        super().__init__(guard.halo.enforcer, call, _SURFACE)

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  as `GovernedAction`
        """The scope of its body: calls inside belong to a decided action."""
        return ContextVarScope(*body_values(self.guard))

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  nothing narrows a prompt
        """Ask the model."""
        return self.function(self.request)


def _list_messages(request: Any) -> list[BaseMessage]:
    """The messages in a request, at any depth, and everything else as one prompt composed by code."""
    messages: list[BaseMessage] = []
    rest = _take_messages(request, messages, _MAX_DEPTH)
    return [*messages, HumanMessage(str(rest), name="prompt")]


def _take_messages(value: Any, found: list[BaseMessage], depth: int) -> Any:
    """A value without its messages, which are moved to `found`."""
    if isinstance(value, BaseMessage):
        found.append(value)
        return value.type
    if depth > 0 and isinstance(value, Mapping):
        return {key: _take_messages(item, found, depth - 1) for key, item in value.items()}
    if depth > 0 and isinstance(value, list | tuple):
        return [_take_messages(item, found, depth - 1) for item in value]
    return value


def is_decision_model(obj: Any) -> bool:
    """Whether `guard_decision_model` accepts it."""
    return isinstance(obj, DECISION_MODELS)


def guard_decision_model(halo: Halo, model: Any, resource: Resource | None, *, is_seen: bool = False) -> Any:
    """Register a decision model and return its guarded copy.

    Args:
        halo: who decides.
        model: the model to guard.
        resource: what it is; guessed where not given.
        is_seen: whether nobody asked for it: it was met as it was asked.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind, or another `Halo` guards it.
    """
    guard = get_guard(model)
    refuse_other_halo(halo, guard, "model")
    if guard is not None:
        if resource is None:
            return model
        model = guard.original
    name = choose_model_name(model)
    registered = halo.register_seen_model(name) if is_seen else halo.register_model(name, resource)
    guarded, kind = model.model_copy(), cast("Any", type(model))
    object.__setattr__(guarded, "__class__", _make_guarded_class(kind))
    attach_guard(guarded, GuardMetadata(halo, model, name, registered, _SURFACE))
    return guarded


@functools.lru_cache(maxsize=64)
def _make_guarded_class(kind: Any) -> type[Any]:
    return make_named_subclass(kind, {name: _decide_method(kind, name) for name in _ENTRY_POINTS})


def _decide_method(kind: type[Any], name: str) -> Callable[..., Any]:
    original = getattr(kind, name)

    def steps(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Steps[Any]:  # noqa: A002  the framework's name
        def ask(request: Any) -> Any:
            return original(self, request, config, **kwargs)

        return (yield run_step(_DecisionModelCall(require_guard(self), ask, input)))

    return make_method(original, steps, is_async=name.startswith("a"))


# those that nobody guarded


@functools.cache
def watch_decision_models(find_halo: Callable[[Any], Any]) -> None:
    """Decide unguarded decision models if `find_halo` returns a Halo; installed once for the process."""
    if BaseDecisionModel is None:
        return

    def watch(kind: type[Any]) -> None:
        wrap_methods(kind, _ENTRY_POINTS, lambda method, name: _watch_method(method, name, find_halo))

    watch_classes(BaseDecisionModel, watch)


def _watch_method(method: Callable[..., Any], name: str, find_halo: Callable[[Any], Any]) -> Callable[..., Any]:
    def ask(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        if get_guard(self) is not None:
            return method(self, input, config, **kwargs)
        halo = find_halo(config)
        if halo is not None:
            return getattr(_guard_started_model(halo, self), name)(input, config, **kwargs)
        for observe in UNGUARDED_OBSERVERS:
            observe(choose_model_name(self))
        return method(self, input, config, **kwargs)

    return make_stand_in(method, ask)


def _guard_started_model(halo: Halo, model: Any) -> Any:
    try:
        return guard_decision_model(halo, model, None, is_seen=True)
    except ConfigError as error:
        raise Denied("needs_guard", error.message, remedy=error.remedy) from error
