"""`halo mcp`: tools that MCP servers list, and accepting those that they list later."""

from __future__ import annotations

from typing import Annotated

import typer
from typer import Argument

from halo_core.cli.context import StoreContext, WhyOption, store_verb
from halo_core.cli.rendering import safe_text, say, say_plainly
from halo_core.clock import format_iso
from halo_core.crypto.keys import Digester
from halo_core.oversight.mcp_tools import accept_tools, choose_waiting, list_mcp_tools
from halo_core.views.wording import escape_unprintable

app = typer.Typer(help="Tools of MCP servers, and accepting those that they list later.", no_args_is_help=True)


@store_verb(app, "list")
def list_tools(*, store: StoreContext) -> None:
    """List what MCP servers listed: tools that were accepted, and tools that wait for a person."""
    with store.open_log() as (reader, tenant):
        tools = list_mcp_tools(reader, store.home, tenant, opener=store.open_contents(reader).open)
    if store.print_json([tool.to_json() for tool in tools]):
        return
    for tool in tools:
        state = "accepted" if tool.is_accepted else "CHANGED, not accepted" if tool.replaces else "NEW, not accepted"
        by = f", by {tool.by}" if tool.by else ""
        why = f" ({tool.why})" if tool.why else ""
        heading = f"{tool.server}  {tool.name}  {state}  since {format_iso(tool.since_us)}{by}{why}"
        say(safe_text(escape_unprintable(heading)))
        if not tool.is_accepted:  # a person decides about the server's own words
            say(safe_text("  | " + escape_unprintable(tool.description).replace("\\n", " ")))
    if not tools:
        say("no MCP server has listed tools here")


@store_verb(app, "accept", by=True)
def accept(
    server: Annotated[str, Argument(help="The server, as `halo mcp list` names it.")],
    tools: Annotated[list[str] | None, Argument(help="Its tools (default: all that wait).")] = None,
    *,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Accept tools as their server lists them now, from its next listing on."""
    with store.open_log() as (reader, tenant):
        mcp_tools = list_mcp_tools(reader, store.home, tenant, opener=store.open_contents(reader, is_shown=False).open)
    chosen = choose_waiting(mcp_tools, server, tools or [])
    digester = Digester(store.keys.secret("digest"))
    count = store.commit(lambda tx: accept_tools(tx, digester, chosen, by=store.actor, why=why))
    if not store.print_json({"accepted": count, "tools": [tool.name for tool in chosen]}):
        say_plainly(f"accepted {count} tools of {server}: {', '.join(tool.name for tool in chosen)}")
