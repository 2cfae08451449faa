"""`halo approvals` and `halo approver`: challenges and their signed answers, and who may give them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape

from halo_core.authorities import Authorities, approver_key_name, parse_public_key
from halo_core.cli.context import (
    ApproverKeyHomeOption,
    StoreContext,
    WhyOption,
    parse_duration,
    store_verb,
    warn_unwritten,
)
from halo_core.cli.rendering import Exit, build_field_table, console, print_json, safe_text
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.oversight import ApprovalAnswer, ApprovalRequest, Spending, answer, list_requests, load_request
from halo_core.oversight.keys import enrol_approver, record_withdrawal
from halo_core.oversight.requests import RequestSummary, summarize_requests
from halo_core.views.wording import format_amount, format_limit, format_percent, parse_amount

_MILLION: Final = 1_000_000

app = typer.Typer(help="List and answer challenges.", no_args_is_help=True)

IdArgument = Annotated[str, typer.Argument(help="Id of the request, or the first characters of it.")]
AsOption = Annotated[str, typer.Option("--as", help="The approver's enrolled name.")]


# questions


@app.command("list")
@store_verb()
def list_questions(
    *,
    everything: Annotated[bool, typer.Option("--all", help="Include answered, used and expired requests.")] = False,
    store: StoreContext,
) -> int:
    """List challenges that wait for an answer."""
    with store.open_log() as (reader, owner):
        known = list_requests(reader, owner, SystemClock().now_us())
        rows = [item for item in known if everything or item[1] == "pending"]
        details = summarize_requests(reader, owner) if rows else {}
    if store.json:
        names = ("id", "kind", "session", "asked_us", "expires_us")
        items = []
        for row, status in rows:
            detail = details.get(row.id, RequestSummary())
            asked = {"agent": detail.agent, "codes": list(detail.codes), "resource": detail.resource, "status": status}
            items.append({name: getattr(row, name) for name in names} | asked)
        print_json(items)
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
@store_verb()
def show_question(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show content unmasked.")] = False,
    store: StoreContext,
) -> int:
    """Show a request: the call, who requested it, the reason, and what was spent."""
    question = _load_question(store, id, reveal=reveal)
    if store.json:
        print_json(question.to_plain())
        return Exit.OK
    console().print(build_field_table((name, escape(value)) for name, value in _build_question_rows(question)))
    return Exit.OK


def _load_question(store: StoreContext, request: str, *, reveal: bool = False) -> ApprovalRequest:
    with store.open_log() as (reader, tenant):
        opener, now_us = store.open_contents(reader).open, SystemClock().now_us()
        return load_request(reader, store.home, tenant, request, opener=opener, now_us=now_us, reveal=reveal)


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
        *(
            (f"budget {item.unit}", "{} of {} spent; can be raised to {}".format(*_format_limits(item)))
            for item in (() if call else question.budgets)
        ),
        *([("authority", f"{question.authority / _MILLION:.1%} left")] if question.authority is not None else []),
        ("policy", question.policy),
        ("binding", row.binding),
    ]


def _format_limits(item: Spending) -> list[str]:
    return [format_limit(item.unit, n, item.decimals) for n in (item.spent, item.limit, item.max_limit)]


def _describe_approval(question: ApprovalRequest, done: ApprovalAnswer) -> str:
    limits = [f"{item.unit} up to {format_limit(item.unit, item.subtree, item.decimals)}" for item in done.budgets]
    return (
        f"session {question.row.session} continues as epoch {question.epoch}: "
        f"{', '.join([*limits, f'authority {format_percent(done.authority)}'])}"
    )


# answers


@app.command("approve")
@store_verb()
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
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Approve this exact request, once."""
    question = _load_question(store, id)
    decimals = {item.unit: item.decimals for item in question.budgets}
    limits = {}
    for text in raised or ():
        unit, _, amount = text.partition("=")
        limits[unit] = parse_amount(amount, decimals.get(unit, 0), field="raise", example="USD=50.00", shown=text)
    return _record_answer(store, question, name, limits, key_home=key_home, approve=True, why=why, lasts=lasts)


@app.command("deny")
@store_verb()
def deny(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    name: AsOption,
    why: Annotated[str, typer.Option("--why", help="The reason; it is recorded in the ledger.")],
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Deny a request."""
    question = _load_question(store, id)
    return _record_answer(store, question, name, {}, key_home=key_home, approve=False, why=why)


def _record_answer(
    store: StoreContext,
    question: ApprovalRequest,
    name: str,
    limits: Mapping[str, int],
    *,
    key_home: Path | None,
    approve: bool,
    why: str,
    lasts: str = "1h",
) -> int:
    with store.open_store(store.resolve_tenant()) as opened:
        done: ApprovalAnswer = answer(
            opened,
            KeyStore(key_home or store.home),
            store.home,
            request_id=question.row.id,
            approver=name,
            approve=approve,
            why=why,
            raised=limits,
            now_us=opened.clock.now_us(),
            lifetime_s=parse_duration(lasts),
        )
    if store.json:
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
@store_verb(by=True)
def enrol_one(
    name: Annotated[str, typer.Argument(help="Name of the person, for example mia@bank.example.")],
    *,
    public_key: Annotated[
        str, typer.Option("--public-key", help="Public key in base64 (default: a new key pair is generated).")
    ] = "",
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> int:
    """Enrol an approver."""
    owner = store.resolve_tenant()
    place = key_home or store.home
    key = parse_public_key(public_key) if public_key else KeyStore(place).signer(approver_key_name(name)).public_key
    with store.open_store(owner) as opened:
        now_us = opened.clock.now_us()
        kid = enrol_approver(opened, Authorities(store.home), name=name, public_key=key, by=store.actor, now_us=now_us)
    if store.json:
        print_json({"kid": kid, "name": name, "tenant": owner})
        return Exit.OK
    view = console()
    view.print(f"enrolled {name} for tenant {owner}, key {kid}", markup=False)
    if not public_key:
        view.print(f"  the key is in {place / approver_key_name(name)}.key", markup=False)
        if place.resolve() == store.home.resolve():
            view.print("  [yellow]the agents' process can read it there[/]: use --key-home or --public-key for people")
    return Exit.OK


@approver_app.command("list")
@store_verb()
def list_approvers(*, store: StoreContext) -> int:
    """List current and former approvers."""
    owner = store.resolve_trusted_tenant()
    trusted = Authorities(store.home).load(owner)
    live = trusted.approver_keys(SystemClock().now_us())
    keys = sorted(trusted.approvers.items(), key=lambda pair: (pair[1].name, pair[1].since_us))
    if store.json:
        names = ("name", "since_us", "until_us")
        print_json([{n: getattr(item, n) for n in names} | {"kid": kid, "live": kid in live} for kid, item in keys])
        return Exit.OK
    view = console()
    for kid, item in keys:
        until = f", withdrawn {format_iso(item.until_us)}" if item.until_us is not None else ""
        view.print(f"{item.name}  key {kid}  since {format_iso(item.since_us)}{until}", markup=False)
    if not keys:
        view.print(f"tenant {owner} has no approver; run `halo approver enrol NAME`", markup=False)
    return Exit.OK


@approver_app.command("withdraw")
@store_verb(json=False, by=True)
def withdraw_one(name: Annotated[str, typer.Argument(help="The enrolled name.")], *, store: StoreContext) -> int:
    """Withdraw an approver. Answers that were not used yet become invalid."""
    owner = store.resolve_trusted_tenant()
    now_us = SystemClock().now_us()
    kids = Authorities(store.home).withdraw_approver(owner, name, now_us)
    console().print(f"withdrawn {name}: {', '.join(kids)}", markup=False)
    try:
        store.commit(lambda tx: record_withdrawal(tx, kids, name=name, by=store.actor, now_us=now_us), tenant=owner)
    except Exception as exc:  # noqa: BLE001  whatever is wrong with the ledger, the withdrawal holds
        warn_unwritten("the withdrawal is in force through authorities.json", str(exc))
    return Exit.OK
