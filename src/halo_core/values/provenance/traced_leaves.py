"""Leaves of a call's arguments with their origins, and which of them are targets.

`provenance` makes a `TracedLeaf` of each leaf. The functions here then mark further leaves as targets, or remove the
mark from leaves that only look like one: an optional argument that is not set (`cc="null"`), a file that is sent, the
thread in a channel that is vouched for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.kinds.addresses import canonicalize_email, find_own_address
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.lexicon import (
    GRANTING_SWITCHES,
    SECRET_WORDS,
    SENSITIVE_WORDS,
    SHARING_NAMES,
    USUAL_LEVELS,
)
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.leaves import KEY, Leaf
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.requests.named_values import NAMED_FILE
from halo_core.values.sketches.sketch import Sketch, has_user_mark

_UNSET_WORDS: Final = frozenset(("null", "none", "undefined", "n/a"))
"""Texts by which an optional argument is not set."""
_SECURE_PORT: Final = "443"
_PORTS: Final = frozenset(("port", "ports"))
_MAX_UNSET: Final = 9  # characters
_READER_NAMES: Final = frozenset("visibility audience privacy sharing".split())
"""Words of arguments that say who may read a message."""
_INTERNAL_WORDS: Final = ("internal", "internally", "private", "privately", "confidential", "intern", "privat")
_MAX_AUDIENCE: Final = 40  # characters
_FEW_READERS_WORDS: Final = frozenset(
    "private restricted closed none off hidden internal staff team only agent agents me".split()
)
_THREAD_WORDS: Final = frozenset("thread threads parent".split())
_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_WORD: Final = compile_later(r"[^\W\d_]+")
_NUMBERS: Final = frozenset((Kind.AMOUNT, Kind.DATE))
_MIN_FILE_WORD: Final = 4  # letters
_FILE_WORDS: Final = tuple(
    "attachment attachments attach attached file files document documents pdf photo photos picture pictures image "
    "images video scan anhang datei dateien dokument pièce fichier adjunto archivo documento allegato bijlage "
    "załącznik plik вложение файл 附件 文件".split()
)
"""Words by which a user speaks of a file."""
_SENT_NAMES: Final = frozenset("document doc file attachment report photo picture image".split())
"""Words of arguments that hold what is sent."""
_FILE_FIELDS: Final = frozenset("name filename file document path title".split())
"""Fields of what is sent that hold its name."""
_MAX_NAME: Final = 64  # characters
_MAX_FILE_NAME: Final = 80  # characters
_ATTACHMENT_WORDS: Final = frozenset(
    "mail mails inbox mailbox attachment attachments download downloads incoming inbound upload "
    "uploads received tmp".split()
)
"""Names of folders for attachments of what was read."""


class TracedLeaf(NamedTuple):
    """A leaf with its origin.

    Args:
        pointer: its place in the arguments.
        origin: the worst origin of its values.
        places: numbers of the sources that contained it.
        kind: what it names.
        flags: `respelled`, `same_site`, `suspicious`.
        is_target: it says where something goes, by its kind or its declaration.
    """

    pointer: str
    origin: Provenance
    places: tuple[int, ...]
    kind: Kind = Kind.TEXT
    flags: tuple[str, ...] = ()
    is_target: bool = False


make_traced: Final = partial(tuple.__new__, TracedLeaf)  # a named tuple's own constructor is a Python function


def vouch_for_user(
    traced: Iterable[TracedLeaf], leaves: Iterable[Leaf], user: str, *, is_lookup: bool = False
) -> tuple[TracedLeaf, ...]:
    """Give the origin `known` to the address of the user whom the host names, and in a lookup to the name in it.

    Args:
        traced: as `trace_leaves` gives them.
        leaves: of the same arguments.
        user: as the host asserted it; an e-mail address, or something else that vouches for nothing.
        is_lookup: the call is a trusted lookup, which may be about the user: `Ana` of ana@corp.example.
    """
    user_address = find_own_address(user)
    if not user_address:
        return tuple(traced)
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    return tuple(
        leaf._replace(origin=Provenance.KNOWN)
        if leaf.origin is not Provenance.USER
        and (
            (leaf.kind is Kind.EMAIL and canonicalize_email(texts[leaf.pointer]) == user_address)
            or (is_lookup and leaf.kind is Kind.HANDLE and _is_name_in(texts[leaf.pointer], user_address))
        )
        else leaf
        for leaf in traced
    )


def unvouch_withdrawn(traced: Sequence[TracedLeaf], written: Iterable[TracedLeaf]) -> tuple[TracedLeaf, ...]:
    """Give the targets of a call the origin `novel` if it has an amount or a date that the user took back.

    Args:
        traced: the leaves by what still stands of the user's texts.
        written: the same leaves by all that the user wrote.
    """
    users = {leaf.pointer for leaf in written if leaf.kind in _NUMBERS and leaf.origin is Provenance.USER}
    if not any(leaf.pointer in users and leaf.origin is not Provenance.USER for leaf in traced):
        return tuple(traced)
    return tuple(
        leaf._replace(origin=Provenance.NOVEL) if leaf.is_target and leaf.origin in VOUCHED_ORIGINS else leaf
        for leaf in traced
    )


def _is_name_in(text: str, address: str) -> bool:
    """Whether each word of a text stands in front of the `@` of an address: `Ana Berg` of ana.berg@corp.example."""
    words = _WORD.findall(text.casefold()) if len(text) <= _MAX_NAME and not any(map(str.isdigit, text)) else []
    return bool(words) and set(words) <= set(_WORD.findall(address.partition("@")[0].casefold()))


def unmark_unset_targets(leaves: Sequence[Leaf], traced: list[TracedLeaf]) -> list[TracedLeaf]:
    """Remove the target mark from a target that is not set (`cc="null"`), if another target is set."""
    unset = set[str]()
    for leaf in leaves:
        if len(leaf.text) <= _MAX_UNSET and leaf.text.casefold() in _UNSET_WORDS:
            unset.add(leaf.pointer)
    if not unset:
        return traced
    counts = Counter(name_of_argument(leaf.pointer) for leaf in leaves)
    # In a list beside others it is somebody's name.
    unset = {pointer for pointer in unset if counts[name_of_argument(pointer)] == 1}
    if not any(leaf.is_target and leaf.pointer not in unset for leaf in traced):
        return traced
    return [leaf._replace(is_target=False) if leaf.pointer in unset else leaf for leaf in traced]


def grants_right(leaf: Leaf) -> bool:
    """Whether a leaf holds a right beyond reading and writing, or lets others see something."""
    name = leaf.field if leaf.field not in ("", KEY) else name_of_argument(leaf.pointer)
    words = frozenset(map(singularize, split_argument_name(name)))
    if SHARING_NAMES.isdisjoint(words):
        return leaf.text in GRANTING_SWITCHES and leaf.text in words
    return not USUAL_LEVELS.issuperset(split_argument_name(leaf.text))


def _widens_readers(leaf: Leaf, traced_leaf: TracedLeaf, sketch: Sketch) -> bool:
    """Whether a leaf such as `visibility="public"` gives a message more readers than its recipients.

    Only if an untrusted source wants that, or the user wants few readers. Not if the user asks for many: "publicly".
    """
    words = frozenset(map(singularize, split_argument_name(name_of_argument(leaf.pointer))))
    if words.isdisjoint(_READER_NAMES):
        return False
    readers = split_argument_name(leaf.text[:_MAX_AUDIENCE])
    if _FEW_READERS_WORDS.issuperset(readers) or has_user_mark(sketch.look_up_marks([f"{word}ly" for word in readers])):
        return False
    return traced_leaf.origin in _UNTRUSTED_ORIGINS or has_user_mark(sketch.look_up_marks(_INTERNAL_WORDS))


def add_ports_and_readers(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], sketch: Sketch, *, is_message: bool
) -> list[TracedLeaf]:
    """Mark the port beside a host, and an argument that widens the readers of a message, as targets.

    The port of `https` is no target: it is the port of a host without one.
    """
    has_host = any(leaf.kind is Kind.HOST and leaf.is_target for leaf in traced)
    if not has_host and not is_message:
        return traced
    return [
        traced_leaf._replace(is_target=True)
        if (has_host and _is_port(leaf)) or (is_message and _widens_readers(leaf, traced_leaf, sketch))
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def _is_port(leaf: Leaf) -> bool:
    words = split_argument_name(name_of_argument(leaf.pointer))
    return not _PORTS.isdisjoint(words) and leaf.text.strip() != _SECURE_PORT


def unmark_sent_paths(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], targets: Collection[str], sketch: Sketch
) -> list[TracedLeaf]:
    """Remove the target mark from paths in a message: they are what is sent, unless the argument is a declared target.

    A file that an untrusted source chose and that the user did not mention stays a target.
    """
    return [
        traced_leaf
        if name_of_argument(leaf.pointer) in targets
        else traced_leaf._replace(is_target=_is_file_chosen_by_untrusted(leaf, traced_leaf, sketch))
        if traced_leaf.kind is Kind.PATH
        else traced_leaf._replace(is_target=True)
        if _names_sent_document(leaf) and _is_file_chosen_by_untrusted(leaf, traced_leaf, sketch)
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def _names_sent_document(leaf: Leaf) -> bool:
    """Whether a leaf names a document that is sent, which need not look like a path: `report="HR-Reviews"`."""
    if leaf.field and (leaf.field == KEY or _FILE_FIELDS.isdisjoint(split_argument_name(leaf.field))):
        return False
    words = map(singularize, split_argument_name(name_of_argument(leaf.pointer)))
    is_name = len(leaf.text) <= _MAX_FILE_NAME and any(map(str.isalpha, leaf.text))
    return is_name and not _SENT_NAMES.isdisjoint(words)


def _is_file_chosen_by_untrusted(leaf: Leaf, traced_leaf: TracedLeaf, sketch: Sketch) -> bool:
    return traced_leaf.origin in _UNTRUSTED_ORIGINS and not _is_file_asked(leaf.text, sketch)


def _is_file_asked(path: str, sketch: Sketch) -> bool:
    """Whether the user mentions this file by a word of its name.

    If it was attached to what was read, mentioning any file is enough. For secret or sensitive files, the user has to
    write each word of the name. A user who names a file wants no other.
    """
    stems = frozenset(split_name(path))
    folder, _, name = path.rpartition("/")
    words = [word for word in _WORD.findall(name.casefold()) if len(word) >= _MIN_FILE_WORD]
    if not stems.isdisjoint(SECRET_WORDS | SENSITIVE_WORDS):
        return bool(words) and all(has_user_mark([mark]) for mark in sketch.look_up_marks(words))
    folders = [part.casefold() for part in folder.split("/") if part]
    came_along = (
        not folders or not _ATTACHMENT_WORDS.isdisjoint(folders) or has_user_mark(sketch.look_up_marks(folders))
    )
    if came_along and not has_user_mark(sketch.look_up_forms([NAMED_FILE])):
        words += _FILE_WORDS
    return has_user_mark(sketch.look_up_marks(words))


def unmark_threads(traced: list[TracedLeaf], targets: Collection[str]) -> list[TracedLeaf]:
    """Remove the target mark from the number of a thread in a channel that is vouched for.

    Whoever reads the channel reads the thread. Without a channel beside it, the thread decides who reads the message.
    """
    if not any(leaf.origin in VOUCHED_ORIGINS and name_of_argument(leaf.pointer) in targets for leaf in traced):
        return traced
    return [
        leaf._replace(is_target=False)
        if leaf.is_target
        and name_of_argument(leaf.pointer) not in targets
        and not _THREAD_WORDS.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        else leaf
        for leaf in traced
    ]
