"""Room: calls of one message that are alike under one id. Takes: a message's calls. Gives: an id for each.

Some providers name a call after its tool: a message that asks for the same twice then asks twice under one id, and the
second would be taken for the first, asked again. Which is which, the piece of work says that runs it. Never: decides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from halo_llamaindex._agents.carried import kept
from halo_llamaindex._context import current_run

__all__ = ["call_id", "note_alike"]

_ALIKE: Final = "halo_alike"
"""Key of the calls of the message at hand that are alike: how many there are, and which pieces of work run them."""


def _name(call: Any) -> str:
    return f"{call.tool_id} {call.tool_name} {sorted(call.tool_kwargs.items(), key=repr)!r}"


async def note_alike(ctx: Any, calls: Iterable[Any] | None) -> None:
    """Note which calls of a message are alike."""
    found = {name: [many] for name, many in Counter(map(_name, calls or ())).items() if many > 1}
    if found or await kept(ctx, _ALIKE):
        await ctx.store.set(_ALIKE, found)


async def call_id(ctx: Any, call: Any, item: str | None) -> str:
    """The id of a call: the provider's, and of the second of two that are alike which one it is."""
    told: str = call.tool_id
    if item is None or not await kept(ctx, _ALIKE):
        return told
    async with current_run().writing:
        found = await kept(ctx, _ALIKE)
        known = found.get(_name(call)) if isinstance(found, dict) else None
        if not isinstance(known, list) or not known or not isinstance(known[0], int):
            return told
        if item not in known[1:]:
            await ctx.store.set(_ALIKE, {**found, _name(call): [*known, item]})
            known = [*known, item]
    # No more than the message asks for: a message whose calls are sent out anew asks for the same ones.
    place = known[1:].index(item) % max(known[0], 1)
    return f"{told} #{place + 1}" if place else told
