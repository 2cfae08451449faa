"""The parts of entries' texts by which indexes find those about a subject, however long the log is.

    low, high = bound_part(b'"agent":"clerk"')

No column names the subject, since a column is not signed. Each index holds 64 bytes of the entry's text, from the
first occurrence of a member such as `"agent":"` on. A longer name is cut, so callers compare the whole name in what
they find. No member in front of the named one may hold a member of that name.
"""

from __future__ import annotations

import re
from typing import Final

__all__ = ["AGENT_PART", "STORE_PART", "SUBJECT_PART", "bound_part", "translate_search"]

_BYTES: Final = 64


def _cut_from(name: str) -> str:
    """The part of a text that begins with a member, as SQL of an index; queries must say the same to use it."""
    member = f'"{name}":"'.encode()
    return f"substr(body, instr(body, x'{member.hex()}'), {_BYTES})"


SUBJECT_PART: Final = _cut_from("subject")
"""Of an entry of a profile: the identity, without its kind."""
AGENT_PART: Final = _cut_from("agent")
"""Of the entry of a passport: its agent."""
STORE_PART: Final = _cut_from("store")
"""Of the first entry of a writer: the store that it opened."""


def bound_part(member: bytes) -> tuple[bytes, bytes]:
    """The lower (inclusive) and upper (exclusive) bound of the parts that begin with this member."""
    low = member[:_BYTES]
    return low, low + b"\xff"  # no byte of UTF-8


def translate_search(expression: str) -> str:
    """SQL that looks for constant bytes in an entry's text, in PostgreSQL's words."""
    return re.sub(r"instr\(body, x('[0-9a-f]+')\)", r"position(decode(\1, 'hex') IN body)", expression)
