"""Room: what of an app is decided before it runs. Takes: a graph, chain, agent, tool or function. Gives: findings.

It follows what the objects hold: nodes, parts of chains, closures, globals that functions name. What a function makes
while it runs it does not see, but for models and retrievers made by name. Never: runs anything of the app's, raises.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Iterable
from typing import Any, Final

from langchain.agents.middleware import AgentMiddleware
from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.documents import Document
from langchain_core.language_models import BaseLanguageModel
from langchain_core.messages import BaseMessage
from langchain_core.prompts import BasePromptTemplate
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
from halo_langchain._doctor.verdicts import NOTHING, Cover, Rows
from halo_langchain._doctor.walk import captured, container, framework, held, is_a, members, module_of, plain, unwrapped
from halo_langchain._gate import Gate

__all__ = ["Examiner", "doctor"]

_DEEPEST: Final = 80
_MOST: Final = 50_000
_SILENT: Final = (
    BaseMessage,
    Document,
    BasePromptTemplate,
    BaseCallbackHandler,
    HaloBase,
    Gate,
    types.ModuleType,
)
_BY_TYPE: Final[tuple[tuple[tuple[type[Any], ...], Callable[[Examiner, Any, str, Cover], None] | None], ...]] = (
    (_SILENT, None),
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


class Examiner:
    """One look at an app.

    Args:
        root: path of what is looked at, in words.
    """

    def __init__(self, root: str) -> None:
        self.rows = Rows()
        # Objects looked at, kept so that no other takes their identity, under the cover they had there.
        self._seen: dict[tuple[int, Cover], Any] = {}
        self._governable: set[int] = set()
        self.root = root
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
        return sort(self.rows.found)

    # the walk

    def visit(self, x: Any, where: str, cover: Cover) -> None:
        """Look at anything, once under each cover."""
        if plain(x):
            return
        key = (id(x), cover)
        if key in self._seen:
            self.rows.touched += id(x) in self._governable
            return
        if len(self._seen) >= _MOST or self._depth >= _DEEPEST:
            self._cut = True
            return
        self._seen[key] = x
        before = self.rows.touched
        self._depth += 1
        try:
            self._look(x, where, cover)
        finally:
            self._depth -= 1
        if self.rows.touched > before:
            self._governable.add(id(x))

    def _look(self, x: Any, where: str, cover: Cover) -> None:
        for kinds, look in _BY_TYPE:
            if is_a(x, *kinds):
                if look is not None:
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
        reached = list(captured(function))
        by_halo = any(is_a(value, HaloBase) for _, value, _ in reached)
        for name, value, called in reached:
            if called and _makes(value):
                self.rows.made(value.__name__, where, retriever=issubclass(value, BaseRetriever), by_halo=by_halo)
            elif called and is_a(value, types.FunctionType) and value.__name__ == _MAKER:
                self.rows.made(_MAKER, where, retriever=False, by_halo=by_halo)
            elif name not in skipped:
                self.visit(value, where, _inside(cover))

    def thing(self, x: Any, where: str, cover: Cover) -> None:
        """A part of a chain, or an object of the app's own: what it holds, and what its methods name."""
        module = module_of(x)
        if is_a(x, Runnable) or module.partition(".")[0] == "langgraph":
            self.each(held(x).items(), where, cover)
        elif not framework(module):
            self.each(held(x).items(), where, _inside(cover))
            self.each(members(type(x)), where, _inside(cover))


def _inside(cover: Cover) -> Cover:
    """What still decides in the body of a function: only what decided the body itself."""
    return cover if cover.decided else NOTHING


def _makes(x: Any) -> bool:
    """Whether it is a class of models or retrievers, and can be called for one."""
    return is_a(x, type) and issubclass(x, BaseLanguageModel | BaseRetriever) and not inspect.isabstract(x)
