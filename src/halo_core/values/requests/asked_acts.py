"""The acts that a text of the user asks for.

    find_asked_stems("Pay Hansen and show my last transfer")  # {"pay"}: "transfer" is a noun here
    find_asked_stems("Make a transfer of 20 to Hansen")       # {"make", "transfer"}

Most English verbs are nouns as well (`order`, `transfer`, `book`). The words around a word decide. It is a noun
behind an article, a possessive or a preposition, and as the object of another verb. A noun asks for its act as the
object of a verb that only says that something is done (`make a payment`, `I need a refund`), and at the beginning of
a request (`Refund for order 12, please`).

Most functions take a text as a list of words in small letters, and the place of one word. Two words have a special
meaning: an empty one is the end of a clause, and `_` stands for an address, a path or a compound. So "Pay
Ana@x.example, then stop." is `pay _ "" then stop ""`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import Enum
from functools import lru_cache
from itertools import islice
from typing import Final

from halo_core.values.language.asking_words import find_stems_of_word
from halo_core.values.language.caseless import CaselessPattern
from halo_core.values.language.idioms import CLAUSE_END, MAX_CLAUSE, RECORDS, is_idiom, word_at
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.normalization import INVISIBLE
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import MAX_ATOMS, fold_text, split_name

_PART_OF_NAME: Final = "_"
_CLAUSE_SIGNS: Final = ".,;:!?"
_MAX_WORD: Final = 64  # characters
_DEFINITE: Final = frozenset(
    "the my our your his her its their this that these those what which whose whatever whichever whoever last latest "
    "previous recent earlier past same every each all both any no".split()
)
_INDEFINITE: Final = frozenset("a an another one some".split())
_DETERMINERS: Final = _DEFINITE | _INDEFINITE
_PREPOSITIONS: Final = frozenset(
    "of for in on at by with without about from into onto via under over per between against during before after "
    "since until till through regarding concerning re like as than within behind beside upon".split()
)
_BEGINNINGS: Final = frozenset(
    "and or but then so please kindly if when while once because where how why plus also just only now today tomorrow "
    "tonight again finally afterwards afterward later instead directly simply maybe perhaps otherwise thereafter "
    "therefore thanks morning afternoon evening possible needed necessary still already always ok okay yes sure "
    "pls plz plse pleas asap n thx yep fine great perfect it's".split()
)
"""Words that begin a clause, or stand in front of its verb."""
_ORDINALS: Final = frozenset("first second third next".split())
"""Adverbs where a clause begins, adjectives elsewhere."""
_GREETINGS: Final = frozenset("hi hey hello dear".split())
_MODALS: Final = frozenset(
    "can could will would shall should must may might let lets let's help do don't never not go try wanna gotta hafta "
    "gonna".split()
)
_ASKED_SUBJECTS: Final = frozenset("can could may might shall will would let help have".split())
"""Words in front of a subject that is asked to act: `can we pay`, `have him sign`."""
_SUBJECTS: Final = frozenset("i we he she they who".split())
_MODALS_OF_ABILITY: Final = frozenset("can could may might".split())
_JOINING_VERBS: Final = frozenset("join get have enter be".split())
_ANNOUNCING: Final = frozenset(("will", "would"))
_ANNOUNCED_ACTS: Final = _SUBJECTS | frozenset("it that this everybody everyone somebody someone".split())
"""Subjects whose `will` announces an act and orders nothing: "Kim will bid 300"."""
_OBJECTS: Final = frozenset("me us him them it you u everybody everyone someone somebody".split())
_ASKED_PERSONS: Final = frozenset({"you", "u"})
_ASKING_FOR_NAMES: Final = frozenset("who what which whom how when where why".split())
"""Words at the beginning of a question."""
_CAUSING: Final = frozenset("help let make have watch".split())
"""Verbs with an object and a bare verb behind it: `help me pay`."""
_BEING: Final = frozenset("is are was were been am isn't aren't wasn't has had hasn't".split())
_PAST: Final = frozenset("did didn't does doesn't".split())
_BEFORE_ADVERBS: Final = _BEGINNINGS | _MODALS | _ASKED_PERSONS | {"", "to"}
"""Words that may be followed by an adverb and a verb: `can you quickly send`."""
_FUNCTION_WORDS: Final = (
    _DETERMINERS | _PREPOSITIONS | _BEGINNINGS | _MODALS | _SUBJECTS | _OBJECTS | _BEING | _PAST | {"", "to"}
)
_NOT_INFINITIVE: Final = frozenset(
    "according due related relating linked belonging attached regard respect thanks opposed compared reply respond "
    "replies refer prior".split()
)
"""Words behind which `to` is a preposition: "thanks to"."""
_WISHED_FOR: Final = frozenset("attempt demand instruction order proposal request suggestion threat wish".split())
_BEHIND_VERBS: Final = frozenset("it them him me us the a an my our your this these those all everything".split())
"""Words that begin an object. They hardly ever stand behind a noun."""
_CURRENCIES: Final = frozenset("to from eur euro euros usd dollar dollars bucks gbp pound pounds quid chf".split())

_PERFORMING: Final = frozenset(
    "make do place issue initiate process perform execute complete submit arrange effect conduct finalize finalise "
    "finish carry put making placing issuing processing doing".split()
)
"""Verbs that only say that an act is done: `make a payment`."""
_NEEDING: Final = frozenset("need needs want wants require requires".split())
_OBTAINING: Final = _NEEDING | frozenset(
    "create get give send write add leave drop set start schedule request prepare draft compose open raise trigger "
    "launch book like grant".split()
)
"""Verbs that ask for an act if it does not exist yet: `give Ana a refund`."""
_OBTAINING_BARE: Final = _NEEDING | frozenset("create give send write draft add request grant get".split())
"""Verbs that ask for an act without an article: `give Ana access`, but not `open orders`."""
_PARTICLES: Final = frozenset("out up through off".split())
_TAKING_ON: Final = frozenset(
    {("go", "ahead", "with"), ("take", "care", "of"), ("", "proceed", "with"), ("to", "proceed", "with")}
)
_ACCOMPANYING: Final = frozenset("comment note message reply mail email answer text".split())
"""Nouns of messages that accompany an act: "close it with a comment"."""
_MESSAGES: Final = frozenset("mail email message".split())
_MAX_NUMBER: Final = 4  # digits of the number of a message
_PERFORMED: Final = frozenset(
    "done made processed placed executed issued completed submitted settled arranged initiated".split()
)
_WANTED_DONE: Final = frozenset("be get gets have want need needs like".split())
_NOT_WANTED_DONE: Final = (_BEING | {"got", "been", "did"}) - {"am"}
NOUN_STEMS: Final = stem_all(
    "payment money bill invoice rent fee price salary subscription difference loan due dues account admin "
    "administrator key role owner ownership collaborator member access right privilege permission team group user "
    "public private password script command code python shell job pipeline transaction donation otp checkout cost"
)
"""Stems of words that ask for acts but are no verbs."""
HANDED_OVER: Final = "+tasks"
"""Added to the stems of a text that asks to do what somebody else writes (`hands_over_tasks`)."""
ASKING_SOMEBODY: Final = "+ask"
"""Added to the stems of a text that orders to ask or to tell somebody something (`asks_somebody`)."""
_MAX_PHRASE: Final = 5  # words of a phrase in front of its noun

_MAX_KEPT: Final = 16_384  # characters of a message that is remembered
_CHUNK: Final = compile_later(r"\n|[^\s]+")
_PART: Final = compile_later(r"[^\W_]+(?:_[^\W_]+)*(?:['’][^\W_]+)?|[^\w\s]|_")
_NAME: Final = compile_later(r"@|://|\w\.[a-z0-9]|^[#/~\\]|\\")
_SEPARATORS: Final = frozenset(("/", "+", "->", "=>", "|"))
"""Signs that stand alone between two clauses."""
_INSIDE: Final = frozenset("'’\"“‘«*-_$€£¥%&+#/")
"""Signs that do not end a clause."""
_PREFIXES: Final = frozenset("e re pre un co".split())
"""Prefixes with a hyphen behind which a word keeps its meaning: `re-send`."""


def find_asked_stems(text: str) -> set[str]:
    """Find the stems of the words by which a text asks for acts: `{"pay"}` of "Could you pay Hansen?".

    Args:
        text: of the user, without what it forbids.
    """
    return set(_find_stems_of_message(text) if len(text) <= _MAX_KEPT else _find_stems(text))


def _find_stems(text: str) -> frozenset[str]:
    words = list(islice(_split_words(text), MAX_ATOMS))
    found: set[str] = set()
    for place, word in enumerate(words):
        stems = find_stems_of_word(word) if word else ()
        if stems and not found.issuperset(stems) and _asks(words, place):
            found.update(stems)
    return frozenset(found)


_find_stems_of_message: Final = lru_cache(maxsize=64)(_find_stems)
"""Like `_find_stems`, cached: a message is read when it comes, and again before each payment."""


def says_idiom(text: str) -> bool:
    """Whether a text has an order whose verb asks for no act of a tool: "and pay attention to T-2"."""
    words = list(islice(_split_words(text), MAX_ATOMS))
    return any(
        word_at(words, place - 1) in _BEFORE_ADVERBS and is_idiom(words, place, begins=True)
        for place, word in enumerate(words)
        if word
    )


_HANDING_OVER: Final = CaselessPattern(
    r"\b(?:complete|do|follow|achieve|fulfil|fulfill|handle|address|carry out|execute|perform|process|finish)\b"
    r"[^.!?\n]{0,48}\b(?:tasks?|requests?|instructions?|to-?dos?|them"
    r"|(?:what|whatever|everything|all)(?: that)? (?:he|she|they|it) (?:ask|need|want|request|say)s?)\b"
    r"|\b(?:address|handle|resolve|solve|fix)(?: (?:his|her|their)|\s[^.!?\n]{0,32}['’]s?)"
    r" (?:issue|problem|concern|complaint|question)s?\b",
    needs=(
        *("task", "request", "instruction", "todo", "to-do", "them", "ask", "need", "want", "say"),
        *("issue", "problem", "concern", "complaint", "question"),
    ),
)


def hands_over_tasks(text: str) -> bool:
    """Whether a text asks to do what somebody else writes: "complete the tasks that Bob sent"."""
    return _HANDING_OVER.search(text) is not None


def _split_words(text: str) -> Iterator[str]:
    """Split a text into words, as the docstring of the module describes."""
    if not text.isascii():
        text = INVISIBLE.sub("", text)
    for chunk in _CHUNK.findall(text):
        is_last = chunk[-1] in _CLAUSE_SIGNS
        word = chunk[:-1] if is_last else chunk
        if word.isalnum() and word.isascii():  # as nearly all
            yield word[:_MAX_WORD].lower()
        elif chunk in _SEPARATORS:
            yield CLAUSE_END
            continue
        elif _NAME.search(chunk.rstrip(_CLAUSE_SIGNS)) is None:
            yield from _split_chunk(chunk)
            continue
        else:
            yield _PART_OF_NAME
        if is_last:
            yield CLAUSE_END


def _split_chunk(chunk: str) -> Iterator[str]:
    """Split a part of a text without blanks, which is neither an address nor a path, into words."""
    if chunk == "\n":
        yield CLAUSE_END
        return
    parts = _PART.findall(chunk)
    for i, part in enumerate(parts):
        if part[0].isalnum():
            before, behind = (parts[i - 1] if i else ""), (parts[i + 1] if i + 1 < len(parts) else "")
            if behind == "-" and part.lower() in _PREFIXES:
                continue  # "e-mail"
            is_prefixed = before == "-" and i > 1 and parts[i - 2].lower() in _PREFIXES
            is_compound = "-" in (before, behind) and not is_prefixed
            yield _PART_OF_NAME if is_compound else fold_text(part[:_MAX_WORD]).replace("’", "'")
        elif part not in _INSIDE or len(parts) == 1:
            yield CLAUSE_END


def _asks(words: Sequence[str], place: int) -> bool:
    """Whether a word that can ask for an act asks for it here."""
    word = words[place]
    if "_" in word:
        return True  # the user writes the name of the tool
    if is_idiom(words, place, begins=word_at(words, place - 1) in _BEFORE_ADVERBS):
        return False
    if word.endswith("ed") and len(word) > 4:
        return _is_wanted_done(words, place)
    is_plural = word.endswith("s") and not word.endswith("ss") and len(word) > 3
    if is_plural or not NOUN_STEMS.isdisjoint(split_name(word)):
        # "rent the cheapest car", but not "the rent of Ana" or "list bills"
        is_order = not is_plural and _has_article(words, place) and _find_role(words, place) is _Role.ORDER
        return is_order or _is_performed(words, place)
    role = _find_role(words, place)
    return role is _Role.ORDER or (role is _Role.NOUN and _is_performed(words, place))


class _Role(Enum):
    """The role of a word in its clause."""

    ORDER = "order"
    STATEMENT = "statement"  # a verb of what somebody does or did
    NOUN = "noun"


def _is_content(words: Sequence[str], place: int) -> bool:
    """Whether a word may be an adjective or a noun."""
    word = word_at(words, place)
    if word in _FUNCTION_WORDS or word[:1].isdigit():
        return False
    # Words in front of the verb of an order are not its objects.
    is_adverb = word in _ORDINALS or word in _GREETINGS or (word.endswith("ly") and len(word) > 4)
    return not (is_adverb and word_at(words, place - 1) in _BEFORE_ADVERBS)


def _find_start(words: Sequence[str], place: int) -> int:
    """Find the place of the word in front of a noun phrase: `a` of "a quick bank transfer"."""
    start = place - 1
    while start >= 0 and place - start <= _MAX_PHRASE and _is_content(words, start):
        start -= 1
    return start


def _find_role(words: Sequence[str], place: int) -> _Role:
    start = _find_start(words, place)
    is_next = start == place - 1
    if not _is_verb(words, place, start) or (is_next and _is_subject(words, place)):
        return _Role.NOUN
    is_statement = _is_statement(words, place, start if is_next else place)
    return _Role.STATEMENT if is_statement or _asks_whether_somebody_can(words, place, start) else _Role.ORDER


def _asks_whether_somebody_can(words: Sequence[str], place: int, start: int) -> bool:
    """Whether a text asks if somebody else can do something: "can Kim close the account?", but not "can Kim join?"."""
    is_other = start < place - 1 and word_at(words, start) in _MODALS_OF_ABILITY and words[place] not in _JOINING_VERBS
    return is_other and word_at(words, start - 1) in ("", "and", "or", "but", "so")


def _is_verb(words: Sequence[str], place: int, start: int) -> bool:  # noqa: PLR0911  one return for each kind of word
    """Whether a word is a verb, by the words in front of it.

    Args:
        words: of the text.
        place: of the word.
        start: place of the word in front of its phrase (`_find_start`).
    """
    is_next, before, two_before = start == place - 1, word_at(words, start), word_at(words, start - 1)
    if not is_next and _has_object(words, place):
        return True  # "the invoice that came pay it"
    if before in _DETERMINERS:
        # "after this pay Ana", "let her pay"
        is_pronoun = before in ("this", "that") and two_before in ("after", "before")
        return (is_next and is_pronoun) or (before == "her" and two_before in _CAUSING)
    if before in _PREPOSITIONS:
        return is_next and words[place].endswith("ing")
    if before in _BEING:
        return False
    if before in _OBJECTS:
        return is_next and (before in _ASKED_PERSONS or two_before in _CAUSING)
    if before == "to":
        is_reminder = two_before in ("me", "us") and word_at(words, start - 2) == "remind"
        is_topic = is_reminder or _is_topic_of_clause(words, start - 1)
        return is_next and two_before not in _NOT_INFINITIVE and not is_topic
    if before in _MODALS:
        return True
    return is_next or word_at(words, place - 1) in _GREETINGS or word_at(words, place - 2) in _GREETINGS


def _is_topic_of_clause(words: Sequence[str], place: int) -> bool:
    """Whether a noun names what somebody wants, and the text is only about that: "about the order to pay Kim"."""
    is_definite = word_at(words, place) in _WISHED_FOR and word_at(words, place - 1) in _DEFINITE
    return is_definite and word_at(words, place - 2) in ("about", "of", "on", "regarding", "concerning", "mentions")


def _has_object(words: Sequence[str], place: int) -> bool:
    """Whether the next word begins the object of a verb: an article, a pronoun, an amount."""
    behind = word_at(words, place + 1)
    if behind in _BEHIND_VERBS or behind[:1] in "$€£¥":
        return bool(behind)
    return behind[:1].isdigit() and word_at(words, place + 2) in _CURRENCIES


def _has_article(words: Sequence[str], place: int) -> bool:
    """Whether the next word is an article or a possessive."""
    return word_at(words, place + 1) in _DETERMINERS


def _is_subject(words: Sequence[str], place: int) -> bool:
    """Whether a word at the beginning of a clause is its subject: `Order 12 is late`."""
    if words[place].endswith("ing") or word_at(words, place - 1) not in ("", *_BEGINNINGS):
        return False
    number, verb = word_at(words, place + 1), word_at(words, place + 2)
    if words[place] in _MESSAGES and number.isdigit() and len(number) <= _MAX_NUMBER and _is_content(words, place + 2):
        return not verb.endswith("ing")  # "mail 12 shows that she paid"
    for behind in range(place + 1, place + 1 + _MAX_PHRASE):
        word = word_at(words, behind)
        if (word in _BEING and word != "am") or word in _PAST:
            return True
        if not (word[:1].isdigit() or word in _PREPOSITIONS or _is_content(words, behind)):
            break
    return False


def _is_statement(words: Sequence[str], place: int, start: int) -> bool:
    """Whether a verb states or asks what somebody does or did, and orders nothing."""
    if word_at(words, start) in _SUBJECTS and (
        word_at(words, start - 1) not in _ASKED_SUBJECTS or word_at(words, start - 2) in _ASKING_FOR_NAMES
    ):
        return True
    subject = word_at(words, start - 1)
    if word_at(words, start) in _MODALS and subject in ("who", "what", "which"):
        return True  # "who can delete files?"
    if word_at(words, start) in _ANNOUNCING and (subject in _ANNOUNCED_ACTS or _is_content(words, start - 1)):
        return True  # "Kim will bid 300"
    for before in range(place - 1, max(place - MAX_CLAUSE, -1), -1):
        word = words[before]
        if not word:
            break
        is_asked = word_at(words, before + 1) in _SUBJECTS or word_at(words, before - 1) in _ASKING_FOR_NAMES
        if word in _PAST or (word == "do" and is_asked):
            return True
    return False


def _is_wanted_done(words: Sequence[str], place: int) -> bool:
    """Whether a participle orders an act: `must be deleted`, `I want it removed`."""
    if word_at(words, place - 1) in _DETERMINERS:
        return False
    for before in range(place - 1, max(place - MAX_CLAUSE, -1), -1):
        word = words[before]
        if not word or word in _NOT_WANTED_DONE:
            return False
        if word in _WANTED_DONE:
            return word in ("be", "get", "gets") or before < place - 1
    return False


def _is_performed(words: Sequence[str], place: int) -> bool:
    """Whether a noun names an act that is ordered: `make a payment`, `go ahead with the refund`."""
    if word_at(words, place + 1) in RECORDS or (_is_subject(words, place) and _find_start(words, place) == place - 1):
        return _is_wanted_later(words, place)
    start = _find_start(words, place)
    before = word_at(words, start)
    is_definite = before in _DEFINITE
    if before in _DETERMINERS or before[:1].isdigit():
        governing = start - 1
        # "leave her a message": behind an object, and not behind a possessive
        while word_at(words, governing) in _DETERMINERS and (words[governing] != "her" or before not in _INDEFINITE):
            is_definite = is_definite or words[governing] in _DEFINITE
            governing -= 1
        asks = _is_object(words, governing, is_definite=is_definite)
        # "A transfer of 20 to Ana, please."
        asks = asks or (before in ("a", "an", "another") and word_at(words, governing) in ("", "please"))
        asks = asks or (word_at(words, governing) == "" and "again" in words[place : place + _MAX_PHRASE])
        asks = asks or (not is_definite and words[place] in _ACCOMPANYING and _is_accompaniment(words, governing))
    elif before in _PREPOSITIONS:
        asks = _ends_taking_on(words, start)
    else:
        asks = _is_bare_object(words, start, place)
    return asks or _is_wanted_later(words, place)


def _is_object(words: Sequence[str], governing: int, *, is_definite: bool) -> bool:
    """Whether the verb in front of a phrase with an article only says that the act is done: `make a payment`.

    Args:
        words: of the text.
        governing: place of the word in front of the phrase.
        is_definite: the phrase names an act that is already there (`the payment`).
    """
    if _ends_taking_on(words, governing):
        return True
    while governing >= 0 and (
        words[governing] in _PARTICLES or words[governing] in _OBJECTS or words[governing] == "her"
    ):
        governing -= 1
    verbs = _PERFORMING if is_definite else _PERFORMING | _OBTAINING
    persons = 0
    while not is_definite and persons < 2 and word_at(words, governing) not in verbs and _is_content(words, governing):
        governing, persons = governing - 1, persons + 1  # "give Ana Lima a refund"
    return word_at(words, governing) in verbs and not _is_statement_of_light_verb(words, governing)


def _is_accompaniment(words: Sequence[str], governing: int) -> bool:
    """Whether a phrase stands behind `with` and an object: "close it with a comment"."""
    before = word_at(words, governing - 1)
    return word_at(words, governing) == "with" and (before in _OBJECTS or before[:1].isdigit())


def _is_statement_of_light_verb(words: Sequence[str], place: int) -> bool:
    """Whether a verb in front of a noun reports an act: "we made a payment". "I need a refund" asks for one."""
    if words[place] == "do" and word_at(words, place - 1) in _ASKING_FOR_NAMES:
        return True  # "what do the Brodersens order?"
    return words[place] not in _NEEDING and _is_statement(words, place, place - 1)


def _ends_taking_on(words: Sequence[str], place: int) -> bool:
    """Whether words such as "go ahead with" end at a place."""
    ending = (word_at(words, place - 2), word_at(words, place - 1), word_at(words, place))
    return ending in _TAKING_ON or ("", *ending[1:]) in _TAKING_ON


def _is_bare_object(words: Sequence[str], start: int, place: int) -> bool:
    """Whether a phrase without an article stands behind a verb that asks for its noun, or begins a request.

    "Give Ana access", "Refund for order 12".

    Args:
        words: of the text.
        start: place of the word in front of the phrase.
        place: of the noun.
    """
    verbs = _PERFORMING | _OBTAINING_BARE
    before = word_at(words, start)
    first = start - 1 if before in _OBJECTS else start if before == "do" else start + 1
    if first == place:
        return before in ("", "please") and not words[place].endswith("s")
    governing = next((i for i in range(first, place) if words[i] in _NEEDING), first)
    return word_at(words, governing) in verbs and not _is_statement_of_light_verb(words, governing)


def _is_wanted_later(words: Sequence[str], place: int) -> bool:
    """Whether the clause behind a noun orders its act: "the payment must be made"."""
    clause: list[str] = []
    for behind in range(place + 1, place + 1 + MAX_CLAUSE):
        word = word_at(words, behind)
        if not word:
            break
        clause.append(word)
    done = next((i for i, word in enumerate(clause) if word in _PERFORMED), -1)
    if done < 0 or not _NOT_WANTED_DONE.isdisjoint(clause[:done]):
        return False
    if not {"be", "get", "gets"}.isdisjoint(clause[:done]):
        return True
    verb = word_at(words, _find_start(words, place) - 1)  # "I need the transfer to Ana done"
    return verb in _WANTED_DONE
