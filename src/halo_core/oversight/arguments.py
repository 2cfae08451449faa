"""The arguments of a request as an approver sees them: targets and amount exactly, and the origin of each.

INVARIANT: an approver sees where the money, the mail or the right goes, letter by letter. Two payees never look alike
because a part of them was masked; only the middle of card numbers is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import orjson

from halo_core.content.personal_data import mask_card_numbers
from halo_core.content.redaction import Redactor
from halo_core.crypto import canonical
from halo_core.model import Provenance, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.values.kinds.kinds import SUSPICIOUS
from halo_core.values.provenance.leaves import extract_texts

_WORDS: Final = {
    Provenance.USER: "the user wrote it",
    Provenance.KNOWN: "from a trusted lookup, or declared as known",
    Provenance.SYSTEM: "from a trusted source",
    Provenance.UNTRUSTED: "from untrusted content",
    Provenance.MIXED: "in part from untrusted content",
    Provenance.NOVEL: "in nothing that the session has read",
}
_WORST_FIRST: Final = (
    Provenance.UNTRUSTED,
    Provenance.MIXED,
    Provenance.NOVEL,
    Provenance.SYSTEM,
    Provenance.KNOWN,
    Provenance.USER,
)


@dataclass(frozen=True, slots=True)
class ArgumentView:
    """One argument.

    Args:
        name: name of the argument.
        value: as text; masked unless it is a target or the amount, or the resource declares no target.
        came_from: where it came from, in words.
        is_target: whether it is a declared target or the amount.
        is_amount: whether it is the amount.
        origin: the worst origin of its parts; empty if none is known.
    """

    name: str
    value: str
    came_from: str
    is_target: bool
    is_amount: bool = False
    origin: str = ""


def describe_arguments(
    resource: Resource, snapshot: Mapping[str, Any], sealed: bytes | None, *, reveal: bool
) -> tuple[ArgumentView, ...]:
    """The arguments of a recorded decision, targets and amount first; empty if they were erased.

    Args:
        resource: the tool that was called.
        snapshot: the recorded snapshot of the decision.
        sealed: the opened arguments, canonical JSON; None if they were erased or there is no key.
        reveal: whether to mask nothing.
    """
    if sealed is None:
        return ()
    args = canonical.from_plain(canonical.loads(sealed))
    mask = Redactor.for_views().mask
    exact = [name for name in (*resource.targets, resource.amount) if name in args]
    views = []
    for name in (*exact, *sorted(args.keys() - set(exact))):
        is_exact = name in exact
        text = _to_text(args[name])
        # Without a declared target any argument may be one. The middle of a card number stays hidden (PCI DSS 3.4.1).
        is_shown = is_exact or not resource.targets
        value = text if reveal else mask_card_numbers(text) if is_shown else mask(text)
        is_amount = name == resource.amount
        origin = _find_worst_origin(name, snapshot) or ""
        views.append(ArgumentView(name, value, _describe_origin(name, snapshot), is_exact, is_amount, str(origin)))
    return tuple(views)


def _to_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return ", ".join(extract_texts(value)) or repr(value)


def _describe_origin(name: str, snapshot: Mapping[str, Any]) -> str:
    """Where an argument came from, and whether its text is misleading, in words."""
    words = _describe_provenance(name, snapshot)
    is_misleading = any(
        SUSPICIOUS in flags and _is_within(pointer, name) for pointer, _, flags in snapshot.get("targets", ())
    )
    return f"{words}; written misleadingly: look-alike, hidden or encoded characters" if is_misleading else words


def _is_within(pointer: str, name: str) -> bool:
    """Whether a JSON pointer (RFC 6901) is to an argument or into it."""
    argument = "/" + name.replace("~", "~0").replace("/", "~1")
    return pointer == argument or pointer.startswith(argument + "/")


def _find_worst_origin(name: str, snapshot: Mapping[str, Any]) -> Provenance | None:
    origins = {Provenance(origin) for pointer, origin in snapshot["provenance"] if _is_within(pointer, name)}
    return next((item for item in _WORST_FIRST if item in origins), None)


def _describe_provenance(name: str, snapshot: Mapping[str, Any]) -> str:
    """The worst origin of the parts of an argument, with the names of all their sources; empty if none is known."""
    sources = sorted(
        {source for pointer, names in snapshot["sources"] if _is_within(pointer, name) for source in names}
    )
    worst = _find_worst_origin(name, snapshot)
    if worst is None:
        return ""
    return f"{_WORDS[worst]}: {', '.join(sources)}" if sources else _WORDS[worst]
