"""Changes the model of an agent's score: puts one in shadow beside the one in force, switches to it, and switches back.

A shadow takes no part in decisions and adds nothing to their records: what it would have said is computed afterwards
from the features in the entries (`halo_core.model_comparison`). These features were measured against the baseline in
force, so a shadow keeps that baseline, and has limits of its own. It is stored among the scores in force, by a signed
entry, under a name that no agent has, and `halo verify` checks its row like theirs.

A switch and the way back are signed entries too. All models and limits stay in the store, so every decision replays to
the same bytes, whichever model it was made under.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from halo_core.baselines import (
    FittedScore,
    HeldOutMargins,
    SessionHistory,
    find_baseline_hash,
    fit_score,
    load_shipped_model,
    put_in_force,
    read_baseline_part,
    take_out_of_force,
)
from halo_core.crypto import canonical
from halo_core.enforcement.risk_assessor import BASELINE_DOMAIN, TERMS_DOMAIN, load_rules
from halo_core.errors import BadInput, ConfigError
from halo_core.model import Actor, EntryKind, LedgerEntry
from halo_core.quick_dataclass import dataclass
from halo_core.risk.action_risk import RiskRules, ScoringTerms
from halo_core.risk.baseline import Baseline
from halo_core.risk.model import RiskModel
from halo_core.risk.model_origin import ModelOrigin
from halo_core.store import rows
from halo_core.store.drafts import Draft
from halo_core.store.reader import Reader, read_entries
from halo_core.store.transaction import Transaction

SHADOW: Final = "\tshadow/"
"""Start of the names under which shadows stand among the scores in force; an agent's name is printable."""
_SWITCH: Final = "switch"
_BACK: Final = "back"


@dataclass(frozen=True, slots=True)
class ModelSwitch:
    """Hashes of the scoring terms in force before and after a change."""

    before: str
    after: str


def name_shadow(agent: str) -> str:
    """The name of an agent's shadow among the scores in force."""
    return SHADOW + agent


def list_scored_agents(reader: Reader, tenant: str) -> dict[str, str]:
    """Agent → hash of its score in force; without shadows and the baseline of people."""
    return {agent: name for agent, name in reader.baselines(tenant).items() if agent.isprintable()}


def list_shadows(reader: Reader, tenant: str) -> dict[str, str]:
    """Agent → hash of its shadow's terms."""
    return {
        agent.removeprefix(SHADOW): name for agent, name in reader.baselines(tenant).items() if agent.startswith(SHADOW)
    }


def load_score_rules(reader: Reader, tenant: str, name: str) -> RiskRules:
    """The rules of a score by the hash of its terms.

    Raises:
        BadInput: `bad_baseline`, a part of it is missing or was changed.
    """
    return load_rules(name, partial(read_baseline_part, reader, tenant))


def name_log(reader: Reader, tenant: str) -> str:
    """Store id and tenant name, in the form of `ModelOrigin.log`."""
    return f"{reader.store_id(tenant)}/{tenant}"


def load_usual_model(reader: Reader, tenant: str, agent: str) -> RiskModel:
    """The model for fitting an agent's score if none is named.

    A model that somebody trained and switched to stays; otherwise it is the one that is shipped with this version.

    Raises:
        ConfigError: `no_model`, this installation has none.
        BadInput: the one in force was changed.
    """
    name = find_baseline_hash(reader, tenant, agent)
    if name:
        model = load_score_rules(reader, tenant, name).model
        if ModelOrigin.from_about(model.about) is not None:
            return model
    return load_shipped_model()


def find_held_out(model: RiskModel, log: str, role: str) -> HeldOutMargins:
    """The margins to set limits by, instead of those of sessions the model was trained on.

    Raises:
        BadInput: `bad_model`, the model does not say rightly what it was trained on.
    """
    origin = ModelOrigin.from_about(model.about)
    if origin is None or origin.log != log or role not in origin.margins:
        return HeldOutMargins()
    return HeldOutMargins(tuple(origin.margins[role]), origin.positions[1])


def fit_shadow(
    reader: Reader,
    tenant: str,
    agent: str,
    sessions: Sequence[SessionHistory],
    model: RiskModel,
    *,
    key: bytes,
    held_out: HeldOutMargins,
) -> FittedScore:
    """The score an agent would have with another model: the baseline in force, with limits for that model.

    Args:
        reader: the store.
        tenant: owner of the log.
        agent: whose score.
        sessions: ordinary sessions to set the limits by.
        model: the other model.
        key: key of the tenant's fingerprints.
        held_out: margins from `find_held_out`.

    Raises:
        ConfigError: `no_baseline`, no score is in force for the agent.
        BadInput: `bad_baseline`, it is missing or was changed.
    """
    name = find_baseline_hash(reader, tenant, agent)
    if not name:
        raise _make_missing_error(agent)
    rules = load_score_rules(reader, tenant, name)
    baseline = Baseline.from_bytes(read_baseline_part(reader, tenant, rules.terms.baseline, BASELINE_DOMAIN))
    fitted = fit_score(sessions, model, key, held_out=held_out)
    kept_terms = {name: getattr(rules.terms, name) for name in ("baseline", "sessions", "tasks", "usual")}
    return FittedScore(replace(fitted.terms, **kept_terms), baseline, model, rules.usual)


def put_in_shadow(tx: Transaction, agent: str, score: FittedScore, by: Actor | str) -> str:
    """Put a score in shadow for an agent, in place of any earlier one; returns the hash of its terms."""
    return put_in_force(tx, name_shadow(agent), score, by)


def drop_shadow(tx: Transaction, agent: str, by: Actor | str) -> bool:
    """Remove an agent's shadow; False if there was none."""
    return take_out_of_force(tx, name_shadow(agent), by)


def switch_to_shadow(tx: Transaction, agent: str, by: Actor | str) -> ModelSwitch:
    """Put an agent's shadow in force in place of its score, from its next decision on.

    Raises:
        ConfigError: `no_baseline` or `no_shadow`, there is no such score; `baseline_changed`, the baseline was fitted
            anew since the shadow was put there, so that its limits are of another one.
    """
    table = rows.BaselineTable(tx)
    change = ModelSwitch(table.get(agent), table.get(name_shadow(agent)))
    if not change.before:
        raise _make_missing_error(agent)
    if not change.after:
        problem, remedy = f"no model is in shadow for `{agent}`", "run `halo model shadow FILE` first"
        raise ConfigError("no_shadow", problem, field="agent", remedy=remedy)
    before, after = _load_terms(tx, change.before), _load_terms(tx, change.after)
    if (before.baseline, before.usual) != (after.baseline, after.usual):
        problem = f"the baseline of `{agent}` was fitted anew since this model is in shadow"
        raise ConfigError("baseline_changed", problem, field="agent", remedy="run `halo model shadow FILE` again")
    _put_terms(tx, agent, change, after, by, act=_SWITCH)
    drop_shadow(tx, agent, by)
    return change


def find_last_switch(reader: Reader, tenant: str, agent: str) -> ModelSwitch:
    """The switch that put the current score in force.

    Raises:
        ConfigError: `no_switch`, it came in another way.
    """
    last: LedgerEntry | None = None
    for item in read_entries(reader, tenant, (EntryKind.BASELINE,)):
        if item.entry.body["agent"] == agent and not item.entry.body["part"]:
            last = item.entry
    if last is None or last.body.get("act") != _SWITCH:
        problem = f"the score of `{agent}` did not come in force by `halo model switch`"
        raise ConfigError("no_switch", problem, field="agent", remedy="see `halo model status`")
    return ModelSwitch(last.body["before"], last.body["hash"])


def switch_back(tx: Transaction, agent: str, last: ModelSwitch, by: Actor | str) -> ModelSwitch:
    """Restore what was in force before a switch.

    Raises:
        ConfigError: `no_switch`, something else is in force by now.
    """
    if rows.BaselineTable(tx).get(agent) != last.after:
        problem = f"another score is in force for `{agent}` by now"
        raise ConfigError("no_switch", problem, field="agent", remedy="see `halo model status`")
    change = ModelSwitch(last.after, last.before)
    _put_terms(tx, agent, change, _load_terms(tx, change.after), by, act=_BACK)
    return change


def _put_terms(
    tx: Transaction, agent: str, change: ModelSwitch, terms: ScoringTerms, by: Actor | str, *, act: str
) -> None:
    """Put terms whose parts are already stored in force, by a signed entry."""
    facts: Mapping[str, Any] = {"risks": list(terms.risks), "sessions": terms.sessions, "tasks": terms.tasks}
    body = {"act": act, "agent": agent, "before": change.before, "hash": change.after, "part": False, **facts}
    tx.append(Draft(EntryKind.BASELINE, "", body, actor=Actor.of(by)))
    rows.BaselineTable(tx).put(agent, change.after)


def _load_terms(tx: Transaction, name: str) -> ScoringTerms:
    data = tx.load_blob(name)
    if data is None or canonical.digest(TERMS_DOMAIN, data) != name:
        remedy = "run `halo verify` to see what was changed"
        raise BadInput("bad_baseline", "the terms of a score are missing or changed", field="baseline", remedy=remedy)
    return ScoringTerms.from_bytes(data)


def _make_missing_error(agent: str) -> ConfigError:
    problem, remedy = f"no score is in force for `{agent}`", f"run `halo baseline fit {agent}` first"
    return ConfigError("no_baseline", problem, field="agent", remedy=remedy)
