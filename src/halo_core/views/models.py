"""Models of risk scores: their files, what each was trained on, and which is in force or in shadow for an agent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from halo_core.baselines import load_shipped_model
from halo_core.clock import format_iso
from halo_core.crypto import canonical
from halo_core.enforcement.risk_assessor import MODEL_DOMAIN
from halo_core.errors import ConfigError, make_read_error
from halo_core.model import EntryKind, LedgerEntry
from halo_core.model_changes import list_scored_agents, list_shadows, load_score_rules, name_shadow
from halo_core.risk.model import MAX_MODEL_BYTES, RiskModel
from halo_core.risk.model_origin import ModelOrigin
from halo_core.store.reader import Reader, read_entries
from halo_core.views import View
from halo_core.views.passports import read_regular_file
from halo_core.views.wording import escape_unprintable

_ACTS: Final = {"switch": "switched to on", "back": "switched back to on"}


def load_model_file(path: Path) -> RiskModel:
    """A model file, packed or not.

    Raises:
        ConfigError: `no_model`, it cannot be read.
        BadInput: `bad_model`, it is not a model of this version.
    """
    try:
        data = read_regular_file(path, MAX_MODEL_BYTES)
    except OSError as exc:
        remedy = "choose a file that `halo train` wrote"
        raise make_read_error(path, exc, field="model", code="no_model", remedy=remedy) from exc
    return RiskModel.from_bytes(data) if data[:1] == b"{" else RiskModel.from_packed(data)


def describe_model(model: RiskModel) -> str:
    """Where a model comes from, in a few words."""
    origin = ModelOrigin.from_about(model.about)
    if origin is not None:
        first, last = (format_iso(item)[:10] for item in origin.period_us)
        return f"trained on {model.about.get('sessions', '?')} sessions of this ledger, {first} to {last}"
    shipped = load_shipped_model()
    if canonical.digest(MODEL_DOMAIN, model.to_bytes()) == canonical.digest(MODEL_DOMAIN, shipped.to_bytes()):
        return "shipped with Halo"
    return "from a file"


@dataclass(frozen=True, slots=True)
class ScoreState(View):
    """A score in force or in shadow.

    Args:
        terms: hash of the score's terms.
        model: hash of its model.
        words: where the model comes from, in words.
        risks: risks above which an action is elevated and high, 0..1000.
        since_us: when it was put in force or in shadow, microseconds since the epoch.
        by: who did that.
        act: how: `fit`, `switch` or `back`.
    """

    terms: str
    model: str
    words: str
    risks: tuple[int, int]
    since_us: int
    by: str
    act: str

    def describe(self) -> str:
        """In a line."""
        limits = "limits {} and {}".format(*self.risks)
        return f"{self.words}; {limits}; {_ACTS.get(self.act, 'since')} {format_iso(self.since_us)} by {self.by}"


@dataclass(frozen=True, slots=True)
class AgentModels(View):
    """The scores of one agent; `shadow` is None if no model is in shadow."""

    agent: str
    in_force: ScoreState
    shadow: ScoreState | None


@dataclass(frozen=True, slots=True)
class ModelStatus(View):
    """The scores of all agents that have one, by name."""

    agents: tuple[AgentModels, ...]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {"agents": [item.to_json() for item in self.agents]}


def load_model_status(reader: Reader, tenant: str) -> ModelStatus:
    """Which model each agent's score uses, and which is in shadow.

    Raises:
        BadInput: `bad_baseline`, a score was changed.
    """
    scored, shadows = list_scored_agents(reader, tenant), list_shadows(reader, tenant)
    entries = {
        item.entry.body["agent"]: item.entry
        for item in read_entries(reader, tenant, (EntryKind.BASELINE,))
        if not item.entry.body["part"]
    }
    return ModelStatus(
        tuple(
            AgentModels(
                agent,
                _load_state(reader, tenant, name, entries.get(agent)),
                _load_state(reader, tenant, shadows[agent], entries.get(name_shadow(agent)))
                if agent in shadows
                else None,
            )
            for agent, name in sorted(scored.items())
        )
    )


def _load_state(reader: Reader, tenant: str, name: str, entry: LedgerEntry | None) -> ScoreState:
    rules = load_score_rules(reader, tenant, name)
    body: Mapping[str, Any] = {} if entry is None else entry.body
    return ScoreState(
        terms=name,
        model=rules.terms.model,
        words=describe_model(rules.model),
        risks=rules.terms.risks,
        since_us=0 if entry is None else entry.ts_us,
        by=str(body.get("actor", "?")),
        act=str(body.get("act", "fit")),
    )


def choose_agents(reader: Reader, tenant: str, wanted: Iterable[str], *, shadowed: bool) -> list[str]:
    """The agents that an act on models is about.

    Args:
        reader: the store.
        tenant: owner of the log.
        wanted: agents that were named; empty for all.
        shadowed: whether agents need a model in shadow; otherwise they need a score in force.

    Raises:
        ConfigError: `no_shadow` or `no_baseline`, there is no such agent.
    """
    agents = list_shadows(reader, tenant) if shadowed else list_scored_agents(reader, tenant)
    names = sorted(set(wanted))
    missing = [name for name in names if name not in agents]
    if agents and not missing:
        return names or sorted(agents)
    whom = f"`{escape_unprintable(missing[0])}`" if missing else "any agent"
    if shadowed:
        remedy = "run `halo model shadow FILE` first"
        raise ConfigError("no_shadow", f"no model is in shadow for {whom}", field="agent", remedy=remedy)
    remedy = f"run `halo baseline fit {missing[0] if missing else 'AGENT'}` first"
    raise ConfigError("no_baseline", f"no score is in force for {whom}", field="agent", remedy=remedy)
