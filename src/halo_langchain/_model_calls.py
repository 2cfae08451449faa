"""Model calls: what of them is decided, and how the decision travels to the method that sends the call.

A call is decided at the outermost of the model's methods that it passes (`ModelCall`), or by the middleware. The
decision then goes down in a context variable, as a `DecidedCall`, to the first method that sends it (`_SendingCall`),
where the answer is restricted before a callback, a stream or a cache can see it. One decision never serves two calls.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables.config import var_child_runnable_config

from halo_core.enforcement import Call, Ticket, flow
from halo_core.enforcement.guards import MODEL_RESOURCE, MODEL_SCHEMA, clean_name, list_tool_names
from halo_core.enforcement.session_context import ContextVarScope, TriggeringMessage, in_body, triggering_message_scope
from halo_core.model import ActionKind, Resource
from halo_langchain._pause import LangChainAction
from halo_langchain._results import find_known_origins, make_answer_surface
from halo_langchain._runs import RunClaim, body_values, entry_scope, get_run_source
from halo_langchain._translate import bound_tools, hosted_names, list_message_texts

if TYPE_CHECKING:
    from halo_core.enforcement.guards import GuardMetadata
    from halo_langchain import Halo
    from halo_langchain._results import AnswerShape

RESTRICTING_ABILITIES: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it: inside the model."""

_DECLARATIONS: Final = ("function_declarations", "functionDeclarations")


def build_inference_call(
    halo: Halo,
    name: str,
    messages: Sequence[BaseMessage],
    tools: list[Any] | None,
    *,
    earlier: frozenset[str] = frozenset(),
    resource: Resource | None = None,
    abilities: tuple[str, ...] = ("pause",),
) -> Call:
    """A model call; the model is registered on first sight, and a tool its provider would run is a problem.

    Args:
        halo: who decides.
        name: the model's name, as the framework says it.
        messages: what it is shown.
        tools: what it may call, in any of the framework's forms.
        earlier: ids of tool messages that no call of this session produced.
        resource: the model as it was guarded; None looks its name up.
        abilities: what the caller can carry out. Nothing narrows a prompt: what a policy asks of that kind is denied.
    """
    registered = resource or halo.find_registered(name)
    if registered is None or registered.kind is not ActionKind.INFERENCE:
        registered = halo.register(ActionKind.INFERENCE, name, resource=MODEL_RESOURCE, schema=MODEL_SCHEMA)
    args = {"messages": len(messages), "tools": list_tool_names(tools)}
    problem = "hosted_tool" if hosted_names(tools) else ""
    last = messages[-1] if messages else None
    triggering_message = (
        TriggeringMessage(last.id or "", kind=_get_message_kind(last), text=str(last.text))
        if last is not None
        else TriggeringMessage()
    )
    with triggering_message_scope(triggering_message):
        return halo.build_call(
            registered,
            args,
            problem=problem,
            abilities=abilities,
            shown_texts=find_known_origins(messages, earlier=earlier, nested=in_body()),
        )


def _get_message_kind(message: BaseMessage) -> str:
    return "user" if isinstance(message, HumanMessage) and not message.name and not in_body() else "message"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """What a model call is decided on: enough to know it again at the model.

    Args:
        message_texts: kind and text of every message.
        tool_names: names of its tools.
        hosted_tool_names: names of those that the provider runs.
    """

    message_texts: tuple[tuple[str, str], ...]
    tool_names: frozenset[str]
    hosted_tool_names: frozenset[str]

    @classmethod
    def from_messages(
        cls, messages: Iterable[BaseMessage], tools: Iterable[Any], extra_names: Iterable[str] = ()
    ) -> ModelInput:
        """What these messages and tools are decided on, with `extra_names` names that the framework adds on the way."""
        tools = list(tools)
        return cls(
            list_message_texts(messages),
            frozenset((*_extract_tool_names(tools), *extra_names)),
            frozenset(hosted_names(tools)),
        )

    def covers(self, arriving: ModelInput) -> bool:
        """Whether a call that arrives is the one that was decided, or the same with less."""
        return (
            self.message_texts == arriving.message_texts
            and arriving.tool_names <= self.tool_names
            and arriving.hosted_tool_names <= self.hosted_tool_names
        )


def _extract_tool_names(tools: Iterable[Any]) -> Iterator[str]:
    """Names of tools, of those too that one provider declares many to a dict and another under a key of its own."""
    for tool in tools:
        inner = tool.get("toolSpec") if isinstance(tool, Mapping) else None
        lists = [tool.get(key) for key in _DECLARATIONS] if isinstance(tool, Mapping) else []
        declared = [item for declarations in lists if isinstance(declarations, list) for item in declarations]
        yield from list_tool_names(declared or [inner if isinstance(inner, Mapping) else tool])


def to_messages(model: Any, raw_input: Any) -> list[BaseMessage]:
    """What a model is shown, in whichever form a method of its takes it."""
    items = raw_input if isinstance(raw_input, list | tuple) else [raw_input]
    if _are_messages(items):
        return list(items)
    if isinstance(model, BaseChatModel):
        with suppress(Exception):  # an input of a form of its own is text, as any prompt that code composed
            return list(model._convert_input(raw_input).to_messages())  # noqa: SLF001  as its entry points do
    # A prompt that was composed as text: nobody knows which of its words are the user's.
    texts = [item.to_string() if isinstance(item, PromptValue) else str(item) for item in items]
    return [HumanMessage(text, name="prompt") for text in texts]


def split_prompts(raw_input: Any) -> list[Any]:
    """The prompts of a call that can have several of them."""
    items = raw_input if isinstance(raw_input, list | tuple) else []
    all_prompt_values = all(isinstance(item, PromptValue) for item in items)
    return (
        list(items) if all_prompt_values or all(isinstance(i, list | tuple) and _are_messages(i) for i in items) else []
    )


def _are_messages(items: Any) -> bool:
    return all(isinstance(item, BaseMessage) for item in items)


READY: Final = "ready"
RUNNING: Final = "running"
DONE: Final = "done"
_MODEL_NAME_ARGUMENTS: Final = frozenset(("model", "model_id", "model_name"))
_RUN_MANAGER_INDEX: Final = 2  # its place among the arguments of every method that sends a call


@dataclass(slots=True, eq=False)
class DecidedCall:
    """One decided call on its way down.

    Args:
        ticket: the decision.
        guard: the guarded model it is for; None where the middleware decided and the model has not been reached.
        owner: with the middleware's, the `Halo` that decided.
        name: with the middleware's, the model's name.
        model_input: with the middleware's, what was decided on.
        prompt_inputs: of a call with several prompts, what was decided on each: below, each may be a call of its own.
        state: `ready`, `running` once the method that sends it was reached, `done` when that returned.
    """

    ticket: Ticket
    guard: GuardMetadata | None = None
    owner: object = None
    name: str = ""
    model_input: ModelInput | None = None
    prompt_inputs: list[ModelInput] = field(default_factory=list)
    state: str = READY


_DECIDED_CALL: Final[ContextVar[DecidedCall | None]] = ContextVar("halo_langchain_decided", default=None)
_TAKE_LOCK: Final = threading.Lock()


@contextmanager
def decided_call_scope(decided_call: DecidedCall) -> Iterator[None]:
    """Run the block with a decision that one call in it may use."""
    token = _DECIDED_CALL.set(decided_call)
    try:
        yield
    finally:
        decided_call.state = DONE
        _DECIDED_CALL.reset(token)


def current_decided_call(guard: GuardMetadata) -> DecidedCall | None:
    """The decision that this call of a guarded model comes down with."""
    decided_call = _DECIDED_CALL.get()
    return (
        decided_call
        if decided_call is not None and decided_call.guard is guard and decided_call.state != DONE
        else None
    )


@contextmanager
def model_entry_scope(guard: GuardMetadata, model: Any, config: Any = None, runs: int = 1) -> Iterator[None]:
    """Around an entry point of a guarded model: a new call, whatever is running around it.

    Args:
        guard: of the model.
        model: whose runs it starts; None for one that starts none any more.
        config: what it was called with.
        runs: how many runs the call starts: one for each of its prompts.
    """
    decided_call = _DECIDED_CALL.get()
    token = _DECIDED_CALL.set(decided_call if decided_call is not None and decided_call.guard is None else None)
    try:
        with entry_scope(RunClaim(guard.halo, "model", source=get_run_source(model), max_runs=runs), config):
            yield
    finally:
        _DECIDED_CALL.reset(token)


def resolve_model_name(guard: GuardMetadata, model: Any, kwargs: Mapping[str, Any]) -> str:
    """The model's name in this call, which an argument may change."""
    if not _MODEL_NAME_ARGUMENTS.intersection(kwargs):
        return guard.name
    try:
        traced_name = model._get_ls_params(**kwargs).get("ls_model_name")  # noqa: SLF001  the very source of what callbacks see
    except Exception:  # noqa: BLE001  a model without tracing parameters is named by its arguments
        traced_name = None
    names = (traced_name, *(kwargs.get(key) for key in sorted(_MODEL_NAME_ARGUMENTS)))
    return clean_name(next((name for name in names if isinstance(name, str) and name), guard.name))


# deciding


@dataclass(frozen=True, slots=True)
class PreparedModelCall:
    """A call as it will be made: nobody else holds these lists."""

    name: str
    messages: list[BaseMessage]
    tools: list[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    prompts: list[list[BaseMessage]]

    @classmethod
    def from_arguments(
        cls, guard: GuardMetadata, model: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> PreparedModelCall:
        kwargs = {name: list(value) if type(value) is list else value for name, value in kwargs.items()}
        key = next((key for key in ("messages", "prompts", "prompt", "input") if key in kwargs), "")
        raw_input = _copy_messages(args[0] if args else kwargs.get(key))
        if args:
            args = (raw_input, *args[1:])
        elif key:
            kwargs[key] = raw_input
        prompts = [to_messages(model, item) for item in split_prompts(raw_input)]
        messages = [message for prompt in prompts for message in prompt] if prompts else to_messages(model, raw_input)
        return cls(
            resolve_model_name(guard, model, kwargs), messages, bound_tools(model, kwargs), args, kwargs, prompts
        )

    def build_call(self, guard: GuardMetadata) -> Call:
        """The call to decide."""
        resource = guard.resource if self.name == guard.name else None
        return build_inference_call(
            guard.halo, self.name, self.messages, self.tools, resource=resource, abilities=RESTRICTING_ABILITIES
        )

    def to_decided_call(self, guard: GuardMetadata, ticket: Ticket, *, is_entry_point: bool) -> DecidedCall:
        """The decision as it goes down: to this model's own methods, or as the middleware hands it to an entry."""
        if not is_entry_point:
            return DecidedCall(ticket, guard)
        model_input = ModelInput.from_messages(self.messages, self.tools)
        prompt_inputs = (
            [ModelInput.from_messages(prompt, self.tools) for prompt in self.prompts] if len(self.prompts) > 1 else []
        )
        return DecidedCall(
            ticket, owner=guard.halo, name=self.name, model_input=model_input, prompt_inputs=prompt_inputs
        )


def _copy_messages(raw_input: Any) -> Any:
    """Messages that stay as they were decided, whoever goes on writing into the caller's."""
    if not isinstance(raw_input, list | tuple):
        return raw_input
    return [item.model_copy() if isinstance(item, BaseMessage) else item for item in raw_input]


def take_middleware_ticket(guard: GuardMetadata, prepared: PreparedModelCall) -> Ticket | None:
    """The middleware's decision, if it is of this very call."""
    decided_call = _DECIDED_CALL.get()
    if (
        decided_call is None
        or decided_call.guard is not None
        or decided_call.owner is not guard.halo
        or decided_call.name != prepared.name
    ):
        return None
    model_input = ModelInput.from_messages(prepared.messages, prepared.tools)
    # INVARIANT: one decision lets one call pass, or one for each of its prompts.
    with _TAKE_LOCK:
        if decided_call.state != READY:
            return None
        if decided_call.model_input is not None and decided_call.model_input.covers(model_input):
            decided_call.state = DONE
            return decided_call.ticket
        prompt_input = next((item for item in decided_call.prompt_inputs if item.covers(model_input)), None)
        if prompt_input is None:
            return None  # something between the decision and the model changed it
        decided_call.prompt_inputs.remove(prompt_input)
        decided_call.model_input, decided_call.state = None, READY if decided_call.prompt_inputs else DONE
    return decided_call.ticket


# sending


def mute_callbacks(
    ticket: Ticket, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any], Any]:
    """Arguments under which a model tells nobody what it says while it says it, and whom it would have told.

    The arguments as they are where the answer is not restricted.
    """
    kwargs = dict(kwargs)
    if not ticket.holds_output:
        return args, kwargs, None
    manager = args[_RUN_MANAGER_INDEX] if len(args) > _RUN_MANAGER_INDEX else kwargs.get("run_manager")
    if manager is None:
        return args, kwargs, None
    noop_manager = type(manager).get_noop_manager()
    if len(args) > _RUN_MANAGER_INDEX:
        return (*args[:_RUN_MANAGER_INDEX], noop_manager, *args[_RUN_MANAGER_INDEX + 1 :]), kwargs, manager
    return args, {**kwargs, "run_manager": noop_manager}, manager


@contextmanager
def sending_scope(decided_call: DecidedCall) -> Iterator[None]:
    """Around the body of a model: no claim reaches it, and no callback where its answer is restricted."""
    values: list[tuple[ContextVar[Any], Any]] = [(_DECIDED_CALL, decided_call)]
    config = var_child_runnable_config.get()
    if config is not None and decided_call.ticket.holds_output:
        values.append((var_child_runnable_config, {**config, "callbacks": None}))
    if decided_call.guard is not None:
        values.extend(body_values())
    with ContextVarScope(*values):
        yield


# calls that return their answer at once


class ModelCall(LangChainAction):
    """A call at the outermost of a model's methods that it passes.

    Args:
        guard: of the model.
        model: the guarded model.
        function: the method; a coroutine function under `arun`.
        shape: of the answer.
        args: as it was called.
        kwargs: as it was called.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        model: Any,
        function: Callable[..., Any],
        shape: AnswerShape,
        /,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.halo = guard.halo
        self.guard = guard
        self.function = function
        self.shape = shape
        self.prepared = PreparedModelCall.from_arguments(guard, model, args, kwargs)
        decision = take_middleware_ticket(guard, self.prepared)
        super().__init__(
            guard.halo.enforcer,
            self.prepared.build_call(guard) if decision is None else None,
            make_answer_surface(guard.surface),
            decision=decision,
            records_outcome=decision is None,
        )

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """The decision goes down to the method that sends the call."""
        return decided_call_scope(
            self.prepared.to_decided_call(self.guard, ticket, is_entry_point=self.shape.is_entry_point)
        )

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  nothing narrows a prompt
        """Call the method."""
        return self.function(*self.prepared.args, **self.prepared.kwargs)


class _SendingCall(LangChainAction):
    """A call at the method that sends it, under the decision of the one above.

    Its error is restricted here too: the framework tells its callbacks on the way up.
    """

    def __init__(
        self,
        guard: GuardMetadata,
        decided_call: DecidedCall,
        function: Callable[..., Any],
        /,
        *args: Any,
        **kwargs: Any,
    ) -> None:
        self.halo = guard.halo
        self.decided_call = decided_call
        self.function = function
        self.args, self.kwargs, _ = mute_callbacks(decided_call.ticket, args, kwargs)
        decided_call.state = RUNNING
        super().__init__(
            guard.halo.enforcer,
            None,
            make_answer_surface(guard.surface),
            decision=decided_call.ticket,
            records_outcome=False,
        )

    @contextmanager
    def scope(self, ticket: Ticket) -> Iterator[None]:  # noqa: ARG002  it is in the decided call
        """Around the model's own code."""
        try:
            with sending_scope(self.decided_call):
                yield
        finally:
            self.decided_call.state = DONE

    def execute(self, ticket: Ticket) -> Any:  # noqa: ARG002  as above
        """Call the method."""
        return self.function(*self.args, **self.kwargs)


def run_model_call(
    guard: GuardMetadata, model: Any, function: Callable[..., Any], shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> Any:
    """Decide a call, make it, record it.

    Raises:
        Denied: it may not be made, and nothing was sent.
        Pending: it waits for an answer.
    """
    return flow.run(ModelCall(guard, model, function, shape, *args, **kwargs))


async def arun_model_call(
    guard: GuardMetadata, model: Any, function: Callable[..., Any], shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> Any:
    """As `run_model_call`, for a coroutine function."""
    return await flow.arun(ModelCall(guard, model, function, shape, *args, **kwargs))


def send_model_call(
    guard: GuardMetadata, model: Any, function: Callable[..., Any], shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> Any:
    """Send a decided call, and restrict its answer; decide it first where it was called directly."""
    decided_call = current_decided_call(guard)
    if decided_call is None:
        again = partial(send_model_call, guard, model, function, shape)
        return flow.run(ModelCall(guard, model, again, shape, *args, **kwargs))
    if decided_call.state == RUNNING:  # one method of the model calls another
        return function(*args, **kwargs)
    return flow.run(_SendingCall(guard, decided_call, function, *args, **kwargs))


async def asend_model_call(
    guard: GuardMetadata, model: Any, function: Callable[..., Any], shape: AnswerShape, /, *args: Any, **kwargs: Any
) -> Any:
    """As `send_model_call`, for a coroutine function."""
    decided_call = current_decided_call(guard)
    if decided_call is None:
        again = partial(asend_model_call, guard, model, function, shape)
        return await flow.arun(ModelCall(guard, model, again, shape, *args, **kwargs))
    if decided_call.state == RUNNING:
        return await function(*args, **kwargs)
    return await flow.arun(_SendingCall(guard, decided_call, function, *args, **kwargs))
