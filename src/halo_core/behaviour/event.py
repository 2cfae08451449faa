"""`BehaviourEvent`: one action as behaviour sees it, without content, built from the request before it is decided."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache, partial
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from halo_core.model import Impact
from halo_core.quick_dataclass import dataclass
from halo_core.risk.drift import describe_arguments

FINGERPRINT_BITS: Final = 48
_MASK: Final = 2**FINGERPRINT_BITS - 1
_MAX_TEXT: Final = 512
_PLAIN: Final = frozenset((Impact.READ.value, Impact.WRITE.value, Impact.SEND.value))


@lru_cache(maxsize=8192)
def fingerprint_text(text: str) -> int:
    """48 bits of a name. Names of persons and of what is in their data come keyed already, as numbers."""
    data = text[:_MAX_TEXT].encode("utf-8", "surrogatepass")
    return int.from_bytes(blake2b(data, digest_size=FINGERPRINT_BITS // 8).digest())


def shorten_fingerprint(number: int) -> int:
    """48 bits of a longer keyed fingerprint."""
    return (number ^ number >> 64) & _MASK


class TouchedObject(NamedTuple):
    """A record, account, file or address among the arguments.

    Args:
        fingerprint: keyed, of its canonical form.
        is_related: the request names it, or it came from few results of related objects.
        is_person: it is an address or an account.
        is_requested: the request itself names it, and not only something that led to it.
        is_page: it is a path of words and dates alone, which names no record.
    """

    fingerprint: int
    is_related: bool
    is_person: bool = False
    is_requested: bool = False
    is_page: bool = False


class Destination(NamedTuple):
    """Where an action sends, writes or connects to: a host, a mail domain, a whole address, an account.

    Args:
        fingerprint: keyed.
        is_own: it belongs to the tenant.
        is_vouched: the user's words or a person's answer vouch for it.
    """

    fingerprint: int
    is_own: bool
    is_vouched: bool


@dataclass(frozen=True, slots=True)
class BehaviourEvent:
    """One action, before it is decided.

    Args:
        tool: id of the resource.
        kind: of the action (`ActionKind`).
        impact: class of the resource (`Impact`).
        system: downstream system.
        labels: of its data.
        ts_us: time of the decision.
        host: it runs on.
        process: program that the agent runs in.
        principal: keyed reference of the person or service at the head of the chain, empty for none.
        request: fingerprint of what the user asked for, 0 for none.
        objects: touched.
        destinations: reached.
        bytes_out: bytes of texts in the arguments of an action that leaves (a send, a write to a foreign host).
        amount: largest amount among the arguments, in ten-thousandths; None for none.
        unit: of the amount.
        is_exposed: the session has read untrusted content.
        resource: the grant that is used.
        hand_off_to: agent that takes over.
        program: name of a program or statement among the arguments.
        words: keyed fingerprints (48 bits) of the words of states that it writes, of a session that is not exposed.
        settings: values that it sets, with their places (`settings`), those aside that untrusted content brought.
        session_risk: after this action, 0..1000.
        surprise: share of its alarm that the session's e-process has reached, in thousandths.
        is_note: it writes unlabelled text of several words, and its arguments name nothing but pages.
    """

    tool: str
    kind: str = "tool_call"
    impact: str = "read"
    system: str = ""
    labels: tuple[str, ...] = ()
    ts_us: int = 0
    host: str = ""
    process: str = ""
    principal: str = ""
    request: int = 0
    objects: tuple[TouchedObject, ...] = ()
    destinations: tuple[Destination, ...] = ()
    bytes_out: int = 0
    amount: int | None = None
    unit: str = ""
    is_exposed: bool = False
    resource: str = ""
    hand_off_to: str = ""
    program: str = ""
    words: tuple[int, ...] = ()
    settings: tuple[int, ...] = ()
    session_risk: int = 0
    surprise: int = 0
    is_note: bool = False


def is_wholly_requested(event: BehaviourEvent) -> bool:
    """Whether the request names each object of an action."""
    return bool(event.objects) and all(item.is_requested for item in event.objects)


def is_led_by_request(event: BehaviourEvent) -> bool:
    """Whether the request names or leads to each object of an action, in a session that is not exposed."""
    return not event.is_exposed and is_accounted_for(event)


def is_plain(event: BehaviourEvent) -> bool:
    """Whether an action reads, writes or sends: it is neither a payment, a removal, a right nor a program."""
    return event.impact in _PLAIN


def is_note_about_nobody(event: BehaviourEvent) -> bool:
    """Whether an action writes a note that goes to no destination, and names only pages and what the request names.

    A note that names what only a record contains is about somebody: it could pass the content of the record on.
    """
    is_kept_inside = event.is_note and not event.destinations and not event.bytes_out
    return is_kept_inside and all(item.is_page or item.is_requested for item in event.objects)


def is_accounted_for(event: BehaviourEvent) -> bool:
    """Whether the request names or leads to each object of an action, and no untrusted content could have done so."""
    if not event.objects:
        return False
    return all(item.is_requested or (item.is_related and not event.is_exposed) for item in event.objects)


class CallShape(NamedTuple):
    """How a call was written; feeds the habits that drift compares.

    Args:
        counts: one for each of `risk.drift.SHAPE_COUNTS`.
        call: fingerprint of the tool with its arguments.
        way: fingerprint of the tool with the names of the arguments that are filled in.
        turn: number of the message that asked for it.
    """

    counts: tuple[int, ...]
    call: int
    way: int
    turn: int = 0


def describe_call(tool: str, args: Mapping[str, Any], *, turn: int = 0) -> CallShape:
    """The shape of a call, off the decision path (bounded by `risk.drift`)."""
    counts, call, way = describe_arguments(tool, args)
    call_number = int.from_bytes(blake2b(call.encode("utf-8", "surrogatepass"), digest_size=4).digest())
    return _make_shape((counts, call_number, _fingerprint_way(way), turn))


_make_shape: Final = partial(tuple.__new__, CallShape)  # a named tuple's own constructor is a Python function


@lru_cache(maxsize=1024)
def _fingerprint_way(way: str) -> int:
    """Fingerprint of a tool with the names of its arguments, remembered: there are few, and no values in them."""
    return int.from_bytes(blake2b(way.encode("utf-8", "surrogatepass"), digest_size=4).digest())
