"""Attacks on what memory holds of the store, and on columns beside an entry: nothing comes back, and it shows."""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "authority"))
import envelope_world as team

from halo_core.errors import CannotDecide, Denied, Pending
from halo_core.facade import HaloBase
from halo_core.model import Budget, EntryKind
from halo_core.store import Draft, rows
from halo_world import SURFACE, Calls, attack, cli, db_of, policy_folder, tool

pytestmark = pytest.mark.disk
S = "s"


def local(home, **more):
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True, **more)


def act(halo, session=S, q="a", name="lookup", **more):
    target = tool(halo, name, **more)
    body = Calls("hello from the web")
    with halo.session(session):
        halo.enforcer.run(halo.build_call(target, {"q": q}), body, SURFACE)
    return body


def test_a_row_taken_back_to_what_this_process_remembers_is_accepted(tmp_path):
    """A budget of four steps and two processes: the row goes back to the state that the first process saw last."""
    home = tmp_path / "home"
    limit = team.limits(Budget("step", 1, 4))
    with team.opened(home, limit=limit) as one, team.opened(home, limit=limit) as two:
        with one.session(S):
            team.run(one)
            team.run(one)
        one.store.flush()
        database = attack(db_of(home))
        early = database.execute("SELECT version, state, head_w, head_ws FROM session").fetchone()
        with two.session(S):
            team.run(two)
            team.run(two)
        two.store.flush()
        database.execute("UPDATE session SET version=?, state=?, head_w=?, head_ws=?", early)
        database.close()
        with one.session(S), pytest.raises((Denied, Pending)):
            team.run(one)


def test_taint_of_another_process_washed_by_the_older_row(tmp_path):
    """The other process tainted the session; the older row would make it clean again for whoever remembers it."""
    home = tmp_path / "home"
    with local(home) as one, local(home) as two:
        act(one)
        one.store.flush()
        database = attack(db_of(home))
        early = database.execute("SELECT version, state, head_w, head_ws FROM session").fetchone()
        act(two, source_trust=0)
        two.store.flush()
        database.execute("UPDATE session SET version=?, state=?, head_w=?, head_ws=?", early)
        database.close()
        with pytest.raises(Denied):
            act(one)


def test_a_stop_is_remembered_though_another_job_of_its_group_failed(tmp_path):
    """Kept for the time when nothing can be read."""

    def stop(tx):
        tx.append(Draft(EntryKind.STOP, "", {"scope": "agent", "target": "clerk"}))
        assert rows.RestrictionTable(tx).add("stop", "agent", "clerk", 1)

    def spoilt(tx):
        raise CannotDecide("decision_error", "no", remedy="none")

    with local(tmp_path / "home") as halo:
        outcomes = halo.store.commit_group([stop, spoilt])
        assert [item.error is None for item in outcomes] == [True, False]
        assert [item.target for item in halo.store.last_restrictions()[0]] == ["clerk"]


@pytest.mark.parametrize("change", [(b'"body":{"decision":', b'"body":{"decision":-')])
def test_verify_survives_any_number_in_an_outcome(tmp_path, change):
    """A number that no sequence can be, in a signed text."""
    home = tmp_path / "home"
    with local(home) as halo:
        act(halo)
    database = attack(db_of(home))
    (text,) = database.execute("SELECT body FROM entry WHERE kind='outcome'").fetchone()
    assert change[0] in text
    database.execute("UPDATE entry SET body=? WHERE kind='outcome'", (text.replace(*change),))
    database.close()
    code, out, err = cli("verify", home=home)
    assert code == 11, (code, out[-600:], err[-900:])


def test_a_secret_in_a_key_that_is_a_member_of_an_enum_is_sealed(tmp_path):
    from enum import Enum

    class Key(str, Enum):  # noqa: UP042  its text is not its value
        A = "sk-abcdefghijklmnopqrstuvwxyz0123456789"

    with local(tmp_path / "home") as halo:
        target = tool(halo, "lookup")
        context = halo.enforcer._preparer.prepare(halo.build_call(target, {"q": {Key.A: "v"}}))
        assert b"sk-abcdef" not in context.content["args"], context.content["args"]


def test_a_new_session_costs_the_same_in_a_log_of_any_length(tmp_path):
    """What a session is taken up with is looked up by session, and never by walking the log under the lock."""
    import sqlite3

    from halo_core.store import transaction

    home = tmp_path / "home"
    with local(home):
        pass
    marks = "SELECT marks FROM entry WHERE tenant=? AND session=? AND marks IS NOT NULL ORDER BY idx"
    database = sqlite3.connect(db_of(home))
    for query, values in ((transaction.NEWEST_STATE_QUERY, ("local", "s", b"x")), (marks, ("local", "s"))):
        plan = [row[3] for row in database.execute(f"EXPLAIN QUERY PLAN {query}", values)]
        assert "session=?" in plan[0], plan
    database.close()


def test_the_numbers_of_two_runs_of_one_request_exchanged(tmp_path):
    """A request that paused and went on: keys 0 and 1 exchanged between its two runs."""
    home = tmp_path / "home"
    with local(home) as halo:
        contexts = []
        for status in ("paused", "success"):
            from halo_core.enforcement.jobs import OutcomeJob

            with halo.session(S):
                ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}, call_id="c"))
            contexts.append(ticket.verdict)
            halo.store.commit(OutcomeJob(ticket.verdict, status))
    assert cli("verify", home=home)[0] == 0
    database = attack(db_of(home))
    found = database.execute("SELECT rowid, once FROM entry WHERE kind='decision' ORDER BY idx").fetchall()
    assert [key[-1] for _, key in found] == [0, 1]
    for rowid, _ in found:
        database.execute("UPDATE entry SET once=NULL WHERE rowid=?", (rowid,))
    for (rowid, _), (_, key) in zip(found, reversed(found), strict=True):
        database.execute("UPDATE entry SET once=? WHERE rowid=?", (key, rowid))
    database.close()
    code, out, _ = cli("verify", home=home)
    assert code == 11, (code, out)


def test_an_interrupt_in_commit_does_not_wedge_the_store(tmp_path):
    """Ctrl-C while COMMIT runs, raised after it is durable: a writer that signed the same sequence again would be
    refused for ever."""
    home = tmp_path / "home"
    with local(home) as halo:
        act(halo)
        halo.store.flush()
        real = halo.store._database.connection

        class Interrupted:
            armed = True

            def __getattr__(self, name):
                return getattr(real, name)

            def execute(self, statement, *values):
                result = real.execute(statement, *values)
                if statement == "COMMIT" and self.armed:
                    self.armed = False
                    raise KeyboardInterrupt
                return result

        halo.store._database.connection = Interrupted()
        with pytest.raises(KeyboardInterrupt):
            act(halo, q="b")
        act(halo, q="c")


def test_an_entry_of_format_1_is_named_as_such(tmp_path):
    """It is called a version that is not known, and nothing else is wrong with it."""
    home = tmp_path / "home"
    with local(home) as halo:
        act(halo)
    database = attack(db_of(home))
    (rowid, text) = database.execute("SELECT rowid, body FROM entry WHERE kind='decision'").fetchone()
    old = text.replace(b'"v":3', b'"v":1').replace(b'"frame":', b'"framed":')
    database.execute("UPDATE entry SET body=? WHERE rowid=?", (old, rowid))
    database.close()
    from halo_core.verification import verify_store
    from halo_world import url_of

    report = verify_store(url_of(home), home)
    codes = {item.code for item in report.findings if "column body" in item.where and item.check == 2}
    assert codes == {"unknown_version"}, [(i.code, i.where) for i in report.findings]


def test_the_sketch_is_compared_with_what_the_entries_say(tmp_path):
    """Marks taken away beside an entry: a new process decides as if the untrusted text had never been read."""
    from halo_world import bodies

    home = tmp_path / "home"
    for steal in (False, True):
        here = home / str(steal)
        here.parent.mkdir(exist_ok=True)
        with local(here) as halo:
            act(halo, source_trust=0)
        if steal:
            database = attack(db_of(here))
            assert database.execute("UPDATE entry SET marks=NULL WHERE kind='outcome'").rowcount
            database.close()
        with local(here) as halo:
            try:
                act(halo, q="hello web", source_trust=0)
            except Denied as denied:
                assert steal
                assert denied.reason == "ledger_unwritable"  # noqa: PT017  only where it is refused
                continue
        last = bodies(here, EntryKind.DECISION)[-1]["snapshot"]["provenance"]
        assert last == [["/q", "untrusted"]], (steal, last)


def test_a_missing_part_is_a_gap_and_nothing_else_is_accused(tmp_path):
    """One row of `blob` deleted; session row, `once` and `mark` of every entry that names it are as written."""
    from halo_core.verification import verify_store
    from halo_world import url_of

    home = tmp_path / "home"
    with local(home) as halo:
        act(halo)
        act(halo, q="b")
    database = attack(db_of(home))
    found = database.execute("SELECT rowid, bytes FROM blob WHERE instr(bytes, '\"control_version\"')>0").fetchall()
    database.execute("DELETE FROM blob WHERE rowid=?", (found[0][0],))
    database.close()
    report = verify_store(url_of(home), home)
    wrong = [(item.kind, item.code, item.where) for item in report.findings if not item.where.startswith("blob ")]
    assert (report.exit_code, wrong) == (13, []), (report.exit_code, wrong)


def test_an_altered_part_is_named_and_nothing_else_is_accused(tmp_path):
    from halo_core.verification import verify_store
    from halo_world import url_of

    home = tmp_path / "home"
    with local(home) as halo:
        act(halo)
        act(halo, q="b")
    database = attack(db_of(home))
    database.execute("UPDATE blob SET bytes=CAST(bytes||' ' AS BLOB) WHERE instr(bytes, '\"control_version\"')>0")
    database.close()
    report = verify_store(url_of(home), home)
    wrong = [(item.kind, item.code, item.where) for item in report.findings if not item.where.startswith("blob ")]
    assert (report.exit_code, wrong) == (11, []), (report.exit_code, wrong)


def test_a_part_that_was_removed_meanwhile_is_stored_again(tmp_path):
    """What memory says is stored is not believed after another connection wrote."""
    from halo_world import bodies

    home = tmp_path / "home"
    with local(home) as halo:
        act(halo)
        halo.store.flush()
        database = attack(db_of(home))
        database.execute("DELETE FROM blob WHERE instr(bytes, '\"control_version\"')>0")
        database.close()
        act(halo, q="b")
        halo.store.flush()
    bodies(home, EntryKind.DECISION)


def test_a_failure_right_after_the_lock_was_taken_does_not_refuse_what_comes_later(tmp_path):
    with local(tmp_path / "home") as halo:
        act(halo, q="a")
        halo.store.flush()
        database = halo.store._database
        real = database.connection

        class FailingOnce:
            armed = True

            def __getattr__(self, name):
                return getattr(real, name)

            def execute(self, statement, *values):
                if statement == "PRAGMA data_version" and self.armed:
                    self.armed = False
                    raise sqlite3.OperationalError("disk I/O error")
                return real.execute(statement, *values)

        database.connection = FailingOnce()
        with pytest.raises(CannotDecide):
            halo.store.commit(lambda _: None)
        database.connection = real
        act(halo, q="b")
    assert cli("verify", home=tmp_path / "home")[0] == 0
