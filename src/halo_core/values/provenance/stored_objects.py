"""Where an action writes to or reads from: marks of stores and of the objects in them.

    find_place(resource, {"path": "/notes/a.md"})   # writes to the store of notes, the object /notes/a.md

What was written while a session was exposed taints its place, not its words. So a paraphrase, eight digits or two
joined notes are also recognized when they come back from there. A store is the system that the resource declares, or
else what the resource's name speaks of (`save_note` and `search_notes` of notes; `remember`, `recall` and `load` of
one general store). An object in it is named by an argument with a path, a key or a namespace. An action that names no
object concerns all of them.

Marks contain the period in which they were made, so that they expire without being deleted.
"""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from hashlib import blake2b
from itertools import islice
from typing import Any, Final

from halo_core.model import ActionKind, Impact, Resource
from halo_core.quick_dataclass import dataclass
from halo_core.values.language.lexicon import STOP_WORDS, VERBS, is_task_word, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.leaves import extract_texts

PERIOD_US: Final = 30 * 86_400_000_000
"""Length of a period, microseconds: 30 days."""
LIVE_PERIODS: Final = 4
"""Periods in which a mark counts. It expires between 90 and 120 days after it was made."""
_MARK_BYTES: Final = 7
_LIST_KEY: Final = compile_later(r"[0-9][A-Za-z]|[A-Za-z][0-9]")
"""A key of a read that chooses a list of objects, such as the form `5b`, where the read is not named after it."""
_MAX_OBJECTS: Final = 16
_MAX_OBJECT: Final = 512  # characters of an object's name
_MAX_LISTED: Final = 512  # records of one list
_STORING_IMPACTS: Final = (Impact.WRITE, Impact.UNKNOWN, Impact.EXECUTE, Impact.ADMIN)
_GENERIC: Final = "*"
_LISTED_CLASSES: Final = frozenset(("key", "space"))
"""Classes of objects that a store may list by how their names begin."""
_KEY_PART: Final = compile_later(r"(?<=[^\W_])(?:[-_.:#|]+|(?<=[^\W\d])(?=\d+$)|\s+)")
_WILDCARD: Final = compile_later(r"[*%]")


_NAME_CLASSES: Final = {
    "path": stem_all(
        "path file filename filepath uri location source src destination dst dest folder directory dir page document "
        "doc"
    ),
    "space": stem_all("namespace collection table bucket index queue channel thread scope store space"),
    "key": stem_all("key slug topic title name category section subject"),
    "id": stem_all("id uuid"),
}
"""Last words of an argument's name by which it names an object in a store. Names of one class are compared."""
_ENDS: Final = stem_all(
    "target old new from to input output origin original link copy first second what where other a b"
)
"""Last words of names for source and destination of a copy or a move; they hold paths if their values look like it."""
_PATH_SIGN: Final = compile_later(r"[/\\]|\w\.\w{1,5}$")
_IDENTIFIER: Final = compile_later(r"(?=.*\d)(?=.*[A-Za-z]|\d{6})[A-Za-z0-9]{1,24}([-_#:][A-Za-z0-9]{1,24}){0,4}")
"""Letters and digits (`LN-2041`), or six digits or more: neither an amount nor a date."""
_LABEL: Final = compile_later(r"[a-z]{3,16}")
_MAX_LABEL_WORDS: Final = 2
_PATH_PART: Final = compile_later(r"(?:[A-Za-z]:)?[/\\]|\.{1,2}[/\\]|[\w.-]+[/\\][\w.-]")
_FILE_NAME: Final = compile_later(r"\w\.\w{1,5}$")
_BRINGING: Final = stem_all("clone crawl curl download fetch mirror pull receive scrape wget")
"""Words of resources' names for bringing content from elsewhere into a store."""
_CAME_ALONG: Final = stem_all("attachment inbox voicemail fax")
_KEEPING: Final = stem_all("save store keep copy extract export archive move unpack unzip put file")
"""Verbs that, with a word for an attachment, bring it into a store: `save_attachment`."""
_AGGREGATES: Final = stem_all(
    "report overview summary dashboard digest statistics stats export listing analytics forecast"
)
"""Words in names of reads that combine the content of many objects."""
_GENERIC_NOUNS: Final = stem_all(
    "memory memories note notes fact facts file files document documents doc docs item items data record records "
    "entry entries text texts store storage kv db database index vector vectors knowledge log logs history "
    "context page pages task tasks job jobs queue message value values key keys object objects table tables row "
    "rows state cache blob list chunk chunks embedding embeddings content contents thing things it all recall "
    "remember memorize memo journal diary scratchpad scratch pad notebook todo todos workspace retriever search "
    "query tool function rag kb base long term short user agent session conversation chat summary info "
    "information read write save load get set put fetch dequeue enqueue push pop next new last append upsert "
    "insert lookup find list dump link symlink merge import export select convert compress zip unzip archive concat "
    "backup sync rename move copy attachment attachments kept stored saved written remembered held taken left made "
    "noted known between into onto across among over within back again"
)
"""Words of a resource's name that do not say which store it is."""

_LOOKUPS: Final = stem_all("look lookup up find")
"""Words of names that only say that something is looked up."""
_NO_NOUNS: Final = (
    _GENERIC_NOUNS
    | _NAME_CLASSES["key"]
    | _NAME_CLASSES["id"]
    | stem_all("question term keyword word phrase person people somebody who")
    | STOP_WORDS
    | VERBS
)
"""Last words of arguments that do not say what a store is about."""

_FILES: Final = stem_all("file files folder folders directory directories document documents")
_NAMES_OF_FILES: Final = stem_all("name names title titles path paths") | _FILES
"""Words that say nothing of the store beside a word for files. A directory of names alone may be one of people."""


@dataclass(frozen=True, slots=True)
class StorePlace:
    """Where an action writes to or reads from.

    Args:
        stores: names of the stores that it writes to.
        sources: names under which what it reads may have been written.
        objects: (class of the argument's name, name) of the objects in them, empty where it concerns all.
        renamed: further objects that it may write, where a name beside a path looks like that of a file.
    """

    stores: tuple[str, ...]
    sources: tuple[str, ...]
    objects: tuple[tuple[str, str], ...]
    renamed: tuple[tuple[str, str], ...] = ()


def may_store(resource: Resource) -> bool:
    """Whether an action may store something that a later one reads."""
    if resource.kind is not ActionKind.TOOL_CALL:
        return False
    # What is posted to a declared system can be read there.
    return resource.impact in _STORING_IMPACTS or (resource.impact is Impact.SEND and bool(resource.system))


@lru_cache(maxsize=1024)
def stores_downloads(resource: Resource) -> bool:
    """Whether an action, by its name, stores content of somebody else: it downloads, fetches or clones."""
    words = frozenset(split_name(resource.id))
    keeps_message = resource.impact is not Impact.SEND and not (
        _CAME_ALONG.isdisjoint(words) or _KEEPING.isdisjoint(words)
    )
    return may_store(resource) and (keeps_message or not _BRINGING.isdisjoint(words))


def find_place(resource: Resource, args: Mapping[str, Any], vouched_names: Collection[str] = ()) -> StorePlace:
    """Find where an action writes to or reads from.

    Args:
        resource: what is called.
        args: its arguments.
        vouched_names: arguments whose values the user or a trusted lookup vouches for. An identifier in one of them
            names an object, whatever the argument is called. So does one in an argument that a read is named after
            (`get_order(order="A-17")`); of a write, such an argument may hold what is stored.
    """
    objects = tuple(dict.fromkeys((*_iterate_objects(args), *_iterate_identifiers(resource, args, vouched_names))))
    if resource.impact is Impact.READ:
        # A pattern concerns all.
        objects = tuple(item for item in objects if item[0] not in _LISTED_CLASSES or not _WILDCARD.search(item[1]))
    if resource.impact is Impact.READ and not _AGGREGATES.isdisjoint(split_name(resource.id)):
        # What is added up is named by itself, and not by what it is made of.
        objects = tuple(item for item in objects if item[0] != "key")
    stores, sources = _name_stores(resource, _list_argument_nouns(resource, args))
    # INVARIANT: FAILCLOSED - an action that names more objects than are compared concerns all.
    return StorePlace(stores, sources, objects if len(objects) <= _MAX_OBJECTS else (), _find_renamed(objects))


def _find_renamed(objects: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """List the files that a path may have after the call gave it a title or a name with a suffix."""
    paths = [name for name_class, name in objects[:_MAX_OBJECTS] if name_class == "path"]
    names = [name for name_class, name in objects[:_MAX_OBJECTS] if name_class == "key" and _FILE_NAME.search(name)]
    return tuple(
        ("path", place)
        for path in paths
        for name in names
        for place in dict.fromkeys((name, normalize_object(f"{posixpath.dirname(path)}/{name}")))
    )


def _list_argument_nouns(resource: Resource, args: Mapping[str, Any]) -> frozenset[str]:
    """List the nouns of the arguments of a write, or of a lookup whose own name says only that it looks something up.

    `look_up(vendor="Hansen")` reads a directory of vendors, and no memory of notes.
    """
    is_read = resource.impact is Impact.READ
    if is_read and not _LOOKUPS.issuperset(split_name(resource.id)):
        return frozenset()
    return frozenset(word for name in args for word in split_name(name)[-1:] if len(word) > 1) - _NO_NOUNS


@lru_cache(maxsize=1024)
def _name_stores(
    resource: Resource, argument_nouns: frozenset[str] = frozenset()
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Name the stores that a resource writes to, and those that it reads.

    Two declared systems are compared by their names, anything else by what the resources' names speak of.

    Args:
        resource: what is called.
        argument_nouns: what it is about if its name does not say it (`_list_argument_nouns`). INVARIANT: FAILCLOSED -
            a write is also one to the general store.
    """
    words = {word for word in split_name(resource.id) if not word.isdigit()} - STOP_WORDS
    if not words.isdisjoint(_FILES):
        words -= _NAMES_OF_FILES
    nouns = sorted(words - VERBS - _GENERIC_NOUNS)
    if not nouns:
        is_general = resource.impact is not Impact.READ or not argument_nouns
        nouns = [*([_GENERIC] if is_general else ()), *sorted(argument_nouns)]
    if not resource.system:
        undeclared = tuple(f"noun:{noun}" for noun in nouns)
        return undeclared, (*undeclared, *(f"declared:{noun}" for noun in nouns))
    system = f"system:{resource.system.casefold()}"
    return (system, *(f"declared:{noun}" for noun in nouns)), (system, *(f"noun:{noun}" for noun in nouns))


def _iterate_objects(args: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    has_path = any(_classify_name(name) == "path" for name in args)
    for name, value in args.items():
        name_class = _classify_name(name)
        is_end = not name_class and not _ENDS.isdisjoint(split_name(name)[-1:])
        if not name_class and not is_end:
            continue
        for text in _split_paths(extract_texts(value)):
            normalized = normalize_object(text)
            if not normalized or len(text) > _MAX_OBJECT:
                continue
            if name_class:
                yield name_class, normalized
            elif has_path or _PATH_SIGN.search(text) is not None:
                yield "path", normalized


def _iterate_identifiers(
    resource: Resource, args: Mapping[str, Any], vouched_names: Collection[str]
) -> Iterator[tuple[str, str]]:
    """Iterate over identifiers in vouched arguments and in those that a read is named after; their class is `id`."""
    is_read = resource.impact is Impact.READ
    for name, value in args.items():
        if not isinstance(value, str | int) or isinstance(value, bool) or _classify_name(name) == "id":
            continue
        text = str(value).strip()
        is_object = is_read and _is_named_after(resource.id, name)
        if name in vouched_names and not (is_read and _LIST_KEY.fullmatch(text)):
            is_object = True
        if is_object and _IDENTIFIER.fullmatch(text) is not None:
            yield "id", normalize_object(text)


@lru_cache(maxsize=4096)
def _is_named_after(resource_id: str, argument: str) -> bool:
    """Whether a resource's name contains the noun of an argument's name."""
    nouns = set(split_name(argument)[-1:]) - STOP_WORDS - VERBS - _GENERIC_NOUNS
    return not nouns.isdisjoint(split_name(resource_id))


def _split_paths(texts: Iterable[str]) -> Iterator[str]:
    """Split texts that contain several paths."""
    for text in texts:
        parts = text.split()
        are_paths = 1 < len(parts) <= _MAX_OBJECTS and all(_PATH_PART.match(part) for part in parts)
        yield from parts if are_paths else (text,)


@lru_cache(maxsize=4096)
def _classify_name(name: str) -> str:
    last = split_name(name)[-1:]
    return next((kind for kind, names in _NAME_CLASSES.items() if not names.isdisjoint(last)), "")


def list_only_identifiers(tokens: Iterable[str], words: Collection[str]) -> list[str]:
    """List the identifiers of a list that consists of nothing else; empty for any other text.

    A list may have a label, such as `waiting: LN-1, LN-2`: words before its first identifier.

    Args:
        tokens: of the list.
        words: of the call's arguments, which a list may repeat.
    """
    found: list[str] = []
    labels = 0
    for token in tokens:
        if token in words:
            continue
        is_label = _LABEL.fullmatch(token) is not None and (token in STOP_WORDS or not is_task_word(token))
        if not found and labels < _MAX_LABEL_WORDS and is_label:
            labels += 1
            continue
        if _IDENTIFIER.fullmatch(token) is None or len(found) >= _MAX_LISTED:
            return []
        found.append(token)
    return found


def normalize_object(text: str) -> str:
    """Normalize the name of an object for comparison: a path without `.` and `..`, a name without case."""
    folded = text.strip().casefold().replace("\\", "/")
    return posixpath.normpath(folded).strip("/") if "/" in folded else folded


@dataclass(frozen=True, slots=True)
class StoreMarks:
    """Keyed marks of stores and objects.

    Args:
        key: of the marks.
        period: in which they are made, from `period_of`.
    """

    key: bytes
    period: int

    def list_written(
        self, place: StorePlace, generations: Mapping[str, int], *, has_numbers: bool = True
    ) -> frozenset[int]:
        """List the marks of what an action writes.

        Args:
            place: where it writes.
            generations: how often each store was cleared; a mark is made for each generation so far, so that nobody
                who takes a clearance away makes a later mark disappear.
            has_numbers: nobody vouched for some digit that it writes, which may become the number of a record.
        """
        marks: set[int] = set()
        for store in place.stores:
            for generation in range(generations.get(store, 0) + 1):
                marks.update(
                    self._mark(kind, store, name, generation, self.period) for kind, name in _list_parts(place)
                )
                if has_numbers:
                    marks.add(self._mark("numbered", store, "", generation, self.period))
        return frozenset(marks)

    def is_tainted(self, place: StorePlace, generations: Mapping[str, int], contains: Callable[[int], bool]) -> bool:
        """Whether what an action reads may have been written while a session was exposed.

        Args:
            place: where it reads.
            generations: how often each store was cleared.
            contains: whether a mark is known.
        """
        periods = self._live_periods
        for store in place.sources:
            generation = generations.get(store, 0)

            def is_marked(kind: str, name: str = "", store: str = store, generation: int = generation) -> bool:
                return any(contains(self._mark(kind, store, name, generation, period)) for period in periods)

            if is_marked("store") and all(
                any(_is_object_marked(item, is_marked) for item in place.objects if item[0] == name_class)
                for name_class in {name_class for name_class, _ in place.objects}
            ):
                return True
        return False

    def is_list_clean(
        self, place: StorePlace, names: Iterable[str], generations: Mapping[str, int], contains: Callable[[int], bool]
    ) -> bool:
        """Whether none of the records that a list names was written while a session was exposed.

        INVARIANT: FAILCLOSED - what was written without a record's number may stand in any record, and a number that
        was written with it may be one of them.

        Args:
            place: where the list was read.
            names: all that stands in it.
            generations: how often each store was cleared.
            contains: whether a mark is known.
        """
        normalized = [normalize_object(name) for name in names]
        for store in place.sources:
            generation = generations.get(store, 0)
            parts = [("numbered", ""), ("not-by-id", ""), *(("object-id", name) for name in normalized)]
            for kind, name in parts:
                if any(contains(self._mark(kind, store, name, generation, one)) for one in self._live_periods):
                    return False
        return True

    @property
    def _live_periods(self) -> range:
        return range(self.period, self.period - LIVE_PERIODS, -1)

    def digest_name(self, store: str) -> bytes:
        """Digest of a store's name."""
        return blake2b(f"store\0{store}".encode("utf-8", "replace"), digest_size=16, key=self.key[:64]).digest()

    def _mark(self, kind: str, store: str, name: str, generation: int, period: int) -> int:
        data = f"place\0{kind}\0{store}\0{name}\0{generation}\0{period}".encode("utf-8", "replace")
        return int.from_bytes(blake2b(data, digest_size=_MARK_BYTES, key=self.key[:64]).digest())


def period_of(ts_us: int) -> int:
    """Return the number of the period of a time, microseconds since the epoch."""
    return ts_us // PERIOD_US


def _list_parts(place: StorePlace) -> Iterator[tuple[str, str]]:
    """List kinds and names of the marks of a place that is written to."""
    yield "store", ""
    named = {name_class for name_class, _ in place.objects}
    for name_class in _NAME_CLASSES:
        if name_class not in named:
            yield f"not-by-{name_class}", ""
    for name_class, name in (*place.objects, *place.renamed):
        yield f"object-{name_class}", name
        for ancestor in _list_ancestors(name):
            yield f"below-{name_class}", ancestor
        if name_class in _LISTED_CLASSES:
            yield from ((f"below-{name_class}", beginning) for beginning in _list_beginnings(name))


def _is_object_marked(item: tuple[str, str], is_marked: Callable[..., bool]) -> bool:
    """Whether an object, one that holds it, or one without a name of this class was written."""
    name_class, name = item
    return (
        is_marked(f"not-by-{name_class}")
        or is_marked(f"below-{name_class}", name)
        or any(is_marked(f"object-{name_class}", ancestor) for ancestor in _list_ancestors(name))
    )


def _list_ancestors(name: str) -> tuple[str, ...]:
    """List the name, and the folders that contain it."""
    parts = name.split("/")
    return tuple("/".join(parts[:end]) for end in range(len(parts), 0, -1))[:16]


def _list_beginnings(name: str) -> Iterator[str]:
    """List the beginnings of a key by which a store may list it: `acme` of `acme:bank:2`, `acme2` and `acme-2`."""
    for match in islice(_KEY_PART.finditer(name), 16):
        yield name[: match.start()]
