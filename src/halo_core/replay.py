"""Room: replay. Takes: the ledger. Gives: for each decision, whether deciding again gives the same bytes.

Re-executes `decide` over what the entry recorded: request, snapshot, links and policy by hash, sealed arguments. Never:
reads a clock, writes, or trusts the recorded verdict.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Any

from halo_core import canonical
from halo_core.errors import HaloError
from halo_core.model import AccessRequest, Entry, EntryKind, Link, PolicyView, Snapshot
from halo_core.passport import claims_to_link, decode
from halo_core.pdp import decide
from halo_core.policy import CedarPolicy
from halo_core.query import Contents, Found, entries
from halo_core.store.reader import Reader

__all__ = ["Replayed", "Replayer", "Status", "first_difference"]


class Status(StrEnum):
    """What a replay found."""

    IDENTICAL = "identical"
    DIFFERS = "differs"
    REDACTED = "REPLAY_REDACTED"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Replayed:
    """One decision, decided again. `where` is the JSON pointer of the first field that differs."""

    id: str
    status: Status
    where: str = ""
    recorded: Any = None
    computed: Any = None


class Replayer:
    """Replays decisions of one tenant; links and policies are parsed once per hash."""

    def __init__(self, reader: Reader, contents: Contents, tenant: str) -> None:
        self._reader = reader
        self._contents = contents
        self._tenant = tenant
        self._link: Callable[[str], Link] = lru_cache(maxsize=256)(self._read_link)
        self._policy: Callable[[str], PolicyView] = lru_cache(maxsize=64)(self._read_policy)

    def all(self) -> Iterator[Replayed]:
        """Every decision in log order."""
        for found in entries(self._reader, self._tenant, (EntryKind.DECISION,)):
            yield self.one(found)

    def one(self, found: Found) -> Replayed:
        """One decision."""
        entry = found.entry
        try:
            args = self._args(entry)
            if args is None:
                return Replayed(entry.id, Status.REDACTED)
            request = AccessRequest.from_plain(entry.body["request"], args)
            recorded = entry.body["snapshot"]
            chain = tuple(self._link(name) for name in recorded["chain"])
            snapshot = Snapshot.from_plain(recorded, chain=chain, policy=self._policy(recorded["policy"]))
            computed = decide(request, snapshot)
        except (HaloError, KeyError, TypeError, ValueError) as exc:
            return Replayed(entry.id, Status.UNREADABLE, computed=f"{type(exc).__name__}: {exc}")
        if computed.to_bytes() == canonical.dumps(entry.body["decision"]):
            return Replayed(entry.id, Status.IDENTICAL)
        where, old, new = first_difference(entry.body["decision"], computed.to_plain(), "/decision")
        return Replayed(entry.id, Status.DIFFERS, where, old, new)

    def _args(self, entry: Entry) -> Mapping[str, Any] | None:
        sealed = self._contents.open(entry, "args")
        if sealed is None:
            return None
        args: Mapping[str, Any] = canonical.from_plain(canonical.loads(sealed))
        return args

    def _blob(self, name: str) -> bytes:
        data = self._reader.blob(self._tenant, name)
        if data is None:
            raise KeyError(f"blob {name} is missing")
        return data

    def _read_link(self, name: str) -> Link:
        link = claims_to_link(decode(self._blob(name), self._issuers()))
        if link.hash != name:
            raise KeyError(f"blob {name} holds another passport")
        return link

    def _issuers(self) -> dict[str, bytes]:
        """Keys that issued this tenant's passports, as its own signed entries say."""
        found = (item.entry.body["issuer"] for item in entries(self._reader, self._tenant, (EntryKind.PASSPORT,)))
        return {issuer["kid"]: base64.b64decode(issuer["key"]) for issuer in found}

    def _read_policy(self, name: str) -> PolicyView:
        return CedarPolicy.from_bytes(self._blob(name))


def first_difference(old: Any, new: Any, where: str = "") -> tuple[str, Any, Any]:
    """JSON pointer and both values of the first place where two trees differ."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in old or key not in new or old[key] != new[key]:
                return first_difference(old.get(key), new.get(key), f"{where}/{key}")
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (left, right) in enumerate(zip(old, new, strict=True)):
            if left != right:
                return first_difference(left, right, f"{where}/{i}")
    return where, old, new
