"""A new agent's first payments are held to what its tenant pays, and only where the request accounts for them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_principals import ANA, LAST, ORDINARY, act, run

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict, summarize_session
from halo_core.behaviour.event import TouchedObject
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.tenant import TenantProfile

UNIT = 10_000
AMOUNTS = {"amount_sum", "amount_largest", "amount_sum_recent"}
LED = (TouchedObject(78, is_related=True),)


def paid(day, amount, **change):
    return replace(act(ANA, day, 10, pays=int(amount * UNIT), resource="pay-bills"), **change)


def read(day, **change):
    return act(ANA, day, 10, resource="look-up", **change)


@pytest.fixture(scope="module")
def tenant():
    """Agents that pay 80 to 140 in every other session."""
    profile = TenantProfile()
    for day in range(LAST - 120, LAST):
        events = [read(day), paid(day, 80 + day % 7 * 10)] if day % 2 else [read(day)]
        profile = profile.fold(run(events), verdict=ORDINARY)
    return profile


def newcomer(sessions):
    profile = IdentityProfile()
    for day in range(LAST - sessions, LAST):
        profile = profile.fold(run([read(day)]), verdict=ORDINARY)
    return profile


def find(profile, tenant, *events):
    """Ids of the axes of amounts that alarm at the last event, with the role's prior as it is used live."""
    prior = tenant.identity.as_prior()
    found = assess(profile, run(events), events[-1], tenant=tenant, prior=prior)
    return {axis.id for axis in found.alarms} & AMOUNTS


@pytest.mark.parametrize("sessions", [0, 25, 45, 59])
def test_first_payments_within_what_the_tenant_pays_are_not_asked_about(tenant, sessions):
    assert not find(newcomer(sessions), tenant, paid(LAST, 95))
    assert not find(newcomer(sessions), tenant, paid(LAST, 95, objects=LED))


@pytest.mark.parametrize("amount", [700, 1_400, 10**6])
@pytest.mark.parametrize("sessions", [45, 59])
def test_more_than_that_is_asked_about(tenant, sessions, amount):
    assert find(newcomer(sessions), tenant, paid(LAST, amount))


@pytest.mark.parametrize(
    "strange",
    [
        {"objects": (TouchedObject(77, is_related=False),)},
        {"objects": LED, "is_exposed": True},
        {"objects": ()},
        {"objects": (*LED, TouchedObject(79, is_related=False))},
        {"resource": "pay-by-voucher"},
    ],
    ids=["nobody named it", "content may have", "it names nobody", "one of two", "no agent pays so"],
)
def test_what_the_request_does_not_account_for_or_no_agent_does_begins_at_nothing(tenant, strange):
    assert find(newcomer(55), tenant, paid(LAST, 95, **strange)) >= {"amount_largest", "amount_sum"}


def test_an_agent_that_has_shown_for_long_that_it_does_not_pay_is_asked(tenant):
    assert find(newcomer(60), tenant, paid(LAST, 95))


def test_a_tenant_that_hardly_pays_says_nothing():
    tenant = TenantProfile()
    for day in range(LAST - 120, LAST):
        events = [read(day), paid(day, 95)] if day % 20 == 0 else [read(day)]
        tenant = tenant.fold(run(events), verdict=ORDINARY)
    assert find(newcomer(55), tenant, paid(LAST, 95))


def test_many_payments_in_one_session_are_asked_about(tenant):
    """Nobody pays by halves what the tenant pays: sums have a limit, too."""
    profile, events, ran = newcomer(45), [], 0
    for at in range(40):
        events.append(replace(paid(LAST, 95), objects=(TouchedObject(500 + at, is_related=True, is_requested=True),)))
        ran += not find(profile, tenant, *events)
    assert 1 <= ran <= 10


def test_the_agents_own_limits_begin_with_them(tenant):
    profile = newcomer(25)
    for number in range(40):
        events = [read(LAST + number), paid(LAST + number, 90)] if number % 4 == 0 else [read(LAST + number)]
        tally = run(events)
        assert not find(profile, tenant, *events)
        summary = summarize_session(f"s{number}", tally)
        assert summary.verdict is SessionVerdict.ORDINARY
        profile = profile.fold(tally, verdict=summary.verdict, summary=summary)
    assert profile.is_mature
    assert 90 <= profile.limit_of("amount_largest") / UNIT <= 400
    assert find(profile, tenant, paid(LAST + 50, 5_000))
