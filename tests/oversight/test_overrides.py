"""Overrides both ways: what they reach and never reach, for how long, by whom, and their review. Invariant: BIND."""

from __future__ import annotations

import functools
import io
import json
from dataclasses import replace

import pytest
from acts_world import POLICY, enrolled, opened, override, review, run, tool
from oversight_world import answers, people

from halo_core.crypto.keys import KeyStore
from halo_core.decision.checks import decide
from halo_core.errors import ConfigError, Denied, Pending
from halo_core.evidence import halo_verify
from halo_core.evidence.answers import Period, Verdict
from halo_core.evidence.audit_log import AuditLog, ask
from halo_core.evidence.checks import CHECK_QUESTIONS
from halo_core.evidence.reversals import answer_reversals
from halo_core.model import Actor, EntryKind, Reversal, Stop
from halo_core.oversight.overrides import grant_override, review_override
from halo_core.oversight.remembered import revoke_remembered
from halo_core.oversight.reversal_orders import sign_terms
from halo_core.replay import Replayer
from halo_core.store.answer_rows import StandingAnswerTable
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.testing import FixedClock
from halo_world import attack, bodies, cli, codes, db_of, found, url_of, verified

NOW_US = 1_800_000_000_000_000
WIPE = {"path": "/tmp/report"}


def refused(call, *args, **more) -> str:
    with pytest.raises(Denied) as caught:
        call(*args, **more)
    return caught.value.reason


def denied(halo, resource, session="s", **args) -> str:
    """The id of a decision that refuses a call."""
    with pytest.raises(Denied) as caught:
        run(halo, resource, session, **args)
    return caught.value.decision_id


def is_whole(home) -> bool:
    return verified(home, signatures=True) == 0 and cli("replay", "--all", home=home)[0] == 0


def test_a_refused_call_runs_once_and_exactly_as_it_was(home):
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        granted = override(home, decision, allow=True)
        assert (granted.status, granted.covers) == ("active", "call")
        assert refused(run, halo, wipe, path="/tmp/other") == "grave_impact"
        assert refused(run, halo, wipe, "another", **WIPE) == "grave_impact"
        run(halo, wipe, **WIPE)
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"
    reasons = codes(found(home, EntryKind.DECISION)[-2].entry.body)
    assert {"override_allowed", "grave_impact"} <= set(reasons)
    (body,) = bodies(home, EntryKind.OVERRIDE)
    assert body["links"] == [["overrides", decision]]
    assert verified(home, signatures=True) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_status_and_the_packs_answers_tell_answers_and_overrides_apart(home, tmp_path):
    with opened(home) as halo:
        send, wipe = tool(halo, "send"), tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        with pytest.raises(Pending) as asked:
            run(halo, send, to="eva@partner.example", text="x")
        enrolled(home)
        enrolled(home, "noa")
        answers(home, asked.value.pending_id, approve=False, why="no")
        granted = override(home, decision, allow=True)
        review(home, granted.id)
    control = json.loads(cli("status", "--json", home=home)[1])["local"]["control"]
    (proof,) = control["answers"]
    assert (control["answers"], control["overrides"]) == ({proof: 1}, {proof: 1})
    out = cli("status", home=home)[1]
    assert f"answers to questions: 1 {proof}" in out
    assert f"overrides: 1 {proof}" in out
    pack = tmp_path / "a.zip"
    assert cli("pack", "make", "--output", str(pack), home=home)[0] == 0
    printed = io.StringIO()
    halo_verify.main([str(pack), "approvals"], printed)
    head, *rows = (line.split("\t") for line in printed.getvalue().splitlines() if "\t" in line)
    asked_row, override_row, review_row = (dict(zip(head, row, strict=True)) for row in rows)
    assert (asked_row["answer"], asked_row["direction"]) == ("deny", "")
    assert (override_row["direction"], override_row["answer"]) == ("allow", granted.id)
    assert decision in override_row["links"]
    assert (review_row["verdict"], review_row["answer"]) == ("upheld", granted.id)


def test_a_target_is_forbidden_to_everybody(home):
    with opened(home) as halo:
        book = tool(halo, "book")
        decision = run(halo, book, amount=5, to="acct-9")
        enrolled(home)
        granted = override(home, decision, allow=False)
        assert (granted.status, granted.covers) == ("active", "target")
        assert refused(run, halo, book, "another", amount=6, to="acct-9") == "override_denied"
        run(halo, book, amount=5, to="acct-8")
    with opened(home, agent="clerk-2") as halo:
        assert refused(run, halo, tool(halo, "book"), amount=7, to="acct-9") == "override_denied"
    assert verified(home) == 0
    assert cli("replay", "--all", home=home)[0] == 0


def test_a_forbidden_target_is_reached_by_no_other_call(home):
    with opened(home) as halo:
        send = tool(halo, "send")
        decision = denied(halo, send, to="eve@evil.example", text="x")
        enrolled(home)
        assert override(home, decision, allow=False).covers == "target"
        for to in ("eve@evil.example, bo@bank.example", "Eve <EVE@evil.example>", "bo@bank.example;eve@evil.example"):
            assert refused(run, halo, send, "another", to=to, text="y") == "override_denied"
        assert refused(run, halo, send, to="bo@bank.example", text="x") != "override_denied"
    assert is_whole(home)


def test_a_call_without_a_target_is_forbidden_as_it_is(home):
    with opened(home) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        enrolled(home)
        assert override(home, decision, allow=False).covers == "call"
        assert refused(run, halo, look, "another", q="salaries") == "override_denied"
        run(halo, look, q="holidays")
    assert verified(home) == 0


def test_an_asked_call_runs_too_and_its_own_question_stays_a_question(home):
    sent = {"to": "eva@partner.example", "text": "x"}
    with opened(home) as halo:
        send = tool(halo, "send")
        with pytest.raises(Pending) as asked:
            run(halo, send, **sent)
        enrolled(home)
        override(home, asked.value.decision_id, allow=True)
        run(halo, send, **sent)
        with pytest.raises(Pending):
            run(halo, send, **sent)
    assert is_whole(home)


# for how long


def test_it_ends_with_its_time(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock=clock) as halo:
        wipe, look = tool(halo, "wipe"), tool(halo, "look")
        wiped, looked = denied(halo, wipe, **WIPE), run(halo, look, q="salaries")
        enrolled(home)
        for decision, allow in ((wiped, True), (looked, False)):
            grant_override(
                halo.store,
                people(home),
                home,
                decision=decision,
                approver="mia",
                allow=allow,
                why="x",
                lifetime_s=600,
            )
        assert refused(run, halo, look, q="salaries") == "override_denied"
        clock.advance(600)
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"
        run(halo, look, q="salaries")
    assert is_whole(home)


def test_a_time_that_no_override_has_is_refused(home):
    with opened(home) as halo:
        decision = denied(halo, tool(halo, "wipe"), **WIPE)
        enrolled(home)
        for seconds in (0, 86_401):
            with pytest.raises(ConfigError, match="is not a valid time"):
                override(home, decision, allow=True, lifetime_s=seconds)


# two people


def test_money_takes_two_people(home):
    blocked = {"to": "acct-blocked", "amount": 5}
    with opened(home) as halo:
        pay = tool(halo, "pay")
        decision = denied(halo, pay, **blocked)
        for name in ("mia", "noa"):
            enrolled(home, name)
        assert override(home, decision, allow=True).status == "waiting"
        assert refused(run, halo, pay, **blocked) == "grave_impact"
        with pytest.raises(ConfigError, match="has signed this override already"):
            override(home, decision, allow=True)
        assert override(home, decision, "noa", allow=True).status == "active"
        run(halo, pay, **blocked)
        assert refused(run, halo, pay, **blocked) == "grave_impact"
    assert is_whole(home)


def test_what_cannot_be_undone_takes_two_people(home):
    with opened(home) as halo:
        wipe = replace(tool(halo, "wipe"), reversal=Reversal.IRREVERSIBLE)
        decision = denied(halo, wipe, **WIPE)
        for name in ("mia", "noa"):
            enrolled(home, name)
        assert override(home, decision, allow=True).status == "waiting"
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"
        override(home, decision, "noa", allow=True)
        run(halo, wipe, **WIPE)


# what it never reaches


def test_it_never_passes_what_no_rule_says(home):
    """A stop, a missing grant, a spent budget: nothing is signed, and nothing runs that was signed before."""
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        override(home, decision, allow=True)
        assert cli("stop", "--tool", "wipe", "--why", "incident", home=home)[0] == 0
        assert refused(run, halo, wipe, **WIPE) == "stopped"
        stopped = found(home, EntryKind.DECISION)[-1].entry.id
        with pytest.raises(Denied, match="lift the stop") as caught:
            override(home, stopped, allow=True)
        assert caught.value.reason == "not_overridable"
        look = tool(halo, "look")
        with pytest.raises(Denied, match=r"the call was allowed"):
            override(home, run(halo, look, q="x"), allow=True)
    assert is_whole(home)


def test_it_never_passes_a_grant(home):
    with opened(home, grants={"look": {}}) as halo:
        decision = denied(halo, tool(halo, "wipe"), **WIPE)
        enrolled(home)
        with pytest.raises(Denied, match="issue another passport"):
            override(home, decision, allow=True)


def test_it_never_passes_a_missing_permit(home):
    with opened(home, policy='@id("base") permit (principal, action, resource == Tool::"look");') as halo:
        decision = denied(halo, tool(halo, "wipe"), **WIPE)
        enrolled(home)
        with pytest.raises(Denied, match="no rule permits it"):
            override(home, decision, allow=True)


def test_it_never_passes_a_limit_even_where_it_was_signed(home, monkeypatch):
    """The check where it is signed is left out: the decision still refuses."""
    sent = {"to": "eva@partner.example", "text": "x"}
    with opened(home) as halo:
        send = tool(halo, "send")
        with pytest.raises(Pending) as asked:
            run(halo, send, **sent)
        enrolled(home)
        answers(home, asked.value.pending_id, approve=False, why="no")
        said_no = denied(halo, send, **sent)
        with pytest.raises(Denied, match="a person said no"):
            override(home, said_no, allow=True)
        monkeypatch.setattr("halo_core.oversight.overrides._OverriddenDecision._is_overridable", lambda *_: True)
        override(home, said_no, allow=True)
        assert refused(run, halo, send, **sent) == "approval_denied"
    assert is_whole(home)


def test_other_arguments_another_rule_or_session_are_another_call(home):
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        override(home, decision, allow=True)
        assert refused(run, halo, wipe, path="/tmp/report ") == "grave_impact"
        assert refused(run, halo, wipe, "t", **WIPE) == "grave_impact"
    with opened(home, policy=POLICY + '@id("more") @effect("monitor") forbid (principal, action, resource);') as halo:
        assert refused(run, halo, tool(halo, "wipe"), **WIPE) == "grave_impact"
    with opened(home, agent="other") as halo:
        assert refused(run, halo, tool(halo, "wipe"), **WIPE) == "grave_impact"


# attacks


def test_nobody_in_the_chain_overrides(home, monkeypatch):
    with opened(home, user="mia") as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        assert refused(override, home, decision, allow=True) == "approver_in_chain"
        monkeypatch.setattr("halo_core.oversight.overrides.require_outside_chain", lambda *_: None)
        override(home, decision, allow=True)
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"


def test_an_agents_process_cannot_forge_an_override(home, monkeypatch):
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        monkeypatch.setattr("halo_core.oversight.overrides.load_signer", lambda *_: halo.store.keys.signer("forger"))
        assert refused(override, home, decision, allow=True) == "approver_not_enrolled"
        monkeypatch.setattr("halo_core.oversight.overrides.require_enrolled", lambda *_: None)
        override(home, decision, allow=True)
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"
    (item,) = json.loads(cli("overrides", "--all", "--json", home=home)[1])
    assert item["status"] == "invalid"


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM quota WHERE account LIKE 'answer:%'",
        "UPDATE quota SET version=1, state=CAST('{\"spent\":0,\"uses\":0}' AS BLOB) WHERE account LIKE 'answer:%'",
    ],
)
def test_an_override_that_is_put_back_serves_no_second_call(home, statement):
    """A process that starts after a database writer took the row of its use away: the entries say that it served."""
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        override(home, decision, allow=True)
        run(halo, wipe, **WIPE)
        attack(db_of(home)).execute(statement)
    with opened(home) as halo:
        assert refused(run, halo, tool(halo, "wipe"), **WIPE) == "grave_impact"
    assert verified(home) in (11, 13)


def test_an_override_that_forbids_does_so_without_the_entry_that_gave_it(home):
    """What would take an answer's force away takes none from what forbids."""
    with opened(home) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        enrolled(home)
        override(home, decision, allow=False)
    attack(db_of(home)).execute("DELETE FROM entry WHERE kind='override'")
    with opened(home) as halo:
        assert refused(run, halo, tool(halo, "look"), "another", q="salaries") == "override_denied"


ROWS_THAT_FORBID = {
    "deleted": "DELETE FROM standing_answer",
    "marked revoked": "UPDATE standing_answer SET status='revoked'",
    "of another scope": "UPDATE standing_answer SET scope='sha256:other'",
    "of another kind": "UPDATE standing_answer SET kind='standing'",
    "with another token": "UPDATE standing_answer SET token='x.y.z'",
}


@pytest.mark.parametrize("statement", ROWS_THAT_FORBID.values(), ids=ROWS_THAT_FORBID)
@pytest.mark.parametrize("name", ["book", "look"])
def test_an_override_that_forbids_does_so_whatever_became_of_its_row(home, name, statement):
    """Its grant is a signed entry, and no other one ends it: in this process, and in a later one."""
    args = {"amount": 5, "to": "acct-9"} if name == "book" else {"q": "salaries"}
    with opened(home) as halo:
        called = tool(halo, name)
        decision = run(halo, called, **args)
        enrolled(home)
        granted = override(home, decision, allow=False)
        attack(db_of(home)).execute(statement)
        assert refused(run, halo, called, "another", **args) == "override_denied"
        run(halo, called, "third", **({**args, "to": "acct-8"} if name == "book" else {"q": "holidays"}))
    with opened(home) as halo:
        assert refused(run, halo, tool(halo, name), "fourth", **args) == "override_denied"
    body = bodies(home, EntryKind.DECISION)[-1]
    assert [item["id"] for item in body["snapshot"]["standing"]] == [granted.id]
    assert {item["column"] for item in bodies(home, EntryKind.CONTROL)} >= {"standing_answer"}
    assert verified(home) in (11, 13)  # the row is still not what the log says
    assert cli("replay", "--all", home=home)[0] == 0


def test_without_its_row_an_override_that_forbids_ends_with_its_time(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock=clock) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        enrolled(home)
        terms = {"decision": decision, "approver": "mia", "allow": False, "why": "x", "lifetime_s": 600}
        grant_override(halo.store, people(home), home, **terms)
        attack(db_of(home)).execute("DELETE FROM standing_answer")
        assert refused(run, halo, look, "another", q="salaries") == "override_denied"
        clock.advance(600)
        run(halo, look, "third", q="salaries")


@pytest.mark.parametrize("how", ["a lift", "a withdrawn approver"])
def test_without_its_row_an_override_that_forbids_ends_as_with_it(home, how):
    with opened(home) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        for name in ("mia", "noa"):
            enrolled(home, name)
        granted = override(home, decision, allow=False)
        if how == "a lift":
            assert end_denial(home, granted.id, "mia", "noa") == 0
        attack(db_of(home)).execute("DELETE FROM standing_answer")
        if how == "a withdrawn approver":
            assert refused(run, halo, look, "another", q="salaries") == "override_denied"
            assert cli("approver", "withdraw", "mia", home=home)[0] == 0
        run(halo, look, "third", q="salaries")


def end_denial(home, which: str, *names: str) -> int:
    signers = [word for name in names for word in ("--as", name)]
    return cli("approvals", "revoke", which, *signers, "--key-home", str(people(home).home), home=home)[0]


@pytest.mark.parametrize("is_row_there", [True, False])
def test_what_a_person_forbade_ends_by_as_many_signatures_as_a_lift(home, is_row_there):
    with opened(home) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        for name in ("mia", "noa"):
            enrolled(home, name)
        granted = override(home, decision, allow=False)
        assert end_denial(home, granted.id) == 10
        assert end_denial(home, granted.id, "noa") == 10
        assert refused(review, home, granted.id, verdict="withdrawn") == "signatures_needed"
        assert refused(run, halo, look, "another", q="salaries") == "override_denied"
        assert end_denial(home, granted.id, "noa", "mia") == 0
        if not is_row_there:
            attack(db_of(home)).execute("DELETE FROM standing_answer")
        run(halo, look, "third", q="salaries")
        review(home, granted.id, verdict="withdrawn")
    (item,) = json.loads(cli("overrides", "--all", "--json", home=home)[1])
    assert (item["status"], item["review"]) == ("revoked", "withdrawn")
    assert not is_row_there or is_whole(home)


def test_one_person_alone_has_to_sign_the_end_too(home):
    with opened(home) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        enrolled(home)
        granted = override(home, decision, allow=False)
        with pytest.raises(Denied, match="1 enrolled person has to sign it"):
            halo.store.commit(lambda tx: revoke_remembered(tx, granted.id, by="agent", why="x"))
        assert refused(run, halo, look, "another", q="salaries") == "override_denied"
        assert end_denial(home, granted.id, "mia") == 0
        run(halo, look, "third", q="salaries")
    assert is_whole(home)


FORGED_ENDS = {
    "a revocation": (EntryKind.STANDING_ANSWER, {"op": "revoke", "why": ""}),
    "a review": (EntryKind.OVERRIDE, {"ends": True, "op": "review", "signed": [], "verdict": "withdrawn", "why": ""}),
    "a lift": (EntryKind.LIFT, {"filed": False, "scope": "override", "why": ""}),
}


@pytest.mark.parametrize("with_row", [True, False])
@pytest.mark.parametrize("how", FORGED_ENDS)
def test_no_entry_that_people_did_not_sign_ends_what_a_person_forbade(home, how, with_row):
    """The process of an agent can append entries, and change rows."""
    kind, body = FORGED_ENDS[how]
    with opened(home) as halo:
        look = tool(halo, "look")
        decision = run(halo, look, q="salaries")
        enrolled(home)
        granted = override(home, decision, allow=False)
        body = {**body, "target" if kind is EntryKind.LIFT else "answer": granted.id}

        def forge(tx):
            tx.append(Draft(kind, "", body, actor=Actor("mia", "approver-key")))
            if with_row:
                StandingAnswerTable(tx).revoke(granted.id)

        halo.store.commit(forge)
        assert refused(run, halo, look, "another", q="salaries") == "override_denied"
    with opened(home) as halo:
        assert refused(run, halo, tool(halo, "look"), "third", q="salaries") == "override_denied"
    (item,) = json.loads(cli("overrides", "--all", "--json", home=home)[1])
    assert item["status"] == "active"
    assert verified(home) == 11


def test_a_withdrawn_approver_overrides_nothing_any_more(home):
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        override(home, decision, allow=True)
        assert cli("approver", "withdraw", "mia", home=home)[0] == 0
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"


# the review


def test_a_second_person_reviews_it_and_may_end_it(home):
    with opened(home) as halo:
        wipe, look = tool(halo, "wipe"), tool(halo, "look")
        wiped, looked = denied(halo, wipe, **WIPE), run(halo, look, q="salaries")
        for name in ("mia", "noa"):
            enrolled(home, name)
        upheld = override(home, looked, allow=False).id
        withdrawn = override(home, wiped, allow=True).id
        assert refused(review, home, upheld, "mia") == "reviewer_signed_it"
        review(home, upheld)
        review(home, withdrawn, verdict="withdrawn")
        assert refused(run, halo, look, q="salaries") == "override_denied"  # upheld: it holds until its time
        assert refused(run, halo, wipe, **WIPE) == "grave_impact"
        with pytest.raises(ConfigError, match="it was upheld"):
            review(home, upheld)
    items = {item["id"]: item for item in json.loads(cli("overrides", "--all", "--json", home=home)[1])}
    assert [(items[name]["status"], items[name]["review"]) for name in (upheld, withdrawn)] == [
        ("active", "upheld"),
        ("revoked", "withdrawn"),
    ]
    assert items[upheld]["reviewer"] == "noa"
    assert is_whole(home)


def test_a_review_that_nobody_else_signed_is_none(home):
    """The agent's process can write an entry, with its own signature or the first person's, and no second one's."""
    with opened(home) as halo:
        decision = denied(halo, tool(halo, "wipe"), **WIPE)
        for name in ("mia", "noa"):
            enrolled(home, name)
        which = override(home, decision, allow=True).id
        body = {"answer": which, "ends": False, "op": "review", "verdict": "upheld", "why": "fine"}
        mine = functools.partial(sign_terms, store=halo.store, act="review_override")
        terms = {"override": which, "verdict": "upheld"}
        for signer in (people(home).signer("approver-mia"), halo.store.keys.signer("forger")):

            def forge(tx, signer=signer):
                signed = [mine(tx, terms=terms, signer=signer)]
                tx.append(Draft(EntryKind.OVERRIDE, "", {**body, "signed": signed}, actor=Actor("noa")))

            halo.store.commit(forge)
    (item,) = json.loads(cli("overrides", "--json", home=home)[1])
    assert item["review"] == "open"
    with Reader(url_of(home)) as reader:
        log = AuditLog(reader, "local", home=home, now_us=2**52, query="halo test")
        answer = ask(log, Period(0, 2**52), CHECK_QUESTIONS["overrides"])
    assert answer.verdict is Verdict.FAILS
    assert any("no second person has signed" in text for text in answer.findings)


def test_reviews_that_are_overdue_are_findings(home):
    clock = FixedClock(NOW_US)
    with opened(home, clock=clock) as halo:
        wiped = denied(halo, tool(halo, "wipe"), **WIPE)
        looked = run(halo, tool(halo, "look"), q="x")
        for name in ("mia", "noa"):
            enrolled(home, name)
        grant = functools.partial(grant_override, halo.store, people(home), home, approver="mia", why="x")
        grant(decision=wiped, allow=True, review_days=2)
        reviewed = grant(decision=looked, allow=False, review_days=2)
        clock.advance(86_400)
        review_override(
            halo.store, people(home), home, override=reviewed.id, reviewer="noa", verdict="upheld", why="right"
        )
    for days, verdict, findings in ((1, Verdict.HOLDS, 0), (3, Verdict.FAILS, 1)):
        with Reader(url_of(home)) as reader:
            log = AuditLog(reader, "local", home=home, now_us=NOW_US + days * 86_400_000_000, query="halo test")
            answer = ask(log, Period(0, 2**62), CHECK_QUESTIONS["overrides"])
            asked = ask(log, Period(0, 2**62), answer_reversals)
        assert (answer.verdict, len(answer.findings), answer.population.counted) == (verdict, findings, 2)
        assert (asked.verdict, asked.findings) == (verdict, answer.findings)


def test_lists_and_questions_show_them(home):
    with opened(home) as halo:
        decision = denied(halo, tool(halo, "wipe"), **WIPE)
        enrolled(home)
        which = override(home, decision, allow=True).id
    for command in (("overrides",), ("approvals", "list")):
        code, text, _ = cli(*command, home=home)
        assert (code, which in text, "review: open until" in text) == (0, True, True)
    assert [item["what"] for item in json.loads(cli("approvals", "list", "--json", home=home)[1])] == ["override"]
    shown = cli("show", decision, home=home)[1]
    assert "override" in shown
    code, text, _ = cli("reversals", "--json", home=home)
    (row,) = json.loads(text)["rows"]
    assert (code, row["act"], row["decision"]) == (0, "override allow", decision)


# the command line


def test_the_commands_do_what_they_say(home):
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        for name in ("mia", "noa"):
            enrolled(home, name)
        keys = ("--key-home", str(people(home).home), "--why", "checked", "--json")
        code, text, _ = cli("override", decision, "--allow", "--minutes", "5", "--as", "mia", *keys, home=home)
        which = json.loads(text)["override"]
        assert code == 0
        assert cli("override", which[:12], "--review", "upheld", "--as", "noa", *keys, home=home)[0] == 0
        for given, problem in (((), "no action is chosen"), (("--allow", "--deny"), "several actions are chosen")):
            code, _, error = cli("override", decision, *given, "--as", "mia", *keys, home=home)
            assert (code, problem in error) == (64, True)
        run(halo, wipe, **WIPE)
    assert cli("overrides", home=home)[1].strip() == "no override holds or waits for a review"
    assert cli("contest", decision, home=home)[0] == 2
    assert is_whole(home)


def test_the_decision_alone_binds_an_override(home):
    """Whatever was looked up for the snapshot: `decide` holds scope, time, uses and person against the call."""
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        decision = denied(halo, wipe, **WIPE)
        enrolled(home)
        override(home, decision, allow=True)
        run(halo, wipe, **WIPE)
    with Reader(url_of(home)) as reader:
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        (*_, entry) = (item.entry for item in read_entries(reader, "local", (EntryKind.DECISION,)))
        request, snapshot = Replayer(reader, contents, "local").read_inputs(entry)
    assert decide(request, snapshot).effect.runs
    (item,) = snapshot.standing
    stop = Stop("tool", "wipe", 0)
    spoiled = [
        (replace(request, args_digest=f"blake2b:{'0' * 64}"), snapshot),
        (replace(request, resource=replace(request.resource, labels=("pii",))), snapshot),
        (replace(request, context=replace(request.context, session="another")), snapshot),
        (replace(request, resource=replace(request.resource, reversal=Reversal.IRREVERSIBLE)), snapshot),
        (request, replace(snapshot, time_us=item.expires_us)),
        (request, replace(snapshot, stops=(stop,))),
        (request, replace(snapshot, dispatched=True)),
        (request, replace(snapshot, standing=(replace(item, uses=1),))),
        (request, replace(snapshot, standing=(replace(item, approver="user:ana"),))),
        (request, replace(snapshot, standing=(item, replace(item, id="x", kind="override_deny")))),
        (request, replace(snapshot, standing=())),
    ]
    for asked, seen in spoiled:
        assert not decide(asked, seen).effect.runs


# sessions without a name


def test_an_override_in_a_session_without_a_name_serves_the_next_one_once(home):
    with opened(home) as halo:
        wipe = tool(halo, "wipe")
        forbidden = denied(halo, wipe, "", **WIPE)
        enrolled(home)
        override(home, forbidden, allow=True)
        denied(halo, wipe, "case-7", **WIPE)
        run(halo, wipe, "", **WIPE)
        denied(halo, wipe, "", **WIPE)
    assert is_whole(home)


def test_the_id_of_the_question_is_accepted_for_that_of_its_decision(home):
    with opened(home) as halo:
        send = tool(halo, "send")
        decision = denied(halo, send, to="bo@bank.example", text="x")
        enrolled(home)
        (question,) = (item.entry.id for item in found(home, EntryKind.APPROVAL_REQUEST))
        assert question != decision
        override(home, question, allow=True)
        run(halo, send, to="bo@bank.example", text="x")
    (body,) = bodies(home, EntryKind.OVERRIDE)
    assert body["links"] == [["overrides", decision]]
