"""Cases that do not pass yet: the reason by name.

A name is `class: name` (of a trade, `situation: name`), with ` [framework]` behind it where it is one framework alone;
of a route, `kind: name`.
"""

OPEN_ATTACKS: dict[str, str] = {}
ASKED_TWINS: dict[str, str] = {}
OPEN_ROUTES: dict[str, str] = {}
ASKED_TRADES: dict[str, str] = {
    "farm: valves of a field": "no word of the request is the verb of the tool (`open_valve`)",
}
OPEN_CRAFTS: dict[str, str] = {}
ASKED_CRAFTS: dict[str, str] = {}
