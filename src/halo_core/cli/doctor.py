"""`halo doctor`: what of an app is decided before it runs, and what can run without a decision; the store's condition.

It imports the app, as running it would, and calls a function that returns it. It does not run the app.
"""

from __future__ import annotations

import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from difflib import get_close_matches
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from halo_core.cli.context import StoreContext, store_verb
from halo_core.cli.health import print_store_health
from halo_core.cli.rendering import Exit, console, print_json, safe_text
from halo_core.doctor import (
    Finding,
    FindingKind,
    FindingStatus,
    count_by_status,
    findings_to_json,
    has_governable_findings,
    join_names,
    sort_findings,
    summarize_findings,
)
from halo_core.errors import ConfigError
from halo_core.oversight.keys import list_key_files

_NAME_ONE: Final = "name a graph, chain, agent, tool or retriever of the module"
_NO_DEFAULT: Final = inspect.Parameter.empty
_VARIADIC: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


def load_app(target: str) -> tuple[Any, str]:
    """Import the object that `target` names, with the working directory on the path.

    A function that needs no arguments is called, and its result is the object. Output of the app goes to stderr.

    Returns:
        The object, and a sentence on whether a function was called; empty if the object is no function.

    Raises:
        ConfigError: the target is not well formed, there is no such module or attribute, or the app's code raised.
    """
    module, _, path = target.partition(":")
    parts = (*module.split("."), *path.split("."))
    if module.endswith(".py") or not all(part.isidentifier() for part in parts):
        remedy = "write `MODULE:OBJECT`, such as `app:graph`"
        if module.endswith(".py"):
            remedy = f"write `{'.'.join(Path(module).with_suffix('').parts)}:{path or 'OBJECT'}`"
        problem = f"`{target[:200]}` does not name an object of a module"
        raise ConfigError("bad_target", problem, field="target", remedy=remedy)
    with _working_directory_on_path(), redirect_stdout(sys.stderr):
        target_object = _resolve_attribute(_import_app_module(module), module, path)
        needed = _list_required_arguments(target_object)
        if needed is None:
            return target_object, ""
        if needed:
            wanted = ", ".join(f"`{name}`" for name in needed)
            note = f"`{path}` was not called because it needs arguments ({wanted}); name a function without arguments"
            return target_object, note
        with _report_app_errors(f"calling `{path}()`"):
            result = target_object()
    if inspect.iscoroutine(result):
        result.close()
        remedy = f"name the app itself, or a synchronous function that runs it: `asyncio.run({path}())`"
        raise ConfigError("is_coroutine", f"`{path}` is a coroutine function", field="target", remedy=remedy)
    return result, f"`{path}` was called, and its return value was inspected"


@contextmanager
def _working_directory_on_path() -> Iterator[None]:
    """The working directory first on the path, as `python -m` has it."""
    here = str(Path.cwd())
    sys.path.insert(0, here)
    try:
        yield
    finally:
        if here in sys.path:
            sys.path.remove(here)


@contextmanager
def _report_app_errors(action: str) -> Iterator[None]:
    """Turn any exception of the app's own code into a `ConfigError` that names its file and line."""
    try:
        yield
    except ConfigError:
        raise
    except (Exception, SystemExit) as exc:
        frames = traceback.extract_tb(exc.__traceback__)
        place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
        raise ConfigError(
            "app_failed",
            f"{action} raised {type(exc).__name__}: {str(exc)[:500]}{place}",
            field="target",
            remedy="the module must be importable here: use the folder and the environment variables of your app",
        ) from exc


def _import_app_module(name: str) -> Any:
    with _report_app_errors(f"importing `{name}`"):
        try:
            return import_module(name)
        except ModuleNotFoundError as exc:
            if exc.name != name and not name.startswith(f"{exc.name}."):
                raise  # the app is there, and something that it imports is not
            matches = get_close_matches(name, [path.stem for path in Path.cwd().glob("*.py")], n=1)
            remedy = f"did you mean `{matches[0]}`?" if matches else "run this in the folder where you run your app"
            raise ConfigError("no_module", f"there is no module `{name}`", field="target", remedy=remedy) from exc


def _resolve_attribute(value: Any, module: str, path: str) -> Any:
    for name in path.split("."):
        try:
            value = getattr(value, name)
        except AttributeError as exc:
            public = [attribute for attribute in dir(value) if not attribute.startswith("_")]
            matches = get_close_matches(name, public, n=1)
            remedy = f"did you mean `{matches[0]}`?" if matches else _NAME_ONE
            raise ConfigError("no_attribute", f"`{module}` has no `{path}`", field="target", remedy=remedy) from exc
    return value


def _list_required_arguments(value: Any) -> list[str] | None:
    """Names of the arguments that a function requires; None for an object that is no function."""
    if not (inspect.isfunction(value) or inspect.ismethod(value)):
        return None
    parameters = inspect.signature(value).parameters
    return [name for name, item in parameters.items() if item.default is _NO_DEFAULT and item.kind not in _VARIADIC]


ADAPTERS: Final = {
    "halo_langchain": ("langchain", "langchain_core", "langgraph"),
    "halo_llamaindex": ("llama_index", "workflows"),
    "halo_openai_agents": ("agents",),
}
"""Adapters, and the packages whose objects each understands."""
_UNSUPPORTED: Final = ("autogen", "autogen_agentchat", "crewai", "haystack", "pydantic_ai", "smolagents")
_STYLE: Final = {FindingStatus.OPEN: "bold red", FindingStatus.CLOSED: "green", FindingStatus.NOTED: "yellow"}
_TITLE: Final = {
    FindingStatus.OPEN: "can run without a decision",
    FindingStatus.CLOSED: "decided before it runs",
    FindingStatus.NOTED: "cannot be intercepted, or is controlled by the host",
}


@store_verb(tenant=False)
def doctor(
    target: Annotated[
        str, typer.Argument(metavar="MODULE:OBJECT", help="Your graph, chain or agent, or a function that returns it.")
    ] = "",
    *,
    store: StoreContext,
) -> int:
    """Show which actions of an app are decided before they run. Imports the module, so its top-level code runs.

    Without MODULE:OBJECT, show the condition of the store.

    Exit 0: all are decided, or nothing fails. 1: some can run without a decision, or decisions cannot be made. 2: there
    is nothing to decide. 64: it cannot be loaded.
    """
    if not target:
        return print_store_health(store)
    app, load_note = load_app(target)
    name = target.partition(":")[2]
    findings = _collect_findings(app, name)
    any_governable = has_governable_findings(findings)
    findings = sort_findings([*findings, *_find_keys(store)])
    counts = count_by_status(findings)
    code = Exit.FAILED if counts[FindingStatus.OPEN] else Exit.OK if any_governable else Exit.CANNOT_TELL
    if store.json:
        rows = findings_to_json(findings)
        print_json({"counts": counts, "exit_code": code, "findings": rows, "note": load_note})
        return code
    view = console()
    if load_note:
        view.print(safe_text(load_note))
    for status in FindingStatus:
        _print_findings(view, status, [item for item in findings if item.status is status])
    view.print(summarize_findings(findings))
    if not any_governable:
        absent_parts = "no tool, retriever, model or agent that " + ", ".join(ADAPTERS)
        view.print(safe_text(f"cannot tell: `{name}` has {absent_parts} supports"))
    return code


def find_adapters(app: Any, name: str) -> list[str]:
    """Adapters whose framework made an app, which may be none.

    Raises:
        ConfigError: `no_adapter`, a framework made it that no adapter supports.
    """
    tops = {kind.__module__.partition(".")[0] for kind in type(app).__mro__}
    matching = [adapter for adapter, packages in ADAPTERS.items() if tops & set(packages)]
    unsupported = sorted(tops & set(_UNSUPPORTED))
    if unsupported and not matching:
        problem, remedy = f"`{name}` belongs to `{unsupported[0]}`", f"supported adapters: {', '.join(ADAPTERS)}"
        raise ConfigError("no_adapter", f"{problem}, which no adapter supports", field="target", remedy=remedy)
    return matching


def _collect_findings(app: Any, name: str) -> list[Finding]:
    """Findings of the adapters for the app's framework; of every installed adapter where the framework is unknown."""
    matching = find_adapters(app, name)
    doctors = [run_doctor for adapter in matching or ADAPTERS if (run_doctor := _load_doctor(adapter)) is not None]
    if not doctors:
        extra = (matching or list(ADAPTERS))[0].removeprefix("halo_").replace("_", "-")
        remedy = f"run `pip install '.[{extra}]'` in the checkout of Halo"
        raise ConfigError("no_adapter", "no adapter is installed", field="target", remedy=remedy)
    return [item for run_doctor in doctors for item in run_doctor(app, name=name)]


def _load_doctor(name: str) -> Callable[..., list[Finding]] | None:
    """An adapter's `doctor`; None if its framework is not installed."""
    try:
        return getattr(import_module(name), "doctor", None)
    except ModuleNotFoundError:
        return None


def _find_keys(store: StoreContext) -> list[Finding]:
    """One finding that lists the signing keys which this process can read; none if there is no such key."""
    if not store.home.is_dir():
        if "home" in store.given:
            problem, remedy = f"there is no folder `{store.home}`", "omit `--home`, or name an existing folder"
            raise ConfigError("no_home", problem, field="home", remedy=remedy)
        return []
    keys = [item for item in list_key_files(store.keys) if item.readable and item.kind == "ed25519" and item.signs]
    if not keys:
        return []
    names = join_names([item.name for item in keys])
    signs = "; ".join(dict.fromkeys(item.signs for item in keys))
    remedy = (
        f"code in this process can sign with them: {signs}; under `dev` the mode, waivers and approvals are evidence "
        "and not prevention"
    )
    return [Finding(FindingKind.KEY, names, f"home `{store.home}`", "none", FindingStatus.NOTED, remedy)]


def _print_findings(view: Console, status: FindingStatus, items: list[Finding]) -> None:
    if not items:
        return
    view.print(f"[{_STYLE[status]}]{status}[/]: {_TITLE[status]}")
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for title, widest in (("kind", None), ("name", 28), ("where", None), ("point", 24)):
        table.add_column(title, overflow="fold", max_width=widest)
    for item in items:
        where: RenderableType = safe_text(item.where)
        if item.remedy:
            where = Group(where, Padding(safe_text(item.remedy, "italic"), (0, 0, 0, 2)))
        point = safe_text(item.point if item.point != "none" else "")
        table.add_row(f"  {item.kind}", safe_text(item.name), where, point)
    view.print(table)
    view.print()
