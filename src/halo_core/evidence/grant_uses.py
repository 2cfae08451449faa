"""How agents use their grants: which are unused, which were removed, and what narrower grants would have refused.

    for item in list_unused_grants(log, now_us): ...
    uses = count_uses(log, from_us)
    played = play_back(log, contents, "clerk", grants=grants, from_us=from_us)

A grant counts as unused if it is older than the number of days in its agent's manifest and no action used it since.
Actions of agents further down the chain use the grants of the agents above, too. Hand-offs are not counted: the
manifest alone says who hands off to whom.

Everything is read from a verified log as a stream; memory grows with the number of grants.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Final, NamedTuple

from halo_core.clock import format_iso
from halo_core.crypto import canonical
from halo_core.durations import DAY_US
from halo_core.errors import ConfigError
from halo_core.evidence.answers import END_US, Period
from halo_core.evidence.audit_log import AuditEntry, AuditLog
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader, run_pass
from halo_core.evidence.facts import DecisionFacts, DecisionFilter
from halo_core.ledger import decode_entry
from halo_core.manifest import Manifest, UnusedGrants, load_manifest
from halo_core.model import ActionKind, Constraint, EntryKind, GrantName, Grants
from halo_core.passports.grants import find_violation
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.views import View
from halo_core.views.grant_proposals import Proposal, ProposedGrants
from halo_core.views.manifests import read_manifest_if_any
from halo_core.views.passports import find_chain

UNUSED_DAYS: Final = 90
"""How long a grant may go without a use where no manifest says it, in days."""
NONE_OLD_NOTE: Final = f"no grant has been held for {UNUSED_DAYS} days yet, so none could be found"
_MAX_ROWS: Final = 1_000
_MAX_REFUSALS: Final = 200


@dataclass(frozen=True, slots=True)
class UnusedGrant:
    """A grant that was not used for a long time.

    Args:
        kind: kind of the action.
        name: id of the resource.
        granted_us: time since which it is granted, microseconds since the epoch.
        used_us: its last use; 0 for none.
        removed_from_us: from when on it may be removed, by the notice that was given; 0 for no notice.
    """

    kind: str
    name: str
    granted_us: int
    used_us: int
    removed_from_us: int = 0

    @property
    def text(self) -> str:
        """As people write it."""
        return self.name if self.kind == ActionKind.TOOL_CALL.value else f"{self.kind} {self.name}"


@dataclass(frozen=True, slots=True)
class AgentUnusedGrants(View):
    """The unused grants of one agent.

    Args:
        agent: its id.
        rule: what its manifest says about unused grants.
        granted: what its passport grants.
        total: number of grants without hand-offs.
        unused: the grants that were not used for as long as the rule says.
        is_issued: whether a person issued the passport, so that another one can be issued in its place.
        passport: hash of the passport.
        now_us: the time of the answer, microseconds since the epoch.
        oldest_us: since when its oldest grant is held; 0 where it has none.
    """

    agent: str
    rule: UnusedGrants
    granted: Grants
    total: int
    unused: tuple[UnusedGrant, ...]
    is_issued: bool
    passport: str
    now_us: int
    oldest_us: int

    def list_due(self) -> tuple[UnusedGrant, ...]:
        """Grants whose notice is over."""
        if self.rule.action != "remove" or not self.is_issued:
            return ()
        return tuple(item for item in self.unused if 0 < item.removed_from_us <= self.now_us)

    def list_unnoticed(self) -> tuple[UnusedGrant, ...]:
        """Grants for which notice must be given."""
        if self.rule.action != "remove" or not self.is_issued:
            return ()
        return tuple(item for item in self.unused if not item.removed_from_us)

    def without(self, removed: tuple[UnusedGrant, ...]) -> ProposedGrants:
        """The agent's grants without the removed ones, as a proposal for a manifest."""
        removed_names = {(item.kind, item.name) for item in removed}
        remaining_uses = {
            kind: {name: rules for name, rules in resources.items() if (kind.value, name) not in removed_names}
            for kind, resources in self.granted.items()
        }
        return ProposedGrants(Proposal(self.agent, self.granted, ()), remaining_uses)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            "action": self.rule.action,
            "after_days": self.rule.after_days,
            "agent": self.agent,
            "grants": self.total,
            "held_since_us": self.oldest_us,
            "notice_days": self.rule.notice_days,
            "unused": [
                {
                    "granted_us": item.granted_us,
                    "kind": item.kind,
                    "name": item.name,
                    "removed_from_us": item.removed_from_us,
                    "used_us": item.used_us,
                }
                for item in self.unused
            ],
        }


@dataclass(slots=True)
class _AgentUse:
    """The log's record of one agent so far."""

    granted: dict[GrantName, int] = field(default_factory=dict)
    grants: Grants = field(default_factory=dict)
    used: dict[GrantName, int] = field(default_factory=dict)
    noticed: dict[GrantName, int] = field(default_factory=dict)
    manifest: str = ""
    is_issued: bool = False
    passport: str = ""

    def take_passport(self, body: Mapping[str, Any], grants: Grants, ts_us: int) -> None:
        names = {
            (kind.value, name)
            for kind, resources in grants.items()
            if kind is not ActionKind.HANDOFF
            for name in resources
        }
        self.granted = {item: self.granted.get(item, ts_us) for item in names}
        self.noticed = {item: noticed_us for item, noticed_us in self.noticed.items() if item in names}
        self.grants, self.passport = grants, str(body["hash"])
        self.manifest, self.is_issued = str(body.get("manifest", "")), body.get("origin") == "issued"

    def take_act(self, body: Mapping[str, Any], ts_us: int) -> None:
        names = [(str(kind), str(name)) for kind, name in body["grants"]]
        if body["op"] == "notice":
            self.noticed.update(dict.fromkeys(names, int(body["removed_from_us"])))
        elif body["op"] == "restore":
            self.granted.update((item, ts_us) for item in names if item in self.granted)
            for item in names:
                self.noticed.pop(item, None)

    def take_use(self, item: GrantName, ts_us: int) -> None:
        self.used[item] = max(self.used.get(item, 0), ts_us)
        self.noticed.pop(item, None)  # a use ends the notice

    def list_unused(self, limit_us: int) -> tuple[UnusedGrant, ...]:
        """Grants that were neither given nor used after a time."""
        return tuple(
            UnusedGrant(*item, granted_us, self.used.get(item, 0), self.noticed.get(item, 0))
            for item, granted_us in sorted(self.granted.items())
            if max(granted_us, self.used.get(item, 0)) <= limit_us
        )


class UnusedGrantsCheck(Check):
    """Whether no agent holds a grant that it has not used for 90 days."""

    name = "unused_grants"
    claim = f"no agent holds a grant that it has not used for {UNUSED_DAYS} days"
    unit = "grants"
    kinds = frozenset({DECISION})
    history = frozenset({"grants", "passport"})
    columns = ("agent", "kind", "grant", "granted", "used")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self.uses: dict[str, _AgentUse] = {}

    def add_history(self, entry: AuditEntry) -> None:
        """Take a passport, or an act on grants; a grant that the passport before had keeps its age."""
        body = entry.body
        if entry.kind == "grants":
            self._of(str(body["agent"])).take_act(body, entry.ts_us)
        elif body.get("kind", "standing") == "standing":
            links = self.run.read_chain((str(body["hash"]),))
            if not isinstance(links, str):
                self._of(links[0].agent).take_passport(body, links[0].grants, entry.ts_us)

    def _of(self, agent: str) -> _AgentUse:
        return self.uses.setdefault(agent, _AgentUse())

    def add_decision(self, decision: DecisionItem) -> None:
        """Note a use, of the acting agent and of every agent that it acts under."""
        if decision.ran:
            grant = (str(decision.resource["kind"]), str(decision.resource["id"]))
            for agent in decision.frame.agents:
                self._of(agent).take_use(grant, decision.entry.ts_us)

    def finish(self) -> None:
        """List the grants that are old enough and were not used."""
        since = self.run.as_of_us - UNUSED_DAYS * DAY_US
        if any(since_us <= since for use in self.uses.values() for since_us in use.granted.values()):
            self._note_uses_before_period(since)
        else:
            self.notes.append(NONE_OLD_NOTE)
        for agent, use in sorted(self.uses.items()):
            self.count += len(use.granted)
            for item in use.list_unused(since):
                granted = format_iso(item.granted_us)
                used = format_iso(item.used_us) if item.used_us else ""
                last = f"last used at {used}" if used else f"not used in the last {UNUSED_DAYS} days"
                self.add_finding(f"`{agent}` holds {item.kind} `{item.name}`, granted at {granted}: {last}")
                self.rows.append(
                    {"agent": agent, "kind": item.kind, "grant": item.name, "granted": granted, "used": used}
                )
        del self.rows[_MAX_ROWS:]

    def _note_uses_before_period(self, since_us: int) -> None:
        """Read the uses from before a period that is shorter than `UNUSED_DAYS`."""
        log, before = self.run.log, Period(max(since_us, 0), self.run.period.from_us)
        if before.from_us < before.to_us:
            for entry in log.entries((EntryKind.DECISION,), before):
                self.add_decision(self.run.read_decision(entry))


def list_unused_grants(
    log: AuditLog, now_us: int, *, agent: str = "", days: int | None = None
) -> list[AgentUnusedGrants]:
    """The unused grants of each agent with a passport, by name.

    Args:
        log: reads the log; its home may hold a manifest that was never issued from.
        now_us: the time, microseconds since the epoch.
        agent: this one only.
        days: replaces the days that manifests set.

    Raises:
        NotVerified: the log is not whole.
    """
    period = Period(0, END_US)
    check = UnusedGrantsCheck(RunReader(log, period))
    run_pass(log, period, [check])
    agents = []
    for name in sorted(check.uses):
        use = check.uses[name]
        if not use.passport or agent not in ("", name):
            continue
        rule = _find_rule(log, name, use)
        unused = use.list_unused(now_us - (rule.after_days if days is None else days) * DAY_US)
        oldest_us, total = min(use.granted.values(), default=0), len(use.granted)
        agents.append(
            AgentUnusedGrants(name, rule, use.grants, total, unused, use.is_issued, use.passport, now_us, oldest_us)
        )
    return agents


def _find_rule(log: AuditLog, agent: str, use: _AgentUse) -> UnusedGrants:
    """The rule in the manifest from which the passport was issued; if that is not stored, in the home's manifest."""
    try:
        data = log.reader.blob(log.tenant, use.manifest) if use.manifest else None
        if data is not None:
            manifest: Manifest | None = load_manifest(data.decode())
        else:
            manifest = None if log.home is None else read_manifest_if_any(log.home, None)
    except (ConfigError, UnicodeError):
        return UnusedGrants()
    section = manifest.agents.get(agent) if manifest is not None else None
    return UnusedGrants() if section is None else section.unused_grants


@dataclass(frozen=True, slots=True)
class RemovedGrants:
    """Grants that were removed from an agent and not restored since.

    Args:
        agent: id of the agent.
        grants: the removed grants with the constraints that they had.
        names: action kind and resource id of each.
        at_us: when the last of them was removed, microseconds since the epoch.
    """

    agent: str
    grants: Grants
    names: tuple[GrantName, ...]
    at_us: int


def load_removed_grants(reader: Reader, tenant: str, agent: str) -> RemovedGrants:
    """What was removed from an agent and can be restored; empty if nothing was."""
    removed: dict[GrantName, tuple[str, int]] = {}
    for record in read_entries(reader, tenant, (EntryKind.GRANTS,)):
        body = record.entry.body
        if body.get("agent") != agent or body["op"] not in ("remove", "restore"):
            continue
        for kind, name in body["grants"]:
            removed.pop((kind, name), None)
            if body["op"] == "remove":
                removed[kind, name] = body["before"], record.entry.ts_us
    grants: dict[ActionKind, dict[str, Mapping[str, Constraint]]] = {}
    names = []
    for (kind, name), (passport, _) in sorted(removed.items()):
        stored = find_chain(reader, tenant, passport)
        rules = None if stored is None else stored.links[0].grants.get(ActionKind(kind), {}).get(name)
        if rules is not None:
            grants.setdefault(ActionKind(kind), {})[name] = rules
            names.append((kind, name))
    return RemovedGrants(agent, grants, tuple(names), max((at_us for _, at_us in removed.values()), default=0))


class GrantUse(NamedTuple):
    """How a grant was used.

    Args:
        calls: actions that ran on it.
        refused: actions on it that were denied or that nobody approved.
        last_us: the newest that ran; 0 for none.
        people: number of people for whom the agent used it.
        questions: how many of its decisions asked a person.
    """

    calls: int = 0
    refused: int = 0
    last_us: int = 0
    people: int = 0
    questions: int = 0


def count_uses(log: AuditLog, from_us: int) -> dict[tuple[str, GrantName], GrantUse]:
    """Agent and grant → how it was used since a time, microseconds since 1970."""
    use_counts: dict[tuple[str, GrantName], _UseCount] = {}
    for decision in log.decisions(DecisionFilter(Period(from_us, END_US))):
        for agent in decision.agents:
            use_counts.setdefault((agent, (decision.kind, decision.resource)), _UseCount()).take(decision)
    return {item: count.use._replace(people=len(count.people)) for item, count in use_counts.items()}


@dataclass(slots=True)
class _UseCount:
    use: GrantUse = field(default_factory=GrantUse)
    people: set[str] = field(default_factory=set)

    def take(self, decision: DecisionFacts) -> None:
        calls, refused, last_us, people, questions = self.use
        if decision.dispatched:
            calls, last_us = calls + 1, max(last_us, decision.ts_us)
            self.people.update({decision.user} - {""})
        else:
            refused += 1
        self.use = GrantUse(calls, refused, last_us, people, questions + (decision.effect == "challenge"))


@dataclass(frozen=True, slots=True)
class PlayedBack(View):
    """The effect of proposed grants on an agent's recorded actions.

    Args:
        agent: id of the agent.
        ran: actions that ran in the period.
        unread: of those, how many have arguments that the grants restrict and that cannot be opened, so that only their
            resource was compared.
        refused: (kind, resource, code, calls) that would have been refused.
    """

    agent: str
    ran: int
    unread: int
    refused: tuple[tuple[str, str, str, int], ...]

    @property
    def is_clean(self) -> bool:
        """Whether everything that ran would have run."""
        return not self.refused


def play_back(log: AuditLog, contents: SealedContents, agent: str, *, grants: Grants, from_us: int) -> PlayedBack:
    """Compare every action of an agent that ran since a time with proposed grants.

    Args:
        log: the tenant's audit log.
        contents: opens the arguments, where a grant restricts them.
        agent: agent whose actions count, with those of agents under it.
        grants: the proposed grants.
        from_us: the time, microseconds since 1970.
    """
    ran = unread = 0
    refused: dict[tuple[str, str, str], int] = {}
    for decision in log.decisions(DecisionFilter(Period(from_us, END_US))):
        kind = ActionKind(decision.kind)
        if agent not in decision.agents or not decision.dispatched or kind is ActionKind.HANDOFF:
            continue
        ran += 1
        # Arguments are opened only where the grant says anything of them: opening takes most of the time.
        args: Mapping[str, Any] | None = {}
        if grants.get(kind, {}).get(decision.resource):
            args = _open_args(log, contents, decision)
            unread += args is None
        violation = find_violation(grants, kind, decision.resource, args or {})
        if violation is not None and (args is not None or violation.code == "tool_not_granted"):
            key = (decision.kind, decision.resource, violation.code)
            refused[key] = refused.get(key, 0) + 1
    rows = sorted(((*key, count) for key, count in refused.items()), key=lambda row: (-row[3], row))
    return PlayedBack(agent, ran, unread, tuple(rows[:_MAX_REFUSALS]))


def _open_args(log: AuditLog, contents: SealedContents, decision: DecisionFacts) -> Mapping[str, Any] | None:
    note = log.reader.note_at_index(log.tenant, decision.index)
    sealed = None if note is None else contents.open(decode_entry(note), "args")
    return None if sealed is None else canonical.from_plain(canonical.loads(sealed))
