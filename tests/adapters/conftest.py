"""Fixtures of the tests that run against every adapter."""

from __future__ import annotations

import pytest

# The contract is no test file by its name, and its assertions should say as much as theirs.
pytest.register_assert_rewrite("contract", "contract_driver", "moved_values_contract")
