"""The loan desk in LangChain, offline: real agents, retrievers and tools; only the models' words are scripted."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import create_retriever_tool

from halo_core import demo
from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel, call


class KeywordRetriever(BaseRetriever):
    """A few documents, found by shared words."""

    documents: tuple[str, ...]

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  the base class's signature
    ) -> list[Document]:
        return [Document(text) for text in demo.find_documents(self.documents, query)]


def _model(script: tuple[demo.ScriptedMessage, ...]) -> ScriptedModel:
    return ScriptedModel(script=[call(item.text, *item.calls, id=item.id) for item in script])


def _tools(halo: Halo) -> list[Any]:
    handbook = halo.guard(KeywordRetriever(documents=demo.HANDBOOK), resource=demo.RETRIEVER_RESOURCES["handbook"])
    uploads = halo.guard(
        KeywordRetriever(documents=demo.UPLOADS), resource=demo.RETRIEVER_RESOURCES["customer-uploads"]
    )
    search_handbook = create_retriever_tool(handbook, "search_handbook", "Search the bank's handbook.")
    search_uploads = create_retriever_tool(uploads, "search_uploads", "Search what customers uploaded.")
    payment_tool = halo.guard(demo.pay, resource=demo.PAYMENT)
    registry_tool = halo.guard(demo.land_registry, resource=demo.EXTERNAL)

    def ask_research(question: str) -> str:
        """Hand a question to the research agent."""
        with halo.hand_off(demo.RESEARCH, task=question, give=demo.RESEARCH_TERMS):
            model = _model(demo.RESEARCH_SCRIPT)
            agent: Any = create_agent(model, tools=[registry_tool, payment_tool], middleware=[halo.middleware()])
            return str(agent.invoke({"messages": [HumanMessage(question)]})["messages"][-1].content)

    return demo.guard_desk_tools(halo, search_handbook, search_uploads, ask_research, payment_tool)


class DeskAgent:
    """The desk's agent; its conversation goes on."""

    def __init__(self, halo: Halo, tools: list[Any]) -> None:
        self._halo = halo
        self._tools = tools
        self._messages: list[BaseMessage] = []

    def ask(self, script: tuple[demo.ScriptedMessage, ...], message: str) -> str:
        """Run the agent on what a person says; its last words."""
        agent: Any = create_agent(_model(script), tools=self._tools, middleware=[self._halo.middleware()])
        self._messages = agent.invoke({"messages": [*self._messages, HumanMessage(message)]})["messages"]
        return str(self._messages[-1].content)


run_desk: Final = partial(demo.run_desk, Halo.local, _tools, DeskAgent)
"""Run the story; see `halo_core.demo.run_desk`."""
