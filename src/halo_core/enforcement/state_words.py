"""Usual words and short phrases that an agent writes into records: `excused`, `in review`, `papers are missing`.

An exposed session taints what it writes, since an untrusted text may have chosen it. But if the only choice was between
phrases that ordinary sessions have often written in the same place, the record brings nothing of that text back. The
tenant's profile learns such phrases from sessions that have read nothing untrusted (`SeenKind.WORD`).
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from halo_core.behaviour.event import fingerprint_text
from halo_core.behaviour.profile import IdentityProfile
from halo_core.behaviour.seen import SeenKind
from halo_core.model import Impact, Provenance
from halo_core.store.profile_rows import ProfileTable
from halo_core.store.transaction import Transaction
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.language.text import split_name
from halo_core.values.provenance.leaves import KEY, Leaf

if TYPE_CHECKING:
    from halo_core.enforcement.decision_context import DecisionContext

LEAST_SESSIONS: Final = 3
"""Ordinary sessions, of any agent of the tenant, that must have written a word before it is one of a small set."""
_MAX_LEAVES: Final = 16
_STATES: Final = frozenset(
    split_name(word)[-1]
    for word in "body category comment content description flag kind message note outcome phase priority reason remark "
    "result stage state status text type".split()
)
"""Words at the end of an argument's name that hold a state or a remark, and nothing that later acts go to."""
_WORD: Final = r"[^\W\d_A-Z]{2,24}"
_PHRASE: Final = re.compile(rf"(?:{_WORD}|[A-Z]{_WORD}(?=[ ,]))(?:,? {_WORD}){{0,5}}\.?")
"""One to six words in small letters: no digit, address or name. The first of several may begin with a capital."""


@lru_cache(maxsize=1024)
def _holds_state(name: str) -> bool:
    words = split_name(name)
    return bool(words) and words[-1] in _STATES


def _fingerprint(context: DecisionContext, key: bytes, leaf: Leaf) -> int:
    """Fingerprint of a phrase with its place; 0 if it is not a state or a remark."""
    name = leaf.field or name_of_argument(leaf.pointer)
    if name == KEY or len(leaf.text) > 80 or name in context.resource.targets:
        return 0
    if not _holds_state(name) or not _PHRASE.fullmatch(leaf.text):
        return 0
    return fingerprint_text(f"{key.hex()} {context.resource.id} {leaf.pointer} {name} {leaf.text}")


def list_state_words(tx: Transaction, context: DecisionContext) -> tuple[int, ...]:
    """Fingerprints of the state words that an action writes while its session is not exposed."""
    if context.call.resource.impact is not Impact.WRITE or context.state.view.tainted:
        return ()
    fingerprints = [_fingerprint(context, tx.image.sketch_key, leaf) for leaf in context.leaves[:_MAX_LEAVES]]
    return tuple([number for number in fingerprints if number])


def writes_usual_words(tx: Transaction, context: DecisionContext) -> bool:
    """Whether an action writes only words of the user, and words that the agent usually writes there.

    INVARIANT: VOUCH - what names a target is no such word, and sessions that have read untrusted content teach none.
    """
    if context.resource.impact is not Impact.WRITE or len(context.leaves) > _MAX_LEAVES:
        return False
    origins = dict(context.provenance)
    chosen = [leaf for leaf in context.leaves if origins.get(f"{leaf.pointer}") is not Provenance.USER]
    if len(chosen) == len(context.leaves):
        return False
    numbers = [_fingerprint(context, tx.image.sketch_key, leaf) for leaf in chosen]
    tenant = ProfileTable(tx).load_tenant() if all(numbers) else None
    return tenant is not None and all(_count_sessions(tenant.identity, word) >= LEAST_SESSIONS for word in numbers)


def _count_sessions(profile: IdentityProfile, word: int) -> int:
    sighting = profile.known[SeenKind.WORD].values.get(word)
    return sighting.times if sighting is not None else 0
