"""The sum of payments that a rule objects to, in words: what was paid, what this call pays, and the rule's threshold.

The record of a decision has the sums; the rule itself has the threshold. Neither is part of the decision, so that its
bytes stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

SUM_CODES: Final = frozenset({"large_sum"})
"""Codes of reasons that are about the sum of several payments."""
_THRESHOLD: Final = re.compile(
    r"\bcontext\s*\.\s*(target_sum|principal_sum)\s*\.\s*greaterThan(?:OrEqual)?\s*\(\s*decimal\s*\(\s*"
    r'"([0-9]{1,15}\.[0-9]{1,4})"'
)
_SUMS: Final[Mapping[str, tuple[str, str]]] = {
    "principal_sum": ("paid_by_principal", "in all"),
    "target_sum": ("paid_to_target", "to this recipient"),
}
"""Attribute that a rule compares → the member of a snapshot with what was paid before, and for whom it counts."""


def describe_sum(code: str, rule: str, snapshot: Mapping[str, Any]) -> str:
    """What was paid within 24 hours, what this call pays, and the threshold; empty for any other reason.

    Args:
        code: of the reason.
        rule: text of the rule that gave it; of a rule that compares no sum with a number, nothing is said.
        snapshot: what the decision read, as it is recorded.
    """
    found = _THRESHOLD.search(rule) if code in SUM_CODES else None
    if found is None or snapshot.get("amount") is None:
        return ""
    member, whose = _SUMS[found[1]]
    paid, amount = int(snapshot.get(member, 0)), abs(int(snapshot["amount"]))
    return (
        f"{_format_money(paid)} paid {whose} within 24 hours, {_format_money(amount)} with this call, together "
        f"{_format_money(paid + amount)}; the threshold is {Decimal(found[2]):,.2f}"
    )


def _format_money(ten_thousandths: int) -> str:
    """An amount with two decimals, or with four if it has more."""
    return f"{Decimal(ten_thousandths) / 10_000:,.{4 if ten_thousandths % 100 else 2}f}"
