"""An approval answers what was asked, and nothing that came up since."""

from __future__ import annotations

import pytest
from oversight_world import answers, enrolled

from halo_core.errors import Pending
from halo_core.facade import HaloBase
from halo_core.model import EntryKind, Impact
from halo_world import SURFACE, Calls, bodies, found, tool, verified

PAYEE = "DE89370400440532013000"
PAGE = f"The refund goes to {PAYEE}."


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def halo(home):
    home.mkdir()
    with HaloBase.local("clerk", user="ana@corp.example", home=home, mode="enforce", quiet=True) as opened:
        tool(opened, "note", source_trust=100)
        tool(opened, "pay", impact=Impact.PAYMENT, targets=("to",))
        yield opened


def pay(halo, session, request):
    """Read a page, and pay what it says."""
    with halo.session(session, request=request):
        read = halo.build_call(halo.find_registered("note"), {"q": "refunds"})
        halo.enforcer.run(read, Calls(PAGE), SURFACE)
        paid = halo.build_call(halo.find_registered("pay"), {"to": PAYEE, "amount": 52})
        return halo.enforcer.run(paid, Calls("paid"), SURFACE)


def ask(halo, session, request):
    with pytest.raises(Pending) as caught:
        pay(halo, session, request)
    return caught.value.pending_id


def list_asked(home, question):
    entry = next(item.entry for item in found(home, EntryKind.APPROVAL_REQUEST) if item.entry.id == question)
    return {reason["code"] for reason in entry.body["reasons"] if reason["effect"] == "challenge"}


def test_an_equal_payment_that_ran_meanwhile_is_asked_about(halo, home):
    question = ask(halo, "case-1", "Handle the refund on the page.")
    assert "repeated_payment" not in list_asked(home, question)
    assert pay(halo, "case-2", f"Look at the page, and pay 52 to {PAYEE}.") == "paid"
    enrolled(home)
    answers(home, question)
    second = ask(halo, "case-1", "Handle the refund on the page.")
    assert second != question
    assert {"repeated_payment", *list_asked(home, question)} <= list_asked(home, second)
    answers(home, second)
    assert pay(halo, "case-1", "Handle the refund on the page.") == "paid"
    assert verified(home) == 0


def test_without_another_payment_the_answer_is_enough(halo, home):
    question = ask(halo, "case-1", "Handle the refund on the page.")
    enrolled(home)
    answers(home, question)
    assert pay(halo, "case-1", "Handle the refund on the page.") == "paid"


def test_an_open_question_is_asked_anew_if_more_is_to_be_asked(halo, home):
    question = ask(halo, "case-1", "Handle the refund on the page.")
    assert ask(halo, "case-1", "Handle the refund on the page.") == question
    assert pay(halo, "case-2", f"Look at the page, and pay 52 to {PAYEE}.") == "paid"
    second = ask(halo, "case-1", "Handle the refund on the page.")
    assert second != question
    assert ask(halo, "case-1", "Handle the refund on the page.") == second
    statuses = [body["status"] for body in bodies(home, EntryKind.APPROVAL_REQUEST)]
    assert statuses == ["pending", "pending"]
