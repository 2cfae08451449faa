"""Values that a text of the user only mentions, in a sentence that orders nothing.

    find_mentioned_values("Run anneal-2 on Q-5. Q-8 is our reference standard.")   # Q-8 is only mentioned

A statement of what is or was, a question and a condition order nothing. A sentence that is not understood counts as a
possible order, and so does a statement that an order may refer to ("Pay Olga 40. Her account is ..."). The marks that
a text leaves in the session are `Form`s of a domain and a text:

    mentioned_value   "id q q-8"   # a value that is only mentioned; of a name also its parts
    ordered_value     "id q q-5"   # a value of a possible order, or one that it may refer to
    ordered_part      "name holm"  # a part of a name in a possible order
    ordered_shape     "id q 1"     # the possible orders of a text name at least so many values of this shape
    ordered_open      "id"         # an order without such a value refers to something that was said
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.lexicon import STOP_WORDS
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.mention_words import (
    ASKING,
    CONDITION,
    CORRECTING,
    COURTESY,
    DOCUMENT,
    ENGLISH,
    FOREIGN,
    FOREIGN_MAY_MENTION,
    FOREIGN_REFERENCE,
    FOREIGN_STATING,
    FOREIGN_WANTING,
    HAVING_LOOK,
    IDENTIFYING,
    MAY_MENTION,
    NUMBER_SIGN,
    OWN_ACT,
    POLITE,
    REFERENCE,
    REFERENCE_WITHOUT_VERB,
    SELF,
    STARTS_BACK,
    STATING,
    VALUE_SIGN,
    WANTING,
)
from halo_core.values.orders.order_parts import find_first_stems
from halo_core.values.orders.order_words import BEGINNING_VERBS, NOUN_BEFORE_VERB, UNNEEDED
from halo_core.values.orders.role_values import NAME, NUMBER, SHAPES, RoleValue, list_parts, list_role_values
from halo_core.values.requests.unlisted_orders import LOOKING_UP, ORDERING_VERBS, SENTENCE, VAGUE_VERBS
from halo_core.values.sketches.sketch import extract_tokens

MENTIONED: Final = "mentioned_value"
ORDERED_VALUE: Final = "ordered_value"
ORDERED_PART: Final = "ordered_part"
ORDERED_SHAPE: Final = "ordered_shape"
ORDERED_OPEN: Final = "ordered_open"
ANY_MENTIONED: Final = Form(MENTIONED, "")
"""Some text of the user only mentions some value."""
MAX_COUNT: Final = 4
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document, which may order anything
_MAX_SENTENCES: Final = 32
_MAX_CLAUSES: Final = 16  # of a sentence
_MAX_COURTESY: Final = 40  # characters
_MAX_BARE: Final = 4  # words of an order that does not say what it is about
_MIN_WORD: Final = 4  # letters of a word that says what a sentence is about
_CLAUSE: Final = compile_later(
    r"(,(?= |$)|:(?= |$)| [-–—]+ |\((?=[^()]{12,}\))|(?<=\s)(?:and|but|then|while|whereas|because|since|so|und|aber"
    r"|denn|weil|dann|et|car|puis|y|pero|porque|luego|e|ma|perché|poi|mas|depois|en|maar|want)(?=\s))",
    re.IGNORECASE,
)
_OPENING: Final = " ('\"-*•"
_VERBS: Final = ORDERING_VERBS | BEGINNING_VERBS
_LOOKUPS: Final = LOOKING_UP - VAGUE_VERBS
_ORDER: Final = "order"
_POSSIBLE: Final = "possible"
"""A part without a verb, or one that is not understood."""
_LOOKUP: Final = "lookup"
_MENTION: Final = "mention"


class _Clause:
    """A part of a sentence with its values. Its kind is found when it is needed, since most parts order something."""

    __slots__ = ("_kind", "_words", "before", "is_english", "piece", "sentence", "values")

    def __init__(self, piece: str, values: Sequence[RoleValue], sentence: str, before: _Clause | None) -> None:
        self.piece = piece
        self.values = values
        self.sentence = sentence
        self.before = before
        """The part in front of it in its sentence."""
        self.is_english = True
        self._words: str | None = None
        self._kind = ""

    @property
    def words(self) -> str:
        """Its words, with a sign in place of each value but names."""
        if self._words is None:
            self._words = _blank(self.piece, self.values)
        return self._words

    @property
    def kind(self) -> str:
        """Whether it orders, mentions or looks something up."""
        if not self._kind:
            self._kind = _judge(self)
        return self._kind


def find_mentioned_values(text: str) -> Iterator[Form]:
    """Find the marks of the values that a text of the user only mentions, and of those in its possible orders.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS:
        yield from (make_form((ORDERED_OPEN, shape)) for shape in SHAPES)
        return
    clauses = list(_read_clauses(text))
    named: dict[tuple[str, str], tuple[int, int]] = {}
    looked_up = set[tuple[str, str]]()
    mentioned: dict[tuple[str, str], None] = {}
    for place, kind in enumerate(_find_kinds(clauses)):
        for value in clauses[place].values:
            key = value[:2]
            if kind == _LOOKUP:
                looked_up.add(key)
            elif kind != _MENTION or _is_referred_to(clauses, place, value):
                named.setdefault(key, (place, value.start))
            else:
                mentioned[key] = None
    yield from _mark_ordered(named, looked_up)
    only = [key for key in mentioned if key not in looked_up and key not in named]
    if only:
        yield ANY_MENTIONED
    for shape, spelling in only:
        parts = list_parts(spelling) if shape == NAME else [spelling]
        yield from (make_form((MENTIONED, f"{shape} {part}")) for part in parts)
    yield from _find_open(clauses)


def _find_kinds(clauses: Sequence[_Clause]) -> Iterator[str]:
    """Find the kinds of the parts of a text. A part without a word of statements is a possible order.

    So is each part of a sentence without values, of which nothing is kept.
    """
    with_values = {clause.sentence for clause in clauses if clause.values}
    kind = ""
    for clause in clauses:
        goes_on = clause.before is not None and kind == _MENTION
        kind = _POSSIBLE
        if clause.sentence in with_values and (
            goes_on
            or (MAY_MENTION if clause.is_english else FOREIGN_MAY_MENTION).search(clause.piece) is not None
            or clause.sentence.rstrip().endswith("?")
        ):
            kind = clause.kind
        yield kind


def _mark_ordered(named: dict[tuple[str, str], tuple[int, int]], looked_up: set[tuple[str, str]]) -> Iterator[Form]:
    """Make the marks of the values in possible orders and look-ups, and count those in orders."""
    counted: dict[str, set[tuple[int, int]]] = {}
    for (shape, _), place in named.items():
        if place[1] >= 0:
            counted.setdefault(shape, set()).add(place)
    for shape, value in sorted(looked_up.union(named)):
        yield make_form((ORDERED_VALUE, f"{shape} {value}"))
        if shape == NAME:
            yield from (make_form((ORDERED_PART, f"{shape} {part}")) for part in list_parts(value))
    for shape, places in counted.items():
        yield from (make_form((ORDERED_SHAPE, f"{shape} {n}")) for n in range(1, min(len(places), MAX_COUNT) + 1))


def _find_open(clauses: Sequence[_Clause]) -> Iterator[Form]:
    """Find the marks of the shapes of which an order has no value, if it refers to something that was said."""
    shapes = set[str]()
    for place, clause in enumerate(clauses):
        if _refers(clauses, place):
            found = {value.shape.partition(" ")[0] for value in clause.values}
            shapes.update(shape for shape in SHAPES if shape not in found)
    yield from (make_form((ORDERED_OPEN, shape)) for shape in sorted(shapes))


# reading


def _read_clauses(text: str) -> Iterator[_Clause]:
    """Read the parts of the sentences of a text."""
    is_english = ENGLISH.search(text) is not None or FOREIGN.search(text) is None
    for sentence in islice(SENTENCE.findall(text), _MAX_SENTENCES):
        before = None
        pieces = _CLAUSE.split(sentence)[: 2 * _MAX_CLAUSES]
        for place, (piece, sign) in enumerate(zip(pieces[::2], [*pieces[1::2], ""], strict=False)):
            if (len(piece) <= _MAX_COURTESY and COURTESY.fullmatch(piece) is not None) or (
                sign == ":" and len(piece.split()) == 1
            ):
                continue  # a label says what stands behind it
            before = _Clause(piece, _list_values(piece, is_first=not place), sentence, before)
            before.is_english = is_english
            yield before


def _list_values(piece: str, *, is_first: bool) -> list[RoleValue]:
    """List the values of a part. A capital at the beginning of a sentence makes no name, so it is not counted."""
    found = list_role_values(piece)
    start = len(piece) - len(piece.lstrip())
    values: list[RoleValue] = []
    for value in found:
        if value.shape != NAME or value.start != start or not is_first:
            values.append(value)
            continue
        first, _, rest = value.value.partition(" ")
        if rest:
            values.append(value._replace(value=rest))
        if first not in STOP_WORDS and _VERBS.isdisjoint(split_name(first)):
            values.append(value if rest else value._replace(start=-1))
    return values


def _blank(piece: str, values: Sequence[RoleValue]) -> str:
    """Write a sign in place of each value but names."""
    end = len(piece)
    for value in sorted(values, key=lambda value: -value.start):
        if value.shape != NAME and value.end <= end:
            sign = NUMBER_SIGN if value.shape == NUMBER else VALUE_SIGN
            piece, end = f"{piece[: value.start]}{sign}{piece[value.end :]}", value.start
    return piece


def _judge(clause: _Clause) -> str:
    """Find out of what kind a part is."""
    words = clause.words
    is_question = clause.sentence.rstrip().endswith("?")
    if (is_question or clause.before is None) and ASKING.match(words) is not None:
        return _POSSIBLE if POLITE.search(words) is not None else _MENTION
    found = _find_request(words, is_english=clause.is_english)
    if found:
        return found
    if POLITE.search(words) is None:
        if CONDITION.match(clause.sentence) is not None:
            return _MENTION
        if is_question:
            return _POSSIBLE
    return _judge_statement(clause)


def _find_request(words: str, *, is_english: bool) -> str:
    """Find out whether a part begins with a verb by which it orders or looks something up; empty if with none."""
    if DOCUMENT.match(words) is not None or HAVING_LOOK.match(words) is not None:
        return _LOOKUP
    if words.lstrip(_OPENING)[:1] not in (VALUE_SIGN, NUMBER_SIGN) and NOUN_BEFORE_VERB.match(words) is None:
        stems = find_first_stems(words)
        if not stems.isdisjoint(_LOOKUPS):
            return _LOOKUP
        if not stems.isdisjoint(_VERBS):
            return _ORDER
    return "" if is_english or not find_foreign_acts(words) else _ORDER


def _judge_statement(clause: _Clause) -> str:
    """Find out of what kind a part is that begins with no verb: it goes on with a mention, or states something."""
    if OWN_ACT.search(clause.words) is not None:
        return _MENTION
    wanting, stating = (WANTING, STATING) if clause.is_english else (FOREIGN_WANTING, FOREIGN_STATING)
    if wanting.search(clause.words) is not None or UNNEEDED.search(clause.words) is not None:
        return _ORDER
    if CORRECTING.search(clause.words) is None and stating.search(clause.words) is not None:
        return _MENTION
    return _MENTION if clause.before is not None and clause.before.kind == _MENTION else _POSSIBLE


# what an order may refer to


def _is_referred_to(clauses: Sequence[_Clause], place: int, value: RoleValue) -> bool:
    """Whether an order that has no value of this shape may mean the one in a mention.

    Args:
        clauses: of the text.
        place: of the mention.
        value: in it.
    """
    mention = clauses[place]
    if any(_has_none(clauses[i], value.shape) and _refers(clauses, i) for i in range(place + 1, len(clauses))):
        return True
    takers = [i for i, clause in enumerate(clauses) if clause.kind == _ORDER and _lacks(clauses, i, value.shape)]
    if any(clauses[i].sentence is mention.sentence for i in takers):
        return True
    if not takers:
        return False
    is_question = mention.sentence.rstrip().endswith("?")
    if not is_question and value.shape != NAME and IDENTIFYING.search(mention.words) is not None:
        return True
    if STARTS_BACK.match(mention.words) is not None and any(i < place for i in takers):
        return True
    about = _list_words(mention)
    return any(not about.isdisjoint(_list_words(clauses[i])) for i in takers)


def _has_none(clause: _Clause, shape: str) -> bool:
    return all(value.shape != shape for value in clause.values)


def _lacks(clauses: Sequence[_Clause], place: int, shape: str) -> bool:
    """Whether an order has no value of this shape, also not in parts without a verb that belong to it."""
    return all(_has_none(clause, shape) for clause in _list_belonging(clauses, place))


def _list_belonging(clauses: Sequence[_Clause], place: int) -> list[_Clause]:
    """List a part and the parts without a verb that stand beside it in its sentence."""
    belonging = [clauses[place]]
    for others in (reversed(clauses[:place]), clauses[place + 1 :]):
        for other in others:
            if other.kind != _POSSIBLE or other.sentence is not clauses[place].sentence:
                break
            belonging.append(other)
    return belonging


def _refers(clauses: Sequence[_Clause], place: int) -> bool:
    """Whether a part orders something that was said, or does not say what it is about."""
    clause = clauses[place]
    reference = REFERENCE if clause.is_english else FOREIGN_REFERENCE
    if reference.search(clause.piece) is not None:
        return clause.kind == _ORDER or (
            clause.kind == _POSSIBLE and REFERENCE_WITHOUT_VERB.search(clause.piece) is not None
        )
    if clause.values or len(clause.piece.split()) > _MAX_BARE or SELF.search(clause.piece) is not None:
        return False
    return clause.kind == _ORDER and not any(other.values for other in _list_belonging(clauses, place))


def _list_words(clause: _Clause) -> set[str]:
    """List the words that say what a part is about, in the singular."""
    words = (word.removesuffix("s") for word in extract_tokens(clause.words))
    return {
        word
        for word in words
        if len(word) >= _MIN_WORD and word not in STOP_WORDS and _VERBS.isdisjoint(split_name(word))
    }
