"""Which rows a statement of SQL deletes or changes, and whether the user said so.

    DELETE FROM orders WHERE id = 5512    # the user's by "delete order 5512"
    DELETE FROM orders                    # only by "delete all orders"

After exposure it is not enough that the user named the table: which rows are meant an untrusted source could say.
"""

from __future__ import annotations

from typing import Any, Final

from halo_core.values.kinds import Form
from halo_core.values.languages import Rows
from halo_core.values.lexicon import stem_all
from halo_core.values.numbered import singularize
from halo_core.values.open_filters import wants_all
from halo_core.values.sketch import Sketch, has_user_mark

_KEYS: Final = frozenset("id no nr num number key uid uuid ref code".split())
_DROPPING: Final = stem_all("drop")
_EMPTYING: Final = stem_all("truncate empty")
_MIN_KEY: Final = 3  # signs of a key that needs no noun
_MAX_VALUE: Final = 64  # characters


def find_rows(tree: Any) -> Rows | None:
    """The rows of a statement that inserts, updates or deletes, or of a table as a whole; None of any other.

    Args:
        tree: sqlglot's.
    """
    from sqlglot import exp  # noqa: PLC0415  a third of a second, and few agents speak SQL

    if isinstance(tree, exp.Drop | exp.TruncateTable):
        return Rows("", (), (), is_open=True, asked_by=_DROPPING if isinstance(tree, exp.Drop) else _EMPTYING)
    if isinstance(tree, exp.Insert):
        return Rows("", (), tuple(literal.name for literal in tree.find_all(exp.Literal)), is_open=False)
    if not isinstance(tree, exp.Delete | exp.Update):
        return None
    table = tree.this.name if isinstance(tree.this, exp.Table) else ""
    where = tree.args.get("where")
    set_values = [literal.name for item in tree.args.get("expressions") or () for literal in item.find_all(exp.Literal)]
    conditions = _list_conditions(where.this) if where is not None else None
    if conditions is None or not table:
        return Rows(table, (), tuple(set_values), is_open=True)
    keys = tuple((column, value) for column, value, _ in conditions if names_key(column))
    values = [value for column, value, _ in conditions if not names_key(column)]
    # Of a key only one row is meant, and no range of them.
    is_open = any(names_key(column) and not is_equal for column, _, is_equal in conditions)
    return Rows(table, keys, (*values, *set_values), is_open=is_open)


def _list_conditions(node: Any) -> list[tuple[str, str, bool]] | None:
    """(column, value, whether both are equal) of conditions that all must hold; None where it says anything else."""
    from sqlglot import exp  # noqa: PLC0415

    if isinstance(node, exp.Paren):
        return _list_conditions(node.this)
    if isinstance(node, exp.And):
        left, right = _list_conditions(node.this), _list_conditions(node.expression)
        return None if left is None or right is None else [*left, *right]
    if isinstance(node, exp.In) and isinstance(node.this, exp.Column) and not node.args.get("query"):
        if not all(isinstance(item, exp.Literal) for item in node.expressions):
            return None
        return [(node.this.name, item.name, True) for item in node.expressions]
    if isinstance(node, exp.EQ | exp.GT | exp.GTE | exp.LT | exp.LTE):
        column, value = node.this, node.expression
        if isinstance(column, exp.Column) and isinstance(value, exp.Literal | exp.Boolean):
            return [(column.name, value.name, isinstance(node, exp.EQ))]
    return None


def names_key(column: str) -> bool:
    """Whether a column says which row it is, or to which row of another table one belongs."""
    return column.casefold().rpartition("_")[2] in _KEYS


def are_rows_asked(sketch: Sketch, rows: Rows) -> bool:
    """Whether the user wrote which rows are meant, and no untrusted source alone said a value.

    Args:
        sketch: what the session has seen.
        rows: of one statement.
    """
    if rows.is_open:
        return sketch.was_asked(rows.asked_by) if rows.asked_by else wants_all(sketch)
    if not all(_is_key_asked(sketch, rows.table, column, value) for column, value in rows.keys):
        return False
    values = [value.casefold() for value in rows.values]
    return all(
        len(value) <= _MAX_VALUE and (has_user_mark(sketch.look_up_marks([value])) or not _is_foreign(sketch, value))
        for value in values
    )


def _is_foreign(sketch: Sketch, value: str) -> bool:
    return any(map(sketch.has_untrusted_said, [value, *value.split()]))


def _is_key_asked(sketch: Sketch, table: str, column: str, value: str) -> bool:
    if is_record_named(sketch, table, column, value):
        return True
    return len(value) >= _MIN_KEY and has_user_mark(sketch.look_up_marks([value.casefold()]))


def is_record_named(sketch: Sketch, table: str, column: str, value: str) -> bool:
    """Whether the user wrote the number of a record beside the noun of its table: "order 5512" for `orders`."""
    noun = singularize(table.casefold())
    own = column.casefold().rpartition("_")[0] in ("", noun)
    if not own or not value.isdigit():
        return False
    return has_user_mark(sketch.look_up_forms([Form("numbered", f"{noun} {int(value)}")]))
