"""The words of PostgreSQL: statements of the store as it understands them, and its errors as callers do."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import psycopg
from psycopg.conninfo import conninfo_to_dict

from halo_core.errors import CannotDecide, ConfigError, HaloError
from halo_core.store.engine import Conflict, ConnectionLost
from halo_core.store.entry_parts import translate_search

_PLACED: Final = (
    "FROM (SELECT e.*, p.idx AS place FROM entry e LEFT JOIN position p"
    " ON p.tenant=e.tenant AND p.w=e.w AND p.ws=e.ws) AS entry"
)
RAISE_GENERATION: Final = (
    "INSERT INTO generation VALUES (?,1) ON CONFLICT (tenant) DO UPDATE SET version=generation.version+1"
    " RETURNING version"
)
PURGED_TABLES: Final = ("vault", "identity")
"""Tables that are written anew after an erasure."""
UNPURGED: Final = (
    "the server's write-ahead log, its archive and its standbys keep wrapped keys and rows of `identity` until recycled"
)
LOST_STATES: Final = ("57P01", "57P02", "57P03", "25P03", "25P04")
_CONFLICT_STATES: Final = ("40001", "40P01", "23505", "22012")
_BUSY_STATES: Final = ("55P03", "57014", "53300")
_IS_FULL: Final = re.compile("too many (clients|connections)|remaining connection slots")
_UNKNOWN_STATES: Final = ("42P01", "42703")


@lru_cache(maxsize=1024)
def translate(statement: str) -> str:
    """A statement of the store in PostgreSQL's words.

    `?` becomes `%s`. A query that reads or compares `idx` reads entries with their positions; what has none yet comes
    last, in the order in which the sequencer will place it. A query that is only ordered by `idx` is about entries that
    follow from each other (of one session, or changes of control), so `tick` orders them alike.
    """
    text = re.sub(r" INDEXED BY \w+", "", statement.replace("%", "%%"))
    text = translate_search(re.sub(r"instr\(body, (\?\d*)\)", r"position(\1 IN body)", text))
    if "max(idx" in text:
        text = text.replace("FROM entry", "FROM position")
    elif text.startswith("SELECT") and "FROM entry" in text and re.search(r"\bidx\b", text):
        text = _place(text)
    return re.sub(r"\?\d*", "%s", text)


def _place(text: str) -> str:
    head, by, limit_text = text.partition(" ORDER BY idx")
    if re.search(r"\bidx\b", head) is None:
        return f"{head} ORDER BY tick{limit_text}"
    order = f" ORDER BY place NULLS LAST, tick{limit_text}" if by else ""
    return re.sub(r"\bidx\b", "place", head).replace("FROM entry", _PLACED) + order


def describe_server(url: str) -> str:
    """The name under which an anchor knows a database: its server and name, without user and password."""
    parts = conninfo_to_dict(make_libpq_url(url))
    host = parts.get("host") or parts.get("hostaddr") or "localhost"
    return f"postgresql:{host}:{parts.get('port') or 5432}/{parts.get('dbname') or parts.get('user') or ''}"


def make_libpq_url(url: str) -> str:
    """The URL without the driver that SQLAlchemy would choose."""
    return "postgresql:" + url.partition(":")[2]


@lru_cache(maxsize=256)
def find_table(statement: str) -> str:
    """The table that an INSERT or UPDATE writes, or a SELECT reads."""
    return re.split(r"^(?:INSERT INTO|UPDATE|SELECT 1 FROM) (\w+)", statement)[1]


@lru_cache(maxsize=1024)
def combine(parts: tuple[tuple[str, int], ...]) -> bytes:
    """One statement of several, each of which must insert, update or find as many rows as given; else it fails."""
    statements, checks = [], []
    for number, (statement, rows) in enumerate(parts):
        text = translate(statement)
        if rows > 1:
            head, _, values = text.partition(" VALUES ")
            text = f"{head} VALUES {', '.join([values] * rows)}"
        returning = "" if text.startswith("SELECT") else " RETURNING 1"
        statements.append(f"k{number} AS ({text}{returning})")
        checks.append(f"(SELECT count(*)={rows} FROM k{number})")  # noqa: S608  numbers
    return f"WITH {', '.join(statements)} SELECT 1/({' AND '.join(checks)})::int".encode()


def make_lock(sessions: Iterable[int], control: int | None = None, *, alone: bool = False) -> str:
    """The statement with which a transaction takes advisory locks; empty for none.

    That of control comes first, and those of sessions in the order of their numbers, so that no two transactions wait
    for each other.

    Args:
        sessions: numbers of the locks of sessions.
        control: number of the lock of the tenant's control; None for none.
        alone: it is not shared with others that decide.
    """
    calls = [f"pg_advisory_xact_lock({number})" for number in sorted(sessions)]
    if control is not None:
        calls.insert(0, f"pg_advisory_xact_lock{'' if alone else '_shared'}({control})")
    return f"SELECT {', '.join(calls)}" if calls else ""


def make_store_error(error: psycopg.Error, *, is_lost: bool = False, is_connecting: bool = False) -> HaloError:
    """The error that callers get for a driver's error."""
    state, text = error.sqlstate or "", first_line(error)
    # While connecting the driver gives no state.
    if state in _BUSY_STATES or (is_connecting and _IS_FULL.search(text)):
        return CannotDecide(
            "ledger_busy",
            f"the database did not answer in time: {text}",
            remedy="try again, or find the session that keeps it locked",
        )
    if is_connecting:
        return CannotDecide(
            "ledger_unreachable", f"cannot connect to the database: {text}", remedy="check the server and the URL"
        )
    if is_lost or state in LOST_STATES or state.startswith("08"):
        return ConnectionLost(f"the connection to the database ended: {text}")
    if state in _CONFLICT_STATES:
        return Conflict(f"another process was faster: {text}")
    if state in _UNKNOWN_STATES:
        return ConfigError(
            "schema_version",
            f"the database has another schema: {text}",
            field="db",
            remedy="use the Halo that wrote it",
        )
    return CannotDecide(
        "ledger_unwritable",
        f"the ledger cannot be written: {text}",
        remedy="check the role's rights and its search_path, and that the server is no standby",
    )


def first_line(error: psycopg.Error) -> str:
    """What an error says, without its context."""
    return str(error).strip().partition("\n")[0]
