"""What the log holds about a subject: a customer, an account, an address, a person.

Contents are sealed and no table names a subject, so a search opens every content of the period with the home's key and
looks for the subject in it. No index is written, neither when an action is decided nor when somebody asks.
docs/adr/0049 says why.

    pattern = SubjectPattern("DE89 3704 0044 0532 0130 00")
    for hit in find_entries(log, contents, [pattern], period, counts): ...
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import orjson
import re2

from halo_core.content.redaction import Redactor
from halo_core.crypto.keys import Digester, KeyStore
from halo_core.errors import ConfigError, Tampered
from halo_core.evidence.answers import END_US, Answer, Period, Verdict, format_moment
from halo_core.evidence.audit_log import AuditLog, DecisionFilter
from halo_core.ledger.sealed_content import split_boxes
from halo_core.model import EntryKind, format_entry_id
from halo_core.model.ledger_entry import read_content_names
from halo_core.reasons import get_reason_text
from halo_core.references import is_reference
from halo_core.store.reader import Reader, SealedContents

MAX_ROWS: Final = 2_000
"""Most decisions that an answer explains; if there are more, it explains the first ones and says so."""
_MIN_CHARACTERS: Final = 3
_MAX_CHARACTERS: Final = 200
_MANY_DIGITS: Final = 6
_NO_WORD: Final = r"[^\p{L}\p{N}]"
_ESCAPES: Final = re.compile(rb'\\[nrtbf"/\\]')
_ATTACHED: Final = re.compile(rb'\{(?:"assurance":"[a-z]*",)?"attached":"([A-Za-z0-9+/=]{44})",')


class SubjectPattern:
    """Recognises one subject in texts, as a whole, ignoring case and separators.

    `C-1003` is in `"id": "c-1003"` and in `C 1003`, and neither in `C-10034` nor in `C-1003-2`. In a subject of six or
    more digits, blanks, dots and dashes between them are ignored. A mail address matches only as a whole.

    Args:
        subject: the subject as somebody would write it.

    Raises:
        ConfigError: `bad_subject`, it has fewer than three letters and digits, or more than 200 characters.
    """

    def __init__(self, subject: str) -> None:
        text = unicodedata.normalize("NFKC", subject).strip()
        if sum(map(str.isalnum, text)) < _MIN_CHARACTERS or len(text) > _MAX_CHARACTERS:
            problem = (
                f"a subject has at least {_MIN_CHARACTERS} letters or digits, and {_MAX_CHARACTERS} characters at most"
            )
            raise ConfigError("bad_subject", problem, field="subject", remedy="give the whole id, account or address")
        if "@" in text:
            before, after = r"(?:^|[^\p{L}\p{N}.+_\-])", rf"(?:$|[^\p{{L}}\p{{N}}.\-]|\.(?:$|{_NO_WORD}))"
            body = re2.escape(text)
        else:
            before, after = rf"(?:^|{_NO_WORD})", rf"(?:$|[^\p{{L}}\p{{N}}_\-]|[_\-](?:$|{_NO_WORD}))"
            body = _allow_separators(text)
        options = re2.Options()
        options.log_errors = False
        self._search = re2.compile(f"(?i){before}{body}{after}".encode(), options).search

    def is_in(self, data: bytes) -> bool:
        """Whether the subject is in a text (UTF-8), in JSON too."""
        if not data.isascii():
            data = unicodedata.normalize("NFKC", data.decode("utf-8", "replace")).encode()
        if self._search(data) is not None:
            return True
        # In JSON a line break before the subject looks like a letter.
        return b"\\" in data and self._search(_ESCAPES.sub(b" ", data)) is not None


def _allow_separators(text: str) -> str:
    """A pattern of letters and digits with what may stand between them."""
    between = r"[\s.\-]{0,2}" if sum(map(str.isdigit, text)) >= _MANY_DIGITS else ""
    parts: list[str] = []
    gap = ""
    for character in text:
        if character.isalnum():
            parts.append((gap or (between if parts else "")) + re2.escape(character))
            gap = ""
        elif character.isspace() or character in "-._/":
            gap = r"[\s.\-_/]*"
        else:
            parts.append(gap + re2.escape(character))
            gap = ""
    return "".join(parts)


def make_patterns(subject: str, keys: KeyStore) -> list[SubjectPattern]:
    """Patterns of a subject and, if it is a secret such as a card number, of what replaces it.

    Raises:
        ConfigError: `bad_subject`.
    """
    patterns = [SubjectPattern(subject)]
    if "digest" in keys.names():
        sealed = Redactor(Digester(keys.secret("digest"))).seal_text(subject)
        patterns += [SubjectPattern(sealed)] if sealed != subject and len(sealed) <= _MAX_CHARACTERS else []
    return patterns


class Hit(NamedTuple):
    """An entry whose sealed content names a subject, and the fields that do.

    Args:
        position: position of the entry in the log.
        id: id of the entry.
        kind: kind of the entry.
        session: reference of its session.
        fields: names of the sealed fields; of arguments `args` and a JSON pointer for each.
        body: body as stored.
    """

    position: int
    id: str
    kind: str
    session: str
    fields: tuple[str, ...]
    body: Mapping[str, Any]


@dataclass(slots=True)
class SearchCounts:
    """How many entries with sealed content were searched, and how many of them could not be opened completely.

    `others` are entries that name it and are neither a decision nor an outcome.
    """

    searched: int = 0
    unopened: int = 0
    others: int = 0


def find_entries(
    log: AuditLog,
    contents: SealedContents,
    patterns: Sequence[SubjectPattern],
    period: Period,
    counts: SearchCounts,
) -> Iterator[Hit]:
    """Entries of a period whose sealed content names a subject, in log order; memory does not grow with the log.

    Raises:
        Tampered: content is not what its entry committed to.
    """
    times = (period.from_us, period.to_us)
    for span in log.verified.iter_spans(*times):
        for row in log.reader.sealed_rows(log.tenant, span, times):
            counts.searched += 1
            attached = _read_attached(row.position, bytes(row.text))
            fields = contents.open_stored(log.tenant, attached, bytes(row.sealed), row.marks)
            field_names = tuple(name for name in fields if any(pattern.is_in(fields[name]) for pattern in patterns))
            # A box opens whole or not at all, and most entries have one.
            if not field_names and fields and len(split_boxes(bytes(row.sealed))) == 1:
                continue
            tree = orjson.loads(bytes(row.text))
            counts.unopened += len(fields) < len(read_content_names(tree))
            if field_names:
                places = tuple(_locate(fields, field_names, patterns))
                yield Hit(
                    row.position, format_entry_id(row.writer, row.seq), row.kind, row.session, places, tree["body"]
                )


def _read_attached(index: int, text: bytes) -> str:
    match = _ATTACHED.match(text)
    try:
        return match[1].decode() if match is not None else str(orjson.loads(text)["attached"])
    except (KeyError, ValueError) as exc:
        raise Tampered("malformed_entry", f"the entry at position {index} seals something and does not say so") from exc


def _locate(
    fields: Mapping[str, bytes], field_names: Sequence[str], patterns: Sequence[SubjectPattern]
) -> Iterator[str]:
    """The names of the fields, with a JSON pointer for each place in arguments."""
    for name in field_names:
        if name != "args":
            yield name
            continue
        try:
            tree = orjson.loads(fields[name])
        except ValueError:
            yield name
            continue
        places = [where for where, text in _iter_leaves(tree, "") if any(item.is_in(text) for item in patterns)]
        yield from (f"args {where}" for where in places or [""])


def _iter_leaves(tree: Any, where: str) -> Iterator[tuple[str, bytes]]:
    if isinstance(tree, Mapping):
        for name, value in tree.items():
            yield from _iter_leaves(value, f"{where}/{name}")
    elif isinstance(tree, list):
        for number, value in enumerate(tree):
            yield from _iter_leaves(value, f"{where}/{number}")
    else:
        yield where, str(tree).encode("utf-8", "replace")


_COLUMNS: Final = (
    *("time", "agent", "for", "action", "effect", "ran", "named_in", "why", "sources", "human", "outcome", "id"),
)


def answer_explain_subject(
    log: AuditLog, period: Period, *, subject: str, contents: SealedContents, named: Sequence[str] = ()
) -> Answer:
    """Everything that led to decisions that named a subject, in plain words, in the order of the log.

    A decision counts if its arguments, the message that asked for it or the person's words name the subject, if the
    action's result does, or if the subject is the person for whom the agent acted.

    Args:
        log: the tenant's audit log.
        period: period of the decisions.
        subject: a value, a person's name, or a person's reference.
        contents: opens what is sealed.
        named: other names of the subject, such as its account.
    """
    claim = "every decision of the period that names the subject is listed"
    if log.home is None or not contents.is_available:
        problem = "contents are sealed, and this home has no key of them"
        return log.cannot_tell(period, problem, claim=claim)
    counts = SearchCounts()
    places = find_decisions(log, period, (subject, *named), contents, counts)
    statuses = {
        item.decision: item.status
        for item in log.outcomes(Period(period.from_us, END_US))
        if places and item.decision in places
    }
    rows = [
        _explain(log, item.index, tuple(dict.fromkeys(places[item.id])), statuses.get(item.id, ""))
        for item, _ in zip(log.decisions(DecisionFilter(period, ids=frozenset(places))), range(MAX_ROWS), strict=False)
    ]
    findings = []
    if counts.unopened:
        findings.append(f"of {counts.unopened} entries not all contents can be opened (erased): they may name it too")
    if len(places) > MAX_ROWS:
        findings.append(f"only the first {MAX_ROWS} of {len(places)} are explained: ask for a shorter period")
    if not places and not counts.others:
        findings.append(
            "nothing in the period names it: it never occurred, or is written otherwise here; try another form of it"
        )
    return log.conclude(
        period,
        counted=len(places),
        what="decisions that name the subject",
        claim=claim,
        verdict=Verdict.CANNOT_TELL if findings else None,
        findings=findings,
        columns=_COLUMNS,
        rows=rows,
        notes=(
            f"{counts.searched} entries with sealed content were searched; {counts.others} others name it",
            "a value is recognised whole, whatever its case and separators; other spellings of it are not",
            "an act that has only another name of it, such as a payment to its account, is found by `--named`",
        ),
    )


def refer_subject(reader: Reader, tenant: str, subject: str) -> str:
    """The keyed reference of a subject: of a person the one that entries hold; empty if the store has no key for it.

    A value may have the form of a reference by chance, as some accounts do, so a reference is one that is in use.
    """
    if is_reference(subject) and reader.vault(tenant, subject) is not None:
        return subject
    names = reader.names
    return names.refer_person(subject) if names is not None and names.has_references else ""


def find_decisions(
    log: AuditLog, period: Period, names: Sequence[str], contents: SealedContents, counts: SearchCounts
) -> dict[str, list[str]]:
    """Ids of decisions that name a subject, or were made for that person, with the places where they name it.

    The first of the names is the subject. The keys serve as `ids` of a `DecisionFilter`, so that other questions can be
    asked of a subject.
    """
    subject, *others = names
    places: dict[str, list[str]] = {}
    person = refer_subject(log.reader, log.tenant, subject)
    searched = [*([subject] if not subject or person != subject else []), *others]  # a reference is in no content
    if log.home is not None and searched:
        keys = KeyStore(log.home)
        patterns = [pattern for name in searched for pattern in make_patterns(name, keys)]
        for hit in find_entries(log, contents, patterns, period, counts):
            decision = _find_decision(hit)
            counts.others += not decision
            if decision:
                places.setdefault(decision, []).extend(hit.fields)
    if person and log.reader.vault(log.tenant, person) is not None:
        for item in log.decisions(DecisionFilter(period, user=person)):
            places.setdefault(item.id, []).append("acted for")
    return places


def _find_decision(hit: Hit) -> str:
    """Id of the decision that an entry is, or whose outcome it is; empty for other entries."""
    if hit.kind == EntryKind.DECISION:
        return hit.id
    if hit.kind != EntryKind.OUTCOME:
        return ""
    place = hit.body["decision"]
    if isinstance(place, int):
        return format_entry_id(hit.id.rpartition("-")[0], place)
    return format_entry_id(str(place["w"]), int(place["ws"]))


def _explain(log: AuditLog, index: int, places: Sequence[str], status: str) -> dict[str, Any]:
    """One decision in plain words."""
    note = log.reader.note_at_index(log.tenant, index)
    if note is None:
        raise Tampered("entry_missing", f"the entry at position {index} is missing")
    record = log.reader.read_note(index, note)
    body = record.entry.body
    request, snapshot, decision = body["request"], body["snapshot"], body["decision"]
    reasons = [_describe_reason(item) for item in decision["reasons"]]
    approval = snapshot["approval"]
    is_challenge = decision["effect"] == "challenge"
    human = "" if approval is None else f"{'approved' if approval['granted'] else 'denied'} by {approval['approver']}"
    outcome_text = status or ("no outcome is recorded" if body["dispatched"] else "did not run")
    return {
        "action": f"{request['kind']} `{request['resource']['id']}`",
        "agent": " → ".join(request["subject"]["chain"][bool(request["subject"]["user"]) :]),
        "effect": decision["effect"],
        "for": request["subject"]["user"],
        "human": human or ("a person was asked" if is_challenge else ""),
        "id": record.entry.id,
        "named_in": list(places),
        "outcome": outcome_text,
        "ran": body["dispatched"],
        "sources": _describe_sources(snapshot),
        "time": format_moment(record.entry.ts_us),
        "why": reasons,
    }


def _describe_reason(reason: Mapping[str, Any]) -> str:
    title = get_reason_text(str(reason["code"])).title
    source = f" (rule {reason['source']})" if "." in str(reason.get("source", "")) else ""
    return f"{title}{source}"


def _describe_sources(snapshot: Mapping[str, Any]) -> list[str]:
    """Where each argument came from; members of one argument with the same origin and no source share a line."""
    source_names = dict(snapshot.get("sources", ()))
    groups: dict[tuple[str, str, str], list[str]] = {}
    for pointer, origin in snapshot["provenance"]:
        names = ", ".join(source_names.get(pointer, ()))
        argument = pointer if names else "/".join(pointer.split("/")[:2])
        groups.setdefault((argument, origin, names), []).append(pointer)
    return [
        f"{pointers[0] if len(pointers) == 1 else f'{argument}/… ({len(pointers)})'}: {origin}"
        + (f", from {names}" if names else "")
        for (argument, origin, names), pointers in groups.items()
    ]
