"""Room: what stays undecided inside a guarded graph, in one line. Takes: the guarded copy. Gives: words.

Never: runs anything of the app's, raises, takes long.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from halo_core.coverage import Finding, Kind, Status
from halo_langchain._doctor.app import Examiner
from halo_langchain._doctor.verdicts import NOTHING

if TYPE_CHECKING:
    from halo_langchain import Halo

__all__ = ["told", "undecided"]

G = TypeVar("G")

_MOST: Final = 5_000
_SHOWN: Final = 8
_KINDS: Final = (Kind.MODEL, Kind.TOOL, Kind.RETRIEVER, Kind.HANDOFF)
_UNNAMED: Final = "LangGraph"


def told(halo: Halo, guarded: G) -> G:
    """The guarded graph, after whoever runs this was told what in it stays undecided."""
    line = undecided(guarded)
    if line:
        halo.tell(line)
    return guarded


def undecided(guarded: Any) -> str:
    """What inside a guarded graph nothing decides; empty where all is, as far as a short look shows.

    A model that an agent's own node holds cannot be put behind a guard from outside; nor can what a function finds
    by itself.
    """
    try:
        examiner = Examiner("", _MOST)
        examiner.visit(guarded, "", NOTHING)
        names = list(dict.fromkeys(map(_named, filter(_open, examiner.finish()))))
    except Exception:  # noqa: BLE001  an object may do anything when it is looked at, and what is said guards nothing
        return ""
    if not names:
        return ""
    shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
    place = f"`{guarded.name}`" if guarded.name != _UNNAMED else "the graph"
    return f"inside {place}, undecided: {shown}; guard them, see `halo doctor`"


def _open(finding: Finding) -> bool:
    return finding.status is Status.OPEN and finding.kind in _KINDS


def _named(finding: Finding) -> str:
    return f"{finding.name} ({finding.kind})"
