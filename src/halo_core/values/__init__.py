"""Values of actions: their kinds and canonical forms, where they came from, which untrusted ones were stored.

Pure functions of texts, arguments and keys; integers only. `forms` finds the values in texts and arguments, by the
canonical spellings of `addresses` and `numbers`; `spans` keeps the words of vouching texts in order; `hidden` reads
what is encoded; `sketch` remembers what a session was shown, `provenance` says of each argument how far its source is
trusted. `argument_values`, `text` and `lexicon` describe values for the behaviour score. docs/values.md has the rules.
"""

from halo_core.values.argument_values import Value, ValueKind, classify_value, extract_values
from halo_core.values.facts import NO_SOURCES, ActionFacts, FactSources, find_facts
from halo_core.values.kinds import TARGET_KINDS, Form, Kind
from halo_core.values.observed_text import (
    NO_MARKS,
    ResultMarks,
    drop_said_forms,
    fingerprint_known_text,
    fingerprint_said,
    fingerprint_text,
    fingerprint_vouching_text,
    fingerprint_whole_text,
    is_lookup_key,
    read_result,
)
from halo_core.values.provenance import (
    MAX_LEAVES,
    TRUST_FLOOR,
    TracedLeaf,
    extract_leaves,
    extract_texts,
    origin_of_result,
    trace_arguments,
    trace_leaves,
    vouch_for_user,
)
from halo_core.values.sketch import (
    MAX_SOURCE_INDEX,
    MAX_TAINTED_FINGERPRINTS,
    MAX_TEXT,
    Marks,
    Sketch,
    add_spans_row,
    extract_tokens,
    fingerprint_stored_values,
    fingerprint_tokens,
    iter_text_fingerprints,
    pack_spans,
)
from halo_core.values.text import fingerprint_strings, generate_spellings, split_name

__all__ = [
    "MAX_LEAVES",
    "MAX_SOURCE_INDEX",
    "MAX_TAINTED_FINGERPRINTS",
    "MAX_TEXT",
    "NO_MARKS",
    "NO_SOURCES",
    "TARGET_KINDS",
    "TRUST_FLOOR",
    "ActionFacts",
    "FactSources",
    "Form",
    "Kind",
    "Marks",
    "ResultMarks",
    "Sketch",
    "TracedLeaf",
    "Value",
    "ValueKind",
    "add_spans_row",
    "classify_value",
    "drop_said_forms",
    "extract_leaves",
    "extract_texts",
    "extract_tokens",
    "extract_values",
    "find_facts",
    "fingerprint_known_text",
    "fingerprint_said",
    "fingerprint_stored_values",
    "fingerprint_strings",
    "fingerprint_text",
    "fingerprint_tokens",
    "fingerprint_vouching_text",
    "fingerprint_whole_text",
    "generate_spellings",
    "is_lookup_key",
    "iter_text_fingerprints",
    "origin_of_result",
    "pack_spans",
    "read_result",
    "split_name",
    "trace_arguments",
    "trace_leaves",
    "vouch_for_user",
]
