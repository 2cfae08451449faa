"""Features of an action, what its risk is computed from.

Each has an id, a family and a sentence; all are integers, all come from what was there before the action, none is a
size of a result and none depends on how an attacker words anything. Their order is part of a model's form:
`model.features_hash` is a digest of the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from halo_core.model import Impact
from halo_core.risk.baseline import Baseline, ValueFingerprints, fingerprint_levels
from halo_core.risk.observation import (
    RESULT_ORIGINS,
    ActionObservation,
    ValueEvidence,
    ValueOrigin,
)
from halo_core.values.argument_values import Value
from halo_core.values.lexicon import VERBS
from halo_core.values.text import fingerprint_names, fingerprint_strings


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature: `id`, `family` (action, session, request, origin, novelty, secrets), `words` for people.

    The words stand alone and name what is measured, since three of them are shown without the others or a value.

    `rises` is 1 where more of it can only make an action stranger, -1 where less can, 0 where neither holds; a feature
    with `core` means the same in every workload.
    """

    id: str
    family: str
    words: str
    rises: int = 0
    core: bool = False


def _parse_catalogue() -> tuple[Feature, ...]:
    text = """
action  impact          0 -  how grave the class of action is
action  acts            0 c  the action does more than read
action  leaves          0 c  the action sends something out
action  pays            0 c  the action moves money
action  destroys        0 c  the action deletes something or changes who may do what
action  values          0 -  number of values in its arguments
action  namings         0 -  number of values that name whom, where or which
session steps           0 -  actions so far in the session
session acted           0 -  actions so far that did more than read
session since           0 c  actions since the last result came back
session results         0 -  results seen so far
session repeats         0 c  the very same action was made before in this session
session again           0 c  the same tool was used just before
session same_tool       0 -  how often the last three actions used this tool
session first_act       0 c  the first action that does more than read
session sum_strange     1 c  strangeness of the session's values so far
session max_strange     1 c  the strangest value so far in the session
session sum_foreign     1 c  values so far that results named and the request did not
session unknown_hosts   1 c  unknown hosts, mail domains and folders so far
session unasked         1 c  actions so far that nothing in the request asked for
session keen_read       0 c  results so far that speak of secrets
request asked_words    -1 c  how much of what the tool does the request says
request asked_verb     -1 c  whether the request asks for what the tool does
request class_unasked   1 c  a grave class of action that the request does not ask for
request verb_unasked    1 c  an act whose verb the request does not say, nor anything like it
request things_asked   -1 c  how much of what the tool is about the request says
request said_exactly   -1 c  how many words of the tool the request itself uses
request request_size    0 -  length of the request
request delegates       0 c  the request hands on what somebody else says
request named_asked    -1 c  share of what it names that stands in the request
request named_absent    1 c  things it names that the request does not
request words_asked    -1 -  share of its argument words that stand in the request
request words_absent    0 -  argument words that the request does not hold
request led            -1 c  how often the request's words lead to this tool
request led_most       -1 c  how often the word of the request that most often does leads to this tool
request same_request   -1 c  whether this very request is known
request its_tool       -1 c  whether this request is known to lead to this tool
request its_values     -1 c  how many of its values this very request is known to lead to
origin  foreign         1 c  things it names that came from results only
origin  foreign_unnamed 1 c  things it names that came from results the request did not point at
origin  strangers       1 c  foreign names that have nothing in common with the request
origin  stranger_new    1 c  foreign names unlike anything in the request and not known where they stand
origin  stranger_sum    1 c  how surprising foreign names unlike anything in the request are, at most
origin  near_least     -1 c  how many words of the request stand around the foreign name that has fewest of them
origin  near_stranger  -1 c  how many words of the request stand around foreign names unlike anything in it
origin  near_new       -1 c  how many words of the request stand around foreign names not known where they stand
origin  nowhere         0 c  things it names that were nowhere before
origin  foreign_age     0 c  how fresh the result is that named them
origin  foreign_once    0 c  things it names that stood in a single result
origin  text_covered    0 c  share of its longest text that one result holds
origin  came_strange    1 c  how unusual it is for such a value to come from there, at most
origin  came_sum        1 c  how unusual the origins of its values are, together
origin  flow_new        1 c  values that came from a tool which never fed this argument
origin  said_near       1 c  how closely a result spells out what the tool does
origin  said_gain       1 c  how much more closely a result than the request spells out what the tool does
origin  span            1 c  share of argument words absent from the request that stand together in a result
origin  span_words      1 c  how many argument words absent from the request stand together in a result
origin  span_verb       1 c  a result says what the tool does right beside these words
origin  order           1 c  how much of what it does and with what stands together in a result, as one number
novelty tool_new        1 c  the tool is not known of this role
novelty tool_share     -1 -  how often ordinary tasks use the tool
novelty impact_share   -1 c  how often ordinary tasks use actions of this class
novelty follows_new     1 c  it does not usually follow the action before
novelty names_new       1 c  this combination of arguments is not known
novelty action_new      1 c  this very action is not known
novelty value_strange   1 c  how surprising its most surprising new value is, where it stands
novelty value_sum       1 c  how surprising its new values are, together
novelty naming_strange  1 c  how surprising the most surprising new name is, where it stands
novelty naming_sum      1 c  how surprising its new names are, together
novelty naming_new      1 c  things it names that are not known where they stand
novelty nowhere_known   1 c  things it names that are not known anywhere
novelty general_strange 1 c  how surprising an unknown host, mail domain or folder is, where it stands
novelty general_new     1 c  unknown hosts, mail domains, folders
novelty foreign_strange 1 c  how surprising the new names are that came from results
novelty foreign_general 1 c  hosts, mail domains and folders that came from results and are not known
novelty nowhere_strange 1 c  how surprising the new names are that came from nowhere
novelty text_strange    1 -  how surprising its new texts are
novelty base_tasks      0 -  tasks that the baseline knows
secrets keen_asked      1 c  it names something secret that the request does not
secrets leaks           1 c  secret-looking values of earlier results that it carries
secrets leaks_out       1 c  secret-looking values of earlier results that it carries, in an action that sends or writes
secrets keen_new        1 c  a secret thing that ordinary sessions do not name
"""
    rows = (line.split(None, 4) for line in text.strip().splitlines())
    return tuple(Feature(id_, family, words, int(rises), core == "c") for family, id_, rises, core, words in rows)


FEATURES: Final = _parse_catalogue()
FEATURE_INDEX: Final = {feature.id: at for at, feature in enumerate(FEATURES)}


_WINDOW: Final = 32
_VERB_WINDOW: Final = 14
MAX_SURPRISE: Final = 160  # sixteenths of a bit


def _compute_surprise(rate: int) -> int:
    """Surprise at something that happens `rate` thousandths of the time, in sixteenths of a bit, exactly."""
    rate = min(max(rate, 1), 1000)
    return min((1000**16 // rate**16).bit_length() - 1, MAX_SURPRISE)


SURPRISE_BITS: Final = tuple(_compute_surprise(rate) for rate in range(1001))


def weigh_tool_words(observation: ActionObservation, baseline: Baseline) -> list[int]:
    """Weights of the tool's words, higher where few of the role's tools have the word."""
    return baseline.memoize(
        ("weights", observation.words), lambda: [_weigh_word(word, baseline) for word in observation.words]
    )


def _weigh_word(word: str, baseline: Baseline) -> int:
    return 4 + SURPRISE_BITS[min((baseline.word_counts.get(word, 0) + 1) * 1000 // (baseline.tool_count + 1), 1000)]


def measure_proximity(observation: ActionObservation, baseline: Baseline, features: dict[str, int]) -> None:
    """How closely results spell out the action: its words, the words of its arguments, and both together."""
    word_weights = weigh_tool_words(observation, baseline)
    total_weight = sum(word_weights) or 1
    request_weight = sum(
        w * (4 if match == 2 else 3 * match) // 4
        for w, match in zip(word_weights, observation.request_matches, strict=True)
    )
    result_weight = span = both = 0
    for hits in observation.hits:
        if hits:
            result_weight = max(result_weight, _best_verb_window(hits, word_weights))
            if observation.absent_word_count:
                here = _best_joint_window(hits, word_weights, total_weight)
                span, both = max(span, here[0]), max(both, here[1])
    features["said_near"] = result_weight * 100 // total_weight
    features["said_gain"] = max(result_weight - request_weight, 0) * 100 // total_weight
    features["span_words"] = min(span, 40)
    features["span"] = span * 100 // observation.absent_word_count if observation.absent_word_count else 0
    features["span_verb"] = min(both // max(span, 1), 100) if span else 0
    order = both * 10 // (observation.absent_word_count + 2) if observation.absent_word_count else 0
    features["order"] = min(order, 1000)


def _best_verb_window(hits: Sequence[tuple[int, int, bool]], weights: Sequence[int]) -> int:
    """Most weight of the tool's words in any window of `_VERB_WINDOW` words."""
    row = [(position, which) for position, which, _ in hits if which >= 0]
    best = weight = start = 0
    times = [0] * len(weights)
    for position, which in row:
        if not times[which]:
            weight += weights[which]
        times[which] += 1
        while row[start][0] <= position - _VERB_WINDOW:
            old = row[start][1]
            times[old] -= 1
            if not times[old]:
                weight -= weights[old]
            start += 1
        if weight > best:  # noqa: PLR1730  `max` takes longer than all the rest
            best = weight
    return best


def _best_joint_window(
    hits: Sequence[tuple[int, int, bool]], weights: Sequence[int], total_weight: int
) -> tuple[int, int]:
    """Most argument words in any window of `_WINDOW` words, and their product with the weight of the tool's words."""
    span = both = start = weight = words = 0
    times: dict[int, int] = {}
    for position, which, _ in hits:
        count = times.get(which, 0)
        times[which] = count + 1
        if not count:
            if which >= 0:
                weight += weights[which]
            else:
                words += 1
        while hits[start][0] <= position - _WINDOW:
            old = hits[start][1]
            times[old] -= 1
            if not times[old]:
                if old >= 0:
                    weight -= weights[old]
                else:
                    words -= 1
            start += 1
        if words:
            if words > span:  # noqa: PLR1730  `max` takes longer than all the rest
                span = words
            if words * weight > both:  # noqa: PLR1730  `max` takes longer than all the rest
                both = words * weight
    return span, both * 100 // total_weight


_VALUES_IN_ORDER: Final = itemgetter(*(feature.id for feature in FEATURES))
_SEVERITY: Final = {impact: at for at, impact in enumerate(Impact)}
_OUTBOUND: Final = frozenset({Impact.SEND, Impact.PAYMENT})
_HARMFUL: Final = frozenset({Impact.DELETE, Impact.ADMIN, Impact.EXECUTE})
_REQUEST: Final = ValueOrigin.REQUEST  # looking up a member of an enum takes a while
_RESULT: Final = ValueOrigin.RESULT
_NOWHERE: Final = ValueOrigin.NOWHERE


def compute_features(
    observation: ActionObservation, baseline: Baseline, sums: Sequence[int], key: bytes
) -> tuple[tuple[int, ...], list[int]]:
    """All features of an action, in the order of `FEATURES`, and what the session's sums become once it was decided.

    Args:
        observation: the action against its session.
        baseline: of its identity or role.
        sums: of the session (`Profile.sums`).
        key: for fingerprints, the one that observation and baseline were made with.
    """
    features: dict[str, int] = {}
    namings = [evidence for evidence in observation.evidence if evidence.value.is_naming]
    _measure_action(observation, namings, features)
    _measure_tool_words(observation, baseline, features)
    _measure_request(observation, namings, baseline, features, key)
    surprise_sum = _measure_values(observation, baseline, features, key)
    _measure_origins(observation, namings, features)
    _measure_tool(observation, baseline, features, key)
    measure_proximity(observation, baseline, features)
    _measure_session(observation, sums, features)
    unasked = int(features["asked_verb"] == 0 and not observation.is_read)
    added = (surprise_sum, features["value_strange"], features["foreign"], features["general_new"], unasked, 0, 0, 0)
    after = [old + new for old, new in zip(sums, added, strict=True)]
    after[1] = max(sums[1], added[1])
    return _VALUES_IN_ORDER(features), after


def _measure_action(observation: ActionObservation, namings: Sequence[ValueEvidence], features: dict[str, int]) -> None:
    impact = observation.impact
    features["impact"] = _SEVERITY[impact]
    features["acts"] = int(not observation.is_read)
    features["leaves"] = int(impact in _OUTBOUND)
    features["pays"] = int(impact is Impact.PAYMENT)
    features["destroys"] = int(impact in _HARMFUL)
    features["values"] = min(len(observation.evidence), 40)
    features["namings"] = min(len(namings), 40)


def _measure_session(observation: ActionObservation, sums: Sequence[int], features: dict[str, int]) -> None:
    steps, acts, since, results, repeats, same, again = observation.session_state
    features["steps"], features["acted"], features["since"] = min(steps, 40), min(acts, 20), min(since, 10)
    features["results"], features["repeats"] = min(results, 40), min(repeats, 5)
    features["again"], features["same_tool"] = again, same
    features["first_act"] = int(not observation.is_read and acts == 0)
    features["sum_strange"], features["max_strange"] = min(sums[0], 2000), min(sums[1], MAX_SURPRISE)
    features["sum_foreign"], features["unknown_hosts"], features["unasked"] = [min(item, 20) for item in sums[2:5]]
    features["keen_read"] = min(observation.secret_result_count, 10)


def _measure_tool_words(observation: ActionObservation, baseline: Baseline, features: dict[str, int]) -> None:
    """How many of the tool's words the request holds."""
    coverage = baseline.memoize(
        ("words", observation.words, observation.request_matches),
        lambda: _measure_request_coverage(observation, baseline),
    )
    features.update(zip(("asked_words", "said_exactly", "asked_verb", "things_asked"), coverage, strict=True))
    features["verb_unasked"] = int(features["asked_verb"] == 0 and not observation.is_read)
    features["class_unasked"] = int(not observation.class_requested)


def _measure_request_coverage(observation: ActionObservation, baseline: Baseline) -> list[int]:
    rows = [*zip(observation.words, weigh_tool_words(observation, baseline), observation.request_matches, strict=True)]
    verbs = [match for word, _, match in rows if word in VERBS]
    things = [(w, match) for word, w, match in rows if word not in VERBS]
    total_weight, weight = sum(w for _, w, _ in rows) or 1, sum(w for w, _ in things)
    return [
        sum(w * (match > 0) for _, w, match in rows) * 100 // total_weight,
        observation.request_matches.count(2),
        max(verbs, default=1),
        sum(w * (match > 0) for w, match in things) * 100 // weight if weight else 50,
    ]


def _measure_request(
    observation: ActionObservation,
    namings: Sequence[ValueEvidence],
    baseline: Baseline,
    features: dict[str, int],
    key: bytes,
) -> None:
    features["request_size"] = min(observation.request_size, 200)
    features["delegates"] = min(observation.delegation_word_count, 4)
    requested = len([True for evidence in namings if evidence.origin is _REQUEST])
    features["named_asked"] = requested * 100 // len(namings) if namings else 100
    features["named_absent"] = min(len(namings) - requested, 20)
    words = sum([len(evidence.value.words) for evidence in observation.evidence])
    requested_words = sum([len(evidence.value.words) * evidence.request_share for evidence in observation.evidence])
    features["words_asked"] = requested_words // (words * 10) if words else 100
    features["words_absent"] = min(observation.absent_word_count, 60)
    features["led"], features["led_most"] = baseline.memoize(
        ("led", observation.request_words, observation.tool, key), lambda: _measure_leads(observation, baseline, key)
    )
    request, counts = f"{observation.request_fingerprint:x}", baseline.counts
    features["same_request"] = int(fingerprint_names("r", request, key=key) in counts)
    features["its_tool"] = min(counts.get(fingerprint_names("rt", request, observation.tool, key=key), (0, 0))[1], 5)
    features["its_values"] = -1
    if namings and features["same_request"]:
        values = sum(
            [fingerprint_strings("rv", request, f"{evidence.fingerprint:x}", key=key) in counts for evidence in namings]
        )
        features["its_values"] = values * 100 // len(namings)


def _measure_leads(observation: ActionObservation, baseline: Baseline, key: bytes) -> list[int]:
    """How many more hundredths of the tasks with a word of the request use the tool, than of all.

    The mean of the top three words, and the top one; the same at each step of a session that uses the tool.
    """
    tool, leads = observation.tool, []
    usual = baseline.task_share(fingerprint_names("t", tool, key=key))
    for request_word in observation.request_words:
        name = f"{request_word:x}"
        tasks = baseline.counts.get(fingerprint_names("q", name, key=key), (0, 0))[0]
        both = baseline.counts.get(fingerprint_names("qt", name, tool, key=key), (0, 0))[0]
        leads.append(((both * 1000 + usual) // (tasks + 1) - usual) // 10 if tasks else 0)
    leads.sort()
    return [sum(leads[-3:]) // 3, leads[-1]] if leads else [0, 0]


def _look_up_surprises(observation: ActionObservation, value: Value, baseline: Baseline, key: bytes) -> list[int]:
    """Surprise at a new value of this place, at one of something new, and at one from each `ValueOrigin`."""
    return baseline.memoize(
        ("place", observation.tool, value.place, value.leaf, value.kind, key),
        lambda: _compute_surprises(observation, value, baseline, key),
    )


def _compute_surprises(observation: ActionObservation, value: Value, baseline: Baseline, key: bytes) -> list[int]:
    places = fingerprint_levels("p", observation, value, key)
    origins = [baseline.novelty_rate([place + (origin + 1 << 48) for place in places]) for origin in ValueOrigin]
    news = [baseline.novelty_rate(fingerprint_levels(purpose, observation, value, key)) for purpose in ("n", "ng")]
    return [SURPRISE_BITS[new] for new in news] + [SURPRISE_BITS[1000 - min(usual, 999)] for usual in origins]


def _measure_values(observation: ActionObservation, baseline: Baseline, features: dict[str, int], key: bytes) -> int:
    is_known = baseline.is_known
    surprises, naming_surprises, origin_surprises = [0], [0], [0]
    foreign_surprises, nowhere_surprises, text_surprises = [0], [0], [0]
    general_surprises: list[int] = []
    stranger_surprises: list[int] = []
    near_least, near_stranger, near_new = [12], [12], [12]
    flows = new = anywhere = secret_names = foreign_general = 0
    for evidence in observation.evidence:
        value, fingerprints = evidence.value, ValueFingerprints(observation, evidence, key)
        new_here, new_general, *origins = _look_up_surprises(observation, value, baseline, key)
        is_new = not is_known(fingerprints.value)
        surprise = new_here if is_new else 0
        surprises.append(surprise)
        from_results = evidence.origin in RESULT_ORIGINS
        origin_surprises.append(origins[evidence.origin])
        if from_results and evidence.source:
            flows += not is_known(fingerprints.source_flow)
        if not value.is_naming:
            text_surprises.append(surprise)
            continue
        naming_surprises.append(surprise)
        foreign_surprises.append(surprise if from_results else 0)
        nowhere_surprises.append(surprise if evidence.origin is _NOWHERE else 0)
        if is_new:
            new += 1
            if not any(map(is_known, fingerprints.value_elsewhere)):
                anywhere += 1
                secret_names += evidence.mentions_secret
        if from_results:
            near_least.append(evidence.nearby_request_words)
            if not evidence.affix_match:
                stranger_surprises.append(surprise)
                near_stranger.append(evidence.nearby_request_words)
            if is_new:
                near_new.append(evidence.nearby_request_words)
        if value.general and not any(map(is_known, fingerprints.general_forms)):
            general_surprises.append(new_general)
            foreign_general += from_results
    features["value_strange"], features["value_sum"] = max(surprises), min(sum(surprises), 600)
    features["naming_strange"], features["naming_sum"] = max(naming_surprises), min(sum(naming_surprises), 600)
    features["naming_new"], features["nowhere_known"] = min(new, 20), min(anywhere, 20)
    features["general_strange"] = max(general_surprises, default=0)
    features["general_new"] = min(len(general_surprises), 10)
    features["foreign_strange"], features["foreign_general"] = max(foreign_surprises), min(foreign_general, 10)
    features["nowhere_strange"], features["text_strange"] = max(nowhere_surprises), max(text_surprises)
    features["strangers"] = min(len(stranger_surprises), 20)
    features["stranger_new"] = min(len([amount for amount in stranger_surprises if amount > 0]), 20)
    features["stranger_sum"] = max(stranger_surprises, default=0)
    features["near_least"], features["near_stranger"], features["near_new"] = map(
        min, (near_least, near_stranger, near_new)
    )
    features["came_strange"], features["came_sum"] = max(origin_surprises), min(sum(origin_surprises), 600)
    features["flow_new"], features["keen_new"] = min(flows, 10), min(secret_names, 10)
    return sum(naming_surprises)


def _measure_origins(
    observation: ActionObservation, namings: Sequence[ValueEvidence], features: dict[str, int]
) -> None:
    foreign = [evidence for evidence in namings if evidence.origin in RESULT_ORIGINS]
    features["foreign"] = min(len(foreign), 20)
    features["foreign_unnamed"] = min(len([True for evidence in foreign if evidence.origin is _RESULT]), 20)
    features["nowhere"] = min(len([True for evidence in namings if evidence.origin is _NOWHERE]), 20)
    features["foreign_age"] = min([20, *[evidence.age for evidence in foreign]])
    features["foreign_once"] = min(len([True for evidence in foreign if evidence.result_count == 1]), 20)
    longest = max(observation.evidence, key=lambda evidence: len(evidence.value.words), default=None)
    features["text_covered"] = longest.result_share // 10 if longest is not None else 0
    features["keen_asked"] = min(sum([evidence.mentions_secret for evidence in namings]), 10)
    features["leaks"] = min(sum([evidence.secret_token_count for evidence in observation.evidence]), 20)
    features["leaks_out"] = 0 if observation.is_read else features["leaks"]


def _measure_tool(observation: ActionObservation, baseline: Baseline, features: dict[str, int], key: bytes) -> None:
    before, names = observation.previous_tool, observation.argument_names
    novelty = baseline.memoize(
        ("tool", observation.tool, observation.impact, before, names, key),
        lambda: _measure_tool_novelty(observation, before, names, baseline, key),
    )
    features.update(zip(("tool_new", "tool_share", "impact_share", "follows_new", "names_new"), novelty, strict=True))
    action = fingerprint_strings("m", f"{observation.action_fingerprint:x}", key=key)
    features["action_new"] = int(not baseline.is_known(action))
    features["base_tasks"] = min(baseline.tasks, 60)


def _measure_tool_novelty(
    observation: ActionObservation, before: str, names: str, baseline: Baseline, key: bytes
) -> list[int]:
    tool = fingerprint_names("t", observation.tool, key=key)
    return [
        int(not baseline.is_known(tool)),
        baseline.task_share(tool) // 10,
        baseline.task_share(fingerprint_names("i", observation.impact.value, key=key)) // 10,
        int(not baseline.is_known(fingerprint_names("b", before, observation.tool, key=key))),
        int(not baseline.is_known(fingerprint_names("a", observation.tool, names, key=key))),
    ]
