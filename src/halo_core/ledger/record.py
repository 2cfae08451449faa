"""Room: the entry as bytes. Takes: an Entry and signers. Gives: a signed note and its leaf hash. Never: I/O, a clock.

An entry's note holds one line of canonical JSON (`halo_core.canonical`), signed by its writer; the first entry of a
writer (`writer_open`) is signed by the log's key as well, which is how the log certifies the writer's key.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from halo_core import canonical
from halo_core.errors import CanonicalError, ConfigError, Tampered
from halo_core.ledger.merkle import leaf_hash
from halo_core.ledger.note import open_note, sign_note
from halo_core.model.entry import Entry

if TYPE_CHECKING:
    from halo_core.keys import Signer

__all__ = ["decode_entry", "encode_entry", "leaf_hash", "origin", "writer_name"]

_PART: Final = re.compile(r"[A-Za-z0-9._-]{1,64}")
_TYPES: Final[dict[str, type]] = {
    "assurance": str,
    "body": dict,
    "content": dict,
    "id": str,
    "kind": str,
    "mono_us": int,
    "prev": str,
    "session": str,
    "tenant": str,
    "ts_us": int,
    "v": int,
    "w": str,
    "ws": int,
}


def origin(tenant: str) -> str:
    """Name of a tenant's log: key name of its checkpoints and their first line.

    Raises:
        ConfigError: `bad_tenant`, the tenant's name cannot be part of a note.
    """
    return f"halo/{_part(tenant, 'bad_tenant', 'tenant')}/log"


def writer_name(tenant: str, writer: str) -> str:
    """Key name of a writer.

    Raises:
        ConfigError: `bad_tenant` or `bad_writer`.
    """
    return f"halo/{_part(tenant, 'bad_tenant', 'tenant')}/w/{_part(writer, 'bad_writer', 'writer')}"


@lru_cache(maxsize=1024)
def _part(name: str, code: str, field: str) -> str:
    if not _PART.fullmatch(name):
        raise ConfigError(
            code,
            f"`{name[:80]}` cannot name a {field}",
            field=field,
            remedy="use 1 to 64 letters, digits, dots, dashes and underscores",
        )
    return name


def encode_entry(entry: Entry, signer: Signer, *, log: Signer | None = None) -> tuple[bytes, bytes]:
    """Sign an entry.

    Args:
        entry: what to record.
        signer: the writer's key.
        log: the log's key, for the writer's first entry.

    Returns:
        The note and its 32-byte leaf hash.

    Raises:
        CanonicalError: the body has no canonical form.
        BadInput: `entry_too_large`.
        ConfigError: `bad_tenant` or `bad_writer`.
    """
    signers = [(writer_name(entry.tenant, entry.writer), signer)]
    if log is not None:
        signers.append((origin(entry.tenant), log))
    note = sign_note(canonical.dumps(entry.to_plain()) + b"\n", signers)
    return note, leaf_hash(note)


def decode_entry(note: bytes) -> Entry:
    """Parse a note to an entry; its signatures are not verified here.

    Raises:
        Tampered: `malformed_note` or `malformed_entry`; nothing else, whatever the bytes.
    """
    line = open_note(note).text[:-1]
    try:
        plain = canonical.loads(line)
        _check_types(plain)
        entry = Entry.from_plain(plain)
    except (CanonicalError, RecursionError, ValueError) as exc:
        raise Tampered("malformed_entry", f"the note holds no entry: {exc}") from exc
    return entry


def _check_types(plain: Any) -> None:
    if type(plain) is not dict or plain.keys() != _TYPES.keys():
        raise ValueError("members are missing or unknown")
    for name, kind in _TYPES.items():
        if type(plain[name]) is not kind:
            raise ValueError(f"`{name}` has the wrong type")
    for reference in plain["content"].values():
        if type(reference) is not dict or not all(type(item) is str for item in reference.values()):
            raise ValueError("`content` has the wrong form")
