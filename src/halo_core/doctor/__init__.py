"""What an app lets run undecided: the findings of `halo doctor`, and the examiner that makes them."""

from __future__ import annotations

from halo_core.doctor.examiner import (
    DECIDED_BODY,
    IGNORED_TYPES,
    NO_COVER,
    Cover,
    Examiner,
    find_guard,
    find_method,
    find_name,
    find_tripwire_point,
    get_body_cover,
    get_tool_body,
    join_names,
    join_place,
    list_originals,
)
from halo_core.doctor.findings import (
    Finding,
    FindingKind,
    FindingStatus,
    count_by_status,
    findings_to_json,
    has_governable_findings,
    sort_findings,
    summarize_findings,
)

__all__ = [
    "DECIDED_BODY",
    "IGNORED_TYPES",
    "NO_COVER",
    "Cover",
    "Examiner",
    "Finding",
    "FindingKind",
    "FindingStatus",
    "count_by_status",
    "find_guard",
    "find_method",
    "find_name",
    "find_tripwire_point",
    "findings_to_json",
    "get_body_cover",
    "get_tool_body",
    "has_governable_findings",
    "join_names",
    "join_place",
    "list_originals",
    "sort_findings",
    "summarize_findings",
]
