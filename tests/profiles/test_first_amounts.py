"""An agent that begins to pay late: its limits begin with what it was asked for, and with nothing else."""

from __future__ import annotations

import pytest
from test_principals import ANA, BOB, act, run

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.event import TouchedObject
from halo_core.behaviour.first_times import alarm_at_new_ways, find_first_times
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.profile_forms import EARLIER_FORM, FOLD_FORM

ORDINARY, OBSERVED, CLEARED = SessionVerdict.ORDINARY, SessionVerdict.OBSERVED, SessionVerdict.CLEARED
UNIT = 10_000
STRANGER = (TouchedObject(77, is_related=False),)
LED = (TouchedObject(78, is_related=True),)


class Found:
    """Findings with one alarm."""

    first_times = novelty = 0
    counted_once = frozenset()

    def __init__(self, axis, share):
        self.alarm_shares = ((axis, share),)


@pytest.fixture(scope="module")
def reader():
    """An agent whose first eighty sessions only read."""
    profile = IdentityProfile()
    for day in range(100, 180):
        profile = profile.fold(run([act((ANA, BOB)[day % 2], day, 9)]), verdict=ORDINARY)
    return profile


def pay(profile, day, amount, *, verdict=OBSERVED, form=FOLD_FORM, more=(), **change):
    """A session with one payment, which alarms as it is assessed."""
    event = act(ANA, day, 10, pays=int(amount * UNIT), **change)
    found = assess(profile, run([event]), event)
    tally = run([event]).with_findings(found)
    for axis, share in more:
        tally = tally.with_findings(Found(axis, share))
    return profile.as_form(form).fold(tally, verdict=verdict if found.alarms or more else ORDINARY)


def largest(profile):
    return profile.limit_of("amount_largest") / UNIT


@pytest.mark.parametrize("verdict", [OBSERVED, CLEARED])
def test_a_limit_begins_with_the_first_payments_that_somebody_asked_for(reader, verdict):
    profile = reader
    for number, amount in enumerate((60, 30, 110, 45)):
        profile = pay(profile, 200 + number, amount, verdict=verdict)
    assert 110 <= largest(profile) <= 3 * 110
    event = act(ANA, 210, 10, pays=80 * UNIT)
    assert not {"amount_largest", "amount_sum"} & {axis.id for axis in assess(profile, run([event]), event).alarms}


def test_payments_that_the_request_does_not_account_for_begin_no_limit(reader):
    profile = reader
    for number, amount in enumerate((6_000, 3_000, 11_000, 4_500)):
        profile = pay(profile, 200 + number, amount, objects=STRANGER)
    assert largest(profile) < 1


def test_a_session_with_any_other_alarm_begins_no_limit(reader):
    profile = reader
    for number, amount in enumerate((6_000, 3_000, 11_000, 4_500)):
        profile = pay(profile, 200 + number, amount, more=(("unrelated", 3_000),))
    assert largest(profile) < 1


def test_payments_after_untrusted_content_begin_no_limit(reader):
    profile = reader
    related = (TouchedObject(78, is_related=True),)
    for number, amount in enumerate((6_000, 3_000, 11_000, 4_500)):
        profile = pay(profile, 200 + number, amount, objects=related, is_exposed=True)
    assert largest(profile) < 1


def test_the_limit_of_an_agent_that_has_paid_for_a_while_rises_by_steps_only(reader):
    profile = reader
    for number in range(10):
        profile = pay(profile, 200 + number, 60 + number)
    before = largest(profile)
    for number in range(3):
        profile = pay(profile, 220 + number, 50_000)
    assert largest(profile) < 8 * before


def test_nobody_is_charged_for_an_amount_while_nobody_knows_what_is_usual(reader):
    profile = pay(pay(reader, 199, 30), 200, 40)  # the first one reaches a system that is new, too
    event = act(ANA, 201, 10, pays=900 * UNIT, objects=STRANGER)
    assert dict(assess(profile, run([event]), event).alarm_shares)["amount_largest"] == 1000
    event = act(ANA, 201, 10, pays=900 * UNIT)
    shares = dict(assess(profile, run([event]), event).alarm_shares)
    assert shares["amount_largest"] < 1000
    for number in range(10):
        profile = pay(profile, 202 + number, 40)
    event = act(ANA, 220, 10, pays=900 * UNIT)
    assert dict(assess(profile, run([event]), event).alarm_shares)["amount_largest"] > 1000


def test_first_payments_that_the_request_accounts_for_are_asked_about_and_leave_no_risk(reader):
    """To pay is to reach a bank that was never reached: the new system is a part of the new work."""
    event = act(ANA, 200, 10, pays=40 * UNIT)
    found = assess(reader, run([event]), event)
    assert "first_system" in {axis.id for axis in found.axes}
    assert found.volume >= 1000
    assert max(share for _, share in found.alarm_shares) < 1000


@pytest.mark.parametrize(
    "strange", [{"objects": STRANGER}, {"host": "elsewhere"}, {"objects": LED, "is_exposed": True}]
)
def test_first_payments_with_anything_strange_about_them_leave_a_risk(reader, strange):
    event = act(ANA, 200, 10, pays=40 * UNIT, **strange)
    found = assess(reader, run([event]), event)
    assert max(share for _, share in found.alarm_shares) >= 1000


def test_first_payments_begin_no_limit_in_the_earlier_form():
    profile = IdentityProfile().as_form(EARLIER_FORM)
    for day in range(100, 180):
        profile = profile.fold(run([act(ANA, day, 9)]), verdict=ORDINARY)
    for number in range(4):
        profile = pay(profile, 200 + number, 60, form=EARLIER_FORM)
    assert largest(profile) < 1


def is_raised(profile, event):
    """Whether a first time is an alarm by itself, where all that is new is not above the agent's limit of novelty."""
    tally = run([event])
    firsts, _ = find_first_times(profile, tally, event, None)
    return any(axis.id == "first_grant" and axis.is_alarm for axis in alarm_at_new_ways(firsts, tally, event))


def test_labelled_data_by_a_new_way_is_an_alarm_after_thirty_sessions():
    profile = IdentityProfile()
    for day in range(100, 130):
        profile = profile.fold(run([act(ANA, day, 9, resource="read")]), verdict=ORDINARY)
    event = act(ANA, 131, 9, tool="extract", system="archive", resource="extract", labels=("secret",), objects=())
    assert is_raised(profile, event)


@pytest.mark.parametrize(
    ("change", "alarms"),
    [
        ({"labels": ("secret",), "objects": ()}, True),
        ({"labels": ("secret",), "objects": STRANGER}, True),
        ({"labels": ("secret",)}, False),  # the request names what it is about
        ({"labels": (), "objects": ()}, False),
        ({"labels": ("secret",), "objects": (), "system": "crm"}, False),
        ({"labels": ("secret",), "objects": (), "resource": "read"}, False),
    ],
)
def test_labelled_data_by_a_new_way_is_an_alarm_where_nobody_asks_for_it(reader, change, alarms):
    profile = reader
    for day in range(180, 184):
        profile = profile.fold(run([act(ANA, day, 9, resource="read")]), verdict=ORDINARY)
    event = act(ANA, 200, 9, **{"tool": "extract", "system": "archive", "resource": "extract", **change})
    assert is_raised(profile, event) is alarms
