"""Many identities, a year of events, one identity with very many: bounded state, and the same after any restart."""

from __future__ import annotations

import gzip
import json
import random
from pathlib import Path

import pytest
from alert_world import ABROAD
from identity_world import CLERKS, KEY, event, history

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import BadInput
from halo_core.facade import HaloBase
from halo_core.identities import tracker as trackers
from halo_core.identities.baseline import IdentityBaseline
from halo_core.identities.event import IdentityEvent, parse_event
from halo_core.identities.event_risk import ComparisonBasis
from halo_core.identities.live import LiveIdentity
from halo_core.identities.tracker import IdentityTracker
from halo_core.identity_feed import IdentityFeed
from halo_core.store.identity_rows import IdentityTable
from halo_core.testing import FixedClock
from recorded_world import study_data

LATE_US = 4_000_000_000_000_000


def tracked(events, states=None) -> IdentityTracker:
    tracker = IdentityTracker(IdentityBaseline(), KEY, {} if states is None else states)
    for item in events:
        tracker.take(item, item.identity, f"print of {item.identity}", LATE_US)
    return tracker


def frozen(states) -> dict[str, bytes]:
    return {name: canonical.dumps([item.to_head(), item.to_habit()]) for name, item in states.items()}


def thawed(states) -> dict[str, LiveIdentity]:
    trees = {name: canonical.loads(data) for name, data in frozen(states).items()}
    return {name: LiveIdentity.from_plain(*tree) for name, tree in trees.items()}


def test_ten_thousand_identities_and_no_more_than_there_is_room_for(monkeypatch):
    monkeypatch.setattr(trackers, "MOST_IDENTITIES", 10_000)
    tracker = tracked(event(0, 9, number % 60, identity=f"person-{number}") for number in range(10_000))
    assert len(tracker.states) == 10_000
    with pytest.raises(BadInput) as caught:
        tracker.take(event(0, 10, identity="one more"), "one more", "", LATE_US)
    assert caught.value.code == "too_many"
    found = tracker.take(event(0, 10, identity="person-7"), "person-7", "", LATE_US)
    assert found.scored.event_risk == 0


def test_a_year_of_days_keeps_the_state_of_an_identity_small():
    rng = random.Random(1)
    year = (
        event(day, hour, system=rng.choice(("crm", "mail", f"host-{day}")), network=f"10.{day % 256}.{hour}.0/24")
        for day in range(366)
        for hour in (9, 12, 15)
    )
    (state,) = tracked(year).states.values()
    assert state.events == 366 * 3
    assert state.habit.days >= 360
    assert len(frozen({"x": state})["x"]) < 48_000


def test_an_hour_of_very_many_events_is_two_numbers_in_the_state():
    (state,) = tracked(event(0, 9, action="read") for _ in range(20_000)).states.values()
    assert state.today.hours == {9: (20_000, 0)}
    assert len(frozen({"x": state})["x"]) < 2_000


def test_a_tracker_goes_on_after_a_restart_as_if_there_had_been_none():
    events = sorted(history(12) + [event(day, 3, identity=CLERKS[day % 3], **ABROAD) for day in (2, 5, 9)])
    whole = tracked(events)
    states: dict[str, LiveIdentity] = {}
    for start in range(0, len(events), 37):
        states = thawed(tracked(events[start : start + 37], states).states)
    assert frozen(states) == frozen(whole.states)


def test_events_in_any_batches_give_the_same_rows(home):
    events = sorted([*history(3), event(3, 3, **ABROAD)])
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        pass
    rows = []
    for tenant, size in (("one", 7), ("two", 200)):
        with HaloBase.local("desk", home=home, quiet=True, tenant=tenant) as halo:
            keys, clock = KeyStore(home), FixedClock(LATE_US)
            for start in range(0, len(events), size):
                feed = IdentityFeed(halo.store.commit, keys, tenant, clock, "vpn")  # a new process
                feed.take(events[start : start + size])
            digester = Digester(keys.secret("digest"))
            found = halo.store.commit(lambda tx: [row[:3] for row in IdentityTable(tx, digester).list_rows()])  # noqa: B023
            rows.append([(subject, _without_prints(head), habit) for subject, head, habit in found])
    assert rows[0] == rows[1]
    assert len(rows[0]) == 6


def _without_prints(head: bytes) -> dict:
    """A head without the fingerprint of the identity, which is another one in each tenant."""
    return {name: value for name, value in canonical.loads(head).items() if name != "fingerprint"}


def _read_real(path: Path) -> list[IdentityEvent]:
    events = []
    with gzip.open(path, "rt") as file:
        for line in file:
            record = json.loads(line)
            if record["source"] != "invictus_aws":
                continue
            kind = record["principal_type"] if record["principal_type"] in ("human", "service", "role") else ""
            texts = {
                "time": record["ts"],
                "identity": record["principal"],
                "kind": kind,
                "action": record["action"],
                "system": record["action"].partition(":")[0],
                "origin": record["origin"] or "",
                "outcome": "success" if record["outcome"] == "success" else "failure",
            }
            events.append(parse_event(texts))
    return sorted(events)


def test_no_event_of_a_tenants_first_hour_is_left_without_a_risk():
    events = _read_real(study_data("identity") / "events.jsonl.gz")
    tracker = IdentityTracker(IdentityBaseline(), KEY, {})
    taken = [tracker.take(item, item.identity, "", LATE_US).scored for item in events]
    assert len(taken) > 2_000
    assert all(item.event_risk is not None for item in taken)
    assert sum(item.basis is ComparisonBasis.TENANT for item in taken) > 0.9 * len(taken)
