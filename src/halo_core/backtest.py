"""Backtests: decide recorded decisions again under another policy or other declarations, and compare the results.

A decision takes part only if its recorded inputs replay to the recorded bytes (`halo_core.replay`); for any other one
the result says why it cannot be compared. Each decision is decided from its own recorded inputs. What another decision
would have changed later in its session (exposure, budgets, authority, counts) is not followed.

A recorded answer of a person was given under the rules of that time. It counts under the other policy only if that
policy asks no further question. A refusal always counts.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any, Final

from halo_core.decision.checks import decide, list_accepted_bindings
from halo_core.model import (
    REAUTHORIZABLE_CODES,
    AccessRequest,
    ActionKind,
    Decision,
    Effect,
    Impact,
    Obligation,
    PolicyView,
    Provenance,
    Reason,
    Resource,
    Snapshot,
)
from halo_core.policy import CedarPolicy, PolicyBundle
from halo_core.policy.score_limits import apply_score_bands
from halo_core.quick_dataclass import dataclass
from halo_core.replay import Inputs, RecordedDecision, Replayer, ReplayStatus, map_decisions
from halo_core.store.reader import NO_END
from halo_core.store.session_state import MAX_SOURCES
from halo_core.values.provenance.leaves import extract_leaves, extract_texts
from halo_core.values.provenance.result_origins import TRUST_FLOOR

_MAX_POLICIES: Final = 64
_CHECKS: Final = frozenset({"", "approval", "ledger", "pdp", "pep", "policy", "price", "score"})
"""Sources of reasons that are no rule; the code says more."""
_UNTRUSTED: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_CLAMP: Final = "clamp"
_DROP_DOCUMENTS: Final = "drop_documents"


class Change(StrEnum):
    """How a decision under the other policy differs from the recorded one, from grave to mild.

    `towards_running`: what was denied may be asked or runs, what was asked runs, or an obligation is gone or weaker.
    `new_question`: what ran is asked. `new_denial`: what ran or was asked is denied. `new_restriction`: it runs with
    more obligations. `mark`: it runs all the same, with or without a mark (`monitor`). `reasons`: same effect, other
    reasons or charges. `same`: the same bytes.
    """

    TOWARDS_RUNNING = "towards_running"
    NEW_QUESTION = "new_question"
    NEW_DENIAL = "new_denial"
    NEW_RESTRICTION = "new_restriction"
    MARK = "mark"
    REASONS = "reasons"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Selection:
    """Selects the decisions to decide again.

    Args:
        since_us: not those recorded before.
        until_us: not those recorded then or later.
        agent: only those of this agent; empty for all.
    """

    since_us: int = 0
    until_us: int = NO_END
    agent: str = ""

    def includes(self, decision: RecordedDecision) -> bool:
        """Whether a decision is selected."""
        entry, agent = decision.entry, decision.recorded.request["subject"]["agent"]
        return self.since_us <= entry.ts_us < self.until_us and self.agent in ("", agent)


@dataclass(frozen=True, slots=True)
class ScoreOutcomes:
    """The decision on an action by the score's rules alone, at other limits.

    Args:
        risk: 0..1000; -1 where the action has no risk that limits are compared with, and all effects are the same.
        ordinary: effect if the risk is above no limit.
        elevated: effect if it is above the first one alone.
        high: effect if it is above both.
        fitted: the two limits of the baseline that it was scored by, as risks.
    """

    risk: int
    ordinary: Effect
    elevated: Effect
    high: Effect
    fitted: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True)
class BacktestResult:
    """A recorded decision, with its decision under the other policy.

    Args:
        index: position in the tenant's log.
        id: id of the entry.
        session: session of the request.
        resource: id of what was to be used.
        status: status of its replay under the recorded policy; if it is not `identical`, nothing else here is known.
        problem: why the decision cannot be made again.
        change: how the two decisions differ.
        before: recorded effect.
        after: effect under the other policy.
        rules: what made the difference: ids of policies, or codes of reasons that have no policy.
        outcomes: outcomes at other limits, for the frontier of limits; None if not requested.
    """

    index: int
    id: str
    session: str
    resource: str
    status: ReplayStatus
    problem: str = ""
    change: Change = Change.SAME
    before: Effect = Effect.DENY
    after: Effect = Effect.DENY
    rules: tuple[str, ...] = ()
    outcomes: ScoreOutcomes | None = None


class Backtester:
    """Decides decisions again under another policy.

    Args:
        replayer: reads what they were made on.
        sources: file name → Cedar text of the other policy. Argument types are those of each recorded policy.
        selection: which decisions.
        with_outcomes: whether to work out `ScoreOutcomes`.

    Raises:
        PolicyError: the policy does not parse.
    """

    def __init__(
        self, replayer: Replayer, sources: Mapping[str, str], selection: Selection, *, with_outcomes: bool = False
    ) -> None:
        self._replayer = replayer
        self._selection = selection
        bands = (0, 1, 2) if with_outcomes else ()
        self._policies = _PolicyVariants(sources)
        self._policies_by_band = tuple(_PolicyVariants(apply_score_bands(sources, band)) for band in bands)

    def decide_again(self, recorded: RecordedDecision) -> BacktestResult | None:
        """Decide one decision again; None if it is not selected."""
        if not self._selection.includes(recorded):
            return None
        entry = recorded.entry
        name = recorded.position, entry.id, entry.session, recorded.recorded.request["resource"]["id"]
        replayed, inputs = self._replayer.replay_recorded(recorded)
        if inputs is None:
            problem = f"{replayed.where} differs" if replayed.where else str(replayed.computed or "content was erased")
            return BacktestResult(*name, replayed.status, problem)
        decision = decide_under(inputs.request, inputs.snapshot, self._policies.compile(inputs.snapshot.policy))
        change = classify_change(inputs.decision, decision)
        return BacktestResult(
            *name,
            ReplayStatus.IDENTICAL,
            change=change,
            before=inputs.decision.effect,
            after=decision.effect,
            rules=() if change is Change.SAME else find_causes(inputs.decision, decision),
            outcomes=self._find_outcomes(inputs, decision.effect) if self._policies_by_band else None,
        )

    def _find_outcomes(self, inputs: Inputs, effect: Effect) -> ScoreOutcomes:
        request, snapshot, _ = inputs
        if snapshot.risk is None or snapshot.partial:
            return ScoreOutcomes(-1, effect, effect, effect)
        ordinary, elevated, high = (
            decide_under(request, snapshot, policies.compile(snapshot.policy)).effect
            for policies in self._policies_by_band
        )
        fitted = self._replayer.load_score(snapshot.model_hash).terms.risks
        return ScoreOutcomes(snapshot.risk, ordinary, elevated, high, fitted)


class _PolicyVariants:
    """A policy, compiled with the argument types of each recorded policy."""

    def __init__(self, sources: Mapping[str, str]) -> None:
        self._sources = sources
        self._compiled: dict[str, CedarPolicy] = {}
        PolicyBundle(sources).parse()

    def compile(self, recorded: PolicyView) -> CedarPolicy:
        """The policy, compiled for decisions under a recorded one."""
        policy = self._compiled.get(recorded.hash)
        if policy is None:
            types = recorded.types if isinstance(recorded, CedarPolicy) else {}
            policy = CedarPolicy.compile(PolicyBundle(self._sources, types))
            if len(self._compiled) >= _MAX_POLICIES:
                self._compiled.clear()
            self._compiled[recorded.hash] = policy
        return policy


def backtest_log(
    url: str,
    home: Path,
    tenant: str,
    sources: Mapping[str, str],
    selection: Selection,
    *,
    with_outcomes: bool = False,
    processes: int = 1,
) -> Iterator[BacktestResult | None]:
    """Decide the decisions in a log again, in log order; yields None for each that is not selected.

    Args:
        url: SQLAlchemy URL of the store.
        home: folder with the content key.
        tenant: whose decisions.
        sources: file name → Cedar text of the other policy.
        selection: which decisions.
        with_outcomes: whether to work out `ScoreOutcomes`.
        processes: how many share the work; a short log is read in this one.

    Raises:
        ConfigError: there is no such store.
        PolicyError: the policy does not parse.
        Tampered: the database cannot be read, or an entry is damaged.
    """
    make_work = partial(_make_work, sources=dict(sources), selection=selection, with_outcomes=with_outcomes)
    return map_decisions(url, home, tenant, make_work, processes=processes)


def _make_work(
    replayer: Replayer, *, sources: Mapping[str, str], selection: Selection, with_outcomes: bool
) -> Callable[[RecordedDecision], BacktestResult | None]:
    return Backtester(replayer, sources, selection, with_outcomes=with_outcomes).decide_again


def decide_under(request: AccessRequest, snapshot: Snapshot, policy: PolicyView) -> Decision:
    """The decision on a recorded request under another policy, with a person's answer where it counts."""
    changed = replace(snapshot, policy=policy)
    approval = snapshot.approval
    if approval is None:
        return decide(request, changed)
    before = list_accepted_bindings(request, snapshot, approval, snapshot.policy.rules)
    if approval.binding not in before:
        return decide(request, changed)
    unanswered = replace(changed, approval=None)
    if approval.granted and not _find_questions(request, unanswered) <= _find_questions(
        request, replace(snapshot, approval=None)
    ):
        return decide(request, unanswered)
    after = list_accepted_bindings(request, snapshot, approval, policy.rules)
    answer = replace(approval, binding=after[before.index(approval.binding)])
    return decide(request, replace(changed, approval=answer))


def _find_questions(request: AccessRequest, snapshot: Snapshot) -> set[tuple[str, str, str]]:
    """The questions to a person: (code, source, detail) of each reason that an answer settles."""
    return {
        (reason.code, reason.source, reason.detail)
        for reason in decide(request, snapshot).reasons
        if reason.effect == Effect.CHALLENGE.value and reason.code not in REAUTHORIZABLE_CODES
    }


@dataclass(frozen=True, slots=True)
class DeclaredResult:
    """A recorded decision, decided again as if a person had declared its resource.

    Args:
        resource: action kind and id.
        before: recorded effect.
        after: effect with the declaration.
        codes: what argues for that effect.
        status: status of its replay; if it is not `identical`, `after` is not known.
        untrusting: effect with the declaration, if the results of fewer sources count as trusted.
        followed: (source, text) of each value that counts as known only because of its source.
        targets: texts of the call's targets.
    """

    resource: tuple[ActionKind, str]
    before: Effect
    after: Effect = Effect.DENY
    codes: tuple[str, ...] = ()
    status: ReplayStatus = ReplayStatus.IDENTICAL
    untrusting: Effect = Effect.DENY
    followed: tuple[tuple[str, str], ...] = ()
    targets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TrustedSources:
    """Tools and retrievers whose results a declaration makes trusted, to follow this into later calls of a session.

    Args:
        names: their ids.
        foreign: (session, id) of those that a session called with values of other untrusted sources, so that their
            results stay untrusted there.
    """

    names: frozenset[str] = frozenset()
    foreign: frozenset[tuple[str, str]] = frozenset()

    @classmethod
    def of(
        cls,
        declared: Mapping[tuple[ActionKind, str], Resource],
        given: Mapping[tuple[str, str], Collection[frozenset[str]]],
    ) -> TrustedSources:
        """Find the trusted sources of some declarations.

        Args:
            declared: what each resource is, by action kind and id.
            given: (session, id) → for each untrusted argument that it was called with, the sources of the argument.
        """
        names = frozenset(
            name for (_, name), item in declared.items() if item.impact is Impact.READ and item.trust >= TRUST_FLOOR
        )
        trusted = cls(names)
        while found := {
            key
            for key, arguments in given.items()
            if key[1] in names
            and key not in trusted.foreign
            and not all(trusted.includes_all(key[0], sources) for sources in arguments)
        }:
            trusted = cls(names, trusted.foreign | found)
        return trusted

    def includes_all(self, session: str, sources: Collection[str]) -> bool:
        """Whether there are sources, and the results of each are trusted in a session."""
        return bool(sources) and all(name in self.names and (session, name) not in self.foreign for name in sources)

    def list_followed(self, snapshot: Snapshot, session: str) -> list[tuple[str, tuple[str, ...]]]:
        """The pointers of the untrusted values that only these sources brought, with the names of the sources."""
        brought_by = dict(snapshot.sources)
        return [
            (pointer, brought_by[pointer])
            for pointer, origin in snapshot.provenance
            if origin in _UNTRUSTED and self.includes_all(session, brought_by.get(pointer, ()))
        ]

    def follow(self, snapshot: Snapshot, session: str) -> Snapshot:
        """The snapshot as if the results of these sources had been trusted.

        An estimate, which leaves out what else a trusted result spares: facts are as recorded.
        """
        followed = dict(self.list_followed(snapshot, session))
        provenance = tuple(
            (pointer, Provenance.KNOWN if pointer in followed else origin) for pointer, origin in snapshot.provenance
        )
        view = snapshot.session
        # A list that is full may have lost a source.
        is_exposed = view.tainted and (
            len(view.taint_sources) >= MAX_SOURCES or not self.includes_all(session, view.taint_sources)
        )
        return replace(snapshot, provenance=provenance, session=replace(view, tainted=is_exposed))


def backtest_declarations(
    url: str,
    home: Path,
    tenant: str,
    declared: Mapping[tuple[ActionKind, str], Resource],
    selection: Selection,
    *,
    processes: int,
    trusted: TrustedSources | None = None,
    fewer: TrustedSources | None = None,
    others: bool = False,
) -> Iterator[DeclaredResult | None]:
    """Decide recorded decisions about some resources again as if these had been declared this way.

    Each is decided from its own recorded inputs. Of what the declarations would have changed later in a session, only
    the trust of results is followed. Where the class changes, whether the request asked for it is as recorded.

    Args:
        url: SQLAlchemy URL of the store.
        home: folder with the content key.
        tenant: whose decisions.
        declared: what each resource is, by action kind and id.
        selection: which decisions.
        processes: how many share the work.
        trusted: sources whose results these declarations make trusted.
        fewer: sources for the effect `untrusting`; None for none.
        others: whether to decide those about other resources again too, as these are recorded, and to leave out all
            that have no value of a source that is trusted now and not among `fewer`.

    Raises:
        ConfigError: there is no such store.
        Tampered: the database cannot be read, or an entry is damaged.
    """
    make_work = partial(
        _make_declaring_work,
        declared=dict(declared),
        selection=selection,
        trusted=trusted or TrustedSources(),
        fewer=fewer or TrustedSources(),
        others=others,
    )
    return map_decisions(url, home, tenant, make_work, processes=processes)


def _list_sources(snapshot: Mapping[str, Any]) -> set[str]:
    """The names of the sources of a recorded call's values, and of those that exposed its session."""
    names = {str(name) for _, names in snapshot.get("sources", ()) for name in names}
    return names | set(map(str, snapshot["session"]["taint_sources"]))


def _make_declaring_work(
    replayer: Replayer,
    *,
    declared: Mapping[tuple[ActionKind, str], Resource],
    selection: Selection,
    trusted: TrustedSources,
    fewer: TrustedSources,
    others: bool,
) -> Callable[[RecordedDecision], DeclaredResult | None]:
    more_trusted = trusted.names - fewer.names

    def decide_again(recorded: RecordedDecision) -> DeclaredResult | None:
        request = recorded.recorded.request
        name = ActionKind(request["kind"]), str(request["resource"]["id"])
        if (name not in declared and not others) or not selection.includes(recorded):
            return None
        if others and more_trusted.isdisjoint(_list_sources(recorded.recorded.snapshot)):
            return None  # the same effect with fewer sources
        before = Effect(recorded.recorded.decision["effect"])
        replayed, inputs = replayer.replay_recorded(recorded)
        if inputs is None:
            return DeclaredResult(name, before, status=replayed.status)
        session, seen = recorded.entry.session, inputs.snapshot
        wanted = replace(inputs.request, resource=declared.get(name, inputs.request.resource))
        decision = decide(wanted, trusted.follow(seen, session) if trusted.names else seen)
        codes = tuple(sorted({item.code for item in decision.reasons if item.effect == decision.effect.value}))
        if not trusted.names:
            return DeclaredResult(name, before, decision.effect, codes, untrusting=decision.effect)
        untrusting = decide(wanted, fewer.follow(seen, session) if fewer.names else seen).effect
        texts = {pointer: text for pointer, text, _ in extract_leaves(wanted.args)}
        followed = tuple(
            (source, texts.get(pointer, ""))
            for pointer, sources in trusted.list_followed(seen, session)
            for source in sources
        )
        targets = tuple(text for name in wanted.resource.targets for text in extract_texts(wanted.args.get(name, "")))
        return DeclaredResult(
            name, before, decision.effect, codes, untrusting=untrusting, followed=followed, targets=targets
        )

    return decide_again


def classify_change(before: Decision, after: Decision) -> Change:
    """How two decisions of one request differ."""
    if before == after:
        return Change.SAME
    old, new = before.effect, after.effect
    if _rank(new) != _rank(old):
        if _rank(new) < _rank(old):
            return Change.TOWARDS_RUNNING
        return Change.NEW_QUESTION if new is Effect.CHALLENGE else Change.NEW_DENIAL
    if new is not Effect.DENY and before.obligations != after.obligations:
        # An obligation of a question holds once it is answered with yes.
        is_weaker = not covers(after.obligations, before.obligations)
        return Change.TOWARDS_RUNNING if is_weaker else Change.NEW_RESTRICTION
    return Change.MARK if old is not new else Change.REASONS


def _rank(effect: Effect) -> int:
    """0 runs, 1 is asked, 2 is denied."""
    return max(effect.severity - Effect.RESTRICT.severity, 0)


def covers(obligations: tuple[Obligation, ...], others: tuple[Obligation, ...]) -> bool:
    """Whether enforcing `obligations` enforces the others too: equal ones, or ones with a stricter bound."""
    return all(any(_is_as_strict(mine, other) for mine in obligations) for other in others)


def _is_as_strict(mine: Obligation, other: Obligation) -> bool:
    if (mine.kind, mine.name) != (other.kind, other.name):
        return False
    if mine.kind == _CLAMP:
        return mine.value <= other.value
    return mine.value >= other.value if mine.kind == _DROP_DOCUMENTS else mine.value == other.value


def find_causes(before: Decision, after: Decision) -> tuple[str, ...]:
    """The cause of a difference: the reasons of one decision that are more severe than the other's effect.

    Where the effect stays, the reasons that only one of them has.
    """
    causes = {
        _name_rule(reason)
        for decision, other in ((before, after), (after, before))
        for reason in decision.reasons
        if Effect(reason.effect).severity > other.effect.severity
    }
    causes = causes or {_name_rule(reason) for reason in set(before.reasons) ^ set(after.reasons)}
    return tuple(sorted(causes))


def _name_rule(reason: Reason) -> str:
    return reason.code if reason.source in _CHECKS else reason.source
