"""`halo alerts` and `halo judge`: list alerts, send them to other systems, record what they turned out to be.

Sending never delays a decision. Names of people are only sent on request. Output shows neither secrets nor the path of
a webhook's URL, which may be a secret.
"""

from __future__ import annotations

import random
import time
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text
from typer import Argument, Option

from halo_core.alerts.connections import Tls, make_tls_context
from halo_core.alerts.delivery import (
    Delivery,
    DeliveryCursor,
    DeliveryResult,
    Receiver,
    RetryPolicy,
)
from halo_core.alerts.log import LedgerAlertLog
from halo_core.alerts.signatures import (
    format_public_key,
    make_ed25519_signer,
    make_hmac_signer,
    read_private,
    read_secrets,
)
from halo_core.alerts.syslog import Syslog
from halo_core.alerts.webhook import Webhook
from halo_core.cli.context import StoreContext, WhyOption, parse_duration, store_verb
from halo_core.cli.evidence import FromOption, ToOption, answer_question, read_period
from halo_core.cli.rendering import (
    Exit,
    build_table,
    console,
    fail,
    print_json,
    print_note,
    safe_text,
    say,
    say_plainly,
)
from halo_core.clock import SystemClock, format_iso
from halo_core.content.redaction import mask_reason
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.enforcement.judged_sessions import JudgeAlertJob
from halo_core.errors import ConfigError
from halo_core.evidence.questions_oversight import answer_alert_times
from halo_core.identities.day_alerts import is_about_identity
from halo_core.identity_feed.feed import judge_identity
from halo_core.model import EntryKind
from halo_core.store.drafts import Draft
from halo_core.store.entry_lookup import find_entry
from halo_core.views.alerts import AlertView, find_acknowledgement, is_in_baseline, load_alerts
from halo_core.views.wording import format_minute

_FOLDER: Final = "alerts"
_SIGNING_KEY: Final = "alerts"
_TIMEOUT_S: Final = 15.0
_FIRST_RETRY_S: Final = 1.0
_MAX_RETRY_S: Final = 60.0
_MAX_FOLLOW_S: Final = 300.0
_MIN_FOLLOW_S: Final = 0.2
app = typer.Typer(help="List alerts, and send them to other systems.")
_JUDGED_KINDS: Final = (EntryKind.ALERT, EntryKind.DECISION)
_TITLES: Final = ("#", "time", "who", "on", "risk", "session", "seen", "judged", "why")
_NARROW_TITLES: Final = ("#", "time", "who", "on", "risk", "seen", "judged")
_WIDE_COLUMNS: Final = 120


@dataclass(slots=True)
class _DeliveryState:
    """A delivery to one receiver with the state of its retries.

    Args:
        delivery: sends alerts to the receiver.
        log: the alerts to send.
        failures: failed runs in a row.
        due_s: time from which on alerts that were not accepted are sent again, seconds of the monotonic clock.
        is_down: whether the receiver accepts nothing at the moment, so that new alerts wait as well.
    """

    delivery: Delivery
    log: LedgerAlertLog
    failures: int = 0
    due_s: float = 0.0
    is_down: bool = False


@store_verb(app, "send")
def send(
    *,
    webhook: Annotated[
        str, Option("--webhook", metavar="URL", help="Webhook that receives signed alerts by POST.")
    ] = "",
    webhook_file: Annotated[
        Path | None, Option("--webhook-file", help="Private file with the URL, if the URL is secret.")
    ] = None,
    secret_file: Annotated[
        Path | None,
        Option(
            "--secret-file", help="File with secrets `whsec_...`, one per line (default: sign with the home's key)."
        ),
    ] = None,
    syslog: Annotated[
        str, Option("--syslog", metavar="URL", help="`tls://host`, `tcp://host:port` or `udp://host`.")
    ] = "",
    ca: Annotated[
        Path | None, Option("--ca", help="PEM file of certificate authorities; only these are trusted.")
    ] = None,
    follow: Annotated[bool, Option("--follow", help="Keep sending until stopped.")] = False,
    every: Annotated[
        float, Option("--every", metavar="SECONDS", help="How often --follow checks for new alerts.")
    ] = 5.0,
    tries: Annotated[int, Option("--tries", min=1, max=10, help="How often sending an alert is attempted.")] = 4,
    from_now: Annotated[bool, Option("--from-now", help="Mark existing alerts as sent without sending them.")] = False,
    questions: Annotated[
        bool, Option("--questions", help="Send each question that waits for an answer too, as it is asked.")
    ] = False,
    names: Annotated[
        bool, Option("--names", help="Include names of people and service accounts (default: fingerprints).")
    ] = False,
    store: StoreContext,
) -> int:
    """Send alerts to a webhook or to syslog, at least once each. Alerts that were not accepted are sent again."""
    with store.open_log() as (reader, tenant_name):
        store_id = reader.store_id(tenant_name)
    if names and "content" not in store.keys.names():
        print_note("names are encrypted and `content.key` is not available: alerts are sent without names")
    receivers = _build_receivers(
        store.home, _read_webhook_url(webhook, webhook_file), syslog, secret_file, make_tls_context(ca)
    )
    every = max(_MIN_FOLLOW_S, min(_MAX_FOLLOW_S, every))
    retry = RetryPolicy(1, every, _MAX_FOLLOW_S) if follow else RetryPolicy(tries, _FIRST_RETRY_S, _MAX_RETRY_S)
    with ExitStack() as stack:
        states = []
        for address, receiver in receivers.items():
            # Deliveries with and without questions send different logs, so each has a cursor of its own.
            place = (address, store_id, tenant_name, *(["questions"] if questions else []))
            cursor = DeliveryCursor(store.home / _FOLDER, place)
            stack.enter_context(cursor.lock())
            delivery = Delivery(receiver, cursor, retry, time.sleep, random.random)
            states.append(
                _DeliveryState(
                    delivery,
                    LedgerAlertLog(store.url, tenant_name, store.keys if names else None, questions=questions),
                )
            )
            _start_delivery(states[-1], skip=from_now)
        return _follow(states, every) if follow else _deliver_once(states, json=store.json)


@store_verb(app, "key", db=False, tenant=False)
def show_signing_key(*, store: StoreContext) -> None:
    """Show the public key of the webhook signatures (`v1a`) that are made without a shared secret."""
    encoded_key = format_public_key(store.keys.signer(_SIGNING_KEY))
    if not store.print_json({"public_key": encoded_key}):
        say_plainly(encoded_key)


def _build_receivers(
    folder: Path, webhook: str, syslog: str, secret_file: Path | None, context: Tls
) -> dict[str, Receiver]:
    """Address → receiver."""
    receivers: dict[str, Receiver] = {}
    if webhook:
        sign = (
            make_hmac_signer(read_secrets(secret_file))
            if secret_file is not None
            else make_ed25519_signer(KeyStore(folder).signer(_SIGNING_KEY))
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
        problem = "only one webhook can be used at a time"
        remedy = "write one line to the file"
        raise ConfigError("bad_url", problem, field="webhook-file", remedy=remedy)
    return lines[0]


def _start_delivery(state: _DeliveryState, *, skip: bool) -> None:
    if not state.delivery.start(state.log):
        print_note(f"{state.delivery.receiver.name} received alerts of another log: all alerts are sent again")
    if skip:
        state.delivery.skip_existing(state.log)


def _deliver_once(states: list[_DeliveryState], *, json: bool) -> int:
    """Run each delivery once, whether or not another receiver is down; returns the exit code."""
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
        say_plainly(f"{result.taken} alerts {sure} {receiver.name}")
    if result.owed and result.problem is not None:
        console(stderr=True).print(
            f"{result.owed} alerts that {receiver.name} did not accept are still to be sent", markup=False
        )
    if result.problem is not None:
        fail(result.problem, Exit.FAILED)


def _follow(states: list[_DeliveryState], every_s: float) -> int:
    """Keep sending until interrupted, to each receiver when it is due."""
    try:
        while True:
            now_s = time.monotonic()
            for state in states:
                _deliver_if_due(state, now_s)
            time.sleep(every_s)
    except KeyboardInterrupt:
        return Exit.OK


def _deliver_if_due(state: _DeliveryState, now_s: float) -> None:
    """Send a receiver what it should get now.

    Alerts that it did not accept are sent again after a pause that grows with each failure. New alerts do not wait for
    that, unless the receiver is down.
    """
    due = now_s >= state.due_s
    if state.is_down and not due:
        return
    _start_delivery(state, skip=False)  # again: the log may have been rolled back since the last run
    result = state.delivery.run(state.log, retry_owed=due)
    _print_delivery(state.delivery, result, always=False)
    problem = result.problem
    state.is_down = problem is not None and (not problem.alert_specific or problem.retry_after_s > 0)
    if due or state.is_down:
        state.failures = state.failures + 1 if problem is not None else 0
        after_s = problem.retry_after_s if problem is not None else 0
        state.due_s = time.monotonic() + state.delivery.pause_s(state.failures, after_s)


OpenOption = Annotated[bool, Option("--open", help="Only alerts that nobody has judged.")]


@app.callback(invoke_without_command=True)
@store_verb()
def alerts(context: typer.Context, *, open_only: OpenOption = False, store: StoreContext) -> None:
    """List alerts about unusual actions, sessions and people, and send them. Without a verb: `halo alerts list`."""
    if context.invoked_subcommand is None:
        _print_alerts(store, open_only=open_only)
    elif open_only or store.given:
        verb = context.invoked_subcommand
        raise ConfigError("misplaced", f"options must follow `{verb}`", remedy=f"see `halo alerts {verb} --help`")


@store_verb(app, "list")
def list_alerts(*, open_only: OpenOption = False, store: StoreContext) -> None:
    """List alerts about unusual actions, sessions and people. Use `halo judge N` to judge one."""
    _print_alerts(store, open_only=open_only)


def _print_alerts(store: StoreContext, *, open_only: bool) -> None:
    with store.open_log() as (reader, tenant):
        listed = load_alerts(reader, tenant, store.home, open_only=open_only)
    if store.print_json(listed):
        return
    if not listed.alerts:
        say("no alerts")
        return
    is_wide = console().width >= _WIDE_COLUMNS
    table = build_table(_TITLES if is_wide else _NARROW_TITLES, right=("#", "risk"), no_wrap=("time",), gap=2)
    for alert in listed.alerts:
        table.add_row(*_describe_alert(alert, is_wide=is_wide))
    say(table)
    if not is_wide:
        say_plainly("")
        for alert in listed.alerts:
            *_, place, reason = alert.describe()
            say(safe_text(f"{alert.record.index}  {place}: {reason}"))


def _describe_alert(alert: AlertView, *, is_wide: bool) -> tuple[str | Text, ...]:
    """The cells of an alert's row."""
    judged = "-" if alert.verdict is None else "attack" if alert.verdict["attack"] else "ordinary"
    subject, on, risk, session, why = map(safe_text, alert.describe())
    index, ts_us = str(alert.record.index), alert.record.entry.ts_us
    acknowledged = "yes" if alert.acknowledged_us else "-"
    if is_wide:
        return index, format_iso(ts_us), subject, on, risk, session, acknowledged, judged, why
    return index, format_minute(ts_us), subject, on, risk, acknowledged, judged


@store_verb(app, "acknowledge", json=False, by=True)
def acknowledge(
    alert: Annotated[str, Argument(metavar="N", help="Index or id of the alert.")],
    *,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Record that you have seen an alert and take care of it. What it was, you say later with `halo judge N`."""
    with store.open_log() as (reader, tenant):
        entry = find_entry(reader, tenant, alert).entry
        earlier = find_acknowledgement(reader, tenant, entry.id)
    if entry.kind is not EntryKind.ALERT:
        problem, remedy = f"`{alert}` is not an alert but an entry of kind {entry.kind.value}", "see `halo alerts`"
        raise ConfigError("no_alert", problem, field="N", remedy=remedy)
    if earlier is not None:
        say(safe_text(f"{entry.id} was acknowledged already, at {format_iso(earlier.entry.ts_us)}"))
        return
    body = {"alert": entry.id, "why": mask_reason(why)}
    store.commit(lambda tx: tx.append(Draft(EntryKind.ACKNOWLEDGEMENT, "", body, actor=store.actor)), tenant)
    say(safe_text(f"recorded: {entry.id} is acknowledged"))


@store_verb(app, "sla")
def show_times(
    *,
    within: Annotated[
        str, Option("--within", metavar="TIME", help="Acknowledgements after this time are findings: 30m, 4h, 1d.")
    ] = "",
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """Show how long each alert waited until it was acknowledged and judged; alerts that nobody acknowledged."""
    within_s = parse_duration(within, "within") if within else 0
    question = partial(answer_alert_times, within_s=within_s)
    return answer_question(store, "alerts sla", read_period(from_, to), question, within=within)


@store_verb(json=False, by=True)
def judge(
    alert: Annotated[
        str, Argument(metavar="N", help="Index or id of the alert, or of a decision that no alert was raised about.")
    ],
    *,
    attack: Annotated[bool, Option("--attack", help="It was an attack; the next fit or import leaves it out.")] = False,
    ordinary: Annotated[bool, Option("--ordinary", help="It was ordinary work.")] = False,
    why: WhyOption = "",
    store: StoreContext,
) -> None:
    """Judge an alert. Sessions, and days of a person, that were an attack are left out of the next baseline."""
    if attack is ordinary:
        problem = "an alert cannot be both an attack and ordinary" if attack else "no verdict was given"
        raise ConfigError("no_verdict", problem, remedy="give `--attack` or `--ordinary`")
    with store.open_log() as (reader, name):
        alert_entry = find_entry(reader, name, alert).entry
        session = reader.find_session(name, alert_entry.session)
        late = is_about_identity(alert_entry) and is_in_baseline(reader, name, alert_entry)
    if alert_entry.kind not in _JUDGED_KINDS:
        problem, remedy = f"`{alert}` is neither an alert nor a decision", "see `halo alerts` and `halo log`"
        raise ConfigError("no_alert", problem, field="N", remedy=remedy)
    body = {
        "alert": alert_entry.id,
        "attack": attack,
        "session": session,
        "why": why[:1000],
    }
    draft = Draft(EntryKind.FEEDBACK, "", body, actor=store.actor)
    changes = store.commit(JudgeAlertJob(alert_entry, session, draft, is_attack=attack))
    if is_about_identity(alert_entry):
        digester, fingerprint = Digester(store.keys.secret("digest")), str(alert_entry.body.get("identity"))
        reason = mask_reason(why)
        store.commit(lambda tx: judge_identity(tx, digester, fingerprint, by=store.actor, why=reason, is_attack=attack))
    learning = "`halo identity import`" if is_about_identity(alert_entry) else "fit"
    say(f"recorded: {'an attack' if attack else 'ordinary'}; the next {learning} uses this verdict")
    for text in changes:
        say_plainly(f"  {text}")
    if attack and late:
        print_note("that day is already in the baseline: import all files again, without `--add`")
