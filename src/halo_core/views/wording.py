"""Room: a passport in words. Takes: links. Gives: phrases that somebody who signs for an agent can read. Never: I/O."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from rich.text import Text

from halo_core.model import (
    ANY_OTHER,
    ActionKind,
    Budget,
    Constraint,
    ConstraintKind,
    Decay,
    Grants,
    Impact,
    Link,
    LinkKind,
    Quota,
    Resource,
)

__all__ = [
    "describe_arguments",
    "describe_budgets",
    "describe_constraint",
    "describe_decay",
    "describe_session_budgets",
    "format_amount",
    "format_duration",
    "format_link_kind",
    "format_percent",
    "group_grants",
    "safe_text",
    "shorten_hash",
]

_MILLION: Final = 1_000_000
_PERIODS: Final = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
_PLURAL: Final = {
    Impact.PAYMENT.value: "payments",
    Impact.ADMIN.value: "admin actions",
    Impact.DELETE.value: "deletions",
    Impact.EXECUTE.value: "executions",
    Impact.SEND.value: "messages",
    Impact.UNKNOWN.value: "unclassified actions",
    Impact.WRITE.value: "writes",
    Impact.READ.value: "reads",
}
"""Gravest first."""
_UNITS: Final = {"step": "actions", "risk": "risk points"}
_MAX_VALUES: Final = 12


def safe_text(text: str, style: str = "") -> Text:
    """Somebody's words for a terminal: no markup, and what would act on it is shown instead."""
    expanded = text.expandtabs()
    characters = (c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in expanded)
    return Text("".join(characters), style=style)


def shorten_hash(name: str) -> str:
    """A hash or an id as people quote it; its start is enough to name it."""
    return name.removeprefix("sha256:")[:12]


def format_link_kind(link: Link) -> str:
    """The kind of a link as people write it."""
    return "hand-off" if link.kind is LinkKind.HANDOFF else link.kind.value


def format_percent(authority: int) -> str:
    """Millionths as a share."""
    return f"{authority * 100 / _MILLION:.4g}%"


def format_duration(seconds: int) -> str:
    """The largest whole unit, or two of them."""
    for index, (size, name) in enumerate(_PERIODS):
        count, rest = divmod(seconds, size)
        if count:
            smaller = _PERIODS[index + 1][0] if index + 1 < len(_PERIODS) else 1
            more = f" {format_duration(rest - rest % smaller)}" if rest >= smaller else ""
            return f"{count:,} {name}{'s' if count > 1 else ''}{more}"
    return "0 seconds"


def format_amount(value: int, decimals: int) -> str:
    """An integer amount with its decimal point."""
    integer, part = divmod(value, 10**decimals)
    return f"{integer:,}.{part:0{decimals}}" if decimals else f"{integer:,}"


def describe_constraint(rule: Constraint) -> str:
    """What one argument may be."""
    values = ", ".join(map(_format_value, rule.values[:_MAX_VALUES])) + (
        ", …" if len(rule.values) > _MAX_VALUES else ""
    )
    return {
        ConstraintKind.WILDCARD: "anything",
        ConstraintKind.EXACT: f"only {values}",
        ConstraintKind.ONE_OF: f"one of {values}" if len(rule.values) > 1 else f"only {values}",
        ConstraintKind.NOT_ONE_OF: f"not {values}",
        ConstraintKind.RANGE: _describe_range(rule.low, rule.high),
        ConstraintKind.PREFIX: f"below `{rule.text}`",
        ConstraintKind.PATTERN: f"like /{rule.text}/",
    }[rule.kind]


def _describe_range(low: int | None, high: int | None) -> str:
    if low is not None and low == high:
        return f"only {low:,}"
    if low is None:
        return "anything" if high is None else f"at most {high:,}"
    return f"at least {low:,}" if high is None else f"{low:,} to {high:,}"


def _format_value(value: str | float) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value).lower()


def describe_arguments(rules: Mapping[str, Constraint]) -> str:
    """What a tool may be called with."""
    named_rules = {name: rule for name, rule in rules.items() if name != ANY_OTHER}
    free = sorted(name for name, rule in named_rules.items() if rule.kind is ConstraintKind.WILDCARD)
    phrases = [f"{name}: {describe_constraint(rule)}" for name, rule in sorted(named_rules.items()) if name not in free]
    if free:
        phrases.append(f"any {', '.join(free)}")
    other_rule = rules.get(ANY_OTHER)
    if other_rule is not None:
        phrases.append(
            ("any other argument" if named_rules else "any arguments")
            if _is_any(other_rule)
            else describe_constraint(other_rule)
        )
    return "; ".join(phrases) or "without arguments"


def _is_any(rule: Constraint) -> bool:
    return rule.kind is ConstraintKind.WILDCARD


def group_grants(
    grants: Grants, resources: Mapping[tuple[ActionKind, str], Resource]
) -> list[tuple[str, list[tuple[str, Mapping[str, Constraint]]]]]:
    """(title, [(resource, arguments)]), gravest first; then retrievals and models. Hand-offs are told elsewhere."""
    groups: dict[str, list[tuple[str, Mapping[str, Constraint]]]] = {}
    for name, rules in sorted(grants.get(ActionKind.TOOL_CALL, {}).items()):
        resource = resources.get((ActionKind.TOOL_CALL, name))
        impact = resource.impact.value if resource is not None else Impact.UNKNOWN.value
        groups.setdefault(_PLURAL[impact], []).append((name, rules))
    titled_groups = [(title, groups[title]) for title in _PLURAL.values() if title in groups]
    for kind, title in ((ActionKind.RETRIEVAL, "retrieval"), (ActionKind.INFERENCE, "models")):
        if kind in grants:
            titled_groups.append((title, sorted(grants[kind].items())))
    return titled_groups


def describe_budgets(link: Link) -> list[tuple[str, str]]:
    """(unit, limits in words) of a link, what nobody limited left out."""
    if link.kind is LinkKind.STANDING:
        session = link.terms.budgets if link.terms is not None else ()
        return _describe_limits(
            session, {item.unit: item for item in link.budgets}, {item.unit: item for item in link.quotas}
        )
    return _describe_limits(link.budgets, {}, {})


def describe_session_budgets(link: Link) -> list[tuple[str, str]]:
    """(unit, limits in words) of one session under a link, without what lies beyond it."""
    return _describe_limits(link.terms.budgets if link.terms is not None else link.budgets, {}, {})


def _describe_limits(
    session: Sequence[Budget], ceilings: Mapping[str, Budget], quotas: Mapping[str, Quota]
) -> list[tuple[str, str]]:
    rows = []
    for item in session:
        if item.unit == "time":
            words = [f"{format_duration(item.subtree)} from the start of a session"]
        else:
            words = (
                [f"at most {format_amount(item.per_action, item.decimals)} per action"]
                if item.per_action < item.subtree
                else []
            )
            words.append(f"{'' if words else 'at most '}{format_amount(item.subtree, item.decimals)} in a session")
        ceiling = ceilings.get(item.unit)
        if ceiling is not None and ceiling.subtree > item.subtree:
            most = (
                format_duration(ceiling.subtree)
                if item.unit == "time"
                else format_amount(ceiling.subtree, item.decimals)
            )
            words[-1] += f" ({most} if re-authorized)"
        if item.unit in quotas:
            words.append(f"{format_amount(quotas[item.unit].per_day, item.decimals)} in a day")
        rows.append((_UNITS.get(item.unit, item.unit), ", ".join(words)))
    return rows


def describe_decay(terms: Decay) -> list[str]:
    """How authority falls, in sentences."""
    start = "" if terms.authority == _MILLION else f"starts at {format_percent(terms.authority)} and "
    every = format_duration(terms.half_life_s)
    if every.startswith("1 ") and every.count(" ") == 1:
        every = every.removeprefix("1 ")
    three = f"{every}, {terms.half_life_steps:,} actions or {terms.half_life_risk:,} risk points"
    lines = [f"{start}halves every {three}, in any combination"]
    floors: dict[int, list[str]] = {}
    floor_levels = dict(terms.floors)
    for impact, title in _PLURAL.items():
        floors.setdefault(max(floor_levels.get(impact, _MILLION), terms.reauthorize_below), []).append(title)
    lines += [
        f"{_join_with_and(titles)} stop below {format_percent(floor)}"
        for floor, titles in sorted(floors.items(), reverse=True)
    ]
    lines += [f"at most {format_percent(ceiling)} from {risk:,} risk points on" for risk, ceiling in terms.bands]
    if terms.reauthorize_below:
        lines.append(
            f"below {format_percent(terms.reauthorize_below)} nothing runs until an approver re-authorizes the session"
        )
    return lines


def _join_with_and(words: Iterable[str]) -> str:
    *most, last = words
    return f"{', '.join(most)} and {last}" if most else last
