"""Room: guarded retrievers. Takes: a retriever. Gives: a copy whose retrievals are decided, clamped and filtered.

Never: decides itself, changes the original, reads a document's metadata: trust is the registration's.
"""

from __future__ import annotations

import copy
import functools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from halo_core.errors import Denied
from halo_core.model import ActionKind, Mode, Resource
from halo_core.pep import Call, Ticket
from halo_langchain._context import arrived, body, current_mark, descending, entered
from halo_langchain._gate import Gate, gate_of, put_gate, required, resource_name, subclass
from halo_langchain._pause import abegin, begin, broke_off
from halo_langchain._surfaces import Labels, documents_surface
from halo_langchain._translate import retriever_schema
from halo_langchain._values.plain import plain, unchanged

if TYPE_CHECKING:
    from langchain_core.retrievers import BaseRetriever

    from halo_langchain import Halo

__all__ = ["guard_retriever"]


def guard_retriever(
    halo: Halo, retriever: BaseRetriever, resource: Resource | None, labels: Labels | None = None
) -> BaseRetriever:
    """Register a retriever and return its guarded copy; `labels` adds to what its documents are found to hold.

    Raises:
        ConfigError: its name can name no resource, or belongs to one of another kind.
    """
    gate = gate_of(retriever)
    if gate is not None and gate.halo is halo:
        if resource is None and labels is None:
            return retriever
        retriever, resource = gate.original, resource or gate.resource
    name = resource_name(resource, retriever.get_name())
    schema = retriever_schema(retriever, _asked(retriever, "", {}).decided)
    registered = halo.register(ActionKind.RETRIEVAL, name, resource=resource, schema=schema)
    guarded = retriever.model_copy()
    object.__setattr__(guarded, "__class__", _guarded_class(type(retriever)))
    kept = gate.surface if gate is not None and gate.halo is halo and labels is None else None
    surface = kept or documents_surface(labels)
    put_gate(guarded, Gate(halo, retriever, retriever.get_name(), registered, surface))
    return guarded


@dataclass(frozen=True, slots=True)
class _Asked:
    """One retrieval: what is decided, and what is passed on (nobody else holds it)."""

    decided: dict[str, Any]
    query: Any
    more: dict[str, Any]
    manager: dict[str, Any]
    problem: str = ""


def _asked(retriever: BaseRetriever, query: Any, kwargs: Mapping[str, Any]) -> _Asked:
    """Query, how many documents where the retriever says it, and what else the caller passed."""
    manager = {"run_manager": kwargs["run_manager"]} if "run_manager" in kwargs else {}
    more = {name: value for name, value in kwargs.items() if name != "run_manager"}
    settings = getattr(retriever, "search_kwargs", None)
    k = settings.get("k") if isinstance(settings, Mapping) else getattr(retriever, "k", None)
    known = {"k": k} if isinstance(k, int) and not isinstance(k, bool) else {}
    try:
        query, more = copy.deepcopy((query, more))
        return _Asked({"query": plain(query), **known, **{n: plain(v) for n, v in more.items()}}, query, more, manager)
    except RecursionError:
        return _Asked({}, query, more, manager, "arguments_too_large")
    except Exception:  # noqa: BLE001  what cannot be copied cannot be decided: somebody could change it afterwards
        return _Asked({}, query, more, manager, "invalid_arguments")


def _call(gate: Gate, asked: _Asked) -> Call:
    mark = current_mark(gate.halo, "retriever", "")
    if mark is not None:
        mark.decided = True
    call = gate.halo.call(gate.resource, asked.decided)
    return replace(call, problem=asked.problem) if asked.problem else call


def _narrowed(retriever: BaseRetriever, ticket: Ticket, asked: _Asked) -> tuple[BaseRetriever, Any, dict[str, Any]]:
    """The retriever, query and keyword arguments that carry out what was decided."""
    if ticket.verdict is None or ticket.verdict.mode is Mode.OBSERVE:
        return retriever, asked.query, asked.more
    changed = {name: value for name, value in ticket.args.items() if not unchanged(value, asked.decided.get(name))}
    query = changed.pop("query", asked.query)
    passed = {name: changed.pop(name, value) for name, value in asked.more.items()}
    if "k" in ticket.args and "k" not in passed:
        # INVARIANT: what runs was decided; settings that somebody else holds are not read again.
        k = changed.pop("k", ticket.args["k"])
        settings = getattr(retriever, "search_kwargs", None)
        update = {"search_kwargs": {**settings, "k": k}} if isinstance(settings, Mapping) else {"k": k}
        retriever = retriever.model_copy(update=update)
    if changed:
        raise Denied("needs_guard", f"cannot narrow {', '.join(sorted(changed))} of a retrieval")
    return retriever, query, passed


@functools.lru_cache(maxsize=256)
def _guarded_class(kind: type[BaseRetriever]) -> type[BaseRetriever]:
    get, aget = kind._get_relevant_documents, kind._aget_relevant_documents  # noqa: SLF001  the hooks of a retriever

    def invoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  the framework's name
        with entered(required(self).halo, "retriever", "", config):
            return kind.invoke(self, input, config, **kwargs)

    async def ainvoke(self: Any, input: str, config: Any = None, **kwargs: Any) -> Any:  # noqa: A002  as above
        with entered(required(self).halo, "retriever", "", config):
            return await kind.ainvoke(self, input, config, **kwargs)

    @functools.wraps(get)
    def _get(self: Any, query: str, **kwargs: Any) -> Any:
        gate, asked = required(self), _asked(self, query, kwargs)
        if arrived(gate, asked.decided):
            return get(self, query, **kwargs)
        ticket = begin(gate.halo, _call(gate, asked))
        try:
            retriever, query, passed = _narrowed(self, ticket, asked)
            with body():
                found = get(retriever, query, **asked.manager, **passed)
        except BaseException as exc:
            broke_off(ticket, exc)
            raise
        return ticket.succeed(found, gate.surface)

    @functools.wraps(aget)
    async def _aget(self: Any, query: str, **kwargs: Any) -> Any:
        gate, asked = required(self), _asked(self, query, kwargs)
        ticket = await abegin(gate.halo, _call(gate, asked))
        try:
            retriever, query, passed = _narrowed(self, ticket, asked)
            with descending(gate, ticket.args):
                found = await aget(retriever, query, **asked.manager, **passed)
        except BaseException as exc:
            broke_off(ticket, exc)
            raise
        return ticket.succeed(found, gate.surface)

    members = {
        "invoke": functools.wraps(kind.invoke)(invoke),
        "ainvoke": functools.wraps(kind.ainvoke)(ainvoke),
        "_get_relevant_documents": _get,
        "_aget_relevant_documents": _aget,
    }
    made: type[BaseRetriever] = subclass(kind, members)
    return made
