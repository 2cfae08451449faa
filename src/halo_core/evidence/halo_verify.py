"""Check an evidence pack without Halo, and answer an auditor's questions from it.

    python halo_verify.py PACK.zip --key VKEY [denials]

It needs Python 3.11 or newer and PyNaCl. `docs/ledger-format.md` of Halo describes the formats.
Exit code: 0 everything holds, 1 something is wrong, 2 it cannot be told (no trusted key, a newer format, no such file).
"""

import argparse
import binascii
import hashlib
import json
import os
import re
import struct
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache, partial, reduce
from itertools import chain, repeat, starmap
from multiprocessing import get_context
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from nacl import bindings, exceptions

HOLDS, FAILS, CANNOT_TELL, ENTRY_VERSION, PACK_VERSION, MAX_NOTE, MAX_TREES = 0, 1, 2, 3, 1, 65_535, 4096
MAX_MEMBER, MAX_MEMBERS, MAX_DIRECTORY, MAX_FINDINGS, MIN_SHARED = 64 << 20, 65_534, 16 << 20, 100, 4 << 20
INT_LIMIT, MAX_DEPTH, MAX_NAME, HASH_BYTES, SIGNATURE_BYTES, NONCE_BYTES = 2**53, 240, 64, 32, 64, 24
DOMAIN, MANIFEST, ENVELOPE = re.compile(r"halo/[a-z]+/v[0-9]+"), "MANIFEST.json", "MANIFEST.dsse.json"
MAX_SIZES = dict.fromkeys((MANIFEST, ENVELOPE, "pack.json"), 16 << 20)  # parsed before anybody vouches for them
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}(/[a-z0-9][a-z0-9._-]{0,99})?|MANIFEST(\.dsse)?\.json|VERIFY\.md")
PAYLOAD_TYPE, STATEMENT_TYPE = "application/vnd.in-toto+json", "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://github.com/halo-agents/halo/evidence-pack/v1"
# The end of an entry's line. What matches is canonical, so it is not printed again.
LINE_END = re.compile(rb',"index":(0|[1-9]\d{0,14}),"signatures":\["([\w+/=]+)"(?:,"([\w+/=]+)")?],"w":"([\w.-]+)"}')
QUESTIONS = ("who-touched", "denials", "unfinished", "policies", "approvals")
_ROW = ("agent", "user", "action", "resource", "effect", "ran", "session")
_ANSWER = "request kind answer direction verdict links actor authn kid why".split()
TYPES = {"body": dict, "kind": str, "prev": str, "ts_us": int, "v": int, "ws": int}
ALL_TYPES = TYPES | {"assurance": str, "attached": str, "content": list, "session": str}
MALFORMED = (AttributeError, IndexError, KeyError, OverflowError, TypeError, ValueError, struct.error)


class Wrong(Exception):
    """A failed check: place, description, and a stable code."""

    def __init__(self, code: str, where: object, problem: str) -> None:
        super().__init__(f"{where}: {problem} ({code})")
        self.code = code


def require(holds: object, code: str, where: object, problem: str) -> None:
    """Raise `Wrong` unless it holds."""
    if not holds:
        raise Wrong(code, where, problem)


@lru_cache(maxsize=4096)
def _read_int(digits: str) -> int:
    if len(digits) > 15 and (len(digits) > 17 or abs(int(digits)) >= INT_LIMIT):
        raise ValueError("an integer of 2^53 or more")
    return int(digits)


_DECODER = json.JSONDecoder(parse_int=_read_int, parse_float=_read_int, parse_constant=_read_int)
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False, check_circular=False)


def to_json(tree: Any) -> bytes:
    """The canonical bytes of a tree: keys sorted, no blanks, characters as they are."""
    return _ENCODER.encode(tree).encode()


def _is_allowed(tree: Any, depth: int = 0) -> bool:
    names, items = (tree, tree.values()) if isinstance(tree, dict) else ((), tree if isinstance(tree, list) else ())
    return depth <= MAX_DEPTH and all(map(str.isascii, names)) and all(_is_allowed(item, depth + 1) for item in items)


def read_json(data: bytes, where: str) -> Any:
    """Parse canonical JSON; any other spelling of a value is refused."""
    with suppress(ValueError, RecursionError):
        tree, _ = _DECODER.raw_decode(text := data.decode())  # the comparison finds what follows the value
        is_simple = text.isascii() and text.count("{") + text.count("[") <= MAX_DEPTH
        if _ENCODER.encode(tree) == text and (is_simple or _is_allowed(tree)):
            return tree
    raise Wrong("not_canonical", where, "it is not JSON in canonical form")


def read_base64(text: Any, size: int | None = None) -> bytes:
    """Bytes of base64 in its one spelling; ValueError for anything else, or for another size."""
    data = binascii.a2b_base64(text)
    if binascii.b2a_base64(data, newline=False).decode() != text or size not in (None, len(data)):
        raise ValueError("not base64 in its one spelling, or of another size")
    return data


def split_line(line: bytes, where: str) -> tuple[bytes, int, list[str], str]:
    """The signed text, the position, the signatures and the writer of an entry, from its line."""
    end = LINE_END.fullmatch(line, cut := line.rfind(b',"index":'))
    if end is None or not line.startswith(b'{"entry":'):
        raise Wrong("malformed_entry", where, "it is no line of an entry")
    index, first, second, writer = (part.decode() for part in end.groups(b""))
    return line[9:cut], int(index), [first, second] if second else [first], writer


class Key(NamedTuple):
    """A verifier key, `name+hash+base64` (C2SP signed-note): its name, the hash over name and key, the Ed25519 key."""

    name: str
    hash: bytes
    public: bytes

    @classmethod
    def read(cls, text: str, where: str) -> "Key":
        name, hexed, encoded = text.strip().split("+", 2)
        raw = read_base64(encoded, 1 + HASH_BYTES)
        hashed = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        is_right = raw[:1] == b"\x01" and hexed == hashed.hex() and bindings.crypto_core_ed25519_is_valid_point(raw[1:])
        require(is_right, "bad_key", where, "it is not an Ed25519 verifier key, or a weak one")
        return cls(name, hashed, raw[1:])

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether an Ed25519 signature holds by libsodium's rules."""
        with suppress(exceptions.CryptoError, ValueError):
            return bool(bindings.crypto_sign_open(signature + message, self.public) == message)
        return False


def open_note(note: bytes, keys: Sequence[Key], where: object) -> bytes:
    """The text of a note that exactly these keys signed, in this order."""
    text, _, block = note.partition(b"\n\n")
    lines = block.split(b"\n")
    require(len(lines) == len(keys) + 1 and not lines[-1], "bad_signature", where, "it has other signatures")
    for line, key in zip(lines, keys, strict=False):
        prefix = f"\u2014 {key.name} ".encode()
        blob = read_base64(line[len(prefix) :].decode(), 4 + SIGNATURE_BYTES)
        is_right = line.startswith(prefix) and blob[:4] == key.hash and key.has_signed(text + b"\n", blob[4:])
        require(is_right, "bad_signature", where, f"it is not signed by {key.name}")
    return text + b"\n"


class Tree:
    """A growing Merkle tree (RFC 6962) by its frontier: the root of a perfect subtree for each bit of the size."""

    def __init__(self) -> None:
        self.size, self.levels = 0, dict[int, bytes]()

    def add(self, node: bytes, level: int = 0) -> None:
        """Add a leaf, or a perfect subtree of 2^level leaves at a position that is a multiple of its size."""
        require(level in range(63) and not self.size % (1 << level), "bad_proof", self.size, "no such subtree")
        self.size += 1 << level
        while level in self.levels:
            node = hashlib.sha256(b"\x01" + self.levels.pop(level) + node).digest()
            level += 1
        self.levels[level] = node

    def fill(self, gaps: Iterator[dict[str, Any]], size: int) -> None:
        while self.size < size:  # subtrees stand for entries that are not in the pack
            gap: Any = next(gaps, {"level": -1, "node": ""})
            self.add(read_base64(gap["node"]), gap["level"])

    def root(self) -> bytes:
        first, *others = [self.levels[level] for level in sorted(self.levels)] or [hashlib.sha256(b"").digest()]
        return reduce(lambda right, left: hashlib.sha256(b"\x01" + left + right).digest(), others, first)


class Archive:
    """A ZIP file determined by its names and contents; opening it checks the former, `read` the latter."""

    def __init__(self, file: BinaryIO, digests: dict[str, str] | None = None) -> None:
        self._file, self.path, self.digests, length = file, getattr(file, "name", ""), digests or {}, file.seek(0, 2)
        self.members: dict[str, tuple[int, int, int]] = {}  # name → checksum, size, offset of the content
        count, size, start = struct.unpack("<HII", self._take(max(length - 12, 0), 10))
        end = b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, count, count, size, start, 0)
        is_right = size <= MAX_DIRECTORY and count <= MAX_MEMBERS and start + size + len(end) == length
        require(is_right and self._take(start + size, len(end)) == end, "bad_archive", "the file", "its end is wrong")
        directory, position, offset = self._take(start, size), 0, 0
        for _ in range(count):
            crc, content_size, name_size = struct.unpack_from("<I4xIH", directory, position + 16)
            name = directory[position + 46 : position + 46 + name_size].decode("ascii")
            require(NAME.fullmatch(name), "bad_archive", "the directory", "a name is not allowed in a pack")
            common = struct.pack("<5H3I2H", 20, 0, 0, 0, 0x21, crc, content_size, content_size, len(name), 0)
            local, place = b"PK\x03\x04" + common + name.encode(), struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, offset)
            central = b"PK\x01\x02\x1e\x03" + common + place + name.encode()
            is_right = directory.startswith(central, position) and self._take(offset, len(local)) == local
            require(is_right, "bad_archive", name, "its headers are not those of a pack")
            position, offset = position + len(central), offset + len(local)
            self.members[name] = crc, content_size, offset
            offset += content_size
        self.unread = set(self.members)
        is_right = position == size and offset == start and len(set(map(str.lower, self.members))) == count
        require(is_right, "bad_archive", "the directory", "a name occurs twice, or something lies beside the members")

    def _take(self, offset: int, size: int) -> bytes:
        self._file.seek(offset)
        return self._file.read(size)

    def read(self, name: str) -> bytes:
        """The content of a member, which is as its header and the manifest say."""
        require(name in self.members, "member_missing", name, "it is not in the pack")
        crc, size, offset = self.members[name]
        require(size <= MAX_SIZES.get(name, MAX_MEMBER), "bad_archive", name, "it is larger than any member of a pack")
        data = self._take(offset, size)
        require(binascii.crc32(data) == crc, "bad_archive", name, "it does not have the checksum of its header")
        is_right = name in (MANIFEST, ENVELOPE) or self.digests.get(name) == hashlib.sha256(data).hexdigest()
        require(is_right, "member_altered", name, "the manifest has another digest")
        self.unread.discard(name)
        return data

    def read_tree(self, name: str) -> Any:
        return read_json(self.read(name).removesuffix(b"\n"), name)

    def read_lines(self, folder: str) -> Iterator[tuple[bytes, str]]:
        """Each line of `FOLDER/00000.jsonl` and so on, and where it is."""
        names = [name for name in self.members if name.startswith(f"{folder}/")]
        numbered = [f"{folder}/{number:05}.jsonl" for number in range(len(names))]
        require(names == numbered, "bad_archive", folder, "its files are not numbered from 0")
        for name in names:
            for number, line in enumerate(self.read(name).removesuffix(b"\n").split(b"\n"), 1):
                yield line, f"{name} line {number}"


def find_signers(path: str, digests: dict[str, str], keys: dict[str, Key], name: str) -> list[Key | None]:
    """For each entry of a member the listed key that alone signed it; None if there is no such key."""
    with Path(path).open("rb") as file:
        data, signers = Archive(file, digests).read(name), list[Key | None]()
    for line in data.removesuffix(b"\n").split(b"\n"):
        text, _, (signature, *others), writer = split_line(line, name)
        key, blob = keys.get(writer), read_base64(signature)
        is_right = key and not others and blob[:4] == key.hash and key.has_signed(text + b"\n", blob[4:])
        signers.append(key if is_right else None)
    return signers


class Pack:
    """The members of a pack, whose manifest is signed by the log's key."""

    def __init__(self, archive: Archive, key: Key | None) -> None:
        self.archive, self.scope = archive, (scope := self._check_manifest(archive, key))
        self.tenant, self.first, self.end, self.size = (scope[name] for name in ("tenant", "first", "end", "size"))
        self.period = scope["period"]["from_us"], scope["period"]["to_us"]
        self.keys = {key["w"]: Key.read(key["vkey"], "keys.json") for key in archive.read_tree("keys.json")["writers"]}
        self.commitments = {tree["subject"]: read_base64(tree["commitment"]) for tree in self.read("subjects")}
        self.revealed = {tree["index"]: tree for tree in self.read("revealed")}
        self.parts, self.shared = dict[str, bytes](), dict[str, bytes]()  # by a part's name, by its digest
        for tree in self.read("parts"):
            data = read_base64(tree["data"]) if "data" in tree else tree["text"].encode()
            digest = hashlib.sha256(tree["domain"].encode() + b"\0" + data)
            is_right = DOMAIN.fullmatch(tree["domain"]) and tree["name"] == f"sha256:{digest.hexdigest()}"
            require(is_right, "part_altered", f"part {tree['name']}", "its bytes do not have this digest")
            self.parts[tree["name"]] = data
            self.shared[binascii.b2a_base64(digest.digest(), newline=False).decode()] = data
        self._sealed = self.read("sealed")
        self._next = next(self._sealed, {"index": 2**62})

    def read(self, folder: str) -> Iterator[dict[str, Any]]:
        return starmap(read_json, self.archive.read_lines(folder))

    def _check_manifest(self, archive: Archive, key: Key | None) -> Any:
        envelope, manifest = archive.read_tree(ENVELOPE), archive.read_tree(MANIFEST)
        require(manifest["v"] == PACK_VERSION, "unknown_version", MANIFEST, "this program knows other packs")
        archive.digests = {item["name"]: item["sha256"] for item in manifest["members"]}
        is_whole = list(archive.members) == [*archive.digests, MANIFEST, ENVELOPE]
        require(is_whole, "bad_archive", MANIFEST, "the pack has other members than it names, or in another order")
        scope = archive.read_tree("pack.json")
        require(scope["format"] == ENTRY_VERSION, "unknown_version", "pack.json", "this program knows other entries")
        self.key = Key.read(scope["key"], "pack.json")
        is_right = key in (None, self.key) and self.key.name == f"halo/{scope['tenant']}/log"
        require(is_right, "other_key", "pack.json", "it is signed by another key than --key, or than its tenant's")
        payload, (signature,) = read_base64(envelope["payload"]), envelope["signatures"]
        digest = hashlib.sha256(archive.read(MANIFEST)).hexdigest()
        statement = {"_type": STATEMENT_TYPE, "predicate": scope, "predicateType": PREDICATE_TYPE}
        statement["subject"] = [{"digest": {"sha256": digest}, "name": MANIFEST}]
        signed_by = {"keyid": f"{self.key.name}+{self.key.hash.hex()}", "sig": signature["sig"]}
        form = {"payload": envelope["payload"], "payloadType": PAYLOAD_TYPE, "signatures": [signed_by]}
        is_right = envelope == form and payload == to_json(statement)
        require(is_right, "bad_manifest", ENVELOPE, "it is no statement about this manifest and this scope")
        signed = f"DSSEv1 {len(PAYLOAD_TYPE)} {PAYLOAD_TYPE} {len(payload)} ".encode() + payload
        is_right = self.key.has_signed(signed, read_base64(signature["sig"], SIGNATURE_BYTES))
        require(is_right, "bad_signature", ENVELOPE, "the statement is not signed by the log's key")
        return scope

    def read_sealed(self, index: int) -> dict[str, Any] | None:
        tree = self._next  # in the order of the entries
        if tree["index"] <= index:
            self._next = next(self._sealed, {"index": 2**62})
        require(tree["index"] >= index, "stray_content", f"sealed content of {tree['index']}", "there is no such entry")
        return tree if tree["index"] == index else None


def split_boxes(sealed: bytes) -> list[tuple[bytes, bytes, bytes]]:
    """Subject, nonce and ciphertext of each box; ValueError for other bytes."""
    boxes = []
    while sealed:
        start = 2 + int.from_bytes(sealed[:2], "big")
        size = int.from_bytes(sealed[start : start + 4], "big")
        rest, subject, sealed = sealed[start + 4 :][:size], sealed[2:start], sealed[start + 4 + size :]
        if len(rest) != size or size < NONCE_BYTES + 16:
            raise ValueError("the boxes are cut off")
        boxes.append((subject, rest[:NONCE_BYTES], rest[NONCE_BYTES:]))
    return boxes


def open_box(tenant: str, box: tuple[bytes, bytes, bytes], key: bytes) -> dict[str, str]:
    """The fields of a box, opened with the key of this one box."""
    subject, nonce, ciphertext = box
    framed = [len(item).to_bytes(4, "big") + item for item in (b"halo/content/v2", tenant.encode(), subject)]
    crypt, nonce = bindings.crypto_aead_chacha20poly1305_ietf_decrypt, bytes(4) + nonce[16:]
    plaintext, fields = crypt(ciphertext, b"".join(framed), nonce, key), dict[str, str]()
    while plaintext:
        name, rest = plaintext[1 : 1 + plaintext[0]], plaintext[1 + plaintext[0] :]
        size = 4 + int.from_bytes(rest[:4], "big")
        fields[name.decode()] = rest[4:size].decode(errors="backslashreplace")
        plaintext = rest[size:]
    return fields


class Entry(NamedTuple):
    """An entry; `facts` are those of a decision, `is_inside` says that the period spans it."""

    index: int  # type: ignore[assignment]  # hides `tuple.index`
    writer: str
    tree: dict[str, Any]
    leaf: bytes
    facts: dict[str, Any]
    is_inside: bool

    def __str__(self) -> str:
        return f"entry {self.index} ({self.writer}-{self.tree.get('ws')})"

    def is_in(self, period: tuple[int, int]) -> bool:
        return self.is_inside and period[0] <= self.tree["ts_us"] < period[1]

    def row(self, *names: str) -> dict[str, Any]:
        time = datetime.fromtimestamp(self.tree["ts_us"] / 1_000_000, UTC).isoformat(timespec="milliseconds")
        place = {"index": self.index, "time": time, "id": f"{self.writer}-{self.tree['ws']}"}
        return place | {name: self.facts[name] for name in names}


class Checker:
    """Checks every entry of a pack, and collects problems and counts."""

    def __init__(self, pack: Pack) -> None:
        self.pack, self.key = pack, pack.key
        # Writer → the number and leaf of its last entry, whether that closes it, and whether the period spans it.
        self._ends = dict[str, tuple[int, bytes, bool, bool]]()
        self.findings, self.counts, self.labels = list[Wrong](), Counter[str](), set[str]()
        self.last: Entry | None = None
        self.open_runs, self.writers, self._starts = dict[tuple[str, int], Entry](), dict[str, Key](), Counter[bytes]()
        self._parse_part = lru_cache(MAX_TREES)(lambda name: read_json(pack.shared[name], name))

    def run(self) -> Iterator[Entry]:
        """Check everything, and give each entry that holds, in the order of the log."""
        pack, tree, heads, gaps, first_us, last_us = self.pack, Tree(), self._read_heads(), self.pack.read("gaps"), 0, 0
        for folder, most in (("context", pack.first), ("entries", pack.end)):
            lines = zip(pack.archive.read_lines(folder), self._find_signers(folder), strict=False)
            for (line, place), signer in lines:
                text, index, signatures, name = split_line(line, place)
                tree.fill(gaps, index if folder == "context" else pack.first)
                names = f"halo/{pack.tenant}/w/{name}", self.key.name
                signed = "".join(map("\u2014 %s %s\n".__mod__, zip(names, signatures, strict=False)))
                leaf = hashlib.sha256(b"\0" + (note := text + b"\n\n" + signed.encode())).digest()
                entry = Entry(index, name, read_json(text, place), leaf, {}, folder == "entries")
                last_us = entry.tree["ts_us"]
                first_us = last_us if index == pack.first else first_us
                require(index == tree.size < most, "position_missing", entry, f"it is not at position {tree.size}")
                tree.add(leaf)
                try:
                    self._check_entry(entry, note, signer)
                    yield entry
                except (Wrong, *MALFORMED, exceptions.CryptoError) as exc:
                    form = Wrong("malformed_entry", entry, f"it has another form: {exc}")
                    self.report(exc if isinstance(exc, Wrong) else form)
                self._compare(heads, tree)
        require(tree.size == pack.end, "position_missing", f"position {tree.size}", f"there are none up to {pack.end}")
        spans = (pack.first == 0 or first_us < pack.period[0]) and (pack.end == pack.size or last_us >= pack.period[1])
        require(spans, "period_cut", "pack.json", "its positions do not reach beyond the period at both ends")
        tree.fill(gaps, pack.size)
        self._compare(heads, tree)
        is_whole = not heads and next(gaps, None) is None and read_base64(pack.scope["root"]) == tree.root()
        require(is_whole, "bad_checkpoint", "checkpoints", "they do not cover the entries of the pack")
        require(pack.keys == self.writers, "bad_writer_key", "keys.json", "it lists other keys than the log certified")
        require(not pack.revealed, "stray_content", "revealed", "it is of no entry with sealed content")
        pack.read_sealed(2**62)
        for name in sorted(pack.archive.unread):
            pack.archive.read(name)  # also what is not looked into

    def _find_signers(self, folder: str) -> Iterator[Key | None]:
        """For each entry the key that signed it, found by processes of low priority; None if none was found."""
        archive = self.pack.archive
        names = [name for name in archive.members if name.startswith(f"{folder}/")]
        with suppress(Exception):  # where processes fail, or cannot be had, nothing is verified ahead
            if sum(archive.members[name][1] for name in names) >= MIN_SHARED:
                with ProcessPoolExecutor(None, get_context("spawn"), getattr(os, "nice", abs), (3,)) as pool:
                    signers = pool.map(partial(find_signers, archive.path, archive.digests, self.pack.keys), names)
                    yield from chain.from_iterable(signers)
        yield from repeat(None)

    def report(self, problem: Wrong) -> None:
        if len(self.findings) < MAX_FINDINGS:
            self.findings.append(problem.with_traceback(None))  # a traceback would keep those processes

    def _read_heads(self) -> dict[int, bytes]:
        heads: dict[int, bytes] = {}  # size → root
        for tree in self.pack.read("checkpoints"):
            note, where = tree["note"].encode(), f"checkpoint {tree['size']}"
            origin, size, root, end = open_note(note, [self.key], where).decode().split("\n")
            is_right = origin == self.key.name and size == str(tree["size"]) and not end
            require(is_right, "bad_checkpoint", where, "it is of another log or size")
            heads[tree["size"]] = read_base64(root, HASH_BYTES)
        require(self.pack.size in heads, "bad_checkpoint", "checkpoints", "that of the whole pack is missing")
        return heads

    def _compare(self, heads: dict[int, bytes], tree: Tree) -> None:
        root = heads.pop(tree.size, None)  # a checkpoint of the tree so far: each continues the ones before
        self.counts["checkpoints"] += root is not None
        if root is not None and root != tree.root():
            self.report(Wrong("root_mismatch", f"checkpoint {tree.size}", "the entries do not lead to its root"))

    def _check_entry(self, entry: Entry, note: bytes, signer: Key | None) -> None:
        tree, name = entry.tree, entry.writer
        sealed_line = self.pack.read_sealed(entry.index) if entry.is_inside else None
        is_right = TYPES.keys() <= tree.keys() and [*map(type, tree.values())] == [*map(ALL_TYPES.get, tree)]
        is_right = is_right and len(name) <= MAX_NAME and len(note) <= MAX_NOTE
        require(is_right, "malformed_entry", entry, "members are missing, unknown or of another type")
        require(tree["v"] == ENTRY_VERSION, "unknown_version", entry, f"format {tree['v']} is unknown to this program")
        if is_first := tree["kind"] == "writer_open":
            key = Key.read(tree["body"]["vkey"], str(entry))
            is_right = key.name == f"halo/{self.pack.tenant}/w/{name}" and name not in self.writers
            require(is_right, "bad_writer_key", entry, "it does not open this writer")
            open_note(note, [key, self.key], entry)
            self.writers[name] = key
        require(name in self.writers, "writer_missing", entry, "the entry that certifies its writer's key is missing")
        self._check_chain(entry)
        if not is_first and signer != self.writers[name]:
            open_note(note, [self.writers[name]], entry)
        if entry.is_inside:
            self._check_attached(entry, sealed_line)
        if tree["kind"] == "decision":
            self._check_decision(entry)
        elif tree["kind"] == "outcome":
            self._check_outcome(entry)
        elif "hash" in tree["body"]:
            require(tree["body"]["hash"] in self.pack.parts, "part_missing", entry, "a part that it names is missing")
        resource = tree["body"].get("resource")  # of a registration; a decision has its name
        self.labels.update(resource["labels"] if isinstance(resource, dict) else entry.facts.get("labels", ()))
        self.counts["entries" if entry.is_inside else "entries from before"] += 1
        self.counts["dated in the period"] += entry.is_in(self.pack.period)
        self.last = entry

    def _check_chain(self, entry: Entry) -> None:
        last, leaf, is_closed, was_inside = self._ends.get(entry.writer, (-1, b"", False, False))
        kind, seq, prev = entry.tree["kind"], entry.tree["ws"], entry.tree["prev"]
        is_next = seq == last + 1 and prev == binascii.b2a_base64(leaf, newline=False).decode()
        # Of the entries before the period, and where it begins, the pack need not hold the entry before.
        may_skip = not was_inside and seq > last + 1 > 0 and read_base64(prev, HASH_BYTES)
        is_right = (is_next or may_skip) and (seq == 0) == (kind == "writer_open") and not is_closed
        is_closed = kind == "writer_close" and entry.tree["body"].get("writer", entry.writer) == entry.writer
        self._ends[entry.writer] = seq, entry.leaf, is_closed, entry.is_inside
        require(is_right, "chain_broken", entry, "it does not follow its writer's entry before")

    def _check_attached(self, entry: Entry, stored: dict[str, Any] | None) -> None:
        attached, revealed = entry.tree.get("attached"), self.pack.revealed.pop(entry.index, None)
        if stored is None:
            is_right = revealed is None and (attached is None or not self.pack.scope["sealed"])
            require(is_right, "content_missing", entry, "its sealed content is missing")
            return
        sealed, marks = (read_base64(stored.get(name, "")) for name in ("sealed", "marks"))
        boxes = split_boxes(sealed)
        commitments = b"".join(self.pack.commitments[subject.decode()] for subject, _, _ in boxes)
        lengths = struct.pack(">3I", len(commitments), len(sealed), len(marks))
        digest = hashlib.sha256(b"halo/attached/v3\0" + lengths + commitments + sealed + marks).digest()
        is_right = attached == binascii.b2a_base64(digest, newline=False).decode()
        require(is_right, "content_altered", entry, "the sealed content is not what the entry committed to")
        self.counts["sealed contents"] += 1
        if revealed is not None:
            opened = zip(boxes, (read_base64(key) for key in revealed["keys"]), strict=True)
            fields = dict(field for box, key in opened if key for field in open_box(self.pack.tenant, box, key).items())
            is_right = bool(fields) and fields == revealed["fields"]
            require(is_right, "content_altered", entry, "what is revealed is not what was sealed")
            self.counts["revealed contents"] += 1

    def _read_part(self, name: str, entry: Entry) -> Any:
        require(name in self.pack.shared, "part_missing", entry, f"the part {name} is missing")
        return self._parse_part(name)

    def _check_decision(self, entry: Entry) -> None:
        """Check that its parts are there and its request did not run before; fills in the facts for questions."""
        body, verdict = entry.tree["body"], entry.tree["body"].get("decision", {})
        frame, resource = self._read_part(body["frame"], entry), self._read_part(body["resource"], entry)
        host, effect = self._read_part(frame["host"], entry), verdict.get("effect", "allow")
        require(host["policy"] in self.pack.parts or not host["policy"], "part_missing", entry, "its policy is missing")
        require({*frame["chain"]} <= self.pack.shared.keys(), "part_missing", entry, "one of its passports is missing")
        facts, (kind, target) = entry.facts, (resource["kind"], resource["id"])
        facts |= {"agent": frame["agent"], "user": frame.get("user", ""), "action": kind, "resource": target}
        facts |= {"labels": resource["labels"], "effect": effect, "session": entry.tree.get("session", "")}
        facts["reasons"] = ",".join(dict.fromkeys(item["code"] for item in verdict.get("reasons", [])))
        facts["ran"] = body.get("dispatched", effect in ("allow", "monitor", "restrict"))
        if not facts["ran"]:
            return
        self.counts["actions that ran"] += 1
        self.open_runs[entry.writer, entry.tree["ws"]] = entry
        args = "blake2b-256:" + read_base64(body["args"], HASH_BYTES).hex() if body["args"] else ""
        run = [facts["session"], frame["agent"], body.get("turn", ""), body.get("call", ""), kind, target, args]
        if host["mode"] != "enforce" or resource["idempotent"]:
            return  # it may run any number of times
        facts["request"] = digest = hashlib.sha256(b"halo/request\0" + to_json(run)).digest()[:16]
        self._starts[digest] += 1
        require(self._starts[digest] <= 1, "dispatched_twice", entry, "its request ran before, and may run once")

    def _check_outcome(self, entry: Entry) -> None:
        """Check that its decision ran and has no other outcome. A paused action may run once more."""
        body, place = entry.tree["body"], entry.tree["body"]["decision"]
        name, seq = (entry.writer, place) if isinstance(place, int) else (place["w"], place["ws"])
        decision = self.open_runs.pop((name, seq), None)
        if decision is None or not (isinstance(place, int) or read_base64(place["leaf"]) == decision.leaf):
            raise Wrong("outcome_unmatched", entry, "its decision did not let an action run, or has an outcome")
        if body.get("status") == "paused" and "request" in decision.facts:
            self._starts[decision.facts["request"]] -= 1
        self.counts["outcomes"] += 1


def answer(checker: Checker, question: str, label: str) -> Iterator[dict[str, Any]]:
    """Check everything, and yield the rows of an answer."""
    now, period = {"mode": "", "policy": ""}, checker.pack.period
    for entry in checker.run():
        kind, body, is_in = entry.tree["kind"], entry.tree["body"], entry.is_in(period)
        if question == "who-touched" and is_in and label in entry.facts.get("labels", ()):
            yield entry.row(*_ROW)
        elif question == "denials" and is_in and entry.facts.get("effect") in ("challenge", "deny"):
            yield entry.row(*_ROW, "reasons")
        elif question == "approvals" and is_in and kind in ("approval", "override"):
            yield entry.row() | {name: body.get(name, "") for name in _ANSWER}
        elif question == "policies" and kind in now and (value := body.get("to", body.get("hash"))) != now[kind]:
            yield entry.row() | {"what": kind, "value": value, "before": body.get("from", now[kind])}
            now[kind] = value
    yield from (run.row(*_ROW) for run in checker.open_runs.values() if question == "unfinished" and run.is_in(period))


def show(value: Any) -> str:
    """A value without characters that a terminal would obey."""
    text = value if isinstance(value, str) else to_json(value).decode()
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def check_pack(path: Path, key: Key | None, question: str, label: str, out: TextIO) -> int:
    """Check a pack, print the rows of the answer if there is a question, and what was found; the exit code."""
    with path.open("rb") as file:
        checker, rows = Checker(Pack(Archive(file), key)), list[dict[str, Any]]()
        try:
            rows += answer(checker, question, label)
        except Wrong as problem:  # nothing after it can be checked
            checker.report(problem)
    scope = {name: checker.pack.scope[name] for name in ("tenant", "first", "end", "size", "root", "key")}
    scope["period"] = " to ".join(str(datetime.fromtimestamp(us / 1_000_000, UTC)) for us in checker.pack.period)
    as_of = f"# as of: {checker.last.row()['time']}, its last entry; not when it was made\n" if checker.last else ""
    out.write(f"# pack: {show(scope)}\n# checked: {show(checker.counts)}\n{as_of}")
    out.writelines(f"WRONG {show(str(problem))}\n" for problem in checker.findings)
    if checker.findings:
        return FAILS  # without an answer
    out.writelines("\t".join(map(show, line)) + "\n" for line in [*rows[:1], *(row.values() for row in rows)])
    out.write("# not seen: what did not pass through Halo, came later, or stays sealed; a second log under this key\n")
    if key is None or (question == "who-touched" and label not in checker.labels):
        no_key = "whose key this is: get it from the operator by another way, and give it with --key"
        no_label = f"who touched it: nothing in the pack has the label {show(label)}"
        out.write(f"CANNOT TELL {no_label if key else no_key}\n")
        return CANNOT_TELL
    if checker.last and checker.last.tree["ts_us"] < checker.pack.period[1] < 2**53 - 1:
        out.write(f"# the log of this pack ends before its period does: {checker.last.row()['time']}\n")
    out.write("VERIFIED: nothing was changed, removed or added\n" + f"{question}: {len(rows)} found\n" * bool(question))
    return FAILS if question == "unfinished" and rows else HOLDS


def main(arguments: Sequence[str] | None = None, out: TextIO = sys.stdout) -> int:
    """Run the command; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pack", type=Path)
    parser.add_argument("question", nargs="?", default="", choices=["", *QUESTIONS], help="what to answer besides")
    parser.add_argument("--key", default="", help="the log's verifier key, as the operator gave it to you")
    parser.add_argument("--label", default="", help="of who-touched: the data label, for example pii")
    options = parser.parse_intermixed_args(arguments)
    try:
        key = Key.read(options.key, "--key") if options.key else None
    except (Wrong, *MALFORMED):  # nothing is said of the pack
        parser.error("--key is no verifier key: copy all of it, as the operator gave it to you")
    try:
        return check_pack(options.pack, key, options.question, options.label, out)
    except (Wrong, OSError, *MALFORMED) as problem:
        form = problem if isinstance(problem, Wrong) else f"the pack has another form: {problem!r} (bad_pack)"
        is_unread = isinstance(problem, OSError)
        out.write(f"CANNOT TELL: {show(str(problem))}\n" if is_unread else f"WRONG {show(str(form))}\n")
        return CANNOT_TELL if is_unread or getattr(problem, "code", "") == "unknown_version" else FAILS


if __name__ == "__main__":
    sys.exit(main())
