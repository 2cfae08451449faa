"""The chain of a session's states: whatever order the entries come in, a break is named. Invariants: AUDIT, MONO."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.crypto import canonical
from halo_core.ledger import Stream, commit_state
from halo_core.ledger.report import Collector
from halo_core.ledger.verify_projections import StateCheck


class Rows:
    """The tables a check of states reads."""

    def __init__(self, last: int) -> None:
        self._last = last

    def rows(self, stream: Stream):
        if stream is Stream.SESSION_STATES:
            yield "local", "s", self._last, state(self._last)


def state(version: int, **changes: Any) -> bytes:
    return canonical.dumps({"chunks": 0, "marks": "", "tainted": True, "version": version, **changes})


def told_alone(version: int) -> dict[str, Any]:
    """As sessions tell it: whoever reads a row compares it with its newest entry."""
    return {"body": {"state": commit_state(version, state(version))}, "id": "e", "session": "s"}


def told(version: int, before: bytes | None = None) -> dict[str, Any]:
    found = before if before is not None else state(version - 1) if version > 1 else b""
    return {"body": {"state": commit_state(version, state(version), before=found)}, "id": "e", "session": "s"}


def judged(entries: list[dict[str, Any]], last: int, *, incomplete: bool = False) -> Collector:
    out = Collector()
    states = StateCheck(out)
    for entry in entries:
        states.add_entry("local", None, entry)
    if incomplete:
        out.incomplete.add("local")
    states.check(Rows(last))  # type: ignore[arg-type]
    return out


@settings(max_examples=count(60), deadline=None)
@given(st.permutations(range(1, 10)))
def test_a_whole_chain_is_whole_in_any_order(order):
    out = judged([told(version) for version in order], 9)
    assert (out.total, out.passed[9]) == (0, 1)


@settings(max_examples=count(60), deadline=None)
@given(st.permutations(range(1, 10)), st.integers(1, 8))
def test_states_that_do_not_name_the_one_before_are_counted_all_the_same(order, at):
    entries = [told_alone(version) for version in order]
    out = judged(entries, 9)
    assert (out.total, out.passed[9]) == (0, 1)
    assert [f.code for f in judged(entries, 8).findings] == ["state_altered"]
    out = judged([*entries, told_alone(at)], 9)
    assert [(f.kind, f.code) for f in out.findings] == [("tampered", "state_broken")]
    out = judged([entry for entry in entries if entry["body"]["state"]["version"] != at], 9)
    assert [(f.kind, f.where) for f in out.findings] == [("gap", f"session local/s version {at}")]


@settings(max_examples=count(60), deadline=None)
@given(st.permutations(range(1, 10)), st.integers(1, 9))
def test_a_state_washed_between_two_entries_is_named_in_any_order(order, at):
    washed = state(at - 1, tainted=False)
    out = judged([told(version, washed if version == at else None) for version in order], 9)
    assert [(f.kind, f.code, f.where) for f in out.findings] == [
        ("tampered", "state_broken", f"session local/s version {at}")
    ]


@settings(max_examples=count(60), deadline=None)
@given(st.permutations(range(1, 10)), st.integers(1, 8))
def test_a_version_nobody_tells_of_is_a_gap(order, gone):
    entries = [told(version) for version in order if version != gone]
    out = judged(entries, 9)
    assert [(f.kind, f.where) for f in out.findings] == [("gap", f"session local/s version {gone}")]
    assert judged(entries, 9, incomplete=True).total == 0


@pytest.mark.parametrize("version", ["2", 2.0, True, None])
def test_a_commitment_without_a_version_is_passed_over(version):
    strange = told(2)
    strange["body"]["state"]["version"] = version
    out = judged([told(1), strange], 1)
    assert (out.total, out.passed[9]) == (0, 1)


@pytest.mark.parametrize("order", [[1, 2, 3, 2], [3, 2, 1, 1], [1, 2, 3, 3]])
def test_two_entries_with_one_version_are_tampering(order):
    out = judged([told(version) for version in order], 3)
    assert [(f.kind, f.code) for f in out.findings] == [("tampered", "state_broken")]


def test_one_writer_needs_one_run_however_long():
    states = StateCheck(Collector())
    for version in range(1, 500):
        states.add_entry("local", None, told(version))
    assert [len(history.runs) for history in states._histories.values()] == [1]
