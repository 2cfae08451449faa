"""What a model was given: the messages of one call, as far as they can be opened.

The entry holds a reference of each message. The text of a message is sealed with the first decision of the session that
names it (`halo_core.enforcement.model_inputs`), so it is searched for from this decision back to the session's first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.enforcement.model_inputs import dump_json
from halo_core.errors import Tampered
from halo_core.model import EntryKind, LedgerEntry
from halo_core.store.reader import LoggedEntry, Reader, SealedContents
from halo_core.views import View

_KINDS = (EntryKind.DECISION.value,)


@dataclass(frozen=True, slots=True)
class PromptMessage(View):
    """One message that a model was given.

    Args:
        reference: reference in the entry.
        role: who said it, as the framework calls it; empty if the text cannot be opened.
        text: the text; None if it was erased, was never sealed, or there is no key.
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
    missing, texts_by_name = set(wanted), dict[str, tuple[str, str]]()
    tenant = record.entry.tenant
    rows = reader.bodies(tenant, _KINDS, record.entry.session, (0, record.index + 1), (0, record.entry.ts_us + 1))
    message_indexes = [index for index, _, text in rows if b'"messages"' in text] if wanted else []
    for index in reversed(message_indexes):
        if not missing:
            break
        note = reader.note_at_index(tenant, index)
        if note is not None:
            opened = _open_messages(contents, reader.read_entry(note))
            texts_by_name |= {name: item for name, item in opened.items() if name in missing}
            missing -= opened.keys()
    mask = (lambda text: text) if reveal else Redactor.for_views().mask
    return [
        PromptMessage(name, texts_by_name[name][0], mask(texts_by_name[name][1]))
        if name in texts_by_name
        else PromptMessage(name)
        for name in wanted
    ]


def _open_messages(contents: SealedContents, entry: LedgerEntry) -> dict[str, tuple[str, str]]:
    """Reference → (role, text) of the messages that are sealed with a decision."""
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
    """Rows (title, words) on the model call of a decision; none for another kind of action."""
    model = body["request"].get("model")
    if not model:
        return []
    model_text = ", ".join(filter(None, (model["provider"], model["version"]))) or "unknown"
    given = canonical.from_plain(model["parameters"])
    parameters = ", ".join(f"{name} {dump_json(value)}" for name, value in given.items()) or "none recorded"
    rows = [("model", model_text), ("parameters", parameters), ("messages", f"{len(model['messages'])}, by reference")]
    return [*rows, *((f"{name} digest", model[name]) for name in ("system", "tools") if model[name])]
