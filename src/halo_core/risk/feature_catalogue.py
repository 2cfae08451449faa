"""The catalogue of features that a model may read of an action, in the order of their numbers.

Each has an id, a family and a sentence. The order is part of a model's form, so new features are added at the end only.
A model names the list that it was trained on by a digest of the ids (`hash_features`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from hashlib import sha256
from typing import Final

from halo_core.quick_dataclass import dataclass


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


# family, id, `rises`, `c` for `core`, words
_CATALOGUE: Final = """\
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
request asked_strange   1 c  how seldom the tool is used with so little of it asked for
request named_strange   1 c  how seldom the tool names things that came from there
request related_strange 1 c  how seldom the tool is used in such a relation to the request
origin  topic_least    -1 c  how much of what the request is about stands around the foreign name that has least of it
origin  topic_stranger -1 c  how much of what the request is about stands around foreign names unlike anything in it
origin  topic_new      -1 c  how much of what the request is about stands around foreign names not known there
origin  topic_span     -1 c  how much of what the request is about stands around words that it lacks, in a result
"""


def _parse_catalogue() -> Iterator[Feature]:
    for line in _CATALOGUE.splitlines():
        family, name, rises, core, words = line.split(None, 4)
        yield Feature(name, family, words, int(rises), core == "c")


FEATURES: Final = tuple(_parse_catalogue())
FEATURE_INDEX: Final = {feature.id: at for at, feature in enumerate(FEATURES)}

_SIZES: Final = (82, len(FEATURES))
"""Numbers of features that there were in the versions whose models can be read."""


def hash_features(count: int = len(FEATURES)) -> str:
    """Digest of the ids of the first features, in order."""
    return sha256("\n".join(feature.id for feature in FEATURES[:count]).encode()).hexdigest()[:16]


COUNT_BY_HASH: Final[Mapping[str, int]] = {hash_features(count): count for count in _SIZES}
"""Digest of a list of features → how many there are in it."""
