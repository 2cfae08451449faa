"""One pytest session that runs its tests many times, each time in a forked process and with another mutant.

    outcomes = run_session(folder, tests, mutants, report)

Importing and collecting take longer than most mutants live, so both happen once. A function of the running process gets
the code of the mutant. Where that cannot show the change (constants, defaults, what was cached), and before a mutant is
said to have survived, the tests run again in a new process with the changed file.
"""

from __future__ import annotations

import gc
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import CodeType, FunctionType
from typing import Final

import pytest
from _pytest.main import pytest_runtestloop as run_all_tests
from generate import Mutant, apply

OPTIONS: Final = ("-x", "-q", "-p", "no:cacheprovider", "-o", "addopts=", "-m", "not thorough")
_PASSED, _FAILED, _UNCHANGED = 0, 1, 3
_PAUSE_S: Final = 0.01


class MutantSession:
    """A pytest plugin: runs the collected tests once for each mutant instead of once."""

    def __init__(self, folder: Path, tests: Sequence[str], mutants: Sequence[tuple[str, Mutant]]) -> None:
        self.folder = folder
        self.tests = tests
        self.mutants = mutants
        self.cpu_s = 3600  # what the tests may take before a mutant counts as one that does not end
        self.wall_s = 3600.0
        self.report: Callable[[int, str], None] = lambda _number, _outcome: None

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        started = time.monotonic()
        if self._run_forked(session, lambda: True) != "SURVIVED":
            raise pytest.UsageError("the tests fail without any mutant")
        self.cpu_s = 30 + 5 * int(resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime)
        self.wall_s = 300 + 10 * (time.monotonic() - started)
        for number, (module, mutant) in enumerate(self.mutants):
            path = self.folder / module
            outcome = self._run_forked(session, lambda path=path, mutant=mutant: change_code(path, mutant))
            if outcome in ("unchanged", "SURVIVED"):
                outcome = self._run_anew(path, mutant)
            self.report(number, outcome)
        return True

    def _run_forked(self, session: pytest.Session, change: Callable[[], bool]) -> str:
        child = os.fork()
        if child == 0:
            os.setsid()
            self._limit_cpu()
            code = _UNCHANGED
            with suppress(BaseException):
                if change():
                    code = _FAILED
                    run_all_tests(session)
                    code = _FAILED if session.testsfailed else _PASSED
            os._exit(code)
        status = self._wait(child)
        for left in Path(os.environ["TMPDIR"]).iterdir():
            shutil.rmtree(left, ignore_errors=True)
        names = {None: "timeout", -signal.SIGXCPU: "timeout", _PASSED: "SURVIVED", _UNCHANGED: "unchanged"}
        return names.get(status, "killed")

    def _limit_cpu(self) -> None:
        limit = int(time.process_time()) + self.cpu_s
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit + 10))

    def _wait(self, child: int) -> int | None:
        end = time.monotonic() + self.wall_s
        while time.monotonic() < end:
            done, status = os.waitpid(child, os.WNOHANG)
            if done:
                return os.waitstatus_to_exitcode(status)
            time.sleep(_PAUSE_S)
        os.killpg(child, signal.SIGKILL)
        os.waitpid(child, 0)
        return None

    def _run_anew(self, path: Path, mutant: Mutant) -> str:
        original, times = path.read_text(), path.stat()
        path.write_text(apply(original, mutant))
        line = [sys.executable, "-m", "pytest", *OPTIONS, *self.tests]
        environment = {**os.environ, "PYTHONPATH": str(self.folder / "src"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(
                line,
                cwd=self.folder,
                env=environment,
                capture_output=True,
                timeout=self.wall_s,
                check=False,
                preexec_fn=self._limit_cpu,
            )
        except subprocess.TimeoutExpired:
            return "timeout"
        finally:
            path.write_text(original)
            os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))  # its compiled form is good again
        if done.returncode == -signal.SIGXCPU:
            return "timeout"
        return "killed" if done.returncode else "SURVIVED"


def change_code(path: Path, mutant: Mutant) -> bool:
    """Give the mutated function its new code in this process; False if there is no one function to change."""
    parts = mutant.function.split(".")
    names = {".".join(parts[: end + 1]) for end in range(len(parts))}
    module = compile(apply(path.read_text(), mutant), str(path), "exec", dont_inherit=True)
    codes = [code for code in _list_code(module) if code.co_qualname in names]
    functions = [
        item
        for item in gc.get_objects()
        if type(item) is FunctionType and item.__code__.co_filename == str(path) and item.__code__.co_qualname in names
    ]
    changed = False
    for function in functions:
        same = [code for code in codes if code.co_qualname == function.__code__.co_qualname]
        if len(same) == 1:
            function.__code__ = same[0]
            changed = True
    return changed


def _list_code(code: CodeType) -> Iterator[CodeType]:
    for item in code.co_consts:
        if isinstance(item, CodeType):
            yield item
            yield from _list_code(item)


def run_session(
    folder: Path, tests: Sequence[str], mutants: Sequence[tuple[str, Mutant]], report: Callable[[int, str], None]
) -> None:
    """Run the tests in `folder`, a copy of the project, against each mutant; call `report` with number and outcome."""
    os.chdir(folder)
    sys.path.insert(0, str(folder / "src"))
    output = os.open(folder / "pytest.log", os.O_WRONLY | os.O_CREAT)
    os.dup2(output, 1)
    os.dup2(output, 2)
    session = MutantSession(folder, tests, mutants)
    session.report = report
    if pytest.main([*OPTIONS, *tests], plugins=[session]) != 0:
        raise RuntimeError((folder / "pytest.log").read_text()[-4000:])
