"""Runs the tests of a package against generated mutants of it, and lists the changes that no test noticed.

    python tests/mutation/run.py                          every mutant; takes hours
    python tests/mutation/run.py --sample 60 --seed 7     60 of them, always the same, as many from each package
    python tests/mutation/run.py --only ledger/verify     those whose name contains the words
    python tests/mutation/run.py --list                   only the names

`mutants.toml` names the packages, their tests, and the mutants that are known to change nothing. The exit code is 1 if
another one survived, or if one of those is no longer generated.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from generate import Mutant, generate

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("src", "tests", "conftest.py", "pyproject.toml", "README.md")
OUTCOMES: Final = ("killed", "timeout", "harmless", "SURVIVED")


@dataclass(frozen=True)
class Job:
    """A mutant, the module that it changes, the package of that module, and the tests to run."""

    package: str
    module: str
    mutant: Mutant
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.module}:{self.mutant.function}: {self.mutant.change}"


def list_jobs(packages: Mapping[str, Any]) -> Iterator[Job]:
    for package, settings in packages.items():
        for path in (settings["path"], *settings["tests"]):
            if not (ROOT / path).exists():
                sys.exit(f"mutants.toml names `{path}`, which does not exist")
        root = ROOT / settings["path"]
        for path in sorted(root.rglob("*.py")) or [root]:
            module = str(path.relative_to(ROOT))
            for mutant in generate(path.read_text()):
                yield Job(package, module, mutant, tuple(settings["tests"]))


def list_outdated(harmless: Iterable[str], jobs: Iterable[Job]) -> list[str]:
    """Mutants that are listed as harmless, and that no operator generates any more."""
    return sorted(set(harmless) - {job.name for job in jobs})


def draw_sample(jobs: Sequence[Job], size: int, seed: int) -> list[Job]:
    chance = random.Random(seed)
    packages = sorted({job.package for job in jobs})
    sample: list[Job] = []
    for number, package in enumerate(packages):
        share = size // len(packages) + (number < size % len(packages))
        group = [job for job in jobs if job.package == package]
        sample += chance.sample(group, min(share, len(group)))
    return sample


def run_share(share: tuple[str, list[Job]]) -> list[str]:
    """Run mutants of one package, in a process of its own and in a copy of the project."""
    package, jobs = share
    console = os.dup(1)
    outcomes: list[str] = []

    def report(number: int, outcome: str) -> None:
        outcomes.append(outcome)
        os.write(console, f"{outcome:9} {jobs[number].name}\n".encode())

    from session import run_session

    with tempfile.TemporaryDirectory() as scratch:
        folder = _copy_project(Path(scratch) / package)
        run_session(folder, jobs[0].tests, [(job.module, job.mutant) for job in jobs], report)
    return outcomes


def run(jobs: Sequence[Job], workers: int) -> list[tuple[Job, str]]:
    shares = []
    for package in dict.fromkeys(job.package for job in jobs):
        group = [job for job in jobs if job.package == package]
        shares += [(package, group[start::workers]) for start in range(min(workers, len(group)))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, max_tasks_per_child=1) as pool:
        outcomes = list(pool.map(run_share, shares))
    return [pair for (_, group), share in zip(shares, outcomes, strict=True) for pair in zip(group, share, strict=True)]


def _copy_project(folder: Path) -> Path:
    folder.mkdir()
    for part in COPIED:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / part)
    return folder


def print_table(results: Sequence[tuple[Job, str]]) -> None:
    counts = Counter((job.package, outcome) for job, outcome in results)
    print(f"\n{'package':12}{'mutants':>9}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES))
    for package in dict.fromkeys(job.package for job, _ in results):
        row = [counts[package, outcome] for outcome in OUTCOMES]
        print(f"{package:12}{sum(row):9}" + "".join(f"{number:10}" for number in row))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    settings = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())
    harmless = {item["mutant"]: item["reason"] for item in settings.get("harmless", [])}
    everything = list(list_jobs(settings["packages"]))
    jobs = [job for job in everything if options.only in job.name]
    jobs = draw_sample(jobs, options.sample, options.seed) if options.sample else jobs
    if options.list:
        print(*(job.name for job in jobs), sep="\n")
        return 0
    results = [
        (job, "harmless" if outcome == "SURVIVED" and job.name in harmless else outcome)
        for job, outcome in run(jobs, options.workers)
    ]
    print_table(results)
    for job, outcome in results:
        if outcome == "SURVIVED":
            print(f"survived: {job.name}")
    outdated = list_outdated(harmless, everything)
    for name in outdated:
        print(f"listed as harmless, but no longer generated: {name}")
    return 1 if outdated or any(outcome == "SURVIVED" for _, outcome in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
