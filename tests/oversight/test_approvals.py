"""Answers to challenges: by somebody enrolled and outside the chain, once, to exactly what was shown."""

from __future__ import annotations

import base64
import json
import os
import subprocess
from pathlib import Path

import pytest
from oversight_world import PAN, answers, ask, at, enrolled, opened, opened_tiring, pay, people, refused

from halo_core.authorities import Authorities, make_approver_key_name
from halo_core.crypto.keys import KeyStore
from halo_core.errors import BadInput, CannotDecide, ConfigError, Denied, Pending, Tampered
from halo_core.ledger.commitments import digest_answer
from halo_core.model import EntryKind
from halo_core.oversight.approvals import _AnswerJob, load_signer
from halo_core.oversight.keys import enrol_approver, record_withdrawal
from halo_core.oversight.requests import list_requests
from halo_core.oversight.requests import load_request as question_of
from halo_core.oversight.signed_entries import load_links
from halo_core.passports import read_approval
from halo_core.store.answer_rows import ApprovalTable
from halo_core.store.drafts import Draft
from halo_core.store.read_rows import ApprovalRow
from halo_core.store.reader import Reader, SealedContents
from halo_world import SURFACE, Calls, attack, bodies, db_of, found, tool, url_of, verified
from preloaded_python import find_python


def seen(home, request, **more):
    with Reader(url_of(home)) as reader:
        reader.use_names(home)
        contents = SealedContents.with_home_key(reader, KeyStore(home))
        more.setdefault("now_us", 0)
        return question_of(reader, home, "local", request, opener=contents.open, **more)


def rows(home):
    with Reader(url_of(home)) as reader:
        return list(reader.challenges("local"))


# what is shown


def test_a_question_shows_the_call_masked_and_why(home):
    request = ask(home)
    question = seen(home, request[:13])
    assert (question.row.id, question.status, question.row.kind) == (request, "pending", "call")
    assert (question.action, question.resource, question.agent) == ("tool_call", "pay", "clerk")
    assert question.identities[0] == "user:ana"
    assert [item.code for item in question.reasons] == ["large_amount"]
    assert "5000" in question.content["args"]
    assert PAN not in json.dumps(question.to_plain())
    assert PAN in seen(home, request, reveal=True).content["args"]
    assert seen(home, request, now_us=question.row.expires_us).status == "expired"


def test_a_request_that_is_not_there_is_said_to_be_so(home):
    ask(home)
    for name in ("ffff", "", "0" * 40):
        with pytest.raises(ConfigError) as caught:
            seen(home, name)
        assert caught.value.code == "no_such_request"


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("UPDATE approval SET binding='sha256:00'", "row of the request differs from its entry"),
        ("UPDATE approval SET expires_us=expires_us+1", "row of the request differs from its entry"),
        ("UPDATE approval SET kind='reauthorization'", "row of the request differs from its entry"),
        ("UPDATE approval SET session=ref('two')", "row of the request differs from its entry"),
        ("DELETE FROM entry WHERE kind='decision'", "missing or was changed"),
        ("DELETE FROM entry WHERE kind='writer_open'", "first entry is missing"),
        ("DELETE FROM blob WHERE hash IN (SELECT hash FROM standing)", "passport"),
    ],
)
def test_a_question_that_was_changed_is_not_shown_and_not_answered(home, statement, why):
    request = ask(home)
    enrolled(home)
    database = attack(db_of(home))
    database.execute(statement)
    database.close()
    with pytest.raises(Tampered) as caught:
        seen(home, request)
    assert why in caught.value.message


def test_an_entry_that_its_writer_did_not_sign_is_not_shown(home):
    request = ask(home)
    database = attack(db_of(home))
    (note,) = database.execute("SELECT body FROM entry WHERE kind='approval_request'").fetchone()
    database.execute(
        "UPDATE entry SET body=? WHERE kind='approval_request'",
        (note.replace(b'"resource":"pay"', b'"resource":"rob"'),),
    )
    database.close()
    with pytest.raises(Tampered):
        seen(home, request)


def test_a_question_bound_to_another_call_is_not_shown(home):
    """Somebody who could write entries shows a small payment and has a large one signed: the binding tells."""
    request = ask(home)
    with at(home) as store:

        def forge(tx):
            (asked,) = found(home, EntryKind.APPROVAL_REQUEST)
            body = {**asked.entry.body, "binding": "sha256:" + "0" * 64}
            session = tx.references.of_session("one")
            entry = tx.append(Draft(EntryKind.APPROVAL_REQUEST, session, body)).entry
            row = ApprovalRow(entry.id, "call", session, body["binding"], "pending", 1, body["expires_us"])
            ApprovalTable(tx).put(row)
            return entry.id

        forged = store.commit(forge)
    assert seen(home, request).row.id == request
    with pytest.raises(Tampered) as caught:
        seen(home, forged)
    assert "not bound to the call" in caught.value.message


# answers


def test_an_approval_lets_exactly_that_call_run_once(home):
    request = ask(home)
    enrolled(home)
    done = answers(home, request, why=f"called her, card {PAN}")
    assert (done.status, done.approver) == ("approved", "mia")
    assert done.token not in repr(done)
    (body,) = bodies(home, EntryKind.APPROVAL)
    assert (body["answer"], body["actor"], body["request"], body["session"]) == ("approve", "mia", request, "one")
    assert PAN not in body["why"]
    known = Authorities(home).load("local").approver_keys(10**15 * 2)
    token = read_approval(rows(home)[-1].answer, known)
    assert (token.binding, token.request, token.kind, token.answer) == (
        rows(home)[0].binding,
        request,
        "call",
        "approve",
    )
    with opened(home) as halo:
        with pytest.raises(Pending):
            pay(halo, amount=5001)
        assert len(pay(halo)) == 1
        with pytest.raises(Pending):
            pay(halo)
    assert rows(home)[0].status == "used"
    assert verified(home) == 0


def test_a_denial_is_an_answer_as_well(home):
    request = ask(home)
    enrolled(home)
    assert answers(home, request, approve=False, why="not ours").status == "denied"
    assert [row.status for row in rows(home)] == ["denied"]
    assert refused(home, request) == "not_pending"
    assert verified(home) == 0


def test_what_was_answered_is_not_answered_again(home):
    request = ask(home)
    enrolled(home)
    answers(home, request)
    assert refused(home, request, approve=False) == "not_pending"
    assert len(bodies(home, EntryKind.APPROVAL)) == 1


def test_two_processes_answer_at_once_and_one_wins(home):
    request = ask(home)
    enrolled(home)
    enrolled(home, "bob")
    code = (
        "import sys; from pathlib import Path; sys.path.insert(0, sys.argv[4]); "
        "from oversight_world import answers; from halo_core.errors import Denied\n"
        "try: print(answers(Path(sys.argv[1]), sys.argv[2], sys.argv[3], approve=sys.argv[3]=='mia').status)\n"
        "except Denied as exc: print(exc.reason)"
    )
    here = str(Path(__file__).parent)
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH", "")]))
    env = {"PYTHONPATH": path, "PATH": ""}
    line = [*find_python(), "-c", code, str(home), request]
    running = [
        subprocess.Popen([*line, name, here], stdout=subprocess.PIPE, text=True, env=env) for name in ("mia", "bob")
    ]
    said = sorted(process.communicate()[0].strip() for process in running)
    assert "not_pending" in said
    assert len(said) == 2
    assert {"approved", "denied"} & set(said)
    (body,) = bodies(home, EntryKind.APPROVAL)
    assert rows(home)[0].status == ("approved" if body["answer"] == "approve" else "denied")
    assert digest_answer(rows(home)[0].answer) == body["token"]
    assert verified(home) == 0


def test_the_row_is_read_again_under_the_lock(home):
    """Somebody answered between the look and the leap."""
    request = ask(home)
    enrolled(home)
    with at(home) as store:
        now_us = store.clock.now_us()
        signer = load_signer("local", people(home), home, "mia", now_us)
        job = _AnswerJob(store, seen(home, request), "mia", signer, True, "", (), now_us, 60)
        store.commit(job)
        with pytest.raises(Denied) as caught:
            store.commit(job)
    assert caught.value.reason == "not_pending"
    assert len(bodies(home, EntryKind.APPROVAL)) == 1


def test_an_expired_request_is_not_answered(home):
    request = ask(home)
    enrolled(home)
    late = rows(home)[0].expires_us
    assert refused(home, request, now_us=late) == "request_expired"
    assert rows(home)[0].status == "pending"


def test_who_is_not_enrolled_does_not_answer(home):
    request = ask(home)
    people(home).signer(make_approver_key_name("mia"))
    assert refused(home, request) == "approver_not_enrolled"


def test_who_was_withdrawn_does_not_answer(home):
    request = ask(home)
    enrolled(home)
    with at(home) as store:
        now_us = store.clock.now_us()
    Authorities(home).withdraw_person("local", "mia", now_us, role="approver")
    assert refused(home, request) == "approver_not_enrolled"


def test_a_key_that_is_not_the_enrolled_one_does_not_answer(home):
    request = ask(home)
    enrolled(home)
    (people(home).home / "approver-mia.key").unlink()
    people(home).signer("approver-mia")
    assert refused(home, request) == "approver_not_enrolled"


def test_a_key_that_is_not_at_hand_is_not_made(home):
    request = ask(home)
    enrolled(home)
    path = people(home).home / "approver-mia.key"
    path.unlink()
    with pytest.raises(ConfigError) as caught:
        answers(home, request)
    assert (caught.value.code, path.exists()) == ("no_approver_key", False)
    assert "no key of the approver `mia`" in caught.value.message


@pytest.mark.parametrize("name", ["ana", "Ana", "user:ana", "clerk", "CLERK"])
def test_nobody_in_the_chain_answers_for_it(home, name):
    request = ask(home)
    enrolled(home, name)
    assert refused(home, request, name) == "approver_in_chain"
    assert rows(home)[0].status == "pending"


def test_the_user_of_the_session_does_not_answer_for_it(home):
    with opened(home) as halo, halo.session("one", user="mia"), pytest.raises(Pending) as caught:
        halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": 5000, "to": "x"}), Calls(), SURFACE)
    enrolled(home)
    assert refused(home, caught.value.pending_id) == "approver_in_chain"


def test_the_key_of_an_agent_does_not_answer_under_another_name(home):
    request = ask(home)
    stolen = people(home).home / "approver-mia.key"
    stolen.write_bytes((home / "agent-clerk.key").read_bytes())
    stolen.chmod(0o600)
    enrolled(home)
    assert refused(home, request) == "approver_in_chain"


@pytest.mark.parametrize("seconds", [0, -1, 86_401])
def test_an_answer_lies_about_for_a_day_at_most(home, seconds):
    request = ask(home)
    enrolled(home)
    with pytest.raises(ConfigError) as caught:
        answers(home, request, lifetime_s=seconds)
    assert caught.value.code == "bad_lifetime"


def test_a_call_is_not_given_budgets(home):
    request = ask(home)
    enrolled(home)
    assert refused(home, request, raised={"step": 5}) == "budget_units_changed"


# re-authorization


def weary(home, **more):
    """A session whose authority is gone; the id of the request to go on."""
    with opened_tiring(home) as halo:
        for _ in range(300):
            try:
                pay(halo, amount=1)
            except Pending as exc:
                return exc.pending_id
    pytest.fail("it never got tired")


def test_a_reauthorization_shows_what_was_spent_and_opens_the_next_epoch(home):
    request = weary(home)
    enrolled(home)
    question = seen(home, request)
    assert (question.row.kind, question.epoch) == ("reauthorization", 2)
    assert question.authority is not None
    units = {item.unit: item for item in question.budgets}
    assert units["step"].spent > 0
    done = answers(home, request)
    assert done.status == "approved"
    with opened_tiring(home) as halo:
        assert len(pay(halo, amount=1)) == 1
    assert rows(home)[0].status == "used"
    assert verified(home) == 0


def test_a_limit_is_raised_up_to_the_ceiling_and_no_further(home):
    request = weary(home)
    enrolled(home)
    question = seen(home, request)
    item = question.budgets[0]
    ceiling = item.ceiling if item.ceiling is not None else item.start
    assert refused(home, request, raised={item.unit: ceiling + 1}) == "budget_widened"
    assert refused(home, request, raised={item.unit: -1}) == "budget_widened"
    assert refused(home, request, raised={"EUR": 1}) == "budget_units_changed"
    done = answers(home, request, raised={item.unit: ceiling})
    known = Authorities(home).load("local").approver_keys(10**15 * 2)
    given = next(b for b in read_approval(done.token, known).budgets if b.unit == item.unit)
    assert (given.unit, given.subtree, given.decimals) == (item.unit, ceiling, item.decimals)
    assert given.per_action <= max(item.per_action, ceiling if item.unit == "time" else 0)


# enrolment


def test_enrolment_and_withdrawal_are_on_record(home):
    ask(home)
    enrolled(home)
    key = people(home).signer(make_approver_key_name("mia"))
    with at(home) as store:
        kids = Authorities(home).withdraw_person("local", "mia", 2**51, role="approver")
        store.commit(lambda tx: record_withdrawal(tx, kids, name="mia", by="admin", now_us=2**51))
    acts = [body for body in bodies(home, EntryKind.AUTHORITY) if body.get("role") == "approver"]
    assert [(body["act"], body["kid"], body["name"], body["actor"]) for body in acts] == [
        ("enrol", key.key_id, "mia", "admin"),
        ("withdraw", key.key_id, "mia", "admin"),
    ]
    assert base64.b64decode(acts[0]["key"]) == key.public_key


def test_an_enrolment_that_is_refused_is_not_on_record(home):
    ask(home)
    enrolled(home)
    before = len(bodies(home, EntryKind.AUTHORITY))
    with at(home) as store, pytest.raises(BadInput):
        enrol_approver(store, Authorities(home), name="mia", public_key=bytes([1] + [0] * 31), by="x", now_us=1)
    assert len(bodies(home, EntryKind.AUTHORITY)) == before


# rows


def test_a_row_that_was_used_is_never_used_again(home):
    request = ask(home)
    enrolled(home)
    answers(home, request)
    with at(home) as store:
        store.commit(lambda tx: ApprovalTable(tx).set_status(request, "used"))
        for status in ("used", "expired"):
            with pytest.raises(CannotDecide):
                store.commit(lambda tx, status=status: ApprovalTable(tx).set_status(request, status))
        assert store.commit(lambda tx: ApprovalTable(tx).record_answer(request, "approved", "x")) is False
        assert store.commit(lambda tx: ApprovalTable(tx).find_open("one", [rows(home)[0].binding])) is None


def test_rows_of_another_tenant_are_not_reached(home):
    request = ask(home)
    with opened(home, tenant="acme"):
        pass
    with at(home, "acme") as store:
        assert store.commit(lambda tx: ApprovalTable(tx).get(request)) is None
        assert store.commit(lambda tx: ApprovalTable(tx).list_pending()) == []
        assert store.commit(lambda tx: ApprovalTable(tx).record_answer(request, "denied", "x")) is False
        with pytest.raises(CannotDecide):
            store.commit(lambda tx: ApprovalTable(tx).set_status(request, "expired"))
    assert [row.status for row in rows(home)] == ["pending"]
    with Reader(url_of(home)) as reader:
        assert list(list_requests(reader, "acme", 0)) == []


# names, tokens


@pytest.mark.parametrize("name", ["Mia", "user:mia", "\uff4d\uff49\uff41"])
def test_the_user_of_the_session_does_not_answer_under_another_spelling(home, name):
    with opened(home) as halo, halo.session("one", user="user: user:mia "), pytest.raises(Pending) as caught:
        halo.enforcer.run(halo.build_call(tool(halo, "pay"), {"amount": 5000, "to": "x"}), Calls(), SURFACE)
    enrolled(home, name)
    assert refused(home, caught.value.pending_id, name) == "approver_in_chain"


def test_no_view_of_an_answer_or_of_a_link_shows_a_token(home):
    request = weary(home)
    enrolled(home)
    token = answers(home, request).token
    with opened_tiring(home) as halo:
        pay(halo, amount=1)
    (row,) = rows(home)
    read = read_approval(token, Authorities(home).load("local").approver_keys(10**15 * 2))
    with Reader(url_of(home)) as reader:
        decision = found(home, EntryKind.DECISION)[-1].entry
        links = load_links(reader, "local", decision.body["snapshot"]["chain"])
    assert (row.answer, read.token, links[1].reauthorization) == (token, token, token)
    for shown in (repr(row), repr(read), repr(links)):
        assert token not in shown
        assert token.rsplit(".", 1)[1] not in shown
