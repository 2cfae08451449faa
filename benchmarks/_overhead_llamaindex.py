"""Make pairs of calls in LlamaIndex to be timed: one with Halo, one without."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.llms import ChatMessage
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool

from _overhead_measure import Case
from halo_llamaindex import Halo, Impact, Resource
from halo_llamaindex.testing import ScriptedLLM

__all__ = ["cases"]

_TOOL_US = 50.0
_READ = Resource(impact=Impact.READ, idempotent=True)
_WORDS = "what the quarterly report says of the freight rates"
_ARGS: dict[str, Any] = {"query": _WORDS, "limit": 3}
_NODES = [NodeWithScore(node=TextNode(text=f"paragraph {i} of the report"), score=1.0) for i in range(4)]
_SAID = [ChatMessage(role="user", content=_WORDS)]


def _look(query: str, limit: int = 5) -> str:
    """Look something up."""
    return f"{limit} for {query}"


async def _alook(query: str, limit: int = 5) -> str:
    """Look something up."""
    return f"{limit} for {query}"


class _Shelf(BaseRetriever):
    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        del query_bundle
        return _NODES

    async def _aretrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        del query_bundle
        return _NODES


def cases(halo: Halo) -> Iterator[Case]:
    """All that this Halo can stand at."""
    plain = FunctionTool.from_defaults(fn=_look, async_fn=_alook, name="look")
    tool = halo.guard(plain, resource=_READ)
    yield Case("tool, call", lambda: plain.call(**_ARGS), lambda: tool.call(**_ARGS), _TOOL_US)
    yield Case("tool, acall", lambda: plain.acall(**_ARGS), lambda: tool.acall(**_ARGS), _TOOL_US)
    shelf = _Shelf()
    retriever = halo.guard(shelf, resource=Resource(id="shelf", impact=Impact.READ, source_trust=900))
    yield Case("retriever, retrieve", lambda: shelf.retrieve(_WORDS), lambda: retriever.retrieve(_WORDS), None)
    yield Case("retriever, aretrieve", lambda: shelf.aretrieve(_WORDS), lambda: retriever.aretrieve(_WORDS), None)
    model = ScriptedLLM(script=[])
    guarded = halo.guard(model)
    yield Case("model, chat", lambda: model.chat(_SAID), lambda: guarded.chat(_SAID), None)
    yield Case("model, achat", lambda: model.achat(_SAID), lambda: guarded.achat(_SAID), None)
