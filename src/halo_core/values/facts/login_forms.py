"""Calls that sign in at a page: they fill nothing but fields such as `username` and `password`, with vouched values."""

from __future__ import annotations

from typing import Final

from halo_core.values.facts.call_view import CallView
from halo_core.values.kinds.argument_names import name_of_argument
from halo_core.values.kinds.kinds import PLACES, SUSPICIOUS
from halo_core.values.language.lexicon import stem_all
from halo_core.values.language.patterns import compile_later
from halo_core.values.language.text import split_name
from halo_core.values.provenance.result_origins import VOUCHED_ORIGINS

_ACCOUNT_WORDS: Final = stem_all(
    "user username userid login loginname email mail account member customer student employee benutzer benutzername "
    "kunde kundennummer mitglied konto utilisateur identifiant courriel usuario correo cuenta utente"
)
_SECRET_WORDS: Final = stem_all(
    "password passwd passcode passphrase pass pwd pin secret passwort kennwort mdp contrasena clave senha wachtwoord"
)
_SIGNING_IN: Final = stem_all("login signin logon authenticate")
"""Words of tools that sign in."""
_PLAIN_WORDS: Final = stem_all("address field id input my name no number text the value your")
"""Words of a field's name that do not say what the field holds."""
_MAX_NAME: Final = 64  # characters
_VALUE: Final = compile_later(r"\S{1,64}")
"""An account or a secret, and no message."""
_POSITION: Final = compile_later(r"/[0-9]+$")
_FORM: Final = [["account", "secret"], ["value", "value"]]
"""What the two lists of a form hold: the names of its fields, and their values."""


def _names_account(pointer: str) -> bool:
    """Whether an argument holds an account or a secret, by its name."""
    words = frozenset(split_name(name_of_argument(pointer)))
    return not words.isdisjoint(_ACCOUNT_WORDS | _SECRET_WORDS) and words <= (
        _ACCOUNT_WORDS | _SECRET_WORDS | _PLAIN_WORDS
    )


def signs_in(view: CallView) -> bool:
    """Whether a call enters an account and its secret somewhere, and nothing else.

    INVARIANT: VOUCH - every value that is entered is vouched for, and every other text is the name of such a field. So
    nothing that untrusted content holds or asks for is sent.
    """
    held: dict[str, list[str]] = {}
    for leaf in view.traced:
        if leaf.kind in PLACES:
            continue
        text = view.texts.get(leaf.pointer, "")
        words = frozenset(split_name(text)) if len(text) <= _MAX_NAME else frozenset[str]()
        names = words & (_ACCOUNT_WORDS | _SECRET_WORDS)
        if names and words <= names | _PLAIN_WORDS:
            role = "account" if names.isdisjoint(_SECRET_WORDS) else "secret"
        elif leaf.origin in VOUCHED_ORIGINS and SUSPICIOUS not in leaf.flags and _VALUE.fullmatch(text) is not None:
            role = "value"
        else:
            return False
        held.setdefault(_POSITION.sub("", leaf.pointer), []).append(role)
    if not _SIGNING_IN.isdisjoint(split_name(view.resource.id)) and all(map(_names_account, held)):
        return all(roles == ["value"] for roles in held.values())  # the tool has the secret itself
    return sorted(map(sorted, held.values())) == _FORM
