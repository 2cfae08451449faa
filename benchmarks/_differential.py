"""Compare the decisions of two ledgers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import Any, Final

from halo_core.crypto.keys import KeyStore
from halo_core.model import ActionKind, EntryKind, LedgerEntry
from halo_core.references import References
from halo_core.store.reader import Reader, SealedContents, read_entries

__all__ = ["Decided", "Ledger", "compare", "ledger"]


_SEALED: Final = re.compile(r"halo:secret:[0-9a-f]+")
"""A sealed secret; its digest is keyed by each home."""


@dataclass(frozen=True, slots=True)
class Decided:
    """One decision, without what must differ between two homes.

    Args:
        what: kind and resource.
        verdict: effect, reasons and obligations.
        inputs: arguments, provenance, taint, problem and price.
        ran: whether it was let run.
    """

    what: tuple[str, str]
    verdict: tuple[Any, ...]
    inputs: tuple[Any, ...]
    ran: bool

    def __str__(self) -> str:
        reasons = ", ".join(code for code, *_ in self.verdict[1])
        return f"{self.what[0]} {self.what[1]}: {self.verdict[0]} ({reasons})"


@dataclass(slots=True)
class Ledger:
    """Decisions by session, in order; what broke; bodies that ran before their decision was durable."""

    sessions: dict[str, list[Decided]] = field(default_factory=dict)
    broken: dict[str, str] = field(default_factory=dict)
    early: int = 0


def ledger(db: str, home: Path, tenant: str, broken: dict[str, str], early: int) -> Ledger:
    """Read a store."""
    found: dict[str, list[LedgerEntry]] = {}
    with Reader(db) as reader:
        reader.use_names(home)
        for item in read_entries(reader, tenant, (EntryKind.DECISION,)):
            found.setdefault(item.entry.session, []).append(item.entry)
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        references = References.of_home(home)
        sessions = {
            name: [_decided(entry, contents) for entry in _ordered(of, _place_calls(references, name, len(of)))]
            for name, of in found.items()
        }
    return Ledger(sessions, broken, early)


def _place_calls(references: References | None, session: str, most: int) -> dict[str, int]:
    """Reference of each call of a session → its number."""
    return {} if references is None else {references.of_call(f"{session}-{i}"): i for i in range(most)}


def _ordered(found: Iterable[LedgerEntry], places: Mapping[str, int]) -> Iterable[LedgerEntry]:
    """Calls of one message in the order in which it made them, whichever was decided first."""
    for _, calls in itertools.groupby(found, key=_message):
        yield from sorted(calls, key=lambda entry: places.get(entry.body["request"]["context"]["call_id"], 0))


def _message(entry: LedgerEntry) -> tuple[bool, str]:
    request = entry.body["request"]
    return request["kind"] == ActionKind.INFERENCE.value, str(request["context"]["turn"])


def _decided(entry: LedgerEntry, contents: SealedContents) -> Decided:
    body = entry.body
    request, decision, snapshot = body["request"], body["decision"], body["snapshot"]
    args = _SEALED.sub("halo:secret:", (contents.open(entry, "args") or b"").decode())
    return Decided(
        (request["kind"], request["resource"]["id"]),
        (decision["effect"], tuple(map(_reason, decision["reasons"])), repr(decision["obligations"])),
        (
            args,
            repr(snapshot["provenance"]),
            snapshot["session"]["tainted"],
            repr(snapshot["session"]["taint_sources"]),
            request["problem"],
            repr(decision["charges"]),
        ),
        bool(body["dispatched"]),
    )


def _reason(reason: Mapping[str, Any]) -> tuple[str, str, str]:
    # A rule is named by its id, which has a dot; a link by an id of its home.
    source = reason["source"] if "." in reason["source"] else ""
    return reason["code"], reason["effect"], source


def compare(one: Ledger, other: Ledger) -> dict[str, Any]:
    """How many decisions of `other` are those of `one`, and what differs, in words."""
    same = differing = inputs = 0
    examples: list[str] = []
    for name in sorted(one.sessions.keys() | other.sessions.keys()):
        pairs = zip_longest(one.sessions.get(name, ()), other.sessions.get(name, ()))
        for i, (mine, theirs) in enumerate(pairs):
            if mine is not None and theirs is not None and (mine.what, mine.verdict) == (theirs.what, theirs.verdict):
                same += 1
                if mine.inputs != theirs.inputs:
                    inputs += 1
                    examples.append(f"{name} #{i} {mine.what[1]}: inputs {_first(mine.inputs, theirs.inputs)}")
            else:
                differing += 1
                examples.append(f"{name} #{i}: {mine} | {theirs}")
    return {
        "decisions": sum(map(len, other.sessions.values())),
        "same": same,
        "differing": differing,
        "inputs_differ": inputs,
        "ran": sum(item.ran for of in other.sessions.values() for item in of),
        "early": other.early,
        "broken": sorted(other.broken.values()),
        "examples": examples[:20],
    }


def _first(one: tuple[Any, ...], other: tuple[Any, ...]) -> str:
    found = next((pair for pair in zip(one, other, strict=True) if pair[0] != pair[1]), ("", ""))
    return f"{str(found[0])[:160]} | {str(found[1])[:160]}"
