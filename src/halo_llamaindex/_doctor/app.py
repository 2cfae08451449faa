"""Room: what of an app is decided before it runs. Takes: a workflow, engine, tool, LLM or function. Gives: findings.

It follows what the objects hold: agents, tools, parts of engines, closures, globals that functions name. What a
function makes while it runs it does not see, but for LLMs and retrievers made by name. Never: runs anything of the
app's, raises.
"""

from __future__ import annotations

import asyncio
import contextvars
import inspect
import logging
import types
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from llama_index.core import Settings
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.indices.base import BaseIndex
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.schema import BaseNode
from llama_index.core.tools import BaseTool
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.core.workflow import Workflow

from halo_core.coverage import Finding, Kind, Status
from halo_core.facade import HaloBase
from halo_core.pep.gate import Gate
from halo_core.walk import container, is_a, module_of, plain, unwrapped
from halo_llamaindex._doctor import parts
from halo_llamaindex._doctor.rows import NOTHING, Cover, Rows, gate
from halo_llamaindex._doctor.walk import REACH
from halo_llamaindex._held import ENGINES

__all__ = ["Examiner", "doctor"]

_DEEPEST: Final = 80
_MOST: Final = 50_000
_BY_TYPE: Final[tuple[tuple[tuple[type[Any], ...], Callable[[Examiner, Any, str, Cover], None]], ...]] = (
    ((Workflow,), parts.workflow),
    ((BaseTool,), parts.tool),
    ((BaseRetriever,), parts.retriever),
    ((BaseLLM,), parts.model),
    ((BaseIndex,), parts.index),
    ((BasePydanticVectorStore,), parts.store),
    (ENGINES, parts.engine),
)
_SILENT: Final = (
    BaseNode,
    BasePromptTemplate,
    CallbackManager,
    ChatMessage,
    Gate,
    HaloBase,
    asyncio.AbstractEventLoop,
    contextvars.Context,
    logging.Logger,
    types.CodeType,
    types.FrameType,
    types.ModuleType,
    types.TracebackType,
)
_SERVICES: Final = frozenset(("_abc", "halo_core", "llama_index_instrumentation", "workflows"))
"""Packages whose objects run nothing of an app's."""


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: a workflow, agent, tool, retriever, index, engine, LLM or function, or a list or dict of these.
        name: what to call it; its own name where it has one is used otherwise.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = Examiner()
    examiner.visit(obj, f"`{name}`" if name else "", NOTHING)
    return examiner.finish()


@dataclass(slots=True)
class Examiner:
    """One look at an app."""

    rows: Rows = field(default_factory=Rows)
    _seen: dict[tuple[int, Cover], Any] = field(default_factory=dict)
    _depth: int = 0
    _cut: bool = False

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        default = Settings._llm  # noqa: SLF001  the property would make one
        if self.rows.found and default is not None and gate(default) is None:
            remedy = "whatever is made without an LLM asks it: set `Settings.llm = halo.guard(llm)`"
            self.rows.add(Kind.MODEL, "Settings.llm", "the process", "none", Status.OPEN, remedy)
        if self._cut:
            remedy = "ask about its parts: `halo doctor MODULE:PART`"
            self.rows.add(Kind.NODE, "the rest", "too deep or too large to look into", "none", Status.OPEN, remedy)
        return self.rows.whole()

    def visit(self, x: Any, where: str, cover: Cover) -> None:
        """Look at anything, once under each cover."""
        if plain(x) or is_a(x, *_SILENT):
            return
        key = (id(x), cover)
        if key in self._seen:
            return
        if len(self._seen) >= _MOST or self._depth >= _DEEPEST:
            self._cut = True
            return
        self._seen[key] = x  # kept, so that no other takes its identity
        self._depth += 1
        self._look(x, where, cover)
        self._depth -= 1

    def each(self, items: Iterable[tuple[str, Any]], where: str, cover: Cover) -> None:
        """Look at many."""
        for _, value in items:
            self.visit(value, where, cover)

    def members(self, kind: type[Any], where: str, cover: Cover) -> None:
        """Look at what an app's own class has."""
        self.each(REACH.members(kind), where, cover)

    def _look(self, x: Any, where: str, cover: Cover) -> None:
        for kinds, look in _BY_TYPE:
            if is_a(x, *kinds):
                look(self, x, where, cover)
                return
        inner, more = unwrapped(x)
        if is_a(inner, types.FunctionType):
            self._function(inner, where, cover)
            self.each(more, where, _inside(cover))
            return
        items = container(x)
        if items is not None:
            self.each(items, where, cover)
        elif is_a(x, type):
            if not issubclass(x, BaseLLM | BaseRetriever | BaseTool | Workflow):
                self.each(REACH.members(x), where, _inside(cover))
        elif not self.rows.sdk(x, where) and module_of(x).partition(".")[0] not in _SERVICES:
            self.each(REACH.inside(x), where, cover)
            self.each(REACH.members(type(x)), where, _inside(cover))

    def _function(self, function: types.FunctionType, where: str, cover: Cover) -> None:
        """What a function's body reaches is called from there, past whatever stands around the function."""
        reached = list(REACH.captured(function))
        by_halo = any(is_a(value, HaloBase) for _, value, _ in reached)
        for _, value, called in reached:
            if called and _makes(value):
                self._made(value, where, by_halo=by_halo)
            else:
                self.visit(value, where, _inside(cover))

    def _made(self, kind: type[Any], where: str, *, by_halo: bool) -> None:
        """A row about an LLM or retriever that a function makes while it runs; a Halo at hand there may guard it."""
        what = Kind.RETRIEVER if issubclass(kind, BaseRetriever) else Kind.MODEL
        where = f"{where} > made while it runs".lstrip(" >")
        if by_halo:
            remedy = "see that the function guards it, or make it outside and guard it there"
            self.rows.note(what, kind.__name__, where, remedy)
        else:
            self.rows.undecided(what, kind.__name__, where, "make it outside the function and guard it")


def _inside(cover: Cover) -> Cover:
    """What still decides in the body of a function: only what decided the body itself."""
    return cover if cover.decided else NOTHING


def _makes(x: Any) -> bool:
    """Whether it is a class of LLMs or retrievers, and can be called for one."""
    return is_a(x, type) and issubclass(x, BaseLLM | BaseRetriever) and not inspect.isabstract(x)
