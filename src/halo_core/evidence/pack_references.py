"""What the entries of an evidence pack refer to, and so what must be in the pack: parts, keys and other entries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from halo_core.crypto import canonical
from halo_core.crypto.keys import encode_base64
from halo_core.errors import CanonicalError, Gap, Tampered, describe_cause
from halo_core.ledger.reader import BLOB_DOMAINS
from halo_core.model import EntryKind, format_entry_id

if TYPE_CHECKING:
    from halo_core.store.reader import Reader

_KIND_KEY: Final = b',"kind":"'
_NAMING_KINDS: Final = frozenset(
    {
        EntryKind.APPROVAL,
        EntryKind.APPROVAL_REQUEST,
        EntryKind.AUTHORITY,
        EntryKind.OUTCOME,
        EntryKind.WRITER_OPEN,
    }
)
"""Kinds of entries of which a pack reads more than the parts that they name."""
_PACKED_NAME: Final = re.compile(rb'"([A-Za-z0-9+/]{43}=)"')
_HEX_NAME: Final = re.compile(rb"sha256:([0-9a-f]{64})")
_PART_DOMAINS: Final = ("halo/part/v2", *(domain for domain in BLOB_DOMAINS if domain != "halo/part/v2"))
_POSITION: Final = "SELECT idx FROM entry WHERE tenant=? AND w=? AND ws=?"


class _PartNames(NamedTuple):
    """The names of a tenant's parts, in the two forms in which entries and parts spell them.

    Args:
        packed: digest in base64 → its hex digits.
        hexed: hex digits of the digests that stand as `sha256:…`.
    """

    packed: dict[bytes, str]
    hexed: set[bytes]

    def find(self, data: bytes) -> Iterator[str]:
        """Hex digits of every part that some bytes name."""
        for text in _PACKED_NAME.findall(data):
            if text in self.packed:
                yield self.packed[text]
        for text in _HEX_NAME.findall(data):
            if text in self.hexed:
                yield text.decode("ascii")


class PackReferences:
    """Collects what the entries that were written to a pack name.

    Attributes:
        writers: writer → its key (vkey).
        authorities: enrolments of people and issuers, as `keys.json` holds them.
        first_seqs: writer → sequence of its first entry in the pack.
    """

    def __init__(self, reader: Reader, tenant: str) -> None:
        self._reader, self._tenant = reader, tenant
        self._part_names = self._list_part_names()
        self._parts: set[str] = set()  # hex digits of the digests
        self._entries: set[tuple[str, int]] = set()  # writer and sequence of entries that are not in the pack yet
        self.writers: dict[str, str] = {}
        self.authorities: list[dict[str, Any]] = []
        self.first_seqs: dict[str, int] = {}

    def _list_part_names(self) -> _PartNames:
        names = _PartNames({}, set())
        for (name,) in self._reader.stream("SELECT hash FROM blob WHERE tenant=?", self._tenant):
            hexed = str(name).removeprefix("sha256:")
            names.packed[encode_base64(bytes.fromhex(hexed)).encode("ascii")] = hexed
            names.hexed.add(hexed.encode("ascii"))
        return names

    def note_entry(self, index: int, writer: str, text: bytes) -> None:
        """Note what an entry names: parts, keys, and other entries.

        Raises:
            Tampered: it has another form.
        """
        self._parts.update(self._part_names.find(text))
        # Members are sorted: no other `,"kind":"` stands after the member. Only the kinds below name more than parts.
        kind = text[text.rfind(_KIND_KEY) + len(_KIND_KEY) :].partition(b'"')[0].decode("ascii", "replace")
        if kind not in _NAMING_KINDS and writer in self.first_seqs:
            return
        try:
            tree: dict[str, Any] = canonical.loads(text)
            kind, body, seq = tree["kind"], tree["body"], tree["ws"]
            first = self.first_seqs.setdefault(writer, seq)
            if kind == EntryKind.WRITER_OPEN:
                self.writers[writer] = body["vkey"]
            elif kind == EntryKind.AUTHORITY:
                members = {name: body[name] for name in ("act", "key", "kid", "role") if name in body}
                self.authorities.append({**members, "entry": format_entry_id(writer, seq)})
            elif kind in (EntryKind.OUTCOME, EntryKind.APPROVAL_REQUEST):
                decision = body["decision"]
                place = (writer, decision) if isinstance(decision, int) else (decision["w"], decision["ws"])
                if place[0] != writer or place[1] < first:  # else it is among the entries of the period
                    self._entries.add(place)
            elif kind == EntryKind.APPROVAL:
                writer_of_question, _, number = body["request"].rpartition("-")
                self._entries.add((writer_of_question, int(number)))
        except (CanonicalError, AttributeError, KeyError, TypeError, ValueError) as exc:
            remedy = "run `halo verify`"
            raise Tampered(
                "malformed_entry", f"entry {index} has another form: {describe_cause(exc)}", remedy=remedy
            ) from exc

    def take_positions(self) -> set[int]:
        """Positions of the entries that were named since the last call."""
        places, self._entries = self._entries, set()
        rows = (next(self._reader.stream(_POSITION, self._tenant, *place), None) for place in sorted(places))
        return {row[0] for row in rows if row is not None}

    def encode_parts(self) -> Iterator[bytes]:
        """The parts that entries name, and the parts that these name, each as a line, by digest."""
        waiting = sorted(self._parts)
        while waiting:
            part_names = {name for hexed in waiting for name in self._part_names.find(self._load_part(hexed))}
            waiting = sorted(part_names - self._parts)
            self._parts |= part_names
        return map(self._encode_part, sorted(self._parts))

    def _load_part(self, hexed: str) -> bytes:
        data = self._reader.blob(self._tenant, f"sha256:{hexed}")
        if data is None:
            raise Gap("blob_missing", f"the part sha256:{hexed} is missing", remedy="run `halo verify`")
        return bytes(data)

    def _encode_part(self, hexed: str) -> bytes:
        """A part as a line, with the domain of its digest, so that a verifier can compute the digest again."""
        data, name = self._load_part(hexed), f"sha256:{hexed}"
        domain = next((domain for domain in _PART_DOMAINS if canonical.digest(domain, data) == name), None)
        if domain is None:
            raise Tampered("blob_altered", f"the part {name} does not have this digest", remedy="run `halo verify`")
        try:
            content = {"text": data.decode()}
        except UnicodeDecodeError:
            content = {"data": encode_base64(data)}
        return canonical.dumps({**content, "domain": domain, "name": name})
