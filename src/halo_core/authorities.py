"""The keys that a home trusts to issue passports and to answer challenges, in its file `authorities.json`.

They are in a file, not in the database, so that whoever can write the database cannot add one. A key is trusted from
`since_us` on and, once retired or withdrawn, no longer from `until_us`; it cannot be enrolled again.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import field
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.crypto.canonical import INT_LIMIT
from halo_core.crypto.keys import compute_key_thumbprint, encode_base64, make_agent_key_name, require_strong_key
from halo_core.errors import BadInput, ConfigError, make_write_error
from halo_core.files import hold_file_lock, replace_file
from halo_core.model import has_invisible_characters, normalize_name, same_person
from halo_core.quick_dataclass import dataclass

_FILE_NAME: Final = "authorities.json"
_MAX_FILE_BYTES: Final = 4 * 1024 * 1024
_MAX_NAME: Final = 64
_WRITABLE: Final = "make HALO_HOME writable, with space left"
_WRITABLE_BY_OTHERS: Final = 0o022
_ISSUER_FIELDS: Final = frozenset({"key", "since_us", "until_us"})
_APPROVER_FIELDS: Final = _ISSUER_FIELDS | {"name"}


class TrustRecord(NamedTuple):
    """A key that signs standing passports or, with a `name`, a person who may answer challenges.

    `until_us` is None until it is retired or withdrawn.
    """

    public_key: bytes
    since_us: int
    until_us: int | None
    name: str = ""


@dataclass(frozen=True, slots=True)
class TrustedKeys:
    """The keys that one tenant trusts.

    Args:
        issuers: thumbprint → key, those retired included.
        approvers: thumbprint → person and key, those withdrawn included.
        operators: thumbprint → person who may sign control acts, and key, those withdrawn included.
        version: changes whenever the file's content does.
    """

    issuers: Mapping[str, TrustRecord] = field(default_factory=dict)
    approvers: Mapping[str, TrustRecord] = field(default_factory=dict)
    version: str = ""
    operators: Mapping[str, TrustRecord] = field(default_factory=dict)

    def issuer_keys(self, at_us: int) -> dict[str, bytes]:
        """Thumbprint → public key of the issuers trusted at a time, microseconds since the epoch."""
        return {kid: item.public_key for kid, item in self.issuers.items() if _is_valid_at(item, at_us)}

    def approver_keys(self, at_us: int) -> dict[str, tuple[str, bytes]]:
        """Thumbprint → (name, public key) of the approvers enrolled at a time."""
        return {kid: (item.name, item.public_key) for kid, item in self.approvers.items() if _is_valid_at(item, at_us)}

    def list_people(self, at_us: int) -> dict[str, TrustRecord]:
        """Thumbprint → person of those who may sign control acts at a time: operators and approvers."""
        people = {**self.approvers, **self.operators}
        return {kid: item for kid, item in people.items() if _is_valid_at(item, at_us)}


_FileSignature = tuple[int, int, int]


class Authorities:
    """The trusted keys of a home, by tenant. Thread-safe; reading costs one `stat` while the file is unchanged.

    Args:
        home: folder of keys; made when something is first written.
    """

    __slots__ = ("_cached", "_home", "_path")

    def __init__(self, home: Path) -> None:
        self._home = home
        self._path = os.fspath(home / _FILE_NAME)
        self._cached: tuple[_FileSignature, dict[str, TrustedKeys]] | None = None

    def load(self, tenant: str) -> TrustedKeys:
        """The keys that `tenant` trusts; none if there is no file or the file does not name it.

        Raises:
            ConfigError: `bad_authorities`, the file is not what it should be; `key_permissions`, others may write it.
        """
        try:
            status = os.lstat(self._path)
        except FileNotFoundError:
            return TrustedKeys()
        except OSError as exc:
            raise _make_unreadable_error(self._home / _FILE_NAME, str(exc.strerror)) from exc
        cached, signature = self._cached, (status.st_mtime_ns, status.st_size, status.st_ino)
        if cached is None or cached[0] != signature:
            cached = self._cached = _read_file(self._home)
        return cached[1].get(tenant) or TrustedKeys()

    def tenants(self) -> list[str]:
        """Tenants that the file names; raises like `load`."""
        return sorted(_read_file(self._home)[1]) if (self._home / _FILE_NAME).exists() else []

    def add_issuer(self, tenant: str, public_key: bytes, since_us: int) -> str:
        """Trust a key to issue passports, unless it is already trusted; returns its thumbprint.

        Raises:
            BadInput: `weak_key`.
            ConfigError: `key_retired`, or as `load`.
        """
        require_strong_key(public_key)
        kid = compute_key_thumbprint(public_key)
        with self._edit_tenant(tenant) as tree:
            issuers = tree["issuers"]
            _require_unused(kid, tree["approvers"], tree["operators"])
            record = issuers.setdefault(kid, _make_record(public_key, since_us))
            if record["until_us"] is not None:
                raise _make_retired_error(kid)
        return kid

    def retire_issuer(self, tenant: str, kid: str, at_us: int) -> int:
        """Stop trusting a key from `at_us` on, or from an earlier time already set; returns the time in force.

        Raises:
            ConfigError: `unknown_key`, or as `load`.
        """
        with self._edit_tenant(tenant) as tree:
            issuers = tree["issuers"]
            if kid not in issuers:
                raise ConfigError(
                    "unknown_key", f"`{kid[:64]}` is not an issuer here", field="kid", remedy="see `halo keys report`"
                )
            return _end_validity(issuers[kid], at_us)

    def add_person(self, tenant: str, name: str, public_key: bytes, since_us: int, *, role: str) -> str:
        """Let somebody act as `approver` or `operator` (both sign control acts); returns the key's thumbprint.

        Raises:
            BadInput: `weak_key`.
            ConfigError: `bad_approver`, the name cannot be one; `approver_exists`, the person has another key;
                `key_taken`, the key is somebody else's or an issuer's; `key_retired`; or as `load`.
        """
        require_strong_key(public_key)
        kid = compute_key_thumbprint(public_key)
        _check_name(name)
        # Only here and not when the file is read: one odd name must not make a home unusable.
        if has_invisible_characters(name):
            message = "the name contains invisible characters"
            raise ConfigError("bad_approver", message, field="name", remedy="type the name instead of pasting it")
        with self._edit_tenant(tenant) as tree:
            people, other_role = tree[f"{role}s"], "operators" if role == "approver" else "approvers"
            others_keys = {k: item for k, item in people.items() if item["name"] != name}
            _require_unused(kid, tree["issuers"], tree[other_role], others_keys)
            if people.get(kid, {}).get("until_us") is not None:
                raise _make_retired_error(kid)
            # INVARIANT: one person has one key, whatever the role, so that two signatures are of two people.
            others = (item for k, item in {**tree[other_role], **people}.items() if k != kid)
            if any(item["until_us"] is None and same_person(item["name"], name) for item in others):
                raise ConfigError(
                    "approver_exists", f"`{name}` has another key", field="name", remedy="withdraw that key first"
                )
            people.setdefault(kid, {**_make_record(public_key, since_us), "name": name})
        return kid

    def withdraw_person(self, tenant: str, name: str, at_us: int, *, role: str) -> list[str]:
        """Stop accepting somebody in a role from `at_us` on; returns the thumbprints of the withdrawn keys.

        Raises:
            ConfigError: `unknown_approver`, or as `load`.
        """
        with self._edit_tenant(tenant) as tree:
            people = tree[f"{role}s"]
            withdrawn = [kid for kid, item in people.items() if item["name"] == name and item["until_us"] is None]
            if not withdrawn:
                raise ConfigError(
                    "unknown_approver", f"`{name}` is not enrolled", field="name", remedy=f"see `halo {role} list`"
                )
            for kid in withdrawn:
                _end_validity(people[kid], at_us)
        return sorted(withdrawn)

    @contextmanager
    def _edit_tenant(self, tenant: str) -> Iterator[dict[str, dict[str, Any]]]:
        """The keys of a tenant as trees, by plural role; the caller's changes are written unless it raises."""
        path = self._home / _FILE_NAME
        with _home_lock(self._home):
            tree = _load_tree(self._home)[1] if path.exists() else {}
            _parse_tenants(path, tree, "")
            tenant_tree = tree.setdefault(tenant, {"approvers": {}, "issuers": {}})
            operators = tenant_tree.setdefault("operators", {})
            yield tenant_tree
            if not operators:
                del tenant_tree["operators"]
            _parse_tenants(path, tree, "")  # INVARIANT: nothing is written that would be refused when read
            try:
                replace_file(path, json.dumps(tree, indent=2, sort_keys=True).encode("ascii") + b"\n")
            except OSError as exc:
                raise make_write_error(path, exc, field="home", code="key_home", remedy=_WRITABLE) from exc


def make_approver_key_name(name: str) -> str:
    """File name of an approver's key in a key folder, encoded like agents' keys: `approver-<name>`."""
    return make_person_key_name("approver", name)


def make_person_key_name(role: str, name: str) -> str:
    """File name of a person's key in a key folder: `approver-<name>` or `operator-<name>`."""
    return f"{role}-" + make_agent_key_name(name).removeprefix("agent-")


def parse_public_key(text: str) -> bytes:
    """Parse a public key in base64, standard or URL-safe, with or without padding.

    Raises:
        ConfigError: `bad_key`, it is none.
        BadInput: `weak_key`.
    """
    encoded = text.strip().rstrip("=").replace("-", "+").replace("_", "/")
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise ConfigError(
            "bad_key", "a public key is 32 bytes in base64", field="public-key", remedy="see `halo keys report`"
        ) from None
    require_strong_key(key)
    return key


def _is_valid_at(item: TrustRecord, at_us: int) -> bool:
    return item.since_us <= at_us and (item.until_us is None or at_us < item.until_us)


def _make_record(public_key: bytes, since_us: int) -> dict[str, Any]:
    return {"key": encode_base64(public_key), "since_us": since_us, "until_us": None}


def _end_validity(item: dict[str, Any], at_us: int) -> int:
    until = item["until_us"]
    end_us: int = at_us if until is None else min(until, at_us)  # an end is never moved back
    item["until_us"] = end_us = max(end_us, item["since_us"])
    return end_us


def _require_unused(kid: str, *others: Mapping[str, Any]) -> None:
    # INVARIANT: one key has one role: an issuer does not approve, and nobody approves as two people.
    if any(kid in records for records in others):
        raise ConfigError(
            "key_taken", "the key is already trusted for another purpose", field="public-key", remedy="use another key"
        )


def _make_retired_error(kid: str) -> ConfigError:
    return ConfigError(
        "key_retired", f"key `{kid}` was retired and cannot be used again", field="kid", remedy="make a new key"
    )


def _check_name(name: str) -> None:
    if not 0 < len(name) <= _MAX_NAME or not name.isprintable() or not normalize_name(name) or name != name.strip():
        raise ConfigError(
            "bad_approver",
            f"the name of an approver must have 1 to {_MAX_NAME} printable characters",
            field="name",
            remedy="use the person's name, for example `mia@bank.example`",
        )


def _file_signature(status: os.stat_result) -> _FileSignature:
    return status.st_mtime_ns, status.st_size, status.st_ino


def _make_unreadable_error(path: Path, why: str) -> ConfigError:
    return ConfigError("bad_authorities", f"`{path}`: {why}", field="home", remedy="restore it from a backup")


def _read_file(home: Path) -> tuple[_FileSignature, dict[str, TrustedKeys]]:
    signature, tree, version = _load_tree(home)
    return signature, _parse_tenants(home / _FILE_NAME, tree, version)


def _load_tree(home: Path) -> tuple[_FileSignature, dict[str, Any], str]:
    path = home / _FILE_NAME
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(handle, "rb") as file:
            status = os.fstat(file.fileno())
            _refuse_foreign_writers(path, status, home.stat())
            data = file.read(_MAX_FILE_BYTES + 1)
        tree = json.loads(data) if len(data) <= _MAX_FILE_BYTES else None
    except (OSError, ValueError, RecursionError) as exc:
        raise _make_unreadable_error(path, f"cannot be read: {type(exc).__name__}") from exc
    if type(tree) is not dict:
        raise _make_unreadable_error(path, "it does not contain a map of tenants")
    return _file_signature(status), tree, hashlib.sha256(data).hexdigest()


def _refuse_foreign_writers(path: Path, status: os.stat_result, folder: os.stat_result) -> None:
    # INVARIANT: who can put a key here can answer for anybody, so nobody else may write the file or its folder.
    foreign = status.st_uid not in (os.geteuid(), 0) or status.st_mode & _WRITABLE_BY_OTHERS
    if not stat.S_ISREG(status.st_mode):
        raise _make_unreadable_error(path, "it is not a regular file")
    if foreign or folder.st_mode & _WRITABLE_BY_OTHERS:
        where = path if foreign else path.parent
        raise ConfigError(
            "key_permissions", f"`{where}` can be written by others", field="home", remedy=f"run `chmod go-w {where}`"
        )


def _parse_tenants(path: Path, tree: Mapping[str, Any], version: str) -> dict[str, TrustedKeys]:
    try:
        return {tenant: _parse_tenant(item, version) for tenant, item in tree.items()}
    except (BadInput, KeyError, TypeError, ValueError) as exc:
        raise _make_unreadable_error(path, f"it is malformed: {exc}") from exc


def _parse_tenant(tree: Any, version: str) -> TrustedKeys:
    if type(tree) is not dict or tree.keys() - {"operators"} != {"approvers", "issuers"}:
        raise ValueError("a tenant must have `issuers` and `approvers`")
    issuers = {kid: _parse_key(kid, item, _ISSUER_FIELDS) for kid, item in tree["issuers"].items()}
    approvers = {kid: _parse_key(kid, item, _APPROVER_FIELDS) for kid, item in tree["approvers"].items()}
    operators = {kid: _parse_key(kid, item, _APPROVER_FIELDS) for kid, item in tree.get("operators", {}).items()}
    for kid, person in (*approvers.items(), *operators.items()):
        _check_name(person.name)
        _require_unused(kid, issuers)
    for kid in operators:
        _require_unused(kid, approvers)
    return TrustedKeys(issuers, approvers, version, operators)


def _parse_key(kid: str, tree: Any, field_names: frozenset[str]) -> TrustRecord:
    if type(tree) is not dict or tree.keys() != field_names:
        raise ValueError(f"expected exactly the members {', '.join(sorted(field_names))}")
    key = base64.b64decode(tree["key"], validate=True)
    require_strong_key(key)
    if compute_key_thumbprint(key) != kid:
        raise ValueError(f"`{kid[:64]}` is not the thumbprint of its key")
    since, until = tree["since_us"], tree["until_us"]
    if not all(type(time) is int and 0 <= time < INT_LIMIT for time in (since, since if until is None else until)):
        raise ValueError("times must be microseconds since 1970")
    return TrustRecord(key, since, until, tree.get("name", ""))


@contextmanager
def _home_lock(home: Path) -> Iterator[None]:
    with ExitStack() as stack:
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            stack.enter_context(hold_file_lock(home / f"{_FILE_NAME}.lock"))
        except OSError as exc:
            raise make_write_error(home, exc, field="home", code="key_home", remedy=_WRITABLE) from exc
        yield
