"""Room: hand-off tools of LangGraph. Takes: tools. Gives: the agent that each leads to.

A tool that hands off says so in its metadata, as the tools of langgraph-swarm and langgraph-supervisor do. Never:
decides, mints.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from halo_core.pep.names import clean_name

if TYPE_CHECKING:
    from langchain_core.tools import BaseTool

__all__ = ["destination"]

_DESTINATION: Final = "__handoff_destination"


def destination(tool: BaseTool) -> str:
    """Name of the agent that a tool hands off to, empty of any other tool.

    INVARIANT: no server hands off. A tool whose arguments came as a JSON schema was described elsewhere (MCP), and so
    was its metadata: what it says there of an agent would give it that agent's grant, and results that taint nothing.
    """
    if isinstance(tool.args_schema, dict):
        return ""
    found = (tool.metadata or {}).get(_DESTINATION)
    return clean_name(found) if isinstance(found, str) and found else ""
