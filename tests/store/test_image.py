"""What memory holds of the database: it saves reading, and is never taken for the truth. REV, ONCE, FAILCLOSED."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))
import envelope_world as team

from counts import count
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement.agent_credentials import Limits
from halo_core.errors import CannotDecide, Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import Budget, EntryKind, Mode, Quota
from halo_core.store import cached_rows, checkpoint_signer, quota_rows, rows
from halo_core.store import image as image_module
from halo_core.store.config import StoreConfig
from halo_core.store.database import Database
from halo_core.store.drafts import Draft
from halo_core.store.image import MAX_STATES, RunLog, TenantImage
from halo_core.store.session_state import SessionState
from halo_core.store.standing_passports import StandingTable
from halo_core.store.store import Store
from halo_core.store.transaction import Transaction
from halo_world import (
    SURFACE,
    Calls,
    attack,
    bodies,
    cli,
    db_of,
    found,
    policy_folder,
    put_standing,
    tool,
    url_of,
    verified,
)

pytestmark = pytest.mark.disk

SESSION = "s"


@pytest.fixture(autouse=True)
def _no_checkpoints(monkeypatch):
    """The writer thread reads the database for its checkpoints, which is no decision."""
    monkeypatch.setattr("halo_core.store.checkpoint_signer._INTERVAL_S", 3600.0)
    monkeypatch.setattr("halo_core.store.checkpoint_signer._MAX_UNSIGNED", 10**9)


def opened(home, agent="clerk", **more) -> HaloBase:
    more.setdefault("mode", "enforce")
    return HaloBase.local(agent, home=home, policy=policy_folder(home), quiet=True, **more)


@contextlib.contextmanager
def other_store(home) -> Iterator[Store]:
    """Another store on the same database, as another process has it."""
    store = Store(StoreConfig(url_of(home), home, "local"), KeyStore(home))
    try:
        yield store
    finally:
        store.close()


def act(halo, body=None, *, name="lookup", session=SESSION, call_id="", **args):
    with halo.session(session):
        call = halo.build_call(tool(halo, name), args or {"q": "a"}, call_id=call_id)
        return halo.enforcer.run(call, Calls() if body is None else body, SURFACE)


def refused(halo, **more) -> str:
    body = Calls()
    with pytest.raises((Denied, Pending)) as caught:
        act(halo, body, **more)
    assert body == []
    return caught.value.reason


def image_of(halo) -> TenantImage:
    return halo.store._image


# a process that writes alone


@contextlib.contextmanager
def statements(halo) -> Iterator[list[str]]:
    """What is executed on the store's connection."""
    halo.store.flush()
    said: list[str] = []
    connection = halo.store._database.connection
    connection.set_trace_callback(said.append)
    try:
        yield said
        halo.store.flush()
    finally:
        connection.set_trace_callback(None)


def first_words(said) -> set[str]:
    """The kinds of statements, but for those that take an ended session into profiles: they write, and read nothing."""
    said = [statement for statement in said if not statement.startswith(("UPDATE profile ", "DELETE FROM unfolded "))]
    return {statement if statement.startswith("PRAGMA") else statement.split()[0] for statement in said}


UNDISTURBED = {"BEGIN", "PRAGMA data_version", "INSERT", "COMMIT"}


@pytest.mark.parametrize("mode", ["enforce", "observe"])
@pytest.mark.parametrize("result", ["done", "words of a page", "x" * 5000])
def test_undisturbed_decisions_read_nothing(home, mode, result):
    with opened(home, mode=mode, limits=Limits(quotas=(Quota("step", 1000),))) as halo:
        for name in ("lookup", "note"):
            act(halo, Calls("first"), name=name)
        halo.store.flush()
        before = len([item for item in found(home) if item.entry.kind is not EntryKind.PROFILE])
        with statements(halo) as said:
            for number in range(8):
                act(halo, Calls(f"{result} {number}"), name="lookup", q=f"about {number}")
                act(halo, Calls(result), name="note", q=f"{result[:100]} {number}")
            halo.store.flush()
        assert first_words(said) == UNDISTURBED
        assert len([item for item in found(home) if item.entry.kind is not EntryKind.PROFILE]) - before == 32
    assert verified(home) == 0


def test_undisturbed_refusals_pauses_and_repeats_read_nothing(home):
    with opened(home) as halo:
        act(halo)
        assert refused(halo, name="wipe", path="/") == "grave_impact"
        with statements(halo) as said:
            for number in range(4):
                assert refused(halo, name="wipe", path=f"/{number}") == "grave_impact"
                for _ in range(2):
                    with halo.session(SESSION):
                        call = halo.build_call(tool(halo, "lookup"), {"q": "p"}, call_id=f"p{number}")
                        ticket = halo.enforcer.begin(call)
                    ticket.pause(RuntimeError())
        assert first_words(said) <= UNDISTURBED | {"SELECT"}
        assert not [s for s in said if s.startswith("SELECT") and "FROM entry" not in s], said
    assert verified(home) == 0


def test_one_transaction_writes_a_session_once(home):
    with opened(home) as halo:
        act(halo)
        halo.store.flush()
        before = len(found(home))
        with statements(halo) as said:
            halo.store.commit_group([change_state] * 5)
        assert sum(statement.startswith("INSERT INTO session") for statement in said) == 1
        assert sum(statement.startswith("INSERT INTO entry") for statement in said) == 3  # of two rows, two and one
        assert len(found(home)) - before == 5
    assert verified(home) == 0


def change_state(tx: Transaction, session: str = SESSION) -> None:
    """A new version of a session, with the entry that commits to it."""
    state = (tx.load_session(session) or SessionState.create(session, tx.clock.now_us())).with_update()
    written = tx.append(Draft(EntryKind.HANDBACK, session, {"state": state.make_commitment()}))
    tx.put_session(state, written.entry)


# what another process wrote


def stop_agent(home):
    assert cli("stop", "--agent", "clerk", "--why", "a test", home=home)[0] == 0


def stop_session(home):
    assert cli("stop", "--session", SESSION, "--why", "a test", home=home)[0] == 0


def revoke_agent(home):
    assert cli("revoke", "--agent", "clerk", "--why", "a test", home=home)[0] == 0


def spend_quota(home):
    with opened(home, limits=SPENDING) as halo:
        act(halo, session="elsewhere")


def replace_passport(home):
    with other_store(home) as store:
        store.commit(lambda tx: put_standing(tx, "clerk", "sha256:" + "0" * 64))


def put_score_in_force(home):
    with other_store(home) as store:
        store.commit(lambda tx: rows.BaselineTable(tx).put("clerk", "sha256:" + "0" * 64))


def execute(statement):
    """A change that comes with no entry, so that nothing but the count of foreign writes tells of it."""

    def change(home):
        database = attack(db_of(home))
        assert database.execute(statement).rowcount == 1
        database.close()

    return change


SPENDING = Limits(quotas=(Quota("step", 3),))
FOREIGN = {
    "stop of the agent": (stop_agent, {"stopped"}),
    "stop of the session": (stop_session, {"stopped"}),
    "revocation": (revoke_agent, {"revoked"}),
    "spent quota": (spend_quota, {"quota_exceeded"}),
    "standing passport": (replace_passport, {"bad_passport"}),
    "score": (put_score_in_force, {"score_unavailable"}),
    "control row": (execute("DELETE FROM control"), {"ledger_unwritable"}),
    "stop alone": (execute("INSERT INTO hold VALUES ('local','stop','agent','clerk',1)"), {"stopped"}),
    "revocation alone": (execute("INSERT INTO hold VALUES ('local','revoked','agent','clerk',1)"), {"revoked"}),
    "score alone": (execute("INSERT INTO baseline VALUES ('local','clerk','sha256:00')"), {"score_unavailable"}),
}


@pytest.mark.parametrize(("change", "reasons"), FOREIGN.values(), ids=FOREIGN.keys())
def test_what_another_process_wrote_is_in_force_at_the_very_next_decision(home, change, reasons):
    limits = {"limits": SPENDING} if change is spend_quota else {}
    with opened(home, **limits) as halo:
        act(halo, call_id="one")
        act(halo, call_id="two")
        halo.store.flush()
        change(home)
        with noticed_at_once(halo, may_fail=bool(reasons & {"decision_error", "ledger_unwritable"})):
            reason = refused(halo, call_id="three")
        assert {reason} == reasons


@contextlib.contextmanager
def noticed_at_once(halo, *, may_fail=False):
    """A position that is taken would make the transaction fail, and run again without memory; that is too late."""
    with statements(halo) as said:
        yield
    assert may_fail or not first_words(said) & {"ROLLBACK", "SAVEPOINT"}, said


def test_a_budget_that_another_process_spent_is_spent_at_the_very_next_decision(home):
    limit = team.limits(Budget("step", 1, 4))
    with team.opened(home, limit=limit) as one, team.opened(home, limit=limit) as two:
        with one.session(SESSION):
            team.run(one)
            team.run(one)
        one.store.flush()
        with two.session(SESSION):
            team.run(two)
            team.run(two)
        two.store.flush()
        with noticed_at_once(one), one.session(SESSION), pytest.raises((Denied, Pending)) as caught:
            team.run(one)
        assert caught.value.reason == "budget_exceeded"


def test_a_change_of_mode_is_in_force_at_the_very_next_decision(home):
    with opened(home, mode=None) as halo:
        body = Calls()
        act(halo, body, name="wipe", path="/a")
        assert len(body) == 1
        with other_store(home) as store:
            store.commit(lambda tx: tx.put_control(replace(tx.load_control(), recorded=Mode.ENFORCE)))
        with noticed_at_once(halo):
            assert refused(halo, name="wipe", path="/b") == "grave_impact"


def test_a_mode_that_was_set_without_an_entry_is_in_force_at_the_very_next_decision(home):
    with opened(home, mode=None) as halo:
        act(halo, name="wipe", path="/a")
        halo.store.flush()
        execute("UPDATE control SET mode='enforce'")(home)
        assert refused(halo, name="wipe", path="/b") == "grave_impact"


def test_taint_that_another_process_brought_is_seen_at_the_very_next_decision(home):
    with opened(home) as one, opened(home) as two:
        act(one)
        one.store.flush()
        web = tool(two, "query", source_trust=0)
        with two.session(SESSION):
            two.enforcer.run(two.build_call(web, {"limit": 1}), Calls("of the web"), SURFACE)
        two.store.flush()
        with noticed_at_once(one):
            act(one)
    tainted = [body["snapshot"]["session"]["tainted"] for body in bodies(home, EntryKind.DECISION)]
    assert tainted == [False, False, True]
    assert verified(home) == 0


def test_a_request_that_another_process_let_run_does_not_run_again(home):
    with opened(home) as one, opened(home) as two:
        act(one, call_id="first")
        one.store.flush()
        act(two, call_id="c")
        two.store.flush()
        with noticed_at_once(one):
            assert refused(one, call_id="c") == "already_dispatched"
    assert verified(home) == 0


def test_a_position_that_is_taken_costs_memory_and_nothing_else(home):
    """Should a foreign write ever go unseen, the table refuses what was decided on old memory."""
    with opened(home) as halo:
        act(halo)
        halo.store.flush()
        halo.store._database.on_foreign_write = lambda: None
        stop_agent(home)
        assert refused(halo) == "stopped"
    assert verified(home) == 0


def test_rows_of_every_kind_are_read_again_after_a_foreign_write(home):
    def read(tx):
        fingerprints = tx.load_taint_index()
        control, quota = tx.load_control(), quota_rows.QuotaTable(tx).get("a")
        standing, baseline = StandingTable(tx).get("x"), rows.BaselineTable(tx).get("x")
        return control.version, quota, standing, baseline, tx.count_uses("x", "y"), fingerprints.seq

    def write(tx):
        tx.add_tainted_fingerprints(frozenset({7}))
        quota_rows.QuotaTable(tx).put("a", 1, b"{}")
        put_standing(tx, "x", "h")
        rows.BaselineTable(tx).put("x", "b")
        rows.RestrictionTable(tx).add("stop", "agent", "x", 1)
        tx.add_use("x", "y")

    with opened(home) as halo, other_store(home) as store:
        for _ in range(2):
            version, *others = halo.store.commit(read)
            assert others == [None, None, "", 0, 0]
        store.commit(write)
        store.commit(lambda tx: None)  # what was used is counted in its row by a transaction that uses nothing
        standing = cached_rows.StandingPassport("h", "issued")
        assert halo.store.commit(read) == (version + 1, (1, b"{}"), standing, "b", 1, 1)


def test_what_this_process_wrote_is_no_foreign_write(home):
    with opened(home) as halo:
        act(halo)
        halo.store.flush()
        forgotten = []
        halo.store._database.on_foreign_write = lambda: forgotten.append(1)
        for _ in range(3):
            act(halo)
            halo.store.checkpoint()
        assert forgotten == []


# after an error


def is_empty(image: TenantImage) -> bool:
    kept = (
        image.standing,
        image.baselines,
        image.quotas,
        image.keys,
        image.parts,
        image.uses,
        image.taint_index,
        image.runs.open_places,
        image.runs._sessions,
        image.states,
        image.current_sessions,
        image._memories,
    )
    return (image.control, image.next_index, image.taint_end) == (None, None, None) and not any(kept)


def touch_everything(tx: Transaction) -> None:
    """Change memory in every way that a job can."""
    tx.load_control()
    state = tx.load_session(SESSION) or SessionState.create(SESSION, 1)
    tx.load_sketch(state)
    tx.add_tainted_fingerprints(frozenset({1}))
    quota_rows.QuotaTable(tx).put("a", 1, b"{}")
    StandingTable(tx).get("x")
    rows.BaselineTable(tx).get("x")
    tx.add_use("x", "y")
    key = tx.make_run_key(SESSION, "sha256:" + "1" * 64, once=True)
    written = tx.append(Draft(EntryKind.HANDBACK, SESSION, {}, {"text": b"x"}, "user:ana", run=key))
    tx.record_run("sha256:" + "1" * 64, written.entry)
    tx.put_session(state.with_update(), written.entry)


def fail(tx: Transaction) -> None:
    touch_everything(tx)
    raise ValueError("at the end of a job")


def test_after_a_job_that_failed_nothing_is_remembered(home):
    with opened(home) as halo:
        act(halo)
        halo.store.flush()
        with pytest.raises(CannotDecide):
            halo.store.commit(fail)
        assert is_empty(image_of(halo))
        act(halo)
    assert verified(home, signatures=True) == 0


def test_after_a_failed_member_of_a_group_the_others_are_whole(home):
    with opened(home) as halo:
        act(halo)
        halo.store.flush()
        outcomes = halo.store.commit_group([change_state, fail, change_state, fail, change_state])
        assert [outcome.error is None for outcome in outcomes] == [True, False, True, False, True]
        assert_memory_is_right(halo, home)
        act(halo)
    assert verified(home, signatures=True) == 0


def hold_database(halo, _monkeypatch):
    holder = sqlite3.connect(db_of(halo.home), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    return holder.close


def strike_at_begin(_halo, monkeypatch):
    begin = Database.begin

    def and_strike(database, deadline_s, **options):
        begin(database, deadline_s, **options)
        raise KeyboardInterrupt

    patch = monkeypatch.context()
    patch.__enter__().setattr(Database, "begin", and_strike)
    return lambda: patch.__exit__(None, None, None)


def break_commit(halo, monkeypatch):
    real = halo.store._database.connection

    class Broken:
        in_transaction = True

        def execute(self, statement, *values):
            if statement == "COMMIT":
                raise sqlite3.OperationalError("disk I/O error")
            return real.execute(statement, *values)

        def __getattr__(self, name):
            return getattr(real, name)

    monkeypatch.setattr(halo.store._database, "connection", Broken())
    return lambda: None


@pytest.mark.parametrize("break_it", [hold_database, strike_at_begin, break_commit])
def test_after_a_transaction_that_failed_nothing_is_remembered(home, monkeypatch, break_it):
    monkeypatch.setattr(checkpoint_signer, "_INTERVAL_S", 3600.0)  # its commit would be the one that fails
    with opened(home, deadline_s=0.5) as halo:
        act(halo)
        halo.store.flush()
        mend = break_it(halo, monkeypatch)
        with pytest.raises((CannotDecide, KeyboardInterrupt)):
            halo.store.commit(touch_everything)
        assert is_empty(image_of(halo))
        mend()
        act(halo)
        halo.store.flush()
        assert_memory_is_right(halo, home)
    assert verified(home, signatures=True) == 0


def test_after_a_fork_nothing_is_remembered(home):
    with opened(home) as halo:
        act(halo)
        halo.store.flush()
        assert not is_empty(image_of(halo))
        child = os.fork()
        if child == 0:
            code = 1
            with contextlib.suppress(BaseException):
                halo.store._reset_after_fork()
                code = 0 if is_empty(image_of(halo)) else 2
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert not is_empty(image_of(halo))
        act(halo)
    assert verified(home) == 0


def test_a_stop_that_was_read_last_outlives_what_is_forgotten(home):
    with opened(home) as halo:
        act(halo)
        stop_agent(home)
        refused(halo)
        with pytest.raises(CannotDecide):
            halo.store.commit(fail)
        assert [stop.target for stop in halo.store.last_restrictions()[0]] == ["clerk"]


def test_a_lift_that_was_taken_back_lifts_nothing(home):
    def lift_and_fail(tx):
        assert rows.RestrictionTable(tx).remove("stop", "agent", "clerk")
        tx.load_control()
        raise ValueError("after the lift")

    with opened(home) as halo:
        stop_agent(home)
        refused(halo)
        with pytest.raises(CannotDecide):
            halo.store.commit(lift_and_fail)
        assert [stop.target for stop in halo.store.last_restrictions()[0]] == ["clerk"]
        assert refused(halo, call_id="again") == "stopped"


def test_more_sessions_in_one_transaction_than_memory_holds(home):
    """Deferred outcomes of many sessions may wait for one transaction: none reads its row from before."""
    sessions = [f"s{number}" for number in range(MAX_STATES + 20)]
    jobs = [lambda tx, session=session: change_state(tx, session) for session in sessions]
    with opened(home) as halo:
        halo.store.commit_group([*jobs, *jobs])
        assert len(image_of(halo).states) == MAX_STATES
        versions = halo.store.commit(lambda tx: {tx.load_session(session).view.version for session in sessions})
        assert versions == {2}
    assert verified(home) == 0


# memory and rows say the same


def read_runs(tx: Transaction, session: str, request: str) -> list[int]:
    return [mark for *_, mark in tx.list_runs(session, request)]


def assert_memory_is_right(halo: HaloBase, home: Path) -> None:
    """Compare everything that memory holds with what a process that remembers nothing reads."""
    image = image_of(halo)
    with contextlib.closing(sqlite3.connect(db_of(home))) as database:
        states = dict(database.execute("SELECT session, state FROM session").fetchall())
        uses = {row[:2]: row[2] for row in database.execute("SELECT agent, resource, uses FROM usage")}
        quotas = {row[0]: row[1:] for row in database.execute("SELECT account, version, state FROM quota")}
        standing = {row[0]: row[1:] for row in database.execute("SELECT agent, hash, origin, manifest FROM standing")}
        commitments = dict(database.execute("SELECT subject, commitment FROM vault WHERE erased_at_us IS NULL"))
        (next_index,) = database.execute("SELECT max(idx) + 1 FROM entry").fetchone()
        blobs = {row[0] for row in database.execute("SELECT hash FROM blob")}
    for session in image.current_sessions:
        known = image.states.get(session)
        assert (None if known is None else known.to_bytes()) == states.get(session), session
        assert known is None or known == SessionState.from_bytes(states[session])
    assert image.uses == {key: uses.get(key, 0) for key in image.uses}
    assert image.quotas == {key: quotas.get(key) for key in image.quotas}
    assert {key: value and tuple(value) for key, value in image.standing.items()} == {
        key: standing.get(key) for key in image.standing
    }
    assert {subject: kept[1] for subject, kept in image.keys.items()} == {key: commitments[key] for key in image.keys}
    assert image.next_index in (None, next_index)
    assert len(image.parts) <= len(blobs)
    compare_with_fresh_reads(image, home)


def compare_with_fresh_reads(image: TenantImage, home: Path) -> None:
    # `with` would write an entry; a transaction that is never committed reads the same.
    fresh = TenantImage(image.kek, image.sketch_key, image.references)
    with contextlib.closing(Database(url_of(home), read_only=True)) as database:
        tx = Transaction(
            database,
            tenant="local",
            writer=SimpleNamespace(seq=0),  # it signs nothing
            clock=None,
            ids=None,
            image=fresh,
            assurance="dev",  # type: ignore[arg-type]
        )
        if image.control is not None:
            assert tx.load_control() == image.control
        if image.taint_end is not None:
            tx.load_taint_index()
            assert (fresh.taint_end, fresh.taint_index._fingerprints) == (
                image.taint_end,
                image.taint_index._fingerprints,
            )
        for session, requests in image.runs._sessions.items():
            for request, marks in requests.items():
                assert read_runs(tx, session, request) == marks, (session, request)
            known = {name for name, marks in requests.items() if marks}
            query = "SELECT count(*) FROM entry WHERE kind='decision' AND mark=1 AND session=?"
            (runs,) = database.execute(query, (session,)).fetchone()
            assert runs == sum(len(requests[name]) for name in known)
        for session, memory in image._memories.items():
            row = database.execute("SELECT state FROM session WHERE session=?", (session,)).fetchone()
            if row is None:
                continue
            state = SessionState.from_bytes(row[0])
            assert tx.load_sketch(state).marks == memory.sketch.marks
            assert fresh.get_memory(session).chunks == memory.chunks == state.chunks
            profiles = [item.profile for item in (fresh.get_memory(session), memory)]
            read, known = [(profile.request, profile.chunks) for profile in profiles]
            assert read == known
        for (writer, seq), (marks, place) in image.runs.open_places.items():
            assert tx.find_outcome(session_at(database, writer, seq), writer, seq) is None
            assert marks[place] == 0


def session_at(database: Database, writer: str, seq: int) -> str:
    return database.execute("SELECT session FROM entry WHERE w=? AND ws=?", (writer, seq)).fetchone()[0]


_SESSIONS = st.sampled_from(["one", "two", "three"])
_STEPS = st.one_of(
    st.tuples(st.just("begin"), _SESSIONS, st.integers(0, 3)),
    st.tuples(st.just("settle"), st.integers(0, 5), st.sampled_from(["succeed", "pause", "fail"])),
    st.tuples(st.just("hand off"), _SESSIONS, st.integers(0, 3)),
    st.tuples(st.just("job that fails"), _SESSIONS, st.just(0)),
    st.tuples(st.just("other process"), _SESSIONS, st.integers(0, 3)),
    st.tuples(st.just("flush"), st.just(0), st.just(0)),
)


@pytest.mark.slow
@settings(max_examples=count(80))
@given(st.lists(_STEPS, min_size=4, max_size=14))
def test_what_memory_says_is_what_a_fresh_process_reads(steps):
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        policy = {"limit": team.limits(Budget("step", 1, 500))}
        with team.opened(home, **policy) as halo, team.opened(home, **policy) as other:
            tickets: list[Any] = []
            for step in steps:
                with contextlib.suppress(Denied, Pending):
                    take_step(halo, other, tickets, *step)
            # Memory is valid from the beginning of a transaction on, a sketch once it was asked for.
            halo.store.commit(read_sketches)
            assert_memory_is_right(halo, home)
            for ticket in tickets:
                ticket.succeed("done", SURFACE)
            halo.store.commit(read_sketches)
            assert_memory_is_right(halo, home)
        assert verified(home) == 0


def read_sketches(tx: Transaction) -> None:
    for session in ("one", "two", "three"):
        state = tx.load_session(tx.references.of_session(session))
        if state is not None:
            tx.load_sketch(state)


def take_step(halo: HaloBase, other: HaloBase, tickets: list[Any], kind: str, which: Any, number: Any) -> None:
    if kind == "begin":
        with halo.session(which):
            tickets.append(halo.enforcer.begin(team.call(halo, call_id=f"c{number}", q="x")))
    elif kind == "settle" and tickets:
        ticket = tickets.pop(which % len(tickets))
        if number == "succeed":
            ticket.succeed(f"result {which}", SURFACE)
        else:
            ticket.pause(RuntimeError()) if number == "pause" else ticket.fail(RuntimeError())
    elif kind == "hand off":
        with halo.session(which), halo.hand_off("planner"):
            team.run(halo, call_id=f"h{number}", q="y")
    elif kind == "job that fails":
        with pytest.raises(CannotDecide):
            halo.store.commit(fail)
    elif kind == "other process":
        with other.session(which):
            team.run(other, call_id=f"c{number}", q="x")
        other.store.flush()
    elif kind == "flush":
        halo.store.flush()


# runs


def place(number: int) -> tuple[str, int]:
    return "w", number


def test_the_log_of_runs_is_bounded(monkeypatch):
    monkeypatch.setattr(image_module, "MAX_RUNS", 8)
    runs = RunLog()
    for number in range(100):
        runs.begin(f"s{number}")
        runs.add(f"s{number}", "r", place(number))
        assert runs.find(f"s{number}", "r") in ([0], None)
        assert len(runs._sessions) <= 8
        assert sum(len(marks) for requests in runs._sessions.values() for marks in requests.values()) <= 8
        assert len(runs.open_places) <= 8


def test_the_log_of_runs_is_bounded_in_sessions_where_nothing_runs(monkeypatch):
    monkeypatch.setattr(image_module, "MAX_RUNS", 8)
    runs = RunLog()
    for number in range(100):
        runs.begin(f"s{number}")
        assert len(runs._sessions) <= 8
        assert runs.find(f"s{number}", "r") in ([], None)


_ADDED = st.tuples(st.just("add"), st.integers(0, 3), st.integers(0, 2))
_SETTLED = st.tuples(st.just("settle"), st.integers(0, 40), st.integers(1, 2))


@given(st.lists(st.one_of(_ADDED, _SETTLED, st.tuples(st.just("expire"), st.just(0), st.just(0))), max_size=40))
def test_the_log_of_runs_never_calls_a_request_new_that_ran(steps):
    limit, image_module.MAX_RUNS = image_module.MAX_RUNS, 6
    try:
        runs, truth, added = RunLog(), {}, 0
        for number in range(4):
            runs.begin(f"s{number}")
        for kind, one, two in steps:
            if kind == "add":
                runs.add(f"s{one}", f"r{two}", place(added))
                truth.setdefault((f"s{one}", f"r{two}"), {})[place(added)] = 0
                added += 1
            elif kind == "settle":
                runs.settle(place(one), two)
                for marks in truth.values():
                    if marks.get(place(one)) == 0:
                        marks[place(one)] = two
            else:
                runs.expire()
            for (session, request), marks in truth.items():
                told = runs.find(session, request)
                assert told is None or len(told) == len(marks)
                assert told is None or all(mark in (0, known) for mark, known in zip(told, marks.values(), strict=True))
    finally:
        image_module.MAX_RUNS = limit


def test_memory_that_forgot_a_run_does_not_let_it_run_again(home):
    """The table refuses the key; then memory is read anew, and says why."""
    body = Calls()
    with opened(home) as halo:
        act(halo, body, call_id="c")
        halo.store.flush()
        image_of(halo).runs._sessions[SESSION] = {}
        with pytest.raises(Denied) as denied:
            act(halo, body, call_id="c")
        assert (denied.value.reason, len(body)) == ("already_dispatched", 1)
    assert verified(home) == 0


def test_the_table_refuses_a_second_run_whatever_memory_says(home, monkeypatch):
    monkeypatch.setattr(Transaction, "was_dispatched", lambda *_: False)
    monkeypatch.setattr(RunLog, "find", lambda *_: [])
    body = Calls()
    with opened(home) as halo:
        act(halo, body, call_id="c")
        halo.store.flush()
        for _ in range(2):
            with pytest.raises(Denied) as denied:
                act(halo, body, call_id="c")
            assert (denied.value.reason, len(body)) == ("ledger_unwritable", 1)
    assert verified(home) == 0


def test_a_session_whose_row_was_removed_does_not_begin_anew(home):
    """Its entries are still there, and with them the keys of its runs."""
    body = Calls()
    with opened(home) as halo:
        act(halo, body, call_id="c")
        halo.store.flush()
        execute("DELETE FROM session")(home)
        for _ in range(2):
            with pytest.raises(Denied) as denied:
                act(halo, body, call_id="c")
            assert (denied.value.reason, len(body)) == ("ledger_unwritable", 1)
    assert verified(home) == 13


def test_the_table_refuses_a_second_outcome_whatever_memory_says(home, monkeypatch):
    with opened(home) as halo:
        act(halo, call_id="c")
        halo.store.flush()
        (decision,) = team.found(home, EntryKind.DECISION)
        entry, session = decision.entry, halo.store.references.of_session(SESSION)
        monkeypatch.setattr(Transaction, "has_outcome", lambda *_: False)
        with pytest.raises(CannotDecide) as caught:
            halo.store.commit(
                lambda tx: tx.append(
                    Draft(EntryKind.OUTCOME, session, {"decision": entry.seq}, settles=(entry.writer, entry.seq))
                )
            )
        assert caught.value.code == "ledger_unwritable"
    assert len(bodies(home, EntryKind.OUTCOME)) == 1
    assert verified(home) == 0


def test_a_paused_run_makes_room_for_exactly_one_more_whatever_memory_says(home, monkeypatch):
    monkeypatch.setattr(Transaction, "was_dispatched", lambda *_: False)
    with opened(home) as halo:

        def begin():
            with halo.session(SESSION):
                return halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}, call_id="c"))

        begin().pause(RuntimeError())
        halo.store.flush()
        monkeypatch.setattr(RunLog, "find", lambda *_: [2])  # one run, which paused
        ticket = begin()
        with pytest.raises(Denied) as denied:
            begin()
        assert denied.value.reason == "ledger_unwritable"
        ticket.succeed("done", SURFACE)
    assert verified(home) == 0
