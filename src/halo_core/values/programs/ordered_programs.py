"""Programs that the user orders as a whole."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.patterns import compile_later

_RUNNING: Final = tuple("run execute start launch starte ejecuta lanza exécute lance esegui".split())
_ORDERED: Final = compile_later(
    rf"(?:\A|[.!] )[ \t]*(?:(?:please|now|then)[ ,]+)?(?:{'|'.join(_RUNNING)})(?: this)?"
    r"(?: (?:the )?(?:command|script|program|query))?:? ?"
    r"(?:`([^`\n]{1,512})`(?=[.!]?\s*$|[.!] |,? (?:and|then)\b)|([^`\n]{1,512}?)(?=[.!?](?:\s|$)|\n|$))",
    re.IGNORECASE,
)
_MAX_ORDERED: Final = 8


def make_program_form(program: str) -> Form:
    """Make the form of a program, however it is spaced."""
    return make_form(("ordered_program", " ".join(program.split())))


def find_ordered_programs(text: str) -> Iterator[Form]:
    """Find the programs that a text of the user orders: all that stands behind a verb of running at its beginning.

    A part is another program: of `DELETE FROM t WHERE id=5`, the first three words delete everything. A later line and
    what follows a question may be a text that the user only shows, so no order is found there; nor is a condition.
    """
    for match in islice(_ORDERED.finditer(text), _MAX_ORDERED):
        yield make_program_form(match[1] or match[2])
