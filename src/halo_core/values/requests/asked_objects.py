"""For which objects a text of the user asks an act, and which objects it only mentions.

    find_asked_objects("Cancel my alarm and tell me what the board meeting is about")
    # ("asked_object", "cancel alarm"), ("other_object", "cancel board"), ("other_object", "cancel meeting"), ...

This text asks to cancel the alarm, not the meeting. A word is an object of an act if it stands in the clause of its
verb, in a clause that continues it, or in a remark that shares a word with it ("R-17 is a duplicate, delete the
duplicate"). A verb with a pronoun, or with nothing at all, is for whatever was mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import filterfalse, islice
from typing import Final, NamedTuple

from halo_core.model import Impact, Resource
from halo_core.values.kinds.argument_names import (
    names_end,
    names_kept_end,
    names_lost_end,
    names_thing,
    split_argument_name,
)
from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.kinds.numbered import MIN_DIGITS, add_numbered_forms, singularize, to_argument_noun
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import LOOSE_REQUEST_WORDS, STOP_WORDS, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.requests.asked_acts import find_asked_stems, says_idiom
from halo_core.values.requests.kept_records import find_kept_records, is_kept_after_merge, is_surely_kept
from halo_core.values.requests.phrasal_verbs import find_phrasal_verbs
from halo_core.values.requests.spelt_ids import list_spellings
from halo_core.values.requests.tool_verbs import CLASS_WORDS, list_asking_stems
from halo_core.values.requests.unlisted_orders import LOOKING_UP, QUESTION_WORDS, REMARKING, WORD, find_unlisted_orders
from halo_core.values.sketches.sketch import USER_BIT, Sketch, extract_tokens, has_user_mark

_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document, of which nothing is said
_MAX_CLAUSES: Final = 24
_MAX_TOKENS: Final = 24  # of a clause
_MAX_FORMS: Final = 512
_MAX_TARGET_WORDS: Final = 8
_MIN_NOUN: Final = 4  # letters
_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
_CLAUSE: Final = compile_later(
    r"[,:]\s+|\s[-–—]+\s|\s(?:and|then|but|so|und|dann|aber|et|puis|mais|y|luego|pero|e|poi|ma|en|maar)\s",
    re.IGNORECASE,
)
_PRONOUN: Final = compile_later(
    r"\b(?:it|them|this|that|these|those|one|ones|him|her|both|all|everything|anything|whatever|rest|others?|same|each"
    r"|every|any|which|so|what|whoever|such|there|here)\b(?!-\w)",
    re.IGNORECASE,
)
_KEEPING_WORDS: Final = compile_later(
    r"\b(?:stays?|remains?|keeps?|kept|leave|untouched|bleibt|reste|queda)\b", re.IGNORECASE
)
_WITHOUT_RIGHT: Final = CaselessPattern(
    r"\b(?:had|has no|have no|lost|loses?|never had|no longer (?:has|have|had)|without|used to have"
    r"|(?:should|must|may|does|do|did)(?: not|n['’]t) (?:have|get|keep)|(?:should|must|may) have no)\b[^.;!?\n]{0,24}"
    r"\b(?:access|rights?|permissions?|role|membership|account)\b",
    needs=("access", "right", "permission", "role", "membership", "account"),
)
"""Somebody does not have a right any more, or is to have none."""
_REFERS_TO_PREVIOUS: Final = compile_later(
    r"\b(?:its|their|his|her|it|they|he|she|this|that|these|those|account|iban|konto|payee|recipient|address)\b",
    re.IGNORECASE,
)
"""Words of a remark about what was mentioned before."""
_COURTESIES: Final = frozenset("can could would will you i we d ll like to and let us s".split())
_MONEY: Final = r"(?:eur\b|euros?\b|usd\b|dollars?\b|pounds?\b|[$€£])"
_SUM: Final = compile_later(
    rf"(?:[$€£] ?[0-9][0-9.,]{{0,12}}|(?<![\w.])[0-9]{{1,6}}(?:[.,][0-9]{{2}})?(?= ?{_MONEY})"
    r"|(?<![\w.])[0-9]{1,6}[.,][0-9]{2}(?![\w.])|(?<=\bthe )[0-9]{1,4}(?=\W*$| back\b))"
    rf" ?{_MONEY}?(?: back\b)?",
    re.IGNORECASE,
)
"""A sum of money: "waive the 35", "credit 11.20"."""
_MENTIONED_PARTY: Final = compile_later(
    r"\bthe (?:applicant|buyer|client|customer|driver|guest|holder|member|owner|passenger|patient|resident|seller"
    r"|student|subscriber|supplier|tenant)s?\b",
    re.IGNORECASE,
)
"""A party that was mentioned before: "LW-12 was never at home. Charge the owner 45 euros."."""
_POLITE: Final = frozenset(
    "please pls plz kindly thanks now today asap then also just ok okay soon again bitte".split()
)
_NOUNS_THAT_LOOK_LIKE_VERBS: Final = stem_all(
    "account user team group member key role owner bill invoice rent fee price"
)
"""Words that ask for acts elsewhere, but are nouns in front of a name: "user Ana"."""
_SEPARABLE_VERBS: Final = stem_all("add assign block close revert unpublish approve reject waive refund pay")
"""Stems of verbs in two parts whose object stands between or behind the parts: "get Jonas onto the track"."""
APPOINTING_VERBS: Final = stem_all("assign appoint")
"""Stems of verbs that say who is to do something."""
REDUCING_VERBS: Final = stem_all(
    "abort announce annul ban bar block cancel collect compare cut deactivate decline decrease defer delay delete deny"
    " disable dismiss end exclude halt hold lower pause postpone prevent recall redeem reduce refuse reject relieve"
    " remove replace retract reverse revert revoke scrap stop strike suspend terminate undo veto void withdraw withhold"
)
"""Stems of verbs that want something less, later or no more: "cancel the bonus" pays none."""
_ACT_MAKING_VERBS: Final = stem_all(
    "add allocate arrange award book charge create credit do enter get give grant hand increase install issue log make"
    " need offer open order pay post prepare provide put raise record register request reserve run schedule send set"
    " sign start submit transfer want write"
)
"""Stems of verbs that make an act of a noun: "give E-12 a bonus"."""
_TAKING_BACK: Final = compile_later(
    r"\b(?:take|get|give|call|claim|hold)s?\b.{0,48}\b(?:back|away|off)\b", re.IGNORECASE
)
_TIME_WORDS: Final = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday tomorrow tonight week month morning afternoon evening"
    " noon january february march april may june july august september october november december".split()
)
_MAX_APPOINTED: Final = 8
"""Most words of an order that only says who is to do what."""
_DOCUMENTS: Final = frozenset(
    "agenda article blog board chart chronicle deck diagram doc document draft email essay file folder form graph"
    " handout letter list mail memo message minutes newsletter note notes notice outline page paper poem poster post"
    " presentation protocol quiz report script sheet slide slides spreadsheet story summary table template text title"
    " transcript".split()
)
"""What a clause may order to write, draw or sort, whatever else it mentions: "add her bonus to my report"."""
_ATTACHED_NOUNS: Final = _DOCUMENTS - {"script"} | frozenset("comment copy log photo picture remark tab window".split())
"""What may be deleted, closed or merged instead of its subject: "delete the notes on permit 17"."""
_OBJECT_PREPOSITIONS: Final = frozenset("about at by concerning for from in of on regarding to with".split())
_MAX_PHRASE: Final = 5  # words up to the first preposition of a clause
_OBJECT_DOMAINS: Final = ("asked_object", "paper_object")
"""Domains of the objects of an act. The second has the numbers of what a document is about."""
_PARTICLE: Final = compile_later(r"^\W*\w+ (off|on|out|up|down|in|back)\b")
_NUMBER_SIGN: Final = "#"
"""Stands between a noun and its number: `bed#55`."""
_NAME_SIGN: Final = compile_later(r"(?<=\s)[A-Z][a-z]|@\w")
_WHATEVER_WAS_MENTIONED: Final = "*"
"""Object of a verb that refers back to whatever was mentioned before."""


class _Clause(NamedTuple):
    """A clause.

    Args:
        words: its words without verbs and stop words.
        stems: of the verbs by which it asks for acts.
        refers_back: its verbs are for whatever was mentioned before ("delete it").
        is_separate: it asks, looks something up or remarks, and so does not continue another clause.
        is_remark: it says something about its words ("R-17 is a duplicate").
        is_remark_on_previous: it says something about what was mentioned before ("its IBAN is ...").
        is_order: it orders something, by whatever verb.
        names_only_sum: it names only a sum or a party that was mentioned, so it is about the objects of the clause
            before it ("waive the 35").
        is_lookup: it looks something up.
        has_name: a word behind the first one is a handle or has a capital.
        has_pronoun: it refers to something that was mentioned before.
        wants_less: it wants something less, later or no more ("cancel her bonus").
        makes_act_of_noun: it begins with a verb that makes an act of a noun ("give her a bonus").
        leading_words: its first word, and the particle behind it: "turn off".
        is_other_act: it wants another act or a lookup, or something less, later or no more.
        of_document: of `words`, the numbers of what the document of the clause is about ("the notes on permit 17").
    """

    words: frozenset[str]
    stems: frozenset[str]
    refers_back: bool
    is_separate: bool
    is_remark: bool
    is_remark_on_previous: bool
    is_order: bool
    names_only_sum: bool
    is_lookup: bool
    has_name: bool
    has_pronoun: bool
    wants_less: bool
    makes_act_of_noun: bool
    is_other_act: bool
    of_document: frozenset[str]
    leading_words: frozenset[str]


def find_asked_objects(text: str) -> Iterator[Form]:
    """Find the words for which an act is asked (`asked_object`), and the other words of the text (`other_object`).

    Words of clauses that order anything are also `ordered`. Words that are only looked up are `looked_up`.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS:
        return
    clauses = list(islice(_iterate_clauses(text), _MAX_CLAUSES))
    stems = frozenset[str]().union(*(clause.stems for clause in clauses))
    yield from islice(_find_forms(clauses, stems), _MAX_FORMS)
    yield from islice(_find_ordered(clauses), _MAX_FORMS)
    yield from find_kept_records(text)
    yield from islice(_find_appointed(clauses), _MAX_FORMS)
    yield from (make_form(("looked_up", word)) for word in islice(sorted(_find_looked_up(clauses)), _MAX_FORMS))


def _find_ordered(clauses: Sequence[_Clause]) -> Iterator[Form]:
    """Find the words of clauses that order something.

    Beside a document ("add it to my report"), perhaps only the document is ordered.
    """
    orders = [clause.words for clause in clauses if clause.is_order and not clause.wants_less]
    act_nouns = frozenset[str]().union(
        *(x.words for x in clauses if x.is_order and x.makes_act_of_noun and not x.wants_less)
    )
    yield from (make_form(("doing", word)) for word in sorted(act_nouns))
    reduced = frozenset[str]().union(*(clause.words for clause in clauses if clause.wants_less))
    yield from (make_form(("undone", word)) for word in sorted(reduced))
    other_act_words = frozenset[str]().union(*(clause.words for clause in clauses if clause.is_other_act))
    yield from (make_form(("otherwise", word)) for word in sorted(other_act_words - act_nouns))
    leading_words = frozenset[str]().union(*(clause.leading_words for clause in clauses if not clause.wants_less))
    yield from (make_form(("leads", word)) for word in sorted(leading_words))
    plain = frozenset[str]().union(*(words for words in orders if words.isdisjoint(_DOCUMENTS)))
    yield from (make_form(("ordered", word)) for word in sorted(plain))
    for words in orders:
        for document in sorted(words & _DOCUMENTS):
            yield from (make_form(("ordered", f"{document} {word}")) for word in sorted(words))


def _find_appointed(clauses: Sequence[_Clause]) -> Iterator[Form]:
    """Find the words of clauses that assign or appoint, and how many words there are."""
    appointing = [clause for clause in clauses if not clause.stems.isdisjoint(APPOINTING_VERBS)]
    if any(clause.refers_back for clause in appointing):
        yield make_form(("appointed", _WHATEVER_WAS_MENTIONED))
    elif appointing:
        words = frozenset[str]().union(*(clause.words for clause in appointing)) - _TIME_WORDS
        words = frozenset(word for word in words if _NUMBER_SIGN not in word)
        yield make_form(("appointed_words", str(len(words))))
        yield from (make_form(("appointed", word)) for word in sorted(words))


def _find_looked_up(clauses: Sequence[_Clause]) -> frozenset[str]:
    """Find the words that stand only in clauses that look something up.

    None if the other clauses name nobody, or refer back. "Kim" of "split the dinner with Mo; read Kim's notes".
    Nobody of "read Kim's notes and pay her".
    """
    is_for_others = [clause for clause in clauses if not clause.is_lookup]
    if not any(clause.has_name for clause in is_for_others) or any(clause.has_pronoun for clause in is_for_others):
        return frozenset()
    looked_up = frozenset[str]().union(*(clause.words for clause in clauses if clause.is_lookup))
    return looked_up - frozenset[str]().union(*(clause.words for clause in is_for_others))


def _find_forms(clauses: Sequence[_Clause], stems: Iterable[str]) -> Iterator[Form]:
    # What neither asks nor says anything goes on with a list, or names what a verb is for.
    listed = frozenset[str]().union(
        *(clause.words for clause in clauses if not clause.stems and not clause.is_separate)
    )
    for stem in sorted(stems):
        asking = [clause for clause in clauses if stem in clause.stems]
        asked_words = listed.union(*(clause.words for clause in asking))
        if any(clause.refers_back for clause in asking):
            yield make_form(("asked_object", f"{stem} {_WHATEVER_WAS_MENTIONED}"))
            continue
        # What is remarked of something is said of what the act is for.
        remarked_words = [
            clause.words
            for clause in clauses
            if clause.is_remark_on_previous
            or (clause.is_remark and not _drop_short_numbers(asked_words).isdisjoint(clause.words))
        ]
        asked_words = asked_words.union(*remarked_words)
        # "Fine 60217 was our mistake, waive the 35."
        before = [
            clauses[i - 1].words for i, clause in enumerate(clauses) if i and clause.names_only_sum and clause in asking
        ]
        asked_words = asked_words.union(*before)
        of_document = frozenset[str]().union(*(clause.of_document for clause in asking))
        asked_words -= of_document.difference(
            *(clause.words - clause.of_document for clause in asking), *remarked_words
        )
        is_for_others = frozenset[str]().union(*(clause.words for clause in clauses)) - asked_words
        yield from (make_form(("asked_object", f"{stem} {word}")) for word in sorted(asked_words))
        yield from (make_form(("paper_object", f"{stem} {word}")) for word in sorted(of_document - asked_words))
        yield from (make_form(("other_object", f"{stem} {word}")) for word in sorted(is_for_others))


def _drop_short_numbers(words: Iterable[str]) -> frozenset[str]:
    """Remove short numbers, which count only together with their nouns."""
    return frozenset(filterfalse(_is_short_number, words))


def _is_short_number(word: str) -> bool:
    return word.isdigit() and len(word) < MIN_DIGITS


def _iterate_clauses(text: str) -> Iterator[_Clause]:
    for sentence in _SENTENCE.split(text):
        is_question = sentence.rstrip().endswith("?")
        for part in _CLAUSE.split(sentence):
            all_tokens = list(extract_tokens(part))
            tokens = _drop_stop_words(all_tokens, _MAX_TOKENS)
            phrasal = _SEPARABLE_VERBS.intersection(form.text for form in find_phrasal_verbs(part))
            stems = (phrasal | find_asked_stems(part)) - _NOUNS_THAT_LOOK_LIKE_VERBS
            has_digit = any(map(str.isdigit, part))
            named = _drop_verbs(tokens, stems)
            words = named | _find_numbered(part) if has_digit else named
            if not words and not stems:
                continue
            leading = part.lower().split(maxsplit=1)[:1]
            is_lookup = bool(tokens) and not LOOKING_UP.isdisjoint(split_name(tokens[0]))
            says_what_is_kept = _KEEPING_WORDS.search(part) is not None or _WITHOUT_RIGHT.search(part) is not None
            is_idiom = not stems and says_idiom(part)
            is_remarking = REMARKING.search(part) is not None
            is_remark = not stems and not says_what_is_kept and not is_idiom and is_remarking
            asks_first = bool(leading) and leading[0] in QUESTION_WORDS
            is_asking = is_question or asks_first
            refers_back = bool(stems) and (not words or _PRONOUN.search(part) is not None)
            is_remark_on_previous = is_remark and not is_asking and _REFERS_TO_PREVIOUS.search(part) is not None
            is_separate = is_lookup or is_remark or says_what_is_kept or is_idiom or (is_asking and not stems)
            rest = _MENTIONED_PARTY.sub(" ", _SUM.sub(" ", part))
            if rest != part:
                named = _drop_verbs(_list_words(rest, _MAX_TOKENS), stems)
            is_order = not (is_separate or is_remarking or asks_first) and bool(
                stems - LOOKING_UP or find_unlisted_orders(part)
            )
            wants_less = _wants_less(part, tokens)
            leading_word = _find_leading_word(all_tokens)
            makes_act_of_noun = not _ACT_MAKING_VERBS.isdisjoint(split_name(leading_word))
            yield _Clause(
                words,
                stems,
                refers_back,
                is_separate,
                is_remark and not is_asking,
                is_remark_on_previous,
                is_order,
                names_only_sum=bool(words) and not named,
                is_lookup=is_lookup,
                has_name=_NAME_SIGN.search(part) is not None,
                has_pronoun=_PRONOUN.search(part) is not None,
                wants_less=wants_less,
                makes_act_of_noun=makes_act_of_noun,
                is_other_act=wants_less or ((is_order or (is_lookup and not is_asking)) and not makes_act_of_noun),
                of_document=words & _find_numbers_of_document(part) if has_digit else frozenset(),
                leading_words=frozenset((leading_word, *_PARTICLE.findall(part.lower()))),
            )


def _find_numbered(part: str) -> frozenset[str]:
    """Find the short numbers of a clause with their nouns: `bed#55` of "cancel the booking of bed 55"."""
    forms: list[Form] = []
    add_numbered_forms(part, forms)
    return frozenset(form.text.replace(" ", _NUMBER_SIGN) for form in forms[:_MAX_TOKENS])


def _find_numbers_of_document(part: str) -> frozenset[str]:
    """Find the short numbers of what a document is about: 17 of "delete the notes on permit 17".

    Only numbers: words behind the preposition say what is in the document ("the photos of the album Elba").
    """
    words = WORD.findall(part.lower())
    place = next((i for i, word in enumerate(words) if word in _OBJECT_PREPOSITIONS), 0)
    if not 1 < place <= _MAX_PHRASE or singularize(words[place - 1]) not in _ATTACHED_NOUNS:
        return frozenset()
    behind = re.split(rf"\b{words[place - 1]}\s+{words[place]}\b", part, maxsplit=1, flags=re.IGNORECASE)[-1]
    return _find_numbered(behind).union(filter(_is_short_number, _list_words(behind, _MAX_TOKENS)))


def _find_leading_word(tokens: Iterable[str]) -> str:
    """Find the first word of a clause behind its courtesies. Stop words count: most of `_ACT_MAKING_VERBS` are such."""
    return next((word for word in tokens if word not in _POLITE and word not in _COURTESIES), "")


def _wants_less(part: str, words: Sequence[str]) -> bool:
    leading = next((word for word in words if word not in _POLITE), "")
    return not REDUCING_VERBS.isdisjoint(split_name(leading)) or _TAKING_BACK.search(part) is not None


def _drop_verbs(words: Iterable[str], stems: frozenset[str]) -> frozenset[str]:
    """Remove the verbs with these stems, so that the words say what the clause is about."""
    if not stems:
        return frozenset(words) - _POLITE
    return frozenset(word for word in words if stems.isdisjoint(split_name(word))) - _POLITE


def _list_words(text: str, most: int) -> list[str]:
    """List the words of a text without stop words, and without the signs in front of handles and channels."""
    return _drop_stop_words(extract_tokens(text), most)


def _drop_stop_words(tokens: Iterable[str], most: int) -> list[str]:
    """List the same words of a text that was split already."""
    words = (word.lstrip("@#") for word in tokens if word not in STOP_WORDS)
    return list(islice(filter(None, words), most))


def is_act_asked_for_others(
    sketch: Sketch,
    stems: Iterable[str],
    resource: Resource,
    written: Sequence[tuple[str, str]],
    arguments: Iterable[str],
) -> bool:
    """Whether the user asks for an act, but for other objects than the targets that he wrote.

    "Cancel my alarm and tell me about the board meeting" does not ask to cancel the meeting. For a right, only the
    target that gets it counts; for a merge, either of the two records. Otherwise, all targets have to be other
    objects, since one may be the place of what is deleted or run.

    Args:
        sketch: what the session has seen.
        stems: of the verbs by which people ask for the act.
        resource: the resource of the call.
        written: name of the argument and text of each target that the user wrote.
        arguments: names of all arguments.
    """
    grants, pays = resource.impact is Impact.ADMIN, resource.impact is Impact.PAYMENT
    if grants:
        written = [target for target in written if not names_thing(target[0])] or written
    may_be_of_document = pays or _has_document(resource.id, arguments)
    is_for_others = [
        is_asked_for_others(sketch, stems, text, name, pays=pays, has_document=may_be_of_document)
        for name, text in written
        # "Keep C-1, drop C-2" orders C-1 to be no object of the verb.
        if not (names_kept_end(name) and len(written) > 1 and is_surely_kept(sketch, text))
    ]
    if any(names_lost_end(name) and is_kept_after_merge(sketch, text) for name, text in written):
        return True
    is_merge = len(written) > 1 and all(names_end(name) for name, _ in written)
    return any(is_for_others) if grants or is_merge else bool(is_for_others) and all(is_for_others)


def is_asked_for_others(
    sketch: Sketch,
    stems: Iterable[str],
    target: str,
    argument: str = "",
    *,
    pays: bool = False,
    has_document: bool = True,
) -> bool:
    """Whether the user asks for an act by these verbs, and each time for other objects than this target that he wrote.

    Args:
        sketch: what the session has seen.
        stems: of the verbs by which people ask for the act.
        target: that the user wrote.
        argument: name of the argument that holds the target, which may say what a number is the number of.
        pays: the act is a payment: nobody is paid who is only looked up.
        has_document: the act may be about a document, so that "the notes on permit 17" may mean the permit.
    """
    if pays and _is_only_looked_up(sketch, target):
        return True
    words = _list_numbered(sketch, target, argument) or _list_written(sketch, target)
    asked = [stem for stem in sorted(stems) if sketch.was_asked(frozenset((stem,)))]
    domains = _OBJECT_DOMAINS if has_document else _OBJECT_DOMAINS[:1]
    return bool(words and asked) and all(_is_verb_for_others(sketch, stem, words, domains) for stem in asked)


def _has_document(tool: str, arguments: Iterable[str]) -> bool:
    """Whether the name of a tool or of an argument says that it is about a document, a comment or the like."""
    return any(
        singularize(word) in _ATTACHED_NOUNS for name in (tool, *arguments) for word in split_argument_name(name)
    )


def _list_numbered(sketch: Sketch, target: str, argument: str) -> list[str]:
    """Return a short number with its noun, if the user wrote it beside the noun of its argument."""
    number = target.strip()
    if not (number.isascii() and number.isdigit() and len(number) < MIN_DIGITS):
        return []
    nouns = sorted({to_argument_noun(singularize(word)) for word in split_argument_name(argument)})
    marks = sketch.look_up_forms([Form("numbered", f"{noun} {int(number)}") for noun in nouns])
    return [f"{noun}{_NUMBER_SIGN}{int(number)}" for noun, mark in zip(nouns, marks, strict=True) if mark & USER_BIT]


def _list_written(sketch: Sketch, target: str) -> list[str]:
    """List the words of a target as the user wrote them: of a path in parts, the name of the file; an id as spelt."""
    words = _list_words(target, _MAX_TARGET_WORDS)
    if len(words) > 1 or not words or has_user_mark(sketch.look_up_marks(words)):
        return words
    spellings = list_spellings(words[0])
    for spelling, mark in zip(spellings, sketch.look_up_marks(spellings), strict=True):
        if mark & USER_BIT:
            return [spelling]
    return _list_words(target.rpartition("/")[2], _MAX_TARGET_WORDS) if "/" in words[0] else words


def _is_only_looked_up(sketch: Sketch, target: str) -> bool:
    """Whether the user names this target only in clauses that look something up, and somebody else in the others."""
    words = _list_written(sketch, target)
    return bool(words) and all(
        mark & USER_BIT for mark in sketch.look_up_forms([Form("looked_up", word) for word in words])
    )


def are_appointments_covered(sketch: Sketch, accounted: Iterable[str]) -> bool:
    """Whether these words of a call include all that the user assigns or appoints.

    "Assign Kai a bed on W-3" does not make Kai the head of W-3: `set_head(ward, person)` has no word for "bed".

    Args:
        sketch: what the session has seen.
        accounted: words of the call: of its values, of the tool's name and of its arguments' names.
    """

    def are_written(forms: Sequence[Form]) -> list[bool]:
        return [bool(mark & USER_BIT) for mark in sketch.look_up_forms(forms)]

    if any(are_written([Form("appointed", _WHATEVER_WAS_MENTIONED)])):
        return True
    found = sum(are_written([Form("appointed", word) for word in sorted(set(accounted))]))
    counts = [Form("appointed_words", str(count)) for count in range(min(found, _MAX_APPOINTED) + 1)]
    return any(are_written(counts))


def is_act_ordered_by_noun(sketch: Sketch, noun: str) -> bool:
    """Whether the user orders an act by a noun with a verb such as `give` or `make`: "give her a refund"."""
    return any(mark & USER_BIT for mark in sketch.look_up_forms([Form("doing", noun)]))


def is_other_act_ordered(sketch: Sketch, tool: str, impact: Impact) -> bool:
    """Whether the user wants another act with what a tool is named after: "print the keycard" for `keycard(guest)`.

    Args:
        sketch: what the session has seen.
        tool: its name.
        impact: its class of acts.
    """
    nouns = [word for word in split_argument_name(tool) if len(word) >= _MIN_NOUN and word not in STOP_WORDS]
    verbs = [Form("leads", word) for word in split_argument_name(tool)]
    if any(map(USER_BIT.__and__, sketch.look_up_forms(verbs))):
        return False  # "export Kim" orders by a word of the tool's name
    words = sorted({form for noun in nouns for form in (noun, *list_inflected(noun))})
    other_act_words = sketch.look_up_forms([Form("otherwise", word) for word in words])
    words = [word for word, mark in zip(words, other_act_words, strict=True) if mark & USER_BIT]
    loose = LOOSE_REQUEST_WORDS.get(impact.value, frozenset())
    stems = sorted(list_asking_stems(tool, impact) | CLASS_WORDS.get(impact, frozenset()) | loose) if words else []
    return bool(words) and not any(
        _are_objects(sketch, stem, [word], _OBJECT_DOMAINS) for stem in stems for word in words
    )


def is_wanted_less(sketch: Sketch, text: str) -> bool:
    """Whether the user wants what a text names less, later or no more, and does not order it elsewhere."""
    words = _list_words(text, _MAX_TARGET_WORDS)
    marks = sketch.look_up_forms([Form(domain, word) for domain in ("undone", "ordered") for word in words])
    reduced, ordered = marks[: len(words)], marks[len(words) :]
    return bool(words) and all(mark & USER_BIT for mark in reduced) and not all(mark & USER_BIT for mark in ordered)


def is_ordered(sketch: Sketch, text: str, stems: Iterable[str] = (), documents: Iterable[str] = ()) -> bool:
    """Whether each word of a text stands in clauses by which the user orders something.

    Args:
        sketch: what the session has seen.
        text: of a target.
        stems: of the verbs of that order; empty for any verb.
        documents: words of the tool's name, one of which may be the document that the clause is about.
    """
    words = _list_words(text, _MAX_TARGET_WORDS)

    def are_written(forms: Sequence[Form]) -> bool:
        return bool(forms) and all(mark & USER_BIT for mark in sketch.look_up_forms(forms))

    if not stems:
        kinds = ["", *(f"{document} " for document in sorted(_DOCUMENTS.intersection(documents)))]
        return any(are_written([Form("ordered", kind + word) for word in words]) for kind in kinds)
    return any(_are_objects(sketch, stem, words, _OBJECT_DOMAINS) for stem in sorted(stems))


def _are_objects(sketch: Sketch, stem: str, words: Iterable[str], domains: Iterable[str]) -> bool:
    """Whether each word is an object of the act, in one of these domains."""

    def is_written(word: str) -> bool:
        forms = [Form(domain, f"{stem} {word}") for domain in domains]
        return any(mark & USER_BIT for mark in sketch.look_up_forms(forms))

    return all(map(is_written, words))


def _is_verb_for_others(sketch: Sketch, stem: str, words: Sequence[str], domains: Sequence[str]) -> bool:
    if _are_objects(sketch, stem, [_WHATEVER_WAS_MENTIONED], domains) or _are_objects(sketch, stem, words, domains):
        return False
    return _are_objects(sketch, stem, words, ["other_object"])
