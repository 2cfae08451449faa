"""Room: obligations, what `restrict` makes the PEP do. Takes: arguments or a result. Gives: what of it may be used.

Never: widens anything, changes the original, decides. Masks need no key, so no digest reaches what runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from halo_core.errors import Denied
from halo_core.model import Obligation, Resource
from halo_core.reasons import text
from halo_core.redact import Redactor
from halo_core.sensitive import labels_of

__all__ = ["HELD", "Surface", "clamp", "document_floor", "masked", "narrowed", "redacted", "restricted"]

T = TypeVar("T")
Keep = Callable[[str, tuple[str, ...]], bool]

HELD: Final = "the result was withheld: a policy lets the action run but holds back what it returned"
"""What stands in the place of a result that nobody may use."""
_MASKS: Final = Redactor.for_views()


@dataclass(frozen=True, slots=True)
class Surface(Generic[T]):
    """How an adapter's results are read, and how less of them is made. No function may change what it is given.

    Args:
        text: the result as text, for its digest and for provenance.
        filter: the result with only those documents of which `keep(text, labels)` is true, and how many were dropped;
            `labels` are what the adapter knows of a document beside its text. None where it has no documents.
        redact: the result with every text replaced by what `mask` makes of it, the same object if nothing changes.
        withhold: a notice in the result's own shape.
        cost: what the result cost, unit → amount in the budget's own decimals, where the result says so.
    """

    text: Callable[[T], str]
    filter: Callable[[T, Keep], tuple[T, int]] | None = None
    redact: Callable[[T, Callable[[str], str]], T] | None = None
    withhold: Callable[[T, str], T] | None = None
    cost: Callable[[T], Mapping[str, int]] | None = None


# arguments


def narrowed(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Arguments that are clamped and redacted; the same object when nothing changes."""
    obligations = tuple(obligations)
    return redacted(clamp(args, obligations), obligations)


def clamp(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Arguments with every clamped number at or under its limit; the same object when nothing changes."""
    changed = dict(args)
    for item in obligations:
        if item.kind != "clamp" or item.name not in changed:
            continue
        value = changed[item.name]
        # Anything else was refused (`pdp`): what is no number has no smaller one. Nothing may mean anything.
        if value is None:
            changed[item.name] = item.value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            changed[item.name] = min(value, item.value)
    return changed if changed != dict(args) else args


def redacted(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Arguments with secrets and personal data masked in those that say so; the same object when nothing changes.

    Keys stay. An argument whose own name says that it holds a credential is hidden whole.
    """
    names = {item.name for item in obligations if item.kind == "redact"} & args.keys()
    hidden = {name: _MASKS.hide_value({name: args[name]})[name] for name in names}
    changed = any(value != args[name] for name, value in hidden.items())
    return {**args, **hidden} if changed else args


# results


def restricted(result: T, surface: Surface[T], obligations: Iterable[Obligation], resource: Resource) -> tuple[T, str]:
    """What of a result may be used, and in words what was done to it, empty for nothing.

    First documents are dropped, then texts masked, then all of it is held back. What a surface cannot do, or fails at,
    holds back the whole result.

    Raises:
        Denied: `needs_guard`: the surface cannot even hold it back. Nothing of the result may be used.
    """
    obligations = tuple(obligations)
    kinds = {item.kind for item in obligations}
    keep = _keeper(obligations, resource)
    done: list[str] = []
    try:
        if keep is not None:
            result, dropped = _able(surface.filter)(result, keep)
            done.append(f"dropped {dropped}")
        if "redact_output" in kinds:
            before, result = result, _able(surface.redact)(result, _mask)
            done += ["redacted"] if result is not before else []
        held = "hold_output" in kinds
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - what cannot be made less is not passed on
        held = True
    if held:
        result = _withheld(result, surface)
        done.append("withheld")
    return result, ", ".join(done)


def _mask(words: str) -> str:
    """Text with secrets and personal data masked."""
    return _MASKS.hide(words)


def masked(words: str, obligations: Iterable[Obligation]) -> str:
    """What may be recorded of a result's words."""
    return _mask(words) if any(item.kind == "redact_output" for item in obligations) else words


def document_floor(obligations: Iterable[Obligation]) -> int | None:
    """Lowest source trust (0..1000) a document may have, None where every document may pass."""
    return max((item.value for item in obligations if item.kind == "drop_documents"), default=None)


def _keeper(obligations: tuple[Obligation, ...], resource: Resource) -> Keep | None:
    """Which documents stay, None where every one does. A source's trust and labels are those of all its documents."""
    floor = document_floor(obligations)
    unwanted = frozenset(item.name for item in obligations if item.kind == "drop_labels")
    if (floor is not None and resource.trust < floor) or not unwanted.isdisjoint(resource.labels):
        return lambda _text, _labels: False
    if not unwanted:
        return None
    return lambda words, labels: unwanted.isdisjoint(labels) and unwanted.isdisjoint(labels_of(words))


def _able(function: Callable[..., Any] | None) -> Callable[..., Any]:
    if function is None:
        raise TypeError("the surface cannot do it")
    return function


def _withheld(result: T, surface: Surface[T]) -> T:
    try:
        held: T = _able(surface.withhold)(result, HELD)
    except Exception as exc:
        message, remedy = "the result can be neither narrowed nor held back", text("needs_guard").remedy
        raise Denied("needs_guard", message, remedy=remedy) from exc
    return held
