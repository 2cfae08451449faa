"""What was observed before enforcement: undeclared tools and retrievers with guesses, and what ran without a decision.

`load_first_day` reads the log. `declare` turns an answer about a resource into a declaration, `count_declared` counts
what would have happened to the recorded calls under declarations, and `edit_manifest` writes them into the text of the
manifest. No file is written here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from enum import StrEnum
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

from halo_core.backtest import DeclaredResult, Selection, TrustedSources, backtest_declarations
from halo_core.enforcement.guess_names import split_words
from halo_core.enforcement.guesses import Guess
from halo_core.enforcement.registry import RegisteredResource, complete_resource
from halo_core.errors import ConfigError
from halo_core.manifest import Manifest, load_manifest, replace_declarations, replace_grants
from halo_core.model import ActionKind, Effect, EntryKind, Impact, Provenance, Resource, Reversal
from halo_core.passports import is_resource_id
from halo_core.processes import count_cores
from halo_core.quick_dataclass import dataclass
from halo_core.replay import ReplayStatus
from halo_core.store.reader import Reader, SealedContents, read_entries
from halo_core.views import View, select_fields
from halo_core.views.grant_proposals import list_proposals
from halo_core.views.inventory import load_registrations
from halo_core.views.manifests import MANIFEST, find_manifest, read_manifest_text
from halo_core.views.passports import load_current_passport

UNTRUSTED_SOURCE: Final = 300
"""`source_trust` of results with text of others: the session counts as exposed, and no result is dropped."""
OWN_RECORDS: Final = 800
"""`source_trust` of results that only the operator's own systems write."""
_ASKED: Final = (Effect.CHALLENGE, Effect.DENY)
_KINDS: Final = (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL)
_REVERSAL: Final = {
    Impact.READ: Reversal.NONE_NEEDED,
    Impact.WRITE: Reversal.UNDO,
}
_FINDING_KINDS: Final = {
    "hosted_tool": "hosted_tool",
    "hosted_tool_offered": "hosted_tool",
    "mcp_listing_too_large": "mcp_tool_not_accepted",
    "mcp_tool_not_accepted": "mcp_tool_not_accepted",
    "unknown_model_field": "unknown_model_field",
}
"""Reason code of a decision → kind of finding."""
_TARGET_CODES: Final = frozenset({"untraced_target", "untrusted_target"})
_USER: Final = "user"
_APPROVING_VERBS: Final = frozenset({"approve", "authorise", "authorize", "countersign", "grant", "permit", "release"})
_SIGN_OFF: Final = ("sign", "off")
ResourceName = tuple[ActionKind, str]
"""Action kind and id."""


def find_approving_verb(name: str) -> str:
    """The verb in a tool's name by which it approves, grants or releases something for others; empty if none."""
    name_words = split_words(name)
    if _SIGN_OFF in pairwise(name_words):
        return " ".join(_SIGN_OFF)
    return next((word for word in name_words if word in _APPROVING_VERBS), "")


class Source(StrEnum):
    """What an answer says about a tool's results: nothing, the operator's own records, or text of others."""

    UNSAID = ""
    OWN = "own"
    UNTRUSTED = "untrusted"


@dataclass(slots=True)
class Outcomes:
    """What happened to calls, or would have happened.

    Args:
        calls: number of calls.
        asked: number of calls that wait for an answer.
        denied: number of calls that are refused.
        unread: number of calls whose recorded inputs cannot be read.
        stored: number of the asked or denied calls that would run if no exposed session had stored their values.
        codes: reason code → number of asked or denied calls that have it.
    """

    calls: int = 0
    asked: int = 0
    denied: int = 0
    unread: int = 0
    stored: int = 0
    codes: Counter[str] = field(default_factory=Counter)

    @property
    def stopped(self) -> int:
        """Number of calls that do not run without an answer."""
        return self.asked + self.denied

    def add(self, effect: Effect, codes: Iterable[str]) -> None:
        """Count one call."""
        self.calls += 1
        self.asked += effect is Effect.CHALLENGE
        self.denied += effect is Effect.DENY
        if effect in _ASKED:
            self.codes.update(codes)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {**select_fields(self, "asked", "calls", "denied", "unread"), "codes": dict(sorted(self.codes.items()))}


@dataclass(slots=True)
class ObservedResource(View):
    """A tool or retriever that nobody declared.

    Args:
        resource: the resource as it was registered, with guesses.
        arguments: names of its arguments.
        why: reasons of the guess.
        agents: agents that used it, sorted.
        sessions: number of sessions in which it was used.
        recorded: what happened to its calls, or would have in enforce mode, without a declaration.
    """

    resource: Resource
    arguments: tuple[str, ...]
    why: str
    agents: tuple[str, ...] = ()
    sessions: int = 0
    recorded: Outcomes = field(default_factory=Outcomes)

    @property
    def name(self) -> ResourceName:
        """Action kind and id."""
        return self.resource.kind, self.resource.id

    @property
    def is_guessed(self) -> bool:
        """Whether there is a guess that could be accepted."""
        return self.resource.impact is not Impact.UNKNOWN

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        resource = self.resource
        return {
            "agents": list(self.agents),
            "amount": resource.amount,
            "arguments": list(self.arguments),
            "id": resource.id,
            "impact": resource.impact.value,
            "kind": resource.kind.value,
            "programs": dict(resource.programs),
            "recorded": self.recorded.to_json(),
            "reversal": resource.reversal.value,
            "sessions": self.sessions,
            "targets": list(resource.targets),
            "why": self.why,
        }


@dataclass(frozen=True, slots=True)
class Finding(View):
    """Something that was observed and that no declaration of a tool or retriever settles.

    Args:
        kind: `hosted_tool`, `unknown_model_field`, `mcp_tool_not_accepted`, `no_request` (an agent that was asked about
            targets, and used nothing that a user is known to have written), or what ran without a guard (`tool`,
            `retriever`, `model`, ...).
        name: its name.
        count: how often it was seen.
        where: where it was seen, for people; empty for a part of a model request.
    """

    kind: str
    name: str
    count: int
    where: str = ""


@dataclass(slots=True)
class FirstDay(View):
    """What was observed.

    Args:
        tenant: owner of the log.
        agents: agents that acted, sorted.
        issued: the agents among them whose passport was issued, so that its manifest declares their tools.
        sessions: number of sessions.
        decisions: number of decisions.
        asked: number of decisions, of any kind, that would have waited or been refused.
        declared: number of tools and retrievers that are declared.
        resources: undeclared tools and retrievers, those whose calls would be stopped most first, then the most used.
        findings: what no declaration settles.
        given: (session, id) of a resource → for each untrusted argument that it was called with, its sources.
    """

    tenant: str
    agents: tuple[str, ...] = ()
    issued: tuple[str, ...] = ()
    sessions: int = 0
    decisions: int = 0
    asked: int = 0
    declared: int = 0
    resources: list[ObservedResource] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    given: dict[tuple[str, str], set[frozenset[str]]] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **select_fields(self, "asked", "declared", "decisions", "sessions", "tenant"),
            "agents": list(self.agents),
            "findings": [select_fields(item, "count", "kind", "name", "where") for item in self.findings],
            "issued": list(self.issued),
            "resources": [item.to_json() for item in self.resources],
        }


def load_first_day(reader: Reader, tenant: str, manifest: Manifest | None, *, agent: str = "") -> FirstDay:
    """What was observed of one agent or of all.

    Args:
        reader: the store.
        tenant: owner of the log.
        manifest: the manifest as it is now; resources that it declares are left out.
        agent: only what this agent used; empty for all.

    Raises:
        Tampered: an entry is damaged, or a registration differs from the log.
    """
    day = FirstDay(tenant)
    observed = {item.name: item for item in _list_undeclared(load_registrations(reader, tenant), manifest, day)}
    agents: set[str] = set()
    sessions: set[str] = set()
    used_by: dict[ResourceName, tuple[set[str], set[str]]] = {}
    fields: Counter[tuple[str, str]] = Counter()
    unheard = _UnheardRequests()
    for logged in read_entries(reader, tenant, (EntryKind.DECISION,)):
        request, decision = logged.entry.body["request"], logged.entry.body["decision"]
        actor = str(request["subject"]["agent"])
        if agent not in ("", actor):
            continue
        agents.add(actor)
        sessions.add(logged.entry.session)
        day.decisions += 1
        effect = Effect(decision["effect"])
        day.asked += effect in _ASKED
        fields.update(_list_reason_findings(decision["reasons"], str(request["resource"]["id"])))
        unheard.add(actor, logged.entry.body["snapshot"], decision, is_asked=effect in _ASKED)
        item = observed.get((ActionKind(request["kind"]), str(request["resource"]["id"])))
        if item is not None:
            reasons = [reason for reason in decision["reasons"] if reason["effect"] == effect.value]
            item.recorded.add(effect, {str(reason["code"]) for reason in reasons})
            if foreign := _list_foreign_sources(logged.entry.body["snapshot"]):
                day.given.setdefault((logged.entry.session, item.resource.id), set()).update(foreign)
            users, places = used_by.setdefault(item.name, (set(), set()))
            users.add(actor)
            places.add(logged.entry.session)
    for name, (users, places) in used_by.items():
        observed[name].agents, observed[name].sessions = tuple(sorted(users)), len(places)
    day.agents, day.sessions = tuple(sorted(agents)), len(sessions)
    day.issued = tuple(name for name in day.agents if _has_issued_passport(reader, tenant, name))
    day.resources = sorted(
        (item for item in observed.values() if not agent or item.agents),
        key=lambda item: (-item.recorded.stopped, -item.recorded.calls, item.name),
    )
    day.findings = [Finding(kind, name, count) for (kind, name), count in sorted(fields.items())]
    day.findings += [*unheard.list_findings(), *_list_undecided(reader, tenant, agent)]
    return day


def _list_foreign_sources(snapshot: Mapping[str, Any]) -> list[frozenset[str]]:
    """The sources of each untrusted argument of a recorded call."""
    sources = {str(pointer): frozenset(map(str, names)) for pointer, names in snapshot.get("sources", ())}
    return [
        sources.get(str(pointer), frozenset())
        for pointer, origin in snapshot["provenance"]
        if origin in (Provenance.UNTRUSTED.value, Provenance.MIXED.value)
    ]


class _UnheardRequests:
    """Agents of which no decision shows that Halo knows what a user asked, though targets were asked about."""

    def __init__(self) -> None:
        self._heard: set[str] = set()
        self._asked: Counter[str] = Counter()

    def add(self, agent: str, snapshot: Mapping[str, Any], decision: Mapping[str, Any], *, is_asked: bool) -> None:
        """Take a decision."""
        if agent not in self._heard and any(origin == _USER for _, origin in snapshot["provenance"]):
            self._heard.add(agent)
        self._asked[agent] += is_asked and any(item["code"] in _TARGET_CODES for item in decision["reasons"])

    def list_findings(self) -> list[Finding]:
        """A finding for each such agent."""
        asked = sorted(self._asked.items())
        return [Finding("no_request", agent, count) for agent, count in asked if count and agent not in self._heard]


def _list_undeclared(
    registered: Iterable[RegisteredResource], manifest: Manifest | None, day: FirstDay
) -> list[ObservedResource]:
    """Resources registered with guesses that the manifest does not declare; counts the declared ones in `day`."""
    undeclared = []
    for item in registered:
        resource = item.resource
        if resource.kind not in _KINDS:
            continue
        known = manifest.find_resource(resource.id, resource.kind) if manifest is not None else None
        if resource.classified == "declared" or known is not None or not is_resource_id(resource.id):
            day.declared += 1
        else:
            undeclared.append(ObservedResource(resource, tuple(item.argument_names()), item.why))
    return undeclared


def _list_reason_findings(reasons: Iterable[Mapping[str, Any]], resource: str) -> list[tuple[str, str]]:
    """(kind, name) of each finding that the reasons of a decision stand for."""
    return [
        (_FINDING_KINDS[code], str(item["detail"]) or resource)
        for item in reasons
        if (code := str(item["code"])) in _FINDING_KINDS
    ]


def _list_undecided(reader: Reader, tenant: str, agent: str) -> list[Finding]:
    """Findings on what ran, or was refused, without a guard."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for logged in read_entries(reader, tenant, (EntryKind.SHADOW,)):
        body = logged.entry.body
        if agent in ("", str(body.get("agent", ""))):
            counts[str(body["kind"]), str(body["name"]), str(body.get("where", ""))] += 1
    return [Finding(kind, name, count, where) for (kind, name, where), count in sorted(counts.items())]


def _has_issued_passport(reader: Reader, tenant: str, agent: str) -> bool:
    stored = load_current_passport(reader, tenant, agent)
    return stored is not None and stored.entry is not None and stored.entry.body.get("origin") == "issued"


# answers


def declare(
    item: ObservedResource,
    source: Source = Source.UNSAID,
    *,
    impact: Impact | None = None,
    targets: tuple[str, ...] | None = None,
    amount: str | None = None,
) -> Resource:
    """Make the declaration that an answer stands for; members that are not given are as guessed.

    Args:
        item: the resource.
        source: what the answer says about its results.
        impact: the class, if not the guessed one.
        targets: the arguments that say where money or data goes, if not the guessed ones.
        amount: the argument that holds the amount, if not the guessed one; empty for none.

    Raises:
        ConfigError: `unknown_impact`, there is neither a guess nor a class; `no_such_argument`.
    """
    guessed = item.resource
    chosen = impact or guessed.impact
    if chosen is Impact.UNKNOWN:
        problem = f"nothing says what `{guessed.id}` does, so that there is no guess to accept"
        raise ConfigError("unknown_impact", problem, field="impact", remedy="choose a class, or skip it")
    for argument in (*(targets or ()), *filter(None, (amount,))):
        if argument not in item.arguments:
            problem = f"`{guessed.id}` has no argument `{argument[:64]}`"
            remedy = f"its arguments are {', '.join(item.arguments) or 'none'}"
            raise ConfigError("no_such_argument", problem, field="targets", remedy=remedy)
    trust = {Source.OWN: OWN_RECORDS, Source.UNTRUSTED: UNTRUSTED_SOURCE}.get(source)
    reversal = guessed.reversal if chosen is guessed.impact else _REVERSAL.get(chosen, Reversal.IRREVERSIBLE)
    return Resource(
        kind=guessed.kind,
        impact=chosen,
        reversal=reversal,
        targets=tuple(sorted(guessed.targets if targets is None else targets)),
        amount=guessed.amount if amount is None else amount,
        programs=guessed.programs if chosen is Impact.EXECUTE or chosen is Impact.READ else (),
        source_trust=trust,
    )


Answers = Mapping[ResourceName, Resource]
"""Declarations by action kind and id."""


FindStored = Callable[[Collection[tuple[Resource, str]]], frozenset[tuple[str, str]]]
"""(resource, text that it returned) → (id, text) of those that an exposed session has stored."""


def count_declared(
    url: str, home: Path, day: FirstDay, answers: Answers, *, agent: str = "", find_stored: FindStored | None = None
) -> dict[ResourceName, Outcomes]:
    """Resource → what would happen to its recorded calls with these declarations (`backtest_declarations`).

    Results that a declaration makes trusted count as trusted in later calls too.

    Args:
        url: SQLAlchemy URL of the store.
        home: folder with the content key.
        day: what was observed.
        answers: the declarations.
        agent: only what this agent did; empty for all.
        find_stored: finds what exposed sessions stored, and which comes back untrusted from a trusted tool; None to
            leave that out.
    """
    if not answers:  # nothing to decide again, however long the log is
        return {}
    completed = _complete_all(day, answers)
    outcomes = {name: Outcomes() for name in completed}
    trusted = TrustedSources.of(completed, day.given)
    results = list(_decide_again(url, home, day, completed, agent, trusted=trusted))
    stored = _find_stored(results, completed, find_stored)
    for result in results:
        outcome_counts = outcomes[result.resource]
        if result.status is not ReplayStatus.IDENTICAL:
            outcome_counts.calls += 1
            outcome_counts.unread += 1
        elif _is_released(result) and not stored.isdisjoint(result.followed):
            outcome_counts.add(result.untrusting, ("untrusted_target",))
            outcome_counts.stored += 1
        else:
            outcome_counts.add(result.after, result.codes)
    return outcomes


class ReleasedCall(NamedTuple):
    """A recorded call that an answer lets run.

    Args:
        resource: its tool or retriever.
        targets: texts of its targets.
        is_stored: whether it waits until a person clears what exposed sessions stored.
    """

    resource: str
    targets: tuple[str, ...]
    is_stored: bool


def list_released(
    url: str,
    home: Path,
    day: FirstDay,
    answers: Answers,
    source: ResourceName,
    *,
    agent: str = "",
    find_stored: FindStored | None = None,
) -> list[ReleasedCall]:
    """The recorded calls that run because the results of one tool or retriever count as the operator's own records.

    Args:
        url: SQLAlchemy URL of the store.
        home: folder with the content key.
        day: what was observed.
        answers: the declarations, with that of the source; with the others alone these calls would not run.
        source: the tool or retriever.
        agent: only what this agent did; empty for all.
        find_stored: as of `count_declared`.
    """
    completed = _complete_all(day, answers)
    trusted = TrustedSources.of(completed, day.given)
    others = {name: item for name, item in completed.items() if name != source}
    fewer = TrustedSources.of(others, day.given)
    results = _decide_again(url, home, day, completed, agent, trusted=trusted, fewer=fewer, others=True)
    released = [result for result in results if _is_released(result)]
    stored = _find_stored(released, completed, find_stored)
    return [
        ReleasedCall(result.resource[1], result.targets, not stored.isdisjoint(result.followed)) for result in released
    ]


def _is_released(result: DeclaredResult) -> bool:
    is_read = result.status is ReplayStatus.IDENTICAL
    return is_read and result.untrusting in _ASKED and result.after not in _ASKED


def _find_stored(
    results: Iterable[DeclaredResult], declared: Mapping[ResourceName, Resource], find_stored: FindStored | None
) -> frozenset[tuple[str, str]]:
    """(source, text) of the values of these results that an exposed session has stored."""
    resources = {name: resource for (_, name), resource in declared.items()}
    followed = {value for result in results if _is_released(result) for value in result.followed}
    values = [(resources[name], text) for name, text in sorted(followed) if name in resources]
    return find_stored(values) if find_stored is not None and values else frozenset()


def _decide_again(
    url: str,
    home: Path,
    day: FirstDay,
    declared: Mapping[ResourceName, Resource],
    agent: str,
    *,
    trusted: TrustedSources,
    fewer: TrustedSources | None = None,
    others: bool = False,
) -> Iterator[DeclaredResult]:
    results = backtest_declarations(
        url,
        home,
        day.tenant,
        declared,
        Selection(agent=agent),
        processes=count_cores(),
        trusted=trusted,
        fewer=fewer,
        others=others,
    )
    yield from (result for result in results if result is not None)


def _complete_all(day: FirstDay, answers: Answers) -> dict[ResourceName, Resource]:
    observed = {item.name: item for item in day.resources}
    return {name: _complete(observed[name], declared) for name, declared in answers.items()}


def _complete(item: ObservedResource, declared: Resource) -> Resource:
    """The resource as a process will register it once it is declared."""
    guessed = item.resource
    guess = Guess(guessed.impact, guessed.reversal, guessed.targets, guessed.amount, guessed.programs, (item.why,))
    kind, name = item.name
    return complete_resource(declared, guess, kind=kind, name=name, arguments=item.arguments)


@dataclass(frozen=True, slots=True)
class ManifestEdit:
    """A manifest before and after.

    Args:
        path: path of its file.
        before: its text; empty if there is no file yet.
        after: its text with the declarations.
    """

    path: Path
    before: str
    after: str


def edit_manifest(
    reader: Reader, contents: SealedContents, home: Path, day: FirstDay, answers: Answers
) -> ManifestEdit:
    """Make the text of the manifest with declarations; a new manifest also gets the agents with what each of them used.

    The manifest is the file that `halo passport issue` would read; where there is none, a new one in the home.

    Raises:
        ConfigError: the manifest there cannot be read or edited, or is of another tenant.
    """
    try:
        path = find_manifest(home, None)
        before = read_manifest_text(path)
    except ConfigError as exc:
        if exc.code != "no_manifest" or (home / MANIFEST).exists():
            raise
        path, before = home / MANIFEST, ""
    text = before
    if not text.strip():
        for proposed in list_proposals(reader, contents, day.tenant):
            text = replace_grants(text, proposed.proposal.agent, proposed.grants, tenant=day.tenant, source=path.name)
    tenant = load_manifest(text, source=path.name).tenant
    if tenant != day.tenant:
        problem = f"`{path}` is of tenant `{tenant[:64]}`"
        raise ConfigError("which_tenant", problem, field="tenant", remedy=f"name {day.tenant}")
    by_kind: dict[ActionKind, dict[str, Resource]] = {}
    for (kind, name), resource in answers.items():
        by_kind.setdefault(kind, {})[name] = replace(resource, id="", kind=kind)
    return ManifestEdit(path, before, replace_declarations(text, by_kind, source=path.name))
