"""Room: what objects and functions hold, for the adapters' doctors. Takes: any object. Gives: what it reaches, named.

It reads instance dictionaries, slots, closures, byte code, and what the garbage collector sees. Never: runs anything of
the object's own (no property, no `__getattr__`, no import), judges, raises for odd values.
"""

from __future__ import annotations

import contextvars
import dis
import functools
import gc
import sys
import types
import weakref
from collections import deque
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["Reach", "closed_over", "container", "held", "is_a", "module_of", "plain", "unwrapped"]

_PLAIN: Final = frozenset((
    bool, bytearray, bytes, complex, float, int, range, str, type(None), type(...), type(NotImplemented),
))  # fmt: skip
_MAPPINGS: Final = (dict, types.MappingProxyType)
_SEQUENCES: Final = (list, tuple, set, frozenset, deque)
_CACHED: Final = type(functools.lru_cache(str))
_DICTS: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)
_CALLS: Final = 1
"""Bit of `LOAD_GLOBAL`, and since 3.12 of `LOAD_ATTR`, that says: to be called."""
_BESIDE: Final = frozenset(("CACHE", "EXTENDED_ARG", "PRECALL", "STORE_DEREF", "STORE_FAST"))


def is_a(x: Any, *kinds: type[Any]) -> bool:
    """`isinstance` by the real type: a proxy's pretended class is its own code."""
    return issubclass(type(x), kinds)


def plain(x: Any) -> bool:
    """Whether it is a value that holds nothing."""
    return type(x) in _PLAIN


def held(x: Any) -> dict[str, Any]:
    """Attributes that an object holds itself: its dictionary and slots, private ones of pydantic too."""
    found: dict[str, Any] = {}
    for kind in reversed(type(x).__mro__):
        for name, member in kind.__dict__.items():
            if name == "__dict__" and type(member) in _DICTS:
                found.update(_read(member, x, kind) or {})
            elif type(member) is types.MemberDescriptorType and kind.__module__ != "builtins":
                found[name] = _read(member, x, kind)
    return found


def _read(member: Any, x: Any, kind: type[Any]) -> Any:
    try:
        return member.__get__(x, kind)
    except (AttributeError, TypeError):  # an empty slot
        return None


def container(x: Any) -> Iterator[tuple[str, Any]] | None:
    """Items of a builtin container, with a word for each; None where it is none."""
    # By the builtin's own methods: a subclass may have others.
    if is_a(x, *_MAPPINGS):
        items = dict.items(x) if is_a(x, dict) else types.MappingProxyType.items(x)
        pairs = list(items)
        keys = [("", key) for key, _ in pairs if not plain(key)]
        return iter([*((key if type(key) is str else "", value) for key, value in pairs), *keys])
    if is_a(x, *_SEQUENCES):
        base = next(kind for kind in _SEQUENCES if is_a(x, kind))
        return (("", value) for value in list(base.__iter__(x)))
    return None


def module_of(x: Any) -> str:
    """Module in which a function, or the class of anything else, was made; empty where none is told."""
    if is_a(x, types.FunctionType):
        name = x.__globals__.get("__name__")
    else:
        name = (x if is_a(x, type) else type(x)).__dict__.get("__module__")
    return name if type(name) is str else ""


def unwrapped(x: Any) -> tuple[Any, list[tuple[str, Any]]]:
    """The function inside bound methods and partial objects, and what those hold beside it."""
    more: list[tuple[str, Any]] = []
    while True:
        if type(x) is types.MethodType:
            more.append(("", x.__self__))
            x = x.__func__
        elif is_a(x, functools.partial):
            more += [("", value) for value in x.args]
            more += [(str(name), value) for name, value in x.keywords.items()]
            x = x.func
        elif type(x) in {staticmethod, classmethod}:
            x = x.__func__
        elif type(x) is property:
            x = x.fget
        elif type(x) is functools.cached_property:
            x = x.func
        elif type(x) is _CACHED:
            x = x.__wrapped__
        else:
            return x, more


def closed_over(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Variables that a function closes over, by name."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue


@dataclass(frozen=True, slots=True, eq=False)
class Reach:
    """How one adapter looks into an app.

    Args:
        frameworks: packages that belong to the framework, to Halo or to what both stand on.
        known: packages by which a package shows that it knows the framework.
        shown: prefix of modules of ours that are looked into like an app's.
    """

    frameworks: frozenset[str]
    known: frozenset[str]
    shown: str = ""

    def inside(self, x: Any) -> Iterator[tuple[str, Any]]:
        """What an object that is no container holds; of one made in C what the garbage collector would follow."""
        if is_a(x, weakref.ref):
            there = weakref.ref.__call__(x)
            if not is_a(there, type):  # who keeps track of classes uses none of them
                yield "", there
            return
        mine = held(x)
        yield from mine.items()
        known = type(x) is contextvars.ContextVar
        if known:
            yield "", x.get(None)  # in this context; its default is among the referents
        if (known or not mine) and self.framework(module_of(x)):
            yield from (("", value) for value in gc.get_referents(x) if value is not type(x))

    def framework(self, module: str) -> bool:
        """Whether a module belongs to the framework, to Halo or to Python, which hold nothing of the app's."""
        top = module.partition(".")[0]
        if self.shown and module.startswith(self.shown):
            return False
        return not top or top in self.frameworks or top in sys.stdlib_module_names

    def own(self, module: str) -> bool:
        """Whether a module's globals may hold something governable.

        The app's modules do; installed packages only if they know the framework.
        """
        if self.framework(module):
            return False
        at = getattr(sys.modules.get(module), "__file__", None)
        if type(at) is not str or not {"site-packages", "dist-packages"} & set(at.replace("\\", "/").split("/")):
            return True
        return _knows(module.partition(".")[0], self.known)

    def captured(self, function: types.FunctionType) -> Iterator[tuple[str, Any, bool]]:
        """What a function reaches: name, object, and whether the function calls it.

        Closure, defaults, what it wraps, and of an app's own function the globals that its code and the code nested in
        it name, modules' attributes and imports inside it among them.
        """
        for name, value in closed_over(function):
            yield name, value, False
        for value in function.__defaults__ or ():
            yield "", value, False
        for name, value in (function.__kwdefaults__ or {}).items():
            yield name, value, False
        for name, value in function.__dict__.items():
            yield name, value, False
        if self.own(module_of(function)):
            yield from _named(function.__code__, function.__globals__)

    def members(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """What the app's own classes among a class and its bases hold, but for Python's own names.

        A class that the framework makes around the app's functions (the middleware of its decorators) is the app's own.
        """
        for base in kind.__mro__:
            module = module_of(base)
            made = self.framework(module) and held(sys.modules.get(module)).get(base.__name__) is not base
            if self.own(module) or made:
                for name, member in base.__dict__.items():
                    inner, _ = unwrapped(member)
                    if type(inner) is types.FunctionType or (not name.startswith("__") and name != "_abc_impl"):
                        yield name, member


@functools.lru_cache(maxsize=512)
def _knows(package: str, known: frozenset[str]) -> bool:
    """Whether any loaded module of a package holds something of the framework's."""
    for name, module in list(sys.modules.items()):
        if (name == package or name.startswith(f"{package}.")) and is_a(module, types.ModuleType):
            values = list(held(module).values())
            tops = {(module_of(v) or _name_in(v)).partition(".")[0] for v in values if not plain(v)}
            if tops & known:
                return True
    return False


def _name_in(value: Any) -> str:
    """The name that a module or function holds; a class of classes holds something else under that."""
    found = held(value).get("__name__")
    return found if isinstance(found, str) else ""


def _named(code: types.CodeType, scope: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Globals that code names; of a module the attribute that is read."""
    at: Any = None
    calls = False
    steps = [step for step in dis.get_instructions(code) if step.opname not in _BESIDE]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            at, calls = scope.get(step.argval), _called(step, following)
        elif step.opname == "IMPORT_NAME":
            at = sys.modules.get(step.argval)
            continue
        elif step.opname in {"LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"} and is_a(at, types.ModuleType):
            module, at = at, at.__dict__.get(step.argval)
            calls = calls or _called(step, following)
            if step.opname == "IMPORT_FROM":
                yield step.argval, at, True  # what is imported inside a function is there to be called
                at = module
                continue
        else:
            at = None
        if at is not None and not is_a(at, types.ModuleType):
            yield str(step.argval), at, calls
    for inner in code.co_consts:
        if type(inner) is types.CodeType:
            yield from _named(inner, scope)


def _called(step: dis.Instruction, following: dis.Instruction | None) -> bool:
    """Whether what a step loads is then called, as the versions of Python say it."""
    if step.opname == "LOAD_METHOD" or (following is not None and following.opname == "PUSH_NULL"):
        return True
    return (step.opname == "LOAD_GLOBAL" or sys.version_info >= (3, 12)) and bool((step.arg or 0) & _CALLS)
