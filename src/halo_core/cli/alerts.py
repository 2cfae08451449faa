"""Room: `halo alerts send` and `halo alerts key`. Takes: receivers. Gives: alerts told, once or as they come.

Never: holds up a decision; names a person unasked; shows a secret, or the path of an address, which may be one.

Room: `halo alerts` and `halo judge`. Takes: a store. Gives: what somebody should look at. Never: decides.

`halo alerts send` and `halo alerts key` are `alerts_send`'s.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.table import Table

from halo_core.alerts import (
    Delivery,
    DeliveryCursor,
    DeliveryResult,
    LedgerAlertLog,
    Receiver,
    RetryPolicy,
    Syslog,
    Tls,
    Webhook,
    ed25519_signer,
    format_public_key,
    hmac_signer,
    make_tls_context,
    read_private,
    read_secrets,
)
from halo_core.alerts.records import read_agent_alert
from halo_core.baselines import load_identities
from halo_core.cli.context import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    fail,
    print_json,
    resolve_store,
)
from halo_core.cli.controls import ByOption, WhyOption, commit, resolve_actor
from halo_core.clock import SystemClock, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, ConfigError, Tampered
from halo_core.identities.day_alerts import AlertedEvent, DayAlert, subject_of
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store import Draft, Transaction
from halo_core.store.log import LoggedEntry, find_entry, read_entries, read_verdict, select_tenant
from halo_core.store.reader import Reader
from halo_core.views.alerts import ALTERED, IdentityNames, is_about_identity
from halo_core.views.wording import safe_text

__all__ = [
    "app",
    "judge",
    "send",
    "show_signing_key",
]


_FOLDER: Final = "alerts"
_SIGNING_KEY: Final = "alerts"
_TIMEOUT_S: Final = 15.0
_FIRST_RETRY_S: Final = 1.0
_MAX_RETRY_S: Final = 60.0
_MAX_FOLLOW_S: Final = 300.0
_MIN_FOLLOW_S: Final = 0.2


@dataclass(slots=True)
class _DeliveryState:
    """A delivery while it is followed: how often it failed in a row, when it is due."""

    delivery: Delivery
    log: LedgerAlertLog
    failures: int = 0
    due_s: float = 0.0
    down: bool = False


def send(
    *,
    webhook: Annotated[
        str, typer.Option("--webhook", metavar="URL", help="Webhook that receives signed alerts by POST.")
    ] = "",
    webhook_file: Annotated[
        Path | None, typer.Option("--webhook-file", help="Private file with the URL, if the URL is secret.")
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option(
            "--secret-file", help="File with secrets `whsec_...`, one per line (default: sign with the home's key)."
        ),
    ] = None,
    syslog: Annotated[
        str, typer.Option("--syslog", metavar="URL", help="`tls://host`, `tcp://host:port` or `udp://host`.")
    ] = "",
    ca: Annotated[
        Path | None, typer.Option("--ca", help="PEM file of certificate authorities; only these are trusted.")
    ] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Keep sending until stopped.")] = False,
    every: Annotated[
        float, typer.Option("--every", metavar="SECONDS", help="How often --follow checks for new alerts.")
    ] = 5.0,
    tries: Annotated[int, typer.Option("--tries", min=1, max=10, help="How often sending an alert is attempted.")] = 4,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Mark existing alerts as sent without sending them.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Include names of people and service accounts (default: fingerprints).")
    ] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Send alerts to a webhook or to syslog, at least once each. Alerts that were not accepted are sent again."""
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        tenant_name = select_tenant(reader, tenant)
        control = reader.control(tenant_name)
    store = str(control[1]) if control is not None else ""
    if names and "content" not in KeyStore(folder).names():
        text = "names are encrypted and `content.key` is not available: alerts are sent without names"
        console(stderr=True).print(f"[yellow]note[/]: {text}")
    receivers = _build_receivers(
        folder, _read_webhook_url(webhook, webhook_file), syslog, secret_file, make_tls_context(ca)
    )
    every = max(_MIN_FOLLOW_S, min(_MAX_FOLLOW_S, every))
    retry = RetryPolicy(1, every, _MAX_FOLLOW_S) if follow else RetryPolicy(tries, _FIRST_RETRY_S, _MAX_RETRY_S)
    with ExitStack() as stack:
        states = []
        for address, receiver in receivers.items():
            cursor = DeliveryCursor(folder / _FOLDER, (address, store, tenant_name))
            stack.enter_context(cursor.lock())
            delivery = Delivery(receiver, cursor, retry, time.sleep, random.random)
            states.append(
                _DeliveryState(delivery, LedgerAlertLog(url, tenant_name, KeyStore(folder) if names else None))
            )
            _start_delivery(states[-1], skip=from_now)
        return _follow(states, every) if follow else _deliver_once(states, json=json)


def show_signing_key(
    *,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the public key of the webhook signatures (`v1a`) that are made without a shared secret."""
    folder, _ = resolve_store(home, "")
    encoded_key = format_public_key(KeyStore(folder).signer(_SIGNING_KEY))
    if json:
        print_json({"public_key": encoded_key})
        return Exit.OK
    console().print(encoded_key, markup=False)
    return Exit.OK


def _build_receivers(
    folder: Path, webhook: str, syslog: str, secret_file: Path | None, context: Tls
) -> dict[str, Receiver]:
    """Address → receiver."""
    receivers: dict[str, Receiver] = {}
    if webhook:
        sign = (
            hmac_signer(read_secrets(secret_file))
            if secret_file is not None
            else ed25519_signer(KeyStore(folder).signer(_SIGNING_KEY))
        )
        receivers[webhook] = Webhook.from_url(webhook, sign, context, SystemClock(), _TIMEOUT_S)
    elif secret_file is not None:
        raise ConfigError("no_receiver", "a secret needs a webhook", field="secret-file", remedy="add `--webhook`")
    if syslog:
        receivers[syslog] = Syslog.from_url(syslog, context, _TIMEOUT_S)
    if not receivers:
        raise ConfigError("no_receiver", "no receiver is given", remedy="give `--webhook URL`, `--syslog URL`, or both")
    return receivers


def _read_webhook_url(webhook: str, file: Path | None) -> str:
    if file is None:
        return webhook
    lines = read_private(file, "webhook-file")
    if webhook or len(lines) != 1:
        raise ConfigError(
            "bad_url",
            "only one webhook can be used at a time",
            field="webhook-file",
            remedy="write one line to the file",
        )
    return lines[0]


def _start_delivery(state: _DeliveryState, *, skip: bool) -> None:
    if not state.delivery.start(state.log):
        text = f"{state.delivery.receiver.name} received alerts of another log: all alerts are sent again"
        console(stderr=True).print(f"[yellow]note[/]: {text}")
    if skip:
        state.delivery.skip_existing(state.log)


def _deliver_once(states: list[_DeliveryState], *, json: bool) -> int:
    """One run for each; a receiver that is down does not keep the next one from being told."""
    done = [(state.delivery, state.delivery.run(state.log)) for state in states]
    if json:
        print_json({"receivers": [_delivery_to_json(delivery, result) for delivery, result in done]})
    else:
        for delivery, result in done:
            _print_delivery(delivery, result, always=True)
    return Exit.FAILED if any(result.problem or result.owed for _, result in done) else Exit.OK


def _delivery_to_json(delivery: Delivery, result: DeliveryResult) -> dict[str, object]:
    problem = result.problem
    return {
        "confirmed": delivery.receiver.confirms,
        "owed": result.owed,
        "problem": None if problem is None else {"code": problem.code, "message": problem.message},
        "receiver": delivery.receiver.name,
        "sent": result.taken,
    }


def _print_delivery(delivery: Delivery, result: DeliveryResult, *, always: bool) -> None:
    receiver = delivery.receiver
    if result.taken or always:
        sure = "accepted by" if receiver.confirms else "sent without confirmation to"
        console().print(f"{result.taken} alerts {sure} {receiver.name}", markup=False)
    if result.owed and result.problem is not None:
        console(stderr=True).print(
            f"{result.owed} alerts that {receiver.name} did not accept are still to be sent", markup=False
        )
    if result.problem is not None:
        fail(result.problem, Exit.FAILED)


def _follow(states: list[_DeliveryState], every_s: float) -> int:
    """Go on until interrupted; each receiver at its own pace."""
    try:
        for now_s in _iterate_ticks(every_s):
            for state in states:
                _deliver_if_due(state, now_s)
    except KeyboardInterrupt:
        return Exit.OK
    return Exit.OK


def _deliver_if_due(state: _DeliveryState, now_s: float) -> None:
    """One receiver's turn. What it refused waits longer each time, and nothing new waits with it."""
    due = now_s >= state.due_s
    if state.down and not due:
        return
    _start_delivery(state, skip=False)  # what was told from may have been rolled back since
    result = state.delivery.run(state.log, retry_owed=due)
    _print_delivery(state.delivery, result, always=False)
    state.down = result.problem is not None and (not result.problem.alert_specific or result.problem.retry_after_s > 0)
    if due or state.down:
        state.failures = state.failures + 1 if result.problem is not None else 0
        after_s = result.problem.retry_after_s if result.problem is not None else 0
        state.due_s = time.monotonic() + state.delivery.pause_s(state.failures, after_s)


def _iterate_ticks(every_s: float) -> Iterator[float]:
    while True:
        yield time.monotonic()
        time.sleep(every_s)


app = typer.Typer(help="List alerts, and send them to other systems.")
app.command("send")(send)
app.command("key")(show_signing_key)


@app.callback(invoke_without_command=True)
def alerts(
    context: typer.Context,
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only alerts that nobody has judged.")] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """List alerts about unusual actions, sessions and people. Use `halo judge N` to judge one."""
    if context.invoked_subcommand is not None:
        if open_only or json or tenant or db or home:
            verb = context.invoked_subcommand
            raise ConfigError("misplaced", f"options must follow `{verb}`", remedy=f"see `halo alerts {verb} -h`")
        return Exit.OK
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        records = list(read_entries(reader, select_tenant(reader, tenant), (EntryKind.ALERT, EntryKind.FEEDBACK)))
        verdicts = {body["alert"]: body for item in records if (body := read_verdict(item.entry)) is not None}
        alert_records = [item for item in records if item.entry.kind is EntryKind.ALERT]
        alert_records = [item for item in alert_records if not open_only or item.entry.id not in verdicts]
        people = [item.entry for item in alert_records if is_about_identity(item.entry)]
        names = IdentityNames(reader, folder) if people else None
        identity_events = {entry.id: names.open_event(entry) for entry in people} if names is not None else {}
    if json:
        rows = [
            _alert_to_json(item, verdicts.get(item.entry.id), identity_events.get(item.entry.id))
            for item in alert_records
        ]
        print_json({"alerts": rows, "errors": _count_verdicts(records)})
        return Exit.OK
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for title in ("#", "time", "who", "on", "risk", "session", "judged", "why"):
        table.add_column(title, justify="right" if title in ("#", "risk") else "left")
    for item in alert_records:
        verdict = verdicts.get(item.entry.id)
        verdict_text = "-" if verdict is None else "attack" if verdict["attack"] else "ordinary"
        *row, why = (
            _identity_columns(item, identity_events[item.entry.id])
            if item.entry.id in identity_events
            else _agent_columns(item)
        )
        table.add_row(str(item.index), format_iso(item.entry.ts_us), *map(safe_text, row), verdict_text, safe_text(why))
    console().print(table if alert_records else "no alerts")
    return Exit.OK


def _agent_columns(item: LoggedEntry) -> tuple[str, ...]:
    """Who, on what, risk, session, why."""
    alert = read_agent_alert(item)
    if alert is None:  # shown, since one that was put there must not hide the others
        return f"({ALTERED})", "-", "-", "-", "-"
    return alert.agent, alert.resource, str(alert.score), alert.session, alert.reason


def _identity_columns(item: LoggedEntry, event: AlertedEvent | str) -> tuple[str, ...]:
    """The same of a person or a service account: a day stands for the session."""
    try:
        alert = DayAlert.from_body(item.entry.body)
    except Tampered:
        return f"({ALTERED})", "-", "-", "-", "-"
    if isinstance(event, str):
        return f"({event})", "-", str(alert.risk), f"day {alert.day}", alert.explanation
    return event.identity, event.summary, str(alert.risk), f"day {alert.day}", "; ".join(event.words)


def _alert_to_json(
    item: LoggedEntry, verdict: Mapping[str, Any] | None, event: AlertedEvent | str | None
) -> dict[str, Any]:
    judged = None if verdict is None else {"attack": verdict["attack"], "by": verdict["by"], "why": verdict["why"]}
    entry = item.entry
    opened: dict[str, Any] = {}
    if event is not None:
        opened = (
            {"closed": event, "event": None} if isinstance(event, str) else {"closed": "", "event": event.to_plain()}
        )
    return {
        "id": entry.id,
        "index": item.index,
        "judged": judged,
        "session": entry.session,
        "ts_us": entry.ts_us,
        **entry.body,
        **opened,
    }


def _count_verdicts(records: Iterable[LoggedEntry]) -> dict[str, dict[str, int]]:
    """By agent, or by a person's fingerprint: how many of its judged alerts were false."""
    subjects = {
        item.entry.id: _find_alert_subject(item.entry) for item in records if item.entry.kind is EntryKind.ALERT
    }
    counts: dict[str, dict[str, int]] = {}
    for item in records:
        verdict = read_verdict(item.entry)
        if verdict is not None:
            row = counts.setdefault(subjects.get(verdict["alert"], ""), {"attack": 0, "ordinary": 0})
            row["attack" if verdict["attack"] else "ordinary"] += 1
    return counts


def _find_alert_subject(entry: LedgerEntry) -> str:
    body = entry.body
    return subject_of(str(body.get("identity"))) if is_about_identity(entry) else str(body.get("agent", ""))


def judge(
    alert: Annotated[str, typer.Argument(metavar="N", help="Index or id of the alert.")],
    *,
    attack: Annotated[
        bool, typer.Option("--attack", help="It was an attack; the next fit or import leaves it out.")
    ] = False,
    ordinary: Annotated[bool, typer.Option("--ordinary", help="It was ordinary work.")] = False,
    why: WhyOption = "",
    by: ByOption = "",
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
) -> int:
    """Judge an alert. Sessions, and days of a person, that were an attack are left out of the next baseline."""
    if attack is ordinary:
        problem = "an alert cannot be both an attack and ordinary" if attack else "no verdict was given"
        raise ConfigError("no_verdict", problem, remedy="give `--attack` or `--ordinary`")
    folder, url = resolve_store(home, db)
    with Reader(url) as reader:
        name = select_tenant(reader, tenant)
        alert_entry = find_entry(reader, name, alert).entry
        late = is_about_identity(alert_entry) and _is_in_baseline(reader, name, alert_entry)
    if alert_entry.kind is not EntryKind.ALERT:
        raise ConfigError("no_alert", f"`{alert}` is not an alert", field="N", remedy="see `halo alerts`")
    body = {
        "alert": alert_entry.id,
        "attack": attack,
        "by": resolve_actor(by),
        "session": alert_entry.session,
        "why": why[:1000],
    }

    def record(tx: Transaction) -> None:
        tx.append(Draft(EntryKind.FEEDBACK, "", body))

    commit(url, folder, tenant, record)
    heeds = "`halo identity import`" if is_about_identity(alert_entry) else "fit"
    console().print(f"recorded: {'an attack' if attack else 'ordinary'}; the next {heeds} uses this verdict")
    if attack and late:
        text = "that day is already in the baseline: import all files again, without `--add`"
        console(stderr=True).print(f"[yellow]note[/]: {text}")
    return Exit.OK


def _is_in_baseline(reader: Reader, tenant: str, alert: LedgerEntry) -> bool:
    """Whether events of an alert's day may be in the baseline; a verdict does not wait for one that cannot be read."""
    try:
        book = load_identities(reader, tenant)
        return book is not None and DayAlert.from_body(alert.body).first_us <= book.last_us
    except (BadInput, Tampered):
        return False
