"""Local MCP servers: guarded copies whose every tool call is decided, once.

In a guarded agent, the SDK makes function tools of a server's tools, each with a guard of its own. A call that comes
from such a tool passes the server's `call_tool`; any other call is decided there. A copy shares the state of its
original, so connecting one of them connects both.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from agents import FunctionTool
from agents.mcp import MCPServer
from agents.mcp._compat import tool_input_schema
from mcp import StdioServerParameters

from halo_core.enforcement.arguments import copy_arguments
from halo_core.enforcement.enforcer import Ticket
from halo_core.enforcement.flow import GovernedAction, arun
from halo_core.enforcement.guards import (
    TOOL_KINDS,
    clean_name,
    make_named_subclass,
    make_unregistered_resource,
)
from halo_core.enforcement.guesses import ServerHints
from halo_core.enforcement.mcp_listings import (
    MAX_TOOLS,
    ListedTool,
    ListedToolGuard,
    describe_for_guess,
    find_foreign_text,
)
from halo_core.enforcement.session_context import IN_BODY, ContextVarScope
from halo_core.errors import ConfigError
from halo_core.model import ActionKind, Resource
from halo_openai_agents._results import TOOL_RESULT_SURFACE
from halo_openai_agents._runs import step_scope
from halo_openai_agents._tools import claim_server_call, copy_with_guard
from halo_openai_agents._translate import tool_schema

if TYPE_CHECKING:
    from halo_openai_agents import Halo

_SERVER_GUARD: Final = "_halo_served"
_FILTER: Final = "_apply_tool_filter"  # the SDK's: it is given all that a server lists
_MAX_KEY: Final = 256  # characters


@dataclass(frozen=True, slots=True)
class ServerGuard:
    """The guard of an MCP server.

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
        registered = self.halo.find_registered(name) if self._owns(name) else None
        return registered or make_unregistered_resource(f"{name_server(self.original)}/{name}", ActionKind.TOOL_CALL)

    def is_name_free(self, name: str) -> bool:
        """Whether no other tool has this name."""
        return self.halo.find_registered(name) is None or self._owns(name)

    def _owns(self, name: str) -> bool:
        return self.halo.servers_by_tool.get(name) == _identify_server(self.original)

    @property
    def key(self) -> str:
        """The name under which people accept a server's listing; the same in each process."""
        server, params = self.original, getattr(self.original, "params", None)
        name = name_server(server)
        if isinstance(params, StdioServerParameters) and name == f"stdio: {params.command}":
            # The SDK's own name for it, which every server that is started by this command has.
            name = " ".join((name, *params.args))
        return name[:_MAX_KEY]

    async def admit(self, tools: Any) -> None:
        """Compare a listing with what was accepted from this server."""
        listed = [_describe_tool(tool) for tool in tools[: MAX_TOOLS + 1]]
        await self.halo.mcp_listings.aadmit(self.key, listed)

    def register_listed(self, tools: Any) -> Any:
        """Register the accepted tools among these; returns those that a model may be shown."""
        listings = self.halo.mcp_listings
        if listings.is_withheld(self.key):
            return []
        for tool in map(_describe_tool, tools[: MAX_TOOLS + 1]):
            if not listings.find_problem(self.key, tool.name):
                properties = tool.schema.get("properties")
                schema = {**tool.schema, "properties": properties if isinstance(properties, dict) else {}}
                self.register_tool(clean_name(tool.name), replace(tool, schema=schema))
        return tools

    def register_tool(self, name: str, tool: ListedTool) -> None:
        """Register a tool of the server under a name, unless something else already has it."""
        if not self.grants:
            return
        if self.halo.find_registered(name) is not None:
            if not self.is_name_free(name):
                server = name_server(self.original)
                self.halo.notify_once(f"`{name}` of `{server}` has no grant: its name is used by something else")
            return
        declared = self.resource or self.halo.find_declared(name, *TOOL_KINDS)
        resource = replace(declared, id=name) if declared is not None else None
        hints = self.halo.mcp_listings.find_hints(self.key, tool.name)
        self.halo.register_tool(name, resource, describe_for_guess(tool), tool.schema, hints)
        self.halo.servers_by_tool[name] = _identify_server(self.original)


_URL: Final = re.compile(r"([a-z][a-z0-9+.-]*://)(?:[^/?#\s]*@)?([^?#\s]*)(?:[?#]\S*)?", re.IGNORECASE)


def name_server(server: Any) -> str:
    """The name of a server for ids, records and answers; the SDK derives it from a URL, which may hold secrets."""
    return _URL.sub(r"\1\2", str(server.name))


def _identify_server(server: Any) -> tuple[Any, ...]:
    """The identity of a server, which may share its name with another: its address, or else the object itself."""
    params = getattr(server, "params", None)
    url = params.get("url") if isinstance(params, Mapping) else None
    if isinstance(url, str):
        return (type(server), server.name, url)
    if isinstance(params, StdioServerParameters):
        return (type(server), server.name, params)
    return (server,)


def find_server_guard(server: Any) -> ServerGuard | None:
    """The guard of a server, None if there is none; taken from the class, since a copy shares its original's state."""
    server_guard = getattr(type(server), _SERVER_GUARD, None)
    return server_guard if isinstance(server_guard, ServerGuard) else None


def guard_server(halo: Halo, server: MCPServer, resource: Resource | None, *, grants: bool = True) -> MCPServer:
    """Make a guarded copy of a server, over the same connection.

    Raises:
        ConfigError: it cannot be copied.
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
    """Guard the SDK's function tool for a server's tool; it is granted if the server was guarded."""
    binding = tool._mcp_tool_binding  # noqa: SLF001  the SDK's only link to it
    listed_name = binding[1] if binding is not None else tool.name
    server_guard, name = find_server_guard(server), clean_name(listed_name)
    if server_guard is None:
        resource = make_unregistered_resource(f"{name_server(server)}/{name}", ActionKind.TOOL_CALL)
        text = find_foreign_text(ListedTool(listed_name, tool.description, tool_schema(tool)))
        make_guard = partial(ListedToolGuard, listed_name=listed_name, foreign_text=text)
        return copy_with_guard(halo, tool, resource, make_guard)
    if not server_guard.is_name_free(name):
        # The agent's own name for it, if it has one; else it is as the server calls it, whatever an agent does.
        name = clean_name(tool.qualified_name)
    if not halo.mcp_listings.find_problem(server_guard.key, listed_name):
        server_guard.register_tool(name, ListedTool(listed_name, tool.description, tool_schema(tool)))
    make_guard = partial(ListedToolGuard, server=server_guard.key, listed_name=listed_name)
    return copy_with_guard(halo, tool, server_guard.get_tool_resource(name), make_guard)


def _make_server_class(kind: type[Any], server_guard: ServerGuard) -> type[Any]:
    async def filter_tools(self: Any, tools: Any, *args: Any, **kwargs: Any) -> Any:
        if callable(self.tool_filter):
            await server_guard.admit(tools)  # before the filter, which shows each agent others of them
        return await kind._apply_tool_filter(self, tools, *args, **kwargs)  # noqa: SLF001  where the SDK has them all

    @functools.wraps(kind.list_tools)
    async def list_tools(self: Any, *args: Any, **kwargs: Any) -> Any:
        tools = await kind.list_tools(self, *args, **kwargs)
        if not (hasattr(kind, _FILTER) and callable(self.tool_filter)):
            await server_guard.admit(tools)
        return server_guard.register_listed(tools)

    @functools.wraps(kind.call_tool)
    async def call_tool(self: Any, tool_name: str, arguments: Any, *args: Any, **kwargs: Any) -> Any:
        call_arguments = dict(arguments or {})
        if claim_server_call(server_guard.halo, tool_name, call_arguments):
            return await kind.call_tool(self, tool_name, arguments, *args, **kwargs)

        def call(decided: dict[str, Any]) -> Any:
            return kind.call_tool(self, tool_name, decided, *args, **kwargs)

        with step_scope(server_guard.halo):
            return await arun(_ServerCall(server_guard, tool_name, call_arguments, call))

    members = {"list_tools": list_tools, "call_tool": call_tool, _SERVER_GUARD: server_guard}
    return make_named_subclass(kind, {**members, _FILTER: filter_tools} if hasattr(kind, _FILTER) else members)


def _describe_tool(tool: Any) -> ListedTool:
    schema: Any = tool_input_schema(tool)
    annotations = getattr(tool, "annotations", None)
    title = getattr(tool, "title", None) or getattr(annotations, "title", None) or ""
    hints = ServerHints(_read_hint(annotations, "read_only_hint"), _read_hint(annotations, "destructive_hint"))
    plain_schema = schema if isinstance(schema, dict) else {}
    return ListedTool(str(tool.name), tool.description or "", plain_schema, str(title), hints)


def _read_hint(annotations: Any, name: str) -> bool | None:
    """A hint of a server, by its name in either version of the `mcp` package."""
    head, *rest = name.split("_")
    value = getattr(annotations, name, getattr(annotations, head + "".join(map(str.capitalize, rest)), None))
    return value if isinstance(value, bool) else None


class _ServerCall(GovernedAction[Any]):
    """A call of a server's tool that comes from no guarded tool."""

    def __init__(
        self, server_guard: ServerGuard, name: str, arguments: dict[str, Any], function: Callable[[dict[str, Any]], Any]
    ) -> None:
        decided, _, problem = copy_arguments(arguments)
        resource = server_guard.get_tool_resource(clean_name(name))
        problem = problem or server_guard.halo.mcp_listings.find_problem(server_guard.key, name)
        call = server_guard.halo.build_call(resource, decided, problem=problem)
        super().__init__(server_guard.halo.enforcer, call, TOOL_RESULT_SURFACE)
        self.function = function

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  the same for each
        return ContextVarScope((IN_BODY, True))

    def execute(self, ticket: Ticket) -> Any:
        return self.function(dict(ticket.args))
