"""Room: a passport on a page, a chain side by side. Takes: links. Gives: what a terminal renders. Never: I/O, verifies.

Whose name is in it may have written it: every cell is text, none is markup.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from halo_core.cli import words
from halo_core.clock import iso
from halo_core.model import ActionKind, Decay, Link, Resource
from halo_core.passport import widening

__all__ = ["chain_table", "page", "when"]

_US: Final = 1_000_000
_MINUTE: Final = 16
_FACTS: Final = ("purpose", "privilege", "regulated", "approvers")


def when(seconds: int) -> str:
    """A time to the minute, UTC."""
    return iso(seconds * _US)[:_MINUTE].replace("T", " ") + " UTC"


def page(
    link: Link, known: Mapping[tuple[ActionKind, str], Resource], facts: Mapping[str, Any], *, now_s: int
) -> Table:
    """One passport in words: who, for whom, until when, what it may do, spend and lose."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(no_wrap=True, max_width=28, overflow="ellipsis")
    table.add_column(overflow="fold")
    for title, rows in _sections(link, known, facts, now_s):
        for index, (name, text) in enumerate(rows):
            table.add_row(title if index == 0 else "", words.cell(name, style="bold"), words.cell(text))
    return table


def _sections(
    link: Link, known: Mapping[tuple[ActionKind, str], Resource], facts: Mapping[str, Any], now_s: int
) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    yield "passport", [(link.agent, _title(link, facts))]
    people = [("owner", link.owner or "nobody was named"), ("acts for", link.principal), ("tenant", link.tenant)]
    yield "people", people
    told = [(name, _told(facts[name])) for name in _FACTS if facts.get(name)]
    if told:
        yield "why", told
    yield "valid", [("until", f"{when(link.expires_at_s)}, {_left(link, now_s)}"), ("since", when(link.not_before_s))]
    labels = "any label" if link.labels is None else ", ".join(link.labels) or "none that is labelled"
    yield "data", [("labels", labels)]
    groups = words.grouped(link.grants, known)
    if not groups:
        yield "may", [("nothing", "it grants no tool, no retriever and no model")]
    for index, (title, listed) in enumerate(groups):
        rows = [(name, words.arguments(rules)) for name, rules in listed]
        yield ("may: " if index == 0 else "     ") + title.removesuffix(" actions"), rows
    yield "spends", words.budgets(link) or [("nothing", "no session can be opened")]
    terms = _decay(link)
    if terms is not None:
        yield "authority", [("", line) for line in words.decay(terms)]
    yield "hands off", [("to", ", ".join(link.hand_off_to) or "nobody")]


def _decay(link: Link) -> Decay | None:
    return link.terms.decay if link.terms is not None else link.decay


def _title(link: Link, facts: Mapping[str, Any]) -> str:
    origin = f", {facts['origin']}" if facts.get("origin") else ""
    return f"{words.link_kind(link)} link {words.short(link.hash)}{origin}, epoch {link.epoch}"


def _told(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _left(link: Link, now_s: int) -> str:
    if now_s >= link.expires_at_s:
        return "expired"
    if now_s < link.not_before_s:
        return "not valid yet"
    left = link.expires_at_s - now_s
    day = 86_400
    return f"{words.duration((left + day // 2) // day * day if left >= day else left)} left"


def chain_table(chain: Sequence[Link]) -> Table:
    """A column for each link; what a link lost against the one above is marked."""
    table = Table(box=None, pad_edge=False)
    table.add_column("", style="dim", no_wrap=True)
    for link in chain:
        table.add_column(words.cell(f"{link.depth} {words.link_kind(link)}"), overflow="fold")
    table.add_row("agent", *(words.cell(link.agent, style="bold") for link in chain))
    table.add_row("link", *(words.short(link.hash) for link in chain))
    table.add_row("until", *(when(link.expires_at_s) for link in chain))
    table.add_row("within", *_within(chain))
    granted = {(kind, name) for link in chain for kind, resources in link.grants.items() for name in resources}
    names = sorted(item for item in granted if item[0] is not ActionKind.HANDOFF)
    for kind, name in names:
        cells = [link.grants.get(kind, {}).get(name) for link in chain]
        table.add_row(name[:28], *_marked([None if rules is None else words.arguments(rules) for rules in cells]))
    for unit in sorted({unit for link in chain for unit, _ in words.session_budgets(link)}):
        table.add_row(unit, *_marked([dict(words.session_budgets(link)).get(unit) for link in chain]))
    table.add_row("authority", *_marked([_halving(link) for link in chain]))
    labels = ["any" if link.labels is None else ", ".join(link.labels) or "-" for link in chain]
    table.add_row("labels", *_marked(labels))
    table.add_row("hands off to", *_marked([", ".join(link.hand_off_to) or "-" for link in chain]))
    return table


def _halving(link: Link) -> str:
    terms = _decay(link)
    return words.decay(terms)[0] if terms is not None else "does not decay"


def _within(chain: Sequence[Link]) -> list[Text]:
    cells = [words.cell("-")]
    for parent, child in pairwise(chain):
        found = widening(parent, child)
        broken = "" if found is None else f"✗ {found.code} {found.detail}"
        cells.append(words.cell(broken.strip(), style="bold red") if broken else words.cell("✓", style="green"))
    return cells


def _marked(cells: Sequence[str | None]) -> list[Text]:
    """Each cell against the one before: `=` for the same, `↓` for another, `✗` for what is gone."""
    shown: list[Text] = []
    for index, cell in enumerate(cells):
        above = cells[index - 1] if index else None
        if cell is None:
            shown.append(words.cell("✗" if above is not None else "", style="red"))
        elif index == 0 or above is None:
            shown.append(words.cell(cell))
        else:
            shown.append(words.cell("=", style="dim") if cell == above else words.cell(f"↓ {cell}", style="yellow"))
    return shown
