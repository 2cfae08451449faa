"""Random identifiers: UUIDv7 for entries, short ids for writers, calls and sessions."""

from __future__ import annotations

import secrets
from typing import Protocol

import uuid_utils


class IdSource(Protocol):
    """Source of identifiers; tests pass a counting one."""

    def new_entry_id(self) -> str:
        """Id of a ledger entry: UUIDv7 (RFC 9562), time-ordered."""
        ...

    def new_short_id(self) -> str:
        """Twelve lowercase hex digits, for writers, calls and sessions."""
        ...


class RandomIds:
    """Ids from the operating system's generator."""

    __slots__ = ()

    def new_entry_id(self) -> str:
        """Return a UUIDv7."""
        return str(uuid_utils.uuid7())

    def new_short_id(self) -> str:
        """Return 48 random bits in hex."""
        return secrets.token_hex(6)
