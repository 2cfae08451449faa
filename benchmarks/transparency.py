"""Whether anybody notices Halo: upstream test suites, plain and with Halo put in and everything allowed.

    python benchmarks/transparency.py
    python benchmarks/transparency.py --suite langgraph-swarm --switch tools --json

The suites are those of the installed versions, from their source archives; they run in an environment of their own in
`--cache`. Where Halo is put in is a switch (see `transparency_plugin.py`); each is run on its own, then all together.
A test that ends otherwise than without Halo is a difference; where a middleware is put in, one that does nothing is run
too, since LangChain itself behaves otherwise with any. A suite runs in parts, each with a time limit; what nothing
explains is run a second time. `--json` names each difference, the table each reason.

Exit: 0 none (but for those that must be, which say why), 1 there is one, 2 a suite cannot be had.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich.console import Console

from _transparency_report import Result, Run, accept_second_tries, compare, reasons_table, table, to_plain
from _transparency_suites import SUITES, Suite, Unavailable, fetch, interpreter, run

__all__ = ["PUT_IN", "main"]

PUT_IN: Final = {
    "tools": ("tools",),
    "middleware": ("middleware",),
    "models": ("models",),
    "graph": ("graph",),
    "together": ("tools", "middleware", "models", "graph"),
    # It refuses what carries no guard, so everything else is put in with it.
    "tripwire": ("tools", "middleware", "models", "graph", "tripwire"),
}
"""What `--switch` names → switches of the plugin, for LangChain's suites."""
_OPENAI: Final = {
    "agents": ("agents",),
    "options": ("agents", "options"),
    "tools": ("tools",),
    "tripwire": ("agents", "tripwire"),
}
_SWITCHES: Final = {"transparency_plugin": PUT_IN, "transparency_plugin_openai_agents": _OPENAI}


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    options.cache.mkdir(parents=True, exist_ok=True)
    suites = [suite for suite in SUITES if suite.distribution in (options.suite or [suite.distribution])]
    try:
        results = [result for suite in suites for result in _results(suite, options)]
    except Unavailable as exc:
        sys.stderr.write(f"transparency: {exc}\n")
        return 2
    if options.json:
        sys.stdout.write(json.dumps(to_plain(results), indent=2) + "\n")
    else:
        _print(results)
    return 0 if all(result.held for result in results) else 1


def _results(suite: Suite, options: argparse.Namespace) -> list[Result]:
    puts = _SWITCHES[suite.plugin]
    switches = [name for name in options.switch or puts if name in puts]
    python = options.python or interpreter(suite, options.cache)
    root = fetch(suite, options.cache)
    name = f"{suite.distribution} {suite.version}"
    plain = run(suite, root, python, None)
    _say(f"{name} plain: {plain.problem or plain.counts()}")
    control: Run | None = None
    found = []
    for switch in switches:
        injected = run(suite, root, python, puts[switch])
        if "middleware" in puts[switch] and control is None:
            control = run(suite, root, python, ("empty",))
        beside = control if "middleware" in puts[switch] else None
        differences = compare(puts[switch], plain, injected, beside)
        unexplained = [item.test for item in differences if not item.why]
        if unexplained:
            again = run(suite, root, python, puts[switch], unexplained)
            differences = accept_second_tries(differences, again)
        new = [item for item in differences if not item.why]
        counts = f"{len(differences)} differ, {len(new)} unexplained"
        _say(f"{name} {switch}: {injected.problem or injected.counts()}, {counts}")
        for item in new:  # at once: what is printed at the end is lost where a long run is ended
            _say(f"  {item.test} {item.plain} -> {item.injected}: {item.said}")
        found.append(Result(name, switch, plain, injected, differences))
    return found


def _say(text: str) -> None:
    sys.stderr.write(f"transparency: {text}\n")


def _print(results: Sequence[Result]) -> None:
    console = Console()
    console.print(table(results))
    console.print(reasons_table(results))
    for result in results:
        for item in result.differences:
            if not item.why:
                text = f"{result.suite} {result.switch}: {item.test} {item.plain} -> {item.injected}: {item.said}"
                console.print(text, markup=False)


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suite", action="append", choices=[suite.distribution for suite in SUITES])
    names = sorted({*PUT_IN, *_OPENAI})
    parser.add_argument("--switch", action="append", choices=names, help="where Halo is put in (default: each)")
    parser.add_argument(
        "--cache", type=Path, default=base / "halo-transparency", help="archives and environment (default %(default)s)"
    )
    parser.add_argument("--python", type=Path, metavar="FILE", help="run in this environment instead of making one")
    parser.add_argument("--json", action="store_true", help="the results as JSON on stdout")
    return parser.parse_args(argv)


if __name__ == "__main__":
    sys.exit(main())
