"""Orders that are put as a polite wish: "I would be grateful if you paid 420 to Brandt & Vey".

    drop_courtesies("I would be grateful if you paid 420 to 30417788.")   # "Pay 420 to 30417788."
    drop_courtesies("I would be grateful if he paid 420 to 30417788.")    # the same text

Only what the user wishes of the assistant is an order. What somebody else should do or wishes is none.
"""

from __future__ import annotations

import re
from typing import Final

from halo_core.values.language.patterns import compile_later

_PAST: Final = {
    "paid": "pay",
    "sent": "send",
    "gave": "give",
    "put": "put",
    "got": "get",
    "let": "let",
    "transferred": "transfer",
    "wired": "wire",
    "settled": "settle",
    "refunded": "refund",
    "reimbursed": "reimburse",
    "moved": "move",
    "topped": "top",
    "loaded": "load",
    "credited": "credit",
    "remitted": "remit",
    "issued": "issue",
}
_PAST_VERB: Final = "|".join(_PAST)
_PLEASED: Final = (
    r"(?:grateful|glad|happy|obliged|thankful|pleased|delighted|great|nice|kind|good|lovely|super|perfect|wonderful|helpful"
    r"|fantastic|awesome|brilliant|cool)"
)
_WISH: Final = (
    rf"(?:(?:i|we)(?:['’]d| would) (?:be (?:[a-z]+ )?{_PLEASED}|appreciate it|appreciate)"
    rf"|it(?:['’]d| would) be (?:[a-z]+ )?{_PLEASED})"
)
_IF_YOU: Final = r"if (?:you|u)(?: (?:could|would|can))?(?: (?:then|please|also|kindly|just))*"
_WISHED: Final = compile_later(
    rf"(?P<start>^|[.!;\n]\s*|(?:,\s*)?\b(?:and|then|so)\s+){_WISH},? {_IF_YOU} (?P<verb>[a-z]+)\b", re.IGNORECASE
)
_WISHED_TOO: Final = compile_later(rf"(?:,\s*)?\band {_IF_YOU} (?P<verb>{_PAST_VERB}|[a-z]+)\b", re.IGNORECASE)
_FAVOUR: Final = compile_later(
    rf"(?:^|(?<=[.!;\n] )|(?<=\n)){_IF_YOU} (?P<verb>[a-z]+) (?P<rest>[^.!?;\n]+?)"
    rf",? (?:that|it)(?:['’]d| would) be (?:[a-z]+ )?{_PLEASED}\b",
    re.IGNORECASE,
)
_KIND: Final = compile_later(
    r"(?:^|(?<=[.!;\n] )|(?<=\n))(?:please )?be so (?:kind|good) (?:as to|and) ", re.IGNORECASE
)
_SEEN_TO: Final = compile_later(
    r"\b(?:see to it|make sure|ensure)(?: that)? (?P<who>(?!the [$€£]?[0-9]|nobody|no one|none|nothing|not)"
    r"[^.!?;\n]{1,80}?)"
    rf" (?:is|are|gets?) (?:{_PAST_VERB})\b",
    re.IGNORECASE,
)
_DO: Final = compile_later(r"\b(?:would|could) (?:you|u) (?:mind|see about) (?P<verb>[a-z]+)ing\b", re.IGNORECASE)
_KEPT_ACCOUNT: Final = compile_later(
    r" (?:on|to|into|at) (?:the|their|his|her) account (?:that |which )?we (?:keep|have|hold|use)"
    r"(?: on (?:file|record))?(?: for (?:them|him|her))?(?=\W|$)",
    re.IGNORECASE,
)
"""An account that has to be looked up, whose owner the sentence names."""
_AGREED_SUM: Final = compile_later(
    r"\bthe (?:agreed|outstanding|remaining|usual)(?: (?:sum|amount) of)? (?=[$€£]?[0-9])", re.IGNORECASE
)


_THANKS: Final = compile_later(
    r"(?:,|\s[-–—]|\band)? (?:(?:many )?thanks|thank you|thx|cheers)"
    r"(?: (?:very|so) much| a (?:lot|million|bunch)| in advance| again| kindly)?(?=\s*(?:[.!;]|$))",
    re.IGNORECASE,
)
"""Thanks at the end of a sentence, which order nothing: "420 to 30417788, thank you"."""
_REMEMBERING: Final = compile_later(
    r",? if (?:i(?:['’]m| am) not (?:mistaken|wrong)|i (?:remember|recall)(?: (?:rightly|correctly|right))?"
    r"|memory serves(?: me)?(?: (?:right|well))?|you (?:don['’]?t|do not|wouldn['’]?t) mind),?",
    re.IGNORECASE,
)
"""What sounds like a condition and is a remark: "S-41 if I'm not mistaken"."""


def drop_courtesies(text: str) -> str:
    """Write the polite wishes of a text as plain orders.

    Args:
        text: of the user.
    """
    lowered = text.casefold()
    if "if " in lowered and ("would" in lowered or "d be" in lowered or "d appreciate" in lowered):
        wished = _WISHED.sub(lambda match: f"{match['start']}{_to_order(match['verb'])}", text)
        if wished != text:
            text = _WISHED_TOO.sub(lambda match: f". {_to_order(match['verb'])}", wished)
        text = _FAVOUR.sub(lambda match: f"{_to_order(match['verb'])} {match['rest']}", text)
    if "if " in lowered:
        text = _REMEMBERING.sub("", text)
    text = _DO.sub(lambda match: f"could you {match['verb']}", text)
    text = _SEEN_TO.sub(r"make sure \g<who> gets", text)
    return _AGREED_SUM.sub("", _THANKS.sub("", _KEPT_ACCOUNT.sub("", _KIND.sub("", text))))


def _to_order(verb: str) -> str:
    """Write a verb of a wish as an order: "paid" as "Pay"."""
    return _PAST.get(verb.lower(), verb).capitalize()
