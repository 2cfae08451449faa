"""Takes each security check of `mutants.toml` out, one at a time, and expects the named test to fail.

    python tests/mutants.py [WORD ...]      only mutants whose name or file holds one of the words

Exit 1 if a mutant survived, or its patch no longer applies: then a check is not tested, or the list is out of date.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[1]
PARTS = ("src", "tests", "pyproject.toml", "README.md")
TIMEOUT_S = 180
FAILED = 1  # pytest: tests ran and some failed; 2 and above say that they could not be run


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str
    find: str
    replace: str
    kills: str


def load() -> list[Mutant]:
    tables = tomllib.loads(ROOT.joinpath("tests/mutants.toml").read_text())["mutant"]
    wanted = sys.argv[1:]
    found = [Mutant(**table) for table in tables]
    return [m for m in found if not wanted or any(word in m.name or word in m.file for word in wanted)]


def copy(folder: Path) -> Path:
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    return folder


def test(folder: Path, kills: str) -> int | None:
    """pytest's exit code in a copy of the project, None when it took too long."""
    line = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *shlex.split(kills)]
    env = {**os.environ, "PYTHONPATH": str(folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(line, cwd=folder, env=env, capture_output=True, timeout=TIMEOUT_S, check=False).returncode
    except subprocess.TimeoutExpired:
        return None


def judge(mutant: Mutant, folder: Path) -> str:
    path = folder / "src/halo_core" / mutant.file
    text = path.read_text()
    if text.count(mutant.find) != 1:
        return f"patch does not apply ({text.count(mutant.find)} places)"
    path.write_text(text.replace(mutant.find, mutant.replace))
    try:
        code = test(folder, mutant.kills)
    finally:
        path.write_text(text)
    if code in (FAILED, None):
        return "killed"
    return "SURVIVED" if code == 0 else f"its test cannot be run (pytest {code})"


def main() -> int:
    mutants = load()
    with tempfile.TemporaryDirectory() as scratch:
        folders: Queue[Path] = Queue()
        for number in range(2):
            folder = Path(scratch) / str(number)
            folder.mkdir()
            folders.put(copy(folder))

        def one(mutant: Mutant) -> str:
            folder = folders.get()
            try:
                return judge(mutant, folder)
            finally:
                folders.put(folder)

        with ThreadPoolExecutor(2) as pool:
            verdicts = []
            for mutant, verdict in zip(mutants, pool.map(one, mutants), strict=True):
                verdicts.append(verdict)
                print(f"{verdict:10} {mutant.name}  ({mutant.file})", flush=True)  # noqa: T201  a script
    killed = verdicts.count("killed")
    print(f"{killed} / {len(mutants)} killed")  # noqa: T201  a script
    return 0 if mutants and killed == len(mutants) else 1


if __name__ == "__main__":
    raise SystemExit(main())
