"""A number or an address that was kept in two pieces, before and after exposure."""

from __future__ import annotations

import pytest
from value_world import KNOWN, NOVEL, World

from halo_core.model import Provenance
from halo_core.values.provenance.leaves import parse_leaves
from halo_core.values.provenance.provenance import ToolTraits, trace_leaves


def trace(world: World, value: str, *, is_exposed: bool = False) -> Provenance:
    leaves = parse_leaves({"account": value})
    (leaf,) = trace_leaves(
        leaves, world.sketch, ("account",), ToolTraits(is_act=True, pays=True), is_exposed=is_exposed
    )
    return leaf.origin


@pytest.mark.parametrize(
    ("first", "second", "whole"),
    [
        ("roofer-1: 44400", "roofer-2: 02228", "4440002228"),
        ("roofer-1: 44400", "roofer-2: 02228", "44400 02228"),
        ("bank 203011", "number 22334455", "203011-22334455"),
        ("starts with DE89370400440", "ends with 532013000", "DE89370400440532013000"),
        ("his box is max.m@", "the house is haulier.example", "max.m@haulier.example"),
        ("his box is max.m", "at @haulier.example", "max.m@haulier.example"),
    ],
)
def test_pieces_of_two_lookups_are_one_value(first: str, second: str, whole: str) -> None:
    world = World().request("Pay the roofer").lookup(first).lookup(second)
    assert trace(world, whole) is KNOWN
    assert trace(world, whole, is_exposed=True) is NOVEL


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("444000 and 222", "444000222"),  # a piece of three digits is anywhere
        ("2026 and 020228", "2026020228"),  # a year is in most texts
        ("max and haulier.example", "max@haulier.example"),  # a word and a host are no address
        ("invoice 44400 and invoice 02228", "4440002228"),  # numbers of other things
        ("0444001 and 02228", "4440002228"),  # a part of a longer number is no piece
        ("44400", "4440044401"),
    ],
)
def test_what_is_no_piece_makes_no_value(text: str, whole: str) -> None:
    assert trace(World().request(f"Pay the roofer, {text}"), whole) is NOVEL


def test_a_mail_makes_the_session_exposed_to_pieces() -> None:
    world = World().request("Pay the roofer").lookup("44400").lookup("02228").mail("Hello")
    assert trace(world, "4440002228") is NOVEL
