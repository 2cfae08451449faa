"""The contract as a table: each case, in how many shapes each framework keeps it.

    python tests/adapters/table.py

Runs the suites, and prints `passed/run` for each case and framework; exits 1 where they differ.
"""

from __future__ import annotations

import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_SUITES = {"TestLangChain": "LangChain", "TestLlamaIndex": "LlamaIndex", "TestOpenAIAgents": "OpenAI Agents"}


class _Counts:
    """Counts results by case and framework."""

    def __init__(self) -> None:
        self.ran: dict[tuple[str, str], list[bool]] = defaultdict(list)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Take one report."""
        _, _, rest = report.nodeid.partition("::")
        suite, _, case = rest.partition("::")
        if suite in _SUITES and (report.when == "call" or report.failed):
            self.ran[case.partition("[")[0], _SUITES[suite]].append(report.passed)


def main() -> int:
    """Run, print, and return the exit code."""
    folder = Path(__file__).parent
    counts = _Counts()
    files = sorted(str(path) for path in folder.glob("test_contract_*.py") if "bites" not in path.name)
    pytest.main(["-q", "--no-header", "-p", "no:cacheprovider", "-W", "ignore", *files], plugins=[counts])
    table = Table(title="the adapter contract, shapes passed of shapes run", title_justify="left", box=SIMPLE_HEAD)
    table.add_column("case")
    for name in _SUITES.values():
        table.add_column(name, justify="right")
    whole = True
    for case in dict.fromkeys(case for case, _ in counts.ran):
        rows = [counts.ran[case, name] for name in _SUITES.values()]
        whole = whole and all(row and all(row) for row in rows)
        table.add_row(case.removeprefix("test_").replace("_", " "), *(f"{sum(row)}/{len(row)}" for row in rows))
    Console(width=120).print(table)
    return 0 if whole and counts.ran else 1


if __name__ == "__main__":
    sys.exit(main())
