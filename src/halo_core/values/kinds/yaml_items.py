r"""Items of a list in YAML, as tools that dump their records return them.

    read_items("- id: 7\n  subject: Rent\n- id: 8\n  subject: Gym")
    # [{"id": "7", "subject": "Rent"}, {"id": "8", "subject": "Gym"}]

Only the shape that a dumper writes is read, line by line, so that a long text costs little. A text of several lines
stands deeper than the fields, so it holds no further item.
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.patterns import compile_later

_FIELD: Final = compile_later(r"(- |  )([A-Za-z_]\w{0,40}):(?: (.*))?")
_ITEM: Final = "- "
_DEEPER: Final = ("    ", "  - ")
"""Beginnings of lines that belong to the field above: a part of its text, a member of its list."""
_MAX_ITEMS: Final = 64
_BLOCK: Final = ("|", ">")


def read_items(text: str) -> list[dict[str, str]]:
    """Read the fields of each item with the first lines of their texts; nothing if any other line is no part of one."""
    items: list[dict[str, str]] = []
    if not text.startswith(_ITEM):
        return items
    for line in text.rstrip().split("\n"):
        if not line.strip() or line.startswith(_DEEPER):
            continue
        field = _FIELD.fullmatch(line)
        if field is None:
            return []
        sign, name, value = field.groups()
        if sign == _ITEM:
            if len(items) == _MAX_ITEMS:
                break
            items.append({})
        value = (value or "").strip()
        items[-1].setdefault(name, "" if value.startswith(_BLOCK) else value.strip("\"'"))
    return items
