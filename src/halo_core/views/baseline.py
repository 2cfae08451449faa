"""The baseline of an agent, and what of the log it can be fitted from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any, Final

from halo_core.baselines import SessionHistory, find_baseline_hash, read_baseline_part
from halo_core.enforcement.risk_assessor import load_rules
from halo_core.errors import ConfigError
from halo_core.model import EntryKind
from halo_core.risk.action_risk import ScoringTerms
from halo_core.risk.circumstances import UsualCircumstances
from halo_core.store.entry_lookup import read_verdict
from halo_core.store.reader import Reader, read_entries
from halo_core.views import View
from halo_core.views.wording import format_count

_KIND_NAMES: Final = {"label": "data label", "process": "program"}
_MIN_DAYS: Final = 5
"""With fewer days of history, a new host, program or hour has almost no weight."""


@dataclass(frozen=True, slots=True)
class BaselineView(View):
    """A baseline of an agent; `in_force` is False if it was only fitted."""

    agent: str
    terms: ScoringTerms
    usual: UsualCircumstances
    in_force: bool

    def describe_circumstances(self) -> str:
        """From where and when the agent acts, in words."""
        usual = self.usual
        if not usual.sessions:
            return "not compared"
        early = usual.days < _MIN_DAYS
        kinds = [kind for kind in sorted(usual.known_values) if not early or kind not in {"host", "process"}]
        counts = ", ".join(format_count(len(usual.known_values[kind]), _KIND_NAMES.get(kind, kind)) for kind in kinds)
        counts = counts or "none"
        if early:
            return f"{counts}; host, program and hour have little weight before day {_MIN_DAYS} ({usual.days} so far)"
        hours = ", ".join(f"{hour:02}" for hour in sorted(usual.hours)) or "none yet"
        return f"{usual.days} days; {counts}; hours (UTC) {hours}"

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        shared = {"agent": self.agent, "circumstances": self.usual.to_plain(), "in_force": self.in_force}
        return {**shared, **asdict(self.terms)}


def load_baseline(reader: Reader, tenant: str, agent: str) -> BaselineView:
    """The baseline that is in force for an agent.

    Raises:
        ConfigError: `no_baseline`, there is none.
        BadInput: it is not what was put in force.
    """
    baseline_hash = find_baseline_hash(reader, tenant, agent)
    if not baseline_hash:
        problem, remedy = f"no baseline is in force for `{agent}`", f"run `halo baseline fit {agent}`"
        raise ConfigError("no_baseline", problem, field="agent", remedy=remedy)
    rules = load_rules(baseline_hash, partial(read_baseline_part, reader, tenant))
    return BaselineView(agent, rules.terms, rules.usual, in_force=True)


def check_agents_acted(reader: Reader, tenant: str, like: Sequence[str]) -> None:
    """Raise `ConfigError` if an agent in `like` has no action in the log: a typo must not go unnoticed."""
    if not like:
        return
    acted = {
        item.entry.body["request"]["subject"]["agent"] for item in read_entries(reader, tenant, (EntryKind.DECISION,))
    }
    for agent in like:
        if agent not in acted:
            why, remedy = f"the log has no action of `{agent}`", "see `halo agents`"
            raise ConfigError("no_sessions", why, field="like", remedy=remedy)


def count_unjudged_alerts(reader: Reader, tenant: str, sessions: frozenset[str]) -> int:
    """Number of alerts in these sessions without a verdict."""
    alert_entries = [item.entry for item in read_entries(reader, tenant, (EntryKind.ALERT, EntryKind.FEEDBACK))]
    judged = {body["alert"] for entry in alert_entries if (body := read_verdict(entry)) is not None}
    alerts = {entry.id for entry in alert_entries if entry.kind is EntryKind.ALERT and entry.session in sessions}
    return len(alerts - judged)


def survey_sessions(
    reader: Reader, tenant: str, agents: Sequence[str], sessions: Sequence[SessionHistory]
) -> tuple[list[str], int]:
    """Agents without a baseline that acted in sessions, and how many sessions of `agents` were judged an attack."""
    acted: dict[str, set[str]] = {}
    bad: dict[str, bool] = {}
    for item in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.FEEDBACK)):
        body = item.entry.body
        if read_verdict(item.entry) is not None:
            bad[body["session"]] = body["attack"]
        elif item.entry.kind is EntryKind.DECISION:
            acted.setdefault(item.entry.session, set()).add(body["request"]["subject"]["agent"])
    scored = reader.baselines(tenant).keys()
    unscored = {name for item in sessions for name in acted.get(item.session, ())} - scored - {agents[0]}
    return sorted(unscored), sum(not acted.get(name, set()).isdisjoint(agents) for name in bad if bad[name])
