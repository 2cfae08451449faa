"""Chains: standing, session and hand-off links minted, verified, cached; what is left out is the parent's."""

from __future__ import annotations

import dataclasses
import threading

import pytest

from chain_world import (
    AGENTS,
    APPROVER,
    BUDGETS,
    CEILINGS,
    DAY,
    DECAY,
    GRANTS,
    ISSUER,
    KEYS,
    NOW,
    SESSION,
    STORE,
    STRANGER,
    TENANT,
    TERMS,
    TOOL,
    TRUSTED,
    approval,
    chain,
    claims_of,
    forge,
    handoff,
    printed,
    session,
    set_at,
    sign,
    standing,
    verify,
)
from halo_core.errors import PassportError
from halo_core.model import Budget, Constraint, LinkKind, Quota, SessionTerms
from halo_core.passports import (
    ChainCache,
    Issuer,
    TrustAnchors,
    check_time,
    link_to_claims,
    token_hash,
    verify_chain,
    verify_standing,
)
from halo_core.passports.claims import issuer_uri
from halo_core.passports.codec import MAX_TOKEN, encode_b64url, hash_signing_input, make_header
from halo_core.passports.narrowing import find_widening


def code_of(call, *args, **kwargs):
    with pytest.raises(PassportError) as caught:
        call(*args, **kwargs)
    return caught.value.code


@pytest.mark.parametrize("length", range(1, 11))
def test_a_chain_of_every_length_verifies(length):
    tokens = chain(length)
    links = verify(tokens)
    assert links == verify([token.encode() for token in tokens])
    kinds = [LinkKind.STANDING, LinkKind.SESSION, *[LinkKind.HANDOFF] * 8][:length]
    assert [link.kind for link in links] == kinds
    assert [link.depth for link in links] == list(range(length))
    assert [link.hash for link in links] == list(map(token_hash, tokens))
    assert [link.agent for link in links] == ["planner", *AGENTS][:length]
    assert [link.parent for link in links] == ["", *map(hash_signing_input, tokens)][:length]


def test_nine_hand_offs_are_one_too_many():
    tokens = chain(10)
    assert verify(tokens)[-1].depth == 9
    with_one_more = [*tokens, tokens[-1]]
    assert code_of(verify, with_one_more) == "chain_len"
    assert code_of(handoff, tokens, "planner", signer=KEYS["closer"]) == "bad_depth"


def test_links_say_what_was_minted():
    root, run, given = verify(chain(3))
    assert (root.owner, root.envelope, root.terms, root.budgets) == ("user:olga", "jti-standing", TERMS, CEILINGS)
    assert root.quotas == (Quota("USD", 9_000_000, 6), Quota("step", 500))
    assert (run.txn, run.epoch, run.budgets, run.decay, run.terms, run.quotas) == (SESSION, 1, BUDGETS, DECAY, None, ())
    assert (run.agent, run.holder_key, run.owner) == (root.agent, root.holder_key, root.owner)
    assert run.expires_at_s == NOW + 3600
    assert (given.txn, given.budgets, given.decay, given.owner) == (SESSION, BUDGETS, DECAY, "")
    assert given.issuer == issuer_uri(KEYS["planner"].public_key)
    assert {link.envelope for link in (root, run, given)} == {"jti-standing"}
    assert run.grants is root.grants
    assert given.grants is root.grants


def test_claims_are_the_inverse_of_links():
    for tokens in (chain(4), [standing(), session(standing(), grants=dict(GRANTS))]):
        links = verify(tokens)
        for above, link, token in zip((None, *links), links, tokens, strict=False):
            same = above is not None and link.grants is above.grants
            assert link_to_claims(link, same_grants=same) == link.raw == claims_of(token)


HALF = (Budget("USD", 9, 1_000_000, 6), Budget("risk", 1, 2), Budget("step", 0, 10), Budget("time", 60, 60))


def test_a_hand_off_gives_part_of_what_its_holder_has():
    tokens = chain(2)
    narrow = {TOOL: {"crm.search": {"q": Constraint.anything(), "limit": Constraint.between(1, 10)}}}
    tight = dataclasses.replace(DECAY, half_life_s=60, bands=())
    given = handoff(
        tokens,
        "researcher",
        grants=narrow,
        labels=["pii"],
        hand_off_to=["writer"],
        budgets=HALF,
        decay=dataclasses.replace(tight, bands=DECAY.bands),
        lifetime_s=60,
        owner="user:otto",
        max_depth=3,
    )
    link = verify([*tokens, given])[-1]
    assert (link.grants, link.labels, link.hand_off_to, link.owner) == (narrow, ("pii",), ("writer",), "user:otto")
    assert (link.expires_at_s, link.max_depth, link.decay.half_life_s) == (NOW + 60, 3, 60)
    assert code_of(handoff, tokens, "researcher", decay=tight) == "decay_widened"


def test_the_expiry_is_never_beyond_the_parents():
    root = standing(lifetime_s=1800)
    run = session(root)
    assert verify([root, run])[-1].expires_at_s == NOW + 1800
    assert verify([root, run, handoff([root, run], "clerk", lifetime_s=DAY)])[-1].expires_at_s == NOW + 1800
    assert verify([root, session(root, now_s=NOW + 60, lifetime_s=60)])[-1].expires_at_s == NOW + 120


WIDER = {TOOL: {**GRANTS[TOOL], "shell.exec": {}}}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grants": WIDER}, "scope_widened"),
        ({"labels": ["secret"]}, "class_widened"),
        ({"hand_off_to": ["mallory"]}, "handoff_widened"),
        ({"max_depth": 10}, "bad_depth"),
        ({"max_depth": 0}, "bad_depth"),
        ({"lifetime_s": 3601}, "time_widened"),
        ({"lifetime_s": 0}, "bad_times"),
        ({"now_s": NOW - 1}, "time_widened"),
        ({"budgets": BUDGETS[:3]}, "budget_units_changed"),
        ({"budgets": (*BUDGETS[:2], Budget("step", 1, 21), BUDGETS[3])}, "budget_widened"),
        ({"budgets": (*BUDGETS, BUDGETS[0])}, "bad_bud"),
        ({"decay": dataclasses.replace(DECAY, half_life_steps=21)}, "decay_widened"),
        ({"decay": dataclasses.replace(DECAY, floors=())}, "bad_dcy"),
        ({"session": ""}, "claims_shape"),
        ({"session": "x" * 257}, "claims_shape"),
        ({"session": "a\nb"}, "claims_shape"),
        ({"jti": "jti-standing"}, "jti_reused"),
        ({"signer": STRANGER}, "bad_sig"),
        ({"parent_token": standing(jti="other")}, "par_hash_mismatch"),
        ({"epoch": 2}, "bad_reauthorization"),
        ({"reauthorization": approval()}, "bad_reauthorization"),
        ({"epoch": 3, "reauthorization": approval()}, "stale_epoch"),
        ({"epoch": 2, "reauthorization": approval(session="session-2")}, "bad_reauthorization"),
        ({"epoch": 2, "reauthorization": "approved"}, "malformed_b64"),
    ],
)
def test_no_session_is_minted_that_would_be_refused(changes, code):
    assert code_of(session, standing(), **changes) == code


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"grants": WIDER}, "scope_widened"),
        ({"agent": "mallory"}, "handoff_not_allowed"),
        ({"agent": "planner"}, "handoff_not_allowed"),
        ({"holder_public_key": KEYS["planner"].public_key}, "key_reuse_cycle"),
        ({"holder_public_key": bytes(32)}, "bad_cnf"),
        ({"owner": "a\u200bb"}, "claims_shape"),
        ({"signer": KEYS["researcher"]}, "bad_sig"),
        ({"budgets": ()}, "budget_units_changed"),
    ],
)
def test_no_hand_off_is_minted_that_would_be_refused(changes, code):
    assert code_of(handoff, chain(2), "researcher", **changes) == code


def test_no_session_begins_without_terms():
    assert code_of(session, standing(terms=None)) == "bad_dcy"
    root = standing(terms=None)
    assert verify([root])[0].terms is None
    tokens = [standing(), session(standing())]
    (bare,) = verify([root])
    assert find_widening(bare, verify(tokens)[1]).code == "bad_dcy"


def test_no_hand_off_below_a_standing_link():
    root = standing()
    assert code_of(handoff, [root], "researcher") in {"claims_shape", "bad_depth"}
    first, _, third = verify(chain(3))
    assert find_widening(first, dataclasses.replace(third, depth=1)).code == "bad_depth"


MANY_BANDS = tuple((n, 99 - n) for n in range(1, 66))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"terms": dataclasses.replace(TERMS, lifetime_s=0)}, "bad_ses"),
        ({"terms": dataclasses.replace(TERMS, lifetime_s=30 * DAY + 1)}, "bad_ses"),
        ({"terms": SessionTerms((Budget("step", 1, 51),), DECAY, 60)}, "bad_bud"),
        ({"terms": SessionTerms((Budget("step", 2, 20),), DECAY, 60)}, "bad_bud"),
        ({"terms": SessionTerms((Budget("USD", 1, 20, 2),), DECAY, 60)}, "bad_bud"),
        ({"terms": SessionTerms((Budget("step", 1, 20, 1),), DECAY, 60)}, "bad_bud"),
        ({"terms": SessionTerms((Budget("time", 1, 20),), DECAY, 60)}, "bad_bud"),
        ({"quotas": (Quota("step", 1, 1),)}, "bad_quo"),
        ({"quotas": (Quota("a b", 1),)}, "bad_quo"),
        ({"terms": SessionTerms((), dataclasses.replace(DECAY, bands=((0, 1),)), 60)}, "bad_dcy"),
        (
            {"terms": SessionTerms((), dataclasses.replace(DECAY, bands=tuple((n, 99 - n) for n in range(1, 66))), 60)},
            "bad_dcy",
        ),
    ],
)
def test_no_standing_link_is_minted_with_terms_that_make_no_sense(changes, code):
    assert code_of(standing, **changes) == code


def test_an_envelope_outlives_its_standing_link():
    assert verify([standing(jti="jti-9", envelope="jti-standing")])[0].envelope == "jti-standing"


def test_a_session_has_its_standing_links_holder():
    tokens = chain(2)
    for change in (set_at("/client_id", "clerk"), set_at("/cnf/jwk/x", encode_b64url(KEYS["clerk"].public_key))):
        assert code_of(verify, forge(tokens, change)) == "holder_changed"


def test_a_pinned_policy_stays_and_an_open_one_may_be_pinned():
    other = set_at("/halo/pol", "sha256:" + "1" * 64)
    for length in (2, 3):
        assert code_of(verify, forge(chain(length), other)) == "policy_changed"
        assert code_of(verify, forge(chain(length), set_at("/halo/pol", ""))) == "policy_changed"
    root = standing(policy="")
    assert verify(forge([root, session(root)], other))[-1].policy == "sha256:" + "1" * 64


def test_a_chain_has_no_root_of_another_kind():
    for length in (2, 3):
        claims = {**claims_of(chain(length)[-1]), "iss": issuer_uri(ISSUER.public_key)}
        claims["authorization_details"] = claims_of(standing())["authorization_details"]
        token = sign(printed(claims), ISSUER, make_header(ISSUER.key_id, "halo-passport+jwt"))
        assert code_of(verify, [token]) == "bad_depth"
        alone = {"trusted": {ISSUER.key_id: ISSUER.public_key}, "audience": STORE, "tenant": TENANT}
        assert code_of(verify_standing, token, **alone) == "bad_depth"


# -- re-authorization --------------------------------------------------------------------------------------------------


def test_a_session_begins_again_on_an_approval():
    root = standing()
    answer = approval(budgets=[Budget("step", 1, 40), Budget("USD", 100, 9_000_000, 6)])
    tokens = [root, session(root, epoch=2, reauthorization=answer)]
    link = verify(tokens)[-1]
    assert (link.epoch, link.decay.authority, link.reauthorization) == (2, 700_000, answer)
    # As approved, but never above the ceiling; of what was not named, the terms.
    assert link.budgets == (Budget("USD", 100, 6_000_000, 6), BUDGETS[1], Budget("step", 1, 40), BUDGETS[3])
    below = verify([*tokens, handoff(tokens, "researcher")])[-1]
    assert (below.epoch, below.budgets) == (2, link.budgets)


def test_a_later_epoch_stays_below_the_ceiling_whatever_was_approved():
    root = standing()
    parent, link = verify([root, session(root, epoch=2, reauthorization=approval())])
    at_most = tuple(dataclasses.replace(item, subtree=50) if item.unit == "step" else item for item in link.budgets)
    above = tuple(dataclasses.replace(item, subtree=51) if item.unit == "step" else item for item in link.budgets)
    assert find_widening(parent, dataclasses.replace(link, budgets=at_most)) is None
    assert find_widening(parent, dataclasses.replace(link, budgets=above)) == ("budget_widened", "step")
    assert find_widening(parent, dataclasses.replace(link, budgets=at_most, epoch=1)) == ("budget_widened", "step")


def test_an_approval_never_gives_more_authority_than_the_terms():
    root = standing()
    assert verify([root, session(root, epoch=2, reauthorization=approval(authority=1_000_000))])[-1].decay == DECAY


def test_an_approval_in_other_decimals_gives_the_same_amount():
    root = standing()
    answer = approval(budgets=[Budget("USD", 1, 1, 0)])
    assert verify([root, session(root, epoch=2, reauthorization=answer)])[-1].budgets[0] == Budget(
        "USD", 500_000, 1_000_000, 6
    )


def test_the_approval_of_a_longer_answer_than_a_link_holds_is_refused():
    answer = approval(budgets=[Budget(f"unit{n}", 1, 1) for n in range(90)])
    assert code_of(session, standing(), epoch=2, reauthorization=answer) == "bad_reauthorization"


# -- whom to trust -----------------------------------------------------------------------------------------------------


def test_a_registered_holder_hands_off_under_its_key():
    keys = {name: key.public_key for name, key in KEYS.items()}
    trusted = TrustAnchors(issuers=TRUSTED.issuers, holders=keys, registered_only=True)
    assert verify(chain(5), trusted=trusted) == verify(chain(5))
    # The standing link's holder was named by the issuer, whatever the list says.
    below = {name: key for name, key in keys.items() if name != "planner"}
    assert verify(chain(5), trusted=TrustAnchors(issuers=TRUSTED.issuers, holders=below, registered_only=True))
    some = TrustAnchors(issuers=TRUSTED.issuers, holders={"clerk": KEYS["clerk"].public_key})
    assert verify(chain(5), trusted=some) == verify(chain(5))


def test_trusted_is_a_value():
    issuers = dict(TRUSTED.issuers)
    one = TrustAnchors(issuers=issuers, approvers=TRUSTED.approvers)
    assert (one, hash(one)) == (TRUSTED, hash(TRUSTED))
    issuers.clear()
    assert one == TRUSTED
    with pytest.raises(TypeError):
        one.issuers["x"] = Issuer(bytes(32))
    others = [
        TrustAnchors(issuers={}),
        TrustAnchors(issuers=TRUSTED.issuers),
        TrustAnchors(issuers={"x": Issuer(ISSUER.public_key)}, approvers=TRUSTED.approvers),
        TrustAnchors(issuers={ISSUER.key_id: Issuer(ISSUER.public_key, retired=True)}, approvers=TRUSTED.approvers),
        TrustAnchors(issuers=TRUSTED.issuers, approvers={APPROVER.key_id: ("user:rita", APPROVER.public_key)}),
        TrustAnchors(issuers=TRUSTED.issuers, approvers=TRUSTED.approvers, holders={"a": bytes(32)}),
        TrustAnchors(issuers=TRUSTED.issuers, approvers=TRUSTED.approvers, registered_only=True),
    ]
    assert len({item.version for item in [one, *others]}) == 8
    assert one not in others
    assert one != "x"


def test_a_replay_asks_for_no_store_and_no_tenant():
    assert verify_chain(chain(3), trusted=TRUSTED, audience=None, tenant=None) == verify(chain(3))


# -- the cache ---------------------------------------------------------------------------------------------------------


def asked(cache, tokens, **changes):
    return cache.verify(tokens, **{"trusted": TRUSTED, "audience": STORE, "tenant": TENANT, **changes})


def test_the_cache_gives_the_same_links_and_verifies_only_what_is_new():
    cache, tokens = ChainCache(), chain(4)
    assert asked(cache, tokens[:2]) == verify(tokens[:2])
    assert len(cache) == 2
    assert asked(cache, tokens) == verify(tokens)
    assert len(cache) == 4
    assert asked(cache, [token.encode() for token in tokens]) == verify(tokens)
    assert asked(cache, tokens)[0] is asked(cache, tokens[:1])[0]
    assert len(cache) == 4


def test_what_was_refused_is_not_cached():
    cache, tokens = ChainCache(), chain(3)
    wide = forge(tokens, set_at("/halo/env", "mine"))
    assert code_of(asked, cache, wide) == "envelope_changed"
    assert len(cache) == 2
    assert code_of(asked, cache, wide) == "envelope_changed"
    assert code_of(asked, cache, [tokens[0], tokens[2]]) == "par_hash_mismatch"
    assert code_of(asked, cache, [*tokens[:2], tokens[1]]) == "par_hash_mismatch"
    assert code_of(asked, cache, tokens[1:]) == "unknown_root_or_header"
    assert code_of(asked, cache, []) == "chain_len"


def test_store_and_tenant_are_asked_each_time():
    cache, tokens = ChainCache(), chain(2)
    asked(cache, tokens)
    assert code_of(asked, cache, tokens, tenant="other") == "wrong_tenant"
    assert code_of(asked, cache, tokens, audience="store-2") == "wrong_audience"


def test_a_change_of_trust_is_asked_anew():
    root = standing()
    tokens = [root, session(root, epoch=2, reauthorization=approval())]
    cache = ChainCache()
    asked(cache, tokens)
    retired = TrustAnchors(
        issuers={ISSUER.key_id: Issuer(ISSUER.public_key, retired=True)}, approvers=TRUSTED.approvers
    )
    assert code_of(asked, cache, tokens, trusted=retired) == "root_key_retired"
    assert code_of(asked, cache, tokens, trusted=TrustAnchors(issuers=TRUSTED.issuers)) == "bad_reauthorization"
    assert asked(cache, tokens)


def test_an_expired_link_in_the_cache_is_expired_all_the_same():
    cache, tokens = ChainCache(), chain(2)
    asked(cache, tokens)
    links = asked(cache, tokens)
    assert [check_time(link, NOW + 3599) for link in links] == [None, None]
    assert [check_time(link, NOW + 3600) for link in links] == [None, "expired"]


def test_the_cache_forgets_what_was_not_used_for_longest():
    cache = ChainCache(limit=2)
    first, second, third = (standing(jti=f"jti-{n}") for n in range(3))
    asked(cache, [first])
    asked(cache, [second])
    kept = asked(cache, [first])[0]
    asked(cache, [third])
    assert len(cache) == 2
    assert asked(cache, [first])[0] is kept
    assert len(cache) == 2


def test_the_cache_serves_many_threads():
    cache, tokens = ChainCache(limit=3), chain(4)
    wanted, found = verify(tokens), []

    def ask():
        found.extend(asked(cache, tokens[:count]) == wanted[:count] for count in (4, 2, 3, 1, 4))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 40
    assert all(found)
    assert len(cache) <= 3


def test_a_large_chain_is_refused_before_it_is_read():
    assert code_of(verify, ["A" * MAX_TOKEN] * 5) == "too_large"
    assert code_of(verify, ["A" * (MAX_TOKEN + 1)]) == "too_large"
