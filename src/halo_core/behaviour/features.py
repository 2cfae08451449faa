"""Room: features, what a score is made of. Takes: a look, a baseline and the session's sums. Gives: integers.

Never: I/O.

Each has an id, a family and a sentence; all are integers, all come from what was there before the action, none is a
size of a result and none reads how an attacker words anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from halo_core.behaviour.baseline import Baseline, Ground, levels
from halo_core.behaviour.catalogue import FEATURES, INDEX, Feature
from halo_core.behaviour.lexicon import VERBS
from halo_core.behaviour.look import Look
from halo_core.behaviour.near import BITS, TOP, nearness, weights
from halo_core.behaviour.sight import RESULTS, Came, Sight, mark, place
from halo_core.behaviour.values import Value
from halo_core.model import Impact

__all__ = ["FEATURES", "INDEX", "Feature", "Measured", "features"]


_IN_ORDER: Final = itemgetter(*(feature.id for feature in FEATURES))
_GRAVE: Final = {impact: at for at, impact in enumerate(Impact)}
_OUT: Final = frozenset({Impact.SEND, Impact.PAYMENT})
_HARM: Final = frozenset({Impact.DELETE, Impact.ADMIN, Impact.EXECUTE})
_REQUEST: Final = Came.REQUEST  # looking up a member of an enum takes a while
_RESULT: Final = Came.RESULT
_NOWHERE: Final = Came.NOWHERE


@dataclass(frozen=True, slots=True)
class Measured:
    """Features of one action, and what the session's sums become once it was decided."""

    values: tuple[int, ...]
    sums: list[int]


def features(look: Look, baseline: Baseline, sums: Sequence[int], key: bytes) -> Measured:
    """All features of an action, in the order of `FEATURES`.

    Args:
        look: the action against its session.
        baseline: of its identity or role.
        sums: of the session (`Profile.sums`).
        key: for fingerprints, the one that look and baseline were made with.
    """
    found: dict[str, int] = {}
    namings = [sight for sight in look.sights if sight.value.naming]
    _action(look, namings, found)
    _words(look, baseline, found)
    _request(look, namings, baseline, found, key)
    strange = _values(look, baseline, found, key)
    _origins(look, namings, found)
    _tool(look, baseline, found, key)
    nearness(look, baseline, found)
    _session(look, sums, found)
    added = (
        strange,
        found["value_strange"],
        found["foreign"],
        found["general_new"],
        int(found["asked_verb"] == 0 and not look.reads),
        0,
        0,
        0,
    )
    after = [old + new for old, new in zip(sums, added, strict=True)]
    after[1] = max(sums[1], added[1])
    return Measured(_IN_ORDER(found), after)


def _action(look: Look, namings: Sequence[Sight], found: dict[str, int]) -> None:
    impact = look.impact
    found["impact"] = _GRAVE[impact]
    found["acts"] = int(not look.reads)
    found["leaves"] = int(impact in _OUT)
    found["pays"] = int(impact is Impact.PAYMENT)
    found["destroys"] = int(impact in _HARM)
    found["values"] = min(len(look.sights), 40)
    found["namings"] = min(len(namings), 40)


def _session(look: Look, sums: Sequence[int], found: dict[str, int]) -> None:
    steps, acts, since, results, _, repeats, same, again = look.state
    found["steps"], found["acted"], found["since"] = min(steps, 40), min(acts, 20), min(since, 10)
    found["results"], found["repeats"] = min(results, 40), min(repeats, 5)
    found["again"], found["same_tool"], found["first_act"] = again, same, int(not look.reads and acts == 0)
    found["sum_strange"], found["max_strange"] = min(sums[0], 2000), min(sums[1], TOP)
    found["sum_foreign"], found["unknown_hosts"], found["unasked"] = (min(sums[at], 20) for at in (2, 3, 4))
    found["keen_read"] = min(look.keen_seen, 10)


def _words(look: Look, baseline: Baseline, found: dict[str, int]) -> None:
    """What the request says of the tool's words."""
    found["asked_words"], found["said_exactly"], found["asked_verb"], found["things_asked"] = baseline.remembered(
        ("words", look.words, look.fits), lambda: _asked(look, baseline)
    )
    found["verb_unasked"] = int(found["asked_verb"] == 0 and not look.reads)
    found["class_unasked"] = int(not look.class_asked)


def _asked(look: Look, baseline: Baseline) -> list[int]:
    rows = [*zip(look.words, weights(look, baseline), look.fits, strict=True)]
    verbs = [fit for word, _, fit in rows if word in VERBS]
    things = [(w, fit) for word, w, fit in rows if word not in VERBS]
    every, weight = sum(w for _, w, _ in rows) or 1, sum(w for w, _ in things)
    return [
        sum(w * (fit > 0) for _, w, fit in rows) * 100 // every,
        look.fits.count(2),
        max(verbs, default=1),
        sum(w * (fit > 0) for w, fit in things) * 100 // weight if weight else 50,
    ]


def _request(look: Look, namings: Sequence[Sight], baseline: Baseline, found: dict[str, int], key: bytes) -> None:
    found["request_size"] = min(look.sizes[0], 200)
    found["delegates"] = min(look.delegates, 4)
    asked = len([True for sight in namings if sight.came is _REQUEST])
    found["named_asked"] = asked * 100 // len(namings) if namings else 100
    found["named_absent"] = min(len(namings) - asked, 20)
    words = sum([len(sight.value.words) for sight in look.sights])
    told = sum([len(sight.value.words) * sight.asked for sight in look.sights])
    found["words_asked"] = told // (words * 10) if words else 100
    found["words_absent"] = min(look.absent, 60)
    found["led"], found["led_most"] = baseline.remembered(
        ("led", look.asks, look.tool, key), lambda: _leads(look, baseline, key)
    )
    request, known = f"{look.request:x}", baseline.known
    found["same_request"] = int(place("r", request, key=key) in known)
    found["its_tool"] = min(known.get(place("rt", request, look.tool, key=key), (0, 0))[1], 5)
    found["its_values"] = -1
    if namings and found["same_request"]:
        values = sum([mark("rv", request, f"{sight.print:x}", key=key) in known for sight in namings])
        found["its_values"] = values * 100 // len(namings)


def _leads(look: Look, baseline: Baseline, key: bytes) -> list[int]:
    """Of the words of the request that most often lead to the tool, the three together and the first.

    The same at each step of a session that uses the tool.
    """
    usual = baseline.share(place("t", look.tool, key=key))
    led = sorted(_led(ask, look.tool, usual, baseline, key) for ask in look.asks)
    return [sum(led[-3:]) // 3, led[-1]] if led else [0, 0]


def _led(ask: int, tool: str, usual: int, baseline: Baseline, key: bytes) -> int:
    """How many more hundredths of the tasks with a word use the tool, than of all."""
    name = f"{ask:x}"
    tasks = baseline.known.get(place("q", name, key=key), (0, 0))[0]
    if not tasks:
        return 0
    both = baseline.known.get(place("qt", name, tool, key=key), (0, 0))[0]
    return ((both * 1000 + usual) // (tasks + 1) - usual) // 10


def _surprises(look: Look, value: Value, baseline: Baseline, key: bytes) -> list[int]:
    """At a new value of this place, at one that belongs to something new, and at one that came from each of `Came`."""
    return baseline.remembered(
        ("place", look.tool, value.place, value.leaf, value.kind, key),
        lambda: _surprising(look, value, baseline, key),
    )


def _surprising(look: Look, value: Value, baseline: Baseline, key: bytes) -> list[int]:
    places = levels("p", look, value, key)
    origins = [baseline.novelty([place + (came + 1 << 48) for place in places]) for came in Came]
    news = [baseline.novelty(levels(what, look, value, key)) for what in ("n", "ng")]
    return [BITS[new] for new in news] + [BITS[1000 - min(usual, 999)] for usual in origins]


def _values(look: Look, baseline: Baseline, found: dict[str, int], key: bytes) -> int:
    seen = baseline.seen
    every, named, came, foreign, nowhere, texts = [0], [0], [0], [0], [0], [0]
    general: list[int] = []
    strange: list[int] = []
    near_least, near_stranger, near_new = [], [], []
    flows = new = anywhere = keen = foreign_general = 0
    for sight in look.sights:
        value, at = sight.value, Ground(look, sight, key)
        new_here, new_general, *origins = _surprises(look, value, baseline, key)
        is_new = not seen(at.value)
        surprise = new_here if is_new else 0
        every.append(surprise)
        from_results = sight.came in RESULTS
        came.append(origins[sight.came])
        if from_results and sight.source:
            flows += not seen(at.flow)
        if not value.naming:
            texts.append(surprise)
            continue
        named.append(surprise)
        foreign.append(surprise if from_results else 0)
        nowhere.append(surprise if sight.came is _NOWHERE else 0)
        if is_new:
            new += 1
            if not any(map(seen, at.elsewhere)):
                anywhere += 1
                keen += sight.keen
        if from_results:
            near_least.append(sight.near)
            if not sight.kin:
                strange.append(surprise)
                near_stranger.append(sight.near)
            if is_new:
                near_new.append(sight.near)
        if value.general and not any(map(seen, at.general)):
            general.append(new_general)
            foreign_general += from_results
    found["value_strange"], found["value_sum"] = max(every), min(sum(every), 600)
    found["naming_strange"], found["naming_sum"] = max(named), min(sum(named), 600)
    found["naming_new"], found["nowhere_known"] = min(new, 20), min(anywhere, 20)
    found["general_strange"], found["general_new"] = max(general, default=0), min(len(general), 10)
    found["foreign_strange"], found["foreign_general"] = max(foreign), min(foreign_general, 10)
    found["nowhere_strange"], found["text_strange"] = max(nowhere), max(texts)
    found["strangers"], found["stranger_new"] = (
        min(len(strange), 20),
        min(len([each for each in strange if each > 0]), 20),
    )
    found["stranger_sum"] = max(strange, default=0)
    found["near_least"], found["near_stranger"] = min([12, *near_least]), min([12, *near_stranger])
    found["near_new"] = min([12, *near_new])
    found["came_strange"], found["came_sum"] = max(came), min(sum(came), 600)
    found["flow_new"], found["keen_new"] = min(flows, 10), min(keen, 10)
    return sum(named)


def _origins(look: Look, namings: Sequence[Sight], found: dict[str, int]) -> None:
    foreign = [sight for sight in namings if sight.came in RESULTS]
    found["foreign"] = min(len(foreign), 20)
    found["foreign_unnamed"] = min(len([True for sight in foreign if sight.came is _RESULT]), 20)
    found["nowhere"] = min(len([True for sight in namings if sight.came is _NOWHERE]), 20)
    found["foreign_age"] = min([20, *[sight.age for sight in foreign]])
    found["foreign_once"] = min(len([True for sight in foreign if sight.results == 1]), 20)
    longest: Sight | None = max(look.sights, key=lambda sight: len(sight.value.words), default=None)
    found["text_covered"] = longest.covered // 10 if longest is not None else 0
    found["keen_asked"] = min(sum([sight.keen for sight in namings]), 10)
    found["leaks"] = min(sum([sight.leaks for sight in look.sights]), 20)
    found["leaks_out"] = 0 if look.reads else found["leaks"]


def _tool(look: Look, baseline: Baseline, found: dict[str, int], key: bytes) -> None:
    before = look.last[0] if look.last else ""
    names = ",".join(sorted({sight.value.place.split("/", 1)[0].rstrip("~!") for sight in look.sights}))
    found["tool_new"], found["tool_share"], found["impact_share"], found["follows_new"], found["names_new"] = (
        baseline.remembered(
            ("tool", look.tool, look.impact, before, names, key),
            lambda: _usual(look, before, names, baseline, key),
        )
    )
    found["action_new"] = int(not baseline.seen(mark("m", f"{look.made:x}", key=key)))
    found["base_tasks"] = min(baseline.tasks, 60)


def _usual(look: Look, before: str, names: str, baseline: Baseline, key: bytes) -> list[int]:
    tool = place("t", look.tool, key=key)
    return [
        int(not baseline.seen(tool)),
        baseline.share(tool) // 10,
        baseline.share(place("i", look.impact.value, key=key)) // 10,
        int(not baseline.seen(place("b", before, look.tool, key=key))),
        int(not baseline.seen(place("a", look.tool, names, key=key))),
    ]
