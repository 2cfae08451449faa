"""Nobody gets a lever out of the defence: what one account does holds up that account, and teaches about it alone."""

from __future__ import annotations

import pytest
from test_principals import ANA, BOB, LAST, ORDINARY, SYNC, act, ids, look, ordinary, run

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict, summarize_session
from halo_core.behaviour.measures import INDEX
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.tally import SessionTally

ALARM = SessionVerdict.ALARM


def live_on(profile, day, strange=()):
    """A day of ordinary sessions, where some principals have the agent work in another way."""
    for events in ordinary(day):
        who = events[0].principal
        odd = [act(who, day, 9 + k, tool=f"odd {k % 5}", labels=("pii",)) for k in range(9)]
        profile = profile.fold(run(odd if who in strange else events), verdict=ORDINARY)
    return profile


@pytest.fixture(scope="module")
def settled():
    profile = IdentityProfile()
    for day in range(LAST - 60, LAST):
        profile = live_on(profile, day)
    return profile


def drifted(profile, strange, days=12):
    for day in range(LAST, LAST + days):
        profile = live_on(profile, day, strange)
    return profile


def test_what_one_account_moves_holds_up_that_account_alone(settled):
    profile = settled
    for day in range(LAST, LAST + 12):
        for _ in range(4):  # far more sessions than the others have
            profile = profile.fold(
                run([act(BOB, day, 14, tool=f"odd {k % 5}", labels=("pii",)) for k in range(9)]), verdict=ORDINARY
            )
    assert profile.drift >= 1000
    assert profile.drift_of(is_exposed=False, principal=BOB) >= 1000
    for who in (ANA, SYNC, "new-reference"):
        assert profile.drift_of(is_exposed=False, principal=who) == 0
        assert profile.narrowed_limits(is_exposed=False, principal=who) == {}
    event = act(ANA, LAST + 12, 10, pays=100_0000)
    assert assess(profile, run([event]), event).drift < 1000
    event = act(BOB, LAST + 12, 15)
    assert assess(profile, run([event]), event).drift >= 1000


def test_what_several_move_is_the_agent(settled):
    profile = drifted(settled, (ANA, BOB))
    for who in (ANA, BOB, SYNC, "new-reference"):
        assert profile.drift_of(is_exposed=False, principal=who) >= 1000


def test_who_moved_a_drift_is_read_back_and_forgotten_with_it(settled):
    profile = drifted(settled, (BOB,))
    assert IdentityProfile.from_bytes(profile.to_bytes()) == profile
    assert any(drift.movers for drift in profile.drifts)
    assert not any(drift.movers for drift in profile.restart_drift().drifts)
    assert not any(drift.movers for drift in drifted(profile, (), 60).drifts)


def test_a_document_that_many_read_moves_nothing_that_others_are_held_to(settled):
    """A planted order that an agent obeys in a hundred sessions of three users, each with an alarm."""
    profile = settled
    for day in range(LAST, LAST + 34):
        for who in (BOB, SYNC, "carla"):
            events = [
                act(who, day, 14, is_exposed=True),
                act(who, day, 14, tool="mail", impact="send", bytes_out=10**6),
            ]
            tally = run(events).with_findings(Found("bytes_out", 9000), call=1)
            summary = summarize_session(f"{who} {day}", tally, source="the planted letter")
            profile = profile.fold(tally, verdict=ALARM, summary=summary)
    assert profile.carried.risk_for(ANA) == 0
    assert profile.carried.independent_alarms <= 1  # one source, so that it suspends nobody
    assert profile.drifts[0].trend == settled.drifts[0].trend
    assert profile.principals == settled.principals
    for events in ordinary(LAST + 34)[:1]:
        for at in range(len(events)):
            assert assess(profile, run(events[: at + 1]), events[at]).is_quiet


def test_content_teaches_no_principal_but_those_who_read_it(settled):
    profile = settled
    for day in range(LAST, LAST + 40):
        events = [act(BOB, day, 14, is_exposed=True), act(BOB, day, 15, is_exposed=True, labels=("salary",))]
        profile = profile.fold(run(events), verdict=ORDINARY)
    assert profile.principals.find(ANA) == settled.principals.find(ANA)
    assert "principal_label" in ids(look(act(ANA, LAST + 41, 10, labels=("salary",)), profile, tenant=None))


def test_a_slow_attacker_moves_his_own_hours_and_is_still_asked_about_amounts(settled):
    """A stolen account works an hour later each day: it teaches its hours, one day each, and nobody else's."""
    profile = settled
    for day in range(LAST, LAST + 20):
        profile = profile.fold(run([act(ANA, day, 12 + min(day - LAST, 9))]), verdict=ORDINARY)
    assert profile.principals.find(BOB) == settled.principals.find(BOB)
    assert look(act(ANA, LAST + 21, 10, pays=9_000_0000), profile, tenant=None).alarms


class Found:
    """Findings with one alarm."""

    first_times = novelty = 0
    counted_once = frozenset()

    def __init__(self, axis, share):
        self.alarm_shares = ((axis, share),)


def test_attempts_that_were_refused_fill_no_window_of_others(settled):
    profile = settled
    tally = (
        SessionTally().advance(act(BOB, LAST, 14)).with_refusal(1, is_attempt=True, findings=Found("unrelated", 3000))
    )
    for _ in range(30):
        profile = profile.fold(tally, verdict=ALARM)
    assert profile.windows[0] <= settled.windows[0] + 30 * 16
    assert profile.limits[INDEX["unrelated"]] == settled.limits[INDEX["unrelated"]]
