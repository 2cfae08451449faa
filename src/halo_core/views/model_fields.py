"""What requests to models carried that needs a person: fields that nobody knows, and tools that providers would run."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from halo_core.decision.model_fields import ACCEPTED_KIND
from halo_core.model import EntryKind
from halo_core.model.request import HOSTED_PREFIX
from halo_core.oversight.known import DeclaredValue
from halo_core.store.reader import Reader, read_entries
from halo_core.views import View

_FIELD_CODE = "unknown_model_field"
_HOSTED_CODE = "hosted_tool"


@dataclass(frozen=True, slots=True)
class UnknownField(View):
    """A field of model requests that no list knows.

    Args:
        name: `Class.field`, as `halo known add model_field` takes it.
        calls: how many requests carried it while nobody had accepted it.
        models: resource ids of the models that were asked, sorted.
        agents: who asked, sorted.
        last_us: when it was last seen, microseconds since the epoch.
        is_accepted: somebody accepted it since.
    """

    name: str
    calls: int
    models: tuple[str, ...]
    agents: tuple[str, ...]
    last_us: int
    is_accepted: bool


@dataclass(frozen=True, slots=True)
class OfferedTool(View):
    """A tool that a provider would run, which no passport granted when a request offered it or an answer used it.

    Args:
        name: its resource id, `hosted:web_search`, as a grant names it.
        calls: how many requests offered it, or answers came from it.
        models: resource ids of the models that were asked, sorted; empty where only answers named it.
        agents: who asked, sorted.
        last_us: when it was last seen, microseconds since the epoch.
    """

    name: str
    calls: int
    models: tuple[str, ...]
    agents: tuple[str, ...]
    last_us: int


@dataclass(slots=True)
class _Sightings:
    calls: int
    models: set[str]
    agents: set[str]
    last_us: int


def list_unknown_fields(reader: Reader, tenant: str, known: Iterable[DeclaredValue] = ()) -> list[UnknownField]:
    """The fields that requests carried and no list knows, by name.

    Args:
        reader: of the store.
        tenant: whose log.
        known: what was declared as known (`halo_core.oversight.known.list_known`), for `is_accepted`.
    """
    accepted = {item.value.form for item in known if item.value.kind == ACCEPTED_KIND}
    return [
        UnknownField(name, seen.calls, _sort(seen.models), _sort(seen.agents), seen.last_us, name in accepted)
        for name, seen in sorted(_collect(reader, tenant, _FIELD_CODE).items())
    ]


def list_offered_tools(reader: Reader, tenant: str) -> list[OfferedTool]:
    """The providers' tools that requests offered, or answers came from, without a grant, by name."""
    return [
        OfferedTool(f"{HOSTED_PREFIX}{name}", seen.calls, _sort(seen.models), _sort(seen.agents), seen.last_us)
        for name, seen in sorted(_collect(reader, tenant, _HOSTED_CODE).items())
    ]


def _sort(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _collect(reader: Reader, tenant: str, code: str) -> dict[str, _Sightings]:
    """What reasons of a code name, with who was seen with it."""
    found: dict[str, _Sightings] = {}
    for record in read_entries(reader, tenant, (EntryKind.DECISION,)):
        body = record.entry.body
        request = body["request"]
        resource = request["resource"]["id"]
        for reason in body["decision"]["reasons"]:
            if reason["code"] != code or not reason["detail"]:
                continue
            seen = found.setdefault(reason["detail"], _Sightings(0, set(), set(), 0))
            seen.calls += 1
            seen.agents.add(request["subject"]["agent"])
            seen.last_us = max(seen.last_us, record.entry.ts_us)
            if not resource.startswith(HOSTED_PREFIX):
                seen.models.add(resource)
    return found
