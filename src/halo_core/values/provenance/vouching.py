"""Who vouches for one value of an argument: the user, a trusted lookup, the operator's declaration, or nobody.

A value is the user's only if one contiguous part of a text of the user has its form (`Ana@X.example` is
`ana@x.example`), or has its words in order. It is not enough that the words stand anywhere in the texts: an untrusted
source could then compose a value out of single words of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from functools import partial, reduce
from itertools import compress, islice
from operator import or_
from typing import Final, NamedTuple

from halo_core.model import Provenance
from halo_core.values.kinds.addresses import find_registrable_domain
from halo_core.values.kinds.kinds import ANY_SITE, RESPELLED, SAME_SITE, TARGET_KINDS, Form, Kind, make_form
from halo_core.values.kinds.number_uses import split_uses
from halo_core.values.kinds.numbered import MIN_DIGITS, singularize
from halo_core.values.kinds.numbers import list_national_forms
from halo_core.values.language.inflections import list_inflected
from halo_core.values.language.lexicon import AUDIENCE_WORDS, LEVEL_NAMES, STOP_WORDS, is_task_word
from halo_core.values.language.number_words import list_leading_words
from halo_core.values.language.patterns import compile_later
from halo_core.values.provenance.argument_forms import ArgumentValue, is_name
from halo_core.values.provenance.joined_values import is_piece, list_pieces, make_number
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.written_otherwise import is_written_otherwise
from halo_core.values.provenance.written_places import list_naming_rows
from halo_core.values.requests.named_values import find_written_patterns
from halo_core.values.requests.order_counts import MEASURES
from halo_core.values.requests.quoted_addresses import ANYBODY
from halo_core.values.requests.reworded import are_variants_written, list_word_variants
from halo_core.values.requests.user_texts import NO_NAMES
from halo_core.values.sketches.sketch import (
    SYSTEM_BIT,
    USER_BIT,
    Sketch,
    extract_tokens,
    has_only_untrusted_mark,
    has_user_mark,
    includes_untrusted,
)
from halo_core.values.sketches.spans import MAX_TEXT_TOKENS, fingerprint_tokens_in_order, tokenize

_QUOTABLE_KINDS: Final = frozenset({Kind.EMAIL, Kind.URL, Kind.HOST, Kind.TELEPHONE})
READ_LENGTH: Final = 256
"""Characters of a value that are read where its words are not compared in order."""
_BEGINNING_TOKENS: Final = 8  # tokens by which a long text is looked for first
_MIN_ROW: Final = 4  # tokens
_COMPOUND_NAME: Final = compile_later(r"[A-Za-z]{1,8}[-_/.][0-9]{1,8}|[0-9]{1,8}[-_/.][A-Za-z]{1,8}")
"""A short id of letters and digits, such as `A-1`."""
_MAX_NAME_WORDS: Final = 3
_MAX_INFLECTED: Final = 4  # words of a name whose endings are looked at
_MAX_COMPOSED: Final = 6  # words of the user in another order
_SHORT_ID: Final = compile_later(r"[0-9][A-Za-z]|[A-Za-z][0-9]")
_SHORT_NUMBER: Final = compile_later(rf"[0-9]{{1,{MIN_DIGITS - 1}}}")
_LETTER: Final = compile_later(r"[A-Z]")
"""A letter that names a zone, a hall or the like beside its noun."""
_MEASURE: Final = compile_later(r"[0-9]{1,6}(?:\.[0-9]{1,2})?")
_VALUE_NOUNS: Final = frozenset(("value",))
"""Words of arguments that hold what an option is set to."""
_SCHEDULE_NOUNS: Final = frozenset("schedule cron crontab recurrence".split())
"""Words of arguments that hold a row of signs such as `0 5 * * *`."""
_NUMBERING_NOUNS: Final = frozenset("id ids no num nr number key ref reference code account".split())
"""Words of arguments whose number says which record is meant."""
_LETTERS: Final = compile_later(r"[^\W\d_]+")
_PRODUCT_NAMES: Final = frozenset("article component item material part product ware sku".split())
"""Words of arguments that hold what is ordered."""
_MIN_PRODUCT: Final = 4  # letters
_GENERIC_NOUNS: Final = frozenset(
    "id ids name names number no num nr key ref code to from target value by of and the in on for with at list".split()
)
"""Words of arguments' names that do not say what a value is."""


class ArgumentContext(NamedTuple):
    """What is known of the argument that a value stands in.

    Args:
        is_target: it is a declared target.
        is_thing: by its name it holds a thing of a system, such as a branch, whose name may be a common word.
        nouns: words of its name, and what its number is the number of: `invoice` of `invoice_id`.
        is_key: it selects what a trusted lookup returns. A target is a key only if it is one word in small letters.
        is_sort: by its name it holds neither a person nor an address (`names_somebody`): `trade`.
        is_reworded: the model may have formed the value from the user's words (`halo_core.values.requests.reworded`).
    """

    is_target: bool = False
    is_thing: bool = False
    nouns: Collection[str] = ()
    is_key: bool = False
    is_sort: bool = False
    is_reworded: bool = False


make_argument_context: Final = partial(tuple.__new__, ArgumentContext)
"""Make a context of its members. Faster than the constructor of a named tuple, which is a Python function."""


class ValueJudge:
    """Finds the origin of each value of one call in the sketch of its session.

    Args:
        sketch: what the session has seen.
        is_declared_known: whether the operator has declared a value as known; None if nothing is declared.
        is_act: the call is not a read, so an address that the user only quotes is not vouched for.
        is_sending: it pays or sends something, so a place that the user wants blocked is not vouched for.
        is_exposed: an untrusted source may have been read. If not, nobody but the user can have chosen a word of
            the user's text as a name.
        is_grave: it deletes, runs or administrates something.
        pays: it is a payment, so that an id in another spelling could pay a second time.
    """

    __slots__ = (
        "_is_act",
        "_is_declared_known",
        "_is_exposed",
        "_is_grave",
        "_is_sending",
        "_pays",
        "_sketch",
        "_user_spans",
    )

    def __init__(
        self,
        sketch: Sketch,
        is_declared_known: Callable[[ArgumentValue], bool] | None,
        *,
        is_act: bool = False,
        is_sending: bool = False,
        is_exposed: bool = True,
        is_grave: bool = False,
        pays: bool = False,
    ) -> None:
        self._is_act = is_act
        self._pays = pays
        self._is_grave = is_grave
        self._is_sending = is_sending
        self._is_exposed = is_exposed or sketch.may_hold_untrusted
        self._sketch = sketch
        self._is_declared_known = is_declared_known
        self._user_spans = sketch.spans[Provenance.USER]

    def judge(self, value: ArgumentValue, argument: ArgumentContext, marks: list[int], flags: set[str]) -> Provenance:
        """Find the origin of a value: `user`, `known`, `system`, or `novel` if nobody vouches for it.

        The caller finds out from the marks whether untrusted content contained it.

        Args:
            value: one reading of the argument's text.
            argument: the argument that it stands in.
            marks: takes the marks of its forms.
            flags: takes its flags, such as `respelled`.
        """
        is_target = argument.is_target or value.kind in TARGET_KINDS
        origin = self._judge_forms(value.forms, marks) if value.forms else None
        if origin in VOUCHED_ORIGINS and is_target and self._is_used_as_something_else(value, argument):
            origin = None
        elif origin is Provenance.USER and self._is_act and value.kind in _QUOTABLE_KINDS and self._is_quoted(value):
            origin = Provenance.KNOWN if any(self._sketch.look_up_known(value.forms)) else None
        # A target that the user wrote in another spelling is marked, so its words are compared as well.
        must_compare_words = value.in_words if origin is None else origin is Provenance.USER and is_target
        if must_compare_words:
            tokens, fingerprints = self._read_in_order(value.text)
            if origin is None:
                origin = self._judge_words(value, tokens, fingerprints, argument, is_target=is_target)
                if origin is None and len(tokens) == 1:
                    origin = self._judge_beside_noun(tokens, argument)
            elif not self._user_spans.find(fingerprints):
                flags.add(RESPELLED)
        if origin not in VOUCHED_ORIGINS and is_target and self._is_known_target(value, argument):
            origin = Provenance.KNOWN
        origin = origin or self._judge_as_spoken(value, argument, marks)
        if origin in VOUCHED_ORIGINS:
            # Equal forms name the same thing however they are written, so the flags of the spelling do not matter.
            return origin
        flags.update(value.flags)
        if value.host and self._is_of_users_site(value.host):
            flags.add(SAME_SITE)
        return origin or Provenance.NOVEL

    def _judge_unexposed(self, value: ArgumentValue, argument: ArgumentContext) -> Provenance | None:
        """Find the origin of a target before exposure, when nobody but the user or the model can have chosen it.

        A short number or an id of two characters is vouched for wherever a trusted lookup or the user wrote it. A
        number as the recipient of something is the exception: the user's number may be that of something else.
        """
        text = value.text.strip()
        if self._is_exposed or not argument.is_target:
            return None
        is_number = _SHORT_NUMBER.fullmatch(text) is not None
        if is_number or _SHORT_ID.fullmatch(text) is not None:
            written = fingerprint_tokens_in_order([text], self._sketch.key)
            if self._sketch.spans[Provenance.KNOWN].find(written) > 1:
                return Provenance.KNOWN
            is_recipient = is_number and self._is_sending
            return Provenance.USER if not is_recipient and self._user_spans.find(written) > 1 else None
        if argument.is_reworded and self._is_reworded(value):
            return Provenance.USER
        pieces = list_pieces(text)
        if not pieces:
            return None
        beginnings: list[str] = []
        for first, _ in pieces:  # a comprehension is a call
            beginnings.append(first[0].casefold())
        marks = self._sketch.look_up_marks(beginnings)  # of nearly all values, the session has seen no piece
        return Provenance.KNOWN if any(marks) and self._are_put_together(compress(pieces, marks), argument) else None

    def _judge_as_spoken(
        self, value: ArgumentValue, argument: ArgumentContext, marks: Sequence[int]
    ) -> Provenance | None:
        """Find the origin of a value that the user wrote otherwise: as a day, in pieces, its words in another order."""
        text = value.text.strip()
        names_thing = argument.is_sort and not self._pays
        if is_written_otherwise(self._sketch, value, marks, is_target=argument.is_target, names_thing=names_thing):
            return Provenance.USER
        rows = list_naming_rows(text, argument.nouns, is_sort=argument.is_sort) if argument.is_target else ()
        if self._is_written_in_rows(rows):
            return Provenance.USER
        if argument.is_target and not self._is_sending and self._is_measure(text, argument):
            return Provenance.USER
        return self._judge_unexposed(value, argument) or self._judge_composed_key(value, argument)

    def _is_measure(self, text: str, argument: ArgumentContext) -> bool:
        """Whether a target is a measure, and the user alone wrote its number: 50 of "raise the quota to 50 GB".

        INVARIANT: VOUCH - a number that names a record is none, whoever wrote it, and neither is one that the user
        wrote only as that of a room, a mail or the like.
        """
        nouns = argument.nouns
        if _MEASURE.fullmatch(text) is None or not _NUMBERING_NOUNS.isdisjoint(nouns):
            return False
        rows = [["to", text]] if _VALUE_NOUNS.issuperset(nouns) else [[text, noun] for noun in nouns]
        if not self._is_written_in_rows(rows) and MEASURES.isdisjoint(nouns):
            return False
        (mark,) = self._sketch.look_up_marks(islice(extract_tokens(text), 1))
        if not has_user_mark([mark]) or includes_untrusted(mark):
            return False
        if any(map(self._sketch.was_in_untrusted_text, list_leading_words(int(float(text))))):
            return False  # of two numbers of the user, a mail could choose one in words
        uses = [Form("counting", text), Form("measuring", text)]
        return "." in text or has_user_mark(self._sketch.look_up_forms(uses))

    def _is_written_in_rows(self, rows: Iterable[Sequence[str]]) -> bool:
        """Whether the user wrote one of these rows of tokens exactly so."""
        return any(self._user_spans.find(fingerprint_tokens_in_order(row, self._sketch.key)) > 1 for row in rows)

    def _judge_composed_key(self, value: ArgumentValue, argument: ArgumentContext) -> Provenance | None:
        """Find the origin of what is looked up in a trusted source by several of the user's words in another order.

        "A4 folder grey" for "the A4 folders, the grey ones". After exposure, an untrusted source could choose among
        the user's words, so it must not have written all of them.
        """
        is_composed = argument.is_key and argument.is_reworded and self._is_exposed
        if not is_composed or value.flags or len(value.text) > READ_LENGTH or self._sketch.saturated:
            return None
        words = [word for word in extract_tokens(value.text) if word not in STOP_WORDS]
        if not 1 < len(words) <= _MAX_COMPOSED or all(map(self._sketch.was_in_untrusted_text, words)):
            return None
        are_written = all(
            has_user_mark(self._sketch.look_up_marks([word, *map(str.casefold, list_inflected(word))]))
            for word in words
        )
        return Provenance.USER if are_written else None

    def _are_put_together(self, found: Iterable[Iterable[Sequence[str]]], argument: ArgumentContext) -> bool:
        """Whether a number or an address was kept in two pieces, each of which stands in a vouching text.

        Only before exposure: an untrusted source could choose pieces that make up an account of its own.
        """
        return any(self._are_pieces(pieces, argument) for pieces in found)

    def _are_pieces(self, pieces: Iterable[Sequence[str]], argument: ArgumentContext) -> bool:
        return all(
            is_piece("".join(piece))
            and self._is_written_in(VOUCHED_ORIGINS, fingerprint_tokens_in_order(piece, self._sketch.key))
            and not self._is_used_as_something_else(make_number(piece[0]), argument)
            for piece in pieces
        )

    def _is_written_in(self, origins: Iterable[Provenance], packed: bytes) -> bool:
        """Whether a text of one of these origins contains tokens exactly as they are written."""
        return any(self._sketch.spans[origin].find(packed) > 1 for origin in origins)

    def _is_reworded(self, value: ArgumentValue) -> bool:
        """Whether each word of a name is one of the user's, in any order.

        In a grave act they have to stand side by side.
        """
        if value.kind is not Kind.HANDLE or value.flags:
            return False
        variants = list_word_variants(value.text)
        if self._is_grave and len(variants) > 1:
            in_order = fingerprint_tokens_in_order([place[0] for place in variants], self._sketch.key)
            return bool(self._user_spans.find(in_order))
        words = list(dict.fromkeys(word for place in variants for word in place))
        masks = self._sketch.look_up_marks(words)
        return are_variants_written(
            variants, {word for word, mask in zip(words, masks, strict=True) if mask & USER_BIT}
        )

    def has_only_untrusted_form(self, forms: Collection[Form]) -> bool:
        """Whether only untrusted content contained one of these forms."""
        return has_only_untrusted_mark(self._sketch.look_up_forms(forms))

    # by its form

    def _judge_forms(self, forms: Collection[Form], marks: list[int]) -> Provenance | None:
        """Find the origin of a value by its forms; None if no trusted text contains them."""
        form_marks = self._sketch.look_up_forms(forms)
        marks += form_marks
        origins = reduce(or_, form_marks)
        if origins & USER_BIT:
            return Provenance.USER
        if self._sketch.spans[Provenance.KNOWN]:
            looked_up = self._sketch.look_up_known(forms)
            marks += looked_up
            if any(looked_up):
                return Provenance.KNOWN
        if not origins and (national := list_national_forms(forms)):
            if has_user_mark(self._sketch.look_up_forms(national)):
                return Provenance.USER
            if any(self._sketch.look_up_known(national)):
                return Provenance.KNOWN
        return Provenance.SYSTEM if origins & SYSTEM_BIT else None

    def _is_used_as_something_else(self, value: ArgumentValue, argument: ArgumentContext) -> bool:
        """Whether the vouching texts use a number only as something else, such as an amount or an invoice number.

        INVARIANT: VOUCH - the number of an invoice, which its sender chooses, is no account.
        """
        digits = [form.text.removeprefix("+") for form in value.forms if form.domain == "digits"]
        if not digits:
            return False
        excluded_uses, uses = split_uses(argument.nouns)
        if self._is_any_vouched([Form("open", text) for text in digits] + _list_exclusive_uses(uses, digits)):
            return False
        return self._is_any_vouched(_list_exclusive_uses(excluded_uses, digits))

    def _is_quoted(self, value: ArgumentValue) -> bool:
        """Whether the user only mentions an address, to say whose mail is meant or what somebody wrote."""
        texts = [form.text for form in value.forms]
        return self._are_quoted(texts, (ANYBODY,) if value.kind is Kind.EMAIL else ())

    def _are_quoted(self, texts: Collection[str], answered: Collection[str] = ()) -> bool:
        """Whether the user only mentions values of these texts, and wants nothing sent to one of `answered` either."""
        domains = ("quoted", "remedied") if self._is_sending else ("quoted",)
        if not has_user_mark(self._sketch.look_up_forms([Form(domain, text) for domain in domains for text in texts])):
            return False
        return not has_user_mark(self._sketch.look_up_forms([Form("addressed", text) for text in (*texts, *answered)]))

    def _is_mentioned_handle(self, text: str) -> bool:
        """Whether the user only mentions a handle or a channel, in a quotation or as the sender of something."""
        if not self._is_act:
            return False
        text = text.strip().casefold()
        name = text.removeprefix("@").removeprefix("#")
        signs = text[:1] if text[:1] in ("@", "#") else "@#"
        return any(self._are_quoted([f"{sign}{name}"]) for sign in signs)

    def _is_part_of_pattern(self, text: str) -> bool:
        """Whether a text has a pattern that the user did not write as a whole.

        `*.jpg` of "2019-*.jpg" matches more files.
        """
        if "*" not in text and "%" not in text:
            return False
        patterns = find_written_patterns(text)
        return not all(has_user_mark([mark]) for mark in self._sketch.look_up_forms(patterns))

    def _is_any_vouched(self, forms: Collection[Form]) -> bool:
        """Whether a text of the user or a trusted lookup contains one of these forms."""
        return has_user_mark(self._sketch.look_up_forms(forms)) or any(self._sketch.look_up_known(forms))

    def _is_known_target(self, value: ArgumentValue, argument: ArgumentContext) -> bool:
        """Whether a target is an item of a trusted lookup, or declared as known by the operator."""
        if argument.is_target and value.kind is Kind.HANDLE and self._is_listed(value.text, argument.nouns):
            return True
        return self.is_declared(value)

    def is_declared(self, value: ArgumentValue) -> bool:
        """Whether the operator has declared a value as known."""
        if self._is_declared_known is None:
            return False
        # An address of an own domain is declared by its host, which does not say who reads a mailing list.
        return self._is_declared_known(value._replace(host="") if self._is_untrusted_mailing_list(value) else value)

    def _is_untrusted_mailing_list(self, value: ArgumentValue) -> bool:
        """Whether an untrusted source chose an address that many people read (`all@`), and the user did not."""
        if value.kind is not Kind.EMAIL or not value.forms or not self.has_only_untrusted_form(value.forms):
            return False
        words = _LETTERS.findall(value.forms[0].text.partition("@")[0].casefold())
        audience = [word for word in words if word in AUDIENCE_WORDS]
        return bool(audience) and not has_user_mark(self._sketch.look_up_marks(audience))

    def _is_of_users_site(self, host: str) -> bool:
        # The Public Suffix List is loaded only if a text of the user names a site.
        if not self._user_spans or not has_user_mark(self._sketch.look_up_forms([ANY_SITE])):
            return False
        return has_user_mark(self._sketch.look_up_forms([Form("site", find_registrable_domain(host))]))

    # by its words in order

    def _read_in_order(self, text: str) -> tuple[list[str], bytes]:
        """Split a value into tokens and fingerprint them.

        Empty for a long value whose beginning is in no vouching text, and in an act for a value that is only a part
        of a pattern of the user.
        """
        key = self._sketch.key
        if self._is_act and self._is_part_of_pattern(text):
            return [], b""
        if len(text) > READ_LENGTH:
            beginning = fingerprint_tokens_in_order(tokenize(text[:READ_LENGTH])[:-1][:_BEGINNING_TOKENS], key)
            if not any(spans.find(beginning) for spans in self._sketch.spans.values()):
                return [], b""
        tokens = tokenize(text, MAX_TEXT_TOKENS + 1)
        # INVARIANT: VOUCH - a value is found whole or not at all.
        return (tokens, fingerprint_tokens_in_order(tokens, key)) if len(tokens) <= MAX_TEXT_TOKENS else ([], b"")

    def _judge_words(
        self,
        value: ArgumentValue,
        tokens: list[str],
        fingerprints: bytes,
        argument: ArgumentContext,
        *,
        is_target: bool,
    ) -> Provenance | None:
        """Find the origin of a value by its words in order; None if no trusted text contains them."""
        # A row of tokens such as `0 5 * * *` is distinctive by its length.
        is_row = not is_target or not _SCHEDULE_NOUNS.isdisjoint(argument.nouns)
        is_row = (is_row and len(tokens) >= _MIN_ROW) or _COMPOUND_NAME.fullmatch(value.text) is not None
        if not fingerprints or not (is_row or is_name(value.text[:READ_LENGTH])):
            return None
        # A common word names nobody in a target.
        is_name_of_target = argument.is_target and not argument.is_key
        is_word = is_name_of_target and len(tokens) == 1 and tokens[0].isalpha() and tokens[0].islower()
        is_common = is_word and is_task_word(tokens[0])
        is_common = is_common and (self._is_exposed or tokens[0] in STOP_WORDS)
        if is_common and not argument.is_thing:
            return self._judge_behind_sign(tokens[0])
        # Any word may be somebody's handle, so a word of the user counts only where it is used as a name.
        must_name = is_word and self._is_exposed and (is_common or not argument.is_thing)
        # `find` returns 2 for words in the same case, 1 for others. Ids may differ by case alone, so targets need 2.
        least = 2 if is_target else 1
        for origin in VOUCHED_ORIGINS:
            if self._sketch.spans[origin].find(fingerprints) < least:
                continue
            if origin is Provenance.USER:
                if is_target and self._is_mentioned_handle(value.text):
                    continue
                if must_name and not self._is_used_as_name(
                    tokens[0], is_thing=argument.is_thing, is_sort=argument.is_sort
                ):
                    continue
            return origin
        has_sign = value.kind is Kind.HANDLE and len(tokens) == 2 and tokens[0] in "#@"
        if has_sign and self._is_written_without_sign(value, tokens[1], least):
            return Provenance.USER
        is_inflected = value.kind is Kind.HANDLE and (
            self._is_in_other_number(tokens, argument) if is_target else self._is_inflected(tokens)
        )
        if is_inflected or (argument.is_key and self._is_person(tokens)):
            return Provenance.USER
        return self._judge_item(value, tokens)

    def _is_written_without_sign(self, value: ArgumentValue, name: str, least: int) -> bool:
        """Whether the user wrote the name of a handle without its `#` or `@`, and does not only mention it.

        Args:
            value: the handle.
            name: the handle without its sign.
            least: how exactly the name has to agree (`Spans.find`).
        """
        if self._is_mentioned_handle(value.text) or not is_name(name):
            return False
        return self._user_spans.find(fingerprint_tokens_in_order([name], self._sketch.key)) >= least

    def _is_person(self, tokens: list[str]) -> bool:
        """Whether the user wrote these words side by side with capitals, even if others wrote them too.

        That suffices to look somebody up in a trusted source, but not for a target.
        """
        if not 0 < len(tokens) <= _MAX_NAME_WORDS or not all(
            token[:1].isupper() and token.isalpha() for token in tokens
        ):
            return False
        return has_user_mark(self._sketch.look_up_forms([Form("person", " ".join(map(str.casefold, tokens)))]))

    def _judge_item(self, value: ArgumentValue, tokens: list[str]) -> Provenance | None:
        """Find the origin of a name that a lookup completed, an id that it returned, or a word of a system prompt."""
        if len(tokens) > 1 or any(map(str.isdigit, value.text)):
            items = [make_form(("completed", " ".join(value.text.split()))), make_form(("item", value.text))]
            if any(self._sketch.look_up_known(items)):
                return Provenance.KNOWN
        if len(tokens) > 1:
            return None
        words = list(islice(extract_tokens(value.text[:READ_LENGTH]), 2))
        is_system = len(words) == 1 and self._sketch.look_up_marks(words)[0] & SYSTEM_BIT
        return Provenance.SYSTEM if is_system else None

    def _is_inflected(self, tokens: list[str]) -> bool:
        """Whether the user wrote these words with other endings: "plumbers" for `plumber`, "Petran" for `Petra`.

        A name that an untrusted source wrote does not count.
        """
        if not self._user_spans or not 0 < len(tokens) <= _MAX_INFLECTED:
            return False
        written: list[str] = []
        masks = self._sketch.look_up_marks(map(str.casefold, tokens))
        for token, mask in zip(tokens, masks, strict=True):
            variants = () if mask & USER_BIT else list_inflected(token)
            if variants:
                folded = self._sketch.look_up_marks(map(str.casefold, variants))
                variants = tuple(compress(variants, map(USER_BIT.__and__, folded)))
            if mask & USER_BIT:
                written.append(token)
            elif not variants or (not token.islower() and self._sketch.was_in_untrusted_text(token.casefold())):
                return False
            else:
                written.append(variants[0])
        return bool(self._user_spans.find(fingerprint_tokens_in_order(written, self._sketch.key)))

    def _is_in_other_number(self, tokens: list[str], argument: ArgumentContext) -> bool:
        """Whether the user wrote what is ordered in the plural, and the argument has the singular: "3 toners"."""
        if len(tokens) != 1 or _PRODUCT_NAMES.isdisjoint(argument.nouns) or not _is_plain_word(tokens[0]):
            return False
        word = tokens[0]
        plurals = [fingerprint_tokens_in_order([f"{word}{end}"], self._sketch.key) for end in ("s", "es")]
        return len(word) >= _MIN_PRODUCT and any(map(self._user_spans.find, plurals))

    def _judge_behind_sign(self, word: str) -> Provenance | None:
        """Find the origin of a common word, which names somebody only behind `#` or `@`: `#project`, `@mail`."""
        for sign in "#@":
            if self._user_spans.find(fingerprint_tokens_in_order([sign, word], self._sketch.key)) > 1:
                return Provenance.USER
        return None

    def _is_used_as_name(self, word: str, *, is_thing: bool, is_sort: bool) -> bool:
        """Whether the user wrote a word as a name: of somebody, or of a thing or a sort if the argument holds one."""
        uses = ("named", *("thing",) * is_thing, *("sort",) * is_sort)
        return has_user_mark(self._sketch.look_up_forms([Form(use, word) for use in uses]))

    def _judge_beside_noun(self, tokens: list[str], argument: ArgumentContext) -> Provenance | None:
        """Find the origin of a word, or an id of two characters, by its argument's noun beside it in a vouching text.

        The user vouches for `class_name="4b"` with "class 4b", and for `permit="parking"` with "the parking permit".
        For a lookup, an id of two characters is the user's wherever it stands.
        """
        word = tokens[0]
        if word in NO_NAMES or word in STOP_WORDS:
            return None
        key, spans = self._sketch.key, self._sketch.spans
        if not (_SHORT_ID.fullmatch(word) or _LETTER.fullmatch(word) or _is_plain_word(word)):
            return None
        exact = fingerprint_tokens_in_order([word], key)
        if argument.is_key and _SHORT_ID.fullmatch(word) and self._user_spans.find(exact) > 1:
            return Provenance.USER
        rows = [row for noun in sorted({*argument.nouns} - _GENERIC_NOUNS) for row in ([noun, word], [word, noun])]
        for fingerprints in [fingerprint_tokens_in_order(row, key) for row in rows]:
            for origin in VOUCHED_ORIGINS:
                if spans[origin].find(fingerprints) and spans[origin].find(exact) > 1:
                    return origin
        return None

    def _is_listed(self, text: str, nouns: Collection[str]) -> bool:
        """Whether a common word, a short number or an id of two characters is an item of a trusted lookup's result.

        A number or an id that an untrusted source contained does not count. Neither does the word of a right or an
        audience.
        """
        is_number = text.isascii() and text.isdigit() and len(text) < MIN_DIGITS
        is_id = is_number or _SHORT_ID.fullmatch(text) is not None
        if not self._sketch.spans[Provenance.KNOWN] or not (is_id or _is_plain_word(text)):
            return False
        if not is_id and (text in AUDIENCE_WORDS or not LEVEL_NAMES.isdisjoint(nouns)):
            return False
        item = str(int(text)) if is_number else text
        forms = [Form("listed", item), *[Form("listed", f"{singularize(noun)} {item}") for noun in sorted({*nouns})]]
        if not any(self._sketch.look_up_known(forms)):
            return False
        return not is_id or not self._sketch.was_in_untrusted_text(text.casefold())


def _list_exclusive_uses(uses: Iterable[str], digits: Iterable[str]) -> list[Form]:
    """List the forms that say that a number is used as one of these things alone; see `find_number_uses`."""
    return [Form("only", f"{use} {text}") for text in digits for use in uses]


def _is_plain_word(text: str) -> bool:
    """Whether a text is one word in small letters."""
    return text.isalpha() and text.islower() and is_name(text)
