"""The comparison of a framework's own tests with and without Halo."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from importlib import metadata
from pathlib import Path

import pytest
from rich.console import Console

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks"))

import _transparency_known as known
import _transparency_report as report
import _transparency_suites as suites
import transparency
from _transparency_suites import SUITES, Suite, Unavailable, fetch

BENCHMARKS = Path(transparency.__file__).parent
JUNIT = """<?xml version="1.0" encoding="utf-8"?>
<testsuites><testsuite name="pytest" errors="1" failures="1" skipped="1" tests="5">
<testcase classname="tests.test_a" name="test_one[x]" time="0.1" />
<testcase classname="tests.test_a" name="test_two"><failure message="no">assert</failure></testcase>
<testcase classname="tests.test_a" name="test_three"><skipped message="later" /></testcase>
<testcase classname="tests.test_a" name="test_four"><error message="teardown">gone</error></testcase>
<testcase classname="tests.test_a" name="test_five"><failure message="no">assert</failure></testcase>
<testcase classname="tests.test_a" name="test_five"><error message="teardown">gone</error></testcase>
</testsuite></testsuites>
"""
TEST = """
from langchain_core.messages import AIMessage
from langchain_core.tools import tool
from langgraph.prebuilt import ToolNode, create_react_agent
from langchain.agents import create_agent
from halo_langchain.testing import ScriptedModel, call


@tool
def add(a: int, b: int = 1) -> int:
    "Add."
    return a + b


def run(agent):
    said = agent.invoke({"messages": [("user", "1+1")]})["messages"]
    assert said[-2].content == "2"


def script():
    return ScriptedModel(script=[call("", ("add", {"a": 1}), id="m"), AIMessage("done")])


def test_an_agent():
    run(create_agent(script(), [add]))


def test_a_react_agent():
    run(create_react_agent(script(), [add]))


def test_that_fails():
    assert add.invoke({"a": 1}) == 3
"""


def test_a_junit_report_says_how_each_test_ended():
    found, said = report.parse_junit(JUNIT)
    assert found == {
        "tests.test_a::test_one[x]": "passed",
        "tests.test_a::test_two": "failed",
        "tests.test_a::test_three": "skipped",
        "tests.test_a::test_four": "error",
        "tests.test_a::test_five": "failed",
    }
    assert said["tests.test_a::test_two"] == "no"
    assert report.Run(found).counts() == {"passed": 1, "failed": 2, "error": 1, "skipped": 1}


@pytest.mark.parametrize("text", ["", "pytest crashed", "<testsuites>"])
def test_what_is_no_report_is_refused(text):
    with pytest.raises(ValueError, match="not a JUnit report"):
        report.parse_junit(text)


def test_a_test_that_ends_otherwise_or_only_on_one_side_is_a_difference(monkeypatch):
    monkeypatch.setattr(known, "BY_NATURE", ((("tools",), r"c\[\d\]", ("is not", "it asks for the object")),))
    plain = report.Run({"a": "passed", "b": "passed", "c[1]": "passed", "gone": "skipped"})
    said = {"c[1]": "assert a is not b"}
    injected = report.Run({"a": "passed", "b": "failed", "c[1]": "failed", "new": "error"}, said=said)
    found = report.compare(["tools"], plain, injected)
    assert [(item.test, item.plain, item.injected, bool(item.why)) for item in found] == [
        ("b", "passed", "failed", False),
        ("c[1]", "passed", "failed", True),
        ("gone", "skipped", "missing", False),
        ("new", "missing", "error", False),
    ]
    assert not report.compare(["tools"], plain, plain)
    assert not any(item.why for item in report.compare(["graph"], plain, injected))


@pytest.mark.parametrize(
    ("said", "is_known"),
    [
        ("AssertionError: assert Agent(name='a', tools=[]) is Agent(name='a', tools=[])", True),
        ("AssertionError: assert None == 'done' + where None = RunResult(new_items=[Item(agent=Agent(name='a'", False),
        (
            "AssertionError: assert 'twice' == 'once' + where 'twice' = RunResult(tools=[FunctionTool(name='p'",
            False,
        ),
    ],
)
def test_a_wrong_result_is_not_explained_by_an_agent_that_its_report_names(said, is_known):
    assert bool(known.known(("agents",), "tests.test_new::test_it", said)) is is_known


def test_what_an_empty_middleware_changes_as_well_is_not_ours():
    plain = report.Run({"a": "passed", "b": "passed"})
    injected = report.Run({"a": "failed", "b": "failed"})
    found = report.compare([], plain, injected, report.Run({"a": "failed", "b": "passed"}))
    assert [bool(item.why) for item in found] == [True, False]


def test_parts_are_merged_and_what_did_not_end_is_no_difference():
    parts = [
        report.Run({"tests.a::t": "passed"}, {"allow": 2}, 1.0),
        report.Run({}, {}, 9.0, "too long", {}, ("tests.b",)),
    ]
    merged = report.merge_runs(parts)
    assert (merged.outcomes, merged.effects, merged.seconds) == ({"tests.a::t": "passed"}, {"allow": 2}, 10.0)
    plain = report.Run({"tests.a::t": "passed", "tests.b::t": "passed"})
    assert not report.compare([], plain, merged)
    assert not report.Result("s", "tools", plain, merged, ()).held


def test_what_ends_as_without_halo_the_second_time_is_explained_and_the_rest_is_not():
    found = [report.Difference(name, "passed", "failed") for name in ("a", "b", "c")]
    tried = report.accept_second_tries(found, report.Run({"a": "passed", "b": "failed"}))
    assert [bool(item.why) for item in tried] == [True, False, False]
    console = Console(width=160, file=io.StringIO())
    console.print(report.reasons_table([report.Result("s", "tools", report.Run({}), report.Run({}), tried)]))
    assert "nothing explains it" in console.file.getvalue()


SUITE_FILE = "def test_ends(): pass\n"


@pytest.mark.thorough
def test_a_suite_runs_in_parts_and_one_that_does_not_end_takes_no_other_with_it(tmp_path, monkeypatch):
    (tmp_path / "tests").mkdir()
    for name in "abc":
        (tmp_path / "tests" / f"test_{name}.py").write_text(SUITE_FILE)
    start = subprocess.run

    def run(command, **options):
        if "tests/test_b.py" in command:
            raise subprocess.TimeoutExpired(command, options["timeout"])
        return start(command, **options)

    monkeypatch.setattr(subprocess, "run", run)
    monkeypatch.setattr(suites, "_PART", 1)
    suite = Suite("pytest", uses=".", without="none")
    found = suites.run(suite, tmp_path, Path(sys.executable), None)
    assert found.outcomes == {"tests.test_a::test_ends": "passed", "tests.test_c::test_ends": "passed"}
    assert found.unfinished == ("tests.test_b",)
    assert "did not end" in found.problem
    again = suites.run(suite, tmp_path, Path(sys.executable), None, ["tests.test_c::test_ends"])
    assert list(again.outcomes) == ["tests.test_c::test_ends"]


@pytest.mark.parametrize(
    ("whys", "problem", "held"), [((), "", True), (("it must",), "", True), (("",), "", False), ((), "crashed", False)]
)
def test_only_what_must_differ_may(whys, problem, held):
    differences = tuple(report.Difference("a", "passed", "failed", why) for why in whys)
    result = report.Result(
        "langgraph-swarm 0.1.0",
        "tools",
        report.Run({"a": "passed"}, seconds=2.0),
        report.Run({"a": "failed"}, {"allow": 3, "deny": 1}, 3.0, problem),
        differences,
    )
    assert result.held is held
    (plain,) = report.to_plain([result])
    assert (plain["held"], plain["decisions"], plain["problem"]) == (held, {"allow": 3, "deny": 1}, problem)
    console = Console(width=160, file=io.StringIO())
    console.print(report.table([result]))
    shown = console.file.getvalue()
    assert "langgraph-swarm 0.1.0" in shown
    assert " 4 " in shown
    assert problem in shown


def test_an_archive_gives_its_tests_and_not_its_code(tmp_path):
    suite = Suite("pytest")
    stem = f"pytest-{metadata.version('pytest')}"
    source = tmp_path / "source" / stem
    for name in ("tests/test_a.py", "pytest/__init__.py", "pyproject.toml"):
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text("")
    with tarfile.open(tmp_path / f"{stem}.tar.gz", "w:gz") as archive:
        archive.add(source, stem)
    root = fetch(suite, tmp_path)
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*.*")) == ["pyproject.toml", "tests/test_a.py"]


def test_a_suite_of_something_that_is_not_installed_cannot_be_had():
    with pytest.raises(Unavailable, match="is not installed"):
        _ = Suite("no-such-distribution-here").version
    assert all(suite.version for suite in SUITES)


@pytest.mark.thorough
def test_tests_run_with_halo_put_in_and_their_decisions_are_counted(tmp_path):
    (tmp_path / "test_upstream.py").write_text(TEST)
    (tmp_path / "out").mkdir()
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "transparency_plugin"]
    env = {
        "PATH": "",
        "PYTHONPATH": str(BENCHMARKS),
        "HALO_TRANSPARENCY": "tools,middleware",
        "HALO_TRANSPARENCY_OUT": str(tmp_path / "out"),
    }
    command += [f"--junitxml={tmp_path / 'report.xml'}", "--rootdir", str(tmp_path), "test_upstream.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stdout + done.stderr
    found, _ = report.parse_junit((tmp_path / "report.xml").read_text())
    assert sorted(found.values()) == ["failed", "passed", "passed"]
    # Two tool calls, and the two model calls of the agent that takes a middleware.
    assert json.loads((tmp_path / "out" / "main.json").read_text()) == {"allow": 4}


OPENAI_AGENTS = """
import pytest
from agents import Agent, Runner, function_tool
from halo_openai_agents.testing import ScriptedModel, call


@function_tool
def add(a: int, b: int = 1) -> int:
    "Add."
    return a + b


def team():
    worker = Agent(name="worker", model=ScriptedModel([call("", ("add", {"a": 1}), id="m"), "done"]), tools=[add])
    model = ScriptedModel([call("", ("transfer_to_worker", {}), id="h")])
    return worker, Agent(name="desk", model=model, handoffs=[worker])


@pytest.mark.asyncio
async def test_a_team():
    worker, desk = team()
    result = await Runner.run(desk, "1+1")
    assert result.last_agent == worker
    assert "2" in [str(getattr(item, "output", "")) for item in result.new_items]


@pytest.mark.asyncio
async def test_the_very_object():
    worker, desk = team()
    result = await Runner.run(desk, "1+1")
    assert result.last_agent is worker
"""


@pytest.mark.thorough
def test_the_agents_sdk_runs_with_halo_put_in(tmp_path):
    (tmp_path / "test_upstream.py").write_text(OPENAI_AGENTS)
    (tmp_path / "out").mkdir()
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "transparency_plugin_openai_agents",
    ]
    env = {
        "PATH": "",
        "PYTHONPATH": str(BENCHMARKS),
        "HALO_TRANSPARENCY": "agents",
        "HALO_TRANSPARENCY_OUT": str(tmp_path / "out"),
        "OPENAI_AGENTS_DISABLE_TRACING": "1",
    }
    command += [f"--junitxml={tmp_path / 'report.xml'}", "--rootdir", str(tmp_path), "test_upstream.py"]
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, check=False)
    found, _ = report.parse_junit((tmp_path / "report.xml").read_text())
    ended = {name.partition("::")[2]: how for name, how in found.items()}
    # What runs is a guarded copy: equal to what the test made, and another object.
    assert ended == {"test_a_team": "passed", "test_the_very_object": "failed"}, done.stdout + done.stderr
    # Of each team the entry of the first agent, one hand-off, one tool call and three model calls.
    assert json.loads((tmp_path / "out" / "main.json").read_text()) == {"allow": 12}


def test_files_that_run_nothing_are_left_out(tmp_path):
    suite = Suite("openai-agents", uses=r"Runner\.run", without="computer")
    (tmp_path / "tests").mkdir()
    for name, text in (("run", "Runner.run(x)"), ("none", "pass"), ("computer", "Runner.run(x)")):
        (tmp_path / "tests" / f"test_{name}.py").write_text(text)
    assert suite.files(tmp_path) == ["tests/test_run.py"]
