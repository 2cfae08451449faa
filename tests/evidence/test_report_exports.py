"""Reports in the forms of others: OSCAL of a real report, and the report inside of a pack."""

from __future__ import annotations

import json
import zipfile

import pytest
from trestle.oscal import assessment_results

from halo_core.evidence.controls import FRAMEWORKS
from halo_core.evidence.oscal import build_assessment_results

pytestmark = pytest.mark.xdist_group("month")

PERIOD = ("--from", "2026-06-01", "--to", "2026-06-06")


@pytest.fixture(scope="module")
def month(usual_month, tmp_path_factory):
    return usual_month.copy(tmp_path_factory.mktemp("month") / "copy")


@pytest.mark.parametrize(
    "framework", [FRAMEWORKS[0], *(pytest.param(x, marks=pytest.mark.thorough) for x in FRAMEWORKS[1:])]
)
def test_the_report_of_a_framework_is_valid_oscal(month, tmp_path, framework):
    target = tmp_path / "report.oscal.json"
    code, out = month.halo("report", "--framework", framework, *PERIOD, "--output", str(target))
    assert code in (0, 1, 2), out
    document = json.loads(target.read_text())
    parsed = assessment_results.Model.model_validate(document)
    (result,) = parsed.assessment_results.results
    plain = tmp_path / "report.json"
    month.halo("report", "--framework", framework, *PERIOD, "--output", str(plain))
    rows = json.loads(plain.read_text())["rows"]
    assert len(result.observations) == len(rows)
    # The first report is recorded and read by the second, so findings are compared in a document of the same report.
    built = build_assessment_results(json.loads(plain.read_text()))
    (same,) = assessment_results.Model.model_validate(built).assessment_results.results
    judged = [row for row in rows if row["verdict"] in ("holds", "fails")]
    states = {"holds": "satisfied", "fails": "not-satisfied"}
    assert judged
    assert [(item.title, item.target.status.state.value) for item in same.findings] == [
        (" ".join(f"{row['id']} {row['title']}".split()), states[row["verdict"]]) for row in judged
    ]


def test_a_pack_carries_reports_and_is_verified_with_them(month, tmp_path):
    target = tmp_path / "pack.zip"
    month.must("pack", "make", *PERIOD, "--framework", "pci-dss-4.0.1", "--output", str(target))
    code, out = month.halo("pack", "check", str(target))
    assert code == 0, out
    with zipfile.ZipFile(target) as archive:
        names = archive.namelist()
        page = archive.read("reports/pci-dss-4.0.1.html").decode()
        assessment_results.Model.model_validate(json.loads(archive.read("reports/pci-dss-4.0.1.oscal.json")))
    assert {"map.json", "reports/pci-dss-4.0.1.json"} <= set(names)
    assert "<script" not in page
    assert not any(customer.name in page for customer in month.customers)


def test_an_unknown_framework_is_named(month, tmp_path):
    code, out = month.halo("pack", "make", *PERIOD, "--framework", "pci", "--output", str(tmp_path / "p.zip"))
    assert code == 64, out
    assert not (tmp_path / "p.zip").exists()
