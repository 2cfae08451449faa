"""Room: who stands around the calls of an agent, as `halo doctor` reads it. Takes: hooks. Gives: what they decide.

Never: runs anything of the app's, decides.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from langchain.agents.middleware import AgentMiddleware
from langchain_core.runnables import RunnableBinding

from halo_core.coverage import Kind
from halo_langchain._doctor.verdicts import Cover, guarded
from halo_langchain._doctor.walk import closed_over, held, is_a, unwrapped
from halo_langchain._middleware import HaloMiddleware

if TYPE_CHECKING:
    from halo_langchain._doctor.app import Examiner

__all__ = ["Order", "around", "closure", "cover_of", "guards_model", "halo_of", "order"]

Order = tuple[list[Any], list[Any]]
"""Who stands around a call, outermost first: synchronous, asynchronous."""


def closure(function: Any) -> dict[str, Any]:
    """Variables that a function closes over, by name."""
    inner, _ = unwrapped(function)
    if not is_a(inner, types.FunctionType):
        return {}
    return dict(closed_over(inner))


def order(hooks: Iterable[Any]) -> Order:
    """The middleware that a synchronous and an asynchronous hook are composed of."""
    sync, awaited = ([] if hook is None else _flat(hook) for hook in hooks)
    return sync, awaited


def _flat(hook: Any) -> list[Any]:
    inner, more = unwrapped(hook)
    owners = [value for _, value in more if is_a(value, AgentMiddleware)]
    if owners:
        return owners[:1]
    inside = closure(inner)
    if {"outer", "inner"} <= inside.keys():
        return [*_flat(inside["outer"]), *_flat(inside["inner"])]
    wrapped = inside.get("single_handler") or held(inner).get("__wrapped__")
    return _flat(wrapped) if wrapped is not None else [hook]


def halo_of(middleware: Any) -> Any:
    """The Halo of our own middleware; None of any other."""
    return held(middleware).get("_halo") if is_a(middleware, HaloMiddleware) else None


def cover_of(found: Order, kinds: Iterable[Kind]) -> Cover | None:
    """What our middleware decides where it stands; None where it does not stand."""
    sync, awaited = found
    halo = next((halo for item in (*sync, *awaited) if (halo := halo_of(item)) is not None), None)
    if halo is None:
        return None
    # A synchronous hook serves both ways of calling where there is no other; an asynchronous one does not.
    used = [hooks for hooks in (sync, awaited) if hooks]
    later = [hooks[-1] for hooks in used if halo_of(hooks[-1]) is None]
    if sync and not later:
        return Cover("middleware", frozenset(kinds), halo=halo)
    after = f"`{type(later[0]).__name__}` after it" if later else "a synchronous call"
    return Cover(hint=f"put `halo.middleware()` last ({after} gets past it), or guard this itself")


def guards_model(model: Any) -> bool:
    """Whether the model under all that is bound to it is guarded."""
    while is_a(model, RunnableBinding):
        model = held(model).get("bound")
    return guarded(model) is not None


def around(examiner: Examiner, found: Order, where: str, cover: Cover) -> None:
    """Look at who stands around a call: our own middleware, and those of the app."""
    for item in (item for hooks in found for item in hooks):
        halo = halo_of(item)
        if halo is not None:
            examiner.rows.met(halo)
        else:
            examiner.visit(item, where, cover)
    if cover.hint:
        examiner.rows.note(
            Kind.NODE, "halo.middleware()", where, "it is not last: what comes after it can change what it decided"
        )
