"""Hand-offs between agents, as the facade and every adapter offer them.

A hand-off is an action of kind `handoff`, named after its receiver, so a grant of the agent covers every way to reach
it. `DelegationMixin.hand_off` gives another agent part of what an agent has. `agent_scope` is for frameworks that
report which agent acts: inside the block, an agent that has a live link goes on under it. A nested block cannot act for
an agent further up: if it names one, the agent that acts around the block goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any, Final, Protocol, TypeVar

from halo_core.enforcement.activities import note_link
from halo_core.enforcement.call import Call
from halo_core.enforcement.enforcer import Enforcer, Ticket
from halo_core.enforcement.guards import clean_name, make_unregistered_resource
from halo_core.enforcement.guesses import guess_tool
from halo_core.enforcement.hand_offs import HandOff
from halo_core.enforcement.obligations import Surface
from halo_core.enforcement.registry import build_guessed_resource
from halo_core.enforcement.session_context import ActiveDelegation, delegation_scope
from halo_core.enforcement.step_methods import StepScope
from halo_core.enforcement.steps import Emit, Steps, TwoWayStep, get_thrown_error
from halo_core.errors import ConfigError, Denied
from halo_core.model import ActionKind, Impact, Resource, Reversal
from halo_core.quick_dataclass import dataclass

__all__ = [
    "HANDOFF_SURFACE",
    "ActiveAgent",
    "AgentScope",
    "DelegationFacade",
    "DelegationMixin",
    "DelegationTerms",
    "HandOff",
    "allowed_agents_scope",
    "find_agent_resource",
    "guess_callback_resource",
    "note_allowed_agent",
    "register_agent_resource",
    "to_task_arguments",
    "with_delegation_terms",
]

T = TypeVar("T")
_AGENT_RESOURCE: Final = Resource(
    kind=ActionKind.HANDOFF,
    impact=Impact.READ,
    reversal=Reversal.NONE_NEEDED,
    source_trust=500,
    # A node that runs again hands off again; the link that it made is found, or was handed back.
    idempotent=True,
)
_AGENT_SCHEMA: Final = {"type": "object", "properties": {"task": {"type": "string"}}}
_MAX_AGENT_RESOURCES: Final = 16
_SCOPE_ABILITIES: Final = ("clamp", "pause", "redact")  # a block has no output that could be narrowed
_END_SURFACE: Final[Surface[str]] = Surface(text=str)


class DelegationFacade(Protocol):
    """What a hand-off needs of an adapter's `Halo`; see `HaloBase`."""

    agent: str
    enforcer: Enforcer

    delegation_terms: DelegationTerms

    def find_registered(self, name: str) -> Resource | None:
        """The registration of a resource id."""

    def find_declared(self, name: str, *kinds: ActionKind) -> Resource | None:
        """The manifest's declaration of a name."""

    def get_argument_names(self, name: str) -> list[str] | None:
        """Names of the arguments that a registered resource takes."""

    def register(
        self,
        kind: ActionKind,
        name: str,
        *,
        resource: Resource | None = None,
        description: str = "",
        schema: Mapping[str, Any] | None = None,
    ) -> Resource:
        """Register a resource."""

    def build_call(self, resource: Resource, args: Mapping[str, Any], *, call_id: str = "") -> Call:
        """A call in this context."""


def _handoff_text(_result: Any) -> str:
    return "handed off"


HANDOFF_SURFACE: Final[Surface[Any]] = Surface(text=_handoff_text)
"""What a hand-off gives back is its framework's own: nothing that anybody read there and then."""


def register_agent_resource(halo: DelegationFacade, agent: str, resource: Resource | None = None) -> Resource:
    """Register an agent, once for its node and every tool that hands off to it; returns the resource.

    Raises:
        ConfigError: its name belongs to a resource of another kind.
    """
    name = clean_name(agent)
    registered = halo.find_registered(name)
    if registered is not None and registered.kind is not ActionKind.HANDOFF:
        registered = None  # registering says whose name it is
    if registered is not None and registered.idempotent and resource is None:
        return registered
    declared = resource or registered or halo.find_declared(name, ActionKind.HANDOFF) or _AGENT_RESOURCE
    # A step that is run again after a pause or an error enters its agent again; that hands on nothing twice.
    return halo.register(
        ActionKind.HANDOFF,
        name,
        resource=replace(declared, id=name, kind=ActionKind.HANDOFF, idempotent=True),
        schema=_AGENT_SCHEMA,
    )


def find_agent_resource(halo: DelegationFacade, agent: str) -> Resource:
    """The registered resource of an agent, or an unregistered one, which is granted to nobody."""
    registered = halo.find_registered(agent)
    return (
        registered
        if registered is not None and registered.kind is ActionKind.HANDOFF
        else make_unregistered_resource(agent, ActionKind.HANDOFF)
    )


def to_task_arguments(args: Mapping[str, Any]) -> dict[str, Any]:
    """Convert a hand-off tool's arguments into those of the hand-off: the task, as text."""
    if not args:
        return {"task": ""}
    single_value = next(iter(args.values())) if len(args) == 1 else None
    return {"task": single_value if isinstance(single_value, str) else json.dumps(args, sort_keys=True, default=str)}


def guess_callback_resource(resource_id: str, function_name: str, schema: Mapping[str, Any]) -> Resource:
    """Guess the class of a host function that a hand-off calls with what a model wrote.

    The name of its function and its arguments count, since the name of a hand-off itself says `transfer` of every one.
    What names no target and no amount takes a note.
    """
    guess = build_guessed_resource(guess_tool(function_name, "", schema))
    has_arguments = bool(schema.get("properties"))
    if guess.impact is Impact.UNKNOWN and not guess.targets and not guess.amount and has_arguments:
        guess = replace(guess, impact=Impact.WRITE, reversal=Reversal.UNDO, classified="guessed")
    return replace(guess, id=resource_id)


# Whom the agents that act here, the innermost last, have been allowed to hand off to since they were entered.
_ALLOWED_AGENTS: Final[ContextVar[tuple[set[str], ...]]] = ContextVar("halo_allowed_agents", default=())


@contextmanager
def allowed_agents_scope() -> Iterator[set[str]]:
    """Run an agent; yields a set, filled meanwhile, of the agents that it or one below it may hand off to."""
    allowed: set[str] = set()
    token = _ALLOWED_AGENTS.set((*_ALLOWED_AGENTS.get(), allowed))
    try:
        yield allowed
    finally:
        _ALLOWED_AGENTS.reset(token)


def note_allowed_agent(agent: str) -> None:
    """Note that the actor and every agent above it may hand off to this agent."""
    for names in _ALLOWED_AGENTS.get():
        names.add(agent)


def with_delegation_terms(halo: DelegationFacade, call: Call) -> Call:
    """Add the receiver's terms to the call of a hand-off."""
    return replace(call, hand_off=halo.delegation_terms.get(call.resource.id))


class DelegationTerms:
    """How much each agent of the guarded graphs and teams is given."""

    __slots__ = ("_by_agent",)

    def __init__(self) -> None:
        self._by_agent: dict[str, HandOff] = {}

    def get(self, agent: str) -> HandOff:
        """The terms for an agent; by default everything that the giver has."""
        return self._by_agent.get(agent) or HandOff()

    def set_all(self, give: Mapping[str, HandOff], agents: Collection[str], where: str) -> None:
        """Set the terms that a host gave for some of these agents; `where` names the place for error messages.

        Raises:
            ConfigError: a name is no agent's, or other terms were fixed for it.
        """
        for name, terms in give.items():
            if clean_name(name) not in map(clean_name, agents):
                raise ConfigError(
                    "no_such_agent",
                    f"`{name}` is not an agent {where}",
                    field="give",
                    remedy=f"one of: {', '.join(sorted(agents))}",
                )
            self.set_terms(name, terms)

    def set_terms(self, agent: str, terms: HandOff) -> None:
        """Fix the terms for an agent.

        Raises:
            ConfigError: other terms were fixed for it: a graph must not widen what another one narrowed.
        """
        current = self._by_agent.setdefault(clean_name(agent), terms)
        if current != terms:
            raise ConfigError(
                "terms_taken",
                f"`{agent}` already has other terms",
                field="give",
                remedy="use the same terms for an agent in every graph, or open another Halo",
            )


@dataclass(slots=True)
class ActiveAgent:
    """An agent that is acting now.

    Attributes:
        handle: handle of the link it acts under; empty for the facade's own agent, and where observe mode let a refused
            hand-off run, which makes no link.
        is_new_link: whether the link was made here, and so ends with the block.
        used_answer: whether somebody's answer let it begin.
        is_link_kept: whether `keep_link` was called.
    """

    handle: str
    is_new_link: bool
    used_answer: bool
    _will_hand_back: bool
    is_link_kept: bool = False

    @property
    def will_hand_back(self) -> bool:
        """Whether the link is handed back when the block ends."""
        return self._will_hand_back and bool(self.handle)

    def keep_link(self) -> None:
        """Leave the link live when the block ends: the agent paused, or handed on."""
        self.is_link_kept, self._will_hand_back = True, False

    def hand_back(self) -> None:
        """Hand the link back when the block ends, even if an earlier run had kept it live."""
        self.is_link_kept, self._will_hand_back = False, True


@dataclass(frozen=True, slots=True)
class _DelegationPlan:
    """How an agent begins to act: the call to decide, who acts then, and whether a link is made for it."""

    call: Call
    agents: tuple[str, ...]
    makes_link: bool
    claimed_handle: str = ""


class AgentScope:
    """An agent whose start is decided: it acts during the procedure of `run`, or until `close`.

    The latter is for frameworks whose steps are tasks of their own and fit in no block.

    Attributes:
        agent: the agent that `agent_scope` yields.
        delegation: what it acts under; None if it is the facade's own agent, or no link was made.
        owns_link: whether the link is this scope's alone (made for it, or kept by an earlier one), and so may be
            handed back.
    """

    __slots__ = ("_facade", "_plan", "_ticket", "agent", "delegation", "owns_link")

    def __init__(self, facade: DelegationMixin, plan: _DelegationPlan, ticket: Ticket) -> None:
        self._facade = facade
        self._plan = plan
        self._ticket = ticket
        self.agent = _make_active_agent(plan, ticket)
        handle = self.agent.handle
        self.delegation = ActiveDelegation(facade.agent, plan.call.session, handle, plan.agents) if handle else None
        self.owns_link = self.agent.is_new_link or bool(plan.claimed_handle)

    def run(self, body: Callable[[ActiveAgent], Steps[T]]) -> Steps[T]:
        """Run a procedure as the agent; when it ends, hand the link back durably unless it was kept."""
        try:
            if self.delegation is not None:
                note_link()
            with delegation_scope(self.delegation):
                try:
                    result: T = yield from body(self.agent)
                finally:
                    if self.agent.will_hand_back:
                        yield from self._facade.enforcer.hand_back(_ticket_session(self._ticket), self.agent.handle)
        except BaseException as exc:
            self._end(get_thrown_error(exc))
            raise
        self._end(None)
        return result

    def close(self, error: BaseException | None = None) -> None:
        """Record the end and hand the link back unless it was kept; does not block."""
        if self.agent.will_hand_back:
            self._facade.enforcer.defer_hand_back(_ticket_session(self._ticket), self.agent.handle)
        self._end(error)

    def _end(self, error: BaseException | None) -> None:
        self._facade.forget_links(self._plan, self.agent)
        if error is None:
            self._ticket.succeed("handed on" if self.agent.is_link_kept else "handed back", _END_SURFACE)
        elif self.agent.is_link_kept:
            self._ticket.pause(error)
        else:
            self._ticket.fail(error)


def _emit_agent(active: ActiveAgent) -> Steps[None]:
    """The body of a `with` block."""
    yield Emit(active)


class DelegationMixin(DelegationFacade, Protocol):
    """Hand-off methods of `HaloBase`, built on the methods of `DelegationFacade`."""

    _undeclared_count: int = 0
    # Links that an open block of this process acts under, so that two blocks side by side never share one.
    _claimed_links: dict[str, object]

    @contextmanager
    def hand_off(self, to: str, *, task: str = "", give: HandOff | None = None, call_id: str = "") -> Iterator[str]:
        """Hand off to another agent, which acts inside the block under a narrower link and hands back at its end.

        The hand-off is decided like any action. What the receiver spends is charged to all agents above it, and its
        authority is never more than theirs. The acting agent cannot make an agent further up the chain act: if it names
        one, the block runs under the acting agent's own link.

        Args:
            to: the receiver's id.
            task: what the receiver is asked to do; recorded.
            give: how much of its own the acting agent gives; None gives everything.
            call_id: the framework's id of the hand-off.

        Yields:
            The handle of the link.

        Raises:
            Denied: it may not hand off to this agent.
        """
        plan = self._plan_new_link(self._build_scope_call(to, task, give, call_id))
        with StepScope[ActiveAgent](AgentScope(self, plan, self.enforcer.begin(plan.call)).run(_emit_agent)) as active:
            yield active.handle

    def agent_scope(
        self, agent: str, *, call_id: str = "", task: str = "", give: HandOff | None = None
    ) -> StepScope[ActiveAgent]:
        """Run a block (`with` or `async with`) in which `agent` acts in this context's session.

        An agent that has a live link in the session goes on under it. That is decided as a hand-off to itself, and
        links below it are handed back. For any other agent a hand-off from the acting agent is decided, which makes a
        link; it is handed back at the end of the block, unless `ActiveAgent.keep_link` was called.

        An agent further up the chain of the acting agent cannot be entered. The block then runs under the acting
        agent's own link, and is decided as its hand-off to itself.

        Args:
            agent: id of the agent.
            call_id: the framework's id of this step.
            task: what the agent is asked to do; recorded.
            give: if a link is made, how much of its own the acting agent gives; None gives everything.

        Yields:
            The agent.

        Raises:
            Denied: the agent may not act here.
            Pending: the hand-off waits for an approval.
        """

        def steps() -> Steps[None]:
            scope = yield from self.begin_agent(agent, call_id=call_id, task=task, give=give)
            yield from scope.run(_emit_agent)

        return StepScope(steps())

    def begin_agent(
        self, agent: str, *, call_id: str = "", task: str = "", give: HandOff | None = None
    ) -> Steps[AgentScope]:
        """Decide, as a procedure, whether an agent may start to act; see `agent_scope`.

        Raises:
            Denied: it may not act here.
            Pending: it waits for an approval.
        """
        call = self._build_scope_call(agent, task, give, call_id)
        enforcer = self.enforcer
        plan = yield from self._plan_existing_link(call)
        try:
            try:
                ticket: Ticket = yield TwoWayStep(enforcer.begin, enforcer.abegin, plan.call)
            except Denied as exc:
                if plan.makes_link or exc.reason != "handed_back":
                    raise
                # The link that was found live was handed back before the decision.
                self._release_claim(plan)
                plan = yield from self._plan_existing_link(call)
                ticket = yield TwoWayStep(enforcer.begin, enforcer.abegin, plan.call)
        except BaseException:
            self._release_claim(plan)
            raise
        return AgentScope(self, plan, ticket)

    def register_agent(self, name: str) -> Resource:
        """Register an agent that can receive hand-offs, before any link names it.

        Raises:
            ConfigError: the id is taken by another kind.
        """
        registered = self.find_registered(name)
        if registered is not None and registered.kind is ActionKind.HANDOFF:
            return registered
        return self.register(ActionKind.HANDOFF, name, resource=_AGENT_RESOURCE, schema=_AGENT_SCHEMA)

    def _build_delegation_call(self, to: str, task: str, give: HandOff | None, call_id: str) -> Call:
        resource = self.find_registered(to)
        if resource is None and self._undeclared_count >= _MAX_AGENT_RESOURCES:
            # Names that a model makes up must not fill the passport; what is not registered is not granted.
            resource = replace(_AGENT_RESOURCE, id=to)
        elif resource is None or resource.kind is not ActionKind.HANDOFF:
            self._undeclared_count += 1
            resource = self.register_agent(to)
        argument_names = self.get_argument_names(to)
        args = {"task": task} if argument_names is None or "task" in argument_names else {}
        call = self.build_call(resource, args, call_id=call_id)
        return replace(
            call,
            hand_off=give or HandOff(),
            on_link_made=lambda handle: self._claimed_links.setdefault(handle, call),
            abilities=_SCOPE_ABILITIES,
        )

    def _build_scope_call(self, agent: str, task: str, give: HandOff | None, call_id: str) -> Call:
        """The call to decide at the start of a block.

        INVARIANT: SUB - whoever acts here is still at work: what runs inside under the name of an agent above is no
        more than the actor, who names it. A hand-back is for when the actor is done.
        """
        call = self._build_delegation_call(agent, task, give, call_id)
        if agent not in (self.agent, *call.agents)[:-1]:
            return call
        if give is not None and give != HandOff():
            # It would be given less than the actor has, and no link can say so: a name stands once in a chain.
            return replace(call, problem="agent_name_taken")
        return self._build_delegation_call(call.agents[-1], task, None, f"{call_id}>{agent}" if call_id else "")

    def _plan_new_link(self, call: Call) -> _DelegationPlan:
        """Plan a hand-off from the actor; a hand-off to itself makes no link."""
        to = call.resource.id
        is_same_agent = to in (self.agent, *call.agents)
        return _DelegationPlan(call, call.agents if is_same_agent else (*call.agents, to), makes_link=not is_same_agent)

    def _plan_existing_link(self, call: Call) -> Steps[_DelegationPlan]:
        """Plan to continue under the live link, unless another block acts under it."""
        link = yield from self.enforcer.find_link(
            call.session, call.resource.id, call.acting_handle, self._claimed_links
        )
        if link is None or call.problem:
            return self._plan_new_link(call)
        if link.problem:
            return self._plan_new_link(replace(call, problem=link.problem))
        if not link.is_acting_link and (
            not link.is_free or self._claimed_links.setdefault(link.handle, call) is not call
        ):
            # INVARIANT: SUB - another block acts under it: one more from the same giver, not from who leads here.
            return self._plan_new_link(replace(call, acting_handle=link.giver_handle, agents=link.agents[:-1]))
        call_under_link = replace(call, acting_handle=link.handle, agents=link.agents)
        return _DelegationPlan(
            call_under_link, link.agents, makes_link=False, claimed_handle="" if link.is_acting_link else link.handle
        )

    def _release_claim(self, plan: _DelegationPlan) -> None:
        if plan.claimed_handle:
            self._claimed_links.pop(plan.claimed_handle, None)

    def forget_links(self, plan: _DelegationPlan, active: ActiveAgent) -> None:
        """Allow other blocks to act under the links of an agent that has ended."""
        if active.is_new_link:
            self._claimed_links.pop(active.handle, None)
        self._release_claim(plan)


def _make_active_agent(plan: _DelegationPlan, ticket: Ticket) -> ActiveAgent:
    handle = ticket.context.handle if ticket.context is not None and plan.agents else ""
    used_answer = ticket.context is not None and ticket.context.used_answer
    return ActiveAgent(
        handle, is_new_link=plan.makes_link and bool(handle), used_answer=used_answer, _will_hand_back=plan.makes_link
    )


def _ticket_session(ticket: Ticket) -> str:
    # Under the name that the store has for the session, which is shorter than some.
    return ticket.context.session if ticket.context is not None else ""
