"""Room: passport. Takes: tokens, keys, grants. Gives: verified links and violations. Never: I/O, a clock."""

from halo_core.passport.claims import MAX_DEPTH, MAX_LIFETIME_S, claims_to_link, issuer_uri, link_to_claims
from halo_core.passport.codec import MAX_TOKEN, TOKEN_DOMAIN, Claims, decode, encode, token_hash
from halo_core.passport.constraints import Violation, accepts, is_resource_id, label_violation, violation
from halo_core.passport.grants import constraint_plain, grants_plain, parse_constraint, parse_grants
from halo_core.passport.mint import mint_standing
from halo_core.passport.verify import check_link, check_time, verify_standing

__all__ = [
    "MAX_DEPTH",
    "MAX_LIFETIME_S",
    "MAX_TOKEN",
    "TOKEN_DOMAIN",
    "Claims",
    "Violation",
    "accepts",
    "check_link",
    "check_time",
    "claims_to_link",
    "constraint_plain",
    "decode",
    "encode",
    "grants_plain",
    "is_resource_id",
    "issuer_uri",
    "label_violation",
    "link_to_claims",
    "mint_standing",
    "parse_constraint",
    "parse_grants",
    "token_hash",
    "verify_standing",
    "violation",
]
