"""Room: home, where one agent's things are and how it is opened. Takes: paths and words. Gives: parsed values.

Never: opens a store.
"""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

from halo_core.errors import ConfigError
from halo_core.manifest import Manifest, load
from halo_core.model import Mode, Origin

__all__ = ["default_home", "default_url", "here", "parse_mode", "read_manifest"]


def default_home() -> Path:
    """`HALO_HOME`, else `.halo` in the working directory."""
    return Path(os.environ.get("HALO_HOME", ".halo"))


def default_url(home: Path) -> str:
    """SQLite in the home."""
    return f"sqlite:///{home / 'halo.db'}"


def read_manifest(home: Path, tenant: str) -> Manifest | None:
    """What `agents.yaml` in the home declares; None where there is none.

    Raises:
        ConfigError: it is not well formed, or is another tenant's.
    """
    path = home / "agents.yaml"
    if not path.exists():
        return None
    found = load(path.read_text(encoding="utf-8"), source=str(path))
    if found.tenant != tenant:
        raise ConfigError(
            "wrong_tenant",
            f"`{path}` is of tenant `{found.tenant}`, this store of `{tenant}`",
            field="tenant",
            remedy="give each tenant a home of its own",
        )
    return found


def parse_mode(mode: str | None) -> Mode | None:
    """The mode a word means, None for none.

    Raises:
        ConfigError: it is no mode.
    """
    if mode is None:
        return None
    try:
        return Mode(mode)
    except ValueError as exc:
        raise ConfigError(
            "bad_mode", f"`{mode}` is not a mode", field="mode", remedy="use `observe` or `enforce`"
        ) from exc


def here(framework: str) -> Origin:
    """This process, as entries name where a request came from."""
    process = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    host = socket.gethostname()
    return Origin(host=host, pid=os.getpid(), process=process, network="local", framework=framework)
