"""Room: alerts to one receiver, at least once. Takes: a receiver, its cursor, a log. Gives: how many. Never: loses one.

The cursor moves only after the receiver said yes. An alert that a receiver was reached with and did not take is owed
and does not hold up those behind it, so that nobody silences a receiver with a name that it falls over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from halo_core.failpoints import ALERT_TOLD, reach
from halo_core.telling.cursor import MOST_OWED, Cursor, Sent
from halo_core.telling.person import AnyAlert
from halo_core.telling.wire import NotTold

__all__ = ["Delivery", "Log", "Receiver", "Retry", "Told"]

_REFUSALS: Final = 3
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


class Log(Protocol):
    """Alerts of one tenant."""

    def since(self, index: int) -> Sequence[AnyAlert]:
        """Alerts at this place and after it in order, a page of them; empty where there are none."""
        ...

    def at(self, index: int) -> AnyAlert | None:
        """The alert at a place."""
        ...


@dataclass(frozen=True, slots=True)
class Told:
    """What a run came to: alerts taken, alerts owed because they were refused, and why not all were taken."""

    taken: int
    owed: int
    problem: NotTold | None


@dataclass(frozen=True, slots=True)
class Retry:
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
        cursor: Cursor,
        retry: Retry,
        sleep: Callable[[float], None],
        spread: Callable[[], float],
    ) -> None:
        self.receiver = receiver
        self._cursor = cursor
        self._retry = retry
        self._sleep = sleep
        self._spread = spread

    def start(self, log: Log) -> bool:
        """Find the place to go on; False where the log is not the one that was told from, and all is told again."""
        sent = self._cursor.sent
        if not sent.upto:
            return True
        known = log.at(sent.upto - 1)
        if known is not None and known.id == sent.last:
            return True
        # INVARIANT: a log put in place of another, or rolled back, hides none of its alerts.
        self._cursor.move(Sent())
        return False

    def skip(self, log: Log) -> None:
        """Take what is there for told."""
        while page := log.since(self._cursor.sent.upto):
            self._cursor.move(Sent(page[-1].index + 1, page[-1].id, self._cursor.sent.owed))

    def pause_s(self, failures: int, after_s: int) -> float:
        """How long to wait after so many failures in a row."""
        return self._retry.pause_s(failures, after_s, self._spread()) if failures else 0.0

    def run(self, log: Log, *, settle: bool = True) -> Told:
        """Tell what is not told yet, and then, unless told not to, what is owed from earlier runs.

        What was taken is noted as it goes.
        """
        owed = self._cursor.sent.owed if settle else ()
        tally = _Tally()
        try:
            while page := log.since(self._cursor.sent.upto):
                for alerts in _batches(page, self.receiver.batch):
                    problem = self._tell(alerts)
                    self._note(alerts[-1], owes=problem is not None)
                    tally.count(len(alerts), problem)
            for index in owed:
                alert = log.at(index)
                problem = self._tell([alert]) if alert is not None else None
                if problem is None:
                    left = tuple(item for item in self._cursor.sent.owed if item != index)
                    self._cursor.move(replace(self._cursor.sent, owed=left))
                tally.count(1, problem)
        except NotTold as exc:
            tally.problem = exc
        return Told(tally.taken, len(self._cursor.sent.owed), tally.problem)

    def _tell(self, alerts: Sequence[AnyAlert]) -> NotTold | None:
        """Send a batch; what is wrong, where it may be about one alert and there is room to owe it."""
        failures = 0
        while True:
            try:
                self.receiver.send(alerts)
            except NotTold as exc:
                failures += 1
                if exc.again and failures < self._retry.tries:
                    self._sleep(self.pause_s(failures, exc.after_s))
                elif exc.alone and len(alerts) == 1 and len(self._cursor.sent.owed) < MOST_OWED:
                    return exc
                else:
                    raise
            else:
                reach(ALERT_TOLD)
                return None

    def _note(self, last: AnyAlert, *, owes: bool) -> None:
        sent = self._cursor.sent
        owed = (*sent.owed, last.index) if owes else sent.owed
        # INVARIANT: only after the receiver said yes, or what it refused is written down as owed.
        self._cursor.move(Sent(last.index + 1, last.id, owed))


@dataclass(slots=True)
class _Tally:
    """What a run has come to."""

    taken: int = 0
    row: int = 0
    problem: NotTold | None = None

    def count(self, alerts: int, problem: NotTold | None) -> None:
        """Count a batch.

        Raises:
            NotTold: so many in a row were refused that it is not about them.
        """
        if problem is None:
            self.taken, self.row = self.taken + alerts, 0
            return
        self.problem, self.row = problem, self.row + 1
        if self.row >= _REFUSALS:
            raise problem


def _batches(alerts: Sequence[AnyAlert], size: int) -> list[Sequence[AnyAlert]]:
    return [alerts[start : start + size] for start in range(0, len(alerts), size)]
