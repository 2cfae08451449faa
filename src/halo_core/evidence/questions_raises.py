"""The question which privileges were raised: by passports, declarations, answers and restored grants."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from halo_core.evidence.answers import Answer, Period, format_moment
from halo_core.evidence.audit_log import AuditEntry, AuditLog
from halo_core.evidence.questions_rights import find_asking_agent
from halo_core.model import EntryKind, LinkKind
from halo_core.oversight.signed_entries import load_links
from halo_core.views.declaration_history import DeclarationHistory, StandingPassport
from halo_core.views.manifests import load_manifest_of

_RAISE_COLUMNS: Final = ("time", "agent", "what", "raised", "approved_by", "authn", "entry")
_RAISE_KINDS: Final = (
    *(EntryKind.PASSPORT, EntryKind.APPROVAL, EntryKind.STANDING_ANSWER, EntryKind.GRANTS),
    EntryKind.REGISTRATION,
)


def answer_raises(log: AuditLog, period: Period, *, agent: str = "") -> Answer:
    """Every raise of privilege: wider passports and declarations, re-authorized sessions, remembered answers, grants.

    A finding is a raise that nobody answers for: of a passport that a process made for itself, or of a declaration
    that it took from the code or from a file, without a passport that was issued with it.

    Args:
        log: the tenant's audit log.
        period: when the raise was recorded.
        agent: id of the agent; empty for all.
    """
    rows: list[dict[str, Any]] = []
    findings: list[str] = []
    for raised in _list_raises(log, Period(0, period.to_us)):
        entry = raised.entry
        if not period.contains(entry.ts_us) or agent not in ("", *raised.agents):
            continue
        by, authn = log.name_of(str(entry.body.get("actor", ""))), str(entry.body.get("authn", ""))
        if raised.is_self_made:
            made = f"{raised.what} of {format_moment(entry.ts_us) or '-'}"
            findings.append(f"{raised.names or '?'}: {made} was made by its own process, {by or '?'}")
        rows.append(
            {
                "agent": raised.names,
                "approved_by": "" if raised.is_self_made else by,
                "authn": authn,
                "entry": entry.id,
                "raised": list(raised.raised),
                "time": format_moment(entry.ts_us) or "-",
                "what": raised.what,
            }
        )
    agent_suffix = f" of `{agent}`" if agent else ""
    return log.conclude(
        period,
        counted=len(rows),
        what="raises of privilege",
        claim=f"every raise of privilege{agent_suffix} was made by a person who is named here",
        findings=findings,
        columns=_RAISE_COLUMNS,
        rows=rows,
        notes=("a passport is signed with the issuer's key by the account that is named; see `halo keys report`",),
    )


@dataclass(slots=True)
class _Raise:
    entry: AuditEntry
    agents: tuple[str, ...]
    what: str
    raised: tuple[str, ...] = ()
    is_self_made: bool = False

    @property
    def names(self) -> str:
        """The agents whose rights were raised."""
        return ", ".join(self.agents)


def _list_raises(log: AuditLog, period: Period) -> list[_Raise]:
    """Raises from the beginning of the log on, since a passport is compared with the one before."""
    history = DeclarationHistory()
    raises: list[_Raise] = []
    # The limits of a new epoch stand in the session link that is made of the answer, later in the log.
    waiting: dict[tuple[str, int], _Raise] = {}
    sessions: set[str] = set()
    for entry in log.entries(_RAISE_KINDS, period):
        body = entry.body
        if entry.kind == EntryKind.PASSPORT and body.get("kind", "standing") == "standing":
            raises += _compare_passport(log, entry, history)
        elif entry.kind == EntryKind.REGISTRATION:
            raises += _compare_registration(entry, history)
        elif entry.kind == EntryKind.PASSPORT and entry.session in sessions:
            _read_new_limits(log, entry, waiting)
        elif entry.kind == EntryKind.APPROVAL:
            if body.get("kind") == "reauthorization" and body.get("answer") == "approve":
                epoch = int(body.get("epoch", 0))
                agent = find_asking_agent(log, str(body["request"]))
                raises.append(_Raise(entry, (agent,), f"session re-authorized, epoch {epoch}"))
                waiting[entry.session, epoch] = raises[-1]
                sessions.add(entry.session)
        elif entry.kind == EntryKind.STANDING_ANSWER and body.get("op") == "grant":
            use = f"`{body.get('resource', '')}` without a question, {body.get('max_uses', '?')} times"
            raises.append(_Raise(entry, (str(body.get("role", "")),), "remembered answer", (use,)))
        elif entry.kind == EntryKind.GRANTS and body.get("op") == "restore":
            raised = tuple(f"+ {kind} {name}" for kind, name in body.get("grants", ()))
            raises.append(_Raise(entry, (str(body.get("agent", "")),), "restored grants", raised))
    return raises


def _compare_passport(log: AuditLog, entry: AuditEntry, history: DeclarationHistory) -> Iterator[_Raise]:
    """The raise that a standing passport is, if it is one."""
    body, agent = entry.body, str(entry.body.get("agent", ""))
    link = load_links(log.reader, log.tenant, [str(body["hash"])])[0]
    before = history.passports.get(agent)
    manifest = load_manifest_of(log.reader, log.tenant, body)
    changes = history.add_passport(agent, StandingPassport(link, body, manifest))
    wider = tuple(item.text() for item in changes if item.is_wider())
    if wider:
        change = "first passport" if before is None else "wider passport"
        yield _Raise(entry, (agent,), change, wider, is_self_made=body.get("origin", "derived") == "derived")


def _compare_registration(entry: AuditEntry, history: DeclarationHistory) -> Iterator[_Raise]:
    """The raise that a registration is, if it makes a declaration milder."""
    found = history.add_registration(entry.body)
    if found is not None:
        wider = tuple(item.text() for item in found.changes)
        yield _Raise(entry, found.agents, f"milder declaration of `{found.resource}`", wider, is_self_made=True)


def _read_new_limits(log: AuditLog, entry: AuditEntry, waiting: dict[tuple[str, int], _Raise]) -> None:
    """Take the limits of an epoch from the session link that begins it."""
    if entry.body.get("kind") != "session":
        return
    link = load_links(log.reader, log.tenant, [str(entry.body["parent"]), str(entry.body["hash"])])[-1]
    raised = waiting.pop((entry.session, link.epoch), None) if link.kind is LinkKind.SESSION else None
    if raised is not None:
        raised.raised = tuple(
            f"{item.unit} up to {item.subtree / 10**item.decimals:,.{item.decimals}f}" for item in link.budgets
        )
