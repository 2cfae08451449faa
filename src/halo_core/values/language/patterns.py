"""Regular expressions that are compiled when they are first used.

The modules of this package hold some 500 patterns. Compiling all of them takes a fifth of a second, which every process
that imports Halo would pay, `halo log` included. Most processes use few of them.
"""

from __future__ import annotations

import re
from typing import Any, cast

_METHODS = ("search", "match", "fullmatch", "finditer", "findall", "split", "sub", "subn")


class _DeferredPattern:
    """Stands for a pattern until one of its attributes is read; after that its methods are those of the pattern."""

    def __init__(self, pattern: str, flags: int) -> None:
        self.pattern = pattern
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self.pattern, self._flags)
        self.__dict__.update({method: getattr(compiled, method) for method in _METHODS})
        return getattr(compiled, name)


def compile_later(pattern: str, flags: int = 0) -> re.Pattern[str]:
    """Return a pattern that is compiled at its first use.

    Args:
        pattern: the regular expression. An error in it is raised at the first use; tests compile all of them.
        flags: as `re.compile` takes them.
    """
    return cast("re.Pattern[str]", _DeferredPattern(pattern, flags))
