"""Translates LangChain's objects: names, schemas, and the arguments of a call that are decided.

A `Binder` is made once for each function of a guarded tool. It splits a call into the arguments that are decided and
those that the framework or the host injects, and puts them together again with the decided values.

Decisions are made at the last step before an action. A class that overrides an entry point may not reach that step: it
is decided on entry, or, where that is not possible (`refuse_overridden_entry_points`), it cannot be guarded.
"""

from __future__ import annotations

import dataclasses
import functools
import inspect
import typing
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final

from langchain_core.language_models import BaseChatModel, BaseLLM
from langchain_core.messages import BaseMessage, ToolMessage
from langchain_core.runnables import RunnableBinding, RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId, StructuredTool, Tool
from langchain_core.tools import tool as make_tool
from langgraph.prebuilt import InjectedState, InjectedStore, ToolRuntime
from pydantic import BaseModel

from halo_core.enforcement.arguments import (
    ArgumentBinder,
    BoundArguments,
    copy_arguments,
    has_json_form,
    read_signature,
    same_value,
    to_json_or_empty,
    to_json_outline,
)
from halo_core.enforcement.guards import (
    CLIENT_TOOL_TYPES,
    choose_model_name,
    clean_name,
    drop_unnameable_properties,
    get_object_name,
    get_tool_name,
    refuse_overridden_attributes,
    refuse_overriding_class,
    to_list,
    to_plain_schema,
)
from halo_core.errors import ConfigError, Denied

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

# A dict of nothing but these declares functions of this process, in the form of two providers.
_DECLARATION_KEYS: Final = frozenset(("function_declarations", "functionDeclarations", "toolSpec"))


# names


def model_name(model: Any) -> str:
    """Resource id of a model: its name in tracing, else from an attribute, else its class name."""
    model = read_attribute(model, "bound") or model
    return choose_model_name(model, read_tracing_parameters(model).get("ls_model_name"))


def read_tracing_parameters(model: Any, settings: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The parameters that LangChain gives to tracing, from which callbacks get theirs; empty if there are none.

    Args:
        model: the model, without what is bound to it.
        settings: keyword arguments of the call.
    """
    try:
        return dict(model._get_ls_params(**(settings or {})))  # noqa: SLF001  it has no other place
    except Exception:  # noqa: BLE001  a model without tracing parameters
        return {}


def read_attribute(model: Any, name: str) -> Any:
    """An attribute, or None; faster than pydantic's own error for a missing one."""
    kind: Any = type(model)
    if _is_field(kind, name) and not model.__pydantic_extra__:
        return model.__dict__.get(name)
    return getattr(model, name, None)


@functools.lru_cache(maxsize=1024)
def _is_field(kind: type[Any], name: str) -> bool:
    """Whether objects of a class have an attribute as a field of pydantic's, or not at all."""
    return issubclass(kind, BaseModel) and not any(name in vars(base) for base in kind.__mro__)


def read_any_attribute(model: Any, name: str) -> Any:
    """Like `read_attribute`; a class that answers for attributes it does not have is asked too."""
    kind: Any = type(model)
    return getattr(model, name, None) if _answers_itself(kind) else read_attribute(model, name)


@functools.lru_cache(maxsize=1024)
def _answers_itself(kind: Any) -> bool:
    own, usual = getattr(kind, "__getattr__", None), getattr(BaseModel, "__getattr__", None)
    return own is not usual or kind.__getattribute__ is not object.__getattribute__


def hosted_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of tools that the model's provider runs, where nobody can decide them."""
    return [get_tool_name(item) for item in tools or () if not is_client_side(item)]


def is_language_model(obj: Any) -> bool:
    """Whether something is a chat model or a text model without bindings: abstract classes take longer to say so."""
    kind: Any = type(obj)
    return _is_model_class(kind) or isinstance(obj, _MODEL_CLASSES)


_MODEL_CLASSES: Final = (BaseChatModel, BaseLLM)


@functools.lru_cache(maxsize=1024)
def _is_model_class(kind: type[Any]) -> bool:
    return issubclass(kind, _MODEL_CLASSES) and not issubclass(kind, RunnableBinding)


def unwrap_bindings(model: Any) -> Any:
    """The model without its bindings."""
    kind: Any = type(model)
    while not _is_model_class(kind) and isinstance(model, RunnableBinding):
        model = model.bound
        kind = type(model)
    return model


def is_tool_object(item: Any) -> bool:
    """Whether something is a tool of the framework and no mapping: abstract classes take longer to say so."""
    kind: Any = type(item)
    return _is_tool_class(kind)


@functools.lru_cache(maxsize=1024)
def _is_tool_class(kind: type[Any]) -> bool:
    return issubclass(kind, BaseTool) and not issubclass(kind, Mapping)


def list_tool_names(tools: Iterable[Any] | None) -> list[str]:
    """Names of the tools given to a model."""
    return [get_object_name(item) if is_tool_object(item) else get_tool_name(item) for item in tools or ()]


def is_client_side(item: Any) -> bool:
    """Whether a tool, in any of the framework's forms, runs in this process."""
    if is_tool_object(item):
        return True
    if not isinstance(item, Mapping):
        return isinstance(item, BaseTool) or callable(item)
    present_keys = {name for name, value in item.items() if value is not None}
    if present_keys and present_keys <= _DECLARATION_KEYS:
        return True
    if {"title", "properties"} <= present_keys and item.get("type") == "object":
        return True  # a JSON schema with a title, as structured output binds it
    is_named = bool(present_keys & {"name", "function"}) or {"title", "properties"} <= present_keys
    return is_named and item.get("type") in CLIENT_TOOL_TYPES


def bound_tools(model: Any, settings: Any = None) -> list[Any]:
    """Tools of a model call outside its own list: bound to the model, or among its settings."""
    collected: list[Any] = []
    while model is not None:
        kind: Any = type(model)
        if _are_fields(kind) and not model.__pydantic_extra__:
            get: Callable[[str], Any] = model.__dict__.get
        else:
            get = functools.partial(read_attribute, model)
        for options in (get("kwargs"), get("model_kwargs"), settings):
            # An abstract class takes its time to say no.
            if options is not None and (type(options) is dict or isinstance(options, Mapping)):
                collected += to_list(options.get("tools"))
        model, settings = get("bound"), None
    return collected


@functools.lru_cache(maxsize=1024)
def _are_fields(kind: Any) -> bool:
    """Whether objects of a class have nothing that `bound_tools` reads but as fields of pydantic's; see `_is_field`."""
    return all(_is_field(kind, name) for name in ("kwargs", "model_kwargs", "bound"))


# schemas


def tool_schema(tool: BaseTool, hidden: Iterable[str] = ()) -> dict[str, Any]:
    """JSON schema of the arguments a tool's caller chooses; of injected ones only those named as `hidden`."""
    schema = _read_call_schema(tool)
    return drop_unnameable_properties(
        {**schema, "properties": {**{name: {} for name in hidden}, **(schema.get("properties") or {})}}
    )


def _read_call_schema(tool: BaseTool) -> dict[str, Any]:
    if isinstance(tool, Tool) and tool.args_schema is None:
        return {"properties": dict(tool.args)}
    schema = tool.tool_call_schema
    try:
        if isinstance(schema, dict):
            json_schema = schema
        elif issubclass(schema, BaseModel):
            json_schema = schema.model_json_schema(by_alias=False)
        else:
            json_schema = schema.schema(by_alias=False)
    except Exception:  # noqa: BLE001  an argument of an arbitrary type has no JSON schema; its name is enough
        fields = getattr(schema, "model_fields", None) or getattr(schema, "__fields__", {})
        json_schema = {"properties": {name: {} for name in fields}}
    return to_plain_schema(json_schema)


def retriever_schema(retriever: BaseRetriever, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Schema of a retriever's arguments; open if it takes more than a query."""
    properties = {name: {"type": "string" if name == "query" else "integer"} for name in arguments}
    parameters = set(inspect.signature(type(retriever)._get_relevant_documents).parameters)  # noqa: SLF001  what we wrap
    return {"additionalProperties": bool(parameters - {"self", "query", "run_manager"}), "properties": properties}


_TASK_NAMES: Final = frozenset(
    "task task_description description instruction instructions message query question request reason input summary "
    "context prompt topic".split()
)
"""What a hand-off tool calls the text that it hands on: the hand-off itself is decided with it."""


def takes_more_than_task(tool: BaseTool) -> bool:
    """Whether a hand-off tool takes arguments besides a text with the task."""
    properties = tool_schema(tool)["properties"]
    only = next(iter(properties.items())) if len(properties) == 1 else ("", {})
    return bool(properties) and not (only[0] in _TASK_NAMES and only[1].get("type") in (None, "string"))


# functions


def as_tool(function: Callable[..., Any]) -> BaseTool:
    """A function as a tool, described by its docstring, else by its name."""
    name = str(getattr(function, "__name__", type(function).__name__))
    tool = make_tool(function) if getattr(function, "__doc__", None) else make_tool(function, description=name)
    if not isinstance(tool, BaseTool):
        problem, remedy = f"`{function!r}` cannot be made into a tool", "pass a function, or a tool"
        raise ConfigError("not_a_tool", problem, field="x", remedy=remedy)
    return tool


def list_parts(tool: Any) -> Any:
    """The parts that distinguish a tool from another with its name: its functions, or everything it holds."""
    if isinstance(tool, Tool | StructuredTool):
        return type(tool), tool.func, tool.coroutine
    if not isinstance(tool, BaseTool):
        return tool
    held = {name: getattr(tool, name) for name in type(tool).model_fields}
    private = tool.__pydantic_private__ or {}
    # What the framework keeps there was worked out from the fields.
    return type(tool), held, {key: private[key] for key in private if key not in BaseTool.__private_attributes__}


def resolve_annotations(wrapper: Callable[..., Any]) -> Callable[..., Any]:
    """The wrapper of a tool's function, with resolved annotations, so that LangChain need not resolve them per call.

    They stay as they are where a name in them cannot be resolved.
    """
    try:
        vars(wrapper)["__signature__"] = inspect.signature(wrapper)
        wrapper.__annotations__ = typing.get_type_hints(wrapper, include_extras=True)
    except Exception:  # noqa: BLE001  the framework's own reading of it may fail too
        return wrapper
    return wrapper


# messages


def get_message_text(message: BaseMessage) -> str:
    """The text of a message; without the framework's wrapping if its content is a text."""
    content = message.content
    return content if type(content) is str and _has_framework_text(type(message)) else str(message.text)


@functools.lru_cache(maxsize=256)
def _has_framework_text(kind: type) -> bool:
    """Whether a message class derives its text from the content as the framework's own do."""
    return inspect.getattr_static(kind, "text", None) is inspect.getattr_static(BaseMessage, "text")


def list_message_texts(messages: Iterable[BaseMessage]) -> tuple[tuple[str, str], ...]:
    """Kind and text of every message: enough to recognise a model call."""
    return tuple([(message.type, get_message_text(message)) for message in messages])


def build_refusal(call: Mapping[str, Any], denied: Denied, hint: str = "") -> ToolMessage:
    """A denial or pause as the framework's error message: what the model is told."""
    text = f"{denied}; {hint}" if hint else str(denied)
    return ToolMessage(content=text, tool_call_id=call.get("id") or "", name=call["name"], status="error")


_DESTINATION_KEY: Final = "__handoff_destination"


def get_handoff_agent(tool: BaseTool) -> str:
    """Name of the agent that a tool hands off to; empty for any other tool.

    INVARIANT: no server hands off. A tool whose arguments came as a JSON schema was described elsewhere (MCP), and so
    was its metadata: what it says there of an agent would give it that agent's grant, and results that taint nothing.
    """
    if isinstance(tool.args_schema, dict):
        return ""
    agent = (tool.metadata or {}).get(_DESTINATION_KEY)
    return clean_name(agent) if isinstance(agent, str) and agent else ""


FRAMEWORK: Final = "langchain_core."
"""LangChain's own classes are known to come to the last step before an action, where guards decide."""

UNGUARDED_ENTRY_POINTS: Final = (
    "transform",
    "atransform",
    "batch_as_completed",
    "abatch_as_completed",
    "stream_events",
    "astream_events",
    "astream_log",
)
"""Entry points of any runnable that nobody can decide where a class overrides them."""


def refuse_overridden_entry_points(
    obj: Any, guarded_names: Iterable[str], unguarded_names: Iterable[str], remedy: str
) -> None:
    """Refuse an object with an entry point at which nothing decides.

    Args:
        obj: what is to be guarded.
        guarded_names: entry points that a guarded class decides, whoever made them.
        unguarded_names: those that it cannot.
        remedy: what to do instead.

    Raises:
        ConfigError: its class overrides one of `unguarded_names`, or the object has one of either for itself.
    """
    unguarded_names = (*unguarded_names, *UNGUARDED_ENTRY_POINTS)
    refuse_overriding_class(type(obj), unguarded_names, FRAMEWORK, remedy)
    refuse_overridden_attributes(obj, (*guarded_names, *unguarded_names), remedy)


# arguments


HANDLER_NAMES: Final = frozenset(("run_manager", "callbacks"))
"""Filled in under these names where the signature has them; a caller may pass one where it has not."""

_NODE_MARKERS: Final = (InjectedState, InjectedStore)
_Names = frozenset[str]
_JSON_TYPES: Final = (bool, int, float, str, bytes, list, dict, type(None))


def list_settable_arguments(tool: BaseTool, functions: Iterable[Callable[..., Any]]) -> frozenset[str]:
    """Names of hidden arguments that a caller of the tool can set nevertheless."""
    return frozenset().union(*(classify_hidden_arguments(tool, function)[2] for function in functions))


def classify_hidden_arguments(tool: BaseTool, function: Callable[..., Any]) -> tuple[_Names, _Names, _Names]:
    """Names filled in by the framework, by a tool node, and those any caller can set, though hidden."""
    schema = None if isinstance(tool.args_schema, dict) else tool.get_input_schema()
    inner = function.func if isinstance(function, functools.partial) else inspect.unwrap(function)
    hints = {**_read_type_hints(schema), **_read_type_hints(inner)}
    framework = {name for name, hint in hints.items() if _is_framework(hint)}
    node = {name for name, hint in hints.items() if _has_marker(hint, _NODE_MARKERS)}
    injected = {name for name, hint in hints.items() if _has_marker(hint, (InjectedToolArg,))} | node
    injected |= set(getattr(tool, "_injected_args_keys", frozenset()))
    if schema is not None:
        injected |= _list_field_names(schema) - _list_field_names(tool.tool_call_schema)
    return frozenset(framework), frozenset(node), frozenset(injected - framework - HANDLER_NAMES)


def _read_type_hints(thing: Any) -> dict[str, Any]:
    try:
        return typing.get_type_hints(thing, include_extras=True)
    except Exception:  # noqa: BLE001  a name that cannot be resolved: the framework's own reading is asked too
        return dict(getattr(thing, "__annotations__", {}))


def _is_framework(hint: Any) -> bool:
    base = typing.get_origin(hint) or hint
    if isinstance(base, type) and issubclass(base, ToolRuntime):
        return True
    return RunnableConfig in (hint, *typing.get_args(hint)) or _has_marker(hint, (InjectedToolCallId,))


def _has_marker(hint: Any, kinds: tuple[type[Any], ...]) -> bool:
    markers = typing.get_args(hint)[1:] if typing.get_origin(hint) is typing.Annotated else ()
    return any(
        isinstance(marker, kinds) or (isinstance(marker, type) and issubclass(marker, kinds)) for marker in markers
    )


def _list_field_names(schema: Any) -> set[str]:
    # A class of today's kind without fields is not asked for the old name: that warns.
    fields = getattr(schema, "model_fields", None)
    return set(fields if fields is not None else getattr(schema, "__fields__", {}))


@dataclasses.dataclass(frozen=True, slots=True)
class Binder(ArgumentBinder):
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: signature of the callable, without `self`.
        framework_filled: parameters that the framework itself fills in, over whatever a caller gave: not decided.
        node_filled: parameters that a tool node fills in, over whatever the call had: decided where none called.
        injected: parameters hidden from the model that a host fills in; but whoever makes the call can.
        defaulted: parameters whose default is decided as if it had been given.
        rename: parameter → name that the tool's schema has for it.
    """

    framework_filled: frozenset[str]
    node_filled: frozenset[str]
    injected: frozenset[str]
    defaulted: frozenset[str]
    rename: Mapping[str, str]

    @classmethod
    def for_tool(
        cls, tool: BaseTool, function: Callable[..., Any], schema_names: frozenset[str], *, method: bool = False
    ) -> Binder:
        """The binder of a tool's function, or of its `_run` when `method`."""
        signature = read_signature(function)
        parameters = list(signature.parameters.values())[1 if method else 0 :]
        rename = {}
        if isinstance(tool, Tool) and not method and parameters and parameters[0].name not in schema_names:
            # A single-input tool calls its function by position; the schema knows the argument by another name.
            rename = {parameters[0].name: next(iter(tool.args), parameters[0].name)}
        hidden = classify_hidden_arguments(tool, function)
        return cls(signature.replace(parameters=parameters), *hidden, schema_names, rename)

    def fill_missing(self, kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """Keyword arguments, with None for those that the framework still has to fill in."""
        filled = self.framework_filled | HANDLER_NAMES
        parameters = self.signature.parameters.items()
        return {**{name: None for name, p in parameters if name in filled and p.default is p.empty}, **kwargs}

    def decides_default(self, name: str, default: Any) -> bool:  # noqa: ARG002  by its name alone
        return name in self.defaulted

    def bind_call(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], *, by_tool_node: bool = False
    ) -> BoundArguments:
        """Snapshot of the arguments, with the injected ones separate; `by_tool_node` if a tool node made the call.

        Raises:
            TypeError: they do not fit the signature.
        """
        passed, defaults, keywords = self.sort_by_name(args, kwargs)
        filled = self.framework_filled | self.node_filled if by_tool_node else self.framework_filled
        injected: dict[str, Any] = {}
        decided: dict[str, Any] = {}
        names: dict[str, str] = {}
        live: dict[str, tuple[Any, Any]] = {}
        for name, value in {**passed, **defaults, **keywords}.items():
            decided_name = self.rename.get(name, name)
            parameter = None if name in keywords else self.parameters[name]
            is_filled = name in filled or (parameter is not None and self._is_passed_through(name, parameter, value))
            if not is_filled and (decided_name in decided or decided_name in live):
                raise TypeError(f"two arguments are named `{decided_name}`")
            # INVARIANT: whatever the model can set is decided; what it cannot (an object) goes on beside it.
            json_value = to_json_or_empty(value) if name in self.injected and not is_filled else None
            if is_filled or (name in self.injected and not isinstance(json_value, _JSON_TYPES)):
                injected[name], decided_name = value, name
            elif name not in self.injected or same_value(to_json_outline(json_value), json_value):
                decided[decided_name] = value
            else:
                live[decided_name] = value, to_json_outline(json_value)
            if parameter is not None:
                names[name] = decided_name
        return BoundArguments(*copy_arguments(decided, live), injected, len(args), names)

    def _is_passed_through(self, name: str, parameter: inspect.Parameter, value: Any) -> bool:
        """Whether it is a handler under its usual name, or a hidden argument at its default: nobody chose it."""
        if isinstance(value, ToolRuntime):
            return True
        if name in HANDLER_NAMES:
            return not has_json_form(value) or (value is None and name not in self.defaulted)
        return name in self.injected and (
            parameter.default is value or same_value(to_json_or_empty(value), to_json_or_empty(parameter.default))
        )
