"""The arguments of one call: as plain values for the decision, and as objects that run as decided.

`ArgumentBinder` splits a call by its signature and puts it together again. `copy_arguments` takes objects as frameworks
pass them, and returns JSON-like values with copies of the objects. `BoundArguments.get_executed_arguments` returns the
objects, rebuilt where an obligation changed them. The core does not import pydantic, so its classes are recognised
among the modules that the process has imported, and no code of an object's class is run.
"""

from __future__ import annotations

import copy
import dataclasses
import datetime as dt
import inspect
import ipaddress
import sys
import uuid
from collections.abc import Callable, Mapping
from decimal import Decimal
from enum import Enum
from pathlib import PurePath
from typing import Any, Final

from halo_core.enforcement.enforcer import Ticket
from halo_core.quick_dataclass import dataclass

_PYDANTIC: Final = "pydantic"
_PYDANTIC_V1: Final = "pydantic.v1"


def _is_instance(value: Any, module: str, *names: str) -> bool:
    loaded = sys.modules.get(module)
    if loaded is None:
        return False
    kinds = tuple(kind for name in names if isinstance(kind := getattr(loaded, name, None), type))
    return isinstance(value, kinds)


def is_model(value: Any) -> bool:
    """Whether it is a pydantic model, of either generation."""
    return _is_instance(value, _PYDANTIC, "BaseModel") or _is_instance(value, _PYDANTIC_V1, "BaseModel")


def is_secret(value: Any) -> bool:
    """Whether it is one of pydantic's secrets, whose text form hides the value."""
    return _is_instance(value, _PYDANTIC, "SecretStr", "SecretBytes")


def is_url(value: Any) -> bool:
    """Whether it is one of pydantic's URLs."""
    return _is_instance(value, _PYDANTIC, "AnyUrl") or _is_instance(value, "pydantic_core", "Url")


def get_root_value(value: Any) -> tuple[Any] | None:
    """The value of a pydantic `RootModel`, in a tuple; None for anything else."""
    return (value.root,) if _is_instance(value, _PYDANTIC, "RootModel") else None


def get_fields(value: Any) -> dict[str, Any] | None:
    """Stored fields of a model or dataclass, whatever its `__iter__` shows; None for anything else."""
    if is_model(value):
        return {**value.__dict__, **(getattr(value, "__pydantic_extra__", None) or {})}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    return None


def copy_with_fields(value: Any, changed: Mapping[str, Any]) -> Any:
    """Copy an object with some fields changed; no validation of its class is run."""
    if _is_instance(value, _PYDANTIC, "BaseModel"):
        return value.model_copy(update=changed)
    if is_model(value):
        return value.copy(update=dict(changed))
    copied = copy.copy(value)
    for name, item in changed.items():
        object.__setattr__(copied, name, item)
    return copied


def copy_changed(value: Any, fields: Mapping[str, Any]) -> Any:
    """Copy an object with these fields changed; returns the object itself if no field differs by identity."""
    changed = {name: item for name, item in fields.items() if item is not getattr(value, name)}
    return copy_with_fields(value, changed) if changed else value


_MAX_POWER: Final = 300  # of ten; a longer number is text
NETWORK_TYPES: Final = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
)
_TEXT_TYPES: Final = (uuid.UUID, PurePath, dt.timedelta, *NETWORK_TYPES)


def same_value(value: Any, decided: Any) -> bool:
    """Whether two plain values are the same, types included: `True` is not `1`, nor is `1.0`."""
    kind = type(value)
    if kind is not type(decided):
        return False
    if kind in _IMMUTABLE_TYPES:  # an abstract class takes its time to say no
        return bool(value == decided)
    if kind is dict or isinstance(value, Mapping):
        return value.keys() == decided.keys() and _have_same_values(value, decided)
    if isinstance(value, list | tuple):
        return len(value) == len(decided) and all(map(same_value, value, decided))
    return bool(value == decided)


def _have_same_values(values: Mapping[Any, Any], decided: Mapping[Any, Any]) -> bool:
    for key, value in values.items():  # no generator: that is a call for each value
        other, kind = decided[key], type(value)
        if kind in _IMMUTABLE_TYPES and kind is type(other):
            if not value == other:  # noqa: SIM201  as `same_value` asks
                return False
        elif not same_value(value, other):
            return False
    return True


def to_json_outline(value: Any) -> Any:
    """A JSON-like value, with the class name in place of anything that has no JSON form."""
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return value
    if isinstance(value, Mapping):
        return {str(key): to_json_outline(item) for key, item in value.items()}
    return [to_json_outline(item) for item in value] if isinstance(value, list) else type(value).__name__


def has_json_form(value: Any) -> bool:
    """Whether a decision can read the whole value, so that it holds no live object."""
    json_value = to_json_or_empty(value)
    return same_value(to_json_outline(json_value), json_value)


def to_json_or_empty(value: Any) -> Any:
    """Like `to_json_value`, but returns an empty list where that fails."""
    try:
        return to_json_value(value)
    except Exception:  # noqa: BLE001  too deep, or it misbehaves: `copy_arguments` finds out, and refuses it
        return []


def to_json_value(value: Any) -> Any:
    """The JSON-like value that is decided; anything without such a form is left as it is, and refused later."""
    if type(value) not in _IMMUTABLE_TYPES and isinstance(value, Enum):  # a member of a `StrEnum` is a `str` too
        return to_json_value(value.value)
    if isinstance(value, _SCALAR_TYPES):
        return value
    if isinstance(value, Mapping):
        if all(isinstance(key, str) for key in value):
            return {key: to_json_value(item) for key, item in value.items()}
        return [[to_json_value(key), to_json_value(item)] for key, item in value.items()]
    if isinstance(value, list | tuple):
        return [to_json_value(item) for item in value]
    return _convert_object(value)


def _convert_object(value: Any) -> Any:
    if isinstance(value, set | frozenset):
        return sorted((to_json_value(item) for item in value), key=repr)
    if (root := get_root_value(value)) is not None:
        return to_json_value(root[0])
    if (fields := get_fields(value)) is not None:
        return {name: to_json_value(item) for name, item in fields.items()}
    return _convert_scalar(value)


def _convert_scalar(value: Any) -> Any:
    if is_secret(value):
        return {"secret": value.get_secret_value()}  # the name makes the redactor seal it
    if isinstance(value, Decimal):
        return _convert_decimal(value)
    if isinstance(value, dt.datetime | dt.date | dt.time):
        return value.isoformat()
    return str(value) if isinstance(value, _TEXT_TYPES) or is_url(value) else value


def _convert_decimal(value: Decimal) -> int | float | str:
    if not value.is_finite() or abs(value.adjusted()) > _MAX_POWER:
        return str(value)
    # An amount must stay a number, or a rule about amounts would not see it; but never another number.
    if value == value.to_integral_value():
        return int(value)
    number = float(value)
    return number if Decimal(repr(number)) == value else str(value)


def rebuild_argument(original: Any, wanted: Any) -> Any:
    """Rebuild an argument in the class that its function expects, with the values that were decided.

    Where there is no such object, the plain value itself: the function may refuse it, but runs with nothing else.
    """
    try:
        rebuilt = _rebuild_value(original, wanted)
        # INVARIANT: what runs was decided.
        return rebuilt if same_value(to_json_value(rebuilt), wanted) else wanted
    except Exception:  # noqa: BLE001  an object that cannot be made anew
        return wanted


def _rebuild_value(original: Any, wanted: Any) -> Any:
    if same_value(to_json_value(original), wanted):
        return original
    if isinstance(original, list | tuple) and isinstance(wanted, list) and len(original) == len(wanted):
        items = [_rebuild_value(item, new) for item, new in zip(original, wanted, strict=True)]
        return items if isinstance(original, list) else tuple(items)
    if isinstance(original, dict):
        return {key: _rebuild_value(original[key], new) for key, new in wanted.items()}
    if is_secret(original):
        return type(original)(wanted["secret"])
    return _rebuild_object(original, wanted) if isinstance(wanted, Mapping) else wanted


def _rebuild_object(original: Any, wanted: Mapping[str, Any]) -> Any:
    fields = {name: _rebuild_value(getattr(original, name), new) for name, new in wanted.items()}
    return copy_with_fields(original, fields) if is_model(original) else dataclasses.replace(original, **fields)


_SCALAR_TYPES: Final = (str, int, float, bytes, type(None))
_IMMUTABLE_TYPES: Final = frozenset((str, int, float, bool, type(None)))  # plain already, and nobody can change one


@dataclass(frozen=True, slots=True)
class BoundArguments:
    """Arguments of one invocation.

    Args:
        decision_values: plain values under the names of the signature, for the decision.
        objects: the same arguments as objects that nobody else holds.
        problem: reason code where they cannot be decided.
        injected: what the framework filled in; it is handed on as it is.
        by_position: how many were passed by position; the callable gets them in the same way.
        names: parameters that have a value, each with the name under which it was decided; whatever else there is came
            as `**kwargs`.
        left_out: parameters that nobody passed: the callable uses its own default unless an obligation changed it.
    """

    decision_values: dict[str, Any]
    objects: dict[str, Any]
    problem: str = ""
    injected: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    by_position: int = 0
    names: Mapping[str, str] = dataclasses.field(default_factory=dict)
    left_out: frozenset[str] = frozenset()

    def get_executed_arguments(self, ticket: Ticket) -> dict[str, Any]:
        """The arguments to run with: our copies, rebuilt where an obligation changed a value."""
        # INVARIANT: what runs was decided; an argument is taken from the snapshot only while it is untouched.
        decided, objects = self.decision_values, self.objects
        executed: dict[str, Any] = {}
        for name, value in ticket.args.items():
            executed[name] = (
                objects[name] if same_value(value, decided.get(name)) else rebuild_argument(objects[name], value)
            )
        return executed


def copy_arguments(
    arguments: Mapping[str, Any], live_objects: Mapping[str, tuple[Any, Any]] | None = None
) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Copy arguments; returns JSON-like values, copied objects, and a reason code where they cannot be decided.

    Args:
        arguments: arguments, by name.
        live_objects: arguments that hold a live object and so are not copied, each with the plain form it is
            decided in.
    """
    originals = dict(arguments)
    if not live_objects and _IMMUTABLE_TYPES.issuperset(map(type, originals.values())):
        return dict(originals), originals, ""
    try:
        objects = copy.deepcopy(originals)
        decision_values = {name: to_json_value(value) for name, value in objects.items()}
    except RecursionError:
        return {}, originals, "arguments_too_large"
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return {}, originals, "invalid_arguments"
    for name, (value, decision_value) in (live_objects or {}).items():
        objects[name], decision_values[name] = value, decision_value
    return decision_values, objects, ""


# calls by signature

_VAR_POSITIONAL: Final = inspect.Parameter.VAR_POSITIONAL
_VAR_KEYWORD: Final = inspect.Parameter.VAR_KEYWORD
_NAMED_KINDS: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_EMPTY: Final = inspect.Parameter.empty
_ANY_SIGNATURE: Final = inspect.Signature(
    [inspect.Parameter("args", _VAR_POSITIONAL), inspect.Parameter("kwargs", _VAR_KEYWORD)]
)


def read_signature(function: Callable[..., Any]) -> inspect.Signature:
    """The signature of a callable; for some builtins that have none, one that accepts anything."""
    try:
        return inspect.signature(function)
    except (TypeError, ValueError):
        return _ANY_SIGNATURE


@dataclasses.dataclass(frozen=True, slots=True)  # each adapter has a subclass
class ArgumentBinder:
    """Takes the arguments of a call to one callable apart and puts them together again.

    Args:
        signature: signature of the callable.

    Attributes:
        parameters: parameters of the callable, by name.
    """

    signature: inspect.Signature
    parameters: Mapping[str, inspect.Parameter] = dataclasses.field(init=False, repr=False, compare=False)
    _defaults: Mapping[str, Any] | None = dataclasses.field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Read once: attributes of `inspect` are properties, and a tool is called often.
        parameters = dict(self.signature.parameters)
        is_plain = all(item.kind in _NAMED_KINDS for item in parameters.values())
        defaults = {name: item.default for name, item in parameters.items()} if is_plain else None
        object.__setattr__(self, "parameters", parameters)
        object.__setattr__(self, "_defaults", defaults)

    def bind_call(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> BoundArguments:
        """The arguments of a call by name, copied so that nobody else holds them."""
        raise NotImplementedError

    def decides_default(self, name: str, default: Any) -> bool:  # noqa: ARG002  for subclasses
        """Whether the default of a parameter is decided as if it had been passed."""
        return True

    def sort_by_name(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> tuple[dict[str, Any], dict[str, Any], dict[str, Any]]:
        """Arguments by name: those passed for a parameter, defaults of the others, and `**kwargs`.

        Raises:
            TypeError: they do not fit the signature, or two have the same name, so that only one could be decided.
        """
        by_name = self._sort_keywords(kwargs) if not args else None
        if by_name is not None:
            return *by_name, {}
        bound = self.signature.bind(*args, **kwargs).arguments
        passed: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        keywords: dict[str, Any] = {}
        for name, parameter in self.parameters.items():
            if name in bound:
                if parameter.kind is _VAR_KEYWORD:
                    keywords = bound[name]
                else:
                    passed[name] = bound[name]
            elif parameter.default is not parameter.empty and self.decides_default(name, parameter.default):
                defaults[name] = parameter.default
        if repeated := keywords.keys() & {*passed, *defaults}:
            raise TypeError(f"two arguments are named `{min(repeated)}`")
        return passed, defaults, keywords

    def _sort_keywords(self, kwargs: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Keyword arguments, and the defaults decided with them; None if `inspect` has to bind the call.

        That is the case if parameters are positional only or variadic, if one is missing, or if a name is unknown.
        """
        passed: dict[str, Any] = {}
        defaults: dict[str, Any] = {}
        if self._defaults is None:
            return None
        for name, default in self._defaults.items():
            if name in kwargs:
                passed[name] = kwargs[name]
            elif default is _EMPTY:
                return None
            elif self.decides_default(name, default):
                defaults[name] = default
        return (passed, defaults) if len(passed) == len(kwargs) else None

    def build_call_arguments(
        self, bound_arguments: BoundArguments, executed: Mapping[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Positional and keyword arguments for the callable, passed the way they came."""
        remaining = {**executed, **bound_arguments.injected}
        if self._defaults is not None and bound_arguments.by_position == 0 and not bound_arguments.left_out:
            for name, decided_name in bound_arguments.names.items():
                if name != decided_name:
                    break
            else:
                return (), remaining
        positional: list[Any] = []
        keywords: dict[str, Any] = {}
        for index, (name, parameter) in enumerate(self.parameters.items()):
            if name not in bound_arguments.names or bound_arguments.names[name] not in remaining:
                continue  # a keyword that is called like it stays a keyword
            value = remaining.pop(bound_arguments.names[name])
            if name in bound_arguments.left_out and same_value(
                to_json_or_empty(value), to_json_or_empty(parameter.default)
            ):
                continue  # the callable's own object, which it may go on using
            if parameter.kind is _VAR_POSITIONAL:
                positional.extend(value)
            elif parameter.kind is inspect.Parameter.POSITIONAL_ONLY or index < bound_arguments.by_position:
                positional.append(value)
            else:
                keywords[name] = value
        return tuple(positional), {**keywords, **remaining}
