"""The questions about one call by which its facts are found: `CallFacts`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import filterfalse
from typing import Any, Final

from halo_core.model import Impact, ProgramClass, Provenance, Resource
from halo_core.values.facts.aliases import is_alias
from halo_core.values.facts.amount_facts import (
    has_invented_count,
    has_unvouched_count,
    orders_what_is_pointed_at,
)
from halo_core.values.facts.call_programs import (
    are_programs_dictated,
    asks_for_programs,
    judge_call_programs,
)
from halo_core.values.facts.call_view import GRAVE_IMPACTS, CallView, is_unpriced_order, words_of
from halo_core.values.facts.decided_calls import judge_decision
from halo_core.values.facts.fact_sources import FactSources
from halo_core.values.facts.listed_orders import needs_order
from halo_core.values.facts.messages_to_user import goes_to_user_alone
from halo_core.values.facts.ordered_values import appoints_more_than_call, is_ordered_with_values
from halo_core.values.facts.own_orders import is_own_order
from halo_core.values.facts.reached_hosts import ReachedHosts
from halo_core.values.facts.stated_orders import is_act_ordered, is_payment_ordered
from halo_core.values.facts.tool_nouns import list_listed_things, list_things
from halo_core.values.facts.untrusted_additions import is_extended_by_untrusted
from halo_core.values.facts.updated_records import is_record_of_others, may_number_record
from halo_core.values.facts.written_tool_names import (
    are_name_words_written,
    find_ordered_verb_of_name,
    is_unlisted_verb_in_name,
    runs_ordered_program,
)
from halo_core.values.kinds.argument_names import name_of_argument, names_amount, names_note, names_query
from halo_core.values.kinds.kinds import SUSPICIOUS, Kind
from halo_core.values.language.lexicon import (
    ALL_VERBS,
    LEAST_LEVELS,
    LEVEL_NAMES,
    SECRET_WORDS,
    STOP_WORDS,
    is_task_word,
)
from halo_core.values.language.text import split_name
from halo_core.values.provenance.argument_forms import parse_argument
from halo_core.values.provenance.known_rows import is_pointed_out, is_row_cancelled
from halo_core.values.provenance.leaves import KEY, Leaf
from halo_core.values.provenance.record_lists import is_list_of, list_records_twice, names_listed, names_record
from halo_core.values.provenance.replaced_values import changes_to_value_of_others
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.requests.answered_senders import is_answered_sender
from halo_core.values.requests.asked_objects import is_act_asked_for_others
from halo_core.values.requests.implied_orders import BARE_REQUEST, CANCELLATION
from halo_core.values.requests.lookup_requests import wants_no_act
from halo_core.values.requests.named_records import is_answered_record, is_named_record
from halo_core.values.requests.obtained_goods import list_stems_of_order
from halo_core.values.requests.tool_verbs import CLASS_WORDS, list_asking_stems, list_declared_stems, list_loose_stems
from halo_core.values.requests.topics import ALL, ONLY, ONLY_OF
from halo_core.values.requests.typos import is_typo
from halo_core.values.requests.unlisted_orders import NEED, UNLISTED_CHANGE, UNLISTED_ORDER
from halo_core.values.sketches.sketch import USER_BIT, Sketch, extract_tokens

_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_NAMING_KINDS: Final = frozenset(Kind) - {Kind.AMOUNT, Kind.DATE, Kind.TEXT}
_NUMBERING_KINDS: Final = frozenset({Kind.HANDLE, Kind.ACCOUNT, Kind.AMOUNT, Kind.DATE})
_POINTED_KINDS: Final = frozenset({Kind.PATH, Kind.HANDLE})
_BY_UNLISTED_ORDER: Final = frozenset((UNLISTED_ORDER, UNLISTED_CHANGE))
_ORDERS_WITHOUT_LISTED_VERB: Final = {
    Impact.PAYMENT: frozenset((*_BY_UNLISTED_ORDER, NEED, BARE_REQUEST)),
    Impact.DELETE: frozenset((UNLISTED_ORDER, CANCELLATION)),
}
"""Class of acts → marks of texts that ask for one without a listed verb, before exposure."""
_BY_CANCELLATION: Final = frozenset((CANCELLATION,))
_MAY_BE_ORDERED_WITHOUT_LISTED_VERB: Final = frozenset({Impact.PAYMENT, Impact.DELETE, Impact.EXECUTE, Impact.ADMIN})
_HAS_OBJECTS: Final = GRAVE_IMPACTS | {Impact.PAYMENT}
"""Classes of acts for which the user asks with an object."""
_UPDATING_WORDS: Final = frozenset("update edit change modify adjust amend correct updat chang modifi".split())
_TEXT_KINDS: Final = frozenset(Kind) - {Kind.AMOUNT, Kind.DATE, Kind.PROGRAM}
_MAX_QUERY_WORDS: Final = 32
_MIN_RECORD_DIGITS: Final = 3  # digits of the number of a record


class CallFacts:
    """One call with its targets. Each public method answers one fact."""

    def __init__(  # noqa: PLR0917  private, one caller
        self,
        resource: Resource,
        args: Mapping[str, Any],
        leaves: Iterable[Leaf],
        traced: Sequence[TracedLeaf],
        sketch: Sketch,
        sources: FactSources,
    ) -> None:
        self._resource = resource
        self._args = args
        leaves = self._leaves = tuple(leaves)
        self._traced = traced
        self._sketch = sketch
        self._sources = sources
        self._texts: dict[str, str] = {}
        self._words: dict[str, list[str]] = {}
        keys = self._keys = set[str]()
        for leaf in leaves:
            self._texts[leaf.pointer] = leaf.text
            if not leaf.is_cut:
                self._words[leaf.pointer] = leaf.words
            if leaf.field == KEY:
                keys.add(leaf.pointer)
        self.targets: list[TracedLeaf] = []
        self._open_targets: list[TracedLeaf] = []  # that nobody vouched for
        self._naming: list[TracedLeaf] = []
        self.queries: list[TracedLeaf] = []
        is_order = resource.impact is Impact.PAYMENT
        for traced_leaf in traced:
            kind, is_target = traced_leaf.kind, traced_leaf.is_target
            is_query = kind in _TEXT_KINDS and names_query(traced_leaf.pointer)
            if is_query:
                self.queries.append(traced_leaf)
            is_name = kind in _NAMING_KINDS and not (is_query and kind is Kind.HANDLE)
            if is_order and traced_leaf.pointer in keys and traced_leaf.origin is Provenance.NOVEL:
                is_name = False  # a name of a field, which is the model's as that of an argument is the tool's
            if is_target or is_name or (kind is Kind.AMOUNT and resource.labels and self._numbers_record(traced_leaf)):
                self._naming.append(traced_leaf)
            if is_target and kind is not Kind.PROGRAM:
                self.targets.append(traced_leaf)
                if traced_leaf.origin not in VOUCHED_ORIGINS:
                    self._open_targets.append(traced_leaf)
        self.view = CallView(resource, traced, self._texts, sketch)
        self.hosts = ReachedHosts(self.view, self._open_targets)
        self.has_open_targets = bool(self._open_targets)
        self._is_exposed = sources.is_exposed or sketch.may_hold_untrusted
        self._was_asked: bool | None = None
        self._is_in_no_order: bool | None = None

    def _numbers_record(self, leaf: TracedLeaf) -> bool:
        """Whether a number says which record of a labelled resource is read, and not how many."""
        if self._resource.impact is not Impact.READ:
            return False
        digits = sum(map(str.isdigit, self._texts.get(leaf.pointer, "")))
        return digits >= _MIN_RECORD_DIGITS and not names_amount(name_of_argument(leaf.pointer))

    # what was asked

    def is_asked(self) -> bool:
        """Whether the user asked for this act: by a listed order, by the tool's verb, or by a word for its class.

        INVARIANT: a grave tool without a verb in its name was not asked for, unless the user wrote each word of that
        name, or an argument says which right it gives or what it pays.
        """
        if self._was_asked is None:
            if self._sources.lists_orders and (self._sources.ordered_pointers is not None or self.is_in_no_order()):
                self._was_asked = self._sources.ordered_pointers is not None
                return self._was_asked
            was_asked = self._judge_whole_request()
            self._was_asked = self._is_act_asked() if was_asked is None else was_asked
            if not self._was_asked:
                is_open = was_asked is None or self._resource.impact is Impact.SEND
                self._was_asked = self.is_payment_stated() or (
                    is_open and is_act_ordered(self.view, self.targets, self._args, self._leaves)
                )
        return self._was_asked

    def is_in_no_order(self) -> bool:
        """Whether the host lists what the user ordered, and after exposure the call acts and carries out none of it.

        A message to the user alone is no such act, nor is a program that only reads or that reaches nothing outside.
        """
        if self._is_in_no_order is None:
            self._is_in_no_order = self._judge_orders()
        return self._is_in_no_order

    def _judge_orders(self) -> bool:
        resource, sources = self._resource, self._sources
        if not sources.lists_orders or sources.ordered_pointers is not None or not self._is_exposed:
            return False
        if resource.impact is Impact.SEND:
            return not goes_to_user_alone(self.view, self.targets, sources.own_address)
        if resource.impact is Impact.EXECUTE and (
            resource.contained or judge_call_programs(self.view) is ProgramClass.READS
        ):
            return False
        return needs_order(resource)

    def _is_act_asked(self) -> bool:
        """Whether the user asked for the act by a verb, by the name of the tool or by an order of another form."""
        stems = list_asking_stems(self._resource.id, self._resource.impact)
        if not stems and self._resource.impact is Impact.ADMIN and self._gives_right():
            stems = CLASS_WORDS[Impact.ADMIN]
        was_asked = bool(stems) and self._sketch.was_asked(stems)
        if not was_asked and not self._is_exposed:
            was_asked = self._sketch.was_asked(list_loose_stems(self._resource.id, self._resource.impact))
        if not was_asked and not stems:
            was_asked, stems = self._is_asked_by_name_or_declaration()
        if not was_asked and self._resource.impact in _MAY_BE_ORDERED_WITHOUT_LISTED_VERB:
            was_asked = self._is_ordered_without_listed_verb()
        if not was_asked and self._resource.impact in _HAS_OBJECTS:
            verb = self._find_ordered_verb()
            stems |= verb
            was_asked = bool(verb) or self._is_good_wanted() or self._are_programs_ordered()
        if not was_asked and (not stems or self._is_message_without_verb_in_name()):
            was_asked = are_name_words_written(self.view, self._sources.names, is_exposed=self._is_exposed)
        elif was_asked and self._is_exposed and self._resource.impact in _HAS_OBJECTS:
            was_asked = not (self._is_asked_for_others(stems) or is_extended_by_untrusted(self.view, self._keys))
        return was_asked

    def is_payment_stated(self) -> bool:
        """Whether the call pays, after exposure, exactly what the user states or gives, by whatever verb."""
        return self._is_exposed and is_payment_ordered(self.view, self.targets, self._keys, self._sources)

    def _judge_whole_request(self) -> bool | None:
        """Whether the request as a whole shows that the act is asked for or not; None if it shows neither."""
        is_message = self._resource.impact is Impact.SEND
        if is_message and goes_to_user_alone(self.view, self.targets, self._sources.own_address):
            return True
        if self._is_exposed and wants_no_act(self._sketch, self._resource.impact):
            return False
        if not is_message:
            return judge_decision(self._resource, self._args, self._traced, self._texts, self._sketch)
        # Who sends the agent to a page lets it fill in what the page asks for.
        return self.hosts.are_users_pages(self.targets) or None

    def _is_asked_for_others(self, stems: frozenset[str]) -> bool:
        """Whether the user asks for the act, but for other objects than the targets that he wrote."""
        written = [
            (name_of_argument(leaf.pointer), self._texts.get(leaf.pointer, ""))
            for leaf in self.targets
            if leaf.origin is Provenance.USER
        ]
        return is_act_asked_for_others(self._sketch, stems, self._resource, written, self._args)

    def _is_ordered_without_listed_verb(self) -> bool:
        """Whether the user orders something by a verb that is in no list, and points at each target.

        "Bathroom to 23" for `set_heating(room, degrees)`. After exposure only if nobody else can have meant the act.
        """
        if self._is_exposed or not self.targets:
            return is_own_order(self.view, self.targets, self._sources.pointed)
        orders = _ORDERS_WITHOUT_LISTED_VERB.get(self._resource.impact, _BY_UNLISTED_ORDER)
        if not list_asking_stems(self._resource.id, self._resource.impact):
            orders |= CLASS_WORDS[self._resource.impact]
        is_ordered = self._sketch.was_asked(orders - {CANCELLATION})
        return (
            is_ordered
            or (CANCELLATION in orders and self._sketch.was_asked(_BY_CANCELLATION) and self._cancels_targets())
        ) and all(
            is_pointed_out(
                self._sketch,
                self._texts.get(leaf.pointer, ""),
                leaf.origin,
                leaf.places,
                self._sources.pointed,
            )
            for leaf in self.targets
        )

    def _find_ordered_verb(self) -> frozenset[str]:
        """Find the stems of the verb of the tool's name, if the user orders by it and the tool pays nothing."""
        if not self.targets or self._resource.impact is Impact.PAYMENT:
            return frozenset()  # "split the report by costs" orders no `split_cost`
        return find_ordered_verb_of_name(self.view, self._sources.names)

    def _is_good_wanted(self) -> bool:
        """Whether the tool orders goods or services, and the user wants what it orders."""
        if not self.targets or self._resource.impact is not Impact.PAYMENT:
            return False
        goods = list_stems_of_order(self._resource.id)
        return bool(goods) and self._sketch.was_asked(goods)

    def _are_programs_ordered(self) -> bool:
        """Whether the tool runs programs, and the user orders all that they do."""
        if self._resource.impact is not Impact.EXECUTE:
            return False
        return asks_for_programs(self.view) or are_programs_dictated(self.view)

    def _cancels_targets(self) -> bool:
        """Whether what the user does not want any more is the target, and not something that belongs to it."""
        return all(
            is_row_cancelled(
                self._sketch,
                self._texts.get(leaf.pointer, "").strip(),
                words_of(self._resource.id) | words_of(name_of_argument(leaf.pointer)),
            )
            for leaf in self.targets
        )

    def _is_message_without_verb_in_name(self) -> bool:
        """Whether the call sends something, and no word of the tool's name is a verb by which people ask for acts."""
        return self._resource.impact is Impact.SEND and ALL_VERBS.isdisjoint(split_name(self._resource.id))

    def _gives_right(self) -> bool:
        """Whether an argument says how much somebody may do: `access`, `role`."""
        return any(not LEVEL_NAMES.isdisjoint(words_of(name)) for name in self._args)

    def _is_asked_by_name_or_declaration(self) -> tuple[bool, frozenset[str]]:
        """Whether the user orders by a word of the tool's name, or what the tool is declared to do; and the verbs."""
        if is_unlisted_verb_in_name(self.view, self._sources.names):
            return True, frozenset()
        if self._resource.impact is Impact.EXECUTE and runs_ordered_program(self.view):
            return True, frozenset()
        stems = list_declared_stems(self._resource)
        is_asked = self._sketch.was_asked(stems) and not (self._is_exposed and appoints_more_than_call(self.view))
        return is_asked or is_ordered_with_values(self.view, self.targets), stems if is_asked else frozenset()

    def is_unchanged(self) -> bool:
        """Whether an update leaves every declared target as it is, or a message goes to nobody.

        The declared targets of an update have no values, or those of a message are empty lists.
        """
        if not self._resource.targets or self.targets:
            return False
        if self._resource.impact is Impact.SEND:
            return all(self._args.get(name) in ([], ()) for name in self._resource.targets)
        if is_record_of_others(self.view, self._naming, self._is_number_of_named_record):
            return False  # which of them is left as it is would be somebody else's choice
        is_update = not _UPDATING_WORDS.isdisjoint(split_name(self._resource.id))
        return is_update and all(self._args.get(name) in (None, "", [], {}, ()) for name in self._resource.targets)

    def _is_number_of_named_record(self, leaf: TracedLeaf) -> bool:
        return self._may_number_record(name_of_argument(leaf.pointer)) and self._numbers_named_record(leaf)

    def names_requested(self) -> bool:
        """Whether the call names something, and all that it names was written by the user."""
        if self._naming:
            for leaf in self._naming:  # noqa: SIM110  a generator is two calls
                if leaf.origin is not Provenance.USER:
                    return False
            return True
        return bool(self.queries) and all(map(self._has_only_user_words, self.queries))

    def _has_only_user_words(self, leaf: TracedLeaf) -> bool:
        """Whether the user wrote each word of a search: enough to point at a result, but no target."""
        if leaf.origin is Provenance.USER:
            return True  # also with another ending: `export` of the user's "exports"
        words = self._words.get(leaf.pointer)
        tokens = extract_tokens(self._texts.get(leaf.pointer, "")) if words is None else words
        words = list(filterfalse(STOP_WORDS.__contains__, tokens))
        masks = self._sketch.look_up_marks(words[:_MAX_QUERY_WORDS])
        return 0 < len(words) <= _MAX_QUERY_WORDS and all(map(USER_BIT.__and__, masks))

    def is_requested(self) -> bool:
        """Whether the call names only what the user wrote; if it names nothing, whether the user asked for it.

        An amount, a count, a date or a text names nothing. A number that may say which record is meant does, if an
        untrusted source chose it and the call is no read.
        """
        if self._has_number_of_others():
            return False
        if self._naming:
            for leaf in self._naming:
                if not (leaf.origin in VOUCHED_ORIGINS or self._is_incidental(leaf) or self._is_typo(leaf)):
                    return False
            return True
        for leaf in self._traced:
            if leaf.origin in _UNTRUSTED_ORIGINS:
                return False
        if self._searches_for_users_words():
            return True
        return self._was_asked or self.is_asked() or self._is_noun_of_name_written()

    def _has_number_of_others(self) -> bool:
        """Whether somebody else may have chosen a count of an order, or a number that may say which record is meant."""
        is_of_others = has_unvouched_count if self._is_exposed else has_invented_count
        if is_unpriced_order(self._resource) and is_of_others(self.view):
            return True
        return self._resource.impact is not Impact.READ and any(
            leaf.origin in _UNTRUSTED_ORIGINS and may_number_record(self.view, leaf) for leaf in self._traced
        )

    def _searches_for_users_words(self) -> bool:
        """Whether the call searches only for words of the user, and not only for common ones (`mail`, `show`)."""
        if not self.queries:
            return False
        for leaf in self._traced:
            if leaf not in self.queries:
                if not (leaf.origin in VOUCHED_ORIGINS or leaf.kind in (Kind.AMOUNT, Kind.DATE)):
                    return False
            elif leaf.origin is not Provenance.USER or all(
                map(is_task_word, extract_tokens(self._texts.get(leaf.pointer, "")))
            ):
                return False
        return True

    def _is_incidental(self, leaf: TracedLeaf) -> bool:
        """Whether a word of the model names nothing: it is a remark, or the right to read."""
        if leaf.origin is not Provenance.NOVEL or leaf.is_target or leaf.kind is not Kind.HANDLE:
            return False
        if names_note(leaf.pointer):
            return True
        words = words_of(self._texts.get(leaf.pointer, "").lower())
        is_level = not LEVEL_NAMES.isdisjoint(words_of(name_of_argument(leaf.pointer)))
        return is_level and bool(words) and words <= LEAST_LEVELS

    def _is_typo(self, leaf: TracedLeaf) -> bool:
        """Whether a read names something that the user mistyped. A value that any other text contains is not a typo."""
        if self._resource.impact is not Impact.READ or leaf.origin is not Provenance.NOVEL or SUSPICIOUS in leaf.flags:
            return False
        return is_typo(self._sketch, self._texts.get(leaf.pointer, ""))

    def _is_noun_of_name_written(self) -> bool:
        """Whether the user wrote a noun of the tool's name: `customers` of `list_customers`.

        For a read, one noun of what it lists is enough: `glasses_orders` for "set the order".
        """
        is_read = self._resource.impact is Impact.READ
        things = list_listed_things(self._resource.id) if is_read else list_things(self._resource.id)
        return any(map(USER_BIT.__and__, self._sketch.look_up_marks(things)))

    # what spares its targets

    def is_alias(self) -> bool:
        """Whether each target that nobody vouched for is an own-domain address of a person whom the user named."""
        return all(
            is_alias(self._sketch, leaf, self._texts.get(leaf.pointer, ""), self._sources.is_own_domain)
            for leaf in self._open_targets
        )

    def is_pointed_at(self) -> bool:
        """Whether each target that nobody vouched for stands in a result that the user pointed at.

        "Read invoice 7 and pay it" points at the result of reading invoice 7. For a read, all that it names counts. A
        file of secrets always has to be named by the user.
        """
        if self.reads_any(SECRET_WORDS):
            return False
        targets = self._open_targets
        if self._resource.impact is Impact.READ:
            targets = [leaf for leaf in self._naming if leaf.origin not in VOUCHED_ORIGINS]
        return bool(targets) and all(
            (leaf.kind in _POINTED_KINDS or self._numbers_record(leaf))
            and leaf.places
            and self._sources.pointed.issuperset(leaf.places)
            for leaf in targets
        )

    def reads_any(self, words: frozenset[str]) -> bool:
        """Whether the call reads a file that nobody vouched for, with one of these words in its path."""
        return (
            self.has_open_targets
            and self._resource.impact is Impact.READ
            and any(
                leaf.kind is Kind.PATH and not words.isdisjoint(split_name(self._texts.get(leaf.pointer, "")))
                for leaf in self._open_targets
            )
        )

    def is_named_record(self) -> bool:
        """Whether each target that nobody vouched for is the number of a record whose sender or subject the user named.

        "Answer Bob's mail" for `reply(mail_id=8812)`. For an order, whether its targets are products that stand in a
        result the user pointed at (`orders_what_is_pointed_at`).
        """
        if self._resource.impact is Impact.PAYMENT:
            return orders_what_is_pointed_at(self.view, self._sources)
        return all(
            SUSPICIOUS not in leaf.flags
            and (
                self._is_answered_sender(leaf)
                if leaf.kind is Kind.EMAIL
                else leaf.kind in _NUMBERING_KINDS
                and self._may_number_record(name_of_argument(leaf.pointer))
                and self._numbers_named_record(leaf)
            )
            for leaf in self._open_targets
        )

    def _is_answered_sender(self, leaf: TracedLeaf) -> bool:
        """Whether a message goes to the sender of a message that the user wants answered."""
        if self._resource.impact is not Impact.SEND:
            return False
        values = parse_argument(self._texts.get(leaf.pointer, ""), is_target=True)
        return all(value.forms and is_answered_sender(self._sketch, value.forms[0].text) for value in values)

    def _may_number_record(self, argument: str) -> bool:
        if names_record(self._resource.id, argument):
            return True
        # A body can hold what looks like a row, so a record of any noun may be answered, and not deleted.
        return self._resource.impact is Impact.SEND and names_listed(argument, self._sources.names)

    def _numbers_named_record(self, leaf: TracedLeaf) -> bool:
        number, is_list = (
            self._texts.get(leaf.pointer, ""),
            partial(self._lists_argument, name_of_argument(leaf.pointer)),
        )
        if is_named_record(self._sketch, number, is_list):
            return True
        if self._resource.impact is not Impact.SEND:
            return False
        # "Answer them" after two lists says of neither that it is meant, but for the one of what the user named.
        uses = (ONLY_OF,) if list_records_twice(self._sources.names) else (ONLY, ALL, ONLY_OF)
        return is_answered_record(self._sketch, number, is_list, uses)

    def _lists_argument(self, argument: str, source: int) -> bool:
        """Whether the source with this number lists the records that the argument numbers."""
        names = self._sources.names
        return 0 < source <= len(names) and is_list_of(names[source - 1], self._resource.id, argument)

    # what it reaches

    def has_untrusted_path(self) -> bool:
        """Whether an untrusted source chose a path, and the user neither asked for the act nor pointed at the path."""
        is_untrusted = any(leaf.kind is Kind.PATH and leaf.origin in _UNTRUSTED_ORIGINS for leaf in self._open_targets)
        return is_untrusted and not self.is_asked() and not self.is_pointed_at()

    def is_unasked_change(self) -> bool:
        """Whether the call changes a record to what an untrusted source says, and the user did not ask for that."""
        view = self.view
        is_change = changes_to_value_of_others(self._resource, view.traced, view.texts, view.sketch)
        return is_change and self._is_exposed and not self.is_asked()

    def is_copied(self, leaf: TracedLeaf) -> bool:
        """Whether a leaf stands only in results that the user pointed at, and the user asked for the act."""
        return bool(leaf.places) and self._sources.pointed.issuperset(leaf.places) and self.is_asked()
