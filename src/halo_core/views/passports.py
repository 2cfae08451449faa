"""Passports by name, file or agent, as a store or a file holds them.

A file of a chain holds one token a line, the standing link first; lines that begin with `#` are notes. What
`decode_unverified` gives was not verified; `halo_core.views.passport_checks` does that.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.decision import revocation_applies
from halo_core.errors import ConfigError, PassportError
from halo_core.model import Budget, EntryKind, Grants, LedgerEntry, Link, Revocation
from halo_core.oversight.requests import decode_link
from halo_core.passports import MAX_CHAIN, Issuer, TrustAnchors, link_to_claims, token_hash
from halo_core.store.log import LoggedEntry, read_entries, select_tenant
from halo_core.store.reader import Reader
from halo_core.views import NO_LEDGER_CODES, View
from halo_core.views.wording import parse_amount, shorten_hash

_MIN_PREFIX: Final = 8
_MICROSECONDS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class StoredChain:
    """A chain of the store, and the entry that recorded its last link."""

    tokens: tuple[str, ...]
    links: tuple[Link, ...]
    entry: LedgerEntry | None = None


def read_tokens(path: Path) -> list[str]:
    """Tokens of a file, root first.

    Raises:
        ConfigError: `no_file`, it cannot be read; `not_a_passport`, it holds none.
    """
    try:
        data = read_regular_file(path, 2 * MAX_CHAIN)
        if len(data) > 2 * MAX_CHAIN:
            raise ConfigError("not_a_passport", f"`{path}` is too large for a passport file", field="FILE")
        lines = data.decode("ascii").splitlines()
    except (OSError, UnicodeError) as exc:
        why = exc.strerror if isinstance(exc, OSError) else "it is not ASCII text"
        raise ConfigError("no_file", f"cannot read `{path}`: {why}", field="FILE") from exc
    tokens = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    if not tokens:
        raise ConfigError(
            "not_a_passport",
            f"`{path}` contains no token",
            field="FILE",
            remedy="write one token per line, standing link first",
        )
    return tokens


def read_regular_file(path: Path, most: int) -> bytes:
    """The first `most` + 1 bytes of a regular file; a pipe or a device, which may never end, is not waited for.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
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
        raise ConfigError("file_exists", f"`{path}` already exists", field="out", remedy="choose another file") from exc
    except OSError as exc:
        raise ConfigError("no_file", f"cannot write `{path}`: {exc.strerror}", field="out") from exc
    return text


def decode_unverified(tokens: list[str]) -> tuple[Link, ...]:
    """What tokens say of themselves; nothing of it was verified.

    Raises:
        PassportError: they cannot be read.
    """
    links: list[Link] = []
    for token in tokens:
        links.append(decode_link(token, links[-1] if links else None))
    return tuple(links)


def iterate_standing_entries(reader: Reader, tenant: str, agent: str = "") -> Iterator[LoggedEntry]:
    """Entries that recorded a standing link, in log order."""
    for record in read_entries(reader, tenant, (EntryKind.PASSPORT,)):
        body = record.entry.body
        if body.get("kind", "standing") == "standing" and agent in ("", body.get("agent")):
            yield record


def load_current_passport(reader: Reader, tenant: str, agent: str) -> StoredChain | None:
    """The passport that an agent stands on, by the log; None if it has none.

    Raises:
        PassportError: what is kept cannot be read.
    """
    last = None
    for record in iterate_standing_entries(reader, tenant, agent):
        last = record.entry
    return None if last is None else _load_chain(reader, tenant, [last.body["hash"]], last)


def find_chain(reader: Reader, tenant: str, name: str) -> StoredChain | None:
    """The chain down to the link with this hash or `jti`, or its start; None if there is none.

    Raises:
        ConfigError: there are several.
    """
    wanted = name.removeprefix("sha256:")
    if len(wanted) < _MIN_PREFIX:
        return None
    bodies: dict[str, LedgerEntry] = {}
    for record in read_entries(reader, tenant, (EntryKind.PASSPORT,)):
        bodies[record.entry.body["hash"]] = record.entry
    hits = [
        hash_
        for hash_, entry in bodies.items()
        if hash_.removeprefix("sha256:").startswith(wanted) or str(entry.body.get("jti", "")).startswith(wanted)
    ]
    if len(hits) > 1:
        raise ConfigError(
            "no_such_passport", f"{len(hits)} passports begin with `{name[:64]}`", remedy="give more characters"
        )
    if not hits:
        return None
    path = [hits[0]]
    while (parent := bodies[path[0]].body.get("parent")) in bodies and parent not in path:
        path.insert(0, parent)
    return _load_chain(reader, tenant, path, bodies[hits[0]])


def _load_chain(reader: Reader, tenant: str, hashes: list[str], entry: LedgerEntry) -> StoredChain:
    tokens = []
    for name in hashes:
        data = reader.blob(tenant, name)
        token = data.decode("ascii", "replace") if data is not None else ""
        if not token.isascii() or token_hash(token) != name:
            raise PassportError("bad_passport", "the passport in the store differs from the recorded one")
        tokens.append(token)
    return StoredChain(tuple(tokens), decode_unverified(tokens), entry)


def build_no_such_error(name: str, agents: set[str]) -> ConfigError:
    """The error for a name that is neither an agent, a passport nor a file."""
    close = get_close_matches(name, agents, 1)
    agents_text = f"agents with a passport: {', '.join(sorted(agents)[:10]) or 'none'}"
    return ConfigError(
        "no_such_passport",
        f"there is no agent, passport or file named `{name[:64]}`",
        field="name",
        remedy=f"did you mean `{close[0]}`" if close else agents_text,
    )


def load_trusted(home: Path, tenant: str, now_us: int) -> TrustAnchors:
    """Whom a home trusts now."""
    trust = Authorities(home).load(tenant)
    live = trust.issuer_keys(now_us)
    issuers = {kid: Issuer(item.public_key, retired=kid not in live) for kid, item in trust.issuers.items()}
    return TrustAnchors(issuers=issuers, approvers=trust.approver_keys(now_us))


def list_revocations(reader: Reader, tenant: str) -> list[Revocation]:
    """What is revoked now."""
    return [
        Revocation(scope, target, since)
        for kind, scope, target, since in reader.restrictions_of(tenant)
        if kind != "stop"
    ]


@dataclass(frozen=True, slots=True)
class PassportView(View):
    """A chain of the store or of a file, and what of it is revoked now.

    Args:
        stored: the chain; its entry is None where it was read from a file.
        tenant: whose store says what is revoked.
        revoked: revocations that apply, in words.
    """

    stored: StoredChain
    tenant: str
    revoked: list[str]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        entry = self.stored.entry
        return {
            "chain": [{"claims": link_to_claims(link), "hash": link.hash} for link in self.stored.links],
            "entry": dict(entry.body) if entry is not None else None,
            "revoked": self.revoked,
            "verified": False,
        }


def find_passport(name: str, url: str, tenant: str | None) -> PassportView:
    """The passport of an agent, or of a hash (or its start), or of a file.

    Raises:
        ConfigError: nothing has that name.
        PassportError: it cannot be read.
    """
    path = Path(name)
    if path.is_file():
        tokens = read_tokens(path)
        stored = StoredChain(tuple(tokens), decode_unverified(tokens))
        tenant = tenant or stored.links[0].tenant
        try:
            with Reader(url) as reader:
                return PassportView(stored, tenant, _describe_revocations(reader, tenant, stored))
        except ConfigError as exc:
            if exc.code not in NO_LEDGER_CODES:
                raise
            return PassportView(stored, tenant, [])
    with Reader(url) as reader:
        tenant = select_tenant(reader, tenant)
        found = load_current_passport(reader, tenant, name) or find_chain(reader, tenant, name)
        if found is None:
            agents = {record.entry.body["agent"] for record in iterate_standing_entries(reader, tenant)}
            raise build_no_such_error(name, agents)
        return PassportView(found, tenant, _describe_revocations(reader, tenant, found))


def _describe_revocations(reader: Reader, tenant: str, stored: StoredChain) -> list[str]:
    return [
        f"{item.scope} {shorten_hash(item.target) if item.scope == 'link' else item.target}"
        for item in list_revocations(reader, tenant)
        if revocation_applies(item, stored.links, stored.links[-1].txn)
    ]


def select_grants(parent: Link, tools: Sequence[str]) -> Grants:
    """A link's grants of these resources alone.

    Raises:
        ConfigError: `tool_not_granted`.
    """
    granted_names = {name for resources in parent.grants.values() for name in resources}
    for name in tools:
        if name not in granted_names:
            close = get_close_matches(name, granted_names, 1)
            remedy = f"did you mean `{close[0]}`" if close else "see `halo passport inspect FILE`"
            raise ConfigError(
                "tool_not_granted", f"the chain does not grant `{name[:64]}`", field="tools", remedy=remedy
            )
    chosen = {
        kind: {name: rules for name, rules in tools_.items() if name in tools} for kind, tools_ in parent.grants.items()
    }
    return {kind: resources for kind, resources in chosen.items() if resources}


def lower_budgets(parent: Link, wanted: Sequence[str]) -> tuple[Budget, ...]:
    """A link's budgets, lowered as `UNIT=AMOUNT` says.

    Raises:
        ConfigError: `unknown_unit` or `bad_amount`.
    """
    limits = {item.unit: item for item in parent.budgets}
    for text in wanted:
        unit, _, value = text.partition("=")
        if unit not in limits:
            raise ConfigError(
                "unknown_unit",
                f"the chain has no budget in `{unit[:32]}`",
                field="budget",
                remedy=f"use {', '.join(limits)}",
            )
        most = parse_amount(value, limits[unit].decimals, field="budget", example="step=10")
        least = most if unit == "time" else min(limits[unit].per_action, most)
        limits[unit] = replace(limits[unit], subtree=most, per_action=least)
    return tuple(limits.values())
