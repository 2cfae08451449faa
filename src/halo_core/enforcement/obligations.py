"""Applies obligations to arguments, to a result, and to an error.

Nothing is widened and no original is changed. Masks need no key, so what runs contains no digest.

INVARIANT: an error carries results too: what an obligation removes from a result, it removes from an error. The error
that is raised instead is made from its words alone, without anything else of the original (arguments, notes, causes,
attributes), and no code of its class runs.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar

from halo_core.content.redaction import Redactor
from halo_core.content.secret_patterns import find_labels
from halo_core.errors import Denied, Pending
from halo_core.model import OUTPUT_OBLIGATIONS, HistoryItem, Obligation, Resource
from halo_core.model_requests import ProviderBlock
from halo_core.quick_dataclass import dataclass
from halo_core.reasons import get_reason_text

T = TypeVar("T")
KeepDocument = Callable[[str, tuple[str, ...], str], bool]
"""Whether a document stays, given its text, its labels and its id, which is empty where it has none."""

WITHHELD_NOTICE: Final = "the result was withheld: a policy lets the action run but holds back what it returned"
"""What stands in the place of a result that nobody may use."""
_REDACTOR: Final = Redactor.for_views()


@dataclass(frozen=True, slots=True)
class Surface(Generic[T]):
    """How an adapter's results are read and restricted. None of its functions may change its input.

    Args:
        text: the result as text, for its digest and for provenance.
        filter: the result with only those documents of which `keep(text, labels, id)` is true, and how many were
            dropped; `labels` are what the adapter knows of a document beside its text. None if it has no documents.
        redact: the result with every text replaced by what `mask` makes of it, the same object if nothing changes.
        withhold: a notice in the result's own shape.
        cost: what the result cost, unit → amount in the budget's own decimals, where the result says so.
        history_items: what a model's answer adds to the conversation.
        provider_blocks: what the model's provider put into an answer by tools of its own.
    """

    text: Callable[[T], str]
    filter: Callable[[T, KeepDocument], tuple[T, int]] | None = None
    redact: Callable[[T, Callable[[str], str]], T] | None = None
    withhold: Callable[[T, str], T] | None = None
    cost: Callable[[T], Mapping[str, int]] | None = None
    history_items: Callable[[T], tuple[HistoryItem, ...]] | None = None
    provider_blocks: Callable[[T], tuple[ProviderBlock, ...]] | None = None


# arguments


def apply_argument_obligations(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Clamp and redact arguments; returns the same object when nothing changes."""
    obligations = tuple(obligations)
    return redact_arguments(clamp_arguments(args, obligations), obligations)


def clamp_arguments(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Lower every clamped number to its limit; returns the same object when nothing changes."""
    changed = dict(args)
    for item in obligations:
        if item.kind != "clamp" or item.name not in changed:
            continue
        value = changed[item.name]
        # Anything else was refused by the decision: what is no number has no smaller one. None may mean any amount.
        if value is None:
            changed[item.name] = item.value
        elif isinstance(value, int | float) and not isinstance(value, bool):
            changed[item.name] = min(value, item.value)
    return changed if changed != dict(args) else args


def redact_arguments(args: Mapping[str, Any], obligations: Iterable[Obligation]) -> Mapping[str, Any]:
    """Mask secrets and personal data in the named arguments; returns the same object when nothing changes.

    Keys stay. An argument whose own name says that it holds a credential is hidden whole.
    """
    names = {item.name for item in obligations if item.kind == "redact"} & args.keys()
    hidden = {name: _REDACTOR.hide_value({name: args[name]})[name] for name in names}
    changed = any(value != args[name] for name, value in hidden.items())
    return {**args, **hidden} if changed else args


# results


def restrict_result(
    result: T,
    surface: Surface[T],
    obligations: Iterable[Obligation],
    resource: Resource,
    *,
    on_dropped: Callable[[str, str], object] | None = None,
) -> tuple[T, str]:
    """Restrict a result; returns the usable part, and a description of the changes (empty if there are none).

    First documents are dropped, then texts masked, then all of it is held back. What a surface cannot do, or fails at,
    holds back the whole result. `on_dropped` is called with id and text of each dropped document.

    Raises:
        Denied: `needs_guard`: the surface cannot even hold it back. Nothing of the result may be used.
    """
    obligations = tuple(obligations)
    kinds = {item.kind for item in obligations}
    keep = _make_document_filter(obligations, resource)
    if keep is not None and on_dropped is not None:
        keep = _watch_filter(keep, on_dropped)
    measures: list[str] = []
    try:
        if keep is not None:
            result, dropped = _require_supported(surface.filter)(result, keep)
            measures.append(f"dropped {dropped}")
        if "redact_output" in kinds:
            unredacted, result = result, _require_supported(surface.redact)(result, _mask_text)
            measures += ["redacted"] if result is not unredacted else []
        must_withhold = "hold_output" in kinds
    except Exception:  # noqa: BLE001  INVARIANT: FAILCLOSED - what cannot be made less is not passed on
        must_withhold = True
    if must_withhold:
        result = _withhold_result(result, surface)
        measures.append("withheld")
    return result, ", ".join(measures)


def _watch_filter(keep: KeepDocument, on_dropped: Callable[[str, str], object]) -> KeepDocument:
    def keep_or_tell(text: str, labels: tuple[str, ...], document_id: str) -> bool:
        is_kept = keep(text, labels, document_id)
        if not is_kept:
            on_dropped(document_id, text)
        return is_kept

    return keep_or_tell


def _mask_text(words: str) -> str:
    """Mask secrets and personal data."""
    return _REDACTOR.hide(words)


def mask_recorded_text(words: str, obligations: Collection[Obligation]) -> str:
    """The form in which a result's text may be recorded."""
    if not obligations:
        return words
    return _mask_text(words) if any(item.kind == "redact_output" for item in obligations) else words


def find_document_floor(obligations: Iterable[Obligation]) -> int | None:
    """Lowest source trust (0..1000) that a document may have, None if every document may pass."""
    return max((item.value for item in obligations if item.kind == "drop_documents"), default=None)


def _make_document_filter(obligations: tuple[Obligation, ...], resource: Resource) -> KeepDocument | None:
    """A filter of documents to keep; None keeps all. A source's trust and labels apply to all its documents."""
    floor = find_document_floor(obligations)
    unwanted = frozenset(item.name for item in obligations if item.kind == "drop_labels")
    if (floor is not None and resource.trust < floor) or not unwanted.isdisjoint(resource.labels):
        return lambda _text, _labels, _id: False
    if not unwanted:
        return None
    return lambda words, labels, _id: unwanted.isdisjoint(labels) and unwanted.isdisjoint(find_labels(words))


def _require_supported(function: Callable[..., Any] | None) -> Callable[..., Any]:
    if function is None:
        raise TypeError("the surface cannot do it")
    return function


def _withhold_result(result: T, surface: Surface[T]) -> T:
    try:
        notice: T = _require_supported(surface.withhold)(result, WITHHELD_NOTICE)
    except Exception as exc:
        message, remedy = "the result can neither be restricted nor withheld", get_reason_text("needs_guard").remedy
        raise Denied("needs_guard", message, remedy=remedy) from exc
    return notice


WITHHELD_ERROR: Final = "the error was withheld: a policy holds back what this action brings"
"""What an error says that nobody may read."""
_HALO_ERRORS: Final = (Denied, Pending)
_CONSTRUCTION_METHODS: Final = ("__init__", "__new__", "__repr__", "__str__")
_MAX_ERRORS: Final = 32  # of a chain of causes


@dataclass(frozen=True, slots=True)
class Failure:
    """An error in the form in which it may be raised.

    Args:
        error: the error itself, or what stands in its place.
        recorded_text: what may be recorded of its words.
        readable_text: every word that somebody may have learned from what happened, for provenance; empty if
            none could.
    """

    error: BaseException
    recorded_text: str
    readable_text: str


def build_failure(
    error: BaseException,
    obligations: Collection[Obligation],
    resource: Resource | None,
    *,
    fallback: type[Exception] = RuntimeError,
    passthrough: bool = False,
) -> Failure:
    """Restrict an error: the form in which it may be raised, recorded and read.

    Args:
        error: what the action raised.
        obligations: that must be carried out.
        resource: what was acted on; None if nothing was decided.
        fallback: class of what is raised where the error's own, and those above it, cannot be made from a text alone.
        passthrough: whether the error goes on whatever is said here: it steers its framework, or cannot be replaced.
    """
    message_text, kinds = _error_text(error), {item.kind for item in obligations} & OUTPUT_OBLIGATIONS
    dropped = resource is not None and _is_dropped(obligations, resource)
    if not dropped:
        kinds.discard("drop_documents")
    masked_text = mask_recorded_text(message_text, obligations) if kinds <= {"redact_output"} else ""
    if not kinds or passthrough or not isinstance(error, Exception):
        return Failure(error, masked_text, _collect_texts(error))
    if type(error) in _HALO_ERRORS:  # its words are ours; what it was raised from is not
        error.__cause__ = error.__context__ = None
        return Failure(error, masked_text, message_text)
    message = masked_text if kinds == {"redact_output"} else WITHHELD_ERROR
    return Failure(
        _replace_error(type(error), message, fallback), masked_text, "" if dropped else _collect_texts(error)
    )


def _is_dropped(obligations: Iterable[Obligation], resource: Resource) -> bool:
    """Whether an error of this source is withheld because the source's documents are dropped.

    Which labels its words carry cannot be said: a label may be one that only the adapter knows a document by.
    """
    floor = find_document_floor(obligations)
    return (floor is not None and resource.trust < floor) or any(item.kind == "drop_labels" for item in obligations)


# what stands in its place


def _replace_error(kind: type[Exception], words: str, fallback: type[Exception]) -> Exception:
    """An error with only this text, of this class or the nearest base class that takes one text."""
    for base in kind.__mro__:
        if base is not kind and base is Exception:
            break
        replacement = _make_error(base, words)
        if replacement is not None:
            return replacement
    return fallback(words)


def _make_error(kind: type[Any], words: str) -> Exception | None:
    """An exception of a class with another text; None if the class has code of its own.

    Such code could look at the error that is being replaced.
    """
    if (
        not issubclass(kind, Exception)
        or type(kind) is not type
        or not all(_is_builtin(kind, name) for name in _CONSTRUCTION_METHODS)
    ):
        return None
    try:
        error = kind(words)
    except TypeError:  # it takes more than a text
        return None
    return error if error.args == (words,) else None


def _is_builtin(kind: type[Any], name: str) -> bool:
    owner = next(base for base in kind.__mro__ if name in vars(base))
    return getattr(builtins, owner.__name__, None) is owner


# what it says


def _error_text(error: BaseException) -> str:
    return _to_text(error, type(error).__name__)


def _to_text(value: Any, fallback: str = "") -> str:
    try:
        return str(value).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001  an error that cannot say what it is
        return fallback


def _collect_texts(error: BaseException) -> str:
    """All texts of an error that a handler may show: arguments, notes, and the errors it was raised from."""
    return "\n".join(dict.fromkeys(part for item in _iterate_chain(error) for part in _iterate_texts(item) if part))


def _iterate_chain(error: BaseException) -> Iterator[BaseException]:
    """An error and every error that its traceback prints."""
    queue: list[Any] = [error]
    visited: set[int] = set()
    while queue and len(visited) < _MAX_ERRORS:
        item = queue.pop(0)
        if id(item) in visited:
            continue
        visited.add(id(item))
        yield item
        cause = item.__cause__ or (None if item.__suppress_context__ else item.__context__)
        parts = item.exceptions if isinstance(item, BaseExceptionGroup) else ()
        queue += [part for part in (cause, *parts) if part is not None]


def _iterate_texts(error: BaseException) -> Iterator[str]:
    yield _error_text(error)
    for part in (*error.args, *getattr(error, "__notes__", ())):
        yield _to_text(part)
