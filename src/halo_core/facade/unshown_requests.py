"""Requests of earlier turns of a session in which no call was made.

    with halo.session("chat-7", request="Pay Olga 80 for the paint"):   # the agent only answers
        ...
    with halo.session("chat-7", request="Make it 90, and go ahead"):
        ...                                                             # here the first request counts too

A session learns what the user said from its calls, each of which carries the request of its turn. The request of a
turn without any call would be lost. It is kept here, in the memory of this process, and shown by the calls of the
next turn that has some.
"""

from __future__ import annotations

from typing import Final

from halo_core.enforcement.session_context import Session

_MAX_SESSIONS: Final = 1_024
_MAX_REQUESTS: Final = 8  # of a session
_MAX_CHARS: Final = 8_192  # of the requests of a session


class UnshownRequests:
    """The requests of named sessions that no call has shown.

    Several threads may use it at once, without a lock: a race costs a request, whose values are then asked about.
    """

    def __init__(self) -> None:
        self._requests: dict[tuple[str, str], tuple[str, ...]] = {}
        self._shown: set[tuple[str, str]] = set()

    def list_earlier(self, session: str, user: str) -> tuple[str, ...]:
        """List the requests of a session that no call has shown, oldest first, as its next turn begins.

        Args:
            session: id of the session, as the host named it.
            user: whom it is for. Another user's requests are not his.
        """
        return self._requests.get((session, user), ())

    def show(self, session: Session) -> tuple[str, ...]:
        """Return the earlier requests that a call of this turn shows; none if the turn has no request of its own.

        INVARIANT: VOUCH - earlier requests count as the user's only beside a request, which the host vouches for as
        it did for them.
        """
        if session.source != "host" or not session.request:
            return ()
        self._shown.add((session.id, session.user))
        return session.earlier_requests

    def end_turn(self, session: Session) -> None:
        """Keep the request of a turn in which no call was made; forget those that were shown."""
        key = (session.id, session.user)
        if session.source != "host" or not session.request:
            return
        if key in self._shown:
            self._shown.discard(key)
            self._requests.pop(key, None)
            return
        if len(self._requests) >= _MAX_SESSIONS and key not in self._requests:
            self._requests.pop(next(iter(self._requests)), None)
        kept = (*self._requests.get(key, ()), session.request)[-_MAX_REQUESTS:]
        while kept and sum(map(len, kept)) > _MAX_CHARS:
            kept = kept[1:]
        self._requests[key] = kept
