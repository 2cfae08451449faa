"""Fetch the frameworks' own test suites, install what they need, and run them unchanged."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from _transparency_report import Run, merge_runs, parse_junit

__all__ = ["SUITES", "Suite", "Unavailable", "fetch", "interpreter", "run"]

_REPOSITORY: Final = Path(__file__).resolve().parents[1]
_HERE: Final = Path(__file__).resolve().parent
_TEST_TOOLS: Final = (
    "blockbuster",
    "fastmcp",
    "langchain-openai",
    "langchain-tests",
    "langgraph-checkpoint-postgres",
    "langgraph-checkpoint-sqlite",
    "psycopg[binary]",
    "pytest",
    "pytest-asyncio",
    "pytest-benchmark",
    "pytest-mock",
    "pytest-socket",
    "syrupy",
    "toml",
    "vcrpy",
)
_OPENAI_TOOLS: Final = (
    "aiosqlite",
    "cryptography",
    "fakeredis",
    "fastapi",
    "graphviz",
    "httpx",
    "inline-snapshot",
    "mcp",
    "openai==3.29.0",  # what the SDK's lock file says: its tests compare with what this one gives
    "pytest==9.0.3",
    "pytest-asyncio",
    "pytest-mock",
    "pytest-timeout",
    "pytest-xdist",
    "websockets",
)
_ENVIRONMENT: Final = "venv"
_PINNED: Final = ("langchain", "langchain-core", "langgraph", "langgraph-checkpoint")
_MAX_S: Final = 900  # for each part of a suite
_PART: Final = 12  # files
_RAN: Final = (0, 1)  # pytest's exit codes of a run that ran: all passed, some failed


class Unavailable(Exception):
    """A suite, or what it needs, cannot be had."""


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests of one distribution, as its source archive carries them.

    Args:
        distribution: on the package index.
        tests: folder or file below the archive's root.
        uses: pattern of what a file must say to be run; empty for every file.
        without: pattern of paths that are left out.
        plugin: what puts Halo in.
        environment: name of the environment that its tests run in.
        arguments: more of pytest's.
    """

    distribution: str
    tests: str = "tests"
    uses: str = ""
    without: str = ""
    plugin: str = "transparency_plugin"
    environment: str = _ENVIRONMENT
    arguments: tuple[str, ...] = ()

    @property
    def version(self) -> str:
        """As installed here, so that the tests fit the code.

        Raises:
            Unavailable: it is not installed.
        """
        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError as exc:
            raise Unavailable(f"{self.distribution} is not installed: run `make setup`") from exc

    def files(self, root: Path) -> list[str]:
        """What pytest is given, of an unpacked archive."""
        if not self.uses:
            return [self.tests]
        found = sorted(path for path in (root / self.tests).rglob("test_*.py") if path.is_file())
        names = [path.relative_to(root).as_posix() for path in found if re.search(self.uses, path.read_text("utf-8"))]
        return [name for name in names if not re.search(self.without, name)]


_RUNS: Final = r"Runner\.run|Runner\(\)|\.on_invoke_tool\(|default_agent_runner"
# Other ways to run than the runner; tools that are refused by name; providers; what does not pass or load by itself;
# two runs at once of which each waits until a hook has been handed the very agent that the test made.
_NOT_RUN: Final = (
    r"tests/(sandbox|realtime|voice|extensions|docs|fastapi|models)/|computer|shell|native_tool|programmatic|sandbox"
    r"|error_logging_redaction|start_hook_tool_concurrency|test_run_config|examples|example_workflows|sqlalchemy"
    r"|function_schema|test_trace_proc"
)

SUITES: Final = (
    Suite("langgraph-prebuilt"),
    Suite("langgraph-swarm"),
    Suite("langgraph-supervisor"),
    Suite("langchain", "tests/unit_tests/agents"),
    Suite(
        "openai-agents",
        uses=_RUNS,
        without=_NOT_RUN,
        plugin="transparency_plugin_openai_agents",
        environment="venv-openai-agents",
        arguments=("-n", "auto", "--timeout=60", "--tb=native"),  # other tracebacks parse code: it fails on deep stacks
    ),
)


def fetch(suite: Suite, cache: Path) -> Path:
    """Root of the unpacked archive: its tests and their settings, not its code (that is what is installed).

    Raises:
        Unavailable: no archive of this version.
    """
    stem = f"{suite.distribution.replace('-', '_')}-{suite.version}"
    root = cache / stem
    if (root / suite.tests).exists():
        return root
    kept = cache / f"{stem}.tar.gz"
    if not kept.exists():
        name = suite.distribution
        _pip(
            sys.executable,
            "download",
            "--no-deps",
            "--no-binary",
            name,
            "--dest",
            str(cache),
            f"{name}=={suite.version}",
        )
    with tarfile.open(kept) as archive:
        members = [m for m in archive.getmembers() if m.name.split("/")[1:2] in (["tests"], ["pyproject.toml"])]
        archive.extractall(cache, members, filter="data")
    return root


def interpreter(suite: Suite, cache: Path) -> Path:
    """Python of a virtual environment with this repository, pinned distributions and the suite's test tools.

    Raises:
        Unavailable: it cannot be made.
    """
    folder = cache / suite.environment
    python = folder / "bin" / "python"
    langchain = suite.environment == _ENVIRONMENT
    beside = (s.distribution for s in SUITES if s.environment == suite.environment)
    pins = [f"{name}=={metadata.version(name)}" for name in (*(_PINNED if langchain else ()), *beside)]
    tools = _TEST_TOOLS if langchain else _OPENAI_TOOLS
    wanted = ["--editable", str(_REPOSITORY), *sorted(set(pins)), *tools]
    stamp = folder / "halo-wanted"
    mark = hashlib.sha256("\n".join(wanted).encode()).hexdigest()
    if stamp.exists() and stamp.read_text("utf-8") == mark:
        return python
    if not python.exists():
        _call([sys.executable, "-m", "venv", str(folder)])
    _pip(str(python), "install", *wanted)
    stamp.write_text(mark, "utf-8")
    return python


def run(
    suite: Suite, root: Path, python: Path, switches: tuple[str, ...] | None, tests: Sequence[str] | None = None
) -> Run:
    """Run a suite in parts; with Halo put in at these places, or plain for None.

    Args:
        suite: which.
        root: of its archive.
        python: that runs it.
        switches: where Halo is put in.
        tests: only the files of these tests, as a report names them; None for all.
    """
    files = suite.files(root)
    if tests is not None:
        found = (path.relative_to(root).as_posix() for name in files for path in _list_modules(root / name))
        files = [name for name in found if any(test.startswith(_to_module(name)) for test in tests)]
    return merge_runs(
        [
            _run_part(suite, root, python, switches, files[place : place + _PART])
            for place in range(0, len(files), _PART)
        ]
    )


def _list_modules(path: Path) -> list[Path]:
    return [path] if path.is_file() else sorted(path.rglob("test_*.py"))


def _to_module(file: str) -> str:
    """How a report begins the names of a file's tests."""
    return file.removesuffix(".py").replace("/", ".")


def _run_part(suite: Suite, root: Path, python: Path, switches: tuple[str, ...] | None, files: list[str]) -> Run:
    with tempfile.TemporaryDirectory(prefix="halo-transparency-") as name:
        out = Path(name)
        report = out / "report.xml"
        command = [str(python.parent / "pytest"), "-q", "--override-ini=addopts=", f"--junitxml={report}"]
        command += ["-p", "no:cacheprovider", *([] if switches is None else ["-p", suite.plugin])]
        command += [*suite.arguments, *files]
        started = time.perf_counter()
        modules = tuple(map(_to_module, files))
        try:
            done = subprocess.run(  # noqa: S603  our own interpreter, arguments of ours
                command,
                cwd=root,
                env=_environment(out, switches),
                capture_output=True,
                text=True,
                timeout=_MAX_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            problem = f"{files[0]} and {len(files) - 1} more did not end within {_MAX_S} s"
            return Run({}, seconds=float(_MAX_S), problem=problem, unfinished=modules)
        seconds = time.perf_counter() - started
        if done.returncode not in _RAN or not report.exists():
            return Run({}, seconds=seconds, problem=_last_words(done), unfinished=modules)
        effects: Counter[str] = Counter()
        for path in out.glob("*.json"):
            effects.update(json.loads(path.read_text("utf-8")))
        outcomes, said = parse_junit(report.read_text("utf-8"))
        return Run(outcomes, dict(effects), seconds, said=said)


def _environment(out: Path, switches: tuple[str, ...] | None) -> dict[str, str]:
    env = {**os.environ, "LANGSMITH_TRACING": "false", "LANGCHAIN_TRACING_V2": "false"}
    env.pop("PYTHONDONTWRITEBYTECODE", None)  # each part would compile every module
    if switches is not None:
        paths = [str(_HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
        more = {"HALO_TRANSPARENCY": ",".join(switches), "HALO_TRANSPARENCY_OUT": str(out)}
        env |= {**more, "PYTHONPATH": os.pathsep.join(paths)}
    return env


def _last_words(done: subprocess.CompletedProcess[str]) -> str:
    lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
    said = next((line for line in reversed(lines) if "rror" in line), lines[-1] if lines else "")
    return f"pytest ended with {done.returncode}: {said.strip()[:160]}"


def _pip(python: str, *arguments: str) -> None:
    _call([python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments])


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  as above
    if done.returncode:
        words = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise Unavailable(f"`{' '.join(command[:6])} ...` failed: {words[-1] if words else done.returncode}")
