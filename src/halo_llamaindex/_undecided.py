"""Room: what a guarded copy still reaches that nobody decides. Takes: a copy. Gives: a refusal.

The framework has more kinds of parts than anybody lists, and an app adds its own: after what is known was guarded, the
rest is looked through. Never: runs anything of what it looks at, changes it.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator
from typing import Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.base.llms.base import BaseLLM
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.callbacks import CallbackManager
from llama_index.core.graph_stores.types import PropertyGraphStore
from llama_index.core.indices.base import BaseIndex
from llama_index.core.indices.composability.graph import ComposableGraph
from llama_index.core.memory import BaseMemory
from llama_index.core.objects.base_node_mapping import BaseObjectNodeMapping
from llama_index.core.prompts import BasePromptTemplate
from llama_index.core.schema import BaseNode
from llama_index.core.storage.chat_store.base import BaseChatStore
from llama_index.core.storage.docstore.types import BaseDocumentStore
from llama_index.core.tools import BaseTool
from llama_index.core.utilities.sql_wrapper import SQLDatabase
from llama_index.core.vector_stores.types import BasePydanticVectorStore
from llama_index.core.workflow import Workflow

from halo_core.errors import ConfigError
from halo_core.facade import HaloBase
from halo_core.pep.gate import Gate, gate_of
from halo_core.walk import container, held, is_a, plain
from halo_llamaindex._context import is_within

__all__ = ["is_store", "refuse_undecided"]

_STORES: Final = (
    BaseDocumentStore,
    BaseIndex,
    BasePydanticVectorStore,
    ComposableGraph,
    PropertyGraphStore,
    SQLDatabase,
)
"""What is read without a retriever, where something holds it that is none."""
_GRAPH: Final = ("get_rel_map", "upsert_triplet")
"""Methods of a graph store, which need not be of any class."""
_SILENT: Final = (
    BaseChatStore,
    BaseEmbedding,
    BaseNode,
    BaseObjectNodeMapping,
    BasePromptTemplate,
    CallbackManager,
    ChatMessage,
    Gate,
    HaloBase,
    Workflow,
    type,
    types.FunctionType,
    types.ModuleType,
)
_MOST: Final = 20_000
_REMEDIES: Final[dict[type[Any], str]] = {
    BaseLLM: "give it a guarded one: `halo.guard(llm)`",
    BaseRetriever: "give it a guarded one: `halo.guard(retriever)`",
}


def refuse_undecided(made: Any, *, stores: bool) -> None:
    """Refuse a copy that would still ask a model, a retriever or a store past everybody.

    Args:
        made: the copy.
        stores: whether a store in it is read by something else than a retriever.

    Raises:
        ConfigError: it would.
    """
    found = next(_raw(made, stores=stores), None)
    if found is None:
        return
    holder, part = found
    remedy = next((said for kind, said in _REMEDIES.items() if isinstance(part, kind)), "")
    raise ConfigError(
        "holds_undecided",
        f"`{type(holder).__name__}` would go on using its own `{type(part).__name__}`, which nobody decides",
        field="x",
        remedy=remedy or "leave that part out, or let a guarded retriever read the store",
    )


def is_store(x: Any) -> bool:
    """Whether something is read without a retriever; asks none of its code."""
    there = {name for kind in type(x).__mro__ for name in kind.__dict__}
    return is_a(x, *_STORES) or there.issuperset(_GRAPH)


def _raw(made: Any, *, stores: bool) -> Iterator[tuple[Any, Any]]:
    """What acts undecided in something, with what holds it."""
    seen: dict[int, Any] = {}
    left = [(made, made, stores)]
    while left and len(seen) < _MOST:
        holder, x, reads = left.pop()
        if plain(x) or id(x) in seen or is_a(x, *_SILENT) or gate_of(x) is not None:
            continue
        seen[id(x)] = x
        if is_a(x, BaseLLM) or (is_a(x, BaseRetriever) and not is_within(x)):
            yield holder, x
        elif is_store(x):
            if reads:
                yield holder, x
        else:
            inner = reads and not is_a(x, BaseRetriever, BaseMemory)
            left += [(x if container(x) is None else holder, part, inner) for part in _parts(x)]


def _parts(x: Any) -> list[Any]:
    items = container(x)
    if items is not None:
        return [value for _, value in items]
    if is_a(x, types.MethodType):
        return [x.__self__]
    if is_a(x, functools.partial):
        return [*x.args, *x.keywords.values()]
    if is_a(x, BaseTool):  # what it runs is decided where it is called, if it is guarded; what it reads from here
        return [held(x).get(name) for name in ("_retriever", "_query_engine")]
    return list(held(x).values())
