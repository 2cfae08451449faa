"""What one transaction remembers, and that it forgets it when something is taken back."""

from __future__ import annotations

import pytest

from halo_core.errors import CannotDecide
from halo_core.facade import HaloBase
from halo_core.ledger import read_subject
from halo_core.model import EntryKind
from halo_core.store import Draft
from halo_core.store.reader import Reader, Stream
from halo_world import attack, cli, db_of, policy_folder, url_of

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


def test_a_subject_erased_between_two_transactions_takes_no_more(tmp_path):
    home = tmp_path / "home"
    with local(home) as halo:
        halo.store.commit(note)
        database = attack(db_of(home))
        database.execute("UPDATE vault SET erased_at_us=1")
        database.close()
        with pytest.raises(CannotDecide) as caught:
            halo.store.commit(note)
        assert caught.value.code == "subject_erased"
