"""Every control check by its id, and the checks of agents: inventory, grants, models, policy and keys.

answers = run_checks(room, period, ["pairs", "unused_grants"])
answer = CHECK_QUESTIONS["pairs"](room, period)

The other checks are in `record_checks`, `access_checks` and `oversight_checks`; what a check is, in `check_runner`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.clock import DAY_US, format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.evidence import access_checks, check_runner, oversight_checks, record_checks
from halo_core.evidence.answers import Answer, Period
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader
from halo_core.evidence.room import QueryRoom, RoomEntry
from halo_core.model import ActionKind, EntryKind, GrantName
from halo_core.oversight.keys import list_key_files, list_trusted_keys

_MAX_FRAMES: Final = 100_000
_MAX_ROWS: Final = 1_000
UNUSED_DAYS: Final = 90
"""How long a grant may go without a use, in days."""


class InventoryCheck(Check):
    """Each agent that acted has an owner and an issued passport.

    An agent that acts under a hand-off has no standing passport; the one at the root of its chain counts.
    """

    name = "inventory"
    claim = "every agent that acted has a passport that somebody issued, and an owner"
    counted = "agents"
    kinds = frozenset({DECISION, "inventory"})
    history = frozenset({"passport"})
    columns = ("agent", "owner", "origin", "decisions")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._passports: dict[str, tuple[str, str]] = {}  # agent → owner, origin
        self._decisions: Counter[str] = Counter()  # by agent
        self._roots: dict[str, str] = {}  # agent under a hand-off → agent at the root of its chain
        self._missing: list[str] = []  # names in another system's list that no agent here has
        self._is_compared = False

    def add_history(self, entry: RoomEntry) -> None:
        """Take a passport."""
        body, agent = entry.body, str(entry.body.get("agent", ""))
        if entry.kind == "passport" and body.get("kind") == "standing":
            self._passports[agent] = (str(body.get("owner", "")), str(body.get("origin", "")))

    def add_decision(self, decision: DecisionItem) -> None:
        """Count decisions by agent."""
        frame = decision.frame
        self._decisions[frame.agent] += 1
        if frame.agent not in self._passports and frame.agent not in self._roots and frame.chain:
            links = self.run.read_chain(frame.chain)
            if not isinstance(links, str):
                self._roots[frame.agent] = links[0].agent

    def add(self, entry: RoomEntry) -> None:
        """Take a passport, or a comparison with another system's list."""
        if entry.kind != "inventory":
            self.add_history(entry)
        elif entry.body.get("op") == "compare":
            self._missing = [str(name) for name in entry.body.get("missing", ())]
            self._is_compared = True

    def finish(self) -> None:
        """Find agents that nobody answers for."""
        self.count = len(self._decisions)
        for agent, n in sorted(self._decisions.items()):
            owner, origin = self._passports.get(agent) or self._passports.get(self._roots.get(agent, ""), ("", ""))
            if not origin:
                self.add_finding(f"`{agent}` acted {n} times and has no passport in this log")
            elif origin != "issued":
                self.add_finding(f"the passport of `{agent}` was {origin} from its tools; nobody issued it")
            if not owner and origin:
                self.add_finding(f"`{agent}` has no owner")
            self.rows.append({"agent": agent, "owner": owner, "origin": origin, "decisions": n})
        if not self._is_compared:
            self.notes.append("the agents were compared with no other system's list in this period")
        for name in self._missing:
            self.add_finding(f"`{name}` is in another system's list, and unknown here")


class UngovernedCheck(Check):
    """Nothing was seen to run without a decision."""

    name = "ungoverned"
    claim = "nothing was seen to run without a decision"
    counted = "decisions and sightings"
    kinds = frozenset({DECISION, "shadow"})
    columns = ("kind", "name", "where", "framework", "refused")
    limits = ("only what runs in a process with Halo in it can be seen; compare with a gateway's list for the rest",)

    def add_decision(self, decision: DecisionItem) -> None:
        """Count a decision."""
        del decision
        self.count += 1

    def add(self, entry: RoomEntry) -> None:
        """Take a sighting."""
        self.count += 1
        body = entry.body
        facts = {name: body.get(name, "") for name in ("kind", "name", "where", "framework", "refused")}
        if len(self.rows) < _MAX_ROWS:
            self.rows.append(facts)
        if not body.get("refused"):
            place = f" at {body['where']}" if body.get("where") else ""
            self.add_finding(
                f"{body.get('kind')} `{body.get('name')}`{place} ran without a decision (entry {entry.id})"
            )


class UnusedGrantsCheck(Check):
    """No grant is left that nobody used for 90 days."""

    name = "unused_grants"
    claim = f"no agent holds a grant that it has held for {UNUSED_DAYS} days and not used"
    counted = "grants"
    kinds = frozenset({DECISION})
    history = frozenset({"passport"})
    columns = ("agent", "kind", "grant", "granted")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._granted: dict[str, dict[GrantName, int]] = {}  # agent → grant → since when, microseconds
        self._used: set[tuple[str, str, str]] = set()  # agent, kind, resource
        self._agents_by_frame: dict[str, tuple[str, ...]] = {}

    def add_history(self, entry: RoomEntry) -> None:
        """Take a passport; a grant that the one before it had keeps its age."""
        body = entry.body
        if body.get("kind") != "standing":
            return
        links = self.run.read_chain((str(body.get("hash")),))
        if isinstance(links, str):
            return
        agent, before = links[0].agent, self._granted.get(links[0].agent, {})
        self._granted[agent] = {
            (kind.value, name): before.get((kind.value, name), entry.ts_us)
            for kind, names in links[0].grants.items()
            if kind is not ActionKind.HANDOFF
            for name in names
        }

    def add_decision(self, decision: DecisionItem) -> None:
        """Note a use."""
        if decision.ran:
            self._note_use(decision)

    def _note_use(self, decision: DecisionItem) -> None:
        """Note that the acting agent, and every agent that it acts under, used its grant."""
        frame = decision.frame
        agents = self._agents_by_frame.get(frame.name)
        if agents is None:
            links = self.run.read_chain(frame.chain) if frame.chain else ()
            agents = (frame.agent,) if isinstance(links, str) else (frame.agent, *(link.agent for link in links))
            if len(self._agents_by_frame) >= _MAX_FRAMES:
                self._agents_by_frame.clear()
            self._agents_by_frame[frame.name] = agents
        kind, name = str(decision.resource["kind"]), str(decision.resource["id"])
        self._used.update((agent, kind, name) for agent in agents)

    def finish(self) -> None:
        """List the grants that are old enough and were not used."""
        since = self.run.as_of_us - UNUSED_DAYS * DAY_US
        if any(at <= since for grants in self._granted.values() for at in grants.values()):
            self._note_uses_before_period(since)
        else:
            self.notes.append(f"no grant has been held for {UNUSED_DAYS} days yet, so none could be found")
        for agent, grants in sorted(self._granted.items()):
            self.count += len(grants)
            for (kind, name), granted in sorted(grants.items()):
                if granted <= since and (agent, kind, name) not in self._used:
                    self.add_finding(f"`{agent}` has held {kind} `{name}` since {format_iso(granted)} and not used it")
                    self.rows.append({"agent": agent, "kind": kind, "grant": name, "granted": format_iso(granted)})
        del self.rows[_MAX_ROWS:]

    def _note_uses_before_period(self, since_us: int) -> None:
        """Read the uses from before a period that is shorter than `UNUSED_DAYS`."""
        room, before = self.run.room, Period(max(since_us, 0), self.run.period.from_us)
        if before.from_us >= before.to_us:
            return
        for entry in room.entries((EntryKind.DECISION,), before):
            decision = self.run.read_decision(entry)
            if decision.ran:
                self._note_use(decision)


class ComponentsCheck(Check):
    """Each model call that ran names its model, and no tool of a server ran that nobody had accepted."""

    name = "components"
    claim = "every model call that ran names provider and model with the digests of prompt or tools"
    counted = "model calls"
    kinds = frozenset({DECISION})
    columns = ("provider", "model", "version", "calls")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._models: Counter[tuple[str, str, str]] = Counter()

    def add_decision(self, decision: DecisionItem) -> None:
        """Look at a model call."""
        entry = decision.entry
        if "mcp_tool_not_accepted" in decision.codes and decision.ran:
            self.add_finding(f"{decision.where} ran although nobody has accepted what its server lists")
        if decision.resource["kind"] != ActionKind.INFERENCE.value or not decision.ran:
            return
        self.count += 1
        name = entry.body.get("model")
        tree = self.run.room.reader.part_reader(self.run.room.tenant)(name) if name else {}
        model = (str(tree.get("provider", "")), str(decision.resource["id"]), str(tree.get("version", "")))
        self._models[model] += 1
        if not name:
            self.add_finding(f"{decision.where} does not record provider, version, prompt and tools")
        elif not model[0]:
            self.add_finding(f"{decision.where} does not name the provider")

    def finish(self) -> None:
        """List the models."""
        for (provider, model, version), n in sorted(self._models.items()):
            self.rows.append({"provider": provider, "model": model, "version": version, "calls": n})


class PolicyChangesCheck(Check):
    """Each decision was made under a policy that its process had put in force."""

    name = "policy_changes"
    claim = "every decision names a policy that its process had put in force before, and each change says by whom"
    counted = "decisions"
    kinds = frozenset({DECISION})
    history = frozenset({"policy"})
    columns = ("policy", "first in force", "processes", "files")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._in_force: dict[str, str] = {}  # writer → digest of its policy
        self._policies: dict[str, dict[str, Any]] = {}  # digest → row

    def add_history(self, entry: RoomEntry) -> None:
        """Take a policy."""
        body = entry.body
        name = str(body.get("hash") or body.get("unstored") or "")
        self._in_force[entry.writer] = name
        facts = self._policies.setdefault(
            name,
            {
                "policy": name[:19],
                "first in force": format_iso(entry.ts_us),
                "processes": 0,
                "files": ", ".join(map(str, body.get("sources", ())))[:200],
            },
        )
        facts["processes"] += 1
        if not body.get("actor"):
            self.add_finding(f"policy {name[:19]} (entry {entry.id}) was put in force by nobody who is named")
        if "hash" not in body:
            self.add_finding(f"the text of policy {name[:19]} (entry {entry.id}) is not stored")

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare the policy of a decision with the one in force."""
        entry = decision.entry
        self.count += 1
        policy = str(decision.frame.host.get("policy", ""))
        if self._in_force.get(entry.writer) != policy:
            self.add_finding(
                f"{decision.where} was made under policy {policy[:19]}, which its process had not put in force"
            )

    def finish(self) -> None:
        """List the policies."""
        self.rows += list(self._policies.values())[-_MAX_ROWS:]


class KeyCustodyCheck(Check):
    """The keys of people and issuers are not where agents run."""

    name = "key_custody"
    claim = "no private key of an issuer, approver or operator is where this home's agents could use it"
    counted = "trusted keys"
    kinds = frozenset()
    columns = ("role", "name", "key", "here")
    limits = ("it looks at the home that this runs on, now; other hosts have homes of their own",)

    def finish(self) -> None:
        """Look at the key files of the home."""
        room = self.run.room
        if room.home is None:
            self.unknown.append("there is no home at hand to look into")
            return
        files = list_key_files(KeyStore(room.home))
        trusted = list_trusted_keys({room.tenant: Authorities(room.home).load(room.tenant)}, files, self.run.as_of_us)
        live = [item for item in trusted if item.live]
        self.count = len(live)
        for item in live:
            name = item.name if item.role == "issuer" else room.refer_person(item.name)
            self.rows.append({"role": item.role, "name": name, "key": item.key_id[:8], "here": item.here})
            if item.here:
                self.add_finding(
                    f"the key of the {item.role} {item.key_id[:8]} is in the home, where agents could use it"
                )

    def explain_empty(self) -> str:
        """Without a trusted key nothing is known."""
        return "nobody is trusted to issue or answer yet"


_ALL: Final[tuple[type[Check], ...]] = (
    record_checks.PopulationCheck,
    record_checks.FieldsCheck,
    record_checks.PairsCheck,
    record_checks.ReplayCheck,
    record_checks.TimeCheck,
    record_checks.LifecycleCheck,
    record_checks.FailuresCheck,
    record_checks.LogAccessCheck,
    record_checks.LogReviewCheck,
    record_checks.RetentionCheck,
    access_checks.LeastPrivilegeCheck,
    access_checks.RefusalsCheck,
    access_checks.UntrustedContentCheck,
    access_checks.PassportsCheck,
    access_checks.RevocationsCheck,
    access_checks.StopsCheck,
    access_checks.ModeFloorCheck,
    access_checks.DecayCheck,
    access_checks.BudgetsCheck,
    InventoryCheck,
    UngovernedCheck,
    UnusedGrantsCheck,
    ComponentsCheck,
    oversight_checks.ApprovalsCheck,
    oversight_checks.SeparationCheck,
    PolicyChangesCheck,
    oversight_checks.AdminActsCheck,
    KeyCustodyCheck,
    oversight_checks.AlertsCheck,
    oversight_checks.AccessReviewsCheck,
    oversight_checks.OverridesCheck,
    oversight_checks.ReversalsCheck,
    oversight_checks.IncidentsCheck,
    oversight_checks.DrillsCheck,
)
CHECK_CLASSES: Final[Mapping[str, type[Check]]] = {check.name: check for check in _ALL}
"""Every check by its id."""
_UNTESTED_CHECKS: Final[frozenset[str]] = frozenset()
TESTED_CHECKS: Final = frozenset(CHECK_CLASSES) - _UNTESTED_CHECKS
"""Checks for each of which a test plants a gap in a ledger, and shows that the check fails."""


def run_checks(room: QueryRoom, period: Period, names: Iterable[str]) -> dict[str, Answer]:
    """Run the named checks in one pass over the log: name → answer.

    Raises:
        KeyError: there is no such check.
    """
    return check_runner.run_check_classes(room, period, [CHECK_CLASSES[name] for name in names])


def _make_question(name: str) -> Callable[[QueryRoom, Period], Answer]:
    return lambda room, period: run_checks(room, period, [name])[name]


CHECK_QUESTIONS: Final[Mapping[str, Callable[[QueryRoom, Period], Answer]]] = {
    name: _make_question(name) for name in CHECK_CLASSES
}
"""Every check as a question about a period."""
