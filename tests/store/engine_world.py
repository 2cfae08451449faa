"""What the tests of both engines share: a `Place`, which is a home and a database."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postgres_server import start_server

from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store.reader import LoggedEntry, Reader, read_entries
from halo_core.verification import verify_store
from halo_world import SURFACE, Calls, attack, cli, policy_folder, tool
from preloaded_python import find_python

HERE = Path(__file__).parent
ENGINES = ("sqlite", "postgresql")


class Attacker:
    """Somebody who may write anything into the database, past its triggers."""

    def __init__(self, connection: Any, *, is_postgres: bool) -> None:
        self._connection = connection
        self._is_postgres = is_postgres

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Run a statement in SQLite's words; its rows."""
        if self._is_postgres:
            statement = re.sub(r"instr\((\w+), \?\)", r"position(%s IN \1)", statement).replace("?", "%s")
        cursor = self._connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else [()] * cursor.rowcount


@dataclass(frozen=True)
class Place:
    """A home and the URL of a database."""

    home: Path
    url: str

    @classmethod
    def make(cls, engine: str, home: Path) -> Place:
        """With an empty database of an engine."""
        if engine == "sqlite":
            return cls(home, f"sqlite:///{home / 'halo.db'}")
        return cls(home, start_server().make_database())

    @contextmanager
    def attack(self) -> Iterator[Attacker]:
        """An attacker, until the block ends."""
        if self.url.startswith("sqlite"):
            with closing(attack(Path(self.url.removeprefix("sqlite:///")))) as file:
                yield Attacker(file, is_postgres=False)
            return
        import psycopg

        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute("SET session_replication_role=replica")  # no trigger acts
            yield Attacker(connection, is_postgres=True)

    def open(self, agent: str = "clerk", **options: Any) -> HaloBase:
        settings: dict[str, Any] = {"mode": "enforce", "policy": policy_folder(self.home), "quiet": True, **options}
        return HaloBase.local(agent, home=self.home, db=self.url, **settings)

    def found(self, *kinds: EntryKind, tenant: str = "local") -> list[LoggedEntry]:
        with Reader(self.url) as reader:
            return list(read_entries(reader, tenant, kinds))

    def bodies(self, *kinds: EntryKind) -> list[Mapping[str, Any]]:
        return [item.entry.body for item in self.found(*kinds)]

    def verified(self, **options: Any) -> int:
        return verify_store(self.url, self.home, **{"signatures": True, **options}).exit_code

    def cli(self, *argv: str) -> tuple[int, str, str]:
        return cli(*argv, "--db", self.url, home=self.home)

    def spawn(self, *argv: str, is_killed: bool = False, **options: Any) -> subprocess.Popen[str]:
        """A worker of `engine_worker.py`, which the test kills from outside or not."""
        path = os.pathsep.join([str(HERE.parent), str(HERE.parent / "authority"), str(HERE), *sys.path])
        python = [sys.executable] if is_killed else find_python()
        command = [*python, str(HERE / "engine_worker.py"), str(self.home), self.url, *argv]
        env = {**os.environ, "PYTHONPATH": path}
        return subprocess.Popen(
            command, env=env, text=True, stdout=subprocess.PIPE, **{"stdin": subprocess.PIPE, **options}
        )


def once(halo: HaloBase, body: Calls | None = None, session: str = "s", name: str = "lookup", **call: Any) -> Any:
    """One call of a tool; what it returned."""
    body = Calls() if body is None else body
    with halo.session(session):
        return halo.enforcer.run(halo.build_call(tool(halo, name), {"q": "a"}, **call), body, SURFACE)
