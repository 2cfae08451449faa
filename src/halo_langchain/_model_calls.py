"""Model calls: which part of them is decided, and how the decision reaches the method that sends the call.

A call is decided at the outermost of the model's methods that it passes (`ModelCall`), or by the middleware. A context
variable carries the decision, as a `DecidedCall`, to the first method that sends the call. There the answer is
restricted before a callback, a stream or a cache can see it. A decision is used for one call only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from contextvars import ContextVar
from dataclasses import field
from operator import attrgetter
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.outputs import GenerationChunk
from langchain_core.prompt_values import PromptValue
from langchain_core.runnables.config import var_child_runnable_config
from langchain_core.utils.function_calling import convert_to_openai_tool

from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Surface, Ticket
from halo_core.enforcement.flow import GovernedStream
from halo_core.enforcement.guards import clean_name, get_object_name, get_tool_name
from halo_core.enforcement.mcp_listings import list_foreign_texts
from halo_core.enforcement.model_inputs import ModelInput, SchemaTexts
from halo_core.enforcement.session_context import ContextVarScope, TriggeringMessage
from halo_core.model import ActionKind, Resource
from halo_core.quick_dataclass import dataclass
from halo_langchain._history import (
    RunInput,
    ShownMessage,
    find_known_origins,
    find_run_input,
    list_history,
    read_message,
)
from halo_langchain._model_fields import NO_FACTS, NO_FIELDS, ModelFacts, list_message_tools, read_model_request
from halo_langchain._pause import LangChainAction
from halo_langchain._results import make_answer_surface
from halo_langchain._runs import RunClaim, body_values, entry_scope, get_run_source
from halo_langchain._translate import bound_tools, is_tool_object, list_tool_names

if TYPE_CHECKING:
    from halo_core.enforcement.guards import GuardMetadata
    from halo_core.model_requests import ModelFields
    from halo_langchain import Halo
    from halo_langchain._results import AnswerShape

RESTRICTING_ABILITIES: Final = ("hold_output", "pause", "redact_output")
"""What can be done where the answer is read before anybody else sees it: inside the model."""

_DECLARATIONS: Final = ("function_declarations", "functionDeclarations")


def build_inference_call(
    halo: Halo,
    name: str,
    shown: Sequence[ShownMessage],
    tools: list[Any] | None,
    *,
    resource: Resource | None = None,
    abilities: tuple[str, ...] = ("pause",),
    fields: ModelFields = NO_FIELDS,
    facts: ModelFacts = NO_FACTS,
    tool_names: list[str] | None = None,
) -> Call:
    """A model call; registers the model on first sight.

    Args:
        halo: who decides.
        name: the model's name, as the framework says it.
        shown: what it is shown.
        tools: what it may call, in any of the framework's forms.
        resource: the model as it was guarded; None looks its name up.
        fields: what is sent beside messages and tools, and tools that the provider would run.
        facts: provider, version and parameters, for the record.
        abilities: what the caller can carry out. Nothing narrows a prompt: what a policy asks of that kind is denied.
        tool_names: names of the tools, if they are known (`list_tool_names`).
    """
    registered = resource or halo.find_registered(name)
    if registered is None or registered.kind is not ActionKind.INFERENCE:
        registered = halo.register_seen_model(name)
    tool_names = list_tool_names(tools) if tool_names is None else tool_names
    args = {"messages": len(shown), "tools": tool_names, **fields.to_arguments()}
    guards = halo.server_tools.find_guards(tool_names)
    foreign_texts = list_foreign_texts(guards) if guards else ()
    asking, run_input = _NO_MESSAGE, find_run_input(shown)
    if shown:
        last = shown[-1]
        asking = TriggeringMessage(last.id, kind=_get_message_kind(last, run_input), text=last.text)
    return halo.build_call(
        registered,
        args,
        abilities=abilities,
        shown_texts=(*find_known_origins(shown, run_input), *foreign_texts),
        history=list_history(shown, run_input),
        model=_describe_input(shown, tools, facts),
        message=asking,
    )


_NO_MESSAGE: Final = TriggeringMessage()


def _describe_input(shown: Sequence[ShownMessage], tools: list[Any] | None, facts: ModelFacts) -> ModelInput:
    """The model's input, for the record."""
    given = list(map(_GET_RECORDED, shown))
    system = "\n".join([item.text for item in given if item.role == "system"])
    schemas = tuple(map(_TOOL_SCHEMAS.describe, tools or ()))
    return ModelInput(given, system, schemas, facts.provider, facts.version, facts.parameters)


_GET_RECORDED: Final = attrgetter("recorded")
_GET_KIND_AND_TEXT: Final = attrgetter("kind_and_text")
_TOOL_SCHEMAS: Final = SchemaTexts(convert_to_openai_tool)


def _get_message_kind(shown: ShownMessage, run_input: RunInput) -> str:
    is_user = shown.is_unnamed_human and bool(run_input.find_user_texts(shown.text))
    return "user" if is_user else "message"


@dataclass(frozen=True, slots=True)
class DecidedInput:
    """The input of a decided model call, by which the model recognises it.

    Args:
        message_texts: kind and text of every message.
        tool_names: names of its tools.
        fields: what is sent beside them.
    """

    message_texts: tuple[tuple[str, str], ...]
    tool_names: frozenset[str]
    fields: ModelFields

    @classmethod
    def from_messages(
        cls,
        shown: Iterable[ShownMessage],
        tools: Iterable[Any],
        fields: ModelFields = NO_FIELDS,
        extra_names: Iterable[str] = (),
    ) -> DecidedInput:
        """The decided input: messages, tools and fields; the framework adds tools named `extra_names`."""
        return cls.from_names(shown, name_tools(tools)[1], fields, extra_names)

    @classmethod
    def from_names(
        cls, shown: Iterable[ShownMessage], names: Iterable[str], fields: ModelFields, extra_names: Iterable[str] = ()
    ) -> DecidedInput:
        """Like `from_messages`, with the names of all functions of the tools (`name_tools`)."""
        return cls(tuple(map(_GET_KIND_AND_TEXT, shown)), frozenset((*names, *extra_names)), fields)

    def covers(self, arriving: DecidedInput) -> bool:
        """Whether an arriving call is the decided one, or the same with less."""
        return (
            self.message_texts == arriving.message_texts
            and arriving.tool_names <= self.tool_names
            and self.covers_fields(arriving.fields)
        )

    def covers_fields(self, arriving: ModelFields) -> bool:
        """Whether the fields that arrive are the decided ones, or fewer."""
        hosted = {tool.name for tool in arriving.hosted} <= {tool.name for tool in self.fields.hosted}
        return hosted and set(arriving.unknown) <= set(self.fields.unknown)


def name_tools(tools: Iterable[Any]) -> tuple[list[str], list[str]]:
    """Names of tools (`list_tool_names`), and of all their functions: one dict may declare several of these."""
    names: list[str] = []
    function_names: list[str] = []
    for tool in tools:
        if is_tool_object(tool):
            name = get_object_name(tool)
            names.append(name)
            function_names.append(name)
        else:
            names.append(get_tool_name(tool))
            function_names += _list_declared_functions(tool)
    return names, function_names


def _list_declared_functions(tool: Any) -> list[str]:
    if not isinstance(tool, Mapping):
        return [get_object_name(tool)]
    inner = tool.get("toolSpec")
    lists = [tool.get(key) for key in _DECLARATIONS]
    declared = [item for declarations in lists if isinstance(declarations, list) for item in declarations]
    return list_tool_names(declared or [inner if isinstance(inner, Mapping) else tool])


def to_messages(model: Any, raw_input: Any) -> list[BaseMessage]:
    """The model's input as messages, from any form that its methods accept."""
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
    """The prompts of a call that may have several."""
    items = list(raw_input) if isinstance(raw_input, list | tuple) else []
    are_prompt_values = all(isinstance(item, PromptValue) for item in items)
    are_lists = all(isinstance(item, list | tuple) and _are_messages(item) for item in items)
    return items if are_prompt_values or are_lists else []


def _are_messages(items: Any) -> bool:
    return all(isinstance(item, BaseMessage) for item in items)


READY: Final = "ready"
RUNNING: Final = "running"
DONE: Final = "done"
_MODEL_NAME_ARGUMENTS: Final = frozenset(("model", "model_id", "model_name"))
_RUN_MANAGER_INDEX: Final = 2  # its place among the arguments of every method that sends a call


@dataclass(slots=True, eq=False)
class DecidedCall:
    """One decided call on its way to the model.

    Args:
        ticket: the decision.
        guard: the guarded model it is for; None if the middleware decided and the model has not been reached.
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
    model_input: DecidedInput | None = None
    prompt_inputs: list[DecidedInput] = field(default_factory=list)
    state: str = READY


_DECIDED_CALL: Final[ContextVar[DecidedCall | None]] = ContextVar("halo_langchain_decided", default=None)
_TAKE_LOCK: Final = threading.Lock()


class decided_call_scope(ContextVarScope):  # noqa: N801  used as a function
    """Run the block with a decision that one call in it may use; `values` are set around it too."""

    __slots__ = ("_decided_call",)

    def __init__(self, decided_call: DecidedCall, *values: tuple[ContextVar[Any], Any]) -> None:
        ContextVarScope.__init__(self, (_DECIDED_CALL, decided_call), *values)
        self._decided_call = decided_call

    def __exit__(self, *_exc: object) -> None:
        self._decided_call.state = DONE
        ContextVarScope.__exit__(self)


def current_decided_call(guard: GuardMetadata) -> DecidedCall | None:
    """The decision under which this call of a guarded model is made."""
    decided_call = _DECIDED_CALL.get()
    if decided_call is None or decided_call.guard is not guard or decided_call.state == DONE:
        return None
    return decided_call


def holds_outer_answer() -> bool:
    """Whether this runs inside a guarded model whose answer is restricted before anybody sees it."""
    decided_call = _DECIDED_CALL.get()
    return decided_call is not None and decided_call.state == RUNNING and decided_call.ticket.holds_output


def model_entry_scope(
    guard: GuardMetadata, model: Any, config: Any = None, runs: int = 1, *, starts_at_once: bool = False
) -> AbstractContextManager[None]:
    """The scope of a guarded model's entry point: a new call, whatever runs around it.

    Args:
        guard: guard of the model.
        model: whose runs it starts; None for one that starts none any more.
        config: what it was called with.
        runs: how many runs the call starts: one for each of its prompts.
        starts_at_once: see `RunClaim`.
    """
    decided_call = _DECIDED_CALL.get()
    middlewares_call = decided_call if decided_call is not None and decided_call.guard is None else None
    claim = RunClaim(guard.halo, "model", source=get_run_source(model), max_runs=runs)
    return entry_scope(claim, config, (_DECIDED_CALL, middlewares_call), starts_at_once=starts_at_once)


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
    """A call as it will be made, with private copies of its lists."""

    name: str
    shown: list[ShownMessage]
    tools: list[Any]
    args: tuple[Any, ...]
    kwargs: dict[str, Any]
    prompts: list[list[ShownMessage]]
    fields: ModelFields
    facts: ModelFacts

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
        groups = [to_messages(model, item) for item in split_prompts(raw_input)]
        messages = [item for group in groups for item in group] if groups else to_messages(model, raw_input)
        prompts = [[read_message(item) for item in group] for group in groups]
        shown = (
            [item for prompt in prompts for item in prompt] if prompts else [read_message(item) for item in messages]
        )
        tools = bound_tools(model, kwargs)
        settings = {name: value for name, value in kwargs.items() if args or name != key}
        _, fields, facts = read_model_request(model, settings, [*tools, *list_message_tools(messages)])
        return cls(resolve_model_name(guard, model, kwargs), shown, tools, args, kwargs, prompts, fields, facts)


def _copy_messages(raw_input: Any) -> Any:
    """Messages that stay as decided, even if the caller's are changed."""
    if not isinstance(raw_input, list | tuple):
        return raw_input
    return [item.model_copy() if isinstance(item, BaseMessage) else item for item in raw_input]


def take_middleware_ticket(guard: GuardMetadata, prepared: PreparedModelCall) -> Ticket | None:
    """The middleware's decision, if it is about this very call."""
    decided_call = _DECIDED_CALL.get()
    if (
        decided_call is None
        or decided_call.guard is not None
        or decided_call.owner is not guard.halo
        or decided_call.name != prepared.name
    ):
        return None
    model_input = DecidedInput.from_messages(prepared.shown, prepared.tools, prepared.fields)
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
    """Arguments that silence a model's callbacks while it answers, and the silenced callbacks.

    The arguments as they are where the answer is not restricted.
    """
    kwargs = dict(kwargs)
    manager = args[_RUN_MANAGER_INDEX] if len(args) > _RUN_MANAGER_INDEX else kwargs.get("run_manager")
    if not ticket.holds_output or manager is None:
        return args, kwargs, None
    noop_manager = type(manager).get_noop_manager()
    if len(args) > _RUN_MANAGER_INDEX:
        return (*args[:_RUN_MANAGER_INDEX], noop_manager, *args[_RUN_MANAGER_INDEX + 1 :]), kwargs, manager
    return args, {**kwargs, "run_manager": noop_manager}, manager


def sending_values(decided_call: DecidedCall) -> list[tuple[ContextVar[Any], Any]]:
    """Context variables of a model's body: without claims, and without callbacks if its answer is restricted."""
    values: list[tuple[ContextVar[Any], Any]] = []
    config = var_child_runnable_config.get()
    if config is not None and decided_call.ticket.holds_output:
        values.append((var_child_runnable_config, {**config, "callbacks": None}))
    if decided_call.guard is not None:
        values.extend(body_values(decided_call.guard))
    return values


# calls


@dataclass(frozen=True, slots=True)
class ModelMethod:
    """One method of a guarded model.

    Args:
        guard: guard of the model.
        model: the guarded model.
        function: the method, bound.
        shape: shape of its answer.
    """

    guard: GuardMetadata
    model: Any
    function: Callable[..., Any]
    shape: AnswerShape


class _ModelAction(LangChainAction):
    """A call of a method of a guarded model.

    Args:
        method: what is called.
        args: positional arguments of the call.
        kwargs: keyword arguments of the call.
        decided: the decision of the method above, at the method that sends the call; None at the outermost of the
            model's methods that it passes, where it is decided unless the middleware did.
    """

    def __init__(
        self, method: ModelMethod, args: tuple[Any, ...], kwargs: Mapping[str, Any], decided: DecidedCall | None = None
    ) -> None:
        guard = method.guard
        self.halo = guard.halo
        self.method = method
        self.args, self.kwargs = args, kwargs
        self.decided_call = decided
        call, decision = None, decided.ticket if decided is not None else None
        if decided is None:
            self.prepared = PreparedModelCall.from_arguments(guard, method.model, args, kwargs)
            self.args, self.kwargs = self.prepared.args, self.prepared.kwargs
            decision = take_middleware_ticket(guard, self.prepared)
            call = self._build_inference_call() if decision is None else None
        super().__init__(
            guard.halo.enforcer, call, self.make_surface(), decision=decision, records_outcome=decision is None
        )

    def make_surface(self) -> Surface[Any]:
        """How to read the answer."""
        return make_answer_surface(self.method.guard.surface)

    def _build_inference_call(self) -> Call:
        guard, prepared = self.method.guard, self.prepared
        resource = guard.resource if prepared.name == guard.name else None
        abilities = RESTRICTING_ABILITIES
        return build_inference_call(
            guard.halo,
            prepared.name,
            prepared.shown,
            prepared.tools,
            resource=resource,
            abilities=abilities,
            fields=prepared.fields,
            facts=prepared.facts,
        )

    def hand_down(self, ticket: Ticket) -> DecidedCall:
        """Pass the decision down: to this model's own methods, or from the middleware to an entry point."""
        guard, prepared = self.method.guard, self.prepared
        if not self.method.shape.is_entry_point:
            return DecidedCall(ticket, guard)
        model_input = DecidedInput.from_messages(prepared.shown, prepared.tools, prepared.fields)
        prompts = prepared.prompts if len(prepared.prompts) > 1 else []
        prompt_inputs = [DecidedInput.from_messages(prompt, prepared.tools, prepared.fields) for prompt in prompts]
        return DecidedCall(ticket, None, guard.halo, prepared.name, model_input, prompt_inputs)


class ModelCall(_ModelAction):
    """A call that returns its whole answer.

    At the method that sends it its error is restricted too: the framework tells its callbacks on the way up.
    """

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:
        """The scope in which the decision is passed down, or has arrived at the model's own code."""
        decided_call = self.decided_call
        if decided_call is None:
            return decided_call_scope(self.hand_down(ticket))
        scope = decided_call_scope(decided_call, *sending_values(decided_call))
        decided_call.state = RUNNING
        return scope

    def execute(self, ticket: Ticket) -> Any:
        """Call the method."""
        args, kwargs = self.args, self.kwargs
        if self.decided_call is not None:
            args, kwargs, _ = mute_callbacks(ticket, args, kwargs)
        return self.method.function(*args, **kwargs)


class ModelStream(_ModelAction, GovernedStream):
    """A call whose answer arrives in parts: as they come, or all at once if an obligation may change it.

    It is recorded when it ends, as cancelled when whoever reads it stops early. Context variables are set around each
    step alone: a generator runs in its reader's context.
    """

    callback_manager: Any = None

    def make_surface(self) -> Surface[Any]:
        """Like `_ModelAction`, for parts merged to an `LLMResult`."""
        return self.method.guard.surface

    def execute(self, ticket: Ticket) -> Any:
        """Call the method."""
        if self.decided_call is None:
            self.decided_call = self.hand_down(ticket)
        self.decided_call.state = READY if self.method.shape.is_entry_point else RUNNING
        args, kwargs, self.callback_manager = mute_callbacks(ticket, self.args, self.kwargs)
        source = self.method.function(*args, **kwargs)
        return aiter(source) if hasattr(source, "__aiter__") else iter(source)

    def part_scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  it is in the decided call
        """The scope of the model's own code."""
        if self.decided_call is None:
            raise AssertionError("a stream is started before its parts are taken")
        return ContextVarScope((_DECIDED_CALL, self.decided_call), *sending_values(self.decided_call))

    def is_last(self, part: Any) -> bool:
        """Whether this part completes the answer, so that the reader may not ask for another."""
        return self.method.shape.is_last(part)

    def merge_parts(self) -> Any:
        """The parts so far, merged to an `LLMResult`."""
        return self.method.shape.merge_parts(self.parts, lenient=not self.is_withheld)

    def split_result(self, result: Any) -> Iterable[Any]:
        """The chunks for an `LLMResult`."""
        return self.method.shape.split_result(result, self.parts)

    def announce(self, part: Any) -> Any:
        """Report what was withheld until now to all callbacks."""
        if self.callback_manager is None or not isinstance(part, GenerationChunk):
            return None
        return self.callback_manager.on_llm_new_token(part.text, chunk=part)

    def close(self) -> None:
        """End the decision: no further call of the model runs under it."""
        if self.decided_call is not None:
            self.decided_call.state = DONE
