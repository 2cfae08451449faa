"""The archive of an evidence pack: a ZIP file whose bytes follow from names and contents alone, and its signature.

Members are stored uncompressed, with a fixed time and mode and without extra fields. So two runs give the same file,
and a verifier knows what each byte must be.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import encode_base64
from halo_core.errors import ConfigError

if TYPE_CHECKING:
    from halo_core.crypto.keys import Signer
    from halo_core.ledger import Vkey

_PAYLOAD_TYPE: Final = "application/vnd.in-toto+json"
_STATEMENT_TYPE: Final = "https://in-toto.io/Statement/v1"
_SEGMENT: Final = 4 << 20
_MAX_ARCHIVE: Final = (1 << 32) - 1
_MAX_MEMBERS: Final = 65_534
_MAX_MEMBER: Final = 64 << 20


class PackArchive:
    """Writes a ZIP file of stored members, of which every byte follows from names and contents."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._digest = hashlib.sha256()
        self._central: list[bytes] = []
        self._offset = 0
        self.members: list[dict[str, str | int]] = []

    def add(self, name: str, data: bytes) -> None:
        """Write a member.

        Raises:
            ConfigError: `pack_too_large`.
        """
        if len(data) > _MAX_MEMBER or len(self._central) >= _MAX_MEMBERS:
            raise _make_size_error()
        encoded, size = name.encode("ascii"), len(data)
        # Version 2.0, no flags, stored, 1 January 1980, no extra fields; made on Unix, a regular file (mode 0644).
        common = struct.pack("<5H3I2H", 20, 0, 0, 0, 0x21, zlib.crc32(data), size, size, len(encoded), 0)
        place = struct.pack("<3H2I", 0, 0, 0, 0o100644 << 16, self._offset)
        self._central.append(b"PK\x01\x02\x1e\x03" + common + place + encoded)
        self._write(b"PK\x03\x04" + common + encoded)
        self._write(data)
        self.members.append({"bytes": size, "name": name, "sha256": hashlib.sha256(data).hexdigest()})

    def close(self) -> tuple[int, str]:
        """Write the central directory; size and SHA-256 of the file."""
        start, directory, count = self._offset, b"".join(self._central), len(self._central)
        self._write(directory)
        self._write(b"PK\x05\x06" + struct.pack("<4H2IH", 0, 0, count, count, len(directory), start, 0))
        return self._offset, self._digest.hexdigest()

    def _write(self, data: bytes) -> None:
        if self._offset + len(data) > _MAX_ARCHIVE:
            raise _make_size_error()
        self._offset += len(data)
        self._digest.update(data)
        self._file.write(data)


def _make_size_error() -> ConfigError:
    remedy = "choose a shorter period, or leave sealed content out with `--no-sealed`"
    return ConfigError("pack_too_large", "the pack would be larger than 4 GiB", field="from", remedy=remedy)


class LineWriter:
    """Writes lines into members `FOLDER/00000.jsonl` and so on, of about 4 MiB each."""

    def __init__(self, archive: PackArchive, folder: str) -> None:
        self._archive, self._folder = archive, folder
        self._lines: list[bytes] = []
        self._size = self._number = 0
        self.count = 0

    def add(self, line: bytes) -> None:
        self._lines.append(line)
        self._size += len(line) + 1
        self.count += 1
        if self._size >= _SEGMENT:
            self.close()

    def close(self) -> None:
        if self._lines:
            self._lines.append(b"")
            self._archive.add(f"{self._folder}/{self._number:05}.jsonl", b"\n".join(self._lines))
            self._number += 1
            self._lines, self._size = [], 0


def sign_statement(
    signer: Signer, key: Vkey, subjects: Mapping[str, bytes], predicate_type: str, predicate: Mapping[str, Any]
) -> dict[str, Any]:
    """An in-toto Statement v1 in a DSSE envelope.

    Args:
        signer: signs it.
        key: the signer's verifier key; name and hash of it are the key id.
        subjects: name → bytes of what it is about.
        predicate_type: URI of the form of the predicate.
        predicate: a tree of the canonical profile.
    """
    digests = {name: hashlib.sha256(data).hexdigest() for name, data in sorted(subjects.items())}
    statement = {
        "_type": _STATEMENT_TYPE,
        "predicate": predicate,
        "predicateType": predicate_type,
        "subject": [{"digest": {"sha256": digest}, "name": name} for name, digest in digests.items()],
    }
    payload = canonical.dumps(statement)
    signed = f"DSSEv1 {len(_PAYLOAD_TYPE)} {_PAYLOAD_TYPE} {len(payload)} ".encode("ascii") + payload
    signature = {"keyid": f"{key.name}+{key.hash.hex()}", "sig": encode_base64(signer.sign(signed))}
    return {"payload": encode_base64(payload), "payloadType": _PAYLOAD_TYPE, "signatures": [signature]}
