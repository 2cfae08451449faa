"""Runs the tests of each package against generated mutants of it, and reports what the tests did not notice.

    python tests/mutation/run.py                          every mutant; takes hours
    python tests/mutation/run.py --sample 60 --seed 7     the same 60 on every machine, shared among the packages
    python tests/mutation/run.py --only passport/chain    mutants of the modules whose path holds the word

Exit 1 if a mutant survived that `mutants.toml` does not list as harmless, if a listed one is no longer generated, or if
the tests fail without any mutant.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue
from typing import Any, Final

from generate import Mutant, apply, generate

ROOT: Final = Path(__file__).parents[2]
COPIED: Final = ("src", "tests", "conftest.py", "pyproject.toml", "README.md", "docs", "benchmarks", "examples")
TESTS_FAILED: Final = 1  # pytest: tests ran and some failed; above it, they could not be run
IMPORT_FAILED: Final = (2, 4)  # a mutant that breaks the import of a test or of its conftest
OUTCOMES: Final = ("killed", "timeout", "harmless", "SURVIVED")


@dataclass(frozen=True)
class Job:
    """A mutant, the module it replaces, the package that module is part of, and the tests to run."""

    package: str
    module: str
    mutant: Mutant
    tests: tuple[str, ...]

    @property
    def name(self) -> str:
        return f"{self.module}:{self.mutant.function}: {self.mutant.change}"


def list_jobs(packages: Mapping[str, Any]) -> Iterator[Job]:
    for package, settings in packages.items():
        for path in sorted((ROOT / settings["path"]).rglob("*.py")):
            # Tests named after the module are the likeliest to fail, so they run first.
            tests = tuple(sorted(_test_files(settings["tests"]), key=lambda file: path.stem not in file))
            for mutant in generate(path.read_text()):
                yield Job(package, str(path.relative_to(ROOT)), mutant, tests)


def _test_files(paths: Sequence[str]) -> list[str]:
    found = [ROOT / path for path in paths]
    files = [file for path in found for file in (sorted(path.rglob("test_*.py")) if path.is_dir() else [path])]
    return [str(file.relative_to(ROOT)) for file in files]


def draw_sample(jobs: Sequence[Job], size: int, seed: int) -> list[Job]:
    """Draw as many from each package, so that the large ones do not crowd out the small."""
    chance = random.Random(seed)
    packages = sorted({job.package for job in jobs})
    drawn: list[Job] = []
    for number, package in enumerate(packages):
        share = size // len(packages) + (number < size % len(packages))
        group = [job for job in jobs if job.package == package]
        drawn += chance.sample(group, min(share, len(group)))
    return drawn


def run_tests(folder: Path, tests: Sequence[str], timeout_s: float | None) -> int | None:
    """Run the tests in a copy of the project; pytest's exit code, or None if they took too long."""
    line = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", "-m", "not thorough", *tests]
    environment = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONHASHSEED": "0"}
    if timeout_s is not None:
        environment["PYTHONDONTWRITEBYTECODE"] = "1"  # only what is not mutated is compiled once and kept
    try:
        done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, timeout=timeout_s, check=False)
    except subprocess.TimeoutExpired:
        return None
    return done.returncode


def judge(job: Job, folder: Path, timeout_s: float) -> str:
    path = folder / job.module
    original, times = path.read_text(), path.stat()
    path.write_text(apply(original, job.mutant))
    try:
        code = run_tests(folder, job.tests, timeout_s)
    finally:
        path.write_text(original)
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # its compiled form is good again
    if code is None:
        return "timeout"
    if code in (TESTS_FAILED, *IMPORT_FAILED):
        return "killed"
    return "SURVIVED" if code == 0 else f"pytest {code}"


def run(jobs: Sequence[Job], harmless: Mapping[str, str], workers: int) -> list[tuple[Job, str]]:
    with tempfile.TemporaryDirectory() as scratch, ThreadPoolExecutor(workers) as pool:
        folders: Queue[Path] = Queue()
        limits: dict[str, float] = {}
        first = _copy_project(Path(scratch) / "0")
        for package, tests in {job.package: job.tests for job in jobs}.items():
            started = time.monotonic()
            if run_tests(first, sorted(tests), None) != 0:
                sys.exit(f"the tests of {package} fail without any mutant")
            limits[package] = 60 + 5 * (time.monotonic() - started)
        folders.put(first)
        for number in range(1, workers):
            folders.put(Path(shutil.copytree(first, Path(scratch) / str(number))))

        def judge_one(job: Job) -> str:
            folder = folders.get()
            try:
                outcome = judge(job, folder, limits[job.package])
            finally:
                folders.put(folder)
            return "harmless" if outcome == "SURVIVED" and job.name in harmless else outcome

        results = []
        for job, outcome in zip(jobs, pool.map(judge_one, jobs), strict=True):
            results.append((job, outcome))
            print(f"{outcome:9} {job.name}", flush=True)
    return results


def _copy_project(folder: Path) -> Path:
    folder.mkdir()
    for part in COPIED:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy2(source, folder / part)
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sample", type=int, default=0, metavar="N")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="", metavar="WORD")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--list", action="store_true", help="print the mutants and run nothing")
    options = parser.parse_args()
    settings = tomllib.loads(Path(__file__).with_name("mutants.toml").read_text())
    harmless = {item["mutant"]: item["reason"] for item in settings.get("harmless", [])}
    everything = list(list_jobs(settings["packages"]))
    gone = sorted(set(harmless) - {job.name for job in everything})
    jobs = [job for job in everything if options.only in job.module]
    jobs = draw_sample(jobs, options.sample, options.seed) if options.sample else jobs
    if options.list:
        print(*(job.name for job in jobs), sep="\n")
        return 0
    results = run(jobs, harmless, options.workers)
    counts = Counter((job.package, outcome) for job, outcome in results)
    print("", f"{'package':12}{'mutants':>9}" + "".join(f"{outcome:>10}" for outcome in OUTCOMES), sep="\n")
    for package in sorted({job.package for job in jobs}):
        row = [counts[package, outcome] for outcome in OUTCOMES]
        print(f"{package:12}{sum(job.package == package for job in jobs):9}" + "".join(f"{n:10}" for n in row))
    for name in gone:
        print(f"listed as harmless, but no longer generated: {name}")
    return 1 if gone or any(outcome not in OUTCOMES[:3] for _, outcome in results) else 0


if __name__ == "__main__":
    raise SystemExit(main())
