"""docs/manifest.md: its example is the tested one, and its table of fields names every field there is."""

from __future__ import annotations

import re
from pathlib import Path

from manifest_world import EXAMPLE

from halo_core.manifest import ManifestError, agents, fields, load_manifest

DOC = (Path(__file__).parents[2] / "docs" / "manifest.md").read_text()


def test_the_example_of_the_documentation_is_the_tested_one():
    assert re.search(r"```yaml\n(.*?)```", DOC, re.DOTALL)[1] == EXAMPLE
    assert set(load_manifest(EXAMPLE).agents) == {"loan-desk", "clerk"}


def test_every_field_is_documented():
    for field in (
        *agents._AGENT_FIELDS,
        *fields._RESOURCE_FIELDS,
        "version",
        "tenant",
        "principal",
        "agents",
        "per_action",
        "ceiling",
    ):
        assert f"`{field}`" in DOC, field


def test_the_errors_shown_are_those_that_are_told():
    lines = re.search(r"```text\n(.*?)```", DOC, re.DOTALL)[1].splitlines()
    text = """version: 1
tenant: acme
tools:
  pay: {impact: payment, amount: amount, unit: USD, targets: [to]}
  crm.*: {impact: read, labels: [pii]}
agents:
  desk:
    owner: ana@bank
    privilege: high
    tools:
      pay: {to: {one_of: [ACC-1]}, amount: {max: 500}}
      crm.*: any
    budgets:
      step: {session: 40, ceiling: 20, per_day: 2000}
      USD: {session: "2000.00"}
      time: 2h
    decay: {half_life: 30m, steps: 20, risk: 200, reauthorize_bellow: 5%}
"""
    try:
        load_manifest(text)
    except ManifestError as exc:
        told = [line for f in exc.findings for line in (f"error {f.text('agents.yaml')}", f"  try: {f.remedy}")]
    assert told == lines
