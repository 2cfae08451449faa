"""SECURITY.md says what the verifier says it cannot see."""

from __future__ import annotations

from pathlib import Path

from halo_core.cli.rendering import Exit
from halo_core.ledger import LIMITS

ROOT = Path(__file__).parents[2]


def words(text):
    return " ".join(text.split())


def test_security_holds_every_limit_of_the_verifier():
    page = words((ROOT / "SECURITY.md").read_text(encoding="utf-8"))
    assert [limit for limit in LIMITS if words(limit) not in page] == []


def test_operations_holds_every_exit_code():
    page = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert [code.name for code in Exit if f"\n| {code.value} |" not in page] == []
