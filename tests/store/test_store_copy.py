"""Copying a store between the engines: nothing is lost or changed, and half a copy is never a store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engine_world import ENGINES, Place
from postgres_server import start_server

from halo_core import failpoints
from halo_core.errors import ConfigError, Denied, Gap, HaloError, NotVerified, Pending, Tampered
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.replay import ReplayStatus, replay_log
from halo_core.store.postgres_target import PostgresCopyTarget
from halo_core.store.reader import Reader
from halo_core.store.sqlite_target import SqliteCopyTarget
from halo_core.store_copy import StoreCopy, copy_store
from halo_world import SURFACE, Calls, cli, tool
from preloaded_python import find_python

pytestmark = pytest.mark.disk


def act(halo: HaloBase, name: str, call_id: str, session: str = "s", **args: object) -> object:
    with halo.session(session, user="ana"):
        return halo.enforcer.run(halo.build_call(tool(halo, name), args, call_id=call_id), Calls(), SURFACE)


def fill(place: Place, calls: int = 5, tenants: tuple[str, ...] = ("local", "other")) -> Place:
    """Sessions of several tenants, a denial, and a challenge that waits for an answer."""
    for tenant in tenants:
        with place.open(tenant=tenant) as halo:
            for number in range(calls):
                act(halo, "lookup", str(number), f"s-{number % max(7, calls // 500)}", q=f"question {number}")
            with pytest.raises(Denied):
                act(halo, "wipe", "w", path="/")
            with pytest.raises(Pending):
                act(halo, "pay", "p", amount=500, to="bob")
    return place


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """A home with a filled SQLite store; it is only copied."""
    return fill(Place.make("sqlite", tmp_path_factory.mktemp("filled") / "home")).home


@pytest.fixture
def source(request, filled, tmp_path) -> Place:
    engine = getattr(request, "param", "sqlite")
    if engine != "sqlite":
        return fill(Place.make(engine, tmp_path / "home"))
    return Place.make(engine, shutil.copytree(filled, tmp_path / "home"))


def make_target(engine: str, source: Place) -> Place:
    """An empty database beside the source."""
    if engine == "sqlite":
        return Place(source.home, f"sqlite:///{source.home.parent / 'copy.db'}")
    return Place(source.home, start_server().make_database())


def file_of(place: Place) -> Path:
    return Path(place.url.removeprefix("sqlite:///"))


def require_replayed(place: Place, tenants: list[str]) -> int:
    total = 0
    for tenant in tenants:
        results = list(replay_log(place.url, place.home, tenant))
        assert {item.status for item in results} == {ReplayStatus.IDENTICAL}
        total += len(results)
    return total


def common_rows(copy: StoreCopy) -> dict[str, str]:
    return {name: digest for name, digest in copy.rows.items() if name != "sequenced"}


def copy_there_and_back(first: Place) -> tuple[StoreCopy, Place]:
    """SQLite to PostgreSQL to SQLite, each verified and replayed; the last copy and its place."""
    second, third = make_target("postgresql", first), make_target("sqlite", first)
    there = copy_store(first.url, second.url, first.home)
    back = copy_store(second.url, third.url, first.home)
    assert there.logs == back.logs
    assert common_rows(there) == common_rows(back)
    decisions = {require_replayed(place, list(there.logs)) for place in (first, second, third)}
    assert len(decisions) == 1
    assert [place.verified() for place in (first, second, third)] == [0, 0, 0]
    return back, third


def test_a_copy_there_and_back_is_the_same_store(source):
    back, _ = copy_there_and_back(source)
    assert set(back.logs) == {"local", "other"}
    assert all(log.entries > 10 for log in back.logs.values())


@pytest.mark.thorough
def test_a_copy_of_100_000_entries_there_and_back(tmp_path):
    back, _ = copy_there_and_back(fill(Place.make("sqlite", tmp_path / "home"), 50_000, ("local",)))
    assert back.logs["local"].entries > 100_000


@pytest.mark.parametrize("source", ENGINES, indirect=True)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.matrix
def test_work_goes_on_with_the_copy(source, engine):
    target = make_target(engine, source)
    copy_store(source.url, target.url, source.home)
    before = {tenant: len(target.found(tenant=tenant)) for tenant in ("local", "other")}
    with target.open() as halo:
        with pytest.raises(Denied, match="already"):
            act(halo, "lookup", "0", "s-0", q="question 0")  # ONCE holds across the copy
        act(halo, "lookup", "new", "s-0", q="more")
    assert len(target.found()) > before["local"]
    assert len(target.found(tenant="other")) == before["other"]
    with Reader(target.url) as reader, Reader(source.url) as original:
        question = next(original.stream("SELECT id, status, answer FROM approval"))
        assert question in list(reader.stream("SELECT id, status, answer FROM approval"))
    assert target.verified() == 0
    require_replayed(target, ["local", "other"])


@pytest.mark.parametrize("engine", ENGINES)
def test_a_target_that_is_not_empty_is_refused(source, engine):
    target = make_target(engine, source)
    copy_store(source.url, target.url, source.home)
    entries = target.found()
    for restart in (False, True):
        with pytest.raises(ConfigError) as caught:
            copy_store(source.url, target.url, source.home, restart=restart)
        assert caught.value.code == "store_not_empty"
    assert target.found() == entries


def test_a_file_of_something_else_is_refused(source, tmp_path):
    other = tmp_path / "notes.txt"
    other.write_text("not a database, and longer than a hundred bytes " * 4)
    text = other.read_text()
    with pytest.raises(ConfigError) as caught:
        copy_store(source.url, f"sqlite:///{other}", source.home, restart=True)
    assert caught.value.code == "store_not_empty"
    assert other.read_text() == text


def test_a_schema_with_one_table_of_that_name_is_refused(source):
    target = make_target("postgresql", source)
    start_server().run("CREATE TABLE session (id text)", database=target.url)
    with pytest.raises(ConfigError) as caught:
        copy_store(source.url, target.url, source.home, restart=True)
    assert caught.value.code == "store_not_empty"


KILLED = """
import os, sys
from pathlib import Path
from halo_core import failpoints
from halo_core.store_copy import copy_store

left = [int(sys.argv[4])]
def strike(name):
    if name == sys.argv[3]:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), 9)
failpoints.arm_failpoints(strike)
copy_store(sys.argv[1], sys.argv[2], Path(sys.argv[5]))
"""


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("point", [("copied_table", 0), ("copied_table", 6), ("before_finish", 0)])
@pytest.mark.matrix
def test_what_a_killed_copy_left_is_no_store_and_can_be_restarted(source, engine, point):
    target = make_target(engine, source)
    command = [*find_python(), "-c", KILLED, source.url, target.url, point[0], str(point[1]), str(source.home)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    assert subprocess.run(command, env=env, check=False).returncode == -9
    with pytest.raises(ConfigError) as caught:
        target.open()
    assert caught.value.code == "copy_unfinished"
    for verb in (("verify",), ("log", "--tenant", "local"), ("replay", "--all", "--tenant", "local")):
        code, _, err = target.cli(*verb)
        assert code == 64
        assert "copy_unfinished" in err
    with pytest.raises(ConfigError) as caught:
        copy_store(source.url, target.url, source.home)
    assert caught.value.code == "copy_unfinished"
    assert "--restart" in caught.value.remedy
    copied = copy_store(source.url, target.url, source.home, restart=True)
    assert set(copied.logs) == {"local", "other"}
    assert target.verified() == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_a_failed_copy_removes_what_it_wrote(source, engine):
    target = make_target(engine, source)

    def strike(name):
        if name == "copied":
            raise OSError("the cable was pulled")

    failpoints.arm_failpoints(strike)
    with pytest.raises(OSError, match="cable"):
        copy_store(source.url, target.url, source.home)
    failpoints.arm_failpoints(None)
    copy_store(source.url, target.url, source.home)  # without `restart`
    assert target.verified() == 0


@pytest.mark.parametrize("engine", ENGINES)
def test_two_copies_do_not_fill_one_target(source, engine):
    target = make_target(engine, source)
    refusals = []

    def strike(name):
        if name == "before_finish" and not refusals:
            refusals.append("")
            with pytest.raises(ConfigError) as caught:
                copy_store(source.url, target.url, source.home, restart=True)
            refusals[0] = caught.value.code

    failpoints.arm_failpoints(strike)
    copy_store(source.url, target.url, source.home)
    assert refusals == ["copy_running"]
    assert target.verified() == 0


CHANGES = {
    "entry": "UPDATE entry SET body=? WHERE w=(SELECT min(w) FROM entry) AND ws=1",
    "usage": "UPDATE usage SET uses=uses+1",
    "resource": "DELETE FROM resource",
    "checkpoint": "DELETE FROM checkpoint",
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("table", CHANGES)
@pytest.mark.matrix
def test_a_copy_that_differs_from_its_source_is_no_store(source, engine, table):
    target = make_target(engine, source)

    def strike(name):
        if name == "copied":
            with target.attack() as attacker:
                attacker.run(CHANGES[table], *((b"{}",) if table == "entry" else ()))

    failpoints.arm_failpoints(strike)
    with pytest.raises(NotVerified):
        copy_store(source.url, target.url, source.home)
    with pytest.raises(HaloError):
        Reader(target.url)


def test_a_source_that_is_not_whole_is_not_copied(source):
    with source.attack() as attacker:
        attacker.run("DELETE FROM entry WHERE ws=2 AND tenant='other'")
    target = make_target("sqlite", source)
    with pytest.raises((Gap, Tampered), match="source"):
        copy_store(source.url, target.url, source.home)
    assert not file_of(target).exists()


@pytest.mark.parametrize("source", ENGINES, indirect=True)
@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.matrix
def test_a_source_in_use_is_refused_or_copied_as_of_one_moment(source, engine):
    target = make_target(engine, source)
    with source.open() as halo:
        act(halo, "lookup", "before", "s-0", q="a")
        halo.store.flush()
        with pytest.raises(ConfigError) as caught:
            copy_store(source.url, target.url, source.home)
        assert caught.value.code == "store_in_use"
        assert "--in-use" in caught.value.remedy
        halo.store.checkpoint()
        copied = copy_store(source.url, target.url, source.home, in_use=True)
        assert copied.is_in_use
        act(halo, "lookup", "after", "s-0", q="b")
    assert target.verified() == 0
    assert len(target.found(EntryKind.DECISION)) == len(source.found(EntryKind.DECISION)) - 1


def test_a_source_that_was_written_meanwhile_is_noticed(source):
    target = make_target("sqlite", source)

    def strike(name):
        if name == "copied":
            failpoints.arm_failpoints(None)
            with source.open() as halo:
                act(halo, "lookup", "meanwhile", "s-0", q="a")

    failpoints.arm_failpoints(strike)
    with pytest.raises(ConfigError, match="while it was copied"):
        copy_store(source.url, target.url, source.home)
    assert not file_of(target).exists()


@pytest.mark.parametrize("engine", ENGINES)
def test_what_the_home_knows_of_an_earlier_copy_is_not_forgotten(source, engine):
    """A copy that went on, was lost and is made again would lack what came after it."""
    target = make_target(engine, source)
    copy_store(source.url, target.url, source.home)
    with target.open() as halo:
        act(halo, "lookup", "later", "s-0", q="a")
    if engine == "sqlite":
        file_of(target).unlink()
    else:
        start_server().run("DROP SCHEMA public CASCADE; CREATE SCHEMA public", database=target.url)
    with pytest.raises(Gap):
        copy_store(source.url, target.url, source.home)
    with pytest.raises(HaloError):
        Reader(target.url)


@pytest.mark.parametrize("engine", ENGINES)
def test_an_interrupt_after_the_end_removes_nothing(source, engine, monkeypatch):
    target = make_target(engine, source)
    kind = SqliteCopyTarget if engine == "sqlite" else PostgresCopyTarget
    finish = kind.finish

    def finish_and_stop(self):
        finish(self)
        raise KeyboardInterrupt

    monkeypatch.setattr(kind, "finish", finish_and_stop)
    with pytest.raises(KeyboardInterrupt):
        copy_store(source.url, target.url, source.home)
    assert target.verified() == 0


def test_another_home_cannot_copy_a_store(source, tmp_path):
    with pytest.raises(ConfigError) as caught:
        copy_store(source.url, make_target("sqlite", source).url, tmp_path / "other-home")
    assert caught.value.code == "no_trust"


def test_the_command_copies_and_says_what(source):
    target = make_target("postgresql", source)
    code, out, _ = cli("store", "copy", source.url, target.url, "--json", home=source.home)
    assert code == 0
    logs = json.loads(out)["logs"]
    assert logs["local"] == {"entries": len(target.found()), "root": logs["local"]["root"]}
    again = make_target("sqlite", source)
    code, out, _ = cli("store", "copy", target.url, again.url, home=source.home)
    assert code == 0
    assert "other: " in out  # with another root: the first copy is an entry of its source
    assert "the same in both" in out
    code, _, err = cli("store", "copy", target.url, again.url, home=source.home)
    assert code == 64
    assert "store_not_empty" in err
