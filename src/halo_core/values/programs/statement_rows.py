"""Which rows a statement of SQL deletes or changes, and whether the user asked for these rows.

    DELETE FROM orders WHERE id = 5512    # asked for by "delete order 5512"
    DELETE FROM orders                    # asked for only by "delete all orders"

After exposure it is not enough that the user named the table: an untrusted source could choose the rows.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Any, Final

from halo_core.values.kinds.kinds import Form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.inflections import list_inflected
from halo_core.values.programs.languages import Rows
from halo_core.values.sketches.sketch import Sketch, has_user_mark
from halo_core.values.sketches.written_words import is_written

_KEYS: Final = frozenset("id no nr num number key uid uuid ref code".split())
_DROPPING: Final = ("drop",)
_EMPTYING: Final = ("truncate", "empty")
_QUANTIFIERS: Final = ("all", "every")
_ROWS: Final = ("row", "rows", "record", "records", "entry", "entries")
_WHOLE: Final = ("everything in", "everything from", "everything out of", "whole table", "entire table")
_LIMITING: Final = (
    "where whose which who that with without having older newer before after since until except but unless only if "
    "not besides other others"
).split()
"""Words by which people say which of all rows are meant."""
_PARTS: Final = (*_ROWS, "column", "columns", "field", "fields", "index", "constraint")
"""Nouns of parts of a table: whoever has one dropped keeps the table."""
_OF_OTHERS: Final = ("of", "for", "from", "by", "to", "with", "at", "in", "about")
_STAMPED: Final = frozenset("updated modified changed".split())
_MIN_KEY: Final = 3  # signs of a key that needs no noun
_MAX_VALUE: Final = 64  # characters


def find_rows(tree: Any) -> Rows | None:
    """Find the rows of a statement that inserts, updates or deletes, or of a whole table; None for any other.

    Args:
        tree: sqlglot's.
    """
    from sqlglot import exp  # noqa: PLC0415  a third of a second, and few agents speak SQL

    if isinstance(tree, exp.Drop | exp.TruncateTable):
        return _find_whole(tree)
    if isinstance(tree, exp.Insert):
        return Rows("", (), tuple(literal.name for literal in tree.find_all(exp.Literal)), is_open=False)
    if not isinstance(tree, exp.Delete | exp.Update):
        return None
    table = tree.this.name if isinstance(tree.this, exp.Table) else ""
    where = tree.args.get("where")
    items = tree.args.get("expressions") or () if isinstance(tree, exp.Update) else ()
    set_values = tuple(literal.name for item in items for literal in item.find_all(exp.Literal))
    settings = tuple(map(_read_setting, items))
    conditions = _list_conditions(where.this) if where is not None else None
    if conditions is None or not table:
        return Rows(table, (), set_values, is_open=True, settings=settings)
    keys = tuple((column, value) for column, values, _ in conditions if names_key(column) for value in values)
    others = tuple(values for column, values, _ in conditions if not names_key(column))
    # Of a key only one row is meant, and no range of them.
    is_open = any(names_key(column) and not is_equal for column, _, is_equal in conditions)
    values = (*chain.from_iterable(others), *set_values)
    return Rows(table, keys, values, is_open=is_open, conditions=others, settings=settings)


def _find_whole(tree: Any) -> Rows:
    from sqlglot import exp  # noqa: PLC0415

    is_drop = isinstance(tree, exp.Drop)
    tables = list(tree.find_all(exp.Table))
    table = tables[0].name if len(tables) == 1 else ""
    kind = str(tree.args.get("kind") or "table").lower() if is_drop else "table"
    return Rows(table, (), (), is_open=True, whole_table_verbs=_DROPPING if is_drop else _EMPTYING, kind=kind)


def _read_setting(item: Any) -> tuple[str, str]:
    """Return (column, value) of `column = value`; the value is empty if it is computed, or no text or number."""
    from sqlglot import exp  # noqa: PLC0415

    if not isinstance(item, exp.EQ) or not isinstance(item.this, exp.Column):
        return "", ""
    value = item.expression
    if isinstance(value, exp.CurrentTimestamp | exp.CurrentDate) and not _STAMPED.isdisjoint(
        item.this.name.casefold().split("_")
    ):
        return "", "now"
    return item.this.name, value.name if isinstance(value, exp.Literal) else ""


def _list_conditions(node: Any) -> list[tuple[str, tuple[str, ...], bool]] | None:
    """List (column, values, whether it equals one of them) of conditions that all must hold; None for others."""
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(node, exp.Paren):
        return _list_conditions(node.this)
    if isinstance(node, exp.And):
        left, right = _list_conditions(node.this), _list_conditions(node.expression)
        return None if left is None or right is None else [*left, *right]
    if isinstance(node, exp.In) and isinstance(node.this, exp.Column) and not node.args.get("query"):
        if not node.expressions or not all(isinstance(item, exp.Literal) for item in node.expressions):
            return None
        return [(node.this.name, tuple(item.name for item in node.expressions), True)]
    if isinstance(node, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        column, value = node.this, node.expression
        if isinstance(column, exp.Column) and isinstance(value, exp.Literal | exp.Boolean):
            return [(column.name, (value.name,), isinstance(node, exp.EQ))]
    return None


def names_key(column: str) -> bool:
    """Whether a column says which row it is, or to which row of another table it belongs."""
    return column.casefold().rpartition("_")[2] in _KEYS


def are_rows_asked(sketch: Sketch, rows: Rows) -> bool:
    """Whether the user wrote which rows are meant, and no value comes only from an untrusted source.

    Further conditions on a row that the user named can only exclude it. Of the conditions on other rows, one has to
    be the user's: `region > ''` holds for all rows.

    Args:
        sketch: what the session has seen.
        rows: of one statement.
    """
    if rows.whole_table_verbs:
        return _is_drop_asked(sketch, rows)
    if not all(_is_set_by_user(sketch, column, value) for column, value in rows.settings):
        return False
    if rows.is_open:
        return _is_each_row_asked(sketch, rows.table)
    if not all(_is_key_asked(sketch, rows, column, value) for column, value in rows.keys):
        return False
    if rows.conditions and not rows.keys and not any(_are_written(sketch, values) for values in rows.conditions):
        return False
    values = [value.casefold() for value in rows.values]
    return all(
        len(value) <= _MAX_VALUE
        and (has_user_mark(sketch.look_up_marks([value])) or not _is_only_untrusted(sketch, value))
        for value in values
    )


def _are_written(sketch: Sketch, values: Iterable[str]) -> bool:
    """Whether the user wrote each of these values."""
    return all(is_written(sketch, value) for value in values)


def _is_set_by_user(sketch: Sketch, column: str, value: str) -> bool:
    """Whether the user wrote the new value of a column.

    It is enough to name the column if no untrusted source contained the value.
    """
    if value and (not column or (len(value) >= _MIN_KEY and is_written(sketch, value))):
        return True  # what is shorter stands in any text: `paid = 1` beside "mail 1"
    words = [word for word in column.casefold().split("_") if word]
    return bool(words) and all(has_user_mark(sketch.look_up_marks([word, *list_inflected(word)])) for word in words)


def _is_each_row_asked(sketch: Sketch, table: str) -> bool:
    """Whether the user wrote "all orders", "all the rows" or the like, without a word that excludes some of them."""
    if not table or has_user_mark(sketch.look_up_marks(_LIMITING)):
        return False
    nouns = dict.fromkeys((table, singularize(table), *_ROWS))
    phrases = [f"{word} {the}{noun}" for word in _QUANTIFIERS for the in ("", "the ", "of the ") for noun in nouns]
    return any(is_written(sketch, phrase) for phrase in (*phrases, *_WHOLE))


def _is_drop_asked(sketch: Sketch, rows: Rows) -> bool:
    """Whether the user wants a table dropped or emptied: "drop the table trials", and no row or column of it."""
    name, kind = rows.table, rows.kind
    if not name or has_user_mark(sketch.look_up_marks(_PARTS)):
        return False
    named = (name, f"{kind} {name}", f"{name} {kind}")
    return any(
        is_written(sketch, f"{verb} {the}{what}")
        for verb in rows.whole_table_verbs
        for the in ("", "the ", "my ", "our ")
        for what in named
    )


def _is_only_untrusted(sketch: Sketch, value: str) -> bool:
    return any(map(sketch.was_in_untrusted_text, [value, *value.split()]))


def _is_key_asked(sketch: Sketch, rows: Rows, column: str, value: str) -> bool:
    if is_record_named(sketch, rows, column, value):
        return True
    return len(value) >= _MIN_KEY and has_user_mark(sketch.look_up_marks([value.casefold()]))


def is_record_named(sketch: Sketch, rows: Rows, column: str, value: str) -> bool:
    """Whether the user wrote the number of a record beside the noun of its table: "order 5512" for `orders`.

    "Delete invoice 5512 of customer 412" asks for the invoice, not for the customer.
    """
    table = rows.table
    noun = singularize(table.casefold())
    is_key_of_table = column.casefold().rpartition("_")[0] in ("", noun)
    if not is_key_of_table or not value.isdigit():
        return False
    if not has_user_mark(sketch.look_up_forms([Form("numbered", f"{noun} {int(value)}")])):
        return False
    if rows.settings:
        return True  # "the state of order 5512" is set in the order
    return not any(
        is_written(sketch, f"{word} {the}{noun} {value}")
        for word in _OF_OTHERS
        for the in ("", "the ", "my ", "our ", "this ", "that ")
    )
