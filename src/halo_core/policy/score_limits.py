"""Limits of the rules that depend on the behaviour score alone: finds these rules, and gives them other limits.

A baseline's limits put each action into a band (`context.risk_band`). A rule that compares the band can be given a
limit of its own, as a risk from 0 to 1000: `context.risk_band >= 2` becomes

    (if context has risk then context.risk > 870 else context.risk_band >= 2)

INVARIANT: only rules that read the score alone change. A rule that also reads what is done (arguments, targets,
amounts, the impact of the resource), or that names a resource, keeps its limit: rules on money, rights and deletion
never depend on how many questions somebody wants to be asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from halo_core.errors import BadInput
from halo_core.model import ActionKind
from halo_core.policy.attribute_refs import AttributeRefs, find_entity_literals
from halo_core.policy.parsing import Policy, parse_policies
from halo_core.quick_dataclass import dataclass

MAX_RISK: Final = 1000
_ELEVATED: Final = "1"
_BAND: Final = r"context\.risk_band\s*(?:>=\s*(?P<least>[12])|>\s*(?P<above>[01]))(?![0-9.])"
_BAND_PATTERN: Final = re.compile(_BAND)
_LIMITED_PATTERN: Final = re.compile(rf"\(if context has risk then context\.risk > -?[0-9]{{1,4}} else ({_BAND})\)")
_COMMENT_OR_TEXT: Final = re.compile(r'//[^\n\r]*|("(?:\\.|[^"\\])*")', re.DOTALL)
_RISK_READ: Final = re.compile(r'context\s*\.\s*risk\b|has\s+risk\b|"risk"')
_SESSION_ATTRIBUTES: Final = frozenset(
    {"first_use", "pending", "refused", "risk", "risk_band", "session_risk", "steps", "tainted", "uses"}
)
"""What a rule of the score alone may read besides: none of it says what is done, or to what."""
_SCORE_ATTRIBUTES: Final = frozenset({"risk", "risk_band", "session_risk", "unscored"})
_RESOURCE_TYPES: Final = frozenset({"Tool", "Retriever", "Model"})
_KINDS: Final = frozenset(kind.value for kind in ActionKind)


@dataclass(frozen=True, slots=True)
class ScoreLimits:
    """Limits of the score's rules, 0..1000: a risk above `elevated` is elevated, one above `high` is high.

    Raises:
        BadInput: `bad_limits`, they are out of range, or `high` is below `elevated`.
    """

    elevated: int
    high: int

    def __post_init__(self) -> None:
        """Validate the limits."""
        if not 0 <= self.elevated <= self.high <= MAX_RISK:
            problem = f"`{self.elevated},{self.high}` are not two limits"
            raise BadInput(
                "bad_limits", problem, field="limits", remedy="use ELEVATED,HIGH, each 0..1000, for example 400,870"
            )


@dataclass(frozen=True, slots=True)
class ScoreRules:
    """Ids of the rules that read the score, sorted.

    Args:
        movable: follow from the score alone, and compare the band: their limits can be moved.
        fixed: read what is done as well, or compare the score in another way: they stay as they are.
    """

    movable: tuple[str, ...]
    fixed: tuple[str, ...]


def find_score_rules(policies: Iterable[Policy]) -> ScoreRules:
    """The rules that read the score."""
    readers = [policy for policy in policies if policy.refs.context & _SCORE_ATTRIBUTES]
    movable = {policy.id for policy in readers if _is_movable(policy)}
    return ScoreRules(tuple(sorted(movable)), tuple(sorted({policy.id for policy in readers} - movable)))


def apply_score_limits(sources: Mapping[str, str], limits: ScoreLimits) -> dict[str, str]:
    """Cedar texts with these limits in the movable rules; all other text stays the same.

    Args:
        sources: file name → Cedar text, which parses.
        limits: the limits.
    """
    return _rewrite(sources, limits.elevated, limits.high)


def apply_score_bands(sources: Mapping[str, str], band: int) -> dict[str, str]:
    """Cedar texts whose movable rules put each scored action in this band: 0 ordinary, 1 elevated, 2 high.

    The decisions under these three say what `apply_score_limits` would give for any limits.
    """
    always, never = -1, MAX_RISK
    return _rewrite(sources, always if band >= 1 else never, always if band >= 2 else never)


def _is_movable(policy: Policy) -> bool:
    refs = policy.refs
    if (
        policy.cedar_json["effect"] != "forbid"
        or not refs.context <= _SESSION_ATTRIBUTES
        or refs != AttributeRefs(context=refs.context, principal=refs.principal)
        or any(_names_resource(kind, name) for kind, name in find_entity_literals(policy.cedar_json))
        or policy.cedar_json["resource"]["op"] != "All"
    ):
        return False
    code = _COMMENT_OR_TEXT.sub(lambda match: match[1] or "", policy.text)
    plain = _LIMITED_PATTERN.sub(r"\1", code)
    comparisons = _BAND_PATTERN.findall(plain)
    return bool(comparisons) and plain.count("risk_band") == len(comparisons) and not _RISK_READ.search(plain)


def _names_resource(kind: str, name: str) -> bool:
    return kind in _RESOURCE_TYPES or (kind == "Action" and name not in _KINDS)


def _rewrite(sources: Mapping[str, str], elevated: int, high: int) -> dict[str, str]:
    return {source: _rewrite_text(source, text, elevated, high) for source, text in sources.items()}


def _rewrite_text(source: str, text: str, elevated: int, high: int) -> str:
    def limit(match: re.Match[str]) -> str:
        is_elevated = match["least"] == _ELEVATED or match["above"] == "0"
        number = elevated if is_elevated else high
        return f"(if context has risk then context.risk > {number} else {match[0]})"

    changed = text
    for policy in parse_policies(source, text)[0]:
        if _is_movable(policy):
            start = changed.index(policy.text, _find_line(changed, policy))
            rule = _BAND_PATTERN.sub(limit, _LIMITED_PATTERN.sub(r"\1", policy.text))
            changed = changed[:start] + rule + changed[start + len(policy.text) :]
    return changed


def _find_line(text: str, policy: Policy) -> int:
    """Where the line begins on which a policy starts; a change above it never changes the number of lines."""
    position = 0
    for _ in range(policy.line - 1):
        position = text.index("\n", position) + 1
    return position
