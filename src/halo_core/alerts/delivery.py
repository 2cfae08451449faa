"""Delivery of alerts to one receiver, at least once each, and the cursor that records how far it got."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Final, Protocol, Self

from halo_core.alerts.connections import DeliveryError
from halo_core.alerts.log import LedgerAlertLog
from halo_core.alerts.messages import AnyAlert
from halo_core.errors import ConfigError
from halo_core.failpoints import ALERT_ACCEPTED, hit_failpoint
from halo_core.files import hold_file_lock, replace_file
from halo_core.quick_dataclass import dataclass

_VERSION: Final = 1
_MAX_FILE: Final = 1 << 20
MAX_OWED: Final = 1000
_MAX_REFUSALS: Final = 3
"""Number of refusals in a row after which the receiver counts as the cause, not a single alert."""


@dataclass(frozen=True, slots=True)
class DeliveryState:
    """The progress of delivery to a receiver.

    Args:
        upto: index in the log before which every alert was accepted or is owed.
        last: id of the alert just before `upto`, empty if there is none; it identifies the log.
        owed: indices of alerts that the receiver refused.
    """

    upto: int = 0
    last: str = ""
    owed: tuple[int, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """The state as JSON."""
        return {**asdict(self), "v": _VERSION}

    @classmethod
    def from_plain(cls, tree: Any) -> Self:
        """Inverse of `to_plain`; raises ValueError, LookupError or TypeError for anything else."""
        if tree["v"] != _VERSION:
            raise ValueError("unknown version")
        numbers = [tree["upto"], *tree["owed"]]
        if not all(type(number) is int and number >= 0 for number in numbers) or not isinstance(tree["last"], str):
            raise ValueError("not what was written")
        return cls(tree["upto"], tree["last"], tuple(tree["owed"]))


class DeliveryCursor:
    """The file with the delivery state of one receiver.

    It is kept beside the ledger, whose entries are never rewritten; if it is lost, every alert is sent again.

    Args:
        folder: folder of all cursors.
        place: strings that identify receiver and log; the file is named by their hash.
    """

    def __init__(self, folder: Path, place: tuple[str, ...]) -> None:
        name = hashlib.sha256("\0".join(place).encode("utf-8", "surrogatepass")).hexdigest()[:32]
        self._path = folder / f"{name}.json"
        self.state = DeliveryState()

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Load the state, and keep other processes from sending to this receiver until the end of the block.

        Raises:
            ConfigError: `told_already`, another process is sending; `bad_cursor`; `cursor_unwritable`.
        """
        with ExitStack() as stack:
            try:
                self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                stack.enter_context(hold_file_lock(self._path.with_suffix(".lock"), wait=False))
            except BlockingIOError as exc:
                problem = "another `halo alerts send` is sending to this receiver"
                raise ConfigError("told_already", problem, remedy="use that process, or stop it first") from exc
            except OSError as exc:
                raise self._unwritable_error(exc) from exc
            self.state = self._load_state()
            yield

    def _load_state(self) -> DeliveryState:
        try:
            with self._path.open("rb") as file:
                return DeliveryState.from_plain(json.loads(file.read(_MAX_FILE)))
        except FileNotFoundError:
            return DeliveryState()
        except (OSError, ValueError, LookupError, TypeError, RecursionError) as exc:
            # Starting over would send all alerts again, so a person has to decide it.
            problem, remedy = f"`{self._path}` is damaged", "remove it; all alerts are then sent again"
            raise ConfigError("bad_cursor", problem, field="home", remedy=remedy) from exc

    def save(self, state: DeliveryState) -> None:
        """Write the state durably.

        Raises:
            ConfigError: `cursor_unwritable`.
        """
        data = json.dumps(state.to_plain(), sort_keys=True).encode("ascii") + b"\n"
        try:
            replace_file(self._path, data)
        except OSError as exc:
            raise self._unwritable_error(exc) from exc
        self.state = state

    def _unwritable_error(self, exc: OSError) -> ConfigError:
        problem = f"cannot write to `{self._path.parent}`: {exc.strerror}"
        remedy = "free disk space there; nothing more is sent until the cursor can be written"
        return ConfigError("cursor_unwritable", problem, field="home", remedy=remedy)


class Receiver(Protocol):
    """A destination of alerts."""

    batch: int
    """Alerts that are sent at once."""

    @property
    def confirms(self) -> bool:
        """Whether it confirms what it accepts; if not, sent alerts count as accepted."""
        ...

    @property
    def name(self) -> str:
        """Its address without secrets, for messages."""
        ...

    def send(self, alerts: Sequence[AnyAlert]) -> None:
        """Send alerts; raises `DeliveryError` unless all were accepted."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryResult:
    """Result of a run: number of alerts accepted, number owed because they were refused, and the last problem."""

    taken: int
    owed: int
    problem: DeliveryError | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff: at most `tries` attempts, pauses from `first_s` doubling up to `most_s` seconds."""

    tries: int
    first_s: float
    most_s: float

    def pause_s(self, failures: int, after_s: int, spread: float) -> float:
        """Seconds before the next attempt; `spread` from 0 to 1 is the jitter."""
        pause = min(self.first_s * 2.0 ** min(failures - 1, 32), self.most_s)
        return max(pause * (0.5 + spread / 2), min(after_s, self.most_s))


class Delivery:
    """Sends the alerts of a log to one receiver, at least once each.

    The cursor moves only after the receiver has confirmed. An alert that was refused is owed and does not hold up those
    behind it, so that nobody can silence a receiver with a name that crashes it.

    Args:
        receiver: the destination.
        cursor: the state of delivery, locked by the caller.
        retry: when to try again.
        sleep: waits a number of seconds.
        spread: returns a random number from 0 to 1.
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

    def start(self, log: LedgerAlertLog) -> bool:
        """Check the cursor against the log; False if it belongs to another log, so that all alerts are sent."""
        state = self._cursor.state
        if not state.upto:
            return True
        last_alert = log.read_at(state.upto - 1)
        if last_alert is not None and last_alert.id == state.last:
            return True
        # INVARIANT: a log put in place of another, or rolled back, hides none of its alerts.
        self._cursor.save(DeliveryState())
        return False

    def skip_existing(self, log: LedgerAlertLog) -> None:
        """Move the cursor past all alerts of the log without sending them."""
        while page := log.read_since(self._cursor.state.upto):
            self._cursor.save(DeliveryState(page[-1].index + 1, page[-1].id, self._cursor.state.owed))

    def pause_s(self, failures: int, after_s: int) -> float:
        """Seconds to wait after this many failures in a row."""
        return self._retry.pause_s(failures, after_s, self._spread()) if failures else 0.0

    def run(self, log: LedgerAlertLog, *, retry_owed: bool = True) -> DeliveryResult:
        """Send what was not sent yet and then, with `retry_owed`, what earlier runs still owe.

        The cursor is saved after each batch.
        """
        owed = self._cursor.state.owed if retry_owed else ()
        accepted = refusals = 0
        last_problem: DeliveryError | None = None

        def count(alerts: int, problem: DeliveryError | None) -> None:
            nonlocal accepted, refusals, last_problem
            if problem is None:
                accepted, refusals = accepted + alerts, 0
                return
            last_problem, refusals = problem, refusals + 1
            if refusals >= _MAX_REFUSALS:
                raise problem

        try:
            while page := log.read_since(self._cursor.state.upto):
                for start in range(0, len(page), self.receiver.batch):
                    alerts = page[start : start + self.receiver.batch]
                    problem = self._send(alerts)
                    self._record(alerts[-1], owes=problem is not None)
                    count(len(alerts), problem)
            for index in owed:
                alert = log.read_at(index)
                problem = self._send([alert]) if alert is not None else None
                if problem is None:
                    still_owed = tuple(item for item in self._cursor.state.owed if item != index)
                    self._cursor.save(replace(self._cursor.state, owed=still_owed))
                count(1, problem)
        except DeliveryError as exc:
            last_problem = exc
        return DeliveryResult(accepted, len(self._cursor.state.owed), last_problem)

    def _send(self, alerts: Sequence[AnyAlert]) -> DeliveryError | None:
        """Send a batch with retries; returns the error if it concerns one alert that can be owed."""
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
        # INVARIANT: the cursor moves past an alert only once the receiver accepted it or it is recorded here as owed.
        self._cursor.save(DeliveryState(last.index + 1, last.id, owed))
