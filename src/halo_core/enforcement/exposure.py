"""How exposure follows a conversation and what is stored.

`iterate_observed` returns what the texts and the history of a call bring into its session. `record_conversation` keeps
marks of what a model said or a tool returned, with the known values in it (`enforcement.carried_values`).
`list_place_marks` and `is_place_tainted` track places that were written to while exposed. All of them work inside a
transaction of the store; the marks themselves are computed by pure functions (`halo_core.values`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from hashlib import blake2b
from itertools import islice
from typing import Final

from halo_core.enforcement.carried_values import (
    find_item_values,
    iterate_carried,
    read_prints,
    read_user_prints,
    record_argument_values,
)
from halo_core.enforcement.decision_context import DecisionContext, ObservedText
from halo_core.enforcement.own_messages import record_own_messages, restore_own_messages
from halo_core.enforcement.state_words import writes_usual_words
from halo_core.model import ActionKind, Fact, HistoryItem, HistoryRole, Impact, Provenance, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.store.marks import Exposure, MarkTable
from halo_core.store.session_state import SessionState
from halo_core.store.transaction import Transaction
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.provenance.carried import FormPrints, find_known
from halo_core.values.provenance.conversation import MarkedItem, describe_calls
from halo_core.values.provenance.observed_text import ResultMarks, fingerprint_whole_text
from halo_core.values.provenance.repeats import (
    REPEAT_BYTES,
    fingerprint_model_words,
    is_short_value,
    repeats_as_whole,
    split_repeats,
)
from halo_core.values.provenance.result_origins import TRUST_FLOOR, VOUCHED_ORIGINS
from halo_core.values.provenance.stored_objects import (
    StoreMarks,
    StorePlace,
    find_place,
    list_only_identifiers,
    may_store,
    period_of,
    stores_downloads,
)
from halo_core.values.sketches.sketch import MAX_TEXT, Sketch, extract_tokens, iter_text_fingerprints

__all__ = [
    "HISTORY_SOURCE",
    "REPEATED_SOURCE",
    "TRUST_FLOOR",
    "PreparedItem",
    "describe_calls",
    "digest_store",
    "digest_tool",
    "find_checked_row",
    "find_cleared_row",
    "is_place_tainted",
    "iterate_observed",
    "iterate_unvouched",
    "list_place_marks",
    "prepare_items",
    "record_argument_words",
    "record_conversation",
]

HISTORY_SOURCE: Final = "history"
"""Name of the source of what a conversation brings along."""
REPEATED_SOURCE: Final = "an agent's earlier words"
"""Name of the source of words that repeat an exposed model, whoever writes them now: also the user, in this run."""
_MAX_ACKNOWLEDGEMENT: Final = 2
"""Most words of a result that only confirms an act, without common words and those of its arguments."""
_MAX_COUNT_DIGITS: Final = 3
_DIGIT: Final = re.compile(r"\d")
_MAX_RECEIPT: Final = 64  # words of a result that may be such a receipt


# what a history brings


def iterate_observed(tx: Transaction, context: DecisionContext, *, is_first_action: bool) -> Iterator[ObservedText]:
    """The texts that a call's texts and history add to its session.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        is_first_action: whether it is the first action of its session.
    """
    for observed in restore_own_messages(tx, context):
        if observed.origin is not Provenance.NOVEL:
            yield from _split_observed(tx, context, observed)
    yield from _iterate_history(tx, context, is_first_action=is_first_action)
    yield from iterate_carried(
        tx, context, is_first_action=is_first_action, is_repeated=lambda text: _is_of_exposed(tx, context, text)
    )


def _is_of_exposed(tx: Transaction, context: DecisionContext, text: str) -> bool:
    """Whether part of a text repeats what an exposed model wrote, or what was stored while exposed."""
    observed = ObservedText(frozenset(), Provenance.NOVEL, is_cut=len(text) > MAX_TEXT, text=text)
    if any(part.origin is Provenance.UNTRUSTED for part in _split_observed(tx, context, observed)):
        return True
    if MarkTable(tx).load_repeats(context.now_us).is_full:
        return True
    stored = tx.load_taint_index()
    return bool(stored) and stored.contains_any(iter_text_fingerprints(tx.image.sketch_key, text))


def iterate_unvouched(tx: Transaction, context: DecisionContext, *, is_exposed: bool) -> Iterator[ObservedText]:
    """The texts of user messages for which the host does not vouch as the user's own, once they count as untrusted.

    INVARIANT: VOUCH - words that somebody else wrote in the user's name vouch for nothing, and are untrusted once the
    session is exposed.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        is_exposed: whether the session is exposed without them.
    """
    for observed in restore_own_messages(tx, context):
        if observed.origin is not Provenance.NOVEL:
            continue
        repeated = [part for part in _split_observed(tx, context, observed) if part.origin is Provenance.UNTRUSTED]
        yield from repeated
        if is_exposed or repeated:
            yield replace(observed, origin=Provenance.UNTRUSTED)


def _split_observed(tx: Transaction, context: DecisionContext, observed: ObservedText) -> Iterator[ObservedText]:
    """A text without the words that repeat an exposed model, then those words as untrusted text."""
    if observed.origin is Provenance.UNTRUSTED:
        yield observed
        return
    if observed.is_vouched:
        yield _unvouch_if_repeated(tx, context, observed)
        return
    yield from _split_repeats(tx, context, observed)
    if observed.is_cut:
        # INVARIANT: VOUCH - the text behind `MAX_TEXT` was not read, so it may be untrusted.
        yield ObservedText(frozenset(), Provenance.UNTRUSTED, is_cut=True)


def _unvouch_if_repeated(tx: Transaction, context: DecisionContext, observed: ObservedText) -> ObservedText:
    """A text that the host vouches for; as untrusted text if it repeats an exposed model word for word.

    INVARIANT: VOUCH - a text that an exposed model put into a queue stays untrusted when a worker passes it as the
    user's request.
    """
    index = MarkTable(tx).load_repeats(context.now_us)
    if not index or index.is_full or not repeats_as_whole(tx.image.sketch_key, observed.text, index.contains):
        return observed
    text = observed.text
    fingerprints = context.fingerprint_text(text, Provenance.UNTRUSTED)
    return ObservedText(fingerprints, Provenance.UNTRUSTED, text=text, source=REPEATED_SOURCE)


def _split_repeats(tx: Transaction, context: DecisionContext, observed: ObservedText) -> Iterator[ObservedText]:
    index = MarkTable(tx).load_repeats(context.now_us)
    if not index:
        yield observed
        return
    if index.is_full:
        if observed.origin is Provenance.SYSTEM:
            yield observed
        return
    key, origin = tx.image.sketch_key, observed.origin
    salt = _salt_of_session(tx, context.session)
    is_known: Callable[[int], bool] = lambda item: index.contains(item) or index.contains(item ^ salt)  # noqa: E731
    parts = split_repeats(key, observed.text[:MAX_TEXT], is_known)
    if not parts.repeated:
        yield observed
        return
    for text in parts.own:
        mark = fingerprint_whole_text(key, text, is_vouched=False) if origin is Provenance.USER else 0
        yield replace(observed, fingerprints=context.fingerprint_text(text, origin), text=text, text_mark=mark)
    fingerprints = context.fingerprint_text(parts.repeated, Provenance.UNTRUSTED)
    yield ObservedText(fingerprints, Provenance.UNTRUSTED, text=parts.repeated, source=REPEATED_SOURCE)


def _iterate_history(tx: Transaction, context: DecisionContext, *, is_first_action: bool) -> Iterator[ObservedText]:
    """Untrusted texts in a conversation's history: made while exposed, or of unknown origin."""
    table, session = MarkTable(tx), context.session
    for marked in context.history:
        item = marked.item
        if not item.is_given and not is_first_action:
            continue
        if item.role is HistoryRole.RECALLED:
            exposure = Exposure.UNKNOWN
        elif marked.marks:
            exposure = table.find_exposure(marked.marks, session, context.now_us, is_generic=marked.is_generic)
        else:
            continue
        is_unknown = exposure is Exposure.UNKNOWN and not item.is_opening and not context.call.vouches_history
        if exposure is Exposure.EXPOSED or is_unknown:
            text = f"{item.text}\n{item.calls}".strip()
            fingerprints = context.fingerprint_text(text, Provenance.UNTRUSTED) if text else frozenset()
            yield ObservedText(fingerprints, Provenance.UNTRUSTED, is_cut=len(text) > MAX_TEXT, text=text)


# what is kept of an action


@dataclass(frozen=True, slots=True)
class PreparedItem:
    """What a model said or a tool returned, prepared for recording.

    Args:
        item: the item.
        marks: marks by which it will be known.
        fingerprints: fingerprints of the result of a provider's tool.
        prints: fingerprints of the values in its text, which it passes on if they are known.
        call_prints: fingerprints of the values in its calls.
    """

    item: HistoryItem
    marks: tuple[bytes, ...]
    fingerprints: frozenset[int] = frozenset()
    prints: FormPrints = ()
    call_prints: FormPrints = ()


def prepare_items(
    context: DecisionContext, history_items: Iterable[HistoryItem], result: ResultMarks
) -> tuple[PreparedItem, ...]:
    """Prepare what was said or returned, with the links of its conversation; reads no store.

    Args:
        context: context of the decision.
        history_items: what was said or returned.
        result: what the session keeps of a tool's result.
    """
    conversation, read = context.conversation, []
    for item in history_items:
        conversation_after, marked = conversation.follow(item)
        marks, fingerprints = marked.marks, frozenset[int]()
        if item.role is HistoryRole.CALLS and item.text:
            marks = (*marks, conversation.mark_text(item.text))
        elif item.role is HistoryRole.REPLY:
            conversation = conversation_after
        elif item.role is HistoryRole.PROVIDER_RESULT:
            fingerprints = context.fingerprint_text(item.text, Provenance.UNTRUSTED)
        read.append(PreparedItem(item, marks, fingerprints, *read_prints(context, item, result)))
    if context.history and (links := _list_links(context)):
        prints = read_user_prints(context)
        read += [PreparedItem(marked.item, marked.marks, prints=prints) for marked in links]
    return tuple(read)


def _list_links(context: DecisionContext) -> list[MarkedItem]:
    """The names of the conversation that a model call continues."""
    if context.resource.kind is not ActionKind.INFERENCE:
        return []
    return [marked for marked in context.history if marked.item.role is HistoryRole.LINK]


def record_conversation(
    tx: Transaction, context: DecisionContext, state: SessionState, items: Iterable[PreparedItem]
) -> None:
    """Mark what a model said or a tool returned, its known values, and the words of an exposed model.

    Args:
        tx: the transaction that holds the outcome.
        context: context of the decision.
        state: state of the session, with what the outcome has added to it.
        items: what was said or returned.
    """
    table, now_us, sketch = MarkTable(tx), tx.clock.now_us(), tx.load_sketch(state)
    if context.history:
        record_own_messages(tx, context)
    if not state.view.tainted:
        _record_known(table, context, sketch, items, now_us)
        return
    for prepared in items:
        item = prepared.item
        for mark in prepared.marks:
            table.put_item(mark, context.session, now_us, exposed=True)
        if item.text and item.role in (HistoryRole.REPLY, HistoryRole.CALLS):
            table.add_repeats(_fingerprint_reply(sketch, item.text), now_us)
    for marked in _list_links(context):  # also where what was said could not be read
        table.put_item(marked.marks[0], context.session, now_us, exposed=True)


def _record_known(
    table: MarkTable, context: DecisionContext, sketch: Sketch, items: Iterable[PreparedItem], now_us: int
) -> None:
    """Mark what an unexposed model said or a tool returned, with the known values in it."""
    user = context.principal.user
    said_values: list[int] = []  # by the model's items, which stand before a link
    for prepared in items:
        item, prints = prepared.item, prepared.prints
        is_link = item.role is HistoryRole.LINK
        known = find_item_values(table, context, sketch, item, prints) if prints or is_link else []
        in_calls = find_known(sketch, prepared.call_prints) if prepared.call_prints else ()
        values = [*said_values, *known] if is_link else [*known, *in_calls]
        for place, mark in enumerate(prepared.marks):
            # The second mark of a message with calls is of its text alone.
            is_text = place > 0
            carried = known if is_text else values
            table.put_item(mark, context.session, now_us, exposed=False, known=carried, user=user, grows=is_link)
        said_values += () if is_link else values


def _fingerprint_reply(sketch: Sketch, text: str) -> frozenset[int]:
    def are_not_trusted(values: Sequence[str | Form]) -> list[bool]:
        # What only somebody untrusted has said is, and what names something unless somebody vouches for it.
        return [
            is_untrusted or (is_unvouched and (not isinstance(value, str) or is_short_value(value)))
            for value, is_untrusted, is_unvouched in zip(
                values, sketch.are_only_untrusted(values), sketch.are_not_trusted(values), strict=True
            )
        ]

    return fingerprint_model_words(sketch.key, text[:MAX_TEXT], are_not_trusted, is_argument=False)


def record_argument_words(tx: Transaction, context: DecisionContext) -> None:
    """Mark the words of arguments written by an exposed model, and the known values in other arguments.

    The words of a call that does not run were sent nowhere, so they are marked for this session alone. A leaf that the
    user's words or a trusted lookup vouch for, in any spelling, does not count as the model's.
    """
    if may_store(context.resource):
        record_argument_values(tx, context)
    if context.problem or not context.state.view.tainted or context.resource.kind is ActionKind.INFERENCE:
        return
    sketch = context.sketch
    vouched = {pointer for pointer, origin in context.provenance if origin in VOUCHED_ORIGINS}
    fingerprints: set[int] = set()
    for leaf in context.leaves:
        if leaf.pointer not in vouched:
            fingerprints |= fingerprint_model_words(
                sketch.key, leaf.text[:MAX_TEXT], sketch.are_not_trusted, is_argument=True
            )
    if not context.runs:
        salt = _salt_of_session(tx, context.session)
        fingerprints = {item ^ salt for item in fingerprints}
    MarkTable(tx).add_repeats(fingerprints, context.now_us)


def _salt_of_session(tx: Transaction, session: str) -> int:
    """The salt that limits a fingerprint to one session."""
    data = f"session\0{session}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(data, digest_size=REPEAT_BYTES, key=tx.image.sketch_key[:64]).digest())


# what was stored while exposed


def list_place_marks(tx: Transaction, context: DecisionContext) -> frozenset[int]:
    """Marks of the place to which an action writes.

    An action has some if its session is exposed, if it names a tainted object, or if it brings in something from
    elsewhere.
    """
    if context.problem or not may_store(context.resource) or context.only_runs_queries:
        return frozenset()
    is_exposed = stores_downloads(context.resource) or _stores_foreign_words(tx, context)
    if not is_exposed and not tx.load_taint_index():
        return frozenset()
    place = _find_place(context)
    table, marks = MarkTable(tx), _make_store_marks(tx, context)
    # A copy or a move from a tainted object, which nobody has read on the way.
    if not is_exposed and not (len(place.objects) > 1 and _is_any_tainted(tx, marks, place)):
        return frozenset()
    generations = {name: table.get_generation(digest_store(tx, name)) for name in place.stores}
    return marks.list_written(place, generations, has_numbers=_writes_foreign_digit(context))


def _writes_foreign_digit(context: DecisionContext) -> bool:
    """Whether an action writes a digit that nobody vouches for."""
    vouched = {pointer for pointer, origin in context.provenance if origin in VOUCHED_ORIGINS}
    return any(leaf.pointer not in vouched and _DIGIT.search(leaf.text) is not None for leaf in context.leaves)


def _stores_foreign_words(tx: Transaction, context: DecisionContext) -> bool:
    """Whether an exposed session stores words that an untrusted text may have chosen."""
    if not context.state.view.tainted or _stores_vouched_words(context):
        return False
    return not writes_usual_words(tx, context)


def _stores_vouched_words(context: DecisionContext) -> bool:
    """Whether each argument is a span of the request that the host vouched for, or is traced to the user.

    The record that it is written to may be vouched for in another way.
    """
    request = _to_span(context.call.request)
    if not context.leaves or all(_to_span(leaf.text) in request for leaf in context.leaves):
        return bool(context.leaves)
    origins, targets = dict(context.provenance), frozenset(context.resource.targets)
    is_record_named = context.facts is not None and Fact.NAMED_RECORD in context.facts.facts
    for leaf in context.leaves:
        origin = origins.get(leaf.pointer)
        is_record = name_of_argument(leaf.pointer) in targets and (origin in VOUCHED_ORIGINS or is_record_named)
        if origin is not Provenance.USER and not is_record:
            return False
    return True


def _to_span(text: str) -> str:
    return f" {' '.join(extract_tokens(text))} "


def is_place_tainted(tx: Transaction, context: DecisionContext, output: str) -> bool:
    """Whether the content that an action returned may have been stored by an exposed session."""
    resource = context.resource
    if context.problem or resource.kind not in (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL):
        return False
    if not tx.load_taint_index():
        return False
    if resource.impact not in (Impact.READ, Impact.UNKNOWN) and _is_acknowledgement(output, _list_own_words(context)):
        return False
    place, marks = _find_place(context), _make_store_marks(tx, context)
    return _is_tainted(tx, marks, place) and not _is_clean_list(tx, context, marks, place, output)


def _is_clean_list(
    tx: Transaction, context: DecisionContext, marks: StoreMarks, place: StorePlace, output: str
) -> bool:
    """Whether a read that names no record returned only numbers of records that no exposed session wrote.

    A list of numbers cannot hold anything else that such a session may have stored.
    """
    if context.resource.impact is not Impact.READ or any(kind == "id" for kind, _ in place.objects):
        return False
    names = list_only_identifiers(extract_tokens(output[:MAX_TEXT]), _list_own_words(context))
    if not names or len(output) > MAX_TEXT:
        return False
    table, index = MarkTable(tx), tx.load_taint_index()
    generations = {name: table.get_generation(digest_store(tx, name)) for name in place.sources}
    return marks.is_list_clean(place, names, generations, lambda mark: index.contains_any((mark,)))


def _list_own_words(context: DecisionContext) -> frozenset[str]:
    return frozenset(word for leaf in context.leaves for word in leaf.words)


def _find_place(context: DecisionContext) -> StorePlace:
    """The place that the action writes to or reads from."""
    vouched = {pointer for pointer, origin in context.provenance if origin in VOUCHED_ORIGINS}
    names = [name for name in context.recorded_args if f"/{name}" in vouched]
    return find_place(context.resource, context.recorded_args, names)


def _is_tainted(tx: Transaction, marks: StoreMarks, place: StorePlace) -> bool:
    table, index = MarkTable(tx), tx.load_taint_index()
    generations = {name: table.get_generation(digest_store(tx, name)) for name in place.sources}
    return bool(index) and marks.is_tainted(place, generations, lambda mark: index.contains_any((mark,)))


def _is_any_tainted(tx: Transaction, marks: StoreMarks, place: StorePlace) -> bool:
    """Whether one of several objects is tainted: whatever is copied from it is tainted too."""
    return any(_is_tainted(tx, marks, replace(place, objects=(item,))) for item in place.objects)


def _is_acknowledgement(output: str, own_words: Collection[str]) -> bool:
    """Whether a result only confirms the action and its object; a repeated argument adds nothing."""
    words = list(islice(extract_tokens(output[:MAX_TEXT]), _MAX_RECEIPT + 1))
    if len(words) > _MAX_RECEIPT:
        return False
    new_words = [word for word in words if word not in own_words and word not in STOP_WORDS and not _is_count(word)]
    return len(new_words) <= _MAX_ACKNOWLEDGEMENT and not any(map(is_short_value, new_words))


def _is_count(word: str) -> bool:
    return len(word) <= _MAX_COUNT_DIGITS and word.isdigit()


def _make_store_marks(tx: Transaction, context: DecisionContext) -> StoreMarks:
    return StoreMarks(tx.image.sketch_key, period_of(context.now_us))


def digest_store(tx: Transaction, name: str) -> bytes:
    """Keyed digest of a store's name, under which a person clears it."""
    return StoreMarks(tx.image.sketch_key, 0).digest_name(name)


def digest_tool(tx: Transaction, name: str) -> bytes:
    """Keyed digest of a tool's name, under which a person clears what it reads."""
    return StoreMarks(tx.image.sketch_key, 0).digest_name(f"tool:{name}")


def find_checked_row(tx: Transaction, context: DecisionContext) -> int:
    """Number of the last row of stored fingerprints that does not count for what an action returned; 0 if each does.

    INVARIANT: taint outlives its session - what a person has checked is what this tool read from these stores. What
    came from any other place, or was stored later, was not looked at.
    """
    if context.problem or context.resource.kind not in (ActionKind.TOOL_CALL, ActionKind.RETRIEVAL):
        return 0
    return find_cleared_row(tx, context.resource)


def find_cleared_row(tx: Transaction, resource: Resource) -> int:
    """Number of the last row of stored fingerprints that a person has cleared for what a resource returns; 0 for none.

    Args:
        tx: the transaction.
        resource: a tool or retriever.
    """
    table = MarkTable(tx)
    checked = table.get_clearance(digest_tool(tx, resource.id)).taint_seq
    if not checked:
        return 0
    sources = find_place(resource, {}).sources
    return min(checked, *(table.get_clearance(digest_store(tx, name)).taint_seq for name in sources))
