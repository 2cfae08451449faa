"""Recorded scores made again: the study finds what differs, and has nothing to say where nothing does."""

from __future__ import annotations

import json

import pytest

import rescore
from halo_studies import rescoring


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A home with 90 scored decisions, and what was asked."""
    folder = tmp_path_factory.mktemp("rescore")
    sessions, _ = rescore._sessions(folder, 90, 0)
    made = rescore._record(folder / "home", folder / "acts.jsonl", sessions, 90)
    return folder, made


@pytest.mark.thorough
def test_what_was_scored_is_the_same_in_another_process(tmp_path, capsys):
    assert rescore.main(["--data", str(tmp_path), "--decisions", "60", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    (run,) = found["runs"]
    assert (found["held"], run["rescored"], run["identical"]) == (True, 60, 60)
    assert run["replay"] == {"identical": run["decisions"]}


def test_an_argument_that_was_another_is_found(recorded, tmp_path):
    folder, made = recorded
    lines = (folder / "acts.jsonl").read_text("utf-8").splitlines()
    session = json.loads(lines[4])
    session["acts"][2]["args"] = {"recipients": ["eve@nowhere.example"], "body": "all of it"}
    lines[4] = json.dumps(session)
    acts = tmp_path / "acts.jsonl"
    acts.write_text("\n".join(lines), "utf-8")
    whole = rescoring.again(folder / "home", folder / "acts.jsonl", replay=True)
    other = rescoring.again(folder / "home", acts, replay=False)
    assert (whole["identical"], whole["differs"]) == (made, [])
    assert (other["identical"], len(other["differs"])) == (made - 1, 1)
    assert whole["digest"] != other["digest"]


def test_what_does_not_hold_is_said():
    run = {"python": "3", "rescored": 10, "scored": 10, "identical": 10, "decisions": 10, "differs": [], "digest": "a"}
    run["replay"] = {"identical": 10}
    assert rescore._wrong([run], 10) == []
    assert rescore._wrong([run], 11)
    assert rescore._wrong([{**run, "identical": 9, "differs": ["x: risk"]}], 10)
    assert rescore._wrong([{**run, "replay": {"identical": 9, "differs": 1}}], 10)
    assert rescore._wrong([{**run, "scored": 12}], 10)
    assert rescore._wrong([run, {**run, "digest": "b"}], 10)


def test_a_python_that_is_none_cannot_be_measured(tmp_path, capsys):
    options = ["--data", str(tmp_path), "--decisions", "3", "--cache", str(tmp_path / "cache")]
    assert rescore.main([*options, "--python", "/bin/false"]) == 2
    assert rescore.main([*options, "--python", str(tmp_path / "no-python")]) == 2
    assert "rescore:" in capsys.readouterr().err
