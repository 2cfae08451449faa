"""Room: the `halo` command. Takes: argv. Gives: an exit code. Never: decides."""

from __future__ import annotations

import sys
from importlib import metadata
from typing import Annotated, Any, Final, cast

import typer

from halo_core.cli import (
    agents,
    alerts,
    approvals,
    approver,
    authority,
    baseline,
    budget,
    demo,
    doctor,
    explain,
    identity,
    keys,
    mode,
    passport,
    policy,
    replay,
    risk,
    show,
    stop,
    verify,
)
from halo_core.cli.common import Exit, fail
from halo_core.errors import BadInput, CannotDecide, Denied, Gap, HaloError, NotVerified
from halo_core.manifest import ManifestError

__all__ = ["app", "main"]

# The parser's own error classes, which typer re-exports only by their children.
_USAGE: Final = cast("type[Any]", typer.BadParameter.__mro__[1])
_PARSER: Final = cast("type[Any]", typer.BadParameter.__mro__[2])

app = typer.Typer(
    name="halo",
    help="Govern AI agents as privileged identities; check what was decided.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.demo)
app.command("doctor")(doctor.doctor)
app.command("verify")(verify.verify)
app.command("show")(show.show)
app.command("log")(show.log)
app.command("budget")(budget.budget)
app.command("authority")(authority.authority)
app.command("replay")(replay.replay)
app.command("status")(mode.status)
app.command("enforce")(mode.enforce)
app.command("observe")(mode.observe)
app.command("stop")(stop.stop)
app.command("lift")(stop.lift)
app.command("revoke")(stop.revoke)
app.add_typer(approver.app, name="approver")
app.add_typer(approvals.app, name="approvals")
app.add_typer(keys.app, name="keys")
app.add_typer(baseline.app, name="baseline")
app.add_typer(identity.app, name="identity")
app.command("risk")(risk.risk)
app.add_typer(alerts.app, name="alerts")
app.command("judge")(alerts.judge)
app.command("agents")(agents.agents)
app.add_typer(passport.app, name="passport")
policy.app.command("explain")(explain.explain)
app.add_typer(policy.app, name="policy")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Govern AI agents as privileged identities; check what was decided."""
    if version:
        sys.stdout.write(f"halo {metadata.version('halo-agents')}\n")
        raise typer.Exit(Exit.OK)
    if context.invoked_subcommand is None:
        sys.stdout.write(context.get_help() + "\n")
        raise typer.Exit(Exit.USAGE)


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit with a documented code."""
    sys.exit(run(sys.argv[1:] if argv is None else argv))


def run(argv: list[str]) -> int:
    """Run one command line and return its exit code."""
    try:
        result = app(args=argv, prog_name="halo", standalone_mode=False)
    except typer.Abort:
        return Exit.FAILED
    except typer.Exit as exc:
        return int(exc.exit_code)
    except _PARSER as exc:
        exc.show(file=sys.stderr)
        return Exit.USAGE if isinstance(exc, _USAGE) else Exit.FAILED
    except HaloError as exc:
        return passport.print_findings(exc) if isinstance(exc, ManifestError) else fail(exc, _code(exc))
    except BrokenPipeError:
        return Exit.OK
    return result if isinstance(result, int) else Exit.OK


def _code(error: HaloError) -> int:
    if isinstance(error, Gap):
        return Exit.GAP
    if isinstance(error, NotVerified):
        return Exit.TAMPERED
    if isinstance(error, Denied):
        return Exit.DENIED
    if isinstance(error, CannotDecide):
        return Exit.CANNOT_TELL
    return Exit.USAGE if isinstance(error, BadInput) else Exit.FAILED
