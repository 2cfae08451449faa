"""The fields of a model request beside its messages: bound to the model, passed with the call, or set by its class.

Everything that LangChain merges into the request is judged (`judge_model_fields`): bound arguments, model settings of
an agent, arguments of the call, and the model's `model_kwargs` and `extra_body`. Other fields of the model's class are
checked only if they can offer a tool, such as `mcp_servers`, because a class also has fields for its own use.
"""

from __future__ import annotations

import functools
import marshal
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any, Final, NamedTuple

from langchain_core.language_models import BaseChatModel, BaseLLM
from pydantic import BaseModel

from halo_core.enforcement.guards import choose_model_name
from halo_core.enforcement.model_inputs import select_parameters
from halo_core.model_requests import ModelFields, judge_model_fields
from halo_core.model_requests.hosted_names import find_bearing_tool, names_stored_content
from halo_core.model_requests.known_fields import FieldShape, list_known_fields, normalize_field
from halo_core.quick_dataclass import dataclass
from halo_langchain._translate import is_client_side, model_name, read_attribute, read_tracing_parameters

NO_FIELDS: Final = ModelFields()
_NOT_SENT: Final = frozenset(
    "config stop callbacks tags metadata run_name run_id run_manager tools "
    "chunk_size version include_names include_types include_tags exclude_names exclude_types exclude_tags "
    "return_exceptions max_concurrency".split()
)
"""Arguments of LangChain's own methods; the tools are judged by themselves."""
_CONTENT: Final = frozenset("messages prompts prompt input inputs".split())
"""What a model is shown is an argument of the method that is called; bound to a model it is sent past the messages."""
_NOT_SENT_PREFIX: Final = "ls_"
"""Of what LangChain tells its tracing."""
_EXTRAS: Final = ("model_kwargs", "extra_body", "extra_headers", "default_headers")
"""Fields of model classes that are merged into the request as they are."""
_BEARING_SHAPES: Final = (FieldShape.TOOLS, FieldShape.MODEL, FieldShape.BODY, FieldShape.BETAS, FieldShape.HEADERS)
_FRAMEWORK_FIELDS: Final = frozenset((*BaseChatModel.model_fields, *BaseLLM.model_fields))


def list_message_tools(messages: Iterable[Any]) -> list[Any]:
    """Tools of the provider that messages offer, in blocks of their content or in what an adapter kept beside it."""
    parts = [
        part
        for message in messages
        for part in (message.content, message.additional_kwargs)
        if part and not isinstance(part, str)
    ]
    offered = list_offered_tools({"content": part if isinstance(part, list) else [part]} for part in parts)
    return [tool for tool in offered if not is_client_side(tool)] if parts else []


def judge_model_request(model: Any, settings: Mapping[str, Any] | None, tools: Iterable[Any] = ()) -> ModelFields:
    """Judge the fields of a model call.

    Args:
        model: the model, with whatever is bound to it.
        settings: what the call itself adds, without what the model is shown.
        tools: what the model is offered, in any of the framework's forms.
    """
    return _judge_merged(*_merge_bound(model, settings), tools)


def _judge_merged(model: Any, extras: Mapping[str, Any], tools: Iterable[Any]) -> ModelFields:
    fields = {name: value for name, value in extras.items() if _is_sent(name, value)}
    kind: Any = type(model)
    own_names = _list_bearing_fields(kind)
    own = {name: value for name in own_names if (value := getattr(model, name, None))} if own_names else {}
    sent = [name for name in own if name in _EXTRAS or names_stored_content(name)]
    fields |= {name: own.pop(name) for name in sent if name not in fields}
    hosted = [tool for tool in tools if not is_client_side(tool)]
    if hosted:
        fields["tools"] = hosted
    if not fields and not own:
        return NO_FIELDS
    name = type(model).__name__
    judged = judge_model_fields(fields, name) if fields else NO_FIELDS
    smuggled = [f"{name}.{item}" for item in fields if item in _CONTENT and fields[item] is not None]
    if smuggled:
        judged = ModelFields(judged.hosted, tuple(sorted({*judged.unknown, *smuggled})))
    return _add_hosted(judged, judge_model_fields(own, name)) if own else judged


def _merge_bound(model: Any, settings: Mapping[str, Any] | None) -> tuple[Any, dict[str, Any]]:
    """The model without its bindings, and a call's settings merged with the bound ones."""
    extras: dict[str, Any] = dict(settings) if settings else {}
    while not isinstance(model, BaseChatModel | BaseLLM) and (bound := getattr(model, "bound", None)) is not None:
        kwargs = getattr(model, "kwargs", None)
        extras = {**kwargs, **extras} if isinstance(kwargs, Mapping) else extras
        model = bound
    return model, extras


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The model that a call goes to, and its parameters.

    Args:
        provider: who runs it, empty if unknown.
        version: its name as the provider knows it, empty if unknown.
        parameters: temperature and the like.
    """

    provider: str = ""
    version: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


NO_FACTS: Final = ModelFacts()


class ModelRequest(NamedTuple):
    """A model call's content besides its messages, and its model.

    Args:
        name: resource id of the model.
        fields: what is sent.
        facts: facts for the record.
    """

    name: str
    fields: ModelFields
    facts: ModelFacts


def read_model_request(model: Any, settings: Mapping[str, Any] | None, tools: Iterable[Any] = ()) -> ModelRequest:
    """Name of the model, and the judged fields of a call.

    Args:
        model: the model, with whatever is bound to it.
        settings: what the call itself adds, without what the model is shown.
        tools: what the model is offered, in any of the framework's forms.
    """
    inner, extras = _merge_bound(model, settings)
    hosted = [tool for tool in tools if not is_client_side(tool)]
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


# What was read of a model is read again only once something that it was read from has changed.

_MAX_REQUESTS: Final = 256
_MAX_STATE_BYTES: Final = 65_536
_MARSHAL_VERSION: Final = 2  # later ones write the same value in more than one way
_NOT_READ: Final = _NOT_SENT - {"stop"}
"""Settings that neither `_read_request` nor LangChain's own `_get_ls_params` reads."""
_READ_FIELDS: Final = ("model", "model_name", "model_id", "temperature", "max_tokens", "model_kwargs")
"""What `_read_request` and LangChain's own `_get_ls_params` read of a model, beside fields that may bear a tool."""


_REQUESTS: Final[dict[tuple[type[Any], bool, bytes], ModelRequest]] = {}
"""By the class of the model, whether nothing is bound to it, and what the request was read from."""


def _read_state(model: Any, extras: dict[str, Any]) -> bytes | None:
    """Everything that a model builds its request from; None if that may be incomplete.

    INVARIANT: FAILCLOSED - only values of Python's own types stand in it, by what they hold, and no others can be
    marshalled: an object might hold something else by the next call.
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
    """The fields that a model's class builds its request from; None if its own code reads others."""
    framework = BaseChatModel if issubclass(kind, BaseChatModel) else BaseLLM if issubclass(kind, BaseLLM) else None
    if framework is None:
        return None
    own_ways = ("_get_ls_params", "__getattr__", "__getattribute__")
    is_read_alike = all(getattr(kind, name) is getattr(framework, name) for name in own_ways)
    names = (*_READ_FIELDS, *_list_bearing_fields(kind))
    if not is_read_alike or any(name in vars(base) for base in kind.__mro__ for name in names):
        return None  # a property, or a value of the class
    return names


def read_observed_facts(metadata: Mapping[str, Any], parameters: Mapping[str, Any], provider_class: str) -> ModelFacts:
    """Like `read_model_request`, for a call known only by a run's metadata and parameters."""
    return _make_facts(metadata, parameters, provider_class)


def _make_facts(traced: Mapping[str, Any], fields: Mapping[str, Any], provider_class: str) -> ModelFacts:
    traced_facts = {name: traced[f"ls_{name}"] for name in _TRACED if traced.get(f"ls_{name}") is not None}
    names = (traced.get("ls_model_name"), *(fields.get(name) for name in ("model", "model_name", "model_id")))
    version = next((item for item in names if isinstance(item, str) and item), "")
    provider = traced.get("ls_provider")
    sent = {name: value for name, value in fields.items() if _is_sent(name, value)}
    parameters = select_parameters({**traced_facts, **sent}, provider_class)
    return ModelFacts(provider if isinstance(provider, str) else "", version, parameters)


_TRACED: Final = ("temperature", "max_tokens", "stop")
"""Parameters that LangChain tells its tracing, with `ls_` in front."""


def _is_sent(name: str, value: Any) -> bool:
    """Whether a field reaches the provider; a mapping as `prompt` is a stored prompt, not LangChain's argument."""
    if name == "prompt" and isinstance(value, Mapping):
        return True
    return name not in _NOT_SENT and not name.startswith(_NOT_SENT_PREFIX)


def judge_observed_request(provider_class: str, parameters: Mapping[str, Any], tools: Iterable[Any]) -> ModelFields:
    """Like `judge_model_request`, for a call known only by a run's parameters."""
    fields = {name: parameters[name] for name in _EXTRAS if name in parameters}
    if isinstance(parameters.get("prompt"), Mapping):
        fields["prompt"] = parameters["prompt"]
    hosted = [tool for tool in tools if not is_client_side(tool)]
    if hosted:
        fields["tools"] = hosted
    others = {name: item for name, item in parameters.items() if name not in fields and _bears(provider_class, name)}
    others.pop("tools", None)
    judged = judge_model_fields(fields, provider_class) if fields else NO_FIELDS
    return _add_hosted(judged, judge_model_fields(others, provider_class)) if others else judged


def _add_hosted(judged: ModelFields, own: ModelFields) -> ModelFields:
    if not own.hosted:
        return judged
    return ModelFields(tuple(sorted({*judged.hosted, *own.hosted})), judged.unknown)


@functools.lru_cache(maxsize=1024)
def _bears(provider_class: str, name: str) -> bool:
    shape = list_known_fields(provider_class).get(normalize_field(name))
    return shape in _BEARING_SHAPES or bool(find_bearing_tool(name)) or names_stored_content(name)


@functools.lru_cache(maxsize=256)
def _list_bearing_fields(kind: Any) -> tuple[str, ...]:
    """Fields of a model's class that may offer a tool, or hold something that does."""
    names = kind.model_fields if issubclass(kind, BaseModel) else ()
    return tuple(name for name in names if name not in _FRAMEWORK_FIELDS and _bears(kind.__name__, name))
