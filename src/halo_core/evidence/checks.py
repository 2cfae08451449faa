"""Every control check by its id, and the checks of models, policy and keys.

    answers = run_checks(log, period, ["pairs", "unused_grants"])
    answer = CHECK_QUESTIONS["pairs"](log, period)

The other checks are in `record_checks`, `access_checks` and `oversight_checks`, or beside a question that is answered
from the same computation: `questions_inventory`, `grant_uses`, `reversals`. `check_runner` defines what a check is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from halo_core.authorities import Authorities
from halo_core.clock import format_iso
from halo_core.crypto.keys import KeyStore
from halo_core.evidence import (
    access_checks,
    check_runner,
    grant_uses,
    oversight_checks,
    questions_inventory,
    record_checks,
    reversals,
)
from halo_core.evidence.answers import Answer, Period
from halo_core.evidence.audit_log import AuditEntry, AuditLog
from halo_core.evidence.check_runner import DECISION, Check, DecisionItem, RunReader
from halo_core.model import ActionKind
from halo_core.oversight.keys import list_key_files, list_trusted_keys

_MAX_ROWS: Final = 1_000


class ComponentsCheck(Check):
    """Whether each model call that ran names its model, and no MCP tool ran that nobody had accepted."""

    name = "components"
    claim = (
        "every model call that ran names its provider and model, and no tool of an MCP server ran that nobody had "
        "accepted"
    )
    unit = "model calls"
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
        tree = self.run.log.reader.part_reader(self.run.log.tenant)(name) if name else {}
        model = (str(tree.get("provider", "")), str(decision.resource["id"]), str(tree.get("version", "")))
        self._models[model] += 1
        if not name:
            self.add_finding(f"{decision.where} does not record provider, version, prompt and tools")
        elif not model[0]:
            self.add_finding(f"{decision.where} does not name the provider")

    def finish(self) -> None:
        """Add a row for each model."""
        for (provider, model, version), n in sorted(self._models.items()):
            self.rows.append({"provider": provider, "model": model, "version": version, "calls": n})


class PolicyChangesCheck(Check):
    """Whether each decision was made under a policy that its process had put in force."""

    name = "policy_changes"
    claim = "every decision names a policy that its process had put in force before, and each change says by whom"
    unit = "decisions"
    kinds = frozenset({DECISION})
    history = frozenset({"policy"})
    columns = ("policy", "first in force", "processes", "files")

    def __init__(self, run: RunReader) -> None:
        super().__init__(run)
        self._in_force: dict[str, str] = {}  # writer → digest of its policy
        self._policies: dict[str, dict[str, Any]] = {}  # digest → row

    def add_history(self, entry: AuditEntry) -> None:
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
    """Whether the private keys of people and issuers are outside the home that agents run with."""

    name = "key_custody"
    claim = "no private key of an issuer, approver or operator is where this home's agents could use it"
    unit = "trusted keys"
    kinds = frozenset()
    columns = ("role", "name", "key", "here")
    limits = ("it looks at the home that this runs on, now; other hosts have homes of their own",)

    def finish(self) -> None:
        """Look at the key files of the home."""
        log = self.run.log
        if log.home is None:
            self.unknown.append("there is no home at hand to look into")
            return
        files = list_key_files(KeyStore(log.home))
        trusted = list_trusted_keys({log.tenant: Authorities(log.home).load(log.tenant)}, files, self.run.as_of_us)
        live = [item for item in trusted if item.live]
        self.count = len(live)
        for item in live:
            name = item.name if item.role == "issuer" else log.name_of(log.refer_person(item.name))
            self.rows.append({"role": item.role, "name": name, "key": item.key_id[:8], "here": item.here})
            if item.here:
                self.add_finding(
                    f"the key of the {item.role} {item.key_id[:8]} is in the home, where agents could use it"
                )

    def explain_empty(self) -> str:
        """Why the check cannot tell: no key is trusted yet."""
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
    questions_inventory.InventoryCheck,
    questions_inventory.UngovernedCheck,
    grant_uses.UnusedGrantsCheck,
    ComponentsCheck,
    oversight_checks.ApprovalsCheck,
    oversight_checks.SeparationCheck,
    PolicyChangesCheck,
    oversight_checks.AdminActsCheck,
    KeyCustodyCheck,
    oversight_checks.AlertsCheck,
    questions_inventory.AccessReviewsCheck,
    reversals.OverridesCheck,
    reversals.ReversalsCheck,
    oversight_checks.IncidentsCheck,
    oversight_checks.DrillsCheck,
)
CHECK_CLASSES: Final[Mapping[str, type[Check]]] = {check.name: check for check in _ALL}
"""Every check by its id."""
TESTED_CHECKS: Final = frozenset(CHECK_CLASSES)
"""Checks that a test has seen fail on a ledger with a planted gap; today all. A report says which are tested."""


def run_checks(log: AuditLog, period: Period, names: Iterable[str]) -> dict[str, Answer]:
    """Run the named checks in one pass over the log: name → answer.

    Raises:
        KeyError: there is no such check.
    """
    return check_runner.run_check_classes(log, period, [CHECK_CLASSES[name] for name in names])


def _make_question(name: str) -> Callable[[AuditLog, Period], Answer]:
    return lambda log, period: run_checks(log, period, [name])[name]


CHECK_QUESTIONS: Final[Mapping[str, Callable[[AuditLog, Period], Answer]]] = {
    name: _make_question(name) for name in CHECK_CLASSES
}
"""Every check as a question about a period."""
