"""INVARIANT: SUB, what a child's grants accept the parent's accept; and what both allow lies within both."""

from __future__ import annotations

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.model import ANY_OTHER, ActionKind, Constraint, ConstraintKind
from halo_core.passports import constraint_within, find_violation, grants_within, intersect_grants, intersect_labels
from halo_core.passports.grants import MAX_VALUES, accepts

TOOL = ActionKind.TOOL_CALL
ANY = Constraint.anything()
exact, one_of, none_of = Constraint.exactly, Constraint.one_of, Constraint.none_of
between, below, pattern = Constraint.between, Constraint.starts_with, Constraint.matches

# Few values, so that two constraints drawn apart often have some in common, of types that are easily confused.
SCALARS = [1, 2, 3, True, False, "1", "a", "b", "/d/", "/d/x", "/d/x/y", "/dx", "/d/../x", "true", ""]
scalars = st.sampled_from(SCALARS)
several = st.lists(scalars, min_size=1, max_size=5, unique_by=lambda v: (type(v), v))
bounds = st.none() | st.integers(-2, 4)
constraints = st.one_of(
    st.just(ANY),
    scalars.map(exact),
    several.map(lambda v: one_of(*v)),
    several.map(lambda v: none_of(*v)),
    st.tuples(bounds, bounds)
    .filter(lambda b: b != (None, None) and (None in b or b[0] <= b[1]))
    .map(lambda b: between(*b)),
    st.sampled_from(["/", "/d", "/d/", "/d/x", "/d/x/", "/d/../", "a", "1"]).map(below),
    st.sampled_from(["[a-b]", "[a-z]*", ".*", "1", "("]).map(pattern),
)
NAMES = ("x", "y", ANY_OTHER)
rules = st.dictionaries(st.sampled_from(NAMES), constraints, max_size=3)
grants = st.dictionaries(
    st.sampled_from([TOOL, ActionKind.RETRIEVAL]),
    st.dictionaries(st.sampled_from(["s", "t"]), rules, max_size=2),
    max_size=2,
)
values = st.one_of(
    scalars,
    st.sampled_from([1.0, 2.5, -1, 0, 4, None, [1], {"a": 1}, float("nan"), float("inf"), "/d/x/../y", "/d/%2e%2e/x"]),
    st.text("/dx.ab1", max_size=6),
)
arguments = st.dictionaries(st.sampled_from(["x", "y", "z", ANY_OTHER]), values, max_size=4)


def covers(given_grants, kind, resource, args):
    return find_violation(given_grants, kind, resource, args) is None


def narrower(draw, rule):
    """A constraint that may be within `rule`: the pairs drawn apart seldom are."""
    return draw(st.one_of(st.just(rule), constraints))


@st.composite
def pairs(draw):
    """Child and parent, the child often a copy with a rule changed."""
    parent = draw(rules)
    child = {name: narrower(draw, rule) for name, rule in parent.items() if draw(st.integers(0, 4))}
    if not draw(st.integers(0, 3)):
        child[draw(st.sampled_from(NAMES))] = draw(constraints)
    return child, parent


@settings(max_examples=count(400))
@given(constraints, constraints, st.lists(values, min_size=1, max_size=12))
def test_what_a_constraint_within_accepts_the_other_accepts(child, parent, tried):
    assume(constraint_within(child, parent))
    for value in [*tried, *SCALARS]:
        assert not accepts(child, value) or accepts(parent, value), value


@settings(max_examples=count(400))
@given(pairs(), st.lists(arguments, min_size=1, max_size=8))
@example(pair=({"x": ANY}, {"x": exact(1)}), tried=[{}])
@example(pair=({ANY_OTHER: exact(1)}, {"x": exact(1), ANY_OTHER: ANY}), tried=[{}, {"y": 1}])
@example(pair=({ANY_OTHER: ANY}, {"x": exact(1), ANY_OTHER: ANY}), tried=[{"x": 2}])
@example(pair=({}, {"x": exact(1)}), tried=[{}])
def test_what_grants_within_cover_the_others_cover(pair, tried):
    child, parent = ({TOOL: {"t": side}} for side in pair)
    assume(grants_within(child, parent) is None)
    for args in tried:
        assert not covers(child, TOOL, "t", args) or covers(parent, TOOL, "t", args)


@given(constraints, grants)
def test_within_is_reflexive(rule, some):
    again = Constraint(rule.kind, rule.values, rule.low, rule.high, rule.text)
    assert constraint_within(rule, again)
    assert (
        grants_within(some, {kind: {name: dict(r) for name, r in items.items()} for kind, items in some.items()})
        is None
    )


@st.composite
def below_of(draw, upper):
    """A constraint within `upper`, built from it: itself, some of what it accepts, a narrower range, a longer prefix."""
    options = [upper]
    accepted = [value for value in SCALARS if accepts(upper, value)]
    if accepted:
        some = st.lists(st.sampled_from(accepted), min_size=1, max_size=5, unique_by=lambda v: (type(v), v))
        options.append(one_of(*draw(some)))
    if upper.kind is ConstraintKind.RANGE:
        low = upper.low if upper.low is not None else draw(st.integers(-2, upper.high))
        options.append(between(low, upper.high if upper.high is not None else draw(st.integers(low, 4))))
    if upper.kind is ConstraintKind.PREFIX and accepts(upper, upper.text + "x"):
        options.append(below(upper.text + "x"))
    drawn = draw(constraints)
    return drawn if constraint_within(drawn, upper) else draw(st.sampled_from(options))


@settings(max_examples=count(400))
@given(st.data(), constraints)
def test_within_is_transitive(data, c):
    b = data.draw(below_of(c))
    a = data.draw(below_of(b))
    assert constraint_within(a, b)
    assert constraint_within(b, c)
    assert constraint_within(a, c)


@settings(max_examples=count(400))
@given(grants, grants, st.lists(arguments, min_size=1, max_size=8))
def test_meet_is_within_both(parent, wanted, tried):
    both = intersect_grants(parent, wanted)
    assert grants_within(both, parent) is None
    assert grants_within(both, wanted) is None
    for kind, items in both.items():
        assert items
        for name in items:
            for args in tried:
                assert not covers(both, kind, name, args) or covers(parent, kind, name, args)
                assert not covers(both, kind, name, args) or covers(wanted, kind, name, args)


@given(grants, grants)
def test_meet_with_what_is_wider_is_the_narrower(a, b):
    assert intersect_grants(a, a) == {kind: items for kind, items in a.items() if items}
    if grants_within(a, b) is None:
        assert grants_within(a, intersect_grants(b, a)) is None


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (exact(1), one_of(1, 2)),
        (exact(3), between(1, 3)),
        (one_of(1, 2), between(low=1)),
        (one_of("/d/x", "/d/y"), below("/d/")),
        (one_of("a", "b"), pattern("[a-z]")),
        (exact("c"), none_of("a")),
        (one_of(2, "b"), none_of(1, "a")),
        (between(1, 3), between(1, 3)),
        (between(1, 3), between(0)),
        (between(1, 3), between(high=3)),
        (below("/d/x/"), below("/d/")),
        (below("/d/../"), below("/d/../")),
        (pattern("a+"), pattern("a+")),
        (none_of("a", "b"), none_of("a")),
        (none_of("a"), none_of("a", 1)),
        (none_of(1), ANY),
    ],
)
def test_within(child, parent):
    assert constraint_within(child, parent)


@pytest.mark.parametrize(
    ("child", "parent"),
    [
        (exact(True), exact(1)),
        (exact("1"), exact(1)),
        (one_of(1, True), one_of(1)),
        (one_of(1, 3), one_of(1, 2)),
        (ANY, none_of("a")),
        (between(1, 3), between(2, 3)),
        (between(1, 3), between(1, 2)),
        (between(high=3), between(1, 3)),
        (between(low=1), between(1, 3)),
        (between(1, 1), exact(1)),
        (below("/dat"), below("/data/")),
        (below("/d/../e/"), below("/d/")),
        (below("/"), below("/d/")),
        (below("/d/"), pattern(".*")),
        (pattern("a"), pattern("a*")),
        (none_of("a"), none_of("a", "b")),
        (none_of("a", 1), none_of("a")),
        (none_of(True), none_of(1)),
        (none_of("a"), one_of("b")),
        (one_of("a", "/d/x"), below("/d/")),
    ],
)
def test_not_within(child, parent):
    assert not constraint_within(child, parent)


@pytest.mark.parametrize(
    ("child", "parent", "within"),
    [
        ({"x": ANY}, {"x": ANY, "y": ANY}, True),
        ({}, {"x": ANY}, True),
        ({}, {"x": exact(1)}, False),
        ({"x": ANY}, {ANY_OTHER: ANY}, True),
        ({"x": exact(1)}, {ANY_OTHER: exact(1)}, True),
        ({"x": ANY}, {ANY_OTHER: exact(1)}, False),
        ({ANY_OTHER: ANY}, {"x": ANY}, False),
        ({ANY_OTHER: ANY}, {"x": exact(1), ANY_OTHER: ANY}, False),
        ({"x": exact(1), ANY_OTHER: ANY}, {"x": one_of(1, 2), ANY_OTHER: ANY}, True),
        ({ANY_OTHER: exact(1)}, {"x": exact(1), ANY_OTHER: ANY}, False),
        ({"x": exact(1), "z": ANY}, {"x": exact(1)}, False),
    ],
)
def test_arguments_within(child, parent, within):
    assert (grants_within({TOOL: {"t": child}}, {TOOL: {"t": parent}}) is None) is within


def test_a_resource_or_kind_the_parent_has_not_is_named():
    assert grants_within({TOOL: {"a": {}, "t": {}}}, {TOOL: {"a": {}}}) == "t"
    assert grants_within({ActionKind.RETRIEVAL: {"a": {}}}, {TOOL: {"a": {}}}) == "a"
    assert grants_within({}, {TOOL: {"a": {}}}) is None


MANY = tuple(range(MAX_VALUES))


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        (one_of(1, 2, 3), one_of(2, 3, 4), one_of(2, 3)),
        (one_of(1, 2), one_of(True, "1"), None),
        (one_of(1, 5, "1"), between(2, 9), one_of(5)),
        (one_of("/d/x", "/e"), below("/d/"), one_of("/d/x")),
        (none_of("a"), one_of("a", "b"), one_of("b")),
        (pattern("[a-b]"), one_of("a", "c"), one_of("a")),
        (between(1, 5), between(3, 9), between(3, 5)),
        (between(low=1), between(high=9), between(1, 9)),
        (between(1, 2), between(3, 4), None),
        (below("/d/"), below("/d/x/"), below("/d/x/")),
        (below("/d/"), below("/e/"), None),
        (none_of("a"), none_of("b"), none_of("a", "b")),
        (none_of("a"), none_of(1), None),
        (none_of("a", 1), none_of("b"), none_of("a", "b")),
        (none_of(*MANY), none_of(-1), None),
        (pattern("a"), pattern("b"), None),
        (ANY, pattern("b"), pattern("b")),
        (below("/d/"), pattern("b"), None),
    ],
)
def test_meet_of_two_constraints(a, b, both):
    expected = {} if both is None else {TOOL: {"t": {"x": both}}}
    for left, right in ((a, b), (b, a)):
        found = intersect_grants({TOOL: {"t": {"x": left}}}, {TOOL: {"t": {"x": right}}})
        if both is not None and both.kind in (ConstraintKind.NOT_ONE_OF, ConstraintKind.ONE_OF):
            assert {*found[TOOL]["t"]["x"].values} == {*both.values}
        else:
            assert found == expected


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        ({ANY_OTHER: ANY}, {"x": exact(1)}, {"x": exact(1)}),
        ({ANY_OTHER: ANY}, {ANY_OTHER: exact(1)}, {ANY_OTHER: exact(1)}),
        ({ANY_OTHER: ANY, "x": exact(1)}, {ANY_OTHER: ANY}, {ANY_OTHER: ANY, "x": exact(1)}),
        ({ANY_OTHER: exact(1)}, {"x": ANY, ANY_OTHER: ANY}, {ANY_OTHER: exact(1)}),
        ({ANY_OTHER: exact(1)}, {ANY_OTHER: exact(2)}, {}),
        ({"x": ANY, "y": ANY}, {"x": ANY}, {"x": ANY}),
        ({"x": ANY, "y": exact(1)}, {"x": ANY}, None),
        ({"x": exact(1)}, {"x": exact(2)}, None),
        ({}, {ANY_OTHER: ANY}, {}),
    ],
)
def test_meet_of_two_argument_maps(a, b, both):
    expected = {} if both is None else {TOOL: {"t": both}}
    assert intersect_grants({TOOL: {"t": a}}, {TOOL: {"t": b}}) == expected
    assert intersect_grants({TOOL: {"t": b}}, {TOOL: {"t": a}}) == expected


def test_labels_meet():
    assert intersect_labels(None, None) is None
    assert intersect_labels(None, ("b", "a")) == ("a", "b")
    assert intersect_labels(("b", "a"), None) == ("a", "b")
    assert intersect_labels(("b", "a"), ("a", "c")) == ("a",)
    assert intersect_labels(("b",), ()) == ()
