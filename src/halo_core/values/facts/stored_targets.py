"""Whether a write stores a target of later acts that nobody vouched for: an address, an account, a key or a rule.

crm_update(customer=7, iban="DE89...")   # the next payment to customer 7 goes to this account
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from halo_core.model import Impact, Provenance
from halo_core.values.facts.call_view import CallView, words_of
from halo_core.values.facts.chosen_otherwise import is_chosen_otherwise
from halo_core.values.kinds.argument_names import name_of_argument, split_argument_name
from halo_core.values.kinds.kinds import Kind
from halo_core.values.kinds.numbered import singularize
from halo_core.values.language.lexicon import VERBS, stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.orders.stated_extents import states_extent
from halo_core.values.provenance.dictated_accounts import extends_dictated_text
from halo_core.values.provenance.leaves import Leaf
from halo_core.values.provenance.mentioned_targets import has_mentioned_value
from halo_core.values.provenance.open_filters import leaves_nothing_out, wants_all, wants_all_passed_on
from halo_core.values.provenance.provenance import trace_leaves
from halo_core.values.provenance.record_lists import RECORD_NOUNS
from halo_core.values.provenance.replaced_values import find_replacing_value, is_chosen_beside_list
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS
from halo_core.values.provenance.sent_objects import is_of_named_sort
from halo_core.values.provenance.traced_leaves import TracedLeaf
from halo_core.values.sketches.sketch import extract_tokens

_STORED_KINDS: Final = frozenset({Kind.ACCOUNT, Kind.EMAIL, Kind.TELEPHONE, Kind.URL, Kind.HOST})
# Words of arguments that hold what later acts go by, whatever their value looks like.
_STORED_NAMES: Final = frozenset(
    "webhook callback iban cron crontab rule filter forwarding redirect publickey apikey sshkey payee "
    "beneficiary account bank bic email role permission owner member group admin".split()
)
_FORWARDING: Final = frozenset("forward redirect autoforward relay".split())
_MATCHING: Final = frozenset("sender from match matching filter condition criteria query pattern subject".split())
"""Words of arguments for the messages to which a rule applies."""
_SCHEDULED_NAMES: Final = frozenset("task command job action prompt instruction instructions script".split())
"""Words of arguments for an act that is done later."""
_TIMES: Final = frozenset("when schedule interval frequency recurrence repeat every".split())
_RECURRING: Final = compile_later(
    r"\b(?:every|each|daily|nightly|weekly|monthly|hourly|always|jede\w*|chaque|cada|ogni|elke)\b|[*]", re.IGNORECASE
)
_PERSON_NAMES: Final = frozenset(
    "assignee reviewer approver delegate deputy responsible recipient receiver addressee cc bcc attendee".split()
)
"""Words of arguments for the person who gets a task, a decision or something to read."""
_ASSIGNING: Final = frozenset("assign reassign delegate allocate escalate".split())
_ASSIGNED_TO: Final = frozenset("person user to login name member agent colleague employee team group who".split())
"""Words of arguments for the person who gets something, if the tool's name says that somebody does."""
_FIELD_NAMES: Final = frozenset("field column attribute property setting option".split())
"""Words of arguments that say which field of a record is written."""
# Stems of verbs whose tools take an address without keeping it: they fetch from it, or prove who somebody is.
_NOT_STORING_WORDS: Final = frozenset(
    "browse brows click clon clone confirm crawl download fetch get login log authenticat navigat open otp pull scrap "
    "sign verify visit".split()
)
_FILING_VERBS: Final = frozenset("move label mark flag archive star unstar snooze pin unpin tag categorize".split())
"""Verbs of tools that put a record somewhere without changing it."""
_FILING_ACTION: Final = compile_later(
    r"(?:move|file|label|tag|mark|flag|categori[sz]e)(?: (?:it|them|mails?|messages?))?"
    r"(?: (?:to|as|in|into|under|with))?(?: (?:the|my|our))? ([^\n;,&|]{1,40})",
    re.IGNORECASE,
)
"""What a rule does with a message that stays in the mailbox."""
_NUMBERING: Final = frozenset("id ids no number uid".split())
_ENDS: Final = frozenset("from to into source target parent old new other first second".split())
"""Words of arguments for the two records of a merge or a link."""
_MAX_RECORD: Final = 7  # digits of the number of a record
_RECORDS: Final = frozenset({"email"})
"""Words for a record that are also words for stored data of a person."""
_WRITTEN_RECORDS: Final = frozenset("account member group".split())
_ID_KINDS: Final = frozenset({Kind.HANDLE, Kind.AMOUNT})
_JOINING: Final = stem_all(
    "add admit allow approve attach authorise authorize beneficiary bill billing bind charge connect create credit"
    " debit default deposit enable fund forward grant import invoice join link map move open pay payee payer payment"
    " payout payroll permit primary redirect refund register route salary save select settle share sync transfer"
    " trust use wage whitelist"
)
"""Words of tools that store an account, add to one, or admit one."""
_CAPTION_NAMES: Final = frozenset("title name label caption description comment note subject path".split())
_UNTRUSTED_ORIGINS: Final = (Provenance.UNTRUSTED, Provenance.MIXED)
_EVENT_NAMES: Final = frozenset("event trigger".split())
_EVENT: Final = compile_later(r"[a-z]{2,32}(?:[._-][a-z]{2,32}){0,3}")
"""The name of an event as a model spells it, if the user asked to be informed of it: `order.created`."""
_PUBLIC_KEY: Final = compile_later(
    r"\s*(?:ssh-(?:rsa|dss|ed25519)|ecdsa-sha2-|sk-ssh-|-----BEGIN |SHA256:[\w+/=]{6}|MD5:[0-9a-f]{2}:)"
)
"""A key, or the fingerprint of one."""
_MAX_DICTATED: Final = 4_096  # characters
_EXTENTS: Final = (Kind.AMOUNT, Kind.DATE)
# Files that say who may come in, what runs, and where names lead (sshd(8), crontab(5), hosts(5), systemd.unit(5)).
_SYSTEM_FILE: Final = compile_later(
    r"(?:^|[/\\])(?:\.ssh|cron(?:tab|\.\w+)?|sudoers(?:\.d)?|systemd|init\.d|rc\.local|authorized_keys|hosts|resolv\.conf"
    r"|passwd|shadow|launchagents|launchdaemons|startup|\.(?:bash|zsh|profile|netrc|npmrc|pypirc|gitconfig|pgpass)\w*"
    r"|\.git[/\\]hooks|\.github[/\\]workflows|\.gitlab-ci\.yml|jenkinsfile|\.aws|\.kube|\.docker)(?:$|[/\\.])"
)


def stores_target(
    call: CallView,
    has_untrusted_path: bool,  # noqa: FBT001  one caller
    is_copied: Callable[[TracedLeaf], bool] = lambda _leaf: False,
    args: Mapping[str, Any] = MappingProxyType({}),
    sources: Sequence[str] = (),
) -> bool:
    """Whether a write stores a target of later acts (an address, a key, a rule) that nobody vouched for.

    Also a write to a target that an untrusted source chose in place of the one that the user named, and a write to a
    path that it chose, if the user neither asked for the write nor pointed at the path (`has_untrusted_path`). A copied
    telephone number grants nothing, if the user asked for the copy.

    Args:
        call: the write.
        has_untrusted_path: see above.
        is_copied: tells of a leaf whether it stands in what the user pointed at, and the user asked for the
            write.
        args: the real arguments, empty ones among them.
        sources: names of the session's sources.
    """
    if call.resource.impact not in (Impact.WRITE, Impact.UNKNOWN):
        return False
    if _replaces_value(call, sources):
        return True
    if not _NOT_STORING_WORDS.isdisjoint(split_name(call.resource.id)):
        return False
    if has_untrusted_path:
        return True
    tool_words = words_of(call.resource.id)
    if not _FILING_VERBS.isdisjoint(tool_words):
        tool_words -= _RECORDS
    if (
        _forwards_all(call, tool_words, args)
        or _schedules_act(call)
        or any(_is_chosen_by_untrusted(call, x) for x in call.traced)
    ):
        return True
    fields = {leaf.pointer for leaf in call.traced if _names_stored_field(call, leaf)}
    is_granting = not (_STORED_NAMES | _FORWARDING).isdisjoint(tool_words)
    stores_grants = bool(fields) or is_granting or _writes_system_file(call)
    # A key that lets somebody in is the user's for whom he gives it.
    holds_key = any(_PUBLIC_KEY.match(text) is not None for text in call.texts.values())
    return any(
        _is_stored_target(call, leaf, stores_grants=stores_grants or (holds_key and leaf.origin in _UNTRUSTED_ORIGINS))
        for leaf in call.traced
        if leaf.origin not in VOUCHED_ORIGINS
        and leaf.pointer not in fields
        and (leaf.is_target or leaf.kind not in (Kind.AMOUNT, Kind.DATE))
        and not (leaf.kind is Kind.TELEPHONE and not stores_grants and is_copied(leaf))
        and not _numbers_written_record(call, leaf)
    )


def _forwards_all(call: CallView, tool_words: frozenset[str], args: Mapping[str, Any]) -> bool:
    """Whether a rule forwards everything, since its sender is empty or a star, and the user did not ask for that."""
    if wants_all_passed_on(call.sketch):
        return False
    if _FORWARDING.isdisjoint(tool_words | {word for name in args for word in words_of(name)}):
        return False
    return any(
        not _MATCHING.isdisjoint(words_of(name)) and (not value or (type(value) is str and leaves_nothing_out(value)))
        for name, value in args.items()
    )


def _is_chosen_by_untrusted(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether an untrusted source chose an id, a number or a day, or added a place to a dictated text.

    For a declared write, another record or another number has no consequence, unless `_replaces_named`.
    """
    if leaf.origin not in _UNTRUSTED_ORIGINS:
        return False
    text = call.texts.get(leaf.pointer, "")
    if call.resource.classified != "declared" and (
        is_of_named_sort(text, call.sketch) or (leaf.kind in _EXTENTS and states_extent(call.sketch, leaf.kind))
    ):
        return True
    return leaf.kind is Kind.TEXT and extends_dictated_text(text[:_MAX_DICTATED], call.sketch)


def _replaces_value(call: CallView, sources: Sequence[str]) -> bool:
    """Whether a value stands in place of one that the user named, or of what was listed for what he named."""
    return (
        any(_replaces_named(call, leaf) for leaf in call.traced)
        or find_replacing_value(call.resource, call.traced, call.texts, call.sketch) is not None
        or is_chosen_beside_list(call.resource.targets, call.traced, call.sketch, sources)
        or has_mentioned_value(call.resource, call.traced, call.texts, call.sketch)
    )


def _replaces_named(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a declared target, or a value for an undeclared tool, stands for another one that the user named."""
    return (leaf.is_target or call.resource.classified != "declared") and is_chosen_otherwise(call, leaf)


def _schedules_act(call: CallView) -> bool:
    """Whether a call schedules a repeated act, and no trusted text says when or what."""
    planned = [
        leaf for leaf in call.traced if not _SCHEDULED_NAMES.isdisjoint(words_of(name_of_argument(leaf.pointer)))
    ]
    times = [leaf for leaf in call.traced if not _TIMES.isdisjoint(words_of(name_of_argument(leaf.pointer)))]
    if not planned or not any(_RECURRING.search(call.texts.get(leaf.pointer, "")) for leaf in times):
        return False
    return any(leaf.origin in _UNTRUSTED_ORIGINS for leaf in (*planned, *times))


def _names_stored_field(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a leaf names the field that is written (`field="iban"`), and that field holds a target of later acts."""
    if leaf.kind is not Kind.HANDLE or _FIELD_NAMES.isdisjoint(words_of(name_of_argument(leaf.pointer))):
        return False
    return not (_STORED_NAMES | _PERSON_NAMES).isdisjoint(words_of(call.texts.get(leaf.pointer, "").lower()))


def _is_asked_pair(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a leaf such as `move:Bills` is a verb that the user asked for, with a value that the user wrote."""
    verb, sign, value = call.texts.get(leaf.pointer, "").partition(":")
    stems = frozenset(split_name(verb))
    if not sign or not value.strip() or not stems or not stems <= VERBS:
        return False
    if not all(call.sketch.was_asked(frozenset((stem,))) for stem in stems):
        return False
    parts = [Leaf("/target", value.strip(), list(extract_tokens(value)), False, False)]
    return all(part.origin in VOUCHED_ORIGINS for part in trace_leaves(parts, call.sketch, ("target",)))


def _is_asked_filing(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a leaf says where matching messages are put (`move to archive`), and the user wrote the place.

    Nobody else reads a message because it is put somewhere, so this is no grant.
    """
    action = _FILING_ACTION.fullmatch(call.texts.get(leaf.pointer, ""))
    if action is None:
        return False
    place = action[1].strip()
    parts = [Leaf("/folder", place, list(extract_tokens(place)), False, False)]
    return all(part.origin in VOUCHED_ORIGINS for part in trace_leaves(parts, call.sketch, ("folder",)))


def _is_stored_target(call: CallView, leaf: TracedLeaf, *, stores_grants: bool) -> bool:
    words = words_of(name_of_argument(leaf.pointer))
    if not _MATCHING.isdisjoint(words) and leaves_nothing_out(call.texts.get(leaf.pointer, "")):
        return not wants_all(call.sketch)
    if not _NUMBERING.isdisjoint(words):
        words -= _RECORDS  # `email_id`
    is_stored = leaf.kind in _STORED_KINDS and not (leaf.kind is Kind.ACCOUNT and _numbers_record(call, leaf))
    if is_stored or not _STORED_NAMES.isdisjoint(words):
        return True
    is_assigning = not _ASSIGNING.isdisjoint(words_of(call.resource.id))
    if leaf.origin in _UNTRUSTED_ORIGINS and not words.isdisjoint(
        _PERSON_NAMES | _ASSIGNED_TO if is_assigning else _PERSON_NAMES
    ):
        return True
    if _PUBLIC_KEY.match(call.texts.get(leaf.pointer, "")) is not None:
        return True
    if leaf.origin is Provenance.NOVEL and not _EVENT_NAMES.isdisjoint(words):
        return stores_grants and _EVENT.fullmatch(call.texts.get(leaf.pointer, "")) is None
    return (
        stores_grants
        and _CAPTION_NAMES.isdisjoint(words)
        and not (_is_asked_pair(call, leaf) or _is_asked_filing(call, leaf))
    )


def _numbers_record(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a number says which record is meant, by the name of its argument: `paper_id`, not `payee_id`.

    A short number also without `id`: `from_ticket`.
    """
    words = frozenset(map(singularize, split_argument_name(name_of_argument(leaf.pointer))))
    digits = call.texts.get(leaf.pointer, "").replace(".", "").replace("-", "")
    if not digits.isdigit() or not words <= RECORD_NOUNS | _NUMBERING | _ENDS:
        return False
    is_short = len(digits) <= _MAX_RECORD and "card" not in words
    return not _NUMBERING.isdisjoint(words) or (is_short and not RECORD_NOUNS.isdisjoint(words))


def _numbers_written_record(call: CallView, leaf: TracedLeaf) -> bool:
    """Whether a value is the id of the account, member or group that the write changes, and is not stored itself.

    It is the only declared target, and the tool neither saves nor joins anything: `set_seats(account_id, seats)`. A
    tool with only this argument stores the id: `default_account(account_id)`.
    """
    name = name_of_argument(leaf.pointer)
    if not any(name_of_argument(other.pointer) != name for other in call.traced):
        return False
    words = frozenset(split_argument_name(name))
    is_id = leaf.kind in _ID_KINDS and not words.isdisjoint(_NUMBERING) and words <= _NUMBERING | _WRITTEN_RECORDS
    return is_id and call.resource.targets == (name,) and _JOINING.isdisjoint(split_name(call.resource.id))


def _writes_system_file(call: CallView) -> bool:
    """Whether a call writes a file by which a system decides whom to let in and what to run."""
    return any(
        leaf.kind is Kind.PATH and _SYSTEM_FILE.search(call.texts.get(leaf.pointer, "").casefold()) is not None
        for leaf in call.traced
    )
