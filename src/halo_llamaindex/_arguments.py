"""Room: arguments of a tool call: bound by signature, checked against the schema, snapshotted. Takes: args, kwargs.

LlamaIndex hands a function what the model wrote, as it is. Here what does not fit the tool's own schema is refused, and
a value that only fits when read as another type (`"5"` for a number) is passed on as that. Never: runs anything.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

import pydantic
from llama_index.core.tools import BaseTool
from llama_index.core.workflow import Context
from pydantic.fields import FieldInfo

from halo_core.pep.bound import Bound, snapshot
from halo_core.pep.plain import outline, plain, unchanged

__all__ = ["Binder"]

_MANY: Final = inspect.Parameter.VAR_POSITIONAL
_NAMED: Final = inspect.Parameter.VAR_KEYWORD
_ANYTHING: Final = inspect.Signature([inspect.Parameter("args", _MANY), inspect.Parameter("kwargs", _NAMED)])


@dataclasses.dataclass(frozen=True, slots=True)
class Binder:
    """Takes the arguments of one callable apart and puts them together again.

    Args:
        signature: of the callable.
        host: parameters that the host fixed when it made the tool, as it fixed them.
        schema: of what the caller chooses; None checks nothing.
    """

    signature: inspect.Signature
    host: Mapping[str, Any]
    schema: type[pydantic.BaseModel] | None

    @classmethod
    def of(cls, tool: BaseTool, function: Callable[..., Any] | None) -> Binder:
        """The binder of a tool's function; without one, of a tool that takes what its schema says."""
        schema = tool.metadata.fn_schema
        schema = schema if isinstance(schema, type) and issubclass(schema, pydantic.BaseModel) else None
        if schema is not None and not schema.__pydantic_complete__:
            # Its annotations are texts, which LlamaIndex leaves as they are: the function's module knows the names.
            names = getattr(inspect.unwrap(function), "__globals__", {}) if function is not None else {}
            schema.model_rebuild(raise_errors=False, _types_namespace=names)
        if function is None:
            return cls(_shown(schema), {}, schema)
        try:
            signature = inspect.signature(function)
        except (TypeError, ValueError):  # a builtin without one
            signature = _ANYTHING
        return cls(signature, dict(getattr(tool, "partial_params", None) or {}), schema)

    def split(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Bound:
        """Snapshot of the arguments, with what the framework and the host fill in beside it.

        A call that does not fit has a `problem`, and shows what of it can be shown.
        """
        try:
            bound = self.signature.bind(*args, **kwargs)
        except TypeError:
            return Bound(*_shown_at_most(kwargs), "invalid_arguments")
        injected: dict[str, Any] = {}
        mine: dict[str, Any] = {}
        named = set()
        for name, parameter in self.signature.parameters.items():
            if name not in bound.arguments:
                if parameter.default is not parameter.empty and self._decides_default(name, parameter.default):
                    named.add(name)
                    mine[name] = parameter.default
            elif parameter.kind is _NAMED:
                for key, item in bound.arguments[name].items():
                    (injected if self._handed_on(key, item) else mine)[key] = item
            else:
                named.add(name)
                value = bound.arguments[name]
                (injected if self._handed_on(name, value) else mine)[name] = value
        return self._bound(mine, injected, len(args), frozenset(named))

    def _bound(self, mine: dict[str, Any], injected: dict[str, Any], by_position: int, named: frozenset[str]) -> Bound:
        decided, own, problem = snapshot(mine)
        if problem:
            return Bound(*_shown_at_most(mine), problem)
        fitted = self._fitted(own, decided)
        if fitted is None:
            return Bound(decided, own, "invalid_arguments", injected, by_position, named)
        for name, value in fitted.items():
            if not unchanged(value, decided[name]):
                decided[name] = own[name] = value
        return Bound(decided, own, "", injected, by_position, named)

    def _decides_default(self, name: str, default: Any) -> bool:
        if isinstance(default, FieldInfo) or (self.schema is not None and name not in self.schema.model_fields):
            return False
        return unchanged(outline(_flat(default)), _flat(default))

    def _handed_on(self, name: str, value: Any) -> bool:
        """A workflow's context, or an object that the host fixed: no model can choose either."""
        if isinstance(value, Context):
            return True
        if name not in self.host or self.host[name] is not value:
            return False
        return not unchanged(outline(_flat(value)), _flat(value))

    def _fitted(self, own: Mapping[str, Any], decided: Mapping[str, Any]) -> dict[str, Any] | None:
        """Each value as the schema reads it, in the shape that it came in; None where one does not fit."""
        if self.schema is None:
            return {}
        fields = self.schema.model_fields
        asked = {name: value for name, value in own.items() if name in fields and self._chosen(name, value)}
        try:
            read = self.schema.model_validate(asked, by_alias=True, by_name=True)
        except pydantic.ValidationError as exc:
            wrong = [error for error in exc.errors(include_url=False) if not self._is_there(error)]
            return None if wrong else {}
        except Exception:  # noqa: BLE001  a validator of the schema's own that misbehaves
            return None
        return {name: _coerced(decided[name], _flat(getattr(read, name))) for name in asked}

    def _chosen(self, name: str, value: Any) -> bool:
        return name not in self.host or self.host[name] is not value

    def _is_there(self, error: Any) -> bool:
        """Whether what the schema misses is the host's to give, or stands for any number of others."""
        name = error["loc"][0] if error["loc"] else ""
        parameter = self.signature.parameters.get(name)
        many = parameter is not None and parameter.kind in (_MANY, _NAMED)
        return error["type"] == "missing" and (name in self.host or many)

    def join(self, bound: Bound, executed: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the callable, passed the way they came."""
        left = {**executed, **bound.injected}
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for index, (name, parameter) in enumerate(self.signature.parameters.items()):
            if name not in bound.named or name not in left:
                continue
            value = left.pop(name)
            if parameter.kind is _MANY:
                positional.extend(value)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound.by_position:
                positional.append(value)
            else:
                keywords[name] = value
        return tuple(positional), {**keywords, **left}


def _shown(schema: type[pydantic.BaseModel] | None) -> inspect.Signature:
    """Signature of a tool that is no function: the fields of its schema, and anything else by name."""
    names = list(schema.model_fields) if schema is not None else ["input"]
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    usable = [name for name in names if name.isidentifier() and name not in ("args", "more")]
    fields = [inspect.Parameter(name, kind, default=_ABSENT) for name in usable]
    return inspect.Signature([*fields, inspect.Parameter("more", _NAMED)])


_ABSENT: Final = FieldInfo()  # a default that is decided nowhere


def _shown_at_most(values: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    shown = {str(name): outline(_flat(value)) for name, value in values.items() if not isinstance(value, Context)}
    return shown, dict(values)


def _flat(value: Any) -> Any:
    try:
        return plain(value)
    except Exception:  # noqa: BLE001  too deep, or it misbehaves: the snapshot finds out, and refuses it
        return []


def _coerced(raw: Any, read: Any) -> Any:
    """A plain value with the leaves that its schema reads otherwise; keys stay as they came."""
    if isinstance(raw, Mapping) and isinstance(read, Mapping):
        return {key: _coerced(item, read[key]) if key in read else item for key, item in raw.items()}
    if isinstance(raw, list) and isinstance(read, list) and len(raw) == len(read):
        return [_coerced(item, new) for item, new in zip(raw, read, strict=True)]
    return raw if isinstance(raw, dict | list) or isinstance(read, dict | list) else read
