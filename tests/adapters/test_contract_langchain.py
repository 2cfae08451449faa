"""LangChain and LangGraph keep the adapter contract."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import ClassVar

import pytest
from contract import AdapterContract
from contract_driver import Driver
from langchain_driver import LangChainDriver

pytestmark = pytest.mark.smoke


class TestLangChain(AdapterContract):
    driver: ClassVar[Driver] = LangChainDriver()


@pytest.mark.parametrize("name", ["contract.py", "contract_answers.py", "contract_driver.py"])
def test_the_contract_knows_no_framework(name):
    tree = ast.parse(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    modules = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    modules += [alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names]
    words = ("langchain", "langgraph", "llama", "openai", "agents")
    assert [module for module in modules if any(word in module for word in words)] == []


def test_every_case_that_the_page_names_is_here():
    page = Path(__file__).parents[2] / "docs" / "langchain.md"
    named = re.findall(r"\[`(test_\w+)`\]\(\.\./tests/adapters/contract\.py\)", page.read_text(encoding="utf-8"))
    assert named
    assert [case for case in named if not hasattr(AdapterContract, case)] == []


def test_every_case_says_what_it_holds():
    cases = [case for name, case in vars(AdapterContract).items() if name.startswith("test_")]
    assert len(cases) >= 35
    assert all(case.__doc__ for case in cases)
