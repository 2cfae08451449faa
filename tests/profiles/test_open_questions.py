"""Questions of a policy that nobody answers count as refusals once the session is folded, and only those."""

from __future__ import annotations

import pytest
from test_profiles import session
from test_tally import read

from halo_core.behaviour.assessment import find_refusals
from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.event import describe_call
from halo_core.behaviour.limits import SHIPPED_PRIOR
from halo_core.behaviour.measures import INDEX, WINDOWED
from halo_core.behaviour.profile import NEW_PROFILE
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.errors import BadInput

ORDINARY = SessionVerdict.ORDINARY
WINDOW = WINDOWED.index(INDEX["refusals"])


def event_of(number):
    return read(number, request=1, host="h")


def ask(tally, *calls):
    """A session in which a policy has asked about calls, none of which ran."""
    for call in calls:
        shape = describe_call("grant", {"to": str(call)})
        tally = tally.with_refusal(call, is_attempt=False, event=event_of(call), shape=shape).with_question(call)
    return tally


def run_after_all(tally, call):
    """The call runs, once a person has said yes."""
    return tally.advance(event_of(call)).without_attempt(call, event_of(call))


def recent(profile):
    return profile.windows[WINDOW] // 16


def settled(sessions=80):
    profile = NEW_PROFILE
    for at in range(sessions):
        profile = profile.fold(session(2 + at % 3, at=at), verdict=ORDINARY)
    return profile


def test_an_open_question_counts_with_the_fold_and_an_answered_one_does_not():
    tally = ask(session(2), 1, 2)
    assert tally["refusals"] == 0
    assert tally.count_questions()["refusals"] == 2
    assert run_after_all(tally, 1).count_questions()["refusals"] == 1


def test_asking_about_the_same_call_again_adds_none():
    assert ask(session(2), 1, 1, 1).count_questions()["refusals"] == 1
    once = ask(session(2), 1).count_questions().after_fold("ordinary")
    assert ask(once, 1).count_questions()["refusals"] == 1
    assert ask(once.begin_next(), 1).count_questions()["refusals"] == 0


def test_another_call_that_runs_answers_nothing():
    tally = run_after_all(ask(session(2), 1, 2), 3)
    assert tally.count_questions()["refusals"] == 2


def test_a_call_that_is_allowed_twice_is_answered_once():
    tally = ask(session(2), 1, 2).count_questions().after_fold("ordinary").begin_next()
    tally = run_after_all(run_after_all(tally, 1), 1)
    assert tally.questions.answered == 1


def test_an_answer_that_comes_after_the_fold_takes_the_question_back():
    profile = settled()
    tally = ask(session(2, at=80), 1, 2, 3).count_questions()
    asked = profile.fold(tally, verdict=ORDINARY)
    later = run_after_all(tally.after_fold("ordinary").begin_next(), 1)
    assert recent(asked) == recent(profile) + 3
    assert recent(asked.fold(later.count_questions(), verdict=ORDINARY)) == 1
    assert decode_tally(encode_tally(later)).questions == later.questions


def test_what_was_only_asked_about_adds_up_where_nothing_ran():
    profile = settled()
    for number in range(8):
        profile = profile.fold(ask(SessionTally(), number).count_questions(), verdict=ORDINARY)
    assert recent(profile) == 8


def test_sessions_in_which_nothing_ran_do_not_lower_the_sum_of_refusals():
    profile = settled().fold(ask(session(2, at=80), *range(9)).count_questions(), verdict=ORDINARY)
    after = profile
    for number in range(50):
        after = after.fold(ask(SessionTally(), 100 + number % 2).count_questions(), verdict=ORDINARY)
    assert recent(after) >= recent(profile)


@pytest.mark.parametrize("a_session", [1, 2, 5])
def test_an_agent_whose_questions_stay_open_in_session_after_session_is_an_alarm(a_session):
    profile, told = settled(), []
    for number in range(10):
        tally = ask(session(2, at=80 + number), *range(number * 10, number * 10 + a_session))
        told.append(find_refusals(profile, tally, SHIPPED_PRIOR))
        profile = profile.fold(tally.count_questions(), verdict=ORDINARY if not told[-1] else SessionVerdict.ALARM)
    assert not told[0]
    assert told[-1]


def test_questions_of_one_message_are_no_alarm_while_people_may_still_answer():
    assert not find_refusals(settled(), ask(session(2, at=80), *range(6)), SHIPPED_PRIOR)


def test_limits_learn_how_many_questions_are_usual_while_observed():
    profile = NEW_PROFILE
    for at in range(120):
        profile = profile.fold(ask(session(2, at=at), *range(at * 10, at * 10 + 3)).count_questions(), verdict=ORDINARY)
    assert not find_refusals(profile, ask(session(2, at=121), 1, 2, 3), SHIPPED_PRIOR)


def test_no_number_of_questions_outgrows_a_tally():
    tally = ask(session(2), *range(500))
    assert tally.count_questions()["refusals"] == 32
    assert len(str(encode_tally(tally))) < 8192


def test_later_questions_of_a_long_conversation_count_too():
    tally = SessionTally()
    for part in range(6):
        tally = ask(session(2) if not part else tally, *range(part * 20, part * 20 + 20))
        tally = tally.count_questions()
        assert tally["refusals"] == 20
        tally = tally.after_fold("ordinary").begin_next()


@pytest.mark.parametrize("members", [[], ["", ""], ["", "", -1], ["", "", True], ["x", "", 0], [1, 2, 3], None])
def test_a_stored_tally_with_malformed_questions_is_refused(members):
    tree = {**encode_tally(session(2)), "d": members}
    with pytest.raises(BadInput):
        decode_tally(tree)
