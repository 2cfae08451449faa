"""Arguments parsed in one pass come out as they do the long way. Invariants: TOTAL, SAME."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from counts import count
from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import Digester
from halo_core.enforcement import plain_arguments, preparer
from halo_core.enforcement.call import Call
from halo_core.enforcement.plain_arguments import parse_plain_arguments
from halo_core.enforcement.preparer import Preparer
from halo_core.model import Origin, Principal, Resource
from halo_core.references import References

DIGESTER = Digester(bytes(32))
PREPARER = Preparer(
    principal=Principal("acme", "clerk", "", chain=("clerk",)),
    origin=Origin(),
    assurance="dev",
    digester=DIGESTER,
    references=References(DIGESTER),
    redactor=Redactor(DIGESTER),
    sketch_key=bytes(64),
    make_call_id=lambda: "call",
)
TOOL = Resource(id="lookup")
SECRET = "sk-abcdefghijklmnopqrstuvwxyz012345"


class Word(StrEnum):
    SEND = "send"


NAMES = st.sampled_from(["q", "to", "a/b", "a~b", "ключ", "$f", "password", "value", "name", "x" * 200, "__entity", ""])
SCALARS = st.one_of(
    st.sampled_from(
        ["", " ", "open orders", "-5", "1,000.50", "Zoë", "\ud800", SECRET, "halo:secret:0123456789abcdef"]
    ),
    st.sampled_from([0, -7, 2**53 - 1, 2**53, 10**40, True, False, None, 2.5, b"x", Word.SEND, float("nan")]),
    st.text(max_size=8),
    st.integers(-(10**6), 10**6),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.lists(inner, max_size=2).map(tuple),
        st.dictionaries(NAMES, inner, max_size=3),
        st.sampled_from(["password", "Authorization"]).map(lambda name: [name, "hunter2"]),
        st.just({"name": "password", "value": "hunter2"}),
    ),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(NAMES, VALUES, max_size=4)


def prepared(args: Any, text: str = "", problem: str = "") -> tuple[Any, ...]:
    context = PREPARER.prepare(Call(TOOL, args, session="s", trigger_text=text, problem=problem))
    values = (context.request, context.content, context.original_args, context.recorded_args, context.leaves)
    return (*map(repr, values), context.may_hold_seal)


@settings(max_examples=count(4000), deadline=None)
@given(ARGUMENTS, st.sampled_from(["", "I will look it up", f"with {SECRET}"]), st.sampled_from(["", "unknown_tool"]))
def test_whatever_the_arguments_both_ways_agree(args, text, problem):
    in_one_pass = prepared(args, text, problem)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preparer, "parse_plain_arguments", lambda *_: None)
        assert prepared(args, text, problem) == in_one_pass


PLAIN = {
    "q": "open orders 7",
    "limit": -20,
    "newest": True,
    "none": None,
    "to": ["a@b.example", 3],
    "deep": {"k": {"l": [1]}},
}


def test_plain_arguments_go_in_one_pass():
    parsed = parse_plain_arguments(PLAIN, PREPARER.redactor, "")
    assert parsed is not None
    assert parsed.args == PLAIN
    assert parsed.args is not PLAIN
    assert parsed.args["to"] is not PLAIN["to"]
    assert [leaf.pointer for leaf in parsed.leaves] == [
        "/q",
        "/limit",
        "/to/0",
        "/to/1",
        "/deep/0",
        "/deep/1",
        "/deep/2",
    ]


class Odd(Mapping):
    def __getitem__(self, key):
        return 1

    def __iter__(self):
        return iter(("q",))

    def __len__(self):
        return 1


@pytest.mark.parametrize(
    "args",
    [
        {"password": "x"},
        {"q": SECRET},
        {SECRET: "q"},
        {"q": {"name": "password", "value": "hunter2"}},
        {"name": "password", "value": "hunter2"},
        {"q": ["Authorization", "Basic x"]},
        {"q": {"inner": {"api_key": 1}}},
        {"q": 1.5},
        {"q": ("a", "b")},
        {"q": Word.SEND},
        {Word.SEND: "q"},
        {"q": 2**53},
        {"q": "\ud800"},
        {"$f": "1"},
        {"q": list(range(300))},
        {"q": [None] * 2000},
        {"q": "x" * 70_000},
        Odd(),
        None,
    ],
)
def test_what_is_not_plain_goes_the_long_way(args):
    assert parse_plain_arguments(args, PREPARER.redactor, "") is None


def test_a_secret_beside_them_sends_them_the_long_way():
    assert parse_plain_arguments({"q": "a"}, PREPARER.redactor, f"use {SECRET}") is None
    assert plain_arguments.parse_plain_arguments({"q": "a"}, PREPARER.redactor, "use it") is not None
