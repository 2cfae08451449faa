"""The bounded queue between decisions and their observers."""

from __future__ import annotations

import os
import threading
import time
from collections import deque
from typing import Final

from halo_core.log_output import get_logger
from halo_core.telemetry.events import ActionObserver, DecisionEvent, OutcomeEvent

_LOG: Final = get_logger("telemetry")
_MAX_WAITING: Final = 10_000
_POLL_S: Final = 0.02

Event = DecisionEvent | OutcomeEvent


class ObserverQueue:
    """Passes events to observers in a daemon thread, which starts with the first event.

    Thread-safe. After a fork the child starts a thread of its own, and what waited is the parent's.

    Attributes:
        dropped: events that did not fit, or on which an observer raised.
        is_watched: whether there is an observer.
    """

    def __init__(self) -> None:
        self.dropped = 0
        self.is_watched = False
        self._observers: tuple[ActionObserver, ...] = ()
        self._waiting: deque[tuple[ActionObserver, Event, object]] = deque()
        self._lock = threading.Lock()
        self._ready = threading.Event()
        self._pid = 0
        self._is_busy = False
        self._is_slow = False
        self._warned: set[int] = set()

    def add(self, observer: ActionObserver) -> None:
        """Add an observer for events from now on."""
        self._observers += (observer,)
        self.is_watched = True

    def put(self, event: Event) -> None:
        """Queue an event for each observer; never blocks and never raises."""
        if self._pid != os.getpid():
            self._start()
        for observer in self._observers:
            try:
                captured = observer.capture()
            except KeyboardInterrupt:
                raise
            except BaseException as exc:  # noqa: BLE001  an observer costs no decision
                self._report(observer, exc)
                continue
            if len(self._waiting) >= _MAX_WAITING:
                self.dropped += 1
            else:
                self._waiting.append((observer, event, captured))
                self._warn_if_slow()
        self._ready.set()

    def flush(self, timeout_s: float = 1.0) -> bool:
        """Wait until everything was passed on; returns whether that took at most `timeout_s` seconds."""
        end_s = time.monotonic() + timeout_s
        while (self._waiting or self._is_busy) and self._pid == os.getpid():
            if time.monotonic() >= end_s:
                return False
            time.sleep(_POLL_S)
        return True

    def _start(self) -> None:
        """Start the thread of this process; events queued before a fork belong to the parent."""
        with self._lock:
            if self._pid == os.getpid():
                return
            self._waiting, self._ready, self._is_busy = deque(), threading.Event(), False
            threading.Thread(target=self._hand_on, name="halo-observers", daemon=True).start()
            self._pid = os.getpid()

    def _hand_on(self) -> None:
        while True:
            self._ready.wait()
            self._ready.clear()
            self._is_busy = True
            while self._waiting:
                observer, event, captured = self._waiting.popleft()
                try:
                    if isinstance(event, DecisionEvent):
                        observer.observe_decision(event, captured)
                    else:
                        observer.observe_outcome(event, captured)
                except BaseException as exc:  # noqa: BLE001  as above, and the thread goes on
                    self._report(observer, exc)
            self._is_busy = False

    def _warn_if_slow(self) -> None:
        """Log once that events wait, before any is lost."""
        if not self._is_slow and len(self._waiting) > _MAX_WAITING // 2:
            self._is_slow = True
            _LOG.warning(
                "%d events wait for observers, which do not keep up; beyond %d they are dropped",
                len(self._waiting),
                _MAX_WAITING,
                extra={"halo_event": "observers_slow"},
            )

    def _report(self, observer: ActionObserver, error: BaseException) -> None:
        """Count a failure, and log the first of each observer."""
        self.dropped += 1
        if id(observer) not in self._warned:
            self._warned.add(id(observer))
            name = type(observer).__name__
            _LOG.warning("the observer %s failed: %s", name, error, extra={"halo_event": "observer_failed"})
