"""The relation between an action and its request, and how unusual it is among a role's ordinary actions.

Three facts describe the relation: whether the request contains the tool's verb, whether it asks for the class of action
at all, and the least trustworthy source of what the action names. What is ordinary differs between roles and tools: one
role is asked for each invitation by name, another is sent to carry out what a document says. So a baseline counts in
how many tasks a tool was used in each relation, and the features are the surprise of the current one. A tool without a
history is compared with its class, then with all tools.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from halo_core.model import Impact
from halo_core.risk.evidence import RESULT_ORIGINS, ValueEvidence, ValueOrigin
from halo_core.risk.observation import ActionObservation
from halo_core.values.language.lexicon import VERBS
from halo_core.values.language.text import fingerprint_names

MAX_SURPRISE: Final = 160  # sixteenths of a bit


def _compute_surprise(rate: int) -> int:
    """Surprise at something that happens `rate` thousandths of the time, in sixteenths of a bit, exactly."""
    rate = min(max(rate, 1), 1000)
    return min((1000**16 // rate**16).bit_length() - 1, MAX_SURPRISE)


SURPRISE_BITS: Final = tuple(_compute_surprise(rate) for rate in range(1001))


RELATION_PURPOSES: Final = ("asked", "named", "related")
"""Whether the action is asked for; where what it names came from; both together."""
_CODE_SHIFT: Final = 48  # above the bits of a fingerprint
_SMOOTH: Final = 2
_PRIOR: Final = {"asked": 166, "named": 200, "related": 33}  # thousandths, where nothing is known: all codes alike


def find_relation(observation: ActionObservation) -> tuple[int, int, int]:
    """Codes of the relation, one for each of `RELATION_PURPOSES`."""
    matches = zip(observation.words, observation.request_matches, strict=True)
    return encode_relation(observation, max((match for word, match in matches if word in VERBS), default=1))


def encode_relation(observation: ActionObservation, verb: int) -> tuple[int, int, int]:
    """Like `find_relation`, given how much of the tool's verb the request says (the feature `asked_verb`)."""
    asked = verb * 2 + observation.class_requested
    named = max([_rank_origin(item) for item in observation.evidence if item.value.is_naming], default=0)
    return asked, named, asked * 5 + named


def _rank_origin(evidence: ValueEvidence) -> int:
    """0 from the request, 1 from a result and akin to the request, 2 from nowhere, 3 and 4 from a result."""
    if evidence.origin in RESULT_ORIGINS:
        if evidence.affix_match:
            return 1
        return 3 if evidence.origin is ValueOrigin.NAMED_RESULT else 4
    return 2 if evidence.origin is ValueOrigin.NOWHERE else 0


def compute_relation_places(purpose: str, tool: str, impact: Impact, key: bytes) -> tuple[int, int, int]:
    """Fingerprints under which relations are counted: of the tool, of its class, of all tools."""
    return (
        fingerprint_names("relation", purpose, "tool", tool, key=key),
        fingerprint_names("relation", purpose, "impact", impact.value, key=key),
        fingerprint_names("relation", purpose, "all", key=key),
    )


class RelationCounts:
    """Counts the relations of ordinary actions, in tasks: one task repeated makes nothing ordinary."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._tasks: dict[int, dict[int, set[int]]] = {}

    def add(self, observation: ActionObservation, task: int) -> None:
        """Count an action of an ordinary session.

        Args:
            observation: the action.
            task: fingerprint of the request.
        """
        for purpose, code in zip(RELATION_PURPOSES, find_relation(observation), strict=True):
            for place in compute_relation_places(purpose, observation.tool, observation.impact, self._key):
                self._tasks.setdefault(place, {}).setdefault(code, set()).add(task)

    def to_rates(self) -> Iterable[tuple[int, tuple[int, int]]]:
        """(place and code, (tasks under this relation, tasks at this place)), as `Baseline.rates` holds them."""
        for place, tasks_by_code in self._tasks.items():
            total = len(set().union(*tasks_by_code.values()))
            yield place, (total, total)
            for code, tasks in tasks_by_code.items():
                yield _with_code(place, code), (len(tasks), total)


def _with_code(place: int, code: int) -> int:
    return place + (code + 1 << _CODE_SHIFT)


def compute_relation_rates(
    observation: ActionObservation, relation: Iterable[int], rates: Mapping[int, tuple[int, int]], key: bytes
) -> list[int]:
    """Thousandths of the tasks that used this tool under such a relation, for each of `RELATION_PURPOSES`.

    Args:
        observation: the action.
        relation: its codes.
        rates: rates of the role's baseline.
        key: key of the fingerprints.
    """
    shares = []
    for purpose, code in zip(RELATION_PURPOSES, relation, strict=True):
        rate = _PRIOR[purpose]
        for place in reversed(compute_relation_places(purpose, observation.tool, observation.impact, key)):
            total = rates.get(place, (0, 0))[1]
            times = rates.get(_with_code(place, code), (0, 0))[0]
            rate = (times * 1000 + rate * _SMOOTH) // (total + _SMOOTH)
        shares.append(max(rate, 1))
    return shares
