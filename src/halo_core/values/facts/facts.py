"""Facts about a call that a policy reads, such as `asked`: reasons to ask a person, or not to.

    find_facts(resource, args, leaves, traced, sketch, sources)
    # of "Pay the invoice to Ana", pay(to="Ana"): facts=("asked", "requested")

INVARIANT: a fact spares only questions about values. It never spares a limit of volume or amount, a label or
behaviour. docs/policy.md defines each fact; a rule reads it as an attribute of `context`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, Final

from halo_core.model import Fact, Impact, ProgramClass, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.values.facts.amount_facts import (
    exceeds_amount,
    has_unvouched_amount,
    is_amount_asked,
    is_amount_listed,
    leaves_amount_open,
)
from halo_core.values.facts.call_facts import CallFacts
from halo_core.values.facts.call_programs import are_programs_listed, judge_call_programs
from halo_core.values.facts.carried_facts import carries_labelled, names_foreign
from halo_core.values.facts.fact_sources import NO_SOURCES, FactSources
from halo_core.values.facts.stored_targets import stores_target
from halo_core.values.language.lexicon import SENSITIVE_WORDS
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch

_STORING: Final = (Impact.WRITE, Impact.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ActionFacts:
    """The facts of one call.

    Args:
        facts: those that hold, sorted.
        program: class of the most dangerous program among its arguments.
        names_requested: the call names something, and all that it names was written by the user.
    """

    facts: tuple[Fact, ...] = ()
    program: ProgramClass = ProgramClass.NONE
    names_requested: bool = False


def find_facts(  # noqa: PLR0917  what facts are found from
    resource: Resource,
    args: Mapping[str, Any],
    leaves: Iterable[Leaf],
    traced: Sequence[TracedLeaf],
    sketch: Sketch,
    sources: FactSources = NO_SOURCES,
) -> ActionFacts:
    """Find the facts of one call; pure.

    Args:
        resource: what is acted on.
        args: the real arguments.
        leaves: of the arguments.
        traced: the same leaves with their origins, from `trace_leaves`.
        sketch: what the session has seen.
        sources: what else facts are found from, such as what was paid today.
    """
    call = CallFacts(resource, args, leaves, traced, sketch, sources)
    program, ordered = judge_call_programs(call.view), sources.ordered_pointers
    if ordered is not None and program is ProgramClass.ACTS and are_programs_listed(call.view, ordered):
        program = ProgramClass.VOUCHED
    has_open_targets = call.has_open_targets
    pays_amount = resource.impact is Impact.PAYMENT and bool(resource.amount)
    conditions = (  # in the order of `_FACTS`
        call.is_asked(),
        has_open_targets and call.is_alias(),
        bool(sources.pointed) and call.is_pointed_at(),
        call.is_requested(),
        has_open_targets and call.is_named_record(),
        has_open_targets and call.hosts.are_vouched(),
        bool(resource.targets) and call.is_unchanged(),
        bool(resource.amount) and is_amount_asked(call.view),
        resource.impact is Impact.PAYMENT
        and not is_amount_listed(call.view, sources)
        and exceeds_amount(call.view, call.targets, sources)
        and not call.is_payment_stated(),
        pays_amount and has_unvouched_amount(call.view, sources) and not call.is_payment_stated(),
        pays_amount and leaves_amount_open(call.view, sources),
        call.hosts.has_new(),
        resource.impact in _STORING
        and (
            stores_target(call.view, call.has_untrusted_path(), call.is_copied, args, sources.names)
            or call.is_unasked_change()
        ),
        bool(sources.labelled) and carries_labelled(call.view, call.queries, sources.labelled),
        resource.classified != "declared" and names_foreign(call.view),
        sources.is_established,
        sources.knows_places and not call.reads_any(SENSITIVE_WORDS),
        ordered is not None,
        sources.lists_orders and call.is_in_no_order(),
    )
    return ActionFacts(tuple(sorted(compress(_FACTS, conditions))), program, call.names_requested())


_FACTS: Final = (
    Fact.ASKED,
    Fact.ALIAS,
    Fact.POINTED_AT,
    Fact.REQUESTED,
    Fact.NAMED_RECORD,
    Fact.SAME_HOST,
    Fact.UNCHANGED,
    Fact.AMOUNT_ASKED,
    Fact.AMOUNT_EXCEEDS,
    Fact.AMOUNT_UNVOUCHED,
    Fact.AMOUNT_LEFT_OPEN,
    Fact.NEW_HOST,
    Fact.STORES_TARGET,
    Fact.CARRIES_LABELLED,
    Fact.NAMES_FOREIGN,
    Fact.ESTABLISHED,
    Fact.KNOWN_PLACE,
    Fact.LISTED,
    Fact.IN_NO_ORDER,
)
"""In a constant, since looking up a member of an enumeration takes as long as ten other steps."""
