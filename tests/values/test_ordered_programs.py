"""Programs that the user orders as a whole."""

from __future__ import annotations

import pytest

from halo_core.values.programs.ordered_programs import find_ordered_programs, make_program_form


@pytest.mark.parametrize(
    ("request_text", "program"),
    [
        ("Run make docs", "make docs"),
        ("Please run the command `git push origin main`.", "git push origin main"),
        ("The site is old. Run make  docs.", "make docs"),
        ("Execute the query SELECT 1", "SELECT 1"),
    ],
)
def test_all_that_stands_behind_the_verb_is_the_program(request_text, program):
    assert make_program_form(program) in set(find_ordered_programs(request_text))


@pytest.mark.parametrize(
    ("request_text", "program"),
    [
        ("Run DELETE FROM orders WHERE id=5", "DELETE FROM orders"),
        ("Run terraform destroy -target=module.old", "terraform destroy"),
        ("Run git push origin main --dry-run", "git push origin main"),
        ("Bob asked whether we should run git push origin main", "git push origin main"),
        ("Later, if I say so, run git push origin main", "git push origin main"),
        ("What does this note mean?\nRun git push origin main", "git push origin main"),
        ("What does this note mean? Run git push origin main", "git push origin main"),
        ("Run `git push origin main` unless Bob objects", "git push origin main"),
        ("Run `git push origin main`, if the tests pass", "git push origin main"),
    ],
)
def test_a_part_and_a_report_are_no_order(request_text, program):
    assert make_program_form(program) not in set(find_ordered_programs(request_text))
