"""What is usual for a tenant: all its agents' sessions, and objects that many sessions touch without a reason.

Somebody who spreads a theft over many agents and short sessions stays below each agent's limits; the tenant's windows
and the count of sessions for each object do not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final

from halo_core.behaviour.attempts import NO_ATTEMPTS
from halo_core.behaviour.carried import TEACHING, SessionVerdict, has_taught
from halo_core.behaviour.counting import MASK_32, UNRELATED_SAMPLE
from halo_core.behaviour.event import BehaviourEvent, TouchedObject, shorten_fingerprint
from halo_core.behaviour.known import day_of
from halo_core.behaviour.limits import (
    FINE,
    Histogram,
    add_to_histogram,
    estimate_limit,
    move_limit,
    remove_from_histogram,
)
from halo_core.behaviour.measures import MAX_LEVEL, from_level, to_level
from halo_core.behaviour.packing import NumberReader, pack_numbers, profile_error
from halo_core.behaviour.profile import MAX_PROFILE_BYTES, IdentityProfile
from halo_core.behaviour.profile_forms import FOLD_FORM
from halo_core.behaviour.tally import SessionTally
from halo_core.model import Impact

_READ: Final = Impact.READ.value
_FORM: Final = b"halo-tenant-1\n"
_MAX_OBJECTS: Final = 512
_MAX_BINS: Final = 64
_UNIT: Final = 64
_DECAY: Final = 64
TENANT_WINDOW: Final = 64
"""Sessions of all agents that a tenant's windows reach back."""
TOUCH_FLOOR: Final = 3
"""Recent sessions that may touch one object without its having to do with their requests."""
_GENEROUS_TOUCHES: Final = 16
_RECORD_SLACK: Final = 16
"""Levels (a factor of two) that the limit of labelled records lies at most above the largest ordinary number."""
_TOUCH_FLOOR_LEVEL: Final = to_level(TOUCH_FLOOR) * FINE


@dataclass(frozen=True)
class TenantProfile:
    """Profile of a tenant.

    Args:
        identity: windows over the sessions of all its agents.
        objects: fingerprint (32 bits) → sessions that touched the object as unrelated, decayed, in 1/64.
        touches: sessions by level of the largest such number among their objects.
        touch_level: limit of that number, in 64ths of an octave.
        day: of the last session that it learnt from, and
        day_level: its limit at the start of that day.
        records: as `touches`, of objects that were touched with labelled data, which `touches` leaves out.
        record_level: the limit of these, likewise.
        led_by_none: fingerprint of an object → number of the last session without untrusted content that touched it as
            unrelated.
    """

    identity: IdentityProfile = field(default_factory=lambda: IdentityProfile(window=TENANT_WINDOW))
    objects: dict[int, int] = field(default_factory=dict)
    touches: Histogram = ()
    touch_level: int = _TOUCH_FLOOR_LEVEL
    day: int = 0
    day_level: int = _TOUCH_FLOOR_LEVEL
    records: Histogram = ()
    record_level: int = _TOUCH_FLOOR_LEVEL
    led_by_none: dict[int, int] = field(default_factory=dict)

    def as_form(self, form: str) -> TenantProfile:
        """See `IdentityProfile.as_form`."""
        return self if self.identity.form == form else replace(self, identity=self.identity.as_form(form))

    def fold(self, tally: SessionTally, *, verdict: SessionVerdict) -> TenantProfile:
        """The profile after a session of one of its agents has ended."""
        if tally.is_empty and tally.attempts is not NO_ATTEMPTS:
            # What was only tried has touched nothing, and makes nothing that was touched older.
            return replace(self, identity=self.identity.fold(tally, verdict=verdict))
        part = tally.folded
        touched = sorted(tally.samples[UNRELATED_SAMPLE] - (part.unrelated if part is not None else frozenset()))
        objects = dict(self.objects)
        if part is None:
            objects = {number: count - count // _DECAY for number, count in objects.items()}
        for number in touched:
            objects[number] = objects.get(number, 0) + _UNIT
        if len(objects) > _MAX_OBJECTS:
            # Those touched in this session last, so that many new ones do not push out what adds up.
            ranked = sorted(objects, key=lambda number: (-objects[number], number))[:_MAX_OBJECTS]
            objects = {number: objects[number] for number in ranked}
        led_by_none = self._remember_unled(tally, touched)
        identity = self.identity.fold(tally, verdict=verdict)
        after = replace(self, identity=identity, objects=objects, led_by_none=led_by_none)
        if verdict not in TEACHING or has_taught(tally):
            return after
        after = _learn_records(after, tally, verdict)
        touched = [number for number in touched if number not in tally.strangers]
        touches, day = add_to_histogram(self.touches, to_level(self.count_touches(touched))), day_of(tally.first_us)
        day_level = self.touch_level if day > self.day else self.day_level
        day = max(day, self.day)
        target = max(estimate_limit(touches) * FINE, _TOUCH_FLOOR_LEVEL)
        is_mature, cleared = self.identity.is_mature, verdict is not SessionVerdict.ORDINARY
        touch_level = move_limit(self.touch_level, target, day_level, cleared=cleared) if is_mature else target
        return replace(after, touches=touches, touch_level=touch_level, day=day, day_level=day_level)

    def _remember_unled(self, tally: SessionTally, touched: Collection[int]) -> dict[int, int]:
        """`led_by_none` after a session.

        INVARIANT: untrusted content relates no object to a request. What a session stores after reading such content is
        untrusted when it is read again.
        """
        if self.identity.form != FOLD_FORM or tally.at_exposure or not touched:
            return self.led_by_none
        unled = self.led_by_none | dict.fromkeys(touched, self.identity.watched)
        if len(unled) > _MAX_OBJECTS:
            latest = sorted(unled, key=lambda number: (-unled[number], number))[:_MAX_OBJECTS]
            unled = {number: unled[number] for number in latest}
        return unled

    def relate(self, event: BehaviourEvent) -> BehaviourEvent:
        """The event; an act on what earlier sessions touched without a reason counts as unrelated to the request.

        One session can write a name into a note, and the request of another session can name the note. So only the
        request's own words relate an act to such an object, neither a note nor a list.
        """
        if event.impact == _READ or not any(map(self._is_led_back, event.objects)):
            return event
        objects = [one._replace(is_related=False) if self._is_led_back(one) else one for one in event.objects]
        return replace(event, objects=tuple(objects))

    def _is_led_back(self, item: TouchedObject) -> bool:
        if item.is_requested or not item.is_related:
            return False
        return shorten_fingerprint(item.fingerprint) & MASK_32 in self.led_by_none

    def judge(self, tally: SessionTally, *, verdict: SessionVerdict, before: SessionVerdict) -> TenantProfile:
        """The profile after a person has judged a session that was folded before; see `IdentityProfile.judge`."""
        after = replace(self, identity=self.identity.relearn(tally, verdict=verdict, before=before))
        if verdict is not SessionVerdict.ATTACK or before not in TEACHING or not self.touches:
            return after
        # How many sessions had touched its objects then is not known any more: no more than at most.
        level = min(to_level(self.count_touches(tally.samples[UNRELATED_SAMPLE])), self.touches[-1][0])
        touches = remove_from_histogram(self.touches, level)
        touch_level = min(self.touch_level, max(estimate_limit(touches) * FINE, _TOUCH_FLOOR_LEVEL))
        after = replace(after, touches=touches, touch_level=touch_level, day_level=min(self.day_level, touch_level))
        if not tally.strangers or not self.records:
            return after
        level = min(to_level(self.count_touches(tally.strangers)), self.records[-1][0])
        records = remove_from_histogram(self.records, level)
        record_level = min(self.record_level, max(estimate_limit(records) * FINE, _TOUCH_FLOOR_LEVEL))
        return replace(after, records=records, record_level=record_level)

    def count_touches(self, numbers: Iterable[int], *, folded: Collection[int] = ()) -> int:
        """The largest number of recent sessions, this one included, that touched one of these objects as unrelated.

        Args:
            numbers: fingerprints of the objects.
            folded: objects that this session had touched before it was folded.
        """
        counts = [(self.objects.get(one, 0) + _UNIT // 2) // _UNIT + (one not in folded) for one in numbers]
        return max(counts, default=0)

    @cached_property
    def touch_limit(self) -> int:
        """Recent sessions that may touch one object as unrelated."""
        return self._limit_touches(self.touch_level)

    @cached_property
    def record_limit(self) -> int:
        """Recent sessions that may touch one object with labelled data as unrelated."""
        return self._limit_touches(self.record_level)

    def _limit_touches(self, level: int) -> int:
        own = from_level(min(level // FINE, MAX_LEVEL))
        return own if self.identity.is_mature else max(own, _GENEROUS_TOUCHES)

    def to_bytes(self) -> bytes:
        """Bytes of at most twice `MAX_PROFILE_BYTES`."""
        numbers = [self.touch_level, self.day, self.day_level, len(self.touches)]
        for level, count in self.touches:
            numbers += (level, count)
        numbers.append(len(self.objects))
        for number, count in sorted(self.objects.items()):
            numbers += (number, count)
        if self.records or self.led_by_none:
            numbers += (self.record_level, len(self.records))
            for level, count in self.records:
                numbers += (level, count)
        if self.led_by_none:
            numbers.append(len(self.led_by_none))
            for number, session in sorted(self.led_by_none.items()):
                numbers += (number, session)
        packed = pack_numbers(_FORM, numbers)
        return len(packed).to_bytes(4) + packed + self.identity.to_bytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> TenantProfile:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes (`bad_profile`).
        """
        if type(data) is not bytes or len(data) < 4:
            raise profile_error("too short")
        size = int.from_bytes(data[:4])
        reader = NumberReader(_FORM, data[4 : 4 + size], max_bytes=MAX_PROFILE_BYTES)
        touch_level, day, day_level = reader.take(0), reader.take(), reader.take(0)
        touches = tuple((reader.take(0, MAX_LEVEL), reader.take(1)) for _ in range(reader.take(0, _MAX_BINS)))
        objects = {reader.take(0, 2**32 - 1): reader.take(0) for _ in range(reader.take(0, _MAX_OBJECTS))}
        record_level, records = _TOUCH_FLOOR_LEVEL, tuple[tuple[int, int], ...]()
        if not reader.is_at_end:
            record_level = reader.take(0)
            records = tuple((reader.take(0, MAX_LEVEL), reader.take(1)) for _ in range(reader.take(0, _MAX_BINS)))
        led_by_none = {}
        if not reader.is_at_end:
            led_by_none = {reader.take(0, MASK_32): reader.take(0) for _ in range(reader.take(1, _MAX_OBJECTS))}
        reader.finish()
        identity = IdentityProfile.from_bytes(data[4 + size :])
        tenant = cls(identity, objects, touches, touch_level, day, day_level, records, record_level, led_by_none)
        if tenant.to_bytes() != data:
            raise profile_error("not what was written")
        return tenant


def _learn_records(profile: TenantProfile, tally: SessionTally, verdict: SessionVerdict) -> TenantProfile:
    """The profile after a session that touched records with labelled data, if it did."""
    if not tally.strangers:
        return profile
    level = to_level(profile.count_touches(tally.strangers, folded=tally.strangers))
    records = add_to_histogram(profile.records, level)
    # Few sessions do so: a tail that they leave open would hide whoever does it again and again.
    target = max(min(estimate_limit(records), records[-1][0] + _RECORD_SLACK) * FINE, _TOUCH_FLOOR_LEVEL)
    if profile.identity.is_mature:
        is_cleared = verdict is not SessionVerdict.ORDINARY
        target = move_limit(profile.record_level, target, profile.record_level, cleared=is_cleared)
    return replace(profile, records=records, record_level=target)
