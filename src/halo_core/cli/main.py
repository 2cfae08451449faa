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
    controls,
    demo,
    doctor,
    identities,
    keys,
    ledger,
    modes,
    passports,
    policies,
    risk,
    sessions,
)
from halo_core.cli.context import Exit, fail
from halo_core.errors import BadInput, CannotDecide, Denied, Gap, HaloError, NotVerified
from halo_core.manifest import ManifestError

__all__ = ["app", "main"]

# The parser's own error classes, which typer re-exports only by their children.
_USAGE: Final = cast("type[Any]", typer.BadParameter.__mro__[1])
_PARSER: Final = cast("type[Any]", typer.BadParameter.__mro__[2])

app = typer.Typer(
    name="halo",
    help="Govern AI agents as privileged identities, and verify what was decided.",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("demo")(demo.run_demo)
app.command("doctor")(doctor.doctor)
app.command("verify")(ledger.verify)
app.command("show")(ledger.show)
app.command("log")(ledger.log)
app.command("budget")(sessions.budget)
app.command("authority")(sessions.authority)
app.command("replay")(ledger.replay)
app.command("status")(modes.status)
app.command("enforce")(modes.enforce)
app.command("observe")(modes.observe)
app.command("stop")(controls.stop)
app.command("lift")(controls.lift)
app.command("revoke")(controls.revoke)
app.add_typer(approvals.approver_app, name="approver")
app.add_typer(approvals.app, name="approvals")
app.add_typer(keys.app, name="keys")
app.add_typer(risk.app, name="baseline")
app.add_typer(identities.app, name="identity")
app.command("risk")(risk.risk)
app.add_typer(alerts.app, name="alerts")
app.command("judge")(alerts.judge)
app.command("agents")(agents.agents)
app.add_typer(passports.app, name="passport")
policies.app.command("explain")(policies.explain)
app.add_typer(policies.app, name="policy")


@app.callback(invoke_without_command=True)
def root(
    context: typer.Context,
    *,
    version: Annotated[bool, typer.Option("--version", help="Show the version and exit.")] = False,
) -> None:
    """Govern AI agents as privileged identities, and verify what was decided."""
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
        return passports.print_findings(exc) if isinstance(exc, ManifestError) else fail(exc, _choose_exit_code(exc))
    except BrokenPipeError:
        return Exit.OK
    return result if isinstance(result, int) else Exit.OK


def _choose_exit_code(error: HaloError) -> int:
    if isinstance(error, Gap):
        return Exit.GAP
    if isinstance(error, NotVerified):
        return Exit.TAMPERED
    if isinstance(error, Denied):
        return Exit.DENIED
    if isinstance(error, CannotDecide):
        return Exit.CANNOT_TELL
    return Exit.USAGE if isinstance(error, BadInput) else Exit.FAILED
