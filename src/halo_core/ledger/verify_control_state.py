"""Checks of control state: decisions against what was in force at their positions, and rows that cache it (check 9).

`ControlLog` reads the control entries first, in log order. Each decision is then compared with the mode at its
position, the policy that its writer had put in force, the registrations before it, and the stops and revocations; so a
change that was undone later still shows in the decisions made in between. The rows of control, resources, usage and
writers are computed from the entries.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, NamedTuple

import orjson

from halo_core.crypto import canonical
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.errors import PassportError
from halo_core.ledger.commitments import REGISTRATION_DOMAIN
from halo_core.ledger.control_history import RESTRICTION_KINDS, ControlChange, ControlHistory, RestrictionKey
from halo_core.ledger.reader import EntryKey, LedgerReader, Row, Stream, Trust
from halo_core.ledger.report import MAX_FINDINGS, AnswerCount, Collector, format_entry_name
from halo_core.model.decision import Effect
from halo_core.model.ledger_entry import format_entry_id
from halo_core.model.passport_link import Link
from halo_core.model.snapshot import Mode
from halo_core.passports.claims import ISSUER_URI, claims_to_link
from halo_core.passports.codec import Claims, read_payload

_MAX_CACHED: Final = 4096
MAX_UNWRITTEN_USES: Final = 64
"""Most uses that one process has counted and not written yet when it is killed (`halo_core.store.use_counts`)."""


class _ModeStep(NamedTuple):
    """The floor in force from one position on, and the waiver that lowers it until its end."""

    idx: int
    floor: Mode
    waiver: ControlChange | None


@dataclass(slots=True)
class _TenantControl:
    """The content of one tenant's control entries, in log order."""

    history: ControlHistory
    steps: list[_ModeStep] = field(default_factory=list)
    resources: dict[str, str] = field(default_factory=dict)
    registered: dict[bytes, int] = field(default_factory=dict)
    store: str = ""
    policy: str = ""
    version: int = 0
    opened: dict[str, int] = field(default_factory=dict)
    closed: dict[str, set[int]] = field(default_factory=dict)
    crashed: set[str] = field(default_factory=set)
    differences: int = 0
    foreign: list[str] = field(default_factory=list)
    approvers: list[tuple[int, Mapping[str, str]]] = field(default_factory=list)
    restricted: dict[RestrictionKey, list[tuple[int, float]]] = field(default_factory=dict)

    def find_approver(self, kid: str, idx: int) -> str | None:
        """Reference of the approver enrolled with a key at a position; None if there was none."""
        at = bisect_right(self.approvers, idx, key=lambda item: item[0])
        return self.approvers[at - 1][1].get(kid) if at > 0 else None

    def is_restricted(self, key: RestrictionKey, idx: int) -> bool:
        """Whether a stop or revocation was in force at a position."""
        return any(start < idx < end for start, end in self.restricted.get(key, ()))


class ControlLog:
    """The content of every tenant's control entries. The pass over entries checks these same rows."""

    def __init__(self, reader: LedgerReader) -> None:
        self._tenants: dict[str, _TenantControl] = {}
        rows = [row for row in reader.rows(Stream.CONTROL_ENTRIES) if type(row[0]) is str and type(row[3]) is int]
        for tenant, writer, seq, idx, kind, ts_us, text in sorted(rows, key=lambda row: (row[0], row[3])):
            body = _read_body(text)
            if body is not None and type(ts_us) is int and type(seq) is int:
                self._add(tenant, (str(writer), seq, idx), str(kind), ts_us, body)

    def find(self, tenant: str) -> _TenantControl:
        """The control entries of a tenant; empty if it has none."""
        control = self._tenants.get(tenant)
        if control is None:
            control = self._tenants[tenant] = _TenantControl(ControlHistory(tenant))
        return control

    def tenants(self) -> Iterator[tuple[str, _TenantControl]]:
        """Every tenant with a control entry."""
        yield from self._tenants.items()

    def _add(self, tenant: str, place: tuple[str, int, int], kind: str, ts_us: int, body: Mapping[str, Any]) -> None:
        control, (writer, seq, idx) = self.find(tenant), place
        version = body.get("control")
        if type(version) is int:
            control.version = max(control.version, version)
        if kind == "writer_open":
            control.opened[writer] = ts_us
            opened = str(body.get("store", ""))
            control.store = control.history.store = control.store or opened
            if opened != control.store:
                control.foreign.append(writer)
        elif kind == "writer_close":
            closed = str(body.get("writer"))
            control.closed.setdefault(closed, set()).add(ts_us)
            if body.get("cause") == "crash":
                control.crashed.add(closed)
        elif kind == "registration":
            _add_registration(control, idx, body)
        elif kind == "policy":
            control.policy = _read_policy(body)
        elif kind == "control":
            control.differences += 1
        else:
            control.history.add(kind, body, at_us=ts_us, entry=format_entry_id(writer, seq))
            _add_step(control, idx, kind, body)


def _read_body(text: object) -> Mapping[str, Any] | None:
    try:
        tree = orjson.loads(text) if isinstance(text, bytes) else None
    except orjson.JSONDecodeError:
        return None
    body = tree.get("body") if isinstance(tree, dict) else None
    return body if isinstance(body, dict) else None


def _add_step(control: _TenantControl, idx: int, kind: str, body: Mapping[str, Any]) -> None:
    """Record what an entry puts in force from its position on."""
    if kind == "mode":
        control.steps.append(_ModeStep(idx, control.history.floor, control.history.waiver))
    elif kind == "authority":
        control.approvers.append((idx, control.history.map_approvers()))
    else:
        _add_restriction(control, idx, kind, body)


def _add_restriction(control: _TenantControl, idx: int, kind: str, body: Mapping[str, Any]) -> None:
    """Record the position from which, or up to which, a stop or revocation was in force."""
    key = (RESTRICTION_KINDS[kind], str(body.get("scope", "")), str(body.get("target", "")))
    times = control.restricted.setdefault(key, [])
    is_open = bool(times) and times[-1][1] == math.inf
    if key in control.history.restrictions and not is_open:
        times.append((idx, math.inf))
    elif key not in control.history.restrictions and is_open:
        times[-1] = (times[-1][0], idx)


def _read_policy(body: Mapping[str, Any]) -> str:
    return str(body.get("hash", body.get("unstored", "")))


def _is_denied(reasons: Iterable[Mapping[str, Any]]) -> bool:
    return any(item.get("effect", Effect.DENY.value) == Effect.DENY.value for item in reasons)


def _add_registration(control: _TenantControl, idx: int, body: Mapping[str, Any]) -> None:
    resource = body.get("resource")
    if not isinstance(resource, dict):
        return
    control.resources[str(resource.get("id"))] = str(body.get("hash", ""))
    control.registered.setdefault(canonical.dumps(resource), idx)


class ControlStateCheck:
    """(9) Compares decisions with what was in force at their positions, and caching rows with the entries."""

    kinds: ClassVar = frozenset(("approval", "decision", "policy", "standing_answer"))

    def __init__(self, out: Collector, reader: LedgerReader, trust: Trust) -> None:
        self._out = out
        self._trust = trust
        self._reader = reader
        self._log = ControlLog(reader)
        self._names: dict[tuple[str, tuple[str, ...]], frozenset[tuple[str, str]]] = {}
        self._policies: dict[EntryKey, str] = {}
        self._registrations: dict[int, tuple[Mapping[str, Any], int | None]] = {}
        self._doubts: list[tuple[str, ...]] = []
        self._uses: Counter[tuple[str, str, str]] = Counter()
        self._unclosed_uses: dict[tuple[str, str, str], Counter[str]] = {}
        self._unread: set[str] = set()
        self._answers: dict[str, Counter[str]] = {}

    def add_entry(self, tenant: str, idx: int | None, fields: dict[str, Any]) -> None:
        """Take one decision, or the policy that a writer puts in force; entries of a writer come in its order."""
        body, writer = fields["body"], (tenant, str(fields.get("w")), 0)
        if fields.get("kind") == "policy":
            self._policies[writer] = _read_policy(body)
            return
        if fields.get("is_partial") or idx is None:
            self._unread.add(tenant)
            return
        if fields.get("kind") != "decision":
            self._check_signer(tenant, idx, fields)
            return
        try:
            self._check_decision(tenant, idx, fields, self._policies.get(writer, ""))
        except (KeyError, TypeError):
            return  # no such entry is ever written

    def _check_decision(self, tenant: str, idx: int, fields: Mapping[str, Any], policy: str) -> None:
        body = fields["body"]
        snapshot, request = body["snapshot"], body["request"]
        control = self._log.find(tenant)
        where, entry = format_entry_name((tenant, fields["w"], fields["ws"])), str(fields["id"])
        if snapshot["mode"] == Mode.OBSERVE.value and not _may_observe(control, idx, fields["ts_us"]):
            message = "it was decided in observe mode where the floor was `enforce` and nothing waived it"
            self._doubt(tenant, where, message, "below_floor", entry)
        elif snapshot["policy"] != policy:
            message = f"it was decided by policy {snapshot['policy']}, which its writer had not put in force"
            self._doubt(tenant, where, message, "policy_not_in_force", entry)
        else:
            self._out.passed[9] += 1
        if body.get("dispatched"):
            self._count_use(tenant, str(fields["w"]), str(request["subject"]["agent"]), str(request["resource"]["id"]))
            if snapshot["mode"] != Mode.OBSERVE.value or not _is_denied(body["decision"]["reasons"]):
                self._check_registered(tenant, idx, request["resource"], where, entry)
            self._check_unrestricted(tenant, idx, fields, where, entry)

    def _check_signer(self, tenant: str, idx: int, fields: Mapping[str, Any]) -> None:
        """Check that an answer's signer was enrolled at its position, and count it."""
        body = fields["body"]
        if body.get("op") != "revoke":
            self._answers.setdefault(tenant, Counter())[str(body.get("kid"))] += 1
        name = self._log.find(tenant).find_approver(str(body.get("kid")), idx)
        is_named = body.get("authn") != "approver-key" or body.get("actor") == name
        if body.get("op") == "revoke" or (name is not None and is_named):
            return
        where = format_entry_name((tenant, fields["w"], fields["ws"]))
        message = "it is signed with a key that was not enrolled then" + ("" if name is None else " under this name")
        self._doubt(tenant, where, message, "signer_not_enrolled", str(fields["id"]))

    def _check_unrestricted(self, tenant: str, idx: int, fields: Mapping[str, Any], where: str, entry: str) -> None:
        """Check that no stop and no revocation applied to a call that ran."""
        control, request = self._log.find(tenant), fields["body"]["request"]
        if not control.restricted:
            return
        agent, session, tool = request["subject"]["agent"], fields["session"], request["resource"]["id"]
        names = {("all", ""), ("tenant", tenant), ("agent", agent), ("session", session), ("tool", tool)}
        names |= self._find_names(tenant, tuple(fields["body"]["snapshot"]["chain"]))
        for scope, target in sorted(names):
            if any(control.is_restricted((kind, scope, target), idx) for kind in ("stop", "revocation")):
                message = f"it ran though a stop or a revocation was in force ({scope})"
                self._doubt(tenant, where, message, "restriction_ignored", entry)
                return

    def _find_names(self, tenant: str, chain: tuple[str, ...]) -> frozenset[tuple[str, str]]:
        """(scope, target) of each restriction that could apply to a passport; none for unreadable links."""
        known = self._names.get((tenant, chain))
        if known is not None:
            return known
        if len(self._names) >= _MAX_CACHED:
            self._names.clear()
        names, parent = set(), None
        for name in chain:
            link = parent = _read_link(self._reader.blob(tenant, name), parent)
            if link is None:
                break  # the check of blobs reports it
            keys = (link.key_id, compute_key_thumbprint(link.holder_key))
            names |= {("agent", link.agent), ("link", link.hash), ("link", link.jti), *(("key", key) for key in keys)}
        passport_names = self._names[tenant, chain] = frozenset(names)
        return passport_names

    def _doubt(self, tenant: str, *finding: str) -> None:
        """Hold a finding about a decision back until `check` knows whether entries are missing."""
        if len(self._doubts) < MAX_FINDINGS:
            self._doubts.append((tenant, *finding))

    def _check_registered(self, tenant: str, idx: int, resource: Mapping[str, Any], where: str, entry: str) -> None:
        """Check that a resource that ran was registered before in exactly the decided form, if its id ever was.

        Not for calls that observe mode runs in spite of a denial: those may be of another tool with the same id.
        """
        control = self._log.find(tenant)
        if str(resource["id"]) not in control.resources:
            return
        first = self._find_registration(control, resource)
        if first is None or first > idx:
            message = f"`{resource['id']}` was decided as something else than it had been registered as"
            self._doubt(tenant, where, message, "resource_not_registered", entry)

    def _find_registration(self, control: _TenantControl, resource: Mapping[str, Any]) -> int | None:
        """Position of the first registration of exactly this resource; remembered for each part that was read."""
        known = self._registrations.get(id(resource))
        if known is None or known[0] is not resource:
            if len(self._registrations) >= _MAX_CACHED:
                self._registrations.clear()
            known = self._registrations[id(resource)] = resource, control.registered.get(canonical.dumps(resource))
        return known[1]

    def _count_use(self, tenant: str, writer: str, agent: str, resource: str) -> None:
        self._uses[tenant, agent, resource] += 1
        control = self._log.find(tenant)
        # What a process that did not close in order counted last may be in no row.
        if writer not in control.closed or writer in control.crashed:
            self._unclosed_uses.setdefault((tenant, agent, resource), Counter())[writer] += 1

    def check(self, reader: LedgerReader) -> None:
        """Compare every row of control, resources, usage and writers."""
        for tenant, where, message, code, entry in self._doubts:
            self._out.add_unexplained_by_log(tenant, where, message, code, entry=entry)
        for tenant, control in self._log.tenants():
            self._check_acts(tenant, control)
        self._check_control(reader.rows(Stream.CONTROLS))
        self._check_resources(reader.rows(Stream.RESOURCES))
        self._check_usage(reader.rows(Stream.USAGE))
        self._check_writers(reader.rows(Stream.WRITER_TIMES))

    def _check_acts(self, tenant: str, control: _TenantControl) -> None:
        """Check that control acts have the signatures that they need, and the home's floor and people against the log.

        Also hands the acts and the counted answers to the report.
        """
        changes = control.history.changes
        self._out.acts[tenant] = tuple(changes)
        proven = {item.key_id for item in control.history.people if item.is_proven}
        self._out.answers[tenant] = tuple(
            AnswerCount(kid, kid in proven, count) for kid, count in sorted(self._answers.get(tenant, {}).items())
        )
        for change in changes:
            if change.problem:
                where = f"entry {tenant}/{change.entry}"
                message = f"`{change.act}` has no effect: it does not have the signatures that it needs"
                self._out.add_tampered(9, where, message, change.problem, change.entry)
        for writer in control.foreign[:MAX_FINDINGS]:
            message = "it opened another store than the log begins with"
            self._out.add_tampered(9, f"writer {tenant}/{writer}", message, "other_store")
        if control.differences:
            count = control.differences
            self._out.warn(
                f"rows of control of `{tenant}` differed {count} times from their signed entries while processes ran; "
                "decisions followed the entries"
            )
        if tenant in self._trust.raised and control.history.floor is not Mode.ENFORCE:
            self._out.warn(f"the home keeps that `{tenant}` was raised to `enforce`, which no entry of this log says")
        enrolled = {item.key_id for item in control.history.list_live()}
        unknown = sorted(self._trust.people.get(tenant, frozenset()) - enrolled)
        if unknown:
            names = ", ".join(kid[:8] for kid in unknown)
            self._out.warn(f"authorities.json of `{tenant}` has keys that no entry has enrolled: {names}")

    def _check_control(self, rows: Iterator[Row]) -> None:
        remaining = {tenant for tenant, control in self._log.tenants() if control.opened}
        for tenant, version, store, mode, policy in rows:
            where = f"control {tenant}"
            if tenant not in remaining:
                self._out.add_unexplained_by_log(str(tenant), where, "the log has no such tenant", "row_stray")
                continue
            remaining.discard(tenant)
            control = self._log.find(tenant)
            expected = (max(control.version, 1), control.store, control.history.floor.value, control.policy)
            columns = zip(("version", "store", "mode", "policy"), expected, (version, store, mode, policy), strict=True)
            wrong = [(name, want, have) for name, want, have in columns if want != have]
            for name, want, have in wrong:
                message = f"it is `{have}`, but the log says `{want}`"
                self._out.add_unexplained_by_log(tenant, where, message, "column_altered", columns=f" column {name}")
            self._out.passed[9] += not wrong
        for tenant in sorted(remaining):
            self._out.add_gap(9, f"control {tenant}", "the tenant's row is missing", "row_missing")

    def _check_resources(self, rows: Iterator[Row]) -> None:
        remaining = {
            (tenant, name): digest
            for tenant, control in self._log.tenants()
            for name, digest in control.resources.items()
        }
        for tenant, name, spec in rows:
            where, expected = f"resource {tenant}/{name}", remaining.pop((tenant, name), None)
            if expected is None:
                self._out.add_unexplained_by_log(str(tenant), where, "no entry registers it", "row_stray")
            elif type(spec) is not bytes or canonical.digest(REGISTRATION_DOMAIN, spec) != expected:
                message = "it is not what was registered last"
                self._out.add_unexplained_by_log(tenant, where, message, "column_altered", columns=" column spec")
            else:
                self._out.passed[9] += 1
        for tenant, name in remaining:
            self._out.add_gap(9, f"resource {tenant}/{name}", "it was registered, but has no row", "row_missing")

    def _check_usage(self, rows: Iterator[Row]) -> None:
        written: Counter[tuple[str, str, str]] = Counter()
        for tenant, agent, resource, uses in rows:
            where, key = f"usage {tenant}/{agent}/{resource}", (tenant, agent, resource)
            if tenant in self._unread:
                continue  # the uses of a decision that cannot be read are not known
            if type(uses) is not int or uses < 1 or key not in self._uses:
                self._out.add_unexplained_by_log(str(tenant), where, "no decision made these uses", "row_stray")
            else:
                written[key] += uses
        for key, uses in self._uses.items():
            lost = sum(min(count, MAX_UNWRITTEN_USES) for count in self._unclosed_uses.get(key, Counter()).values())
            least = uses - lost
            if key[0] in self._unread:
                continue
            if least <= written[key] <= uses:
                self._out.passed[9] += 1
            else:
                where = f"usage {'/'.join(key)}"
                message = f"it says {written[key]} uses, but there are {uses} decisions"
                self._out.add_unexplained_by_log(key[0], where, message, "column_altered", columns=" column uses")

    def _check_writers(self, rows: Iterator[Row]) -> None:
        for tenant, writer, opened_us, closed_us in rows:
            control, where = self._log.find(str(tenant)), f"writer {tenant}/{writer}"
            closed = control.closed.get(writer, set())
            wrong = []
            if control.opened.get(writer, opened_us) != opened_us:
                wrong.append("opened_us")
            if (closed_us is not None or closed) and closed_us not in closed:
                wrong.append("closed_us")
            for name in wrong:
                message = f"`{name}` is not what the writer's entries say"
                self._out.add_unexplained_by_log(
                    str(tenant), where, message, "column_altered", columns=f" column {name}"
                )
            self._out.passed[9] += not wrong


def _read_link(token: bytes | None, parent: Link | None) -> Link | None:
    try:
        text = (token or b"").decode("ascii")
        members = read_payload(text)
        return claims_to_link(Claims(members, str(members.get("iss")).removeprefix(ISSUER_URI), text), parent)
    except (PassportError, UnicodeDecodeError):
        return None


def _may_observe(control: _TenantControl, idx: int, ts_us: int) -> bool:
    """Whether the floor at a position and time is `observe`."""
    steps = control.steps
    if not steps or steps[0].idx > idx:
        return True
    step = steps[bisect_right(steps, idx, key=lambda item: item.idx) - 1]
    if step.floor is not Mode.ENFORCE:
        return True
    return step.waiver is not None and step.waiver.at_us <= ts_us < step.waiver.until_us
