"""Room: one retrieval, as it is decided and as it is carried out. Takes: a retriever, a query. Gives: args, narrower.

Never: decides, changes what it is given.
"""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

from llama_index.core.base.base_retriever import BaseRetriever
from llama_index.core.schema import QueryBundle

from halo_core.errors import Denied
from halo_core.model import Mode
from halo_core.pep import Ticket
from halo_core.pep.plain import unchanged

__all__ = ["TYPES", "Asked", "at_most", "narrowed"]

TYPES: Final = {"k": "integer", "image_path": "string", "custom_embedding_strs": "array", "embedding": "string"}
"""What else than its words a retrieval may be asked by."""
_K: Final = re.compile(r"(.*_)?top_k|_?k")


@dataclass(frozen=True, slots=True)
class Asked:
    """One retrieval: what is decided, and what is passed on (nobody else holds it)."""

    decided: dict[str, Any]
    query: Any
    problem: str = ""

    @classmethod
    def of(cls, retriever: BaseRetriever, query: Any) -> Asked:
        """The query, how many documents where the retriever says it, and what else a bundle asks by."""
        k = max((value for _, _, value in _settings(retriever)), default=None)
        known = {} if k is None else {"k": k}
        if isinstance(query, str):
            return cls({"query": query, **known}, query)
        if not isinstance(query, QueryBundle):
            return cls({}, query, "invalid_arguments")
        try:
            own = copy.deepcopy(query)
            more: dict[str, Any] = {
                name: value for name in ("image_path", "custom_embedding_strs") if (value := getattr(own, name))
            }
            if own.embedding is not None:
                # Whatever the words say, this is what is searched by.
                more["embedding"] = hashlib.sha256(repr([float(x) for x in own.embedding]).encode()).hexdigest()
        except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
            return cls({}, query, "invalid_arguments")
        return cls({"query": own.query_str, **known, **more}, own)


def _settings(retriever: Any) -> Iterator[tuple[str, str, int]]:
    """How many documents, wherever it is set: here, else in the retrievers that this one asks (place, name, number)."""
    own = [("", *item) for item in _numbers(retriever)]
    yield from own or (
        (place, *item)
        for place, value in retriever.__dict__.items()
        if isinstance(value, BaseRetriever)
        for item in _numbers(value)
    )


def _numbers(retriever: Any) -> Iterator[tuple[str, int]]:
    for name, value in retriever.__dict__.items():
        if _K.fullmatch(name) and isinstance(value, int) and not isinstance(value, bool):
            yield name, value


def narrowed(retriever: Any, ticket: Ticket, asked: Asked) -> tuple[Any, Any]:
    """The retriever and the query that carry out what was decided.

    Raises:
        Denied: what was decided asks for less in a way that nobody can carry out.
    """
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, asked.query
    changed = {name: value for name, value in ticket.args.items() if not unchanged(value, asked.decided.get(name))}
    query = asked.query
    if "query" in changed:
        words = changed.pop("query")
        # What it is embedded as is made of its words; whatever stood for them before is not decided.
        query = words if isinstance(query, str) else replace(query, query_str=words, embedding=None)
    if "k" in ticket.args:
        # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
        most = changed.pop("k", ticket.args["k"])
        retriever = _with_at_most(retriever, most)
    if changed:
        raise Denied("needs_guard", f"cannot narrow {', '.join(sorted(changed))} of a retrieval")
    return retriever, query


def _with_at_most(retriever: Any, most: int) -> Any:
    made = copy.copy(retriever)
    for place, name, value in list(_settings(retriever)):
        part = made
        if place:
            if made.__dict__[place] is retriever.__dict__[place]:
                made.__dict__[place] = copy.copy(made.__dict__[place])
            part = made.__dict__[place]
        part.__dict__[name] = min(value, most)
    return made


def at_most(found: Any, ticket: Ticket) -> Any:
    """What was found, no more of it than a policy's `clamp(k, ...)` says: not every retriever has such a setting."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return found
    limits = [item.value for item in ticket.verdict.decision.obligations if (item.kind, item.name) == ("clamp", "k")]
    if not limits:
        return found
    most = max(int(min(limits)), 0)
    if isinstance(found, list):
        return found if len(found) <= most else found[:most]
    if isinstance(found, tuple) and found and isinstance(found[0], list) and len(found[0]) > most:
        return (found[0][:most], {key: item for key, item in found[1].items() if key == "sql_query"}, *found[2:])
    return found
