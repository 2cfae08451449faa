"""Plans of erasures: what an erasure of a subject, or a retention that is over, would erase, and what a hold keeps.

A plan is made from the whole log, without a lock, and nothing is written. `oversight.erasure.erase` carries it out.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import orjson

from halo_core.authorities import Authorities
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.durations import DAY_US
from halo_core.errors import BadInput, ConfigError, HaloError
from halo_core.identities.day_alerts import IdentityFingerprints
from halo_core.model import normalize_name
from halo_core.oversight.legal_holds import (
    LegalHold,
    LogScan,
    find_record_class,
    read_governance,
    scan_log,
)
from halo_core.oversight.sealed_boxes import (
    Choose,
    KeyRing,
    NameFinder,
    Selection,
    StoredBox,
    choose_boxes,
    keep_boxes,
    make_hold_finder,
    split_row,
)
from halo_core.passports.approval import peek_approval
from halo_core.passports.standing_answer import peek_standing_answer
from halo_core.quick_dataclass import dataclass
from halo_core.references import References, is_reference
from halo_core.store.content_keys import strip_number
from halo_core.store.sealed_contents import load_home_content_key
from halo_core.store.store import Store

if TYPE_CHECKING:
    from halo_core.store.reader import Reader


SEALED_ROWS: Final = "SELECT w, ws, kind, session, ts_us, sealed FROM entry WHERE tenant=? AND sealed IS NOT NULL"
"""Entries that seal something, in columns as `split_row` takes them."""
KEY_ROWS: Final = "SELECT subject, dek_wrapped, commitment, erased_at_us FROM vault WHERE tenant=?"
"""The data keys, as `KeyRing` takes them."""
_DECISION_ROWS: Final = "SELECT session, body FROM entry WHERE tenant=? AND kind='decision'"
_HOME_FILES: Final = ("*.json", "*.yaml", "policy/*.cedar", "stops/*", "stops/*/*")


@dataclass(frozen=True, slots=True)
class ErasureRequest:
    """The subject whose content is to be erased.

    Args:
        subject: name or reference.
        named: other names of the subject: account, address, number.
        why: the reason, recorded.
        whole_log: whether boxes of other subjects that name this one are erased, too.
    """

    subject: str
    named: tuple[str, ...] = ()
    why: str = ""
    whole_log: bool = True


@dataclass(slots=True)
class ErasurePlan:
    """The effects of an erasure, according to the entries read.

    Args:
        request: the subject whose content it is; an empty subject for a retention.
        reference: reference of the subject; empty for a retention.
        names: references of the subject's further names.
        scan: which entries were read; `erase` reads those that came later.
        subjects: every name by which boxes and key rows refer to the subject, without the number of a key.
        selection: keys and boxes that are erased, and what a hold keeps.
        choose: tells whether a box is erased.
        holds: legal holds in force.
        clear: place (`entries`, `parts` or a file of the home) → how often it names the subject in plain text. These
            mentions stay.
        erased_before: keys of the subject were erased already.
        names_of_held: subject under a hold → its name, see `make_hold_finder`.
        agents: session → agents that decided in it; filled only where an agent is under a hold.
    """

    request: ErasureRequest
    reference: str
    names: tuple[str, ...]
    scan: LogScan
    subjects: frozenset[str]
    selection: Selection
    choose: Choose
    holds: tuple[LegalHold, ...] = ()
    clear: dict[str, int] = field(default_factory=dict)
    erased_before: bool = False
    names_of_held: dict[str, str] = field(default_factory=dict)
    agents: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether anything of the subject exists or existed."""
        return not self.selection.is_empty or self.erased_before or bool(self.clear) or bool(self.selection.held)


def plan_erasure(reader: Reader, store: Store, request: ErasureRequest) -> ErasurePlan:
    """Find everything that names a subject in the whole log; writes nothing.

    Args:
        reader: reads the store, without a lock.
        store: the same store, for its keys, references and holds.
        request: the subject whose content it is.

    Raises:
        BadInput: `reason_names_subject`.
        ConfigError: `bad_subject`, `subject_in_use`, or the home has no content key.
    """
    tenant, keys = store.tenant, KeyStore(store.config.home)
    ring = _open_ring(reader, tenant, keys)
    references, subject = store.references, request.subject
    has_row = any(strip_number(name) == subject for name in ring.rows)
    is_named = not (is_reference(subject) and has_row)  # the subject is given by name, not by reference
    reference = references.of_person(subject) if is_named else subject
    texts = [*([subject] if is_named else []), *request.named]
    finder = NameFinder(map(normalize_name, texts))
    prints = IdentityFingerprints(Digester(keys.secret("digest")), tenant)
    names = tuple(sorted({references.of_person(text) for text in request.named} - {reference}))
    subjects = frozenset({reference, *names, *(f"identity:{prints.fingerprint_of(text)}" for text in texts)})
    _require_reason_without_name(texts, request.why)
    _require_nobody_who_signs(store, reader, {reference, *names})
    governance_scan = scan_log(reader, tenant)
    governance = store.commit(lambda tx: read_governance(tx, governance_scan))
    rows = {name: value for name, value in ring.rows.items() if strip_number(name) in subjects}

    def choose(box: StoredBox, opened: KeyRing) -> bool:
        if strip_number(box.subject) in subjects:
            return True
        return request.whole_log and any(map(finder.matches, opened.open(box).values()))

    plan = ErasurePlan(
        request,
        reference,
        names,
        governance_scan,
        subjects,
        Selection({name for name, (wrapped, _) in rows.items() if wrapped}),
        choose,
        tuple(governance.holds.values()),
        erased_before=any(not wrapped for wrapped, _ in rows.values()),
    )
    _select_boxes(reader, ring, plan)
    plan.clear = _count_clear_names(reader, store.config.home, tenant, finder)
    return plan


def plan_retention(reader: Reader, store: Store, now_us: int) -> tuple[ErasurePlan, dict[str, int]]:
    """Read the log for boxes that are older than the retention schedule of their record class.

    Args:
        reader: reads the store, without a lock.
        store: the same store.
        now_us: the present, microseconds since 1970.

    Returns:
        The plan, and the schedules: record class → days.

    Raises:
        ConfigError: the home has no content key.
    """
    tenant = store.tenant
    ring = _open_ring(reader, tenant, KeyStore(store.config.home))
    scan = scan_log(reader, tenant)
    governance = store.commit(lambda tx: read_governance(tx, scan))
    ends = {name: now_us - days * DAY_US for name, days in governance.keep_days.items()}

    def choose(box: StoredBox, _ring: KeyRing) -> bool:
        return box.ts_us < ends.get(find_record_class(box.kind), 0)

    request = ErasureRequest("")
    holds = tuple(governance.holds.values())
    plan = ErasurePlan(request, "", (), scan, frozenset(), Selection(), choose, holds)
    if ends:
        _select_boxes(reader, ring, plan)
    return plan, governance.keep_days


def _open_ring(reader: Reader, tenant: str, keys: KeyStore) -> KeyRing:
    kek = load_home_content_key(reader, keys)
    if kek is None:
        problem, remedy = "this home has no content key, so no content can be found in it", "use the agents' home"
        raise ConfigError("no_key", problem, field="home", remedy=remedy)
    return KeyRing(kek, tenant, reader.stream(KEY_ROWS, tenant))


def _select_boxes(reader: Reader, ring: KeyRing, plan: ErasurePlan) -> None:
    """Put into the plan which boxes of the whole log are erased, which a hold keeps, and the keys of those that stay.

    The rows are read twice: which subjects lose a box is known at the end of the first time.
    """
    tenant, selection = ring.tenant, plan.selection
    if any(hold.scope == "agent" for hold in plan.holds):
        plan.agents = _read_agents_by_session(
            reader.stream(_DECISION_ROWS, tenant), lambda name: reader.blob(tenant, name)
        )
    plan.names_of_held = _open_names_of_held_subjects(reader, ring, plan.holds, tenant)
    find_hold = make_hold_finder(plan.holds, plan.names_of_held, lambda item: plan.agents.get(item, frozenset()))
    choose_boxes(reader.stream(SEALED_ROWS, tenant), ring, selection, plan.choose, find_hold)
    keep_boxes(reader.stream(SEALED_ROWS, tenant), ring, selection, selection.boxes)


def _open_names_of_held_subjects(
    reader: Reader, ring: KeyRing, holds: Iterable[LegalHold], tenant: str
) -> dict[str, str]:
    names = {}
    for hold in holds:
        stored = reader.attached(tenant, hold.writer, hold.seq) if hold.scope == "subject" else None
        for box in split_row((hold.writer, hold.seq, "", "", 0, stored.sealed)) if stored and stored.sealed else ():
            if strip_number(box.subject) == hold.target and "target" in (fields := ring.open(box)):
                names[hold.target] = fields["target"].decode("utf-8", "replace")
    return names


def _read_agents_by_session(
    rows: Iterable[tuple[Any, ...]], load_part: Callable[[str], bytes | None]
) -> dict[str, frozenset[str]]:
    """Session → the agents that decided in it."""
    agents: dict[str, set[str]] = {}
    frames: dict[str, str] = {}
    for session, text in rows:
        frame = str(orjson.loads(text)["body"].get("frame", ""))
        if frame not in frames:
            name = f"sha256:{base64.b64decode(frame).hex()}"
            part = load_part(name)
            frames[frame] = "" if part is None else str(orjson.loads(part).get("agent", ""))
        agents.setdefault(str(session), set()).add(frames[frame])
    return {session: frozenset(names) for session, names in agents.items()}


def _require_reason_without_name(texts: Sequence[str], why: str) -> None:
    """Refuse a reason that names the subject, since the reason is signed and stays.

    Raises:
        BadInput: `reason_names_subject`.
    """
    if texts and NameFinder(map(normalize_name, texts)).matches_text(why):
        problem = "the reason names the subject, and would stay in a signed entry"
        raise BadInput("reason_names_subject", problem, field="why", remedy="give a reason without the name")


def _require_nobody_who_signs(store: Store, reader: Reader, subjects: set[str]) -> None:
    """Refuse a subject who is enrolled, or of whom a remembered answer is in force.

    Raises:
        ConfigError: `subject_in_use`.
    """
    people = Authorities(store.config.home).load(store.tenant).list_people(store.clock.now_us())
    if subjects.intersection(store.references.of_person(item.name) for item in people.values()):
        problem = "the subject is enrolled, and may answer and sign"
        remedy = "withdraw the person first: `halo approver withdraw` or `halo operator withdraw`"
        raise ConfigError("subject_in_use", problem, field="subject", remedy=remedy)
    statement = "SELECT token FROM standing_answer WHERE tenant=? AND status='active'"
    if any(find_answerer(token, store.references) in subjects for (token,) in reader.stream(statement, store.tenant)):
        problem, remedy = "answers of the subject are remembered", "revoke them first: `halo approvals revoke`"
        raise ConfigError("subject_in_use", problem, field="subject", remedy=remedy)


def find_answerer(token: str, references: References) -> str:
    """Reference of who signed an answer to one call, or one that is remembered; empty if neither can be read."""
    for peek in (peek_approval, peek_standing_answer) if token else ():
        with suppress(HaloError):
            return references.of_person(peek(token).approver)
    return ""


def _count_clear_names(reader: Reader, home: Path, tenant: str, finder: NameFinder) -> dict[str, int]:
    """Count where names stand in plain text, which no erasure changes: signed entries, parts, files of the operator.

    Returns:
        Place (`entries`, `parts`, or the path of a file below the home) → number of mentions.
    """
    counts: dict[str, int] = {}
    if not finder.names:
        return counts

    def count(place: str, data: bytes) -> None:
        if finder.matches(data):
            counts[place] = counts.get(place, 0) + 1

    for (body,) in reader.stream("SELECT body FROM entry WHERE tenant=?", tenant):
        count("entries", bytes(body))
    for (data,) in reader.stream("SELECT bytes FROM blob WHERE tenant=?", tenant):
        count("parts", bytes(data))
    for pattern in _HOME_FILES:
        for path in sorted(home.glob(pattern)):
            if path.is_file():
                count(str(path.relative_to(home)), path.read_bytes())
    return counts
