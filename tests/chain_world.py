"""What the tests of chains share: an issuer, agents with keys, and chains of every length."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from halo_core.crypto import canonical
from halo_core.crypto.keys import Ed25519Signer, encode_b64url
from halo_core.model import ActionKind, Budget, Constraint, Decay, Impact, Link, Quota, SessionTerms
from halo_core.passports import Issuer, TrustAnchors, mint_handoff, mint_session, mint_standing, verify_chain
from halo_core.passports.approval import ApprovalToken, make_reauthorization_binding, mint_approval
from halo_core.passports.codec import DERIVED_HEADER, decode_b64url, hash_signing_input

NOW = 1_800_000_000
DAY = 86_400
STORE, TENANT, SESSION = "store-1", "acme", "session-1"
ISSUER = Ed25519Signer(b"i" * 32)
APPROVER = Ed25519Signer(b"a" * 32)
STRANGER = Ed25519Signer(b"x" * 32)
AGENTS = ("planner", "researcher", "writer", "checker", "clerk", "runner", "sender", "filer", "closer")
KEYS = {name: Ed25519Signer(name.encode().ljust(32, b".")) for name in AGENTS}
TRUSTED = TrustAnchors(
    issuers={ISSUER.key_id: Issuer(ISSUER.public_key)},
    approvers={APPROVER.key_id: ("user:ruth", APPROVER.public_key)},
)
FLOORS = tuple(sorted((impact.value, 100_000) for impact in Impact))
DECAY = Decay(800_000, 1800, 20, 20_000, 100_000, FLOORS, ((100, 600_000), (500, 200_000)))
BUDGETS = (
    Budget("USD", 500_000, 2_000_000, 6),
    Budget("risk", 500, 2_000),
    Budget("step", 1, 20),
    Budget("time", 3600, 3600),
)
CEILINGS = (Budget("USD", 500_000, 6_000_000, 6), Budget("step", 1, 50))
TERMS = SessionTerms(BUDGETS, DECAY, 3600)
TOOL = ActionKind.TOOL_CALL
GRANTS = {
    TOOL: {
        "crm.search": {"q": Constraint.anything(), "limit": Constraint.between(1, 100)},
        "email.send": {"to": Constraint.one_of("ops@acme.com", "hr@acme.com"), "body": Constraint.anything()},
        "file.read": {"path": Constraint.starts_with("/data/")},
        "flag.set": {"n": Constraint.exactly(1)},
    },
    ActionKind.RETRIEVAL: {"kb": {"**": Constraint.anything()}},
}

Change = Callable[[dict[str, Any]], None]


def standing(**changes: Any) -> str:
    arguments: dict[str, Any] = {
        "signer": ISSUER,
        "tenant": TENANT,
        "agent": "planner",
        "principal": "user:alice",
        "audience": STORE,
        "holder_public_key": KEYS["planner"].public_key,
        "grants": GRANTS,
        "now_s": NOW,
        "lifetime_s": 30 * DAY,
        "jti": "jti-standing",
        "txn": "txn-standing",
        "labels": ("chd", "pii"),
        "budgets": CEILINGS,
        "hand_off_to": sorted(AGENTS[1:]),
        "owner": "user:olga",
        "quotas": (Quota("USD", 9_000_000, 6), Quota("step", 500)),
        "terms": TERMS,
        "policy": "sha256:" + "0" * 64,
    }
    return mint_standing(**{**arguments, **changes})


def verify(tokens: Sequence[str | bytes], **changes: Any) -> tuple[Link, ...]:
    return verify_chain(tokens, **{"trusted": TRUSTED, "audience": STORE, "tenant": TENANT, **changes})


def session(root: str, **changes: Any) -> str:
    (parent,) = verify([root])
    arguments = {
        "parent": parent,
        "parent_token": root,
        "signer": KEYS["planner"],
        "now_s": NOW,
        "jti": "jti-session",
        "session": SESSION,
    }
    return mint_session(**{**arguments, **changes})


def handoff(tokens: Sequence[str], agent: str, /, **changes: Any) -> str:
    parent = verify(tokens)[-1]
    arguments = {
        "parent": parent,
        "parent_token": tokens[-1],
        "signer": KEYS[parent.agent],
        "now_s": NOW,
        "jti": f"jti-{agent}",
        "agent": agent,
        "holder_public_key": KEYS[agent].public_key,
    }
    return mint_handoff(**{**arguments, **changes})


def chain(length: int) -> list[str]:
    """A good chain of `length` tokens: standing, session, then hand-offs down the list of agents."""
    tokens = [standing()]
    if length > 1:
        tokens.append(session(tokens[0]))
    for agent in AGENTS[1 : length - 1]:
        tokens.append(handoff(tokens, agent))
    return tokens


def sign_approval(*, signer: Ed25519Signer, audience: str, now_s: int, lifetime_s: int, jti: str, **said: Any) -> str:
    times = {"issued_at_s": now_s, "expires_at_s": now_s + lifetime_s}
    return mint_approval(ApprovalToken(id=jti, audience=(audience,), **times, **said), signer)


def approval(**changes: Any) -> str:
    """The approver's answer that renews the session."""
    arguments: dict[str, Any] = {
        "signer": APPROVER,
        "approver": "user:ruth",
        "tenant": TENANT,
        "audience": STORE,
        "now_s": NOW,
        "lifetime_s": 600,
        "jti": "jti-approval",
        "answer": "approve",
        "kind": "reauthorization",
        "request": "request-1",
        "session": SESSION,
        "authority": 700_000,
        "epoch": 2,
    }
    arguments |= changes
    asked = (arguments["tenant"], arguments["session"], AGENTS[0], arguments["epoch"])
    return sign_approval(**{"binding": make_reauthorization_binding(*asked), **arguments})


def claims_of(token: str) -> dict[str, Any]:
    return json.loads(decode_b64url(token.split(".")[1]))


def sign(payload: bytes, signer: Ed25519Signer, header: bytes = DERIVED_HEADER) -> str:
    signing_input = f"{encode_b64url(header)}.{encode_b64url(payload)}"
    return f"{signing_input}.{encode_b64url(signer.sign(signing_input.encode()))}"


def forge(tokens: Sequence[str], change: Change, *, signer: Ed25519Signer | None = None) -> list[str]:
    """The chain with its last link's claims changed, signed again by the key that has to sign it."""
    claims = claims_of(tokens[-1])
    change(claims)
    return [*tokens[:-1], sign(printed(claims), signer or KEYS[claims_of(tokens[-2])["client_id"]])]


def printed(claims: Mapping[str, Any]) -> bytes:
    """Sorted and compact, also where the canonical printer would refuse."""
    return json.dumps(claims, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def set_at(path: str, value: Any) -> Change:
    """A change that sets the member at a JSON pointer (`~1` is a slash)."""

    def change(claims: dict[str, Any]) -> None:
        *parents, last = (part.replace("~1", "/") for part in path.strip("/").split("/"))
        node: Any = claims
        for name in parents:
            node = node[int(name)] if isinstance(node, list) else node[name]
        node[int(last) if isinstance(node, list) else last] = value

    return change


def relink(child: str, parent: str, signer: Ed25519Signer) -> str:
    """`child` put under another parent, rightly linked and signed."""
    claims = claims_of(child)
    claims["par_hash"] = hash_signing_input(parent)
    return sign(canonical.dumps(claims), signer)
