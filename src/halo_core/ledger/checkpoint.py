"""Room: checkpoints (C2SP tlog-checkpoint). Takes: size, root, the log's key. Gives: a signed note. Never: I/O.

Three lines: origin, size in decimal, root in base64; no extension lines. Witness cosignatures are further signature
lines and are ignored here.
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from halo_core.errors import BadInput, Tampered
from halo_core.ledger.note import Vkey, open_note, sign_note, unbase64, verify_note
from halo_core.ledger.record import origin

if TYPE_CHECKING:
    from halo_core.keys import Signer

__all__ = ["Checkpoint", "open_checkpoint", "read_checkpoint", "sign_checkpoint"]

_ROOT_BYTES: Final = 32
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A tree head: number of leaves and 32-byte root."""

    size: int
    root: bytes

    def body(self, tenant: str) -> bytes:
        """The text to sign."""
        return f"{origin(tenant)}\n{self.size}\n{base64.b64encode(self.root).decode('ascii')}\n".encode("ascii")


def sign_checkpoint(tenant: str, size: int, root: bytes, signer: Signer) -> bytes:
    """Sign a tree head with the log's key.

    Raises:
        BadInput: `bad_checkpoint`, a negative size or a root that is not 32 bytes.
        ConfigError: `bad_tenant`.
    """
    if not 0 <= size < 2**63 or len(root) != _ROOT_BYTES:
        raise BadInput("bad_checkpoint", f"no tree has size {size} and a root of {len(root)} bytes", field="size")
    return sign_note(Checkpoint(size, root).body(tenant), [(origin(tenant), signer)])


def open_checkpoint(note: bytes, vkey: Vkey, tenant: str) -> Checkpoint:
    """Verify a checkpoint of a tenant's log.

    Raises:
        Tampered: `malformed_note`, `bad_signature` or `bad_checkpoint` (another origin, another spelling).
    """
    verify_note(note, [vkey])
    return read_checkpoint(note, tenant)


def read_checkpoint(note: bytes, tenant: str) -> Checkpoint:
    """Parse a checkpoint without verifying its signature.

    Raises:
        Tampered: `malformed_note` or `bad_checkpoint`.
    """
    text = open_note(note).text
    _, *rest = text.decode("utf-8").split("\n")
    root = unbase64(rest[1].encode("ascii", "replace")) if len(rest) == 3 and _SIZE.fullmatch(rest[0]) else None
    if root is not None and len(root) == _ROOT_BYTES:
        result = Checkpoint(int(rest[0]), root)
        # INVARIANT: printing what was parsed gives the signed text, so one head has one text.
        if result.body(tenant) == text:
            return result
    raise Tampered("bad_checkpoint", f"the note is no checkpoint of `{origin(tenant)}`")
