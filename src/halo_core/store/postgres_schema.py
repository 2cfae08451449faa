"""The tables on PostgreSQL: those of `schema`, and what several writers at the same time need besides.

    position    position of each entry in its tenant's log, given by the sequencer (`sequencer`); evidence
    sequenced   how many entries of each writer have a position
    lease       who may give positions at this moment, with a number that rises with each holder
    generation  a number for each tenant that rises with each change of what others hold in memory
    halo_schema the version of the schema

`entry.idx` stays NULL. `entry.tick`, which takes its place in indexes, rises with each insert: where one entry follows
from another, its tick is larger, so the sequencer can place what it sees at one moment in an order that respects cause
and effect. Usage counts have 32 parts, so that writers do not wait for each other. Texts are COLLATE "C": they sort by
code point, as in SQLite.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import Identity, Index, PrimaryKeyConstraint, Table, Text, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import Column, CreateIndex, CreateTable, MetaData, UniqueConstraint
from sqlalchemy.types import BigInteger

from halo_core.store import schema
from halo_core.store.engine import ADDED, ADDED_INDEXES
from halo_core.store.entry_parts import translate_search

EVIDENCE: Final = (*schema.EVIDENCE, "position")
"""Tables whose rows are inserted and never changed or removed."""

FUNCTION_NAME: Final = "halo_refuse_change"
_FUNCTION_BODY: Final = " BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME; END "
_FUNCTION: Final = (
    f"CREATE OR REPLACE FUNCTION {FUNCTION_NAME}() RETURNS trigger LANGUAGE plpgsql AS $${_FUNCTION_BODY}$$"
)
_MORE: Final = {
    "position": ("tenant text, idx int, w text, ws int", "tenant, idx"),
    "sequenced": ("tenant text, w text, next int, done int", "tenant, w"),
    "lease": ("tenant text, holder text, epoch int, until_us int", "tenant"),
    "generation": ("tenant text, version int", "tenant"),
    "halo_schema": ("version int", "version"),
    "usage": ("tenant text, agent text, resource text, uses int, part int", "tenant, agent, resource, part"),
}


@lru_cache(maxsize=1)
def _make_metadata() -> MetaData:
    metadata = MetaData()
    for table in schema.metadata.sorted_tables:
        if table.name not in _MORE:
            table.to_metadata(metadata)
    for name, (columns, key) in _MORE.items():
        parts = [Column[Any](*_parse_column(column)) for column in columns.split(", ")]
        Table(name, metadata, *parts, PrimaryKeyConstraint(*key.split(", ")))
        for column in metadata.tables[name].columns:
            column.nullable = False
    metadata.tables["position"].append_constraint(UniqueConstraint("tenant", "w", "ws"))
    _order_by_tick(metadata.tables["entry"])
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Text):
                column.type = Text(collation="C")
    return metadata


def _order_by_tick(entry: Table) -> None:
    """Let positions be empty, and `tick` take their place in indexes."""
    entry.columns["idx"].nullable = True
    entry.append_column(Column("tick", BigInteger(), Identity(always=True, cache=1), nullable=False))
    for constraint in list(entry.constraints):
        if isinstance(constraint, UniqueConstraint) and "idx" in constraint.columns:
            entry.constraints.discard(constraint)
    for index in list(entry.indexes):
        entry.indexes.discard(index)
        parts = [_translate_part(entry, part) for part in index.expressions]
        Index(index.name, *parts, postgresql_where=index.dialect_options["postgresql"]["where"], _table=entry)


def _translate_part(entry: Table, part: Any) -> Any:
    if isinstance(part, Column):
        return entry.columns["tick" if part.name == "idx" else part.name]
    return text(translate_search(str(part)))


def _parse_column(column: str) -> tuple[str, Any]:
    name, kind = column.split()
    return name, Text() if kind == "text" else BigInteger()


def create_statements(version: int) -> Iterator[str]:
    """The statements that create everything, in a schema that has none of it."""
    for table in _make_metadata().sorted_tables:
        yield from create_table(table.name)
    yield _FUNCTION
    for name in EVIDENCE:
        yield (
            f"CREATE TRIGGER {name}_append_only BEFORE UPDATE OR DELETE ON {name} "
            f"FOR EACH ROW EXECUTE FUNCTION {FUNCTION_NAME}()"
        )
        yield (
            f"CREATE TRIGGER {name}_not_truncated BEFORE TRUNCATE ON {name} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {FUNCTION_NAME}()"
        )
    yield f"INSERT INTO halo_schema VALUES ({version})"  # noqa: S608  a constant


@lru_cache(maxsize=64)
def create_table(name: str) -> tuple[str, ...]:
    """The statements that create one table."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    table = _make_metadata().tables[name]
    indexes = sorted(table.indexes, key=lambda item: str(item.name))
    created = str(CreateTable(table).compile(dialect=dialect))
    return (created, *(str(CreateIndex(index).compile(dialect=dialect)) for index in indexes))


def create_late_indexes() -> Iterator[str]:
    """The statements that create indexes that a store of this version may lack, since they came later."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for index in _make_metadata().tables["entry"].indexes:
        if index.name in ADDED_INDEXES:
            yield str(CreateIndex(index, if_not_exists=True).compile(dialect=dialect))


def has_tables(connection: Any, *names: str) -> bool:
    """Whether tables of these names are there; without names, whether there is a Halo store.

    Args:
        connection: a connection of psycopg.
        names: names of tables.
    """
    wanted = list(names or ("entry", "control"))
    query = "SELECT count(*) FROM pg_tables WHERE schemaname=current_schema() AND tablename = ANY(%s)"
    return bool(connection.execute(query.encode(), (wanted,)).fetchone()[0] == len(wanted))


def has_added_indexes(connection: Any) -> bool:
    """Whether the indexes are there that a store of this version may lack.

    Args:
        connection: a connection of psycopg.
    """
    query = "SELECT count(*) FROM pg_indexes WHERE schemaname=current_schema() AND indexname = ANY(%s)"
    count = connection.execute(query.encode(), (list(ADDED_INDEXES),)).fetchone()[0]
    return bool(count == len(ADDED_INDEXES))


def create_missing(connection: Any, lock: int, version: int) -> None:
    """Create all tables, or in a store that has some those that were added later, in one transaction.

    Args:
        connection: a connection of psycopg.
        lock: number of the advisory lock under which one process at a time creates them.
        version: version of the schema.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (lock,))
        if has_tables(connection):
            added = [text for name in ADDED if not has_tables(connection, name) for text in create_table(name)]
            statements = [*added, *create_late_indexes()]
        else:
            statements = list(create_statements(version))
        connection.execute(";\n".join(statements).encode())  # in one round trip


def list_tables() -> list[str]:
    """Names of all tables."""
    return sorted(_make_metadata().tables)


def grant_statements(role: str, schema: str = "public") -> list[str]:
    """The rights that a role needs to decide: it may insert evidence, and never change or remove it.

    Args:
        role: a name that needs no quotes.
        schema: schema of the tables; a name that needs no quotes.

    Raises:
        ValueError: a name needs quotes.
    """
    for name in (role, schema):
        if not name.isidentifier() or name != name.lower():
            raise ValueError(f"`{name}` needs quotes")
    tables = sorted(_make_metadata().tables)
    others = [name for name in tables if name not in (*EVIDENCE, "halo_schema")]

    def place(names: Iterable[str]) -> str:
        return ", ".join(f"{schema}.{name}" for name in names)

    return [
        f"GRANT USAGE ON SCHEMA {schema} TO {role}",
        f"GRANT SELECT ON {schema}.halo_schema TO {role}",
        f"GRANT SELECT, INSERT ON {place(EVIDENCE)} TO {role}",
        f"GRANT SELECT, INSERT, UPDATE, DELETE ON {place(others)} TO {role}",
    ]


def _list_expected_triggers() -> set[str]:
    """Names of Halo's triggers."""
    return {f"{name}_{what}" for name in EVIDENCE for what in ("append_only", "not_truncated")}


_DIFFERENCES: Final = f"""
SELECT 'trigger', t.tgname, p.proname = '{FUNCTION_NAME}' AND t.tgenabled = 'O' AND p.prosrc = %s
FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid JOIN pg_proc p ON p.oid = t.tgfoid
WHERE NOT t.tgisinternal AND c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
UNION ALL
SELECT 'rule', r.rulename, false FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
UNION ALL
SELECT 'policy', l.polname, false FROM pg_policy l JOIN pg_class c ON c.oid = l.polrelid
WHERE c.relnamespace = current_schema()::regnamespace AND c.relname = ANY(%s)
ORDER BY 1, 2
"""  # noqa: S608  constants
"""(kind, name, whether it is Halo's own) of each trigger, rule and row policy on Halo's tables."""


def _difference_values() -> tuple[Any, ...]:
    """The values for the placeholders of `_DIFFERENCES`."""
    names = sorted({*schema.metadata.tables, *_MORE})
    return _FUNCTION_BODY, names, names, names


def find_differences(connection: Any) -> list[tuple[str, str]]:
    """Triggers, rules and row policies that differ from Halo's own: (kind, name), or (`missing`, name).

    Args:
        connection: a connection of psycopg.
    """
    rows = connection.execute(_DIFFERENCES.encode(), _difference_values()).fetchall()
    expected = _list_expected_triggers()
    missing = expected - {name for kind, name, _ in rows if kind == "trigger"}
    foreign = [(kind, name) for kind, name, is_own in rows if not is_own or name not in expected]
    return foreign + [("missing", name) for name in sorted(missing)]
