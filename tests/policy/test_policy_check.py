"""Checks of a policy: mistakes and what they are reported as."""

from __future__ import annotations

import json

import cedarpy
import pytest

from halo_core.model import ActionKind, Impact, Obligation, Resource
from halo_core.policy import PolicyBundle, build_cedar_schema, infer_arg_types
from halo_core.policy.checks import check_bundle
from halo_core.policy.parsing import OBLIGATION_FORMS, parse_policies
from halo_core.policy.schema import action_id

SEND = Resource("send_money", impact=Impact.PAYMENT, targets=("recipient",), amount="amount")
KB = Resource("kb", ActionKind.RETRIEVAL, Impact.READ)
TYPES = {
    "send_money": {"amount": "decimal", "recipient": "string", "meta": "any", "tags": "set<string>"},
    "kb": {"query": "string", "k": "long"},
}


def findings(text: str, resources=(SEND, KB), types=None):
    return check_bundle(PolicyBundle({"p.cedar": text}, TYPES if types is None else types), resources)


def forbid(condition: str, action: str = 'action == Action::"send_money"', head: str = "") -> str:
    return f'// one\n@id("x") {head} forbid (principal, {action}, resource) when {{ {condition} }};'


def test_the_starter_policy_is_valid_with_and_without_tools():
    assert check_bundle(PolicyBundle(PolicyBundle.load_starter().sources, TYPES), [SEND, KB]) == []
    assert check_bundle(PolicyBundle.load_starter(), []) == []


@pytest.mark.parametrize(
    "text",
    [
        forbid('context.args has amount && context.args.amount.greaterThan(decimal("5.0"))'),
        forbid('context.args has tags && context.args.tags.contains("x")'),
        forbid('context.provenance has meta && context.provenance.meta == "untrusted"'),
        forbid("context.args has k && context.args.k > 5", 'action in Action::"retrieval"'),
        forbid('resource.impact == "payment"', 'action in Action::"tool_call"'),
        forbid("true", head='@effect("restrict") @obligation("clamp(amount, 5)")'),
        forbid('resource == Retriever::"kb"', "action"),
        forbid("true", head='@effect("restrict") @obligation("redact(tags)")'),
        forbid("true", 'action in Action::"retrieval"', head='@effect("restrict") @obligation("redact( query )")'),
        forbid("true", head='@effect("restrict") @obligation("redact_output()")'),
        forbid("true", 'action in Action::"inference"', head='@effect("restrict") @obligation("hold_output()")'),
        forbid("true", head='@effect("restrict") @obligation("drop_labels(chd)")'),
        forbid("true", "action", head='@effect("restrict") @obligation("drop_documents(300)")'),
    ],
)
def test_good_policies_pass(text):
    assert findings(text) == []


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        (forbid("context.args has amuont"), "argument `amuont`", "did you mean `amount`"),
        (forbid("context.args has amuont && context.args.amuont == 5"), "argument `amuont`", "did you mean `amount`"),
        (forbid("context.provenance has recipent"), "argument `recipent`", "did you mean `recipient`"),
        (forbid("true", 'action == Action::"send_mony"'), 'Action::"send_mony"', "did you mean `send_money`"),
        (forbid('resource == Tool::"send_mony"', "action"), "not registered", "did you mean `send_money`"),
        (forbid('context.args.amount.greaterThan(decimal("5.0"))'), "optional attribute", "has amount && ..."),
        (forbid("context.args has amount && context.args.amount > 5"), "", ""),
        (forbid("context.taintd"), "taintd", "did you mean `tainted`"),
        (forbid("context has taintd"), "taintd", "did you mean `tainted`"),
        (forbid('resource has impcat && resource.impcat == "x"'), "impcat", "did you mean `impact`"),
        (forbid('resource.impact == "paymnet"'), "never `paymnet`", "did you mean `payment`"),
        (forbid('["paymnet", "read"].contains(resource.impact)'), "never `paymnet`", "did you mean `payment`"),
        (forbid('context.origins.contains("untrustd")'), "never `untrustd`", "did you mean `untrusted`"),
        (forbid("context.args has meta"), "no type", "context.provenance"),
        (forbid("true", 'action == Action::"tool_call"'), "itself", "action in"),
        (forbid("true", head='@effect("restrict") @obligation("clamp(limit, 5)")'), "argument `limit`", "known:"),
        (forbid("true", head='@effect("restrict") @obligation("redact(tgas)")'), "argument `tgas`", "`tags`"),
        (
            forbid("true", head='@effect("restrict") @obligation("redact(recipient)")'),
            "where `send_money` goes",
            "challenge",
        ),
        (forbid("true", head='@effect("restrict") @obligation("redact(amount)")'), "how much", "plain `forbid`"),
        (
            forbid("true", "action", '@effect("restrict") @obligation("redact(recipient)")'),
            "where `send_money`",
            "forbid",
        ),
        (forbid("true", head='@effect("restrict") @obligation("redact()")'), "unknown obligation", "redact(argument)"),
        (forbid("true", head='@effect("restrict") @obligation("drop_labels()")'), "unknown", "drop_labels(label)"),
        (forbid("true", head='@effect("restrict") @obligation("redact_output(x)")'), "unknown", "redact_output()"),
        (forbid("true", head='@effect("restrict") @obligation("hold_output")'), "unknown", "or hold_output()"),
        (forbid("true", head='@effect("deni")'), "unknown effect", "challenge"),
        (forbid("true", head='@effect("restrict") @obligation("burn()")'), "unknown obligation", "clamp"),
    ],
)
def test_mistakes_are_found_with_line_id_and_hint(text, message, hint):
    found = findings(text)
    assert found
    assert {(item.source, item.line, item.policy) for item in found} == {("p.cedar", 2, "x")}
    assert any(message in item.message and hint in item.hint for item in found), found


def test_one_mistake_is_told_once():
    assert len(findings(forbid("context.args has amuont && context.args.amuont == 5"))) == 1
    assert len(findings(forbid("context.taintd"))) == 1
    assert len(findings(forbid("true", 'action == Action::"send_mony"'))) == 1


def test_broken_policies_do_not_hide_others():
    text = forbid("context.args has amuont") + '\nforbid (principal);\n@id("x") permit (principal, action, resource);'
    assert [item.line for item in findings(text)] == [2, 3, 4]


def test_json_schemas_give_types():
    schema = {
        "properties": {
            "a": {"type": "string"},
            "b": {"type": "integer"},
            "c": {"type": "number"},
            "d": {"type": "boolean"},
            "e": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "f": {"type": "array", "items": {"type": "string"}},
            "g": {"type": "array", "items": {"type": "integer"}},
            "h": {"enum": ["x", "y"]},
            "i": {"const": 5},
            "j": {"$ref": "#/$defs/J"},
            "k": {"type": "object", "properties": {}},
            "l": {"anyOf": [{"type": "integer"}, {"type": "string"}]},
            "m": {"type": ["string", "null"]},
            "n": {"anyOf": [{"type": "integer"}, {"type": "number"}]},
            "o": {"type": "array", "items": {"type": "array", "items": {"type": "string"}}},
            "p": {"$ref": "#/$defs/P"},
            "q": {},
            "r": True,
        },
        "$defs": {"J": {"enum": ["x"], "type": "string"}, "P": {"$ref": "#/$defs/P"}},
    }
    scalars = {"a": "string", "b": "long", "c": "decimal", "d": "bool", "e": "long", "h": "string", "i": "long"}
    sets = {"f": "set<string>", "g": "set<long>"}
    resolved = {"j": "string", "m": "string", "n": "decimal"}
    untyped = dict.fromkeys("klopqr", "any")
    assert infer_arg_types(schema) == {**scalars, **sets, **resolved, **untyped}
    assert infer_arg_types({}) == infer_arg_types({"properties": 5}) == {}


def test_the_schema_is_one_that_cedar_reads_whatever_the_names():
    odd = Resource('q"\n\u0440', ActionKind.TOOL_CALL)
    types = {odd.id: {"__entity": "string", "a b": "set<decimal>"}}
    plain = build_cedar_schema([odd, SEND, KB, Resource("retrieval")], {**TYPES, **types})
    cedarpy.Schema.from_json_str(json.dumps(plain))
    actions = plain[""]["actions"]
    assert actions["_retrieval"]["memberOf"] == [{"id": "tool_call"}]
    assert "memberOf" not in actions["retrieval"]


def test_no_resource_takes_the_name_of_a_group():
    names = ["retrieval", "_retrieval", "__retrieval", "tool_call", "pay", "_pay"]
    assert len({action_id(name) for name in names}) == len(names)
    assert not {action_id(name) for name in names} & {kind.value for kind in ActionKind}


def test_a_masked_target_is_refused_only_where_the_policy_reaches_it():
    elsewhere = Resource("note", impact=Impact.WRITE)
    types = {**TYPES, "note": {"recipient": "string"}}
    text = forbid("true", 'action == Action::"note"', '@effect("restrict") @obligation("redact(recipient)")')
    assert findings(text, (SEND, KB, elsewhere), types) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("clamp(limit, 50)", Obligation("clamp", "limit", 50)),
        ("drop_documents(0)", Obligation("drop_documents", "", 0)),
        ("redact(body)", Obligation("redact", "body")),
        ("redact( body )", Obligation("redact", "body")),
        ("redact_output()", Obligation("redact_output")),
        ("hold_output( )", Obligation("hold_output")),
        ("drop_labels(chd)", Obligation("drop_labels", "chd")),
    ],
)
def test_obligations_are_read(written, meant):
    (policy,), problems = parse_policies(
        "p.cedar", forbid("true", head=f'@effect("restrict") @obligation("{written}")')
    )
    assert policy.obligation == meant
    assert problems == []


def test_every_form_that_is_offered_is_known():
    for form in OBLIGATION_FORMS:
        written = form.replace("integer", "5").replace("0..1000", "5")
        (policy,), problems = parse_policies(
            "p.cedar", forbid("true", head=f'@effect("restrict") @obligation("{written}")')
        )
        assert policy.obligation is not None
        assert problems == []
