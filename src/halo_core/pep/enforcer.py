"""Room: the policy enforcement point, the one API that adapters call. Takes: a call. Gives: its result.

The six steps of one action, with the numbers of docs/ARCHITECTURE.md:

    (1) translate: call → access request             `pep.call`
    (2) snapshot, read once                           `pip`
    (3) decide, pure                                  `pdp`
    (4) one durable transaction                       `pep.jobs`, `store`
    (5) run with the obligations, pause, or refuse    here
    (6) outcome                                       here, `pep.jobs`

The caller MUST run nothing but `ticket.args`, and MUST finish the ticket. Never: lets an action run on an error; in
observe mode it does run, and the failure goes to stderr and to `health`.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from halo_core.behaviour import origin_of_result
from halo_core.behaviour.provenance import texts
from halo_core.errors import Denied, HaloError, Pending
from halo_core.failpoints import reach
from halo_core.keys import Digester
from halo_core.model import Effect, Mode, Provenance, Stop
from halo_core.pdp import stops
from halo_core.pep.call import Call, Preparer
from halo_core.pep.jobs import MAX_OUTPUT, DecisionJob, HandBackJob, OutcomeJob, Verdict, justify
from halo_core.pep.obligations import document_floor
from halo_core.pip import Credentials
from halo_core.reasons import REASONS, text
from halo_core.store import Store

__all__ = ["Enforcer", "Health", "Surface", "Ticket"]

T = TypeVar("T")


@dataclass(slots=True)
class Health:
    """What an operator should know: decisions that could not be recorded, and the last reason."""

    undecided: int = 0
    last_error: str = ""


@dataclass(frozen=True, slots=True)
class Surface(Generic[T]):
    """How an adapter's results are read.

    Args:
        text: the result as text, for its digest and for provenance.
        drop_documents: the result without its documents, and how many were dropped; None where there are none.
        cost: what the result cost, unit → amount in the budget's own decimals, where the result says so.
    """

    text: Callable[[T], str]
    drop_documents: Callable[[T], tuple[T, int]] | None = None
    cost: Callable[[T], Mapping[str, int]] | None = None


@dataclass(slots=True)
class Ticket:
    """A decided action that may run: once, with exactly `args`."""

    args: Mapping[str, Any]
    verdict: Verdict | None
    _enforcer: Enforcer
    _open: bool = field(default=True, repr=False)

    def succeed(self, result: T, surface: Surface[T]) -> T:
        """Record a result and return what of it may be used (documents below the floor are gone)."""
        detail = ""
        verdict = self.verdict
        if verdict is not None and verdict.mode is Mode.ENFORCE:
            floor = document_floor(verdict.decision.obligations)
            if floor is not None and surface.drop_documents and verdict.resource.trust < floor:
                result, dropped = surface.drop_documents(result)
                detail = f"dropped {dropped}"
        self._finish("success", _text_of(result, surface), detail, _cost_of(result, surface))
        return result

    def fail(self, error: BaseException) -> None:
        """Record an error or a cancellation."""
        cancelled = isinstance(error, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit)
        self._finish("cancelled" if cancelled else "error", _words(error), type(error).__name__)

    def _finish(self, status: str, output: str, detail: str, cost: Mapping[str, int] | None = None) -> None:
        if not self._open:
            return
        self._open = False
        if self.verdict is not None:
            self._enforcer.settle(self.verdict, status, output, detail, cost or {})


class Enforcer:
    """Decides, then runs. One for each agent; thread-safe.

    Args:
        store: where decisions become durable.
        preparer: call → request.
        digester: keyed digests of outputs.
        credentials: called for each decision: the chain and the policy as they stand.
        mode: the mode this handle was opened with, None for the store's.
        ready: whether `credentials` answers at once; where it does not, a coroutine asks it in a thread.
        stops: stops that hold even where the store cannot be written, asked at each decision.
    """

    def __init__(
        self,
        store: Store,
        preparer: Preparer,
        digester: Digester,
        credentials: Callable[[], Credentials],
        mode: Mode | None = None,
        *,
        ready: Callable[[], bool] = lambda: True,
        stops: Callable[[], tuple[Stop, ...]] = tuple,
    ) -> None:
        self.store = store
        self.health = Health()
        self._preparer = preparer
        self._digester = digester
        self._credentials = credentials
        self._ready = ready
        self._stops = stops
        self._mode = mode
        # Until the store has said otherwise, what cannot be decided does not run.
        self._last_mode = mode or Mode.ENFORCE

    # the whole way

    def run(self, call: Call, execute: Callable[[Mapping[str, Any]], T], surface: Surface[T]) -> T:
        """Decide, run, record.

        Raises:
            Denied: it may not run, and did not.
            Pending: it waits for an approval, and did not run.
            Exception: whatever `execute` raised.
        """
        ticket = self.begin(call)
        reach("before_run")
        try:
            result = execute(ticket.args)
        except BaseException as exc:
            ticket.fail(exc)
            raise
        reach("after_run")
        return ticket.succeed(result, surface)

    async def arun(self, call: Call, execute: Callable[[Mapping[str, Any]], Awaitable[T]], surface: Surface[T]) -> T:
        """As `run`, without ever blocking the event loop."""
        ticket = await self.abegin(call)
        try:
            result = await execute(ticket.args)
        except BaseException as exc:
            ticket.fail(exc)
            raise
        return ticket.succeed(result, surface)

    # in two halves, for streams

    def begin(self, call: Call) -> Ticket:
        """Decide; a ticket if it may run.

        Raises:
            Denied: see `run`.
        """
        try:
            verdict: Verdict = self.store.commit(self._job(call))
        except Exception as exc:  # noqa: BLE001  INVARIANT: FAILCLOSED
            return self._undecided(call, exc)
        return self._act(verdict)

    async def abegin(self, call: Call) -> Ticket:
        """As `begin`, from a coroutine."""
        try:
            if not self._ready():
                await asyncio.to_thread(self._credentials)
            verdict: Verdict = await self.store.acommit(self._job(call), orphaned=self._orphaned)
        except Exception as exc:  # noqa: BLE001  INVARIANT: FAILCLOSED
            return self._undecided(call, exc)
        return self._act(verdict)

    def _job(self, call: Call) -> DecisionJob:
        prepared = self._preparer.prepare(call)  # (1)
        return DecisionJob(prepared, self._credentials(), self._digester, self._mode, self._stops)

    def _act(self, verdict: Verdict) -> Ticket:  # (5)
        self._last_mode = verdict.mode
        if verdict.runs:
            return Ticket(verdict.args, verdict, self)
        decision = verdict.decision
        code = decision.deciding().code
        message = justify(decision, verdict.resource.id)
        if decision.effect is Effect.CHALLENGE:
            raise Pending(
                code,
                f"pending {verdict.pending_id}: {message}",
                pending_id=verdict.pending_id,
                remedy=text(code).remedy,
                decision_id=verdict.entry_id,
            )
        raise Denied(code, message, remedy=text(code).remedy, decision_id=verdict.entry_id)

    def _undecided(self, call: Call, error: Exception) -> Ticket:
        code = error.code if isinstance(error, HaloError) and error.code in REASONS else "decision_error"
        self.health.undecided += 1
        self.health.last_error = f"{code}: {error}"
        sys.stderr.write(f"halo: no decision for `{call.resource.id}`: {error}\n")
        if self._last_mode is Mode.OBSERVE:
            if self._stopped(call):
                raise Denied("stopped", f"deny `{call.resource.id}`: a stop is active", remedy=text("stopped").remedy)
            # INVARIANT: CRASH - observe mode never stands in the way, and says so.
            return Ticket(call.args, None, self)
        remedy = error.remedy if isinstance(error, HaloError) else text(code).remedy
        words = error.message if isinstance(error, HaloError) else f"{text(code).title}: {type(error).__name__}"
        raise Denied(code, f"deny `{call.resource.id}`: {words}", remedy=remedy) from error

    def _stopped(self, call: Call) -> bool:
        """Whether a stop that needs no store concerns this call (one small folder is looked at)."""
        request = self._preparer.prepare(call).request
        return any(stops(stop, request) for stop in self._stops())

    def hand_back(self, session: str, handle: str) -> None:
        """Close the link `handle` and what is below it; its holder's authority ends here.

        Raises:
            CannotDecide: it could not be made durable; the link stays live.
        """
        self.store.commit(HandBackJob(session, handle))

    async def ahand_back(self, session: str, handle: str) -> None:
        """As `hand_back`, from a coroutine."""
        await self.store.acommit(HandBackJob(session, handle))

    def settle(
        self, verdict: Verdict, status: str, output: str, detail: str, cost: Mapping[str, int] | None = None
    ) -> None:
        """(6) Queue the outcome: it joins the next transaction or waits at most 50 ms."""
        kept = self._preparer.redactor.seal_text(output[:MAX_OUTPUT])
        job = OutcomeJob(
            verdict=verdict,
            status=status,
            output=kept,
            output_len=len(output),
            output_digest=self._digester.digest("halo/text", output.encode()) if output else "",
            prints=self._prints(verdict, output),
            detail=detail,
            actual=cost or {},
        )
        self.store.defer(job)

    def _prints(self, verdict: Verdict, output: str) -> frozenset[int]:
        """Fingerprints of what a result brought; what it merely repeats of its own arguments is nobody's word."""
        if not output or origin_of_result(verdict.resource) is not Provenance.SYSTEM:
            return self._preparer.prints_once(output)
        return self._preparer.prints_once(output, without=texts(verdict.args))

    def _orphaned(self, verdict: Verdict) -> None:
        # The caller was cancelled while the decision was made durable: nothing ran.
        if verdict.runs:
            self.settle(verdict, "not_run", "", "cancelled before it ran")


def _cost_of(result: T, surface: Surface[T]) -> Mapping[str, int]:
    """What a result cost; where it cannot say, what was reserved."""
    if surface.cost is None:
        return {}
    try:
        found = surface.cost(result)
        return {unit: amount for unit, amount in found.items() if type(amount) is int and 0 <= amount < 2**53}
    except Exception:  # noqa: BLE001  the action ran; what was reserved stays charged
        return {}


def _words(error: BaseException) -> str:
    try:
        return str(error).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001  an error that cannot say what it is
        return type(error).__name__


def _text_of(result: T, surface: Surface[T]) -> str:
    try:
        return surface.text(result).encode("utf-8", "replace").decode()
    except Exception as exc:  # noqa: BLE001  the action ran; a result that cannot be read is recorded as such
        return f"unreadable result: {type(exc).__name__}"
