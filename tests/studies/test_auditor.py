"""An auditor's questions on re-driven sessions, each compared with an independent reading of the raw rows."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import auditor
import redrive
from recorded_world import write_recordings

SOURCE = Path(auditor.__file__).read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("redriven")
    data, home = write_recordings(folder / "data"), folder / "home"
    db = f"sqlite:///{home / 'halo.db'}"
    assert redrive.main(["--json", "--data", str(data), "--limit", "0", "--home", str(home), "--db", db]) == 0
    return home


def test_every_question_agrees_with_the_rows(home):
    found = auditor.audit(home)
    assert [item for item in found if not item.agrees] == []
    asked = {item.question.split(" --")[0].split(",")[0] for item in found}
    assert asked >= {
        *("access-log", "alerts sla", "approvals stats", "denials", "disclose", "failures", "grants unused"),
        *("inventory show", "keys report", "metrics", "passport history", "policy history", "reach", "replay"),
        *("report", "reversals", "review status", "sample", "show", "stop", "verify", "who-touched"),
    }


def test_rows_that_say_something_else_are_found(home, monkeypatch):
    """The comparison can fail: the independent reading misses a decision."""
    read = auditor.RawLedger._read_decisions
    some = {name: auditor.CHECKS[name] for name in ("people", "sample")}
    monkeypatch.setattr(auditor, "CHECKS", some)
    monkeypatch.setattr(auditor.RawLedger, "_read_decisions", lambda raw: list(read(raw))[1:])
    wrong = {item.question.split(" --")[0] for item in auditor.audit(home) if not item.agrees}
    assert {"metrics", "sample"} <= wrong


def test_the_independent_reading_uses_nothing_of_the_questions():
    imports = [line for line in SOURCE.splitlines() if line.startswith(("import ", "from "))]
    assert [line for line in imports if "halo" in line] == ["from halo_core.cli.main import run"]


def test_a_folder_without_a_ledger_and_the_answer_for_programs(home, tmp_path, capsys):
    assert auditor.main(["--home", str(tmp_path)]) == 2
    assert auditor.main(["--home", str(home), "--only", "sample", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert {row["question"] for row in rows} == {"sample"}
