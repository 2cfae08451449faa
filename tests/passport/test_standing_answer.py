"""Remembered answers as tokens: what one says of amounts, and what is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chain_world import APPROVER, NOW, STORE, TENANT, TRUSTED, claims_of, printed, set_at, sign
from halo_core.errors import PassportError
from halo_core.passports.codec import make_header
from halo_core.passports.standing_answer import StandingToken, mint_standing_answer, read_standing_answer

HEADER = make_header(APPROVER.key_id, "halo-standing-answer+jwt")
PLAIN = StandingToken(
    id="jti-standing",
    approver="user:ruth",
    tenant=TENANT,
    audience=(STORE,),
    issued_at_s=NOW,
    expires_at_s=NOW + 600,
    kind="standing",
    scope="hmac:1",
    role="clerk",
    resource="pay",
    max_uses=100,
    max_amount=123_560_000,
)
WITH_AMOUNT = replace(PLAIN, max_each=12_356_000, each_scope="hmac:2")


def read(token: str) -> StandingToken:
    return read_standing_answer(token, TRUSTED.approvers)


@pytest.mark.parametrize("answer", [PLAIN, WITH_AMOUNT])
def test_an_answer_is_read_as_it_was_given(answer: StandingToken) -> None:
    token = mint_standing_answer(answer, APPROVER)
    assert replace(read(token), key_id="", token="") == answer
    assert ("each" in claims_of(token)["halo"]) is bool(answer.max_each)  # others are those of earlier versions


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        ("/halo/each", 0, "bad_approval"),
        ("/halo/each", -1, "bad_approval"),
        ("/halo/each", True, "bad_approval"),
        ("/halo/each", 2**53, "int_range"),
        ("/halo/each_scope", 5, "claims_shape"),
        ("/halo/every", 5, "claims_shape"),
        ("/halo/kind", "override_allow", "bad_approval"),
    ],
)
def test_what_it_may_not_say_of_amounts_is_refused(place: str, value: object, code: str) -> None:
    claims = claims_of(mint_standing_answer(WITH_AMOUNT, APPROVER))
    set_at(place, value)(claims)
    with pytest.raises(PassportError) as caught:
        read(sign(printed(claims), APPROVER, HEADER))
    assert caught.value.code == code


@pytest.mark.parametrize("name", ["each", "each_scope"])
def test_an_amount_without_what_it_holds_for_is_refused(name: str) -> None:
    claims = claims_of(mint_standing_answer(WITH_AMOUNT, APPROVER))
    del claims["halo"][name]
    with pytest.raises(PassportError, match="exactly the members"):
        read(sign(printed(claims), APPROVER, HEADER))


def test_an_amount_that_somebody_else_wrote_in_is_refused() -> None:
    claims = claims_of(mint_standing_answer(PLAIN, APPROVER))
    token = mint_standing_answer(WITH_AMOUNT, APPROVER)
    head, _, signature = token.split(".")
    body = sign(printed(claims), APPROVER, HEADER).split(".")[1]
    with pytest.raises(PassportError):
        read(f"{head}.{body}.{signature}")
