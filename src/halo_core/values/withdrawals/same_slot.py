"""A value that a message gives in place of one of the order before it: "it must go to 5 Mill Rise", "only 650".

find_replaced(["Ship P-4410 to 17 Quarry Lane."], "It must go to 5 Mill Rise", clause)    # the old address

That a message adds something ("also", a payee or an object of its own) takes nothing back.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Final

from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.asked_acts import find_asked_stems
from halo_core.values.withdrawals import withdrawal_words as words
from halo_core.values.withdrawals.message_clauses import Clause
from halo_core.values.withdrawals.named_again import find_hits, is_value, list_values_of, looks_up
from halo_core.values.withdrawals.object_phrases import begins_with_order, drop_fillers
from halo_core.values.withdrawals.told_orders import (
    Place,
    Token,
    find_kind,
    find_other_values,
    find_piece,
    is_act_of,
    list_tokens,
    orders_act,
)

_MAX_WORDS: Final = 12
_MAX_CUE: Final = 3  # words before a value that stands alone
_MAX_SHORT: Final = 4  # words
_LONG: Final = 7  # digits of a number that is no amount
_MAX_FRAGMENT: Final = 2  # words beside the value
_SAME: Final = compile_later(
    r"\b(?:same|(?:der|die|das|dem|den)?selben?|gleiche[nrms]?|mêmes?|mism[oa]s?|stess[oaie]|(?:de|die|het"
    r"|dat)?zelfde|mesm[oa]s?"
    r"|te[jn] sam\w*|samma|samme|saman?|sama[nl]\w*|т[оу]т? же|той же)\b"
)
_PRONOUN: Final = compile_later(
    r"\b(?:it|that|them|this|him|her|he|she|they|es|ihn|ihm|ihr|sie|das|dies|cela|ça|il|elle|lui|eso|esto|le"
    r"|lo|la|questo|quello"
    r"|gli|het|dat|hem|haar|isso|isto|ele|ela|ją|den|det|hon|han|это|его|ему|ей)\b|\w-(?:le|la|les|lui"
    r"|leur|o|a)\b"
    r"|[aeiou](?:lo|la|le|los|las|les|gli)\b"
)
_DUE: Final = compile_later(
    r"\b(?:must|should|wants?|gets?|needs|shall|has to|have to|needs? to|goes|go|belongs?|ought|make|muss"
    r"|will|möchte|braucht|bekommt|veut|quiere|vuole|wil|quer|vill|müssen|soll\w*|gehört"
    r"|gehör\w*|geht"
    r"|kommt|doit|doivent|c'est|ce sera|devrait|va|vont|debe\w*|tiene que|tienen que|va|van|deve|devono|va"
    r"|vanno|moet\w*"
    r"|gaat|hoort|tem que"
    r"|deve\w*|vai|musi|ma|idzie|ska|måste|skal|må|pitää|должн\w+|надо|нужно)\b"
)
_ADDING: Final = compile_later(
    r"^\W*(?:and|und|et|y|e|en|i|oraz|och|og|ja|и|plus)\b|\b(?:also|too|as well|another|more|further"
    r"|additional(?:ly)?|extra"
    r"|besides|each|auch|noch|weitere\w*|zusätzlich|außerdem|aussi|encore|autre|en plus|también|además"
    r"|otr[oa]s?|más|anche"
    r"|inoltre|altr[oaie]|ook|nog|extra|bovendien|também|outr[oa]s?|mais|też|także|jeszcze|också|till|ytterligare|også"
    r"|myös|также|тоже|ещё|еще)\b"
)
_LIMIT: Final = compile_later(
    r"\b(?:by|before|until|till|after|since|bis|vor|nach|seit|avant|jusqu'à|antes de|hasta|prima delle|entro"
    r"|fino a|voor"
    r"|tot|até|do|före|før)\s+$",
    re.IGNORECASE,
)
"""In front of a time that only bounds an order: "it must be there by 17:00"."""


def find_replaced(told: Sequence[str], message: str, clause: Clause) -> list[tuple[int, Place]]:
    """Find the values of earlier texts in whose place a clause gives another; with the numbers of the texts."""
    text = clause.text
    if clause.is_question or looks_up(text) or _ADDING.search(text) is not None or len(text.split()) > _MAX_WORDS:
        return []
    values = list_values_of(message, (clause.start, clause.end), is_message=True)
    hits = list(find_hits(told, message, clause))
    old = {hit.new for hit in hits}
    new = [token for token in values if token not in old and _LIMIT.search(message[clause.start : token.start]) is None]
    if not new:
        return []
    place = hits[-1].text if hits else _find_latest(told)
    if place < 0 or not (
        _SAME.search(text) or (hits and _has_same_act(text, told[place])) or _refers_back(message, clause, new)
    ):
        return []
    said = {token.text.casefold() for token in list_tokens(message)}
    wholes = [(token.start, token.end) for token in list_values_of(told[place], (0, len(told[place])))]
    found = []
    kinds = {find_kind(token.text) for token in new} - {""}
    if begins_with_order(text) and words.INSTEAD.search(text) is None:
        kinds -= {"name"}  # "book it for Amara": whom it is for, and not what is booked
    for kind in sorted(kinds):
        shapes = {_read_shape(token.text) for token in new if find_kind(token.text) == kind}
        for cut in find_other_values(told[place], kind, said):
            start, end = next((whole for whole in wholes if whole[0] <= cut[0] < whole[1]), cut)
            if kind == "name" or _read_shape(told[place][start:end]) in shapes:
                found.append((place, (start, end)))
    if hits:  # "40 for Ben" leaves what Ana gets as it is
        hit = hits[-1]
        start, end = find_piece(told[place], hit.order, (hit.old.start, hit.old.end))
        found = [cut for cut in found if start <= cut[1][0] < end]
    return found


def is_short(clause: Clause) -> bool:
    """Whether a clause is a fragment that states nothing: "40 for Ben"."""
    return len(clause.text.split()) <= _MAX_SHORT and words.STATING.search(clause.text) is None


def _find_latest(told: Sequence[str]) -> int:
    return next((place for place in reversed(range(len(told))) if orders_act(told[place])), -1)


def _has_same_act(text: str, order: str) -> bool:
    """Whether a clause with a value of an order orders the same act, or no act."""
    acts = find_asked_stems(text)
    return not acts or any(is_act_of(act, order) for act in acts)


def _refers_back(message: str, clause: Clause, new: Sequence[Token]) -> bool:
    """Whether a clause means the order before the message: by a pronoun, or since it is only a fragment of one."""
    if _has_own_object(message[: clause.start], {token.text for token in new}):
        return False
    text = words.LIMIT.split(clause.text, maxsplit=1)[0]
    if _PRONOUN.search(text) is not None:
        return _DUE.search(text) is not None or begins_with_order(text) or all("@" in token.text for token in new)
    is_alone = len(message[: clause.start].split()) <= _MAX_CUE and not message[clause.end :].strip(" .!\n")
    return is_alone and _is_fragment(message[clause.start : clause.end], new)


def _is_fragment(phrase: str, new: Sequence[Token]) -> bool:
    """Whether a phrase is not much more than values of one kind: "hm, 21", "21 is warm enough"."""
    kinds = {find_kind(token.text) for token in list_tokens(phrase) if is_value(token.text)}
    others = [word for word in drop_fillers(phrase) if not is_value(word) and not any(map(str.isdigit, word))]
    if len(kinds) != 1 or not kinds <= {"email", "id", "number"} or len(others) > _MAX_FRAGMENT:
        return False
    is_statement = words.STATING.search(phrase.lower()) is not None and not phrase.lstrip().startswith(new[0].text)
    return not is_statement and not find_asked_stems(phrase)


def _has_own_object(before: str, new: Collection[str]) -> bool:
    """Whether the message names something itself to which a pronoun may refer."""
    values = {token.text for token in list_values_of(before, (0, len(before)))}
    return not values.issubset(new) or any(map(begins_with_order, before.split(". ")))


def _read_shape(value: str) -> str:
    """Return what a value looks like: letters and digits as one sign each; of a number, whether it is a long one."""
    if find_kind(value) == "number":
        return "long" if sum(map(str.isdigit, value)) >= _LONG else "short"
    if "/" in value or "@" in value:
        return "/" if "/" in value else "@"
    signs = ["0" if sign.isdigit() else "a" if sign.isalpha() else sign for sign in value]
    return "".join(sign for place, sign in enumerate(signs) if not place or sign != signs[place - 1]).replace(
        ".0.0", ".0"
    )
