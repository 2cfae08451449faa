"""Plans: what they say is what `decide` says, and each of their checks is needed. Invariants: REPLAY, FAILCLOSED.

Pure tests of `compile_plan` and `Plan.decide`; that plans end when something changes is in test_planner.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from hashlib import sha256
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_decide import DECAY, NOW, account, link, request, root, snapshot

from counts import count
from halo_core.authority import charge_account, compute_effective_authority
from halo_core.decision.checks import decide
from halo_core.decision.plan import compile_plan
from halo_core.enforcement.payment_windows import read_amount_at_stake
from halo_core.model import (
    ANY_OTHER,
    ActionKind,
    Budget,
    Constraint,
    Decision,
    Effect,
    Impact,
    Principal,
    Provenance,
    Quota,
    Resource,
    Revocation,
    SessionView,
    Snapshot,
    Stop,
)
from halo_core.policy import CedarPolicy, PolicyBundle, prepared_question

NOW_US = NOW * 1_000_000
PERMIT = '@id("base") permit (principal, action, resource);'


def policy(*rules: str, types: Any = None) -> CedarPolicy:
    texts = {f"r{i}.cedar": text for i, text in enumerate((PERMIT, *rules))}
    return CedarPolicy.compile(PolicyBundle(texts, types or {}))


@dataclass
class Facts:
    """A call as a plan reads it, and the request and snapshot that `decide` reads of the same call."""

    request: Any
    snapshot: Snapshot
    may_hold_seal: bool = False
    charged_accounts: Any = ()
    authority: Any = None
    authority_left: Any = None
    state: Any = field(init=False)

    def __post_init__(self) -> None:
        asked, seen = self.request, self.snapshot
        self.problem, self.session = asked.problem, asked.context.session
        self.sealed_args, self.principal = asked.args, asked.subject
        self.call = SimpleNamespace(session_source=asked.context.session_source)
        self.time_us, self.accounts = seen.time_us, seen.envelopes
        self.provenance, self.sources, self.uses = seen.provenance, seen.sources, seen.uses
        self.targets, self.amount = seen.targets, seen.amount
        self.payment = SimpleNamespace(
            paid_to_target=seen.paid_to_target, paid_by_principal=seen.paid_by_principal, is_repeated=seen.repeated
        )
        self.is_dispatched = seen.dispatched
        self.state = SimpleNamespace(
            view=seen.session, pending=seen.pending, risk=seen.session_risk, refused=seen.refused
        )
        self.may_hold_seal = self.may_hold_seal or "halo:secret:" in repr(asked.args)
        if seen.chain:
            self.authority = compute_effective_authority(seen.chain, seen.envelopes, seen.time_us)


def view(**changes: Any) -> SessionView:
    base = SessionView("s", 0, NOW_US, NOW_US, 0, tainted=False)
    return replace(base, **changes)


def plan_of(asked: Any, seen: Snapshot) -> Any:
    return compile_plan(asked, seen)


def planned(asked: Any, seen: Snapshot, plan: Any = None) -> Decision | None:
    """What a plan, made for this very call or before, says of a call."""
    plan = plan or plan_of(asked, seen)
    return None if plan is None else plan.decide(Facts(asked, seen))


def spender(**changes: Any) -> Resource:
    return Resource(id="lookup", source_trust=600, amount="q", unit="USD", **changes)


USD = Budget("USD", per_action=10_000, subtree=50_000, decimals=2)
STEPS = Budget("step", per_action=1, subtree=5)


def test_a_plain_call_is_planned_as_it_is_decided():
    asked, seen = request(), snapshot(policy())
    assert planned(asked, seen) == decide(asked, seen)
    assert decide(asked, seen).effect is Effect.ALLOW


def test_a_monitored_call_is_planned_with_its_reasons():
    watch = '@id("watch") @effect("monitor") forbid (principal, action, resource) when { context.steps >= 0 };'
    asked, seen = request(), snapshot(policy(watch))
    decision = planned(asked, seen)
    assert decision == decide(asked, seen)
    assert decision.effect is Effect.MONITOR


def test_what_is_spent_is_priced_and_charged():
    asked = request({"q": 12.5}, resource=spender(costs=(("USD", "0.01"),)))
    seen = snapshot(policy(), chain=(root(), link(budgets=(USD,))))
    facts = Facts(asked, seen)
    decision = plan_of(asked, seen).decide(facts)
    assert decision == decide(asked, seen)
    assert dict(decision.charges)["USD"] == 1251
    assert facts.charged_accounts == tuple(charge_account(item, decision.charges) for item in seen.envelopes)
    assert facts.authority_left == compute_effective_authority(seen.chain, facts.charged_accounts, seen.time_us)


def test_an_exposed_session_pays_twice():
    asked = request(resource=Resource(id="lookup", impact=Impact.WRITE))
    seen = snapshot(policy(), session=view(tainted=True))
    assert planned(asked, seen) == decide(asked, seen)
    assert dict(planned(asked, seen).charges)["risk"] == 6


# Each check: a call that a plan allows, and one for which it must not, since `decide` does not.

NARROW = {ActionKind.TOOL_CALL: {"lookup": {"q": Constraint.one_of("a", "b")}}}
LATE = '@id("late") @effect("challenge") forbid (principal, action, resource) when { context.steps > 3 };'
BIG = '@id("big") forbid (principal, action, resource) when { context.args has q && context.args.q == "evil" };'
MUCH = (
    '@id("much") forbid (principal, action, resource) '
    'when { context has amount && context.amount.greaterThan(decimal("7.5")) };'
)
FROM_NOWHERE = '@id("nowhere") forbid (principal, action, resource) when { context.target_origins.contains("novel") };'
LATE_HOUR = f'@id("hour") forbid (principal, action, resource) when {{ context.time_s > {NOW + 50} }};'
FROM_OUTSIDE = (
    '@id("outside") forbid (principal, action, resource) when { context.target_origins.contains("untrusted") };'
)


CALLS = {
    "(1) a problem": ({}, {}, {"problem": "unknown_tool"}, {}),
    "(2) no session": ({}, {}, {"session": ""}, {}),
    "(4) before its time": ({}, {}, {}, {"time_us": (NOW - 101) * 1_000_000}),
    "(4) after its time": ({}, {}, {}, {"time_us": (NOW + 100) * 1_000_000}),
    "(5) an argument that is not named": ({}, {}, {"args": {"q": "a", "x": 1}}, {}),
    "(5) an argument that is refused": ({"chain": (root(), link(grants=NARROW))}, {}, {"args": {"q": "c"}}, {}),
    "(5) a parent that refuses it": (
        {
            "chain": (
                root(grants=NARROW),
                link(hash="child", grants={ActionKind.TOOL_CALL: {"lookup": {ANY_OTHER: Constraint.anything()}}}),
            )
        },
        {},
        {"args": {"q": "c"}},
        {},
    ),
    "(5) an argument that is missing": ({"chain": (root(), link(grants=NARROW))}, {}, {"args": {}}, {}),
    "(7) a rule on a counter": ({"policy": policy(LATE)}, {}, {}, {"session": view(steps=4)}),
    "(7) a rule on an argument": ({"policy": policy(BIG)}, {}, {"args": {"q": "evil"}}, {}),
    "(7) a sealed text": ({"policy": policy(BIG)}, {}, {"args": {"q": "halo:secret:0123456789abcdef"}}, {}),
    "(7) where a target came from": (
        {"policy": policy(FROM_OUTSIDE)},
        {"resource": Resource(id="lookup", source_trust=600, targets=("q",))},
        {},
        {"provenance": (("/q", Provenance.UNTRUSTED),)},
    ),
    "(7) a rule on the amount": (
        {"policy": policy(MUCH)},
        {"resource": Resource(id="lookup", source_trust=600, amount="q"), "args": {"q": 5}},
        {"resource": Resource(id="lookup", source_trust=600, amount="q"), "args": {"q": 8}},
        {},
    ),
    "(7) a target that nobody traced": (
        {"policy": policy(FROM_NOWHERE)},
        {"resource": Resource(id="lookup", source_trust=600, targets=("q",)), "args": {"q": ""}},
        {"resource": Resource(id="lookup", source_trust=600, targets=("q",)), "args": {"q": "a"}},
        {},
    ),
    "(7) a rule on the time": ({"policy": policy(LATE_HOUR)}, {}, {}, {"time_us": (NOW + 60) * 1_000_000}),
    "(8) dispatched before": ({}, {}, {}, {"dispatched": True}),
    "(9) too little authority": ({}, {}, {}, {"envelopes": (account(spent=(("risk", 0, 9000),)),)}),
    "(9) too little for one of two links": (
        {"chain": (root(), link(), link(hash="child", jti="child"))},
        {},
        {},
        {"envelopes": (account(), account("b", spent=(("risk", 0, 9000),)))},
    ),
    "(9) old": (
        {"chain": (root(), link(expires_at_s=NOW + 9_000_000))},
        {},
        {},
        {"time_us": (NOW + 30_000) * 1_000_000},
    ),
    "(9) under a ceiling of its band": (
        {"chain": (root(), link(decay=replace(DECAY, bands=((5, 50_000),))))},
        {"resource": Resource(id="lookup", source_trust=600, impact=Impact.READ)},
        {},
        {"envelopes": (account(spent=(("risk", 0, 8),)),)},
    ),
    "(10) a budget that is spent": (
        {"chain": (root(), link(budgets=(STEPS,)))},
        {},
        {},
        {"envelopes": (account(spent=(("step", 0, 5),)),)},
    ),
    "(10) a reserve that is spent": (
        {"chain": (root(), link(budgets=(USD,)))},
        {"resource": spender(), "args": {"q": 1}},
        {"resource": spender(), "args": {"q": 1}},
        {"envelopes": (account(spent=(("USD", 49_950, 0),)),)},
    ),
    "(10) more than one action may": (
        {"chain": (root(), link(budgets=(USD,)))},
        {"resource": spender(), "args": {"q": 1}},
        {"resource": spender(), "args": {"q": 101}},
        {},
    ),
    "(10) an amount that is none": (
        {"chain": (root(), link(budgets=(USD,)))},
        {"resource": spender(), "args": {"q": 1}},
        {"resource": spender(), "args": {"q": "-1"}},
        {},
    ),
    "(10) the session's age": (
        {"chain": (root(), link(budgets=(Budget("time", 60, 60),)))},
        {},
        {},
        {"time_us": (NOW + 61) * 1_000_000},
    ),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_plan_does_not_allow_what_decide_does_not(name):
    given_snapshot, given_request, changed_request, changed_snapshot = CALLS[name]
    given_snapshot = {"policy": policy(), **given_snapshot}
    asked, seen = request(**given_request), snapshot(**given_snapshot)
    plan = plan_of(asked, seen)
    assert plan.decide(Facts(asked, seen)) == decide(asked, seen)  # it does allow this
    changed = request(**{**given_request, **changed_request})
    now = replace(seen, **changed_snapshot)
    assert not decide(changed, now).effect.runs
    assert plan.decide(Facts(changed, now)) is None


def test_an_open_challenge_is_left_to_decide():
    # An answer could be there: (11). And one more challenge could be too many: (12).
    asked, seen = request(), snapshot(policy())
    assert plan_of(asked, seen).decide(Facts(asked, replace(seen, pending=1))) is None


SECRET_TOOL = Resource(id="lookup", source_trust=600, labels=("chd", "pii"))
TO_HELPER = {ActionKind.HANDOFF: {"helper": {"q": Constraint.anything()}}}
NEVER = {
    "(3) a stop": (request(), snapshot(policy(), stops=(Stop("tool", "lookup", 0),))),
    "(3) a revocation": (request(), snapshot(policy(), revocations=(Revocation("agent", "clerk", 0),))),
    "(4) no chain": (request(), snapshot(policy(), chain=())),
    "(4) a problem of the passport": (request(), snapshot(policy(), passport_problem="bad_passport")),
    "(4) another tenant": (request(), snapshot(policy(), chain=(root(), link(tenant="evil")))),
    "(4) another holder": (request(), snapshot(policy(), chain=(root(), link(agent="other")))),
    "(5) not granted": (request(), snapshot(policy(), chain=(root(), link(grants={})))),
    "(5) not granted above": (request(), snapshot(policy(), chain=(root(grants={}), link()))),
    "(6) a label": (request(resource=SECRET_TOOL), snapshot(policy(), chain=(root(labels=("pii",)), link()))),
    "(10) a unit nobody budgets": (request({"q": 1}, resource=spender()), snapshot(policy())),
    "(10) a fixed cost nobody budgets": (
        request(resource=Resource(id="lookup", costs=(("USD", "1"),))),
        snapshot(policy()),
    ),
    "(10) a quota": (
        request(),
        snapshot(policy(), chain=(root(quotas=(Quota("step", 5),)), link()), quotas=(("step", 5),)),
    ),
    "a hand-off": (
        request(kind=ActionKind.HANDOFF, resource=Resource(id="helper", kind=ActionKind.HANDOFF)),
        snapshot(policy(), chain=(root(grants=TO_HELPER), link(grants=TO_HELPER))),
    ),
}


@pytest.mark.parametrize("name", NEVER)
def test_there_is_no_plan_where_decide_always_says_no(name):
    asked, seen = NEVER[name]
    assert not decide(asked, seen).effect.runs
    assert plan_of(asked, seen) is None


def test_a_rule_that_reads_all_arguments_is_left_to_decide():
    everything = '@id("all") forbid (principal, action, resource) when { context.args == {"q": "x"} };'
    assert plan_of(request(), snapshot(policy(everything))) is None


@pytest.mark.parametrize("effect", ["challenge", "restrict"])
def test_an_obligation_or_a_challenge_is_left_to_decide(effect):
    duty = '@obligation("clamp(q, 5)")' if effect == "restrict" else ""
    rule = f'@id("g") @effect("{effect}") {duty} forbid (principal, action, resource);'
    asked, seen = request({"q": 9}), snapshot(policy(rule))
    assert decide(asked, seen).effect is Effect(effect)
    assert planned(asked, seen) is None


# whatever the call


def rule(condition: str, *, effect: str = "", principal: str = "principal") -> str:
    grade = f'@effect("{effect}")' if effect else ""
    name = "".join(c for c in condition.lower() if c.isalnum())
    return f'@id("{name}") {grade} forbid ({principal}, action, resource) when {{ {condition} }};'


RULES = (
    LATE,
    BIG,
    FROM_OUTSIDE,
    rule("context.first_use", effect="monitor"),
    rule("context.uses > 5", effect="challenge"),
    rule("context.tainted && context.refused > 1", effect="monitor"),
    rule('context.args has q && context.args.q like "*evil*"'),
    rule('context.args has q && context.args.q like "a*b"', effect="monitor"),
    rule('context.user == "eve"'),
    rule('principal.user == "bob"', effect="monitor"),
    rule("context.args has n && context.args.n > 5"),
    rule('context has amount && context.amount.greaterThan(decimal("7.5"))', effect="monitor"),
    rule("context.authority < 600000", effect="challenge"),
    rule("context.budget_left < 50", effect="monitor"),
    rule('context.sources.contains("web")'),
    rule('context.provenance has q && context.provenance.q == "untrusted"', effect="monitor"),
    rule("context.depth > 1 || context.epoch > 1"),
    rule("context.time_s > 1800000050", effect="monitor"),
    rule("context.risk_spent > 300", effect="challenge"),
    rule("context.args has n && context.args.n + 9223372036854775807 > 0"),
)
OF_PAYMENTS = (
    rule('context has target_sum && context.target_sum.greaterThan(decimal("9.5"))', effect="monitor"),
    rule('context has principal_sum && context.principal_sum.lessThan(decimal("8.0"))', effect="monitor"),
    rule('context has target_paid && context.target_paid.greaterThan(decimal("3.5"))', effect="monitor"),
    rule("context.repeated", effect="challenge"),
)
VALUES = st.one_of(
    st.sampled_from(["a", "evil", "$i:9", "halo:secret:0123456789abcdef", "", " ", "ключ"]),
    st.integers(-3, 12),
    st.sampled_from([True, False, None, 2.5, 7.5, 8.0, 2**53 + 1]),
    st.lists(st.sampled_from(["a", "evil", 7]), max_size=2),
    st.dictionaries(st.sampled_from(["k", "$i"]), st.integers(0, 2), max_size=1),
)
ARGUMENTS = st.one_of(
    st.fixed_dictionaries({"q": st.sampled_from(["a", "b"]), "n": st.integers(0, 8)}),
    st.fixed_dictionaries({"q": st.sampled_from(["a", "evil", "b"])}),
    st.dictionaries(st.sampled_from(["q", "n", "__entity"]), VALUES, max_size=3),
)
CONSTRAINTS = st.sampled_from(
    [
        Constraint.anything(),
        Constraint.one_of("a", "b", 7),
        Constraint.none_of("evil"),
        Constraint.between(0, 8),
        Constraint.starts_with("a"),
        Constraint.matches("[a-z]*"),
    ]
)
WIDE = {"q": Constraint.anything(), "n": Constraint.anything()}
GRANTS = st.one_of(
    st.just(WIDE),
    st.just({ANY_OTHER: Constraint.anything()}),
    st.dictionaries(st.sampled_from(["q", "n"]), CONSTRAINTS, max_size=2).map(lambda rules: WIDE | rules),
    st.dictionaries(st.sampled_from(["q", "n", ANY_OTHER]), CONSTRAINTS, max_size=3),
)
SPENT = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 4, 4, 20, 300, 49_900])
ORIGINS = st.sampled_from(list(Provenance))


def rarely(value: Any, usual: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from([usual] * 9 + [value])


@st.composite
def worlds(draw: st.DrawFn, impacts: tuple[Impact, ...]) -> tuple[Any, Snapshot, list[tuple[Any, Snapshot]]]:
    """A resource under a chain, and some calls of it."""
    resource = Resource(
        id="lookup",
        impact=draw(st.sampled_from(impacts)),
        labels=draw(st.sampled_from([(), (), ("pii",)])),
        targets=draw(st.sampled_from([(), ("q",)])),
        amount=draw(st.sampled_from(["", "n"])),
        idempotent=draw(st.booleans()),
    )
    if resource.amount and draw(st.booleans()):
        resource = replace(resource, unit="USD", costs=draw(st.sampled_from([(), (("USD", "0.50"),)])))
    budgets = draw(
        st.sampled_from([(), (USD,), (USD, STEPS), (USD, Budget("time", 60, 60)), (Budget("risk", 30, 400),)])
    )
    depth = draw(st.integers(1, 2))
    chain = [root(grants={ActionKind.TOOL_CALL: {"lookup": draw(GRANTS)}})]
    for i in range(depth):
        own = {ActionKind.TOOL_CALL: {"lookup": draw(GRANTS)}} if draw(st.booleans()) else chain[-1].grants
        bands = draw(st.sampled_from([(), ((20, 300_000), (200, 50_000))]))
        labels = draw(rarely(("chd",), None))
        chain.append(
            link(
                hash=f"l{i}",
                jti=f"l{i}",
                depth=i + 1,
                grants=own,
                budgets=budgets,
                labels=labels,
                decay=replace(DECAY, bands=bands),
            )
        )
    rules = policy(
        *draw(st.lists(st.sampled_from(RULES), unique=True, max_size=3)),
        *(OF_PAYMENTS if resource.impact is Impact.PAYMENT else ()),
        types={"lookup": {"n": "long"}} if draw(st.booleans()) else {},
    )
    stops = draw(rarely((Stop("session", "s", 0),), (Stop("agent", "nobody", 0),)))
    base = snapshot(rules, chain=tuple(chain), stops=stops)
    calls = [draw(calls_of(resource, base, depth)) for _ in range(draw(st.integers(1, 4)))]
    return calls[0][0], base, calls


@st.composite
def calls_of(draw: st.DrawFn, resource: Resource, base: Snapshot, depth: int) -> tuple[Any, Snapshot]:
    args = draw(ARGUMENTS)
    user = draw(st.sampled_from(["ana", "ana", "bob", "eve"]))
    asked = request(
        args,
        resource=resource,
        subject=Principal("acme", "clerk", user, chain=(user, "clerk")),
        session=draw(rarely("", "s")),
        problem=draw(rarely("unknown_tool", "")),
    )
    provenance = tuple((f"/{name}", draw(ORIGINS)) for name in sorted(args))
    spent = [
        tuple((unit, draw(SPENT) if unit == "USD" else 0, draw(SPENT)) for unit in ("USD", "risk", "step"))
        for _ in range(depth)
    ]
    seen = replace(
        base,
        time_us=NOW_US + draw(rarely(draw(st.sampled_from([59, 61, 99, 100, -101])), 1)) * 1_000_000,
        session=view(steps=draw(st.integers(0, 6)), tainted=draw(st.booleans())),
        uses=draw(st.integers(0, 7)),
        provenance=provenance,
        sources=tuple((pointer, ("web",)) for pointer, _ in provenance if draw(st.booleans())),
        envelopes=tuple(
            account(f"a{i}", spent=spent[i], base_risk=draw(st.sampled_from([0, 5]))) for i in range(depth)
        ),
        refused=draw(st.integers(0, 3)),
        dispatched=draw(rarely(True, False)),
        pending=draw(rarely(1, 0)),
    )
    amount = read_amount_at_stake(asked, args)
    if resource.impact is Impact.PAYMENT and not asked.problem:
        paid = st.sampled_from([0, 0, 5_000, 30_000, 90_000])
        seen = replace(
            seen, paid_to_target=draw(paid), paid_by_principal=draw(paid), repeated=draw(rarely(True, False))
        )
    authority = compute_effective_authority(seen.chain, seen.envelopes, seen.time_us)
    return asked, replace(seen, authority=authority, amount=amount)


def planned_calls(world: tuple[Any, Snapshot, list[tuple[Any, Snapshot]]]) -> list[Decision]:
    """What plans say of calls, each of which they decide as `decide` does."""
    first, base, calls = world
    plans: dict[Principal, Any] = {}
    said: list[Decision] = []
    for asked, seen in [*calls, *calls]:  # the second time answers come from memory
        if asked.subject not in plans:
            context = replace(first.context, session="s")
            any_request = replace(first, subject=asked.subject, problem="", context=context)
            plans[asked.subject] = compile_plan(any_request, base)
        plan = plans[asked.subject]
        facts = Facts(asked, seen)
        decision = None if plan is None else plan.decide(facts)
        if decision is None:
            continue
        assert decision == decide(asked, seen)
        charged = tuple(charge_account(item, decision.charges) for item in seen.envelopes)
        assert facts.charged_accounts == charged
        assert facts.authority == seen.authority
        assert facts.authority_left == compute_effective_authority(seen.chain, charged, seen.time_us)
        said.append(decision)
    return said


@pytest.mark.parametrize(
    ("impacts", "examples", "fewest"),
    [((Impact.READ, Impact.WRITE, *Impact), 1600, 40), ((Impact.PAYMENT,), 400, 10)],
)
def test_whatever_the_call_a_plan_says_what_decide_says_or_nothing(impacts, examples, fewest):
    said: list[Decision] = []

    @settings(max_examples=count(examples, fewest=examples // 8), deadline=None)
    @given(worlds(impacts))
    def check(world):
        said.extend(planned_calls(world))

    check()
    assert len(said) > fewest
    assert {decision.effect for decision in said} == {Effect.ALLOW, Effect.MONITOR}


def test_a_digest_of_a_long_value_is_no_value():
    """Else the verdict on a long text would serve for the text whose UTF-8 form is its SHA-256."""
    long_text = b"a" * 300
    assert prepared_question._shorten(long_text) != prepared_question._shorten(sha256(long_text).digest())


def test_equal_answers_are_asked_for_once(monkeypatch):
    asked: list[int] = []
    rules = policy(LATE, rule("context.steps > 100000"))  # of these alone nothing was asked before
    answer = CedarPolicy.answer

    def counting(self, *given_arguments):
        asked.append(1)
        return answer(self, *given_arguments)

    monkeypatch.setattr(CedarPolicy, "answer", counting)
    seen = snapshot(rules)
    plan = plan_of(request(), seen)
    for steps in range(3):
        assert plan.decide(Facts(request({"q": f"text {steps}"}), replace(seen, session=view(steps=steps)))) is not None
    assert len(asked) == 1
    assert plan.decide(Facts(request(), replace(seen, session=view(steps=4)))) is None
    assert len(asked) == 2
