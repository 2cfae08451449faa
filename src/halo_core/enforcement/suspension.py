"""Suspensions: an agent or a person whose risk passes a limit is stopped, after a notice, until a person lifts it.

    consider_suspension(tx, "suspended_agent", "clerk", evidence, rule)

The notice is a signed entry of a stop that begins later. Lifting it before then prevents the suspension.

INVARIANT: no single source suspends anybody: one poisoned document, one person or one feed is not enough. It takes two
sources that do not depend on each other, or a person who judged it.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from halo_core.behaviour.event import fingerprint_text
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.summaries import AGENT
from halo_core.durations import SECOND_US
from halo_core.errors import ConfigError
from halo_core.manifest import MIN_SUSPENSION_RISK, SuspensionRule
from halo_core.model import SUSPENSIONS, Actor, EntryKind, format_pair
from halo_core.quick_dataclass import dataclass
from halo_core.store.drafts import Draft
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.rows import RestrictionTable
from halo_core.store.standing_passports import StandingTable
from halo_core.store.transaction import Transaction

if TYPE_CHECKING:
    from halo_core.manifest import Manifest

SOURCES_NEEDED: Final = 2
MANIFEST_FILE: Final = "agents.yaml"
ACTOR: Final = Actor("halo: suspend_at", "policy")
"""Who sets a suspension: the rule of the manifest."""


@dataclass(frozen=True, slots=True)
class SuspensionEvidence:
    """The evidence for a suspension.

    Args:
        risk: 0..1000 now.
        sources: names of what raised it, each independent of the others: feeds of events, agents, people.
        newest_us: time of the newest of it, microseconds since the epoch.
        is_judged: a person judged it an attack.
        words: why, without names and values.
    """

    risk: int
    sources: tuple[str, ...]
    newest_us: int
    is_judged: bool = False
    words: tuple[str, ...] = ()

    def is_enough(self, rule: SuspensionRule) -> bool:
        """Whether it is enough under a rule."""
        return self.risk >= rule.risk and (self.is_judged or len(set(self.sources)) >= SOURCES_NEEDED)


def consider_suspension(
    tx: Transaction, scope: str, target: str, evidence: SuspensionEvidence, rule: SuspensionRule | None
) -> bool:
    """Give notice of a suspension if the evidence is enough; returns whether notice was given now.

    Args:
        tx: the transaction.
        scope: one of `SUSPENSIONS`.
        target: the agent; of a person the reference; of a pair see `format_pair`.
        evidence: what speaks for it.
        rule: rule of the manifest; None if there is none.
    """
    if rule is None or not evidence.is_enough(rule):
        return False
    history = tx.load_history()
    key = ("stop", scope, target)
    if key in history.restrictions:
        return False
    if evidence.newest_us <= history.ends.get(key, -1):
        return False  # a person has seen it and decided otherwise
    since_us = tx.clock.now_us() + rule.notice_s * SECOND_US
    table = RestrictionTable(tx)
    table.remove("stop", scope, target)  # a row that no entry explains
    table.add("stop", scope, target, since_us)
    body = {
        "risk": evidence.risk,
        "scope": scope,
        "since_us": since_us,
        "sources": sorted(set(evidence.sources)),
        "target": target,
        "why": "; ".join(evidence.words)[:500],
    }
    tx.append(Draft(EntryKind.STOP, "", body, actor=ACTOR))
    return True


def find_suspended_scope(tx: Transaction, scope: str, target: str, *, is_filed: bool) -> tuple[str, str]:
    """Scope and target of a lift; for an agent or person that is suspended and not stopped, the suspension.

    Args:
        tx: the transaction.
        scope: that was asked for.
        target: that was asked for; of a person name or reference.
        is_filed: a file stops the target, too.
    """
    restrictions = tx.load_history().restrictions
    reference = tx.references.of_person(target) if scope == "user" else target
    candidates = [target, reference]
    if is_filed or any(("stop", scope, item) in restrictions for item in candidates):
        return scope, target
    suspended = f"suspended_{scope}"
    suspended_target = next((item for item in candidates if ("stop", suspended, item) in restrictions), None)
    return (
        (scope, target) if suspended not in SUSPENSIONS or suspended_target is None else (suspended, suspended_target)
    )


def consider_agent(tx: Transaction, agent: str, principal: str) -> bool:
    """Give notice to an agent if its alarms of past sessions suffice, for everybody or for whom it acted last.

    Args:
        tx: the transaction in which a session of the agent was folded or judged.
        agent: its id.
        principal: reference of whom the session acted for, empty for nobody.
    """
    profile = ProfileTable(tx).load(AGENT, agent).profile
    if not isinstance(profile, IdentityProfile):
        return False
    carried = profile.carried
    risk, pair, number = carried.agent_risk, carried.risk_for(principal), carried.independent_alarms
    if max(risk, pair) < MIN_SUSPENSION_RISK or not (carried.is_judged or number >= SOURCES_NEEDED):
        return False
    rule = find_agent_rule(tx, agent)
    sources = tuple(f"alarm {place}" for place in range(number))
    words = ("judged an attack" if carried.is_judged else f"alarms of {number} independent sources",)
    now_us = tx.clock.now_us()
    evidence = SuspensionEvidence(risk, sources, now_us, is_judged=carried.is_judged, words=words)
    if consider_suspension(tx, "suspended_agent", agent, evidence, rule):
        return True
    # INVARIANT: all alarms of a pair have one user, so that only a verdict on one of them suspends it.
    fingerprint = fingerprint_text(principal) if principal else 0
    if not principal or not any(alarm.judged and alarm.principal == fingerprint for alarm in carried.alarms):
        return False
    of_pair = SuspensionEvidence(pair, (), now_us, is_judged=True, words=("judged an attack",))
    return consider_suspension(tx, "suspended_pair", format_pair(principal, agent), of_pair, rule)


def find_agent_rule(tx: Transaction, agent: str) -> SuspensionRule | None:
    """The rule by which an agent is suspended; None if there is none.

    It is that of the manifest that the agent's passport was issued from, else of the home's.
    """
    row = StandingTable(tx).get(agent)
    manifests = [_load_issued(tx, row.manifest)] if row is not None and row.manifest else [_load_file(tx)]
    section = next((item.agents[agent] for item in manifests if item is not None and agent in item.agents), None)
    return None if section is None else section.suspend_at


def find_people_rule(tx: Transaction) -> SuspensionRule | None:
    """The rule by which agents stop acting for a person; None if there is none.

    It is the strictest of the manifests in force, else that of the home's.
    """
    rules = [item.suspend_people_at for item in _list_manifests(tx) if item.suspend_people_at is not None]
    return min(rules, key=lambda rule: rule.risk, default=None)


def _list_manifests(tx: Transaction) -> Iterator[Manifest]:
    names = sorted({row.manifest for row in StandingTable(tx).list_all().values() if row.manifest})
    manifests = [_load_issued(tx, name) for name in names] if names else [_load_file(tx)]
    yield from (item for item in manifests if item is not None)


def _load_issued(tx: Transaction, name: str) -> Manifest | None:
    data = tx.load_blob(name)
    return None if data is None else _parse(data)


def _load_file(tx: Transaction) -> Manifest | None:
    """The manifest of the home, which applies until a passport is issued from one."""
    try:
        return _parse((tx.image.home / MANIFEST_FILE).read_bytes())
    except OSError:
        return None


@lru_cache(maxsize=8)
def _parse(data: bytes) -> Manifest | None:
    from halo_core.manifest import load_manifest  # noqa: PLC0415  it imports YAML

    try:
        return load_manifest(data.decode())
    except (ConfigError, UnicodeError):
        return None  # which `halo passport issue` reports
