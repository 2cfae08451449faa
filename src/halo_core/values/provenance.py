"""Where each argument value came from: vouched for by the user, known from a lookup, of a prompt, of nobody, foreign.

`trace_leaves` parses every leaf of the arguments into values, each with its kind and canonical form, and looks these up
in the session's `Sketch`. A value is the user's only if one contiguous part of a vouched text has its form, or has its
words in order. Tokens without their order, and readings of what could be hidden in a value, only make it `mixed` or
`untrusted`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from itertools import islice
from typing import Any, Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.addresses import canonicalize_email, find_registrable_domain
from halo_core.values.argument_names import (
    find_nouns_of_number,
    name_of_argument,
    names_note,
    names_thing,
    split_argument_name,
)
from halo_core.values.argument_values import SHELL_NAMES
from halo_core.values.forms import ArgumentValue, find_forms, is_name, parse_argument
from halo_core.values.hidden import generate_argument_readings
from halo_core.values.joined import find_joined_form, find_joined_values, iter_adjacent
from halo_core.values.kinds import ANY_SITE, RESPELLED, SAME_SITE, SUSPICIOUS, TARGET_KINDS, Form, Kind
from halo_core.values.leaves import KEY, Leaf, is_beside_target, parse_leaves
from halo_core.values.lexicon import EDITING_LEVELS, EDITING_STEMS, LEAST_LEVELS, LEVEL_NAMES, STOP_WORDS, is_task_word
from halo_core.values.normalization import make_skeleton
from halo_core.values.numbers import MIN_DIGITS, singularize
from halo_core.values.result_origins import TRUST_ORDER, VOUCHED_ORIGINS
from halo_core.values.sketch import ORIGIN_BITS, SOURCE_SHIFT, Sketch, extract_tokens
from halo_core.values.spans import MAX_TEXT_TOKENS, fingerprint_tokens_in_order, tokenize
from halo_core.values.user_texts import NO_NAMES

_PREFIX: Final = 8  # tokens by which a long text is looked for first
_PREFIX_LENGTH: Final = 256  # characters
_MIN_ROW: Final = 4  # tokens
_COMPOUND: Final = re.compile(r"[A-Za-z]{1,8}[-_/.][0-9]{1,8}|[0-9]{1,8}[-_/.][A-Za-z]{1,8}")
"""A short id of letters and digits, such as `A-1`."""
_MAX_READING_WORDS: Final = 1024  # of all readings of a call
_MAX_READINGS: Final = 64  # of one leaf
_MAX_READ_LEAVES: Final = 24  # leaves of a call whose readings are looked up

_LETTERS: Final = re.compile(r"[^\W\d_]+")
_AUDIENCE_WORDS: Final = frozenset(
    "all everyone everybody public external extern ext outside team list lists group announce announcements press "
    "media customers clients partners vendors suppliers investors subscribers newsletter news members users "
    "community forum distribution dl guests alumni contractors".split()
)
"""Words of addresses that reach many."""
_USER_BIT: Final = ORIGIN_BITS[Provenance.USER]
_SYSTEM_BIT: Final = ORIGIN_BITS[Provenance.SYSTEM]
_UNTRUSTED_BIT: Final = ORIGIN_BITS[Provenance.UNTRUSTED]
_TRUSTED_BITS: Final = _USER_BIT | _SYSTEM_BIT
_FOREIGN: Final = _TRUSTED_BITS | _UNTRUSTED_BIT


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


_make_traced: Final = partial(tuple.__new__, TracedLeaf)  # a named tuple's own constructor is a Python function


def is_shell_argument(name: str) -> bool:
    """Whether what stands in an argument of this name is run by a shell."""
    return not SHELL_NAMES.isdisjoint(map(singularize, split_argument_name(name)))


def trace_arguments(args: Mapping[str, Any], sketch: Sketch, targets: Collection[str] = ()) -> tuple[TracedLeaf, ...]:
    """As `trace_leaves`, of arguments."""
    return trace_leaves(parse_leaves(args), sketch, targets)


def vouch_for_user(traced: Iterable[TracedLeaf], leaves: Iterable[Leaf], user: str) -> tuple[TracedLeaf, ...]:
    """The traced leaves, with the address of the user whom the host names known: it is the user's own.

    Args:
        traced: as `trace_leaves` gives them.
        leaves: of the same arguments.
        user: as the host asserted it; an e-mail address, or something else that vouches for nothing.
    """
    own = canonicalize_email(user.removeprefix("user:")) if "@" in user else None
    if own is None:
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


def trace_leaves(
    leaves: Iterable[Leaf],
    sketch: Sketch,
    targets: Collection[str] = (),
    amount: str = "",
    *,
    is_declared: Callable[[ArgumentValue], bool] | None = None,
    are_paths_objects: bool = False,
    are_handles_targets: bool = False,
    tool: str = "",
) -> tuple[TracedLeaf, ...]:
    """Where each argument leaf came from, and from which sources, sorted by pointer.

    Args:
        leaves: of the real arguments (before secrets are sealed).
        sketch: what the session has seen.
        targets: names of the arguments that are declared targets.
        amount: name of the argument that is declared the amount, empty if none is.
        is_declared: whether the operator has declared a value as known; asked of targets alone.
        are_paths_objects: a path is what is sent, not where it goes, unless it is a declared target.
        are_handles_targets: no argument is a declared target, so any short text may say where something goes.
        tool: name of what is called, which says of what an `id` is the number.
    """
    leaves = tuple(leaves)
    trace = _Trace(sketch, frozenset(targets), amount, len(leaves), is_declared, tool)
    traced = [trace.trace_leaf(leaf) for leaf in leaves]
    if len(leaves) > 1 or are_paths_objects:  # a target alone stays one, also where it is not set
        has_set = any(leaf.is_target and not _is_unset(read.text) for leaf, read in zip(traced, leaves, strict=True))
        traced = [
            leaf._replace(is_target=False)
            if (leaf.is_target and _is_unset(read.text) and has_set)
            or (are_paths_objects and leaf.kind is Kind.PATH and name_of_argument(leaf.pointer) not in targets)
            else leaf
            for leaf, read in zip(traced, leaves, strict=True)
        ]
    if are_paths_objects and not _HANDING_ON.intersection(split_argument_name(tool)):
        traced = _drop_threads(traced, targets)
    if are_handles_targets:
        traced = [
            leaf._replace(is_target=True) if leaf.kind is Kind.HANDLE and not names_note(leaf.pointer) else leaf
            for leaf in traced
        ]
    if len(leaves) > 1:
        traced = trace.judge_joined(leaves, traced)
    return tuple(sorted(traced))


_THREAD_WORDS: Final = frozenset("thread threads parent".split())
_HANDING_ON: Final = frozenset("forward share export move copy transfer".split())


def _drop_threads(traced: list[TracedLeaf], targets: Collection[str]) -> list[TracedLeaf]:
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


def _has_bank_form(values: list[ArgumentValue]) -> bool:
    """Whether a value is written as only an account can be, whatever its argument is called."""
    return any(form.domain in ("iban", "joint") for value in values for form in value.forms)


_NAMING: Final = frozenset(Kind) - {Kind.AMOUNT, Kind.DATE, Kind.TEXT}
_UNSET_WORDS: Final = frozenset(("null", "none", "undefined", "n/a"))


def _is_unset(text: str) -> bool:
    """Whether a text says that an optional argument has no value."""
    return len(text) <= 9 and text.casefold() in _UNSET_WORDS


_SHORT_ID: Final = re.compile(r"[0-9][A-Za-z]|[A-Za-z][0-9]")
_GENERIC_NOUNS: Final = frozenset(
    "id ids name names number no num nr key ref code to from target value by of and the in on for with at list".split()
)


def _is_plain_word(text: str) -> bool:
    """Whether a text is one word in small letters."""
    return text.isalpha() and text.islower() and is_name(text)


class _Trace:
    """Traces the leaves of one call in the sketch of its session."""

    __slots__ = (
        "_amount",
        "_is_declared_known",
        "_reading_words_left",
        "_readings_left",
        "_sketch",
        "_targets",
        "_tool",
        "_user_spans",
    )

    def __init__(  # noqa: PLR0917  private, one caller
        self,
        sketch: Sketch,
        targets: frozenset[str],
        amount: str,
        leaf_count: int,
        is_declared_known: Callable[[ArgumentValue], bool] | None,
        tool: str,
    ) -> None:
        self._sketch = sketch
        self._targets = targets
        self._amount = amount
        self._tool = tool
        self._is_declared_known = is_declared_known
        self._readings_left = min(leaf_count, _MAX_READ_LEAVES)
        self._reading_words_left = _MAX_READING_WORDS
        self._user_spans = sketch.spans[Provenance.USER]

    def trace_leaf(self, leaf: Leaf) -> TracedLeaf:
        name = name_of_argument(leaf.pointer)
        is_declared = name in self._targets and not is_beside_target(leaf) and not self._is_asked_level(leaf)
        name_words = split_argument_name(name)
        if leaf.field and leaf.field != KEY:
            name_words = (*name_words, *split_argument_name(leaf.field))
        # A right is the user's only as `_is_asked_level` says: a list that has `admin` in it grants none.
        is_right = not LEVEL_NAMES.isdisjoint(split_argument_name(leaf.field))
        is_thing = names_thing(name) or (names_thing(leaf.field) and not is_right)
        if is_declared and len(leaf.text) < MIN_DIGITS and leaf.text.isdigit():
            name_words = (*name_words, *find_nouns_of_number(self._tool, name))
        values = parse_argument(leaf.text, name_words, is_target=is_declared)
        is_amount = not is_declared and (leaf.is_amount or name == self._amount)
        kind = values[0].kind
        if is_amount and kind in (Kind.ACCOUNT, Kind.TELEPHONE) and not _has_bank_form(values):
            kind = Kind.AMOUNT
        is_target = is_declared or kind in TARGET_KINDS
        masks: list[int] = []
        flags: set[str] = set()
        origin = Provenance.USER
        for value in values:
            judged = self._judge_value(
                value, masks, flags, is_declared=is_declared, is_thing=is_thing, nouns=name_words
            )
            origin = max(origin, judged, key=TRUST_ORDER.__getitem__)
        if origin is Provenance.USER:
            return _make_traced((leaf.pointer, origin, (), kind, tuple(sorted(flags)), is_target))
        word_masks = self._sketch.look_up_marks(leaf.words) if leaf.words else []
        seen = {mask >> SOURCE_SHIFT for mask in (*word_masks, *masks) if not mask & _USER_BIT}
        places = tuple(sorted(seen - {0}))
        if origin is not Provenance.KNOWN:
            if _UNTRUSTED_BIT in map(_FOREIGN.__and__, masks):
                origin = Provenance.UNTRUSTED
            else:
                reads = is_target or (kind not in (Kind.AMOUNT, Kind.DATE) and not is_amount)
                origin = self._raise_suspicion(
                    leaf.text, values, word_masks, origin, flags, reads=reads, is_target=is_target
                )
            # What lies behind a cap was not looked at, so it could come from anywhere.
            if leaf.is_cut:
                origin = Provenance.UNTRUSTED
        if origin is Provenance.UNTRUSTED and name in self._targets and kind in _NAMING and leaf.field != KEY:
            is_target = True  # whatever the field is called
        return _make_traced((leaf.pointer, origin, places, kind, tuple(sorted(flags)), is_target))

    def _is_asked_level(self, leaf: Leaf) -> bool:
        """Whether a field beside a target, such as `role`, holds a right to read, or one that the user asked for."""
        if not leaf.field or leaf.field == KEY or LEVEL_NAMES.isdisjoint(split_argument_name(leaf.field)):
            return False
        words = split_argument_name(leaf.text) if len(leaf.text) <= _MAX_FRAGMENT else ()
        if not words or LEAST_LEVELS.issuperset(words):
            return bool(words)
        if not _AUDIENCE_WORDS.isdisjoint(words):
            return False  # "the list of public holidays" asks for no `scope="public"`
        if EDITING_LEVELS.issuperset(words) and self._sketch.was_asked(EDITING_STEMS):
            return True
        return all(map(_USER_BIT.__and__, self._sketch.look_up_marks(words)))

    # what vouches

    def _judge_value(
        self,
        value: ArgumentValue,
        masks: list[int],
        flags: set[str],
        *,
        is_declared: bool,
        is_thing: bool = False,
        nouns: Collection[str] = (),
    ) -> Provenance:
        """The origin of a value by its form and its words in order; adds the marks of its forms, and its flags.

        Args:
            value: of the argument.
            masks: takes the marks of its forms.
            flags: takes its flags.
            is_declared: the argument is a declared target.
            is_thing: the argument holds a thing of a system.
            nouns: words of the argument's name.
        """
        is_target = is_declared or value.kind in TARGET_KINDS
        origin = self._judge_forms(value, masks)
        if value.in_words if origin is None else origin is Provenance.USER and is_target:
            tokens, packed = self._read_in_order(value.text)
            if origin is None:
                origin = self._judge_words(
                    value, tokens, packed, is_target=is_target, is_declared=is_declared, is_thing=is_thing
                ) or self._judge_beside_noun(tokens, nouns)
            elif not self._user_spans.find(packed):
                flags.add(RESPELLED)
        if (
            is_declared
            and origin not in VOUCHED_ORIGINS
            and value.kind is Kind.HANDLE
            and self._is_listed(value.text, nouns)
        ):
            origin = Provenance.KNOWN
        if origin not in VOUCHED_ORIGINS and is_target and self._is_declared_known is not None:
            declared = value._replace(host="") if self._is_foreign_list(value) else value
            origin = Provenance.KNOWN if self._is_declared_known(declared) else origin
        if origin in VOUCHED_ORIGINS:
            # A form that equals a vouched one is delivered to the same place, however it is written.
            return origin
        flags.update(value.flags)
        if value.host and self._is_of_vouched_site(value.host):
            flags.add(SAME_SITE)
        return origin or Provenance.NOVEL

    def _is_foreign_list(self, value: ArgumentValue) -> bool:
        """Whether an untrusted source chose an address that many read, outsiders perhaps, and the user did not.

        That its domain is ours says nothing of who reads it.
        """
        if value.kind is not Kind.EMAIL or not value.forms or not self._are_foreign(value.forms):
            return False
        words = _LETTERS.findall(value.forms[0].text.partition("@")[0].casefold())
        audience = [word for word in words if word in _AUDIENCE_WORDS]
        return bool(audience) and not any(map(_USER_BIT.__and__, self._sketch.look_up_marks(audience)))

    def _read_in_order(self, text: str) -> tuple[list[str], bytes]:
        """Tokens of a value and their fingerprints; none of a long one whose beginning stands nowhere."""
        key = self._sketch.key
        if len(text) > _PREFIX_LENGTH:
            beginning = fingerprint_tokens_in_order(tokenize(text[:_PREFIX_LENGTH])[:-1][:_PREFIX], key)
            if not any(spans.find(beginning) for spans in self._sketch.spans.values()):
                return [], b""
        tokens = tokenize(text, MAX_TEXT_TOKENS + 1)
        # INVARIANT: VOUCH - a value is found whole or not at all.
        return (tokens, fingerprint_tokens_in_order(tokens, key)) if len(tokens) <= MAX_TEXT_TOKENS else ([], b"")

    def _judge_forms(self, value: ArgumentValue, masks: list[int]) -> Provenance | None:
        if not value.forms:
            return None
        found = self._sketch.look_up_forms(value.forms)
        masks += found
        if any(map(_USER_BIT.__and__, found)):
            return Provenance.USER
        if self._sketch.spans[Provenance.KNOWN]:
            known = self._sketch.look_up_known(value.forms)
            masks += known
            if any(known):
                return Provenance.KNOWN
        return Provenance.SYSTEM if any(map(_SYSTEM_BIT.__and__, found)) else None

    def _judge_words(
        self,
        value: ArgumentValue,
        tokens: list[str],
        packed: bytes,
        *,
        is_target: bool,
        is_declared: bool,
        is_thing: bool,
    ) -> Provenance | None:
        # A row of signs such as `0 5 * * *` says enough by its length.
        is_row = (not is_target and len(tokens) >= _MIN_ROW) or _COMPOUND.fullmatch(value.text) is not None
        if not packed or not (is_row or is_name(value.text[:_PREFIX_LENGTH])):
            return None
        # A word of the language names nobody where the argument says where something goes.
        is_word = is_declared and len(tokens) == 1 and tokens[0].isalpha() and tokens[0].islower()
        is_common = is_word and is_task_word(tokens[0])
        if is_common and not is_thing:
            return self._judge_marked_word(tokens[0])
        # Systems tell the cases of ids apart; only of what is merely said does the case make no difference.
        least = 2 if is_target else 1
        for origin in VOUCHED_ORIGINS:
            if self._sketch.spans[origin].find(packed) >= least:
                # Any word may be somebody's handle; the user's counts where it is used as a name.
                must_name = is_word and (is_common or not is_thing) and origin is Provenance.USER
                if must_name and not self._is_used_as_name(tokens[0], is_thing=is_thing):
                    continue
                return origin
        if value.kind is Kind.HANDLE and len(tokens) == 2 and tokens[0] in "#@":
            bare = fingerprint_tokens_in_order(tokens[1:], self._sketch.key)
            if is_name(tokens[1]) and self._user_spans.find(bare) >= least:
                return Provenance.USER
        words = list(islice(extract_tokens(value.text[:_PREFIX_LENGTH]), 2))
        if len(words) == 1 and self._sketch.look_up_marks(words)[0] & _SYSTEM_BIT:
            return Provenance.SYSTEM
        return None

    def _judge_beside_noun(self, tokens: list[str], nouns: Collection[str]) -> Provenance | None:
        """The origin of a word, or an id of two signs, by the noun of its argument beside it in a vouching text.

        `class_name="4b"` is the user's behind "class 4b", and `permit="parking"` in "the parking permit".
        """
        if len(tokens) != 1 or tokens[0] in NO_NAMES or tokens[0] in STOP_WORDS:
            return None
        if not (_SHORT_ID.fullmatch(tokens[0]) or _is_plain_word(tokens[0])):
            return None
        word, key, spans = tokens[0], self._sketch.key, self._sketch.spans
        exact = fingerprint_tokens_in_order([word], key)
        rows = [row for noun in sorted({*nouns} - _GENERIC_NOUNS) for row in ([noun, word], [word, noun])]
        for packed in [fingerprint_tokens_in_order(row, key) for row in rows]:
            for origin in VOUCHED_ORIGINS:
                if spans[origin].find(packed) and spans[origin].find(exact) > 1:
                    return origin
        return None

    def _is_listed(self, text: str, nouns: Collection[str]) -> bool:
        """Whether a common word or a short number is an item of what a trusted lookup brought.

        A number without its noun is one that no untrusted source has said. A right or an audience names nothing.
        """
        is_number = text.isascii() and text.isdigit() and len(text) < MIN_DIGITS
        if not self._sketch.spans[Provenance.KNOWN] or not (is_number or _is_plain_word(text)):
            return False
        if not is_number and (text in _AUDIENCE_WORDS or not LEVEL_NAMES.isdisjoint(nouns)):
            return False
        item = str(int(text)) if is_number else text
        forms = [Form("listed", item), *[Form("listed", f"{singularize(noun)} {item}") for noun in sorted({*nouns})]]
        if not any(self._sketch.look_up_known(forms)):
            return False
        return not is_number or not self._sketch.look_up_marks([text])[0] & _UNTRUSTED_BIT

    def _is_used_as_name(self, word: str, *, is_thing: bool) -> bool:
        uses = ("named", "thing") if is_thing else ("named",)
        return any(map(_USER_BIT.__and__, self._sketch.look_up_forms([Form(use, word) for use in uses])))

    def _judge_marked_word(self, word: str) -> Provenance | None:
        """The origin of a common word, which names somebody only behind a sign: `#project`, `@mail`."""
        for sign in "#@":
            if self._user_spans.find(fingerprint_tokens_in_order([sign, word], self._sketch.key)) > 1:
                return Provenance.USER
        return None

    def _is_of_vouched_site(self, host: str) -> bool:
        # The Public Suffix List is loaded only if a vouching text names a site.
        if not self._user_spans or not self._sketch.look_up_forms([ANY_SITE])[0] & _USER_BIT:
            return False
        (mask,) = self._sketch.look_up_forms([Form("site", find_registrable_domain(host))])
        return bool(mask & _USER_BIT)

    # what raises suspicion

    def _raise_suspicion(
        self,
        text: str,
        values: list[ArgumentValue],
        masks: list[int],
        origin: Provenance,
        flags: set[str],
        *,
        reads: bool,
        is_target: bool,
    ) -> Provenance:
        """The origin, worse where an untrusted source has said a part of the value; adds a flag if that is hidden."""
        foreign = [mask for mask in masks if mask and not mask & _TRUSTED_BITS]
        if foreign and len(foreign) == len(masks):
            return Provenance.UNTRUSTED
        worst = Provenance.MIXED if foreign and origin is not Provenance.SYSTEM else origin
        if reads and self._readings_left > 0:
            self._readings_left -= 1
            hidden, resembles = self._judge_readings(text, values, is_target=is_target)
            if hidden is not None or resembles:
                flags.add(SUSPICIOUS)
            if hidden is not None:
                return max(hidden, worst, key=TRUST_ORDER.__getitem__)
        return worst

    def _are_foreign(self, forms: Iterable[Form]) -> bool:
        return _UNTRUSTED_BIT in map(_FOREIGN.__and__, self._sketch.look_up_forms(forms))

    def _judge_readings(
        self, text: str, values: list[ArgumentValue], *, is_target: bool
    ) -> tuple[Provenance | None, bool]:
        """What an untrusted source has said of the readings of a leaf; whether it looks like what was vouched for."""
        looks = [
            Form("skeleton", make_skeleton(form.text))
            for value in values
            for form in value.forms
            if form.domain in ("email", "host")
        ]
        masks = self._sketch.look_up_forms(looks) if looks else []
        if _UNTRUSTED_BIT in map(_FOREIGN.__and__, masks):
            return Provenance.UNTRUSTED, True
        resembles = any(map(_TRUSTED_BITS.__and__, masks))
        if not self._sketch.has_untrusted:
            return None, resembles
        for reading in islice(generate_argument_readings(text, is_value=is_target), _MAX_READINGS):
            if self._reading_words_left <= 0:
                break
            if reading.isalpha() and reading.isascii() and len(reading) <= 64:
                words = [reading.casefold()]
            else:
                words = list(islice(extract_tokens(reading[:_PREFIX_LENGTH]), self._reading_words_left))
            self._reading_words_left -= len(words)
            found = self._sketch.look_up_marks(words) if words else []
            foreign = [mask for mask in found if mask & _FOREIGN == _UNTRUSTED_BIT]
            if foreign:
                return (Provenance.UNTRUSTED if len(foreign) == len(found) else Provenance.MIXED), True
            forms = () if reading.isalpha() else islice(find_forms(reading[:1024]), 64)
            if self._are_foreign(forms):
                return Provenance.UNTRUSTED, True
        return None, resembles

    # parts that belong together

    def judge_joined(self, leaves: tuple[Leaf, ...], traced: list[TracedLeaf]) -> list[TracedLeaf]:
        """The traced leaves, worse where leaves make a value together that is worse than each of them."""
        named = [
            (leaf.field if leaf.field not in ("", KEY) else name_of_argument(leaf.pointer), leaf.text)
            for leaf in leaves
        ]
        for members, spellings in find_joined_values(named):
            if all(traced[i].origin in VOUCHED_ORIGINS for i in members):
                judged = [self._judge_joined_value(value) for value in spellings]
                best = min(judged, key=TRUST_ORDER.__getitem__)
                if (
                    TRUST_ORDER[best]
                    > TRUST_ORDER[max((traced[i].origin for i in members), key=TRUST_ORDER.__getitem__)]
                ):
                    for i in members:
                        traced[i] = _make_worse(traced[i], best)
        # What a full sketch does not hold counts as untrusted already.
        if self._sketch.has_untrusted and not self._sketch.saturated:
            self._judge_adjacent(leaves, traced)
        return traced

    def _judge_joined_value(self, value: ArgumentValue) -> Provenance:
        return self._judge_value(value, [], set(), is_declared=True)

    def _judge_adjacent(self, leaves: tuple[Leaf, ...], traced: list[TracedLeaf]) -> None:
        """Short leaves that stand side by side and are together what an untrusted source has said."""
        short = [
            i
            for i, leaf in enumerate(leaves)
            if not leaf.is_amount and len(leaf.text) <= _MAX_FRAGMENT and leaf.words and len(leaf.words) == 1
        ]
        rows = list(iter_adjacent(short, [leaf.text for leaf in leaves]))
        words = [joined.casefold() for _, joined in rows]
        masks = self._sketch.look_up_marks(words) if words else []
        for (members, joined), mask in zip(rows, masks, strict=True):
            form = find_joined_form(joined)
            if (mask & _FOREIGN == _UNTRUSTED_BIT) or (form and self._are_foreign([form])):
                for i in members:
                    traced[i] = _make_worse(traced[i], Provenance.UNTRUSTED)


_MAX_FRAGMENT: Final = 40  # characters of a leaf that is looked at as a part


def _make_worse(leaf: TracedLeaf, origin: Provenance) -> TracedLeaf:
    if TRUST_ORDER[origin] <= TRUST_ORDER[leaf.origin]:
        return leaf
    return leaf._replace(origin=origin, flags=tuple(sorted({*leaf.flags, SUSPICIOUS})))
