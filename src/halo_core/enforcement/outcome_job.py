"""Step (6): records the outcome of a dispatched action, in a transaction of the store.

What is derived from the text of a result (its sealed form, digest, origin, marks and words in order, and what the
session's profile keeps) does not depend on the store. So it is a `Preparation`: a thread of the store makes it while
the model computes its next step, and at the latest before the next decision of the session.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import lru_cache, partial
from typing import Any, Final

from halo_core.authority import settle_account
from halo_core.behaviour.event import CallShape
from halo_core.decision.outcome_record import encode_outcome
from halo_core.enforcement.behaviour_events import MAX_RELATED_RESULT
from halo_core.enforcement.call import MAX_KEPT_CHARS
from halo_core.enforcement.decision_context import DecisionContext, ObservedText
from halo_core.enforcement.exposure import (
    PreparedItem,
    find_checked_row,
    is_place_tainted,
    prepare_items,
    record_conversation,
)
from halo_core.enforcement.preparer import Preparer
from halo_core.enforcement.risk_assessor import SCORED_KINDS
from halo_core.enforcement.session_behaviour import describe_shape, fingerprint_call_of
from halo_core.enforcement.snapshot_builder import record_observation
from halo_core.model import (
    RESERVED_UNITS,
    ActionKind,
    EntryKind,
    Envelope,
    HistoryItem,
    HistoryRole,
    Impact,
    Provenance,
)
from halo_core.quick_dataclass import dataclass
from halo_core.risk.profile import Chunk, pack_head
from halo_core.store.deferred import Preparation
from halo_core.store.drafts import Draft
from halo_core.store.quota_rows import read_quota_day, write_quota_day
from halo_core.store.session_state import AgentTally, SessionState
from halo_core.store.transaction import Transaction
from halo_core.values.kinds.addresses import find_own_domain
from halo_core.values.kinds.argument_names import find_nouns_of_result, lists_files, names_list
from halo_core.values.provenance.created_objects import returns_created
from halo_core.values.provenance.leaves import extract_texts
from halo_core.values.provenance.observed_text import NO_MARKS, ResultMarks, is_lookup_key, read_result
from halo_core.values.provenance.receipts import is_receipt_of
from halo_core.values.provenance.record_lists import (
    find_parties,
    lists_by_filters,
    lists_of_one,
    lists_records,
    names_one_sender,
    speaks_of_messages,
)
from halo_core.values.provenance.result_origins import is_lookup, judge_arguments, origin_of_result
from halo_core.values.sketches.sketch import MAX_TEXT

_LONG_TEXT: Final = 8_192  # characters; up to here a text is read in about the time of a transaction
_NO_TIMEOUT: Final = -1.0  # the store has waited for the text already, within its deadline


@dataclass(frozen=True, slots=True)
class ResultText:
    """A result's text as recorded, and what the session keeps of it.

    Args:
        output: the text with secrets sealed, as much as is kept.
        output_digest: keyed digest of the whole text, empty for no text.
        origin: origin of the result, by its source and its arguments.
        result_marks: what is kept of the text that may have been read, for provenance of later arguments.
        iter_taint_fingerprints: see `ObservedText`.
        chunk: what the session's risk profile keeps of it.
        prepared_items: what it adds to the conversation.
        shape: how the call was written (`behaviour.CallShape`), None if nothing was read.
    """

    output: str = ""
    output_digest: str = ""
    origin: Provenance = Provenance.NOVEL
    result_marks: ResultMarks = NO_MARKS
    iter_taint_fingerprints: Callable[[], Iterable[int]] = tuple
    chunk: Chunk | None = None
    prepared_items: tuple[PreparedItem, ...] = ()
    shape: CallShape | None = None


def prepare_result_text(
    preparer: Preparer,
    context: DecisionContext,
    output: str,
    readable_text: str,
    history_items: tuple[HistoryItem, ...],
) -> Preparation[ResultText] | None:
    """What a thread of the store computes of a result's text before its outcome is recorded; None without a text.

    Args:
        preparer: seals and fingerprints it.
        context: context of the decision that let the action run.
        output: the text to record.
        readable_text: what may have been read of it.
        history_items: what it adds to the conversation.
    """
    if not output and not readable_text and not history_items:
        return None
    # INVARIANT: SAME - taken now: the tool that ran may still change the arguments that it was given.
    texts = _list_argument_texts(context)
    work = partial(
        _read_result_text, preparer, context, output, readable_text, argument_texts=texts, history_items=history_items
    )
    length = len(readable_text)
    for item in history_items:
        length += len(item.text)
    return Preparation(work, is_long=length > _LONG_TEXT)


def _list_argument_texts(context: DecisionContext) -> list[str]:
    """The texts of all arguments, both as decided and as executed."""
    texts = []
    for leaf in context.leaves:
        texts.append(leaf.text)  # noqa: PERF401  a comprehension is a call
    if context.args is not context.original_args:
        texts += extract_texts(context.args)
    return texts


def _list_argument_words(context: DecisionContext) -> list[list[str]] | None:
    """The tokens of each argument; None if an argument was cut, or was changed before the action ran."""
    words = []
    for leaf in context.leaves:
        if leaf.is_cut:
            return None
        words.append(leaf.words)
    return words if context.args is context.original_args else None


def _find_origin(context: DecisionContext, argument_texts: Sequence[str]) -> Provenance:
    """Provenance of a result, from its source, its arguments, and the actions that ran inside the action."""
    if context.has_exposed_body and context.resource.kind is not ActionKind.INFERENCE:
        return Provenance.UNTRUSTED
    origins, is_computed = judge_arguments(context.leaves, dict(context.provenance))
    is_key = is_lookup(context.resource) and all(map(is_lookup_key, argument_texts))
    exposed = context.state.view.tainted or is_computed
    is_own = bool(context.resource.own_places) and context.reads_own_place
    return origin_of_result(context.resource, origins, exposed=exposed, is_key=is_key, is_own=is_own)


def _are_arguments_users(context: DecisionContext) -> bool:
    """Whether the user wrote each argument as executed."""
    if context.args is not context.original_args:
        return False
    user = Provenance.USER
    for _, origin in context.provenance:
        if origin is not user:
            return False
    for leaf in context.leaves:  # noqa: SIM110  a generator is a call for each
        if leaf.is_cut:
            return False
    return True


def _returns_created(context: DecisionContext) -> bool:
    """Whether ids in the result count as known because the call created what they identify."""
    _, is_computed = judge_arguments(context.leaves, dict(context.provenance))
    exposed = context.state.view.tainted or is_computed
    return returns_created(context.resource, context.leaves, context.traced, context.sketch, exposed=exposed)


def _read_result_text(
    preparer: Preparer,
    context: DecisionContext,
    output: str,
    readable_text: str,
    *,
    argument_texts: list[str],
    history_items: tuple[HistoryItem, ...],
) -> ResultText:
    """Judge the origin of a result, and compute what is recorded and kept of its text; see `prepare_result_text`."""
    resource, assessment = context.resource, context.assessment
    is_created = resource.impact is Impact.WRITE and not context.has_exposed_body and _returns_created(context)
    origin = Provenance.KNOWN if is_created else _find_origin(context, argument_texts)
    if (
        origin is Provenance.UNTRUSTED
        and not context.has_exposed_body
        and is_receipt_of(resource, readable_text, context.leaves)
    ):
        origin = Provenance.NOVEL
    marks = NO_MARKS
    if resource.kind is not ActionKind.INFERENCE:  # a model's words are no source
        marks = _mark_result(preparer, context, readable_text, origin, argument_texts, is_created=is_created)
    chunk = None
    if assessment.score_name and readable_text and resource.kind in SCORED_KINDS:
        step, named = context.state.view.steps, assessment.names_requested
        chunk = preparer.make_chunk(resource.id, readable_text, step, names_requested=named)
    return ResultText(
        preparer.redactor.seal_text(output[:MAX_KEPT_CHARS]),
        preparer.digester.digest("halo/text", output.encode()) if output else "",
        origin,
        marks,
        partial(preparer.iter_taint_fingerprints, readable_text),
        chunk,
        prepare_items(context, history_items, marks),
        describe_shape(context),
    )


def _mark_result(
    preparer: Preparer,
    context: DecisionContext,
    readable_text: str,
    origin: Provenance,
    argument_texts: list[str],
    *,
    is_created: bool,
) -> ResultMarks:
    """What the session keeps of a result's text, so that values of later arguments can be traced to it."""
    tool, leaves = context.resource.id, context.leaves
    # What the list of records is about matters for untrusted results alone.
    is_foreign = origin is Provenance.UNTRUSTED
    is_of_one = is_foreign and lists_of_one(tool, leaves, context.traced, context.sketch)
    return read_result(
        preparer.sketch_key,
        readable_text,
        origin,
        argument_texts,
        find_nouns_of_result(tool),
        argument_words=_list_argument_words(context),
        brings_places=not is_created and not lists_files(tool, tuple(context.args)),
        are_arguments_users=_are_arguments_users(context),
        lists_records=is_foreign and (is_of_one or lists_records(leaves, tool)),
        is_named_list=is_foreign and names_list(tool) and not names_one_sender(leaves),
        is_filtered_list=is_foreign and lists_by_filters(context.args),
        own_domain=find_own_domain(context.principal.user) if is_foreign else "",
        parties=find_parties(leaves, context.traced) if is_foreign else frozenset(),
        is_of_one=is_of_one,
        reads_messages=is_foreign and speaks_of_messages(tool),
    )


@lru_cache(maxsize=1024)
def _list_reserved(charges: tuple[tuple[str, int], ...]) -> tuple[tuple[str, int], ...]:
    """The charges reserved for an action in the operator's own units; most actions have none."""
    return tuple([item for item in charges if item[0] not in RESERVED_UNITS])


@dataclass(frozen=True, slots=True)
class OutcomeJob:
    """Records the outcome of a dispatched action. Safe to run again: the second run does nothing.

    Args:
        context: context of the decision that let it run.
        status: `success`, `error`, `cancelled`, `paused` or `not_run`.
        text: what is made of the result's text, None if it has none.
        output_len: length of the text to record, in characters.
        readable_len: length of the text a reader may have seen; for an error, it can exceed what may be recorded.
        detail: class of the error, or how many documents were dropped.
        actual_costs: what it cost, in the units of the budgets, where that is not what was reserved.
        dropped: references of the id, empty if unknown, and of the text of each document that was dropped.
        history_items: what it adds to the conversation.
    """

    context: DecisionContext
    status: str
    text: Preparation[ResultText] | None = None
    output_len: int = 0
    readable_len: int = 0
    detail: str = ""
    actual_costs: Mapping[str, int] = field(default_factory=dict)
    dropped: tuple[tuple[str, str], ...] = ()
    history_items: tuple[HistoryItem, ...] = ()

    def __call__(self, tx: Transaction) -> None:
        """Append the outcome, and update what the session has seen."""
        context = self.context
        decided = context.appended.entry
        if tx.has_outcome(context.session, decided.writer, decided.seq):
            return
        text, detail = self._get_text()
        state = tx.load_session(context.session) if context.session else None
        origin, head = text.origin, ""
        if state is not None and self.readable_len and context.resource.kind is not ActionKind.INFERENCE:
            profile = tx.load_profile(state) if text.chunk is not None else None
            state, origin = self._observe(tx, state, text)
            head = pack_head(profile) if profile is not None else ""
        if state is not None and self.history_items:
            state = self._record_conversation(tx, state, text)
        charges = context.reserved_charges
        has_cost = charges and (self.actual_costs or self.status == "not_run")
        actual_costs = self._compute_actual_costs() if has_cost else {}
        body = self._describe(tx, text, detail)
        body["actual"] = list(map(list, sorted(actual_costs.items())))
        body["origin"] = str(origin)
        body["tainted"] = state.view.tainted if state is not None else False
        if state is not None:
            reserved = _list_reserved(charges)
            settled = self._settle_accounts(state, reserved, actual_costs) if reserved else ()
            state = state.with_update(settled, profile_head=head, tallies=self._update_tallies(state, text))
            body["quota"] = self._refund_quota(tx, actual_costs) if context.quota_day is not None else None
            body["state"] = state.make_commitment()
        written = tx.append(
            Draft(
                EntryKind.OUTCOME,
                context.session,
                encode_outcome(body, tx.writer.id),
                {"output": text.output.encode()} if text.output else {},
                context.subject,
                settles=(decided.writer, decided.seq),
                paused=self.status == "paused",
            )
        )
        if state is not None:
            tx.put_session(state, written.entry)

    def _describe(self, tx: Transaction, text: ResultText, detail: str) -> dict[str, Any]:
        """The members of the entry that follow from the job alone."""
        decided = self.context.appended.entry
        is_own = decided.writer == tx.writer.id
        return {
            "decision": {"w": decided.writer, "ws": decided.seq} if is_own else self.context.entry_reference,
            "detail": detail,
            "dropped": list(map(list, self.dropped)),
            "labels": list(self.context.resource.labels),
            "output_digest": text.output_digest,
            "output_len": self.output_len,
            "status": self.status,
        }

    def _get_text(self) -> tuple[ResultText, str]:
        """The prepared text of the result, and the detail to record, with the error if it could not be read."""
        text, detail = None, self.detail
        if self.text is not None:
            self.text.finish(_NO_TIMEOUT)
            text = self.text.result
            if self.text.error is not None:
                detail = ", ".join(filter(None, (detail, f"unread text: {type(self.text.error).__name__}")))
        if text is None:
            text = ResultText(origin=_find_origin(self.context, _list_argument_texts(self.context)))
        return text, detail

    def _observe(self, tx: Transaction, state: SessionState, text: ResultText) -> tuple[SessionState, Provenance]:
        """The session's state after it saw the result, and the provenance that the result gets."""
        if self.text is not None and self.text.error is not None:
            # INVARIANT: FAILCLOSED - a text that could not be read may have come from an untrusted source.
            observed = ObservedText(frozenset(), Provenance.UNTRUSTED, is_cut=True)
        else:
            is_cut = self.readable_len > MAX_TEXT
            observed = ObservedText(
                text.result_marks.marks,
                text.origin,
                is_cut=is_cut,
                iter_taint_fingerprints=text.iter_taint_fingerprints,
                result=text.result_marks,
            )
            if observed.origin is not Provenance.UNTRUSTED and tx.load_taint_index():
                observed = observed.resolve_origin(tx, after=find_checked_row(tx, self.context))
                if observed.origin is not Provenance.UNTRUSTED and is_place_tainted(tx, self.context, text.output):
                    # INVARIANT: taint outlives its session - an exposed session wrote to the place that was read.
                    observed = replace(observed, origin=Provenance.UNTRUSTED, is_recalled=True)
        if observed.origin is Provenance.NOVEL:
            return state, observed.origin
        sketch = tx.load_sketch(state)
        facts = self.context.facts
        is_pointed = facts is not None and facts.names_requested
        resource = self.context.resource
        state = record_observation(
            tx,
            state,
            sketch,
            observed,
            resource.id,
            chunk=text.chunk,
            is_pointed=is_pointed,
            is_labelled=bool(resource.labels),
            is_related=self._is_related(),
            is_resolved=True,
        )
        return state, observed.origin

    def _is_related(self) -> bool:
        """Whether the action touched only objects related to the request, and returned little."""
        event = self.context.event
        if event is None or not event.objects or self.readable_len > MAX_RELATED_RESULT:
            return False
        for item in event.objects:  # noqa: SIM110  a generator is two calls
            if not item.is_related:
                return False
        return True

    def _record_conversation(self, tx: Transaction, state: SessionState, text: ResultText) -> SessionState:
        """Record what was said or returned as part of the conversation."""
        source = f"{self.context.resource.id} (provider)"
        is_unread = self.text is not None and self.text.error is not None
        if is_unread and any(item.role is HistoryRole.PROVIDER_RESULT for item in self.history_items):
            # INVARIANT: FAILCLOSED - as in `_observe`.
            unread = ObservedText(frozenset(), Provenance.UNTRUSTED, is_cut=True)
            state = record_observation(tx, state, tx.load_sketch(state), unread, source)
        for read in text.prepared_items:
            if read.item.role is HistoryRole.PROVIDER_RESULT:
                # INVARIANT: a provider's tool ran without a decision, so its result is untrusted.
                is_cut = len(read.item.text) > MAX_TEXT
                observed = ObservedText(read.fingerprints, Provenance.UNTRUSTED, is_cut=is_cut)
                state = record_observation(tx, state, tx.load_sketch(state), observed, source)
        record_conversation(tx, self.context, state, text.prepared_items)
        return state

    def _update_tallies(self, state: SessionState, text: ResultText) -> tuple[AgentTally, ...] | None:
        """The session's tallies after the outcome; None if they do not change."""
        before = state.find_tally(self.context.principal.agent) if self.context.tally is not None else None
        if before is None or self.status == "paused":
            return None
        has_written = before.tally.refused and before.tally.has_written(fingerprint_call_of(self.context))
        tally = before.tally.with_outcome(
            failed=self.status == "error",
            result_bytes=self.readable_len,
            labels=self.context.resource.labels,
            shape=None if has_written else text.shape or describe_shape(self.context),
        )
        changed = AgentTally(before.agent, tally, before.verdict, before.is_hindered, before.role, before.is_observed)
        return state.tallies_with(changed)

    def _settle_accounts(
        self, state: SessionState, reserved: Iterable[tuple[str, int]], actual_costs: Mapping[str, int]
    ) -> list[Envelope]:
        """The accounts that reserved something for this action, settled."""
        handles = self.context.handles
        return [
            settle_account(account.envelope, reserved, actual_costs)
            for account in state.links
            if account.handle in handles
        ]

    def _compute_actual_costs(self) -> dict[str, int]:
        """The cost in each of the operator's own units in which it differs from what was reserved.

        Zero in each of them if the action did not run.
        """
        reserved = dict(_list_reserved(self.context.reserved_charges))
        if self.status == "not_run":
            return dict.fromkeys(reserved, 0)
        return {
            unit: amount for unit, amount in self.actual_costs.items() if unit in reserved and amount != reserved[unit]
        }

    def _refund_quota(self, tx: Transaction, actual_costs: Mapping[str, int]) -> dict[str, Any] | None:
        """Refund the unused part of the reserved cost to the day's quota; a past day gets no refund."""
        if self.context.quota_day is None or not actual_costs:
            return None
        day = read_quota_day(tx, self.context.quota_day.account)
        if day is None or day.number != self.context.quota_day.number:
            return None
        day = replace(day, version=day.version + 1)
        for unit, amount in self.context.reserved_charges:
            if unit in actual_costs:
                day = day.refund(unit, amount - actual_costs[unit])
        return write_quota_day(tx, day)
