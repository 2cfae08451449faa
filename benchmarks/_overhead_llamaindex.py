"""Room: the places where Halo stands in LlamaIndex. Takes: a Halo. Gives: pairs of calls to be timed.

Never: measures.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.base.llms.types import ChatMessage
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode
from llama_index.core.tools import FunctionTool

from _overhead_measure import Case
from halo_llamaindex import Halo, Impact, Resource
from halo_llamaindex.testing import ScriptedLLM

__all__ = ["cases"]

_TOOL_US = 50.0
_READ = Resource(impact=Impact.READ, idempotent=True)
_WORDS = "what the quarterly report says of the freight rates"
_ARGS = {"query": _WORDS, "limit": 3}
_NODES = [NodeWithScore(node=TextNode(text=f"paragraph {i} of the report on freight rates")) for i in range(4)]
_SAID = [ChatMessage(_WORDS), ChatMessage("They fell.", role="assistant"), ChatMessage("By how much?")]


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
    tool = FunctionTool.from_defaults(_look, async_fn=_alook, name="look")
    ours = halo.guard(tool, resource=_READ)
    yield Case("tool, call", lambda: tool.call(**_ARGS), lambda: ours.call(**_ARGS), _TOOL_US)
    yield Case("tool, acall", lambda: tool.acall(**_ARGS), lambda: ours.acall(**_ARGS), _TOOL_US)
    shelf: Any = _Shelf()
    kept = halo.guard(shelf)
    yield Case("retriever, retrieve", lambda: shelf.retrieve(_WORDS), lambda: kept.retrieve(_WORDS), None)
    yield Case("retriever, aretrieve", lambda: shelf.aretrieve(_WORDS), lambda: kept.aretrieve(_WORDS), None)
    model = ScriptedLLM(script=[], model="guarded")
    asked = halo.guard(model)
    yield Case("model, chat", lambda: model.chat(_SAID), lambda: asked.chat(_SAID), None)
    yield Case("model, achat", lambda: model.achat(_SAID), lambda: asked.achat(_SAID), None)
