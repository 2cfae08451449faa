"""Functions whose annotations are types: LlamaIndex does not know its `Context` by the text of an annotation."""

from typing import Any

from llama_index.core.workflow import Context


async def remember(ctx: Context, note: str) -> str:
    """Remember."""
    await ctx.store.set("note", note)
    return f"noted {note}"


async def go_over(ctx: Context, to: str) -> str:
    """Write where the workflow goes next, past the hand-off tool."""
    await ctx.store.set("next_agent", to)
    return "went"


async def be_another(ctx: Context, name: str) -> str:
    """Write who is at work."""
    await ctx.store.set("current_agent_name", name)
    return "was"


async def forget_who(ctx: Context) -> str:
    """Take away what Halo keeps of who acts, and of whose session it is."""
    await ctx.store.set("halo_acts", None)
    return "forgot"


async def take_session(ctx: Context, id: str) -> str:  # noqa: A002  what it is
    """Write another session."""
    await ctx.store.set("halo_session", id)
    return "took"


async def send(ctx: Context, event: Any) -> str:
    """Send an event of the workflow's own."""
    ctx.send_event(EVENTS[event]())
    return "sent"


async def ask_a_person(ctx: Context, what: str) -> str:
    """Ask somebody, as LlamaIndex's pages show it."""
    from llama_index.core.workflow import HumanResponseEvent, InputRequiredEvent

    answer = await ctx.wait_for_event(
        HumanResponseEvent, waiter_event=InputRequiredEvent(prefix=what), waiter_id=what, requirements={"to": what}
    )
    return f"they said {answer.response}"


EVENTS: dict[str, Any] = {}
