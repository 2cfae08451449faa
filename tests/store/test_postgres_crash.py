"""SIGKILL of a client, of a server's process for one client, and of a server: nothing is lost or run twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from crash_worker import ANYWHERE, MUST_BE_ZERO, POINTS, cycle, false_alarms, judge, lines
from postgres_server import OwnServer, start_own_server

from counts import is_thorough
from preloaded_python import find_python

pytestmark = pytest.mark.disk

VICTIMS = ("client", "backend", "server")
CYCLES = int(os.environ.get("HALO_CRASH_CYCLES") or (300 if is_thorough() else len(VICTIMS)))
"""Kills in all."""
_EACH = max(1, CYCLES // len(VICTIMS))
_MORE = 2  # where none of them came in time
_WORKER = Path(__file__).with_name("crash_worker.py")
_CALLS = 40  # of one worker


def strike(server: OwnServer, folder: Path, url: str, victim: str, run: int) -> bool:
    """Let a worker make its calls, and kill the server meanwhile, or its process for one of the connections."""
    draw = random.Random(run)
    wanted = len(lines(folder / "acknowledged")) + draw.randrange(_CALLS // 2)
    line = [*find_python(), str(_WORKER), "--url", url, "--work", str(folder), "never", "1", str(run)]
    process = subprocess.Popen(line)
    try:
        while len(lines(folder / "acknowledged")) <= wanted and process.poll() is None:
            time.sleep(0.001)
        time.sleep(draw.uniform(0, 0.01))
        is_struck = process.poll() is None
        if victim == "backend":
            found = server.run("SELECT pid FROM pg_stat_activity WHERE application_name='halo'")
            is_struck = bool(found)  # a worker that has made its calls has no connection any more
            if found:
                os.kill(draw.choice(found)[0], signal.SIGKILL)  # so the server ends all of them, and recovers
        else:
            server.kill()
            time.sleep(draw.uniform(0, 0.5))
            server.start()
        assert process.wait(600) == 7
    finally:
        process.kill()
        process.wait()
    return is_struck


def wait_for(server: OwnServer) -> None:
    """Wait until the server has recovered."""
    import psycopg

    for _ in range(600):
        try:
            server.run("SELECT 1")
        except psycopg.Error:
            time.sleep(0.1)
        else:
            return
    pytest.fail("the server did not come back")


@pytest.mark.slow
@pytest.mark.parametrize("victim", VICTIMS)
def test_killed_nothing_is_lost_or_run_twice_on_a_server(tmp_path, victim):
    server = start_own_server()
    try:
        url, killed = server.make_database(), []
        for run in range(_EACH + _MORE):
            if run >= _EACH and any(killed):
                break
            if victim == "client":
                point = (*POINTS, ANYWHERE)[run % (len(POINTS) + 1)]
                python = [sys.executable] if point == ANYWHERE else find_python()
                killed.append(cycle(tmp_path, point, (2, 9, 4, 1, 7)[run % 5], run, python, url))
            else:
                killed.append(strike(server, tmp_path, url, victim, run))
                wait_for(server)
            assert false_alarms(tmp_path, url) == []
        found = judge(tmp_path, url)
        print(victim, f"{sum(killed)} of {len(killed)} killed", found)  # noqa: T201  shown where it fails, or with -s
    finally:
        server.stop()
    assert any(killed)
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
