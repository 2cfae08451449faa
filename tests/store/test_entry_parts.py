"""What an agent, an identity or a store has in the log is found by the texts of its entries, on both engines."""

from __future__ import annotations

import orjson
import pytest

from halo_core.crypto import canonical
from halo_core.errors import CannotDecide
from halo_core.facade import HaloBase
from halo_core.store import profile_rows
from halo_core.store.control_state import OPENED_ELSEWHERE
from halo_core.store.entry_parts import bound_part
from halo_core.store.postgres_statements import translate
from halo_core.store.profile_rows import OF_IDENTITY_QUERY
from halo_core.store.standing_passports import ISSUED_LAST
from profile_world import Desk

LONG = "clerk-" + "x" * 110
"""Longer than the part of a text that an index holds."""
OTHERS = (
    ("passport", 2, '{"body":{"agent":"other-#","hash":"h","kind":"standing"}}'),
    ("profile", 1, '{"body":{"profile":{"digest":"d","kind":"agent","subject":"other-#","version":1}}}'),
    ("writer_open", 0, '{"body":{"origin":{"host":"#"},"store":"x","vkey":"v"}}'),
)
"""Entries of other agents: kind, sequence number and text."""


def opened(place, agent="clerk"):
    return HaloBase.local(agent, home=place.home, db=place.url, mode="enforce", quiet=True)


def works(place, agent, number):
    with opened(place, agent) as halo:
        return Desk(halo).ordinary(number)[0]


def change_store(place, store):
    """Let the first writer have opened another store."""
    with place.attack() as attacker:
        ((writer, body),) = attacker.run("SELECT w, body FROM entry WHERE ws=0 ORDER BY ts_us LIMIT 1")
        tree = orjson.loads(body)
        tree["body"]["store"] = store
        attacker.run("UPDATE entry SET body=? WHERE w=? AND ws=0", canonical.dumps(tree), writer)


def test_the_part_of_a_text_begins_with_what_the_entry_is_about(place):
    for number in range(3):
        assert works(place, "clerk", number) == "ran"
    assert place.cli("risk", "--rebuild")[0] == 0
    with place.attack() as attacker:
        rows = attacker.run("SELECT kind, ws, body FROM entry WHERE session=''")
    found = set()
    for kind, ws, text in rows:
        body = orjson.loads(text)["body"]
        members = []
        if kind == "profile" and "profile" in body:
            members.append({"subject": body["profile"]["subject"]})
        if kind == "passport":
            members.append({"agent": body["agent"]})
        if ws == 0:
            members.append({"store": body["store"]})
        for member in members:
            wanted, first = canonical.dumps(member)[1:-1], next(iter(member))
            assert bytes(text)[bytes(text).index(b'"%s":"' % first.encode()) :].startswith(wanted)
            found.add(first)
    assert found == {"subject", "agent", "store"}


def test_an_agent_with_a_long_name_is_told_from_others(place, monkeypatch):
    monkeypatch.setattr(profile_rows, "_RECENT", 1)
    for number in range(2):
        assert works(place, f"{LONG}-1", number) == "ran"
    with place.attack() as attacker:
        attacker.run("UPDATE entry SET once=NULL WHERE kind='profile' AND instr(body, ?)>0", b'"kind":"agent"')
        attacker.run("DELETE FROM profile WHERE kind='agent'")
    assert works(place, f"{LONG}-1", 10) == "bad_profile"
    assert works(place, f"{LONG}-2", 11) == "ran"


@pytest.mark.parametrize("store", ["halo-store:", "halo-store:zzzzzzzzzzzz", "a", "z"])
def test_a_writer_that_opened_another_store_is_found_among_many(place, store):
    for number in range(3):
        assert works(place, f"clerk-{number}", number) == "ran"
    change_store(place, store)
    with pytest.raises(CannotDecide, match="another store"):
        opened(place, "new")


def test_postgresql_looks_these_entries_up(place):
    if not place.url.startswith("postgres"):
        pytest.skip("test_plans shows it of SQLite")
    with opened(place):
        pass
    asked = [
        ("entry_passport_of", ISSUED_LAST, *bound_part(b'"agent":"clerk"')),
        ("entry_profile_of", OF_IDENTITY_QUERY, *bound_part(b'"subject":"clerk"')),
        *(("entry_opening", query, b'"store":"x"') for query in OPENED_ELSEWHERE),
    ]
    with place.attack() as attacker:
        for kind, ws, text in OTHERS:
            attacker.run(
                "INSERT INTO entry (tenant, w, ws, kind, session, ts_us, mark, body, signatures) SELECT 'local', "
                f"'{kind}-' || n, {ws}, '{kind}', '', 1, 0, convert_to(replace('{text}', '#', n::text), 'UTF8'), '' "
                "FROM generate_series(1, 3000) n"
            )
        attacker.run("INSERT INTO writer SELECT tenant, w, 'v', 1, 2 FROM entry WHERE ws=0 ON CONFLICT DO NOTHING")
        attacker.run("ANALYZE")
        for index, query, *bounds in asked:
            plan = str(attacker.run(f"EXPLAIN {translate(query)}", "local", *bounds))
            assert f"{index} " in plan
            assert "substr" in plan.partition("Index Cond")[2].partition("Filter")[0]
