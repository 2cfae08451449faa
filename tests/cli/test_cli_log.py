"""`halo log`: its filters against a plain search, following, narrow terminals."""

from __future__ import annotations

import contextlib
import itertools
import json
import shutil
import subprocess
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

import halo_core.views.log_query as log_query
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, attack, cli, db_of, found, policy_folder, python, tool

KINDS = (EntryKind.DECISION, EntryKind.SHADOW)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("log") / "home"
    work = [
        ("lookup", {"q": "a"}),
        ("watched", {"q": "b"}),
        ("pay", {"amount": 500, "to": "x"}),
        ("wipe", {"path": "/"}),
    ]
    for agent in ("clerk", "auditor"):
        with HaloBase.local(agent, home=place, mode="enforce", policy=policy_folder(place), quiet=True) as halo:
            tools = {name: tool(halo, name, labels=("pii",) if name == "lookup" else ()) for name, _ in work}
            for session, user in (("one", "ana"), ("two", "bob"), ("three", "")):
                with halo.session(f"{agent}-{session}", user=user):
                    for name, args in work:
                        with contextlib.suppress(Denied):
                            halo.enforcer.run(halo.build_call(tools[name], args), Calls(), SURFACE)
            halo.record_shadow("tool", f"rogue-of-{agent}", "app.py:7")
    return place


def rows(home, *options):
    code, out, err = cli("log", "--json", "--last", "1000", *options, home=home)
    assert code == 0, err
    return json.loads(out)


def facts(row):
    body = row["body"]
    if row["kind"] == "shadow":
        return {"tool": body["name"], "effect": "none", "agent": "", "user": "", "label": [], "session": ""}
    request = body["request"]
    return {
        "tool": request["resource"]["id"],
        "effect": body["decision"]["effect"],
        "agent": request["subject"]["agent"],
        "user": request["subject"]["user"],
        "label": request["resource"]["labels"],
        "session": row["session"],
    }


FILTERS = {
    "agent": ("clerk", "auditor", "nobody"),
    "user": ("ana", "User:BOB ", "carol"),
    "tool": ("pay", "w*", "rogue-*", "none"),
    "effect": ("deny", "allow,monitor", "none", "challenge"),
    "label": ("pii", "chd"),
    "session": ("clerk-one", "auditor-three"),
}
MATCHES = {
    "tool": lambda value, wanted: value.startswith(wanted[:-1]) if wanted.endswith("*") else value == wanted,
    "effect": lambda value, wanted: value in wanted.split(","),
    "label": lambda value, wanted: wanted in value,
    "user": lambda value, wanted: value == wanted.lower().strip().removeprefix("user:"),
}


def is_wanted(row, filters):
    return all(MATCHES.get(name, str.__eq__)(facts(row)[name], wanted) for name, wanted in filters.items()) and not (
        row["kind"] == "shadow" and filters.keys() & {"agent", "user", "label", "session"}
    )


@pytest.mark.share(2)
@pytest.mark.parametrize("names", [*itertools.combinations(FILTERS, 1), *itertools.combinations(FILTERS, 2)])
def test_filters_find_what_a_plain_search_finds(home, names, monkeypatch):
    monkeypatch.setattr(log_query, "_WINDOW", 7)
    everything = rows(home)
    assert len(everything) == len(found(home, *KINDS))
    for values in itertools.product(*(FILTERS[name] for name in names)):
        filters = dict(zip(names, values, strict=True))
        options = [f"--{name}={value}" for name, value in filters.items()]
        assert rows(home, *options) == [row for row in everything if is_wanted(row, filters)]


def test_the_newest_ones_are_listed_in_log_order(home, monkeypatch):
    monkeypatch.setattr(log_query, "_WINDOW", 5)
    everything = [row["index"] for row in rows(home)]
    for last in (0, 1, 6, 1000):
        out = cli("log", "--json", "--last", str(last), home=home)[1]
        assert [row["index"] for row in json.loads(out)] == (everything[-last:] if last else [])


def test_times(home):
    everything = rows(home)
    moment = datetime.fromtimestamp(everything[5]["ts_us"] / 1e6, tz=UTC)
    later = [row["index"] for row in everything if row["ts_us"] >= everything[5]["ts_us"]]
    assert [row["index"] for row in rows(home, "--since", moment.isoformat())] == later
    assert [row["index"] for row in rows(home, "--until", moment.isoformat())] == [
        row["index"] for row in everything if row["index"] not in later
    ]
    assert rows(home, "--since", "1d") == rows(home, "--from", "1d", "--to", "0m") == everything
    assert rows(home, "--since", (datetime.now(tz=UTC) + timedelta(days=1)).isoformat()) == []


@pytest.mark.parametrize(
    ("option", "code"),
    [("--since=yesterday", "bad_time"), ("--effect=no", "bad_effect"), ("--last=-1", "bad_count")],
)
def test_what_means_nothing_is_refused_with_a_remedy(home, option, code):
    status, _, err = cli("log", option, home=home)
    assert status == 64
    assert code in err
    assert "try:" in err


def test_a_search_that_finds_nothing_expands_no_entry_and_parses_few(home, monkeypatch):
    def refuse(*_):
        raise AssertionError("an entry was expanded")

    monkeypatch.setattr(Reader, "read_note", refuse)
    parsed = []
    parse = log_query._Matcher._is_wanted_decision
    monkeypatch.setattr(log_query._Matcher, "_is_wanted_decision", lambda *args: parsed.append(1) or parse(*args))
    for option, name, similar in (("--tool", "lookuq", "lookup"), ("--agent", "clark", "clerk"), ("--label", "x", "")):
        parsed.clear()
        out = cli("log", option, name, home=home)[1]
        assert " ".join(out.split()) == "no entry matches" + (f"; similar names: {similar}" if similar else "")
        # Of the 24 decisions one for each resource of each agent, or for each of the agents' frames, is parsed.
        assert 0 < len(parsed) <= 8, option


def test_a_session_is_found_with_and_without_the_word_thread(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True) as halo:
        for session in ("thread:conv-1", "case-9", "thread:case-9"):
            with halo.session(session):
                halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": "a"}), Calls(), SURFACE)
    for wanted, names in {
        "conv-1": ["thread:conv-1"],
        "thread:conv-1": ["thread:conv-1"],
        "case-9": ["case-9"],  # the name itself comes first
        "thread:case-9": ["thread:case-9"],
    }.items():
        assert [row["session"] for row in rows(home, "--session", wanted)] == names
    assert rows(home, "--session", "conv-2") == []
    assert cli("log", "--session", "conv-2", home=home)[1].split() == (
        "no entry matches; similar names: thread:conv-1".split()
    )
    assert "similar names: lookup" in cli("log", "--tool", "look", home=home)[1]
    code, out, _ = cli("log", "--tool", "nothere", home=home)
    assert (code, out.strip()) == (0, "no entry matches")


def alter(home, place, statement):
    """A copy of a home in whose database somebody wrote."""
    copy = shutil.copytree(home, place / "home")
    with contextlib.closing(attack(db_of(copy))) as database:
        database.execute(statement)
    return copy


def test_an_entry_whose_part_was_changed_is_not_left_out(home, tmp_path):
    changed = "CAST(replace(CAST(bytes AS TEXT), 'clerk', 'clerc') AS BLOB)"
    where = 'instr(CAST(bytes AS TEXT), \'"agent":"clerk"\')'
    copy = alter(home, tmp_path, f"UPDATE blob SET bytes={changed} WHERE {where}")
    code, _, err = cli("log", "--agent", "clerk", home=copy)
    assert code == 11
    assert "part_altered" in err


def test_an_entry_that_is_cut_off_is_not_left_out(home, tmp_path):
    newest = "(SELECT max(idx) FROM entry WHERE kind='decision')"
    cut = f"UPDATE entry SET body=substr(body, 1, length(body)-9) WHERE idx={newest}"
    copy = alter(home, tmp_path, cut)
    for option in ("--effect=none", "--agent=nobody", "--tool=nothing", "--label=chd", "--user=carol"):
        code, _, err = cli("log", option, home=copy)
        assert (code, "malformed" in err) == (11, True), err


def test_a_search_parses_only_what_its_bytes_leave_open(home, monkeypatch):
    parsed = list[bytes]()

    def loads(text):
        parsed.append(text)
        return json.loads(text)

    monkeypatch.setattr(log_query, "orjson", SimpleNamespace(loads=loads))
    sightings, decisions = (len(found(home, kind)) for kind in (EntryKind.SHADOW, EntryKind.DECISION))
    for option, most in (("--effect=none", 0), ("--tool=nothing", 8), ("--label=chd", 8), ("--agent=nobody", 6)):
        parsed.clear()
        rows(home, option)
        assert len(parsed) <= sightings + most < sightings + decisions, option


def test_a_narrow_terminal_gets_lines_of_80_columns(home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = cli("log", home=home)[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["#", "time", "agent", "resource", "effect", "ran", "why"]
    assert lines[-1] == "times are UTC; 120 columns or --json also show date, session and action"
    monkeypatch.setenv("COLUMNS", "120")
    assert "times are UTC" not in cli("log", home=home)[1]


def test_store_options_may_stand_before_the_verb(home):
    expected = cli("log", home=home)[1]
    assert cli("--home", str(home), "log")[1] == expected
    assert cli(f"--home={home}", "--tenant", "local", "log", "--agent", "clerk")[0] == 0
    assert cli("--home", str(home), "known", "list")[0] == 0
    assert "--home" in cli("--help")[1]


def test_following_prints_what_comes(home, tmp_path):
    copy = shutil.copytree(home, tmp_path / "home")
    line = [
        "-c",
        "from halo_core.cli import main; main()",
        "log",
        "--home",
        str(copy),
        "--follow",
        "--json",
        "--last",
        "1",
    ]
    with subprocess.Popen(python(*line), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        first = json.loads(process.stdout.readline())
        assert first["index"] == rows(copy)[-1]["index"]
        with HaloBase.local("clerk", home=copy, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
            resource = tool(halo, "lookup", labels=("pii",))
            with halo.session("late"):
                halo.enforcer.run(halo.build_call(resource, {"q": "z"}), Calls(), SURFACE)
            second = json.loads(process.stdout.readline())
        process.terminate()
    assert second["session"] == "late"
    assert second["index"] > first["index"]
