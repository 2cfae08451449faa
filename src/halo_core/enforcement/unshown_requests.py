"""Requests of earlier turns of a session in which no call was made.

    with halo.session("chat-7", request="Pay Olga 80 for the paint"):   # the agent only answers
        ...
    with halo.session("chat-7", request="Make it 90, and go ahead"):
        ...                                                             # here the first request counts too

A session learns what the user said from its calls, each of which carries the request of its turn. The request of a
turn without any call would be lost. It is kept here, in the memory of this process, and carried by the calls of later
turns until a decision about one of them is recorded.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from halo_core.enforcement.call import Call
from halo_core.enforcement.session_context import Session
from halo_core.values.requests.user_texts import MAX_USER_CHARS

_MAX_SESSIONS: Final = 1_024
_MAX_REQUESTS: Final = 64  # of a session
_MAX_CHARS: Final = 65_536  # of the requests of a session


class UnshownRequests:
    """The requests of named sessions that no recorded decision contains yet. Thread-safe.

    Of a request, the part is kept that is read as orders (`MAX_USER_CHARS`). Past the limits, the oldest requests of a
    session are lost, and those of the session that was used least recently.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()
        self._recorded: set[tuple[str, str, str]] = set()
        self._lock = threading.Lock()

    def begin_turn(self, session: str, user: str, request: str) -> tuple[str, ...]:
        """Begin a turn of a session; returns its earlier requests that no recorded decision contains, oldest first.

        Args:
            session: id of the session, as the host named it.
            user: whom it is for. Another user's requests are not his.
            request: of this turn. Without one there are no earlier ones: they count as the user's only beside one.
        """
        if not session or not request:
            return ()
        with self._lock:
            # A call after its block noted the same words of an earlier turn.
            self._recorded.discard((session, user, request))
            return self._requests.get((session, user), ())

    def note_recorded(self, call: Call) -> None:
        """Forget the requests that a call carries, since the decision about it is durable.

        INVARIANT: VOUCH - until then they are kept: one of them may take back what an earlier one ordered.
        """
        if call.session_source != "host" or not call.request:
            return
        key = (call.session, call.user)
        with self._lock:
            if len(self._recorded) >= _MAX_SESSIONS:  # of calls made after their block
                self._recorded.clear()
            self._recorded.add((*key, call.request))
            kept, carried = self._requests.get(key, ()), call.earlier_requests
            if carried and kept[: len(carried)] == carried:
                self._put(key, kept[len(carried) :])

    def end_turn(self, session: Session) -> None:
        """Keep the request of a turn in which no decision was recorded."""
        if session.source != "host" or not session.request:
            return
        key = (session.id, session.user)
        with self._lock:
            if (*key, session.request) in self._recorded:
                self._recorded.discard((*key, session.request))
            else:
                self._put(key, (*self._requests.get(key, ()), session.request[:MAX_USER_CHARS]))

    def _put(self, key: tuple[str, str], requests: tuple[str, ...]) -> None:
        """Keep the requests of a session, within the limits."""
        requests = requests[-_MAX_REQUESTS:]
        while sum(map(len, requests)) > _MAX_CHARS:
            requests = requests[1:]
        if not requests:
            self._requests.pop(key, None)
            return
        self._requests[key] = requests
        self._requests.move_to_end(key)
        if len(self._requests) > _MAX_SESSIONS:
            self._requests.popitem(last=False)
