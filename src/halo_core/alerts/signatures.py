"""Secrets and signatures of webhooks (Standard Webhooks 1.0).

A webhook is signed with `v1` (HMAC-SHA-256 with a secret that both sides have) or `v1a` (Ed25519 with the home's key).
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

from halo_core.crypto.keys import Signer, encode_base64
from halo_core.errors import ConfigError

_MAX_FILE: Final = 4096
_KEY_PREFIX: Final = "whsec_"
_MIN_SECRET_BYTES: Final = 24
_MAX_SECRET_BYTES: Final = 64


def read_private(path: Path, field: str) -> list[str]:
    """Read the lines of a file that only its owner can read.

    Raises:
        ConfigError: `secret_file`, it cannot be read, is empty or too long; `secret_permissions`, others can read it.
    """

    def refuse(message: str, remedy: str, code: str = "secret_file") -> ConfigError:
        return ConfigError(code, message, field=field, remedy=remedy)

    try:
        # Non-blocking, so that a FIFO in its place cannot hang the process.
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as exc:
        remedy = "give a file that contains it and that only you can read"
        raise refuse(f"cannot read `{path}`: {exc.strerror}", remedy) from exc
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise refuse(f"`{path}` is not a regular file", "give a regular file")
        if status.st_mode & 0o077:
            raise refuse(f"`{path}` can be read by others", f"run `chmod 600 {path}`", "secret_permissions")
        data = file.read(_MAX_FILE + 1)
    lines = data.decode("ascii", "replace").split()
    if not lines or len(data) > _MAX_FILE:
        raise refuse(f"`{path}` is empty or too long", "write one secret per line")
    return lines


def read_secrets(path: Path) -> list[bytes]:
    """Read the webhook secrets of a file, one a line: the new one first while an old one is being replaced.

    Raises:
        ConfigError: see `read_private`; `bad_secret`.
    """
    return [_decode_secret(line, path) for line in read_private(path, "secret-file")]


def _decode_secret(line: str, path: Path) -> bytes:
    try:
        key = base64.b64decode(line.removeprefix(_KEY_PREFIX).encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not line.startswith(_KEY_PREFIX) or not _MIN_SECRET_BYTES <= len(key) <= _MAX_SECRET_BYTES:
        # From None: the error beneath may quote the line.
        problem = f"`{path}` has a line that is not a webhook secret"
        remedy = f"write `{_KEY_PREFIX}` and {_MIN_SECRET_BYTES} to {_MAX_SECRET_BYTES} random bytes in base64"
        raise ConfigError("bad_secret", problem, field="secret-file", remedy=remedy) from None
    return key


def make_hmac_signer(secrets: Sequence[bytes]) -> Callable[[bytes], str]:
    """A function that signs with `v1` signatures, one for each secret."""
    return lambda content: " ".join(f"v1,{encode_base64(hmac.digest(key, content, 'sha256'))}" for key in secrets)


def make_ed25519_signer(signer: Signer) -> Callable[[bytes], str]:
    """A function that signs with a `v1a` signature."""
    return lambda content: f"v1a,{encode_base64(signer.sign(content))}"


def format_public_key(signer: Signer) -> str:
    """The public key with which a receiver verifies `v1a`."""
    return f"whpk_{encode_base64(signer.public_key)}"
