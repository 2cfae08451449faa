"""Runs held acts once they were answered, and reversals once they were ordered.

A held act is stored as plain values, so only a function that takes nothing else, and nothing that a framework injects,
can be run later. The release is one more governed action (`ReleaseAction`): it is decided again, run with exactly the
decided arguments, and recorded. A reversal (`ReversalAction`) runs, in the same way, the callable that takes an effect
back, in whichever process has it.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import field, replace
from typing import TYPE_CHECKING, Any, Final

from halo_core.decision.answers import REVERSAL, name_reversed_tool
from halo_core.enforcement.flow import GovernedAction, run_step
from halo_core.enforcement.obligations import Surface
from halo_core.enforcement.outbox import HeldAct, load_held_acts
from halo_core.enforcement.reversals import Reverser, ReversibleEffect, load_effect, make_refusal
from halo_core.enforcement.session_context import IN_BODY, ContextVarScope, Session, session_values
from halo_core.enforcement.steps import Step, Steps, TwoWayStep
from halo_core.errors import ConfigError, Denied, HaloError, PassportError, Pending, describe_cause
from halo_core.passports.standing_answer import peek_standing_answer
from halo_core.quick_dataclass import dataclass
from halo_core.store.answer_rows import StandingAnswerTable

if TYPE_CHECKING:
    from halo_core.crypto.keys import Digester
    from halo_core.enforcement.enforcer import Enforcer, Ticket
    from halo_core.model import Resource
    from halo_core.store.transaction import Transaction

_PLAIN_TYPES: Final = frozenset({str, int, float, bool, type(None), list, dict, object, Any})
_CONTAINERS: Final = frozenset({list, dict, typing.Union, types.UnionType, typing.Annotated})
_BY_NAME: Final = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_RESULT_SURFACE: Final[Surface[Any]] = Surface(
    text=str,
    redact=lambda result, mask: mask(result) if isinstance(result, str) else mask(repr(result)),
    withhold=lambda _, notice: notice,
)


@dataclass(frozen=True, slots=True)
class Runner:
    """A function that can run a held act.

    Args:
        function: a function that takes plain values, by name.
        names: its parameters.
        required: those without a default.
    """

    function: Callable[..., Any]
    names: frozenset[str]
    required: frozenset[str]

    @classmethod
    def for_function(cls, function: Callable[..., Any] | None) -> Runner | None:
        """The runner of a function; None if it does not take plain values by name only."""
        if function is None:
            return None
        try:
            parameters = inspect.signature(function).parameters
            hints = typing.get_type_hints(function)
        except (NameError, TypeError, ValueError):
            return None
        for name, parameter in parameters.items():
            if parameter.kind not in _BY_NAME or not _is_plain(hints.get(name, Any)):
                return None
        required = (name for name, item in parameters.items() if item.default is item.empty)
        return cls(function, frozenset(parameters), frozenset(required))

    @property
    def is_async(self) -> bool:
        """Whether the function is a coroutine function."""
        return inspect.iscoroutinefunction(self.function)

    def accepts(self, args: Mapping[str, Any]) -> bool:
        """Whether the function accepts these arguments."""
        return self.required <= args.keys() <= self.names


def _is_plain(annotation: Any) -> bool:
    """Whether values of a type are stored unchanged: JSON types, and lists, mappings and unions of them."""
    if annotation in _PLAIN_TYPES:
        return True
    origin = typing.get_origin(annotation)
    if origin is typing.Literal:
        return all(type(item) in _PLAIN_TYPES for item in typing.get_args(annotation))
    if origin is typing.Annotated:
        return _is_plain(typing.get_args(annotation)[0])
    return origin in _CONTAINERS and all(map(_is_plain, typing.get_args(annotation)))


@dataclass(frozen=True, slots=True)
class ReleasedAct:
    """The outcome of a held act, or of a reversal that was ordered.

    Args:
        id: id of the held act; of a reversal, the id of the decision whose effect is taken back.
        resource: the tool; of a reversal, `pay.undo` of `pay`.
        status: `released`, `reversed`, `failed` (it ran and raised), `waiting` (nobody has answered), `asked` (it was
            asked again, because what was answered is not what holds now), `refused` (a stop, a revocation or a limit),
            `denied`, `expired`, `altered`.
        detail: the reason or the error, in words.
        result: what it returned.
    """

    id: str
    resource: str
    status: str
    detail: str = ""
    result: Any = field(default=None, repr=False)


class ReleaseAction(GovernedAction[Any]):
    """The release of one held act."""

    def __init__(self, enforcer: Enforcer, act: HeldAct, runner: Runner) -> None:
        super().__init__(enforcer, act.call, _RESULT_SURFACE)
        self.act = act
        self.runner = runner

    def execute(self, ticket: Ticket) -> Any:
        """Call the function with exactly the decided arguments."""
        if self.runner.is_async or not is_loop_running():
            result = self.runner.function(**ticket.args)
            return asyncio.run(result) if inspect.iscoroutine(result) and not is_loop_running() else result
        return asyncio.to_thread(self.runner.function, **ticket.args)

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  the protocol's
        """The session of the held act, which the act's own calls belong to."""
        call = self.act.call
        session = Session(call.session, call.session_source, call.user) if call is not None else None
        return ContextVarScope((IN_BODY, True), *session_values(session, None))


class ReversalAction(GovernedAction[Any]):
    """The reversal of one effect: the tool's reversing callable, with the recorded act."""

    def __init__(self, enforcer: Enforcer, effect: ReversibleEffect, reverser: Reverser) -> None:
        super().__init__(enforcer, effect.make_call(), _RESULT_SURFACE)
        self.effect = effect
        self.reverser = reverser

    def execute(self, ticket: Ticket) -> Any:
        """Call the function with the act, whose arguments are the decided ones."""
        function = self.reverser.function
        if function is None or ticket.context is None:
            raise make_refusal("no_reverser")
        act = replace(self.effect.act, args=ticket.args)
        if inspect.iscoroutinefunction(function) or not is_loop_running():
            result = function(act)
            return asyncio.run(_await(result)) if inspect.isawaitable(result) and not is_loop_running() else result
        return asyncio.to_thread(function, act)

    def scope(self, ticket: Ticket) -> AbstractContextManager[Any]:  # noqa: ARG002  the protocol's
        """The session of the reversal, which the callable's own calls belong to."""
        call = self.build_call()
        session = Session(call.session, call.session_source, call.user)
        return ContextVarScope((IN_BODY, True), *session_values(session, None))


async def _await(result: Any) -> Any:
    return await result


def reverse_steps(
    enforcer: Enforcer, reversers: Mapping[str, Reverser], decision: str, digester: Digester
) -> Steps[Any]:
    """Reverse the effect of one decision on a person's order, as a procedure.

    Args:
        enforcer: decides and records.
        reversers: reversers, by tool.
        decision: id of the decision.
        digester: keyed digests.

    Returns:
        What the callable returned.

    Raises:
        Denied: it may not be reversed, or not here, and was not.
        ConfigError, Gap, Tampered: as `load_effect`.
        BaseException: what the callable raised.
    """
    job = functools.partial(load_effect, decision=decision, digester=digester)
    effect: ReversibleEffect = yield _make_commit_step(enforcer, job)
    reverser = reversers.get(effect.resource.id)
    if reverser is None or reverser.method is not effect.resource.reversal or reverser.function is None:
        raise make_refusal("no_reverser", f"this process has none for `{effect.resource.id}`")
    return (yield run_step(ReversalAction(enforcer, effect, reverser)))


def _list_orders(tx: Transaction, reversers: Mapping[str, Reverser]) -> list[tuple[str, str]]:
    """Decision and reversal resource of each order that has not expired and whose tool is registered, oldest first."""
    orders = {}
    table = StandingAnswerTable(tx)
    for row in table.list_active(REVERSAL) if REVERSAL in table.list_kinds(tx.clock.now_us()) else ():
        try:
            token = peek_standing_answer(row.token)
        except PassportError:
            continue
        is_live = tx.clock.now_us() < token.expires_at_s * 1_000_000
        if is_live and name_reversed_tool(token.resource) in reversers:
            orders[token.role] = token.issued_at_s, token.resource
    return [(decision, tool) for decision, (_, tool) in sorted(orders.items(), key=lambda item: item[1])]


def reverse_ordered_steps(
    enforcer: Enforcer, reversers: Mapping[str, Reverser], digester: Digester
) -> Steps[list[ReleasedAct]]:
    """Carry out ordered reversals of tools registered in this process, as a procedure; oldest first."""
    orders: list[tuple[str, str]] = yield _make_commit_step(
        enforcer, functools.partial(_list_orders, reversers=reversers)
    )
    done = []
    for decision, tool in orders:
        status, detail, result = "reversed", "", None
        try:
            result = yield from reverse_steps(enforcer, reversers, decision, digester)
        except Denied as denied:
            status, detail = "refused", describe_cause(denied)
        except HaloError as exc:
            status, detail = "altered", str(exc)
        except Exception as exc:  # noqa: BLE001  as in `release_steps`
            status, detail = "failed", f"{type(exc).__name__}: {exc}"
        done.append(ReleasedAct(decision, tool, status, detail, result))
    return done


def is_loop_running() -> bool:
    """Whether an event loop runs in this thread."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def release_steps(
    enforcer: Enforcer,
    runners: Mapping[str, Runner],
    find_resource: Callable[[str], Resource | None],
    session: str | None,
) -> Steps[list[ReleasedAct]]:
    """Release held acts that were approved, as a procedure; oldest first.

    Args:
        enforcer: decides and records.
        runners: runners, by tool.
        find_resource: name → the registered resource.
        session: only acts of this session; None for all.
    """
    job = functools.partial(
        load_held_acts,
        find_resource=lambda name: find_resource(name) if name in runners else None,
        session=session,
    )
    acts: list[HeldAct] = yield _make_commit_step(enforcer, job)
    released = []
    for act in acts:
        if act.status != "ready":
            released.append(ReleasedAct(act.row.id, act.row.resource, act.status))
            continue
        status, detail, result = "released", "", None
        try:
            result = yield run_step(ReleaseAction(enforcer, act, runners[act.row.resource]))
        except Pending as pending:
            status, detail = "asked", describe_cause(pending)
        except Denied as denied:
            status, detail = "refused", describe_cause(denied)
        except Exception as exc:  # noqa: BLE001  the act ran: whoever releases is told, and the others still run
            status, detail = "failed", f"{type(exc).__name__}: {exc}"
        released.append(ReleasedAct(act.row.id, act.row.resource, status, detail, result))
    return released


def _make_commit_step(enforcer: Enforcer, job: Any) -> Step:
    return TwoWayStep(enforcer.store.commit, enforcer.store.acommit, job)


def require_no_loop() -> None:
    """Refuse to block a running event loop.

    Raises:
        ConfigError: `loop_running`.
    """
    if is_loop_running():
        raise ConfigError("loop_running", "an event loop is running", remedy="use `await halo.arelease()`")
