"""Room: what query engines, synthesizers and the like hold. Takes: one of them. Gives: a copy that holds guards.

Such a component acts through what it holds: its retriever reads, its LLM is asked. On the copy those are guarded, at
whatever depth of the framework's own components; the component itself is no action. Never: decides, changes the
original.
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.base_selector import BaseSelector
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.evaluation import BaseEvaluator
from llama_index.core.indices.query.query_transform.base import BaseQueryTransform
from llama_index.core.memory import BaseMemory
from llama_index.core.memory.memory import BaseMemoryBlock
from llama_index.core.objects import ObjectRetriever
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.query_engine.flare.answer_inserter import BaseLookaheadAnswerInserter
from llama_index.core.question_gen.types import BaseQuestionGenerator
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.tools import QueryEngineTool, RetrieverTool
from llama_index.core.types import BasePydanticProgram

from halo_core.model import Resource
from halo_core.pep.gate import gate_of
from halo_llamaindex._context import kind_with, within
from halo_llamaindex._models.guard import guard_model
from halo_llamaindex._retriever import guard_retriever
from halo_llamaindex._surfaces import Labels
from halo_llamaindex._undecided import refuse_undecided

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = ["ENGINES", "HOLDERS", "Holding", "guard_holder"]

ENGINES: Final = (BaseQueryEngine, BaseChatEngine)
HOLDERS: Final = (
    *ENGINES,
    BaseEvaluator,
    BaseLookaheadAnswerInserter,
    BaseMemory,
    BaseMemoryBlock,
    BaseNodePostprocessor,
    BasePydanticProgram,
    BaseQueryTransform,
    BaseQuestionGenerator,
    BaseSelector,
    BaseSynthesizer,
    QueryEngineTool,
    RetrieverTool,
)
"""Components that act through what they hold."""
_HOSTS: Final = (BaseMemory, BaseMemoryBlock)
"""What the host goes on reading and writing: a copy is made only where something in it acts."""
_LISTS: Final = (list, tuple)
_FOUND: Final = "_halo_found"


class Holding:
    """One copying: each object once, whatever holds it.

    Args:
        halo: who decides.
        resource: what the retrievers in it are; None guesses.
        labels: of what they return.
        name: of a retriever whose resource says none.
    """

    def __init__(
        self, halo: Halo, resource: Resource | None = None, labels: Labels | None = None, name: str = ""
    ) -> None:
        self._halo = halo
        self._resource = resource
        self._labels = labels
        self._name = name
        self._made: dict[int, tuple[Any, Any]] = {}  # the original too, so that no other takes its identity

    def copied(self, holder: Any) -> Any:
        """A copy of a component, with everything that it holds guarded."""
        made = copy.copy(holder)
        self._made[id(holder)] = (holder, made)
        changed = not isinstance(holder, _HOSTS)
        for name, value in list(vars(holder).items()):
            new = self.guarded(value)
            if new is not value:
                made.__dict__[name], changed = new, True
        private = getattr(made, "__pydantic_private__", None)
        if private:
            new = {key: self.guarded(item) for key, item in private.items()}
            changed = changed or any(new[key] is not private[key] for key in new)
            object.__setattr__(made, "__pydantic_private__", new)
        if not changed:
            self._made[id(holder)] = (holder, holder)
            return holder
        return made

    def guarded(self, value: Any) -> Any:
        """A value that a component holds, guarded; the same one where nothing in it acts."""
        known = self._made.get(id(value))
        if known is not None:
            return known[1]
        if isinstance(value, BaseLLM | BaseRetriever):
            new = self._acting(value)
            self._made[id(value)] = (value, new)
            return new
        if isinstance(value, ObjectRetriever):
            return self._finder(value)
        if isinstance(value, HOLDERS):
            return self.copied(value)
        return self._container(value)

    def _finder(self, value: ObjectRetriever[Any]) -> Any:
        """What finds tools and engines while it runs: what it finds is guarded then."""
        made = copy.copy(value)
        self._made[id(value)] = (value, made)
        for name, part in list(vars(value).items()):
            made.__dict__[name] = self._part(part)
        halo, resource, labels, name = self._halo, self._resource, self._labels, self._name
        made.__dict__[_FOUND] = lambda found: Holding(halo, resource, labels, name).guarded(found)
        kind: Any = type(value)
        object.__setattr__(made, "__class__", _finding(kind))
        return made

    def _acting(self, value: Any) -> Any:
        gate = gate_of(value)
        if gate is not None:
            return value  # whoever guards it decides it
        if isinstance(value, BaseLLM):
            return guard_model(self._halo, value, None)
        return guard_retriever(self._halo, value, self._resource, self._labels, name=self._name, held=self.with_models)

    def with_models(self, retriever: Any) -> Any:
        """A copy of a retriever that asks guarded models; the retrievers in it are decided with it."""
        made = copy.copy(retriever)
        self._made[id(retriever)] = (retriever, made)
        for name, value in list(vars(retriever).items()):
            new = self._part(value)
            if new is not value:
                made.__dict__[name] = new
        return made

    def _part(self, value: Any) -> Any:
        """Something that a retriever holds: retrievers in it, and what only hands on to one, are decided with it."""
        if isinstance(value, BaseRetriever):
            return self._inner(value)
        if isinstance(value, RetrieverTool) and gate_of(value) is None:
            made = copy.copy(value)
            made._retriever = self._inner(value._retriever)  # noqa: SLF001  its own part of the copy
            return made
        if isinstance(value, (BaseLLM, ObjectRetriever, types.MethodType, *HOLDERS)):
            return self.guarded(value)
        return self._each(value, self._part)

    def _inner(self, retriever: Any) -> Any:
        if gate_of(retriever) is not None:
            return retriever
        made = self.with_models(retriever)
        within(made)
        return made

    def _container(self, value: Any) -> Any:
        if isinstance(value, types.MethodType):
            # A component that holds a method of its own holds itself: the copy's method must ask the copy.
            bound = self._made.get(id(value.__self__))
            return types.MethodType(value.__func__, bound[1]) if bound is not None else value
        return self._each(value, self.guarded)

    @staticmethod
    def _each(value: Any, guarded: Callable[[Any], Any]) -> Any:
        """A plain container with what is in it guarded; the same one where nothing in it acts."""
        if type(value) is dict:
            made: dict[Any, Any] = {key: guarded(item) for key, item in value.items()}
            return made if any(made[key] is not value[key] for key in value) else value
        if type(value) in _LISTS:
            items = [guarded(item) for item in value]
            return type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value


@functools.lru_cache(maxsize=64)
def _finding(kind: type[Any]) -> type[Any]:
    def retrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__[_FOUND](kind.retrieve(self, *args, **kwargs))

    async def aretrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__[_FOUND](await kind.aretrieve(self, *args, **kwargs))

    return kind_with(kind, {"retrieve": retrieve, "aretrieve": aretrieve})


def guard_holder(halo: Halo, holder: Any, resource: Resource | None, labels: Labels | None, name: str = "") -> Any:
    """A copy of a query engine, chat engine or other component in which what acts is guarded.

    Raises:
        ConfigError: it would still reach a model, a retriever or a store that nobody decides.
    """
    made = Holding(halo, resource, labels, name).copied(holder)
    refuse_undecided(made, stores=not isinstance(holder, BaseMemory))
    return made


def holding(
    halo: Halo, resource: Resource | None = None, labels: Labels | None = None
) -> Callable[[BaseRetriever], BaseRetriever]:
    """How a retriever that is guarded by itself is copied."""

    def held(retriever: BaseRetriever) -> BaseRetriever:
        made: BaseRetriever = Holding(halo, resource, labels).with_models(retriever)
        for part in vars(made).values():
            refuse_undecided(part, stores=False)
        return made

    return held
