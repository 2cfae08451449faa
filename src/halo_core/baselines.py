"""Fitting a behaviour baseline from the log, and putting scores in force.

The log contains what the profile of a session is made of: requests, arguments, results. Sessions that an analyst judged
an attack are left out; those judged ordinary count like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any, Final

from halo_core.crypto import canonical
from halo_core.enforcement.risk_assessor import BASELINE_DOMAIN, MODEL_DOMAIN, TERMS_DOMAIN, USUAL_DOMAIN
from halo_core.errors import BadInput, ConfigError
from halo_core.identities.baseline import IDENTITIES, IdentityBaseline
from halo_core.model import AccessRequest, ActionKind, Actor, Decision, EntryKind, Impact, LedgerEntry
from halo_core.risk.action_risk import ScoringTerms
from halo_core.risk.baseline import Baseline, find_established, fit_baseline, sample_own_margins, suit_threshold
from halo_core.risk.circumstances import Circumstances, UsualCircumstances, fit_usual_circumstances, read_circumstances
from halo_core.risk.features import compute_features
from halo_core.risk.model import RiskModel
from halo_core.risk.observation import ActionObservation, observe_action
from halo_core.risk.profile import Profile, ProposedAction
from halo_core.store import rows
from halo_core.store.drafts import Draft
from halo_core.store.entry_lookup import read_verdict
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.store.transaction import Transaction

_KINDS: Final = (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.FEEDBACK)
_ACTS: Final = (ActionKind.TOOL_CALL.value, ActionKind.RETRIEVAL.value)
_FOLDS: Final = 5
_ELEVATED: Final = 50  # thousandths of ordinary sessions
_HIGH: Final = 10


@dataclass(slots=True)
class SessionHistory:
    """The actions of one session, in order.

    Args:
        session: its name.
        observations: observations of its actions.
        circumstances: those of each action; empty if none are known.
        principals: whom each acted for, empty for one of an exposed session or of an unknown user; none if unknown.
        position: position of the session's first entry in the log.
    """

    session: str
    observations: list[ActionObservation] = field(default_factory=list)
    circumstances: list[Circumstances] = field(default_factory=list)
    principals: list[str] = field(default_factory=list)
    position: int = 0


@dataclass(frozen=True, slots=True)
class HeldOutMargins:
    """Highest margins of the sessions in a model's training data, each from a fit without that session.

    Args:
        margins: margins of ordinary sessions, in micro-units.
        until: position of the last action of these sessions; what began by then is not measured with the model itself.
    """

    margins: tuple[int, ...] = ()
    until: int = -1


@dataclass(frozen=True, slots=True)
class FittedScore:
    """A fitted score, which `put_in_force` takes."""

    terms: ScoringTerms
    baseline: Baseline
    model: RiskModel
    usual: UsualCircumstances = field(default_factory=UsualCircumstances)


def collect_sessions(
    reader: Reader,
    contents: SealedContents,
    tenant: str,
    agents: Iterable[str],
    key: bytes,
    *,
    note: Callable[[], None],
) -> list[SessionHistory]:
    """Sessions in which one of these agents acted, without those judged to be an attack.

    Args:
        reader: the store.
        contents: opens sealed content.
        tenant: owner of the log.
        agents: agents whose actions count.
        key: key of the tenant's fingerprints.
        note: called for each entry, to show progress.
    """
    wanted = frozenset(agents)
    bad: set[str] = set()
    sessions: dict[str, _SessionReplay] = {}
    for item in read_entries(reader, tenant, _KINDS):
        note()
        entry = item.entry
        if entry.kind is EntryKind.FEEDBACK:
            verdict = read_verdict(entry)
            if verdict and verdict["session"]:  # a verdict on a person has none; `alerts.identity_days` uses those
                (bad.add if verdict["attack"] else bad.discard)(verdict["session"])
        elif entry.session:
            if entry.session not in sessions:
                sessions[entry.session] = _SessionReplay(entry.session, key, item.index)
            sessions[entry.session].add_entry(entry, contents, wanted)
    histories = [session.history for name, session in sessions.items() if name not in bad]
    return [history for history in histories if history.observations]


class _SessionReplay:
    """Rebuilds a session's profile from its entries."""

    def __init__(self, session: str, key: bytes, position: int) -> None:
        self.history = SessionHistory(session, position=position)
        self._profile = Profile(key[:64])
        self._request_texts: set[bytes] = set()
        self._open: dict[tuple[str, int], tuple[str, bool]] = {}
        self._refused = 0

    def add_entry(self, entry: LedgerEntry, contents: SealedContents, wanted: frozenset[str]) -> None:
        """Add one entry; they come in log order."""
        if entry.kind is EntryKind.OUTCOME:
            self._add_outcome(entry, contents)
            return
        before = entry.body["snapshot"].get("refused", self._refused)
        self._refused = before + Decision.from_plain(entry.body["decision"]).is_refused_attempt
        request = entry.body["request"]
        for name in ("request", "trigger"):
            if name == "request" or request["context"]["trigger"]["kind"] == "user":
                self._add_request(contents.open(entry, name))
        if request["kind"] not in _ACTS or request["problem"]:
            return
        sealed = contents.open(entry, "args")
        if sealed is None:
            return  # erased
        args: Mapping[str, Any] = canonical.from_plain(canonical.loads(sealed))
        resource = request["resource"]
        action = ProposedAction(resource["id"], ActionKind(request["kind"]), Impact(resource["impact"]), args)
        observation = observe_action(self._profile, action)
        if request["subject"]["agent"] in wanted and entry.body["dispatched"]:
            self.history.observations.append(observation)
            is_exposed = entry.body["snapshot"]["session"]["tainted"]
            self.history.principals.append("" if is_exposed else request["subject"]["user"])
            time_us = entry.body["snapshot"]["time_us"]
            self.history.circumstances.append(
                read_circumstances(AccessRequest.from_plain(request, args), time_us, before)
            )
        self._open[entry.writer, entry.seq] = (resource["id"], observation.named_by_request)
        self._profile.record_action(
            observation.tool, observation.action_fingerprint, acts=not observation.is_read, sums=self._profile.sums
        )

    def _add_request(self, text: bytes | None) -> None:
        if text and text not in self._request_texts:
            self._request_texts.add(text)
            self._profile.add_request_text(text.decode("utf-8", "replace"))

    def _add_outcome(self, entry: LedgerEntry, contents: SealedContents) -> None:
        place = (entry.body["decision"]["w"], entry.body["decision"]["ws"])
        tool, is_named = self._open.pop(place, ("", False))
        output = contents.open(entry, "output") if tool else None
        if output:
            self._profile.observe_result(tool, output.decode("utf-8", "replace"), named_by_request=is_named)


def fit_score(
    sessions: Sequence[SessionHistory],
    model: RiskModel,
    key: bytes,
    judge: Callable[[SessionHistory], RiskModel] | None = None,
    held_out: HeldOutMargins = HeldOutMargins(),
) -> FittedScore:
    """Fit a baseline and limits to these sessions.

    The highest margin of each session is computed against a baseline without the session's own task, so that no limit
    depends on a session that the baseline knows.

    Args:
        sessions: ordinary sessions, in log order.
        model: the model that will score.
        key: key of the tenant's fingerprints.
        judge: session → the model that computes its margins for the limits, if `model` was trained on it.
        held_out: margins to use for the sessions that `model` was trained on, where there is no such judge.
    """
    key = key[:64]
    baseline, usual = _fit(sessions, key)
    # in the order of the log: a fingerprint differs with its key, and limits would then differ between homes
    tasks = dict.fromkeys(item.observations[0].request_fingerprint for item in sessions)
    fold_of = {task: i % _FOLDS for i, task in enumerate(tasks)}
    highest: list[int] = list(held_out.margins)
    for fold in range(min(_FOLDS, len(tasks))):
        out = [item for item in sessions if fold_of[item.observations[0].request_fingerprint] == fold]
        other_folds = [item for item in sessions if fold_of[item.observations[0].request_fingerprint] != fold]
        rest_baseline, rest_usual = _fit(other_folds, key)
        highest += [
            max(_compute_margins(item, rest_baseline, rest_usual, judge(item) if judge else model, key))
            for item in out
            if item.position > held_out.until
        ]
    margins = sample_own_margins(highest)
    elevated = suit_threshold(margins, model.usual_margins, _ELEVATED)
    high = max(suit_threshold(margins, model.usual_margins, _HIGH), elevated)
    terms = ScoringTerms(
        canonical.digest(MODEL_DOMAIN, model.to_bytes()),
        canonical.digest(BASELINE_DOMAIN, baseline.to_bytes()),
        elevated,
        high,
        (model.risk_of(elevated), model.risk_of(high)),
        baseline.sessions,
        baseline.tasks,
        canonical.digest(USUAL_DOMAIN, usual.to_bytes()) if usual.sessions else "",
    )
    return FittedScore(terms, baseline, model, usual)


def _fit(sessions: Sequence[SessionHistory], key: bytes) -> tuple[Baseline, UsualCircumstances]:
    sightings = (pair for item in sessions for pair in zip(item.principals, item.observations, strict=False))
    established = find_established(sightings, key)
    baseline = replace(fit_baseline([item.observations for item in sessions], key), established=established)
    return baseline, fit_usual_circumstances(item.circumstances for item in sessions)


def _compute_margins(
    item: SessionHistory, baseline: Baseline, usual: UsualCircumstances, model: RiskModel, key: bytes
) -> Iterator[int]:
    sums = Profile(key).sums
    for observation, situation in zip_longest(item.observations, item.circumstances):
        values, sums = compute_features(observation, baseline, sums, key)
        strangeness = sum(unusual.weight for unusual in usual.find_unusual(situation)) if situation else 0
        yield model.compute_margin(values) + strangeness * model.margin_per_sixteenth


def put_in_force(tx: Transaction, agent: str, score: FittedScore, by: Actor | str) -> str:
    """Put a score in force for an agent, from its next decision on; returns the hash of its terms."""
    parts = (
        (MODEL_DOMAIN, score.model.to_bytes()),
        (BASELINE_DOMAIN, score.baseline.to_bytes()),
        *([(USUAL_DOMAIN, score.usual.to_bytes())] if score.terms.usual else []),
        (TERMS_DOMAIN, score.terms.to_bytes()),
    )
    names = [canonical.digest(domain, data) for domain, data in parts]
    for name, (_, data) in zip(names, parts, strict=True):
        if tx.put_blob(name, data):
            tx.append(Draft(EntryKind.BASELINE, "", {"agent": "", "hash": name, "part": True}))
    facts = {"risks": list(score.terms.risks), "sessions": score.terms.sessions}
    body = {"agent": agent, "hash": names[-1], "part": False, "tasks": score.terms.tasks, **facts}
    tx.append(Draft(EntryKind.BASELINE, "", body, actor=Actor.of(by)))
    rows.BaselineTable(tx).put(agent, names[-1])
    return names[-1]


def put_identities_in_force(
    tx: Transaction, book: IdentityBaseline, by: Actor | str, sources: Sequence[str], left_out: int
) -> str:
    """Put a tenant's baseline of people and service accounts in force; returns its hash.

    Args:
        tx: the transaction.
        book: the baseline.
        by: who does it.
        sources: SHA-256 of each file that was imported for it now.
        left_out: number of events of those files that were left out, since their days were judged an attack.
    """
    data = book.to_bytes()
    name = canonical.digest(BASELINE_DOMAIN, data)
    tx.put_blob(name, data)
    made_of = {"left_out": left_out, "sources": list(sources)}
    facts = {"events": book.event_count, "identities": len(book.habits), **made_of}
    risks = [book.limits.elevated, book.limits.high]
    body = {"agent": IDENTITIES, "hash": name, "part": False, "risks": risks, **facts}
    tx.append(Draft(EntryKind.BASELINE, "", body, actor=Actor.of(by)))
    rows.BaselineTable(tx).put(IDENTITIES, name)
    return name


def find_baseline_hash(reader: Reader, tenant: str, agent: str = IDENTITIES) -> str:
    """Hash of the baseline in force for an agent (or for people and service accounts); empty if there is none."""
    return reader.baselines(tenant).get(agent, "")


def read_baseline_part(reader: Reader, tenant: str, name: str, domain: str, *, again: str = "fit again") -> bytes:
    """The bytes of a baseline or of a part of one, by hash.

    Raises:
        BadInput: `bad_baseline`, they are missing or were changed.
    """
    data = reader.blob(tenant, name)
    if data is None or canonical.digest(domain, data) != name:
        remedy = f"run `halo verify` to see what was changed, then {again}"
        raise BadInput("bad_baseline", "it is not the one that was put in force", field="baseline", remedy=remedy)
    return data


def load_identities(reader: Reader, tenant: str) -> IdentityBaseline | None:
    """A tenant's baseline of people and service accounts; None if there is none.

    Raises:
        BadInput: `bad_baseline`, it is missing or was changed.
    """
    name = find_baseline_hash(reader, tenant)
    if not name:
        return None
    return IdentityBaseline.from_bytes(
        read_baseline_part(reader, tenant, name, BASELINE_DOMAIN, again="import the events again")
    )


def take_out_of_force(tx: Transaction, agent: str, by: Actor | str) -> bool:
    """Remove an agent's score; False if there was none."""
    if not rows.BaselineTable(tx).get(agent):
        return False
    tx.append(Draft(EntryKind.BASELINE, "", {"agent": agent, "part": False}, actor=Actor.of(by)))
    rows.BaselineTable(tx).put(agent, "")
    return True


def load_shipped_model() -> RiskModel:
    """The model shipped with Halo.

    Raises:
        ConfigError: `no_model`, this installation has none.
        BadInput: it is not a model of this version.
    """
    from importlib import resources  # noqa: PLC0415  only whoever fits reads it

    path = resources.files("halo_core.risk") / "model.bin"
    if not path.is_file():
        raise ConfigError("no_model", "this installation has no behaviour model", remedy="install Halo again")
    return RiskModel.from_packed(path.read_bytes())
