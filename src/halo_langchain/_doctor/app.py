"""Room: what of an app is decided before it runs. Takes: a graph, chain, agent, tool or function. Gives: findings.

It follows what the objects hold: nodes, parts of chains, closures, globals that functions name. What a function makes
while it runs it does not see, but for models and retrievers made by name. Never: runs anything of the app's, raises.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from langchain.agents.middleware import AgentMiddleware
from langchain_core.language_models import BaseLanguageModel
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import Runnable, RunnableBinding
from langchain_core.tools import BaseTool
from langchain_core.vectorstores import VectorStore
from langgraph.graph import StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.pregel import Pregel
from langgraph.pregel.protocol import PregelProtocol

from halo_core.coverage import Finding, Kind, Status, sort
from halo_core.facade import HaloBase
from halo_langchain._doctor import parts
from halo_langchain._doctor.agents import FACTORY
from halo_langchain._doctor.idle import SERVICES, empty
from halo_langchain._doctor.rows import Rows
from halo_langchain._doctor.verdicts import NOTHING, Cover
from halo_langchain._doctor.walk import (
    captured,
    container,
    held,
    inside,
    is_a,
    members,
    module_of,
    unwrapped,
)

__all__ = ["Examiner", "doctor"]

_DEEPEST: Final = 80
_MOST: Final = 50_000
_BY_TYPE: Final[tuple[tuple[tuple[type[Any], ...], Callable[[Examiner, Any, str, Cover], None]], ...]] = (
    ((Pregel, StateGraph), parts.graph),
    ((PregelProtocol,), parts.remote),
    ((ToolNode,), parts.tool_node),
    ((BaseTool,), parts.tool),
    ((BaseRetriever,), parts.retriever),
    ((BaseLanguageModel,), parts.model),
    ((VectorStore,), parts.vectors),
    ((RunnableBinding,), parts.binding),
    ((AgentMiddleware,), parts.middleware),
)
_REACT: Final = "langgraph.prebuilt.chat_agent_executor"
_BOUND: Final = frozenset("tool_classes tool_node tools".split())
"""Variables of its model node that only tell the model what there is."""
_MAKER: Final = "init_chat_model"
_MADE: Final = (Runnable, AgentMiddleware, VectorStore)
_LAZY: Final = "_ConfigurableModel"
"""A model of LangChain's that is made anew for each call."""


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: a graph, chain, agent, tool, retriever, model or function, or a list or dict of these.
        name: what to call it; its own name where it has one is used otherwise.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = Examiner(f"`{name}`" if name else "")
    examiner.visit(obj, examiner.root, NOTHING)
    return examiner.finish()


@dataclass(slots=True)
class _Look:
    """What was looked at, kept so that no other takes its identity, and the rows that came of it (None until then)."""

    x: Any
    where: str
    rows: range | None = None
    more: frozenset[int] = frozenset()
    governable: bool = False


class Examiner:
    """One look at an app.

    Args:
        root: path of what is looked at, in words.
        most: how many objects are looked at.
    """

    def __init__(self, root: str, most: int = _MOST) -> None:
        self.rows = Rows()
        self._seen: dict[tuple[int, Cover], _Look] = {}  # under the cover that each had there
        self._again: list[set[int]] = []  # rows met again, of everything being looked at
        self._captured: dict[int, tuple[Any, list[tuple[str, Any, bool]]]] = {}
        self.root = root
        self._most = most
        self._depth = 0
        self._cut = False

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        if self.rows.originals:
            names = list(dict.fromkeys(self.rows.originals))
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            self.rows.note(
                Kind.TOOL, shown, "originals, in the modules that made them",
                "an original, its `.func` and `._run` are not guarded: keep the guarded copies only",
            )  # fmt: skip
        self.rows.streams()
        if self._cut:
            remedy = "ask about its parts: `halo doctor MODULE:PART`"
            self.rows.add(Kind.NODE, "the rest", "too deep or too large to look into", "none", Status.OPEN, remedy)
        return sort(self.rows.placed())

    # the walk

    def visit(self, x: Any, where: str, cover: Cover) -> None:
        """Look at anything, once under each cover."""
        if empty(x):
            return
        key = (id(x), cover)
        known = self._seen.get(key)
        if known is not None:
            self._repeated(known, where)
            return
        if len(self._seen) >= self._most or self._depth >= _DEEPEST:
            self._cut = True
            return
        look = self._seen[key] = _Look(x, where)
        before, first = self.rows.touched, len(self.rows.found)
        self._depth += 1
        self._again.append(set())
        self._look(x, where, cover)
        self._depth -= 1
        look.more = frozenset(self._again.pop())
        look.rows, look.governable = range(first, len(self.rows.found)), self.rows.touched > before
        if self._again:
            self._again[-1].update(look.more)

    def _repeated(self, known: _Look, where: str) -> None:
        """Say of what is in two places where else it is."""
        self.rows.touched += known.governable
        if known.rows is None or where == known.where:
            return  # it holds itself, or is held twice in one place
        met = {*known.rows, *known.more}
        self.rows.again(met, known.where, where)
        if self._again:
            self._again[-1].update(met)

    def captured(self, function: types.FunctionType) -> list[tuple[str, Any, bool]]:
        """As `walk.captured`, read once."""
        found = self._captured.get(id(function))
        if found is None:
            found = self._captured[id(function)] = (function, list(captured(function)))
        return found[1]

    def _look(self, x: Any, where: str, cover: Cover) -> None:
        for kinds, look in _BY_TYPE:
            if is_a(x, *kinds):
                look(self, x, where, cover)
                return
        inner, more = unwrapped(x)
        if is_a(inner, types.FunctionType):
            self.function(inner, where, cover)
            self.each(more, where, _inside(cover))
            return
        items = container(x)
        if items is not None:
            self.each(items, where, cover)
            self.each(held(x).items(), where, _inside(cover))
        elif is_a(x, type):
            if not issubclass(x, _MADE):  # what a class makes is looked at where it is held
                self.each(members(x), where, _inside(cover))
        elif type(x).__name__ == _LAZY:
            parts.model(self, x, where, cover)
        elif not self.rows.sdk(x, where):
            self.thing(x, where, cover)

    def each(self, items: Iterable[tuple[str, Any]], where: str, cover: Cover) -> None:
        """Look at many."""
        for _, value in items:
            self.visit(value, where, cover)

    def function(self, function: types.FunctionType, where: str, cover: Cover = NOTHING) -> None:
        """What a function's body reaches is called from there, past whatever stands around the function."""
        if module_of(function) == FACTORY:
            return  # the agent's own parts, which `graph` looks at
        skipped = _BOUND if module_of(function) == _REACT else ()
        reached = self.captured(function)
        by_halo = any(is_a(value, HaloBase) for _, value, _ in reached)
        for name, value, called in reached:
            if called and _makes(value):
                self.rows.made(value.__name__, where, retriever=issubclass(value, BaseRetriever), by_halo=by_halo)
            elif called and is_a(value, types.FunctionType) and value.__name__ == _MAKER:
                self.rows.made(_MAKER, where, retriever=False, by_halo=by_halo)
            elif name not in skipped:
                self.visit(value, where, _inside(cover))

    def thing(self, x: Any, where: str, cover: Cover) -> None:
        """Any other object: what it holds, and what the methods of an app's own class name."""
        top = module_of(x).partition(".")[0]
        if top in SERVICES:
            return
        # Parts of chains and graphs are called with the callbacks of the run, others are not.
        self.each(inside(x), where, cover if is_a(x, Runnable) or top == "langgraph" else _inside(cover))
        self.each(members(type(x)), where, _inside(cover))


def _inside(cover: Cover) -> Cover:
    """What still decides in the body of a function: only what decided the body itself."""
    return cover if cover.decided else NOTHING


def _makes(x: Any) -> bool:
    """Whether it is a class of models or retrievers, and can be called for one."""
    return is_a(x, type) and issubclass(x, BaseLanguageModel | BaseRetriever) and not inspect.isabstract(x)
