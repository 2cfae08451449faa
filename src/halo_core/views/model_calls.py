"""What models were given: the messages of one call as far as they open, and what requests carried that needs a person.

The entry holds a reference of each message. The text of a message is sealed in the first decision of the session that
names it (`halo_core.enforcement.model_inputs`), so it is looked for from this decision back to the session's first.
What needs a person are fields that nobody knows, and tools that providers would run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.decision.model_fields import ACCEPTED_KIND
from halo_core.enforcement.model_inputs import dump_json
from halo_core.errors import Tampered
from halo_core.model import EntryKind, LedgerEntry
from halo_core.model.request import HOSTED_PREFIX
from halo_core.oversight.known import DeclaredValue
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries
from halo_core.views import View

_KINDS = (EntryKind.DECISION.value,)
_FIELD_CODE = "unknown_model_field"
_HOSTED_CODE = "hosted_tool"


@dataclass(frozen=True, slots=True)
class PromptMessage(View):
    """One message that a model was given.

    Args:
        reference: as the entry names it.
        role: who said it, as the framework calls it; empty where the text cannot be opened.
        text: None where it was erased, never sealed, or its key is not here.
    """

    reference: str
    role: str = ""
    text: str | None = None


def load_prompt(
    reader: Reader, contents: SealedContents, record: LoggedEntry, *, reveal: bool = False
) -> list[PromptMessage]:
    """The messages of a model call in order.

    Args:
        reader: the store.
        contents: opens what is sealed.
        record: the decision.
        reveal: show texts as they are; otherwise secrets and personal data in them are masked.

    Raises:
        Tampered: content is not what its entry committed to.
    """
    model = record.entry.body["request"].get("model")
    wanted: list[str] = list(model["messages"]) if model else []
    missing, found = set(wanted), dict[str, tuple[str, str]]()
    tenant = record.entry.tenant
    rows = reader.bodies(tenant, _KINDS, record.entry.session, (0, record.index + 1), (0, record.entry.ts_us + 1))
    named = [index for index, _, text in rows if b'"messages"' in text] if wanted else []
    for index in reversed(named):
        if not missing:
            break
        note = reader.note_at_index(tenant, index)
        if note is not None:
            opened = _open_messages(contents, reader.read_entry(note))
            found |= {name: item for name, item in opened.items() if name in missing}
            missing -= opened.keys()
    mask = (lambda text: text) if reveal else Redactor.for_views().mask
    return [
        PromptMessage(name, found[name][0], mask(found[name][1])) if name in found else PromptMessage(name)
        for name in wanted
    ]


def _open_messages(contents: SealedContents, entry: LedgerEntry) -> dict[str, tuple[str, str]]:
    """Reference → role and text of the messages that a decision has sealed."""
    fields = contents.open_all(entry)
    if "messages" not in fields:
        return {}
    try:
        trigger = fields.get("trigger", b"").decode("utf-8", "replace")
        rows = [(str(name), str(role), text) for name, role, text in orjson.loads(fields["messages"])]
    except ValueError as exc:
        raise Tampered("bad_content", "the sealed messages of a model call cannot be read") from exc
    return {name: (role, trigger if text is None else str(text)) for name, role, text in rows}


def describe_model(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Title and words of what a decision records of a model call; nothing of another kind of call."""
    model = body["request"].get("model")
    if not model:
        return []
    who = ", ".join(filter(None, (model["provider"], model["version"]))) or "unknown"
    given = canonical.from_plain(model["parameters"])
    parameters = ", ".join(f"{name} {dump_json(value)}" for name, value in given.items()) or "none recorded"
    rows = [("model", who), ("parameters", parameters), ("messages", f"{len(model['messages'])}, by reference")]
    return [*rows, *((f"{name} digest", model[name]) for name in ("system", "tools") if model[name])]


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
        for name, seen in sorted(_collect_sightings(reader, tenant, _FIELD_CODE).items())
    ]


def list_offered_tools(reader: Reader, tenant: str) -> list[OfferedTool]:
    """The providers' tools that requests offered, or answers came from, without a grant, by name."""
    return [
        OfferedTool(f"{HOSTED_PREFIX}{name}", seen.calls, _sort(seen.models), _sort(seen.agents), seen.last_us)
        for name, seen in sorted(_collect_sightings(reader, tenant, _HOSTED_CODE).items())
    ]


def _sort(names: set[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def _collect_sightings(reader: Reader, tenant: str, code: str) -> dict[str, _Sightings]:
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
