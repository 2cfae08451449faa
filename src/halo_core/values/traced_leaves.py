"""Leaves of a call's arguments with where they came from, and which of them are targets.

What `provenance.py` finds of each leaf is a `TracedLeaf`. Some leaves that look like a target are none: an optional
argument that is not set, a file that is sent, the thread of a place that is vouched for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from functools import partial
from typing import Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.addresses import canonicalize_email, find_own_address
from halo_core.values.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds import Kind
from halo_core.values.leaves import KEY, Leaf
from halo_core.values.lexicon import GRANTING_SWITCHES, SECRET_WORDS, SENSITIVE_WORDS, SHARING_NAMES, USUAL_LEVELS
from halo_core.values.named_values import NAMED_FILE
from halo_core.values.numbered import singularize
from halo_core.values.result_origins import VOUCHED_ORIGINS
from halo_core.values.sketch import Sketch, has_user_mark
from halo_core.values.text import split_name

_UNSET_WORDS: Final = frozenset(("null", "none", "undefined", "n/a"))
"""What says that an optional argument has no value."""
_SECURE_PORT: Final = "443"
_PORTS: Final = frozenset(("port", "ports"))
_MAX_UNSET: Final = 9  # characters
_READERS: Final = frozenset("visibility audience privacy sharing".split())
"""Words of arguments that say who may read a message."""
_AMONG_US: Final = ("internal", "internally", "private", "privately", "confidential", "intern", "privat")
_MAX_AUDIENCE: Final = 40  # characters
_FEW: Final = frozenset("private restricted closed none off hidden internal staff team only agent agents me".split())
_THREAD_WORDS: Final = frozenset("thread threads parent".split())
_FOREIGN_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_WORD: Final = re.compile(r"[^\W\d_]+")
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
"""Words of the fields of what is sent that name it."""
_MAX_FILE_NAME: Final = 80  # characters
_ARRIVING: Final = frozenset(
    "mail mails inbox mailbox attachment attachments download downloads incoming inbound upload "
    "uploads received tmp".split()
)
"""Folders in which files lie that came along with what was read."""


class TracedLeaf(NamedTuple):
    """Where a leaf came from.

    Args:
        pointer: its place.
        origin: the worst origin of its values.
        places: of the sources that said it.
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


def vouch_for_user(traced: Iterable[TracedLeaf], leaves: Iterable[Leaf], user: str) -> tuple[TracedLeaf, ...]:
    """The traced leaves, with the address of the user whom the host names known: it is the user's own.

    Args:
        traced: as `trace_leaves` gives them.
        leaves: of the same arguments.
        user: as the host asserted it; an e-mail address, or something else that vouches for nothing.
    """
    own = find_own_address(user)
    if not own:
        return tuple(traced)
    texts = {leaf.pointer: leaf.text for leaf in leaves}
    return tuple(
        leaf._replace(origin=Provenance.KNOWN)
        if leaf.kind is Kind.EMAIL
        and leaf.origin is not Provenance.USER
        and canonicalize_email(texts[leaf.pointer]) == own
        else leaf
        for leaf in traced
    )


def drop_unset_targets(leaves: Sequence[Leaf], traced: list[TracedLeaf]) -> list[TracedLeaf]:
    """The traced leaves; a target that is not set (`cc="null"`) is none where another one is set."""
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
    """Whether a leaf holds a right of more than to read and write, or says that others may see something."""
    name = leaf.field if leaf.field not in ("", KEY) else name_of_argument(leaf.pointer)
    words = frozenset(map(singularize, split_argument_name(name)))
    if SHARING_NAMES.isdisjoint(words):
        return leaf.text in GRANTING_SWITCHES and leaf.text in words
    return not USUAL_LEVELS.issuperset(split_argument_name(leaf.text))


def _opens_message(leaf: Leaf, traced_leaf: TracedLeaf, sketch: Sketch) -> bool:
    """Whether a leaf says that more may read a message than who gets it, as an untrusted source wishes: `public`.

    Or where the user speaks of few. Not where the user speaks of that: "publicly".
    """
    words = frozenset(map(singularize, split_argument_name(name_of_argument(leaf.pointer))))
    if words.isdisjoint(_READERS):
        return False
    readers = split_argument_name(leaf.text[:_MAX_AUDIENCE])
    if _FEW.issuperset(readers) or has_user_mark(sketch.look_up_marks([f"{word}ly" for word in readers])):
        return False
    return traced_leaf.origin in _FOREIGN_ORIGINS or has_user_mark(sketch.look_up_marks(_AMONG_US))


def add_ports_and_readers(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], sketch: Sketch, *, is_message: bool
) -> list[TracedLeaf]:
    """The traced leaves of an act; the port beside a host and the readers of a message say where something goes, too.

    The port of `https` is that of a host without one.
    """
    has_host = any(leaf.kind is Kind.HOST and leaf.is_target for leaf in traced)
    if not has_host and not is_message:
        return traced
    return [
        traced_leaf._replace(is_target=True)
        if (has_host and _is_port(leaf)) or (is_message and _opens_message(leaf, traced_leaf, sketch))
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def _is_port(leaf: Leaf) -> bool:
    words = split_argument_name(name_of_argument(leaf.pointer))
    return not _PORTS.isdisjoint(words) and leaf.text.strip() != _SECURE_PORT


def drop_sent_paths(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], targets: Collection[str], sketch: Sketch
) -> list[TracedLeaf]:
    """The traced leaves of a message; a path is what is sent, unless its argument is a declared target.

    A file that an untrusted source chose, and that the user did not speak of, stays a target: whoever gets it reads it.
    """
    return [
        traced_leaf
        if name_of_argument(leaf.pointer) in targets
        else traced_leaf._replace(is_target=_is_sent_for_others(leaf, traced_leaf, sketch))
        if traced_leaf.kind is Kind.PATH
        else traced_leaf._replace(is_target=True)
        if _names_sent(leaf) and _is_sent_for_others(leaf, traced_leaf, sketch)
        else traced_leaf
        for leaf, traced_leaf in zip(leaves, traced, strict=True)
    ]


def _names_sent(leaf: Leaf) -> bool:
    """Whether a leaf is the name of a document that is sent, which need not look like a path: `report="HR-Reviews"`."""
    if leaf.field and (leaf.field == KEY or _FILE_FIELDS.isdisjoint(split_argument_name(leaf.field))):
        return False
    words = map(singularize, split_argument_name(name_of_argument(leaf.pointer)))
    is_name = len(leaf.text) <= _MAX_FILE_NAME and any(map(str.isalpha, leaf.text))
    return is_name and not _SENT_NAMES.isdisjoint(words)


def _is_sent_for_others(leaf: Leaf, traced_leaf: TracedLeaf, sketch: Sketch) -> bool:
    return traced_leaf.origin in _FOREIGN_ORIGINS and not _is_file_asked(leaf.text, sketch)


def _is_file_asked(path: str, sketch: Sketch) -> bool:
    """Whether the user speaks of this file by a word of its name, or of a file at all where it came with what was read.

    Of secrets and of what is sensitive, the user has to write each word of the name. Who names a file wants no other.
    """
    stems = frozenset(split_name(path))
    folder, _, name = path.rpartition("/")
    words = [word for word in _WORD.findall(name.casefold()) if len(word) >= _MIN_FILE_WORD]
    if not stems.isdisjoint(SECRET_WORDS | SENSITIVE_WORDS):
        return bool(words) and all(has_user_mark([mark]) for mark in sketch.look_up_marks(words))
    folders = [part.casefold() for part in folder.split("/") if part]
    came_along = not folders or not _ARRIVING.isdisjoint(folders) or has_user_mark(sketch.look_up_marks(folders))
    if came_along and not has_user_mark(sketch.look_up_forms([NAMED_FILE])):
        words += _FILE_WORDS
    return has_user_mark(sketch.look_up_marks(words))


def drop_threads(traced: list[TracedLeaf], targets: Collection[str]) -> list[TracedLeaf]:
    """The traced leaves of a message; the number of a thread at a place that is vouched for is no target by its kind.

    Whoever reads the place reads the thread. Without a place beside it, the thread says who reads the message.
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
