"""The benchmark of costs that must not grow with a ledger."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import pytest

import flatness
from _decision_calls import build_args, name_parties
from halo_core.enforcement.agent_credentials import DEFAULT_TERMS, Limits
from halo_core.model import Budget

SMALL = [
    *("--entries", "3000", "--small", "200", "--beside", "400", "--opens", "2"),
    *("--steps", "60", "--rules", "120", "--agents", "4", "--rounds", "20"),
]


@pytest.mark.thorough
def test_a_small_run_measures_every_part_and_nothing_is_denied(tmp_path, capsys):
    assert flatness.main([*SMALL, "--dir", str(tmp_path), "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures.keys() == {"ledger", "session", "rules", "agents", "beside", "memory"}
    for name in ("ledger", "session", "rules", "agents"):
        assert all(figures[name]["ratio"][key] > 0 for key in ("cpu_us", "p50_us", "p99_us"))
    assert figures["beside"]["opens"] == 2
    assert figures["beside"]["calls_of_openers"] == 10
    assert figures["beside"]["verifications"] >= 1
    assert all(sample["rss_mib"] > 0 for sample in figures["memory"])
    assert not list(tmp_path.iterdir())


def test_the_table_of_one_part_is_printed(tmp_path, capsys):
    assert flatness.main(["--only", "session", "--steps", "40", "--dir", str(tmp_path)]) == 0
    assert "session" in capsys.readouterr().out


def test_a_later_run_goes_on_with_the_ledgers(tmp_path, capsys):
    again = ["--only", "ledger", "--small", "100", "--rounds", "10", "--ledgers", str(tmp_path / "kept"), "--json"]
    assert flatness.main([*again, "--entries", "300"]) == 0
    first = json.loads(capsys.readouterr().out)["ledger"]["sizes"]
    assert flatness.main([*again, "--entries", "400"]) == 0
    second = json.loads(capsys.readouterr().out)["ledger"]["sizes"]
    assert 300 <= first[1] < second[1] <= 500
    assert first[0] < second[0] <= 200
    # None of the first run acts again: long after its last action it would be asked about.
    names = sorted(path.stem for path in (tmp_path / "kept" / "large" / "home").glob("agent-*.key"))
    assert [name.split("-")[1] for name in names] == ["clerk", "clerk", "compared", "compared"]


@pytest.mark.parametrize("tool", ["search_orders", "send_message", "pay_invoice"])
def test_calls_of_a_large_ledger_are_as_long_as_those_of_a_small_one(tool):
    few, many = (build_args(tool, number, *name_parties(number)) for number in (10_053, 1_000_053))
    for name in few.keys() - {"amount"}:
        assert len(str(few[name])) == len(str(many[name]))
    # Seven digits in a row are taken for a record.
    assert not re.search(r"\d{7}", str({name: value for name, value in many.items() if name != "to"}))


def test_an_action_that_is_not_allowed_ends_the_run(tmp_path, capsys, monkeypatch):
    tight = Limits(replace(DEFAULT_TERMS, budgets=(Budget("step", 1, 20),)))
    monkeypatch.setattr(flatness, "_endless_limits", lambda: tight)
    assert flatness.main(["--only", "session", "--steps", "40", "--dir", str(tmp_path)]) == 1
    assert "a check failed" in capsys.readouterr().err
