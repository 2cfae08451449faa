"""Features of an action, from which its risk is computed (`feature_catalogue` names them).

All are integers and known before the action runs. None is the size of a result, and none depends on how an attacker
words anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import Final

from halo_core.model import Impact
from halo_core.risk.baseline import Baseline, ValueFingerprints, fingerprint_levels
from halo_core.risk.evidence import RESULT_ORIGINS, ValueEvidence, ValueOrigin
from halo_core.risk.feature_catalogue import FEATURES
from halo_core.risk.observation import ActionObservation
from halo_core.risk.proximity import MAX_TOPIC, measure_proximity, weigh_tool_words, weigh_topic
from halo_core.risk.relation import MAX_SURPRISE, SURPRISE_BITS, compute_relation_rates, encode_relation
from halo_core.values.kinds.argument_values import Value
from halo_core.values.language.lexicon import VERBS
from halo_core.values.language.text import fingerprint_names, fingerprint_strings

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
        baseline: baseline of its identity or role.
        sums: sums of the session (`Profile.sums`).
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
    measure_proximity(observation, baseline, features, key)
    _measure_session(observation, sums, features)
    _measure_relation(observation, baseline, features, key)
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
    nowhere_surprises, text_surprises = [0], [0]
    general_surprises: list[int] = []
    foreign: list[tuple[ValueEvidence, int, bool]] = []
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
        nowhere_surprises.append(surprise if evidence.origin is _NOWHERE else 0)
        if is_new:
            new += 1
            if not any(map(is_known, fingerprints.value_elsewhere)):
                anywhere += 1
                secret_names += evidence.mentions_secret
        if from_results:
            foreign.append((evidence, surprise, is_new))
        if value.general and not any(map(is_known, fingerprints.general_forms)):
            general_surprises.append(new_general)
            foreign_general += from_results
    features["value_strange"], features["value_sum"] = max(surprises), min(sum(surprises), 600)
    features["naming_strange"], features["naming_sum"] = max(naming_surprises), min(sum(naming_surprises), 600)
    features["naming_new"], features["nowhere_known"] = min(new, 20), min(anywhere, 20)
    features["general_strange"] = max(general_surprises, default=0)
    features["general_new"] = min(len(general_surprises), 10)
    features["foreign_general"] = min(foreign_general, 10)
    features["nowhere_strange"], features["text_strange"] = max(nowhere_surprises), max(text_surprises)
    _measure_foreign(foreign, baseline, features, key)
    features["came_strange"], features["came_sum"] = max(origin_surprises), min(sum(origin_surprises), 600)
    features["flow_new"], features["keen_new"] = min(flows, 10), min(secret_names, 10)
    return sum(naming_surprises)


_MAX_NEAR: Final = 12


def _measure_foreign(
    foreign: Sequence[tuple[ValueEvidence, int, bool]], baseline: Baseline, features: dict[str, int], key: bytes
) -> None:
    """Names that came from results: how new they are, and how much of the request stands around them there.

    Args:
        foreign: each such name, how surprising it is, and whether it is new where it stands.
        baseline: baseline of the role.
        features: features to extend.
        key: key of the fingerprints.
    """
    surprises, stranger_surprises = [0], []
    near_least, near_stranger, near_new = [_MAX_NEAR], [_MAX_NEAR], [_MAX_NEAR]
    topic_least, topic_stranger, topic_new = [MAX_TOPIC], [MAX_TOPIC], [MAX_TOPIC]
    for evidence, surprise, is_new in foreign:
        topic = weigh_topic(evidence.nearby_words, baseline, key)
        surprises.append(surprise)
        near_least.append(evidence.nearby_request_words)
        topic_least.append(topic)
        if not evidence.affix_match:
            stranger_surprises.append(surprise)
            near_stranger.append(evidence.nearby_request_words)
            topic_stranger.append(topic)
        if is_new:
            near_new.append(evidence.nearby_request_words)
            topic_new.append(topic)
    features["foreign_strange"] = max(surprises)
    features["strangers"] = min(len(stranger_surprises), 20)
    features["stranger_new"] = min(len([amount for amount in stranger_surprises if amount > 0]), 20)
    features["stranger_sum"] = max(stranger_surprises, default=0)
    features["near_least"], features["near_stranger"], features["near_new"] = map(
        min, (near_least, near_stranger, near_new)
    )
    features["topic_least"], features["topic_stranger"], features["topic_new"] = map(
        min, (topic_least, topic_stranger, topic_new)
    )


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


def _measure_relation(observation: ActionObservation, baseline: Baseline, features: dict[str, int], key: bytes) -> None:
    relation = encode_relation(observation, features["asked_verb"])
    rates = baseline.memoize(
        ("relation", observation.tool, observation.impact, relation, key),
        lambda: compute_relation_rates(observation, relation, baseline.rates, key),
    )
    features["asked_strange"], features["named_strange"], features["related_strange"] = [
        SURPRISE_BITS[rate] for rate in rates
    ]


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
