"""LlamaIndex keeps the adapter contract."""

from __future__ import annotations

from typing import ClassVar

from contract import AdapterContract
from contract_driver import Driver
from llamaindex_driver import LlamaIndexDriver


class TestLlamaIndex(AdapterContract):
    driver: ClassVar[Driver] = LlamaIndexDriver()
