"""Makes rules of the starter policy apply only from a certain risk: `apply_risk_threshold`.

Rules that ask or refuse because of the origin of a target, or because an effect is grave, apply often in work where
targets are read from files. A threshold limits them to actions of some risk.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.errors import BadInput
from halo_core.policy.score_limits import MAX_RISK

THRESHOLD_RULES: Final = frozenset(
    {
        "halo.grave.irreversible",
        "halo.grave.untraced-target",
        "halo.grave.untrusted-target",
        "halo.payment.untraced-target",
        "halo.payment.unknown-target",
        "halo.payment.untrusted-target",
        "halo.send.unknown-target",
        "halo.send.untraced-target",
        "halo.send.untrusted-target",
    }
)
"""Ids of the rules that a risk threshold may limit; amounts, unknown tools and the risk rules are never limited."""
_RULE_START: Final = re.compile(r'^@id\("([^"]*)"\)', re.MULTILINE)
_RULE_END: Final = "};"


def apply_risk_threshold(text: str, risk: int) -> str:
    """Restrict the `THRESHOLD_RULES` of a Cedar text to this risk or more, and to actions without a risk.

    Args:
        text: text of one file of the starter policy.
        risk: 1..1000; below it they do not apply.

    Raises:
        BadInput: `risk` is out of range.
    """
    if not 1 <= risk <= MAX_RISK:
        raise BadInput("bad_risk", f"`{risk}` is not a risk", field="lean", remedy="use 1..1000, 200 for example")
    starts = [match.start() for match in _RULE_START.finditer(text)]
    parts = [text[start:end] for start, end in zip([0, *starts], [*starts, len(text)], strict=True)]
    return "".join(_add_threshold(part, risk) for part in parts)


def _add_threshold(part: str, risk: int) -> str:
    name = _RULE_START.match(part)
    if name is None or name[1] not in THRESHOLD_RULES:
        return part
    rule, _, comment = part.rpartition(_RULE_END)  # what follows is the comment of the next one
    return f"{rule}}}\nunless {{ context has risk && context.risk < {risk} {_RULE_END}{comment}"
