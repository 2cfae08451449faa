"""What one transaction remembers, and that it forgets it when something is taken back."""

from __future__ import annotations

import contextlib
import os

import pytest

from halo_core.errors import CannotDecide
from halo_core.facade import HaloBase
from halo_core.ledger import leaf_hash, read_subject
from halo_core.model import EntryKind
from halo_core.store.database import Database
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, Stream
from halo_world import attack, cli, db_of, found, policy_folder, url_of

pytestmark = pytest.mark.disk

FIELD = {"text": b'"once"'}


def local(home):
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)


def note(tx):
    return tx.append(Draft(EntryKind.HANDBACK, "s", {}, FIELD, "user:ana"))


def spoilt(tx):
    note(tx)
    raise CannotDecide("decision_error", "no", remedy="none")


def test_a_data_key_that_was_taken_back_seals_nothing_afterwards(tmp_path):
    home = tmp_path / "home"
    with local(home) as halo:
        outcomes = halo.store.commit_group([spoilt, note, note])
        assert [outcome.error is None for outcome in outcomes] == [False, True, True]
    with Reader(url_of(home)) as reader:
        assert len(list(reader.rows(Stream.VAULTS))) == 1
    assert cli("verify", "--signatures", home=home)[0] == 0


def test_every_entry_has_a_nonce_of_its_own(tmp_path):
    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit_group([note] * 9)
    database = attack(db_of(home))
    sealed = [row[0] for row in database.execute("SELECT sealed FROM entry WHERE sealed IS NOT NULL")]
    database.close()
    nonces = [data[2 + len("user:ana") :][:24] for data in sealed if read_subject(data) == "user:ana"]
    assert len(nonces) == len(set(nonces)) >= 9
    assert {len(nonce) for nonce in nonces} == {24}


def test_a_subject_erased_between_two_transactions_takes_no_more_under_the_old_key(tmp_path):
    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit(note)
        for number in (1, 2):
            database = attack(db_of(home))
            database.execute("UPDATE vault SET dek_wrapped=x'', erased_at_us=1")
            database.close()
            halo.store.commit(note)
            key = halo.store._image.keys["user:ana"]
            assert key.subject == f"user:ana#{number}"
    database = attack(db_of(home))
    rows = database.execute("SELECT subject, commitment FROM vault WHERE subject LIKE 'user:ana%'").fetchall()
    database.close()
    assert sorted(subject for subject, _ in rows) == ["user:ana", "user:ana#1", "user:ana#2"]
    assert len({commitment for _, commitment in rows}) == 3


@pytest.mark.parametrize("fails", [False, True])
def test_rows_that_a_job_did_not_read_block_no_later_transaction(tmp_path, fails):
    home, held = tmp_path / "home", []

    def read_one_row(tx):
        cursor = tx.cursor.execute("SELECT ws FROM entry WHERE tenant=?", (tx.tenant,))
        held.append((tx, cursor, cursor.fetchone()))  # as the cycle of a transaction and its tables holds it
        if fails:
            raise CannotDecide("decision_error", "no", remedy="none")

    with local(home) as halo:
        halo.store.commit_group([note] * 3)
        outcomes = halo.store.commit_group([read_one_row])
        assert (outcomes[0].error is not None) is fails
        with contextlib.closing(attack(db_of(home))) as database:
            database.execute("DELETE FROM standing")
        assert halo.store.commit_group([note])[0].error is None


def test_a_transaction_sees_what_it_appended(tmp_path):
    def append_and_read(tx):
        first, second = note(tx), note(tx)
        text = tx.load_note(second.entry.writer, second.entry.seq)
        third = note(tx)
        return [first, second, third], text

    with local(tmp_path / "home") as halo:
        written, text = halo.store.commit(append_and_read)
        assert leaf_hash(text) == written[1].leaf
        for item in written:
            text = halo.store.commit(lambda tx, entry=item.entry: tx.load_note(entry.writer, entry.seq))
            assert leaf_hash(text) == item.leaf


@pytest.mark.parametrize("count", [1, 2, 3, 16, 37])
def test_entries_of_one_transaction_keep_their_order(tmp_path, count):
    home = tmp_path / "home"
    with local(home) as halo:
        written = halo.store.commit_group([note] * count)
        places = [outcome.result.entry.id for outcome in written]
        assert [item.entry.id for item in found(home)][-count:] == places
    assert cli("verify", "--signatures", home=home)[0] == 0


def test_a_run_that_is_there_already_takes_back_its_own_job_alone(tmp_path):
    def run(tx):
        return tx.append(Draft(EntryKind.HANDBACK, "s", {}, run=b"k" * 33))

    home = tmp_path / "home"
    with local(home) as halo:
        outcomes = halo.store.commit_group([note, run, run, note])
        assert [outcome.error is None for outcome in outcomes] == [True, True, False, True]
        kept = [outcome.result.entry.id for outcome in outcomes if outcome.error is None]
        assert [item.entry.id for item in found(home)][-3:] == kept


# uses are counted in memory and written later


def use(tx, times=1):
    for _ in range(times):
        tx.add_use("clerk", "lookup")
    return tx.count_uses("clerk", "lookup")


def written_uses(home):
    database = attack(db_of(home))
    row = database.execute("SELECT sum(uses) FROM usage").fetchone()
    database.close()
    return row[0] or 0


def count_uses(halo):
    return halo.store.commit(lambda tx: tx.count_uses("clerk", "lookup"))


def test_uses_are_written_when_many_wait_or_nothing_is_used(tmp_path):
    home = tmp_path / "home"
    with local(home) as halo:
        assert [halo.store.commit(use) for _ in range(3)] == [1, 2, 3]
        assert written_uses(home) == 0
        halo.store._image.expire()  # as after a foreign write
        assert halo.store.commit(use) == 4
        assert (count_uses(halo), written_uses(home)) == (4, 4)
        assert halo.store.commit(lambda tx: use(tx, 70)) == 74
        assert halo.store.commit(use) == 75
        assert written_uses(home) == 75
        halo.store.commit(use)
    assert written_uses(home) == 76


def test_uses_that_were_taken_back_are_not_counted(tmp_path):
    def fail(tx):
        use(tx, 5)
        raise CannotDecide("decision_error", "no", remedy="none")

    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit(use)
        with pytest.raises(CannotDecide):
            halo.store.commit(fail)
        assert count_uses(halo) == 1
    assert written_uses(home) == 1


def test_a_child_writes_no_uses_of_its_parent(tmp_path):
    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit(use)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                halo.store.commit(use)
                halo.store.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert written_uses(home) == 1
    assert written_uses(home) == 2


def test_a_count_that_was_not_kept_is_written_later(tmp_path, monkeypatch):
    monkeypatch.setattr(Database, "_check_schema_unchanged", lambda _self: None)
    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit(use)
        database = attack(db_of(home))
        database.execute("CREATE TRIGGER x BEFORE INSERT ON usage BEGIN SELECT RAISE(IGNORE); END")
        halo.store.commit(note)
        database.execute("DROP TRIGGER x")
        database.close()
        assert written_uses(home) == 0
        halo.store.commit(note)
        assert written_uses(home) == 1
    assert written_uses(home) == 1


def test_jobs_that_run_again_one_by_one_count_no_use_twice(tmp_path):
    def fail(tx):
        use(tx)
        raise CannotDecide("decision_error", "no", remedy="none")

    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit(use)
        halo.store.commit_group([note, fail, use])
        halo.store.commit(note)
        assert written_uses(home) == count_uses(halo) == 2


@pytest.mark.parametrize("places", [(0,), (0, 2), (2, 3)])
def test_a_job_that_fails_takes_back_its_own_uses_alone(tmp_path, places):
    """A rule on `uses` counts what the jobs of the same transaction used, whatever became of another job."""

    def fail_after_use(tx):
        use(tx, 7)
        raise ValueError

    home = tmp_path / ".halo"
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo:
        halo.store.commit(use)
        jobs = [use if i in places else fail_after_use for i in range(4)]
        halo.store.commit_group(jobs)
        assert count_uses(halo) == 1 + len(places)
        halo.store.commit_group([])
    assert written_uses(home) == 1 + len(places)
