"""First times: what an identity does that it never did before, at all or for the person it acts for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from halo_core.behaviour.axes import ALARM, MAX_SHARE, PARTS, Axis, join_doubts
from halo_core.behaviour.event import (
    BehaviourEvent,
    fingerprint_text,
    is_led_by_request,
    is_note_about_nobody,
    shorten_fingerprint,
)
from halo_core.behaviour.known import DORMANT_DAYS, DORMANT_SESSIONS, TERMS, day_of, is_dormant
from halo_core.behaviour.measures import INDEX, MEASURES, describe_value
from halo_core.behaviour.principals import MOST_OF_GRAVE, PrincipalHabits, find_hour_factor, find_near_hours, pack_hours
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.seen import SeenKind, group_seen, hour_of, split_seen
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tenant import TenantProfile
from halo_core.durations import HOUR_US
from halo_core.model import Impact

NOVELTY_ID: Final = "novelty"
_BITS_OF_CERTAINTY: Final = 160  # sixteenths of a bit of evidence that make a part 1000
_MIN_SESSIONS: Final = 20
"""Sessions that a profile needs before something new counts."""
_DORMANT_SHARES: Final = {Impact.READ.value: 300, Impact.WRITE.value: 500}
_GRAVE_DORMANT_SHARE: Final = 900
_VOUCHED_DIVISOR: Final = 4
_PART_OF_KIND: Final = {
    SeenKind.TOOL: "behaviour",
    SeenKind.SYSTEM: "context",
    SeenKind.LABEL: "scope",
    SeenKind.DESTINATION: "scope",
    SeenKind.HOST: "context",
    SeenKind.PROCESS: "context",
    SeenKind.HOUR: "context",
    SeenKind.HAND_OFF: "scope",
    SeenKind.GRANT: "entitlement",
    SeenKind.PROGRAM: "context",
    SeenKind.UNIT: "scope",
    SeenKind.IMPACT: "entitlement",
    SeenKind.WORD: "scope",
    SeenKind.SETTING: "scope",
    SeenKind.LEAK: "scope",
}
_ONE_CHANGE: Final = {SeenKind.PROCESS: SeenKind.HOST, SeenKind.IMPACT: SeenKind.GRANT}
"""Kinds that are evidence of the same thing: of each pair only the stronger counts."""
_PRINCIPAL_WORDS: Final = {
    SeenKind.SYSTEM: "it reaches a system that it never reached for whom it acts",
    SeenKind.LABEL: "it touches data of a kind that it never touched for whom it acts",
    SeenKind.IMPACT: "it does a class of action that it never did for whom it acts",
}
_TENANT_WORDS: Final = "it uses a grant that no agent of the tenant ever used"
_COMPARED_WITH_TENANT: Final = frozenset((SeenKind.GRANT, SeenKind.SYSTEM, SeenKind.IMPACT))
_NEW_WAYS: Final = frozenset(("first_tool", "first_system", "first_grant"))
_NEVER_LEAVES: Final = frozenset((Impact.READ.value, Impact.WRITE.value))
_IRREVERSIBLE: Final = frozenset((Impact.DELETE.value, Impact.ADMIN.value))
_LEAST_OF_GRAVE: Final = 250
"""Share of a first time (two and a half bits of four) from which on a class of action should have occurred by now."""
_MOST_OF_HOUR: Final = 128
_ALARM_OF_HOUR: Final = 96
"""Sixteenths of a bit from which on an hour is an alarm by itself."""
_MOST_SHARE: Final = _MOST_OF_HOUR * ALARM // _BITS_OF_CERTAINTY
_HOUR_ID: Final = "principal_hour"
_IMPACT_ID: Final = "principal_impact"
_NIGHT: Final = 4
"""Least factor (`principals.find_hour_factor`) of a strange hour of somebody new, whose overtime is not known."""
_AMOUNT_ID: Final = "principal_amount"
_SETTING_ID: Final = "first_setting"
_LEAK_ID: Final = "first_leak"
_ALARM_OF_SETTING: Final = 64
"""Sixteenths of a bit from which on a value that nobody named is an alarm by itself."""
_ALARM_OF_LEAK: Final = 80
"""Sixteenths of a bit from which on a message that tells of a stranger is an alarm: fewer than 1 in 32 sessions do."""
_MOST_OF_SETTING: Final = 300
"""Largest share of a part that it makes, in thousandths: one new value does not mean that everything is new."""
_AMOUNT: Final = MEASURES[INDEX["amount_largest"]]


def find_first_times(
    profile: IdentityProfile, tally: SessionTally, event: BehaviourEvent, tenant: TenantProfile | None
) -> tuple[list[Axis], int]:
    """What an action shows that is not usual, and how many of these things are new in the session."""
    # Everything that a new agent does is new, so it says little until the agent has limits of its own.
    in_tenant = [] if profile.is_mature else _find_new_ways_in_tenant(profile, tally, event, tenant)
    if profile.sessions < _MIN_SESSIONS:
        return in_tenant, 0
    axes, first_times = _find_own_first_times(profile, tally, event, tenant)
    if in_tenant:
        axes = [*(axis for axis in axes if axis.id != in_tenant[0].id), *in_tenant]
    return axes, first_times


def _find_own_first_times(
    profile: IdentityProfile, tally: SessionTally, event: BehaviourEvent, tenant: TenantProfile | None
) -> tuple[list[Axis], int]:
    """What an action shows that is new to the agent or for its principal, and how many of these things are new now."""
    everybody = profile if tenant is None else tenant.identity
    axes, first_times = _find_strange_circumstances(profile, tally, event, everybody), 0
    usual = profile.usual_for(tally.principal)
    is_new_note = not event.is_exposed and is_note_about_nobody(event)
    for number in tally.last_shown:
        if number in usual:
            continue
        kind, value = split_seen(number)
        if kind in _FINDERS:
            found = _FINDERS[kind](profile, tally, value, everybody)
            axes += [_lower_below_alarm(axis) if kind == SeenKind.SETTING and is_new_note else axis for axis in found]
            continue
        if number in profile.usual_values:
            weight = profile.strange_for(tally.principal)[number]
            axis = _make_principal_axis(SeenKind(kind), weight, _PRINCIPAL_WORDS[SeenKind(kind)])
            axes.append(_raise_alarm(axis, tally) if axis.id == _IMPACT_ID and weight >= MOST_OF_GRAVE else axis)
            continue
        weight = profile.known[kind].weigh(SeenKind(kind), value)
        if kind == SeenKind.DESTINATION:
            weight = _weigh_destination(event, value, weight)
        if weight:
            first_times += number in tally.newly_shown
            name = SeenKind(kind).name.lower()
            share = min(weight * ALARM // _BITS_OF_CERTAINTY, ALARM)
            axes.append(Axis(f"first_{name}", 1, 0, TERMS[kind].words, share, "first"))
    dormant = _find_dormant_grant(profile, event) if event.resource else None
    return [*axes, dormant] if dormant else axes, first_times


def _find_strange_circumstances(
    profile: IdentityProfile, tally: SessionTally, event: BehaviourEvent, everybody: IdentityProfile
) -> list[Axis]:
    """The hour of an action and the amount that it moves, where these are strange."""
    axes = []
    if not everybody.quiet_hours.get(tally.principal, 0) >> event.ts_us // HOUR_US % 24 & 1:
        strange_hour = _find_strange_hour(profile, tally, event, everybody)
        if strange_hour is not None:
            axes.append(strange_hour)
    if event.amount is not None:
        axes += _find_strange_amount(profile, tally, event.amount)
    return axes


def _find_strange_setting(
    profile: IdentityProfile, tally: SessionTally, setting: int, everybody: IdentityProfile
) -> list[Axis]:
    """A value that nobody named, at a place where the identity or its tenant has hardly ever set anything new."""
    known, of_all = profile.known[SeenKind.SETTING], everybody.known[SeenKind.SETTING]
    if setting in of_all.values:
        return []
    weight = max(known.weigh(SeenKind.SETTING, setting), of_all.weigh(SeenKind.SETTING, setting))
    if weight < _ALARM_OF_SETTING:
        return []
    share = min(weight * ALARM // _BITS_OF_CERTAINTY, ALARM)
    axis = Axis(_SETTING_ID, 1, 0, TERMS[SeenKind.SETTING].words, share, "first")
    return [_raise_alarm(axis, tally)]


def _find_leak(profile: IdentityProfile, tally: SessionTally, value: int, everybody: IdentityProfile) -> list[Axis]:
    """A message about somebody whom no request concerns, from an identity that hardly ever sends such messages.

    An agent that never sent one is compared with its whole tenant as well.
    """
    kind = SeenKind.LEAK
    weight = profile.known[kind].weigh(kind, value)
    if value not in profile.known[kind].values:
        weight = max(weight, everybody.known[kind].weigh(kind, value))
    if weight < _ALARM_OF_LEAK:
        return []
    share = min(weight * ALARM // _BITS_OF_CERTAINTY, ALARM)
    return [_raise_alarm(Axis(_LEAK_ID, 1, 0, TERMS[kind].words, share, "first"), tally)]


_FINDERS: Final = {int(SeenKind.SETTING): _find_strange_setting, int(SeenKind.LEAK): _find_leak}
"""Kinds of things that count only where something new of them is an alarm by itself."""


def alarm_at_new_ways(found: list[Axis], tally: SessionTally, event: BehaviourEvent) -> list[Axis]:
    """First times, as alarms if a new grant comes together with something else that is new.

    Such are labelled data from a new system that no request leads to, and a removal or a change of rights, if the
    identity has never done that class of action.
    """
    new = {axis.id for axis in found}
    if "first_grant" not in new:
        return found
    is_asked = any(item.is_related or item.is_requested for item in event.objects)
    is_new_data = event.labels and not is_asked and "first_system" in new
    is_grave = event.impact in _IRREVERSIBLE and any(
        axis.id == "first_impact" and axis.share >= _LEAST_OF_GRAVE for axis in found
    )
    if not is_new_data and not is_grave:
        return found
    return [_raise_alarm(axis, tally) if axis.id == "first_grant" else axis for axis in found]


def is_new_plain_work(first_axes: Iterable[Axis], event: BehaviourEvent) -> bool:
    """Whether the only new thing is the way to read or write what the request leads to, such as a new system.

    False for labelled data, for data that leaves, and for a class of action that was never done.
    """
    is_harmless = event.impact in _NEVER_LEAVES and not (event.labels or event.destinations or event.bytes_out)
    return is_harmless and is_led_by_request(event) and all(axis.id in _NEW_WAYS for axis in first_axes)


def _find_new_ways_in_tenant(
    profile: IdentityProfile, tally: SessionTally, event: BehaviourEvent, tenant: TenantProfile | None
) -> list[Axis]:
    """The alarm of `alarm_at_new_ways` for an agent with little history, compared with its whole tenant.

    It is compared only if it has done something that others do, in this session or before. All work of an agent of
    another trade would be new, which says nothing.
    """
    if tenant is None or not tenant.identity.is_mature or not (event.labels or event.impact in _IRREVERSIBLE):
        return []
    known = tenant.identity.known
    grant, usual = fingerprint_text(event.resource), known[SeenKind.GRANT]
    grants = {*group_seen(tally.seen)[SeenKind.GRANT], *profile.known[SeenKind.GRANT].values} - {grant}
    if not any(usual.weigh(SeenKind.GRANT, one) == 0 for one in grants):
        return []
    axes = []
    for number in tally.last_shown:
        kind = SeenKind(split_seen(number)[0])
        weight = known[kind].weigh(kind, split_seen(number)[1])
        if weight and kind in _COMPARED_WITH_TENANT:
            share = min(weight * ALARM // _BITS_OF_CERTAINTY, ALARM)
            axes.append(Axis(f"first_{kind.name.lower()}", 1, 0, _TENANT_WORDS, share, "first"))
    return [axis for axis in alarm_at_new_ways(axes, tally, event) if axis.kind == "volume"]


def _make_principal_axis(kind: SeenKind, weight: int, words: str) -> Axis:
    share = min(weight * ALARM // _BITS_OF_CERTAINTY, ALARM)
    return Axis(f"principal_{kind.name.lower()}", 1, 0, words, share, "first")


def _find_strange_hour(
    profile: IdentityProfile, tally: SessionTally, event: BehaviourEvent, everybody: IdentityProfile
) -> Axis | None:
    """An hour at which the agent's principal never works; for a new principal, one at which hardly anybody works."""
    if not tally.principal:
        return None
    habits, hour = everybody.principals.find(tally.principal), hour_of(event.ts_us)
    of_agent = profile.known[SeenKind.HOUR].weigh(SeenKind.HOUR, hour)
    if habits.is_known:
        everybody.quiet_hours[tally.principal] = habits.quiet_hours
        weight = habits.weigh_hour(hour)
        if min(find_hour_factor(habits.hours, hour), everybody.principals.find_factor_for_most(hour)) >= _NIGHT:
            weight += weight and of_agent
        words = "it acts at an hour at which it never acted for this person or account"
    else:
        newcomer = everybody.principals.weigh_newcomer(habits)
        factor = _find_newcomer_factor(profile, everybody, habits, hour)
        weight = (of_agent + newcomer) * factor // 2 if newcomer else 0
        words = "it acts for somebody who hardly or never asked it, at an hour at which hardly anybody has it act"
    if not weight:
        return None
    axis = _make_principal_axis(SeenKind.HOUR, min(weight, _MOST_OF_HOUR), words)
    return _raise_alarm(axis, tally) if weight >= _ALARM_OF_HOUR else axis


def _raise_alarm(axis: Axis, tally: SessionTally) -> Axis:
    """A first time as an alarm by itself, unless a person has allowed it in this session."""
    is_cleared = any(one.axis == axis.id and one.is_cleared for one in tally.alarms)
    return axis if is_cleared else replace(axis, share=ALARM, kind="volume")


def _lower_below_alarm(axis: Axis) -> Axis:
    """A first time that is recorded and raises no alarm: a new note about nobody falsifies no record."""
    return replace(axis, share=min(axis.share, _MOST_OF_SETTING), kind="first")


def _find_newcomer_factor(
    profile: IdentityProfile, everybody: IdentityProfile, habits: PrincipalHabits, hour: int
) -> int:
    """How strange an hour is for somebody with little history, in halves; 0 if there is nothing to ask about."""
    if find_near_hours(habits.hours) >> hour & 1:  # seen at it
        return min(find_hour_factor(habits.hours, hour), 1)
    factor = everybody.principals.find_factor_for_most(hour)
    if factor < 0:
        factor = find_hour_factor(pack_hours(profile.known[SeenKind.HOUR]), hour)
    return max(factor, _NIGHT) if factor else 0


def _find_strange_amount(profile: IdentityProfile, tally: SessionTally, amount: int) -> list[Axis]:
    """An amount far above those that the agent has ever moved for this principal."""
    limit, value = profile.principals.find(tally.principal).amount_limit, abs(amount)
    if not limit or value <= limit or any(one.axis == _AMOUNT_ID and one.is_cleared for one in tally.alarms):
        return []
    share = min(value * ALARM // (limit + 1), MAX_SHARE)
    moved, most = describe_value(_AMOUNT, value), describe_value(_AMOUNT, limit)
    return [Axis(_AMOUNT_ID, value, limit, f"it moved {moved} at once; for whom it acts the limit is {most}", share)]


def _find_dormant_grant(profile: IdentityProfile, event: BehaviourEvent) -> Axis | None:
    """The use of a dormant grant: unused for 90 days, or for many sessions if the history is shorter."""
    day, share = day_of(event.ts_us), _DORMANT_SHARES.get(event.impact, _GRAVE_DORMANT_SHARE)
    is_harmless = (event.impact == Impact.READ.value and not event.labels) or is_note_about_nobody(event)
    kind = "first"
    if not is_harmless and any(not item.is_related and not item.is_requested for item in event.objects):
        share, kind = ALARM, "volume"  # an unrelated object, by a grant that nobody uses
    days, sessions = profile.count_idle(event.resource, day)
    if not is_dormant(days, sessions, day - profile.first_day):
        return None
    if days >= DORMANT_DAYS:
        words = f"it uses a grant that it has not used regularly for {days} days"
        return Axis("dormant_grant", days, DORMANT_DAYS, words, share, kind)
    words = f"it uses a grant that it has not used regularly for {sessions} sessions"
    return Axis("dormant_grant", sessions, DORMANT_SESSIONS, words, share, kind)


def _weigh_destination(event: BehaviourEvent, value: int, weight: int) -> int:
    """The weight of a first destination: little if somebody vouches for it, twice if money goes there."""
    is_vouched = any(
        (place.is_own or place.is_vouched) and shorten_fingerprint(place.fingerprint) == value
        for place in event.destinations
    )
    if is_vouched:
        return weight // _VOUCHED_DIVISOR
    return 2 * weight if event.impact == Impact.PAYMENT.value else weight


def name_novelty(axis: Axis, first_axes: Iterable[Axis]) -> Axis:
    """The axis; if it is that of novelty, with words that say what is new."""
    if axis.id != NOVELTY_ID:
        return axis
    ranked = sorted(first_axes, key=lambda item: (-item.share, item.id))[:3]
    return replace(axis, words=f"new all at once: {'; '.join(item.words for item in ranked)}")


def grade_first_times(first_axes: Iterable[Axis]) -> dict[str, int]:
    """The four parts that follow from first times; of kinds that are one change, only the strongest counts."""
    strongest: dict[SeenKind, int] = {}
    for axis in first_axes:
        if axis.id == _AMOUNT_ID:
            continue
        name = axis.id.removeprefix("first_").removeprefix("principal_")
        kind = SeenKind.GRANT if axis.id == "dormant_grant" else SeenKind[name.upper()]
        kind = _ONE_CHANGE.get(kind, kind)
        share = min(axis.share, _MOST_SHARE) if axis.id in (_HOUR_ID, _IMPACT_ID, _LEAK_ID) else axis.share
        share = min(share, _MOST_OF_SETTING) if axis.id == _SETTING_ID else share
        strongest[kind] = max(strongest.get(kind, 0), share)
    parts = dict.fromkeys(PARTS, 0)
    for kind, share in strongest.items():
        parts[_PART_OF_KIND[kind]] = join_doubts(parts[_PART_OF_KIND[kind]], share)
    return parts
