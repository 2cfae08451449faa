r"""What a message itself strikes out: "~~hire of the hall, 240~~", "D-20 (not this month)".

find_struck_out("- rent, 900\\n- ~~hall, 240~~")    # the place of the second line
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.patterns import compile_later
from halo_core.values.withdrawals.told_orders import Place

_STRUCK: Final = compile_later(
    r"(?:^[ \t]*(?:[-*•–]|[0-9]{1,2}[.)])[ \t]+)?~~[^~\n]{1,400}~~(?:[ \t]*\([^()\n]{0,120}\))?"
)
_ASIDE: Final = compile_later(
    r"[ \t]*[\[(][^\w\n]{0,4}(?:not|nicht|pas|no|non|niet|não|nie|inte|ikke|ei|не)"
    r"(?:\W{0,3}[\])]|,? (?:this|now|today|tonight|any ?more|for now|needed|wanted|to be|him|her|it|that one"
    r"|yet\W{0,2}[\])]"
    r"|diese[rsnm]?|jetzt|heute|mehr|ce|cette|maintenant|aujourd'hui|este|esta|ahora|hoy|quest[oa]|ora|oggi"
    r"|più|deze|dit"
    r"|nu|vandaag|agora|hoje|teraz|dziś|сейчас|сегодня)\b[^\])\n]{0,80}[\])])"
)
_ITEM_START: Final = compile_later(r"[,;:.!?](?=\s)|\s(?:and|und|et|y|e|en|i|och|og|и)(?=\s)|\n")


def find_struck_out(message: str) -> list[Place]:
    """Find the items of a message that are struck out in it, or that it sets aside in brackets."""
    places = [_find_line(message, match.start(), match.end()) for match in _STRUCK.finditer(message)]
    for match in _ASIDE.finditer(message.lower() if len(message.lower()) == len(message) else message):
        start = max((end.end() for end in _ITEM_START.finditer(message, 0, match.start())), default=0)
        places.append((start, match.end()))
    return places


def _find_line(message: str, start: int, end: int) -> Place:
    """Return the whole line if nothing but a bullet stands before what is struck out."""
    line = message.rfind("\n", 0, start) + 1
    if message[line:start].strip(" \t-*•–0123456789.)"):
        return start, end
    stop = message.find("\n", end)
    return line, len(message) if stop < 0 else stop
