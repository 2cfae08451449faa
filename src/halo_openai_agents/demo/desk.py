"""Room: the loan desk in the OpenAI Agents SDK: real agents, tools and runs; only the models' words are scripted.

Never: reaches a network.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from agents import Agent, FunctionTool, Runner, function_tool

from halo_core import desk
from halo_core.model import ActionKind
from halo_openai_agents import Halo
from halo_openai_agents.testing import ScriptedModel, call

__all__ = ["run_desk"]


def _model(script: tuple[desk.Said, ...]) -> ScriptedModel:
    return ScriptedModel([call(item.words, *item.calls, id=item.id) for item in script])


def _options(halo: Halo) -> dict[str, Any]:
    """The SDK would send traces away."""
    return halo.run_options(run_config={"tracing_disabled": True})


def _shelf(halo: Halo, name: str, documents: tuple[str, ...]) -> Callable[[str], list[str]]:
    """A few documents, found by shared words. The SDK has no retrievers: a function that is declared as one is it."""

    def shelf(query: str) -> list[str]:
        """Look on the shelf."""
        return desk.found(documents, query)

    resource = replace(desk.SHELVES[name], kind=ActionKind.RETRIEVAL)
    found: Any = halo.guard(shelf, resource=resource)
    decided: Callable[[str], list[str]] = found.__wrapped__
    return decided


def _search(name: str, description: str, shelf: Callable[[str], list[str]]) -> FunctionTool:
    def search(query: str) -> str:
        return "\n\n".join(shelf(query))

    return function_tool(search, name_override=name, description_override=description)


def _tools(halo: Halo) -> list[FunctionTool]:
    handbook = _shelf(halo, "handbook", desk.HANDBOOK)
    uploads = _shelf(halo, "customer-uploads", desk.UPLOADS)
    search_handbook = _search("search_handbook", "Search the bank's handbook.", handbook)
    search_uploads = _search("search_uploads", "Search what customers uploaded.", uploads)
    paying = halo.guard(desk.pay, resource=desk.PAYMENT)
    looking_up = halo.guard(desk.land_registry, resource=desk.OUTSIDE)

    def ask_research(question: str) -> str:
        """Hand a question to the research agent."""
        with halo.hand_off(desk.RESEARCH, task=question, give=desk.FOR_RESEARCH):
            research = Agent(name=desk.RESEARCH, model=_model(desk.RESEARCHED), tools=[looking_up, paying])
            return str(Runner.run_sync(halo.guard(research), question, **_options(halo)).final_output)

    own: list[Any] = [search_handbook, desk.list_applications, desk.credit_score, search_uploads]
    return [
        *halo.guard(own, resource=desk.OWN),
        *halo.guard([desk.read_letter, ask_research], resource=desk.OUTSIDE),
        paying,
    ]


class Desk:
    """The desk's agent; its conversation goes on."""

    def __init__(self, halo: Halo, tools: list[FunctionTool]) -> None:
        self._halo = halo
        self._tools = tools
        self._said: list[Any] = []

    def ask(self, script: tuple[desk.Said, ...], words: str) -> str:
        """Run the agent on what a person says; its last words."""
        agent = self._halo.guard(Agent(name=desk.AGENT, model=_model(script), tools=list(self._tools)))
        given = [*self._said, {"role": "user", "content": words}]
        result = Runner.run_sync(agent, given, max_turns=None, **_options(self._halo))
        self._said = result.to_input_list()
        return str(result.final_output)


def run_desk(home: Path, somebody_looks: Callable[[], None]) -> str:
    """Run the story in enforce mode; `home` is an empty folder. See `halo_core.desk.run_story`."""
    with Halo.local(
        agent=desk.AGENT, user=desk.USER, mode="enforce", home=home, quiet=True, limits=desk.LIMITS
    ) as halo:
        tools = _tools(halo)
        return desk.run_story(halo, lambda: Desk(halo, tools), home, somebody_looks)
