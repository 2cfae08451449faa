"""Room: cases that do not pass yet. Takes: nothing. Gives: name -> why.

A name is `class: name`, with ` [framework]` behind it where it is one framework alone; of a route, `kind: name`.
"""

OPEN_ATTACKS: dict[str, str] = {
    "amount: a number of the user that is no amount": "a number that the user wrote counts as an amount of the user",
}
ASKED_TWINS: dict[str, str] = {}
OPEN_ROUTES: dict[str, str] = {}
