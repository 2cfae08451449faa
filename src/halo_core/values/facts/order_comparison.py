"""A call compared with one order of the user: whether the order has its values and speaks of no other act.

    Comparison(resource, args, values, sketch, number=17).fits()

The session keeps no text of an order, only the marks that `whole_orders` describes. So each check asks whether the
order with this number has a mark.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from itertools import chain, pairwise
from typing import Any, Final, NamedTuple

from halo_core.model import Impact, Resource
from halo_core.values.kinds.argument_names import split_argument_name
from halo_core.values.kinds.kinds import Form
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import ALL_VERBS, stem_all
from halo_core.values.language.text import split_name
from halo_core.values.orders.looked_up_words import (
    LookedUpWord,
    fingerprint_numbers,
    fingerprint_order,
    mix,
)
from halo_core.values.orders.whole_orders import (
    MAX_COUNTED,
    NO_VERB,
    ORDER_COUNT,
    ORDER_FIRST,
    ORDER_HEAD,
    ORDER_NAME,
    ORDER_NUMBERED,
    ORDER_OF,
    ORDER_PAIR,
    ORDER_REST,
    ORDER_TAKING,
    ORDER_THING,
    ORDER_VERB,
    ORDER_WHEN,
    shorten,
    takes_away,
)
from halo_core.values.requests.tool_verbs import list_asking_stems, list_class_stems, list_loose_stems
from halo_core.values.sketches.sketch import USER_BIT, Sketch, fingerprint_words, has_user_mark

_JOINING: Final = frozenset("and then with without from plus or all everyone everybody".split())
"""Words in the name of a tool that does more than its first verb says: `reboot_and_wipe`."""
_OWNING: Final = frozenset("delegate owner ownership transfer impersonate escalate root sudo superuser factory".split())
"""Words in the name of a tool by which somebody gets more than the values say. The order needs the same word."""
_LEFT: Final = frozenset("from source src origin old sender start begin".split())
"""Words of arguments for what something comes from."""
_TELLING: Final = stem_all("tell say notify inform remind let ask warn mention explain")
"""Stems of verbs by which an order asks for a message, beside those of the lists."""
_REACHING: Final = frozenset("reach reaches get gets receive receives go goes".split())
"""Words by which an order sends something to an address, beside those of the lists."""
_ALSO_NOUNS: Final = stem_all("lock block drop end bin trash dump ban strike stop cut kick freeze recall close archive")
"""Stems that are nouns at the end of a tool's name: `program_lock` takes nothing away, `badge_revoke` does."""
_OPPOSITES: Final = tuple(
    (frozenset(one.split()), frozenset(other.split()))
    for one, other in (
        ("open opened unlock unlocked unbolt release", "shut close closed lock locked bolt"),
        ("enable enabled activate activated arm armed resume", "disable disabled deactivate disarm disarmed suspend"),
        ("allow grant permit approve approved accept", "deny denied reject rejected refuse refused decline"),
        ("raise increase", "lower reduce decrease"),
        ("public", "private internal"),
    )
)
"""Pairs of sets of words. Those of one set say the opposite of those of the other."""


class LookedUp(NamedTuple):
    """A value of a trusted lookup.

    Args:
        words: of the value.
        lookups: the words of each lookup that returned this value, and no other of its sort.
        row: fingerprints of the words that only its row of a list has, if a lookup returned a list.
    """

    words: list[str]
    lookups: list[list[LookedUpWord]]
    row: list[int]


class Values(NamedTuple):
    """The values of a call that say what it does.

    Args:
        written: words of each value that has to stand in the order.
        adjacent: of these, the values of several words that the user wrote in no other text as a whole: their words
            have to follow each other in the order.
        looked_up: the values of trusted lookups.
    """

    written: list[list[str]]
    adjacent: list[list[str]]
    looked_up: list[LookedUp]


def find_orders(sketch: Sketch, values: Sequence[Sequence[str]]) -> list[int]:
    """Find the numbers of the orders that have each word of each value, also in another inflection."""
    prints = fingerprint_numbers(sketch.key)
    numbers, find_mark = list(range(len(prints))), sketch.marks.get
    for word in dict.fromkeys(word for words in values for word in words):
        ways = [word, *list_inflected(word), *split_name(word)] if word.isalpha() else [word]
        marks = fingerprint_words(sketch.key, dict.fromkeys(ways))
        found = set[int]()
        for mark in marks:  # a generator is a call for each of 128 orders
            found.update([n for n in numbers if find_mark(prints[n] ^ mark, 0) & USER_BIT])
        numbers = sorted(found)
        if not numbers:
            break
    return numbers


def are_adjacent(sketch: Sketch, values: Sequence[Sequence[str]], number: int) -> bool:
    """Whether the words of each value follow each other in the order with this number."""
    pairs = [Form(ORDER_PAIR, f"{number} {a} {b}") for words in values for a, b in pairwise(words)]
    return all(has_user_mark([mark]) for mark in sketch.look_up_forms(pairs))


class Comparison:
    """A call compared with one order of the user, by the number of the order.

    `_words` are the words of values that stand in the order. `_looked_up` are words of the order by which other values
    were looked up. `_has_looked_up` completes both.
    """

    def __init__(
        self, resource: Resource, args: Mapping[str, Any], values: Values, sketch: Sketch, number: int
    ) -> None:
        self._resource = resource
        self._values = values
        self._sketch = sketch
        self._number = number
        self._words = {word for value in values.written for word in value}
        self._argument_words = {word for name in args for word in split_argument_name(name)}
        self._names = frozenset({*self._argument_words, *_split_id(resource.id)})
        self._looked_up: list[LookedUpWord] = []

    def fits(self) -> bool:
        """Whether the order has all values, and speaks of no other act than the tool's and of no other value.

        The check of what was looked up stands in front of those that use `_words` and `_looked_up`.
        """
        return (
            are_adjacent(self._sketch, self._values.adjacent, self._number)
            and self._has_looked_up()
            and self._has_no_other_number()
            and self._takes_as_tool_does()
            and not self._says_opposite()
            and self._is_marked(ORDER_VERB, NO_VERB, *sorted(_list_verbs(self._resource.id, self._resource.impact)))
            and not self._has_other_word(ORDER_FIRST)
            and not self._has_other_word(ORDER_WHEN)
            and not self._has_other_word(ORDER_THING)
            and not self._names_what_is_left()
            and self._has_words_of_tool()
            and not self._means_what_belongs_to_value()
            and not self._numbers_other_thing()
            and self._is_accounted_for()
            and self._names_act()
        )

    def _is_marked(self, domain: str, *texts: str) -> bool:
        """Whether the order has a mark of this domain with one of these texts."""
        forms = [Form(domain, f"{self._number} {text}".rstrip()) for text in texts]
        return has_user_mark(self._sketch.look_up_forms(forms))

    def _has_mark(self, domain: str, order: str, fingerprint: int) -> bool:
        """Whether a mark of this domain, for an order's number and what stands behind it, has a word's fingerprint."""
        order_mark = fingerprint_order(self._sketch.key, domain, order)
        return bool(self._sketch.marks.get(order_mark ^ fingerprint, 0) & USER_BIT)

    def _has_word(self, fingerprint: int) -> bool:
        mark = fingerprint_numbers(self._sketch.key)[self._number] ^ fingerprint
        return bool(self._sketch.marks.get(mark, 0) & USER_BIT)

    def _has_any_word(self, words: Collection[str]) -> bool:
        return any(map(self._has_word, fingerprint_words(self._sketch.key, sorted(words))))

    def _has_looked_up(self) -> bool:
        """Whether the order has each value of a trusted lookup, or the words of a lookup that returned it.

        If the lookup returned a list, the order needs a word that only the row of the value has. A value of which
        neither is known passes if another value of the call stands in the order.
        """
        for item in self._values.looked_up:
            if item.words and all(map(self._has_word, fingerprint_words(self._sketch.key, item.words))):
                self._words |= set(item.words)
                continue
            found = [look for look in item.lookups if all(self._has_word(word.fingerprint) for word in look)]
            named = [LookedUpWord(mark, has_digits=False) for mark in item.row if self._has_word(mark)]
            if (item.lookups or item.row) and not found and not named:
                return False
            self._looked_up += chain.from_iterable(found[:1] or [named])
        return bool(self._words or self._looked_up)

    def _has_no_other_number(self) -> bool:
        """Whether the order has as many different words with digits as the call, and so no further one."""
        digits = {word for word in self._words if any(map(str.isdigit, word))}
        prints = {*fingerprint_words(self._sketch.key, digits)}
        prints |= {word.fingerprint for word in self._looked_up if word.has_digits}
        return self._is_marked(ORDER_COUNT, str(len(prints)))

    def _takes_as_tool_does(self) -> bool:
        """Whether the order takes something away if the tool does; and if it does, that the tool or a value says so."""
        if _is_taking_tool(self._resource) or not self._is_marked(ORDER_TAKING, ""):
            return self._is_marked(ORDER_TAKING, "") == _is_taking_tool(self._resource)
        return takes_away(frozenset(stem for word in self._words for stem in split_name(word)))

    def _says_opposite(self) -> bool:
        """Whether the order has a word for the opposite of what the tool or a value says: "keep gate C shut"."""
        words = {*self._names, *self._words, *split_name(self._resource.id)}
        said = [side for sides in _OPPOSITES for side in (sides, sides[::-1]) if not words.isdisjoint(side[0])]
        return any(
            words.isdisjoint(opposite)
            and self._has_any_word(opposite)
            and not (self._has_any_word(own) and self._is_beside_value(own))
            for own, opposite in said
        )

    def _is_beside_value(self, states: Collection[str]) -> bool:
        """Whether one of these words follows a value of the call: "gate C open and gate D shut"."""
        ends = [value[-1] for value in self._values.written if value[-1] not in states]
        return self._is_marked(ORDER_PAIR, *(f"{end} {state}" for end in ends for state in states))

    def _has_other_word(self, domain: str) -> bool:
        """Whether no word of the call is one that the order needs: "laminate the card", "reboot mx3 on Friday"."""
        number = str(self._number)
        if not self._is_marked(domain, ""):
            return False
        return not any(self._has_mark(domain, number, mark) for mark in self._fingerprint_words_of_call())

    def _names_what_is_left(self) -> bool:
        """Whether a value is what the order moves something away from: "move Kim from red-room to blue-room"."""
        if self._resource.impact not in (Impact.ADMIN, Impact.EXECUTE) or _is_taking_tool(self._resource):
            return False
        words = sorted(word for word in self._words if not any(map(str.isdigit, word)))
        return self._argument_words.isdisjoint(_LEFT) and self._is_marked(
            ORDER_PAIR, *(f"from {word}" for word in words)
        )

    def _fingerprint_words_of_call(self) -> set[int]:
        """Fingerprint the words of the values, the lookups, the tool and the arguments, also in other inflections."""
        stems = {stem for name in self._names for stem in (name, *split_name(name), *list_inflected(name))}
        words = {*self._words, *stems, *(way for word in self._words for way in list_inflected(word))}
        looked_up = (word.fingerprint for word in self._looked_up)
        return {*fingerprint_words(self._sketch.key, sorted(words)), *looked_up}

    def _has_words_of_tool(self) -> bool:
        """Whether the order has the words of the tool's name that go beyond its first verb (`_JOINING`, `_OWNING`)."""
        words = _split_id(self._resource.id)
        joint = next((place for place, word in enumerate(words) if word in _JOINING), len(words))
        needed = [*words[joint + 1 :]]
        if self._resource.impact in (Impact.ADMIN, Impact.EXECUTE):
            needed += [word for word in words if word in _OWNING]
        return all(self._has_any_word({word, *list_inflected(word)}) for word in needed)

    def _means_what_belongs_to_value(self) -> bool:
        """Whether the order is about something that belongs to a value: "the log of b-12"."""
        is_removal = self._resource.impact is Impact.DELETE and self._is_marked(ORDER_PAIR, "out of")
        if is_removal and self._is_marked(ORDER_PAIR, *(f"of {word}" for word in sorted(self._words))):
            return True  # "pull the numbers out of DOC-7"
        key, number = self._sketch.key, str(self._number)
        looked_up = [word.fingerprint for word in self._looked_up]
        names = {*self._words, *self._names, *(stem for name in self._names for stem in split_name(name))}
        names |= {shorten(name) for name in self._names}
        heads = [mix(mark) for mark in (*fingerprint_words(key, names), *looked_up)]
        return any(
            self._has_mark(ORDER_OF, number, item)
            and not any(self._has_mark(ORDER_HEAD, number, item ^ head) for head in heads)
            for item in (*fingerprint_words(key, self._words), *looked_up)
        )

    def _numbers_other_thing(self) -> bool:
        """Whether a value is the number of a thing with another noun than the call has: "reminder 9"."""
        numbers = [word for word in self._words if word.isdigit()]
        nouns = sorted({*self._names, *(way for name in self._names for way in list_inflected(name)), *self._words})
        return any(
            self._is_marked(ORDER_NUMBERED, word)
            and not self._is_marked(ORDER_PAIR, *(f"{noun} {word}" for noun in nouns))
            for word in numbers
        )

    def _is_accounted_for(self) -> bool:
        """Whether the call has all names, and the last part's further words, of an order that refers back."""
        prints = self._fingerprint_words_of_call()
        for domain in (ORDER_NAME, ORDER_REST):
            for count in range(MAX_COUNTED + 2):
                order = f"{self._number} {count}"
                if not self._is_marked(domain, str(count)):
                    continue
                if sum(self._has_mark(domain, order, mark) for mark in prints) < count:
                    return False
        return True

    def _names_act(self) -> bool:
        """Whether the order says what is done: by several values, or by a word or the verb of the tool."""
        impact = self._resource.impact
        if impact is Impact.DELETE or len(self._values.written) + len(self._values.looked_up) > 1:
            return True
        if self._has_any_word(self._names | frozenset(split_name(self._resource.id))):
            return True
        if impact is Impact.SEND and self._has_any_word(_REACHING):
            return True
        return self._is_marked(ORDER_VERB, *sorted(_list_verbs(self._resource.id, impact)))


@lru_cache(maxsize=512)
def _split_id(tool: str) -> tuple[str, ...]:
    return tuple(split_argument_name(tool))


@lru_cache(maxsize=512)
def _list_verbs(tool: str, impact: Impact) -> frozenset[str]:
    """List the stems of the verbs by which an order may ask for the act of a tool."""
    return (
        list_asking_stems(tool, impact)
        | list_loose_stems(tool, impact)
        | list_class_stems(tool, impact)
        | frozenset(split_name(tool))
        | (_TELLING if impact is Impact.SEND else frozenset())
    )


def _is_taking_tool(resource: Resource) -> bool:
    """Whether a tool takes something away, or ends it, by the verb in its name."""
    if resource.impact is Impact.DELETE:
        return True
    words = split_name(resource.id)
    verbs = [word for word in words if word in ALL_VERBS or takes_away(frozenset((word,)))]
    is_noun = len(words) > 1 and words[-1] == verbs[0] and verbs[0] in _ALSO_NOUNS if verbs else False
    return takes_away(frozenset(verbs[:1])) and not is_noun
