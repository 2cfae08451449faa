"""Known values that a conversation carries from one session into another.

`iterate_carried` returns what the items of a history bring: items that the store knows as made while unexposed carry
the values that were known where they were made. `read_prints` and `find_item_values` find what an item of this session
will carry. `record_argument_values` does the same for the arguments of a call, which another session may be started
with. All but `read_prints` work inside a transaction of the store.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from halo_core.enforcement.decision_context import DecisionContext, ObservedText
from halo_core.model import HistoryItem, HistoryRole, Provenance
from halo_core.store.marks import Exposure, MarkTable
from halo_core.store.transaction import Transaction
from halo_core.values.kinds.kinds import MAX_CARRIED
from halo_core.values.provenance.carried import (
    FormPrints,
    find_known,
    fingerprint_call_words,
    fingerprint_carried,
    make_known_marks,
)
from halo_core.values.provenance.observed_text import ResultMarks
from halo_core.values.sketches.sketch import Sketch

_MAX_ARGUMENT: Final = 4_096  # characters of an argument that may start another session
_MAX_USER_TEXTS: Final = 16  # user messages of a conversation whose values its link carries
_VALUE_SIGNS: Final = frozenset("0123456789@.")

# what a history brings


def iterate_carried(
    tx: Transaction, context: DecisionContext, *, is_first_action: bool, is_repeated: Callable[[str], bool]
) -> Iterator[ObservedText]:
    """The values that items of a session's history carry into it; at most one observation.

    INVARIANT: VOUCH - a repeated text is never more trusted than its original. An item that was ever made while exposed
    carries nothing, nor does an unknown item, unless the host vouches for it.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
        is_first_action: whether it is the first action of its session.
        is_repeated: whether a text repeats words that an exposed model wrote.
    """
    table, carried = MarkTable(tx), set[int]()
    user, now_us = context.principal.user, context.now_us
    for marked in context.history:
        item = marked.item
        if not item.is_given and not is_first_action:
            continue
        if marked.marks:
            carried.update(table.find_known(marked.marks, user, now_us, other_than=context.session))
        if context.call.vouches_history and _is_unknown(table, context, marked.marks, item):
            carried.update(_read_vouched(tx, item, is_repeated))
    for observed in context.observed_texts:
        if observed.origin is Provenance.NOVEL and not _VALUE_SIGNS.isdisjoint(observed.text):
            carried.update(_find_retold(table, context, observed.text, is_repeated))
    if carried:
        yield ObservedText(frozenset(), Provenance.KNOWN, result=make_known_marks(carried))


def _is_unknown(table: MarkTable, context: DecisionContext, marks: tuple[bytes, ...], item: HistoryItem) -> bool:
    if item.role is HistoryRole.RECALLED:
        return True
    if not marks or item.role is HistoryRole.LINK:
        return False
    return table.find_exposure(marks, context.session, context.now_us) is Exposure.UNKNOWN


def _read_vouched(tx: Transaction, item: HistoryItem, is_repeated: Callable[[str], bool]) -> Iterator[int]:
    """The values of an item that the host vouches for, unless it repeats what an exposed model wrote or stored."""
    prints = fingerprint_carried(tx.image.sketch_key, item.text)
    if prints and not is_repeated(item.text):
        yield from (known for _, known in prints)


def _find_retold(
    table: MarkTable, context: DecisionContext, text: str, is_repeated: Callable[[str], bool]
) -> tuple[int, ...]:
    """What a user message carries that the user did not write, if all of it is an unexposed model's text."""
    user, now_us = context.principal.user, context.now_us
    marks = context.conversation.mark_text(text), context.conversation.mark_argument(text)
    items = [item for mark in marks if (item := table.get_live_item(mark, now_us)) is not None]
    if not any(item.known for item in items) or any(item.was_exposed for item in items) or is_repeated(text):
        return ()
    return tuple(known for mark in marks for known in table.find_known((mark,), user, now_us))


# what an item carries on


def read_prints(context: DecisionContext, item: HistoryItem, result: ResultMarks) -> tuple[FormPrints, FormPrints]:
    """Values in an item's text, and in its calls; depends on no store.

    Args:
        context: context of the decision.
        item: what was said or returned.
        result: what the session keeps of a tool's result.
    """
    key = context.conversation.key
    if context.state.view.tainted:
        return (), ()  # an exposed session's items carry nothing
    if item.role is HistoryRole.RESULT:
        return tuple(zip(result.carried, result.carried, strict=True)), ()
    if item.role in (HistoryRole.REPLY, HistoryRole.CALLS):
        return fingerprint_carried(key, item.text), fingerprint_call_words(key, item.calls)
    if item.role is HistoryRole.LINK:
        return read_user_prints(context), ()
    return (), ()


def find_item_values(
    table: MarkTable, context: DecisionContext, sketch: Sketch, item: HistoryItem, prints: FormPrints
) -> list[int]:
    """Fingerprints of the values in an item that are known in its session.

    Args:
        table: table of the transaction that holds the outcome.
        context: context of the decision.
        sketch: what the session has seen.
        item: what was said or returned; a link carries what the other items of its conversation carry.
        prints: fingerprints of the values in it.
    """
    known = find_known(sketch, prints)
    if item.role is HistoryRole.LINK:
        for marked in reversed(context.history):
            known += table.find_known(marked.marks, context.principal.user, context.now_us)
    return list(dict.fromkeys(known))[:MAX_CARRIED]


def read_user_prints(context: DecisionContext) -> FormPrints:
    """Values in the user messages of a conversation, carried by an item that names the whole conversation."""
    texts = [marked.item.text for marked in context.history if marked.item.role is HistoryRole.USER]
    return fingerprint_carried(context.conversation.key, *texts[-_MAX_USER_TEXTS:])


def record_argument_values(tx: Transaction, context: DecisionContext) -> None:
    """Keep marks of argument texts that an action may store and that name known values.

    A job may start another session with such a text.

    INVARIANT: MONO - a text that an exposed model writes as well, before or after, carries nothing.
    """
    if context.problem or not context.runs:
        return
    is_exposed = context.state.view.tainted
    sketch = tx.load_sketch(context.state)
    if not is_exposed and not any(sketch.spans.values()):
        return
    table = MarkTable(tx)
    for leaf in context.leaves:
        if len(leaf.text) > _MAX_ARGUMENT or _VALUE_SIGNS.isdisjoint(leaf.text):
            continue
        prints = fingerprint_carried(sketch.key, leaf.text)
        known = [] if is_exposed else find_known(sketch, prints)
        if known or (is_exposed and prints):
            mark, user = context.conversation.mark_argument(leaf.text), context.principal.user
            table.put_item(mark, context.session, context.now_us, exposed=is_exposed, known=known, user=user)
