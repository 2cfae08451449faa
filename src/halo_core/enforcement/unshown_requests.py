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

from collections import OrderedDict
from typing import Final

from halo_core.enforcement.call import Call
from halo_core.enforcement.session_context import Session

_MAX_SESSIONS: Final = 1_024
_MAX_REQUESTS: Final = 8  # of a session
_MAX_CHARS: Final = 8_192  # of the requests of a session


class UnshownRequests:
    """The requests of named sessions that no recorded decision carries.

    Several threads may use it at once, without a lock: a race costs a request, whose values are then asked about.
    """

    def __init__(self) -> None:
        self._requests: OrderedDict[tuple[str, str], tuple[str, ...]] = OrderedDict()
        self._recorded: set[tuple[str, str, str]] = set()

    def list_earlier(self, session: str, user: str) -> tuple[str, ...]:
        """List the requests of a session that no recorded decision carries, oldest first, as its next turn begins.

        Args:
            session: id of the session, as the host named it.
            user: whom it is for. Another user's requests are not his.
        """
        return self._requests.get((session, user), ())

    def note_recorded(self, call: Call) -> None:
        """Forget the requests that a call carries, since the decision about it is durable.

        INVARIANT: VOUCH - until then they are kept: one of them may take back what an earlier one ordered.
        """
        if call.session_source != "host" or not call.request:
            return
        if len(self._recorded) >= _MAX_SESSIONS:  # of calls after their block: the next turns show them once more
            self._recorded.clear()
        self._recorded.add((call.session, call.user, call.request))
        if call.earlier_requests:
            self._keep(call.session, call.user, call.earlier_requests, ())

    def end_turn(self, session: Session) -> None:
        """Keep the request of a turn in which no decision was recorded."""
        if session.source != "host" or not session.request:
            return
        if (session.id, session.user, session.request) in self._recorded:
            self._recorded.discard((session.id, session.user, session.request))
        else:
            self._keep(session.id, session.user, (), (session.request,))

    def _keep(self, session: str, user: str, recorded: tuple[str, ...], new: tuple[str, ...]) -> None:
        """Remove what is recorded from the requests of a session, and add what is new, within the limits."""
        key = (session, user)
        kept = (*(text for text in self._requests.get(key, ()) if text not in recorded), *new)[-_MAX_REQUESTS:]
        while kept and sum(map(len, kept)) > _MAX_CHARS:
            kept = kept[1:]
        if not kept:
            self._requests.pop(key, None)
            return
        if len(self._requests) >= _MAX_SESSIONS and key not in self._requests:
            self._requests.popitem(last=False)
        self._requests[key] = kept
