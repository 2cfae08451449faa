"""The demonstration: a loan desk of real agents, retrievers and tools, of which only the models' words are scripted."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any, Final

from llama_index.core.agent.workflow import FunctionAgent
from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.memory import ChatMemoryBuffer
from llama_index.core.schema import NodeWithScore, QueryBundle, TextNode

from halo_core import demo
from halo_llamaindex import Halo
from halo_llamaindex.testing import ScriptedLLM, call


class KeywordRetriever(BaseRetriever):
    """A few documents, found by shared words."""

    def __init__(self, documents: tuple[str, ...]) -> None:
        super().__init__()
        self._documents = documents

    def _retrieve(self, query_bundle: QueryBundle) -> list[NodeWithScore]:
        texts = demo.find_documents(self._documents, query_bundle.query_str)
        return [NodeWithScore(node=TextNode(text=text), score=1.0) for text in texts]


def _make_model(script: tuple[demo.ScriptedMessage, ...]) -> ScriptedLLM:
    return ScriptedLLM(script=[call(item.text, *item.calls, id=item.id) for item in script])


def _make_tools(halo: Halo) -> list[Any]:
    handbook = halo.guard(KeywordRetriever(demo.HANDBOOK), resource=demo.RETRIEVER_RESOURCES["handbook"])
    uploads = halo.guard(KeywordRetriever(demo.UPLOADS), resource=demo.RETRIEVER_RESOURCES["customer-uploads"])
    payment_tool = halo.guard(demo.pay, resource=demo.PAYMENT)
    registry_tool = halo.guard(demo.land_registry, resource=demo.EXTERNAL)
    research = halo.guard(
        FunctionAgent(name=demo.RESEARCH, tools=[registry_tool, payment_tool], llm=_make_model(demo.RESEARCH_SCRIPT)),
        agent=demo.RESEARCH,
        give={demo.RESEARCH: demo.RESEARCH_TERMS},
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

    return demo.guard_desk_tools(halo, search_handbook, search_uploads, ask_research, payment_tool)


class DeskAgent:
    """The desk's agent; its conversation goes on."""

    def __init__(self, halo: Halo, tools: list[Any]) -> None:
        self._halo = halo
        self._tools = tools
        self._memory = ChatMemoryBuffer.from_defaults()

    def ask(self, script: tuple[demo.ScriptedMessage, ...], message: str) -> str:
        """Run the agent on what a person says; its last words."""

        async def run() -> str:
            agent = self._halo.guard(FunctionAgent(tools=self._tools, llm=_make_model(script)))
            return str(await agent.run(user_msg=message, memory=self._memory))

        return asyncio.run(run())


run_desk: Final = partial(demo.run_desk, Halo.local, _make_tools, DeskAgent)
"""Run the story; see `halo_core.demo.run_desk`."""
