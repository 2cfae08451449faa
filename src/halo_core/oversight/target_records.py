"""What a session's record says of a question's targets: the untrusted text with each, and other trusted values.

An approver who sees an account and "from a mail" cannot judge it. These two show the sentence in which it stands, and
the account that a trusted lookup of the same session gave for the same name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from halo_core.content.personal_data import mask_card_numbers
from halo_core.content.redaction import Redactor
from halo_core.errors import HaloError
from halo_core.model import AccessRequest, ActionKind, EntryKind, LedgerEntry, Provenance
from halo_core.oversight.arguments import ArgumentView
from halo_core.oversight.signed_entries import Opener
from halo_core.quick_dataclass import dataclass
from halo_core.store.reader import Reader, read_entries
from halo_core.values.facts.answer_scope import identify_values
from halo_core.values.provenance.forms import find_forms
from halo_core.values.provenance.result_origins import TRUST_FLOOR

_BEFORE: Final = 160  # characters of a quote
_AFTER: Final = 80
_MAX_VALUE: Final = 200
_MAX_READ: Final = 200_000  # characters of one result
_MAX_OTHERS: Final = 3
_COMPARED: Final = frozenset({"iban", "digits", "joint", "email"})
_NAME: Final = re.compile(r"[^\W_][\w.&-]*[^\W_]")
_BETWEEN: Final = r"[\s.\-]*"


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """What the record says of one target.

    Args:
        argument: name of the argument.
        source: the tool whose result it is.
        text: the excerpt around the target; or another value of the target's kind.
        party: empty for an excerpt; else the name of the user's request that the trusted result has as well.
    """

    argument: str
    source: str
    text: str
    party: str = ""


@dataclass(frozen=True, slots=True)
class _Result:
    source: str
    text: str
    arguments: str
    is_trusted: bool


def find_target_records(
    reader: Reader,
    tenant: str,
    session: str,
    *,
    until_us: int,
    arguments: Iterable[ArgumentView],
    asked: str,
    opener: Opener,
    reveal: bool,
) -> tuple[TargetRecord, ...]:
    """Quotes of untrusted results that contain a target, and values that trusted results give for the same party.

    Args:
        reader: the store.
        tenant: owner of the log.
        session: reference of the session.
        until_us: time of the decision, microseconds since the epoch; later results are left out.
        arguments: those of the call.
        asked: what the user asked.
        opener: opens sealed content; without the key nothing is found.
        reveal: whether to mask nothing around a target.
    """
    targets = [item for item in arguments if item.is_target and not item.is_amount and _is_untrusted(item)]
    if not targets:
        return ()
    results = list(_iterate_results(reader, tenant, session, until_us, opener))
    names = _list_names(asked)
    records: list[TargetRecord] = []
    for item in targets:
        records += _quote(item, results, reveal=reveal)[:1]
        records += list(_list_others(item, results, names))[:_MAX_OTHERS]
    return tuple(records)


def _is_untrusted(item: ArgumentView) -> bool:
    return item.origin in (Provenance.UNTRUSTED, Provenance.MIXED)


def _iterate_results(reader: Reader, tenant: str, session: str, until_us: int, opener: Opener) -> Iterator[_Result]:
    decisions: dict[tuple[str, int], LedgerEntry] = {}
    for logged in read_entries(reader, tenant, (EntryKind.DECISION, EntryKind.OUTCOME), session):
        entry = logged.entry
        if entry.ts_us > until_us:
            return
        if entry.kind is EntryKind.DECISION:
            decisions[entry.writer, entry.seq] = entry
        elif "output" in entry.content:
            try:
                place = entry.body["decision"]
                decision = decisions[str(place["w"]), int(place["ws"])]
                resource = AccessRequest.from_plain(decision.body["request"], {}).resource
                if resource.kind is ActionKind.INFERENCE:
                    continue  # what a model wrote is the call's own way here, and no source of its values
                data, args = opener(entry, "output"), opener(decision, "args")
            except (HaloError, KeyError, TypeError, ValueError):
                continue  # `halo verify` reports what is wrong with it
            if data is not None:
                text = data.decode("utf-8", "replace")[:_MAX_READ]
                known = (args or b"").decode("utf-8", "replace")[:_MAX_READ]
                origin = str(entry.body.get("origin", ""))
                trusted = origin != Provenance.UNTRUSTED and (resource.source_trust or 0) >= TRUST_FLOOR
                yield _Result(resource.id, text, known, trusted)


def _quote(item: ArgumentView, results: Iterable[_Result], *, reveal: bool) -> list[TargetRecord]:
    """The places of the untrusted results where a target stands, in any spacing."""
    letters = [letter for letter in item.value[:_MAX_VALUE] if not letter.isspace()]
    if not letters:
        return []
    pattern = re.compile(_BETWEEN.join(map(re.escape, letters)), re.IGNORECASE)
    mask = str if reveal else Redactor.for_views().mask
    quotes = []
    for result in results:
        found = None if result.is_trusted else pattern.search(result.text)
        if found is not None:
            start, end = max(found.start() - _BEFORE, 0), min(found.end() + _AFTER, len(result.text))
            before, after = result.text[start : found.start()], result.text[found.end() : end]
            text = (
                f"{'…' if start else ''}{mask(before)}{item.value}{mask(after)}{'…' if end < len(result.text) else ''}"
            )
            quotes.append(TargetRecord(item.name, result.source, text))
    return quotes


def _list_names(asked: str) -> list[str]:
    """Names and numbers of the user's request, by which a trusted result is about the same party."""
    words = _NAME.findall(asked)
    return list(dict.fromkeys(word for word in words[1:] if any(char.isdigit() or char.isupper() for char in word)))


def _list_others(item: ArgumentView, results: Iterable[_Result], names: Iterable[str]) -> Iterator[TargetRecord]:
    """Other values of the target's kind in trusted results which have a name of the user's request."""
    own = {tuple(value.split(":", 1)) for value in identify_values(item.value)}
    domains = {domain for domain, _ in own} & _COMPARED
    seen: set[str] = set()
    for result in results if domains else ():
        words = set(_NAME.findall(f"{result.arguments} {result.text}")) if result.is_trusted else set()
        party = next((name for name in names if name in words), "")
        if not party:
            continue
        for form in sorted(find_forms(result.text, amounts=False)):
            if form.domain in domains and tuple(form) not in own and form.text not in seen:
                seen.add(form.text)
                yield TargetRecord(item.name, result.source, mask_card_numbers(form.text), party)
