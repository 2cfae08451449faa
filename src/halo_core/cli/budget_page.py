"""Room: budgets on a page. Takes: what `halo budget` tells. Gives: lines for a terminal. Never: I/O, decides.

Names are somebody's words: every cell is text, none is markup.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from rich.text import Text

from halo_core.cli.passport_view import when
from halo_core.cli.words import amount, cell, duration, percent, short

__all__ = ["bar", "page"]

_US: Final = 1_000_000
_TITLES: Final = ("spent", "reserved", "limit", "ceiling")
_MOST_BAR: Final = 20
_LEAST_BAR: Final = 6
_SHARE: Final = 6
_GAP: Final = "  "
_LOW: Final = 60
_HIGH: Final = 85


@dataclass(frozen=True, slots=True)
class _Row:
    """A line: a heading of a link, or one unit with its numbers (spent, reserved, limit, ceiling)."""

    name: str
    about: str = ""
    cells: tuple[str, ...] = ()
    used: int = 0
    held: int = 0
    limit: int = 0
    dim: bool = False


def bar(used: int, held: int, limit: int, width: int) -> str:
    """`█` for what is spent, `▒` for what is reserved, `░` for the rest; what was spent at all shows."""
    whole = max(limit, 1)
    spent = min(max(round(width * used / whole), used > 0), width)
    kept = min(max(round(width * held / whole), held > 0), width - spent)
    return "█" * spent + "▒" * kept + "░" * (width - spent - kept)


def page(told: dict[str, Any], width: int) -> list[Text]:
    """The tree of a session, at most `width` columns wide where the names allow."""
    rows = [row for tree in told["standing"] for row in _tree(tree)]
    units = [row for row in rows if row.cells]
    name = max((len(row.name) for row in units), default=0)
    columns = [max(len(title), *(len(row.cells[i]) for row in units)) for i, title in enumerate(_TITLES)]
    room = width - name - sum(columns) - len(_GAP) * (len(columns) + 1) - _SHARE
    length = max(min(room, _MOST_BAR), _LEAST_BAR)
    age = duration((told["now_us"] - told["opened_us"]) // _US)
    lines = [Text.assemble("session ", cell(told["session"], "bold"), f", open for {age}, {told['steps']:,} decisions")]
    titles = _GAP.join(title.rjust(columns[i]) for i, title in enumerate(_TITLES))
    lines.append(Text(f"{'':{name}}{_GAP}{titles}", style="dim"))
    lines += [_line(row, name, columns, length) for row in rows]
    lines.append(Text(""))
    lines.append(_ending(told["first"]))
    return lines


def _line(row: _Row, name: int, columns: list[int], length: int) -> Text:
    if not row.cells:
        return Text.assemble(cell(row.name, "dim bold" if row.dim else "bold"), "  ", cell(row.about, "dim"))
    numbers = _GAP.join(text.rjust(columns[i]) for i, text in enumerate(row.cells))
    share = 100 * (row.used + row.held) // max(row.limit, 1)
    colour = "green" if share < _LOW else "yellow" if share < _HIGH else "red"
    line = Text(style="dim" if row.dim else "")
    line.append_text(cell(f"{row.name:{name}}"))
    line.append(f"{_GAP}{numbers}{_GAP}")
    line.append(bar(row.used, row.held, row.limit, length), style="dim" if row.dim else colour)
    line.append(f" {share:>4}%")
    return line


def _tree(tree: dict[str, Any]) -> Iterator[_Row]:
    about = f"standing passport {short(tree['hash'])} for {tree['principal']}, until {when(tree['until_s'])[:10]}"
    yield _Row(tree["agent"], about)
    for quota in tree["quotas"]:
        numbers = (amount(quota["used"], quota["decimals"]), "", amount(quota["per_day"], quota["decimals"]), "")
        yield _Row(f"  {quota['unit']} today", cells=numbers, used=quota["used"], limit=quota["per_day"])
    for link in tree["links"]:
        yield from _link(link, "")


def _link(link: dict[str, Any], indent: str) -> Iterator[_Row]:
    dim = link["status"] != "live"
    yield _Row(f"{indent}└ {link['agent']}", _about(link), dim=dim)
    for unit in link["units"]:
        if dim and unit["unit"] == "time":
            continue  # a link that is gone has no age
        show = _seconds if unit["unit"] == "time" else lambda value, unit=unit: amount(value, unit["decimals"])
        own = max(unit["limit"] - unit["committed"] - unit["reserved"], 0)
        # Whoever is above may have less left than this link has by itself.
        above = f"{show(unit['left'])} above" if not dim and unit["left"] < own else ""
        yield _Row(
            f"{indent}    {unit['unit']}",
            cells=(
                show(unit["committed"]),
                show(unit["reserved"]) if unit["reserved"] else "",
                show(unit["limit"]),
                show(unit["ceiling"]) if unit["ceiling"] is not None else above,
            ),
            used=unit["committed"],
            held=unit["reserved"],
            limit=unit["limit"],
            dim=dim,
        )
    for child in link["links"]:
        yield from _link(child, f"{indent}  ")


def _about(link: dict[str, Any]) -> str:
    if link["kind"] == "session":
        return f"session link, epoch {link['epoch']}, authority {percent(link['authority'])}"
    above = " and ".join(reversed(link["debits"]))
    if link["status"] != "live":
        return f"hand-off, {link['status']}; {above} spent this too"
    return f"hand-off, authority {percent(link['authority'])}; {above} spends this too"


def _seconds(value: int) -> str:
    hours, rest = divmod(value, 3600)
    return f"{hours:,}:{rest // 60:02}:{rest % 60:02}"


def _ending(first: dict[str, Any] | None) -> Text:
    if first is None:
        return Text("nothing was spent yet")
    whose = {"standing": "today's quota", "session": "session link"}.get(first["kind"], "hand-off link")
    line = Text.assemble(
        "first to run out: ", cell(first["unit"], "bold"), " of ", cell(first["agent"]), f"'s {whose}, "
    )
    if first["unit"] == "time":
        return line.append(f"{duration(first['left'])} left")
    line.append(f"{amount(first['left'], first['decimals'])} of {amount(first['limit'], first['decimals'])} left: ")
    return line.append(f"about {first['actions']:,} more decisions at this pace")
