"""Room: the story of a session, for `halo demo`. Takes: a store. Gives: a table, the first denial. Never: writes.

One line for each action, with what is left of the session's authority; then what a hand-off's counters did.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from halo_core import canonical
from halo_core.cli.common import EFFECT_STYLE, console
from halo_core.errors import ConfigError
from halo_core.model import EntryKind
from halo_core.query import Contents, Found, entries
from halo_core.reasons import text
from halo_core.redact import Redactor
from halo_core.store.reader import Reader

__all__ = ["story"]

_KINDS: Final = (EntryKind.DECISION, EntryKind.APPROVAL, EntryKind.HANDBACK)
_COLUMNS: Final = ("#", "action", "on", "decision", "left", "why")
_WIDEST: Final = 56
_PERCENT: Final = 10_000


def story(reader: Reader, contents: Contents, tenant: str, session: str, agent: str) -> Found:
    """Print what a session tried; the first decision that denied something.

    Raises:
        ConfigError: nothing was denied.
    """
    table = Table(
        title="a customer's letter tells the agent to pay another account: what it tried",
        box=SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        title_justify="left",
    )
    for name in _COLUMNS:
        table.add_column(
            name,
            overflow="fold",
            no_wrap=name not in ("on", "why"),
            justify="right" if name in ("#", "left") else "left",
            max_width=_WIDEST,
        )
    mask = Redactor.for_views().mask
    found = list(entries(reader, tenant, _KINDS, session))
    thoughts = 0
    for item in found:
        body = item.entry.body
        if item.entry.kind is not EntryKind.DECISION:
            table.add_row(str(item.index), *_beside(item))
        elif (body["request"]["kind"], body["decision"]["effect"]) == ("inference", "allow"):
            thoughts += 1  # the model between two actions: twenty times the same row
        else:
            table.add_row(str(item.index), *_row(item, mask(_args(contents, item)), agent))
    view = console()
    view.print(table)
    view.print(f"and {thoughts} model calls in between, each decided and allowed")
    _counters(found)
    denied = [item for item in found if item.entry.kind is EntryKind.DECISION and _effect(item) == "deny"]
    if not denied:
        raise ConfigError("demo_failed", "nothing was denied, which is not what the demo is for")
    return denied[0]


def _effect(found: Found) -> str:
    return str(found.entry.body["decision"]["effect"])


def _row(found: Found, args: str, agent: str) -> tuple[str, ...]:
    body = found.entry.body
    request, effect = body["request"], _effect(found)
    actor = request["subject"]["agent"]
    deeper = "" if actor == agent else f"[bold]{escape(actor)}[/]: "
    left = body["after"]["authority"]
    return (
        request["kind"],
        f"{deeper}{escape(request['resource']['id'])} [dim]{escape(args)}[/]",
        f"{'✓' if body['dispatched'] else '✗'} [{EFFECT_STYLE[effect]}]{effect}[/]",
        f"{left // _PERCENT}%" if left is not None else "",
        escape(_why(body)),
    )


def _beside(found: Found) -> tuple[str, ...]:
    """An answer or a hand-back, which are no decisions of the agent's."""
    body = found.entry.body
    if found.entry.kind is EntryKind.APPROVAL:
        who = f"by [bold]{escape(body['approver'])}[/]"
        new = f"epoch {body['epoch']}: full authority again"
        return "approval", who, f"✓ {body['answer']}", "", f"in another process; {escape(new)}"
    names = ", ".join(closed["agent"] for closed in body["closed"])
    return (
        "hand-back",
        escape(names),
        "",
        "",
        f"its link is closed, its counters stay with {escape(body['to']['agent'])}",
    )


def _args(contents: Contents, found: Found) -> str:
    sealed = contents.open(found.entry, "args")
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None else {}
    return ", ".join(map(str, args.values()))


def _why(body: Mapping[str, Any]) -> str:
    decision = body["decision"]
    told = [reason for reason in decision["reasons"] if reason["effect"] == decision["effect"]]
    # A detail that is a sentence, with numbers, says more than the title alone.
    words = text(told[0]["code"]).title + (f": {told[0]['detail']}" if " " in told[0]["detail"] else "")
    narrowed = ", ".join(f"{o['kind']} {o['name']} {o['value']}".replace("  ", " ") for o in decision["obligations"])
    return f"{words} ({narrowed})" if narrowed else words


def _counters(found: list[Found]) -> None:
    """What the session's own account said around its first hand-off."""
    back = next((n for n, item in enumerate(found) if item.entry.kind is EntryKind.HANDBACK), None)
    out = next((n for n, item in enumerate(found) if _hands_off(item)), None)
    if back is None or out is None:
        return
    closed, to = found[back].entry.body["closed"][0], found[back].entry.body["to"]
    own = {unit: held + done for unit, held, done in closed["spent"]}
    told = {
        "before": _account(found[:out], to["handle"]),
        "handed back": _account(found[:back], to["handle"]),
        f"{closed['agent']}'s": own,
        "at the end": _account(found, to["handle"]),
    }
    table = Table(
        title=f"what {closed['agent']} spends, {to['agent']} spends too; nothing resets that",
        box=SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    table.add_column(f"spent by {to['agent']}")
    for name in told:
        table.add_column(name, justify="right")
    for unit, words in (("step", "actions (step)"), ("risk", "risk points (risk)")):
        table.add_row(words, *(f"{account.get(unit, 0):,}" for account in told.values()))
    console().print()
    console().print(table)


def _hands_off(found: Found) -> bool:
    return found.entry.kind is EntryKind.DECISION and found.entry.body["request"]["kind"] == "handoff"


def _account(found: list[Found], handle: str) -> dict[str, int]:
    decisions = [item.entry.body for item in found if item.entry.kind is EntryKind.DECISION]
    budgets = decisions[-1]["after"]["budgets"] if decisions else []
    return {unit: held + done for link, unit, held, done in budgets if link == handle}
