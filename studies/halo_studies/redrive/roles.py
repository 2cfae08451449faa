"""The agents of a re-drive: which sessions each one runs, what it may do, and the driver that runs them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from halo_core.clock import Clock
from halo_core.model import Resource
from halo_studies.recordings.sessions import BadData, Session, grants_for, grants_of_suite, tools_of
from halo_studies.recordings.tools import resource_of
from halo_studies.redrive.passports import Passports
from halo_studies.redrive.witness import Witness

__all__ = ["DRIVERS", "Role", "drive", "driver_of", "roles_of"]

DRIVERS: Final = {
    "langchain": ("halo_studies.redrive.drivers.langchain", "LangChain"),
    "llamaindex": ("halo_studies.redrive.drivers.llamaindex", "LlamaIndex"),
    "openai-agents": ("halo_studies.redrive.drivers.openai_agents", "OpenAIAgents"),
}
_COLUMNS: Final = (
    TextColumn("{task.description}"),
    BarColumn(),
    MofNCompleteColumn(),
    TimeElapsedColumn(),
    TimeRemainingColumn(),
)


def driver_of(framework: str) -> Callable[..., Any]:
    """The class that drives one role's sessions through a framework.

    Raises:
        BadData: the framework is not installed.
    """
    module, name = DRIVERS[framework]
    try:
        driver: Callable[..., Any] = getattr(import_module(module), name)
    except ModuleNotFoundError as exc:
        raise BadData(f"`{exc.name}` is not installed: pip install '.[{framework}]' in the checkout") from exc
    return driver


@dataclass(frozen=True, slots=True)
class Role:
    """Sessions of one agent, and what it may do."""

    agent: str
    sessions: Sequence[tuple[str, Session]]
    tools: dict[str, str]
    granted: dict[str, set[str]] | None
    resources: Callable[[str, str], Resource | None]


def roles_of(
    everything: Sequence[Session],
    driven: Sequence[tuple[str, Session]],
    passports: Passports | None,
    *,
    suite_wide: bool = False,
) -> list[Role]:
    """Agents for these sessions: a suite's on its passport, else a suite's in one fold with learnt grants.

    Args:
        everything: all recorded sessions.
        driven: id in the ledger, recorded session.
        passports: that agents stand on; None for grants of the suite.
        suite_wide: every tool of the suite is granted with every argument, not what the other fold's sessions used.
    """
    tools = tools_of(everything)
    groups: dict[tuple[str, str], list[tuple[str, Session]]] = {}
    for name, session in driven:
        groups.setdefault((session.suite, "" if passports else session.fold), []).append((name, session))
    if passports is not None:
        return [
            Role(suite, of, tools.get(suite, {}), None, passports.resource) for (suite, _), of in sorted(groups.items())
        ]
    grants_of = grants_of_suite if suite_wide else grants_for
    return [
        Role(f"{suite}-{fold}".lower(), of, tools.get(suite, {}), grants_of(everything, suite, fold), resource_of)
        for (suite, fold), of in sorted(groups.items())
    ]


def drive(
    roles: Sequence[Role],
    driver: Callable[..., Any],
    witness: Witness,
    broken: dict[str, str],
    *,
    home: Path,
    db: str,
    clock: Clock | None = None,
    between: Callable[[], None] = lambda: None,
) -> None:
    """Drive each role's sessions; what breaks is in `broken`, by name.

    Args:
        roles: agents and their sessions.
        driver: a framework's class.
        witness: is told of each body that runs.
        broken: filled with what was raised out of a session.
        home: keys.
        db: URL of the store.
        clock: of the decisions; None is the system's.
        between: called after each session.
    """
    with Progress(*_COLUMNS, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("driving", total=sum(len(role.sessions) for role in roles))
        for role in roles:
            bar.update(task, description=role.agent)
            with driver(
                role.agent,
                tools=role.tools,
                granted=role.granted,
                resources=role.resources,
                witness=witness,
                db=db,
                home=home,
                clock=clock,
            ) as driven:
                for name, session in role.sessions:
                    try:
                        driven.drive(session, name)
                    except Exception as exc:  # noqa: BLE001  one session that breaks is counted, the others go on
                        broken[name] = f"{session.id}: {type(exc).__name__}: {exc}"
                    between()
                    bar.advance(task)
