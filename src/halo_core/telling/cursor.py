"""Room: how far a receiver was told. Takes: a folder of the home. Gives: where to go on. Never: guesses it.

It stands beside the ledger, since entries are never rewritten; lost, everything is told again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

from halo_core.errors import ConfigError

__all__ = ["MOST_OWED", "Cursor", "Sent"]

_VERSION: Final = 1
_MAX_FILE: Final = 1 << 20
MOST_OWED: Final = 1000


@dataclass(frozen=True, slots=True)
class Sent:
    """How far a receiver was told.

    Args:
        upto: every alert before this place of the log was taken, or is owed.
        last: id of the alert just before, empty where there is none; tells another log apart.
        owed: places of alerts that it refused.
    """

    upto: int = 0
    last: str = ""
    owed: tuple[int, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """For the file."""
        return {"last": self.last, "owed": list(self.owed), "upto": self.upto, "v": _VERSION}

    @classmethod
    def from_plain(cls, plain: Any) -> Self:
        """Inverse of `to_plain`; ValueError, LookupError or TypeError where it is none."""
        if plain["v"] != _VERSION:
            raise ValueError("unknown version")
        numbers = [plain["upto"], *plain["owed"]]
        if not all(type(number) is int and number >= 0 for number in numbers) or not isinstance(plain["last"], str):
            raise ValueError("not what was written")
        return cls(plain["upto"], plain["last"], tuple(plain["owed"]))


class Cursor:
    """One receiver's file.

    Args:
        folder: of all of them.
        place: what tells receivers and logs apart; only its hash is a file's name.
    """

    def __init__(self, folder: Path, place: tuple[str, ...]) -> None:
        name = hashlib.sha256("\0".join(place).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        self.sent = Sent()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Nobody else tells this receiver meanwhile.

        Raises:
            ConfigError: `told_already`, somebody does; `bad_cursor`; `cursor_unwritable`.
        """
        lock = self._lock()
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise ConfigError(
                    "told_already",
                    "another `halo alerts send` tells this receiver",
                    remedy="let it, or end it first",
                ) from exc
            self.sent = self._read()
            yield
        finally:
            os.close(lock)

    def _lock(self) -> int:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(self._path.with_suffix(".lock"), flags, 0o600)
        except OSError as exc:
            raise self._unwritable(exc) from exc

    def _read(self) -> Sent:
        try:
            with self._path.open("rb") as file:
                return Sent.from_plain(json.loads(file.read(_MAX_FILE)))
        except FileNotFoundError:
            return Sent()
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as exc:
            # Starting over unasked would be as wrong as going on: a person says which.
            raise ConfigError(
                "bad_cursor",
                f"`{self._path}` is damaged",
                field="home",
                remedy="remove it: then all alerts are sent again",
            ) from exc

    def move(self, sent: Sent) -> None:
        """Note it, durably.

        Raises:
            ConfigError: `cursor_unwritable`.
        """
        data = json.dumps(sent.to_plain(), sort_keys=True).encode("ascii") + b"\n"
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(6)}.tmp")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as exc:
            draft.unlink(missing_ok=True)
            raise self._unwritable(exc) from exc
        self.sent = sent

    def _unwritable(self, exc: OSError) -> ConfigError:
        return ConfigError(
            "cursor_unwritable",
            f"cannot write to `{self._path.parent}`: {exc.strerror}",
            field="home",
            remedy="make room there; nothing more is sent until it can be noted",
        )
