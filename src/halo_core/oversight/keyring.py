"""Room: what keys there are, and who can read them. Takes: a key folder. Gives: a report. Never: shows a secret."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from halo_core.authorities import Known
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore

__all__ = ["KeyFile", "TrustedKey", "key_files", "trusted_keys", "warnings"]

_SIGNS: Final = (
    ("agent-", "session and hand-off passports of the agent"),
    ("approver-", "answers to challenges, as this approver"),
    ("issuer-next", "nothing yet: `halo keys rotate` was not finished"),
    ("issuer-", "standing passports, until its overlap ends: kept, not used"),
    ("issuer", "standing passports"),
    ("alerts", "alerts sent on to webhooks"),
    ("log", "checkpoints, and the keys of the ledger's writers"),
    ("content", "nothing: opens sealed content"),
    ("digest", "nothing: keys the digests of arguments"),
    ("sketch", "nothing: keys the fingerprints of texts"),
)


@dataclass(frozen=True, slots=True)
class KeyFile:
    """One key file, without what is in it.

    Args:
        name: of the key.
        kind: `ed25519`, `secret`, or `unusable`.
        key_id: thumbprint, for `ed25519`.
        signs: in words, what the key can do.
        owner: user of the file.
        mode: permission bits in octal.
        readable: this process can read it.
        problem: why it is unusable.
    """

    name: str
    kind: str
    key_id: str
    signs: str
    owner: str
    mode: str
    readable: bool
    problem: str = ""


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """One key of authorities.json; times are microseconds since the epoch."""

    tenant: str
    role: str
    name: str
    key_id: str
    since_us: int
    until_us: int | None
    live: bool
    here: bool
    """This process can read its private key, and so sign as its holder."""


def key_files(keys: KeyStore) -> list[KeyFile]:
    """Every key file of a folder, by name."""
    return [_file(keys, name) for name in keys.names()]


def trusted_keys(known: Mapping[str, Known], files: Sequence[KeyFile], now_us: int) -> list[TrustedKey]:
    """Every trusted key of every tenant, issuers first."""
    mine = {item.key_id for item in files if item.key_id and item.readable}
    found: list[TrustedKey] = []
    for tenant, keys in sorted(known.items()):
        live = keys.issuer_keys(now_us).keys() | keys.approver_keys(now_us).keys()
        rows = [("issuer", "", kid, item.since_us, item.until_us) for kid, item in keys.issuers.items()]
        rows += [("approver", item.name, kid, item.since_us, item.until_us) for kid, item in keys.approvers.items()]
        found += [
            TrustedKey(tenant, role, name, kid, since, until, kid in live, kid in mine)
            for role, name, kid, since, until in rows
        ]
    return found


def warnings(files: Sequence[KeyFile], trusted: Sequence[TrustedKey]) -> list[str]:
    """What a reader of the report should know, in sentences."""
    said = []
    for item in trusted:
        if item.live and item.here:
            who = f"issuer of tenant `{item.tenant}`" if item.role == "issuer" else f"approver `{item.name}`"
            said.append(f"this process could sign as {who} (key {item.key_id[:8]})")
    known = {item.key_id for item in trusted}
    for file in files:
        if file.problem:
            said.append(f"`{file.name}.key`: {file.problem}")
        elif file.name == "issuer" and file.readable and file.key_id not in known:
            said.append("this process could sign as issuer, with a key that authorities.json does not name")
    return said


def _file(keys: KeyStore, name: str) -> KeyFile:
    path = keys.home / f"{name}.key"
    kind, key_id, problem = _kind(keys, name)
    status = path.lstat()
    return KeyFile(
        name=name,
        kind=kind,
        key_id=key_id,
        signs=_signs(name),
        owner=_owner(status.st_uid),
        mode=f"{status.st_mode & 0o777:03o}",
        readable=os.access(path, os.R_OK, effective_ids=True),
        problem=problem,
    )


def _kind(keys: KeyStore, name: str) -> tuple[str, str, str]:
    try:
        return "ed25519", keys.signer(name).key_id, ""
    except ConfigError as exc:
        problem = exc.message
        if exc.code != "key_malformed":
            return "unusable", "", problem
    try:
        keys.secret(name)
    except ConfigError as exc:
        return "unusable", "", exc.message
    return "secret", "", ""


def _signs(name: str) -> str:
    return next((what for start, what in _SIGNS if name == start or (start[-1] == "-" and name.startswith(start))), "")


def _owner(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def plain(items: Sequence[Any]) -> list[dict[str, Any]]:
    """Reports as trees."""
    return [{name: getattr(item, name) for name in type(item).__slots__} for item in items]
