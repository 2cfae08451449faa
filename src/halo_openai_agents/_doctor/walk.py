"""Room: what objects and functions hold. Takes: any object. Gives: what it reaches.

It reads instance dictionaries, slots, closures and byte code. Never: runs anything of the object's own (no property, no
`__getattr__`, no import), judges, raises for odd values.
"""

from __future__ import annotations

import contextvars
import dis
import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

__all__ = ["container", "framework", "held", "is_a", "module_of", "plain", "reached"]

_PLAIN: Final = frozenset((
    bool, bytearray, bytes, complex, float, int, range, str, type(None), type(...), type(NotImplemented),
))  # fmt: skip
_MAPPINGS: Final = (dict, types.MappingProxyType)
_SEQUENCES: Final = (list, tuple, set, frozenset, deque)
_FRAMEWORKS: Final = frozenset((
    "agents", "anyio", "halo_core", "halo_openai_agents", "httpx", "httpx2", "mcp", "openai", "pydantic",
    "pydantic_core", "typing_extensions",
))  # fmt: skip


def is_a(x: Any, *kinds: type[Any]) -> bool:
    """`isinstance` by the real type: a proxy's pretended class is its own code."""
    return issubclass(type(x), kinds)


def plain(x: Any) -> bool:
    """Whether it is a value that holds nothing."""
    return type(x) in _PLAIN


def module_of(x: Any) -> str:
    """Module in which a function, or the class of anything else, was made; empty where none is told."""
    if is_a(x, types.FunctionType):
        name = x.__globals__.get("__name__")
    else:
        name = (x if is_a(x, type) else type(x)).__dict__.get("__module__")
    return name if type(name) is str else ""


def framework(module: str) -> bool:
    """Whether a module belongs to the SDK, to Halo or to Python, whose globals hold nothing of the app's."""
    top = module.partition(".")[0]
    if module.startswith("halo_openai_agents.demo"):
        return False
    return not top or top in _FRAMEWORKS or top in sys.stdlib_module_names


def held(x: Any) -> dict[str, Any]:
    """Attributes that an object holds itself: its dictionary and slots."""
    found: dict[str, Any] = {}
    for kind in reversed(type(x).__mro__):
        for name, member in kind.__dict__.items():
            if name == "__dict__" and type(member) is types.GetSetDescriptorType:
                found.update(_read(member, x, kind) or {})
            elif type(member) is types.MemberDescriptorType and kind.__module__ != "builtins":
                found[name] = _read(member, x, kind)
    return found


def _read(member: Any, x: Any, kind: type[Any]) -> Any:
    try:
        return member.__get__(x, kind)
    except (AttributeError, TypeError):  # an empty slot
        return None


def container(x: Any) -> list[Any] | None:
    """Items of a builtin container; None where it is none. By the builtin's own methods: a subclass may have others."""
    if is_a(x, *_MAPPINGS):
        items = dict.items(x) if is_a(x, dict) else types.MappingProxyType.items(x)
        return [part for pair in list(items) for part in pair]
    if is_a(x, *_SEQUENCES):
        base = next(kind for kind in _SEQUENCES if is_a(x, kind))
        return list(base.__iter__(x))
    return None


def reached(x: Any) -> list[Any]:
    """What anything holds that is no container: a function its closure and the globals it names, an object its own."""
    for kind, look in _HOLDS:
        if is_a(x, kind):
            return list(look(x))
    return [*held(x).values(), *_members(type(x))]


def _members(kind: type[Any]) -> Iterator[Any]:
    """Functions of the app's own classes."""
    for base in kind.__mro__:
        if not framework(module_of(base)):
            yield from (_inner(member) for name, member in base.__dict__.items() if not _silent(name))


def _silent(name: str) -> bool:
    return name.startswith("__") and name not in ("__call__", "__init__")


def _inner(member: Any) -> Any:
    if type(member) in (staticmethod, classmethod):
        return member.__func__
    return member.fget if type(member) is property else member


def _captured(function: types.FunctionType) -> Iterator[Any]:
    for cell in function.__closure__ or ():
        try:
            yield cell.cell_contents
        except ValueError:  # not filled yet
            continue
    yield from function.__defaults__ or ()
    yield from (function.__kwdefaults__ or {}).values()
    yield from function.__dict__.values()
    if not framework(module_of(function)):
        yield from _named(function.__code__, function.__globals__)


def _named(code: types.CodeType, scope: Mapping[str, Any]) -> Iterator[Any]:
    """Globals that code names; of a module the attribute that is read."""
    at: Any = None
    for step in dis.get_instructions(code):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            at = scope.get(step.argval)
        elif step.opname in {"LOAD_ATTR", "LOAD_METHOD"} and is_a(at, types.ModuleType):
            at = at.__dict__.get(step.argval)
        elif step.opname in {"CACHE", "EXTENDED_ARG", "PRECALL", "PUSH_NULL"}:
            continue
        else:
            at = None
        if at is not None and not is_a(at, types.ModuleType):
            yield at
    for inner in code.co_consts:
        if type(inner) is types.CodeType:
            yield from _named(inner, scope)


_HOLDS: Final[tuple[tuple[type[Any], Callable[[Any], Iterable[Any]]], ...]] = (
    (types.MethodType, lambda x: (x.__self__, x.__func__)),
    (functools.partial, lambda x: (x.func, *x.args, *x.keywords.values())),
    (types.FunctionType, _captured),
    (contextvars.ContextVar, lambda x: (x.get(None),)),
    (types.ModuleType, lambda _x: ()),
    (type, _members),
)
