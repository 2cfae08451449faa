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

from halo_core.enforcement import Call
from halo_core.enforcement.arguments import copy_arguments
from halo_core.enforcement.guards import clean_name, make_named_subclass, make_unregistered_resource
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._runs import body_scope, step_scope
from halo_openai_agents._tool_calls import claim_server_call
from halo_openai_agents._tools import copy_with_guard
from halo_openai_agents._translate import tool_schema

if TYPE_CHECKING:
    from halo_openai_agents import Halo

__all__ = ["ServerGuard", "find_server_guard", "guard_server", "guard_server_tool"]

_SERVER_GUARD: Final = "_halo_served"
_TOOL_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)


@dataclass(frozen=True, slots=True)
class ServerGuard:
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

    def get_tool_resource(self, name: str) -> Resource:
        """The registration of a tool of this server.

        INVARIANT: a grant is of a name; what has that name already, at another server or the host's, does not share it.
        """
        registered = (
            self.halo.find_registered(name)
            if self.halo.servers_by_tool.get(name) == _identify_server(self.original)
            else None
        )
        return registered or make_unregistered_resource(f"{self.original.name}/{name}", ActionKind.TOOL_CALL)

    def is_name_free(self, name: str) -> bool:
        """Whether nothing else has a name."""
        return self.halo.find_registered(name) is None or self.halo.servers_by_tool.get(name) == _identify_server(
            self.original
        )

    def register_tool(self, name: str, description: str, schema: dict[str, Any]) -> None:
        """Register a tool of the server, unless something else has its name already."""
        if not self.grants or self.halo.find_registered(name) is not None:
            if self.grants and not self.is_name_free(name):
                self.halo.notify_once(
                    f"`{name}` of `{self.original.name}` has no grant: its name is used by something else"
                )
            return
        declared = self.resource or self.halo.find_declared(name, *_TOOL_KINDS)
        kind = declared.kind if declared is not None and declared.kind in _TOOL_KINDS else ActionKind.TOOL_CALL
        resource = replace(declared, id=name) if declared is not None else None
        self.halo.register(kind, name, resource=resource, description=description, schema=schema)
        self.halo.servers_by_tool[name] = _identify_server(self.original)


def _identify_server(server: Any) -> tuple[Any, ...]:
    """What tells a server from another one, of the same name perhaps: where it leads, or else the object itself."""
    params = getattr(server, "params", None)
    url = params.get("url") if isinstance(params, Mapping) else None
    if isinstance(url, str):
        return (type(server), server.name, url)
    if isinstance(params, StdioServerParameters):
        return (type(server), server.name, params)
    return (server,)


def find_server_guard(server: Any) -> ServerGuard | None:
    """What stands before a guarded server, None of any other: its state is shared, so its class holds it."""
    server_guard = getattr(type(server), _SERVER_GUARD, None)
    return server_guard if isinstance(server_guard, ServerGuard) else None


def guard_server(halo: Halo, server: MCPServer, resource: Resource | None, *, grants: bool = True) -> MCPServer:
    """A guarded copy of a server, over the same connection.

    Raises:
        ConfigError: its class lets nothing stand before it.
    """
    server_guard = find_server_guard(server)
    if server_guard is not None and server_guard.halo is halo:
        if resource is None:
            return server
        server = server_guard.original
    kind = _make_server_class(type(server), ServerGuard(halo, server, resource, grants))
    try:
        guarded: MCPServer = object.__new__(kind)
        guarded.__dict__ = server.__dict__
    except (AttributeError, TypeError):
        raise ConfigError(
            "not_guardable",
            f"a `{type(server).__name__}` cannot be guarded",
            field="x",
            remedy="derive it from MCPServer",
        ) from None
    return guarded


def guard_server_tool(halo: Halo, server: Any, tool: FunctionTool) -> FunctionTool:
    """The function tool that the SDK made of a server's tool, behind a gate; granted if the server was guarded."""
    binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
    server_guard, name = find_server_guard(server), clean_name(binding[1] if binding is not None else tool.name)
    if server_guard is None:
        return copy_with_guard(halo, tool, make_unregistered_resource(f"{server.name}/{name}", ActionKind.TOOL_CALL))
    if not server_guard.is_name_free(name):
        # The agent's own name for it, if it has one; else it is as the server calls it, whatever an agent does.
        name = clean_name(tool.qualified_name)
    server_guard.register_tool(name, tool.description, tool_schema(tool))
    return copy_with_guard(halo, tool, server_guard.get_tool_resource(name))


def _make_server_class(kind: type[Any], server_guard: ServerGuard) -> type[Any]:
    @functools.wraps(kind.list_tools)
    async def list_tools(self: Any, *args: Any, **kwargs: Any) -> Any:
        tools = await kind.list_tools(self, *args, **kwargs)
        for tool in tools:
            schema = tool_input_schema(tool) or {}
            server_guard.register_tool(
                clean_name(tool.name), tool.description or "", {**schema, "properties": _get_properties(schema)}
            )
        return tools

    @functools.wraps(kind.call_tool)
    async def call_tool(self: Any, tool_name: str, arguments: Any, *args: Any, **kwargs: Any) -> Any:
        call_arguments = dict(arguments or {})
        if claim_server_call(server_guard.halo, tool_name, call_arguments):
            return await kind.call_tool(self, tool_name, arguments, *args, **kwargs)
        with step_scope(server_guard.halo):
            ticket = await server_guard.halo.enforcer.abegin(_build_call(server_guard, tool_name, call_arguments))
            try:
                with body_scope():
                    result = await kind.call_tool(self, tool_name, dict(ticket.args), *args, **kwargs)
            except BaseException as exc:
                failed = ticket.fail(exc)
                if failed is exc:
                    raise
            else:
                return ticket.succeed(result, TOOL_RESULT_SURFACE)
            raise failed

    return make_named_subclass(kind, {"list_tools": list_tools, "call_tool": call_tool, _SERVER_GUARD: server_guard})


def _get_properties(schema: Any) -> dict[str, Any]:
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return properties if isinstance(properties, dict) else {}


def _build_call(server_guard: ServerGuard, name: str, arguments: dict[str, Any]) -> Call:
    decided, _, problem = copy_arguments(arguments)
    return server_guard.halo.build_call(server_guard.get_tool_resource(clean_name(name)), decided, problem=problem)
