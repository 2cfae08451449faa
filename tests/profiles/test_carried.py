"""What alarms leave for the next sessions, and why nobody can use that against somebody else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halo_core.behaviour.assessment import BehaviourAssessment
from halo_core.behaviour.axes import Axis
from halo_core.behaviour.carried import (
    MAX_DRIFT_SEVERITY,
    MAX_LIGHT,
    CarriedRisk,
    SessionSummary,
    SessionVerdict,
    summarize_session,
)
from halo_core.behaviour.event import BehaviourEvent, TouchedObject
from halo_core.behaviour.packing import NumberReader, pack_numbers
from halo_core.behaviour.summaries import decode_summary, encode_summary
from halo_core.behaviour.tally import SessionTally

NAMES = st.sampled_from(["", "ada", "bob", "cyd"])
SOURCES = st.sampled_from(["", "", "doc1", "doc2"])
SUMMARIES = st.builds(
    SessionSummary,
    st.integers(0, 50).map(str),
    NAMES,
    st.integers(0, 1000),
    SOURCES,
    st.sampled_from(list(SessionVerdict)),
    st.integers(0, 40),
    st.integers(0, 9),
)


def carried(*summaries):
    risk = CarriedRisk()
    for at, item in enumerate(summaries):
        risk = risk.after_session(alarm(at, *item) if isinstance(item, tuple) else item)
    return risk


def alarm(at, principal, severity, source=""):
    return SessionSummary(f"s{at}", principal, severity, source, SessionVerdict.ALARM)


def ordinary(principal="ada", *, day=1, actions=5):
    return SessionSummary("o", principal, actions=actions, day=day)


def test_nothing_is_carried_at_first():
    risk = CarriedRisk()
    assert (risk.agent_risk, risk.risk_for("ada"), risk.independent_alarms) == (0, 0, 0)


def test_an_alarm_without_content_is_charged_to_the_pair_in_full():
    risk = carried(("ada", 700))
    assert (risk.risk_for("ada"), risk.risk_for("bob"), risk.agent_risk) == (700, 0, 0)


def test_an_alarm_that_content_explains_is_charged_to_the_source_and_lightly_to_the_pair():
    risk = carried(("ada", 900, "doc"))
    assert [alarm.pair for alarm in risk.alarms if alarm.source] == [900]
    assert 0 < risk.risk_for("ada") <= MAX_LIGHT
    assert risk.risk_for("bob") == 0


def test_one_poisoned_document_read_in_a_hundred_sessions_leaves_others_alone():
    risk = CarriedRisk()
    for at in range(100):
        risk = risk.after_session(alarm(at, f"user{at}", 1000, "poisoned"))
        assert risk.agent_risk == 0
        assert risk.risk_for("somebody else") == 0
    assert risk.independent_alarms == 1


def test_two_documents_and_two_users_raise_the_agent_lightly():
    risk = carried(("ada", 1000, "doc1"), ("bob", 1000, "doc2"))
    assert 0 < risk.agent_risk <= MAX_LIGHT


def test_alarms_of_two_principals_without_content_raise_the_agent():
    risk = carried(("ada", 700), ("bob", 500))
    assert (risk.agent_risk, risk.risk_for("cyd"), risk.independent_alarms) == (500, 500, 2)


def test_one_principal_alone_never_raises_the_agent():
    risk = CarriedRisk()
    for at in range(50):
        risk = risk.after_session(alarm(at, "mallory", 1000))
    assert (risk.agent_risk, risk.risk_for("mallory"), risk.independent_alarms) == (0, 1000, 1)


def test_sessions_that_act_for_nobody_lower_nobody_else():
    """The lever: whoever can start sessions without a user takes nothing from the users."""
    risk = carried(("", 900), ("", 900), ("ada", 700))
    assert risk.risk_for("") == 1000
    assert (risk.risk_for("bob"), risk.agent_risk, risk.independent_alarms) == (0, 0, 1)
    after_content = carried(("", 1000, "doc1"), ("ada", 1000, "doc2"))
    assert (after_content.agent_risk, after_content.independent_alarms) == (0, 1)


def test_repeated_slight_alarms_do_not_add_up_and_severe_ones_do():
    slight = carried(*[("ada", MAX_DRIFT_SEVERITY)] * 20)
    severe = carried(*[("ada", 600)] * 20)
    assert slight.risk_for("ada") == MAX_DRIFT_SEVERITY
    assert severe.risk_for("ada") == 1000


def test_it_falls_by_a_quarter_with_each_day_of_ordinary_work_of_the_pair():
    risk = carried(("ada", 800))
    assert risk.after_session(ordinary("bob")).risk_for("ada") == 800
    for day, expected in enumerate((600, 450, 337), 1):
        risk = risk.after_session(ordinary("ada", day=day))
        assert risk.risk_for("ada") == expected
    for day in range(4, 40):
        risk = risk.after_session(ordinary("ada", day=day))
    assert risk.risk_for("ada") == 0


def test_sessions_that_were_asked_about_because_of_the_risk_alone_do_not_keep_it_up():
    risk = carried(("ada", 800))
    for day, expected in enumerate((600, 450, 337), 1):
        risk = risk.after_session(only_asked(actions=5, day=day))
        assert risk.risk_for("ada") == expected
    assert risk.after_session(only_asked(actions=0, day=9)).risk_for("ada") == 337  # nothing ran: no work was done
    assert risk.after_session(alarm(9, "ada", 800)).risk_for("ada") > 800


def only_asked(*, actions, day):
    return SessionSummary("s", "ada", 0, "", SessionVerdict.ALARM, actions=actions, day=day, is_only_asked=True)


@pytest.mark.parametrize(("kind", "is_only_asked"), [("narrowed", True), ("requested", True), ("volume", False)])
def test_a_session_says_whether_all_that_alarmed_leaves_no_risk(kind, is_only_asked):
    axes = (Axis("unrelated", 9, 1, "words", 4500, kind),)
    tally = SessionTally().with_refusal(7, is_attempt=False, findings=BehaviourAssessment(axes=axes), ts_us=1)
    summary = summarize_session("s", tally)
    assert (summary.is_only_asked, summary.verdict) == (is_only_asked, SessionVerdict.ALARM)
    tree = encode_summary("clerk", tally, summary)
    assert decode_summary(tree, "s")[1] == summary
    going_on = summarize_session("s", tally.after_fold("alarm"))
    assert going_on.is_only_asked is is_only_asked  # what alarmed before is still open


@pytest.mark.parametrize("axis", ["surprise", "session_risk", "habits"])
def test_what_only_a_model_finds_unlikely_leaves_little_however_often_it_alarms(axis):
    tally = SessionTally()
    for call in range(1, 20):
        found = BehaviourAssessment(axes=(Axis(axis, 3000, 1000, "words", 3000, "drift"),))
        tally = tally.with_refusal(call, is_attempt=False, findings=found, ts_us=1)
    assert summarize_session("s", tally).severity == MAX_DRIFT_SEVERITY
    worse = BehaviourAssessment(axes=(Axis("unrelated", 50, 5, "words", 8000),))
    assert summarize_session("s", tally.with_refusal(99, is_attempt=False, findings=worse, ts_us=1)).severity > 400


def test_many_sessions_of_one_day_take_no_more_than_one():
    risk = carried(("ada", 800))
    for _ in range(50):
        risk = risk.after_session(ordinary("ada"))
    assert risk.risk_for("ada") == 600
    on_the_same_day = CarriedRisk().after_session(SessionSummary("s", "ada", 800, "", SessionVerdict.ALARM, 9, day=3))
    assert on_the_same_day.after_session(ordinary("ada", day=3)).risk_for("ada") == 800


def test_short_sessions_count_by_the_work_that_they_do():
    risk = carried(("ada", 800))
    for day in range(1, 5):
        risk = risk.after_session(ordinary("ada", day=day, actions=1))
        assert risk.risk_for("ada") == 800
    assert risk.after_session(ordinary("ada", day=9, actions=0)).risk_for("ada") == 800
    assert risk.after_session(ordinary("ada", day=9, actions=1)).risk_for("ada") == 600


def test_the_agents_risk_falls_with_ordinary_sessions_of_anybody():
    risk = carried(("ada", 800), ("bob", 800))
    assert risk.after_session(ordinary("cyd")).agent_risk == 600


def test_a_verdict_takes_alarms_away_or_confirms_them():
    risk = carried(("ada", 800), ("bob", 800))
    cleared = risk.judged(SessionSummary("s1", "bob", 800, "", SessionVerdict.CLEARED))
    assert (cleared.agent_risk, cleared.risk_for("bob"), cleared.risk_for("ada")) == (0, 0, 800)
    confirmed = carried(("ada", 300)).judged(SessionSummary("s0", "ada", 300, "", SessionVerdict.ATTACK))
    assert confirmed.risk_for("ada") >= 900
    assert confirmed.is_judged
    assert confirmed.agent_risk == 0


def test_a_verdict_on_a_hijacked_session_falls_on_the_source():
    verdict = SessionSummary("s0", "ada", 300, "doc", SessionVerdict.ATTACK)
    confirmed = carried(("ada", 300, "doc")).judged(verdict)
    assert max(alarm.pair for alarm in confirmed.alarms if alarm.source) >= 900
    assert confirmed.risk_for("ada") <= MAX_LIGHT
    assert not confirmed.is_judged


@given(st.lists(SUMMARIES, max_size=30), SUMMARIES, NAMES)
@settings(max_examples=200, deadline=None)
def test_an_alarm_never_lowers_a_risk_and_an_ordinary_session_never_raises_one(history, last, principal):
    before = carried(*history)
    after = before.after_session(last)
    is_charge = last.verdict is SessionVerdict.ATTACK or (last.severity > 0 and last.verdict is SessionVerdict.ALARM)
    if is_charge:
        assert after.risk_for(principal) >= before.risk_for(principal)
    else:
        assert after.risk_for(principal) <= before.risk_for(principal)
    assert 0 <= after.risk_for(principal) <= 1000
    assert after.agent_risk <= after.risk_for(principal)


@given(st.lists(SUMMARIES, max_size=20), st.integers(0, 999), NAMES)
@settings(max_examples=100, deadline=None)
def test_a_graver_alarm_never_leaves_less(history, severity, principal):
    before = carried(*history)
    lesser = before.after_session(SessionSummary("x", principal, severity, "", SessionVerdict.ALARM))
    graver = before.after_session(SessionSummary("x", principal, severity + 1, "", SessionVerdict.ALARM))
    if severity:
        assert graver.risk_for(principal) >= lesser.risk_for(principal)


@given(st.lists(SUMMARIES, max_size=40))
@settings(max_examples=100, deadline=None)
def test_what_was_stored_is_read_back(history):
    risk = carried(*history)
    reader = NumberReader(b"t", pack_numbers(b"t", risk.to_numbers()), max_bytes=10**6)
    assert CarriedRisk.read(reader) == risk


@pytest.mark.parametrize("source", ["", "doc"])
def test_ten_thousand_principals_take_bounded_room(source):
    risk = CarriedRisk()
    for at in range(10_000 if source else 300):
        risk = risk.after_session(alarm(at, f"user{at}", 500, source and f"{source}{at}"))
    assert len(risk.alarms) <= 96


def test_many_explained_alarms_do_not_push_out_what_nothing_explains():
    risk = carried(("ada", 300))
    for at in range(300):
        risk = risk.after_session(alarm(at, f"user{at}", 1000, f"doc{at}"))
    assert risk.risk_for("ada") >= 300


def month_end(payments, listed, *axes):
    """A session after untrusted content that pays, where the request lists some objects."""
    tally = SessionTally()
    for number in range(max(payments, listed)):
        named = (TouchedObject(number * 7919 + 7, True, False, True),) if number < listed else ()
        impact = "payment" if number < payments else "read"
        event = BehaviourEvent(tool="pay", impact=impact, objects=named, amount=10, is_exposed=True)
        tally = tally.advance(event)
    return tally.with_findings(Alarms(*axes))


class Alarms:
    """Findings that alarm on some axes."""

    first_times = novelty = 0
    counted_once = frozenset()

    def __init__(self, *axes):
        self.alarm_shares = [(axis, 1400) for axis in axes]


@pytest.mark.parametrize(
    ("tally", "verdict"),
    [
        (month_end(8, 8, "payments", "amount_sum_recent"), SessionVerdict.OBSERVED),
        (month_end(8, 7, "payments"), SessionVerdict.ALARM),
        (month_end(8, 7, "amount_sum"), SessionVerdict.ALARM),
        (month_end(8, 8, "payments", "amount_largest"), SessionVerdict.ALARM),
        (month_end(8, 8, "payments", "unrelated"), SessionVerdict.ALARM),
        (month_end(8, 8, "unrelated_payments"), SessionVerdict.ALARM),
    ],
)
def test_in_observe_mode_what_the_request_lists_teaches_after_content_too(tally, verdict):
    """Content cannot lengthen the user's list, so nothing it adds is taught."""
    assert summarize_session("s", tally, source="letter", observed=True).verdict is verdict
    assert summarize_session("s", tally, source="letter").verdict is SessionVerdict.ALARM  # somebody was asked
