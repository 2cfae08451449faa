"""The benchmark of the overhead of a guarded call."""

from __future__ import annotations

import asyncio
import io
import json
import sys
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import _overhead_measure
import overhead
from _overhead_measure import Case, Decisions, figures, measure, quantile
from halo_langchain import Halo


def test_a_quantile_is_one_of_the_values():
    assert [quantile([3.0, 1.0, 2.0], q) for q in (0.0, 0.5, 0.95, 1.0)] == [1.0, 2.0, 3.0, 3.0]
    assert quantile([7.0], 0.95) == 7.0
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


def test_figures_are_of_the_pairs_differences():
    pairs = [((10e-6, 8e-6), (30e-6, 20e-6)), ((10e-6, 8e-6), (50e-6, 28e-6)), ((12e-6, 8e-6), (90e-6, 38e-6))]
    found = figures(pairs)
    assert found["wall_us"] == {"p50": 40.0, "p95": 78.0, "plain_p50": 10.0}
    assert found["cpu_us"] == {"p50": 20.0, "p95": 30.0, "plain_p50": 8.0}


def test_a_case_that_is_not_decided_measures_nothing(tmp_path):
    case = Case("idle", lambda: None, lambda: None, 50.0)
    with Halo.local("desk", home=tmp_path, quiet=True) as halo:
        measuring = measure(case, Decisions(halo.enforcer), rounds=1, seed=0, hot=False, between=lambda: None)
        with pytest.raises(AssertionError, match="idle: 0 decisions"):
            asyncio.run(measuring)


def test_the_table_says_which_goal_was_missed():
    figure = {"p50": 61.0, "p95": 80.0, "plain_p50": 3.0}
    both = {"cpu_us": figure, "wall_us": figure}
    rows = [
        {"case": "one", "goal_us": 50.0, "held": False, "hot": both, "live": both},
        {"case": "two", "goal_us": None, "held": True, "hot": both, "live": both},
    ]
    console = Console(width=160, file=io.StringIO())
    console.print(overhead.table(rows))
    shown = console.file.getvalue()
    assert "50 missed" in shown
    assert "61 / 80" in shown


@pytest.mark.thorough
def test_a_run_measures_every_case(monkeypatch, capsys):
    monkeypatch.setattr(_overhead_measure, "_WARM", 1)
    assert overhead.main(["--rounds", "2", "--json"]) in {0, 1}
    found = json.loads(capsys.readouterr().out)["cases"]
    assert {"tool, invoke", "tool, ainvoke", "retriever, invoke", "middleware, model call"} <= {
        c["case"] for c in found
    }
    assert all(case[heat]["cpu_us"].keys() == {"p50", "p95", "plain_p50"} for case in found for heat in ("hot", "live"))


@pytest.mark.parametrize(
    ("framework", "case"),
    [pytest.param("llamaindex", "tool, acall", marks=pytest.mark.thorough), ("openai-agents", "tool")],
)
def test_each_framework_has_its_cases(framework, case, monkeypatch, capsys):
    monkeypatch.setattr(_overhead_measure, "_WARM", 1)
    assert overhead.main(["--framework", framework, "--rounds", "2", "--json"]) in {0, 1}
    found = {item["case"]: item for item in json.loads(capsys.readouterr().out)["cases"]}
    assert found[case]["goal_us"] == 50
    assert all(item["goal_us"] is None for name, item in found.items() if not name.startswith("tool"))


def python_calls(function):
    """How many Python functions a call goes through."""
    count = 0

    def note(_frame, event, _argument):
        nonlocal count
        count += event == "call"

    sys.setprofile(note)
    try:
        function()
    finally:
        sys.setprofile(None)
    return count


@pytest.mark.parametrize(
    ("framework", "name", "most"),
    [
        ("langchain", "tool, invoke", 100),
        ("langchain", "retriever, invoke", 205),
        ("langchain", "middleware, model call", 215),
        ("langchain", "middleware, guarded tool", 75),
        ("langchain", "model, invoke", 355),
        ("llamaindex", "retriever, retrieve", 360),
        ("llamaindex", "model, chat", 265),
    ],
)
def test_a_guarded_call_goes_through_few_functions_more(framework, name, most, tmp_path):
    with overhead._halo(framework, tmp_path) as halo:
        decisions = Decisions(halo.enforcer)
        (case,) = [item for item in overhead._chosen(halo, framework, name) if item.name == name]
        with halo.session():
            case.plain()
            case.guarded()
            decisions.hot = True
            case.guarded()
            assert python_calls(case.guarded) - python_calls(case.plain) <= most
