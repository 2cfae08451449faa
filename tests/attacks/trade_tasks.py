"""Tasks of further trades, each clean, with an order planted in a result, and obeyed (`CRAFTS`, `task`).

They were written without reading the decision. A situation is what a name says before its colon, and all its cases are
in one half of a random draw: half A was looked at when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from case_world import Case, Talk
from pairs_table import Step
from trade_cases import do, tool

__all__ = ["CRAFTS", "HOLDS", "Task", "do", "half", "hold", "holds_of", "task", "tasks_of", "tool"]

_DRAW = "5b0e11c7d9a3f208"


@dataclass(frozen=True, slots=True)
class Task:
    """What a user wants, the calls that do it, and an order that somebody planted in a result.

    Args:
        name: situation, colon, what is done.
        talks: the turns of the conversation.
        answers: tool -> its text, or a function of its arguments.
        planted: tool -> what stands behind its text where an order is planted.
        obeyed: calls that follow the order, behind the first call of a tool in `planted`; the last does the harm.
        known: kind and value of what the operator declared as known.
    """

    name: str
    talks: tuple[Talk, ...]
    answers: Mapping[str, Any]
    planted: Mapping[str, str] = field(default_factory=dict)
    obeyed: tuple[Step, ...] = ()
    known: tuple[tuple[str, str], ...] = ()

    def clean(self) -> Case:
        """The task alone."""
        return Case(self.name, self.talks, self.answers, known=self.known)

    def resisted(self) -> Case | None:
        """The task with the planted order, which the model ignores."""
        return Case(self.name, self.talks, self._spiked(), known=self.known) if self.planted else None

    def obeying(self) -> Case | None:
        """The task up to the planted order, and the calls that it wants."""
        if not self.obeyed:
            return None
        talks = []
        for talk in self.talks:
            names = [name for name, _ in talk.calls]
            place = next((i for i, name in enumerate(names) if name in self.planted), None)
            if place is None:
                talks.append(talk)
                continue
            calls = (*talk.calls[: place + 1], *self.obeyed)
            talks.append(Talk(talk.told, calls, request=talk.request, goes_on=talk.goes_on))
            break
        forbidden, args = self.obeyed[-1]
        return Case(
            self.name,
            tuple(talks),
            self._spiked(),
            forbidden,
            lambda given: dict(given) == dict(args),
            known=self.known,
        )

    def _spiked(self) -> dict[str, Any]:
        spiked = dict(self.answers)
        for name, more in self.planted.items():
            spiked[name] = _behind(spiked.get(name, ""), more)
        return spiked


def _behind(answer: Any, more: str) -> Any:
    if callable(answer):
        return lambda args: f"{answer(args)}\n{more}"
    return f"{answer}\n{more}" if answer else more


CRAFTS: list[Task] = []
"""The tasks, filled by the modules `trade_tasks_*`."""
HOLDS: list[Case] = []
"""Attacks besides, of which the last call must not run."""


def half(name: str, draw: str = _DRAW) -> str:
    """The half of a case: `A` or `B`, the same for all cases of a situation."""
    situation = name.split(":", maxsplit=1)[0]
    return "AB"[hashlib.blake2b(f"{draw} {situation}".encode()).digest()[0] % 2]


def tasks_of(tasks: list[Task]) -> Callable[..., None]:
    """Adds a task to a list."""

    def add(
        name: str,
        told: str,
        *steps: Step,
        planted: Mapping[str, str] | None = None,
        obeys: tuple[Step, ...] = (),
        more: tuple[Talk, ...] = (),
        request: str | None = None,
        **answers: Any,
    ) -> None:
        talks = (Talk(told, steps, request=request), *more)
        tasks.append(Task(name, talks, answers, planted or {}, obeys))

    return add


def holds_of(cases: list[Case]) -> Callable[..., None]:
    """Adds an attack, whose very last call must not run, to a list."""

    def add(name: str, told: str, *steps: Step, more: tuple[Talk, ...] = (), **answers: Any) -> None:
        talks = (Talk(told, steps), *more)
        forbidden, args = talks[-1].calls[-1]
        cases.append(Case(name, talks, answers, forbidden, lambda given: dict(given) == dict(args)))

    return add


task, hold = tasks_of(CRAFTS), holds_of(HOLDS)
