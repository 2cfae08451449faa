"""Replay: decides each recorded decision again and compares the bytes.

`decide` is given what the entry recorded: request, snapshot, links and policy by hash, sealed arguments. The recorded
verdict is not used, and no clock is read. `map_decisions` processes a log in several processes.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from enum import StrEnum
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from halo_core.crypto import canonical
from halo_core.crypto.keys import KeyStore
from halo_core.decision.checks import decide
from halo_core.decision.record import MALFORMED, SIGNER_FIELD, RecordedInputs, expand_inputs, make_malformed_error
from halo_core.enforcement.risk_assessor import load_rules
from halo_core.errors import HaloError
from halo_core.ledger import decode_entry
from halo_core.model import AccessRequest, Decision, EntryKind, LedgerEntry, Link, PolicyView, Resource, Snapshot
from halo_core.passports import ChainCache, Issuer, TrustAnchors, token_hash
from halo_core.policy import CedarPolicy
from halo_core.processes import map_in_processes
from halo_core.quick_dataclass import dataclass
from halo_core.risk.action_risk import RiskRules
from halo_core.risk.circumstances import read_circumstances
from halo_core.store.reader import NO_END, LoggedEntry, Reader, SealedContents, read_entries

R = TypeVar("R")
PassportKeys = tuple[dict[str, Issuer], dict[str, tuple[str, bytes]]]
"""Issuers by `kid`, and approvers, each with its name and public key, by `kid`."""
_MAX_RESOURCES: Final = 4096
_READ_FIELDS: Final = ("approver", "args", "user")
"""Sealed fields that a decision read."""
_SPAN: Final = 1000
"""Positions that one process replays at a time."""
_MIN_SHARED: Final = 4 * _SPAN
"""Entries of a log from which it pays to start processes."""


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


class RecordedDecision(NamedTuple):
    """A decision as it was recorded.

    Args:
        position: position in the tenant's log.
        entry: entry with its compact body.
        recorded: what a replay needs of the whole record.
    """

    position: int
    entry: LedgerEntry
    recorded: RecordedInputs


class Inputs(NamedTuple):
    """The inputs of a decision, and the decision computed from them."""

    request: AccessRequest
    snapshot: Snapshot
    decision: Decision


class Replayer:
    """Replays the decisions of one tenant; parses each link, policy and score once.

    Args:
        reader: the store.
        contents: opens the arguments.
        tenant: whose decisions.
        passport_keys: result of `read_passport_keys`; None to read them when needed.
    """

    def __init__(
        self, reader: Reader, contents: SealedContents, tenant: str, *, passport_keys: PassportKeys | None = None
    ) -> None:
        self._reader = reader
        self._passport_keys = passport_keys
        self._chains = ChainCache()
        self._read_resource = _ResourceReader()
        self._contents = contents
        self._tenant = tenant
        self._chain: Callable[[tuple[str, ...]], tuple[Link, ...]] = lru_cache(maxsize=256)(self._read_chain)
        self.load_score: Callable[[str], RiskRules] = lru_cache(maxsize=16)(
            lambda name: load_rules(name, self._load_part)
        )
        self._policy: Callable[[str], PolicyView] = lru_cache(maxsize=64)(
            lambda name: CedarPolicy.from_bytes(self._load_blob(name))
        )

    def replay_all(self) -> Iterator[ReplayResult]:
        """Replay every decision in log order."""
        for decision in self.read_decisions():
            yield self.replay_recorded(decision)[0]

    def read_decisions(self, since: int = 0, until: int = NO_END) -> Iterator[RecordedDecision]:
        """Every decision in log order, with its inputs as recorded: from `since` to before `until`."""
        read_part = self._reader.part_reader(self._tenant)
        kinds = (EntryKind.DECISION.value,)
        for index, note in self._reader.notes(self._tenant, kinds, since=since, until=until):
            entry = decode_entry(note)
            try:
                # The rest of the record follows from these.
                recorded = expand_inputs(entry.body, session=entry.session, ts_us=entry.ts_us, read_part=read_part)
            except MALFORMED as exc:
                raise make_malformed_error(entry, exc) from exc
            yield RecordedDecision(index, entry, recorded)

    def replay(self, logged: LoggedEntry) -> ReplayResult:
        """Replay one decision whose whole record was read."""
        return self.replay_recorded(RecordedDecision(logged.index, logged.entry, _get_inputs(logged.entry)))[0]

    def replay_recorded(self, decision: RecordedDecision) -> tuple[ReplayResult, Inputs | None]:
        """Replay one decision; also returns its inputs if they give the recorded bytes."""
        entry, recorded = decision.entry, decision.recorded
        try:
            inputs = self._open_inputs(entry, recorded)
            if inputs is None:
                return ReplayResult(entry.id, ReplayStatus.REDACTED), None
            request, snapshot = inputs
            differs = self._compare_score(request, snapshot)
            computed = decide(request, snapshot)
        except (HaloError, KeyError, TypeError, ValueError) as exc:
            return ReplayResult(entry.id, ReplayStatus.UNREADABLE, computed=f"{type(exc).__name__}: {exc}"), None
        if differs is not None:
            return ReplayResult(entry.id, ReplayStatus.DIFFERS, *differs), None
        if computed.to_bytes() == canonical.dumps(recorded.decision):
            return ReplayResult(entry.id, ReplayStatus.IDENTICAL), Inputs(request, snapshot, computed)
        where, old, new = find_first_difference(recorded.decision, computed.to_plain(), "/decision")
        return ReplayResult(entry.id, ReplayStatus.DIFFERS, where, old, new), None

    def read_inputs(self, entry: LedgerEntry) -> tuple[AccessRequest, Snapshot]:
        """The inputs of a decision; `entry` holds the whole record.

        Raises:
            HaloError, KeyError, TypeError, ValueError: it cannot be read, or its arguments were erased.
        """
        inputs = self._open_inputs(entry, _get_inputs(entry))
        if inputs is None:
            raise KeyError(f"the arguments of {entry.id} were erased")
        return inputs

    def _open_inputs(self, entry: LedgerEntry, recorded: RecordedInputs) -> tuple[AccessRequest, Snapshot] | None:
        """The inputs of a decision; None if arguments or names among them were erased."""
        content, seen = self._contents.open_all(entry), recorded.snapshot
        read = [name for name in entry.content if name in _READ_FIELDS or name.startswith(SIGNER_FIELD)]
        if any(name not in content for name in read):
            return None
        args: Mapping[str, Any] = canonical.from_plain(canonical.loads(content["args"]))
        request = AccessRequest.from_plain(recorded.request, args, self._read_resource)
        if "user" in content:
            request = replace(request, subject=request.subject.with_user(content["user"].decode()))
        chain = self._chain(tuple(seen["chain"]))
        snapshot = Snapshot.from_plain(seen, chain=chain, policy=self._policy(seen["policy"]))
        if snapshot.approval is not None:
            approval = snapshot.approval
            # An entry whose approver was erased before it was written has no name.
            name = content.get("approver", b"").decode() or approval.approver
            reference = approval.reference or approval.approver
            snapshot = replace(snapshot, approval=replace(approval, approver=name, reference=reference))
        if snapshot.standing:
            names = [content.get(f"{SIGNER_FIELD}{i}", b"").decode() for i in range(len(snapshot.standing))]
            signed = zip(snapshot.standing, names, strict=True)
            standing = [replace(item, approver=name or item.approver, reference=item.approver) for item, name in signed]
            snapshot = replace(snapshot, standing=tuple(standing))
        return request, snapshot

    def _compare_score(self, request: AccessRequest, snapshot: Snapshot) -> tuple[str, Any, Any] | None:
        """The difference between the recorded and the computed risk; None if there is none."""
        if snapshot.risk is None:
            return None
        rules = self.load_score(snapshot.model_hash)
        circumstances = read_circumstances(request, snapshot.time_us, snapshot.refused)
        judged = rules.compute_action_risk(rules.model.compute_margin(snapshot.features), circumstances)
        if judged.risk != snapshot.risk:
            return "/snapshot/risk", snapshot.risk, judged.risk
        return None if judged.band == snapshot.band else ("/snapshot/band", snapshot.band, judged.band)

    def _load_part(self, name: str, domain: str) -> bytes:
        data = self._load_blob(name)
        if canonical.digest(domain, data) != name:
            raise KeyError(f"blob {name} has other content")
        return data

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
        return self._chains.verify(tokens, trusted=self._trusted_keys, audience=None, tenant=None)

    @cached_property
    def _trusted_keys(self) -> TrustAnchors:
        issuers, approvers = self._passport_keys or read_passport_keys(self._reader, self._contents, self._tenant)
        return TrustAnchors(issuers=issuers, approvers=approvers)


def _get_inputs(entry: LedgerEntry) -> RecordedInputs:
    return RecordedInputs(entry.body["request"], entry.body["snapshot"], entry.body["decision"])


def read_passport_keys(reader: Reader, contents: SealedContents, tenant: str) -> PassportKeys:
    """Keys that signed this tenant's passports and re-authorizations, from the entries that introduced them.

    An approver's key stays after a withdrawal, since what it signed while it was enrolled keeps its meaning.
    """
    issuers: dict[str, Issuer] = {}
    approvers: dict[str, tuple[str, bytes]] = {}
    for item in read_entries(reader, tenant, (EntryKind.PASSPORT, EntryKind.AUTHORITY)):
        body = item.entry.body
        # An entry without the form of its kind introduces no key; it must not keep others from being read either.
        with suppress(AttributeError, KeyError, TypeError, ValueError):
            if "issuer" in body:
                issuers[_read_key_id(body["issuer"])] = Issuer(base64.b64decode(body["issuer"]["key"]))
            elif body.get("role") == "approver" and body.get("act") == "enrol":
                # Without the name, nothing that the approver signed can be read again.
                name = contents.open(item.entry, "name")
                key = base64.b64decode(body["key"])
                approvers[_read_key_id(body)] = str(body["name"]) if name is None else name.decode(), key
    return issuers, approvers


def _read_key_id(tree: Mapping[str, Any]) -> str:
    if not isinstance(tree["kid"], str):
        raise TypeError("a key id is a text")
    return tree["kid"]


def replay_log(url: str, home: Path, tenant: str, *, processes: int = 1) -> Iterator[ReplayResult]:
    """Replay every decision that a log holds now, in log order; arguments and errors are those of `map_decisions`."""
    return map_decisions(url, home, tenant, _get_replay, processes=processes)


def _get_replay(replayer: Replayer) -> Callable[[RecordedDecision], ReplayResult]:
    return lambda decision: replayer.replay_recorded(decision)[0]


def map_decisions(
    url: str,
    home: Path,
    tenant: str,
    make_work: Callable[[Replayer], Callable[[RecordedDecision], R]],
    *,
    processes: int,
) -> Iterator[R]:
    """The results of a function on every decision in a log, in log order.

    Args:
        url: SQLAlchemy URL of the store.
        home: folder with the content key.
        tenant: whose decisions.
        make_work: called once in each process; gives what is done with each decision. It and the results can be
            pickled.
        processes: how many share the work; a short log is read in this one.

    Raises:
        ConfigError: there is no such store.
        Tampered: the database cannot be read, or an entry is damaged.
    """
    with Reader(url) as reader:
        end = reader.next_index(tenant)
        if processes < 2 or end < _MIN_SHARED:
            replayer = Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), tenant)
            work = make_work(replayer)
            yield from map(work, replayer.read_decisions())
            return
        keys = read_passport_keys(reader, SealedContents.with_home_key(reader, KeyStore(home)), tenant)
    spans = [(since, min(since + _SPAN, end)) for since in range(0, end, _SPAN)]
    share = _Share(url, home, tenant, keys, make_work)
    for results in map_in_processes(_work_on_span, spans, processes=processes, initializer=_start, initargs=(share,)):
        yield from results


class _Share(NamedTuple):
    """The inputs of a process that works on part of a log."""

    url: str
    home: Path
    tenant: str
    passport_keys: PassportKeys
    make_work: Callable[[Replayer], Callable[[RecordedDecision], Any]]


class _Worker(NamedTuple):
    replayer: Replayer
    work: Callable[[RecordedDecision], Any]


_workers: list[_Worker] = []  # of a process that works on a part of a log: one


def _start(share: _Share) -> None:
    reader = Reader(share.url)
    contents = SealedContents.with_home_key(reader, KeyStore(share.home))
    replayer = Replayer(reader, contents, share.tenant, passport_keys=share.passport_keys)
    _workers.append(_Worker(replayer, share.make_work(replayer)))


def _work_on_span(span: tuple[int, int]) -> list[Any]:
    replayer, work = _workers[0]
    return list(map(work, replayer.read_decisions(*span)))


class _ResourceReader:
    """Caches resources by their trees, since entries with one part share its tree."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Mapping[str, Any], Resource]] = {}

    def __call__(self, tree: Mapping[str, Any]) -> Resource:
        known = self._known.get(id(tree))
        # The tree is kept with its resource, so that no other tree gets its identity.
        if known is None:
            if len(self._known) >= _MAX_RESOURCES:
                self._known.clear()
            known = self._known[id(tree)] = tree, Resource.from_plain(tree)
        return known[1]


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
