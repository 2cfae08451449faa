"""Packs for tests: taken apart, changed, and put together again, with or without the key that must sign them."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from halo_core.crypto.keys import Ed25519Signer
from halo_core.evidence import halo_verify
from halo_core.evidence.archive import PackArchive, sign_statement
from halo_core.evidence.pack import PREDICATE_TYPE
from halo_core.ledger import format_vkey, log_origin, make_vkey
from halo_core.ledger.checkpoints import sign_checkpoint
from halo_core.ledger.notes import sign_note, writer_name
from halo_core.ledger.tree import CompactRange, leaf_hash

CONFORMANCE = Path(__file__).parent / "conformance"
SEALS = ("MANIFEST.json", "MANIFEST.dsse.json")
Members = dict[str, bytes]


def load_key(name: str) -> Ed25519Signer:
    """The log's key of a base; it protects nothing."""
    line = (CONFORMANCE / f"{name}.key").read_bytes().split()
    return Ed25519Signer(base64.b64decode(line[-1]))


def vkey_of(signer: Any, tenant: str = "local") -> str:
    return format_vkey(make_vkey(log_origin(tenant), signer.public_key))


def load_base(name: str) -> bytes:
    """A good pack of the conformance set."""
    return lzma.decompress((CONFORMANCE / f"{name}.zip.xz").read_bytes())


def read_members(data: bytes) -> Members:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def store(members: Mapping[str, bytes]) -> bytes:
    """The archive of these members as they are."""
    out = io.BytesIO()
    archive = PackArchive(out)
    for name, data in members.items():
        archive.add(name, data)
    archive.close()
    return out.getvalue()


def dump(tree: Any) -> bytes:
    return halo_verify.to_json(tree)


def list_members(members: Mapping[str, bytes]) -> bytes:
    """The manifest of these members."""
    listed = [
        {"bytes": len(data), "name": name, "sha256": hashlib.sha256(data).hexdigest()} for name, data in members.items()
    ]
    return dump({"members": listed, "v": 1}) + b"\n"


def seal(members: Mapping[str, bytes], signer: Any) -> bytes:
    """The archive of these members with a new manifest, as somebody with this key would sign it."""
    content = {name: data for name, data in members.items() if name not in SEALS}
    manifest = list_members(content)
    key = make_vkey(log_origin("local"), signer.public_key)
    scope = json.loads(content["pack.json"])
    envelope = sign_statement(signer, key, {SEALS[0]: manifest}, PREDICATE_TYPE, scope)
    return store({**content, SEALS[0]: manifest, SEALS[1]: dump(envelope) + b"\n"})


def read_lines(members: Mapping[str, bytes], folder: str) -> list[dict[str, Any]]:
    data = b"".join(members[name] for name in sorted(members) if name.startswith(f"{folder}/"))
    return [json.loads(line) for line in data.splitlines()]


def put_lines(members: Members, folder: str, lines: list[Any]) -> Members:
    return {**members, f"{folder}/00000.jsonl": b"".join(dump(line) + b"\n" for line in lines)}


def put_tree(members: Members, name: str, **changes: Any) -> Members:
    return {**members, name: dump({**json.loads(members[name]), **changes}) + b"\n"}


def sign_again(members: Members, log: Any, change: Callable[[list[dict[str, Any]]], None]) -> Members:
    """A whole pack as somebody who has every key would write it: texts changed, chains, leaves and roots made anew."""
    lines = read_lines(members, "entries")
    change(lines)
    tree, heads, written = CompactRange(), [], []
    chains: dict[str, tuple[int, str]] = {}
    signers = {line["w"]: Ed25519Signer(hashlib.sha256(line["w"].encode()).digest()) for line in lines}
    for index, line in enumerate(lines):
        entry, writer = line["entry"], line["w"]
        seq, prev = chains.get(writer, (0, ""))
        entry |= {"prev": prev, "ws": seq}
        signed_by = [(writer_name("local", writer), signers[writer])]
        if entry["kind"] == "writer_open":
            own = format_vkey(make_vkey(signed_by[0][0], signers[writer].public_key))
            entry["body"]["vkey"] = line.pop("vkey", own)
            signed_by.append((log_origin("local"), log))
        note = sign_note(dump(entry) + b"\n", signed_by)
        leaf = leaf_hash(note)
        chains[writer] = seq + 1, base64.b64encode(leaf).decode()
        tree.append(leaf)
        signatures = [row.rsplit(b" ", 1)[1].decode() for row in note.split(b"\n\n", 1)[1].splitlines()]
        written.append({"entry": entry, "index": index, "signatures": signatures, "w": writer})
    heads.append({"note": sign_checkpoint("local", tree.size, tree.root(), log).decode(), "size": tree.size})
    keys = [
        {"vkey": format_vkey(make_vkey(writer_name("local", name), signer.public_key)), "w": name}
        for name, signer in sorted(signers.items())
    ]
    root = base64.b64encode(tree.root()).decode()
    members = put_lines(put_lines(members, "entries", written), "checkpoints", heads)
    members = put_tree(members, "keys.json", writers=keys)
    # Content belongs to positions, which may be others now.
    members = {name: data for name, data in members.items() if not name.startswith(("sealed/", "revealed/", "gaps/"))}
    return put_tree(members, "pack.json", end=tree.size, size=tree.size, root=root, sealed=False)


def inspect(data: bytes, vkey: str) -> list[str]:
    """Codes of what the verifier finds wrong; empty where the pack verifies."""
    try:
        key = halo_verify.Key.read(vkey, "--key")
        checker = halo_verify.Checker(halo_verify.Pack(halo_verify.Archive(io.BytesIO(data)), key))
        try:
            for _ in checker.run():
                pass
        except halo_verify.Wrong as exc:
            checker.report(exc)
    except halo_verify.Wrong as exc:
        return [exc.code]
    except halo_verify.MALFORMED:
        return ["bad_pack"]
    return [item.code for item in checker.findings]


def run_verifier(path: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and output of the verifier."""
    out = io.StringIO()
    return halo_verify.main([str(path), *arguments], out), out.getvalue()


def raw_member(name: str, data: bytes, offset: int, **more: int) -> tuple[bytes, bytes]:
    """Local header with data, and central header, of a member as any ZIP program might write it."""
    method, mode, size = more.get("method", 0), more.get("mode", 0o100644), more.get("size", len(data))
    common = struct.pack(
        "<5H3I2H", 20, 0, method, 0, 0x21, more.get("crc", zlib.crc32(data)), len(data), size, len(name), 0
    )
    place = struct.pack("<3H2I", 0, 0, 0, mode << 16, offset)
    central = b"PK\x01\x02\x1e\x03" + common + place + name.encode()
    return b"PK\x03\x04" + common + name.encode() + data, central


def raw_archive(*members: tuple[str, bytes, dict[str, int]]) -> bytes:
    body, directory = b"", b""
    for name, data, more in members:
        local, central = raw_member(name, data, len(body), **more)
        body, directory = body + local, directory + central
    count = len(members)
    return body + directory + b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, count, count, len(directory), len(body), 0)
