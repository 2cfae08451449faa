"""What the applications of the OpenAI Agents SDK share: models and agents that count, and ways to run them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agents import Agent, AgentHooks, Runner, function_tool
from counting import Actions, assert_all_decided, count_questions, list_undecided

from halo_openai_agents import Halo
from halo_openai_agents.testing import ScriptedModel, call


class CountingModel(ScriptedModel):
    """A scripted model that counts how often it is asked."""

    def __init__(self, actions: Actions, script: Any, name: str) -> None:
        super().__init__(list(script), model=name)
        self.actions = actions

    def say(self, model_input: Any) -> Any:
        self.actions.note("inference", self.model)
        return super().say(model_input)


class CountingHooks(AgentHooks[Any]):
    """Counts how often an agent begins to act."""

    def __init__(self, actions: Actions) -> None:
        self.actions = actions

    async def on_start(self, context: Any, agent: Any) -> None:
        self.actions.note("handoff", agent.name)


def make_agent(actions: Actions, name: str, script: Any, *, is_named: bool = True, **more: Any) -> Agent[Any]:
    """An agent that counts; `is_named` of one that is handed to, or is a tool, or is started inside a run."""
    hooks = {"hooks": CountingHooks(actions)} if is_named else {}
    return Agent(name=name, model=CountingModel(actions, script, f"model-of-{name}"), **hooks, **more)


LOOKS = ("look", {"q": "rain"})


def make_look(actions: Actions) -> Any:
    """A tool that reads."""

    @function_tool
    @actions.tool
    def look(q: str) -> str:
        """Look something up."""
        return f"about {q}"

    return look


def looks_once(actions: Actions, name: str, *calls: tuple[str, dict[str, Any]], **more: Any) -> Agent[Any]:
    """An agent that makes these calls at once, and then is done."""
    script = [call("look", *(calls or (LOOKS,)), id=f"{name}-1"), f"{name} is done"]
    more.setdefault("tools", [make_look(actions)])
    return make_agent(actions, name, script, **more)


async def ask(actions: Actions, name: str) -> Any:
    """Run an agent that nobody guarded."""
    return await Runner.run(make_agent(actions, name, ["fine"]), "Check this.")


def open_halo(home: Path, mode: str) -> Halo:
    return Halo.local("desk", mode=mode, home=home, quiet=True)


async def run(agent: Any, given: Any, *, streamed: bool = False, **options: Any) -> Any:
    if not streamed:
        return await Runner.run(agent, given, **options)
    result = Runner.run_streamed(agent, given, **options)
    async for _ in result.stream_events():
        pass
    return result


def require_whole(home: Path, actions: Actions, *, questions: int = 0) -> None:
    """Each model call, tool call and beginning of an agent was decided, by name and number, and nothing else ran."""
    assert_all_decided(home, actions, kinds=("handoff", "inference", "retrieval", "tool_call"))
    assert (count_questions(home), list_undecided(home)) == (questions, [])
