"""Questions that a policy asks and that nobody answers: once a session is folded, each counts as a refusal.

An agent of which every harmful act is asked about does no harm, and would otherwise look like one that never tried. A
question that is answered with a yes counts for nothing, whenever the answer comes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

_MAX_QUESTIONS: Final = 32
_TOGETHER: Final = 4
"""Open questions of a session that count as one while it goes on: people answer some minutes later."""


class OpenQuestions(NamedTuple):
    """Calls that a policy asks about and that have not run, by their fingerprints of 32 bits.

    Args:
        asked: since the session was folded last.
        counted: those before, which a fold counted as refusals.
        answered: how many of these have run since, and are taken back by the next fold.
    """

    asked: frozenset[int] = frozenset()
    counted: frozenset[int] = frozenset()
    answered: int = 0

    def ask(self, call: int) -> OpenQuestions:
        """The questions with one more; asking about the same call again adds none."""
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

        INVARIANT: what a long conversation asked long ago makes no room scarce, so that later questions count.
        """
        counted = self.counted | self.asked
        return OpenQuestions(frozenset(), counted if len(counted) <= _MAX_QUESTIONS else self.asked, self.answered)

    @property
    def weight(self) -> int:
        """Refusals that the open ones come to while the session goes on."""
        return -(-len(self.asked) // _TOGETHER)


NO_QUESTIONS: Final = OpenQuestions()
