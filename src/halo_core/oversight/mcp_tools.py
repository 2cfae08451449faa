"""Tools that MCP servers list: which were accepted, which wait for a person, and accepting them.

`halo_core.enforcement.mcp_listings` records what a server listed; only a person accepts what came after its first
listing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from halo_core.content.redaction import mask_reason
from halo_core.crypto.keys import Digester
from halo_core.enforcement.mcp_listings import SERVER_KIND, TOOL_KIND, record_tools
from halo_core.errors import ConfigError
from halo_core.model import Actor, EntryKind
from halo_core.oversight.signed_entries import Opener, decode_signed_entry
from halo_core.quick_dataclass import dataclass
from halo_core.store.known_values import KnownTable, digest_known_value
from halo_core.store.reader import Reader
from halo_core.store.transaction import Transaction

_KINDS: Final = (SERVER_KIND, TOOL_KIND)
_MAX_NAMES: Final = 8


@dataclass(frozen=True, slots=True)
class McpTool:
    """A tool that an MCP server listed.

    Args:
        server: name of the server.
        name: name of the tool.
        form: JSON array of server, name and digest of the listing; its canonical form as a known value.
        text: the server's listing of the tool, JSON; empty if it can no longer be read.
        since_us: when it was accepted, or first seen, microseconds since the epoch.
        by: who accepted it; of a server's first listing the account of the process that read it.
        why: the reason that was given.
        is_accepted: whether it may be granted.
        replaces: whether another form of the same tool was accepted, so that the server has changed it.
    """

    server: str
    name: str
    form: str
    text: str
    since_us: int
    by: str = ""
    why: str = ""
    is_accepted: bool = True
    replaces: bool = False

    @property
    def description(self) -> str:
        """What the server says the tool does."""
        try:
            tree = json.loads(self.text)
        except ValueError:  # it was cut, or erased
            return self.text
        return str(tree.get("description", "")) if isinstance(tree, dict) else ""

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "accepted": self.is_accepted,
            "by": self.by,
            "changed": self.replaces,
            "listing": self.text,
            "name": self.name,
            "server": self.server,
            "since_us": self.since_us,
            "why": self.why,
        }


def list_mcp_tools(reader: Reader, home: Path, tenant: str, *, opener: Opener) -> list[McpTool]:
    """All tools that MCP servers listed, sorted by server and name: of each the newest accepted form, and what waits.

    Raises:
        Tampered: an entry was changed.
    """
    accepted: dict[tuple[str, str], McpTool] = {}
    waiting: dict[str, McpTool] = {}
    forms: set[str] = set()
    for _, note in reader.notes(tenant, (EntryKind.KNOWN.value,)):
        entry = decode_signed_entry(reader, home, tenant, note)
        if not any(kind in _KINDS for kind, _ in entry.body["values"]):
            continue
        data, name = opener(entry, "values"), opener(entry, "actor")
        if data is None:
            continue
        by = name.decode() if name is not None else str(entry.body.get("actor", ""))
        why = str(entry.body.get("why", ""))
        rows = zip(entry.body["values"], json.loads(data), strict=True)
        for form, text in (row for (kind, _), row in rows if kind == TOOL_KIND):
            server, tool_name, _digest = json.loads(form)
            if entry.body["op"] == "add":
                waiting.pop(form, None)
                forms.add(form)
                accepted[server, tool_name] = McpTool(server, tool_name, form, text, entry.ts_us, by, why)
            elif entry.body["op"] == "propose" and form not in forms:
                sighted_tool = McpTool(server, tool_name, form, text, entry.ts_us, is_accepted=False)
                waiting.setdefault(form, sighted_tool)
    changed = [
        McpTool(
            item.server,
            item.name,
            item.form,
            item.text,
            item.since_us,
            is_accepted=False,
            replaces=(item.server, item.name) in accepted,
        )
        for item in waiting.values()
    ]
    return sorted((*accepted.values(), *changed), key=lambda item: (item.server, item.name, item.since_us))


def choose_waiting(tools: Iterable[McpTool], server: str, names: Sequence[str]) -> list[McpTool]:
    """Of a server the tools that wait to be accepted, all of them where no name is given; each as it was seen last.

    Raises:
        ConfigError: `no_mcp_tool`, there is none of that name.
    """
    everything = list(tools)
    waiting = {item.name: item for item in everything if item.server == server and not item.is_accepted}
    missing = [name for name in names if name not in waiting]
    if missing or not waiting:
        servers = sorted({item.server for item in everything if not item.is_accepted})
        absence = f"no tool `{missing[0][:64]}`" if missing and waiting else "nothing"
        remedy = (
            f"servers with tools that wait: {', '.join(servers[:_MAX_NAMES])}" if servers else "run `halo mcp list`"
        )
        raise ConfigError(
            "no_mcp_tool", f"{absence} of `{server[:64]}` waits to be accepted", field="tool", remedy=remedy
        )
    return [waiting[name] for name in (names or sorted(waiting))]


def accept_tools(tx: Transaction, digester: Digester, tools: Sequence[McpTool], *, by: Actor | str, why: str) -> int:
    """Accept tools as their servers list them now, from the next listing on; returns how many are new."""
    table, rows = KnownTable(tx), []
    for tool in tools:
        digest = digest_known_value(digester, TOOL_KIND, tool.form)
        if table.add(TOOL_KIND, digest):
            rows.append((TOOL_KIND, digest, tool.form, tool.text))
    record_tools(tx, "add", rows, why=mask_reason(why), actor=Actor.of(by))
    return len(rows)
