"""The control map: its form, what it may say, and the order of its frameworks."""

from __future__ import annotations

import copy
import re
from importlib import resources

import pytest
import yaml

from halo_core.errors import ConfigError
from halo_core.evidence.checks import CHECK_CLASSES
from halo_core.evidence.controls import (
    FRAMEWORKS,
    Coverage,
    find_control,
    load_framework,
    load_frameworks,
    read_framework,
)

FOLDER = resources.files("halo_core.evidence") / "controls"


def tree_of(name: str):
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"))


def test_every_file_is_a_framework_in_the_order_that_is_shown():
    assert {item.name for item in FOLDER.iterdir()} == {f"{name}.yaml" for name in FRAMEWORKS}
    assert [item.id for item in load_frameworks()] == list(FRAMEWORKS)


@pytest.mark.parametrize("framework", load_frameworks(), ids=lambda item: item.id)
def test_a_row_names_checks_that_are_there_and_no_row_claims_what_nobody_can(framework):
    for control in framework.controls:
        assert set(control.checks) <= set(CHECK_CLASSES), control.id
        text = f"{control.title} {control.asks} {control.shows} {control.remains}".lower()
        assert "complian" not in text, control.id
        assert "sr 11-7" not in text, control.id
        assert (control.coverage is Coverage.NONE) <= (not control.checks), control.id


def test_no_row_claims_that_everything_untrusted_was_held():
    """The check counts what the rules held. It cannot see what they let through."""
    rows = [row for framework in load_frameworks() for row in framework.controls if "untrusted_content" in row.checks]
    assert len(rows) >= 11
    assert [row.id for row in rows if "the rules held" not in row.shows] == []


def test_a_row_that_says_that_people_were_waited_for_looks_at_what_ran_without_their_answer():
    """`approvals` looks at what ran on an answer; what ran although it was asked about is found by `refusals`."""
    says = ("waited for a person", "needed one", "needed an answer", "Questions, answers and stops, and that they held")
    rows = [row for framework in load_frameworks() for row in framework.controls if any(x in row.shows for x in says)]
    assert len(rows) >= 7
    assert [row.id for row in rows if "approvals" in row.checks and "refusals" not in row.checks] == []


def test_no_row_says_more_than_its_checks_look_at():
    """Labels, people and what ran during a failure are told by other commands than these checks."""
    rows = {(item.id, row.id): row for item in load_frameworks() for row in item.controls}
    pci = {name: rows["pci-dss-4.0.1", name] for name in ("7.2.6", "10.2.1.1", "10.7.3")}
    assert [name for name, row in pci.items() if "`halo " not in row.shows] == []
    assert rows["nist-800-53-r5", "AC-2(4)"].coverage is Coverage.PARTIAL  # a stop can be made by hand


def test_ids_of_the_owasp_lists_have_their_year():
    for year in (2025, 2026):
        framework = load_framework(f"owasp-llm-{year}")
        assert [item.id for item in framework.controls] == [f"LLM{n:02d}:{year}" for n in range(1, 11)]
    titles = [{item.id[:5]: item.title for item in load_framework(f"owasp-llm-{y}").controls} for y in (2025, 2026)]
    assert {name for name in titles[0] if titles[0][name] != titles[1][name]} == {f"LLM{n:02d}" for n in range(3, 11)}


def test_the_financial_framework_stays_at_categories():
    assert all(re.fullmatch(r"(GV|MP|MS|MG)-\d", item.id) for item in load_framework("fs-ai-rmf-1.0").controls)


def test_dates_of_the_ai_act_are_those_in_force():
    about = load_framework("eu-ai-act").about
    assert "2 December 2027" in about
    assert "2 August 2028" in about
    assert "2026" not in about.replace("2 August 2026", "").replace("2026/1744", "")


def spoil(change):
    tree = copy.deepcopy(tree_of("pci-dss-4.0.1"))
    change(tree)
    return tree


@pytest.mark.parametrize(
    "change",
    [
        lambda tree: tree.pop("about"),
        lambda tree: tree.update(more="x"),
        lambda tree: tree.update(titles="theirs"),
        lambda tree: tree["rows"][0].pop("remains"),
        lambda tree: tree["rows"][0].update(verified=True),
        lambda tree: tree["rows"][0].update(coverage="most"),
        lambda tree: tree["rows"][0].update(source="elsewhere"),
        lambda tree: tree["rows"][0].update(checks=["pairs", "pairs"]),
        lambda tree: tree["rows"][1].update(checks=[]),
        lambda tree: tree["rows"][0].update(asks=" "),
        lambda tree: tree["rows"].append(tree["rows"][0]),
    ],
)
def test_a_file_of_another_form_is_refused(change):
    with pytest.raises(ValueError, match=r"."):
        read_framework(spoil(change))


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("soc-2", "did you mean `soc2-tsc-2017`? choose"),
        ("EU-AI", "did you mean `eu-ai-act`? choose"),
        ("owasp-llm", "did you mean `owasp-llm-2025` or `owasp-llm-2026`? choose"),
        ("iso-42001", "choose one of pci-dss-4.0.1"),
        ("-", "choose one of pci-dss-4.0.1"),
    ],
)
def test_the_beginning_of_a_framework_is_answered_with_its_id(name, meant):
    with pytest.raises(ConfigError) as caught:
        load_framework(name)
    assert caught.value.remedy.startswith(meant)


@pytest.mark.parametrize(
    ("name", "code"),
    [("pci-dss-9 1.1", "no_such_framework"), ("pci-dss-4.0.1 99", "no_such_control"), ("", "no_such_framework")],
)
def test_an_unknown_control_is_refused_by_name(name, code):
    with pytest.raises(ConfigError) as caught:
        find_control(name)
    assert caught.value.code == code
