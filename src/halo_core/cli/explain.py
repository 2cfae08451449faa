"""Room: `halo policy explain`, why one decision came out so. Takes: an entry. Gives: each check and what would do.

It reads what the entry recorded and computes the numbers again; whether the verdict itself holds, `halo replay` says.
Never: decides, shows an argument's value, proposes to drop a rule that forbids.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from halo_core import canonical
from halo_core.cli.common import (
    EFFECT_STYLE,
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    where,
)
from halo_core.cli.explain_changes import Wanted, wanted
from halo_core.cli.explain_steps import Case, Step, steps
from halo_core.cli.words import cell
from halo_core.clock import iso
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.model import AccessRequest, Decision, EntryKind, Envelope
from halo_core.oversight.evidence import links_of
from halo_core.policy import CedarPolicy
from halo_core.query import Contents, Found, find, one_tenant
from halo_core.store.reader import Reader

__all__ = ["explain"]


def explain(
    decision: Annotated[str, typer.Argument(metavar="N", help="A decision: its index (#), or its id or its start.")],
    *,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Explain a decision: every check in order with its answer, and the smallest change that would have allowed it."""
    folder, url = where(home, db)
    with Reader(url) as reader:
        found = find(reader, one_tenant(reader, tenant), decision)
        case = _case(reader, folder, found)
    told, changes = steps(case), wanted(case)
    if json:
        print_json(_plain(case, told, changes))
        return Exit.OK
    view = console()
    _head(view, case)
    _steps(view, told)
    _changes(view, case, changes)
    return Exit.OK


def _case(reader: Reader, home: Path, found: Found) -> Case:
    entry = found.entry
    if entry.kind is not EntryKind.DECISION:
        raise ConfigError(
            "not_a_decision", f"#{found.index} is a {entry.kind.value} entry", field="N", remedy="see `halo log`"
        )
    snapshot = entry.body["snapshot"]
    sealed = Contents.at(reader, KeyStore(home)).open(entry, "args")
    args = canonical.from_plain(canonical.loads(sealed)) if sealed is not None else None
    bundle = reader.blob(entry.tenant, snapshot["policy"])
    policies = CedarPolicy.from_bytes(bundle).policies if bundle is not None else ()
    return Case(
        index=found.index,
        entry=entry,
        request=AccessRequest.from_plain(entry.body["request"], args or {}),
        decision=Decision.from_plain(entry.body["decision"]),
        chain=links_of(reader, entry.tenant, snapshot["chain"]),
        accounts=tuple(map(Envelope.from_plain, snapshot["envelopes"])),
        policies={policy.id: policy for policy in policies},
        opened=args is not None,
    )


def _head(view: Console, case: Case) -> None:
    effect, request = case.decision.effect.value, case.request
    ran = "it ran" if case.entry.body["dispatched"] else "it did not run"
    line = cell(f"#{case.index} ", style="bold")
    line.append(effect, style=EFFECT_STYLE[effect])
    line.append(f" {request.kind.value} {request.resource.id}", style="bold")
    line.append(f", {ran} ({case.entry.body['snapshot']['mode']} mode)")
    view.print(line)
    whose = f"{' → '.join(request.subject.chain)}, session {request.context.session}, {iso(case.entry.ts_us)}"
    view.print(cell(whose, style="dim"))


_MARK = {True: cell("✓", style="green"), False: cell("✗", style="bold red"), None: cell("-", style="dim")}


def _steps(view: Console, told: list[Step]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(justify="right", style="dim", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for step in told:
        first, *more = [f"{step.title}{': ' if step.answers else ''}{'; '.join(step.answers[:1])}", *step.answers[1:]]
        mark = cell("!", style="yellow") if step.passed and step.raised else _MARK[step.passed]
        table.add_row(str(step.number), mark, cell(first, style="dim" if step.passed is None else ""))
        for line in more:
            table.add_row("", "", cell(line))
        for line in step.text:
            table.add_row("", "", cell(f"  {line}", style="dim"))
    view.print(table)


def _changes(view: Console, case: Case, changes: list[Wanted]) -> None:
    if not changes:
        if case.decision.effect.runs:
            view.print("nothing stood in its way")
        return
    view.print("[bold]what would have let it through[/]" + (", all of it" if len(changes) > 1 else ""))
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 0, 0, 2))
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for change in changes:
        line = cell(f"{change.code}: ", "bold")
        table.add_row("", line.append_text(cell(change.text)))
        for row in change.snippet:
            table.add_row("", cell(f"    {row}", "cyan"))
    view.print(table)


def _plain(case: Case, told: list[Step], changes: list[Wanted]) -> dict[str, Any]:
    return {
        "changes": [{"code": item.code, "snippet": "\n".join(item.snippet), "text": item.text} for item in changes],
        "effect": case.decision.effect.value,
        "id": case.entry.id,
        "index": case.index,
        "steps": [
            {"answers": list(step.answers), "number": step.number, "passed": step.passed, "title": step.title}
            for step in told
        ],
    }
