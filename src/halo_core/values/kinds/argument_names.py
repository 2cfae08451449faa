"""What the name of an argument or a field says of its value: an amount, a note, a thing of a system, what is counted.

    split_argument_name("invoiceId")             # ("invoice", "id")
    names_amount("max_results")                  # True: a number here is a count
    find_nouns_of_number("close_ticket", "id")   # ("ticket",): 42 is the number of a ticket

Names are read word by word, with lists of English words; nothing here looks at a value.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.foreign_words import to_numbered_noun
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name

_NAME_WORD: Final = compile_later(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|[^\W\d_a-zA-Z]+")
_FIELD_NAME: Final = compile_later(r"[A-Za-z_]{1,64}")
_MAX_NAME: Final = 256  # characters of a name that are read

_AMOUNT_WORDS: Final = frozenset(
    "amount price sum total cost fee value quantity qty limit size count offset page top max min n k width height "
    "timestamp duration seconds days percent rate balance year".split()
)
_NOTE_WORDS: Final = frozenset(
    "amount currency date due memo note reference ref subject title description message text body comment reason "
    "category status type kind quantity content contents pages paragraph paragraphs html markdown caption summary "
    "headline greeting signature footer instructions explanation details".split()
)
"""Words of fields that do not say where something goes, such as `memo` beside the account of a payment."""
_FIELD_WORDS: Final = (
    _NOTE_WORDS
    | _AMOUNT_WORDS
    | frozenset(
        "account iban to recipient beneficiary payee creditor name first last address email mail phone number id code "
        "sort bank bic swift routing value path file url uri link host domain user username cc bcc city country street "
        "zip postcode order payment item line detail data payload channel target destination role attachment "
        "branch building client color colour company contact country customer department employee end environment "
        "fax floor format from group holder hour initial instance language level locale manager member middle mobile "
        "organisation organization owner patient permission person plan position prefix product project province "
        "region release repo repository room salutation scope seat service size sku stage start state street student "
        "suffix supplier tag team telephone time timezone title unit until vendor version weight access cluster".split()
    )
)
"""Words of keys that are names of fields; any other key of a mapping can be a value itself."""
_THING_WORDS: Final = frozenset(
    "table column issue ticket index database schema view branch environment env service server queue topic job "
    "collection dataset sheet folder label tag bucket room list board project workspace space module component "
    "region printer category stage app cluster role permission level access status state type format language kind "
    "priority scope plan instance machine vm pod container process pipeline device light lamp door gate "
    "valve pump setting option feature flag parameter param preference toggle key shop restaurant bakery pharmacy "
    "hotel repo repository".split()
)
_SOMEBODY_WORDS: Final = frozenset(
    "to cc bcc for by from who whom whose name user username person people member colleague contact recipient receiver "
    "payee beneficiary creditor debtor customer client guest patient tenant owner holder author sender applicant "
    "candidate attendee participant invitee assignee assign reviewer approver manager agent partner supplier vendor "
    "insurer carrier publisher company organisation organization firm bank account iban login handle mail email "
    "address phone telephone number mobile host domain url uri link site path file target destination value id ids key "
    "ref code "
    "channel group team audience list id".split()
)
"""Words of arguments that may hold a person or a destination, and not a sort of things."""
_QUERY_WORDS: Final = frozenset(
    "query q question search keyword keywords term terms text topic prompt input location place subject".split()
)
_REMARK_WORDS: Final = frozenset(
    "memo note reference ref subject title description message text body comment reason remark purpose".split()
)
_COUNTING_WORDS: Final = frozenset("id ids number no num nr key ref by uuid".split())
"""Words that call a value a number, but do not say of what."""
_OWNERS_OF_PARTS: Final = {
    **dict.fromkeys(
        ("comment", "reply", "note", "label", "assignee", "assign", "reopen", "attachment"),
        ("issue", "ticket", "request", "task", "case", "bug", "message", "order", "claim"),
    ),
    **dict.fromkeys(("merge", "review", "reviewer", "approval"), ("request",)),
}
"""Part that a tool adds → the things to which it can be added, which have the number: a comment is made on an issue."""
_VERBS_OF_PARTS: Final = frozenset("delete remove edit update change get read list show hide move".split())
"""Verbs of tools that act on an existing part, so that the number is that of the part."""


_SAYING_OF_WHAT: Final = frozenset("of for by in from with at on to".split())
_COLLECTING: Final = frozenset("list lists overview rows table search lookup all data info details directory".split())
"""Words of a tool's name behind what it lists, such as `list`. They are not numbered themselves."""


@lru_cache(maxsize=2048)
def split_argument_name(name: str) -> tuple[str, ...]:
    """Split a name into words in lower case: `invoiceId` and `invoice_id` into invoice, id."""
    return tuple(word.lower() for word in _NAME_WORD.findall(name[:_MAX_NAME]))


@lru_cache(maxsize=4096)
def name_of_argument(pointer: str) -> str:
    """Return the name of the argument that a JSON pointer (RFC 6901) leads into: `to` for `/to/3`."""
    return pointer[1:].split("/", 1)[0].replace("~1", "/").replace("~0", "~")


@lru_cache(maxsize=4096)
def names_amount(name: str) -> bool:
    """Whether a whole number under this name is an amount: a sum, a count, a limit."""
    return not _AMOUNT_WORDS.isdisjoint(split_argument_name(name))


_LINE_NAMES: Final = frozenset("subject title header headers name betreff".split())
_WRITTEN_FIELD_NAMES: Final = frozenset("field column attribute property setting".split())


@lru_cache(maxsize=4096)
def names_line(name: str) -> bool:
    """Whether this is the name of a one-line field of a message."""
    return not _LINE_NAMES.isdisjoint(split_argument_name(name))


@lru_cache(maxsize=4096)
def names_written_field(pointer: str) -> bool:
    """Whether an argument (a JSON pointer into it) says which field of a record is written."""
    return not _WRITTEN_FIELD_NAMES.isdisjoint(split_argument_name(name_of_argument(pointer)))


@lru_cache(maxsize=4096)
def names_thing(name: str) -> bool:
    """Whether this is the name of a thing of a system, such as a branch, which may be called by a common word."""
    return not _THING_WORDS.isdisjoint(map(singularize, split_argument_name(name)))


@lru_cache(maxsize=4096)
def names_somebody(name: str) -> bool:
    """Whether this can be the name of a person, a company, an account or an address."""
    return not _SOMEBODY_WORDS.isdisjoint(map(singularize, split_argument_name(name)))


@lru_cache(maxsize=4096)
def names_remark(name: str) -> bool:
    """Whether this is the name of words that accompany a payment or a message, such as `memo`."""
    return not _REMARK_WORDS.isdisjoint(split_argument_name(name))


def names_note(pointer: str) -> bool:
    """Whether an argument is called a note, a text or an amount, and so is no target.

    Args:
        pointer: JSON pointer into the argument.
    """
    words = split_argument_name(name_of_argument(pointer))
    return bool(words) and (_NOTE_WORDS | _AMOUNT_WORDS).issuperset(words)


@lru_cache(maxsize=4096)
def names_query(pointer: str) -> bool:
    """Whether an argument holds words to search for, by its name, and not the name of something.

    Args:
        pointer: JSON pointer into the argument.
    """
    return not _QUERY_WORDS.isdisjoint(split_name(name_of_argument(pointer)))


def names_field(text: str) -> bool:
    """Whether a key of a mapping is the name of a field (`account_number`), and not a value (`DE89…`, `Ana`)."""
    words = _split_field(text)
    return bool(words) and _FIELD_WORDS.issuperset(map(singularize, words))


def names_note_field(field: str) -> bool:
    """Whether a field of a mapping is called a note, a text or an amount; see `names_note` for arguments."""
    words = _split_field(field)
    return bool(words) and _NOTE_WORDS.issuperset(words)


def _split_field(text: str) -> tuple[str, ...]:
    """Split a text that can be the name of a field into words; none of any other text."""
    return split_argument_name(text) if _FIELD_NAME.fullmatch(text) is not None else ()


_ENDS: Final = frozenset(
    "keep drop source target into duplicate original primary secondary survivor winner loser".split()
)
"""Words of arguments for the two records of a merge or a link. Both are of the noun in the tool's name."""
_ENDS_KEPT: Final = frozenset("keep kept keeps keeper retain retained survivor surviving remaining".split())
_ENDS_LOST: Final = frozenset("drop duplicate loser secondary source".split())


def names_end(name: str) -> bool:
    """Whether an argument's name says that it is one of the two records of a merge: `keep`, `drop_id`."""
    return not _ENDS.isdisjoint(split_argument_name(name))


def names_lost_end(name: str) -> bool:
    """Whether it is the record of a merge that does not exist afterwards."""
    return not _ENDS_LOST.isdisjoint(split_argument_name(name))


def names_kept_end(name: str) -> bool:
    """Whether it is the record that a merge keeps, by a word that says so."""
    return not _ENDS_KEPT.isdisjoint(split_argument_name(name))


@lru_cache(maxsize=2048)
def find_nouns_of_number(tool: str, argument: str) -> tuple[str, ...]:
    """Find what a number in an argument is the number of, by the tool's name.

    `close_ticket(id=7)` is about ticket 7. What a tool adds to something has no number yet, so
    `add_comment(number=12)` is about issue 12, ticket 12 and so on.

    Returns:
        The nouns. None where the argument's name says it itself (`customer_id`), and where the tool's name has no noun
        behind its verb.
    """
    words = split_argument_name(tool)
    if not (_COUNTING_WORDS | _ENDS | set(words[1:])).issuperset(split_argument_name(argument)):
        return ()
    nouns = [word for word in words[1:] if word not in _COUNTING_WORDS]
    last = nouns[-1] if nouns else "".join(words[:1])
    if last in _OWNERS_OF_PARTS and _VERBS_OF_PARTS.isdisjoint(words):
        return _OWNERS_OF_PARTS[last]
    return (last,) if nouns else ()


_LISTING: Final = frozenset("list listing ls dir tree".split())
_FILES: Final = frozenset("file folder directory dir path".split())
_CONTENTS: Final = frozenset("content text read contact".split())


@lru_cache(maxsize=2048)
def lists_files(tool: str, arguments: tuple[str, ...]) -> bool:
    """Whether a tool lists names of files.

    They vouch for no target: anybody who can put a file there chooses its name.
    """
    words = frozenset(map(singularize, split_argument_name(tool)))
    named = words.union(*map(split_argument_name, arguments))
    if _FILES.isdisjoint(map(singularize, named)) or not _CONTENTS.isdisjoint(words):
        return False
    return not _LISTING.isdisjoint(words) or {"folder", "file"} <= words


_LISTING_RECORDS: Final = frozenset(
    "list search find query all overview headers inbox unread recent latest queue backlog feed roster".split()
)
_NO_PLURALS: Final = frozenset("status address access process news details contents business analysis basis".split())


@lru_cache(maxsize=2048)
def names_list(tool: str) -> bool:
    """Whether a tool's name says that it lists several things, so that nobody wrote the whole list."""
    words = split_argument_name(tool)
    return not _LISTING_RECORDS.isdisjoint(words) or any(
        len(word) > 3 and word.endswith("s") and not word.endswith("ss") and word not in _NO_PLURALS for word in words
    )


@lru_cache(maxsize=2048)
def find_nouns_of_result(tool: str) -> tuple[str, ...]:
    """Find what a tool lists, in the singular: requests for `leave_requests`, `list_requests` and `requests_of`."""
    words = list(split_argument_name(tool))
    end = next((i for i, word in enumerate(words) if i and word in _SAYING_OF_WHAT), len(words))
    words = [word for word in words[:end] if word not in _COUNTING_WORDS]
    end = len(words)
    while end > 1 and words[end - 1] in _COLLECTING:
        end -= 1
    return (to_numbered_noun(singularize(words[end - 1])),) if words else ()
