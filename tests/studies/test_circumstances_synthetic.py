"""The synthetic study of circumstances runs, says that it is synthetic, and moves what it should."""

from __future__ import annotations

import json

import circumstances


def test_what_is_planted_weighs_more_than_what_is_ordinary(capsys):
    assert circumstances.main(["--agents", "2", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found.pop("says").startswith("synthetic")
    for way, rows in found.items():
        if way in {"agents", "days"}:
            continue
        assert rows["ordinary"]["median_bits"] == 0, way
        assert rows["all of these"]["median_bits"] > 4, way
        assert rows["after three refusals"]["weighed"] == 1, way
    pods = found["pods with new names, office hours"]
    assert pods["another host"]["median_bits"] == 0


def test_for_people_it_is_a_table(capsys):
    assert circumstances.main(["--agents", "1"]) == 0
    assert "synthetic" in capsys.readouterr().out
