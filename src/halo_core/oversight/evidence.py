"""Room: entries that may be shown to somebody who is to sign. Takes: a reader, a home. Gives: entries. Never: writes.

INVARIANT: BIND - what a person is shown was signed by a writer that the log vouches for; a row alone is believed in
nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from halo_core.errors import BadInput, ConfigError, PolicyError, Tampered
from halo_core.ledger import decode_entry, parse_vkey, writer_name
from halo_core.ledger.merkle import leaf_hash
from halo_core.ledger.note import verify_note
from halo_core.model import Entry, Link
from halo_core.passport.claims import ISSUER_URI, claims_to_link
from halo_core.passport.codec import Claims, payload_of, token_hash
from halo_core.policy import PolicyBundle
from halo_core.store import leaf_text, trust
from halo_core.store.reader import Reader

__all__ = ["linked_entry", "links_of", "rules_of", "signed_entry"]


def signed_entry(reader: Reader, home: Path, tenant: str, note: bytes) -> Entry:
    """An entry whose writer the trusted log key certified, and which that writer signed.

    Raises:
        ConfigError: `no_trust`, the home trusts no log of this tenant.
        Tampered: a signature is not what it should be.
    """
    log = trust.load(home).get(tenant)
    if log is None:
        raise ConfigError("no_trust", f"`{home}` holds no trusted key", field="home", remedy="give the right HALO_HOME")
    entry = decode_entry(note)
    opening = reader.note_at(tenant, entry.writer, 0)
    if opening is None or entry.tenant != tenant:
        raise _altered("the writer's first entry is missing")
    verify_note(opening, [parse_vkey(log)])
    first = decode_entry(opening)
    try:
        vkey = parse_vkey(str(first.body["vkey"]))
    except (BadInput, KeyError) as exc:
        raise _altered("the writer's first entry names no key") from exc
    if vkey.name != writer_name(tenant, entry.writer):
        raise _altered("the writer's key is another writer's")
    verify_note(note, [vkey])
    return entry


def linked_entry(reader: Reader, tenant: str, reference: Any) -> Entry:
    """The entry that a signed one names by place and leaf hash.

    Raises:
        Tampered: it is missing, or not the one.
    """
    try:
        note = reader.note_at(tenant, str(reference["w"]), int(reference["ws"]))
        same = note is not None and leaf_text(leaf_hash(note)) == reference["leaf"]
    except (KeyError, TypeError, ValueError) as exc:
        raise _altered("the request names no decision") from exc
    if note is None or not same:
        raise _altered("the decision that the request names is missing or was changed")
    return decode_entry(note)


def links_of(reader: Reader, tenant: str, hashes: list[str]) -> tuple[Link, ...]:
    """Links by the hashes that a signed entry names, root first.

    Raises:
        Tampered: one is missing or is not what its hash says.
    """
    links: list[Link] = []
    for name in hashes:
        data = reader.blob(tenant, name)
        token = data.decode("ascii", "replace") if data is not None else ""
        if not token.isascii() or token_hash(token) != name:
            raise _altered("a passport that the decision names is missing or was changed")
        links.append(_link(token, links[-1] if links else None))
    return tuple(links)


def rules_of(reader: Reader, tenant: str, policy: str) -> str:
    """Which rules a policy that a signed entry names holds.

    Raises:
        Tampered: it is missing or is not what its hash says.
    """
    data = reader.blob(tenant, policy)
    try:
        bundle = PolicyBundle.from_bytes(data or b"")
    except PolicyError as exc:
        raise _altered("the policy that the decision names is missing or was changed") from exc
    if bundle.hash != policy:
        raise _altered("the policy that the decision names was changed")
    return bundle.rules


def _link(token: str, parent: Link | None) -> Link:
    # Its hash stands in a signed entry, so its own signature need not be asked again.
    members = payload_of(token)
    return claims_to_link(Claims(members, str(members.get("iss")).removeprefix(ISSUER_URI), token), parent)


def _altered(what: str) -> Tampered:
    return Tampered("request_altered", what, remedy="run `halo verify`, and answer nothing before it is whole")
