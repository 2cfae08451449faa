"""Re-drive recorded agent sessions through a real framework, with Halo in front of every tool and model call.

    python studies/redrive.py --limit 1000
    python studies/redrive.py --limit 1000 --json --db sqlite:///.halo/halo.db
    python studies/redrive.py --limit 1000 --no-manifest
    python studies/redrive.py --limit 1000 --no-manifest --score MODELS
    python studies/redrive.py --limit 1000 --offline --recurring --remember

A scripted model says the recorded calls, tools return the recorded results. Each suite's agent stands on a passport
issued from `manifests/recorded.yaml`, with budgets and decay; with --no-manifest, and for suites that the manifest does
not name, an agent (a suite's role, in one fold) holds grants learnt from the benign sessions of the *other* folds, and
generous limits. The script goes on after every effect, until the model itself may not be asked any more. It must hold
that each recorded action has one decision, each body that ran an earlier durable decision and one outcome, that
`halo verify` finds the ledger whole and `halo replay` every decision the same.

With --offline the same values, facts and starter rules are replayed without a framework, a store and passports, and the
figures are those of the frontier: stopped and untouched at first contact, questions, and with --remember the same with
remembered answers. Baselines hold other user tasks only; with --recurring they hold the same tasks' runs by other
models. --contacts has the operator import an address book, made of other sessions; with
--own-places the folders to which only the user writes are declared, and with --own-domain the user's own mail
domain. --established lets targets that several models went to count as established. --unseen-goals counts the rules
alone, as for goals that no model has seen. --half takes one half of the user tasks.
Names of tools that a model made up are reported apart. --draw draws what several such runs printed.

Exit: 0 it held, 1 it did not, 2 there is nothing to drive.
"""

from __future__ import annotations

import argparse
import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from halo_core.crypto.keys import KeyStore
from halo_core.errors import HaloError
from halo_core.facade import default_home, default_url
from halo_core.references import References
from halo_core.replay import Replayer, ReplayStatus
from halo_core.store.reader import Reader, SealedContents
from halo_core.verification import verify_store
from halo_studies.data_folder import add_data_option, parse_with_data
from halo_studies.recordings.sessions import BadData, Session, call_id, load, sample
from halo_studies.redrive.console import show
from halo_studies.redrive.figures import measure
from halo_studies.redrive.frontier import half_of, replay_offline
from halo_studies.redrive.handoffs import hand_offs, refuse
from halo_studies.redrive.ledger import read
from halo_studies.redrive.limits import spending
from halo_studies.redrive.passports import RECORDED, Passports, choose
from halo_studies.redrive.picture import draw_frontier, read_row
from halo_studies.redrive.roles import DRIVERS, drive, driver_of, roles_of
from halo_studies.redrive.scores import Scores, scores_of
from halo_studies.redrive.witness import Witness

__all__ = ["main"]

_TENANT: Final = "local"
_SHOWN: Final = 12


def main(argv: Sequence[str] | None = None) -> int:
    """Run, print, and return the exit code."""
    options = _options(argv)
    if options.draw:
        return _draw(*options.draw)
    home, db = _where(options)
    try:
        everything = load(options.data)
        scores = scores_of(options.score, by_fold=options.no_manifest or options.offline)
        if scores is not None:
            everything = scores.folded(everything)
        chosen = sample(everything, options.limit, options.seed)
        if options.offline:
            chosen = [item for item in chosen if options.half in (None, half_of(item))]
            figures = replay_offline(everything, chosen, scores, options)
            sys.stdout.write(json.dumps(figures, indent=2) + "\n")
            return 0
        passports = choose(options.manifest, {session.suite for session in chosen}, none=options.no_manifest)
        if passports is None:
            refuse(options.handoffs)
        figures, wrong = _run(
            everything,
            chosen,
            options.framework,
            passports,
            home=home,
            db=db,
            scores=scores,
            suite_wide=options.suite_grants,
        )
        if options.handoffs is not None and passports is not None:
            prefix = f"handoffs.{secrets.token_hex(4)}."
            figures["handoffs"] = hand_offs(
                options.handoffs, passports, home=home, db=db, tenant=_TENANT, prefix=prefix
            )
        if not options.no_check:
            checked, found = _checked(home, db)
            figures |= checked
            wrong += found
    except (BadData, HaloError) as exc:
        sys.stderr.write(f"redrive: {exc}\n")
        return 2
    figures |= {"db": db, "home": str(home), "held": not wrong}
    if options.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        show(figures)
    for text in wrong:
        sys.stderr.write(f"redrive: {text}\n")
    return 1 if wrong else 0


def _draw(file: str, *rows: str) -> int:
    read = []
    for row in rows:
        name, _, path = row.rpartition("=")
        read.append(read_row(name, json.loads(Path(path).read_text(encoding="utf-8"))))
    Path(file).write_text(draw_frontier(read), encoding="utf-8")
    return 0


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    add_data_option(parser, "traces")
    parser.add_argument("--framework", choices=sorted(DRIVERS), default="langchain")
    parser.add_argument("--limit", type=_size, default=200, help="sessions, 0 for all (default %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default %(default)s)")
    parser.add_argument("--db", metavar="URL", default="", help="store (default: a fresh folder, which is kept)")
    parser.add_argument("--home", type=Path, help="keys, policy, anchor (with --db: HALO_HOME, else .halo)")
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help=f"passports (default {RECORDED.name}, if it fits)"
    )
    parser.add_argument("--no-manifest", action="store_true", help="grants from the other fold's benign sessions")
    parser.add_argument(
        "--score",
        type=Path,
        metavar="FOLDER",
        help="what train_folds.py wrote, with --no-manifest: scored, cross-fitted",
    )
    parser.add_argument(
        "--suite-grants",
        action="store_true",
        help="with --no-manifest: grant every tool of the suite, not the learnt ones",
    )
    parser.add_argument("--offline", action="store_true", help="replay facts and rules without a framework")
    parser.add_argument(
        "--recurring", action="store_true", help="offline: other models' runs of a task in its baseline"
    )
    parser.add_argument("--established", action="store_true", help="offline: targets of several models are established")
    parser.add_argument(
        "--contacts", action="store_true", help="offline: persons whom other sessions' users wrote to are known"
    )
    parser.add_argument(
        "--own-places", action="store_true", help="offline: folders to which only the user writes are declared"
    )
    parser.add_argument(
        "--own-domain", action="store_true", help="offline: addresses at the user's own mail domain are known"
    )
    parser.add_argument(
        "--half",
        type=int,
        choices=(0, 1),
        help="offline: one half of the user tasks alone; 0 is the one that causes were looked for in",
    )
    parser.add_argument("--unseen-goals", action="store_true", help="offline: rules alone, without any score")
    parser.add_argument("--remember", action="store_true", help="offline: figures with remembered answers as well")
    parser.add_argument(
        "--with-amounts", action="store_true", help="offline: approvers remember the amounts of large payments too"
    )
    parser.add_argument(
        "--draw",
        nargs="+",
        metavar=("FILE", "NAME=ROW"),
        help="do nothing but draw a picture (SVG) of rows that offline runs with --remember printed",
    )
    parser.add_argument("--handoffs", type=Path, metavar="FOLDER", help="drive a team's recorded hand-offs as well")
    parser.add_argument("--no-check", action="store_true", help="neither verify nor replay afterwards")
    parser.add_argument("--json", action="store_true", help="figures as JSON on stdout")
    return parse_with_data(parser, argv)


def _size(text: str) -> int:
    if (size := int(text)) < 0:
        raise argparse.ArgumentTypeError("give a number of sessions, or 0 for all")
    return size


def _where(options: argparse.Namespace) -> tuple[Path, str]:
    if options.home is not None:
        home = options.home
    else:
        home = default_home() if options.db else Path(tempfile.mkdtemp(prefix="halo-redrive-"))
    return home, options.db or default_url(home)


def _run(
    everything: Sequence[Session],
    chosen: Sequence[Session],
    framework: str,
    passports: Passports | None,
    *,
    home: Path,
    db: str,
    scores: Scores | None = None,
    suite_wide: bool = False,
) -> tuple[dict[str, Any], list[str]]:
    run = secrets.token_hex(4)  # ids of their own, so that one store takes several runs
    driven = [(f"redrive.{run}.{session.id}", session) for session in chosen]
    roles = roles_of(everything, driven, passports, suite_wide=suite_wide)
    if passports is not None:
        passports.issue([role.agent for role in roles], home=home, db=db)
    told = scores.put(everything, roles, home=home, db=db, tenant=_TENANT) if scores is not None else 0
    broken: dict[str, str] = {}
    with Witness(db, _TENANT, home) as witness:
        begun = time.perf_counter()
        drive(roles, driver_of(framework), witness, broken, home=home, db=db)
        seconds = time.perf_counter() - begun
    with Reader(db) as reader:
        reader.use_names(home)
        found = read(reader, _TENANT, f"redrive.{run}.", _name_calls(home, driven))
        figures, wrong = measure(found, witness, driven, broken, seconds)
        figures["spending"] = spending(reader, _TENANT, found.ends.values())
    figures["score"] = {"ordinary_sessions": told} if scores is not None else {}
    figures["manifest"] = {} if passports is None else passports.facts()
    return figures, wrong


def _name_calls(home: Path, driven: Sequence[tuple[str, Session]]) -> dict[str, str]:
    """The id of each recorded call, by the reference that stands in its entry."""
    references = References.of_home(home)
    names = [call_id(name, i) for name, session in driven for i in range(len(session.events))]
    return {} if references is None else {references.of_call(name): name for name in names}


def _checked(home: Path, db: str) -> tuple[dict[str, Any], list[str]]:
    """What `halo verify` and `halo replay --all` say of the whole store."""
    report = verify_store(db, home)
    with Reader(db) as reader:
        replayer = Replayer(reader, SealedContents.with_home_key(reader, KeyStore(home)), _TENANT)
        counts = Counter(item.status.value for item in replayer.replay_all())
    odd = {status: times for status, times in counts.items() if status != ReplayStatus.IDENTICAL.value}
    wrong = [f"verify: {finding.code} at {finding.where}" for finding in report.findings[:_SHOWN]]
    wrong += [f"verify: exit {report.exit_code}"] if report.exit_code and not wrong else []
    wrong += [f"replay: {times} {status}" for status, times in odd.items()]
    return {"verify_exit": report.exit_code, "replay": dict(counts)}, wrong


if __name__ == "__main__":
    sys.exit(main())
