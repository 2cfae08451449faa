"""A control report as OSCAL assessment results 1.2.1 (NIST), for tools of governance, risk and compliance.

A row of the report that has a verdict becomes a finding with its observation. A row whose checks cannot tell, or that
the log only supports, becomes an observation without a finding. Ids are made from the content, so the same report gives
the same document.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import Any, Final

from halo_core.clock import format_iso

OSCAL_VERSION: Final = "1.2.1"
NAMESPACE: Final = "urn:halo-agents:oscal"
_IDS: Final = uuid.UUID("6c0f6b0e-54c7-5c62-9a55-0f9b0a0a4c19")
_NOT_TOKEN: Final = re.compile(r"[^A-Za-z0-9.\-_]+")
_LAST_US: Final = 253_402_300_799_000_000  # the end of the year 9999
_STATES: Final = {"holds": "satisfied", "fails": "not-satisfied"}


def make_control_id(framework: str, control: str) -> str:
    """A control's id as an OSCAL token: of SP 800-53 as NIST's catalogue has it (`AU-3(1)` → `au-3.1`).

    Args:
        framework: id of the framework.
        control: id as the framework writes it.
    """
    if framework.startswith("nist-800-53"):
        return re.sub(r"\((\d+)\)", r".\1", control).lower().replace(" ", "")
    token = _NOT_TOKEN.sub("-", control).strip("-")
    return f"{framework}_{token}"


def build_assessment_results(report: Mapping[str, Any]) -> dict[str, Any]:
    """The document of a report.

    Args:
        report: the result of `ControlReport.to_json`.
    """
    end = _format_time(report["period"]["to_us"])
    return {
        "assessment-results": {
            "uuid": _make_id(report, "document"),
            "metadata": {
                "title": _one_line(f"Evidence of agent actions for {report['framework']['name']}"),
                "last-modified": end,
                "version": end,
                "oscal-version": OSCAL_VERSION,
                "remarks": "Evidence from a log. It is no certification, no audit opinion and no legal advice.",
            },
            "import-ap": {
                "href": "#" + _make_id(report, "plan"),
                "remarks": "No assessment plan is imported: the queries beside each observation say what was run.",
            },
            "results": [_build_result(report, end)],
        }
    }


def _build_result(report: Mapping[str, Any], end: str) -> dict[str, Any]:
    framework, population = report["framework"], report["population"]
    observations, findings, controls = [], [], []
    for row in report["rows"]:
        control = make_control_id(framework["id"], row["id"])
        controls.append({"control-id": control})
        observation = _build_observation(report, row, control, end)
        observations.append(observation)
        if row["verdict"] in _STATES:
            findings.append(_build_finding(report, row, control, observation["uuid"]))
    described = (
        f"{population['counted']} {population['what']}, positions {population['first_index']} to "
        f"{population['last_index']}, tree of {population['tree_size']} entries with root {population['root']}. "
        + " ".join(report["notes"])
    )
    result: dict[str, Any] = {
        "uuid": _make_id(report, "result"),
        "title": _one_line(f"{framework['name']}, tenant {report['tenant']}"),
        "description": described,
        "start": _format_time(report["period"]["from_us"]),
        "end": end,
        "props": [_make_property("query", report["query"]), _make_property("tool", report["tool"])],
        "reviewed-controls": {"control-selections": [{"include-controls": controls}]},
        "observations": observations,
    }
    return result | {"findings": findings} if findings else result


def _build_observation(
    report: Mapping[str, Any], row: Mapping[str, Any], control: str, collected: str
) -> dict[str, Any]:
    props = [_make_property("coverage", row["coverage"]), _make_property("verdict", row["verdict"] or "none")]
    queries = "\n".join(row["queries"]) or "none"
    return {
        "uuid": _make_id(report, "observation", control),
        "title": _one_line(f"{row['id']} {row['title']}"),
        "description": row["shows"] or "The log holds nothing of this control.",
        "props": props,
        "methods": ["TEST" if row["queries"] else "UNKNOWN"],
        "collected": collected,
        "remarks": f"Executed queries:\n{queries}\n\nWhat remains:\n{row['remains'] or 'nothing'}",
    }


def _build_finding(report: Mapping[str, Any], row: Mapping[str, Any], control: str, observation: str) -> dict[str, Any]:
    status: dict[str, Any] = {"state": _STATES[row["verdict"]]}
    if row["verdict"] != "holds":
        status["reason"] = "fail"
    status["remarks"] = f"Within this scope: {row['shows']}"
    waiver = row["waiver"]
    notes = [*row["findings"], *row["undecided"], *([f"waived: {waiver}"] if waiver else [])]
    finding = {
        "uuid": _make_id(report, "finding", control),
        "title": _one_line(f"{row['id']} {row['title']}"),
        "description": "\n".join(notes) or "No exception was found.",
        "target": {"type": "objective-id", "target-id": f"{control}_obj", "status": status},
        "related-observations": [{"observation-uuid": observation}],
    }
    return finding | {"remarks": f"What remains: {row['remains']}"} if row["remains"] else finding


def _make_property(name: str, value: str) -> dict[str, str]:
    return {"name": name, "ns": NAMESPACE, "value": _one_line(value) or "-"}


def _make_id(report: Mapping[str, Any], *parts: str) -> str:
    period, population = report["period"], report["population"]
    key = (report["framework"]["id"], report["tenant"], period["from_us"], period["to_us"], population["root"], *parts)
    return str(uuid.uuid5(_IDS, "\n".join(map(str, key))))


def _one_line(text: str) -> str:
    return " ".join(str(text).split())


def _format_time(ts_us: int) -> str:
    return format_iso(min(max(ts_us, 0), _LAST_US))
