"""Room: finding passports, for the verbs that show them. Takes: names, files, a store. Gives: tokens, links.

A file of a chain holds one token a line, the standing link first; lines that begin with `#` are notes. Never: writes a
store; what `peek` gives was not verified.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.errors import ConfigError, PassportError
from halo_core.model import Entry, EntryKind, Link, Revocation
from halo_core.passport import MAX_CHAIN, Claims, Issuer, Trusted, claims_to_link, token_hash
from halo_core.passport.claims import ISSUER_URI
from halo_core.passport.codec import payload_of
from halo_core.query import Found, entries
from halo_core.store.reader import Reader

__all__ = [
    "Kept",
    "chain_at",
    "current",
    "no_such",
    "peek",
    "read_regular",
    "read_tokens",
    "revocations",
    "standing_entries",
    "trusted",
    "write_tokens",
]

_SHORTEST: Final = 8
_US: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Kept:
    """A chain of the store, and the entry that recorded its last link."""

    tokens: tuple[str, ...]
    links: tuple[Link, ...]
    entry: Entry | None = None


def read_tokens(path: Path) -> list[str]:
    """Tokens of a file, root first.

    Raises:
        ConfigError: `no_file`, it cannot be read; `not_a_passport`, it holds none.
    """
    try:
        data = read_regular(path, 2 * MAX_CHAIN)
        if len(data) > 2 * MAX_CHAIN:
            raise ConfigError("not_a_passport", f"`{path}` is too large to be one", field="FILE")
        lines = data.decode("ascii").splitlines()
    except (OSError, UnicodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is no ASCII text"
        raise ConfigError("no_file", f"cannot read `{path}`: {why}", field="FILE") from exc
    tokens = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not tokens:
        raise ConfigError(
            "not_a_passport", f"`{path}` holds no token", field="FILE", remedy="one token a line, standing link first"
        )
    return tokens


def read_regular(path: Path, most: int) -> bytes:
    """The first `most` + 1 bytes of a regular file; a pipe or a device, which may never end, is not waited for.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is no regular file")
        return file.read(most + 1)


def write_tokens(path: Path | None, tokens: list[str], links: tuple[Link, ...]) -> str:
    """The text of a chain's file; written to `path` if there is one, never over another file.

    Raises:
        ConfigError: `file_exists` or `no_file`.
    """
    notes = [f"# {link.kind.value} link of {link.agent!a}" for link in links]
    text = "".join(f"{note}\n{token}\n" for note, token in zip(notes, tokens, strict=True))
    if path is None:
        return text
    try:
        with path.open("x", encoding="ascii") as file:
            file.write(text)
    except FileExistsError as exc:
        raise ConfigError("file_exists", f"`{path}` is there already", field="out", remedy="name another") from exc
    except OSError as exc:
        raise ConfigError("no_file", f"cannot write `{path}`: {exc.strerror}", field="out") from exc
    return text


def peek(tokens: list[str]) -> tuple[Link, ...]:
    """What tokens say of themselves; nothing of it was verified.

    Raises:
        PassportError: they cannot be read.
    """
    links: list[Link] = []
    for token in tokens:
        members = payload_of(token)
        kid = str(members.get("iss")).removeprefix(ISSUER_URI)
        links.append(claims_to_link(Claims(members, kid, token), links[-1] if links else None))
    return tuple(links)


def standing_entries(reader: Reader, tenant: str, agent: str = "") -> Iterator[Found]:
    """Entries that recorded a standing link, in log order."""
    for found in entries(reader, tenant, (EntryKind.PASSPORT,)):
        body = found.entry.body
        if body.get("kind", "standing") == "standing" and agent in ("", body.get("agent")):
            yield found


def current(reader: Reader, tenant: str, agent: str) -> Kept | None:
    """The passport that an agent stands on, by the log; None if it has none.

    Raises:
        PassportError: what is kept cannot be read.
    """
    last = None
    for found in standing_entries(reader, tenant, agent):
        last = found.entry
    return None if last is None else _kept(reader, tenant, [last.body["hash"]], last)


def chain_at(reader: Reader, tenant: str, name: str) -> Kept | None:
    """The chain down to the link with this hash or `jti`, or its start; None if there is none.

    Raises:
        ConfigError: there are several.
    """
    wanted = name.removeprefix("sha256:")
    if len(wanted) < _SHORTEST:
        return None
    bodies: dict[str, Entry] = {}
    for found in entries(reader, tenant, (EntryKind.PASSPORT,)):
        bodies[found.entry.body["hash"]] = found.entry
    hits = [hash_ for hash_, entry in bodies.items() if _named(hash_, entry.body, wanted)]
    if len(hits) > 1:
        raise ConfigError(
            "no_such_passport", f"{len(hits)} passports begin with `{name[:64]}`", remedy="give more of it"
        )
    if not hits:
        return None
    path = [hits[0]]
    while (parent := bodies[path[0]].body.get("parent")) in bodies and parent not in path:
        path.insert(0, parent)
    return _kept(reader, tenant, path, bodies[hits[0]])


def _named(name: str, body: Any, wanted: str) -> bool:
    return name.removeprefix("sha256:").startswith(wanted) or str(body.get("jti", "")).startswith(wanted)


def _kept(reader: Reader, tenant: str, hashes: list[str], entry: Entry) -> Kept:
    tokens = []
    for name in hashes:
        data = reader.blob(tenant, name)
        token = data.decode("ascii", "replace") if data is not None else ""
        if not token.isascii() or token_hash(token) != name:
            raise PassportError("bad_passport", "the store does not hold this passport as it was recorded")
        tokens.append(token)
    return Kept(tuple(tokens), peek(tokens), entry)


def no_such(name: str, agents: set[str]) -> ConfigError:
    """The error for a name that is neither an agent, a passport nor a file."""
    close = get_close_matches(name, agents, 1)
    listed = f"agents with a passport: {', '.join(sorted(agents)[:10]) or 'none'}"
    return ConfigError(
        "no_such_passport",
        f"no agent, passport or file is called `{name[:64]}`",
        field="name",
        remedy=f"did you mean `{close[0]}`" if close else listed,
    )


def trusted(home: Path, tenant: str, now_us: int) -> Trusted:
    """Whom a home trusts now."""
    known = Authorities(home).load(tenant)
    live = known.issuer_keys(now_us)
    issuers = {kid: Issuer(item.public_key, retired=kid not in live) for kid, item in known.issuers.items()}
    return Trusted(issuers=issuers, approvers=known.approver_keys(now_us))


def revocations(reader: Reader, tenant: str) -> list[Revocation]:
    """What is revoked now."""
    return [
        Revocation(scope, target, since) for kind, scope, target, since in reader.holds_of(tenant) if kind != "stop"
    ]
