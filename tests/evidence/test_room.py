"""The query room: what it reads against the raw rows, and what it refuses to answer."""

from __future__ import annotations

import contextlib
import shutil
import sqlite3

import pytest

from halo_core.errors import Denied
from halo_core.evidence.answers import Period, Verdict, describe_tool, format_query
from halo_core.evidence.room import DecisionFilter, QueryRoom, ask
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, db_of, policy_folder, tool

ALWAYS = Period(0, 2**62)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("room") / "home"
    work = [("lookup", {"q": "a"}), ("watched", {"q": "b"}), ("wipe", {"path": "/"})]
    for agent in ("clerk", "auditor"):
        with HaloBase.local(agent, home=place, mode="enforce", policy=policy_folder(place), quiet=True) as halo:
            tools = {name: tool(halo, name, labels=("pii",) if name == "lookup" else ()) for name, _ in work}
            for session, user in (("one", "ana"), ("two", "bob"), ("three", "")):
                with halo.session(f"{agent}-{session}", user=user):
                    for name, args in work:
                        with contextlib.suppress(Denied):
                            halo.enforcer.run(halo.build_call(tools[name], args), Calls(), SURFACE)
    return place


@contextlib.contextmanager
def room_of(home, query="halo test"):
    with Reader(f"sqlite:///{db_of(home)}") as reader:
        reader.use_names(home)
        yield QueryRoom(reader, "local", home=home, now_us=0, query=query)


def count_decisions(room, period):
    counted = sum(1 for _ in room.decisions(DecisionFilter(period)))
    return room.conclude(period, counted=counted, what="decisions", claim="they can be counted")


def raw(home, query):
    with contextlib.closing(sqlite3.connect(db_of(home))) as connection:
        return connection.execute(query).fetchall()


def test_a_question_says_what_it_counted_and_under_which_checkpoint(home):
    with room_of(home) as room:
        answer = ask(room, ALWAYS, count_decisions)
    (count,) = raw(home, "SELECT count(*) FROM entry WHERE kind='decision'")[0]
    (last,) = raw(home, "SELECT max(idx) FROM entry")[0]
    (size,) = raw(home, "SELECT max(size) FROM checkpoint")[0]
    population = answer.population
    assert (answer.verdict, population.counted, population.first_index) == (Verdict.HOLDS, count, 0)
    assert (population.last_index, population.tree_size) == (last, size)
    assert answer.to_json()["tool"] == describe_tool()


@pytest.mark.parametrize(
    ("wanted", "count"),
    [({"agent": "clerk"}, 9), ({"user": "ana"}, 6), ({"label": "pii"}, 6), ({"tool": "w*"}, 12), ({"agent": "x"}, 0)],
)
def test_decisions_are_found_by_what_they_are_about(home, wanted, count):
    with room_of(home) as room:
        assert len(list(room.decisions(DecisionFilter(ALWAYS, **wanted)))) == count


def test_a_period_takes_what_its_times_say(home):
    times = [row[0] for row in raw(home, "SELECT ts_us FROM entry WHERE kind='decision' ORDER BY idx")]
    period = Period(times[4], times[9])
    with room_of(home) as room:
        seen = [item.ts_us for item in room.decisions(DecisionFilter(period))]
    assert seen == [ts_us for ts_us in times if period.contains(ts_us)]


def test_a_period_without_entries_cannot_be_told_about(home):
    with room_of(home) as room:
        assert ask(room, Period(1, 2), count_decisions).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE entry SET ts_us=1 WHERE idx=5", "column_altered"),
        ("UPDATE entry SET kind='outcome' WHERE idx=(SELECT idx FROM entry WHERE kind='decision')", "column_altered"),
        ("UPDATE entry SET body=CAST(replace(body, '\"v\":3', '\"v\":4') AS BLOB) WHERE idx=5", "chain_broken"),
        ("DELETE FROM entry WHERE idx=5", "position_missing"),
        ("DELETE FROM entry WHERE idx=(SELECT max(idx) FROM entry)", "ledger_behind_anchor"),
        ("DELETE FROM checkpoint", "checkpoint_missing"),
    ],
)
def test_a_log_that_does_not_verify_answers_nothing(home, tmp_path, change, code):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with contextlib.closing(sqlite3.connect(db_of(copy))) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(change)
        connection.commit()
    with room_of(copy) as room:
        answer = ask(room, ALWAYS, count_decisions)
    assert answer.verdict is Verdict.CANNOT_TELL
    assert code in answer.findings[0]


def test_names_are_opened_where_the_home_can(home):
    with room_of(home) as room:
        users = {item.user for item in room.decisions(DecisionFilter(ALWAYS)) if item.user}
        assert {room.name_of(user) for user in users} == {"ana", "bob"}
        assert not users & {"ana", "bob"}


def test_control_entries_are_streamed_by_kind(home):
    with room_of(home) as room:
        kinds = {item.kind for item in room.entries((EntryKind.REGISTRATION, EntryKind.SHADOW), ALWAYS)}
        assert kinds == {"registration"}


def test_a_query_is_written_in_one_way():
    text = format_query("who-touched", Period(0, 1_500_000), label="a b", prove=True, agent="")
    assert text == "halo who-touched --from 1970-01-01T00:00:00Z --label 'a b' --prove --to 1970-01-01T00:00:01.500000Z"
