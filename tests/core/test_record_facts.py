"""What verification reads of a record is what the whole record says, and what is no record is refused by both."""

from __future__ import annotations

import copy
import random
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st
from test_record import _DECISIONS, _OUTCOMES, _RESULTS, _TIME, _requests, _snapshots

from halo_core.crypto import canonical
from halo_core.decision.outcome_record import encode_outcome, expand_outcome
from halo_core.decision.record import (
    PartReader,
    encode_decision,
    expand_decision,
    unpack_digest,
)
from halo_core.decision.record_facts import extract_decision, extract_outcome
from halo_core.errors import HaloError

_REFUSED = (AttributeError, KeyError, TypeError, ValueError, HaloError)
_ODD_VALUES = (None, 0, -1, 1.5, "", "x", "ZZ==", True, [], [1], [["a"]], {}, {"a": 1}, {"version": 2})
_ODD_MEMBERS = (
    "approval",
    "chain",
    "child",
    "dispatched",
    "executed",
    "idle_us",
    "obligations",
    "reasons",
    "messages",
    "time_us",
    "trace",
    "version",
)


def _say(read: Any, *args: Any, **names: Any) -> Any:
    try:
        return read(*args, **names)
    except _REFUSED:
        return "refused"


def _agree(facts: Any, whole: Any) -> None:
    if facts is None:
        return
    assert (facts == "refused") == (whole == "refused")
    if facts == "refused":
        return
    assert [item.get("code", "") for item in facts["decision"]["reasons"]] == [
        item["code"] for item in whole["decision"]["reasons"]
    ]
    assert facts["dispatched"] == whole["dispatched"]
    assert facts["request"]["resource"] == whole["request"]["resource"]
    if facts["dispatched"]:
        assert facts["request"]["request_id"] == whole["request"]["request_id"]
    assert facts["snapshot"] == {name: whole["snapshot"][name] for name in ("approval", "chain", "mode", "policy")}
    for name in ("quota", "state", "stored"):
        assert facts.get(name) == whole.get(name)


def _alter(tree: Any, draw: random.Random) -> None:
    """Change one member, somewhere in a tree."""
    places = []
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        places += [(node, key) for key in keys]
        waiting += [node[key] for key in keys if isinstance(node[key], dict | list)]
    node, key = draw.choice(places)
    change = draw.randrange(3)
    if change == 0:
        del node[key]
    elif change == 1 and isinstance(node, dict):
        node[draw.choice(_ODD_MEMBERS)] = copy.deepcopy(draw.choice(_ODD_VALUES))
    else:
        node[key] = copy.deepcopy(draw.choice(_ODD_VALUES))


@given(_requests(), _snapshots(), _DECISIONS, _RESULTS, _TIME, st.randoms(use_true_random=False), st.integers(0, 3))
def test_facts_of_a_decision_are_those_of_its_record(
    request: Any, snapshot: Any, decision: Any, result: Any, ts_us: int, draw: random.Random, changes: int
) -> None:
    body, parts = encode_decision(request, snapshot, decision, result, ts_us=ts_us)
    blobs = {unpack_digest(name): data for name, data in parts}
    tree = orjson.loads(canonical.dumps(body))
    for _ in range(changes):
        _alter(tree, draw)
    session = request.context.session
    facts = _say(extract_decision, tree, session=session, ts_us=ts_us, read_part=PartReader(blobs.get))
    whole = _say(expand_decision, tree, session=session, ts_us=ts_us, read_part=PartReader(blobs.get))
    _agree(facts, whole)
    if not changes and not decision.obligations and request.model is None:
        assert facts is not None


@given(_OUTCOMES, st.randoms(use_true_random=False), st.integers(0, 1))
def test_facts_of_an_outcome_are_those_of_its_record(tree: dict[str, Any], draw: random.Random, changes: int) -> None:
    body = orjson.loads(canonical.dumps(encode_outcome(copy.deepcopy(tree), "w1")))
    for _ in range(changes):
        _alter(body, draw)
    facts, whole = _say(extract_outcome, body, "w1"), _say(expand_outcome, body, "w1")
    assert (facts == "refused") == (whole == "refused")
    if facts != "refused":
        assert {name: facts.get(name) for name in ("decision", "quota", "state", "status")} == {
            name: whole.get(name) for name in ("decision", "quota", "state", "status")
        }
