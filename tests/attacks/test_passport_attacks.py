"""Attacks on one link, by their numbers in the list of 130, each with the code it must be refused with.

The whole list, on chains and proofs of possession, is in `test_chain_attacks.py`; here are more forms of those on one.
"""

from __future__ import annotations

import hmac
import json

import pytest
from nacl import bindings

from halo_core.crypto import canonical
from halo_core.crypto.keys import Ed25519Signer, compute_key_thumbprint
from halo_core.crypto.keys import verify_signature as raw_verify
from halo_core.errors import PassportError
from halo_core.model import ActionKind, Budget, Constraint, ConstraintKind
from halo_core.passports import check_time, find_violation, mint_standing, verify_standing
from halo_core.passports.codec import decode_b64url, encode_b64url
from halo_core.passports.grants import list_label_violations

NOW = 1_800_000_000
ISSUER = Ed25519Signer(b"i" * 32)
HOLDER = Ed25519Signer(b"h" * 32)
OTHER = Ed25519Signer(b"o" * 32)
TRUSTED = {ISSUER.key_id: ISSUER.public_key}
TOOL = ActionKind.TOOL_CALL
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
GRANTS = {
    TOOL: {
        "email.send": {
            "to": Constraint(ConstraintKind.ONE_OF, ("ops@acme.com",)),
            "body": Constraint(ConstraintKind.WILDCARD),
        },
        "crm.search": {"limit": Constraint(ConstraintKind.RANGE, low=1, high=100)},
        "file.read": {"path": Constraint(ConstraintKind.PREFIX, text="/data/")},
    }
}
TOKEN = mint_standing(
    signer=ISSUER,
    tenant="acme",
    agent="planner",
    principal="user:alice",
    audience="store-1",
    holder_public_key=HOLDER.public_key,
    grants=GRANTS,
    now_s=NOW,
    lifetime_s=3600,
    jti="jti-1",
    txn="txn-1",
    labels=("pii",),
    budgets=(Budget("USD", 500, 5000, 2),),
)
HEADER, PAYLOAD, SIGNATURE = TOKEN.split(".")
CLAIMS = decode_b64url(PAYLOAD)


def verify(token, *, audience="store-1", tenant="acme"):
    return verify_standing(token, trusted=TRUSTED, audience=audience, tenant=tenant)


def code_of(token, **where) -> str:
    with pytest.raises(PassportError) as caught:
        verify(token, **where)
    return caught.value.code


def signed(payload: bytes, *, header: str = HEADER, signer=ISSUER) -> str:
    """A token whose signature is right, whatever it says."""
    signing_input = f"{header}.{encode_b64url(payload)}"
    return f"{signing_input}.{encode_b64url(signer.sign(signing_input.encode()))}"


def with_header(**changes) -> str:
    header = {"alg": "Ed25519", "kid": ISSUER.key_id, "typ": "halo-passport+jwt", **changes}
    header = {name: value for name, value in header.items() if value is not None}
    return signed(CLAIMS, header=encode_b64url(canonical.dumps(header)))


def with_claims(change) -> str:
    """Rightly signed claims after `change` was applied to them."""
    claims = json.loads(CLAIMS)
    change(claims)
    return signed(canonical.dumps(claims))


def setting(path: str, value):
    """A change that sets the member at a JSON pointer."""

    def change(claims):
        *parents, last = path.strip("/").split("/")
        node = claims
        for name in parents:
            node = node[int(name)] if isinstance(node, list) else node[name]
        node[last] = value

    return change


def with_text(old: bytes, new: bytes) -> str:
    """Rightly signed bytes that need not be canonical JSON."""
    assert CLAIMS.count(old) == 1
    return signed(CLAIMS.replace(old, new))


def test_the_passport_that_is_attacked_is_good():
    assert verify(TOKEN).agent == "planner"
    assert verify(signed(CLAIMS)) == verify(TOKEN)
    assert verify(with_claims(lambda claims: None)) == verify(TOKEN)


def hs256() -> str:
    header = encode_b64url(canonical.dumps({"alg": "HS256", "kid": ISSUER.key_id, "typ": "halo-passport+jwt"}))
    signing_input = f"{header}.{PAYLOAD}"
    return f"{signing_input}.{encode_b64url(hmac.digest(ISSUER.public_key, signing_input.encode(), 'sha256'))}"


def alias(segment: str) -> str:
    """Another spelling of the same bytes: the unused low bits of the last character differ."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    other = alphabet[alphabet.index(segment[-1]) ^ 1]
    return segment[:-1] + other


def malleated() -> str:
    raw = decode_b64url(SIGNATURE)
    s = int.from_bytes(raw[32:], "little") + GROUP_ORDER
    return f"{HEADER}.{PAYLOAD}.{encode_b64url(raw[:32] + s.to_bytes(32, 'little'))}"


def flipped() -> str:
    payload = bytearray(CLAIMS)
    payload[10] ^= 1
    return f"{HEADER}.{encode_b64url(bytes(payload))}.{SIGNATURE}"


IDENTITY = b"\x01" + bytes(31)
ISSUER_JWK = {"crv": "Ed25519", "kty": "OKP", "x": encode_b64url(OTHER.public_key)}

WIRE = [
    (1, "root signed by unknown key", signed(CLAIMS, signer=OTHER), "bad_sig"),
    (2, "alg none", with_header(alg="none"), "unknown_root_or_header"),
    (2, "alg nOnE without signature", with_header(alg="nOnE").rsplit(".", 1)[0] + ".", "unknown_root_or_header"),
    (3, "alg HS256 with the public key as secret", hs256(), "unknown_root_or_header"),
    (4, "legacy alg EdDSA", with_header(alg="EdDSA"), "unknown_root_or_header"),
    (5, "jku", with_header(jku="https://evil/jwks"), "unknown_root_or_header"),
    (6, "x5u", with_header(x5u="https://evil"), "unknown_root_or_header"),
    (7, "jwk", with_header(jwk=ISSUER_JWK), "unknown_root_or_header"),
    (8, "crit", with_header(crit=["b64"]), "unknown_root_or_header"),
    (9, "b64", with_header(b64=False), "unknown_root_or_header"),
    (10, "zip", with_header(zip="DEF"), "unknown_root_or_header"),
    (11, "kid is a path", with_header(kid="../../../etc/passwd"), "unknown_root_or_header"),
    (12, "kid is SQL", with_header(kid="k1' OR 1=1--"), "unknown_root_or_header"),
    (12, "kid of another key", with_header(kid=OTHER.key_id), "unknown_root_or_header"),
    (13, "typ of an access token", with_header(typ="at+jwt"), "unknown_root_or_header"),
    (14, "typ of a proof of possession", with_header(typ="halo-pop+jwt"), "unknown_root_or_header"),
    (15, "derived header as a root", with_header(kid=None), "unknown_root_or_header"),
    (16, "one flipped payload bit", flipped(), "bad_sig"),
    (17, "another spelling of the signature", f"{HEADER}.{PAYLOAD}.{alias(SIGNATURE)}", "noncanonical_b64"),
    (
        17,
        "another spelling of the header",
        f"{HEADER[:-1]}{chr(ord(HEADER[-1]) + 1)}.{PAYLOAD}.{SIGNATURE}",
        "unknown_root_or_header",
    ),
    (18, "junk in the signature", f"{HEADER}.{PAYLOAD}.{SIGNATURE[:10]}!{SIGNATURE[10:]}", "malformed_b64"),
    (18, "padding", f"{HEADER}.{PAYLOAD}.{SIGNATURE}==", "malformed_b64"),
    (18, "newline", TOKEN + "\n", "malformed_b64"),
    (18, "plain base64 alphabet", f"{HEADER}.{PAYLOAD}.{'+' * 86}", "malformed_b64"),
    (18, "four segments", TOKEN + ".x", "malformed_b64"),
    (18, "two segments", f"{HEADER}.{PAYLOAD}", "malformed_b64"),
    (18, "not ASCII", TOKEN[:-1] + "é", "malformed_b64"),
    (19, "S + L malleated", malleated(), "bad_sig"),
    (19, "empty signature", f"{HEADER}.{PAYLOAD}.", "bad_sig"),
    (19, "identity signature", f"{HEADER}.{PAYLOAD}.{encode_b64url(IDENTITY + bytes(32))}", "bad_sig"),
    (36, "oversized token", signed(b"[" + b"1," * 8000 + b"1]"), "too_large"),
    (36, "huge token", "a" * 10_000_000, "too_large"),
    (36, "huge bytes", b"\xff" * 10_000_000, "too_large"),
]

BUDGET = b'"max":500,'
CLAIM_TEXT = [
    (23, "duplicate member", with_text(BUDGET, b'"max":500,"max":500,'), "dup_member"),
    (23, "duplicate tenant", with_text(b'"ten":"acme"', b'"ten":"evil","ten":"acme"'), "dup_member"),
    (23, "duplicate by escape", with_text(b'"ten":"acme"', b'"ten":"acme","\\u0074en":"evil"'), "dup_member"),
    (24, "float budget", with_text(BUDGET, b'"max":500.0,'), "non_integer_number"),
    (25, "NaN budget", with_text(BUDGET, b'"max":NaN,'), "non_integer_number"),
    (26, "Infinity budget", with_text(BUDGET, b'"max":Infinity,'), "non_integer_number"),
    (26, "-Infinity budget", with_text(BUDGET, b'"max":-Infinity,'), "non_integer_number"),
    (27, "1e400 budget", with_text(BUDGET, b'"max":1e400,'), "non_integer_number"),
    (30, "2^53 + 1 budget", with_text(BUDGET, b'"max":9007199254740993,'), "int_range"),
    (30, "2^63 budget", with_text(BUDGET, b'"max":9223372036854775808,'), "int_range"),
    (30, "budget of 5,000 digits", with_text(BUDGET, b'"max":' + b"9" * 5000 + b","), "int_range"),
    (32, "blank", with_text(BUDGET, b'"max": 500,'), "noncanonical_json"),
    (32, "member order", with_text(b'{"decimals":2,"max":500,', b'{"max":500,"decimals":2,'), "noncanonical_json"),
    (32, "escaped letter", with_text(b'"ten":"acme"', b'"ten":"\\u0061cme"'), "noncanonical_json"),
    (32, "-0", with_text(b'"del_depth":0', b'"del_depth":-0'), "noncanonical_json"),
    (32, "member order, non-ASCII", with_text(BUDGET, '"max":500,"ä":1,'.encode()), "noncanonical_json"),
    (32, "trailing newline", signed(CLAIMS + b"\n"), "noncanonical_json"),
    (33, "lone surrogate", with_text(b'"ten":"acme"', b'"ten":"\\ud800"'), "surrogate"),
    (33, "lone surrogate in a name", with_text(b'"ten":"acme"', b'"ten":"acme","\\udfff":1'), "surrogate"),
    (35, "invalid UTF-8", with_text(b'"ten":"acme"', b'"ten":"ac\xffme"'), "malformed_json"),
    (35, "overlong UTF-8", with_text(b'"ten":"acme"', b'"ten":"ac\xc0\xaeme"'), "malformed_json"),
    (35, "byte order mark", signed(b"\xef\xbb\xbf" + CLAIMS), "malformed_json"),
    (35, "cut off", signed(CLAIMS[:-1]), "malformed_json"),
    (35, "empty", signed(b""), "malformed_json"),
    (35, "two documents", signed(b"{}{}"), "malformed_json"),
    (38, "JSON nesting bomb", signed(b"[" * 5000 + b"]" * 5000), "too_deep"),
    (38, "JSON nesting bomb, never closed", signed(b'{"a":' * 2000), "too_deep"),
    (38, "nesting hidden behind quotes", signed(b'"\\"' * 300 + b"[" * 3000), "malformed_json"),
    (34, "claims are a list", signed(b"[]"), "claims_shape"),
    (34, "claims are a text", signed(b'"x"'), "claims_shape"),
]


def adding(where: str, name: str, value=1):
    return setting(f"{where}/{name}", value)


def removing(name: str):
    def change(claims):
        del claims[name]

    return change


def nested_values(depth: int):
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


RULE = "/authorization_details/0/actions/tool_call"
TO = f"{RULE}/email.send/to"
DETAIL = json.loads(CLAIMS)["authorization_details"][0]
X = "/cnf/jwk/x"
SMALL_ORDER = [
    bytes(32),
    IDENTITY,
    bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
    bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
    bytes.fromhex("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    bytes.fromhex("10eb7c3acfb2bed3e0d6ab89bf5a3d6afddd1176ce4812e38d9fd485058fdb1f"),
]

SHAPES = [
    *[(20, f"low-order cnf key {n}", setting(X, encode_b64url(key)), "bad_cnf") for n, key in enumerate(SMALL_ORDER)],
    (20, "cnf key too short", setting(X, encode_b64url(b"short")), "bad_cnf"),
    (20, "cnf key spelt otherwise", setting(X, alias(encode_b64url(HOLDER.public_key))), "bad_cnf"),
    (22, "private key in cnf", adding("/cnf/jwk", "d", "AAAA"), "bad_cnf"),
    (22, "cnf by reference", setting("/cnf", {"jku": "https://evil"}), "bad_cnf"),
    (22, "cnf of another curve", setting("/cnf/jwk/crv", "X25519"), "bad_cnf"),
    (22, "cnf is null", setting("/cnf", None), "bad_cnf"),
    (28, "negative budget", setting("/halo/bud/USD/max", -1), "bad_bud"),
    (29, "budget true", setting("/halo/bud/USD/max", True), "bad_bud"),
    (31, "budget as text", setting("/halo/bud/USD/max", "500"), "bad_bud"),
    (31, "budget null", setting("/halo/bud/USD/max", None), "bad_bud"),
    (28, "negative decimals", setting("/halo/bud/USD/decimals", -1), "bad_bud"),
    (28, "per action above subtree", setting("/halo/bud/USD/max", 5001), "bad_bud"),
    (28, "unknown member of a budget", adding("/halo/bud/USD", "refill"), "bad_bud"),
    (28, "budgets as a list", setting("/halo/bud", []), "bad_bud"),
    (28, "unit with a blank", setting("/halo/bud/U D", {"decimals": 0, "max": 1, "max_subtree": 1}), "bad_bud"),
    (34, "unknown top-level claim", adding("", "scope", "all"), "claims_shape"),
    (34, "unknown private claim", adding("/halo", "x"), "claims_shape"),
    *[(34, f"no {name}", removing(name), "claims_shape") for name in json.loads(CLAIMS)],
    (34, "non-ASCII member name", adding("/halo", "ä"), "claims_shape"),
    (34, "decay on a standing link", setting("/halo/dcy", {}), "claims_shape"),
    (34, "unknown version", setting("/halo/ver", 2), "claims_shape"),
    (34, "version true", setting("/halo/ver", True), "claims_shape"),
    (34, "unknown kind", setting("/halo/kind", "root"), "claims_shape"),
    (34, "kind is a list", setting("/halo/kind", ["standing"]), "claims_shape"),
    (34, "agent is a number", setting("/client_id", 1), "claims_shape"),
    (34, "agent with a zero-width space", setting("/client_id", "plan\u200bner"), "claims_shape"),
    (34, "agent written backwards", setting("/client_id", "plan\u202ener"), "claims_shape"),
    (34, "audience is a text", setting("/aud", "store-1"), "claims_shape"),
    (34, "no audience", setting("/aud", []), "claims_shape"),
    (34, "epoch 0", setting("/halo/epoch", 0), "claims_shape"),
    (34, "policy not a digest", setting("/halo/pol", "latest"), "claims_shape"),
    (37, "constraint nesting bomb", setting(f"{TO}/values", nested_values(50)), "bad_constraint"),
    (37, "constraint nesting bomb, deeper", setting(f"{TO}/values", nested_values(200)), "too_deep"),
    (42, "lifetime over cap", setting("/exp", NOW + 366 * 86_400 + 1), "bad_times"),
    (42, "expires before it begins", setting("/exp", NOW), "bad_times"),
    (42, "begins before it was issued", setting("/nbf", NOW - 1), "bad_times"),
    (42, "expires as text", setting("/exp", str(NOW + 3600)), "bad_times"),
    (42, "expires never", setting("/exp", None), "bad_times"),
    (42, "issued true", setting("/iat", True), "bad_times"),
    (42, "negative time", setting("/iat", -1), "bad_times"),
    (55, "depth bomb", setting("/del_max_depth", 10), "bad_depth"),
    (57, "standing link at depth 1", setting("/del_depth", 1), "bad_depth"),
    (57, "standing link with a parent", adding("", "par_hash", encode_b64url(bytes(32))), "bad_depth"),
    (57, "negative depth", setting("/del_depth", -1), "bad_depth"),
    (57, "depth false", setting("/del_depth", False), "bad_depth"),
    (70, "unknown constraint type", setting(f"{TO}/constraint_type", "regex"), "unknown_constraint"),
    (70, "constraint type all", setting(TO, {"constraint_type": "all", "constraints": []}), "unknown_constraint"),
    (70, "no constraint type", setting(TO, {"values": ["x"]}), "bad_constraint"),
    (70, "unknown member of a constraint", adding(TO, "unless", ["x"]), "bad_constraint"),
    (79, "class ceiling as text", setting("/halo/cls", "pii"), "bad_cls"),
    (80, "hand-off targets as text", setting("/halo/hand", "researcher"), "bad_hand"),
    (80, "hand-off target with a newline", setting("/halo/hand", ["a\nb"]), "bad_hand"),
    (
        85,
        "cyrillic homoglyph argument",
        setting(f"{RULE}/email.send/t\u043e", {"constraint_type": "wildcard"}),
        "bad_detail",
    ),
    (88, "tool name with a control character", setting(f"{RULE}/email\x7f.send", {}), "bad_tool_id"),
    (88, "tool name with newline", setting(f"{RULE}/email.send\n", {}), "bad_tool_id"),
    (88, "tool name with a blank at its end", setting(f"{RULE}/email.send ", {}), "bad_tool_id"),
    (88, "tool glob", setting(f"{RULE}/email.*", {}), "bad_tool_id"),
    (
        88,
        "empty tool name",
        lambda c: c["authorization_details"][0]["actions"]["tool_call"].update({"": {}}),
        "bad_tool_id",
    ),
    (89, "second authorization detail", lambda c: c["authorization_details"].append(DETAIL), "bad_detail"),
    (89, "no authorization detail", setting("/authorization_details", []), "bad_detail"),
    (90, "foreign detail type", setting("/authorization_details/0/type", "attenuating_agent_token"), "bad_detail"),
    (90, "unknown member of the detail", adding("/authorization_details/0", "locations"), "bad_detail"),
    (90, "unknown action kind", setting("/authorization_details/0/actions/any", {}), "bad_detail"),
    (95, "iss swapped under the right key", setting("/iss", "https://other.example"), "bad_iss"),
    (95, "iss of another key", lambda c: c.update(iss=c["iss"].replace(ISSUER.key_id, OTHER.key_id)), "bad_iss"),
    (95, "iss is a list", lambda c: c.update(iss=[c["iss"]]), "bad_iss"),
]


def names(rows):
    return [f"{number}-{name.replace(' ', '_')}" for number, name, *_ in rows]


@pytest.mark.parametrize(("number", "attack", "token", "code"), WIRE + CLAIM_TEXT, ids=names(WIRE + CLAIM_TEXT))
def test_wire(number, attack, token, code):
    assert code_of(token) == code


@pytest.mark.parametrize(("number", "attack", "change", "code"), SHAPES, ids=names(SHAPES))
def test_shape(number, attack, change, code):
    assert code_of(with_claims_anyhow(change)) == code


def with_claims_anyhow(change) -> str:
    """As `with_claims`, also where the canonical printer would refuse to print."""
    claims = json.loads(CLAIMS)
    change(claims)
    return signed(json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.parametrize(
    "name",
    ["em\u0430il.send", "email\u200b.send", "\uff45mail.send"],
    ids=["85-cyrillic", "86-zero-width", "87-fullwidth"],
)
def test_85_86_deceptive_names_can_neither_be_granted_nor_called(name):
    assert code_of(with_claims_anyhow(setting(f"{RULE}/{name}", {}))) == "bad_tool_id"
    grants = {TOOL: {name: {}}}
    with pytest.raises(PassportError) as caught:
        mint_standing(
            signer=ISSUER,
            tenant="acme",
            agent="planner",
            principal="user:alice",
            audience="store-1",
            holder_public_key=HOLDER.public_key,
            grants=grants,
            now_s=NOW,
            lifetime_s=60,
            jti="j",
            txn="t",
        )
    assert caught.value.code == "bad_tool_id"
    assert find_violation(verify(TOKEN).grants, TOOL, name, {}).code == "tool_not_granted"


def test_21_a_low_order_issuer_key_is_no_trust():
    """Nobody signed this: under a low-order key the identity signature fits any message in lenient libraries."""
    weak = IDENTITY
    header = encode_b64url(
        canonical.dumps({"alg": "Ed25519", "kid": compute_key_thumbprint(weak), "typ": "halo-passport+jwt"})
    )
    token = f"{header}.{PAYLOAD}.{encode_b64url(IDENTITY + bytes(32))}"
    with pytest.raises(PassportError) as caught:
        verify_standing(token, trusted={compute_key_thumbprint(weak): weak}, audience="store-1", tenant="acme")
    assert caught.value.code == "bad_sig"


def test_21_a_mixed_order_issuer_key_is_no_trust():
    """Ambiguous keys: this signature verifies by libsodium's rules, and by others' it does not."""
    seed = bindings.crypto_hash_sha512(b"s" * 32)[:32]
    secret = bindings.crypto_core_ed25519_scalar_reduce(seed + bytes(32))
    torsion = bytes.fromhex("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a")
    key = bindings.crypto_core_ed25519_add(bindings.crypto_scalarmult_ed25519_base_noclamp(secret), torsion)
    header = encode_b64url(
        canonical.dumps({"alg": "Ed25519", "kid": compute_key_thumbprint(key), "typ": "halo-passport+jwt"})
    )
    message = f"{header}.{PAYLOAD}".encode()
    for number in range(1, 1000):
        nonce = number.to_bytes(32, "little")
        point = bindings.crypto_scalarmult_ed25519_base_noclamp(nonce)
        challenge = bindings.crypto_core_ed25519_scalar_reduce(bindings.crypto_hash_sha512(point + key + message))
        scalar = bindings.crypto_core_ed25519_scalar_add(
            nonce, bindings.crypto_core_ed25519_scalar_mul(challenge, secret)
        )
        if raw_verify(key, message, point + scalar):
            break
    else:
        pytest.fail("no ambiguous signature was found")
    token = f"{message.decode()}.{encode_b64url(point + scalar)}"
    with pytest.raises(PassportError) as caught:
        verify_standing(token, trusted={compute_key_thumbprint(key): key}, audience="store-1", tenant="acme")
    assert (caught.value.code, caught.value.message) == ("bad_sig", "the signer's key is weak")


@pytest.mark.parametrize(
    ("now_s", "code"),
    [(NOW + 3600, "expired"), (NOW + 10**9, "expired"), (NOW - 1, "not_yet_valid"), (0, "not_yet_valid")],
    ids=["39-expired", "39-long_expired", "40-not_yet_valid", "40-epoch"],
)
def test_time(now_s, code):
    assert check_time(verify(TOKEN), now_s) == code


@pytest.mark.parametrize("audience", ["store-2", "store-1 ", "STORE-1", "", "store-1\0"])
def test_43_wrong_audience(audience):
    assert code_of(TOKEN, audience=audience) == "wrong_audience"


@pytest.mark.parametrize("tenant", ["other", "ACME", "acme ", ""])
def test_45_wrong_tenant(tenant):
    assert code_of(TOKEN, tenant=tenant) == "wrong_tenant"


def test_46_the_tenant_cannot_be_switched():
    assert (
        code_of(f"{HEADER}.{encode_b64url(CLAIMS.replace(b'acme', b'evil'))}.{SIGNATURE}", tenant="evil") == "bad_sig"
    )


def test_47_a_link_of_a_chain_is_no_root():
    """A hand-off link presented alone: its header carries no `kid`."""
    header = encode_b64url(canonical.dumps({"alg": "Ed25519", "typ": "halo-passport+jwt"}))
    assert code_of(signed(CLAIMS, header=header, signer=HOLDER)) == "unknown_root_or_header"


def test_93_the_agent_cannot_issue_its_own_root():
    claims = json.loads(CLAIMS)
    claims["iss"] = claims["iss"].replace(ISSUER.key_id, HOLDER.key_id)
    payload = canonical.dumps(claims)
    assert code_of(signed(payload, signer=HOLDER)) == "bad_sig"
    header = encode_b64url(canonical.dumps({"alg": "Ed25519", "kid": HOLDER.key_id, "typ": "halo-passport+jwt"}))
    assert code_of(signed(payload, header=header, signer=HOLDER)) == "unknown_root_or_header"


def test_94_a_key_taken_off_the_trust_list_ends_its_passports():
    with pytest.raises(PassportError) as caught:
        verify_standing(TOKEN, trusted={}, audience="store-1", tenant="acme")
    assert caught.value.code == "unknown_root_or_header"


CALLS = [
    (106, "tool not granted", "shell.exec", {}, "tool_not_granted"),
    (87, "case-folded tool", "Email.Send", {"to": "ops@acme.com"}, "tool_not_granted"),
    (107, "extra argument", "crm.search", {"limit": 5, "sudo": True}, "args_closed_world"),
    (107, "bcc", "email.send", {"to": "ops@acme.com", "body": "x", "bcc": "evil@evil"}, "args_closed_world"),
    (108, "missing constrained argument", "email.send", {"body": "x"}, "args_closed_world"),
    (109, "argument out of range", "crm.search", {"limit": 101}, "arg_violates"),
    (109, "argument just above", "crm.search", {"limit": 100.00001}, "arg_violates"),
    (109, "argument NaN", "crm.search", {"limit": float("nan")}, "arg_violates"),
    (109, "argument infinite", "crm.search", {"limit": float("inf")}, "arg_violates"),
    (110, "bool as integer", "crm.search", {"limit": True}, "arg_violates"),
    (110, "text as integer", "crm.search", {"limit": "5"}, "arg_violates"),
    (110, "null as integer", "crm.search", {"limit": None}, "arg_violates"),
    (111, "path traversal", "file.read", {"path": "/data/../etc/passwd"}, "arg_violates"),
    (111, "encoded path traversal", "file.read", {"path": "/data/%2e%2e/etc/passwd"}, "arg_violates"),
    (111, "backslash path traversal", "file.read", {"path": "/data/..\\etc"}, "arg_violates"),
    (111, "NUL in a path", "file.read", {"path": "/data/x\0.txt"}, "arg_violates"),
    (69, "sideways prefix", "file.read", {"path": "/database/x"}, "arg_violates"),
    (113, "recipients as a list", "email.send", {"to": ["ops@acme.com", "evil@evil"]}, "arg_violates"),
    (113, "recipient with a second one", "email.send", {"to": "ops@acme.com,evil@evil"}, "arg_violates"),
    (113, "recipient with a header", "email.send", {"to": "ops@acme.com\nBcc: evil@evil"}, "arg_violates"),
    (113, "recipient as an entity", "email.send", {"to": {"__entity": {"type": "A", "id": "b"}}}, "arg_violates"),
]


@pytest.mark.parametrize(("number", "attack", "resource", "args", "code"), CALLS, ids=names(CALLS))
def test_call(number, attack, resource, args, code):
    assert find_violation(verify(TOKEN).grants, TOOL, resource, args).code == code


def test_64_65_type_confusion():
    rules = {TOOL: {"t": {"n": Constraint(ConstraintKind.EXACT, (1,))}}}
    assert find_violation(rules, TOOL, "t", {"n": 1}) is None
    for value in ("1", True, 1.0, [1]):
        assert find_violation(rules, TOOL, "t", {"n": value}).code == "arg_violates"


def test_112_class_over_ceiling():
    assert list_label_violations(verify(TOKEN).labels, ("pii",)) == []
    assert list_label_violations(verify(TOKEN).labels, ("chd", "pii")) == [("class_ceiling", "chd")]
