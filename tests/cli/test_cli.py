"""The `halo` command: documented exit codes, JSON for programs, masked content for people."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections import Counter

import pytest
import typer

from halo_core.cli.main import PANELS, VERBS, app, main
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Stop
from halo_core.reasons import get_reason_text
from halo_core.stop_files import StopFiles
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, found, policy_folder, python, tool, url_of

PAN = "4111 1111 1111 1111"
MAIL = "eve@evil.example"


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    home = tmp_path_factory.mktemp("cli") / "home"
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        for name in ("watched", "query"):
            tool(halo, name)
        for session, user in (("one", "ana"), ("two", "bob")):
            with halo.session(session, user=user):
                lookup = tool(halo, "lookup")
                halo.enforcer.run(
                    halo.build_call(lookup, {"q": f"card {PAN} of {MAIL}"}), Calls(f"mail {MAIL}"), SURFACE
                )
                for name, args in (("wipe", {"path": "/"}), ("pay", {"amount": 5000, "to": "x"})):
                    with pytest.raises(Denied):
                        halo.enforcer.run(halo.build_call(tool(halo, name), args), Calls(), SURFACE)
    return home


@pytest.fixture
def copy(ledger, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(ledger, home)
    return home


def decisions(home):
    return found(home, EntryKind.DECISION)


# verify


def test_verify(ledger):
    code, out, _ = cli("verify", home=ledger)
    assert code == 0
    assert "whole: nothing was changed, removed or added" in out
    for number in range(1, 10):
        assert f"({number})" in out
    code, out, _ = cli("verify", "--signatures", "--json", home=ledger)
    report = json.loads(out)
    assert (code, report["exit_code"], report["findings"], report["total"]) == (0, 0, [], 0)
    head = report["heads"]["local"]
    assert head["size"] == head["covered"] == len(found(ledger))
    assert [check["failed"] for check in report["checks"]] == [0] * 9


def test_verify_of_a_changed_ledger(copy):
    database = attack(db_of(copy))
    database.execute("UPDATE entry SET session=ref('three') WHERE kind='decision' AND session=ref('two')")
    database.close()
    code, out, _ = cli("verify", home=copy)
    assert code == 11
    assert "TAMPERED" in out
    assert "column session" in out
    code, out, _ = cli("verify", "--json", home=copy)
    report = json.loads(out)
    assert (code, report["exit_code"]) == (11, 11)
    ids = {item.entry.id for item in decisions(copy) if item.entry.session == "two"}
    assert ids <= {finding["entry"] for finding in report["findings"]}


def test_verify_of_nothing(tmp_path, ledger):
    code, _, err = cli("verify", home=tmp_path / "nowhere")
    assert code == 64
    assert "has no trusted key" in err
    assert "try:" in err
    code, _, err = cli("verify", "--db", f"sqlite:///{tmp_path}/nothing.db", home=ledger)
    assert code == 64
    assert "[no_database]" in err
    assert not (tmp_path / "nothing.db").exists()
    (tmp_path / "text.db").write_text("not a database" * 100)
    assert cli("verify", "--db", f"sqlite:///{tmp_path}/text.db", home=ledger)[0] in (2, 11)
    assert cli("verify", "--db", "mysql://x/y", home=ledger)[0] == 64


# show and log


def test_log(ledger):
    code, out, _ = cli("log", home=ledger)
    assert code == 0
    lines = out.splitlines()
    assert len(lines) == 7
    for word in ("allow", "deny", "challenge", "grave_impact", "large_amount", "one", "two", "lookup"):
        assert word in out
    code, out, _ = cli("log", "--session", "two", "--last", "2", "--json", home=ledger)
    rows = json.loads(out)
    assert [(row["session"], row["body"]["decision"]["effect"]) for row in rows] == [
        ("two", "deny"),
        ("two", "challenge"),
    ]
    assert cli("log", "--session", "none", "--json", home=ledger)[1].strip() == "[]"


@pytest.mark.parametrize("address", ["id", "prefix", "index"])
def test_show_masks_content(ledger, address):
    (first, *_) = decisions(ledger)
    prefix = f"{first.entry.writer[:4]}-{first.entry.seq}"
    name = {"id": first.entry.id, "prefix": prefix, "index": str(first.index)}[address]
    code, out, _ = cli("show", name, home=ledger)
    assert code == 0, out
    assert first.entry.id in out
    assert PAN not in out
    assert MAIL not in out
    assert "…1111" in out
    assert "evil.example" in out
    assert "outcome" in out
    for word in ("ana → clerk", "allow", get_reason_text("granted").title, "index", "lookup", "dev"):
        assert word in out


def test_show_reveals_on_request(ledger):
    name = decisions(ledger)[0].entry.id
    code, out, _ = cli("show", name, "--reveal", home=ledger)
    assert (code, PAN in out, MAIL in out) == (0, True, True)


def test_show_as_json(ledger):
    first = decisions(ledger)[0]
    code, out, _ = cli("show", first.entry.id, "--json", home=ledger)
    rows = json.loads(out)
    assert code == 0
    assert [row["entry"]["kind"] for row in rows] == ["decision", "outcome"]
    assert rows[0]["index"] == first.index
    assert PAN not in out
    assert MAIL not in rows[1]["content"]["output"]
    revealed = json.loads(cli("show", first.entry.id, "--json", "--reveal", home=ledger)[1])
    assert revealed[0]["content"]["args"] == json.dumps({"q": f"card {PAN} of {MAIL}"}, separators=(",", ":"))


def test_show_of_a_challenge_shows_its_request(ledger):
    asked = decisions(ledger)[2]
    rows = json.loads(cli("show", asked.entry.id, "--json", home=ledger)[1])
    assert [row["entry"]["kind"] for row in rows] == ["decision", "approval_request"]


def test_a_question_is_explained_as_the_decision_that_asked_it(ledger):
    request = found(ledger, EntryKind.APPROVAL_REQUEST)[0]
    decision = request.entry.body["decision"]
    by_question = cli("policy", "explain", request.entry.id, home=ledger)
    assert by_question == cli("policy", "explain", f"{decision['w']}-{decision['ws']}", home=ledger)
    assert by_question[0] == 0


def test_another_entry_about_a_decision_is_refused_with_the_decisions_id(ledger):
    outcome = found(ledger, EntryKind.OUTCOME)[0]
    decision = outcome.entry.body["decision"]
    code, _, err = cli("policy", "explain", outcome.entry.id, home=ledger)
    assert (code, "[not_a_decision]" in err) == (64, True)
    assert f"`{decision['w']}-{decision['ws']}`" in " ".join(err.split())
    opening = found(ledger, EntryKind.WRITER_OPEN)[0]
    code, _, err = cli("policy", "explain", opening.entry.id, home=ledger)
    assert (code, "see `halo log`" in err) == (64, True)


def test_show_of_what_is_not_there(ledger):
    for name in ("ffffffff", "9999", "0" * 9):
        code, _, err = cli("show", name, home=ledger)
        assert (code, "[no_such_entry]" in err, "column `#` of `halo log`" in err) == (64, True, True)
    code, _, err = cli("show", "0", "--tenant", "acme", home=ledger)
    assert (code, "which_tenant" in err, "no tenant `acme`" in err, "local" in err) == (64, True, True, True)
    first = found(ledger)[0].entry
    for name in (first.writer, f"{first.writer}-", f"{first.writer}-9999", f"{first.writer}-x"):
        code, _, err = cli("show", name, home=ledger)
        assert (code, "no entry with id" in err) == (64, True), name


def test_show_of_what_several_writers_have(ledger, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(ledger, home)
    for _ in range(3):
        HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True).close()
    writers = {item.entry.writer for item in found(home)}
    starts = Counter(writer[0] for writer in writers)
    start, number = starts.most_common(1)[0]
    code, out, err = cli("show", f"{start}-0", home=home)
    assert (code, f"{number} entries" in err) == ((64, True) if number > 1 else (0, False)), (out, err)


def test_show_without_the_content_key(copy):
    (copy / "content.key").unlink()
    code, out, _ = cli("show", decisions(copy)[0].entry.id, home=copy)
    assert (code, "the content key is not available" in out) == (0, True)
    assert not (copy / "content.key").exists()


def test_words_of_the_ledger_do_not_style_the_terminal(tmp_path):
    home = tmp_path / "home"
    evil = "[bold red]x[/] \\[bold]y \x1b[31m \x9b \u202e"
    halo = HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True)
    with halo, halo.session(evil, user=evil):
        halo.enforcer.run(halo.build_call(tool(halo, "lookup"), {"q": evil}), Calls(), SURFACE)
    for line in (("log",), ("show", decisions(home)[0].entry.id), ("status",), ("verify",)):
        code, out, _ = cli(*line, home=home)
        assert code == 0
        assert not {"\x1b", "\x9b", "\u202e"} & set(out), line
        if line[0] in ("log", "show"):
            assert "[bold red]x[/] \\[bold]y" in out
            assert "\\x1b[31m \\x9b \\u202e" in out
    code, out, _ = cli("show", decisions(home)[0].entry.id, "--reveal", home=home)
    assert (code, "\x1b" in out) == (0, False)


# status, enforce, observe


def test_status(copy):
    code, out, _ = cli("status", home=copy)
    assert code == 0
    assert "local  mode observe" in out
    assert "decisions 6 in 2 sessions" in out
    code, out, _ = cli("status", "--json", home=copy)
    status = json.loads(out)["local"]
    control = status.pop("control")
    expected = {"floor": "observe", "set_by": None, "waiver": None, "differences": 0}
    assert {name: control[name] for name in expected} == expected
    assert status.pop("store_id").startswith("halo-store:")
    assert status == {
        "decisions": {"tool_call": 6},
        "effects": {"allow": 2, "challenge": 2, "deny": 2},
        "mode": "observe",
        "sightings": 0,
        "store": url_of(copy),
    }


def test_status_names_what_is_stopped_and_revoked(copy):
    cli("stop", "--agent", "clerk", "--why", "too odd", home=copy)
    cli("stop", "--user", "user:ana", home=copy)
    cli("stop", "--tool", "wipe", home=copy)
    cli("lift", "--tool", "wipe", home=copy)
    assert cli("revoke", "--agent", "auditor", "--unknown", "--why", "retired", home=copy)[0] == 0
    StopFiles(copy).set(Stop("agent", "night", 1), "ops", "no store")
    out = cli("status", home=copy)[1]
    assert re.search(r"stopped agent clerk, since 20\S+ by \S+: too odd", out), out
    assert re.search(r"stopped user user:ana, since 20", out), out
    assert re.search(r"revoked agent auditor, since 20\S+ by \S+: retired", out), out
    assert "stopped agent night, since 1970-01-01T00:00:00.000Z, in a file of the home without an entry" in out
    assert out.count("stopped") == 3
    listed = json.loads(cli("status", "--json", home=copy)[1])["local"]["control"]["restrictions"]
    assert [(item["kind"], item["scope"], item["target"]) for item in listed] == [
        ("stop", "agent", "clerk"),
        ("stop", "user", "user:ana"),
        ("revocation", "agent", "auditor"),
        ("stop", "agent", "night"),
    ]


def test_enforce_and_observe(copy):
    with HaloBase.local("clerk", home=copy, mode="observe", policy=policy_folder(copy), quiet=True) as halo:
        for name, args in (("wipe", {"path": "/"}), ("wipe", {"path": "/a"}), ("pay", {"amount": 5000, "to": "x"})):
            with halo.session("three"):
                halo.enforcer.run(halo.build_call(tool(halo, name), args), Calls(), SURFACE)
    code, out, _ = cli("enforce", home=copy)
    assert code == 0
    assert "2 x wipe: the effect is severe or cannot be undone" in out  # and not the two that did not run
    assert "1 x pay: the amount is above the threshold" in out
    assert "3 of the 5 calls that ran so far would not have run" in out, out
    assert json.loads(cli("status", "--json", home=copy)[1])["local"]["mode"] == "enforce"
    before = len(found(copy, EntryKind.MODE))
    assert cli("enforce", home=copy)[0] == 0
    assert len(found(copy, EntryKind.MODE)) == before == 1
    code, out, _ = cli("observe", "--for", "30m", "--why", "looking for a fault", home=copy)
    assert (code, "actions RUN whatever the decision" in out) == (0, True)
    assert json.loads(cli("status", "--json", home=copy)[1])["local"]["mode"] == "observe"
    assert cli("verify", home=copy)[0] == 0


def test_enforce_without_a_store(tmp_path):
    code, _, err = cli("enforce", home=tmp_path / "nowhere")
    assert (code, "[no_database]" in err) == (64, True)
    assert not (tmp_path / "nowhere" / "halo.db").exists()


# replay


def test_replay(ledger):
    code, out, _ = cli("replay", "--all", home=ledger)
    assert (code, "replayed 6 decisions: 6 identical (100.00%)" in out) == (0, True)
    name = decisions(ledger)[1].entry.id
    code, out, _ = cli("replay", name, "--json", home=ledger)
    told = json.loads(out)
    assert (code, told["counts"], told["odd"]) == (0, {"identical": 1}, [])
    assert (told["head"]["verdict"], told["head"]["population"]["counted"]) == ("holds", 1)


def test_replay_of_what_is_no_decision(ledger):
    opening = found(ledger, EntryKind.WRITER_OPEN)[0]
    code, out, err = cli("replay", opening.entry.id, home=ledger)
    assert code in (2, 64)
    assert "Traceback" not in out + err


# policy


def test_policy_check(copy, tmp_path):
    good = policy_folder(copy)
    assert cli("policy", "check", str(good), home=copy)[0] == 0
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "p.cedar").write_text(
        '@id("typo") forbid (principal, action, resource == Tool::"lookpu") when { context.amuont > 1 };'
    )
    code, out, _ = cli("policy", "check", str(bad), home=copy)
    assert (code, "p.cedar:1" in out, "typo" in out) == (1, True, True)
    code, out, _ = cli("policy", "check", str(bad), "--json", home=copy)
    assert code == 1
    assert {finding["policy"] for finding in json.loads(out)} == {"typo"}
    code, _, err = cli("policy", "check", str(tmp_path / "none"), home=copy)
    assert (code, "[policy_missing]" in err) == (64, True)


def test_policy_check_before_anything_is_registered(tmp_path):
    folder = tmp_path / "p"
    folder.mkdir()
    (folder / "p.cedar").write_text('@id("base") permit (principal, action, resource);')
    code, out, _ = cli("policy", "check", str(folder), home=tmp_path / "home")
    assert (code, "no tools are registered yet" in out) == (0, True)


def test_policy_test(copy, tmp_path):
    cases = tmp_path / "cases.toml"
    cases.write_text(
        '[[case]]\nname = "no"\nresource = "wipe"\nexpect = "deny"\n'
        '[[case]]\nname = "yes"\nresource = "lookup"\nexpect = "allow"\n'
    )
    folder = str(policy_folder(copy))
    code, out, _ = cli("policy", "test", str(cases), folder, home=copy)
    assert (code, "2 passed, 0 failed" in out) == (0, True), out
    cases.write_text('[[case]]\nname = "wrong"\nresource = "wipe"\nexpect = "allow"\n')
    code, out, _ = cli("policy", "test", str(cases), folder, home=copy)
    assert (code, "expected allow, got deny" in out) == (1, True)
    code, out, _ = cli("policy", "test", str(cases), folder, "--json", home=copy)
    assert code == 1
    assert json.loads(out) == [{"expected": "allow", "got": "deny", "name": "wrong", "passed": False}]
    cases.write_text("nonsense")
    assert cli("policy", "test", str(cases), folder, home=copy)[0] == 64
    assert cli("policy", "test", str(tmp_path / "none.toml"), folder, home=copy)[0] == 64
    cases.write_bytes(b'[[case]]\nname = "\xff"')
    code, _, err = cli("policy", "test", str(cases), folder, home=copy)
    assert (code, "it is not UTF-8 text [no_cases]" in err) == (64, True)


def test_policies_that_do_not_parse_are_an_error_with_file_line_and_remedy(copy, tmp_path):
    cases = tmp_path / "cases.toml"
    cases.write_text('[[case]]\nname = "no"\nresource = "wipe"\nexpect = "deny"\n')
    folder = tmp_path / "bad"
    folder.mkdir()
    for text in ("permit (", "\x00", 'permit (principal, action, resource) when { "};'):
        (folder / "p.cedar").write_text(f"// a comment\n{text}")
        for verb in (("check",), ("test", str(cases))):
            code, out, err = cli("policy", *verb, str(folder), home=copy)
            assert (code, "p.cedar:2" in out + err, "see docs.cedarpolicy.com" in out + err) == (1, True, True)
    (folder / "p.cedar").write_text(
        "permit (principal, action, resource) when {" + "(" * 5000 + "1" + ")" * 5000 + "};"
    )
    code, _, err = cli("policy", "test", str(cases), str(folder), home=copy)
    assert (code, "p.cedar:1" in err, "split it into several policies" in err) == (1, True, True)


# the line itself


@pytest.mark.parametrize(
    "line", [["nonsense"], ["verify", "--nonsense"], ["show"], ["log", "--last", "many"], ["policy", "nonsense"]]
)
def test_a_wrong_line_is_64(line, ledger):
    code, _, err = cli(*line)
    assert code == 64
    assert "Traceback" not in err


def test_help(ledger):
    for line in (["--help"], ["verify", "--help"], ["policy", "--help"]):
        code, out, _ = cli(*line)
        assert code == 0
        assert "Usage" in out


def test_main_exits_with_the_code(ledger):
    with pytest.raises(SystemExit) as caught:
        main(["verify", "--json", "--home", str(ledger / "nowhere")])
    assert caught.value.code == 64


@pytest.mark.slow
def test_as_a_process(ledger):
    run = python("-c", "from halo_core.cli import main; main()", "status", "--json", "--home", str(ledger))
    done = subprocess.run(run, capture_output=True, check=False)
    assert (done.returncode, json.loads(done.stdout)["local"]["mode"], done.stderr) == (0, "observe", b"")


def test_reading_verbs_write_nothing(copy):
    before = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    for line in (
        ("verify",),
        ("log",),
        ("status",),
        ("replay", "--all"),
        ("policy", "check", str(policy_folder(copy))),
    ):
        cli(*line, home=copy)
    after = {path: path.read_bytes() for path in copy.rglob("*") if path.is_file()}
    assert {path: data for path, data in after.items() if path in before} == before
    noted = len(bodies(copy, EntryKind.ACCESS))
    assert cli("show", "0", home=copy)[0] == 0  # which reads content, and that is an entry
    assert [body["act"] for body in bodies(copy, EntryKind.ACCESS)][noted:] == ["read"]


def test_the_log_names_who_acted_where_more_than_one_did(home):
    with HaloBase.local("front", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        lookup = tool(halo, "lookup")
        halo.register_agent("worker")
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(lookup, {"q": "x"}), Calls(), SURFACE)
            assert " agent " not in cli("log", home=home)[1].splitlines()[0]
            with halo.agent_scope("worker"):
                halo.enforcer.run(halo.build_call(lookup, {"q": "x"}), Calls(), SURFACE)
    out = cli("log", home=home)[1]
    assert " agent " in out.splitlines()[0]
    assert any(" worker " in line and " lookup " in line for line in out.splitlines())


# the verbs are imported when they are called


def test_help_imports_no_verb():
    code = (
        "import sys; from halo_core.cli.main import VERBS, run; code = run(['--help']);"
        "print(code, sorted(n for n in sys.modules if n.startswith(('halo_core.store', 'sqlalchemy', 'cedarpy'))))"
    )
    done = subprocess.run(python("-c", code), capture_output=True, check=True, text=True)
    assert done.stdout.splitlines()[-1] == "0 []"


def test_a_verb_that_reads_imports_nothing_that_decides_or_writes():
    heavy = ("halo_core.enforcement", "halo_core.store.store", "halo_core.policy", "cedarpy", "sqlglot", "asyncio")
    code = f"import sys, halo_core.cli.log; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(python("-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_list_of_verbs_says_what_each_says_itself():
    group = typer.main.get_command(app)
    commands = {name: group.get_command(None, name) for name in VERBS}
    paragraphs = {name: " ".join((command.help or "").split("\n\n")[0].split()) for name, command in commands.items()}
    assert paragraphs == {name: verb.summary for name, verb in VERBS.items()}
    options = {option for command in commands.values() for item in command.params for option in item.opts}
    assert "--install-completion" not in options


def test_the_help_lists_each_verb_below_one_heading_and_what_is_urgent_before_evidence():
    below = [name for names in PANELS.values() for name in names]
    assert sorted(below) == sorted(VERBS)
    lines = cli("--help")[1].splitlines()
    rows = {name: number for number, line in enumerate(lines) for name in VERBS if f"│ {name} " in line}
    assert set(rows) == set(VERBS)
    headings = {title: number for number, line in enumerate(lines) for title in PANELS if f"─ {title} ─" in line}
    assert list(headings) == list(PANELS)
    assert headings["When something is wrong"] < rows["stop"] < headings["What waits for people"]
