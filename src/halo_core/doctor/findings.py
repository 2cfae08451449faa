"""Findings of `halo doctor`: an object, what decides it, and whether it can run undecided."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Any

from halo_core.quick_dataclass import dataclass


class FindingKind(StrEnum):
    """The kind of object that a finding is about."""

    TOOL = "tool"
    RETRIEVER = "retriever"
    MODEL = "model"
    AGENT = "agent"
    HANDOFF = "handoff"
    NODE = "node"
    STORE = "store"
    KEY = "key"


class FindingStatus(StrEnum):
    """Whether the object can run undecided; the worst first."""

    OPEN = "open"
    """It can run undecided."""
    CLOSED = "closed"
    """It is decided before it runs."""
    NOTED = "noted"
    """It cannot be intercepted, or is the host's own power."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One object of an app, and what decides it.

    Args:
        kind: what it is.
        name: its name in the framework.
        where: path to it through the app, in words: "graph `app` > node `tools`".
        point: what decides it, in words: "guarded copy", "middleware"; "none" where nothing does.
        status: whether it can run undecided.
        remedy: what to do about it; empty if nothing is to be done.
    """

    kind: FindingKind
    name: str
    where: str
    point: str
    status: FindingStatus
    remedy: str = ""


def sort_findings(findings: Iterable[Finding]) -> list[Finding]:
    """Sort findings: open, closed, then noted; within each in order of discovery. Removes duplicates."""
    order = list(FindingStatus)
    return sorted(dict.fromkeys(findings), key=lambda item: order.index(item.status))


def count_by_status(findings: Iterable[Finding]) -> dict[FindingStatus, int]:
    """How many of each status."""
    statuses = [item.status for item in findings]
    return {status: statuses.count(status) for status in FindingStatus}


def has_governable_findings(findings: Iterable[Finding]) -> bool:
    """Whether any finding is about something that can be decided, and not only noted."""
    return any(item.status is not FindingStatus.NOTED for item in findings)


def summarize_findings(findings: Iterable[Finding]) -> str:
    """The counts in one line: "7 closed, 1 open, 3 noted"."""
    totals, order = count_by_status(findings), (FindingStatus.CLOSED, FindingStatus.OPEN, FindingStatus.NOTED)
    return ", ".join(f"{totals[status]} {status}" for status in order)


def findings_to_json(findings: Sequence[Finding]) -> list[dict[str, Any]]:
    """Each finding as a mapping of its fields to texts."""
    return [{name: str(value) for name, value in asdict(item).items()} for item in findings]
