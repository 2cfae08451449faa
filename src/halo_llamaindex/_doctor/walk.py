"""Room: how the doctor looks into an app of LlamaIndex's. Takes: any object. Gives: what it reaches. Never: judges."""

from __future__ import annotations

from typing import Final

from halo_core.walk import Reach

__all__ = ["REACH"]

_FRAMEWORKS: Final = frozenset((
    "anyio", "banks", "halo_core", "halo_llamaindex", "httpx", "llama_index", "llama_index_instrumentation", "nltk",
    "openai", "pydantic", "pydantic_core", "tiktoken", "typing_extensions", "workflows", "wrapt",
))  # fmt: skip
REACH: Final = Reach(_FRAMEWORKS, frozenset(("llama_index", "workflows")), "halo_llamaindex.demo")
