"""Guesses what a tool that nobody declared does, with the reason in words.

`guess_tool` is pure: it reads the tool's name, its description, the schema of its arguments, and what its server says
of it. A guess only proposes a declaration, and `halo enforce` asks a person about each. So it errs towards the graver
class: an ambiguous verb gives `unknown`, and a tool with an argument that is a statement, a command or an amount never
counts as a read. What a server says (`readOnlyHint` of the Model Context Protocol) can raise a class but not lower it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any, Final

from halo_core.enforcement import guess_words as words
from halo_core.enforcement.guess_names import (
    HANDED_OVER,
    LISTING,
    TEXT_WORD,
    Finding,
    adjust_by_object,
    find_pure_verb,
    find_verb_class,
    hands_over,
    is_milder,
    is_prefixed,
    judge_name,
    judge_query,
    split_words,
)
from halo_core.model import Impact, Reversal
from halo_core.quick_dataclass import dataclass
from halo_core.values.kinds.argument_names import names_note

_MAX_DESCRIPTION: Final = 2000  # characters
_MAX_NAME: Final = 256
_MAX_ARGUMENTS: Final = 256

_TARGETS: Final = frozenset(
    "to cc bcc recipient recipients receiver beneficiary payee creditor iban account destination dest target url uri "
    "link webhook endpoint host domain email emails mail address addresses user username member collaborator channel "
    "phone participant participants attendee attendees attachment attachments path file repo repository owner key "
    "command".split()
)
_ID_WORDS: Final = frozenset(("id", "ids", "uuid", "number"))
_AMOUNTS: Final = ("amount", "sum", "value", "price", "total")
_REVERSAL: Final = {
    Impact.READ: Reversal.NONE_NEEDED,
    Impact.WRITE: Reversal.UNDO,
}
"""How an effect of a class is taken back; nothing else is, unless a declaration says so."""
_MILD: Final = (Impact.READ, Impact.WRITE, Impact.UNKNOWN)


@dataclass(frozen=True, slots=True)
class ServerHints:
    """Hints that a tool's server gives about it, as annotations of the Model Context Protocol.

    Args:
        read_only: that it changes nothing; None if nothing is said.
        destructive: that it may delete or overwrite.
    """

    read_only: bool | None = None
    destructive: bool | None = None


NO_HINTS: Final = ServerHints()


@dataclass(frozen=True, slots=True)
class Guess:
    """The guessed class and roles of a tool.

    Args:
        impact: its class; `unknown` where nothing says it, or where it could be several.
        reversal: how an effect of this class is taken back.
        targets: arguments that seem to say where money or data goes, or what is deleted, sorted.
        amount: the argument that seems to hold the amount at stake, empty if none.
        programs: (argument, language) of each argument that seems to be a program.
        reasons: why, in words, the first of them decided.
    """

    impact: Impact
    reversal: Reversal
    targets: tuple[str, ...]
    amount: str
    programs: tuple[tuple[str, str], ...]
    reasons: tuple[str, ...]

    @property
    def why(self) -> str:
        """The reasons, on one line."""
        return "; ".join(self.reasons)


@dataclass(frozen=True, slots=True)
class _Argument:
    """One argument of a schema: its name, the words of the name, its JSON type and its choices."""

    name: str
    words: tuple[str, ...]
    type: str
    choices: tuple[str, ...]


def guess_tool(name: str, description: str, schema: Mapping[str, Any], hints: ServerHints = NO_HINTS) -> Guess:
    """Guess the class of a tool, its targets, its amount and its programs.

    Args:
        name: name of the tool, as the model calls it.
        description: description of the tool, as the model reads it.
        schema: JSON schema of its arguments.
        hints: what its server says of it.
    """
    name_words = split_words(name[:_MAX_NAME])
    text = description[:_MAX_DESCRIPTION]
    arguments = list(_read_arguments(schema))
    programs = tuple(_find_programs(name_words, text, arguments))
    findings = [_judge_subscription(name_words, arguments) or _judge_words(name_words, text)]
    findings += _judge_arguments(findings[0], name_words, arguments, programs)
    findings += _judge_hints(hints)
    chosen = _choose(findings)
    return Guess(
        impact=chosen.impact or Impact.UNKNOWN,
        reversal=_REVERSAL.get(chosen.impact or Impact.UNKNOWN, Reversal.IRREVERSIBLE),
        targets=_find_targets(chosen.impact, name_words, arguments),
        amount=next((word for word in _AMOUNTS if any(item.name == word for item in arguments)), ""),
        programs=programs,
        reasons=tuple(dict.fromkeys([chosen.why, *(item.why for item in findings if item.impact is chosen.impact)])),
    )


def _find_targets(impact: Impact | None, name_words: list[str], arguments: list[_Argument]) -> tuple[str, ...]:
    """List the arguments that seem to name a destination, or what a deletion deletes, sorted."""
    targets = tuple(sorted(item.name for item in arguments if _names_target(item, name_words)))
    if targets or impact is not Impact.DELETE:
        return targets
    # Of several, each could say what is deleted: `delete_rows(table, row_id)`.
    others = [item for item in arguments if not names_note(f"/{item.name}")]
    is_by_id = len(others) == 1 and not _ID_WORDS.isdisjoint(others[0].words[-1:])
    return (others[0].name,) if is_by_id else ()


def _names_target(item: _Argument, name_words: list[str]) -> bool:
    """Whether an argument seems to name a destination: `target`, but not `target_language`.

    Nor the `to` of `convert_currency` and `translate`, which says what becomes of what is given.
    """
    if item.words == ("to",) and name_words[:1] in (["convert"], ["translate"]):
        return name_words[0] == "convert" and words.RESULT_FORMS.isdisjoint(name_words)
    return not _TARGETS.isdisjoint(item.words) and words.RESULT_FORMS.isdisjoint(item.words)


def _judge_subscription(name_words: list[str], arguments: list[_Argument]) -> Finding | None:
    """Judge a subscription to something that is sent, such as a newsletter, which is no payment."""
    every = {word for item in arguments for word in item.words} | {*name_words}
    if (
        name_words[:1] != ["subscribe"]
        or words.SENT_NOUNS.isdisjoint(every)
        or not words.PRICED_WORDS.isdisjoint(every)
    ):
        return None
    return Finding(Impact.SEND, "it has something sent to an address")


def _choose(findings: Iterable[Finding]) -> Finding:
    """The gravest finding. A finding without a class rules out a read."""
    chosen, *others = findings
    for item in others:
        if item.impact is None:
            if chosen.impact is Impact.READ:
                chosen = item
        elif chosen.impact is None or chosen.impact is Impact.UNKNOWN:
            # INVARIANT: FAILCLOSED - what could be anything becomes no read by what its arguments look like.
            chosen = item if item.impact not in (Impact.READ, Impact.WRITE) else chosen
        elif is_milder(chosen.impact, item.impact):
            chosen = item
    return chosen


def _judge_words(name_words: list[str], description: str) -> Finding:
    """Judge name and description together: the name decides, and the description can only make the class graver."""
    named = judge_name(name_words)
    if named is not None and named.impact is Impact.READ and name_words[0] == "query":
        named = judge_query(named, name_words, description)
    sentences = list(list_sentences(description))
    raised = find_graver(sentences)
    if named is not None and named.impact not in (None, *_MILD):
        return named
    if named is not None and named.impact in _MILD and not named.needs_support:
        is_raised = raised is not None and named.impact and raised.impact and is_milder(named.impact, raised.impact)
        return raised if is_raised and raised is not None else named
    described = judge_description(sentences) or raised
    is_handed = hands_over(name_words, description)
    if described is not None and described.impact not in (None, *_MILD):
        return HANDED_OVER if is_handed and described.impact is Impact.EXECUTE else described
    if is_handed:
        return HANDED_OVER
    return _join(named, described, name_words, description)


def _join(named: Finding | None, described: Finding | None, name_words: list[str], description: str) -> Finding:
    """Combine a name that suggests nothing or a read with a description that suggests nothing grave."""
    if named is not None and named.impact is None:
        return named
    if described is not None:
        both = f"{named.why} and {described.why}" if named is not None else described.why
        return Finding(described.impact, both)
    is_silent = not description.strip() and is_prefixed(name_words)
    if named is not None and (is_silent or name_words[-1] in words.NOUN_ENDINGS):
        return named
    return Finding(None, "neither name nor description says what it does")


# arguments


def _read_arguments(schema: Mapping[str, Any]) -> Iterator[_Argument]:
    properties = schema.get("properties")
    for name, spec in list(properties.items())[:_MAX_ARGUMENTS] if isinstance(properties, Mapping) else ():
        if not isinstance(name, str):
            continue
        fields = spec if isinstance(spec, Mapping) else {}
        choices = fields.get("enum", [fields["const"]] if "const" in fields else [])
        texts = tuple(item for item in choices if isinstance(item, str)) if isinstance(choices, list | tuple) else ()
        type_ = fields.get("type", "")
        yield _Argument(name, tuple(split_words(name[:_MAX_NAME])), type_ if isinstance(type_, str) else "", texts)


def _find_programs(name_words: list[str], text: str, arguments: list[_Argument]) -> Iterator[tuple[str, str]]:
    """(argument, language) of each argument that is run as a program."""
    all_words = {*name_words, *(word.lower() for word in TEXT_WORD.findall(text))}
    language = next((words.LANGUAGES[word] for word in words.LANGUAGES if word in all_words), "")
    runs = not words.QUERY_RUNNERS.isdisjoint(all_words) and not words.DATABASE_WORDS.isdisjoint(all_words)
    lead = name_words[0] if name_words else ""
    for item in arguments:
        if item.choices or item.type in ("integer", "number", "boolean"):
            continue
        own = next((words.PROGRAM_ARGUMENTS[word] for word in item.words if word in words.PROGRAM_ARGUMENTS), "")
        if own:
            yield item.name, language or own
        elif "code" in item.words[-1:] and (len(item.words) > 1 or not words.CODE_CONTEXT.isdisjoint(all_words)):
            if item.words[0] in words.LANGUAGES or not words.CODE_CONTEXT.isdisjoint(all_words):
                yield item.name, language or "code"
        elif "query" in item.words or item.words in (("q",), ("tool", "input"), ("input",)):
            is_search = lead in ("search", "find", "lookup", "list")
            if (language and not is_search and _runs_language(name_words, item)) or (runs and lead == "query"):
                yield item.name, language or "sql"


def _runs_language(name_words: list[str], item: _Argument) -> bool:
    """Whether a tool whose name mentions a language runs the text in its query."""
    return any(word in words.LANGUAGES for word in (*name_words, *item.words)) and not (
        {"list", "schema", "describe", "tables", "docs"} & set(name_words)
    )


def _judge_arguments(
    named: Finding, name_words: list[str], arguments: list[_Argument], programs: tuple[tuple[str, str], ...]
) -> Iterator[Finding]:
    for argument, language in programs:
        yield Finding(Impact.EXECUTE, f"argument `{argument}` is a program ({language})")
    for item in arguments:
        yield from _judge_choices(item)
        yield from _judge_argument(named, item)
        is_recipient = not words.RECIPIENT_ARGUMENTS.isdisjoint(item.words)
        if is_recipient and words.DRAFT_WORDS.isdisjoint(name_words) and named.impact is not Impact.READ:
            yield Finding(Impact.SEND, f"argument `{item.name}` names who is told")
    every = {word for item in arguments for word in item.words}
    if not {"url", "endpoint", "uri"}.isdisjoint(every) and not words.HTTP_BODIES.isdisjoint(every):
        yield Finding(Impact.SEND, "it sends what the caller says to the address that the caller names")
    if _opens_record(named, name_words, arguments):
        yield Finding(Impact.WRITE, "it opens something with a text of the caller, which makes a record")
    if "evaluate" in name_words and not words.EVALUATED_ARGUMENTS.isdisjoint(every):
        yield Finding(Impact.EXECUTE, "it evaluates what it is given")
    if {"subagent", "agent"} & every and named.impact is Impact.READ:
        yield HANDED_OVER


def _opens_record(named: Finding, name_words: list[str], arguments: list[_Argument]) -> bool:
    """Whether a tool that opens something creates it: `open_ticket(title)` does, `open_file(path)` does not."""
    verb = next((word for word in name_words if word in words.READ_VERBS), "")
    is_text = any(item.words and item.words[-1] in words.RECORD_TEXTS for item in arguments)
    return named.impact is not None and verb == "open" and is_text


def _judge_argument(named: Finding, item: _Argument) -> Iterator[Finding]:
    """What one argument rules out or adds: code, amounts, options such as `delete_after`."""
    if item.words == ("code",) and not item.choices:
        yield Finding(None, f"argument `{item.name}` may be a program")
    if not words.AMOUNT_WORDS.isdisjoint(item.words) and words.BOUND_WORDS.isdisjoint(item.words):
        if named.impact is Impact.READ or item.type == "boolean":
            yield Finding(None, f"argument `{item.name}` is an amount")
        elif named.impact in (None, Impact.UNKNOWN, Impact.WRITE):
            yield Finding(Impact.PAYMENT, f"argument `{item.name}` is an amount")
    is_option = item.type == "boolean" and words.DISPLAY_FLAGS.isdisjoint(item.words)
    if is_option and (flagged := find_pure_verb(item.words)) is not None:
        yield Finding(flagged.impact, f"it has an option `{item.name}`")


def _judge_choices(item: _Argument) -> Iterator[Finding]:
    """Judge the verbs among an argument's choices: `action: list | delete`."""
    is_action = not words.ACTION_ARGUMENTS.isdisjoint(item.words)
    for choice in item.choices if is_action else ():
        verbs = split_words(choice)
        by_method = words.HTTP_METHODS.get(choice.lower())
        impact = by_method or (find_verb_class(verbs[0]) if verbs else None)
        if impact is not None and impact is not Impact.READ:
            exact = impact if by_method else adjust_by_object(verbs[0], impact, verbs[1:]).impact
            yield Finding(exact, f"`{item.name}` can be `{choice}`")
    if (
        is_action
        and not item.choices
        and item.type in ("", "string")
        and item.words[-1] in ("action", "operation", "op")
    ):
        yield Finding(Impact.UNKNOWN, f"`{item.name}` says what is done")


def _judge_hints(hints: ServerHints) -> Iterator[Finding]:
    """Raise the class by a server's hints. A hint that a tool is harmless is ignored."""
    if hints.read_only is False or hints.destructive:
        yield Finding(Impact.WRITE, "its server says that it changes something")


_SENTENCE_END: Final = re.compile(r"[.;:!?\n]+")
_MAX_LEAD: Final = 8  # words of a sentence among which its verb is looked for


def list_sentences(description: str) -> Iterator[list[str]]:
    """The words of each sentence from its verb on; sentences that negate something are left out."""
    for sentence in _SENTENCE_END.split(description):
        sentence_words = [word.lower() for word in TEXT_WORD.findall(sentence)]
        if words.NEGATIONS.isdisjoint(sentence_words):
            while sentence_words and sentence_words[0] in words.FILLERS:
                sentence_words = sentence_words[1:]
            if sentence_words:
                yield sentence_words


def _list_bases(word: str) -> Iterator[str]:
    """A word as written, and without a third-person ending."""
    yield word
    if word.endswith("ies"):
        yield f"{word[:-3]}y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]


def judge_description(sentences: list[list[str]]) -> Finding | None:
    """The class by the first verb of the first sentence that has one."""
    for sentence in sentences[:2]:
        for word in sentence[:_MAX_LEAD]:
            for base in _list_bases(word):
                impact = find_verb_class(base) or (Impact.READ if base in words.READ_DESCRIPTION_VERBS else None)
                if (
                    impact in (Impact.SEND, Impact.WRITE)
                    and word != sentence[0]
                    and base not in words.PURE_VERBS[impact]
                ):
                    continue  # `mails`, `messages`: things here, and verbs only in front
                if base in words.PURCHASE_VERBS and word == sentence[0]:
                    impact = Impact.PAYMENT
                if impact is not None:
                    return Finding(impact, f"the description has `{word}`")
                if base in words.AMBIGUOUS_VERBS and word == sentence[0]:
                    return None
    return None


def find_graver(sentences: list[list[str]]) -> Finding | None:
    """The gravest verb that leads a sentence, or that a sentence lists after another."""
    gravest: Finding | None = None
    for sentence in sentences:
        led = _find_lead(sentence[0])
        listed = [
            finding
            for before, word in pairwise(sentence)
            if before in LISTING and (finding := _find_lead(word, pure=True)) is not None
        ]
        for item in ([led] if led is not None else []) + listed:
            if gravest is None or (item.impact and gravest.impact and is_milder(gravest.impact, item.impact)):
                gravest = item
    return gravest


def _find_lead(word: str, *, pure: bool = False) -> Finding | None:
    for base in _list_bases(word):
        impact = find_verb_class(base)
        if impact is not None and (not pure or base in words.PURE_VERBS[impact] or base in words.LISTED_VERBS):
            return Finding(impact, f"the description says `{word}`")
    return None
