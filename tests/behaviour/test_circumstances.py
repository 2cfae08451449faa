"""From where, when and how far an action reaches: what is not usual raises a risk, and nothing lowers one."""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from score_world import act, in_force, opened, small_model, tool

from halo_core.baselines import collect_sessions, fit_score
from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, Denied, Pending
from halo_core.model import Decision, Effect, EntryKind, Reason
from halo_core.risk.action_risk import RiskRules, ScoringTerms
from halo_core.risk.circumstances import Circumstances, UsualCircumstances, fit_usual_circumstances
from halo_core.risk.forest import UNIT
from halo_core.risk.model import log2_ratio_in_sixteenths
from halo_core.store.reader import Reader, SealedContents
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, found, url_of, verified

HOUR = 3_600_000_000
DAY = 24 * HOUR
NOW = 1_800_000_000_000_000 // DAY * DAY


def at(day=0, hour=9, host="a", process="p", system="crm", labels=("pii",), resource="tool_call x", refused=0):
    return Circumstances(day * DAY + hour * HOUR, host, process, system, labels, resource, refused)


def month(**more):
    """Thirty days, three sessions a day, at nine, twelve and fifteen."""
    return [[at(day, hour, **more)] for day in range(30) for hour in (9, 12, 15)]


def kinds(usual, one):
    return [item.kind.value for item in usual.find_unusual(one)]


USUAL = fit_usual_circumstances(month())
TERMS = ScoringTerms("m", "b", UNIT // 2, UNIT * 3 // 2, (1, 2), 1, 1)
ODD = {
    "host": {"host": "b"},
    "process": {"process": "q"},
    "hour": {"hour": 3},
    "system": {"system": "payroll"},
    "label": {"labels": ("pii", "chd")},
    "resource": {"resource": "tool_call y"},
    "refused": {"refused": 1},
}


@pytest.mark.parametrize("kind", ODD)
def test_each_circumstance_that_is_not_usual_is_named(kind):
    assert kinds(USUAL, at(40)) == []
    odd = at(40, **ODD[kind])
    assert kinds(USUAL, odd) == [kind]
    rules = RiskRules(TERMS, small_model(), USUAL)
    assert rules.compute_action_risk(0, odd).risk > rules.compute_action_risk(0, at(40)).risk


def test_of_one_group_only_the_strongest_counts():
    both = USUAL.find_unusual(at(40, host="b", process="q", system="payroll", resource="tool_call y"))
    assert [item.kind.value for item in both] in (["host", "system"], ["process", "system"], ["system", "host"])
    assert sum(item.weight for item in USUAL.find_unusual(at(40, host="b", process="q"))) == both[-1].weight


def test_an_hour_counts_around_midnight():
    usual = fit_usual_circumstances([[at(day, 23)] for day in range(10)])
    assert [hour for hour in range(24) if not kinds(usual, at(40, hour))] == [0, 22, 23]


def test_what_one_day_or_one_session_has_shown_is_not_usual():
    steered = [*month(), [at(12, 3, host="b", system="payroll", resource="tool_call y")]]
    usual = fit_usual_circumstances(steered)
    assert kinds(usual, at(40, 3, host="b", system="payroll")) == ["system", "host", "hour"]


def at_minute(day, hour, minute, **more):
    one = at(day, hour, **more)
    return replace(one, ts_us=one.ts_us + minute * HOUR // 60)


def test_one_run_over_midnight_makes_nothing_usual():
    odd = at(40, 0, host="b")
    weight = sum(item.weight for item in USUAL.find_unusual(odd))
    steered = fit_usual_circumstances([*month(), [at_minute(10, 23, 55, host="b"), at_minute(11, 0, 5, host="b")]])
    assert kinds(steered, odd) == kinds(USUAL, odd) == ["host", "hour"]
    assert sum(item.weight for item in steered.find_unusual(odd)) * 2 >= weight


def test_values_that_are_never_usual_do_not_switch_a_comparison_off():
    once = [at(12, host=f"h{i}", process=f"q{i}", system=f"s{i}", labels=(f"l{i}",)) for i in range(300)]
    usual = fit_usual_circumstances([*month(), once])
    assert kinds(usual, at(40, host="b", system="payroll")) == ["system", "host"]
    many = [[at(day, host=f"h{i}") for i in range(300)] for day in range(3)]
    assert "host" not in fit_usual_circumstances(many).known_values


def test_long_names_are_compared_by_their_start():
    usual = fit_usual_circumstances(month(host="h" * 10_000))
    assert kinds(usual, at(40, host="h" * 10_000)) == []
    assert len(usual.to_bytes()) < 1000


def test_a_new_host_every_day_is_usual():
    usual = fit_usual_circumstances([[at(day, host=f"pod-{day}")] for day in range(30)])
    assert kinds(usual, at(40, host="pod-40")) == []


def test_what_no_session_had_is_not_compared():
    usual = fit_usual_circumstances(month(system="", labels=()))
    assert kinds(usual, at(40, system="crm", labels=("pii",))) == []


def test_one_day_says_nothing_of_days_and_nothing_at_all_says_nothing():
    busy = fit_usual_circumstances([[at(0, 9)] for _ in range(200)])
    assert kinds(busy, at(1, 3, host="b")) == []
    assert UsualCircumstances().find_unusual(at(1, 3, refused=9)) == ()


def test_refusals_that_are_usual_weigh_nothing():
    usual = fit_usual_circumstances([[at(day), at(day, refused=2)] for day in range(30)])
    assert kinds(usual, at(40, refused=2)) == []
    assert kinds(usual, at(40, refused=3)) == ["refused"]


@given(st.integers(1, 10**7), st.integers(1, 10**7))
def test_sixteenths_are_rounded_down(likely, ordinary):
    found = log2_ratio_in_sixteenths(likely, ordinary)
    if likely <= ordinary:
        assert found == 0
    else:
        assert ordinary**16 << found <= likely**16 < ordinary**16 << found + 1


NAMES = st.text(max_size=3)
ANY = st.builds(
    Circumstances,
    st.integers(0, 60 * DAY),
    NAMES,
    NAMES,
    NAMES,
    st.lists(NAMES, max_size=3).map(tuple),
    NAMES,
    st.integers(0, 9),
)


@given(st.lists(st.lists(ANY, max_size=4), max_size=12), ANY, st.integers(-(10**7), 10**7))
def test_nothing_lowers_a_risk_and_bytes_come_back(sessions, one, margin):
    usual = fit_usual_circumstances(sessions)
    model = small_model()
    judged = RiskRules(TERMS, model, usual).compute_action_risk(margin, one)
    assert judged.risk >= model.risk_of(margin)
    assert judged.band >= TERMS.find_band(margin)
    assert all(item.weight > 0 for item in judged.evidence)
    again = UsualCircumstances.from_bytes(usual.to_bytes())
    assert again == usual
    assert again.find_unusual(one) == judged.evidence
    assert fit_usual_circumstances(list(reversed(sessions))) == usual


BAD = [b"", b"{}", b"[1]", b"\xff", b'{"form":"halo-usual-1"}', USUAL.to_bytes() + b" "]
LOWERING = ((b'"host":0', b'"host":-9'), (b'refusals":[0', b'refusals":[-9'), (b'hours":[8', b'hours":[-8'))


@pytest.mark.parametrize("data", [*BAD, *(USUAL.to_bytes().replace(*swap) for swap in LOWERING)])
def test_other_bytes_are_refused(data):
    with pytest.raises(BadInput):
        UsualCircumstances.from_bytes(data)


def test_terms_of_before_read_as_they_were():
    assert ScoringTerms.from_bytes(TERMS.to_bytes()) == TERMS
    assert b"usual" not in TERMS.to_bytes()
    later = ScoringTerms("m", "b", 1, 2, (1, 2), 1, 1, "u")
    assert ScoringTerms.from_bytes(later.to_bytes()) == later
    for bad in (later.to_bytes().replace(b"scoring-2", b"scoring-1"), TERMS.to_bytes().replace(b"g-1", b"g-2")):
        with pytest.raises(BadInput):
            ScoringTerms.from_bytes(bad)


@pytest.fixture
def worked(tmp_path, monkeypatch):
    """An agent with thirty days of history, in working hours, from one host, and a score in force."""
    home, clock = tmp_path / "home", FixedClock(NOW + 9 * HOUR)
    monkeypatch.setattr(socket, "gethostname", lambda: "desk-1")
    with opened(home, clock=clock) as halo:
        for day in range(30):
            with halo.session(f"old-{day}", request=f"look up {day}"):
                act(halo, "lookup", q="ana")
            clock.advance(86_400)
    in_force(home)
    return home, clock


def looked_up(home, clock, session="new", q="ana"):
    with opened(home, clock=clock) as halo, halo.session(session, request=f"look up {q}"), suppress(Pending):
        act(halo, "lookup", q=q)
    return bodies(home, EntryKind.DECISION)[-1]


def test_from_elsewhere_at_night_an_action_is_riskier_than_by_day_at_home(worked, monkeypatch):
    home, clock = worked
    assert looked_up(home, clock)["snapshot"]["risk"] == 0
    assert looked_up(home, clock, "odd", "dan")["snapshot"]["band"] == 1
    clock.advance(18 * 3600)
    night = looked_up(home, clock, "night")
    assert night["snapshot"]["risk"] > 0
    monkeypatch.setattr(socket, "gethostname", lambda: "elsewhere")
    both = looked_up(home, clock, "both")
    assert both["snapshot"]["risk"] > night["snapshot"]["risk"]
    odd = looked_up(home, clock, "odd-too", "eve")["snapshot"]
    assert (odd["risk"], odd["band"]) == (900, 2)
    assert {"at_host", "at_hour"} < {item["id"] for item in odd["factors"]}
    shown = cli("show", found(home, EntryKind.DECISION)[-1].entry.id, home=home)[1]
    assert "it runs on a host that it hardly or never ran on" in " ".join(shown.split())
    assert verified(home) == 0
    code, out, _ = cli("replay", "--all", home=home)
    assert (code, "35 identical" in out) == (0, True)


def test_what_was_refused_in_a_session_counts_in_what_follows(worked):
    home, clock = worked
    with opened(home, clock=clock) as halo, halo.session("new", request="look up ana"):
        act(halo, "lookup", q="ana")
        for _ in range(2):
            with pytest.raises(Denied):
                halo.enforcer.run(halo.build_call(tool(halo, "lookup", "q"), {"path": "x"}), Calls(), SURFACE)
        act(halo, "lookup", q="ana")
    risks = [(body["snapshot"]["refused"], body["snapshot"]["risk"]) for body in bodies(home, EntryKind.DECISION)[-4:]]
    assert [times for times, _ in risks] == [0, 0, 1, 2]
    assert risks[0][1] == 0 < risks[-1][1]
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_fit_counts_what_was_refused_as_the_decisions_do(worked):
    home, _ = worked
    keys = KeyStore(home)
    with Reader(url_of(home)) as reader:
        contents = SealedContents.with_home_key(reader, keys)
        sessions = collect_sessions(reader, contents, "local", ["desk"], keys.secret("sketch"), note=lambda: None)
    assert len(sessions) == 30
    found_ = fit_score(sessions, small_model(), keys.secret("sketch"))
    assert (found_.usual.days, found_.usual.sessions, found_.usual.refusals) == (30, 30, (0, 0, 0, 0))
    assert found_.usual.known_values["host"] == {"desk-1"}
    assert found_.usual.hours == {8, 9, 10}


def reason(code, source="x", effect="deny"):
    return Reason(code, source, effect=effect)


ATTEMPTS = (
    (Effect.DENY, [reason("args_closed_world")], True),
    (Effect.DENY, [reason("untrusted_target", "halo.payment.untrusted-target")], True),
    (Effect.DENY, [reason("policy_no_permit", "")], True),
    (Effect.DENY, [reason("needs_guard", "pep"), reason("large_amount", "x", "challenge")], False),
    (Effect.DENY, [reason("score_unavailable", "score")], False),
    (Effect.DENY, [reason("already_dispatched", "ledger")], False),
    (Effect.DENY, [reason("stopped", "stop:agent")], False),
    (Effect.DENY, [reason("bad_passport", "passport")], False),
    (Effect.DENY, [reason("unknown_tool", "request")], False),
    (Effect.DENY, [reason("decision_error", "pdp")], False),
    (Effect.DENY, [reason("policy_error", "mine")], False),
    (Effect.DENY, [reason("quota_exceeded")], False),
    (Effect.CHALLENGE, [reason("risk_high", "halo.risk.high", "challenge")], False),
    (Effect.MONITOR, [], False),
)


@pytest.mark.parametrize(("effect", "reasons", "counts"), ATTEMPTS)
def test_only_attempts_at_more_than_it_may_count_as_refused(effect, reasons, counts):
    assert Decision(effect, tuple(reasons)).is_refused_attempt is counts


def test_a_changed_part_of_a_score_is_named_and_blames_no_decision(worked):
    home, clock = worked
    looked_up(home, clock)
    connection = attack(db_of(home))
    with connection:
        (name,) = connection.execute(
            "SELECT hash FROM blob WHERE instr(bytes, CAST('halo-usual-1' AS BLOB))"
        ).fetchone()
        connection.execute(
            "UPDATE blob SET bytes = ? WHERE hash = ?", (fit_usual_circumstances(month()).to_bytes(), name)
        )
    connection.close()
    code, out, _ = cli("replay", "--all", home=home)
    assert (code == 0, "unreadable" in out, "differs" in out) == (False, True, False)
    code, _, err = cli("baseline", "show", "desk", home=home)
    assert (code, "not the one that was put in force" in err) == (64, True)
    with (
        opened(home, clock=clock) as halo,
        halo.session("next", request="look up ana"),
        pytest.raises(Denied) as caught,
    ):
        act(halo, "lookup", q="ana")
    assert caught.value.reason == "score_unavailable"
    assert verified(home) != 0
