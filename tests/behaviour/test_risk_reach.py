"""Beside the score: what an agent was granted and used, which systems, from where, when, and what was stopped."""

from __future__ import annotations

import json
from collections import Counter

import pytest
from score_world import act, expose, opened, tool

from halo_core.errors import Denied
from halo_core.model import ActionKind, Constraint
from halo_core.views.risk import AgentActivity
from halo_world import SURFACE, Calls, cli


@pytest.fixture
def scored(copy):
    with opened(copy) as halo, halo.session("first", request="share report 1 with ana@bank.example"):
        act(halo, "share", to="ana@bank.example", file="report-1.pdf")
    return copy


def reach(home):
    (row,) = json.loads(cli("risk", "desk", "--json", home=home)[1])["agents"]
    return row["reach"]


def test_what_ran_counts_as_used_and_what_was_stopped_is_told_apart(scored):
    request = "share report 1 with the team"
    with opened(scored) as halo, halo.session("new", request=request):
        expose(halo)
    before = reach(scored)
    assert set(before["used"]["tool_call"]) == {"inbox", "lookup", "share"}
    with opened(scored) as halo, halo.session("new", request=request), pytest.raises(Denied):
        act(halo, "share", to="eve@elsewhere.example", file="/etc/passwd")
    after = reach(scored)
    assert after["used"] == before["used"]
    assert after["outside"]["risk_high"] == before["outside"].get("risk_high", 0) + 1
    assert after["actions"] == before["actions"] + 1
    assert sum(after["hours"].values()) == after["actions"] == sum(after["origins"].values())


def test_systems_and_labels_are_those_of_what_ran(copy):
    with opened(copy) as halo, halo.session("new", request="look up ana"):
        known = tool(halo, "crm", "q", labels=("pii",), system="crm.example")
        halo.enforcer.run(halo.build_call(known, {"q": "ana"}), Calls("ana"), SURFACE)
    told = reach(copy)
    assert (told["systems"], told["labels"]) == ({"crm.example": 1}, {"pii": 1})


def test_granted_and_never_used_is_named():
    rules = {"q": Constraint.anything()}
    granted = {ActionKind.TOOL_CALL: {"lookup": rules, "share": rules}, ActionKind.RETRIEVAL: {"lookup": rules}}
    told = AgentActivity(used={"tool_call": Counter(lookup=2)})
    assert told.list_unused(granted) == ["retrieval lookup", "tool_call share"]
    assert (
        next(told.describe(granted))
        == "used      1 of 3 granted resources; never used: retrieval lookup, tool_call share"
    )


def test_people_read_it_below_the_score(scored):
    out = cli("risk", "desk", home=scored)[1]
    assert "hours" in out
    assert "UTC" in out
    assert "\x1b]" not in out
