"""Ledgers that an earlier Halo wrote: verification and replay say of them, to the byte, what they said then."""

from __future__ import annotations

import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from golden_world import DATABASE, differences, expected, halo, names, observe, unpack

from halo_core.model import Effect, EntryKind

LEDGERS = [
    "answers",
    "approvals",
    "demo_langchain",
    "demo_llamaindex",
    "demo_openai_agents",
    "drilled",
    "erased",
    "forgotten",
    "handoffs",
    "identities",
    "issued",
    "limits",
    "people",
    "profiled",
    "recovered",
    "reversals",
    "reviewed",
    "scored",
    "scored_default",
    "stops",
    "tampered",
    "targets",
    "truncated",
    "verdicts",
    "withdrawn",
]


def rewrite(home: Path, old: bytes, new: bytes) -> str:
    """Change the first decision that holds `old`, as somebody with the file would; the entry's id."""
    with closing(sqlite3.connect(home / DATABASE, isolation_level=None)) as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for *place, text in database.execute(
            "SELECT tenant, w, ws, body FROM entry WHERE kind='decision' ORDER BY tenant, w, ws"
        ).fetchall():
            if old in text:
                changed = text.replace(old, new, 1)
                database.execute("UPDATE entry SET body=? WHERE tenant=? AND w=? AND ws=?", (changed, *place))
                return f"{place[1]}-{place[2]}"
    raise AssertionError(f"no decision holds {old!r}")


def replayed(home: Path) -> tuple[int, list[tuple[str, str, str]]]:
    code, out, _ = halo("replay", "--all", "--json", home=home)
    return code, [(item["id"], item["status"], item["where"]) for item in json.loads(out)["odd"]]


def test_no_ledger_is_missing():
    assert names() == LEDGERS


@pytest.mark.parametrize("name", LEDGERS)
def test_verification_and_replay_are_what_they_were(name, tmp_path):
    assert differences(expected(name), observe(unpack(name, tmp_path / "home"))) == []


def test_each_kind_of_entry_and_each_effect_is_there():
    kinds, effects = Counter(), Counter()
    for log in (log for name in LEDGERS for log in expected(name)["logs"].values()):
        kinds.update(log["kinds"])
        effects.update(decision[2] for decision in log["decisions"])
    assert set(kinds) == {kind.value for kind in EntryKind}
    assert set(effects) == {effect.value for effect in Effect}


def test_the_spoiled_ledgers_are_found_spoiled():
    exits = {}
    for name in LEDGERS:
        found = expected(name)
        exits[name] = found["verify"]["exit"], found["logs"]["local"]["replay"]["exit"]
    assert {name: codes for name, codes in exits.items() if codes != (0, 0)} == {
        "erased": (11, 2),  # no entry says that the keys were erased
        "forgotten": (0, 2),
        "tampered": (11, 12),
        "truncated": (13, 0),
    }


@pytest.mark.parametrize(
    ("name", "old", "new", "where"),
    [
        ("demo_langchain", b'"effect":"deny","reasons"', b'"effect":"allow","reasons"', "/decision/effect"),
        ("demo_llamaindex", b'"code":"untrusted_target"', b'"code":"untraced_target"', "/decision/reasons/0/code"),
        ("demo_openai_agents", b'"charges":{"risk":', b'"charges":{"risk":1', "/decision/charges/0/1"),
        ("limits", b'"code":"budget_exceeded"', b'"code":"quota_exceeded"', "/decision/reasons/0/code"),
        ("scored", b'"risk":900,', b'"risk":901,', "/snapshot/risk"),
    ],
)
def test_a_record_that_was_changed_replays_otherwise(name, old, new, where, tmp_path):
    home = unpack(name, tmp_path / "home")
    changed = rewrite(home, old, new)
    assert replayed(home) == (12, [(changed, "differs", where)])
    assert halo("verify", "--json", home=home)[0] == 11
    assert differences(expected(name), observe(home)) != []


def test_no_machine_is_named(tmp_path):
    for name in LEDGERS:
        home = unpack(name, tmp_path / name)
        raw = b"".join(path.read_bytes() for path in home.iterdir())
        assert re.findall(rb"/(?:tmp|home|root|Users|dev/shm|var)/[\w./-]*", raw) == [], name
        assert set(re.findall(rb'"host":"([^"]*)","(?:network|pid)"', raw)) == {b"host.example"}, name
        assert set(re.findall(rb'"pid":(\d+)', raw)) == {b"4242"}, name
        assert set(re.findall(rb'"process":"([^"]*)"', raw)) == {b"golden"}, name


def test_replay_goes_on_after_an_approver_was_withdrawn(tmp_path):
    assert replayed(unpack("withdrawn", tmp_path / "home")) == (0, [])
