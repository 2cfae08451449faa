"""What a model request sends besides its messages: judged for a decision, and read for the record.

Everything that LangChain merges into the request is judged (`judge_model_fields`): bound arguments, model settings of
an agent, arguments of the call, and the model's `model_kwargs` and `extra_body`. Other fields of the model's class are
judged only if they can offer a tool, such as `mcp_servers`, because a class also has fields for its own use.

What was read of a model is remembered until something changes that it was read from (`_read_state`).
"""

from __future__ import annotations

import functools
import marshal
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field
from typing import Any, Final, NamedTuple

from langchain_core.language_models import BaseChatModel, BaseLLM
from pydantic import BaseModel

from halo_core.enforcement.guards import choose_model_name
from halo_core.enforcement.model_inputs import select_parameters
from halo_core.model_requests import ModelFields, judge_model_fields
from halo_core.model_requests.hosted_names import find_bearing_tool, names_stored_content
from halo_core.model_requests.known_fields import FieldShape, list_known_fields, normalize_field
from halo_core.model_requests.tool_shapes import list_offered_tools
from halo_core.quick_dataclass import dataclass
from halo_langchain._translate import (
    is_client_side,
    is_language_model,
    is_tool_object,
    model_name,
    read_attribute,
    read_tracing_parameters,
)

NO_FIELDS: Final = ModelFields()
_NOT_SENT: Final = frozenset(
    "config stop callbacks tags metadata run_name run_id run_manager tools "
    "chunk_size version include_names include_types include_tags exclude_names exclude_types exclude_tags "
    "return_exceptions max_concurrency".split()
)
"""Arguments that LangChain itself uses and does not send, and the tools, which are judged by themselves."""
_CONTENT: Final = frozenset("messages prompts prompt input inputs".split())
"""Names under which a method takes what the model is shown. Bound to a model, such a field adds unjudged messages."""
_NOT_SENT_PREFIX: Final = "ls_"
"""Prefix of what LangChain passes only to its tracing."""
_EXTRAS: Final = ("model_kwargs", "extra_body", "extra_headers", "default_headers")
"""Fields of model classes that are merged into the request as they are."""
_OFFERING_SHAPES: Final = (FieldShape.TOOLS, FieldShape.MODEL, FieldShape.BODY, FieldShape.BETAS, FieldShape.HEADERS)
"""Shapes of fields that can offer a tool."""
_FRAMEWORK_FIELDS: Final = frozenset((*BaseChatModel.model_fields, *BaseLLM.model_fields))
_TRACED: Final = ("temperature", "max_tokens", "stop")
"""Parameters that LangChain passes to its tracing, with `ls_` in front."""
_MAX_REQUESTS: Final = 256
_MAX_STATE_BYTES: Final = 65_536
_MARSHAL_VERSION: Final = 2
"""Later versions write the same value in more than one way."""
_NOT_READ: Final = _NOT_SENT - {"stop"}
"""Settings that neither `_read_request` nor LangChain's `_get_ls_params` reads."""
_READ_FIELDS: Final = ("model", "model_name", "model_id", "temperature", "max_tokens", "model_kwargs")
"""Fields of a model that `_read_request` and LangChain's `_get_ls_params` read, besides those that may offer a tool."""


def list_message_tools(messages: Iterable[Any]) -> list[Any]:
    """List the tools of the provider that messages offer, in blocks of their content or in `additional_kwargs`."""
    parts = []
    for message in messages:
        content, more = message.content, message.additional_kwargs
        if type(content) is not str and content and not isinstance(content, str):
            parts.append(content)
        if more:
            parts.append(more)
    if not parts:  # as of most conversations
        return []
    offered = list_offered_tools({"content": part if isinstance(part, list) else [part]} for part in parts)
    return [tool for tool in offered if not is_client_side(tool)]


def judge_model_request(model: Any, settings: Mapping[str, Any] | None, tools: Iterable[Any] = ()) -> ModelFields:
    """Judge the fields of a model call.

    Args:
        model: the model, with whatever is bound to it.
        settings: what the call itself adds, without what the model is shown.
        tools: what the model is offered, in any of the framework's forms.
    """
    return _judge_merged(*_merge_bound(model, settings), _list_hosted(tools))


def _list_hosted(tools: Iterable[Any]) -> list[Any]:
    """List the tools that the provider would run."""
    return [tool for tool in tools if not (is_tool_object(tool) or is_client_side(tool))]


def _judge_merged(model: Any, extras: Mapping[str, Any], hosted: Sequence[Any]) -> ModelFields:
    """Judge the merged settings of a call, the fields of its model without bindings, and the hosted tools."""
    fields = {name: value for name, value in extras.items() if _is_sent(name, value)}
    kind: Any = type(model)
    own_names = _list_offering_fields(kind)
    own = {name: value for name in own_names if (value := getattr(model, name, None))} if own_names else {}
    sent = [name for name in own if name in _EXTRAS or names_stored_content(name)]
    fields |= {name: own.pop(name) for name in sent if name not in fields}
    if hosted:
        fields["tools"] = hosted
    if not fields and not own:
        return NO_FIELDS
    name = type(model).__name__
    judged = judge_model_fields(fields, name) if fields else NO_FIELDS
    bound_content = [f"{name}.{item}" for item in fields if item in _CONTENT and fields[item] is not None]
    if bound_content:
        judged = ModelFields(judged.hosted, tuple(sorted({*judged.unknown, *bound_content})))
    return _add_hosted(judged, judge_model_fields(own, name)) if own else judged


def _merge_bound(model: Any, settings: Mapping[str, Any] | None) -> tuple[Any, dict[str, Any]]:
    """Take the bindings off a model: returns the model, and the settings of a call merged with the bound ones."""
    extras: dict[str, Any] = dict(settings) if settings else {}
    while not is_language_model(model) and (bound := getattr(model, "bound", None)) is not None:
        kwargs = getattr(model, "kwargs", None)
        extras = {**kwargs, **extras} if isinstance(kwargs, Mapping) else extras
        model = bound
    return model, extras


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that a call goes to, and its parameters.

    Args:
        provider: name of the provider, empty if unknown.
        version: name of the model as the provider knows it, empty if unknown.
        parameters: temperature and other parameters that are recorded.
    """

    provider: str = ""
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


NO_FACTS: Final = ModelFacts()


class ModelRequest(NamedTuple):
    """The model of a call, and what is sent besides its messages.

    Args:
        name: resource id of the model.
        fields: the judged fields.
        facts: what is recorded of the model.
    """

    name: str
    fields: ModelFields
    facts: ModelFacts


def read_model_request(model: Any, settings: Mapping[str, Any] | None, tools: Iterable[Any] = ()) -> ModelRequest:
    """Read the model of a call and judge its fields; an earlier result is returned if nothing has changed since.

    Args:
        model: the model, with whatever is bound to it.
        settings: what the call itself adds, without what the model is shown.
        tools: what the model is offered, in any of the framework's forms.
    """
    inner, extras = _merge_bound(model, settings)
    hosted = _list_hosted(tools)
    state = None if hosted else _read_state(inner, extras)
    is_direct = inner is model or read_attribute(model, "bound") is inner
    if state is None or not is_direct:
        return _read_request(model, inner, extras, hosted)
    key = type(inner), inner is model, state
    earlier = _REQUESTS.get(key)
    if earlier is not None:
        return earlier
    request = _read_request(model, inner, extras, hosted)
    if state == _read_state(inner, extras):  # nothing changed it meanwhile
        if len(_REQUESTS) >= _MAX_REQUESTS:
            _REQUESTS.clear()
        _REQUESTS[key] = request
    return request


def _read_request(model: Any, inner: Any, extras: Mapping[str, Any], hosted: list[Any]) -> ModelRequest:
    traced = read_tracing_parameters(inner, extras)
    name = model_name(model) if extras or inner is not model else choose_model_name(model, traced.get("ls_model_name"))
    own = read_attribute(inner, "model_kwargs")
    sent = {**own, **extras} if isinstance(own, Mapping) else extras
    facts = _make_facts(traced, sent, type(inner).__name__)
    return ModelRequest(name, _judge_merged(inner, extras, hosted), facts)


_REQUESTS: Final[dict[tuple[type[Any], bool, bytes], ModelRequest]] = {}
"""Remembered requests, by the class of the model, whether nothing is bound to it, and the state (`_read_state`)."""


def _read_state(model: Any, extras: dict[str, Any]) -> bytes | None:
    """Return everything that a request is read from, as bytes; None if something may be missing.

    INVARIANT: FAILCLOSED - the bytes hold values of Python's own types alone, which are the only ones that can be
    marshalled. An object of another type could have changed by the next call and still look the same.
    """
    kind: Any = type(model)
    names = _list_read_fields(kind)
    if names is None or model.__pydantic_extra__:
        return None
    members = model.__dict__
    if "_get_ls_params" in members:
        return None
    try:
        read_extras = {name: value for name, value in extras.items() if name not in _NOT_READ} if extras else {}
        state: bytes = marshal.dumps((read_extras, list(map(members.get, names))), _MARSHAL_VERSION)
    except (ValueError, MemoryError):
        return None
    return state if len(state) <= _MAX_STATE_BYTES else None


@functools.lru_cache(maxsize=256)
def _list_read_fields(kind: Any) -> tuple[str, ...] | None:
    """List the fields that a request is read from; None if the class has code of its own that may read others."""
    framework = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM if issubclass(kind, BaseLLM) else None
    if framework is None:
        return None
    own_ways = ("_get_ls_params", "__getattr__", "__getattribute__")
    is_read_alike = all(getattr(kind, name) is getattr(framework, name) for name in own_ways)
    names = (*_READ_FIELDS, *_list_offering_fields(kind))
    if not is_read_alike or any(name in vars(base) for base in kind.__mro__ for name in names):
        return None  # a property, or an attribute of the class, which is in no field
    return names


def read_observed_facts(metadata: Mapping[str, Any], parameters: Mapping[str, Any], provider_class: str) -> ModelFacts:
    """Make the facts about the model of a call that is known only by the metadata and parameters of its run."""
    return _make_facts(metadata, parameters, provider_class)


def _make_facts(traced: Mapping[str, Any], fields: Mapping[str, Any], provider_class: str) -> ModelFacts:
    traced_facts = {name: traced[f"ls_{name}"] for name in _TRACED if traced.get(f"ls_{name}") is not None}
    names = (traced.get("ls_model_name"), *(fields.get(name) for name in ("model", "model_name", "model_id")))
    version = next((item for item in names if isinstance(item, str) and item), "")
    provider = traced.get("ls_provider")
    sent = {name: value for name, value in fields.items() if _is_sent(name, value)}
    parameters = select_parameters({**traced_facts, **sent}, provider_class)
    return ModelFacts(provider if isinstance(provider, str) else "", version, parameters)


def _is_sent(name: str, value: Any) -> bool:
    """Whether a field reaches the provider. A mapping as `prompt` is a stored prompt and no argument of LangChain's."""
    if name == "prompt" and isinstance(value, Mapping):
        return True
    return name not in _NOT_SENT and not name.startswith(_NOT_SENT_PREFIX)


def judge_observed_request(provider_class: str, parameters: Mapping[str, Any], tools: Iterable[Any]) -> ModelFields:
    """Like `judge_model_request`, for a call that is known only by the parameters of its run."""
    fields = {name: parameters[name] for name in _EXTRAS if name in parameters}
    if isinstance(parameters.get("prompt"), Mapping):
        fields["prompt"] = parameters["prompt"]
    if hosted := _list_hosted(tools):
        fields["tools"] = hosted
    others = {
        name: item
        for name, item in parameters.items()
        if name not in fields and name != "tools" and _may_offer_tool(provider_class, name)
    }
    judged = judge_model_fields(fields, provider_class) if fields else NO_FIELDS
    return _add_hosted(judged, judge_model_fields(others, provider_class)) if others else judged


def _add_hosted(judged: ModelFields, own: ModelFields) -> ModelFields:
    """Add the hosted tools of a model's own fields; which of these fields are unknown does not count."""
    if not own.hosted:
        return judged
    return ModelFields(tuple(sorted({*judged.hosted, *own.hosted})), judged.unknown)


@functools.lru_cache(maxsize=1024)
def _may_offer_tool(provider_class: str, name: str) -> bool:
    """Whether a field with this name can offer a tool, or names stored content that does."""
    shape = list_known_fields(provider_class).get(normalize_field(name))
    return shape in _OFFERING_SHAPES or bool(find_bearing_tool(name)) or names_stored_content(name)


@functools.lru_cache(maxsize=256)
def _list_offering_fields(kind: Any) -> tuple[str, ...]:
    """List the fields of a model's class that can offer a tool."""
    names = kind.model_fields if issubclass(kind, BaseModel) else ()
    return tuple(name for name in names if name not in _FRAMEWORK_FIELDS and _may_offer_tool(kind.__name__, name))
