"""Rows that decide, put in by somebody with the database and without keys, for one call or for good."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from halo_core.authorities import Authorities
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import Denied, HaloError, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource
from halo_core.store import standing_passports
from halo_core.store.cached_rows import StandingPassport
from halo_core.store.known_values import digest_known_value
from halo_core.verification import verify_store
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, policy_folder, schema, tool, url_of, verified


def opened(home: Path, **options) -> HaloBase:
    return HaloBase.local("clerk", home=home, policy=policy_folder(home), quiet=True, **options)


def use(halo: HaloBase, name: str, **args) -> str:
    """`ran`, or the code with which a call was refused."""
    body = Calls()
    try:
        with halo.session(os.urandom(4).hex()):
            halo.enforcer.run(halo.build_call(tool(halo, name), args or {"q": "x"}), body, SURFACE)
    except Denied as refused:
        return refused.reason
    except (HaloError, Pending) as refused:
        return getattr(refused, "code", type(refused).__name__)
    return "ran" if body else "nothing"


@contextlib.contextmanager
def rows_of(home: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(attack(db_of(home))) as database:
        yield database


def put_rows(database: sqlite3.Connection, table: str, rows: list[tuple]) -> None:
    database.execute(f"DELETE FROM {table}")
    for row in rows:
        database.execute(f"INSERT INTO {table} VALUES ({','.join('?' * len(row))})", row)


# standing passports


@pytest.fixture
def narrowed(home: Path) -> tuple[Path, list[tuple], list[tuple]]:
    """A home in enforce mode whose grants were narrowed to `lookup`; the wide row of before, and the row of now."""
    with opened(home) as halo:
        assert use(halo, "lookup") == use(halo, "note") == "ran"
    assert cli("enforce", "--grants", "--yes", home=home)[0] == 0
    manifest = home / "agents.yaml"
    with rows_of(home) as database:
        wide = database.execute("SELECT * FROM standing").fetchall()
    manifest.write_text(re.sub(r"\n      note: .*", "", manifest.read_text()))
    assert cli("passport", "issue", "clerk", home=home)[0] == 0
    with rows_of(home) as database:
        return home, wide, database.execute("SELECT * FROM standing").fetchall()


def test_an_older_wider_passport_that_is_put_back_grants_nothing(narrowed):
    home, wide, narrow = narrowed
    with opened(home) as halo, rows_of(home) as database:
        assert use(halo, "note") == "tool_not_granted"
        put_rows(database, "standing", wide)
        assert use(halo, "note") == "tool_not_granted"
        assert use(halo, "lookup") == "ran"  # the honest twin
        assert database.execute("SELECT * FROM standing").fetchall() == narrow
    with rows_of(home) as database:
        put_rows(database, "standing", wide)
    with opened(home) as halo:
        assert (use(halo, "note"), use(halo, "lookup")) == ("tool_not_granted", "ran")
    assert {body["column"] for body in bodies(home, EntryKind.CONTROL)} == {"standing"}
    report = verify_store(url_of(home), home)
    assert report.exit_code == 0
    assert any("differed 2 times" in text for text in report.warnings)


def test_a_passport_whose_entry_is_taken_away_stays_where_it_was_known(narrowed):
    home, wide, narrow = narrowed
    newest = "kind='passport' AND session='' ORDER BY idx DESC LIMIT 1"
    with opened(home) as halo, rows_of(home) as database:
        assert use(halo, "note") == "tool_not_granted"
        entry = database.execute(f"SELECT * FROM entry WHERE {newest}").fetchone()
        database.execute(f"DELETE FROM entry WHERE (w, ws) = (SELECT w, ws FROM entry WHERE {newest})")
        put_rows(database, "standing", wide)
        assert use(halo, "note") == "tool_not_granted"
        put_rows(database, "standing", narrow)
        database.execute(f"INSERT INTO entry VALUES ({','.join('?' * len(entry))})", entry)
        assert (use(halo, "note"), use(halo, "lookup")) == ("tool_not_granted", "ran")
    assert verified(home) == 0


def test_a_call_under_a_passport_of_before_is_shown_at_its_position(narrowed, monkeypatch):
    """A new process does not know of an entry that was taken away for one call; the record shows the call."""
    home, wide, narrow = narrowed
    newest = "kind='passport' AND session='' ORDER BY idx DESC LIMIT 1"
    with rows_of(home) as database:
        entry = database.execute(f"SELECT * FROM entry WHERE {newest}").fetchone()
        database.execute(f"DELETE FROM entry WHERE (w, ws) = (SELECT w, ws FROM entry WHERE {newest})")
        put_rows(database, "standing", wide)
        with opened(home) as halo:
            assert use(halo, "note") == "ran"
        put_rows(database, "standing", narrow)
        database.execute(f"INSERT INTO entry VALUES ({','.join('?' * len(entry))})", entry)
    report = verify_store(url_of(home), home)
    assert [item.code for item in report.findings] == ["passport_not_in_force"]


def test_code_that_reads_the_row_alone_is_shown(narrowed, monkeypatch):
    home, wide, narrow = narrowed
    with opened(home) as halo, rows_of(home) as database:
        with monkeypatch.context() as patch:
            patch.setattr(standing_passports.StandingTable, "get", lambda *_: StandingPassport(*wide[0][2:]))
            assert use(halo, "note") == "ran"
        assert use(halo, "note") == "tool_not_granted"
        assert database.execute("SELECT * FROM standing").fetchall() == narrow
    assert {item.code for item in verify_store(url_of(home), home).findings} == {"passport_not_in_force"}


def test_a_passport_that_is_issued_again_is_in_force_at_the_next_call(narrowed):
    """The honest twin: grants that people widen, narrow and widen again, under processes that run."""
    home, _, _ = narrowed
    manifest = home / "agents.yaml"
    narrow = manifest.read_text()
    lookup = re.search(r'\n( *)lookup: \{"q": any\}', narrow)
    assert lookup is not None
    wide = narrow.replace(lookup[0], f'{lookup[0]}\n{lookup[1]}note: {{"q": any}}')
    with opened(home) as first, opened(home) as second:
        for text, expected in ((wide, "ran"), (narrow, "tool_not_granted"), (wide, "ran")):
            manifest.write_text(text)
            assert cli("passport", "issue", "clerk", home=home)[0] == 0
            assert (use(first, "note"), use(second, "note"), use(first, "lookup")) == (expected, expected, "ran")
    assert verified(home) == 0
    assert bodies(home, EntryKind.CONTROL) == []


# issuers


def test_a_passport_of_an_issuer_who_was_put_in_and_taken_out_is_shown(narrowed):
    """As the agent's user: a key of its own in the file, a passport by it, and the file put back."""
    home, _, _ = narrowed
    file, key, manifest = home / "authorities.json", home / "issuer.key", home / "agents.yaml"
    kept = {path: path.read_bytes() for path in (file, key, manifest)}
    key.unlink()
    Authorities(home).add_issuer("local", KeyStore(home).signer("issuer").public_key, 0)
    assert cli("passport", "issue", "clerk", home=home)[0] == 0
    for path, data in kept.items():
        path.write_bytes(data)
    assert any("no entry made an issuer's" in text for text in verify_store(url_of(home), home).warnings)


def test_a_rotated_issuer_is_not_shown(narrowed):
    """The honest twin."""
    home, _, _ = narrowed
    assert cli("keys", "rotate", "issuer", "--overlap", "1d", home=home)[0] == 0
    assert cli("passport", "issue", "clerk", home=home)[0] == 0
    with opened(home) as halo:
        assert use(halo, "lookup") == "ran"
    report = verify_store(url_of(home), home)
    assert (report.exit_code, [text for text in report.warnings if "issuer" in text]) == (0, [])


# known values

ACCOUNT = "DE89370400440532013000"
AMOUNTS = itertools.count(5)
"""No payment is one that ran before."""


def pays(halo: HaloBase, account: str = ACCOUNT) -> bool:
    """Whether a payment that only a mail has named runs."""
    body = Calls()
    with halo.session(os.urandom(4).hex(), request="read my mail and pay what is due"):
        mail = halo.register(
            ActionKind.TOOL_CALL,
            "mail",
            resource=Resource(impact=Impact.READ, source_trust=100),
            schema=schema({"n": {"type": "integer"}}),
        )
        halo.enforcer.run(halo.build_call(mail, {"n": 1}), Calls(f"ACME is paid at {account}"), SURFACE)
        pay = halo.register(
            ActionKind.TOOL_CALL,
            "pay",
            resource=Resource(impact=Impact.PAYMENT, targets=("to",), amount="amount"),
            schema=schema({"amount": {"type": "integer"}, "to": {"type": "string"}}),
        )
        try:
            halo.enforcer.run(halo.build_call(pay, {"amount": next(AMOUNTS), "to": account}), body, SURFACE)
        except (Denied, Pending):
            return False
    return bool(body)


def declare(home: Path, verb: str, account: str = ACCOUNT) -> None:
    assert cli("known", verb, "account", account, home=home)[0] == 0


@pytest.fixture
def revoked(home: Path) -> tuple[Path, list[tuple]]:
    """A home where a known account was revoked, and the rows of before."""
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo:
        assert not pays(halo)
        declare(home, "add")
        assert pays(halo)
    with rows_of(home) as database:
        rows = database.execute("SELECT * FROM known_value").fetchall()
    declare(home, "revoke")
    return home, rows


def test_a_known_value_that_is_put_back_vouches_for_nothing(revoked):
    home, rows = revoked
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo, rows_of(home) as database:
        assert not pays(halo)
        put_rows(database, "known_value", rows)
        assert not pays(halo)
        assert database.execute("SELECT * FROM known_value").fetchall() == []  # it was removed again
        declare(home, "add")  # the honest twin: what is declared anew is known
        assert pays(halo)
    with rows_of(home) as database:
        other = "substr(digest, 1, length(digest) - 1) || CASE substr(digest, -1) WHEN '0' THEN '1' ELSE '0' END"
        database.execute(f"INSERT INTO known_value SELECT tenant, 'account', {other} FROM known_value")
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo:
        assert pays(halo)
    assert bodies(home, EntryKind.CONTROL)[0]["entry"] == "revoked"


def test_a_known_value_whose_revocation_is_taken_away_stays_revoked_where_that_was_known(revoked):
    home, rows = revoked
    revocation = "kind='known' ORDER BY idx DESC LIMIT 1"
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo, rows_of(home) as database:
        put_rows(database, "known_value", rows)
        assert not pays(halo)
        entry = database.execute(f"SELECT * FROM entry WHERE {revocation}").fetchone()
        database.execute(f"DELETE FROM entry WHERE (w, ws) = (SELECT w, ws FROM entry WHERE {revocation})")
        put_rows(database, "known_value", rows)
        assert not pays(halo)
        put_rows(database, "known_value", [])
        database.execute(f"INSERT INTO entry VALUES ({','.join('?' * len(entry))})", entry)
    assert verified(home) == 0


def test_a_call_on_a_revoked_value_is_shown_at_its_position(revoked):
    home, rows = revoked
    revocation = "kind='known' ORDER BY idx DESC LIMIT 1"
    with rows_of(home) as database:
        entry = database.execute(f"SELECT * FROM entry WHERE {revocation}").fetchone()
        database.execute(f"DELETE FROM entry WHERE (w, ws) = (SELECT w, ws FROM entry WHERE {revocation})")
        put_rows(database, "known_value", rows)
        with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo:
            assert pays(halo)
        put_rows(database, "known_value", [])
        database.execute(f"INSERT INTO entry VALUES ({','.join('?' * len(entry))})", entry)
    assert [item.code for item in verify_store(url_of(home), home).findings] == ["known_value_misused"]


def test_a_value_that_was_declared_in_no_entry_vouches_for_nothing(home):
    with HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as halo, rows_of(home) as database:
        digester = Digester(KeyStore(home).secret("digest"))
        digest = digest_known_value(digester, "account", ACCOUNT)
        put_rows(database, "known_value", [("local", "account", digest)])
        assert not pays(halo)
    assert bodies(home, EntryKind.CONTROL)[0]["entry"] == "no entry"


def test_values_that_are_declared_and_revoked_by_people_count_at_the_next_call(home):
    """The honest twin: also a file that names one account twice, and another process."""
    names = "kind,value,name\naccount,DE89 3704 0044 0532 0130 00,ACME\naccount,DE89370400440532013000,ACME Ltd\n"
    (home.parent / "known.csv").write_text(names)
    with (
        HaloBase.local("clerk", home=home, mode="enforce", quiet=True) as one,
        HaloBase.local("desk", home=home, mode="enforce", quiet=True) as other,
    ):
        assert cli("known", "import", str(home.parent / "known.csv"), home=home)[0] == 0
        assert (pays(one), pays(other)) == (True, True)
        for verb, expected in (("revoke", False), ("add", True), ("revoke", False)):
            declare(home, verb)
            assert (pays(one), pays(other), pays(one)) == (expected,) * 3
    used = [body["known"] for body in bodies(home, EntryKind.DECISION) if "known" in body]
    assert len(used) == 5
    assert {kind for ((kind, _),) in used} == {"account"}
    assert verified(home) == 0
    assert bodies(home, EntryKind.CONTROL) == []
    assert cli("replay", "--all", home=home)[0] == 0


# answers


def asks(halo: HaloBase, session: str) -> str:
    """`ran`, or the id of the question."""
    body = Calls()
    try:
        with halo.session(session):
            halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": 500, "to": "acct"}), body, SURFACE)
    except Pending as waiting:
        return waiting.pending_id
    return "ran" if body else "nothing"


def test_an_approval_that_was_used_is_not_used_again(home):
    with opened(home, mode="enforce") as halo, rows_of(home) as database:
        assert cli("approver", "enrol", "mia", home=home)[0] == 0
        for session in ("one", "two"):
            question = asks(halo, session)
            answer = ("approvals", "approve", question, "--as", "mia", "--key-home", str(home))
            assert cli(*answer, home=home)[0] == 0
            assert asks(halo, session) == "ran"  # the honest twin
            database.execute("UPDATE approval SET status='approved' WHERE id=?", (question,))
            assert asks(halo, session) not in ("ran", question)
            database.execute("UPDATE approval SET status='used' WHERE id=?", (question,))
    with opened(home, mode="enforce") as halo, rows_of(home) as database:
        database.execute("UPDATE approval SET status='approved' WHERE id=?", (question,))
        assert asks(halo, "two") != "ran"
        assert asks(halo, "three") != "ran"
        database.execute("UPDATE approval SET status='used' WHERE id=?", (question,))
    assert verified(home) == 0
