"""Reading the facts of an action (`halo_core.values.facts.facts`) from what the store holds."""

from __future__ import annotations

from decimal import Decimal
from functools import lru_cache, partial
from typing import Final

from halo_core.crypto.keys import Digester
from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.risk_assessor import UNSCORED, RiskAssessment
from halo_core.model import Impact, Provenance
from halo_core.store.known_values import KnownValues
from halo_core.store.transaction import Transaction
from halo_core.values.facts.answer_scope import speaks_of_act
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.facts.facts import ActionFacts, find_facts
from halo_core.values.kinds.addresses import find_own_address
from halo_core.values.requests.user_texts import MAX_USER_CHARS
from halo_core.values.sketches.sketch import MAX_SOURCE_INDEX, Sketch

POINTED_MARK: Final = " (pointed at)"
"""Behind a source in a session's list: the user pointed at what it brought."""

RELATED_MARK: Final = " (related)"
"""In its place: the results came from actions on objects that the request has to do with, and were short."""

_LABELLED_MARK: Final = " (labelled)"
"""Likewise: its resource is labelled."""


def mark_source(source: str, *, is_pointed: bool, is_labelled: bool, is_related: bool) -> str:
    """Add to a source's name what a session notes of it; the name under which the session lists it.

    Args:
        source: id of the resource.
        is_pointed: the user pointed at what it brought.
        is_labelled: the resource is labelled.
        is_related: the action had to do with the request, and brought little.
    """
    relation = POINTED_MARK if is_pointed else RELATED_MARK if is_related else ""
    return source + _LABELLED_MARK * is_labelled + relation


def unmark_source(name: str) -> str:
    """The plain name of a source that a session lists."""
    return _remove_relation(name).removesuffix(_LABELLED_MARK)


def _remove_relation(name: str) -> str:
    return name.removesuffix(POINTED_MARK).removesuffix(RELATED_MARK)


def is_related_source(name: str) -> bool:
    """Whether content of a listed source is related to the request."""
    return name.endswith((POINTED_MARK, RELATED_MARK))


def read_facts(
    tx: Transaction, context: DecisionContext, digester: Digester, assessment: RiskAssessment = UNSCORED
) -> ActionFacts:
    """Read what is known of a call; done once for each decision.

    Args:
        tx: the transaction.
        context: context of the call, after `read_session`; for a payment, with the windows' state.
        digester: keyed digests of the home.
        assessment: what behaviour says of the action.
    """
    if context.facts is None or assessment != UNSCORED:
        context.facts = find_facts(
            context.resource,
            context.recorded_args,
            context.leaves,
            context.traced,
            find_sketch_of_orders(context),
            _find_sources(tx, context, digester, assessment),
        )
    return context.facts


def _find_sources(
    tx: Transaction, context: DecisionContext, digester: Digester, assessment: RiskAssessment
) -> FactSources:
    """The facts' sources other than the call itself and the sketch."""
    payment = context.payment
    pointed, labelled, names = _read_marks(context.state.sources)
    return FactSources(
        pointed,
        labelled,
        lambda domain: KnownValues(tx, digester, context.known_values).contains("domain", domain),
        is_established=assessment.is_established,
        knows_places=assessment.knows_places,
        paid_before=Decimal(payment.paid_for_message if payment is not None else 0) / 10_000,
        paid_today=Decimal(payment.paid_to_target if payment is not None else 0) / 10_000,
        payment_request=payment.request if payment is not None else "",
        find_payment_text=partial(_find_payment_text, tx, context),
        names=names,
        is_exposed=context.state.view.tainted,
        own_address=find_own_address(context.principal.user),
        ordered_pointers=context.order_match.pointers if context.order_match is not None else None,
        lists_orders=context.lists_orders,
    )


def _find_payment_text(tx: Transaction, context: DecisionContext) -> str:
    """The user's newest message that speaks of a payment, be it in a question; if none does, the newest one.

    Empty if the call is no payment.
    """
    if context.payment is None:
        return ""
    texts = list_user_texts(tx, context)
    speaking = (text for text in reversed(texts) if speaks_of_act(text, Impact.PAYMENT))
    return next(speaking, texts[-1] if texts else "")


def list_user_texts(tx: Transaction, context: DecisionContext) -> list[str]:
    """All messages of the user as far as they stand, oldest first."""
    told = {item.text: item.standing for item in tx.image.user_texts.get(context.session, ())}
    withdrawn = context.sketch.withdrawn.marks
    shown = [
        told.get(item.text[:MAX_USER_CHARS], "" if item.text_mark in withdrawn else item.text)
        for item in context.observed_texts
        if item.origin is Provenance.USER
    ]
    return [text for text in (*told.values(), *shown) if text.strip()]


_HARMLESS: Final = frozenset((Impact.READ,))


def find_sketch_of_orders(context: DecisionContext) -> Sketch:
    """What the session has seen; for an act, without what the user took back."""
    return context.sketch if context.resource.impact in _HARMLESS else context.sketch.for_act()


@lru_cache(maxsize=1024)
def _read_marks(sources: tuple[str, ...]) -> tuple[frozenset[int], frozenset[int], tuple[str, ...]]:
    """Places of sources that the user pointed at, places of labelled ones, and the names of all that have a place."""
    pointed, labelled = set[int](), set[int]()
    for place, source in enumerate(sources, 1):
        if source.endswith(POINTED_MARK):
            pointed.add(place)
        if _remove_relation(source).endswith(_LABELLED_MARK):
            labelled.add(place)
    # The last place is shared by all sources that found no place of their own.
    own_places = frozenset(pointed - {MAX_SOURCE_INDEX})
    return own_places, frozenset(labelled), tuple([unmark_source(name) for name in sources[: MAX_SOURCE_INDEX - 1]])
