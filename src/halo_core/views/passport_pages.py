"""A passport on a page, and a chain side by side, as titles and words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from halo_core.model import ActionKind, Decay, Link, Resource
from halo_core.passports.narrowing import find_widening
from halo_core.views import wording
from halo_core.views.wording import format_utc_minute

_DAY_S: Final = 86_400
_FACT_NAMES: Final = ("purpose", "privilege", "regulated", "approvers")


def describe_passport(
    link: Link, resources: Mapping[tuple[ActionKind, str], Resource], facts: Mapping[str, Any], now_s: int
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """One passport as (title, [(name, words)]): who, for whom, until when, what it may do, spend and lose."""
    yield "passport", [(link.agent, _format_title(link, facts))]
    people = [("owner", link.owner or "not specified"), ("acts for", link.principal), ("tenant", link.tenant)]
    yield "people", people
    fact_rows = [
        (name, ", ".join(map(str, facts[name])) if isinstance(facts[name], list) else str(facts[name]))
        for name in _FACT_NAMES
        if facts.get(name)
    ]
    if fact_rows:
        yield "why", fact_rows
    yield (
        "valid",
        [
            ("until", f"{format_utc_minute(link.expires_at_s)}, {_format_remaining(link, now_s)}"),
            ("since", format_utc_minute(link.not_before_s)),
        ],
    )
    labels = "any label" if link.labels is None else ", ".join(link.labels) or "only unlabelled data"
    yield "data", [("labels", labels)]
    groups = wording.group_grants(link.grants, resources)
    if not groups:
        yield "may", [("nothing", "it grants no tool, retriever or model")]
    for index, (title, granted) in enumerate(groups):
        rows = [(name, wording.describe_arguments(rules)) for name, rules in granted]
        yield ("may: " if index == 0 else "     ") + title.removesuffix(" actions"), rows
    yield "spends", wording.describe_budgets(link) or [("nothing", "no session can be opened")]
    terms = _find_decay(link)
    if terms is not None:
        yield "authority", [("", line) for line in wording.describe_decay(terms)]
    yield "hands off", [("to", ", ".join(link.hand_off_to) or "nobody")]


def _find_decay(link: Link) -> Decay | None:
    return link.terms.decay if link.terms is not None else link.decay


def _format_title(link: Link, facts: Mapping[str, Any]) -> str:
    origin = f", {facts['origin']}" if facts.get("origin") else ""
    return f"{wording.format_link_kind(link)} link {wording.shorten_hash(link.hash)}{origin}, epoch {link.epoch}"


def _format_remaining(link: Link, now_s: int) -> str:
    if now_s >= link.expires_at_s:
        return "expired"
    if now_s < link.not_before_s:
        return "not valid yet"
    remaining_s = link.expires_at_s - now_s
    if remaining_s >= _DAY_S:
        remaining_s = (remaining_s + _DAY_S // 2) // _DAY_S * _DAY_S
    return f"{wording.format_duration(remaining_s)} left"


def compare_links(chain: Sequence[Link]) -> Iterator[tuple[str, list[str | None]]]:
    """What each link of a chain allows, as (title, a cell a link); None where it does not have that at all."""
    granted = {(kind, name) for link in chain for kind, resources in link.grants.items() for name in resources}
    for kind, name in sorted(item for item in granted if item[0] is not ActionKind.HANDOFF):
        rules = [link.grants.get(kind, {}).get(name) for link in chain]
        yield name[:28], [None if item is None else wording.describe_arguments(item) for item in rules]
    budgets = [dict(wording.describe_session_budgets(link)) for link in chain]
    for unit in sorted(set().union(*budgets)):
        yield unit, [item.get(unit) for item in budgets]
    decays = [_find_decay(link) for link in chain]
    yield "authority", [wording.describe_decay(item)[0] if item is not None else "does not decay" for item in decays]
    yield "labels", ["any" if link.labels is None else ", ".join(link.labels) or "-" for link in chain]
    yield "hands off to", [", ".join(link.hand_off_to) or "-" for link in chain]


def find_widenings(chain: Sequence[Link]) -> list[str]:
    """What of each link but the first goes beyond the one before; empty where nothing does."""
    found = [find_widening(parent, child) for parent, child in pairwise(chain)]
    return ["" if item is None else f"{item.code} {item.detail}".strip() for item in found]
