"""Questions whose targets somebody has declared as known since they were asked, so that the call would run now.

This is an estimate: the decision is computed again from what was recorded, with these targets as known. What else has
changed since, such as the policy or what the session has read, is not looked at.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Final

from halo_core.decision.checks import decide
from halo_core.errors import ConfigError, HaloError
from halo_core.model import Effect, LedgerEntry, Provenance, Snapshot
from halo_core.oversight.known import list_known
from halo_core.oversight.signed_entries import load_linked_entry
from halo_core.replay import Replayer
from halo_core.store.reader import Reader, SealedContents
from halo_core.values.facts.answer_scope import list_known_names
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.leaves import extract_leaves

_KnownForms = Collection[tuple[str, str]]
_STOPPED: Final = frozenset({Effect.CHALLENGE, Effect.DENY})
_VOUCHED: Final = frozenset({Provenance.USER, Provenance.KNOWN, Provenance.SYSTEM})


class SettledQuestions:
    """Tells of the questions of one tenant whether their calls would run now.

    Args:
        reader: the store.
        contents: opens the arguments and the known values.
        home: folder with the trusted keys.
        tenant: whose questions.
    """

    def __init__(self, reader: Reader, contents: SealedContents, home: Path, tenant: str) -> None:
        self._reader = reader
        self._tenant = tenant
        self._replayer = Replayer(reader, contents, tenant)
        try:
            known = list(list_known(reader, home, tenant, opener=contents.open))
        except ConfigError:  # the home trusts no log of the tenant
            known = []
        self._known = {(item.value.kind, item.value.form): item.since_us for item in known if item.value.form}

    def would_run(self, reference: object) -> bool:
        """Whether the call of a question would run now, since its targets have become known.

        Args:
            reference: the question's reference of its decision.
        """
        if not self._known:
            return False
        try:
            entry = load_linked_entry(self._reader, self._tenant, reference)
            return self._decide_again(entry)
        except (HaloError, KeyError, TypeError, ValueError):
            return False  # it cannot be read any more; `halo verify` reports what is wrong with it

    def _decide_again(self, entry: LedgerEntry) -> bool:
        since = {key for key, since_us in self._known.items() if since_us >= entry.ts_us}
        if not since:
            return False
        request, snapshot = self._replayer.read_inputs(entry)
        texts = {pointer: text for pointer, text, _ in extract_leaves(request.args)}
        settled = _mark_known(snapshot, texts, self._known.keys())
        return settled is not snapshot and decide(request, settled).effect not in _STOPPED


def _mark_known(snapshot: Snapshot, texts: dict[str, str], known: _KnownForms) -> Snapshot:
    """The snapshot with the known values among its targets as known; the same one if there is none."""
    targets = {pointer for pointer, *_ in snapshot.targets}
    provenance = tuple(
        (pointer, Provenance.KNOWN)
        if pointer in targets and origin not in _VOUCHED and _is_known(texts.get(pointer, ""), known)
        else (pointer, origin)
        for pointer, origin in snapshot.provenance
    )
    return snapshot if provenance == snapshot.provenance else replace(snapshot, provenance=provenance)


def _is_known(text: str, known: _KnownForms) -> bool:
    values = parse_argument(text, (), is_target=True)
    return bool(text) and all(any(name in known for name in list_known_names(value)) for value in values)
