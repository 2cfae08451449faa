"""The benchmark against a peer product."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest

import peers

# As much of the toolkit as its worker uses. It answers like the real one, and is none of our parts.
STANDIN = {
    "__init__.py": "",
    "governance/__init__.py": """
class Governed:
    def __init__(self, fn):
        self.fn, self.engine = fn, self

    def list_policies(self):
        return ["office"]

    def __call__(self, **kwargs):
        self._audit.sink.write(kwargs["action"])
        return self.fn(**kwargs)


def govern(fn, *, policy, agent_id):
    assert policy.count("- name: ") == 10
    return Governed(fn)
""",
    "governance/audit.py": """
class AuditLog:
    def __init__(self, *, sink):
        self.sink = sink
""",
    "governance/audit_backends.py": """
class FileAuditSink:
    def __init__(self, path, secret_key):
        self._path = path

    def write(self, entry):
        self._append_line(entry)

    def _append_line(self, line):
        with self._path.open("a") as file:
            file.write(line + "\\n")

    def verify_integrity(self):
        return GOOD, None

    def read_entries(self):
        return self._path.read_text().split()
""",
}
SMALL = ["--rules", "10", "--calls", "50", "--turn", "5", "--warm", "10"]


@pytest.fixture
def standin(tmp_path):
    """An interpreter with the stand-in; it ignores the environment, as the one of a virtual environment would."""

    def make(*, good: bool = True) -> Path:
        for name, text in STANDIN.items():
            path = tmp_path / "lib" / "agentmesh" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace("GOOD", str(good)))
        python = tmp_path / "python"
        python.write_text(f'#!/bin/sh\nPYTHONPATH={tmp_path / "lib"} exec {sys.executable} "$@"\n')
        python.chmod(0o755)
        return python

    return make


def test_without_the_toolkit_it_is_skipped_with_a_reason(tmp_path, capsys):
    assert peers.main(["--python", str(tmp_path / "none" / "python")]) == 0
    assert peers.main(["--python", sys.executable]) == 0
    told = capsys.readouterr()
    assert not told.out
    assert told.err.count("peers: skipped, ") == 2
    assert "--install" in told.err


@pytest.mark.thorough
def test_both_take_turns_and_what_they_recorded_is_checked(tmp_path, standin, capsys):
    assert peers.main([*SMALL, "--python", str(standin()), "--dir", str(tmp_path), "--json"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert run["checks"]["halo"]["calls"] == run["checks"]["toolkit"]["records"] == 60
    assert run["checks"]["halo"]["records"] >= 120
    assert run["halo"]["calls"] == run["toolkit"]["calls"] == run["commit"]["calls"] == 50
    assert all(run["ratio"][name] > 0 for name in ("p50_us", "p99_us", "cpu_us"))


@pytest.mark.thorough
def test_a_record_that_does_not_verify_ends_the_run(tmp_path, standin, capfd):
    assert peers.main([*SMALL, "--python", str(standin(good=False)), "--dir", str(tmp_path)]) == 1
    assert "a worker ended with exit code 1" in capfd.readouterr().err


def test_the_worker_of_the_toolkit_imports_nothing_of_halo():
    folder = Path(peers.__file__).parent
    code = "import sys, _decision_calls, _peers_turns; sys.exit(any(name.startswith('halo') for name in sys.modules))"
    assert (
        os.spawnl(
            os.P_WAIT, sys.executable, sys.executable, "-c", f"import sys; sys.path[:0] = [{str(folder)!r}]; {code}"
        )
        == 0
    )
