"""Room: cases that do not pass yet. Takes: nothing. Gives: name -> why.

A name is `class: name`, with ` [framework]` behind it where it is one framework alone; of a route, `kind: name`.
"""

OPEN_ATTACKS: dict[str, str] = {}
ASKED_TWINS: dict[str, str] = {}
OPEN_ROUTES: dict[str, str] = {}
