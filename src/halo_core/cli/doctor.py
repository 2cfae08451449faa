"""Room: `halo doctor`. Takes: an app. Gives: what of it is decided before it runs, and what can run undecided.

It imports the app, as running it would. Never: runs the app, decides, writes to a store.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table

from halo_core.cli.common import Exit, HomeOption, JsonOption, console, print_json
from halo_core.cli.loading import load
from halo_core.cli.words import cell
from halo_core.coverage import Finding, Kind, Status, counts, governable, plain, sort, summary
from halo_core.errors import ConfigError
from halo_core.home import default_home
from halo_core.keys import KeyStore
from halo_core.oversight.keyring import key_files

__all__ = ["doctor"]

_ADAPTERS: Final = {
    "halo_langchain": ("langchain", "langchain_core", "langgraph"),
    "halo_llamaindex": ("llama_index", "workflows"),
    "halo_openai_agents": ("agents",),
}
"""Adapters, and the packages whose objects each understands."""
_OTHERS: Final = (
    "autogen",
    "autogen_agentchat",
    "crewai",
    "haystack",
    "pydantic_ai",
    "smolagents",
)
_SHOWN: Final = 5
_STYLE: Final = {Status.OPEN: "bold red", Status.CLOSED: "green", Status.NOTED: "yellow"}
_TITLE: Final = {
    Status.OPEN: "can run undecided",
    Status.CLOSED: "decided before it runs",
    Status.NOTED: "cannot be intercepted, or the host's own power",
}


def doctor(
    target: Annotated[
        str, typer.Argument(metavar="MODULE:OBJECT", help="Your graph, chain, agent or a function making it.")
    ],
    *,
    home: HomeOption = None,
    json: JsonOption = False,
) -> int:
    """Show what of an app is decided before it runs, and what can run undecided. Imports the app; does not run it.

    Exit 0 nothing can run undecided, 1 something can, 2 there is nothing to decide, 64 it cannot be loaded.
    """
    found, said = load(target)
    name = target.partition(":")[2]
    findings = _looked(found, name)
    seen = governable(findings)
    findings = sort([*findings, *_keys(home)])
    open_ = counts(findings)[Status.OPEN]
    code = Exit.FAILED if open_ else Exit.OK if seen else Exit.CANNOT_TELL
    if json:
        print_json({"counts": counts(findings), "exit_code": code, "findings": plain(findings), "note": said})
        return code
    view = console()
    if said:
        view.print(cell(said))
    for status in Status:
        _print(view, status, [item for item in findings if item.status is status])
    view.print(summary(findings))
    if not seen:
        view.print(
            cell(f"cannot tell: `{name}` holds no tool, retriever, model or agent that {', '.join(_ADAPTERS)} knows")
        )
    return code


def _looked(found: Any, name: str) -> list[Finding]:
    """What the adapters that understand it find."""
    tops = {kind.__module__.partition(".")[0] for kind in type(found).__mro__}
    mine = [adapter for adapter, packages in _ADAPTERS.items() if tops & set(packages)]
    other = sorted(tops & set(_OTHERS))
    if other and not mine:
        raise ConfigError(
            "no_adapter",
            f"`{name}` is of `{other[0]}`, which no adapter here understands",
            field="target",
            remedy=f"adapters: {', '.join(_ADAPTERS)}",
        )
    looks = [look for adapter in mine or _ADAPTERS if (look := _adapter(adapter)) is not None]
    if not looks:
        extra = (mine or list(_ADAPTERS))[0].removeprefix("halo_").replace("_", "-")
        raise ConfigError(
            "no_adapter", "no adapter is installed", field="target", remedy=f"pip install 'halo-agents[{extra}]'"
        )
    return [item for look in looks for item in look(found, name=name)]


def _adapter(name: str) -> Callable[..., list[Finding]] | None:
    """An adapter's `doctor`; None where its framework is not installed."""
    try:
        return getattr(import_module(name), "doctor", None)
    except ModuleNotFoundError:
        return None


def _keys(home: Path | None) -> list[Finding]:
    """Keys that whoever runs the app can read, in one row."""
    folder = home if home is not None else default_home()
    if not folder.is_dir():
        if home is not None:
            raise ConfigError("no_home", f"there is no folder `{home}`", field="home", remedy="leave `--home` out")
        return []
    keys = [item for item in key_files(KeyStore(folder)) if item.readable and item.kind == "ed25519" and item.signs]
    if not keys:
        return []
    names = ", ".join(item.name for item in keys[:_SHOWN])
    more = f" and {len(keys) - _SHOWN} more" if len(keys) > _SHOWN else ""
    signs = "; ".join(dict.fromkeys(item.signs for item in keys))
    remedy = f"code in this process can sign with them: {signs}"
    return [Finding(Kind.KEY, names + more, f"home `{folder}`", "none", Status.NOTED, remedy)]


def _print(view: Console, status: Status, items: list[Finding]) -> None:
    if not items:
        return
    view.print(f"[{_STYLE[status]}]{status}[/]: {_TITLE[status]}")
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    for title, widest in (("kind", None), ("name", 28), ("where", None), ("point", 24)):
        table.add_column(title, overflow="fold", max_width=widest)
    for item in items:
        where: RenderableType = cell(item.where)
        if item.remedy:
            where = Group(where, Padding(cell(item.remedy, "italic"), (0, 0, 0, 2)))
        table.add_row(f"  {item.kind}", cell(item.name), where, cell(item.point if item.point != "none" else ""))
    view.print(table)
    view.print()
