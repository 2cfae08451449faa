"""Checks of access: only granted actions ran, refused ones did not, and limits, stops and revocations were kept."""

from __future__ import annotations

from collections import Counter, OrderedDict
from typing import Any, Final

from halo_core.clock import format_iso
from halo_core.crypto.keys import compute_key_thumbprint
from halo_core.decision.answers import REVERSES, name_reversed_tool
from halo_core.durations import SECOND_US
from halo_core.evidence.audit_log import AuditEntry
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader, count_rows
from halo_core.ledger.control_history import HISTORY_KINDS
from halo_core.model import ActionKind, Link, LinkKind, Mode
from halo_core.views.wording import format_count

_MAX_SESSIONS: Final = 100_000
_MAX_ROWS: Final = 1_000
_UNTRUSTED: Final = frozenset(
    "amount_exceeds in_no_order sensitive_read unasked_act untraced_target untrusted_amount untrusted_target".split()
)
"""Codes of actions that were held because of where their values came from."""
_REFUSED: Final = frozenset({"challenge", "deny"})
_STOPPED: Final = frozenset({"stopped", "suspended"})
"""Codes of what a stop, or a suspension because of risk, refused."""


class LeastPrivilegeCheck(Check):
    """Whether each action that ran was granted by each link of its chain."""

    name = "least_privilege"
    claim = "every action that ran was granted by each passport of its chain, within the labels that these allow"
    unit = "actions that ran"
    kinds = frozenset({DECISION})
    columns = ("agent", "actions")
    limits = ("arguments are compared with the grants by `replay`, not here",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._verdicts: dict[tuple[str, str, str, bool], str] = {}
        self._agents: Counter[str] = Counter()

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare an action that ran with its grants."""
        entry = decision.entry
        if not decision.ran:
            return
        self.count += 1
        self._agents[decision.frame.agent] += 1
        resource = decision.resource
        key = (decision.frame.name, str(resource["kind"]), entry.body["resource"], _is_reversal(decision))
        if key not in self._verdicts:
            if len(self._verdicts) >= _MAX_SESSIONS:
                self._verdicts.clear()
            self._verdicts[key] = self._find_excess(decision)
        if self._verdicts[key]:
            self.add_finding(f"{decision.where} ran, but {self._verdicts[key]}")

    def _find_excess(self, decision: DecisionItem) -> str:
        if not decision.frame.chain:
            return "under no passport"
        links = self.run.read_chain(decision.frame.chain)
        if isinstance(links, str):
            return f"its passports do not verify: {links}"
        kind, name = ActionKind(decision.resource["kind"]), str(decision.resource["id"])
        if kind is ActionKind.HANDOFF and any(link.agent == name for link in links):
            return ""  # handing back to somebody up the chain is no new authority
        labels = set(decision.resource.get("labels", ()))
        # As in the decision: who may call a tool may be told to take such a call back.
        granted_by = {name, name_reversed_tool(name)} if _is_reversal(decision) else {name}
        for link in links:
            if granted_by.isdisjoint(link.grants.get(kind, {})):
                return f"the passport of `{link.agent}` does not grant it"
            if link.labels is not None and (excess := sorted(labels - set(link.labels))):
                return f"the passport of `{link.agent}` does not allow the label {', '.join(excess)}"
        return ""

    def finish(self) -> None:
        """Count by agent."""
        self.rows = count_rows(self._agents, "agent", "actions")[:_MAX_ROWS]


def _is_reversal(decision: DecisionItem) -> bool:
    return any(relation == REVERSES for relation, _ in decision.entry.body.get("links", ()))


class UntrustedContentCheck(Check):
    """Whether actions that were held because of untrusted content ran only after a person's answer."""

    name = "untrusted_content"
    claim = "no action that was held because of where its values came from ran without a person's answer"
    unit = "decisions"
    kinds = frozenset({DECISION})
    columns = ("reason", "held")
    limits = ("it counts what the rules in force held; it does not detect what they did not",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._held: Counter[str] = Counter()
        self._exposed = 0

    def add_decision(self, decision: DecisionItem) -> None:
        """Look for actions that were held."""
        entry = decision.entry
        self.count += 1
        self._exposed += "taint" in entry.body.get("seen", {})
        codes = _UNTRUSTED.intersection(decision.codes)
        if codes and decision.effect in _REFUSED:
            self._held.update(codes)
            if decision.ran:
                self.add_finding(f"{decision.where} ran although it was held: {', '.join(sorted(codes))}")

    def finish(self) -> None:
        """Count by reason."""
        self.rows = count_rows(self._held, "reason", "held")
        if not self._held and not self._exposed:
            self.unknown.append(
                "no session had read untrusted content and nothing was held, so nothing shows that it would have been"
            )
        self.notes.append(f"in sessions that had read untrusted content: {format_count(self._exposed, 'decision')}")


class PassportsCheck(Check):
    """Whether each decision was made under a chain that verifies and whose root an entry of this log issued."""

    name = "passports"
    claim = "every action ran under a chain of passports that verifies, whose root an entry of this log has issued"
    unit = "decisions"
    kinds = frozenset({DECISION})
    history = frozenset({"passport"})
    columns = ("agent", "passport", "issued", "origin", "owner")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._issued: dict[str, dict[str, Any]] = {}
        self._problems: dict[str, str] = {}
        self._new: list[dict[str, Any]] = []

    def add_history(self, entry: AuditEntry) -> None:
        """Take an issued passport."""
        body = entry.body
        if body.get("kind") == "standing":
            facts = {
                "agent": body.get("agent", ""),
                "passport": str(body.get("hash", ""))[:19],
                "issued": format_iso(entry.ts_us),
                "origin": body.get("origin", ""),
                "owner": body.get("owner", ""),
            }
            self._issued[str(body.get("hash"))] = facts
            self._new.append(facts)
            if not body.get("actor"):
                self.add_finding(f"the passport of `{body.get('agent')}` (entry {entry.id}) does not say who issued it")

    def add_decision(self, decision: DecisionItem) -> None:
        """Verify the chain of a decision."""
        self.count += 1
        frame = decision.frame
        if frame.name not in self._problems:
            if len(self._problems) >= _MAX_SESSIONS:
                self._problems.clear()
            self._problems[frame.name] = self._find_problem(decision)
        problem = self._problems[frame.name]
        if problem and (decision.ran or frame.chain):
            self.add_finding(f"{decision.where}: {problem}")

    def _find_problem(self, decision: DecisionItem) -> str:
        frame = decision.frame
        if not frame.chain:
            return "it ran under no passport"
        links = self.run.read_chain(frame.chain)
        if isinstance(links, str):
            return f"its chain does not verify: {links}" if "bad_passport" not in decision.codes else ""
        if links[0].hash not in self._issued:
            return "no entry has issued the passport at the root of its chain"
        if links[-1].agent != frame.agent and decision.ran:
            return f"its passport is of `{links[-1].agent}`"
        if links[-1].tenant != self.run.log.tenant and decision.ran:
            return f"its passport is of the tenant `{links[-1].tenant}`"
        return ""

    def finish(self) -> None:
        """List the passports."""
        self.rows = list(self._new[-_MAX_ROWS:])


class _ControlCheck(Check):
    """Base of checks that compare actions with the control state (stops, revocations, floor) in force at that time."""

    kinds = frozenset({DECISION})
    history = frozenset(HISTORY_KINDS)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self.past = run.log.make_control_history()
        self.version = 0
        self._clean: set[tuple[str, str, int]] = set()

    def add_history(self, entry: AuditEntry) -> None:
        """Take a control act."""
        self.past.add(entry.kind, entry.body, at_us=entry.ts_us, entry=entry.id)
        self.version += 1
        self._clean.clear()

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare an action that ran with what is in force."""
        if decision.ran:
            self.check_run(decision.entry, decision)

    def check_run(self, entry: AuditEntry, decision: DecisionItem) -> None:
        """Compare an action that ran with what is in force."""
        key = (decision.frame.name, entry.body["resource"], self.version)
        if key in self._clean:
            return
        hit = self.find_hit(entry, decision)
        if hit:
            self.add_finding(f"{decision.where} of {format_iso(entry.ts_us)} ran {hit}")
        else:
            if len(self._clean) >= _MAX_SESSIONS:
                self._clean.clear()
            self._clean.add(key)

    def find_hit(self, entry: AuditEntry, decision: DecisionItem) -> str:
        """The stop or revocation in force whose scope the action was in, in words; empty for none."""
        raise NotImplementedError

    def is_waived_at(self, ts_us: int) -> bool:
        """Whether a signed waiver lowered the floor at a time."""
        waiver = self.past.waiver
        return waiver is not None and waiver.at_us <= ts_us < waiver.until_us

    def list_in_force(self, kind: str) -> list[tuple[str, str, int]]:
        """(scope, target, since) of each stop or revocation in force."""
        return [
            (scope, target, since)
            for (restricted_kind, scope, target), since in self.past.restrictions.items()
            if restricted_kind == kind
        ]


class RefusalsCheck(_ControlCheck):
    """Whether refused actions did not run, and each refusal has a reason."""

    name = "refusals"
    claim = (
        "no action ran that was refused or had no answer yet, except under a signed waiver; and every refusal says why"
    )
    unit = "decisions"
    columns = ("reason", "refused")
    limits = ("what was refused because the log could not be written has no entry",)

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._codes: Counter[str] = Counter()
        self._refused = self._waived = 0

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare the effect of a decision with what happened."""
        self.count += 1
        if decision.effect not in _REFUSED:
            return
        self._refused += 1
        codes = [code for code in decision.codes if code != "granted"]
        self._codes.update(codes)
        mode = str(decision.frame.host.get("mode", "?"))
        if decision.ran and mode == Mode.OBSERVE.value and self.is_waived_at(decision.entry.ts_us):
            self._waived += 1
        elif decision.ran:
            self.add_finding(f"{decision.where} ran in {mode} mode although the decision was {decision.effect}")
        if not codes:
            self.add_finding(f"{decision.where} was refused without a reason")

    def finish(self) -> None:
        """Count by reason."""
        self.rows = count_rows(self._codes, "reason", "refused")
        if self._refused:
            self.notes.append(f"{self._refused:,} of them were refused or asked about; one may have several reasons")
        else:
            self.notes.append("nothing was refused in this period")
        if self._waived:
            self.notes.append(
                f"{format_count(self._waived, 'refused action')} ran in observe mode under a waiver (see `mode_floor`)"
            )


class StopsCheck(_ControlCheck):
    """Whether nothing ran in the scope of a stop while it was in force."""

    name = "stops"
    claim = "no action ran in the scope of a stop while it was in force"
    unit = "stops"
    columns = ("stop", "target", "since", "lifted")
    limits = (
        "actions that were let run before the stop may have ended after it",
        "a stop that was made by hand, as a file, is seen by what it refused alone",
    )

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._refused = 0

    def add_decision(self, decision: DecisionItem) -> None:
        """Count what a stop refused, and compare what ran with the stops in force."""
        self._refused += not (decision.ran or _STOPPED.isdisjoint(decision.codes))
        super().add_decision(decision)

    def add_history(self, entry: AuditEntry) -> None:
        """Take a control act, and list stops."""
        super().add_history(entry)
        if entry.kind == "stop":
            facts = {
                "stop": str(entry.body.get("scope", "")),
                "target": str(entry.body.get("target", "")),
                "since": format_iso(entry.ts_us),
                "lifted": "",
            }
            self.rows.append(facts)
        elif entry.kind == "lift":
            target = (str(entry.body.get("scope", "")), str(entry.body.get("target", "")))
            for row in self.rows:
                if (row["stop"], row["target"]) == target and not row["lifted"]:
                    row["lifted"] = format_iso(entry.ts_us)  # type: ignore[index]  # a dict of our own

    def find_hit(self, entry: AuditEntry, decision: DecisionItem) -> str:
        """The stop in force whose scope the action was in, in words; empty for none."""
        frame = decision.frame
        agents = {frame.agent, *frame.acting}
        if frame.chain and not isinstance(links := self.run.read_chain(frame.chain), str):
            agents |= {link.agent for link in links}
        names: dict[str, set[str]] = {
            "agent": agents,
            "session": {entry.session},
            "tool": {str(decision.resource["id"])},
            "tenant": {self.run.log.tenant},
            "user": {frame.user},
            "suspended_agent": agents,
            "suspended_pair": {f"{frame.user}:{agent}" for agent in agents},
            "suspended_user": {frame.user},
        }
        for scope, target, since in self.list_in_force("stop"):
            is_named = scope == "all" or target in names.get(scope, {target})
            if is_named and (not scope.startswith("suspended") or entry.ts_us >= since):
                return f"while {scope} `{target}` was stopped"
        return ""

    def finish(self) -> None:
        """Keep and count only the stops that were in force in the period."""
        since = format_iso(self.run.period.from_us) if self.run.period.from_us > 0 else ""
        self.rows = [row for row in self.rows if not row["lifted"] or row["lifted"] >= since]
        self.count = len(self.rows)
        if self._refused:
            self.notes.append(f"{format_count(self._refused, 'attempt')} refused while something was stopped")
        elif self.rows:
            self.unknown.append("nothing was tried in the scope of a stop, so nothing shows that it held")

    def explain_empty(self) -> str:
        """Why the check cannot tell: without a stop nothing shows that one works."""
        return "no stop was in force in this period, so nothing shows that one works (a drill would)"


class RevocationsCheck(_ControlCheck):
    """Whether nothing ran under a revoked or expired passport, or one of a revoked agent, key, session or tenant."""

    name = "revocations"
    claim = "no action ran under a passport, key, agent, session or tenant that was revoked, or after its expiry"
    unit = "actions that ran"
    columns = ("revoked", "target", "since")

    def check_run(self, entry: AuditEntry, decision: DecisionItem) -> None:
        """Compare an action that ran with expiry, which depends on its time and is not cached, and with revocations."""
        self.count += 1
        links = self.run.read_chain(decision.frame.chain) if decision.frame.chain else ()
        if not isinstance(links, str):
            late = next((link for link in links if entry.ts_us // SECOND_US >= link.expires_at_s), None)
            if late is not None:
                self.add_finding(f"{decision.where} ran after the passport of `{late.agent}` had expired")
        super().check_run(entry, decision)

    def find_hit(self, entry: AuditEntry, decision: DecisionItem) -> str:
        """The revocation in force that covers the action, in words; empty for none."""
        chain = decision.frame.chain
        links = self.run.read_chain(chain) if chain else ()
        verified_chain: tuple[Link, ...] = () if isinstance(links, str) else links
        names: dict[str, set[str]] = {
            "agent": {decision.frame.agent, *(link.agent for link in verified_chain)},
            "link": {*chain, *(link.jti for link in verified_chain)},
            "key": {name for link in verified_chain for name in (link.key_id, compute_key_thumbprint(link.holder_key))},
            "session": {entry.session},
            "tenant": {self.run.log.tenant},
        }
        for scope, target, since in self.list_in_force("revocation"):
            if target in names.get(scope, {target}):
                return f"although the {scope} `{target}` was revoked {format_iso(since)}"
        return ""

    def finish(self) -> None:
        """List what is revoked."""
        if not self.list_in_force("revocation"):
            self.notes.append("nothing is revoked, so the times at which passports expire are all that was compared")
        for scope, target, since in self.list_in_force("revocation")[:_MAX_ROWS]:
            self.rows.append({"revoked": scope, "target": target, "since": format_iso(since)})


class ModeFloorCheck(_ControlCheck):
    """Whether actions in observe mode ran only under a signed waiver in force."""

    name = "mode_floor"
    claim = "no action ran in observe mode, except under a signed waiver that was in force"
    unit = "actions that ran"
    columns = ("mode", "actions")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._modes: Counter[str] = Counter()
        self._below: Counter[tuple[str, str]] = Counter()
        self._waived = 0

    def check_run(self, entry: AuditEntry, decision: DecisionItem) -> None:
        """Compare the mode of a decision with the floor."""
        self.count += 1
        mode = str(decision.frame.host.get("mode", ""))
        self._modes[mode] += 1
        if mode == Mode.ENFORCE.value:
            return
        if self.is_waived_at(entry.ts_us):
            self._waived += 1
            return
        waiver = self.past.waiver
        mode_note = (
            "in observe mode, while no floor was set" if self.past.floor is not Mode.ENFORCE else "below the floor"
        )
        if waiver is not None:
            mode_note = f"{mode_note}, after the waiver ended at {format_iso(waiver.until_us)}"
        self._below[decision.frame.agent, mode_note] += 1

    def finish(self) -> None:
        """One finding for each agent."""
        for (agent, mode_note), n in sorted(self._below.items()):
            self.add_finding(f"{n} action{'s' * (n != 1)} of `{agent}` ran {mode_note}")
        for change in self.past.changes:
            if change.act == "waive" and self.run.period.contains(change.at_us):
                if change.problem:
                    self.add_finding(f"waiver {change.entry} has no effect: {change.problem}")
                else:
                    self.notes.append(f"waiver {change.entry} until {format_iso(change.until_us)}: {change.why}")
        if self._waived:
            self.notes.append(f"{format_count(self._waived, 'action')} ran in observe mode under a waiver")
        self.rows = count_rows(self._modes, "mode", "actions")


class DecayCheck(Check):
    """Whether authority only fell within each session and epoch."""

    name = "decay"
    claim = "within a session and epoch authority only fell, and rose again by re-authorization alone"
    unit = "decisions with authority"
    kinds = frozenset({DECISION})
    columns = ("fact", "value")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._left: OrderedDict[tuple[str, str], tuple[tuple[int, ...], int]] = OrderedDict()
        self._lowest = 1_000_000
        self._epochs = 0

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare the authority with that after the previous decision of the same accounts."""
        entry = decision.entry
        counts, remaining = entry.body.get("seen", {}), entry.body.get("left")
        authority = counts.get("authority")
        if authority is None or remaining is None or not decision.frame.chain:
            return
        self.count += 1
        self._lowest = min(self._lowest, remaining)
        accounts = counts.get("accounts", ())
        epochs = tuple(item.get("epoch", 1) for item in accounts)
        # The chain has another last link in each epoch; the account keeps its name.
        key = (entry.session, "/".join(str(item.get("link")) for item in accounts))
        previous = self._left.pop(key, None)
        if remaining > authority:
            self.add_finding(f"{decision.where} left more authority ({remaining}) than there was ({authority})")
        if previous is not None and previous[0] == epochs and authority > previous[1]:
            self.add_finding(
                f"authority rose from {previous[1]} to {authority} before {decision.where}, in the same epoch"
            )
        if previous is not None and previous[0] != epochs:
            self._epochs += 1
        if len(self._left) >= _MAX_SESSIONS:
            self._left.popitem(last=False)
        self._left[key] = (epochs, remaining)

    def finish(self) -> None:
        """Say how low it fell."""
        if self.count:
            self.rows = [
                {"fact": "lowest authority, of 1,000,000", "value": self._lowest},
                {"fact": "new epochs", "value": self._epochs},
            ]


class BudgetsCheck(Check):
    """Whether no action spent more than the links of its chain allow."""

    name = "budgets"
    claim = "no action ran that would have spent more than a link of its chain allows"
    unit = "actions that ran"
    kinds = frozenset({DECISION})
    columns = ("reason", "refused")
    limits = ("limits of the day over all sessions are kept by the decision, and replayed by `replay`",)
    _codes: Final = frozenset({"budget_exceeded", "per_action_exceeded", "quota_exceeded"})

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._refused: Counter[str] = Counter()

    def add_decision(self, decision: DecisionItem) -> None:
        """Compare what an action spent with the limits."""
        entry = decision.entry
        self._refused.update(self._codes.intersection(decision.codes))
        if not decision.ran or not decision.frame.chain:
            return
        self.count += 1
        charges = entry.body.get("decision", {}).get("charges", {})
        accounts = entry.body.get("seen", {}).get("accounts", ())
        if not charges or not accounts:
            return
        links = self.run.read_chain(decision.frame.chain)
        if isinstance(links, str):
            return  # the check of passports reports it
        limited = [link for link in links if link.kind is not LinkKind.STANDING]
        for account, link in zip(accounts, limited, strict=False):
            self._compare(decision, account, link, charges)

    def _compare(self, decision: DecisionItem, account: dict[str, Any], link: Link, charges: dict[str, int]) -> None:
        for budget in link.budgets:
            charge = charges.get(budget.unit, 0)
            if not charge:
                continue
            spent = account.get("spent", {}).get(budget.unit, 0)
            total = charge + (sum(spent) if isinstance(spent, list) else spent)
            if total > budget.subtree:
                self.add_finding(
                    f"{decision.where} brought `{budget.unit}` of `{link.agent}` to {total} of {budget.subtree}"
                )
            if charge > budget.per_action:
                self.add_finding(
                    f"{decision.where} spent {charge} of `{budget.unit}`; {budget.per_action} are allowed at once"
                )

    def finish(self) -> None:
        """Count what was refused."""
        self.rows = count_rows(self._refused, "reason", "refused")
