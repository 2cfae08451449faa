"""Each file of examples/ runs by itself, offline, and shows what it says it shows."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"

SHOWN = {
    "rag.py": ["['Returns are taken back within 30 days.']", "[]"],
    "tool_agent.py": [
        "read_ticket: #7",
        "refund: deny `refund`: where this goes to",
        "refund: refunded 90.00 to ACC-1",
    ],
}


def test_every_example_is_here():
    assert {path.name for path in EXAMPLES.glob("*.py")} == set(SHOWN)


@pytest.mark.parametrize("name", sorted(SHOWN))
def test_an_example_runs(name, tmp_path):
    path = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / name)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == len(SHOWN[name])
    assert all(line.startswith(start) for line, start in zip(lines, SHOWN[name], strict=True))
    assert list(tmp_path.iterdir()) == []
