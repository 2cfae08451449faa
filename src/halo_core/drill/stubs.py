"""Replaces the bodies of an application's functions while a drill runs (`FunctionStubs`).

The code object of the function itself is replaced, so that the stub runs whichever way the function is reached: through
a wrapper, a guard, a closure, or an original that a module keeps. The function keeps its name, signature, defaults and
closure.
"""

from __future__ import annotations

import inspect
import itertools
import types
from collections.abc import Callable, Mapping
from typing import Any, Final, Self

from halo_core.quick_dataclass import dataclass

Handler = Callable[[Mapping[str, Any]], Any]
"""Takes the arguments of a call by parameter name, and returns its result."""

_HANDLERS: Final[dict[int, Handler]] = {}
_NUMBERS: Final = itertools.count(1)
_CANNOT_REPLACE: Final = "its body is not a Python function"


def find_problem(function: Any) -> str:
    """Why the body of a function cannot be replaced; empty if it can be."""
    if type(function) is not types.FunctionType:
        return _CANNOT_REPLACE
    names = (*_list_parameters(function.__code__), *function.__code__.co_freevars)
    return "" if all(name.isidentifier() for name in names) else _CANNOT_REPLACE


def list_subclasses(kind: type[Any]) -> list[type[Any]]:
    """All loaded subclasses of a class, each once."""
    classes: dict[type[Any], None] = {}
    waiting = [kind]
    while waiting:
        for item in waiting.pop().__subclasses__():
            if item not in classes:
                classes[item] = None
                waiting.append(item)
    return list(classes)


def call_stub(number: int, arguments: Mapping[str, Any]) -> Any:
    """Answer the call of a replaced function; called by the code of a stub.

    Raises:
        RuntimeError: the drill that replaced it has ended.
    """
    handler = _HANDLERS.get(number)
    if handler is None:
        raise RuntimeError("this function was replaced for a drill that has ended")
    return handler(arguments)


@dataclass(frozen=True, slots=True)
class _Replaced:
    function: types.FunctionType
    code: types.CodeType
    number: int


class FunctionStubs:
    """Replaces the bodies of functions, and puts them back at the end of the `with` block."""

    def __init__(self) -> None:
        self._replaced: dict[int, _Replaced] = {}
        self._is_kept = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exc: object) -> None:
        self.restore()

    def replace(self, function: types.FunctionType, handler: Handler) -> None:
        """Replace the body of a function; for one already replaced, its handler.

        Args:
            function: any function for which `find_problem` says nothing.
            handler: what answers a call. For a generator it returns what is iterated over.
        """
        earlier = self._replaced.get(id(function))
        if earlier is not None:
            _HANDLERS[earlier.number] = handler
            return
        number, code = next(_NUMBERS), function.__code__
        _HANDLERS[number] = handler
        self._replaced[id(function)] = _Replaced(function, code, number)
        function.__code__ = _make_code(code, number)

    def keep(self) -> None:
        """Restore no body: a run that did not end may still call them."""
        self._is_kept = True

    def restore(self) -> None:
        """Put all bodies back, unless they are kept."""
        if self._is_kept:
            return
        for item in self._replaced.values():
            item.function.__code__ = item.code
            _HANDLERS.pop(item.number, None)
        self._replaced.clear()


def _list_parameters(code: types.CodeType) -> tuple[str, ...]:
    count = code.co_argcount + code.co_kwonlyargcount
    count += bool(code.co_flags & inspect.CO_VARARGS) + bool(code.co_flags & inspect.CO_VARKEYWORDS)
    return code.co_varnames[:count]


def _make_code(code: types.CodeType, number: int) -> types.CodeType:
    """Code with another function's parameters and free variables that only calls the handler."""
    source = _write_source(code, number)
    scope: dict[str, Any] = {}
    exec(compile(source, f"<drill {code.co_name}>", "exec"), scope)  # noqa: S102  its text is made here, of identifiers
    function: types.FunctionType = scope["factory"](*(None for _ in code.co_freevars))
    return function.__code__.replace(co_name=code.co_name, co_qualname=code.co_qualname)


def _write_source(code: types.CodeType, number: int) -> str:
    parameters, flags = _list_parameters(code), code.co_flags
    named, keyword_only = code.co_argcount, code.co_kwonlyargcount
    parts = [f"{name}=None" for name in parameters[:named]]  # a default only makes the text valid; code holds none
    if code.co_posonlyargcount:
        parts.insert(code.co_posonlyargcount, "/")
    variadic = list(parameters[named + keyword_only :])
    if flags & inspect.CO_VARARGS:
        parts.append(f"*{variadic.pop(0)}")
    elif keyword_only:
        parts.append("*")
    parts += [f"{name}=None" for name in parameters[named : named + keyword_only]]
    if flags & inspect.CO_VARKEYWORDS:
        parts.append(f"**{variadic.pop(0)}")
    values = ", ".join(f"{name!r}: {name}" for name in parameters)
    result = f"__call_stub({number}, {{{values}}})"
    head, body = "def", f"return {result}"
    if flags & inspect.CO_ASYNC_GENERATOR:
        head, body = "async def", f"for __item in {result}:\n            yield __item"
    elif flags & inspect.CO_COROUTINE:
        head = "async def"
        body = f"__result = {result}\n        return await __result if hasattr(__result, '__await__') else __result"
    elif flags & inspect.CO_GENERATOR:
        body = f"yield from {result}"
    keep = f"({', '.join(code.co_freevars)},)" if code.co_freevars else "None"
    return (
        f"def factory({', '.join(code.co_freevars)}):\n"
        f"    {head} stub({', '.join(parts)}):\n"
        f"        {keep}\n"
        f"        from {__name__} import call_stub as __call_stub\n"
        f"        {body}\n"
        f"    return stub\n"
    )
