"""What is usual for an identity over its sessions: an agent, a person, a service account, a role or a tenant.

A profile is a pure fold over session tallies: the same sessions in the same order give the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from halo_core.behaviour.carried import TEACHING, CarriedRisk, SessionSummary, SessionVerdict, has_taught
from halo_core.behaviour.known import MAY_BE_UNKNOWN, TERMS, KnownValues, day_of, read_known
from halo_core.behaviour.limit_steps import LimitStep, list_beginning
from halo_core.behaviour.limits import (
    CLIP,
    FINE,
    FLOORS,
    GENEROUS,
    LEAST_SLACK,
    MATURE_SESSIONS,
    MAX_LOOSENESS,
    SERIES,
    WINDOW_SLACK,
    Histogram,
    NarrowLimits,
    add_to_histogram,
    estimate_limit,
    list_histogram,
    read_histogram,
    remove_from_histogram,
    update_looseness,
)
from halo_core.behaviour.measures import COUNT, INDEX, MAX_LEVEL, MEASURES, WINDOWED, level_of
from halo_core.behaviour.packing import NumberReader, pack_numbers, profile_error
from halo_core.behaviour.principals import NO_PRINCIPALS, Principals
from halo_core.behaviour.profile_forms import EARLIER_FORM, FOLD_FORM, TERMS_OF_FORM
from halo_core.behaviour.profile_state import NO_LIMITS, NO_WINDOWS, WINDOW_SESSIONS, WINDOW_UNIT, ProfileState
from halo_core.behaviour.seen import SeenKind, group_seen
from halo_core.behaviour.session_drift import SessionDrift, is_drift_axis
from halo_core.behaviour.tally import SessionTally
from halo_core.behaviour.watched_drift import (
    tells_of_much_work,
    tells_of_strange_work,
    watch_drift,
    watch_drift_as_before,
)

MAX_PROFILE_BYTES: Final = 32_768
_SLOWLY: Final = 4
_SETTLED_SESSIONS: Final = 40
_ACTIONS, _REFUSALS = INDEX["actions"], INDEX["refusals"]
_REFUSALS_WINDOW: Final = WINDOWED.index(_REFUSALS)
_STRANGERS_WINDOW: Final = WINDOWED.index(INDEX["strangers"])
_NEWNESS: Final = tuple(
    at
    for at, measure in enumerate((*MEASURES, *(MEASURES[at] for at in WINDOWED)))
    if measure.id in ("first_times", "novelty")
)


@dataclass(frozen=True)
class IdentityProfile(ProfileState):
    """A profile after an identity's sessions so far; the empty one is that of somebody new."""

    def as_form(self, form: str) -> IdentityProfile:
        """The profile from which sessions are folded as a form does it; a new one begins with any."""
        if self.form == form or (form != FOLD_FORM and self.watched):
            return self
        # What it never counted is not known to be rare: limits begin where those of a new profile do, and fall slowly.
        others, terms = GENEROUS if self.watched else NO_LIMITS, self._terms
        limits, day_limits = (terms.fill(terms.pick(row), others) for row in (self.limits, self.day_limits))
        held_to = TERMS_OF_FORM[form].drift
        drifts = (self.drifts[0].held_to(held_to), SessionDrift().held_to(held_to))
        return replace(self, form=form, drifts=drifts, limits=limits, day_limits=day_limits)

    def fold(
        self, tally: SessionTally, *, verdict: SessionVerdict, summary: SessionSummary | None = None
    ) -> IdentityProfile:
        """The profile after a session has ended.

        Args:
            tally: of the session.
            verdict: what it counts as; only those of `TEACHING` teach, `observed` by clipped values.
            summary: for the carried risk; None for identities that carry none (tenants, roles).
        """
        tally = self._read(tally)
        learns = verdict in TEACHING
        carried = self.carried.after_session(summary) if summary is not None else self.carried
        if tally.is_empty and not tally.attempted[_ACTIONS]:
            return replace(self, carried=carried)
        # INVARIANT: deviation that content explains moves neither windows nor drift. What drifted before is no such.
        is_earlier = self.form == EARLIER_FORM
        alarms = [one for one in tally.open_alarms or tally.alarms if is_earlier or not is_drift_axis(one.axis)]
        is_explained = not learns and bool(alarms) and all(alarm.is_exposed for alarm in alarms)
        # Refusals and what a request accounts for are no strange work: another model would hide its habits behind them.
        strange = alarms if is_earlier else [one for one in alarms if tells_of_strange_work(one.axis, one.share)]
        is_left_out = is_explained and bool(strange)
        # After an alarm that nobody cleared, what adds up hardly fades, so that it does not go on a little at a time.
        every = tally.open_alarms or tally.alarms
        is_much = not is_earlier and bool(every) and all(tells_of_much_work(one.axis, one.share) for one in every)
        fades = self.window if learns or is_explained or is_much else _SLOWLY * self.window
        after = self._watch(tally, verdict, fades=fades, is_explained=is_explained, is_left_out=is_left_out)
        if learns:
            after = after.keep_awake(tally)
        if tally.is_empty:  # what was only tried tells of drift, and of which grants are in use
            windows, exposed_windows = self._add_tries(tally, is_explained=is_explained)
            return replace(
                self,
                drifts=after.drifts,
                known=after.known,
                carried=carried,
                windows=windows,
                exposed_windows=exposed_windows,
            )
        if learns and has_taught(tally):
            after = after.relearn_going_on(tally, before=self, verdict=verdict)
        elif learns:
            after = after.learn(tally, before=self, verdict=verdict)
            if verdict is SessionVerdict.CLEARED and any(is_drift_axis(alarm.axis) for alarm in tally.alarms):
                after = after.restart_drift()
        return after if carried is after.carried else replace(after, carried=carried)

    def _read(self, tally: SessionTally) -> SessionTally:
        """A tally without the measures that the form of the profile does not know."""
        return tally if self.form == FOLD_FORM else tally.without_strangers()

    def judge(self, tally: SessionTally, summary: SessionSummary, *, before: SessionVerdict) -> IdentityProfile:
        """The profile after a person has judged a session that was folded before.

        Args:
            tally: of that session.
            summary: with the verdict: `cleared` teaches what it did not, `attack` takes out what it taught.
            before: the last verdict on it, or how it was folded.
        """
        carried = self.carried.judged(summary)
        return replace(self.relearn(tally, verdict=summary.verdict, before=before), carried=carried)

    def relearn(self, tally: SessionTally, *, verdict: SessionVerdict, before: SessionVerdict) -> IdentityProfile:
        """As `judge`, without the carried risk."""
        if tally.is_empty:
            return self
        tally = self._read(tally)
        learned = before in TEACHING
        if verdict is SessionVerdict.CLEARED:
            teach = self.relearn_going_on if has_taught(tally) else self.learn
            after = self if learned else teach(tally, before=self, verdict=verdict)
            has_drift = any(is_drift_axis(alarm.axis) for alarm in tally.alarms)
            return after.restart_drift() if has_drift else after
        return self._unlearn(tally, before) if learned and verdict is SessionVerdict.ATTACK else self

    def _watch(
        self, tally: SessionTally, verdict: SessionVerdict, *, fades: int, is_explained: bool, is_left_out: bool
    ) -> IdentityProfile:
        """The profile with windows and drift updated, as after every session, ordinary or not.

        Args:
            tally: of the session.
            verdict: what the session counts as.
            fades: sums over recent sessions lose one part in this many.
            is_explained: untrusted content explains all of its alarms.
            is_left_out: likewise, and some of them tell of strange work: drift leaves it out.
        """
        before, part = tally.at_exposure or tally.values, tally.folded
        watch = watch_drift_as_before if self.form == EARLIER_FORM else watch_drift
        windows, exposed_windows = [], []
        for which, at in enumerate(WINDOWED):
            done, window, exposed_window = 0, self.windows[which], self.exposed_windows[which]
            if part is not None:  # what went on is no further session: it adds to what the first part left
                done = part.values[at]
            else:
                window, exposed_window = window * (fades - 1) // fades, exposed_window * (fades - 1) // fades
            after_exposure = tally.values[at] - max(before[at], done)
            if is_explained:  # it adds what the session could take without an alarm, so that an alarm hides nothing
                after_exposure = min(after_exposure, self._mature_limits[at])
            windows.append(window + max(before[at] - done, 0) * WINDOW_UNIT)
            exposed_windows.append(exposed_window + after_exposure * WINDOW_UNIT)
        if tally.questions.answered and self.form == FOLD_FORM:  # what counted as refused, and was allowed later
            sums = exposed_windows if tally.at_exposure else windows
            sums[_REFUSALS_WINDOW] = max(sums[_REFUSALS_WINDOW] - tally.questions.answered * WINDOW_UNIT, 0)
        if self.form == FOLD_FORM and not is_explained:
            sums = exposed_windows if tally.at_exposure else windows
            self._add_strangers(sums, tally)
        return replace(
            self,
            watched=self.watched + (part is None),
            windows=tuple(windows),
            exposed_windows=tuple(exposed_windows),
            drifts=self.drifts if is_left_out else watch(self.drifts, tally, verdict=verdict),
        )

    def _add_tries(self, tally: SessionTally, *, is_explained: bool) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Sums over recent sessions after one in which nothing ran: what was tried counts, and nothing fades."""
        sums = list(self.windows), list(self.exposed_windows)
        if self.form == FOLD_FORM:
            of = sums[bool(tally.at_exposure)]
            of[_REFUSALS_WINDOW] += tally.values_since_fold[_REFUSALS] * WINDOW_UNIT
            if not is_explained:
                self._add_strangers(of, tally)
        return tuple(sums[0]), tuple(sums[1])

    def _add_strangers(self, sums: list[int], tally: SessionTally) -> None:
        """Add records of strangers that were tried to sums over recent sessions.

        INVARIANT: they fill a sum up to its limit, as reads could, and no further. Otherwise one session that tries
        many records would make all later ones ask for months.
        """
        most = (self._mature_limits[COUNT + _STRANGERS_WINDOW] + 1) * WINDOW_UNIT
        before, tried = sums[_STRANGERS_WINDOW], tally.strangers_tried_since_fold * WINDOW_UNIT
        sums[_STRANGERS_WINDOW] = max(before, min(before + tried, most))

    def restart_drift(self) -> IdentityProfile:
        """The profile once a person accepted the new ways: the next sessions become the reference."""
        new = SessionDrift().held_to(self._terms.drift)
        return replace(self, drifts=(new, new))

    def learn(self, tally: SessionTally, *, before: IdentityProfile, verdict: SessionVerdict) -> IdentityProfile:
        """The profile after learning from a session; `before` is the profile when the session began."""
        levels, cleared = before.list_levels(tally), verdict is SessionVerdict.CLEARED
        begins = list_beginning(before.histograms, tally) if self.form == FOLD_FORM else ()
        if verdict is SessionVerdict.OBSERVED:
            own = enumerate(zip(levels, before.limits, strict=True))
            levels = [level if at in begins else min(level, limit // FINE + CLIP) for at, (level, limit) in own]
        # INVARIANT: only sessions that a person cleared widen the limits as a whole.
        exceeded = cleared and any(level * FINE > limit for level, limit in zip(levels, before.own_limits, strict=True))
        day = day_of(tally.first_us)
        # A session that was opened before midnight and ends after others begins no new day.
        day_limits = self.limits if day > self.day or not self.sessions else self.day_limits
        is_mature, quick = self.sessions >= MATURE_SESSIONS, verdict is not SessionVerdict.ORDINARY
        has_sums = self.sessions >= MATURE_SESSIONS + self.window
        step = LimitStep(is_mature, has_sums, cleared, quick, self._terms.slow, begins)
        histograms, limits = self._learn_limits(levels, day_limits, step)
        sessions = self.sessions + 1
        known = self._learn_seen(tally, sessions, day, is_cleared=cleared)
        looseness = update_looseness(self.looseness, exceeded=exceeded) if is_mature else self.looseness
        principals, narrow = self.principals, self.narrow
        if self.form == FOLD_FORM:
            principals = principals.learn(tally, sessions, day, is_cleared=cleared)
            narrow = narrow.learn(histograms, sessions, self.window, is_quick=quick)
        return replace(
            self,
            sessions=sessions,
            histograms=tuple(histograms),
            limits=tuple(limits),
            day=max(day, self.day) if self.sessions else day,
            day_limits=day_limits,
            first_day=self.first_day if self.sessions else day,
            looseness=looseness,
            known=known,
            principals=principals,
            narrow=narrow,
        )

    def _learn_limits(
        self, levels: Sequence[int], day_limits: Sequence[int], step: LimitStep
    ) -> tuple[list[Histogram], list[int]]:
        """The histogram and the limit of each measure, once the levels of a session have been added."""
        histograms, limits = [], []
        is_new, series, slacks = self.sessions < _SETTLED_SESSIONS, frozenset(self._terms.series), self._slacks
        for at, level in enumerate(levels):
            if at not in series:
                histograms.append(self.histograms[at])
                limits.append(self.limits[at])
                continue
            # At first all is new: what that comes to says nothing of later.
            histogram = self.histograms[at]
            if not (is_new and at in _NEWNESS) and (at < COUNT or self.sessions >= self.window):
                histogram = add_to_histogram(histogram, level)
            limit = self.limits[at]
            target = max(estimate_limit(histogram, slacks[at >= COUNT]) * FINE, FLOORS[at])  # as `_estimate`
            if target != limit:  # else it stays, as most do
                limit = step.find_limit(at, limit, target, level, day_limits[at])
            histograms.append(histogram)
            limits.append(limit)
        return histograms, limits

    def relearn_going_on(
        self, tally: SessionTally, *, before: IdentityProfile, verdict: SessionVerdict
    ) -> IdentityProfile:
        """The profile after a session that it learnt from has gone on: the new measures replace the earlier ones.

        INVARIANT: a session teaches once. So limits of a mature profile rise with the next session only.

        Args:
            tally: tally of the session, with the part that was folded.
            before: the profile when this part of the session began.
            verdict: what the session counts as now.
        """
        part = tally.folded
        if part is None:
            return self
        old, levels = before.list_levels(tally, values=part.values), before.list_levels(tally)
        histograms, limits, was = list(self.histograms), list(self.limits), max(self.sessions - 1, 0)
        for at, (a, b) in enumerate(zip(old, levels, strict=True)):
            if a == b or (was < _SETTLED_SESSIONS and at in _NEWNESS) or (at >= COUNT and was < self.window):
                continue
            top = histograms[at][-1][0] if histograms[at] else 0
            highest = self.limits[at] // FINE + CLIP if verdict is SessionVerdict.OBSERVED else MAX_LEVEL
            histograms[at] = remove_from_histogram(histograms[at], min(a, top))
            histograms[at] = add_to_histogram(histograms[at], max(min(b, highest), min(a, top)))
            if self.sessions < MATURE_SESSIONS + (self.window if at >= COUNT else 0):
                limits[at] = max(limits[at], self._estimate(at, histograms[at]))
        day, known = day_of(tally.first_us), []
        for kind, (values, shown) in enumerate(zip(self.known, group_seen(tally.seen - part.seen), strict=True)):
            unlearned = group_seen(tally.unlearned)[kind] if verdict is not SessionVerdict.CLEARED else ()
            known.append(values.extend(shown, self.sessions, day, room=TERMS[kind].room, unlearned=unlearned))
        principals = self.principals.extend(tally, part.seen)
        return replace(
            self, histograms=tuple(histograms), limits=tuple(limits), known=tuple(known), principals=principals
        )

    def _learn_seen(self, tally: SessionTally, sessions: int, day: int, *, is_cleared: bool) -> tuple[KnownValues, ...]:
        """What the identity has shown, this session included; `is_cleared`: a person found it ordinary."""
        known, kinds = [], self._terms.kinds
        never = group_seen(tally.unlearned if not is_cleared else ())
        for kind, (values, shown) in enumerate(zip(self.known, group_seen(tally.seen), strict=True)):
            if (kind in MAY_BE_UNKNOWN and not shown) or kind >= kinds:
                known.append(values)
                continue
            # INVARIANT: where content may have led an agent is no place that it goes to.
            sleepers = self._list_sleepers(shown, day) if kind == SeenKind.GRANT and not is_cleared else ()
            known.append(
                values.fold(
                    shown,
                    sessions,
                    day,
                    TERMS[kind].room,
                    unlearned=never[kind],
                    sleepers=sleepers,
                    is_placed=kind == SeenKind.SETTING,
                )
            )
        return tuple(known)

    def keep_awake(self, tally: SessionTally) -> IdentityProfile:
        """The profile after a session tried to use grants and was not let: they do not become dormant by that.

        Otherwise a grant whose uses need an answer that nobody gives would look unused.
        """
        tried = group_seen(tally.attempts.seen)[SeenKind.GRANT]
        if not tried:
            return self
        known, day = list(self.known), day_of(tally.first_us)
        sleepers = self._list_sleepers(tried, day)
        known[SeenKind.GRANT] = known[SeenKind.GRANT].keep_awake(tried, self.sessions, day, sleepers)
        return replace(self, known=tuple(known))

    def _list_sleepers(self, grants: Iterable[int], day: int) -> list[int]:
        """The grants among these that were dormant until now, or were rarely used since they were."""
        values, history = self.known[SeenKind.GRANT], day - self.first_day
        slept = self._terms.is_dormant
        return [grant for grant in grants if slept(*values.count_idle(grant, day, self.sessions), history)]

    def _unlearn(self, tally: SessionTally, before: SessionVerdict) -> IdentityProfile:
        """The profile without what it learnt from a session; the session's part in windows fades by itself.

        Args:
            tally: of the session.
            before: the verdict under which it taught.
        """
        part = tally.folded if has_taught(tally) else None
        histograms, limits = list(self.histograms), list(self.limits)
        for at, value in enumerate(tally.values):
            level = level_of(at, value)
            if before is SessionVerdict.OBSERVED and histograms[at]:
                # It taught no more than its limits then allowed, which are not known any more.
                level = min(level, histograms[at][-1][0])
            remaining = remove_from_histogram(histograms[at], level)
            if part is not None and remaining != histograms[at]:  # the part before is left, which has its own verdict
                remaining = add_to_histogram(remaining, min(level_of(at, part.values[at]), level))
            histograms[at] = remaining
        for at, measure in enumerate(WINDOWED, COUNT):
            # What it met is not known any more: the largest sum is taken for its own, if it can be.
            top = histograms[at][-1][0] if histograms[at] else 0
            if top > level_of(measure, tally.values[measure]):
                histograms[at] = remove_from_histogram(histograms[at], top)
        limits = [min(limit, self._estimate(at, histograms[at])) for at, limit in enumerate(limits)]
        taught = tally.seen if before is SessionVerdict.CLEARED else tally.seen - tally.unlearned
        if part is not None:
            taught -= part.seen
        known = tuple(values.forget(shown) for values, shown in zip(self.known, group_seen(taught), strict=True))
        day_limits = tuple(map(min, self.day_limits, limits))
        sessions = max(self.sessions - (part is None), 0)
        return replace(
            self,
            sessions=sessions,
            histograms=tuple(histograms),
            limits=tuple(limits),
            day_limits=day_limits,
            known=known,
            principals=self.principals.forget(tally) if part is None else self.principals,
            narrow=self.narrow.unlearn(histograms) if self.form == FOLD_FORM else self.narrow,
        )

    def _estimate(self, at: int, histogram: Histogram) -> int:
        return max(estimate_limit(histogram, self._slacks[at >= COUNT]) * FINE, FLOORS[at])

    @property
    def _slacks(self) -> tuple[int, int]:
        """Slacks of the limits of a session, and of those over recent sessions; see `estimate_limit`."""
        return LEAST_SLACK, WINDOW_SLACK if self.window <= WINDOW_SESSIONS else LEAST_SLACK

    def to_bytes(self) -> bytes:
        """Bytes of at most `MAX_PROFILE_BYTES`."""
        return pack_numbers(_head(self.form), self._to_numbers())

    def _to_numbers(self) -> list[int | bytes]:
        terms = self._terms
        numbers: list[int | bytes] = [self.sessions, self.watched, self.day, self.looseness, self.window]
        for at in terms.series:
            numbers += list_histogram(self.histograms[at])
        numbers += (*terms.pick(self.limits), *terms.pick(self.day_limits))
        numbers += (*self.windows[: terms.windows], *self.exposed_windows[: terms.windows])
        for values in self.known[: terms.kinds]:
            numbers += values.to_numbers()
        unexposed, every = self.drifts
        of_every = every.to_numbers()
        numbers += of_every if unexposed is every else unexposed.to_numbers()
        numbers += of_every
        numbers += (self.first_day, *self.carried.to_numbers())
        if self.form == FOLD_FORM:
            numbers += self.principals.to_numbers()
            for drift in self.drifts:
                numbers += drift.to_later_numbers()
            numbers += self.narrow
        return numbers

    @classmethod
    def from_bytes(cls, data: bytes) -> IdentityProfile:
        """Inverse of `to_bytes`.

        Raises:
            BadInput: these are other bytes (`bad_profile`).
        """
        is_earlier = type(data) is bytes and data.startswith(_head(EARLIER_FORM))
        form = EARLIER_FORM if is_earlier else FOLD_FORM
        reader = NumberReader(_head(form), data, max_bytes=MAX_PROFILE_BYTES)
        sessions, watched, day, looseness = reader.take(0), reader.take(0), reader.take(), reader.take(0, MAX_LOOSENESS)
        window, terms = reader.take(2, 1024), TERMS_OF_FORM[form]
        series, rest = len(terms.series), NO_WINDOWS[terms.windows :]
        histograms = terms.fill([read_histogram(reader) for _ in range(series)], ((),) * SERIES)
        profile = cls(
            sessions,
            watched,
            histograms,
            terms.fill(reader.take_many(series), NO_LIMITS),
            day,
            terms.fill(reader.take_many(series), NO_LIMITS),
            looseness,
            (*reader.take_many(terms.windows, 0), *rest),
            (*reader.take_many(terms.windows, 0), *rest),
            window,
            read_known(reader, terms.kinds),
            (SessionDrift.read(reader, terms.drift), SessionDrift.read(reader, terms.drift)),
            reader.take(),
            CarriedRisk.read(reader),
            form,
            Principals.read(reader) if form == FOLD_FORM else NO_PRINCIPALS,
        )
        if form == FOLD_FORM:
            unexposed, every = (drift.with_later_numbers(reader) for drift in profile.drifts)
            profile = replace(profile, drifts=(unexposed, every), narrow=NarrowLimits(*reader.take_many(2, 0)))
        reader.finish()
        if profile.to_bytes() != data:
            raise profile_error("not what was written")
        return profile


def _head(form: str) -> bytes:
    return form.encode() + b"\n"


NEW_PROFILE: Final = IdentityProfile()
"""The profile of an identity without a history."""
