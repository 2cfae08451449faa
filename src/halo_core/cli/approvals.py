"""Room: `halo approvals`. Takes: a store, an approver's key. Gives: questions; signed answers. Never: decides."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.cli.stop import WhyOption, tenant_of
from halo_core.cli.words import amount, cell, duration, percent
from halo_core.clock import SystemClock, iso
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.oversight import Answered, Question, Spending, answer, ask, questions
from halo_core.oversight.listing import About, about
from halo_core.query import Contents, one_tenant
from halo_core.store import Store, StoreConfig
from halo_core.store.reader import Reader

__all__ = ["KeyHomeOption", "app", "seconds"]

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"([0-9]{1,7})([smhd])")
_MILLION: Final = 1_000_000

app = typer.Typer(help="Challenges: see them, answer them.", no_args_is_help=True)

KeyHomeOption = Annotated[
    Path | None,
    typer.Option("--key-home", help="Folder of the approver's key (default: the home, where agents can read it)."),
]
IdArgument = Annotated[str, typer.Argument(help="Id of the request, or its start.")]
AsOption = Annotated[str, typer.Option("--as", help="Who answers: the name enrolled.")]


def seconds(text: str) -> int:
    """A duration such as `90s`, `30m`, `1h` or `7d`.

    Raises:
        ConfigError: it is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ConfigError("bad_duration", f"`{text[:32]}` is no duration", remedy="for example 30m, 1h or 7d")
    return int(found[1]) * _UNITS[found[2]]


# questions


@app.command("list")
def list_questions(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Those answered, used and expired as well.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Challenges that wait for an answer."""
    _, url = where(home, db)
    with Reader(url) as reader:
        now_us, owner = SystemClock().now_us(), one_tenant(reader, tenant)
        found = [item for item in questions(reader, owner, now_us) if everything or item[1] == "pending"]
        told = about(reader, owner) if found else {}
    if json:
        names = ("id", "kind", "session", "asked_us", "expires_us")
        print_json(
            [
                {
                    **{name: getattr(row, name) for name in names},
                    "agent": told.get(row.id, About()).agent,
                    "codes": list(told.get(row.id, About()).codes),
                    "resource": told.get(row.id, About()).resource,
                    "status": status,
                }
                for row, status in found
            ]
        )
        return Exit.OK
    view = console()
    for row, status in found:
        what = told.get(row.id, About())
        view.print(cell(f"{row.id}  {status}, until {iso(row.expires_us)}"))
        asks = "one call" if row.kind == "call" else "going on"
        line = f"  {what.agent or '?'}, session {row.session}: {asks}, `{what.resource or '?'}`"
        view.print(cell(f"{line} ({', '.join(what.codes) or 'no reason that can be read'})"))
    if not found:
        view.print("nothing waits for an answer")
    return Exit.OK


@app.command("show")
def show_question(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show content unmasked.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Show what is asked: the call, who asks, why, what was spent."""
    folder, url = where(home, db)
    found = _ask(url, folder, tenant, id, reveal=reveal)
    if json:
        print_json(found.to_plain())
        return Exit.OK
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _lines(found):
        table.add_row(name, escape(value))
    console().print(table)
    return Exit.OK


def _ask(url: str, home: Path, tenant: str | None, request: str, *, reveal: bool = False) -> Question:
    with Reader(url) as reader:
        contents = Contents.at(reader, KeyStore(home))
        return ask(
            reader,
            home,
            one_tenant(reader, tenant),
            request,
            opened=contents.open,
            now_us=SystemClock().now_us(),
            reveal=reveal,
        )


def _lines(found: Question) -> list[tuple[str, str]]:
    row = found.row
    call = row.kind == "call"
    asks = "may this one call run" if call else f"may the session go on, as epoch {found.epoch}"
    return [
        ("asks", asks),
        ("request", f"{row.id} ({found.status}), index {found.index}, decision {found.decision}"),
        ("until", iso(row.expires_us)),
        ("what", f"{found.action} `{found.resource}` ({found.impact})"),
        ("who", f"{found.agent}, session {row.session}" + (f", for {found.user}" if found.user else "")),
        ("in the chain", ", ".join(found.identities)),
        *(("why", f"{item.title}: {item.detail or '-'} [{item.code}, {item.source or '-'}]") for item in found.reasons),
        *((f"content {name}", value) for name, value in found.content.items()),
        *(_money(found.budgets) if not call else []),
        *([("authority", f"{found.authority / _MILLION:.1%} left")] if found.authority is not None else []),
        ("policy", found.policy),
        ("binding", row.binding),
    ]


def _money(budgets: tuple[Spending, ...]) -> list[tuple[str, str]]:
    shown = []
    for item in budgets:
        spent, limit, most = (_limit(item.unit, n, item.decimals) for n in (item.spent, item.limit, item.most))
        shown.append((f"budget {item.unit}", f"{spent} of {limit} spent; may be raised to {most} at most"))
    return shown


def _limit(unit: str, value: int, decimals: int) -> str:
    return duration(value) if unit == "time" else amount(value, decimals)


def _gives(found: Question, done: Answered) -> str:
    limits = [f"{item.unit} up to {_limit(item.unit, item.subtree, item.decimals)}" for item in done.budgets]
    return (
        f"session {found.row.session} goes on as epoch {found.epoch}: "
        f"{', '.join([*limits, f'authority {percent(done.authority)}'])}"
    )


# answers


@app.command("approve")
def approve(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    name: AsOption,
    why: WhyOption = "",
    raised: Annotated[
        list[str] | None,
        typer.Option(
            "--raise",
            metavar="UNIT=AMOUNT",
            help="New limit of the session, in all. Without it, the limit that ran out is raised once more by what a "
            "session starts with, never above the ceiling; the others stay.",
        ),
    ] = None,
    lasts: Annotated[str, typer.Option("--for", help="How long the answer may lie unused.")] = "1h",
    key_home: KeyHomeOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Say yes, once, to exactly this."""
    folder, url = where(home, db)
    found = _ask(url, folder, tenant, id)
    return _answer(
        found,
        name,
        _limits(found, raised or []),
        url=url,
        home=folder,
        tenant=tenant,
        key_home=key_home,
        approve=True,
        why=why,
        lasts=lasts,
        json=json,
    )


@app.command("deny")
def deny(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    name: AsOption,
    why: Annotated[str, typer.Option("--why", help="The reason, kept in the ledger.")],
    key_home: KeyHomeOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Say no."""
    folder, url = where(home, db)
    found = _ask(url, folder, tenant, id)
    return _answer(
        found,
        name,
        {},
        url=url,
        home=folder,
        tenant=tenant,
        key_home=key_home,
        approve=False,
        why=why,
        lasts="1h",
        json=json,
    )


def _limits(found: Question, raised: list[str]) -> dict[str, int]:
    decimals = {item.unit: item.decimals for item in found.budgets}
    limits = {}
    for text in raised:
        unit, _, amount = text.partition("=")
        try:
            scaled = Decimal(amount).scaleb(decimals.get(unit, 0))
            limits[unit] = int(scaled)
        except (InvalidOperation, OverflowError, ValueError):
            scaled = Decimal("0.5")
        if scaled != scaled.to_integral_value() or not 0 <= scaled < 2**53:
            raise ConfigError(
                "bad_amount", f"`{text[:64]}` is no amount", field="raise", remedy="for example USD=50.00"
            )
    return limits


def _answer(
    found: Question,
    name: str,
    limits: Mapping[str, int],
    *,
    url: str,
    home: Path,
    tenant: str | None,
    key_home: Path | None,
    approve: bool,
    why: str,
    lasts: str,
    json: bool,
) -> int:
    store = Store(StoreConfig(url, home, tenant_of(url, tenant)), KeyStore(home))
    try:
        done: Answered = answer(
            store,
            KeyStore(key_home or home),
            home,
            request_id=found.row.id,
            approver=name,
            approve=approve,
            why=why,
            raise_=limits,
            now_us=store.clock.now_us(),
            lifetime_s=seconds(lasts),
        )
        store.checkpoint()
    finally:
        store.close()
    if json:
        names = ("request", "status", "approver", "key_id", "entry", "expires_s")
        gives = {item.unit: amount(item.subtree, item.decimals) for item in done.budgets}
        print_json({**{name: getattr(done, name) for name in names}, "authority": done.authority, "limits": gives})
        return Exit.OK
    view = console()
    view.print(f"{done.status} by {done.approver}: {found.action} `{found.resource}`", markup=False)
    if approve and found.row.kind == "reauthorization":
        view.print(cell(f"  {_gives(found, done)}"))
    if approve:
        view.print(f"  good once, until {iso(done.expires_s * _MILLION)}; it is checked again when it is used")
    return Exit.OK
