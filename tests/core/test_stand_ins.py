"""Functions that stand in the place of others say what these would say, and lead nobody past them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import typing
from decimal import Decimal
from typing import Any

from halo_core.enforcement.stand_ins import find_original, make_stand_in


def price(item: str, factor: Decimal = Decimal(1), *rest: int, currency: str = "EUR") -> list[Decimal]:
    """The price."""
    return [factor]


async def aprice(item: str) -> Decimal:
    """As `price`."""
    return Decimal(2)


def test_it_has_name_signature_and_annotations_of_what_it_stands_for():
    stand_in = make_stand_in(price, lambda *_args, **_kwargs: "mine")
    assert stand_in("x") == "mine"
    assert (stand_in.__name__, stand_in.__doc__, stand_in.__module__) == ("price", "The price.", __name__)
    assert inspect.signature(stand_in) == inspect.signature(price)
    assert typing.get_type_hints(stand_in) == typing.get_type_hints(price)  # they are texts here


def test_nothing_leads_back_but_the_one_way():
    decorated = functools.wraps(price)(functools.lru_cache(price))
    stand_in = make_stand_in(make_stand_in(decorated, lambda *_args: 1), lambda *_args: 2)
    assert inspect.unwrap(stand_in) is stand_in
    assert typing.get_type_hints(stand_in) == typing.get_type_hints(price)
    assert find_original(stand_in) is decorated
    assert find_original(price) is price
    assert find_original(None) is None


def test_it_is_awaited_as_what_it_stands_for():
    async def call(*_args: Any) -> Any:
        return "mine"

    stand_in = make_stand_in(aprice, call, is_async=True)
    assert inspect.iscoroutinefunction(stand_in)
    assert asyncio.run(stand_in("x")) == "mine"


def test_it_stands_for_whatever_can_be_called():
    class Calls:
        def __call__(self, item: str) -> str:
            return item

    for function in (Calls(), functools.partial(price, "x"), len, Calls().__call__):
        assert make_stand_in(function, function)("abc") == function("abc")
