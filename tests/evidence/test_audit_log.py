"""The query log: what it reads against the raw rows, and what it refuses to answer."""

from __future__ import annotations

import contextlib
import json
import shutil
import sqlite3

import pytest

from halo_core.crypto.keys import Ed25519Signer, KeyStore, encode_base64
from halo_core.errors import Denied
from halo_core.evidence.answers import Period, Verdict, describe_tool, format_query
from halo_core.evidence.audit_log import AuditLog, DecisionFilter, ask
from halo_core.evidence.questions_operation import answer_failures
from halo_core.facade import HaloBase
from halo_core.ledger import encode_entry, format_vkey, make_vkey, writer_name
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.reader import Reader
from halo_world import SURFACE, Calls, attack, db_of, policy_folder, tool

ALWAYS = Period(0, 2**62)
NEWEST_CHANGED = (
    "UPDATE entry SET body=CAST(replace(body, '\"closed\"', '\"crash\"') AS BLOB)"
    " WHERE idx=(SELECT max(idx) FROM entry)"
)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    place = tmp_path_factory.mktemp("log") / "home"
    work = [("lookup", {"q": "a"}), ("watched", {"q": "b"}), ("wipe", {"path": "/"})]
    for agent in ("clerk", "auditor"):
        with HaloBase.local(agent, home=place, mode="enforce", policy=policy_folder(place), quiet=True) as halo:
            tools = {name: tool(halo, name, labels=("pii",) if name == "lookup" else ()) for name, _ in work}
            for session, user in (("one", "ana"), ("two", "bob"), ("three", "")):
                with halo.session(f"{agent}-{session}", user=user):
                    for name, args in work:
                        with contextlib.suppress(Denied):
                            halo.enforcer.run(halo.build_call(tools[name], args), Calls(), SURFACE)
    return place


@contextlib.contextmanager
def open_log(home, query="halo test"):
    with Reader(f"sqlite:///{db_of(home)}") as reader:
        reader.use_names(home)
        yield AuditLog(reader, "local", home=home, now_us=0, query=query)


def count_decisions(log, period):
    counted = sum(1 for _ in log.decisions(DecisionFilter(period)))
    return log.conclude(period, counted=counted, what="decisions", claim="they can be counted")


def raw(home, query):
    with contextlib.closing(sqlite3.connect(db_of(home))) as connection:
        return connection.execute(query).fetchall()


def test_a_question_says_what_it_counted_and_under_which_checkpoint(home):
    with open_log(home) as log:
        answer = ask(log, ALWAYS, count_decisions)
    (count,) = raw(home, "SELECT count(*) FROM entry WHERE kind='decision'")[0]
    (last,) = raw(home, "SELECT max(idx) FROM entry")[0]
    (size,) = raw(home, "SELECT max(size) FROM checkpoint")[0]
    population = answer.population
    assert (answer.verdict, population.counted, population.first_index) == (Verdict.HOLDS, count, 0)
    assert (population.last_index, population.tree_size) == (last, size)
    assert answer.to_json()["tool"] == describe_tool()


@pytest.mark.parametrize(
    ("wanted", "count"),
    [({"agent": "clerk"}, 9), ({"user": "ana"}, 6), ({"label": "pii"}, 6), ({"tool": "w*"}, 12), ({"agent": "x"}, 0)],
)
def test_decisions_are_found_by_what_they_are_about(home, wanted, count):
    with open_log(home) as log:
        assert len(list(log.decisions(DecisionFilter(ALWAYS, **wanted)))) == count


def test_a_period_takes_what_its_times_say(home):
    times = [row[0] for row in raw(home, "SELECT ts_us FROM entry WHERE kind='decision' ORDER BY idx")]
    period = Period(times[4], times[9])
    with open_log(home) as log:
        seen = [item.ts_us for item in log.decisions(DecisionFilter(period))]
    assert seen == [ts_us for ts_us in times if period.contains(ts_us)]


def test_a_period_without_entries_cannot_be_told_about(home):
    with open_log(home) as log:
        assert ask(log, Period(1, 2), count_decisions).verdict is Verdict.CANNOT_TELL


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE entry SET ts_us=1 WHERE idx=5", "column_altered"),
        ("UPDATE entry SET kind='outcome' WHERE idx=(SELECT idx FROM entry WHERE kind='decision')", "column_altered"),
        ("UPDATE entry SET body=CAST(replace(body, '\"v\":3', '\"v\":4') AS BLOB) WHERE idx=5", "chain_broken"),
        ("DELETE FROM entry WHERE idx=5", "position_missing"),
        ("DELETE FROM entry WHERE idx=(SELECT max(idx) FROM entry)", "ledger_behind_anchor"),
        ("DELETE FROM checkpoint", "checkpoint_missing"),
        (NEWEST_CHANGED, "root_mismatch"),
        ("UPDATE entry SET session='' WHERE kind='decision'", "column_altered"),
        ("UPDATE entry SET w='x' || substr(w, 2) WHERE w=(SELECT w FROM entry WHERE idx=0)", "chain_broken"),
        ("UPDATE checkpoint SET note=(SELECT note FROM checkpoint ORDER BY size LIMIT 1)", "column_altered"),
        ("UPDATE checkpoint SET note=CAST(replace(note, 'halo/local', 'halo/other') AS BLOB)", "bad_signature"),
        ("UPDATE blob SET bytes=CAST(replace(bytes, 'pii', 'pix') AS BLOB)", "part_altered"),
        ("DELETE FROM blob", "part_missing"),
    ],
)
def test_a_log_that_does_not_verify_answers_nothing(home, tmp_path, change, code):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with contextlib.closing(sqlite3.connect(db_of(copy))) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type='trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.execute(change)
        connection.commit()
    with open_log(copy) as log:
        answer = ask(log, ALWAYS, count_decisions)
    assert answer.verdict is Verdict.CANNOT_TELL
    assert code in answer.findings[0]


def test_a_row_that_was_cut_out_with_its_position_is_missed(home, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    with contextlib.closing(attack(db_of(copy))) as connection:
        connection.execute("DELETE FROM entry WHERE idx=5")
        for (index,) in connection.execute("SELECT idx FROM entry WHERE idx>5 ORDER BY idx").fetchall():
            connection.execute("UPDATE entry SET idx=idx-1 WHERE idx=?", (index,))
    with open_log(copy) as log:
        assert "entry_missing" in ask(log, ALWAYS, count_decisions).findings[0]


def append_forged(home, log_key, *kinds, decision=None):
    """Put entries of a writer that signs them itself at the end of the log; `log` signs its first entry."""
    own, leaf = Ed25519Signer.generate(), ""
    vkey = format_vkey(make_vkey(writer_name("local", "forged"), own.public_key))
    with contextlib.closing(attack(db_of(home))) as connection:
        (end,) = connection.execute("SELECT max(idx)+1 FROM entry").fetchone()
        for seq, kind in enumerate(kinds):
            body = {"vkey": vkey} if seq == 0 else decision if kind is EntryKind.DECISION else {}
            entry = LedgerEntry("local", "", "forged", seq, leaf, 2**50, kind, "dev", body)
            signed = encode_entry(entry, own, log=log_key if seq == 0 else None)
            leaf = encode_base64(signed.leaf)
            row = ("local", "forged", seq, end + seq, kind.value, "", 2**50, None, 0)
            values = (*row, signed.text, signed.signatures, None, None)
            connection.execute(f"INSERT INTO entry VALUES ({','.join('?' * len(values))})", values)


@pytest.mark.parametrize("is_certified", [False, True])
def test_a_writer_counts_only_if_the_key_of_the_log_certified_it(home, tmp_path, is_certified):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    log_key = KeyStore(copy).signer("log") if is_certified else Ed25519Signer.generate()
    append_forged(copy, log_key, EntryKind.WRITER_OPEN, EntryKind.SHADOW)
    with open_log(copy) as log:
        answer = ask(log, ALWAYS, count_decisions)
    assert answer.verdict is (Verdict.HOLDS if is_certified else Verdict.CANNOT_TELL)
    assert is_certified or "bad_signature" in answer.findings[0]
    assert not is_certified or answer.population.uncovered == 2


def test_a_writer_writes_nothing_after_it_closed(home, tmp_path):
    copy = tmp_path / "home"
    shutil.copytree(home, copy)
    append_forged(copy, KeyStore(copy).signer("log"), EntryKind.WRITER_OPEN, EntryKind.WRITER_CLOSE, EntryKind.SHADOW)
    with open_log(copy) as log:
        assert "chain_broken" in ask(log, ALWAYS, count_decisions).findings[0]


def test_an_outcome_that_is_missing_is_a_failure_once_its_writer_has_closed(home, tmp_path):
    (text,) = raw(home, "SELECT body FROM entry WHERE kind='decision' ORDER BY idx LIMIT 1")[0]
    decision = json.loads(text)["body"]
    for name, kinds in {"open": (), "closed": (EntryKind.WRITER_CLOSE,)}.items():
        copy = tmp_path / name
        shutil.copytree(home, copy)
        log_key = KeyStore(copy).signer("log")
        append_forged(copy, log_key, EntryKind.WRITER_OPEN, EntryKind.DECISION, *kinds, decision=decision)
        with open_log(copy) as log:
            answer = ask(log, ALWAYS, answer_failures)
        found = [(row["what"], row["ids"]) for row in answer.rows]
        assert found == ([("outcomes missing", ["forged-1"])] if kinds else [])


def test_names_are_opened_where_the_home_can(home):
    with open_log(home) as log:
        users = {item.user for item in log.decisions(DecisionFilter(ALWAYS)) if item.user}
        assert {log.name_of(user) for user in users} == {"ana", "bob"}
        assert not users & {"ana", "bob"}


def test_control_entries_are_streamed_by_kind(home):
    with open_log(home) as log:
        kinds = {item.kind for item in log.entries((EntryKind.REGISTRATION, EntryKind.SHADOW), ALWAYS)}
        assert kinds == {"registration"}


def test_a_query_is_written_in_one_way():
    text = format_query("who-touched", Period(0, 1_500_000), label="a b", prove=True, agent="")
    assert text == "halo who-touched --label 'a b' --prove --to 1970-01-01T00:00:01.500000Z"
