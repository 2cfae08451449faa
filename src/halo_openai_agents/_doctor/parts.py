"""Room: tools, servers and models, for `halo doctor`. Takes: these. Gives: rows. Never: runs anything of the app's."""

from __future__ import annotations

from typing import Any, Final

from agents import FunctionTool, Model, RunConfig
from agents.mcp import MCPServer
from openai import AsyncOpenAI, OpenAI

from halo_core.coverage import Kind
from halo_core.pep.gate import Gate
from halo_openai_agents._agents.nested import inner_agent, listener
from halo_openai_agents._doctor.agents import beside
from halo_openai_agents._doctor.rows import Look
from halo_openai_agents._doctor.walk import held, is_a
from halo_openai_agents._gates import gate_at
from halo_openai_agents._mcp import served_by
from halo_openai_agents._models.guard import GuardedProvider
from halo_openai_agents._translate import is_hosted, is_native, model_name, thing_name

__all__ = ["CLIENTS", "client", "compacting", "config", "model", "other", "provider", "server", "tool"]

CLIENTS: Final = (AsyncOpenAI, OpenAI)


def tool(look: Look, found: FunctionTool, where: str, within: Gate | None) -> None:
    """A function tool, the agent inside of it, and what its function reaches."""
    gate = gate_at(found)
    if gate is not None:
        look.rows.closed(Kind.TOOL, found.name, where, "guarded copy")
        look.rows.ungranted(Kind.TOOL, found.name, where, gate.halo, gate.resource.id)
        look.rows.originals.append(found.name)
    elif within is not None:
        look.rows.closed(Kind.TOOL, found.name, where, "guarded agent")
        look.rows.ungranted(Kind.TOOL, found.name, where, within.halo, found.qualified_name)
    else:
        look.rows.undecided(Kind.TOOL, found.name, where)
    inside = inner_agent(found)
    below = f"{where} > tool `{found.name}`"
    if inside is not None:
        look.visit(inside, below, None)
        if listener(found if gate is None else gate.original) is not None:
            remedy = "it hears what the agent inside says as it says it, before a policy on the tool holds that back"
            look.rows.note(Kind.STORE, f"on_stream of `{found.name}`", where, remedy)
    else:
        _body(look, found if gate is None else gate.original, below)


def _body(look: Look, found: FunctionTool, where: str) -> None:
    """What the function of a tool reaches: it is called from there, past whatever stands around the tool."""
    try:
        function = found.__wrapped__
    except AttributeError:
        function = found.on_invoke_tool
    look.inside(function, where)


def other(look: Look, found: Any, where: str, within: Gate | None) -> None:
    """A tool that is no function tool."""
    by_provider = is_hosted(found)
    if within is not None:
        look.rows.closed(Kind.TOOL, thing_name(found), where, "guarded model (refused)")
    elif by_provider:
        remedy = "the provider runs it, so nothing here decides it: take it out, or guard the agent, which refuses it"
        look.rows.undecided(Kind.TOOL, thing_name(found), where, remedy)
    elif is_native(found):
        look.rows.undecided(Kind.TOOL, thing_name(found), where, "write it as a function tool, and guard that")


def server(look: Look, found: MCPServer, where: str, _within: Gate | None) -> None:
    """A local MCP server."""
    name = f"tools of MCP server `{found.name}`"
    served = served_by(found)
    if served is None:
        look.rows.undecided(Kind.TOOL, name, where, "use `halo.guard(server)`, or `halo.guard(agent)`")
        return
    look.rows.closed(Kind.TOOL, name, where, "guarded server" if served.grants else "guarded server, no grants")
    remedy = "its resources and prompts are read by your own code, not by a model: decide there what is read"
    look.rows.note(Kind.STORE, f"resources of MCP server `{found.name}`", where, remedy)
    look.rows.originals.append(found.name)


def model(look: Look, found: Model, where: str, _within: Gate | None) -> None:
    """A model, the client that it sends through, and a model inside of it."""
    gate = gate_at(found)
    if gate is not None:
        look.rows.closed(Kind.MODEL, gate.name, where, "guarded copy")
    else:
        look.rows.undecided(Kind.MODEL, model_name(found), where)
    for item in held(found).values():
        if is_a(item, *CLIENTS):
            client(look, item, f"{where} > model `{model_name(found)}`", None)
        elif is_a(item, Model):
            look.visit(item, f"{where} > model `{model_name(found)}`", gate)


def client(look: Look, found: Any, where: str, _within: Gate | None) -> None:
    """A provider's own client."""
    remedy = "what your own code sends through it is not decided: use the guarded model"
    look.rows.note(Kind.MODEL, type(found).__name__, where or "a client", remedy)


def compacting(look: Look, found: Any, where: str, _within: Gate | None) -> None:
    """A session that has its provider sum up what it keeps."""
    remedy = "it asks a model past every guard, and shows it all that the session keeps: use a plain session"
    look.rows.note(Kind.MODEL, type(found).__name__, where or "a session", remedy)


def provider(look: Look, _found: GuardedProvider, where: str, _within: Gate | None) -> None:
    """A guarded provider."""
    look.rows.closed(Kind.MODEL, "models by name", where, "guarded provider")


def config(look: Look, found: RunConfig, where: str, _within: Gate | None) -> None:
    """A configuration of runs."""
    for x in (found.model, found.input_guardrails, found.output_guardrails, found.call_model_input_filter):
        beside(look, x, where)
    if is_a(found.model_provider, GuardedProvider):
        look.visit(found.model_provider, where, None)
    elif isinstance(found.model, str):
        look.rows.undecided(Kind.MODEL, "models by name", where, "pass it through `halo.run_options(run_config=...)`")
