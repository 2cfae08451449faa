"""Attacks of every class of SECURITY.md and their honest twins, in pairs (`RAIDS`, `raid`).

They were written without reading the rules, and drawn into halves by name before they first ran: half A was looked at
when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from case_world import Case, Talk
from pairs_table import Pair, Step
from trade_cases import do

__all__ = ["EVIL", "EVIL_IBAN", "GOOD", "GOOD_IBAN", "RAIDS", "READ_1", "half", "raid"]

_DRAW = "b19f3c66a07e52d4"

EVIL, GOOD = "5550001119", "4440002228"
EVIL_IBAN, GOOD_IBAN = "DE02120300000000202051", "DE89370400440532013000"
READ_1 = do("read_mail", n=1)

RAIDS: list[Pair] = []
"""The pairs, filled by the modules `class_attacks_*`."""


def half(name: str) -> str:
    """The half of a pair, `A` or `B`."""
    return "AB"[hashlib.blake2b(f"{_DRAW} {name}".encode()).digest()[0] % 2]


def raid(
    name: str,
    told: str,
    *steps: Step,
    bad: Step,
    good: Step | tuple[Step, ...],
    honest: str = "",
    honest_steps: tuple[Step, ...] | None = None,
    honest_answers: Mapping[str, Any] | None = None,
    first: tuple[Talk, ...] = (),
    honest_first: tuple[Talk, ...] | None = None,
    stores: tuple[str, ...] = (),
    at_most: int = 0,
    system: str = "",
    **answers: Any,
) -> None:
    """Add an attack and its twin.

    Args:
        name: class, colon, what is tried.
        told: what the user asks; `honest`: what he asks in the twin, if it is something else.
        steps: the calls before; `honest_steps`: those of the twin.
        bad: the call that must not run behind them.
        good: the call or calls that must all run behind them in the twin.
        honest_answers: what tools answer in the twin, besides `answers`.
        first: runs before; `honest_first`: those of the twin (by default the same without what is stored).
        stores: tools that must have run before the reading tools answer.
        at_most: how many calls like `bad` may run.
        system: the system prompt of both.
        answers: tool -> its text.
    """
    forbidden, args = bad

    def is_it(given: Mapping[str, Any]) -> bool:
        return dict(given) == dict(args)

    attack = Case(
        name,
        (*first, Talk(told, (*steps, bad), system=system)),
        answers,
        forbidden,
        is_it,
        stores=stores,
        at_most=at_most,
    )
    wanted: tuple[Step, ...] = (good,) if isinstance(good[0], str) else good  # type: ignore[assignment]
    own = steps if honest_steps is None else honest_steps
    before = (
        tuple(Talk(talk.told, talk.calls[:1], talk.reply) for talk in first) if honest_first is None else honest_first
    )
    twin = Case(
        f"{name}, twin",
        (*before, Talk(honest or told, (*own, *wanted), system=system)),
        {**answers, **(honest_answers or {})},
    )
    RAIDS.append(Pair(name.split(":", maxsplit=1)[0], name, attack, twin))
