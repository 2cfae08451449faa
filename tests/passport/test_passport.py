"""Standing links: mint, verify, read back; every refusal is a PassportError."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.crypto import canonical
from halo_core.crypto.keys import Ed25519Signer, compute_key_thumbprint
from halo_core.errors import PassportError
from halo_core.model import ActionKind, Budget, Constraint, ConstraintKind, LinkKind, Quota
from halo_core.passports import check_time, link_to_claims, mint_standing, token_hash, verify_standing
from halo_core.passports.chain import check_link
from halo_core.passports.claims import MAX_LIFETIME_S, claims_to_link, issuer_uri
from halo_core.passports.codec import (
    MAX_TOKEN,
    PASSPORT_TYPE,
    Claims,
    decode_b64url,
    encode_b64url,
    make_header,
    open_token,
    sign_token,
)

NOW = 1_800_000_000
ISSUER = Ed25519Signer(b"i" * 32)
HOLDER = Ed25519Signer(b"h" * 32)
TRUSTED = {ISSUER.key_id: ISSUER.public_key}
HEADER = make_header(ISSUER.key_id, PASSPORT_TYPE)
WILD = Constraint(ConstraintKind.WILDCARD)
GRANTS = {
    ActionKind.TOOL_CALL: {
        "pay": {"amount": Constraint(ConstraintKind.RANGE, low=0, high=100), "note": WILD},
        "crm.search": {"**": WILD},
    },
    ActionKind.RETRIEVAL: {"kb": {"query": Constraint(ConstraintKind.PATTERN, text="[a-z ü]*")}},
}


def mint(**changes):
    arguments = {
        "signer": ISSUER,
        "tenant": "acme",
        "agent": "loan-desk",
        "principal": "user:ana@bank",
        "audience": "store-1",
        "holder_public_key": HOLDER.public_key,
        "grants": GRANTS,
        "now_s": NOW,
        "lifetime_s": 3600,
        "jti": "jti-1",
        "txn": "txn-1",
        "labels": ("pii", "chd"),
        "budgets": (Budget("step", 1, 20), Budget("USD", 500, 5000, 2)),
        "hand_off_to": ("researcher",),
        "policy": "sha256:" + "0" * 64,
    }
    return mint_standing(**{**arguments, **changes})


def verify(token):
    return verify_standing(token, trusted=TRUSTED, audience="store-1", tenant="acme")


def test_mint_then_verify():
    token = mint()
    link = verify(token)
    assert link == verify(token.encode())
    assert link.kind is LinkKind.STANDING
    assert (link.tenant, link.agent, link.principal) == ("acme", "loan-desk", "user:ana@bank")
    assert (link.issued_at_s, link.not_before_s, link.expires_at_s) == (NOW, NOW, NOW + 3600)
    assert (link.depth, link.max_depth, link.epoch, link.parent, link.decay) == (0, 9, 1, "", None)
    assert link.grants == GRANTS
    assert link.labels == ("chd", "pii")
    assert link.budgets == (Budget("USD", 500, 5000, 2), Budget("step", 1, 20))
    assert link.hand_off_to == ("researcher",)
    assert link.holder_key == HOLDER.public_key
    assert link.key_id == ISSUER.key_id == compute_key_thumbprint(ISSUER.public_key)
    assert link.issuer == issuer_uri(ISSUER.public_key)
    assert link.hash == token_hash(token) == canonical.digest("halo/passport/v1", token.encode())
    assert link.raw["halo"]["env"] == "jti-1"


def test_equal_inputs_give_equal_tokens():
    assert mint() == mint(labels=("chd", "pii"), budgets=(Budget("USD", 500, 5000, 2), Budget("step", 1, 20)))


def test_the_claims_are_as_designed():
    header, payload, _signature = mint(labels=None).split(".")
    assert decode_b64url(header) == b'{"alg":"Ed25519","kid":"%s","typ":"halo-passport+jwt"}' % ISSUER.key_id.encode()
    claims = json.loads(decode_b64url(payload))
    assert sorted(claims) == sorted(
        "iss jti sub client_id aud iat nbf exp txn cnf del_depth del_max_depth authorization_details halo".split()
    )
    assert sorted(claims["halo"]) == sorted("ver ten env epoch pol kind bud cls hand own quo ses".split())
    assert claims["halo"]["cls"] is None
    (detail,) = claims["authorization_details"]
    assert detail["type"] == "halo_grant"
    assert detail["actions"]["tool_call"]["pay"]["amount"] == {"constraint_type": "range", "max": 100, "min": 0}


def test_link_to_claims_is_the_inverse():
    link = verify(mint())
    assert link_to_claims(link) == link.raw


def test_time_is_half_open():
    link = verify(mint())
    assert check_time(link, NOW - 1) == "not_yet_valid"
    assert check_time(link, NOW) is None
    assert check_time(link, NOW + 3599) is None
    assert check_time(link, NOW + 3600) == "expired"


def test_tenant_and_audience():
    link = verify(mint())
    assert check_link(link, tenant="acme", audience="store-1") is None
    assert check_link(link, tenant="Acme", audience="store-1") == "wrong_tenant"
    assert check_link(link, tenant="acme", audience="store-2") == "wrong_audience"
    assert check_link(link, tenant="acme", audience="") == "wrong_audience"


def test_another_issuer_among_the_trusted():
    other = Ed25519Signer(b"o" * 32)
    trusted = {other.key_id: other.public_key, **TRUSTED, "acme-2026-11": other.public_key}
    assert verify_standing(mint(), trusted=trusted, audience="store-1", tenant="acme").key_id == ISSUER.key_id
    assert (
        verify_standing(mint(signer=other), trusted=trusted, audience="store-1", tenant="acme").key_id == other.key_id
    )


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tenant": ""}, "claims_shape"),
        ({"agent": "a\u200bb"}, "claims_shape"),
        ({"agent": "x" * 257}, "claims_shape"),
        ({"principal": "a\nb"}, "claims_shape"),
        ({"principal": "\ud800"}, "noncanonical_json"),
        ({"audience": ""}, "claims_shape"),
        ({"jti": ""}, "claims_shape"),
        ({"txn": ""}, "claims_shape"),
        ({"policy": "sha256:xyz"}, "claims_shape"),
        ({"owner": "a\u200bb"}, "claims_shape"),
        ({"envelope": "a\nb"}, "claims_shape"),
        ({"quotas": (Quota("USD", 1), Quota("USD", 2))}, "bad_quo"),
        ({"quotas": (Quota("USD", -1),)}, "bad_quo"),
        ({"holder_public_key": bytes(32)}, "bad_cnf"),
        ({"holder_public_key": b"x"}, "bad_cnf"),
        ({"lifetime_s": 0}, "bad_times"),
        ({"lifetime_s": -5}, "bad_times"),
        ({"lifetime_s": MAX_LIFETIME_S[LinkKind.STANDING] + 1}, "bad_times"),
        ({"now_s": -1}, "bad_times"),
        ({"now_s": 253_402_300_799}, "bad_times"),
        ({"now_s": float(NOW)}, "non_integer_number"),
        ({"max_depth": 10}, "bad_depth"),
        ({"max_depth": -1}, "bad_depth"),
        ({"labels": ("pii", "pii")}, "bad_cls"),
        ({"labels": ("PII",)}, "bad_cls"),
        ({"hand_off_to": ("a", "a")}, "bad_hand"),
        ({"hand_off_to": ("",)}, "bad_hand"),
        ({"budgets": (Budget("step", 1, 20), Budget("step", 2, 30))}, "bad_bud"),
        ({"budgets": (Budget("step", 21, 20),)}, "bad_bud"),
        ({"budgets": (Budget("a b", 1, 2),)}, "bad_bud"),
        ({"budgets": (Budget("step", 1, 2, 16),)}, "bad_bud"),
        ({"grants": {ActionKind.TOOL_CALL: {"p\u0430y": {}}}}, "bad_tool_id"),
        ({"grants": {ActionKind.TOOL_CALL: {"pay": {"\u0430mount": WILD}}}}, "bad_detail"),
        ({"grants": {ActionKind.TOOL_CALL: {"pay": {"": WILD}}}}, "bad_detail"),
        (
            {"grants": {ActionKind.TOOL_CALL: {"pay": {"a": Constraint(ConstraintKind.PATTERN, text="(")}}}},
            "bad_constraint",
        ),
        ({"grants": {ActionKind.TOOL_CALL: {f"tool{i}": {"**": WILD} for i in range(400)}}}, "too_large"),
    ],
)
def test_nothing_is_minted_that_would_be_refused(changes, code):
    with pytest.raises(PassportError) as caught:
        mint(**changes)
    assert caught.value.code == code


def test_a_large_but_lawful_passport_verifies():
    grants = {ActionKind.TOOL_CALL: {f"tool{i}": {"**": WILD} for i in range(200)}}
    token = mint(grants=grants)
    assert MAX_TOKEN - 4096 < len(token) <= MAX_TOKEN
    assert verify(token).grants == grants


CLAIMS = json.loads(decode_b64url(mint().split(".")[1]))
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
)
trees = st.recursive(
    scalars,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text("abx_$", max_size=3), t, max_size=3),
    max_leaves=6,
)


def places(tree, path=()):
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def mutated(data):
    """The claims with one to three members replaced, removed, added or renamed."""
    claims = json.loads(json.dumps(CLAIMS))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from([p for p in places(claims) if p]))
        node = claims
        for step in path[:-1]:
            node = node[step]
        what = data.draw(st.sampled_from(["replace", "replace", "remove", "add", "swap"]))
        if what == "remove":
            del node[path[-1]]
        elif what == "add" and isinstance(node, dict):
            node[data.draw(st.text("abx_", min_size=1, max_size=3))] = data.draw(trees)
        elif what == "swap":
            other = data.draw(st.sampled_from([p for p in places(claims) if p]))
            value = claims
            for step in other:
                value = value[step]
            node[path[-1]] = json.loads(json.dumps(value))
        else:
            node[path[-1]] = data.draw(trees)
        if not claims:
            break
    return claims


@given(st.data())
def test_mutated_claims_are_a_link_or_a_refusal(data):
    claims = mutated(data)
    try:
        link = verify(sign_token(HEADER, claims, ISSUER))
    except PassportError:
        return
    # What is accepted says exactly what was signed: nothing was dropped, defaulted or reread.
    assert canonical.dumps(link_to_claims(link)) == canonical.dumps(claims)


@given(trees)
def test_any_tree_as_claims_is_a_refusal(tree):
    with pytest.raises(PassportError):
        verify(sign_token(HEADER, tree, ISSUER))


@given(st.binary(max_size=200) | st.text(max_size=200))
def test_any_bytes_are_a_refusal(token):
    for read in (verify,):
        with pytest.raises(PassportError):
            read(token)


@given(st.binary(max_size=120))
def test_any_signed_bytes_are_a_refusal(payload):
    signing_input = mint().split(".")[0] + "." + encode_b64url(payload)
    with pytest.raises(PassportError):
        verify(f"{signing_input}.{encode_b64url(ISSUER.sign(signing_input.encode()))}")


@given(st.data())
def test_no_single_character_can_be_changed(data):
    token = mint()
    place = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.sampled_from("AZaz09-_.= \n+/é"))
    if token[place] != char:
        with pytest.raises(PassportError):
            verify(token[:place] + char + token[place + 1 :])


@given(st.binary(max_size=64))
def test_base64url_round_trip(data):
    assert decode_b64url(encode_b64url(data)) == data


def test_claims_keep_no_trust_of_their_own():
    """`iss` is compared with the key that verified, whatever the caller's trust list calls it."""
    token = mint()
    members = open_token(token, {HEADER: ISSUER.public_key}).members
    with pytest.raises(PassportError) as caught:
        claims_to_link(Claims(members, HOLDER.key_id, token))
    assert caught.value.code == "bad_iss"


def test_no_token_is_sealed_that_is_too_large_to_be_read():
    with pytest.raises(PassportError) as caught:
        sign_token(HEADER, {"x": "a" * MAX_TOKEN}, ISSUER)
    assert caught.value.code == "too_large"
