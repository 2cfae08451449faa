"""How two passports of an agent differ: in its history, or when one would be issued from the manifest.

Nothing is signed or written here (see `halo_core.oversight.issuing`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from halo_core.authorities import Authorities
from halo_core.clock import format_iso
from halo_core.durations import SECOND_US
from halo_core.errors import ConfigError
from halo_core.manifest import Manifest, PassportSpec, load_manifest, replace_grants
from halo_core.model import (
    ANY_OTHER,
    RESERVED_UNITS,
    ActionKind,
    Budget,
    Constraint,
    Decay,
    EntryKind,
    Grants,
    Link,
    LinkKind,
    Revocation,
    same_person,
)
from halo_core.oversight.issuing import refuse_revoked
from halo_core.passports import MAX_DEPTH, constraint_within
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import Reader, read_entries
from halo_core.views import View, select_fields, wording
from halo_core.views.changes import Change, compare_numbers
from halo_core.views.declaration_changes import diff_manifests
from halo_core.views.grant_proposals import ProposedGrants
from halo_core.views.inventory import load_catalogue
from halo_core.views.manifests import MANIFEST, find_manifest, load_manifest_of, read_manifest_text
from halo_core.views.passports import (
    StoredChain,
    find_chain,
    list_revocations,
    load_current_passport,
    open_reader_if_any,
)
from halo_core.views.wording import format_utc_minute, shorten_hash

_ANYTHING = {ANY_OTHER: Constraint.anything()}
_TITLES = {ActionKind.TOOL_CALL: "", ActionKind.HANDOFF: "hand-off to "}


Manifests = tuple[Manifest | None, Manifest | None]
"""The manifests that two passports were issued from; None for a passport that was not issued from one."""


def diff_passports(
    old: Link | None,
    new: Link,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    manifests: Manifests = (None, None),
) -> list[Change]:
    """Every difference between two passports, grants first; without an old one, everything that the new one says.

    Args:
        old: the old passport; None for none.
        new: the new one.
        before: facts recorded with `old` (its approvers).
        after: facts recorded with `new`.
        manifests: the manifests that they were issued from, whose declarations come into force with them.
    """
    differences = _diff_links(old, new, before or {}, after or {})
    declared = diff_manifests(*manifests, new.agent, _join_grants(old, new))
    old_hash, new_hash = (shorten_hash(item.hash) if item is not None else "none" for item in manifests)
    if not (differences or declared) and manifests[1] is not None and old_hash != new_hash:
        # INVARIANT: AUDIT - a passport that puts another text in force is never shown as one that changes nothing.
        declared = [Change("~", "text of the manifest", f"{old_hash} → {new_hash}, without an effect for this agent")]
    return [*differences, *declared]


def _join_grants(old: Link | None, new: Link) -> Grants:
    before = old.grants if old is not None else {}
    return {kind: {**before.get(kind, {}), **new.grants.get(kind, {})} for kind in ActionKind}


def _diff_links(old: Link | None, new: Link, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Change]:
    """Differences in what the passports themselves say, and in the facts that are recorded with them."""
    differences = list(_diff_grants(old, new))
    if old is None:
        return [*differences, *_describe_first(new), *_diff_approvers({}, after, "+")]
    differences += _diff_labels(old, new)
    differences += _diff_limits(old, new)
    differences += _diff_decay(old.terms.decay if old.terms else old.decay, new.terms.decay if new.terms else new.decay)
    differences += _diff_facts(old, new)
    return [*differences, *_diff_approvers(before, after, "~")]


def _describe_first(link: Link) -> Iterator[Change]:
    """What a first passport says besides its grants."""
    yield Change("+", "data labels", _format_labels(link))
    for name, limit in _list_limits(link):
        yield Change("+", name, _format_budget(limit))
    decay = link.terms.decay if link.terms else link.decay
    for line in wording.describe_decay(decay) if decay is not None else ():
        yield Change("+", "authority", line)
    yield Change("+", "owner", link.owner or "nobody")
    yield Change("+", "lifetime", wording.format_duration(_compute_lifetime(link)))
    session = wording.format_duration(link.terms.lifetime_s) if link.terms is not None else "none"
    yield Change("+", "session lifetime", session)


def _diff_approvers(before: Mapping[str, Any], after: Mapping[str, Any], sign: str) -> Iterator[Change]:
    old, new = (", ".join(map(str, facts.get("approvers", ()))) for facts in (before, after))
    if old != new:
        yield Change(sign, "approvers", new if sign == "+" else f"{old or 'nobody'} → {new or 'nobody'}")


def _diff_grants(old: Link | None, new: Link) -> Iterator[Change]:
    for kind in ActionKind:
        before = old.grants.get(kind, {}) if old is not None else {}
        after = new.grants.get(kind, {})
        title = _TITLES.get(kind, f"{kind.value} ")
        for name in sorted(before.keys() | after.keys()):
            if name not in before:
                how = "" if kind is ActionKind.HANDOFF else wording.describe_arguments(after[name])
                yield Change("+", f"{title}{name}", how)
            elif name not in after:
                yield Change("-", f"{title}{name}")
            else:
                yield from _diff_arguments(f"{title}{name}", before[name], after[name])


def _diff_arguments(tool: str, old: Mapping[str, Constraint], new: Mapping[str, Constraint]) -> Iterator[Change]:
    if old == _ANYTHING and ANY_OTHER not in new:
        schema_note = " (the tool's schema is known now)" if all(map(_is_any, new.values())) else ""
        argument_list = ", ".join(sorted(new)) if schema_note and new else wording.describe_arguments(new)
        yield Change("~", tool, f"narrowed, any arguments → {argument_list}{schema_note}")
        return
    for name in sorted(old.keys() | new.keys()):
        before = old.get(name, old.get(ANY_OTHER))
        after = new.get(name, new.get(ANY_OTHER))
        subject = f"{tool}.{name}" if name != ANY_OTHER else f"{tool}, other arguments"
        if before == after:
            continue
        if before is None and after is not None:
            yield Change("+", subject, wording.describe_constraint(after))
        elif after is None:
            yield Change("-", subject)
        elif before is not None:
            how = f"{wording.describe_constraint(before)} → {wording.describe_constraint(after)}"
            yield Change("~", subject, f"{_describe_direction(before, after)}, {how}")


def _is_any(rule: Constraint) -> bool:
    return rule == Constraint.anything()


def _describe_direction(before: Constraint, after: Constraint) -> str:
    narrower, wider = constraint_within(after, before), constraint_within(before, after)
    return "the same" if narrower and wider else "narrowed" if narrower else "WIDENED" if wider else "WIDENED in part"


def _diff_labels(old: Link, new: Link) -> Iterator[Change]:
    if old.labels == new.labels:
        return
    narrower = old.labels is None or (new.labels is not None and set(new.labels) < set(old.labels))
    yield Change.of_limit("data labels", _format_labels(old), _format_labels(new), wider=not narrower)


def _format_labels(link: Link) -> str:
    return "any" if link.labels is None else ", ".join(link.labels) or "none"


def _diff_limits(old: Link, new: Link) -> Iterator[Change]:
    before, after = dict(_list_limits(old)), dict(_list_limits(new))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            yield _diff_limit(name, before.get(name), after.get(name))


def _list_limits(link: Link) -> Iterator[tuple[str, Budget]]:
    for budget in link.terms.budgets if link.terms is not None else link.budgets:
        yield f"{budget.unit} in a session", Budget(budget.unit, 0, budget.subtree, budget.decimals)
        if budget.per_action != budget.subtree:
            yield f"{budget.unit} per action", Budget(budget.unit, 0, budget.per_action, budget.decimals)
    for budget in link.budgets if link.terms is not None else ():
        yield f"{budget.unit} if re-authorized", Budget(budget.unit, 0, budget.subtree, budget.decimals)
    for quota in link.quotas:
        yield f"{quota.unit} in a day", Budget(quota.unit, 0, quota.per_day, quota.decimals)


def _diff_limit(name: str, old: Budget | None, new: Budget | None) -> Change:
    if old is None or new is None:
        limit = new or old
        # A unit without a budget cannot be spent at all, except that Halo's own units and quotas then have no limit.
        if limit is not None and (limit.unit in RESERVED_UNITS or name.endswith("in a day")):
            prefix = "narrowed, no limit → " if old is None else "WIDENED, "
            return Change("~", name, f"{prefix}{_format_budget(limit)}{'' if old is None else ' → no limit'}")
        return Change("-" if new is None else "+", name, _format_budget(new) if new is not None else "")
    wider = new.subtree * 10**old.decimals > old.subtree * 10**new.decimals
    return Change.of_limit(name, _format_budget(old), _format_budget(new), wider=wider)


def _format_budget(budget: Budget) -> str:
    return wording.format_limit(budget.unit, budget.subtree, budget.decimals)


def _diff_decay(old: Decay | None, new: Decay | None) -> Iterator[Change]:
    if old is None or new is None:
        if old != new:
            no_decay = "narrowed, there was no decay before" if old is None else "WIDENED, authority no longer decays"
            yield Change("~", "authority", no_decay)
        return
    percent, count = wording.format_percent, "{:,}".format
    yield from compare_numbers("authority at the start", old.authority, new.authority, percent)
    yield from compare_numbers("half-life", old.half_life_s, new.half_life_s, wording.format_duration)
    yield from compare_numbers("half-life in actions", old.half_life_steps, new.half_life_steps, count)
    yield from compare_numbers("half-life in risk points", old.half_life_risk, new.half_life_risk, count)
    floors = {**dict(old.floors), "re-authorization": old.reauthorize_below}
    for name, after in {**dict(new.floors), "re-authorization": new.reauthorize_below}.items():
        yield from compare_numbers(f"floor of {name}", floors.get(name, 0), after, percent, wider="less")
    if old.bands != new.bands:
        risks = [risk for risk, _ in (*old.bands, *new.bands)]
        wider = any(_find_ceiling(new, risk) > _find_ceiling(old, risk) for risk in risks)
        yield Change.of_limit("bands", _format_bands(old), _format_bands(new), wider=wider)


def _find_ceiling(decay: Decay, risk: int) -> int:
    return min((ceiling for points, ceiling in decay.bands if points <= risk), default=1_000_000)


def _format_bands(decay: Decay) -> str:
    return ", ".join(f"{risk:,} points: {wording.format_percent(ceiling)}" for risk, ceiling in decay.bands) or "none"


def _diff_facts(old: Link, new: Link) -> Iterator[Change]:
    for name in ("owner", "principal", "policy"):
        before, after = getattr(old, name), getattr(new, name)
        if before != after:
            yield Change("~", name, f"{before or 'nobody'} → {after or 'nobody'}")
    yield from compare_numbers("lifetime", _compute_lifetime(old), _compute_lifetime(new), wording.format_duration)
    before_s, after_s = (link.terms.lifetime_s if link.terms is not None else 0 for link in (old, new))
    yield from compare_numbers("session lifetime", before_s, after_s, wording.format_duration)


def _compute_lifetime(link: Link) -> int:
    return link.expires_at_s - link.not_before_s


@dataclass(frozen=True, slots=True)
class HistoryRow(View):
    """A passport or a revocation in an agent's history.

    Args:
        changes: differences from the passport before, as sentences.
        index: position of the entry.
        name: hash and end of a passport; or target, actor and reason of a revocation.
        time: time of the entry, ISO 8601 in UTC.
        what: `issued`, `derived` or `revoked`.
    """

    changes: list[str]
    index: int
    name: str
    time: str
    what: str


def load_history(reader: Reader, tenant: str, agent: str) -> list[HistoryRow]:
    """Every passport and revocation of an agent, in log order."""
    rows: list[HistoryRow] = []
    before: Link | None = None
    facts: Any = {}
    manifest: Manifest | None = None
    hashes = set()
    for record in read_entries(reader, tenant, (EntryKind.PASSPORT, EntryKind.REVOCATION)):
        body, time = record.entry.body, format_iso(record.entry.ts_us)
        if record.entry.kind is EntryKind.REVOCATION:
            if body.get("target") == agent or body.get("target") in hashes:
                target = f"{body.get('scope')} {shorten_hash(str(body.get('target')))}"
                name = f"{target} by {body.get('actor')}: {body.get('why')}"
                rows.append(HistoryRow([], record.index, name, time, "revoked"))
        elif body.get("agent") == agent:
            hashes.add(body["hash"])
            if body.get("kind", "standing") == "standing":
                stored = find_chain(reader, tenant, body["hash"])
                changes: list[str] = []
                name = shorten_hash(body["hash"])
                if stored is not None:
                    link = stored.links[0]
                    issued = load_manifest_of(reader, tenant, body)
                    found = diff_passports(before, link, facts, body, (manifest, issued))
                    changes = [item.text() for item in found]
                    name += f" until {format_utc_minute(link.expires_at_s)}"
                    before, facts, manifest = link, body, issued
                rows.append(HistoryRow(changes, record.index, name, time, body.get("origin", "derived")))
    return rows


@dataclass(frozen=True, slots=True)
class IssuedPassport(View):
    """A passport as it was or would be issued, and how it differs from the one before."""

    link: Link
    before: Link | None
    changes: tuple[Change, ...]
    by_hand: bool = False
    """Whether a person issued the one before, instead of a process deriving it from code."""

    def describe_changes(self) -> list[str]:
        """Each difference on a line, for the record."""
        return [item.text() for item in self.changes]

    def to_json(self) -> dict[str, Any]:
        """For programs."""
        return {
            **select_fields(self.link, "agent", "expires_at_s", "hash"),
            "changes": [change._asdict() for change in self.changes],
            "replaces": self.before.hash if self.before is not None else "",
        }

    def list_widenings(self) -> tuple[Change, ...]:
        """Changes that allow more than the one before; a new grant counts only if a person issued the one before."""
        return tuple(item for item in self.changes if item.is_wider() and (self.by_hand or item.sign != "+"))


def plan(
    url: str, manifest: Manifest, agent: str, now_us: int, *, spare: bool = False
) -> tuple[PassportSpec, IssuedPassport]:
    """The passport that would be issued for an agent, unsigned.

    Args:
        url: URL of the store.
        manifest: the manifest that declares the agent.
        agent: id of the agent.
        now_us: the time, microseconds since the epoch.
        spare: whether budgets that nothing spends are only noted, not refused.

    Raises:
        ConfigError: the manifest does not fit what is registered, or the agent is revoked.
    """
    wanted = manifest.build_passport_spec(agent, load_catalogue(url, manifest.tenant), allow_unspent=spare)
    stored, revoked, in_force = _load_current(url, manifest.tenant, agent)
    link = _build_unsigned_link(wanted, now_us // SECOND_US)
    refuse_revoked(link, [item for item in revoked if item.scope in ("agent", "tenant")])
    before = stored.links[0] if stored is not None else None
    facts = stored.entry.body if stored is not None and stored.entry is not None else {}
    changes = tuple(diff_passports(before, link, facts, wanted.facts, (in_force, manifest)))
    return wanted, IssuedPassport(link, before, changes, by_hand=facts.get("origin", "derived") != "derived")


def _load_current(url: str, tenant: str, agent: str) -> tuple[StoredChain | None, list[Revocation], Manifest | None]:
    """An agent's passport, what is revoked, and the manifest that the passport was issued from."""
    with open_reader_if_any(url) as reader:
        if reader is None:
            return None, [], None
        stored = load_current_passport(reader, tenant, agent)
        body = stored.entry.body if stored is not None and stored.entry is not None else {}
        return stored, list_revocations(reader, tenant), load_manifest_of(reader, tenant, body)


def _build_unsigned_link(wanted: PassportSpec, now_s: int) -> Link:
    return Link(
        hash="",
        kind=LinkKind.STANDING,
        issuer="",
        key_id="",
        jti="",
        audience=(),
        issued_at_s=now_s,
        not_before_s=now_s,
        expires_at_s=now_s + wanted.lifetime_s,
        txn="",
        holder_key=b"",
        depth=0,
        max_depth=MAX_DEPTH,
        epoch=1,
        budgets=wanted.ceilings,
        **select_fields(
            wanted, "principal", "agent", "tenant", "grants", "labels", "hand_off_to", "owner", "quotas", "terms"
        ),
    )


@dataclass(frozen=True, slots=True)
class PreparedGrants:
    """The manifest as it would be written, and the passports that would be issued from it."""

    path: Path
    manifest: Manifest
    planned: tuple[tuple[PassportSpec, IssuedPassport], ...]


def prepare_grants(url: str, home: Path, tenant: str, proposed: list[ProposedGrants], now_us: int) -> PreparedGrants:
    """Make the manifest with these grants, and plan the passports that would be issued from it; nothing is written.

    The manifest is the file that `halo passport issue` would read; where there is none, a new one in the home.

    Raises:
        ConfigError: the manifest there cannot be read or edited.
    """
    try:
        path = find_manifest(home, None)
        text = read_manifest_text(path)
    except ConfigError as exc:
        if exc.code != "no_manifest" or (home / MANIFEST).exists():
            raise
        path, text = home / MANIFEST, ""
    for item in proposed:
        text = replace_grants(text, item.proposal.agent, item.grants, tenant=tenant, source=path.name)
    manifest = load_manifest(text, source=path.name)
    if manifest.tenant != tenant:
        raise ConfigError(
            "which_tenant", f"`{path}` is of tenant `{manifest.tenant[:64]}`", field="tenant", remedy=f"name {tenant}"
        )
    # The budget of a tool that is removed may stay in the manifest, which is only noted (`spare`).
    planned = [plan(url, manifest, item.proposal.agent, now_us, spare=True) for item in proposed]
    return PreparedGrants(path, manifest, tuple(planned))


def note_unenrolled_approvers(home: Path, wanted: PassportSpec, now_us: int) -> list[str]:
    """A note if the manifest names approvers who are not enrolled, whose answers would not be accepted."""
    enrolled = [name for name, _ in Authorities(home).load(wanted.tenant).approver_keys(now_us).values()]
    unenrolled = [
        name
        for name in wanted.facts.get("approvers", ())
        if not any(same_person(name, approver) for approver in enrolled)
    ]
    if not unenrolled:
        return []
    return [
        f"not enrolled, so their answers are not accepted: {', '.join(unenrolled)} (run `halo approver enrol NAME`)"
    ]
