"""Room: what the SVG charts share: paper, colours, signs. Takes: parts. Gives: one self-contained document. Never: I/O.

It brings its own background and follows the reader's colour scheme, so it can be read on a light and on a dark page.
Every name in it is somebody's words: escaped, and what would not be seen is shown.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final
from xml.sax.saxutils import escape

from halo_core.cli.svg_places import WIDTH
from halo_core.cli.words import cell

__all__ = ["SIGNS", "document", "safe", "sign"]

_LIGHT: Final = {
    "paper": "#ffffff", "edge": "#d1d9e0", "ink": "#1f2328", "soft": "#59636e", "grid": "#eaeef2", "curve": "#0969da",
    "granted": "#9a6700", "stopped": "#cf222e", "other": "#818b98", "epoch": "#1a7f37", "given": "#8250df",
    "asked": "#bc4c00",
}  # fmt: skip
_DARK: Final = {
    "paper": "#0d1117", "edge": "#3d444d", "ink": "#f0f6fc", "soft": "#9198a1", "grid": "#21262d", "curve": "#4493f8",
    "granted": "#d29922", "stopped": "#f85149", "other": "#656c76", "epoch": "#3fb950", "given": "#ab7df8",
    "asked": "#f0883e",
}  # fmt: skip

_SHAPES: Final = (
    "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'Helvetica Neue','DejaVu Sans',sans-serif}"
    ".head{font-size:17px;font-weight:600}.strong{font-weight:600}"
    ".floor{stroke-width:1;stroke-dasharray:6 4}.line{fill:none;stroke-width:2.25;stroke-linejoin:round}"
    ".ahead{stroke-dasharray:2 4;stroke-linecap:round}.thin{stroke-width:1}.area{stroke:none;fill-opacity:.1}"
    ".band{stroke:none;fill-opacity:.08}.bar{stroke:none;fill-opacity:.55}"
    ".over{paint-order:stroke;stroke-width:4;stroke-linejoin:round}"
)


def document(title: str, described: str, parts: Iterable[str], height: float) -> str:
    """The whole file: a title and a description for who cannot see it, and what is drawn."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        f'role="img" aria-labelledby="halo-title halo-desc">\n'
        f'<title id="halo-title">{safe(title)}</title>\n'
        f'<desc id="halo-desc">{safe(described)}</desc>\n'
        f"<style>{_style(_LIGHT)}@media (prefers-color-scheme: dark){{{_style(_DARK)}}}{_SHAPES}</style>\n"
        f'<rect class="paper" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="10"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _style(colours: dict[str, str]) -> str:
    rules = [f".paper{{fill:{colours['paper']};stroke:{colours['edge']}}}.over{{stroke:{colours['paper']}}}"]
    rules += [f"text.{name},.f-{name}{{fill:{value}}}.s-{name}{{stroke:{value}}}" for name, value in colours.items()]
    return "".join(rules)


def safe(text: str) -> str:
    """Somebody's words as text of the document."""
    return escape(cell(text).plain, {'"': "&quot;"})


SIGNS: Final = {"challenge": "somebody was asked", "deny": "denied"}


def sign(effect: str, x: float | None, y: float | None) -> str:
    """What did not run, as a sign; without a place one to be formatted with `x` and `y`."""
    spot = "translate({x} {y})" if x is None or y is None else f"translate({x:.1f} {y:.1f})"
    if effect == "deny":
        return f'<path class="s-stopped line" transform="{spot}" d="M-4 -4L4 4M-4 4L4 -4"/>'
    return f'<path class="f-paper s-asked" stroke-width="2" transform="{spot}" d="M0 -5.5L5.5 0L0 5.5L-5.5 0Z"/>'
