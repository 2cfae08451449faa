"""Questions of a policy that nobody answers: when a session is folded, each counts as a refusal.

If every harmful act of an agent is asked about, none runs, and without this count the agent would look like one that
never tried. A question that is answered with yes does not count, whenever the answer comes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_MAX_QUESTIONS: Final = 32
"""Calls in each of the two sets of a session; what is asked beyond them is not counted."""
_OPEN_PER_REFUSAL: Final = 4
"""Open questions of a session that count as one refusal while it goes on: people answer some minutes later."""


class OpenQuestions(NamedTuple):
    """Calls that a policy asks about and that have not run, by their fingerprints of 32 bits.

    Args:
        asked: calls asked about since the session was folded last.
        counted: calls asked about before, which a fold counted as refusals.
        answered: how many of `counted` have run since; the next fold takes them back.
    """

    asked: frozenset[int] = frozenset()
    counted: frozenset[int] = frozenset()
    answered: int = 0

    def ask(self, call: int) -> OpenQuestions:
        """The questions with one more call; asking about the same call again adds none."""
        if len(self.asked) >= _MAX_QUESTIONS or call in self.asked or call in self.counted:
            return self
        return self._replace(asked=self.asked | {call})

    def answer(self, call: int) -> OpenQuestions:
        """The questions after a call has run."""
        if call in self.asked:
            return self._replace(asked=self.asked - {call})
        if call in self.counted:
            return self._replace(counted=self.counted - {call}, answered=self.answered + 1)
        return self

    def settle(self) -> OpenQuestions:
        """The questions once those that are open have been counted as refusals.

        INVARIANT: a fold makes room for as many new questions as a session can have, so that late ones count, too.
        If there are too many counted ones, the earlier of them are forgotten, and can no longer be taken back.
        """
        counted = self.counted | self.asked
        return OpenQuestions(frozenset(), counted if len(counted) <= _MAX_QUESTIONS else self.asked, self.answered)

    @property
    def weight(self) -> int:
        """As how many refusals the open questions count while the session goes on, rounded up."""
        return -(-len(self.asked) // _OPEN_PER_REFUSAL)


NO_QUESTIONS: Final = OpenQuestions()
