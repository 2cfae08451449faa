"""Where tests keep their files, and the examples of README.md and docs/*.md as tests.

Temporary folders of tests are on a memory file system, where there is one: opening a store syncs sixteen times. A test
marked `disk` (crashes, races, tampering, faults of the disk) gets its folder on a real disk in `make test-thorough`;
those marked `disk(by_default=True)`, which kill processes or let them race, always. Both are removed at the end; with
`--basetemp` the folders of all tests are where it says, and stay.

The examples of a document run in order, in a folder of its own, on one worker:

    ```python   first line `# name.py`: the file is written; otherwise the block is executed
    ```cedar    first line `// path`: the file is written
    ```toml     first line `# path`: the file is written; ```yaml likewise, if it names one
    ```console  each `$ command` is run; what follows is what it prints, `...` standing for anything

Commands run as forks of a process that has imported what they need (tests/preloaded_python.py); in `make test-thorough`
they start from nothing.

Times, ids, hashes, counts of checks and the spacing of columns differ from run to run, and are not compared. A block
marked `sh` is for a machine that has nothing yet (git, make, pip) and is not run.
"""

from __future__ import annotations

import gc
import itertools
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from _pytest.nodeid import NodeId
from hypothesis.strategies import text
from sybil import Example, Sybil
from sybil.evaluators.python import PythonEvaluator
from sybil.parsers.markdown import CodeBlockParser

ROOT: Final = Path(__file__).parent
sys.path.insert(0, str(ROOT / "tests"))

from counts import is_thorough  # noqa: E402  it is among the tests
from preloaded_python import find_python, share_servers  # noqa: E402  likewise

_MEMORY: Final = "/dev/shm"  # noqa: S108  a folder of its own is made there
_MEMORY_TYPES: Final = ("tmpfs ", "ramfs ")
_DISKS: Final = ("/var/tmp", str(ROOT))  # noqa: S108  likewise
_DISK: Final = "TESTS_DISK"
"""Environment variable that names the folder on a disk, for workers."""
_SHELL: Final = ("COLUMNS", "LINES", "NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "PAGER", "HALO_HOME")
"""What a shell, or readline in a worker, may set that changes what is printed, and where."""
_PREFIX: Final = "halo-tests"
_NAMED: Final = re.compile(r"(?:#|//) (?P<path>[\w./-]+\.(?:py|cedar|toml|yaml))\n")
_TIMEOUT_S: Final = 120
_MOVING: Final = (
    (re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z"), "TIME"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(r"\b[0-9a-f]{12,64}\b"), "HEX"),
    (re.compile(r"\b\d+ right"), "N right"),
    (re.compile(r"[ \t]+"), " "),
)
_ADAPTERS: Final = ("halo_langchain", "halo_llamaindex", "halo_openai_agents")
_SPREAD: Final = 3
_SHARES: Final = {
    "tests/adapters": 3,
    "tests/apps": 3,
    "tests/langchain": 3,
    "tests/llamaindex": 3,
    "tests/openai_agents": 3,
}
"""By default one case in so many of each test of a folder, unless the test says otherwise with the mark `share`."""
_FOLDER: Final = "_folder"
_DONE: Final = "_done"
_NUMBERS: Final = itertools.count()


def pytest_configure(config: pytest.Config) -> None:
    """Make the folders, where this process is the first; workers and what tests start find them by the environment."""
    config.add_cleanup(share_servers())
    for name in _SHELL:
        os.environ.pop(name, None)
    # Read when scikit-learn is imported. Threads of OpenMP that wait for each other keep every core busy.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if hasattr(config, "workerinput") or config.option.basetemp:
        return
    before, was = os.environ.get("TMPDIR"), tempfile.gettempdir()
    fast = _MEMORY if os.access(_MEMORY, os.W_OK) else was
    slow = next((path for path in (was, *_DISKS) if not _in_memory(path)), was)
    made = os.environ["TMPDIR"], os.environ[_DISK] = _make(fast), _make(slow)
    tempfile.tempdir = None

    def restore() -> None:
        for folder in made:
            shutil.rmtree(folder, ignore_errors=True)
        for name, value in (("TMPDIR", before), (_DISK, None)):
            os.environ.pop(name)
            os.environ.update({name: value} if value is not None else {})
        tempfile.tempdir = None

    config.add_cleanup(restore)


def _make(parent: str) -> str:
    """A new folder named after this process; what processes that were killed left behind is removed."""
    for left in Path(parent).glob(f"{_PREFIX}-*-*"):
        with suppress(ValueError, OSError):
            if left.stat().st_uid == os.getuid() and not _runs(int(left.name.split("-")[2])):
                shutil.rmtree(left, ignore_errors=True)
    return tempfile.mkdtemp(prefix=f"{_PREFIX}-{os.getpid()}-", dir=parent)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _in_memory(path: str) -> bool:
    """Whether a folder is on a memory file system, as far as the kernel says."""
    try:
        number = Path(path).stat().st_dev
        mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return False
    device = f"{os.major(number)}:{os.minor(number)}"
    return any(line.split()[2] == device and line.partition(" - ")[2].startswith(_MEMORY_TYPES) for line in mounts)


@pytest.fixture(autouse=True)
def _disk_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path | None]:
    """Files of a test marked `disk`, and of the processes that it starts, are on a disk."""
    marked = request.node.get_closest_marker("disk")
    if marked is None or _DISK not in os.environ or not (is_thorough() or marked.kwargs.get("by_default")):
        yield None
        return
    tmp_path_factory.getbasetemp()  # made on first use, and it must not be inside this test's folder
    folder = Path(tempfile.mkdtemp(dir=os.environ[_DISK]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)
        yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def tmp_path(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, _disk_folder: Path | None
) -> Path:
    """As pytest's own, but on a disk for a test marked `disk`, and made without a look at those of all other tests."""
    name = re.sub(r"\W", "_", request.node.name)[:30]
    folder = (_disk_folder or tmp_path_factory.getbasetemp()) / f"{name}{next(_NUMBERS)}"
    folder.mkdir(mode=0o700)
    return folder


class _Collection(list[str]):
    """Ids of collected tests; pytest-xdist looks up the place of each."""

    def __init__(self, ids: Iterable[str]) -> None:
        super().__init__(ids)
        self._places = {name: place for place, name in enumerate(self)}

    def index(self, value: str, *_: Any) -> int:
        return self._places[value]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Pytest-xdist's own, but without what has been run: it counts all of it again for each test."""
    from xdist.scheduler import LoadGroupScheduling  # noqa: PLC0415  it may be switched off

    class Scheduling(LoadGroupScheduling):
        def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
            super().add_node_collection(node, collection)
            if node in self.registered_collections:
                self.registered_collections[node] = _Collection(collection)

        def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
            scope = self._split_scope(self.registered_collections[node][item_index])
            super().mark_test_complete(node, item_index, duration)
            if all(self.assigned_work[node][scope].values()):
                del self.assigned_work[node][scope]

    return Scheduling(config, log)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Collect tests without garbage collection, which would go through all of them again and again, now and later."""
    gc.disable()
    try:
        if session.config.option.collectonly:
            # Makes the tables of characters that hypothesis keeps in a file: once, not in each worker of the next run.
            text().validate()
        return (yield)
    finally:
        gc.freeze()
        # Hypothesis is told of each collection, which by default is one for every 700 objects.
        gc.set_threshold(20_000, 20, 20)
        gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)  # before pytest deselects by marker, and before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Thin the matrices; keep on one worker the examples of a document, and tests that share a module's fixture.

    Modules that share something larger name a group themselves.
    """
    _thin(items)
    _spread(items)
    _share(items)
    for item in items:
        if item.get_closest_marker("xdist_group") is None and (
            item.path.suffix == ".md" or _shares_a_module_fixture(item)
        ):
            item.add_marker(pytest.mark.xdist_group(item.path.relative_to(ROOT).as_posix()))
    yield
    for item in items:
        # pytest-xdist 3.8 adds the group to `_nodeid`, which pytest 9.2 does not read any more.
        if name := vars(item).get("_nodeid"):
            item._id = NodeId.parse(name)  # noqa: SLF001  nothing public takes the name of a group


def _thin(items: list[pytest.Item]) -> None:
    """Mark `thorough` what a matrix does not need to have each value of each parameter in some case.

    A matrix is a test that says so, and every other whose cases are combined from several lists: of that one, what
    stands together in a list is one value.
    """
    matrices: defaultdict[str, list[tuple[pytest.Item, frozenset[Any]]]] = defaultdict(list)
    for item in items:
        if not hasattr(item, "callspec") or item.get_closest_marker("thorough") or item.get_closest_marker("every"):
            continue
        if values := _values_of(item):
            matrices[item.nodeid.partition("[")[0]].append((item, values))
    for cases in matrices.values():
        left = frozenset[Any]().union(*(values for _, values in cases))
        used: Counter[Any] = Counter()
        dropped = dict(cases)
        while left:
            # The one with most that is missing, otherwise of what has been used least.
            item, values = max(dropped.items(), key=lambda case: (len(case[1] & left), -sum(used[v] for v in case[1])))
            del dropped[item]
            left -= values
            used.update(values)
        for item in dropped:
            item.add_marker(pytest.mark.thorough)


def _values_of(item: pytest.Item) -> frozenset[Any]:
    """The values of this case of a matrix, in each parameter or list of parameters; empty if it is of none."""
    parameters = getattr(getattr(item, "callspec", None), "params", {})
    if item.get_closest_marker("matrix") is not None:
        lists = [(name,) for name in parameters]
    else:
        named = [mark.args[0] for mark in item.iter_markers("parametrize")]
        lists = [tuple(map(str.strip, n.split(","))) if isinstance(n, str) else tuple(n) for n in named]
        lists += [(name,) for name in parameters if not any(name in names for names in lists)]
        if len(lists) < 2:
            return frozenset()
    return frozenset((names, tuple(_same(parameters.get(name)) for name in names)) for names in lists)


def _same(value: Any) -> str | int:
    """What is equal for the same value of a parameter."""
    return value if isinstance(value, str) else id(value)


def _spread(items: list[pytest.Item]) -> None:
    """Mark `thorough` all but three cases of a test marked `spread`; the next one of its file has the next three."""
    tests: defaultdict[Path, dict[str, list[pytest.Item]]] = defaultdict(dict)
    for item in items:
        if hasattr(item, "callspec") and item.get_closest_marker("spread") is not None:
            tests[item.path].setdefault(item.nodeid.partition("[")[0], []).append(item)
    for of_file in tests.values():
        for number, cases in enumerate(of_file.values()):
            kept = {(_SPREAD * number + i) % len(cases) for i in range(_SPREAD)}
            for position, item in enumerate(cases):
                if position not in kept:
                    item.add_marker(pytest.mark.thorough)


def _share(items: list[pytest.Item]) -> None:
    """Mark `thorough` all but one case in so many; the next test of the file begins with the next case."""
    tests: defaultdict[Path, dict[str, list[pytest.Item]]] = defaultdict(dict)
    for item in items:
        if hasattr(item, "callspec") and not item.get_closest_marker("thorough") and _share_of(item) > 1:
            tests[item.path].setdefault(item.nodeid.partition("[")[0], []).append(item)
    for of_file in tests.values():
        several = (cases for cases in of_file.values() if len(cases) > 1)
        for number, cases in enumerate(several):
            share = min(_share_of(cases[0]), len(cases))
            for position, item in enumerate(cases):
                # From block to block another place: what recurs in the same order would otherwise be kept alike.
                if (position + position // share) % share != number % share:
                    item.add_marker(pytest.mark.thorough)


def _share_of(item: pytest.Item) -> int:
    """Of how many cases of this test one runs by default."""
    if item.get_closest_marker("every") is not None:
        return 1
    if (mark := item.get_closest_marker("share")) is not None:
        return int(mark.args[0])
    return _share_in(item.path)


@cache
def _share_in(path: Path) -> int:
    return _SHARES.get("/".join(path.relative_to(ROOT).parts[:2]), 1)


def _shares_a_module_fixture(item: pytest.Item) -> bool:
    """Whether it uses what its module makes once: on another worker that would be made again."""
    defined = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return any(fixture.scope == "module" and fixture.baseid for found in defined.values() for fixture in found)


def _open(namespace: dict[str, Any]) -> None:
    namespace[_FOLDER] = (Path(tempfile.mkdtemp(prefix="halo-docs-")), Path.cwd())
    namespace[_DONE] = set()
    folder = namespace[_FOLDER][0] / "work"
    folder.mkdir()
    os.chdir(folder)


def _close(namespace: dict[str, Any]) -> None:
    folder, before = namespace[_FOLDER]
    os.chdir(before)
    shutil.rmtree(folder, ignore_errors=True)
    namespace.clear()


def _make_commands(folder: Path, document: str) -> None:
    """`halo` and `python` as a reader's shell would find them, whether or not the package is installed."""
    python = find_python(next((name for name in _ADAPTERS if f"from {name} import" in document), ""))
    halo = 'import sys; sys.argv[0] = "halo"; from halo_core.cli import main; main()'
    for name, arguments in (("python", []), ("halo", ["-c", halo])):
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {shlex.join([*python, *arguments])} "$@"\n', encoding="utf-8")
        path.chmod(0o755)


def _in_order(evaluate: Callable[[Example], None]) -> Callable[[Example], None]:
    """Run what stands before an example first: a test runner may pick any, or share them out among processes."""

    def run(example: Example) -> None:
        done = example.namespace[_DONE]
        for earlier in example.document.examples():
            if earlier.start < example.start and earlier.start not in done:
                earlier.evaluate()
        if example.start not in done:
            done.add(example.start)
            evaluate(example)

    return run


def _write(example: Example) -> bool:
    named = _NAMED.match(example.parsed)
    if named is None:
        return False
    path = Path(named["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(example.parsed, encoding="utf-8")
    return True


def _python(example: Example) -> None:
    if not _write(example):
        PythonEvaluator()(example)


def _file(example: Example) -> None:
    if not _write(example):
        raise AssertionError("the first line must be a comment that names the file")


def _console(example: Example) -> None:
    if not (example.namespace[_FOLDER][0] / "halo").exists():
        _make_commands(example.namespace[_FOLDER][0], example.document.text)
    for command, expected in _transcript(example.parsed):
        printed = _shell(command, example.namespace[_FOLDER][0])
        if not _alike(expected, printed):
            raise AssertionError(f"$ {command}\n--- the document says\n{expected}\n--- it prints\n{printed}")


def _transcript(text: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        end = next((i for i, line in enumerate(lines) if not line.endswith("\\")), len(lines) - 1)
        yield "\n".join(lines[: end + 1]), "\n".join(lines[end + 1 :])


def _shell(command: str, folder: Path) -> str:
    path = os.pathsep.join((str(folder), os.environ.get("PATH", os.defpath)))
    found = os.pathsep.join(filter(None, (str(ROOT / "src"), os.environ.get("PYTHONPATH", ""))))
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("HALO_", "COV_"))},
        "PATH": path,
        "PYTHONPATH": found,
        "PYTHONUNBUFFERED": "1",
    }
    done = subprocess.run(  # noqa: S603  the commands are those of our own documents
        ["/bin/sh", "-c", f"exec 2>&1\n{command}"],
        env=environ,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT_S,
        check=False,
    )
    return done.stdout


def _alike(expected: str, printed: str) -> bool:
    pattern = re.escape(_still(expected)).replace(re.escape("..."), ".*")
    return re.fullmatch(pattern, _still(printed), re.DOTALL) is not None


def _still(text: str) -> str:
    for moving, word in _MOVING:
        text = moving.sub(word, text)
    return "\n".join(line.strip() for line in text.strip().splitlines())


pytest_collect_file = Sybil(
    parsers=[
        CodeBlockParser("python", _in_order(_python)),
        CodeBlockParser("console", _in_order(_console)),
        CodeBlockParser("cedar", _in_order(_file)),
        CodeBlockParser("toml", _in_order(_file)),
        CodeBlockParser("yaml", _in_order(lambda example: _write(example) and None)),
    ],
    patterns=["README.md", "docs/*.md"],
    setup=_open,
    teardown=_close,
).pytest()
