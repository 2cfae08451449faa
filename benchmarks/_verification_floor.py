"""What verification and replay are compared with: the same bytes, hashed, verified and decided in bare loops."""

from __future__ import annotations

import gc
import hashlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson
from nacl.signing import VerifyKey

from halo_core.crypto import canonical
from halo_core.decision.checks import decide
from halo_core.ledger import parse_vkey
from halo_core.ledger.notes import open_note
from halo_core.ledger.reader import Stream
from halo_core.model import AccessRequest, EntryKind, Snapshot
from halo_core.replay import Replayer
from halo_core.store.reader import Reader, SealedContents, read_entries

__all__ = ["DecisionFloor", "Notes", "cpu_s", "load_decisions", "load_notes"]


@dataclass(frozen=True, slots=True)
class Notes:
    """The notes of a ledger in log order, and what verifies each: key, text and signature."""

    notes: Sequence[bytes]
    signed: Sequence[tuple[VerifyKey, bytes, bytes]]

    def hash_all(self) -> None:
        """SHA-256 of each note, and nothing else."""
        sha256 = hashlib.sha256
        for note in self.notes:
            sha256(note).digest()

    def verify_all(self) -> None:
        """PyNaCl's verification of each writer's signature, and nothing else."""
        for key, text, signature in self.signed:
            key.verify(text, signature)


def load_notes(reader: Reader, tenant: str) -> Notes:
    """Read a tenant's notes; their signatures are split off here, so that a loop does not pay for it."""
    keys = {w: VerifyKey(parse_vkey(vkey).public) for t, w, vkey, _ in reader.rows(Stream.WRITERS) if t == tenant}
    notes, signed = [], []
    for _, data in reader.all_notes(tenant):
        note = open_note(data)
        signature = note.signatures[0]
        notes.append(data)
        signed.append((keys[signature.name.rpartition("/")[2]], note.text, signature.signature))
    return Notes(notes, signed)


@dataclass(frozen=True, slots=True)
class DecisionFloor:
    """What is left of a replay when everything but deciding is free: parse, evaluate, canonicalise."""

    texts: Sequence[bytes]
    inputs: Sequence[tuple[AccessRequest, Snapshot]]

    def decide_all(self) -> None:
        """Parse each entry's text, decide on its request and snapshot, and encode the decision."""
        for text, (request, snapshot) in zip(self.texts, self.inputs, strict=True):
            orjson.loads(text)
            canonical.dumps(decide(request, snapshot).to_plain())


def load_decisions(reader: Reader, contents: SealedContents, tenant: str, limit: int) -> DecisionFloor:
    """Read the first decisions of a tenant, with what each was decided on."""
    replayer = Replayer(reader, contents, tenant)
    texts, inputs = [], []
    for logged in read_entries(reader, tenant, (EntryKind.DECISION,)):
        if len(inputs) == limit:
            break
        texts.append(open_note(logged.note).text)
        inputs.append(replayer.read_inputs(logged.entry))
    return DecisionFloor(texts, inputs)


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of this process for one call, on all of its threads."""
    gc.collect()
    start = time.process_time()
    work()
    return time.process_time() - start
