"""Sessions of a facade: the session that a call belongs to, and the acts that are held in a session for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Final

from halo_core.crypto.keys import Digester, IdSource, KeyStore
from halo_core.decision.answers import name_reversed_tool
from halo_core.enforcement.activities import current_activity, current_run_activity, find_block_began_us
from halo_core.enforcement.decision_context import AnswerTerms
from halo_core.enforcement.enforcer import Enforcer
from halo_core.enforcement.held_acts import (
    ReleasedAct,
    Runner,
    is_loop_running,
    release_steps,
    require_no_loop,
    reverse_ordered_steps,
    reverse_steps,
)
from halo_core.enforcement.reversals import Reverser
from halo_core.enforcement.session_context import (
    NO_SESSION,
    Session,
    current_delegation,
    current_delegation_session,
    current_session,
    is_lost_thread,
    is_raw_thread,
    session_scope,
)
from halo_core.enforcement.session_orders import SessionOrders
from halo_core.enforcement.steps import Steps, adrive, drive
from halo_core.errors import BadInput, ConfigError, HaloError
from halo_core.facade.declarations import Declarations
from halo_core.home import find_relocation
from halo_core.log_output import get_logger
from halo_core.model import MAX_ORDERS, Order, Resource
from halo_core.store.known_values import digest_known_value
from halo_core.store.store import Store
from halo_core.telemetry import read_trace_id
from halo_core.values.kinds.addresses import find_own_domain

_LOG: Final = get_logger("facade")


class SessionMixin:
    """The methods of `HaloBase` for sessions, held acts and notices.

    Attributes:
        agent: the acting agent's id.
        enforcer: the one enforcement point.
        store: store in which it records.
    """

    agent: str
    enforcer: Enforcer
    store: Store
    _answer_wait_s: float | None
    _declarations: Declarations
    _ids: IdSource
    _notices: set[str]
    _own_domains: frozenset[str]
    _quiet: bool
    _digester: Digester
    _release_due: bool
    _reversers: dict[str, Reverser]
    _runners: dict[str, Runner]
    home: Path

    def find_registered(self, name: str) -> Resource | None:
        """The registration of a resource id; see `RegistrationMixin`."""
        raise NotImplementedError

    # sessions

    @contextmanager
    def session(
        self,
        id: str = "",  # noqa: A002  the word users expect
        *,
        user: str = "",
        request: str = "",
        vouch_history: bool = False,
        network: str = "",
        orders: Iterable[Order] | None = None,
    ) -> Iterator[Session]:
        """Open a session where a request begins; it ends with the `with` block.

        Args:
            id: id of the session; a new one if it is empty. With the id of an earlier session, that one goes on.
            user: the person that the agent acts for in this session, as asserted.
            request: the user's own words. Values in them count as the user's; values in other messages then do not.
                The requests of earlier turns with this id in which no call was made count too.
            vouch_history: whether you vouch that messages of the conversation which Halo has not seen before contain
                only the user's words and this agent's. Accounts and addresses in them are then known. It does not
                change what Halo knows to have been made while exposed.
            network: network address that the request came from, as the host knows it (PCI DSS 10.2.2, SP 800-53 AU-3);
                recorded with each action, sealed with the user's data.
            orders: what the user ordered, as calls, at most 64. List what follows from the user's words and from
                nothing else. They count in this block, and in blocks of the same id inside it that list none. After
                exposure, what is in no order is asked about.

        Raises:
            ConfigError: an argument is of the wrong type (`bad_session`), or the code belongs to an agent that work was
                handed off to in another session (`session_inside_agent`).
        """
        for field, value in (("id", id), ("user", user), ("request", request), ("network", network)):
            if not isinstance(value, str):
                raise ConfigError(
                    "bad_session",
                    f"`{field}` must be text, not {type(value).__name__}",
                    field=field,
                    remedy="pass a str, or leave it out",
                )
        delegation_session = current_delegation_session()
        if delegation_session is not None and delegation_session != id:
            # INVARIANT: SUB - in a session of its own an agent would act with all that the facade's has.
            raise ConfigError(
                "session_inside_agent",
                "an agent that work was handed off to cannot open a session",
                field="id",
                remedy="open sessions where a request begins; this code belongs to the current session",
            )
        listed = None if orders is None else _copy_orders(orders)
        self._warn_about_orders(listed or ())
        around = current_session()
        if listed is None and around is not None and around.orders is not None and around.id == id:
            listed_orders: SessionOrders | None = around.orders
        else:
            listed_orders = self.enforcer.latest_orders.open_block(id, user, request, listed)
        self._propose_own_domain(user)
        began_us = find_block_began_us(self.store.clock)
        # INVARIANT: BIND - a name that the application chose is never taken for one that ends with its block.
        name, source = (id, "host") if id else (f"s-{self._ids.new_short_id()}", "block")
        earlier_requests = self.enforcer.unshown_requests.begin_turn(id, user, request)
        opened = Session(name, source, user, request, vouch_history, network, began_us, earlier_requests, listed_orders)
        if self._release_due:
            self._release_quietly("")
        try:
            with session_scope(opened):
                yield opened
        finally:
            self.enforcer.unshown_requests.end_turn(opened)
            if (current := current_session()) is None or current.id != opened.id:
                self.end_session(opened.id)
        if opened.id in self.enforcer.held_sessions:
            self.enforcer.held_sessions.discard(opened.id)
            self._release_quietly(opened.id)

    def _warn_about_orders(self, orders: Iterable[Order]) -> None:
        """Warn once about each order that no call can carry out, as far as tools are registered."""
        for order in orders:
            names = self.get_argument_names(order.tool)
            problem = ""
            if names is None:
                problem = f"an order is for `{order.tool}`, and no tool with this id is registered"
            elif unknown := sorted(order.args.keys() - set(names)):
                problem = f"an order of `{order.tool}` has `{unknown[0]}`, which is none of its arguments"
            if problem:
                self.notify_once(f"{problem}; no call carries it out")

    def get_argument_names(self, name: str) -> list[str] | None:
        """Names of the arguments that a registered resource takes; see `RegistrationMixin`."""
        raise NotImplementedError

    def end_session(self, id: str) -> None:  # noqa: A002  the word users expect
        """Note that a session has ended: what the agent did in it becomes part of its profile.

        Args:
            id: id of the session; one that did nothing since is left alone.
        """
        self.enforcer.folds.end(id)

    def find_session(self) -> Session:
        """The session of this context, else of the current activity; in a raw thread there is none without a run.

        See `halo_core.enforcement.activities` for what an activity is. No session is shared by a process.
        """
        session = current_session()
        if session is not None:
            return session
        if is_lost_thread() or (is_raw_thread() and current_run_activity() is None):
            # INVARIANT: FAILCLOSED - it may work for anybody's request, so it shares no session with others. What was
            # started inside a request may also work for an agent that was handed to, so it begins none either.
            self.notify_once(
                "a thread that you start yourself has no session, and its actions are denied in enforce mode"
            )
            return NO_SESSION
        activity = current_activity()
        # INVARIANT: SUB - a run inside an agent that was handed to has no session in which that agent is the first.
        delegation_session = current_delegation_session(self.agent)
        if delegation_session is not None:
            return Session(delegation_session, activity.source)
        session_id = activity.get_session_id(self, partial(self._make_activity_session_id, activity.source))
        return Session(session_id, activity.source)

    def _make_activity_session_id(self, source: str) -> str:
        if source == "run":
            return self.make_run_session_id()
        self.notify_once(
            "no session around this call: what this task or thread does in this context is one; open one with "
            "`with halo.session(user=...)` where a request begins"
        )
        return f"call-{self._ids.new_short_id()}"

    def make_run_session_id(self) -> str:
        """A fresh id for the session of one run of an agent."""
        return f"run-{self._ids.new_short_id()}"

    def find_acting_agent(self) -> str:
        """The agent acting in this context: this Halo's, or the receiver of a hand-off."""
        delegation = current_delegation(self.agent, self.find_session().id)
        return delegation.agents[-1] if delegation is not None else self.agent

    def find_trace_id(self) -> str:
        """Id of the trace of a call, 32 lowercase hex digits; empty if there is none."""
        return read_trace_id()

    # held acts

    def register_runner(self, resource: Resource, function: Callable[..., Any] | None) -> None:
        """Register the function of a tool that can wait, so that its held acts can run.

        Args:
            resource: the resource as registered.
            function: a function that takes plain values, by name; None if there is none.
        """
        if not resource.can_wait:
            return
        runner = Runner.for_function(function)
        if runner is None:
            self.notify_once(f"`{resource.id}` cannot be held: its function takes more than plain values by name")
            return
        self._runners[resource.id] = runner
        hold_for_s = self._find_terms(self.agent).hold_for_s
        self.notify_once(f"`{resource.id}` can wait: it is held for an answer up to {hold_for_s // 3600} h (hold_for)")
        self._release_due = True

    def release(self, session: str = "") -> list[ReleasedAct]:
        """Run approved held acts, each once and after deciding it again, and ordered reversals.

        Args:
            session: run only the acts held in this session; if empty, all whose tool this process has.

        Raises:
            ConfigError: `loop_running`, an event loop runs in this thread.
            CannotDecide: the store cannot be used.
        """
        require_no_loop()
        released: list[ReleasedAct] = drive(self._release_steps(session))
        return released

    async def arelease(self, session: str = "") -> list[ReleasedAct]:
        """Like `release`, without blocking the event loop."""
        released: list[ReleasedAct] = await adrive(self._release_steps(session))
        return released

    def _release_steps(self, session: str) -> Steps[list[ReleasedAct]]:
        self._release_due = False
        released = yield from release_steps(self.enforcer, self._runners, self.find_registered, session or None)
        if self._reversers and not session:
            released += yield from reverse_ordered_steps(self.enforcer, self._reversers, self._digester)
        return released

    # reversals

    def register_reverser(self, resource: Resource, reverser: Reverser | None) -> None:
        """Register how a tool's effects are reversed; None removes an earlier registration.

        Args:
            resource: the resource as registered.
            reverser: what was declared for it.
        """
        # A drill works on a copy of the store, whose orders are for the real one.
        if reverser is None or reverser.function is None or find_relocation() is not None:
            self._reversers.pop(resource.id, None)
            return
        self._reversers[resource.id] = reverser
        self._release_due = True

    def reverse(self, decision: str, *, approver: str = "", key_home: str | Path | None = None, why: str = "") -> Any:
        """Take the effect of a decision back, once, with the function that its tool declared as `undo` or `compensate`.

        The reversal is decided like any other action. It needs the order of an enrolled approver outside the chain: one
        that `halo reverse` recorded, or one that is signed here for `approver`.

        Args:
            decision: id of the decision (`Denied.decision_id`, `halo log`).
            approver: name of the approver who orders it; empty if it has been ordered already.
            key_home: folder of the approver's key.
            why: the reason.

        Returns:
            The result of the callable.

        Raises:
            Denied: it may not be reversed, or not by this process; `reason` says why. Nothing was done.
            ConfigError: there is no such decision, or an event loop runs in this thread.
            CannotDecide: the store cannot be used.
            BaseException: the callable raised it; a person then has to confirm whether anything was done.
        """
        require_no_loop()
        if approver:
            self._order_reversal(decision, approver, key_home, why)
        return drive(reverse_steps(self.enforcer, self._reversers, decision, self._digester))

    async def areverse(
        self, decision: str, *, approver: str = "", key_home: str | Path | None = None, why: str = ""
    ) -> Any:
        """Like `reverse`, without blocking the event loop."""
        if approver:
            await asyncio.to_thread(self._order_reversal, decision, approver, key_home, why)
        return await adrive(reverse_steps(self.enforcer, self._reversers, decision, self._digester))

    def _order_reversal(self, decision: str, approver: str, key_home: str | Path | None, why: str) -> None:
        from halo_core.oversight.reversal_orders import order_reversal  # noqa: PLC0415  few applications need it

        keys = KeyStore(Path(key_home) if key_home is not None else self.home)
        order_reversal(self.store, keys, self.home, decision=decision, approver=approver, why=why)

    def _release_quietly(self, session: str) -> None:
        """Release approved acts while nothing else waits for them; problems are logged."""
        try:
            if not is_loop_running():
                self._tell_reversals(self.release(session))
        except HaloError as exc:
            _LOG.warning("held acts were not released: %s", exc, extra={"halo_event": "not_released"})

    def _tell_reversals(self, acts: list[ReleasedAct]) -> None:
        """Log what came of ordered reversals that nobody waits for; without content, such as the error's text."""
        for act in acts:
            if name_reversed_tool(act.resource) not in self._reversers:
                continue
            if act.status == "reversed":
                self.notify_once(f"the effect of decision {act.id} was taken back by `{act.resource}`, as ordered")
            else:
                problem = f"the reversal of decision {act.id} by `{act.resource}` was tried and is {act.status}"
                self.notify_once(f"{problem}: see `halo reversals`")

    # notices and terms

    def _find_terms(self, agent: str) -> AnswerTerms:
        """How answers to an agent's questions are kept, by the manifest in force."""
        manifest = self._declarations.current()
        section = manifest.agents.get(agent) if manifest is not None else None
        if section is None:
            return _make_default_terms(agent)
        return AnswerTerms(section.role, section.hold_for_s, section.answer_wait_s)

    @property
    def answer_wait_s(self) -> float:
        """Seconds that a run waits for an answer where nobody reads that it waits; then it ends with an error."""
        return self._answer_wait_s if self._answer_wait_s is not None else self._find_terms(self.agent).answer_wait_s

    def _propose_own_domain(self, user: str) -> None:
        """Propose the domain of a user's address as the operator's own; it counts once somebody adds it."""
        domain = find_own_domain(user)
        if domain and digest_known_value(self._digester, "domain", domain) not in self._own_domains:
            self.notify_once(f"is `{domain}` your own domain? then run `halo known add domain {domain}`")

    def notify_once(self, text: str) -> None:
        """Log a notice for the operator once; not with `quiet`."""
        if not self._quiet and text not in self._notices:
            self._notices.add(text)
            _LOG.warning(
                "%s", text, extra={"halo_event": "notice", "halo_agent": self.agent, "halo_tenant": self.store.tenant}
            )


@lru_cache(maxsize=64)
def _make_default_terms(agent: str) -> AnswerTerms:
    """The answer terms of an agent that no manifest declares."""
    return AnswerTerms(agent)


def _copy_orders(orders: object) -> tuple[Order, ...]:
    """Copy the orders that a host lists; raises `ConfigError` if they are no list of orders."""
    if isinstance(orders, str | bytes | Order) or not isinstance(orders, Iterable):
        raise _make_orders_error(f"`orders` must be a list of orders, not {type(orders).__name__}")
    listed: list[Order] = []
    for order in orders:
        if not isinstance(order, Order):
            raise _make_orders_error(f"`orders` must be a list of orders, and holds a {type(order).__name__}")
        if len(listed) >= MAX_ORDERS:
            raise _make_orders_error(f"`orders` holds more than {MAX_ORDERS}")
        try:
            listed.append(Order.make(order.tool, order.args))
        except BadInput as exc:
            raise _make_orders_error(exc.message) from exc
    return tuple(listed)


def _make_orders_error(problem: str) -> ConfigError:
    return ConfigError(
        "bad_session", problem, field="orders", remedy="pass a list of `Order(tool, args)`, or leave it out"
    )
