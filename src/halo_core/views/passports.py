"""Passports for people: finding them by name, file or agent, describing them, verifying them step by step.

The steps of verification are the functions that a decision uses, here with a result for each. `decode_unverified` reads
tokens without verifying them; `run_checks` verifies.

The file of a chain holds one token a line, the standing link first; lines that begin with `#` are notes.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.authorities import Authorities
from halo_core.decision.checks import revocation_applies
from halo_core.durations import DAY_S, SECOND_US
from halo_core.errors import ConfigError, PassportError, make_read_error, make_write_error
from halo_core.manifest.nodes import did_you_mean
from halo_core.model import (
    ActionKind,
    Budget,
    Decay,
    EntryKind,
    Grants,
    LedgerEntry,
    Link,
    LinkKind,
    Resource,
    Revocation,
)
from halo_core.oversight.signed_entries import decode_link
from halo_core.passports import MAX_CHAIN, Issuer, TrustAnchors, check_time, link_to_claims, token_hash, verify_chain
from halo_core.passports.narrowing import find_widening
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text
from halo_core.store.reader import LoggedEntry, Reader, read_entries, select_tenant
from halo_core.views import NO_LEDGER_CODES, View, wording
from halo_core.views.wording import format_link_kind, format_utc_minute, parse_amount, shorten_hash

_SIGNER_TEXTS: Final = {
    LinkKind.STANDING: "by an issuer that this home trusts, well formed",
    LinkKind.SESSION: "by the agent's own key, and within the standing link",
    LinkKind.HANDOFF: "by the agent that handed off, and within the link above",
}


class Check(NamedTuple):
    """One step: whether it passed (None: it could not be checked), what was checked, and the code if it failed."""

    passed: bool | None
    what: str
    code: str = ""


def run_checks(tokens: Sequence[str], home: Path, url: str, tenant: str | None, *, now_us: int) -> list[Check]:
    """The result of every step in order; a link that does not verify is the last one."""
    store, tenant_name, revoked = _load_store_facts(url, tenant)
    trust = load_trusted(home, tenant_name, now_us)
    results: list[Check] = []
    links: tuple[Link, ...] = ()
    for count in range(1, len(tokens) + 1):
        try:
            links = verify_chain(tokens[:count], trusted=trust, audience=None, tenant=None)
        except PassportError as exc:
            results.append(Check(False, f"link {count}: {exc.message}", exc.code))
            return results
        link = links[-1]
        title = f"link {count}, {format_link_kind(link)} link of {link.agent}"
        results.append(Check(True, f"{title}: signed {_SIGNER_TEXTS[link.kind]}"))
    results += _check_audience(tokens, trust, store, tenant_name)
    results += _check_validity(links, revoked, now_us)
    return results


def _load_store_facts(url: str, tenant: str | None) -> tuple[str | None, str, list[Revocation] | None]:
    """Store id, tenant and revocations; id and revocations are None if there is no store."""
    with open_reader_if_any(url) as reader:
        if reader is None:
            return None, tenant or "local", None
        tenants = reader.tenants()
        tenant_name = tenant or (tenants[0] if len(tenants) == 1 else "local")
        control = reader.control(tenant_name)
        return (None if control is None else control.store), tenant_name, list_revocations(reader, tenant_name)


def _check_audience(tokens: Sequence[str], trust: TrustAnchors, store: str | None, tenant: str) -> Iterator[Check]:
    def verify(title: str, audience: str | None, expected_tenant: str | None) -> Check:
        try:
            verify_chain(tokens, trusted=trust, audience=audience, tenant=expected_tenant)
        except PassportError as exc:
            return Check(False, f"{title}: {exc.message}", exc.code)
        return Check(True, title)

    yield verify(f"for tenant {tenant}", None, tenant)
    if store is None:
        yield Check(None, "for this store: not checked, there is no store here")
    else:
        yield verify("for this store", store, None)


def _check_validity(links: tuple[Link, ...], revoked: list[Revocation] | None, now_us: int) -> Iterator[Check]:
    late = next(((link, code) for link in links if (code := check_time(link, now_us // SECOND_US))), None)
    ends = format_utc_minute(min(link.expires_at_s for link in links))
    if late is None:
        yield Check(True, f"valid until {ends}")
    else:
        yield Check(False, f"validity: {get_reason_text(late[1]).title} ({late[0].kind.value} link)", late[1])
    if revoked is None:
        yield Check(None, "not revoked: not checked, there is no store here")
        return
    hit = next((item for item in revoked if revocation_applies(item, links, links[-1].txn)), None)
    if hit is None:
        yield Check(True, "not revoked")
    else:
        yield Check(False, f"revoked: {hit.scope} {hit.target[:64]}", "revoked")


_FACT_NAMES: Final = ("purpose", "privilege", "regulated", "approvers")


def describe_passport(
    link: Link, resources: Mapping[tuple[ActionKind, str], Resource], facts: Mapping[str, Any], now_s: int
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Describe a passport as (title, [(name, words)]): agent, people, validity, grants, budgets, decay, hand-offs."""
    yield "passport", [(link.agent, _format_title(link, facts))]
    people = [("owner", link.owner or "not specified"), ("acts for", link.principal), ("tenant", link.tenant)]
    yield "people", people
    fact_rows = [
        (name, ", ".join(map(str, facts[name])) if isinstance(facts[name], list) else str(facts[name]))
        for name in _FACT_NAMES
        if facts.get(name)
    ]
    if fact_rows:
        yield "why", fact_rows
    yield (
        "valid",
        [
            ("until", f"{format_utc_minute(link.expires_at_s)}, {_format_remaining(link, now_s)}"),
            ("since", format_utc_minute(link.not_before_s)),
        ],
    )
    labels = "any label" if link.labels is None else ", ".join(link.labels) or "only unlabelled data"
    yield "data", [("labels", labels)]
    groups = wording.group_grants(link.grants, resources)
    if not groups:
        yield "may", [("nothing", "it grants no tool, retriever or model")]
    for index, (title, granted) in enumerate(groups):
        rows = [(name, wording.describe_arguments(rules)) for name, rules in granted]
        yield ("may: " if index == 0 else "     ") + title.removesuffix(" actions"), rows
    yield "spends", wording.describe_budgets(link) or [("nothing", "no session can be opened")]
    terms = _find_decay(link)
    if terms is not None:
        yield "authority", [("", line) for line in wording.describe_decay(terms)]
    yield "hands off", [("to", ", ".join(link.hand_off_to) or "nobody")]


def _find_decay(link: Link) -> Decay | None:
    return link.terms.decay if link.terms is not None else link.decay


def _format_title(link: Link, facts: Mapping[str, Any]) -> str:
    origin = f", {facts['origin']}" if facts.get("origin") else ""
    return f"{wording.format_link_kind(link)} link {wording.shorten_hash(link.hash)}{origin}, epoch {link.epoch}"


def _format_remaining(link: Link, now_s: int) -> str:
    if now_s >= link.expires_at_s:
        return "expired"
    if now_s < link.not_before_s:
        return "not valid yet"
    remaining_s = link.expires_at_s - now_s
    if remaining_s >= DAY_S:
        remaining_s = (remaining_s + DAY_S // 2) // DAY_S * DAY_S
    return f"{wording.format_duration(remaining_s)} left"


def compare_links(chain: Sequence[Link]) -> Iterator[tuple[str, list[str | None]]]:
    """What each link of a chain allows, as (title, [a cell for each link]); None for a link that lacks it entirely."""
    granted = {(kind, name) for link in chain for kind, resources in link.grants.items() for name in resources}
    for kind, name in sorted(item for item in granted if item[0] is not ActionKind.HANDOFF):
        rules = [link.grants.get(kind, {}).get(name) for link in chain]
        yield name[:28], [None if item is None else wording.describe_arguments(item) for item in rules]
    budgets = [dict(wording.describe_session_budgets(link)) for link in chain]
    for unit in sorted(set().union(*budgets)):
        yield unit, [item.get(unit) for item in budgets]
    decays = [_find_decay(link) for link in chain]
    yield "authority", [wording.describe_decay(item)[0] if item is not None else "does not decay" for item in decays]
    yield "labels", ["any" if link.labels is None else ", ".join(link.labels) or "-" for link in chain]
    yield "hands off to", [", ".join(link.hand_off_to) or "-" for link in chain]


def find_widenings(chain: Sequence[Link]) -> list[str]:
    """For each link but the first, how it goes beyond the link before it; empty if it does not."""
    widenings = [find_widening(parent, child) for parent, child in pairwise(chain)]
    return ["" if item is None else f"{item.code} {item.detail}".strip() for item in widenings]


_MIN_PREFIX: Final = 8


@contextmanager
def open_reader_if_any(url: str) -> Iterator[Reader | None]:
    """A reader of the store; None if there is no store yet.

    Raises:
        ConfigError: the store is there and cannot be opened.
    """
    try:
        opened = Reader(url)
    except ConfigError as exc:
        if exc.code not in NO_LEDGER_CODES:
            raise
        yield None
        return
    with opened as reader:
        yield reader


@dataclass(frozen=True, slots=True)
class StoredChain:
    """A chain of the store, and the entry that recorded its last link."""

    tokens: tuple[str, ...]
    links: tuple[Link, ...]
    entry: LedgerEntry | None = None


def read_tokens(path: Path) -> list[str]:
    """Tokens of a file, root first.

    Raises:
        ConfigError: `no_file`, it cannot be read; `not_a_passport`, it holds no token or is too large.
    """
    text = read_text_file(path, 2 * MAX_CHAIN, "no_file", "FILE", encoding="ASCII")
    if len(text) > 2 * MAX_CHAIN:
        problem, remedy = f"`{path}` is too large for a passport file", "give a file that `halo passport export` wrote"
        raise ConfigError("not_a_passport", problem, field="FILE", remedy=remedy)
    tokens = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if not tokens:
        problem, remedy = f"`{path}` contains no token", "write one token per line, standing link first"
        raise ConfigError("not_a_passport", problem, field="FILE", remedy=remedy)
    return tokens


def read_text_file(path: Path, most: int, code: str, field: str, *, encoding: str = "UTF-8") -> str:
    """The text of a regular file, or its first `most` + 1 bytes.

    Raises:
        ConfigError: with this code and field, it cannot be read.
    """
    try:
        return read_regular_file(path, most).decode(encoding)
    except (OSError, UnicodeError) as exc:
        raise make_read_error(path, exc, field=field, code=code, encoding=encoding) from exc


def read_regular_file(path: Path, most: int) -> bytes:
    """The first `most` + 1 bytes of a regular file. A pipe or a device is refused, since it may never end.

    Raises:
        OSError: it cannot be read, or is no regular file.
    """
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(handle, "rb") as file:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(0, "it is not a regular file")
        return file.read(most + 1)


def write_tokens(path: Path | None, tokens: list[str], links: tuple[Link, ...]) -> str:
    """Make the text of a chain's file, and write it to `path`, if given, without replacing a file.

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
        raise make_write_error(path, exc, field="out") from exc
    return text


def decode_unverified(tokens: list[str]) -> tuple[Link, ...]:
    """Read the links of a chain from its tokens, without verifying anything.

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
    """The newest standing passport of an agent, according to the log; None if it has none.

    Raises:
        PassportError: the stored passport cannot be read, or differs from the recorded one.
    """
    last = None
    for record in iterate_standing_entries(reader, tenant, agent):
        last = record.entry
    return None if last is None else _load_chain(reader, tenant, [last.body["hash"]], last)


def find_chain(reader: Reader, tenant: str, name: str) -> StoredChain | None:
    """The chain down to the link whose hash or `jti` is or starts with `name`; None if there is none.

    Raises:
        ConfigError: `no_such_passport`, there are several.
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


def build_no_such_error(reader: Reader, tenant: str, name: str, agents: Collection[str] = ()) -> ConfigError:
    """The error for a name that is no passport, no file and none of the agents (default: those with a passport)."""
    agents = agents or {record.entry.body["agent"] for record in iterate_standing_entries(reader, tenant)}
    agents_text = f"agents with a passport: {', '.join(sorted(agents)[:10]) or 'none'}"
    problem = f"there is no agent, passport or file named `{name[:64]}`"
    return ConfigError("no_such_passport", problem, field="name", remedy=did_you_mean(name, agents, agents_text))


def load_trusted(home: Path, tenant: str, now_us: int) -> TrustAnchors:
    """The keys that a home trusts now."""
    trust = Authorities(home).load(tenant)
    live = trust.issuer_keys(now_us)
    issuers = {kid: Issuer(item.public_key, retired=kid not in live) for kid, item in trust.issuers.items()}
    return TrustAnchors(issuers=issuers, approvers=trust.approver_keys(now_us))


def list_revocations(reader: Reader, tenant: str) -> list[Revocation]:
    """The revocations of a tenant in force."""
    return [
        Revocation(row.scope, row.target, row.since_us) for row in reader.restrictions_of(tenant) if row.kind != "stop"
    ]


@dataclass(frozen=True, slots=True)
class PassportView(View):
    """A chain of the store or of a file, and the revocations that apply to it now.

    Args:
        stored: the chain; its entry is None if it was read from a file.
        tenant: tenant whose revocations were compared.
        revoked: the revocations that apply, in words.
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
        with open_reader_if_any(url) as store:
            revoked = [] if store is None else _describe_revocations(store, tenant, stored)
        return PassportView(stored, tenant, revoked)
    with Reader(url) as reader:
        tenant = select_tenant(reader, tenant)
        chain = load_current_passport(reader, tenant, name) or find_chain(reader, tenant, name)
        if chain is None:
            raise build_no_such_error(reader, tenant, name)
        return PassportView(chain, tenant, _describe_revocations(reader, tenant, chain))


def _describe_revocations(reader: Reader, tenant: str, stored: StoredChain) -> list[str]:
    return [
        f"{item.scope} {shorten_hash(item.target) if item.scope == 'link' else item.target}"
        for item in list_revocations(reader, tenant)
        if revocation_applies(item, stored.links, stored.links[-1].txn)
    ]


def select_grants(parent: Link, tools: Sequence[str]) -> Grants:
    """A link's grants, restricted to these resources.

    Raises:
        ConfigError: `tool_not_granted`.
    """
    granted_names = {name for resources in parent.grants.values() for name in resources}
    for name in tools:
        if name not in granted_names:
            problem = f"the chain does not grant `{name[:64]}`"
            remedy = did_you_mean(name, granted_names, "see `halo passport inspect FILE`")
            raise ConfigError("tool_not_granted", problem, field="tools", remedy=remedy)
    chosen = {
        kind: {name: rules for name, rules in tools_.items() if name in tools} for kind, tools_ in parent.grants.items()
    }
    return {kind: resources for kind, resources in chosen.items() if resources}


def lower_budgets(parent: Link, wanted: Sequence[str]) -> tuple[Budget, ...]:
    """A link's budgets, with the limits of some units replaced; `wanted` are texts `UNIT=AMOUNT`.

    Raises:
        ConfigError: `unknown_unit` or `bad_amount`.
    """
    limits = {item.unit: item for item in parent.budgets}
    for text in wanted:
        unit, _, value = text.partition("=")
        if unit not in limits:
            problem, remedy = f"the chain has no budget in `{unit[:32]}`", f"use {', '.join(limits)}"
            raise ConfigError("unknown_unit", problem, field="budget", remedy=remedy)
        most = parse_amount(value, limits[unit].decimals, field="budget", example="step=10")
        least = most if unit == "time" else min(limits[unit].per_action, most)
        limits[unit] = replace(limits[unit], subtree=most, per_action=least)
    return tuple(limits.values())
