"""Room: `halo approvals`. Takes: a store, an approver's key. Gives: questions; signed answers. Never: decides.

Room: `halo approver`. Takes: a name, a public key. Gives: who may answer, on record. Never: answers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table

from halo_core.authorities import Authorities, approver_key_name, parse_public_key
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    print_json,
    resolve_store,
)
from halo_core.cli.controls import (
    ByOption,
    WhyOption,
    commit,
    resolve_actor,
    resolve_tenant,
    resolve_trusted_tenant,
    warn_unwritten,
)
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.oversight import ApprovalAnswer, ApprovalRequest, Spending, answer, list_requests, load_request
from halo_core.oversight.keys import enrol_approver, record_withdrawal, withdraw_approver
from halo_core.oversight.requests import RequestSummary, summarize_requests
from halo_core.store import Store, StoreConfig
from halo_core.store.log import SealedContents, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.wording import format_amount, format_duration, format_percent, safe_text

__all__ = [
    "KeyHomeOption",
    "app",
    "approver_app",
    "parse_duration",
]


_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_DURATION: Final = re.compile(r"([0-9]{1,7})([smhd])")
_MILLION: Final = 1_000_000

app = typer.Typer(help="List and answer challenges.", no_args_is_help=True)

KeyHomeOption = Annotated[
    Path | None,
    typer.Option("--key-home", help="Folder of the approver's key (default: the home, which agents can read)."),
]
IdArgument = Annotated[str, typer.Argument(help="Id of the request, or the first characters of it.")]
AsOption = Annotated[str, typer.Option("--as", help="The approver's enrolled name.")]


def parse_duration(text: str) -> int:
    """A duration such as `90s`, `30m`, `1h` or `7d`.

    Raises:
        ConfigError: it is none.
    """
    match = _DURATION.fullmatch(text)
    if match is None:
        raise ConfigError("bad_duration", f"`{text[:32]}` is not a duration", remedy="for example 30m, 1h or 7d")
    return int(match[1]) * _UNITS[match[2]]


# questions


@app.command("list")
def list_questions(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Include answered, used and expired requests.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """List challenges that wait for an answer."""
    _, url = resolve_store(home, db)
    with Reader(url) as reader:
        now_us, owner = SystemClock().now_us(), select_tenant(reader, tenant)
        rows = [item for item in list_requests(reader, owner, now_us) if everything or item[1] == "pending"]
        details = summarize_requests(reader, owner) if rows else {}
    if json:
        names = ("id", "kind", "session", "asked_us", "expires_us")
        print_json(
            [
                {
                    **{name: getattr(row, name) for name in names},
                    "agent": details.get(row.id, RequestSummary()).agent,
                    "codes": list(details.get(row.id, RequestSummary()).codes),
                    "resource": details.get(row.id, RequestSummary()).resource,
                    "status": status,
                }
                for row, status in rows
            ]
        )
        return Exit.OK
    view = console()
    for row, status in rows:
        detail = details.get(row.id, RequestSummary())
        view.print(safe_text(f"{row.id}  {status}, until {format_iso(row.expires_us)}"))
        request_text = "one call" if row.kind == "call" else "re-authorization"
        line = f"  {detail.agent or '?'}, session {row.session}: {request_text}, `{detail.resource or '?'}`"
        view.print(safe_text(f"{line} ({', '.join(detail.codes) or 'no reason that can be read'})"))
    if not rows:
        view.print("no request waits for an answer")
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
    """Show a request: the call, who requested it, the reason, and what was spent."""
    folder, url = resolve_store(home, db)
    question = _load_question(url, folder, tenant, id, reveal=reveal)
    if json:
        print_json(question.to_plain())
        return Exit.OK
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _build_question_rows(question):
        table.add_row(name, escape(value))
    console().print(table)
    return Exit.OK


def _load_question(url: str, home: Path, tenant: str | None, request: str, *, reveal: bool = False) -> ApprovalRequest:
    with Reader(url) as reader:
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        return load_request(
            reader,
            home,
            select_tenant(reader, tenant),
            request,
            opener=contents.open,
            now_us=SystemClock().now_us(),
            reveal=reveal,
        )


def _build_question_rows(question: ApprovalRequest) -> list[tuple[str, str]]:
    row = question.row
    call = row.kind == "call"
    request_text = "allow this one call" if call else f"continue the session as epoch {question.epoch}"
    return [
        ("asks", request_text),
        ("request", f"{row.id} ({question.status}), index {question.index}, decision {question.decision}"),
        ("until", format_iso(row.expires_us)),
        ("what", f"{question.action} `{question.resource}` ({question.impact})"),
        ("who", f"{question.agent}, session {row.session}" + (f", for {question.user}" if question.user else "")),
        ("in the chain", ", ".join(question.identities)),
        *(
            ("why", f"{item.title}: {item.detail or '-'} [{item.code}, {item.source or '-'}]")
            for item in question.reasons
        ),
        *((f"content {name}", value) for name, value in question.content.items()),
        *(_build_budget_rows(question.budgets) if not call else []),
        *([("authority", f"{question.authority / _MILLION:.1%} left")] if question.authority is not None else []),
        ("policy", question.policy),
        ("binding", row.binding),
    ]


def _build_budget_rows(budgets: tuple[Spending, ...]) -> list[tuple[str, str]]:
    rows = []
    for item in budgets:
        spent, limit, most = (
            _format_limit(item.unit, n, item.decimals) for n in (item.spent, item.limit, item.max_limit)
        )
        rows.append((f"budget {item.unit}", f"{spent} of {limit} spent; can be raised to {most}"))
    return rows


def _format_limit(unit: str, value: int, decimals: int) -> str:
    return format_duration(value) if unit == "time" else format_amount(value, decimals)


def _describe_approval(question: ApprovalRequest, done: ApprovalAnswer) -> str:
    limits = [f"{item.unit} up to {_format_limit(item.unit, item.subtree, item.decimals)}" for item in done.budgets]
    return (
        f"session {question.row.session} continues as epoch {question.epoch}: "
        f"{', '.join([*limits, f'authority {format_percent(done.authority)}'])}"
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
    lasts: Annotated[str, typer.Option("--for", help="How long the answer stays valid if it is not used.")] = "1h",
    key_home: KeyHomeOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Approve this exact request, once."""
    folder, url = resolve_store(home, db)
    question = _load_question(url, folder, tenant, id)
    return _record_answer(
        question,
        name,
        _parse_limits(question, raised or []),
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
    why: Annotated[str, typer.Option("--why", help="The reason; it is recorded in the ledger.")],
    key_home: KeyHomeOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Deny a request."""
    folder, url = resolve_store(home, db)
    question = _load_question(url, folder, tenant, id)
    return _record_answer(
        question,
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


def _parse_limits(question: ApprovalRequest, raised: list[str]) -> dict[str, int]:
    decimals = {item.unit: item.decimals for item in question.budgets}
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
                "bad_amount", f"`{text[:64]}` is not an amount", field="raise", remedy="for example USD=50.00"
            )
    return limits


def _record_answer(
    question: ApprovalRequest,
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
    store = Store(StoreConfig(url, home, resolve_tenant(url, tenant)), KeyStore(home))
    try:
        done: ApprovalAnswer = answer(
            store,
            KeyStore(key_home or home),
            home,
            request_id=question.row.id,
            approver=name,
            approve=approve,
            why=why,
            raised=limits,
            now_us=store.clock.now_us(),
            lifetime_s=parse_duration(lasts),
        )
        store.checkpoint()
    finally:
        store.close()
    if json:
        names = ("request", "status", "approver", "key_id", "entry", "expires_s")
        new_limits = {item.unit: format_amount(item.subtree, item.decimals) for item in done.budgets}
        print_json({**{name: getattr(done, name) for name in names}, "authority": done.authority, "limits": new_limits})
        return Exit.OK
    view = console()
    view.print(f"{done.status} by {done.approver}: {question.action} `{question.resource}`", markup=False)
    if approve and question.row.kind == "reauthorization":
        view.print(safe_text(f"  {_describe_approval(question, done)}"))
    if approve:
        view.print(f"  valid once, until {format_iso(done.expires_s * _MILLION)}; it is checked again when it is used")
    return Exit.OK


approver_app = typer.Typer(help="Manage the approvers who may answer challenges.", no_args_is_help=True)


@approver_app.command("enrol")
def enrol_one(
    name: Annotated[str, typer.Argument(help="Name of the person, for example mia@bank.example.")],
    *,
    public_key: Annotated[
        str, typer.Option("--public-key", help="Public key in base64 (default: a new key pair is generated).")
    ] = "",
    key_home: KeyHomeOption = None,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Enrol an approver."""
    folder, url = resolve_store(home, db)
    owner = resolve_tenant(url, tenant)
    place = key_home or folder
    key = parse_public_key(public_key) if public_key else KeyStore(place).signer(approver_key_name(name)).public_key
    store = Store(StoreConfig(url, folder, owner), KeyStore(folder))
    try:
        now_us = store.clock.now_us()
        kid = enrol_approver(store, Authorities(folder), name=name, public_key=key, by=resolve_actor(by), now_us=now_us)
        store.checkpoint()
    finally:
        store.close()
    if json:
        print_json({"kid": kid, "name": name, "tenant": owner})
        return Exit.OK
    view = console()
    view.print(f"enrolled {name} for tenant {owner}, key {kid}", markup=False)
    if not public_key:
        view.print(f"  the key is in {place / approver_key_name(name)}.key", markup=False)
        if place.resolve() == folder.resolve():
            view.print("  [yellow]the agents' process can read it there[/]: use --key-home or --public-key for people")
    return Exit.OK


@approver_app.command("list")
def list_approvers(
    *, db: DbOption = "", home: HomeOption = None, tenant: TenantOption = None, json: JsonOption = False
) -> int:
    """List current and former approvers."""
    folder, url = resolve_store(home, db)
    owner = resolve_trusted_tenant(url, folder, tenant)
    trusted = Authorities(folder).load(owner)
    live = trusted.approver_keys(SystemClock().now_us())
    rows = [
        {"kid": kid, "live": kid in live, "name": item.name, "since_us": item.since_us, "until_us": item.until_us}
        for kid, item in sorted(trusted.approvers.items(), key=lambda pair: (pair[1].name, pair[1].since_us))
    ]
    if json:
        print_json(rows)
        return Exit.OK
    view = console()
    for row in rows:
        until = f", withdrawn {format_iso(int(str(row['until_us'])))}" if row["until_us"] is not None else ""
        view.print(
            f"{row['name']}  key {row['kid']}  since {format_iso(int(str(row['since_us'])))}{until}", markup=False
        )
    if not rows:
        view.print(f"tenant {owner} has no approver; run `halo approver enrol NAME`", markup=False)
    return Exit.OK


@approver_app.command("withdraw")
def withdraw_one(
    name: Annotated[str, typer.Argument(help="The enrolled name.")],
    *,
    by: ByOption = "",
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
) -> int:
    """Withdraw an approver. Answers that were not used yet become invalid."""
    folder, url = resolve_store(home, db)
    owner = resolve_trusted_tenant(url, folder, tenant)
    now_us = SystemClock().now_us()
    kids = withdraw_approver(Authorities(folder), owner, name=name, now_us=now_us)
    console().print(f"withdrawn {name}: {', '.join(kids)}", markup=False)
    try:
        commit(
            url, folder, owner, lambda tx: record_withdrawal(tx, kids, name=name, by=resolve_actor(by), now_us=now_us)
        )
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the withdrawal holds
        warn_unwritten("the withdrawal is in force through authorities.json", str(exc))
    return Exit.OK
