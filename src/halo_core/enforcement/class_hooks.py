"""Wraps methods of a framework's classes, once for the process: of classes that exist, and of those made later.

    def watch(kind: type) -> None:
        wrap_methods(kind, ("_run",), lambda method, name: ...)

    watch_classes(BaseTool, watch)

Adapters use it where a framework has no hook that could stop a call.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from halo_core.enforcement.guards import GENERATED_MARK

_WRAPPER_MARK: Final = "__halo_watched__"


def wrap_methods(
    kind: type[Any], names: Iterable[str], wrap: Callable[[Callable[..., Any], str], Callable[..., Any]]
) -> None:
    """Replace methods that a class itself defines by wrappers, each once.

    Abstract methods stay as they are, and so do the classes of guarded copies.

    Args:
        kind: the class.
        names: names of the methods.
        wrap: makes the wrapper of a method, from the method and its name.
    """
    if GENERATED_MARK in kind.__dict__:
        return
    for name in names:
        method = kind.__dict__.get(name)
        if not isinstance(method, types.FunctionType) or hasattr(method, _WRAPPER_MARK):
            continue
        if not getattr(method, "__isabstractmethod__", False):
            wrapper = wrap(method, name)
            setattr(wrapper, _WRAPPER_MARK, True)
            type.__setattr__(kind, name, wrapper)


def iterate_subclasses(kind: type[Any]) -> Iterator[type[Any]]:
    """A class and every class derived from it, some perhaps more than once."""
    yield kind
    for subclass in type.__subclasses__(kind):
        yield from iterate_subclasses(subclass)


def watch_classes(base: type[Any], watch: Callable[[type[Any]], None]) -> None:
    """Call `watch` with a class and each class derived from it: with those that exist now, and with later ones."""
    for kind in iterate_subclasses(base):
        watch(kind)
    watch_new_classes(base, watch)


def watch_new_classes(base: type[Any], watch: Callable[[type[Any]], None]) -> None:
    """Call `watch` with each class that is derived from `base` from now on."""
    original = base.__dict__.get("__init_subclass__")

    def init_subclass(cls: type[Any], /, **kwargs: Any) -> None:
        inherited = super(base, cls).__init_subclass__ if original is None else original.__get__(None, cls)
        inherited(**kwargs)
        watch(cls)

    type.__setattr__(base, "__init_subclass__", classmethod(init_subclass))
