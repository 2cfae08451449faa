"""What an operator does waits for a ledger that other processes are writing, and says so."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest

from halo_core.cli import context
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_world import attack, bodies, cli, db_of, policy_folder


@pytest.fixture
def home(tmp_path):
    home = tmp_path / "home"
    HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True).close()
    return home


@contextmanager
def locked(home, seconds: float) -> Iterator[None]:
    """Another process holds the write lock for so long."""
    with closing(attack(db_of(home), check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        release = threading.Timer(seconds, lambda: other.execute("ROLLBACK"))
        release.start()
        yield
        release.cancel()
        release.join()


def test_a_verb_waits_for_longer_than_a_decision_and_says_so(home):
    with locked(home, 4.0):
        code, out, err = cli("revoke", "--agent", "clerk", "--unknown", "--why", "lost", home=home)
    assert code == 0, out + err
    assert err.splitlines()[0] == "waiting for the ledger, which other processes are writing (at most 60 s)"
    assert [body["scope"] for body in bodies(home, EntryKind.REVOCATION)] == ["agent"]


def test_a_ledger_that_stays_locked_is_named_with_what_to_do(home, monkeypatch):
    monkeypatch.setattr(context, "_WAIT_S", 0.2)
    begin = time.monotonic()
    with locked(home, 30.0):
        code, _, err = cli("observe", "--for", "1h", "--why", "a test", home=home)
        assert time.monotonic() - begin < 20.0
    assert code != 0
    assert "[ledger_busy]" in err
    assert "halo doctor" in err
    assert bodies(home, EntryKind.MODE) == []
