"""What a phrase names that says which order is meant: "the deletion of D-19", "the second one", "him".

list_values("the mail to Kim")     # {"kim"}
drop_fillers("the second one")     # ["second"]
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from halo_core.values.language.foreign_words import find_foreign_acts
from halo_core.values.language.text import split_name
from halo_core.values.requests.unlisted_orders import KNOWN_VERBS, LIGHT_VERBS, LOOKING_UP, VAGUE_VERBS
from halo_core.values.withdrawals.ordinals import find_ordinals
from halo_core.values.withdrawals.told_orders import Place, are_words_of, find_kind, has_any_value, list_tokens

IT: Final = frozenset(
    "it that this them those these him her so anything all everything es das ihn sie ihm ihr alles le la les lui"
    " leur ça cela lo"
    " los las eso esto todo li gli het dat ze hem haar o a os as isso isto tudo".split()
)
_FILLERS: Final = IT | frozenset(
    "the an my our your his its their either one ones thing things stuff bit part please then now anymore more"
    " after for yet again"
    " also too as is are alone be there here in place and or nor not any of to on from with at by der die dem"
    " den des ein eine einen"
    " einem bitte doch lieber nicht mehr sein stehen so wie ist aus weg raus ruhe und oder von vom zu zur zum an"
    " auf un une des du"
    " de et ou pas plus comme est el uno una unos al y no más que il i un e non più een en niet maar toch staan"
    " laten zoals"
    " um uma do da dos das não mais já que löschen lösch löschst".split()
)
REST: Final = frozenset(
    "rest others other remaining remainder andere anderen autres autre otros otras otro otra altri altre altro"
    " altra andere overige"
    " outros outras outro outra resto restliche übrigen".split()
)
ACT_NOUNS: Final = {
    noun: verb
    for verb, nouns in {
        "delete": "delete deletion removal löschung löschen löschauftrag suppression effacement eliminación"
        " borrado eliminazione"
        " cancellazione verwijdering eliminação exclusão usunięcie",
        "pay": "payment payout zahlung überweisung paiement virement pago transferencia pagamento bonifico"
        " betaling overschrijving"
        " transferência płatność przelew",
        "transfer": "transfer",
        "send": "sending send forwarding versand envoi envío invio verzending envio wysyłka",
        "reboot": "reboot restart neustart redémarrage reinicio riavvio herstart reinício",
        "request": "request requests instruction command",
    }.items()
    for noun in nouns.split()
}
"""Noun of an act → its verb. "Cancel the deletion of D-19" orders nothing, unlike "cancel order 4411"."""

_ACT_VERBS: Final = KNOWN_VERBS - LIGHT_VERBS - VAGUE_VERBS - LOOKING_UP
_ENGLISH: Final = frozenset("the you i we is are was it to of and that this there have do".split())


def drop_fillers(phrase: str) -> list[str]:
    """List the words of a phrase that name something, in small letters."""
    return [token.text.lower() for token in list_tokens(phrase) if token.text.lower() not in _FILLERS]


def list_values(phrase: str) -> set[str]:
    """List the values in a phrase: ids, addresses, numbers, and names, be it in small letters."""
    return {
        token.text.casefold()
        for token in list_tokens(phrase)
        if find_kind(token.text) in ("id", "email", "number", "name", "day")
    }


def has_id(phrase: str, *, numbers: bool = True) -> bool:
    """Whether a phrase has an id, an address or, unless they are left out, a number."""
    kinds = ("id", "email", "number") if numbers else ("id", "email")
    return any(find_kind(token.text) in kinds for token in list_tokens(phrase))


def is_gerund(word: str) -> bool:
    """Whether a word names an act: "deleting"."""
    return word.endswith("ing") and not KNOWN_VERBS.isdisjoint(split_name(word))


def has_known_verb(order: str) -> bool:
    """Whether an order has a verb of the lists, which are English."""
    return any(not KNOWN_VERBS.isdisjoint(split_name(token.text.lower())) for token in list_tokens(order))


def has_act_verb(text: str) -> bool:
    """Whether a text has a verb of the lists that says which act is meant, unlike "get" or "put"."""
    return any(not _ACT_VERBS.isdisjoint(split_name(token.text.lower())) for token in list_tokens(text))


def is_english(text: str) -> bool:
    """Whether a clause has one of the commonest English words."""
    return text.isascii() and not _ENGLISH.isdisjoint(text.lower().split())


_NUMBERED_NOUNS: Final = frozenset("mail email message order ticket note page text invoice post issue".split())
_MAX_NAMED: Final = 3  # words of a phrase
_LEADS: Final = frozenset("please pls can could would will you and then also bitte ok now kannst du".split())


_NUMBER_WORDS: Final = frozenset("no no. nr nr. number".split())
_STATING: Final = frozenset("is are was were has had".split())


def begins_with_order(text: str) -> bool:
    """Whether a text begins with a verb, be it behind a polite phrase."""
    tokens = [token.text.lower() for token in list_tokens(text)]
    while tokens and tokens[0] in _LEADS:
        tokens.pop(0)
    first, second, third = [*tokens, "", "", ""][:3]
    if not first or (first in _NUMBERED_NOUNS and find_kind(second) in ("number", "id")):
        return False  # "mail 1"
    if second in _NUMBER_WORDS or second in _STATING or (find_kind(second) in ("number", "id") and third in _STATING):
        return False  # "fee no. 5561", "fee 5561 was wrong"
    return not KNOWN_VERBS.isdisjoint(split_name(first)) or bool(find_foreign_acts(first))


def has_name(phrase: str) -> bool:
    """Whether a phrase has a value that names something: an id, an address, a number or a name, and no day."""
    return any(find_kind(token.text) in ("email", "id", "number", "name") for token in list_tokens(phrase))


def may_mean_order(phrase: str) -> bool:
    """Whether a phrase may mean an order of a text that is not known: by a value, a number or an act."""
    named = drop_fillers(phrase)
    is_short = len(named) <= _MAX_NAMED
    is_act = any(word in ACT_NOUNS for word in named)
    return is_short and (is_act or find_ordinals(phrase) is not None or has_name(phrase))


def choose_items(text: str, items: Sequence[Place], phrase: str) -> set[int]:
    """Choose the items of a list that a phrase names, by their numbers; none if it names others as well."""
    ordinals, values, nouns = find_ordinals(phrase), list_values(phrase), drop_fillers(phrase)
    if ordinals is not None:
        return set(ordinals.select(len(items)))
    if values:
        named = [token.text for token in list_tokens(phrase) if token.text.casefold() in values]
        chosen = {n for n, item in enumerate(items) if has_any_value(text, item, named)}
        return chosen if len(chosen) >= len(values) else set()
    return {n for n, item in enumerate(items) if nouns and are_words_of(nouns, text[slice(*item)])}
