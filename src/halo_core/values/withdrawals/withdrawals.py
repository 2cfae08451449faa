r"""What a message of the user takes back of his earlier orders, or of its own, and what it orders after all.

    revise(["Delete D-19 and D-20."], "Not the second one.")      # told: "Delete D-19\n."
    revise(["Pay Ana 100."], "Make it 80 instead.")               # told: "Pay Ana \n.", and the message as it is
    revise(["Delete D-19."], "Forget it, but mail Kim.")          # told: "", message: "\n, but mail Kim."

An earlier text is revised as the user might have written it in the first place: what is taken back is cut out. The
caller takes the authority away that only the parts cut out gave (`halo_core.enforcement.withdrawals`). A text that is
read too strictly leads to a question, so where it is not clear what is meant, more is taken back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import chain
from typing import Final, NamedTuple

from halo_core.values.withdrawals import withdrawal_words as words
from halo_core.values.withdrawals.message_clauses import (
    MAX_CHARS,
    Clause,
    confirms,
    fold,
    renews,
    split_clauses,
    takes_back,
)
from halo_core.values.withdrawals.named_again import find_named_again, looks_up, may_name_again
from halo_core.values.withdrawals.object_phrases import (
    ACT_NOUNS,
    IT,
    REST,
    begins_with_order,
    choose_items,
    drop_fillers,
    has_act_verb,
    has_id,
    has_known_verb,
    has_name,
    is_english,
    is_gerund,
    list_values,
    may_mean_order,
)
from halo_core.values.withdrawals.ordinals import find_ordinals
from halo_core.values.withdrawals.same_slot import find_replaced, is_short
from halo_core.values.withdrawals.struck_out import find_struck_out
from halo_core.values.withdrawals.told_orders import (
    Place,
    are_words_of,
    cut_item,
    cut_out,
    cut_value,
    cut_verbs,
    find_kind,
    find_other_values,
    find_piece,
    find_values,
    is_act_of,
    is_first,
    list_items,
    list_tokens,
    orders_act,
    pays,
    split_orders,
    takes_away,
)

_MAX_NEW: Final = 8  # words of a correction
_MAX_BARE_VALUE: Final = 3  # words of a value that stands alone


class Revision(NamedTuple):
    """What stands of the user's texts behind a message.

    Args:
        told: the earlier texts.
        message: the message.
        is_bare: it takes back what was ordered before without saying what.
        objects: phrases that say what is taken back.
        renews: it orders again what the last withdrawal took back.
    """

    told: tuple[str, ...]
    message: str
    is_bare: bool = False
    objects: tuple[str, ...] = ()
    renews: bool = False


def may_withdraw(text: str, told: Iterable[str] = ()) -> bool:
    """Whether a text may take something back of itself or of earlier texts; fast, since it is asked of each message."""
    return words.has_hint(text[:MAX_CHARS]) or may_name_again(told, text)


def revise(
    told: Sequence[str],
    message: str,
    *,
    follows_withdrawal: bool = False,
    follows_bare: bool = False,
    has_unknown: bool = False,
) -> Revision | None:
    """Read what a message takes back; None if it takes nothing back and renews nothing.

    Args:
        told: the earlier texts of the user as they stand, oldest first.
        message: the text that follows.
        follows_withdrawal: the last of them took something back, so "yes, do it" gives it back.
        follows_bare: it took back what was ordered before it, so a second "forget it" goes no further back.
        has_unknown: there are earlier texts that are not known.
    """
    reader = _Reader(told, message, follows_bare=follows_bare, has_unknown=has_unknown)
    reader.read_without_words(
        [
            clause
            for clause in split_clauses(fold(message))
            if not (clause.is_plain and reader.read(clause, follows_withdrawal=follows_withdrawal))
        ]
    )
    return reader.finish()


# reading


class _Reader:
    """Reads the clauses of one message and collects what they cut out of the texts. The message is the last text."""

    def __init__(
        self, told: Sequence[str], message: str, *, follows_bare: bool = False, has_unknown: bool = False
    ) -> None:
        self._texts = [*told, message]
        self._message = message
        self._cuts: list[list[Place]] = [[] for _ in told] + [find_struck_out(message)]
        self._objects: list[str] = []
        self._is_bare = self._renews = False
        self._cue = ""
        self._follows_bare = follows_bare
        self._has_unknown = has_unknown

    def finish(self) -> Revision | None:
        """Return the texts without what was cut out of them."""
        if not (any(self._cuts) or self._is_bare or self._objects or self._renews):
            return None
        *told, message = (cut_out(text, cuts) for text, cuts in zip(self._texts, self._cuts, strict=True))
        return Revision(tuple(told), message, self._is_bare, tuple(self._objects), self._renews)

    def read_without_words(self, clauses: Sequence[Clause]) -> None:
        """Read clauses that have no word of withdrawal: they may name a value again, or give one in its place."""
        told = self._texts[:-1]
        if self._renews or not told:
            return
        replaced = {clause: find_replaced(told, self._message, clause) for clause in clauses}
        # "40 for Ben" orders a payment to Ben.
        naming = [clause for clause in clauses if not (replaced[clause] and is_short(clause))]
        taken = find_named_again(told, self._message, naming)
        self._cuts[-1] += taken.message
        for place, cut in (*taken.told, *chain.from_iterable(replaced.values())):
            self._cuts[place].append(cut)

    def read(self, clause: Clause, *, follows_withdrawal: bool) -> bool:
        """Read one clause; return whether it takes back or renews something."""
        before = sum(map(len, self._cuts)), self._is_bare, self._renews
        if renews(clause.text) or (follows_withdrawal and confirms(clause.text)):
            self._renews = True
        elif words.CALLING_OFF.fullmatch(clause.text) is not None and not self._takes_back_by_calling_off(clause):
            if not self._is_about_statement(clause):
                self._cut_latest(clause, cut_verbs)
        elif self._forbids_other_act(clause):
            pass  # "stop the server", "don't start it again"
        elif takes_back(clause.text) or words.WAITING.fullmatch(self._message.lower()) is not None:
            self._take_back(clause)
        elif not (self._replace(clause) or self._limit(clause)):
            self._take_back_objects(clause)
        self._cue = clause.text if words.CUE.fullmatch(clause.text) is not None else ""
        return before != (sum(map(len, self._cuts)), self._is_bare, self._renews)

    def _cut_message(self, clause: Clause, start: int = -1) -> None:
        self._cuts[-1].append((clause.start if start < 0 else start, clause.end))

    # without an object

    def _take_back(self, clause: Clause) -> None:
        """Take back the orders that a clause without an object refers to."""
        before = self._read_before(clause)
        own = [
            order for order in split_orders(before) if words.LEADING.fullmatch(before[slice(*order)].lower()) is None
        ]
        is_self_correction = bool(own) and clause.is_joined and begins_with_order(before[slice(*own[-1])])
        if own and not is_self_correction and words.MYSELF.search(clause.text) is not None:
            return  # what is said just before is meant, which orders nothing
        self._cut_message(clause)
        self._cuts[-1] += own[-1:] if is_self_correction else own
        if is_self_correction:
            return
        self._is_bare = True
        if words.EVERYTHING.search(clause.text) is not None:
            for place, text in enumerate(self._texts[:-1]):
                self._cuts[place].append((0, len(text)))
        elif not self._follows_bare:
            self._cut_latest(clause, lambda text: [(0, len(text))], in_message=False)

    def _forbids_other_act(self, clause: Clause) -> bool:
        """Whether a clause forbids to do something with "it" that nothing before it orders."""
        forbidden = words.FORBIDDEN_WITH_IT.fullmatch(clause.text)
        if forbidden is None or forbidden["act"] in words.GENERIC_ACTS or not has_act_verb(forbidden["act"]):
            return False
        text = self._read_before(clause) or self._find_latest()
        return has_act_verb(text) and not is_act_of(forbidden["act"], text)

    def _cut_latest(self, clause: Clause, cut: Callable[[str], Iterable[Place]], *, in_message: bool = True) -> None:
        """Cut the latest text that orders something, with those behind it, and older orders about the same ids."""
        if in_message and (before := self._read_before(clause)) and orders_act(before):
            self._cuts[-1] += cut(before)
            return
        ids: set[str] = set()
        is_found = False
        for place in reversed(range(len(self._texts) - 1)):
            text = self._texts[place]
            if not is_found:
                is_found = orders_act(text)
                self._cuts[place] += cut(text)
                ids |= {
                    token.text.casefold() for token in list_tokens(text) if find_kind(token.text) in ("id", "email")
                }
            else:
                self._cuts[place] += [order for order in split_orders(text) if any(find_values(text, order, ids))]

    def _takes_back_by_calling_off(self, clause: Clause) -> bool:
        """Whether "cancel it" only takes an order back: to remove or pay something, or one with unknown words."""
        if self._is_about_statement(clause):
            return False
        text = self._read_before(clause).strip() or self._find_latest()
        return takes_away(text) or pays(text)

    def _is_about_statement(self, clause: Clause) -> bool:
        """Whether a message says something before a clause, and orders nothing: "that was our mistake. Strike it"."""
        before = self._read_before(clause)
        return bool(before) and not any(begins_with_order(before[slice(*order)]) for order in split_orders(before))

    def _find_latest(self) -> str:
        """Find the latest earlier text that orders something."""
        return next(filter(orders_act, reversed(self._texts[:-1])), "")

    def _read_before(self, clause: Clause) -> str:
        """Return the message up to a clause, with blanks in place of what is cut out; empty if it says nothing."""
        before = self._message[: clause.start]
        for start, end in self._cuts[-1]:
            before = before[:start] + " " * len(before[start:end]) + before[end:]
        return before if before.strip(" \n.,;!?…-") else ""

    # with an object

    def _take_back_objects(self, clause: Clause) -> None:
        """Take back the orders about what a clause names."""
        text = clause.text
        if (left := words.LEFT.fullmatch(text)) is not None:
            name = next(name for name, value in left.groupdict().items() if value)
            self._take_back_phrase(clause, left.span(name), cuts_values=True)
        elif (forbidden := words.FORBIDDEN.fullmatch(text)) is not None:
            self._forbid(clause, forbidden)
        elif (pure := words.PURE.fullmatch(text)) is not None:
            self._take_back_phrase(clause, pure.span("object"), cuts_values=text.strip().startswith(words.SPARING))
        elif (kept := words.KEPT.fullmatch(text)) is not None:
            self._take_back_phrase(clause, kept.span("object"), takes_away)
        elif (abandoned := words.ABANDONED.fullmatch(text)) is not None:
            self._abandon(clause, abandoned.span("object"))
        elif words.NEGATION.search(text) is not None and words.STATING.search(text) is None and not is_english(text):
            self._take_back_values(clause)

    def _take_back_phrase(
        self,
        clause: Clause,
        span: Place,
        is_meant: Callable[[str], bool] = lambda _order: True,
        *,
        cuts_values: bool = False,
    ) -> bool:
        """Take back the orders about what a phrase names, and the clause itself; return whether there are any.

        Args:
            clause: that has the phrase.
            span: place of the phrase in it.
            is_meant: whether an order may be meant.
            cuts_values: take the clause out as well if it names a value of no order.
        """
        phrase = self._phrase_of(clause, span)
        found = list(self._find(clause, phrase, is_meant, is_replaced=self._gives_other(clause, phrase)))
        if found or (self._has_unknown and may_mean_order(phrase)):
            self._objects.append(phrase)
            self._cut_message(clause)
        elif cuts_values and has_name(phrase):
            self._cut_message(clause)  # "delete all drafts", "leave D-19 as it is": nothing vouches for D-19
        for text, place in found:
            self._cuts[text].append(place)
        return bool(found)

    def _gives_other(self, clause: Clause, phrase: str) -> bool:
        """Whether the clause before has another value in place of one: "to Anna, not Ben"."""
        if not clause.text.strip().startswith(words.NOT):
            return False
        kinds = {find_kind(token.text) for token in list_tokens(self._message[: clause.start])}
        return not (kinds & {find_kind(token.text) for token in list_tokens(phrase)} & words.REPLACED).issubset({""})

    def _take_back_values(self, clause: Clause) -> None:
        """Take back the orders about the values that a denied clause names."""
        phrase = self._message[clause.start : clause.end]
        if find_ordinals(phrase) is not None:
            found = list(self._find(clause, phrase, lambda _order: True))
        else:
            found = list(self._find_values(clause, list_values(phrase), lambda _order: True))
        if found:
            self._cut_message(clause)
            self._objects.append(phrase)
            for text, place in found:
                self._cuts[text].append(place)

    def _forbid(self, clause: Clause, forbidden: re.Match[str]) -> None:
        """Take back the orders of an act that is forbidden now."""
        act = forbidden["act"]
        phrase = self._phrase_of(clause, forbidden.span("object")) if forbidden["object"] else ""
        named = drop_fillers(phrase)
        is_person = bool(phrase.strip()) and words.PERSON.issuperset(set(phrase.lower().split()) - words.TO)
        if is_person and self._forbid_person(clause, act):
            return
        if not words.LIMITING.isdisjoint(phrase.lower().replace("after all", "").split()):
            return
        is_meant = lambda order: act in words.GENERIC_ACTS or is_act_of(act, order) or not has_known_verb(order)  # noqa: E731
        if named and self._take_back_phrase(clause, forbidden.span("object"), is_meant, cuts_values=True):
            return
        found = [
            (place, order)
            for place, order in self._iterate_orders(clause)
            if is_act_of(act, text := self._texts[place][slice(*order)]) and are_words_of(named, text)
        ]
        for place, order in found:
            self._cuts[place].append(order)
        if found:
            self._objects.append(" ".join([act, *named]))
            self._cut_message(clause)

    def _forbid_person(self, clause: Clause, act: str) -> bool:
        """Take back what was to be done with the person named last, if one was; return whether."""
        texts = [(len(self._texts) - 1, self._read_before(clause))]
        texts += [(place, self._texts[place]) for place in reversed(range(len(self._texts) - 1))]
        for place, text in texts:
            persons = [
                token
                for token in list_tokens(text)
                if (kind := find_kind(token.text)) == "email" or (kind == "name" and not is_first(text, token))
            ]
            if persons and has_act_verb(text) and not is_act_of(act, text):
                return True  # with whom something else is to be done
            if persons:
                last = persons[-1].start, persons[-1].end
                self._cuts[place] += [
                    cut_value(text, order, last) for order in split_orders(text) if order[0] <= last[0] < order[1]
                ]
                self._cut_message(clause)
                return True
        return False

    def _abandon(self, clause: Clause, span: Place) -> None:
        """Take back what is called off. If that is a thing and no act, the clause is an order as well."""
        named = drop_fillers(self._phrase_of(clause, span))
        is_act = any(word in ACT_NOUNS or is_gerund(word) for word in named)
        before = len(self._cuts[-1])
        if self._take_back_phrase(clause, span) and not is_act:
            self._cuts[-1] = [place for place in self._cuts[-1] if place != (clause.start, clause.end)]
        elif is_act and before == len(self._cuts[-1]) and not has_known_verb(latest := self._find_latest()) and latest:
            self._cut_latest(clause, lambda text: [(0, len(text))], in_message=False)
            self._cut_message(clause)
        elif any(ACT_NOUNS.get(word) == "delete" for word in named):
            self._cut_message(clause)  # "cancel the deletion of D-19" deletes nothing, whatever was said before

    def _phrase_of(self, clause: Clause, span: Place) -> str:
        """Return a part of a clause as the user wrote it, up to a condition."""
        text = self._message[clause.start + span[0] : clause.start + span[1]]
        return words.LIMIT.split(text, maxsplit=1)[0]

    def _iterate_orders(self, clause: Clause) -> Iterator[tuple[int, Place]]:
        """Iterate over all orders before a clause, with the numbers of their texts, the latest first."""
        last = len(self._texts) - 1
        yield from ((last, order) for order in reversed(split_orders(self._read_before(clause))))
        for place in reversed(range(last)):
            yield from ((place, order) for order in reversed(split_orders(self._texts[place])))

    def _find(
        self, clause: Clause, phrase: str, is_meant: Callable[[str], bool], *, is_replaced: bool = False
    ) -> Iterator[tuple[int, Place]]:
        """Find the places that a phrase means in the texts before a clause.

        Args:
            clause: that has the phrase.
            phrase: what it names.
            is_meant: whether an order may be meant.
            is_replaced: another value takes the place of what it names, so the order itself stands.
        """
        ordinals = find_ordinals(phrase)
        named = drop_fillers(phrase)
        if ordinals is not None or (named and REST.issuperset(named)):
            if is_meant is takes_away and ordinals is None:
                return  # "drop it, keep the other"
            yield from self._find_numbered(clause, ordinals.select if ordinals else None)
            return
        acts = [word for word in named if word in ACT_NOUNS or is_gerund(word)]
        head = phrase if acts else words.PREPOSITION.split(f" {phrase} ", maxsplit=1)[0]
        head = head if drop_fillers(head) else phrase
        values = list_values(phrase if not list_values(head) and has_id(phrase, numbers=False) else head)
        found = list(self._find_values(clause, values, is_meant, is_replaced=is_replaced))
        yield from found
        nouns = [word for word in drop_fillers(head) if word not in acts and word not in values]
        if found or has_id(phrase):
            return
        verbs = [ACT_NOUNS.get(word, word) for word in acts]
        for place, order in self._iterate_orders(clause):
            text = self._texts[place][slice(*order)]
            if not (nouns or verbs) or not is_meant(text):
                continue
            if are_words_of(nouns, text) and all(verb == "request" or is_act_of(verb, text) for verb in verbs):
                hits = list(find_values(self._texts[place], order, set(nouns))) if len(nouns) == 1 and not verbs else []
                yield place, cut_value(self._texts[place], order, hits[0]) if len(hits) == 1 else order

    def _find_values(
        self,
        clause: Clause,
        values: Collection[str],
        is_meant: Callable[[str], bool],
        *,
        is_replaced: bool = False,
    ) -> Iterator[tuple[int, Place]]:
        """Find what has to be cut for values, in each order that is meant; only the values if others replace them."""
        for place, order in self._iterate_orders(clause) if values else ():
            text = self._texts[place]
            if not is_meant(text[slice(*order)]):
                continue
            hits = list(find_values(text, order, values))
            others = [t for t in list_tokens(text, order) if find_kind(t.text) in ("id", "email", "name", "number")]
            if is_replaced:
                yield from ((place, hit) for hit in hits)
            elif len(hits) >= len(others):
                yield from ((place, order) for _ in hits[:1])
            else:
                yield from ((place, cut_value(text, order, hit)) for hit in hits)

    def _find_numbered(
        self, clause: Clause, select: Callable[[int], Collection[int]] | None
    ) -> Iterator[tuple[int, Place]]:
        """Find the items with some numbers in the latest list of the user; the whole text if it has no such list."""
        place, text = self._find_list(clause)
        if not text:
            return
        readings = list_items(text) if select is not None else []
        chosen = [
            cut_item(text, items[number])
            for items in readings
            for number in (select(len(items)) if select is not None else ())
        ]
        if not chosen and place == len(self._texts) - 1:
            return  # "bin the old drafts, the final one stays"
        yield from ((place, item) for item in chosen or [(0, len(text))])

    def _find_list(self, clause: Clause) -> tuple[int, str]:
        """Find the latest text with an order, up to a clause, and its number."""
        before = self._read_before(clause)
        if before and (orders_act(before) or list_items(before)):
            return len(self._texts) - 1, before
        places = [place for place in reversed(range(len(self._texts) - 1)) if orders_act(self._texts[place])]
        listing = [place for place in places if list_items(self._texts[place])]
        return next(((place, self._texts[place]) for place in (*listing[:1], *places[:1])), (0, ""))

    # what is wanted in place of it

    def _limit(self, clause: Clause) -> bool:
        """Take back all items but those that a clause wants alone: "only the first two"."""
        only = words.ONLY.fullmatch(clause.text)
        if only is None:
            return False
        if only["verb"] and (not begins_with_order(clause.text) or looks_up(clause.text)):
            return False
        phrase = self._phrase_of(clause, only.span("object"))
        if words.TIMED.match(phrase.lower()) is not None:
            return False
        place, text = self._find_list(clause)
        for items in list_items(text):
            kept = choose_items(text, items, phrase)
            if kept and len(kept) < len(items):
                self._cuts[place] += [cut_item(text, item) for n, item in enumerate(items) if n not in kept]
                return True
        values = list_values(phrase)
        return (
            bool(values)
            and all(find_kind(value) == "number" for value in values)
            and self._put_in_place(clause, phrase, is_instead=False)
        )

    def _replace(self, clause: Clause) -> bool:
        """Take back the values in whose place a clause has others; return whether it replaces something."""
        rather = words.RATHER.search(clause.text)
        if rather is not None:
            if self._replace_named(clause, rather):
                return True
            end = rather.start()  # "make it 80 and not a penny more"
            clause = clause._replace(end=clause.start + end, text=clause.text[:end].rstrip())
        if self._replace_not(clause):
            return True
        share = words.SHARE.fullmatch(clause.text)
        if share is not None and find_kind(share["new"]) == "number" and self._replace_share(clause, share):
            return True
        corrected, is_instead = words.CORRECTED.fullmatch(clause.text), words.INSTEAD.search(clause.text) is not None
        if corrected is not None and words.NEGATION.search(clause.text) is None:
            new = self._phrase_of(clause, corrected.span("new"))
        elif (enough := words.ENOUGH.fullmatch(clause.text)) is not None and list_values(enough["new"]):
            new = self._phrase_of(clause, enough.span("new"))
        elif is_instead or self._is_bare_correction(clause):
            new = self._message[clause.start : clause.end]
        else:
            return False
        if len(new.split()) > _MAX_NEW and not is_instead:
            return False
        return self._put_in_place(clause, new, is_instead=is_instead)

    def _replace_named(self, clause: Clause, rather: re.Match[str]) -> bool:
        """Take back what a clause names as replaced; return whether it names something."""
        old = self._phrase_of(clause, rather.span("old"))
        found = list(self._find(clause, old, lambda _order: True, is_replaced=True))
        for place, cut in found:
            self._cuts[place].append(cut)
        self._cut_message(clause, clause.start + rather.start())
        if found or has_name(old):
            self._objects.append(old)
            return True
        return False

    def _replace_not(self, clause: Clause) -> bool:
        """Take back the second of two values without a sign between them: "80 not 100"."""
        values = words.VALUE_NOT.fullmatch(clause.text)
        if values is not None and find_kind(values["new"]) == find_kind(values["old"]) != "":
            for place, cut in list(self._find_values(clause, {values["old"]}, lambda _order: True, is_replaced=True)):
                self._cuts[place].append(cut)
            self._cut_message(clause, clause.start + values.start("old"))
            return True
        return False

    def _replace_share(self, clause: Clause, share: re.Match[str]) -> bool:
        """Take back another amount for somebody who gets one now; return whether there is one."""
        for place, order in list(self._iterate_orders(clause)):
            text = self._texts[place]
            for hit in find_values(text, order, {share["who"]}):
                start, end = find_piece(text, order, hit)
                tokens = list_tokens(text, (start, end))
                old = [token for token in tokens if find_kind(token.text) == "number" and token.text != share["new"]]
                self._cuts[place] += [(token.start, token.end) for token in old]
                if old:
                    return True
        return False

    def _is_bare_correction(self, clause: Clause) -> bool:
        """Whether a clause is only a value behind a word that corrects: "no, 80"."""
        phrase = self._message[clause.start : clause.end]
        named = [word for word in drop_fillers(phrase) if words.CUE.fullmatch(word) is None]
        values = list_values(phrase).intersection(named)
        others = [word for word in named if word not in values]
        return (
            (bool(self._cue) or words.CORRECTING.match(clause.text) is not None)
            and words.NEGATION.search(words.CUE.sub("", clause.text, count=1)) is None
            and " not " not in clause.text
            and 0 < len(values) < _MAX_BARE_VALUE
            and len(others) < 2  # "80 euros", but not "mail 3 is from the shop"
        )

    def _put_in_place(self, clause: Clause, new: str, *, is_instead: bool) -> bool:
        tokens = list_tokens(new)
        values = {token.text.casefold() for token in tokens}
        is_sentence = is_instead and len(tokens) > 2  # so its first word has a capital
        kinds = {find_kind(token.text) for token in tokens[is_sentence and find_kind(tokens[0].text) == "name" :]} - {
            ""
        }
        before = self._read_before(clause)
        last = len(self._texts) - 1
        texts = [(last, before)] if before else []
        if is_instead and self._is_about_statement(clause) and last == 0:
            return True  # "her card is closed, refund it to her account instead"
        texts += [(place, self._texts[place]) for place in reversed(range(last)) if orders_act(self._texts[place])]
        for place, text in texts:
            cuts = [cut for kind in sorted(kinds) for cut in find_other_values(text, kind, values)]
            if cuts:
                self._cuts[place] += cuts
                return True
            if place != last:
                break
        if not is_instead:
            return False
        is_about_it = not IT.isdisjoint(clause.text.split()) and not self._takes_back_by_calling_off(clause)
        self._cut_latest(clause, cut_verbs if is_about_it else lambda text: [(0, len(text))])
        return True
