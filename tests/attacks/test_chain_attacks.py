"""The attacks 1 to 113 of the passport's abuse list (and 134, 135, which need no store), each with its refusal.

The number in front of an id is that of the list. Where a code differs from the list's, on purpose:

    no.  here                  list                  why
    15   bad_header            bad_header            stands for 2 to 14 in a derived link, which has no `kid` to look up
    20   bad_cnf               holder_not_registered a weak key is refused while parsing, before a registry is asked
    21   bad_cnf, bad_sig      bad_sig               as 20; `bad_sig` where the weak key is given to the verifier
    48   bad_sig,              bad_sig               a session link has its standing link's key, so with it left out the
         par_hash_mismatch                           signature holds, and the hash of the parent does not
    52   bad_header, bad_sig,  bad_sig, cycle or     as 48, for a session link twice; a repeated `jti` has its own code
         par_hash_mismatch,    bad_header
         jti_reused
    82   epoch_changed,        epoch_changed         a session link may begin an epoch, but only on an approval
         bad_reauthorization
    84   txn_altered           txn_altered           of hand-offs; a session link's `txn` is its session

114 to 130 need the store's counters, clock and revocations.
"""

from __future__ import annotations

import copy
import hmac
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chain_world import (
    AGENTS,
    APPROVER,
    DAY,
    GRANTS,
    ISSUER,
    KEYS,
    NOW,
    STORE,
    STRANGER,
    TOOL,
    TRUSTED,
    approval,
    chain,
    claims_of,
    forge,
    handoff,
    printed,
    relink,
    session,
    set_at,
    sign,
    standing,
    verify,
)
from counts import count
from halo_core.crypto import canonical
from halo_core.errors import PassportError
from halo_core.model import Budget
from halo_core.passports import Issuer, TrustAnchors, check_time, find_violation, link_to_claims
from halo_core.passports.chain import verify_pop
from halo_core.passports.claims import issuer_uri
from halo_core.passports.codec import DERIVED_HEADER, decode_b64url, encode_b64url, make_header, open_token
from halo_core.passports.grants import grants_to_json, list_label_violations
from halo_core.passports.minting import mint_pop

ROOT_HEADER = make_header(ISSUER.key_id, "halo-passport+jwt")
CHAIN = chain(4)  # standing and session: planner; hand-offs: researcher, writer
GROUP_ORDER = 2**252 + 27742317777372353535851937790883648493
WEAK = b"\x01" + bytes(31)
BEYOND = sorted([*AGENTS[1:], "planner"])
WILD = {"constraint_type": "wildcard"}

Refused = tuple[str, Callable[[], object], str]


def code_of(attack: Callable[[], object]) -> object:
    """The code an attack is refused with: an exception's, a violation's, or the code itself."""
    try:
        found = attack()
    except PassportError as exc:
        return exc.code
    return getattr(found, "code", found)


def chained(name: str, tokens: list, code: str, **how) -> Refused:
    return name, lambda: verify(tokens, **how), code


def root(name: str, change, code: str) -> Refused:
    """Claims of the standing link changed, signed by the issuer again."""
    claims = claims_of(CHAIN[0])
    change(claims)
    return chained(name, [sign(printed(claims), ISSUER, ROOT_HEADER), *CHAIN[1:]], code)


def at(length: int, name: str, change, code: str) -> Refused:
    """Claims of link `length` (2 the session link) changed, signed by its issuer again."""
    return chained(name, forge(CHAIN[:length], change), code)


def text(name: str, old: bytes, new: bytes, code: str) -> Refused:
    """The writer's link with other bytes, rightly signed."""
    payload = decode_b64url(CHAIN[3].split(".")[1])
    assert payload.count(old) == 1, old
    return signed(name, payload.replace(old, new), code)


def signed(name: str, payload: bytes, code: str) -> Refused:
    return chained(name, [*CHAIN[:3], sign(payload, KEYS["researcher"])], code)


def header(name: str, code: str = "unknown_root_or_header", **changes) -> Refused:
    plain = {"alg": "Ed25519", "kid": ISSUER.key_id, "typ": "halo-passport+jwt", **changes}
    plain = {key: value for key, value in plain.items() if value is not None}
    payload = decode_b64url(CHAIN[0].split(".")[1])
    return chained(name, [sign(payload, ISSUER, canonical.dumps(plain)), *CHAIN[1:]], code)


def child_header(name: str, signer=KEYS["researcher"], **changes) -> Refused:
    plain = {"alg": "Ed25519", "typ": "halo-passport+jwt", **changes}
    payload = decode_b64url(CHAIN[3].split(".")[1])
    return chained(name, [*CHAIN[:3], sign(payload, signer, canonical.dumps(plain))], "bad_header")


def segment(name: str, index: int, part: int, change, code: str) -> Refused:
    """One segment of one token rewritten, the signature left as it is."""
    parts = CHAIN[index].split(".")
    parts[part] = change(parts[part])
    return chained(name, [*CHAIN[:index], ".".join(parts), *CHAIN[index + 1 :]], code)


def alias(segment_text: str) -> str:
    """Another spelling of the same bytes: the unused low bits of the last character differ."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return segment_text[:-1] + alphabet[alphabet.index(segment_text[-1]) ^ 1]


def flip(segment_text: str) -> str:
    raw = bytearray(decode_b64url(segment_text))
    raw[10] ^= 1
    return encode_b64url(bytes(raw))


def malleate(segment_text: str) -> str:
    raw = decode_b64url(segment_text)
    return encode_b64url(raw[:32] + (int.from_bytes(raw[32:], "little") + GROUP_ORDER).to_bytes(32, "little"))


def hs256() -> str:
    signing_input = (
        encode_b64url(canonical.dumps({"alg": "HS256", "kid": ISSUER.key_id, "typ": "halo-passport+jwt"}))
        + "."
        + CHAIN[0].split(".")[1]
    )
    return f"{signing_input}.{encode_b64url(hmac.digest(ISSUER.public_key, signing_input.encode(), 'sha256'))}"


def unsigned() -> str:
    plain = canonical.dumps({"alg": "nOnE", "kid": ISSUER.key_id, "typ": "halo-passport+jwt"})
    return f"{encode_b64url(plain)}.{CHAIN[0].split('.')[1]}."


def granting(change) -> Callable:
    """The parent's grants, changed, in place of the reference to them."""

    def apply(claims):
        (detail,) = grants_to_json(GRANTS)
        detail = copy.deepcopy(detail)
        change(detail["actions"])
        claims["authorization_details"] = [detail]

    return apply


def scope(name: str, path: str, value, code: str = "scope_widened") -> Refused:
    return at(3, name, granting(set_at(path, value)), code)


def unscope(name: str, tool: str, argument: str) -> Refused:
    return at(3, name, granting(lambda actions: actions["tool_call"][tool].pop(argument)), "scope_widened")


def tool_named(name: str, tool: str, code: str) -> Refused:
    return at(3, name, granting(lambda actions: actions["tool_call"].update({tool: {}})), code)


def nested(depth: int):
    value: object = "x"
    for _ in range(depth):
        value = [value]
    return value


def all_of(*changes):
    def apply(claims):
        for change in changes:
            change(claims)

    return apply


def drop(path: str, member: str):
    def apply(claims):
        node = claims
        for name in filter(None, path.split("/")):
            node = node[name]
        del node[member]

    return apply


def holder(signer) -> Callable:
    return set_at("/cnf/jwk/x", encode_b64url(signer.public_key))


LOOSE = [standing(hand_off_to=BEYOND, agent="planner")]
LOOSE.append(session(LOOSE[0]))
LOOSE.append(handoff(LOOSE, "researcher", hand_off_to=BEYOND))
LATE = forge(CHAIN[:2], set_at("/nbf", NOW + 60))
EARLY = set_at("/nbf", NOW)
SIBLING = standing(jti="jti-standing", txn="txn-2")
PAYLOAD = decode_b64url(CHAIN[3].split(".")[1])
MAX_USD = b'"USD":{"decimals":6,"max":500000,'


def usd(value: bytes) -> tuple[bytes, bytes]:
    return MAX_USD, MAX_USD.replace(b"500000", value)


# -- proof of possession -----------------------------------------------------------------------------------------------

PROOF = {
    "signer": KEYS["writer"],
    "leaf_token": CHAIN[3],
    "audience": STORE,
    "action": "crm.search",
    "args_digest": "sha256:" + "2" * 64,
    "now_s": NOW,
    "jti": "proof-1",
}


def proof(name: str, code: str, *, seen: set | None = None, tokens: list | None = None, **changes) -> Refused:
    """A proof with a change is presented for the call that is not changed."""
    return name, lambda: prove(mint_pop(**{**PROOF, **changes}), seen or set(), tokens or CHAIN), code


def prove(token: str, seen: set, tokens: list = CHAIN) -> None:
    def noted(name: str) -> bool:
        before = name in seen
        seen.add(name)
        return before

    known = {name: PROOF[name] for name in ("audience", "action", "args_digest", "now_s")}
    verify_pop(token, leaf=verify(tokens)[-1], leaf_token=tokens[-1], **known, note_id=noted)


def replayed():
    token, seen = mint_pop(**PROOF), set()
    prove(token, seen)
    prove(token, seen)


OTHER_LEAF = [*CHAIN[:3], handoff(CHAIN[:3], "writer", jti="jti-writer-2")]

# -- calls -------------------------------------------------------------------------------------------------------------


def call(name: str, tool: str, args: dict, code: str) -> Refused:
    return name, lambda: find_violation(verify(CHAIN)[-1].grants, TOOL, tool, args), code


def at_time(name: str, now_s: int, code: str) -> Refused:
    return name, lambda: check_time(verify(CHAIN)[-1], now_s), code


# -- re-authorization --------------------------------------------------------------------------------------------------


def renewed(**changes) -> list[str]:
    """A session that rests on an answer, to be spoilt."""
    root_token = standing(**changes)
    return [root_token, session(root_token, epoch=2, reauthorization=approval(), jti="jti-epoch-2")]


def renewal(name: str, code: str, *, change=lambda claims: None, trusted: TrustAnchors = TRUSTED, **answer) -> Refused:
    """A session link of epoch 2 that rests on an answer with a change."""
    good = renewed()
    spoilt = all_of(set_at("/halo/rea", approval(**answer)), change)
    return chained(name, forge(good, spoilt), code, trusted=trusted)


def approved_by(signer, name: str) -> TrustAnchors:
    return TrustAnchors(issuers=TRUSTED.issuers, approvers={signer.key_id: (name, signer.public_key)})


HUGE = Budget("USD", 500_000, 7_000_000, 6)

ATTACKS: list[Refused] = [
    chained("001-root-signed-by-unknown-key", [sign(printed(claims_of(CHAIN[0])), STRANGER, ROOT_HEADER)], "bad_sig"),
    header("002-alg-none", alg="none"),
    chained("002-alg-none-unsigned", [unsigned()], "unknown_root_or_header"),
    chained("003-alg-hs256-with-the-public-key-as-secret", [hs256()], "unknown_root_or_header"),
    header("004-legacy-alg-eddsa", alg="EdDSA"),
    header("005-header-jku", jku="https://evil/jwks"),
    header("006-header-x5u", x5u="https://evil"),
    header("007-header-jwk", jwk={"crv": "Ed25519", "kty": "OKP", "x": encode_b64url(STRANGER.public_key)}),
    header("008-header-crit", crit=["b64"]),
    header("009-header-b64", b64=False),
    header("010-header-zip", zip="DEF"),
    header("011-header-kid-is-a-path", kid="../../../etc/passwd"),
    header("012-header-kid-is-sql", kid="k1' OR 1=1--"),
    header("013-header-typ-of-an-access-token", typ="at+jwt"),
    header("014-header-typ-of-a-proof", typ="halo-pop+jwt"),
    header("014-header-typ-of-an-approval", typ="halo-approval+jwt"),
    child_header("015-child-header-with-kid", kid=KEYS["researcher"].key_id),
    child_header("015-child-header-with-the-issuers-kid", signer=ISSUER, kid=ISSUER.key_id),
    child_header("015-child-header-with-jwk", jwk={"crv": "Ed25519", "kty": "OKP", "x": encode_b64url(WEAK)}),
    child_header("015-child-header-alg-none", alg="none"),
    child_header("015-child-header-typ-of-a-proof", typ="halo-pop+jwt"),
    *[segment(f"016-one-flipped-payload-bit-of-link-{n}", n, 1, flip, "bad_sig") for n in range(4)],
    *[segment(f"017-another-spelling-of-signature-{n}", n, 2, alias, "noncanonical_b64") for n in range(4)],
    segment("018-junk-in-base64", 2, 2, lambda s: s[:10] + "!" + s[10:], "malformed_b64"),
    segment("018-padding", 3, 2, lambda s: s + "==", "malformed_b64"),
    *[segment(f"019-s-plus-l-malleated-signature-{n}", n, 2, malleate, "bad_sig") for n in range(4)],
    at(3, "020-low-order-cnf-key", set_at("/cnf/jwk/x", encode_b64url(WEAK)), "bad_cnf"),
    at(4, "020-low-order-cnf-key-of-the-leaf", set_at("/cnf/jwk/x", encode_b64url(WEAK)), "bad_cnf"),
    chained(
        "021-low-order-cnf-key-even-if-registered",
        forge(CHAIN[:3], set_at("/cnf/jwk/x", encode_b64url(WEAK))),
        "bad_cnf",
        trusted=TrustAnchors(issuers=TRUSTED.issuers, holders={"researcher": WEAK}),
    ),
    (
        "021-low-order-key-given-to-the-verifier",
        lambda: open_token(CHAIN[3].rsplit(".", 1)[0] + "." + encode_b64url(WEAK + bytes(32)), {DERIVED_HEADER: WEAK}),
        "bad_sig",
    ),
    at(3, "022-private-key-in-cnf", set_at("/cnf/jwk/d", "AAAA"), "bad_cnf"),
    text("023-duplicate-member", b'"ten":"acme"', b'"ten":"acme","ten":"acme"', "dup_member"),
    text("024-float-budget", *usd(b"500000.0"), "non_integer_number"),
    text("025-nan-budget", *usd(b"NaN"), "non_integer_number"),
    text("026-infinite-budget", *usd(b"Infinity"), "non_integer_number"),
    text("027-1e400-budget", *usd(b"1e400"), "non_integer_number"),
    text("028-negative-budget", *usd(b"-1"), "bad_bud"),
    at(4, "028-negative-subtree", set_at("/halo/bud/USD/max_subtree", -1), "bad_bud"),
    root("028-negative-quota", set_at("/halo/quo/USD/per_day", -1), "bad_quo"),
    root("028-negative-budget-in-the-terms", set_at("/halo/ses/bud/USD/max", -1), "bad_bud"),
    text("029-budget-true", *usd(b"true"), "bad_bud"),
    text("030-2-to-the-53-plus-1", *usd(b"9007199254740993"), "int_range"),
    text("031-budget-as-text", *usd(b'"500000"'), "bad_bud"),
    text("032-blank", b'"ten":"acme"', b'"ten": "acme"', "noncanonical_json"),
    text("032-escaped-letter", b'"ten":"acme"', b'"ten":"\\u0061cme"', "noncanonical_json"),
    text("033-lone-surrogate", b'"ten":"acme"', b'"ten":"\\ud800"', "surrogate"),
    text("033-lone-surrogate-in-a-list", b'"aud":["store-1"]', b'"aud":["\\ud800"]', "surrogate"),
    at(4, "034-unknown-top-level-claim", set_at("/scope", "all"), "claims_shape"),
    at(4, "034-unknown-private-claim", set_at("/halo/extra", 1), "claims_shape"),
    at(4, "034-approval-on-a-hand-off", set_at("/halo/rea", ""), "claims_shape"),
    at(2, "034-quotas-on-a-session-link", set_at("/halo/quo", {}), "claims_shape"),
    at(3, "034-par-hash-is-a-number", set_at("/par_hash", 7), "claims_shape"),
    at(3, "034-par-hash-is-too-short", set_at("/par_hash", "AAAA"), "claims_shape"),
    root("034-decay-on-a-standing-link", set_at("/halo/dcy", {}), "claims_shape"),
    root("034-epoch-of-a-standing-link", set_at("/halo/epoch", 2), "claims_shape"),
    *[
        at(4, f"034-no-{member}", drop("", member), "claims_shape")
        for member in claims_of(CHAIN[3])
        if member != "par_hash"
    ],
    *[
        at(4, f"034-no-{member}-in-halo", drop("/halo", member), "claims_shape")
        for member in claims_of(CHAIN[3])["halo"]
    ],
    text("035-invalid-utf-8", b'"ten":"acme"', b'"ten":"ac\xffme"', "malformed_json"),
    signed("036-oversized-token", b"[" + b"1," * 8000 + b"1]", "too_large"),
    chained("036-oversized-chain", [CHAIN[0], *["A" * 16_000] * 5], "too_large"),
    scope("037-constraint-nesting-bomb", "/tool_call/email.send/to", {"constraint_type": nested(50)}, "bad_constraint"),
    signed("038-json-nesting-bomb", b"[" * 5000 + b"]" * 5000, "too_deep"),
    at_time("039-expired", NOW + 3600, "expired"),
    at_time("040-not-yet-valid", NOW - 1, "not_yet_valid"),
    at(3, "041-valid-before-its-parent", all_of(set_at("/iat", NOW - 9), set_at("/nbf", NOW - 9)), "time_widened"),
    at(3, "041-issued-before-its-parent", set_at("/iat", NOW - 9), "time_widened"),
    chained("041-valid-before-a-parent-that-is-not-yet", forge([*LATE, handoff(LATE, "clerk")], EARLY), "time_widened"),
    root("042-lifetime-over-cap", set_at("/exp", NOW + 366 * DAY + 1), "bad_times"),
    at(2, "042-session-over-cap", set_at("/exp", NOW + 30 * DAY + 1), "bad_times"),
    chained("043-wrong-audience", CHAIN, "wrong_audience", audience="store-2"),
    at(3, "044-audience-widened", set_at("/aud", [STORE, "store-2"]), "aud_widened"),
    at(3, "044-audience-swapped", set_at("/aud", ["store-2"]), "aud_widened"),
    chained("045-wrong-tenant", CHAIN, "wrong_tenant", tenant="other"),
    at(2, "046-session-switches-tenant", set_at("/halo/ten", "other"), "tenant_changed"),
    at(3, "046-hand-off-switches-tenant", set_at("/halo/ten", "other"), "tenant_changed"),
    chained("047-root-stripped", CHAIN[1:], "unknown_root_or_header"),
    chained("047-hand-off-alone", CHAIN[3:], "unknown_root_or_header"),
    chained("048-middle-hop-removed", [*CHAIN[:2], CHAIN[3]], "bad_sig"),
    chained("048-session-link-removed", [CHAIN[0], CHAIN[2]], "par_hash_mismatch"),
    chained(
        "048-session-link-removed-and-relinked", [CHAIN[0], relink(CHAIN[2], CHAIN[0], KEYS["planner"])], "bad_depth"
    ),
    proof("049-leaf-dropped-and-the-parents-passport-used-with-ones-own-key", "bad_sig", tokens=CHAIN[:3]),
    chained("050-hops-out-of-order", [*CHAIN[:2], CHAIN[3], CHAIN[2]], "bad_sig"),
    chained("050-session-link-after-a-hand-off", [CHAIN[0], CHAIN[2], CHAIN[1]], "par_hash_mismatch"),
    chained("051-spliced-onto-a-sibling-root", [SIBLING, *CHAIN[1:]], "par_hash_mismatch"),
    chained("052-root-twice", [CHAIN[0], CHAIN[0]], "bad_header"),
    chained("052-session-link-twice", [*CHAIN[:2], CHAIN[1]], "par_hash_mismatch"),
    chained("052-hand-off-twice", [*CHAIN[:3], CHAIN[2]], "bad_sig"),
    at(3, "052-jti-of-the-parent", set_at("/jti", "jti-session"), "jti_reused"),
    at(4, "052-jti-of-an-ancestor", set_at("/jti", "jti-session"), "jti_reused"),
    chained(
        "053-back-to-an-ancestor",
        forge([*LOOSE, handoff(LOOSE, "writer")], all_of(set_at("/client_id", "planner"), holder(KEYS["planner"]))),
        "key_reuse_cycle",
    ),
    chained(
        "053-back-to-an-ancestor-under-a-new-key",
        forge([*LOOSE, handoff(LOOSE, "writer")], set_at("/client_id", "planner")),
        "key_reuse_cycle",
    ),
    chained(
        "053-back-to-an-ancestors-key-under-a-new-name",
        forge([*LOOSE, handoff(LOOSE, "writer")], holder(KEYS["planner"])),
        "key_reuse_cycle",
    ),
    chained(
        "054-self-hand-off",
        forge(LOOSE, all_of(set_at("/client_id", "planner"), holder(KEYS["planner"]))),
        "key_reuse_cycle",
    ),
    chained("054-self-hand-off-under-a-new-key", forge(LOOSE, set_at("/client_id", "planner")), "key_reuse_cycle"),
    chained("054-self-hand-off-under-a-new-name", forge(LOOSE, holder(KEYS["planner"])), "key_reuse_cycle"),
    at(4, "055-deeper-than-allowed", set_at("/del_max_depth", 2), "bad_depth"),
    chained(
        "055-deeper-than-the-parent-allows",
        forge([*(t := [standing(max_depth=1)]), session(t[0])], set_at("/del_max_depth", 2)),
        "bad_depth",
    ),
    root("055-depth-bomb", set_at("/del_max_depth", 10), "bad_depth"),
    chained(
        "056-max-depth-raised",
        forge([*(t := [standing(max_depth=3)]), session(t[0])], set_at("/del_max_depth", 4)),
        "bad_depth",
    ),
    at(4, "057-depth-lies-shallower", set_at("/del_depth", 2), "bad_depth"),
    at(4, "057-depth-lies-deeper", set_at("/del_depth", 4), "bad_depth"),
    at(4, "057-hand-off-as-a-session-link", set_at("/del_depth", 1), "bad_depth"),
    root("057-root-with-a-depth", set_at("/del_depth", 1), "bad_depth"),
    chained("058-chain-of-40", [CHAIN[0]] * 40, "chain_len"),
    chained("058-chain-of-11", [*chain(10), CHAIN[0]], "chain_len"),
    chained("058-chain-of-none", [], "chain_len"),
    tool_named("059-adds-a-tool", "shell.exec", "scope_widened"),
    at(3, "059-adds-an-action-kind", granting(lambda a: a.update(inference={"m": {}})), "scope_widened"),
    scope("060-raises-a-range", "/tool_call/crm.search/limit/max", 101),
    scope("061-lowers-a-range", "/tool_call/crm.search/limit/min", 0),
    scope("061-drops-a-bound", "/tool_call/crm.search/limit", {"constraint_type": "range", "max": 100}),
    scope("062-one-of-to-wildcard", "/tool_call/email.send/to", WILD),
    scope("063-one-of-to-not-one-of", "/tool_call/email.send/to", {"constraint_type": "not_one_of", "excluded": ["x"]}),
    scope("064-text-for-a-number", "/tool_call/flag.set/n", {"constraint_type": "exact", "value": "1"}),
    scope("065-true-for-1", "/tool_call/flag.set/n", {"constraint_type": "exact", "value": True}),
    unscope("066-drops-a-constrained-argument", "crm.search", "limit"),
    scope("067-empties-the-arguments", "/tool_call/crm.search", {}),
    scope("067-opens-the-arguments", "/tool_call/crm.search/**", WILD),
    scope("068-adds-an-argument", "/tool_call/crm.search/all", WILD),
    scope("069-prefix-sideways", "/tool_call/file.read/path", {"constraint_type": "prefix", "value": "/dat"}),
    scope("069-prefix-climbs", "/tool_call/file.read/path", {"constraint_type": "prefix", "value": "/data/../etc/"}),
    scope("070-unknown-constraint", "/tool_call/crm.search/q", {"constraint_type": "regex"}, "unknown_constraint"),
    at(2, "071-session-outlives-its-terms", set_at("/exp", NOW + 3601), "time_widened"),
    at(3, "071-hand-off-outlives-its-session", set_at("/exp", NOW + 3601), "time_widened"),
    at(2, "072-raises-the-subtree-over-the-terms", set_at("/halo/bud/USD/max_subtree", 2_000_001), "budget_widened"),
    at(3, "072-raises-the-subtree", set_at("/halo/bud/step/max_subtree", 21), "budget_widened"),
    at(2, "073-raises-the-action-over-the-terms", set_at("/halo/bud/USD/max", 500_001), "budget_widened"),
    at(3, "073-raises-the-action", set_at("/halo/bud/step/max", 2), "budget_widened"),
    at(2, "074-session-drops-a-unit", drop("/halo/bud", "risk"), "budget_units_changed"),
    at(3, "074-hand-off-drops-a-unit", drop("/halo/bud", "risk"), "budget_units_changed"),
    at(
        3,
        "074-adds-a-unit",
        set_at("/halo/bud/EUR", {"decimals": 0, "max": 1, "max_subtree": 1}),
        "budget_units_changed",
    ),
    at(3, "075-rescales-decimals", set_at("/halo/bud/USD/decimals", 0), "budget_widened"),
    *[
        at(length, f"076-slower-decay-{member}-{length}", set_at(f"/halo/dcy/{member}", value), "decay_widened")
        for member, value in (("hl_s", 1801), ("hl_steps", 21), ("hl_risk", 20_001), ("a0", 800_001))
        for length in (2, 3)
    ],
    *[at(n, f"077-lower-threshold-{n}", set_at("/halo/dcy/reauth", 99_999), "decay_widened") for n in (2, 3)],
    *[at(n, f"077-lower-floor-{n}", set_at("/halo/dcy/floors/payment", 99_999), "decay_widened") for n in (2, 3)],
    at(3, "077-later-band", set_at("/halo/dcy/bands/0/0", 101), "decay_widened"),
    at(3, "077-higher-band", set_at("/halo/dcy/bands/1/1", 200_001), "decay_widened"),
    at(3, "077-no-bands", set_at("/halo/dcy/bands", []), "decay_widened"),
    *[
        at(3, f"078-zero-{member}", set_at(f"/halo/dcy/{member}", 0), "bad_dcy")
        for member in ("hl_s", "hl_steps", "hl_risk", "a0")
    ],
    root("078-zero-half-life-in-the-terms", set_at("/halo/ses/dcy/hl_s", 0), "bad_dcy"),
    at(3, "078-a-floor-left-out", drop("/halo/dcy/floors", "payment"), "bad_dcy"),
    at(3, "078-a-band-that-rises", set_at("/halo/dcy/bands/1/1", 600_000), "bad_dcy"),
    at(3, "078-a-band-twice", set_at("/halo/dcy/bands/1/0", 100), "bad_dcy"),
    at(3, "079-raises-the-data-class", set_at("/halo/cls", ["chd", "pii", "secret"]), "class_widened"),
    at(3, "079-any-data-class", set_at("/halo/cls", None), "class_widened"),
    at(3, "080-adds-a-hand-off-target", set_at("/halo/hand", BEYOND), "handoff_widened"),
    at(2, "081-new-envelope", set_at("/halo/env", "mine"), "envelope_changed"),
    at(3, "081-new-envelope-of-a-hand-off", set_at("/halo/env", "mine"), "envelope_changed"),
    at(3, "082-hand-off-bumps-the-epoch", set_at("/halo/epoch", 2), "epoch_changed"),
    at(2, "082-session-bumps-the-epoch", set_at("/halo/epoch", 2), "bad_reauthorization"),
    at(2, "083-session-changes-principal", set_at("/sub", "user:bob"), "principal_altered"),
    at(3, "083-hand-off-changes-principal", set_at("/sub", "user:bob"), "principal_altered"),
    at(3, "084-changes-txn", set_at("/txn", "session-2"), "txn_altered"),
    tool_named("085-cyrillic-homoglyph", "em\u0430il.send", "bad_tool_id"),
    tool_named("086-zero-width", "email\u200b.send", "bad_tool_id"),
    tool_named("087-fullwidth", "\uff45mail.send", "bad_tool_id"),
    tool_named("087-other-case", "Email.send", "scope_widened"),
    tool_named("088-newline", "email.send\n", "bad_tool_id"),
    at(3, "089-second-detail", lambda c: c["authorization_details"].append(grants_to_json(GRANTS)[0]), "bad_detail"),
    at(3, "089-no-detail", set_at("/authorization_details", []), "bad_detail"),
    at(3, "090-foreign-detail-type", set_at("/authorization_details/0/type", "attenuating_agent_token"), "bad_detail"),
    root(
        "090-root-with-its-parents-grants",
        set_at("/authorization_details", [{"type": "halo_grant_parent"}]),
        "bad_detail",
    ),
    at(3, "090-parents-grants-and-more", set_at("/authorization_details/0/actions", {}), "bad_detail"),
    at(3, "091-agent-not-allowed", set_at("/client_id", "mallory"), "handoff_not_allowed"),
    chained(
        "091-agent-that-the-hand-off-no-longer-allows",
        forge(
            [*(t := [*CHAIN[:2], handoff(CHAIN[:2], "researcher", hand_off_to=["writer"])]), handoff(t, "writer")],
            set_at("/client_id", "checker"),
        ),
        "handoff_not_allowed",
    ),
    chained(
        "092-registered-agent-under-another-key",
        forge(CHAIN[:3], holder(STRANGER)),
        "holder_not_registered",
        trusted=TrustAnchors(issuers=TRUSTED.issuers, holders={"researcher": KEYS["researcher"].public_key}),
    ),
    chained(
        "092-key-registered-to-another-agent",
        CHAIN[:3],
        "holder_not_registered",
        trusted=TrustAnchors(issuers=TRUSTED.issuers, holders={"mallory": KEYS["researcher"].public_key}),
    ),
    chained(
        "092-agent-that-nobody-registered",
        CHAIN[:3],
        "holder_not_registered",
        trusted=TrustAnchors(issuers=TRUSTED.issuers, registered_only=True),
    ),
    chained(
        "093-agent-issues-its-own-root",
        [
            sign(
                printed({**claims_of(CHAIN[0]), "iss": issuer_uri(KEYS["planner"].public_key)}),
                KEYS["planner"],
                ROOT_HEADER,
            )
        ],
        "bad_sig",
    ),
    chained(
        "094-issuer-key-retired",
        CHAIN,
        "root_key_retired",
        trusted=TrustAnchors(issuers={ISSUER.key_id: Issuer(ISSUER.public_key, retired=True)}),
    ),
    chained(
        "094-retired-under-one-name-is-retired-under-all",
        CHAIN,
        "root_key_retired",
        trusted=TrustAnchors(issuers={"old": Issuer(ISSUER.public_key, retired=True), **TRUSTED.issuers}),
    ),
    chained("094-issuer-taken-off-the-list", CHAIN, "unknown_root_or_header", trusted=TrustAnchors(issuers={})),
    root("095-iss-swapped", set_at("/iss", issuer_uri(STRANGER.public_key)), "bad_iss"),
    at(3, "095-iss-of-a-hand-off-swapped", set_at("/iss", issuer_uri(ISSUER.public_key)), "bad_iss"),
    proof("096-stolen-passport-without-its-key", "bad_sig", signer=STRANGER),
    proof("097-proof-for-another-tool", "pop_tool", action="email.send"),
    proof("098-arguments-swapped", "pop_args", args_digest="sha256:" + "3" * 64),
    ("099-proof-replayed", replayed, "replay"),
    proof("100-proof-captured-at-another-store", "pop_aud", audience="store-2"),
    proof("101-proof-for-another-chain-of-the-same-key", "pop_ath", leaf_token=OTHER_LEAF[3]),
    proof("102-stale-proof", "pop_window", now_s=NOW - 31),
    proof("103-future-proof", "pop_window", now_s=NOW + 31),
    ("104-passport-as-a-proof", lambda: prove(CHAIN[3], set()), "bad_header"),
    ("104-approval-as-a-proof", lambda: prove(approval(), set()), "bad_header"),
    chained("105-proof-as-a-child-passport", [*CHAIN, mint_pop(**PROOF)], "bad_header"),
    chained("105-approval-as-a-child-passport", [*CHAIN, approval(signer=KEYS["writer"])], "bad_header"),
    chained("105-approval-as-a-root", [approval(signer=ISSUER)], "unknown_root_or_header"),
    call("106-tool-not-granted", "shell.exec", {}, "tool_not_granted"),
    call("107-extra-argument", "crm.search", {"limit": 5, "q": "x", "sudo": True}, "args_closed_world"),
    call("108-missing-argument", "email.send", {"body": "x"}, "args_closed_world"),
    call("109-out-of-range", "crm.search", {"limit": 101}, "arg_violates"),
    call("110-bool-as-a-number", "crm.search", {"limit": True}, "arg_violates"),
    call("111-path-traversal", "file.read", {"path": "/data/../etc/passwd"}, "arg_violates"),
    (
        "112-class-over-the-ceiling",
        lambda: list_label_violations(verify(CHAIN)[-1].labels, ("secret",))[0],
        "class_ceiling",
    ),
    call("113-list-instead-of-a-text", "email.send", {"to": ["ops@acme.com", "evil@evil"]}, "arg_violates"),
    renewal(
        "134-approved-by-the-agent",
        "approver_in_chain",
        signer=KEYS["planner"],
        approver="p",
        trusted=approved_by(KEYS["planner"], "p"),
    ),
    renewal(
        "134-approved-under-the-agents-name",
        "approver_in_chain",
        approver="user:Planner ",
        trusted=approved_by(APPROVER, "user:Planner "),
    ),
    renewal(
        "134-approved-by-the-principal", "approver_in_chain", approver="Alice", trusted=approved_by(APPROVER, "Alice")
    ),
    renewal("134-approved-by-the-owner", "approver_in_chain", approver="olga", trusted=approved_by(APPROVER, "olga")),
    renewal(
        "134-approved-with-the-issuers-key",
        "approver_in_chain",
        signer=ISSUER,
        approver="i",
        trusted=approved_by(ISSUER, "i"),
    ),
    chained(
        "134-approver-handed-to-afterwards",
        forge(
            [*(t := renewed(hand_off_to=["researcher", "ruth"])), handoff(t, "researcher")],
            set_at("/client_id", "ruth"),
        ),
        "approver_in_chain",
    ),
    chained(
        "134-approvers-key-handed-to-afterwards",
        [*(t := renewed()), handoff(t, "researcher", holder_public_key=APPROVER.public_key)],
        "approver_in_chain",
    ),
    renewal("134-approved-by-nobody-known", "bad_reauthorization", signer=STRANGER),
    renewal("134-approved-under-anothers-name", "bad_reauthorization", approver="user:rita"),
    renewal("134-denied", "bad_reauthorization", answer="deny", authority=0),
    renewal("134-approval-of-a-call", "bad_reauthorization", kind="call", authority=0, epoch=0),
    renewal("134-approval-of-another-session", "bad_reauthorization", session="session-2"),
    renewal("134-approval-of-another-tenant", "bad_reauthorization", tenant="other"),
    renewal("134-approval-for-another-store", "bad_reauthorization", audience="store-2"),
    renewal("134-approval-expired", "bad_reauthorization", now_s=NOW - 600),
    renewal("134-approval-of-another-epoch", "stale_epoch", epoch=3),
    renewal("134-more-authority-than-approved", "decay_widened", change=set_at("/halo/dcy/a0", 700_001)),
    renewal("134-more-than-approved", "budget_widened", budgets=[Budget("USD", 1, 2, 6)]),
    renewal("134-epoch-1-with-an-approval", "bad_reauthorization", change=set_at("/halo/epoch", 1)),
    renewal("134-no-token-at-all", "bad_reauthorization", change=set_at("/halo/rea", "approved!")),
    renewal(
        "135-above-the-ceiling", "budget_widened", budgets=[HUGE], change=set_at("/halo/bud/USD/max_subtree", 6_000_001)
    ),
    renewal(
        "135-above-the-terms-where-there-is-no-ceiling",
        "budget_widened",
        budgets=[Budget("risk", 500, 9_000)],
        change=set_at("/halo/bud/risk/max_subtree", 2_001),
    ),
    renewal(
        "135-above-the-first-authority", "decay_widened", authority=900_000, change=set_at("/halo/dcy/a0", 800_001)
    ),
]


@pytest.mark.parametrize(("attack", "code"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_chain_attack(attack, code):
    assert code_of(attack) == code


def test_every_number_of_the_list_is_attacked():
    assert {int(name.split("-")[0]) for name, *_ in ATTACKS} >= set(range(1, 114))
    assert len({name for name, *_ in ATTACKS}) == len(ATTACKS)


def test_what_is_attacked_is_good():
    assert [link.agent for link in verify(CHAIN)] == ["planner", "planner", "researcher", "writer"]
    assert verify(forge(CHAIN, lambda claims: None)) == verify(CHAIN)
    assert verify(renewed())[-1].epoch == 2
    assert verify([*LOOSE, handoff(LOOSE, "writer")])
    assert verify(forge(CHAIN[:3], granting(lambda actions: None)))[-1].grants == GRANTS
    prove(mint_pop(**PROOF), set())


# -- schema fuzzing ----------------------------------------------------------------------------------------------------

scalars = (
    st.none()
    | st.booleans()
    | st.sampled_from([-1, 0, 1, 2, NOW, NOW + 1, 2**53 - 1, 2**53, -(2**63), 1.5])
    | st.sampled_from(["", "planner", "writer", "user:alice", STORE, "sha256:" + "0" * 64, "\u200b", "x" * 300])
    | st.text("abx_$\u00e4", max_size=4)
)
trees = st.recursive(
    scalars,
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text("abx_$\u00e4", max_size=3), t, max_size=3),
    max_leaves=6,
)


def places(tree, path=()):
    yield path
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def reach(tree, path):
    for step in path:
        tree = tree[step]
    return tree


@st.composite
def mutations(draw):
    """A good chain of one to four links whose last has one or two members dropped, added, retyped or moved a little."""
    tokens = draw(st.sampled_from([CHAIN[:1], CHAIN[:2], CHAIN[:3], CHAIN, EXPLICIT, RENEWED]))
    claims = claims_of(tokens[-1])
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from([p for p in places(claims) if p]))
        node, last = reach(claims, path[:-1]), path[-1]
        what = draw(st.sampled_from(["retype", "drop", "add", "nudge", "copy"]))
        if what == "drop":
            del node[last]
        elif what == "add" and isinstance(node, dict):
            node[draw(st.text("abx_", min_size=1, max_size=3))] = draw(trees)
        elif what == "nudge" and type(node[last]) is int:
            node[last] += draw(st.sampled_from([-1, 1, 1000, -1000, 2**53]))
        elif what == "copy":
            node[last] = copy.deepcopy(reach(claims, draw(st.sampled_from([p for p in places(claims) if p]))))
        else:
            node[last] = draw(trees)
        if not claims:
            break
    return tokens, claims


EXPLICIT = forge(CHAIN[:3], granting(lambda actions: None))
RENEWED = renewed()


@settings(max_examples=count(600))
@given(mutations())
def test_mutated_claims_rightly_signed_are_refused_or_a_narrower_link(mutation):
    tokens, claims = mutation
    signer, head = (ISSUER, ROOT_HEADER) if len(tokens) == 1 else (KEYS[verify(tokens)[-2].agent], DERIVED_HEADER)
    try:
        links = verify([*tokens[:-1], sign(printed(claims), signer, head)])
    except PassportError:
        return
    leaf = links[-1]
    # What is accepted says exactly what was signed, and no more than the link above says.
    same = claims["authorization_details"] == [{"type": "halo_grant_parent"}]
    assert canonical.dumps(link_to_claims(leaf, same_grants=same)) == canonical.dumps(claims)
    if len(links) > 1:
        no_wider(links[-2], leaf)


def no_wider(parent, child):
    """Narrowing, said once more in plain sets and numbers, apart from the code that is tested."""
    kept = ("principal", "tenant", "envelope", "policy")
    assert [getattr(child, name) for name in kept] == [getattr(parent, name) for name in kept]
    assert {*child.audience} <= {*parent.audience}
    assert {*child.hand_off_to} <= {*parent.hand_off_to}
    assert {*child.labels} <= {*parent.labels}
    assert parent.not_before_s <= child.not_before_s < child.expires_at_s <= parent.expires_at_s
    assert (child.depth, child.max_depth <= parent.max_depth) == (parent.depth + 1, True)
    budgets, decay = (
        (parent.budgets, parent.decay) if parent.terms is None else (parent.terms.budgets, parent.terms.decay)
    )
    assert [(b.unit, b.decimals) for b in child.budgets] == [(b.unit, b.decimals) for b in budgets]
    for mine, theirs in zip(child.budgets, budgets, strict=True):
        assert (mine.per_action <= theirs.per_action, mine.subtree <= theirs.subtree) == (True, True)
    for name in ("authority", "half_life_s", "half_life_steps", "half_life_risk"):
        assert getattr(child.decay, name) <= getattr(decay, name)
    assert child.decay.reauthorize_below >= decay.reauthorize_below
    assert all(dict(child.decay.floors)[name] >= floor for name, floor in decay.floors)
    for kind, items in child.grants.items():
        for name, rules in items.items():
            assert {*rules} <= {*parent.grants[kind][name]} | ({*rules} if "**" in parent.grants[kind][name] else set())


@settings(max_examples=count(300))
@given(st.lists(st.binary(max_size=80) | st.text(max_size=80) | st.sampled_from(CHAIN), max_size=12))
def test_any_tokens_are_a_chain_or_a_refusal(tokens):
    try:
        links = verify(tokens, audience=None, tenant=None)
    except PassportError:
        return
    assert tokens == CHAIN[: len(links)]


@settings(max_examples=count(200))
@given(st.data())
def test_no_character_of_any_link_can_be_changed(data):
    number = data.draw(st.integers(0, 3))
    token = CHAIN[number]
    place = data.draw(st.integers(0, len(token) - 1))
    char = data.draw(st.sampled_from("AZaz09-_.= \n+/\u00e9"))
    if token[place] != char:
        with pytest.raises(PassportError):
            verify([*CHAIN[:number], token[:place] + char + token[place + 1 :], *CHAIN[number + 1 :]])


@settings(max_examples=count(200))
@given(st.sampled_from([*KEYS.values(), ISSUER, APPROVER]), st.binary(max_size=120))
def test_any_bytes_rightly_signed_are_a_refusal(signer, payload):
    for head in (ROOT_HEADER, DERIVED_HEADER):
        for above in range(4):
            with pytest.raises(PassportError):
                verify([*CHAIN[:above], sign(payload, signer, head)])


@pytest.mark.parametrize("token", [None, 1, [], {}, bytearray(b"x"), CHAIN])
def test_what_is_no_text_is_a_refusal(token):
    assert code_of(lambda: verify([token])) == "malformed_b64"
