"""A value that nobody named, set where an agent has hardly ever set anything new, is an alarm by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest
from test_profiles import DAY, ORDINARY
from test_tally import fold, read

from halo_core.behaviour.assessment import assess
from halo_core.behaviour.carried import SessionVerdict
from halo_core.behaviour.profile import NEW_PROFILE, IdentityProfile
from halo_core.behaviour.profile_forms import EARLIER_FORM
from halo_core.behaviour.seen import SeenKind
from halo_core.behaviour.settings import count_places, join_named_setting, join_setting, list_superfluous, weigh_setting
from halo_core.behaviour.tally_format import decode_tally, encode_tally
from halo_core.behaviour.tenant import TenantProfile

AXIS = "first_setting"
KIND, DAYS, REMARK = 11, 12, 13


def write(number, at, *settings):
    return replace(read(number), impact="write", ts_us=at * DAY // 4, host="h", settings=settings)


def live(profile, sessions, *, every=1, choose=lambda at: join_setting(KIND, 1 + at % 3)):
    """Sessions that read, and every so many set what `choose` gives."""
    for at in range(profile.sessions, profile.sessions + sessions):
        events = [read(at)]
        if at % every == 0:
            events.append(write(at, at, choose(at)))
        profile = profile.fold(fold(events), verdict=ORDINARY)
    return profile


@pytest.fixture(scope="module")
def settled():
    return live(NEW_PROFILE, 80)


def is_asked(profile, *settings, tenant=None, allow=False):
    event = write(9000, 200, *settings)
    tally = fold([read(9000)])
    if allow:
        tally = tally.advance(event).with_findings(assess(profile, tally.advance(event), event), call=7)
        tally = tally.with_cleared(7, [AXIS])
    found = assess(profile, tally.advance(event), event, tenant=tenant)
    return AXIS in [axis.id for axis in found.alarms]


def test_a_value_that_was_never_set_is_asked_about_where_few_values_ever_are(settled):
    assert is_asked(settled, join_setting(KIND, 99))
    assert not is_asked(settled, join_setting(KIND, 2))


def test_what_the_request_names_is_never_new(settled):
    assert not is_asked(settled, join_named_setting(KIND))


def test_where_requests_name_all_values_one_that_nobody_named_is_asked_about():
    profile = live(NEW_PROFILE, 80, every=4, choose=lambda at: join_named_setting(KIND))
    assert is_asked(profile, join_setting(KIND, 5))


def test_a_place_where_anything_may_stand_says_nothing():
    assert not is_asked(
        live(NEW_PROFILE, 80, choose=lambda at: join_setting(REMARK, 1000 + at)), join_setting(REMARK, 7)
    )


def test_a_place_that_shows_something_new_now_and_then_says_nothing():
    profile = live(NEW_PROFILE, 80, choose=lambda at: join_setting(DAYS, 500 + at if at % 8 == 0 else 1 + at % 4))
    assert not is_asked(profile, join_setting(DAYS, 99))


def test_another_place_that_is_new_as_a_whole_says_nothing(settled):
    assert not is_asked(settled, join_setting(DAYS, 1))


def test_a_hardly_used_place_says_nothing():
    assert not is_asked(live(NEW_PROFILE, 80, every=10), join_setting(KIND, 99))


def test_an_agent_without_a_history_is_not_compared():
    assert not is_asked(live(NEW_PROFILE, 15), join_setting(KIND, 99))


def test_values_that_others_of_the_tenant_set_are_not_new(settled):
    tenant = TenantProfile()
    for at in range(80):
        tenant = tenant.fold(fold([read(at), write(at, at, join_setting(KIND, 1 + at % 3))]), verdict=ORDINARY)
    assert is_asked(settled, join_setting(KIND, 99), tenant=tenant)
    tenant = tenant.fold(fold([read(80), write(80, 80, join_setting(KIND, 99))]), verdict=ORDINARY)
    assert not is_asked(settled, join_setting(KIND, 99), tenant=tenant)


def test_what_the_tenant_has_shown_counts_where_the_agent_has_hardly_set_anything():
    profile, tenant = live(NEW_PROFILE, 80, every=40), TenantProfile()
    for at in range(80):
        tenant = tenant.fold(fold([read(at), write(at, at, join_setting(KIND, 1 + at % 3))]), verdict=ORDINARY)
    assert not is_asked(profile, join_setting(KIND, 99))
    assert is_asked(profile, join_setting(KIND, 99), tenant=tenant)


def test_a_persons_yes_holds_for_the_session(settled):
    assert not is_asked(settled, join_setting(KIND, 99), allow=True)


def test_an_alarmed_session_teaches_nothing(settled):
    event = write(9000, 200, join_setting(KIND, 99))
    tally = fold([read(9000)]).advance(event)
    tally = tally.with_findings(assess(settled, tally, event), call=1)
    after = settled.fold(tally, verdict=SessionVerdict.ALARM)
    assert is_asked(after, join_setting(KIND, 99))


def test_one_place_does_not_push_out_the_values_of_others(settled):
    flooded = live(settled, 400, choose=lambda at: join_setting(REMARK, 1000 + at))
    values = flooded.known[SeenKind.SETTING].values
    assert len([one for one in values if one >> 24 == REMARK]) == 16
    assert not is_asked(flooded, join_setting(KIND, 2))


def test_a_profile_keeps_its_settings_and_the_earlier_form_has_none(settled):
    assert IdentityProfile.from_bytes(settled.to_bytes()) == settled
    earlier = IdentityProfile().as_form(EARLIER_FORM)
    after = earlier.fold(fold([read(1), write(1, 1, join_setting(KIND, 1))]), verdict=ORDINARY)
    assert IdentityProfile.from_bytes(after.to_bytes()).to_bytes() == after.to_bytes()
    assert not after.known[SeenKind.SETTING].values


def test_a_session_keeps_its_settings():
    tally = fold([read(1), write(1, 1, join_setting(KIND, 1), join_named_setting(DAYS))])
    assert decode_tally(encode_tally(tally)).seen == tally.seen


def test_how_surprising_a_setting_is_follows_from_its_place_alone():
    places = count_places({join_setting(KIND, 1): 20, join_setting(KIND, 2): 1, join_setting(DAYS, 1): 3})
    assert weigh_setting(places, join_setting(KIND, 3)) == 56  # 16 * log2(23 / 2)
    assert weigh_setting(places, join_setting(REMARK, 3)) == 0
    assert weigh_setting(places, join_named_setting(KIND)) == 0


def test_the_oldest_of_a_full_place_go():
    named, many = join_named_setting(KIND), [join_setting(KIND, 1 + at) for at in range(20)]
    assert list_superfluous([named, *many]) == many[:4]
