"""Values of a call: their kinds and canonical forms, where they came from, and whether the user asked for the call.

Input: the texts that a session was shown, and the arguments of a call. Output: the origin of each argument (the user,
a trusted lookup, nobody, an untrusted source) and facts such as `asked`, which policies read. All functions are pure
and count in integers.

    sketch                         # what the session has been shown: "Pay 20 euros to ana@x.example"
    trace_leaves(leaves, sketch)   # to="ana@x.example" comes from the user; to="eve@y.example" from nobody
    find_facts(...)                # the user asked for a payment

Start with `provenance` and `facts`. `forms` finds values in texts and arguments, in the canonical spellings of
`addresses` and `numbers`. `sketch` holds which words a session has been shown, and `spans` their order.
`decoded_readings` decodes what is hidden in a text. `argument_values`, `text` and `lexicon` describe values for the
behaviour score. docs/values.md defines the terms and the rules.
"""

from halo_core.values.answer_scope import (
    KNOWN_KINDS,
    asks_for,
    find_answer_scope,
    find_values,
    identify_values,
    list_declarable,
    list_known_names,
    names_value,
    speaks_of_act,
    to_canonical_form,
)
from halo_core.values.argument_names import find_nouns_of_result, lists_files, names_list
from halo_core.values.call_view import trace_call
from halo_core.values.carried import (
    FormPrints,
    find_known,
    fingerprint_call_words,
    fingerprint_carried,
    make_known_marks,
)
from halo_core.values.conversation import ConversationDigest, MarkedItem, describe_calls
from halo_core.values.created_objects import returns_created
from halo_core.values.fact_sources import FactSources
from halo_core.values.facts import ActionFacts, find_facts
from halo_core.values.kinds import MAX_CARRIED, Form, Kind
from halo_core.values.leaves import MAX_LEAVES, extract_texts
from halo_core.values.observed_text import (
    NO_MARKS,
    ResultMarks,
    fingerprint_known_text,
    fingerprint_text,
    fingerprint_vouching_text,
    fingerprint_whole_text,
    is_lookup_key,
    read_result,
)
from halo_core.values.provenance import ToolTraits, trace_leaves
from halo_core.values.record_lists import find_parties, lists_by_filters, lists_of_one, lists_records, names_one_sender
from halo_core.values.repeats import REPEAT_BYTES, fingerprint_model_words, repeats_as_whole, split_repeats
from halo_core.values.result_origins import TRUST_FLOOR, judge_arguments, origin_of_result, reads_own_place
from halo_core.values.sketch import (
    MAX_SOURCE_INDEX,
    MAX_TAINTED_FINGERPRINTS,
    MAX_TEXT,
    Marks,
    Sketch,
    add_spans_row,
    extract_tokens,
    fingerprint_stored_values,
    iter_text_fingerprints,
    list_record_numbers,
    pack_spans,
)
from halo_core.values.stored_objects import (
    StoreMarks,
    StorePlace,
    find_place,
    list_only_identifiers,
    may_store,
    period_of,
    stores_downloads,
)
from halo_core.values.text import fingerprint_strings, generate_spellings
from halo_core.values.traced_leaves import TracedLeaf, vouch_for_user

__all__ = [
    "KNOWN_KINDS",
    "MAX_CARRIED",
    "MAX_LEAVES",
    "MAX_SOURCE_INDEX",
    "MAX_TAINTED_FINGERPRINTS",
    "MAX_TEXT",
    "NO_MARKS",
    "REPEAT_BYTES",
    "TRUST_FLOOR",
    "ActionFacts",
    "ConversationDigest",
    "FactSources",
    "Form",
    "FormPrints",
    "Kind",
    "MarkedItem",
    "Marks",
    "ResultMarks",
    "Sketch",
    "StoreMarks",
    "StorePlace",
    "ToolTraits",
    "TracedLeaf",
    "add_spans_row",
    "asks_for",
    "describe_calls",
    "extract_texts",
    "extract_tokens",
    "find_answer_scope",
    "find_facts",
    "find_known",
    "find_nouns_of_result",
    "find_parties",
    "find_place",
    "find_values",
    "fingerprint_call_words",
    "fingerprint_carried",
    "fingerprint_known_text",
    "fingerprint_model_words",
    "fingerprint_stored_values",
    "fingerprint_strings",
    "fingerprint_text",
    "fingerprint_vouching_text",
    "fingerprint_whole_text",
    "generate_spellings",
    "identify_values",
    "is_lookup_key",
    "iter_text_fingerprints",
    "judge_arguments",
    "list_declarable",
    "list_known_names",
    "list_only_identifiers",
    "list_record_numbers",
    "lists_by_filters",
    "lists_files",
    "lists_of_one",
    "lists_records",
    "make_known_marks",
    "may_store",
    "names_list",
    "names_one_sender",
    "names_value",
    "origin_of_result",
    "pack_spans",
    "period_of",
    "read_result",
    "reads_own_place",
    "repeats_as_whole",
    "returns_created",
    "speaks_of_act",
    "split_repeats",
    "stores_downloads",
    "to_canonical_form",
    "trace_call",
    "trace_leaves",
    "vouch_for_user",
]
