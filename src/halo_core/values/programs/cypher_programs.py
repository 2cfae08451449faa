"""Whether a Cypher query only reads, by its clauses and functions.

No parser of the language is at hand, so the query is split into words, texts, names and signs, as openCypher 9 and
GQL write them. A word behind a complete operand must be a keyword of the list; a word in front of a bracket must be
one, or a function of the list. INVARIANT: FAILCLOSED - a query that cannot be split, or has a word of an act anywhere
but as the name of a label, a property or a key, is not a read.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.patterns import compile_later

_TOKEN: Final = compile_later(
    r"(?P<space>[ \t\r\n]+|//[^\r\n]*(?:\r?\n|$)|/\*(?:(?!\*/|/\*).)*\*/)"
    r"|(?P<text>'(?:[^'\\]|\\[\\'\"bfnrtuU`])*'|\"(?:[^\"\\]|\\[\\'\"bfnrtuU`])*\")"
    r"|(?P<name>`(?:[^`\\]|``)*`)"
    r"|(?P<number>\d[\d_]*(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+|0[xo][\da-fA-F]+)"
    r"|(?P<word>[^\W\d]\w*)"
    r"|(?P<parameter>\$(?:\w+|`[^`]*`))"
    r"|(?P<sign>[-+*/%^=~<>!|&,.:;()\[\]{}])",
    re.DOTALL,
)
_ODD_SPACES: Final = compile_later(r"\r(?!\n)|[^\S \t\r\n]|[\x00-\x08\x0e-\x1f\x7f]|\\u", re.IGNORECASE)
"""Spaces and line ends that a database may read in another way, and escapes that it resolves before it parses."""
_ACTING_WORDS: Final = frozenset(
    "alter assign call create deallocate delete deny detach drop dryrun enable foreach grant insert load merge "
    "nodetach "
    "rename reallocate remove revoke set start stop terminate use finish commit begin rollback constraint index "
    "csv periodic".split()
)
"""Words of clauses that act. As names of something, they have to stand in backticks."""
_READING_STARTS: Final = frozenset({"match", "optional", "with", "unwind", "return", "explain", "profile"})
_KEYWORDS: Final = frozenset(
    "all and any as asc ascending by case contains count desc descending distinct else end ends exists explain "
    "false in "
    "is limit match none not null offset on optional or order profile return shortest single skip starts then true "
    "union "
    "unwind when where with xor shortestpath allshortestpaths collect groups".split()
)
_FUNCTIONS: Final = frozenset(
    "abs acos allreduce asin atan atan2 avg btrim ceil char_length character_length coalesce collect cos cosh cot coth "
    "count date datetime degrees duration e elementid endnode exists exp floor haversin head id isempty isnan keys "
    "labels "
    "last left length localdatetime localtime log log10 lower ltrim max min nodes none normalize nullif nodes any all "
    "single percentilecont percentiledisc pi point properties radians rand randomuuid range reduce relationships "
    "replace "
    "reverse right round rtrim sign sin sinh size split sqrt startnode stdev stdevp substring sum tail tan tanh time "
    "timestamp toboolean tobooleanlist tobooleanornull tofloat tofloatlist tofloatornull tointeger tointegerlist "
    "tointegerornull tolower tostring tostringlist tostringornull toupper trim type upper valuetype "
    "vector_dimension_count "
    "shortestpath allshortestpaths".split()
)
"""Functions without a namespace that only work out a value."""
_NAMESPACED: Final = frozenset(
    "date.truncate date.realtime date.statement date.transaction datetime.truncate datetime.fromepoch "
    "datetime.fromepochmillis datetime.realtime datetime.statement datetime.transaction duration.between "
    "duration.indays "
    "duration.inmonths duration.inseconds localdatetime.truncate localtime.truncate point.distance point.withinbbox "
    "time.truncate vector.similarity.cosine vector.similarity.euclidean".split()
)
_SCHEMA_CALL: Final = compile_later(
    r"\s*call\s+db\.(?:labels|relationshiptypes|propertykeys|schema\.(?:visualization|nodetypeproperties"
    r"|reltypeproperties))\(\)\s*(?:yield\s+\w+(?:\s*,\s*\w+)*\s*(?:return\s+\w+(?:\s*,\s*\w+)*\s*)?)?;?\s*",
    re.IGNORECASE | re.ASCII,
)
"""A whole query that lists what the database holds, by procedures of its own."""
_ALIASES: Final = frozenset({"start", "index", "stop", "finish", "load", "call"})
"""Words of acts that may follow `AS`."""
_MAX_TOKENS: Final = 4_000
_ENDS_SQL_TEXT: Final = compile_later(r"\$\$|[`;]|--|/\*")


def reads_only(text: str) -> bool:
    """Whether a query only reads; total, in a time that grows with its length."""
    if _SCHEMA_CALL.fullmatch(text) is not None:
        return True
    tokens = _split(text)
    if not tokens or tokens[0][1] not in _READING_STARTS:
        return False
    statements = _split_statements(tokens)
    return bool(statements) and all(map(_reads, statements))


def reads_only_in_sql(text: str) -> bool:
    """Like `reads_only`, for a query inside a statement of SQL (Apache AGE): it must not end the text around it."""
    return _ENDS_SQL_TEXT.search(text) is None and reads_only(text)


def _split(text: str) -> list[tuple[str, str]]:
    """Kind and text of each token, words in lower case; none where the query cannot be taken apart."""
    if _ODD_SPACES.search(text) is not None or "$$" in text:
        return []
    tokens: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None or len(tokens) > _MAX_TOKENS:
            return []
        position, kind = match.end(), str(match.lastgroup)
        if kind != "space":
            tokens.append((kind, match[0].lower() if kind == "word" else match[0]))
    return tokens


def _split_statements(tokens: list[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    statements: list[list[tuple[str, str]]] = [[]]
    for token in tokens:
        if token == ("sign", ";"):
            statements.append([])
        else:
            statements[-1].append(token)
    return [statement for statement in statements if statement]


def _reads(tokens: list[tuple[str, str]]) -> bool:
    if tokens[0][1] not in _READING_STARTS or not _is_balanced(tokens):
        return False
    return all(_is_allowed(tokens, place) for place in range(len(tokens)))


def _is_balanced(tokens: list[tuple[str, str]]) -> bool:
    closing = {")": "(", "]": "[", "}": "{"}
    stack: list[str] = []
    for kind, text in tokens:
        if kind != "sign":
            continue
        if text in closing.values():
            stack.append(text)
        elif text in closing and (not stack or stack.pop() != closing[text]):
            return False
    return not stack


def _is_allowed(tokens: list[tuple[str, str]], place: int) -> bool:  # noqa: PLR0911  one return for each reason
    """Whether a token may stand in a query that reads."""
    kind, text = tokens[place]
    after = tokens[place + 1] if place + 1 < len(tokens) else ("", "")
    if kind == "name":
        return after != ("sign", "(")  # quotes hide which function it is
    if kind != "word":
        return True
    before = tokens[place - 1] if place else ("", "")
    if before in _MEMBER_SIGNS and not _ends_number(tokens, place - 1):
        return after != ("sign", "(") or _is_pure_call(tokens, place)
    if after == ("sign", "("):
        return _is_pure_call(tokens, place) and (text in _KEYWORDS or not _ends_operand(tokens, place - 1))
    if text in _ALIASES and before == ("word", "as") and _ends_operand(tokens, place - 2):
        return True
    if text in _ACTING_WORDS:
        return after == ("sign", ":") and before in (("sign", "{"), ("sign", ","))  # a key of a map
    return text in _KEYWORDS or not _ends_operand(tokens, place - 1)


_MEMBER_SIGNS: Final = frozenset(("sign", sign) for sign in (".", ":", "|", "&", "!"))
"""Signs in front of the name of a property, a label or a type."""


def _ends_number(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether a dot belongs to the number before it: `1. DELETE` names no property."""
    return tokens[place] == ("sign", ".") and place > 0 and tokens[place - 1][0] == "number"


def _ends_operand(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether a token completes an operand, so that only a keyword can follow."""
    if place < 0:
        return False
    kind, text = tokens[place]
    if kind == "word":
        return text not in _KEYWORDS or text in ("null", "true", "false", "end")
    if kind == "sign":
        before = tokens[place - 1] if place else ("", "")
        is_star = text == "*" and (before[0] == "word" or before in (("sign", "("), ("sign", ",")))
        return text in (")", "]", "}") or is_star
    return True


def _is_pure_call(tokens: list[tuple[str, str]], place: int) -> bool:
    """Whether a word before a bracket calls a function of the list, or calls nothing."""
    word = tokens[place][1]
    start = place
    while start >= 2 and tokens[start - 1] == ("sign", ".") and tokens[start - 2][0] in ("word", "name"):
        start -= 2
    if start < place:
        path = ".".join(text for _, text in tokens[start : place + 1] if text != ".")
        return path in _NAMESPACED
    return word in _FUNCTIONS or (word in _KEYWORDS and word not in _ACTING_WORDS)
