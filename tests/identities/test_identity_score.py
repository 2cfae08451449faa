"""Habits, and the risk of events: what is said, and that it comes from nowhere else."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from identity_world import ANA, CLERKS, DAYS, KEY, SERVICE, event, history

from counts import count
from halo_core.errors import BadInput
from halo_core.identities import baseline as books
from halo_core.identities.baseline import IdentityBaseline, fingerprint_identity
from halo_core.identities.event import IdentityEvent, IdentityKind, Outcome
from halo_core.identities.event_risk import ComparisonBasis, EventScorer, fit_identity_baseline
from halo_core.identities.habit import MOST_VALUES, Dimension

NEXT = DAYS  # a Monday
FOREIGN = {"network": "203.0.113.0/24", "country": "BR", "asn": "64777"}


@pytest.fixture(scope="module")
def book():
    return fit_identity_baseline(history(), KEY)


def scored(book, *events):
    scorer = EventScorer(book, KEY)
    return [scorer.score(item) for item in events]


def last(book, *events):
    return scored(book, *events)[-1]


def ids(found):
    return [factor.id for factor in found.factors]


def test_what_it_always_does_is_ordinary(book):
    found = last(book, event(NEXT))
    assert (found.basis, found.event_risk, found.band, found.factors) == (ComparisonBasis.OWN_HISTORY, 0, 0, ())


@pytest.mark.parametrize(
    ("changed", "factor", "words"),
    [
        ({"network": "203.0.113.0/24", "asn": "64777"}, "network_new", "203.0.113.0/24"),
        (FOREIGN, "country_new", "BR"),
        ({"hour": 3}, "hour_unusual", "Monday 03 UTC"),
        ({"day": NEXT + 5}, "weekday_unusual", "Saturday"),
        ({"system": "vault", "action": "export"}, "system_new", "vault"),
        ({"action": "delete"}, "action_new", "nor did any of 4 peers: delete"),
    ],
)
def test_what_is_unusual_is_flagged_and_named(book, changed, factor, words):
    changed = dict(changed)
    found = last(book, event(changed.pop("day", NEXT), changed.pop("hour", 10), **changed))
    assert found.band
    assert found.factors[0].id == factor
    assert words in found.factors[0].words


def test_more_of_it_is_more(book):
    one, two = last(book, event(NEXT, 3)), last(book, event(NEXT, 3, **FOREIGN))
    assert one.event_risk < two.event_risk <= 1000
    assert ids(two) == ["country_new", "hour_unusual"]
    assert two.band == 2


def test_at_most_three_factors_are_shown(book):
    assert len(last(book, event(NEXT + 5, 3, system="vault", action="export", **FOREIGN)).factors) == 3


def test_a_new_address_of_a_known_provider_is_little(book):
    known, new = (last(book, event(NEXT, network="192.0.2.0/24", asn=asn)) for asn in ("64496", "64777"))
    assert 0 < known.event_risk < new.event_risk
    assert "known line" in known.factors[0].words


def test_what_peers_do_is_less_strange():
    more = [event(day, 11, identity=name, system="wiki") for day in range(5) for name in CLERKS[1:]]
    with_peers = fit_identity_baseline(sorted(history() + more), KEY)
    alone = fit_identity_baseline(history(), KEY)
    ours = event(NEXT, system="wiki")
    assert 0 < last(with_peers, ours).event_risk < last(alone, ours).event_risk


def test_a_burst_is_flagged(book):
    found = scored(book, *(event(NEXT, 10, i // 2) for i in range(60)))
    assert not any(item.event_risk for item in found[:20])
    assert ids(found[-1]) == ["burst"]
    assert "60 events in this hour" in found[-1].factors[0].words


def test_a_success_after_failures_is_flagged(book):
    failed = [event(NEXT, 10, i, outcome=Outcome.FAILURE) for i in range(6)]
    found = scored(book, *failed, event(NEXT, 10, 6), event(NEXT, 10, 7))
    assert ids(found[0]) == []
    assert ids(found[5]) == ["failures"]
    assert ids(found[6]) == ["success_after_failures"]
    assert "6 failures" in found[6].factors[0].words
    assert ids(found[7]) == []


def test_failures_of_long_ago_do_not_count(book):
    failed = [event(NEXT, 10, i, outcome=Outcome.FAILURE) for i in range(6)]
    assert ids(last(book, *failed, event(NEXT, 12))) == []


@pytest.mark.parametrize("number", [0, 1, 5])
def test_who_is_little_known_has_no_risk(number):
    known = IdentityBaseline().add_events([event(0, 10, i) for i in range(number)], KEY)
    found = last(known, event(NEXT, 3, **FOREIGN))
    assert (found.basis, found.event_risk, found.band, found.identity_risk) == (ComparisonBasis.TOO_LITTLE, None, 0, 0)


@pytest.mark.parametrize("number", [0, 1, 5])
def test_who_is_little_known_among_known_peers_is_compared_with_them(number):
    new = {"identity": "new@bank.example"}
    known = fit_identity_baseline(sorted(history() + [event(DAYS - 1, 10, i, **new) for i in range(number)]), KEY)
    usual, strange = last(known, event(NEXT, **new)), last(known, event(NEXT, 3, **new, **FOREIGN))
    assert usual.basis is strange.basis is ComparisonBasis.PEERS
    assert usual.event_risk == 0
    assert strange.band == 2
    other = last(known, event(NEXT, kind=IdentityKind.HUMAN, role="nobody else", **new))
    assert (other.basis, other.event_risk) == (ComparisonBasis.TENANT, 0)


def test_who_says_nothing_of_what_it_is_has_no_peers():
    bare = {"kind": IdentityKind.UNKNOWN, "role": ""}
    known = fit_identity_baseline([replace(item, **bare) for item in history()], KEY)
    assert last(known, event(NEXT, **bare)).basis is ComparisonBasis.OWN_HISTORY
    assert last(known, event(NEXT, identity="new", **bare)).basis is ComparisonBasis.TENANT


def test_who_has_neither_history_nor_peers_is_compared_with_all_of_the_tenant(book):
    pilot = {"identity": "new", "role": "pilot"}
    usual, strange = last(book, event(NEXT, **pilot)), last(book, event(NEXT, **pilot, **FOREIGN))
    assert usual.basis is strange.basis is ComparisonBasis.TENANT
    assert usual.event_risk == 0
    assert ids(strange) == ["country_new"]
    assert 0 < strange.event_risk < last(book, event(NEXT, **FOREIGN)).event_risk


def test_where_everybody_has_values_of_their_own_a_new_one_says_little():
    own = [replace(item, network=f"10.0.{sum(map(ord, item.identity)) % 256}.0/24", country="") for item in history()]
    known = fit_identity_baseline(own, KEY)
    assert last(known, event(NEXT, identity="new", role="pilot", network="10.9.9.0/24", country="")).event_risk < 50


def test_what_the_baseline_never_recorded_is_not_strange():
    bare = fit_identity_baseline([replace(item, country="", asn="", network="") for item in history()], KEY)
    assert last(bare, event(NEXT)).event_risk == 0
    assert last(bare, event(NEXT, identity="new")).event_risk == 0


def test_one_night_makes_nothing_ordinary():
    night = [event(10, 10, i % 60, **FOREIGN) for i in range(900)]
    poisoned = fit_identity_baseline(sorted(history() + night), KEY)
    assert "country_new" in ids(last(poisoned, event(NEXT, **FOREIGN)))


def test_one_colleague_makes_nothing_ordinary():
    other = [event(day, 11, identity=CLERKS[1], system="vault") for day in range(1, 5)]
    assert last(fit_identity_baseline(sorted(history() + other), KEY), event(NEXT, system="vault")).band


def test_who_does_something_new_every_day_may():
    rover = [event(day, 12, identity="rover", network=f"10.{day}.0.0/24", asn="") for day in range(DAYS)]
    homely = [event(day, 12, identity="homely", asn="") for day in range(DAYS)]
    known = fit_identity_baseline(sorted(rover + homely), KEY)
    risks = [
        last(known, event(NEXT, 12, identity=who, network="192.0.2.0/24", asn="")).event_risk
        for who in ("rover", "homely")
    ]
    assert risks[0] * 4 < risks[1]


def test_a_full_table_says_nothing_and_stays_as_large_as_it_is():
    many = [event(i // 60, 10, i % 60, action=f"a{i}") for i in range(MOST_VALUES * 2)]
    known = IdentityBaseline().add_events(many, KEY)
    habit = known.habits[fingerprint_identity(ANA, KEY)]
    assert len(habit.known_values[Dimension.ACTION]) == MOST_VALUES
    assert "action_new" not in ids(last(known, event(NEXT, action="never seen")))


def test_there_are_only_so_many_identities(monkeypatch):
    monkeypatch.setattr(books, "MOST_IDENTITIES", 3)
    with pytest.raises(BadInput) as caught:
        IdentityBaseline().add_events([event(0, identity=f"n{i}") for i in range(4)], KEY)
    assert caught.value.code == "too_many"


def test_an_identitys_risk_rises_at_once_and_falls_slowly(book):
    found = scored(book, event(NEXT, 3, **FOREIGN), *(event(NEXT, 10, i) for i in range(3)))
    high = found[0].event_risk
    assert [item.identity_risk for item in found] == [
        high,
        high * 7 // 8,
        high * 7 // 8 * 7 // 8,
        high * 7 // 8 * 7 // 8 * 7 // 8,
    ]


def test_a_baseline_names_nobody(book):
    data = book.to_bytes()
    for text in (ANA, SERVICE, "198.51.100", "crm", "clerk", "64496"):
        assert text.encode() not in data


def test_another_key_is_refused_rather_than_knowing_nobody(book):
    other = b"another".ljust(32, b".")
    for use in (
        lambda: EventScorer(book, other),
        lambda: IdentityBaseline.from_bytes(book.to_bytes()).add_events([event(NEXT)], other),
    ):
        with pytest.raises(BadInput) as caught:
            use()
        assert caught.value.code == "other_key"


def test_limits_come_from_days_that_were_not_in_the_baseline(book):
    assert book.limits.days >= 40
    assert fit_identity_baseline(history(10), KEY).limits.days == 0


@pytest.mark.parametrize(
    "data", [b"", b"{}", b"[]", b'{"form":1}', b'{"halo-identities-1":[],"limits":[1,2,3]}', b"\xff"]
)
def test_other_bytes_are_no_baseline(data):
    with pytest.raises(BadInput) as caught:
        IdentityBaseline.from_bytes(data)
    assert caught.value.code == "bad_baseline"


def some_event(day, hour, number, strange):
    return event(
        day,
        hour,
        number,
        identity=CLERKS[number % 5],
        **(FOREIGN if strange else {}),
        outcome=(Outcome.SUCCESS, Outcome.FAILURE)[strange],
    )


EVENTS = st.lists(
    st.builds(some_event, st.integers(NEXT, NEXT + 9), st.integers(0, 23), st.integers(0, 59), st.booleans()),
    max_size=40,
)


@given(EVENTS)
@settings(max_examples=count(50))
def test_a_risk_is_bounded_and_comes_from_what_was_before(events):
    book = _known()
    events.sort()
    whole = scored(book, *events)
    assert all(
        0 <= item.event_risk <= 1000 and 0 <= item.identity_risk <= 1000 and item.band in (0, 1, 2) for item in whole
    )
    for end in range(0, len(events), 7):
        assert scored(book, *events[:end]) == whole[:end]
    changed = [replace(item, system="vault", **FOREIGN) for item in events[len(events) // 2 :]]
    assert scored(book, *events[: len(events) // 2], *changed)[: len(events) // 2] == whole[: len(events) // 2]


@given(EVENTS)
@settings(max_examples=count(50))
def test_scoring_leaves_the_baseline_as_it_is(events):
    book = _known()
    before = book.to_bytes()
    scored(book, *sorted(events))
    assert book.to_bytes() == before


@given(EVENTS, st.integers(0, 40))
@settings(max_examples=count(50))
def test_a_baseline_goes_on_where_it_stopped(events, cut):
    events.sort()
    whole = IdentityBaseline().add_events(events, KEY)
    first = [item for item in events if item.ts_us <= events[min(cut, len(events) - 1)].ts_us] if events else []
    part = IdentityBaseline.from_bytes(IdentityBaseline().add_events(first, KEY).to_bytes())
    assert part.add_events(events[len(first) :], KEY).to_bytes() == whole.to_bytes()


@given(st.permutations([event(0, 9), event(0, 9), event(0, 9, action="send"), event(0, 9, identity=CLERKS[1])]))
def test_the_order_of_equal_times_does_not_matter(order):
    assert (
        IdentityBaseline().add_events(order, KEY).to_bytes()
        == IdentityBaseline().add_events(sorted(order), KEY).to_bytes()
    )


def test_events_that_are_not_later_are_refused(book):
    known = IdentityBaseline.from_bytes(book.to_bytes())
    with pytest.raises(BadInput) as caught:
        fit_identity_baseline(history(), KEY, known)
    assert caught.value.code == "not_later"


_MADE: list[IdentityBaseline] = []


def _known() -> IdentityBaseline:
    if not _MADE:
        _MADE.append(fit_identity_baseline(history(), KEY))
    return _MADE[0]


def told() -> str:
    """Digest of a baseline and of what it says of some events."""
    book = fit_identity_baseline(history(), KEY)
    events = [some_event(NEXT + i // 12, i * 7 % 24, i * 11 % 60, i % 5 == 0) for i in range(120)]
    plain = [item.to_plain() for item in scored(book, *sorted(events))]
    return hashlib.sha256(book.to_bytes() + json.dumps(plain, sort_keys=True).encode()).hexdigest()


GOLDEN = "96ac24ccd5b96e5d6f1747a2f417919dd9651c14957526907472ef7c895474f0"
"""The same on every Python and machine; it changes with the points or the baseline's form, and then on purpose."""


def test_it_says_the_same_everywhere():
    assert told() == GOLDEN


def test_it_says_the_same_in_another_process_and_hash_seed():
    code = "import test_identity_score; print(test_identity_score.told())"
    path = [str(Path(__file__).parent), *sys.path]
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo", "PYTHONPATH": ":".join(path)},
        check=True,
    )
    assert done.stdout.strip() == GOLDEN


def test_events_are_values():
    with pytest.raises(AttributeError):
        event(0).identity = "other"
    assert isinstance(event(0), IdentityEvent)
