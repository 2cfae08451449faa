"""The comparison of decisions with those of a peer product."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from recorded_world import SESSIONS, study_data, write_recordings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def data(tmp_path):
    return write_recordings(tmp_path / "data")


@pytest.fixture
def differential(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import differential

    return differential


@pytest.fixture
def sides(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    import _differential

    def made(*effects: str, args: str = "{}"):
        decided = [
            _differential.Decided(("tool_call", "pay"), (effect, (("code", effect, ""),), "[]"), (args,), ran=True)
            for effect in effects
        ]
        return _differential.Ledger({"s": decided})

    return _differential.compare, made


def test_another_effect_is_a_difference(sides):
    compare, made = sides
    found = compare(made("allow", "deny"), made("allow", "allow"))
    assert (found["same"], found["differing"]) == (1, 1)
    assert "deny" in found["examples"][0]


def test_a_decision_that_one_side_lacks_is_a_difference(sides):
    compare, made = sides
    assert compare(made("allow", "deny"), made("allow"))["differing"] == 1
    assert compare(made("allow"), made("allow", "deny"))["differing"] == 1


def test_other_arguments_under_the_same_verdict_are_said_apart(sides):
    compare, made = sides
    found = compare(made("allow"), made("allow", args='{"a":1}'))
    assert (found["differing"], found["inputs_differ"]) == (0, 1)


def test_what_broke_is_no_agreement(differential, data, capsys, monkeypatch):
    from halo_studies.redrive.drivers import langchain

    def breaks(*_args):
        raise RuntimeError("no graph")

    monkeypatch.setattr(langchain.LangChain, "drive", breaks)
    given = ["--data", str(data), "--limit", "2", "--no-manifest", "--json", "--framework", "langchain"]
    assert differential.main(given) == 1
    assert "no graph" in capsys.readouterr().out


def test_every_framework_that_is_installed_decides_alike(differential, data, capsys):
    assert differential.main(["--data", str(data), "--limit", "0", "--no-manifest", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert set(figures["frameworks"]) == {"langchain", "llamaindex", "openai-agents"}
    for row in figures["frameworks"].values():
        assert row["decisions"] > len(SESSIONS)
        assert (row["differing"], row["inputs_differ"], row["early"], row["broken"]) == (0, 0, 0, [])


@pytest.mark.thorough
def test_recorded_sessions_are_decided_alike(differential, capsys):
    assert differential.main(["--data", str(study_data("traces")), "--limit", "12", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["agree"] is True
    assert all(row["inputs_differ"] == 0 for row in figures["frameworks"].values())
