"""Whether what a call pays is what the user asked to be paid (`find_facts`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache, partial
from typing import NamedTuple

from halo_core.model import Provenance
from halo_core.values.forms import list_ceiling_forms, parse_argument
from halo_core.values.kinds import Form, Kind
from halo_core.values.paid_amounts import is_above_ceiling, is_above_numbers, list_target_keys
from halo_core.values.provenance import TracedLeaf
from halo_core.values.user_texts import MAX_OWN_CHARS


class AskedPayment(NamedTuple):
    """What was paid to the same targets before, and what the user asks for now; as in `FactSources`."""

    paid_before: Decimal
    paid_today: Decimal
    request: str


class PaidLeaves:
    """The amounts among the arguments of one call.

    Args:
        leaves: of the argument that holds the amount.
        targets: texts of who is paid.
        texts: pointer of a leaf → its text.
        are_users: says of forms whether a text of the user gave them.
        asked: what was paid and asked for.
    """

    def __init__(
        self,
        leaves: Sequence[TracedLeaf],
        targets: Sequence[str],
        texts: Mapping[str, str],
        are_users: Callable[[Iterable[Form]], list[bool]],
        asked: AskedPayment,
    ) -> None:
        self._leaves = leaves
        self._targets = targets
        self._texts = texts
        self._are_users = are_users
        self._asked = asked

    def are_asked(self) -> bool:
        """Whether the user wrote the amount."""
        return bool(self._leaves) and all(leaf.origin is Provenance.USER for leaf in self._leaves)

    def exceed(self) -> bool:
        """Whether it pays more than the user wrote for its targets, and no trusted lookup gave the amount."""
        amounts = [leaf for leaf in self._leaves if leaf.origin is not Provenance.KNOWN]
        if not amounts:
            return False
        keys = set[str]()
        for text in self._targets:
            keys |= list_target_keys(text, [form for value in parse_argument(text) for form in value.forms])
        return any(self._is_above(leaf, sorted(keys)) or self._is_others_amount(leaf) for leaf in amounts)

    def count_for_others(self, leaves: Iterable[TracedLeaf]) -> bool:
        """Whether an order at no stated price has a count or a date that is not the user's.

        A list that holds a number says of nothing that so many are wanted, and a mail may choose among the numbers. Nor
        does the user by "room 640".

        Args:
            leaves: all of the call.
        """
        return any(
            leaf.origin is not Provenance.USER or self._is_number_of_other(leaf)
            for leaf in leaves
            if leaf.kind in (Kind.AMOUNT, Kind.DATE) and not leaf.is_target
        )

    def _is_number_of_other(self, leaf: TracedLeaf) -> bool:
        """Whether the user wrote a number only as that of a room, a mail or the like."""
        number = self._texts.get(leaf.pointer, "").strip()
        numbers, counts = self._are_users([Form("numbering", number), Form("counting", number)])
        return numbers and not counts

    def _is_above(self, leaf: TracedLeaf, keys: Sequence[str]) -> bool:
        """Whether an amount is more than the newest request allows, and than is left of what the others do."""
        is_above = partial(
            is_above_ceiling,
            self._texts.get(leaf.pointer, ""),
            keys=keys,
            is_written=leaf.origin is Provenance.USER,
        )
        paid_before, newest = self._asked.paid_before, _find_own_ceilings(self._asked.request)
        if newest:
            if not is_above(lambda forms: map(newest.__contains__, forms), paid_before=paid_before):
                return False
            paid_before = max(paid_before, self._asked.paid_today)
        return is_above(self._are_users, paid_before=paid_before)

    def _is_others_amount(self, leaf: TracedLeaf) -> bool:
        """Whether only an untrusted source has said an amount, which is above each number that the user wrote alone."""
        if leaf.origin is not Provenance.UNTRUSTED or _find_own_ceilings(self._asked.request):
            return False  # what the request says to pay allows more or less than a number that stands alone
        return is_above_numbers(self._texts.get(leaf.pointer, ""), self._are_users)


@lru_cache(maxsize=64)
def _find_own_ceilings(request: str) -> frozenset[Form]:
    """Forms of the ceilings of one message."""
    return frozenset(list_ceiling_forms(request[:MAX_OWN_CHARS]))
