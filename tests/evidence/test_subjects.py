"""What the log holds about a customer, an account or a person, and one session for a reader without the home."""

from __future__ import annotations

import base64
import copy
import json
import random
import shutil
import stat

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from month import play_month

from counts import count
from halo_core.crypto.sodium import derive_xchacha20_subkey
from halo_core.errors import ConfigError, HaloError
from halo_core.evidence import subjects
from halo_core.evidence.disclosure import check_disclosure
from halo_core.evidence.subjects import SubjectPattern
from halo_core.model import EntryKind
from halo_world import attack, bodies, cli, found


@pytest.fixture(scope="module")
def month(tmp_path_factory):
    return play_month(tmp_path_factory.mktemp("month"), seed=21, days=5, sessions=2, customers=4)


def explain(month, subject, *more):
    code, said = month.halo("explain", "--subject", subject, *more, "--json")
    tree = json.loads(said)
    assert tree["exit_code"] == code
    return tree


# recognising


@pytest.mark.parametrize(
    ("subject", "text", "is_named"),
    [
        ("C-1003", '{"customer_id":"C-1003"}', True),
        ("C-1003", "customer c 1003.", True),
        ("C-1003", "C-10034", False),
        ("C-1003", "BC-1003", False),
        ("C-1003", "C-1003-2", False),
        ("C-1003", "C-1003, C-1004", True),
        ("C-1003", '{"text":"first\\nC-1003\\nlast"}', True),
        ("DE89370400440532013000", "DE89 3704 0044 0532 0130 00", True),
        ("de89 3704 0044 0532 0130 00", '{"account":"DE89370400440532013000"}', True),
        ("DE89370400440532013000", "DE893704004405320130001", False),
        ("ana@bank.example", "Write to Ana@Bank.Example.", True),
        ("ana@bank.example", "x.ana@bank.example", False),
        ("ana@bank.example", "ana@bank.example.org", False),
        ("Noor Quist", "noor  quist asks", True),
        ("Noor Quist", "Noor Quistberg", False),
        ("Zoë Müller", "zoe\u0308 mu\u0308ller", True),
        ("1003", "[1003]", True),
        ("a.*c", "abbc", False),
        ("(x)+y)", "(x)+y)", False),
    ],
)
def test_a_subject_is_recognised_whole(subject, text, is_named):
    if sum(map(str.isalnum, subject)) < 3:
        with pytest.raises(ConfigError):
            SubjectPattern(subject)
        return
    assert SubjectPattern(subject).is_in(text.encode()) is is_named


@given(st.text(max_size=60), st.binary(max_size=200))
@settings(max_examples=count(60))
def test_any_subject_is_refused_or_looked_for(subject, data):
    try:
        pattern = SubjectPattern(subject)
    except ConfigError:
        return
    assert pattern.is_in(data) in (True, False)


# explaining


def test_every_call_with_an_account_is_explained(month):
    for one in month.customers:
        tree = explain(month, one.account)
        tried = [row for row in month.notes.select("attempt") if row["args"].get("account") == one.account]
        named = [row for row in tree["rows"] if "args /account" in row["named_in"]]
        assert [(row["action"], row["ran"]) for row in named] == [
            (f"tool_call `{row['tool']}`", row["came"] == "ran") for row in tried
        ]
        assert tree["verdict"] == "holds"
        spaced = " ".join(one.account[n : n + 4] for n in range(0, len(one.account), 4)).lower()
        assert explain(month, spaced)["rows"] == tree["rows"]


def test_members_of_an_argument_with_one_origin_are_one_line():
    provenance = [["/to", "user"], ["/tools/0", "novel"], ["/tools/1", "novel"], ["/tools/2", "mixed"], ["", "novel"]]
    snapshot = {"provenance": provenance, "sources": [["/tools/2", ["mails", "crm"]]]}
    lines = subjects._describe_sources(snapshot)
    assert lines == ["/to: user", "/tools/… (2): novel", "/tools/2: mixed, from mails, crm", ": novel"]


def test_every_call_with_a_customer_is_explained(month):
    one = month.customers[1]
    rows = explain(month, one.id)["rows"]
    tried = [row for row in month.notes.select("attempt") if row["args"].get("customer_id") == one.id]
    named = [row for row in rows if "args /customer_id" in row["named_in"]]
    assert len(named) == len(tried)
    in_words = " ".join(text for row in rows for text in row["why"])
    assert "allowed by the passport" in in_words
    assert {row["for"] for row in named} <= {row["user"] for row in tried}


def test_one_answer_takes_a_customer_and_the_account(month):
    one = month.customers[1]
    by_id, by_account = (explain(month, name)["rows"] for name in (one.id, one.account))
    both = explain(month, one.id, "--named", one.account, "--named", one.email)
    assert both["exit_code"] == 0
    assert {row["id"] for row in both["rows"]} >= {row["id"] for row in (*by_id, *by_account)}
    paid = {row["id"] for row in by_account if "pay_out" in row["action"]}
    assert paid - {row["id"] for row in by_id}  # a payment names the account alone
    assert any("--named" in note for note in explain(month, one.id)["notes"])
    assert one.account not in both["query"]


def test_the_human_and_the_rule_are_named(month):
    answered = {row["question"]: row["by"] for row in month.notes.select("answer", ok=True, approve=True)}
    asked = [row for row in month.notes.select("attempt", came="asked", tool="pay_out") if row["question"] in answered]
    rows = explain(month, asked[0]["args"]["account"])["rows"]
    human = [row for row in rows if row["human"].startswith("approved by")]
    assert human
    assert {row["human"].removeprefix("approved by ") for row in human} <= set(answered.values())
    assert any("desk.payment.large" in text for row in human for text in row["why"])
    assert {"did not run", "success"} <= {row["outcome"] for row in rows}


def test_the_person_for_whom_agents_act_is_a_subject(month):
    rows = explain(month, "ana@bank.example")["rows"]
    tried = [row for row in month.notes.select("attempt") if row["user"] == "ana@bank.example"]
    hand_offs = list(month.notes.select("handoff", user="ana@bank.example"))
    assert len([row for row in rows if "acted for" in row["named_in"]]) == len(tried) + len(hand_offs)
    reference = next(
        item.entry.body["request"]["subject"]["reference"]
        for item in found(month.home, EntryKind.DECISION)
        if item.entry.body["request"]["subject"]["user"] == "ana@bank.example"
    )
    assert [row["id"] for row in explain(month, reference)["rows"]] == [
        row["id"] for row in rows if "acted for" in row["named_in"]
    ]


def test_the_subject_stands_nowhere_in_the_log(month):
    one = month.customers[0]
    for subject in (one.account, one.email, one.name):
        tree = explain(month, subject)
        assert subject not in tree["query"]
    reads = json.dumps([body["what"] for body in bodies(month.home, EntryKind.ACCESS)])
    assert "explain" in reads
    for subject in (one.account, one.email, one.name):
        assert subject not in reads


@pytest.mark.parametrize(
    "subject", ["nobody@nowhere.example", "<script>alert(1)</script>", "\x1b[31m; DROP TABLE entry", "٣٣٣٣"]
)
def test_of_a_subject_that_nothing_names_nobody_can_tell(month, subject):
    tree = explain(month, subject)
    assert (tree["verdict"], tree["exit_code"], tree["rows"]) == ("cannot_tell", 2, [])
    assert tree["population"]["counted"] == 0
    assert "nothing in the period names it" in tree["findings"][0]


@pytest.mark.parametrize("subject", ["", "  ", "Al", "x" * 201])
def test_what_names_no_subject_is_refused(month, subject):
    code, _, err = cli("explain", "--subject", subject, home=month.home)
    assert (code, "bad_subject" in err, "subject" in err) == (64, True, True)


def test_a_reader_without_the_content_key_is_told_nothing(month, tmp_path):
    shutil.copytree(month.home, tmp_path / "home")
    (tmp_path / "home" / "content.key").unlink()
    code, said, _ = cli("explain", "--subject", month.customers[0].account, "--json", home=tmp_path / "home")
    tree = json.loads(said)
    assert (code, tree["verdict"], tree["rows"]) == (2, "cannot_tell", [])
    assert month.customers[0].account not in said
    code, _, err = cli("disclose", "loan-desk-0005", "--output", str(tmp_path / "x"), home=tmp_path / "home")
    assert (code, "no_content_key" in err, (tmp_path / "x").exists()) == (64, True, False)


def test_erased_content_is_said(month, tmp_path):
    shutil.copytree(month.home, tmp_path / "home")
    with attack(tmp_path / "home" / "halo.db") as database:
        database.execute(
            "UPDATE vault SET dek_wrapped=x'', erased_at_us=1 WHERE subject IN (SELECT subject FROM vault LIMIT 3)"
        )
    code, said, _ = cli("explain", "--subject", month.customers[0].account, "--json", home=tmp_path / "home")
    tree = json.loads(said)
    assert (code, tree["verdict"]) == (2, "cannot_tell")
    assert "can be opened" in tree["findings"][0]


def test_an_entry_of_which_one_box_was_erased_is_said(month, tmp_path):
    """Of a payment that somebody approved, the approver's box still opens."""
    shutil.copytree(month.folder, tmp_path / "copy")
    home, approved = (
        tmp_path / "copy" / "home",
        {row["question"] for row in month.notes.select("answer", ok=True, approve=True)},
    )
    paid = next(
        row for row in month.notes.select("attempt", came="asked", tool="pay_out") if row["question"] in approved
    )
    account = paid["args"]["account"]
    signed = ("--as", "mia@bank.example", "--key-home", str(tmp_path / "copy" / "people"))
    code, said, err = cli("erase", "--subject", account, *signed, "--json", home=home)
    assert code == 0, err
    erased = json.loads(said)["entries"]
    other = next(one.account for one in month.customers if one.account != account)
    code, said, _ = cli("explain", "--subject", other, "--json", home=home)
    assert (code, json.loads(said)["findings"]) == (
        2, [f"of {erased} entries not all contents can be opened (erased): they may name it too"],
    )  # fmt: skip


def test_changed_content_is_not_explained(month, tmp_path):
    shutil.copytree(month.home, tmp_path / "home")
    with attack(tmp_path / "home" / "halo.db") as database:
        database.execute(
            "UPDATE entry SET sealed=(SELECT sealed FROM entry WHERE kind='outcome' AND sealed IS NOT NULL LIMIT 1)"
            " WHERE kind='decision' AND sealed IS NOT NULL"
        )
    code, said, _ = cli("explain", "--subject", month.customers[0].account, "--json", home=tmp_path / "home")
    assert (code, json.loads(said)["verdict"]) == (2, "cannot_tell")


# disclosing


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--check", "FILE", "--key", "halo/local/log+1234"), "error key: it is no verifier key"),
        (("--check", "FILE", "session-1"), "error check: a file is checked, or one is written"),
        (("--check", "FILE", "--output", "FILE"), "error check: a file is checked, or one is written"),
        (("session-1", "--output", "FILE", "--key", "k"), "error key: a key is for `--check` alone"),
        (("--check", "none.json"), "error check: cannot read `none.json`: No such file"),
        (("--check", "TEXT"), "is no JSON"),
    ],
)
def test_what_disclose_is_given_wrong_is_named(disclosed, tmp_path, words, said):
    file, text = tmp_path / "session.json", tmp_path / "text.csv"
    file.write_text(json.dumps(disclosed[1]))
    text.write_text("agent\n")
    given = {"FILE": str(file), "TEXT": str(text)}
    code, out, err = cli("disclose", *(given.get(word, word) for word in words))
    assert (code, out) == (64, "")
    assert said in " ".join(err.split())
    assert "try:" in err


@pytest.fixture(scope="module")
def disclosed(month, tmp_path_factory):
    """A session in which an approver answered, as a file; its tree, and the key of the log."""
    yes = next(row for row in month.notes.select("answer", ok=True, approve=True))
    asked = next(row for row in month.notes.select("attempt") if row["question"] == yes["question"])
    path = tmp_path_factory.mktemp("disclosed") / "session.json"
    month.must("disclose", asked["session"], "--output", str(path))
    tree = json.loads(path.read_text())
    return asked, yes, path, tree


def test_a_session_is_read_without_the_home(month, disclosed, tmp_path, monkeypatch):
    asked, yes, path, tree = disclosed
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    monkeypatch.chdir(tmp_path)
    code, said, err = cli("disclose", "--check", str(path), "--key", tree["log_key"], "--json")
    assert code == 0, err
    checked = json.loads(said)
    tried = list(month.notes.select("attempt", session=asked["session"]))
    decisions = [item for item in checked["entries"] if item["entry"]["kind"] == "decision"]
    handed = list(month.notes.select("handoff", session=asked["session"]))
    assert len(decisions) == len(tried) + len(handed)
    assert all("args" in item["content"] for item in decisions)
    assert asked["args"]["account"] in said
    assert asked["user"] in said
    assert yes["by"] not in said
    assert cli("disclose", "--check", str(path), "--json")[0] == 2
    assert list(tmp_path.iterdir()) == []


def test_what_belongs_to_others_is_opened_only_where_asked(month, disclosed, tmp_path):
    asked, yes, _, _ = disclosed
    for more, is_open in (
        (("--subject", yes["by"]), True),
        (("--everybody",), True),
        (("--subject", "x@y.example"), False),
    ):
        path = tmp_path / "more.json"
        month.must("disclose", asked["session"], "--output", str(path), *more)
        _, said, _ = cli("disclose", "--check", str(path), "--json")
        assert (yes["by"] in said) is is_open


def test_no_other_session_can_be_opened_with_the_file(month, disclosed):
    """Another box of the same person, whose data key the file would open if it held that."""
    asked, _, _, tree = disclosed
    given = {key for row in tree["entries"] for key in row["keys"] if key}
    assert given
    other = [row["session"] for row in month.notes.select("session") if row["user"] == asked["user"]]
    other = next(name for name in other if name != asked["session"])
    path = month.folder / "other.json"
    month.must("disclose", other, "--output", str(path))
    moved = json.loads(path.read_text())
    assert check_disclosure(moved, tree["log_key"]).problems == ()
    assert given.isdisjoint(key for row in moved["entries"] for key in row["keys"])
    for key in given:
        for row in moved["entries"]:
            row["keys"] = [key] * len(row["keys"])
        problems = check_disclosure(moved, tree["log_key"]).problems
        assert len(problems) == sum(1 for row in moved["entries"] if row["keys"])
        assert all("a key does not open its box" in problem for problem in problems)


def test_an_export_is_recorded(month, disclosed):
    exports = [body["what"] for body in bodies(month.home, EntryKind.ACCESS) if body["act"] == "export"]
    assert exports
    assert all(set(what) <= {"entries", "session", "subjects"} for what in exports)
    assert disclosed[0]["session"] not in json.dumps(exports)


def _change(tree, draw):
    """Change one member somewhere in the file."""
    places, waiting = [], [tree]
    while waiting:
        node = waiting.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            (waiting if isinstance(node[key], dict | list) else places).append(
                node[key] if isinstance(node[key], dict | list) else (node, key)
            )
    node, key = draw.choice(places)
    value = node[key]
    if isinstance(value, str) and value:
        at = draw.randrange(len(value))
        node[key] = value[:at] + chr((ord(value[at]) + 1) % 128 or 65) + value[at + 1 :]
    elif isinstance(value, int):
        node[key] = value + draw.choice([1, -1, 10**9])
    else:
        node[key] = "AAAA"


def test_no_changed_file_is_believed(disclosed):
    *_, tree = disclosed
    key = tree["log_key"]
    assert check_disclosure(tree, key).problems == ()
    draw = random.Random(5)
    unchanged = [item.to_json() for item in check_disclosure(tree, key).entries]
    for _ in range(count(400)):
        changed = copy.deepcopy(tree)
        _change(changed, draw)
        try:
            found_again = check_disclosure(changed, key)
        except HaloError:
            continue
        if not found_again.problems:  # the file's own log key, or a key that was left out, proves nothing
            assert [item.to_json()["entry"] for item in found_again.entries] == [item["entry"] for item in unchanged]


def test_entries_cannot_be_left_over_repeated_or_swapped(disclosed):
    *_, tree = disclosed
    for rows in (tree["entries"][::-1], [*tree["entries"], tree["entries"][0]], tree["entries"][:1] * 2):
        assert check_disclosure({**tree, "entries": rows}, tree["log_key"]).problems
    other = "halo/local/log+00000000+" + tree["log_key"].rpartition("+")[2]
    assert check_disclosure(tree, other).problems


@pytest.mark.parametrize("member", ["sealed", "marks", "commitments"])
def test_what_stays_sealed_cannot_be_exchanged(disclosed, member):
    *_, tree = disclosed
    changed = copy.deepcopy(tree)
    row = next(row for row in changed["entries"] if row["sealed"] and "" in row["keys"])
    row["keys"] = [""] * len(row["keys"])
    assert check_disclosure(changed, tree["log_key"]).problems == ()
    if member == "commitments":
        row[member] = [base64.b64encode(bytes(32)).decode()] * len(row[member])
    else:
        data = base64.b64decode(row[member]) or b"?"
        row[member] = base64.b64encode(data[:-1] + bytes([data[-1] ^ 1])).decode()
    (problem,) = check_disclosure(changed, tree["log_key"]).problems
    assert "is not what it committed to" in problem


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "null", '{"format":"halo-disclosure/9"}', '{"format":"halo-disclosure/1"}', "\x00"]
)
def test_what_is_no_such_file_is_refused(tmp_path, text):
    (tmp_path / "f").write_text(text)
    code, _, err = cli("disclose", "--check", str(tmp_path / "f"))
    assert (code, "bad_disclosure" in err) == (64, True)


def test_an_unknown_session_and_a_missing_file(month, tmp_path):
    for argv in (("nope", "--output", str(tmp_path / "x")), ("loan-desk-0001",), ()):
        assert month.halo("disclose", *argv)[0] == 64
    assert not (tmp_path / "x").exists()


def test_the_key_of_a_box_is_what_the_draft_says():
    """draft-irtf-cfrg-xchacha-03, section 2.2.1."""
    key = bytes(range(32))
    nonce = bytes.fromhex("000000090000004a0000000031415927") + bytes(8)
    expected = "82413b4227b27bfed30e42508a877d73a0f9e4d58a74a853c12ec41326d3ecdc"
    assert derive_xchacha20_subkey(key, nonce).hex() == expected
