"""The benchmark of questions and evidence packs."""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest

import questions


@pytest.mark.thorough
def test_a_pack_and_the_verifier_in_it_are_measured_on_a_ledger_that_was_grown(tmp_path, capsys):
    asked = ["--entries", "400", "--only", "pack", "--seconds", "1e9", "--megabytes", "1e9"]
    assert questions.main([*asked, "--keep", str(tmp_path / "ledger"), "--dir", str(tmp_path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)["questions"]
    assert {name: item["code"] for name, item in figures.items()} == {
        "pack make": 0,
        "halo_verify.py pack.zip who-touched": 2,  # nothing has the label `pii`
    }
