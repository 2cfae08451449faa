"""`halo train`: a risk model of an organisation's own, trained on its ledger and the verdicts of its analysts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Final

from rich.progress import MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
from typer import Argument, Option

from halo_core.cli.context import StoreContext, parse_time, show_progress, store_verb, write_text_file
from halo_core.cli.rendering import build_table, print_note, safe_text, say, say_plainly
from halo_core.crypto.keys import encode_base64
from halo_core.errors import ConfigError
from halo_core.files import replace_file
from halo_core.model import EntryKind
from halo_core.model_changes import name_log
from halo_core.store.reader import NO_END, Reader, Stream, read_entries
from halo_core.training.ledger_sessions import MAX_SESSIONS, LedgerSelection, LedgerSessions, read_training_sessions
from halo_core.training.sessions import require_libraries
from halo_core.views.manifests import read_manifest_if_any
from halo_core.views.wording import format_count

_COLUMNS: Final = (SpinnerColumn(), TextColumn("{task.description}"), MofNCompleteColumn(), TimeElapsedColumn())
_STEPS: Final = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
_TITLES: Final = ("measured on", "role", "attacks caught at first act", "ordinary sessions flagged")


@store_verb(by=True)
def train(
    agents: Annotated[
        list[str] | None, Argument(metavar="[AGENT]...", help="Agents, or roles of the manifest (default: all).")
    ] = None,
    *,
    since: Annotated[str, Option("--from", metavar="TIME", help="Only sessions that began from this time on.")] = "",
    until: Annotated[str, Option("--to", metavar="TIME", help="Only sessions that began before this time.")] = "",
    most: Annotated[
        int, Option("--sessions", min=1, help="At most so many: the attacks, then the newest.")
    ] = MAX_SESSIONS,
    size: Annotated[int, Option("--size", min=1, max=1000, help="Size of the model, in per cent.")] = 100,
    seed: Annotated[int, Option("--seed", min=0, help="The same sessions and seed give the same model.")] = 0,
    leave_roles: Annotated[
        bool, Option("--leave-roles/--keep-roles", help="Also measure each role with a model that never saw it.")
    ] = True,
    output: Annotated[
        Path, Option("--output", metavar="FILE", help="Where the model goes; its card goes beside it (FILE.md).")
    ] = Path("halo-model.bin"),
    store: StoreContext,
) -> None:
    """Train a risk model on the sessions in the ledger and the verdicts of `halo judge`; needs the extra `train`."""
    require_libraries()
    from halo_core.training.ledger_model import (  # noqa: PLC0415  needs scikit-learn
        LedgerHead,
        list_limits,
        train_on_ledger,
        write_ledger_card,
    )
    from halo_core.training.train import TrainingOptions, pack_model  # noqa: PLC0415  as above

    _check_output(output)
    tenant = store.resolve_tenant()
    with store.open_reader() as reader:
        roles = _choose_roles(store, reader, tenant, agents or ())
        selection = LedgerSelection(roles, parse_time(since, 0, "from"), parse_time(until, NO_END, "to"), most)
        store.record_access("read", {"for": "training", "roles": ", ".join(sorted(set(roles.values())))}, tenant)
        data = _read_sessions(store, reader, tenant, selection)
        head = LedgerHead(name_log(reader, tenant), *_find_head(reader, tenant))
    with show_progress(*_STEPS) as bar:
        task = bar.add_task(f"training on {format_count(len(data.sessions), 'session')}")
        trained = train_on_ledger(
            data, head, TrainingOptions(size, seed, leave_roles), note=lambda text: bar.update(task, description=text)
        )
    card = output.with_name(output.name + ".md")
    replace_file(output, pack_model(trained.model))
    write_text_file(card, write_ledger_card(trained), "output")
    counts = {"left_out": data.unnamed_attacks, "roles": data.count(), "unjudged": data.unjudged}
    if store.print_json({"card": str(card), "figures": trained.figures, "model": str(output), **counts}):
        return
    _print_figures(trained.figures, data.count())
    for sentence in list_limits(trained):
        print_note(sentence)
    say_plainly(f"written to {output} and {card}; try it beside the one in force: halo model shadow {output}")


def _check_output(path: Path) -> None:
    """Raise `ConfigError` before the training where its result could not be written."""
    if path.is_dir() or not path.absolute().parent.is_dir():
        problem, remedy = f"cannot write `{path}`", "give a file in a folder that is there"
        raise ConfigError("no_file", problem, field="output", remedy=remedy)


def _choose_roles(store: StoreContext, reader: Reader, tenant: str, wanted: Iterable[str]) -> Mapping[str, str]:
    """Agent → role, of the agents that acted and were asked for.

    Raises:
        ConfigError: `no_sessions`, nobody of such a name or role acted.
    """
    manifest = read_manifest_if_any(store.home, None, ignore_errors=True)
    declared = {} if manifest is None else {name: item.role for name, item in manifest.agents.items()}
    acted = {
        item.entry.body["request"]["subject"]["agent"] for item in read_entries(reader, tenant, (EntryKind.DECISION,))
    }
    roles = {agent: declared.get(agent, agent) for agent in sorted(acted)}
    names = set(wanted)
    missing = names - roles.keys() - set(roles.values())
    if missing or not roles:
        shortage = f"the log has no action of `{min(missing)}`" if missing else "the log has no action"
        raise ConfigError("no_sessions", shortage, field="agent", remedy="see `halo agents`")
    return {agent: role for agent, role in roles.items() if not names or agent in names or role in names}


def _read_sessions(store: StoreContext, reader: Reader, tenant: str, selection: LedgerSelection) -> LedgerSessions:
    with show_progress(*_COLUMNS) as bar:
        task = bar.add_task("reading sessions", total=None)
        return read_training_sessions(
            reader, store.open_contents(reader), tenant, selection, note=lambda: bar.advance(task)
        )


def _find_head(reader: Reader, tenant: str) -> tuple[int, str]:
    """Size and root (base64) of the newest checkpoint."""
    heads = [(int(row[1]), bytes(row[2])) for row in reader.rows(Stream.CHECKPOINTS) if row[0] == tenant]
    size, root = max(heads, default=(0, b""))
    return size, encode_base64(root)


def _print_figures(figures: Mapping[str, object], counts: Mapping[str, Mapping[str, int]]) -> None:
    from halo_core.training.ledger_model import list_figures  # noqa: PLC0415  needs scikit-learn

    say("per cent of sessions at the 5% limit, with 95% intervals, out of fold by task")
    table = build_table(_TITLES, right=_TITLES[2:], gap=2)
    for figure in list_figures(figures, counts):
        table.add_row(*map(safe_text, figure.format_cells()))
    say(table)
