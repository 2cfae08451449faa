"""The compact record of decisions and outcomes holds everything that the whole record does."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.authority import charge_account
from halo_core.crypto import canonical
from halo_core.decision.outcome_record import encode_outcome, expand_outcome
from halo_core.decision.record import (
    DecisionResult,
    PartReader,
    encode_decision,
    expand_decision,
    pack_digest,
    unpack_digest,
)
from halo_core.errors import Tampered
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Approval,
    Context,
    Decision,
    Effect,
    Envelope,
    Impact,
    Mode,
    ModelCall,
    Obligation,
    Origin,
    Principal,
    Provenance,
    Reason,
    Resource,
    Revocation,
    SessionView,
    Snapshot,
    StandingAnswer,
    Stop,
    Trigger,
    compute_request_id,
)
from halo_core.model.decision import justify_decision

_NAME = st.text("abcdefgh/-", max_size=6)
_COUNT = st.integers(0, 2**53 - 1)
_TIME = st.integers(1_700_000_000_000_000, 1_900_000_000_000_000)
_KEYED = st.binary(min_size=32, max_size=32).map(lambda data: f"blake2b-256:{data.hex()}")
_HASH = st.binary(min_size=32, max_size=32).map(lambda data: f"sha256:{data.hex()}")
_NAMES = st.lists(_NAME, max_size=3).map(tuple)
_UNITS = st.dictionaries(_NAME, st.integers(0, 999), max_size=3)

_RESOURCES = st.builds(
    Resource,
    id=_NAME,
    kind=st.sampled_from(ActionKind),
    impact=st.sampled_from(Impact),
    labels=_NAMES,
    system=_NAME,
    source_trust=st.integers(0, 1000),
    idempotent=st.booleans(),
    can_wait=st.booleans(),
)
_REFERENCE = st.binary(min_size=16, max_size=16).map(lambda data: urlsafe_b64encode(data).decode().rstrip("="))
_PRINCIPALS = st.one_of(
    st.builds(Principal, _NAME, _NAME, _NAME, st.just("asserted"), _NAMES),
    st.builds(Principal, _NAME, _NAME, st.just("ana"), st.just("asserted"), st.just(("ana", "clerk")), _REFERENCE),
)
_MODELS = st.one_of(
    st.none(),
    st.builds(
        ModelCall,
        provider=_NAME,
        version=_NAME,
        messages=st.lists(_REFERENCE, max_size=40).map(tuple),
        system=st.one_of(st.just(""), _HASH),
        tools=st.one_of(st.just(""), _HASH),
        parameters=st.dictionaries(_NAME, st.integers(0, 9), max_size=2),
    ),
)
_CONTEXTS = st.builds(
    Context,
    session=_NAME,
    session_source=st.sampled_from(["host", "thread"]),
    turn=_NAME,
    call_id=_NAME,
    trigger=st.builds(Trigger, st.sampled_from(["host", "message"]), _NAME, st.one_of(st.just(""), _KEYED)),
    origin=st.builds(Origin, _NAME, _COUNT, _NAME),
    assurance=st.just("dev"),
    abilities=_NAMES,
    trace_id=st.one_of(st.just(""), st.binary(min_size=16, max_size=16).map(bytes.hex)),
    links=st.lists(st.tuples(_NAME, _NAME), max_size=2).map(tuple),
)
_STATES = st.one_of(st.none(), st.fixed_dictionaries({"digest": _NAME, "version": st.integers(1, 99)}))
_ENVELOPES = st.builds(
    Envelope,
    link=_NAME,
    epoch=st.integers(1, 3),
    since_us=_TIME,
    base_step=st.integers(0, 3),
    base_risk=st.integers(0, 3),
    spent=st.dictionaries(_NAME, st.tuples(st.integers(0, 9), st.integers(0, 9)), max_size=3).map(
        lambda spent: tuple((unit, *spent[unit]) for unit in sorted(spent))
    ),
)
_APPROVALS = st.one_of(
    st.none(), st.builds(Approval, _NAME, _NAME, _NAME, _NAME, _TIME, st.booleans(), st.one_of(st.just(""), _REFERENCE))
)
_STANDING = st.lists(
    st.builds(StandingAnswer, *[_NAME] * 5, *[_COUNT] * 6, reference=st.one_of(st.just(""), _REFERENCE)),
    max_size=2,
).map(tuple)
_POINTERS = st.lists(_NAME, max_size=4, unique=True).map(sorted)
_EFFECTS = st.sampled_from([effect.value for effect in Effect])
_REASONS = st.builds(Reason, st.sampled_from(["granted", "stopped"]), _NAME, _NAME, _EFFECTS)
_DECISIONS = st.builds(
    Decision,
    effect=st.sampled_from(Effect),
    reasons=st.lists(_REASONS, min_size=1, max_size=3).map(tuple),
    obligations=st.lists(st.builds(Obligation, _NAME, _NAME, st.integers(0, 9)), max_size=2).map(tuple),
    charges=_UNITS.map(lambda units: tuple(sorted(units.items()))),
)


@st.composite
def _snapshots(draw: Any) -> Snapshot:
    time_us = draw(_TIME)
    policy: Any = SimpleNamespace(hash=draw(_HASH))
    chain: Any = tuple(SimpleNamespace(hash=name) for name in draw(st.lists(_HASH, max_size=2)))
    view = SessionView(
        draw(_NAME),
        draw(st.integers(0, 99)),
        draw(_TIME),
        draw(_TIME),
        draw(st.integers(0, 99)),
        tainted := draw(st.booleans()),
        draw(_NAMES) if tainted else (),
    )
    return Snapshot(
        time_us=time_us,
        mode=draw(st.sampled_from(Mode)),
        control_version=draw(_COUNT),
        session=view,
        uses=draw(st.integers(0, 3)),
        provenance=tuple((pointer, draw(st.sampled_from(Provenance))) for pointer in draw(_POINTERS)),
        chain=chain,
        policy=policy,
        envelopes=draw(st.lists(_ENVELOPES, max_size=2).map(tuple)),
        quotas=draw(_UNITS.map(lambda units: tuple(sorted(units.items())))),
        authority=draw(st.one_of(st.none(), _COUNT)),
        passport_problem=draw(_NAME),
        stops=draw(st.lists(st.builds(Stop, _NAME, _NAME, _TIME), max_size=2).map(tuple)),
        revocations=draw(st.lists(st.builds(Revocation, _NAME, _NAME, _TIME), max_size=2).map(tuple)),
        approval=draw(_APPROVALS),
        dispatched=draw(st.booleans()),
        pending=draw(st.integers(0, 2)),
        model_hash=draw(_NAME),
        risk=draw(st.one_of(st.none(), st.integers(0, 1000))),
        sources=tuple((pointer, draw(_NAMES)) for pointer in draw(_POINTERS)),
        features=draw(st.lists(st.integers(-9, 9), max_size=4).map(tuple)),
        band=draw(st.integers(0, 2)),
        factors=draw(st.lists(st.dictionaries(_NAME, st.integers(0, 9), max_size=2), max_size=2).map(tuple)),
        session_risk=draw(st.integers(0, 1000)),
        score_problem=draw(_NAME),
        partial=draw(st.booleans()),
        refused=draw(st.integers(0, 2)),
        unscored=draw(st.booleans()),
        targets=tuple((pointer, draw(_NAME), draw(_NAMES)) for pointer in draw(_POINTERS)),
        answer_scope=draw(_NAME),
        standing=draw(_STANDING),
        amount=draw(st.one_of(st.none(), _COUNT)),
        paid_to_target=draw(_COUNT),
        paid_by_principal=draw(_COUNT),
        repeated=draw(st.booleans()),
        held_before=draw(st.booleans()),
        held_behind=draw(st.booleans()),
        hold_room=draw(st.booleans()),
    )


@st.composite
def _requests(draw: Any) -> AccessRequest:
    subject, resource, context, args_digest = draw(_PRINCIPALS), draw(_RESOURCES), draw(_CONTEXTS), draw(_KEYED)
    request_id = compute_request_id(
        context.session,
        subject.agent,
        context.turn,
        context.call_id,
        kind=resource.kind.value,
        resource=resource.id,
        args_digest=args_digest,
    )
    problem = draw(st.sampled_from(["", "unknown_tool"]))
    return AccessRequest(subject, resource.kind, resource, {}, args_digest, request_id, context, problem, draw(_MODELS))


_RESULTS = st.builds(
    DecisionResult,
    runs=st.booleans(),
    authority_left=st.one_of(st.none(), _COUNT),
    session_risk=st.integers(0, 1000),
    executed_digest=st.one_of(st.just(""), _KEYED),
    state=_STATES,
    quota=_STATES,
    stored=_STATES,
    profile=_STATES,
    child=st.one_of(st.just(""), _HASH),
    recalled=st.booleans(),
    withdrawn=_NAME,
    sums=st.lists(st.dictionaries(_NAME, _NAME, min_size=1, max_size=2), max_size=2).map(tuple),
    released=_NAME,
)


@given(_requests(), _snapshots(), _DECISIONS, _RESULTS, _TIME)
def test_the_whole_record_of_a_decision_comes_back(
    request: AccessRequest, snapshot: Snapshot, decision: Decision, result: DecisionResult, ts_us: int
) -> None:
    body, parts = encode_decision(request, snapshot, decision, result, ts_us=ts_us)
    stored = {unpack_digest(name): data for name, data in parts}
    recorded = canonical.loads(canonical.dumps(body))
    session = request.context.session
    tree = expand_decision(recorded, session=session, ts_us=ts_us, read_part=PartReader(stored.get))
    accounts = [charge_account(account, decision.charges) for account in snapshot.envelopes]
    assert tree["request"] == request.to_plain()
    assert tree["snapshot"] == {
        **snapshot.to_plain(),
        "session": {**snapshot.session.to_plain(), "id": session},
    }
    assert tree["decision"] == decision.to_plain()
    assert tree["dispatched"] is result.runs
    assert tree["executed_digest"] == result.executed_digest
    assert tree["after"] == {
        "authority": result.authority_left,
        "budgets": [[account.link, *item] for account in accounts for item in account.spent],
        "risk": result.session_risk,
        "steps": snapshot.session.steps + 1,
    }
    assert tree["justification"] == justify_decision(decision, request.resource.id)
    assert (tree["state"], tree["quota"], tree.get("stored")) == (result.state, result.quota, result.stored)
    assert (tree.get("profile"), tree.get("child", "")) == (result.profile, result.child)
    assert (tree.get("recalled", False), tree.get("withdrawn", "")) == (result.recalled, result.withdrawn)
    assert (tree.get("released", ""), tree.get("sums", [])) == (result.released, list(result.sums))


_OUTCOMES = st.fixed_dictionaries(
    {
        "actual": st.lists(st.tuples(_NAME, _COUNT).map(list), max_size=2),
        "decision": st.fixed_dictionaries({"leaf": _NAME, "w": st.sampled_from(["one", "two"]), "ws": _COUNT}),
        "detail": _NAME,
        "dropped": st.lists(st.tuples(_REFERENCE, _REFERENCE).map(list), max_size=2),
        "labels": st.lists(_NAME, max_size=2),
        "origin": st.sampled_from(["system", "untrusted"]),
        "output_digest": st.one_of(st.just(""), _KEYED),
        "output_len": _COUNT,
        "profile": _STATES,
        "quota": _STATES,
        "state": st.fixed_dictionaries({"digest": _NAME, "version": _COUNT}),
        "status": st.sampled_from(["success", "paused"]),
        "tainted": st.booleans(),
    }
)


@given(_OUTCOMES)
def test_the_whole_record_of_an_outcome_comes_back(tree: dict[str, Any]) -> None:
    body = canonical.loads(canonical.dumps(encode_outcome(tree, "one")))
    place = tree["decision"]
    expected = place if place["w"] == "two" else {"w": "one", "ws": place["ws"]}
    assert expand_outcome(body, "one") == {**tree, "decision": expected}


@given(st.one_of(st.just(""), _KEYED))
def test_a_digest_comes_back(digest: str) -> None:
    assert unpack_digest(pack_digest(digest), "blake2b-256:") == digest


@pytest.mark.parametrize("packed", ["x", "AAAA", "é", "=" * 44])
def test_what_is_no_digest_is_refused(packed: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        unpack_digest(packed)


def test_a_part_that_was_changed_is_refused() -> None:
    name = pack_digest("sha256:" + "00" * 32)
    with pytest.raises(Tampered, match="does not have this hash"):
        PartReader({"sha256:" + "00" * 32: b"{}"}.get)(name)
    with pytest.raises(Tampered, match="missing"):
        PartReader({}.get)(name)
