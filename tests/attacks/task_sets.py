"""Sets of tasks of people at work: what is run of each, and how much of it by default.

A task runs as it is, with an order that somebody planted in a result, and up to that order, which the model obeys.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from case_world import FRAMEWORKS, Case
from trade_tasks import Task

from counts import is_thorough

_SHARE = 67  # by default one case in so many


def parameters_of(cases: list[tuple[str, Case]], known: Mapping[str, str]) -> list[Any]:
    """Each case in each framework; by default one in `_SHARE`, each in another framework than the one before."""
    names = list(FRAMEWORKS)
    made = []
    for i, (name, case) in enumerate(cases if is_thorough() else cases[::_SHARE]):
        for framework in names if is_thorough() else [names[i % len(names)]]:
            why = known.get(name) or known.get(f"{name} [{framework}]")
            marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
            made.append(pytest.param(case, framework, id=f"{framework}-{name}", marks=marks))
    return made


@dataclass(frozen=True)
class TaskSet:
    """Tasks that were written at one time, and attacks on the same places.

    Args:
        tasks: the tasks.
        attacks: cases of which something must be held.
        honest: further tasks, written beside attacks on what was loosened.
        borrowing: attacks on what was loosened.
        asked: name of a case that is asked about and should not be -> why.
        open: name of an attack that is not held -> why.
        half: which half of a random draw a name is in; None where a set has no halves.
        mark: what the names of its attacks begin with.
    """

    tasks: Iterable[Task]
    attacks: Iterable[Case] = ()
    honest: Iterable[Task] = ()
    borrowing: Iterable[Case] = ()
    asked: Mapping[str, str] | None = None
    open: Mapping[str, str] | None = None
    half: Callable[[str], str] | None = None
    mark: str = ""

    def attack_parameters(self) -> list[Any]:
        obeying = [(f"{task.name}, obeyed", case) for task in self._list_all() if (case := task.obeying())]
        planned = ((case.name, case) for case in (*self.attacks, *self.borrowing))
        return parameters_of([*obeying, *planned], self.open or {})

    def task_parameters(self) -> list[Any]:
        clean = [(task.name, task.clean()) for task in self._list_all()]
        resisted = [(f"{task.name}, planted", case) for task in self._list_all() if (case := task.resisted())]
        return parameters_of([*clean, *resisted], self.asked or {})

    def _list_all(self) -> list[Task]:
        return [*self.tasks, *self.honest]

    def halves_by_place(self) -> dict[str, set[str]]:
        """For each place that a name begins with, the halves that its cases are in."""
        halves: dict[str, set[str]] = {}
        if self.half is not None:
            for item in (*self.tasks, *self.attacks):
                place = item.name.removeprefix(f"{self.mark} ").split(":")[0]
                place = place.removesuffix(" turns") if self.mark else place
                halves.setdefault(place, set()).add(self.half(item.name))
        return halves
