"""Addresses of one's own domain that belong to a person whom the user named: `alicemiller@corp.example` for "Alice"."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from halo_core.model import Provenance
from halo_core.values.facts.tool_nouns import is_common
from halo_core.values.kinds.kinds import SUSPICIOUS, Form, Kind
from halo_core.values.language.patterns import compile_later
from halo_core.values.orders.role_values import EMAIL
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.mentioned_targets import is_only_mentioned
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import USER_BIT, Sketch
from halo_core.values.sketches.spans import fingerprint_tokens_in_order

_MIN_NAME_PART: Final = 3  # letters of a part of a name
_MAX_NAME_PART: Final = 24
_NAME_PART: Final = compile_later(r"[^\W\d_]+")


def is_alias(sketch: Sketch, leaf: TracedLeaf, text: str, is_own_domain: Callable[[str], bool]) -> bool:
    """Whether a target that nobody vouched for is an own-domain address of a person whom the user named.

    Args:
        sketch: what the session has seen.
        leaf: the target.
        text: of the leaf.
        is_own_domain: whether a mail domain is declared as the tenant's own.
    """
    # An address that stands nowhere is a guess of the model, and may be somebody else's.
    if leaf.kind is not Kind.EMAIL or SUSPICIOUS in leaf.flags:
        return False
    if leaf.origin not in (Provenance.SYSTEM, Provenance.UNTRUSTED):
        return False
    if is_only_mentioned(sketch, EMAIL, text.strip().casefold()):
        return False
    return all(
        value.forms and _is_named_person(sketch, value.forms[0].text.partition("@")[0]) and is_own_domain(value.host)
        for value in parse_argument(text)
        if not _is_any_from_user(sketch, value.forms)
    )


def _is_any_from_user(sketch: Sketch, forms: Iterable[Form]) -> bool:
    """Whether the user wrote one of these forms."""
    return any(map(USER_BIT.__and__, sketch.look_up_forms(forms)))


def _is_named_person(sketch: Sketch, local: str) -> bool:
    """Whether a word of the user begins or ends a part of an address: "Alice" for `alicemiller`."""
    words: set[str] = set()
    for part in _NAME_PART.findall(local)[:4]:
        most = min(len(part), _MAX_NAME_PART)
        words.update(part[:end] for end in range(_MIN_NAME_PART, most + 1))
        words.update(part[-end:] for end in range(_MIN_NAME_PART, most))
    candidates = sorted(word for word in words if not is_common(word))
    masks = sketch.look_up_marks(candidates)
    # A name is written with a capital; a list such as `quarterly-report@` is nobody's.
    return any(
        mask & USER_BIT and _is_written_in_this_case(sketch, word.capitalize())
        for word, mask in zip(candidates, masks, strict=True)
    )


def _is_written_in_this_case(sketch: Sketch, word: str) -> bool:
    """Whether the user wrote a word with exactly these capital and small letters."""
    packed = fingerprint_tokens_in_order([word], sketch.key)
    return sketch.spans[Provenance.USER].find(packed) > 1
