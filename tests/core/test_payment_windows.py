"""Payments within a day: repeated ones are recognised under any call id, and limits hold for sums."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from halo_core.enforcement.payment_windows import WINDOW_US, Payment, PaymentFacts, PaymentWindow
from halo_core.errors import CannotDecide, Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, EntryKind, Impact, Resource, Reversal
from halo_core.store.quota_rows import QuotaTable
from halo_core.testing import FixedClock
from halo_world import SURFACE, Calls, cli, codes, found, verified

NOW_US = 1_800_000_000_000_000
PAY = Resource(impact=Impact.PAYMENT, targets=("to",), amount="amount", reversal=Reversal.COMPENSATE, source_trust=600)
PROPERTIES = {"to": {"type": "string"}, "amount": {"type": "number"}, "memo": {"type": "string"}}


def opened(home, clock=None, agent="clerk", **more):
    return HaloBase.local(agent, home=home, mode="enforce", quiet=True, clock=clock, **more)


def register(halo, resource=PAY, name="pay"):
    schema = {"type": "object", "properties": PROPERTIES}
    return halo.register(ActionKind.TOOL_CALL, name, resource=resource, schema=schema)


def pay(halo, body, to="ACC-1", amount=90.0, session="s", request="Pay ACC-1", resource=PAY, user="", **more):
    with halo.session(session, request=request, user=user):
        call = halo.build_call(register(halo, resource), {"to": to, "amount": amount, **more})
        halo.enforcer.run(call, body, SURFACE)


def asked(home):
    return set(codes(found(home, EntryKind.DECISION)[-1].entry.body))


def test_the_same_payment_is_asked_under_any_call_id_turn_and_session(home):
    body = Calls()
    with opened(home) as halo:
        pay(halo, body)
        for session in ("s", "another"):
            with pytest.raises(Pending) as caught:
                pay(halo, body, session=session)
            assert caught.value.reason == "repeated_payment"
        pay(halo, body, amount=91.0)
        pay(halo, body, to="ACC-2", request="Pay ACC-2")
        with pytest.raises(Pending):
            pay(halo, body, memo="march")  # words of the model, which nobody asked for
        pay(halo, body, to="ACC-3", request="Pay 90 to ACC-3 for march and 90 for april", memo="march")
        pay(halo, body, to="ACC-3", request="Pay 90 to ACC-3 for march and 90 for april", memo="april")
    assert len(body) == 5
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


@pytest.mark.parametrize("amount", [7_000_111_222_333, 900_000_000_000_000, 8_000_000_000_000.25])
def test_an_amount_beyond_what_a_record_holds_is_asked_and_counted(home, amount):
    with opened(home) as halo:
        for _ in range(3):
            with pytest.raises(Pending) as caught:
                pay(halo, Calls(), amount=amount, request=f"Pay {amount} to ACC-1")
            assert caught.value.reason == "large_amount"
        assert cli("approver", "enrol", "bo@bank", home=home)[0] == 0
        code, _, err = cli("approvals", "approve", caught.value.pending_id, "--as", "bo@bank", home=home)
        assert code == 0, err
        body = Calls()
        pay(halo, body, amount=amount, request=f"Pay {amount} to ACC-1")
        assert len(body) == 1
        with pytest.raises(Pending):
            pay(halo, body, amount=amount, to="ACC-2", request=f"Pay {amount} to ACC-2")
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_windows_written_together_are_all_kept_or_refused(home):
    with opened(home) as halo:
        halo.store.commit(lambda tx: QuotaTable(tx).put_all([("a", 1, b"{}"), ("b", 1, b"{}")]))
        with pytest.raises(CannotDecide) as caught:  # one of them does not rise
            halo.store.commit(lambda tx: QuotaTable(tx).put_all([("b", 1, b"{}"), ("c", 1, b"{}")]))
        assert caught.value.code == "ledger_unwritable"
        rows = halo.store.commit(lambda tx: [QuotaTable(tx).get(account) for account in "abc"])
    assert rows == [(1, b"{}"), (1, b"{}"), None]


def test_a_day_later_it_is_another_payment(home):
    clock, body = FixedClock(NOW_US), Calls()
    with opened(home, clock) as halo:
        pay(halo, body)
        clock.advance(24 * 3600 - 1)
        with pytest.raises(Pending):
            pay(halo, body, session="t")
        clock.advance(1)
        pay(halo, body, session="u")
    assert len(body) == 2


def test_a_new_message_that_names_the_target_renews_it_once(home):
    body = Calls()
    with opened(home) as halo:
        pay(halo, body)
        with pytest.raises(Pending):
            pay(halo, body, request="Thank you")
        with pytest.raises(Pending):
            pay(halo, body, request="Pay ACC-11 too")  # another account
        pay(halo, body, request="Please pay ACC-1 once more")
        with pytest.raises(Pending):
            pay(halo, body, request="Please pay ACC-1 once more")
    assert len(body) == 2
    assert verified(home) == 0


def test_sums_for_a_target_and_a_principal_hold_however_they_are_split(home):
    body = Calls()
    with opened(home) as halo:
        pay(halo, body, amount=600.0, session="a")
        with pytest.raises(Pending) as caught:
            pay(halo, body, amount=500.0, session="b")
        assert caught.value.reason == "large_sum"
        said = (
            "600.00 paid to this recipient within 24 hours, 500.00 with this call, together 1,100.00; "
            "the threshold is 1,000.00"
        )
        assert said in str(caught.value)
        decision_id, pending_id = caught.value.decision_id, caught.value.pending_id
        for i in range(2, 7):
            pay(halo, body, to=f"ACC-{i}", amount=850.0, session=f"c{i}", request=f"Pay ACC-{i}")
        with pytest.raises(Pending) as caught:
            pay(halo, body, to="ACC-8", amount=850.0, session="d", request="Pay ACC-8")
        assert caught.value.reason == "large_sum"
        assert "4,850.00 paid in all within 24 hours, 850.00 with this call, together 5,700.00" in str(caught.value)
        pay(halo, body, to="ACC-8", amount=850.0, session="e", request="Pay ACC-8", user="bo@corp.example")
    assert len(body) == 7
    assert verified(home) == 0
    for words in (("policy", "explain", decision_id), ("approvals", "show", pending_id)):
        assert said in re.sub(r"[\s│]+", " ", cli(*words, home=home)[1]), words
    assert cli("replay", "--all", home=home)[0] == 0


def test_small_parts_count_as_exactly_as_large_ones(home):
    body = Calls()
    with opened(home) as halo:
        for i in range(10):
            pay(halo, body, amount=round(99.9 + i / 100, 2), session=f"s{i}")
        pay(halo, body, amount=0.55, session="t")  # exactly 1,000
        with pytest.raises(Pending):
            pay(halo, body, amount=0.01, session="t")
    assert len(body) == 11


def test_an_idempotent_payment_may_be_made_again(home):
    body, harmless = Calls(), replace(PAY, idempotent=True)
    with opened(home) as halo:
        pay(halo, body, resource=harmless)
        pay(halo, body, resource=harmless)
    assert len(body) == 2


def test_two_agents_have_windows_of_their_own(home):
    body = Calls()
    for agent in ("clerk", "other"):
        with opened(home, agent=agent) as halo:
            pay(halo, body, session=agent)
    assert len(body) == 2


def test_a_full_window_forgets_no_sum_and_asks():
    window = PaymentWindow("a")
    for i in range(100):
        window = window.add(Payment(i, 10, f"m{i}", f"r{i}", ""))
    assert len(window.payments) == 64
    assert window.total == 1000
    assert window.repeats("m0", "")  # it may be among those there was no room for
    assert window.repeats("m99", "")
    assert not window.repeats("m99", "a new message")


def test_a_message_renews_as_often_as_it_says():
    window = PaymentWindow("a").add(Payment(1, 10, "m", "r1", "twice please"))
    assert window.repeats("m", "twice please")
    assert not window.repeats("m", "twice please", 2)
    assert window.add(Payment(2, 10, "m", "r2", "twice please")).repeats("m", "twice please", 2)
    assert window.repeats("m", "", 2)


def test_equal_payments_that_a_message_orders_are_no_sum_for_it():
    def paid(*payments: Payment, ordered: int) -> int:
        window = PaymentWindow("a")
        for payment in payments:
            window = window.add(payment)
        new = Payment(9, 10, "m", "r9", "x")
        facts = PaymentFacts(10, (window,), PaymentWindow("b"), new, False, False, 0, 0, ordered=ordered)
        return facts.paid_for_message

    first, second, other = (Payment(i, 10, mark, f"r{i}", "x") for i, mark in enumerate(("m", "m", "other")))
    assert paid(first, ordered=1) == 10
    assert paid(first, ordered=2) == 0
    assert paid(first, second, ordered=2) == 10
    assert paid(first, other, ordered=2) == 10


def test_an_hour_of_a_principal_is_one_item():
    window = PaymentWindow("a")
    for i in range(500):
        window = window.add(Payment(i * 1_000_000, 10))
    assert len(window.payments) == 1
    assert window.total == 5000
    assert window.payments[0].time_us + WINDOW_US > WINDOW_US


def test_one_large_payment_is_no_sum_and_several_small_ones_are(home):
    body = Calls()
    with opened(home) as halo:
        with pytest.raises(Pending):
            pay(halo, body, to="ACC-5", amount=1200.0, request="Pay 1200 to ACC-5")
        assert "large_amount" in asked(home)
        assert "large_sum" not in asked(home)
        pay(halo, body, amount=600.0)
        with pytest.raises(Pending) as caught:
            pay(halo, body, amount=600.5, request="Pay 600.5 to ACC-1 too")
        assert caught.value.reason == "large_sum"
        with pytest.raises(Pending):
            pay(halo, body, amount=1100.0, request="Pay 1100 to ACC-1 as well")
        assert {"large_amount", "large_sum"} <= asked(home)
    assert len(body) == 1
