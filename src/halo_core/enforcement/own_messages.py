"""Recognises the user's messages of earlier runs of a conversation, where the framework does not say who wrote them.

A memory of LlamaIndex passes what the user wrote in the last run to the next one as a message with the user's role,
which retrieved text may have too. So the messages with which a run was started are marked, together with their place in
the conversation. In the same place of the same user's conversation they count as the user's again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from typing import Final

from halo_core.enforcement.decision_context import DecisionContext, ObservedText
from halo_core.model import ActionKind, HistoryRole, Provenance
from halo_core.store.marks import MarkTable
from halo_core.store.transaction import Transaction
from halo_core.values.provenance.conversation import MarkedItem
from halo_core.values.provenance.observed_text import fingerprint_whole_text

_MAX_MESSAGES: Final = 64  # of one conversation, the newest


def record_own_messages(tx: Transaction, context: DecisionContext) -> None:
    """After a model call, mark the user's own messages in its conversation.

    Args:
        tx: the transaction that holds the outcome.
        context: context of the decision.
    """
    if context.resource.kind is not ActionKind.INFERENCE or not context.history:
        return
    own = {observed.text for observed in context.observed_texts if observed.origin is Provenance.USER}
    table = MarkTable(tx)
    for marked in _iterate_user_items(context) if own else ():
        if marked.item.text in own:
            mark = _mark_message(context, marked)
            table.put_item(mark, context.session, context.now_us, exposed=False)


def restore_own_messages(tx: Transaction, context: DecisionContext) -> tuple[ObservedText, ...]:
    """The texts of a call; those marked in an earlier run as the user's messages are the user's again.

    INVARIANT: VOUCH - if the host vouches for the user's words, nothing else counts as the user's. Words of such a
    message that repeat an exposed model stay the model's, as in any other message.

    Args:
        tx: the transaction that will hold the decision.
        context: a prepared call.
    """
    texts = context.observed_texts
    unowned = {observed.text for observed in texts if observed.origin is Provenance.NOVEL and observed.text}
    if not unowned or any(observed.is_vouched for observed in texts):
        return texts
    table, restored = MarkTable(tx), set[str]()
    for marked in _iterate_user_items(context):
        if marked.item.text in unowned and marked.item.text not in restored:
            mark = _mark_message(context, marked)
            if table.get_live_item(mark, context.now_us) is not None:
                restored.add(marked.item.text)
    if not restored:
        return texts
    return tuple(_make_own(context, item) if item.text in restored else item for item in texts)


def _mark_message(context: DecisionContext, marked: MarkedItem) -> bytes:
    """The mark of a user's own message.

    INVARIANT: VOUCH - if the host names no user, only the session tells users apart, since somebody else could have
    begun a conversation with the same words. So the mark holds for that session alone.
    """
    session = "" if context.principal.user else context.session
    return context.conversation.mark_own_message(marked.chain, session)


def _make_own(context: DecisionContext, observed: ObservedText) -> ObservedText:
    if observed.origin is not Provenance.NOVEL:
        return observed
    return replace(
        observed,
        fingerprints=context.fingerprint_text(observed.text, Provenance.USER),
        origin=Provenance.USER,
        text_mark=fingerprint_whole_text(context.conversation.key, observed.text, is_vouched=False),
    )


def _iterate_user_items(context: DecisionContext) -> Iterator[MarkedItem]:
    items = (marked for marked in reversed(context.history) if marked.item.role is HistoryRole.USER)
    return islice(items, _MAX_MESSAGES)
