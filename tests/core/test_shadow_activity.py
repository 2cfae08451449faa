"""Actions seen to run without a guard: recorded once for each process, shown and verified."""

from __future__ import annotations

import json

import pytest

from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store.reader import Reader, read_entries
from halo_world import bodies, cli, url_of, verified


def seen(halo, home):
    halo.store.flush()
    return bodies(home, EntryKind.SHADOW)


def test_a_sighting_is_written_and_verifies(halo, home):
    halo.record_shadow("tool", "lookup", "app.py:7")
    assert seen(halo, home) == [
        {"agent": "clerk", "framework": "", "kind": "tool", "name": "lookup", "refused": False, "where": "app.py:7"}
    ]
    halo.close()
    assert verified(home, signatures=True) == 0


def test_each_is_noted_once(halo, home):
    for _ in range(3):
        halo.record_shadow("tool", "lookup", "app.py:7")
    halo.record_shadow("tool", "lookup", "app.py:8")
    halo.record_shadow("model", "lookup", "app.py:7")
    assert len(seen(halo, home)) == 3


def test_a_flood_ends(halo, home):
    for i in range(1_200):
        halo.record_shadow("tool", f"t{i}", "x")
    assert len(seen(halo, home)) == 1_000


@pytest.mark.parametrize("odd", ["x" * 10_000, "\ud800", "\x1b[31m", 7, None, ["a"]])
def test_odd_names_are_written_as_text(halo, home, odd):
    halo.record_shadow("tool", odd, odd)
    (body,) = seen(halo, home)
    assert len(body["name"]) <= 256
    assert cli("log", home=home)[0] == 0


async def test_nothing_waits_for_a_disk(halo, home, no_blocking):
    halo.record_shadow("tool", "lookup", "app.py:7")


def test_people_see_them(halo, home):
    halo.record_shadow("tool", "loo[red]kup\x1b[2J", "app.py:7")
    halo.store.flush()
    with Reader(url_of(home)) as reader:
        (item,) = read_entries(reader, "local", (EntryKind.SHADOW,))
    code, out, _ = cli("log", home=home)
    assert code == 0
    assert "loo[red]kup" in out
    assert "\x1b[2J" not in out
    assert "unguarded" in out
    assert json.loads(cli("log", "--json", home=home)[1])[0]["kind"] == "shadow"
    code, out, _ = cli("show", item.entry.id, home=home)
    assert code == 0
    assert f"\nsighting {item.entry.id}" in out
    assert "shadow" not in out


def test_what_was_refused_is_not_said_to_have_run(halo, home):
    halo.record_shadow("tool", "ladder", "", refused=True)
    halo.store.flush()
    code, out, _ = cli("log", home=home)
    assert code == 0
    assert out.splitlines()[-1].split()[-3:] == ["none", "no", "unguarded"]
    with Reader(url_of(home)) as reader:
        (item,) = read_entries(reader, "local", (EntryKind.SHADOW,))
    assert ["ran", "no"] in [line.split() for line in cli("show", item.entry.id, home=home)[1].splitlines()]


def test_the_same_thing_run_and_refused_is_two_sightings(halo, home):
    for refused in (False, True, True):
        halo.record_shadow("tool", "lookup", "app.py:7", refused=refused)
    assert [body["refused"] for body in seen(halo, home)] == [False, True]


def test_status_counts_them(halo, home):
    halo.record_shadow("tool", "lookup", "app.py:7")
    halo.record_shadow("tool", "ladder", "", refused=True)
    halo.store.flush()
    assert "2 unguarded actions" in cli("status", home=home)[1]
    assert json.loads(cli("status", "--json", home=home)[1])["local"]["sightings"] == 2


@pytest.mark.parametrize("quiet", [False, True])
def test_what_runs_is_said_once_on_stderr(tmp_path, capsys, quiet):
    with HaloBase.local("clerk", home=tmp_path / "h", mode="observe", quiet=quiet) as halo:
        capsys.readouterr()
        for _ in range(2):
            halo.record_shadow("tool", "look\x1b[2J", "errands/n")
            halo.record_shadow("tool", "ladder", "")
            halo.record_shadow("tool", "rope", "", refused=True)
        said = capsys.readouterr().err.splitlines()
    told = ["halo: nobody decides tool `look?[2J` (errands/n)", "halo: nobody decides tool `ladder`"]
    assert said == ([] if quiet else told)
