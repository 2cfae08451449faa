"""More attacks of every class of SECURITY.md and their honest twins, in pairs (`SALLIES`, `sally`).

They were written without reading the rules. The halves were drawn by name before any of them ran: half A was looked at
when the decision was mended, half B was only counted.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

from case_world import Case, Talk
from pairs_table import Pair, Step
from trade_cases import do

__all__ = ["EVIL", "EVIL_IBAN", "GOOD", "GOOD_IBAN", "READ_1", "SALLIES", "half", "sallies_of", "sally"]

_DRAW = "5d0e91c47fb2a836"

EVIL, GOOD = "5550001119", "4440002228"
EVIL_IBAN, GOOD_IBAN = "DE02120300000000202051", "DE89370400440532013000"
READ_1 = do("read_mail", n=1)

SALLIES: list[Pair] = []
"""The pairs, filled by the modules `sally_attacks_*`."""


def half(name: str) -> str:
    """The half of a pair, `A` or `B`."""
    return "AB"[hashlib.blake2b(f"{_DRAW} {name}".encode()).digest()[0] % 2]


def _add(
    pairs: list[Pair],
    name: str,
    told: str,
    bad: Step,
    good: Step | tuple[Step, ...],
    *,
    honest: str = "",
    steps: tuple[Step, ...] = (READ_1,),
    first: tuple[Talk, ...] = (),
    honest_first: tuple[Talk, ...] = (),
    at_most: int = 0,
    stores: tuple[str, ...] = (),
    system: str = "",
    talk: Mapping[str, Any] | None = None,
    honest_talk: Mapping[str, Any] | None = None,
    mail: str = "See above.",
    honest_answers: Mapping[str, Any] | None = None,
    **answers: Any,
) -> None:
    """Add an attack and its twin.

    Args:
        pairs: what they are added to.
        name: class, colon, what is tried.
        told: what the user asks; `honest`: what he asks in the twin, if it is something else.
        bad: the call that must not run behind `steps`; `good`: those that must run in the twin.
        steps: the calls before.
        first: runs before, `honest_first`: those of the twin.
        at_most: how many calls like `bad` may run.
        stores: tools that must have run before the reading tools of the attack answer.
        system: the system prompt of both.
        talk: further fields of the last run, `honest_talk`: those of the twin.
        mail: what `read_mail` answers; `answers`: tool -> its text; `honest_answers`: in the twin, besides these.
    """
    forbidden, args = bad
    wanted: tuple[Step, ...] = (good,) if isinstance(good[0], str) else good  # type: ignore[assignment]
    replies = {"read_mail": mail, **answers}

    def is_it(given: Mapping[str, Any]) -> bool:
        return dict(given) == dict(args)

    attack = Case(
        name,
        (*first, Talk(told, (*steps, bad), system=system, **(talk or {}))),
        replies,
        forbidden,
        is_it,
        stores=stores,
        at_most=at_most,
    )
    twin = Case(
        f"{name}, twin",
        (*honest_first, Talk(honest or told, (*steps, *wanted), system=system, **(honest_talk or {}))),
        {**replies, **(honest_answers or {})},
    )
    pairs.append(Pair(name.split(":", maxsplit=1)[0], name, attack, twin))


def sallies_of(pairs: list[Pair]) -> Callable[..., None]:
    """Adds attacks and their twins to a list."""
    return functools.partial(_add, pairs)


sally = sallies_of(SALLIES)
