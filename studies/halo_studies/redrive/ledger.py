"""The ledger after a re-drive: its decisions, its outcomes, and how each session ended."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

from halo_core.model import ActionKind, EntryKind, LedgerEntry
from halo_core.store.reader import Reader, read_entries
from halo_studies.redrive.limits import End, asks_again, layers_of

__all__ = ["Findings", "Found", "read"]

_READ: Final = (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.APPROVAL_REQUEST)


@dataclass(frozen=True, slots=True)
class Found:
    """One decision of a recorded action."""

    kind: str
    effect: str
    dispatched: bool
    problem: str
    why: str
    layers: frozenset[str]
    asks_again: bool


@dataclass(slots=True)
class Findings:
    """What the ledger holds of this run. `decisions` has every decision of an action's call id, in log order.

    `ends` has sessions as their last decision left them; `asked` what approvers were asked, by kind; `again` sessions
    that asked to be re-authorized; `cut` those whose model was not let speak on, with the layers that said so.
    """

    kinds: Counter[str] = field(default_factory=Counter)
    decisions: dict[str, list[Found]] = field(default_factory=dict)
    outcomes: dict[str, list[str]] = field(default_factory=dict)
    strays: int = 0
    ends: dict[str, End] = field(default_factory=dict)
    asked: Counter[str] = field(default_factory=Counter)
    again: set[str] = field(default_factory=set)
    cut: dict[str, frozenset[str]] = field(default_factory=dict)


def read(reader: Reader, tenant: str, prefix: str, names: Mapping[str, str] = MappingProxyType({})) -> Findings:
    """Collect decisions, outcomes and questions of the sessions whose id starts with `prefix`.

    Args:
        reader: the store, with names.
        tenant: whose log is read.
        prefix: of the sessions' ids.
        names: the id of each call, by its reference; a call that is missing there keeps the reference.
    """
    found = Findings()
    calls: dict[tuple[str, int], str] = {}
    for item in read_entries(reader, tenant, _READ):
        entry, body = item.entry, item.entry.body
        if not entry.session.startswith(prefix):
            continue
        if entry.kind is EntryKind.APPROVAL_REQUEST:
            found.asked[body["kind"]] += 1
            continue
        if entry.kind is EntryKind.OUTCOME:
            place = (body["decision"]["w"], body["decision"]["ws"])
            if place not in calls:
                found.strays += 1
            elif calls[place]:
                found.outcomes.setdefault(calls[place], []).append(body["status"])
            continue
        _add(found, calls, entry, names)
    return found


def _add(found: Findings, calls: dict[tuple[str, int], str], entry: LedgerEntry, names: Mapping[str, str]) -> None:
    body, request = entry.body, entry.body["request"]
    if (end := End.of(body)) is not None:
        found.ends[entry.session] = end
    if asks_again(body["decision"]):
        found.again.add(entry.session)
    found.kinds[request["kind"]] += 1
    inference = request["kind"] == ActionKind.INFERENCE.value
    reference = request["context"]["call_id"]
    call = names.get(reference, reference)
    calls[entry.writer, entry.seq] = "" if inference else call
    if inference and not body["dispatched"]:
        found.cut[entry.session] = layers_of(body["decision"]["reasons"])
    if not inference:
        found.decisions.setdefault(call, []).append(_found(body))


def _found(body: Mapping[str, Any]) -> Found:
    decision, request = body["decision"], body["request"]
    effect = decision["effect"]
    reason = next((r for r in decision["reasons"] if r["effect"] == effect), decision["reasons"][0])
    # A rule is named by its id, which has a dot; what the passport or the request itself lacks, by its code.
    name = reason["source"] if "." in reason["source"] else reason["code"]
    why = f"{name}: {request['resource']['id']}"
    return Found(
        kind=request["kind"],
        effect=effect,
        dispatched=body["dispatched"],
        problem=request["problem"],
        why=why,
        layers=layers_of(decision["reasons"]),
        asks_again=asks_again(decision),
    )
