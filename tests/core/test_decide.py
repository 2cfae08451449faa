"""`decide`: pure, total, fail-closed; its checks one by one. Invariants: TOTAL, FAILCLOSED, REV, TENANT, REPLAY."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.crypto import canonical
from halo_core.decision.bindings import make_call_binding, make_session_claim
from halo_core.decision.checks import PENDING_CAP, decide, stop_applies
from halo_core.model import (
    ANY_OTHER,
    AccessRequest,
    ActionKind,
    Approval,
    Budget,
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
    Quota,
    Reason,
    Resource,
    Revocation,
    SessionView,
    Snapshot,
    StandingAnswer,
    Stop,
    Trigger,
)
from halo_core.policy import CedarPolicy, PolicyBundle

WILD = Constraint(ConstraintKind.WILDCARD)
NOW = 1_800_000_000
YES = PolicyAnswer(permitted=True, effect=Effect.ALLOW, reasons=(), obligations=())


@dataclass(frozen=True)
class Says:
    """A policy that gives one answer, or raises it."""

    answers: Any = YES
    hash: str = "sha256:policy"
    rules: str = "sha256:rules"

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
    return link(
        **{"hash": "sha256:root", "jti": "root", "kind": LinkKind.STANDING, "depth": 0, "decay": None, **changes}
    )


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
        chain = changes["chain"] if isinstance(changes["chain"], tuple) else ()
        decaying = [item for item in chain if isinstance(item, Link) and item.decay is not None]
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
    assert decision == Decision(Effect.ALLOW, (Reason("granted", effect="allow"),), charges=charges)


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
        ("agent", "ana", True),  # for whom it acts
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


def test_3_a_stop_of_the_actor_needs_no_chain():
    alone = request(subject=Principal("acme", "clerk", "ana", chain=()))
    assert stop_applies(Stop("agent", "clerk", 0), alone)
    assert not stop_applies(Stop("agent", "ana", 0), alone)


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
    decision = decide(
        request(subject=who), snapshot(chain=(link(), child), revocations=(Revocation(scope, target, 0),))
    )
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
        PolicyAnswer(True, Effect.CHALLENGE, (), ()),
        PolicyAnswer(False, Effect.MONITOR, (Reason("first_use", "p", effect="monitor"),), ()),
    ],
)
def test_7_no_permit_a_forbid_or_an_error_denies(answer):
    decision = decide(request(), snapshot(answer))
    assert decision.effect is Effect.DENY
    assert decision.find_deciding_reason().effect == "deny"
    assert "granted" not in codes(decision)


@pytest.mark.parametrize("error", [ValueError("secret"), RecursionError(), KeyError(), MemoryError(), AssertionError()])
def test_7_a_policy_that_raises_denies_without_telling_values(error):
    decision = decide(request(), snapshot(error))
    assert decision == Decision(Effect.DENY, (Reason("decision_error", "pdp", type(error).__name__),))


@pytest.mark.parametrize("answer", [None, 7, "permit", YES.reasons, {"permitted": True}])
def test_7_an_answer_of_another_shape_denies(answer):
    assert decide(request(), snapshot(Says(answer))).effect is Effect.DENY


def test_7_one_reason_as_severe_as_the_effect_explains_it():
    reasons = tuple(
        Reason(f"policy_{effect.value}", "p", effect=effect.value) for effect in (Effect.MONITOR, Effect.RESTRICT)
    )
    decision = decide(request(), snapshot(PolicyAnswer(True, Effect.RESTRICT, reasons, ())))
    assert (decision.effect, set(codes(decision))) == (Effect.RESTRICT, {"policy_monitor", "policy_restrict"})


@pytest.mark.parametrize("effect", list(Effect))
def test_7_the_policys_effect_is_taken(effect):
    answer = graded(effect)
    decision = decide(request(), snapshot(answer))
    assert decision.effect is effect
    assert decision.find_deciding_reason().code == f"policy_{effect.value}"


@pytest.mark.parametrize("effect", [effect for effect in Effect if effect is not Effect.DENY])
def test_the_most_severe_wins_and_every_reason_is_kept(effect):
    decision = decide(request({"x": 1}), snapshot(graded(effect), dispatched=True))
    assert decision.effect is Effect.DENY
    assert {"args_closed_world", "already_dispatched", f"policy_{effect.value}"} == set(codes(decision))
    severities = [Effect(reason.effect).severity for reason in decision.reasons]
    assert severities == sorted(severities, reverse=True)


# (8) once, (12) pending


def test_8_a_dispatched_call_is_denied_unless_harmless():
    assert codes(decide(request(), snapshot(dispatched=True))) == ["already_dispatched"]
    harmless = replace(request().resource, idempotent=True)
    assert codes(decide(request(resource=harmless), snapshot(dispatched=True))) == ["granted"]


def test_12_pending_challenges_are_capped():
    answer = graded(Effect.CHALLENGE)
    assert decide(request(), snapshot(answer, pending=PENDING_CAP - 1)).effect is Effect.CHALLENGE
    decision = decide(request(), snapshot(answer, pending=PENDING_CAP))
    assert decision.effect is Effect.DENY
    assert decision.find_deciding_reason().code == "pending_cap"
    assert decide(request(), snapshot(graded(Effect.MONITOR), pending=PENDING_CAP)).effect is Effect.MONITOR


# (9) authority, (10) budgets

PAY = Resource(id="lookup", impact=Impact.PAYMENT, amount="q", unit="USD", source_trust=600)
USD = Budget("USD", 500, 1000, 2)


def paying(amount, **changes) -> AccessRequest:
    return request({"q": amount}, resource=replace(PAY, **changes))


def rich(*budgets: Budget, ceilings: tuple[Budget, ...] = (), **changes) -> tuple[Link, ...]:
    return (root(budgets=ceilings or budgets), link(budgets=budgets, **changes))


def test_9_authority_is_judged_after_the_own_charge_against_the_floor_of_the_class():
    floors = tuple(sorted({**dict(FLOORS), "unknown": 995_000}.items()))
    chain = (root(), link(decay=replace(DECAY, floors=floors, half_life_risk=10_000)))
    decision = decide(request(), snapshot(chain=chain))
    assert (decision.effect, codes(decision)) == (Effect.CHALLENGE, ["authority_decayed"])  # 100% before, 99.45% after
    assert decision.charges == ()
    lower = (root(), link(decay=replace(DECAY, floors=tuple(sorted({**dict(floors), "unknown": 990_000}.items())))))
    assert codes(decide(request(), snapshot(chain=lower))) == ["granted"]


def test_9_the_least_authority_of_all_links_counts():
    tired = account("a1", since_us=(NOW - 4 * 3600) * 1_000_000)
    chain = (root(), link(), link(jti="child", hash="sha256:child"))
    for accounts in ((account("a0"), tired), (tired, account("a1"))):
        assert codes(decide(request(), snapshot(chain=chain, envelopes=accounts))) == ["authority_decayed"]


def test_9_below_the_threshold_of_the_link_nothing_runs():
    harmless = replace(DECAY, reauthorize_below=1_000_000, floors=tuple((name, 0) for name, _ in FLOORS))
    assert codes(decide(request(), snapshot(chain=(root(), link(decay=harmless))))) == ["authority_decayed"]


def test_9_a_risk_band_lowers_the_ceiling():
    banded = replace(DECAY, half_life_risk=10**9, bands=((50, 90_000),))
    spent = account(spent=(("risk", 0, 39),))
    chain = (root(), link(decay=banded))
    assert codes(decide(request(), snapshot(chain=chain, envelopes=(spent,)))) == ["granted"]
    spent = account(spent=(("risk", 0, 40),))
    assert codes(decide(request(), snapshot(chain=chain, envelopes=(spent,)))) == ["authority_decayed"]


def test_9_without_an_account_nobody_knows_so_it_is_denied():
    decision = decide(request(), snapshot(chain=(root(), link()), envelopes=()))
    assert (decision.effect, codes(decision)) == (Effect.DENY, ["decision_error"])


@pytest.mark.parametrize(
    ("amount", "spent", "code", "effect"),
    [
        ("5.00", 0, None, Effect.ALLOW),
        ("5.01", 0, "per_action_exceeded", Effect.DENY),
        ("5.00", 500, None, Effect.ALLOW),
        ("5.00", 501, "budget_exceeded", Effect.DENY),
        (-1, 0, "bad_amount", Effect.DENY),
        (True, 0, "bad_amount", Effect.DENY),
        (float("nan"), 0, "bad_amount", Effect.DENY),
        ("much", 0, "bad_amount", Effect.DENY),
    ],
)
def test_10_every_limit_holds_the_charge(amount, spent, code, effect):
    chain, accounts = rich(USD), (account(spent=(("USD", spent, 0),)),)
    decision = decide(paying(amount), snapshot(chain=chain, envelopes=accounts))
    assert (decision.effect, codes(decision)) == (effect, [code or "granted"])


def test_10_a_limit_under_the_ceiling_can_be_raised_by_somebody_else():
    chain = rich(USD, ceilings=(Budget("USD", 500, 2000, 2),))
    accounts = (account(spent=(("USD", 0, 900),)),)
    assert decide(paying("5.00"), snapshot(chain=chain, envelopes=accounts)).effect is Effect.CHALLENGE
    accounts = (account(spent=(("USD", 0, 1501),)),)
    assert decide(paying("5.00"), snapshot(chain=chain, envelopes=accounts)).effect is Effect.DENY


@pytest.mark.parametrize(("age_s", "effect"), [(60, Effect.ALLOW), (90, Effect.CHALLENGE), (91, Effect.DENY)])
def test_10_time_can_be_raised_up_to_the_ceiling(age_s, effect):
    chain = rich(Budget("time", 60, 60), ceilings=(Budget("time", 90, 90),))
    opened = SessionView("s", 0, (NOW - age_s) * 1_000_000, 0, 0, tainted=False)
    assert decide(request(), snapshot(chain=chain, session=opened)).effect is effect


def test_10_a_unit_without_a_budget_cannot_be_spent():
    assert codes(decide(paying(1), snapshot(chain=rich(Budget("step", 1, 9))))) == ["unknown_unit"]


def test_10_a_quota_that_nobody_counted_is_used_up():
    chain = (root(budgets=(USD,), quotas=(Quota("USD", 700, 2),)), link(budgets=(USD,)))
    assert codes(decide(paying(2), snapshot(chain=chain, quotas=(("USD", 500),)))) == ["granted"]
    assert codes(decide(paying(2), snapshot(chain=chain, quotas=(("USD", 501),)))) == ["quota_exceeded"]
    assert codes(decide(paying(2), snapshot(chain=chain))) == ["quota_exceeded"]
    # A day that cost more than was reserved stops what spends on, and nothing else.
    assert codes(decide(paying(2), snapshot(chain=chain, quotas=(("USD", 701),)))) == ["quota_exceeded"]
    assert codes(decide(paying(0), snapshot(chain=chain, quotas=(("USD", 701),)))) == ["granted"]


def test_10_time_is_the_age_of_the_session_over_all_epochs():
    chain, old = rich(Budget("time", 60, 60)), SessionView("s", 0, (NOW - 61) * 1_000_000, 0, 0, tainted=False)
    assert codes(decide(request(), snapshot(chain=chain))) == ["granted"]
    assert codes(decide(request(), snapshot(chain=chain, session=old))) == ["budget_exceeded"]


def test_a_refused_attempt_costs_risk_and_no_step():
    decision = decide(request({"x": 1}), snapshot())
    assert (decision.effect, decision.charges) == (Effect.DENY, (("risk", 15),))
    nearly = rich(Budget("risk", 100, 100)), (account(spent=(("risk", 0, 93),)),)
    decision = decide(request({"x": 1}), snapshot(chain=nearly[0], envelopes=nearly[1]))
    assert decision.charges == (("risk", 7),)  # never over the limit


# (11) answers


def answer_to(asked: AccessRequest, shot: Snapshot, **changes) -> Snapshot:
    binding = make_call_binding(asked, shot.chain, shot.policy.rules)
    approval = Approval("q", "bo@bank", "bo-key", binding, (NOW + 60) * 1_000_000)
    return replace(shot, approval=replace(approval, **changes))


def test_11_an_approval_of_exactly_this_call_answers_a_challenge():
    asked, shot = request(), snapshot(graded(Effect.CHALLENGE))
    decision = decide(asked, answer_to(asked, shot))
    assert (decision.effect, sorted(codes(decision))) == (Effect.MONITOR, ["approved", "policy_challenge"])


def test_11_an_approval_settles_no_more_than_was_asked():
    asked, shot = request(), snapshot(graded(Effect.CHALLENGE))
    whole = decide(asked, answer_to(asked, shot, questions=("policy_challenge",)))
    assert whole.effect is Effect.MONITOR
    decision = decide(asked, answer_to(asked, shot, questions=("untrusted_target",)))
    assert (decision.effect, sorted(codes(decision))) == (
        Effect.CHALLENGE,
        ["approval_incomplete", "policy_challenge"],
    )


@pytest.mark.parametrize(
    ("changes", "code", "effect"),
    [
        ({"binding": "sha256:other"}, "approval_mismatch", Effect.DENY),
        ({"expires_us": NOW * 1_000_000}, "policy_challenge", Effect.CHALLENGE),
        ({"granted": False}, "approval_denied", Effect.DENY),
        ({"approver": "ana"}, "approver_in_chain", Effect.DENY),
        ({"approver": "User:CLERK"}, "approver_in_chain", Effect.DENY),
        ({"approver": "owner"}, "approver_in_chain", Effect.DENY),
        ({"key_id": "kid"}, "approver_in_chain", Effect.DENY),
    ],
)
def test_11_no_other_approval_does(changes, code, effect):
    asked = request()
    shot = snapshot(graded(Effect.CHALLENGE), chain=(root(owner="user:owner"), link()))
    decision = decide(asked, answer_to(asked, shot, **changes))
    assert (decision.effect, decision.find_deciding_reason().code) == (effect, code)


LARGE = PolicyAnswer(True, Effect.CHALLENGE, (Reason("large_amount", "p", effect="challenge"),), ())
REMEMBERED = StandingAnswer(
    "answer", "standing", "ruth", "key", "scope", NOW * 2_000_000, 0, 9, 0, 90_000_000, 0, max_each=12_000_000
)


@pytest.mark.parametrize(
    ("amount", "paid", "changes", "effect"),
    [
        (12_000_000, 0, {}, Effect.MONITOR),
        (11_000_000, 1_000_000, {}, Effect.MONITOR),
        (12_000_001, 0, {}, Effect.CHALLENGE),
        (11_000_000, 1_000_001, {}, Effect.CHALLENGE),
        (-12_000_000, 0, {}, Effect.CHALLENGE),
        (0, 0, {}, Effect.CHALLENGE),
        (None, 0, {}, Effect.CHALLENGE),
        (12_000_000, 0, {"max_each": 0}, Effect.CHALLENGE),
        (12_000_000, 0, {"scope": "other"}, Effect.CHALLENGE),
        (12_000_000, 0, {"uses": 9}, Effect.CHALLENGE),
        (12_000_000, 0, {"spent": 80_000_000}, Effect.CHALLENGE),
        (12_000_000, 0, {"approver": "ana"}, Effect.CHALLENGE),
        (12_000_000, 0, {"kind": "break_glass"}, Effect.CHALLENGE),
    ],
)
def test_11_a_remembered_amount_is_settled_up_to_what_was_shown(amount, paid, changes, effect):
    """INVARIANT: BIND - within 24 hours no more goes to a target than who answered has seen."""
    asked = request(resource=Resource(id="lookup", impact=Impact.PAYMENT, amount="amount", source_trust=600))
    answer = replace(REMEMBERED, **changes)
    shot = snapshot(LARGE, answer_scope="scope", standing=(answer,), amount=amount, paid_to_target=paid)
    assert decide(asked, shot).effect is effect
    other = replace(asked, resource=replace(asked.resource, impact=Impact.WRITE))
    assert decide(other, shot).effect is Effect.CHALLENGE  # its windows say nothing of what was paid
    sums = replace(LARGE, reasons=(*LARGE.reasons, Reason("large_sum", "q", effect="challenge")))
    assert decide(asked, replace(shot, policy=Says(sums))).effect is Effect.CHALLENGE


def test_11_an_approved_call_is_still_narrowed():
    asked = request(abilities=("pause",))
    shot = snapshot(graded(Effect.CHALLENGE, Obligation("clamp", "q", 1)))
    decision = decide(asked, answer_to(asked, shot))
    assert (decision.effect, decision.find_deciding_reason().code) == (Effect.DENY, "needs_guard")


def test_11_an_approval_gives_back_no_authority():
    tired = (account(since_us=(NOW - 4 * 3600) * 1_000_000),)
    asked, shot = request(), snapshot(graded(Effect.CHALLENGE), envelopes=tired)
    decision = decide(asked, answer_to(asked, shot))
    assert (decision.effect, decision.find_deciding_reason().code) == (Effect.CHALLENGE, "authority_decayed")


def test_11_an_approval_does_not_outweigh_a_denial():
    asked = request({"x": 1})
    shot = snapshot(graded(Effect.CHALLENGE))
    assert decide(asked, answer_to(asked, shot)).effect is Effect.DENY


@pytest.mark.parametrize(
    "changes",
    [
        {"args_digest": "sha256:other"},
        {"kind": ActionKind.HANDOFF},
        {"resource": Resource(id="lookup", source_trust=500)},
        {"session": "other"},
        {"subject": Principal("acme", "clerk", "bo", chain=("bo", "clerk"))},
    ],
)
def test_11_an_approval_is_bound_to_every_part_of_the_call(changes):
    chain = (root(), link())
    assert make_call_binding(request(**changes), chain, "rules") != make_call_binding(request(), chain, "rules")


def test_11_an_approval_is_bound_to_the_passport_and_the_rules():
    asked, chain = request(), (root(), link())
    others = [(root(), link(**change)) for change in ({"agent": "other"}, {"txn": "other"}, {"epoch": 2})]
    bindings = [make_call_binding(asked, other, "rules") for other in (chain, *others, chain[1:])]
    assert len({*bindings, make_call_binding(asked, chain, "other rules")}) == 6
    renewed = (root(txn="other"), link())  # a standing link belongs to no session
    assert make_call_binding(asked, renewed, "rules") == bindings[0]


@pytest.mark.parametrize(
    ("session", "fits"), [("s", True), ("s" * 256, True), ("s" * 257, False), ("", False), ("a\nb", False)]
)
def test_11_a_session_id_that_a_claim_cannot_hold_is_replaced_by_its_digest(session, fits):
    assert (make_session_claim(session) == session) is fits


# hand-offs


def test_5_a_hand_off_goes_to_whom_the_passport_names_and_no_deeper():
    grants = {ActionKind.HANDOFF: {"helper": {ANY_OTHER: WILD}}}
    target = Resource(id="helper", kind=ActionKind.HANDOFF)
    asked = request(kind=ActionKind.HANDOFF, resource=target)
    chain = (root(grants=grants), link(grants=grants, hand_off_to=("helper",)))
    assert codes(decide(asked, snapshot(chain=chain))) == ["granted"]
    stranger = (root(grants=grants), link(grants=grants, hand_off_to=("other",)))
    assert codes(decide(asked, snapshot(chain=stranger))) == ["handoff_not_allowed"]
    deep = (root(grants=grants), link(grants=grants, hand_off_to=("helper",), depth=3, max_depth=3))
    assert codes(decide(asked, snapshot(chain=deep))) == ["bad_depth"]


def test_5_handing_back_up_the_chain_needs_no_grant():
    back = request(kind=ActionKind.HANDOFF, resource=Resource(id="clerk", kind=ActionKind.HANDOFF))
    assert codes(decide(back, snapshot())) == ["granted"]


def test_4_only_the_holder_of_the_last_link_acts_under_it():
    decision = decide(request(), snapshot(chain=(root(), link(), link(jti="last", agent="other"))))
    assert decision.reasons == (Reason("not_the_holder", "last"),)


def test_4_a_standing_link_alone_lets_nothing_run():
    assert codes(decide(request(), snapshot(chain=(root(),)))) == ["no_passport"]


@pytest.mark.parametrize("code", ["handed_back", "stale_epoch", "bad_passport", "root_key_retired"])
def test_4_a_chain_that_could_not_be_put_together_denies(code):
    assert codes(decide(request(), snapshot(passport_problem=code))) == [code]


# (12) abilities


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
def test_12_what_the_enforcement_point_cannot_do_denies(answer, abilities, missing):
    decision = decide(request(abilities=abilities), snapshot(answer))
    assert [reason.detail for reason in decision.reasons if reason.code == "needs_guard"] == missing
    assert decision.effect is (Effect.DENY if missing else answer.effect)


@pytest.mark.parametrize(
    ("value", "amount", "refused"),
    [(1, "", False), (1.5, "", False), (None, "", False), (None, "q", True), (True, "", True), ("1", "", True)],
)
def test_12_only_a_number_can_be_clamped(value, amount, refused):
    answer = graded(Effect.RESTRICT, Obligation("clamp", "q", 1))
    resource = Resource(id="lookup", source_trust=600, amount=amount)
    decision = decide(request({"q": value}, resource=resource), snapshot(answer))
    assert ("not_a_number" in codes(decision)) is refused


def test_12_a_long_name_is_cut_in_the_reason():
    grants = {ActionKind.TOOL_CALL: {"lookup": {ANY_OTHER: WILD}}}
    chain, answer = (
        (root(grants=grants), link(grants=grants)),
        graded(Effect.RESTRICT, Obligation("clamp", "q" * 65, 1)),
    )
    decision = decide(request({"q" * 65: "text"}), snapshot(answer, chain=chain))
    assert [reason.detail for reason in decision.reasons if reason.code == "not_a_number"] == ["q" * 64]


def test_12_a_text_can_be_redacted():
    answer = graded(Effect.RESTRICT, Obligation("redact", "q", 0))
    assert decide(request(abilities=("redact",)), snapshot(answer)).effect is Effect.RESTRICT


@pytest.mark.parametrize(
    ("impact", "text", "expected"),
    [
        (Impact.EXECUTE, "ls", Effect.ALLOW),
        (Impact.EXECUTE, "run halo:secret:x", Effect.CHALLENGE),
        (Impact.READ, "halo:secret:x", Effect.ALLOW),
    ],
)
def test_a_sealed_secret_in_what_is_run_is_asked_about(impact, text, expected):
    resource = Resource(id="lookup", source_trust=600, impact=impact)
    assert decide(request({"q": text}, resource=resource), snapshot()).effect is expected


def test_where_a_score_is_in_force_what_has_none_is_denied():
    assert codes(decide(request(), snapshot(score_problem="score_unavailable"))) == ["score_unavailable"]


def test_obligations_are_sorted_and_single():
    answer = graded(
        Effect.RESTRICT, Obligation("clamp", "z", 1), Obligation("clamp", "a", 1), Obligation("clamp", "z", 1)
    )
    decision = decide(request(), snapshot(answer))
    assert decision.obligations == (Obligation("clamp", "a", 1), Obligation("clamp", "z", 1))


# total, deterministic, the same again from its record


STARTER = CedarPolicy.compile(PolicyBundle.load_starter())
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


@settings(max_examples=count(300))
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
        assert decision.find_deciding_reason().effect == decision.effect.value


@given(st.permutations([f"r{i}" for i in range(5)]))
def test_bytes_do_not_depend_on_the_order_of_reasons(order):
    reasons = tuple(Reason(code, "p", effect="monitor") for code in order)
    first = decide(request(), snapshot(PolicyAnswer(True, Effect.MONITOR, reasons, ())))
    second = decide(request(), snapshot(PolicyAnswer(True, Effect.MONITOR, tuple(sorted(reasons)), ())))
    assert first.to_bytes() == second.to_bytes()
    assert Decision.from_plain(canonical.loads(first.to_bytes())) == first


@settings(max_examples=count(300))
@given(anything())
def test_a_decision_survives_its_record(pair):
    asked, seen = pair
    try:
        args = canonical.from_plain(canonical.loads(canonical.encode(asked.args)))
        plain = canonical.loads(canonical.dumps(asked.to_plain())), canonical.loads(canonical.dumps(seen.to_plain()))
    except (canonical.CanonicalError, AttributeError, TypeError):
        return  # what cannot be recorded never reaches `decide`
    if not isinstance(args, dict) or asked.problem:
        return
    again = AccessRequest.from_plain(plain[0], args)
    same = Snapshot.from_plain(plain[1], chain=seen.chain, policy=seen.policy)
    assert decide(again, same).to_bytes() == decide(asked, seen).to_bytes()
