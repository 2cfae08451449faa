"""`tests/mutation/mutants.toml` against the code: what it names is there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
LIST_OUTDATED = """
import json, tomllib
from pathlib import Path
from run import list_jobs, list_outdated
settings = tomllib.loads(Path("mutants.toml").read_text())
jobs = list(list_jobs(settings["packages"]))
names = [item["mutant"] for item in settings["harmless"]]
print(json.dumps([len({job.package for job in jobs}) == len(settings["packages"]), list_outdated(names, jobs)]))
"""


def test_each_package_has_mutants_and_each_harmless_one_is_still_generated():
    folder = ROOT / "tests" / "mutation"
    done = subprocess.run(
        [sys.executable, "-c", LIST_OUTDATED], cwd=folder, capture_output=True, text=True, check=False, timeout=120
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(done.stdout) == [True, []]
