"""Room: finding passports, for the verbs that show them. Takes: names, files, a store. Gives: tokens, links.

A file of a chain holds one token a line, the standing link first; lines that begin with `#` are notes. Never: writes a
store; what `peek` gives was not verified.

Room: a passport on a page, a chain side by side. Takes: links. Gives: what a terminal renders. Never: I/O, verifies.

Whose name is in it may have written it: every cell is text, none is markup.

Room: the steps of verifying a passport, one after another. Takes: tokens, a home. Gives: what each step said.

The same functions as a decision uses; only here each is told apart. Never: writes, trusts a token's own word.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.table import Table
from rich.text import Text

from halo_core.authorities import Authorities
from halo_core.clock import format_iso
from halo_core.decision import revocation_applies
from halo_core.errors import ConfigError, PassportError
from halo_core.model import ActionKind, Decay, EntryKind, LedgerEntry, Link, LinkKind, Resource, Revocation
from halo_core.passports import (
    MAX_CHAIN,
    Claims,
    Issuer,
    TrustAnchors,
    check_time,
    claims_to_link,
    find_widening,
    token_hash,
    verify_chain,
)
from halo_core.passports.claims import ISSUER_URI
from halo_core.passports.codec import read_payload
from halo_core.reasons import get_reason_text
from halo_core.store.log import LoggedEntry, read_entries
from halo_core.store.reader import Reader
from halo_core.views import wording
from halo_core.views.wording import format_link_kind

__all__ = [
    "Check",
    "StoredChain",
    "build_chain_table",
    "build_no_such_error",
    "decode_unverified",
    "find_chain",
    "format_utc_minute",
    "iterate_standing_entries",
    "list_revocations",
    "load_current_passport",
    "load_trusted",
    "read_regular_file",
    "read_tokens",
    "render_passport",
    "run_checks",
    "write_tokens",
]


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
        members = read_payload(token)
        kid = str(members.get("iss")).removeprefix(ISSUER_URI)
        links.append(claims_to_link(Claims(members, kid, token), links[-1] if links else None))
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
    hits = [hash_ for hash_, entry in bodies.items() if _matches_name(hash_, entry.body, wanted)]
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


def _matches_name(name: str, body: Any, wanted: str) -> bool:
    return name.removeprefix("sha256:").startswith(wanted) or str(body.get("jti", "")).startswith(wanted)


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


_MICROSECONDS_PER_S: Final = 1_000_000
_MINUTE_LENGTH: Final = 16
_FACT_NAMES: Final = ("purpose", "privilege", "regulated", "approvers")


def format_utc_minute(seconds: int) -> str:
    """A time to the minute, UTC."""
    return format_iso(seconds * _MICROSECONDS_PER_S)[:_MINUTE_LENGTH].replace("T", " ") + " UTC"


def render_passport(
    link: Link, resources: Mapping[tuple[ActionKind, str], Resource], facts: Mapping[str, Any], *, now_s: int
) -> Table:
    """One passport in words: who, for whom, until when, what it may do, spend and lose."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, max_width=28, overflow="ellipsis")
    table.add_column(overflow="fold")
    for title, rows in _build_sections(link, resources, facts, now_s):
        for index, (name, text) in enumerate(rows):
            table.add_row(title if index == 0 else "", wording.safe_text(name, style="bold"), wording.safe_text(text))
    return table


def _build_sections(
    link: Link, resources: Mapping[tuple[ActionKind, str], Resource], facts: Mapping[str, Any], now_s: int
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "passport", [(link.agent, _format_title(link, facts))]
    people = [("owner", link.owner or "not specified"), ("acts for", link.principal), ("tenant", link.tenant)]
    yield "people", people
    fact_rows = [(name, _format_fact(facts[name])) for name in _FACT_NAMES if facts.get(name)]
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


def _format_fact(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _format_remaining(link: Link, now_s: int) -> str:
    if now_s >= link.expires_at_s:
        return "expired"
    if now_s < link.not_before_s:
        return "not valid yet"
    remaining_s = link.expires_at_s - now_s
    day = 86_400
    return (
        f"{wording.format_duration((remaining_s + day // 2) // day * day if remaining_s >= day else remaining_s)} left"
    )


def build_chain_table(chain: Sequence[Link]) -> Table:
    """A column for each link; what a link lost against the one above is marked."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="dim", no_wrap=True)
    for link in chain:
        table.add_column(wording.safe_text(f"{link.depth} {wording.format_link_kind(link)}"), overflow="fold")
    table.add_row("agent", *(wording.safe_text(link.agent, style="bold") for link in chain))
    table.add_row("link", *(wording.shorten_hash(link.hash) for link in chain))
    table.add_row("until", *(format_utc_minute(link.expires_at_s) for link in chain))
    table.add_row("within", *_check_containment(chain))
    granted = {(kind, name) for link in chain for kind, resources in link.grants.items() for name in resources}
    names = sorted(item for item in granted if item[0] is not ActionKind.HANDOFF)
    for kind, name in names:
        cells = [link.grants.get(kind, {}).get(name) for link in chain]
        table.add_row(
            name[:28], *_mark_changes([None if rules is None else wording.describe_arguments(rules) for rules in cells])
        )
    for unit in sorted({unit for link in chain for unit, _ in wording.describe_session_budgets(link)}):
        table.add_row(unit, *_mark_changes([dict(wording.describe_session_budgets(link)).get(unit) for link in chain]))
    table.add_row("authority", *_mark_changes([_format_half_life(link) for link in chain]))
    labels = ["any" if link.labels is None else ", ".join(link.labels) or "-" for link in chain]
    table.add_row("labels", *_mark_changes(labels))
    table.add_row("hands off to", *_mark_changes([", ".join(link.hand_off_to) or "-" for link in chain]))
    return table


def _format_half_life(link: Link) -> str:
    terms = _find_decay(link)
    return wording.describe_decay(terms)[0] if terms is not None else "does not decay"


def _check_containment(chain: Sequence[Link]) -> list[Text]:
    cells = [wording.safe_text("-")]
    for parent, child in pairwise(chain):
        widened = find_widening(parent, child)
        broken = "" if widened is None else f"✗ {widened.code} {widened.detail}"
        cells.append(
            wording.safe_text(broken.strip(), style="bold red") if broken else wording.safe_text("✓", style="green")
        )
    return cells


def _mark_changes(cells: Sequence[str | None]) -> list[Text]:
    """Each cell against the one before: `=` for the same, `↓` for another, `✗` for what is gone."""
    marked_cells: list[Text] = []
    for index, cell in enumerate(cells):
        parent_cell = cells[index - 1] if index else None
        if cell is None:
            marked_cells.append(wording.safe_text("✗" if parent_cell is not None else "", style="red"))
        elif index == 0 or parent_cell is None:
            marked_cells.append(wording.safe_text(cell))
        else:
            marked_cells.append(
                wording.safe_text("=", style="dim")
                if cell == parent_cell
                else wording.safe_text(f"↓ {cell}", style="yellow")
            )
    return marked_cells


_US_PER_S: Final = 1_000_000
_SIGNER_TEXTS: Final = {
    LinkKind.STANDING: "by an issuer that this home trusts, well formed",
    LinkKind.SESSION: "by the agent's own key, and within the standing link",
    LinkKind.HANDOFF: "by the agent that handed off, and within the link above",
}


class Check(NamedTuple):
    """One step: what was asked, whether it passed (None: could not be asked), the code if not."""

    passed: bool | None
    what: str
    code: str = ""


def run_checks(tokens: Sequence[str], home: Path, url: str, tenant: str | None, *, now_us: int) -> list[Check]:
    """Every step in order; after a link that does not verify nothing more is asked."""
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
        results.append(
            Check(
                True, f"link {count}, {format_link_kind(link)} link of {link.agent}: signed {_SIGNER_TEXTS[link.kind]}"
            )
        )
    results += _check_audience(tokens, trust, store, tenant_name)
    results += _check_validity(links, revoked, now_us)
    return results


def _load_store_facts(url: str, tenant: str | None) -> tuple[str | None, str, list[Revocation] | None]:
    """Store id, tenant and revocations; None where there is no store to ask."""
    try:
        with Reader(url) as reader:
            tenants = reader.tenants()
            tenant_name = tenant or (tenants[0] if len(tenants) == 1 else "local")
            control = reader.control(tenant_name)
            return (control[1] if control else None), tenant_name, list_revocations(reader, tenant_name)
    except ConfigError as exc:
        if exc.code not in ("no_database", "no_store"):
            raise
        return None, tenant or "local", None


def _check_audience(tokens: Sequence[str], trust: TrustAnchors, store: str | None, tenant: str) -> Iterator[Check]:
    for title, audience, expected_tenant in ((f"for tenant {tenant}", None, tenant), ("for this store", store, None)):
        if title.endswith("store") and store is None:
            yield Check(None, "for this store: not checked, there is no store here")
            continue
        try:
            verify_chain(tokens, trusted=trust, audience=audience, tenant=expected_tenant)
        except PassportError as exc:
            yield Check(False, f"{title}: {exc.message}", exc.code)
        else:
            yield Check(True, title)


def _check_validity(links: tuple[Link, ...], revoked: list[Revocation] | None, now_us: int) -> Iterator[Check]:
    late = next(((link, code) for link in links if (code := check_time(link, now_us // _US_PER_S))), None)
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
