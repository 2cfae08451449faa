"""Who waits for SQLite's write lock gets it before who comes later, and nobody can stop the others for long."""

from __future__ import annotations

import fcntl
import os
import stat
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from halo_core.errors import CannotDecide
from halo_core.store.database import Database

ROUNDS = 20
DEADLINE_S = 30.0


@contextmanager
def opened(folder: Path, count: int) -> Iterator[list[Database]]:
    databases = [Database(f"sqlite:///{folder}/halo.db") for _ in range(count)]
    try:
        yield databases
    finally:
        for database in databases:
            database.rollback()
            database.close()


def queue_file(folder: Path) -> Path:
    return folder / "halo.db-queue"


def wait_until_queued(folder: Path) -> None:
    """Return as soon as a connection is the first in the queue."""
    fd = os.open(queue_file(folder), os.O_RDWR)
    try:
        end = time.monotonic() + DEADLINE_S
        while time.monotonic() < end:
            try:
                fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            fcntl.flock(fd, fcntl.LOCK_UN)
            time.sleep(0.001)
        pytest.fail("nobody waits")
    finally:
        os.close(fd)


@contextmanager
def first_in_queue(folder: Path) -> Iterator[None]:
    """Another process that is halted while it is the first: it has a descriptor of its own, and never ends."""
    fd = os.open(queue_file(folder), os.O_RDWR)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def test_who_waits_comes_before_who_has_just_committed(tmp_path):
    turns = []
    with opened(tmp_path, 2) as (busy, patient):

        def wait() -> None:
            patient.begin(DEADLINE_S)
            turns.append("patient")
            patient.commit()

        for _ in range(ROUNDS):
            busy.begin(DEADLINE_S)
            thread = threading.Thread(target=wait)
            thread.start()
            wait_until_queued(tmp_path)
            busy.commit()
            busy.begin(DEADLINE_S)
            turns.append("busy")
            busy.commit()
            thread.join()
    assert turns == ["patient", "busy"] * ROUNDS


def test_a_halted_process_at_the_head_of_the_queue_stops_nobody(tmp_path):
    with opened(tmp_path, 1) as (database,), first_in_queue(tmp_path):
        database.begin(DEADLINE_S)
        assert database.in_transaction


def test_the_queue_does_not_lengthen_the_deadline(tmp_path):
    with opened(tmp_path, 2) as (holder, late):
        holder.begin(DEADLINE_S)
        for deadline_s in (0.0, 0.01, 0.2):
            with pytest.raises(CannotDecide) as caught:
                late.begin(deadline_s)
            assert caught.value.code == "ledger_busy"
            with first_in_queue(tmp_path), pytest.raises(CannotDecide) as caught:
                late.begin(deadline_s)
            assert caught.value.code == "ledger_busy"
        assert not late.in_transaction
        holder.commit()
        late.begin(0.0)


def test_a_refusal_leaves_no_place_in_the_queue(tmp_path):
    with opened(tmp_path, 2) as (holder, late):
        holder.begin(DEADLINE_S)
        with pytest.raises(CannotDecide):
            late.begin(0.01)
        fd = os.open(queue_file(tmp_path), os.O_RDWR)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        finally:
            os.close(fd)


@pytest.mark.parametrize("other", ["folder", "link"])
def test_a_queue_that_cannot_be_opened_is_done_without(tmp_path, other):
    if other == "folder":
        queue_file(tmp_path).mkdir()
    else:
        queue_file(tmp_path).symlink_to(tmp_path / "elsewhere")
    with opened(tmp_path, 2) as (holder, late):
        holder.begin(DEADLINE_S)
        with pytest.raises(CannotDecide):
            late.begin(0.01)
        holder.commit()
        late.begin(DEADLINE_S)
        late.commit()
    assert not (tmp_path / "elsewhere").exists()


def test_only_the_owner_can_join_the_queue(tmp_path):
    with opened(tmp_path, 1):
        assert stat.S_IMODE(queue_file(tmp_path).stat().st_mode) == 0o600
