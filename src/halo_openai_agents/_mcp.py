"""Room: local MCP servers. Takes: servers. Gives: copies whose every tool call is decided, once.

In a guarded agent a server's tools are function tools made on the fly, each behind a gate, which decides; what comes to
the server's `call_tool` from there passes, and any other call is decided at the server itself. A copy shares the state
of its original: whoever connects the one has connected the other. Never: decides by itself, changes the original.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool
from agents.mcp import MCPServer
from agents.mcp._compat import tool_input_schema
from mcp import StdioServerParameters

from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_core.pep import Call
from halo_core.pep.bound import snapshot
from halo_core.pep.gate import subclass
from halo_core.pep.names import clean_name, unknown
from halo_openai_agents._passing import passes
from halo_openai_agents._running import body, stepping
from halo_openai_agents._surfaces import TOOL_RESULT
from halo_openai_agents._tools.guard import gated_copy
from halo_openai_agents._translate import tool_schema

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["Served", "guard_server", "served_by", "served_tool"]

_GATE: Final = "_halo_served"
_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)


@dataclass(frozen=True, slots=True)
class Served:
    """What stands before a server.

    Args:
        halo: who decides.
        original: the server as it was handed in.
        resource: what its tools are; None leaves that to the manifest, or to a guess.
        grants: whether what it lists is registered, and so granted.
    """

    halo: Halo
    original: MCPServer
    resource: Resource | None
    grants: bool

    def tool(self, name: str) -> Resource:
        """The registration of a tool of this server.

        INVARIANT: a grant is of a name; what has that name already, at another server or the host's, does not share it.
        """
        known = self.halo.registered(name) if self.halo.served.get(name) == _way(self.original) else None
        return known or unknown(f"{self.original.name}/{name}", ActionKind.TOOL_CALL)

    def may_name(self, name: str) -> bool:
        """Whether nothing else has a name."""
        return self.halo.registered(name) is None or self.halo.served.get(name) == _way(self.original)

    def register(self, name: str, description: str, schema: dict[str, Any]) -> None:
        """Register a tool of the server, unless something else has its name already."""
        if not self.grants or self.halo.registered(name) is not None:
            if self.grants and not self.may_name(name):
                self.halo.tell(f"`{name}` of `{self.original.name}` is granted nothing: something else has its name")
            return
        told = self.resource or self.halo.declared(name, *_KINDS)
        kind = told.kind if told is not None and told.kind in _KINDS else ActionKind.TOOL_CALL
        resource = replace(told, id=name) if told is not None else None
        self.halo.register(kind, name, resource=resource, description=description, schema=schema)
        self.halo.served[name] = _way(self.original)


def _way(server: Any) -> tuple[Any, ...]:
    """What tells a server from another one, of the same name perhaps: where it leads, or else the object itself."""
    params = getattr(server, "params", None)
    url = params.get("url") if isinstance(params, Mapping) else None
    if isinstance(url, str):
        return (type(server), server.name, url)
    if isinstance(params, StdioServerParameters):
        return (type(server), server.name, params)
    return (server,)


def served_by(server: Any) -> Served | None:
    """What stands before a guarded server, None of any other: its state is shared, so its class holds it."""
    found = getattr(type(server), _GATE, None)
    return found if isinstance(found, Served) else None


def guard_server(halo: Halo, server: MCPServer, resource: Resource | None, *, grants: bool = True) -> MCPServer:
    """A guarded copy of a server, over the same connection.

    Raises:
        ConfigError: its class lets nothing stand before it.
    """
    known = served_by(server)
    if known is not None and known.halo is halo:
        if resource is None:
            return server
        server = known.original
    kind = _class(type(server), Served(halo, server, resource, grants))
    try:
        made: MCPServer = object.__new__(kind)
        made.__dict__ = server.__dict__
    except (AttributeError, TypeError):
        raise ConfigError(
            "not_guardable",
            f"a `{type(server).__name__}` cannot be guarded",
            field="x",
            remedy="derive it from MCPServer",
        ) from None
    return made


def served_tool(halo: Halo, server: Any, tool: FunctionTool) -> FunctionTool:
    """The function tool that the SDK made of a server's tool, behind a gate; granted if the server was guarded."""
    binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
    served, name = served_by(server), clean_name(binding[1] if binding is not None else tool.name)
    if served is None:
        return gated_copy(halo, tool, unknown(f"{server.name}/{name}", ActionKind.TOOL_CALL))
    if not served.may_name(name):
        # The agent's own name for it, if it has one; else it is as the server calls it, whatever an agent does.
        name = clean_name(tool.qualified_name)
    served.register(name, tool.description, tool_schema(tool))
    return gated_copy(halo, tool, served.tool(name))


def _class(kind: type[Any], served: Served) -> type[Any]:
    @functools.wraps(kind.list_tools)
    async def list_tools(self: Any, *args: Any, **kwargs: Any) -> Any:
        found = await kind.list_tools(self, *args, **kwargs)
        for tool in found:
            schema = tool_input_schema(tool) or {}
            served.register(
                clean_name(tool.name), tool.description or "", {**schema, "properties": _properties(schema)}
            )
        return found

    @functools.wraps(kind.call_tool)
    async def call_tool(self: Any, tool_name: str, arguments: Any, *args: Any, **kwargs: Any) -> Any:
        given = dict(arguments or {})
        if passes(served.halo, tool_name, given):
            return await kind.call_tool(self, tool_name, arguments, *args, **kwargs)
        with stepping(served.halo):
            ticket = await served.halo.enforcer.abegin(_call(served, tool_name, given))
            try:
                with body():
                    result = await kind.call_tool(self, tool_name, dict(ticket.args), *args, **kwargs)
            except BaseException as exc:
                failed = ticket.fail(exc)
                if failed is exc:
                    raise
            else:
                return ticket.succeed(result, TOOL_RESULT)
            raise failed

    return subclass(kind, {"list_tools": list_tools, "call_tool": call_tool, _GATE: served})


def _properties(schema: Any) -> dict[str, Any]:
    found = schema.get("properties") if isinstance(schema, dict) else None
    return found if isinstance(found, dict) else {}


def _call(served: Served, name: str, given: dict[str, Any]) -> Call:
    decided, _, problem = snapshot(given)
    return served.halo.call(served.tool(clean_name(name)), decided, problem=problem)
