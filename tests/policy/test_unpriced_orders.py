"""An order whose price is in no argument: how many of a thing the model may order unasked."""

from __future__ import annotations

import pytest

from halo_core.enforcement.enforcer import Surface
from halo_core.errors import Pending
from halo_core.facade import HaloBase
from halo_core.model import ActionKind, Impact, Resource, Reversal

ORDER = Resource(impact=Impact.PAYMENT, reversal=Reversal.COMPENSATE, source_trust=900, targets=("item",))
SCHEMA = {"type": "object", "properties": {"item": {"type": "string"}, "quantity": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("request_text", "quantity", "runs"),
    [
        ("Please order the filter F-22", 1, True),
        ("Please order 2 of the filter F-22", 2, True),
        ("Please order the filter F-22", 500, False),
        ("Please order 2 of the filter F-22", 900, False),
    ],
)
def test_no_more_is_ordered_than_the_user_wrote(home, request_text, quantity, runs):
    with HaloBase.local("shop", user="ana@bank.example", home=home, mode="enforce", quiet=True) as halo:
        order = halo.register(ActionKind.TOOL_CALL, "order_item", resource=ORDER, schema=SCHEMA)
        ordered = []
        with halo.session("s1", request=request_text):
            call = halo.build_call(order, {"item": "F-22", "quantity": quantity})
            if runs:
                halo.enforcer.run(call, ordered.append, Surface(str))
            else:
                with pytest.raises(Pending) as caught:
                    halo.enforcer.run(call, ordered.append, Surface(str))
                assert caught.value.reason == "unknown_amount"
    assert len(ordered) == runs
