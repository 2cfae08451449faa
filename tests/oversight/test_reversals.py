"""Reversals: who may order one, what its callable is given, once and never twice. Invariant: REVERSE."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace

import pytest
from acts_world import POLICY, confirm, enrolled, opened, order, run, tool
from oversight_world import people

from halo_core.crypto import canonical
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.decision.checks import decide
from halo_core.enforcement.flow import run as run_action
from halo_core.enforcement.held_acts import ReversalAction
from halo_core.enforcement.reversals import Reverser, load_effect, read_decision
from halo_core.errors import ConfigError, Denied, Held, Pending, Tampered
from halo_core.evidence.answers import Period, Verdict
from halo_core.evidence.audit_log import AuditLog, ask
from halo_core.evidence.reversals import answer_reversals
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Actor, EntryKind, Reversal, make_finding_key
from halo_core.oversight import reversal_orders
from halo_core.oversight.remembered import revoke_remembered
from halo_core.oversight.reversal_orders import order_reversal, sign_terms
from halo_core.replay import Replayer
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.testing import FixedClock
from halo_world import Calls, attack, bodies, cli, codes, db_of, found, policy_folder, url_of, verified

PAID = {"to": "acct-1", "amount": 40}
NOW_US = 1_800_000_000_000_000


class Undone(list):
    """A callable that writes down which acts it took back."""

    def __init__(self, error=None):
        super().__init__()
        self.error = error

    def __call__(self, act):
        self.append(act)
        if self.error is not None:
            raise self.error
        return "refunded"


def refused(call, *args, **more) -> str:
    with pytest.raises(Denied) as caught:
        call(*args, **more)
    return caught.value.reason


def paid_and_enrolled(halo, home, undo, **more):
    """The id of a payment that ran; mia may answer."""
    decision = run(halo, tool(halo, "pay", undo, Reversal.COMPENSATE), **(more or PAID))
    enrolled(home)
    return decision


def is_whole(home) -> bool:
    return verified(home, signatures=True) == 0 and cli("replay", "--all", home=home)[0] == 0


# once, with what was done


def test_an_effect_is_taken_back_once_with_what_was_done(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
        order(home, paid)
        assert halo.reverse(paid) == "refunded"
        assert refused(halo.reverse, paid) == "already_reversed"
    (act,) = undo
    assert (act.decision, act.tool, dict(act.args), act.output) == (paid, "pay", PAID, "ref-7")
    assert (act.is_output_whole, act.agent, act.user) == (True, "clerk", "user:ana")
    assert refused(order, home, paid) == "already_reversed"
    decision = found(home, EntryKind.DECISION)[-1].entry.body
    assert decision["request"]["context"]["links"] == [["reverses", paid]]
    assert decision["request"]["resource"]["id"] == "pay.compensate"
    assert "reversal_ordered" in codes(decision)
    assert [body["op"] for body in bodies(home, EntryKind.REVERSAL)] == ["request", "begin"]
    assert is_whole(home)


def test_the_decided_arguments_are_those_that_ran(home):
    """A policy lowered the amount: that is what is undone, never what was asked for."""
    undo = Undone()
    with opened(home) as halo:
        booked = run(halo, tool(halo, "book", undo), to="acct-3", amount=500)
        enrolled(home)
        order(home, booked)
        halo.reverse(booked)
    assert [dict(act.args) for act in undo] == [{"to": "acct-3", "amount": 50}]
    assert is_whole(home)


def test_an_output_that_was_cut_says_so(home):
    undo = Undone()
    with opened(home) as halo:
        booked = run(halo, tool(halo, "book", undo), body=Calls("x" * 20_000), to="acct-3", amount=5)
        enrolled(home)
        order(home, booked)
        halo.reverse(booked)
    (act,) = undo
    assert (len(act.output), act.is_output_whole) == (16_384, False)


def test_it_is_carried_out_by_the_next_process_that_has_the_tool(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, None)
    with opened(home) as halo:
        paid = run(halo, tool(halo, "pay", undo, Reversal.COMPENSATE), **PAID)
    order(home, paid)
    with opened(home) as halo:
        with halo.session("other"):  # the tool is not there yet
            pass
        assert not undo
        tool(halo, "pay", undo, Reversal.COMPENSATE)
        with halo.session("other"):
            assert [act.decision for act in undo] == [paid]
        assert halo.release() == []
    assert len(undo) == 1
    assert is_whole(home)


def test_release_carries_it_out_and_says_so(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        halo.release()
        order(home, paid)
        (done,) = halo.release()
        assert (done.id, done.resource, done.status, done.result) == (paid, "pay.compensate", "reversed", "refunded")
        assert halo.release() == []
    assert is_whole(home)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "the effect of decision {} was taken back by `pay.compensate`, as ordered"),
        (RuntimeError("acct-1"), "the reversal of decision {} by `pay.compensate` was tried and is failed"),
    ],
)
def test_the_operator_reads_what_came_of_an_order_at_the_next_start(home, capsys, error, words):
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, Undone())
    order(home, paid)
    policy = policy_folder(home, POLICY)
    with HaloBase.local("clerk", home=home, mode="enforce", policy=policy, user="user:ana") as halo:
        tool(halo, "pay", Undone(error), Reversal.COMPENSATE)
        with halo.session("other"):
            pass
    told = capsys.readouterr().err
    assert words.format(paid) in told
    assert "acct-1" not in told


def test_a_coroutine_takes_back_in_a_loop_and_outside_of_one(home):
    undone = []

    async def undo(act):
        await asyncio.sleep(0)
        undone.append(act.decision)
        return "later"

    with opened(home) as halo:
        first = paid_and_enrolled(halo, home, undo)
        second = run(halo, tool(halo, "pay", undo, Reversal.COMPENSATE), to="acct-2", amount=3)
        for decision in (first, second):
            order(home, decision)
        assert asyncio.run(halo.areverse(first)) == "later"
        assert halo.reverse(second) == "later"
    assert undone == [first, second]
    assert is_whole(home)


def test_a_person_may_sign_and_carry_it_out_in_one_call(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        keys = people(home).home
        with pytest.raises(ConfigError, match="a reason is needed"):
            halo.reverse(paid, approver="mia", key_home=keys)
        assert halo.reverse(paid, approver="mia", key_home=keys, why="twice") == "refunded"
    assert bodies(home, EntryKind.REVERSAL)[0]["authn"] == "approver-key"


def test_another_agent_takes_back_what_a_stopped_one_did(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
    order(home, paid)
    assert cli("stop", "--agent", "clerk", "--why", "incident", home=home)[0] == 0
    with opened(home) as halo:
        tool(halo, "pay", undo, Reversal.COMPENSATE)
        assert refused(halo.reverse, paid) == "stopped"
    with opened(home, agent="desk") as halo:
        tool(halo, "pay", undo, Reversal.COMPENSATE)
        assert halo.reverse(paid) == "refunded"
    assert len(undo) == 1
    assert is_whole(home)


# what is not reversed, and says why


def test_only_what_ran_is_taken_back(home):
    undo = Undone()
    with opened(home) as halo:
        enrolled(home)
        wipe, send = tool(halo, "wipe", undo), tool(halo, "send", undo)
        with pytest.raises(Denied) as denied:
            run(halo, wipe, path="/a")
        with pytest.raises(Pending) as asked:
            run(halo, send, to="eva@partner.example", text="x")
        for error, words in ((denied, "it was denied"), (asked, "it was asked about")):
            with pytest.raises(Denied, match=words) as caught:
                order(home, error.value.decision_id)
            assert caught.value.reason == "effect_not_run"
    assert not undo
    assert [body["code"] for body in bodies(home, EntryKind.ACCESS)] == ["effect_not_run"] * 2


def test_a_held_act_says_that_it_is_held(home):
    undo = Undone()
    with opened(home) as halo:
        enrolled(home)
        send = tool(halo, "send", undo)
        waiting = replace(send, can_wait=True)
        halo.register_runner(waiting, lambda to, text: "sent")
        with pytest.raises(Held) as held, halo.session("s"):
            halo.enforcer.begin(halo.build_call(waiting, {"to": "eva@partner.example", "text": "x"}))
        for name in (held.value.decision_id, held.value.held_id):
            with pytest.raises(Denied, match="held") as caught:
                order(home, name)
            assert caught.value.reason == "effect_not_run"


def test_what_is_irreversible_or_leaves_nothing_says_so(home):
    with opened(home) as halo:
        enrolled(home)
        looked = run(halo, tool(halo, "look"), q="x")
        booked = run(halo, tool(halo, "book", lambda act: None, Reversal.UNDO), to="a", amount=1)
        halo.register_reverser(halo.find_registered("book"), None)
        pay = replace(tool(halo, "pay"), reversal=Reversal.IRREVERSIBLE)
        paid = run(halo, pay, **PAID)
        plain = run(halo, replace(pay, reversal=Reversal.UNDO), **PAID)
        assert refused(order, home, looked) == "nothing_to_reverse"
        assert refused(order, home, paid) == "irreversible"
        assert refused(order, home, plain) == "no_reverser"
        order(home, booked)
        assert refused(halo.reverse, booked) == "no_reverser"  # another process may have it
    text = cli("show", paid, home=home)[1]
    assert "IRREVERSIBLE" in text
    assert "halo reverse ID" in cli("show", booked, home=home)[1]
    assert "no function that does so was given" in cli("show", plain, home=home)[1]


def test_the_question_says_beforehand_that_nothing_takes_it_back(home):
    with opened(home) as halo:
        sent = {"to": "eva@partner.example", "text": "x"}
        for undo, words in ((None, "IRREVERSIBLE"), (lambda act: None, "halo reverse ID")):
            with pytest.raises(Pending) as asked:
                run(halo, tool(halo, "send", undo), f"s-{words}", **sent)
            assert words in cli("approvals", "show", asked.value.pending_id, home=home)[1]


def test_an_effect_that_nobody_knows_of_is_not_taken_back(home):
    with opened(home) as halo:
        enrolled(home)
        book = tool(halo, "book", Undone())
        with halo.session("s"):
            ticket = halo.enforcer.begin(halo.build_call(book, {"to": "a", "amount": 1}))
            ticket.fail(RuntimeError("the line broke"))
        assert refused(order, home, ticket.context.entry_id) == "effect_unknown"


def test_a_reversal_is_not_reversed(home):
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, Undone())
        order(home, paid)
        halo.reverse(paid)
    again = found(home, EntryKind.DECISION)[-1].entry.id
    assert refused(order, home, again) == "irreversible"


def test_a_secret_that_was_never_kept_is_not_made_up(home):
    with opened(home) as halo:
        booked = run(halo, tool(halo, "book", Undone()), to="sk-" + "a1B2" * 12, amount=1)
        enrolled(home)
        assert refused(order, home, booked) == "reversal_incomplete"


# what stays unknown


def test_a_reversal_that_failed_is_not_tried_again_before_a_person_has_looked(home):
    undo = Undone(RuntimeError("the bank is closed"))
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        with pytest.raises(RuntimeError, match="closed"):
            halo.reverse(paid)
        assert refused(halo.reverse, paid) == "reversal_unknown"
        assert refused(order, home, paid) == "reversal_unknown"
        code, out, _ = cli("reversals", "--json", home=home)
        assert (code, json.loads(out)["rows"][0]["status"]) == (1, "error")
        confirm(home, paid, done=False)
        undo.error = None
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
        order(home, paid)
        assert halo.reverse(paid) == "refunded"
    assert len(undo) == 2
    with pytest.raises(ConfigError, match="no reversal of this decision waits"):
        confirm(home, paid, done=True)
    assert cli("reversals", home=home)[0] == 0
    assert is_whole(home)


def test_what_a_person_found_done_is_reversed(home):
    undo = Undone(TimeoutError())
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        with pytest.raises(TimeoutError):
            halo.reverse(paid)
        confirm(home, paid, done=True)
        assert refused(order, home, paid) == "already_reversed"
    assert is_whole(home)


# attacks


def test_a_reversal_that_was_ordered_before_the_period_is_in_the_answer(home):
    clock = FixedClock(NOW_US)
    undo = Undone(TimeoutError())
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        asked_us = found(home, EntryKind.REVERSAL)[-1].entry.ts_us
        with pytest.raises(TimeoutError):
            halo.reverse(paid)
    with Reader(url_of(home)) as reader:
        log = AuditLog(reader, "local", home=home, now_us=clock.now_us())
        answer = ask(log, Period(asked_us + 1, 2**52), answer_reversals)
    assert (answer.verdict, answer.rows[0]["status"], answer.rows[0]["decision"]) == (Verdict.FAILS, "error", paid)


@pytest.mark.parametrize("finding", ["done", "not_done"])
def test_an_agents_process_cannot_say_what_was_found(home, finding):
    """It can write the entry, under anybody's name, and no person's signature; so nothing is settled."""
    undo = Undone(TimeoutError())
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        with pytest.raises(TimeoutError):
            halo.reverse(paid)

        def forge(tx):
            entry = read_decision(tx, paid).entry
            terms = {"attempt": 0, "decision": paid, "finding": finding}
            signed = [sign_terms(tx, halo.store, "confirm_reversal", terms, halo.store.keys.signer("forger"))]
            body = {**terms, "op": "confirm", "reverses": {"w": entry.writer, "ws": entry.seq}, "signed": signed}
            key = make_finding_key(entry.writer, entry.seq, 0)
            tx.append(Draft(EntryKind.REVERSAL, entry.session, {**body, "why": "looked"}, actor=Actor("mia"), key=key))

        halo.store.commit(forge)
        assert refused(order, home, paid) == "reversal_unknown"
        code, out, _ = cli("reversals", "--json", home=home)
        assert (code, json.loads(out)["rows"][0]["status"]) == (1, "error")
    assert cli("report", "--check", "reversals", home=home)[0] == 1
    assert len(undo) == 1


def test_nobody_in_the_chain_orders_a_reversal(home):
    with opened(home, user="mia") as halo:
        paid = paid_and_enrolled(halo, home, Undone())
    assert refused(order, home, paid) == "approver_in_chain"
    enrolled(home, "noa")
    assert order(home, paid, "noa")


def test_an_order_of_somebody_in_the_chain_serves_nothing(home, monkeypatch):
    """The check where it is signed is left out: the decision still refuses."""
    undo = Undone()
    with opened(home, user="mia") as halo:
        paid = paid_and_enrolled(halo, home, undo)
        monkeypatch.setattr("halo_core.oversight.reversal_orders.require_outside_chain", lambda *_: None)
        order(home, paid)
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
    assert not undo


def test_an_agents_process_cannot_forge_an_order(home):
    """It has the log's keys and a key of its own, but none that anybody enrolled."""
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        forger = halo.store.keys.signer("forger")

        def job(tx):
            effect = load_effect(tx, paid, Digester(halo.store.keys.secret("digest")))
            digester = Digester(halo.store.keys.secret("digest"))
            return reversal_orders._record_order(
                tx, halo.store, effect, "mia", forger, lifetime_s=60, why="mine", digester=digester
            )

        halo.store.commit(job)
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
    assert not undo
    assert "reversal_not_ordered" in codes(found(home, EntryKind.DECISION)[-1].entry.body)


def test_an_order_serves_one_effect_and_no_other(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        other = run(halo, halo.find_registered("pay"), **PAID)
        order(home, paid)
        assert refused(halo.reverse, other) == "reversal_not_ordered"
        assert halo.reverse(paid) == "refunded"
        attack(db_of(home)).execute("UPDATE standing_answer SET status='active'")
        assert refused(halo.reverse, paid) == "already_reversed"
        assert refused(halo.reverse, other) == "reversal_not_ordered"
    assert len(undo) == 1
    assert verified(home) == 11  # the row that was put back


def test_arguments_that_were_changed_are_not_used(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        digester = Digester(halo.store.keys.secret("digest"))
        effect = halo.store.commit(lambda tx: load_effect(tx, paid, digester))
        forged = replace(effect, act=replace(effect.act, args={"to": "acct-mallory", "amount": 40}))
        with pytest.raises(Denied) as caught:
            run_action(ReversalAction(halo.enforcer, forged, Reverser(Reversal.COMPENSATE, undo)))
        assert caught.value.reason == "reversal_altered"
    assert not undo


def test_content_that_was_changed_in_the_database_is_not_used(home):
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
    writer, _, seq = paid.rpartition("-")
    spoil = f"UPDATE entry SET sealed=zeroblob(length(sealed)) WHERE w='{writer}' AND ws={seq}"
    attack(db_of(home)).execute(spoil)
    with opened(home) as halo:
        tool(halo, "pay", undo, Reversal.COMPENSATE)
        with pytest.raises(Tampered):
            halo.reverse(paid)
    assert not undo


def test_content_that_is_not_what_ran_is_not_used(home, monkeypatch):
    """Even where content opens: the arguments are compared with the digest of those that ran."""
    undo = Undone()
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        forged = canonical.encode({"to": "acct-mallory", "amount": 40})
        monkeypatch.setattr("halo_core.enforcement.reversals.open_content", lambda *_: forged)
        with pytest.raises(Tampered, match="not those that ran"):
            halo.reverse(paid)
    assert not undo


def test_the_effect_of_another_tenant_is_not_there(home):
    undo = Undone()
    with opened(home) as halo:
        paid_and_enrolled(halo, home, undo)
    with opened(home, tenant="other") as halo:
        foreign = run(halo, tool(halo, "pay", undo, Reversal.COMPENSATE), **PAID)
    with pytest.raises(ConfigError, match="there is no entry"):
        order(home, foreign)
    with opened(home) as halo:
        tool(halo, "pay", undo, Reversal.COMPENSATE)
        with pytest.raises(ConfigError, match="there is no entry"):
            halo.reverse(foreign)


def test_observe_mode_takes_nothing_back_without_an_order(home):
    undo = Undone()
    with opened(home, mode="observe") as halo:
        paid = paid_and_enrolled(halo, home, undo)
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
        assert not undo
        order(home, paid)
        assert halo.reverse(paid) == "refunded"
        assert refused(halo.reverse, paid) == "already_reversed"
    assert len(undo) == 1
    assert is_whole(home)


def test_an_order_that_is_over_or_revoked_serves_nothing(home):
    undo, clock = Undone(), FixedClock(NOW_US)
    with opened(home, clock=clock) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        keys = people(home)
        first = order_reversal(halo.store, keys, home, decision=paid, approver="mia", why="x", lifetime_s=60)
        with pytest.raises(ConfigError, match="has been ordered"):
            order_reversal(halo.store, keys, home, decision=paid, approver="mia", why="x")
        clock.advance(60)
        assert halo.release() == []
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
        second = order_reversal(halo.store, keys, home, decision=paid, approver="mia", why="x")
        halo.store.commit(lambda tx: revoke_remembered(tx, second, by="mia", why="no"))
        assert refused(halo.reverse, paid) == "reversal_not_ordered"
        assert first != second
    assert not undo
    assert is_whole(home)


def test_a_rule_may_forbid_reversals_of_a_tool(home):
    policy = """
    @id("base") permit (principal, action, resource);
    @id("no-refund") @reason("grave_impact") forbid (principal, action, resource == Tool::"pay.compensate");
    """
    undo = Undone()
    with opened(home, policy=policy) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        assert refused(halo.reverse, paid) == "grave_impact"
        (done,) = halo.release()
        assert done.status == "refused"
    assert not undo


def test_an_obligation_never_changes_what_is_taken_back(home):
    policy = """
    @id("base") permit (principal, action, resource);
    @id("less") @effect("restrict") @obligation("clamp(amount, 10)") @reason("clamped")
    forbid (principal, action, resource == Tool::"pay.compensate");
    """
    undo = Undone()
    with opened(home, policy=policy) as halo:
        paid = paid_and_enrolled(halo, home, undo)
        order(home, paid)
        assert refused(halo.reverse, paid) == "clamped"
    assert not undo
    assert is_whole(home)


# declaring


def test_what_is_declared_has_to_fit():
    with pytest.raises(ConfigError, match="cannot be given together"):
        Reverser.from_options({"undo": Undone(), "irreversible": True})
    with pytest.raises(ConfigError, match="cannot be called"):
        Reverser.from_options({"undo": "cancel"})
    with pytest.raises(ConfigError, match="a function of one argument"):
        Reverser.from_options({"undo": lambda: None})
    assert Reverser.from_options({}) is None
    assert Reverser.from_options({"irreversible": True}) == Reverser(Reversal.IRREVERSIBLE)


def test_the_manifest_says_first_how_a_tool_is_undone(home):
    home.mkdir(parents=True, exist_ok=True)
    (home / "agents.yaml").write_text(
        "version: 1\nagents:\n  clerk: {}\ntools:\n  book: {impact: write, reversal: undo}\n  pay: {impact: payment}\n"
    )
    with opened(home) as halo:
        made = halo.register(ActionKind.TOOL_CALL, "book", reverser=Reverser(Reversal.UNDO, Undone()))
        assert (made.reversal, made.can_reverse) == (Reversal.UNDO, True)
        with pytest.raises(ConfigError, match="the manifest says `reversal: irreversible`"):
            halo.register(ActionKind.TOOL_CALL, "pay", reverser=Reverser(Reversal.UNDO, Undone()))


def test_the_decision_alone_binds_an_order(home):
    """Whatever was looked up for the snapshot: `decide` holds scope, time, uses and person against the call."""
    with opened(home) as halo:
        paid = paid_and_enrolled(halo, home, Undone())
        order(home, paid)
        halo.reverse(paid)
    with Reader(url_of(home)) as reader:
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        (*_, entry) = (item.entry for item in read_entries(reader, "local", (EntryKind.DECISION,)))
        request, snapshot = Replayer(reader, contents, "local").read_inputs(entry)
    assert decide(request, snapshot).effect.runs
    (item,) = snapshot.standing
    other = replace(request.context, links=(("reverses", "another-1"),))
    spoiled = [
        (replace(request, args_digest=f"blake2b:{'0' * 64}"), snapshot),
        (replace(request, context=other), snapshot),
        (replace(request, resource=replace(request.resource, id="pay.undo")), snapshot),
        (request, replace(snapshot, time_us=item.expires_us)),
        (request, replace(snapshot, standing=(replace(item, uses=1),))),
        (request, replace(snapshot, standing=(replace(item, kind="standing"),))),
        (request, replace(snapshot, standing=(replace(item, approver="user:ana"),))),
        (request, replace(snapshot, standing=())),
    ]
    for asked, seen in spoiled:
        decision = decide(asked, seen)
        assert not decision.effect.runs
        assert "reversal_not_ordered" in [reason.code for reason in decision.reasons]
