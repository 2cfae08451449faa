"""Ed25519 keys, keyed digests, the files that hold them, and random ids. No other module handles a private key.

libsodium's rules are normative: a signature by a low-order key, a non-canonical point or an S out of range is none.
It does take ambiguous signatures under keys of mixed order, so every key passes `require_strong_key` where it is
enrolled. A key file is one line, `halo-key-v1 <kind> <base64 of 32 bytes>`, mode 0600, created once and never
overwritten.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
import secrets
import shlex
import stat
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final, NoReturn, Protocol

import uuid_utils
from nacl import bindings
from nacl.exceptions import BadSignatureError

from halo_core.crypto import canonical
from halo_core.crypto.sodium import sign_ed25519
from halo_core.errors import BadInput, ConfigError, make_read_error
from halo_core.failpoints import hit_failpoint
from halo_core.files import hold_file_lock

_SEED_BYTES: Final = 32
_KEY_NAME: Final = re.compile(r"[a-z0-9_][a-z0-9._-]{0,95}")
_KEY_LINE: Final = re.compile(rb"halo-key-v1 (ed25519|secret) ([A-Za-z0-9+/]{43}=)\n")
_MAX_FILE_BYTES: Final = 256
_HASHED_PREFIX: Final = "sha256-"
SECRETS: Final = ("content", "digest", "sketch")
"""Names of the symmetric secrets of a home; its other keys sign."""


class Signer(Protocol):
    """Signs with one Ed25519 key, wherever it is kept (a file here, a KMS elsewhere)."""

    @property
    def key_id(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        ...

    @property
    def public_key(self) -> bytes:
        """The public key, 32 bytes (RFC 8032)."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of a message, 64 bytes (RFC 8032)."""
        ...


class _Unpicklable:
    """A holder of secrets that cannot be copied out of the process by accident."""

    __slots__ = ()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        raise TypeError(f"`{type(self).__name__}` holds a secret and cannot be pickled or copied")


class Ed25519Signer(_Unpicklable):
    """Signs with a key in memory.

    Args:
        seed: 32 bytes (RFC 8032 private key).

    Raises:
        BadInput: `bad_key`, the seed has another length.
    """

    __slots__ = ("_key_id", "_secret", "public_key")

    public_key: bytes
    """The public key, 32 bytes."""

    def __init__(self, seed: bytes) -> None:
        if len(seed) != _SEED_BYTES:
            raise BadInput("bad_key", "an Ed25519 seed has 32 bytes", field="seed", remedy="give 32 random bytes")
        self.public_key, self._secret = bindings.crypto_sign_seed_keypair(seed)
        self._key_id = compute_key_thumbprint(self.public_key)

    @classmethod
    def generate(cls) -> Ed25519Signer:
        """Make a fresh key that lives in memory only."""
        return cls(secrets.token_bytes(_SEED_BYTES))

    @property
    def key_id(self) -> str:
        """RFC 7638 thumbprint of the public key."""
        return self._key_id

    def sign(self, message: bytes) -> bytes:
        """Sign a message; the signature has 64 bytes."""
        return sign_ed25519(message, self._secret)

    def __repr__(self) -> str:
        return f"Ed25519Signer(key_id={self._key_id!r})"


def verify_signature(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Check an Ed25519 signature by libsodium's rules; False for any malformed input, never an exception."""
    if len(signature) != bindings.crypto_sign_BYTES or len(public_key) != bindings.crypto_sign_PUBLICKEYBYTES:
        return False
    try:
        bindings.crypto_sign_open(signature + message, public_key)
    except BadSignatureError:
        return False
    return True


def find_wrong_signatures(batch: Sequence[tuple[bytes, bytes, bytes]]) -> list[int]:
    """Indexes of those of (public key, message, signature) that `verify_signature` refuses."""
    return [i for i, job in enumerate(batch) if not verify_signature(*job)]


def require_strong_key(public_key: bytes) -> None:
    """Refuse a key that could pass off signatures nobody made.

    Accepts canonical points of the prime-order subgroup only, which every honestly made key is.

    Raises:
        BadInput: `weak_key`, the key is malformed, non-canonical, of low order or of mixed order.
    """
    # INVARIANT: no key enters a passport or a trust list without passing here.
    if len(public_key) != bindings.crypto_sign_PUBLICKEYBYTES or not _is_valid_point(public_key):
        raise BadInput(
            "weak_key",
            "not a strong Ed25519 public key",
            field="public_key",
            remedy="make the key pair with an ordinary Ed25519 generator",
        )


@lru_cache(maxsize=1024)
def _is_valid_point(public_key: bytes) -> bool:
    """Whether 32 bytes are a point of the prime-order subgroup, remembered: each session names its agent's key."""
    return bool(bindings.crypto_core_ed25519_is_valid_point(public_key))


def compute_key_thumbprint(public_key: bytes) -> str:
    """JWK thumbprint (RFC 7638, RFC 8037 section 2): 43 characters of base64url."""
    jwk = {"crv": "Ed25519", "kty": "OKP", "x": encode_b64url(public_key)}
    return encode_b64url(hashlib.sha256(canonical.dumps(jwk)).digest())


_URL_SIGNS: Final = bytes.maketrans(b"+/", b"-_")


def encode_base64(data: bytes) -> str:
    """Base64 with padding (RFC 4648 section 4), as in entries and files."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def encode_b64url(data: bytes) -> str:
    """Base64url without padding (RFC 7515 section 2)."""
    # A decision makes several, and `base64.urlsafe_b64encode` is three calls.
    return binascii.b2a_base64(data, newline=False).translate(_URL_SIGNS, b"=").decode("ascii")


KEYED_DIGEST: Final = "blake2b-256:"
"""How the digests of a `Digester` begin."""


class Digester(_Unpicklable):
    """Keyed digests, domain-separated: a low-entropy value is never hashed without a key.

    Args:
        secret: 32 bytes.

    Raises:
        BadInput: `bad_key`, the secret has another length.
    """

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != _SEED_BYTES:
            raise BadInput("bad_key", "a digest secret has 32 bytes", field="secret", remedy="give 32 random bytes")
        self._secret = secret

    def digest(self, domain: str, data: bytes) -> str:
        """Keyed BLAKE2b-256 (RFC 7693) over `domain`, a NUL byte and `data`: `blake2b-256:` and 64 hex digits.

        Raises:
            BadInput: `bad_domain`, the domain is not ASCII or holds a NUL.
        """
        if not domain.isascii() or "\0" in domain:
            problem, remedy = "a digest domain must be ASCII without NUL", "use a short word such as `args`"
            raise BadInput("bad_domain", problem, field="domain", remedy=remedy)
        mac = hashlib.blake2b(domain.encode("ascii") + b"\0" + data, digest_size=32, key=self._secret)
        return KEYED_DIGEST + mac.hexdigest()

    def make_reference(self, domain: str, data: bytes) -> str:
        """Keyed BLAKE2b-128 (RFC 7693) over `domain`, a NUL byte and `data`: 22 characters of base64url."""
        mac = hashlib.blake2b(domain.encode("ascii") + b"\0" + data, digest_size=16, key=self._secret)
        return encode_b64url(mac.digest())

    def __repr__(self) -> str:
        return "Digester()"


def make_agent_key_name(agent: str) -> str:
    """Name of an agent's key: `agent-<id>`, or `agent-sha256-<32 hex>` where the id is no safe file name."""
    name = f"agent-{agent}"
    if _KEY_NAME.fullmatch(name) and not agent.startswith(_HASHED_PREFIX):
        return name
    mapped = hashlib.sha256(agent.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"agent-{_HASHED_PREFIX}{mapped}"


class KeyStore:
    """Keys in files of one directory, made at first use.

    Args:
        home: directory; created with mode 0700.

    Raises:
        ConfigError: `key_permissions` others may write to the directory; `key_home` it cannot be made.
    """

    __slots__ = ("_home",)

    def __init__(self, home: Path) -> None:
        self._home = home
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = home.stat().st_mode
        except OSError as exc:
            remedy = "set HALO_HOME, or `home=`, to a folder on a writable local disk"
            problem = f"cannot use `{home}`: {exc.strerror}"
            raise ConfigError("key_home", problem, field="HALO_HOME", remedy=remedy) from exc
        if mode & 0o022:
            # Whoever can rename files here can put their own key in place of ours.
            raise _make_permission_error(home, "the directory is writable by others", "700")

    @property
    def home(self) -> Path:
        """The directory in which the keys are."""
        return self._home

    def names(self) -> tuple[str, ...]:
        """Names of the keys present, sorted."""
        return tuple(sorted(path.stem for path in self._home.glob("*.key") if _KEY_NAME.fullmatch(path.stem)))

    def has(self, name: str) -> bool:
        """Whether a key of this name is present, without a look at all others."""
        return bool(_KEY_NAME.fullmatch(name)) and os.path.lexists(self._home / f"{name}.key")

    def signer(self, name: str) -> Ed25519Signer:
        """The Ed25519 key `name`, made if there is none.

        Raises:
            ConfigError: `key_name`, `key_permissions`, `key_malformed` or `key_unwritable`.
        """
        return Ed25519Signer(self._load_or_create(name, "ed25519"))

    def secret(self, name: str) -> bytes:
        """The 32-byte symmetric secret `name`, made if there is none; errors as `signer`."""
        return self._load_or_create(name, "secret")

    def read_line(self, name: str) -> bytes:
        """The key file `name` as it is, to be sealed and sent to another host; never made here.

        Raises:
            ConfigError: `no_key`, there is none; or as `signer`.
        """
        path = self._find_path(name)
        return _format_key_line(_find_key_kind(name), _require_key(path, _find_key_kind(name)))

    def add_line(self, name: str, line: bytes) -> bool:
        """Put a key that another host sent into the file `name`; False if that very key is there already.

        Raises:
            ConfigError: `other_key`, another key is there; `key_malformed`, the line is none of this kind.
        """
        path, kind = self._find_path(name), _find_key_kind(name)
        seed = _parse_key_line(path, line, kind)
        is_new = _create_key_file(path, kind, seed)
        # INVARIANT: no key of a home is ever replaced.
        if not secrets.compare_digest(_require_key(path, kind), seed):
            raise ConfigError(
                "other_key", f"`{path}` holds another key", field=name, remedy="use an empty folder as the home"
            )
        return is_new

    def replace_secret(self, name: str, old: bytes, new: bytes) -> bool:
        """Put a secret in the place of another one, and overwrite the file of that; False if it is not that one.

        Only a content key is ever replaced, by an erasure, so that old copies of a database cannot be opened with it.

        Raises:
            ConfigError: as `signer`.
        """
        path = self._find_path(name)
        with hold_file_lock(path.with_name(f"{path.name}.lock")):
            current = _read_key_file(path, "secret")
            if current is None or not secrets.compare_digest(current, old):
                return False
            for leftover in path.parent.glob(f".{path.name}.*"):  # of a process that was killed here
                _overwrite_file(leftover)
                leftover.unlink()
            temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
            try:
                _write_key_file(temporary, "secret", new)
                hit_failpoint("content_key_written")
                handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
                try:
                    temporary.replace(path)
                    _sync_directory(path.parent)
                    _overwrite(handle)
                finally:
                    os.close(handle)
            except OSError as exc:
                problem, remedy = f"cannot write `{path}`: {exc.strerror}", "make HALO_HOME writable, and run it again"
                raise ConfigError("key_unwritable", problem, field=name, remedy=remedy) from exc
        return True

    def _find_path(self, name: str) -> Path:
        if not _KEY_NAME.fullmatch(name):
            raise ConfigError(
                "key_name",
                f"`{name[:64]}` is not a valid key name",
                field="name",
                remedy="use a-z, 0-9, `.`, `_` and `-`",
            )
        return self._home / f"{name}.key"

    def _load_or_create(self, name: str, kind: str) -> bytes:
        path = self._find_path(name)
        seed = _read_key_file(path, kind)
        if seed is None:
            _create_key_file(path, kind, secrets.token_bytes(_SEED_BYTES))
            seed = _read_key_file(path, kind)
        if seed is None:
            problem, remedy = f"`{path}` disappeared while it was created", "find out what removes files from HALO_HOME"
            raise ConfigError("key_unwritable", problem, field=name, remedy=remedy)
        return seed


def load_secret_file(path: Path, *, create: bool = False) -> bytes:
    """The 32-byte secret of a key file anywhere, made if there is none and `create`.

    Raises:
        ConfigError: `no_key`, there is none; `key_permissions`, `key_malformed` or `key_unwritable`.
    """
    if create:
        _create_key_file(path, "secret", secrets.token_bytes(_SEED_BYTES))
    return _require_key(path, "secret")


def _require_key(path: Path, kind: str) -> bytes:
    seed = _read_key_file(path, kind)
    if seed is None:
        raise ConfigError("no_key", f"there is no key file `{path}`", field=path.stem, remedy="check the path")
    return seed


def _find_key_kind(name: str) -> str:
    """The kind in the line of a key file: `secret` or `ed25519`."""
    return "secret" if name in SECRETS else "ed25519"


def _format_key_line(kind: str, seed: bytes) -> bytes:
    return f"halo-key-v1 {kind} {base64.b64encode(seed).decode('ascii')}\n".encode("ascii")


def _create_key_file(path: Path, kind: str, seed: bytes) -> bool:
    """Write a key file unless the name is taken; whether it was written."""
    is_new = False
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        _write_key_file(temporary, kind, seed)
        # INVARIANT: the name appears once, whole: a link fails where the name exists, and the loser reads the winner's.
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(temporary)
            is_new = True
        temporary.unlink()
        _sync_directory(path.parent)
    except OSError as exc:
        temporary.unlink(missing_ok=True)
        raise ConfigError(
            "key_unwritable",
            f"cannot write `{path}`: {exc.strerror}",
            field=path.stem,
            remedy="put HALO_HOME on a writable local disk",
        ) from exc
    return is_new


def _write_key_file(path: Path, kind: str, seed: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(_format_key_line(kind, seed))
        file.flush()
        os.fsync(file.fileno())


def _overwrite_file(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        _overwrite(handle)
    finally:
        os.close(handle)


def _overwrite(handle: int) -> None:
    """Write zeros over a file that is about to go, or has lost its name; what the disk keeps is not known."""
    os.pwrite(handle, bytes(os.fstat(handle).st_size), 0)
    os.fsync(handle)


def _sync_directory(home: Path) -> None:
    handle = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_key_file(path: Path, kind: str) -> bytes | None:
    try:
        # Non-blocking, so that a FIFO in a key's place cannot hang the process.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as exc:
        remedy = "make it a file of its own that this user can read, with mode 600"
        raise make_read_error(path, exc, field=path.stem, code="key_malformed", remedy=remedy) from exc
    with os.fdopen(handle, "rb") as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            remedy = "put the key itself there"
            raise ConfigError("key_malformed", f"`{path}` is not a regular file", field=path.stem, remedy=remedy)
        if status.st_mode & 0o077 or status.st_uid not in (os.geteuid(), 0):
            raise _make_permission_error(path, "the key can be read by others", "600", _list_loose_keys(path))
        data = file.read(_MAX_FILE_BYTES)
    return _parse_key_line(path, data, kind)


def _parse_key_line(path: Path, data: bytes, kind: str) -> bytes:
    line = _KEY_LINE.fullmatch(data)
    seed = base64.b64decode(line[2]) if line else b""
    if not line or line[1].decode("ascii") != kind or base64.b64encode(seed) != line[2]:
        raise ConfigError(
            "key_malformed",
            f"`{path}` is not a key file of type {kind}",
            field=path.stem,
            remedy="restore it from a backup, or move it away to generate a new key",
        )
    return seed


def _make_permission_error(path: Path, why: str, mode: str, others: Sequence[Path] = ()) -> ConfigError:
    """The error for a path whose mode lets others in; its remedy is for `others` of the same kind, too."""
    paths = " ".join(shlex.quote(str(item)) for item in (path, *others))
    return ConfigError("key_permissions", f"`{path}`: {why}", field=path.name, remedy=f"run `chmod {mode} {paths}`")


def _list_loose_keys(path: Path) -> list[Path]:
    """Other key files beside one that others can read, too."""
    loose_keys = []
    for other in sorted(path.parent.glob("*.key")):
        with contextlib.suppress(OSError):
            if other != path and other.lstat().st_mode & 0o077:
                loose_keys.append(other)
    return loose_keys


class IdSource(Protocol):
    """Source of identifiers; tests pass a counting one."""

    def new_token_id(self) -> str:
        """Id of a passport or an approval token: UUIDv7 (RFC 9562), time-ordered."""
        ...

    def new_short_id(self) -> str:
        """Twelve lowercase hex digits, for writers, calls and sessions."""
        ...


class RandomIds:
    """Ids from the operating system's generator."""

    __slots__ = ()

    def new_token_id(self) -> str:
        """Return a UUIDv7."""
        return str(uuid_utils.uuid7())

    def new_short_id(self) -> str:
        """Return 48 random bits in hex."""
        return os.urandom(6).hex()
