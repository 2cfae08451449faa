"""What the hosts of a store share, sealed in a file: `export_home` writes it, `import_home` unpacks it elsewhere.

A bundle holds the keys of the store (log, content, digest and sketch key), `authorities.json`, `trust.json`, the policy
and the manifest; on request the issuer's key, and the keys of agents that run on several hosts. Anchors, stops, locks
and the keys of approvers stay where they are, and a writer's key is never in a file.

It is encrypted and authenticated with a secret from a key file (XChaCha20-Poly1305). It does not use the recipient's
public key, because anybody can encrypt to a public key: whoever could replace the bundle on its way would choose the
keys of the importing host. A shared secret also serves a fleet whose hosts are not known beforehand: bundle and key are
two mounted secrets. It is no passphrase, because one that people can remember can be guessed.

    halo-home-bundle 1 LF, nonce (24 bytes), ciphertext with its tag; the first line is authenticated with it
    plaintext: canonical JSON {"files": {name: base64 of its bytes}, "v": 1}
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
import stat
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.crypto.keys import SECRETS, KeyStore, encode_base64, load_secret_file, make_agent_key_name
from halo_core.crypto.sodium import AEAD_NONCE_BYTES, open_xchacha20_poly1305, seal_xchacha20_poly1305
from halo_core.errors import BadInput, CanonicalError, ConfigError, Tampered, make_read_error, make_write_error
from halo_core.files import replace_file, sync_folder
from halo_core.quick_dataclass import dataclass
from halo_core.store.log_checkpoints import load_trusted_keys, trust_log_key

_VERSION: Final = 1
_HEADER: Final = re.compile(rb"halo-home-bundle ([0-9]{1,4})\n")
_MAX_BUNDLE: Final = 16 * 1024 * 1024
_STORE_KEYS: Final = (*SECRETS, "log")
_TRUST: Final = "trust.json"
_SHARED_FILES: Final = ("agents.yaml", "authorities.json")
_KEY: Final = re.compile(r"(content|digest|sketch|log|issuer|agent-[a-z0-9._-]{1,90})\.key")
_POLICY: Final = re.compile(r"policy/[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\.cedar")


@dataclass(frozen=True, slots=True)
class HomeBundle:
    """The content of a bundle.

    Args:
        files: names, relative to the home, sorted.
        logs: tenant → verifier key of its log, by which two hosts see that they share a store.
        written: names that an import added or replaced.
    """

    files: tuple[str, ...]
    logs: Mapping[str, str]
    written: tuple[str, ...] = ()


def export_home(
    home: Path, path: Path, key_path: Path, *, agents: Iterable[str] = (), with_issuer: bool = False
) -> HomeBundle:
    """Seal everything that the store's other hosts need into a new file.

    Args:
        home: the home of a host that has used the store.
        path: path of the bundle; it must not exist.
        key_path: path of the key file that opens it, created if missing. Send the two by different ways.
        agents: whose keys are included; needed where one agent runs on several hosts.
        with_issuer: include the issuer's key; needed where several hosts make passports (`Halo.local` without issued
            ones, `halo passport issue`).

    Raises:
        ConfigError: `no_key`, `no_trust`, `file_exists`, or a file cannot be read or written.
    """
    keys, logs = KeyStore(home), load_trusted_keys(home)
    if not logs:
        problem = f"`{home}` has no trusted key, so it belongs to no store yet"
        raise ConfigError("no_trust", problem, field="home", remedy="run your app once with this home")
    names = [*_STORE_KEYS, *(["issuer"] if with_issuer else []), *map(make_agent_key_name, agents)]
    files = {f"{name}.key": keys.read_line(name) for name in names}
    files[_TRUST] = canonical.dumps(logs)
    texts = [*(home / name for name in _SHARED_FILES), *sorted((home / "policy").glob("*.cedar"))]
    files |= {str(item.relative_to(home)): _read_file(item) for item in texts if item.exists()}
    for name in files:
        _require_known_name(name)
    tree = {"files": {name: encode_base64(data) for name, data in files.items()}, "v": _VERSION}
    header, nonce = b"halo-home-bundle %d\n" % _VERSION, secrets.token_bytes(AEAD_NONCE_BYTES)
    if path.exists():
        raise _make_exists_error(path)
    secret = load_secret_file(key_path, create=True)
    _create_file(path, header + nonce + seal_xchacha20_poly1305(canonical.dumps(tree), header, nonce, secret))
    return HomeBundle(tuple(sorted(files)), logs)


def import_home(home: Path, path: Path, key_path: Path, *, update: bool = False) -> HomeBundle:
    """Unpack a bundle into a home: all of it, or nothing if any file there differs.

    May be run again, also after a crash: what is there already stays.

    Args:
        home: a folder that is empty or does not exist, or the home of a host of the same store.
        path: path of the bundle.
        key_path: path of the key file that opens it.
        update: replace policy, manifest and authorities of the home. Keys are never replaced.

    Raises:
        ConfigError: `other_key`, `log_key_changed` or `home_differs` (without `update`), `bundle_version`, or a file
            cannot be read or written.
        Tampered: `bad_bundle`, the key is another one, or the bundle was changed.
    """
    # Mounted secrets are often links.
    files = _open_bundle(_read_file(path.resolve()), load_secret_file(key_path.resolve()))
    logs = _parse_trust(files.pop(_TRUST))
    key_names = [name for name in files if name.endswith(".key")]
    keys = KeyStore(home)
    different = sorted(name for name, data in files.items() if _differs(home / name, data))
    if other := [name for name in different if name in key_names]:
        raise ConfigError(
            "other_key",
            f"`{home / other[0]}` holds another key",
            field="home",
            remedy="use an empty folder as the home",
        )
    trusted = load_trusted_keys(home)
    for tenant, vkey in logs.items():
        if trusted.get(tenant, vkey) != vkey:
            problem = f"`{home}` trusts another log key for tenant `{tenant}`"
            raise ConfigError("log_key_changed", problem, field="home", remedy="use an empty folder as the home")
    if different and not update:
        raise ConfigError(
            "home_differs",
            f"`{home}` has another `{different[0]}`",
            field="home",
            remedy="use `--update` to replace policy, manifest and authorities by those of the bundle",
        )
    written = [name for name in key_names if keys.add_line(name.removesuffix(".key"), files[name])]
    for name in files.keys() - set(key_names):
        written += _write_shared_file(home / name, files[name], name)
    # Last: until the log's key is trusted here, no store is opened with half of a bundle.
    written += [_TRUST] * (not logs.items() <= trusted.items())
    for tenant, vkey in logs.items():
        trust_log_key(home, tenant, vkey)
    return HomeBundle(tuple(sorted((*files, _TRUST))), logs, tuple(sorted(written)))


def _open_bundle(data: bytes, secret: bytes) -> dict[str, bytes]:
    header = _HEADER.match(data)
    if header is None:
        raise Tampered("bad_bundle", "the file is no bundle of a home", remedy="name a file of `halo home export`")
    if int(header[1]) != _VERSION:
        raise ConfigError(
            "bundle_version",
            f"the bundle has format {int(header[1])}, but this version of Halo needs {_VERSION}",
            field="path",
            remedy="export it again with this version of Halo",
        )
    start = header.end()
    nonce, ciphertext = data[start : start + AEAD_NONCE_BYTES], data[start + AEAD_NONCE_BYTES :]
    plaintext = open_xchacha20_poly1305(ciphertext, header[0], nonce, secret)
    if plaintext is None:
        raise Tampered(
            "bad_bundle", "the key is another one, or the bundle was changed", remedy="get both again from their source"
        )
    return _parse_files(plaintext)


def _parse_files(plaintext: bytes) -> dict[str, bytes]:
    try:
        tree: Any = canonical.loads(plaintext)
        files = {name: base64.b64decode(text, validate=True) for name, text in tree["files"].items()}
    except (CanonicalError, binascii.Error, LookupError, TypeError, AttributeError) as exc:
        raise Tampered("bad_bundle", "the bundle is malformed", remedy="export it again") from exc
    missing = sorted({_TRUST, *(f"{name}.key" for name in _STORE_KEYS)} - files.keys())
    if missing:
        raise Tampered("bad_bundle", f"the bundle lacks `{missing[0]}`", remedy="export it again")
    for name in files:
        _require_known_name(name)
    return files


def _require_known_name(name: str) -> None:
    """INVARIANT: a bundle writes nothing but the files of a home that are meant to be shared."""
    if not (name in (*_SHARED_FILES, _TRUST) or _KEY.fullmatch(name) or _POLICY.fullmatch(name)):
        raise BadInput(
            "bad_name", f"`{name[:100]}` cannot be part of a bundle", field="files", remedy="rename the file"
        )


def _parse_trust(data: bytes) -> dict[str, str]:
    try:
        tree: Any = canonical.loads(data)
    except CanonicalError as exc:
        raise Tampered("bad_bundle", "the bundle is malformed", remedy="export it again") from exc
    if type(tree) is not dict or not all(type(value) is str for value in tree.values()):
        raise Tampered("bad_bundle", "the bundle is malformed", remedy="export it again")
    return tree


def _differs(path: Path, data: bytes) -> bool:
    """Whether the path holds anything else."""
    return os.path.lexists(path) and _read_file(path) != data


def _read_file(path: Path) -> bytes:
    """The bytes of a regular file.

    Raises:
        ConfigError: `no_file`, `file_too_large`.
    """
    try:
        # Non-blocking, so that a FIFO in its place cannot hang the process.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            if not stat.S_ISREG(os.fstat(handle).st_mode):
                remedy = "give the bundle itself, or the key itself"
                raise ConfigError("no_file", f"`{path}` is not a regular file", field=path.name, remedy=remedy)
            data = file.read(_MAX_BUNDLE + 1)
    except OSError as exc:
        raise make_read_error(path, exc, field=path.name) from exc
    if len(data) > _MAX_BUNDLE:
        problem, remedy = f"`{path}` has more than {_MAX_BUNDLE} bytes", "give a file that `halo home export` wrote"
        raise ConfigError("file_too_large", problem, field=path.name, remedy=remedy)
    return data


def _write_shared_file(path: Path, data: bytes, name: str) -> list[str]:
    """Write a file unless it exists; returns its name if it was written."""
    if os.path.lexists(path) and _read_file(path) == data:
        return []
    _report_unwritable(path, lambda: path.parent.mkdir(mode=0o700, parents=True, exist_ok=True))
    _report_unwritable(path, lambda: replace_file(path, data))
    return [name]


def _create_file(path: Path, data: bytes) -> None:
    """Write a new file durably, readable by its owner alone."""

    def write() -> None:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        sync_folder(path.parent)

    try:
        _report_unwritable(path, write)
    except FileExistsError as exc:
        raise _make_exists_error(path) from exc


def _report_unwritable(path: Path, step: Callable[[], object]) -> None:
    try:
        step()
    except FileExistsError:
        raise
    except OSError as exc:
        raise make_write_error(path, exc, field=path.name) from exc


def _make_exists_error(path: Path) -> ConfigError:
    return ConfigError("file_exists", f"`{path}` exists", field=path.name, remedy="name a new file")
