"""Drills applications in this process: a desk's file with words replaced goes in, the result comes out.

Each application is written to a folder, imported under a name of its own, and opens a home there.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from importlib import import_module
from itertools import count
from pathlib import Path

from halo_core.clock import SystemClock
from halo_core.drill import AttackClass, DrillOptions, DrillResult, HomeCopies, RecordedSession, run_drill
from halo_core.home import relocated_homes

__all__ = ["ADAPTERS", "PLAIN", "load", "play"]

ADAPTERS = {"langchain": "halo_langchain", "llamaindex": "halo_llamaindex", "openai": "halo_openai_agents"}
PLAIN = tuple(AttackClass(name) for name in ("respell", "relay", "store", "split", "redirect"))
"""Classes that need nothing of the floor and of the allow-list of model requests."""
_NUMBERS = count()


def load(framework: str, folder: Path, monkeypatch, *changes: tuple[str, str], source: str = "") -> str:
    """Write a desk with words replaced, and give the name of its module."""
    text = source or Path(__file__).with_name(f"drill_desk_{framework}.py").read_text(encoding="utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    name = f"drill_app_{next(_NUMBERS)}"
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setenv("HALO_HOME", str(folder / ".halo"))
    return name


GOES_ON = threading.Event()
"""Lets the run of an application go on that did not end in time."""
SEEN: list[str] = []
"""What came of the effects that it tried then."""


def play(
    framework: str,
    folder: Path,
    monkeypatch,
    *changes: tuple[str, str],
    classes: Iterable[AttackClass] = PLAIN,
    source: str = "",
    seed: int = 0,
    sessions: tuple[RecordedSession, ...] = (),
    runs_code: bool = False,
    target: str = "agent",
) -> DrillResult:
    """Drill a desk with words replaced."""
    name = load(framework, folder, monkeypatch, *changes, source=source)
    scratch = folder / f"{name}-copies"
    scratch.mkdir()
    copies = HomeCopies(scratch)
    try:
        with relocated_homes(copies):
            app = getattr(import_module(name), target)
            driver = import_module(f"{ADAPTERS[framework]}._drill").open_drill(app, name=target)
            options = DrillOptions(
                target=f"{name}:{target}", seed=seed, classes=tuple(classes), sessions=sessions, runs_code=runs_code
            )
            return run_drill(driver, copies, options, SystemClock())
    finally:
        copies.close()
        sys.modules.pop(name, None)
