"""LlamaIndex keeps the adapter contract."""

from __future__ import annotations

import re
from pathlib import Path
from typing import ClassVar

import pytest
from contract import AdapterContract
from contract_driver import Driver
from llamaindex_driver import LlamaIndexDriver

pytestmark = pytest.mark.smoke


class TestLlamaIndex(AdapterContract):
    driver: ClassVar[Driver] = LlamaIndexDriver()


def test_every_case_that_the_page_names_is_here():
    page = Path(__file__).parents[2] / "docs" / "llamaindex.md"
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./tests/adapters/contract\.py\)", page.read_text(encoding="utf-8"))
    assert named
    assert [case for case in named if not hasattr(AdapterContract, case)] == []
