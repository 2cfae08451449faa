"""As the agent's user, who holds the key of the log: a remembered answer that no person gave settles nothing."""

from __future__ import annotations

import os
from dataclasses import replace

import pytest
from oversight_world import answers, at, enrolled

from halo_core.authorities import Authorities
from halo_core.crypto.keys import KeyStore, RandomIds
from halo_core.errors import Denied, Pending
from halo_core.facade import HaloBase
from halo_core.ledger.commitments import digest_answer
from halo_core.model import ActionKind, Actor, EntryKind, Impact, Resource, Reversal
from halo_core.oversight.remembered import RememberTerms
from halo_core.passports.standing_answer import mint_standing_answer, peek_standing_answer
from halo_core.store.answer_rows import AnswerRow, StandingAnswerTable
from halo_core.store.drafts import Draft
from halo_core.verification import verify_store
from halo_world import SURFACE, Calls, attack, bodies, cli, db_of, policy_folder, url_of, verified

POLICY = """
@id("base") permit (principal, action, resource);
@id("target") @effect("challenge") @reason("untrusted_target") forbid (principal, action, resource);
"""
HERS = {"to": "eve@evil.example"}


def opened(home):
    return HaloBase.local("clerk", home=home, mode="enforce", policy=policy_folder(home, POLICY), quiet=True)


def send(halo):
    declared = Resource(impact=Impact.SEND, targets=("to",), source_trust=600, reversal=Reversal.COMPENSATE)
    schema = {"type": "object", "properties": {"to": {"type": "string"}}}
    return halo.register(ActionKind.TOOL_CALL, "send", resource=declared, schema=schema)


def sends(halo) -> bool:
    """Whether a message to her goes out in a session of its own; else its question, for whoever answers it."""
    body = Calls()
    with halo.session(f"s-{os.urandom(4).hex()}"):
        halo.enforcer.run(halo.build_call(send(halo), HERS), body, SURFACE)
    return bool(body)


def ask(halo) -> str:
    with pytest.raises(Pending) as caught:
        sends(halo)
    return caught.value.pending_id


@pytest.fixture
def answered(home):
    """A home in which an enrolled person remembered an answer, and took it back: id of the answer."""
    with opened(home) as halo:
        enrolled(home)
        kept = answers(home, ask(halo), terms=RememberTerms()).remembered
        assert sends(halo)  # the control: an answer that a person gave is used
        assert cli("approvals", "revoke", kept, home=home)[0] == 0
        ask(halo)
    assert verified(home) == 0
    return kept


def put(home, token, signer, *, with_entry: bool) -> None:
    """Write an answer as the application's own code does it, without asking who may."""
    signed = mint_standing_answer(token, signer)

    def job(tx):
        StandingAnswerTable(tx).put(AnswerRow(token.id, token.kind, token.scope, "active", signed))
        if with_entry:
            (genuine,) = (body for body in bodies(home, EntryKind.STANDING_ANSWER) if body["op"] == "grant")
            body = {**genuine, "answer": token.id, "kid": signer.key_id, "token": digest_answer(signed)}
            tx.append(Draft(EntryKind.STANDING_ANSWER, "", body, actor=Actor(token.approver, "approver-key")))

    with at(home) as store:
        store.commit(job)


@pytest.mark.parametrize("with_entry", [False, True])
@pytest.mark.parametrize("forger", ["the agent's key", "a key of its own", "an approver of its own"])
def test_an_answer_that_no_person_signed_settles_nothing_and_is_shown(home, answered, forger, with_entry):
    (row,) = attack(db_of(home)).execute("SELECT token FROM standing_answer").fetchall()
    token = replace(peek_standing_answer(row[0]), id=RandomIds().new_token_id())
    signer = KeyStore(home).signer("agent-clerk" if forger == "the agent's key" else "approver-mia")
    if forger == "an approver of its own":
        Authorities(home).add_person("local", "eve", signer.public_key, 0, role="approver")
        token = replace(token, approver="eve")
    put(home, token, signer, with_entry=with_entry)
    with opened(home) as halo, pytest.raises((Denied, Pending)):
        sends(halo)
    assert verified(home) == 11


@pytest.mark.parametrize("with_entry", [False, True])
def test_an_answer_that_was_taken_back_and_is_put_back_settles_nothing(home, answered, with_entry):
    """Its end is a signed entry, which no row and no second grant undoes."""
    attack(db_of(home)).execute("UPDATE standing_answer SET status='active'")
    if with_entry:
        (genuine,) = (body for body in bodies(home, EntryKind.STANDING_ANSWER) if body["op"] == "grant")
        with at(home) as store:
            draft = Draft(EntryKind.STANDING_ANSWER, "", dict(genuine), actor=Actor("mia", "approver-key"))
            store.commit(lambda tx: tx.append(draft))
    with opened(home) as halo:
        ask(halo)
        assert attack(db_of(home)).execute("SELECT status FROM standing_answer").fetchall() == [("revoked",)]
        attack(db_of(home)).execute("UPDATE standing_answer SET status='active'")
        ask(halo)  # nor in a process that has read it before
    assert [body["column"] for body in bodies(home, EntryKind.CONTROL)] == ["standing_answer"] * 2
    report = verify_store(url_of(home), home)
    assert [(item.code, item.what) for item in report.findings] == (
        [("answer_misused", "2 entries give it")] if with_entry else []
    )
