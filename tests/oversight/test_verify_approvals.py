"""`halo verify`, check 9: an approval row stands where its request and its answer put it."""

from __future__ import annotations

import json
import shutil
import time

import pytest
from oversight_world import answers, ask, enrolled, opened, opened_tiring, pay

from halo_core.errors import Pending
from halo_world import attack, cli, db_of


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    """Four questions: one open, one denied, one approved, one approved and used."""
    home = tmp_path_factory.mktemp("approvals") / "home"
    named = {name: ask(home, session=name) for name in ("open", "denied", "approved", "used")}
    enrolled(home)
    answers(home, named["denied"], approve=False)
    answers(home, named["approved"])
    answers(home, named["used"])
    with opened(home) as halo:
        assert len(pay(halo, "used")) == 1
    assert cli("verify", home=home)[0] == 0
    return home


@pytest.fixture
def copy(ledger, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(ledger, home)
    return home


def spoil(home, *statements):
    database = attack(db_of(home))
    for statement in statements:
        database.execute(statement)
    database.close()
    report = json.loads(cli("verify", "--json", home=home)[1])
    return report["exit_code"], {finding["code"] for finding in report["findings"]}


@pytest.mark.matrix
@pytest.mark.parametrize("session", ["open", "denied", "approved", "used"])
@pytest.mark.parametrize("status", ["pending", "denied", "approved", "used", "expired", "lost"])
def test_a_status_that_the_log_does_not_give_is_found(copy, session, status):
    code, found = spoil(copy, f"UPDATE approval SET status='{status}' WHERE session=ref('{session}')")
    allowed = {
        "open": ("pending", "expired"),
        "denied": ("denied",),
        "approved": ("approved", "used", "expired"),
        "used": ("used",),
    }
    assert (code, found) == ((0, set()) if status in allowed[session] else (11, {"column_altered"}))


@pytest.mark.parametrize(
    "change",
    [
        "answer='forged'",
        "answer=''",
        "answer=(SELECT answer FROM approval WHERE session=ref('denied'))",
        "binding='sha256:00'",
        "kind='reauthorization'",
        "expires_us=expires_us+1",
        "session=ref('denied')",
    ],
)
def test_a_column_that_was_altered_is_found(copy, change):
    assert spoil(copy, f"UPDATE approval SET {change} WHERE session=ref('approved')") == (11, {"column_altered"})


def test_an_answer_that_the_log_does_not_hold_is_found(copy):
    assert spoil(copy, "UPDATE approval SET status='approved', answer='x' WHERE session=ref('open')")[0] == 11


def test_a_missing_row_and_one_too_many_are_found(copy):
    assert spoil(copy, "DELETE FROM approval WHERE session=ref('denied')") == (11, {"row_missing"})


def test_a_row_that_nobody_asked_is_found(copy):
    code, found = spoil(copy, "INSERT INTO approval VALUES ('local','x','call','one','b','approved',1,2,'t')")
    assert (code, found) == (11, {"row_stray"})


def test_a_row_moved_to_another_tenant_is_found(copy):
    code, found = spoil(copy, "UPDATE approval SET tenant='acme' WHERE session=ref('denied')")
    assert (code, found) == (11, {"row_missing", "row_stray"})


def test_a_row_whose_answer_is_among_the_missing_is_a_gap(copy):
    code, found = spoil(
        copy,
        "DELETE FROM entry WHERE kind='approval'",
    )
    assert (code, "column_altered" in found) == (13, False)


@pytest.mark.share(2)
@pytest.mark.parametrize("status", ["approved", "used", "pending", "denied"])
def test_a_re_authorization_that_was_used_and_put_back_is_found(tmp_path, status):
    home = tmp_path / "home"
    request = ""
    with opened_tiring(home) as halo:
        while not request:
            try:
                pay(halo, amount=1)
            except Pending as exc:
                request = exc.pending_id
    enrolled(home)
    answers(home, request)
    assert cli("verify", home=home)[0] == 0
    with opened_tiring(home) as halo:
        assert len(pay(halo, amount=1)) == 1
    code, codes = spoil(home, f"UPDATE approval SET status='{status}'")
    assert (code, codes) == ((0, set()) if status == "used" else (11, {"column_altered"}))


def reauthorization(halo) -> str:
    """Pay until the session has to be re-authorized; the request's id."""
    while True:
        try:
            pay(halo, amount=1)
        except Pending as exc:
            return exc.pending_id


def test_an_answer_that_expired_unused_is_no_tampering_once_a_second_one_was_used(tmp_path):
    home = tmp_path / "home"
    with opened_tiring(home) as halo:
        first = reauthorization(halo)
    enrolled(home)
    answers(home, first, lifetime_s=1)
    time.sleep(2.1)
    with opened_tiring(home) as halo:
        second = reauthorization(halo)
        assert second != first
    answers(home, second)
    with opened_tiring(home) as halo:
        assert len(pay(halo, amount=1)) == 1
    assert cli("verify", home=home)[0] == 0
    assert spoil(home, f"UPDATE approval SET status='approved' WHERE id='{second}'") == (11, {"column_altered"})
