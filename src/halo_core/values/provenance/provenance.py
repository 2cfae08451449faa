"""Where each value in the arguments of a call came from: the user, a lookup, a prompt, nobody or an untrusted source.

    trace_leaves(parse_leaves({"to": "ana@x.example", "amount": 20}), sketch, targets=("to",))
    # (TracedLeaf("/amount", novel, kind amount), TracedLeaf("/to", user, kind email, is_target))

The steps: `argument_forms.parse_argument` splits each leaf of the arguments into values. `vouching` looks up in the
session's `Sketch` who vouches for each value. If nobody does, `hidden_values` looks for it in untrusted content, also
encoded. This module combines the values of a leaf into one origin, compares leaves that belong together (bank code and
account number), and marks the targets.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from itertools import islice
from typing import Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.kinds.argument_names import (
    find_nouns_of_number,
    name_of_argument,
    names_line,
    names_note,
    names_somebody,
    names_thing,
    names_written_field,
    split_argument_name,
)
from halo_core.values.kinds.kinds import SUSPICIOUS, TARGET_KINDS, Form, Kind
from halo_core.values.kinds.number_uses import names_paper
from halo_core.values.kinds.numbered import MIN_DIGITS
from halo_core.values.language.lexicon import (
    AUDIENCE_WORDS,
    COMMON_NAME_PARTS,
    EDITING_LEVELS,
    EDITING_STEMS,
    LEAST_LEVELS,
    LEVEL_NAMES,
)
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.argument_forms import ArgumentValue, parse_argument
from halo_core.values.provenance.chosen_files import is_file_chosen
from halo_core.values.provenance.dictated_accounts import add_targets_after_exposure
from halo_core.values.provenance.hidden_values import HiddenValueFinder
from halo_core.values.provenance.joined_values import find_joined_form, find_joined_values, iter_adjacent, names_part
from halo_core.values.provenance.known_rows import (
    is_other_row_named,
    is_row_ambiguous,
    is_row_named,
    is_row_only_described,
    is_row_unnamed,
)
from halo_core.values.provenance.leaves import KEY, Leaf, holds_right, is_beside_target
from halo_core.values.provenance.result_origins import TRUST_ORDER, VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import (
    TracedLeaf,
    grants_right,
    make_traced,
    unmark_sent_paths,
    unmark_threads,
    unmark_unset_targets,
)
from halo_core.values.provenance.vouching import ArgumentContext, ValueJudge, make_argument_context
from halo_core.values.requests.phrasal_verbs import EDITING
from halo_core.values.requests.reworded import may_be_reworded, says_when_or_how
from halo_core.values.requests.user_texts import find_id_letters
from halo_core.values.sketches.sketch import (
    ORIGIN_BITS,
    SOURCE_SHIFT,
    USER_BIT,
    Sketch,
    extract_tokens,
    has_only_untrusted_mark,
    has_user_mark,
)

_PLAIN_NUMBER: Final = compile_later(r"[0-9](?:[ -]?[0-9]){2,19}")
"""A bank code or an account number as people write it."""
_MAX_FRAGMENT: Final = 40  # characters of a leaf that is looked at as a part, or as the name of a right
_BY_EDITING: Final = frozenset((EDITING,))
_MAX_ADDRESS: Final = 256  # characters
_ADDRESS_WORD: Final = compile_later(r"[^\W\d_]{3,}")
_NAMING_KINDS: Final = frozenset(Kind) - {Kind.AMOUNT, Kind.DATE, Kind.TEXT}
_ID_KINDS: Final = frozenset({Kind.HANDLE, Kind.ACCOUNT})
_MAX_ID_WORDS: Final = 8
_MESSAGE_HEADER: Final = compile_later(r"[\r\n]\s*(?:resent-)?(?:to|cc|bcc|reply-to|from|sender)\s*:", re.IGNORECASE)
_VALUE_NAMES: Final = frozenset("value values content data new text to".split())
"""Words of arguments that hold the new value of a field."""
_PAYEE: Final = "payee"
"""Noun of a payment's target, unless a name says that a paper is settled. The number of an invoice is no payee."""
_ZONE_WORDS: Final = frozenset("zone domain".split())
_HOST_LABEL_WORDS: Final = frozenset("name record subdomain label host hostname".split())
"""Words of the argument beside a zone that holds the name in the zone: `www`."""
_FORWARDING_WORDS: Final = frozenset("forward share export move copy transfer".split())
"""Verbs of tools that pass a thread or a path on, and do not write to it."""


_JOINED_TARGET: Final = ArgumentContext(is_target=True)
"""Context in which the joined value of several leaves is judged."""


class ToolTraits(NamedTuple):
    """What tracing needs to know of the tool that is called, besides its declared targets.

    Args:
        name: of the tool. It says what an `id` is the number of: a ticket, for `close_ticket(id)`.
        amount: name of the argument that is declared the amount, empty if none is.
        are_paths_objects: a path is what is sent, not where it goes, unless it is a declared target.
        are_handles_targets: the tool declares no target, so any short text counts as one.
        is_administration: the tool administrates something. Once the session is exposed, a right that allows more
            than reading and writing is then a target, whatever the name of its argument.
        is_grave: the tool deletes, executes or administrates. A lookup lists all rows and does not say which one
            is meant, so an id that an untrusted source names too counts as chosen by that source.
        deletes: the tool deletes something.
        is_lookup: the tool is a declared read of a trusted source.
        is_act: the tool is not a read.
        reaches_others: the tool pays or sends something.
        pays: the tool is a payment.
    """

    name: str = ""
    amount: str = ""
    are_paths_objects: bool = False
    are_handles_targets: bool = False
    is_administration: bool = False
    is_grave: bool = False
    deletes: bool = False
    is_lookup: bool = False
    is_act: bool = False
    reaches_others: bool = False
    pays: bool = False


_NO_TRAITS: Final = ToolTraits()


def trace_leaves(
    leaves: Iterable[Leaf],
    sketch: Sketch,
    targets: Collection[str] = (),
    tool: ToolTraits = _NO_TRAITS,
    *,
    is_declared_known: Callable[[ArgumentValue], bool] | None = None,
    is_exposed: bool = True,
) -> tuple[TracedLeaf, ...]:
    """Find the origin and the sources of each argument leaf; sorted by pointer.

    Args:
        leaves: of the real arguments (before secrets are sealed).
        sketch: what the session has seen.
        targets: names of the arguments that are declared targets.
        tool: what is called.
        is_declared_known: whether the operator has declared a value as known. Only called for targets.
        is_exposed: the session may have seen an untrusted source.
    """
    leaves = tuple(leaves)
    tracer = _LeafTracer(leaves, sketch, frozenset(targets), tool, is_declared_known, is_exposed=is_exposed)
    traced: list[TracedLeaf] = []
    for leaf in leaves:
        traced.append(tracer.trace(leaf))  # noqa: PERF401  a comprehension is a call
    traced = _correct_target_marks(leaves, traced, targets, tool, sketch)
    if len(leaves) > 1:
        tracer.judge_pairs(leaves, traced)
        # In a saturated sketch, each unknown word counts as untrusted already.
        if sketch.has_untrusted and not sketch.saturated:
            tracer.judge_adjacent(leaves, traced)
    return tuple(sorted(traced))


def _correct_target_marks(
    leaves: Sequence[Leaf], traced: list[TracedLeaf], targets: Collection[str], tool: ToolTraits, sketch: Sketch
) -> list[TracedLeaf]:
    """Mark further leaves as targets, and remove the mark from leaves that say where nothing goes."""
    if len(leaves) > 1 or tool.are_paths_objects:
        traced = unmark_unset_targets(leaves, traced)
    if tool.are_paths_objects:
        traced = unmark_sent_paths(leaves, traced, targets, sketch)
        if _FORWARDING_WORDS.isdisjoint(split_argument_name(tool.name)):
            traced = unmark_threads(traced, targets)
    if tool.are_handles_targets:
        traced = [
            leaf._replace(is_target=True) if leaf.kind is Kind.HANDLE and not names_note(leaf.pointer) else leaf
            for leaf in traced
        ]
    if tool.is_administration and sketch.has_untrusted:
        traced = [
            traced_leaf._replace(is_target=True) if grants_right(leaf) else traced_leaf
            for leaf, traced_leaf in zip(leaves, traced, strict=True)
        ]
    if tool.is_act and len(leaves) > 1 and sketch.has_untrusted:
        is_message = tool.reaches_others and not tool.pays
        traced = add_targets_after_exposure(leaves, traced, targets, sketch, is_message=is_message, tool=tool.name)
    return traced


def _list_set_targets(leaves: Iterable[Leaf], targets: Collection[str]) -> set[str]:
    """List the names of the declared targets that have a value."""
    names = set[str]()
    for leaf in leaves:
        name = name_of_argument(leaf.pointer)
        if name in targets and leaf.text.strip():
            names.add(name)
    return names


def _find_field_words(leaves: Iterable[Leaf]) -> tuple[str, ...]:
    """List the words of the field that a call writes, if an argument names it: `account` for `field="account"`."""
    words: tuple[str, ...] = ()
    for leaf in leaves:
        if names_written_field(leaf.pointer) and len(leaf.text) <= _MAX_FRAGMENT:
            words += split_argument_name(leaf.text)
    return words


class _LeafTracer:
    """Traces the leaves of one call in the sketch of its session.

    Args:
        leaves: of the call.
        sketch: what the session has seen.
        targets: names of the arguments that are declared targets.
        tool: what is called.
        is_declared_known: see `trace_leaves`.
        is_exposed: see `trace_leaves`.
    """

    __slots__ = (
        "_field_words",
        "_hidden",
        "_is_exposed",
        "_is_grave",
        "_judge",
        "_may_be_chosen",
        "_set_targets",
        "_settles_paper",
        "_sketch",
        "_targets",
        "_tool",
    )

    def __init__(
        self,
        leaves: Sequence[Leaf],
        sketch: Sketch,
        targets: frozenset[str],
        tool: ToolTraits,
        is_declared_known: Callable[[ArgumentValue], bool] | None,
        *,
        is_exposed: bool,
    ) -> None:
        self._sketch = sketch
        self._targets = targets
        self._tool = tool
        self._is_exposed = is_exposed
        self._field_words = _find_field_words(leaves)
        self._set_targets = _list_set_targets(leaves, targets) if targets else ()
        self._settles_paper = tool.pays and names_paper(split_argument_name(tool.name))
        # Only an untrusted source that was read can have chosen an id.
        self._is_grave = tool.is_grave and sketch.has_untrusted
        self._may_be_chosen = not tool.is_lookup and sketch.has_untrusted
        self._judge = ValueJudge(
            sketch,
            is_declared_known,
            is_act=tool.is_act,
            is_sending=tool.reaches_others,
            is_exposed=is_exposed,
            is_grave=tool.is_grave,
            pays=tool.pays,
        )
        self._hidden = HiddenValueFinder(sketch, len(leaves))

    def trace(self, leaf: Leaf) -> TracedLeaf:
        """Find the origin of one leaf, without the leaves beside it."""
        name = name_of_argument(leaf.pointer)
        if name in self._targets and len(self._set_targets) > 1:
            if self._is_least_level(leaf, name) or self._is_editing_level(leaf, name):
                # Another word for the right to read gives nobody more, so it does not matter who chose it.
                return make_traced((leaf.pointer, Provenance.KNOWN, (), Kind.HANDLE, (), True))
            if self._says_when_or_how(leaf, name):
                return make_traced((leaf.pointer, Provenance.KNOWN, (), Kind.DATE, (), False))
        return self._trace_values(leaf, name)

    def _trace_values(self, leaf: Leaf, name: str) -> TracedLeaf:
        """Find the origin of a leaf by its values: the worst of their origins.

        A value for which nobody vouches is untrusted if untrusted content contains it, also encoded.
        """
        argument = self._describe_argument(leaf, name)
        values = parse_argument(leaf.text, argument.nouns, is_target=argument.is_target)
        is_amount = not argument.is_target and (leaf.is_amount or name == self._tool.amount)
        kind = values[0].kind
        if is_amount and kind in (Kind.ACCOUNT, Kind.TELEPHONE) and not _has_bank_form(values):
            kind = Kind.AMOUNT
        is_target = argument.is_target or kind in TARGET_KINDS
        is_target = is_target or (("\n" in leaf.text or "\r" in leaf.text) and _adds_message_header(leaf, name))
        marks: list[int] = []
        flags: set[str] = set()
        origin = Provenance.USER
        for value in values:
            judged = self._judge.judge(value, argument, marks, flags)
            if judged is Provenance.KNOWN and holds_right(leaf, name):
                judged = Provenance.NOVEL  # a list that contains the word `owner` grants nobody that right
            origin = judged if TRUST_ORDER[judged] > TRUST_ORDER[origin] else origin
        if origin is Provenance.USER:
            return make_traced((leaf.pointer, origin, (), kind, tuple(sorted(flags)) if flags else (), is_target))
        word_marks = self._sketch.look_up_marks(leaf.words) if leaf.words else []
        if origin is not Provenance.KNOWN:
            if marks and has_only_untrusted_mark(marks):
                origin = Provenance.UNTRUSTED
            else:
                is_read = is_target or (kind not in (Kind.AMOUNT, Kind.DATE) and not is_amount)
                origin = self._hidden.judge(
                    leaf.text, values, word_marks, origin, flags, is_read=is_read, is_target=is_target
                )
            # The end of a leaf that was cut was not read, so it may be untrusted.
            if leaf.is_cut:
                origin = Provenance.UNTRUSTED
        elif is_target and (
            (kind in _ID_KINDS and self._is_chosen_by_untrusted(leaf, values))
            or (kind is Kind.EMAIL and self._is_grave and self._is_address_chosen(leaf, values))
            or (kind is Kind.PATH and self._tool.deletes and self._is_file_chosen(leaf, values))
        ):
            origin = Provenance.UNTRUSTED
        if origin is Provenance.UNTRUSTED and name in self._targets and kind in _NAMING_KINDS and leaf.field != KEY:
            is_target = True  # whatever the name of the field beside it
        # Words of the user have no source, and neither have words that were never shown.
        sources = [mark >> SOURCE_SHIFT for mark in (*word_marks, *marks) if mark and not mark & USER_BIT]
        places = tuple(sorted({*sources} - {0})) if sources else ()
        return make_traced((leaf.pointer, origin, places, kind, tuple(sorted(flags)) if flags else (), is_target))

    def _is_chosen_by_untrusted(self, leaf: Leaf, values: Sequence[ArgumentValue]) -> bool:
        """Whether an untrusted source chose an id that only a trusted lookup vouches for.

        Example: a lookup lists the accounts A-1 and A-2, and a mail says "pay A-2". The id is the mail's choice if
        the mail names the id, and the user named neither its row nor (outside of grave acts) another id of the same
        sort. It is also the mail's choice if the mail speaks of its row and the user of another row.
        """
        if not self._sketch.has_untrusted or all(map(self._judge.is_declared, values)):
            return False
        text = leaf.text.strip()[:_MAX_FRAGMENT]
        words = list(islice(extract_tokens(text), _MAX_ID_WORDS))
        is_id_untrusted = bool(words) and all(map(self._sketch.was_in_untrusted_text, words))
        if is_id_untrusted and (self._is_grave or (self._may_be_chosen and self._is_other_named(text))):
            return not (self._is_written(text) or is_row_named(self._sketch, text))
        if self._tool.pays and is_row_unnamed(self._sketch, text, is_id_untrusted=is_id_untrusted):
            return True
        return (self._is_grave or self._tool.reaches_others) and (
            is_other_row_named(self._sketch, text, is_id_untrusted=is_id_untrusted, is_grave=self._is_grave)
            or is_row_ambiguous(self._sketch, text, is_id_untrusted=is_id_untrusted)
            or (
                self._tool.reaches_others and is_row_only_described(self._sketch, text, is_id_untrusted=is_id_untrusted)
            )
        )

    def _is_address_chosen(self, leaf: Leaf, values: Sequence[ArgumentValue]) -> bool:
        """Whether an untrusted source chose an address among those of a trusted lookup.

        The user wrote no word of it, and no word of its row.
        """
        if all(map(self._judge.is_declared, values)):
            return False
        text = leaf.text.strip().casefold()[:_MAX_ADDRESS]
        forms = [form for value in values for form in value.forms]
        if not any(map(ORIGIN_BITS[Provenance.UNTRUSTED].__and__, self._sketch.look_up_forms(forms))):
            return False
        words = [word for word in _ADDRESS_WORD.findall(text) if word not in COMMON_NAME_PARTS]
        return not (has_user_mark(self._sketch.look_up_marks(words)) or is_row_named(self._sketch, leaf.text.strip()))

    def _is_file_chosen(self, leaf: Leaf, values: Sequence[ArgumentValue]) -> bool:
        if all(map(self._judge.is_declared, values)):
            return False
        return is_file_chosen(leaf.text, [form for value in values for form in value.forms], self._sketch)

    def _is_written(self, text: str) -> bool:
        """Whether the user wrote an id of letters and digits, even if an untrusted source named it before."""
        return has_user_mark(self._sketch.look_up_forms([Form("about", text.casefold())]))

    def _is_other_named(self, text: str) -> bool:
        """Whether the user wrote another id with the same first letters: `INV-8812`, where this is `INV-8890`."""
        letters = find_id_letters(text)
        return bool(letters) and has_user_mark(self._sketch.look_up_forms([Form("id_letters", letters)]))

    def _describe_argument(self, leaf: Leaf, name: str) -> ArgumentContext:
        """Describe the argument of a leaf, by its name and its declaration."""
        if not leaf.field:
            is_target, nouns = name in self._targets, split_argument_name(name)
            if is_target and len(leaf.text) < MIN_DIGITS and leaf.text.isdigit():
                nouns = (*nouns, *find_nouns_of_number(self._tool.name, name))
            nouns = self._add_payee(nouns, is_target=is_target)
            if self._field_words and not _VALUE_NAMES.isdisjoint(nouns):
                nouns = (*nouns, *self._field_words)
            is_key = self._tool.is_lookup and (not is_target or (leaf.text.isalpha() and leaf.text.islower()))
            is_sort = is_target and not names_somebody(name)
            is_reworded = (is_target or is_key) and may_be_reworded(name)
            return make_argument_context((is_target, names_thing(name), nouns, is_key, is_sort, is_reworded))
        return self._describe_field(leaf, name)

    def _add_payee(self, nouns: tuple[str, ...], *, is_target: bool) -> tuple[str, ...]:
        """Add the payee to the words of a target's name in a payment.

        Not if the tool or the argument is named after a paper (`invoice`).
        """
        is_payee = is_target and self._tool.pays and not self._settles_paper and not names_paper(nouns)
        return (*nouns, _PAYEE) if is_payee else nouns

    def _describe_field(self, leaf: Leaf, name: str) -> ArgumentContext:
        """Describe a leaf inside of a mapping; see `_describe_argument`."""
        is_target = name in self._targets and not is_beside_target(leaf) and not self._is_asked_level(leaf)
        nouns = split_argument_name(name)
        if leaf.field != KEY:
            nouns = (*nouns, *split_argument_name(leaf.field))
        nouns = self._add_payee(nouns, is_target=is_target)
        # A right is the user's only as `_is_asked_level` says: a list that has `admin` in it grants none.
        is_right = not LEVEL_NAMES.isdisjoint(split_argument_name(leaf.field))
        is_thing = names_thing(name) or (names_thing(leaf.field) and not is_right)
        if is_target and len(leaf.text) < MIN_DIGITS and leaf.text.isdigit():
            nouns = (*nouns, *find_nouns_of_number(self._tool.name, name))
        is_key = self._tool.is_lookup and not is_target
        is_sort = is_reworded = False
        return make_argument_context((is_target, is_thing, nouns, is_key, is_sort, is_reworded))

    def _says_when_or_how(self, leaf: Leaf, name: str) -> bool:
        """Whether a declared target beside others is a day or a language, and nothing untrusted was read.

        Then the model worked it out itself.
        """
        is_unexposed = not (self._is_exposed or self._sketch.may_hold_untrusted)
        return is_unexposed and not leaf.field and says_when_or_how(name, leaf.text.strip())

    def _is_least_level(self, leaf: Leaf, name: str) -> bool:
        """Whether a declared target beside others holds only the right to read."""
        if leaf.field or LEVEL_NAMES.isdisjoint(split_argument_name(name)):
            return False
        words = split_argument_name(leaf.text) if len(leaf.text) <= _MAX_FRAGMENT else ()
        return bool(words) and LEAST_LEVELS.issuperset(words)

    def _is_editing_level(self, leaf: Leaf, name: str) -> bool:
        """Whether a declared target beside others holds the right to edit, and the user wants somebody to have it."""
        if leaf.field or LEVEL_NAMES.isdisjoint(split_argument_name(name)):
            return False
        words = split_argument_name(leaf.text) if len(leaf.text) <= _MAX_FRAGMENT else ()
        return bool(words) and EDITING_LEVELS.issuperset(words) and self._sketch.was_asked(_BY_EDITING)

    def _is_asked_level(self, leaf: Leaf) -> bool:
        """Whether a field beside a target, such as `role`, holds a right to read or one that the user asked for."""
        if leaf.field == KEY or LEVEL_NAMES.isdisjoint(split_argument_name(leaf.field)):
            return False
        words = split_argument_name(leaf.text) if len(leaf.text) <= _MAX_FRAGMENT else ()
        if not words or LEAST_LEVELS.issuperset(words):
            return bool(words)
        if not AUDIENCE_WORDS.isdisjoint(words):
            return False  # "the list of public holidays" asks for no `scope="public"`
        if EDITING_LEVELS.issuperset(words) and self._sketch.was_asked(EDITING_STEMS):
            return True
        return all(has_user_mark([mark]) for mark in self._sketch.look_up_marks(words))

    # leaves that belong together

    def judge_pairs(self, leaves: Sequence[Leaf], traced: list[TracedLeaf]) -> None:
        """Lower the origin of leaves that are one value together, such as bank code and account number.

        Only if nobody vouches for the pair.

        Args:
            leaves: of the call.
            traced: the same leaves, which are replaced in place.
        """
        has_host = has_parts = False
        named: list[tuple[str, str]] = []
        for leaf, traced_leaf in zip(leaves, traced, strict=True):
            has_host = has_host or traced_leaf.kind is Kind.HOST
            name = leaf.field if leaf.field not in ("", KEY) else name_of_argument(leaf.pointer)
            has_parts = has_parts or names_part(name)
            named.append((name, leaf.text))
        if has_host:
            self._vouch_for_zone(leaves, traced)
        for members, spellings in find_joined_values(named) if has_parts else ():
            are_plain = all(_PLAIN_NUMBER.fullmatch(leaves[i].text) is not None for i in members)
            if are_plain and _has_bank_form(spellings) and self._is_users_pair(spellings):
                # A mail that repeats the code beside another number makes it no code of the mail.
                for i in members:
                    traced[i] = _raise_to_user(traced[i])
            elif all(traced[i].origin in VOUCHED_ORIGINS for i in members):
                judged = [self._judge.judge(value, _JOINED_TARGET, [], set()) for value in spellings]
                best = min(judged, key=TRUST_ORDER.__getitem__)
                if all(TRUST_ORDER[best] > TRUST_ORDER[traced[i].origin] for i in members):
                    for i in members:
                        traced[i] = _lower_origin(traced[i], best)

    def _is_users_pair(self, spellings: Iterable[ArgumentValue]) -> bool:
        """Whether the user wrote a bank code and an account number beside each other."""
        judged = [self._judge.judge(value, _JOINED_TARGET, [], set()) for value in spellings]
        return Provenance.USER in judged

    def _vouch_for_zone(self, leaves: Sequence[Leaf], traced: list[TracedLeaf]) -> None:
        """Give a zone and the name beside it the origin `user` if the user wrote them together.

        The user writes "point www.corp.example to ...", and the call has `zone="corp.example", name="www"`. This does
        not hold for a tool that acts on the zone itself.
        """
        if not _ZONE_WORDS.isdisjoint(split_argument_name(self._tool.name)):
            return
        zones = [
            i
            for i, leaf in enumerate(traced)
            if leaf.kind is Kind.HOST
            and (leaf.origin is Provenance.USER or _is_of_nobody(leaf))
            and not _ZONE_WORDS.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        ]
        names = [
            i
            for i, leaf in enumerate(leaves)
            if not leaf.field and not _HOST_LABEL_WORDS.isdisjoint(split_argument_name(name_of_argument(leaf.pointer)))
        ]
        if len(zones) != 1 or len(names) != 1:
            return
        place, name = zones[0], leaves[names[0]].text.strip()
        if not 0 < len(name) <= _MAX_FRAGMENT:
            return
        joined = parse_argument(f"{name}.{leaves[place].text.strip()}", is_target=True)
        if len(joined) == 1 and joined[0].kind is Kind.HOST:
            judged = self._judge.judge(joined[0], _JOINED_TARGET, [], set())
            if judged is Provenance.USER:
                for i in (place, names[0]):
                    if _is_of_nobody(traced[i]):
                        traced[i] = traced[i]._replace(origin=Provenance.USER)

    def judge_adjacent(self, leaves: Sequence[Leaf], traced: list[TracedLeaf]) -> None:
        """Make adjacent short leaves untrusted if an untrusted source wrote them as one word: `ana@` and `x.example`.

        Args:
            leaves: of the call.
            traced: the same leaves, which are replaced in place.
        """
        short = [
            i
            for i, leaf in enumerate(leaves)
            if not leaf.is_amount and len(leaf.text) <= _MAX_FRAGMENT and leaf.words and len(leaf.words) == 1
        ]
        rows = list(iter_adjacent(short, [leaf.text for leaf in leaves]))
        words = [joined.casefold() for _, joined in rows]
        marks = self._sketch.look_up_marks(words) if words else []
        for (members, joined), mark in zip(rows, marks, strict=True):
            form = find_joined_form(joined)
            if has_only_untrusted_mark([mark]) or (form and self._judge.has_only_untrusted_form([form])):
                for i in members:
                    traced[i] = _lower_origin(traced[i], Provenance.UNTRUSTED)


def _adds_message_header(leaf: Leaf, name: str) -> bool:
    """Whether a one-line field of a message, such as its subject, adds a header with recipients."""
    return names_line(name) and _MESSAGE_HEADER.search(leaf.text) is not None


def _has_bank_form(values: Iterable[ArgumentValue]) -> bool:
    """Whether a value is written as only an account can be (an IBAN), whatever the name of its argument."""
    return any(form.domain in ("iban", "joint") for value in values for form in value.forms)


def _is_of_nobody(leaf: TracedLeaf) -> bool:
    """Whether nobody vouches for a leaf, and no untrusted source has to do with it."""
    return leaf.origin in (Provenance.NOVEL, Provenance.SYSTEM) and SUSPICIOUS not in leaf.flags


def _raise_to_user(leaf: TracedLeaf) -> TracedLeaf:
    """Give a leaf the origin `user`, without the sign of an untrusted spelling."""
    return leaf._replace(origin=Provenance.USER, flags=tuple(flag for flag in leaf.flags if flag != SUSPICIOUS))


def _lower_origin(leaf: TracedLeaf, origin: Provenance) -> TracedLeaf:
    """Give a leaf this origin and mark it as suspicious, if the origin is worse than its own."""
    if TRUST_ORDER[origin] <= TRUST_ORDER[leaf.origin]:
        return leaf
    return leaf._replace(origin=origin, flags=tuple(sorted({*leaf.flags, SUSPICIOUS})))
