"""The store under many hands and in bad places."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from counts import count
from halo_core import failpoints
from halo_core.clock import SystemClock
from halo_core.crypto.keys import KeyStore
from halo_core.enforcement import bodies as tool_bodies
from halo_core.enforcement.enforcer import FunctionAction
from halo_core.enforcement.flow import arun
from halo_core.errors import CannotDecide, ConfigError, Denied, Gap, HaloError, Tampered
from halo_core.facade import HaloBase
from halo_core.ledger import read_anchors
from halo_core.ledger.checkpoints import read_checkpoint
from halo_core.model import EntryKind, Provenance
from halo_core.store import draining
from halo_core.store.config import StoreConfig
from halo_core.store.database import Database
from halo_core.store.drafts import Draft
from halo_core.store.store import Store
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, found, policy_folder, tool, url_of, verified
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)  # one is about the order in which two threads write


def local(home, agent="clerk", **options):
    return HaloBase.local(agent, home=home, mode="enforce", policy=policy_folder(home), quiet=True, **options)


def once(halo, body=None, session="s", **call):
    body = Calls() if body is None else body
    with halo.session(session):
        return halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}, **call), body, SURFACE)


def refused(halo) -> Denied:
    body = Calls()
    with pytest.raises(Denied) as caught:
        once(halo, body)
    assert body == []
    assert caught.value.remedy
    assert caught.value.decision_id == ""
    return caught.value


def anchored(home, tenant="local") -> int:
    # Kept under two names, moved one after the other.
    return min(read_checkpoint(logs[tenant], tenant).size for logs in read_anchors(home / "anchor.json").values())


# several processes

WORKER = """
import sys
from pathlib import Path
from halo_world import SURFACE, Calls, policy_folder, tool
from halo_core.facade import HaloBase
home, name, count = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
with HaloBase.local(name, home=home, mode="enforce", policy=policy_folder(home), quiet=True, deadline_s=60) as halo:
    lookup = tool(halo, "lookup")
    for number in range(count):
        with halo.session(f"{name}-{number % 3}"):
            halo.enforcer.run(halo.build_call(lookup, {"q": f"{name}.{number}"}), Calls(), SURFACE)
        print(name, number, flush=True)
"""


def spawn(script, *argv, start=(sys.executable,), **options):
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
    env = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen([*start, "-c", script, *argv], env=env, text=True, stdout=subprocess.PIPE, **options)


@pytest.mark.slow
def test_four_processes_on_one_file(home):
    policy_folder(home)
    each = count(50)
    workers = [spawn(WORKER, str(home), f"w{number}", str(each), start=find_python()) for number in range(4)]
    said = [worker.communicate()[0].splitlines() for worker in workers]
    assert [worker.returncode for worker in workers] == [0] * 4
    assert [len(lines) for lines in said] == [each] * 4
    decisions = found(home, EntryKind.DECISION)
    assert len(decisions) == len(found(home, EntryKind.OUTCOME)) == 4 * each
    agents = [item.entry.body["request"]["subject"]["agent"] for item in decisions]
    assert {agent: agents.count(agent) for agent in agents} == {f"w{number}": each for number in range(4)}
    assert len({item.entry.writer for item in found(home)}) == 4
    assert [item.index for item in found(home)] == list(range(len(found(home))))
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_fork_gets_a_writer_of_its_own(home):
    with local(home) as halo:
        once(halo)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                for _ in range(5):
                    once(halo)
                halo.close()
                code = 0
            finally:
                os._exit(code)
        for _ in range(5):
            once(halo)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        once(halo)
    assert len(found(home, EntryKind.DECISION)) == len(found(home, EntryKind.OUTCOME)) == 12
    assert len({item.entry.writer for item in found(home, EntryKind.DECISION)}) == 2
    assert {body["cause"] for body in bodies(home, EntryKind.WRITER_CLOSE)} == {"closed"}
    assert verified(home) == 0


def test_a_fork_decides_though_another_thread_was_beginning_an_action(home):
    with local(home) as halo:
        once(halo)
        with tool_bodies._lock:  # as that thread holds it
            child = os.fork()
            if child == 0:
                code = 1
                try:
                    signal.alarm(30)  # instead of waiting for ever
                    once(halo)
                    halo.close()
                    code = 0
                finally:
                    os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(found(home, EntryKind.DECISION)) == len(found(home, EntryKind.OUTCOME)) == 2


def test_a_fork_does_not_keep_a_dead_parent_alive(home):
    """The parent is killed while its child lives on: the next opening still recovers it."""
    script = """
import os, signal, sys
from pathlib import Path
from halo_world import SURFACE, policy_folder, tool
from halo_core.facade import HaloBase
home = Path(sys.argv[1])
halo = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
lookup = tool(halo, "lookup")
def body(args):
    ready, done = os.pipe()
    if os.fork() == 0:
        halo.store._reset_after_fork()
        os.write(done, b"x")
        signal.pause()
    os.read(ready, 1)
    os.kill(os.getpid(), signal.SIGKILL)
with halo.session("s"):
    halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), body, SURFACE)
"""
    policy_folder(home)
    worker = spawn(script, str(home), start_new_session=True, stderr=subprocess.DEVNULL)
    try:
        assert worker.wait() == -signal.SIGKILL
        local(home).close()
        assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["unknown"]
    finally:
        os.killpg(worker.pid, signal.SIGKILL)
        worker.communicate()


def test_a_child_that_does_nothing_disturbs_nobody(home):
    with local(home) as halo:
        once(halo)
        child = os.fork()
        if child == 0:
            draining.close_stores()
            os._exit(0)
        os.waitpid(child, 0)
        once(halo)
    assert len(found(home, EntryKind.DECISION)) == 2
    assert verified(home) == 0


def test_writers_of_two_tenants_share_a_file(home):
    with local(home, tenant="acme") as acme, local(home, tenant="beta") as beta:
        once(acme)
        once(beta)
        once(acme, session="t")
    with sqlite3.connect(db_of(home)) as database:
        rows = dict(database.execute("SELECT tenant, count(*) FROM entry WHERE kind='decision' GROUP BY tenant"))
    assert rows == {"acme": 2, "beta": 1}
    assert verified(home) == 0


# refusals


def test_a_database_held_past_the_deadline_denies(home):
    with local(home, deadline_s=0.5) as halo:
        once(halo)
        halo.store.flush()
        holder = sqlite3.connect(db_of(home), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        assert refused(halo).reason == "ledger_busy"
        holder.execute("ROLLBACK")
        holder.close()
        once(halo)
    assert len(found(home, EntryKind.DECISION)) == 2
    assert verified(home) == 0


async def test_a_database_held_past_the_deadline_denies_async(home):
    halo = await asyncio.to_thread(local, home, deadline_s=0.5)
    await asyncio.to_thread(once, halo)
    await asyncio.to_thread(halo.store.flush)
    holder = sqlite3.connect(db_of(home), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    body = Calls()
    with halo.session("s"), pytest.raises(Denied) as caught:
        await arun(
            FunctionAction(halo.enforcer, halo.build_call(tool(halo, "lookup"), {"q": "b"}), body.later, SURFACE)
        )
    assert (caught.value.reason, body) == ("ledger_busy", [])
    holder.close()
    await asyncio.to_thread(halo.close)
    assert await asyncio.to_thread(verified, home) == 0


def test_another_thread_that_holds_the_ledger_past_the_deadline_denies(home):
    with local(home, deadline_s=0.5) as halo:
        once(halo)
        with halo.store._lock:
            assert refused(halo).reason == "ledger_busy"
        once(halo)


def test_opening_a_held_database_is_refused(home):
    local(home).close()
    holder = sqlite3.connect(db_of(home), isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    with pytest.raises(CannotDecide) as caught:
        local(home, deadline_s=0.05)
    assert caught.value.code == "ledger_busy"
    holder.close()
    local(home).close()
    assert verified(home) == 0


def mounted(path, *options):
    path.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", *options, "tmpfs", str(path)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("cannot mount a tmpfs here")


@pytest.fixture
def small_disk(tmp_path):
    path = tmp_path / "disk"
    mounted(path, "-o", "size=700k")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_denies_and_loses_nothing(home, small_disk):
    url = f"sqlite:///{small_disk / 'halo.db'}"
    ran = []
    halo = local(home, db=url)
    denied = None
    for number in range(400):
        body = Calls("x" * 3000)
        try:
            once(halo, body, session=f"s{number}")
        except Denied as exc:
            denied = exc
            assert body == []
            break
        ran.append(number)
    assert denied is not None
    assert denied.reason == "ledger_unwritable"
    assert ran
    for _ in range(3):
        assert refused(halo).reason == "ledger_unwritable"
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    once(halo, session="afterwards")
    halo.close()
    assert cli("verify", "--db", url, home=home)[0] == 0
    code, out, _ = cli("log", "--db", url, "--last", "1000", "--json", home=home)
    assert code == 0
    sessions = [f"s{number}" for number in ran]
    for session in [*sessions, "afterwards"]:
        assert f'"session": "{session}"' in out


def test_a_file_that_cannot_be_written_is_refused(home, tmp_path):
    disk = tmp_path / "disk"
    mounted(disk)
    try:
        url = f"sqlite:///{disk / 'halo.db'}"
        halo = local(home, db=url)
        once(halo)
        halo.close()
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        with pytest.raises(HaloError) as caught:
            local(home, db=url)
        assert caught.value.code == "ledger_unwritable"
        assert caught.value.remedy
        assert cli("verify", "--db", url, home=home)[0] == 0
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_a_closed_store(home):
    halo = local(home)
    once(halo)
    halo.close()
    halo.close()
    entries = len(found(home))
    assert refused(halo).reason == "ledger_closed"
    for use in (halo.store.open, halo.store.checkpoint):
        with pytest.raises(CannotDecide) as caught:
            use()
        assert caught.value.code == "ledger_closed"
    assert len(found(home)) == entries
    assert verified(home) == 0


@pytest.mark.parametrize(
    "data", [b"not a database, but long enough to be read as one" * 40, b"SQLite format 3\0" + b"\0" * 84]
)
def test_a_file_that_is_no_database(home, data):
    home.mkdir(mode=0o700)
    db_of(home).write_bytes(data)
    with pytest.raises(CannotDecide) as caught:
        local(home)
    assert caught.value.code == "ledger_unwritable"
    assert caught.value.remedy
    assert db_of(home).read_bytes() == data
    code, _, err = cli("verify", home=home)
    assert (code, "Traceback" in err) == (64, False)  # nothing is trusted in this home


def test_a_database_of_another_schema(home):
    local(home).close()
    with sqlite3.connect(db_of(home)) as database:
        database.execute("PRAGMA user_version=99")
    with pytest.raises(ConfigError) as caught:
        local(home)
    assert (caught.value.code, caught.value.field) == ("schema_version", "db")
    assert "99" in caught.value.message


def test_a_home_that_cannot_be(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ConfigError) as caught:
        HaloBase.local("clerk", home=tmp_path / "file" / "home", quiet=True)
    assert caught.value.code == "key_home"
    with pytest.raises(CannotDecide) as refusal:
        local(tmp_path / "home", db=f"sqlite:///{tmp_path}/file/data/halo.db")
    assert refusal.value.code == "ledger_unwritable"


# the anchor


def older_copy(home, steps=3):
    """A home whose database was put back to an earlier copy while the anchor stayed."""
    with local(home) as halo:
        once(halo)
    copy = db_of(home).read_bytes()
    with local(home) as halo:
        for _ in range(steps):
            once(halo)
    for suffix in ("-wal", "-shm"):
        Path(f"{db_of(home)}{suffix}").unlink(missing_ok=True)
    db_of(home).write_bytes(copy)


def test_a_database_older_than_its_anchor_is_not_opened(home):
    older_copy(home)
    before = db_of(home).read_bytes()
    with pytest.raises(Gap) as caught:
        local(home)
    assert caught.value.code == "ledger_behind_anchor"
    assert caught.value.remedy
    assert db_of(home).read_bytes() == before
    assert verified(home) == 13
    assert cli("verify", home=home)[0] == cli("enforce", home=home)[0] == 13


def test_a_database_older_than_its_anchor_runs_nothing(home):
    """Put back under a process that opens the store only at its first decision."""
    older_copy(home)
    config = StoreConfig(url_of(home), home, "local", deadline_s=1)
    store = Store(config, KeyStore(home))
    ran = []
    with pytest.raises(Gap) as caught:
        store.commit(ran.append)
    assert (caught.value.code, ran) == ("ledger_behind_anchor", [])


def test_the_anchor_finds_a_database_that_was_emptied_or_moved(home, tmp_path):
    with local(home) as halo:
        once(halo)
    moved = tmp_path / "moved.db"
    shutil.copyfile(db_of(home), moved)
    assert cli("verify", "--db", f"sqlite:///{moved}", home=home)[0] == 0
    database = attack(moved)
    database.execute("DELETE FROM entry WHERE idx > 2")
    database.execute("DELETE FROM checkpoint")
    database.close()
    with pytest.raises(Gap):
        local(home, db=f"sqlite:///{moved}")
    db_of(home).unlink()
    code, _, err = cli("verify", home=home)
    assert (code, "[ledger_behind_anchor]" in err) == (13, True)
    with pytest.raises(Gap) as caught:
        local(home)
    assert caught.value.code == "ledger_behind_anchor"
    assert verified(home) == 13


def test_another_history_of_the_same_length_is_not_opened(home, tmp_path):
    with local(home) as halo:
        once(halo)
    fork = db_of(home).read_bytes(), (home / "anchor.json").read_bytes()
    with local(home) as halo:
        once(halo, session="one")
    honest = (home / "anchor.json").read_bytes()
    db_of(home).write_bytes(fork[0])
    (home / "anchor.json").write_bytes(fork[1])
    with local(home) as halo:
        once(halo, session="two")
    (home / "anchor.json").write_bytes(honest)
    with pytest.raises(Tampered) as caught:
        local(home)
    assert caught.value.code == "ledger_forked"
    assert verified(home) == 11


def test_a_damaged_anchor_is_not_taken_for_none(home):
    local(home).close()
    (home / "anchor.json").write_text("{}")
    with pytest.raises(Tampered) as caught:
        local(home)
    assert caught.value.code == "bad_anchor"
    assert cli("verify", home=home)[0] == 11


def test_another_log_key_is_not_accepted(home):
    local(home).close()
    (home / "log.key").unlink()
    with pytest.raises(HaloError) as caught:
        local(home)
    assert caught.value.code in ("log_key_changed", "bad_signature")
    (home / "anchor.json").unlink()
    with pytest.raises(ConfigError) as refusal:
        local(home)
    assert refusal.value.code == "log_key_changed"
    assert refusal.value.remedy
    assert verified(home) == 2  # nothing is wrong, and without the anchor a rollback would go unseen


def test_a_lost_content_key_is_not_replaced_in_silence(home):
    with local(home) as halo:
        once(halo)
    (home / "content.key").unlink()
    with pytest.raises(ConfigError) as caught:
        local(home)
    assert (caught.value.code, caught.value.field) == ("content_key_changed", "home")
    assert caught.value.remedy


def test_the_anchor_only_moves_forward(home):
    sizes = []
    with local(home) as halo:
        for number in range(6):
            once(halo, session=f"s{number}")
            halo.store.checkpoint()
            sizes.append(anchored(home))
            halo.store.checkpoint()
            assert anchored(home) == sizes[-1]
    assert sizes == sorted(set(sizes))
    assert anchored(home) == len(found(home))


# outcomes, checkpoints, closing


def test_a_deferred_outcome_joins_the_next_transaction(home, monkeypatch):
    with local(home) as halo:
        once(halo)
        halo.store.flush()
        # Nobody but the next transaction writes it.
        monkeypatch.setattr(halo.store._committer, "defer", halo.store._deferred.add)
        monkeypatch.setattr(halo.store, "flush", lambda: None)
        with halo.session("t"):
            halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "b"}), Calls(), SURFACE)
        assert halo.store._deferred  # the outcome, and the fold of the ended session unless that was written before
        with halo.session("u"):
            halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "b"}))
            assert not halo.store._deferred
        assert [(item.entry.kind.value, item.entry.session) for item in found(home)][-6:] == [
            ("outcome", "t"),
            ("profile", "t"),
            ("profile", ""),  # of the agent
            ("profile", ""),  # of the tenant
            ("passport", "u"),
            ("decision", "u"),
        ]


def test_flush_writes_what_is_deferred(home):
    with local(home) as halo:
        once(halo)
        halo.store.flush()
        assert not halo.store._deferred
        assert len(bodies(home, EntryKind.OUTCOME)) == 1


def test_an_outcome_is_written_by_itself(home):
    with local(home) as halo:
        once(halo)
        for _ in range(2000):
            if bodies(home, EntryKind.OUTCOME):
                break
            threading.Event().wait(0.005)
        assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["success"]


def test_an_outcome_that_could_not_be_written_is_tried_again(home):
    with local(home, deadline_s=0.5) as halo:
        once(halo)
        halo.store.flush()
        with halo.session("s"):
            ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "b"}))
        holder = sqlite3.connect(db_of(home), isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        ticket.succeed("b", SURFACE)
        with pytest.raises(CannotDecide):
            halo.store.flush()
        assert halo.store._deferred  # the outcome, and the fold of the ended session unless that was written before
        holder.close()
        halo.store.flush()
        assert len(bodies(home, EntryKind.OUTCOME)) == 2
    assert verified(home) == 0


def test_checkpoints_are_signed_in_the_background(home):
    clock = FixedClock()
    with local(home, clock=clock) as halo:
        once(halo)
        halo.store.flush()
        before = anchored(home) if (home / "anchor.json").exists() else 0
        clock.advance(2)
        for _ in range(2000):
            if (home / "anchor.json").exists() and anchored(home) > before and anchored(home) == len(found(home)):
                break
            threading.Event().wait(0.005)
        assert anchored(home) == len(found(home))


def test_a_checkpoint_every_256_entries(home):
    clock = FixedClock()
    with local(home, clock=clock) as halo:
        once(halo)
        halo.store.checkpoint()
        before = anchored(home)
        for number in range(260):
            halo.store.commit(lambda tx, number=number: tx.append(Draft(EntryKind.MODE, "", {"n": number})))
        halo.store.defer(lambda tx: None)
        for _ in range(2000):
            if anchored(home) >= before + 256:
                break
            threading.Event().wait(0.005)
        assert anchored(home) >= before + 256


def test_closing_leaves_everything_under_a_checkpoint(home):
    with local(home) as halo:
        once(halo)
    code, out, _ = cli("verify", home=home)
    size = len(found(home))
    assert code == 0
    assert f"{size} entries, {size} under a checkpoint" in out


def test_the_wal_is_moved_into_the_database(home):
    with local(home) as halo:
        once(halo)
        halo.store.checkpoint()
        plain = sqlite3.connect(f"file:{db_of(home)}?immutable=1", uri=True)
        assert plain.execute("SELECT count(*) FROM entry").fetchone()[0] > 3
        plain.close()


def test_evidence_is_not_updated_by_accident(home):
    with local(home) as halo:
        once(halo)
    with sqlite3.connect(db_of(home)) as database:
        for table, column in (("entry", "session"), ("entry", "once"), ("checkpoint", "root"), ("blob", "bytes")):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(f"UPDATE {table} SET {column}={column}")


def test_a_clock_that_runs_back_does_not_take_the_session_back(home):
    clock = FixedClock()
    with local(home, clock=clock) as halo:
        once(halo)
        clock.advance(100)
        once(halo)
        clock.advance(-90)
        once(halo)
    times = [body["snapshot"]["time_us"] for body in bodies(home, EntryKind.DECISION)]
    assert times[1] == times[2] == times[0] + 100_000_000
    steps = [body["snapshot"]["session"]["steps"] for body in bodies(home, EntryKind.DECISION)]
    assert steps == [0, 1, 2]


def test_the_system_clock_counts_microseconds():
    clock = SystemClock()
    assert clock.now_us() > 1_700_000_000_000_000
    assert clock.mono_us() <= clock.mono_us()


# after a crash

CRASHING = """
import os, signal, sys
from pathlib import Path
from halo_world import SURFACE, policy_folder, tool
from halo_core.facade import HaloBase
home = Path(sys.argv[1])
halo = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
lookup = tool(halo, "lookup")
with halo.session("s"):
    halo.enforcer.run(halo.build_call(lookup, {"q": "a"}), lambda args: "fine", SURFACE)
    halo.store.flush()
    halo.enforcer.run(halo.build_call(lookup, {"q": "b"}), lambda args: os.kill(os.getpid(), signal.SIGKILL), SURFACE)
"""


def crash(home):
    policy_folder(home)
    worker = spawn(CRASHING, str(home))
    worker.communicate()
    assert worker.returncode == -signal.SIGKILL


def test_a_killed_writer_is_recovered(home):
    crash(home)
    assert len(bodies(home, EntryKind.OUTCOME)) == 1
    assert verified(home) == 0
    local(home).close()
    known, unknown = found(home, EntryKind.OUTCOME)
    decision = found(home, EntryKind.DECISION)[1]
    assert (known.entry.body["status"], unknown.entry.body["status"]) == ("success", "unknown")
    assert unknown.entry.body["decision"]["ws"] == decision.entry.seq
    assert unknown.entry.body["decision"]["w"] == decision.entry.writer
    assert unknown.entry.writer != decision.entry.writer
    closes = bodies(home, EntryKind.WRITER_CLOSE)
    assert [(body["cause"], body["writer"] == decision.entry.writer) for body in closes] == [
        ("crash", True),
        ("closed", False),
    ]
    assert list((home / "writers").iterdir()) == []
    assert verified(home, signatures=True) == 0


def test_a_killed_writer_is_recovered_once(home):
    crash(home)
    for _ in range(3):
        local(home).close()
    assert [body["cause"] for body in bodies(home, EntryKind.WRITER_CLOSE)].count("crash") == 1
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["success", "unknown"]
    assert verified(home) == 0


def test_a_recovery_that_fails_is_made_up_for(home):
    crash(home)

    def strike(point):
        if point == "before_commit":
            raise KeyboardInterrupt

    failpoints.arm_failpoints(strike)
    with pytest.raises(KeyboardInterrupt):
        local(home)
    failpoints.arm_failpoints(None)
    local(home).close()
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["success", "unknown"]
    assert verified(home) == 0


def test_marks_that_were_taken_back_are_written_again(home):
    def note(tx):
        state = tx.load_session(tx.references.of_session("s"))
        sketch = tx.load_sketch(state)
        added = sketch.compute_additions(frozenset({7}), Provenance.USER)
        tx.add_sketch_row(state, added)
        return len(added)

    def bad(tx):
        raise ValueError(tx)

    with local(home) as halo:
        once(halo)
        halo.store.flush()
        # A member that fails makes the group run again, and what the first run had in memory is not in the store.
        noted, failed = halo.store.commit_group([note, bad])
        assert noted.result == 1
        assert failed.error.code == "decision_error"


def test_an_interrupt_right_after_the_lock_was_taken_does_not_wedge_the_store(home, monkeypatch):
    with local(home) as halo:
        once(halo)
        begin = Database.begin

        def and_strike(database, deadline_s, **options):
            begin(database, deadline_s, **options)
            raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(Database, "begin", and_strike)
            with pytest.raises(KeyboardInterrupt):
                halo.store.flush()
        once(halo)
    assert verified(home) == 0


def test_a_living_writer_is_left_alone(home):
    with local(home) as halo, halo.session("s"):
        ticket = halo.enforcer.begin(halo.build_call(tool(halo, "lookup"), {"q": "a"}))
        local(home, "other").close()
        ticket.succeed("fine", SURFACE)
    assert [body["status"] for body in bodies(home, EntryKind.OUTCOME)] == ["success"]
    assert {body["cause"] for body in bodies(home, EntryKind.WRITER_CLOSE)} == {"closed"}


def test_a_failed_commit_ends_the_writer_and_denies(home, monkeypatch):
    with local(home) as halo:
        once(halo)
        halo.store.flush()
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
        assert refused(halo).reason == "ledger_unwritable"
        once(halo)
    writers = {item.entry.writer for item in found(home, EntryKind.DECISION)}
    assert len(writers) == 2
    assert verified(home) == 0
