"""Room: graphs that a node's function holds. Takes: a node's runnable. Gives: one whose function holds other graphs.

A function that closes over a graph, and those that it closes over in turn, are built anew around the same code with
cells of their own for what changes; all other cells are shared with the originals. What a function finds through
globals, attributes or containers stays as it is. Never: changes an original, runs one, decides.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Iterable
from typing import Any, Final

from langchain_core.load.serializable import Serializable
from langchain_core.runnables import Runnable
from langgraph.pregel import Pregel

__all__ = ["Closures", "holds_graph"]

_FUNCTIONS: Final = ("func", "afunc")
_TOLD: Final = ("__module__", "__qualname__", "__doc__", "__annotations__")


def holds_graph(bound: Any) -> bool:
    """Whether a node's runnable is a function that reaches a graph through closures, defaults or partial arguments."""
    # A `RunnableLambda`, or LangGraph's own kind of it; tools have such fields too.
    if not isinstance(bound, Runnable) or isinstance(bound, Serializable):
        return False
    return any(_reaches(bound.__dict__.get(name)) for name in _FUNCTIONS)


def _reaches(value: Any) -> bool:
    seen: dict[int, Any] = {}
    todo = [value]
    while todo:
        at = todo.pop()
        if issubclass(type(at), Pregel):
            return True
        if id(at) not in seen:
            seen[id(at)] = at
            todo.extend(_inside(at))
    return False


def _inside(value: Any) -> Iterable[Any]:
    if type(value) is types.MethodType:
        return [value.__self__] if issubclass(type(value.__self__), Pregel) else []
    if type(value) is functools.partial:
        return [value.func, *value.args, *value.keywords.values()]
    if type(value) is types.FunctionType:
        cells = [_content(cell) for cell in value.__closure__ or ()]
        defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        return [*cells, *defaults, *value.__dict__.values()]
    return []


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # not filled yet
        return None


class Closures:
    """Builds functions anew around other graphs, each once: the two ways of calling a node share what they hold.

    Args:
        graph: gives what takes a graph's place.
    """

    def __init__(self, graph: Callable[[Any], Any]) -> None:
        self._graph = graph
        # By identity; the originals are kept so that nothing else takes theirs.
        self._functions: dict[int, tuple[Any, types.FunctionType]] = {}
        self._cells: dict[int, tuple[Any, types.CellType]] = {}

    def rewritten(self, bound: Any) -> Any:
        """A copy of a node's runnable that `holds_graph`, with its functions built anew."""
        again = copy.copy(bound)
        again.__dict__.pop("deps", None)  # what a `RunnableLambda` remembers of its function
        for name in _FUNCTIONS:
            if again.__dict__.get(name) is not None:
                again.__dict__[name] = self._swapped(again.__dict__[name])
        return again

    def _swapped(self, value: Any) -> Any:
        """What takes a value's place."""
        if issubclass(type(value), Pregel):
            return self._graph(value)
        if not _reaches(value):
            return value
        if type(value) is types.MethodType:
            return getattr(self._graph(value.__self__), value.__name__)
        if type(value) is functools.partial:
            keywords = {name: self._swapped(item) for name, item in value.keywords.items()}
            return functools.partial(self._swapped(value.func), *map(self._swapped, value.args), **keywords)
        return self._function(value)

    def _function(self, function: types.FunctionType) -> types.FunctionType:
        if id(function) in self._functions:
            return self._functions[id(function)][1]
        # INVARIANT: nothing is filled before it is known: a function may hold itself, a graph the node that runs it.
        own = function.__closure__ or ()
        missing = [cell for cell in own if id(cell) not in self._cells and _reaches(_content(cell))]
        self._cells.update((id(cell), (cell, types.CellType())) for cell in missing)
        cells = tuple(self._cells.get(id(cell), (cell, cell))[1] for cell in own)
        made = types.FunctionType(function.__code__, function.__globals__, function.__name__, None, cells)
        self._functions[id(function)] = function, made
        for cell in missing:
            self._cells[id(cell)][1].cell_contents = self._swapped(_content(cell))
        for name in _TOLD:
            setattr(made, name, getattr(function, name))
        made.__defaults__ = tuple(map(self._swapped, function.__defaults__ or ())) or None
        keywords = function.__kwdefaults__ or {}
        made.__kwdefaults__ = {name: self._swapped(item) for name, item in keywords.items()} or None
        made.__dict__.update({name: self._swapped(item) for name, item in function.__dict__.items()})
        return made
