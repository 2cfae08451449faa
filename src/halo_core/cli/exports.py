"""`halo export`: the log for other systems, as CSV, JSON lines, OCSF events or OSCAL assessment results."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, BinaryIO, Final

import typer
from typer import Option

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.evidence import (
    FromOption,
    ToOption,
    filter_options,
    list_filters,
    read_period,
)
from halo_core.cli.output import is_lost
from halo_core.cli.rendering import Exit, fail, say_plainly
from halo_core.clock import SystemClock
from halo_core.errors import ConfigError, NotVerified, make_write_error
from halo_core.evidence.answers import Period, format_query
from halo_core.evidence.audit_log import AuditLog, DecisionFilter
from halo_core.evidence.exports import OCSF_VERSIONS, encode_ascii_json, iter_csv, iter_events, iter_jsonl

_STDOUT: Final = "-"
OutputOption = Annotated[
    str, Option("--output", metavar="FILE", help="File to write, which must not exist; - for stdout.")
]

app = typer.Typer(help="Export the log for other systems.", no_args_is_help=True)


@store_verb(app, "csv")
@filter_options
def export_csv(*, output: OutputOption, wanted: DecisionFilter, store: StoreContext) -> int:
    """Write decisions with their outcomes as CSV; no cell is taken for a formula."""
    filters = {name: value for name, value in list_filters(wanted).items() if name not in ("session", "user")}
    return _export(store, "csv", wanted.period, output, lambda log: map(str.encode, iter_csv(log, wanted)), **filters)


@store_verb(app, "jsonl")
def export_jsonl(*, output: OutputOption, from_: FromOption = "", to: ToOption = "", store: StoreContext) -> int:
    """Write every entry as a JSON document a line. What is sealed stays sealed."""
    period = read_period(from_, to)
    return _export(store, "jsonl", period, output, lambda log: iter_jsonl(log, period))


@store_verb(app, "ocsf")
def export_ocsf(
    *,
    output: OutputOption,
    ocsf: Annotated[str, Option("--ocsf", help=f"Version of OCSF: {' or '.join(OCSF_VERSIONS)}.")] = OCSF_VERSIONS[0],
    from_: FromOption = "",
    to: ToOption = "",
    store: StoreContext,
) -> int:
    """Write OCSF events, a JSON document a line, for a SIEM."""
    if ocsf not in OCSF_VERSIONS:
        problem = f"`{ocsf[:16]}` is no version of OCSF that is written"
        raise ConfigError("usage", problem, field="ocsf", remedy=f"use {' or '.join(OCSF_VERSIONS)}")
    period = read_period(from_, to)

    def write(log: AuditLog) -> Iterator[bytes]:
        return (encode_ascii_json(event) + b"\n" for event in iter_events(log, period, version=ocsf))

    return _export(store, "ocsf", period, output, write, ocsf=ocsf)


def _export(
    store: StoreContext,
    form: str,
    period: Period,
    output: str,
    write: Callable[[AuditLog], Iterable[bytes]],
    **options: str,
) -> int:
    """Record that the log is exported, then write it; a file appears whole or not at all. Returns the exit code."""
    try:
        with store.open_log() as (reader, tenant):
            log = AuditLog(reader, tenant, home=store.home, now_us=SystemClock().now_us())
            log.query = format_query(f"export {form}", period, **options)
            covered = log.population(period, 0, "entries")
            store.record_access("export", {"query": log.query}, tenant)
            with _open_output(output) as file:
                lines = 0
                for line in write(log):
                    if output == _STDOUT and is_lost():
                        break
                    file.write(line)
                    lines += 1
    except NotVerified as exc:
        return fail(exc, Exit.CANNOT_TELL)
    if output != _STDOUT:
        say_plainly(f"wrote {lines:,} lines to {output}")
        places = f"positions {covered.first_index} to {covered.last_index}"
        say_plainly(f"{places}, checkpoint {covered.root or 'none'} of {covered.tree_size:,} entries")
    return Exit.CANNOT_TELL if covered.first_index < 0 else Exit.OK


@contextmanager
def _open_output(output: str) -> Iterator[BinaryIO]:
    """The stream to write to. A file is written under another name, and renamed once it is complete.

    Raises:
        ConfigError: `file_exists`, `no_file`.
    """
    if output == _STDOUT:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output)
    if path.exists():
        problem = f"`{path}` already exists"
        raise ConfigError("file_exists", problem, field="output", remedy="choose another name, or move it away")
    part = path.with_name(f"{path.name}.part")
    try:
        with open(part, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
    except OSError as exc:
        raise make_write_error(path, exc, field="output") from exc
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
