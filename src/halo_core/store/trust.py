"""Room: the trusted verifier keys, one per tenant, kept beside the keys. Takes: a home. Gives: vkeys."""

from __future__ import annotations

import fcntl
from pathlib import Path

import orjson

from halo_core.errors import ConfigError

__all__ = ["compare", "load", "remember"]

_NAME = "trust.json"


def load(home: Path) -> dict[str, str]:
    """Tenant → log vkey; empty where nothing is trusted yet.

    Raises:
        ConfigError: the file is there and is not what it should be.
    """
    path = home / _NAME
    try:
        data = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, orjson.JSONDecodeError) as exc:
        raise ConfigError("bad_trust", f"`{path}` cannot be read: {exc}", field="home") from exc
    if not isinstance(data, dict) or not all(isinstance(value, str) for value in data.values()):
        raise ConfigError("bad_trust", f"`{path}` is not a map of tenant to key", field="home")
    return data


def compare(home: Path, tenant: str, vkey: str) -> bool:
    """Whether `vkey` is trusted already.

    Raises:
        ConfigError: `log_key_changed`, another key is.
    """
    known = load(home).get(tenant, vkey)
    if known != vkey:
        raise ConfigError(
            "log_key_changed",
            f"the log key of tenant `{tenant}` is not the trusted one",
            field="home",
            remedy="restore `log.key`, or remove the entry from trust.json if the change is yours",
        )
    return tenant in load(home)


def remember(home: Path, tenant: str, vkey: str) -> None:
    """Trust `vkey` for `tenant` from now on.

    Raises:
        ConfigError: another key is trusted already (INVARIANT: AUDIT - trust is never replaced silently).
    """
    if compare(home, tenant, vkey):
        return
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = home / _NAME
    with (home / f"{_NAME}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if compare(home, tenant, vkey):  # another process or thread was first
            return
        draft = path.with_suffix(".tmp")
        known = {**load(home), tenant: vkey}
        draft.write_bytes(orjson.dumps(known, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS))
        draft.replace(path)
