"""Room: entry points that a tool's class has made anew. Takes: a call of one. Gives: a result, decided there.

Nobody knows whether such a one comes to the tool's body. So it is decided where it is entered, on the arguments as the
framework would hand them to the body, and the body takes that decision along. Never: decides itself.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final

from langchain_core.messages import ToolMessage
from langchain_core.tools import BaseTool

from halo_core.pep.handoff import HANDED
from halo_core.pep.plain import unchanged
from halo_langchain._surfaces import TOOL_RESULT
from halo_langchain._tools.filled import filled
from halo_langchain._tools.run import Entry, arun_gated, run_gated
from halo_langchain._values.arguments import Binder

if TYPE_CHECKING:
    from halo_core.pep.gate import Gate
    from halo_langchain._context import Mark

__all__ = ["Entered", "aenter", "call_id_of", "enter"]

_KNOWN: Final = frozenset(inspect.signature(BaseTool.run).parameters) | {"input"}
# Nothing can be bound to it: a call whose arguments fit no body is recorded and refused.
_NONE: Final = Binder(inspect.Signature(()), frozenset(), frozenset(), frozenset(), frozenset(), {})


def call_id_of(value: Any) -> str:
    """The id of a tool call that an entry point is given, empty of arguments alone."""
    return str(value.get("id") or "") if _is_call(value) else ""


def _is_call(value: Any) -> bool:
    return isinstance(value, Mapping) and value.get("type") == "tool_call"


@dataclass(frozen=True, slots=True)
class Entered:
    """A call of an own entry point.

    Args:
        gate: of the tool.
        mark: of the run that it may start.
        call_id: the framework's id of the call.
        value: what it was given, as nobody else holds it.
        binder: of the body; None of a tool that has none.
        whole: whether the value can be a tool call, and not its arguments alone.
        args: positional arguments that the body would get.
        kwargs: its keyword arguments, and what else the caller passed.
        more: names of those.
    """

    gate: Gate
    mark: Mark
    call_id: str
    value: Any
    binder: Binder | None
    whole: bool = False
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(default_factory=dict)
    more: frozenset[str] = frozenset()

    def taken_apart(self, tool: BaseTool, passed: Mapping[str, Any]) -> Entered:
        """The same with what the body would get; `passed` are arguments that the framework does not know."""
        more = {name: item for name, item in passed.items() if name not in _KNOWN}
        binder = self.binder or _NONE
        try:
            mine = _copied(binder, self._arguments())
            given = dict(mine) if isinstance(mine, dict) else mine  # the framework writes into it
            args, kwargs = tool._to_args_and_kwargs(given, self.call_id or None)  # noqa: SLF001  as `run` does
            kwargs = {**binder.completed(kwargs), **more}
        except Exception:  # noqa: BLE001  whatever is wrong with them, it is recorded and refused
            return replace(self, binder=None, args=(None,), kwargs={})
        return replace(self, value=self._with(mine), args=args, kwargs=kwargs, more=frozenset(more))

    def _arguments(self) -> Any:
        return self.value["args"] if self.whole and _is_call(self.value) else self.value

    def _with(self, arguments: Any) -> Any:
        return {**self.value, "args": arguments} if self.whole and _is_call(self.value) else arguments

    def again(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
        """What to hand to the entry point now that these arguments were decided, and what else it was passed."""
        if self.binder is None:
            return self.value, {}
        known = filled(self.gate)
        before = self.binder.split(self.args, self.kwargs, filled=known)
        now = self.binder.split(args, kwargs, filled=known)
        changed = {
            name: now.own[name]
            for name, value in now.decided.items()
            if name not in self.more and not unchanged(value, before.decided.get(name))
        }
        more = {name: kwargs[name] for name in self.more if name in kwargs}
        if not changed:
            return self.value, more
        given = self._arguments()
        if isinstance(given, str):
            only = next(iter(changed.values())) if len(changed) == 1 else None
            return self._with(only if isinstance(only, str) else changed), more
        return self._with({**given, **changed}), more

    def entry(self) -> Entry:
        """As `run` takes it: what comes out is a message or its content, whatever the body returns."""
        return Entry(HANDED if self.gate.surface is HANDED else TOOL_RESULT, self.mark)

    def recalled(self, earlier: Any) -> Any:
        """What the very same call gave when it ran, in the form in which an entry point gives it."""
        content = earlier[0] if isinstance(earlier, tuple) else earlier
        return ToolMessage(content, tool_call_id=self.call_id, name=self.gate.name) if self.call_id else content


def _copied(binder: Binder, given: Any) -> Any:
    """Arguments that nobody else holds; what a host or the framework put in stays what it is."""
    if not isinstance(given, Mapping):
        return copy.deepcopy(given)
    hidden = binder.framework | binder.node | binder.injected
    return {name: item if name in hidden else copy.deepcopy(item) for name, item in given.items()}


def enter(entered: Entered, call: Callable[[Any, dict[str, Any]], Any]) -> Any:
    """Decide an own entry point, run it with what was decided, restrict what it gives."""
    ran = False

    def function(*args: Any, **kwargs: Any) -> Any:
        nonlocal ran
        ran = True
        return call(*entered.again(args, kwargs))

    kwargs = dict(entered.kwargs)
    found = run_gated(entered.gate, entered.binder or _NONE, function, entered.args, kwargs, entry=entered.entry())
    return found if ran else entered.recalled(found)


async def aenter(entered: Entered, call: Callable[[Any, dict[str, Any]], Awaitable[Any]]) -> Any:
    """As `enter`, for a coroutine function."""
    ran = False

    async def function(*args: Any, **kwargs: Any) -> Any:
        nonlocal ran
        ran = True
        return await call(*entered.again(args, kwargs))

    binder, kwargs = entered.binder or _NONE, dict(entered.kwargs)
    found = await arun_gated(entered.gate, binder, function, entered.args, kwargs, entry=entered.entry())
    return found if ran else entered.recalled(found)
