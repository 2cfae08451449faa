"""Which calls list numbered records (mails, tickets, messages of a chat), and which calls act on them, by their names.

    is_list_of("inbox_overview", "inbox_respond", "mail_id")   # True
    is_list_of("web_search", "inbox_respond", "mail_id")       # False: its hits are numbered, but no mails

The number 17 means something else in each system, and a page, a document or a mail may contain any text that its
author chose. So only a list counts, and only of a source that speaks of the same things as the call.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from halo_core.model import Provenance
from halo_core.values.kinds.argument_names import (
    find_nouns_of_number,
    name_of_argument,
    names_amount,
    names_list,
    names_somebody,
    split_argument_name,
)
from halo_core.values.kinds.dates import is_date
from halo_core.values.kinds.kinds import Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.known_rows import is_row_of_named_person
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import Sketch

RECORD_NOUNS: Final = frozenset(
    "message mail email thread ticket case issue post comment invitation event request bug ts msg subscription "
    "notification conversation complaint question review task card story application letter form submission rma claim "
    "incident alert alarm inquiry enquiry offer quote bid proposal referral rsvp paper document file report "
    "response candidate applicant participant attendee registrant registration signup respondent petition".split()
)
_NUMBERING: Final = frozenset("id ids no nr number num ref key uid uuid".split())
_PERSON_NOUNS: Final = frozenset(
    "user person contact account customer member recipient payee phone telephone channel group room dm direct "
    "sms".split()
)
_CONTAINERS: Final = frozenset(
    "channel room group board project folder inbox mailbox queue team calendar workspace space list label account user "
    "customer sender repo repository page".split()
)
"""Words of arguments for the place of records, and not for one record."""
_SENDERS: Final = frozenset("sender author from by reporter writer poster".split())
"""Words of arguments that say who sent the records."""
_PARTIES: Final = _SENDERS | frozenset(
    "owner client customer supplier vendor debtor guest tenant patient parent partner contact person member applicant "
    "family company publisher agent insurer carrier".split()
)
"""Words of arguments for the person whose records are listed."""
_HOSTING: Final = frozenset("repo repository project org organization organisation workspace bucket".split())
"""Words of arguments beside which an owner is that of a place, and did not write its contents."""
_FILTERS: Final = frozenset("unread unseen unanswered open state status since limit max top".split())
"""Words of arguments that filter records, and do not say whose they are."""
_SEARCHING: Final = frozenset("query q search keyword term text topic subject filter".split())
_MAX_PARTY_WORDS: Final = 4
_PARTY_WORD: Final = compile_later(r"[^\W_]+")
_SINGLE_KINDS: Final = frozenset({Kind.URL, Kind.HOST, Kind.PATH, Kind.PROGRAM})
_EITHER_KIND: Final = frozenset({"mail", "chat"})
_FAMILIES: Final[dict[str, frozenset[str]]] = {
    **dict.fromkeys("message msg thread conversation correspondence".split(), _EITHER_KIND),
    **dict.fromkeys(
        "mail email inbox mailbox gmail outlook imap newsletter letter fax telex".split(), frozenset({"mail"})
    ),
    **dict.fromkeys(
        "chat channel room dm discussion post comment slack discord forum ts im".split(), frozenset({"chat"})
    ),
    **dict.fromkeys("ticket issue case bug request complaint support helpdesk".split(), frozenset({"ticket"})),
    **dict.fromkeys("event meeting invitation calendar appointment agenda".split(), frozenset({"event"})),
    **dict.fromkeys("question review feedback rating".split(), frozenset({"question"})),
}
"""Word of a name → the records that it may number."""
_GENERIC_WORDS: Final = frozenset(
    "get list read search find fetch show load open look view check new all unread recent latest last text body the of "
    "by in on for from with to my our up and tool api v data info items item content contents name names page".split()
)
_ACTING: Final = frozenset(
    "reply respond answer delete remove bin trash drop discard erase purge cancel send write say add react comment "
    "decline accept quick back reject confirm dismiss acknowledge ack update edit change modify adjust amend".split()
)
"""Words of tools that act on the record with the given number, and name nothing else."""


@lru_cache(maxsize=2048)
def names_record(tool: str, argument: str) -> bool:
    """Whether an argument numbers something that was sent, and not a recipient: `mail_id`, `reply(id)`."""
    words = frozenset(split_argument_name(argument))
    if not _PERSON_NOUNS.isdisjoint(words) or not _PERSON_NOUNS.isdisjoint(split_argument_name(tool)):
        return not RECORD_NOUNS.isdisjoint(words) and _PERSON_NOUNS.isdisjoint(words)
    nouns = words.union(find_nouns_of_number(tool, argument))
    return not RECORD_NOUNS.isdisjoint(nouns) or words <= _NUMBERING - {"number"}


def names_listed(argument: str, sources: Iterable[str]) -> bool:
    """Whether an argument numbers what a source lists, by its name, and that is no person: `lead_id` of `web_leads`."""
    nouns = frozenset(map(singularize, split_argument_name(argument))) - _NUMBERING
    if not nouns or not nouns.isdisjoint(_PERSON_NOUNS | _CONTAINERS | _PARTIES) or names_somebody("_".join(nouns)):
        return False
    return any(not nouns.isdisjoint(_list_plurals(source)) for source in sources)


@lru_cache(maxsize=2048)
def _list_plurals(name: str) -> frozenset[str]:
    """List the plurals among the words of a name, in the singular."""
    return frozenset(singularize(word) for word in split_argument_name(name) if singularize(word) != word)


@lru_cache(maxsize=2048)
def is_list_of(source: str, tool: str, argument: str) -> bool:
    """Whether a source lists what a call acts on, by the words of their names.

    Args:
        source: name of the resource that listed.
        tool: name of the resource that acts.
        argument: that has the number.
    """
    listed, named, acted = _list_words(source), _list_words(argument) - _NUMBERING, _list_words(tool) - _ACTING
    # `project_drop(id)` numbers a project; `inbox_respond(id)` what the inbox lists.
    if not named and not acted <= listed | RECORD_NOUNS:
        return False
    families, numbered = _find_families(listed), _find_families(named | _list_words(tool) if named else acted)
    if listed.isdisjoint(named | acted):
        return bool(families & numbered) if named or acted else bool(families)
    return not families or not numbered or bool(families & numbered)


def list_records_twice(sources: Iterable[str]) -> bool:
    """Whether more than one of these sources list what people sent or filed: mails, tickets, reports."""
    return sum(names_list(source) and _lists_numbered(source) for source in {*sources}) > 1


@lru_cache(maxsize=2048)
def _lists_numbered(source: str) -> bool:
    words = frozenset(map(singularize, split_argument_name(source)))
    return not words.isdisjoint(RECORD_NOUNS) or bool(_find_families(words))


def _find_families(words: Iterable[str]) -> frozenset[str]:
    """Find what the words may number: `chat_message` what is in a chat, `message` also mails."""
    found = [_FAMILIES[word] for word in words if word in _FAMILIES]
    if not found:
        return frozenset()
    return frozenset.intersection(*found) or frozenset.union(*found)


@lru_cache(maxsize=2048)
def _list_words(name: str) -> frozenset[str]:
    return frozenset(map(singularize, split_argument_name(name))) - _GENERIC_WORDS


def lists_records(leaves: Iterable[Leaf], tool: str = "") -> bool:
    """Whether the arguments of a call ask for a list: none of them names a single page, document or record.

    Args:
        leaves: of the arguments.
        tool: its name. `matter_papers(matter_no)` lists the papers of one matter.
    """
    return not any(_names_one(leaf, tool) for leaf in leaves)


def lists_by_filters(arguments: Iterable[str]) -> bool:
    """Whether each argument of a call only filters many records, by its name: `unread`, `limit`."""
    names = [frozenset(split_argument_name(name)) for name in arguments]
    return bool(names) and not any(map(_FILTERS.isdisjoint, names))


def names_one_sender(leaves: Iterable[Leaf]) -> bool:
    """Whether a call asks for what one person sent, who then may have written all of the result."""
    return any(
        not _SENDERS.isdisjoint(map(singularize, split_argument_name(name_of_argument(leaf.pointer))))
        for leaf in leaves
    )


def find_parties(leaves: Iterable[Leaf], traced: Iterable[TracedLeaf]) -> frozenset[tuple[str, ...]]:
    """Find the names, in small letters, whose records a call asks for, if the user wrote them: `sender="Nordlicht"`.

    A search for words does not count: it also finds a mail in which somebody else wrote "Nordlicht".
    """
    origins = {leaf.pointer: leaf.origin for leaf in traced}
    if any(not _HOSTING.isdisjoint(split_argument_name(name_of_argument(pointer))) for pointer in origins):
        return frozenset()
    found = set[tuple[str, ...]]()
    for leaf in leaves:
        words = split_argument_name(name_of_argument(leaf.pointer))
        if _PARTIES.isdisjoint(words) or not _NUMBERING.union(_SEARCHING).isdisjoint(words):
            continue
        name = tuple(map(str.casefold, _PARTY_WORD.findall(leaf.text)))
        if origins.get(leaf.pointer) is Provenance.USER and 0 < len(name) <= _MAX_PARTY_WORDS:
            found.add(name)
    return frozenset(found)


def lists_of_one(tool: str, leaves: Iterable[Leaf], traced: Iterable[TracedLeaf], sketch: Sketch) -> bool:
    """Whether a call lists what belongs to one thing or person that the user named and a trusted lookup numbered.

    `case_messages(case_id="C-2044")`, after a trusted list that gives C-2044 as the case of Solveig, whom the user
    named.
    """
    plurals = _list_plurals(tool)
    if plurals.isdisjoint(RECORD_NOUNS):
        return False
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    numbering = [
        leaf for leaf in traced if not _NUMBERING.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
    ]
    return bool(numbering) and all(
        plurals.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        and leaf.origin in VOUCHED_ORIGINS
        and is_row_of_named_person(sketch, texts.get(leaf.pointer, ""))
        for leaf in numbering
    )


def _names_one(leaf: Leaf, tool: str) -> bool:
    name = name_of_argument(leaf.pointer)
    words = frozenset(map(singularize, split_argument_name(name)))
    if _lists_parts(tool, words):
        return False
    if words != {"n"} and names_amount(name):
        return False
    kinds = {value.kind for value in parse_argument(leaf.text, words)}
    if not _SINGLE_KINDS.isdisjoint(kinds):
        return True
    if not _CONTAINERS.isdisjoint(words) or Kind.EMAIL in kinds:
        return False
    if not _NUMBERING.isdisjoint(words) or not RECORD_NOUNS.isdisjoint(words):
        return True
    return leaf.text.strip().isdigit() and not is_date(leaf.text)


@lru_cache(maxsize=2048)
def _lists_parts(tool: str, argument: frozenset[str]) -> bool:
    """Whether a tool lists records of what an argument numbers, and not that itself: `matter_papers(matter_no)`."""
    plurals = {word for word in split_argument_name(tool) if singularize(word) != word}
    numbered = argument - _NUMBERING
    return (
        not RECORD_NOUNS.isdisjoint(map(singularize, plurals))
        and bool(numbered - RECORD_NOUNS)
        and numbered.isdisjoint(RECORD_NOUNS)
    )


def speaks_of_messages(tool: str) -> bool:
    """Whether a tool is named after messages that somebody sent: `read_mail`, and not `fetch_page`."""
    return any(singularize(word) in _FAMILIES for word in split_argument_name(tool))
