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
from halo_core.cli.words import short
from halo_core.errors import ConfigError
from halo_core.model import EntryKind
from halo_core.query import Contents, Found, entries
from halo_core.reasons import text
from halo_core.redact import Redactor
from halo_core.store.reader import Reader

__all__ = ["story"]

_KINDS: Final = (EntryKind.DECISION, EntryKind.APPROVAL, EntryKind.HANDBACK)
_COLUMNS: Final = ("#", "action", "on", "decision", "left", "why")
_WRAPPED: Final = 34
_PERCENT: Final = 10_000


def story(reader: Reader, contents: Contents, tenant: str, session: str, agent: str) -> Found:
    """Print what a session tried; the first decision that denied something.

    Raises:
        ConfigError: nothing was denied.
    """
    table = Table(
        title="a customer's letter tells the agent to pay another account: what it tried, in order",
        box=SIMPLE_HEAD,
        pad_edge=False,
        title_justify="left",
    )
    for name in _COLUMNS:
        free = name in ("on", "why")
        table.add_column(
            name, overflow="fold", no_wrap=not free, justify="right" if name == "left" else "left", max_width=_WIDTHS.get(name)
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
