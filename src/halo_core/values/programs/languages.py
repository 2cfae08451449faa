"""Languages of programs in arguments, as a resource declares them (`sql/sqlite`, `cypher`), and what a program does.

A language is a family, and for SQL perhaps a dialect behind a `/`. No reader exists for a language that is in neither
list, so a program in it may do anything.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from halo_core.quick_dataclass import dataclass


class Language(StrEnum):
    """Families of languages whose programs are read."""

    CYPHER = "cypher"
    PYTHON = "python"
    SHELL = "shell"
    SQL = "sql"


SQL_DIALECTS: Final = frozenset(
    "athena bigquery clickhouse databricks doris dremio drill druid duckdb dune exasol fabric hive materialize mysql "
    "oracle postgres presto redshift risingwave snowflake spark spark2 sqlite starrocks tableau teradata trino "
    "tsql".split()
)
"""Dialects of SQL that sqlglot parses. PRQL, DAX and Solr, which it parses too, are no SQL."""


def split_language(language: str) -> tuple[str, str]:
    """Split a language into family and dialect; the dialect is empty if none was declared."""
    family, _, dialect = language.partition("/")
    return family, dialect


_ENGINE_DIALECTS: Final = {
    "awsathena": "athena",
    "cockroachdb": "postgres",
    "hana": "",
    "mariadb": "mysql",
    "mssql": "tsql",
    "postgresql": "postgres",
    "sparksql": "spark",
    "teradatasql": "teradata",
}


def find_sql_language(engine: str) -> str:
    """Find the language of a database's statements, by SQLAlchemy's name for it (`engine.dialect.name`).

    For an unknown dialect it is `sql`, where every ambiguity counts against a program.
    """
    name = engine.lower().partition("+")[0]
    dialect = _ENGINE_DIALECTS.get(name, name)
    return f"{Language.SQL}/{dialect}" if dialect in SQL_DIALECTS else str(Language.SQL)


MAX_NODES: Final = 2_000
"""Most nodes of a program that is read."""
MAX_NAMED: Final = 32
"""Most things that a program may name."""


class ProgramEffect(StrEnum):
    """How much of a program's effect is known: it only reads, it acts on what it names, or it could do anything."""

    READS = "reads"
    ACTS = "acts"
    OPAQUE = "opaque"


class Rows(NamedTuple):
    """Which rows one statement deletes or changes.

    Args:
        table: of the rows.
        keys: (column, value) of conditions that say which row it is.
        values: that other conditions compare with, and that columns are set to.
        is_open: no condition says which rows, or one that is not understood.
        whole_table_verbs: verbs by which people ask for no less than the whole table; empty if "all" asks for it.
        kind: noun of what is dropped: `table`.
        conditions: the values of each condition of another column, all of which must hold.
        settings: (column, value) of what is set; no value where it is none that a user could write.
    """

    table: str
    keys: tuple[tuple[str, str], ...]
    values: tuple[str, ...]
    is_open: bool
    whole_table_verbs: tuple[str, ...] = ()
    kind: str = ""
    conditions: tuple[tuple[str, ...], ...] = ()
    settings: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Program:
    """What one program does.

    Args:
        effect: see `ProgramEffect`.
        named: hosts, paths and tables that it names, as they are written.
        verbs: of each thing that it does, the stems by which a user asks for that; empty of one that only reads.
        rows: that it deletes or changes, of each statement of SQL that does.
    """

    effect: ProgramEffect
    named: tuple[str, ...] = ()
    verbs: tuple[frozenset[str], ...] = ()
    rows: tuple[Rows, ...] = ()


OPAQUE: Final = Program(ProgramEffect.OPAQUE)
READS: Final = Program(ProgramEffect.READS)
