"""Policy bundles: hashes, bytes and loading."""

from __future__ import annotations

import pytest

from halo_core.errors import PolicyError
from halo_core.model import Effect, Obligation
from halo_core.policy import PolicyBundle
from halo_core.policy.attribute_refs import ALL, find_attribute_refs
from halo_core.policy.parsing import parse_policies

PERMIT = '@id("base") permit (principal, action, resource);\n'


def test_equal_bundles_have_one_hash_and_any_change_another():
    one = PolicyBundle({"a": "x", "b": "y"}, {"t": {"n": "long"}})
    same = PolicyBundle({"b": "y", "a": "x"}, {"t": {"n": "long"}})
    assert one.to_bytes() == same.to_bytes()
    assert one.hash == PolicyBundle.from_bytes(one.to_bytes()).hash
    others = [
        PolicyBundle({"a": "y", "b": "x"}, one.types),
        PolicyBundle(one.sources, {"t": {"n": "string"}}),
        PolicyBundle({"ы": "x", "b": "y"}, one.types),
    ]
    assert len({bundle.hash for bundle in [one, *others]}) == 4


def test_a_bundle_does_not_change_under_its_hash():
    sources, types = {"a": PERMIT}, {"t": {"n": "long"}}
    bundle = PolicyBundle(sources, types)
    before = bundle.hash
    sources["a"] = "changed"
    types["t"]["n"] = "string"
    assert bundle.hash == before
    with pytest.raises(TypeError):
        bundle.sources["a"] = "changed"


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"sources":[],"types":{}}', b'{"sources":{"a":1},"types":{}}'])
def test_other_bytes_are_no_bundle(data):
    with pytest.raises(PolicyError) as caught:
        PolicyBundle.from_bytes(data)
    assert caught.value.code == "policy_invalid"


def test_files_and_directories_are_loaded(tmp_path):
    (tmp_path / "b.cedar").write_text(PERMIT)
    (tmp_path / "note.txt").write_text("no policy")
    bundle = PolicyBundle.load([tmp_path])
    assert list(bundle.sources) == ["b.cedar"]
    assert PolicyBundle.load([tmp_path / "b.cedar"]).hash == bundle.hash


def test_unreadable_paths_are_named(tmp_path):
    (tmp_path / "latin.cedar").write_bytes(b"// caf\xe9\n")
    (tmp_path / "empty").mkdir()
    for name, code in (
        ("latin.cedar", "policy_unreadable"),
        ("none.cedar", "policy_missing"),
        ("empty", "policy_missing"),
    ):
        with pytest.raises(PolicyError) as caught:
            PolicyBundle.load([tmp_path / name])
        assert caught.value.code == code
        assert name in caught.value.field


@pytest.mark.parametrize(
    ("text", "line", "word"),
    [
        ("permit (principal, action, resource);", 1, "@id"),
        ('// note; with "quotes\n' + PERMIT + '\n@id("x") forbid (principal action, resource);', 4, "parse"),
        (PERMIT + '@id("Base") permit (principal, action, resource);', 2, "@id"),
        (PERMIT + "@id(\"x\") forbid (principal, action, resource)\nwhen { context.a == ';' ", 2, "parse"),
        ('@id("x") permit (principal == ?principal, action, resource);', 1, "templates"),
        ('@id("x") @effect("deny") forbid (principal, action, resource);', 1, "unknown effect"),
        ('@id("x") @effect("monitor") permit (principal, action, resource);', 1, "only a `forbid`"),
        ('@id("x") @reason("r") permit (principal, action, resource);', 1, "only a `forbid`"),
        ('@id("x") @reason("R!") forbid (principal, action, resource);', 1, "not a reason code"),
        ('@id("x") @efect("monitor") forbid (principal, action, resource);', 1, "unknown annotation"),
        ('@id("x") @effect("restrict") forbid (principal, action, resource);', 1, "needs an"),
        (
            '@id("x") @effect("monitor") @obligation("clamp(a, 1)") forbid (principal, action, resource);',
            1,
            "only a `restrict`",
        ),
        ('@id("x") @effect("restrict") @obligation("burn()") forbid (principal, action, resource);', 1, "burn()"),
        (
            '@id("x") @effect("restrict") @obligation("drop_documents(1001)") forbid (principal, action, resource);',
            1,
            "unknown obligation",
        ),
    ],
)
def test_malformed_policies_are_refused_with_their_line(text, line, word):
    with pytest.raises(PolicyError) as caught:
        PolicyBundle({"p.cedar": text}).parse()
    assert caught.value.field == f"p.cedar:{line}"
    assert word in caught.value.message
    assert caught.value.remedy


def test_one_id_in_two_files_is_refused():
    with pytest.raises(PolicyError) as caught:
        PolicyBundle({"a.cedar": PERMIT, "b.cedar": "\n" + PERMIT}).parse()
    assert caught.value.field == "b.cedar:2"
    assert "a.cedar:1" in caught.value.message


@pytest.mark.parametrize("newline", ["\n", "\r", "\r\n"])
def test_a_comment_hides_no_policy(newline):
    text = f'// a; b{newline}@id("x") forbid (principal, action, resource); // c{newline}' + PERMIT
    policies, findings = parse_policies("p.cedar", text)
    assert not findings
    assert [policy.id for policy in policies] == ["x", "base"]


def test_strings_may_hold_what_looks_like_syntax():
    text = '@id("x") forbid (principal, action, resource) when { context.user == "a;// \\"b" };' + PERMIT
    assert [policy.id for policy in parse_policies("p.cedar", text)[0]] == ["x", "base"]


def test_annotations_become_fields():
    head = '@id("x") @effect("restrict") @obligation("clamp( limit , -5 )") @reason("clamped")'
    text = head + "\nforbid (principal, action, resource);"
    (policy,) = PolicyBundle({"p.cedar": text}).parse()
    assert (policy.grade, policy.reason) == (Effect.RESTRICT, "clamped")
    assert policy.obligation == Obligation("clamp", "limit", -5)


@pytest.mark.parametrize(
    ("condition", "args", "whole"),
    [
        ("context.args.a == 1 && context.args has b", {"a", "b"}, False),
        ('context.args["x y"] == 1', {"x y"}, False),
        ("context.args.a.b == 1", {"a"}, False),
        ("context.args has a.b", {"a"}, False),
        ("context has args.c", {"c"}, False),
        ("context.tainted", set(), False),
        ("context.args == {a: 1}", {ALL}, False),
        ("[1].contains(context.args.z)", {"z"}, False),
        ("[context.args].contains({})", {ALL}, False),
        ("{Value: context}.Value.args has x", {ALL}, True),
        ('{".": context}["."].tainted', {ALL}, True),
        ("(if context.tainted then context else context).args has x", {ALL}, True),
        ("context == {}", {ALL}, True),
    ],
)
def test_every_way_to_read_an_argument_is_seen(condition, args, whole):
    text = f'@id("x") permit (principal, action, resource) when {{ {condition} }};'
    (policy,) = parse_policies("p.cedar", text)[0]
    assert set(policy.refs.args) >= args
    if ALL not in args:
        assert set(policy.refs.args) == args
    assert (ALL in policy.refs.context) is whole
    assert find_attribute_refs(policy.cedar_json) == policy.refs


@pytest.mark.parametrize(
    "condition",
    [
        "(" * 5000 + "1 == 1" + ")" * 5000,
        "(!" * 3000 + "true" + ")" * 3000,
        "true" + " && true" * 200,
        "if true then " * 700 + "true" + " else true" * 700,
    ],
    ids=["brackets", "negations", "a chain", "branches"],
)
def test_what_is_nested_too_deeply_has_a_finding(condition):
    text = f'{PERMIT}@id("deep") permit (principal, action, resource) when {{ {condition} }};'
    policies, findings = parse_policies("a.cedar", text)
    assert [policy.id for policy in policies] == ["base"]
    assert [(finding.where, finding.hint) for finding in findings] == [("a.cedar:2", "split it into several policies")]
