"""Suspensions: notice first, two independent sources, undone by a person."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from halo_core.behaviour.carried import CarriedRisk, SessionSummary, SessionVerdict
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.summaries import AGENT
from halo_core.enforcement.session_folds import append_version
from halo_core.enforcement.suspension import SuspensionEvidence, consider_agent, consider_suspension
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.manifest import ManifestError, SuspensionRule, load_manifest
from halo_core.model import EntryKind, format_pair
from halo_core.store.profile_rows import ProfileTable
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, bodies, cli, person_ref, tool, verified

ANA, BOB = "ana@bank.example", "bob@bank.example"
RULE = SuspensionRule(900, notice_s=600)


@pytest.fixture
def clock():
    return FixedClock()


@pytest.fixture
def halo(home, clock):
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True, clock=clock) as opened:
        yield opened


def act(halo, user=ANA, session="s"):
    with halo.session(f"{session}-{user}", user=user, request="look up q"):
        return halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "q"}), Calls(), SURFACE)


def evidence(halo, *sources, risk=950, **more):
    return SuspensionEvidence(risk, sources, halo.store.clock.now_us(), **more)


def consider(halo, scope, target, found, rule=RULE):
    return halo.store.commit(lambda tx: consider_suspension(tx, scope, target, found, rule))


def denied(halo, **options):
    with pytest.raises(Denied) as caught:
        act(halo, **options)
    return caught.value.code


@pytest.mark.parametrize(
    "found",
    [
        {"sources": ("directory",)},
        {"sources": ("directory", "directory")},
        {"sources": ("directory", "vpn"), "risk": 899},
        {"sources": (), "is_judged": False},
    ],
)
def test_one_source_or_a_lower_risk_suspends_nobody(halo, found):
    sources = found.pop("sources")
    assert not consider(halo, "suspended_agent", "clerk", evidence(halo, *sources, **found))
    assert not consider(halo, "suspended_agent", "clerk", evidence(halo, "a", "b"), rule=None)
    assert bodies(halo.home, EntryKind.STOP) == []
    assert act(halo) == "done"


def test_notice_comes_first_then_the_suspension(halo, home, clock):
    assert consider(halo, "suspended_agent", "clerk", evidence(halo, "ana", "bob", words=("more than usual",)))
    assert not consider(halo, "suspended_agent", "clerk", evidence(halo, "ana", "bob"))  # once
    (entry,) = bodies(home, EntryKind.STOP)
    assert (entry["scope"], entry["sources"], entry["why"]) == ("suspended_agent", ["ana", "bob"], "more than usual")
    for _ in range(3):
        assert act(halo) == "done"
    (shown,) = [line for line in cli("status", home=home)[1].splitlines() if "suspended" in line]
    assert shown.strip().startswith("suspended agent clerk, ")
    assert shown.endswith(": more than usual")
    clock.advance(601)
    assert denied(halo) == "suspended"
    assert denied(halo, user=BOB) == "suspended"
    assert cli("replay", "--all", home=home)[0] == 0
    assert verified(home, signatures=True) == 0


def test_a_person_lifts_it_and_the_same_evidence_does_not_bring_it_back(halo, home, clock):
    old = evidence(halo, "ana", "bob")
    consider(halo, "suspended_agent", "clerk", old)
    clock.advance(601)
    assert denied(halo) == "suspended"
    code, out, err = cli("lift", "--agent", "clerk", "--why", "looked at it", "--json", home=home)
    assert (code, json.loads(out)["lifted"]) == (0, True), err
    assert act(halo, session="after") == "done"
    assert not consider(halo, "suspended_agent", "clerk", old)
    clock.advance(10**6)  # past the time of the lift, which the command took from this machine's clock
    later = SuspensionEvidence(950, ("ana", "bob"), 2**52)
    assert consider(halo, "suspended_agent", "clerk", later)


def test_a_lift_within_the_notice_prevents_it(halo, home, clock):
    consider(halo, "suspended_agent", "clerk", evidence(halo, "ana", "bob"))
    assert cli("lift", "--agent", "clerk", home=home)[0] == 0
    clock.advance(601)
    assert act(halo) == "done"


def test_of_a_person_only_what_acts_for_them_is_suspended(halo, home, clock):
    consider(halo, "suspended_user", person_ref(home, ANA), evidence(halo, "directory", "vpn"))
    clock.advance(601)
    assert denied(halo) == "suspended"
    assert denied(halo, user=f" User:{ANA.upper()} ") == "suspended"
    assert act(halo, user=BOB) == "done"
    assert cli("lift", "--user", ANA, home=home)[0] == 0
    assert act(halo, session="after") == "done"
    assert ANA not in json.dumps(bodies(home, EntryKind.STOP, EntryKind.LIFT))
    assert cli("replay", "--all", home=home)[0] == 0
    assert verified(home, signatures=True) == 0


def test_of_a_pair_neither_other_agents_nor_other_people_are_suspended(halo, home, clock):
    consider(halo, "suspended_pair", format_pair(person_ref(home, ANA), "clerk"), evidence(halo, "a", "b"))
    clock.advance(601)
    assert denied(halo) == "suspended"
    assert act(halo, user=BOB) == "done"
    with HaloBase.local("other", home=home, mode="enforce", quiet=True, clock=clock) as other:
        assert act(other) == "done"


def test_a_persons_judgement_is_enough(halo):
    assert consider(halo, "suspended_agent", "clerk", evidence(halo, "ana", is_judged=True))


def test_people_stop_a_person_by_name_at_once(halo, home):
    assert cli("stop", "--user", ANA, "--why", "password stolen", home=home)[0] == 0
    assert denied(halo) == "stopped"
    assert act(halo, user=BOB) == "done"
    assert cli("lift", "--user", ANA, home=home)[0] == 0
    assert act(halo, session="after") == "done"


def test_a_missing_row_ends_no_suspension(halo, home, clock):
    consider(halo, "suspended_agent", "clerk", evidence(halo, "ana", "bob"))
    halo.store.commit(lambda tx: tx.cursor.execute("DELETE FROM hold"))
    clock.advance(601)
    halo.store.commit(lambda tx: tx.image.expire())
    assert denied(halo) == "suspended"


# what carried risk leads to


MANIFEST = """version: 1
agents:
  clerk:
    tools: [lookup]
    suspend_at: {risk: 900, notice: 10m}
"""


def carried(*summaries):
    risk = CarriedRisk()
    for number, (person, severity, source, verdict) in enumerate(summaries):
        risk = risk.after_session(SessionSummary(f"s{number}", person, severity, source, SessionVerdict(verdict)))
    return replace(NEW_PROFILE, carried=risk)


def consider_carried(halo, profile, last):
    """As after a session for `last` was folded, which left this profile."""

    def job(tx):
        before = ProfileTable(tx).load(AGENT, "clerk")
        append_version(tx, before, profile, {"of": []})
        return consider_agent(tx, "clerk", last)

    return halo.store.commit(job)


@pytest.mark.parametrize(
    ("summaries", "scopes"),
    [
        ([("ana", 1000, "", "alarm")] * 5, []),
        ([("ana", 1000, "web", "alarm"), ("bob", 1000, "web", "alarm"), ("cy", 1000, "web", "alarm")], []),
        ([("ana", 1000, "", "alarm"), ("bob", 880, "", "alarm")], []),
        ([("ana", 1000, "", "alarm"), ("bob", 1000, "", "alarm")], ["suspended_agent"]),
        ([("ana", 950, "", "attack")], ["suspended_pair"]),
        ([("ana", 950, "", "attack"), ("bob", 950, "", "alarm")], ["suspended_agent"]),
        ([("ana", 950, "", "attack"), ("bob", 1000, "", "cleared")], []),
    ],
)
def test_an_agent_is_suspended_where_two_sources_or_a_person_say_so(halo, home, summaries, scopes):
    (home / "agents.yaml").write_text(MANIFEST)
    consider_carried(halo, carried(*summaries), summaries[-1][0])
    assert [entry["scope"] for entry in bodies(home, EntryKind.STOP)] == scopes


def test_without_a_rule_nobody_is_suspended(halo, home):
    assert not consider_carried(halo, carried(("ana", 1000, "", "alarm"), ("bob", 1000, "", "alarm")), "bob")
    assert bodies(home, EntryKind.STOP) == []


@pytest.mark.parametrize(
    "text", ["suspend_at: 799", "suspend_at: 1001", "suspend_at: {notice: 1h}", "suspend_at: {risk: 900, notice: 40d}"]
)
def test_a_rule_that_is_none_is_named(text):
    with pytest.raises(ManifestError, match=r"agents\.yaml:4"):
        load_manifest(f"version: 1\nagents:\n  clerk:\n    {text}\n    tools: [lookup]\n")
