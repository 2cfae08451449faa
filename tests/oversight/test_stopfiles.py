"""Stops in files: they hold without a database, and whatever cannot be read stops everything."""

from __future__ import annotations

import json
import os

import pytest

from halo_core.errors import ConfigError
from halo_core.model import Stop
from halo_core.stop_files import StopFiles

EVERYTHING = (Stop("all", "", 0),)


def folder(home):
    path = home / "stops"
    path.mkdir(parents=True, exist_ok=True)
    return path


def aged(home):
    """As if everything had been there for long, so that it is remembered."""
    for path in (*folder(home).iterdir(), folder(home)):
        os.utime(path, ns=(1_000_000_000, 1_000_000_000))


def test_nothing_is_stopped_where_there_is_nothing(home):
    assert StopFiles(home).read() == ()
    folder(home)
    assert StopFiles(home).read() == ()


def test_a_stop_is_set_once_and_lifted(home):
    files = StopFiles(home)
    stop = Stop("agent", "clerk", 7)
    assert files.set(stop, "mia", "odd payments") is True
    assert files.set(Stop("agent", "clerk", 9), "bob", "again") is False
    assert files.set(Stop("tool", "pay", 8), "mia", "") is True
    assert files.read() == StopFiles(home).read() == (stop, Stop("tool", "pay", 8))
    (path, *_) = [p for p in folder(home).iterdir() if "clerk" in p.read_text()]
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["by"] == "mia"
    assert files.count("agent", "clerk") == files.lift("agent", "clerk") == 1
    assert files.lift("agent", "clerk") == 0
    assert files.read() == (Stop("tool", "pay", 8),)


def test_a_stop_of_one_tenant_stops_no_other(home):
    files = StopFiles(home)
    files.set(Stop("agent", "clerk", 1), "", "", tenant="acme")
    files.set(Stop("tool", "pay", 2), "", "")
    assert files.read("local") == (Stop("tool", "pay", 2),)
    assert files.read("acme") == files.read() == (Stop("agent", "clerk", 1), Stop("tool", "pay", 2))
    assert files.lift("agent", "clerk", tenant="local") == 0
    assert files.lift("agent", "clerk") == 1


@pytest.mark.parametrize("stop", [Stop("fleet", "x", 0), Stop("agent", "", 0), Stop("all", "x", 0)])
def test_a_stop_that_means_nothing_is_refused(home, stop):
    with pytest.raises(ConfigError) as caught:
        StopFiles(home).set(stop, "", "")
    assert caught.value.code == "bad_stop"
    assert not (home / "stops").exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "[]",
        "{}",
        '{"scope":"fleet","target":"x"}',
        '{"scope":"agent"}',
        '{"scope":"agent","target":7}',
        '{"scope":"agent","target":"x","since_us":-1}',
        '{"scope":"agent","target":"x","tenant":null}',
        '{"scope":"all","target":"x"}',
        "[" * 100_000,
    ],
)
def test_a_file_that_cannot_be_read_stops_everything(home, text):
    (folder(home) / "by-hand").write_text(text)
    assert StopFiles(home).read("any") == EVERYTHING
    aged(home)
    files = StopFiles(home)
    assert files.read() == files.read() == EVERYTHING


@pytest.mark.parametrize("kind", ["fifo", "folder", "dangling", "file"])
def test_whatever_else_lies_there_stops_everything_and_is_never_waited_for(home, kind):
    if kind == "file":
        home.mkdir()
        (home / "stops").write_text("")
    elif kind == "fifo":
        os.mkfifo(folder(home) / "x")
    elif kind == "folder":
        (folder(home) / "x").mkdir()
    else:
        (folder(home) / "x").symlink_to(home / "nowhere")
    assert StopFiles(home).read() == EVERYTHING


def test_a_stop_made_by_hand_counts(home):
    (folder(home) / "mine").write_text('{"scope":"session","target":"one"}')
    assert StopFiles(home).read() == (Stop("session", "one", 0),)


def test_lifting_all_removes_what_cannot_be_read_and_lifting_one_does_not(home):
    files = StopFiles(home)
    (folder(home) / "by-hand").write_text("garbage")
    files.set(Stop("agent", "clerk", 1), "", "")
    assert files.lift("agent", "clerk") == 1
    assert files.read() == EVERYTHING
    assert files.lift("all", "") == 1
    assert files.read() == ()


def test_a_half_written_stop_is_not_there_yet(home):
    (folder(home) / ".x.json.0011").write_text("half")
    assert StopFiles(home).read() == ()


def test_while_nothing_changes_one_look_at_the_folder_is_enough(home, monkeypatch):
    files = StopFiles(home)
    folder(home)
    aged(home)
    assert files.read() == ()
    monkeypatch.setattr(type(home), "iterdir", lambda *_: pytest.fail("it was listed again"))
    assert files.read() == ()


@pytest.mark.disk
def test_a_change_within_the_same_tick_of_the_disk_is_seen(home):
    """A coarse clock leaves the same time behind: what was read so soon after a change is read again."""
    files = StopFiles(home)
    before = folder(home).stat()
    assert files.read() == ()
    files.set(Stop("agent", "clerk", 1), "", "")
    os.utime(folder(home), ns=(before.st_atime_ns, before.st_mtime_ns))
    assert files.read() == (Stop("agent", "clerk", 1),)


def test_a_stop_rewritten_in_place_is_seen(home):
    files = StopFiles(home)
    path = folder(home) / "mine"
    path.write_text('{"scope":"agent","target":"a"}')
    aged(home)
    assert files.read() == (Stop("agent", "a", 0),)
    path.write_text('{"scope":"agent","target":"b"}')
    os.utime(folder(home), ns=(1_000_000_000, 1_000_000_000))
    assert files.read() == (Stop("agent", "b", 0),)
