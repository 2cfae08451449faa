"""Guarded query engines, synthesizers, memories and the like: copies with guarded models and retrievers.

Such a component acts only through the objects that it holds: its retriever, its LLM, its executor. `_ComponentCopier`
guards those in the copy, at any depth of the framework's own components; the component itself is no action. There are
more kinds of components than can be listed, and applications add their own, so the finished copy is searched: if it
could still reach an unguarded model, retriever or store, it is refused (`_refuse_undecided`). Objects that an engine
gets hold of at run time are decided then (`_inner_calls`).
"""

from __future__ import annotations

import copy
import functools
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, get_args

from llama_index.core.agent.workflow import AgentWorkflow
from llama_index.core.agent.workflow.base_agent import BaseWorkflowAgent
from llama_index.core.base.base_query_engine import BaseQueryEngine
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.base_selector import BaseSelector
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.chat_engine.types import BaseChatEngine
from llama_index.core.evaluation import BaseEvaluator
from llama_index.core.graph_stores.types import PropertyGraphStore
from llama_index.core.indices.base import BaseIndex
from llama_index.core.indices.composability.graph import ComposableGraph
from llama_index.core.indices.query.query_transform.base import BaseQueryTransform
from llama_index.core.indices.struct_store.json_query import JSONQueryEngine, default_output_processor
from llama_index.core.memory import BaseMemory
from llama_index.core.memory.memory import BaseMemoryBlock
from llama_index.core.objects import ObjectRetriever
from llama_index.core.objects.base_node_mapping import BaseObjectNodeMapping
from llama_index.core.postprocessor.types import BaseNodePostprocessor
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.query_engine import KnowledgeGraphQueryEngine
from llama_index.core.query_engine.flare.answer_inserter import BaseLookaheadAnswerInserter
from llama_index.core.question_gen.types import BaseQuestionGenerator
from llama_index.core.response_synthesizers import BaseSynthesizer
from llama_index.core.schema import BaseNode
from llama_index.core.storage.chat_store.base import BaseChatStore
from llama_index.core.storage.docstore.types import BaseDocumentStore
from llama_index.core.tools import BaseTool, QueryEngineTool, RetrieverTool
from llama_index.core.types import BasePydanticProgram
from llama_index.core.utilities.sql_wrapper import SQLDatabase
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.core.workflow import Workflow

from halo_core.enforcement.guards import GuardMetadata, get_guard
from halo_core.enforcement.session_context import ContextVarScope
from halo_core.enforcement.step_methods import make_method
from halo_core.enforcement.steps import Steps
from halo_core.errors import ConfigError
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Resource
from halo_core.object_graph import get_attributes, is_a, is_atomic, iterate_container
from halo_llamaindex._executors import guard_executor, is_executor
from halo_llamaindex._models import guard_model
from halo_llamaindex._results import Labels
from halo_llamaindex._retrievers import guard_retriever
from halo_llamaindex._runs import engine_values, is_part, make_spanless_subclass, mark_as_part, raise_inner_error

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_STORE_TYPES: Final = (
    BaseDocumentStore,
    BaseIndex,
    BasePydanticVectorStore,
    ComposableGraph,
    PropertyGraphStore,
    SQLDatabase,
)
"""Stores: they may be read without a retriever."""
_GRAPH_STORE_METHODS: Final = ("get_rel_map", "upsert_triplet")
"""Methods by which a graph store is known; it may be of any class."""
_IGNORED_TYPES: Final = (
    BaseChatStore,
    BaseEmbedding,
    BaseNode,
    BaseObjectNodeMapping,
    BasePromptTemplate,
    CallbackManager,
    ChatMessage,
    GuardMetadata,
    HaloBase,
    Workflow,
    type,
    types.FunctionType,
    types.ModuleType,
)
_MAX_OBJECTS: Final = 20_000
_SCOPE: Final = "_halo_scope"
_ENGINE_METHODS: Final = (
    "query", "aquery", "retrieve", "aretrieve", "synthesize", "asynthesize", "chat", "achat", "stream_chat",
    "astream_chat",
)  # fmt: skip
_SELF_ACTING_ENGINES: Final = {
    "CogniswitchQueryEngine": "asks a service of its own",
    "JSONalyzeQueryEngine": "runs SQL that its model writes, in a function of its own",
}
"""Engines that act in their own code, by the name of their class, with what they do there."""
_PROGRAM_ENGINE_FIELDS: Final = {"PandasQueryEngine": "_instruction_parser", "PolarsQueryEngine": "_instruction_parser"}
"""Engines that run a program by a part of theirs, by the name of their class, with the field that holds it."""
_REMEDIES: Final[dict[type[Any], str]] = {
    BaseLLM: "pass it a guarded one: `halo.guard(llm)`",
    BaseRetriever: "pass it a guarded one: `halo.guard(retriever)`",
}


def _refuse_undecided(copied: Any, *, stores: bool) -> None:
    """Refuse a copy that would still use an unguarded model, retriever or store.

    Args:
        copied: the copy.
        stores: whether a store in it is read by something else than a retriever.

    Raises:
        ConfigError: it would.
    """
    undecided = next(_iter_undecided(copied, stores=stores), None)
    if undecided is None:
        return
    holder, part = undecided
    remedy = next((hint for kind, hint in _REMEDIES.items() if isinstance(part, kind)), "")
    raise ConfigError(
        "holds_undecided",
        f"`{type(holder).__name__}` would still use its own `{type(part).__name__}`, which is not guarded",
        field="x",
        remedy=remedy or "remove that part, or read the store through a guarded retriever",
    )


def find_self_acting(engine: Any) -> str:
    """What an engine does in its own code, where nothing can decide it; empty if nothing."""
    names = {kind.__name__ for kind in type(engine).__mro__}
    if (
        is_a(engine, JSONQueryEngine)
        and get_attributes(engine).get("_output_processor") is not default_output_processor
    ):
        return "runs path expressions that its model writes, in a function of the application's"
    for name, field_name in _PROGRAM_ENGINE_FIELDS.items():
        part = get_attributes(engine).get(field_name)
        if name in names and not is_executor(part):
            return "runs Python that its model writes, in a function of its own"
    return next((deed for name, deed in _SELF_ACTING_ENGINES.items() if name in names), "")


def _refuse_self_acting(engine: Any) -> None:
    """Refuse an engine that acts in its own code.

    Raises:
        ConfigError: it does.
    """
    deed = find_self_acting(engine)
    if deed:
        raise ConfigError(
            "executor_not_guarded",
            f"`{type(engine).__name__}` {deed}, where Halo cannot decide it",
            field="x",
            remedy="put it behind a function and guard that: `halo.guard(ask, resource=Resource(impact='execute'))`",
        )


def is_store(x: Any) -> bool:
    """Whether an object is a store; runs none of its code."""
    return is_a(x, *_STORE_TYPES) or is_store_of_graph(x)


def is_store_of_graph(x: Any) -> bool:
    """Whether an object is a graph store, which can be read in other ways than by programs."""
    member_names = {name for kind in type(x).__mro__ for name in kind.__dict__}
    return is_a(x, PropertyGraphStore) or member_names.issuperset(_GRAPH_STORE_METHODS)


def _iter_undecided(copied: Any, *, stores: bool) -> Iterator[tuple[Any, Any]]:
    """Unguarded models, retrievers and stores in an object, each with its holder."""
    visited: dict[int, Any] = {}
    remaining = [(copied, copied, stores)]
    while remaining and len(visited) < _MAX_OBJECTS:
        holder, x, reads_stores = remaining.pop()
        if is_atomic(x) or id(x) in visited or is_a(x, *_IGNORED_TYPES) or get_guard(x) is not None:
            continue
        visited[id(x)] = x
        if is_a(x, BaseLLM) or (is_a(x, BaseRetriever) and not is_part(x)):
            yield holder, x
        elif is_store(x):
            if reads_stores:
                yield holder, x
        else:
            inner_reads = reads_stores and not is_a(x, BaseRetriever, BaseMemory)
            remaining += [(x if iterate_container(x) is None else holder, part, inner_reads) for part in _list_parts(x)]


def _list_parts(x: Any) -> list[Any]:
    items = iterate_container(x)
    if items is not None:
        return [value for _, value in items]
    if is_a(x, types.MethodType):
        return [x.__self__]
    if is_a(x, functools.partial):
        return [*x.args, *x.keywords.values()]
    if is_a(x, BaseTool):  # what it runs is decided where it is called, if it is guarded; what it reads from here
        return [get_attributes(x).get(name) for name in ("_retriever", "_query_engine")]
    return list(get_attributes(x).values())


Component = (
    BaseQueryEngine
    | BaseChatEngine
    | BaseEvaluator
    | BaseLookaheadAnswerInserter
    | BaseMemory
    | BaseMemoryBlock  # type: ignore[type-arg]  # `isinstance` takes no type with arguments
    | BaseNodePostprocessor
    | BasePydanticProgram  # type: ignore[type-arg]  # as above
    | BaseQueryTransform
    | BaseQuestionGenerator
    | BaseSelector
    | BaseSynthesizer
)
"""Components: they act through what they hold."""
ENGINE_TYPES: Final = (BaseQueryEngine, BaseChatEngine)
COMPONENT_TYPES: Final[tuple[type[Any], ...]] = (*get_args(Component), QueryEngineTool, RetrieverTool)
"""The same, and the framework's tools that act through what they hold."""
_HOST_OWNED_TYPES: Final = (BaseMemory, BaseMemoryBlock)
"""What the host goes on reading and writing, and is copied only if something in it must be guarded."""
_LIST_TYPES: Final = (list, tuple)
_GUARD_RESULT: Final = "_halo_found"


@dataclass(slots=True, eq=False)
class _ComponentCopier:
    """Copies components, each object once.

    Args:
        halo: who decides.
        resource: what the retrievers in it are; None guesses.
        labels: labels of what they return.
        name: name for a retriever whose resource has none.
    """

    halo: Halo
    resource: Resource | None = None
    labels: Labels | None = None
    name: str = ""
    # By identity; the original too, so that no other takes its identity.
    _copies: dict[int, tuple[Any, Any]] = field(default_factory=dict)
    _owner: str = ""  # class of what the executors at hand run programs for

    def _copy_with_parts(self, original: Any, guard_part: Callable[[Any], Any]) -> tuple[Any, bool]:
        """A copy with guarded parts, and whether any changed; parts may refer back to the copy."""
        copied = copy.copy(original)
        self._copies[id(original)] = (original, copied)
        changed = False
        for name, value in list(vars(original).items()):
            new = guard_part(value)
            if new is not value:
                copied.__dict__[name], changed = new, True
        return copied, changed

    def copy_component(self, component: Any) -> Any:
        """A copy of a component with everything in it guarded."""
        _refuse_self_acting(component)
        self._owner = self._owner or type(component).__name__
        copied, changed = self._copy_with_parts(component, self.guard_value)
        private = getattr(copied, "__pydantic_private__", None)
        if private:
            new = {key: self.guard_value(item) for key, item in private.items()}
            changed = changed or any(new[key] is not private[key] for key in new)
            object.__setattr__(copied, "__pydantic_private__", new)
        if not changed and isinstance(component, _HOST_OWNED_TYPES):
            self._copies[id(component)] = (component, component)
            return component
        if isinstance(component, KnowledgeGraphQueryEngine):
            # It asks the graph by this field alone; the context beside it holds every store there is.
            copied.__dict__["graph_store"] = self._guard_executor(component.graph_store)
            copied.__dict__["_storage_context"] = None
        if isinstance(component, ENGINE_TYPES):
            copied.__dict__[_SCOPE] = (self.halo, self.resource)
            object.__setattr__(copied, "__class__", _make_engine_class(type(component)))
        return copied

    def _guard_executor(self, executor: Any) -> Any:
        """A guarded copy of an engine's or retriever's executor of programs."""
        cached = self._copies.get(id(executor))
        if cached is not None:
            return cached[1]
        if get_guard(executor) is not None:
            return executor
        name = (self.resource.id if self.resource is not None else "") or self.name or self._owner
        owner = self.resource or self.halo.find_declared(name, ActionKind.RETRIEVAL)
        guarded = guard_executor(self.halo, executor, owner, name)
        self._copies[id(executor)] = (executor, guarded)
        return guarded

    def guard_value(self, value: Any) -> Any:
        """Guard a value that a component holds; returns the same object if there is nothing to guard."""
        cached = self._copies.get(id(value))
        if cached is not None:
            return cached[1]
        if isinstance(value, BaseLLM | BaseRetriever):
            new = self._guard_acting_part(value)
            self._copies[id(value)] = (value, new)
            return new
        if isinstance(value, ObjectRetriever):
            return self._copy_object_retriever(value)
        if isinstance(value, COMPONENT_TYPES):
            return self.copy_component(value)
        if is_executor(value) and not is_store_of_graph(value):
            return self._guard_executor(value)
        return self._guard_container(value)

    def _copy_object_retriever(self, value: ObjectRetriever[Any]) -> Any:
        """Copy an object retriever so that the tools and engines it finds are guarded."""
        copied, _ = self._copy_with_parts(value, self._guard_retriever_part)
        copied.__dict__[_GUARD_RESULT] = lambda objects: replace(self, _copies={}).guard_value(objects)
        kind: Any = type(value)
        object.__setattr__(copied, "__class__", _make_object_retriever_class(kind))
        return copied

    def _guard_acting_part(self, value: Any) -> Any:
        guard = get_guard(value)
        if guard is not None:
            return value  # whoever guards it decides it
        if isinstance(value, BaseLLM):
            return guard_model(self.halo, value, None, is_part=True)
        return guard_retriever(
            self.halo,
            value,
            self.resource,
            self.labels,
            name=self.name,
            is_part=True,
            copy_original=self.copy_retriever,
        )

    def copy_retriever(self, retriever: Any) -> Any:
        """A copy of a retriever with guarded models and executors; inner retrievers are its parts."""
        outer_owner, self._owner = self._owner, type(retriever).__name__
        try:
            return self._copy_with_parts(retriever, self._guard_retriever_part)[0]
        finally:
            self._owner = outer_owner

    def _guard_retriever_part(self, value: Any) -> Any:
        """Guard a value that a retriever holds; inner retrievers are decided where the outer one calls them."""
        if isinstance(value, BaseRetriever):
            return self._copy_inner_retriever(value)
        if isinstance(value, RetrieverTool) and get_guard(value) is None:
            copied = copy.copy(value)
            copied._retriever = self._copy_inner_retriever(value._retriever)  # noqa: SLF001  its own part of the copy
            return copied
        if isinstance(value, (BaseLLM, ObjectRetriever, types.MethodType, *COMPONENT_TYPES)):
            return self.guard_value(value)
        if is_executor(value):
            return self._guard_executor(value)
        return self._map_container(value, self._guard_retriever_part)

    def _copy_inner_retriever(self, retriever: Any) -> Any:
        if get_guard(retriever) is not None:
            return retriever
        copied, _ = self._copy_with_parts(retriever, self._guard_retriever_part)
        mark_as_part(copied)
        return copied

    def _guard_container(self, value: Any) -> Any:
        if isinstance(value, types.MethodType):
            # A component that holds a method of its own holds itself: the copy's method must ask the copy.
            copied_owner = self._copies.get(id(value.__self__))
            return types.MethodType(value.__func__, copied_owner[1]) if copied_owner is not None else value
        return self._map_container(value, self.guard_value)

    @staticmethod
    def _map_container(value: Any, guard_item: Callable[[Any], Any]) -> Any:
        """A plain container with guarded items; the same object if there is nothing to guard."""
        if type(value) is dict:
            guarded_items: dict[Any, Any] = {key: guard_item(item) for key, item in value.items()}
            return guarded_items if any(guarded_items[key] is not value[key] for key in value) else value
        if type(value) in _LIST_TYPES:
            items = [guard_item(item) for item in value]
            return type(value)(items) if any(new is not old for new, old in zip(items, value, strict=True)) else value
        return value


@functools.lru_cache(maxsize=64)
def _make_object_retriever_class(kind: type[Any]) -> type[Any]:
    def retrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__[_GUARD_RESULT](kind.retrieve(self, *args, **kwargs))

    async def aretrieve(self: Any, *args: Any, **kwargs: Any) -> Any:
        return self.__dict__[_GUARD_RESULT](await kind.aretrieve(self, *args, **kwargs))

    return make_spanless_subclass(kind, {"retrieve": retrieve, "aretrieve": aretrieve})


@functools.lru_cache(maxsize=256)
def _make_engine_class(kind: type[Any]) -> type[Any]:
    """Subclass of an engine in which unguarded objects that start are decided; see `InnerScope`."""

    def wrap_method(name: str) -> Callable[..., Any]:
        method = getattr(kind, name)

        def steps(self: Any, *args: Any, **kwargs: Any) -> Steps[Any]:
            values = engine_values(*self.__dict__[_SCOPE])
            with ContextVarScope(*values):
                result = yield (functools.partial(method, self, *args, **kwargs),)
            raise_inner_error(values[0][1])
            return result

        return make_method(method, steps, is_async=name.startswith("a"))

    return make_spanless_subclass(kind, {name: wrap_method(name) for name in _ENGINE_METHODS if hasattr(kind, name)})


def is_guarded_engine(x: Any) -> bool:
    """Whether an object is a guarded copy of an engine; runs none of its code."""
    return _SCOPE in get_attributes(x)


def guard_component(
    halo: Halo, component: Any, resource: Resource | None, labels: Labels | None, name: str = ""
) -> Any:
    """Copy a query engine, chat engine or other component, with its models and retrievers guarded.

    Raises:
        ConfigError: it would still reach a model, a retriever or a store that nobody decides.
    """
    guarded = _ComponentCopier(halo, resource, labels, name).copy_component(component)
    _refuse_undecided(guarded, stores=not isinstance(component, BaseMemory))
    return guarded


def make_retriever_copier(
    halo: Halo, resource: Resource | None = None, labels: Labels | None = None
) -> Callable[[BaseRetriever], BaseRetriever]:
    """Make the function that copies a retriever guarded by itself."""

    def copy_retriever(retriever: BaseRetriever) -> BaseRetriever:
        copied: BaseRetriever = _ComponentCopier(halo, resource, labels).copy_retriever(retriever)
        for part in vars(copied).values():
            _refuse_undecided(part, stores=False)
        return copied

    return copy_retriever


def guard_memory(halo: Halo, memory: Any) -> Any:
    """A memory with guarded models; the same object if it has none."""
    return guard_component(halo, memory, None, None) if isinstance(memory, BaseMemory) else memory


def guard_swapped_models(halo: Halo, workflow: Any) -> None:
    """Guard a model that was set later on a guarded agent or a copy of one."""
    agents = workflow.agents.values() if isinstance(workflow, AgentWorkflow) else (workflow,)
    for agent in agents:
        if isinstance(agent, BaseWorkflowAgent) and get_guard(agent.llm) is None:
            agent.__dict__["llm"] = guard_model(halo, agent.llm, None, is_part=True)
