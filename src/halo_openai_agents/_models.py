"""Guarded models of the Agents SDK: copies and providers, and their calls as actions of the one flow.

A call is decided on the number of messages and on the tools that the model may ask for. Tool calls in the answer that
reach no tool are decided, and so recorded, at once: the SDK answers them with an error. Events of a stream are passed
on as they arrive. If an obligation may change the answer, none is passed on before all of it was read.

A copy is of its original's class and shares its state. Only `get_response` and `stream_response` differ: they are
decided before anything is sent.
"""

from __future__ import annotations

import copy
import functools
import inspect
import itertools
import json
import re
import time
import types
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, ClassVar, Final
from weakref import WeakKeyDictionary

from agents import Model, ModelProvider, ModelResponse, ModelTracing
from agents.usage import Usage
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseContentPartAddedEvent,
    ResponseContentPartDoneEvent,
    ResponseCreatedEvent,
    ResponseFunctionCallArgumentsDeltaEvent,
    ResponseFunctionCallArgumentsDoneEvent,
    ResponseFunctionToolCall,
    ResponseOutputItemAddedEvent,
    ResponseOutputItemDoneEvent,
    ResponseOutputMessage,
    ResponseOutputRefusal,
    ResponseOutputText,
    ResponseTextDeltaEvent,
    ResponseTextDoneEvent,
)

from halo_core.enforcement.activities import note_answer
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, GovernedStream, arun, govern_stream
from halo_core.enforcement.guarded_calls import UnreachableCall, make_governed_method
from halo_core.enforcement.guards import (
    GuardMetadata,
    choose_model_name,
    make_named_subclass,
    make_unregistered_resource,
    refuse_other_halo,
)
from halo_core.enforcement.mcp_listings import list_foreign_texts
from halo_core.enforcement.model_inputs import Message, ModelInput, SchemaTexts, select_parameters
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.enforcement.steps import astream
from halo_core.errors import Denied
from halo_core.model import ActionKind, Resource
from halo_core.model_requests import judge_model_fields
from halo_openai_agents._history import (
    RunInput,
    find_asking_message,
    find_known_origins,
    list_history,
    list_session_link,
    read_answer,
)
from halo_openai_agents._items import ReadItem, count_messages, read_items
from halo_openai_agents._requests import describe_offered_tool, read_request_fields
from halo_openai_agents._results import (
    get_function_calls,
    identify_turn,
    make_model_surface,
    to_input_items,
)
from halo_openai_agents._runs import AgentRun, current_run, step_scope
from halo_openai_agents._translate import (
    GUARD_ATTRIBUTE,
    find_guard,
    native_names,
    tool_names,
)

if TYPE_CHECKING:
    from halo_openai_agents import Halo


_SIGNATURE: Final = inspect.signature(Model.get_response)
_OBJECT_NAME: Final = next(iter(_SIGNATURE.parameters))
_ALL_NAMES: Final = _SIGNATURE.parameters.keys() - {_OBJECT_NAME}
_ABILITIES: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it; a call that has to wait ends its run."""
_STRUCTURED_ANSWER_TOOL: Final = "json_tool_call"  # the SDK's, of providers that answer in a shape by calling a tool
_TOOL_SCHEMAS: Final = SchemaTexts(describe_offered_tool)
_NO_SUCH_TOOL: Final = LookupError("no such tool")


# What a model's object has in the place of its class's method runs as part of a call that was decided.
_REPLACED: Final[ContextVar[Model | None]] = ContextVar("halo_openai_replaced", default=None)


def is_called_by_its_replacement(model: Model) -> bool:
    """Whether a decided call reaches the class's method through its replacement on the object."""
    return _REPLACED.get() is model


def _bind_values(model: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a model's method by name, its object among them."""
    if not args and kwargs.keys() == _ALL_NAMES:  # as the SDK calls it
        return {_OBJECT_NAME: model, **kwargs}
    return dict(_SIGNATURE.bind(model, *args, **kwargs).arguments)


class ModelAction(GovernedAction[Any]):
    """A call of a model, streamed or not; `function` is the original's method."""

    method_name: ClassVar[str]

    def __init__(
        self,
        guard: GuardMetadata,
        function: Callable[..., Any],
        model: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> None:
        super().__init__(guard.halo.enforcer, None, guard.surface)
        self.guard = guard
        self.function = function
        self.model = model
        self.values = values = _bind_values(model, args, kwargs)
        model_input = values.get("input")
        # Nobody else holds the list that is decided and sent.
        values["input"] = list(model_input) if isinstance(model_input, list) else model_input
        self.items = to_input_items(values["input"])
        self.tools = list(values.get("tools") or ())
        self.handoffs = list(values.get("handoffs") or ())
        self.run: AgentRun | None = None

    @property
    def replacement(self) -> Callable[..., Any] | None:
        """The replacement that the model's object has for its class's method, such as a patch."""
        method: Callable[..., Any] | None = self.model.__dict__.get(self.method_name)
        return method

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """A scope in which the replaced method, called by its replacement, belongs to this call."""
        if self.replacement is None:
            return super().scope(ticket)
        return ContextVarScope((_REPLACED, self.guard.original))

    def build_call(self) -> Call:
        """The call to decide; offering tools that cannot be guarded is a problem."""
        halo, system = self.guard.halo, self.values.get("system_instructions")
        items = read_items(self.items)
        names = tool_names(self.tools, self.handoffs)
        fields = read_request_fields(self.model, self.values, names)
        judged = judge_model_fields(fields, type(self.guard.original).__name__, names)
        args = {
            "messages": count_messages(items) + bool(system),
            "tools": names,
            **judged.to_arguments(),
        }
        self.run = run = current_run(halo)
        run_input = run.run_input if run is not None else RunInput.from_items(items)
        links = list_session_link(run.thread) if run is not None else ()
        shown_texts = find_known_origins(system, items, run_input)
        with step_scope(halo):
            call: Call = halo.build_call(
                self.guard.resource,
                args,
                problem=self._find_problem(),
                abilities=_ABILITIES,
                shown_texts=(*shown_texts, *list_foreign_texts(map(find_guard, self.tools))),
                history=(*list_history(items, run_input, self.values), *links),
                model=self._describe_input(items, fields),
                message=find_asking_message(self.items, run_input),
            )
        return call

    def _describe_input(self, items: Iterable[ReadItem], fields: Mapping[str, Any]) -> ModelInput:
        """The model's input, for the record."""
        system, kind = self.values.get("system_instructions"), type(self.guard.original)
        given = [Message("system", system)] if isinstance(system, str) and system else []
        given += [Message(*item.described) for item in items]
        schemas = tuple(map(_TOOL_SCHEMAS.describe, (*self.tools, *self.handoffs)))
        provider = "openai" if kind.__module__.startswith("agents.models.openai") else ""
        version, parameters = fields.get("model"), select_parameters(fields, kind.__name__)
        text = system if isinstance(system, str) else ""
        return ModelInput(given, text, schemas, provider, version if isinstance(version, str) else "", parameters)

    def _find_problem(self) -> str:
        return "needs_guard" if native_names(self.tools) else ""

    def execute(self, ticket: Ticket) -> Any:
        """Call the model; an answer that may be restricted is not sent to the SDK's traces."""
        values, tracing = self.values, self.values.get("tracing")
        if ticket.holds_output and isinstance(tracing, ModelTracing) and tracing.include_data():
            values = {**values, "tracing": ModelTracing.ENABLED_WITHOUT_DATA}
        if self.replacement is None:
            return self.function(**values)
        return self.replacement(**{name: value for name, value in values.items() if name != "self"})

    async def finish_answer(self, ticket: Ticket, answer: ModelResponse) -> ModelResponse:
        """Record an answer as the trigger of its calls, and record calls that reach no tool."""
        used: ModelResponse = GovernedAction.finish(self, ticket, answer)
        calls = get_function_calls(used)
        if self.run is not None:
            self.run.turn_id, self.run.turn_text = identify_turn(used, self.items)
            note_answer(self.run.turn_id)
            self.run.handoff_call_ids = {item.name: item.call_id for item in reversed(calls)}
        callable_names = self._get_callable_names()
        for item in calls:
            names = {item.name, f"{item.namespace}.{item.name}" if getattr(item, "namespace", None) else item.name}
            if not names & callable_names:
                await self._record_unknown_call(item)
        return used

    def _get_callable_names(self) -> frozenset[str]:
        """Names that the model may call."""
        qualified_names = (getattr(tool, "qualified_name", "") for tool in self.tools)
        is_structured = self.values.get("output_schema") is not None
        structured_answer = (_STRUCTURED_ANSWER_TOOL,) if is_structured else ()
        return frozenset((*tool_names(self.tools, self.handoffs), *qualified_names, *structured_answer))

    async def _record_unknown_call(self, item: ResponseFunctionToolCall) -> None:
        halo = self.guard.halo
        with step_scope(halo):
            call = halo.build_call(
                make_unregistered_resource(item.name, ActionKind.TOOL_CALL),
                _parse_arguments(item.arguments),
                call_id=item.call_id,
                problem="unknown_tool",
            )
        refusal = await arun(_UnknownCall(halo, call, _NO_SUCH_TOOL))
        if self.run is not None and refusal is not None:
            self.run.refusals[item.call_id] = refusal


class ModelCall(ModelAction):
    """A call of `get_response`."""

    method_name = "get_response"

    async def finish(self, ticket: Ticket, result: Any) -> ModelResponse:
        return await self.finish_answer(ticket, result)


class _UnknownCall(UnreachableCall):
    """A call of an unknown tool; the run tells the model why it is refused."""

    def return_denied(self, denied: Denied) -> str:
        return str(denied)


def _parse_arguments(text: str | None) -> dict[str, Any]:
    try:
        parsed = json.loads(text or "")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}


_WORD_PATTERN: Final = re.compile(r"\S+\s*")
_ENDING_EVENTS: Final = ("response.incomplete", "response.failed", "error", "response.error")


def build_response(answer: ModelResponse, model: str = "") -> Response:
    """Make a response object from an answer."""
    return Response(
        id=answer.response_id or "response",
        created_at=time.time(),
        model=model or "unknown",
        object="response",
        output=list(answer.output),
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        status="completed",
    )


def iter_events(response: Response) -> Iterator[Any]:
    """All events of a stream that delivers a response, its text word by word."""
    count = itertools.count().__next__
    empty_response = response.model_copy(update={"output": [], "status": "in_progress"})
    yield ResponseCreatedEvent(type="response.created", response=empty_response, sequence_number=count())
    for index, item in enumerate(response.output):
        place: dict[str, Any] = {"output_index": index, "sequence_number": count()}
        yield ResponseOutputItemAddedEvent(type="response.output_item.added", item=_strip_content(item), **place)
        if isinstance(item, ResponseFunctionToolCall):
            yield from _iter_call_events(item, index, count)
        elif isinstance(item, ResponseOutputMessage):
            for part_index, part in enumerate(item.content):
                part_place = {"item_id": item.id, "output_index": index, "content_index": part_index}
                yield from _iter_part_events(part, part_place, count)
        place = {"output_index": index, "sequence_number": count()}
        yield ResponseOutputItemDoneEvent(type="response.output_item.done", item=item, **place)
    yield ResponseCompletedEvent(type="response.completed", response=response, sequence_number=count())


def _strip_content(item: Any) -> Any:
    if isinstance(item, ResponseOutputMessage):
        return item.model_copy(update={"content": [], "status": "in_progress"})
    return item.model_copy(update={"arguments": ""}) if isinstance(item, ResponseFunctionToolCall) else item


def _iter_call_events(item: ResponseFunctionToolCall, index: int, count: Callable[[], int]) -> Iterator[Any]:
    place: dict[str, Any] = {"item_id": item.id or item.call_id, "output_index": index}
    yield ResponseFunctionCallArgumentsDeltaEvent(
        type="response.function_call_arguments.delta", delta=item.arguments, sequence_number=count(), **place
    )
    yield ResponseFunctionCallArgumentsDoneEvent(
        type="response.function_call_arguments.done", arguments=item.arguments, sequence_number=count(), **place
    )


def _iter_part_events(
    part: ResponseOutputText | ResponseOutputRefusal, place: dict[str, Any], count: Callable[[], int]
) -> Iterator[Any]:
    is_text = isinstance(part, ResponseOutputText)
    empty = part.model_copy(update={"text" if is_text else "refusal": ""})
    yield ResponseContentPartAddedEvent(
        type="response.content_part.added", part=empty, sequence_number=count(), **place
    )
    if isinstance(part, ResponseOutputText):
        for delta in _WORD_PATTERN.findall(part.text) or [part.text]:
            yield ResponseTextDeltaEvent(
                type="response.output_text.delta", delta=delta, logprobs=[], sequence_number=count(), **place
            )
        yield ResponseTextDoneEvent(
            type="response.output_text.done", text=part.text, logprobs=[], sequence_number=count(), **place
        )
    yield ResponseContentPartDoneEvent(type="response.content_part.done", part=part, sequence_number=count(), **place)


class ModelStream(ModelAction, GovernedStream):
    """A call of `stream_response`; its parts are the output items of the answer.

    A generator runs in the context of whoever asks for its next part, so its steps have no scope.
    """

    method_name = "stream_response"

    async def add_part(self, ticket: Ticket, part: Any) -> Any:
        """Return the part of an event that may be passed on now."""
        kind = str(getattr(part, "type", ""))
        if kind == "response.output_item.done":
            self.parts.append(part.item)
        if kind == "response.completed":
            self._is_recorded = True
            used = await self.finish_answer(ticket, _build_answer(part.response, self.parts))
            response = part.response.model_copy(update={"output": list(used.output)})
            return iter_events(response) if self.is_withheld else (part,)
        if not self.is_withheld:
            return (part,)
        return (_strip_output(part),) if kind in _ENDING_EVENTS else ()

    def finish_stream(self, ticket: Ticket) -> Any:
        """Record a stream that ended without an answer; the SDK reports that to the reader."""
        self._record(ticket)
        return ()

    def merge_parts(self) -> ModelResponse:
        return _build_answer(None, self.parts)


def _strip_output(event: Any) -> Any:
    """The event with which a stream broke off, without earlier output."""
    response = getattr(event, "response", None)
    if isinstance(response, Response):
        return event.model_copy(update={"response": response.model_copy(update={"output": []})})
    return event


def _build_answer(response: Response | None, items: list[Any]) -> ModelResponse:
    output = list(response.output) if response is not None and response.output else list(items)
    return ModelResponse(output=output, usage=Usage(), response_id=response.id if response is not None else None)


def guard_model(halo: Halo, model: Model, resource: Resource | None) -> Model:
    """Register a model and return its guarded copy.

    Raises:
        ConfigError: its name can name no resource, belongs to one of another kind, or another `Halo` guards it.
    """
    guard = find_guard(model)
    refuse_other_halo(halo, guard, "model")
    if guard is not None:
        if resource is None:
            return model
        model = guard.original
    name = choose_model_name(model)
    guard = GuardMetadata(halo, model, name, halo.register_model(name, resource), make_model_surface(halo, read_answer))
    guarded = copy.copy(model)
    object.__setattr__(guarded, "__class__", _make_guarded_class(type(model), guard))
    # What one opens (a connection), the other must be able to close.
    guarded.__dict__ = model.__dict__
    return guarded


def _make_guarded_class(kind: type[Model], guard: GuardMetadata) -> type[Model]:
    """Make a subclass in which `get_response` and `stream_response` are decided."""

    def make_call(self: Any, *args: Any, **kwargs: Any) -> ModelCall:
        return ModelCall(guard, kind.get_response, self, args, kwargs)

    @functools.wraps(kind.stream_response)
    def stream_response(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        return astream(govern_stream(ModelStream(guard, kind.stream_response, self, args, kwargs)))

    open_scope = functools.partial(step_scope, guard.halo)
    get_response = make_governed_method(kind.get_response, make_call, is_async=True, open_scope=open_scope)
    methods: dict[str, Callable[..., Any]] = {"get_response": get_response, "stream_response": stream_response}
    members = {name: _DecidedMethod(name, method) for name, method in methods.items()}
    return make_named_subclass(kind, {**members, GUARD_ATTRIBUTE: guard})


class _DecidedMethod:
    """A guarded model's method that takes precedence over one set on the object, such as a patch.

    INVARIANT: FAILCLOSED - the state is the original's, so what is put into that would stand before the guard.
    """

    def __init__(self, name: str, method: Callable[..., Any]) -> None:
        self._name = name
        self._method = method

    def __get__(self, model: Any, kind: type[Any] | None = None) -> Callable[..., Any]:
        return self._method if model is None else types.MethodType(self._method, model)

    def __set__(self, model: Any, value: Any) -> None:
        model.__dict__[self._name] = value

    def __delete__(self, model: Any) -> None:
        if model.__dict__.pop(self._name, None) is None:
            raise AttributeError(self._name)


class GuardedProvider(ModelProvider):
    """A provider whose models are all guarded."""

    def __init__(self, halo: Halo, inner: ModelProvider) -> None:
        self.inner = inner
        self.halo = halo
        self._guarded_models: WeakKeyDictionary[Model, Model] = WeakKeyDictionary()

    def __getattr__(self, name: str) -> Any:
        """Return other attributes of the provider."""
        if name in {"inner", "halo"}:
            raise AttributeError(name)
        return getattr(self.inner, name)

    def get_model(self, model_name: str | None) -> Model:
        """Return the provider's model, guarded."""
        model = self.inner.get_model(model_name)
        if type(model).__hash__ is None:
            return guard_model(self.halo, model, None)
        guarded = self._guarded_models.get(model)
        if guarded is None:
            guarded = self._guarded_models[model] = guard_model(self.halo, model, None)
        return guarded

    async def aclose(self) -> None:
        """Close the provider."""
        await self.inner.aclose()
