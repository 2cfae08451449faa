"""The loan desk of `halo demo`: real agents, tools and runs; only the models' words are scripted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

from agents import Agent, FunctionTool, Runner, function_tool

from halo_core import demo
from halo_core.model import ActionKind
from halo_openai_agents import Halo
from halo_openai_agents.testing import ScriptedModel, call


def _make_model(script: tuple[demo.ScriptedMessage, ...]) -> ScriptedModel:
    return ScriptedModel([call(item.text, *item.calls, id=item.id) for item in script])


def _make_run_options(halo: Halo) -> dict[str, Any]:
    """Without traces, which the SDK would send away."""
    return halo.run_options(run_config={"tracing_disabled": True})


def _make_document_search(halo: Halo, name: str, documents: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A few documents, found by shared words. The SDK has no retrievers: a function is declared as one."""

    def shelf(query: str) -> list[str]:
        """Look on the shelf."""
        return demo.find_documents(documents, query)

    resource = replace(demo.RETRIEVER_RESOURCES[name], kind=ActionKind.RETRIEVAL)
    guarded: Any = halo.guard(shelf, resource=resource)
    decided: Callable[[str], list[str]] = guarded.__wrapped__
    return decided


def _make_search_tool(name: str, description: str, shelf: Callable[[str], list[str]]) -> FunctionTool:
    def search(query: str) -> str:
        return "\n\n".join(shelf(query))

    return function_tool(search, name_override=name, description_override=description)


def _make_tools(halo: Halo) -> list[FunctionTool]:
    handbook = _make_document_search(halo, "handbook", demo.HANDBOOK)
    uploads = _make_document_search(halo, "customer-uploads", demo.UPLOADS)
    search_handbook = _make_search_tool("search_handbook", "Search the bank's handbook.", handbook)
    search_uploads = _make_search_tool("search_uploads", "Search what customers uploaded.", uploads)
    payment_tool = halo.guard(demo.pay, resource=demo.PAYMENT)
    registry_tool = halo.guard(demo.land_registry, resource=demo.EXTERNAL)

    def ask_research(question: str) -> str:
        """Hand a question to the research agent."""
        with halo.hand_off(demo.RESEARCH, task=question, give=demo.RESEARCH_TERMS):
            research = Agent(
                name=demo.RESEARCH, model=_make_model(demo.RESEARCH_SCRIPT), tools=[registry_tool, payment_tool]
            )
            return str(Runner.run_sync(halo.guard(research), question, **_make_run_options(halo)).final_output)

    return demo.guard_desk_tools(halo, search_handbook, search_uploads, ask_research, payment_tool)


class DeskAgent:
    """The desk's agent, with its conversation so far."""

    def __init__(self, halo: Halo, tools: list[FunctionTool]) -> None:
        self._halo = halo
        self._tools = tools
        self._messages: list[Any] = []

    def ask(self, script: tuple[demo.ScriptedMessage, ...], message: str) -> str:
        """Run the agent on what a person says and return its answer."""
        agent = self._halo.guard(Agent(name=demo.AGENT, model=_make_model(script), tools=list(self._tools)))
        messages = [*self._messages, {"role": "user", "content": message}]
        result = Runner.run_sync(agent, messages, max_turns=None, **_make_run_options(self._halo))
        self._messages = result.to_input_list()
        return str(result.final_output)


run_desk: Final = partial(demo.run_desk, Halo.local, _make_tools, DeskAgent)
"""Run the story; see `halo_core.demo.run_desk`."""
