"""Room: fitting a baseline from the log, and putting a score in force. Takes: a reader, a store. Gives: a score.

The log holds what a session's profile was made of: requests, arguments, results. Sessions that an analyst called an
attack are left out; those that were called ordinary count like any other. Never: decides.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any, Final

from halo_core import canonical
from halo_core.behaviour.adapt import own_margins, suited
from halo_core.behaviour.baseline import Baseline, fit
from halo_core.behaviour.circumstances import Circumstances, Usual, circumstances_of, usual_of
from halo_core.behaviour.features import features
from halo_core.behaviour.look import Look, look_at
from halo_core.behaviour.model import Model
from halo_core.behaviour.profile import Act, Profile
from halo_core.behaviour.scoring import Terms
from halo_core.errors import BadInput, ConfigError
from halo_core.identities.book import Book
from halo_core.model import AccessRequest, ActionKind, Decision, Entry, EntryKind, Impact
from halo_core.query import Contents, entries, verdict_of
from halo_core.store import Draft, Tx, rows
from halo_core.store.reader import Reader
from halo_core.watching import BASELINE_DOMAIN, MODEL_DOMAIN, TERMS_DOMAIN, USUAL_DOMAIN

__all__ = [
    "IDENTITIES",
    "Fitted",
    "Lived",
    "drop",
    "fitted",
    "identities_in_force",
    "identities_name",
    "lived",
    "put_identities",
    "put_in_force",
    "shipped_model",
]

IDENTITIES: Final = "\tidentities"
"""Where the baseline of people and service accounts stands among those of agents, whose names are printable."""

_KINDS: Final = (EntryKind.DECISION, EntryKind.OUTCOME, EntryKind.FEEDBACK)
_ACTS: Final = (ActionKind.TOOL_CALL.value, ActionKind.RETRIEVAL.value)
_FOLDS: Final = 5
_ELEVATED: Final = 50  # thousandths of ordinary sessions
_HIGH: Final = 10


@dataclass(slots=True)
class Lived:
    """One session as the log has it: the looks of its actions in order, with the profile's sums left to be made.

    `at` are their circumstances, of each or, where none are known, of none.
    """

    session: str
    looks: list[Look] = field(default_factory=list)
    at: list[Circumstances] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Fitted:
    """A score, ready to be put in force."""

    terms: Terms
    baseline: Baseline
    model: Model
    usual: Usual = field(default_factory=Usual)


def lived(
    reader: Reader, contents: Contents, tenant: str, agents: Iterable[str], key: bytes, *, note: Callable[[], None]
) -> list[Lived]:
    """Sessions in which one of these agents acted, without those that were called an attack.

    Args:
        reader: the store.
        contents: opens what is sealed.
        tenant: whose log.
        agents: whose actions count.
        key: of the tenant's fingerprints.
        note: called for each entry, for whoever shows progress.
    """
    wanted = frozenset(agents)
    bad: set[str] = set()
    found: dict[str, _Session] = {}
    for item in entries(reader, tenant, _KINDS):
        note()
        entry = item.entry
        if entry.kind is EntryKind.FEEDBACK:
            verdict = verdict_of(entry)
            if verdict and verdict["session"]:  # of a person it has none: `flagging` heeds what was said of that
                (bad.add if verdict["attack"] else bad.discard)(verdict["session"])
        elif entry.session:
            found.setdefault(entry.session, _Session(key)).take(entry, contents, wanted)
    return [
        Lived(name, session.looks, session.at) for name, session in found.items() if session.looks and name not in bad
    ]


class _Session:
    """A session's profile, made again from its entries."""

    def __init__(self, key: bytes) -> None:
        self._profile = Profile(key[:64])
        self._said: set[bytes] = set()
        self._open: dict[tuple[str, int], tuple[str, bool, int]] = {}
        self._refused = 0
        self.looks: list[Look] = []
        self.at: list[Circumstances] = []

    def take(self, entry: Entry, contents: Contents, wanted: frozenset[str]) -> None:
        """One entry, in log order."""
        if entry.kind is EntryKind.OUTCOME:
            self._outcome(entry, contents)
            return
        before = entry.body["snapshot"].get("refused", self._refused)
        self._refused = before + Decision.from_plain(entry.body["decision"]).refused
        request = entry.body["request"]
        for name in ("request", "trigger"):
            if name == "request" or request["context"]["trigger"]["kind"] == "user":
                self._asked(contents.open(entry, name))
        if request["kind"] not in _ACTS or request["problem"]:
            return
        sealed = contents.open(entry, "args")
        if sealed is None:
            return  # erased
        args: Mapping[str, Any] = canonical.from_plain(canonical.loads(sealed))
        resource = request["resource"]
        look = look_at(
            self._profile, Act(resource["id"], ActionKind(request["kind"]), Impact(resource["impact"]), args)
        )
        if request["subject"]["agent"] in wanted and entry.body["dispatched"]:
            self.looks.append(look)
            time_us = entry.body["snapshot"]["time_us"]
            self.at.append(circumstances_of(AccessRequest.from_plain(request, args), time_us, before))
        self._open[entry.writer, entry.seq] = (resource["id"], look.named, self._profile.steps)
        self._profile.acted(look.tool, look.made, acts=not look.reads, sums=self._profile.sums)

    def _asked(self, text: bytes | None) -> None:
        if text and text not in self._said:
            self._said.add(text)
            self._profile.asked(text.decode("utf-8", "replace"))

    def _outcome(self, entry: Entry, contents: Contents) -> None:
        place = (entry.body["decision"]["w"], entry.body["decision"]["ws"])
        tool, named, _ = self._open.pop(place, ("", False, 0))
        output = contents.open(entry, "output") if tool else None
        if output:
            self._profile.observe(tool, output.decode("utf-8", "replace"), named=named)


def fitted(
    sessions: Sequence[Lived], model: Model, key: bytes, judge: Callable[[Lived], Model] | None = None
) -> Fitted:
    """A baseline of these sessions, and the limits that suit them.

    The highest margin of each session is taken against a baseline without its own task, so that no limit is set by what
    a session knows of itself.

    Args:
        sessions: ordinary ones.
        model: that will score.
        key: of the tenant's fingerprints.
        judge: the model that says how far a session goes for the limits; one that never saw it, where `model` did.
    """
    key = key[:64]
    baseline, usual = fit([item.looks for item in sessions], key), usual_of(item.at for item in sessions)
    tasks = sorted({item.looks[0].request for item in sessions})
    fold_of = {task: i % _FOLDS for i, task in enumerate(tasks)}
    highest: list[int] = []
    for fold in range(min(_FOLDS, len(tasks))):
        out = [item for item in sessions if fold_of[item.looks[0].request] == fold]
        rest = [item for item in sessions if fold_of[item.looks[0].request] != fold]
        known, around = fit([item.looks for item in rest], key), usual_of(item.at for item in rest)
        highest += [max(_margins(item, known, around, judge(item) if judge else model, key)) for item in out]
    own = own_margins(highest)
    elevated = suited(own, model.usual, _ELEVATED)
    high = max(suited(own, model.usual, _HIGH), elevated)
    terms = Terms(
        canonical.digest(MODEL_DOMAIN, model.to_bytes()),
        canonical.digest(BASELINE_DOMAIN, baseline.to_bytes()),
        elevated,
        high,
        (model.risk_of(elevated), model.risk_of(high)),
        baseline.sessions,
        baseline.tasks,
        canonical.digest(USUAL_DOMAIN, usual.to_bytes()) if usual.sessions else "",
    )
    return Fitted(terms, baseline, model, usual)


def _margins(item: Lived, baseline: Baseline, usual: Usual, model: Model, key: bytes) -> Iterator[int]:
    sums = Profile(key).sums
    for look, at in zip_longest(item.looks, item.at):
        measured = features(look, baseline, sums, key)
        sums = measured.sums
        strange = sum(one.weight for one in usual.strange(at)) if at else 0
        yield model.margin(measured.values) + strange * model.sixteenth


def put_in_force(tx: Tx, agent: str, found: Fitted, by: str) -> str:
    """Put a score in force for an agent, from its next decision on; its name."""
    parts = (
        (MODEL_DOMAIN, found.model.to_bytes()),
        (BASELINE_DOMAIN, found.baseline.to_bytes()),
        *([(USUAL_DOMAIN, found.usual.to_bytes())] if found.terms.usual else []),
        (TERMS_DOMAIN, found.terms.to_bytes()),
    )
    names = [canonical.digest(domain, data) for domain, data in parts]
    for name, (_, data) in zip(names, parts, strict=True):
        if tx.put_blob(name, data):
            tx.append(Draft(EntryKind.BASELINE, "", {"agent": "", "hash": name, "part": True}))
    facts = {"risks": list(found.terms.risks), "sessions": found.terms.sessions}
    body = {"agent": agent, "by": by, "hash": names[-1], "part": False, "tasks": found.terms.tasks, **facts}
    tx.append(Draft(EntryKind.BASELINE, "", body))
    rows.Baselines(tx).put(agent, names[-1])
    return names[-1]


def put_identities(tx: Tx, book: Book, by: str, sources: Sequence[str], left_out: int = 0) -> str:
    """Put a tenant's baseline of people and service accounts in force; its name.

    Args:
        tx: the transaction.
        book: it.
        by: who does it.
        sources: SHA-256 of each file that was imported for it now.
        left_out: events of those files that it was not made of, since their days were judged an attack.
    """
    data = book.to_bytes()
    name = canonical.digest(BASELINE_DOMAIN, data)
    tx.put_blob(name, data)
    made_of = {"left_out": left_out, "sources": list(sources)}
    facts = {"events": book.events, "identities": len(book.habits), **made_of}
    risks = [book.limits.elevated, book.limits.high]
    body = {"agent": IDENTITIES, "by": by, "hash": name, "part": False, "risks": risks, **facts}
    tx.append(Draft(EntryKind.BASELINE, "", body))
    rows.Baselines(tx).put(IDENTITIES, name)
    return name


def identities_name(reader: Reader, tenant: str) -> str:
    """Hash of a tenant's baseline of people and service accounts, empty where there is none."""
    return next((row[2] for row in reader.baselines() if row[:2] == (tenant, IDENTITIES)), "")


def identities_in_force(reader: Reader, tenant: str) -> Book | None:
    """A tenant's baseline of people and service accounts, None where there is none.

    Raises:
        BadInput: it is not what was put in force.
    """
    name = identities_name(reader, tenant)
    if not name:
        return None
    data = reader.blob(tenant, name)
    if data is None or canonical.digest(BASELINE_DOMAIN, data) != name:
        remedy = "`halo verify` says what was changed; then import the events again"
        raise BadInput("bad_baseline", "it is not what was put in force", field="baseline", remedy=remedy)
    return Book.from_bytes(data)


def drop(tx: Tx, agent: str, by: str) -> bool:
    """Take an agent's score out of force; False where there was none."""
    if not rows.Baselines(tx).get(agent):
        return False
    tx.append(Draft(EntryKind.BASELINE, "", {"agent": agent, "by": by, "part": False}))
    rows.Baselines(tx).put(agent, "")
    return True


def shipped_model() -> Model:
    """The model that comes with Halo.

    Raises:
        ConfigError: it is missing from this installation.
        BadInput: it is not a model of this version.
    """
    from importlib import resources  # noqa: PLC0415  only whoever fits reads it

    path = resources.files("halo_core.behaviour") / "model.bin"
    if not path.is_file():
        raise ConfigError("no_model", "this installation has no behaviour model", remedy="install halo-agents again")
    return Model.from_packed(path.read_bytes())
