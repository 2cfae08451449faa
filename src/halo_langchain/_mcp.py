"""Tools of MCP servers: recognised by their structure, and compared with the first listing of their server.

`langchain-mcp-adapters` makes a `StructuredTool` of each tool that a server lists. Its coroutine closes over the listed
tool and over the connection or session that leads to the server. Nothing says which tools were listed together, so a
server's first listing is what is met of it before one of its tools is called; where nobody guarded the tool that is
called first, all that was made of the server by then.
"""

from __future__ import annotations

import gc
import threading
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from langchain_core.tools import BaseTool, StructuredTool

from halo_core.enforcement.guards import GuardMetadata, clean_name, get_guard, make_unregistered_resource
from halo_core.enforcement.guesses import ServerHints
from halo_core.enforcement.mcp_listings import ListedTool, ListedToolGuard
from halo_core.enforcement.stand_ins import find_original
from halo_core.enforcement.steps import Steps, TwoWayStep, drive
from halo_core.model import ActionKind
from halo_core.object_graph import iterate_closure
from halo_langchain._results import TOOL_RESULT_SURFACE

if TYPE_CHECKING:
    from halo_langchain import Halo

UNNAMED_SERVER: Final = "MCP session"
"""Server of a tool whose session says nothing of where it leads, and that was loaded without a `server_name`."""
_MAX_KEY: Final = 256  # characters
_MAX_GUARDS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ServerTool:
    """A tool as listed by its server.

    Args:
        server: the name under which people accept what the server lists; the same in each process.
        listed: what the server says of it.
    """

    server: str
    listed: ListedTool

    @property
    def resource_name(self) -> str:
        """The tool's name while it has no grant; no tool of the host has such a name."""
        return clean_name(f"{self.server}/{self.listed.name}")


def read_server_tool(tool: Any) -> ServerTool | None:
    """The server's listing behind a LangChain tool; None if it comes from no server."""
    if type(tool) is not StructuredTool and not isinstance(tool, StructuredTool):  # an abstract class asks longer
        return None
    members = tool.__dict__  # past the member of the class that gives other code a function whose calls are decided
    function = find_original(members["coroutine"]) if "coroutine" in members else tool.coroutine
    return _read_function(function) if isinstance(function, types.FunctionType) else None


_CLOSED_OVER: Final = frozenset(("session", "connection"))
"""What the function of a server's tool closes over: at least one of these."""


def _read_function(function: types.FunctionType) -> ServerTool | None:
    if _CLOSED_OVER.isdisjoint(function.__code__.co_freevars):
        return None
    held = dict(iterate_closure(function))
    listed = held.get("tool")
    if _CLOSED_OVER.isdisjoint(held) or not isinstance(getattr(listed, "name", None), str):
        return None
    schema = _read_member(listed, "input_schema")
    if not isinstance(schema, Mapping):
        return None
    annotations = getattr(listed, "annotations", None)
    title = getattr(listed, "title", None) or getattr(annotations, "title", None) or ""
    description = str(getattr(listed, "description", None) or "")
    hints = ServerHints(_read_hint(annotations, "read_only_hint"), _read_hint(annotations, "destructive_hint"))
    return ServerTool(
        _name_server(held.get("connection"), held.get("server_name")),
        ListedTool(str(getattr(listed, "name", "")), description, dict(schema), str(title), hints),
    )


def _list_made_alike(tool: StructuredTool, server: str) -> list[ListedTool]:
    """What a server lists behind the tools that were made as this one, of one session; each name once."""
    function = tool.coroutine
    if not isinstance(function, types.FunctionType):
        return []
    session = dict(iterate_closure(function)).get("session")
    listed: dict[str, ListedTool] = {}
    for other in gc.get_referrers(function.__code__):  # the functions that were made of it, and where it was made
        if not isinstance(other, types.FunctionType) or other.__code__ is not function.__code__:
            continue
        found = _read_function(other)
        if found is not None and found.server == server and dict(iterate_closure(other)).get("session") is session:
            listed.setdefault(found.listed.name, found.listed)
    return list(listed.values())


def _read_member(x: Any, name: str) -> Any:
    """A member by its name in either version of the `mcp` package."""
    head, *rest = name.split("_")
    return getattr(x, name, getattr(x, head + "".join(map(str.capitalize, rest)), None))


def _read_hint(annotations: Any, name: str) -> bool | None:
    value = _read_member(annotations, name)
    return value if isinstance(value, bool) else None


def _name_server(connection: Any, server_name: Any) -> str:
    """The host's name for the server, else the connection's address without possible secrets."""
    members = connection if isinstance(connection, Mapping) else {}
    url, command = members.get("url"), members.get("command")
    name = server_name if isinstance(server_name, str) else ""
    if name:
        return name[:_MAX_KEY]
    if isinstance(url, str):
        parts = urlsplit(url)
        name = f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
    elif isinstance(command, str):
        name = " ".join(map(str, ("stdio:", command, *(members.get("args") or ()))))
    return name[:_MAX_KEY] or UNNAMED_SERVER


class ServerTools:
    """The tools of MCP servers that one Halo has seen. Thread-safe."""

    def __init__(self, halo: Halo) -> None:
        self._halo = halo
        self._admitted: dict[tuple[str, str], ListedTool] = {}
        self._guards: dict[str, ListedToolGuard] = {}
        self._servers: dict[str, str] = {}
        self._meeting = threading.Lock()
        self._lock = threading.Lock()

    def admit(self, tools: Iterable[Any], *, again: bool = True) -> None:
        """Compare the servers' tools among these with what was accepted of the servers.

        Args:
            tools: any tools.
            again: whether what was compared in this form before is compared again, so that what somebody has accepted
                since then counts; that reads the store.
        """
        drive(self.make_admit_steps(tools, again=again))

    def make_admit_steps(self, tools: Iterable[Any], *, again: bool = True) -> Steps[None]:
        """The steps of `admit`, for `drive` or `adrive`."""
        by_server: dict[str, list[ListedTool]] = {}
        for tool in tools:
            guard = get_guard(tool)
            server_tool = read_server_tool(tool if guard is None else guard.original)
            if server_tool is None:
                continue
            if guard is None and tool.name not in self._guards:
                resource = self._halo.find_registered(tool.name) or make_unregistered_resource(
                    server_tool.resource_name, ActionKind.TOOL_CALL
                )
                members = {"server": server_tool.server, "listed_name": server_tool.listed.name}
                self.note_guard(
                    tool.name, ListedToolGuard(self._halo, tool, tool.name, resource, TOOL_RESULT_SURFACE, **members)
                )
            if again or self._admitted.get((server_tool.server, server_tool.listed.name)) != server_tool.listed:
                by_server.setdefault(server_tool.server, []).append(server_tool.listed)
        listings = self._halo.mcp_listings
        for server, listed in by_server.items():
            if server == UNNAMED_SERVER:
                self._halo.notify_once(
                    "tools of an MCP session that has no name: give `load_mcp_tools` a `server_name=`, so that servers "
                    "are told apart"
                )
            yield TwoWayStep(listings.admit_guarded, listings.aadmit_guarded, server, listed)
            with self._lock:
                if len(self._admitted) < _MAX_GUARDS:
                    self._admitted |= {(server, item.name): item for item in listed}

    def admit_met(self, tools: Iterable[Any], *, again: bool = True) -> None:
        """As `admit`, of tools that nobody guarded.

        Where nothing of a server was guarded or offered to a model before, what else was made of it is listed too.
        """
        tools = list(tools)
        found = [(tool, item.server) for tool in tools if (item := read_server_tool(tool)) is not None]
        with self._meeting:  # whoever calls another tool of a server at once waits for all that it lists
            new = {server: tool for tool, server in found if not self._halo.mcp_listings.has_met(server)}
            self.admit(tools, again=again)
            for server, tool in new.items():
                self._halo.mcp_listings.admit_guarded(server, _list_made_alike(tool, server))

    def find_called_problem(self, tool: Any, found: ServerTool) -> str:
        """Reason code of why a tool that nobody guarded, and that is called now, may not run; empty where it may."""
        self.admit_met([tool])
        return self._halo.mcp_listings.find_problem(found.server, found.listed.name)

    def is_name_free(self, found: ServerTool, name: str) -> bool:
        """Whether no other tool has this name, since a grant is for one tool and not for a name."""
        with self._lock:
            return self._halo.find_registered(name) is None or self._servers.get(name, "") == found.server

    def note_registered(self, found: ServerTool, name: str) -> None:
        """Note that a name was registered for a server's tool."""
        with self._lock:
            self._servers[name] = found.server

    def note_guard(self, name: str, guard: GuardMetadata) -> None:
        """Note the guard of a tool under the name shown to a model."""
        with self._lock:
            if isinstance(guard, ListedToolGuard) and len(self._guards) < _MAX_GUARDS:
                self._guards[name] = guard

    def find_guards(self, names: Iterable[str]) -> list[ListedToolGuard]:
        """Guards of the servers' tools among these, by the names shown to a model."""
        if not self._guards:
            return []
        with self._lock:
            return [self._guards[name] for name in names if name in self._guards]


def hide_listing(tool: BaseTool) -> dict[str, Any]:
    """Fields of a tool that show a model nothing but its name."""
    return {
        "description": f"`{tool.name}` is not available.",
        "args_schema": {"type": "object", "properties": {}},
        "metadata": None,
    }
