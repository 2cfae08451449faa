"""Run hooks that refuse, or in observe mode record, what carries no guard.

They decide nothing: what carries a guard passes, and is decided there. They do not see what starts no hook: tools that
that are called by themselves, the provider's own tools, clients.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from agents import Agent, Model, RunHooks
from agents.exceptions import AgentsException
from agents.run_internal.tool_execution import build_litellm_json_tool_call

from halo_core.enforcement.guards import clean_name
from halo_core.enforcement.shadow_activity import ModeWatch, record_shadow, refuse_unguarded
from halo_core.errors import Denied
from halo_core.model import Mode
from halo_openai_agents._runs import find_run
from halo_openai_agents._translate import find_guard, get_display_name, model_name

_STRUCTURED_ANSWER_MODULE: Final = build_litellm_json_tool_call.__module__


class Unguarded(Denied, AgentsException):
    """Something without a guard did not run. Of the SDK's class too, so that it leaves a run unchanged."""

    run_data = None


class Tripwire(RunHooks[Any]):
    """Refuses, or in observe mode records, what carries no guard, then calls the host's own hooks.

    Args:
        watches: who watches.
        inner: the host's hooks.
        model: the model of the run, where its configuration names one for all agents.
    """

    def __init__(self, watches: Sequence[ModeWatch], inner: RunHooks[Any] | None = None, model: Any = None) -> None:
        self._watches = tuple(watches)
        self._inner = inner or RunHooks()
        self._model = model

    def with_watches(self, watches: Sequence[ModeWatch]) -> Tripwire:
        """A copy with more watches."""
        watched_ids = {id(watch.halo) for watch in self._watches}
        added = [watch for watch in watches if id(watch.halo) not in watched_ids]
        return Tripwire((*self._watches, *added), self._inner, self._model) if added else self

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        """A turn of an agent begins.

        Raises:
            Unguarded: nothing decides it.
        """
        self._check_start("agent", agent)
        if (run := find_run(None, context)) is not None:
            run.current_agent = agent
        await self._inner.on_agent_start(context, agent)

    async def on_llm_start(self, context: Any, agent: Any, system_prompt: Any, input_items: Any) -> None:
        """A model is asked; raises as `on_agent_start`."""
        model = self._model if isinstance(self._model, Model) else agent.model
        # A name is looked up by the run's provider, whose models are guarded.
        if isinstance(model, Model):
            self._check_start("model", model, agent)
        await self._inner.on_llm_start(context, agent, system_prompt, input_items)

    async def on_tool_start(self, context: Any, agent: Any, tool: Any) -> None:
        """A tool starts; raises as `on_agent_start`."""
        # A tool that the SDK makes on the spot for an answer with a shape gives back what it is given.
        if getattr(getattr(tool, "on_invoke_tool", None), "__module__", "") != _STRUCTURED_ANSWER_MODULE:
            self._check_start("tool", tool, agent)
        await self._inner.on_tool_start(context, agent, tool)

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        """An agent was handed to; raises as `on_agent_start`, and where no hand-off of ours led there."""
        run = find_run(None, context)
        # INVARIANT: the receiver's guard decides what it does; only that of a hand-off decides that it is reached.
        self._check_start("agent", to_agent, from_agent, was_handed_off=run is None or run.handoff_target is to_agent)
        await self._inner.on_handoff(context, from_agent, to_agent)

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        await self._inner.on_agent_end(context, agent, output)

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        await self._inner.on_llm_end(context, agent, response)

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        await self._inner.on_tool_end(context, agent, tool, result)

    def _check_start(self, kind: str, thing: Any, agent: Any = None, *, was_handed_off: bool = True) -> None:
        # INVARIANT: what passes here carries a guard, of whichever Halo, which decides.
        if (was_handed_off and find_guard(thing) is not None) or not self._watches:
            return
        name = model_name(thing) if kind == "model" else clean_name(get_display_name(thing))
        refused = any(watch.mode() is Mode.ENFORCE for watch in self._watches)
        where = clean_name(agent.name) if isinstance(agent, Agent) else ""
        record_shadow(self._watches, kind, name, where, refused=refused)
        if refused:
            refuse_unguarded(name, Unguarded)
