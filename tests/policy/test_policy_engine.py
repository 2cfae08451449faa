"""Evaluation of policies: effects, reasons, obligations and context."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count, is_thorough
from halo_core.errors import PolicyError
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Budget,
    Context,
    Decay,
    Effect,
    Envelope,
    Impact,
    Link,
    LinkKind,
    Mode,
    Obligation,
    Origin,
    Principal,
    Provenance,
    Reason,
    Resource,
    Reversal,
    SessionView,
    Snapshot,
    Trigger,
)
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.policy import engine as engine_module
from halo_core.policy.attribute_refs import merge_refs
from halo_core.policy.cedar_context import build_context, build_entities, build_request_ids

PERMIT = '@id("base") permit (principal, action, resource);\n'
TOOL = Resource("pay", ActionKind.TOOL_CALL, Impact.PAYMENT)


def compiled(text: str, types=None) -> CedarPolicy:
    return CedarPolicy(PolicyBundle({"p.cedar": text}, types or {}))


def request(args=None, resource=TOOL, agent="agent") -> AccessRequest:
    return AccessRequest(
        subject=Principal("t", agent, "ana"),
        kind=resource.kind,
        resource=resource,
        args=args or {},
        args_digest="",
        request_id="",
        context=Context("s", "explicit", "", "", Trigger(), Origin(), "dev"),
    )


def snapshot(policy, **changes) -> Snapshot:
    base = Snapshot(
        time_us=5_000_000,
        mode=Mode.ENFORCE,
        control_version=0,
        session=SessionView("s", 0, 0, 0, 7, False),
        uses=1,
        provenance=(),
        chain=(),
        policy=policy,
    )
    return replace(base, **changes)


def ask(text, args=None, *, types=None, resource=TOOL, **changes):
    policy = compiled(text, types)
    return policy.answer(request(args, resource), snapshot(policy, **changes))


def test_no_policy_permits_nothing():
    answer = ask("")
    assert (answer.permitted, answer.effect) == (False, Effect.DENY)
    assert answer.reasons == (Reason("policy_no_permit"),)


def test_a_hard_forbid_gives_its_reason_and_id():
    text = PERMIT + '@id("no.pay") @reason("untrusted_target") forbid (principal, action, resource);'
    answer = ask(text)
    assert not answer.permitted
    assert answer.reasons == (Reason("untrusted_target", "no.pay"),)
    plain = ask(PERMIT + '@id("no") forbid (principal, action, resource);')
    assert plain.reasons == (Reason("policy_denied", "no"),)


GRADED = """
@id("g.monitor") @effect("monitor") forbid (principal, action, resource);
@id("g.restrict") @effect("restrict") @obligation("clamp(limit, 50)") forbid (principal, action, resource)
  when { context.args has limit };
@id("g.challenge") @effect("challenge") @reason("large_amount") forbid (principal, action, resource)
  when { context.tainted };
"""


def test_the_most_severe_graded_effect_wins_and_obligations_are_collected():
    answer = ask(PERMIT + GRADED, {"limit": 9})
    assert (answer.permitted, answer.effect) == (True, Effect.RESTRICT)
    assert answer.obligations == (Obligation("clamp", "limit", 50),)
    policy = compiled(PERMIT + GRADED)
    tainted = snapshot(policy, session=SessionView("s", 0, 0, 0, 0, True))
    answer = policy.answer(request({"limit": 9}), tainted)
    assert answer.effect is Effect.CHALLENGE
    assert [(r.code, r.source) for r in answer.reasons] == [
        ("large_amount", "g.challenge"),
        ("policy_monitor", "g.monitor"),
        ("policy_restrict", "g.restrict"),
    ]
    assert answer.obligations == (Obligation("clamp", "limit", 50),)


def context_holds(condition, args=None, **kw):
    """Whether a permit under this condition permits."""
    answer = ask(f'@id("x") permit (principal, action, resource) when {{ {condition} }};', args, **kw)
    assert not answer.errors
    return answer.permitted


def test_the_context_is_what_the_schema_says():
    assert context_holds("context.steps == 7 && context.uses == 1 && !context.first_use && context.time_s == 5")
    assert context_holds('context.user == "ana" && context.session_source == "explicit" && context.pending == 0')
    assert context_holds('principal.tenant == "t" && principal.assurance == "dev" && principal.user == "ana"')
    assert context_holds('resource.impact == "payment" && resource.reversal == "irreversible"')
    assert context_holds("!(context has risk) && !(context has amount)")
    assert context_holds("context.risk == 12", risk=12)


def test_the_worst_provenance_of_an_argument_counts():
    tool = replace(TOOL, targets=("to", "cc"))
    found = (("/body", Provenance.UNTRUSTED), ("/to/0", Provenance.USER), ("/to/1", Provenance.MIXED))
    given = {"to": ["a", "b"], "body": "x"}
    assert context_holds(
        'context.target_origins == ["mixed"] && context.provenance.body == "untrusted"',
        given,
        resource=tool,
        provenance=found,
    )
    assert context_holds('context.origins == ["untrusted", "user", "mixed"]', given, provenance=found)


def test_a_target_nobody_traced_is_novel():
    tool = replace(TOOL, targets=("to",))
    assert context_holds('context.target_origins == ["novel"]', {"to": "x"}, resource=tool)
    assert context_holds("context.target_origins.isEmpty()", {"to": ""}, resource=tool)


def test_the_amount_is_a_decimal_whatever_number_it_is():
    tool = replace(TOOL, amount="eur")
    for value in (2000, 2000.0, "2000"):
        assert context_holds('context.amount == decimal("2000.0")', {"eur": value}, resource=tool)
    answer = ask(
        PERMIT + '@id("l") @effect("challenge") forbid (principal, action, resource) when { context has amount };',
        {"eur": "two thousand"},
        resource=tool,
    )
    assert answer.errors == ("argument `eur` cannot be read as amount",)


@pytest.mark.parametrize("kind", list(ActionKind))
def test_unregistered_resources_belong_to_their_kind(kind):
    text = f'@id("x") permit (principal, action in Action::"{kind.value}", resource);'
    odd = Resource('we"ird\n\u0440', kind)
    for other in ActionKind:
        assert ask(text, resource=replace(odd, kind=other)).permitted is (other is kind)


def test_a_hand_off_to_oneself_is_one_entity():
    policy = compiled('@id("x") permit (principal, action, resource) when { principal == resource };')
    agent = Resource("agent", ActionKind.HANDOFF)
    assert policy.answer(request(resource=agent), snapshot(policy)).permitted
    assert not policy.answer(request(resource=replace(agent, id="other")), snapshot(policy)).permitted


@pytest.mark.parametrize("head", ["", '@effect("challenge")'])
def test_a_policy_that_reads_the_context_as_a_whole_sees_all_of_it(head):
    rule = "{Value: context}.Value has amount && {Value: context}.Value.steps == 7"
    text = PERMIT + f'@id("w") {head} forbid (principal, action, resource) when {{ {rule} }};'
    answer = ask(text, {"eur": 1}, resource=replace(TOOL, amount="eur"))
    assert not answer.errors
    assert [reason.source for reason in answer.reasons] == ["w"]


def test_what_no_policy_reads_is_not_encoded():
    assert ask(PERMIT, {"odd": object(), "__entity": float("nan")}).permitted


def test_a_misfit_in_an_argument_that_is_read_denies():
    text = PERMIT + '@id("f") forbid (principal, action, resource) when { context.args has n && context.args.n > 5 };'
    types = {"pay": {"n": "long"}}
    assert ask(text, {"n": 5}, types=types).permitted
    answer = ask(text, {"n": "6"}, types=types)
    assert not answer.permitted
    assert answer.errors == ("argument `n` cannot be read as long",)
    assert [reason.code for reason in answer.reasons] == ["policy_error"]


def test_errors_name_the_policy_and_never_a_value():
    text = PERMIT + '@id("f") forbid (principal, action, resource) when { context.args.n + 9223372036854775807 > 5 };'
    assert ask(text, {"n": 31337}).errors == ("f: integer overflow",)
    assert ask(text, {"n": "s3cret"}).errors == ("f: type error",)
    assert ask(text).errors == ("f: reads `n`, which is not there",)


SCOPED = """
@id("base") permit (principal, action, resource);
@id("a") forbid (principal, action == Action::"pay", resource);
@id("b") @effect("monitor") forbid (principal, action in [Action::"mail", Action::"retrieval"], resource);
@id("c") @effect("challenge") forbid (principal, action, resource == Tool::"wipe");
@id("d") @effect("monitor") forbid (principal, action, resource is Model);
@id("e") @effect("monitor") forbid (principal, action, resource) when { resource == Retriever::"kb" };
@id("f") @effect("monitor") forbid (principal, action in Action::"tool_call", resource) when { action == Action::"x" };
"""


@pytest.mark.parametrize("kind", list(ActionKind))
@pytest.mark.parametrize("name", ["pay", "mail", "wipe", "kb", "x", "", "other", "retrieval", "tool_call"])
def test_slices_answer_as_the_whole_set(kind, name, monkeypatch):
    wanted = request(resource=Resource(name, kind))
    sliced = compiled(SCOPED)
    one = sliced.answer(wanted, snapshot(sliced))
    monkeypatch.setattr(engine_module, "applies", lambda *_: True)
    monkeypatch.setattr(engine_module, "_compile_rules", engine_module._compile_rules.__wrapped__)  # nothing sliced
    whole = compiled(SCOPED)
    assert one == whole.answer(wanted, snapshot(whole))


def test_the_number_of_slices_is_bounded_by_the_policies():
    policy = compiled(SCOPED + "// a text of this test alone, since bundles of equal texts share slices")
    for number in range(50):
        policy.answer(request(resource=Resource(f"tool{number}")), snapshot(policy))
    assert len(policy._slices) == 1
    for impact, reversal in product(Impact, Reversal):
        policy.answer(request(resource=Resource("tool0", impact=impact, reversal=reversal)), snapshot(policy))
    assert len(policy._slices) == len(Impact) * len(Reversal)


def test_bundles_that_differ_in_types_alone_share_compiled_rules_and_no_answers():
    text = '@id("base") permit (principal, action, resource) when { context.args.amount > 3 };'
    as_long, as_decimal = (
        CedarPolicy(PolicyBundle({"p.cedar": text}, {"pay": {"amount": given}})) for given in ("long", "decimal")
    )
    wanted = request(resource=Resource("pay"), args={"amount": 7})
    assert as_long._slices is as_decimal._slices
    assert as_long.answer(wanted, snapshot(as_long)).permitted
    assert not as_decimal.answer(wanted, snapshot(as_decimal)).permitted


POOL = (
    '@id("base") permit (principal, action, resource);',
    '@id("if") permit (principal, action, resource) when { resource.impact == "read" && context.args.a > 3 };',
    '@id("pay") forbid (principal, action, resource) when { resource.impact == "payment" && context.args.b == "x" };',
    (
        '@id("grave") @effect("challenge") forbid (principal, action, resource) '
        'when { ["delete", "send"].contains(resource.impact) && resource.reversal == "undo" && context.tainted };'
    ),
    '@id("behind") forbid (principal, action, resource) when { context.args.a > 2 && resource.impact == "admin" };',
    (
        '@id("twice") @effect("monitor") forbid (principal, action, resource) '
        'when { "send" == resource.impact } unless { context.args.b like "y*" };'
    ),
    '@id("unless") @effect("monitor") forbid (principal, action, resource) unless { resource.impact == "send" };',
    '@id("two") forbid (principal, action, resource) when { resource.impact == "send" } when { context.args.a > 1 };',
    '@id("odd") forbid (principal, action, resource) when { resource.impact == 3 && context.args.a > 1 };',
    '@id("mixed") forbid (principal, action, resource) when { ["a", context.args.b].contains(resource.impact) };',
    (
        '@id("or") @effect("monitor") forbid (principal, action, resource) '
        'when { (resource.impact == "read" || context.args.a > 1) && context.steps > 3 };'
    ),
    (
        '@id("kind") @effect("restrict") @obligation("clamp(a, 2)") forbid (principal, action in Action::"tool_call", '
        'resource) when { resource.impact == "read" && (resource.reversal == "undo" && context.args.a == 5) };'
    ),
    '@id("not") forbid (principal, action, resource) when { !(resource.impact == "read") && context.args.a == 9 };',
)


@lru_cache(maxsize=1)
def parts(policy):
    graded = [[p for p in policy.policies if (p.grade is not None) is wanted] for wanted in (False, True)]
    return [engine_module._compile_set(part) for part in graded]


def as_written(policy, wanted, seen):
    """The answer by two plain evaluations of every policy: nothing sliced, nothing left out, nothing remembered."""
    policies = policy.policies
    context, problems = build_context(wanted, seen, merge_refs(item.refs for item in policies), {})
    assert not problems
    known = build_entities(wanted.subject, wanted.context.assurance, wanted.kind, wanted.resource)
    said = [engine_module._evaluate(part, build_request_ids(wanted), context, known, {}) for part in parts(policy)]
    errors = [*said[0][2], *said[1][2]]
    if errors:
        return engine_module._make_failure(errors)
    return policy._compose_answer(permitted=said[0][0], hard=said[0][1], graded=said[1][1])


@settings(max_examples=count(400), deadline=None)
@given(
    texts=st.lists(st.sampled_from(POOL), min_size=1, max_size=6, unique=True),
    impact=st.sampled_from(Impact),
    reversal=st.sampled_from(Reversal),
    args=st.fixed_dictionaries(
        {}, optional={"a": st.integers(0, 10) | st.just("a"), "b": st.sampled_from(["x", "y1", "read"])}
    ),
    tainted=st.booleans(),
    steps=st.integers(0, 6),
)
def test_one_question_to_a_narrowed_set_answers_as_two_to_everything(texts, impact, reversal, args, tainted, steps):
    policy = compiled("\n".join(texts))
    wanted = request(args, resource=Resource("tool", impact=impact, reversal=reversal))
    seen = snapshot(policy, session=SessionView("s", 0, 0, 0, steps, tainted))
    first = policy.answer(wanted, seen)
    assert first == as_written(policy, wanted, seen)
    assert policy.answer(wanted, seen) == first


ATOMS = (
    "context.steps > 3",
    "5 >= context.steps",
    "context.steps != 4",
    "context.args.a == 2",
    "context.args.a < 7",
    "context.args.a + 1 > 5",
    "context.args has a",
    'context.args has b && context.args.b like "*a*b"',
    'context.args.b like "a*"',
    'context.args.b like "*"',
    'context.args.b == "ab"',
    "context.args.b == 3",
    "context.args.b",
    '["ab", "b"].contains(context.args.b)',
    "[context.args.a, 3].contains(context.steps)",
    'context has amount && context.amount.greaterThan(decimal("5.0"))',
    'context.amount.lessThanOrEqual(decimal("2.5"))',
    'context.amount == decimal("3.0")',
    "context.args == {a: 3}",
    "context.args.c.d == 3",
    "context.args.c has d",
    "{a: context.args.a}.a > 3",
    "context.tainted",
    'context.provenance has a && context.provenance.a == "user"',
    "if context.args.a > 3 then context.steps > 2 else context.tainted",
    "context.uses < 2 || context.pending > 1",
    "context.authority < 400000",
    "300000 >= context.authority",
    "context.authority == 200000",
    "context.authority < context.risk_spent",
    "context.budget_left <= 50",
    "context.budget_left != 100 && context.budget_left + 5 > 70",
    "context.depth > 1",
    "[context.depth, 3].contains(context.epoch)",
    "context.epoch == 2",
    "context.risk_spent >= 75",
    "if context.risk_spent < 50 then context.depth == 1 else context.epoch > 1",
)
SCALARS = st.integers(-1, 9) | st.floats(0, 9) | st.booleans() | st.text("ab*", max_size=5) | st.none()


def worn(times) -> dict:
    """What a snapshot holds of a chain after so many actions of 25 points each."""
    link = Link(
        hash="sha256:0",
        kind=LinkKind.SESSION,
        issuer="i",
        key_id="k",
        jti="j",
        principal="ana",
        agent="agent",
        tenant="t",
        audience=("s",),
        issued_at_s=0,
        not_before_s=0,
        expires_at_s=100,
        txn="s",
        holder_key=bytes(32),
        depth=times % 3,
        max_depth=8,
        epoch=1 + times // 4,
        grants={},
        budgets=(Budget("step", 1, 10), Budget("risk", 100, 150), Budget("time", 0, 0)),
        decay=Decay(1_000_000, 10, 10, 10, 0),
    )
    account = Envelope("a", link.epoch, 0, spent=(("risk", 25, 25 * times), ("step", 0, times)))
    return {"chain": (link,), "envelopes": (account,), "authority": 100_000 * times}


CALLS = st.tuples(
    st.fixed_dictionaries(
        {},
        optional={"a": SCALARS, "b": SCALARS, "c": st.fixed_dictionaries({}, optional={"d": SCALARS}), "m": SCALARS},
    ),
    st.integers(0, 7),
    st.booleans(),
    st.sampled_from(("user", "untrusted")),
    st.none() | st.integers(0, 7),
)


@settings(max_examples=count(400), deadline=None)
@given(
    wholes=st.lists(st.lists(st.sampled_from(ATOMS), min_size=1, max_size=3), min_size=1, max_size=5),
    calls=st.lists(CALLS, min_size=2, max_size=12),
)
def test_what_is_remembered_answers_as_cedar_would(wholes, calls):
    effects = ("", '@effect("monitor")')
    rules = [
        f'@id("r{i}") {effects[i % 2]} forbid (principal, action, resource) when {{ ({") && (".join(every)}) }};'
        for i, every in enumerate(wholes)
    ]
    policy = compiled(PERMIT + "\n".join(rules))
    tool = replace(TOOL, amount="m")
    for args, steps, tainted, origin, actions in calls:
        wanted = request(args, resource=tool)
        state = SessionView("s", 0, 0, 0, steps, tainted)
        seen = snapshot(policy, session=state, provenance=(("/a", Provenance(origin)),), uses=steps, pending=steps // 2)
        if actions is not None:
            seen = replace(seen, **worn(actions))
        _, problems = build_context(wanted, seen, merge_refs(item.refs for item in policy.policies), {})
        if problems:
            assert policy.answer(wanted, seen).errors
        else:
            assert policy.answer(wanted, seen) == as_written(policy, wanted, seen)


@pytest.mark.share(2)
@pytest.mark.parametrize("one", ATOMS)
def test_an_attribute_read_in_two_ways_is_told_apart_by_both(one):
    # By default every fourth pair, with each condition in both places; all of them in the thorough run.
    others = ATOMS if is_thorough() else ATOMS[ATOMS.index(one) % 4 :: 4]
    for other in others:
        conditions = zip(("", '@effect("monitor")'), (one, other), strict=True)
        rules = [
            f'@id("r{i}") {grade} forbid (principal, action, resource) when {{ {text} }};'
            for i, (grade, text) in enumerate(conditions)
        ]
        policy = compiled(PERMIT + "\n".join(rules))
        for a, b, steps in product((0, 3, 4, 5, 9), ("ab", "xaxb"), (2, 3)):
            wanted = request({"a": a, "b": b, "c": {"d": a}, "m": a}, resource=replace(TOOL, amount="m"))
            state = SessionView("s", 0, 0, 0, steps, False)
            seen = snapshot(policy, session=state, uses=steps, **worn(a + steps - 3 if a else steps))
            assert policy.answer(wanted, seen) == as_written(policy, wanted, seen), (one, other, a, b, steps)


def test_calls_that_the_policy_cannot_tell_apart_are_one_question():
    policy = compiled(PERMIT + '@id("n") forbid (principal, action, resource) when { context.args.a > 5 };')
    for number in range(5):
        policy.answer(request({"a": number}), snapshot(policy))
    assert len(policy._kept) == 1
    assert not policy.answer(request({"a": 6}), snapshot(policy)).permitted
    assert len(policy._kept) == 2


def test_what_is_remembered_is_remembered_for_one_principal():
    policy = compiled('@id("x") permit (principal == Agent::"good", action, resource);')
    for agent in ("good", "bad", "good"):
        answer = policy.answer(request(agent=agent), snapshot(policy))
        assert answer.permitted == (agent == "good")


def test_compiled_policies_are_kept_by_content():
    bundle = PolicyBundle({"p.cedar": PERMIT})
    again = PolicyBundle.from_bytes(bundle.to_bytes())
    assert CedarPolicy.compile(bundle) is CedarPolicy.compile(again)
    assert CedarPolicy.compile(bundle) is CedarPolicy.from_bytes(bundle.to_bytes())
    assert CedarPolicy.compile(bundle).hash == bundle.hash == again.hash
    with pytest.raises(PolicyError):
        CedarPolicy.from_bytes(b'{"sources":{"a":1},"types":{}}')
