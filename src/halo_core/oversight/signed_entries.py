"""Reads entries with verified signatures, and the entries, passports and policies that they name by hash.

Anything that is missing or was changed raises `Tampered`, so that people are shown only what the log holds.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, Protocol

from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import encode_base64
from halo_core.errors import BadInput, ConfigError, PolicyError, Tampered
from halo_core.ledger import decode_entry, parse_vkey, writer_name
from halo_core.ledger.notes import verify_note
from halo_core.ledger.tree import leaf_hash
from halo_core.model import LedgerEntry, Link
from halo_core.passports.claims import claims_to_link
from halo_core.passports.codec import read_unverified, token_hash
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.store import log_checkpoints
from halo_core.store.reader import Reader

Opener = Callable[[LedgerEntry, str], bytes | None]
"""Opens a sealed field of an entry; None where that is not possible."""

CONTENT_CLOSED: Final = "(erased, or the content key is not available)"


def decode_signed_entry(reader: Reader, home: Path, tenant: str, note: bytes) -> LedgerEntry:
    """Verify and parse an entry: its writer signed it, and the trusted log key certified that writer.

    Raises:
        ConfigError: `no_trust`, the home trusts no log of this tenant.
        Tampered: a signature is wrong.
    """
    log = log_checkpoints.load_trusted_keys(home).get(tenant)
    if log is None:
        raise ConfigError("no_trust", f"`{home}` has no trusted key", field="home", remedy="give the right HALO_HOME")
    entry = reader.read_entry(note)
    opening = reader.note_at(tenant, entry.writer, 0)
    if opening is None or entry.tenant != tenant:
        raise make_altered_error("the writer's first entry is missing")
    verify_note(opening, [parse_vkey(log)])
    first = decode_entry(opening)
    try:
        vkey = parse_vkey(str(first.body["vkey"]))
    except (BadInput, KeyError) as exc:
        raise make_altered_error("the writer's first entry contains no key") from exc
    if vkey.name != writer_name(tenant, entry.writer):
        raise make_altered_error("the key belongs to another writer")
    verify_note(note, [vkey])
    return entry


def load_linked_entry(reader: Reader, tenant: str, reference: Any) -> LedgerEntry:
    """The decision that a request's signed entry names by writer (`w`), sequence (`ws`) and leaf hash (`leaf`).

    Raises:
        Tampered: it is missing or was changed.
    """
    try:
        note = reader.note_at(tenant, str(reference["w"]), int(reference["ws"]))
        same = note is not None and encode_base64(leaf_hash(note)) == reference["leaf"]
    except (KeyError, TypeError, ValueError) as exc:
        raise make_altered_error("the request does not refer to a decision") from exc
    if note is None or not same:
        raise make_altered_error("the decision of the request is missing or was changed")
    return reader.read_entry(note)


class BlobSource(Protocol):
    """Where what entries name by hash is read from: a `Reader`, or a transaction."""

    def blob(self, tenant: str, name: str) -> bytes | None:
        """The bytes stored under a content hash."""


def load_links(reader: BlobSource, tenant: str, hashes: list[str]) -> tuple[Link, ...]:
    """The links whose hashes a signed entry names, standing link first.

    Raises:
        Tampered: one is missing or was changed.
    """
    links: list[Link] = []
    for name in hashes:
        data = reader.blob(tenant, name)
        token = data.decode("ascii", "replace") if data is not None else ""
        if not token.isascii() or token_hash(token) != name:
            raise make_altered_error("a passport of the decision is missing or was changed")
        links.append(decode_link(token, links[-1] if links else None))
    return tuple(links)


def load_rules(reader: Reader, tenant: str, policy: str) -> str:
    """Hash of the rules in a policy that a signed entry names.

    Raises:
        Tampered: it is missing or was changed.
    """
    return _load_bundle(reader, tenant, policy).rules


def load_rule_texts(reader: Reader, tenant: str, policy: str) -> dict[str, str]:
    """Id of each rule → its text, of a policy that a signed entry names.

    Raises:
        Tampered: it is missing or was changed.
    """
    compiled = CedarPolicy.compile(_load_bundle(reader, tenant, policy))
    return {item.id: item.text for item in compiled.policies}


def _load_bundle(reader: Reader, tenant: str, policy: str) -> PolicyBundle:
    data = reader.blob(tenant, policy)
    try:
        bundle = PolicyBundle.from_bytes(data or b"")
    except PolicyError as exc:
        raise make_altered_error("the policy of the decision is missing or was changed") from exc
    if bundle.hash != policy:
        raise make_altered_error("the policy of the decision was changed")
    return bundle


def decode_link(token: str, parent: Link | None) -> Link:
    """Read a passport token without verifying its signature: enough where its hash stands in a signed entry.

    Raises:
        PassportError: it cannot be read.
    """
    return claims_to_link(read_unverified(token), parent)


def open_masked_content(entry: LedgerEntry, opener: Opener, *, reveal: bool) -> dict[str, str]:
    """Sealed fields of an entry as texts, masked unless revealed."""
    mask = Redactor.for_views().mask
    texts = {}
    for field in sorted(entry.content):
        data = opener(entry, field)
        content = CONTENT_CLOSED if data is None else data.decode("utf-8", "replace")
        texts[field] = content if reveal or data is None else mask(content)
    return texts


def make_altered_error(message: str) -> Tampered:
    """The error for a request of which something is missing or was changed."""
    return Tampered(
        "request_altered", message, remedy="run `halo verify`, and do not answer requests until the ledger is whole"
    )
