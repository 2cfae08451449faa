"""The plain tree of a session's tally, as it is stored with the session and in entries.

    tree = encode_tally(tally)
    tally = decode_tally(tree)

Members have names of one letter, since a tree is written with each action. Optional ones are left out where empty.
"""

from __future__ import annotations

from array import array
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from halo_core.behaviour.attempts import ADDED, NO_ATTEMPTS, NO_QUESTIONS, Attempts, OpenQuestions
from halo_core.behaviour.counting import NO_SAMPLES, UNRELATED_SAMPLE
from halo_core.behaviour.measures import COUNT, EARLIER_COUNT, MEASURES
from halo_core.behaviour.packing import profile_error
from halo_core.behaviour.seen import pack_seen, unpack_seen
from halo_core.behaviour.tally import HABIT_NAMES, MAX_DOUBLINGS, FoldedPart, SessionTally, TallyAlarm
from halo_core.errors import require


def encode_tally(tally: SessionTally) -> dict[str, Any]:
    """Canonical tree; at most 4 KB as JSON, a few hundred bytes for an ordinary session."""
    members: dict[str, Any] = {
        "h": list(tally.habits),
        "o": list(map(_pack_32, tally.samples)),
        "q": tally.request,
        "s": pack_seen(tally.seen),
        "t": [tally.first_us, tally.last_us, tally.active_us, tally.burst, tally.pending],
        "v": list(tally.values),
        "w": [_pack_32(tally.calls), _pack_32(tally.ways)],
    }
    if tally.alarms:
        members["a"] = [list(alarm) if alarm.call or alarm.is_cleared else list(alarm[:4]) for alarm in tally.alarms]
    if tally.principal:
        members["p"] = tally.principal
    if tally.unlearned:
        members["u"] = pack_seen(tally.unlearned)
    if tally.at_exposure:
        members["x"] = list(tally.at_exposure)
    if tally.allowances:
        members["y"] = list(map(list, tally.allowances))
    if tally.strangers:
        members["l"] = _encode_chosen(tally.strangers, tally.samples[UNRELATED_SAMPLE])
    if (
        tally.refused
        or tally.alarmed_calls
        or tally.folded is not None
        or tally.attempts is not NO_ATTEMPTS
        or any(tally.questions)
    ):
        _add_past(members, tally)
    return members


def _add_past(members: dict[str, Any], tally: SessionTally) -> None:
    """Add what did not run, what alarmed before, and the part that was folded."""
    if tally.folded is not None:
        members["f"] = _encode_folded(tally.folded)
    if tally.alarmed_calls:
        members["k"] = _pack_32(tally.alarmed_calls)
    if tally.attempts is not NO_ATTEMPTS:
        members["n"] = _encode_attempts(tally.attempts)
    if tally.refused:
        members["r"] = _pack_32(tally.refused)
    if any(tally.questions):
        asked, counted, answered = tally.questions
        members["d"] = [_pack_32(asked), _pack_32(counted), answered]


def decode_tally(members: Mapping[str, Any]) -> SessionTally:
    """Inverse of `encode_tally`.

    Raises:
        BadInput: this is another tree (`bad_profile`).
    """
    try:
        first_us, last_us, active_us, burst, pending = members["t"]
        calls, ways = map(_unpack_32, members["w"])
        samples = tuple(map(_unpack_32, members["o"]))
        tally = SessionTally(
            values=_read_measures(members["v"]),
            at_exposure=_read_measures(members.get("x", ())),
            principal=members.get("p", ""),
            request=members["q"],
            first_us=first_us,
            last_us=last_us,
            active_us=active_us,
            burst=burst,
            samples=samples,
            seen=unpack_seen(members["s"]),
            habits=tuple(members["h"]),
            calls=calls,
            ways=ways,
            allowances=tuple((at, times) for at, times in members.get("y", ())),
            alarms=tuple(TallyAlarm(*alarm) for alarm in members.get("a", ())),
            refused=_unpack_32(members.get("r", "")),
            unlearned=unpack_seen(members.get("u", "")),
            pending=pending,
            alarmed_calls=_unpack_32(members.get("k", "")),
            folded=_decode_folded(members["f"]) if "f" in members else None,
            strangers=_decode_chosen(members["l"], samples[UNRELATED_SAMPLE]) if "l" in members else frozenset(),
            attempts=_decode_attempts(members["n"]) if "n" in members else NO_ATTEMPTS,
            questions=_decode_questions(members["d"]) if "d" in members else NO_QUESTIONS,
        )
        _check_tally(tally)
    except (AttributeError, LookupError, TypeError, ValueError) as exc:
        raise profile_error("the tally of the session is invalid") from exc
    return tally


def _check_tally(tally: SessionTally) -> None:
    """Raise ValueError where no steps of a session lead to this tally."""
    numbers = (*tally.values, *tally.at_exposure, tally.active_us, tally.burst, tally.pending, tally.request)
    numbers += (tally.first_us, tally.last_us, *tally.habits, *(part for pair in tally.allowances for part in pair))
    require(set(map(type, numbers)) == {int}, "what should be a whole number is none")
    require(min(*tally.values, *tally.at_exposure, *tally.habits, tally.request) >= 0, "a number below zero")
    require(len(tally.values) == COUNT and len(tally.at_exposure) in (0, COUNT), "another number of measures")
    require(
        len(tally.habits) == len(HABIT_NAMES) and len(tally.samples) == len(NO_SAMPLES),
        "another number of parts",
    )
    require(
        all(0 <= at < COUNT and 0 < n <= MAX_DOUBLINGS for at, n in tally.allowances),
        "an unknown allowance",
    )
    if tally.folded is not None:
        done = tally.folded.values
        require(all(type(number) is int for number in done) and len(done) == COUNT, "a folded part with other measures")
        tried = tally.folded.attempted
        is_counted = all(type(number) is int and number >= 0 for number in tried) and len(tried) in (0, COUNT)
        require(is_counted, "a folded part with other attempts")
        require(all(a >= b >= 0 for a, b in zip(tally.values, done, strict=True)), "a folded part beyond the whole")
        require(type(tally.folded.verdict) is str, "a verdict that is no text")
    is_alarm = all(list(map(type, alarm)) == [str, int, int, bool, int, bool] for alarm in tally.alarms)
    require(type(tally.principal) is str and is_alarm, "another form of principal or alarm")


def _encode_folded(part: FoldedPart) -> list[Any]:
    members = [list(part.values), part.verdict, pack_seen(part.seen), _pack_32(part.unrelated)]
    return [*members, list(part.attempted)] if part.attempted else members


def _decode_folded(members: list[Any]) -> FoldedPart:
    values, verdict, seen, unrelated, *more = members
    attempted = _read_measures(more[0]) if more else ()
    return FoldedPart(_read_measures(values), verdict, unpack_seen(seen), _unpack_32(unrelated), attempted)


def _read_measures(numbers: list[int]) -> tuple[int, ...]:
    """One number for each measure; what was written before the last one was counted has one less."""
    return (*numbers, 0) if len(numbers) == EARLIER_COUNT else tuple(numbers)


def _encode_attempts(attempts: Attempts) -> list[Any]:
    members = [list(attempts.sums), list(map(_pack_32, attempts.samples)), pack_seen(attempts.seen)]
    if attempts.strangers or attempts.has_list:
        members += (_pack_32(attempts.strangers), attempts.has_list)
    return members


def _decode_attempts(members: list[Any]) -> Attempts:
    sums, samples, seen, *more = members
    strangers, has_list = more or ("", False)
    require(type(has_list) is bool, "attempts with another mark")
    attempts = Attempts(
        tuple(sums), tuple(map(_unpack_32, samples)), unpack_seen(seen), _unpack_32(strangers), has_list
    )
    require(all(type(number) is int and number >= 0 for number in attempts.sums), "attempts that are no counts")
    require(len(attempts.sums) == len(ADDED), "another number of measures of attempts")
    require(len(attempts.samples) == len(NO_SAMPLES), "another number of samples of attempts")
    return attempts


def _decode_questions(members: list[Any]) -> OpenQuestions:
    asked, counted, answered = members
    require(type(answered) is int and answered >= 0, "answers that are no count")
    return OpenQuestions(_unpack_32(asked), _unpack_32(counted), answered)


def _encode_chosen(chosen: frozenset[int], sample: frozenset[int]) -> str:
    """Which of a sample's numbers, in order, are chosen: bits in hexadecimal."""
    return f"{sum(1 << at for at, one in enumerate(sorted(sample)) if one in chosen):x}"


def _decode_chosen(text: str, sample: frozenset[int]) -> frozenset[int]:
    """Inverse of `_encode_chosen`."""
    bits = int(text, 16)
    return frozenset(one for at, one in enumerate(sorted(sample)) if bits >> at & 1)


@lru_cache(maxsize=512)
def _pack_32(numbers: frozenset[int]) -> str:
    return b2a_base64(array("I", sorted(numbers)).tobytes(), newline=False).decode("ascii")


def _unpack_32(text: str) -> frozenset[int]:
    row = array("I")
    row.frombytes(b64decode(text, validate=True))
    return frozenset(row)


assert array("I").itemsize == 4 and len(MEASURES) < 63  # noqa: PT018, S101  as the encoding takes for granted
