"""Room: how the doctor looks into an app of LangChain's. Takes: any object. Gives: what it reaches. Never: judges."""

from __future__ import annotations

from typing import Final

from halo_core.walk import Reach, closed_over, container, held, is_a, module_of, plain, unwrapped

__all__ = [
    "captured",
    "closed_over",
    "container",
    "framework",
    "held",
    "inside",
    "is_a",
    "members",
    "module_of",
    "own",
    "plain",
    "unwrapped",
]

_FRAMEWORKS: Final = frozenset((
    "anyio", "halo_core", "halo_langchain", "httpx", "langchain", "langchain_classic", "langchain_core",
    "langgraph", "langgraph_supervisor", "langgraph_swarm", "langsmith", "pydantic", "pydantic_core",
    "typing_extensions",
))  # fmt: skip
_REACH: Final = Reach(_FRAMEWORKS, frozenset(("langchain", "langchain_core", "langgraph")), "halo_langchain.demo")
captured, framework, inside, members, own = (
    _REACH.captured,
    _REACH.framework,
    _REACH.inside,
    _REACH.members,
    _REACH.own,
)
