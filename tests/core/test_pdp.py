"""`decide`: pure, total, fail-closed; its nine checks one by one. DESIGN 5: TOTAL, FAILCLOSED, REV, TENANT, REPLAY."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from halo_core import canonical
from halo_core.model import (
    ANY_OTHER,
    AccessRequest,
    ActionKind,
    Constraint,
    ConstraintKind,
    Context,
    Decay,
    Decision,
    Effect,
    Envelope,
    Impact,
    Link,
    LinkKind,
    Mode,
    Obligation,
    Origin,
    PolicyAnswer,
    Principal,
    Provenance,
    Reason,
    Resource,
    Revocation,
    SessionView,
    Snapshot,
    Stop,
    Trigger,
)
from halo_core.pdp import PENDING_CAP, decide
from halo_core.policy import CedarPolicy, PolicyBundle

WILD = Constraint(ConstraintKind.WILDCARD)
NOW = 1_800_000_000
YES = PolicyAnswer(permitted=True, effect=Effect.ALLOW, reasons=(), obligations=())


@dataclass(frozen=True)
class Says:
    """A policy that gives one answer, or raises it."""

    answers: Any = YES
    hash: str = "sha256:policy"

    def answer(self, request, snapshot):
        if isinstance(self.answers, Exception):
            raise self.answers
        return self.answers


FLOORS = tuple(sorted((impact.value, 100_000) for impact in Impact))
DECAY = Decay(1_000_000, 3600, 100, 1000, 10_000, FLOORS)


def link(**changes) -> Link:
    """A session link; of a chain only the decaying ones have an account."""
    base = Link(
        hash="sha256:link",
        kind=LinkKind.SESSION,
        issuer="issuer",
        key_id="kid",
        jti="jti",
        principal="ana",
        agent="clerk",
        tenant="acme",
        audience=("store",),
        issued_at_s=NOW - 100,
        not_before_s=NOW - 100,
        expires_at_s=NOW + 100,
        txn="txn",
        holder_key=b"",
        depth=1,
        max_depth=8,
        epoch=1,
        grants={ActionKind.TOOL_CALL: {"lookup": {"q": WILD}}},
        decay=DECAY,
    )
    return replace(base, **changes)


def root(**changes) -> Link:
    return link(**{"hash": "sha256:root", "jti": "root", "kind": LinkKind.STANDING, "depth": 0, "decay": None, **changes})


def account(name: str = "a", **changes) -> Envelope:
    return Envelope(**{"link": name, "epoch": 1, "since_us": NOW * 1_000_000, **changes})


def request(args=None, *, session="s", abilities=("clamp", "drop_documents", "pause"), **changes) -> AccessRequest:
    resource = Resource(id="lookup", source_trust=600)
    base = AccessRequest(
        subject=Principal("acme", "clerk", "ana", chain=("ana", "clerk")),
        kind=ActionKind.TOOL_CALL,
        resource=resource,
        args={"q": "a"} if args is None else args,
        args_digest="",
        request_id="r",
        context=Context(session, "host", "", "c", Trigger(), Origin(), "dev", abilities),
    )
    return replace(base, **changes)


def snapshot(policy=YES, **changes) -> Snapshot:
    if "chain" in changes and "envelopes" not in changes:
        decaying = [item for item in changes["chain"] if item.decay is not None]
        changes["envelopes"] = tuple(account(f"a{i}") for i, _ in enumerate(decaying))
    base = Snapshot(
        time_us=NOW * 1_000_000,
        mode=Mode.ENFORCE,
        control_version=1,
        session=SessionView("s", 0, NOW * 1_000_000, NOW * 1_000_000, 0, tainted=False),
        uses=1,
        provenance=(),
        chain=(root(), link()),
        envelopes=(account(),),
        policy=Says(policy) if isinstance(policy, PolicyAnswer | Exception) else policy,
    )
    return replace(base, **changes)


def graded(effect: Effect, *obligations: Obligation) -> PolicyAnswer:
    return PolicyAnswer(True, effect, (Reason(f"policy_{effect.value}", "p", effect=effect.value),), obligations)


def codes(decision: Decision) -> list[str]:
    return [reason.code for reason in decision.reasons]


def test_all_in_order_is_allowed_by_the_grant():
    decision = decide(request(), snapshot())
    charges = (("risk", 10), ("step", 1))
    assert decision == Decision(Effect.ALLOW, (Reason("granted", "jti", effect="allow"),), charges=charges)


# the request itself, checks 1 and 2


@pytest.mark.parametrize("problem", ["invalid_arguments", "arguments_too_large", "unknown_tool", "hosted_tool"])
def test_1_a_request_with_a_problem_is_denied(problem):
    decision = decide(request(problem=problem), snapshot())
    assert (decision.effect, codes(decision)) == (Effect.DENY, [problem])


def test_2_without_a_session_it_is_denied():
    assert codes(decide(request(session=""), snapshot())) == ["session_missing"]


# (3) stops and revocations


@pytest.mark.parametrize(
    ("scope", "target", "stops"),
    [
        ("all", "", True),
        ("all", "whatever", True),
        ("agent", "clerk", True),
        ("agent", "other", False),
        ("session", "s", True),
        ("session", "other", False),
        ("tool", "lookup", True),
        ("tool", "other", False),
        ("tenant", "acme", True),
        ("tenant", "other", False),
        ("planet", "earth", True),  # a scope of a later version: fail closed
        ("", "", True),
    ],
)
def test_3_a_stop_denies_what_it_names(scope, target, stops):
    decision = decide(request(), snapshot(stops=(Stop("agent", "nobody", 0), Stop(scope, target, 0))))
    assert (decision.effect is Effect.DENY) is stops
    assert codes(decision) == (["stopped"] if stops else ["granted"])


@pytest.mark.parametrize(
    ("scope", "target", "revoked"),
    [
        ("link", "sha256:link", True),
        ("link", "other", False),
        ("key", "kid", True),
        ("key", "other", False),
        ("agent", "clerk", True),
        ("agent", "other", False),
        ("tenant", "acme", True),
        ("tenant", "other", False),
        ("planet", "earth", True),
    ],
)
def test_3_a_revocation_denies_every_descendant(scope, target, revoked):
    child = link(hash="sha256:child", key_id="child", jti="child", agent="sub")
    who = Principal("acme", "sub", "ana", chain=("ana", "clerk", "sub"))
    decision = decide(request(subject=who), snapshot(chain=(link(), child), revocations=(Revocation(scope, target, 0),)))
    assert codes(decision) == (["revoked"] if revoked else ["granted"])
    assert (decision.effect is Effect.DENY) is revoked


def test_3_a_revoked_child_denies_too():
    child = link(hash="sha256:child", jti="child")
    decision = decide(request(), snapshot(chain=(link(), child), revocations=(Revocation("link", "sha256:child", 0),)))
    assert codes(decision) == ["revoked"]


# (4) passport


def test_4_without_a_passport_it_is_denied():
    assert codes(decide(request(), snapshot(chain=()))) == ["no_passport"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"tenant": "evil"}, "wrong_tenant"),
        ({"expires_at_s": NOW}, "expired"),
        ({"expires_at_s": NOW + 1}, None),
        ({"not_before_s": NOW + 1}, "not_yet_valid"),
        ({"not_before_s": NOW}, None),
    ],
)
@pytest.mark.parametrize("place", [0, 1])
def test_4_every_link_must_be_of_this_tenant_and_in_time(changes, code, place):
    chain = [link(), link(jti="child")]
    chain[place] = replace(chain[place], **changes)
    assert codes(decide(request(), snapshot(chain=tuple(chain)))) == [code or "granted"]


# (5) grants and (6) labels


@pytest.mark.parametrize("place", [0, 1])
def test_5_every_link_must_grant(place):
    chain = [link(), link(jti="child")]
    chain[place] = replace(chain[place], grants={ActionKind.RETRIEVAL: {"lookup": {ANY_OTHER: WILD}}})
    decision = decide(request(), snapshot(chain=tuple(chain)))
    assert (decision.effect, codes(decision)) == (Effect.DENY, ["tool_not_granted"])
    assert decision.reasons[0].source == chain[place].jti


def test_5_arguments_are_a_closed_world():
    assert codes(decide(request({"q": "a", "x": 1}), snapshot())) == ["args_closed_world"]
    small = {ActionKind.TOOL_CALL: {"lookup": {"q": Constraint(ConstraintKind.RANGE, high=5)}}}
    assert codes(decide(request({"q": 6}), snapshot(chain=(link(grants=small),)))) == ["arg_violates"]
    assert codes(decide(request({"q": 5}), snapshot(chain=(link(grants=small),)))) == ["granted"]


@pytest.mark.parametrize("place", [0, 1])
def test_6_labels_stay_under_every_ceiling(place):
    chain = [link(labels=("chd", "pii")), link(labels=("chd", "pii"))]
    chain[place] = replace(chain[place], labels=("pii",))
    secret = replace(request().resource, labels=("chd", "pii"))
    decision = decide(request(resource=secret), snapshot(chain=tuple(chain)))
    assert decision.effect is Effect.DENY
    assert [(reason.code, reason.detail) for reason in decision.reasons] == [("class_ceiling", "chd")]
    assert codes(decide(request(resource=secret), snapshot(chain=(link(labels=None),)))) == ["granted"]
    assert codes(decide(request(resource=secret), snapshot(chain=(link(labels=()),)))) == ["class_ceiling"] * 2


# (7) policy


DENIES = Reason("policy_denied", "no")


@pytest.mark.parametrize(
    "answer",
    [
        PolicyAnswer(False, Effect.DENY, (DENIES,), ()),
        PolicyAnswer(False, Effect.ALLOW, (DENIES,), ()),
        PolicyAnswer(False, Effect.ALLOW, (), ()),
        PolicyAnswer(True, Effect.ALLOW, (), (), errors=("p: type error",)),
        PolicyAnswer(True, Effect.DENY, (DENIES,), ()),
        PolicyAnswer(False, Effect.MONITOR, (Reason("first_use", "p", effect="monitor"),), ()),
    ],
)
def test_7_no_permit_a_forbid_or_an_error_denies(answer):
    decision = decide(request(), snapshot(answer))
    assert decision.effect is Effect.DENY
    assert decision.deciding().effect == "deny"
    assert "granted" not in codes(decision)


@pytest.mark.parametrize("error", [ValueError("secret"), RecursionError(), KeyError(), MemoryError(), AssertionError()])
def test_7_a_policy_that_raises_denies_without_telling_values(error):
    decision = decide(request(), snapshot(error))
    assert decision == Decision(Effect.DENY, (Reason("decision_error", "pdp", type(error).__name__),))


@pytest.mark.parametrize("answer", [None, 7, "permit", YES.reasons, {"permitted": True}])
def test_7_an_answer_of_another_shape_denies(answer):
    assert decide(request(), snapshot(Says(answer))).effect is Effect.DENY


@pytest.mark.parametrize("effect", list(Effect))
def test_7_the_policys_effect_is_taken(effect):
    answer = graded(effect)
    decision = decide(request(), snapshot(answer))
    assert decision.effect is effect
    assert decision.deciding().code == f"policy_{effect.value}"


@pytest.mark.parametrize("effect", [effect for effect in Effect if effect is not Effect.DENY])
def test_the_most_severe_wins_and_every_reason_is_kept(effect):
    decision = decide(request({"x": 1}), snapshot(graded(effect), dispatched=True))
    assert decision.effect is Effect.DENY
    assert {"args_closed_world", "already_dispatched", f"policy_{effect.value}"} == set(codes(decision))
    severities = [Effect(reason.effect).severity for reason in decision.reasons]
    assert severities == sorted(severities, reverse=True)


# (8) once and pending


def test_8_a_dispatched_call_is_denied_unless_harmless():
    assert codes(decide(request(), snapshot(dispatched=True))) == ["already_dispatched"]
    harmless = replace(request().resource, idempotent=True)
    assert codes(decide(request(resource=harmless), snapshot(dispatched=True))) == ["granted"]


def test_8_pending_challenges_are_capped():
    answer = graded(Effect.CHALLENGE)
    assert decide(request(), snapshot(answer, pending=PENDING_CAP - 1)).effect is Effect.CHALLENGE
    decision = decide(request(), snapshot(answer, pending=PENDING_CAP))
    assert decision.effect is Effect.DENY
    assert decision.deciding().code == "pending_cap"
    assert decide(request(), snapshot(graded(Effect.MONITOR), pending=PENDING_CAP)).effect is Effect.MONITOR


# (9) abilities


@pytest.mark.parametrize(
    ("answer", "abilities", "missing"),
    [
        (graded(Effect.CHALLENGE), ("clamp", "drop_documents"), ["pause"]),
        (graded(Effect.CHALLENGE, Obligation("clamp", "q", 1)), ("pause",), []),
        (graded(Effect.RESTRICT, Obligation("clamp", "q", 1)), ("pause", "drop_documents"), ["clamp"]),
        (graded(Effect.RESTRICT, Obligation("drop_documents", "", 1)), (), ["drop_documents"]),
        (graded(Effect.RESTRICT, Obligation("hologram", "", 1)), ("pause", "drop_documents", "clamp"), ["hologram"]),
        (graded(Effect.MONITOR), (), []),
    ],
)
def test_9_what_the_enforcement_point_cannot_do_denies(answer, abilities, missing):
    decision = decide(request(abilities=abilities), snapshot(answer))
    assert [reason.detail for reason in decision.reasons if reason.code == "needs_guard"] == missing
    assert decision.effect is (Effect.DENY if missing else answer.effect)


def test_obligations_are_sorted_and_single():
    answer = graded(
        Effect.RESTRICT, Obligation("clamp", "z", 1), Obligation("clamp", "a", 1), Obligation("clamp", "z", 1)
    )
    decision = decide(request(), snapshot(answer))
    assert decision.obligations == (Obligation("clamp", "a", 1), Obligation("clamp", "z", 1))


# total, deterministic, the same again from its record


STARTER = CedarPolicy.compile(PolicyBundle.starter())
TEXT = st.text(st.characters(), max_size=8)
SCALAR = st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.binary(max_size=4) | st.just(object())
HOSTILE = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner)
        | st.dictionaries(TEXT | st.sampled_from(["__entity", "__extn", "type", "id", "$f", "q"]), inner, max_size=3)
    ),
    max_leaves=8,
)
ARGS = st.dictionaries(TEXT | st.sampled_from(["q", "amount", "to", "__entity"]) | st.integers(), HOSTILE, max_size=4)


@st.composite
def anything(draw) -> tuple[AccessRequest, Snapshot]:
    pick = draw
    resource = Resource(
        id=pick(st.sampled_from(["lookup", "", "l\u043e\u043ekup", "a" * 500]) | TEXT),
        kind=pick(st.sampled_from(ActionKind)),
        impact=pick(st.sampled_from(["read", "payment", "execute", "unknown"])),
        labels=tuple(pick(st.lists(TEXT, max_size=2))),
        source_trust=pick(st.none() | st.integers(0, 1000)),
        targets=tuple(pick(st.lists(st.sampled_from(["to", "q", "nowhere"]), max_size=2))),
        amount=pick(st.sampled_from(["", "amount", "q"])),
        idempotent=pick(st.booleans()),
    )
    asked = request(
        pick(ARGS | HOSTILE),
        session=pick(st.sampled_from(["", "s"]) | TEXT),
        abilities=tuple(pick(st.lists(st.sampled_from(["clamp", "pause", "drop_documents"]), max_size=3))),
        kind=resource.kind,
        resource=resource,
        problem=pick(st.sampled_from(["", "", "", "invalid_arguments"])),
    )
    grants = pick(
        st.sampled_from(
            [link().grants, {}, {resource.kind: {resource.id: {ANY_OTHER: WILD}}}, {resource.kind: None}, None]
        )
    )
    seen = snapshot(
        pick(st.sampled_from([STARTER, Says(YES), Says(ValueError()), Says(None), None])),
        time_us=pick(st.integers()),
        chain=pick(
            st.sampled_from([(), (link(grants=grants),), (link(grants=grants), link(grants=grants)), (None,), None])
        ),
        stops=pick(st.sampled_from([(), (Stop("agent", "x", 0),), (None,)])),
        revocations=pick(st.sampled_from([(), (Revocation("key", "x", 0),), None])),
        provenance=tuple(pick(st.lists(st.tuples(TEXT, st.sampled_from(Provenance)), max_size=2))),
        dispatched=pick(st.booleans()),
        pending=pick(st.integers(0, 30)),
        uses=pick(st.integers()),
    )
    return asked, seen


@settings(max_examples=300)
@given(anything())
def test_total_any_values_give_a_decision_and_the_same_again(pair):
    asked, seen = pair
    decision = decide(asked, seen)
    assert isinstance(decision, Decision)
    assert decision.reasons
    again = decide(asked, seen)
    assert decision == again
    if decision.effect.runs:
        assert asked.context.session
        assert not asked.problem
        assert seen.chain
        assert all(item.tenant == asked.subject.tenant for item in seen.chain)
        assert asked.resource.idempotent or not seen.dispatched
    else:
        assert decision.deciding().effect == decision.effect.value


@given(st.permutations([f"r{i}" for i in range(5)]))
def test_bytes_do_not_depend_on_the_order_of_reasons(order):
    reasons = tuple(Reason(code, "p", effect="monitor") for code in order)
    first = decide(request(), snapshot(PolicyAnswer(True, Effect.MONITOR, reasons, ())))
    second = decide(request(), snapshot(PolicyAnswer(True, Effect.MONITOR, tuple(sorted(reasons)), ())))
    assert first.to_bytes() == second.to_bytes()
    assert Decision.from_plain(canonical.loads(first.to_bytes())) == first


@settings(max_examples=300)
@given(anything())
def test_a_decision_survives_its_record(pair):
    asked, seen = pair
    try:
        args = canonical.from_plain(canonical.loads(canonical.canonical(asked.args)))
        plain = canonical.loads(canonical.dumps(asked.to_plain())), canonical.loads(canonical.dumps(seen.to_plain()))
    except (canonical.CanonicalError, AttributeError, TypeError):
        return  # what cannot be recorded never reaches `decide`
    if not isinstance(args, dict) or asked.problem:
        return
    again = AccessRequest.from_plain(plain[0], args)
    same = Snapshot.from_plain(plain[1], chain=seen.chain, policy=seen.policy)
    assert decide(again, same).to_bytes() == decide(asked, seen).to_bytes()
