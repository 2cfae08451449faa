"""Exports, against validators of others: CSV without formulas, whole JSON lines, OCSF 1.8, OSCAL assessment results."""

from __future__ import annotations

import copy
import csv
import io
import json
from collections import Counter
from functools import cache

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema
from trestle.oscal import assessment_results

from halo_core.evidence.exports import encode_ascii_json, make_cell
from halo_core.evidence.oscal import build_assessment_results, make_control_id
from halo_core.model import EntryKind
from halo_world import bodies, found

pytestmark = pytest.mark.xdist_group("month")

CLASSES = {6003: "api_activity", 6005: "datastore_activity", 2004: "detection_finding", 1008: "event_log_actvity"}
CLASSES[3004] = "entity_management"


@cache
def validator(class_uid: int, profiles: tuple[str, ...]) -> jsonschema.Draft202012Validator:
    """A validator of OCSF's own schema of a class."""
    schemas = OcsfJsonSchemaEmbedded(get_ocsf_schema(version="1.8.0"))
    return jsonschema.Draft202012Validator(schemas.get_class_schema(CLASSES[class_uid], list(profiles)))


def problems(event) -> list[str]:
    profiles = tuple(event["metadata"].get("profiles", ()))
    return [error.message for error in validator(event["class_uid"], profiles).iter_errors(event)]


@pytest.fixture(scope="module")
def month(usual_month, tmp_path_factory):
    return usual_month.copy(tmp_path_factory.mktemp("month") / "copy")


@pytest.fixture(scope="module")
def events(month):
    target = month.folder / "events.jsonl"
    month.must("export", "ocsf", "--output", str(target))
    return [json.loads(line) for line in target.read_text().splitlines()]


def test_every_event_is_what_the_schema_says(events):
    assert {event["class_uid"] for event in events} >= {6003, 2004, 1008, 3004}
    assert [(event["metadata"]["uid"], found) for event in events if (found := problems(event))] == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda event: event.pop("time"),
        lambda event: event.update(activity_id="read"),
        lambda event: event.update(severity_id=55),
        lambda event: event.update(no_such_member=1),
        lambda event: event["metadata"].pop("product"),
        lambda event: event.update(time="yesterday"),
    ],
)
def test_a_spoiled_event_is_refused(events, spoil):
    event = copy.deepcopy(next(item for item in events if item["class_uid"] == 6003))
    spoil(event)
    assert problems(event)


def test_every_entry_but_outcomes_has_one_event_and_decisions_have_the_notes_outcome(month, events):
    kinds = Counter(item.entry.kind for item in found(month.home))
    exported = Counter(event["metadata"]["uid"] for event in events)
    assert max(exported.values()) == 1
    # The export itself is recorded while it is made, and other questions after it.
    first = {f"{item.entry.writer}-{item.entry.seq}" for item in found(month.home) if item.entry.kind != "outcome"}
    assert len(first - exported.keys()) <= kinds[EntryKind.ACCESS] + kinds[EntryKind.WRITER_OPEN]
    ran = Counter(
        (event["actor"]["app_uid"], event["api"]["operation"])
        for event in events
        if event["class_uid"] == 6003
        and event["unmapped"]["halo"]["ran"]
        and event["unmapped"]["halo"]["kind"] == "tool_call"
    )
    noted = Counter((row["agent"], row["tool"]) for row in month.notes.select("ran"))
    assert {key: n for key, n in noted.items() if key in ran} == dict(ran)
    denied = [event for event in events if event.get("action_id") == 2]
    assert len(denied) == sum(1 for row in month.notes.select("attempt") if row["came"] == "denied")
    assert all(event["disposition_id"] == 2 and event["severity_id"] == 3 for event in denied)


def test_an_event_says_who_acted_for_whom_and_on_what(month, events):
    event = next(item for item in events if item["class_uid"] == 6003 and item["unmapped"]["halo"]["labels"] == ["pii"])
    assert event["actor"]["invoked_by"].endswith(event["actor"]["app_uid"])
    assert event["resources"][0]["labels"] == ["pii"]
    assert event["metadata"]["tenant_uid"]
    assert event["time"] > 1_700_000_000_000


def test_version_1_9_adds_the_agent(month, tmp_path):
    month.must("export", "ocsf", "--ocsf", "1.9.0", "--output", str(tmp_path / "o"))
    first = json.loads((tmp_path / "o").read_text().splitlines()[0])
    assert first["ai_agent"]["uid"] == first["actor"]["app_uid"]
    assert first["metadata"]["version"] == "1.9.0"
    assert month.halo("export", "ocsf", "--ocsf", "2.0", "--output", str(tmp_path / "p"))[0] == 64


def test_csv_has_each_attempt_of_the_notes_once(month, tmp_path):
    month.must("export", "csv", "--output", str(tmp_path / "d.csv"))
    rows = list(csv.DictReader(io.StringIO((tmp_path / "d.csv").read_text(), newline="")))
    tools = Counter((row["agent"], row["resource"]) for row in rows)
    noted = Counter((row["agent"], row["tool"]) for row in month.notes.select("attempt"))
    assert {key: n for key, n in tools.items() if key in noted} == dict(noted)
    people = Counter((row["agent"], row["person"]) for row in rows if row["kind"] != "handoff")
    assert people == Counter((row["agent"], row["user"] or "") for row in month.notes.select("attempt"))
    month.must("export", "csv", "--label", "chd", "--output", str(tmp_path / "c.csv"))
    some = list(csv.DictReader(io.StringIO((tmp_path / "c.csv").read_text(), newline="")))
    assert some == [row for row in rows if "chd" in row["labels"]]


def test_jsonl_has_every_entry_whole(month, tmp_path):
    month.must("export", "jsonl", "--output", str(tmp_path / "e.jsonl"))
    entries = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    assert [item["index"] for item in entries] == list(range(len(entries)))
    earlier = [item for item in found(month.home) if item.entry.ts_us < month.clock.now_us()]
    assert len(entries) == len(earlier)
    assert b"sealed" not in (tmp_path / "e.jsonl").read_bytes()


def test_an_export_is_recorded_with_its_query(month, tmp_path):
    month.must("export", "csv", "--agent", "loan-desk", "--output", str(tmp_path / "d.csv"))
    (entry,) = [
        body for body in bodies(month.home, EntryKind.ACCESS) if "export csv --agent loan-desk" in str(body["what"])
    ]
    assert entry["act"] == "export"


def test_a_file_is_not_overwritten_and_nothing_is_left_of_a_failed_one(month, tmp_path):
    target = tmp_path / "d.csv"
    target.write_text("mine")
    code, out = month.halo("export", "csv", "--output", str(target))
    assert (code, target.read_text()) == (64, "mine"), out
    assert month.halo("export", "csv", "--output", str(tmp_path / "none" / "d.csv"))[0] == 64
    assert list(tmp_path.iterdir()) == [target]


@given(st.text())
def test_no_cell_begins_a_formula(text):
    cell = make_cell(text)
    assert not cell.lstrip(" \u00a0\ufeff").startswith(
        ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "\uff1d", "\uff0b", "\uff0d", "\uff20")
    )
    assert cell.isprintable()
    if text.isprintable():
        assert cell.removeprefix("'") == text.removeprefix("'")


@given(st.dictionaries(st.text(), st.text() | st.integers(0, 9)))
def test_json_lines_are_printable_and_read_back_the_same(tree):
    line = encode_ascii_json(tree)
    assert line.decode("ascii").isprintable()
    assert json.loads(line) == tree


FORMULAS = [*("=1+1", " =1", "\u2003=1", "\u200b=1", "\x0b=1", "+1", "-1", "@SUM(1)", "\t=1", "\uff1d1")]


@pytest.mark.parametrize("text", [*FORMULAS, "\ufeff=cmd|' /C calc'!A0"])
def test_what_looks_like_a_formula_is_a_text(text):
    assert make_cell(text).startswith("'")


REPORT = {
    "framework": {"id": "nist-800-53-r5", "name": "NIST SP 800-53"},
    "tenant": "local",
    "period": {"from_us": 1_780_000_000_000_000, "to_us": 1_781_000_000_000_000},
    "population": {
        "counted": 3, "what": "entries", "first_index": 0, "last_index": 2, "tree_size": 3, "root": "AA==",
    },
    "query": "halo report --framework nist-800-53-r5",
    "tool": "halo-agents 0.1.0 sha256:00",
    "notes": ["Only actions that pass through Halo."],
    "rows": [
        {
            "id": "AU-3(1)", "title": "More\ncontent", "coverage": "full", "verdict": "holds", "shows": "fields",
            "remains": "", "queries": ["halo q"], "findings": [], "undecided": [], "waiver": None,
        },
        {
            "id": "AC-6", "title": "Least privilege", "coverage": "partial", "verdict": "fails", "shows": "scope",
            "remains": "people", "queries": ["halo q"], "findings": ["<b>one</b>"], "undecided": [], "waiver": None,
        },
        {
            "id": "AU-5", "title": "Failures", "coverage": "partial", "verdict": "cannot_tell", "shows": "gaps",
            "remains": "people", "queries": ["halo q"], "findings": [], "undecided": ["no entry"], "waiver": None,
        },
        {
            "id": "AU-4", "title": "Capacity", "coverage": "supports", "verdict": None, "shows": "", "remains": "all",
            "queries": [], "findings": [], "undecided": [], "waiver": None,
        },
    ],
}  # fmt: skip


def test_a_report_is_valid_oscal_and_no_more_than_it_says():
    document = build_assessment_results(REPORT)
    parsed = assessment_results.Model.model_validate(document)
    (result,) = parsed.assessment_results.results
    states = [item.target.status.state.value for item in result.findings]
    assert states == ["satisfied", "not-satisfied"]
    assert len(result.observations) == 4
    assert build_assessment_results(REPORT) == document
    ids = [item["uuid"] for item in document["assessment-results"]["results"][0]["observations"]]
    assert len(set(ids)) == 4


@pytest.mark.parametrize(
    "spoil",
    [
        lambda results: results.pop("uuid"),
        lambda results: results["results"][0].update(start="yesterday"),
        lambda results: results["results"][0]["observations"][0].update(methods=[]),
        lambda results: results["results"][0]["findings"][0]["target"]["status"].update(state="compliant"),
        lambda results: results.update(badge="certified"),
    ],
)
def test_spoiled_oscal_is_refused(spoil):
    document = build_assessment_results(REPORT)
    spoil(document["assessment-results"])
    with pytest.raises(ValueError, match="validation error"):
        assessment_results.Model.model_validate(document)


@pytest.mark.parametrize(
    ("framework", "control", "expected"),
    [
        ("nist-800-53-r5", "AU-3(1)", "au-3.1"),
        ("pci-dss-4.0.1", "10.2.1.1", "pci-dss-4.0.1_10.2.1.1"),
        ("eu-ai-act", "Art. 12(1)", "eu-ai-act_Art.-12-1"),
        ("owasp-llm-2026", "LLM03:2026", "owasp-llm-2026_LLM03-2026"),
    ],
)
def test_ids_of_controls_are_tokens(framework, control, expected):
    assert make_control_id(framework, control) == expected
