"""Evidence packs: one file with the entries of a period and everything that is needed to check them without Halo.

    summary = make_pack(reader, tenant, signer, path, PackRequest((from_us, to_us)))

A pack is a ZIP file. Its members are uncompressed, in a fixed order and with a fixed time, so the same log and request
give the same bytes. Each pack has `halo_verify.py`, which checks it without Halo. docs/ledger-format.md describes the
members. Content stays sealed unless the request names its entry.

Positions in the log, as the code names them:

    0 … first     before the pack; entries that the period depends on are in `context`, the rest as subtrees in `gaps`
    first … end   in the pack: the entries of the period, one before it and one after it
    end … size    after the pack, as subtrees in `gaps`; `size` is that of the checkpoint that covers the pack
"""

from __future__ import annotations

import base64
import re
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from importlib import resources
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

from halo_core.clock import format_iso
from halo_core.crypto import canonical
from halo_core.crypto.keys import encode_base64
from halo_core.errors import CannotDecide, ConfigError, Gap, Tampered, make_write_error
from halo_core.evidence.answers import describe_tool
from halo_core.evidence.archive import LineWriter, PackArchive, sign_statement
from halo_core.evidence.pack_references import PackReferences
from halo_core.evidence.proofs import (
    SignedHead,
    find_newest_checkpoint,
    read_checkpoints,
    read_log_notes,
    require_root,
)
from halo_core.ledger import Vkey, format_vkey, leaf_hash, log_origin, make_vkey, open_sealed, split_boxes
from halo_core.ledger.sealed_content import find_box_key, read_subject
from halo_core.ledger.tree import ProofTree
from halo_core.model import ENTRY_VERSION, EntryKind
from halo_core.quick_dataclass import dataclass

if TYPE_CHECKING:
    from halo_core.crypto.keys import Signer
    from halo_core.store.reader import Reader, SealedContents

PACK_VERSION: Final = 1
PREDICATE_TYPE: Final = "https://github.com/halo-agents/halo/evidence-pack/v1"
_EXTRA_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(/[a-z0-9][a-z0-9._-]{0,99})?")
_TIME_KEY: Final = b',"ts_us":'
_ED25519_SPKI: Final = bytes.fromhex("302a300506032b6570032100")
"""What stands before the 32 bytes of a key in a SubjectPublicKeyInfo (RFC 8410)."""
_IN_FORCE_KINDS: Final = (EntryKind.AUTHORITY.value, EntryKind.MODE.value, EntryKind.POLICY.value)
"""Kinds of entries from before a period that say what was in force when it began."""
_ENTRIES: Final = "SELECT idx, w, sealed, marks FROM entry WHERE tenant=? AND idx>=? AND idx<? ORDER BY idx"
_SIGNATURE_BYTES: Final = 68
_LAST_POSITION: Final = 2**63 - 1
_LAST_US: Final = 2**53 - 1
"""The last time that canonical JSON can hold, in the year 2255."""
_OWN_NAMES: Final = frozenset(
    (
        *("checkpoints", "context", "entries", "gaps", "parts", "revealed", "sealed", "subjects"),
        *("halo_verify.py", "keys.json", "pack.json", "manifest.json", "manifest.dsse.json", "verify.md"),
    )
)
"""First parts of the names that a pack gives to its own members."""


@dataclass(frozen=True, slots=True)
class PackRequest:
    """What goes into a pack.

    Args:
        period_us: earliest time of an entry, and the one after the latest, in microseconds.
        reveal: positions of entries whose content is opened in the pack.
        with_sealed: whether sealed content that stays sealed is in the pack, so that its digests can be checked.
    """

    period_us: tuple[int, int]
    reveal: frozenset[int] = frozenset()
    with_sealed: bool = True


@dataclass(frozen=True, slots=True)
class PackScope:
    """What a pack covers; `extra_files` is called with it.

    Args:
        tenant: owner of the log.
        period_us: the requested period.
        first: position of the first entry, which is from before the period unless the log begins there.
        end: position after the last entry, which is from after the period unless the log ends there. The entries
            between are all in the pack, whatever their time.
        size: size of the tree of the checkpoint that covers them.
        root: root of that tree, base64.
        as_of_us: time of the last entry, microseconds since the epoch. When the pack is made is nowhere in it.
    """

    tenant: str
    period_us: tuple[int, int]
    first: int
    end: int
    size: int
    root: str
    as_of_us: int


@dataclass(frozen=True, slots=True)
class PackSummary:
    """What was put into a pack.

    Args:
        scope: what it covers.
        entries: how many entries of the period, with the one before it and the one after it.
        context: how many entries from before, on which these depend.
        parts: how many shared parts that entries name.
        sealed: number of entries whose sealed content is in it.
        revealed: number of entries whose content is opened in it.
        members: names of its files.
        bytes: size of the ZIP file.
        sha256: digest of the ZIP file, hex digits.
    """

    scope: PackScope
    entries: int
    context: int
    parts: int
    sealed: int
    revealed: int
    members: tuple[str, ...]
    bytes: int
    sha256: str


ExtraFiles = Callable[[PackScope], Mapping[str, bytes]]
"""Further members of a pack by name, such as `map.json` and `report.html`.

They must follow from the log and the scope alone, without a clock, so that a pack can be made again to the byte.
"""


def make_pack(
    reader: Reader,
    tenant: str,
    signer: Signer,
    path: Path,
    request: PackRequest,
    *,
    contents: SealedContents | None = None,
    extra_files: Iterable[ExtraFiles] = (),
) -> PackSummary:
    """Write the evidence pack of a period.

    Args:
        reader: the store.
        tenant: owner of the log.
        signer: the log's key, which signs the manifest.
        path: path of the file. It appears whole or not at all, and replaces one that is there.
        request: what goes into it.
        contents: what is sealed in the store, with the home's key, for what is revealed.
        extra_files: make further members, such as reports.

    Raises:
        CannotDecide: `no_entries`, the period has no entry under a checkpoint; `no_checkpoint`.
        ConfigError: `pack_too_large`, `not_in_pack` (an entry to reveal), `no_content_key`, `no_content`,
            `bad_member_name`, or `no_file`, the file cannot be written.
        Gap, Tampered: the log is not whole, so that nobody could verify a pack of it.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        try:
            with draft.open("wb") as file:
                summary = _PackWriter(reader, tenant, signer, request, contents, PackArchive(file)).write(extra_files)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as exc:
        raise make_write_error(path, exc, field="output") from exc
    return summary


@dataclass(slots=True)
class _LogScan:
    """What one pass over a log finds.

    Args:
        tree: over all its entries.
        times_us: time of every entry, microseconds since the epoch, by position.
        first: position of the first entry of the pack; -1 before one is found.
        end: position after its last entry; -1 before one is found.
        opened: writer → position of its opening entry.
    """

    tree: ProofTree = field(default_factory=ProofTree)
    times_us: array[int] = field(default_factory=lambda: array("q"))
    first: int = -1
    end: int = -1
    opened: dict[str, int] = field(default_factory=dict)


class _PackWriter:
    """Writes the members of one pack."""

    def __init__(  # noqa: PLR0917  as `make_pack` has them
        self,
        reader: Reader,
        tenant: str,
        signer: Signer,
        request: PackRequest,
        contents: SealedContents | None,
        archive: PackArchive,
    ) -> None:
        self._reader, self._tenant, self._signer, self._request = reader, tenant, signer, request
        self._contents, self._archive = contents, archive
        self._log: Vkey = make_vkey(log_origin(tenant), signer.public_key)
        self._named = PackReferences(reader, tenant)
        self._subjects: set[str] = set()  # whose data keys seal content in the pack
        self._revealed: list[bytes] = []  # lines of the member `revealed`

    def write(self, extra_files: Iterable[ExtraFiles]) -> PackSummary:
        """Write every member. Entries come first: what they name decides what else is written."""
        newest = find_newest_checkpoint(self._reader, self._tenant, self._log)
        scan = self._scan_log(newest.head.size)
        require_root(scan.tree, newest.head)
        heads = self._select_heads(scan)
        head = heads[-1].head
        from_us, to_us = (min(max(us, 0), _LAST_US) for us in self._request.period_us)
        root = encode_base64(head.root)
        as_of_us = scan.times_us[scan.end - 1]
        scope = PackScope(self._tenant, (from_us, to_us), scan.first, scan.end, head.size, root, as_of_us)
        entries, sealed = self._write_entries(scan)
        context = self._write_context(scan, head.size)
        self._write_lines("revealed", self._revealed)
        self._write_lines("checkpoints", [_encode({"note": i.note.decode(), "size": i.head.size}) for i in heads])
        self._write_lines("subjects", self._encode_subjects())
        parts = self._write_lines("parts", self._named.encode_parts())
        self._add_json("keys.json", self._describe_keys())
        self._add_extra_files(extra_files, scope)
        self._add_verifier(scope)
        self._sign(self._describe_pack(scope))
        members = tuple(str(item["name"]) for item in self._archive.members)
        size, digest = self._archive.close()
        return PackSummary(scope, entries, context, parts, sealed, len(self._revealed), members, size, digest)

    def _scan_log(self, size: int) -> _LogScan:
        """Read the log once: hash its entries, and find which positions the pack holds.

        Raises:
            CannotDecide: `no_entries`.
        """
        scan = _LogScan()
        from_us, to_us = self._request.period_us
        for index, writer, text, signatures, note in read_log_notes(self._reader, self._tenant, 0, size):
            scan.tree.append(leaf_hash(note))
            ts_us = _read_time_us(text)
            scan.times_us.append(ts_us)
            if from_us <= ts_us < to_us:
                scan.first = index if scan.first < 0 else scan.first
                scan.end = index + 1
            if len(signatures) > _SIGNATURE_BYTES:  # an opening entry has the log's signature beside the writer's
                scan.opened[writer] = index
        if scan.first < 0:
            message = f"no entry of `{self._tenant}` that a checkpoint covers is of this period"
            raise CannotDecide("no_entries", message, remedy="choose another period; `halo log` shows when entries are")
        # The entries beside show that the positions span the period: one from before it, and one from after it.
        while scan.first > 0 and scan.times_us[scan.first] >= from_us:
            scan.first -= 1
        while scan.end < size and scan.times_us[scan.end - 1] < to_us:
            scan.end += 1
        return scan

    def _select_heads(self, scan: _LogScan) -> list[SignedHead]:
        """The checkpoints within the pack, the last of which is the smallest one that covers all of it."""
        heads: list[SignedHead] = []
        for item in read_checkpoints(self._reader, self._tenant, self._log, scan.first + 1):
            require_root(scan.tree, item.head)
            heads.append(item)
            if item.head.size >= scan.end:
                break
        return heads

    def _write_entries(self, scan: _LogScan) -> tuple[int, int]:
        """Write the entries of the period and what is sealed beside them.

        Returns:
            How many entries, and of how many the sealed content.
        """
        entries, sealed = LineWriter(self._archive, "entries"), LineWriter(self._archive, "sealed")
        content_rows = self._reader.stream(_ENTRIES, self._tenant, scan.first, scan.end)
        notes = read_log_notes(self._reader, self._tenant, scan.first, scan.end)
        reveal = set(self._request.reveal)
        for (index, writer, text, signatures, _), row in zip(notes, content_rows, strict=True):
            entries.add(_encode_entry(index, writer, text, signatures))
            self._named.note_entry(index, writer, text)
            if row[2] is None and row[3] is None:
                continue
            boxes = split_boxes(bytes(row[2] or b""))
            if index in reveal:
                reveal.discard(index)
                self._reveal(index, boxes)
            elif not self._request.with_sealed:
                continue
            self._subjects.update(map(read_subject, boxes))
            members = {"marks": row[3], "sealed": row[2]}
            line = {name: encode_base64(bytes(data)) for name, data in members.items() if data is not None}
            sealed.add(_encode({**line, "index": index}))
        if reveal:
            message = f"position {min(reveal)} is not among the entries of the pack, or has no content"
            raise ConfigError("not_in_pack", message, field="reveal", remedy="choose entries of the period")
        entries.close()
        sealed.close()
        return entries.count, sealed.count

    def _reveal(self, index: int, boxes: list[bytes]) -> None:
        """Open what is sealed beside an entry. The key of each box goes into the pack, not the subject's data key."""
        if self._contents is None:
            remedy = "run this in the home that has content.key"
            raise ConfigError("no_content_key", "there is no content key to open content with", remedy=remedy)
        fields: dict[str, str] = {}
        keys: list[str] = []
        for box in boxes:
            stored_key = self._contents.find_key(self._tenant, read_subject(box))
            key_of_box = None if stored_key is None or stored_key[0] is None else find_box_key(stored_key[0], box)
            box_key = b"" if key_of_box is None else key_of_box[1]
            keys.append(encode_base64(box_key))
            if stored_key is not None and stored_key[0] is not None and box_key:
                opened = open_sealed(stored_key[0], self._tenant, box)
                fields.update({name: data.decode(errors="backslashreplace") for name, data in opened.items()})
        if not fields:
            message = f"the content of the entry at position {index} was erased, or it has none"
            raise ConfigError("no_content", message, field="reveal", remedy="leave this entry out of `--reveal`")
        self._revealed.append(_encode({"fields": fields, "index": index, "keys": keys}))

    def _write_context(self, scan: _LogScan, size: int) -> int:
        """Write the entries from before the period that the pack depends on; how many.

        These may name others in turn, so it goes on until nothing new is named.
        """
        context: dict[int, bytes] = {}
        indexes_in_force = self._find_in_force(scan.first)
        while True:
            opened = {scan.opened[name] for name in self._named.first_seqs if name in scan.opened}
            wanted = {index for index in indexes_in_force | self._named.take_positions() | opened if index < scan.first}
            wanted -= context.keys()
            if not wanted:
                break
            for index in sorted(wanted):
                _, writer, text, signatures, _ = next(read_log_notes(self._reader, self._tenant, index, index + 1))
                self._named.note_entry(index, writer, text)
                context[index] = _encode_entry(index, writer, text, signatures)
        self._write_lines("context", [context[index] for index in sorted(context)])
        self._write_gaps(scan, sorted(context), size)
        return len(context)

    def _write_gaps(self, scan: _LogScan, context: list[int], size: int) -> None:
        """Write the roots of the subtrees over entries that are not in the pack, from left to right.

        Together with the leaves in the pack they give the root of the checkpoint.
        """
        starts, stops = [0, *(index + 1 for index in context), scan.end], [*context, scan.first, size]
        gaps = (gap for low, high in zip(starts, stops, strict=True) for gap in scan.tree.subtrees(low, high))
        self._write_lines("gaps", (_encode({"level": level, "node": encode_base64(node)}) for level, node in gaps))

    def _find_in_force(self, first: int) -> set[int]:
        """Positions of the entries that were in force when the pack begins.

        These are every enrolment, the newest mode, and the newest policy of each writer in the pack.
        """
        indexes: set[int] = set()
        newest: dict[str, int] = {}
        rows = self._reader.entry_rows(self._tenant, _IN_FORCE_KINDS, "", (0, first), (0, _LAST_POSITION))
        for row in rows:
            if row.kind == EntryKind.AUTHORITY:
                indexes.add(row.position)
            elif row.kind == EntryKind.MODE:
                newest[""] = row.position
            elif row.writer in self._named.first_seqs:
                newest[row.writer] = row.position
        return indexes | set(newest.values())

    def _write_lines(self, folder: str, lines: Iterable[bytes]) -> int:
        out = LineWriter(self._archive, folder)
        for line in lines:
            out.add(line)
        out.close()
        return out.count

    def _encode_subjects(self) -> Iterator[bytes]:
        for subject in sorted(self._subjects):
            row = self._reader.vault(self._tenant, subject)
            if row is None:
                message = f"the row of the data key of `{subject}` is missing"
                raise Gap("vault_missing", message, remedy="run `halo verify`")
            yield _encode({"commitment": encode_base64(bytes(row.commitment)), "subject": subject})

    def _describe_keys(self) -> dict[str, Any]:
        spki = base64.encodebytes(_ED25519_SPKI + self._log.public).decode()
        return {
            "authorities": self._named.authorities,
            "log": {"pem": f"-----BEGIN PUBLIC KEY-----\n{spki}-----END PUBLIC KEY-----\n", "vkey": self._vkey},
            "writers": [{"vkey": vkey, "w": name} for name, vkey in sorted(self._named.writers.items())],
        }

    @property
    def _vkey(self) -> str:
        return format_vkey(self._log)

    def _add_extra_files(self, extra_files: Iterable[ExtraFiles], scope: PackScope) -> None:
        """Add further members, none under a name that the pack itself uses.

        Raises:
            ConfigError: `bad_member_name`.
        """
        taken_names = {str(item["name"]).partition("/")[0] for item in self._archive.members} | _OWN_NAMES
        for list_files in extra_files:
            for name, data in sorted(list_files(scope).items()):
                if not _EXTRA_NAME.fullmatch(name) or name.partition("/")[0] in taken_names:
                    message = f"`{name[:80]}` is no name of a further file of a pack, or is taken"
                    remedy = "use a name of its own"
                    raise ConfigError("bad_member_name", message, field="extra_files", remedy=remedy)
                self._archive.add(name, data)
            taken_names |= {str(item["name"]) for item in self._archive.members}

    def _add_verifier(self, scope: PackScope) -> None:
        """Add `halo_verify.py`, and `VERIFY.md` that says how to run it."""
        files = resources.files("halo_core.evidence")
        self._archive.add("halo_verify.py", files.joinpath("halo_verify.py").read_bytes())
        names = {"key": self._vkey, "tenant": scope.tenant, "first": scope.first, "last": scope.end - 1}
        names |= {"size": scope.size, "root": scope.root, "as_of": format_iso(scope.as_of_us)}
        names |= {name: format_iso(us) for name, us in zip(("start", "stop"), scope.period_us, strict=True)}
        text = Template(files.joinpath("VERIFY.md").read_text(encoding="utf-8")).substitute(names)
        self._archive.add("VERIFY.md", text.encode())

    def _describe_pack(self, scope: PackScope) -> dict[str, Any]:
        """The content of `pack.json`, which is the predicate of the statement too."""
        return {
            "end": scope.end,
            "first": scope.first,
            "format": ENTRY_VERSION,
            "key": self._vkey,
            "period": {"from_us": scope.period_us[0], "to_us": scope.period_us[1]},
            "root": scope.root,
            "sealed": self._request.with_sealed,
            "size": scope.size,
            "tenant": scope.tenant,
            "tool": describe_tool(),
            "v": PACK_VERSION,
        }

    def _add_json(self, name: str, tree: Mapping[str, Any]) -> bytes:
        data = canonical.dumps(tree) + b"\n"
        self._archive.add(name, data)
        return data

    def _sign(self, description: Mapping[str, Any]) -> None:
        """Write `pack.json`, the manifest, and the signed statement about both."""
        self._add_json("pack.json", description)
        manifest = self._add_json("MANIFEST.json", {"members": list(self._archive.members), "v": PACK_VERSION})
        subjects = {"MANIFEST.json": manifest}
        envelope = sign_statement(self._signer, self._log, subjects, PREDICATE_TYPE, description)
        self._add_json("MANIFEST.dsse.json", envelope)


def _read_time_us(text: bytes) -> int:
    """The signed time of an entry. Members are sorted, so `ts_us` is the third last one."""
    number = text[text.rfind(_TIME_KEY) + len(_TIME_KEY) :].partition(b",")[0]
    if not number.isdigit():
        raise Tampered("malformed_entry", "an entry has no time", remedy="run `halo verify`")
    return int(number)


def _encode_entry(index: int, writer: str, text: bytes, signatures: bytes) -> bytes:
    """An entry as a line: its signed text as it is, and its signatures."""
    parts = (signatures[offset : offset + _SIGNATURE_BYTES] for offset in range(0, len(signatures), _SIGNATURE_BYTES))
    encoded_parts = '","'.join(map(encode_base64, parts))
    return b'{"entry":%b,"index":%d,"signatures":["%b"],"w":"%b"}' % (
        text,
        index,
        encoded_parts.encode(),
        writer.encode(),
    )


def _encode(tree: Mapping[str, Any]) -> bytes:
    return canonical.dumps(tree)
