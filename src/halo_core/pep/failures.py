"""Room: failures, what of an action's error may be raised. Takes: an error, obligations. Gives: an error, its words.

INVARIANT: an error is a result by another way: what an obligation takes from the result, it takes from the error too.
What is raised instead is made from its words alone, so nothing else of the error (arguments, notes, causes, attributes)
comes with it. Never: changes an error of the action, calls code of its class.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from halo_core.errors import Denied, Pending
from halo_core.model import OUTPUT_OBLIGATIONS, Obligation, Resource
from halo_core.pep.obligations import document_floor, masked

__all__ = ["HELD_ERROR", "Failure", "failure"]

HELD_ERROR: Final = "the error was withheld: a policy holds back what this action brings"
"""What an error says that nobody may read."""
_OURS: Final = (Denied, Pending)
_MADE_BY: Final = ("__init__", "__new__", "__repr__", "__str__")
_MOST_ERRORS: Final = 32  # of a chain of causes


@dataclass(frozen=True, slots=True)
class Failure:
    """An error as it may be raised.

    Args:
        raised: the error itself, or what stands in its place.
        recorded: what may be recorded of its words.
        seen: every word that somebody may have learned from what happened, for provenance; empty where none could.
    """

    raised: BaseException
    recorded: str
    seen: str


def failure(
    error: BaseException,
    obligations: Iterable[Obligation],
    resource: Resource | None,
    *,
    otherwise: type[Exception] = RuntimeError,
    passes: bool = False,
) -> Failure:
    """What may be raised of an error, and what it says.

    Args:
        error: what the action raised.
        obligations: that must be carried out.
        resource: what was acted on; None where nothing was decided.
        otherwise: class of what is raised where the error's own, and those above it, cannot be made from a text alone.
        passes: whether the error goes on whatever is said here: it steers its framework, or cannot be replaced.
    """
    words, kinds = _words(error), {item.kind for item in obligations} & OUTPUT_OBLIGATIONS
    dropped = resource is not None and _dropped(obligations, resource)
    if not dropped:
        kinds.discard("drop_documents")
    told = masked(words, obligations) if kinds <= {"redact_output"} else ""
    if not kinds or passes or not isinstance(error, Exception):
        return Failure(error, told, _everything(error))
    if type(error) in _OURS:  # its words are ours; what it was raised from is not
        error.__cause__ = error.__context__ = None
        return Failure(error, told, words)
    shown = told if kinds == {"redact_output"} else HELD_ERROR
    return Failure(_replaced(type(error), shown, otherwise), told, "" if dropped else _everything(error))


def _dropped(obligations: Iterable[Obligation], resource: Resource) -> bool:
    """Whether an error of this source goes where its documents go.

    Which labels its words carry cannot be said: a label may be one that only the adapter knows a document by.
    """
    floor = document_floor(obligations)
    return (floor is not None and resource.trust < floor) or any(item.kind == "drop_labels" for item in obligations)


# what stands in its place


def _replaced(kind: type[Exception], words: str, otherwise: type[Exception]) -> Exception:
    """An error of this class, or of the nearest one above that can be made of a text, with these words alone."""
    for base in kind.__mro__:
        if base is not kind and base is Exception:
            break
        made = _made(base, words)
        if made is not None:
            return made
    return otherwise(words)


def _made(kind: type[Any], words: str) -> Exception | None:
    """None where the class has a say in what it is made of: its code could look at the error that is being replaced."""
    if not issubclass(kind, Exception) or type(kind) is not type or not all(_builtin(kind, name) for name in _MADE_BY):
        return None
    try:
        made = kind(words)
    except TypeError:  # it takes more than a text
        return None
    return made if made.args == (words,) else None


def _builtin(kind: type[Any], name: str) -> bool:
    owner = next(base for base in kind.__mro__ if name in vars(base))
    return getattr(builtins, owner.__name__, None) is owner


# what it says


def _words(error: BaseException) -> str:
    return _text(error, type(error).__name__)


def _text(value: Any, otherwise: str = "") -> str:
    try:
        return str(value).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001  an error that cannot say what it is
        return otherwise


def _everything(error: BaseException) -> str:
    """All that can be read off an error: whoever handles it may show its arguments, its notes and what led to it."""
    return "\n".join(dict.fromkeys(said for item in _chain(error) for said in _says(item) if said))


def _chain(error: BaseException) -> Iterator[BaseException]:
    """An error and what a traceback prints with it."""
    left: list[Any] = [error]
    known: set[int] = set()
    while left and len(known) < _MOST_ERRORS:
        item = left.pop(0)
        if id(item) in known:
            continue
        known.add(id(item))
        yield item
        led_to = item.__cause__ or (None if item.__suppress_context__ else item.__context__)
        parts = item.exceptions if isinstance(item, BaseExceptionGroup) else ()
        left += [part for part in (led_to, *parts) if part is not None]


def _says(error: BaseException) -> Iterator[str]:
    yield _words(error)
    for part in (*error.args, *getattr(error, "__notes__", ())):
        yield _text(part)
