"""What a session has done so far: counted once, bounded, and never less than before."""

from __future__ import annotations

import json
from dataclasses import fields, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict, summarize_session
from halo_core.behaviour.event import BehaviourEvent, Destination, TouchedObject, describe_call
from halo_core.behaviour.measures import MEASURES
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.errors import BadInput

IMPACTS = ("read", "write", "send", "payment", "delete", "execute", "admin", "unknown", "something else")
NUMBERS = st.integers(-(2**70), 2**70)
TEXTS = st.text(max_size=60) | st.sampled_from(["a", "\ud800", "x" * 5000, ""])
OBJECTS = st.builds(TouchedObject, NUMBERS, st.booleans(), st.booleans())
PLACES = st.builds(Destination, NUMBERS, st.booleans(), st.booleans())
EVENTS = st.builds(
    BehaviourEvent,
    tool=TEXTS,
    impact=st.sampled_from(IMPACTS),
    system=TEXTS,
    labels=st.lists(TEXTS, max_size=40).map(tuple),
    ts_us=NUMBERS,
    host=TEXTS,
    process=TEXTS,
    principal=TEXTS,
    request=NUMBERS,
    objects=st.lists(OBJECTS, max_size=20).map(tuple),
    destinations=st.lists(PLACES, max_size=20).map(tuple),
    bytes_out=NUMBERS,
    amount=st.none() | NUMBERS,
    unit=TEXTS,
    is_exposed=st.booleans(),
    resource=TEXTS,
    hand_off_to=TEXTS,
    program=TEXTS,
    session_risk=st.integers(0, 1000),
)


def fold(events, tally=None):
    tally = SessionTally() if tally is None else tally
    for event in events:
        tally = tally.advance(event)
    return tally


def read(number, *, related=False, **more):
    return BehaviourEvent(tool="read_file", objects=(TouchedObject(number, related),), **more)


def encoded(tally):
    return json.dumps(encode_tally(tally), separators=(",", ":"))


def test_an_action_counts_once_in_each_measure_it_belongs_to():
    event = BehaviourEvent(
        tool="send_mail",
        impact="send",
        objects=(TouchedObject(1, True, True), TouchedObject(2, False)),
        destinations=(Destination(3, False, False), Destination(4, True, False), Destination(5, False, True)),
        bytes_out=120,
        amount=-50_000,
        unit="EUR",
    )
    tally = SessionTally().advance(event)
    shown = {measure.id: tally[measure.id] for measure in MEASURES if tally[measure.id]}
    assert shown == {
        "actions": 1, "acts": 1, "sends": 1, "tools": 1, "objects": 2, "unrelated": 1, "persons": 1, "bytes_out": 120,
        "destinations": 3, "outside": 1, "amount_sum": 50_000, "amount_largest": 50_000, "burst": 1,
    }  # fmt: skip


def test_payments_to_accounts_that_nobody_named_count_apart():
    def pay(**about):
        account = TouchedObject(9, is_person=True, **about)
        return SessionTally().advance(BehaviourEvent("pay", impact="payment", amount=5, objects=(account,)))

    assert pay(is_related=False)["unrelated_payments"] == 1
    assert pay(is_related=True)["unrelated_payments"] == 0
    assert pay(is_related=False, is_requested=True)["unrelated_payments"] == 0


def test_the_same_object_is_one_object():
    tally = fold([read(7), read(7), read(8)])
    assert (tally["objects"], tally["unrelated"], tally["reads"]) == (2, 2, 3)


@pytest.mark.parametrize("number", [10, 96, 1000, 20_000])
def test_many_objects_are_counted_within_a_third(number):
    numbers = [(at * 0x9E3779B97F4A7C15 + 12345) & (2**64 - 1) for at in range(number)]
    objects = tuple(TouchedObject(one, False) for one in numbers)
    tally = fold([BehaviourEvent("read", objects=objects[at : at + 50]) for at in range(0, number, 50)])
    assert abs(tally["objects"] - number) <= number / 3


def test_outcomes_count_failures_refusals_and_labelled_results():
    tally = SessionTally().advance(read(1)).with_outcome(failed=True, result_bytes=900, labels=("pii",))
    tally = tally.with_outcome(refused=True, result_bytes=50)
    assert (tally["failures"], tally["refusals"], tally["labelled_bytes"]) == (1, 1, 900)
    after = tally.advance(read(2))
    raised = {MEASURES[at].id for at in range(len(MEASURES)) if after.raised >> at & 1}
    assert {"failures", "refusals", "labelled_bytes"} <= raised
    assert not after.advance(read(3)).raised >> [m.id for m in MEASURES].index("refusals") & 1


def make_full_tally():
    """A tally none of whose members is as in a new session."""
    touched = (TouchedObject(1, False), TouchedObject(2, False, True))
    labelled = read(1, labels=("pii",), principal="p", request=5, ts_us=1_000_000)
    exposed = BehaviourEvent(
        tool="send_mail",
        impact="send",
        ts_us=2_000_000,
        is_exposed=True,
        objects=touched,
        destinations=(Destination(3, False, False),),
    )
    tally = fold([labelled, exposed]).with_outcome(shape=describe_call("send_mail", {"to": "a"}, turn=4))
    shape = describe_call("send_mail", {"to": "b"}, turn=5)
    tally = tally.with_refusal(7, is_attempt=True, findings=Found(), ts_us=2, event=exposed, shape=shape)
    tally = tally.with_allowance("acts").with_question(7)
    return tally.after_fold(SessionVerdict.ALARM.value)


@pytest.mark.parametrize("member", [item.name for item in fields(SessionTally)])
def test_a_member_that_a_step_does_not_change_stays(member):
    before = make_full_tally()
    assert getattr(before, member) != getattr(SessionTally(), member)
    if member not in {"values", "seen", "pending"}:
        after = before.with_outcome(failed=True, labels=("chd",))
        assert getattr(after, member) == getattr(before, member)
    if member in {"allowances", "alarms", "refused", "calls", "ways", "told", "folded", "labelled", "attempts"}:
        after = before.advance(BehaviourEvent(tool="send_mail", impact="send", ts_us=3_000_000))
        assert getattr(after, member) == getattr(before, member)


def test_what_comes_before_and_after_untrusted_content_is_told_apart():
    tally = fold([read(1), read(2), read(3, is_exposed=True), read(4, is_exposed=True)])
    unrelated = [measure.id for measure in MEASURES].index("unrelated")
    assert tally.at_exposure[unrelated] == 2
    assert tally.after_exposure(unrelated) == 2


def test_a_pause_counts_as_a_minute_at_most():
    day = 86_400_000_000
    tally = fold([read(1, ts_us=0), read(2, ts_us=30_000_000), read(3, ts_us=day), read(4, ts_us=day + 5_000_000)])
    assert (tally["seconds"], tally["burst"]) == (95, 2)


@given(st.lists(EVENTS, max_size=12))
@settings(max_examples=30, deadline=None)
def test_no_measure_ever_falls_whatever_the_events_and_clocks(events):
    tally = SessionTally()
    for event in events:
        after = tally.advance(event)
        assert all(new >= old for old, new in zip(tally.values, after.values, strict=True))
        tally = after.with_outcome(failed=True, result_bytes=event.bytes_out, labels=event.labels)
        assert all(new >= old for old, new in zip(after.values, tally.values, strict=True))


@given(st.lists(EVENTS, max_size=12))
@settings(max_examples=30, deadline=None)
def test_what_was_stored_is_read_back(events):
    tally = fold(events).with_allowance("objects").with_outcome(shape=describe_call("a", {"b": "some words here"}))
    for event in events[:2]:
        tally = tally.with_findings(assess(NEW_PROFILE, tally.advance(event), event))
    assert decode_tally(json.loads(encoded(tally))) == tally


def test_an_ordinary_session_takes_little_room():
    tally = SessionTally()
    for at in range(8):
        event = read(at * 10**12, labels=("pii",), system="crm", ts_us=10**15 + at, host="h", principal="p" * 40)
        tally = tally.advance(event).with_outcome(result_bytes=10, shape=describe_call("read_file", {"path": str(at)}))
    assert len(encoded(tally)) < 800


def test_no_session_takes_more_than_four_kilobytes():
    tally = SessionTally()
    for at in range(600):
        name = f"{at}" * 100
        event = BehaviourEvent(
            tool=name, impact=name, system=name, labels=(name, f"{name}!"), ts_us=at * 3_600_000_000, host=name,
            process=name, principal=name, request=at, resource=name, hand_off_to=name, program=name, amount=2**80,
            unit=name, bytes_out=2**80, is_exposed=at > 300,
            objects=tuple(TouchedObject(at * 7919 + k * 0x9E3779B97F4A7C15, False, True) for k in range(5)),
            destinations=tuple(Destination(at * 7919 + k * 0x9E3779B97F4A7C15, False, False) for k in range(5)),
        )  # fmt: skip
        found = assess(NEW_PROFILE, tally.advance(event), event)
        tally = tally.advance(event).with_findings(found).with_allowance("objects")
        tally = tally.with_outcome(labels=(name,), result_bytes=2**80, shape=describe_call(name, {name: name}))
    assert len(encoded(tally)) <= 6000
    assert decode_tally(json.loads(encoded(tally))) == tally


@pytest.mark.parametrize(
    "change",
    [
        {"v": []},
        {"v": ["1"] * len(MEASURES)},
        {"v": [-1] * len(MEASURES)},
        {"o": ["AA"] * 5},
        {"s": "????"},
        {"s": "/////////////w=="},
        {"t": [1, 2]},
        {"y": [[999, 1]]},
        {"y": [[0, 10**9]]},
        {"a": [["axis", "1", 1, True]]},
        {"p": 3},
    ],
    ids=str,
)
def test_another_tree_is_refused(change):
    plain = encode_tally(fold([read(1)]))
    with pytest.raises(BadInput) as caught:
        decode_tally(plain | change)
    assert caught.value.code == "bad_profile"


def test_a_missing_member_is_refused():
    plain = encode_tally(fold([read(1)]))
    for name in plain:
        with pytest.raises(BadInput):
            decode_tally({key: part for key, part in plain.items() if key != name})


def test_alarms_make_the_severity_by_share_and_by_repetition():
    once = replace(SessionTally(), alarms=()).advance(read(1))
    assert summarize_session("s", once).severity == 0

    class Found:
        first_times = novelty = 0
        counted_once = frozenset()
        alarm_shares = (("unrelated", 1000),)

    one = once.with_findings(Found())
    many = one
    for _ in range(10):
        many = many.with_findings(Found())
    assert 0 < summarize_session("s", one).severity < summarize_session("s", many).severity <= 1000
    assert summarize_session("s", one, source="doc").source == ""
    exposed = once.advance(read(2, is_exposed=True)).with_findings(Found())
    assert summarize_session("s", exposed, source="doc").source == "doc"


class Alarms:
    """Findings that alarm on some axes."""

    first_times = novelty = 0
    counted_once = frozenset()

    def __init__(self, *axes, share=1400):
        self.alarm_shares = [(axis, share) for axis in axes]


@pytest.mark.parametrize(("axis", "is_work"), [("labelled_reads", False), ("objects", True)])
def test_the_same_refused_call_counts_once(axis, is_work):
    tally = fold([read(1)])
    for _ in range(50):
        tally = tally.with_refusal(7, is_attempt=True, findings=Alarms(axis))
    once = fold([read(1)]).with_refusal(7, is_attempt=True, findings=Alarms(axis))
    assert tally == once
    assert (tally["refusals"], tally.alarms[0].times) == (1, 1)
    many = tally
    for call in range(10, 15):
        many = many.with_refusal(call, is_attempt=True, findings=Alarms(axis))
    assert (many["refusals"], many.alarms[0].times) == (6, 6)
    # How often a measure of mere work alarms says nothing.
    several, single = summarize_session("s", many).severity, summarize_session("s", tally).severity
    assert (several == single) if is_work else (several > single)
    assert decode_tally(encode_tally(many)) == many


def test_a_refused_call_is_tried_again_only_where_another_message_asks_for_it():
    event = BehaviourEvent("send_mail", impact="send", objects=(TouchedObject(1, False),))

    def refuse(tally, turn):
        shape = describe_call("send_mail", {"to": "a"}, turn=turn)
        return tally.with_refusal(7, is_attempt=True, findings=Alarms("objects"), event=event, shape=shape)

    once = refuse(fold([read(1)]), 4)
    assert refuse(once, 4) == once  # the paused step is run again
    often = once
    for turn in range(5, 9):
        often = refuse(often, turn)
    at = [measure.id for measure in MEASURES].index
    assert [often.attempted[at(name)] for name in ("actions", "sends", "objects")] == [6, 5, 1]
    assert (often["refusals"], often.alarms) == (1, once.alarms)
    assert often.to_drift_session().habits != once.to_drift_session().habits
    allowed = often.advance(event).without_attempt(7, event)
    assert (allowed["actions"], allowed.attempted[at("actions")]) == (2, 6)
    assert decode_tally(encode_tally(often)) == often


def test_a_yes_clears_what_was_asked_and_nothing_else():
    asked = fold([read(1)]).with_refusal(7, is_attempt=False, findings=Alarms("payments", "amount_sum"))
    asked = asked.with_refusal(8, is_attempt=False, findings=Alarms("unrelated"))
    allowed = asked.with_findings(Alarms("payments")).with_cleared(7, ["payments"])
    assert [alarm.axis for alarm in allowed.open_alarms] == ["unrelated"]  # the amount was part of the same question
    assert summarize_session("s", allowed).verdict is SessionVerdict.ALARM
    assert decode_tally(encode_tally(allowed)) == allowed
    all_of_it = allowed.with_cleared(8, ["unrelated"])
    assert summarize_session("s", all_of_it).verdict is SessionVerdict.CLEARED
    assert summarize_session("s", all_of_it.with_findings(Alarms("payments"))).verdict is SessionVerdict.ALARM


class Found:
    """Findings with one alarm."""

    first_times = novelty = 0
    counted_once = frozenset()
    alarm_shares = (("unrelated", 1400),)


def test_a_refused_call_counts_once_in_all_sessions_of_a_name():
    tally = SessionTally().with_refusal(7, is_attempt=True, findings=Found(), ts_us=5)
    assert [(alarm.axis, alarm.times) for alarm in tally.alarms] == [("unrelated", 1)]
    assert tally.raises_anew("acts", 7)
    assert not tally.raises_anew("unrelated", 8)
    goes_on = decode_tally(encode_tally(tally.after_fold(SessionVerdict.ALARM.value)))
    again = goes_on.with_refusal(7, is_attempt=True, findings=Found(), ts_us=9)
    assert not again.has_news
    assert summarize_session("s", again).severity == 0
    other = again.with_refusal(8, is_attempt=True, findings=Found(), ts_us=9)
    assert other.has_news
    assert summarize_session("s", other).severity == summarize_session("s", tally).severity > 0
    begun = goes_on.begin_next()
    assert begun.with_refusal(7, is_attempt=True, findings=Found(), ts_us=9).alarms == ()
    assert begun.with_refusal(7, is_attempt=True, findings=Found(), ts_us=9)["refusals"] == 0
    assert not begun.raises_anew("unrelated", 7)
    assert begun.with_refusal(8, is_attempt=True, findings=Found(), ts_us=9).alarms != ()


def test_a_session_in_which_nothing_ran_has_a_time():
    tally = SessionTally().with_refusal(7, is_attempt=True, findings=Found(), ts_us=86_400_000_000 * 20_000)
    assert summarize_session("s", tally).day == 20_000
    assert tally.advance(BehaviourEvent("t", ts_us=3)).first_us == 3
