"""Room: a decided call of LangChain's on its way down, with what travels with it. Takes: calls. Gives: a way past.

Never: decides, records.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from langgraph.errors import GraphBubbleUp

from halo_core.pep import Ticket
from halo_core.pep import descent as shared
from halo_core.pep.descent import Descent, arrived
from halo_core.pep.gate import Gate
from halo_langchain._context import Mark, body

__all__ = ["Descent", "arrived", "descending", "descent_of"]


def descent_of(gate: Gate, args: Mapping[str, Any], ticket: Ticket, *, open: bool = True) -> Descent:  # noqa: A002  the field's name
    """A decided call; what steers a graph comes up from it as it is."""
    return Descent(gate, args, ticket, open=open, passes=(GraphBubbleUp,))


@contextmanager
def descending(descent: Descent, mark: Mark | None = None) -> Iterator[None]:
    """Run the body of a decided call; `mark`: of the run that it may yet start."""
    with shared.descending(descent), body(mark):
        yield
