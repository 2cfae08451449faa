"""Room: what of an app is decided before it runs. Takes: an agent, tool, model, server or function. Gives: findings.

It follows what objects hold: agents over hand-offs and tools, guardrails, hooks and instructions that are functions,
closures, globals that functions name. What a function makes while it runs it does not see. Never: runs anything of the
app's, raises.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable
from typing import Any, Final

from agents import FunctionTool, Handoff, Model, RunConfig, RunState
from agents.agent import AgentBase
from agents.mcp import MCPServer
from agents.memory import OpenAIResponsesCompactionSession
from agents.realtime import RealtimeAgent, RealtimeModel
from agents.tracing import get_trace_provider
from pydantic import BaseModel

from halo_core.coverage import Finding, Kind, Status, sort
from halo_core.facade import HaloBase
from halo_core.pep.gate import Gate
from halo_openai_agents._doctor import agents, parts
from halo_openai_agents._doctor.rows import Look, Rows
from halo_openai_agents._doctor.walk import container, framework, is_a, module_of, plain, reached
from halo_openai_agents._models.guard import GuardedProvider
from halo_openai_agents._translate import HOSTED, NATIVE

__all__ = ["doctor"]

_DEEPEST: Final = 80
_MOST: Final = 50_000
_SILENT: Final = (Gate, HaloBase, RunState, BaseModel)
_FUNCTIONS: Final = (types.FunctionType, types.MethodType, functools.partial)
_BY_TYPE: Final[tuple[tuple[tuple[type[Any], ...], Callable[[Any, Any, str, Gate | None], None]], ...]] = (
    ((RealtimeAgent, RealtimeModel), agents.realtime),
    ((AgentBase,), agents.agent),
    ((FunctionTool,), parts.tool),
    ((*HOSTED, *NATIVE), parts.other),
    ((Handoff,), agents.handoff),
    ((Model,), parts.model),
    ((MCPServer,), parts.server),
    ((RunConfig,), parts.config),
    ((GuardedProvider,), parts.provider),
    (parts.CLIENTS, parts.client),
    ((OpenAIResponsesCompactionSession,), parts.compacting),
)


def doctor(obj: Any, *, name: str = "") -> list[Finding]:
    """What of an app is decided before it runs, what can run undecided, and what nothing can intercept.

    Args:
        obj: an agent, tool, hand-off, model, MCP server, run configuration or function, or a list or dict of these.
        name: what to call it.

    Returns:
        Findings, open ones first. Empty where there is nothing that Halo knows.
    """
    examiner = _Examiner()
    examiner.visit(obj, f"`{name}`" if name else "", None)
    return examiner.finish()


class _Examiner(Look):
    """One look at an app."""

    def __init__(self) -> None:
        self.rows = Rows()
        self._seen: dict[tuple[int, bool], Any] = {}  # kept, so that no other takes its identity
        self._depth = 0
        self._cut = False
        self._agents = False

    def finish(self) -> list[Finding]:
        """Findings in order, with those about the whole."""
        if self.rows.originals:
            names = list(dict.fromkeys(self.rows.originals))
            shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
            remedy = "an original and its `on_invoke_tool` are not guarded: keep the guarded copies only"
            self.rows.note(Kind.TOOL, shown, "originals, in the modules that made them", remedy)
        if self._agents and not getattr(get_trace_provider(), "_disabled", False):
            remedy = (
                "the SDK sends what is asked and answered to its makers: `set_tracing_disabled(True)`, or a processor "
                "of your own; what a policy masks or holds back is left out"
            )
            self.rows.note(Kind.STORE, "traces", "every run", remedy)
        if self._cut:
            remedy = "ask about its parts: `halo doctor MODULE:PART`"
            self.rows.add(Kind.NODE, "the rest", "too deep or too large to look into", "none", Status.OPEN, remedy)
        return sort(self.rows.found)

    def visit(self, x: Any, where: str, within: Gate | None) -> None:
        """Look at anything, once."""
        if plain(x) or is_a(x, *_SILENT):
            return
        key = (id(x), within is not None)
        if key in self._seen:
            return
        if len(self._seen) >= _MOST or self._depth >= _DEEPEST:
            self._cut = True
            return
        self._seen[key] = x
        self._depth += 1
        self._agents = self._agents or is_a(x, AgentBase)
        look = next((look for kinds, look in _BY_TYPE if is_a(x, *kinds)), None)
        if look is not None:
            look(self, x, where, within)
        else:
            self.inside(x, where)
        self._depth -= 1

    def inside(self, x: Any, where: str) -> None:
        """What a container, a function or an object of the app's holds, which nothing around it decides."""
        items = container(x)
        if items is None:
            foreign = framework(module_of(x)) and not is_a(x, *_FUNCTIONS)
            items = [] if foreign else reached(x)
        for item in items:
            self.visit(item, where, None)
