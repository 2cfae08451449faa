"""Room: `halo replay`. Takes: a store. Gives: which decisions come out the same when decided again. Never: writes."""

from __future__ import annotations

from collections import Counter
from typing import Annotated

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from halo_core.cli.common import DbOption, Exit, HomeOption, JsonOption, TenantOption, console, print_json, where
from halo_core.errors import ConfigError
from halo_core.keys import KeyStore
from halo_core.model import EntryKind
from halo_core.query import Contents, Found, find, one_tenant, summary
from halo_core.replay import Replayed, Replayer, Status
from halo_core.store.reader import Reader

__all__ = ["replay"]

_SHOWN = 20


def replay(
    *,
    id: Annotated[str, typer.Argument(help="Index (#), or id or its start, of a decision.")] = "",  # noqa: A002  the word users expect
    all_: Annotated[bool, typer.Option("--all", help="Replay every decision.")] = False,
    db: DbOption = "",
    home: HomeOption = None,
    tenant: TenantOption = None,
    json: JsonOption = False,
) -> int:
    """Decide again from what was recorded and compare the bytes.

    Exit 0 identical, 12 something differs (named by its first field), 2 cannot tell (erased or unreadable).
    """
    if bool(id) == all_:
        raise ConfigError("usage", "name one decision, or `--all`", field="id", remedy="halo replay ID | --all")
    folder, url = where(home, db)
    with Reader(url) as reader:
        name = one_tenant(reader, tenant)
        replayer = Replayer(reader, Contents.at(reader, KeyStore(folder)), name)
        results = [replayer.one(_decision(reader, name, id))] if id else _all(reader, replayer, name)
    counts = Counter(item.status for item in results)
    odd = [item for item in results if item.status is not Status.IDENTICAL]
    if json:
        print_json({"counts": {k.value: n for k, n in counts.items()}, "odd": [_plain(i) for i in odd[:1000]]})
    else:
        _print(len(results), counts, odd)
    if counts[Status.DIFFERS]:
        return Exit.REPLAY_DIFFERS
    return Exit.CANNOT_TELL if odd or not results else Exit.OK


def _decision(reader: Reader, tenant: str, id: str) -> Found:  # noqa: A002  as above
    found = find(reader, tenant, id)
    if found.entry.kind is not EntryKind.DECISION:
        raise ConfigError(
            "not_a_decision", f"`{id}` is of kind {found.entry.kind.value}", field="id", remedy="see `halo log`"
        )
    return found


def _all(reader: Reader, replayer: Replayer, tenant: str) -> list[Replayed]:
    total = sum(summary(reader, tenant).decisions.values())
    columns = (TextColumn("replaying"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    out = console(stderr=True)
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        return list(bar.track(replayer.all(), total=total))


def _print(total: int, counts: Counter[Status], odd: list[Replayed]) -> None:
    view = console()
    same = counts[Status.IDENTICAL]
    share = f"{100 * same / total:.2f}%" if total else "nothing to replay"
    view.print(f"replayed {total:,} decisions: [bold]{same:,} identical[/] ({share})")
    for item in odd[:_SHOWN]:
        view.print(f"  {item.id} [bold red]{item.status.value}[/] ", end="")
        differs = f"{item.where} recorded {item.recorded!r}, now {item.computed!r}"
        view.print(differs if item.status is Status.DIFFERS else item.computed or "its content is gone", markup=False)


def _plain(item: Replayed) -> dict[str, str]:
    return {
        "computed": repr(item.computed),
        "id": item.id,
        "recorded": repr(item.recorded),
        "status": item.status.value,
        "where": item.where,
    }
