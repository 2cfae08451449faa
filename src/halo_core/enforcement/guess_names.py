"""What the words of a tool's name say about its class: the verb, its object, and further verbs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from halo_core.authority import RISK_POINTS
from halo_core.enforcement import guess_words as words
from halo_core.model import Impact

_NAME_WORD: Final = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[0-9]+")
TEXT_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*")
LISTING: Final = frozenset({"and", "then", "or"})
_CHANGING: Final = (Impact.WRITE, Impact.SEND, Impact.DELETE, Impact.ADMIN)


class Finding(NamedTuple):
    """A guessed class, and the reason for it.

    Args:
        impact: None if it says only that the tool is no safe read.
        why: the reason in words.
        needs_support: a read by its name only if the description reads, too.
    """

    impact: Impact | None
    why: str
    needs_support: bool = False


HANDED_OVER: Final = Finding(None, "it hands work to another agent")


def split_words(name: str) -> list[str]:
    """The lower-case words of a name in snake case, camel case or with other separators."""
    return [word.lower() for word in _NAME_WORD.findall(name)]


def is_milder(impact: Impact, than: Impact) -> bool:
    """Whether one class is treated less strictly than another, by its risk points."""
    return RISK_POINTS[impact] < RISK_POINTS[than]


def judge_query(named: Finding, name_words: list[str], description: str) -> Finding:
    """Judge a name such as `query_orders`, which may search or run any statement it is given."""
    all_words = {*name_words, *(word.lower() for word in TEXT_WORD.findall(description))}
    if any(word in words.LANGUAGES for word in all_words) or not words.DATABASE_WORDS.isdisjoint(all_words):
        return Finding(Impact.EXECUTE, "it runs queries in a language, whatever they do")
    return named._replace(needs_support=True)


def judge_name(name_words: list[str]) -> Finding | None:  # noqa: PLR0911  one return for each rule
    """The class that a name suggests; None if none of its words suggests one."""
    if not name_words:
        return None
    special = _judge_toolkit_name(name_words)
    if special is not None:
        return special
    lead, inner_words = name_words[0], name_words[1:]
    if lead in words.READ_VERBS:
        return _judge_reading_name(lead, inner_words)
    if lead in words.PURCHASE_VERBS:
        if inner_words and inner_words[-1] in words.READ_ENDINGS:
            return Finding(Impact.READ, f"the name ends with `{inner_words[-1]}`", needs_support=True)
        if lead in ("book", "reserve") and len(inner_words) == 1 and inner_words[0] in words.APPOINTMENTS:
            return Finding(Impact.WRITE, f"the name books a {inner_words[0]}, which is not paid for then")
        return Finding(Impact.PAYMENT, f"the name starts with `{lead}`: what is booked or ordered is paid for")
    impact = find_verb_class(lead)
    is_verb = bool(inner_words) and inner_words[0] in _AFTER_VERBS  # `mark_as_read`
    if (
        inner_words
        and not is_verb
        and inner_words[-1] in words.READ_ENDINGS
        and (impact is None or _is_noun(lead))
        and lead not in _BARE_AMBIGUOUS
    ):
        graver = find_pure_verb(inner_words[:-1])
        return graver or Finding(Impact.READ, f"the name ends with `{inner_words[-1]}`", needs_support=True)
    if impact is not None:
        return adjust_by_object(lead, impact, inner_words)
    if lead in words.AMBIGUOUS_VERBS:
        return _judge_ambiguous(lead, inner_words)
    return _judge_inner_words(inner_words)


_AFTER_VERBS: Final = frozenset({"as", "to", "into", "with", "from", "on", "off"})
_BARE_AMBIGUOUS: Final = words.AMBIGUOUS_VERBS - {"task", "tool", "api", "review", "request", "action"}


def _judge_toolkit_name(name_words: list[str]) -> Finding | None:  # noqa: PLR0911  one return for each rule
    """Judge names whose verb depends on the toolkit or on the following word."""
    lead, inner_words = name_words[0], name_words[1:]
    if lead == "git" and inner_words and inner_words[0] in words.GIT_COMMANDS:
        return Finding(words.GIT_COMMANDS[inner_words[0]], f"`git {inner_words[0]}`")
    if lead in words.HTTP_PREFIXES and inner_words and inner_words[-1] in words.HTTP_METHODS:
        return Finding(words.HTTP_METHODS[inner_words[-1]], f"it makes an HTTP {inner_words[-1].upper()} request")
    if lead in ("check", "sign", "log", "opt", "cash") and inner_words and inner_words[0] in ("out", "in", "up", "off"):
        if lead in ("check", "cash") and inner_words[0] == "out":
            return Finding(Impact.PAYMENT, f"`{lead} out` ends a purchase")
        return Finding(None, f"`{lead} {inner_words[0]}` can mean anything")
    if lead == "look" and inner_words and inner_words[0] == "up":
        return _judge_reading_name("look up", inner_words[1:])
    if "api" in name_words and words.READ_VERBS.isdisjoint(name_words) and find_pure_verb(name_words) is None:
        return Finding(Impact.EXECUTE, "it calls whatever function of an API it is given")
    runs = not words.QUERY_RUNNERS.isdisjoint(name_words) and not words.DATABASE_WORDS.isdisjoint(name_words)
    dialects = [word for word in name_words if word in words.LANGUAGES and word not in ("shell", "terminal", "js")]
    if runs or (not words.QUERY_RUNNERS.isdisjoint(name_words) and dialects):
        return Finding(Impact.EXECUTE, "it runs queries on a database, whatever they do")
    return None


def _judge_reading_name(lead: str, inner_words: list[str]) -> Finding:
    graver = find_pure_verb(inner_words) or _find_listed(inner_words)
    return graver or Finding(Impact.READ, f"the name starts with `{lead}`")


def _judge_inner_words(inner_words: list[str]) -> Finding | None:
    """Judge a name whose first word suggests nothing by the first other word that does."""
    for index, word in enumerate(inner_words):
        if word in words.READ_VERBS:
            graver = find_pure_verb(inner_words[index + 1 :])
            return graver or Finding(Impact.READ, f"the name has `{word}`", needs_support=True)
        impact = find_verb_class(word)
        if impact is not None:
            return adjust_by_object(word, impact, inner_words[index + 1 :])
        if word in words.PURCHASE_VERBS and index == 0 and len(inner_words) > 1:
            return Finding(Impact.PAYMENT, f"the name has `{word}`: what is booked or ordered is paid for")
        if word in words.AMBIGUOUS_VERBS:
            return _judge_ambiguous(word, inner_words[index + 1 :])
    if inner_words and inner_words[-1] in words.READ_ENDINGS:
        return Finding(Impact.READ, f"the name ends with `{inner_words[-1]}`", needs_support=True)
    return None


def _judge_ambiguous(verb: str, inner_words: list[str]) -> Finding:
    """Judge an ambiguous verb by its object: `process_refund` pays, `reset_password` changes rights."""
    by_object = adjust_by_object(verb, Impact.WRITE, inner_words)
    return by_object if by_object.impact is not Impact.WRITE else Finding(None, f"`{verb}` can mean anything")


def adjust_by_object(verb: str, impact: Impact, inner_words: list[str]) -> Finding:
    """Adjust the class of a verb by its object: `create_invoice` is a payment, `add_collaborator` grants a right."""
    if verb == "transfer":
        return _judge_transfer(inner_words)
    if words.DRAFT_WORDS & {verb, *inner_words} and impact is Impact.WRITE:
        return Finding(Impact.WRITE, "it makes a draft")
    why = f"the name has `{verb}`"
    by_object = _judge_object(verb, impact, inner_words, why)
    if by_object is not None:
        return by_object
    graver = find_pure_verb(inner_words) or _find_listed(inner_words)
    if graver is not None and graver.impact is not None and is_milder(impact, graver.impact):
        return graver
    return Finding(impact, why)


def _judge_object(verb: str, impact: Impact, inner_words: list[str], why: str) -> Finding | None:
    """The gravest class that the words after the verb suggest."""
    if impact in _CHANGING and impact is not Impact.SEND and (rights := _list_rights(verb, inner_words)):
        return Finding(Impact.ADMIN, f"{why} and `{rights[0]}`: it changes who may do what")
    candidates: list[tuple[bool, frozenset[str], Impact, str]] = [
        (verb in words.SYSTEM_VERBS, words.SYSTEM_NOUNS, Impact.ADMIN, ": everybody gets it so"),
        (verb == "apply", words.APPLIED_NOUNS, Impact.EXECUTE, ": what it applies is a program"),
        (impact in (Impact.WRITE, Impact.SEND), words.MONEY_NOUNS, Impact.PAYMENT, ""),
    ]
    if impact is Impact.WRITE:
        candidates += [
            (verb in words.MESSAGE_VERBS, words.MESSAGE_NOUNS, Impact.SEND, ": others read it"),
            (verb in words.STARTING_VERBS, words.STARTED_NOUNS, Impact.EXECUTE, ": it goes on acting by itself"),
            (True, words.NOUN_VERBS[Impact.EXECUTE], Impact.EXECUTE, ""),
        ]
    for applies, nouns, graver, note in candidates:
        met = next((word for word in inner_words if word in nouns), "") if applies else ""
        if met:
            return Finding(graver, f"{why} and `{met}`{note}")
    return None


def _list_rights(verb: str, inner_words: list[str]) -> list[str]:
    """Words that stand for a right somebody has, where the verb changes it."""
    rights = words.RIGHTS_NOUNS
    if verb in words.MEMBER_VERBS:
        rights |= words.MEMBER_NOUNS
    if verb in words.KEY_VERBS:
        rights |= words.KEY_NOUNS
    return [word for word in inner_words if word in rights]


def _judge_transfer(inner_words: list[str]) -> Finding:
    if not words.RIGHTS_NOUNS.isdisjoint(inner_words):
        return Finding(Impact.ADMIN, "it transfers ownership or rights")
    if {"file", "files", "data", "document", "documents"} & set(inner_words):
        return Finding(Impact.SEND, "it transfers data")
    if inner_words[:1] in (["to"], ["back"]) or "agent" in inner_words:
        return Finding(None, "`transfer to` can be a hand-off or a payment")
    return Finding(Impact.PAYMENT, "the name has `transfer`")


def find_verb_class(word: str) -> Impact | None:
    """The gravest class, reads excluded, that lists the word as a verb."""
    for table in (words.PURE_VERBS, words.NOUN_VERBS):
        for impact, verbs in table.items():
            if word in verbs:
                return impact
    return None


def _is_noun(word: str) -> bool:
    return any(word in verbs for verbs in words.NOUN_VERBS.values())


def find_pure_verb(inner_words: Iterable[str]) -> Finding | None:
    """The gravest verb among the words after another verb, ignoring words that are also nouns."""
    gravest = None
    for word in inner_words:
        for impact, verbs in words.PURE_VERBS.items():
            if word in verbs and (gravest is None or (gravest.impact and is_milder(gravest.impact, impact))):
                gravest = Finding(impact, f"the name has `{word}`, too")
    return gravest


def _find_listed(inner_words: list[str]) -> Finding | None:
    """The verb after `and`, `then` or `or`, as in `get_and_post`."""
    for index, word in enumerate(inner_words[:-1]):
        impact = find_verb_class(inner_words[index + 1]) if word in LISTING else None
        if impact is not None:
            return Finding(impact, f"the name has `{word} {inner_words[index + 1]}`")
    return None


def is_prefixed(name_words: list[str]) -> bool:
    """Whether only product names or nouns stand before a reading word."""
    before = []
    for word in name_words:
        if word in words.READ_ENDINGS:
            break
        before.append(word)
    return all(word in words.PREFIXES or _is_noun(word) or word in words.PURCHASE_VERBS for word in before)


def hands_over(name_words: list[str], description: str) -> bool:
    """Whether the name or the description mentions another agent."""
    all_words = {*name_words, *(word.lower() for word in TEXT_WORD.findall(description[:200]))}
    return not {"agent", "subagent", "subagents", "handoff", "assistant"}.isdisjoint(all_words)
