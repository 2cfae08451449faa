"""Room: what signs webhooks. Takes: private files, keys. Gives: signatures. Never: shows a secret.

Standard Webhooks 1.0: `v1` is HMAC-SHA-256 under a secret that both sides have, `v1a` Ed25519 under ours.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import stat
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from halo_core.errors import ConfigError
from halo_core.keys import Signer

__all__ = ["keyed", "public_key", "read_private", "secrets_of", "signed_by"]

_MAX_FILE: Final = 4096
_PREFIX: Final = "whsec_"
_LEAST: Final = 24
_MOST: Final = 64


def read_private(path: Path, field: str) -> list[str]:
    """Lines of a file that only its owner can read.

    Raises:
        ConfigError: `secret_file`, it cannot be read, is empty or too long; `secret_permissions`, others can read it.
    """
    try:
        # Non-blocking, so that a FIFO in its place cannot hang the process.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        why, remedy = f"cannot read `{path}`: {exc.strerror}", "name a file that holds it, readable by you alone"
        raise ConfigError("secret_file", why, field=field, remedy=remedy) from exc
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise ConfigError("secret_file", f"`{path}` is no regular file", field=field, remedy="name a file")
        if status.st_mode & 0o077:
            raise ConfigError(
                "secret_permissions", f"`{path}` can be read by others", field=field, remedy=f"run `chmod 600 {path}`"
            )
        data = file.read(_MAX_FILE + 1)
    lines = data.decode("ascii", "replace").split()
    if not lines or len(data) > _MAX_FILE:
        raise ConfigError("secret_file", f"`{path}` is empty or too long", field=field, remedy="one line for each")
    return lines


def secrets_of(path: Path) -> list[bytes]:
    """Secrets of a file, one a line: the new one first, while an old one is being replaced.

    Raises:
        ConfigError: see `read_private`; `bad_secret`.
    """
    return [_secret(line, path) for line in read_private(path, "secret-file")]


def _secret(line: str, path: Path) -> bytes:
    try:
        key = base64.b64decode(line.removeprefix(_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not line.startswith(_PREFIX) or not _LEAST <= len(key) <= _MOST:
        # From None: the error beneath may quote the line.
        raise ConfigError(
            "bad_secret",
            f"`{path}` holds a line that is no webhook secret",
            field="secret-file",
            remedy=f"write `{_PREFIX}` and {_LEAST} to {_MOST} random bytes in base64",
        ) from None
    return key


def keyed(secrets: Sequence[bytes]) -> Callable[[bytes], str]:
    """Signatures `v1`, one for each secret."""

    def sign(signed: bytes) -> str:
        return " ".join(f"v1,{_text(hmac.digest(key, signed, 'sha256'))}" for key in secrets)

    return sign


def signed_by(signer: Signer) -> Callable[[bytes], str]:
    """A signature `v1a`."""

    def sign(signed: bytes) -> str:
        return f"v1a,{_text(signer.sign(signed))}"

    return sign


def public_key(signer: Signer) -> str:
    """What a receiver checks `v1a` with."""
    return f"whpk_{_text(signer.public_key)}"


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
