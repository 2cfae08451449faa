"""Fixtures of all tests."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import counts  # noqa: F401  loads the profile of hypothesis before any test is read
from halo_core import failpoints
from halo_core.enforcement import planner
from halo_core.facade import HaloBase
from halo_core.store import database
from halo_core.store.reader import Reader
from halo_world import policy_folder, unblocking, url_of


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def halo(home: Path) -> Iterator[HaloBase]:
    """Enforcing, with the small policy of `halo_world`."""
    opened = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
    yield opened
    opened.close()


@pytest.fixture
def reader(halo: HaloBase, home: Path) -> Iterator[Reader]:
    """What is durable at this moment."""
    halo.store.flush()
    with Reader(url_of(home)) as opened:
        yield opened


@pytest.fixture
def no_blocking() -> Iterator[None]:
    """Raise where our code would block a running event loop."""
    with unblocking("halo_core"):
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_server_stays() -> Iterator[None]:
    yield
    if (started := sys.modules.get("postgres_server")) is not None:
        started.stop_servers()


@pytest.fixture(autouse=True)
def plan_differences(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Decide each planned call again by `decide`; a test fails where the two differ, unless it empties this list."""
    differences: list[str] = []
    report = planner.Planner.report_difference

    def record_difference(self: planner.Planner, tx: Any, context: Any) -> None:
        differences.append(f"{context.resource.id}: {context.decision}")
        report(self, tx, context)

    monkeypatch.setattr(planner, "check_interval", 1)
    monkeypatch.setattr(planner.Planner, "is_enabled", True)
    monkeypatch.setattr(planner.Planner, "report_difference", record_difference)
    yield differences
    assert not differences


@pytest.fixture(autouse=True)
def _disarmed() -> Iterator[None]:
    yield
    failpoints.arm_failpoints(None)


@pytest.fixture(scope="session")
def _empty_store(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The file of a SQLite store in which there is nothing yet."""
    path = tmp_path_factory.mktemp("store") / "halo.db"
    database.Database(f"sqlite:///{path}").close()
    return path.read_bytes()


@pytest.fixture(autouse=True)
def _new_stores(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, _empty_store: bytes) -> None:
    """Let a new SQLite file begin as a copy of an empty store: making its tables is a third of opening a home.

    A test marked `disk` makes them, as do the processes that a test starts.
    """
    if request.node.get_closest_marker("disk") is not None:
        return

    make_empty_file = database.Database._make_file

    def make_file(self: database.Database) -> None:
        if self.path is None or self.schema_version != database.SCHEMA_VERSION:  # of the target of a copy
            make_empty_file(self)
            return
        with database._CREATE_LOCK, suppress(OSError):
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            with os.fdopen(os.open(self.path, flags, 0o600), "wb") as file:
                file.write(_empty_store)

    monkeypatch.setattr(database.Database, "_make_file", make_file)
