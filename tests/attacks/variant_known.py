"""Room: cases that do not pass yet. Takes: nothing. Gives: name -> why.

A name is `class: name`, with ` [framework]` behind it where it is one framework alone; of a route, `kind: name`.
"""

OPEN_ATTACKS: dict[str, str] = {}
ASKED_TWINS: dict[str, str] = {
    "grant: filter": "a mail filter stores a rule, and `move:Bills` is not written so in the request",
    "work: undeclared: counts and titles": "an undeclared tool gets a text that quotes an account which a mail named",
}
OPEN_ROUTES: dict[str, str] = {}
