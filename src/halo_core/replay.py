"""Replay: decides each recorded decision again and compares the bytes.

`decide` is given what the entry recorded: request, snapshot, links and policy by hash, sealed arguments. The recorded
verdict is not trusted, and no clock is read.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import Any

from halo_core.crypto import canonical
from halo_core.decision import decide
from halo_core.enforcement.risk_assessor import load_rules
from halo_core.errors import HaloError
from halo_core.model import AccessRequest, EntryKind, LedgerEntry, Link, PolicyView, Snapshot
from halo_core.passports import Issuer, TrustAnchors, token_hash, verify_chain
from halo_core.policy import CedarPolicy
from halo_core.risk.action_risk import RiskRules
from halo_core.risk.circumstances import circumstances_of
from halo_core.store.log import LoggedEntry, SealedContents, read_entries
from halo_core.store.reader import Reader


class ReplayStatus(StrEnum):
    """Result of the replay of one decision."""

    IDENTICAL = "identical"
    DIFFERS = "differs"
    REDACTED = "REPLAY_REDACTED"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class ReplayResult:
    """One decision, decided again. `where` is the JSON pointer of the first field that differs."""

    id: str
    status: ReplayStatus
    where: str = ""
    recorded: Any = None
    computed: Any = None


class Replayer:
    """Replays the decisions of one tenant; links, policies and scores are parsed once for each hash."""

    def __init__(self, reader: Reader, contents: SealedContents, tenant: str) -> None:
        self._reader = reader
        self._contents = contents
        self._tenant = tenant
        self._chain: Callable[[tuple[str, ...]], tuple[Link, ...]] = lru_cache(maxsize=256)(self._read_chain)
        self._score: Callable[[str], RiskRules] = lru_cache(maxsize=16)(lambda name: load_rules(name, self._load_part))
        self._policy: Callable[[str], PolicyView] = lru_cache(maxsize=64)(
            lambda name: CedarPolicy.from_bytes(self._load_blob(name))
        )

    def replay_all(self) -> Iterator[ReplayResult]:
        """Replay every decision in log order."""
        for logged in read_entries(self._reader, self._tenant, (EntryKind.DECISION,)):
            yield self.replay(logged)

    def replay(self, logged: LoggedEntry) -> ReplayResult:
        """Replay one decision."""
        entry = logged.entry
        try:
            args = self._open_arguments(entry)
            if args is None:
                return ReplayResult(entry.id, ReplayStatus.REDACTED)
            request = AccessRequest.from_plain(entry.body["request"], args)
            recorded = entry.body["snapshot"]
            chain = self._chain(tuple(recorded["chain"]))
            snapshot = Snapshot.from_plain(recorded, chain=chain, policy=self._policy(recorded["policy"]))
            differs = self._compare_score(request, snapshot)
            computed = decide(request, snapshot)
        except (HaloError, KeyError, TypeError, ValueError) as exc:
            return ReplayResult(entry.id, ReplayStatus.UNREADABLE, computed=f"{type(exc).__name__}: {exc}")
        if differs is not None:
            return ReplayResult(entry.id, ReplayStatus.DIFFERS, *differs)
        if computed.to_bytes() == canonical.dumps(entry.body["decision"]):
            return ReplayResult(entry.id, ReplayStatus.IDENTICAL)
        where, old, new = find_first_difference(entry.body["decision"], computed.to_plain(), "/decision")
        return ReplayResult(entry.id, ReplayStatus.DIFFERS, where, old, new)

    def _compare_score(self, request: AccessRequest, snapshot: Snapshot) -> tuple[str, Any, Any] | None:
        """Where the recorded risk differs from the one computed again; None where it does not, or there is none."""
        if snapshot.risk is None:
            return None
        rules = self._score(snapshot.model_hash)
        circumstances = circumstances_of(request, snapshot.time_us, snapshot.refused)
        judged = rules.compute_action_risk(rules.model.compute_margin(snapshot.features), circumstances)
        if judged.risk != snapshot.risk:
            return "/snapshot/risk", snapshot.risk, judged.risk
        return None if judged.band == snapshot.band else ("/snapshot/band", snapshot.band, judged.band)

    def _load_part(self, name: str, domain: str) -> bytes:
        data = self._load_blob(name)
        if canonical.digest(domain, data) != name:
            raise KeyError(f"blob {name} has other content")
        return data

    def _open_arguments(self, entry: LedgerEntry) -> Mapping[str, Any] | None:
        sealed = self._contents.open(entry, "args")
        if sealed is None:
            return None
        args: Mapping[str, Any] = canonical.from_plain(canonical.loads(sealed))
        return args

    def _load_blob(self, name: str) -> bytes:
        data = self._reader.blob(self._tenant, name)
        if data is None:
            raise KeyError(f"blob {name} is missing")
        return data

    def _read_chain(self, names: tuple[str, ...]) -> tuple[Link, ...]:
        if not names:
            return ()
        tokens = [self._load_blob(name).decode("ascii", "replace") for name in names]
        for name, token in zip(names, tokens, strict=True):
            if token_hash(token) != name:
                raise KeyError(f"blob {name} contains another passport")
        return verify_chain(tokens, trusted=self._trusted_keys, audience=None, tenant=None)

    @cached_property
    def _trusted_keys(self) -> TrustAnchors:
        """Keys that signed this tenant's passports and re-authorizations, from the entries that introduced them.

        An approver's key stays after a withdrawal, since what it signed while it was enrolled keeps its meaning.
        """
        issuers, approvers = {}, {}
        for item in read_entries(self._reader, self._tenant, (EntryKind.PASSPORT, EntryKind.AUTHORITY)):
            body = item.entry.body
            if "issuer" in body:
                issuers[body["issuer"]["kid"]] = Issuer(base64.b64decode(body["issuer"]["key"]))
            elif body.get("role") == "approver" and body.get("act") == "enrol":
                approvers[body["kid"]] = (body["name"], base64.b64decode(body["key"]))
        return TrustAnchors(issuers=issuers, approvers=approvers)


def find_first_difference(old: Any, new: Any, where: str = "") -> tuple[str, Any, Any]:
    """JSON pointer and both values of the first difference of two trees."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted(old.keys() | new.keys()):
            if key not in old or key not in new or old[key] != new[key]:
                return find_first_difference(old.get(key), new.get(key), f"{where}/{key}")
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (left, right) in enumerate(zip(old, new, strict=True)):
            if left != right:
                return find_first_difference(left, right, f"{where}/{i}")
    return where, old, new
