"""A decided action that may run: its arguments, and the recording of its outcome."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

from halo_core.enforcement.decision_context import DecisionContext
from halo_core.enforcement.obligations import Failure, Surface, build_failure, mask_recorded_text, restrict_result
from halo_core.errors import Denied
from halo_core.model import OUTPUT_OBLIGATIONS, HistoryItem, Mode, Obligation, Resource

T = TypeVar("T")


class OutcomeQueue(Protocol):
    """Takes a ticket's outcome (`halo_core.enforcement.enforcer.Enforcer`)."""

    def queue_outcome(
        self,
        context: DecisionContext,
        status: str,
        output: str,
        detail: str,
        cost: Mapping[str, int] | None = None,
        *,
        readable_text: str | None = None,
        dropped: Collection[tuple[str, str]] = (),
        history_items: tuple[HistoryItem, ...] = (),
    ) -> None:
        """Record an outcome with the next transaction."""
        ...


@dataclass(slots=True)
class Ticket:
    """A decided action that may run once, with exactly `args`.

    Args:
        args: the arguments to run with.
        context: what was decided; None if nothing could be, in observe mode.
    """

    args: Mapping[str, Any]
    context: DecisionContext | None
    _outcomes: OutcomeQueue
    _is_open: bool = field(default=True, repr=False)
    _restricted_before: str = field(default="", repr=False)
    _dropped: dict[tuple[str, str], None] = field(default_factory=dict, repr=False)

    @property
    def holds_output(self) -> bool:
        """Whether an obligation may change the result: nothing may be passed on before `succeed` has all of it."""
        obligations = self._active_obligations()
        return bool(obligations) and any(item.kind in OUTPUT_OBLIGATIONS for item in obligations)

    def succeed(self, result: T, surface: Surface[T]) -> T:
        """Record a result, and return it without the parts that obligations remove.

        The returned result is what is recorded.

        Raises:
            Denied: `needs_guard`: it would have to be held back, and its surface cannot.
        """
        # What a surface or a decision has nothing to say of is not asked for: each question is a call.
        cost = _read_cost(result, surface) if surface.cost is not None else {}
        detail, obligations = "", self._active_obligations()
        if obligations and self.context is not None and self.holds_output:
            try:
                result, detail = self._restrict_result(result, surface, self.context.resource)
            except Denied:
                self._finish("success", "", "withheld", cost)
                raise
        recorded_text = _read_text(result, surface)  # what a model asks for is in it too
        if obligations:
            recorded_text = mask_recorded_text(recorded_text, obligations)
        items = _read_history_items(result, surface) if surface.history_items is not None else ()
        self._finish("success", recorded_text, detail or self._restricted_before, cost, history_items=items)
        return result

    def restrict(self, result: T, surface: Surface[T]) -> T:
        """Apply the obligations to a result that an outer action records.

        Raises:
            Denied: as `succeed`.
        """
        if self.context is None or not self.holds_output:
            return result
        result, detail = self._restrict_result(result, surface, self.context.resource)
        self._restricted_before = detail or self._restricted_before  # `succeed` may find nothing left to restrict
        return result

    def _restrict_result(self, result: T, surface: Surface[T], resource: Resource) -> tuple[T, str]:
        def note(document_id: str, text: str) -> None:
            self._dropped[document_id, text] = None

        return restrict_result(result, surface, self._active_obligations(), resource, on_dropped=note)

    def _active_obligations(self) -> tuple[Obligation, ...]:
        """The obligations to apply; none in observe mode."""
        context = self.context
        return context.decision.obligations if context is not None and context.mode is Mode.ENFORCE else ()

    def fail(
        self, error: BaseException, fallback: type[Exception] = RuntimeError, *, passthrough: bool = False
    ) -> BaseException:
        """Record an error or a cancellation; returns the error to raise, which may say less.

        Raise another one where the error is no longer being handled, so that it does not become its context.

        Args:
            error: what the action raised.
            fallback: class of what is raised where the error's own cannot be made from a text alone.
            passthrough: whether the caller lets the error through as it is, whatever is returned.
        """
        failure = self._build_failure(error, fallback, passthrough=passthrough)
        is_cancelled = isinstance(error, asyncio.CancelledError | KeyboardInterrupt | GeneratorExit)
        status = "cancelled" if is_cancelled else "error"
        self._finish(status, failure.recorded_text, type(error).__name__, readable_text=failure.readable_text)
        return failure.error

    def make_raisable(self, error: BaseException) -> BaseException:
        """The error to raise where an outer action records its outcome."""
        return self._build_failure(error, RuntimeError).error

    def _build_failure(self, error: BaseException, fallback: type[Exception], *, passthrough: bool = False) -> Failure:
        resource = self.context.resource if self.context is not None else None
        return build_failure(error, self._active_obligations(), resource, fallback=fallback, passthrough=passthrough)

    def pause(self, error: BaseException) -> None:
        """Record that the action paused; the same request may be dispatched once more.

        What it reserved stays charged: it may have spent before it paused.
        """
        self._finish("paused", "", type(error).__name__)

    def _finish(
        self,
        status: str,
        output: str,
        detail: str,
        cost: Mapping[str, int] | None = None,
        *,
        readable_text: str | None = None,
        history_items: tuple[HistoryItem, ...] = (),
    ) -> None:
        if not self._is_open:
            return
        self._is_open = False
        if self.context is not None:
            self._outcomes.queue_outcome(
                self.context,
                status,
                output,
                detail,
                cost or {},
                readable_text=readable_text,
                dropped=self._dropped,
                history_items=history_items,
            )


def _read_cost(result: T, surface: Surface[T]) -> Mapping[str, int]:
    """The cost of a result; empty if it cannot be read, so that the reserved amount stays charged."""
    if surface.cost is None:
        return {}
    try:
        costs = surface.cost(result)
        return {unit: amount for unit, amount in costs.items() if type(amount) is int and 0 <= amount < 2**53}
    except Exception:  # noqa: BLE001  the action ran; what was reserved stays charged
        return {}


def _read_history_items(result: T, surface: Surface[T]) -> tuple[HistoryItem, ...]:
    """The part of a result that joins the conversation; empty if it cannot be read, and so of unknown origin."""
    if surface.history_items is None:
        return ()
    try:
        return surface.history_items(result)
    except Exception:  # noqa: BLE001  the action ran
        return ()


def _read_text(result: T, surface: Surface[T]) -> str:
    """The text of a result in the form to record."""
    try:
        text = surface.text(result)
        is_plain = type(text) is str and text.isascii()  # it has no surrogate
        return text if is_plain else text.encode("utf-8", "replace").decode()
    except Exception as exc:  # noqa: BLE001  the action ran; a result that cannot be read is recorded as such
        return f"unreadable result: {type(exc).__name__}"
