"""Passports: chains of signed links that grant an agent resources, budgets and authority.

`mint_standing`, `mint_session` and `mint_handoff` make tokens, `verify_chain` turns tokens into links, `find_violation`
says why a link's grants do not cover a call. Pure: no I/O, no clock; times and keys are arguments.
"""

from halo_core.passports.approval import ApprovalToken, mint_approval, read_approval
from halo_core.passports.chain import (
    MAX_CHAIN,
    ChainCache,
    Issuer,
    TrustAnchors,
    check_time,
    verify_chain,
    verify_standing,
)
from halo_core.passports.claims import MAX_DEPTH, claims_to_link, link_to_claims
from halo_core.passports.codec import (
    TOKEN_DOMAIN,
    Claims,
    token_hash,
)
from halo_core.passports.grants import (
    constraint_to_json,
    find_label_violation,
    find_violation,
    is_resource_id,
    parse_constraint,
)
from halo_core.passports.minting import mint_handoff, mint_session, mint_standing
from halo_core.passports.narrowing import (
    constraint_within,
    find_widening,
    grants_within,
    intersect_grants,
    intersect_labels,
    tighter_budgets,
    tighter_decay,
)
from halo_core.passports.possession_proof import POP_WINDOW_S, mint_pop, verify_pop

__all__ = [
    "MAX_CHAIN",
    "MAX_DEPTH",
    "POP_WINDOW_S",
    "TOKEN_DOMAIN",
    "ApprovalToken",
    "ChainCache",
    "Claims",
    "Issuer",
    "TrustAnchors",
    "check_time",
    "claims_to_link",
    "constraint_to_json",
    "constraint_within",
    "find_label_violation",
    "find_violation",
    "find_widening",
    "grants_within",
    "intersect_grants",
    "intersect_labels",
    "is_resource_id",
    "link_to_claims",
    "mint_approval",
    "mint_handoff",
    "mint_pop",
    "mint_session",
    "mint_standing",
    "parse_constraint",
    "read_approval",
    "tighter_budgets",
    "tighter_decay",
    "token_hash",
    "verify_chain",
    "verify_pop",
    "verify_standing",
]
