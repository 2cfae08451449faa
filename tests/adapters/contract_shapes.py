"""In which shape (synchronous, asynchronous, streamed, batched) a case of a contract runs by default."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

_FEW = 3
_FRAMEWORKS = ("TestLangChain", "TestLlamaIndex", "TestOpenAIAgents")


def take_one(metafunc: pytest.Metafunc, shapes: tuple[str, ...], default: frozenset[str] = frozenset()) -> list[Any]:
    """Shapes as parameters, of which all but one are marked `thorough`: another in each case and each framework.

    Args:
        metafunc: The case.
        shapes: The ways that its framework has.
        default: Which of them may be taken, where there are more than three.
    """
    candidates = [shape for shape in shapes if shape in default] if len(shapes) > _FEW else list(shapes)
    name = getattr(metafunc.cls, "__name__", "")
    framework = _FRAMEWORKS.index(name) if name in _FRAMEWORKS else 0
    taken = candidates[(zlib.crc32(metafunc.function.__name__.encode()) + framework) % len(candidates)]
    return [shape if shape == taken else pytest.param(shape, marks=pytest.mark.thorough) for shape in shapes]
