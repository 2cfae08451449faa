"""The benchmark of verification and replay."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest

import verification


@pytest.mark.thorough
def test_a_run_measures_and_prints_every_figure_on_a_ledger_that_verifies_and_replays(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verification, "_START_RUNS", 1)
    small = ["--entries", "150", "--rounds", "1", "--replays", "40", "--processes", "1", "--dir", str(tmp_path)]
    assert verification.main([*small, "--memory", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["entries"] >= 150
    assert figures["replay"]["decisions"] > 40
    assert all(value > 0 for part in ("verify", "replay") for value in figures[part].values())
    assert figures["start_cpu_s"]["facade"] > 0 < figures["memory_mb"]
    verification._print(figures)
    assert "share of the floor" in capsys.readouterr().out
