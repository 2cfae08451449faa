"""Rows of remembered and emergency answers, changed by somebody with the database and without keys."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.append(str(Path(__file__).parents[1] / "oversight"))
from oversight_world import answers, at, enrolled, people

from halo_core.clock import SystemClock
from halo_core.errors import Denied, HaloError, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource, Reversal
from halo_core.oversight.remembered import RememberTerms, grant_break_glass
from halo_core.verification import verify_store
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, policy_folder, url_of, verified

POLICY = """
@id("base") permit (principal, action, resource);
@id("target") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource);
"""
EVE, BO = "eve@evil.example", "bo@partner.example"


def opened(home: Path, **options: Any) -> HaloBase:
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home, POLICY), quiet=True, **options)


def sends(halo: HaloBase, to: str = EVE) -> bool:
    """Whether a message goes out in a session of its own."""
    try:
        send(halo, to)
    except (Denied, Pending):
        return False
    return True


def send(halo: HaloBase, to: str) -> None:
    declared = Resource(impact=Impact.SEND, targets=("to",), source_trust=600, reversal=Reversal.COMPENSATE)
    properties = {"type": "object", "properties": {"to": {"type": "string"}}}
    resource = halo.register(ActionKind.TOOL_CALL, "send", resource=declared, schema=properties)
    with halo.session(f"s-{os.urandom(4).hex()}"):
        halo.enforcer.run(halo.build_call(resource, {"to": to}), Calls(), SURFACE)


def ask(halo: HaloBase, to: str = EVE) -> str:
    with pytest.raises(Pending) as caught:
        send(halo, to)
    return caught.value.pending_id


def remember(home: Path, to: str = EVE, **terms: Any) -> str:
    with opened(home) as halo:
        return answers(home, ask(halo, to), terms=RememberTerms(**terms)).remembered


def break_glass(home: Path) -> str:
    with at(home) as store:
        return grant_break_glass(
            store,
            people(home),
            home,
            agent="clerk",
            approver="mia",
            lifetime_s=600,
            why="the desk is down",
            now_us=SystemClock().now_us(),
        )


@contextlib.contextmanager
def rows_of(home: Path) -> Iterator[Any]:
    with contextlib.closing(attack(db_of(home))) as database:
        yield database


@pytest.fixture
def staffed(home: Path) -> Path:
    """A home with an approver, in which the agent has a passport."""
    with opened(home) as halo:
        assert not sends(halo)
    enrolled(home)
    return home


def give(home: Path, kind: str) -> str:
    return remember(home) if kind == "standing" else break_glass(home)


def revoke(home: Path, answer: str) -> None:
    assert cli("approvals", "revoke", answer, home=home)[0] == 0


@pytest.mark.parametrize("kind", ["standing", "break_glass"])
@pytest.mark.parametrize("how", ["set active", "deleted and put back", "put back as another"])
def test_a_revoked_answer_serves_no_more_whatever_its_row_says(staffed, kind, how):
    home = staffed
    answer = give(home, kind)
    with rows_of(home) as database, opened(home) as halo:
        assert sends(halo)  # the honest twin
        (row,) = database.execute("SELECT * FROM standing_answer").fetchall()
        revoke(home, answer)
        assert not sends(halo)
        if how == "set active":
            database.execute("UPDATE standing_answer SET status='active'")
        else:
            database.execute("DELETE FROM standing_answer")
            name = row[1] if how == "deleted and put back" else "another"
            database.execute("INSERT INTO standing_answer VALUES (?,?,?,?,?,?)", (row[0], name, *row[2:]))
        assert not sends(halo)
        with opened(home) as later:
            assert not sends(later)
    assert "answer_misused" not in {item.code for item in verify_store(url_of(home), home).findings}


def test_a_row_set_active_and_back_within_one_call_gives_nothing(staffed):
    home = staffed
    answer = remember(home)
    revoke(home, answer)
    for _ in range(3):
        with rows_of(home) as database:
            database.execute("UPDATE standing_answer SET status='active'")
            with opened(home) as halo:
                assert not sends(halo)
            database.execute("UPDATE standing_answer SET status='revoked'")
    assert {body["column"] for body in bodies(home, EntryKind.CONTROL)} == {"standing_answer"}
    assert verified(home) == 0


@pytest.mark.share(2)
@pytest.mark.parametrize(
    "change",
    [
        "DELETE FROM quota WHERE account LIKE 'answer:%'",
        """UPDATE quota SET state=CAST('{"spent":0,"uses":0}' AS BLOB) WHERE account LIKE 'answer:%'""",
        """UPDATE quota SET state=CAST('{"spent":0,"uses":1}' AS BLOB) WHERE account LIKE 'answer:%'""",
        """UPDATE quota SET state=CAST('{"spent":-9,"uses":-9}' AS BLOB) WHERE account LIKE 'answer:%'""",
        "UPDATE quota SET state=CAST('no row' AS BLOB) WHERE account LIKE 'answer:%'",
        "UPDATE quota SET version=0 WHERE account LIKE 'answer:%'",
    ],
)
@pytest.mark.parametrize("where", ["in the same process", "in a new one"])
def test_a_used_up_answer_gives_no_further_use(staffed, change, where):
    home = staffed
    remember(home, max_uses=2)
    with opened(home) as halo, rows_of(home) as database:
        assert sends(halo)
        assert sends(halo)
        assert not sends(halo)
        database.execute(change)
        if where == "in the same process":
            assert not sends(halo)
        with opened(home) as later:
            assert not sends(later)
    assert verified(home) == (13 if change.startswith("DELETE") else 11)


def test_a_count_of_before_that_is_put_back_gives_no_further_use(staffed):
    home = staffed
    remember(home, max_uses=3)
    query = "SELECT version, state FROM quota WHERE account LIKE 'answer:%'"
    with opened(home) as halo, rows_of(home) as database:
        assert sends(halo)
        (before,) = database.execute(query).fetchall()
        assert sends(halo)
        (newest,) = database.execute(query).fetchall()
        put_back = "UPDATE quota SET version=?, state=? WHERE account LIKE 'answer:%'"
        database.execute(put_back, before)
        assert not sends(halo)
        database.execute(put_back, newest)
        assert sends(halo)  # what the entries say counts again
        assert not sends(halo)
    assert verified(home) == 0


def test_a_use_whose_entry_and_row_are_taken_away_counts_where_it_was_made(staffed):
    """A process that starts then does not know of it; `halo verify` shows the gap."""
    home = staffed
    remember(home, max_uses=2)
    query = "SELECT version, state FROM quota WHERE account LIKE 'answer:%'"
    with opened(home) as halo, rows_of(home) as database:
        assert sends(halo)
        (before,) = database.execute(query).fetchall()
        assert sends(halo)
        newest = "SELECT w, ws FROM entry WHERE kind='decision' ORDER BY idx DESC LIMIT 1"
        database.execute(f"DELETE FROM entry WHERE (w, ws) = ({newest})")
        database.execute("UPDATE quota SET version=?, state=? WHERE account LIKE 'answer:%'", before)
        assert not sends(halo)
    assert verified(home) != 0


def test_a_count_that_is_there_before_the_first_use_gives_none(staffed):
    home = staffed
    answer = remember(home, max_uses=1)
    with rows_of(home) as database:
        state = b'{"spent":-1000000,"uses":-1000}'
        database.execute("INSERT INTO quota VALUES ('local',?,1,?)", (f"answer:{answer}", state))
    with opened(home) as halo:
        assert not sends(halo)


def test_scopes_and_tokens_that_are_swapped_between_rows_cover_nothing(staffed):
    home = staffed
    first, second = remember(home), remember(home, BO)
    with opened(home) as halo, rows_of(home) as database:
        assert sends(halo)
        assert sends(halo, BO)
        revoke(home, first)
        assert not sends(halo)
        (ours,) = database.execute("SELECT scope, token FROM standing_answer WHERE id=?", (first,)).fetchall()
        (theirs,) = database.execute("SELECT scope, token FROM standing_answer WHERE id=?", (second,)).fetchall()
        for scope, token in ((ours[0], theirs[1]), (ours[0], ours[1]), (theirs[0], ours[1])):
            database.execute("UPDATE standing_answer SET scope=?, token=? WHERE id=?", (scope, token, second))
            assert not sends(halo)
            with opened(home) as later:
                assert not sends(later)
        database.execute("UPDATE standing_answer SET scope=?, token=? WHERE id=?", (*theirs, second))
        assert sends(halo, BO)  # the honest twin


def test_a_fake_entry_that_gives_the_answer_again_gives_nothing(staffed):
    home = staffed
    answer = remember(home)
    revoke(home, answer)
    with rows_of(home) as database:
        database.execute("UPDATE standing_answer SET status='active'")
        (entry,) = database.execute("SELECT * FROM entry WHERE kind='standing_answer' ORDER BY idx LIMIT 1").fetchall()
        (end,) = database.execute("SELECT max(idx)+1 FROM entry").fetchone()
        forged = ("local", "forged", 0, end, *entry[4:])
        database.execute(f"INSERT INTO entry VALUES ({','.join('?' * len(forged))})", forged)
        with contextlib.suppress(HaloError), opened(home) as halo:
            assert not sends(halo)


def test_a_log_from_before_the_indexes_gets_them(staffed):
    home = staffed
    answer = remember(home)
    with rows_of(home) as database:
        database.execute("DROP INDEX entry_answer")
        database.execute("DROP INDEX entry_answer_use")
    with opened(home) as halo:
        assert sends(halo)
        revoke(home, answer)
        assert not sends(halo)
    assert verified(home) == 0
