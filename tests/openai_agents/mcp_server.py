"""A tiny MCP server over standard input and output, for the tests."""

from __future__ import annotations

import sys
from pathlib import Path

from mcp.server.mcpserver import MCPServer

server = MCPServer("tiny")
RAN = Path(sys.argv[1])


@server.tool()
def find(q: str) -> str:
    """Find."""
    with RAN.open("a") as file:
        file.write(f"find {q}\n")
    return f"found {q}"


@server.tool()
def wipe(path: str) -> str:
    """Wipe a folder."""
    with RAN.open("a") as file:
        file.write(f"wipe {path}\n")
    return f"wiped {path}"


if __name__ == "__main__":
    server.run("stdio")
