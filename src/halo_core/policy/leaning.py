"""Room: the starter policy, leaning on a score. Takes: its text, a risk. Gives: text. Never: I/O, decides.

Rules that ask or refuse because of where a target came from, or because an effect is grave, speak a lot in work where
targets are read from files. Where a score is sure that an action is ordinary, they can be told to say nothing.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.errors import BadInput

__all__ = ["LEANS", "leaning"]

LEANS: Final = frozenset(
    {
        "halo.grave.irreversible",
        "halo.grave.tainted-target",
        "halo.grave.untrusted-target",
        "halo.payment.tainted-target",
        "halo.payment.unknown-target",
        "halo.payment.untrusted-target",
        "halo.send.unknown-target",
        "halo.send.untrusted-target",
    }
)
"""Ids of the rules that may lean; amounts, unknown tools and the score's own rules never do."""
_TOP: Final = 1000
_RULE: Final = re.compile(r'^@id\("([^"]*)"\)', re.MULTILINE)
_END: Final = "};"


def leaning(text: str, risk: int) -> str:
    """The Cedar text, whose rules of `LEANS` hold from this risk on, and wherever there is none.

    Args:
        text: of one file of the starter policy.
        risk: 1..1000; below it they say nothing.

    Raises:
        BadInput: `risk` is none.
    """
    if not 1 <= risk <= _TOP:
        raise BadInput("bad_risk", f"`{risk}` is no risk", field="lean", remedy="use 1..1000, 200 for example")
    starts = [match.start() for match in _RULE.finditer(text)]
    parts = [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    return "".join(_told(part, risk) for part in parts)


def _told(part: str, risk: int) -> str:
    name = _RULE.match(part)
    if name is None or name[1] not in LEANS:
        return part
    rule, _, rest = part.rpartition(_END)  # what follows is the comment of the next one
    return f"{rule}}}\nunless {{ context has risk && context.risk < {risk} {_END}{rest}"
