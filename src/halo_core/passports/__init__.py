"""Passports: chains of signed links that grant an agent resources, budgets and authority.

`mint_standing`, `mint_session` and `mint_handoff` make tokens, `verify_chain` turns tokens into links, `find_violation`
says why a link's grants do not cover a call. Pure: no I/O, no clock; times and keys are arguments.
"""

from halo_core.passports.approval import ApprovalToken, read_approval
from halo_core.passports.chain import (
    MAX_CHAIN,
    ChainCache,
    Issuer,
    TrustAnchors,
    check_time,
    verify_chain,
    verify_standing,
)
from halo_core.passports.claims import MAX_DEPTH, link_to_claims
from halo_core.passports.codec import token_hash
from halo_core.passports.grants import (
    ArgumentCheck,
    constraint_to_json,
    find_violation,
    is_resource_id,
    list_label_violations,
    parse_constraint,
)
from halo_core.passports.minting import mint_handoff, mint_session, mint_standing
from halo_core.passports.narrowing import (
    constraint_within,
    grants_within,
    intersect_grants,
    intersect_labels,
    tighter_budgets,
    tighter_decay,
)

__all__ = [
    "MAX_CHAIN",
    "MAX_DEPTH",
    "ApprovalToken",
    "ArgumentCheck",
    "ChainCache",
    "Issuer",
    "TrustAnchors",
    "check_time",
    "constraint_to_json",
    "constraint_within",
    "find_violation",
    "grants_within",
    "intersect_grants",
    "intersect_labels",
    "is_resource_id",
    "link_to_claims",
    "list_label_violations",
    "mint_handoff",
    "mint_session",
    "mint_standing",
    "parse_constraint",
    "read_approval",
    "tighter_budgets",
    "tighter_decay",
    "token_hash",
    "verify_chain",
    "verify_standing",
]
