"""What was seen to run without a guard: once for each process, written, shown, verified."""

from __future__ import annotations

import json

import pytest

from halo_core.model import EntryKind
from halo_core.query import shadows
from halo_core.store.reader import Reader
from halo_world import bodies, cli, url_of, verified


def seen(halo, home):
    halo.store.flush()
    return bodies(home, EntryKind.SHADOW)


def test_a_sighting_is_written_and_verifies(halo, home):
    halo.sighted("tool", "lookup", "app.py:7")
    assert seen(halo, home) == [
        {"agent": "clerk", "framework": "", "kind": "tool", "name": "lookup", "where": "app.py:7"}
    ]
    halo.close()
    assert verified(home, signatures=True) == 0


def test_each_is_noted_once(halo, home):
    for _ in range(3):
        halo.sighted("tool", "lookup", "app.py:7")
    halo.sighted("tool", "lookup", "app.py:8")
    halo.sighted("model", "lookup", "app.py:7")
    assert len(seen(halo, home)) == 3


def test_a_flood_ends(halo, home):
    for i in range(1_200):
        halo.sighted("tool", f"t{i}", "x")
    assert len(seen(halo, home)) == 1_000


@pytest.mark.parametrize("odd", ["x" * 10_000, "\ud800", "\x1b[31m", 7, None, ["a"]])
def test_odd_names_are_written_as_text(halo, home, odd):
    halo.sighted("tool", odd, odd)
    (body,) = seen(halo, home)
    assert len(body["name"]) <= 256
    assert cli("log", home=home)[0] == 0


async def test_nothing_waits_for_a_disk(halo, home, no_blocking):
    halo.sighted("tool", "lookup", "app.py:7")


def test_people_see_them(halo, home):
    halo.sighted("tool", "loo[red]kup\x1b[2J", "app.py:7")
    halo.store.flush()
    with Reader(url_of(home)) as reader:
        (item,) = shadows(reader, "local")
    code, out, _ = cli("log", home=home)
    assert code == 0
    assert "loo[red]kup" in out
    assert "\x1b[2J" not in out
    assert "unguarded" in out
    assert json.loads(cli("log", "--json", home=home)[1])[0]["kind"] == "shadow"
    assert cli("show", item.entry.id, home=home)[0] == 0
