"""What is read only in texts of the user: which words are names, and what is forbidden.

    drop_forbidden("Pay Ana, but do not pay Bob")    # "Pay Ana, but "
    find_named_words("invite bob and do what it says")   # `bob`, not `says`

The words are English, with the shortest ones of the languages of `halo_core.values.language.foreign_words`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.inflections import list_uninflected
from halo_core.values.language.lexicon import STOP_WORDS, VERBS, is_task_word, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.prohibitions import VALUE, drop_refused, may_refuse
from halo_core.values.language.text import extract_atoms, split_name
from halo_core.values.sketches.spans import MAX_TEXT_TOKENS, SENTENCE_ENDS, tokenize

MAX_USER_CHARS: Final = 16_384
"""Characters of a text that count as the user's own words. What follows is an attached document."""

# words that are used as names

_SIGNS: Final = frozenset("#@\"'`“”„«»‘’(:=")
_DASHES: Final = frozenset("-–—")
_PREPOSITIONS: Final = frozenset(
    "to with by for of in on from into via under an für zu bei mit von à pour chez avec para con per voor aan met van "
    "dla od z na для к для от".split()
)
_CALLED: Final = frozenset(
    "called named titled labelled labeled namens nommé nommée llamado llamada chiamato chiamata".split()
)
_JOINING: Final = frozenset((",", ";", "/", "and", "or", "&", "und", "et", "y", "e", "en", "i", "oraz", "и"))
_KINDS_OF_NAMES: Final = frozenset(
    "user username account payee recipient beneficiary member collaborator colleague handle login person customer "
    "client vendor supplier table column collection index database schema view branch environment env service server "
    "queue topic job task project repo repository channel group team role folder label tag bucket workspace space "
    "room list board dataset sheet cluster module component region printer category board konto nutzer benutzer "
    "tabelle gruppe kanal dienst compte utilisateur groupe canal usuario cuenta grupo tabla utente gruppo conto "
    "gebruiker groep użytkownik konto grupa tabela".split()
)
"""Nouns beside which a name stands: "user bob", "the orders table"."""
_PARTICLES: Final = frozenset("out up off back over down".split())
_LEADING_VERBS: Final = VERBS | stem_all("restart reboot deploy trigger install enable disable assign owe charge tip")
_BEFORE_IMPERATIVES: Final = frozenset("and then please und dann bitte et puis y luego e poi en dan i potem".split())
_ARTICLES: Final = frozenset("the my our der die das dem den le la les el los il lo".split())
_INDEFINITE: Final = frozenset(("a", "an"))
_BEING: Final = frozenset("is was has keeps throws returns crashes fails crashed failed ist hat est a es tiene".split())
"""Verbs behind the subject of a statement."""
_DETERMINERS: Final = frozenset(
    "a an the my your our his her its their this that these those what which der die das le la les un une el "
    "los".split()
)
NO_NAMES: Final = frozenset(
    "now today tomorrow tonight asap soon later again back out up off over away immediately please quickly everything "
    "everyone everybody nothing nobody somebody someone something anything anyone says said say tells told asks asked "
    "wants wanted needs needed writes wrote states demands shows reads more less only first next last too also still "
    "yet once twice instead directly together what whatever does did done goes gets due else well fine okay".split()
)
"""Words behind a verb or a noun that are no names."""


_POSSESSIVE: Final = ("'s", "’s")
_MIN_PERSON: Final = 3  # letters


def find_named_words(text: str) -> Iterator[Form]:
    """Find the words in small letters that a text uses as names.

    Such a word stands behind a sign (`@bob`, `"bob"`), a preposition, a verb (`invite bob`), a noun such as `user` or
    `table`, or another name of a list, or in front of such a noun (`the orders table`). The domain of its form is
    `named`. Behind an article (`post it to the tracker`) the domain is `thing`: the word may name a thing, but not a
    person. Behind `a` (`order a plumber`) it is `sort`. A capitalised word at the beginning of a sentence is also
    given in small letters.
    """
    tokens = tokenize(text, MAX_TEXT_TOKENS)
    domains: list[str] = []
    for place, token in enumerate(tokens):
        domain = _find_domain(tokens, place, domains) or _find_subject_domain(tokens, place)
        domains.append(domain)
        if not token.isalpha():
            continue
        if domain and token.islower():
            yield make_form((domain, token))
        elif token.istitle() and (tokens[place - 1] if place else "") in SENTENCE_ENDS:
            # A capital at the beginning of a sentence says nothing about the case of the name.
            yield make_form(("named", token.lower()))


def find_persons(text: str, *, has_cases: bool = False) -> Iterator[Form]:
    """Find the words that a text of the user writes with a capital, in small letters.

    "Budget" of "mail me the Budget" is none: a word behind an article and in front of no other capital is a thing.

    Args:
        text: of the user.
        has_cases: the language may add endings to a name, so the name without the ending counts too.
    """
    tokens = tokenize(text, MAX_TEXT_TOKENS)
    behind = ("", *tokens), (*tokens[1:], "")
    found = [
        token
        for before, token, after in zip(behind[0], tokens, behind[1], strict=False)
        if before.lower() not in _DETERMINERS or after[:1].isalnum() or after in _POSSESSIVE
    ]
    yield from _find_full_names(tokens)
    for token in dict.fromkeys(found):
        if token[:1].isupper() and token.isalnum() and len(token) >= _MIN_PERSON and not is_task_word(token.lower()):
            yield make_form(("person", token.casefold()))
            if has_cases:
                yield from (make_form(("person", name.casefold())) for name in list_uninflected(token))


def _find_subject_domain(tokens: Sequence[str], place: int) -> str:
    """Return `thing` for the subject of a sentence: "checkout is slow"."""
    is_first = not place or tokens[place - 1] in SENTENCE_ENDS
    word = tokens[place]
    if not is_first or len(word) < 2 or word in NO_NAMES or word in STOP_WORDS:
        return ""
    return "thing" if "".join(tokens[place + 1 : place + 2]) in _BEING else ""


def _find_full_names(tokens: Sequence[str]) -> Iterator[Form]:
    """Find the names of two or three words that a text writes with capitals: `Petra Novak`."""
    names: list[str] = []
    for token in (*tokens, ""):
        if token[:1].isupper() and token.isalpha():
            names.append(token.casefold())
            continue
        for length in (2, 3):
            for start in range(len(names) - length + 1):
                yield make_form(("person", " ".join(names[start : start + length])))
        names = []


def _find_domain(tokens: Sequence[str], place: int, domains: Sequence[str]) -> str:
    """Return `named`, `thing` or `sort`, as `find_named_words` describes; empty for other words.

    Args:
        tokens: of the text.
        place: of the word.
        domains: results for the tokens before it. A member of a list gets the domain of the member before it.
    """
    word = tokens[place]
    if len(word) < 2 or word in NO_NAMES or word in STOP_WORDS:
        return ""
    if place + 1 < len(tokens) and tokens[place + 1] in _KINDS_OF_NAMES and word not in _PREPOSITIONS:
        return "named"
    if place > 0 and tokens[place - 1] in _DASHES and "".join(tokens[place + 1 : place + 2]) in _DASHES:
        return "named"  # "whoever looks at it - june - to #releases"
    place -= 1
    while place > 0 and tokens[place] in _PARTICLES:
        place -= 1  # "pay out anna"
    before = tokens[place].lower() if place >= 0 else ""
    if before in _JOINING:
        return domains[place - 1] if place > 0 else ""
    is_german = before == "an" and word[0] not in "aeiouh"  # "an bob" is to Bob
    if (before in _INDEFINITE and not is_german) or before in _ARTICLES:
        domain = "thing" if before in _ARTICLES else "sort"
        return domain if _leads_to_name(tokens, place - 1) else ""
    return "named" if _leads_to_name(tokens, place) else ""


def _leads_to_name(tokens: Sequence[str], place: int) -> bool:
    """Whether a name may stand behind a token: a sign, a preposition, a noun of names or a verb."""
    token = tokens[place].lower() if place >= 0 else ""
    if token in _SIGNS or token in _PREPOSITIONS or token in _KINDS_OF_NAMES or token in _CALLED:
        return True
    if not token.isalpha():
        return False
    before = tokens[place - 1].lower() if place > 0 else ""
    if before in SENTENCE_ENDS or before in _BEFORE_IMPERATIVES:
        return token not in NO_NAMES and token not in STOP_WORDS
    return before not in _DETERMINERS and not _LEADING_VERBS.isdisjoint(split_name(token))


def find_id_letters(text: str) -> str:
    """Find the letters at the beginning of an id, in small letters: `inv` of INV-8812."""
    return text[: len(text) - len(text.lstrip(_LETTERS))].lower()


_LETTERS: Final = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ID: Final = compile_later(r"(?<![\w-])[A-Za-z]{1,8}[-_/#]?([0-9]{3,12})(?![\w-])")
_MAX_IDS: Final = 256


_POSTED: Final = compile_later(
    r"\b(?:to|on|onto|into|against|auf|an|sur|su|sul|en) (?:(?:the )?(?:account|konto|compte|conto|cuenta) )?"
    r"([0-9]{3,4})(?![\w.:/%-]|,[0-9]| ?(?:[$€£¥%]|eur|usd|gbp|chf|dollar|pound|percent|people|persons|units|times"
    r"|hours|days|weeks|months))",
    re.IGNORECASE,
)


def find_posted_accounts(text: str) -> Iterator[Form]:
    """Find the short numbers of accounts: 6855 of "post the fees to 6855"."""
    for match in islice(_POSTED.finditer(text), _MAX_IDS):
        yield make_form(("numbered", f"account {int(match[1])}"))


def find_id_numbers(text: str) -> Iterator[Form]:
    """Find the numbers of ids: `4711` of `C-4711`."""
    for match in islice(_ID.finditer(text), _MAX_IDS):
        yield make_form(("id_number", match[1]))
        yield make_form(("id_letters", find_id_letters(match[0])))


COUNTS: Final = {
    word: number
    for number, row in enumerate(
        (
            "one ein eine einen un une uno una um uma een",
            "two zwei deux dos due dois duas twee dwa dwie два две",
            "three drei trois tres tre três drie trzy три",
            "four vier quatre cuatro quattro quatro cztery четыре",
            "five fünf cinq cinco cinque vijf pięć пять",
            "six sechs seis sei zes sześć шесть",
            "seven sieben sept siete sette sete zeven siedem семь",
            "eight acht huit ocho otto oito osiem восемь",
            "nine neun neuf nueve nove negen dziewięć девять",
            "ten zehn dix diez dieci dez tien dziesięć десять",
        ),
        start=1,
    )
    for word in row.split()
}
_COUNT_WORD: Final = compile_later(r"[^\W\d_]{2,9}")


def find_counts(text: str) -> Iterator[Form]:
    """Find the counts that a text writes in words: "two of them"."""
    words = {match[0].lower() for match in _COUNT_WORD.finditer(text)}
    yield from (make_form(("amount", str(COUNTS[word]))) for word in words & COUNTS.keys())


_TYPO_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"


def generate_typos(word: str) -> Iterator[str]:
    """Generate words that a word may be mistyped from: one letter changed, left out or added, or two exchanged."""
    for place in range(len(word)):
        head, sign, tail = word[:place], word[place], word[place + 1 :]
        yield head + tail
        yield from (f"{head}{other}{tail}" for other in _TYPO_LETTERS if other != sign)
        if tail:
            yield f"{head}{tail[0]}{sign}{tail[1:]}"
    for place in range(len(word) + 1):
        yield from (f"{word[:place]}{other}{word[place:]}" for other in _TYPO_LETTERS)


# what is forbidden

_CLAUSE_END: Final = CaselessPattern(
    r"[.,;:!?](?=\s|$)|[\n—；，。！？、]|\b(?:(?<!all )(?<!everyone )(?<!everybody )but"
    r"|sondern|aber|pero|sino|mas|maar|ale|lecz|но)\b|而是|但"
)
_NAMED: Final = VALUE
_FORBIDDING: Final = CaselessPattern(
    r"\b(?:(?<!why )(?<!if you )(?<!if we )(?<!if i )(?<!if they )(?:do[ \t]+not|don['’]?t)|never"
    r"|must not|mustn['’]?t|should not|shouldn['’]?t|can(?:not|['’]t)(?= be\b)|under no circumstances"
    r"|no (?:more )?(?:payments?|money|mails?|messages?|e-?mails?|transfers?|files?) to|keine? \w+ (?:an|auf)"
    r"|stop (?:paying|sending|using)|refuse to|without (?:paying|sending|using)"
    rf"|(?<!or )not (?:to|at|from|via)|not (?={_NAMED})"
    r"|(?:(?<=all )but|(?<=everyone )but|(?<=everybody )but|instead of|rather than|except|excluding|avoid|ignore)"
    rf" (?=(?:[a-z]+ ){{0,3}}{_NAMED})"
    r"|niemals|nie|(?<!noch )(?<!vergiss )(?<!vergesst )nicht|keinesfalls|auf keinen fall|unter keinen umständen"
    r"|jamais|surtout pas|(?:ne |n['’])(?!oubli|hésit|tard)\w+ (?:pas|plus)|nunca|no (?:pagu|env|transf|us|mand)\w+"
    r"|mai (?:pag|invi|us|mand|trasf|bonif)\w+|non (?:pag|invi|us|mand)\w+|não (?:pag|envi|us)\w+|nigdy"
    r"|nie (?:płać|wysyłaj|przelewaj|używaj|korzystaj)|nooit|(?<!nog )(?<!vergeet )niet|(?<!unutma )asla|sakın"
    r"|aldrig|aldri|(?<!glöm )(?<!ännu )(?<!än )inte|(?<!glem )(?<!endnu )(?<!ennå )ikke|älä|älkää"
    r"|никогда|не (?:плат|перевод|отправ|использ)\w+|أبدا|لا (?:تدفع|ترسل|تحول|تستخدم))\b"
    r"(?! (?:you dare |ever |under any circumstances )?"
    r"(?:forget|fail|hesitate|worry|miss|mind|wait|delay|only|just|be late"
    r"|ask (?:me|again|for|why)|know|hear|remember|understand|have (?:the|a|any|his|her|their|my|your|time)\b|exceed"
    r"|(?:pay|spend|send|transfer|wire|tip)(?: \w+)? (?:more|over)\b|got|received|heard|nur|vergessen|zögern|versäum"
    r"|vergeten|oubli|olvid|zapom))|不要(?!忘)|切勿|千万别|别(?=[付转汇发给用打])|禁止"
)
_BAD: Final = CaselessPattern(
    r"\b(?:hacked|compromised|stolen|fraud(?:ulent)?|scam(?:med|mers?)?|phishing|fake|forged"
    r"|no longer (?:valid|used|in use|theirs)"
    r"|(?:is|are|was|were)(?: not|n['’]t) (?:\w+ ){0,2}(?:account|address|bank|iban)"
    r"|gehackt|gesperrt|betrüg\w*|gefälscht|piraté|frauduleu\w*|falso|hackeado|fałszyw\w*)\b(?!@)"
)
_CALLING: Final = CaselessPattern(r"\b(?:is|are|was|were|been|got|gets|be|looks?|seems?)(?: \w+)?\s*$|['’](?:s|re)\s*$")
_ENDED_WORDS: Final = (
    r"(?:closed|expired|cancell?ed|deactivated|disabled|invalid|dead|out of use|outdated|obsolete|void|wrong"
    r"|no longer (?:valid|used|in use|theirs|ours|active))\b"
)
_ENDED: Final = CaselessPattern(rf"\b{_ENDED_WORDS}")
_END_OF_IT: Final = CaselessPattern(
    r"\W*(?:(?:and|but|because|since|as) )?(?:it|this|that|which)(?: (?:one|account|address))?"
    r"(?: (?:is|was|has been|got)|['’]s) (?:now |already |meanwhile )?"
    rf"{_ENDED_WORDS}(?! (?:on|at|from|until) )"
)
"""What the clause before it names is no longer used: "the account was X, it is closed now"."""
_AFTER_OBJECT: Final = frozenset("nicht nie niemals niet nooit asla sakın inte ikke aldrig aldri".split())
"""Forbidding words that may stand behind their object: `GB29... nicht verwenden`."""
_PASSIVE: Final = CaselessPattern(r"\s+(?:be|get|receive|see)\b")
_MODAL: Final = frozenset(
    ("must not", "mustn't", "mustn’t", "should not", "shouldn't", "shouldn’t", "cannot", "can't", "can’t", "never")
)
_PART: Final = compile_later(r"\b(?:and|und|en|et|y|ve|i|if|falls|wenn|als|as|who|which|that)\b", re.IGNORECASE)
_VALUE: Final = compile_later(_NAMED)
_LISTING: Final = frozenset(
    "and or nor und oder noch et ou ni y o of en i ani any other others either neither - * •".split()
)
_REMEDIES: Final = frozenset(
    "block report freeze suspend replace reissue revoke reset warn investigate lock dispute refund forward delete "
    "remove archive cancel close disable deactivate escalate move label flag read find search list".split()
)
"""Verbs for acts against a bad thing."""
_MAX_BEFORE_BAD: Final = 4  # words
_MAX_FINAL_WORDS: Final = 2


def drop_forbidden(text: str, *, keeps_bad: bool = False) -> str:
    """Remove what a text forbids, or calls bad.

    Removed are: what stands behind a forbidding word in its clause, with a list that continues it; what stands in
    front of it in a passive (`X must not be used`); and the clause that calls something bad. A clause that asks to do
    something about a bad thing (`block the hacked account X`) stays.

    Args:
        text: of the user.
        keeps_bad: keep what is called bad.
    """
    if not _may_forbid(text):
        return text
    kept: list[str] = []
    start, goes_on, is_open = 0, False, False
    for end in [*(match.end() for match in _CLAUSE_END.finditer(text)), len(text)]:
        clause, start = drop_refused(text[start:end]), end
        forbidding = _FORBIDDING.search(clause)
        if not keeps_bad and _END_OF_IT.match(clause) is not None and kept and _VALUE.search(kept[-1]) is not None:
            kept[-1] = "\n"
        if not keeps_bad and _calls_bad(clause):
            kept, goes_on, is_open = [*_drop_listed(kept), "\n"], True, False
        elif forbidding is not None:
            head, rest = clause[: forbidding.start()], clause[forbidding.end() :]
            if _forbids_what_is_before(head, forbidding[0], rest):
                kept, head = _drop_listed(kept), _keep_request(head)
            kept.append(head + "\n")
            goes_on, is_open = True, not any(map(str.isalnum, rest))  # "do not, ever, pay X"
        elif goes_on and (is_open or _is_list(clause)):
            is_open = is_open and not clause.rstrip().endswith((".", ";", "!", "?"))
        else:
            goes_on = is_open = False
            kept.append(clause)
        if clause[-1:].isalpha() or clause[-1:] in "是但":
            goes_on = is_open = False  # behind "but" stands what is not forbidden
    return "".join(kept)


@lru_cache(maxsize=64)
def _may_forbid(text: str) -> bool:
    """Whether a text may forbid something or call it bad; cached, since each message is read several times."""
    return (
        _FORBIDDING.search(text) is not None
        or _BAD.search(text) is not None
        or _ENDED.search(text) is not None
        or may_refuse(text)
    )


def _calls_bad(clause: str) -> bool:
    """Whether a clause calls something bad, and does not ask to do something about it."""
    found = _BAD.search(clause)
    if found is None:
        return False
    head = clause[: found.start()]
    if _CALLING.search(head) is not None or found[0].lower().startswith(("no longer", "is", "are", "was", "were")):
        return True
    words = _PART.split(head)[-1].lower().split()[-_MAX_BEFORE_BAD:]
    return "not" in words or _REMEDIES.isdisjoint(words)


def _forbids_what_is_before(head: str, word: str, rest: str) -> bool:
    """Whether a forbidding word applies to the words in front of it: in a passive, or if the verb stands last."""
    word = " ".join(word.lower().split())
    is_last = word in _AFTER_OBJECT and len(rest.split()) <= _MAX_FINAL_WORDS and _VALUE.search(rest) is None
    is_passive = word in _MODAL and _PASSIVE.match(rest) is not None
    return (is_last or is_passive) and _VALUE.search(_PART.split(head)[-1]) is not None


def _keep_request(head: str) -> str:
    """Of the words in front of a forbidding word, keep the request before the last `and`."""
    first = head[: -len(_PART.split(head)[-1])]
    return first if not _LEADING_VERBS.isdisjoint(extract_atoms(first)) else ""


def _is_list(clause: str) -> bool:
    """Whether a clause only continues a list: it consists of values and joining words."""
    return all(
        word in _LISTING or not any(map(str.isalpha, word)) or _VALUE.match(word) is not None
        for word in clause.lower().split()
    )


def _drop_listed(kept: list[str]) -> list[str]:
    """Remove the list that a clause continues from what was kept."""
    while kept and kept[-1].rstrip().endswith(",") and _is_list(kept[-1]):
        kept = kept[:-1]
    return kept
