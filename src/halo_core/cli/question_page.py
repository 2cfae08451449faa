"""The page of a question, as `halo approvals` shows it to an approver.

Text from models and documents is printed behind a bar on each line, so that it cannot pass for a line of the page.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from halo_core.cli.context import StoreContext
from halo_core.cli.rendering import console
from halo_core.clock import SystemClock, format_iso
from halo_core.durations import DAY_S
from halo_core.model import AUTHORITY_ONE, EntryKind, LedgerEntry
from halo_core.oversight.arguments import ArgumentView
from halo_core.oversight.inbox import count_similar_answers, find_answers, find_equal_requests, find_user_words
from halo_core.oversight.remembered import (
    DEFAULT_LIFETIME_S,
    DEFAULT_USES,
    RememberedAnswer,
    RememberTerms,
    asks_for_amount,
    can_be_remembered,
    list_remembered,
)
from halo_core.oversight.requests import ApprovalRequest, RequestReason, Spending, load_request
from halo_core.oversight.target_records import TargetRecord, find_target_records
from halo_core.quick_dataclass import dataclass
from halo_core.views.listed_orders import describe_listed_orders
from halo_core.views.wording import (
    describe_reversal,
    escape_unprintable,
    format_content,
    format_limit,
    format_sum,
)

LABEL_WIDTH: Final = 18
_MAX_LABEL: Final = 28
_MIN_WIDTH: Final = 20
_BAR: Final = "│ "
_LINE_ENDS: Final = re.compile(r"\r\n|[\n\r\v\f\x1c-\x1e\x85\u2028\u2029]")


@dataclass(frozen=True, slots=True)
class QuestionPage:
    """One question as an approver is shown it.

    Args:
        question: the request.
        asked: what the user asked, masked unless revealed; empty if it was not kept.
        similar: `approved` and `denied` → how often similar requests were answered so.
        lines: the page, line by line; the answer's entry digests it.
        equal_ids: requests that one answer is for, this one first.
    """

    question: ApprovalRequest
    asked: str
    similar: Mapping[str, int]
    lines: tuple[str, ...]
    equal_ids: tuple[str, ...]


def load_page(store: StoreContext, request: str, *, reveal: bool = False) -> QuestionPage:
    """Load a request by its id, or the start of it; `reveal` shows content unmasked."""
    with store.open_log() as (reader, tenant):
        opener, now_us = store.open_contents(reader, is_shown=False).open, SystemClock().now_us()
        question = load_request(reader, store.home, tenant, request, opener=opener, now_us=now_us, reveal=reveal)
        user_words = find_user_words(reader, tenant, question.row.session, opener, reveal=reveal)
        similar = count_similar_answers(reader, tenant, question, now_us)
        equal_ids = find_equal_requests(reader, tenant, question, now_us)
        standing = list(list_remembered(reader, store.home, tenant, opener=opener, now_us=now_us))
        records = find_target_records(
            reader,
            tenant,
            question.row.session,
            until_us=question.row.asked_us,
            arguments=question.arguments,
            asked=user_words,
            opener=opener,
            reveal=reveal,
        )
        answers = [] if question.status == "pending" else find_answers(reader, tenant, question.row)
    remembered = [item for item in standing if (item.role, item.resource) == (question.role, question.resource)]
    rows = _build_question_rows(question, user_words, similar, remembered, equal_ids=equal_ids, records=records)
    rows += _describe_end(question, answers)
    return QuestionPage(question, user_words, similar, tuple(lay_out_rows(rows)), equal_ids)


def lay_out_rows(rows: Iterable[tuple[str, str]]) -> Iterator[str]:
    """The lines of a page: each row's label, then its value, with a bar before every line of it.

    The bars are below each other: the longest label sets the column, and one that is too long is cut.
    """
    labelled = [(_clip_label(escape_unprintable(label)), value) for label, value in rows]
    column = max([LABEL_WIDTH, *(len(label) + 1 for label, _ in labelled)])
    width = max(console().width - column - len(_BAR), _MIN_WIDTH)
    for label, value in labelled:
        head = label
        for line in quote_lines(value, width):
            yield f"{head:<{column}}{_BAR}{line}"
            head = ""


def _clip_label(label: str) -> str:
    return label if len(label) <= _MAX_LABEL else f"{label[: _MAX_LABEL - 1]}…"


_CONTENT_LABELS: Final = {"orders": "listed orders", "trigger": "said just before", "user": "user"}
_RULES_IN_WORDS: Final = {
    "halo.watch.undeclared": "nobody has declared what this tool does, so it is judged by its arguments",
    "halo.watch.undeclared-target": "nobody has declared this tool, and nobody vouched for where this call goes",
    "halo.watch.undeclared-text": "nobody has declared this tool, and a text in this call names an address or account "
    "that nobody vouched for",
}
"""Rule of the starter policy → words in place of its reason's title, which these rules share."""


def quote_lines(text: str, width: int) -> list[str]:
    """Break a text into lines of at most `width` characters, with control characters escaped.

    A line ends after a blank if there is one in its second half. No character is lost.
    """
    lines = []
    for part in _LINE_ENDS.split(text):
        unwrapped = escape_unprintable(part)
        while len(unwrapped) > width:
            blank = unwrapped.rfind(" ", width // 2, width)
            end = width if blank < 0 else blank + 1
            lines.append(unwrapped[:end])
            unwrapped = unwrapped[end:]
        lines.append(unwrapped)
    return lines


def _build_question_rows(
    question: ApprovalRequest,
    asked: str,
    similar: Mapping[str, int],
    remembered: Sequence[RememberedAnswer],
    *,
    equal_ids: Sequence[str],
    records: Sequence[TargetRecord],
) -> list[tuple[str, str]]:
    row = question.row
    call, is_open = row.kind == "call", question.status == "pending"
    return [
        ("asks", _describe_request(question)),
        *((("a yes allows", text) for text in describe_permission(question)) if is_open and call else ()),
        ("what", f"{question.action} `{question.resource}` ({question.impact})"),
        *([("afterwards", describe_reversal(question.reversal, can_reverse=question.can_reverse))] if call else []),
        *((_label_argument(item), describe_argument(item.value, item.came_from)) for item in question.arguments),
        *map(_describe_record, records),
        *([("the user asked", asked)] if asked else []),
        ("who", f"{question.agent}, session {question.session}" + (f", for {question.user}" if question.user else "")),
        ("in the chain", ", ".join(dict.fromkeys(question.identities))),
        *(("why", text) for text in _describe_reasons(question.reasons)),
        *(
            (
                _CONTENT_LABELS.get(name, f"content {name}"),
                format_content(describe_listed_orders(value) if name == "orders" else value),
            )
            for name, value in question.content.items()
            if name not in ("args", "request") or not question.arguments
        ),
        *(
            (f"budget {item.unit}", "{} of {} spent; can be raised to {}".format(*_format_spending(item)))
            for item in (() if call else question.budgets)
        ),
        *([("authority", f"{question.authority / AUTHORITY_ONE:.1%} left")] if question.authority is not None else []),
        ("answered before", _describe_similar(similar, remembered, question)),
        *([("asked again", f"{len(equal_ids)} equal calls; one answer is for all of them")] if equal_ids[1:] else []),
        ("request", f"{row.id} ({question.status}), index {question.index}, decision {question.decision}"),
        ("until", format_iso(row.expires_us)),
        ("policy", question.policy),
        ("binding", row.binding),
        *([("answer", f"halo approvals approve {row.id} --as NAME")] if is_open else []),
    ]


def _describe_end(question: ApprovalRequest, entries: Sequence[LedgerEntry]) -> list[tuple[str, str]]:
    """Who answered when and why, and what was decided on the answer; nothing while the question is open."""
    rows = []
    for entry in entries:
        body, moment = entry.body, format_iso(entry.ts_us)
        if entry.kind is EntryKind.APPROVAL:
            verb = "approved" if body.get("answer") == "approve" else "denied"
            answer = f"{verb} by {body.get('actor', '?')} ({body.get('authn', '?')}), {moment}, {entry.id}"
            rows.append(("answered", _join(": ", answer, str(body.get("why", "")))))
        else:
            end = "ran" if body["dispatched"] else "did not run"
            rows.append(("decided on it", f"{entry.id}, {moment}: {body['decision']['effect']}, {end}"))
    return rows or ([("answered", "by nobody in time")] if question.status == "expired" else [])


def _describe_record(record: TargetRecord) -> tuple[str, str]:
    """A quote of an untrusted source, or another value that a trusted one gives for the same party."""
    if not record.party:
        return f"quote of {record.argument}", f"{record.text}\n(result of `{record.source}`, untrusted)"
    origin = f"(result of `{record.source}`, trusted, which also has `{record.party}`)"
    return f"other {record.argument}", f"{record.text}\n{origin}"


def _describe_request(question: ApprovalRequest) -> str:
    if question.held:
        return "run this held act; its caller went on without a result"
    return "allow this one call" if question.row.kind == "call" else f"continue the session as epoch {question.epoch}"


def describe_permission(question: ApprovalRequest) -> Iterator[str]:
    """What a yes to a call would allow: the call itself, then what can be remembered, for how long and how much."""
    yield "this call, once, within an hour of the answer (`--for`)"
    if can_be_remembered(question):
        limit = RememberTerms().limit_sum(question.amount or 0)
        terms = [
            f"for {DEFAULT_LIFETIME_S // DAY_S} days (`--days`)",
            f"at most {DEFAULT_USES} calls (`--uses`)",
            *([f"{format_sum(limit)} in all (`--up-to`)"] if limit else []),
        ]
        kept = f"later calls of `{question.resource}` to this target as `{question.role}`: {', '.join(terms)}"
        second = "; it counts once a second person has given it too" if question.people_needed > 1 else ""
        yield f"and {kept}; not with `--once`{second}"
    if asks_for_amount(question):
        amount = format_sum(question.amount or 0)
        yield f"with `--with-amount` also up to {amount} within 24 hours to this target, on the same terms"


def _describe_reasons(reasons: Iterable[RequestReason]) -> Iterator[str]:
    """Why a person is asked: each distinct sentence once, with its code and rules."""
    sources: dict[tuple[str, str], list[str]] = {}
    for item in reasons:
        title = _RULES_IN_WORDS.get(item.source, item.title)
        names = sources.setdefault((_join(": ", title, item.detail), item.code), [])
        names += [item.source] if item.source and item.source not in names else []
    for (sentence, code), rules in sources.items():
        yield f"{sentence} [{_join(', ', code, *rules)}]"


def _join(separator: str, *parts: str) -> str:
    return separator.join(filter(None, parts))


def _label_argument(item: ArgumentView) -> str:
    if item.is_amount:
        return item.name if item.name == "amount" else f"amount {item.name}"
    return f"{'target' if item.is_target else 'argument'} {item.name}"


def describe_argument(value: str, came_from: str) -> str:
    """The value of an argument, and below it where it came from."""
    return f"{format_content(value)}\n({came_from})" if came_from else format_content(value)


def _describe_similar(
    similar: Mapping[str, int], remembered: Sequence[RememberedAnswer], question: ApprovalRequest
) -> str:
    active = [item for item in remembered if item.status == "active"]
    same = [item for item in remembered if item.scope and item.scope == question.scope and item.status != "revoked"]
    parts = [f"approved {similar.get('approved', 0)} times, denied {similar.get('denied', 0)} times for this tool"]
    parts += [f"{len(active)} remembered for it"] if active else []
    parts += [f"remembered for this target by {item.approver} ({item.status})" for item in same]
    return "; ".join(parts)


def _format_spending(item: Spending) -> list[str]:
    return [format_limit(item.unit, n, item.decimals) for n in (item.spent, item.limit, item.max_limit)]
