"""Plans: what `decide` says of plain calls of one resource under one live chain, worked out once.

A plan can only say yes (allow or monitor). It says nothing of a call that is not plain, and `decide` decides that one:
INVARIANT: a plan's yes is the `Decision` that `decide` would give. The test suite decides every planned call again by
`decide`, production one in 256 (`halo_core.enforcement.planner`), replay decides by `decide` alone.

What a plan checks, by the step of `decide` that it answers:

    step                      when it is compiled (`compile_plan`)     for each call (`Plan.decide`)
    (1) well formed           -                                        no problem
    (2) session               -                                        there is one
    (3) stops, revocations    none applies                             the same ones are in force (`Planner`)
    (4) passport              right tenant and holder                  time in its window; it is live (`Planner`)
    (5) grants                resource granted by every link           arguments fit (`ArgumentCheck`)
        fields of a request   -                                        all of them known, no provider's tool offered
    (6) data labels           under every ceiling                      -
    (7) policy                rules that can apply, what they read     a permit known under its key, or asked for now
        sealed texts          -                                        none, so no rule or grant judges a digest
    (8) dispatched before     -                                        not dispatched
    (9) authority             floor                                    left after the charge, for each link
    (10) budgets              limits, price                            charge within each limit, amount readable
         quotas               the standing link has none               -
    (11) answers              -                                        no challenge pends, so no answer is needed
    (12) challenges, guard    -                                        no challenge pends; a yes needs no ability
    score                     -                                        none in force for any holder (`Planner`)
    behaviour                 -                                        nothing deviates from the profile (`Planner`)
    payments                  -                                        sums and repetition, as the rules read them
    remembered answers        -                                        none covers it (`Planner`)
    held acts                 -                                        none that it could rest on (`Planner`)

A plan holds as long as what it was compiled from is the same: the control row, stops, chain, credentials, principal and
resource. `halo_core.enforcement.planner.Planner` keeps plans and compares these; no plan ends by time alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from halo_core.authority import AccountTerms, find_decimals, find_floor, price_fixed, to_units
from halo_core.decision.checks import check_preconditions, stop_applies
from halo_core.decision.model_fields import MODEL_FIELD_ARGUMENTS
from halo_core.decision.record_members import GRANTED
from halo_core.model import (
    AccessRequest,
    ActionKind,
    Decision,
    Envelope,
    Link,
    Resource,
    SessionView,
    Snapshot,
)
from halo_core.passports import ArgumentCheck
from halo_core.policy import CedarPolicy, PreparedQuestion

Charges = tuple[tuple[str, int], ...]

_US: Final = 1_000_000
_NO_ARGUMENTS: Final = frozenset[str]()


class SessionFacts(Protocol):
    """The part of a session's state that a plan reads."""

    @property
    def view(self) -> SessionView:
        """Counters and taint."""

    @property
    def pending(self) -> int:
        """Challenges that are open, or answered and still unused."""


class Facts(Protocol):
    """The facts of a call that a plan reads; see `halo_core.enforcement.decision_context.DecisionContext`."""

    problem: str
    session: str
    sealed_args: Mapping[str, Any]
    may_hold_seal: bool
    is_dispatched: bool
    time_us: int
    accounts: tuple[Envelope, ...]
    charged_accounts: tuple[Envelope, ...]
    authority: int | None
    authority_left: int | None

    @property
    def state(self) -> SessionFacts:
        """The session's state."""


class Plan:
    """A precomputed decision for plain calls of one resource under one chain. Made by `compile_plan`."""

    __slots__ = ("_arguments", "_fields", "_floor", "_from_us", "_prices", "_question", "_terms", "_unit", "_until_us")

    def __init__(
        self,
        resource: Resource,
        chain: Sequence[Link],
        question: PreparedQuestion,
        arguments: list[ArgumentCheck],
        prices: tuple[Charges, Charges],
    ) -> None:
        self._arguments = arguments
        self._question = question
        self._fields = MODEL_FIELD_ARGUMENTS if resource.kind is ActionKind.INFERENCE else _NO_ARGUMENTS
        self._from_us = max([link.not_before_s for link in chain]) * _US
        self._until_us = min([link.expires_at_s for link in chain]) * _US
        self._floor = find_floor(chain, resource.impact)
        self._terms = [AccountTerms(link) for link in chain if link.decay is not None]
        self._prices = prices
        self._unit = (resource.unit, resource.amount, find_decimals(resource.unit, chain) or 0)

    def decide(self, facts: Facts) -> Decision | None:
        """Decide a call if the plan allows it. The resulting accounts and authority are then in `facts`.

        Args:
            facts: facts of the call; `accounts` are those of the chain's decaying links.
        """
        if (
            facts.problem  # (1)
            or not facts.session  # (2)
            or not self._from_us <= facts.time_us < self._until_us  # (4)
            or facts.may_hold_seal  # (5) (7)
            or not self._fields.isdisjoint(facts.sealed_args)  # (5)
            or facts.is_dispatched  # (8)
            or facts.state.pending  # (11) (12)
        ):
            return None
        for check in self._arguments:  # (5)
            if not check.allows(facts.sealed_args):
                return None
        view = facts.state.view
        charges = self._price(facts.sealed_args, tainted=view.tainted)  # (10)
        if charges is None or not self._charge(facts, charges, opened_us=view.opened_us):  # (9) (10)
            return None
        permit = self._question.find_permit(facts)  # (7)
        return None if permit is None else Decision(permit[0], permit[1] or GRANTED, (), charges)

    def _price(self, args: Mapping[str, Any], *, tainted: bool) -> Charges | None:
        """Price one call; None if its amount cannot be read."""
        charges = self._prices[tainted]
        unit, name, decimals = self._unit
        if not unit:
            return charges
        amount = to_units(args.get(name), decimals)
        if amount is None:
            return None
        due = dict(charges)
        due[unit] = due.get(unit, 0) + amount
        return tuple(sorted(due.items()))

    def _charge(self, facts: Facts, charges: Charges, *, opened_us: int) -> bool:
        """Charge every account, in `facts`; False if a limit would be exceeded or too little authority left."""
        charged, before, remaining = [], [], []
        for terms, account in zip(self._terms, facts.accounts, strict=True):
            outcome = terms.charge(account, charges, opened_us=opened_us, time_us=facts.time_us)
            if outcome is None:  # (10)
                return False
            charged.append(outcome[0])
            before.append(outcome[1])
            remaining.append(outcome[2])
        facts.charged_accounts = tuple(charged)
        facts.authority, facts.authority_left = min(before), min(remaining)
        # INVARIANT: CLOSE, MONO - as in `check_limits`: judged after this action's own charge, at the least of all.
        return facts.authority_left >= self._floor  # (9)


def compile_plan(request: AccessRequest, snapshot: Snapshot) -> Plan | None:
    """Make the plan for a request's resource under a snapshot's chain; None if no plain call of it can be planned.

    Args:
        request: any request for the resource by this principal in this session, without a problem.
        snapshot: holds every stop and revocation there is, applying or not.
    """
    chain, resource, policy = snapshot.chain, request.resource, snapshot.policy
    rules = [link.grants.get(request.kind, {}).get(resource.id) for link in chain]
    untainted, tainted = price_fixed(resource, chain, tainted=False), price_fixed(resource, chain, tainted=True)
    if (
        check_preconditions(request, snapshot) is not None  # (3) (4)
        or any(stop_applies(stop, request, chain) for stop in snapshot.stops)  # (3) a suspension may begin any time
        or request.kind is ActionKind.HANDOFF  # (5)
        or None in rules  # (5)
        or any(link.labels is not None and not set(resource.labels) <= set(link.labels) for link in chain)  # (6)
        or untainted.problems  # (10)
        or (resource.unit and find_decimals(resource.unit, chain) is None)  # (10)
        or chain[0].quotas  # (10)
        or not isinstance(policy, CedarPolicy)
    ):
        return None
    question = policy.prepare_question(request)  # (7)
    if not question.is_answerable:
        return None
    # Handed on as they are, grants are the same object; what one link accepts its parent accepts (INVARIANT: SUB).
    different = {id(rule): ArgumentCheck(rule) for rule in rules if rule is not None}
    return Plan(resource, chain, question, list(different.values()), (untainted.charges, tainted.charges))
