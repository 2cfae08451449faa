r"""A message of the user as clauses, for `halo_core.values.withdrawals.withdrawals`.

    list(split_clauses(fold("Kim says 'stop now'. Forget it, please")))    # "forget it", " please"

Left out are quotations, what is to be written to somebody, and what depends on a condition.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from halo_core.values.language.patterns import compile_later
from halo_core.values.withdrawals import withdrawal_words as words

MAX_CHARS: Final = 2_048
"""Characters of a message that are read for withdrawals. What follows is a document."""
_MAX_CLAUSES: Final = 48
_MAX_CLAUSE: Final = 160  # characters
_CLAUSE_END: Final = compile_later(
    r"[.!?…]+(?=[\s)\"'”]|$)|[;\n\r()]|,(?=\s)|\s[-–—]+\s|—|[。！？，、；]"
    r"|\s(?:but|aber|sondern|mais|pero|sino|ma|però|mas|porém|ale|men|но)(?=\s)"
)
_QUOTED: Final = compile_later(
    r"\"[^\"\n]{1,1024}\"|[“„][^”“\n]{1,1024}[”“]|«[^»\n]{1,1024}»|`[^`\n]{1,1024}`"
    r"|(?<!\w)['‘][^'’\n]{1,1024}['’](?!\w)"
    r"|^[ \t]*>.*$",
    re.MULTILINE,
)
_VALUE: Final = compile_later(r"(?=.*[0-9@])[^\s>]+")
_POLITE: Final = compile_later(
    r"\W*(?:(?:ok|oh|so|and|sorry|wait|actually|hey|please)\W+)*(?:can|could|would|will) (?:you|we)\b"
)
_ITEMS: Final = compile_later(r"(?:^|\s)[0-9]{1,2}[.)]\s+(?=[^\W\d])")
_ITEM: Final = compile_later(r"(?:^|\s)[0-9]{1,2}[.)]\s*$")
_MIN_ITEMS: Final = 3
"""Items of a numbered list: rules such as "9. greet 0. stop" take nothing back."""
_NUMBER_SIGN: Final = compile_later(r"\bno\.?(?= ?[0-9])")
"""The short form of "number"."""


class Clause(NamedTuple):
    """A clause of a message in small letters.

    Args:
        start: where it begins in the message.
        end: where it ends.
        text: of the clause.
        is_joined: to what stands before.
        is_question: it asks something.
        is_plain: it is short and asks nothing, so words of withdrawal are looked for in it.
    """

    start: int
    end: int
    text: str
    is_joined: bool
    is_question: bool = False
    is_plain: bool = True


def fold(message: str) -> str:
    """Put a message into small letters, without what it quotes or dictates. Places stay the same."""
    text = message[:MAX_CHARS].replace("’", "'")
    small = text.lower()
    if len(small) != len(text):
        small = "".join([sign.lower() if len(sign.lower()) == 1 else sign for sign in text])
    small = _NUMBER_SIGN.sub(lambda match: f"nr{' ' * (len(match[0]) - 2)}", small)
    return words.DICTATED.sub(_blank, _QUOTED.sub(_blank_quoted, small))


def _blank(match: re.Match[str]) -> str:
    return "\0" * len(match[0])


def _blank_quoted(match: re.Match[str]) -> str:
    """Blank what is quoted, but not a lone value: '"D-19" is in use'."""
    return match[0] if _VALUE.fullmatch(match[0]) is not None else _blank(match)


def split_clauses(folded: str) -> Iterator[Clause]:
    """Split a message into clauses, without those that depend on a condition, quotations, and items of a list."""
    start, is_joined, is_conditional = 0, False, False
    is_list = len(_ITEMS.findall(folded)) >= _MIN_ITEMS
    count = 0
    for end, behind, sign in _iterate_ends(folded):
        text = folded[start:end]
        is_sentence_end = sign[:1] in (".", "!", "?", ";", "\n", "。", "！", "？", "；") and sign != "..."
        if text.strip(" \0"):
            count += 1
            if words.CONDITION.match(text) is not None:
                is_conditional = words.STILL.search(text) is None
            elif not is_conditional and "\0" not in text and not (is_list and _ITEM.search(folded[:start])):
                is_question = _asks(text, sign)
                is_plain = not is_question and len(text) <= _MAX_CLAUSE
                yield Clause(start, end, text, is_joined, is_question, is_plain)
            is_joined = True
        if is_sentence_end:
            is_joined = is_conditional = False
        start = behind
        if count >= _MAX_CLAUSES:
            return


def _iterate_ends(folded: str) -> Iterator[tuple[int, int, str]]:
    """Return where each clause ends, where the sign behind it ends, and the sign."""
    ends = [(match.start(), match.end(), match[0].strip()) for match in _CLAUSE_END.finditer(folded)]
    for match in words.INNER.finditer(folded):
        before = folded[: match.start()]
        start = max((behind for _, behind, _ in ends if behind <= match.start()), default=0)
        head = before[start:]
        if head.strip() and words.SAID.search(head) is None and words.DICTATED.search(f"{head}:") is None:
            ends.append((match.start(), match.start(), ""))
    yield from sorted(ends)
    yield len(folded), len(folded), ""


def _asks(text: str, sign: str) -> bool:
    return "?" in sign and _POLITE.match(text) is None


def renews(clause: str) -> bool:
    """Whether a clause orders again what was taken back: "delete it after all"."""
    return (
        words.RENEWED.fullmatch(clause) is not None and words.DENYING.search(clause) is None and not takes_back(clause)
    )


def confirms(clause: str) -> bool:
    """Whether a clause is a yes to an order: "go ahead"."""
    return words.CONFIRMED.fullmatch(clause) is not None and not takes_back(clause)


def takes_back(clause: str) -> bool:
    """Whether a clause takes back what was ordered before, without an object: "forget it"."""
    return words.BARE.fullmatch(clause) is not None


def may_renew(text: str) -> bool:
    """Whether a text may order again what was taken back."""
    return any(renews(clause.text) or confirms(clause.text) for clause in split_clauses(fold(text)))
