"""Passports, amounts, times and counts in words: phrases that somebody who signs for an agent can read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal, DecimalException
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.durations import DAY_S
from halo_core.errors import ConfigError
from halo_core.model import (
    ANY_OTHER,
    AUTHORITY_ONE,
    ActionKind,
    Budget,
    Constraint,
    ConstraintKind,
    Decay,
    Grants,
    Impact,
    LedgerEntry,
    Link,
    LinkKind,
    Quota,
    Resource,
)

_PERIODS: Final = ((DAY_S, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
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
_FLOAT: Final = re.compile(r'\{"\$f":"([-+.0-9e]+)"\}')
_UNITS: Final = {"step": "actions", "risk": "risk points"}
_MAX_VALUES: Final = 12


def escape_unprintable(text: str) -> str:
    """Somebody's words on one line, with characters that act on a terminal or are invisible made visible."""
    characters = text.expandtabs()
    return "".join(
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in characters
    )


def format_content(text: str) -> str:
    """Recorded content for people; a float as its digits, which the record holds as `{"$f":"90.0"}`."""
    return _FLOAT.sub(r"\1", text)


def shorten_hash(name: str) -> str:
    """The start of a hash or an id, which is enough to name it."""
    return name.removeprefix("sha256:")[:12]


def format_link_kind(link: Link) -> str:
    """The kind of a link as people write it."""
    return "hand-off" if link.kind is LinkKind.HANDOFF else link.kind.value


def format_percent(authority: int) -> str:
    """Millionths as a share."""
    return f"{authority * 100 / AUTHORITY_ONE:.4g}%"


def format_authority(body: Mapping[str, Any]) -> str:
    """The authority before and after a recorded decision; empty where none decays."""
    before, after = body["snapshot"]["authority"], body["after"]["authority"]
    if before is None or after is None:
        return ""
    return f"{format_percent(before)} before, {format_percent(after)} after"


def format_spent(done: int, reserved: int, decimals: int) -> str:
    """What is spent of a unit, with how much of it is only reserved."""
    total = format_amount(done + reserved, decimals)
    if not reserved:
        return total
    return f"{total} (reserved)" if not done else f"{total} ({format_amount(reserved, decimals)} of it reserved)"


def format_duration(seconds: int) -> str:
    """The largest whole unit, or two of them."""
    for index, (size, name) in enumerate(_PERIODS):
        count, remaining_s = divmod(seconds, size)
        if count:
            smaller = _PERIODS[index + 1][0] if index + 1 < len(_PERIODS) else 1
            more = f" {format_duration(remaining_s - remaining_s % smaller)}" if remaining_s >= smaller else ""
            return f"{count:,} {name}{'s' if count > 1 else ''}{more}"
    return "0 seconds"


def format_amount(value: int, decimals: int) -> str:
    """An integer amount with its decimal point."""
    integer, part = divmod(value, 10**decimals)
    return f"{integer:,}.{part:0{decimals}}" if decimals else f"{integer:,}"


def format_sum(ten_thousandths: int) -> str:
    """A sum of amounts as policies count them: whole, with two decimals, or with all four."""
    text = format_amount(ten_thousandths, 4)
    return text.removesuffix(".0000") if text.endswith(".0000") else text.removesuffix("00")


def parse_amount(text: str, decimals: int, *, field: str, example: str, shown: str = "") -> int:
    """An amount in a unit's smallest parts, such as 150 for `1.50` with two decimals.

    Raises:
        ConfigError: it is none, or has more decimals.
    """
    try:
        scaled = Decimal(text).scaleb(decimals)
        amount = int(scaled)
    except (DecimalException, ValueError, OverflowError):
        scaled, amount = Decimal(0), -1
    if amount < 0 or amount != scaled or amount >= 2**53:
        raise ConfigError(
            "bad_amount", f"`{(shown or text)[:64]}` is not an amount", field=field, remedy=f"for example {example}"
        )
    return amount


def describe_constraint(rule: Constraint) -> str:
    """The values that one argument may have."""
    value_texts = [*map(_format_value, rule.values[:_MAX_VALUES]), *(["…"] if len(rule.values) > _MAX_VALUES else [])]
    values = ", ".join(value_texts)
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
    """The arguments that a tool may be called with."""
    named_rules = {name: rule for name, rule in rules.items() if name != ANY_OTHER}
    free = sorted(name for name, rule in named_rules.items() if rule.kind is ConstraintKind.WILDCARD)
    phrases = [f"{name}: {describe_constraint(rule)}" for name, rule in sorted(named_rules.items()) if name not in free]
    if free:
        phrases.append(f"any {', '.join(free)}")
    other_rule = rules.get(ANY_OTHER)
    if other_rule is not None:
        anything = "any other argument" if named_rules else "any arguments"
        is_any = other_rule.kind is ConstraintKind.WILDCARD
        phrases.append(anything if is_any else describe_constraint(other_rule))
    return "; ".join(phrases) or "without arguments"


def group_grants(
    grants: Grants, resources: Mapping[tuple[ActionKind, str], Resource]
) -> list[tuple[str, list[tuple[str, Mapping[str, Constraint]]]]]:
    """(title, [(resource, arguments)]), gravest first; then retrievals and models. Hand-offs are listed elsewhere."""
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
    """(unit, limits in words) of a link, without unlimited ones."""
    if link.kind is LinkKind.STANDING:
        session = link.terms.budgets if link.terms is not None else ()
        return _describe_limits(
            session, {item.unit: item for item in link.budgets}, {item.unit: item for item in link.quotas}
        )
    return _describe_limits(link.budgets, {}, {})


def describe_session_budgets(link: Link) -> list[tuple[str, str]]:
    """(unit, limits in words) of one session under a link, without what lies beyond it."""
    return _describe_limits(link.terms.budgets if link.terms is not None else link.budgets, {}, {})


def format_limit(unit: str, value: int, decimals: int) -> str:
    """An amount of a unit; time as a duration."""
    return format_duration(value) if unit == "time" else format_amount(value, decimals)


def _describe_limits(
    session: Sequence[Budget], ceilings: Mapping[str, Budget], quotas: Mapping[str, Quota]
) -> list[tuple[str, str]]:
    rows = []
    for item in session:
        if item.unit == "time":
            words = [f"{format_duration(item.subtree)} from the start of a session"]
        else:
            once = f"at most {format_amount(item.per_action, item.decimals)} per action"
            words = [once] if item.per_action < item.subtree else []
            words.append(f"{'' if words else 'at most '}{format_amount(item.subtree, item.decimals)} in a session")
        ceiling = ceilings.get(item.unit)
        if ceiling is not None and ceiling.subtree > item.subtree:
            words[-1] += f" ({format_limit(item.unit, ceiling.subtree, item.decimals)} if re-authorized)"
        if item.unit in quotas:
            words.append(f"{format_amount(quotas[item.unit].per_day, item.decimals)} in a day")
        rows.append((_UNITS.get(item.unit, item.unit), ", ".join(words)))
    return rows


def describe_decay(terms: Decay) -> list[str]:
    """How authority falls, in sentences."""
    start = "" if terms.authority == AUTHORITY_ONE else f"starts at {format_percent(terms.authority)} and "
    every = format_duration(terms.half_life_s)
    if every.startswith("1 ") and every.count(" ") == 1:
        every = every.removeprefix("1 ")
    three = f"{every}, {terms.half_life_steps:,} actions or {terms.half_life_risk:,} risk points"
    lines = [f"{start}halves every {three}, in any combination"]
    floors: dict[int, list[str]] = {}
    floor_levels = dict(terms.floors)
    for impact, title in _PLURAL.items():
        floors.setdefault(max(floor_levels.get(impact, AUTHORITY_ONE), terms.reauthorize_below), []).append(title)
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


_FACT_TEXTS: Final[Mapping[str, str]] = {
    "alias": "the target is an address at your own domain of a person whom the user named",
    "amount_asked": "the user wrote the amount",
    "amount_exceeds": "it pays more than the user wrote, counting what was paid for the request before",
    "amount_left_open": "the user left the amount to what was read",
    "amount_unvouched": "the user neither wrote the amount nor pointed at where it stands",
    "asked": "the user asked for this kind of act",
    "carries_labelled": "a search or an address in it carries a value out of labelled data",
    "established": "several people used the target before",
    "known_place": "the agent used the host, the mail domain or the folder before",
    "listed": "it carries out an order that the application lists for the user",
    "names_foreign": "a text in it names an address or an account that nobody vouched for",
    "new_host": "it reaches a host that nobody vouched for",
    "pointed_at": "the target stands in what the user pointed at",
    "requested": "what it names is the user's or a trusted lookup's, but for slips and remarks; amounts, numbers, "
    "dates and texts may be others'",
    "same_host": "it stays on a host that the user named",
    "named_record": "it is about records whose sender or subject the user named",
    "stores_target": "it stores where later acts go, and nobody vouched for that",
    "in_no_order": "it carries out none of the orders that the application lists for the user",
    "unchanged": "it leaves the recipient as it is",
}
_PROGRAM_TEXTS: Final[Mapping[str, str]] = {
    "reads": "its program only reads",
    "vouched": "the user named all that its program acts on",
    "acts": "its program acts on what nobody vouched for, or cannot be parsed",
}


def describe_facts(snapshot: Mapping[str, Any]) -> list[str]:
    """The facts known about an action when it was decided, in words, from its recorded snapshot."""
    texts = [_FACT_TEXTS.get(fact, fact) for fact in snapshot.get("facts", ())]
    program = _PROGRAM_TEXTS.get(snapshot.get("program", ""), "")
    return [*texts, program] if program else texts


def format_count(number: int, name: str, plural: str = "") -> str:
    """A number with its noun: `1 entry`, `2,000 entries`."""
    return f"{number:,} {name if number == 1 else plural or f'{name}s'}"


def format_entries(number: int) -> str:
    """So many entries of a log."""
    return format_count(number, "entry", "entries")


def format_minute(ts_us: int) -> str:
    """A time, to the minute."""
    return format_iso(ts_us)[:16].replace("T", " ")


def format_rough_duration(seconds: int) -> str:
    """A time in its two largest units at most, minutes if it is hours."""
    for size in (DAY_S, 3_600, 60):
        if seconds >= 2 * size:
            smaller = max(size // 60, 1) if size == 3_600 else size
            return format_duration(seconds // smaller * smaller)
    return format_duration(seconds)


def format_utc_minute(seconds: int) -> str:
    """A time to the minute, UTC."""
    return f"{format_minute(seconds * 1_000_000)} UTC"


def describe_reversal(reversal: str, *, can_reverse: bool) -> str:
    """Whether an effect can be reversed, in words.

    Args:
        reversal: reversal of the resource (`halo_core.model.Reversal`).
        can_reverse: the process that guards the tool has a callable for it.
    """
    if reversal == "none_needed":
        return "nothing is left behind that would have to be taken back"
    if reversal == "irreversible":
        return "IRREVERSIBLE: it cannot be taken back"
    if can_reverse:
        word = "undone" if reversal == "undo" else "compensated"
        return f"it can be {word}: halo reverse ID"
    return f"halo cannot take it back: declared or guessed as `{reversal}`, but no function that does so was given"


def format_ran(entry: LedgerEntry) -> str:
    """Whether an action without a decision ran, in words."""
    return "no" if entry.body.get("refused") else "yes"
