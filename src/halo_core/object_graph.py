"""Finds what objects and functions of an application refer to, for the adapters' doctors.

It reads instance dictionaries, slots, closures, byte code and what the garbage collector sees. It runs nothing of the
object's own: no property, no `__getattr__`, no import. Unusual values do not make it raise.
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

_ATOMIC_TYPES: Final = frozenset((
    bool, bytearray, bytes, complex, float, int, range, str, type(None), type(...), type(NotImplemented),
))  # fmt: skip
_MAPPINGS: Final = (dict, types.MappingProxyType)
_SEQUENCES: Final = (list, tuple, set, frozenset, deque)
_MAX_CLASSES: Final = 4096
_descriptors: Final[dict[type[Any], tuple[tuple[type[Any], ...], list[tuple[str, Any, type[Any]]]]]] = {}
"""What `_list_descriptors` found of a class with these bases."""
_LRU_CACHE_TYPE: Final = type(functools.lru_cache(str))
_DESCRIPTOR_TYPES: Final = (types.GetSetDescriptorType, types.MemberDescriptorType)
_CALL_BIT: Final = 1
"""Bit of `LOAD_GLOBAL`, and since 3.12 of `LOAD_ATTR`, that says: to be called."""
_COMMON_PACKAGES: Final = ("anyio", "halo_core", "httpx", "pydantic", "pydantic_core", "typing_extensions")
"""What Halo and every framework stand on."""
_IGNORED_OPCODES: Final = frozenset(("CACHE", "EXTENDED_ARG", "PRECALL", "STORE_DEREF", "STORE_FAST"))


def is_a(obj: Any, *kinds: type[Any]) -> bool:
    """`isinstance` by the real type: a proxy's `__class__` is its own code and may lie."""
    return issubclass(type(obj), kinds)


def is_atomic(obj: Any) -> bool:
    """Whether a value can hold no other object."""
    return type(obj) in _ATOMIC_TYPES


def is_atomic_type(kind: type[Any]) -> bool:
    """Whether values of exactly this class can hold no other object."""
    return kind in _ATOMIC_TYPES


def get_attributes(obj: Any) -> dict[str, Any]:
    """Attributes stored in an object itself: its dictionary and slots, private pydantic ones included."""
    attributes: dict[str, Any] = {}
    for name, member, kind in _list_descriptors(type(obj)):
        if name == "__dict__":
            attributes.update(_read_member(member, obj, kind) or {})
        else:
            attributes[name] = _read_member(member, obj, kind)
    return attributes


def _list_descriptors(cls: type[Any]) -> list[tuple[str, Any, type[Any]]]:
    """The descriptors that read the attributes of a class's objects: name, descriptor and class, bases first."""
    known = _descriptors.get(cls)
    if known is not None and known[0] is cls.__mro__:
        return known[1]
    descriptors = [
        (name, member, kind)
        for kind in reversed(cls.__mro__)
        for name, member in kind.__dict__.items()
        if (name == "__dict__" and type(member) in _DESCRIPTOR_TYPES)
        or (type(member) is types.MemberDescriptorType and kind.__module__ != "builtins")
    ]
    if len(_descriptors) >= _MAX_CLASSES:
        _descriptors.clear()
    _descriptors[cls] = cls.__mro__, descriptors
    return descriptors


def _read_member(member: Any, obj: Any, kind: type[Any]) -> Any:
    try:
        return member.__get__(obj, kind)
    except (AttributeError, TypeError):  # an empty slot
        return None


def iterate_container(obj: Any) -> Iterator[tuple[str, Any]] | None:
    """Items of a builtin container, each with a word for its place; None for anything else."""
    # By the builtin's own methods: a subclass may have others.
    if is_a(obj, *_MAPPINGS):
        items = dict.items(obj) if is_a(obj, dict) else types.MappingProxyType.items(obj)
        pairs = list(items)
        keys = [("", key) for key, _ in pairs if not is_atomic(key)]
        return iter([*((key if type(key) is str else "", value) for key, value in pairs), *keys])
    if is_a(obj, *_SEQUENCES):
        base = next(kind for kind in _SEQUENCES if is_a(obj, kind))
        return (("", value) for value in list(base.__iter__(obj)))
    return None


def list_values(obj: Any) -> list[Any]:
    """Values of a builtin container, and keys that hold something; empty for anything else."""
    return [value for _, value in iterate_container(obj) or ()]


def get_module_name(obj: Any) -> str:
    """Module of a function, or of the class of anything else; empty if unknown."""
    if is_a(obj, types.FunctionType):
        name = obj.__globals__.get("__name__")
    else:
        name = (obj if is_a(obj, type) else type(obj)).__dict__.get("__module__")
    return name if type(name) is str else ""


def unwrap(obj: Any) -> tuple[Any, list[tuple[str, Any]]]:
    """The function inside bound methods and partial objects, and the other objects those hold."""
    extras: list[tuple[str, Any]] = []
    while type(obj) is not types.FunctionType:
        if type(obj) is types.MethodType:
            extras.append(("", obj.__self__))
            obj = obj.__func__
        elif is_a(obj, functools.partial):
            extras += [("", value) for value in obj.args]
            extras += [(str(name), value) for name, value in obj.keywords.items()]
            obj = obj.func
        elif type(obj) in {staticmethod, classmethod}:
            obj = obj.__func__
        elif type(obj) is property:
            obj = obj.fget
        elif type(obj) is functools.cached_property:
            obj = obj.func
        elif type(obj) is _LRU_CACHE_TYPE:
            obj = obj.__wrapped__
        else:
            break
    return obj, extras


def iterate_closure(function: types.FunctionType) -> Iterator[tuple[str, Any]]:
    """Variables that a function closes over, by name."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=False):
        try:
            yield name, cell.cell_contents
        except ValueError:  # not filled yet
            continue


@dataclass(frozen=True, slots=True, eq=False)
class ObjectExplorer:
    """How one adapter explores the objects of an app.

    Args:
        adapter: package of the adapter; its `demo` is looked into like an app.
        frameworks: packages of the framework; a package that uses one of them is looked into like an app.
        companions: packages that the framework stands on, or that are made for it.
    """

    adapter: str
    frameworks: frozenset[str]
    companions: frozenset[str]

    def iterate_contents(self, obj: Any) -> Iterator[tuple[str, Any]]:
        """Contents of an object that is no container; for C objects, the garbage collector's referents."""
        if is_a(obj, weakref.ref):
            referent = weakref.ref.__call__(obj)
            if not is_a(referent, type):  # who keeps track of classes uses none of them
                yield "", referent
            return
        attributes = get_attributes(obj)
        yield from attributes.items()
        is_context_variable = type(obj) is contextvars.ContextVar
        if is_context_variable:
            yield "", obj.get(None)  # in this context; its default is among the referents
        if (is_context_variable or not attributes) and self.is_framework_module(get_module_name(obj)):
            yield from (("", value) for value in gc.get_referents(obj) if value is not type(obj))

    def is_framework_module(self, module: str) -> bool:
        """Whether a module belongs to the framework, to Halo or to Python, and so holds nothing of the app."""
        top = module.partition(".")[0]
        if module.startswith(f"{self.adapter}.demo"):
            return False
        if not top or top == self.adapter or top in _COMMON_PACKAGES or top in sys.stdlib_module_names:
            return True
        return top in self.frameworks or top in self.companions

    def is_app_module(self, module: str) -> bool:
        """Whether a module's globals may hold something to govern.

        The app's modules do; installed packages only if they know the framework.
        """
        if self.is_framework_module(module):
            return False
        file = getattr(sys.modules.get(module), "__file__", None)
        if type(file) is not str or not {"site-packages", "dist-packages"} & set(file.replace("\\", "/").split("/")):
            return True
        return _package_uses(module.partition(".")[0], self.frameworks)

    def iterate_captured(self, function: types.FunctionType) -> Iterator[tuple[str, Any, bool]]:
        """The objects that a function can reach: name, object, and whether it calls it.

        Closure, defaults, what it wraps, and of an app's own function the globals that its code and the code nested in
        it name, modules' attributes and imports inside it among them.
        """
        captured = (
            *iterate_closure(function),
            *(("", value) for value in function.__defaults__ or ()),
            *(function.__kwdefaults__ or {}).items(),
            *function.__dict__.items(),
        )
        yield from ((name, value, False) for name, value in captured)
        if self.is_app_module(get_module_name(function)):
            yield from _iterate_globals(function.__code__, function.__globals__)

    def iterate_members(self, kind: type[Any]) -> Iterator[tuple[str, Any]]:
        """Members of the app's own classes among a class and its bases, without Python's names.

        A class that the framework makes around the app's functions (the middleware of its decorators) is the app's own.
        """
        for base in kind.__mro__:
            module = get_module_name(base)
            is_generated = (
                self.is_framework_module(module)
                and get_attributes(sys.modules.get(module)).get(base.__name__) is not base
            )
            if self.is_app_module(module) or is_generated:
                for name, member in base.__dict__.items():
                    inner, _ = unwrap(member)
                    if type(inner) is types.FunctionType or (not name.startswith("__") and name != "_abc_impl"):
                        yield name, member


@functools.lru_cache(maxsize=512)
def _package_uses(package: str, markers: frozenset[str]) -> bool:
    """Whether a loaded module of a package holds something of the framework."""
    for name, module in list(sys.modules.items()):
        if (name == package or name.startswith(f"{package}.")) and is_a(module, types.ModuleType):
            values = list(get_attributes(module).values())
            tops = {(get_module_name(v) or _get_stored_name(v)).partition(".")[0] for v in values if not is_atomic(v)}
            if tops & markers:
                return True
    return False


def _get_stored_name(value: Any) -> str:
    """The `__name__` of a module or function, empty if it is no text."""
    name = get_attributes(value).get("__name__")
    return name if isinstance(name, str) else ""


def _iterate_globals(code: types.CodeType, scope: Mapping[str, Any]) -> Iterator[tuple[str, Any, bool]]:
    """Globals that code names; for a module, the attribute that is read."""
    current: Any = None
    calls = False
    steps = [step for step in dis.get_instructions(code) if step.opname not in _IGNORED_OPCODES]
    for step, following in zip(steps, [*steps[1:], None], strict=True):
        if step.opname in {"LOAD_GLOBAL", "LOAD_NAME"}:
            current, calls = scope.get(step.argval), _is_called(step, following)
        elif step.opname == "IMPORT_NAME":
            current = sys.modules.get(step.argval)
            continue
        elif step.opname in {"LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"} and is_a(current, types.ModuleType):
            module, current = current, current.__dict__.get(step.argval)
            calls = calls or _is_called(step, following)
            if step.opname == "IMPORT_FROM":
                yield step.argval, current, True  # what is imported inside a function is there to be called
                current = module
                continue
        else:
            current = None
        if current is not None and not is_a(current, types.ModuleType):
            yield str(step.argval), current, calls
    for inner in code.co_consts:
        if type(inner) is types.CodeType:
            yield from _iterate_globals(inner, scope)


def _is_called(step: dis.Instruction, following: dis.Instruction | None) -> bool:
    """Whether an instruction loads something to call it, in the bytecode of any supported Python."""
    if step.opname == "LOAD_METHOD" or (following is not None and following.opname == "PUSH_NULL"):
        return True
    return (step.opname == "LOAD_GLOBAL" or sys.version_info >= (3, 12)) and bool((step.arg or 0) & _CALL_BIT)
