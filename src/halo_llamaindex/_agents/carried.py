"""Room: what a workflow's own store keeps of a run between its steps. Takes: a context. Gives: the session, who acts.

Ids alone, each under a word that only this home can make: a tool can write into the store too, and what it made up
counts for nothing. Never: decides, keeps a passport, a link or a key.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

from llama_index.core.memory import ChatMemoryBuffer
from workflows.context.state_store import DictState

from halo_core.session import Acting, Session, current_acting
from halo_llamaindex._context import current_run

if TYPE_CHECKING:
    from halo_llamaindex import Halo

__all__ = [
    "EARLIER",
    "TURN",
    "Acts",
    "add_handed",
    "forget_chat",
    "keep_acts",
    "keep_chat",
    "kept",
    "read_acts",
    "restore_chat",
    "session_of",
]

_SESSION: Final = "halo_session"
_ACTS: Final = "halo_acts"
TURN: Final = "halo_turn"
"""Key of the id of the message whose calls are under way."""
EARLIER: Final = "halo_earlier"
"""Key of the marks of results that predate the session."""
_NOWHERE: Final = Session("", "none")


_CHAT: Final = "halo_chat"
_MEMORY: Final = "memory"
"""Where the framework keeps the conversation; it leaves that out of what it serializes of a context."""


async def keep_chat(ctx: Any) -> None:
    """Keep what was said, for a run that waits: another process has no other way to it."""
    memory = await kept(ctx, _MEMORY)
    if memory is not None:
        await ctx.store.set(_CHAT, list(await memory.aget_all()))


async def restore_chat(ctx: Any) -> None:
    """Give a resumed run its conversation back, where its host did not."""
    said = await kept(ctx, _CHAT)
    if said is not None and await kept(ctx, _MEMORY) is None:
        await ctx.store.set(_MEMORY, ChatMemoryBuffer.from_defaults(chat_history=list(said)))


async def forget_chat(ctx: Any) -> None:
    """A run that begins has its conversation from its host."""
    if await kept(ctx, _CHAT) is not None:
        await ctx.store.set(_CHAT, None)


async def kept(ctx: Any, key: str, otherwise: Any = None) -> Any:
    """What the store keeps under a key."""
    return await ctx.store.get(key, default=otherwise)


async def session_of(halo: Halo, ctx: Any) -> tuple[Session, bool]:
    """The session that belongs to a context, and whether it was opened just now."""
    fresh = False
    if not _has_room(ctx):
        own = current_run().own
        own += [] if own else [halo.run_session()]
        return Session(own[0], "run"), False
    found = await kept(ctx, _SESSION)
    if found is None:
        async with current_run().writing:  # steps side by side open one
            found = await kept(ctx, _SESSION)
            if found is None:
                made = halo.run_session()
                found, fresh = f"{made} {halo.word(_SESSION + made)}", True
                await ctx.store.set(_SESSION, found)
    name, _, word = str(found).partition(" ")
    # INVARIANT: FAILCLOSED - an id that something else wrote there is nobody's session.
    return (Session(name, "run") if word == halo.word(_SESSION + name) else _NOWHERE), fresh


def _has_room(ctx: Any) -> bool:
    """Whether a workflow's state takes keys of anybody's: an app's own model of it does not."""
    return issubclass(ctx.store.state_type, DictState)


@dataclass(frozen=True, slots=True)
class Acts:
    """Who acts in a run: the agents that were entered, the last of them acts.

    Args:
        session: as the ledger names it.
        stack: agents by name, from the first one entered down, each with the handle of its link; an empty handle is the
            link of whoever is above.
        under: who acted where the run was started.
        handed: agents that the last one was allowed to hand off to, with the links made for that.
    """

    session: str = ""
    stack: tuple[tuple[str, str], ...] = ()
    under: tuple[str, ...] = ()
    handed: dict[str, str] = field(default_factory=dict)

    @property
    def agent(self) -> str:
        """Name of the one that acts; empty where nobody was entered."""
        return self.stack[-1][0] if self.stack else ""

    @property
    def first(self) -> str:
        """Handle of the uppermost link of this run."""
        return next((handle for _, handle in self.stack if handle), "")

    def entered(self, agent: str, handle: str) -> Self:
        """As it is when an agent acts: one that is up the chain does so in its own place."""
        names = [name for name, _ in self.stack]
        above = self.stack[: names.index(agent)] if agent in names else self.stack
        return replace(self, stack=(*above, (agent, handle)), handed={})

    def acting(self, halo: Halo, session: str) -> Acting | None:
        """The link acted under; None is that of whoever started the run."""
        handles = [(name, handle) for name, handle in self.stack if handle]
        if not handles:
            return current_acting(halo.agent, session)
        return Acting(halo.agent, session, handles[-1][1], (*self.under, *(name for name, _ in handles)))


def _sealed(halo: Halo, acts: Acts, session: str) -> dict[str, Any]:
    told = [acts.session, [list(item) for item in acts.stack], list(acts.under), dict(acts.handed)]
    return {"acts": told, "word": halo.word(f"{_ACTS} {session} {json.dumps(told, sort_keys=True)}")}


def _acts_of(halo: Halo, told: Any, session: str) -> Acts | None:
    """What the store says of who acts; None where it says nothing, or something that this home did not write."""
    try:
        name, stack, under, handed = told["acts"]
        acts = Acts(str(name), tuple((str(a), str(h)) for a, h in stack), tuple(map(str, under)), dict(handed))
    except (KeyError, TypeError, ValueError):
        return None
    return acts if told.get("word") == _sealed(halo, acts, session)["word"] else None


async def keep_acts(halo: Halo, ctx: Any, acts: Acts | None, session: str) -> None:
    """Keep who acts."""
    await ctx.store.set(_ACTS, _sealed(halo, acts, session) if acts is not None else None)


async def read_acts(halo: Halo, ctx: Any, session: str) -> Acts | None:
    """Who acts, as kept."""
    return _acts_of(halo, await kept(ctx, _ACTS), session)


async def add_handed(halo: Halo, ctx: Any, session: str, agent: str, handle: str) -> None:
    """Note that whoever acts was allowed to hand off to an agent."""
    async with current_run().writing:
        acts = await read_acts(halo, ctx, session)
        if acts is not None:
            await keep_acts(halo, ctx, replace(acts, handed={**acts.handed, agent: handle}), session)
