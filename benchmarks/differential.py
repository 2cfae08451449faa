"""Drive the same recorded sessions through every adapter, and compare the ledgers entry by entry.

    python benchmarks/differential.py --limit 200
    python benchmarks/differential.py --limit 200 --json --framework langchain --framework llamaindex

Each framework gets a home of its own with the same passports, the same sessions in the same order, and a clock that
moves a second for each session. Then each session's decisions are laid side by side: same action, effect, reasons and
obligations in the same order (calls that one message made at once are taken in the order in which it names them), and,
beside that, the same arguments, provenance, taint and price.

Exit: 0 they agree, 1 they do not, 2 there is nothing to compare.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from _differential import Ledger, compare, ledger

sys.path.append(str(Path(__file__).resolve().parents[1] / "studies"))

from halo_core.errors import HaloError
from halo_core.facade import default_url
from halo_core.testing import FixedClock
from halo_studies.data_folder import add_data_option, parse_with_data
from halo_studies.recordings.sessions import BadData, Session, load, sample
from halo_studies.redrive.passports import choose
from halo_studies.redrive.roles import DRIVERS, drive, driver_of, roles_of
from halo_studies.redrive.witness import Witness

__all__ = ["main"]

_TENANT: Final = "local"
_SHOWN: Final = 12
_STEP_S: Final = 1.0
_LATER_US: Final = 60_000_000  # than the passports were issued


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    frameworks = list(dict.fromkeys(options.framework or DRIVERS))
    folder = Path(tempfile.mkdtemp(prefix="halo-differential-"))
    try:
        everything = load(options.data)
        chosen = sample(everything, options.limit, options.seed)
        found = {name: _driven(name, everything, chosen, options, home=folder / name) for name in frameworks}
    except (BadData, HaloError) as exc:
        sys.stderr.write(f"differential: {exc}\n")
        return 2
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    first, *others = frameworks
    figures: dict[str, Any] = {
        "sessions": len(chosen),
        "against": first,
        "frameworks": {name: compare(found[first], found[name]) for name in frameworks},
    }
    differs = any(figures["frameworks"][name]["differing"] for name in others)
    figures["agree"] = not differs and not any(figures["frameworks"][name]["broken"] for name in frameworks)
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        _show(figures)
    return 0 if figures["agree"] else 1


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_data_option(parser, "traces")
    parser.add_argument("--framework", action="append", choices=sorted(DRIVERS), help="give several; default all")
    parser.add_argument("--limit", type=int, default=200, help="sessions, 0 for all (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default %(default)s)")
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="passports, as in redrive.py")
    parser.add_argument("--no-manifest", action="store_true", help="grants from the other fold's benign sessions")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parse_with_data(parser, argv)


def _driven(
    framework: str,
    everything: Sequence[Session],
    chosen: Sequence[Session],
    options: argparse.Namespace,
    *,
    home: Path,
) -> Ledger:
    """One framework's ledger of these sessions."""
    db = default_url(home)
    passports = choose(options.manifest, {session.suite for session in chosen}, none=options.no_manifest)
    roles = roles_of(everything, [(f"differential.{session.id}", session) for session in chosen], passports)
    if passports is not None:
        passports.issue([role.agent for role in roles], home=home, db=db)
    clock = FixedClock(time.time_ns() // 1000 + _LATER_US)
    broken: dict[str, str] = {}
    with Witness(db, _TENANT, home) as witness:
        drive(
            roles,
            driver_of(framework),
            witness,
            broken,
            home=home,
            db=db,
            clock=clock,
            between=lambda: clock.advance(_STEP_S),
        )
    return ledger(db, home, _TENANT, broken, len(witness.early))


def _show(figures: dict[str, Any]) -> None:
    table = Table(
        title=f"{figures['sessions']} sessions, beside {figures['against']}",
        title_justify="left",
        box=SIMPLE_HEAD,
        pad_edge=False,
    )
    for name in ("framework", "decisions", "same", "differing", "inputs differ", "bodies ran", "broken"):
        table.add_column(name, justify="left" if name == "framework" else "right")
    for name, row in figures["frameworks"].items():
        counts = (row[key] for key in ("decisions", "same", "differing", "inputs_differ", "ran"))
        table.add_row(name, *map(str, counts), str(len(row["broken"])))
    view = Console()
    view.print(table)
    for name, row in figures["frameworks"].items():
        for text in [*row["examples"], *row["broken"]][:_SHOWN]:
            view.print(f"{name}: {text}", markup=False)
    view.print("the decisions agree" if figures["agree"] else "[bold red]they do not agree[/]")


if __name__ == "__main__":
    sys.exit(main())
