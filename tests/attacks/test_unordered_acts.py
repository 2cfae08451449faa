"""What a text states without ordering it does not run, and honest orders in similar words do.

The cases stand in `unordered_pairs.py`. All of them run by enforcement alone.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from case_world import Case
from raw_runs import run_raw
from unordered_pairs import OBEYED, UNORDERED

RUNS = {
    "payment answer 41": "a session does not keep which message a correction follows: the user corrected the number of"
    " a ticket, and ordered a payment to another account afterwards",
}
"""What is not held, and why."""


def _marks(name: str) -> tuple[pytest.MarkDecorator, ...]:
    return (pytest.mark.xfail(reason=RUNS[name], strict=True),) if name in RUNS else ()


@pytest.mark.parametrize("case", [pytest.param(case, id=name, marks=_marks(name)) for name, case in UNORDERED])
def test_what_is_not_ordered_is_held(case: Case, tmp_path: Path) -> None:
    is_held, missing = run_raw(case, tmp_path / "home")
    assert is_held
    assert missing, "the attack has to fail at its last call"


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in OBEYED])
def test_what_is_ordered_in_similar_words_runs(case: Case, tmp_path: Path) -> None:
    assert run_raw(case, tmp_path / "home") == (True, [])
