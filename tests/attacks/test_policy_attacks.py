"""Attacks on the policy engine, each with the answer it must get."""

from __future__ import annotations

import math
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count, is_thorough
from halo_core.crypto import canonical
from halo_core.errors import BadInput
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Context,
    Effect,
    Mode,
    Origin,
    PolicyAnswer,
    Principal,
    Provenance,
    Resource,
    SessionView,
    Snapshot,
    Trigger,
)
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.policy.checks import check_bundle

PERMIT = '@id("base") permit (principal, action, resource);\n'


def ask(text, args, *, types=None, resource=None, provenance=(), agent="agent"):
    policy = CedarPolicy.compile(PolicyBundle({"p.cedar": text}, types or {}))
    found = resource or Resource("tool")
    request = AccessRequest(
        subject=Principal("t", agent),
        kind=found.kind,
        resource=found,
        args=args,
        args_digest="",
        request_id="",
        context=Context("s", "explicit", "", "", Trigger(), Origin(), "dev"),
    )
    snapshot = Snapshot(
        time_us=0,
        mode=Mode.ENFORCE,
        control_version=0,
        session=SessionView("s", 0, 0, 0, 0, False),
        uses=1,
        provenance=provenance,
        chain=(),
        policy=policy,
    )
    return policy.answer(request, snapshot)


def as_bytes(answer: PolicyAnswer) -> bytes:
    return canonical.encode(
        {
            "permitted": answer.permitted,
            "effect": answer.effect.value,
            "reasons": [reason.to_plain() for reason in answer.reasons],
            "obligations": [item.to_plain() for item in answer.obligations],
            "errors": list(answer.errors),
        }
    )


# --- an erroring policy is skipped by Cedar -------------------------------------------------------------------------


@pytest.mark.parametrize("head", ["", '@effect("challenge")', '@effect("monitor")'])
def test_a_forbid_that_cannot_be_evaluated_denies(head):
    text = PERMIT + f'@id("f") {head} forbid (principal, action, resource) when {{ context.args.limit > 5 }};'
    assert ask(text, {"limit": 5}).permitted
    answer = ask(text, {})
    assert not answer.permitted
    assert answer.effect is Effect.DENY
    assert answer.errors == ("f: reads `limit`, which is not there",)
    assert [(reason.code, reason.source) for reason in answer.reasons] == [("policy_error", "f")]


def test_a_permit_that_cannot_be_evaluated_denies_beside_one_that_can():
    text = PERMIT + '@id("p") permit (principal, action, resource) when { context.args.limit > 5 };'
    assert ask(text, {}).errors == ("p: reads `limit`, which is not there",)


# --- an argument that would become an entity, an extension or an expression -----------------------------------------

PAYLOADS = [
    {"__entity": {"type": "Agent", "id": "agent"}},
    {"__extn": {"fn": "decimal", "arg": "1.0"}},
    {"__extn": {"fn": "ip", "arg": "127.0.0.1"}},
    {"type": "Agent", "id": "agent"},
    {"fn": "decimal", "arg": "1.0"},
    {"___entity": {"type": "Agent", "id": "agent"}},
]


def nested(payload, depth, *, listed):
    value, path = payload, ""
    for _ in range(depth):
        value = [value] if listed else {"x": value}
        path += ".x"
    return value, path


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
@pytest.mark.parametrize("depth", range(6))
def test_no_argument_becomes_an_entity_or_an_extension(payload, depth):
    value, path = nested(payload, depth, listed=False)
    conditions = [
        f"context.args.v{path} == principal",
        f"context.args.v{path} == action",
        f'context.args.v{path} == decimal("1.0")',
        f'context.args.v{path} == ip("127.0.0.1")',
        f"context.args.v{path} is Agent",
        f"context.args.v{path} in principal",
        f"[principal].contains(context.args.v{path})",
    ]
    for condition in conditions:
        answer = ask(f'@id("x") permit (principal, action, resource) when {{ {condition} }};', {"v": value})
        assert not answer.permitted, condition


@pytest.mark.parametrize("payload", PAYLOADS, ids=str)
def test_no_list_member_becomes_an_entity(payload):
    for condition in ("context.args.v.contains(principal)", 'context.args.v.contains(decimal("1.0"))'):
        text = f'@id("x") permit (principal, action, resource) when {{ {condition} }};'
        assert not ask(text, {"v": [payload]}).permitted


def test_the_argument_map_itself_is_no_entity():
    text = '@id("x") permit (principal, action, resource) when { context.args == principal };'
    answer = ask(text, {"__entity": {"type": "Agent", "id": "agent"}})
    assert not answer.permitted
    assert not answer.errors


def test_the_payload_of_a_control_would_be_taken_for_an_entity():
    """The attack is real: handed to Cedar as it is, the payload satisfies the permit."""
    import cedarpy

    agent = {"type": "Agent", "id": "agent"}
    call = {"principal": agent, "action": {"type": "Action", "id": "a"}, "resource": {"type": "Tool", "id": "t"}}
    policies = "permit (principal, action, resource) when { context.v == principal };"
    assert cedarpy.is_authorized({**call, "context": {"v": {"__entity": agent}}}, policies, []).allowed


def test_an_expression_is_data():
    text = PERMIT + '@id("f") forbid (principal, action, resource) when { context.args.v == true };'
    answer = ask(text, {"v": {"__expr": "true"}})
    assert answer.permitted


# --- values for which Cedar gives no decision -----------------------------------------------------------------------


@pytest.mark.parametrize("value", [None, 1.5, 2**63, -(2**63) - 1, 1e308, math.nan, math.inf, [None], {"a": None}])
def test_every_number_and_null_gets_a_decision(value):
    whole = PERMIT + '@id("f") forbid (principal, action, resource) when { context.args == {none: 1} };'
    answer = ask(whole, {"v": value})
    assert answer.permitted
    assert not answer.errors


def test_a_limit_holds_for_numbers_of_any_size():
    rule = 'context.args has n && context.args.n.greaterThan(decimal("1000.0"))'
    text = PERMIT + f'@id("f") forbid (principal, action, resource) when {{ {rule} }};'
    types = {"tool": {"n": "decimal"}}
    assert ask(text, {"n": 1000}, types=types).permitted
    for value in (1001, 1000.00001, 10**14, 10**30, 1e300, math.inf, math.nan, "2000", True, [2000]):
        assert not ask(text, {"n": value}, types=types).permitted, value


@pytest.mark.parametrize("value", ["five thousand", "5,000", [5000], {"v": 5000}, 10**40, math.nan, True])
def test_an_amount_in_disguise_is_no_missing_amount(value):
    rule = 'context has amount && context.amount.greaterThan(decimal("1000.0"))'
    text = PERMIT + f'@id("l") @effect("challenge") forbid (principal, action, resource) when {{ {rule} }};'
    answer = ask(text, {"eur": value}, resource=Resource("tool", amount="eur"))
    assert not answer.permitted
    assert answer.reasons[0].code == "policy_error"


def test_depth_and_lone_surrogates_deny_without_an_exception():
    whole = PERMIT + '@id("f") forbid (principal, action, resource) when { context.args == {none: 1} };'
    deep: object = 1
    for _ in range(5_000):
        deep = {"a": deep}
    for value in (deep, "\ud800", {"\udfff": 1}):
        answer = ask(whole, {"v": value})
        assert [reason.code for reason in answer.reasons] == ["policy_error"]
        as_bytes(answer)
    as_bytes(ask(whole, {"\ud800": 1}))
    assert not ask(PERMIT, {}, agent="\ud800").permitted


# --- grades ---------------------------------------------------------------------------------------------------------


def test_a_graded_forbid_hides_no_missing_permit():
    answer = ask('@id("g") @effect("monitor") forbid (principal, action, resource);', {})
    assert not answer.permitted
    assert answer.effect is Effect.DENY
    assert {reason.code for reason in answer.reasons} == {"policy_no_permit", "policy_monitor"}


def test_a_graded_forbid_hides_no_hard_forbid():
    text = PERMIT + '@id("g") @effect("monitor") forbid (principal, action, resource);'
    answer = ask(text + '@id("h") forbid (principal, action, resource);', {})
    assert not answer.permitted
    assert ("policy_denied", "h") in [(reason.code, reason.source) for reason in answer.reasons]


# --- names ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(ActionKind))
def test_a_tool_named_like_a_group_gains_nothing_of_it(kind):
    text = f'@id("x") permit (principal, action in Action::"{kind.value}", resource);'
    tool = Resource(kind.value, ActionKind.TOOL_CALL)
    assert ask(text, {}, resource=tool).permitted is (kind is ActionKind.TOOL_CALL)
    assert not ask(text.replace(" in ", " == "), {}, resource=tool).permitted


@pytest.mark.parametrize("name", ['tool"; permit(principal,action,resource);//', "t\u043e\u043el", "tool\x00", "Tool"])
def test_a_name_is_never_read_as_policy_text_nor_as_its_lookalike(name):
    text = '@id("x") permit (principal, action == Action::"tool", resource == Tool::"tool");'
    assert ask(text, {}, resource=Resource("tool")).permitted
    answer = ask(text, {}, resource=Resource(name))
    assert not answer.permitted
    assert not answer.errors


def test_provenance_pointers_cannot_be_shadowed_by_argument_names():
    found = (("/a~1b", Provenance.UNTRUSTED), ("/a/b", Provenance.USER))
    text = '@id("x") permit (principal, action, resource) when { context.provenance.a == "user" };'
    assert ask(text, {}, provenance=found).permitted
    text = '@id("x") permit (principal, action, resource) when { context.provenance["a/b"] == "untrusted" };'
    assert ask(text, {}, provenance=found).permitted


def test_a_trust_that_equals_an_integer_without_being_one_is_refused():
    for value in (True, 1.0, "1", 1001, -1):
        with pytest.raises(BadInput) as caught:
            Resource("tool", source_trust=value)
        assert caught.value.field == "source_trust"


# --- mistakes that Cedar would pass silently ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "rule",
    [
        'forbid (principal, action == Action::"send_mony", resource);',
        'forbid (principal, action == Action::"send", resource) when { context.args has amuont };',
        'forbid (principal, action == Action::"send", resource) when { context.args.amuont > 5 };',
        'forbid (principal, action == Action::"send", resource) when { context.args.amount > 5 };',
    ],
)
def test_a_misspelt_name_or_a_missing_has_fails_the_check(rule):
    bundle = PolicyBundle({"p.cedar": '@id("f") ' + rule}, {"send": {"amount": "long"}})
    assert check_bundle(bundle, [Resource("send")])
    good = (
        '@id("f") forbid (principal, action == Action::"send", resource) '
        "when { context.args has amount && context.args.amount > 5 };"
    )
    assert not check_bundle(PolicyBundle({"p.cedar": good}, bundle.types), [Resource("send")])


# --- the same bytes, always -----------------------------------------------------------------------------------------

SEEDED = """
import sys
sys.path.insert(0, {folder!r})
from test_policy_attacks import as_bytes, ask
head = '@id("base") permit (principal, action, resource);'
for grade in ('@effect("challenge")', ''):
    rules = "".join(
        f'@id("r{{n:02}}") @reason("c{{n % 3}}") {{grade}} forbid (principal, action, resource);' for n in range(20)
    )
    print(as_bytes(ask(head + rules, {{}})).hex())
bad = "".join(f'@id("e{{n}}") forbid (principal, action, resource) when {{{{ context.args.q }}}};' for n in range(9))
print(as_bytes(ask(head + bad, {{}})).hex())
"""


def test_reasons_are_in_one_order_under_every_hash_seed():
    folder = str(Path(__file__).parent)
    script = textwrap.dedent(SEEDED.format(folder=folder))
    outputs = set()
    for seed in ("0", "1", "2", "77") if is_thorough() else ("0", "77"):
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": os.pathsep.join(sys.path)}
        done = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True, check=True)
        outputs.add(done.stdout)
    assert len(outputs) == 1
    assert len(outputs.pop().split()) == 3


KEYS = st.sampled_from(["amount", "__entity", "__extn", "__expr", "type", "id", "fn", "arg"]) | st.text(max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=15,
)
NOSY = PERMIT + (
    '@id("all") forbid (principal, action, resource) when { context.args == {none: true} };'
    '@id("amount") @effect("challenge") forbid (principal, action, resource) when { context has amount };'
)


@given(args=st.dictionaries(KEYS, VALUES, max_size=5), name=st.text(max_size=6), kind=st.sampled_from(list(ActionKind)))
@settings(max_examples=count(150), deadline=None)
def test_any_arguments_get_one_answer_twice(args, name, kind):
    resource = Resource(name, kind, amount="amount")
    for types in ({}, {name: {"amount": "decimal", "id": "string"}}):
        first = ask(NOSY, args, resource=resource, types=types)
        again = ask(NOSY, args, resource=resource, types=types)
        assert as_bytes(first) == as_bytes(again)
        assert first.permitted or first.reasons


def test_a_panic_of_the_engine_is_a_denial(monkeypatch):
    from halo_core.policy import engine

    class PanicException(BaseException):
        pass

    def panic(*_):
        raise PanicException("a secret value")

    monkeypatch.setattr(engine, "_evaluate", panic)
    answer = ask(PERMIT, {})
    assert (answer.permitted, answer.effect) == (False, Effect.DENY)
    assert answer.errors == ("evaluation failed with `PanicException`",)
