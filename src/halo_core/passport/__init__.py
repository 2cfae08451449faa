"""Room: passport. Takes: tokens, keys, grants. Gives: verified links and violations. Never: I/O, a clock."""

from halo_core.passport.approval import ApprovalToken, in_chain, mint_approval, read_approval
from halo_core.passport.chain import MAX_CHAIN, ChainCache, Issuer, Trusted, verify_chain
from halo_core.passport.claims import MAX_DEPTH, MAX_LIFETIME_S, claims_to_link, issuer_uri
from halo_core.passport.codec import (
    MAX_TOKEN,
    TOKEN_DOMAIN,
    Claims,
    decode,
    decode_derived,
    encode,
    encode_derived,
    signing_input_hash,
    token_hash,
)
from halo_core.passport.constraints import Violation, accepts, is_resource_id, label_violation, violation
from halo_core.passport.derive import mint_handoff, mint_session
from halo_core.passport.grants import constraint_plain, grants_plain, parse_constraint, parse_grants
from halo_core.passport.limits import (
    budgets_plain,
    decay_plain,
    parse_budgets,
    parse_decay,
    parse_quotas,
    parse_terms,
    quotas_plain,
    terms_plain,
)
from halo_core.passport.mint import mint_standing
from halo_core.passport.narrow import constraint_within, grants_within, meet, session_limits, widening
from halo_core.passport.plain import link_to_claims
from halo_core.passport.pop import POP_WINDOW_S, mint_pop, verify_pop
from halo_core.passport.tighter import labels_meet, tighter_budgets, tighter_decay
from halo_core.passport.verify import check_link, check_time, verify_standing

__all__ = [
    "MAX_CHAIN",
    "MAX_DEPTH",
    "MAX_LIFETIME_S",
    "MAX_TOKEN",
    "POP_WINDOW_S",
    "TOKEN_DOMAIN",
    "ApprovalToken",
    "ChainCache",
    "Claims",
    "Issuer",
    "Trusted",
    "Violation",
    "accepts",
    "budgets_plain",
    "check_link",
    "check_time",
    "claims_to_link",
    "constraint_plain",
    "constraint_within",
    "decay_plain",
    "decode",
    "decode_derived",
    "encode",
    "encode_derived",
    "grants_plain",
    "grants_within",
    "in_chain",
    "is_resource_id",
    "issuer_uri",
    "label_violation",
    "labels_meet",
    "link_to_claims",
    "meet",
    "mint_approval",
    "mint_handoff",
    "mint_pop",
    "mint_session",
    "mint_standing",
    "parse_budgets",
    "parse_constraint",
    "parse_decay",
    "parse_grants",
    "parse_quotas",
    "parse_terms",
    "quotas_plain",
    "read_approval",
    "session_limits",
    "signing_input_hash",
    "terms_plain",
    "tighter_budgets",
    "tighter_decay",
    "token_hash",
    "verify_chain",
    "verify_pop",
    "verify_standing",
    "violation",
    "widening",
]
