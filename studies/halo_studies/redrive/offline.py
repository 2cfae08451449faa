"""The starter policy over recorded sessions without a framework: the same values, facts and rules, and no passport.

    for outcome in replay_session(session, policy, declarations): ...

What a redrive does with a store, passports and budgets is left out, so that all recorded sessions take minutes. A
sample of them is redriven for real to show that both agree (`redrive.py --offline`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from halo_core.decision.answers import moves_money
from halo_core.enforcement.action_facts import POINTED_MARK
from halo_core.enforcement.guesses import guess_tool
from halo_core.enforcement.registry import complete_resource
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Context,
    Effect,
    Impact,
    Mode,
    Origin,
    PolicyView,
    Principal,
    Provenance,
    Resource,
    SessionView,
    Snapshot,
    Trigger,
)
from halo_core.policy.encoding import find_amount, read_amount
from halo_core.values.facts.answer_scope import (
    AnswerScope,
    asks_for,
    covers_targets,
    find_amount_terms,
    find_answer_scope,
    list_known_names,
)
from halo_core.values.facts.call_view import trace_call
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.facts.facts import ActionFacts, find_facts
from halo_core.values.kinds.addresses import find_own_address, find_own_domain
from halo_core.values.kinds.argument_names import find_nouns_of_result, lists_files, name_of_argument, names_list
from halo_core.values.provenance.argument_forms import ArgumentValue
from halo_core.values.provenance.created_objects import returns_created
from halo_core.values.provenance.leaves import Leaf, parse_leaves
from halo_core.values.provenance.observed_text import (
    ResultMarks,
    fingerprint_text,
    fingerprint_vouching_text,
    is_lookup_key,
    read_result,
)
from halo_core.values.provenance.receipts import is_receipt_of
from halo_core.values.provenance.record_lists import find_parties, lists_of_one, lists_records, names_one_sender
from halo_core.values.provenance.result_origins import judge_arguments, origin_of_result, reads_own_place
from halo_core.values.provenance.traced_leaves import TracedLeaf, vouch_for_user
from halo_core.values.sketches.sketch import MAX_SOURCE_INDEX, Sketch
from halo_studies.recordings.sessions import Event, Session

__all__ = ["Act", "Judgement", "Role", "register", "replay_session"]

_KEY: Final = b"redrive"
_ABILITIES: Final = ("pause", "clamp", "redact", "drop_documents", "drop_labels", "redact_output", "hold_output")


@dataclass(frozen=True, slots=True)
class Role:
    """What an agent of a replay is told of its tools, and what its operator declared.

    Args:
        declare: the declaration of a tool of a kind; None where it is left to be guessed.
        schemas: tool → names of its arguments.
        own_domains: mail domains declared as the tenant's own.
        user: whom the agent acts for.
        undeclared: no tool is declared.
        known: kind and canonical form of what is declared as known.
    """

    declare: Callable[[str, str], Resource | None]
    schemas: Mapping[str, tuple[str, ...]]
    own_domains: frozenset[str] = frozenset()
    user: str = ""
    undeclared: bool = False
    known: frozenset[tuple[str, str]] = frozenset()

    def names_known(self, value: ArgumentValue) -> bool:
        """Whether the operator declared a value of an argument as known."""
        return not self.known.isdisjoint(list_known_names(value))


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a score says of one action: risk 0..1000, band 0..2, what its baseline knows (`FactSources`)."""

    risk: int | None = None
    band: int = 0
    is_established: bool = False
    knows_places: bool = False


@dataclass(frozen=True, slots=True)
class Act:
    """One replayed action.

    Args:
        event: the recorded one.
        resource: as registered.
        effect: what the policy says.
        rules: that made it more than `monitor`.
        codes: of the questions and denials among them.
        targets: texts of its targets.
        object: texts of its short arguments.
        scope: what a remembered answer to it would cover.
        are_targets_covered: each target that nobody vouched for belongs to that scope.
        amount: absolute, in ten-thousandths; None where it names none that can be read.
        amount_terms: what of a payment an answer to its amount would hold for.
    """

    event: Event
    resource: Resource
    effect: Effect
    rules: tuple[str, ...]
    codes: frozenset[str]
    targets: tuple[str, ...]
    object: tuple[str, ...]
    scope: AnswerScope
    are_targets_covered: bool
    amount: int | None
    amount_terms: tuple[str, ...] = ()

    @property
    def moves_money(self) -> bool:
        """Whether it may move money."""
        return moves_money(self.resource)

    @property
    def is_stopped(self) -> bool:
        """Whether it did not run unasked."""
        return self.effect in (Effect.CHALLENGE, Effect.DENY)


@lru_cache(maxsize=4096)
def _read(text: str, origin: Provenance, arguments: tuple[str, ...], nouns: tuple[str, ...], **how: Any) -> ResultMarks:
    return read_result(_KEY, text, origin, arguments, nouns, **how)


@lru_cache(maxsize=4096)
def register(declared: Resource | None, kind: str, tool: str, arguments: tuple[str, ...]) -> Resource:
    """A tool as an adapter registers it."""
    guess = guess_tool(tool, tool, {"properties": dict.fromkeys(arguments)})
    return complete_resource(declared, guess, kind=ActionKind(kind), name=tool, arguments=sorted(arguments))


class _Replay:
    def __init__(self, session: Session, role: Role) -> None:
        self.role = role
        self.sketch = Sketch(_KEY)
        self.sources: list[str] = []
        self.pointed: set[int] = set()
        self.tainted = False
        self._show_request(session.request)

    def _show_request(self, text: str) -> None:
        marks = _fingerprint_request(text)
        spans = fingerprint_vouching_text(self.sketch, text, is_vouched=True)
        self.sketch.merge(self.sketch.compute_additions(marks, Provenance.USER, vouched=True))
        self.sketch.spans[Provenance.USER].add(spans)

    def show_result(
        self, text: str, resource: Resource, leaves: Sequence[Leaf], traced: Sequence[TracedLeaf], *, pointed: bool
    ) -> None:
        """Take in a result as an outcome does (`halo_core.enforcement.outcome_job`)."""
        if not text:
            return
        origins, is_computed = judge_arguments(leaves, {leaf.pointer: leaf.origin for leaf in traced})
        exposed = self.tainted or is_computed
        texts = [leaf.text for leaf in leaves]
        is_created = returns_created(resource, leaves, traced, self.sketch, exposed=exposed)
        origin = (
            Provenance.KNOWN
            if is_created
            else origin_of_result(
                resource,
                origins,
                exposed=exposed,
                is_key=all(map(is_lookup_key, texts)),
                is_own=reads_own_place(resource, leaves),
            )
        )
        if origin is Provenance.NOVEL or (origin is Provenance.UNTRUSTED and is_receipt_of(resource, text, leaves)):
            return
        arguments = tuple(name_of_argument(leaf.pointer) for leaf in leaves)
        is_of_one = lists_of_one(resource.id, leaves, traced, self.sketch)
        result = _read(
            text,
            origin,
            tuple(texts),
            find_nouns_of_result(resource.id),
            brings_places=not is_created and not lists_files(resource.id, tuple(dict.fromkeys(arguments))),
            lists_records=is_of_one or lists_records(leaves, resource.id),
            is_named_list=names_list(resource.id) and not names_one_sender(leaves),
            own_domain=find_own_domain(self.role.user),
            parties=find_parties(leaves, traced),
            is_of_one=is_of_one,
        )
        name = resource.id + POINTED_MARK * pointed
        if name not in self.sources and len(self.sources) < MAX_SOURCE_INDEX:
            self.sources.append(name)
        place = self.sources.index(name) + 1 if name in self.sources else MAX_SOURCE_INDEX
        if pointed and place < MAX_SOURCE_INDEX:
            self.pointed.add(place)
        sketch, shown = self.sketch, Provenance.SYSTEM if origin is Provenance.KNOWN else origin
        additions = sketch.compute_additions(result.marks, shown, source_number=place)
        additions |= sketch.compute_additions(result.known, Provenance.SYSTEM, source_number=place)
        sketch.merge(additions)
        if result.spans:
            sketch.spans[Provenance.KNOWN].add(result.spans)
        self.tainted = self.tainted or origin is Provenance.UNTRUSTED


@lru_cache(maxsize=256)
def _fingerprint_request(text: str) -> frozenset[int]:
    return fingerprint_text(_KEY, text, vouching=True)


def replay_session(
    session: Session, policy: PolicyView, role: Role, judgements: Sequence[Judgement] = (), *, went_on: bool = True
) -> Iterator[Act]:
    """The acts of a session under a policy; every act is shown its recorded result, as in a redrive.

    Args:
        session: as recorded.
        policy: that decides.
        role: of its agent.
        judgements: of its actions by a score; none where there is no score.
        went_on: the session goes on with the recorded result after a question.
    """
    replay = _Replay(session, role)
    for number, event in enumerate(session.events):
        declared = None if role.undeclared else role.declare(event.tool, event.kind)
        resource = register(declared, event.kind, event.tool, role.schemas.get(event.tool, tuple(sorted(event.args))))
        judged = judgements[number] if judgements else Judgement()
        leaves = parse_leaves(event.args)
        traced = vouch_for_user(
            trace_call(resource, leaves, replay.sketch, role.names_known),
            leaves,
            role.user,
        )
        sources = FactSources(
            pointed=frozenset(replay.pointed),
            names=tuple(name.removesuffix(POINTED_MARK) for name in replay.sources[: MAX_SOURCE_INDEX - 1]),
            is_own_domain=replay.role.own_domains.__contains__,
            is_established=judged.is_established,
            knows_places=judged.knows_places,
            own_address=find_own_address(role.user),
            payment_request=session.request if asks_for(session.request, Impact.PAYMENT) else "",
            find_payment_text=lambda request=session.request: request,
        )
        facts = find_facts(resource, event.args, leaves, traced, replay.sketch, sources)
        request, snapshot = _make_inputs(resource, event.args, traced, facts, judged, policy, tainted=replay.tainted)
        answer = policy.answer(request, snapshot)
        effect = answer.effect if answer.permitted and not answer.errors else Effect.DENY
        rules = tuple(reason.source for reason in answer.reasons if reason.effect not in ("monitor", "allow"))
        stopping = (Effect.CHALLENGE.value, Effect.DENY.value)
        places = {leaf.pointer for leaf in traced if leaf.is_target}
        short = [leaf.text for leaf in leaves if len(leaf.text) <= 80 and len(leaf.text.split()) <= 4]
        amount = read_amount(find_amount(event.args, resource.amount)) if moves_money(resource) else None
        yield Act(
            event,
            resource,
            effect,
            rules,
            frozenset(reason.code for reason in answer.reasons if reason.effect in stopping),
            tuple(sorted(leaf.text for leaf in leaves if leaf.pointer in places)),
            tuple(sorted(short)),
            find_answer_scope(resource, event.args),
            covers_targets(resource, event.args, traced),
            None if amount is None else abs(amount),
            find_amount_terms(resource, event.args) if resource.impact is Impact.PAYMENT else (),
        )
        if went_on or effect not in (Effect.CHALLENGE, Effect.DENY):
            text = event.error or event.result
            replay.show_result(text, resource, leaves, traced, pointed=facts.names_requested)


def _make_inputs(  # noqa: PLR0917  private, one caller
    resource: Resource,
    args: Mapping[str, Any],
    traced: Iterable[Any],
    facts: ActionFacts,
    judged: Judgement,
    policy: PolicyView,
    *,
    tainted: bool,
) -> tuple[AccessRequest, Snapshot]:
    traced = tuple(traced)
    request = AccessRequest(
        subject=Principal("local", "agent", ""),
        kind=resource.kind,
        resource=resource,
        args=args,
        args_digest="",
        request_id="",
        context=Context("session", "host", "", "", Trigger(), Origin(), "dev", _ABILITIES),
    )
    snapshot = Snapshot(
        time_us=0,
        mode=Mode.ENFORCE,
        control_version=0,
        session=SessionView("session", 0, 0, 0, 0, tainted),
        uses=1,
        provenance=tuple((leaf.pointer, leaf.origin) for leaf in traced),
        targets=tuple((leaf.pointer, leaf.kind.value, leaf.flags) for leaf in traced if leaf.is_target),
        chain=(),
        policy=policy,
        risk=judged.risk,
        band=judged.band,
        facts=facts.facts,
        program=facts.program,
    )
    return request, snapshot
