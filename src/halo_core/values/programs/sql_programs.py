"""What a statement of SQL does, by sqlglot's tree of it in the dialect that runs it.

A statement reads if every node of its tree and every function is in the lists of `sql_names`. One that inserts,
updates, deletes, creates, changes or drops acts on the tables that it names. What is neither is opaque.

Dialects disagree on where a comment or a text begins and ends, so that one database runs what another skips. Where no
dialect is declared, any sign on which they disagree makes a program opaque; where one is, only what this reader and
that database may read differently.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any, Final

from halo_core.values.kinds.sql_joins import has_many_open_joins
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.programs.languages import (
    MAX_NAMED,
    MAX_NODES,
    OPAQUE,
    READS,
    SQL_DIALECTS,
    Program,
    ProgramEffect,
    Rows,
)
from halo_core.values.programs.sql_names import (
    PURE_CALLS,
    PURE_FUNCTIONS,
    READING_NODES,
    READING_STATEMENTS,
    TABLE_CALLS,
    TABLE_FUNCTIONS,
)
from halo_core.values.programs.statement_rows import find_rows

_STATEMENT_VERBS: Final = {
    "alter": stem_all("change alter modify update"),
    "create": stem_all("create make add new"),
    "delete": stem_all("delete remove erase clean clear"),
    "drop": stem_all("drop delete remove"),
    "insert": stem_all("insert add save record store"),
    "truncatetable": stem_all("truncate empty clear delete"),
    "update": stem_all("update change set modify edit"),
}
_STATEMENTS: Final = frozenset({"DELETE", "INSERT", "SELECT", "UPDATE"})
"""Tokens by which a statement begins whose tokens are compared."""
_EXACT_TOKENS: Final = frozenset({"IDENTIFIER", "NATIONAL_STRING", "NUMBER", "STRING", "VAR"})
_MAX_CANONICAL: Final = 4_096  # characters
_UNREADABLE_NODES: Final = frozenset({"Command", "Into", "Lock", "QueryTransform", "Hint", "Stream"})
_NAMED_CALLS: Final = frozenset({"Anonymous", "AnonymousAggFunc", "ParameterizedAgg"})
# Databases disagree on where these begin or end a comment or a text, so that one runs what another one skips.
_AMBIGUOUS_SIGNS: Final = ("\\", "/*", "--", "#", "$$", "[", "`", "://")
_ODD_SPACES: Final = compile_later(r"\r(?!\n)|[^\S \t\r\n]|[\x00-\x08\x0e-\x1f\x7f]")
"""Line ends and spaces on which databases and this reader may disagree."""
_NESTED_COMMENT: Final = compile_later(r"/\*(?:(?!\*/).)*/\*", re.DOTALL)
_CONDITIONAL_COMMENT: Final = compile_later(r"/\*M?!")
_MYSQL: Final = frozenset({"mysql", "doris", "starrocks", "singlestore"})
_MYSQL_PIECES: Final = compile_later(
    r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`[^`]*`|#[^\n]*|--(?=\s|$)[^\n]*|/\*.*?\*/|(?P<minus>--)", re.DOTALL
)
"""Texts, names and comments of MySQL, and what is a comment to sqlglot and two signs of minus to MySQL."""
_POSTGRES: Final = frozenset({"postgres", "redshift", "materialize", "risingwave", "duckdb"})
_POSTGRES_QUOTES: Final = compile_later(r"\$\w*\$|\b[uU]&['\"]")
_BRACKETED: Final = frozenset({"sqlite", "tsql", "fabric"})
_UNTERMINATED: Final = frozenset({"", "tsql", "fabric"})
"""Where a statement may follow another without a sign between them."""
_STATEMENT_WORDS: Final = frozenset(
    "alter backup begin bulk checkpoint commit create dbcc deallocate declare delete deny drop dump exec execute goto "
    "grant go insert kill load merge openrowset print raiserror reconfigure restore return revert revoke rollback save "
    "set shutdown truncate update updatetext use waitfor while writetext".split()
)
_EXPLAIN: Final = compile_later(
    r"\s*explain\s+(?:(?:query\s+plan|analyze|verbose|extended|formatted|plan|format\s*=\s*\w+)\s+)*(?=[(a-z])",
    re.IGNORECASE,
)
_EXPLAIN_START: Final = compile_later(r"(?:select|with|\()", re.IGNORECASE)
_PRAGMA: Final = compile_later(
    r"\s*pragma\s+(?:\w+\.)?(?:table_info|table_xinfo|table_list|foreign_key_list|index_list|index_info|index_xinfo"
    r"|database_list|show_tables|storage_info)\s*(?:\(\s*['\"]?\w*['\"]?\s*\))?\s*;?\s*",
    re.IGNORECASE,
)
_PRAGMA_DIALECTS: Final = frozenset({"sqlite", "duckdb"})
_MAX_DEPTH: Final = 64  # of brackets
_OUTSIDE_NAME: Final = compile_later(r"[/\\:@*?~]|\.\w{1,8}$")
"""What a table's name holds that is a file's or an address."""
_OWNED_CALLS: Final = frozenset({"", "oracle"})
"""Where `package.function` may call something without brackets."""
_BARE_TABLES: Final = frozenset({"dual", "sysdummy1"})
_BARE_NAMES: Final = frozenset(
    "sysdate systimestamp user uid rownum rowid level ora_rowscn current_date current_timestamp current_user "
    "localtimestamp sessiontimezone dbtimezone connect_by_isleaf connect_by_iscycle column_value".split()
)
"""Names that stand for a value without any table."""
_ACTING_NAME: Final = compile_later(
    r"(?:apply|archive|approve|call|cancel|charge|clear|close|create|delete|disable|do|drop|enable|erase|exec|execute"
    r"|expire|export|fire|flush|grant|insert|issue|kill|launch|mail|notify|pay|perform|post|process|publish|purge"
    r"|reboot|refund|remove|reset|restart|revoke|run|send|set|shutdown|start|stop|submit|transfer|trigger|truncate"
    r"|update|upload|wipe|write)_(?!(?:at|by|code|count|date|dt|flag|id|ind|key|mode|name|no|num|number|on|reason|status"
    r"|time|timestamp|ts|type|user|value|yn)$)\w+"
)
"""A function rather than a column; it needs no brackets in Oracle."""
_FILE_DIALECTS: Final = frozenset({"", "spark", "spark2", "databricks", "hive"})
_FILE_SCHEMAS: Final = frozenset(
    "avro binaryfile csv delta iceberg json hudi image libsvm orc parquet text xml".split()
)
"""Where, and as which schemas, a format stands in front of the path of a file."""
_SEQUENCE_WORDS: Final = frozenset({"nextval"})
_ATTRIBUTE_CALLS: Final = frozenset({"", "postgres", "redshift", "materialize", "risingwave"})
"""Where `row.f` and `(value).f` may call the function `f`."""
_ACTING_ATTRIBUTE: Final = compile_later(
    r"pg_|lo_|dblink|currval|setval|lastval|query_to|table_to|cursor_to|schema_to|database_to|ts_stat|xpath_table"
    r"|crosstab|set_config|txid_|inet_"
)
_NAME_NODES: Final = frozenset({"Column", "Dot", "Identifier", "Star"})
_TABLE_HINTS: Final = frozenset({"nolock", "readuncommitted", "readcommitted", "readpast", "forceseek", "noexpand"})


def judge_sql(text: str, dialect: str = "") -> Program:
    """Find out what a program of SQL does.

    Args:
        text: one statement or several.
        dialect: sqlglot's name of the dialect; empty where nobody declared it.

    Raises:
        Exception: sqlglot cannot parse it.
    """
    if (dialect and dialect not in SQL_DIALECTS) or _is_ambiguous(text, dialect):
        return OPAQUE
    if dialect in _PRAGMA_DIALECTS and _PRAGMA.fullmatch(text) is not None:
        return READS
    if dialect and (explained := _EXPLAIN.match(text)) is not None:
        rest = text[explained.end() :]
        # Some databases run what they explain, so that has to read.
        program = judge_sql(rest, dialect) if _EXPLAIN_START.match(rest) is not None else OPAQUE
        return program if program.effect is ProgramEffect.READS else OPAQUE
    trees = _parse(text, dialect)
    return _judge_trees(trees, dialect) if any(trees) else OPAQUE


def write_sql_tokens(text: str) -> str:
    """Write the tokens of statements in one spelling.

    Statements that differ in blanks, in the case of keywords or in a last semicolon are equal then. Empty if these are
    no statements that every database reads alike, such as a command of a shell.
    """
    if len(text) > _MAX_CANONICAL or _is_ambiguous(text, ""):
        return ""
    try:
        tokens = _tokenize(text, "")
    except Exception:  # noqa: BLE001  whatever the parser raises: then it is compared as it is written
        return ""
    while tokens and tokens[-1].token_type.name == "SEMICOLON":
        tokens.pop()
    if not tokens or tokens[0].token_type.name not in _STATEMENTS:
        return ""
    return repr([(token.token_type.name, _spell_token(token)) for token in tokens])


def _spell_token(token: Any) -> str:
    """The text of a token; of a keyword in upper case."""
    is_exact = token.token_type.name in _EXACT_TOKENS
    return str(token.text if is_exact else token.text.upper())


def _tokenize(text: str, dialect: str) -> list[Any]:
    import sqlglot  # noqa: PLC0415  a third of a second, and few agents speak SQL

    logging.getLogger("sqlglot").setLevel(logging.CRITICAL)  # it remarks on what it cannot parse
    return list(sqlglot.tokenize(text, read=dialect or None))


def _is_ambiguous(text: str, dialect: str) -> bool:
    """Whether a database may read another program than the one that is judged."""
    if not dialect and any(sign in text for sign in _AMBIGUOUS_SIGNS):
        return True
    return (
        _ODD_SPACES.search(text) is not None
        or _NESTED_COMMENT.search(text) is not None
        or (dialect in _MYSQL and (_CONDITIONAL_COMMENT.search(text) is not None or _has_minus_signs(text)))
        or (dialect in _POSTGRES and _POSTGRES_QUOTES.search(text) is not None)
        or (dialect in _BRACKETED and "]]" in text)
        or _measure_depth(text) > _MAX_DEPTH
    )


def _has_minus_signs(text: str) -> bool:
    return any(piece["minus"] for piece in _MYSQL_PIECES.finditer(text))


def _measure_depth(text: str) -> int:
    """Measure how deep brackets are nested, including those in texts."""
    depth = deepest = 0
    for sign in re.findall(r"[()\[\]{}]", text):
        depth = depth + 1 if sign in "([{" else max(depth - 1, 0)
        deepest = max(deepest, depth)
    return deepest


def _parse(text: str, dialect: str) -> list[Any]:
    import sqlglot  # noqa: PLC0415  a third of a second, and few agents speak SQL

    tokens = _tokenize(text, dialect)
    if len(tokens) > MAX_NODES or has_many_open_joins(tokens):
        return []
    words = ["" if token.token_type.name in _QUOTED else token.text.lower() for token in tokens]
    if dialect in _UNTERMINATED and not _STATEMENT_WORDS.isdisjoint(words[_count_leading_words(words) :]):
        return []
    return sqlglot.parse(text, read=dialect or None)


def _count_leading_words(words: list[str]) -> int:
    """Count the tokens by which a statement begins: `update orders set`, or its first word."""
    if words[:1] == ["update"] and "set" in words[2:5:2]:
        return words.index("set") + 1
    return 1


_QUOTED: Final = frozenset({"STRING", "IDENTIFIER", "NATIONAL_STRING"})


def _judge_trees(trees: list[Any], dialect: str) -> Program:  # noqa: PLR0911  one return for each reason
    tables: dict[str, None] = {}
    verbs: list[frozenset[str]] = []
    rows: list[Rows] = []
    count = 0
    for tree in filter(None, trees):
        acts = tree.key in _STATEMENT_VERBS
        if not acts and tree.key not in READING_STATEMENTS:
            return OPAQUE
        nodes = list(tree.walk())
        count += len(nodes)
        if count > MAX_NODES:
            return OPAQUE
        # A statement inside of another one, such as `WITH x AS (DELETE ...) SELECT`, acts as well.
        inner = [_STATEMENT_VERBS[node.key] for node in nodes if node.key in _STATEMENT_VERBS]
        verbs += inner
        rows += filter(None, map(find_rows, nodes))
        if not all(_is_readable(node, dialect, acts=bool(inner)) for node in nodes):
            return OPAQUE
        named = _list_tables(nodes)
        if named is None:
            return OPAQUE
        if dialect in _OWNED_CALLS and not (_has_known_qualifiers(nodes) and _has_known_columns(nodes, named)):
            return OPAQUE
        tables.update(dict.fromkeys(named))
    if len(tables) > MAX_NAMED:
        return OPAQUE
    return Program(ProgramEffect.ACTS if verbs else ProgramEffect.READS, tuple(tables), tuple(verbs), tuple(rows))


def _is_readable(node: Any, dialect: str, *, acts: bool) -> bool:
    """Whether a node is in the lists; in a statement that acts, whether it does no more than its verb says."""
    from sqlglot import exp  # noqa: PLC0415

    name = type(node).__name__
    if name in _NAMED_CALLS:
        return _is_pure_call(node)
    if isinstance(node, exp.Func):
        return name in PURE_FUNCTIONS and not _is_qualified(node)
    if acts:
        return name not in _UNREADABLE_NODES
    return name in READING_NODES and _READERS.get(name, _accept)(node, dialect)


def _accept(_node: Any, _dialect: str) -> bool:
    return True


def _is_pure_call(node: Any) -> bool:
    name = node.this
    if not isinstance(name, str):  # a quoted name is another function, whatever it looks like
        return False
    return name.lower() in PURE_CALLS and not _is_qualified(node)


def _is_qualified(node: Any) -> bool:
    """Whether a function is called by a schema: that is somebody's own."""
    return type(node.parent).__name__ == "Dot" and node.parent.expression is node


def _is_plain_type(node: Any, _dialect: str) -> bool:
    return getattr(node.this, "name", "") != "USERDEFINED"


def _is_plain_column(node: Any, dialect: str) -> bool:
    name = node.name.casefold()
    if name in _SEQUENCE_WORDS:
        return False
    return not (node.table and dialect in _ATTRIBUTE_CALLS and _ACTING_ATTRIBUTE.match(name) is not None)


def _is_qualification(node: Any, dialect: str) -> bool:
    """Whether a dot stands between names: in PostgreSQL `(value).f` calls the function `f`."""
    parts = [node.this, node.expression]
    return dialect not in _ATTRIBUTE_CALLS or all(type(part).__name__ in _NAME_NODES for part in parts)


def _is_no_assignment(node: Any, _dialect: str) -> bool:
    return type(node.this).__name__ not in ("Parameter", "SessionParameter")


def _is_plain_hint(node: Any, _dialect: str) -> bool:
    return all(item.name.casefold() in _TABLE_HINTS for item in node.expressions)


def _is_plain_table(node: Any, dialect: str) -> bool:
    """Whether a table is one of the database: a file or an address is read by its name in some of them."""
    source, alias = node.this, node.args.get("alias")
    if type(source).__name__ in _NAMED_CALLS:
        return str(source.this).lower() in TABLE_CALLS
    if type(source).__name__ != "Identifier":
        return type(source).__name__ in TABLE_FUNCTIONS
    if alias is not None and alias.this is None:
        return False  # a word with brackets behind it, which the database takes for a function
    parts = [part.name for part in (source, node.args.get("db"), node.args.get("catalog")) if hasattr(part, "name")]
    if dialect in _FILE_DIALECTS and any(part.casefold() in _FILE_SCHEMAS for part in parts[1:]):
        return False
    if parts[0].casefold().startswith("pragma_") and parts[0].casefold() not in TABLE_CALLS:
        return False  # SQLite runs the pragma of that name
    return not any(map(_OUTSIDE_NAME.search, parts))


_READERS: Final[dict[str, Any]] = {
    "Column": _is_plain_column,
    "DataType": _is_plain_type,
    "Dot": _is_qualification,
    "PropertyEQ": _is_no_assignment,
    "Table": _is_plain_table,
    "WithTableHint": _is_plain_hint,
}
"""Nodes that are allowed under a condition."""


def _list_tables(nodes: list[Any]) -> list[str] | None:
    """List the tables that a statement names; None if rows come from something else than a table or a function."""
    from sqlglot import exp  # noqa: PLC0415

    local = {node.alias_or_name.casefold() for node in nodes if isinstance(node, exp.CTE)}
    named = []
    for node in nodes:
        if not isinstance(node, exp.Table):
            continue
        if isinstance(node.this, exp.Func):
            continue  # judged by its name
        if not isinstance(node.this, exp.Identifier):
            return None
        if node.name.casefold() not in local or node.db:
            named.append(node.name)
    return named


def _has_known_qualifiers(nodes: list[Any]) -> bool:
    """Whether each column belongs to a table of the statement: in Oracle `package.function` looks the same."""
    known = set(_iterate_qualifiers(nodes))
    return all(node.table.casefold() in known for node in nodes if type(node).__name__ == "Column" and node.table)


def _has_known_columns(nodes: list[Any], tables: list[str]) -> bool:
    """Whether names without a table can be columns: Oracle calls a function without arguments by its name alone."""
    names = {node.name.casefold() for node in nodes if type(node).__name__ == "Column" and not node.table}
    names -= _BARE_NAMES
    if {table.casefold() for table in tables} <= _BARE_TABLES:
        given = {node.alias.casefold() for node in nodes if type(node).__name__ == "Alias"}
        given |= {
            column.name.casefold()
            for node in nodes
            if type(node).__name__ == "TableAlias"
            for column in node.args.get("columns") or ()
        }
        names -= given
        return not names or any(type(node).__name__ == "Values" for node in nodes)
    return not any(map(_ACTING_NAME.fullmatch, names))


def _iterate_qualifiers(nodes: list[Any]) -> Iterator[str]:
    for node in nodes:
        if type(node).__name__ in ("Table", "CTE", "Subquery"):
            yield node.alias_or_name.casefold()
            yield node.name.casefold() if type(node).__name__ == "Table" else ""
