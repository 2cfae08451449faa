"""The parts of entries' texts by which indexes find those about a subject, however long the log is.

    low, high = bound_part(b'"agent":"clerk"')

No column names the subject, since a column proves nothing. A part begins with the first of a member's name in the text
and is cut off, so what is found may be about another subject and is read; nothing about the subject is left out.
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
    """The least part of an entry whose text contains a member where its part begins, and what all such are below."""
    low = member[:_BYTES]
    return low, low + b"\xff"  # no byte of UTF-8


def translate_search(expression: str) -> str:
    """SQL that looks for constant bytes in an entry's text, in PostgreSQL's words."""
    return re.sub(r"instr\(body, x('[0-9a-f]+')\)", r"position(decode(\1, 'hex') IN body)", expression)
