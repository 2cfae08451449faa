"""What a text of the user asks an act for, and what it only speaks of elsewhere.

    find_asked_objects("Cancel my alarm and tell me what the board meeting is about")
    # ("asked_object", "cancel alarm"), ("other_object", "cancel board"), ("other_object", "cancel meeting"), ...

Whoever asks to cancel an alarm does not ask to cancel the meeting that he mentions. A word belongs to an act if it
stands in the clause of its verb, in one that goes on with it, or in a remark that shares a word with it ("R-17 is a
duplicate, delete the duplicate"). A verb with a pronoun, or with nothing at all, is for whatever was spoken of.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import filterfalse, islice
from typing import Final, NamedTuple

from halo_core.model import Impact, Resource
from halo_core.values.argument_names import names_end, names_lost_end, names_thing, split_argument_name
from halo_core.values.asked_acts import CLASS_WORDS, find_asked_stems, list_asking_stems, says_idiom
from halo_core.values.inflections import list_inflected
from halo_core.values.kinds import Form, make_form
from halo_core.values.lexicon import LOOSE_REQUEST_WORDS, STOP_WORDS, stem_all
from halo_core.values.numbered import MIN_DIGITS, add_numbered_forms, singularize, to_argument_noun
from halo_core.values.phrasal_verbs import find_phrasal_verbs
from halo_core.values.sketch import USER_BIT, Sketch, extract_tokens
from halo_core.values.text import split_name
from halo_core.values.unlisted_orders import LOOKING_UP, QUESTION_WORDS, REMARKING, WORD, find_unread_orders

_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document, of which nothing is said
_MAX_CLAUSES: Final = 24
_MAX_TOKENS: Final = 24  # of a clause
_MAX_FORMS: Final = 512
_MAX_TARGET_WORDS: Final = 8
_MIN_NOUN: Final = 4  # letters
_SENTENCE: Final = re.compile(r"(?<=[.!?;])\s+|\n+")
_CLAUSE: Final = re.compile(
    r"[,:]\s+|\s[-–—]+\s|\s(?:and|then|but|so|und|dann|aber|et|puis|mais|y|luego|pero|e|poi|ma|en|maar)\s",
    re.IGNORECASE,
)
_PRONOUN: Final = re.compile(
    r"\b(?:it|them|this|that|these|those|one|ones|him|her|both|all|everything|anything|whatever|rest|others?|same|each"
    r"|every|any|which|so|what|whoever|such|there|here)\b(?!-\w)",
    re.IGNORECASE,
)
_KEEPING: Final = re.compile(r"\b(?:stays?|remains?|keeps?|kept|leave|untouched|bleibt|reste|queda)\b", re.IGNORECASE)
_WITHOUT_RIGHT: Final = re.compile(
    r"\b(?:had|has no|have no|lost|loses?|never had|no longer (?:has|have|had)|without|used to have"
    r"|(?:should|must|may|does|do|did)(?: not|n['’]t) (?:have|get|keep)|(?:should|must|may) have no)\b[^.;!?\n]{0,24}"
    r"\b(?:access|rights?|permissions?|role|membership|account)\b",
    re.IGNORECASE,
)
"""Says of somebody that he has a right no more, or shall have none."""
_SAID_OF_IT: Final = re.compile(
    r"\b(?:its|their|his|her|it|they|he|she|this|that|these|those|account|iban|konto|payee|recipient|address)\b",
    re.IGNORECASE,
)
"""Says of a remark that it is about what was spoken of."""
_COURTESIES: Final = frozenset("can could would will you i we d ll like to and let us s".split())
_MONEY: Final = r"(?:eur\b|euros?\b|usd\b|dollars?\b|pounds?\b|[$€£])"
_SUM: Final = re.compile(
    rf"(?:[$€£] ?[0-9][0-9.,]{{0,12}}|(?<![\w.])[0-9]{{1,6}}(?:[.,][0-9]{{2}})?(?= ?{_MONEY})"
    r"|(?<![\w.])[0-9]{1,6}[.,][0-9]{2}(?![\w.])|(?<=\bthe )[0-9]{1,4}(?=\W*$| back\b))"
    rf" ?{_MONEY}?(?: back\b)?",
    re.IGNORECASE,
)
"""A sum of money: "waive the 35", "credit 11.20"."""
_PARTY: Final = re.compile(
    r"\bthe (?:applicant|buyer|client|customer|driver|guest|holder|member|owner|passenger|patient|resident|seller"
    r"|student|subscriber|supplier|tenant)s?\b",
    re.IGNORECASE,
)
"""Somebody who was spoken of: "LW-12 was never at home. Charge the owner 45 euros."."""
_POLITE: Final = frozenset(
    "please pls plz kindly thanks now today asap then also just ok okay soon again bitte".split()
)
_NOUNS: Final = stem_all("account user team group member key role owner bill invoice rent fee price")
"""Words that ask for acts and are no verbs: behind one of them stands what it is the name of."""
_APART: Final = stem_all("add assign block close revert unpublish approve reject waive refund pay")
"""Of the verbs whose parts stand apart, those that are for what stands between or behind them: "get Jonas onto the
track", "put Odile on the film"."""
APPOINTING: Final = stem_all("assign appoint")
"""Of verbs that say who does something."""
UNDOING: Final = stem_all(
    "abort announce annul ban bar block cancel collect compare cut deactivate decline decrease defer delay delete deny"
    " disable dismiss end exclude halt hold lower pause postpone prevent recall redeem reduce refuse reject relieve"
    " remove replace retract reverse revert revoke scrap stop strike suspend terminate undo veto void withdraw withhold"
)
"""Of verbs that want something less, later or no more: whoever cancels a bonus has none paid."""
_DOING: Final = stem_all(
    "add allocate arrange award book charge create credit do enter get give grant hand increase install issue log make"
    " need offer open order pay post prepare provide put raise record register request reserve run schedule send set"
    " sign start submit transfer want write"
)
"""Of verbs with which a noun is an act: "give E-12 a bonus"."""
_TAKEN_BACK: Final = re.compile(r"\b(?:take|get|give|call|claim|hold)s?\b.{0,48}\b(?:back|away|off)\b", re.IGNORECASE)
_KEPT: Final = re.compile(
    r"\b(?:keep(?:ing)?|retain|into|onto)\s+(?:the\s+)?(?:\w{2,24}\s+)?(?P<kept>[\w.-]*[0-9@][\w@.-]*\b|[A-Z][\w-]+)"
)
"""What is there after a merge: "keep C-1", "merge C-2 into C-1"."""
_TIMES: Final = frozenset(
    "monday tuesday wednesday thursday friday saturday sunday tomorrow tonight week month morning afternoon evening"
    " noon january february march april may june july august september october november december".split()
)
_MAX_APPOINTED: Final = 8
"""Words of an order to assign or appoint; whoever writes more says more than who does what."""
_PAPERS: Final = frozenset(
    "agenda article blog board chart chronicle deck diagram doc document draft email essay file folder form graph"
    " handout letter list mail memo message minutes newsletter note notes notice outline page paper poem poster post"
    " presentation protocol quiz report script sheet slide slides spreadsheet story summary table template text title"
    " transcript".split()
)
"""What a clause may have written, drawn or sorted, about whatever else it names: "add her bonus to my report"."""
_ATTACHED: Final = _PAPERS - {"script"} | frozenset("comment copy log photo picture remark tab window".split())
"""What may be deleted, closed or merged in place of what it is about: "delete the notes on permit 17"."""
_ON: Final = frozenset("about at by concerning for from in of on regarding to with".split())
_MAX_PHRASE: Final = 5  # words up to the first preposition of a clause
_OBJECTS: Final = ("asked_object", "paper_object")
"""Domains of the words that an act is asked for; the second, of the numbers of that on which a paper is."""
_PARTICLE: Final = re.compile(r"^\W*\w+ (off|on|out|up|down|in|back)\b")
_NUMBER: Final = "#"
"""Stands between a noun and its number."""
_NAME: Final = re.compile(r"(?<=\s)[A-Z][a-z]|@\w")
_ANYTHING: Final = "*"
"""Stands for whatever was spoken of."""


class _Clause(NamedTuple):
    """A clause.

    Args:
        words: that say what it is about.
        stems: of the verbs by which it asks for acts.
        is_open: its verbs are for whatever was spoken of.
        is_apart: it asks, looks something up or remarks, and so goes on with no other clause.
        is_remark: it says something of what it is about.
        is_linked: it says something of what was spoken of.
        is_order: it orders something, by whatever verb.
        is_of_sum: it names nothing but a sum or somebody who was spoken of, so that it is about what the clause before
            it is about.
        is_lookup: it looks something up.
        has_name: a word in it, but for the first, is written with a capital, or as a handle.
        has_pronoun: it means something that was spoken of.
        is_undoing: it wants something less, later or no more.
        is_doing: it begins with a verb that makes an act of a noun.
        is_otherwise: it wants something done or looked up by another verb, or something less, later or no more.
        leads: its first word, and the particle behind: "turn off".
        of_paper: of `words`, the numbers of that on which a paper is, which is what the clause is about.
    """

    words: frozenset[str]
    stems: frozenset[str]
    is_open: bool
    is_apart: bool
    is_remark: bool
    is_linked: bool
    is_order: bool
    is_of_sum: bool
    is_lookup: bool
    has_name: bool
    has_pronoun: bool
    is_undoing: bool
    is_doing: bool
    is_otherwise: bool
    of_paper: frozenset[str]
    leads: frozenset[str]


def find_asked_objects(text: str) -> Iterator[Form]:
    """Forms of the words that an act is asked for (`asked_object`), and of the others in its text (`other_object`).

    Those of clauses that order anything, by whatever verb, are `ordered`, and those that are only looked up are
    `lookup_requests`.

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS:
        return
    clauses = list(islice(_iterate_clauses(text), _MAX_CLAUSES))
    stems = frozenset[str]().union(*(clause.stems for clause in clauses))
    yield from islice(_find_forms(clauses, stems), _MAX_FORMS)
    yield from islice(_find_ordered(clauses), _MAX_FORMS)
    kept = {word for match in _KEPT.finditer(text) for word in _list_words(match["kept"], _MAX_TARGET_WORDS)}
    yield from (make_form(("kept", word)) for word in islice(sorted(kept), _MAX_FORMS))
    yield from islice(_find_appointed(clauses), _MAX_FORMS)
    yield from (make_form(("looked_up", word)) for word in islice(sorted(_find_looked_up(clauses)), _MAX_FORMS))


def _find_ordered(clauses: Sequence[_Clause]) -> Iterator[Form]:
    """Words of clauses that order something; beside a paper, what is ordered may be the paper alone."""
    orders = [clause.words for clause in clauses if clause.is_order and not clause.is_undoing]
    doing = frozenset[str]().union(*(x.words for x in clauses if x.is_order and x.is_doing and not x.is_undoing))
    yield from (make_form(("doing", word)) for word in sorted(doing))
    undone = frozenset[str]().union(*(clause.words for clause in clauses if clause.is_undoing))
    yield from (make_form(("undone", word)) for word in sorted(undone))
    otherwise = frozenset[str]().union(*(clause.words for clause in clauses if clause.is_otherwise))
    yield from (make_form(("otherwise", word)) for word in sorted(otherwise - doing))
    leads = frozenset[str]().union(*(clause.leads for clause in clauses if not clause.is_undoing))
    yield from (make_form(("leads", word)) for word in sorted(leads))
    plain = frozenset[str]().union(*(words for words in orders if words.isdisjoint(_PAPERS)))
    yield from (make_form(("ordered", word)) for word in sorted(plain))
    for words in orders:
        for paper in sorted(words & _PAPERS):
            yield from (make_form(("ordered", f"{paper} {word}")) for word in sorted(words))


def _find_appointed(clauses: Sequence[_Clause]) -> Iterator[Form]:
    """Words of clauses that assign or appoint, and how many there are."""
    appointing = [clause for clause in clauses if not clause.stems.isdisjoint(APPOINTING)]
    if any(clause.is_open for clause in appointing):
        yield make_form(("appointed", _ANYTHING))
    elif appointing:
        words = frozenset[str]().union(*(clause.words for clause in appointing)) - _TIMES
        words = frozenset(word for word in words if _NUMBER not in word)
        yield make_form(("appointed_words", str(len(words))))
        yield from (make_form(("appointed", word)) for word in sorted(words))


def _find_looked_up(clauses: Sequence[_Clause]) -> frozenset[str]:
    """Words that only clauses have which look something up, where the others name somebody, and mean nobody before.

    Kim of "split the dinner with Mo; read Kim's notes", and nobody of "read Kim's notes and pay her", nor of "look
    Holm's account up and pay 90".
    """
    others = [clause for clause in clauses if not clause.is_lookup]
    if not any(clause.has_name for clause in others) or any(clause.has_pronoun for clause in others):
        return frozenset()
    looked_up = frozenset[str]().union(*(clause.words for clause in clauses if clause.is_lookup))
    return looked_up - frozenset[str]().union(*(clause.words for clause in others))


def _find_forms(clauses: Sequence[_Clause], stems: Iterable[str]) -> Iterator[Form]:
    # What neither asks nor says anything goes on with a list, or names what a verb is for.
    listed = frozenset[str]().union(*(clause.words for clause in clauses if not clause.stems and not clause.is_apart))
    for stem in sorted(stems):
        asking = [clause for clause in clauses if stem in clause.stems]
        own = listed.union(*(clause.words for clause in asking))
        if any(clause.is_open for clause in asking):
            yield make_form(("asked_object", f"{stem} {_ANYTHING}"))
            continue
        # What is remarked of something is said of what the act is for.
        linked = [
            clause.words
            for clause in clauses
            if clause.is_linked or (clause.is_remark and not _drop_short_numbers(own).isdisjoint(clause.words))
        ]
        own = own.union(*linked)
        # "Fine 60217 was our mistake, waive the 35."
        before = [
            clauses[i - 1].words for i, clause in enumerate(clauses) if i and clause.is_of_sum and clause in asking
        ]
        own = own.union(*before)
        of_paper = frozenset[str]().union(*(clause.of_paper for clause in asking))
        own -= of_paper.difference(*(clause.words - clause.of_paper for clause in asking), *linked)
        others = frozenset[str]().union(*(clause.words for clause in clauses)) - own
        yield from (make_form(("asked_object", f"{stem} {word}")) for word in sorted(own))
        yield from (make_form(("paper_object", f"{stem} {word}")) for word in sorted(of_paper - own))
        yield from (make_form(("other_object", f"{stem} {word}")) for word in sorted(others))


def _drop_short_numbers(words: Iterable[str]) -> frozenset[str]:
    """Words without short numbers, which say something only with their nouns."""
    return frozenset(filterfalse(_is_short_number, words))


def _is_short_number(word: str) -> bool:
    return word.isdigit() and len(word) < MIN_DIGITS


def _iterate_clauses(text: str) -> Iterator[_Clause]:
    for sentence in _SENTENCE.split(text):
        is_question = sentence.rstrip().endswith("?")
        for part in _CLAUSE.split(sentence):
            tokens = _list_words(part, _MAX_TOKENS)
            phrasal = _APART.intersection(form.text for form in find_phrasal_verbs(part))
            stems = (phrasal | find_asked_stems(part)) - _NOUNS
            words = _drop_verbs(tokens, stems) | _find_numbered(part)
            if not words and not stems:
                continue
            leading = part.lower().split(maxsplit=1)[:1]
            is_lookup = bool(tokens) and not LOOKING_UP.isdisjoint(split_name(tokens[0]))
            is_kept = _KEEPING.search(part) is not None or _WITHOUT_RIGHT.search(part) is not None
            is_idiom = not stems and says_idiom(part)
            is_remarking = REMARKING.search(part) is not None
            is_remark = not stems and not is_kept and not is_idiom and is_remarking
            asks_first = bool(leading) and leading[0] in QUESTION_WORDS
            is_asking = is_question or asks_first
            is_open = bool(stems) and (not words or _PRONOUN.search(part) is not None)
            is_linked = is_remark and not is_asking and _SAID_OF_IT.search(part) is not None
            is_apart = is_lookup or is_remark or is_kept or is_idiom or (is_asking and not stems)
            is_of_sum = bool(words) and not _drop_verbs(
                _list_words(_PARTY.sub(" ", _SUM.sub(" ", part)), _MAX_TOKENS), stems
            )
            is_order = not (is_apart or is_remarking or asks_first) and bool(
                stems - LOOKING_UP or find_unread_orders(part)
            )
            is_undoing = _undoes(part, tokens)
            is_doing = not _DOING.isdisjoint(split_name(_find_leading(part)))
            yield _Clause(
                words,
                stems,
                is_open,
                is_apart,
                is_remark and not is_asking,
                is_linked,
                is_order,
                is_of_sum,
                is_lookup,
                has_name=_NAME.search(part) is not None,
                has_pronoun=_PRONOUN.search(part) is not None,
                is_undoing=is_undoing,
                is_doing=is_doing,
                is_otherwise=is_undoing or ((is_order or (is_lookup and not is_asking)) and not is_doing),
                of_paper=words & _find_numbers_of_paper(part),
                leads=frozenset((_find_leading(part), *_PARTICLE.findall(part.lower()))),
            )


def _find_numbered(part: str) -> frozenset[str]:
    """The short numbers of a clause with their nouns: `bed#55` of "cancel the booking of bed 55"."""
    forms: list[Form] = []
    if any(map(str.isdigit, part)):
        add_numbered_forms(part, forms)
    return frozenset(form.text.replace(" ", _NUMBER) for form in forms[:_MAX_TOKENS])


def _find_numbers_of_paper(part: str) -> frozenset[str]:
    """Short numbers of that on which the paper is that a clause is about: of "delete the notes on permit 17".

    No words: the mails with the label offers, and the photos of the album Elba, are what is in these.
    """
    words = WORD.findall(part.lower())
    place = next((i for i, word in enumerate(words) if word in _ON), 0)
    if not 1 < place <= _MAX_PHRASE or singularize(words[place - 1]) not in _ATTACHED:
        return frozenset()
    behind = re.split(rf"\b{words[place - 1]}\s+{words[place]}\b", part, maxsplit=1, flags=re.IGNORECASE)[-1]
    return _find_numbered(behind).union(filter(_is_short_number, _list_words(behind, _MAX_TOKENS)))


def _find_leading(part: str) -> str:
    """The first word of a clause that is no courtesy, function words included: most verbs of `_DOING` are such."""
    return next((word for word in extract_tokens(part) if word not in _POLITE and word not in _COURTESIES), "")


def _undoes(part: str, words: Sequence[str]) -> bool:
    leading = next((word for word in words if word not in _POLITE), "")
    return not UNDOING.isdisjoint(split_name(leading)) or _TAKEN_BACK.search(part) is not None


def _drop_verbs(words: Iterable[str], stems: frozenset[str]) -> frozenset[str]:
    """Words that say what something is about, without the verbs of these stems."""
    return frozenset(word for word in words if stems.isdisjoint(split_name(word))) - _POLITE


def _list_words(text: str, most: int) -> list[str]:
    """Words of a text that say what it is about, without the signs in front of handles and channels."""
    words = (word.lstrip("@#") for word in extract_tokens(text) if word not in STOP_WORDS)
    return list(islice(filter(None, words), most))


def is_act_for_others(
    sketch: Sketch,
    stems: Iterable[str],
    resource: Resource,
    written: Sequence[tuple[str, str]],
    arguments: Iterable[str],
) -> bool:
    """Whether the user asks for an act of something else than the targets that he wrote.

    Of a right, that is whoever gets it, and of a merge either record. What is deleted or run may stand in a place
    that is spoken of elsewhere.

    Args:
        sketch: what the session has seen.
        stems: of the verbs by which people ask for the act.
        resource: what acts.
        written: name of the argument and text of each target that the user wrote.
        arguments: names of all arguments.
    """
    grants, pays = resource.impact is Impact.ADMIN, resource.impact is Impact.PAYMENT
    if grants:
        written = [target for target in written if not names_thing(target[0])] or written
    is_of_paper = pays or _has_paper(resource.id, arguments)
    others = [is_for_others(sketch, stems, text, name, pays=pays, has_paper=is_of_paper) for name, text in written]
    if any(names_lost_end(name) and is_kept(sketch, text) for name, text in written):
        return True
    is_merge = len(written) > 1 and all(names_end(name) for name, _ in written)
    return any(others) if grants or is_merge else bool(others) and all(others)


def is_for_others(
    sketch: Sketch,
    stems: Iterable[str],
    target: str,
    argument: str = "",
    *,
    pays: bool = False,
    has_paper: bool = True,
) -> bool:
    """Whether the user asks for an act by each of these verbs, and for none of them of this target that he wrote.

    Args:
        sketch: what the session has seen.
        stems: of the verbs by which people ask for the act.
        target: that the user wrote.
        argument: name of the argument that holds the target, which may say what a number is the number of.
        pays: it is a payment, which whoever is only looked up does not get.
        has_paper: the act may be about a paper, so that "the notes on permit 17" may name the permit.
    """
    if pays and _is_only_looked_up(sketch, target):
        return True
    words = _list_numbered(sketch, target, argument) or _list_words(target, _MAX_TARGET_WORDS)
    asked = [stem for stem in sorted(stems) if sketch.was_asked(frozenset((stem,)))]
    domains = _OBJECTS if has_paper else _OBJECTS[:1]
    return bool(words and asked) and all(_is_for_others(sketch, stem, words, domains) for stem in asked)


def _has_paper(tool: str, arguments: Iterable[str]) -> bool:
    """Whether the name of a tool or of an argument says that it is about a paper, a comment or the like."""
    return any(singularize(word) in _ATTACHED for name in (tool, *arguments) for word in split_argument_name(name))


def _list_numbered(sketch: Sketch, target: str, argument: str) -> list[str]:
    """A short number with the noun beside which the user wrote it, if that is the noun of its argument."""
    number = target.strip()
    if not (number.isascii() and number.isdigit() and len(number) < MIN_DIGITS):
        return []
    nouns = sorted({to_argument_noun(singularize(word)) for word in split_argument_name(argument)})
    marks = sketch.look_up_forms([Form("numbered", f"{noun} {int(number)}") for noun in nouns])
    return [f"{noun}{_NUMBER}{int(number)}" for noun, mark in zip(nouns, marks, strict=True) if mark & USER_BIT]


def _is_only_looked_up(sketch: Sketch, target: str) -> bool:
    """Whether the user names this target only where he looks something up, and somebody else elsewhere."""
    words = _list_words(target, _MAX_TARGET_WORDS)
    return bool(words) and all(
        mark & USER_BIT for mark in sketch.look_up_forms([Form("looked_up", word) for word in words])
    )


def appoints(sketch: Sketch, accounted: Iterable[str]) -> bool:
    """Whether what the user assigns or appoints is all in these words, so that it is nothing else.

    "Assign Kai a bed on W-3" makes nobody the head of W-3.

    Args:
        sketch: what the session has seen.
        accounted: words of the call: of its values, of the tool's name and of its arguments' names.
    """

    def are_written(forms: Sequence[Form]) -> list[bool]:
        return [bool(mark & USER_BIT) for mark in sketch.look_up_forms(forms)]

    if any(are_written([Form("appointed", _ANYTHING)])):
        return True
    found = sum(are_written([Form("appointed", word) for word in sorted(set(accounted))]))
    counts = [Form("appointed_words", str(count)) for count in range(min(found, _MAX_APPOINTED) + 1)]
    return any(are_written(counts))


def is_kept(sketch: Sketch, text: str) -> bool:
    """Whether each word of a text names what the user wants to be there after a merge."""
    words = _list_words(text, _MAX_TARGET_WORDS)
    return bool(words) and all(mark & USER_BIT for mark in sketch.look_up_forms([Form("kept", x) for x in words]))


def makes_act(sketch: Sketch, noun: str) -> bool:
    """Whether the user orders what a noun says by a verb such as `give` or `make`."""
    return any(mark & USER_BIT for mark in sketch.look_up_forms([Form("doing", noun)]))


def is_done_otherwise(sketch: Sketch, tool: str, impact: Impact) -> bool:
    """Whether the user wants what a tool is called after, and wants something else done with it: "print the keycard".

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
    otherwise = sketch.look_up_forms([Form("otherwise", word) for word in words])
    words = [word for word, mark in zip(words, otherwise, strict=True) if mark & USER_BIT]
    loose = LOOSE_REQUEST_WORDS.get(impact.value, frozenset())
    stems = sorted(list_asking_stems(tool, impact) | CLASS_WORDS.get(impact, frozenset()) | loose) if words else []
    return bool(words) and not any(_are_objects(sketch, stem, [word], _OBJECTS) for stem in stems for word in words)


def is_undone(sketch: Sketch, text: str) -> bool:
    """Whether each word of a text stands where the user wants something less, later or no more, and in no order."""
    words = _list_words(text, _MAX_TARGET_WORDS)
    marks = sketch.look_up_forms([Form(domain, word) for domain in ("undone", "ordered") for word in words])
    undone, ordered = marks[: len(words)], marks[len(words) :]
    return bool(words) and all(mark & USER_BIT for mark in undone) and not all(mark & USER_BIT for mark in ordered)


def is_ordered(sketch: Sketch, text: str, stems: Iterable[str] = (), papers: Iterable[str] = ()) -> bool:
    """Whether each word of a text stands in clauses by which the user orders something.

    Args:
        sketch: what the session has seen.
        text: of a target.
        stems: of the verbs of that order; none of them means any verb.
        papers: words of the tool's name, which may be the paper that the clause is about.
    """
    words = _list_words(text, _MAX_TARGET_WORDS)

    def are_written(forms: Sequence[Form]) -> bool:
        return bool(forms) and all(mark & USER_BIT for mark in sketch.look_up_forms(forms))

    if not stems:
        kinds = ["", *(f"{paper} " for paper in sorted(_PAPERS.intersection(papers)))]
        return any(are_written([Form("ordered", kind + word) for word in words]) for kind in kinds)
    return any(_are_objects(sketch, stem, words, _OBJECTS) for stem in sorted(stems))


def _are_objects(sketch: Sketch, stem: str, words: Iterable[str], domains: Iterable[str]) -> bool:
    """Whether each of these words stands where an act is asked for, as one of these domains says."""

    def is_written(word: str) -> bool:
        forms = [Form(domain, f"{stem} {word}") for domain in domains]
        return any(mark & USER_BIT for mark in sketch.look_up_forms(forms))

    return all(map(is_written, words))


def _is_for_others(sketch: Sketch, stem: str, words: Sequence[str], domains: Sequence[str]) -> bool:
    if _are_objects(sketch, stem, [_ANYTHING], domains) or _are_objects(sketch, stem, words, domains):
        return False
    return _are_objects(sketch, stem, words, ["other_object"])
