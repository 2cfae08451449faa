"""What facts of one call are found from: its resource, the traced leaves and their texts, the session's sketch."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from halo_core.model import Resource
from halo_core.values.provenance import TracedLeaf
from halo_core.values.sketch import Sketch


@dataclass(frozen=True, slots=True)
class CallView:
    """One call.

    Args:
        resource: what is acted on.
        traced: the leaves of its arguments, as `trace_leaves` gives them.
        texts: pointer of a leaf → its text.
        sketch: what the session has seen.
    """

    resource: Resource
    traced: Sequence[TracedLeaf]
    texts: Mapping[str, str]
    sketch: Sketch


@lru_cache(maxsize=2048)
def words_of(name: str) -> frozenset[str]:
    """Words of an argument's name, and pairs of them as one: `ssh_key` is ssh, key, sshkey."""
    words = list(re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", name))
    words = [word.lower() for word in words]
    singular = [word.removesuffix("s") for word in words]
    return frozenset([*words, *singular, *(a + b for a, b in pairwise(singular))])
