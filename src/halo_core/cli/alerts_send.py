"""Room: `halo alerts send` and `halo alerts key`. Takes: receivers. Gives: alerts told, once or as they come.

Never: holds up a decision; names a person unasked; shows a secret, or the path of an address, which may be one.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final

import typer

from halo_core.cli.common import (
    DbOption,
    Exit,
    HomeOption,
    JsonOption,
    TenantOption,
    console,
    fail,
    print_json,
    where,
)
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.query import one_tenant
from halo_core.store.reader import Reader
from halo_core.telling import (
    Cursor,
    Delivery,
    LedgerLog,
    Receiver,
    Retry,
    Syslog,
    Tls,
    Told,
    Webhook,
    keyed,
    public_key,
    read_private,
    secrets_of,
    signed_by,
    trusted,
)

__all__ = ["key", "send"]

_FOLDER: Final = "alerts"
_KEY: Final = "alerts"
_TIMEOUT_S: Final = 15.0
_FIRST_S: Final = 1.0
_MOST_S: Final = 60.0
_FOLLOW_MOST_S: Final = 300.0
_LEAST_S: Final = 0.2


@dataclass(slots=True)
class _Line:
    """A delivery while it is followed: how often it failed in a row, when it is due."""

    delivery: Delivery
    log: LedgerLog
    failures: int = 0
    due_s: float = 0.0
    down: bool = False


def send(
    *,
    webhook: Annotated[str, typer.Option("--webhook", metavar="URL", help="Where to POST alerts, signed.")] = "",
    webhook_file: Annotated[
        Path | None, typer.Option("--webhook-file", help="A private file with the URL, where it is a secret itself.")
    ] = None,
    secret_file: Annotated[
        Path | None,
        typer.Option("--secret-file", help="Secrets `whsec_...`, one a line (default: sign with the home's own key)."),
    ] = None,
    syslog: Annotated[
        str, typer.Option("--syslog", metavar="URL", help="`tls://host`, `tcp://host:port` or `udp://host`.")
    ] = "",
    ca: Annotated[Path | None, typer.Option("--ca", help="PEM file of authorities to trust, and no others.")] = None,
    follow: Annotated[bool, typer.Option("--follow", help="Go on, until somebody ends it.")] = False,
    every: Annotated[float, typer.Option("--every", metavar="SECONDS", help="How often --follow looks.")] = 5.0,
    tries: Annotated[int, typer.Option("--tries", min=1, max=10, help="How often each alert is tried.")] = 4,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Take the alerts that are there for sent, send none of them.")
    ] = False,
    names: Annotated[
        bool, typer.Option("--names", help="Name people and service accounts too (default: a fingerprint of each).")
    ] = False,
    tenant: TenantOption = None,
    db: DbOption = "",
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Send alerts on, at least once each: to a webhook, to syslog. What a receiver has not taken stays owed."""
    folder, url = where(home, db)
    with Reader(url) as reader:
        whose = one_tenant(reader, tenant)
        control = reader.control(whose)
    store = str(control[1]) if control is not None else ""
    if names and "content" not in KeyStore(folder).names():
        told = "names are sealed, and `content.key` is not here: alerts go out without them"
        console(stderr=True).print(f"[yellow]note[/]: {told}")
    named = _receivers(folder, _address(webhook, webhook_file), syslog, secret_file, trusted(ca))
    every = max(_LEAST_S, min(_FOLLOW_MOST_S, every))
    retry = Retry(1, every, _FOLLOW_MOST_S) if follow else Retry(tries, _FIRST_S, _MOST_S)
    with ExitStack() as stack:
        lines = []
        for address, receiver in named.items():
            cursor = Cursor(folder / _FOLDER, (address, store, whose))
            stack.enter_context(cursor.held())
            delivery = Delivery(receiver, cursor, retry, time.sleep, random.random)
            lines.append(_Line(delivery, LedgerLog(url, whose, KeyStore(folder) if names else None)))
            _start(lines[-1], skip=from_now)
        return _follow(lines, every) if follow else _once(lines, json=json)


def key(
    *,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show the public key that webhooks without a shared secret are signed with (`v1a`)."""
    folder, _ = where(home, "")
    told = public_key(KeyStore(folder).signer(_KEY))
    if json:
        print_json({"public_key": told})
        return Exit.OK
    console().print(told, markup=False)
    return Exit.OK


def _receivers(folder: Path, webhook: str, syslog: str, secret_file: Path | None, context: Tls) -> dict[str, Receiver]:
    """Address → receiver."""
    found: dict[str, Receiver] = {}
    if webhook:
        sign = keyed(secrets_of(secret_file)) if secret_file is not None else signed_by(KeyStore(folder).signer(_KEY))
        found[webhook] = Webhook.at(webhook, sign, context, SystemClock(), _TIMEOUT_S)
    elif secret_file is not None:
        raise ConfigError("no_receiver", "a secret is for a webhook", field="secret-file", remedy="add `--webhook`")
    if syslog:
        found[syslog] = Syslog.at(syslog, context, _TIMEOUT_S)
    if not found:
        raise ConfigError("no_receiver", "nobody to send to", remedy="name `--webhook URL`, `--syslog URL`, or both")
    return found


def _address(webhook: str, file: Path | None) -> str:
    if file is None:
        return webhook
    lines = read_private(file, "webhook-file")
    if webhook or len(lines) != 1:
        raise ConfigError("bad_url", "one webhook at a time", field="webhook-file", remedy="one line in the file")
    return lines[0]


def _start(line: _Line, *, skip: bool) -> None:
    if not line.delivery.start(line.log):
        told = f"{line.delivery.receiver.name} was told from another log than this one: all alerts are sent again"
        console(stderr=True).print(f"[yellow]note[/]: {told}")
    if skip:
        line.delivery.skip(line.log)


def _once(lines: list[_Line], *, json: bool) -> int:
    """One run for each; a receiver that is down does not keep the next one from being told."""
    done = [(line.delivery, line.delivery.run(line.log)) for line in lines]
    if json:
        print_json({"receivers": [_plain(delivery, told) for delivery, told in done]})
    else:
        for delivery, told in done:
            _say(delivery, told, always=True)
    return Exit.FAILED if any(told.problem or told.owed for _, told in done) else Exit.OK


def _plain(delivery: Delivery, told: Told) -> dict[str, object]:
    problem = told.problem
    return {
        "confirmed": delivery.receiver.confirms,
        "owed": told.owed,
        "problem": None if problem is None else {"code": problem.code, "message": problem.message},
        "receiver": delivery.receiver.name,
        "sent": told.taken,
    }


def _say(delivery: Delivery, told: Told, *, always: bool) -> None:
    receiver = delivery.receiver
    if told.taken or always:
        sure = "taken by" if receiver.confirms else "sent, nobody confirms them, to"
        console().print(f"{told.taken} alerts {sure} {receiver.name}", markup=False)
    if told.owed and told.problem is not None:
        console(stderr=True).print(f"{told.owed} alerts that {receiver.name} did not take are owed", markup=False)
    if told.problem is not None:
        fail(told.problem, Exit.FAILED)


def _follow(lines: list[_Line], every_s: float) -> int:
    """Go on until interrupted; each receiver at its own pace."""
    try:
        for now_s in _ticks(every_s):
            for line in lines:
                _look(line, now_s)
    except KeyboardInterrupt:
        return Exit.OK
    return Exit.OK


def _look(line: _Line, now_s: float) -> None:
    """One receiver's turn. What it refused waits longer each time, and nothing new waits with it."""
    due = now_s >= line.due_s
    if line.down and not due:
        return
    _start(line, skip=False)  # what was told from may have been rolled back since
    told = line.delivery.run(line.log, settle=due)
    _say(line.delivery, told, always=False)
    line.down = told.problem is not None and (not told.problem.alone or told.problem.after_s > 0)
    if due or line.down:
        line.failures = line.failures + 1 if told.problem is not None else 0
        after_s = told.problem.after_s if told.problem is not None else 0
        line.due_s = time.monotonic() + line.delivery.pause_s(line.failures, after_s)


def _ticks(every_s: float) -> Iterator[float]:
    while True:
        yield time.monotonic()
        time.sleep(every_s)
