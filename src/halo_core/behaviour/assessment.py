"""How far an action deviates from what is usual for its identity: in volume, drift, first times, and altogether.

`assess` is pure and reads memory only. It judges what the action itself adds: a limit that was passed before does not
stop an action that adds nothing to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from halo_core.behaviour.attempts import NO_ATTEMPTS
from halo_core.behaviour.axes import ALARM, MAX_SHARE, PARTS, VOLUMES, Axis, combine_parts, join_doubts
from halo_core.behaviour.event import (
    BehaviourEvent,
    fingerprint_text,
    is_accounted_for,
    is_led_by_request,
    is_plain,
    is_wholly_requested,
    shorten_fingerprint,
)
from halo_core.behaviour.first_times import (
    NOVELTY_ID,
    alarm_at_new_ways,
    find_first_times,
    grade_first_times,
    is_new_plain_work,
    name_novelty,
)
from halo_core.behaviour.limit_steps import AMOUNT_IDS, AMOUNT_SERIES
from halo_core.behaviour.limits import SHIPPED_PRIOR, RolePrior
from halo_core.behaviour.measures import COUNT, INDEX, LISTABLE, MEASURES, MUCH_WORK, WINDOWED, describe_excess
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.seen import SeenKind
from halo_core.behaviour.session_drift import SessionDrift
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.tenant import TenantProfile
from halo_core.behaviour.watched_drift import list_moved
from halo_core.quick_dataclass import dataclass

MAX_AXES: Final = 16  # of one assessment
QUIET_NOVELTY: Final = 250
"""Novelty (0..1000) below which an action is quiet."""
_MAX_DRIFT_PART: Final = 700
"""The most that drift adds to a part, in thousandths. An agent that works differently without anything new may read."""
_ALARM_PART: Final = 400
"""What an axis that has just reached an alarm adds to its part, in thousandths."""
_WINDOW_OF: Final = {at: COUNT + which for which, at in enumerate(WINDOWED)}
"""Index of a measure → index, among the limits, of its sum over recent sessions."""
_FIRST_TIMES, _NOVELTY, _SESSION_RISK = INDEX["first_times"], INDEX[NOVELTY_ID], INDEX["session_risk"]
_REFUSALS: Final = INDEX["refusals"]
_NEWNESS: Final = frozenset(("first_times", "first_times_recent", NOVELTY_ID))
"""Ids of the axes that count what is new."""
_COUNTS: Final = frozenset(
    INDEX[name]
    for name in "actions reads acts sends payments removals grave tools persons requested destinations labelled_reads "
    "seconds burst amount_sum".split()
)
"""Measures whose limits are doubled for an action all of whose objects the request names."""
_WORK_KINDS: Final = frozenset(
    f"first_{kind.name.lower()}"
    for kind in (SeenKind.TOOL, SeenKind.SYSTEM, SeenKind.GRANT, SeenKind.IMPACT, SeenKind.DESTINATION, SeenKind.UNIT)
) | {"principal_impact", "principal_label", "principal_system", "dormant_grant"}
"""First times that belong to new work, or to work that comes once a quarter. A new host or hour does not."""
_REQUESTED: Final = INDEX["requested"]
_LISTABLE: Final = {INDEX[name]: INDEX[compared] for name, compared in LISTABLE.items() if name != "requested"}
"""`LISTABLE` by index, without the measure that counts the objects which the request names."""
_SPARING_SMALL: Final = frozenset(INDEX[name] for name in ("actions", "acts", "objects", "persons", "sends"))
"""Measures of work. Their sums over recent sessions hold up no session that adds at most its share of the limit."""
_UNRELATED: Final = INDEX["unrelated"]
_STRANGE: Final = frozenset(
    INDEX[name] for name in ("unrelated", "unrelated_acts", "unrelated_payments", "outside", "bytes_out", "strangers")
)
"""Measures of what the request does not account for: their limits follow the risk that alarms of past sessions left."""
_STRANGE_BITS: Final = sum(1 << at for at in _STRANGE)
_HOLDING_AXES: Final = frozenset(
    "object_spread unrelated unrelated_recent tenant_unrelated_recent strangers strangers_recent "
    "tenant_strangers_recent".split()
)
"""Ids of axes after whose alarm a session may touch no further unrelated object until a person allows it."""
_LEAST_NARROWING_RISK: Final = 300
"""Carried risk (0..1000) from which limits are narrowed."""
_ASKED_ONLY: Final = frozenset(("requested", "narrowed", "slight"))
"""Kinds of axes that are asked about and leave no risk."""
_COUNTED_ONCE: Final = frozenset(("much", "slight"))
"""Kinds of axes that count once in a session."""
_SLIGHT: Final = 1500
"""Share of the identity's own limit, in thousandths, below which work beyond a limit is slight."""
_LABELLED_READS: Final = INDEX["labelled_reads"]
_STRANGERS: Final = INDEX["strangers"]
_SCOPE_MEASURES: Final = frozenset(
    "unrelated unrelated_acts unrelated_payments persons outside destinations bytes_out labelled_reads labelled_bytes "
    "amount_sum amount_largest hand_offs strangers".split()
)
"""Measures whose axes count for the part `scope`; those of all others count for `behaviour`."""


@dataclass(frozen=True, slots=True)
class BehaviourAssessment:
    """How far an action, with its session and the sessions before, is from what is usual.

    Args:
        volume: largest share of a limit that this action adds to, in thousandths; from 1000 on the limit is passed.
        drift: share of a drift alarm, in thousandths: over sessions, or of the session's e-process.
        behaviour: 0..1000, how unusual the work is: limits, drift, tools.
        entitlement: 0..1000, how unusual the rights are: never used, or long unused.
        context: 0..1000, how unusual hour, host, program and system are.
        scope: 0..1000, how far the action is from the request and the purpose.
        unusual: 0..1000, the four parts combined.
        agent_risk: 0..1000, carried from past sessions.
        axes: what deviates, the strongest first.
        first_times: number of things done for the first time.
        novelty: 0..1000, the part of `unusual` that first times make.
    """

    volume: int = 0
    drift: int = 0
    behaviour: int = 0
    entitlement: int = 0
    context: int = 0
    scope: int = 0
    unusual: int = 0
    agent_risk: int = 0
    axes: tuple[Axis, ...] = ()
    first_times: int = 0
    novelty: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether nothing deviates and nothing is carried: compiled plans may decide."""
        return self.volume < ALARM and self.drift < ALARM and self.novelty < QUIET_NOVELTY and self.agent_risk == 0

    @property
    def is_notable(self) -> bool:
        """Whether the session's tally has to keep them (`SessionTally.with_findings`)."""
        return bool(self.axes)

    @property
    def alarms(self) -> tuple[Axis, ...]:
        """Axes that are alarms."""
        return tuple(axis for axis in self.axes if axis.is_alarm)

    @property
    def alarm_shares(self) -> Iterable[tuple[str, int]]:
        """Ids of axes that are alarms, with their shares; a share below an alarm's leaves no carried risk.

        Axes of the kinds `requested`, `narrowed` and `slight` get a share below an alarm's: they only raise a question.
        """
        return [(axis.id, ALARM - 1 if axis.kind in _ASKED_ONLY else axis.share) for axis in self.alarms]

    @property
    def counted_once(self) -> frozenset[str]:
        """Ids of axes that count once in a session, however many of its calls raise them."""
        return frozenset([axis.id for axis in self.axes if axis.kind in _COUNTED_ONCE])

    @property
    def parts(self) -> dict[str, int]:
        """The four parts by name."""
        return {name: getattr(self, name) for name in PARTS}

    def to_plain(self) -> dict[str, Any]:
        """Canonical tree, without what is at its default."""
        members: dict[str, Any] = {name: number for name in _NUMBERS if (number := getattr(self, name))}
        if self.axes:
            members["axes"] = [axis.to_plain() for axis in self.axes]
        return members

    @classmethod
    def from_plain(cls, members: Mapping[str, Any]) -> BehaviourAssessment:
        """Inverse of `to_plain`."""
        return cls(**{**members, "axes": tuple(map(Axis.from_plain, members.get("axes", ())))})


_NUMBERS: Final = ("volume", "drift", *PARTS, "unusual", "agent_risk", "first_times", "novelty")


def assess(
    profile: IdentityProfile,
    tally: SessionTally,
    event: BehaviourEvent,
    *,
    prior: RolePrior = SHIPPED_PRIOR,
    tenant: TenantProfile | None = None,
    beside: Sequence[int] = (),
) -> BehaviourAssessment:
    """Assess an action before it is decided.

    Args:
        profile: profile of the agent.
        tally: tally of its session, just advanced by this event.
        event: the action.
        prior: limits of its role, while the profile has little history.
        tenant: profile of the tenant, for what is spread over agents.
        beside: sum of each measure over the agent's other open sessions, which count like recent ones.
    """
    first_axes, first_times = find_first_times(profile, tally, event, tenant)
    agent_risk = profile.carried.risk_for(tally.principal) if profile.carried.alarms else 0
    novelty = combine_parts(grade_first_times(first_axes)) if first_axes else 0
    is_plain_new_work = bool(first_axes) and is_new_plain_work(first_axes, event)
    volume, axes = _compare_volumes(
        profile,
        tally,
        prior,
        beside=beside,
        new_values=(0, 0) if is_plain_new_work else (first_times, novelty),
        is_requested=is_wholly_requested(event),
        is_led=is_led_by_request(event),
        agent_risk=agent_risk,
        amounts=_find_usual_amounts(profile, event, tenant) if event.amount and profile.has_hardly_paid else {},
    )
    if first_axes and not any(axis.id == NOVELTY_ID for axis in axes):
        first_axes = alarm_at_new_ways(first_axes, tally, event)
    volume = max([volume, *(axis.share for axis in first_axes if axis.kind == "volume")])
    if (axes or first_axes) and is_accounted_for(event) and all(axis.id in _WORK_KINDS for axis in first_axes):
        axes, first_axes = _mark_requested(profile, axes, first_axes)
    risk_share, risk_axes = _compare_session_risk(profile, tally, prior)
    if tenant is not None:
        tenant_volume, tenant_axes = _compare_tenant(tenant, tally, event, agent_risk)
        volume, axes = max(volume, tenant_volume), axes + tenant_axes
    surprise = _find_surprise(event)
    is_exposed = bool(tally.at_exposure)
    drift = max(profile.drift_of(is_exposed=is_exposed, principal=tally.principal), surprise, risk_share)
    axes += risk_axes
    if not axes and not first_axes and drift < ALARM:
        return BehaviourAssessment(volume=volume, drift=drift, agent_risk=agent_risk)
    axes = [name_novelty(axis, first_axes) for axis in axes] + first_axes
    if drift >= ALARM:
        axes += _list_drift_axes(profile.drifts_for(tally.principal, is_exposed=is_exposed), surprise)
    return _make_assessment(
        axes, first_axes, volume=volume, drift=drift, agent_risk=agent_risk, first_times=first_times, novelty=novelty
    )


def _find_surprise(event: BehaviourEvent) -> int:
    """Share of its alarm that the session's e-process has reached, in thousandths; 0 for plain work on a request.

    The request may lead to many actions, such as one for each entry of a list. These are one thing to do, so they are
    no evidence beside each other. An action that the request does not lead to is judged with all of them.
    """
    return 0 if is_led_by_request(event) and is_plain(event) else event.surprise


def _make_assessment(
    axes: list[Axis],
    first_axes: list[Axis],
    *,
    volume: int,
    drift: int,
    agent_risk: int,
    first_times: int,
    novelty: int,
) -> BehaviourAssessment:
    """Sort the axes, the strongest first, and grade the parts by them; see `BehaviourAssessment` for the numbers."""
    parts = _grade_parts(axes, first_axes, drift)
    axes.sort(key=lambda axis: (axis.kind == "first", -axis.share, axis.id))
    return BehaviourAssessment(
        volume=min(volume, MAX_SHARE),
        drift=drift,
        unusual=combine_parts(parts),
        agent_risk=agent_risk,
        axes=tuple(axes[:MAX_AXES]),
        first_times=first_times,
        novelty=novelty,
        **parts,
    )


def _mark_requested(
    profile: IdentityProfile, axes: list[Axis], first_axes: list[Axis]
) -> tuple[list[Axis], list[Axis]]:
    """The axes and those of first times, as `requested` where the request accounts for what is new."""
    new = _NEWNESS | AMOUNT_IDS if profile.has_hardly_paid else _NEWNESS
    return (
        [replace(axis, kind="requested") if not axis.limit or axis.id in new else axis for axis in axes],
        [replace(axis, kind="requested") if axis.kind == "volume" else axis for axis in first_axes],
    )


def _grade_parts(axes: Iterable[Axis], first_axes: list[Axis], drift: int) -> dict[str, int]:
    """The four parts, in thousandths, by the axes, those of first times, and the drift."""
    parts = grade_first_times(first_axes)
    for axis in axes:
        if axis.kind in VOLUMES or axis.kind in _ASKED_ONLY:
            part = "scope" if _find_measure_id(axis.id) in _SCOPE_MEASURES else "behaviour"
            parts[part] = join_doubts(parts[part], min(_ALARM_PART + (axis.share - ALARM) // 4, ALARM))
    if drift >= ALARM:
        parts["behaviour"] = join_doubts(parts["behaviour"], min(drift // 2, _MAX_DRIFT_PART))
    return parts


def _compare_volumes(
    profile: IdentityProfile,
    tally: SessionTally,
    prior: RolePrior,
    *,
    beside: Sequence[int],
    new_values: tuple[int, int],
    is_requested: bool,
    is_led: bool,
    agent_risk: int,
    amounts: Mapping[int, int],
) -> tuple[int, list[Axis]]:
    """Compare what the action adds to with the limits: of the session, and of the window of recent sessions.

    Args:
        profile: see `assess`, as are `tally`, `prior` and `beside`.
        tally: see `profile`.
        prior: see `profile`.
        beside: see `profile`.
        new_values: what the action adds to `first_times`, and its `novelty`, as far as they count.
        is_requested: the request names each object of the action.
        is_led: the action is on nothing but what the request names or leads to.
        agent_risk: 0..1000, carried from past sessions.
        amounts: index of a limit of amounts → the limit that a new agent has of its tenant.

    Returns:
        The largest share of a limit, in thousandths, and an axis for each limit that was passed.
    """
    limits, recent, values, axes = profile.limits_with(prior), profile.recent_of(tally), tally.values, []
    limits = tuple([max(limit, amounts.get(at, 0)) for at, limit in enumerate(limits)]) if amounts else limits
    narrower = _list_narrower(profile, tally, limits, agent_risk)
    raised, allowed, volume = tally.raised & ~(1 << _SESSION_RISK), dict(tally.allowances), 0
    if any(new_values):
        values, raised = _add_new_values(values, raised, *new_values)
    tried = tally.strangers_tried if tally.attempts is not NO_ATTEMPTS else 0
    while raised:
        at = (raised & -raised).bit_length() - 1  # the first measure that is left
        raised &= raised - 1
        is_counted = (is_requested and at in _COUNTS) or (is_led and _is_listed(at, values))
        doublings = allowed.get(at, 0) + (is_counted or (is_led and at in MUCH_WORK))
        in_open_sessions = values[at] + (beside[at] if beside else 0)
        compared = [(at, values[at])]  # indexes of limits: that of the session, and that of the window
        if (window := _WINDOW_OF.get(at)) is not None:
            compared.append((window, in_open_sessions + recent[window - COUNT]))
        for place, value in compared:
            limit = min(limits[place], narrower.get(place, limits[place])) << doublings
            reached = _count_tries(value, tried, limit) if tried and at == _STRANGERS else value
            share = _find_share(reached, limit)
            if place in AMOUNT_SERIES and profile.has_hardly_paid:
                share = min(share, ALARM)  # any amount is an alarm, so how large it is says nothing
            if place == window:
                projected = in_open_sessions * profile.window
                share = _spare_small_session(share, at, projected, limit >> doublings, agent_risk)
            if share >= ALARM:
                axis = _make_volume_axis(place, reached, share, limit, is_requested=is_counted)
                if agent_risk >= _LEAST_NARROWING_RISK:
                    without_risk = _list_narrower(profile, tally, limits, 0).get(place, limits[place])
                    axis = _mark_narrowed(axis, min(limits[place], without_risk) << doublings)
                own_limits = (limits[place] << doublings, limits[at] << doublings)
                axes.append(_grade_work(axis, at, tally, own_limits, is_led=is_led))
            volume = max(volume, share)
    return volume, axes


def _find_share(value: int, limit: int) -> int:
    """The share that a value has of its limit, in thousandths; an alarm from one more than the limit on."""
    return value * ALARM // (limit + 1) if limit else min(value, 1) * ALARM


def _add_new_values(
    values: tuple[int, ...], raised: int, first_times: int, novelty: int
) -> tuple[tuple[int, ...], int]:
    """Add what is new in an action to the values of the measures, and to the set of measures that it adds to."""
    added = list(values)
    if first_times:
        added[_FIRST_TIMES] += first_times
        raised |= 1 << _FIRST_TIMES
    if novelty:
        added[_NOVELTY] = novelty
        raised |= 1 << _NOVELTY
    return tuple(added), raised


def _is_listed(at: int, values: Sequence[int]) -> bool:
    """Whether the request names at least as many objects, one by one, as the session counts of a measure.

    INVARIANT: untrusted content cannot lengthen the list. Only the user's words make an object a requested one.
    """
    return at in _LISTABLE and values[_LISTABLE[at]] <= values[_REQUESTED]


def _spare_small_session(share: int, at: int, projected: int, limit: int, agent_risk: int) -> int:
    """Return the share that a sum over recent sessions has of its limit; no alarm for a session that adds little.

    A session adds little if the sum would stay within its limit if all sessions were like this one.

    INVARIANT: such sessions alone never bring the sum beyond its limit. Larger sessions, which are compared with the
    limit, must have done that before. So a sum reaches at most twice its limit.

    Args:
        share: share of the limit, in thousandths.
        at: index of the measure.
        projected: what the sum would be if all sessions were like this one.
        limit: limit of the sum.
        agent_risk: 0..1000, carried from past sessions. If it is high, no session is spared.
    """
    is_spared = at in _SPARING_SMALL and projected <= limit and agent_risk < _LEAST_NARROWING_RISK
    return min(share, ALARM - 1) if is_spared else share


def _mark_narrowed(axis: Axis, limit_without_risk: int) -> Axis:
    """The axis, as `narrowed` if it is an alarm only because of the risk of earlier alarms.

    INVARIANT: such an alarm adds no risk. Otherwise it would keep up the risk that causes it.
    """
    return replace(axis, kind="narrowed") if axis.value <= limit_without_risk else axis


def _find_usual_amounts(
    profile: IdentityProfile, event: BehaviourEvent, tenant: TenantProfile | None
) -> Mapping[int, int]:
    """Index of a limit of amounts → the tenant's limit, for a new agent that has hardly paid.

    INVARIANT: they hold only for a payment that the request accounts for, before any untrusted content, with a grant
    that agents of the tenant use as a rule. For other payments the limit begins at nothing.
    """
    if tenant is None or profile.is_mature or not is_led_by_request(event):
        return {}
    usual, grant = tenant.identity, fingerprint_text(event.resource)
    if not usual.is_mature or usual.has_hardly_paid or usual.known[SeenKind.GRANT].weigh(SeenKind.GRANT, grant):
        return {}
    limits = usual.limits_with(SHIPPED_PRIOR)
    return {place: limits[place] for place in AMOUNT_SERIES}


def _count_tries(value: int, tried: int, limit: int) -> int:
    """What a session has reached of `strangers`, with the records that it asked for and was refused.

    INVARIANT: an attempt counts as much as a read. Beyond the limit nothing runs, so attempts would not be measured.
    Attempts bring the sum to one more than the limit at most, since each of them raises an alarm of its own.
    """
    return max(value, min(value + tried, limit + 1))


def _grade_work(axis: Axis, at: int, tally: SessionTally, limits: tuple[int, int], *, is_led: bool = False) -> Axis:
    """The axis of a measure; if it measures the amount of work, of the kind `slight` or `much`.

    The kind depends on all that the session has attempted, compared with limits that nothing has narrowed.

    Args:
        axis: axis of the measure.
        at: index of the measure.
        tally: tally of the session.
        limits: the identity's limit of what the axis measures, and its limit for one session.
        is_led: the action is on nothing but what the request names or leads to.
    """
    if axis.kind != "volume" or not (at in MUCH_WORK or (is_led and at in _LISTABLE)):
        return axis
    attempted, (limit, session_limit) = tally.attempted[at], limits
    tried = (axis.value + attempted - tally.values[at]) * ALARM // (limit + 1)
    if at == _LABELLED_READS:
        tried = max(tried, attempted * ALARM // (session_limit + 1))
    if tried < _SLIGHT:
        return replace(axis, kind="slight")
    return replace(
        axis, kind="much", share=min(max(axis.share, tried), MAX_SHARE) if at == _LABELLED_READS else axis.share
    )


def _list_narrower(
    profile: IdentityProfile, tally: SessionTally, limits: Sequence[int], agent_risk: int
) -> Mapping[int, int]:
    """Limits that are at present narrower than the identity's own: index of the limit → narrower limit."""
    narrower = profile.narrowed_limits(is_exposed=bool(tally.at_exposure), principal=tally.principal)
    if not tally.raised & _STRANGE_BITS:
        return narrower
    narrower, allowed = dict(narrower), [at for at, _ in tally.allowances]
    for place, limit in profile.narrowed_by_habit.items():
        if limit or place not in allowed:
            narrower[place] = min(limit, narrower.get(place, limit))
    if agent_risk >= _LEAST_NARROWING_RISK:
        for at in _STRANGE:
            for place in (at, _WINDOW_OF[at]):
                narrower[place] = _narrow_by_risk(min(limits[place], narrower.get(place, limits[place])), agent_risk)
    # A session that was stopped at an unrelated record does not go on with others: the next one is beyond the limit.
    is_on_hold = any(alarm.axis in _HOLDING_AXES and alarm.share >= ALARM for alarm in tally.open_alarms)
    if is_on_hold and _UNRELATED not in allowed:
        narrower[_UNRELATED] = min(narrower.get(_UNRELATED, MAX_SHARE), tally.values[_UNRELATED] - 1)
    return narrower


def _narrow_by_risk(limit: int, agent_risk: int) -> int:
    """A limit under the risk that alarms of past sessions left: an eighth of it under the largest, at least 1."""
    return max(limit * (8_000 - 7 * agent_risk) // 8_000, min(limit, 1))


def _compare_session_risk(profile: IdentityProfile, tally: SessionTally, prior: RolePrior) -> tuple[int, list[Axis]]:
    """Share of the identity's own limit that the session's risk has reached, if this action raised it, and an axis.

    A risk is not an amount, so it counts as drift: acts are asked about, reads are watched.
    """
    if not tally.raised >> _SESSION_RISK & 1:
        return 0, []
    value, limit = tally.values[_SESSION_RISK], profile.limits_with(prior)[_SESSION_RISK]
    share = value * ALARM // (limit + 1)
    if share < ALARM:
        return share, []
    words = describe_excess(MEASURES[_SESSION_RISK], value, limit, is_recent=False, who="it")
    return share, [Axis("session_risk", value, limit, words, min(share, MAX_SHARE), "drift")]


def _make_volume_axis(
    at: int, value: int, share: int, limit: int, *, tenant: bool = False, is_requested: bool = False
) -> Axis:
    is_recent = at >= COUNT
    number = WINDOWED[at - COUNT] if is_recent else at
    measure = MEASURES[number]
    name = f"{measure.id}_recent" if is_recent else measure.id
    who = "the tenant's agents" if tenant else "it"
    words = describe_excess(measure, value, limit, is_recent=is_recent, who=who)
    kind = "requested" if is_requested else "volume"
    return Axis(f"tenant_{name}" if tenant else name, value, limit, words, min(share, MAX_SHARE), kind)


def _compare_tenant(
    tenant: TenantProfile, tally: SessionTally, event: BehaviourEvent, agent_risk: int
) -> tuple[int, list[Axis]]:
    """Compare the sums of all agents of the tenant: of each measure, and of the sessions that touched one object.

    Returns:
        The largest share of a limit, in thousandths, and an axis for each limit that was passed.
    """
    volume, axes = 0, []
    unrelated = [shorten_fingerprint(item.fingerprint) & 2**32 - 1 for item in event.objects if not item.is_related]
    if unrelated:
        folded = tally.folded.unrelated if tally.folded is not None else ()
        touches = tenant.count_touches(unrelated, folded=folded)
        limit = tenant.record_limit if event.labels else tenant.touch_limit
        volume = touches * ALARM // (limit + 1)
        if volume >= ALARM:
            words = f"{touches} recent sessions touched an object that their requests have nothing to do with"
            axes.append(Axis("object_spread", touches, limit, f"{words}; usual are at most {limit}", volume))
    profile, allowed = tenant.identity, dict(tally.allowances)
    if not profile.has_settled_windows:
        return volume, axes
    limits, recent, narrower = profile.limits_with(SHIPPED_PRIOR), profile.recent_of(tally), profile.narrowed_by_habit
    for at, window in _WINDOW_OF.items():
        if tally.raised >> at & 1:
            limit = min(limits[window], narrower.get(window, limits[window])) << allowed.get(at, 0)
            value = recent[window - COUNT] + tally.values[at]
            value = _count_tries(value, tally.strangers_tried, limit) if at == _STRANGERS else value
            share = _find_share(value, limit)
            share = _spare_small_session(share, at, tally.values[at] * profile.window, limit, agent_risk)
            if share >= ALARM:
                axis = _make_volume_axis(window, value, share, limit, tenant=True)
                own = limits[window] << allowed.get(at, 0)
                axes.append(_grade_work(axis, at, tally, (own, own)))
            volume = max(volume, share)
    return volume, axes


def find_refusals(profile: IdentityProfile, tally: SessionTally, prior: RolePrior) -> tuple[Axis, ...]:
    """An axis for each limit of refusals that unanswered questions pass, of this session and of recent ones.

    They are for the alert alone, which shows an agent that tries again and again: its calls are asked about anyway.
    """
    value, limits = tally.values[_REFUSALS] + tally.questions.weight, profile.limits_with(prior)
    allowed = dict(tally.allowances).get(_REFUSALS, 0)
    place = _WINDOW_OF[_REFUSALS]
    axes: list[Axis] = []
    for at, number in ((_REFUSALS, value), (place, value + profile.recent_of(tally)[place - COUNT])):
        limit = limits[at] << allowed
        share = number * ALARM // (limit + 1)
        if share >= ALARM:
            axes.append(_make_volume_axis(at, number, share, limit))
    return tuple(axes)


def _find_measure_id(axis: str) -> str:
    """The id of the measure that an axis compares."""
    return axis.removeprefix("tenant_").removesuffix("_recent").replace("object_spread", "unrelated")


def _list_drift_axes(drifts: Sequence[SessionDrift], surprise: int) -> list[Axis]:
    """An axis for each drift that is an alarm: of habits, of a measure, and within the session."""
    axes = []
    share = max((drift.habits.share for drift in drifts), default=0)
    if share >= ALARM:
        words = "over its last sessions it goes about the same requests in another way than before"
        axes.append(Axis("habits", share, ALARM, words, share, "drift"))
    for name, moved in list_moved(drifts):
        if abs(moved) >= ALARM:
            measure, change = MEASURES[INDEX[name]], "more" if moved > 0 else "less"
            words = f"over its last sessions it {measure.verb} {change} than before: {measure.noun or measure.unit}"
            axes.append(Axis(f"{name}_trend", abs(moved), ALARM, words, abs(moved), "drift"))
    if surprise >= ALARM:
        words = "the actions of this session are unlikely, taken together"
        axes.append(Axis("surprise", surprise, ALARM, words, surprise, "drift"))
    return axes
