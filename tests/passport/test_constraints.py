"""Constraints: strict types, closed world, no traversal; parse and print are inverse."""

from __future__ import annotations

import math
import string
from enum import IntEnum, StrEnum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core.errors import PassportError
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind
from halo_core.passports import constraint_to_json, find_violation, is_resource_id, parse_constraint
from halo_core.passports.grants import accepts, grants_to_json, list_label_violations, parse_grants

WILD = Constraint(ConstraintKind.WILDCARD)
TOOL = ActionKind.TOOL_CALL


def exact(value):
    return Constraint(ConstraintKind.EXACT, (value,))


def one_of(*values):
    return Constraint(ConstraintKind.ONE_OF, values)


def not_one_of(*values):
    return Constraint(ConstraintKind.NOT_ONE_OF, values)


def between(low=None, high=None):
    return Constraint(ConstraintKind.RANGE, low=low, high=high)


def prefix(text):
    return Constraint(ConstraintKind.PREFIX, text=text)


def pattern(text):
    return Constraint(ConstraintKind.PATTERN, text=text)


class Colour(StrEnum):
    RED = "red"


class Level(IntEnum):
    ONE = 1


@pytest.mark.parametrize(
    ("constraint", "yes", "no"),
    [
        (exact(1), [1, Level.ONE], [True, "1", 1.0, 2, None, [1], {"a": 1}, b"1"]),
        (exact(True), [True], [1, "true", "True", False, 1.0]),
        (exact("red"), ["red", Colour.RED], ["Red", "red ", "r\u0435d", b"red", ["red"]]),
        (one_of("a", 1), ["a", 1], [True, "1", "b", 1.0, ["a"]]),
        (not_one_of("a", "b"), ["c", "", "A"], ["a", "b", 1, True, None, ["c"], 1.5]),
        (not_one_of(1), [2, 0, -1], [1, True, "1", "2", 1.0, 2.0]),
        (between(1, 100), [1, 100, 1.0, 99.9, Level.ONE], [0, 101, 100.5, True, "5", None, math.nan, math.inf, 1e400]),
        (between(low=0), [0, 10**400, 1e308], [-1, -0.1, -math.inf, math.inf]),
        (between(high=0), [0, -0.0, -(10**400)], [1, 1e-9, math.nan]),
        (
            pattern("[a-z]+@acme[.]com"),
            ["ops@acme.com"],
            ["ops@acme.com\n", "x ops@acme.com", "ops@acmexcom", 1, "\ud800"],
        ),
        (pattern(".*"), ["", "x"], ["a\nb", 5, None]),
        (WILD, [None, 1, "x", [], {}, object()], []),
        (pattern("("), [], ["(", ""]),
        (prefix(""), [], ["", "x"]),
    ],
)
def test_accepts(constraint, yes, no):
    assert [value for value in yes if not accepts(constraint, value)] == []
    assert [value for value in no if accepts(constraint, value)] == []


@pytest.mark.parametrize(
    "value",
    [
        "/data/../etc/passwd",
        "/data/a/../../etc",
        "/data/..",
        "/data/a/..",
        "/data/%2e%2e/etc",
        "/data/%2E./etc",
        "/data/%252e%252e/etc",
        "/data/%25252e%25252e/etc",
        "/data/a%2f..%2fb",
        "/data/..%5cetc",
        "/data/..\\etc",
        "/data/a\\b",
        "/data/a\0b",
        "/data/a%00b",
        "/data/.\t./etc",
        "/data/..;x=1/etc",
        "/data/.. /etc",
        "/data/a?/../x",
        "/dat",
        "/data",
        "/database/x",
        " /data/x",
        "/DATA/x",
        "",
        "//data/x",
        ["/data/x"],
        b"/data/x",
        None,
    ],
)
def test_a_prefix_is_not_left(value):
    assert not accepts(prefix("/data/"), value)


@pytest.mark.parametrize(
    "value", ["/data/", "/data/x", "/data/a/b.txt", "/data/...", "/data/a..b", "/data/50%25", "/data/ü"]
)
def test_a_prefix_lets_ordinary_paths_through(value):
    assert accepts(prefix("/data/"), value)


def test_a_pattern_takes_linear_time():
    assert not accepts(pattern("(a*)*b"), "a" * 200_000)


scalars = st.text(max_size=5) | st.integers(-5, 5) | st.booleans()
names = st.text(string.ascii_letters + "_$*. ", min_size=1, max_size=6)
constraints = st.one_of(
    st.just(WILD),
    scalars.map(exact),
    st.lists(scalars, min_size=1, max_size=4, unique_by=lambda v: (type(v), v)).map(lambda v: one_of(*v)),
    st.lists(scalars, min_size=1, max_size=4, unique_by=lambda v: (type(v), v)).map(lambda v: not_one_of(*v)),
    st.tuples(st.integers(-5, 0), st.integers(0, 5)).map(lambda b: between(*b)),
    st.integers(-5, 5).map(lambda n: between(low=n)),
    st.integers(-5, 5).map(lambda n: between(high=n)),
    st.text(string.ascii_letters + "/", min_size=1, max_size=5).map(prefix),
    st.sampled_from(["a+", "[0-9]*", "(?i)x|y", "."]).map(pattern),
)
resource_ids = st.text(string.ascii_letters + string.digits + "_.:/@-", min_size=1, max_size=8)
grants = st.dictionaries(
    st.sampled_from(list(ActionKind)),
    st.dictionaries(resource_ids, st.dictionaries(names, constraints, max_size=3), max_size=3),
    max_size=3,
)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6) | st.binary(max_size=3),
    lambda t: st.lists(t, max_size=3) | st.dictionaries(st.text(max_size=4), t, max_size=3),
    max_leaves=5,
)


@given(constraints)
def test_constraints_round_trip(constraint):
    assert parse_constraint(constraint_to_json(constraint)) == constraint


@given(grants)
def test_grants_round_trip(value):
    assert parse_grants(grants_to_json(value)) == value


@given(constraints, anything)
def test_accepts_never_raises_and_is_a_bool(constraint, value):
    assert accepts(constraint, value) in (True, False)


@given(grants, st.sampled_from(list(ActionKind)), resource_ids, st.dictionaries(names, anything, max_size=4))
def test_violation_does_not_depend_on_the_order_of_arguments(value, kind, resource, args):
    found = find_violation(value, kind, resource, args)
    assert find_violation(value, kind, resource, dict(reversed(args.items()))) == found
    assert found is None or (found.code and len(found.detail) < 200)


@given(st.dictionaries(names, constraints, max_size=4), st.dictionaries(names, anything, max_size=4))
def test_closed_world(rules, args):
    """What passes names no argument without a rule, obeys each rule, and leaves out no constrained argument."""
    found = find_violation({TOOL: {"t": rules}}, TOOL, "t", args)
    other = rules.get(ANY_OTHER)
    covered = all((rules.get(n) or other) is not None and accepts(rules.get(n) or other, v) for n, v in args.items())
    complete = all(n in args or n == ANY_OTHER or r.kind is ConstraintKind.WILDCARD for n, r in rules.items())
    assert (found is None) == (covered and complete)


GRANTS = {
    TOOL: {
        "pay": {"to": one_of("acme"), "amount": between(0, 100), "note": WILD},
        "open": {ANY_OTHER: WILD, "mode": exact("r")},
        "text": {ANY_OTHER: pattern("[a-z]*")},
        "ping": {},
    },
    ActionKind.RETRIEVAL: {"kb": {ANY_OTHER: WILD}},
}


@pytest.mark.parametrize(
    ("kind", "resource", "args", "expected"),
    [
        (TOOL, "pay", {"to": "acme", "amount": 5}, None),
        (TOOL, "pay", {"to": "acme", "amount": 5, "note": [1]}, None),
        (TOOL, "pay", {"to": "acme"}, ("args_closed_world", "amount: missing")),
        (TOOL, "pay", {"to": "acme", "amount": 5, "cc": "x"}, ("args_closed_world", "cc: not named in the grant")),
        (TOOL, "pay", {"to": "evil", "amount": 5}, ("arg_violates", "to: one_of")),
        (TOOL, "pay", {"to": ["acme"], "amount": 5}, ("arg_violates", "to: one_of")),
        (TOOL, "pay", {"to": "acme", "amount": True}, ("arg_violates", "amount: range")),
        (
            TOOL,
            "pay",
            {"to": "acme", "amount": 5, "\u0430mount": 1},
            ("args_closed_world", "\\u0430mount: not named in the grant"),
        ),
        (TOOL, "pay", {"to": "acme", "amount": 5, 7: 1}, ("args_closed_world", "an argument without a name")),
        (TOOL, "open", {"mode": "r", "anything": {}}, None),
        (TOOL, "open", {"anything": {}}, ("args_closed_world", "mode: missing")),
        (TOOL, "text", {"a": "x", "b": "Y"}, ("arg_violates", "b: pattern")),
        (TOOL, "text", {}, None),
        (TOOL, "ping", {}, None),
        (TOOL, "ping", {ANY_OTHER: 1}, ("args_closed_world", "**: not named in the grant")),
        (TOOL, "kb", {}, ("tool_not_granted", "kb")),
        (ActionKind.RETRIEVAL, "kb", {"query": "x"}, None),
        (ActionKind.HANDOFF, "pay", {}, ("tool_not_granted", "pay")),
        (TOOL, "PAY", {}, ("tool_not_granted", "PAY")),
        (TOOL, "p\u0430y", {}, ("tool_not_granted", "p\\u0430y")),
        (TOOL, "x" * 500, {}, ("tool_not_granted", "x" * 63 + "…")),
    ],
)
def test_violation(kind, resource, args, expected):
    assert find_violation(GRANTS, kind, resource, args) == expected


def test_a_detail_never_shows_a_value():
    found = find_violation(GRANTS, TOOL, "pay", {"to": "my-secret-value", "amount": 5})
    assert "my-secret-value" not in str(found)


def test_labels():
    assert list_label_violations(None, ("chd", "pii")) == []
    assert list_label_violations(("chd", "pii"), ("pii",)) == []
    assert list_label_violations((), ()) == []
    assert list_label_violations(("pii",), ("zz", "pii", "chd")) == [("class_ceiling", "chd"), ("class_ceiling", "zz")]


@pytest.mark.parametrize("text", ["a", "crm.search", "x:y/z@w", "A b", "mcp-server", "_", "x" * 128])
def test_resource_ids(text):
    assert is_resource_id(text)


@pytest.mark.parametrize(
    "text", ["", " ", " a", "a ", "a\n", "a\tb", "\u0430dmin", "a\u200bb", "a\u202eb", "\uff53", "a*", "a?", "x" * 129]
)
def test_deceptive_resource_ids(text):
    assert not is_resource_id(text)


@pytest.mark.parametrize(
    ("plain", "code"),
    [
        (None, "bad_constraint"),
        ([], "bad_constraint"),
        ({}, "bad_constraint"),
        ({"constraint_type": 1}, "bad_constraint"),
        ({"constraint_type": ["exact"]}, "bad_constraint"),
        ({"constraint_type": "all", "constraints": []}, "unknown_constraint"),
        ({"constraint_type": "Exact", "value": 1}, "unknown_constraint"),
        ({"constraint_type": "wildcard", "value": 1}, "bad_constraint"),
        ({"constraint_type": "exact"}, "bad_constraint"),
        ({"constraint_type": "exact", "value": None}, "bad_constraint"),
        ({"constraint_type": "exact", "value": 1.5}, "bad_constraint"),
        ({"constraint_type": "exact", "value": [1]}, "bad_constraint"),
        ({"constraint_type": "exact", "value": 2**53}, "bad_constraint"),
        ({"constraint_type": "exact", "value": 1, "values": [2]}, "bad_constraint"),
        ({"constraint_type": "one_of", "values": []}, "bad_constraint"),
        ({"constraint_type": "one_of", "values": "abc"}, "bad_constraint"),
        ({"constraint_type": "one_of", "values": [1, 1]}, "bad_constraint"),
        ({"constraint_type": "one_of", "values": [[1]]}, "bad_constraint"),
        ({"constraint_type": "one_of", "values": list(range(513))}, "bad_constraint"),
        ({"constraint_type": "not_one_of", "values": [1]}, "bad_constraint"),
        ({"constraint_type": "range"}, "bad_constraint"),
        ({"constraint_type": "range", "min": 2, "max": 1}, "bad_constraint"),
        ({"constraint_type": "range", "min": True}, "bad_constraint"),
        ({"constraint_type": "range", "min": None}, "bad_constraint"),
        ({"constraint_type": "range", "max": 2**53}, "bad_constraint"),
        ({"constraint_type": "range", "min": 1, "step": 2}, "bad_constraint"),
        ({"constraint_type": "prefix", "value": ""}, "bad_constraint"),
        ({"constraint_type": "prefix", "value": 1}, "bad_constraint"),
        ({"constraint_type": "prefix", "value": "https://bank.example"}, "bad_constraint"),
        ({"constraint_type": "prefix", "value": "x" * 1025}, "bad_constraint"),
        ({"constraint_type": "pattern", "value": "(?=a)b"}, "bad_constraint"),
        ({"constraint_type": "pattern", "value": r"(a)\1"}, "bad_constraint"),
        ({"constraint_type": "pattern", "value": "((a{1000}){1000}){1000}"}, "bad_constraint"),
        ({"constraint_type": "pattern", "value": "\ud800"}, "bad_constraint"),
    ],
)
def test_malformed_constraints(plain, code):
    with pytest.raises(PassportError) as caught:
        parse_constraint(plain, field="/x")
    assert caught.value.code == code
    assert caught.value.field == "/x"


def test_values_of_equal_number_and_other_type_are_two():
    plain = {"constraint_type": "one_of", "values": [1, True, "1"]}
    assert parse_constraint(plain).values == (1, True, "1")


@given(anything)
def test_any_tree_is_parsed_or_refused(tree):
    for parse in (parse_grants, parse_constraint):
        with pytest.raises(PassportError):
            parse(tree)


def test_an_exact_constraint_with_two_values_is_not_printed():
    with pytest.raises(PassportError) as caught:
        constraint_to_json(Constraint(ConstraintKind.EXACT, (1, 2)))
    assert caught.value.code == "bad_constraint"
