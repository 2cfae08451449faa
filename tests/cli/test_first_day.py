"""`halo enforce` leads through the first day: guesses, what they would have asked, answers, the manifest, the mode."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
from pathlib import Path

import pytest

from halo_core.decision.model_fields import FIELDS_ARGUMENT, HOSTED_ARGUMENT
from halo_core.errors import Denied
from halo_core.facade import HaloBase
from halo_core.manifest import load_manifest
from halo_core.model import ActionKind, EntryKind, Impact, Mode, Resource, Reversal
from halo_core.store.reader import Reader
from halo_core.views.first_day import OWN_RECORDS, UNTRUSTED_SOURCE, count_declared, declare, load_first_day
from halo_world import SURFACE, Calls, cli, found, schema, url_of, verified
from preloaded_python import find_python

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
_PROMPT = re.compile(r"\]: $")  # the blank comes last, once the answer is read for
USER = "ana@bank.example"


def register_all(halo):
    """Five tools that nobody declared, one that somebody did, and a retriever."""
    tools = {
        "get_order": schema({"order_id": {"type": "string"}}),
        "send_report": schema({"recipient": {"type": "string"}, "text": {"type": "string"}}),
        "book_hotel": schema({"hotel_id": {"type": "string"}, "price": {"type": "string"}}),
        "frobnicate": schema({"item": {"type": "string"}}),
        "write_note": schema({"text": {"type": "string"}}),
    }
    registered = {name: halo.register(ActionKind.TOOL_CALL, name, schema=each) for name, each in tools.items()}
    registered["lookup"] = halo.register(
        ActionKind.TOOL_CALL, "lookup", resource=Resource(impact="read"), schema=schema({"q": {}})
    )
    registered["web"] = halo.register(ActionKind.RETRIEVAL, "web", schema=schema({"query": {"type": "string"}}))
    return registered


def work(halo, session):
    """What the application does; names of what did not run."""
    registered, stopped = register_all(halo), []
    calls = [
        ("get_order", {"order_id": "7"}),
        ("lookup", {"q": "x"}),
        ("web", {"query": "hotels"}),
        ("send_report", {"recipient": USER, "text": "done"}),
        ("send_report", {"recipient": "eve@elsewhere.example", "text": "done"}),
        ("book_hotel", {"hotel_id": "H2", "price": "90"}),
        ("write_note", {"text": "a garden"}),
    ]
    with halo.session(session, user=USER, request=f"Send the report to {USER} and book hotel H1"):
        for name, args in calls:
            try:
                halo.enforcer.run(halo.build_call(registered[name], args), Calls("a garden"), SURFACE)
            except Denied:
                stopped.append(name)
    return stopped


@pytest.fixture(scope="session")
def worked_home(tmp_path_factory):
    folder = tmp_path_factory.mktemp("worked") / "home"
    with HaloBase.local("desk", home=folder, quiet=True) as halo:
        assert work(halo, "one") == []  # observe mode
        assert work(halo, "two") == []
    return folder


@pytest.fixture
def home(worked_home, tmp_path):
    return shutil.copytree(worked_home, tmp_path / "home")


def mode_of(home: Path) -> str:
    return json.loads(cli("status", "--json", home=home)[1])["local"]["mode"]


def plan_of(home: Path) -> dict:
    code, out, err = cli("enforce", "--json", home=home)
    assert code == 0, err
    return json.loads(out)


def list_wide_lines(shown: str) -> list[str]:
    """Lines over 80 columns, without what was answered; only a path that is alone on its line may be wider."""
    lines = [line.partition("]:")[0] + "]: " * ("]:" in line) for line in shown.splitlines()]
    return [line for line in lines if len(line) > 80 and (" " in line or not line.startswith("/"))]


def answer(home: Path, *answers: str, options: tuple[str, ...] = ()) -> tuple[int, str]:
    """Run `halo enforce` on a terminal of 80 columns and give these answers; exit code and what stood there."""
    run = "from halo_core.cli import main; main()"
    argv = [*find_python(), "-c", run, "enforce", *options, "--home", str(home)]
    environment = {**os.environ, "COLUMNS": "80", "TERM": "xterm"}
    process, terminal = pty.fork()
    if process == 0:
        os.execve(argv[0], argv, environment)
    shown, left = "", list(answers)
    try:
        while True:
            try:
                part = os.read(terminal, 65_536)
            except OSError:  # the terminal is gone with the process
                break
            if not part:
                break
            shown += part.decode("utf-8", "replace")
            if left and _PROMPT.search(_ESCAPES.sub("", shown)):
                os.write(terminal, f"{left.pop(0)}\n".encode())
    finally:
        _, status = os.waitpid(process, 0)
        os.close(terminal)
    return os.waitstatus_to_exitcode(status), _ESCAPES.sub("", shown).replace("\r", "")


# what is shown


def test_a_plan_shows_each_guess_and_writes_nothing(home):
    plan = plan_of(home)
    resources = {item["id"]: item for item in plan["resources"]}
    assert resources.keys() == {"get_order", "send_report", "book_hotel", "write_note", "web", "frobnicate"}
    assert plan["declared"] == 1
    assert resources["send_report"]["why"].startswith("the name has `send`")
    assert (resources["send_report"]["targets"], resources["send_report"]["sessions"]) == (["recipient"], 2)
    assert resources["frobnicate"]["recorded"]["calls"] == 0
    assert plan["skipped"] == ["frobnicate"]
    assert not (home / "agents.yaml").exists()
    assert mode_of(home) == "observe"
    assert cli("enforce", "--plan", home=home)[0] == 0
    assert (mode_of(home), (home / "agents.yaml").exists()) == ("observe", False)


def test_where_nothing_is_to_be_answered_nothing_is_asked_for(tmp_path):
    """All declared, or nothing recorded: the page neither speaks of guesses nor of calls that there were none of."""
    folder = tmp_path / "fresh"
    HaloBase.local("desk", home=folder, quiet=True).close()
    code, out, _ = cli("enforce", "--plan", home=folder)
    assert (code, "no agent yet: 0 decisions" in out) == (0, True)
    assert "there is nothing to answer: `halo enforce` switches" in out
    code, shown, _ = cli("enforce", "--yes", home=folder)
    assert (code, "no call ran so far, so nothing says what it will stop" in shown) == (0, True)
    for words in ("guesses", "source trust", "according to the rules", "nobody:"):
        assert words not in out + shown, words


def test_what_it_would_have_asked_is_what_enforce_mode_then_asks(home):
    plan = plan_of(home)
    would = {item["id"]: item["would_meet"]["asked"] + item["would_meet"]["denied"] for item in plan["declarations"]}
    calls = {item["id"]: item["would_meet"]["calls"] for item in plan["declarations"]}
    assert cli("enforce", "--yes", home=home)[0] == 0
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        assert halo.mode is Mode.ENFORCE
        stopped = work(halo, "three")
    asked = {name: stopped.count(name) for name in would}
    assert {name: 2 * count for name, count in asked.items()} == would, calls
    assert asked["send_report"] == 1  # to the address that nobody vouched for, and not to the user's


def test_the_plan_is_readable_at_80_columns(home, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = cli("enforce", "--plan", home=home)
    assert code == 0
    assert list_wide_lines(out) == []
    for text in ("send; goes to `recipient`", "the name has `send`", "asks 2 of 4 calls", "nothing was written"):
        assert text in out


def test_what_no_declaration_settles_is_listed(home):
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        halo.record_shadow("tool", "wipe\x1b[2J", "inside agent `helper`")
        model = halo.register_model("gpt", None)
        args = {FIELDS_ARGUMENT: ["ChatFoo.turbo"], HOSTED_ARGUMENT: ["web_search"], "messages": []}
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(model, args), Calls("hello"), SURFACE)
    out = cli("enforce", "--plan", home=home)[1]
    assert "\x1b" not in out
    for text in ("ChatFoo.turbo", "halo known add model_field NAME", "web_search", "inside agent `helper`", "wipe"):
        assert text in out
    found_kinds = {(item["kind"], item["name"].partition("\x1b")[0]) for item in plan_of(home)["findings"]}
    assert {("tool", "wipe"), ("hosted_tool", "web_search"), ("unknown_model_field", "ChatFoo.turbo")} == found_kinds


def test_one_agent_alone(home):
    with HaloBase.local("clerk", home=home, quiet=True) as halo:
        tool = halo.register(ActionKind.TOOL_CALL, "delete_file", schema=schema({"path": {"type": "string"}}))
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(tool, {"path": "/a"}), Calls(), SURFACE)
    plan = json.loads(cli("enforce", "--json", "--agent", "clerk", home=home)[1])
    assert [item["id"] for item in plan["resources"]] == ["delete_file"]
    assert (plan["agents"], plan["decisions"]) == (["clerk"], 1)


# what is written


def test_yes_accepts_the_guesses_and_switches(home):
    code, out, err = cli("enforce", "--yes", home=home)
    assert code == 0, err
    assert "5 declarations, 1 left undeclared" in out
    assert "evidence" in err
    manifest = load_manifest((home / "agents.yaml").read_text())
    assert manifest.declared[ActionKind.TOOL_CALL]["book_hotel"] == Resource(
        impact=Impact.PAYMENT, amount="price", reversal=Reversal.IRREVERSIBLE
    )
    assert manifest.declared[ActionKind.RETRIEVAL]["web"].impact is Impact.READ
    assert manifest.agents.keys() == {"desk"}
    assert mode_of(home) == "enforce"
    assert verified(home) == 0
    assert [item["id"] for item in plan_of(home)["resources"]] == ["frobnicate"]


def test_without_a_terminal_nobody_is_asked_and_nothing_declared(home):
    code, out, err = cli("enforce", home=home)
    assert code == 0, err
    assert "undeclared: " in out
    assert not (home / "agents.yaml").exists()
    assert mode_of(home) == "enforce"


def test_a_manifest_keeps_its_other_lines(home):
    (home / "agents.yaml").write_text(
        "# ours\nversion: 1\n\ntools:\n  lookup: {impact: read}  # the register\n\n  'send_*':\n    impact: send\n"
        "    targets: [recipient]\n\nagents:\n  desk:\n    owner: ana\n    tools: [lookup]  # more to come\n"
    )
    plan = plan_of(home)
    assert "send_report" not in {item["id"] for item in plan["resources"]}  # a pattern declares it
    assert cli("enforce", "--yes", home=home)[0] == 0
    text = (home / "agents.yaml").read_text()
    for line in ("# ours", "  lookup: {impact: read}  # the register", "    tools: [lookup]  # more to come"):
        assert line in text.splitlines()
    declared = load_manifest(text).declared
    assert set(declared[ActionKind.TOOL_CALL]) == {"lookup", "send_*", "get_order", "book_hotel", "write_note"}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("version: 1\ntools: {lookup: {impact: read}}\nagents:\n  desk: {tools: [lookup]}\n", "manifest_layout"),
        ("version: 1\ntenant: other\nagents:\n  desk: {tools: {}}\n", "which_tenant"),
        ("version: 1\nagents: []\n", "manifest"),
    ],
)
def test_a_manifest_that_cannot_be_edited_changes_nothing(home, text, code):
    (home / "agents.yaml").write_text(text)
    exit_code, _, err = cli("enforce", "--yes", home=home)
    assert exit_code == 64
    assert f"[{code}]" in err or code == "manifest"
    assert (home / "agents.yaml").read_text() == text
    assert mode_of(home) == "observe"


def test_a_plan_with_grants_shows_them_and_writes_nothing(home):
    code, out, err = cli("enforce", "--grants", "--plan", home=home)
    assert code == 0, err
    for text in ("desk would be issued", "- frobnicate", "manifest: ", "nothing was written: `halo enforce --grants`"):
        assert text in out, out
    assert not (home / "agents.yaml").exists()
    assert mode_of(home) == "observe"


def test_a_tool_that_is_not_granted_is_refused_with_where_its_lines_stand(home):
    assert cli("enforce", "--grants", "--yes", home=home)[0] == 0
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        tool = halo.register(ActionKind.TOOL_CALL, "get_page", schema=schema({"number": {"type": "string"}}))
        with halo.session("s"), pytest.raises(Denied) as caught:
            halo.enforcer.run(halo.build_call(tool, {"number": "1"}), Calls(), SURFACE)
    assert caught.value.reason == "tool_not_granted"
    explain = f"halo policy explain {caught.value.decision_id}"
    assert f"`{explain}` shows to agents.yaml, then `halo passport issue desk`" in caught.value.remedy
    assert "get_page" in cli(*explain.split()[1:], home=home)[1]


def test_an_issued_passport_is_to_be_issued_again(home):
    assert cli("enforce", "--grants", "--yes", home=home)[0] == 0
    assert cli("observe", "--for", "1h", "--why", "test", home=home)[0] == 0
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        tool = halo.register(ActionKind.TOOL_CALL, "get_page", schema=schema({"number": {"type": "string"}}))
        with halo.session("s"):
            halo.enforcer.run(halo.build_call(tool, {"number": "1"}), Calls(), SURFACE)
    code, out, err = cli("enforce", "--yes", home=home)
    assert code == 0, err
    assert "halo passport issue AGENT" in out


# answers on a terminal


def test_one_answer_each(home):
    order = [item["id"] for item in plan_of(home)["resources"]]
    given = {
        "send_report": ["x", "c", "send", "nowhere", "c", "send", "recipient"],
        "book_hotel": ["c", "write", "-"],
        "get_order": ["o"],
        "web": ["u"],
        "write_note": [""],
        "frobnicate": ["a", "s"],
    }
    code, shown = answer(home, *(word for name in order for word in given[name]), "y")
    assert code == 0, shown
    declared = load_manifest((home / "agents.yaml").read_text()).declared
    tools = declared[ActionKind.TOOL_CALL]
    assert tools["get_order"].source_trust == OWN_RECORDS
    assert declared[ActionKind.RETRIEVAL]["web"].source_trust == UNTRUSTED_SOURCE
    assert (tools["book_hotel"].impact, tools["book_hotel"].targets) == (Impact.WRITE, ())
    assert tools["send_report"].targets == ("recipient",)
    assert "frobnicate" not in tools
    for text in (
        "please answer with one of a, c, o, u, s, b and q",
        "`send_report` has no argument `nowhere`",
        "there is no guess to accept",
        "1 left undeclared",
        "enforce mode is on",
    ):
        assert text in shown, shown
    assert "\n  halo known clear get_order\n" in shown, shown
    assert "halo known clear web" not in shown
    assert list_wide_lines(shown) == []
    assert mode_of(home) == "enforce"


def test_a_home_that_enforces_already_says_so(home):
    assert cli("enforce", "--yes", home=home)[0] == 0
    for options in ((), ("--yes",), ("--yes", "--grants")):
        code, out, err = cli("enforce", *options, home=home)
        assert code == 0, err
        lines = out.splitlines()
        assert any(line.startswith("already in enforce mode since 2") for line in lines), out
        heading = lines.index("ran in observe mode, and would not have run in enforce mode:")
        assert re.match(r" +[0-9]+ x [a-z_]+: ", lines[heading + 1]), out
        assert "enforce mode is on" not in out
        assert "enforce mode was on, nothing was switched; " in out
    assert len(found(home, EntryKind.MODE)) == 1


def test_a_plan_for_a_home_that_enforces_already_says_so(tmp_path):
    folder = tmp_path / "fresh"
    HaloBase.local("desk", home=folder, quiet=True).close()
    assert cli("enforce", home=folder)[0] == 0
    out = " ".join(cli("enforce", "--plan", home=folder)[1].split())
    assert "there is nothing to answer: already in enforce mode since 2" in out
    assert "switches to enforce mode" not in out


@pytest.mark.parametrize("answers", [("q",), ("a", "a", "a", "a", "a", "s", "n")])
def test_nothing_changes_without_a_yes(home, answers):
    code, shown = answer(home, *answers)
    assert (code, "nothing was changed" in shown) == (1, True), shown
    assert not (home / "agents.yaml").exists()
    assert mode_of(home) == "observe"
    assert not found(home, EntryKind.MODE)


def test_a_person_can_go_back(home):
    """From each question of a change to the answers of the tool, and from those to the tool before."""
    order = [item["id"] for item in plan_of(home)["resources"]]
    given = {
        "send_report": ["?", "c", "b", "c", "send", "b", "a"],
        "book_hotel": ["c", "payment", "-", "b", "a"],
        "get_order": ["a"],
        "web": ["a"],
        "write_note": ["a"],
        "frobnicate": ["", "", "s"],  # what Enter gives is taken at each question
    }
    first, second, *rest = order
    words = ["b", "s", "b", *given[first], *given[second], *(word for name in rest for word in given[name])]
    code, shown = answer(home, *words, "y")
    assert code == 0, shown
    for text in ("this is the first one", "only your own systems write what it returns", "1 left undeclared"):
        assert text in shown, shown
    assert "please answer" not in shown
    declared = load_manifest((home / "agents.yaml").read_text()).declared[ActionKind.TOOL_CALL]
    assert declared.keys() == {"send_report", "book_hotel", "get_order", "write_note"}
    assert list_wide_lines(shown) == []


@pytest.mark.parametrize("length", [1, 31, 62, 200])
def test_long_names_and_paths_stay_within_the_terminal(tmp_path, length):
    home = tmp_path / ("h" * length)
    with HaloBase.local("a" * min(length, 60), home=home, quiet=True) as halo, halo.session("s"):
        for name, argument in (("pay_" + "n" * min(length, 100), "amount"), ("frobnicate", "t" * length)):
            parameters = schema({argument: {"type": "string"}, "item_" + "i" * length: {"type": "string"}})
            tool = halo.register(ActionKind.TOOL_CALL, name, schema=parameters)
            halo.enforcer.run(halo.build_call(tool, {argument: "1"}), Calls("x"), SURFACE)
        halo.record_shadow("tool", "w" * length, "inside agent " + "x" * length)
    words = {"pay": ["c", "payment", "b", "a"], "frobnicate": ["c", "send", "t" * length, "?", "a"]}
    order = [item["id"].partition("_")[0] for item in plan_of(home)["resources"]]
    code, shown = answer(home, *(word for name in order for word in words[name]), "y")
    assert code == 0, shown
    assert list_wide_lines(shown) == []
    assert str(home / "agents.yaml") in shown  # whole, so that it can be copied


# the view


def test_erased_arguments_are_said_to_be_unknown(home):
    (home / "content.key").unlink(missing_ok=True)
    with Reader(url_of(home)) as reader:
        day = load_first_day(reader, "local", None)
    item = next(item for item in day.resources if item.resource.id == "send_report")
    outcomes = count_declared(url_of(home), home, day, {item.name: declare(item)})[item.name]
    assert (outcomes.calls, outcomes.unread, outcomes.stopped) == (4, 4, 0)


def test_without_answers_no_decision_is_decided_again(home, tmp_path):
    with Reader(url_of(home)) as reader:
        day = load_first_day(reader, "local", None)
    assert count_declared(f"sqlite:///{tmp_path}/nothing.db", home, day, {}) == {}


def send_once(halo, request):
    """An application whose model writes to somebody whom only the session's request could have named."""
    report = register_all(halo)["send_report"]
    with halo.session("s-1", request=request) if request else halo.session("s-1"):
        call = halo.build_call(report, {"recipient": "ben@elsewhere.example", "text": "a garden"})
        halo.enforcer.run(call, Calls("sent"), SURFACE)


@pytest.mark.parametrize("request_text", ["", "Send the report to ben@elsewhere.example"])
def test_an_agent_of_whose_users_nothing_is_known_is_listed_with_the_words_to_add(home, request_text):
    with HaloBase.local("clerk", home=home, quiet=True) as halo:
        send_once(halo, request_text)
    code, out, _ = cli("enforce", "--plan", home=home)
    assert code == 0
    findings = json.loads(cli("enforce", "--plan", "--json", home=home)[1])["findings"]
    said = [(item["kind"], item["name"], item["count"]) for item in findings]
    assert said == ([] if request_text else [("no_request", "clerk", 1)])
    assert ("with halo.session(request=...)" in out) is not bool(request_text)


def delete_record(halo, session, record, request):
    """Whether a deletion by a record's id runs unasked."""
    properties = {"record_id": {"type": "string"}}
    tool = halo.register(ActionKind.TOOL_CALL, "delete_record", schema=schema(properties))
    with halo.session(session, user=USER, request=request):
        try:
            halo.enforcer.run(halo.build_call(tool, {"record_id": record}), Calls("deleted"), SURFACE)
        except Denied:
            return False
    return True


def test_an_accepted_deletion_by_id_runs_for_the_record_that_the_user_named(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        assert delete_record(halo, "observed", "R-77", "Delete record R-77, it is a duplicate.")
    code, out, err = cli("enforce", "--yes", home=home)
    assert code == 0, err
    assert "delete; deletes what `record_id` names" in out
    with HaloBase.local("desk", home=home, quiet=True) as halo:
        assert delete_record(halo, "one", "R-77", "Delete record R-77, it is a duplicate.")
        assert not delete_record(halo, "two", "R-12", "Delete record R-77, it is a duplicate.")
        assert not delete_record(halo, "three", "R-77", "Show me record R-77.")


def test_a_deletion_without_a_target_is_explained_with_the_declaration_to_add(tmp_path):
    home = tmp_path / "home"
    with HaloBase.local("desk", home=home, quiet=True, mode="enforce") as halo:
        properties = schema({"row_id": {"type": "string"}, "table": {"type": "string"}})
        declared = Resource(impact="delete")
        tool = halo.register(ActionKind.TOOL_CALL, "delete_row", resource=declared, schema=properties)
        with halo.session("s", user=USER, request="Delete row R-77 of orders"), pytest.raises(Denied):
            halo.enforcer.run(halo.build_call(tool, {"row_id": "R-77", "table": "orders"}), Calls(), SURFACE)
    position = found(home, EntryKind.DECISION)[-1].index
    text = " ".join(cli("policy", "explain", str(position), home=home)[1].split())
    assert "`targets: [...]` of `delete_row`" in text, text


def test_each_retriever_says_what_its_answer_covers_and_each_approval_that_it_is_no_write(tmp_path):
    home = tmp_path / "home"
    names = dict.fromkeys(("Shelves", "handbook/Shelves"), ActionKind.RETRIEVAL)
    names |= dict.fromkeys(("approve_leave", "sign_off_report", "update_note"), ActionKind.TOOL_CALL)
    with HaloBase.local("desk", home=home, quiet=True) as halo, halo.session("s"):
        for name, kind in names.items():
            registered = halo.register(kind, name, schema=schema({"query": {"type": "string"}}))
            halo.enforcer.run(halo.build_call(registered, {"query": "1"}), Calls("x"), SURFACE)
    plan = " ".join(cli("enforce", "--plan", home=home)[1].split())
    assert "a tool that uses it is asked about by itself" in plan
    assert "the answer about `handbook` covers its documents too" in plan
    assert ("to approve takes effect for others" in plan, plan.count("`admin` fits better")) == (True, 2)


def test_a_wrong_key_at_the_last_question_is_answered_with_the_right_ones(home):
    order = [item["id"] for item in plan_of(home)["resources"]]
    words = ["s" if name == "frobnicate" else "a" for name in order]
    code, shown = answer(home, *words, "x", "n")
    assert code == 1, shown
    assert "please answer with y for yes or n for no" in shown
    assert "invalid input" not in shown
    assert mode_of(home) == "observe"
