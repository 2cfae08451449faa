"""The `halo` command: its verbs, each in a module that is imported when the verb is called.

A new verb is a function of a module here and a line of `VERBS`. The line repeats the first sentence of the verb's help,
so that `halo --help` imports none of them.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast

import typer
from typer import Option
from typer.core import TyperCommand, TyperGroup

from halo_core.cli.output import find_problem, keep_going
from halo_core.cli.rendering import Exit, fail
from halo_core.errors import BadInput, CannotDecide, ConfigError, Denied, Gap, HaloError, NotVerified, make_read_error

# The parser's own error classes, which typer re-exports only by their children.
_USAGE: Final = cast("type[Any]", typer.BadParameter.__mro__[1])
_PARSER: Final = cast("type[Any]", typer.BadParameter.__mro__[2])
_EXIT_CODES: Final = (
    (Gap, Exit.GAP),
    (NotVerified, Exit.TAMPERED),
    (Denied, Exit.DENIED),
    (CannotDecide, Exit.CANNOT_TELL),
    (BadInput, Exit.USAGE),
)
"""Class of error → exit code; the first class that fits counts."""


_STORE_OPTIONS: Final = ("--home", "--db", "--tenant")


class Verb(NamedTuple):
    """Where a verb or a group of verbs is, as `module.name`, and what it does."""

    path: str
    summary: str


VERBS: Final = {
    "demo": Verb(
        "demo.run_demo",
        "Run a governed loan desk agent, and show what it attempted, what was decided, and how to verify it.",
    ),
    "doctor": Verb(
        "doctor.doctor",
        "Show which actions of an app are decided before they run. Imports the module, so its top-level code runs.",
    ),
    "drill": Verb(
        "drill.drill",
        "Plant attacks into your own agent, with the bodies of its tools and models replaced, and run honest work too.",
    ),
    "ready": Verb("health.ready", "Say whether decisions can be made now, for a readiness probe; nothing is written."),
    "verify": Verb("ledger.verify", "Verify the ledger: hashes, chains, tree, checkpoints, anchor, content."),
    "show": Verb("show.show", "Show one entry in full: who did what, why it was decided so, and the outcome."),
    "explain": Verb(
        "disclosure.explain",
        "Explain every decision that named a customer, an account or a person: why, from what, and how it ended.",
    ),
    "disclose": Verb(
        "disclosure.disclose",
        "Write one session into a file for a reader without your keys: entries, proofs, and keys of its content alone.",
    ),
    "log": Verb("log.log", "List decisions, and actions that ran without a decision, in log order."),
    "budget": Verb("sessions.budget", "Show what a session has spent and may still spend, for each hand-off."),
    "authority": Verb(
        "sessions.authority", "Draw a session's authority over time, its floors, and when which actions stop."
    ),
    "who-touched": Verb(
        "evidence.who_touched",
        "List every agent that reached data with a label, for whom, with what effect, and whether it ran.",
    ),
    "reach": Verb(
        "evidence.reach",
        "List what an agent, or a person through agents, reached: systems, tools, labels, beside what was granted.",
    ),
    "sample": Verb(
        "evidence.sample",
        "Count the decisions of a period, and draw some at random so that anybody can draw them again.",
    ),
    "denials": Verb("evidence.denials", "List refused and invalid attempts, and what followed each."),
    "access-log": Verb(
        "evidence.access_log", "List who read, revealed or exported contents and evidence, and who was refused."
    ),
    "failures": Verb(
        "evidence.failures",
        "Show when enforcement or recording failed or was switched off, by whom, and what agents did then.",
    ),
    "metrics": Verb(
        "evidence.metrics",
        "Show the figures of a period: decisions by effect, questions and answers, alerts and false alarms.",
    ),
    "replay": Verb("ledger.replay", "Recompute recorded decisions and compare the bytes."),
    "status": Verb(
        "controls.status", "Show mode, floor, waiver and who set them, and the number of decisions, by tenant."
    ),
    "enforce": Verb(
        "controls.enforce",
        "Lead through what was observed, and switch to enforce mode: denied actions do not run.",
    ),
    "observe": Verb(
        "controls.observe",
        "Waive the floor for a time: every action runs and is recorded, whatever the decision, until the waiver ends.",
    ),
    "stop": Verb(
        "controls.stop",
        "Stop an agent, a session, a tool, a person, a tenant (`--tenant NAME` alone) or everything, from now on.",
    ),
    "lift": Verb("controls.lift", "Lift a stop or a suspension, with two signatures where two people are enrolled."),
    "revoke": Verb(
        "controls.revoke",
        "Revoke permanently. Afterwards issue a new passport or open a new session; an agent id cannot be used again.",
    ),
    "risk": Verb(
        "risk.risk",
        "Show the risk of agents, people and service accounts: who, why, since when, and what was done.",
    ),
    "judge": Verb(
        "alerts.judge",
        "Judge an alert. Sessions, and days of a person, that were an attack are left out of the next baseline.",
    ),
    "agents": Verb("passports.agents", "List all agents that were declared, have a passport, or have acted."),
    "operator": Verb("operators.app", "Enrol people who sign control acts, and sign acts on any host."),
    "approver": Verb("approvals.approver_app", "Manage the approvers who may answer challenges."),
    "approvals": Verb("inbox.app", "List and answer what waits for a person."),
    "break-glass": Verb(
        "inbox.break_glass",
        "Answer every question of an agent with yes for some minutes, except about money. "
        "Signed, and sent as an alert.",
    ),
    "contest": Verb(
        "reversals.contest",
        "Contest a decision: not built yet. What led to it is in `halo show`; a person overrides or reverses it.",
    ),
    "override": Verb(
        "reversals.override",
        "Override a decision for some minutes: let exactly this call run, or forbid the call or its target.",
    ),
    "overrides": Verb(
        "reversals.overrides", "List overrides that hold or wait for their review: of what, by whom, until when."
    ),
    "reversals": Verb(
        "reversals.reversals",
        "List which decisions were reversed or overridden, and which could not be reversed.",
    ),
    "reverse": Verb(
        "reversals.reverse",
        "Take the effect of a decision back, once: run what its tool declared as `undo` or `compensate`.",
    ),
    "known": Verb("known.app", "Payees, contacts and own domains that you vouch for."),
    "mcp": Verb("mcp.app", "Tools of MCP servers, and accepting those that they list later."),
    "keys": Verb("approvals.keys_app", "List keys, and rotate or retire issuer keys."),
    "baseline": Verb("risk.app", "Fit, show and drop the baseline of an agent's ordinary behaviour."),
    "train": Verb(
        "training.train",
        "Train a risk model on the sessions in the ledger and the verdicts of `halo judge`; needs the extra `train`.",
    ),
    "model": Verb("models.app", "Try another risk model beside the one in force, switch to it, and back."),
    "identity": Verb(
        "identities.app", "Baselines and risk of people and service accounts, from imported or followed events."
    ),
    "grants": Verb("grants.app", "Grants that nobody uses: list, remove and restore them."),
    "alerts": Verb("alerts.app", "List alerts, and send them to other systems."),
    "passport": Verb("passports.app", "Issue, narrow, show, verify and revoke passports."),
    "export": Verb("exports.app", "Export the log for other systems."),
    "review": Verb("reviews.app", "Access reviews: who answers for which grant of which agent, until when."),
    "inventory": Verb("reviews.inventory_app", "Agents, their reach and their classes, and what ran ungoverned."),
    "home": Verb("home.app", "Give other hosts of a store its keys, authorities and policy."),
    "store": Verb("store.app", "Copy a store into another database."),
    "erase": Verb(
        "erasure.erase_subject",
        "Erase the sealed content of a person, customer or account. It cannot be undone, and the log stays provable.",
    ),
    "retention": Verb(
        "erasure.retention_app", "How long sealed content is kept, by record class, and erasing what is past it."
    ),
    "hold": Verb("erasure.hold_app", "Legal holds: what may not be erased."),
    "pack": Verb("pack.app", "Evidence that others check without Halo: packs, and receipts of entries."),
    "policy": Verb("backtest.policy_app", "Check, test, compare and explain policies."),
    "report": Verb(
        "compliance.report",
        "Report what the log shows of a framework's controls, with the checks that were run, findings and waivers.",
    ),
    "waive": Verb(
        "compliance.waive",
        "Waive a control for a time: reports show it with owner, reason and end, and call an expired waiver a finding.",
    ),
    "incident": Verb("compliance.incident_app", "Incident files, with the clock of a report to an authority."),
}


PANELS: Final = {
    "Begin": ("demo", "doctor", "enforce", "observe", "drill", "ready"),
    "When something is wrong": (
        "status",
        "log",
        "alerts",
        "show",
        "stop",
        "lift",
        "revoke",
        "override",
        "reverse",
        "incident",
        "judge",
        "risk",
    ),
    "What waits for people": (
        "approvals",
        "known",
        "mcp",
        "break-glass",
        "overrides",
        "reversals",
        "contest",
        "approver",
        "operator",
    ),
    "What agents may do": (
        "agents",
        "passport",
        "policy",
        "budget",
        "authority",
        "grants",
        "review",
        "inventory",
    ),
    "What is usual": ("baseline", "train", "model", "identity"),
    "Evidence": (
        "verify",
        "replay",
        "explain",
        "who-touched",
        "reach",
        "sample",
        "denials",
        "failures",
        "access-log",
        "metrics",
        "report",
        "waive",
        "disclose",
        "pack",
        "export",
    ),
    "Keys, databases and sealed content": ("keys", "home", "store", "erase", "retention", "hold"),
}
"""Headings of `halo --help` → the verbs below each, in order; every verb stands below one."""
_PANEL_OF: Final = {name: title for title, names in PANELS.items() for name in names}


def _load_verb(name: str) -> Any:
    """The parser's command of a verb, or its group of commands."""
    module, _, attribute = VERBS[name].path.partition(".")
    verb = getattr(import_module(f"halo_core.cli.{module}"), attribute)
    parent = typer.Typer(add_completion=False)
    parent.callback()(lambda: None)  # makes typer build a group, even for a single command
    if isinstance(verb, typer.Typer):
        parent.add_typer(verb, name=name)
    else:
        parent.command(name)(verb)
    return cast("Any", typer.main.get_command(parent)).commands[name]


class _LazyGroup(TyperGroup):
    """The group of all verbs, each loaded when it is asked for; its own help is made of `VERBS`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = cast("Any", dict.fromkeys(_PANEL_OF))
        self._listing = False

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002  the parser passes it
        if self._listing:
            summary, title = VERBS[cmd_name].summary, _PANEL_OF[cmd_name]
            return TyperCommand(cmd_name, callback=None, help=summary, rich_help_panel=title)
        if cmd_name in VERBS and self.commands[cmd_name] is None:
            self.commands[cmd_name] = _load_verb(cmd_name)
        return self.commands.get(cmd_name)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        self._listing = True
        try:
            super().format_help(ctx, formatter)
        finally:
            self._listing = False


app = typer.Typer(
    name="halo",
    cls=_LazyGroup,
    help="Govern AI agents as privileged identities, and verify what was decided.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    version: Annotated[bool, Option("--version", help="Show the version and exit.")] = False,
    home: Annotated[
        str,
        Option("--home", help="As after the verb: the folder with keys and anchor (default: HALO_HOME, else .halo)."),
    ] = "",
    db: Annotated[str, Option("--db", metavar="URL", help="As after the verb: the URL of the store.")] = "",
    tenant: Annotated[str, Option("--tenant", help="As after the verb: the tenant of the log.")] = "",
) -> None:
    """Govern AI agents as privileged identities, and verify what was decided."""
    del home, db, tenant  # `move_store_options` gave them to the verb
    if version:
        sys.stdout.write(f"halo {metadata.version('halo-agents')}\n")
        raise typer.Exit(Exit.OK)
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(Exit.USAGE)


def move_store_options(argv: list[str]) -> list[str]:
    """Move `--home`, `--db` and `--tenant` from before the verb to the end, where the verb reads them."""
    moved: list[str] = []
    arguments = list(argv)
    while arguments and arguments[0].partition("=")[0] in _STORE_OPTIONS:
        size = 1 if "=" in arguments[0] else 2
        moved, arguments = moved + arguments[:size], arguments[size:]
    if not arguments or arguments[0].startswith("-"):
        return argv
    end = arguments.index("--") if "--" in arguments else len(arguments)
    return [*arguments[:end], *moved, *arguments[end:]]


@cache
def _make_command() -> Any:
    """The parser's command of `app`; made once in a process, and keeps the verbs that it has loaded."""
    return typer.main.get_command(app)


def _fail_to_read(error: OSError) -> int:
    """Print the error of a home of another user, or of a path that no file system takes; returns the exit code.

    Raises:
        OSError: it is about no file.
    """
    if isinstance(error, BrokenPipeError):
        return Exit.OK
    if error.filename is None:
        raise error
    remedy = "run this as the user to whom the home belongs, or check `--home`, HALO_HOME and the path"
    return fail(make_read_error(Path(str(error.filename)), error, field="home", remedy=remedy), Exit.USAGE)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit with a documented code; that of the process whatever becomes of its output."""
    if argv is not None:
        sys.exit(run(argv))
    keep_going()
    code = run(sys.argv[1:])
    if problem := find_problem():
        text = f"part of the output is missing ({problem}); the command itself went on to its end"
        code = code or fail(ConfigError("not_shown", text, field="output", remedy="make room, or print elsewhere"), 1)
    sys.exit(code)


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        result = _make_command()(args=move_store_options(argv), prog_name="halo", standalone_mode=False)
    except typer.Abort:
        return Exit.FAILED
    except typer.Exit as exc:
        return int(exc.exit_code)
    except _PARSER as exc:
        exc.show(file=sys.stderr)
        return Exit.USAGE if isinstance(exc, _USAGE) else Exit.FAILED
    except HaloError as exc:
        is_finding = exc.code == "policy_invalid"  # as `halo policy check` has it
        kinds = (code for kind, code in _EXIT_CODES if isinstance(exc, kind) and not is_finding)
        return fail(exc, next(kinds, Exit.FAILED))
    except OSError as exc:
        return _fail_to_read(exc)
    return result if isinstance(result, int) else Exit.OK
