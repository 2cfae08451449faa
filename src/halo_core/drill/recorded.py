"""Honest sessions of a ledger, which a drill runs again: `read_honest_sessions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.drill.cases import Step
from halo_core.drill.plans import RecordedSession
from halo_core.errors import HaloError
from halo_core.model import ActionKind, EntryKind, Impact
from halo_core.store.reader import LoggedEntry, Reader, SealedContents, read_entries

_TOOL_KINDS: Final = (ActionKind.TOOL_CALL.value, ActionKind.RETRIEVAL.value)
_RAN: Final = ("allow", "monitor")
_WINDOW_US: Final = 25 * 3_600 * 1_000_000
"""Payments within it count towards sums and repetitions (24 hours), so that to pay again would be no honest work."""
_SPAN: Final = 20_000
_MAX_CALLS: Final = 20


@dataclass(slots=True)
class _Found:
    user: str = ""
    calls: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    outputs: list[str] = field(default_factory=list)
    newest_us: int = 0
    has_payment: bool = False
    is_usable: bool = True


def read_honest_sessions(url: str, home: Path, tenant: str, now_us: int, most: int) -> tuple[RecordedSession, ...]:
    """Sessions of one request in which everything ran unasked, the newest first.

    Args:
        url: SQLAlchemy URL of the store.
        home: folder with the content key, without which no session can be read.
        tenant: whose sessions.
        now_us: time, microseconds since the epoch.
        most: maximum number of sessions.

    Returns:
        Sessions whose calls and words can be opened. Empty if there is no store, or nothing in it can be read.
    """
    sessions: dict[str, _Found] = {}
    try:
        with Reader(url) as reader:
            reader.use_names(home)
            contents = SealedContents.with_home_key(reader, KeyStore(home))
            since = max(0, reader.next_index(tenant) - _SPAN)
            for item in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.OUTCOME), since=since):
                if item.entry.session:
                    _read_entry(item, contents, sessions.setdefault(item.entry.session, _Found()))
    except HaloError:  # a drill needs none; what is wrong with a store is for `halo verify` to say
        return ()
    usable = [item for item in sessions.values() if _is_honest(item, now_us)]
    usable.sort(key=lambda item: -item.newest_us)
    return tuple(_build_session(item) for item in usable[:most])


def _read_entry(item: LoggedEntry, contents: SealedContents, session: _Found) -> None:
    entry, body = item.entry, item.entry.body
    if entry.kind is EntryKind.OUTCOME:
        if len(session.outputs) < len(session.calls):
            session.outputs.append((contents.open(entry, "output") or b"ok").decode("utf-8", "replace"))
        return
    request, effect = body["request"], body["decision"]["effect"]
    session.newest_us = entry.ts_us
    session.is_usable = session.is_usable and effect in _RAN
    trigger = request["context"]["trigger"]
    if trigger["kind"] == "user":
        words = (contents.open(entry, "trigger") or b"").decode("utf-8", "replace")
        session.is_usable = session.is_usable and session.user in {"", words}
        session.user = words
    if request["kind"] in _TOOL_KINDS:
        text = contents.open(entry, "args")
        if text is None:
            session.is_usable = False
            return
        session.calls.append((str(request["resource"]["id"]), canonical.from_plain(canonical.loads(text))))
        session.has_payment |= request["resource"]["impact"] == Impact.PAYMENT.value


def _is_honest(session: _Found, now_us: int) -> bool:
    is_recent = session.has_payment and now_us - session.newest_us < _WINDOW_US
    return session.is_usable and bool(session.user) and 0 < len(session.calls) <= _MAX_CALLS and not is_recent


def _build_session(session: _Found) -> RecordedSession:
    outputs = [*session.outputs, *["ok"] * (len(session.calls) - len(session.outputs))]
    steps = tuple(
        Step(name, arguments, answer=output) for (name, arguments), output in zip(session.calls, outputs, strict=True)
    )
    return RecordedSession(session.user, steps)
