"""No crash un-spends, loses an acknowledged decision, or lets an action run that was not decided."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from crash_worker import ANYWHERE, MUST_BE_ZERO, POINTS, cycle, false_alarms, judge

from counts import count
from preloaded_python import find_python

pytestmark = pytest.mark.disk(by_default=True)

CYCLES = int(os.environ.get("HALO_CRASH_CYCLES") or count(50, fewest=len(POINTS)))
"""Kills in all, at least one at each point."""


@pytest.mark.slow
@pytest.mark.parametrize("point", POINTS)
def test_killed_there_nothing_is_lost_or_run_twice(tmp_path, point):
    killed = []
    python = [sys.executable] if point == ANYWHERE else find_python()
    for run in range(max(1, CYCLES // len(POINTS))):
        killed.append(cycle(tmp_path, point, (2, 9, 4, 1, 7)[run % 5], run, python))
        assert false_alarms(tmp_path) == []
    found = judge(tmp_path)
    assert any(killed)
    assert {name: found[name] for name in MUST_BE_ZERO} == dict.fromkeys(MUST_BE_ZERO, 0)
    if point == "after_run":  # it ran, and nobody could say how it ended
        assert found["outcome unknown"] >= sum(killed)


KILLED_WITH_COUNTS = """
import os, signal, sys
from pathlib import Path
from crash_worker import AGENT, READ
from halo_core.enforcement.enforcer import Surface
from halo_core.facade import HaloBase
from halo_core.model import ActionKind

home, run = Path(sys.argv[1]), sys.argv[2]
halo = HaloBase.local(AGENT, home=home, mode="enforce", quiet=True)
tool = halo.register(ActionKind.TOOL_CALL, "note", resource=READ, schema={"properties": {"id": {"type": "string"}}})
with halo.session(f"crash-{run}"):
    for i in range(40):
        call = halo.build_call(tool, {"id": str(i)}, call_id=f"{run}-{i}")
        halo.enforcer.run(call, lambda args: "noted", Surface(str))
    os.kill(os.getpid(), signal.SIGKILL)
"""
"""Makes 40 decisions, whose uses are in no row yet, and dies."""


def test_what_many_killed_processes_had_counted_is_no_false_alarm(tmp_path):
    folder = str(Path(__file__).parent)
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([folder, *sys.path])}
    for run in range(3):
        line = [*find_python(), "-c", KILLED_WITH_COUNTS, str(tmp_path / "home"), str(run)]
        assert subprocess.run(line, env=env, check=False).returncode == -signal.SIGKILL
    assert false_alarms(tmp_path) == []
