"""Room: run hooks as a tripwire. Takes: start events of a run. Gives: a refusal for what carries no guard.

It decides nothing: what carries a guard passes and decides itself. What starts no hook it cannot see: tools that are
called by themselves, the provider's own tools, clients. Never: decides, reads argument values.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from agents import Agent, Model, RunHooks
from agents.exceptions import AgentsException
from agents.run_internal.tool_execution import build_litellm_json_tool_call

from halo_core.enforcement.guards import clean_name
from halo_core.errors import Denied, HaloError
from halo_core.model import Mode
from halo_core.reasons import get_reason_text
from halo_openai_agents._runs import find_innermost_run
from halo_openai_agents._translate import find_guard, get_display_name, model_name

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_STRUCTURED_ANSWER_MODULE: Final = build_litellm_json_tool_call.__module__

__all__ = ["ModeWatch", "Tripwire", "Unguarded"]


class Unguarded(Denied, AgentsException):
    """What nothing decides did not run. Of the SDK's own kind too, so that a run that it ends ends with it as it is."""

    run_data = None


def _is_structured_answer_tool(tool: Any) -> bool:
    """Whether a tool is the SDK's own, made on the spot for an answer with a shape: it gives back what it is given."""
    return bool(getattr(getattr(tool, "on_invoke_tool", None), "__module__", "") == _STRUCTURED_ANSWER_MODULE)


class ModeWatch:
    """Whether what carries no guard is refused: the mode in force, read where nothing may wait.

    Args:
        halo: whose mode and ledger count.
        mode: the mode it was opened with; None follows the stored one.

    Raises:
        CannotDecide: the stored mode cannot be read.
    """

    def __init__(self, halo: Halo, mode: Mode | None) -> None:
        self.halo = halo
        self._is_fixed = mode is not None
        self._last_mode = mode or halo.mode

    def mode(self) -> Mode:
        """As stored, or in an event loop as it was last read."""
        if self._is_fixed:
            return self._last_mode
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._refresh_mode()
        else:
            with suppress(RuntimeError):  # the loop is closing down
                loop.run_in_executor(None, self._refresh_mode)
        return self._last_mode

    def _refresh_mode(self) -> None:
        # What cannot be read now stays as it was last read, like a decision that cannot be made.
        self._last_mode = self.halo.store.peek_mode() or self._last_mode


class Tripwire(RunHooks[Any]):
    """Refuses, or in observe mode records, what none of these Halos guards, then tells the host's own hooks.

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
        """The same, with more who watch."""
        watched_ids = {id(watch.halo) for watch in self._watches}
        added = [watch for watch in watches if id(watch.halo) not in watched_ids]
        return Tripwire((*self._watches, *added), self._inner, self._model) if added else self

    def is_guarded(self, thing: Any) -> bool:
        """Whether something of Halo stands before it; a guard of any Halo does."""
        return find_guard(thing) is not None

    async def on_agent_start(self, context: Any, agent: Any) -> None:
        """A turn of an agent begins.

        Raises:
            Unguarded: nothing decides it.
        """
        self._check_start("agent", agent)
        if (run := find_innermost_run(context)) is not None:
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
        if not _is_structured_answer_tool(tool):
            self._check_start("tool", tool, agent)
        await self._inner.on_tool_start(context, agent, tool)

    async def on_handoff(self, context: Any, from_agent: Any, to_agent: Any) -> None:
        """An agent was handed to; raises as `on_agent_start`, and where no hand-off of ours led there."""
        run = find_innermost_run(context)
        # INVARIANT: the receiver's guard decides what it does; only that of a hand-off decides that it is reached.
        self._check_start("agent", to_agent, from_agent, was_handed_off=run is None or run.handoff_target is to_agent)
        await self._inner.on_handoff(context, from_agent, to_agent)

    async def on_agent_end(self, context: Any, agent: Any, output: Any) -> None:
        """Passed on."""
        await self._inner.on_agent_end(context, agent, output)

    async def on_llm_end(self, context: Any, agent: Any, response: Any) -> None:
        """Passed on."""
        await self._inner.on_llm_end(context, agent, response)

    async def on_tool_end(self, context: Any, agent: Any, tool: Any, result: Any) -> None:
        """Passed on."""
        await self._inner.on_tool_end(context, agent, tool, result)

    def _check_start(self, kind: str, thing: Any, agent: Any = None, *, was_handed_off: bool = True) -> None:
        # INVARIANT: what passes here carries a guard, which decides.
        if (was_handed_off and self.is_guarded(thing)) or not self._watches:
            return
        name = model_name(thing) if kind == "model" else clean_name(get_display_name(thing))
        refused = any(watch.mode() is Mode.ENFORCE for watch in self._watches)
        where = clean_name(agent.name) if isinstance(agent, Agent) else ""
        for halo in {id(watch.halo): watch.halo for watch in self._watches}.values():
            with suppress(HaloError):  # a ledger that is closed lets nothing more pass than an open one
                halo.record_shadow(kind, name, where, refused=refused)
        if refused:
            reason_text = get_reason_text("unguarded")
            raise Unguarded("unguarded", f"deny `{name}`: {reason_text.title}", remedy=reason_text.remedy)
