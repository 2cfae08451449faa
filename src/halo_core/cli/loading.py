"""Room: somebody's app, imported. Takes: `MODULE:OBJECT`. Gives: the object. Runs the app's code, as importing does."""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from halo_core.errors import ConfigError

__all__ = ["load"]

_EMPTY: Final = inspect.Parameter.empty
_OPEN: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def load(target: str) -> tuple[Any, str]:
    """The object that `target` names, with the working directory on the path.

    A function that needs no arguments is called, and its result is the object. What the app prints goes to stderr.

    Returns:
        The object, and a sentence about a call that was made, or could not be; empty where there is none to make.

    Raises:
        ConfigError: the target is not well formed, there is no such module or attribute, or the app's code raised.
    """
    module, _, path = target.partition(":")
    parts = (*module.split("."), *path.split("."))
    if module.endswith(".py") or not all(part.isidentifier() for part in parts):
        raise ConfigError(
            "bad_target", f"`{target[:200]}` names no object of a module", field="target", remedy=_written(module, path)
        )
    with _here(), redirect_stdout(sys.stderr):
        found = _attribute(_module(module), module, path)
        needed = _needed(found)
        if needed is None:
            return found, ""
        if needed:
            wanted = ", ".join(f"`{name}`" for name in needed)
            return found, f"`{path}` was not called: it needs arguments ({wanted}); name a function without"
        with _running(f"calling `{path}()`"):
            made = found()
    if inspect.iscoroutine(made):
        made.close()
        raise ConfigError(
            "is_coroutine",
            f"`{path}` is a coroutine function",
            field="target",
            remedy=f"name the app itself, or a function without `async` that runs it: `asyncio.run({path}())`",
        )
    return made, f"`{path}` was called, and what it returned was looked at"


def _written(module: str, path: str) -> str:
    if module.endswith(".py"):
        dotted = ".".join(Path(module).with_suffix("").parts)
        return f"write `{dotted}:{path or 'OBJECT'}`"
    return "write `MODULE:OBJECT`, such as `app:graph`"


@contextmanager
def _here() -> Iterator[None]:
    """The working directory first on the path, as `python -m` has it."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


@contextmanager
def _running(what: str) -> Iterator[None]:
    """Somebody's code: whatever it raises is said with its place."""
    try:
        yield
    except ConfigError:
        raise
    except (Exception, SystemExit) as exc:
        frames = traceback.extract_tb(exc.__traceback__)
        at = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
        raise ConfigError(
            "app_failed",
            f"{what} raised {type(exc).__name__}: {str(exc)[:500]}{at}",
            field="target",
            remedy="it must be importable where you run this: same folder, same environment variables",
        ) from exc


def _module(name: str) -> Any:
    with _running(f"importing `{name}`"):
        try:
            return import_module(name)
        except ModuleNotFoundError as exc:
            if exc.name != name and not name.startswith(f"{exc.name}."):
                raise  # the app is there, and something that it imports is not
            near = get_close_matches(name, [path.stem for path in Path.cwd().glob("*.py")], n=1)
            remedy = f"did you mean `{near[0]}`?" if near else "run this in the folder from which you run your app"
            raise ConfigError("no_module", f"there is no module `{name}`", field="target", remedy=remedy) from exc


def _attribute(found: Any, module: str, path: str) -> Any:
    for name in path.split("."):
        try:
            found = getattr(found, name)
        except AttributeError as exc:
            near = get_close_matches(name, [each for each in dir(found) if not each.startswith("_")], n=1)
            raise ConfigError(
                "no_attribute",
                f"`{module}` has no `{path}`",
                field="target",
                remedy=f"did you mean `{near[0]}`?" if near else "name a graph, chain, agent, tool or retriever of it",
            ) from exc
    return found


def _needed(found: Any) -> list[str] | None:
    """The arguments that a function needs; one that needs none returns the app. None of anything else."""
    if not (inspect.isfunction(found) or inspect.ismethod(found)):
        return None
    parameters = inspect.signature(found).parameters
    return [name for name, item in parameters.items() if item.default is _EMPTY and item.kind not in _OPEN]
