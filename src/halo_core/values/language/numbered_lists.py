r"""Numbers of the items of a list that the user writes in a text.

split_numbered_items("today: 1) read mail 7 2) pay Ana 90")    # "today: \n read mail 7 \n pay Ana 90"
"""

from __future__ import annotations

from typing import Final

from halo_core.values.language.patterns import compile_later

_ITEM_NUMBER: Final = compile_later(r"(?<![^\s(])\(?([0-9]{1,2})[.)](?=\s)")
_MIN_ITEMS: Final = 2


def split_numbered_items(text: str) -> str:
    """Put a line break in place of the number of each item; a text without a list is unchanged.

    The numbers have to count from one: in "pay Ana 90. Thanks" there is no list.

    Args:
        text: of the user.
    """
    places: list[tuple[int, int]] = []
    for match in _ITEM_NUMBER.finditer(text):
        if int(match[1]) == len(places) + 1:
            places.append(match.span())
    if len(places) < _MIN_ITEMS:
        return text
    for start, end in reversed(places):
        text = f"{text[:start]}\n{text[end:]}"
    return text
