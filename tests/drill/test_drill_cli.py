"""`halo drill` as a command: exit codes, the entry in the operator's ledger, what is refused, nothing else written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from drill_world import load, play

from halo_core.drill import AttackClass
from halo_core.drill.recorded import read_honest_sessions
from halo_core.model import EntryKind
from halo_core.store.reader import Reader, read_entries
from halo_world import cli
from preloaded_python import find_python

HOUR_US = 3_600_000_000


@dataclass(frozen=True)
class Answer:
    """What a command printed, and its exit code."""

    exit_code: int
    stdout: str
    stderr: str

    @property
    def output(self) -> str:
        return self.stdout + self.stderr


def run(*args: str, folder: Path) -> Answer:
    """`halo drill` in a process of its own, since it imports an application."""
    done = subprocess.run(
        [*find_python("halo_langchain"), "-c", "from halo_core.cli.main import main; main()", "drill", *args],
        check=False,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    return Answer(done.returncode, done.stdout, done.stderr)


def entries(home: Path, *kinds: EntryKind):
    with Reader(f"sqlite:///{home / 'halo.db'}") as reader:
        return [item.entry for item in read_entries(reader, "local", kinds)]


def snapshot(home: Path):
    """Bytes of everything in a home but the database and its anchor."""
    paths = [path for path in home.rglob("*") if path.is_file() and not path.name.startswith(("halo.db", "anchor"))]
    return {str(path.relative_to(home)): path.read_bytes() for path in paths}


@pytest.fixture
def used_home(tmp_path: Path) -> Path:
    """A home in which an agent has worked."""
    from halo_langchain import Halo, Resource

    home = tmp_path / ".halo"
    with Halo.local("desk", home=home, mode="enforce", quiet=True) as halo:
        tool = halo.guard(lambda_tool(), resource=Resource(impact="read", source_trust=900))
        with halo.session("s-1", request="Look up ACME"):
            tool.invoke({"vendor": "ACME"})
    return home


def lambda_tool():
    def look_up(vendor: str) -> str:
        """Look a vendor up."""
        return f"{vendor} is known"

    return look_up


@pytest.mark.slow
def test_a_drill_leaves_one_signed_entry_in_the_operators_ledger_and_nothing_else(used_home, tmp_path, monkeypatch):
    name = load("langchain", tmp_path, monkeypatch)
    before, files = entries(used_home), snapshot(used_home)
    result = run(f"{name}:agent", "--classes", "respell", "--seed", "4", "--json", "--by", "ana", folder=tmp_path)
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    added = entries(used_home)[len(before) :]
    (entry,) = [item for item in added if item.kind is EntryKind.DRILL]
    assert {item.kind for item in added} <= {EntryKind.DRILL, EntryKind.WRITER_OPEN, EntryKind.WRITER_CLOSE}
    assert answer["recorded"] == entry.id
    assert (entry.body["seed"], entry.body["passed"], entry.body["holes"]) == (4, True, [])
    counts = entry.body["classes"]["respell"]
    assert (counts["held"], counts["ran"]) == (answer["held"]["hits"], answer["honest"]["hits"])
    assert all(entry.body[key].startswith("sha256:") for key in ("application", "policy"))
    assert snapshot(used_home) == files
    code, *printed = cli("verify", home=used_home)
    assert code == 0, printed
    assert "seed" in cli("show", entry.id, home=used_home)[1]


@pytest.mark.slow
@pytest.mark.thorough
def test_equal_seeds_give_equal_results(used_home, tmp_path, monkeypatch):
    name = load("langchain", tmp_path, monkeypatch)
    args = (f"{name}:agent", "--classes", "redirect", "--seed", "2", "--json")
    first, second = (json.loads(run(*args, folder=tmp_path).stdout) for _ in range(2))
    assert first.pop("recorded") != second.pop("recorded")
    assert first == second


@pytest.mark.slow
def test_a_hole_fails_the_gate_and_a_lower_threshold_does_not(tmp_path, monkeypatch):
    name = load("openai", tmp_path, monkeypatch, ('mode="enforce", ', ""))
    args = (f"{name}:agent", "--classes", "redirect")
    failed = run(*args, folder=tmp_path)
    assert failed.exit_code == 1
    assert failed.output.count("run `halo enforce`") == 1  # whichever of the tools it is about
    assert "not recorded: there is no ledger" in failed.output
    assert run(*args, "--held", "0", folder=tmp_path).exit_code == 0
    assert not (tmp_path / ".halo").exists()


@pytest.mark.slow
def test_a_changed_entry_is_found_by_verify(used_home, tmp_path, monkeypatch):
    import sqlite3

    name = load("langchain", tmp_path, monkeypatch)
    run(f"{name}:agent", "--classes", "redirect", "--time-limit", "0s", folder=tmp_path)
    with sqlite3.connect(used_home / "halo.db") as connection:
        (body,) = connection.execute("SELECT body FROM entry WHERE kind='drill'").fetchone()
        changed = body.replace(b'"passed":false', b'"passed":true')
        assert changed != body
        triggers = "SELECT name FROM sqlite_master WHERE type='trigger' AND tbl_name='entry'"
        for (trigger,) in connection.execute(triggers).fetchall():
            connection.execute(f"DROP TRIGGER {trigger}")
        connection.execute("UPDATE entry SET body=? WHERE kind='drill'", (changed,))
    assert cli("verify", home=used_home)[0] == 11


@pytest.mark.parametrize(
    ("args", "code"),
    [
        (("nothing",), "bad_target"),
        (("nowhere_at_all:agent",), "no_module"),
        (("os:path",), "no_adapter"),
        (("os:path", "--classes", "spell"), "bad_class"),
        (("os:path", "--held", "95"), "bad_share"),
        (("os:path", "--rounds", "0"), "bad_rounds"),
        (("os:path", "--time-limit", "soon"), "bad_duration"),
    ],
)
def test_what_cannot_be_drilled_is_refused(args, code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    exit_code, out, err = cli("drill", *args, "--json")
    assert (exit_code, code in out + err) == (64, True), out + err


@pytest.mark.slow
def test_no_case_begins_after_the_time_limit(tmp_path, monkeypatch):
    name = load("langchain", tmp_path, monkeypatch)
    result = run(f"{name}:agent", "--classes", "respell", "--time-limit", "0s", "--json", folder=tmp_path)
    assert result.exit_code == 2
    answer = json.loads(result.stdout)
    assert list(answer["not_run"]) == ["the time limit was reached"]


# recorded sessions


@pytest.mark.slow
def test_an_honest_session_of_the_ledger_runs_again(tmp_path, monkeypatch):
    from langchain.agents import create_agent

    from halo_langchain import Halo, Resource
    from halo_langchain.testing import ScriptedModel, call

    def find_order(number: str) -> str:
        """Find an order."""
        return f"order {number}: a parcel"

    def send_email(to: str, subject: str, body: str) -> str:
        """Send an e-mail."""
        return "sent"

    script = [
        call("x", ("find_order", {"number": "N-17"}), id="m1"),
        call("y", ("send_email", {"to": "ben@north.example", "subject": "N-17", "body": "a parcel"}), id="m2"),
    ]
    source = (Path(__file__).with_name("drill_desk_langchain.py")).read_text(encoding="utf-8")
    home = tmp_path / ".halo"
    with Halo.local("desk", home=home, mode="enforce", quiet=True) as halo:
        tools = [
            halo.guard(find_order, resource=Resource(impact="read", source_trust=900)),
            halo.guard(send_email, resource=Resource(impact="send", targets=("to",))),
        ]
        model = halo.guard(ScriptedModel(script=script))
        agent = create_agent(model, tools, middleware=[halo.middleware()])
        agent.invoke({"messages": [("user", "Send order N-17 to ben@north.example")]})
    url = f"sqlite:///{home / 'halo.db'}"
    (session,) = read_honest_sessions(url, home, "local", 10**16, 10)
    assert session.user == "Send order N-17 to ben@north.example"
    assert [(step.tool, step.answer) for step in session.steps] == [
        ("find_order", "order N-17: a parcel"), ("send_email", "sent"),
    ]  # fmt: skip
    source = source.replace("look_up", "find_order").replace("vendor: str", "number: str")
    result = play(
        "langchain", tmp_path, monkeypatch, source=source, classes=(AttackClass.RESPELL,), sessions=(session,)
    )  # fmt: skip
    plain = play("langchain", tmp_path, monkeypatch, source=source, classes=(AttackClass.RESPELL,))
    assert result.honest.hits == result.honest.total == plain.honest.total + 1


def test_without_a_ledger_there_are_no_recorded_sessions(tmp_path):
    assert read_honest_sessions(f"sqlite:///{tmp_path / 'halo.db'}", tmp_path, "local", HOUR_US, 10) == ()
