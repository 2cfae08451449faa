"""Room: the loan desk in LangChain: real agents, retrievers and tools; only the models' words are scripted.

Never: reaches a network.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from langchain.agents import create_agent
from langchain_core.callbacks import CallbackManagerForRetrieverRun
from langchain_core.documents import Document
from langchain_core.messages import BaseMessage, HumanMessage
from langchain_core.retrievers import BaseRetriever
from langchain_core.tools import create_retriever_tool

from halo_core import desk
from halo_langchain import Halo
from halo_langchain.testing import ScriptedModel, call

__all__ = ["run_desk"]


class Shelf(BaseRetriever):
    """A few documents, found by shared words."""

    documents: tuple[str, ...]

    def _get_relevant_documents(
        self,
        query: str,
        *,
        run_manager: CallbackManagerForRetrieverRun,  # noqa: ARG002  the base class's signature
    ) -> list[Document]:
        return [Document(text) for text in desk.found(self.documents, query)]


def _model(script: tuple[desk.Said, ...]) -> ScriptedModel:
    return ScriptedModel(script=[call(item.words, *item.calls, id=item.id) for item in script])


def _tools(halo: Halo) -> list[Any]:
    handbook = halo.guard(Shelf(documents=desk.HANDBOOK), resource=desk.SHELVES["handbook"])
    uploads = halo.guard(Shelf(documents=desk.UPLOADS), resource=desk.SHELVES["customer-uploads"])
    search_handbook = create_retriever_tool(handbook, "search_handbook", "Search the bank's handbook.")
    search_uploads = create_retriever_tool(uploads, "search_uploads", "Search what customers uploaded.")
    paying = halo.guard(desk.pay, resource=desk.PAYMENT)
    looking_up = halo.guard(desk.land_registry, resource=desk.OUTSIDE)

    def ask_research(question: str) -> str:
        """Hand a question to the research agent."""
        with halo.hand_off(desk.RESEARCH, task=question, give=desk.FOR_RESEARCH):
            model = _model(desk.RESEARCHED)
            agent: Any = create_agent(model, tools=[looking_up, paying], middleware=[halo.middleware()])
            return str(agent.invoke({"messages": [HumanMessage(question)]})["messages"][-1].content)

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
        self._said: list[BaseMessage] = []

    def ask(self, script: tuple[desk.Said, ...], words: str) -> str:
        """Run the agent on what a person says; its last words."""
        agent: Any = create_agent(_model(script), tools=self._tools, middleware=[self._halo.middleware()])
        self._said = agent.invoke({"messages": [*self._said, HumanMessage(words)]})["messages"]
        return str(self._said[-1].content)


def run_desk(home: Path, somebody_looks: Callable[[], None]) -> str:
    """Run the story in enforce mode; `home` is an empty folder. See `halo_core.desk.run_story`."""
    with Halo.local(
        agent=desk.AGENT, user=desk.USER, mode="enforce", home=home, quiet=True, limits=desk.LIMITS
    ) as halo:
        tools = _tools(halo)
        return desk.run_story(halo, lambda: Desk(halo, tools), home, somebody_looks)
