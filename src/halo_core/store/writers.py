"""Writers: each signs the entries of one process, from opening the store until closing it.

A writer's key is made in memory, certified by the log key in the writer's first entry, and gone with the process. On
SQLite its lock file tells the other processes of the host whether it is still alive.
"""

from __future__ import annotations

import binascii
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from halo_core.crypto.keys import Ed25519Signer, Signer
from halo_core.ledger import SignedEntry, Vkey, encode_entry, format_vkey, log_origin, make_vkey, writer_name
from halo_core.model import EntryKind, LedgerEntry

_LOCK_FOLDER: Final = "writers"


def lock_file(home: Path, writer_id: str) -> tuple[int, Path]:
    """Create and lock the file of a new writer; the process's end releases the lock."""
    folder = home / _LOCK_FOLDER
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{writer_id}.lock"
    fd = os.open(path, os.O_CREAT | os.O_RDWR, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return fd, path


@contextmanager
def writer_alive(home: Path, writer_id: str) -> Iterator[bool]:
    """Whether the writer's process is alive (on this host); while it is not, no other process can recover it."""
    path = home / _LOCK_FOLDER / f"{writer_id}.lock"
    try:
        fd = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        # Released, or of another host or home, and then it may be alive.
        yield True
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield True
            return
        yield False
    finally:
        os.close(fd)


def remove_lock_file(home: Path, writer_id: str) -> None:
    """Remove the lock file of a writer whose recovery is durable."""
    (home / _LOCK_FOLDER / f"{writer_id}.lock").unlink(missing_ok=True)


class Writer:
    """Signs entries in its own sequence. Not thread-safe: the store guards it with a lock."""

    def __init__(self, tenant: str, writer_id: str, seed: bytes, log: Signer, home: Path | None) -> None:
        """With a lock file in `home`; None if a connection shows that the process is alive."""
        self.tenant = tenant
        self.id = writer_id
        self.seq = 0
        self.prev = ""
        self._signer = Ed25519Signer(seed)
        self._log = log
        self.vkey = format_vkey(make_vkey(writer_name(tenant, writer_id), self._signer.public_key))
        self._lock: tuple[int, Path] | None = None if home is None else lock_file(home, writer_id)

    @property
    def log_vkey(self) -> Vkey:
        """The log's key, which certifies writers."""
        return make_vkey(log_origin(self.tenant), self._log.public_key)

    def sign(self, entry: LedgerEntry) -> SignedEntry:
        """Sign the writer's next entry; after a rollback, `restore` the place before it."""
        # INVARIANT: AUDIT - a writer's key counts only if the log key certified it in the writer's first entry.
        signed = encode_entry(entry, self._signer, log=self._log if entry.kind is EntryKind.WRITER_OPEN else None)
        self.seq += 1
        self.prev = binascii.b2a_base64(signed.leaf, newline=False).decode("ascii")
        return signed

    def chain_head(self) -> tuple[int, str]:
        """The end of the chain, for `restore`."""
        return self.seq, self.prev

    def restore(self, place: tuple[int, str]) -> None:
        """Go back to `place` after a rollback."""
        self.seq, self.prev = place

    def release_lock(self) -> None:
        """Remove the lock file."""
        if self._lock is not None:
            fd, path = self._lock
            path.unlink(missing_ok=True)
            os.close(fd)
            self._lock = None

    def abandon_lock(self) -> None:
        """Close this process's copy of the lock after a fork; the parent keeps it."""
        if self._lock is not None:
            os.close(self._lock[0])
            self._lock = None
