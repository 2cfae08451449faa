"""Room: how far a receiver was told. Takes: a folder of the home. Gives: where to go on. Never: guesses it.

It stands beside the ledger, since entries are never rewritten; lost, everything is told again.

Room: alerts to one receiver, at least once. Takes: a receiver, its cursor, a log. Gives: how many. Never: loses one.

The cursor moves only after the receiver said yes. An alert that a receiver was reached with and did not take is owed
and does not hold up those behind it, so that nobody silences a receiver with a name that it falls over.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

from halo_core.alerts.connections import DeliveryError
from halo_core.alerts.records import AnyAlert
from halo_core.errors import ConfigError
from halo_core.failpoints import ALERT_ACCEPTED, hit_failpoint

_VERSION: Final = 1
_MAX_FILE: Final = 1 << 20
MAX_OWED: Final = 1000


@dataclass(frozen=True, slots=True)
class DeliveryState:
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
    def from_plain(cls, tree: Any) -> Self:
        """Inverse of `to_plain`; ValueError, LookupError or TypeError where it is none."""
        if tree["v"] != _VERSION:
            raise ValueError("unknown version")
        numbers = [tree["upto"], *tree["owed"]]
        if not all(type(number) is int and number >= 0 for number in numbers) or not isinstance(tree["last"], str):
            raise ValueError("not what was written")
        return cls(tree["upto"], tree["last"], tuple(tree["owed"]))


class DeliveryCursor:
    """One receiver's file.

    Args:
        folder: of all of them.
        place: what tells receivers and logs apart; only its hash is a file's name.
    """

    def __init__(self, folder: Path, place: tuple[str, ...]) -> None:
        name = hashlib.sha256("\0".join(place).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        self.state = DeliveryState()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Nobody else tells this receiver meanwhile.

        Raises:
            ConfigError: `told_already`, somebody does; `bad_cursor`; `cursor_unwritable`.
        """
        lock = self._open_lock_file()
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as exc:
                raise ConfigError(
                    "told_already",
                    "another `halo alerts send` is sending to this receiver",
                    remedy="use that process, or stop it first",
                ) from exc
            self.state = self._load_state()
            yield
        finally:
            os.close(lock)

    def _open_lock_file(self) -> int:
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            return os.open(self._path.with_suffix(".lock"), flags, 0o600)
        except OSError as exc:
            raise self._unwritable_error(exc) from exc

    def _load_state(self) -> DeliveryState:
        try:
            with self._path.open("rb") as file:
                return DeliveryState.from_plain(json.loads(file.read(_MAX_FILE)))
        except FileNotFoundError:
            return DeliveryState()
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as exc:
            # Starting over unasked would be as wrong as going on: a person says which.
            raise ConfigError(
                "bad_cursor",
                f"`{self._path}` is damaged",
                field="home",
                remedy="remove it; all alerts are then sent again",
            ) from exc

    def save(self, state: DeliveryState) -> None:
        """Note it, durably.

        Raises:
            ConfigError: `cursor_unwritable`.
        """
        data = json.dumps(state.to_plain(), sort_keys=True).encode("ascii") + b"\n"
        draft = self._path.with_name(f"{self._path.name}.{secrets.token_hex(6)}.tmp")
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(self._path)
        except OSError as exc:
            draft.unlink(missing_ok=True)
            raise self._unwritable_error(exc) from exc
        self.state = state

    def _unwritable_error(self, exc: OSError) -> ConfigError:
        return ConfigError(
            "cursor_unwritable",
            f"cannot write to `{self._path.parent}`: {exc.strerror}",
            field="home",
            remedy="free disk space there; nothing more is sent until the cursor can be written",
        )


_MAX_REFUSALS: Final = 3
"""Not taken so often in a row, it is the receiver and not one alert."""


class Receiver(Protocol):
    """Somewhere alerts are sent."""

    batch: int
    """How many at once."""

    @property
    def confirms(self) -> bool:
        """Whether it says yes; if not, what was sent counts as taken."""
        ...

    @property
    def name(self) -> str:
        """For people, without secrets."""
        ...

    def send(self, alerts: Sequence[AnyAlert]) -> None:
        """Send them; `NotTold` unless all were taken."""
        ...


class AlertLog(Protocol):
    """Alerts of one tenant."""

    def read_since(self, index: int) -> Sequence[AnyAlert]:
        """Alerts at this place and after it in order, a page of them; empty where there are none."""
        ...

    def read_at(self, index: int) -> AnyAlert | None:
        """The alert at a place."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """What a run came to: alerts taken, alerts owed because they were refused, and why not all were taken."""

    taken: int
    owed: int
    problem: DeliveryError | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long between: twice as long each time, up to a bound."""

    tries: int
    first_s: float
    most_s: float

    def pause_s(self, failures: int, after_s: int, spread: float) -> float:
        """Before the next try; `spread` 0..1 keeps senders from coming in step."""
        pause = min(self.first_s * 2.0 ** min(failures - 1, 32), self.most_s)
        return max(pause * (0.5 + spread / 2), min(after_s, self.most_s))


class Delivery:
    """Tells one receiver.

    Args:
        receiver: whom.
        cursor: held by the caller.
        retry: how often.
        sleep: waits so many seconds.
        spread: a number 0..1, another one each time.
    """

    def __init__(
        self,
        receiver: Receiver,
        cursor: DeliveryCursor,
        retry: RetryPolicy,
        sleep: Callable[[float], None],
        spread: Callable[[], float],
    ) -> None:
        self.receiver = receiver
        self._cursor = cursor
        self._retry = retry
        self._sleep = sleep
        self._spread = spread

    def start(self, log: AlertLog) -> bool:
        """Find the place to go on; False where the log is not the one that was told from, and all is told again."""
        state = self._cursor.state
        if not state.upto:
            return True
        last_alert = log.read_at(state.upto - 1)
        if last_alert is not None and last_alert.id == state.last:
            return True
        # INVARIANT: a log put in place of another, or rolled back, hides none of its alerts.
        self._cursor.save(DeliveryState())
        return False

    def skip_existing(self, log: AlertLog) -> None:
        """Take what is there for told."""
        while page := log.read_since(self._cursor.state.upto):
            self._cursor.save(DeliveryState(page[-1].index + 1, page[-1].id, self._cursor.state.owed))

    def pause_s(self, failures: int, after_s: int) -> float:
        """How long to wait after so many failures in a row."""
        return self._retry.pause_s(failures, after_s, self._spread()) if failures else 0.0

    def run(self, log: AlertLog, *, retry_owed: bool = True) -> DeliveryResult:
        """Tell what is not told yet, and then, unless told not to, what is owed from earlier runs.

        What was taken is noted as it goes.
        """
        owed = self._cursor.state.owed if retry_owed else ()
        tally = _Tally()
        try:
            while page := log.read_since(self._cursor.state.upto):
                for alerts in _split_batches(page, self.receiver.batch):
                    problem = self._send(alerts)
                    self._record(alerts[-1], owes=problem is not None)
                    tally.count(len(alerts), problem)
            for index in owed:
                alert = log.read_at(index)
                problem = self._send([alert]) if alert is not None else None
                if problem is None:
                    still_owed = tuple(item for item in self._cursor.state.owed if item != index)
                    self._cursor.save(replace(self._cursor.state, owed=still_owed))
                tally.count(1, problem)
        except DeliveryError as exc:
            tally.problem = exc
        return DeliveryResult(tally.taken, len(self._cursor.state.owed), tally.problem)

    def _send(self, alerts: Sequence[AnyAlert]) -> DeliveryError | None:
        """Send a batch; what is wrong, where it may be about one alert and there is room to owe it."""
        failures = 0
        while True:
            try:
                self.receiver.send(alerts)
            except DeliveryError as exc:
                failures += 1
                if exc.retryable and failures < self._retry.tries:
                    self._sleep(self.pause_s(failures, exc.retry_after_s))
                elif exc.alert_specific and len(alerts) == 1 and len(self._cursor.state.owed) < MAX_OWED:
                    return exc
                else:
                    raise
            else:
                hit_failpoint(ALERT_ACCEPTED)
                return None

    def _record(self, last: AnyAlert, *, owes: bool) -> None:
        state = self._cursor.state
        owed = (*state.owed, last.index) if owes else state.owed
        # INVARIANT: only after the receiver said yes, or what it refused is written down as owed.
        self._cursor.save(DeliveryState(last.index + 1, last.id, owed))


@dataclass(slots=True)
class _Tally:
    """What a run has come to."""

    taken: int = 0
    row: int = 0
    problem: DeliveryError | None = None

    def count(self, alerts: int, problem: DeliveryError | None) -> None:
        """Count a batch.

        Raises:
            NotTold: so many in a row were refused that it is not about them.
        """
        if problem is None:
            self.taken, self.row = self.taken + alerts, 0
            return
        self.problem, self.row = problem, self.row + 1
        if self.row >= _MAX_REFUSALS:
            raise problem


def _split_batches(alerts: Sequence[AnyAlert], size: int) -> list[Sequence[AnyAlert]]:
    return [alerts[start : start + size] for start in range(0, len(alerts), size)]
