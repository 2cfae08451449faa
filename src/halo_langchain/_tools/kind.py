"""Room: the class of a guarded tool. Takes: a tool's class. Gives: a subclass whose every way in is decided, once.

Never: decides itself, holds anything of one tool.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from langchain_core.tools import BaseTool

from halo_core.pep.gate import required, subclass
from halo_langchain._context import Mark, chosen, entered, mark_of
from halo_langchain._own import own
from halo_langchain._tools.entry import Entered, aenter, call_id_of, enter
from halo_langchain._tools.filled import by_node, filling
from halo_langchain._tools.run import arun_gated, run_gated

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate
    from halo_langchain._values.arguments import Binder

__all__ = ["BINDERS", "entry_class", "of_body", "run_class"]

BINDERS: Final = "_halo_binders"
_WAYS: Final = ("invoke", "ainvoke", "run", "arun")

# Inside the own `_run` of a tool that holds functions too: they are its body, and take its decision, once.
_INSIDE: Final[ContextVar[list[Gate] | None]] = ContextVar("halo_langchain_inside", default=None)


@contextmanager
def _inside(gate: Gate) -> Iterator[None]:
    token = _INSIDE.set(held := [gate])
    try:
        yield
    finally:
        held.clear()  # tasks and threads that were started inside hold it too
        _INSIDE.reset(token)


def of_body(gate: Gate) -> bool:
    """Whether a function that a tool holds is called by the tool's own, decided, body; no other call is, afterwards."""
    held = _INSIDE.get()
    if not held or held[0] is not gate:
        return False
    held.clear()
    return True


def _body(tool: Any, *, awaited: bool) -> Binder | None:
    """The binder of what the framework runs of a tool, first of all."""
    binders: Mapping[str, Binder] = tool.__dict__[BINDERS]
    if "_run" in binders:
        return binders["_arun" if awaited and type(tool)._arun is not BaseTool._arun else "_run"]  # noqa: SLF001
    order = ("coroutine", "func") if awaited else ("func", "coroutine")
    return next((binders[name] for name in order if name in binders), None)


def _passed(method: Callable[..., Any], tool: Any, value: Any, args: tuple[Any, ...], kwargs: Any) -> dict[str, Any]:
    """What else an own entry point is given, under the names that it has for it."""
    signature = inspect.signature(method)
    found: dict[str, Any] = {}
    for name, item in list(signature.bind_partial(tool, value, *args, **kwargs).arguments.items())[2:]:
        found |= item if signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD else {name: item}
    return found


def _with(kwargs: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    return {name: more.get(name, item) for name, item in kwargs.items()}


@functools.lru_cache(maxsize=256)
def entry_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose entry points say that a guard decides this run, or decide where the class made them anew."""
    mine = {name: own(kind, name) for name in _WAYS}

    def marked_for(gate: Gate, name: str, kwargs: dict[str, Any]) -> Mark:
        # A class that made an entry point anew starts its runs as it likes.
        return mark_of(gate.halo, "tool", gate.name, None if mine[name] else chosen(kwargs))

    def invoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        gate = required(self)
        with filling(gate, node=by_node(inspect.currentframe())):
            if not mine["invoke"]:
                return kind.invoke(self, input, config, **kwargs)
            call_id, mark = call_id_of(input), marked_for(gate, "invoke", kwargs)
            with entered(mark, config, call_id):
                given = Entered(gate, mark, call_id, input, _body(self, awaited=False), whole=True)
                given = given.taken_apart(self, _passed(kind.invoke, self, input, (), kwargs))
                return enter(given, lambda value, more: kind.invoke(self, value, config, **_with(kwargs, more)))

    async def ainvoke(self: Any, input: Any, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        gate = required(self)
        with filling(gate, node=by_node(inspect.currentframe())):
            if not mine["ainvoke"]:
                return await kind.ainvoke(self, input, config, **kwargs)
            call_id, mark = call_id_of(input), marked_for(gate, "ainvoke", kwargs)
            with entered(mark, config, call_id):
                given = Entered(gate, mark, call_id, input, _body(self, awaited=True), whole=True)
                given = given.taken_apart(self, _passed(kind.ainvoke, self, input, (), kwargs))
                return await aenter(given, lambda value, more: kind.ainvoke(self, value, config, **_with(kwargs, more)))

    def run(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        call_id, mark = kwargs.get("tool_call_id"), marked_for(gate, "run", kwargs)
        with entered(mark, kwargs.get("config"), call_id):
            if not mine["run"]:
                return kind.run(self, tool_input, *args, **kwargs)
            given = Entered(gate, mark, call_id or "", tool_input, _body(self, awaited=False))
            given = given.taken_apart(self, _passed(kind.run, self, tool_input, args, kwargs))
            return enter(given, lambda value, more: kind.run(self, value, *args, **_with(kwargs, more)))

    async def arun(self: Any, tool_input: Any, *args: Any, **kwargs: Any) -> Any:
        gate = required(self)
        call_id, mark = kwargs.get("tool_call_id"), marked_for(gate, "arun", kwargs)
        with entered(mark, kwargs.get("config"), call_id):
            if not mine["arun"]:
                return await kind.arun(self, tool_input, *args, **kwargs)
            given = Entered(gate, mark, call_id or "", tool_input, _body(self, awaited=True))
            given = given.taken_apart(self, _passed(kind.arun, self, tool_input, args, kwargs))
            return await aenter(given, lambda value, more: kind.arun(self, value, *args, **_with(kwargs, more)))

    members: dict[str, Callable[..., Any]] = {"invoke": invoke, "ainvoke": ainvoke, "run": run, "arun": arun}
    return subclass(kind, {name: functools.wraps(getattr(kind, name))(way) for name, way in members.items()})


@functools.lru_cache(maxsize=256)
def run_class(kind: type[BaseTool]) -> type[BaseTool]:
    """Subclass whose `_run` (and `_arun`, where the class has its own) is decided."""
    base = entry_class(kind)

    @functools.wraps(kind._run)  # noqa: SLF001  the framework reads its signature
    def _run(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, binder = required(self), self.__dict__[BINDERS]["_run"]

        def function(*args: Any, **kwargs: Any) -> Any:
            with _inside(gate):
                return kind._run(self, *args, **kwargs)  # noqa: SLF001  what was overridden

        return run_gated(gate, binder, function, args, kwargs)

    @functools.wraps(kind._arun)  # noqa: SLF001  the framework reads its signature
    async def _arun(self: Any, *args: Any, **kwargs: Any) -> Any:
        gate, binder = required(self), self.__dict__[BINDERS]["_arun"]

        async def function(*args: Any, **kwargs: Any) -> Any:
            with _inside(gate):
                return await kind._arun(self, *args, **kwargs)  # noqa: SLF001  as above

        return await arun_gated(gate, binder, function, args, kwargs, descends=True)

    # The inherited `_arun` runs `_run` in a thread, so `_run` decides.
    own_async = kind._arun is not BaseTool._arun  # noqa: SLF001  as above
    return subclass(base, {"_run": _run, **({"_arun": _arun} if own_async else {})})
