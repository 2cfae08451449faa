"""Languages of programs in arguments, as a resource declares them (`Resource.programs`): `sql/sqlite`, `cypher`.

A language is a family, and of SQL perhaps a dialect behind a `/`. What is in neither list is a language that nobody
here reads, so that a program in it may do anything.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final


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
    """Family and dialect of a language; the dialect is empty where none was declared."""
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
    """The language of a database's statements, by the name that SQLAlchemy has for it (`engine.dialect.name`).

    `sql` alone, whose every ambiguity counts against a program, where the dialect is not known.
    """
    name = engine.lower().partition("+")[0]
    dialect = _ENGINE_DIALECTS.get(name, name)
    return f"{Language.SQL}/{dialect}" if dialect in SQL_DIALECTS else str(Language.SQL)
