"""Room: policies that cannot hold. Takes: a policy, a resource's classes. Gives: whether it may hold. Never: evaluates.

Most rules begin with what they are about, `resource.impact == "payment" && ...`, and the resource of a call is known
before Cedar is asked. Cedar reads conditions from left to right and stops at the first that is false, so a policy whose
first conjuncts are false of a resource neither matches nor fails, whatever the call: it can be left out for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["may_hold"]


def may_hold(plain: Mapping[str, Any], facts: Mapping[str, str]) -> bool:
    """False only where the policy is sure to be false before any part of it is read that could fail.

    Args:
        plain: Cedar's JSON form of the policy.
        facts: attributes of the resource that are always there, and their values.
    """
    conditions = plain.get("conditions") or ()
    if not conditions or conditions[0]["kind"] != "when":
        return True
    for part in _conjuncts(conditions[0]["body"]):
        known = _truth(part, facts)
        if known is None:
            # INVARIANT: FAILCLOSED - behind a part that is not known, nothing is: it could fail, which denies.
            return True
        if not known:
            return False
    return True


def _conjuncts(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    both = node.get("&&")
    if both is None:
        yield node
    else:
        yield from _conjuncts(both["left"])
        yield from _conjuncts(both["right"])


def _truth(node: Mapping[str, Any], facts: Mapping[str, str]) -> bool | None:
    """Of `resource.x == "word"` and `["word", ...].contains(resource.x)`; None of everything else."""
    if "==" in node:
        left, right = node["=="]["left"], node["=="]["right"]
        for one, other in ((left, right), (right, left)):
            fact, word = _fact(one, facts), other.get("Value")
            if fact is not None and isinstance(word, str):
                return fact == word
    if "contains" in node:
        fact, items = _fact(node["contains"]["right"], facts), node["contains"]["left"].get("Set")
        if fact is not None and items is not None:
            words = [item.get("Value") for item in items]
            return fact in words if all(isinstance(word, str) for word in words) else None
    return None


def _fact(node: Mapping[str, Any], facts: Mapping[str, str]) -> str | None:
    access = node.get(".")
    if access is None or access["left"] != {"Var": "resource"}:
        return None
    return facts.get(access["attr"])
