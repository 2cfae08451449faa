"""What a text of the user wants acted on by an id, and which fields he gives a value.

    find_named_choices("Close HD-8419, the project is mobile-app")
    # ("acted_sort", "clos hd"), ("field_value", "project") and others

Whoever leaves the choice to what is read names no value: "close the duplicate of HD-8419", "the project that the mail
names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.asking_words import find_stems_of_word
from halo_core.values.language.foreign_words import to_numbered_noun
from halo_core.values.language.lexicon import (
    EDITING_LEVELS,
    GRANTING_SWITCHES,
    LEAST_LEVELS,
    STOP_WORDS,
    is_task_word,
)
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.requests.unlisted_orders import LOOKING_UP, QUESTION_WORDS, REMARKING, WORD

_MAX_FOUND: Final = 64
_MAX_CHARS: Final = 2_048  # of a text; a longer one is a document
_MAX_BEFORE: Final = 80  # characters in front of an id among which its verb is looked for
_MAX_WORDS: Final = 5  # up to the verb of an id
_ID: Final = compile_later(
    r"(?<![\w/.@-])(?:(?P<sort>[A-Za-z]{1,8})[-_/#]?[0-9][\w-]{0,15}(?![\w@-])|#?[0-9]{1,7}(?![\w@.,:/-]*[0-9])(?!\w))"
)
_BREAK: Final = compile_later(r"[.,;:!?\n&+(]|\b(?:and|then|but|or)\b")
_BARRIERS: Final = frozenset(
    "of in from by with about on for at to into than like what which whatever who whose behind after before".split()
)
"""Words in front of an id that make it no object of the verb: "the duplicate of T-1"."""
_FIELDS_OF_RECORDS: Final = frozenset(
    "status state title name priority severity assignee owner label tag date deadline description category type".split()
)
"""Nouns behind which `of` names the record itself: "set the status of T-1"."""
_POSSESSED: Final = compile_later(r"['’]s ([^\W\d_]+)")
_VERB_BEHIND: Final = compile_later(
    r"(?: ?[:–—-]|,? (?:can|may|should|must|shall|has to|needs to|is to|wants to)(?: (?:now|please|also))?"
    r"(?: be| get)?)? ([^\W\d_]+)"
)
_REFERRING: Final = compile_later(
    r" (?:refers?|names?|mentions?|points?|links?|lists?|cites?|quotes?|depends?|belongs?|replaces?|duplicates?|blocks?"
    r"|(?:is|was) (?:about|linked|blocked|replaced|a duplicate))\b"
)
"""The id says where something is named, and is not acted on: "close the case HD-1 refers to"."""
_MORE: Final = compile_later(
    r"\s*(?:,|and|plus|or|&|\+|as well as)\s*(?:also )?(?:the |its |all |any |every )?(?:others?|rest|duplicates?"
    r"|linked|related|everything|all|any|whatever|those|ones?|which\w*)\b"
)
"""Further objects of the same act, which the user does not name."""
FIELD_NOUNS: Final = frozenset(
    "project repo repository branch board channel list table folder workspace space queue topic room group team"
    " category component module sheet index collection database bucket environment env cluster region label milestone"
    " sprint severity priority stage tier plan role permission access privilege right assignee reviewer approver owner"
    " agent site page section column".split()
)
"""Nouns that a user writes beside the value of a field."""
RIGHTS: Final = frozenset("role permission access privilege right".split())
_LEVELS: Final = LEAST_LEVELS | EDITING_LEVELS | GRANTING_SWITCHES
_NOUN: Final = "|".join(sorted(FIELD_NOUNS))
_VALUE: Final = r"[\"'“„«`]?(?P<value>[@#]?[^\W_][\w./@#-]*)"
_STATED: Final = (
    compile_later(
        rf"(?i:\b(?P<noun>{_NOUN})\b"
        rf"(?:\s*[:=]| is called| is named| is| as| called| named| should be| must be| has to be| shall be)?) ?"
        rf"(?<=[ :=]){_VALUE}"
    ),
    compile_later(rf"(?i:\b(?:the|our|my|as|in|into|to|under)) {_VALUE}[\"'”»`]? (?i:(?P<noun>{_NOUN}))\b"),
)
_PLACED: Final = compile_later(
    r"\b(?:in|into|under|on|onto|at)(?: the| our| my)? [\"'“„«`]?(#?[^\W\d_]\w*(?:[-_/]\w+)+|#\w+)(?![\w@]|[.:/]\w)",
    re.IGNORECASE,
)
"""A place with a name that is no plain word: "file it under mobile-app"."""
PLACED: Final = Form("placed", "")
"""The user names a place of this sort."""
_NO_VALUES: Final = (
    STOP_WORDS
    | QUESTION_WORDS
    | frozenset(
        "where over under between whole entire last latest newest next first new old current same other right wrong"
        " full short complete final whatever what named mentioned given following above below says say said like"
        " only".split()
    )
)
NUMBERING: Final = frozenset("id ids n no num number uid key ref code name value".split())


def find_named_choices(text: str) -> Iterator[Form]:
    """Find the sorts of the ids that a user wants acted on, and the nouns of fields whose values he gives.

    "Close HD-8419" gives `acted_sort` with "clos hd", "project mobile-app" gives `field_value` with "project", "file
    it under mobile-app" gives `placed` with "mobile-app".

    Args:
        text: of the user, without what it forbids.
    """
    if len(text) > _MAX_CHARS:
        return
    for match in islice(_ID.finditer(text), _MAX_FOUND):
        before, behind = text[max(match.start() - _MAX_BEFORE, 0) : match.start()], text[match.end() :]
        if _MORE.match(behind) is not None or _REFERRING.match(behind) is not None:
            continue
        words = [*_list_words_before(before), *_list_words_behind(behind)]
        sorts = [match["sort"].lower()] if match["sort"] else [_find_noun(before), ""]
        stems = {stem for word in words for stem in (*find_stems_of_word(word), *split_name(word))} - LOOKING_UP
        yield from (make_form(("acted_sort", f"{stem} {sort}")) for stem in sorted(stems) for sort in sorts)
    for pattern in _STATED:
        for match in islice(pattern.finditer(text), _MAX_FOUND):
            if _is_value(match["value"].rstrip(".-/"), match["noun"].lower()):
                yield make_form(("field_value", match["noun"].lower()))
    for match in islice(_PLACED.finditer(text), _MAX_FOUND):
        if _ID.fullmatch(match[1]) is None:
            yield PLACED
            yield make_form(("placed", match[1].lower()))


def _list_words_before(before: str) -> list[str]:
    """List the words in front of an id, up to the verb that it is the object of."""
    words = [word.lower() for word in WORD.findall(_BREAK.split(before)[-1])][-_MAX_WORDS:]
    found: list[str] = []
    if words[-1:] == ["that"]:
        return found
    for place in range(len(words) - 1, -1, -1):
        if words[place] in _BARRIERS and not (words[place] == "of" and words[place - 1] in _FIELDS_OF_RECORDS):
            break
        found.append(words[place])
    return found


def _list_words_behind(behind: str) -> list[str]:
    """Return the verb behind an id: "HD-8419 can be closed"."""
    match = _POSSESSED.match(behind)
    if match is not None:
        return []
    match = _VERB_BEHIND.match(behind)
    return [match[1].lower()] if match is not None else []


def _find_noun(before: str) -> str:
    """Return the noun of a number: `ticket` of "close ticket 42"."""
    words = [word.lower() for word in WORD.findall(_BREAK.split(before)[-1]) if word.lower() not in NUMBERING]
    return to_numbered_noun(singularize(words[-1])) if words else ""


def _is_value(value: str, noun: str) -> bool:
    """Whether a word beside the noun of a field is its value, and not another word of the sentence."""
    word = value.lower()
    if noun in RIGHTS and word in _LEVELS:
        return True
    is_plain = word.isalpha() and (is_task_word(word) or REMARKING.search(word) is not None)
    return len(word) > 1 and word not in _NO_VALUES and word not in FIELD_NOUNS and not is_plain
