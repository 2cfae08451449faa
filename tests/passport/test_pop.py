"""Proof of possession: of this call, under this leaf, at this store, now, once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain_world import KEYS, NOW, STORE, chain, printed, sign, verify
from halo_core.errors import PassportError
from halo_core.passports.chain import POP_WINDOW_S, verify_pop
from halo_core.passports.minting import mint_pop

CHAIN = chain(3)
LEAF = verify(CHAIN)[-1]
CALL = {"audience": STORE, "action": "crm.search", "args_digest": "sha256:" + "2" * 64, "now_s": NOW}
HEADER = b'{"alg":"Ed25519","typ":"halo-pop+jwt"}'


def prove(**changes):
    arguments = {"signer": KEYS["researcher"], "leaf_token": CHAIN[-1], "jti": "p1", **CALL}
    return mint_pop(**{**arguments, **changes})


def check(token, seen=None, **changes):
    noted = set() if seen is None else seen

    def ask(name):
        return name in noted or bool(noted.add(name))

    verify_pop(token, leaf=LEAF, leaf_token=CHAIN[-1], note_id=ask, **{**CALL, **changes})


def code_of(token, seen=None, **changes):
    with pytest.raises(PassportError) as caught:
        check(token, seen, **changes)
    return caught.value.code


@pytest.mark.parametrize("late", [-POP_WINDOW_S, -1, 0, POP_WINDOW_S])
def test_a_proof_holds_within_the_window(late):
    check(prove(), now_s=NOW + late)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"audience": "store-2"}, "pop_aud"),
        ({"action": "email.send"}, "pop_tool"),
        ({"args_digest": "sha256:" + "3" * 64}, "pop_args"),
        ({"now_s": NOW + POP_WINDOW_S + 1}, "pop_window"),
        ({"now_s": NOW - POP_WINDOW_S - 1}, "pop_window"),
        ({"leaf_token": CHAIN[1]}, "pop_ath"),
        ({"signer": KEYS["planner"]}, "bad_sig"),
        ({"jti": ""}, "claims_shape"),
        ({"now_s": -1}, "claims_shape"),
        ({"jti": 7}, "claims_shape"),
    ],
)
def test_a_proof_of_something_else_is_refused(changes, code):
    assert code_of(prove(**changes)) == code


def test_a_proof_serves_once_and_its_id_is_its_holders_own():
    seen: set[str] = set()
    check(prove(), seen)
    assert code_of(prove(), seen) == "replay"
    assert code_of(prove(action="crm.search", now_s=NOW + 1), seen) == "replay"
    check(prove(jti="p2"), seen)
    assert seen == {f"{KEYS['researcher'].key_id}:p1", f"{KEYS['researcher'].key_id}:p2"}


def test_a_bad_proof_uses_up_no_id():
    seen: set[str] = set()
    for changes in ({"audience": "x"}, {"action": "x"}, {"args_digest": "x"}, {"now_s": NOW - 99}):
        code_of(prove(**changes), seen)
    assert seen == set()
    check(prove(), seen)


@given(st.binary(max_size=80) | st.text(max_size=80))
def test_any_token_is_a_refusal(token):
    assert code_of(token)


@given(st.dictionaries(st.sampled_from(["act", "arg", "ath", "aud", "iat", "jti", "x"]), st.none() | st.integers(0, 9)))
def test_any_claims_rightly_signed_are_a_refusal(claims):
    assert code_of(sign(printed(claims), KEYS["researcher"], HEADER))
