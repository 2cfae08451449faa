"""The study of what a score catches that it never saw: on made-up recordings of two roles."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("sklearn", reason="the extra `train` is not installed")

import detection_world

RATES = {"catch_any", "catch_first", "fp_benign", "fp_resisted", "fp_controls"}


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")


@pytest.mark.thorough
def test_tasks_roles_goals_and_sources_are_left_out_in_turn(tmp_path, capsys):
    import carry_over

    one = detection_world.write(tmp_path / "one", each=16)
    other = detection_world.write(tmp_path / "other", each=16)
    where = ["--data", str(one), "--data", str(other), "--cache", str(tmp_path / "cache"), "--parts", "2"]
    assert carry_over.main([*where, "--size", "4", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    for what in ("tasks", "roles", "goals"):
        for workload in ("recurring", "novel", "live"):
            row = found[what][workload]
            assert set(row["cut_5"]) == set(row["adaptive"]["cut_5"]) == set(row["intervals"]) == RATES
            assert row["cut_5"]["catch_any"] > (0.8 if what == "tasks" else -1), what
    assert set(found["roles"]["novel"]["each"]) == {"chat", "office"}
    assert set(found["sources"]) == {str(one), str(other)}
    reads = found["tasks"]["novel"]["reads"]
    assert 0 <= reads["flagged"] <= reads["first_acts"]


def test_no_data_is_said_and_not_measured(tmp_path, capsys):
    import carry_over

    assert carry_over.main(["--data", str(tmp_path)]) == 2
    assert "no recorded sessions" in capsys.readouterr().err
