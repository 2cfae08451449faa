"""The record of an outcome, in the compact form that is signed.

`encode_outcome` makes the body of the entry, and `expand_outcome` restores the whole record. docs/ledger-format.md
describes each member.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from halo_core.crypto.keys import KEYED_DIGEST
from halo_core.decision.record_parts import pack_digest, unpack_digest

_OUTCOME_DEFAULTS: Final[Mapping[str, Any]] = {
    "actual": [],
    "detail": "",
    "dropped": [],
    "labels": [],
    "origin": "system",
    "output_digest": "",
    "output_len": 0,
    "profile": None,
    "quota": None,
    "status": "success",
    "tainted": False,
}


def encode_outcome(tree: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """Make the body of an outcome's entry by `writer` from the whole record."""
    place = tree["decision"]
    body = {name: tree[name] for name, value in _OUTCOME_DEFAULTS.items() if tree.get(name, value) != value}
    if "output_digest" in body:
        body["output_digest"] = pack_digest(body["output_digest"])
    # The writer's chain binds its earlier entries; of another writer's entry the leaf is named too.
    body["decision"] = place["ws"] if place["w"] == writer else place
    if tree.get("state") is not None:
        body["state"] = tree["state"]
    return body


def expand_outcome(body: Mapping[str, Any], writer: str) -> dict[str, Any]:
    """Inverse of `encode_outcome`; without the decision's leaf if the same writer wrote the decision."""
    place = body["decision"]
    tree = {name: body.get(name, value) for name, value in _OUTCOME_DEFAULTS.items()}
    tree["output_digest"] = unpack_digest(tree["output_digest"], KEYED_DIGEST)
    tree["decision"] = {"w": writer, "ws": place} if isinstance(place, int) else place
    if "state" in body:
        tree["state"] = body["state"]
    return tree
