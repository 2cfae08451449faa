"""`halo keys`, `halo approvals` and `halo approver`: who can sign what, challenges, and their signed answers.

A secret is never printed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.markup import escape
from rich.table import Table
from rich.text import Text
from typer import Argument, Option

from halo_core.authorities import Authorities, approver_key_name, parse_public_key
from halo_core.cli.context import (
    ApproverKeyHomeOption,
    KeysHomeOption,
    StoreContext,
    WhyOption,
    parse_duration,
    store_verb,
    warn_unwritten,
)
from halo_core.cli.rendering import build_field_table, build_table, console, safe_text, say, say_plainly
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.errors import ConfigError
from halo_core.oversight import ApprovalAnswer, ApprovalRequest, Spending, answer, keys, list_requests, load_request
from halo_core.oversight.keys import (
    KeyFile,
    TrustedKey,
    enrol_approver,
    list_key_files,
    list_trusted_keys,
    list_warnings,
    record_withdrawal,
)
from halo_core.oversight.requests import RequestSummary, summarize_requests
from halo_core.store.reader import Reader
from halo_core.views import select_fields
from halo_core.views.inventory import find_holders, list_follow_ups, refuse_without_overlap
from halo_core.views.wording import format_amount, format_content, format_limit, format_percent, parse_amount

_WIDE_COLUMNS: Final = 140
_FILE_TITLES: Final = ("key", "kind", "thumbprint", "signs", "owner", "mode", "this process")
_TRUST_TITLES: Final = ("tenant", "part", "name", "thumbprint", "since", "until")

keys_app = typer.Typer(help="List keys, and rotate or retire issuer keys.", no_args_is_help=True)


@store_verb(keys_app, "report", db=False, tenant=False)
def report_keys(*, key_home: KeysHomeOption = None, store: StoreContext) -> None:
    """List key files and trusted keys, what each can sign and who can read it. Private keys are never shown."""
    for place in (store.home, key_home):
        if place is not None and not place.is_dir():
            problem = f"there is no folder `{place}`"
            remedy = "run your app once, or `halo passport issue AGENT`, or give `--home`"
            raise ConfigError("no_home", problem, field="home", remedy=remedy)
    authorities = Authorities(store.home)
    files = list_key_files(KeyStore(key_home or store.home))
    trust_by_tenant = {tenant: authorities.load(tenant) for tenant in authorities.tenants()}
    trusted = list_trusted_keys(trust_by_tenant, files, SystemClock().now_us())
    warning_texts = list_warnings(files, trusted)
    if store.print_json({"keys": files, "trusted": trusted, "warnings": warning_texts}):
        return
    say_plainly(f"keys in {key_home or store.home}")
    wide = console().width >= _WIDE_COLUMNS
    say(_render_rows(_FILE_TITLES, map(_build_file_cells, files), wide=wide))
    if trusted:
        say("\ntrusted, by authorities.json")
        say(_render_rows(_TRUST_TITLES, map(_build_trusted_cells, trusted), wide=wide))
    for text in warning_texts:
        say("[bold yellow]warning[/] ", safe_text(text))


def _render_rows(titles: Sequence[str], rows: Iterable[tuple[str, ...]], *, wide: bool) -> Table | Text:
    """A table; on a narrow terminal a block for each row, in which the thumbprint has its own line."""
    if wide:
        table = build_table(titles)
        for cells in rows:
            table.add_row(*map(safe_text, cells))
        return table
    mark = titles.index("thumbprint")
    blocks = []
    for cells in rows:
        lines = (", ".join(cells[:mark]), f"  {cells[mark]}", f"  {', '.join(cells[mark + 1 :])}")
        blocks.append(Text("\n").join(map(safe_text, lines)))
    return Text("\n").join(blocks)


def _build_file_cells(item: KeyFile) -> tuple[str, ...]:
    reads = "can read it" if item.readable else "cannot read it"
    return item.name, item.kind, item.key_id or "-", item.signs or "-", item.owner, item.mode, reads


def _build_trusted_cells(item: TrustedKey) -> tuple[str, ...]:
    until = format_iso(item.until_us) if item.until_us is not None else "in use"
    since = format_iso(item.since_us) if item.since_us else "always"
    return item.tenant, item.role, item.name or "-", item.key_id, since, until


@store_verb(keys_app, "rotate", tenant=False, by=True)
def rotate_issuer(
    what: Annotated[str, Argument(metavar="issuer", help="What to rotate: `issuer`.")],
    *,
    overlap: Annotated[str, Option("--overlap", help="How long passports of the old key stay valid.")] = "7d",
    yes: Annotated[bool, Option("--yes", help="Rotate even if passports become invalid at once.")] = False,
    key_home: KeysHomeOption = None,
    store: StoreContext,
) -> None:
    """Create a new issuer key. Passports signed with the old key stay valid until the overlap ends."""
    if what != "issuer":
        raise ConfigError("bad_rotation", f"`{what[:32]}` cannot be rotated", field="what", remedy="rotate `issuer`")
    key_store, authorities, now_us = KeyStore(key_home or store.home), Authorities(store.home), SystemClock().now_us()
    lasts = 0 if overlap == "0" else parse_duration(overlap)
    tenants = _list_tenants(store.url, key_store, authorities, now_us)
    holders_by_tenant = {tenant: find_holders(store.url, tenant, keys.current_key_id(key_store)) for tenant in tenants}
    if not lasts and not yes:
        refuse_without_overlap(holders_by_tenant)
    done: dict[str, keys.Rotation] = {}
    for tenant in tenants:
        with store.open_store(tenant) as opened:
            done[tenant] = keys.rotate_issuer(
                opened, key_store, authorities, overlap_s=lasts, by=store.actor, now_us=now_us
            )
    old_key_path = keys.swap_issuer_keys(key_store)
    swept = keys.remove_expired_keys(key_store, authorities, now_us)
    kept = old_key_path.name if old_key_path.exists() else None
    tenant_rows = {tenant: select_fields(item, "new", "old", "until_us") for tenant, item in done.items()}
    if store.print_json({"kept": kept, "removed": swept, "tenants": tenant_rows}):
        return
    for tenant, item in done.items():
        until = format_iso(item.until_us)
        say(f"tenant {tenant}: issuer {item.new}, the old one {item.old} is trusted until {until}")
        for line in list_follow_ups(holders_by_tenant[tenant], until, over=item.until_us <= now_us):
            say(safe_text(f"  {line}"))
    if kept:
        say(f"  the old key is kept as {kept} until then")
    _say_swept(swept)


def _say_swept(names: Sequence[str]) -> None:
    if names:
        say(f"  removed because it is no longer trusted: {', '.join(names)}")


def _list_tenants(url: str, key_store: KeyStore, authorities: Authorities, now_us: int) -> list[str]:
    """Every tenant that trusts the key, since one file serves them all."""
    kid = keys.current_key_id(key_store)
    with Reader(url) as reader:
        here = reader.tenants()
    trusting = [name for name in authorities.tenants() if kid in authorities.load(name).issuer_keys(now_us)]
    elsewhere = sorted(set(trusting) - set(here))
    if elsewhere:
        problem = f"the key also issues passports for {', '.join(elsewhere)} in another database"
        remedy = "give each store that shares the home its own issuer, or merge the stores before rotating"
        raise ConfigError("issuer_shared", problem, field="db", remedy=remedy)
    return trusting or here


@store_verb(keys_app, "retire", by=True)
def retire_issuer(
    kid: Annotated[str, Argument(metavar="KID", help="Thumbprint of an issuer key, or the first characters of it.")],
    *,
    yes: Annotated[bool, Option("--yes", help="Retire the key even if it is in use.")] = False,
    key_home: KeysHomeOption = None,
    store: StoreContext,
) -> None:
    """Stop trusting an issuer key. Every passport that it signed is refused from the next decision on."""
    authorities, now_us = Authorities(store.home), SystemClock().now_us()
    owner = store.resolve_trusted_tenant()
    trust = authorities.load(owner)
    used = keys.is_issuer_in_use(KeyStore(key_home or store.home), trust, keys.resolve_key_id(trust, kid), now_us)
    if used and not yes:
        problem = f"`{kid[:64]}` is the current issuer key: all its passports, including new ones, would be refused"
        remedy = "run `halo keys rotate issuer` first, or confirm with `--yes`"
        raise ConfigError("issuer_in_use", problem, field="kid", remedy=remedy)
    full = keys.retire_issuer(authorities, owner, kid=kid, now_us=now_us)
    problem = store.try_commit(lambda tx: keys.record_retirement(tx, full, by=store.actor, now_us=now_us), owner)
    swept = keys.remove_expired_keys(KeyStore(key_home or store.home), authorities, now_us)
    if store.print_json({"kid": full, "ledger": not problem, "removed": swept, "tenant": owner}):
        return
    say_plainly(f"retired issuer {full} of tenant {owner}")
    if used:
        todo = "run `halo keys rotate issuer` and issue new passports, or nothing runs"
        say(f"[bold yellow]warning[/] it was in use: {todo}")
    _say_swept(swept)
    if problem:
        warn_unwritten("the retirement is in force through authorities.json", problem)


_MILLION: Final = 1_000_000

app = typer.Typer(help="List and answer challenges.", no_args_is_help=True)

IdArgument = Annotated[str, Argument(help="Id of the request, or the first characters of it.")]
AsOption = Annotated[str, Option("--as", help="The approver's enrolled name.")]


@store_verb(app, "list")
def list_questions(
    *,
    everything: Annotated[bool, Option("--all", help="Include answered, used and expired requests.")] = False,
    store: StoreContext,
) -> None:
    """List challenges that wait for an answer."""
    with store.open_log() as (reader, owner):
        known = list_requests(reader, owner, SystemClock().now_us())
        rows = [item for item in known if everything or item[1] == "pending"]
        details = summarize_requests(reader, owner) if rows else {}
    items = [(row, status, details.get(row.id, RequestSummary())) for row, status in rows]
    names = ("id", "kind", "session", "asked_us", "expires_us")
    if store.print_json(
        [
            {**select_fields(row, *names), **select_fields(detail, "agent", "codes", "resource"), "status": status}
            for row, status, detail in items
        ]
    ):
        return
    for row, status, detail in items:
        say(safe_text(f"{row.id}  {status}, until {format_iso(row.expires_us)}"))
        request_text = "one call" if row.kind == "call" else "re-authorization"
        line = f"  {detail.agent or '?'}, session {row.session}: {request_text}, `{detail.resource or '?'}`"
        say(safe_text(f"{line} ({', '.join(detail.codes) or 'no reason that can be read'})"))
    if not rows:
        say("no request waits for an answer")


@store_verb(app, "show")
def show_question(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    reveal: Annotated[bool, Option("--reveal", help="Show content unmasked.")] = False,
    store: StoreContext,
) -> None:
    """Show a request: the call, who requested it, the reason, and what was spent."""
    question = _load_question(store, id, reveal=reveal)
    if not store.print_json(question.to_plain()):
        say(build_field_table((name, escape(value)) for name, value in _build_question_rows(question)))


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
        ("who", f"{question.agent}, session {question.session}" + (f", for {question.user}" if question.user else "")),
        ("in the chain", ", ".join(question.identities)),
        *(
            ("why", f"{item.title}: {item.detail or '-'} [{item.code}, {item.source or '-'}]")
            for item in question.reasons
        ),
        *((f"content {name}", format_content(value)) for name, value in question.content.items()),
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
        f"session {question.session} continues as epoch {question.epoch}: "
        f"{', '.join([*limits, f'authority {format_percent(done.authority)}'])}"
    )


@store_verb(app, "approve")
def approve(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    name: AsOption,
    why: WhyOption = "",
    raised: Annotated[
        list[str] | None,
        Option(
            "--raise",
            metavar="UNIT=AMOUNT",
            help="New limit of the session, in all. Without it, the limit that ran out is raised once more by what a "
            "session starts with, never above the ceiling; the others stay.",
        ),
    ] = None,
    lasts: Annotated[str, Option("--for", help="How long the answer stays valid if it is not used.")] = "1h",
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Approve this exact request, once."""
    question = _load_question(store, id)
    decimals = {item.unit: item.decimals for item in question.budgets}
    limits = {}
    for text in raised or ():
        unit, _, amount = text.partition("=")
        limits[unit] = parse_amount(amount, decimals.get(unit, 0), field="raise", example="USD=50.00", shown=text)
    _record_answer(store, question, name, limits, key_home=key_home, approve=True, why=why, lasts=lasts)


@store_verb(app, "deny")
def deny(
    id: IdArgument,  # noqa: A002  the word users expect
    *,
    name: AsOption,
    why: Annotated[str, Option("--why", help="The reason; it is recorded in the ledger.")],
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Deny a request."""
    question = _load_question(store, id)
    _record_answer(store, question, name, {}, key_home=key_home, approve=False, why=why)


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
) -> None:
    with store.open_store(store.resolve_tenant()) as opened:
        done = answer(
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
            shown=canonical.encode(question.to_plain()),
        )
    new_limits = {item.unit: format_amount(item.subtree, item.decimals) for item in done.budgets}
    names = ("request", "status", "approver", "key_id", "entry", "expires_s", "authority")
    if store.print_json({**select_fields(done, *names), "limits": new_limits}):
        return
    say_plainly(f"{done.status} by {done.approver}: {question.action} `{question.resource}`")
    if approve and question.row.kind == "reauthorization":
        say(safe_text(f"  {_describe_approval(question, done)}"))
    if approve:
        say(f"  valid once, until {format_iso(done.expires_s * _MILLION)}; it is checked again when it is used")


approver_app = typer.Typer(help="Manage the approvers who may answer challenges.", no_args_is_help=True)


@store_verb(approver_app, "enrol", by=True)
def enrol_one(
    name: Annotated[str, Argument(help="Name of the person, for example mia@bank.example.")],
    *,
    public_key: Annotated[
        str, Option("--public-key", help="Public key in base64 (default: a new key pair is generated).")
    ] = "",
    key_home: ApproverKeyHomeOption = None,
    store: StoreContext,
) -> None:
    """Enrol an approver."""
    owner = store.resolve_tenant()
    place = key_home or store.home
    key = parse_public_key(public_key) if public_key else KeyStore(place).signer(approver_key_name(name)).public_key
    with store.open_store(owner) as opened:
        now_us = opened.clock.now_us()
        kid = enrol_approver(opened, Authorities(store.home), name=name, public_key=key, by=store.actor, now_us=now_us)
    if store.print_json({"kid": kid, "name": name, "tenant": owner}):
        return
    say_plainly(f"enrolled {name} for tenant {owner}, key {kid}")
    if not public_key:
        say_plainly(f"  the key is in {place / approver_key_name(name)}.key")
        if place.resolve() == store.home.resolve():
            say("  [yellow]the agents' process can read it there[/]: use --key-home or --public-key for people")


@store_verb(approver_app, "list")
def list_approvers(*, store: StoreContext) -> None:
    """List current and former approvers."""
    owner = store.resolve_trusted_tenant()
    trusted = Authorities(store.home).load(owner)
    live = trusted.approver_keys(SystemClock().now_us())
    keys = sorted(trusted.approvers.items(), key=lambda pair: (pair[1].name, pair[1].since_us))
    names = ("name", "since_us", "until_us")
    if store.print_json([select_fields(item, *names) | {"kid": kid, "live": kid in live} for kid, item in keys]):
        return
    for kid, item in keys:
        until = f", withdrawn {format_iso(item.until_us)}" if item.until_us is not None else ""
        say_plainly(f"{item.name}  key {kid}  since {format_iso(item.since_us)}{until}")
    if not keys:
        say_plainly(f"tenant {owner} has no approver; run `halo approver enrol NAME`")


@store_verb(approver_app, "withdraw", json=False, by=True)
def withdraw_one(name: Annotated[str, Argument(help="The enrolled name.")], *, store: StoreContext) -> None:
    """Withdraw an approver. Answers that were not used yet become invalid."""
    owner = store.resolve_trusted_tenant()
    now_us = SystemClock().now_us()
    kids = Authorities(store.home).withdraw_approver(owner, name, now_us)
    say_plainly(f"withdrawn {name}: {', '.join(kids)}")
    problem = store.try_commit(lambda tx: record_withdrawal(tx, kids, name=name, by=store.actor, now_us=now_us), owner)
    if problem:
        warn_unwritten("the withdrawal is in force through authorities.json", problem)
