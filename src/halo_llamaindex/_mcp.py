"""Tools of MCP servers, as `llama-index-tools-mcp` makes them: their server, and what the server says of them.

They are function tools whose function closes over the client of their server and over their name there, or over the
specification of tools that holds the client, as those that read a server's resources do; by that shape they are known,
whatever package made them. What is guarded of a server before the first call of one of its tools is its
first listing; see `halo_core.enforcement.mcp_listings`.
"""

from __future__ import annotations

import gc
import threading
import types
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from llama_index.core.tools import FunctionTool
from llama_index.core.tools.tool_spec.base import BaseToolSpec

from halo_core.enforcement.guards import get_guard
from halo_core.enforcement.mcp_listings import ListedTool, ListedToolGuard, find_foreign_text, list_foreign_texts
from halo_core.model import Provenance
from halo_core.object_graph import get_attributes, is_a, iterate_closure, unwrap
from halo_llamaindex._translate import tool_schema, unwrap_tool

if TYPE_CHECKING:
    from halo_llamaindex import Halo

_CLIENT_METHODS: Final = ("call_tool", "list_tools")
_MAX_NAME: Final = 256  # characters
_MEETING: Final = threading.Lock()


def find_listed_tool(tool: Any) -> tuple[str, ListedTool] | None:
    """The server of a tool and its listing; None if it has no MCP server. Runs none of the tool's code."""
    client = _find_client(tool)
    if client is None:
        return None
    name = str(tool.metadata.get_name())
    return _name_server(client, name), ListedTool(name, tool.metadata.description or "", tool_schema(tool))


def _find_client(tool: Any) -> Any:
    """The client through which a tool asks its MCP server; None if it has none."""
    function, _ = unwrap(get_attributes(tool).get("_real_fn")) if is_a(tool, FunctionTool) else (None, [])
    if not isinstance(function, types.FunctionType):
        return None
    held = [value for _, value in iterate_closure(function)]
    client = next(
        (item for value in held for item in (value, get_attributes(value).get("client")) if _is_client(item)), None
    )
    name = str(tool.metadata.get_name())
    is_specified = any(is_a(value, BaseToolSpec) and _is_client(get_attributes(value).get("client")) for value in held)
    is_named = any(isinstance(value, str) and value.replace("/", "_") == name for value in held)
    return client if is_specified or is_named else None


def _is_client(x: Any) -> bool:
    members = {name for kind in type(x).__mro__ for name in kind.__dict__}
    return members.issuperset(_CLIENT_METHODS)


def _name_server(client: Any, tool_name: str) -> str:
    """The name under which people accept a server's listing: its address without credentials, or its command."""
    attributes = get_attributes(client)
    address, args = attributes.get("command_or_url"), attributes.get("args")
    if not isinstance(address, str) or not address:
        # Nothing says which server it is: each of its tools is compared by itself.
        name = f"{type(client).__name__} {tool_name}"
    elif "://" in address:
        parts = urlsplit(address)
        name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    else:
        name = " ".join((address, *map(str, args if isinstance(args, list | tuple) else ())))
    return f"llamaindex:{name}"[:_MAX_NAME]


def admit_tools(halo: Halo, tools: Iterable[Any]) -> None:
    """Compare the MCP servers' tools among these with what was accepted."""
    by_server: dict[str, list[ListedTool]] = {}
    for item in tools:
        listed_tool = find_listed_tool(get_original(unwrap_tool(item)))
        if listed_tool is not None:
            by_server.setdefault(listed_tool[0], []).append(listed_tool[1])
    for server, listed in by_server.items():
        halo.mcp_listings.admit_guarded(server, listed)


def admit_met_tool(halo: Halo, tool: Any, server: str) -> None:
    """As `admit_tools`, of a tool that nobody guarded.

    Where nothing of its server was guarded or shown to a model before, what else was made of it is listed too. Of two
    tools of one name that of the same client counts: the other one can be of an application that has ended.
    """
    with _MEETING:  # whoever calls another tool of the server at once waits for all that it lists
        is_new = not halo.mcp_listings.has_met(server)
        admit_tools(halo, [tool])
        if is_new:
            halo.mcp_listings.admit_guarded(server, _list_made_alike(tool, server))


def _list_made_alike(tool: Any, server: str) -> list[ListedTool]:
    """What a server lists behind the unguarded tools made of it; each name once, as the client of this tool has it."""
    client = _find_client(tool)
    own: dict[str, ListedTool] = {}
    others: dict[str, ListedTool] = {}
    # Tools are made before a Halo knows of them, and nothing that the package keeps leads from one to its siblings.
    for other in gc.get_objects():
        if not isinstance(other, FunctionTool) or get_guard(other) is not None:
            continue
        found = find_listed_tool(other)
        if found is not None and found[0] == server:
            (own if _find_client(other) is client else others).setdefault(found[1].name, found[1])
    return list((others | own).values())


def get_original(tool: Any) -> Any:
    """The original of a guarded tool."""
    guard = get_guard(tool)
    return guard.original if guard is not None else tool


def list_server_texts(tools: Iterable[Any]) -> Iterator[tuple[str, Provenance]]:
    """What MCP servers say about the tools given to a model, with its origin."""
    for tool in map(unwrap_tool, tools):
        guard = get_guard(tool)
        if isinstance(guard, ListedToolGuard):
            yield from list_foreign_texts([guard])
        elif (listed := find_listed_tool(get_original(tool))) is not None and (text := find_foreign_text(listed[1])):
            yield text, Provenance.UNTRUSTED
