"""Evidence packs: what is in one, how it is made, and that a machine without Halo checks it and gets answers."""

from __future__ import annotations

import base64
import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from pack_world import (
    inspect,
    load_base,
    load_key,
    read_lines,
    read_members,
    run_verifier,
    seal,
    sign_again,
    vkey_of,
)

from halo_core.clock import format_iso
from halo_core.errors import Denied
from halo_core.evidence.pack import PackRequest, make_pack
from halo_core.facade import HaloBase
from halo_core.model import EntryKind
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, found, policy_folder, tool, url_of, verified

ALWAYS = (-1, 2**62)
SECRET = "the customer's own words"
HOME_KEYS = ("content", "digest", "log", "sketch")


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with two agents, three sessions each; sessions of one agent are the period that packs are made of."""
    place = tmp_path_factory.mktemp("pack") / "home"
    work = [("lookup", {"q": SECRET}), ("watched", {"q": "b"}), ("wipe", {"path": "/"})]
    for agent in ("clerk", "auditor", "clerk"):
        with HaloBase.local(agent, home=place, mode="enforce", policy=policy_folder(place), quiet=True) as halo:
            tools = {name: tool(halo, name, labels=("pii",) if name == "lookup" else ()) for name, _ in work}
            for session, user in (("one", "ana"), ("two", "bob"), ("three", "")):
                with halo.session(f"{agent}-{session}", user=user):
                    for name, args in work:
                        with contextlib.suppress(Denied):
                            halo.enforcer.run(halo.build_call(tools[name], args), Calls("fine"), SURFACE)
    return place


@pytest.fixture
def copy(home, tmp_path):
    place = tmp_path / "home"
    shutil.copytree(home, place)
    return place


def vkey_of_home(home):
    return json.loads((home / "trust.json").read_text())["local"]


def iso(us):
    from datetime import UTC, datetime

    return datetime.fromtimestamp(us / 1e6, UTC).isoformat()


def times_of(home):
    with contextlib.closing(sqlite3.connect(db_of(home))) as connection:
        return [row[0] for row in connection.execute("SELECT ts_us FROM entry ORDER BY idx")]


def make(home, path, *options):
    code, out, err = cli("pack", "make", "--output", str(path), "--json", *options, home=home)
    assert code == 0, err
    return json.loads(out)


@pytest.fixture
def middle(copy):
    """Options of a period in the middle of the log."""
    times = times_of(copy)
    first, last = times[len(times) // 3], times[2 * len(times) // 3]
    assert times[0] < first < last < times[-1]
    return ("--from", iso(first), "--to", iso(last))


def test_a_pack_of_everything_verifies_and_holds_every_note(copy, tmp_path):
    summary = make(copy, tmp_path / "a.zip")
    members = read_members((tmp_path / "a.zip").read_bytes())
    lines = read_lines(members, "entries")
    with contextlib.closing(sqlite3.connect(db_of(copy))) as connection:
        rows = connection.execute("SELECT idx, w, body, signatures FROM entry ORDER BY idx").fetchall()
    rows = rows[: summary["scope"]["end"]]  # up to the entry with which the export began
    stored = [(index, w, json.loads(text), signatures) for index, w, text, signatures in rows]
    packed = [
        (item["index"], item["w"], item["entry"], b"".join(map(base64.b64decode, item["signatures"]))) for item in lines
    ]
    assert packed == stored
    assert all(text in members["entries/00000.jsonl"] for _, _, text, _ in rows)
    assert summary["entries"] == len(rows) > 80
    assert run_verifier(tmp_path / "a.zip", "--key", vkey_of_home(copy))[0] == 0
    assert cli("pack", "check", str(tmp_path / "a.zip"), home=copy)[0] == 0


def test_making_a_pack_is_an_access_entry_and_the_ledger_stays_whole(copy, tmp_path, middle):
    make(copy, tmp_path / "a.zip", *middle)
    accesses = bodies(copy, EntryKind.ACCESS)
    assert [(body["act"], body["what"]["pack"]) for body in accesses] == [("export", "a.zip")]
    assert verified(copy) == 0


def test_the_same_period_gives_the_same_bytes(copy, tmp_path, middle):
    make(copy, tmp_path / "a.zip", *middle)
    make(copy, tmp_path / "b.zip", *middle)  # the log has grown by the access entry in between
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_a_period_is_packed_with_its_neighbours_and_what_it_depends_on(copy, tmp_path, middle):
    summary = make(copy, tmp_path / "a.zip", *middle)
    members = read_members((tmp_path / "a.zip").read_bytes())
    scope, times = json.loads(members["pack.json"]), times_of(copy)
    inside = [i for i, us in enumerate(times) if scope["period"]["from_us"] <= us < scope["period"]["to_us"]]
    assert 0 < scope["first"] < inside[0]
    assert inside[-1] < scope["end"] - 1 < len(times)
    context = [item["entry"]["kind"] for item in read_lines(members, "context")]
    assert "writer_open" in context
    assert summary["context"] == len(context)
    assert run_verifier(tmp_path / "a.zip", "--key", vkey_of_home(copy))[0] == 0


def test_zip_programs_read_a_pack(copy, tmp_path):
    make(copy, tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        assert archive.testzip() is None
        assert {"VERIFY.md", "halo_verify.py", "MANIFEST.json", "keys.json"} <= set(archive.namelist())


def test_content_stays_sealed(copy, tmp_path):
    make(copy, tmp_path / "a.zip")
    data = (tmp_path / "a.zip").read_bytes()
    assert SECRET.encode() not in data
    assert not re.search(rb"(?<![A-Za-z0-9+/=_-])ana(?![A-Za-z0-9+/=_-])", data)  # a digest in base64 may spell it
    assert "revealed/00000.jsonl" not in read_members(data)
    for name in HOME_KEYS:
        line = (copy / f"{name}.key").read_bytes().split()[-1]
        assert line not in data
        assert base64.b64decode(line) not in data


def test_only_what_is_asked_for_is_revealed_and_recorded(copy, tmp_path):
    decisions = found(copy, EntryKind.DECISION)
    wanted = next(item for item in decisions if item.entry.body["request"]["resource"]["id"] == "lookup")
    make(copy, tmp_path / "a.zip", "--reveal", wanted.entry.id)
    members = read_members((tmp_path / "a.zip").read_bytes())
    (line,) = read_lines(members, "revealed")
    assert line["index"] == wanted.index
    assert SECRET in line["fields"]["args"]
    acts = [(body["act"], body["what"].get("entries")) for body in bodies(copy, EntryKind.ACCESS)]
    assert acts == [("reveal", wanted.entry.id), ("export", None)]
    assert run_verifier(tmp_path / "a.zip", "--key", vkey_of_home(copy))[0] == 0
    # The key of one box opens no other one: neither of the same subject nor of another.
    keys = {key for key in line["keys"] if key}
    assert keys
    assert all(key.encode() not in members[name] for key in keys for name in members if "revealed" not in name)


def test_a_session_can_be_revealed(copy, tmp_path):
    make(copy, tmp_path / "a.zip", "--reveal-session", "clerk-one", "--no-sealed")
    members = read_members((tmp_path / "a.zip").read_bytes())
    revealed = {line["index"] for line in read_lines(members, "revealed")}
    sealed = {line["index"] for line in read_lines(members, "sealed")}
    entries = [item for item in found(copy) if item.entry.session == "clerk-one" and item.entry.content]
    assert revealed == sealed == {item.index for item in entries}
    assert run_verifier(tmp_path / "a.zip", "--key", vkey_of_home(copy))[0] == 0


def test_without_sealed_content_it_verifies_too(copy, tmp_path):
    make(copy, tmp_path / "a.zip", "--no-sealed")
    assert not [name for name in read_members((tmp_path / "a.zip").read_bytes()) if name.startswith("sealed/")]
    assert run_verifier(tmp_path / "a.zip", "--key", vkey_of_home(copy))[0] == 0


def test_without_a_key_from_elsewhere_it_cannot_be_told_whose_pack_it_is(copy, tmp_path):
    make(copy, tmp_path / "a.zip")
    code, out = run_verifier(tmp_path / "a.zip")
    assert (code, "CANNOT TELL whose key" in out) == (2, True)
    assert cli("pack", "check", str(tmp_path / "a.zip"), home=tmp_path / "elsewhere")[0] == 2


def test_another_home_that_trusts_another_key_says_so(copy, tmp_path):
    make(copy, tmp_path / "a.zip")
    other = tmp_path / "other"
    HaloBase.local("clerk", home=other, quiet=True).close()
    code, out, _ = cli("pack", "check", str(tmp_path / "a.zip"), home=other)
    assert (code, "another key" in out) == (1, True)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--from", "1999-01-01", "--to", "1999-02-01"), 2, "no_entries"),
        (("--reveal", "nothing-1"), 64, "no_such_entry"),
        (("--reveal-session", "nobody"), 64, "no_such_session"),
        (("--from", "yesterday-ish"), 64, "bad_time"),
    ],
)
def test_what_cannot_be_packed_is_said(copy, tmp_path, options, code, message):
    got, _, err = cli("pack", "make", "--output", str(tmp_path / "a.zip"), *options, home=copy)
    assert (got, message in err) == (code, True)
    assert not (tmp_path / "a.zip").exists()
    assert list(tmp_path.glob(".*.part")) == []


def test_a_home_without_the_log_key_makes_no_pack(copy, tmp_path):
    (copy / "log.key").unlink()
    code, _, err = cli("pack", "make", "--output", str(tmp_path / "a.zip"), home=copy)
    assert (code, "no_log_key" in err) == (64, True)
    assert not (copy / "log.key").exists()


def test_a_pack_takes_the_place_of_no_other_file(copy, tmp_path):
    (tmp_path / "a.zip").write_bytes(b"what the auditor had before")
    code, _, err = cli("pack", "make", "--output", str(tmp_path / "a.zip"), home=copy)
    assert (code, "file_exists" in err) == (64, True)
    assert (tmp_path / "a.zip").read_bytes() == b"what the auditor had before"


def test_a_file_that_cannot_be_written_is_said(copy, tmp_path):
    code, _, err = cli("pack", "make", "--output", str(tmp_path / "none" / "a.zip"), home=copy)
    assert (code, "no_file" in err) == (64, True)
    code, _, err = cli("pack", "check", str(tmp_path / "none.zip"), home=copy)
    assert (code, "no_file" in err) == (64, True)


@pytest.mark.parametrize(
    ("statement", "verify_exit", "code"),
    [
        ("UPDATE entry SET body=CAST(replace(body, 'a', 'b') AS BLOB) WHERE idx=20", 11, "root_mismatch"),
        ("UPDATE entry SET body=CAST(replace(body, '\"v\":3', '\"v\": 3') AS BLOB) WHERE idx=20", 11, "root_mismatch"),
        ("UPDATE entry SET signatures=(SELECT signatures FROM entry WHERE idx=21) WHERE idx=20", 11, "root_mismatch"),
        ("DELETE FROM entry WHERE idx=20", 13, "position_missing"),
        ("UPDATE entry SET idx=1000000 WHERE idx=20", 11, "position_missing"),
        ("UPDATE checkpoint SET note=substr(note, 2)", 11, "bad_signature"),
        ("UPDATE blob SET bytes=CAST('{}' AS BLOB)", 11, "blob_altered"),
        ("DELETE FROM vault", 13, "vault_missing"),
    ],
)
def test_a_spoiled_ledger_is_found_and_not_packed(copy, tmp_path, statement, verify_exit, code):
    with contextlib.closing(attack(db_of(copy))) as connection:
        connection.execute(statement)
    assert verified(copy) == verify_exit
    with Reader(url_of(copy)) as reader, pytest.raises(Exception, match=code):
        make_pack(reader, "local", signer_of(copy), tmp_path / "a.zip", PackRequest(ALWAYS))
    assert not (tmp_path / "a.zip").exists()


def signer_of(home):
    from halo_core.crypto.keys import KeyStore

    return KeyStore(home).signer("log")


ANOTHER_END = "CASE substr(sealed, -1) WHEN x'00' THEN x'01' ELSE x'00' END"
SEALED = f"CAST(substr(sealed, 1, length(sealed) - 1) || {ANOTHER_END} AS BLOB)"


@pytest.mark.parametrize(
    ("statement", "verify_exit", "code"),
    [
        (f"UPDATE entry SET sealed={SEALED} WHERE idx=8", 11, "content_altered"),
        ("UPDATE entry SET sealed=NULL, marks=NULL WHERE idx=8", 13, "content_missing"),
        ("DELETE FROM blob WHERE CAST(bytes AS TEXT) LIKE '{\"agent\"%'", 11, "part_missing"),
    ],
)
def test_what_was_spoiled_beside_entries_is_packed_and_found(copy, tmp_path, statement, verify_exit, code):
    """It does not keep anybody from packing the entries; whoever checks the pack sees it."""
    with contextlib.closing(attack(db_of(copy))) as connection:
        assert connection.execute(statement).rowcount > 0
    assert verified(copy) == verify_exit
    with Reader(url_of(copy)) as reader:
        make_pack(reader, "local", signer_of(copy), tmp_path / "a.zip", PackRequest(ALWAYS))
    assert inspect((tmp_path / "a.zip").read_bytes(), vkey_of_home(copy))[0] == code


def test_extra_files_are_members_and_their_names_are_checked(copy, tmp_path):
    scopes = []

    def report(scope):
        scopes.append(scope)
        return {"map.json": b"{}\n", "report.html": b"<p>", "charts/a.svg": b"<svg/>"}

    def pack(*extra):
        with Reader(url_of(copy)) as reader:
            return make_pack(
                reader, "local", signer_of(copy), tmp_path / "a.zip", PackRequest(ALWAYS), extra_files=extra
            )

    assert {"map.json", "report.html", "charts/a.svg"} <= set(pack(report).members)
    assert scopes[0].tenant == "local"
    assert inspect((tmp_path / "a.zip").read_bytes(), vkey_of_home(copy)) == []
    for name in ("pack.json", "../x", "/x", "entries/x", "gaps/x", "a/b/c", "", "VERIFY.md", "verify.md", "keys.json"):
        with pytest.raises(Exception, match="bad_member_name"):
            pack(lambda _, name=name: {name: b""})


def alone(tmp_path, *arguments):
    """Run the pack's own verifier as a machine without Halo would: a program, and PyNaCl."""
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        archive.extractall(tmp_path / "out")
    script = (
        "import sys, runpy\n"
        "class Block:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.partition('.')[0] in ('halo_core', 'orjson', 'typer', 'rich', 'sqlalchemy'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Block())\n"
        "sys.argv = sys.argv[1:]\n"
        "runpy.run_path(sys.argv[0], run_name='__main__')\n"
    )
    line = [sys.executable, "-c", script, str(tmp_path / "out" / "halo_verify.py"), str(tmp_path / "a.zip"), *arguments]
    done = subprocess.run(line, capture_output=True, text=True, env={"PYTHONIOENCODING": "utf-8"}, check=False)
    assert done.stderr == ""
    return done.returncode, [row for row in done.stdout.splitlines() if not row.startswith("#")]


def test_a_mistyped_key_says_nothing_of_the_pack(copy, tmp_path, capsys):
    make(copy, tmp_path / "a.zip")
    right = vkey_of_home(copy)
    for wrong in (right[:-5], right.replace("+", "", 1), "key", right[:-9] + "AAAAAAAA="):
        with pytest.raises(SystemExit) as ended:
            run_verifier(tmp_path / "a.zip", "--key", wrong)
        assert ended.value.code == 2
        said = capsys.readouterr()
        assert "--key is no verifier key" in said.err
        code, out, problem = cli("pack", "check", str(tmp_path / "a.zip"), "--key", wrong, home=copy)
        assert (code, "error key: " in problem, "another form" in out + problem) == (64, True, False)
    assert run_verifier(tmp_path / "a.zip", "--key", right)[0] == 0


def test_a_pack_says_as_of_when_it_shows_the_log(copy, tmp_path):
    """By its last entry: when it is made would change its bytes."""
    last = found(copy)[-1].entry
    for name, args in (("all.zip", ()), ("early.zip", ("--to", format_iso(found(copy)[3].entry.ts_us)))):
        code, text, _ = cli("pack", "make", "--output", str(tmp_path / name), *args, "--json", home=copy)
        scope = json.loads(text)["scope"]
        shown = found(copy)[scope["end"] - 1].entry.ts_us
        assert (code, scope["as_of_us"], shown < last.ts_us) == (0, shown, name == "early.zip")
        at = format_iso(shown)
        assert f"as of {at} (UTC)" in read_members((tmp_path / name).read_bytes())["VERIFY.md"].decode()
        said = run_verifier(tmp_path / name, "--key", vkey_of_home(copy))[1]
        assert f"# as of: {at.removesuffix('Z')}+00:00, its last entry" in said


def test_the_verifier_says_the_period_in_words(copy, tmp_path):
    make(copy, tmp_path / "a.zip", "--from", "2026-01-01T08:30", "--to", "2099-01-01")
    code, said = run_verifier(tmp_path / "a.zip", "--key", vkey_of_home(copy))
    assert code == 0
    assert '"period":"2026-01-01 08:30:00+00:00 to 2099-01-01 00:00:00+00:00"' in said


def test_what_waited_for_a_person_is_among_the_denials(tmp_path):
    """As `halo denials` counts them: whoever has only the pack gets the same answer."""
    home = tmp_path / "home"
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home), quiet=True) as halo:
        for name, args in (("wipe", {"path": "/"}), ("pay", {"amount": 5000, "to": "x"}), ("lookup", {"q": "x"})):
            with contextlib.suppress(Denied), halo.session("s"):
                halo.enforcer.run(halo.build_call(tool(halo, name), args), Calls("fine"), SURFACE)
    make(home, tmp_path / "a.zip")
    listed = json.loads(cli("denials", "--json", home=home)[1])["rows"]
    assert sorted(row["effect"] for row in listed) == ["challenge", "deny"]
    _, rows = alone(tmp_path, "--key", vkey_of_home(home), "denials")
    found_ids = [line.split("\t")[2] for line in rows if line[:1].isdigit()]
    assert found_ids == [row["id"] for row in listed]
    codes = [line.split("\t")[-1] for line in rows if line[:1].isdigit()]
    assert codes == [",".join(row["codes"]) for row in listed]


def test_five_questions_are_answered_without_halo(copy, tmp_path):
    make(copy, tmp_path / "a.zip")
    text = read_members((tmp_path / "a.zip").read_bytes())["VERIFY.md"].decode()
    decisions = [item.entry for item in found(copy, EntryKind.DECISION)]
    pii = [item.id for item in decisions if "pii" in item.body["request"]["resource"]["labels"]]
    denied = [item.id for item in decisions if item.body["decision"]["effect"] == "deny"]
    key = ("--key", vkey_of_home(copy))
    expected = {
        ("who-touched", "--label", "pii"): pii,
        ("denials",): denied,
        ("unfinished",): [],
        ("approvals",): [],
    }
    assert pii
    assert denied
    for question, ids in expected.items():
        assert f"--key KEY {question[0]}" in text
        code, rows = alone(tmp_path, *key, *question)
        assert code == 0
        assert [row.split("\t")[2] for row in rows if "\t" in row][1:] == ids
        assert rows[-1] == f"{question[0]}: {len(ids)} found"
    for label in ("none", ""):  # nothing has it: that is no answer
        code, rows = alone(tmp_path, *key, "who-touched", "--label", label)
        assert (code, rows[-1].startswith("CANNOT TELL who touched it")) == (2, True)
    code, rows = alone(tmp_path, *key, "policies")
    kinds = [row.split("\t")[3] for row in rows if "\t" in row][1:]
    assert (code, kinds[0], "policy" in kinds) == (0, "policy", True)


def test_an_action_without_outcome_is_an_answer_with_exit_1(tmp_path):
    log, left = load_key("approvals"), []

    def change(lines):
        at = next(i for i, line in enumerate(lines) if line["entry"]["kind"] == "outcome")
        outcome = lines.pop(at)
        left.append(f"{outcome['w']}-{outcome['entry']['body']['decision']}")

    (tmp_path / "a.zip").write_bytes(seal(sign_again(read_members(load_base("approvals")), log, change), log))
    code, out = run_verifier(tmp_path / "a.zip", "--key", vkey_of(log), "unfinished")
    assert (code, left[0] in out, "VERIFIED" in out) == (1, True, True)


def test_the_verifier_is_one_file_that_imports_nothing_of_halo():
    source = (Path(__file__).parents[2] / "src/halo_core/evidence/halo_verify.py").read_text()
    modules = {
        line.split()[1].partition(".")[0] for line in source.splitlines() if line.startswith(("import ", "from "))
    }
    assert modules - {"nacl"} <= set(sys.stdlib_module_names)
    assert len(source.splitlines()) <= 600


def test_hostile_text_reaches_no_terminal():
    from halo_core.evidence.halo_verify import show

    assert show("\x1b[2Jx\u202ey\n") == "\\u001b[2Jx\\u202ey\\u000a"
