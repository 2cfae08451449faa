"""Approvals: who answered, what, until when; nobody in the chain is outside it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_world import (
    APPROVER,
    ISSUER,
    KEYS,
    NOW,
    SESSION,
    STORE,
    STRANGER,
    TENANT,
    TRUSTED,
    approval,
    chain,
    claims_of,
    printed,
    set_at,
    sign,
    verify,
)
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.errors import PassportError
from halo_core.model import Budget
from halo_core.passports import read_approval
from halo_core.passports.approval import is_in_chain, peek_approval
from halo_core.passports.claims import issuer_uri
from halo_core.passports.codec import make_header

HEADER = make_header(APPROVER.key_id, "halo-approval+jwt")
DIGEST = "sha256:" + "1" * 64
CALL = {"kind": "call", "authority": 0, "epoch": 0}


def read(token):
    return read_approval(token, TRUSTED.approvers)


def code_of(call, *args, **kwargs):
    with pytest.raises(PassportError) as caught:
        call(*args, **kwargs)
    return caught.value.code


def changed(*changes, signer=APPROVER, header=HEADER, **answer):
    claims = claims_of(approval(**answer))
    for change in changes:
        change(claims)
    return sign(printed(claims), signer, header)


def test_an_answer_is_read_as_it_was_given():
    token = approval(budgets=[Budget("step", 1, 40)], binding=DIGEST)
    found = read(token)
    assert found == read(token.encode()) == peek_approval(token)
    assert (found.id, found.approver, found.key_id) == ("jti-approval", "user:ruth", APPROVER.key_id)
    assert (found.tenant, found.audience, found.session, found.request) == (TENANT, (STORE,), SESSION, "request-1")
    assert (found.issued_at_s, found.expires_at_s) == (NOW, NOW + 600)
    assert (found.answer, found.kind, found.binding) == ("approve", "reauthorization", DIGEST)
    assert (found.budgets, found.authority, found.epoch) == ((Budget("step", 1, 40),), 700_000, 2)
    assert found.token == token


def test_an_answer_to_a_call_gives_nothing_but_the_answer():
    for answer in ("approve", "deny"):
        found = read(approval(**CALL, answer=answer))
        assert (found.kind, found.answer, found.budgets, found.authority, found.epoch) == ("call", answer, (), 0, 0)
    denied = read(approval(answer="deny", authority=0))
    assert (denied.answer, denied.authority, denied.epoch) == ("deny", 0, 2)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"authority": 0}, "bad_approval"),
        ({"authority": 1_000_001}, "bad_approval"),
        ({"authority": True}, "bad_approval"),
        ({"epoch": 1}, "bad_approval"),
        ({**CALL, "answer": "maybe"}, "bad_approval"),
        ({**CALL, "kind": "other"}, "bad_approval"),
        ({"answer": "maybe", "authority": 0}, "bad_approval"),
        ({**CALL, "authority": 1}, "bad_approval"),
        ({**CALL, "epoch": 2}, "bad_approval"),
        ({**CALL, "budgets": [Budget("step", 1, 1)]}, "bad_approval"),
        ({"answer": "deny"}, "bad_approval"),
        ({"answer": "deny", "authority": 0, "budgets": [Budget("step", 1, 1)]}, "bad_approval"),
        ({"budgets": [Budget("step", 2, 1)]}, "bad_bud"),
        ({"lifetime_s": 0}, "bad_times"),
        ({"lifetime_s": 30 * 86_400 + 1}, "bad_times"),
        ({"now_s": -1}, "bad_times"),
        ({"approver": ""}, "claims_shape"),
        ({"approver": "ru\u200bth"}, "claims_shape"),
        ({"tenant": ""}, "claims_shape"),
        ({"audience": ""}, "claims_shape"),
        ({"session": ""}, "claims_shape"),
        ({"request": ""}, "claims_shape"),
        ({"binding": ""}, "claims_shape"),
        ({"jti": ""}, "claims_shape"),
    ],
)
def test_no_answer_is_minted_that_would_be_refused(changes, code):
    assert code_of(approval, **changes) == code


@pytest.mark.parametrize(
    ("token", "code"),
    [
        (changed(signer=STRANGER), "bad_sig"),
        (approval(signer=STRANGER), "unknown_approver"),
        (changed(header=make_header(APPROVER.key_id, "halo-passport+jwt")), "unknown_approver"),
        (changed(header=make_header(APPROVER.key_id, "halo-pop+jwt")), "unknown_approver"),
        (chain(1)[0], "unknown_approver"),
        (approval(approver="user:rita"), "bad_approver"),
        (changed(set_at("/iss", issuer_uri(STRANGER.public_key))), "bad_iss"),
        (changed(set_at("/iss", None)), "bad_iss"),
        (changed(set_at("/ver", 2)), "claims_shape"),
        (changed(set_at("/extra", 1)), "claims_shape"),
        (changed(set_at("/halo/extra", 1)), "claims_shape"),
        (changed(set_at("/halo", None)), "claims_shape"),
        (changed(lambda claims: claims.pop("ten")), "claims_shape"),
        (changed(set_at("/halo/ans", ["approve"])), "bad_approval"),
        (changed(set_at("/halo/kind", {})), "bad_approval"),
        (changed(set_at("/halo/bud", [])), "bad_bud"),
        (changed(set_at("/exp", 1.5)), "non_integer_number"),
        ("", "malformed_b64"),
        ("a" * 20_000, "too_large"),
    ],
)
def test_an_answer_is_refused(token, code):
    assert code_of(read, token) == code


def test_a_name_is_that_of_the_key_that_signed():
    both = {**TRUSTED.approvers, STRANGER.key_id: ("user:rita", STRANGER.public_key)}
    assert code_of(read_approval, approval(approver="user:rita"), both) == "bad_approver"
    assert read_approval(approval(approver="user:rita", signer=STRANGER), both).approver == "user:rita"


@given(st.data())
def test_a_mutated_answer_is_read_as_it_says_or_refused(data):
    claims = claims_of(approval())
    node = data.draw(st.sampled_from([claims, claims["halo"]]))
    name = data.draw(st.sampled_from(sorted(node)))
    node[name] = data.draw(
        st.none()
        | st.booleans()
        | st.integers(-1, 3)
        | st.text(max_size=3)
        | st.just({})
        | st.just([])
        | st.just(2**53)
    )
    try:
        found = read(sign(printed(claims), APPROVER, HEADER))
    except PassportError:
        return
    assert found.approver == "user:ruth"
    assert (found.id, found.authority, found.epoch) == (claims["jti"], claims["halo"]["a0"], claims["halo"]["epoch"])


@pytest.mark.parametrize(
    ("name", "key", "inside"),
    [
        ("user:ruth", APPROVER.public_key, False),
        ("planner", APPROVER.public_key, True),
        ("user:Planner", APPROVER.public_key, True),
        (" RESEARCHER", APPROVER.public_key, True),
        ("\uff57riter", APPROVER.public_key, True),
        ("alice", APPROVER.public_key, True),
        ("User:ALICE", APPROVER.public_key, True),
        ("user:olga", APPROVER.public_key, True),
        ("user: olga", APPROVER.public_key, True),
        ("x", KEYS["planner"].public_key, True),
        ("x", KEYS["writer"].public_key, True),
        ("x", ISSUER.public_key, True),
        ("x", KEYS["clerk"].public_key, False),
        ("user:user:alice", APPROVER.public_key, True),
        ("alice+x", APPROVER.public_key, True),
        ("\u0430lice", APPROVER.public_key, True),
        ("", APPROVER.public_key, True),
    ],
)
def test_who_is_in_the_chain(name, key, inside):
    assert is_in_chain(name, key, verify(chain(4))) is inside


def test_the_key_id_is_the_thumbprint():
    under_another_name = {"desk-1": TRUSTED.approvers[APPROVER.key_id]}
    token = changed(header=make_header("desk-1", "halo-approval+jwt"))
    assert read_approval(token, under_another_name).key_id == compute_key_thumbprint(APPROVER.public_key)
