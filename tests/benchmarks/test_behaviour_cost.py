"""The benchmark of what behaviour costs in a decision."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import behaviour_cost


def test_calls_of_each_part_are_counted_for_reads_and_for_others(tmp_path, capsys):
    where = ["--dir", str(tmp_path), "--out", str(tmp_path / "figures.json")]
    assert behaviour_cost.main(["--calls", "--decisions", "40", "--history", "2", "--json", *where]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures == json.loads((tmp_path / "figures.json").read_text())
    assert figures["unit"] == "calls"
    for name in ("read", "other"):
        row = figures[name]
        assert row["profile"] > 0
        assert row["score"] > row["profile"]
        assert row["together"] >= row["score"]
    assert figures["fold_for_each_decision"] > 0
