"""The benchmark of a decision."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest

import decision
from _decision_calls import name_parties
from _decision_world import PER_SESSION

HEADLINE = (
    "excess_signatures_p50",
    "whole_p99_over_commit_p99",
    "cpu_signatures",
    "loop_lag_ms_p99",
    "throughput_32_over_1",
    "stages_us",
    "machine",
)


@pytest.mark.thorough
def test_a_run_measures_every_figure_and_checks_the_effects(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(decision, "_QUICK", {"hot": 80, "gap5": 10, "gap50": 5})
    monkeypatch.setattr(decision, "_THINK", {1: 0.05, 32: 0.05, 256: 0.05})
    monkeypatch.setattr(decision, "_QUICK_BLOCKS", (0.1, 1))
    out = tmp_path / "figures.json"
    assert decision.main(["--quick", "--rules", "20", "--json", "--dir", str(tmp_path), "--out", str(out)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads(out.read_text())
    assert all(figures[name] for name in HEADLINE)
    assert set(figures["effects"]["allowed"]) <= {"allow", "monitor"}
    assert figures["effects"]["denied"]["deny"] > 0
    assert figures["stages_us"].keys() >= {"commit", "signature", "policy", "inserts"}


def test_memory_over_finished_sessions(tmp_path, capsys):
    assert decision.main(["--memory", "200", "--json", "--dir", str(tmp_path)]) == 0
    assert len(json.loads(capsys.readouterr().out)["memory"]) == 11


def test_no_session_pays_to_an_account_of_another():
    accounts = [name_parties(number)[1] for number in range(0, 200_000, PER_SESSION)]
    assert len(set(accounts)) == len(accounts)
