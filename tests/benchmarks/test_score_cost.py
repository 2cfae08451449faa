"""What a score costs, beside another version: the same outputs are the same, others are found."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pytest

import detection_world

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def _benchmarks(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "studies"))
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    # Its processes find what this one finds.
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "benchmarks")]))


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    return detection_world.write(tmp_path_factory.mktemp("recorded"))


def test_every_stage_is_measured_beside_a_signature(recorded, capsys):
    import score_cost

    assert score_cost.main(["--data", str(recorded), "--sessions", "20", "--json"]) == 0
    run = json.loads(capsys.readouterr().out)["runs"]["this"]
    assert set(score_cost.STAGES) < set(run)
    assert run["events"] > 20
    assert all({"p50", "p99", "signatures"} == set(run[stage]) for stage in score_cost.STAGES)
    reads, others = run["classes"]["reads"], run["classes"]["impactful"]
    assert reads["events"] > 0 < others["events"]
    assert reads["events"] + others["events"] == run["events"]


def test_each_class_has_its_own_times():
    from halo_studies.detection.latency import apart

    found = apart({"score": [1.0, 9.0, 3.0], "signature": [2.0, 2.0, 2.0]}, [True, False, True])
    assert found["reads"]["score"] == {"p50": 2.0, "p99": 3.0, "signatures": 1.0}
    assert found["impactful"]["score"]["p50"] == 9.0
    assert set(apart({"score": [1.0], "signature": [1.0]}, [False])) == {"impactful"}


@pytest.mark.thorough
def test_another_version_is_the_same_or_not(recorded, tmp_path, capsys):
    import score_cost

    other = shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    options = ["--data", str(recorded), "--sessions", "20", "--against", str(other)]
    assert score_cost.main(options) == 0
    assert "the same to the bit" in capsys.readouterr().out
    changed = other / "halo_core" / "risk" / "relation.py"
    text = changed.read_text("utf-8")
    assert text.count("MAX_SURPRISE: Final = 160") == 1
    changed.write_text(text.replace("MAX_SURPRISE: Final = 160", "MAX_SURPRISE: Final = 20"), "utf-8")
    assert score_cost.main(options) == 1
    assert "outputs differ" in capsys.readouterr().out


def test_no_data_is_said(tmp_path, capsys):
    import score_cost

    assert score_cost.main(["--data", str(tmp_path)]) == 2
    assert "no recorded sessions" in capsys.readouterr().err


def test_a_short_long_session_is_measured(capsys, monkeypatch):
    import long_session

    monkeypatch.setattr(long_session, "_TOOLS", 10)
    assert long_session.main(["--steps", "10", "--words", "3", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (row,) = found["rows"]
    assert (row["step"], row["rows"]) == (10, 10)
    assert row["state_bytes"] < 2_000
