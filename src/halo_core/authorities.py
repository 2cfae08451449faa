"""Room: authorities, who may issue passports and who may answer. Takes: a home. Gives: trusted keys. Never: signs.

Trust lies in a file of the home, `authorities.json`, and not in rows: who can write the database enrols nobody. A key
is trusted from `since_us` on and, once retired or withdrawn, no longer from `until_us`; it never comes back.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.errors import BadInput, ConfigError
from halo_core.keys import agent_key_name, key_id, require_strong
from halo_core.model import plain_name, same_person, unseen

__all__ = ["Approver", "Authorities", "Issuer", "Known", "approver_key_name", "parse_public_key"]

_NAME: Final = "authorities.json"
_MAX_FILE: Final = 4 * 1024 * 1024
_MAX_NAME: Final = 64
_INT_LIMIT: Final = 2**53
_OTHERS_WRITE: Final = 0o022
_ISSUER: Final = frozenset({"key", "since_us", "until_us"})
_APPROVER: Final = _ISSUER | {"name"}


class Issuer(NamedTuple):
    """A key that signs standing passports. `until_us` is None while it is in use."""

    public_key: bytes
    since_us: int
    until_us: int | None


class Approver(NamedTuple):
    """Somebody who may answer challenges. `until_us` is None until withdrawn."""

    name: str
    public_key: bytes
    since_us: int
    until_us: int | None


@dataclass(frozen=True, slots=True)
class Known:
    """What one tenant trusts.

    Args:
        issuers: thumbprint → key, those retired included.
        approvers: thumbprint → person and key, those withdrawn included.
        version: changes whenever the file's content does.
    """

    issuers: Mapping[str, Issuer] = field(default_factory=dict)
    approvers: Mapping[str, Approver] = field(default_factory=dict)
    version: str = ""

    def issuer_keys(self, at_us: int) -> dict[str, bytes]:
        """Thumbprint → public key of the issuers trusted at a time, microseconds since the epoch."""
        return {kid: item.public_key for kid, item in self.issuers.items() if _live(item, at_us)}

    def approver_keys(self, at_us: int) -> dict[str, tuple[str, bytes]]:
        """Thumbprint → (name, public key) of the approvers enrolled at a time."""
        return {kid: (item.name, item.public_key) for kid, item in self.approvers.items() if _live(item, at_us)}


_Signature = tuple[int, int, int]


class Authorities:
    """The trusted keys of a home, by tenant. Thread-safe; reading costs one `stat` while nothing changes.

    Args:
        home: folder of keys; made when something is first written.
    """

    __slots__ = ("_cached", "_home", "_place")

    def __init__(self, home: Path) -> None:
        self._home = home
        self._place = os.fspath(home / _NAME)
        self._cached: tuple[_Signature, dict[str, Known]] | None = None

    def load(self, tenant: str) -> Known:
        """What `tenant` trusts; nothing where there is no file, or the file does not name it.

        Raises:
            ConfigError: `bad_authorities`, the file is not what it should be; `key_permissions`, others may write it.
        """
        try:
            signature = _signature(os.lstat(self._place))
        except FileNotFoundError:
            return Known()
        except OSError as exc:
            raise _unreadable(self._home / _NAME, str(exc.strerror)) from exc
        cached = self._cached
        if cached is None or cached[0] != signature:
            cached = self._cached = _read(self._home)
        return cached[1].get(tenant) or Known()

    def tenants(self) -> list[str]:
        """Tenants that the file names; errors as `load`."""
        self.load("")
        return sorted(self._cached[1]) if self._cached is not None and (self._home / _NAME).exists() else []

    def add_issuer(self, tenant: str, public_key: bytes, since_us: int) -> str:
        """Trust a key to issue passports; its thumbprint. One that is trusted already stays as it is.

        Raises:
            BadInput: `weak_key`.
            ConfigError: `key_retired`, or as `load`.
        """
        require_strong(public_key)
        kid = key_id(public_key)
        with self._changing(tenant) as (issuers, approvers):
            _unused(kid, approvers, {})
            known = issuers.setdefault(kid, _plain(public_key, since_us))
            if known["until_us"] is not None:
                raise _retired(kid)
        return kid

    def retire_issuer(self, tenant: str, kid: str, at_us: int) -> int:
        """Trust a key no longer from `at_us` on, or from an earlier time that was set before; the time in force.

        Raises:
            ConfigError: `unknown_key`, or as `load`.
        """
        with self._changing(tenant) as (issuers, _):
            if kid not in issuers:
                raise ConfigError(
                    "unknown_key", f"`{kid[:64]}` is no issuer here", field="kid", remedy="see `halo keys report`"
                )
            return _end(issuers[kid], at_us)

    def add_approver(self, tenant: str, name: str, public_key: bytes, since_us: int) -> str:
        """Let somebody answer challenges; the key's thumbprint.

        Raises:
            BadInput: `weak_key`.
            ConfigError: `bad_approver`, the name cannot be one; `approver_exists`, the name has another key;
                `key_taken`, the key is somebody else's or an issuer's; `key_retired`; or as `load`.
        """
        require_strong(public_key)
        kid = key_id(public_key)
        _check_name(name)
        _check_seen(name)
        with self._changing(tenant) as (issuers, approvers):
            _unused(kid, issuers, {k: item for k, item in approvers.items() if item["name"] != name})
            if approvers.get(kid, {}).get("until_us") is not None:
                raise _retired(kid)
            others = (item for k, item in approvers.items() if k != kid and item["until_us"] is None)
            if any(same_person(item["name"], name) for item in others):
                raise ConfigError(
                    "approver_exists", f"`{name}` has another key", field="name", remedy="withdraw that one first"
                )
            approvers.setdefault(kid, {**_plain(public_key, since_us), "name": name})
        return kid

    def withdraw_approver(self, tenant: str, name: str, at_us: int) -> list[str]:
        """Let somebody answer no longer from `at_us` on; the thumbprints of the keys withdrawn.

        Raises:
            ConfigError: `unknown_approver`, or as `load`.
        """
        with self._changing(tenant) as (_, approvers):
            found = [kid for kid, item in approvers.items() if item["name"] == name and item["until_us"] is None]
            if not found:
                raise ConfigError(
                    "unknown_approver", f"`{name}` is not enrolled", field="name", remedy="see `halo approver list`"
                )
            for kid in found:
                _end(approvers[kid], at_us)
        return sorted(found)

    @contextmanager
    def _changing(self, tenant: str) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
        """Issuers and approvers of a tenant as trees; what the caller made of them is written, unless it raised."""
        path = self._home / _NAME
        with _locked(self._home):
            plain = _load_plain(self._home)[1] if path.exists() else {}
            _parse(path, plain, "")
            mine = plain.setdefault(tenant, {"approvers": {}, "issuers": {}})
            yield mine["issuers"], mine["approvers"]
            _parse(path, plain, "")  # INVARIANT: nothing is written that would be refused when read
            _write(path, plain)


def approver_key_name(name: str) -> str:
    """Name of an approver's key in a key folder, by the mapping of agents' keys: `approver-<name>`."""
    return "approver-" + agent_key_name(name).removeprefix("agent-")


def parse_public_key(text: str) -> bytes:
    """A public key from base64, either alphabet, with or without padding.

    Raises:
        ConfigError: `bad_key`, it is none.
        BadInput: `weak_key`.
    """
    plain = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            "bad_key", "a public key is 32 bytes in base64", field="public-key", remedy="see `halo keys report`"
        ) from None
    require_strong(key)
    return key


def _live(item: Issuer | Approver, at_us: int) -> bool:
    return item.since_us <= at_us and (item.until_us is None or at_us < item.until_us)


def _plain(public_key: bytes, since_us: int) -> dict[str, Any]:
    return {"key": base64.b64encode(public_key).decode("ascii"), "since_us": since_us, "until_us": None}


def _end(item: dict[str, Any], at_us: int) -> int:
    until = item["until_us"]
    ends: int = at_us if until is None else min(until, at_us)  # an end is never moved back
    item["until_us"] = ends = max(ends, item["since_us"])
    return ends


def _unused(kid: str, *others: Mapping[str, Any]) -> None:
    # INVARIANT: one key has one part: who issues does not approve, and nobody approves as two.
    if any(kid in known for known in others):
        raise ConfigError("key_taken", "the key is trusted for something else", field="public-key", remedy="make one")


def _retired(kid: str) -> ConfigError:
    return ConfigError("key_retired", f"key `{kid}` was retired, and stays so", field="kid", remedy="make a new key")


def _check_name(name: str) -> None:
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or not plain_name(name) or name != name.strip():
        raise ConfigError(
            "bad_approver",
            f"an approver's name is printable and has 1 to {_MAX_NAME} characters",
            field="name",
            remedy="name the person, for example `mia@bank.example`",
        )


def _check_seen(name: str) -> None:
    # Asked where somebody is enrolled, not where the file is read: one odd name must not bring down a home, and it is
    # compared without what nobody sees.
    if unseen(name):
        raise ConfigError(
            "bad_approver",
            "the name holds characters that nobody sees",
            field="name",
            remedy="type it anew, do not paste it",
        )


def _signature(status: os.stat_result) -> _Signature:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _unreadable(path: Path, why: str) -> ConfigError:
    return ConfigError("bad_authorities", f"`{path}`: {why}", field="home", remedy="restore it from a backup")


def _read(home: Path) -> tuple[_Signature, dict[str, Known]]:
    signature, plain, version = _load_plain(home)
    return signature, _parse(home / _NAME, plain, version)


def _load_plain(home: Path) -> tuple[_Signature, dict[str, Any], str]:
    path = home / _NAME
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            _refuse_foreign_writers(path, status, home.stat())
            data = file.read(_MAX_FILE + 1)
        plain = json.loads(data) if len(data) <= _MAX_FILE else None
    except (OSError, ValueError, RecursionError) as exc:
        raise _unreadable(path, f"cannot be read: {type(exc).__name__}") from exc
    if type(plain) is not dict:
        raise _unreadable(path, "it holds no map of tenants")
    return _signature(status), plain, hashlib.sha256(data).hexdigest()


def _refuse_foreign_writers(path: Path, status: os.stat_result, folder: os.stat_result) -> None:
    # INVARIANT: who can put a key here can answer for anybody, so nobody else may write the file or its folder.
    foreign = status.st_uid not in (os.geteuid(), 0) or status.st_mode & _OTHERS_WRITE
    if not stat.S_ISREG(status.st_mode):
        raise _unreadable(path, "it is no regular file")
    if foreign or folder.st_mode & _OTHERS_WRITE:
        where = path if foreign else path.parent
        raise ConfigError(
            "key_permissions", f"`{where}` can be written by others", field="home", remedy=f"run `chmod go-w {where}`"
        )


def _parse(path: Path, plain: Mapping[str, Any], version: str) -> dict[str, Known]:
    try:
        return {tenant: _known(item, version) for tenant, item in plain.items()}
    except (BadInput, KeyError, TypeError, ValueError) as exc:
        raise _unreadable(path, f"it is malformed: {exc}") from exc


def _known(plain: Any, version: str) -> Known:
    if type(plain) is not dict or plain.keys() != {"approvers", "issuers"}:
        raise ValueError("a tenant has issuers and approvers")
    issuers = {kid: Issuer(*_entry(kid, item, _ISSUER)) for kid, item in plain["issuers"].items()}
    approvers = {kid: Approver(item["name"], *_entry(kid, item, _APPROVER)) for kid, item in plain["approvers"].items()}
    for approver in approvers.values():
        _check_name(approver.name)
    _unused_by_both(issuers, approvers)
    return Known(issuers, approvers, version)


def _unused_by_both(issuers: Mapping[str, Issuer], approvers: Mapping[str, Approver]) -> None:
    for kid in approvers:
        _unused(kid, issuers)


def _entry(kid: str, plain: Any, names: frozenset[str]) -> tuple[bytes, int, int | None]:
    if type(plain) is not dict or plain.keys() != names:
        raise ValueError(f"expected exactly the members {', '.join(sorted(names))}")
    key = base64.b64decode(plain["key"], validate=True)
    require_strong(key)
    if key_id(key) != kid:
        raise ValueError(f"`{kid[:64]}` is not the thumbprint of its key")
    since, until = plain["since_us"], plain["until_us"]
    if not _is_time(since) or not (until is None or _is_time(until)):
        raise ValueError("times are microseconds since the epoch")
    return key, since, until


def _is_time(value: object) -> bool:
    return type(value) is int and 0 <= value < _INT_LIMIT


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(home / f"{_NAME}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as exc:
        raise ConfigError("key_home", f"cannot write to `{home}`: {exc.strerror}", field="home") from exc
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _write(path: Path, plain: Mapping[str, Any]) -> None:
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as file:
            file.write(json.dumps(plain, indent=2, sort_keys=True).encode("ascii") + b"\n")
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
        folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as exc:
        draft.unlink(missing_ok=True)
        raise ConfigError("key_home", f"cannot write `{path}`: {exc.strerror}", field="home") from exc
