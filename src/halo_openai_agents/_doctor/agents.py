"""Room: agents and what they hand to, for `halo doctor`. Takes: agents, hand-offs. Gives: rows. Never: runs any."""

from __future__ import annotations

from typing import Any, Final

from agents import Agent, Handoff, Model
from agents.agent import AgentBase
from agents.guardrail import InputGuardrail, OutputGuardrail
from agents.lifecycle import AgentHooksBase, RunHooksBase

from halo_core.coverage import Kind
from halo_core.pep.gate import Gate
from halo_openai_agents._doctor.rows import Look
from halo_openai_agents._doctor.walk import held, is_a
from halo_openai_agents._gates import gate_at
from halo_openai_agents._translate import thing_name

__all__ = ["agent", "beside", "handoff", "realtime"]

_TOLD: Final = ("instructions", "input_guardrails", "output_guardrails", "hooks", "tool_use_behavior", "prompt")
"""Fields of an agent that can be code of the app's, which runs beside what is decided."""


def agent(look: Look, found: Agent[Any], where: str, _within: Gate | None) -> None:
    """An agent, with what it has and what runs beside it."""
    gate = gate_at(found)
    name = found.name
    if gate is not None:
        look.rows.closed(Kind.AGENT, name, where, "guarded agent")
    else:
        look.rows.undecided(Kind.AGENT, name, where)
    mine = f"{where} > agent `{name}`" if where else f"agent `{name}`"
    for tool in found.tools:
        look.visit(tool, mine, gate)
    for server in found.mcp_servers:
        look.visit(server, mine, gate)
    for item in found.handoffs:
        _to(look, item, mine)
    _asks(look, found, mine, gate)
    for field in _TOLD:
        beside(look, getattr(found, field, None), f"{mine} > {field.replace('_', ' ')}")


def _asks(look: Look, found: Agent[Any], where: str, gate: Gate | None) -> None:
    if isinstance(found.model, Model):
        look.visit(found.model, where, gate)
        return
    name = found.model or "the SDK's default model"
    if gate is not None:
        look.rows.closed(Kind.MODEL, name, where, "the run's provider, which is guarded")
    else:
        look.rows.undecided(Kind.MODEL, name, where)


def beside(look: Look, x: Any, where: str) -> None:
    """Code of the app's that runs beside an agent: what it calls there, nothing around it decides."""
    for item in x if isinstance(x, list) else [x]:
        if is_a(item, dict) and "id" in item:
            remedy = "a stored prompt is filled in by the provider, its tools too: keep tools out of it"
            look.rows.note(Kind.MODEL, str(item.get("id")), where, remedy)
        elif is_a(item, InputGuardrail, OutputGuardrail):
            look.visit(item.guardrail_function, f"{where} `{item.get_name()}`", None)
        elif is_a(item, AgentHooksBase, RunHooksBase):
            look.inside(item, where)
        else:
            look.visit(item, where, None)


def _to(look: Look, item: Any, where: str) -> None:
    if is_a(item, Handoff):
        handoff(look, item, where, None)
        return
    look.rows.undecided(Kind.HANDOFF, thing_name(item), where)
    look.visit(item, where, None)


def handoff(look: Look, item: Handoff[Any, Any], where: str, _within: Gate | None) -> None:
    """A hand-off, and the agent that it leads to."""
    if gate_at(item) is not None:
        look.rows.closed(Kind.HANDOFF, item.agent_name, where, "guarded hand-off")
    else:
        look.rows.undecided(Kind.HANDOFF, item.agent_name, where)
    target = item._agent_ref() if item._agent_ref is not None else None  # noqa: SLF001  the SDK's only link to it
    look.visit(target, where, None)
    if gate_at(item) is None:
        look.inside(item.on_invoke_handoff, where)
    look.visit(item.input_filter, where, None)


def realtime(look: Look, x: Any, where: str, _within: Gate | None) -> None:
    """An agent or model of a realtime session, which no runner runs."""
    remedy = "a realtime session talks to its provider by itself: guard each of its tools with `halo.guard(tool)`"
    look.rows.note(Kind.AGENT if is_a(x, AgentBase) else Kind.MODEL, thing_name(x), where, remedy)
    for item in (*held(x).get("tools", ()), *held(x).get("mcp_servers", ())):
        look.visit(item, f"{where} > realtime agent `{thing_name(x)}`", None)
