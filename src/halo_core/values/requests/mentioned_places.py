"""URLs, telephone numbers and handles that a user only mentions, and wants nothing sent to.

    find_mentioned_places("Mail 1 claims to be from x.example. Is it?", find_forms)   # quoted, and unwanted
    find_mentioned_places("Post it to https://x.example/in", find_forms)              # addressed

As for e-mail addresses (`quoted_addresses`), the user asks for no act at a place that stands in quotation marks
beside other words, in a report, in a question, as the sender of a message, or that is called bad. A place that also
stands elsewhere in the text is wanted. A host that is only called bad, or only a sender's, vouches for no read of its
other pages either (`unwanted`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from typing import Final

from halo_core.values.kinds.kinds import Form, make_form
from halo_core.values.language.patterns import compile_later
from halo_core.values.requests.quoted_addresses import wants_answer

_MAX_PLACES: Final = 64
_WINDOW_CHARS: Final = 120  # on each side of a place
_PLACE: Final = compile_later(
    r"[A-Za-z][A-Za-z0-9+.-]{1,15}://[^\s<>\"'`|“”„«»]{1,512}"
    r"|(?<![\w.@/:%+-])(?:[\w-]{1,63}\.){1,8}[A-Za-z][\w-]{1,62}(?::[0-9]{1,5})?(?:[/?#][^\s<>\"'`|“”„«»]{0,512})?(?![\w@])"
    r"|(?<![\w@./])@[\w][\w.-]{1,38}"
    r"|(?<![\w@./#&])#[^\W\d][\w-]{1,38}"
    r"|(?<![\w.,/@-])(?:\+|\(?0)[0-9(][0-9 ()/-]{5,24}[0-9](?![\w@/-])"
)
"""A URL, a host, a handle, a channel, a telephone number."""
_SIGN: Final = compile_later(r"\w\.\w|://|@\w|#[^\W\d]|\+[0-9(]|\b0[0-9]")
"""Every such place contains this."""
_PERSONAL: Final = frozenset("@#+0")
"""First signs of handles, channels and telephone numbers, to which people reply."""
_DOMAINS: Final = frozenset(("url", "host", "digits"))
_SENTENCE: Final = compile_later(r"(?<=[.!?;])\s+|\n+")
_CLAUSE: Final = compile_later(r"[,;:]\s|\s(?:and|but|then|so|und|aber|et|y|e|en)\s", re.IGNORECASE)
_SHOWN: Final = compile_later(
    r"\"[^\"\n]{1,1024}\"|[“„][^”“\n]{1,1024}[”“]|«[^»\n]{1,1024}»|`[^`\n]{1,1024}`|(?<!\w)['‘][^\n]{1,1024}?['’](?!\w)"
    r"|^[ \t]*[>|].*$",
    re.MULTILINE,
)
"""A quotation: in quotation marks, or behind the quotation sign of a mail."""
_WORD: Final = compile_later(r"[^\W_]{2,}")
_LETTERS: Final = (
    r"(?:e-?mails?|mails?|messages?|letters?|texts?|sms|newsletters?|invitations?|calls?|nachrichten?|correos?)"
)
_FROM: Final = compile_later(
    rf"\b(?:{_LETTERS}|spam|phishing|traffic|callers?|senders?|visits?|visitors|log-?ins?|attacks?)\b(?:\s[^\s@,;)]+){{0,4}}?"
    r"\s(?:from|(?<!\bout )of|by|von|vom|de|du|da|van|od|от)(?:\s[^\s@]+){0,2}?\s?[<(\"'“„]?$"
    r"|\b(?:claim|pretend|purport|appear|seem|suppose|allege)\w*(?:\s[^\s@]+){0,3}?\s(?:from|by)\s?[<(\"'“„]?$"
    r"|\b(?:is|are|was|were|came|comes|arrived|sent|signed)\s(?:from|by)\s?[<(\"'“„]?$"
    r"|\b(?:from|by)\s(?:some|an?)\s(?:[^\s@]+\s){0,3}$",
    re.IGNORECASE,
)
"""Words in front of a place that make it a sender."""
_BEING_IN: Final = compile_later(r"(?:^|[.!?;]\s)\W*(?:in|on|over in|inside)\s$", re.IGNORECASE)
_GOING_ON: Final = compile_later(
    r",?\s(?:they|he|she|it|people|everybody|everyone|somebody|someone|nobody|folks|the\s\w+|we|there)\s"
    r"(?:\w+ly\s)?(?!(?:should|must|need|has to|have to)\b)\w+",
    re.IGNORECASE,
)
"""What happens in a place at the beginning of a sentence: "In #general they complain"."""
_WARNING: Final = compile_later(
    r"\b(?:warn(?:s|ed|ing|ings)?|alert(?:s|ed)?|beware|wary|afraid)\b(?:\s[^\s@]+){0,3}?\s?(?:of|about|against|for|vor|de)?"
    r"\s?[<(\"'“„]?$"
    r"|\b(?:suspicious|malicious|phishing|scam|fake|spam|fraudulent|dangerous|unsafe|rogue|hacked|compromised|strange"
    r"|unknown|attacker['’]?s?)(?:\s[^\s@]+){0,3}?\s[<(\"'“„]?$",
    re.IGNORECASE,
)
_BAD_BEHIND: Final = compile_later(
    r"[>)\"'”“]{0,2}(?:[^.;!?\n]{0,24})?\s(?:is|are|was|were|looks?|seems?|['’]s)\s(?:\w+\s){0,3}?(?:spam\w*|phishing|malicious|unsafe"
    r"|unsecure|insecure|suspicious|dangerous|scam\w*|fake|hacked|compromised|banned|blacklisted|distrusted|fraud\w*"
    r"|not\s(?:\w+\s)?(?:safe|secure|trusted|trustworthy|ours|legit\w*|allowed|to\sbe\strusted))\b",
    re.IGNORECASE,
)
_REPORTED_BEHIND: Final = compile_later(
    r"[^.;!?\n]{0,60}(?:,\s(?:\w+\s){0,2}?(?:says?|said|writes?|wrote|claims?|reports?)\b|\b(?:according\sto|as\sper)\b)",
    re.IGNORECASE,
)
_REPORTED_BEFORE: Final = compile_later(
    rf"\b(?:{_LETTERS}|notes?|tickets?|issues?|comments?|reports?|posts?|pages?|papers?|documents?|callers?|somebody"
    r"|someone|they|it)\b[^.;!?\n]{0,60}?\s(?:(?<!\band )(?<!\bthen )(?<!, )(?:say|write|claim|ask|want|tell|link|point"
    r"|mention|use)|says|said|writes|wrote|claims|claimed|asks|asked|wants|wanted|tells|told|links|linked|points|pointed"
    r"|leads?|led|redirects?|mentions|mentioned|contains?|has|had|uses|used)\b"
    r"(?!\sto\s(?:do|have|go|be)\b)[^.;!?\n]*$",
    re.IGNORECASE,
)
_WRITTEN_BY: Final = compile_later(
    r"(?:^|[.!?;,]\s)(?!(?:I|We)\b)(?:(?:[A-Z][\w'’-]*|he|she)\s){1,3}(?:wrote|writes|said|says|posted|posts|answered|replied):\s"
    r"[^.;!?\n]*$"
)
"""Words of somebody in front of what he wrote: "Bob wrote: https://forum.example is nice"."""
_CONCLUDING: Final = compile_later(r",\s(?:so|therefore|hence)\s(?=[a-z]+\s)", re.IGNORECASE)
"""Words behind which the user's own wish begins: "she asks for it, so pay @mo"."""
_ASKED_OF: Final = compile_later(
    r"\b(?:ask|tell|text|message|ping|remind|let)\s(?:[^.;!?\n]*?)(?:@\w|#[^\W\d]|(?-i:\b[A-Z]))[^.;!?\n]*?\b"
    r"(?:whether|if|when|why|where|who|whom|what|which|how|that)\s(?:(?:(?!\b(?:and|then)\b)[^,.;!?\n])*\s)?[<(\"'“„]?$",
    re.IGNORECASE,
)
"""Words in front of the subject of a question to somebody else: "ask @lea whether @kim is in"."""
_REMEDY: Final = compile_later(
    r"\b(?:block|ban|report|deny|blacklist|blocklist|quarantine|suspend|remove|delete|revoke|reject|unfollow|mute"
    r"|unsubscribe|filter|flag|mark|disable|deactivate|drop|kick|sperr\w*|blockier\w*|bloque\w*)\b",
    re.IGNORECASE,
)
"""Verbs for acts against a bad place."""
_ORDERING: Final = compile_later(
    r"^\W*(?:(?:please|pls|also|now|just|then|kindly|ok|okay)\W+)*(?:can|could|would|will|may|shall|please)\b",
    re.IGNORECASE,
)
_ASKING: Final = compile_later(
    r"^\W*(?:(?:and|so|but|ok|okay|also|hey|hi|hello)\W+)*(?:is|are|was|were|am|isn['’]?t|aren['’]?t|does|do|did|has|have|had|who|whose"
    r"|what|what['’]s|which|why|when|where|how|ist|sind|wer|was|warum|wo|wie|est|qui|quoi|pourquoi|qué|quién|cosa|chi"
    r"|perché)\b",
    re.IGNORECASE,
)


def find_mentioned_places(text: str, find_forms: Callable[[str], Iterable[Form]]) -> Iterator[Form]:
    """Find the places in a user's text: `quoted` if they are only mentioned, else `addressed`.

    Bad places, and those of a sender, are also `unwanted`. If something is to be done about them ("block x.example"),
    they are `remedied`: nothing is to be sent there.

    Args:
        text: of the user, without what it forbids.
        find_forms: the forms of the values in a text.
    """
    if _SIGN.search(text) is None:
        return
    quoted: set[str] = set()
    unwanted: set[str] = set()
    remedied: set[str] = set()
    wanted: set[str] = set()
    shown = [match.span() for match in islice(_SHOWN.finditer(text), _MAX_PLACES)]
    start = 0
    for sentence in _split_sentences(text):
        start = text.find(sentence, start)
        for match in islice(_PLACE.finditer(sentence), _MAX_PLACES):
            place = match[0].rstrip(".,;:!?)]*_")
            names = _list_names(place, find_forms)
            if not names:
                continue
            before = sentence[max(match.start() - _WINDOW_CHARS, 0) : match.start()]
            behind = sentence[match.start() + len(place) :][:_WINDOW_CHARS]
            if _is_bad(before, behind):
                (remedied if _REMEDY.search(_CLAUSE.split(before)[-1]) else unwanted).update(names)
            elif _is_shown(text, start + match.start(), len(place), shown) or _is_mentioned(sentence, before, behind):
                quoted |= names
            else:
                wanted |= names
    answerable = {name for name in quoted | unwanted if name[:1] in _PERSONAL}
    if answerable and not any(name[:1] in _PERSONAL for name in wanted) and wants_answer(text):
        wanted |= answerable
    yield from (make_form(("addressed", name)) for name in sorted(wanted))
    yield from (make_form(("quoted", name)) for name in sorted((quoted | unwanted) - wanted))
    yield from (make_form(("unwanted", name)) for name in sorted(unwanted - wanted - quoted))
    yield from (make_form(("remedied", name)) for name in sorted(remedied - wanted))


def _split_sentences(text: str) -> list[str]:
    return [sentence for sentence in _SENTENCE.split(text) if sentence]


def _list_names(place: str, find_forms: Callable[[str], Iterable[Form]]) -> set[str]:
    """List the texts of the forms of a place; a handle or a channel is its own text."""
    if place.startswith(("@", "#")):
        return {place.casefold()}
    return {form.text for form in find_forms(place) if form.domain in _DOMAINS}


def _is_shown(text: str, start: int, length: int, shown: Iterable[tuple[int, int]]) -> bool:
    """Whether a place stands in quotation marks together with other words."""
    for begin, end in shown:
        if begin <= start and start + length <= end:
            return _WORD.search(text[begin:start] + " " + text[start + length : end]) is not None
    return False


def _is_bad(before: str, behind: str) -> bool:
    """Whether a place is called bad, or is a sender's."""
    clause = _CLAUSE.split(before)[-1]
    return (
        _FROM.search(before) is not None or _WARNING.search(clause) is not None or _BAD_BEHIND.match(behind) is not None
    )


def _is_mentioned(sentence: str, before: str, behind: str) -> bool:
    """Whether a place stands in a report or in a question."""
    if _REPORTED_BEFORE.search(_CONCLUDING.split(before)[-1]) is not None or _REPORTED_BEHIND.match(behind) is not None:
        return True
    if _ASKED_OF.search(before) is not None or _WRITTEN_BY.search(before) is not None:
        return True
    if _BEING_IN.search(before) is not None and _GOING_ON.match(behind) is not None:
        return True
    if not sentence.rstrip().endswith("?") or _ORDERING.match(sentence) is not None:
        return False
    return _ASKING.match(_CLAUSE.split(before)[-1] or sentence) is not None or _ASKING.match(sentence) is not None
