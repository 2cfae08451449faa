"""Record golden ledgers: `python tests/golden/generate.py` writes those that are not there yet.

Time, ids, keys, randomness, and the names of host, program and user are fixed, so that a ledger names no machine and a
second run on the same code writes the same entries. A ledger that is there is never replaced: see README.md.
`--compare` records again elsewhere, and says where the code at hand writes other entries than the reference.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import lzma
import os
import pwd
import random
import socket
import sqlite3
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing
from itertools import count, zip_longest
from pathlib import Path
from types import SimpleNamespace

from golden_scenarios import SCENARIOS
from golden_world import BESIDE, DATABASE, LEDGERS, PACKED, observe, unpack

from halo_core.clock import SystemClock
from halo_core.crypto.keys import RandomIds
from halo_core.store import committer

START_US = 1_767_690_000_000_000  # 2026-01-06T09:00:00Z
STEP_US = 250_000


class Rim:
    """What a process takes from its machine, made the same everywhere. Each session, call or writer takes a moment."""

    def __init__(self, name: str) -> None:
        self._seed = hashlib.sha256(f"golden ledger {name}".encode()).digest()
        self._entries, self._shorts = count(1), count(1)
        self._draws: defaultdict[int, Iterator[int]] = defaultdict(count)
        self._passed_us = 0

    def install(self) -> None:
        os.urandom = random._urandom = self.random
        os.getpid = lambda: 4242
        socket.gethostname = lambda: "host.example"
        pwd.getpwuid = lambda _: SimpleNamespace(pw_name="operator")
        sys.argv = ["golden"]
        SystemClock.now_us = lambda _: START_US + self._passed_us
        SystemClock.mono_us = lambda _: self._passed_us
        RandomIds.new_token_id = lambda _: f"00000000-0000-7000-8000-{next(self._entries):012x}"
        RandomIds.new_short_id = lambda _: self.short()
        # Outcomes are written with what comes next, never by the clock of the machine.
        committer._DEFER_S = 3600.0

    def random(self, size: int) -> bytes:
        # A stream for each size: names of temporary files are drawn beside, whenever a thread gets to it.
        place = size.to_bytes(4, "big") + next(self._draws[size]).to_bytes(8, "big")
        return hashlib.shake_256(self._seed + place).digest(size)

    def short(self) -> str:
        self._passed_us += STEP_US
        return f"{next(self._shorts):012x}"

    def tick(self, seconds: float) -> None:
        self._passed_us += round(seconds * 1_000_000)


def record(name: str, ledgers: Path) -> None:
    """Let the scenario happen in a folder of its own, pack what it left, and write down what is expected of it."""
    target = ledgers / name
    target.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        rim = Rim(name)
        rim.install()
        SCENARIOS[name](home, rim.tick)
        pack(home, target)
        found = observe(unpack(name, Path(folder) / "again", ledgers))
    (target / "expected.json").write_text(_print(found), encoding="utf-8")


def pack(home: Path, target: Path) -> None:
    with closing(sqlite3.connect(home / DATABASE)) as database:
        database.execute("VACUUM INTO ?", (str(home / "packed.db"),))
    (target / PACKED).write_bytes(lzma.compress((home / "packed.db").read_bytes(), preset=9 | lzma.PRESET_EXTREME))
    for file in BESIDE:
        (target / file).write_bytes((home / file).read_bytes())


def _print(found: object) -> str:
    """JSON with a line for each decision."""
    text = json.dumps(found, indent=1, sort_keys=True)
    lines: list[str] = []
    depth = 0
    for line in text.splitlines():
        inner = line.strip()
        if depth:
            lines[-1] += inner if inner[0] in "]}" or lines[-1][-1] in "[{" else f" {inner}"
            depth += inner.count("[") - inner.count("]")
        else:
            lines.append(line)
            depth = 1 if inner == "[" else 0
    return "\n".join(lines) + "\n"


def compare(name: str) -> bool:
    """Record once more, elsewhere, and say whether the code at hand writes the same entries."""
    with tempfile.TemporaryDirectory() as folder:
        apart(name, Path(folder))
        again = [
            unpack(name, Path(folder) / place, ledgers) for place, ledgers in (("old", LEDGERS), ("new", Path(folder)))
        ]
        old, new = (notes(home) for home in again)
    where = next((i for i, pair in enumerate(zip_longest(old, new)) if pair[0] != pair[1]), None)
    if where is None:
        say(f"{name}: {len(old)} entries, the same")
        return True
    say(f"{name}: entry {where} is another\n  reference {old[where : where + 1]}\n  now       {new[where : where + 1]}")
    return False


def notes(home: Path) -> list[str]:
    """The text of each entry in log order, without its signatures."""
    with closing(sqlite3.connect(home / DATABASE)) as database:
        rows = database.execute("SELECT body FROM entry ORDER BY tenant, idx").fetchall()
    return [text.decode() for (text,) in rows]


def apart(name: str, ledgers: Path) -> None:
    """Record in a process of its own, so that none remembers another."""
    line = [sys.executable, __file__, name, "--here", "--into", str(ledgers)]
    subprocess.run(line, check=True, env={**os.environ, "PYTHONHASHSEED": "0"})


def say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="Which ledgers (default: all).")
    parser.add_argument("--into", type=Path, default=LEDGERS, help="Folder of the ledgers.")
    parser.add_argument("--here", action="store_true", help="Record in this process.")
    parser.add_argument("--compare", action="store_true", help="Write nothing; record again and compare the entries.")
    args = parser.parse_args()
    chosen = args.names or list(SCENARIOS)
    if args.compare:
        same = [compare(name) for name in chosen]
        return 0 if all(same) else 1
    for name in chosen:
        if (args.into / name).exists():
            say(f"{name}: is there, left alone")
        elif args.here:
            record(name, args.into)
        else:
            apart(name, args.into)
            say(f"{name}: {sum(path.stat().st_size for path in (args.into / name).iterdir()):,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main())
