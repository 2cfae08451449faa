"""The condition of a store in rows, each with what to do about it: `halo doctor` without an app, and `halo ready`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

from halo_core.durations import SECOND_US
from halo_core.errors import HaloError
from halo_core.ledger import read_anchors
from halo_core.ledger.checkpoints import Anchors, read_checkpoint
from halo_core.store.config import StoreConfig
from halo_core.store.health import LogCondition, StoreCondition, check_writable, read_condition
from halo_core.store.log_checkpoints import find_anchored_note
from halo_core.store.reader import Reader
from halo_core.views import View
from halo_core.views.wording import format_count

_LAG_S: Final = 10
"""Age of an entry without a checkpoint above which that is a warning, seconds; usually it is about one second."""
_CLOCK_S: Final = 60
_LOW_BYTES: Final = 1 << 30
_NO_BYTES: Final = 64 << 20
_FEW_CONNECTIONS: Final = 5


class HealthStatus(StrEnum):
    """What the condition of a thing means for decisions."""

    OK = "ok"
    WARNING = "warning"
    """Decisions are made, but an operator should look at it."""
    FAILING = "failing"
    """Decisions are denied, or the log is not whole."""


@dataclass(frozen=True, slots=True)
class HealthRow:
    """One thing that was looked at.

    Args:
        name: name of the thing: `writable`, `disk`, `schema`, `clock`, `connections`, `checkpoint`, `sequencer`,
            `anchor`, `writers`.
        tenant: tenant of the log; empty for the whole store.
        status: what its condition means for decisions.
        text: its condition, in words.
        remedy: what to do; empty if nothing is to be done.
    """

    name: str
    tenant: str
    status: HealthStatus
    text: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class StoreHealth(View):
    """The condition of a store.

    Args:
        engine: `sqlite` or `postgresql`.
        rows: what was looked at.
    """

    engine: str
    rows: tuple[HealthRow, ...]

    @property
    def is_ready(self) -> bool:
        """Whether decisions can be made, as far as was checked."""
        return all(row.status is not HealthStatus.FAILING for row in self.rows)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**super(StoreHealth, self).to_json(), "ready": self.is_ready}


def load_store_health(url: str, home: Path, now_us: int, *, deadline_s: float = 2.0) -> StoreHealth:
    """Look at a store, on either engine; nothing is written.

    Args:
        url: SQLAlchemy URL.
        home: folder of the anchor, and on SQLite of the lock files of writers.
        now_us: the clock of this host, microseconds since the epoch.
        deadline_s: how long to wait for the lock of a decision, seconds.

    Raises:
        ConfigError: there is no such store.
        CannotDecide: it cannot be reached.
        Tampered: it cannot be read.
    """
    anchors: Anchors | HealthRow
    try:
        anchors = read_anchors(home / "anchor.json")  # before the store, which may go on
    except HaloError as exc:
        anchors = HealthRow("anchor", "", HealthStatus.FAILING, f"{exc.message} [{exc.code}]", exc.remedy)
    condition = read_condition(url, home)
    rows = list(_describe_store(condition, home, now_us))
    for tenant, log in condition.logs.items():
        rows.append(_describe_writable(url, tenant, deadline_s))
        rows += _describe_log(condition, log, tenant, now_us)
        rows.append(anchors if isinstance(anchors, HealthRow) else _describe_anchor(anchors, url, home, tenant, log))
    return StoreHealth(condition.engine, tuple(rows))


def _describe_writable(url: str, tenant: str, deadline_s: float) -> HealthRow:
    try:
        check_writable(url, tenant, deadline_s)
    except HaloError as exc:
        return HealthRow("writable", tenant, HealthStatus.FAILING, f"{exc.message} [{exc.code}]", exc.remedy)
    return HealthRow("writable", tenant, HealthStatus.OK, "the lock of a decision is free")


def _describe_store(condition: StoreCondition, home: Path, now_us: int) -> Iterator[HealthRow]:
    if condition.foreign_objects:
        text = f"not Halo's own: {', '.join(condition.foreign_objects)}"
        remedy = "run `halo verify`, find out who created it, and drop it"
        yield HealthRow("schema", "", HealthStatus.FAILING, text, remedy)
    else:
        yield HealthRow("schema", "", HealthStatus.OK, "no trigger, view, rule or policy but Halo's own")
    # The disk of a server is not visible from here; the anchor needs the one of the home.
    folder = condition.path.resolve().parent if condition.path is not None else home
    free = shutil.disk_usage(folder if folder.exists() else Path.cwd()).free
    yield _describe_disk(condition, folder, free)
    if condition.server_limit is not None and condition.server_connections is not None:
        yield _describe_connections(condition.server_limit, condition.server_connections)
    if condition.server_us is not None:
        yield _describe_clock("", "the server's clock", condition.server_us - now_us)


def _describe_disk(condition: StoreCondition, folder: Path, free: int) -> HealthRow:
    text = f"{_format_bytes(free)} free at `{folder}`, the database has {_format_bytes(condition.size_bytes)}"
    if free >= _LOW_BYTES:
        return HealthRow("disk", "", HealthStatus.OK, text)
    status = HealthStatus.FAILING if free < _NO_BYTES else HealthStatus.WARNING
    return HealthRow("disk", "", status, text, "make room: nothing runs while the ledger cannot be written")


def _describe_connections(limit: int, used: int) -> HealthRow:
    text = f"{used} of {limit} connections are in use"
    if limit - used >= _FEW_CONNECTIONS:
        return HealthRow("connections", "", HealthStatus.OK, text)
    remedy = "raise `max_connections`, or run fewer processes: each needs two"
    return HealthRow("connections", "", HealthStatus.WARNING, text, remedy)


def _describe_clock(tenant: str, whose: str, ahead_us: int) -> HealthRow:
    seconds = abs(ahead_us) // SECOND_US
    if seconds < _CLOCK_S:
        return HealthRow("clock", tenant, HealthStatus.OK, f"{whose} agrees with this host's")
    direction = "ahead of" if ahead_us > 0 else "behind"
    text = f"{whose} is {seconds:,} s {direction} this host's"
    return HealthRow("clock", tenant, HealthStatus.WARNING, text, "synchronize the clocks of hosts and server")


def _describe_log(condition: StoreCondition, log: LogCondition, tenant: str, now_us: int) -> Iterator[HealthRow]:
    # An entry may be old; that one is from the future says that a clock was wrong.
    if log.newest_us is not None:
        yield _describe_clock(tenant, "the newest entry", max(0, log.newest_us - (condition.server_us or now_us)))
    yield _describe_checkpoint(log, tenant, now_us)
    if condition.engine == "postgresql":
        yield _describe_sequencer(log, tenant)
    yield _describe_writers(log, tenant)


def _describe_checkpoint(log: LogCondition, tenant: str, now_us: int) -> HealthRow:
    name = "checkpoint"
    if not log.uncovered or log.oldest_uncovered_us is None:
        return HealthRow(name, tenant, HealthStatus.OK, f"all {log.covered:,} entries are covered")
    age_s = max(0, now_us - log.oldest_uncovered_us) // SECOND_US
    text = f"{format_count(log.uncovered, 'entry is', 'entries are')} not covered, the first for {age_s:,} s"
    if age_s < _LAG_S:
        return HealthRow(name, tenant, HealthStatus.OK, text)
    remedy = "start a process that uses the store; if one runs, its log says why it signs no checkpoint"
    return HealthRow(name, tenant, HealthStatus.WARNING, text, remedy)


def _describe_sequencer(log: LogCondition, tenant: str) -> HealthRow:
    lease = log.lease
    if lease is None:
        return HealthRow("sequencer", tenant, HealthStatus.WARNING, "there was none yet", "start a process")
    lease_text = (
        f"{lease.holder} holds the lease for {lease.left_us // 1000} ms" if lease.left_us else "the lease is free"
    )
    return HealthRow(
        "sequencer", tenant, HealthStatus.OK, f"{lease_text}, epoch {lease.epoch:,}, {log.uncovered:,} waiting"
    )


def _describe_writers(log: LogCondition, tenant: str) -> HealthRow:
    dead = [writer for writer in log.writers if not writer.is_alive]
    names = ", ".join(f"{writer.process or '?'} {writer.pid} on {writer.host or '?'}" for writer in log.writers[:10])
    if dead:
        text = f"{format_count(len(dead), 'writer')} of {len(log.writers)} ended without closing: {names}"
        remedy = "the next process that opens the store records their outcomes as unknown"
        return HealthRow("writers", tenant, HealthStatus.WARNING, text, remedy)
    return HealthRow("writers", tenant, HealthStatus.OK, f"{len(log.writers)} open" + (f": {names}" if names else ""))


def _describe_anchor(anchors: Anchors, url: str, home: Path, tenant: str, log: LogCondition) -> HealthRow:
    def row(status: HealthStatus, text: str, remedy: str = "") -> HealthRow:
        return HealthRow("anchor", tenant, status, text, remedy)

    with Reader(url) as reader:
        note = find_anchored_note(anchors, reader.database, StoreConfig(url, home, tenant))
    if note is None:
        remedy = "run the app with this home, or restore `anchor.json`: without it a rollback is not noticed"
        return row(HealthStatus.WARNING, "this home has no anchor of the log", remedy)
    anchored = read_checkpoint(note, tenant)
    if anchored.size > log.covered + log.uncovered:
        text = f"the anchor has {anchored.size:,} entries, the database {log.covered + log.uncovered:,}"
        return row(HealthStatus.FAILING, f"{text} [ledger_behind_anchor]", "see Restore in docs/operations.md")
    behind = log.covered - anchored.size
    return row(HealthStatus.OK, f"{anchored.size:,} entries" + (f", {behind:,} behind the checkpoint" * (behind > 0)))


def _format_bytes(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GiB" if size >= 1 << 30 else f"{size / (1 << 20):,.1f} MiB"
