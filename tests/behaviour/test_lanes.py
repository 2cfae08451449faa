"""Trees read all at once end at the leaves that a walk ends at, whatever the forest."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from halo_core import risk
from halo_core.risk.feature_catalogue import FEATURES
from halo_core.risk.forest import Forest, build_quickscorer
from halo_core.risk.model import RiskModel

SLOTS = 4
NUMBERS = st.integers(-5, 5)
VALUES = st.lists(NUMBERS | st.integers(-(10**12), 10**12), min_size=SLOTS, max_size=SLOTS)
TREES = st.recursive(
    st.integers(-(10**9), 10**9),
    lambda inner: st.tuples(st.integers(0, SLOTS - 1), NUMBERS, inner, inner),
    max_leaves=40,
)


def table(tree):
    if isinstance(tree, int):
        return [-1, tree, 0]
    slot, limit, left, right = tree
    first, second = table(left), table(right)
    return [slot, limit, 3 + len(first), *moved(first, 3), *moved(second, 3 + len(first))]


def moved(nodes, by):
    return [number + by if at % 3 == 2 and nodes[at - 2] >= 0 else number for at, number in enumerate(nodes)]


def forest(trees, features=tuple(range(SLOTS))):
    nodes, roots = [], []
    for tree in trees:
        roots.append(len(nodes))
        nodes += moved(table(tree), len(nodes))
    plain = {"features": list(features), "nodes": nodes, "roots": roots, "start": 7}
    return Forest.from_plain(plain, SLOTS)


def by_hand(tree, values):
    """Value of the leaf, and how far each feature moved the expectation."""
    shares: dict[int, int] = {}
    while not isinstance(tree, int):
        slot, limit, left, right = tree
        after = left if values[slot] <= limit else right
        shares[slot] = shares.get(slot, 0) + worth(after) - worth(tree)
        tree = after
    return tree, shares


def worth(tree):
    return tree if isinstance(tree, int) else (worth(tree[2]) + worth(tree[3])) // 2


@given(st.lists(TREES, min_size=1, max_size=6), st.lists(VALUES, min_size=1, max_size=4))
def test_any_forest_says_what_each_of_its_trees_says(trees, rows):
    found = forest(trees)
    for values in rows:
        leaves = [by_hand(tree, values) for tree in trees]
        assert found.compute_margin(values) == 7 + sum(leaf for leaf, _ in leaves)
        every = {slot: sum(shares.get(slot, 0) for _, shares in leaves) for slot in range(SLOTS)}
        assert found.path_shares(values) == {slot: much for slot, much in every.items() if much}


def comb(leaves):
    """A tree as deep as it can be."""
    tree = 0
    for number in range(1, leaves):
        tree = (number % SLOTS, number % 11 - 5, number, tree)
    return tree


@pytest.mark.parametrize(
    ("leaves", "lanes"), [(1, True), (32, True), (33, True), (64, True), (65, False), (300, False)]
)
def test_trees_of_any_size_are_read(leaves, lanes):
    tree = comb(leaves)
    found = forest([tree, 3])
    assert (build_quickscorer(found.nodes, found.roots) is not None) is lanes
    for value in range(-6, 7):
        leaf, shares = by_hand(tree, [value] * SLOTS)
        assert found.compute_margin([value] * SLOTS) == 7 + leaf + 3
        assert found.path_shares([value] * SLOTS) == {slot: much for slot, much in shares.items() if much}


def test_branches_that_meet_again_do_not_multiply():
    """60 nodes, both branches of each the next: 2^60 ways, and one answer in bounded time."""
    nodes = [part for at in range(60) for part in (0, at, 3 * at + 3)]
    nodes = [number + 3 if at % 3 == 2 else number for at, number in enumerate(nodes)]
    nodes += [-1, 5, 0, -1, 5, 0]
    found = Forest.from_plain({"features": [0], "nodes": nodes, "roots": [0], "start": 0}, 1)
    assert found.compute_margin([3]) == 5


def test_numbers_too_large_for_a_lane_are_walked():
    large = 10**12
    found = forest([(0, 0, large, -large)] * 3)
    assert found.compute_margin([0] * SLOTS) == 7 + 3 * large
    assert found.path_shares([1] * SLOTS) == {0: -3 * large}


@given(st.lists(st.integers(-1, 2000), min_size=len(FEATURES), max_size=len(FEATURES)))
def test_the_shipped_model_says_what_a_walk_of_its_trees_says(values):
    for _, found in SHIPPED.forests:
        picked = [values[index] for index in found.features]
        assert found.compute_margin(values) == found.start + sum(found._walk_trees(picked))
        assert found._quickscorer is not None


SHIPPED = RiskModel.from_packed(Path(risk.__file__).with_name("model.bin").read_bytes())
