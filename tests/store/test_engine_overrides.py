"""On both engines an override that forbids does so whatever became of its row, for as long as it was given for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from engine_world import Place, once

from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.crypto.keys import KeyStore
from halo_core.errors import Denied
from halo_core.model import EntryKind
from halo_core.oversight.keys import enrol_approver
from halo_core.oversight.overrides import grant_override
from halo_core.store.config import StoreConfig
from halo_core.store.store import Store
from halo_core.testing import FixedClock

NOW_US = 1_800_000_000_000_000
ROWS = {
    "as it was": "SELECT 1",
    "deleted": "DELETE FROM standing_answer",
    "marked revoked": "UPDATE standing_answer SET status='revoked'",
    "of another scope": "UPDATE standing_answer SET scope='sha256:other'",
    "of another kind": "UPDATE standing_answer SET kind='standing'",
    "with another token": "UPDATE standing_answer SET token='x.y.z'",
    "without its entry": "DELETE FROM entry WHERE kind='override'",
}
BY_DEFAULT = ("sqlite", "deleted"), ("postgresql", "deleted"), ("postgresql", "with another token")


def people(home: Path) -> KeyStore:
    return KeyStore(home.parent / "people")


def last_decision(place: Place, halo: Any) -> str:
    halo.store.checkpoint()  # which orders what was written
    return str(place.found(EntryKind.DECISION)[-1].entry.id)


def forbid(place: Place, decision: str, store: Any = None) -> str:
    """Have mia forbid what was decided; the id of her override."""
    own = Store(StoreConfig(place.url, place.home, "local"), KeyStore(place.home)) if store is None else None
    used, mine = store or own, people(place.home)
    try:
        key = mine.signer(make_approver_key_name("mia")).public_key
        now = used.clock.now_us()
        enrol_approver(used, Authorities(place.home), name="mia", public_key=key, by="admin", now_us=now)
        terms: dict[str, Any] = {"approver": "mia", "allow": False, "why": "checked", "lifetime_s": 600}
        return str(grant_override(used, mine, place.home, decision=decision, **terms).id)
    finally:
        if own is not None:
            own.close()


def refused(halo: Any, session: str) -> str:
    with pytest.raises(Denied) as caught:
        once(halo, session=session)
    return caught.value.reason


@pytest.mark.parametrize(
    ("engine", "state"),
    [
        pytest.param(*case, marks=[] if case in BY_DEFAULT else pytest.mark.thorough)
        for case in [(engine, state) for engine in ("sqlite", "postgresql") for state in ROWS]
    ],
)
def test_it_forbids_whatever_became_of_its_row(tmp_path, engine, state):
    place = Place.make(engine, tmp_path / "home")
    with place.open() as halo:
        once(halo)
        granted = forbid(place, last_decision(place, halo))
        with place.attack() as attacker:
            attacker.run(ROWS[state])
        assert refused(halo, "another") == "override_denied"
    with place.open() as halo:
        assert refused(halo, "third") == "override_denied"
    body = place.bodies(EntryKind.DECISION)[-1]
    assert [item["id"] for item in body["snapshot"]["standing"]] == [granted]
    assert (place.verified() == 0) == (state == "as it was")
    if state != "without its entry":
        assert place.cli("replay", "--all")[0] == 0


@pytest.mark.parametrize("engine", [pytest.param("sqlite", marks=pytest.mark.thorough), "postgresql"])
def test_without_its_row_it_ends_with_its_time(tmp_path, engine):
    place, clock = Place.make(engine, tmp_path / "home"), FixedClock(NOW_US)
    with place.open(clock=clock) as halo:
        once(halo)
        forbid(place, last_decision(place, halo), halo.store)
        with place.attack() as attacker:
            attacker.run("DELETE FROM standing_answer")
        assert refused(halo, "another") == "override_denied"
        clock.advance(600)
        once(halo, session="third")
