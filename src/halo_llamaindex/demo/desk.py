"""Room: the loan desk in LlamaIndex: real agents, retrievers and tools; only the models' words are scripted.

Never: reaches a network.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from halo_core import desk
from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM, call

__all__ = ["run_desk"]


class Shelf(BaseRetriever):
    """A few documents, found by shared words."""

    def __init__(self, documents: tuple[str, ...]) -> None:
        super().__init__()
        self._documents = documents

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        found = desk.found(self._documents, query_bundle.query_str)
        return [NodeWithScore(node=TextNode(text=text), score=1.0) for text in found]


def _model(script: tuple[desk.Said, ...]) -> ScriptedLLM:
    return ScriptedLLM(script=[call(item.words, *item.calls, id=item.id) for item in script])


def _tools(halo: Halo) -> list[Any]:
    handbook = halo.guard(Shelf(desk.HANDBOOK), resource=desk.SHELVES["handbook"])
    uploads = halo.guard(Shelf(desk.UPLOADS), resource=desk.SHELVES["customer-uploads"])
    paying = halo.guard(desk.pay, resource=desk.PAYMENT)
    looking_up = halo.guard(desk.land_registry, resource=desk.OUTSIDE)
    research = halo.guard(
        FunctionAgent(name=desk.RESEARCH, tools=[looking_up, paying], llm=_model(desk.RESEARCHED)),
        agent=desk.RESEARCH,
        give={desk.RESEARCH: desk.FOR_RESEARCH},
    )

    def search_handbook(query: str) -> str:
        """Search the bank's handbook."""
        return "\n".join(item.get_content() for item in handbook.retrieve(query))

    def search_uploads(query: str) -> str:
        """Search what customers uploaded."""
        return "\n".join(item.get_content() for item in uploads.retrieve(query))

    async def ask_research(question: str) -> str:
        """Hand a question to the research agent."""
        return str(await research.run(user_msg=question))

    own: list[Any] = [search_handbook, desk.list_applications, desk.credit_score, search_uploads]
    return [
        *halo.guard(own, resource=desk.OWN),
        *halo.guard([desk.read_letter, ask_research], resource=desk.OUTSIDE),
        paying,
    ]


class Desk:
    """The desk's agent; its conversation goes on."""

    def __init__(self, halo: Halo, tools: list[Any]) -> None:
        self._halo = halo
        self._tools = tools
        self._memory = ChatMemoryBuffer.from_defaults()

    def ask(self, script: tuple[desk.Said, ...], words: str) -> str:
        """Run the agent on what a person says; its last words."""

        async def run() -> str:
            agent = self._halo.guard(FunctionAgent(tools=self._tools, llm=_model(script)))
            return str(await agent.run(user_msg=words, memory=self._memory))

        return asyncio.run(run())


def run_desk(home: Path, somebody_looks: Callable[[], None]) -> str:
    """Run the story in enforce mode; `home` is an empty folder. See `halo_core.desk.run_story`."""
    with Halo.local(
        agent=desk.AGENT, user=desk.USER, mode="enforce", home=home, quiet=True, limits=desk.LIMITS
    ) as halo:
        tools = _tools(halo)
        return desk.run_story(halo, lambda: Desk(halo, tools), home, somebody_looks)
