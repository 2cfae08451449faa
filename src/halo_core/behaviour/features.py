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
from halo_core.behaviour.sight import Came, Sight, mark, place
from halo_core.model import Impact

__all__ = ["FEATURES", "INDEX", "Feature", "Measured", "features"]


_IN_ORDER: Final = itemgetter(*(feature.id for feature in FEATURES))
_GRAVE: Final = {impact: at for at, impact in enumerate(Impact)}
_OUT: Final = frozenset({Impact.SEND, Impact.PAYMENT})
_HARM: Final = frozenset({Impact.DELETE, Impact.ADMIN, Impact.EXECUTE})


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
    _action(look, found)
    _request(look, baseline, found, key)
    strange = _values(look, baseline, found, key)
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
    after = [max(old, new) if at == 1 else old + new for at, (old, new) in enumerate(zip(sums, added, strict=True))]
    return Measured(_IN_ORDER(found), after)


def _action(look: Look, found: dict[str, int]) -> None:
    found["impact"] = _GRAVE[look.impact]
    found["acts"] = int(not look.reads)
    found["leaves"] = int(look.impact in _OUT)
    found["pays"] = int(look.impact is Impact.PAYMENT)
    found["destroys"] = int(look.impact in _HARM)
    found["values"] = min(len(look.sights), 40)
    found["namings"] = min(sum(sight.value.naming for sight in look.sights), 40)


def _session(look: Look, sums: Sequence[int], found: dict[str, int]) -> None:
    steps, acts, since, results, _, repeats, same, again = look.state
    found["steps"], found["acted"], found["since"] = min(steps, 40), min(acts, 20), min(since, 10)
    found["results"], found["repeats"] = min(results, 40), min(repeats, 5)
    found["again"], found["same_tool"], found["first_act"] = again, same, int(not look.reads and acts == 0)
    found["sum_strange"], found["max_strange"] = min(sums[0], 2000), min(sums[1], TOP)
    found["sum_foreign"], found["unknown_hosts"], found["unasked"] = (min(sums[at], 20) for at in (2, 3, 4))
    found["keen_read"] = min(look.keen_seen, 10)


def _request(look: Look, baseline: Baseline, found: dict[str, int], key: bytes) -> None:
    each = weights(look, baseline)
    every = sum(each) or 1
    found["asked_words"] = sum(w * (fit > 0) for w, fit in zip(each, look.fits, strict=True)) * 100 // every
    found["said_exactly"] = sum(fit == 2 for fit in look.fits)
    verbs = [fit for word, fit in zip(look.words, look.fits, strict=True) if word in VERBS]
    things = [(w, fit) for word, w, fit in zip(look.words, each, look.fits, strict=True) if word not in VERBS]
    found["asked_verb"] = max(verbs, default=1)
    found["verb_unasked"] = int(found["asked_verb"] == 0 and not look.reads)
    found["class_unasked"] = int(not look.class_asked)
    weight = sum(w for w, _ in things)
    found["things_asked"] = sum(w * (fit > 0) for w, fit in things) * 100 // weight if weight else 50
    found["request_size"] = min(look.sizes[0], 200)
    found["delegates"] = min(look.delegates, 4)
    namings = [sight for sight in look.sights if sight.value.naming]
    asked = sum(sight.came is Came.REQUEST for sight in namings)
    found["named_asked"] = asked * 100 // len(namings) if namings else 100
    found["named_absent"] = min(len(namings) - asked, 20)
    words = sum(len(sight.value.words) for sight in look.sights)
    found["words_asked"] = (
        sum(len(sight.value.words) * sight.asked for sight in look.sights) // (words * 10) if words else 100
    )
    found["words_absent"] = min(look.absent, 60)
    usual = baseline.share(place("t", look.tool, key=key))
    led = baseline.remembered((look.asks, look.tool, key), lambda: _leads(look, usual, baseline, key))
    found["led"] = sum(sorted(led)[-3:]) // 3 if led else 0
    found["led_most"] = max(led, default=0)
    request = f"{look.request:x}"
    known = baseline.known
    found["same_request"] = int(mark("r", request, key=key) in known)
    found["its_tool"] = min(known.get(mark("rt", request, look.tool, key=key), (0, 0))[1], 5)
    found["its_values"] = -1
    if namings and found["same_request"]:
        values = sum(mark("rv", request, f"{sight.print:x}", key=key) in known for sight in namings)
        found["its_values"] = values * 100 // len(namings)


def _leads(look: Look, usual: int, baseline: Baseline, key: bytes) -> list[int]:
    """As `_led`, of each word of the request: the same at each step of a session that uses the tool."""
    return [_led(ask, look.tool, usual, baseline, key) for ask in look.asks]


def _led(ask: int, tool: str, usual: int, baseline: Baseline, key: bytes) -> int:
    """How many more hundredths of the tasks with a word use the tool, than of all."""
    name = f"{ask:x}"
    tasks = baseline.known.get(place("q", name, key=key), (0, 0))[0]
    if not tasks:
        return 0
    both = baseline.known.get(place("qt", name, tool, key=key), (0, 0))[0]
    return ((both * 1000 + usual) // (tasks + 1) - usual) // 10


def _values(look: Look, baseline: Baseline, found: dict[str, int], key: bytes) -> int:
    seen = baseline.seen
    every: list[int] = []
    named: list[int] = []
    general: list[int] = []
    came: list[int] = []
    foreign, nowhere, texts, strange = [], [], [], []
    near: dict[str, list[int]] = {"least": [], "stranger": [], "new": []}
    counts = dict.fromkeys(("new", "anywhere", "general", "fgeneral", "flow", "keen"), 0)
    for sight in look.sights:
        at = Ground(look, sight, key)
        is_known = seen(at.value)
        surprise = 0 if is_known else BITS[baseline.novelty(levels("n", look, sight, key))]
        every.append(surprise)
        results_only = sight.came in (Came.RESULT, Came.NAMED_RESULT)
        origin = [place + (sight.came + 1 << 48) for place in levels("p", look, sight, key)]
        came.append(BITS[1000 - min(baseline.novelty(origin), 999)])
        counts["flow"] += results_only and bool(sight.source) and not seen(at.flow)
        if not sight.value.naming:
            texts.append(surprise)
            continue
        named.append(surprise)
        counts["new"] += not is_known
        counts["anywhere"] += not is_known and not any(map(seen, at.elsewhere))
        counts["keen"] += sight.keen and not is_known and not any(map(seen, at.elsewhere))
        foreign.append(surprise if results_only else 0)
        if results_only:
            near["least"].append(sight.near)
            if not sight.kin:
                strange.append(surprise)
                near["stranger"].append(sight.near)
            if not is_known:
                near["new"].append(sight.near)
        nowhere.append(surprise if sight.came is Came.NOWHERE else 0)
        if sight.value.general and not any(map(seen, at.general)):
            general.append(BITS[baseline.novelty(levels("ng", look, sight, key))])
            counts["general"] += 1
            counts["fgeneral"] += results_only
    found["value_strange"], found["value_sum"] = max(every, default=0), min(sum(every), 600)
    found["naming_strange"], found["naming_sum"] = max(named, default=0), min(sum(named), 600)
    found["naming_new"], found["nowhere_known"] = min(counts["new"], 20), min(counts["anywhere"], 20)
    found["general_strange"], found["general_new"] = max(general, default=0), min(counts["general"], 10)
    found["foreign_strange"], found["foreign_general"] = max(foreign, default=0), min(counts["fgeneral"], 10)
    found["nowhere_strange"], found["text_strange"] = max(nowhere, default=0), max(texts, default=0)
    found["strangers"], found["stranger_new"] = min(len(strange), 20), min(sum(item > 0 for item in strange), 20)
    found["stranger_sum"] = max(strange, default=0)
    for name, numbers in near.items():
        found[f"near_{name}"] = min(min(numbers, default=12), 12)
    found["came_strange"], found["came_sum"] = max(came, default=0), min(sum(came), 600)
    found["flow_new"], found["keen_new"] = min(counts["flow"], 10), min(counts["keen"], 10)
    _origins(look, found)
    _tool(look, baseline, found, key)
    return sum(named)


def _origins(look: Look, found: dict[str, int]) -> None:
    namings = [sight for sight in look.sights if sight.value.naming]
    foreign = [sight for sight in namings if sight.came in (Came.RESULT, Came.NAMED_RESULT)]
    found["foreign"] = min(len(foreign), 20)
    found["foreign_unnamed"] = min(sum(sight.came is Came.RESULT for sight in foreign), 20)
    found["nowhere"] = min(sum(sight.came is Came.NOWHERE for sight in namings), 20)
    found["foreign_age"] = min(min((sight.age for sight in foreign), default=20), 20)
    found["foreign_once"] = min(sum(sight.results == 1 for sight in foreign), 20)
    longest: Sight | None = max(look.sights, key=lambda sight: len(sight.value.words), default=None)
    found["text_covered"] = longest.covered // 10 if longest is not None else 0
    found["keen_asked"] = min(sum(sight.keen for sight in namings), 10)
    found["leaks"] = min(sum(sight.leaks for sight in look.sights), 20)
    found["leaks_out"] = 0 if look.reads else found["leaks"]


def _tool(look: Look, baseline: Baseline, found: dict[str, int], key: bytes) -> None:
    tool = place("t", look.tool, key=key)
    before = look.last[0] if look.last else ""
    names = ",".join(sorted({sight.value.place.split("/", 1)[0].rstrip("~!") for sight in look.sights}))
    found["tool_new"] = int(not baseline.seen(tool))
    found["tool_share"] = baseline.share(tool) // 10
    found["impact_share"] = baseline.share(place("i", look.impact.value, key=key)) // 10
    found["follows_new"] = int(not baseline.seen(place("b", before, look.tool, key=key)))
    found["names_new"] = int(not baseline.seen(place("a", look.tool, names, key=key)))
    found["action_new"] = int(not baseline.seen(mark("m", f"{look.made:x}", key=key)))
    found["base_tasks"] = min(baseline.tasks, 60)
